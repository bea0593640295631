"""The latent dashboard: choose a latent, see where it is on, what it writes, and which concept it stands for."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from mi_tutor.lab.dictionaries import ConceptMatches, Sae, best_f1, read_a_latent
from mi_tutor.show.dictionaries.firings import firings
from mi_tutor.show.dictionaries.latent_drawing import latent_drawing, quoted
from mi_tutor.show.dictionaries.reading import (
    Shown,
    carried_by,
    concepts_of,
    context_words,
    find_concept,
    match_words,
    usual_contexts,
)
from mi_tutor.show.drawing.inputs import same_length
from mi_tutor.show.drawing.require import require
from mi_tutor.show.drawing.words import listing, number

ipywidgets = require("ipywidgets", "the dashboard")

N_CONTEXTS, N_USUAL, N_EFFECTS = 6, 2, 8


def latent_dashboard(
    sae: Sae,
    model: nn.Module,
    name: str,
    tokens: Int[Tensor, "row pos"] | np.ndarray,
    *,
    concepts: Sequence[str] = (),
    labels: Bool[Tensor, "row pos concept"] | np.ndarray | None = None,
    matches: ConceptMatches | None = None,
    latent: int | None = None,
) -> LatentDashboard:
    """Choose a latent by number, by a concept, or go through them from the most frequent to the rarest.

    Where widgets cannot run, the output is the picture and the sentences of the latent that was shown.

    Args:
        sae: the dictionary.
        model: an opened specimen, or any TransformerBridge.
        name: the hook whose activation the dictionary reads; "blocks.1.mlp" for a transcoder.
        tokens: texts to look for it in, BOS first in each row; some thousand tokens.
        concepts: names, for `labels` and `matches`.
        labels: which token carries which concept; the tokens of the latent's concept are underlined.
        matches: the best latent of each concept, for the search and for the marks that are told.
        latent: where to begin (default: the best match, or the most frequent latent).

    Raises:
        ValueError: if there is not one name for each concept of `labels` or `matches`, labels do not fit the
            tokens, or there is no such latent.
    """
    tokens = torch.as_tensor(tokens)
    concepts = tuple(concepts)
    if matches is not None:
        same_length("concepts", concepts, "concepts of matches", len(matches.unit))
    if labels is not None:
        labels = torch.as_tensor(labels, dtype=torch.bool)
        if labels.shape != (*tokens.shape, len(concepts)):
            raise ValueError(
                f"labels should have a row for each text, position and concept, {(*tokens.shape, len(concepts))}; "
                f"saw {tuple(labels.shape)}."
            )
    if latent is not None and not 0 <= latent < sae.d_sae:
        raise ValueError(f"There is no latent {latent}: this dictionary has 0 to {sae.d_sae - 1}.")
    return LatentDashboard(sae, model, name, tokens, concepts, labels, matches, latent)


class LatentDashboard(ipywidgets.VBox):
    """Choices, sentences and a picture; made by `latent_dashboard`."""

    def __init__(
        self,
        sae: Sae,
        model: nn.Module,
        name: str,
        tokens: Tensor,
        concepts: tuple[str, ...],
        labels: Tensor | None,
        matches: ConceptMatches | None,
        latent: int | None,
    ) -> None:
        # BOS is no word, and its activation is like no other: it is left out of everything.
        self._tokens = tokens[:, 1:].cpu()
        self._labels = None if labels is None else labels[:, 1:].cpu()
        self._concepts, self._matches = concepts, matches
        self._firings = firings(sae, model, name, tokens)
        self._density = self._firings.density
        self._W_dec, self._W_U = sae.W_dec.cpu(), model.W_U.detach().to(sae.W_dec).cpu()
        self._name = cache(lambda token: model.tokenizer.decode([token]))
        self._by_density = self._density.argsort(descending=True, stable=True).tolist()
        self._n_on = int((self._density > 0).sum())
        self._found, self._asked = "", -1  # what the last search found: words, and the concept
        start = self._first() if latent is None else latent
        self._make_choices(start, sae.d_sae)
        self._sentence, self._picture = ipywidgets.HTML(), ipywidgets.HTML()
        self._draw()
        buttons = ipywidgets.HBox([self.more_frequent, self.less_frequent])
        choices = [self.latent, buttons] + ([self.search] if matches is not None else [])
        box = ipywidgets.Box(choices, layout={"flex_flow": "row wrap", "grid_gap": "0 20px"})
        super().__init__([box, self._sentence, self._picture])

    def _make_choices(self, start: int, n_latents: int) -> None:
        style = {"description_width": "60px"}
        self.latent = ipywidgets.BoundedIntText(
            description="latent", value=start, min=0, max=n_latents - 1, style=style,
            layout={"width": "170px"},
        )  # fmt: skip
        self.search = ipywidgets.Combobox(
            description="concept", options=sorted(self._concepts), placeholder="type, then Enter",
            continuous_update=False, style=style, layout={"width": "300px", "max_width": "100%"},
        )  # fmt: skip
        self.more_frequent = _button("◀ more frequent", "The next latent that is on more often")
        self.less_frequent = _button("less frequent ▶", "The next latent that is on less often")
        self.latent.observe(self._draw, "value")
        self.search.observe(self._search, "value")
        self.more_frequent.on_click(lambda _: self._step(-1))
        self.less_frequent.on_click(lambda _: self._step(1))

    def _first(self) -> int:
        """The latent of the concept that is matched best, else the most frequent one."""
        if self._matches is None:
            return self._by_density[0]
        return int(self._matches.unit[self._matches.f1.argmax()])

    def _step(self, by: int) -> None:
        """To the neighbour in the order of how often latents are on; those that never are come last."""
        place = self._by_density.index(self.latent.value) + by
        if 0 <= place < len(self._by_density):
            self.latent.value = self._by_density[place]

    def _search(self, change: Any) -> None:
        query = change["new"].strip()
        if not query:
            return
        found = find_concept(query, self._concepts, self._matches.f1)
        if not found:
            self._found = (
                f"No concept has “{query}” in its name; there are {listing(self._concepts, 4)}."
            )
            self._draw()
            return
        names = [self._concepts[i] for i in found]
        others = f" (also found: {listing(names[1:], 4)})" if len(names) > 1 else ""
        self._found = f"Found {names[0]}{others}."
        self._asked = found[0]
        unit = int(self._matches.unit[found[0]])
        if unit == self.latent.value:
            self._draw()
        else:
            self.latent.value = unit

    @property
    def words(self) -> str:
        """What is seen now, in a few sentences."""
        card, values = self._shown.card, self._shown.values
        n_tokens = self._tokens.numel()
        parts = [self._found] if self._found else []
        if not len(values):
            parts.append(f"Latent {card.latent} is never on in these {n_tokens} tokens.")
        else:
            place = self._by_density.index(card.latent) + 1
            parts.append(
                f"Latent {card.latent} is on in {number(100 * card.density)} % of {n_tokens} tokens (number "
                f"{place} of the {self._n_on} that are ever on) and {number(float(values.max()))} at most."
            )
        parts.append(self._concept_words)
        raised = [quoted(self._name(token)) for token, _ in card.raised[:3]]
        parts.append(f"By its direct path it raises {listing(raised)} most.")
        return " ".join(part for part in parts if part)

    @property
    def alt(self) -> str:
        """The picture in words: the sentences, and the first contexts."""
        contexts = [context_words(each, self._name) for each in self._shown.card.contexts[:3]]
        return f"{self.words} Highest in: {' | '.join(contexts)}" if contexts else self.words

    def _concept(self, activations: Tensor) -> tuple[str, str]:
        """The concept to underline, and what there is to say about it."""
        latent = self.latent.value
        if self._matches is not None:
            mine = concepts_of(latent, self._matches)
            mine.sort(key=lambda i: i != self._asked)  # what was searched for comes first
            if mine:
                return self._concepts[mine[0]], match_words(mine, self._matches, self._concepts)
        if self._labels is None or not self._concepts or not (activations > 0).any():
            return "", ""
        flat = activations.reshape(-1, 1), self._labels.flatten(0, 1)
        f1 = best_f1(*flat, thresholds=False)[0][0]
        best = int(f1.argmax())
        words = (
            f"Of the concepts, {self._concepts[best]} is the nearest to where it is on in these texts (F1 "
            f"{number(float(f1[best]), 2)})."
        )
        if self._matches is not None:
            words = f"No concept has it as its best latent. {words}"
        return self._concepts[best], words

    def _read(self) -> Shown:
        """Everything that is to be shown of the chosen latent."""
        latent = self.latent.value
        activations = self._firings.of(latent)
        card = read_a_latent(latent, activations, self._tokens, self._W_dec, self._W_U, N_EFFECTS)
        card = card._replace(contexts=card.contexts[:N_CONTEXTS])
        usual = usual_contexts(activations, self._tokens, N_USUAL)
        concept, self._concept_words = self._concept(activations)
        carried = []
        if concept and self._labels is not None:
            there = self._labels[:, :, self._concepts.index(concept)]
            carried = carried_by([*card.contexts, *usual], there)
        values = activations[activations > 0]
        return Shown(card, usual, carried, values, self._density, concept, self._name)

    def _draw(self, change: Any = None) -> None:
        self._shown = self._read()
        self._sentence.value = (
            '<div role="status" aria-live="polite" style="line-height:1.5;max-width:820px">'
            f"{html.escape(self.words)}</div>"
        )
        self._picture.value = latent_drawing(self._shown, self.alt)
        self._found, self._asked = "", -1

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the picture and the sentences."""
        words = "Latent dashboard (run the cell to choose another latent). "
        fallback = {
            "image/svg+xml": latent_drawing(self._shown, self.alt),
            "text/plain": words + self.alt,
        }
        return {**super()._repr_mimebundle_(**kwargs), **fallback}


def _button(words: str, tip: str) -> Any:
    return ipywidgets.Button(description=words, tooltip=tip, layout={"width": "150px"})
