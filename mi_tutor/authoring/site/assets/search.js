// The search: every word must begin a word of a section; headings count more. The index is a script beside this one.
(() => {
  const MOST = 40;
  const simple = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const begins = (words, start) => words.filter((word) => word.startsWith(start)).length;

  const score = ([, page, heading, text], asked) => {
    const places = [[heading, 12], [page, 4], [text, 1]].map(([part, weight]) => [simple(part).match(/[\p{L}\p{N}]+/gu) ?? [], weight]);
    let sum = 0;
    for (const start of asked) {
      const here = places.reduce((all, [words, weight]) => all + weight * Math.min(begins(words, start), 5), 0);
      if (!here) return 0;
      sum += here;
    }
    return sum;
  };

  // The text around the first word that was asked for, with all of them marked.
  const snippet = (text, asked) => {
    const flat = simple(text);
    const places = asked.map((start) => flat.indexOf(start)).filter((place) => place >= 0);
    const at = places.length ? Math.max(0, Math.min(...places) - 60) : 0;
    const part = text.slice(at, at + 220);
    const made = document.createElement("p");
    if (at) made.append("… ");
    for (const word of part.split(/([\p{L}\p{N}]+)/u)) {
      if (word && asked.some((start) => simple(word).startsWith(start))) {
        const mark = document.createElement("mark");
        mark.textContent = word;
        made.append(mark);
      } else made.append(word);
    }
    if (at + 220 < text.length) made.append(" …");
    return made;
  };

  const show = (query) => {
    const asked = simple(query).match(/[\p{L}\p{N}]+/gu) ?? [];
    const found = document.getElementById("found");
    const hits = document.getElementById("hits");
    hits.replaceChildren();
    if (!asked.length) return;
    const ranked = window.SEARCH_INDEX.map((each) => [score(each, asked), each]).filter(([points]) => points);
    ranked.sort(([a], [b]) => b - a);
    found.textContent = ranked.length ? `${ranked.length} section${ranked.length === 1 ? "" : "s"} with “${query}”` : `Nothing was found for “${query}”.`;
    for (const [, [address, page, heading, text]] of ranked.slice(0, MOST)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = address;
      link.textContent = heading === page ? page : `${page} › ${heading}`;
      item.append(link, snippet(text, asked));
      hits.append(item);
    }
  };

  addEventListener("DOMContentLoaded", () => {
    const field = document.getElementById("q");
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    field.addEventListener("input", () => show(field.value.trim()));
    field.focus();
    show(field.value.trim());
  });
})();
