"""The superposition explorer: two sliders over models that were trained beforehand."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mi_tutor.show.drawing.inputs import array, same_length
from mi_tutor.show.drawing.require import require
from mi_tutor.show.superposition.explorer_drawing import model_drawing, model_words, sparsity_text

ipywidgets = require("ipywidgets", "the explorer")


class TrainedModels(NamedTuple):
    """The models of one feature count: W [instance 2 feature] and how often features were on."""

    W: Any
    probability: Any


def superposition_explorer(models: Mapping[int, tuple[Any, Any]]) -> SuperpositionExplorer:
    """Sliders for the number of features and the sparsity; a picture and a sentence for each model.

    The models are trained beforehand (`lab.superposition.train_sweep`), so moving a slider only
    draws. Both sliders work with the arrow keys. Where widgets cannot run, the output is the
    picture and the sentence of the model that was shown.

    Args:
        models: number of features -> (W, probability): W [instance hidden=2 feature] and the
            probability 1 − S of each instance, all different.

    Raises:
        ValueError: if there are no models, a shape does not fit, or two instances share a sparsity.

    >>> W = [[[1.0, 0.0], [0.0, 1.0]], [[1.0, -1.0], [0.0, 0.0]]]
    >>> explorer = superposition_explorer({2: (W, [1.0, 0.1])})
    >>> explorer.words
    '2 features, sparsity 0: 2 represented as two features at right angles, D ≈ 1.'
    """
    if not models:
        raise ValueError("superposition_explorer needs models: {5: (W, probability)}.")
    checked = {int(n): _checked(int(n), *pair) for n, pair in sorted(models.items())}
    return SuperpositionExplorer(checked)


class SuperpositionExplorer(ipywidgets.VBox):
    """Two sliders, a sentence and a picture; made by `superposition_explorer`."""

    def __init__(self, models: dict[int, TrainedModels]) -> None:
        self._models = models
        counts = list(models)
        self.n_features = _slider("features", [(str(n), n) for n in counts], counts[0])
        self.sparsity = _slider("sparsity S", *_sparsities(models[counts[0]], 1.0))
        self._sentence = ipywidgets.HTML()
        self._picture = ipywidgets.HTML()
        self.n_features.observe(self._change_features, "value")
        self.sparsity.observe(self._draw, "value")
        self._draw()
        sliders = ipywidgets.Box(
            [self.n_features, self.sparsity], layout={"flex_flow": "row wrap", "grid_gap": "0 24px"}
        )
        super().__init__([sliders, self._sentence, self._picture])

    @property
    def words(self) -> str:
        """What is seen now, in a sentence."""
        return model_words(*self._shown())

    def _shown(self) -> tuple[np.ndarray, float]:
        """Weights and probability of the model that the sliders point at."""
        models = self._models[self.n_features.value]
        return models.W[self.sparsity.value], float(models.probability[self.sparsity.value])

    def _change_features(self, change: Any) -> None:
        """Keep the sparsity as near as the other sweep allows."""
        before = float(self._models[change["old"]].probability[self.sparsity.value])
        options, index = _sparsities(self._models[change["new"]], before)
        self.sparsity.unobserve(self._draw, "value")
        self.sparsity.options, self.sparsity.value = options, index
        self.sparsity.observe(self._draw, "value")
        self._draw()

    def _draw(self, _: Any = None) -> None:
        self._sentence.value = (
            '<div role="status" aria-live="polite" style="line-height:1.5;max-width:800px">'
            f"{html.escape(self.words)}</div>"
        )
        self._picture.value = model_drawing(*self._shown())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the picture and the sentence."""
        counts = ", ".join(map(str, self._models))
        words = f"Explorer of models with {counts} features (run the cell to move its sliders). "
        fallback = {
            "image/svg+xml": model_drawing(*self._shown()),
            "text/plain": words + self.words,
        }
        return {**super()._repr_mimebundle_(**kwargs), **fallback}


def _checked(n_features: int, W: Any, probability: Any) -> TrainedModels:
    """Arrays, the dense models first."""
    W = array(f"W of {n_features} features", W, f"instance hidden=2 feature={n_features}")
    p = array(f"probability of {n_features} features", probability, "instance")
    same_length("probability", p, "instances of W", len(W))
    if not ((p > 0) & (p <= 1)).all() or len(np.unique(p)) < len(p):
        raise ValueError(
            "probability should hold different numbers in (0, 1], one per instance; saw "
            f"{p.round(4).tolist()}. With several seeds, keep one each: lab's best_of_seeds."
        )
    order = np.argsort(-p)
    return TrainedModels(W[order], p[order])


def _slider(name: str, options: list[tuple[str, int]], value: int) -> Any:
    return ipywidgets.SelectionSlider(
        description=name, options=options, value=value, style={"description_width": "80px"},
        layout={"width": "380px", "max_width": "100%"},
    )  # fmt: skip


def _sparsities(models: TrainedModels, near: float) -> tuple[list[tuple[str, int]], int]:
    """Options (label, instance) of the sparsity slider, and the one whose density is nearest."""
    options = [(sparsity_text(float(p)), i) for i, p in enumerate(models.probability)]
    return options, int(np.abs(np.log(models.probability / near)).argmin())
