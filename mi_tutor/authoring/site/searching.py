"""The index of the search: what each section of each page says, without code, figures and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bs4 import BeautifulSoup, NavigableString, Tag

_LEFT_OUT = "script, style, svg, pre, nav, .note, .mark, .answer, .quiz details, .plotly"
_HEADINGS = ("h1", "h2", "h3")


class Section(NamedTuple):
    """A piece of a page: its address, the page's title, its own heading, and its words."""

    address: str
    page: str
    heading: str
    text: str


def sections(address: str, title: str, body: str) -> Iterator[Section]:
    """The sections of a page; each begins with a heading.

    >>> list(sections("a.html", "A", '<h2 id="b">B</h2><p>some <b>words</b></p>'))
    [Section(address='a.html#b', page='A', heading='B', text='some words')]
    >>> next(sections("a.html", "A", "<p>with <math><mi>x</mi><mo>=</mo><mn>1</mn></math></p>")).text
    'with x=1'
    """
    soup = BeautifulSoup(body, "html.parser")
    for left_out in soup.select(_LEFT_OUT):
        left_out.decompose()
    for formula in soup.select("math"):  # its letters, in a row
        formula.replace_with(formula.get_text())
    mark, heading, words = "", title, []
    for node in soup.descendants:
        if isinstance(node, Tag) and node.name in _HEADINGS:
            yield from _section(address, mark, title, heading, words)
            mark, heading, words = str(node.get("id", "")), node.get_text(), []
        elif isinstance(node, NavigableString) and node.find_parent(_HEADINGS) is None:
            words.append(str(node))
    yield from _section(address, mark, title, heading, words)


def _section(
    address: str, mark: str, title: str, heading: str, words: list[str]
) -> Iterator[Section]:
    text = " ".join(" ".join(words).split())
    if text:
        yield Section(
            f"{address}#{mark}" if mark else address, title, " ".join(heading.split()), text
        )


def index_script(pages: Mapping[str, tuple[str, str]]) -> str:
    """A script that sets `SEARCH_INDEX`: a page opened from a file may not read data, but may load a script.

    pages: (title, HTML) by address.
    """
    found = [
        section
        for address, (title, body) in pages.items()
        for section in sections(address, title, body)
    ]
    return f"window.SEARCH_INDEX = {json.dumps(found, ensure_ascii=False, indent=0)};\n"
