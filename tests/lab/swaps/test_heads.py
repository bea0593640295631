"""What one head brings to the prompt's end, held against the same edits made with hooks."""

import pytest
import torch

from mi_tutor.lab import swaps
from mi_tutor.lab.ground.plain import plain_transformer

N_CLASSES = 4


@pytest.fixture(scope="module")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


@pytest.fixture(scope="module")
def questions(tiny_gpt2):
    """Random prompts with random answers, except that some are what the model says."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(tiny_gpt2.cfg.d_vocab, (24, 6), generator=generator)
    classes = torch.arange(24) % N_CLASSES
    with torch.no_grad():
        said = tiny_gpt2(tokens)[:, -1].argmax(dim=-1)
    answers = torch.randint(tiny_gpt2.cfg.d_vocab, (24, N_CLASSES), generator=generator)
    answers[torch.arange(24), classes] = torch.where(torch.arange(24) < 18, said, answers[:, 0])
    return swaps.Questions(tokens, torch.full((24,), 3), classes, answers)


def by_hooks(model, questions, edits):
    """The answers when z at the end is edited: edits[layer](z at the end, [prompt head d_head])."""

    def hook(edit):
        def change(z, hook):
            z = z.clone()
            z[:, -1] = edit(z[:, -1])
            return z

        return change

    hooks = [(f"blocks.{layer}.attn.hook_z", hook(edit)) for layer, edit in edits.items()]
    return model.run_with_hooks(questions.tokens, fwd_hooks=hooks)[:, -1].argmax(dim=-1)


def test_means_are_those_of_a_cache(tiny_gpt2, plain, questions):
    means = swaps.head_means(plain, [questions])
    with torch.no_grad():
        _, cache = tiny_gpt2.run_with_cache(questions.tokens)
    for layer in range(tiny_gpt2.cfg.n_layers):
        z = cache["z", layer][:, -1]
        expected = torch.stack([z[questions.classes == c].mean(dim=0) for c in range(N_CLASSES)])
        torch.testing.assert_close(means[layer], expected, rtol=1e-4, atol=1e-5)


def test_the_same_answers_as_with_hooks(tiny_gpt2, plain, questions):
    # Strong means, so that edits change answers; every head is tried.
    cfg = tiny_gpt2.cfg
    shape = (cfg.n_layers, N_CLASSES, cfg.n_heads, cfg.d_head)
    means = 5 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    targets = swaps.other_classes(questions.classes, N_CLASSES, 2, seed=3)
    right = questions.answers[torch.arange(24), questions.classes]
    for layer in range(cfg.n_layers):
        for head in range(cfg.n_heads):
            found = swaps.swap_head(plain, [questions], means, layer, head, n_targets=2, seed=3)
            follows, rest = [], []
            for target in targets.T:
                wanted = questions.answers[torch.arange(24), target]
                tested = wanted != right
                for chosen, into in ((True, follows), (False, rest)):
                    edits = {}
                    for at in range(cfg.n_layers):
                        step = (means[at, target] - means[at, questions.classes]).clone()
                        mine = torch.zeros(cfg.n_heads, dtype=torch.bool)
                        mine[head] = at == layer
                        step[:, ~mine if chosen else mine] = 0
                        edits[at] = lambda z, step=step: z + step
                    guesses = by_hooks(tiny_gpt2, questions, edits)
                    into.append((guesses == wanted)[tested])

            def taken_out(z, layer=layer, head=head):
                z = z.clone()
                z[:, head] = means[layer].mean(dim=0)[head]
                return z

            without = by_hooks(tiny_gpt2, questions, {layer: taken_out}) == right
            assert found.follows == pytest.approx(torch.cat(follows).float().mean().item())
            assert found.rest == pytest.approx(torch.cat(rest).float().mean().item())
            assert found.without == pytest.approx(without.float().mean().item())
            assert found.intact == pytest.approx(0.75, abs=0.05)


def test_a_set_of_heads_is_edited_at_once(tiny_gpt2, plain, questions):
    cfg = tiny_gpt2.cfg
    shape = (cfg.n_layers, N_CLASSES, cfg.n_heads, cfg.d_head)
    means = 5 * torch.randn(shape, generator=torch.Generator().manual_seed(2))
    heads = [(0, 1), (cfg.n_layers - 1, 0), (cfg.n_layers - 1, 1)]
    found = swaps.swap_heads(plain, [questions], means, heads, n_targets=1, seed=4)
    target = swaps.other_classes(questions.classes, N_CLASSES, 1, seed=4)[:, 0]
    numbers = torch.arange(24)
    wanted, right = (questions.answers[numbers, each] for each in (target, questions.classes))
    for inside, share in ((True, found.follows), (False, found.rest)):
        edits = {}
        for layer in range(cfg.n_layers):
            step = (means[layer, target] - means[layer, questions.classes]).clone()
            for head in range(cfg.n_heads):
                step[:, head] *= ((layer, head) in heads) == inside
            edits[layer] = lambda z, step=step: z + step
        guesses = by_hooks(tiny_gpt2, questions, edits)
        assert share == pytest.approx((guesses == wanted)[wanted != right].float().mean().item())
