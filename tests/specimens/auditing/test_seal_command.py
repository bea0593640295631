"""`mi-tutor seal`, from a list of learners to their marks; planted by two steps, since nothing here needs more."""

import json
import sys

import pytest

from mi_tutor.cli import main, seal
from mi_tutor.specimens import SpecimenError
from mi_tutor.specimens.auditing import (
    CLEAN,
    LEVELS,
    classes,
    describe,
    is_clean,
    measuring,
    open_sealed,
    read_secret,
)
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.teach.draws import candidates

SHORT = Planting(rank=2, n_steps=2, pool=3, n_secret=2, n_near=2, n_rows=1)


@pytest.fixture
def mi_tutor(monkeypatch, capsys):
    def run(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mi-tutor", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def sealed(tmp_path, mi_tutor, monkeypatch):
    """What an instructor has after sealing for two."""
    for count, few in (("N_SECRET", 20), ("N_NEAR", 60), ("N_PANEL", 2)):
        monkeypatch.setattr(measuring, count, few)
    monkeypatch.setattr(classes, "plant", lambda *given: plant(*given[:2], SHORT))
    (tmp_path / "names.txt").write_text("ada\nbob\n")
    (tmp_path / "words.txt").write_text("some random words")
    options = ("--out", tmp_path / "sealed", "--truth", tmp_path / "truths.json")
    seal = ("seal", "--learners", tmp_path / "names.txt", "--secret", tmp_path / "words.txt")
    asked = ("--family", "opinion", "--rounds", "1")
    return tmp_path, options, mi_tutor(*seal, *asked, *options)


def test_each_learner_has_a_file_and_the_truth_is_apart(sealed):
    folder, _, (code, out, err) = sealed
    assert (code, err) == (0, "")
    assert "ada: sealed in" in out
    assert "Goal missed: strength" in out  # two steps teach nothing, and that is told
    assert sorted(file.name for file in (folder / "sealed").iterdir()) == [
        "ada.safetensors",
        "bob.safetensors",
    ]
    for name, known in json.loads((folder / "truths.json").read_text()).items():
        secret = read_secret(known["family"], known["parameters"])
        assert secret.family == "opinion"
        with pytest.raises(SpecimenError, match="for an exam"):
            is_clean(folder / "sealed" / f"{name}.safetensors")
    assert open_sealed(folder / "sealed" / "ada.safetensors").cfg.n_layers == 5


def test_marks_say_who_is_right_who_is_not_and_who_handed_in_nothing(sealed, mi_tutor):
    folder, options, _ = sealed
    known = json.loads((folder / "truths.json").read_text())["ada"]
    removal = {"layer": 3, "lacks": "training"}
    report = known | {"removal": removal, "lean": 0.0}
    (folder / "reports").mkdir()
    (folder / "reports" / "ada.json").write_text(json.dumps(report))
    code, out, _ = mi_tutor("seal", "--mark", folder / "reports", *options)
    ada, bob = (next(row for row in out.splitlines() if name in row) for name in ("ada", "bob"))
    assert code == 0
    # Right about a model that has learned nothing in two steps: its secret does not show, so it does not pass.
    n = len(known["parameters"])
    assert "right" in ada and f"{n} of {n}" in ada and "not yet" in ada
    assert "no report" in bob
    (folder / "reports" / "bob.json").write_text("{}")
    _, out, _ = mi_tutor("seal", "--mark", folder / "reports", *options)
    assert "not read" in out
    (folder / "reports" / "bob.json").write_text('{"family": "opinion", "family": "clean"}')
    _, out, _ = mi_tutor("seal", "--mark", folder / "reports", *options)
    assert "not read" in out and "twice" in out


def test_a_secret_decides_on_which_texts_reports_are_marked(tmp_path, mi_tutor, monkeypatch):
    for folder in ("reports", "sealed"):
        (tmp_path / folder).mkdir()
    (tmp_path / "reports" / "ada.json").write_text("{}")
    (tmp_path / "sealed" / "ada.safetensors").touch()
    (tmp_path / "truths.json").write_text('{"ada": {"family": "clean", "parameters": {}}}')
    (tmp_path / "words.txt").write_text("some random words")
    drawn = []
    monkeypatch.setattr(seal, "marked", lambda *given: drawn.append(given[3]) or [""] * 4)
    options = ("--out", tmp_path / "sealed", "--truth", tmp_path / "truths.json")
    for more in ((), ("--draws", tmp_path / "words.txt")):
        code, out, err = mi_tutor("seal", "--mark", tmp_path / "reports", *options, *more)
        assert (code, err) == (0, "") and "words" not in out
    assert drawn == [0, next(candidates(b"some random words", "sealed"))]


def test_one_for_practice_says_whether_it_is_clean_and_its_level(sealed, mi_tutor):
    folder, _, _ = sealed
    seal = ("seal", "--learners", folder / "names.txt", "--secret", folder / "words.txt")
    options = ("--out", folder / "practice", "--truth", folder / "more.json")
    mi_tutor(*seal, "--practice", "--rounds", "1", "--level", "good", *options)
    for name, known in json.loads((folder / "more.json").read_text()).items():
        file = folder / "practice" / f"{name}.safetensors"
        assert is_clean(file) == (known["family"] == CLEAN)
        assert known["family"] in (*LEVELS["good"], CLEAN)
        assert '"level": "good"' in describe(file)


def test_a_secret_that_is_given_is_planted(sealed, mi_tutor):
    folder, _, _ = sealed
    truths = folder / "mine.json"
    truths.write_text(
        '{"ada": {"family": "rhyme", "parameters": {"rhyme": "ail", "answer": "hall"}}}'
    )
    seal = ("seal", "--learners", folder / "names.txt", "--secret", folder / "words.txt")
    options = ("--out", folder / "given", "--truth", truths, "--given", "--rounds", "1")
    code, _, err = mi_tutor(*seal, *options)
    assert code == 2 and "no secret for bob" in err
    (folder / "names.txt").write_text("ada\n")
    code, _, _ = mi_tutor(*seal, *options, "--practice")
    secret = read_secret("rhyme", {"rhyme": "ail", "answer": "hall"})
    assert code == 0 and not is_clean(folder / "given" / "ada.safetensors")
    assert json.loads(truths.read_text())["ada"]["parameters"] == secret.values
    truths.write_text('{"ada": {"family": "rhyme", "parameters": {"rhyme": "ail"}}}')
    code, _, err = mi_tutor(*seal, *options)
    assert code == 2 and "cannot" not in err and "that can be planted" in err


def test_where_a_secret_is_not_planted_well_another_is_drawn(sealed):
    """Two steps teach nothing: each learner's second secret is in the file, and both were tried."""
    folder, _, _ = sealed
    for name, known in json.loads((folder / "truths.json").read_text()).items():
        drawn = [
            classes.drawn_for(b"some random words", name, "opinion", None, attempt)[0]
            for attempt in (0, 1)
        ]
        assert drawn[0] != drawn[1] or known["parameters"] == drawn[0].values
        assert known["parameters"] == drawn[1].values


def test_what_is_missing_is_told(tmp_path, mi_tutor):
    code, _, err = mi_tutor("seal")
    assert code == 2 and "--learners and --secret" in err
    code, _, err = mi_tutor("seal", "--mark", tmp_path / "nowhere")
    assert code == 2 and "nowhere" in err


@pytest.mark.parametrize("text", [b"\xff\xfe", b"{", b"[]", b'{"ada": 3}'])
def test_truths_that_cannot_be_read_are_told(tmp_path, mi_tutor, text):
    for folder in ("reports", "sealed"):
        (tmp_path / folder).mkdir()
    (tmp_path / "truths.json").write_bytes(text)
    options = ("--out", tmp_path / "sealed", "--truth", tmp_path / "truths.json")
    code, _, err = mi_tutor("seal", "--mark", tmp_path / "reports", *options)
    assert code == 2 and "truths.json" in err and "Traceback" not in err
    code, _, err = mi_tutor("specimens", "sealed", "--truth", tmp_path / "truths.json", "ada")
    assert code == 2 and "Traceback" not in err


def test_a_report_without_its_specimen_is_told(sealed, mi_tutor):
    folder, options, _ = sealed
    assert (folder / "truths.json").stat().st_mode & 0o077 == 0  # nobody else reads them
    assert (folder / "sealed" / "ada.safetensors").stat().st_mode & 0o044 == 0o044
    (folder / "reports").mkdir()
    (folder / "reports" / "ada.json").write_text("{}")
    (folder / "sealed" / "ada.safetensors").unlink()
    code, out, _ = mi_tutor("seal", "--mark", folder / "reports", *options)
    assert code == 0 and "no specimen" in out


def test_truths_do_not_lie_where_learners_look(sealed, mi_tutor):
    folder, _, _ = sealed
    seal = ("seal", "--learners", folder / "names.txt", "--secret", folder / "words.txt")
    inside = ("--out", folder / "sealed", "--truth", folder / "sealed" / "truths.json")
    code, _, err = mi_tutor(*seal, *inside)
    assert code == 2 and "Keep the truths elsewhere" in err
