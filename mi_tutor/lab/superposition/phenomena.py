"""Settings that work: one sweep for each phenomenon, with what it shows.

Each function returns a `ToySweep`. To vary one, use `dataclasses.replace(recipe(), n_seeds=1)`.
The numbers in the docstrings were measured on the CPU with the seeds that they use;
`tests/lab/superposition/test_phenomena.py` measures them again.
"""

import torch

from mi_tutor.lab.superposition.sweep_config import Pairing, ToySweep


def polygons() -> ToySweep:
    """Five features in the plane, importance 0.9^i, from dense to sparse (Elhage et al. 2022).

    In the best of 8 seeds: two features at right angles and three dropped (S ≤ 0.3), then two
    antipodal pairs, which are the corners of a square (0.5 to 0.8), then a pentagon (S ≥ 0.85).
    """
    sparsities = [0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99]
    return ToySweep(
        n_features=5,
        n_hidden=2,
        probabilities=[1 - s for s in sparsities],
        importances=[[0.9**i for i in range(5)]],
        n_seeds=8,
    )


def dimensionality() -> ToySweep:
    """Twenty equally important features in six dimensions, 1/(1 - S) from 1 to 6, 8 seeds each.

    D* = m/|W|² falls from 1 to 1/2, stays there while 1/(1 - S) goes from 2 to 3.4, and falls on.
    The D_i of represented features gather at 3/4 and 2/3 (tetrahedra, triangles; 1/(1 - S) around
    1.2 and 1.4), then all of them at 1/2 (antipodal pairs; 1.7 to 3.4), then at 2/5 and 3/8
    (pentagons, square antiprisms; 3.7 to 5). No D_i is 1: with dense and equally important
    features no direction is better than another, so none is dedicated to one feature.
    """
    return ToySweep(
        n_features=20,
        n_hidden=6,
        probabilities=[6.0 ** (-k / 25) for k in range(26)],
        n_seeds=8,
        n_batch=256,
        n_steps=5000,
        learning_rate=0.02,
    )


def phase_diagram(n_cells: int = 20, n_seeds: int = 6) -> ToySweep:
    """Two features, one dimension: density 0.01 to 1 by relative importance 0.1 to 10.

    The best of 6 seeds has the fate of `phase_optimum` in every cell of the 20 x 20 grid, and that
    of `phase_theory` in 97.5 %. The trained superposed region is a little larger, because training
    also adapts lengths and biases. That lowers the superposed model's loss by up to 9 %, and the
    other two not at all. A single seed finds the best fate in 81 % of the cells.
    """
    importance = torch.logspace(-1, 1, n_cells)
    return ToySweep(
        n_features=2,
        n_hidden=1,
        probabilities=torch.logspace(-2, 0, n_cells),
        importances=torch.stack([torch.ones(n_cells), importance], dim=1),
        n_seeds=n_seeds,
        n_steps=1000,
        learning_rate=0.03,
    )


def pairs(kind: Pairing, n_seeds: int = 40) -> ToySweep:
    """Two pairs of features in the plane: how correlation decides who sits beside whom.

    Correlated pairs settle at right angles to each other, each feature opposite to one of the
    other pair; anti-correlated ones share a line, with opposite signs: each in all of 40 seeds, at
    these densities (.1 and .4) and from small starting weights (init_scale .3). Independent ones
    have no reason to prefer either.
    """
    probability = {"correlated": 0.1, "anti-correlated": 0.4, "independent": 0.1}[kind]
    return ToySweep(
        n_features=4,
        n_hidden=2,
        probabilities=[probability],
        n_seeds=n_seeds,
        n_steps=1500,
        features=kind,
        init_scale=0.3,
    )


def neurons(hidden_relu: bool = True) -> ToySweep:
    """Ten features, five neurons, importance 0.75^i, from dense to sparse.

    Dense (S = 0.3 and 0.5): each neuron answers to one feature. Sparse: to four or five. Without
    the ReLU (hidden_relu=False) the axes mean nothing and even dense models mix features in them.
    At S = 0 most seeds mix too: with all features on, no neuron is ever below zero, and a ReLU
    that never switches off privileges nothing.
    """
    return ToySweep(
        n_features=10,
        n_hidden=5,
        probabilities=[1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02],
        importances=[[0.75**i for i in range(10)]],
        n_seeds=8,
        learning_rate=0.03,
        hidden_relu=hidden_relu,
    )


def absolute_value() -> ToySweep:
    """|x| of ten features with six neurons (twenty would be exact), for `train_absolute`.

    Dense (S = 0 and 0.5): three features get two neurons each (`neuron_focus` 1.00), and the best
    of 8 seeds has the loss of `absolute_dedicated_loss`. Sparse: neurons are shared (focus 0.4) and
    the loss is 0.85, 0.73, 0.52 and 0.37 of that at S = 0.8, 0.9, 0.95 and 0.98.
    """
    return ToySweep(
        n_features=10,
        n_hidden=6,
        probabilities=[1.0, 0.5, 0.2, 0.1, 0.05, 0.02],
        importances=[[0.8**i for i in range(10)]],
        n_seeds=8,
        n_batch=512,
        init_scale=0.2,
    )
