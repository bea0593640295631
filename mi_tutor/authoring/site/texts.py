"""Markdown to HTML: nbconvert's reading of it, with formulas as MathML and links to pages of the site."""

from __future__ import annotations

import html
import posixpath
import re
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from mi_tutor.authoring.site.formulas import mathml
from mi_tutor.authoring.site.places import Places, relative

PICTURES = "pictures"  # the site's folder for pictures of Markdown files


class Renderer(IPythonRenderer):
    """What is written in one file, for its page.

    headings: (level, id, HTML) of every heading so far.
    pictures: files of the repository that the page shows.
    """

    def __init__(self, places: Places, source: str, page: str) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.places, self.source, self.page = places, source, page
        self.headings: list[tuple[int, str, str]] = []
        self.pictures: list[str] = []

    def heading(self, text: str, level: int, **_: Any) -> str:
        mark = self._new_id(text)
        self.headings.append((level, mark, text))
        return (
            f'<h{level} id="{mark}"><a class="mark" href="#{mark}" aria-label="Link to this section">'
            f"#</a>{text}</h{level}>\n"
        )

    def link(self, text: str, url: str, title: str | None = None) -> str:
        to = self.places.target(url, self.source, self.page)
        return text if to is None else f'<a href="{html.escape(to)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture of the repository; one that is elsewhere (a badge) is left to its words."""
        words = html.escape(html.unescape(text))  # mistune has escaped some of it
        file = posixpath.normpath(posixpath.join(posixpath.dirname(self.source), url))
        if not (self.places.root / file).is_file():
            return words
        self.pictures.append(file)
        here = relative(f"{PICTURES}/{posixpath.basename(file)}", self.page)
        return f'<img src="{html.escape(here)}" alt="{words}" loading="lazy">'

    def block_code(self, code: str, info: str | None = None) -> str:
        plain = (info or "").split()[:1] not in (["python"], ["py"])
        return f"<pre>{html.escape(code)}</pre>\n" if plain else python(code)

    def table(self, text: str) -> str:
        return f'<div class="wide"><table>\n{text}</table></div>\n'

    def block_math(self, body: str) -> str:
        return f'<div class="formula wide">{mathml(body, block=True)}</div>'

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def _new_id(self, text: str) -> str:
        words = re.findall(r"\w+", html.unescape(re.sub(r"<[^>]+>", "", text)).lower())
        mark, n = "-".join(words) or "section", 2
        taken = {known for _, known, _ in self.headings}
        while mark in taken:
            mark, n = f"{'-'.join(words)}-{n}", n + 1
        return mark


def to_html(renderer: Renderer, markdown: str) -> str:
    """A text as HTML."""
    made = MarkdownWithMath(renderer=renderer).render(markdown)
    return re.sub(r'<p>(<div class="formula wide">.*?</div>)</p>', r"\1", made, flags=re.S)


def python(code: str) -> str:
    """Python code with its words marked for the style sheet."""
    marked = highlight(code.rstrip("\n"), PythonLexer(), HtmlFormatter(nowrap=True))
    return f'<pre class="code">{marked.rstrip()}</pre>\n'


def inline(text: str) -> str:
    """A sentence with `code` between backticks, as quick checks have it."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
