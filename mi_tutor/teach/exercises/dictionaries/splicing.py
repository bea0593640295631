"""Chapter 02, does the model still work? `loss-recovered`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.copies import EDITED, a_specimen, without_gradients
from mi_tutor.teach.exercises.reading.primer import SPECIMEN, n_layers, primer


def loss_recovered(model: Any, tokens: Tensor, name: str, reconstruct: Any) -> float:
    """The share of the loss that is recovered when the activation of a hook is replaced."""
    layer, component, _ = lab.site_of(name)
    return lab.loss_recovered(model, [tokens], layer, component, reconstruct).recovered


@functools.cache
def _directions(seed: int, rank: int) -> Tensor:
    made = torch.randn(primer().cfg.d_model, rank, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(made).Q


def a_reconstruction(seed: int, rank: int, scale: float) -> Handle:
    """Keeps `rank` random directions of an activation, and moves it a little."""

    def open_it() -> Any:
        kept = _directions(seed, rank)
        return lambda x: scale * (x @ kept) @ kept.T + 0.1 * kept[:, 0]

    return Handle(f"a reconstruction that keeps {rank} directions", open_it)


def _recovered_cases(g: torch.Generator) -> list[Case]:
    last = n_layers() - 1
    settings = [
        ("the stream, a good reconstruction", 5, 9, f"{last}.hook_resid_pre", 60, 1.0),
        ("the first layer's attention, a bad one", 3, 7, "0.hook_attn_out", 30, 0.8),
        ("an MLP of another model, a single text", 1, 12, f"{last}.hook_mlp_out", 48, 0.9),
        ("worse than zeros: a negative share", 2, 8, "1.hook_mlp_out", 60, -2.0),
    ]
    seeds = torch.randint(10_000, (len(settings),), generator=g).tolist()
    cases = []
    for (label, n, length, name, rank, scale), seed in zip(settings, seeds, strict=True):
        tokens = torch.randint(1, primer().cfg.d_vocab, (n, length), generator=g)
        tokens[:, 0] = primer().tokenizer.bos_token_id
        inputs = {
            "model": a_specimen(SPECIMEN + EDITED * (n == 1)),
            "tokens": tokens,
            "name": f"blocks.{name}",
            "reconstruct": a_reconstruction(seed, rank, scale),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _from(first, change):
    """A hook that changes the activation from position `first` on."""
    return lambda stream, hook: torch.cat([stream[:, :first], change(stream)[:, first:]], dim=1)


def _loss(model, tokens, name, change, *, first=1, at=None, last=False):
    """The mean loss with `change` of the activation, from position `first` on."""
    where = at(name) if at else name
    logits = model.run_with_hooks(tokens, fwd_hooks=[(where, _from(first, change))])
    losses = per_position_loss(logits, tokens)
    return losses[:, -1].mean() if last else losses.mean()


def _three(model, tokens, name, reconstruct, ablate=torch.zeros_like, **options):
    return [
        _loss(model, tokens, name, change, **options)
        for change in (lambda x: x, reconstruct, ablate)
    ]


def _share(combine, **options):
    def answer(model, tokens, name, reconstruct):
        clean, spliced, ablated = _three(model, tokens, name, reconstruct, **options)
        return combine(clean, spliced, ablated).item()

    return answer


def _right(clean, spliced, ablated):
    return (ablated - spliced) / (ablated - clean)


def _in_place(model, tokens, name, reconstruct):
    def into(make):
        def hook(stream, hook):
            stream = stream.clone()
            stream[:, 1:] = make(stream[:, 1:])
            return stream

        logits = model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])
        log_p = logits[:, :-1].log_softmax(-1)
        return -log_p.gather(-1, tokens[:, 1:, None]).mean()

    clean, spliced, ablated = into(lambda x: x), into(reconstruct), into(lambda x: 0 * x)
    return 1 - (spliced - clean) / (ablated - clean)


def _with_context(model, tokens, name, reconstruct):
    losses = []
    for change in (None, reconstruct, lambda x: torch.zeros_like(x)):

        def hook(stream, hook, change=change):
            kept = torch.arange(stream.shape[1])[None, :, None] == 0
            return torch.where(kept, stream, change(stream))

        hooks = [] if change is None else [(name, hook)]
        with model.hooks(fwd_hooks=hooks):
            logits = model(tokens)
        flat = logits[:, :-1].flatten(0, 1)
        losses.append(torch.nn.functional.cross_entropy(flat, tokens[:, 1:].flatten()).item())
    return _right(*losses)


def _bos_replaced_in(run: int):
    """Position 0 is replaced in one of the runs (1: spliced, 2: zeros) and kept in the other."""

    def answer(model, tokens, name, reconstruct):
        losses = _three(model, tokens, name, reconstruct)
        losses[run] = _three(model, tokens, name, reconstruct, first=0)[run]
        return _right(*losses).item()

    return answer


def _unshifted(model, tokens, name, reconstruct, shift=0):
    """Each logit is held against the token that it stands on, or the first one comes round again at the end."""
    losses = []
    for change in (lambda x: x, reconstruct, torch.zeros_like):
        logits = model.run_with_hooks(tokens, fwd_hooks=[(name, _from(1, change))])
        log_p = logits.log_softmax(-1)
        losses.append(-log_p.gather(-1, tokens.roll(-shift, dims=1)[..., None]).mean())
    return _right(*losses).item()


def _hooks_pile_up(model, tokens, name, reconstruct):
    """`add_hook` for each run and no removal: zeros first, and the reconstruction of these zeros after them."""
    try:
        losses = [per_position_loss(model(tokens), tokens).mean()]
        for change in (torch.zeros_like, reconstruct):
            model.add_hook(name, _from(1, change))
            losses.append(per_position_loss(model(tokens), tokens).mean())
    finally:
        model.reset_hooks()
    clean, ablated, spliced = losses
    return _right(clean, spliced, ablated).item()


def _left_behind(model, tokens, name, reconstruct):
    share = _share(_right)(model, tokens, name, reconstruct)
    model.add_hook(name, lambda stream, hook: reconstruct(stream))
    return share


LOSS_RECOVERED = Exercise(
    slug="loss-recovered",
    title="Does the model still work?",
    chapter="02",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Splice a reconstruction into the model, and measure which share of its loss survives.",
    cases=_recovered_cases,
    reference=loss_recovered,
    run=without_gradients,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    time_limit=30.0,
    styles=(
        Style(name="a hook that writes into a copy", right=_in_place),
        Style(name="a context manager, cross_entropy", right=_with_context),
    ),
    mistakes=(
        Mistake(
            name="BOS replaced too",
            wrong=_share(_right, first=0),
            sentence="Position 0 is replaced too. It holds BOS, which is no word and whose activation is like no other: leave it as it is, in both "
            "runs.",
        ),
        Mistake(
            name="BOS replaced where it is zeroed",
            wrong=_bos_replaced_in(2),
            sentence="In the run with zeros position 0 is replaced too. It keeps its own activation in all runs, or they are not comparable.",
        ),
        Mistake(
            name="BOS replaced where it is spliced",
            wrong=_bos_replaced_in(1),
            sentence="In the run with the reconstruction position 0 is replaced too. It keeps its own activation in all runs, or they are not comparable.",
        ),
        Mistake(
            name="no shift",
            wrong=_unshifted,
            sentence="You hold the logits at a position against the token AT this position. They predict the next one: logits[:, :-1] belong to "
            "tokens[:, 1:].",
        ),
        Mistake(
            name="the first token comes round again",
            wrong=lambda *args: _unshifted(*args, shift=1),
            sentence="The last position has no next token, and yours counts the row's first token as its next. Leave the last logits out.",
        ),
        Mistake(
            name="hooks pile up",
            wrong=_hooks_pile_up,
            sentence="A hook of an earlier run is still on the model in the next one. Use `run_with_hooks`, or `with model.hooks(...)`, which take it "
            "off again.",
        ),
        Mistake(
            name="what is lost",
            wrong=_share(lambda c, s, a: (s - c) / (a - c)),
            sentence="This is the share that is LOST. Recovered is what is left: 1 for a perfect reconstruction.",
        ),
        Mistake(
            name="not relative to the clean loss",
            wrong=_share(lambda c, s, a: (a - s) / a),
            sentence="You divide by the ablated loss itself. Even a perfect reconstruction would not reach 1 then: the most that can be recovered "
            "is ablated - clean.",
        ),
        Mistake(
            name="a ratio of losses",
            wrong=_share(lambda c, s, a: c / s),
            sentence="This is clean loss over spliced loss. Without the ablated run there is no zero point: a model that is knocked out has a finite "
            "loss too.",
        ),
        Mistake(
            name="the difference alone",
            wrong=_share(lambda c, s, a: a - s),
            sentence="These are nats, ablated minus spliced. Divide by ablated minus clean to have a share.",
        ),
        Mistake(
            name="mean ablation",
            wrong=_share(
                _right,
                ablate=lambda x: torch.zeros_like(x) + x[:, 1:].mean(dim=(0, 1)),
            ),
            sentence="You compare with the MEAN activation. That is a fair choice and another one: here the zero point is an activation of zeros.",
        ),
        Mistake(
            name="the stream after the block",
            wrong=_share(_right, at=lambda name: f"blocks.{lab.site_of(name)[0]}.hook_resid_post"),
            sentence="You replace the stream AFTER the block. Replace what the hook called `name` gives, and nothing else.",
        ),
        Mistake(
            name="the last prediction only",
            wrong=_share(_right, last=True),
            sentence="You take the loss of the last prediction only. Average over all predictions: every position but the last has a next token.",
        ),
        Mistake(
            name="hooks left behind",
            wrong=_left_behind,
            sentence="The share is right, and a hook is left on the model: everything that is computed after you will be wrong. Use "
            "`run_with_hooks`, or `with model.hooks(...)`.",
        ),
        Mistake(
            name="reconstruction error added",
            wrong=lambda model, tokens, name, reconstruct: _share(_right)(
                model, tokens, name, lambda x: 2 * x - reconstruct(x)
            ),
            sentence="You subtract the reconstruction where it should stand in for the activation. Return the reconstruction itself from the hook.",
        ),
    ),
    hints=(
        "Three runs: as it is, with the reconstruction, with zeros. Only what the hook returns differs.",
        "A hook function takes (activation, hook) and gives back the activation that the model should go on with. `run_with_hooks(tokens, fwd_hooks=[(name, "
        "function)])` removes it again.",
        "Are the three losses equal, so that you divide by 0? Then your hook changes nothing: it has to return what the model should go on with.",
        "Keep position 0: clone the stream, and write into [:, 1:]. The loss of token t is -log p of it at position t - 1.",
    ),
)
