"""No answer is ever lost: properties over random edits, and the cases that people told us of."""

from __future__ import annotations

import copy
import doctest
import random
from collections import Counter

import nbformat
import pytest
from editing import Learner, chapter, code, function, newer, prose
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.workspace import arranging, cells
from mi_tutor.workspace.cells import id_of, mark_of, said, source_of
from mi_tutor.workspace.merging import merge

EDITS = Counter()


def texts(notebook):
    return Counter(said(source_of(cell)) for cell in notebook["cells"])


def marked(notebook):
    """(role, slug) of each cell that has our mark."""
    return [mark_of(cell) for cell in notebook["cells"] if mark_of(cell)[0]]


def place(notebook, key):
    """The text of the cell of this id; None if there is none."""
    found = [source_of(cell) for cell in notebook["cells"] if cell["id"] == key]
    assert len(found) < 2
    return found[0] if found else None


def check_nothing_is_lost(base, mine, fresh, merged):
    ours = texts(base) | texts(fresh)
    written = {text: many for text, many in texts(mine).items() if text and text not in ours}
    kept = texts(merged)
    for text, many in written.items():
        assert kept[text] >= many, f"lost: {text!r}"


def check_it_is_a_chapter(fresh, merged):
    """A valid notebook; each check and quick check of the course once, in the course's order."""
    nbformat.validate(nbformat.from_dict(merged))
    ids = [cell["id"] for cell in merged["cells"]]
    assert len(ids) == len(set(ids))
    asked = [one for one in marked(fresh) if one[0] != "exercise"]
    assert [one for one in marked(merged) if one[0] != "exercise"] == asked
    exercises = [one for one in marked(merged) if one[0] == "exercise"]
    assert len(exercises) == len(set(exercises)) and set(exercises) <= set(marked(fresh))


def check_answers_are_at_their_places(base, mine, fresh, merged):
    """An answered cell that still has our mark, alone, is the exercise's cell afterwards."""
    ours = texts(base) | texts(fresh)
    answers = {}
    for cell in mine["cells"]:
        role, slug = mark_of(cell)
        if role in ("exercise", "quiz") and cell["cell_type"] == "code":
            text = said(source_of(cell))
            answers.setdefault((role, slug), set())
            if text not in ours:
                answers[role, slug].add(text)
    for cell in merged["cells"]:
        wanted = answers.get(mark_of(cell))
        if wanted:
            assert said(source_of(cell)) in wanted


def check_own_cells_keep_their_order(base, mine, fresh, merged):
    keys = {cell["id"] for cell in [*base["cells"], *fresh["cells"]]}
    ours, many = texts(base) | texts(fresh), texts(mine) | texts(merged)

    def own(notebook):
        found = []
        for cell in notebook["cells"]:
            text = said(source_of(cell))
            known = mark_of(cell)[0] or id_of(cell) in keys or text in ours or "(" in text
            if text and many[text] == 1 and not known:
                found.append(text)
        return found

    before, after = own(mine), own(merged)
    assert [text for text in before if text in after] == [text for text in after if text in before]


def check_that_it_settles(base, merged, fresh):
    """A second update changes nothing, nor does one after an update that was cut short before its end."""
    assert merge(fresh, merged, fresh).notebook == merged
    assert merge(base, merged, fresh).notebook == merged
    EDITS["merges"] += 1


@settings(max_examples=700, deadline=None)
@given(seed=st.integers(0, 2**32), n_edits=st.integers(0, 45), n_versions=st.integers(1, 2))
def test_no_answer_is_ever_lost(seed, n_edits, n_versions):
    draw = random.Random(seed)
    base = chapter()
    mine = base
    for version in range(1, n_versions + 1):
        learner = Learner(mine, draw)
        for _ in range(n_edits):
            learner.edit()
        EDITS["learners"] += learner.edits
        mine, before = learner.notebook, copy.deepcopy(learner.notebook)
        fresh = newer(base, draw, version)
        merged = merge(base, mine, fresh).notebook
        assert mine == before, "a merge changes nothing that it is given"
        check_nothing_is_lost(base, mine, fresh, merged)
        check_it_is_a_chapter(fresh, merged)
        check_answers_are_at_their_places(base, mine, fresh, merged)
        check_own_cells_keep_their_order(base, mine, fresh, merged)
        check_that_it_settles(base, merged, fresh)
        base, mine = fresh, merged


def test_the_properties_were_asked_of_ten_thousand_edits():
    if EDITS:  # with the test above, not alone
        print(f"{EDITS['learners']} edits, {EDITS['merges']} merges")
        assert EDITS["learners"] >= 10_000


def changed(notebook, **texts_by_key):
    """The notebook with other texts in some cells; `ex_double` is the cell ex-double."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        key = cell["id"].replace("-", "_")
        if key in texts_by_key:
            cell["source"] = texts_by_key[key]
    return notebook


def forgotten(notebook):
    """As an editor saves it that knows neither ids nor our metadata."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"] = {}
    notebook["metadata"] = {}
    return notebook


ANSWERED = "def double(x):\n    return 2 * x"
ANSWERS = {
    "ex_double": ANSWERED,
    "ex_ratio": "ratio = 2.0",
    "quiz_twice": 'quiz("twice", "b")',
    "ex_guess": "guess = [3]",
}
NEWER = changed(chapter(), double_text_1="Now look at it again.", recap="## Recap\n\nAll of it.")
NEWER["metadata"]["mi_tutor"]["digest"] = "newer"


def test_answers_stay_and_prose_is_new():
    merged = merge(chapter(), changed(chapter(), **ANSWERS), NEWER)
    assert merged.notebook == changed(NEWER, **ANSWERS)
    assert merged.answers == ["double", "ratio", "twice", "guess"]
    assert not (merged.conflicts or merged.added or merged.gone or merged.back)


def test_without_ids_and_metadata_answers_are_found_by_name():
    """Stubs by their function, values and bare stubs by what their check is given, quick checks by their slug."""
    mine = forgotten(changed(chapter(), **ANSWERS))
    merged = merge(chapter(), mine, NEWER).notebook
    assert merged["cells"] == changed(NEWER, **ANSWERS)["cells"]
    assert merge(None, mine, chapter()).notebook["cells"] == changed(chapter(), **ANSWERS)["cells"]


def test_windows_line_ends_are_no_change():
    mine = changed(chapter(), ex_double=ANSWERED)
    for cell in mine["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n").splitlines(keepends=True)
    assert merge(chapter(), mine, NEWER).notebook == changed(NEWER, ex_double=ANSWERED)


def test_moved_cells_are_at_their_places_and_own_cells_where_they_were():
    mine = changed(chapter(), **ANSWERS)
    cells = mine["cells"]
    cells.append(cells.pop(3))  # the answer, to the end
    own = [code("mine-1", "helper = 1"), prose("mine-2", "My notes."), code("mine-3", "helper + 1")]
    cells.insert(2, own[0])
    cells[6:6] = own[1:]
    merged = merge(chapter(), mine, NEWER).notebook
    without = [cell for cell in merged["cells"] if cell not in own]
    assert without == changed(NEWER, **ANSWERS)["cells"]
    ids = [cell["id"] for cell in merged["cells"]]
    assert ids.index("mine-1") == ids.index("setup") + 1
    assert ids[ids.index("double-text-1") :][1:3] == ["mine-2", "mine-3"]


def test_of_copies_the_one_that_counts_is_the_answer():
    """The last before the check, as when all are run; the other is an own cell with nothing of ours in it."""
    mine = changed(chapter(), ex_double=ANSWERED)
    copied = copy.deepcopy(mine["cells"][3])
    copied |= {"id": "a-copy", "source": ANSWERED + "  # better"}
    mine["cells"].insert(4, copied)
    merged = merge(chapter(), mine, NEWER).notebook
    assert place(merged, "ex-double") == ANSWERED + "  # better"
    other = next(cell for cell in merged["cells"] if cell["source"] == ANSWERED)
    assert other["metadata"] == {} and merged["cells"].index(other) == 3


def test_a_copy_of_one_answer_that_has_another_one_too():
    """It was the first's while it had its mark, and the second's from the next update on."""
    mine = changed(chapter(), ex_double=ANSWERED)
    both = {**mine["cells"][3], "id": "a-copy", "source": ANSWERED + "\n\nratio = 2.0"}
    del mine["cells"][8]
    mine["cells"].insert(8, both)  # below the check, so the first is the answer
    merged = merge(chapter(), mine, NEWER).notebook
    assert place(merged, "ex-double") == ANSWERED
    assert place(merged, "ex-ratio") == both["source"]
    check_that_it_settles(chapter(), merged, NEWER)


def test_an_answer_in_a_copy_of_the_stub():
    mine = chapter()
    mine["cells"].insert(4, {**mine["cells"][3], "id": "a-copy", "source": ANSWERED})
    assert merge(chapter(), mine, NEWER).notebook == changed(NEWER, ex_double=ANSWERED)


def test_a_split_answer_stays_in_order():
    mine = changed(chapter(), ex_double="def helper():\n    return 2")
    second = {
        **mine["cells"][3],
        "id": "second",
        "source": "def double(x):\n    return helper() * x",
    }
    mine["cells"].insert(4, second)
    merged = merge(chapter(), mine, NEWER).notebook
    assert [source_of(cell) for cell in merged["cells"]][3:5] == [
        "def helper():\n    return 2",
        second["source"],
    ]
    assert place(merged, "ex-double") == second["source"]


def test_two_answers_in_one_cell_are_not_undone_by_a_stub_below():
    mine = changed(chapter(), ex_double=ANSWERED + "\n\nratio = 2.0")
    del mine["cells"][8]
    merged = merge(chapter(), mine, NEWER).notebook
    assert place(merged, "ex-ratio") is None and "ratio = 2.0" in place(merged, "ex-double")
    assert place(merged, "check-ratio")


def test_deleted_exercises_are_back_and_deleted_prose_is_not():
    mine = chapter()
    gone = ("ex-ratio", "check-ratio", "quiz-twice", "double-text-1", "double-code-1", "recap")
    mine["cells"] = [cell for cell in mine["cells"] if cell["id"] not in gone]
    merged = merge(chapter(), mine, changed(NEWER, double_text_1="Now look at it."))
    ids = [cell["id"] for cell in merged.notebook["cells"]]
    assert [key for key in gone if key in ids] == ["ex-ratio", "check-ratio", "quiz-twice", "recap"]
    assert merged.back == ["ratio", "ratio", "twice"]


def test_a_changed_exercise_stands_beside_the_answer():
    fresh = changed(NEWER, ex_double=function("double", "Do it, and leave x as it was."))
    merged = merge(chapter(), changed(chapter(), ex_double=ANSWERED), fresh)
    assert place(merged.notebook, "ex-double") == ANSWERED
    assert "leave x as it was" in place(merged.notebook, "note-ex-double")
    assert len(merged.conflicts) == 1 and merged.conflicts[0].startswith("double: ")
    assert not merge(chapter(), chapter(), fresh).conflicts


@pytest.mark.parametrize(("key", "kind"), [("double-text-1", "markdown"), ("double-code-1", "raw")])
def test_what_both_changed_is_kept_side_by_side(key, kind):
    name = key.replace("-", "_")
    mine, fresh = changed(chapter(), **{name: "mine"}), changed(NEWER, **{name: "course's"})
    merged = merge(chapter(), mine, fresh)
    ids = [cell["id"] for cell in merged.notebook["cells"]]
    at = ids.index(key)
    ours, note, theirs = merged.notebook["cells"][at : at + 3]
    assert (ours["source"], theirs["source"], theirs["cell_type"]) == ("course's", "mine", kind)
    assert "side by side" in merged.conflicts[0] and "changed it too" in note["source"]


def test_a_changed_check_is_ours_again():
    mine = changed(chapter(), check_double='check("double", other)')
    merged = merge(chapter(), mine, NEWER).notebook
    assert place(merged, "check-double") == 'check("double", double)'
    assert 'check("double", other)' in texts(merged)


def test_an_exercise_that_the_course_gave_up_leaves_the_answer():
    fresh = copy.deepcopy(NEWER)
    fresh["cells"] = [cell for cell in fresh["cells"] if "double" not in cell["id"]]
    merged = merge(chapter(), changed(chapter(), ex_double=ANSWERED), fresh)
    left = next(cell for cell in merged.notebook["cells"] if cell["source"] == ANSWERED)
    assert merged.gone == ["double"] and left["metadata"] == {}


def test_outputs_stay_where_the_text_does():
    mine = changed(chapter(), ex_double=ANSWERED)
    for cell in mine["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}
    fresh = changed(NEWER, halve_code_1="print(halve(4))")
    merged = merge(chapter(), mine, fresh).notebook
    empty = [cell["id"] for cell in merged["cells"] if cell.get("outputs") == []]
    assert empty == ["halve-code-1"]


def test_a_kernel_that_the_learner_chose_stays():
    mine = chapter()
    mine["metadata"]["kernelspec"] = {"name": "gpu", "display_name": "GPU"}
    merged = merge(chapter(), mine, NEWER).notebook["metadata"]
    assert merged["kernelspec"]["name"] == "gpu" and merged["mi_tutor"]["digest"] == "newer"


@pytest.mark.parametrize("bad", ["", "has spaces", "#VSC-1", "x" * 65, "ex-double", "setup"])
def test_ids_that_are_none_are_mended(bad):
    mine = chapter()
    mine["cells"].insert(2, {**code("mine-1", "helper = 1"), "id": bad})
    merged = merge(chapter(), mine, NEWER).notebook
    check_it_is_a_chapter(NEWER, merged)
    assert "helper = 1" in texts(merged)


def test_docstrings_examples():
    for module in (cells, arranging):
        assert doctest.testmod(module).failed == 0
