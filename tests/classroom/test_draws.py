"""Investigations marked on draws that only a grader's secret tells: the same again, others by another secret."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from here import Here

from mi_tutor.classroom import grader as grading
from mi_tutor.classroom import gradescope, judge, whole_class
from mi_tutor.classroom.judge import DRAWN, OWN_DRAW
from mi_tutor.classroom.marks import Status
from mi_tutor.classroom.truth import Truth
from mi_tutor.classroom.whole_class import Options, grade_class
from mi_tutor.cli import main
from mi_tutor.teach.draws import TRIES, candidates, graders_draw
from mi_tutor.teach.investigation import GRADERS_FIRST, Findings, Worked
from mi_tutor.teach.registry import get

SLUG = "predict-the-fate"
WORDS, OTHER = b"words that nobody says", b"other words than these"
HYPOTHESIS = "fates = 'mine'"


@pytest.fixture
def item(monkeypatch):
    """An investigation of the course whose experiment is a lottery: ours always passes, others on lucky draws."""
    tried: list[int] = []

    def experiment(said, draw):
        tried.append(draw)
        return Findings(1.0 if said == "ours" or draw in made.lucky else 0.0, ())

    made = SimpleNamespace(tried=tried, lucky=set())
    made.item = replace(
        get(SLUG), read=str, experiment=experiment, mistakes=(),
        styles=(Worked(name="ours", hypothesis=lambda: "ours", level="excellent"),),
    )  # fmt: skip
    monkeypatch.setattr(judge, "get", lambda slug: made.item if slug == SLUG else get(slug))
    return made


def test_a_secret_gives_the_same_draw_to_everybody_and_another_gives_another(item):
    draws = [
        Truth(b"of one class", WORDS).draw(item.item),
        Truth(b"of another", WORDS).draw(item.item),
    ]
    assert draws[0] == draws[1] >= GRADERS_FIRST
    assert Truth(b"of one class", OTHER).draw(item.item) != draws[0]
    assert next(candidates(WORDS, "another-one")) != next(candidates(WORDS, SLUG))


def test_without_a_secret_it_is_the_notebooks_first(item):
    assert Truth(b"of one class").draw(item.item) == graders_draw(item.item, None) == 0
    assert item.tried == []  # and nothing is tried for it


def test_a_draw_on_which_our_own_best_answer_falls_is_not_used(item):
    first, second, *_ = candidates(WORDS, SLUG)
    unlucky = {first}
    fair = replace(
        item.item, experiment=lambda said, draw: Findings(float(draw not in unlucky), ())
    )
    assert graders_draw(fair, WORDS) == second
    unlucky |= set(candidates(WORDS, SLUG))
    assert graders_draw(fair, WORDS) == 0 and len(unlucky) == TRIES


def test_an_audits_best_report_is_not_installed(item):
    """Without it the first draw is taken: of all the others nobody could say more."""

    def missing():
        raise FileNotFoundError("solutions/audits.py is not part of this installation.")

    audit = replace(item.item, styles=(replace(item.item.styles[0], hypothesis=missing),))
    assert graders_draw(audit, WORDS) == next(candidates(WORDS, SLUG))


@pytest.fixture
def marked(grader, small, item, monkeypatch):
    """The mark of a hypothesis, in a class that was started with a secret or without one."""
    cells = [
        small.code(HYPOTHESIS, SLUG, "exercise"), small.code(f'check("{SLUG}", fates)', SLUG, "check"),
    ]  # fmt: skip
    file = small.folder / "01_small.ipynb"
    before = file.read_text()
    blank = [small.code("fates = ...", SLUG, "exercise"), cells[1]]
    file.write_text(json.dumps(small.notebook(*blank)))
    monkeypatch.setattr(grader, "_chapters", {})
    path = small.submit(*cells)

    def mark(draws: bytes | None):
        monkeypatch.setattr(grader, "truth", Truth(grader.settings.secret, draws))
        (found,) = grader.grade("ada", path).marks
        return found

    mark.path = path
    yield mark
    file.write_text(before)
    for chapter in grader._chapters.values():
        chapter.nursery.close()


def test_marks_are_of_that_draw(marked, item):
    draw = next(candidates(WORDS, SLUG))
    item.lucky = {draw}
    assert marked(WORDS).status is Status.PASSED and draw in item.tried
    assert marked(None).status is Status.WRONG and marked(OTHER).status is Status.WRONG
    assert marked(None).sentence == f"0 of {item.item.points} points so far. The score is too low."


def test_what_passes_on_the_notebooks_draw_alone_is_told_and_flagged(marked, item):
    item.lucky = {0}
    assert marked(None).status is Status.PASSED
    found = marked(WORDS)
    assert found.status is Status.WRONG and found.sentence.endswith(DRAWN)
    assert found.flags == (OWN_DRAW,)
    item.lucky = set()
    assert marked(WORDS).flags == ()


def test_the_secret_is_in_nothing_that_is_written(
    marked, item, grader, small, tmp_path, monkeypatch
):
    """Nor is the draw, from which texts could be made."""
    monkeypatch.setattr(grader, "truth", Truth(grader.settings.secret, WORDS))
    monkeypatch.setitem(grading._kept, grader.settings._replace(draws=WORDS), grader)
    (tmp_path / "in").mkdir()
    marked.path.rename(tmp_path / "in" / "ada.ipynb")
    options = Options(secret=grader.settings.secret, draws=WORDS)
    grade_class([tmp_path / "in"], tmp_path / "out", small.folder, options, make=Here)
    assert any(draw >= GRADERS_FIRST for draw in item.tried)
    written = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert len(written) >= 8
    for file in written:
        text = file.read_bytes()
        assert WORDS not in text and WORDS.hex().encode() not in text, file.name
        assert str(next(candidates(WORDS, SLUG))).encode() not in text, file.name


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def mi_tutor(monkeypatch, capsys, tmp_path):
    """Run `mi-tutor grade`; grading itself is written down and does nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MI_TUTOR_DRAWS", raising=False)
    (tmp_path / "in").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01_x.ipynb").write_text("{}")
    (tmp_path / "words").write_bytes(WORDS + b"\n")
    (tmp_path / "other").write_bytes(OTHER)
    seen: list = []

    def pretend(places, out, chapters, options, tell, make):
        seen.append(options.draws)
        return []

    monkeypatch.setattr(whole_class, "grade_class", pretend)

    def run(*words: str):
        seen.clear()
        given = ["in", "--out", "results", "--trust-submissions"] if words[0] == "grade" else []
        monkeypatch.setattr(sys, "argv", ["mi-tutor", words[0], *given, *words[1:]])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err, list(seen)

    return run


def test_it_is_passed_on_and_taken_up_again(mi_tutor, tmp_path):
    status, said, seen = mi_tutor("grade", "--draws", "words")
    assert (status, seen) == (0, [WORDS])
    _, again, seen = mi_tutor("grade", "--resume")
    assert seen == [WORDS] and "--draws" in again
    assert WORDS.decode() not in said + again + (tmp_path / "results" / "run.json").read_text()
    status, said, seen = mi_tutor("grade", "--resume", "--draws", "other")
    assert status != 0 and seen == [] and "would change marks" in said
    assert mi_tutor("grade", "--resume", "--draws", "other", "--change")[2] == [OTHER]
    (tmp_path / "other").unlink()
    status, said, seen = mi_tutor("grade", "--resume")
    assert status != 0 and "Give --draws with the same words" in said


def test_it_may_stand_in_the_environment(mi_tutor, monkeypatch):
    assert mi_tutor("grade")[2] == [None]
    monkeypatch.setenv("MI_TUTOR_DRAWS", "words")
    status, said, seen = mi_tutor("grade", "--resume")  # not unnoticed in a folder without it
    assert status != 0 and "--draws" in said and seen == []
    assert mi_tutor("grade", "--resume", "--change")[2] == [WORDS]


@pytest.mark.parametrize(
    ("file", "says"), [("none", "There is no file none"), ("short", "too short")]
)
def test_a_file_that_is_no_secret(mi_tutor, tmp_path, file, says):
    (tmp_path / "short").write_text("abc")
    status, said, seen = mi_tutor("grade", "--draws", file)
    assert status != 0 and says in said and seen == []


def test_an_autograder_takes_it_along(tmp_path, monkeypatch):
    seen = []

    class Stub:
        def __init__(self, settings):
            seen.append(settings)

        def close(self):
            pass

    monkeypatch.setattr(gradescope, "Grader", Stub)
    (tmp_path / "x.ipynb").write_text("{}")
    for draws in (WORDS, None):
        gradescope.export(tmp_path / "x.ipynb", tmp_path / "x.zip", trust=True, draws=draws)
        with zipfile.ZipFile(tmp_path / "x.zip") as archive:
            archive.extract("settings.json", tmp_path / "source")
        (tmp_path / "submission").mkdir(exist_ok=True)
        gradescope.mark(tmp_path)
        assert seen[-1].draws == draws
    assert WORDS.decode() not in (tmp_path / "results" / "results.json").read_text()
