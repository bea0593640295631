"""Memory of a learner who presses Run again and again: each chapter's checks, many times in one process.

Each exercise's reference is its answer, each investigation's worked hypothesis. The first round opens specimens;
investigations draw anew each time and keep the last few draws, so that some rounds fill caches. From half-way on,
a round should add nothing. A process for each chapter:

    python benchmarks/memory.py                      # all chapters, 20 rounds: minutes each
    python benchmarks/memory.py 00 03 --rounds 5
    python benchmarks/memory.py 06 --no-investigations

`tests/teach/test_memory.py` holds two chapters to it. What running a whole chapter needs is in README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

MIB, GIB = 2**20, 2**30
LIMIT = 2 * GIB
GROWTH = 2.0  # MiB a round
HEAD = (
    "| chapter | checks | rounds | after the first | half-way | after the last | a round then adds | peak |",
    "|---|---|---|---|---|---|---|---|",
)


def right_answer(item: Any) -> Any:
    """What passes the check of an exercise or investigation."""
    from mi_tutor.teach.exercise import ValueExercise
    from mi_tutor.teach.investigation import Investigation

    if isinstance(item, Investigation):
        return item.styles[0].hypothesis()
    return item.expected() if isinstance(item, ValueExercise) else item.reference


def measure(chapter: str, rounds: int, investigations: bool) -> dict[str, float]:
    """Bytes of this process after the first round, half-way, after the last, and at most."""
    from mi_tutor import check
    from mi_tutor.peak import peak_bytes
    from mi_tutor.teach.investigation import Investigation
    from mi_tutor.teach.registry import exercises

    answers = {
        item.slug: right_answer(item)
        for item in exercises(chapter)
        if investigations or not isinstance(item, Investigation)
    }
    sizes = []
    for _ in range(rounds):
        with contextlib.redirect_stdout(io.StringIO()):
            for slug, answer in answers.items():
                check(slug, answer)
        sizes.append(resident())
    half = (rounds - 1) // 2
    return {
        "checks": len(answers),
        "first": sizes[0],
        "half": sizes[half],
        "last": sizes[-1],
        "growth": (sizes[-1] - sizes[half]) / MIB / max(rounds - 1 - half, 1),
        "peak": peak_bytes(),
    }


def resident() -> int:
    """Bytes that this process holds. What its allocator keeps of what was let go is given back first, on Linux."""
    import psutil

    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss


def row(chapter: str, rounds: int, seen: dict[str, float]) -> str:
    """A line of the table."""
    sizes = " | ".join(f"{seen[when] / GIB:.2f} GiB" for when in ("first", "half", "last"))
    return (
        f"| {chapter} | {seen['checks']} | {rounds} | {sizes} | {seen['growth']:+.1f} MiB | "
        f"{seen['peak'] / GIB:.2f} GiB |"
    )


def main() -> int:
    """Print the table. 1 if a chapter grows, or needs more than free Binder has."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--no-investigations", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure(asked.chapters[0], asked.rounds, not asked.no_investigations)))
        return 0
    from mi_tutor.subjects import SUBJECTS

    print(*HEAD, sep="\n", flush=True)
    failed = 0
    for chapter in asked.chapters or SUBJECTS:
        words = [sys.executable, __file__, chapter, "--here", f"--rounds={asked.rounds}"]
        words += ["--no-investigations"] if asked.no_investigations else []
        with tempfile.TemporaryDirectory() as home:  # nobody's progress
            environment = os.environ | {"MI_TUTOR_HOME": home}
            done = subprocess.run(
                words, stdout=subprocess.PIPE, text=True, check=True, env=environment
            )
        seen = json.loads(done.stdout.splitlines()[-1])
        print(row(chapter, asked.rounds, seen), flush=True)
        failed += seen["growth"] > GROWTH or seen["peak"] > LIMIT
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
