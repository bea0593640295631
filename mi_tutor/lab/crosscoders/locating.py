"""Where does a model know a fact? Causal tracing (Meng et al. 2022).

    clean       the prompt as it is:                              p(answer)
    corrupted   noise on the subject's embedding:                 p*(answer)
    restored    noise as before, ONE activation put back clean:   p_restored(answer)

    indirect effect of a site = p_restored - p*

A site whose clean activation brings the answer back carries what the noise destroyed. That is patching (chapter
04) with noise in place of another prompt.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer

COMPONENTS = ("resid_pre", "attn_out", "mlp_out")


@torch.no_grad()
def probability(
    logits: Float[Tensor, "prompt vocab"], answers: Int[Tensor, "prompt"]
) -> Float[Tensor, "prompt"]:
    """What the answers get.

    >>> probability(torch.zeros(1, 4), torch.tensor([2]))
    tensor([0.2500])
    """
    return logits.softmax(dim=-1)[torch.arange(len(answers)), answers]


def corrupted(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    subject: Int[Tensor, "prompt"],
    noise: Float[Tensor, "prompt d_model"],
) -> Float[Tensor, "prompt pos d_model"]:
    """What enters the first block, with noise on the subject's token."""
    rows = torch.arange(len(tokens), device=tokens.device)
    return plain.embed(tokens).index_put((rows, subject), noise, accumulate=True)


@torch.no_grad()
def restored(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    subject: Int[Tensor, "prompt"],
    noise: Float[Tensor, "prompt d_model"],
    answers: Int[Tensor, "prompt"],
    component: str = "mlp_out",
) -> Float[Tensor, "layer pos prompt"]:
    """The answer's probability with noise on the subject and one activation clean, for each layer and position."""
    if component not in COMPONENTS:
        raise ValueError(f"component {component!r}; one of {', '.join(COMPONENTS)} is asked for.")
    clean, noisy = plain.embed(tokens), corrupted(plain, tokens, subject, noise)
    found = []
    for layer in range(len(plain.blocks)):
        clean_at, noisy_at = (plain.complete(layer, {"resid_pre": x}) for x in (clean, noisy))
        row = []
        for position in range(tokens.shape[1]):
            part = noisy_at[component].clone()
            part[:, position] = clean_at[component][:, position]
            known = {component: part}
            if component != "resid_pre":  # what the site is added to
                before = "resid_pre" if component == "attn_out" else "resid_mid"
                known[before] = noisy_at[before]
            after = plain.complete(layer, known)["resid_post"]
            row.append(probability(plain.logits_after(layer, after, read=-1)[:, 0], answers))
        found.append(torch.stack(row))
        clean, noisy = clean_at["resid_post"], noisy_at["resid_post"]
    return torch.stack(found)
