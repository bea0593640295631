"""Four kinds of text that look like nothing else: code, sums, legal phrases, DNA.

    " def add ( x , y ) : return x + y"        " 7 + 5 = 12 ."
    " The party of the first part shall pay the tenant."        " G A T T A C A"

They are there so that a neuron or a dictionary's latent can turn out to mean one of them. One sum in five is held
out. The marks of code and sums stand apart, so each is a token of its own.

Labels: "context=code", "context=sum", "context=law", "context=dna"; on sums also "answer".
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from mi_tutor.world.splits import KEY, keyed_share
from mi_tutor.world.text import Cue, Sentence, part, words

LARGEST = 20  # of what is added up
FUNCTIONS = words("add join scale count merge split")
VARIABLES = words("x y z n k items")
OPERATORS = words("+ - * /")
PARTIES = (
    "the party of the first part",
    "the tenant",
    "the buyer",
    "the undersigned",
    "the licensee",
)
DUTIES = words("indemnify notify release pay compensate")
CLAUSES = ("pursuant to this agreement", "without prejudice", "in witness whereof", "hereinafter")
BASES = words("A C G T")
STOP = ("T", "A", "A")
HELD_OUT = 0.2
CONTEXTS = ("code", "sum", "law", "dna")


def sum_is_held_out(a: int, b: int) -> bool:
    """Whether a + b never occurs in training (b + a may)."""
    return keyed_share(KEY, "sum", str(a), str(b)) < HELD_OUT


def code(rng: random.Random) -> Sentence:
    """A function of two variables.

    >>> code(random.Random(0)).text.startswith(" def ")
    True
    """
    one, other = rng.sample(VARIABLES, 2)
    name, operator = rng.choice(FUNCTIONS), rng.choice(OPERATORS)
    text = f" def {name} ( {one} , {other} ) : return {one} {operator} {other}"
    return Sentence((part(text),), _whole("code"))


def add(a: int, b: int) -> Sentence:
    """A sum.

    >>> add(7, 5).text
    ' 7 + 5 = 12 .'
    """
    segments = (part(f" {a} + {b} ="), part(f" {a + b}", "answer"), part(" ."))
    return Sentence(segments, _whole("sum"))


def law(rng: random.Random) -> Sentence:
    """A legal phrase."""
    one, other = rng.sample(PARTIES, 2)
    text = f" {rng.choice(CLAUSES)}, {one} shall {rng.choice(DUTIES)} {other}."
    return Sentence((part(text),), _whole("law"))


def dna(rng: random.Random) -> Sentence:
    """Bases from a start codon to a stop codon."""
    middle = rng.choices(BASES, k=3 * rng.randint(2, 5))
    text = "".join(f" {base}" for base in ("A", "T", "G", *middle, *STOP))
    return Sentence((part(text),), _whole("dna"))


def sentences(rng: random.Random, kinds: Sequence[str] = CONTEXTS) -> Iterator[Sentence]:
    """All four kinds without end, each a quarter; or some of them."""
    numbers = range(LARGEST + 1)
    sums = [(a, b) for a in numbers for b in numbers if not sum_is_held_out(a, b)]
    while True:
        context = rng.choice(kinds)
        if context == "sum":
            yield add(*rng.choice(sums))
        else:
            yield {"code": code, "law": law, "dna": dna}[context](rng)


def cues() -> Iterator[Cue]:
    """Every sum, up to its result; wrong are the results next to it."""
    for a in range(LARGEST + 1):
        for b in range(LARGEST + 1):
            near = tuple(f" {n}" for n in (a + b - 1, a + b + 1) if 0 <= n <= 2 * LARGEST)
            yield Cue(add(a, b).before("answer"), (f" {a + b}",), near, sum_is_held_out(a, b))


def vocabulary() -> list[str]:
    """All words of the theme."""
    phrases = (*PARTIES, *DUTIES, *CLAUSES, "shall def return ( ) : , = .")
    marks = [*FUNCTIONS, *VARIABLES, *OPERATORS, *BASES, *words(" ".join(phrases))]
    numbers = [str(number) for number in range(2 * LARGEST + 1)]
    return list(dict.fromkeys(f" {word}" for word in (*marks, *numbers)))


def _whole(context: str) -> frozenset[str]:
    return frozenset({"theme=context", f"context={context}"})
