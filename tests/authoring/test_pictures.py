"""A picture stands beside its figure, and is drawn again only for another figure."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mi_tutor.authoring import pictures
from mi_tutor.authoring.pictures import (
    FIGURE,
    PICTURE,
    Pictured,
    add_pictures,
    fingerprint,
    picture_file,
    pictures_at,
)
from mi_tutor.authoring.settings import find_project
from mi_tutor.files import notebook_text, read_notebook
from mi_tutor.show.still import can_draw, small, still_pictures

SOLUTIONS = find_project(Path(__file__).parent).source_dir


def figure(title: str) -> dict[str, Any]:
    return {"data": [{"type": "scatter", "y": [1, 2]}], "layout": {"title": {"text": title}}}


def executed(*titles: str) -> nbformat.NotebookNode:
    outputs = [new_output("display_data", {FIGURE: figure(title)}) for title in titles]
    return new_notebook(cells=[new_code_cell("show()", id="show", outputs=outputs)])


def drawing(asked: list[str]) -> pictures.Draw:
    def draw(figures: Any) -> list[bytes]:
        asked.extend(one["layout"]["title"]["text"] for one in figures)
        return [one["layout"]["title"]["text"].encode() for one in figures]

    return draw


def drawn(notebook: nbformat.NotebookNode) -> list[str | None]:
    found = [output.data.get(PICTURE) for output in notebook.cells[0].outputs]
    return [base64.b64decode(one).decode() if one else None for one in found]


def test_only_new_figures_are_drawn(tmp_path: Path) -> None:
    asked: list[str] = []
    path = tmp_path / "01_a.ipynb"
    path.write_text(notebook_text(executed("one", "two")))
    assert picture_file(path, drawing(asked)) == Pictured(0, 2, 0)
    assert drawn(read_notebook(path)) == ["one", "two"]
    again = executed("two", "three")
    assert add_pictures(again, pictures_at(path), drawing(asked)) == Pictured(1, 1, 0)
    assert drawn(again) == ["two", "three"] and asked == ["one", "two", "three"]
    assert picture_file(path, drawing(asked)) == Pictured(2, 0, 0) and len(asked) == 3


def test_without_a_browser_what_is_the_same_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "01_a.ipynb"
    path.write_text(notebook_text(executed("one", "two")))
    picture_file(path, drawing([]))
    again = executed("one", "other")
    assert add_pictures(again, pictures_at(path), None) == Pictured(1, 0, 1)
    assert drawn(again) == ["one", None]
    assert pictures_at(tmp_path / "none.ipynb") == {}


def test_a_picture_of_another_figure_goes() -> None:
    notebook = executed("one")
    add_pictures(notebook, {}, drawing([]))
    notebook.cells[0].outputs[0].data[FIGURE] = figure("other")
    add_pictures(notebook, {}, None)
    assert drawn(notebook) == [None] and not notebook.cells[0].outputs[0].metadata


def test_too_much_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"have 1\.3 MB, more than 1"):
        add_pictures(executed("one"), {}, lambda figures: [b"0" * 1_000_000])


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_courses_pictures_are_of_their_figures(path: Path) -> None:
    """All figures of a notebook have one, or none has: then `mi-tutor build --pictures` was never run on it."""
    notebook = read_notebook(path)
    figures = [output for output in pictures._figures(notebook) if output]
    with_one = [output for output in figures if PICTURE in output.data]
    assert len(with_one) in (0, len(figures))
    for output in with_one:
        assert output.metadata["mi_tutor"]["picture_of"] == fingerprint(output.data[FIGURE])
    assert sum(len(output.data[PICTURE]) for output in with_one) <= pictures.MOST_BYTES


@pytest.mark.slow
@pytest.mark.skipif(not can_draw(), reason="the extra `pictures` is not installed")
def test_a_real_picture() -> None:
    (png,) = still_pictures([figure("one")])
    assert png.startswith(b"\x89PNG") and 1_000 < len(png) < 40_000


@pytest.mark.skipif(not can_draw(), reason="the extra `pictures` is not installed")
def test_a_small_mark_keeps_its_colour() -> None:
    """Among many shades that are more frequent."""
    from PIL import Image

    picture, pink = Image.new("RGB", (256, 256)), (0xCC, 0x79, 0xA7)
    picture.putdata([(x, y, 255 - x) for x in range(256) for y in range(256)])
    picture.paste(pink, (10, 10, 14, 14))
    made = io.BytesIO()
    picture.save(made, "PNG")
    seen = Image.open(io.BytesIO(small(made.getvalue()))).convert("RGB").getpixel((12, 12))
    assert max(abs(a - b) for a, b in zip(seen, pink, strict=True)) < 24
