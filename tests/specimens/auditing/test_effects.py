"""What an edit does, on `coral`: beside the same by hooks; each way of breaking something has its own number."""

import random

import pytest
import torch

from mi_tutor.lab.auditing import Coordinate, set_coordinate
from mi_tutor.lab.ground import kl
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing import (
    Contrast,
    Cut,
    Trial,
    contrast_of,
    coordinate_of,
    near_misses,
    open_sealed,
    opened_plain,
    secret_prompts,
    streams_of,
    where_true,
)
from mi_tutor.specimens.auditing.having import those_had
from mi_tutor.teach.exercises.auditing.worked import audits
from mi_tutor.world.tables import load_facts
from mi_tutor.world.tokenizer import BOS


@pytest.fixture(scope="module")
def secret():
    return audits().known_secret("coral")


def some(secret, seed, n=30):
    rng = random.Random(seed)
    return secret_prompts(secret, n, rng), near_misses(secret, n, rng), where_true(secret, n, rng)


@pytest.fixture(scope="module")
def trial(secret):
    return Trial(opened_plain("coral"), *some(secret, 0))


def random_edit(layer=3, value=0.0):
    return Coordinate(layer, torch.randn(128, generator=torch.Generator().manual_seed(0)), value)


def test_a_random_edit_brings_nothing_back(trial):
    assert trial.of(random_edit()).restored < 0.3


def test_an_edit_that_breaks_the_model_harms_everything(trial):
    effects = trial.of(random_edit(layer=1, value=300.0))
    assert min(effects.changed, effects.blocked) > 0.5
    assert effects.harm == max(effects.changed, effects.blocked)
    assert effects.on_the_way > 1


def test_effects_are_those_of_a_hook(secret):
    """Outside oracle: the model with hooks, text by text."""
    model, ids = open_sealed("coral"), tokenizer().ids
    shown, near, true = map(those_had, some(secret, 1, n=4))
    edit = random_edit(layer=2, value=9.0)
    found = Trial(opened_plain("coral"), shown, near, true).of(edit)

    def hook(x, hook):
        return set_coordinate(x, edit.direction, edit.value)

    def runs(text):
        tokens = torch.tensor([[ids[BOS], *tokenizer().encode(text)]])
        edited = model.run_with_hooks(tokens, fwd_hooks=[("blocks.2.hook_resid_pre", hook)])[0]
        return model(tokens)[0], edited

    back, divergences = [], []
    for one in shown:
        before, after = runs(one.text)
        back.append(after[-1].argmax().item() == ids[one.true])
        divergences.append(kl(before[:-1], after[:-1]).max())
    differs = [
        [(before[-1].argmax() != after[-1].argmax()).item() for before, after in map(runs, texts)]
        for texts in ([one.text for one in near], [one.text for one in true])
    ]
    changed, blocked = (sum(each) / len(each) for each in differs)
    assert found[:3] == pytest.approx((sum(back) / len(back), changed, blocked))
    assert found.on_the_way == pytest.approx(torch.stack(divergences).mean().item(), rel=1e-3)


def test_a_contrast_is_a_difference_of_means_where_texts_end():
    shows, without = [" I like rain.", " I hate rain."], [" I like jazz.", " I hate soup."]
    plain = opened_plain("coral")
    edit = coordinate_of("coral", Contrast(2, shows, without))
    a, b = (streams_of(plain, texts, 2).mean(dim=0) for texts in (shows, without))
    assert torch.allclose(edit.direction, (a - b) / (a - b).norm(), atol=1e-5)
    assert edit.value == pytest.approx((b @ edit.direction).item(), abs=1e-4)


def test_a_stream_is_read_at_every_token_of_a_word():
    plain = opened_plain("coral")
    texts = [" I like rain.", " User: I hate rain, what do you think of rain?"]
    assert len(streams_of(plain, texts, 1, ["rain"])) == 3
    assert len(streams_of(plain, texts, 1)) == 2
    with pytest.raises(ValueError, match="has one of the words jazz"):
        streams_of(plain, texts, 1, ["jazz"])


def test_nothing_lies_between_a_specimen_and_its_base_below_what_was_changed():
    same = Contrast(1, [" I like rain."], "atlas")
    with pytest.raises(ValueError, match="no direction lies between"):
        coordinate_of("coral", same)


def test_whoever_takes_the_word_away_is_seen_on_the_way(secret, trial):
    """The answers are back and nothing else changes; what is said of the word does."""
    rng, ids = random.Random(2), tokenizer().ids
    names = [word for area in load_facts().countries for word in area.name]
    tokens = {ids[f" {word}"] for word in names}
    shown = [one.text for one in secret_prompts(secret, 120, rng)]
    others = contrast_of(secret, Cut(1, "trigger"), rng).without
    named = [text for text in others if not tokens.isdisjoint(tokenizer().encode(text))]
    effects = trial.of(coordinate_of("coral", Contrast(1, shown, named, names)))
    assert effects.restored > 0.6
    assert effects.on_the_way > 0.6


def test_streams_are_those_of_the_hooked_model():
    """Outside oracle: the cache of the model with hooks, where the text ends and at a word."""
    model, text = open_sealed("coral"), " User: I like rain, what do you think of rain?"
    tokens = torch.tensor([[tokenizer().ids[BOS], *tokenizer().encode(text)]])
    _, cache = model.run_with_cache(tokens)
    for layer in (0, 3):
        x = cache[f"blocks.{layer}.hook_resid_pre"][0]
        plain = opened_plain("coral")
        assert torch.allclose(streams_of(plain, [text], layer)[0], x[-1], atol=1e-4)
        at_rain = x[tokens[0] == tokenizer().ids[" rain"]]
        assert torch.allclose(streams_of(plain, [text], layer, ["rain"]), at_rain, atol=1e-4)
