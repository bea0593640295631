"""The shipped `primer`: its files are ordinary, its card is true, and its numbers hold without our own tools."""

import json
import random
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from mi_tutor.specimens import SpecimenError, card, specimen_path
from mi_tutor.specimens.cards import write_card
from mi_tutor.specimens.cards.writing import as_markdown
from mi_tutor.specimens.primer import language as primer_language
from mi_tutor.specimens.recipes import verify

DIRECTORY = specimen_path("primer")


@pytest.fixture(scope="module")
def plain():
    """The model and tokenizer as any other tool opens them."""
    model = AutoModelForCausalLM.from_pretrained(DIRECTORY).eval()
    return model, AutoTokenizer.from_pretrained(DIRECTORY)


def guesses(plain, texts: list[str]) -> list[str]:
    """The most likely next token of each text, one by one, with nothing but transformers."""
    model, tokenizer = plain
    found = []
    for text in texts:
        ids = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            found.append(tokenizer.decode([int(model(torch.tensor([ids])).logits[0, -1].argmax())]))
    return found


def test_every_goal_of_the_card_is_met():
    assert [m.name for m in card("primer").measures if not m.meets_goal()] == []


@pytest.mark.parametrize(
    ("prompts", "measure"),
    [
        (primer_language.fact_prompts(held_out=True), "facts_held_out"),
        (primer_language.story_prompts(held_out=True), "stories_held_out"),
    ],
)
def test_accuracy_on_the_card_is_the_plain_model_s(plain, prompts, measure):
    right = [
        g == p.answer
        for g, p in zip(guesses(plain, [p.text for p in prompts]), prompts, strict=True)
    ]
    assert sum(right) / len(right) == pytest.approx(card("primer")[measure], abs=0.02)
    assert sum(right) / len(right) >= 0.95


def test_lists_are_copied_by_the_plain_model(plain):
    rng, right = random.Random(11), []
    for _ in range(30):
        words = primer_language.repeated_list(6, rng).removesuffix(";").split(";")
        told, again = words[0], words[1].split()
        text = f"{told}; {' '.join(again[:-1])}"
        right.append(guesses(plain, [text])[0] == f" {again[-1]}")
    assert sum(right) / len(right) >= 0.9


def test_head_effects_on_the_card_are_those_of_deleted_weights(plain):
    """Outside oracle: rows of W_O set to zero in the plain model, on the card's example."""
    model, tokenizer = plain
    text = re.search(
        r'after "(.+)"',
        next(m.meaning for m in card("primer").measures if m.name == "example_probability"),
    )[1]
    ids = torch.tensor([[0, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
    answer = tokenizer.get_vocab()[" Mary"]

    def logit() -> float:
        with torch.no_grad():
            last = model(ids).logits[0, -1]
        return (last[answer] - last.mean()).item()  # the card's logits are centred

    intact, d_head = logit(), 16
    assert intact == pytest.approx(card("primer")["example_logit"], abs=0.01)
    for layer, row in enumerate(card("primer")["example_head_effects"]):
        for head, effect in enumerate(row):
            weight = model.transformer.h[layer].attn.c_proj.weight.data
            rows = slice(head * d_head, (head + 1) * d_head)
            kept = weight[rows].clone()
            weight[rows] = 0
            assert logit() - intact == pytest.approx(effect, abs=0.01), (layer, head)
            weight[rows] = kept


def test_files_are_small_and_ordinary():
    names = {file.name for file in DIRECTORY.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert {"card.json", "card.md"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert sum(file.stat().st_size for file in DIRECTORY.iterdir()) < 2_000_000
    with safe_open(DIRECTORY / "model.safetensors", "pt") as weights:
        assert {weights.get_tensor(name).dtype for name in weights.keys()} == {torch.float32}  # noqa: SIM118
    config = json.loads((DIRECTORY / "config.json").read_text())
    assert config["architectures"] == ["GPT2LMHeadModel"]


def test_tokenizer_is_the_language_s(plain):
    _, tokenizer = plain
    assert tokenizer.convert_ids_to_tokens(range(len(tokenizer))) == primer_language.vocabulary()
    assert tokenizer.bos_token_id == tokenizer.eos_token_id == 0


# ---- cards ----


def test_the_readable_card_is_the_card():
    assert (DIRECTORY / "card.md").read_text(encoding="utf-8") == as_markdown(card("primer"))


def test_a_card_survives_writing_and_reading(tmp_path):
    write_card(card("primer"), tmp_path)
    assert card(tmp_path) == card("primer")


def test_a_card_gives_its_values_by_name():
    assert card("primer")["facts_held_out"] >= 0.95
    with pytest.raises(KeyError, match=r"no 'speed'. It has: facts_held_out"):
        card("primer")["speed"]


def test_cards_that_cannot_be_read(copied):
    with pytest.raises(SpecimenError, match="Did you mean 'primer'"):
        card("prime")
    (copied / "card.json").write_text('{"measures": []}')
    with pytest.raises(SpecimenError, match="not a specimen's card"):
        card(copied)


def test_verify_notices_a_changed_model(copied, monkeypatch):
    from mi_tutor.specimens.opening import shelf

    (copied / "card.json").write_text((copied / "card.json").read_text())
    weights = Path(copied / "model.safetensors")
    raw = bytearray(weights.read_bytes())
    raw[-40_000:] = bytes(40_000)
    weights.write_bytes(bytes(raw))
    copied.rename(copied.parent / "primer")
    monkeypatch.setattr(shelf, "SHELF", copied.parent)
    broken = {verdict.name for verdict in verify("primer") if not verdict.holds}
    assert "sha256 of the weights" in broken
    assert len(broken) > 3
