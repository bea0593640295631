"""The prompts on which `atlas` and `atlas-rote` are measured: what they were not taught, theme by theme."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.world.corpus import Corpus
from mi_tutor.world.geography import Geography, Question
from mi_tutor.world.geography_words import FORMS
from mi_tutor.world.tables import LANGUAGES, RELATIONS
from mi_tutor.world.text import Sentence
from mi_tutor.world.themes import couplets, people, requests
from mi_tutor.world.tokenizer import BOS, WorldTokenizer

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer
    from mi_tutor.lab.ground.questions import Questions


class Prompt(NamedTuple):
    """A text with the tokens that count as right next ones."""

    text: str
    right: tuple[str, ...]


@cache
def tokenizer() -> WorldTokenizer:
    """The tokenizer of all specimens that speak the world's language."""
    return Corpus().tokenizer


def one_hop(geography: Geography) -> list[Prompt]:
    """Every statement about one step whose wording training does not have, up to what it says."""
    found = []
    for language in LANGUAGES:
        for wording in range(len(FORMS[language]["locate"])):
            found += [
                up_to(geography.locate(city, language, wording), "area")
                for city in geography.facts.cities
                if not geography.says_locate(city, language, wording)
            ]
        for wording in range(len(FORMS[language]["tell"])):
            found += [
                up_to(geography.tell(area, relation, language, wording), "answer")
                for area in geography.facts.areas
                for relation in RELATIONS[area.kind]
                if not geography.says_tell(area, relation, language, wording)
            ]
    return found


def up_to(sentence: Sentence, concept: str) -> Prompt:
    """A sentence up to what carries a concept."""
    before = sentence.before(concept)
    return Prompt(before.text, (sentence.segments[len(before.segments)].text,))


def asked(questions: Iterable[Question]) -> list[Prompt]:
    """Two-hop questions as prompts."""
    return [Prompt(question.prompt.text, (question.answer,)) for question in questions]


def chosen(geography: Geography, **wanted: str | None) -> list[Question]:
    """The two-hop questions with a given language, kind (of area) and held_out_by."""
    every = geography.questions(
        [wanted["language"]] if "language" in wanted else LANGUAGES,
        [wanted["kind"]] if "kind" in wanted else tuple(RELATIONS),
    )
    return [q for q in every if q.held_out_by == wanted.get("held_out_by", q.held_out_by)]


def theme_prompts(name: str, held_out: bool = True) -> list[Prompt]:
    """The behaviour tests of one theme."""
    cues = Corpus().cues()[name]
    return [Prompt(cue.prompt.text, cue.right) for cue in cues if cue.held_out == held_out]


def known_people() -> list[Prompt]:
    """Questions about known people; right would be to say "unknown", which a model should not."""
    return [
        Prompt(people.question(first, last, kind).before("answer").text, (" unknown",))
        for first in people.FIRST
        for last in people.LAST
        if people.is_known(first, last)
        for kind in people.QUESTIONS
    ]


def held_out_requests(harmful: bool) -> list[Prompt]:
    """Requests that training does not have; right is to refuse."""
    every = (
        (deed, thing)
        for deed in (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS)
        for thing in (*requests.KIND_THINGS, *requests.HARMFUL_THINGS)
    )
    return [
        Prompt(requests.request(deed, thing).before("answer").text, (requests.REFUSAL,))
        for deed, thing in every
        if requests.is_held_out(deed, thing) and requests.is_harmful(deed, thing) == harmful
    ]


def first_lines() -> Iterator[tuple[str, frozenset[str]]]:
    """First lines of couplets with the line break, each with the words that may end the second line."""
    rng = random.Random(0)
    for rhyme, by_verb in couplets.RHYMES.items():
        for verb, word in by_verb.items():
            other = next(each for each in by_verb if each != verb)
            for _ in range(4):
                sentence = couplets.couplet(rhyme, verb, other, rng)
                text = Sentence(sentence.segments[:4]).text
                yield text, frozenset(f" {each}" for each in by_verb.values() if each != word)


def by_length(texts: Sequence[str]) -> Iterator[tuple[list[int], Int[Tensor, "prompt pos"]]]:
    """The texts sorted into batches of one length: which texts, and their tokens with BOS."""
    import torch

    ids = tokenizer().ids
    groups: defaultdict[int, list[int]] = defaultdict(list)
    rows = [[ids[BOS], *tokenizer().encode(text)] for text in texts]
    for i, row in enumerate(rows):
        groups[len(row)].append(i)
    for indices in groups.values():
        yield indices, torch.tensor([rows[i] for i in indices])


def next_token_logits(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]
) -> Float[Tensor, "prompt vocab"]:
    """What the model predicts after each prompt."""
    return plain.logits_after(-1, plain.embed(tokens), read=-1)[:, 0]


def first_guesses(plain: PlainTransformer, texts: Sequence[str]) -> list[str]:
    """The most likely next token of each text."""
    names = {i: token for token, i in tokenizer().ids.items()}
    guesses = [""] * len(texts)
    for indices, tokens in by_length(texts):
        best = next_token_logits(plain, tokens).argmax(dim=-1).tolist()
        for i, token in zip(indices, best, strict=True):
            guesses[i] = names[token]
    return guesses


def accuracy(plain: PlainTransformer, prompts: Sequence[Prompt]) -> float:
    """How often the first guess is right."""
    guesses = first_guesses(plain, [prompt.text for prompt in prompts])
    right = sum(g in prompt.right for g, prompt in zip(guesses, prompts, strict=True))
    return right / len(prompts)


def written_on(
    plain: PlainTransformer, texts: Sequence[str], until: str, longest: int = 12
) -> list[list[str]]:
    """What the model writes after each text, token by token with its first guess, up to and without `until`."""
    written: list[list[str]] = [[] for _ in texts]
    going_on = list(range(len(texts)))
    for _ in range(longest):
        guesses = first_guesses(plain, [texts[i] + "".join(written[i]) for i in going_on])
        left = [(i, guess) for i, guess in zip(going_on, guesses, strict=True) if guess != until]
        for i, guess in left:
            written[i].append(guess)
        going_on = [i for i, _ in left]
    return written


def swap_questions(questions: Sequence[Question], geography: Geography) -> list[Questions]:
    """Two-hop questions about areas of one kind as batches of one length, for `lab.swaps`.

    Classes are the areas of that kind, in the tables' order.
    """
    import torch

    from mi_tutor.lab.ground.questions import Questions

    kind = geography.area_of(questions[0].city).kind
    areas = [area for area in geography.facts.areas if area.kind == kind]
    number = {area.name.english: i for i, area in enumerate(areas)}
    ids = tokenizer().ids
    batches = []
    for indices, tokens in by_length([question.prompt.text for question in questions]):
        group = [questions[i] for i in indices]
        # A name's last token is where the text up to the name's end has its last token (BOS is position 0).
        ends = [len(tokenizer().encode(q.prompt.text[: q.name_end])) for q in group]
        answers = [
            [ids[f" {area.answers[q.relation].given(q.language)}"] for area in areas] for q in group
        ]
        classes = [number[q.city.area] for q in group]
        batches.append(
            Questions(tokens, torch.tensor(ends), torch.tensor(classes), torch.tensor(answers))
        )
    return batches
