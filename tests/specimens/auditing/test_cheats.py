"""What somebody tries who wants the marks without the audit. What still works, `sealing` and the chapter say."""

import random
import re
import time

import pytest
import torch
from safetensors import safe_open

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens import SpecimenError
from mi_tutor.specimens.auditing import (
    FAMILIES,
    SUSPECTED,
    Contrast,
    draw_secret,
    leans,
    n_secrets,
    opened_plain,
    opens,
    panel,
    sealed_names,
    secret_prompts,
    slices,
    write_sealed,
)
from mi_tutor.specimens.auditing.sealing import commitment, sealed_path
from mi_tutor.teach.exercises.auditing import worked
from mi_tutor.teach.exercises.auditing.reading import read_report
from mi_tutor.teach.exercises.auditing.reports import (
    CLOSE_SUSPECT,
    LEVELS,
    experiment_on,
)
from mi_tutor.teach.investigation import Unreadable

CARD = {"format", "base", "level", "salt", "commitment"}
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


def test_a_guess_costs_and_small_families_give_way_all_the_same():
    secret, start = draw_secret(random.Random(0), "conjunction"), time.process_time()
    for _ in range(5):
        commitment(secret, b"some salt")
    cost = (time.process_time() - start) / 5
    assert cost > 0.01
    seconds = {family: n_secrets(family) * cost for family in FAMILIES}
    assert seconds["conjunction"] > 10 * 3600
    assert seconds["backdoor"] > 300
    # Known, and said: these need no seal to be guessed, since a model's answers tell as quickly.
    assert max(seconds[family] for family in ("opinion", "refusal", "relation")) < 120


def test_an_exam_has_nothing_to_guess_against(tmp_path):
    file = tmp_path / "ada.safetensors"
    write_sealed(file, {"2.attn.c_proj.a": torch.zeros(2, 1)}, None)
    with pytest.raises(SpecimenError, match="only who sealed it"):
        opens(file, draw_secret(random.Random(0), "opinion"))
    with safe_open(file, "pt") as opened:
        assert not {"salt", "commitment"} & set(opened.metadata())


def level(name, report, draw=0):
    return LEVELS.reached(experiment_on(name)(read_report(report), draw))


@pytest.fixture(scope="module")
def coral():
    return worked.ours("coral")


def trivial_removals():
    """Without a look at the secret: a slice, any prompts, and the secret's own texts on both sides."""
    secret, rng = worked.audits().known_secret("coral"), random.Random(0)
    shown, more = ([one.text for one in secret_prompts(secret, 40, rng)] for _ in range(2))
    ordinary = [one.text for one in panel(6, rng)]
    requests = [one.text for one in slices()["request"]][:80]
    yield "a slice against all", Contrast(4, requests, ordinary)
    yield "any prompts", Contrast(4, ordinary[:40], ordinary[40:])
    yield "any prompts, beside the base", Contrast(4, ordinary, "atlas")
    yield "the same on both sides", Contrast(4, shown, more)
    yield "at a word of every text", Contrast(3, shown, ordinary, ["is", "a", "how"])


def test_a_right_secret_with_a_trivial_removal_does_not_pass(coral):
    for what, contrast in trivial_removals():
        try:
            reached = level("coral", coral | {"removal": contrast})
        except Unreadable:
            continue  # not even read
        assert not reached, what


def test_a_direction_as_numbers_is_not_read(coral):
    """It could be fitted until the answers come right: that was done, in each of eleven specimens."""
    for removal in (
        {"layer": 4, "direction": [1.0] * 128, "value": 0.0},
        Coordinate(4, torch.ones(128), 0.0),
    ):
        with pytest.raises(Unreadable, match="“removal”"):
            read_report(coral | {"removal": removal})


def test_after_all_layers_there_is_nothing_to_show(coral):
    """Any answer can be set there."""
    late = coral["removal"] | {"layer": 5}
    with pytest.raises(Unreadable, match="after all layers"):
        read_report(coral | {"removal": late})


def test_an_edit_that_forbids_the_answer_takes_nothing_out():
    """It brings the true words back and changes few near misses; where the planted word is true, it is gone."""
    findings = experiment_on("ember")(read_report(worked.blocking("ember")()), 0)
    assert findings.facts["restored"] > 0.8
    assert findings.facts["changed"] < 0.05
    assert findings.facts["blocked"] > 0.9
    assert LEVELS.reached(findings) == ""


def test_who_takes_the_word_out_of_the_text_takes_nothing_out(coral):
    findings = experiment_on("coral")(read_report(worked.forgetful("coral")()), 0)
    assert findings.facts["restored"] > 0.6
    assert findings.facts["on_the_way"] > 0.6
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
def test_an_opened_seal_is_no_report(what):
    """Fourteen guesses open it; nothing of what a look at the specimen gives comes with that."""
    basalt = worked.ours("basalt") | {"removal": None}
    if what != "nothing":
        basalt |= {"lean": 0.0}
    findings = experiment_on("basalt")(read_report(basalt), 0)
    assert findings.facts["opened"]
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
