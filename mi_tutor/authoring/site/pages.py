"""The pages of the site, each made of one file of the repository (the index of several parts of the README)."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from mi_tutor.authoring.site.cells import Cells
from mi_tutor.authoring.site.figures import Still, figure_html
from mi_tutor.authoring.site.places import Places
from mi_tutor.authoring.site.texts import Renderer, to_html

SPECIMENS, TEACHING, SEARCH = "specimens/index.html", "teaching/index.html", "search.html"


class Page(NamedTuple):
    """A page: where it goes, its title, the HTML of its text, and what it needs beside it."""

    address: str
    title: str
    body: str
    contents: tuple[tuple[int, str, str], ...] = ()
    stills: tuple[Still, ...] = ()
    pictures: tuple[str, ...] = ()


def chapter_page(places: Places, stem: str) -> Page:
    """An executed solution as a page to read: what is asked, and our answers behind a click."""
    source, address = f"solutions/{stem}.ipynb", f"chapters/{stem}.html"
    notebook = nbformat.read(places.root / source, as_version=4)
    asked = nbformat.read(places.root / "chapters" / f"{stem}.ipynb", as_version=4)
    stubs = {
        cell.id: cell.source
        for cell in asked.cells
        if cell.metadata.get("mi_tutor", {}).get("role") == "exercise"
    }
    renderer = Renderer(places, source, address)
    cells = Cells(renderer, stubs)
    body = cells.as_html(notebook.cells)
    note = (
        '<p class="note">This page is for reading. To write your own answers and have them checked, open the '
        f"chapter on your computer: <code>mi-tutor learn {stem[:2]}</code></p>"
    )
    body = body.replace("</h1>\n", f"</h1>\n{note}", 1)
    title, *contents = renderer.headings
    return Page(
        address,
        plain(title[2]),
        body,
        _contents(contents),
        tuple(cells.stills),
        tuple(renderer.pictures),
    )


def text_page(places: Places, source: str) -> Page:
    """A Markdown file as a page."""
    address = places.pages[source]
    renderer = Renderer(places, source, address)
    body = to_html(renderer, (places.root / source).read_text(encoding="utf-8"))
    title, *contents = renderer.headings
    return Page(
        address, plain(title[2]), body, _contents(contents), pictures=tuple(renderer.pictures)
    )


def card_page(places: Places, name: str) -> Page:
    """A specimen's card: what was measured, and each table of it as a figure."""
    from mi_tutor.show.specimen_card import card_figures
    from mi_tutor.specimens.cards import card
    from mi_tutor.specimens.cards.writing import as_markdown

    known = card(name)
    figures = card_figures(known)
    source, address = f"mi_tutor/specimens/shelf/{name}/card.md", f"specimens/{name}.html"
    markdown = as_markdown(known).replace(
        "too large for this page, see card.html", "in a picture below"
    )
    drawn = "".join(
        f"{figure_html(figure.to_plotly_json())}<details><summary>Description of this figure: "
        f"{html.escape(figure.heading)}</summary><p>{html.escape(figure.alt)}</p></details>"
        for figure in figures.values()
    )
    pictures = f"\n## Pictures\n\n{drawn}\n" if drawn else ""
    return Page(address, name, to_html(Renderer(places, source, address), markdown + pictures))


def readme_page(places: Places, address: str, title: str, *parts: str) -> Page:
    """A page of some sections of the README, below its own title. "" is what stands before the first section."""
    renderer = Renderer(places, "README.md", address)
    readme = (places.root / "README.md").read_text(encoding="utf-8")
    text = f"# {title}\n\n" + "\n\n".join(readme_section(readme, part) for part in parts)
    body = to_html(renderer, text)
    return Page(address, title, body, pictures=tuple(renderer.pictures))


def search_page() -> Page:
    """The page that shows what was found; its form is the one in each page's head."""
    body = (
        '<h1>Search</h1><p id="found" role="status" aria-live="polite">Write a word into the field above.</p>'
        '<ol id="hits"></ol><noscript><p>The search needs JavaScript.</p></noscript>'
    )
    return Page(SEARCH, "Search", body)


def readme_section(readme: str, heading: str) -> str:
    """A section of the README with its heading; without it for "", what stands below the title.

    >>> readme_section("# A\\n\\nwords\\n\\n## B\\n\\nmore\\n\\n## C\\n", "B")
    '## B\\n\\nmore'
    >>> readme_section("# A\\n\\nwords\\n\\n## B\\n", "")
    'words'

    Raises:
        ValueError: there is none.
    """
    for part in re.split(r"^(?=##? )", readme, flags=re.M):
        first, _, rest = part.partition("\n")
        if first.startswith("# ") and not heading:
            return rest.strip()
        if first == f"## {heading}":
            return part.strip()
    raise ValueError(f"README.md has no section {heading!r}, which the site shows")


def plain(text: str) -> str:
    """The words of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def _contents(headings: list[tuple[int, str, str]]) -> tuple[tuple[int, str, str], ...]:
    return tuple((level, mark, plain(text)) for level, mark, text in headings if level in (2, 3))


def chapter_stems(root: Path) -> list[str]:
    """The chapters, in order."""
    return [path.stem for path in sorted((root / "solutions").glob("[0-9][0-9]_*.ipynb"))]
