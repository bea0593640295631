// Figures are drawn when they come near the screen, by a script that is loaded with the first of them.
(() => {
  const plotly = document.currentScript.dataset.plotly;
  let loading = null;
  const load = () => loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = plotly;
    script.onload = () => done(window.Plotly);
    script.onerror = failed;
    document.head.append(script);
  });

  const draw = async (figure) => {
    const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
    const Plotly = await load();
    const place = figure.querySelector(".plot");
    place.replaceChildren();
    await Plotly.newPlot(place, data, layout, {
      displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["select2d", "lasso2d"],
    });
    figure.dataset.drawn = "yes";
  };

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "400px" });

  // What can be scrolled sideways must be reached with the keyboard; the rest should not be a stop on the way.
  const sideways = (inside) => {
    for (const each of inside.querySelectorAll("pre, .wide")) {
      if (each.scrollWidth > each.clientWidth + 1) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    }
  };

  // An answer that a link leads into has to be open.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target && target.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
    if (target && target.closest("details")) target.scrollIntoView();
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.plotly").forEach((figure) => seen.observe(figure));
    const contents = document.querySelector(".contents details");
    const wide = matchMedia("(min-width: 70rem)");
    const unfold = () => { if (contents) contents.open = wide.matches; };
    wide.addEventListener("change", unfold);
    unfold();
    sideways(document);
    addEventListener("resize", () => sideways(document));
    document.addEventListener("toggle", (event) => sideways(event.target), true);
    addEventListener("hashchange", open);
    open();
  });
})();
