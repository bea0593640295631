"""Chapter 05: `two-hop-prompts`."""

from __future__ import annotations

import torch

from mi_tutor.lab.swaps import name_place
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.swaps.atlas import SPECIMEN, a_model, geography

IN_THE_STATE = " In the state where"


def _cases(g: torch.Generator) -> list[Case]:
    by_pieces = _names_by_pieces()

    def name(n_pieces: int) -> str:
        found = by_pieces[n_pieces]
        return found[int(torch.randint(len(found), (), generator=g))]

    settings = [
        ("Dallas", " The capital of the state of", " Dallas", " is"),
        ("a name of three tokens", IN_THE_STATE, name(3), " lies, the bird is"),
        ("the name comes first", "", name(3), " lies in a state where the capital is"),
        ("another name of two tokens", " The tree of the state of", name(2), " is"),
        ("the name comes last", " The city of", name(4), ""),
        ("the name comes up twice", " The city of Dallas lies in the state of", " Dallas", ""),
        ("the name comes up again", " The city of", " Dallas", " lies in the state of Dallas"),
        ("another model, with words of its own", "When Clara and", " Adam", " went to the store"),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": a_model("primer" if before.startswith("When") else SPECIMEN),
                "before": before,
                "name": name,
                "after": after,
            },
        )
        for label, before, name, after in settings
    ]


def _names_by_pieces() -> dict[int, list[str]]:
    from mi_tutor.specimens.atlas.prompts import tokenizer

    found: dict[int, list[str]] = {}
    for area in geography().facts.states:
        for city in area.asked_cities:
            text = f" {city.name.english}"
            found.setdefault(min(len(tokenizer().encode(text)), 4), []).append(text)
    return found


def _tokens(model, text, prepend_bos=True):
    return model.to_tokens(text, prepend_bos=prepend_bos)[0]


def _parts(model, *texts):
    """The tokens of texts that stand one after another, each without BOS."""
    return [_tokens(model, text, False) if text else torch.tensor([]).long() for text in texts]


def _by_strings(model, before, name, after):
    words = model.to_str_tokens(before + name + after)
    end = len(before + name)
    length = place = 0
    while length < end:
        place += 1
        length += len(words[place])
    return _tokens(model, before + name + after), place


def _by_parts(model, before, name, after):
    parts = _parts(model, before, name, after)
    bos = torch.tensor([model.tokenizer.bos_token_id])
    return torch.cat([bos, *parts]), len(parts[0]) + len(parts[1])


def _place_of(place):
    """An answer with the right tokens and another place."""

    def answer(model, before, name, after):
        tokens, right = name_place(model, before, name, after)
        return tokens, place(model, before, name, tokens, right)

    return answer


TWO_HOP_PROMPTS = Exercise(
    slug="two-hop-prompts",
    title="Where the name ends",
    chapter="05",
    points=1,
    minutes=8,
    difficulty=1,
    objective="Turn a two-hop question into tokens, and find the position where the city's name is complete.",
    cases=_cases,
    reference=name_place,
    styles=(
        Style(name="characters counted", right=_by_strings),
        Style(name="the parts put together", right=_by_parts),
        Style(
            name="with the strings of the tokens",
            right=lambda model, before, name, after: (
                model.to_tokens(before + name + after).squeeze(0),
                len(model.to_str_tokens(before + name)) - 1,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="BOS not counted",
            wrong=_place_of(lambda model, before, name, tokens, right: right - 1),
            sentence="Your place is one too early. Position 0 is BOS, so everything else stands one further than in the text alone.",
        ),
        Mistake(
            name="one too late",
            wrong=_place_of(lambda model, before, name, tokens, right: right + 1),
            sentence="Your place is one too late: it is the token after the name. Of n tokens the last one has the position n - 1.",
        ),
        Mistake(
            name="the name's first token",
            wrong=_place_of(
                lambda model, before, name, tokens, right: (
                    right + 1 - len(_tokens(model, name, False))
                )
            ),
            sentence="This is where the name begins. At its first piece it is mostly open which city it will be: take its last one.",
        ),
        Mistake(
            name="where its last token comes up first",
            wrong=_place_of(
                lambda model, before, name, tokens, right: tokens.tolist().index(int(tokens[right]))
            ),
            sentence="You look for the name's last token and take the first place where it comes up. The same token may stand earlier in the "
            "prompt: count the tokens up to the end of the name.",
        ),
        Mistake(
            name="the end of the prompt",
            wrong=_place_of(lambda model, before, name, tokens, right: len(tokens) - 1),
            sentence="This is the last token of the whole prompt, where the answer is predicted. Asked is where the NAME ends.",
        ),
        Mistake(
            name="without BOS",
            wrong=lambda model, before, name, after: (
                _tokens(model, before + name + after, False),
                len(_tokens(model, before + name, False)) - 1,
            ),
            sentence="The tokens have no BOS in front. The model has always seen one there, so leave `prepend_bos` as it is.",
        ),
        Mistake(
            name="batch axis kept",
            wrong=lambda model, before, name, after: (
                model.to_tokens(before + name + after),
                name_place(model, before, name, after)[1],
            ),
            sentence="The batch axis is still there: `to_tokens` gives [batch pos], and one prompt is its entry 0.",
        ),
        Mistake(
            name="several BOS",
            wrong=lambda model, before, name, after: (
                torch.cat([_tokens(model, text) for text in (before, name, after) if text]),
                sum(len(_tokens(model, text)) for text in (before, name) if text) - 1,
            ),
            sentence="You tokenized the parts one by one, and each brought a BOS of its own. There is one, in front of the whole prompt.",
        ),
    ),
    hints=(
        "`model.to_tokens(text)` gives [1 pos], with BOS in front.",
        "The name ends where the text up to and with the name ends. How many tokens has that text?",
        "Positions are counted from 0, so the last of n tokens stands at n - 1.",
    ),
)
