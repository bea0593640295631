"""The shipped induction specimens: their cards hold, and hold again without our own tools."""

import json
import random
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from mi_tutor.specimens import (
    SpecimenError,
    card,
    checkpoint_steps,
    open_specimen,
    specimen_path,
)
from mi_tutor.specimens.induction import language as induction_language
from mi_tutor.specimens.opening.checkpoints import load_checkpoint

BOTH = ["induction-1l", "induction-2l"]
WORDS = range(1, 181)


def plain(name: str):
    """The model as any other tool opens it."""
    return AutoModelForCausalLM.from_pretrained(
        specimen_path(name), dtype=torch.float32, attn_implementation="eager"
    ).eval()


@pytest.fixture(scope="module")
def two_layers():
    return plain("induction-2l")


@pytest.fixture(scope="module")
def one_layer():
    return plain("induction-1l")


def losses(network, rows) -> torch.Tensor:
    """The loss of each token but the first, by transformers alone."""
    tokens = torch.tensor(rows)
    with torch.no_grad():
        log_probs = network(tokens).logits[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]


def repeated(n_block: int, seed: int, n_rows: int = 64) -> list[list[int]]:
    """BOS and two copies of a block, drawn here and not by our own code."""
    rng = random.Random(seed)
    return [[0, *(block := rng.sample(WORDS, n_block)), *block] for _ in range(n_rows)]


# ---- cards ----


@pytest.mark.parametrize("name", BOTH)
def test_every_goal_of_the_card_is_met(name):
    assert [m.name for m in card(name).measures if not m.meets_goal()] == []


def test_both_were_trained_alike():
    """Same data, same settings, same steps: only the number of layers differs."""
    one, two = (dict(card(name).recipe) for name in BOTH)
    differing = {key for key in one if one[key] != two[key]}
    assert differing - {"cpu_seconds"} == {"n_layers"}
    assert card(BOTH[0]).seed == card(BOTH[1]).seed
    assert one["cpu_seconds"] + two["cpu_seconds"] <= 300
    assert checkpoint_steps(BOTH[0]) == checkpoint_steps(BOTH[1])


# ---- what a learner is told, without our own tools ----


@pytest.mark.parametrize(("n_block", "highest"), [(6, 0.5), (15, 0.1), (30, 0.05)])
def test_two_layers_copy_blocks_of_any_length(two_layers, n_block, highest):
    loss = losses(two_layers, repeated(n_block, seed=n_block, n_rows=256))
    assert loss[:, :n_block].mean() > 5
    assert loss[:, n_block + 1 :].mean() < highest


@pytest.mark.parametrize("n_block", [15, 30])
def test_one_layer_does_not(one_layer, n_block):
    loss = losses(one_layer, repeated(n_block, seed=n_block))
    assert loss[:, n_block + 1 :].mean() > 0.75 * loss[:, :n_block].mean()


def test_one_layer_goes_by_rough_distance(one_layer, two_layers):
    """As its card says: with neighbours swapped most of its gain is left, and nothing of two layers'."""
    rows = repeated(24, seed=8, n_rows=256)
    swapped = [row[:25] + [row[25 + (i ^ 1)] for i in range(24)] for row in rows]
    others = [row[:25] + other[1:25] for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]

    def gain_left(network) -> float:
        whole, near, none = (
            losses(network, each)[:, 25:].mean().item() for each in (rows, swapped, others)
        )
        return (none - near) / (none - whole)

    assert gain_left(one_layer) > 0.75
    assert gain_left(two_layers) < 0.25


def test_no_positional_rule_would_do(two_layers):
    """Text before the block, other words between the copies: the distance is never the same, copying goes on."""
    rng = random.Random(7)
    ids = {word: i for i, word in enumerate(induction_language.vocabulary())}
    found = []
    for _ in range(40):
        before, between = (
            [ids[word] for word in induction_language.text(rng.randint(1, 9), rng)] for _ in "ab"
        )
        block = rng.sample([i for i in WORDS if i not in {*before, *between}], rng.randint(8, 20))
        row = [0, *before, *block, *between, *block]
        found.append(losses(two_layers, [row])[0, 1 - len(block) :].mean())
    assert torch.stack(found).mean() < 0.1


def test_the_card_s_losses_are_the_plain_model_s(two_layers, one_layer):
    for network, name in ((one_layer, BOTH[0]), (two_layers, BOTH[1])):
        loss = losses(network, repeated(30, seed=99, n_rows=256))
        assert loss[:, :30].mean().item() == pytest.approx(card(name)["loss_first"], abs=0.1)
        assert loss[:, 31:].mean().item() == pytest.approx(card(name)["loss_second"], abs=0.1)


def patterns(network, rows) -> torch.Tensor:
    """[layer row head query key]"""
    with torch.no_grad():
        return torch.stack(network(torch.tensor(rows), output_attentions=True).attentions)


def test_head_scores_on_the_card_are_the_plain_model_s(two_layers):
    """Query by query, in loops."""
    n, found = 30, patterns(two_layers, repeated(30, seed=5, n_rows=16))
    for layer in (0, 1):
        for head in range(4):
            each = found[layer, :, head].mean(dim=0)
            previous = sum(each[q, q - 1].item() for q in range(2, 2 * n + 1)) / (2 * n - 1)
            after_copy = sum(each[q, q - n + 1].item() for q in range(n + 1, 2 * n + 1)) / n
            about = pytest.approx
            assert previous == about(card(BOTH[1])["previous_token_scores"][layer][head], abs=0.03)
            assert after_copy == about(card(BOTH[1])["induction_scores"][layer][head], abs=0.03)


def test_deleting_the_previous_token_head_kills_the_induction_heads():
    """Outside oracle: its rows of W_O set to zero in the plain model."""
    network, rows, n = plain("induction-2l"), repeated(30, seed=6, n_rows=32), 30
    scores = card("induction-2l")["previous_token_scores"][0]
    head = max(range(4), key=scores.__getitem__)
    assert scores[head] >= 0.85 and sorted(scores)[-2] <= 0.3

    def induction() -> float:
        diagonal = patterns(network, rows)[1].diagonal(offset=1 - n, dim1=-2, dim2=-1)
        return diagonal[..., 2:].mean(dim=(0, 2)).max().item()

    assert induction() > 0.9
    network.transformer.h[0].attn.c_proj.weight.data[16 * head : 16 * head + 16] = 0
    assert induction() < 0.1
    assert losses(network, rows)[:, n + 1 :].mean() > 4


def test_k_composition_on_the_card_is_transformer_lens_s():
    model = open_specimen("induction-2l", device="cpu")
    theirs = model.all_composition_scores("K").detach()[0, :, 1]
    mine = torch.tensor(card("induction-2l")["k_composition_scores"])
    torch.testing.assert_close(mine, theirs.cpu(), atol=2e-3, rtol=0)


# ---- checkpoints ----


def test_checkpoints_begin_untrained_and_end_with_the_model(two_layers):
    steps = checkpoint_steps("induction-2l")
    assert steps == sorted(set(steps)) and len(steps) >= 20 and steps[0] == 0
    assert steps[-1] == card("induction-2l").recipe["n_steps"]
    network = plain("induction-2l")
    load_checkpoint(network, specimen_path("induction-2l"), steps[-1])
    for one, other in zip(network.parameters(), two_layers.parameters(), strict=True):
        assert torch.equal(one, other)
    load_checkpoint(network, specimen_path("induction-2l"), 0)
    assert network.transformer.wte.weight.std().item() == pytest.approx(0.06, rel=0.05)


@pytest.mark.parametrize("name", BOTH)
def test_numbers_over_training_are_the_plain_model_s(name):
    network, steps = plain(name), checkpoint_steps(name)
    table = next(m for m in card(name).measures if m.name == "losses_over_training")
    assert table.rows == tuple(map(str, steps))
    second = table.columns.index("second copy")
    for i in (0, len(steps) // 2, len(steps) - 1):
        load_checkpoint(network, specimen_path(name), steps[i])
        loss = losses(network, repeated(30, seed=4, n_rows=256))[:, 31:].mean().item()
        assert loss == pytest.approx(table.value[i][second], abs=0.1)


def test_opening_a_checkpoint_is_quick():
    """A chapter opens all of them in a row; 0.1 s on an idle machine."""
    seconds = []
    for step in checkpoint_steps("induction-2l")[:4]:
        begun = time.process_time()
        open_specimen("induction-2l", device="cpu", step=step)
        seconds.append(time.process_time() - begun)
    assert min(seconds) < 0.5


def test_steps_that_are_not_there():
    with pytest.raises(SpecimenError, match=r"no checkpoint at step 7\. It has: 0, 10, 30"):
        open_specimen("induction-2l", device="cpu", step=7)
    with pytest.raises(SpecimenError, match="'primer' comes without checkpoints"):
        open_specimen("primer", device="cpu", step=0)
    with pytest.raises(SpecimenError, match="'primer' comes without checkpoints"):
        checkpoint_steps("primer")


def test_a_damaged_checkpoint_file_is_named(tmp_path):
    copy = Path(shutil.copytree(specimen_path("induction-1l"), tmp_path / "copy"))
    file = copy / "checkpoints.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(SpecimenError, match="cut off or damaged"):
        open_specimen(copy, device="cpu", step=0)
    open_specimen(copy, device="cpu")  # the model itself is whole


# ---- files ----


@pytest.mark.parametrize("name", BOTH)
def test_files_are_small_and_ordinary(name):
    directory = specimen_path(name)
    assert not [file for file in directory.iterdir() if file.suffix in {".bin", ".pt", ".pkl"}]
    assert sum(f.stat().st_size for each in BOTH for f in specimen_path(each).iterdir()) < 6e6
    config = json.loads((directory / "config.json").read_text())
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert config["tie_word_embeddings"] is False


@pytest.mark.parametrize("name", BOTH)
def test_mlps_are_zero_in_the_files(name):
    """Not only small: every weight and bias, so that attention is all there is."""
    with safe_open(specimen_path(name) / "model.safetensors", "pt") as weights:
        mlps = [key for key in weights.keys() if ".mlp." in key]  # noqa: SIM118
        assert len(mlps) == 4 * card(name).recipe["n_layers"]
        assert not any(weights.get_tensor(key).any() for key in mlps)
    with safe_open(specimen_path(name) / "checkpoints.safetensors", "pt") as weights:
        assert not [key for key in weights.keys() if ".mlp." in key]  # noqa: SIM118


def test_tokenizer_has_one_token_per_word():
    tokenizer = AutoTokenizer.from_pretrained(specimen_path("induction-2l"))
    assert tokenizer.convert_ids_to_tokens(range(181)) == induction_language.vocabulary()
    ids = tokenizer("old fox hides", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "old fox hides"
    model = open_specimen("induction-2l", device="cpu")
    assert model.to_str_tokens("old fox hides") == ["<|endoftext|>", "old", "fox", "hides"]
    with pytest.raises(SpecimenError, match="'foxy' \\(nearest: 'fox'") as caught:
        model.to_tokens("old foxy hides")
    assert "leading space" not in str(caught.value)  # these words have none
