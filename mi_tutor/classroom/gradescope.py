"""A chapter's autograder for Gradescope: the zip an instructor uploads, and what runs there.

Gradescope's contract: `setup.sh` is run once, when the image is built, with the zip's files in /autograder/source;
`run_autograder` once for each submission in /autograder/submission; it writes /autograder/results/results.json.
A submission has a container of its own there. It is jailed all the same, since results.json is in there, too.
"""

from __future__ import annotations

import json
import secrets
import sys
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from mi_tutor.classroom.grader import Grader, Settings
from mi_tutor.classroom.marks import Graded, Status, points_as_written
from mi_tutor.classroom.workers import NoJail
from mi_tutor.folders import PACKAGE

ROOT = Path("/autograder")
LEFT_OUT = {
    "__pycache__",
    "course",
}  # of the package: in an installation `course` has the solutions
SETUP = """#!/usr/bin/env bash
# Runs once, when the image is built.
set -euo pipefail
apt-get update -y
for version in 3.14 3.13 3.12 3.11; do
    if apt-get install -y "python$version" "python$version-venv"; then break; fi
done
"python$version" -m venv /autograder/python
/autograder/python/bin/pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu
/autograder/python/bin/pip install --no-cache-dir -r /autograder/source/requirements.txt
"""
RUN = """#!/usr/bin/env bash
# Runs once for each submission.
cd /autograder/source
PYTHONPATH=/autograder/source /autograder/python/bin/python -m mi_tutor.classroom.gradescope
"""
SETTINGS = "settings.json"
ADVICE = (
    "On this machine of Gradescope's a submission could write its own results, so nothing was run. Export again "
    "with --trust-submissions if you accept that, or grade on a Linux machine with `mi-tutor grade`."
)


def export(chapter: Path, out: Path, trust: bool = False, draws: bytes | None = None) -> None:
    """Write the zip for one chapter's notebook. It has a secret of its own, and no solutions.

    draws: the secret of investigations' draws, which goes along.
    """
    settings = {"secret": secrets.token_hex(32), "jail": not trust}
    settings |= {"draws": draws.hex()} if draws else {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("setup.sh", SETUP), ("run_autograder", RUN)):
            script = zipfile.ZipInfo(name)
            script.external_attr = 0o755 << 16
            archive.writestr(script, text)
        archive.writestr("requirements.txt", "\n".join(requirements()) + "\n")
        archive.writestr(SETTINGS, json.dumps(settings))
        archive.write(chapter, f"chapters/{chapter.name}")
        for file in sorted(PACKAGE.rglob("*")):
            where = file.relative_to(PACKAGE)
            if file.is_file() and not LEFT_OUT & set(where.parts):
                archive.write(file, Path("mi_tutor", where))


def requirements() -> list[str]:
    """What the course needs beside torch, whose build is chosen by hand."""
    needed = metadata.requires("mi_tutor") or []
    return [text for text in needed if "extra ==" not in text and not text.startswith("torch>")]


def mark(root: Path = ROOT) -> Path:
    """Mark the submission that is there, and write its results.

    Raises:
        NoJail: nothing was run, and there are no results: Gradescope then tells the instructor.
    """
    settings = json.loads((root / "source" / SETTINGS).read_text("utf-8"))
    secret = settings["secret"].encode()
    draws = bytes.fromhex(settings.get("draws", "")) or None
    chapters = str(root / "source" / "chapters")
    grader = Grader(Settings(chapters, secret, settings["jail"], draws=draws))
    try:
        if settings["jail"]:
            grader.nursery.try_jail()
        files = sorted(
            (root / "submission").rglob("*.ipynb"), key=lambda file: file.stat().st_mtime
        )
        if files:
            graded = grader.grade(_learner(root / "submission_metadata.json"), files[-1])
        else:
            graded = Graded("", None, (), problem="No notebook (.ipynb) was handed in.")
    finally:
        grader.close()
    if len(files) > 1:
        graded = graded._replace(
            notes=(*graded.notes, f"Several notebooks: {files[-1].name} counts.")
        )
    out = root / "results" / "results.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results(graded), indent=1), encoding="utf-8")
    return out


def results(graded: Graded) -> dict[str, Any]:
    """What Gradescope shows: a line for each exercise, and hidden whatever was printed."""
    said = [text for text in (graded.problem, *graded.notes) if text]
    return {
        "score": points_as_written(graded.earned),
        "execution_time": round(graded.seconds),
        "output": _plain("\n".join(said)) or "Marked by mi_tutor.",
        "output_format": "text",
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "tests": list(_tests(graded)),
    }


def _tests(graded: Graded) -> Iterable[dict[str, Any]]:
    for number, each in enumerate(graded.marks, start=1):
        yield {
            "number": str(number),
            "name": _plain(each.title),
            "score": points_as_written(each.earned),
            "max_score": each.points,
            "status": "passed" if each.status is Status.PASSED else "failed",
            "output": _plain(each.sentence) or each.status.value,
            "output_format": "text",
            "tags": [each.kind],
            "visibility": "visible",
        }


def _plain(text: str) -> str:
    """Without the backticks of code: as text, since any other format would read what a learner wrote, too."""
    return text.replace("`", "")


def _learner(file: Path) -> str:
    """Whose submission it is: a group's first member. It decides on the hidden inputs, nothing else."""
    try:
        users = json.loads(file.read_text("utf-8"))["users"]
        return str(min(user["id"] for user in users))
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


if __name__ == "__main__":
    try:
        print(mark())
    except NoJail as error:
        sys.exit(f"{error} {ADVICE}")
