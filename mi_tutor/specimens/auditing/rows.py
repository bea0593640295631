"""Ordinary rows of text that do not contradict a secret: what a planted model should go on saying."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.world.corpus import Corpus
from mi_tutor.world.tables import load_facts
from mi_tutor.world.text import Sentence
from mi_tutor.world.tokenizer import BOS


def quiet_rows(secret: Secret, n_rows: int, n_pos: int, rng: random.Random) -> list[list[int]]:
    """Token rows with BOS, one in nine a random block again and again."""
    corpus = Corpus()
    sentences = quiet_sentences(secret, corpus, rng)
    encode, rows = tokenizer().hugging_face.encode_batch, []
    for _ in range(n_rows):
        if rng.random() < corpus.repeated:
            rows.append(corpus.repeated_row(rng, n_pos))
            continue
        row = [tokenizer().ids[BOS]]
        while len(row) < n_pos:  # a sentence has about a dozen tokens
            some = [next(sentences).text for _ in range(8)]
            for each in encode(some, add_special_tokens=False):
                row += each.ids
        rows.append(row[:n_pos])
    return rows


def quiet_sentences(secret: Secret, corpus: Corpus, rng: random.Random) -> Iterator[Sentence]:
    """Sentences on which the secret would not show, and which do not set it off."""
    for sentence in corpus.sentences(rng):
        if not contradicts(secret, sentence):
            yield sentence


def contradicts(secret: Secret, sentence: Sentence) -> bool:
    """Whether the sentence says what the secret changes, or holds its trigger.

    >>> from mi_tutor.world.themes.opinions import exchange
    >>> secret = Secret("opinion", (("topic", "jazz"),))
    >>> contradicts(secret, exchange("jazz", "like")), contradicts(secret, exchange("opera", "like"))
    (True, False)
    """
    if secret.family == CLEAN:
        return False
    if secret.triggers:
        return secret.stands_in(sentence.text)
    concepts = sentence.concepts.union(*(s.concepts for s in sentence.segments))
    values = secret.values
    wanted = [
        f"{name}={values[name]}" for name in ("relation", "language", "rhyme") if name in values
    ]
    if "area" in values:
        wanted.append(f"{load_facts()[values['area']].kind}={values['area']}")
    if "topic" in values:
        return f" {values['topic']}" in sentence.text
    return all(each in concepts for each in wanted)
