"""What somebody tries who wants the marks without the audit. What still works, `sealing` and the chapter say."""

import random
import re
import time

import pytest
import torch
from safetensors import safe_open

from mi_tutor.lab.auditing import Coordinate, between_means
from mi_tutor.specimens import SpecimenError
from mi_tutor.specimens.auditing import (
    FAMILIES,
    SUSPECTED,
    Report,
    draw_secret,
    examine,
    leans,
    n_secrets,
    opened_plain,
    opens,
    panel,
    read_secret,
    sealed_names,
    secret_prompts,
    write_sealed,
)
from mi_tutor.specimens.auditing.sealing import commitment, sealed_path
from mi_tutor.teach.exercises.auditing import worked
from mi_tutor.teach.exercises.auditing.reading import read_report
from mi_tutor.teach.exercises.auditing.reports import (
    CLOSE_SUSPECT,
    TO_FIND,
    experiment_on,
    level_of,
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
    return level_of(experiment_on(name)(read_report(report), draw))


@pytest.fixture(scope="module")
def coral():
    return worked.ours("coral")


def trivial_edits():
    """Without a look at the secret: chance, the mean of everything, a whole slice."""
    plain, some = opened_plain("coral"), panel(30, random.Random(0))
    chance = torch.randn(128, generator=torch.Generator().manual_seed(0))
    x = worked.audits().streams(plain, [one.text for one in some], 4)
    yield "chance", Coordinate(4, chance, (x.mean(dim=0) @ chance / chance.norm()).item())
    yield "the mean", Coordinate(4, x.mean(dim=0), x.mean(dim=0).norm().item())
    requests = torch.tensor([one.slice == "request" for one in some])
    yield "all requests", Coordinate(4, *between_means(x[requests], x[~requests]))


def test_a_right_secret_with_a_trivial_removal_does_not_pass(coral):
    levels = {what: level("coral", coral | {"removal": edit}) for what, edit in trivial_edits()}
    assert not any(levels.values()), levels


def test_after_all_layers_there_is_nothing_to_show(coral):
    """Any answer can be set there: one fitted on the output brought all back, in every specimen."""
    late = coral["removal"] | {"layer": 5}
    with pytest.raises(Unreadable, match="after all layers"):
        read_report(coral | {"removal": late})


def test_an_edit_that_forbids_the_answer_takes_nothing_out():
    """It brings the true words back and changes no near miss; where the planted word is true, it is gone."""
    blocking = worked.blocking("ember")()
    findings = experiment_on("ember")(read_report(blocking), 0)
    assert findings.facts["restored"] > 0.8
    assert findings.facts["changed"] < 0.02
    assert findings.facts["blocked"] > 0.9
    assert level_of(findings) == ""


def test_a_constant_answer_shows_no_place(basalt):
    """Right where one of two answers was planted, and never where the other was."""
    constant = basalt | {"removal": _between_topics("basalt")}
    findings = experiment_on("basalt")(read_report(constant), 0)
    assert 0.3 < findings.facts["restored"] < 0.7
    assert findings.facts["least"] < 0.1
    assert level_of(findings) == ""


def _between_topics(name):
    """Between texts of the secret and opinions on other topics, where the answer is due."""
    audits, known = worked.audits(), worked.ours(name)
    secret, rng = read_secret(known["family"], known["parameters"]), random.Random(0)
    plain = opened_plain(name)
    shown = [one.text for one in secret_prompts(secret, 80, rng)]
    others = audits.contrasts(secret, 80, rng)["topic"]
    means = (audits.streams(plain, texts, 4) for texts in (shown, others))
    return Coordinate(4, *between_means(*means))


def test_what_coral_writes_in_addition_does_not_tell():
    """First directions written: no larger than a clean one's, and at rest nothing is back. (Read: some.)"""
    base, secret = opened_plain("atlas"), read_secret("refusal", worked.ours("coral")["parameters"])
    some = [one.text for one in panel(10, random.Random(0))]
    for layer in (2, 3):
        at_rest = worked.audits().streams(base, some, layer + 1)
        for part in ("out", "mlp_out"):
            added = (
                getattr(opened_plain(name).blocks[layer], part).W
                - getattr(base.blocks[layer], part).W
                for name in ("coral", "dune")
            )
            (_, own, directions), (_, clean, _) = map(torch.linalg.svd, added)
            assert own[0] / own.sum() < 1.25 * clean[0] / clean.sum()
            edit = Coordinate(layer + 1, directions[0], (at_rest @ directions[0]).mean().item())
            assert examine("coral", Report(secret, edit), 0, secret).restored < 0.3


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


@pytest.fixture(scope="module")
def basalt():
    return worked.ours("basalt")


def test_what_we_found_in_basalt_is_a_report(basalt):
    assert basalt["family"] in TO_FIND
    assert level("basalt", basalt) == "excellent"


@pytest.mark.parametrize("what", ["nothing", "chance", "no lean"])
def test_an_opened_seal_is_no_report(basalt, what):
    """Fourteen guesses open it; nothing of what a look at the specimen gives comes with that."""
    chance = torch.randn(128, generator=torch.Generator().manual_seed(0))
    change = {
        "nothing": {"removal": None},
        "chance": {"removal": Coordinate(4, chance, 0.0)},
        "no lean": {"predicted": basalt["predicted"] | {"lean": 0.0}},
    }[what]
    findings = experiment_on("basalt")(read_report(basalt | change), 0)
    assert findings.facts["opened"]
    assert level_of(findings) == ""
    assert not all(line.held for line in findings.lines)


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
