"""Pages: for each learner what became of their answers, for the instructor what became of all."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from mi_tutor.classroom.gradebook import Row
from mi_tutor.classroom.marks import Mark, Status

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1b1b; background: #fff }}
h1 {{ font-size: 1.5rem }} h2 {{ font-size: 1.2rem; margin-top: 2rem }} h3 {{ font-size: 1rem; margin-bottom: 0 }}
table {{ border-collapse: collapse }}
td, th {{ text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top }}
p, li {{ overflow-wrap: anywhere }} code {{ font-size: .95em; background: #f2f2f2 }} .faint {{ color: #555 }}
</style></head><body>
{body}
</body></html>
"""
_SIGN = {Status.PASSED: "✓ right", Status.WRONG: "✗ not right", Status.UNANSWERED: "· not answered",
         Status.STOPPED: "✗ stopped", Status.MISSING: "· not in the notebook"}  # fmt: skip
_CODE = re.compile(r"`([^`\n]+)`")
_NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'"
_OWN_SCRIPTS = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)


def page_name(row: Row) -> str:
    """A file's name that is safe everywhere and nobody else's, whatever the learner is called."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", row.name)[:40].strip("-") or "learner"
    own = hashlib.blake2b(
        f"{row.name}\n{row.chapter}".encode("utf-8", "surrogatepass"), digest_size=5
    )
    return f"{plain}-{own.hexdigest()}.html"


def write_feedback(folder: Path, rows: Sequence[Row], hints: dict[str, Sequence[str]]) -> None:
    """A page per learner and chapter."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    for row in rows:
        page = _page(f"{row.name}, chapter {row.chapter}", _feedback(row, hints), _NO_SCRIPTS)
        (folder / page_name(row)).write_text(page, encoding="utf-8", errors="replace")


def _page(title: str, body: str, policy: str) -> str:
    return _PAGE.format(title=escape(title), body=body, policy=policy)


def _prose(text: str) -> str:
    """A sentence as HTML, with its code as code: backticks are how courses and checks write it.

    >>> _prose("`x < 1` is not what was asked")
    '<code>x &lt; 1</code> is not what was asked'
    """
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _feedback(row: Row, hints: dict[str, Sequence[str]]) -> str:
    graded = row.graded
    parts = [f"<h1>{escape(row.name)}</h1>"]
    if graded.problem:
        file = f"<p>{escape(row.file)}</p>" if row.file else ""
        return "\n".join([*parts, file, f"<p>{_prose(graded.problem)}</p>"])
    late = f", {row.days} days late: {row.score:g} count" if row.share < 1 else ""
    parts.append(
        f"<p>Chapter {escape(row.chapter)}: {graded.earned:g} of {graded.points} points{late}.</p>"
    )
    parts += [f'<p class="faint">Note: {_prose(note)}</p>' for note in graded.notes]
    for kind in ("exercise", "investigation", "quick check"):
        marks = [mark for mark in graded.marks if mark.kind == kind]
        if marks:
            parts.append(f"<h2>{kind.capitalize()}s</h2>")
            parts += [_one(mark, hints.get(mark.slug, ())) for mark in marks]
    return "\n".join(parts)


def _one(mark: Mark, hints: Sequence[str]) -> str:
    cases = f", {mark.right} of {mark.cases} cases" if mark.cases > 1 else ""
    sign = "✎ changed by hand" if mark.by_hand else _SIGN[mark.status]
    lines = [
        f"<h3>{_prose(mark.title)}</h3>",
        f'<p>{sign}, {mark.earned:g} of {mark.points} points<span class="faint">{cases}</span></p>',
    ]
    if mark.by_hand:
        lines.append(f"<p>It was {mark.before:g} points before: {_prose(mark.by_hand)}</p>")
    if mark.sentence:
        lines.append(f"<p>{_prose(mark.sentence)}</p>")
    if hints and not mark.whole and mark.status in (Status.WRONG, Status.STOPPED):
        items = "".join(f"<li>{_prose(hint)}</li>" for hint in hints)
        lines.append(f"<details><summary>Hints</summary><ol>{items}</ol></details>")
    return "\n".join(lines)


def write_summary(path: Path, rows: Sequence[Row], said: Sequence[str] = ()) -> None:
    """What an instructor wants to see first: how it went, what was hard, what went wrong, what to look at.

    said: what else is to be told, such as changes by hand that change nothing.
    """
    good = [row for row in rows if not row.graded.problem]
    parts = [
        "<h1>How it went</h1>",
        f"<p>{len(rows)} submissions, {len(rows) - len(good)} of them unread.</p>",
    ]
    if good:
        parts += _figures(good)
        parts += ["<h2>Every exercise</h2>", _attempts_table(good)]
        parts += ["<h2>The commonest mistakes</h2>", _mistakes(good)]
    flagged = [(row, mark) for row in good for mark in row.graded.marks if mark.flags]
    parts.append("<h2>To look at</h2>")
    parts.append("<p>Flags cost nothing by themselves: they are for a person.</p>")
    parts.append(_table(["learner", "exercise", "flag"], [
        [row.name, mark.slug, "; ".join(mark.flags)] for row, mark in flagged]))  # fmt: skip
    parts += [f"<p>{_prose(each)}</p>" for each in said]
    changed = [(row, mark) for row in good for mark in row.graded.marks if mark.by_hand]
    if changed:
        parts.append(_table(["learner", "changed by hand", "from", "to", "reason"], [
            [row.name, mark.slug, f"{mark.before:g}", f"{mark.earned:g}", mark.by_hand]
            for row, mark in changed]))  # fmt: skip
    notes = [[row.name, note] for row in rows for note in (row.graded.problem, *row.graded.notes)]
    parts.append(_table(["learner", "note"], [line for line in notes if line[1]]))
    parts += ["<h2>Answers that are alike</h2>", _alike(good)]
    path.write_text(
        _page("Summary", "\n".join(parts), _OWN_SCRIPTS), encoding="utf-8", errors="replace"
    )


def _figures(rows: Sequence[Row]) -> list[str]:
    from mi_tutor.show.bars import bars

    shares = [row.score / row.graded.points if row.graded.points else 0.0 for row in rows]
    tenths = Counter(min(9, int(10 * share)) for share in shares)
    spread = {f"{10 * tenth} to {10 * tenth + 10} %": tenths[tenth] for tenth in range(10)}
    found = [bars(spread, title="Points", x_title="share of the points", y_title="learners")]
    hardest = [(slug, of) for slug, of in _attempts(rows) if of.tried][:12]
    if hardest:
        rates = {slug: 100 * of.passed / of.tried for slug, of in hardest}
        y_title = "passed by, % of those who tried"
        found.append(bars(rates, title="Hardest first", x_title="exercise", y_title=y_title))
    return [
        f'<figure role="img" aria-label="{escape(figure.alt)}">'
        f"{figure.to_html(full_html=False, include_plotlyjs=number == 0, div_id=f'figure-{number}')}"
        f"<figcaption>{escape(figure.alt)}</figcaption></figure>"
        for number, figure in enumerate(found)
    ]


class _Attempts(NamedTuple):
    """How many learners passed an exercise, tried it without passing, and did not try it."""

    passed: int = 0
    failed: int = 0
    untried: int = 0

    @property
    def tried(self) -> int:
        return self.passed + self.failed


def _attempts(rows: Sequence[Row]) -> list[tuple[str, _Attempts]]:
    """Of every exercise, hardest first by those who tried; last what nobody tried, of which nothing is known."""
    found: dict[str, Counter[str]] = {}
    for mark in (mark for row in rows for mark in row.graded.marks):
        became = "passed" if mark.whole else "failed" if mark.tried else "untried"
        found.setdefault(mark.slug, Counter())[became] += 1
    each = [(slug, _Attempts(**counts)) for slug, counts in found.items()]
    return sorted(each, key=lambda one: one[1].passed / one[1].tried if one[1].tried else 2.0)


def _attempts_table(rows: Sequence[Row]) -> str:
    heads = ["exercise", "passed", "tried, not passed", "not tried"]
    return _table(heads, [[slug, *map(str, of)] for slug, of in _attempts(rows)])


def _mistakes(rows: Sequence[Row]) -> str:
    made = Counter(
        (mark.slug, mark.mistake) for row in rows for mark in row.graded.marks if mark.mistake
    )
    return _table(
        ["exercise", "mistake", "learners"],
        [[slug, name, str(count)] for (slug, name), count in made.most_common(15)],
    )


def _alike(rows: Sequence[Row]) -> str:
    from mi_tutor.classroom.alike import pairs

    found = pairs([(row.name, row.graded.prints) for row in rows])
    lines = [[one, other, ", ".join(slugs)] for one, other, slugs in found[:50]]
    return _table(["learner", "learner", "the same but for names"], lines)


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    if not lines:
        return '<p class="faint">None.</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_prose(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
