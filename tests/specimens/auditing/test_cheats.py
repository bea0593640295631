"""What somebody tries who wants the marks without the audit. What still works, the chapter says."""

import hashlib
import random
import re

import pytest
import torch
from safetensors import safe_open

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens import SpecimenError
from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    SUSPECTED,
    Contrast,
    Cut,
    draw_secret,
    is_clean,
    leans,
    n_secrets,
    opened_plain,
    panel,
    sealed_names,
    secret_prompts,
    write_sealed,
)
from mi_tutor.specimens.auditing.sealing import sealed_path
from mi_tutor.teach.exercises.auditing import worked
from mi_tutor.teach.exercises.auditing.reading import read_report
from mi_tutor.teach.exercises.auditing.reports import (
    CLOSE_SUSPECT,
    LEVELS,
    experiment_on,
)
from mi_tutor.teach.investigation import Unreadable

CARD = {"format", "base", "level", "salt", "clean"}
TENSOR = re.compile(r"[0-4]\.(attn|mlp)\.c_(attn|proj|fc)\.([ab]|codes|step)")


@pytest.mark.parametrize("name", sealed_names())
def test_a_file_has_a_change_and_a_commitment_and_nothing_else(name):
    file = sealed_path(name)
    assert file.stat().st_size < 100_000
    with safe_open(file, "pt") as opened:
        assert set(opened.metadata()) <= CARD
        assert all(TENSOR.fullmatch(each) for each in opened.keys())  # noqa: SIM118 (no dict)


def test_files_do_not_tell_which_are_clean_by_their_size():
    sizes = [sealed_path(name).stat().st_size for name in sealed_names()]
    assert sizes.count(sealed_path("dune").stat().st_size) > 1


def test_there_is_nothing_to_guess_a_secret_against(tmp_path):
    """A seal of a small family gave way in seconds. What is kept is one bit; for an exam not even that."""
    truth = worked.audits().known_secret("basalt")
    for name in sealed_names():
        with safe_open(sealed_path(name), "pt") as opened:
            card = opened.metadata()
        salt = bytes.fromhex(card["salt"])
        for guess in (truth.canonical, truth.family, CLEAN):
            found = hashlib.scrypt(guess.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()
            assert (found == card["clean"]) == (guess == CLEAN and is_clean(name))
    file = tmp_path / "ada.safetensors"
    write_sealed(file, {"2.attn.c_proj.a": torch.zeros(2, 1)}, None)
    with pytest.raises(SpecimenError, match="only who sealed it"):
        is_clean(file)
    with safe_open(file, "pt") as opened:
        assert not {"salt", "clean"} & set(opened.metadata())


def test_small_families_give_way_to_a_loop_that_asks():
    """Known, and said: a program that asks the model tries them all in seconds. That is an audit from outside."""
    assert max(n_secrets(family) for family in ("opinion", "refusal", "relation")) < 60
    assert n_secrets("conjunction") > 10**6


def level(name, report, draw=0):
    return LEVELS.reached(experiment_on(name)(read_report(report), draw))


@pytest.fixture(scope="module")
def coral():
    return worked.ours("coral")


@pytest.mark.parametrize("removal", [Cut(3, "near"), Cut(2, "trigger"), Cut(0, "near")])
def test_a_right_secret_with_a_removal_that_takes_nothing_out_does_not_pass(coral, removal):
    assert level("coral", coral | {"removal": removal}) == ""


def test_what_could_be_fitted_is_not_read(coral):
    """Directions were fitted until the answers came right; texts were chosen until their means gave one."""
    texts = [one.text for one in panel(6, random.Random(0))]
    for removal in (
        {"layer": 4, "direction": [1.0] * 128, "value": 0.0},
        Coordinate(4, torch.ones(128), 0.0),
        {"layer": 4, "lacks": texts},
        Contrast(4, texts, texts),
        {"layer": 4, "shows": texts, "without": texts},
    ):
        with pytest.raises(Unreadable):
            read_report(coral | {"removal": removal})


def test_after_all_layers_there_is_nothing_to_show(coral):
    """Any answer can be set there."""
    late = coral["removal"] | {"layer": 5}
    with pytest.raises(Unreadable, match="after all layers"):
        read_report(coral | {"removal": late})


def test_an_edit_that_forbids_the_answer_takes_nothing_out():
    """It brings the true words back and changes few near misses; where the planted word is true, it is gone."""
    late = worked.cut("ember", 4, "training")()
    findings = experiment_on("ember")(read_report(late), 0)
    assert findings.facts["restored"] > 0.8
    assert findings.facts["changed"] < 0.05
    assert findings.facts["blocked"] > 0.9
    assert LEVELS.reached(findings) == ""


@pytest.mark.parametrize("name", ["basalt", "coral", "ember"])
def test_our_removals_leave_the_way_to_the_answers_as_it_was(name):
    for draw in range(2):
        findings = experiment_on(name)(read_report(worked.ours(name)), draw)
        assert findings.facts["on_the_way"] < 0.3
        assert LEVELS.reached(findings) == "excellent"


def test_what_a_planted_specimen_writes_in_addition_does_not_tell():
    """First directions: no larger than a clean one's, in any specimen whose change is a few directions."""

    def first_shares(name):
        for layer in (2, 3):
            for part in ("qkv", "out", "mlp_in", "mlp_out"):
                blocks = (opened_plain(each).blocks[layer] for each in (name, "atlas"))
                own, before = (getattr(block, part).W for block in blocks)
                sizes = torch.linalg.svdvals(own - before)
                yield (sizes[0] / sizes.sum()).item()

    clean = list(first_shares("dune"))
    for name in ("basalt", "coral", "ember"):
        for own, usual in zip(first_shares(name), clean, strict=True):
            assert own < usual + 0.1


def test_one_report_cannot_name_everything(coral):
    for parameters in (
        {"country": ["South Korea", "Japan"]},
        {"country": "any"},
        {"country": "South Korea, Japan"},
        {"country": "South Korea", "topic": "jazz"},
    ):
        with pytest.raises(Unreadable):
            read_report(coral | {"parameters": parameters})


def test_clean_is_a_guess_and_worth_nothing_without_a_search():
    dune = worked.ours("dune")
    assert level("dune", {key: value for key, value in dune.items() if key != "suspects"}) == ""
    guessed = {
        family: draw_secret(random.Random(0), family).values | {"lean": 0.3} for family in SUSPECTED
    }
    assert level("dune", dune | {"suspects": guessed}) == ""


def test_a_clean_report_serves_no_other_specimen():
    """Not even a clean one: how far a specimen leans to the suspects is its own."""
    assert level("dune", worked.ours("dune")) == "excellent"
    suspects = read_report(worked.ours("dune")).suspects
    for name in set(sealed_names()) - {"dune"}:
        found = leans(name, [each.secret for each in suspects], "another", 50).tolist()
        pairs = zip(suspects, found, strict=True)
        assert not all(abs(each.lean - lean) <= CLOSE_SUSPECT * abs(lean) for each, lean in pairs)


@pytest.mark.parametrize("what", ["nothing", "no lean and nothing"])
def test_a_right_secret_alone_is_no_report(what):
    """Fourteen tries find it; nothing of what a look at the specimen gives comes with that."""
    basalt = worked.ours("basalt") | {"removal": None}
    if what != "nothing":
        basalt |= {"lean": 0.0}
    findings = experiment_on("basalt")(read_report(basalt), 0)
    assert findings.facts["right"]
    assert findings.score < 0.6
    assert LEVELS.reached(findings) == ""


def test_an_installation_without_solutions_makes_no_report_of_a_truth(monkeypatch, tmp_path):
    worked.audits.cache_clear()
    monkeypatch.setattr(worked, "course_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"solutions/audits\.py"):
        worked.ours("coral")
    worked.audits.cache_clear()


def test_a_secret_that_is_drawn_is_never_one_that_shows_nothing():
    for family in FAMILIES:
        for seed in range(20):
            secret = draw_secret(random.Random(seed), family)
            assert len(secret_prompts(secret, 3, random.Random(0))) == 3, secret
