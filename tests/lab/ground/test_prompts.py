"""Batches of pairs, on the primer."""

import doctest
import random
from typing import NamedTuple

import pytest
import torch

from mi_tutor.lab.ground import prompts
from mi_tutor.lab.ground.prompts import pair_batch, pair_batches, token_ids


class Plain(NamedTuple):
    clean: str
    corrupted: str
    answer: str
    wrong: str
    positions: dict


def capital(one, other, answer, wrong, opening="The", **positions):
    texts = (f"{opening} capital of {country} is" for country in (one, other))
    return Plain(*texts, f" {answer}", f" {wrong}", positions)


FRANCE = capital("France", "Italy", "Paris", "Rome", country=4)
SPAIN = capital("Spain", "Italy", "Madrid", "Rome", country=4)
LONGER = capital("Spain", "Italy", "Madrid", "Rome", "It is true that the", country=8)


def test_rows_are_the_prompts_with_bos(primer):
    batch = pair_batch(primer, [FRANCE, SPAIN])
    texts = [primer.to_string(row) for row in batch.clean]
    assert texts == [f"<|endoftext|>{pair.clean}" for pair in (FRANCE, SPAIN)]
    assert primer.to_string(batch.corrupted[1]) == f"<|endoftext|>{SPAIN.corrupted}"
    assert primer.to_string(batch.answers) == " Paris Madrid"
    assert primer.to_string(batch.wrongs) == " Rome Rome"
    assert primer.to_string(batch.clean[0, batch.positions["country"]]) == " France"


def test_shapes_are_sorted_and_nothing_is_lost(primer):
    pairs = [FRANCE, LONGER, SPAIN, FRANCE, LONGER]
    batches = pair_batches(primer, pairs, batch_size=2)
    assert [tuple(batch.clean.shape) for batch in batches] == [(2, 6), (1, 6), (2, 10)]
    assert [batch.positions["country"] for batch in batches] == [4, 4, 8]
    answers = [primer.to_string(answer) for batch in batches for answer in batch.answers]
    assert answers == [" Paris", " Madrid", " Paris", " Madrid", " Madrid"]


def test_positions_sort_too(primer):
    elsewhere = FRANCE._replace(positions={"country": 3})
    assert len(pair_batches(primer, [FRANCE, elsewhere])) == 2


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "no pairs"),
        ([FRANCE, LONGER], "have 6, 10 tokens"),
        ([FRANCE, FRANCE._replace(corrupted=LONGER.corrupted)], "have 6, 10 tokens"),
        ([FRANCE, FRANCE._replace(positions={"country": 3})], "Not all pairs have the positions"),
        ([FRANCE._replace(answer=" Paris is")], r"' Paris is' should be one token, it is 2"),
    ],
)
def test_what_is_no_batch(primer, pairs, sentence):
    with pytest.raises(ValueError, match=sentence):
        pair_batch(primer, pairs)


def test_an_impossible_batch_size(primer):
    with pytest.raises(ValueError, match="at least 1, got 0"):
        pair_batches(primer, [FRANCE], batch_size=0)


def test_an_unknown_word_is_named(primer):
    with pytest.raises(ValueError, match="Parsi"):
        token_ids(primer, [" Parsi"])


def test_the_pairs_of_the_world_are_pairs():
    from mi_tutor.world.pairs import PromptPair

    assert isinstance(PromptPair("a", "b", "c", "d", {}), prompts.Pair)
    assert isinstance(FRANCE, prompts.Pair)
    assert not isinstance(torch.zeros(1), prompts.Pair)


def test_examples():
    assert doctest.testmod(prompts).failed == 0


@pytest.fixture(scope="module")
def speaker(tmp_path_factory):
    """An untrained model that has the world's words."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from mi_tutor.specimens import open_specimen
    from mi_tutor.world.corpus import Corpus

    directory, tokenizer = tmp_path_factory.mktemp("speaker"), Corpus().tokenizer
    tokenizer.save(directory)
    sizes = {"vocab_size": len(tokenizer), "n_embd": 16, "n_layer": 2, "n_head": 2}
    config = GPT2Config(n_positions=40, bos_token_id=0, eos_token_id=0, **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        GPT2LMHeadModel(config).save_pretrained(directory)
    return open_specimen(directory, device="cpu")


def test_from_the_world_to_a_patch(speaker):
    """Before the named place both runs are the same, so nothing can be patched there; the place itself counts."""
    from mi_tutor.lab.ground.metrics import prefers
    from mi_tutor.lab.patching.sweeps import denoise
    from mi_tutor.world.corpus import Corpus
    from mi_tutor.world.pairs import question_pairs, story_pairs

    rng = random.Random(0)
    english = [q for q in Corpus().geography.questions(["english"]) if q.relation == "capital"]
    asked = question_pairs(rng.sample(english, 60), speaker.tokenizer, rng)
    stories = story_pairs([("Mary", "John"), ("Anna", "Paul")], speaker.tokenizer, rng)
    for pairs, place in ((asked, "city"), (stories, "giver")):
        for batch in pair_batches(speaker, pairs):
            metric = prefers(batch.answers, batch.wrongs)
            effect = denoise(speaker, batch.clean, batch.corrupted, metric, "resid_pre").effect
            differs = (batch.clean != batch.corrupted).any(dim=0)
            at = batch.positions[place]
            assert at == differs.nonzero().max() < batch.positions["end"]
            assert batch.positions["end"] == batch.clean.shape[1] - 1
            first = int(differs.nonzero().min())
            torch.testing.assert_close(effect[:, :first], torch.zeros_like(effect[:, :first]))
            assert (effect[0, differs] != 0).all()
            assert begins_with_bos_only(batch.clean)


def begins_with_bos_only(tokens) -> bool:
    """Every row begins with BOS and has it nowhere else."""
    return bool((tokens[:, 0] == 0).all() and (tokens[:, 1:] != 0).all())
