"""The page to hand in: what it says, as Markdown and as HTML that asks nothing of the network."""

import re
from types import SimpleNamespace

from mi_tutor.teach.progress import record, summary
from mi_tutor.teach.progress_store import read
from mi_tutor.teach.transcript import as_html, as_markdown, rows

EXERCISES = [
    SimpleNamespace(slug="a", chapter="01", title="One | <two>", points=2, minutes=5),
    SimpleNamespace(slug="b", chapter="01", title="Half", points=6, minutes=5),
    SimpleNamespace(slug="c", chapter="02", title="None", points=1, minutes=5),
]
QUIZZES = [SimpleNamespace(slug="q", chapter="01", points=1)]


def page(make):
    record("a", False)
    record("a", True)
    record("b", False, points=3)
    return make(
        "Ann <b>",
        "2030-05-01",
        summary(EXERCISES, QUIZZES),
        rows([*EXERCISES, *QUIZZES], read().events),
    )


def test_markdown():
    text = page(as_markdown)
    day = read().events[0].time[:10]
    assert "1 of 3 exercises and 0 of 1 quick checks passed, 5 of 10 points." in text
    assert f"| One \\| <two> | passed | 2 of 2 | {day} |" in text
    assert "| Half | not yet | 3 of 6 |  |" in text
    assert "| Quick check: q | not yet | 0 of 1 |  |" in text
    assert text.index("## Chapter 01") < text.index("Half") < text.index("## Chapter 02")


def test_html():
    text = page(as_html)
    assert "Ann &lt;b&gt;" in text and "<two>" not in text and "5 of 10 points" in text
    assert not re.search(r"(src|href)=|url\(|@import|<script", text)
    assert text.count("<tr>") == text.count("</tr>") == 6
