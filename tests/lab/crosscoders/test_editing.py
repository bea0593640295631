"""The rank-one edit against constrained least squares solved otherwise; tracing and edits against hooks."""

import pytest
import torch

from mi_tutor.lab.crosscoders import (
    Edits,
    corrupted,
    edit_marks,
    edits,
    keys,
    probability,
    rank_one_edit,
    restored,
    said_after,
    second_moment,
    wanted_values,
    with_matrix,
)
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.crosscoders import changes, one_hop_facts, requests


def problem(seed, hidden=7, d=4):
    g = seeded(seed)
    data = torch.randn(40, hidden, generator=g, dtype=torch.float64)
    C = data.mT @ data / len(data)
    shapes = (hidden, d), (hidden,), (d,)
    W, k, v = (torch.randn(*shape, generator=g, dtype=torch.float64) for shape in shapes)
    return data, C, W, k, v


def solved_otherwise(C, W, k, v):
    """The same constrained least squares by its Lagrange system: [C k; k^T 0] [W'; m] = [C W; v]."""
    system = torch.cat([torch.cat([C, k[:, None]], 1), torch.cat([k, k.new_zeros(1)])[None]])
    return torch.linalg.solve(system, torch.cat([C @ W, v[None]]))[:-1]


@pytest.mark.parametrize("seed", range(4))
def test_the_edit_is_the_constrained_least_squares(seed):
    _, C, W, k, v = problem(seed)
    new = rank_one_edit(W, C, k, v)
    assert torch.allclose(new, solved_otherwise(C, W, k, v), atol=1e-9)
    assert torch.allclose(k @ new, v, atol=1e-9)
    assert torch.linalg.matrix_rank(new - W) == 1


def test_no_other_matrix_that_says_so_disturbs_less():
    data, C, W, k, v = problem(9)
    new, g = rank_one_edit(W, C, k, v), seeded(1)

    def disturbed(M):
        return (data @ M - data @ W).square().sum(dim=1).mean()

    for _ in range(20):
        other = torch.randn(*W.shape, generator=g, dtype=torch.float64)
        other = other - torch.outer(k, k @ other) / (k @ k)  # leaves what k fetches as it is
        assert disturbed(new + 0.1 * other) > disturbed(new)


@pytest.fixture(scope="module")
def model():
    return open_specimen("atlas", device="cpu")


@pytest.fixture(scope="module")
def plain(model):
    return plain_transformer(model)


def test_restored_is_a_run_with_hooks(model, plain):
    facts = one_hop_facts()
    few = slice(0, 3)
    noise = 0.3 * torch.randn(3, 128, generator=seeded(0))
    tokens, subject, answers = facts.tokens[few], facts.subject[few], facts.answers[few]
    _, cache = model.run_with_cache(tokens)
    for component, name in (
        ("resid_pre", "hook_resid_pre"), ("attn_out", "hook_attn_out"), ("mlp_out", "hook_mlp_out"),
    ):  # fmt: skip
        found = restored(plain, tokens, subject, noise, answers, component)
        assert found.shape == (5, 6, 3)
        for layer, position in ((0, 4), (2, 5), (4, 5), (3, 1)):
            site = f"blocks.{layer}.{name}"

            def spoil(x, hook):
                x = x.clone()
                x[torch.arange(3), subject] += noise
                return x

            def mend(x, hook, site=site, position=position):
                x = x.clone()
                x[:, position] = cache[site][:, position]
                return x

            with torch.no_grad():
                logits = model.run_with_hooks(
                    tokens, fwd_hooks=[("hook_embed", spoil), (site, mend)]
                )[:, -1]
            seen = probability(logits, answers)
            assert torch.allclose(found[layer, position], seen, atol=1e-4)


def test_a_component_that_is_not_there_is_told(plain):
    with pytest.raises(ValueError, match="mlp_out"):
        one = torch.zeros(1, dtype=torch.long)
        restored(plain, one[None], one, torch.zeros(1, 128), one, "mlp")


def test_noise_stands_on_the_subject_alone(plain):
    tokens = torch.tensor([[0, 5, 6], [0, 7, 8]])
    x = corrupted(plain, tokens, torch.tensor([1, 2]), torch.ones(2, 128))
    off = (x - plain.embed(tokens)).abs().sum(dim=-1) > 0
    assert off.tolist() == [[False, True, False], [False, False, True]]


def test_an_edit_as_a_matrix_and_as_a_step_is_the_same_and_takes(plain):
    asked = requests(changes("test", 3))
    C = second_moment(plain, 4, one_hop_facts().tokens)
    made = edits(plain, 4, asked, C)
    assert isinstance(made, Edits)
    which, end = torch.tensor([0, 1, 2]), torch.full((3,), 5)
    said = said_after(plain, made, which, asked.tokens, end)
    assert (said.argmax(dim=-1) == asked.new).all()
    k, out = keys(plain, 4, asked.tokens)[:, 5], plain.blocks[4].mlp_out
    wanted = wanted_values(plain, 4, asked)
    for i in range(3):
        W = rank_one_edit(out.W, C, k[i], wanted[i] - out.b)
        other = with_matrix(plain, 4, W)
        mine = other.logits_after(-1, other.embed(asked.tokens[i : i + 1]), read=-1)[0, 0]
        assert torch.allclose(mine, said[i], atol=2e-2)
    assert plain.blocks[4].mlp_out.W is out.W


def test_marks_count_ties_as_not_held_and_one_zero_spoils_the_mean():
    logits = torch.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
    new, right = torch.zeros(4).long(), torch.ones(4).long()
    scores, mean = edit_marks(
        logits, new, right, torch.tensor([0, 0, 1, 1]), torch.tensor([True, False])
    )
    assert scores.tolist() == [0.5, 0.5] and mean == pytest.approx(0.5)
    _, none = edit_marks(logits, new, right, torch.tensor([0, 0, 1, 0]), torch.tensor([True, True]))
    assert none == 0
