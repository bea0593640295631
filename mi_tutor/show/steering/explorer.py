"""The steering desk: a slider for each vector, the text before and after, and what it costs, live."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.drawing.require import require
from mi_tutor.world.tokenizer import BOS, WorldTokenizer

ipywidgets = require("ipywidgets", "the steering desk")

N_NEW, TEMPERATURE = 12, 0.7
WIDTH, ROW = 800, 34
WORST_LOSS = 8.0  # nats per token: the meter's end, more than a guess by frequency costs


class Vector(NamedTuple):
    """What a slider turns up: so many times this is added to the stream before a layer, at every token but BOS."""

    layer: int
    vector: Float[Tensor, " d_model"]


class Seen(NamedTuple):
    """What the model writes, and how it does on other text. valid is None where nothing judges sentences."""

    texts: tuple[str, ...]
    loss: float
    valid: float | None


def steering_desk(
    plain: PlainTransformer,
    tokenizer: WorldTokenizer,
    vectors: Mapping[str, Vector | tuple[int, Tensor]],
    prompts: Sequence[str],
    rows: Int[Tensor, "row pos"],
    valid: Callable[[list[int]], float] | None = None,
    strengths: Mapping[str, float] | None = None,
) -> SteeringDesk:
    """Turn vectors up and down, and see what the model writes before and after, and what that costs.

    Chance is the same before and after (one draw of noise for each token to come), so that what differs is due to
    the vectors. Each change writes one text per prompt and reads the rows once.

    Args:
        plain: a specimen that speaks the world's language.
        tokenizer: its tokenizer.
        vectors: for each slider's name the layer before which, and what, is added at strength 1. A latent's row of
            W_dec times its largest activation makes the slider a clamp in multiples of that.
        prompts: texts to go on from; a few short ones.
        rows: ordinary text, whose loss is the second half of the meter; some hundred tokens.
        valid: of a text's tokens (without BOS) the share that belongs to sentences of the language, as
            `specimens.atlas.mark_texts` says it. Without it the meter has the loss only.
        strengths: where sliders begin; 0 if not said.
    """
    return SteeringDesk(plain, tokenizer, vectors, prompts, rows, valid, strengths or {})


class SteeringDesk(ipywidgets.VBox):
    """Sliders, a sentence, a meter and a table of texts; made by `steering_desk`."""

    def __init__(
        self,
        plain: PlainTransformer,
        tokenizer: WorldTokenizer,
        vectors: Mapping[str, Any],
        prompts: Sequence[str],
        rows: Tensor,
        valid: Callable[[list[int]], float] | None,
        strengths: Mapping[str, float],
    ) -> None:
        if not vectors or not prompts:
            raise ValueError("The steering desk needs at least one vector and one prompt.")
        if unknown := set(strengths) - set(vectors):
            raise ValueError(f"strengths names {sorted(unknown)}, and there is no such vector.")
        self._plain, self._tokenizer, self._valid = plain, tokenizer, valid
        self._vectors = {name: _checked(plain, name, each) for name, each in vectors.items()}
        self._prompts, self._rows = list(prompts), rows
        self._words = {number: token for token, number in tokenizer.ids.items()}
        self._starts = [[tokenizer.ids[BOS], *tokenizer.encode(text)] for text in prompts]
        shape = (N_NEW, len(self._starts), len(plain.W_E))
        self._noise = -(-torch.rand(shape, generator=seeded(0)).clamp_min(1e-9).log()).log()
        self.sliders = {name: _slider(name, strengths.get(name, 0.0)) for name in self._vectors}
        self._sentence, self._picture = ipywidgets.HTML(), ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        self._before = self._see({})
        for slider in self.sliders.values():
            slider.observe(self._draw, "value")
        self._draw()
        super().__init__([*self.sliders.values(), self._sentence, self._picture, self._table])

    @property
    def words(self) -> str:
        """What is seen now, in a sentence."""
        turned = {name: s.value for name, s in self.sliders.items() if s.value}
        if not turned:
            return f"Nothing is turned up: {_measures(self._before)}"
        what = ", ".join(f"{name} × {value:g}" for name, value in turned.items())
        same = sum(a == b for a, b in zip(self._before.texts, self._after.texts, strict=True))
        return (
            f"With {what}: {_measures(self._after)} Before: {_measures(self._before)} "
            f"{same} of {len(self._prompts)} texts {'is' if same == 1 else 'are'} as before."
        )

    @torch.no_grad()
    def _see(self, strengths: Mapping[str, float]) -> Seen:
        """The texts and the measures at some strengths."""
        steps: dict[int, Tensor] = {}
        for name, strength in strengths.items():
            if strength:
                layer, vector = self._vectors[name]
                steps[layer] = steps.get(layer, 0.0) + strength * vector
        logits = self._logits(self._rows, steps)[:, :-1]
        loss = cross_entropy(logits.flatten(0, 1), self._rows[:, 1:].flatten()).item()
        rows = self._written(steps)
        texts = tuple(
            "".join(self._words[token] for token in row[len(start) :])
            for row, start in zip(rows, self._starts, strict=True)
        )
        if self._valid is None:
            return Seen(texts, loss, None)
        return Seen(texts, loss, sum(self._valid(row[1:]) for row in rows) / len(rows))

    def _logits(self, tokens: Tensor, steps: Mapping[int, Tensor]) -> Tensor:
        plain, x = self._plain, self._plain.embed(tokens)
        for layer in range(len(plain.blocks) + 1):
            if layer in steps:
                x = torch.cat([x[:, :1], x[:, 1:] + steps[layer]], dim=1)
            x = plain.block(layer, x) if layer < len(plain.blocks) else x
        return plain.logits_after(len(plain.blocks) - 1, x)

    def _written(self, steps: Mapping[int, Tensor]) -> list[list[int]]:
        """The tokens of one text for each prompt, with the prompt.

        Shorter prompts are filled up on the right, where nobody looks yet.
        """
        rows = [list(start) for start in self._starts]
        room = len(self._plain.W_pos)
        for noise in self._noise:
            ends = torch.tensor([len(row) - 1 for row in rows])
            width = min(room, int(ends.max()) + 1)
            tokens = torch.zeros(len(rows), width, dtype=torch.long)
            for i, row in enumerate(rows):
                tokens[i, : len(row)] = torch.tensor(row[:width])
            logits = self._logits(tokens, steps)[torch.arange(len(rows)), ends.clamp(max=width - 1)]
            best = (logits / TEMPERATURE + noise).argmax(dim=-1).tolist()
            for row, token in zip(rows, best, strict=True):
                if len(row) < room:
                    row.append(token)
        return rows

    def _draw(self, _: Any = None) -> None:
        self._after = self._see({name: slider.value for name, slider in self.sliders.items()})
        self._sentence.value = (
            '<div role="status" aria-live="polite" style="line-height:1.5;max-width:800px">'
            f"{html.escape(self.words)}</div>"
        )
        self._picture.value = meter_drawing(self._before, self._after, self.words)
        self._table.value = _texts_table(self._prompts, self._before.texts, self._after.texts)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the meter, the sentence and the texts."""
        lines = [
            f"{prompt.strip()} … before: {old.strip()!r}; after: {new.strip()!r}"
            for prompt, old, new in zip(
                self._prompts, self._before.texts, self._after.texts, strict=True
            )
        ]
        said = "\n".join(
            ["Steering desk (run the cell to turn vectors up and down). " + self.words, *lines]
        )
        fallback = {
            "image/svg+xml": meter_drawing(self._before, self._after, self.words),
            "text/plain": said,
        }
        return {**super()._repr_mimebundle_(**kwargs), **fallback}


def meter_drawing(before: Seen, after: Seen, alt: str) -> str:
    """Bars of the loss and of the share of valid sentences, before and after, as SVG."""
    measures = [("loss, nats per token", before.loss, after.loss, WORST_LOSS)]
    if before.valid is not None and after.valid is not None:
        measures.insert(0, ("sentences that are valid", before.valid, after.valid, 1.0))
    parts, start, width = [], 230, 420
    for row, (name, old, new, most) in enumerate(measures):
        top = 16 + 2 * ROW * row
        parts.append(svg.text(12, top + 12, name, text_anchor="start"))
        for shift, (when, value) in enumerate((("before", old), ("after", new))):
            middle = top + 24 * shift
            color = theme.CATEGORICAL[0] if when == "after" else theme.MUTED
            long = float(width * min(1.0, max(0.0, value / most)))
            parts.append(svg.tag("rect", x=start, y=middle - 8, width=long, height=16, fill=color))
            more = " (off the scale)" if value > most else ""
            label = f"{when}: {value:.2f}{more}"
            parts.append(svg.text(start + long + 6, middle, label, text_anchor="start"))
    return svg.drawing(WIDTH, 2 * ROW * len(measures) + 8, alt, *parts)


def _texts_table(prompts: Sequence[str], before: Sequence[str], after: Sequence[str]) -> str:
    cell = '<td style="text-align:left;vertical-align:top;padding:2px 10px">{}</td>'
    head = "".join(
        f'<th scope="col" style="text-align:left;padding:2px 10px">{name}</th>'
        for name in ("prompt", "before", "after")
    )
    rows = "".join(
        "<tr>" + "".join(cell.format(html.escape(each.strip())) for each in row) + "</tr>"
        for row in zip(prompts, before, after, strict=True)
    )
    caption = "What the model writes after each prompt"
    return (
        f'<table style="max-width:800px"><caption>{caption}</caption><tr>{head}</tr>{rows}</table>'
    )


def _measures(seen: Seen) -> str:
    if seen.valid is None:
        return f"the loss on other text is {seen.loss:.2f} nats per token."
    valid = f"{seen.valid:.0%} of the sentences are valid"
    return f"{valid}, and the loss on other text is {seen.loss:.2f} nats per token."


def _checked(plain: PlainTransformer, name: str, each: Any) -> Vector:
    layer, vector = each
    n_layers, d_model = len(plain.blocks), plain.W_E.shape[1]
    if not 0 <= layer <= n_layers or tuple(vector.shape) != (d_model,):
        raise ValueError(
            f"{name!r} should be a layer from 0 to {n_layers} and a vector of {d_model} numbers; "
            f"got layer {layer} and shape {tuple(vector.shape)}."
        )
    return Vector(layer, vector.detach())


def _slider(name: str, value: float) -> Any:
    """Arrow keys move it by a quarter; letting go of it, or of the key, draws."""
    return ipywidgets.FloatSlider(
        description=name, min=-4.0, max=10.0, step=0.25, value=value, continuous_update=False,
        description_allow_html=False, tooltip=f"strength of {name}",
        style={"description_width": "160px"}, layout={"width": "560px", "max_width": "100%"},
    )  # fmt: skip
