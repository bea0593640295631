"""The web page, built whole: links lead somewhere, answers are behind a click, nothing comes from elsewhere."""

from __future__ import annotations

import copy
import itertools
import json
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("latex2mathml", reason="make site needs it: pip install mi_tutor[site]")
from bs4 import BeautifulSoup

from mi_tutor.authoring.site.building import MARK, build_site
from mi_tutor.authoring.site.formulas import mathml
from mi_tutor.authoring.site.places import Places
from mi_tutor.authoring.site.texts import Renderer, to_html
from mi_tutor.teach.registry import quizzes

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("a folder") / "site"
    build_site(ROOT, "", out)
    return out


@pytest.fixture(scope="module")
def pages(site) -> dict[str, BeautifulSoup]:
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in site.rglob("*.html")
    }


def chapters() -> list[str]:
    return [path.stem for path in sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))]


def test_every_chapter_card_and_teaching_page_is_there_and_can_be_reached(pages):
    reached, todo = set(), ["index.html"]
    while todo:
        page = todo.pop()
        reached.add(page)
        for link in pages[page].select("a[href]"):
            to = posixpath.normpath(
                posixpath.join(posixpath.dirname(page), link["href"].split("#")[0])
            )
            todo += [to] if to in pages and to not in reached | set(todo) else []
    cards = {
        f"specimens/{p.parent.name}.html" for p in ROOT.glob("mi_tutor/specimens/shelf/*/card.json")
    }
    guides = {f"teaching/{p.stem}.html" for p in ROOT.glob("docs/teaching/*.md")}
    assert {f"chapters/{stem}.html" for stem in chapters()} | guides <= reached
    assert cards <= set(pages)


def test_every_address_is_relative_and_leads_to_something(site, pages):
    for page, soup in pages.items():
        for node in soup.select("[href], [src]"):
            address = node.get("href") or node.get("src")
            if address.startswith("data:"):
                continue
            if re.match(r"[a-z]+:|//", address):
                assert node.name == "a", f"{page} loads {address}"
                continue
            assert not address.startswith("/"), f"{page}: {address}"
            path, _, anchor = unquote(address).partition("#")
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
            )
            assert (site / target).is_file(), f"{page}: {address}"
            if anchor and target in pages:
                assert pages[target].find(id=anchor), f"{page}: {address}"


def test_ids_are_unique_and_pictures_have_words(pages):
    for page, soup in pages.items():
        ids = [node["id"] for node in soup.select("[id]") if node.find_parent("svg") is None]
        assert len(ids) == len(set(ids)), page
        assert all(node.get("alt") for node in soup.select("img")), page
        assert all(node.get("aria-label") for node in soup.select("figure, svg[role=img]")), page


WRITTEN = re.compile(
    r"\*\*\S|\$[^\d\s]|\]\(|^\s*#{1,6} |<!--|\\[a-zA-Z]{2,}|`|&[a-z]+;|^\s*\|.*\|\s*$|^:::", re.M
)


def test_nothing_stands_as_it_was_written(pages):
    """Markdown, LaTeX and HTML are read: nothing of them is left in the words of a page, nor in a formula."""
    for page, soup in pages.items():
        words = copy.copy(soup)
        for node in words.select("script, style, pre, code"):
            node.extract()
        left = WRITTEN.search(words.get_text("\n"))
        assert left is None, (
            f"{page}: {left[0]!r} in {left.string[left.start() - 40 : left.end() + 40]!r}"
        )
        assert not soup.select("merror"), page
        assert all(table.find_parent(class_="wide") for table in soup.select("table")), page
        levels = [int(heading.name[1]) for heading in soup.select("h1, h2, h3, h4, h5, h6")]
        assert levels.count(1) == 1, page
        assert all(below <= above + 1 for above, below in itertools.pairwise(levels)), page


@pytest.mark.parametrize("stem", chapters())
def test_a_chapter_has_all_figures_and_its_answers_behind_a_click(pages, stem):
    soup = pages[f"chapters/{stem}.html"]
    notebook = json.loads((ROOT / "solutions" / f"{stem}.ipynb").read_text("utf-8"))
    figures = sum(
        "application/vnd.plotly.v1+json" in output.get("data", {})
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    )
    drawn = soup.select("figure.plotly script")
    assert len(drawn) == figures
    assert all({"data", "layout"} <= json.loads(node.string).keys() for node in drawn)
    stubs = soup.find_all(string=re.compile("your code here"))
    assert all(node.find_parent("details") is None for node in stubs)
    for node in soup.find_all(string=re.compile(": passed$")):
        assert node.find_parent("details", class_="answer"), node
    for item in quizzes(stem[:2]):
        asked = soup.find(id=f"quiz-{item.slug}")
        verdicts = asked.select("p.right, p.wrong")
        assert len(verdicts) >= len(item.options)
        assert all(node.find_parent("details") for node in verdicts)


def test_the_index_of_the_search_knows_the_chapters_and_no_answers(site, pages):
    text = (site / "assets" / "search-index.js").read_text("utf-8")
    index = json.loads(text.removeprefix("window.SEARCH_INDEX = ").rstrip(";\n"))
    addresses = {section[0].partition("#")[0] for section in index}
    assert {f"chapters/{stem}.html" for stem in chapters()} <= addresses
    said = " ".join(section[3] for section in index)
    for item in quizzes():
        assert all(" ".join(option.feedback.split()) not in said for option in item.options)
    for address, *_ in index:
        page, _, anchor = address.partition("#")
        assert not anchor or pages[page].find(id=anchor), address


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="name another folder"):
        build_site(ROOT, "", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert MARK.startswith(".")


def test_a_formula_that_would_stand_as_it_is_written_is_an_error():
    with pytest.raises(ValueError, match="nosuch"):
        mathml(r"\nosuch{x}")


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("", 'see the map and <a href="teaching/a.html">this</a>'),
        (
            "an/owner",
            'see <a href="https://github.com/an/owner/blob/main/docs/map.md">the map</a> and '
            '<a href="teaching/a.html">this</a>',
        ),
    ],
)
def test_a_file_that_is_no_page_is_a_link_only_where_the_repository_is_known(
    tmp_path, repository, expected
):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "map.md").touch()
    places = Places({"docs/teaching/a.md": "teaching/a.html"}, tmp_path, repository)
    text = "see [the map](docs/map.md) and [this](docs/teaching/a.md)"
    assert expected in to_html(Renderer(places, "README.md", "index.html"), text)


def test_a_badge_becomes_words_so_that_no_page_asks_another_server_for_it():
    text = "[![Open in Colab](https://colab.research.google.com/badge.svg)](https://colab.research.google.com/x)"
    made = to_html(Renderer(Places({}, ROOT), "solutions/a.ipynb", "chapters/a.html"), text)
    assert "img" not in made
    assert '<a href="https://colab.research.google.com/x">Open in Colab</a>' in made
