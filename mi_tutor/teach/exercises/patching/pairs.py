"""Chapter 04, prompts that can be compared: `aligned` and `design-a-pair`."""

from __future__ import annotations

import functools

import torch

from mi_tutor.lab.patching.alignment import differing_positions
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, ValueExercise
from mi_tutor.teach.exercises.patching.inputs import a_primer, an_atlas, atlas

# --- aligned --------------------------------------------------------------------------------------

SETTINGS = (
    (
        "two names exchanged",
        " When Mary and John went to the store, John gave a drink to",
        " When Mary and John went to the store, Mary gave a drink to",
    ),
    (
        "two places of the same number of tokens",
        " The capital of the state of Dallas is",
        " The capital of the state of Oakland is",
    ),
    (
        "a city with more tokens",
        " The capital of the state of Dallas is",
        " The capital of the state of San Antonio is",
    ),
    (
        "the last token, and ten more",
        " When Mary and John went to the store, John gave a drink to Mary and John and Mary and John",
        " When Anna and Oscar went to the store, Oscar gave a book to Anna and Oscar and Anna and Oscar",
    ),
    ("the same prompt", " The capital of Texas is", " The capital of Texas is"),
    (
        "another model, with words of its own",
        "When Clara and Adam went to the store, Adam gave a drink to",
        "When Clara and Adam went to the store, Clara gave a drink to",
    ),
    (
        "other names and another gift",
        " When Mary and John went to the store, John gave a drink to",
        " When Anna and Oscar went to the store, Oscar gave a book to",
    ),
)


def _cases(g: torch.Generator) -> list[Case]:
    order = torch.randperm(2, generator=g).tolist()  # which prompt is the clean one
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer() if texts[0].startswith("When") else an_atlas(),
                "clean": texts[order[0]],
                "corrupted": texts[order[1]],
            },
        )
        for label, *texts in SETTINGS
    ]


def _ids(model, text):
    return model.to_tokens(text)[0].tolist()


def _zipped(left, right):
    return [i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b]


def _by_tensors(model, clean, corrupted):
    left, right = model.to_tokens(clean), model.to_tokens(corrupted)
    if left.shape != right.shape:
        return None
    return (left != right)[0].nonzero().flatten().tolist()


def _by_strings(model, clean, corrupted):
    left, right = model.to_str_tokens(clean), model.to_str_tokens(corrupted)
    return _zipped(left, right) if len(left) == len(right) else None


def _changed(change):
    """An answer that does something to the right one; None stays None."""

    def answer(model, clean, corrupted):
        found = differing_positions(model, clean, corrupted)
        return None if found is None else change(found, model, clean)

    return answer


ALIGNED = Exercise(
    slug="aligned",
    title="Token by token",
    chapter="04",
    points=1,
    minutes=5,
    difficulty=1,
    objective="Check that two prompts have the same number of tokens, and see where they differ.",
    cases=_cases,
    reference=differing_positions,
    styles=(
        Style(name="tensors and nonzero", right=_by_tensors),
        Style(name="the tokens as strings", right=_by_strings),
    ),
    mistakes=(
        Mistake(
            name="lengths not compared",
            wrong=lambda model, clean, corrupted: _zipped(
                _ids(model, clean), _ids(model, corrupted)
            ),
            sentence="Your answer ignores that one prompt has more tokens, and compares as far as the shorter one goes. After the place "
            "where they part, position i of one means something else in the other: return None.",
        ),
        Mistake(
            name="words instead of tokens",
            wrong=lambda model, clean, corrupted: (
                _zipped(clean.split(), corrupted.split())
                if len(clean.split()) == len(corrupted.split())
                else None
            ),
            sentence="You split the text into words. The model's positions are tokens: a name may have several, a comma is one, and BOS is in front.",
        ),
        Mistake(
            name="BOS not counted",
            wrong=_changed(lambda found, model, clean: [i - 1 for i in found]),
            sentence="Your positions are one too small: position 0 is BOS.",
        ),
        Mistake(
            name="only the first difference",
            wrong=_changed(lambda found, model, clean: found[:1]),
            sentence="You stop at the first difference. There may be several, and all of them count.",
        ),
        Mistake(
            name="where they agree",
            wrong=_changed(
                lambda found, model, clean: [
                    i for i in range(len(_ids(model, clean))) if i not in found
                ]
            ),
            sentence="These are the positions at which the prompts AGREE.",
        ),
        Mistake(
            name="how many",
            wrong=_changed(lambda found, model, clean: len(found)),
            sentence="This is how many positions differ. Return the positions themselves, as a list.",
        ),
        Mistake(
            name="an empty list for misaligned prompts",
            wrong=lambda model, clean, corrupted: (
                differing_positions(model, clean, corrupted) or []
            ),
            sentence="For prompts with different numbers of tokens you return an empty list, which says that they are the same. Return None.",
        ),
        Mistake(
            name="equal prompts are no pair",
            wrong=lambda model, clean, corrupted: (
                differing_positions(model, clean, corrupted) or None
            ),
            sentence="Two equal prompts are aligned: there the list is empty. (`found or None` turns an empty list into None.)",
        ),
    ),
    hints=(
        "`model.to_tokens(text)[0]` gives the ids, with BOS at position 0.",
        "Compare the lengths first; only then does `zip` make sense.",
    ),
)


# --- design-a-pair --------------------------------------------------------------------------------

CLEAN = " When Mary and John went to the store, John gave a drink to"
CANDIDATES = {
    "a": " When Anna and Oscar went to the store, Oscar gave a drink to",
    "b": " When Mary and John went to the store, John handed a drink to",
    "c": " Mary and John went to the store, Mary gave a drink to",
    "d": " When Mary and John went to the store, Mary gave a drink to",
    "e": " drink Mary the to went and store John gave, a to When John",
}


@functools.cache
def minimal_pair() -> str:
    """The candidate that differs in one token and has another answer."""
    model = atlas()
    with torch.no_grad():
        guesses = {
            letter: int(model(model.to_tokens(text))[0, -1].argmax())
            for letter, text in {"clean": CLEAN, **CANDIDATES}.items()
        }
    [found] = [
        letter
        for letter, text in CANDIDATES.items()
        if len(differing_positions(model, CLEAN, text) or ()) == 1
        and guesses[letter] != guesses["clean"]
    ]
    return found


DESIGN_A_PAIR = ValueExercise(
    slug="design-a-pair",
    title="Which prompt is the other half?",
    chapter="04",
    points=1,
    minutes=4,
    difficulty=2,
    objective="Design a minimal pair: one thing changes, and the answer with it.",
    expected=minimal_pair,
    form='one of the letters "a" to "e"',
    accepts=lambda value: value in CANDIDATES,
    mistakes=(
        Mistake(
            name="all names changed",
            wrong="a",
            sentence="Here other people do the same thing in the same order. A patch would tell where the NAMES are kept, not how the model "
            "finds out who of the two receives.",
        ),
        Mistake(
            name="the answer stays",
            wrong="b",
            sentence="One token changes, but the answer stays Mary: between the two runs there is nothing to recover.",
        ),
        Mistake(
            name="misaligned",
            wrong="c",
            sentence="This prompt has one token fewer, so from the first token on every position holds something else than in the clean prompt. "
            "Use your `differing_positions`.",
        ),
        Mistake(
            name="no sentence any more",
            wrong="e",
            sentence="The same words in disorder. Everything differs, so every patch carries grammar, names and order at once, and the model "
            "does things that it never does on text.",
        ),
    ),
    hints=(
        "Run `differing_positions(model, clean, candidate)` on all five.",
        "Two things are asked: as little as possible differs, and the right answer is another one.",
    ),
)
