"""Circuits against plain arithmetic, hooks against shared beginnings, criteria on sums."""

import doctest
import random
from itertools import combinations

import pytest
import torch

from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import Site, hook_name
from mi_tutor.lab.patching import circuits
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.patching.circuits import (
    CircuitRuns,
    all_parts,
    circuit_logits,
    drawn_subsets,
    heads_of,
    three_criteria,
)

G = torch.Generator().manual_seed(3)
TOKENS = torch.randint(2, 188, (3, 7), generator=G)
OTHERS = torch.randint(2, 188, (3, 7), generator=G)
METRIC = prefers(torch.tensor([3, 100, 7]), torch.tensor([50, 20, 8]))
SOME = [
    frozenset(),
    frozenset({0, (0, 1), (2, 2)}),
    frozenset({0, (0, 1), 2}),
    frozenset({0, (0, 1), (1, 0), 1, (2, 0)}),
]


def close(seen, expected):
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


def test_without_members_the_stream_is_the_other_prompts_plus_the_difference_of_the_embeddings(
    tiny_gpt2,
):
    plain = plain_transformer(tiny_gpt2)
    stream = plain.run(OTHERS)[hook_name("resid_post", 2)].detach()
    stream = stream + plain.embed(TOKENS) - plain.embed(OTHERS)
    close(circuit_logits(tiny_gpt2, TOKENS, OTHERS, [], []), plain.logits_after(2, stream))


@pytest.mark.parametrize("name", ["tiny_gpt2", "tiny_llama"])
@pytest.mark.parametrize("parts", SOME)
def test_the_others_are_patched(name, parts, request):
    model = request.getfixturevalue(name)
    source = capture(model, OTHERS, ("z", "mlp_out"))
    silent = [
        Site("mlp_out", part) if isinstance(part, int) else Site("z", part[0], head=part[1])
        for part in all_parts(model) - parts
    ]
    expected = run_patched(model, TOKENS, source, silent)
    mlps = parts - heads_of(parts)
    close(circuit_logits(model, TOKENS, OTHERS, heads_of(parts), mlps), expected)
    assert not any(p.fwd_hooks for p in model.hook_dict.values())


@pytest.mark.parametrize("name", ["tiny_gpt2", "tiny_llama"])
def test_shared_beginnings_change_nothing(name, request):
    model = request.getfixturevalue(name)
    every = [*SOME, all_parts(model)]
    seen = CircuitRuns(model, TOKENS, OTHERS, METRIC).values([*every, SOME[1]])
    for parts, value in zip([*every, SOME[1]], seen, strict=True):
        logits = circuit_logits(model, TOKENS, OTHERS, heads_of(parts), parts - heads_of(parts))
        assert value == pytest.approx(METRIC(logits).mean().item(), abs=1e-4)
    with torch.no_grad():
        assert seen[-2] == pytest.approx(METRIC(model(TOKENS)).mean().item(), abs=1e-4)


FIVE = frozenset(range(5))


def each(f):
    return lambda sets: [f(parts) for parts in sets]


def test_criteria_of_a_sum():
    """F is the sum of what members are worth: gaps are what lies outside, each pays what it is worth."""
    worth = {0: 4.0, 1: 3.0, 2: 2.0, 3: 1.0, 4: 0.0}
    values = each(lambda parts: sum(worth[part] for part in parts))
    subsets = [frozenset(k) for k in combinations(range(5), 2)]
    found = three_criteria(values, FIVE, frozenset({0, 1, 4}), subsets, subsets[:3])
    assert found.faithful == pytest.approx(0.7) and found.whole == 10
    assert found.gaps == pytest.approx([0.3] * 10) and found.gap == pytest.approx(0.3)
    assert found.pays == pytest.approx({0: 0.4, 1: 0.3, 4: 0.0})


def test_a_backup_shows_in_completeness_and_pays_when_its_twin_is_out():
    """0 and 1 stand in for each other: without 1 the circuit is faithful, and not complete."""
    values = each(lambda parts: 1.0 + (0 in parts or 1 in parts))
    alone = three_criteria(values, FIVE, frozenset({0}), [frozenset({0})])
    assert alone.faithful == 1 and alone.gaps == pytest.approx([0.5])
    both = three_criteria(values, FIVE, frozenset({0, 1}), [frozenset({0})])
    assert both.gap == 0 and both.pays == pytest.approx({0: 0.0, 1: 0.0})
    also = three_criteria(values, FIVE, frozenset({0, 1}), [], [frozenset({0})])
    assert also.pays == pytest.approx({0: 0.0, 1: 0.5})


def test_drawn_subsets():
    circuit = frozenset({0, 1, (0, 1), (1, 0), 4})
    drawn = drawn_subsets(circuit, random.Random(0), n=300, most=3)
    assert {len(k) for k in drawn} == {1, 2, 3} and all(k <= circuit for k in drawn)
    assert frozenset().union(*drawn) == circuit
    assert drawn_subsets(frozenset(), random.Random(0), n=3) == []


def test_examples():
    assert doctest.testmod(circuits).failed == 0
