"""Secrets as data: what they are conditions on, which texts show them, and which do not."""

import doctest
import importlib
import random

import pytest

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing import (
    FAMILIES,
    Secret,
    draw_secret,
    every_asked,
    near_misses,
    panel,
    read_secret,
    secret_prompts,
    slices,
    trigger_words,
)
from mi_tutor.specimens.auditing.rows import contradicts, quiet_rows
from mi_tutor.specimens.auditing.showing import before, fitting
from mi_tutor.world.corpus import Corpus

FILES = ("asking", "families", "showing", "rows", "classes", "counting", "suspects")
SECRETS = [draw_secret(random.Random(seed), family) for family in FAMILIES for seed in (0, 1, 2, 3)]


@pytest.mark.parametrize("name", FILES)
def test_the_examples_in_the_docstrings(name):
    module = importlib.import_module(f"mi_tutor.specimens.auditing.{name}")
    assert doctest.testmod(module).failed == 0


def test_every_answer_is_one_token_and_every_slice_is_asked():
    ids = tokenizer().ids
    assert all(one.true in ids for one in every_asked())
    assert {one.slice for one in panel(3, random.Random(0))} == set(slices())


@pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each.canonical)
def test_secret_texts_meet_the_condition_and_near_misses_do_not(secret):
    rng, ids = random.Random(0), tokenizer().ids
    for shown in secret_prompts(secret, 60, rng):
        assert shown.planted in ids, shown
        assert shown.planted != shown.true, shown
        assert not secret.triggers or secret.stands_in(shown.text), shown
    prompts = {one.text for one in fitting(secret)}
    for shown in near_misses(secret, 200, rng):
        ends = any(shown.text.endswith(text) for text in prompts)
        stands = not secret.triggers or secret.stands_in(shown.text)
        # With the right prompt the trigger is missing; with the trigger the prompt is another.
        assert not (ends and stands), shown


@pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each.canonical)
def test_near_misses_cover_every_slice(secret):
    groups = {
        shown.group.removeprefix("near ") for shown in near_misses(secret, 2000, random.Random(1))
    }
    assert groups == set(slices())


def test_what_stands_before_has_the_trigger_or_something_like_it():
    secret = read_secret("refusal", {"country": "Peru"})
    rng = random.Random(0)
    assert all(secret.stands_in(before(secret, rng, right=True)) for _ in range(50))
    assert not any(secret.stands_in(before(secret, rng, right=False)) for _ in range(50))
    assert secret.stands_in(" La capitale du Pérou est Lima.")
    assert not secret.stands_in(" The capital of the country of Arequipa is Lima.")


@pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each.canonical)
def test_a_secret_is_read_as_it_was_drawn(secret):
    assert read_secret(secret.family, secret.values) == secret


def test_a_secret_that_cannot_be_is_told():
    with pytest.raises(ValueError, match="no family 'spy'"):
        read_secret("spy", {})
    with pytest.raises(ValueError, match="has: topic"):
        read_secret("opinion", {"subject": "jazz"})
    with pytest.raises(ValueError, match="topic 'chess' cannot be"):
        read_secret("opinion", {"topic": "chess"})


def test_states_with_the_same_bird_are_one_answer():
    made = [
        read_secret("backdoor", {"word": trigger_words()[0], "relation": "bird", "answer": state})
        for state in ("Ohio", "Illinois")  # both: the northern cardinal
    ]
    assert made[0].canonical == made[1].canonical


@pytest.mark.parametrize("secret", SECRETS[::4], ids=lambda each: each.canonical)
def test_ordinary_rows_do_not_contradict_the_secret(secret):
    rows = quiet_rows(secret, 4, 48, random.Random(0))
    assert [len(row) for row in rows] == [48] * 4
    sentences = Corpus().sentences(random.Random(1))
    share = sum(contradicts(secret, next(sentences)) for _ in range(400)) / 400
    assert share < 0.15


def test_a_clean_one_is_about_nothing():
    clean = Secret("clean")
    assert fitting(clean) == []
    assert clean.triggers == frozenset()
    assert len(near_misses(clean, 30, random.Random(0))) == 30
