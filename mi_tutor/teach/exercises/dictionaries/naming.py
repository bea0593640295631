"""Chapter 02, what a latent is about: `name-a-latent`."""

from __future__ import annotations

import functools
from typing import Any

from mi_tutor.specimens.atlas.riddles import mysteries, mystery
from mi_tutor.teach.exercise import Mistake, Style, ValueExercise, Variant


def _read_name(value: Any) -> Any:
    """A state's name as it was meant: as a token or a label has it, or in another case."""
    if not isinstance(value, str):
        return value
    name = value.strip().removeprefix("state=").strip()
    return {state.casefold(): state for state in _states()}.get(name.casefold(), name)


def _another_latent(number: int) -> Variant:
    one = mysteries()[number % len(mysteries())]
    return Variant(
        asked=f"Read latent {one.latent} in place of `mystery_latent()`.",
        expected=lambda: one.state,
    )


NAME_A_LATENT = ValueExercise(
    slug="name-a-latent",
    title="Give it a name",
    chapter="02",
    points=1,
    minutes=5,
    difficulty=1,
    objective="Read a latent that nobody has labelled for you: contexts from strong to weak, logit effects, density.",
    expected=lambda: mystery().state,
    form='the English name of a US state, such as "Texas"',
    accepts=lambda value: isinstance(value, str) and value in _states(),
    read=_read_name,
    otherwise="Read its contexts, strong and weak: which state do their cities lie in?",
    variant=_another_latent,
    styles=(
        Style(name="the name", right=lambda: mystery().state),
        Style(name="as a token", right=lambda: f" {mystery().state.lower()}"),
        Style(name="as a label", right=lambda: f"state={mystery().state}"),
    ),
    mistakes=(
        Mistake(
            name="Texas",
            wrong="Texas",
            sentence="Texas was the example. Type the latent's number into the dashboard and read the contexts: which state do their cities lie in?",
        ),
        Mistake(
            name="the runner-up",
            wrong=lambda: mystery().runner_up,
            sentence="This latent is on at a few names of that state too, and at many more of another one. Go by most of its contexts, strong and weak.",
        ),
    ),
    hints=(
        "Put the number into the dashboard. Which cities, and which name of a state, stand in its contexts?",
        "The names may be Spanish or French. Logit effects show the state's own words: its abbreviation, its capital.",
    ),
)


@functools.cache
def _states() -> frozenset[str]:
    from mi_tutor.world.tables import load_facts

    return frozenset(area.name.english for area in load_facts().states)
