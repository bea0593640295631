"""`python -m mi_tutor.specimens`: list the specimens, train one from nothing, verify their cards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mi_tutor.specimens.cards import Table, card, recipe_of, verify
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.shelf import SHELF, no_such_specimen, specimen_names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 if all went well and every number holds."""
    parser = argparse.ArgumentParser(prog="python -m mi_tutor.specimens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the shipped specimens")
    training = commands.add_parser("train", help="train a specimen from nothing")
    training.add_argument("name")
    training.add_argument("--out", type=Path, help="directory to write (default: the shipped one)")
    verifying = commands.add_parser("verify", help="measure every number of the cards again")
    verifying.add_argument("names", nargs="*", help="specimens (default: all)")
    choice = parser.parse_args(arguments)
    try:
        if choice.command == "train":
            return train_command(choice.name, choice.out)
        if choice.command == "verify":
            return verify_command(choice.names or specimen_names())
        return list_command()
    except SpecimenError as error:
        print(error, file=sys.stderr)
        return 1


def list_command() -> int:
    """Print each specimen's name and summary."""
    for name in specimen_names():
        print(f"{name:16}{card(name).summary}")
    return 0


def train_command(name: str, out: Path | None) -> int:
    """Train a specimen and write its directory and card."""
    try:
        recipe = recipe_of(name)
    except ModuleNotFoundError:
        raise SpecimenError(no_such_specimen(name)) from None
    directory = out or SHELF / name
    made = recipe.make(directory)
    missed = [measure for measure in made.measures if not measure.meets_goal()]
    for measure in missed:
        print(f"goal missed: {measure.name} is {measure.value}, asked was {measure.goal()}")
    print(f"{directory}: {made.n_parameters:,} parameters, card.md has the numbers.")
    return int(bool(missed))


def verify_command(names: Sequence[str]) -> int:
    """Print one line per number: what the card says, what is measured now, whether it holds."""
    all_hold = True
    for name in names:
        print(f"{name}\n  {'':28}{'card':>12}{'now':>12}")
        for verdict in verify(name):
            all_hold &= verdict.holds
            mark = "holds" if verdict.holds else "DOES NOT HOLD"
            print(
                f"  {verdict.name:28}{brief(verdict.on_card):>12}{brief(verdict.now):>12}  {mark}"
            )
    return int(not all_hold)


def brief(value: float | Table | str) -> str:
    """A value in a few characters: a number, the largest effect of a table, the start of a digest."""
    if isinstance(value, str):
        return value[:8]
    if isinstance(value, list):
        return f"max {max((number for row in value for number in row), key=abs):+.3f}"
    return f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
