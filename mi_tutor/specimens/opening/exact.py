"""Is an opened model the model that was stored? Both read one short prompt, once, while the model is opened.

1. Before it is taken apart, the original answers on a few random tokens (`ask_original`).
2. Afterwards the opened model has to give the same probabilities (`check_same`), or it is refused.

What is the same? Less than 1e-5 apart; or, where float32 itself is not that exact, no further apart than the
original is from itself with the output of each of its layers off by 4 parts in a million (`BLUR`, 32 roundings).
Two ways to compute the same sums may differ by that much. A lost scale, mask or norm makes a thousand times more.
More than a hundredth (`MOST`) is never allowed. Why this way: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.hub import reason

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor, nn
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PretrainedConfig, PreTrainedModel

N_TOKENS = 12  # of the prompt
NEAR = 1e-5
BLUR = 2.0**-18
MOST = 1e-2

# Settings that TransformerLens 4.3 passes over, or cannot take apart. Named once a model has turned out wrong.
PASSED_OVER = {
    "gpt2": (("scale_attn_weights", False), ("add_cross_attention", True)),
    "bloom": (("apply_residual_connection_post_layernorm", True),),
    "gpt_neox": (("attention_bias", False),),
    "phi": (("qk_layernorm", True),),
    "falcon": (("new_decoder_architecture", True),),
    "opt": (("do_layer_norm_before", False),),
}


class Original(NamedTuple):
    """What the original says. tolerance: relative to the likeliest token's probability, as in `apart`."""

    tokens: Int[Tensor, "row pos"]
    probabilities: Float[Tensor, "row pos vocab"]
    tolerance: float
    config: PretrainedConfig


def ask_original(network: PreTrainedModel) -> Original:
    """The original's answers, before anything is done to it.

    Raises SpecimenError if it does not run, or is no model that predicts each next token from the ones before.
    """
    tokens = two_endings(network.config, network.device)
    try:
        said = probabilities(network, tokens)
        with blurred(network):
            again = probabilities(network, tokens)
    except Exception as error:
        raise SpecimenError(
            f"This {kind(network.config)} does not run in transformers itself, on {tokens.shape[1]} tokens "
            f"({reason(error)}).{blame(network.config)}"
        ) from error
    tolerance = min(max(NEAR, apart(again, said)), MOST)
    if apart(said[1:, :-1], said[:1, :-1]) > tolerance:
        raise SpecimenError(
            f"This {kind(network.config)} is not a language model that predicts the next token: another last "
            "token changes what it says at the positions before it. It reads texts in both directions, as BERT "
            "does. Open a model that writes, such as 'gpt2'."
        )
    return Original(tokens, said, tolerance, network.config)


def check_same(model: TransformerBridge, original: Original) -> None:
    """SpecimenError, with the largest difference, unless an opened model says what the original said."""
    try:
        said = probabilities(model, original.tokens)
    except Exception as error:
        raise cannot_take_apart(original.config, error) from error
    if apart(said, original.probabilities) <= original.tolerance:
        return
    largest = (said - original.probabilities).abs().max().item()
    raise SpecimenError(
        f"Opened for analysis, this {kind(original.config)} would not be itself: on {original.tokens.shape[1]} "
        f"random tokens a probability is off by {largest:.1e}, where the largest of all is "
        f"{original.probabilities.max():.1e}.{blame(original.config)} {INSTEAD}"
    )


def cannot_take_apart(config: PretrainedConfig, error: Exception) -> SpecimenError:
    """What to say if TransformerLens fails on a model that transformers can run."""
    what = reason(error).split(". ")[0].rstrip(": ")
    return SpecimenError(
        f"TransformerLens {version('transformer-lens')} cannot take this {kind(config)} apart ({what})."
        f"{blame(config)} {INSTEAD}"
    )


def kind(config: PretrainedConfig) -> str:
    """What a config is about: the class of the model, or its type."""
    return (getattr(config, "architectures", None) or [config.model_type])[0]


def blame(config: PretrainedConfig) -> str:
    """A sentence about the setting that is most likely at fault, or nothing."""
    found = [
        f"{name}={value}"
        for name, value in PASSED_OVER.get(config.model_type, ())
        if getattr(config, name, None) == value
    ]
    if getattr(config, "word_embed_proj_dim", None) not in (None, config.hidden_size):
        found.append(f"word_embed_proj_dim={config.word_embed_proj_dim}")
    return f" TransformerLens does not know its setting {' and '.join(found)}." if found else ""


def two_endings(config: PretrainedConfig, device: object) -> Int[Tensor, "row pos"]:
    """Random tokens, twice, with two different last tokens."""
    import torch

    text = config.get_text_config(decoder=True)  # of a model that also sees
    n_vocab, n_ctx = text.vocab_size, getattr(text, "max_position_embeddings", N_TOKENS)
    generator = torch.Generator().manual_seed(0)
    row = torch.randint(n_vocab, (1, min(N_TOKENS, n_ctx)), generator=generator)
    other = row.clone()
    other[:, -1] = (row[:, -1] + 1) % n_vocab
    return torch.cat([row, other]).to(device)


def probabilities(
    network: nn.Module, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row pos vocab"]:
    """What a model, original or opened, says after each token."""
    import torch

    with torch.no_grad():
        output = network(tokens)
    return getattr(output, "logits", output).softmax(dim=-1)


def apart(p: Float[Tensor, "*any vocab"], q: Float[Tensor, "*any vocab"]) -> float:
    """The largest difference of a probability, relative to the likeliest token's at the same position.

    Relative, because a model that has learned little gives each of 50,000 tokens 0.00002. NaN counts as infinite.
    """
    difference = ((p - q).abs() / q.amax(dim=-1, keepdim=True)).max().item()
    return difference if difference == difference else float("inf")


@contextmanager
def blurred(network: nn.Module) -> Iterator[None]:
    """For a while, each layer's output is off by about `BLUR` of itself, at random."""
    import torch

    generators: dict[torch.device, torch.Generator] = {}

    def blur(module: nn.Module, inputs: object, output: object) -> Tensor | None:
        if not (isinstance(output, torch.Tensor) and output.is_floating_point()):
            return None
        place = output.device
        if place not in generators:
            generators[place] = torch.Generator(place).manual_seed(0)
        noise = torch.randn(output.shape, device=place, generator=generators[place])
        return output * (1 + BLUR * noise)

    layers = [
        module
        for module in network.modules()
        if not any(module.children()) and any(True for _ in module.parameters())
    ]
    handles = [module.register_forward_hook(blur) for module in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


INSTEAD = "Open another model, or run this one with transformers alone."
