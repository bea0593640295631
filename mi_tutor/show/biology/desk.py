"""The plan desk: a first line, another plan, a token and a layer; and the second line before and after."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.biology import Step, fitting, write_line
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.swaps import random_like
from mi_tutor.show.drawing.require import require

ipywidgets = require("ipywidgets", "the plan desk")

KINDS = ("the plan's own step", "a random step of the same length")


class Couplets(NamedTuple):
    """First lines of one length, and what is said of them.

    tokens, plans: first lines up to the line break, and the plan of each.
    template: the second line, a token or None. goes_with: whether a word goes with a plan in a blank.
    vocabulary: every token as text. names: every plan's name.
    """

    tokens: Int[Tensor, "prompt pos"]
    plans: Int[Tensor, prompt]
    template: Sequence[int | None]
    goes_with: Bool[Tensor, "blank plan vocab"]
    vocabulary: Sequence[str]
    names: Sequence[str]


def plan_desk(
    models: Mapping[str, PlainTransformer],
    means: Mapping[str, Float[Tensor, "layer pos plan d_model"]],
    couplets: Couplets | tuple[Any, ...],
    layer: int = 1,
) -> PlanDesk:
    """Put another plan in at one token of a first line, and see how the second line is written before and after.

    Args:
        models: one or more models that write couplets, by name.
        means: of each model the mean stream of every plan, at every token of a first line, before every layer.
        couplets: first lines and what belongs to them (see `Couplets`).
        layer: the layer that is chosen at first; the token chosen at first is the last one, the line break.
    """
    return PlanDesk(models, means, Couplets(*couplets), layer)


class PlanDesk(ipywidgets.VBox):
    """Six menus, a sentence and a table of the two lines; made by `plan_desk`."""

    def __init__(
        self,
        models: Mapping[str, PlainTransformer],
        means: Mapping[str, Tensor],
        couplets: Couplets,
        layer: int,
    ) -> None:
        _check(models, means, couplets, layer)
        self._models, self._means, self._couplets = dict(models), dict(means), couplets
        n_layers, n_pos = next(iter(means.values())).shape[:2]
        shown = [repr(self._text(row)) for row in couplets.tokens.tolist()]
        labels = [f"{place}: {each}" for place, each in enumerate(self._column())]
        own = int(couplets.plans[0])
        self.menus = {
            "model": _menu("model", [(name, name) for name in models], next(iter(models))),
            "line": _menu("first line", [(each, i) for i, each in enumerate(shown)], 0),
            "plan": _menu(
                "plan put in",
                [(name, i) for i, name in enumerate(couplets.names)],
                (own + 1) % len(couplets.names),
            ),
            "place": _menu("at token", [(each, i) for i, each in enumerate(labels)], n_pos - 1),
            "layer": _menu("before layer", [(str(i), i) for i in range(n_layers)], layer),
            "step": _menu("step", [(each, i) for i, each in enumerate(KINDS)], 0),
        }
        self._sentence, self._table = ipywidgets.HTML(), ipywidgets.HTML()
        self.menus["line"].observe(self._name_tokens, "value")
        for menu in self.menus.values():
            menu.observe(self._draw, "value")
        self._draw()
        super().__init__([*self.menus.values(), self._sentence, self._table])

    @property
    def words(self) -> str:
        """What is seen now, in a sentence."""
        chosen, names = self._chosen(), self._couplets.names
        own = int(self._couplets.plans[chosen["line"]])
        what = KINDS[chosen["step"]]
        n = len(self._fits)
        return (
            f"{chosen['model']}, before layer {chosen['layer']}, at token {chosen['place']}: {what} from "
            f"“{names[own]}” to “{names[chosen['plan']]}”. Before: “{self._line(self._before)}” After: "
            f"“{self._line(self._after)}” {sum(self._fits)} of {n} words follow the plan put in."
        )

    def _chosen(self) -> dict[str, Any]:
        return {name: menu.value for name, menu in self.menus.items()}

    def _text(self, row: Sequence[int]) -> str:
        """A first line without BOS."""
        return "".join(self._couplets.vocabulary[token] for token in row[1:]).strip(" \n")

    def _column(self, line: int = 0) -> list[str]:
        """Each token of a first line, as it is named in a menu."""
        vocabulary = self._couplets.vocabulary
        found = [vocabulary[token] for token in self._couplets.tokens[line].tolist()]
        return ["line break" if each == "\n" else each.strip() for each in found]

    def _name_tokens(self, _: Any) -> None:
        """The tokens of another first line in the menu of places, the place kept."""
        menu = self.menus["place"]
        place, column = menu.value, self._column(self.menus["line"].value)
        menu.unobserve(self._draw, "value")  # new options set the place back to the first
        menu.options = [(f"{i}: {each}", i) for i, each in enumerate(column)]
        menu.value = place
        menu.observe(self._draw, "value")

    @torch.no_grad()
    def _written(self, step: bool) -> Tensor:
        """The words in the blanks, [blank], with or without what is chosen."""
        chosen, couplets = self._chosen(), self._couplets
        line, plain = chosen["line"], self._models[chosen["model"]]
        tokens, own = couplets.tokens[line : line + 1], couplets.plans[line]
        if not step:
            return write_line(plain, tokens, couplets.template)[0]
        table = self._means[chosen["model"]][chosen["layer"], chosen["place"]]
        direction = (table[chosen["plan"]] - table[own])[None]
        if chosen["step"]:
            direction = random_like(direction, torch.Generator().manual_seed(0))
        at = Step(chosen["layer"], chosen["place"], direction)
        return write_line(plain, tokens, couplets.template, at)[0]

    def _line(self, written: Tensor) -> str:
        """A second line as text."""
        words = iter(written.tolist())
        filled = [next(words) if each is None else each for each in self._couplets.template]
        return "".join(self._couplets.vocabulary[token] for token in filled).strip()

    def _draw(self, _: Any = None) -> None:
        chosen, couplets = self._chosen(), self._couplets
        self._before, self._after = self._written(step=False), self._written(step=True)
        own = couplets.plans[chosen["line"], None]
        target = torch.tensor([[chosen["plan"]]])
        after = self._after[None, None]
        self._fits = fitting(after, own, target, couplets.goes_with)[0, 0].tolist()
        self._sentence.value = (
            '<div role="status" aria-live="polite" style="line-height:1.5;max-width:800px">'
            f"{html.escape(self.words)}</div>"
        )
        words = [
            [couplets.vocabulary[token].strip() for token in written.tolist()]
            for written in (self._before, self._after)
        ]
        self._table.value = _blanks_table(*words, self._fits)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the sentence."""
        said = f"Plan desk (run the cell to put plans in). {self.words}"
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": said}


def _check(
    models: Mapping[str, PlainTransformer],
    means: Mapping[str, Tensor],
    couplets: Couplets,
    layer: int,
) -> None:
    if not models or set(models) != set(means):
        raise ValueError(
            f"Models and means should have the same names, one or more; got {sorted(models)} and {sorted(means)}."
        )
    n_pos, n_plans = couplets.tokens.shape[1], len(couplets.names)
    for name, plain in models.items():
        wanted = (len(plain.blocks), n_pos, n_plans, plain.W_E.shape[1])
        if tuple(means[name].shape) != wanted:
            raise ValueError(
                f"means[{name!r}] should be [layer pos plan d_model], here {wanted}; "
                f"got {tuple(means[name].shape)}."
            )
        if not 0 <= layer < len(plain.blocks):
            raise ValueError(f"layer should be from 0 to {len(plain.blocks) - 1}, got {layer}.")


def _blanks_table(before: Sequence[str], after: Sequence[str], fits: Sequence[bool]) -> str:
    cell = '<td style="text-align:left;padding:2px 10px">{}</td>'
    head = "".join(
        f'<th scope="col" style="text-align:left;padding:2px 10px">{name}</th>'
        for name in ("blank", "before", "after", "follows the plan put in")
    )
    rows = "".join(
        "<tr>"
        + "".join(cell.format(html.escape(str(each))) for each in row)
        + f"{cell.format('yes' if fit else 'no')}</tr>"
        for *row, fit in zip(range(1, len(before) + 1), before, after, fits, strict=True)
    )
    caption = "What the model writes into the second line"
    return (
        f'<table style="max-width:800px"><caption>{caption}</caption><tr>{head}</tr>{rows}</table>'
    )


def _menu(name: str, options: list[tuple[str, Any]], value: Any) -> Any:
    """The space bar opens it, arrow keys and Enter choose; each choice draws.

    (Without opening it arrow keys would be JupyterLab's: they choose another cell.)
    """
    return ipywidgets.Dropdown(
        description=name, options=options, value=value, description_allow_html=False, tooltip=name,
        style={"description_width": "110px"}, layout={"width": "560px", "max_width": "100%"},
    )  # fmt: skip
