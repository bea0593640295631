"""Does a right answer fail by lot? Each investigation's own worked hypotheses on many draws.

A check draws afresh at each try, and a grader draws once. What is right should pass whatever is drawn:

    python benchmarks/draws.py                 # all investigations, 20 draws: half an hour
    python benchmarks/draws.py 06 --draws 50
    python benchmarks/draws.py roles           # or one, by its slug

A hypothesis that is said to reach a level should reach it nearly always; one that fails shows on which draws.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

HEAD = (
    "| investigation | hypothesis | said to be | draws | passed | reached it | lowest score |",
    "|---" * 7 + "|",
)


def rows(wanted: str, draws: range) -> Iterator[str]:
    """A line for each worked hypothesis of the investigations of a chapter, or of one."""
    from mi_tutor.teach.investigating import investigate
    from mi_tutor.teach.investigation import LEVELS, Investigation
    from mi_tutor.teach.registry import exercises

    for item in exercises():
        if not isinstance(item, Investigation) or wanted not in ("", item.chapter, item.slug):
            continue
        for style in item.styles:
            hypothesis = style.hypothesis()
            judged = {draw: investigate(item, hypothesis, draw) for draw in draws}
            least = LEVELS.index(style.level)
            reached = sum(LEVELS.index(one.level) >= least for one in judged.values())
            failed = [draw for draw, one in judged.items() if not one.passed]
            passed = f"{len(draws) - len(failed)}" + (f" (not {failed})" if failed else "")
            lowest = min(one.findings.score if one.findings else 0.0 for one in judged.values())
            shown = (
                item.slug,
                style.name,
                style.level,
                len(draws),
                passed,
                reached,
                f"{lowest:.2f}",
            )
            yield f"| {' | '.join(map(str, shown))} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Each investigation's own hypotheses on many draws."
    )
    parser.add_argument("wanted", nargs="?", default="", help="a chapter's number, or a slug")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    print(*HEAD, sep="\n")
    for line in rows(asked.wanted, range(asked.first, asked.first + asked.draws)):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
