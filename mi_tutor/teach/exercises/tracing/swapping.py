"""Chapter 06: `swap-a-supernode`."""

from __future__ import annotations

import torch

from mi_tutor.lab.tracing import supernode_step
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform


def _swap_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("no latent in both", 12, 3, 6, [0, 4], [2, 7, 8], 1.5),
        ("two latents in both", 10, 2, 5, [1, 3, 5], [3, 5, 6], 1.5),
        ("written to one layer only", 9, 1, 4, [0, 1], [2], 2.0),
        ("one latent off, none on", 7, 3, 4, [2], [], 1.5),
        ("none off, two on", 7, 2, 4, [], [1, 6], 0.5),
        ("factor 0", 8, 4, 3, [0, 1, 2], [2, 3], 0.0),
    ]
    cases = []
    for label, m, n_to, d, off, on, factor in settings:
        values, donor = (uniform(g, m, high=4.0) * (uniform(g, m) < 0.7) for _ in range(2))
        values[off[:1]] += 1
        values[on[-1:]] += 0.7  # on already in this prompt
        donor[on] += 0.5
        inputs = {
            "values": values,
            "donor": donor,
            "off": torch.tensor(off, dtype=torch.long),
            "on": torch.tensor(on, dtype=torch.long),
            "factor": factor,
            "W_dec": normal(g, m, n_to, d),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _decoded(change, W_dec):
    return torch.einsum("l, l t d -> t d", change, W_dec)


def _swapped(values, donor, off, on, factor, W_dec, edit):
    new = values.clone()
    edit(new)
    return _decoded(new - values, W_dec)


def _put(index, value):
    def edit(new):
        new[index] = value

    return edit


def _off_last(values, donor, off, on, factor, W_dec):
    new = values.clone()
    new[on] = factor * donor[on]
    new[off] = 0
    return _decoded(new - values, W_dec)


def _added(values, donor, off, on, factor, W_dec):
    new = values.clone()
    new[off] = 0
    new[on] += factor * donor[on]
    return _decoded(new - values, W_dec)


def _one_by_one(values, donor, off, on, factor, W_dec):
    total = torch.zeros(W_dec.shape[1:])
    for i in range(len(values)):
        wanted = float(values[i])
        if i in off.tolist():
            wanted = 0.0
        if i in on.tolist():
            wanted = factor * float(donor[i])
        total = total + (wanted - float(values[i])) * W_dec[i]
    return total


def _with_masks(values, donor, off, on, factor, W_dec):
    comes = torch.zeros(len(values), dtype=torch.bool)
    goes = comes.clone()
    comes[on], goes[off] = True, True
    new = torch.where(comes, factor * donor, torch.where(goes, 0.0, values))
    return torch.tensordot(new - values, W_dec, dims=1)


def _first_layer(*inputs):
    step = supernode_step(*inputs)
    step[1:] = 0
    return step


def _factor_on_all(values, donor, off, on, factor, W_dec):
    return factor * supernode_step(values, donor, off, on, 1.0, W_dec)


SWAP_A_SUPERNODE = Exercise(
    slug="swap-a-supernode",
    title="Swap a supernode",
    chapter="06",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Exchange one group of latents for another, read from a second prompt, wherever they write.",
    cases=_swap_cases,
    reference=supernode_step,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="one latent after the other", right=_one_by_one),
        Style(name="masks and tensordot", right=_with_masks),
        Style(
            name="two decoded vectors",
            right=lambda values, donor, off, on, factor, W_dec: (
                _decoded(
                    values.index_fill(0, off, 0.0).index_copy(0, on, factor * donor[on]), W_dec
                )
                - _decoded(values, W_dec)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="off at last",
            wrong=_off_last,
            sentence="A latent that belongs to both supernodes ends up off. The state that comes in needs it: switch off first, "
            "then on.",
        ),
        Mistake(
            name="added on top",
            wrong=_added,
            sentence="You add the donor's value to what a latent already has. Its new value IS `factor` times the donor's: some "
            "of these latents were on in this prompt.",
        ),
        Mistake(
            name="the own one stays",
            wrong=lambda values, donor, off, on, factor, W_dec: _swapped(
                values, donor, off, on, factor, W_dec, _put(on, factor * donor[on])
            ),
            sentence="The prompt's own supernode stays on beside the new one: two states at once. Latents of `off` get the value 0.",
        ),
        Mistake(
            name="only switched off",
            wrong=lambda values, donor, off, on, factor, W_dec: _swapped(
                values, donor, off, on, factor, W_dec, _put(off, 0.0)
            ),
            sentence="You switch off and put nothing in. Latents of `on` get `factor` times what they have in the donor.",
        ),
        Mistake(
            name="first layer only",
            wrong=_first_layer,
            sentence="Only the first layer's output changes. A cross-layer transcoder's latent writes to later ones too: without "
            "them the old state goes on being written.",
        ),
        Mistake(
            name="factor on everything",
            wrong=_factor_on_all,
            sentence="You multiply the whole step with the factor, so that what goes off is taken away `factor` times. Only the "
            "donor's values are scaled.",
        ),
        Mistake(
            name="without the factor",
            wrong=lambda values, donor, off, on, factor, W_dec: supernode_step(
                values, donor, off, on, 1.0, W_dec
            ),
            sentence="The factor is missing: latents of `on` get `factor` times the donor's value.",
        ),
        Mistake(
            name="all that is written",
            wrong=lambda values, donor, off, on, factor, W_dec: (
                supernode_step(values, donor, off, on, factor, W_dec) + _decoded(values, W_dec)
            ),
            sentence="You return everything that the latents write afterwards. Asked is what is ADDED to the MLPs' outputs: the "
            "difference of what they write after and before.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=lambda *inputs: -supernode_step(*inputs),
            sentence="The sign is turned round: it is the new values less the old ones.",
        ),
    ),
    hints=(
        "Make the new values of all latents first: a copy of `values` in which two assignments are made. In which order?",
        "What is added is decoded from the CHANGE of the values: latents that keep theirs add nothing.",
        "One product of [latent] and [latent to d_model], summed over latents, gives all layers at once.",
    ),
)
