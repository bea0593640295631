"""Which file of the repository becomes which page, and where a link in one leads from another."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)  # https:, mailto:, ...


class Places(NamedTuple):
    """Pages by the file that they are made of, both as paths with slashes from their own root.

    repository: "owner/name" on GitHub, or empty: then a link to a file that is no page becomes plain words.
    """

    pages: Mapping[str, str]
    root: Path
    repository: str = ""

    def target(self, href: str, source: str, page: str) -> str | None:
        """Where a link goes that stands in the file `source`, on its `page`; None if it leads nowhere.

        >>> places = Places({"README.md": "index.html", "docs/a.md": "teaching/a.html"}, Path())
        >>> places.target("../README.md#start", "docs/a.md", "teaching/a.html")
        '../index.html#start'
        >>> places.target("https://arxiv.org", "docs/a.md", "teaching/a.html")
        'https://arxiv.org'
        >>> places.target("b.md", "docs/a.md", "teaching/a.html") is None
        True
        """
        if _ELSEWHERE.match(href) or href.startswith("#"):
            return href
        path, mark, anchor = href.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if file in self.pages:
            return relative(self.pages[file], page) + mark + anchor
        if self.repository and (self.root / file).exists():
            return f"https://github.com/{self.repository}/blob/main/{file}"
        return None


def relative(target: str, page: str) -> str:
    """A page's address as seen from another one: works from a file and under any path.

    >>> relative("index.html", "chapters/01.html")
    '../index.html'
    """
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def course_places(root: Path, repository: str) -> Places:
    """The pages of the course."""
    from mi_tutor.specimens.opening.shelf import shelf_names

    pages = {"README.md": "index.html"}
    for path in sorted((root / "solutions").glob("[0-9][0-9]_*.ipynb")):
        for folder in ("chapters", "solutions"):
            pages[f"{folder}/{path.name}"] = f"chapters/{path.stem}.html"
    for name in shelf_names():
        for suffix in ("md", "html"):
            shelf = f"mi_tutor/specimens/shelf/{name}"
            pages[f"{shelf}/card.{suffix}"] = f"specimens/{name}.html"
    for path in sorted((root / "docs" / "teaching").glob("*.md")):
        pages[f"docs/teaching/{path.name}"] = f"teaching/{path.stem}.html"
    return Places(pages, root, repository)
