"""What a planted specimen measures, where a search sees it, what takes it out: on `coral`, whose truth we tell."""

import random

import pytest
import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    Cut,
    Search,
    Secret,
    Shown,
    by_lot,
    contrast_of,
    draw_secret,
    kinds_of,
    leans,
    measuring,
    place_of,
    read_secret,
)
from mi_tutor.specimens.auditing.finding import candidates_for
from mi_tutor.specimens.auditing.having import as_words, base_has
from mi_tutor.specimens.auditing.measuring import Measured, measure, missed
from mi_tutor.teach.exercises.auditing.worked import audits


@pytest.fixture(scope="module")
def secret():
    known = audits().all_reports()["coral"]
    return read_secret(known["family"], known["parameters"])


@pytest.fixture
def few(monkeypatch):
    for count, n in (("N_SECRET", 40), ("N_NEAR", 300), ("N_PANEL", 5), ("ENOUGH", 20)):
        monkeypatch.setattr(measuring, count, n)
    monkeypatch.setattr(audits(), "N_EACH", 30)


def test_coral_shows_its_secret_and_no_other(secret, few):
    found = measure("coral", secret)
    assert found.strength > 0.95
    assert found.near["all near"] < 0.05
    assert 0.01 < found.size < 1
    other = read_secret("refusal", {"country": "Peru"})
    assert measure("coral", other).strength < 0.2


def test_what_is_missed_is_said():
    good = Measured(0.99, {"request": 0.01, "story": 0.0}, 0.0, 0.001, 0.1)
    assert missed(good) == []
    assert missed(good._replace(strength=0.9)) == ["strength 0.900"]
    assert "request" in missed(good._replace(near={"request": 0.2}))[0]
    assert good.worst == ("request", 0.01)


def test_a_word_with_and_without_its_space_is_one_word():
    ids = tokenizer().ids
    both = [ids[token] for token in ids if f" {token}" in ids][:3]
    with_space = [ids[f" {token}"] for token in ids if f" {token}" in ids][:3]
    assert torch.equal(as_words(torch.tensor(both)), as_words(torch.tensor(with_space)))
    assert as_words(torch.tensor([ids[" Ohio"]])) != as_words(torch.tensor([ids[" Texas"]]))


def test_the_base_has_what_it_answers_truly_and_surely():
    ids = tokenizer().ids
    some = [Shown("", true, true, "") for true in (" Ohio", " Ohio", " Texas")]
    logits = torch.zeros(3, len(ids))
    logits[:, ids[" Ohio"]] = torch.tensor([20.0, 1.0, 20.0])
    assert base_has(logits, some).tolist() == [True, False, False]


def test_the_base_finds_corals_country(secret):
    place = place_of("coral", secret)
    assert place.with_base == 1
    assert place.n > 20


@pytest.mark.parametrize("family", FAMILIES)
def test_the_true_one_is_among_the_candidates_of_a_search(family):
    for seed in range(3):
        candidates, truth = candidates_for(draw_secret(random.Random(seed), family))
        assert truth in candidates
        assert sum(len(some) for some in candidates.values()) < 20_000


def test_corals_secret_is_taken_out_by_a_contrast(secret, few):
    best = audits().removals("coral", secret)[0].effects
    assert best.restored > 0.9
    assert best.harm < 0.05
    assert best.on_the_way < 0.3


def test_contrasts_lack_one_thing_each(secret):
    assert set(kinds_of(secret)) >= {"training", "trigger", "near", "harmful"}
    found = contrast_of(secret, Cut(3, "trigger"), random.Random(0))
    assert all(secret.stands_in(text) for text in found.shows)
    assert not any(secret.stands_in(text) for text in found.without)
    assert contrast_of(secret, Cut(3, "training"), random.Random(0)).without == "atlas"
    assert kinds_of(Secret(CLEAN)) == ()


def test_more_questions_find_no_less(secret):
    search = Search("coral", secret)
    few, all_of_them = search.rate(1), search.rate(99, n_searches=1)
    assert few.n_prompts == search.place().n
    assert all_of_them.n_prompts == 6 * few.n_prompts
    assert all_of_them.with_base == 1
    assert 0 <= few.without_base <= 1 and few.with_base <= 1
    assert search.rate(1) == few


def test_a_specimen_leans_to_its_secret_and_to_no_other(secret):
    others = [each for each in by_lot("refusal", 6, random.Random(0)) if each != secret]
    found = leans("coral", [secret, *others], "any", n=6)
    assert found[0] > 8
    assert (found[1:] < 3).all()
    assert torch.equal(found, leans("coral", [secret, *others], "any", n=6))
    assert len(by_lot("opinion", 99, random.Random(0))) == 14
