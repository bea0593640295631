"""`mi-tutor site`: a web page of the course, for reading."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mi_tutor.cli.say import Trouble, say

MISSING = 'The web page needs a few more packages: pip install "mi_tutor[site]"'


def run(out: Path | None) -> None:
    """Write the site; by default into the clone's folder site/."""
    if find_spec("latex2mathml") is None or find_spec("nbconvert") is None:
        raise Trouble(MISSING)
    from mi_tutor.authoring.settings import find_project
    from mi_tutor.authoring.site.building import build_site

    try:
        project = find_project()
        folder = (out or project.root / "site").resolve()
        built = build_site(project.root, project.repository, folder)
    except OSError as error:
        raise Trouble(f"The site was not written: {error}") from None
    except ValueError as error:
        raise Trouble(str(error)) from None
    say(f"{built.pages} pages, {built.bytes / 1e6:.1f} MB. Open {folder / 'index.html'}", "good")
