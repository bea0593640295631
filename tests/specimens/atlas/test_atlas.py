"""`atlas` does what its card says: on the shipped weights, and seen from outside by plain transformers."""

import random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from mi_tutor.specimens import card, open_specimen, specimen_path
from mi_tutor.specimens.atlas.prompts import chosen
from mi_tutor.specimens.atlas.recipe import ATLAS, training_batches
from mi_tutor.specimens.cards.writing import as_markdown
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.geography import Geography
from mi_tutor.world.leaks import find_leaks
from mi_tutor.world.tables import load_facts

DIRECTORY = specimen_path("atlas")
STATES = {"kind": "state", "language": "english"}
LAYER = 2


@pytest.fixture(scope="module")
def plain():
    network = AutoModelForCausalLM.from_pretrained(DIRECTORY, dtype=torch.float32)
    return network.eval(), AutoTokenizer.from_pretrained(DIRECTORY)


@pytest.fixture(scope="module")
def questions():
    return chosen(Geography(), **STATES)


def with_bos(tokenizer, text):
    return torch.tensor(
        [[tokenizer.bos_token_id, *tokenizer.encode(text, add_special_tokens=False)]]
    )


def test_every_goal_is_reached():
    assert [m.name for m in card("atlas").measures if not m.meets_goal()] == []
    assert "**missed**" not in (DIRECTORY / "card.md").read_text(encoding="utf-8")


def test_transformers_alone_gets_the_same_answers(plain, questions):
    network, tokenizer = plain
    some = random.Random(0).sample([q for q in questions if q.held_out_by == "pair"], 60)
    right = 0
    for question in some:
        with torch.no_grad():
            logits = network(with_bos(tokenizer, question.prompt.text)).logits[0, -1]
        right += tokenizer.convert_ids_to_tokens(logits.argmax().item()) == question.answer
    assert right / 60 == pytest.approx(card("atlas")["two_hops_pairs"], abs=0.05)


def test_a_swap_with_nothing_but_transformers(plain, questions):
    """Dallas asked, California put in: means, edit and answer by a hook on the plain network's block."""
    network, tokenizer = plain
    capital = {area.name.english: area.answers["capital"].english for area in load_facts().states}
    taught = [q for q in questions if q.held_out_by is None]
    held_out = [q for q in questions if q.held_out_by and q.relation == "capital"]

    def place(question):
        ends = tokenizer.encode(question.prompt.text[: question.name_end], add_special_tokens=False)
        return len(ends)  # BOS stands before them

    def stream(question):
        with torch.no_grad():
            states = network(
                with_bos(tokenizer, question.prompt.text), output_hidden_states=True
            ).hidden_states
        return states[LAYER][0, place(question)]

    def mean(state):
        return torch.stack([stream(q) for q in taught if q.city.area == state]).mean(0)

    def answer(question, step):
        def edit(module, inputs):
            (x, *others) = inputs
            x = x.clone()
            x[0, place(question)] += step
            return (x, *others)

        handle = network.transformer.h[LAYER].register_forward_pre_hook(edit)
        try:
            with torch.no_grad():
                logits = network(with_bos(tokenizer, question.prompt.text)).logits[0, -1]
        finally:
            handle.remove()
        return tokenizer.convert_ids_to_tokens(logits.argmax().item())

    means = {state: mean(state) for state in ("Texas", "California", "Ohio", "Maine")}
    tests = [(q, t) for q in held_out if q.city.area in means for t in means if t != q.city.area]
    assert len(tests) >= 20
    follows = [answer(q, means[t] - means[q.city.area]) == f" {capital[t]}" for q, t in tests]
    assert sum(follows) / len(follows) == pytest.approx(card("atlas")["swap"], abs=0.15)
    generator = torch.Generator().manual_seed(0)
    for question, target in tests[:10]:
        step = means[target] - means[question.city.area]
        other = torch.randn(step.shape, generator=generator)
        assert answer(question, other * step.norm() / other.norm()) != f" {capital[target]}"


def test_the_real_training_stream_leaks_nothing():
    """Chunks of the very rows that atlas was trained on."""
    n_chunks = ATLAS.config.n_steps // 50
    tokenizer, geography = Corpus().tokenizer, Geography()
    for chunk in random.Random(0).sample(range(n_chunks), 2):
        batches = training_batches(ATLAS, chunk, n_batches=50)
        texts = [tokenizer.decode(row) for tokens, _ in batches for row in tokens.tolist()]
        rows = [text for text in texts if " is " in text or " est " in text or " es " in text]
        assert len(rows) > 500
        assert list(find_leaks(rows, load_facts(), geography.split)) == []


def test_bridge_and_plain_network_agree(plain):
    network, tokenizer = plain
    model = open_specimen("atlas", device="cpu")
    tokens = with_bos(tokenizer, " The capital of the state of Dallas is")
    with torch.no_grad():
        ours = model(tokens).log_softmax(-1)
        theirs = network(tokens).logits.log_softmax(-1)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)


def test_the_readable_card_is_the_card():
    assert (DIRECTORY / "card.md").read_text(encoding="utf-8") == as_markdown(card("atlas"))
