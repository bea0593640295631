"""The fast forward pass against transformers' own, with every weight random (new GPT-2s have biases of 0)."""

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from mi_tutor.specimens import specimen_path
from mi_tutor.specimens.training.forward import early_patterns, fast_forward
from mi_tutor.specimens.training.settings import next_token_loss


def random_gpt2(**changes) -> GPT2LMHeadModel:
    usual = {
        "vocab_size": 50,
        "n_positions": 16,
        "n_embd": 24,
        "n_layer": 3,
        "n_head": 3,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = GPT2LMHeadModel(
            GPT2Config(**usual | dropout | changes, attn_implementation="eager")
        )
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return network.eval()


TOKENS = torch.randint(50, (4, 13), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation_function": "gelu"},
        {"activation_function": "relu", "n_inner": 1},
        {"tie_word_embeddings": False, "n_head": 1, "layer_norm_epsilon": 1e-2},
    ],
    ids=["usual", "gelu", "relu, one neuron", "untied, one head, other epsilon"],
)
def test_logits_and_gradients_are_those_of_transformers(changes):
    network = random_gpt2(**changes)
    theirs = network(TOKENS, labels=TOKENS)
    torch.testing.assert_close(fast_forward(network, TOKENS), theirs.logits, atol=2e-5, rtol=1e-5)
    loss = next_token_loss(network, TOKENS)
    torch.testing.assert_close(loss, theirs.loss)
    mine = torch.autograd.grad(loss, list(network.parameters()))
    for one, other in zip(
        mine, torch.autograd.grad(theirs.loss, list(network.parameters())), strict=True
    ):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-4)


def test_the_shipped_primer_too():
    network = AutoModelForCausalLM.from_pretrained(specimen_path("primer")).eval()
    with torch.no_grad():
        torch.testing.assert_close(
            fast_forward(network, TOKENS), network(TOKENS).logits, atol=1e-4, rtol=1e-4
        )


def test_early_patterns_are_transformers_own():
    network = random_gpt2()
    theirs = network(TOKENS, output_attentions=True).attentions
    for n_layers in (1, 2, 3):
        ours = early_patterns(network, TOKENS, n_layers)
        assert len(ours) == n_layers
        for mine, reference in zip(ours, theirs, strict=False):
            torch.testing.assert_close(mine, reference, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"activation_function": "tanh"}, "got 'tanh'"),
        ({"scale_attn_weights": False}, "scale_attn_weights false"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx true"),
    ],
)
def test_what_it_does_not_do_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        fast_forward(random_gpt2(**changes), TOKENS)
