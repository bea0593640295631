"""The dictionaries of refusing: which text they see, and their recipe in small."""

from dataclasses import replace

import torch

from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.specimens import card, open_dictionary, open_specimen
from mi_tutor.specimens.atlas import all_requests, tokenizer
from mi_tutor.specimens.dictionaries import refusing
from mi_tutor.specimens.dictionaries.refusing import REFUSING, SHARE, samples, text
from mi_tutor.world.themes import requests as theme


def test_requests_are_those_of_the_world():
    asked = all_requests()
    texts = [f" {tokenizer().decode(row[1:].tolist())}" for row in asked.tokens]
    deeds, things = (
        torch.tensor([any(f" {word}" in each for word in words) for each in texts])
        for words in (theme.HARMFUL_DEEDS, theme.HARMFUL_THINGS)
    )
    assert torch.equal(asked.deed, deeds) and torch.equal(asked.thing, things)
    cues = {cue.prompt.text: (cue.right, cue.held_out) for cue in theme.cues()}
    assert set(texts) == set(cues)
    for each, bad, new in zip(texts, asked.harmful, asked.held_out, strict=True):
        assert cues[each] == ((theme.REFUSAL if bad else theme.HELP,), bool(new))
    some = asked.only(asked.harmful)
    assert len(some.tokens) == 110 and some.refusal == asked.refusal


def test_no_sample_of_the_second_is_of_a_request_with_a_harmful_thing(monkeypatch):
    monkeypatch.setattr(refusing, "N_ROWS", 32)
    plain = plain_transformer(open_specimen("atlas", device="cpu"))
    batch = text(plain, 0)
    taken, asked = (as_rows(batch.stream[each].float()) for each in (batch.things, batch.asked))
    seen, everything = (as_rows(samples(plain, 0, things=each)) for each in (False, True))
    asked = set(asked)
    assert taken and not set(taken) & set(seen)
    assert set(taken) & set(everything)
    share = sum(row in asked for row in seen) / len(seen)
    assert abs(share - SHARE) < 0.02


def as_rows(x):
    return [tuple(row) for row in x.tolist()]


def test_a_training_in_small(tmp_path, monkeypatch):
    monkeypatch.setattr(refusing, "N_ROWS", 64)
    monkeypatch.setattr(refusing, "N_CHUNKS", 2)
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    recipe = REFUSING["atlas-refusals"]
    small = replace(recipe.config, n_steps=2, batch_size=32, sparsity_warmup=0)
    made = replace(recipe, config=small).make(tmp_path / "small", seed=3, progress=False)
    assert made == card(tmp_path / "small") and made.seed == 3
    assert open_dictionary(tmp_path / "small").d_sae == small.d_sae
