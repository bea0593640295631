"""`mi-tutor exam`: a notebook for each learner of a class."""

from __future__ import annotations

import json
from pathlib import Path

from mi_tutor.cli.chapters import find_chapter
from mi_tutor.cli.rules import read_names, read_secret
from mi_tutor.cli.say import Trouble, say


def write(chapter: str, learners: Path, secret: Path, out: Path) -> None:
    """Write the notebooks, and say which exercises have versions."""
    from mi_tutor.classroom.exam import personal, versions

    names = read_names(learners)
    notebook = find_chapter(chapter)
    blank = json.loads(notebook.read_text("utf-8"))
    slugs = versions(blank)
    if not slugs:
        raise Trouble(f"{notebook.name} has no exercise of which there are versions.")
    if out.exists() and any(out.iterdir()):
        raise Trouble(f"{out} is not empty: give another folder, so that nothing is overwritten.")
    key = read_secret(secret)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        made = personal(blank, name, key)
        file = out / f"{name}-{notebook.name}"
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"{len(names)} notebooks in {out}.", "good")
    say(f"Versions of their own: {', '.join(slugs)}.")
    say(f"Grade what comes back with: mi-tutor grade ... --exam --secret {secret}")
