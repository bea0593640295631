"""Chapter 05: `same-word`, an investigation."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import means_at, swap_batches
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.exercises.swaps.atlas import geography, plain_atlas, questions_about
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)
from mi_tutor.world.geography import Question

LAYER = 2
LANGUAGES = ("french", "spanish")
MOST = 240  # questions of a language that a draw tries
CLOSE, FAR = 0.04, 0.16  # errors of predictions that count in full, and not at all


@functools.cache
def abroad() -> tuple[Question, ...]:
    """Every held-out question in French and Spanish, in the order of `Geography.questions`."""
    return tuple(q for q in geography().questions(LANGUAGES) if q.held_out_by)


def differs(question: Question) -> bool:
    """Whether the name is another word than in English."""
    name = question.city.name
    return name.given(question.language) != name.english


def kind(question: Question) -> str:
    return geography().area_of(question.city).kind


@functools.cache
def table(language: str, of: str) -> Tensor:
    """Means before layer 2 at the name's end, [class d_model], of taught questions in a language."""
    taught = questions_about(of, held_out=False, language=language)
    step = 4 if of == "state" else 2
    with torch.no_grad():
        return means_at(plain_atlas(), swap_questions(taught[::step], geography()))[LAYER]


def successes(questions: Sequence[Question]) -> dict[str, float]:
    """The share of swaps that the answer follows, with English directions and with the language's own."""
    passed: defaultdict[str, int] = defaultdict(int)
    asked = 0
    for of in ("state", "country"):
        here = [q for q in questions if kind(q) == of]
        for language in LANGUAGES:
            group = [q for q in here if q.language == language]
            if not group:
                continue
            batches = swap_questions(group, geography())
            for name, source in (("english", "english"), ("own", language)):
                result = swap_batches(plain_atlas(), batches, table(source, of), LAYER, n_targets=3)
                passed[name] += int((result.follows & result.asked).sum())
            asked += int(result.asked.sum())
    return {name: passed[name] / max(1, asked) for name in ("english", "own")}


class Subset(NamedTuple):
    questions: tuple[int, ...]
    predicted: dict[tuple[str, str], float]


def read_subset(value: Any) -> Subset:
    found = entries(value, ["questions", *LANGUAGES])
    every = listed(found["questions"], "questions")
    numbers = dict.fromkeys(whole(each, "questions", len(abroad())) for each in every)
    if not numbers:
        raise Unreadable("“questions” is empty.")
    predicted = {}
    for language in LANGUAGES:
        pair = listed(found[language], language, 2)
        for name, each in zip(("english", "own"), pair, strict=True):
            predicted[language, name] = share(each, f"{language}, {name}")
    return Subset(tuple(numbers), predicted)


@torch.no_grad()
def experiment(subset: Subset, draw: int) -> Findings:
    """Swap in a random part of the chosen questions, language by language."""
    test = {number for number, question in enumerate(abroad()) if differs(question)}
    chosen = set(subset.questions)
    hit = len(chosen & test)
    precision, recall = hit / len(chosen), hit / len(test)
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    facts = {"precision": precision, "recall": recall, "states": _of_states(subset.questions)}
    lines = [
        Line(
            f"of the questions chosen, the two explanations say different things about {precision:.0%}",
            precision >= 0.95,
        ),
        Line(
            f"of the questions about which they do, {recall:.0%} were chosen (wanted: 80 %)",
            recall >= 0.8,
        ),
    ]
    if precision < 0.5:
        return Findings(0.6 * f1, tuple(lines), facts=facts)
    found = {
        (language, name): value
        for language in LANGUAGES
        for name, value in successes(_some(subset.questions, language, draw)).items()
    }
    errors = [abs(subset.predicted[key] - found[key]) for key in found]
    quality = sum(ramp(error, FAR, CLOSE) for error in errors) / len(errors)
    for (language, name), value in found.items():
        guess = subset.predicted[language, name]
        which = "English directions" if name == "english" else "its own directions"
        text = f"{language.title()} with {which}: {value:.2f} follow; you said {guess:.2f}"
        lines.append(Line(text, abs(guess - value) <= CLOSE))
    figure = functools.partial(_figure, subset.predicted, found)
    return Findings(0.6 * f1 + 0.4 * quality, tuple(lines), figure, precision >= 0.8, facts)


def _some(numbers: Iterable[int], language: str, draw: int) -> list[Question]:
    """At most `MOST` of the questions, those of one language, by lot."""
    here = [abroad()[number] for number in numbers if abroad()[number].language == language]
    lot = torch.randperm(len(here), generator=torch.Generator().manual_seed(draw))
    return [here[i] for i in lot[:MOST].tolist()]


def _of_states(numbers: Sequence[int]) -> float:
    return sum(kind(abroad()[number]) == "state" for number in numbers) / len(numbers)


def _figure(predicted: dict[tuple[str, str], float], found: dict[tuple[str, str], float]) -> Any:
    from mi_tutor.show import predictions

    names = [
        f"{language.title()}, {'English' if name == 'english' else 'own'} directions"
        for language, name in found
    ]
    return predictions(
        names,
        [predicted[key] for key in found],
        list(found.values()),
        title="Swaps in your questions",
        value_title="share of answers that follow",
    )


def hypothesis(
    numbers: Iterable[int], french: Any = (0.95, 0.95), spanish: Any = (0.95, 0.95)
) -> dict:
    return {"questions": list(numbers), "french": french, "spanish": spanish}


def _those(test: Any) -> list[int]:
    return [number for number, question in enumerate(abroad()) if test(question)]


def _measured(numbers: Sequence[int]) -> dict:
    """Our own answer: the questions, and what all of them give."""
    shares = {
        language: tuple(successes(_some(numbers, language, draw=100)).values())
        for language in LANGUAGES
    }
    return hypothesis(numbers, **shares)


def _lacks_words(subset: Subset, findings: Findings) -> bool:
    return findings.facts["precision"] < 0.5


SAME_WORD = Investigation(
    slug="same-word",
    title="One vector in every language?",
    chapter="05",
    points=6,
    minutes=30,
    difficulty=4,
    objective="Find what else could explain a result, and the questions on which the two explanations part.",
    question="On which questions do the two explanations predict different things, and what happens there?",
    form="a dict with “questions” (numbers into `abroad`), “french” and “spanish” (two shares each: with English "
    "directions, and with the language's own)",
    read=read_subset,
    experiment=experiment,
    levels=Levels(0.6, 0.8, 0.93),
    mistakes=(
        WrongHypothesis(
            name="everything",
            example=lambda: hypothesis(range(len(abroad()))),
            fits=lambda subset, findings: (
                findings.facts["recall"] == 1 and _lacks_words(subset, findings)
            ),
            sentence="You chose all of them, or nearly. On most of these questions a model with one vector per meaning "
            "and a model with one vector per word do the same: compare the tokens with those of the English question.",
        ),
        WrongHypothesis(
            name="states only",
            example=lambda: hypothesis(_those(lambda q: kind(q) == "state")),
            fits=lambda subset, findings: (
                findings.facts["states"] > 0.9 and _lacks_words(subset, findings)
            ),
            sentence="These are questions about states, as in the table. Print a few of them with their tokens, and "
            "mark what is the same in English: can the table tell the two explanations apart at all?",
        ),
        WrongHypothesis(
            name="countries, whatever their cities are called",
            example=lambda: hypothesis(_those(lambda q: kind(q) == "country")),
            fits=lambda subset, findings: (
                findings.facts["states"] < 0.1 and 0 < findings.facts["precision"] < 0.8
            ),
            sentence="Countries are the better place to look, but not every question about one is a test: look at the "
            "tokens at which the swap is made.",
        ),
        WrongHypothesis(
            name="names spelled alike",
            example=lambda: hypothesis(_those(lambda q: not differs(q))),
            fits=lambda subset, findings: findings.facts["precision"] == 0,
            sentence="In each of these questions the name is the same word as in English, so both explanations say "
            "that English directions work. What would one of them forbid?",
        ),
    ),
    styles=(
        Worked(
            name="names that differ",
            hypothesis=lambda: _measured(_those(differs)),
            level="excellent",
        ),
        Worked(
            name="those of countries",
            hypothesis=lambda: _measured(_those(lambda q: differs(q) and kind(q) == "country")),
            level="good",
        ),
        Worked(
            name="names that differ, with shares from the table",
            hypothesis=lambda: hypothesis(_those(differs), (0.98, 0.98), (0.98, 0.98)),
            level="passed",
        ),
    ),
    hints=(
        "Write down the English and the French question about the same city, token by token. At which token is the "
        "swap made, and what stands there in each language?",
        "If the model had one vector for each *name*, which questions would come out otherwise than in the table? "
        "`city.name.english` and `city.name.given(language)` tell.",
        "Most such names are in countries (Venice, Venise, Venecia). For the shares, make means of countries and of "
        "states in English and in the language itself, and swap with both.",
    ),
)
