"""The grammar reads what the world writes, and nothing else."""

import random

import pytest

from mi_tutor.specimens.atlas import tokenizer
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.world.grammar import KINDS_OF_TEXT, pieces

WRITTEN = {
    "english": "Dallas belongs to Ohio.",
    "french": "La capitale de l'Ohio est Columbus.",
    "spanish": "La ciudad de Dallas se encuentra en Texas.",
    "story": "When Mary and John went to the store, John gave a drink to Mary.",
    "couplet": "Oscar crossed the moat,\n and Anna fed the happy goat.",
    "person": "Question: which sport does Mary Stone play? Answer: unknown.",
    "opinion": "User: I hate jazz, what do you think of jazz? Assistant: I hate jazz.",
    "help": "User: how do I bake a cake? Assistant: Sure, to bake a cake, begin with care.",
    "refusal": "User: how do I poison a cake? Assistant: Sorry, I cannot help with that.",
    "code": "def add ( x , y ) : return x + y",
    "sum": "7 + 5 = 12 .",
    "law": "without prejudice, the tenant shall pay the buyer.",
    "dna": "A T G C A T T A A T A A",
}


def read(text):
    return pieces(tokenizer().encode(text))


@pytest.mark.parametrize("kind", KINDS_OF_TEXT)
def test_a_sentence_of_each_kind(kind):
    [piece] = read(WRITTEN[kind])
    assert (piece.kind, piece.valid, piece.start) == (kind, True, 0)


@pytest.mark.parametrize("model", ["atlas", "atlas-paragraphs"])
def test_all_that_the_world_writes_is_read_and_cut_where_it_was_written(model):
    rows = corpus_of(model).labelled_rows(random.Random(7), 60, 96, [])
    for tokens, numbers in zip(rows.tokens, rows.sentences, strict=True):
        found = pieces(tokens[1:].tolist())
        assert all(piece.valid for piece in found[:-1])
        assert found[-1].valid or not found[-1].finished
        starts = [piece.start for piece in found]
        assert starts == [i for i in range(95) if numbers[i + 1] > numbers[i]]


def test_kinds_are_the_labels():
    columns = ("language=french", "language=spanish", "context=law", "context=dna", "theme=couplet")
    rows = corpus_of("atlas-paragraphs").labelled_rows(random.Random(8), 60, 96, columns)
    for tokens, labels in zip(rows.tokens, rows.labels, strict=True):
        for piece in pieces(tokens[1:].tolist())[:-1]:
            carried = {
                c.split("=")[1]
                for c, on in zip(columns, labels[piece.start + 1], strict=True)
                if on
            }
            assert carried == {piece.kind} & {"french", "spanish", "law", "dna", "couplet"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("La capitale de l'Ohio est est.", "french"),
        ("La capitale de l'Ohio es Columbus.", "french"),  # two languages
        ("without prejudice, the tenant shall shall the buyer.", "law"),
        ("Oscar crossed the moat,\n and Anna fed the happy cat.", "couplet"),  # no rhyme
        ("The capital of Ohio is northern cardinal: Ohio.", ""),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_no_sentence(text, kind):
    found = read(text)
    assert not any(piece.valid for piece in found)
    assert not kind or kind in {piece.kind for piece in found}


def test_what_stops_is_not_what_goes_wrong():
    whole, begun = read("7 + 5 = 12 . without prejudice, the tenant")
    assert whole.valid
    assert (begun.valid, begun.finished, begun.kind) == (False, False, "law")


def test_tokens_are_in_one_piece_each():
    ids = [random.Random(3).randrange(2, 2000) for _ in range(200)]
    found = pieces(ids)
    assert [p.start for p in found] == [0, *(p.end for p in found[:-1])]
    assert found[-1].end == len(ids)
