"""Chapter 02, an investigation: `name-the-latents`, marked by what the names predict on fresh text."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from mi_tutor.lab.dictionaries import score_a_label
from mi_tutor.specimens.atlas.nameless import MOST, before_answers, handed_over, skill
from mi_tutor.specimens.atlas.texts import concepts
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

Names = dict[int, tuple[str, ...] | None]
FIRST_SEED = 900_000  # of the texts of draw 0, 1, ...
ENOUGH = 0.8  # of a name's mark, to be told as one that holds
NAME = "a list of concepts such as ['relation=capital', 'wording=bird in french'], or None"


def read(value: Any) -> Names:
    """A dict: number of a latent -> list of concepts, or None."""
    if not isinstance(value, Mapping) or not value:
        raise Unreadable("This is no dict.")
    wanted = [each.latent for each in handed_over()]
    names = {_number(key): _name(key, name) for key, name in value.items()}
    if missing := [str(latent) for latent in wanted if latent not in names]:
        raise Unreadable(
            f"It says nothing of latent{'s' if len(missing) > 1 else ''} {', '.join(missing)}."
        )
    if more := [str(latent) for latent in names if latent not in wanted]:
        raise Unreadable(f"{', '.join(more[:3])} is none of the ten latents.")
    return names


def _number(key: Any) -> int:
    try:
        return int(str(key))
    except ValueError:
        raise Unreadable(f"{str(key)[:40]!r} is no latent's number.") from None


def _name(latent: Any, name: Any) -> tuple[str, ...] | None:
    if name is None or (isinstance(name, list | tuple) and not name):
        return None
    said = [name] if isinstance(name, str) else name
    if not isinstance(said, list | tuple) or not all(isinstance(each, str) for each in said):
        raise Unreadable(f"The name of latent {latent} should be {NAME}.")
    if len(said) > MOST:
        raise Unreadable(
            f"The name of latent {latent} has {len(said)} concepts, and {MOST} is the most."
        )
    known = {concept.casefold(): concept for concept in concepts()}
    meant = [" ".join(each.split()).casefold() for each in said]
    for each, concept in zip(said, meant, strict=True):
        if concept not in known:
            raise Unreadable(f"{each[:60]!r} is not in texts.concepts.")
    return tuple(known[concept] for concept in meant)


@functools.lru_cache(maxsize=4)
def _fresh(draw: int) -> Any:
    return before_answers(FIRST_SEED + draw)


def experiment(names: Names, draw: int) -> Findings:
    """How much better than “everywhere” each name predicts on the texts of one draw; `None` is right where nothing does."""
    fresh = _fresh(draw)
    marks, lines, words = [], [], []
    for each in handed_over():
        name, on = names[each.latent], fresh.on[:, each.latent]
        said = "no name" if name is None else " or ".join(_short(concept) for concept in name)
        if name is None or each.name is None:
            mark = float(name is None and each.name is None)
            why = (
                f"right, {on.float().mean():.0%} of such tokens, of every kind"
                if mark
                else ("there is a name" if each.name else "it has none that predicts it")
            )
        else:
            columns = [fresh.concepts.index(concept) for concept in name]
            score = score_a_label(fresh.labels[:, columns].any(dim=1), on)
            mark = skill(score.f1, on)
            why = (
                f"F1 {score.f1:.2f}, {mark:.0%} of the way from “everywhere” to 1: where it says “on”, the "
                f"latent is in {score.precision:.0%}; of where the latent is on, it says {score.recall:.0%}"
            )
        marks.append(mark)
        words.append(f"latent {each.latent}: {said}")
        lines.append(Line(f"{words[-1]}: {why}", mark >= ENOUGH))

    def figure() -> Any:
        from mi_tutor.show.dictionaries import marks_figure

        held = [line.held for line in lines]
        return marks_figure(
            words,
            marks,
            held,
            axis="mark (skill; 1 or 0 for no name)",
            title="Ten names on fresh text",
        )

    return Findings(sum(marks) / len(marks), tuple(lines), figure)


def _short(concept: str) -> str:
    return concept.removeprefix("wording=")


def ours() -> dict[int, list[str] | None]:
    """The best names that we know, as they are handed in."""
    return {each.latent: each.name and list(each.name) for each in handed_over()}


def _doubtful() -> dict[int, list[str] | None]:
    """`None` also for the longest name."""
    longest = max(handed_over(), key=lambda each: len(each.name or ()))
    return ours() | {longest.latent: None}


def _strict() -> dict[int, list[str] | None]:
    """`None` wherever one concept does not do."""
    return {latent: name if name and len(name) == 1 else None for latent, name in ours().items()}


def _one_concept() -> dict[int, list[str] | None]:
    return {latent: name and name[:1] for latent, name in ours().items()}


LANGUAGES = [f"language={each}" for each in ("english", "french", "spanish")]


def _all_named() -> dict[int, list[str]]:
    return {latent: name or LANGUAGES for latent, name in ours().items()}


def _relations() -> dict[int, list[str] | None]:
    def relation(concept: str) -> str:
        return "relation=" + concept.partition("=")[2].split(" in ")[0]

    return {
        latent: name and list(dict.fromkeys(map(relation, name))) for latent, name in ours().items()
    }


def _written(names: Names) -> list[tuple[str, ...]]:
    return [name for name in names.values() if name is not None]


NAME_THE_LATENTS = Investigation(
    slug="name-the-latents",
    title="Names that predict",
    chapter="02",
    points=6,
    minutes=35,
    difficulty=4,
    objective="Name latents by rules that predict them on text that nobody has seen, and say which have no name.",
    question="Where is each of these ten latents on, and which of them have no name?",
    form=f"a dict with the ten latents' numbers as keys, and for each {NAME}",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.8, good=0.87, excellent=0.9),
    mistakes=(
        WrongHypothesis(
            name="everything has a name",
            example=_all_named,
            fits=lambda names, findings: len(_written(names)) == len(names),
            sentence="You gave all ten a name, and some are on at tokens of every kind. An F1 of a half looks like something: which F1 has, for "
            "the same latent, a name that says “on” everywhere?",
        ),
        WrongHypothesis(
            name="no name where one concept does not do",
            example=_strict,
            fits=lambda names, findings: sum(name is None for name in names.values()) > 5,
            sentence="You say of most that they have no name. A latent that is on for three things which have nothing to do with each other can "
            "be predicted all the same: take the first, and look at what is left.",
        ),
        WrongHypothesis(
            name="relations whatever the language",
            example=_relations,
            fits=lambda names, findings: not any(c.startswith("wording=") for name in _written(names) for c in name),
            sentence="Your names speak of what is asked, whatever the language. Some of these latents are silent in one or two languages: "
            "look at each language by itself.",
        ),
        WrongHypothesis(
            name="one concept each",
            example=_one_concept,
            fits=lambda names, findings: all(len(name) == 1 for name in _written(names)),
            sentence="Each of your names is one concept. Several are right wherever they say “on”, and miss much of where the latent is on: "
            "what else is there where your name is silent?",
        ),
    ),
    styles=(
        Worked(name="concepts added while they help", hypothesis=ours, level="excellent"),
        Worked(name="none for none without a name", hypothesis=_doubtful, level="passed"),
        Worked(
            name="words in another case, tuples, an empty list",
            hypothesis=lambda: {str(k): tuple(c.upper() for c in v) if v else [] for k, v in ours().items()},
            level="excellent",
        ),
    ),
    hints=(
        "Take one latent and all tokens before an answer. Which concepts are frequent where it is on? And where it is on and your name says nothing?",
        "A name is a set of concepts of which at least one is there. You have a function that finds, for a concept, a set of latents of which at "
        "least one is on.",
        "`feature_splitting(labels, latent_is_on, gain=0.02)`, with the parts exchanged. Then mark each name with `score_a_label` on `other_texts`: "
        "a latent whose best name is no better there than `language=…` for all three languages has none.",
    ),
)  # fmt: skip
