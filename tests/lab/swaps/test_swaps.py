"""Swaps, held against what must be true: replaced tokens, hooks, loops, and dictionaries that lose nothing.

With names of one token and one prompt per class, the class means before layer 0 differ by the names' embeddings. A
swap there IS the other prompt, so its answer has to be the one that the model gives to the other prompt.
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab import swaps
from mi_tutor.lab.ground.plain import affine, plain_transformer
from mi_tutor.lab.swaps.controls import unrelated_like

NAMES = (11, 23, 57, 99, 140)  # tokens, one per class
PLACE, LENGTH = 3, 7


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


def prompts(model, place: int = PLACE, seed: int = 0) -> swaps.Questions:
    """One prompt that differs in its name only; the answers are what the model says to each of the five."""
    tokens = torch.randint(model.cfg.d_vocab, (1, LENGTH), generator=seeded(seed))
    tokens = tokens.expand(len(NAMES), -1).clone()
    tokens[:, place] = torch.tensor(NAMES)
    with torch.no_grad():
        answers = model(tokens)[:, -1].argmax(dim=-1)
    n = len(NAMES)
    return swaps.Questions(
        tokens, torch.full((n,), place), torch.arange(n), answers.expand(n, -1).clone()
    )


@pytest.fixture(scope="module")
def questions(tiny_gpt2):
    """A prompt in which the names have at least three different answers."""
    every = (prompts(tiny_gpt2, place=5, seed=seed) for seed in range(200))
    return next(found for found in every if len(found.answers[0].unique()) >= 3)


@pytest.fixture(scope="module")
def means(plain, questions):
    return swaps.means_at(plain, [questions])


def every_other(questions):
    n = questions.answers.shape[1]
    return swaps.other_classes(questions.classes, n, n - 1, seed=0)


def test_means_at_are_the_streams_that_a_cache_has(tiny_gpt2, questions, means):
    with torch.no_grad():
        _, cache = tiny_gpt2.run_with_cache(questions.tokens)
    for layer in range(3):
        expected = cache[f"blocks.{layer}.hook_resid_pre"][:, questions.places[0]]
        assert torch.allclose(means[layer], expected, atol=1e-4)
    assert torch.allclose(
        means[3], cache["blocks.2.hook_resid_post"][:, questions.places[0]], atol=1e-4
    )


def test_a_swap_before_layer_0_is_the_other_prompt(plain, questions, means):
    result = swaps.swap(plain, questions, means[0], 0, every_other(questions))
    assert result.success == 1.0
    assert result.follows.all()
    assert torch.equal(result.classes, questions.classes)


def test_a_swap_that_tests_nothing_is_not_asked(plain, questions, means):
    same = questions._replace(answers=torch.zeros_like(questions.answers))
    result = swaps.swap(plain, same, means[0], 0, every_other(same))
    assert not result.asked.any()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_plain_swaps_are_those_with_hooks(tiny_gpt2, plain, questions, means, layer):
    targets = every_other(questions)
    result = swaps.swap(plain, questions, means[layer], layer, targets, strength=1.7)
    for column, target in enumerate(targets.T):
        steps = 1.7 * (means[layer][target] - means[layer][questions.classes])
        with torch.no_grad():
            logits = swaps.swap_logits(tiny_gpt2, questions.tokens, questions.places, steps, layer)
        assert torch.equal(logits.argmax(dim=-1), result.guesses[:, column])


def test_swap_logits_edits_one_token_per_prompt_and_leaves_nothing_behind(tiny_gpt2):
    tokens = torch.randint(188, (3, 6), generator=seeded(1))
    places, steps = torch.tensor([4, 2, 5]), torch.randn(3, 24, generator=seeded(2))
    with torch.no_grad():
        before = tiny_gpt2(tokens)
        together = swaps.swap_logits(tiny_gpt2, tokens, places, steps, 1)
        for i in range(3):
            one = slice(i, i + 1)
            alone = swaps.swap_logits(tiny_gpt2, tokens[one], places[one], steps[one], 1)
            assert torch.allclose(alone, together[one], atol=1e-4)
        assert torch.allclose(tiny_gpt2(tokens), before, atol=1e-5)
        nothing = swaps.swap_logits(tiny_gpt2, tokens, places, 0 * steps, 1)
    assert torch.allclose(nothing, before[:, -1], atol=1e-4)
    assert not torch.allclose(together, before[:, -1], atol=0.1)


def test_swap_logits_at_other_components(tiny_gpt2):
    """What is added to a block's output is added to the stream after the block."""
    tokens, places = torch.randint(188, (2, 6), generator=seeded(1)), torch.tensor([3, 4])
    steps = torch.randn(2, 24, generator=seeded(3))
    with torch.no_grad():
        after = swaps.swap_logits(tiny_gpt2, tokens, places, steps, 2)
        written = swaps.swap_logits(tiny_gpt2, tokens, places, steps, 1, component="mlp_out")
    assert torch.allclose(after, written, atol=1e-4)


def test_random_swaps_have_the_norms_of_the_steps(plain, questions, means):
    steps = torch.randn(500, 24, generator=seeded()) * torch.linspace(0.1, 5, 500)[:, None]
    other = swaps.random_like(steps, seeded(1))
    assert torch.allclose(other.norm(dim=-1), steps.norm(dim=-1))
    assert torch.cosine_similarity(other, steps, dim=-1).mean().abs() < 0.05
    result = [
        swaps.swap(plain, questions, means[1], 1, every_other(questions), random_seed=seed)
        for seed in (5, 5)
    ]
    assert torch.equal(result[0].guesses, result[1].guesses)


def test_controls_are_what_they_are_called(plain, questions, means):
    found = swaps.control_swaps(
        plain, [questions], means[1], 1, unrelated=means[0], another_layer=2, n_targets=4
    )
    assert tuple(found) == ("the swap", *swaps.CONTROLS)
    targets = found["the swap"].targets
    steps = means[1][targets] - means[1][questions.classes][:, None]
    for name, layer, places in [
        ("the swap", 1, None),
        ("another layer", 2, None),
        ("another position", 1, questions.places - 1),
    ]:
        expected = swaps.swap_with(plain, questions, layer, targets, steps, places)
        assert torch.equal(found[name].guesses, expected.guesses)


def test_unrelated_directions_are_differences_of_two_means_with_the_steps_norms():
    other, steps = torch.randn(2, 4, 6, generator=seeded())
    found = unrelated_like(steps, other, seeded(1))
    assert torch.allclose(found.norm(dim=-1), steps.norm(dim=-1))
    differences = torch.nn.functional.normalize(
        (other[None] - other[:, None]).flatten(0, 1), dim=-1
    )
    cosine = torch.nn.functional.normalize(found, dim=-1) @ differences.T
    assert torch.allclose(cosine.max(dim=-1).values, torch.ones(4))


def test_dose_response_begins_at_nothing_and_is_the_swap_at_one(plain, questions, means):
    found = swaps.dose_response(plain, [questions], means[0], 0, [0.0, 1.0], n_targets=4)
    assert torch.allclose(found.stays + found.follows + found.neither, torch.ones(2))
    assert found.stays[0] == 1.0 and found.follows[1] == 1.0


def test_answer_fates_by_counting():
    logits = torch.randn(3, 20, 4, generator=seeded())
    own, wanted = torch.zeros(20, dtype=torch.long), torch.ones(20, dtype=torch.long)
    counts = [[(row == k).sum() for k in (0, 1)] for row in logits.argmax(dim=-1)]
    expected = torch.tensor([[a, b, 20 - a - b] for a, b in counts]) / 20
    assert torch.allclose(swaps.answer_fates(logits, own, wanted), expected)


def test_needed_and_enough_before_layer_0(plain, questions, means):
    """One prompt per class: its own mean is what stands there anyway."""
    found = swaps.needed_and_enough(plain, [questions], means[0], 0)
    assert found.intact == found.alone == 1.0
    # With all names averaged away, all five prompts are the same one and have one answer.
    shares = torch.bincount(questions.answers[0]).float() / len(NAMES)
    assert any(abs(found.erased - share) < 1e-6 for share in (*shares.unique().tolist(), 0.0))
    assert found.erased == found.average < 1.0


@given(st.integers(0, 10_000))
def test_success_matrix_by_loop(seed):
    g = seeded(seed)
    n, k, t = 12, 4, 2
    own = torch.randint(k, (n,), generator=g)
    targets = torch.randint(k, (n, t), generator=g)
    answers = torch.randint(3, (n, k), generator=g)
    guesses = torch.randint(3, (n, t), generator=g)
    cells: dict = {}
    for i in range(n):
        for j in range(t):
            target = targets[i, j].item()
            if answers[i, target] != answers[i, own[i]]:
                hit = bool(guesses[i, j] == answers[i, target])
                cells.setdefault((own[i].item(), target), []).append(hit)
    found = swaps.success_matrix(own, targets, guesses, answers)
    for row in range(k):
        for column in range(k):
            tests = cells.get((row, column))
            if tests is None:
                assert found[row, column].isnan()
            else:
                assert found[row, column].item() == pytest.approx(sum(tests) / len(tests))


def test_readable_by_brute_force():
    g = seeded()
    known, classes = torch.randn(30, 5, generator=g), torch.arange(30) % 4 * 2  # 0 2 4 6
    new, new_classes = torch.randn(50, 5, generator=g), torch.arange(50) % 5
    right = 0
    for x, own in zip(new, new_classes, strict=True):
        distance = {c: (x - known[classes == c].mean(0)).norm().item() for c in (0, 2, 4, 6)}
        right += min(distance, key=distance.get) == own
    assert swaps.readable(known, classes, new, new_classes).item() == pytest.approx(right / 50)


def test_readable_left_out_by_brute_force():
    """Each activation by itself, with class means made again of all prompts but its own group's."""
    g = seeded(3)
    groups = torch.randint(12, (60,), generator=g)
    classes = groups % 4
    x = torch.randn(60, 5, generator=g) + classes[:, None]
    right = 0
    for i in range(60):
        rest = groups != groups[i]
        means = {c: x[rest & (classes == c)].mean(0) for c in range(4)}
        right += min(means, key=lambda c: (x[i] - means[c]).norm().item()) == classes[i]
    found = swaps.readable_left_out(x, classes, groups)
    assert found.item() == pytest.approx(right / 60) and 0.3 < found < 1.0


def test_readable_left_out_does_not_know_a_name_again():
    """Activations that say the name and nothing of its class: equal ones give it away, others do not."""
    names = torch.arange(40).repeat(3)
    classes = names % 10
    x = torch.randn(40, 64, generator=seeded())[names]
    known = torch.arange(120) < 80
    assert swaps.readable(x[known], classes[known], x[~known], classes[~known]) > 0.9
    assert swaps.readable_left_out(x, classes, names) < 0.3
    with pytest.raises(ValueError, match="in the classes"):
        swaps.readable_left_out(x, classes.roll(1), names // 2)


def test_directions_are_differences_of_means():
    x, classes = torch.randn(20, 3, generator=seeded()), torch.arange(20) % 4
    means = swaps.class_means(x, classes, 4)
    found = swaps.class_direction(x, classes, source=3, target=1)
    assert torch.allclose(found, means[1] - means[3])
    with pytest.raises(ValueError, match="class 9"):
        swaps.class_direction(x, classes, source=9, target=1)
    with pytest.raises(ValueError, match="Each of the 5 classes"):
        swaps.class_means(x, classes, 5)


def test_direction_agreement_ignores_what_is_common():
    first, second = torch.randn(2, 5, 8, generator=seeded())
    found = swaps.direction_agreement(first, second)
    moved = swaps.direction_agreement(first + 50.0, 3 * second - 7.0)
    assert torch.allclose(found, moved, atol=1e-4)
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    cosines = [
        torch.cosine_similarity(first[b] - first[a], second[b] - second[a], dim=0) for a, b in pairs
    ]
    assert torch.allclose(found, torch.stack(cosines).mean(), atol=1e-6)


def test_partners_ask_the_same_about_another_class():
    g = seeded()
    n = 60
    relation, places = torch.randint(3, (n,), generator=g), torch.randint(2, 4, (n,), generator=g)
    classes = torch.randint(5, (n,), generator=g)
    answers = torch.arange(15).reshape(3, 5)[relation]
    questions = swaps.Questions(torch.zeros(n, 6, dtype=torch.long), places, classes, answers)
    found = swaps.partners(questions, seed=0)
    assert (found >= 0).all()
    assert (classes[found] != classes).all()
    assert torch.equal(relation[found], relation) and torch.equal(places[found], places)
    alone = swaps.Questions(*(each[:1] for each in questions))
    assert swaps.partners(alone, seed=0).tolist() == [-1]


def test_state_map_where_the_name_is_the_only_difference(plain, tiny_gpt2):
    """Before layer 0 the name's place carries everything, and every other place nothing."""
    batches = [prompts(tiny_gpt2, seed=seed) for seed in range(6)]
    found = swaps.state_map(
        plain, batches, {"before": -1, "name": 0, "end": None}, torch.tensor(NAMES)
    )
    assert found.patched.shape == (4, 3)
    assert found.patched[0].tolist() == [0.0, 1.0, 0.0]
    # After all layers only the end is read: the whole of it, and nothing else.
    assert found.patched[3].tolist() == [0.0, 0.0, 1.0]
    assert found.read[0, 0] < 0.5 < found.read[0, 1]


def test_patch_follows_at_several_places_by_hand(plain, tiny_gpt2, questions):
    """Each question's partner by a loop of its own, two positions exchanged with a hook."""
    layer, partner = 1, swaps.partners(questions, seed=0)
    stream = swaps.streams(plain, questions.tokens)[layer]
    places = torch.stack([questions.places, questions.places - 1], dim=1)
    expected = []
    for i, other in enumerate(partner.tolist()):
        if other < 0:
            continue

        def put_in(x, hook, i=i, other=other):
            x[0, places[i]] = stream[other, places[i]]
            return x

        logits = tiny_gpt2.run_with_hooks(
            questions.tokens[i : i + 1], fwd_hooks=[(f"blocks.{layer}.hook_in", put_in)]
        )
        wanted, own = (questions.answers[i, questions.classes[j]].item() for j in (other, i))
        if wanted != own:
            expected.append(logits[0, -1].argmax().item() == wanted)
    got = swaps.patch_follows(plain, questions, stream, layer, places, partner)
    assert expected and got.tolist() == expected
    alone = swaps.patch_follows(plain, questions, stream, layer, questions.places, partner)
    column = swaps.patch_follows(plain, questions, stream, layer, places[:, :1], partner)
    assert torch.equal(alone, column)


def test_state_map_reads_no_prompt_with_its_own_names_mean(plain, tiny_gpt2):
    """One name per class, and nothing before it differs: with the name left out no class can be read."""
    batch = prompts(tiny_gpt2)
    later = batch.tokens.clone()
    later[:, -1] = (later[:, -1] + 1) % tiny_gpt2.cfg.d_vocab
    batches = [batch, batch._replace(tokens=later)]
    groups = swaps.same_until_name(batches)
    assert groups.tolist() == [*range(len(NAMES)), *range(len(NAMES))]
    arguments = (plain, batches, {"name": 0}, torch.tensor(NAMES))
    assert (swaps.state_map(*arguments).read == 0).all()
    apart = swaps.state_map(*arguments, groups=torch.arange(2 * len(NAMES)))
    assert (apart.read == 1).all()
    assert torch.equal(apart.patched, swaps.state_map(*arguments).patched)


class Lossless:
    """A dictionary that loses nothing: positive and negative parts."""

    def encode(self, x):
        return torch.cat([x, -x], dim=-1).relu()

    def decode(self, latents):
        positive, negative = latents.chunk(2, dim=-1)
        return positive - negative


class Half(Lossless):
    """Knows the first half of the dimensions only."""

    def encode(self, x):
        return super().encode(x * (torch.arange(x.shape[-1]) < x.shape[-1] // 2))


def test_latent_swaps_of_a_dictionary_that_loses_nothing(plain, questions):
    """One prompt per class: the new latents are the other prompt's, with the error term (0) or without."""
    found = swaps.latent_swaps(plain, [questions], [questions], Lossless(), 0, n_targets=4)
    assert found.with_error.success == found.without_error.success == 1.0
    assert 0 < found.latents_moved <= 48
    still = swaps.latent_swaps(
        plain, [questions], [questions], Lossless(), 0, n_targets=4, at_least=1e6
    )
    assert still.latents_moved == 0.0 and still.with_error.success == 0.0


class WholeMlp(Lossless):
    """A transcoder that is the MLP itself."""

    def __init__(self, plain, layer):
        self.plain, self.block = plain, plain.blocks[layer]

    def encode(self, read):
        hidden = self.plain.activation(affine(read, self.block.mlp_in))
        return super().encode(affine(hidden, self.block.mlp_out))


def test_latent_swaps_of_a_transcoder_are_those_of_the_mlps_output(tiny_gpt2, plain, questions):
    """By hooks: with one prompt per class, the MLP's output at the name becomes the other prompt's."""
    found = swaps.latent_swaps(
        plain, [questions], [questions], WholeMlp(plain, 1), 2, n_targets=4, place="mlp"
    )
    assert torch.equal(found.with_error.guesses, found.without_error.guesses)
    here = torch.arange(len(questions.tokens)), questions.places
    name = "blocks.1.hook_mlp_out"
    _, cache = tiny_gpt2.run_with_cache(questions.tokens, names_filter=name)
    for column, target in enumerate(found.with_error.targets.T):

        def replace(written, hook, target=target):
            written = written.clone()
            written[here] = cache[name][here][target]
            return written

        logits = tiny_gpt2.run_with_hooks(questions.tokens, fwd_hooks=[(name, replace)])
        assert torch.equal(logits[:, -1].argmax(dim=-1), found.with_error.guesses[:, column])


def test_the_error_term_is_what_the_dictionary_leaves_out(plain, questions):
    x = torch.randn(3, 24, generator=seeded())
    decoder = torch.cat([torch.eye(24), -torch.eye(24)])
    latents = Half().encode(x)
    arguments = (x, latents, torch.zeros_like(latents), decoder, torch.zeros(24))
    assert torch.allclose(swaps.latent_step(*arguments, keep_error=True), x)
    assert torch.allclose(swaps.latent_step(*arguments, keep_error=False)[:, :12], x[:, :12])
    assert (swaps.latent_step(*arguments, keep_error=False)[:, 12:] == 0).all()


def test_name_place_counts_bos_and_takes_the_last_piece(tiny_gpt2):
    tokens, place = swaps.name_place(tiny_gpt2, "The capital of", " France", " is")
    words = tiny_gpt2.to_str_tokens(tokens)
    assert words[place] == " France" and place == words.index(" France") == 4
    assert torch.equal(tokens, tiny_gpt2.to_tokens("The capital of France is")[0])


TEXTS = [
    swaps.TextQuestion("The capital of", name, " is", own)
    for own, name in enumerate((" France", " Italy", " Spain"))
]


@pytest.mark.parametrize("family", ["tiny_gpt2", "tiny_llama"])
def test_swap_texts_in_any_architecture(family, request):
    """The chapter's lines for real models, on a local stand-in."""
    model = request.getfixturevalue(family)
    answers = [" Paris", " Rome", " Madrid"]
    before = model(model.to_tokens("The capital of France is"))
    found = swaps.swap_texts(model, TEXTS, answers, layer=1)
    assert all(0.0 <= share <= 1.0 for share in found)
    assert torch.allclose(model(model.to_tokens("The capital of France is")), before, atol=1e-5)
    first = torch.cat([model.to_tokens(each, prepend_bos=False)[0] for each in answers])
    logits = [model(model.to_tokens("".join(each[:3])))[0, -1, first] for each in TEXTS]
    right = [int(row.argmax()) == each.own for row, each in zip(logits, TEXTS, strict=True)]
    assert found.accuracy == pytest.approx(sum(right) / 3)


def test_swap_texts_before_layer_0_is_the_other_prompt(primer):
    """primer knows these capitals, and before layer 0 the name's embedding is all that differs."""
    found = swaps.swap_texts(primer, TEXTS, [" Paris", " Rome", " Madrid"], layer=0)
    assert found.accuracy == found.success == 1.0
    assert found.random < 0.5


def test_swap_texts_needs_answers_that_can_be_told_apart(primer):
    with pytest.raises(ValueError, match="cannot be told apart"):
        swaps.swap_texts(primer, TEXTS, [" Paris", " Rome", " Rome"], layer=0)


def test_swaps_of_copies(plain, questions, means):
    """With the name's token alone it is the swap; with every later token before layer 2, it is a patch of all."""
    alone = swaps.swap_copies(plain, [questions], [means[1]], 1, n_targets=4)
    expected = swaps.swap_batches(plain, [questions], means[1], 1, n_targets=4)
    assert torch.equal(alone.guesses, expected.guesses)
    # One prompt per class: with all later tokens edited too, the stream is the other prompt's.
    tables = [swaps.means_at(plain, [questions], offset)[2] for offset in (0, 1)]
    assert questions.places[0] + 2 == questions.tokens.shape[1]
    assert (
        swaps.swap_copies(plain, [questions], [*tables, tables[0]], 2, n_targets=4).success == 1.0
    )
