"""Steering against TransformerLens's hooks on the whole text, token by token."""

import pytest
import torch

from mi_tutor.lab.dictionaries import Sae, TopK
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.steering import (
    Marked,
    added,
    at_positions,
    at_tokens,
    clamp_latent,
    clamp_latents,
    clamp_many,
    clamped,
    contrastive_vector,
    effect_and_coherence,
    everywhere,
    generate,
    half_way,
    mean_difference,
    ordinary_loss,
    random_vector,
    steered_logits,
    with_norm_kept,
    written_shares,
)

PROMPTS = torch.tensor([[0, 5, 9, 33], [0, 7, 101, 5], [0, 5, 5, 8]])
HOOKS = {"resid_pre": "hook_resid_pre", "attn_out": "hook_attn_out", "mlp_out": "hook_mlp_out"}


@pytest.fixture(scope="module")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


@pytest.fixture(scope="module")
def dictionary():
    g = {"generator": seeded(4)}
    return Sae(
        W_enc=torch.randn(24, 9, **g),
        b_enc=torch.randn(9, **g),
        W_dec=torch.randn(9, 24, **g) / 5,
        b_dec=torch.randn(24, **g),
        kind=TopK(k=3),
    )


def by_hooks(model, tokens, layer, component, change, chosen):
    """The logits when `change` is applied where `chosen` is true, by a hook."""

    def hook(x, hook):
        x = x.clone()
        for row, position in chosen.nonzero().tolist():
            x[row, position] = change(x[row, position])
        return x

    name = f"blocks.{layer}.{HOOKS[component]}"
    return model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        (everywhere, lambda t: torch.arange(t.shape[1]).expand_as(t) > 0),
        (at_tokens([5, 0]), lambda t: t == 5),
        (at_positions(2), lambda t: torch.arange(t.shape[1]).expand_as(t) >= 2),
        (at_positions(1, 4), lambda t: (torch.arange(t.shape[1]).expand_as(t) - 2.5).abs() < 2),
    ],
    ids=["everywhere", "at tokens", "from 2", "1 to 4"],
)
@pytest.mark.parametrize("component", HOOKS)
def test_added_while_writing(plain, tiny_gpt2, where, chosen, component):
    vector = 3 * torch.randn(24, generator=seeded(1))
    it = added(vector, layer=1, strength=1.5, where=where, component=component)
    written = generate(plain, PROMPTS, 8, [it], temperature=0.0)
    text = PROMPTS
    for _ in range(8):
        change = lambda x: x + 1.5 * vector  # noqa: E731
        logits = by_hooks(tiny_gpt2, text, 1, component, change, chosen(text))[:, -1]
        text = torch.cat([text, logits.argmax(dim=-1)[:, None]], dim=1)
    assert torch.equal(written, text[:, 4:])
    assert not torch.equal(written, generate(plain, PROMPTS, 8, temperature=0.0))


def test_kept_keys_and_values_change_nothing(plain, dictionary):
    text = torch.cat([PROMPTS, torch.tensor([[4, 5, 6], [5, 2, 3], [9, 9, 9]])], dim=1)
    its = [
        added(torch.randn(24, generator=seeded(1)), 0, where=at_tokens([5])),
        clamped(dictionary, [2], 5.0, 2, "attn_out"),
    ]
    whole, kept = steered_logits(plain, text, its), []
    parts = [steered_logits(plain, part, its, kept) for part in text.split([3, 1, 3], dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-4)
    end = steered_logits(plain, text, its, read=slice(-1, None))
    torch.testing.assert_close(end, whole[:, -1:], rtol=1e-4, atol=1e-4)


def test_without_interventions_it_is_the_model(plain, tiny_gpt2):
    torch.testing.assert_close(
        steered_logits(plain, PROMPTS), tiny_gpt2(PROMPTS), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("keep_error", [True, False])
@pytest.mark.parametrize("component", HOOKS)
def test_clamped_is_decoded_again(plain, tiny_gpt2, dictionary, component, keep_error):
    values = torch.tensor([4.0, 0.0])

    def change(x):
        latents = dictionary.encode(x)
        error = x - dictionary.decode(latents)
        latents[[1, 6]] = values
        return dictionary.decode(latents) + (error if keep_error else 0)

    it = clamped(dictionary, [1, 6], values, 1, component, keep_error=keep_error)
    chosen = torch.arange(4).expand_as(PROMPTS) > 0
    torch.testing.assert_close(
        steered_logits(plain, PROMPTS, [it]),
        by_hooks(tiny_gpt2, PROMPTS, 1, component, change, chosen),
        rtol=1e-4,
        atol=1e-4,
    )


def test_a_clamp_moves_along_the_latents_direction_alone(dictionary):
    x = torch.randn(2, 3, 24, generator=seeded(2))
    step = clamp_latents(x, dictionary, [4], 2.0) - x
    want = (2.0 - dictionary.encode(x)[..., 4:5]) * dictionary.W_dec[4]
    torch.testing.assert_close(step, want, rtol=1e-4, atol=1e-5)


def test_interventions_at_one_site_come_in_order(plain, dictionary):
    vector = torch.ones(24)
    first = clamped(dictionary, [1], 3.0, 1, "resid_pre"), added(vector, 1)
    a, b = (steered_logits(plain, PROMPTS, order) for order in (first, first[::-1]))
    assert (a - b).abs().max() > 1e-3


def test_the_norm_is_kept_and_the_direction_is_not():
    x = torch.randn(2, 3, 24, generator=seeded(2))
    it = with_norm_kept(added(10 * torch.ones(24), 0))
    seen = it.apply(x, torch.ones(2, 3, dtype=torch.long), torch.arange(3))
    torch.testing.assert_close(seen.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(seen[:, 0], x[:, 0])
    assert (torch.cosine_similarity(seen[:, 1:], torch.ones(24), dim=-1) > 0.8).all()


def test_writing_is_seeded_and_follows_the_temperature(plain):
    draw = lambda **how: generate(plain, PROMPTS.repeat(200, 1), 1, **how)[:, 0]  # noqa: E731
    assert torch.equal(draw(seed=3), draw(seed=3))
    assert not torch.equal(draw(seed=3), draw(seed=4))
    logits = steered_logits(plain, PROMPTS[:1])[0, -1]
    for temperature in (0.5, 2.0):
        many = generate(plain, PROMPTS[:1].expand(20_000, -1), 1, temperature=temperature)[:, 0]
        seen = torch.bincount(many, minlength=188) / len(many)
        want = (logits / temperature).softmax(dim=-1)
        assert (seen - want).abs().max() < 0.015


def test_what_cannot_be_done_is_said(plain):
    with pytest.raises(ValueError, match="32 positions"):
        generate(plain, PROMPTS, 30)
    assert generate(plain, PROMPTS, 29).shape == (3, 29)
    for layer, component in ((3, "resid_pre"), (-1, "resid_pre"), (0, "pattern")):
        with pytest.raises(ValueError, match=f"no {component} {layer} to steer"):
            steered_logits(plain, PROMPTS, [added(torch.ones(24), layer, component=component)])
    none = torch.zeros(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="with the concept"):
        mean_difference(torch.ones(1, 2, 3), none, ~none)


def test_vectors_by_loops():
    x = torch.randn(4, 5, 3, generator=seeded(5))
    concept, chosen = torch.rand(2, 4, 5, generator=seeded(6)) < 0.5
    with_it, without = [], []
    for row in range(4):
        for position in range(5):
            if chosen[row, position]:
                (with_it if concept[row, position] else without).append(x[row, position])
    want = torch.stack(with_it).mean(dim=0) - torch.stack(without).mean(dim=0)
    torch.testing.assert_close(mean_difference(x, concept, chosen), want)
    pairs = torch.stack([a[-2] - b[-2] for a, b in zip(x, x.flip(0) + 1, strict=True)])
    torch.testing.assert_close(contrastive_vector(x, x.flip(0) + 1, -2), pairs.mean(dim=0))
    assert random_vector(want, 1).norm() == pytest.approx(want.norm().item())


def test_shares_are_of_new_finished_tokens():
    about = torch.tensor([[1, 1, 1, 0, 1], [1, 1, 0, 0, 0]]).bool()
    valid = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 1, 1]]).bool()
    finished = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]).bool()
    assert written_shares(Marked(about, valid, finished), 2) == pytest.approx((1 / 5, 4 / 5))


def test_the_loss_where_it_counts(plain, tiny_gpt2):
    text = torch.tensor([[0, 4, 8, 15, 16, 23], [0, 42, 4, 8, 15, 16]])
    counted = torch.tensor([[1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 1]]).bool()
    log_p = tiny_gpt2(text).log_softmax(dim=-1)
    want = -torch.stack(
        [log_p[r, i - 1, text[r, i]] for r, i in counted.nonzero().tolist() if i > 0]
    ).mean()
    assert ordinary_loss(plain, text, counted) == pytest.approx(want.item(), abs=1e-4)


def test_clamps_agree(dictionary):
    x = torch.randn(2, 3, 24, generator=seeded(2))
    latents = dictionary.encode(x)
    one = clamp_latent(x, latents, dictionary.W_dec, 4, 2.5)
    assert torch.equal(one[:, 0], x[:, 0])
    want = clamp_latents(x, dictionary, [4], 2.5)
    torch.testing.assert_close(one[:, 1:], want[:, 1:], rtol=1e-4, atol=1e-5)
    chosen, values = torch.tensor([7, 1, 3]), torch.tensor([0.0, 9.0, -2.0])
    many = clamp_many(x, latents, dictionary.W_dec, chosen, values)
    want = clamp_latents(x, dictionary, chosen.tolist(), values)
    torch.testing.assert_close(many, want, rtol=1e-4, atol=1e-5)
    kept = clamp_many(x, latents, dictionary.W_dec, chosen, values, keep_norm=True)
    torch.testing.assert_close(kept.norm(dim=-1), x.norm(dim=-1))
    assert torch.cosine_similarity(kept, many, dim=-1).min() > 1 - 1e-5


def test_three_numbers_by_loops():
    draw = lambda *shape: torch.rand(shape, generator=seeded(sum(shape)))  # noqa: E731
    about, valid, finished = (draw(3, 7 + i)[:, :7] < 0.6 for i in range(3))
    before, after, concept = draw(4, 5), draw(4, 5) + 0.2, draw(4, 6) < 0.3
    here = [(r, p) for r in range(3) for p in range(2, 7) if finished[r, p]]
    losses = [
        after[r, i] - before[r, i] for r in range(4) for i in range(5) if not concept[r, i + 1]
    ]
    want = [
        sum(bool(about[at]) for at in here) / len(here),
        sum(bool(valid[at]) for at in here) / len(here),
        sum(map(float, losses)) / len(losses),
    ]
    seen = effect_and_coherence(about, valid, finished, 2, before, after, concept)
    torch.testing.assert_close(seen, torch.tensor(want), rtol=1e-4, atol=1e-5)


def test_half_way_on_a_straight_line():
    strengths = torch.linspace(0, 4, 9)
    for slope in (0.1, 0.3, 0.7):
        up = half_way(strengths, 0.2 + slope * strengths, up=True)
        assert up == pytest.approx(0.4 / slope) if 0.4 / slope <= 4 else up == torch.inf
        down = half_way(strengths, 0.8 - slope * strengths, up=False)
        assert down == pytest.approx(0.4 / slope) if 0.4 / slope <= 4 else down == torch.inf
    there_and_back = torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert half_way(torch.arange(4.0), there_and_back, up=True) == 0.5
