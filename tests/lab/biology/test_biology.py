"""Planning, languages, knowing, opinions, refusing: each against hooks, brute force or a closed form."""

import doctest
import importlib

import numpy as np
import pytest
import torch

from mi_tutor.lab import biology
from mi_tutor.lab.biology import planning
from mi_tutor.lab.ground import plain_transformer

FILES = ("planning", "languages", "knowing", "opinions", "refusing", "exchanging")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(2, 188, (5, 7), generator=generator())


@pytest.mark.parametrize("name", FILES)
def test_the_examples_in_the_docstrings(name):
    module = importlib.import_module(f"mi_tutor.lab.biology.{name}")
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted > 0 or name == "refusing"


def with_hook(model, tokens, layer, position, change):
    """The most likely next tokens of TransformerLens's own model, its stream changed in a hook."""

    def hook(x, hook):
        x = x.clone()
        x[:, position] = change(x[:, position])
        return x

    name = f"blocks.{layer}.hook_resid_pre"
    return model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])[:, -1].argmax(dim=-1)


@pytest.mark.parametrize("position", [-1, 2])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_line_is_written_token_by_token_with_the_step_where_it_was(
    tiny_gpt2, plain, tokens, layer, position
):
    directions = torch.randn(5, 24, generator=generator(1))
    template = [biology.BLANK, 7, 9, biology.BLANK, biology.BLANK]
    written = biology.write_line(plain, tokens, template, biology.Step(layer, position, directions))
    text, where, expected = tokens, range(7)[position], []
    for token in template:
        new = torch.full((5,), token) if token is not None else None
        if new is None:
            new = with_hook(tiny_gpt2, text, layer, where, lambda x: x + directions)
            expected.append(new)
        text = torch.cat([text, new[:, None]], dim=1)
    assert written.equal(torch.stack(expected, dim=1))
    by_hooks = biology.written_after(tiny_gpt2, tokens, template, directions, layer, where)
    assert by_hooks.equal(written)


def test_without_a_step_a_line_is_what_the_model_says(tiny_gpt2, plain, tokens):
    written = biology.write_line(plain, tokens, [biology.BLANK])
    assert written[:, 0].equal(tiny_gpt2(tokens)[:, -1].argmax(dim=-1))


def test_swaps_count_what_fits_the_target_and_not_the_own_plan(plain, tokens):
    """Means whose difference is nothing change nothing; a table that has every word makes nothing fit."""
    plans, targets = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([[1], [2], [0], [2], [0]])
    nothing = torch.zeros(3, 24)
    template = [biology.BLANK, 4, biology.BLANK]
    unchanged = biology.write_line(plain, tokens, template)
    everything = torch.ones(2, 3, 188, dtype=torch.bool)
    done = biology.swap_plans(plain, tokens, plans, targets, nothing, template, everything, layer=1)
    assert done.written[:, 0].equal(unchanged)
    assert not done.fits.any()  # it goes with the own plan as well
    only_target = torch.zeros_like(everything)
    for row, words in enumerate(unchanged):
        only_target[[0, 1], targets[row, 0], words] = True
    only_target[:, 0] = False
    done = biology.swap_plans(
        plain, tokens, plans, targets, nothing, template, only_target, layer=1
    )
    by_hand = [
        [
            bool(only_target[b, targets[i, 0], w]) and not bool(only_target[b, plans[i], w])
            for b, w in enumerate(unchanged[i])
        ]
        for i in range(5)
    ]
    assert done.fits[:, 0].tolist() == by_hand
    assert done.whole_lines == torch.tensor([all(row) for row in by_hand]).float().mean()


def test_a_random_step_has_the_norm_of_the_one_it_stands_for(plain, tokens, monkeypatch):
    seen = []
    write = planning.write_line
    monkeypatch.setattr(
        planning,
        "write_line",
        lambda p, t, line, step: seen.append(step) or write(p, t, line, step),
    )
    means = torch.randn(3, 24, generator=generator(2))
    plans, targets = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([[1], [2], [0], [2], [0]])
    goes_with = torch.ones(1, 3, 188, dtype=torch.bool)
    for seed in (None, 0):
        planning.swap_plans(
            plain, tokens, plans, targets, means, [None], goes_with, layer=1, random_seed=seed
        )
    true, random = (step.directions for step in seen)
    assert torch.allclose(true.norm(dim=-1), random.norm(dim=-1), atol=1e-5)
    assert torch.cosine_similarity(true, random).abs().max() < 0.9


def test_ingredients_add_up_are_orthogonal_and_find_what_was_put_in():
    first, second = torch.arange(12) // 4, torch.arange(12) % 4
    order = torch.randperm(12, generator=generator(3))
    first, second = first[order], second[order]
    a, b = torch.randn(3, 6, generator=generator(4)), torch.randn(4, 6, generator=generator(5))
    added = a[first] + b[second]
    found = biology.ingredients(added, first, second)
    assert found.together.abs().max() < 1e-5
    assert torch.allclose(found.first, (a - a.mean(0))[first], atol=1e-5)
    own = torch.randn(12, 6, generator=generator(6))
    found = biology.ingredients(added + own, first, second)
    assert torch.allclose(found.common + sum(found[1:]), added + own, atol=1e-5)
    assert found.shares.sum().item() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="exactly one"):
        biology.ingredients(added, first, second.roll(1))


@pytest.fixture(scope="module")
def cells():
    return torch.randn(4, 3, 2, 5, generator=generator(7), dtype=torch.float64)


def test_parts_add_up_and_their_variances_too(cells):
    parts = biology.parts(cells)
    assert len(parts) == 8
    assert torch.allclose(sum(parts.values()), cells)
    flat = torch.stack([part.flatten() for part in parts.values()])
    products = flat @ flat.T
    assert torch.allclose(products, products.diag().diag(), atol=1e-9)
    assert sum(biology.variance_shares(cells).values()) == pytest.approx(1)


def test_parts_against_least_squares_on_dummy_variables(cells):
    """The analysis of variance as a regression: concept and relation alone, no interactions."""
    c, r, _ = torch.meshgrid(torch.arange(4), torch.arange(3), torch.arange(2), indexing="ij")
    one_hot = torch.nn.functional.one_hot
    design = torch.cat([one_hot(c.flatten(), 4), one_hot(r.flatten(), 3)], dim=1).double()
    fitted = design @ torch.linalg.pinv(design) @ cells.flatten(0, 2)
    parts = biology.parts(cells)
    added = parts[()] + parts["concept",] + parts["relation",]
    assert torch.allclose(added.flatten(0, 2), fitted)


def test_cell_means_by_hand():
    factors = torch.cartesian_prod(torch.arange(3), torch.arange(2), torch.arange(2)).repeat(2, 1)
    x = torch.randn(24, 4, generator=generator(8))
    cells = biology.cell_means(x, factors)
    assert cells.shape == (3, 2, 2, 4)
    chosen = (factors == torch.tensor([2, 0, 1])).all(dim=1)
    assert torch.allclose(cells[2, 0, 1], x[chosen].mean(dim=0))
    with pytest.raises(ValueError, match="cells"):
        biology.cell_means(x[~chosen], factors[~chosen])


def test_common_share_is_one_for_copies_and_a_third_for_strangers():
    one = torch.randn(400, 50, generator=generator(9))
    assert biology.common_share(torch.stack([one, one + 3, one - 7])).item() == pytest.approx(1)
    others = torch.randn(3, 400, 50, generator=generator(10))
    assert biology.common_share(others).item() == pytest.approx(1 / 3, abs=0.02)
    shuffled = biology.shuffled_share(torch.stack([one] * 3), generator(11))
    assert shuffled.item() == pytest.approx(1 / 3, abs=0.02)


def test_swap_steps_are_differences_of_means(cells):
    factors, targets = torch.tensor([[0, 2, 1], [3, 1, 0]]), torch.tensor([0, 1])
    every = biology.swap_steps(cells, factors, targets, "language")
    own = biology.swap_steps(cells, factors, targets, "language", given=("relation",))
    by_language, by_both = cells.mean(dim=(0, 1)), cells.mean(dim=0)
    assert torch.allclose(every[0], by_language[0] - by_language[1])
    assert torch.allclose(own[0], by_both[2, 0] - by_both[2, 1])
    assert torch.allclose(own[1], by_both[1, 1] - by_both[1, 0])
    with pytest.raises(ValueError, match="held"):
        biology.swap_steps(cells, factors, targets, "language", given=("language",))


def test_steps_of_one_part_are_two_cells_of_a_table(cells):
    """The language's table is over all concepts; a borrowed concept's is of the source alone, wherever it goes."""
    factors, targets = torch.tensor([[0, 2, 1], [3, 1, 0]]), torch.tensor([0, 1])
    by_both = cells.mean(dim=0)
    steps = biology.language_steps(cells, factors, targets)
    assert torch.allclose(steps[0], by_both[2, 0] - by_both[2, 1])
    assert torch.allclose(steps[1], by_both[1, 1] - by_both[1, 0])
    borrowed = biology.borrowed_steps(cells, factors, targets, source=0)
    assert torch.allclose(borrowed[0], cells[0, 2, 0] - cells[0, 2, 0])
    assert torch.allclose(borrowed[1], cells[1, 1, 0] - cells[3, 1, 0])
    changed = cells.clone()
    changed[:, :, 1] += 5
    assert biology.borrowed_steps(changed, factors, targets, source=0).equal(borrowed)


def test_parts_are_right_if_any_cell_of_the_word_has_them():
    answers = torch.randint(12, (4, 3, 2), generator=generator(18))
    guesses = torch.randint(14, (60,), generator=generator(19))
    sizes = torch.tensor(answers.shape)
    wanted = (torch.rand(60, 3, generator=generator(20)) * sizes).long()
    found = biology.parts_right(guesses, answers, wanted)
    for i in range(60):
        cells = {cell for cell in np.ndindex(4, 3, 2) if answers[cell] == guesses[i]}
        assert found[i].tolist() == [
            any(cell[axis] == wanted[i, axis] for cell in cells) for axis in range(3)
        ]


@pytest.mark.parametrize("position", [-1, 3])
def test_swapping_a_factor_against_a_hook(tiny_gpt2, plain, tokens, position):
    steps = torch.randn(5, 24, generator=generator(12))
    guesses = with_hook(tiny_gpt2, tokens, 1, position, lambda x: x + steps)
    wanted = guesses.clone()
    wanted[:2] = 0
    done = biology.swap_factor(plain, tokens, 1, steps, wanted, position)
    assert done.guesses.equal(guesses)
    assert done.swapped == (guesses == wanted).float().mean()
    before = tiny_gpt2(tokens)[:, -1].argmax(dim=-1)
    assert done.unchanged == (guesses == before).float().mean()


def test_lifting_the_default_against_a_hook(tiny_gpt2, plain, tokens):
    direction = torch.randn(24, generator=generator(13))
    guesses = with_hook(tiny_gpt2, tokens, 2, 4, lambda x: x + 1.5 * direction)
    known = torch.tensor([True, False, True, False, False])
    right = torch.where(known, guesses, 0)
    right[0] = 1
    asked = biology.Asked(tokens, known, right)
    answers = [int(guesses[1])]
    done = biology.lift_default(plain, asked, answers, 2, direction, position=4, strength=1.5)
    assert done.guesses.equal(guesses)
    assert done.kept == (guesses == right)[known].float().mean()
    assert done.hallucinated == (guesses == guesses[1])[~known].float().mean()
    with pytest.raises(ValueError, match="both"):
        biology.known_direction(torch.ones(2, 3), torch.tensor([True, True]))


def test_set_to_centre_projects_and_leaves_the_rest():
    x = torch.randn(6, 8, generator=generator(14), dtype=torch.float64)
    centre = torch.randn(8, generator=generator(15), dtype=torch.float64)
    directions = torch.randn(2, 8, generator=generator(16), dtype=torch.float64)
    directions[1] = directions[0] + 0.1 * directions[1]  # far from orthogonal
    new = biology.set_to_centre(x, directions, centre)
    assert torch.allclose(new @ directions.T, (centre @ directions.T).expand(6, 2))
    inside = torch.linalg.pinv(directions) @ directions  # the projection onto their span
    assert torch.allclose(new - new @ inside, x - x @ inside)
    assert torch.allclose(biology.set_to_centre(new, directions, centre), new)


def test_centred_answers_against_a_hook(tiny_gpt2, plain, tokens):
    centre, d = torch.randn(2, 24, generator=generator(17))
    unit = d / d.norm()
    by_hand = with_hook(
        tiny_gpt2, tokens, 1, 6, lambda x: x - ((x - centre) @ unit)[:, None] * unit
    )
    assert biology.answers_centred(plain, tokens, 1, d[None], centre).equal(by_hand)


@pytest.mark.parametrize("position", [-1, 2])
def test_answers_with_a_head_set_against_a_hook(tiny_gpt2, plain, tokens, position):
    z = 5 * torch.randn(5, tiny_gpt2.cfg.d_head, generator=generator(19))

    def hook(x, hook):
        x = x.clone()
        x[:, position, 2] = z
        return x

    logits = tiny_gpt2.run_with_hooks(tokens, fwd_hooks=[("blocks.1.attn.hook_z", hook)])
    assert biology.answers_with_head(plain, tokens, 1, 2, z, position).equal(
        logits[:, -1].argmax(dim=-1)
    )


def test_turned_against_hooks_place_by_place(tiny_gpt2, plain, tokens):
    others = tokens.clone()
    others[:, 3] = torch.randint(2, 188, (5,), generator=generator(18))
    own, wanted = (tiny_gpt2(each)[:, -1].argmax(dim=-1) for each in (tokens, others))
    asked = own != wanted
    assert asked.any()
    found = biology.turned(plain, tokens, others)
    assert found.shape == (3, 7)
    for layer, position in ((0, 3), (1, 3), (2, 6), (1, 5)):
        name = f"blocks.{layer}.hook_resid_pre"
        _, run = tiny_gpt2.run_with_cache(others, names_filter=name)
        there = run[name][:, position]
        replies = with_hook(tiny_gpt2, tokens, layer, position, lambda x, there=there: there)
        assert found[layer, position] == (replies == wanted)[asked].float().mean()
    assert found[0, 3] == 1  # they differ there only
    assert found[0, 5] == 0
    with pytest.raises(ValueError, match="same reply"):
        biology.turned(plain, tokens, tokens)


def test_attention_against_the_model_s_own(tiny_gpt2, plain, tokens):
    found = biology.looks_at(plain, tokens, query=4)
    _, run = tiny_gpt2.run_with_cache(tokens)
    for layer in range(3):
        pattern = run[f"blocks.{layer}.attn.hook_pattern"][:, :, 4].mean(dim=0)
        assert torch.allclose(found[layer], pattern, atol=1e-5)


def test_told_apart_by_brute_force_and_by_chance():
    x = torch.randn(60, 8, generator=generator(19)).round()
    known, folds = torch.arange(60) % 3 == 0, torch.arange(60) % 4
    areas = []
    for fold in range(4):
        here = folds == fold
        d = x[~here & known].mean(dim=0) - x[~here & ~known].mean(dim=0)
        one, other = (x[here & known] @ d).tolist(), (x[here & ~known] @ d).tolist()
        wins = [(a > b) + 0.5 * (a == b) for a in one for b in other]
        areas.append(sum(wins) / len(wins))
    assert biology.told_apart(x, known, folds).item() == pytest.approx(sum(areas) / 4, abs=1e-5)
    assert biology.told_apart(torch.ones(60, 8), known, folds) == 0.5
    noise = torch.randn(400, 200, generator=generator(20))
    yes = torch.arange(400) % 2 == 0
    made_from_all = biology.area(noise @ biology.known_direction(noise, yes), yes)
    assert made_from_all > 0.8  # nothing is there, and it looks as if there were
    assert biology.told_apart(noise, yes, torch.arange(400) // 2 % 2) == pytest.approx(
        0.5, abs=0.08
    )


@pytest.mark.parametrize("some", [("1.2",), ("0.0", "mlp1"), ("mlp2", "2.1", "0.2", "0.1")])
def test_exchanged_parts_against_hooks(tiny_gpt2, plain, tokens, some):
    others = torch.randint(2, 188, (5, 7), generator=generator(21))
    _, run = tiny_gpt2.run_with_cache(others)

    def put(name, head=None):
        def hook(x, hook):
            x = x.clone()
            index = slice(None) if head is None else (slice(None), slice(None), head)
            x[index] = run[name][index]
            return x

        return name, hook

    hooks = [
        put(f"blocks.{part[3:]}.hook_mlp_out")
        if part.startswith("mlp")
        else put(f"blocks.{part[0]}.attn.hook_z", int(part[2:]))
        for part in some
    ]
    expected = tiny_gpt2.run_with_hooks(tokens, fwd_hooks=hooks)[:, -1]
    found = biology.exchanged(plain, tokens, others, some)
    logits = plain.logits_after(len(plain.blocks) - 1, found[:, None], read=-1)[:, 0]
    assert torch.allclose(logits, expected, atol=1e-4)
    with pytest.raises(ValueError, match="no part"):
        biology.exchanged(plain, tokens, others, ["9.9"])


def test_all_parts_exchanged_leave_the_embedding_only(tiny_gpt2, plain, tokens):
    others = torch.randint(2, 188, (5, 7), generator=generator(22))
    found = biology.exchanged(plain, tokens, others, biology.part_names(plain))
    own, there = (plain.embed(each)[:, -1] for each in (tokens, others))
    end = plain.resid_pre(len(plain.blocks), others)[:, -1]
    assert torch.allclose(found, end - there + own, atol=1e-4)
