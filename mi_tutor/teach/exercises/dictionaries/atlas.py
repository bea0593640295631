"""Chapter 02, a dictionary for `atlas`: `train-on-atlas`."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Property, Style
from mi_tutor.teach.exercises.copies import opened

SPECIMEN, HOOK = "atlas", "blocks.2.hook_attn_out"
DICTIONARY, DENSE = "atlas-attn2", "atlas-attn2-dense"
N_LATENTS = 256
MOST_ON = 4.0  # latents per token
WORST, WORST_AT_SLOTS = 0.25, 0.2  # FVU
MOST_DEAD = 0.25  # share of latents
COPY = 64  # as many latents on per token as half of the activation's dimensions: it is copied


class HeldOut(NamedTuple):
    """Activations of texts that training has not seen: all tokens, and those before an answer alone."""

    rows: Tensor
    at_slots: Tensor


def atlas() -> Any:
    """The specimen, to be read and run by us."""
    return opened(SPECIMEN)


@functools.cache
def held_out(seed: int) -> HeldOut:
    texts = labelled_texts(seed=seed, n_rows=150)
    rows = lab.activation_rows(atlas(), texts.tokens, HOOK)
    return HeldOut(rows, rows[texts.chosen[:, 1:].flatten()])


def shipped(name: str) -> lab.Sae:
    """A dictionary that comes with the course."""
    from mi_tutor.specimens.opening.dictionaries import open_dictionary

    return open_dictionary(name)


def _cases(g: torch.Generator) -> list[Case]:
    seed = 500_000 + int(torch.randint(3, (1,), generator=g))
    texts = Handle("texts that training has not seen", functools.partial(held_out, seed))
    return [Case(label="on texts that training has not seen", inputs={"texts": texts})]


def _run(answer: Any, texts: HeldOut) -> dict[str, Any]:
    """What it makes of the texts. It is measured where it is judged, not where it runs."""
    if not callable(getattr(answer, "encode", None)):
        raise TypeError(
            "this is no dictionary: it has no `encode`. What train_sae returns has one: trained.sae"
        )
    with torch.no_grad():
        return {
            "latents": answer.encode(texts.rows),
            "rows": answer(texts.rows),
            "at_slots": answer(texts.at_slots),
        }


def _measured(value: dict[str, Tensor], texts: Handle) -> dict[str, float]:
    """What is asked of a dictionary, of what it made."""
    latents, truth = value["latents"], texts.open()
    return {
        "fvu": lab.fvu(truth.rows, value["rows"]),
        "fvu_slots": lab.fvu(truth.at_slots, value["at_slots"]),
        "l0": lab.l0(latents),
        "dead": (latents <= 0).all(dim=0).double().mean().item(),
        "n_latents": latents.shape[-1],
    }


def _view(value: dict[str, Tensor], texts: Handle) -> dict[str, bool]:
    """What is asked of it, and what tells its mistakes apart."""
    measured = _measured(value, texts)
    return {goal.name: goal.holds(value, texts) for goal in GOALS} | {
        "better than the mean activation": measured["fvu"] < 0.99,
        "half of the variance explained": measured["fvu"] < 0.5,
        f"fewer than {COPY} latents on per token": measured["l0"] < COPY,
    }


def _property(name: str, holds: Any, sentence: Any) -> Property:
    """A property of the measures."""
    return Property(
        name=name,
        holds=lambda value, texts: holds(_measured(value, texts)),
        sentence=lambda value, texts: sentence(_measured(value, texts)),
    )


def _goal(name: str, most: float, advice: str, form: str = ".3f") -> Property:
    """One measure that may be at most so large, and what to try when it is larger."""

    def sentence(value: dict[str, float]) -> str:
        return f"{MEANS[name]} is {value[name]:{form}}; asked for: at most {most:{form}}. {advice}"

    return _property(
        f"{MEANS[name]}: at most {most:{form}}", lambda value: value[name] <= most + 1e-6, sentence
    )


MEANS = {
    "fvu": "FVU on texts as they are",
    "fvu_slots": "FVU where an answer is due",
    "l0": "The number of latents on per token",
    "dead": "The share of dead latents",
}
GOALS = (
    _property(
        name=f"{N_LATENTS} latents",
        holds=lambda value: value["n_latents"] == N_LATENTS,
        sentence=lambda value: f"It has {value['n_latents']} latents; asked for: {N_LATENTS}.",
    ),
    _goal("l0", MOST_ON, "The kind decides it: TopK(k=4), or fewer.", form=".2f"),
    _goal(
        "fvu",
        WORST,
        f"Is it trained on {HOOK}? Then take more steps, a learning rate of some thousandths, or a larger k (at most 4).",
    ),
    _goal(
        "fvu_slots",
        WORST_AT_SLOTS,
        "Tokens before an answer are a ninth of the text and most of what we want to read: let training see them more "
        "often (`share`).",
    ),
    _property(
        name="FVU where an answer is due: lower than on all text",
        holds=lambda value: value["fvu_slots"] < value["fvu"],
        sentence=lambda value: (
            f"FVU where an answer is due is {value['fvu_slots']:.3f}, and {value['fvu']:.3f} on texts as they are: it describes all "
            "other tokens better than those that we want to read. Let training see them more often (`share`)."
        ),
    ),
    _goal(
        "dead",
        MOST_DEAD,
        "What brings dead latents back is `revive`: with Auxiliary(k=64, weight=0.5) they matter enough, and dead_after says "
        "after how many samples a latent counts as dead.",
        form=".1%",
    ),
)


class Other:
    """Something that encodes and decodes, made when it is first needed."""

    __name__ = "dictionary"

    def __init__(self, make: Any, encode: Any = None) -> None:
        self._make = functools.cache(make)
        self._encode = encode

    def encode(self, x: Tensor) -> Tensor:
        return self._encode(self._make(), x) if self._encode else self._make().encode(x)

    def __call__(self, x: Tensor) -> Tensor:
        return self._make().decode(self.encode(x))


def _untrained() -> lab.Sae:
    made = torch.randn(128, 256, generator=torch.Generator().manual_seed(0))
    W_dec = lab.unit_decoder(made.T)
    zeros = torch.zeros(256), torch.zeros(128)
    return lab.Sae(W_enc=W_dec.T, b_enc=zeros[0], W_dec=W_dec, b_dec=zeros[1], kind=lab.TopK(k=4))


def _identity() -> lab.Sae:
    """As many latents as it takes to copy: each direction, forwards and backwards."""
    both = torch.cat([torch.eye(128), -torch.eye(128)])
    return lab.Sae(W_enc=both.T, b_enc=torch.zeros(256), W_dec=both, b_dec=torch.zeros(128))


TRAIN_ON_ATLAS = Exercise(
    slug="train-on-atlas",
    title="A dictionary for a language model",
    chapter="02",
    points=4,
    minutes=12,
    difficulty=3,
    objective="Train a dictionary on a language model's activations, with samples and settings that you choose, and hold it to what was asked.",
    cases=_cases,
    reference=Other(lambda: _most_frequent(shipped(DICTIONARY))),
    run=_run,
    view=_view,
    properties=GOALS,
    time_limit=60.0,
    asked_for="the dictionary itself, trained.sae",
    styles=(
        Style(name="in double precision", right=Other(
            lambda: _most_frequent(shipped(DICTIONARY)).to(torch.float64),
            encode=lambda sae, x: sae.encode(x.double()),
        )),
        Style(name="latents in another order", right=Other(lambda: part(shipped(DICTIONARY), _order().flip(0)))),
    ),
    mistakes=(
        Mistake(
            name="not trained",
            wrong=Other(_untrained),
            sentence="This reconstructs worse than the mean activation would. Either it has hardly been trained (did FVU fall?), or it was trained on "
            f"another activation than {HOOK}.",
        ),
        Mistake(
            name="dense latents",
            wrong=Other(lambda: part(shipped(DENSE), torch.arange(N_LATENTS))),
            sentence="It reconstructs well and has more than 4 latents on per token. Sparsity is what is asked here: TopK(k=4).",
        ),
        Mistake(
            name="a copy",
            wrong=Other(_identity),
            sentence="This copies the activation: about as many latents are on per token as it has dimensions, and none of them says anything by itself. Take TopK(k=4).",
        ),
        Mistake(
            name="activations in another scale",
            wrong=Other(
                lambda: _most_frequent(shipped(DICTIONARY)), encode=lambda sae, x: sae.encode(0.2 * x)
            ),
            sentence="It is sparse and alive, and yet its reconstructions are far off. Was it trained on activations in another scale, or of another "
            f"place, than {HOOK}?",
        ),
    ),
    hints=(
        "`lab.ActivationSource(model=model, name=HOOK, texts=training_texts(n_rows=300), share=0.9)` gives samples of which 90 % are tokens before an "
        "answer.",
        "Make a few chunks once and use them again and again: `lambda i: chunks[i % len(chunks)]`.",
        "If dead latents are many: `revive=Auxiliary(k=64, weight=0.5)` and a `dead_after` of some thousand samples. If FVU is too high: more steps, or a "
        "learning rate of a few thousandths.",
    ),
)  # fmt: skip


def part(sae: lab.Sae, latents: Tensor) -> lab.Sae:
    """Some of its latents, in this order."""
    tensors = {
        "W_enc": sae.W_enc[:, latents],
        "b_enc": sae.b_enc[latents],
        "W_dec": sae.W_dec[latents],
    }
    return lab.Sae(**tensors, b_dec=sae.b_dec, kind=sae.kind, threshold=sae.threshold)


@functools.cache
def _order() -> Tensor:
    """The shipped dictionary's most frequent latents: it has a few more than are asked for."""
    on = shipped(DICTIONARY).encode(held_out(500_003).rows) > 0
    return on.sum(dim=0).argsort(descending=True, stable=True)[:N_LATENTS]


def _most_frequent(sae: lab.Sae) -> lab.Sae:
    return part(sae, _order())
