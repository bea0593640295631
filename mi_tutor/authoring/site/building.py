"""Writing the site: every page, the pictures, the scripts, the index of the search."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader

from mi_tutor.authoring.site import pages as made
from mi_tutor.authoring.site.figures import FIGURES
from mi_tutor.authoring.site.pages import Page
from mi_tutor.authoring.site.places import Places, course_places, relative
from mi_tutor.authoring.site.searching import index_script
from mi_tutor.authoring.site.texts import PICTURES

COURSE = "mi_tutor"
MARK = ".made-by-mi-tutor-site"  # in a folder that may be replaced
_HERE = Path(__file__).parent
_PARTS = (
    ("Chapters", "index.html#chapters"),
    ("Models", made.SPECIMENS),
    ("Teaching", made.TEACHING),
)


class Built(NamedTuple):
    """How many pages there are, and the bytes of everything."""

    pages: int
    bytes: int


def build_site(root: Path, repository: str, out: Path) -> Built:
    """Write the site of the course into a folder, which is replaced.

    Raises:
        ValueError: the folder has something else in it, or something cannot be shown.
        OSError: it cannot be written.
    """
    if out.exists() and not (out / MARK).exists() and any(out.iterdir()):
        raise ValueError(
            f"{out} has something in it that is no site of the course; name another folder"
        )
    places = course_places(root, repository)
    every = all_pages(places)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(_HERE / "assets", fresh / "assets")
    (fresh / MARK).touch()
    _write_scripts(fresh, every)
    _write_pages(fresh, every, repository)
    _write_pictures(fresh, every, root)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return Built(len(every), sum(path.stat().st_size for path in out.rglob("*") if path.is_file()))


def all_pages(places: Places) -> list[Page]:
    """Every page, the index first, and then the chapters in order."""
    from mi_tutor.specimens.opening.shelf import shelf_names

    teaching = [source for source in places.pages if source.startswith("docs/teaching/")]
    guides = [made.text_page(places, source) for source in teaching]
    return [
        made.readme_page(places, "index.html", COURSE, "", "Chapters", "Start"),
        *(made.chapter_page(places, stem) for stem in made.chapter_stems(places.root)),
        made.readme_page(places, made.SPECIMENS, "Models and dictionaries", "The models"),
        *(made.card_page(places, name) for name in shelf_names()),
        _with_list(made.readme_page(places, made.TEACHING, "Teaching", "For instructors"), guides),
        *guides,
        made.search_page(),
    ]


def _with_list(page: Page, others: list[Page]) -> Page:
    items = "".join(
        f'<li><a href="{relative(other.address, page.address)}">{other.title}</a></li>'
        for other in others
    )
    return page._replace(body=f'{page.body}<h2 id="guides">Guides</h2><ul>{items}</ul>')


def _write_scripts(fresh: Path, every: list[Page]) -> None:
    from mi_tutor.show.still import plotly_script

    (fresh / "assets" / "plotly.min.js").write_text(plotly_script(), encoding="utf-8")
    index = index_script({p.address: (p.title, p.body) for p in every if p.address != made.SEARCH})
    (fresh / "assets" / "search-index.js").write_text(index, encoding="utf-8")


def _write_pages(fresh: Path, every: list[Page], repository: str) -> None:
    layout = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True
    ).get_template("page.jinja")
    chapters = [page for page in every if page.address.startswith("chapters/")]
    for page in every:
        at = chapters.index(page) if page in chapters else None
        text = layout.render(
            course=COURSE,
            parts=_PARTS,
            here=page.address,
            title=page.title,
            body=page.body,
            contents=page.contents,
            to=partial(relative_address, page=page.address),
            searches=page.address == made.SEARCH,
            repository=repository,
            before=_turn(chapters, at, -1),
            after=_turn(chapters, at, 1),
        )
        path = fresh / page.address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def relative_address(address: str, page: str) -> str:
    """As `relative`, for an address that may name a place in its page."""
    path, mark, anchor = address.partition("#")
    return relative(path, page) + mark + anchor


def _turn(chapters: list[Page], at: int | None, step: int) -> tuple[str, str] | None:
    if at is None or not 0 <= at + step < len(chapters):
        return None
    page = chapters[at + step]
    return page.title, page.address


def _write_pictures(fresh: Path, every: list[Page], root: Path) -> None:
    for folder in (FIGURES, PICTURES):
        (fresh / folder).mkdir()
    for page in every:
        for picture in page.stills:
            (fresh / FIGURES / picture.name).write_bytes(picture.png)
        for file in page.pictures:
            shutil.copy(root / file, fresh / PICTURES / Path(file).name)
