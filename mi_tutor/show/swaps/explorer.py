"""The swap explorer: choose a question and a state to swap in, and see the answers before and after, live."""

from __future__ import annotations

import html
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.swaps import streams
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.drawing.inputs import same_length
from mi_tutor.show.drawing.require import require
from mi_tutor.world.geography import Geography
from mi_tutor.world.tables import LANGUAGES, RELATIONS
from mi_tutor.world.tokenizer import BOS, WorldTokenizer

ipywidgets = require("ipywidgets", "the explorer")

N_ANSWERS = 5
WIDTH, ROW = 800, 26


def swap_explorer(
    plain: PlainTransformer,
    tokenizer: WorldTokenizer,
    means: Float[Tensor, "layer state d_model"],
    city: str = "Dallas",
    target: str = "California",
) -> SwapExplorer:
    """Choose a city, a state to swap in, a relation, a language, a layer and a strength.

    Every change runs the model twice, once as it is and once with strength × (mean of the target − mean of the
    city's own state) added where the city's name ends, before the chosen layer.

    Args:
        plain: a specimen that speaks the world's language.
        tokenizer: its tokenizer.
        means: mean stream of each state at the name's end, before each layer (later rows are not used).
        city: where to begin.
        target: which state to swap in at first.
    """
    return SwapExplorer(plain, tokenizer, means, city, target)


class SwapExplorer(ipywidgets.VBox):
    """Five choices and a strength, a sentence and a picture; made by `swap_explorer`."""

    def __init__(
        self,
        plain: PlainTransformer,
        tokenizer: WorldTokenizer,
        means: Tensor,
        city: str,
        target: str,
    ) -> None:
        self._plain, self._means = plain, means
        self._tokenizer = tokenizer
        self._geography = Geography()
        states = self._geography.facts.states
        same_length("means", means[0], "states", len(states))
        self._states = {area.name.english: number for number, area in enumerate(states)}
        self._cities = {
            f"{each.name.english} ({area.name.english})": each
            for area in states
            for each in area.asked_cities
        }
        start = next(label for label in self._cities if label.startswith(f"{city} ("))
        n_layers = len(plain.blocks)
        self.city = _menu("city", list(self._cities), start)
        self.target = _menu("swap in", list(self._states), target)
        relations = [(each.replace("_", " "), each) for each in RELATIONS["state"]]
        self.relation = _menu("relation", relations, "capital")
        self.language = _menu("language", list(LANGUAGES), "english")
        self.layer = _menu("before layer", list(range(n_layers)), min(2, n_layers - 1))
        self.strength = ipywidgets.FloatSlider(
            description="strength", min=0.0, max=6.0, step=0.25, value=1.0,
            style={"description_width": "90px"}, layout={"width": "380px", "max_width": "100%"},
        )  # fmt: skip
        self._sentence, self._picture = ipywidgets.HTML(), ipywidgets.HTML()
        choices = (
            self.city,
            self.target,
            self.relation,
            self.language,
            self.layer,
            self.strength,
        )
        for choice in choices:
            choice.observe(self._draw, "value")
        self._draw()
        box = ipywidgets.Box(choices, layout={"flex_flow": "row wrap", "grid_gap": "0 24px"})
        super().__init__([box, self._sentence, self._picture])

    @property
    def words(self) -> str:
        """What is seen now, in a sentence."""
        before, after = self._shown
        wanted = self._answer(self.target.value)
        sentence = (
            f"“{self._text()} …”: {before[0][0]} ({before[0][1]:.0%}) before the swap, {after[0][0]} "
            f"({after[0][1]:.0%}) after it."
        )
        if wanted == self._answer(self._own()):
            return f"{sentence} Both states have the same answer, so this tests nothing."
        follows = "The answer followed" if after[0][0] == wanted else "The answer did not follow"
        return f"{sentence} {follows}: for {self.target.value} it would be {wanted}."

    def _own(self) -> str:
        return self._cities[self.city.value].area

    def _answer(self, state: str) -> str:
        area = self._geography.facts[state]
        return area.answers[self.relation.value].given(self.language.value)

    def _question(self) -> tuple[str, str]:
        """The prompt, and the prompt up to the end of the city's name."""
        city = self._cities[self.city.value]
        sentence = self._geography.ask(city, self.relation.value, self.language.value)
        prompt = sentence.before("answer").text
        name = f" {city.name.given(self.language.value)}"
        return prompt, prompt[: prompt.index(name) + len(name)]

    def _text(self) -> str:
        return self._question()[0].strip()

    @torch.no_grad()
    def _run(self) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """The most likely answers with their probabilities, before and after the swap."""
        prompt, until_name = self._question()
        bos = self._tokenizer.ids[BOS]
        tokens = torch.tensor([[bos, *self._tokenizer.encode(prompt)]])
        place = len(self._tokenizer.encode(until_name))
        layer = self.layer.value
        stream = streams(self._plain, tokens)[layer]
        own, target = (self._states[each] for each in (self._own(), self.target.value))
        edited = stream.clone()
        edited[0, place] += self.strength.value * (
            self._means[layer, target] - self._means[layer, own]
        )
        both = torch.cat([stream, edited])
        logits = self._plain.logits_after(layer - 1, both, read=-1)[:, 0]
        before, after = logits.softmax(dim=-1)
        return self._top(before), self._top(after)

    def _top(self, probabilities: Tensor) -> list[tuple[str, float]]:
        best = probabilities.topk(N_ANSWERS)
        names = _names(self._tokenizer)
        return [
            (names[token].strip(), p)
            for p, token in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]

    def _draw(self, _: Any = None) -> None:
        self._shown = self._run()
        self._sentence.value = (
            '<div role="status" aria-live="polite" style="line-height:1.5;max-width:800px">'
            f"{html.escape(self.words)}</div>"
        )
        self._picture.value = answers_drawing(*self._shown, self.words)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the picture and the sentence."""
        words = "Swap explorer (run the cell to change the question). "
        fallback = {
            "image/svg+xml": answers_drawing(*self._shown, self.words),
            "text/plain": words + self.words,
        }
        return {**super()._repr_mimebundle_(**kwargs), **fallback}


def answers_drawing(
    before: list[tuple[str, float]], after: list[tuple[str, float]], alt: str
) -> str:
    """Two bar charts side by side: the most likely answers before and after, as SVG."""
    half = WIDTH // 2
    sides = ((0, "before the swap", before), (half, "after the swap", after))
    parts = [_bars(left, heading, answers) for left, heading, answers in sides]
    return svg.drawing(WIDTH, 76 + ROW * len(before), alt, *parts)


def _bars(left: float, heading: str, answers: list[tuple[str, float]]) -> str:
    start, width = left + 170, 160
    parts = [
        svg.text(left + 200, 18, heading, theme.PANEL_SIZE, font_weight="bold"),
        svg.text(start + width / 2, 58 + ROW * len(answers), "probability"),
    ]
    for row, (name, share) in enumerate(answers):
        middle = 50 + ROW * row
        color = theme.CATEGORICAL[0] if row == 0 else theme.MUTED
        short = name if len(name) <= 22 else f"{name[:21]}…"
        parts.append(svg.text(start - 8, middle, short, text_anchor="end"))
        parts.append(
            svg.tag(
                "rect", x=start, y=middle - 9, width=float(width * share), height=18, fill=color
            )
        )
        at = start + width * share + 6
        parts.append(svg.text(at, middle, f"{share:.2f}", text_anchor="start"))
    return "".join(parts)


@cache
def _names(tokenizer: WorldTokenizer) -> dict[int, str]:
    return {number: token for token, number in tokenizer.ids.items()}


def _menu(name: str, options: list, value: Any) -> Any:
    return ipywidgets.Dropdown(
        description=name, options=options, value=value, style={"description_width": "90px"},
        layout={"width": "380px", "max_width": "100%"},
    )  # fmt: skip
