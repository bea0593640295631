"""What the cards of cross-layer transcoders say: their errors by layer, and the model with them in place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries import activation_rows
from mi_tutor.lab.ground.device import one_thread
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.tracing import (
    CrossLayerTranscoder,
    LayerTranscoders,
    Transcoder,
    Transcoders,
    attribution_graph,
    graph_scores,
    local_replacement,
    open_clt,
    replaced_logits,
    transcoder_metrics,
)
from mi_tutor.specimens.atlas.prompts import by_length, chosen, next_token_logits
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.dictionaries.measures import kept_model, kept_texts, number, training_rows
from mi_tutor.world.geography import Geography

MARKING = 12  # the seed of texts that training has not seen
N_ROWS = 300  # of them
EVERY = 8  # two-hop prompt is traced
TWO_HOPS = {"held_out_by": "city", "language": "english", "kind": "state"}


@torch.no_grad()
def measure_cross_layer(directory: Path, model_name: str) -> list[Measure]:
    """All measures of a card, on the CPU."""
    with one_thread():
        clt = open_clt(directory)
        plain = plain_transformer(kept_model(model_name, device="cpu"))
        return [
            *measure_layers(clt, model_name),
            *measure_in_place(clt, plain, model_name),
            *measure_graphs(clt, plain),
        ]


@lru_cache(maxsize=1)
def read_mlps(model_name: str) -> tuple[Tensor, Tensor]:
    """What all MLPs read and write on texts that training has not seen, [token layer d_model]."""
    model = kept_model(model_name, device="cpu")
    tokens = kept_texts(MARKING, N_ROWS, "names", model=model_name).tokens
    rows = activation_rows(model, tokens, "mlps")
    return tuple(part.unflatten(1, (model.cfg.n_layers, -1)) for part in rows)


def measure_layers(clt: CrossLayerTranscoder, model_name: str) -> list[Measure]:
    """L0, FVU and dead latents: of all layers together, and of each."""
    x, y = read_mlps(model_name)
    seen = transcoder_metrics(clt, x, y)
    table = torch.stack(list(seen), dim=1)
    return [
        number("l0", "latents on per token, all layers together", seen.l0.sum().item(), 0.5),
        number(
            "fvu",
            "fraction of variance unexplained, mean over layers",
            seen.fvu.mean().item(),
            0.001,
        ),
        number(
            "dead",
            f"share of latents never on in {len(x):,} tokens",
            seen.dead.mean().item(),
            0.01,
        ),
        Measure(
            name="layers",
            meaning="the same, layer by layer",
            value=[[round(value, 4) for value in row] for row in table.tolist()],
            tolerance=0.5,
            rows=tuple(map(str, range(clt.n_layers))),
            columns=("l0", "fvu", "dead"),
            columns_title="",
        ),
    ]


def measure_in_place(
    clt: CrossLayerTranscoder, plain: PlainTransformer, model_name: str
) -> list[Measure]:
    """What the model still does with the transcoder in place of all MLPs."""
    recovered = loss_recovered_by_all(clt, plain, model_name)
    return [
        number(
            "recovered_zero",
            "share of the loss recovered with it in place of all MLPs, against zeros in their place",
            recovered,
            0.002,
        ),
        number(
            "two_hops",
            "held-out two-hop prompts whose first guess stays the model's with it in place of all MLPs",
            same_first_guess(clt, plain),
            0.01,
        ),
    ]


def measure_graphs(transcoders: Transcoders, plain: PlainTransformer) -> list[Measure]:
    """The scores of graphs of some held-out two-hop prompts, the median of each."""
    found = []
    for _, tokens in by_length(two_hop_texts()[::EVERY]):
        for prompt in tokens:
            local = local_replacement(plain, transcoders, prompt)
            found.append(graph_scores(attribution_graph(local, prompt)))
    replacement, completeness = torch.tensor(found).median(dim=0).values.tolist()
    of = f"of the graphs of {len(found)} held-out two-hop prompts, median"
    return [
        number("replacement", f"replacement score {of}", replacement, 0.005),
        number("completeness", f"completeness score {of}", completeness, 0.005),
    ]


def loss_recovered_by_all(
    transcoders: Transcoders, plain: PlainTransformer, model_name: str
) -> float:
    """(loss with MLPs at zero - loss with transcoders) / (loss with MLPs at zero - the model's loss)."""
    clean, ablated = losses_without(model_name)
    spliced = sum(
        per_position_loss(replaced_logits(plain, transcoders, tokens), tokens).sum().item()
        for tokens in training_rows(model_name)
    )
    return (ablated - spliced) / (ablated - clean)


@lru_cache(maxsize=1)
def losses_without(model_name: str) -> tuple[float, float]:
    """The losses on these rows with the MLPs as they are and with nothing in their place, summed over tokens."""
    plain = plain_transformer(kept_model(model_name, device="cpu"))
    d = plain.W_E.shape[1]
    nothing = Transcoder(
        W_enc=torch.zeros(d, 1),
        b_enc=torch.zeros(1),
        W_dec=torch.zeros(1, d),
        b_dec=torch.zeros(d),
    )
    silent = LayerTranscoders([nothing] * len(plain.blocks))
    clean = ablated = 0.0
    for tokens in training_rows(model_name):
        logits = plain.logits_after(-1, plain.embed(tokens))
        clean += per_position_loss(logits, tokens).sum().item()
        logits = replaced_logits(plain, silent, tokens)
        ablated += per_position_loss(logits, tokens).sum().item()
    return clean, ablated


def two_hop_texts() -> list[str]:
    """Held-out two-hop questions about the state of a city."""
    return [question.prompt.text for question in chosen(Geography(), **TWO_HOPS)]


def same_first_guess(transcoders: Transcoders, plain: PlainTransformer) -> float:
    """How often the replacement model's first guess is the model's, on held-out two-hop prompts."""
    same = []
    for _, tokens in by_length(two_hop_texts()):
        guess = replaced_logits(plain, transcoders, tokens)[:, -1].argmax(dim=-1)
        same.append(guess == next_token_logits(plain, tokens).argmax(dim=-1))
    return torch.cat(same).float().mean().item()
