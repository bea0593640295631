"""Finding the chapters' notebooks, and the one that a name stands for."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from mi_tutor.cli.say import Trouble
from mi_tutor.folders import course_folder, current_workspace, notebooks_in

FIRST = "00_start_here.ipynb"


def chapters_folder() -> Path:
    """The folder of the notebooks to work in: of the workspace or the clone we stand in, else of the last
    workspace, else of the clone that is installed. What came with an installation is for nobody to write in.

    Raises:
        Trouble: there is no workspace yet.
    """
    here = Path.cwd()
    for root in (here, *here.parents):
        if notebooks_in(root / "chapters"):
            return root / "chapters"
    workspace, course = current_workspace(), course_folder()
    if workspace is not None:
        return workspace / "chapters"
    if course is not None and course.name != "course":
        return course / "chapters"
    raise Trouble("There is no workspace here. Make a folder of your own: mi-tutor start my-course")


def find_chapter(name: str | None) -> Path:
    """The notebook that "01", "1", "superposition", "01_superposition" or a path stands for; None: the first.

    Raises:
        Trouble: there is no such chapter; the message names the nearest one.
    """
    if name is not None and Path(name).suffix == ".ipynb" and Path(name).is_file():
        return Path(name).resolve()
    folder = chapters_folder()
    notebooks = {path.stem: path for path in notebooks_in(folder)}
    if name is None:
        return notebooks.get(Path(FIRST).stem, next(iter(notebooks.values())))
    wanted = Path(name).stem.lower().replace("-", "_").replace(" ", "_")
    if wanted.isdigit():
        wanted = wanted.zfill(2)
    names = {stem.lower(): stem for stem in notebooks}
    names |= {stem.lower().partition("_")[2]: stem for stem in notebooks}
    names |= {stem[:2]: stem for stem in notebooks}
    if wanted in names:
        return notebooks[names[wanted]]
    near = [] if wanted.isdigit() else difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    advice = f"Did you mean {names[near[0]]}?" if near else f"There are: {', '.join(notebooks)}."
    raise Trouble(f"There is no chapter {name!r}. {advice}")


def find_notebook(name: str) -> Path:
    """The notebook file `name`, or the chapter of that name.

    Raises:
        Trouble: there is none; the message names the nearest notebook.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise Trouble(f"{name} is a folder; give the name of a notebook in it.{_nearest(path, '')}")
    if path.suffix != ".ipynb" and re.fullmatch(r"[\w -]+", name):
        with_ending = path.with_suffix(".ipynb")
        return with_ending if with_ending.is_file() else find_chapter(name)
    raise Trouble(f"There is no file {name}.{_nearest(path.parent, path.name)}")


def _nearest(folder: Path, name: str) -> str:
    places = {
        path.name: path for place in (folder, folder / "chapters") for path in place.glob("*.ipynb")
    }
    near = difflib.get_close_matches(name, places, n=1, cutoff=0.5) if name else list(places)[:1]
    return f" Did you mean {places[near[0]]}?" if near else ""
