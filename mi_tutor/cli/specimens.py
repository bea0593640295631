"""`mi-tutor specimens`: list the specimens, train one from nothing, verify their cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mi_tutor.cli.say import Trouble, say, sign, table
from mi_tutor.specimens.cards import Table, card
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import SHELF, shelf_names, specimen_path
from mi_tutor.specimens.recipes import recipe_of, verify


def list_all() -> int:
    """Print each specimen's name, size and summary."""
    for name in shelf_names():
        size = sum(file.stat().st_size for file in specimen_path(name).iterdir()) / 1e6
        say(f"{name}  ({size:.1f} MB)", "strong")
        say(card(name).summary, indent=2)
    return 0


def train(name: str, out: Path | None, seed: int, quiet: bool) -> int:
    """Train a specimen, or go on with a training that was stopped, and write its directory and card."""
    directory = out or SHELF / name
    try:
        made = recipe_of(name).make(directory, seed=seed, progress=not quiet)
    except SpecimenError as error:
        raise Trouble(str(error)) from None
    from mi_tutor.show.specimen_card import write_pictures

    pictures = write_pictures(made, directory)
    missed = [measure for measure in made.measures if not measure.meets_goal()]
    for measure in missed:
        say(
            f"Goal missed: {measure.name} is {measure.value:.4g}, asked was {measure.goal()}.",
            "bad",
        )
    seen = "card.md has the numbers" + (", card.html the pictures." if pictures else ".")
    say(f"{directory}: {made.n_parameters:,} parameters; {seen}", "good" if not missed else None)
    return int(bool(missed))


def draw_all() -> None:
    """Write the page of pictures of each card again."""
    from mi_tutor.show.specimen_card import write_pictures

    drawn = [name for name in shelf_names() if write_pictures(card(name), specimen_path(name))]
    say(f"card.html written for {len(drawn)} specimens: {', '.join(drawn)}", "good")


def verify_all(names: Sequence[str]) -> int:
    """Print one line per number: what the card says, what is measured now, whether it holds."""
    all_hold = True
    for name in names or shelf_names():
        try:
            verdicts = verify(name)
        except SpecimenError as error:
            raise Trouble(str(error)) from None
        all_hold &= all(verdict.holds for verdict in verdicts)
        rows = [
            (
                f"{sign('good' if verdict.holds else 'bad')} {verdict.name}",
                brief(verdict.on_card),
                brief(verdict.now),
                "holds" if verdict.holds else "DOES NOT HOLD",
            )
            for verdict in verdicts
        ]
        say(name, "strong")
        table(["", "card", "now", ""], rows, numbers=["card", "now"])
        say()
    return int(not all_hold)


def brief(value: float | Table | str) -> str:
    """A value in a few characters: a number, the largest entry of a table, the start of a digest."""
    if isinstance(value, str):
        return value[:8]
    if isinstance(value, list):
        return f"max {max((number for row in value for number in row), key=abs):+.3f}"
    return f"{value:.4g}"
