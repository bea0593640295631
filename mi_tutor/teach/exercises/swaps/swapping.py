"""Chapter 05, the intervention: `swap-the-state` and `swap-matrix`."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.swaps import success_matrix, swap_logits
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.copies import EDITED, without_gradients
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.swaps.atlas import SPECIMEN, a_model, atlas, random_tokens

# --- swap-the-state -------------------------------------------------------------------------------


def _swap_cases(g: torch.Generator) -> list[Case]:
    last = atlas().cfg.n_layers - 1
    settings = [
        ("one prompt", SPECIMEN, 8, [4], 2),
        ("three prompts, three places", SPECIMEN, 9, [3, 6, 5], 1),
        ("before the first layer, in another model", SPECIMEN + EDITED, 7, [2, 5], 0),
        ("before the last layer", SPECIMEN, 10, [7, 2, 4, 8], last),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": a_model(name),
                "tokens": random_tokens(g, len(places), length),
                "places": torch.tensor(places),
                "steps": 4 * normal(g, len(places), atlas().cfg.d_model),
                "layer": layer,
            },
        )
        for label, name, length, places, layer in settings
    ]


def _edited(edit, where="resid_pre", read=lambda logits, places: logits[:, -1]):
    """An answer with another edit of the stream: `edit(stream, places, steps)` changes it in place."""

    def answer(model, tokens, places, steps, layer):
        def hook(stream, hook):
            stream = stream.clone()
            edit(stream, places, steps)
            return stream

        hooks = [(f"blocks.{layer}.hook_{where}", hook)]
        return read(model.run_with_hooks(tokens, fwd_hooks=hooks), places)

    return answer


def _right(stream, places, steps):
    stream[torch.arange(len(stream)), places] += steps


def _set(stream, places, steps):
    stream[torch.arange(len(stream)), places] = steps


def _subtract(stream, places, steps):
    stream[torch.arange(len(stream)), places] -= steps


def _everywhere(stream, places, steps):
    stream += steps[:, None]


def _all_places_in_all_prompts(stream, places, steps):
    for place, step in zip(places.tolist(), steps, strict=True):
        stream[:, place] += step


def _first_place(stream, places, steps):
    stream[:, places[0]] += steps


def _last_place(stream, places, steps):
    stream[:, -1] += steps


def _nothing(stream, places, steps):
    pass


def _from_the_place_on(stream, places, steps):
    for row, place, step in zip(stream, places.tolist(), steps, strict=True):
        row[place:] += step


def _swap_in_context(model, tokens, places, steps, layer):
    def hook(stream, hook):
        for i, place in enumerate(places.tolist()):
            stream[i, place] += steps[i]
        return stream

    with model.hooks(fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)]):
        return model(tokens)[:, -1, :]


def _swap_by_mask(model, tokens, places, steps, layer):
    here = torch.nn.functional.one_hot(places, tokens.shape[1]).to(steps)

    def hook(stream, hook):
        return stream + torch.einsum("b p, b d -> b p d", here, steps)

    return model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)])[:, -1]


def _swap_by_scatter(model, tokens, places, steps, layer):
    def hook(stream, hook):
        index = places[:, None, None].expand(-1, 1, stream.shape[-1])
        return stream.scatter_add(1, index, steps[:, None])

    logits = model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)])
    return logits[..., -1, :]


def _swap_left_behind(model, tokens, places, steps, layer):
    def hook(stream, hook):
        if len(stream) == len(places):
            stream = stream.clone()
            _right(stream, places, steps)
        return stream

    model.add_hook(f"blocks.{layer}.hook_resid_pre", hook)
    return model(tokens)[:, -1]


SWAP_THE_STATE = Exercise(
    slug="swap-the-state",
    title="Swap the state",
    chapter="05",
    points=3,
    minutes=12,
    difficulty=2,
    objective="Swap the middle step: add a direction in the middle of the computation, at one token, and read the new answer.",
    cases=_swap_cases,
    reference=swap_logits,
    run=without_gradients,
    tolerance=Tolerance(rtol=1e-4, atol=1e-3),
    styles=(
        Style(name="model.hooks and a loop", right=_swap_in_context),
        Style(name="a mask and einsum", right=_swap_by_mask),
        Style(name="scatter_add", right=_swap_by_scatter),
    ),
    mistakes=(
        Mistake(
            name="hook left behind",
            wrong=_swap_left_behind,
            sentence="The logits are right, but your hook is still in the model, so everything that runs later is swapped too. Use "
            "`run_with_hooks` or `with model.hooks(...)`: both take the hook out again.",
        ),
        Mistake(
            name="nothing changed",
            wrong=_edited(_nothing),
            sentence="These are the logits of the unchanged model. Does your hook return the changed stream?",
        ),
        Mistake(
            name="every position",
            wrong=_edited(_everywhere),
            sentence="You add the step at every position of the prompt. It belongs to one place: where the name ends.",
        ),
        Mistake(
            name="all places in all prompts",
            wrong=_edited(_all_places_in_all_prompts),
            sentence="`stream[:, places]` is every prompt at EVERY place in the list, so each prompt gets the others' steps too. Pair prompt i "
            "with place i: both axes need an index.",
        ),
        Mistake(
            name="one place for all",
            wrong=_edited(_first_place),
            sentence="You use the first prompt's place for all of them. Each prompt has its own.",
        ),
        Mistake(
            name="the last position",
            wrong=_edited(_last_place),
            sentence="You add the step at the last position, where the answer is predicted. The state is swapped where the name ends, at "
            "`places`.",
        ),
        Mistake(
            name="from the place on",
            wrong=_edited(_from_the_place_on),
            sentence="You add the step at the place and at all tokens after it. One token per prompt, please.",
        ),
        Mistake(
            name="replaced, not added",
            wrong=_edited(_set),
            sentence="You put the step in the stream's place, so all that was there is gone. ADD it.",
        ),
        Mistake(
            name="subtracted",
            wrong=_edited(_subtract),
            sentence="You subtract the step. It is already the difference (target minus source): add it.",
        ),
        Mistake(
            name="after the layer",
            wrong=_edited(_right, where="resid_post"),
            sentence="You change the stream AFTER layer `layer` (resid_post). The layer itself should read the change: use resid_pre.",
        ),
        Mistake(
            name="logits at the name",
            wrong=_edited(
                _right,
                read=lambda logits, places: logits[torch.arange(len(places)), places],
            ),
            sentence="You read the logits where the name ends. What comes after the whole prompt is predicted at its last token.",
        ),
        Mistake(
            name="logits everywhere",
            wrong=_edited(_right, read=lambda logits, places: logits),
            sentence="You return the logits of every position. Asked are those after the whole prompt: [prompt vocab].",
        ),
    ),
    hints=(
        "A hook at `blocks.{layer}.hook_resid_pre` sees the stream, [prompt pos d_model], and what it returns is used instead.",
        "Two index tensors of one length pick one position per prompt: which rows, and which columns?",
        "`stream[torch.arange(len(stream)), places]` is [prompt d_model], and so are the steps. Work on a clone.",
        "`model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])` gives [prompt pos vocab]. You need its last position.",
    ),
)

# --- swap-matrix ----------------------------------------------------------------------------------


def _matrix_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("four states, one question each", 4, 4, 3, 2),
        ("several questions about the same state", 5, 40, 3, 3),
        ("twelve states, twelve swaps each", 13, 30, 12, 5),
        ("states that share answers", 6, 60, 2, 4),
        ("few swaps: many cells untested", 7, 6, 2, 5),
        ("one question", 3, 1, 2, 3),
    ]
    cases = []
    for label, n_classes, n, n_targets, n_words in settings:
        own = torch.randint(n_classes, (n,), generator=g)
        draw = torch.rand(n, n_classes, generator=g).scatter(1, own[:, None], 2.0)
        targets = draw.argsort(dim=1)[:, :n_targets]
        # Words 10, 11, ...: few, so that several states have the same answer.
        answers = 10 + torch.randint(n_words + 1, (n, n_classes), generator=g)
        wanted = answers.gather(1, targets)
        right = answers.gather(1, own[:, None]).expand_as(wanted)
        other = torch.full_like(wanted, 99)
        pick = torch.randint(4, wanted.shape, generator=g)
        guesses = torch.where(pick < 2, wanted, torch.where(pick == 2, right, other))
        inputs = {"own": own, "targets": targets, "guesses": guesses, "answers": answers}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _matrix(own, targets, guesses, answers, success=None, asked=None, empty=float("nan")):
    """The matrix, with another idea of what success is or what is asked."""
    wanted = answers.gather(1, targets)
    right = answers.gather(1, own[:, None])
    success = (guesses == wanted) if success is None else success(guesses, wanted, right)
    asked = (wanted != right) if asked is None else asked(wanted, right)
    n = answers.shape[1]
    passed, total = torch.zeros(2, n, n)
    cells = own[:, None].expand_as(targets)[asked], targets[asked]
    passed.index_put_(cells, success[asked].float(), accumulate=True)
    total.index_put_(cells, torch.ones(len(cells[0])), accumulate=True)
    return torch.where(total > 0, passed / total, empty), passed, total


def _matrix_by_loop(own, targets, guesses, answers):
    n = answers.shape[1]
    found = [[[] for _ in range(n)] for _ in range(n)]
    for i, source in enumerate(own.tolist()):
        for target, guess in zip(targets[i].tolist(), guesses[i].tolist(), strict=True):
            if answers[i, target] != answers[i, source]:
                found[source][target].append(float(guess == answers[i, target]))
    nan = float("nan")
    return torch.tensor([[sum(c) / len(c) if c else nan for c in row] for row in found])


def _matrix_by_einsum(own, targets, guesses, answers):
    n = answers.shape[1]
    rows = torch.nn.functional.one_hot(own, n).float()
    columns = torch.nn.functional.one_hot(targets, n).float()
    wanted = torch.gather(answers, 1, targets)
    asked = (wanted != answers[torch.arange(len(own)), own][:, None]).float()
    follows = (guesses == wanted).float()
    passed = torch.einsum("p a, p t b, p t -> a b", rows, columns, asked * follows)
    return passed / torch.einsum("p a, p t b, p t -> a b", rows, columns, asked)


def _matrix_by_numpy(own, targets, guesses, answers):
    o, t, g, a = (each.numpy() for each in (own, targets, guesses, answers))
    wanted = np.take_along_axis(a, t, axis=1)
    asked = wanted != np.take_along_axis(a, o[:, None], axis=1)
    passed, total = np.zeros((2, a.shape[1], a.shape[1]), dtype=np.float32)
    cells = np.broadcast_to(o[:, None], t.shape)[asked], t[asked]
    np.add.at(passed, cells, (g == wanted)[asked].astype(np.float32))
    np.add.at(total, cells, 1)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(passed / total)


def _counted_once(own, targets, guesses, answers):
    wanted = answers.gather(1, targets)
    asked = wanted != answers.gather(1, own[:, None])
    cells = own[:, None].expand_as(targets)[asked], targets[asked]
    passed, total = torch.zeros(2, answers.shape[1], answers.shape[1])
    passed[cells] += (guesses == wanted)[asked].float()
    total[cells] += 1
    return passed / total


def _fixed(**changes):
    return lambda own, targets, guesses, answers: _matrix(
        own, targets, guesses, answers, **changes
    )[0]


SWAP_MATRIX = Exercise(
    slug="swap-matrix",
    title="The swap matrix",
    chapter="05",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Count successes over all pairs of states, and count only swaps that test something.",
    cases=_matrix_cases,
    reference=success_matrix,
    tolerance=Tolerance(rtol=0.0, atol=1e-5),
    styles=(
        Style(name="loops and lists", right=_matrix_by_loop),
        Style(name="one-hot and einsum", right=_matrix_by_einsum),
        Style(name="numpy's add.at", right=_matrix_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _matrix(*inputs)[0].T,
            sentence="Rows and columns are exchanged: rows are the question's OWN state, columns the state swapped in.",
        ),
        Mistake(
            name="no test counted",
            wrong=_fixed(asked=lambda wanted, right: torch.ones_like(wanted, dtype=torch.bool)),
            sentence="You count swaps that test nothing: where both states have the same answer (both lie in the South, say), an unchanged "
            "answer looks like a success. Leave those out.",
        ),
        Mistake(
            name="any change counts",
            wrong=_fixed(success=lambda guesses, wanted, right: guesses != right),
            sentence="You count every answer that CHANGED. A model that was knocked out also changes its answer: success is the target's answer.",
        ),
        Mistake(
            name="its own answer counts",
            wrong=_fixed(success=lambda guesses, wanted, right: guesses == right),
            sentence="You count the answers that stayed right. A swap succeeds when the answer becomes the TARGET's.",
        ),
        Mistake(
            name="counted once",
            wrong=_counted_once,
            sentence="`matrix[rows, columns] += 1` counts an index that comes up several times only once. Use `index_put_` with "
            "accumulate=True, or a loop.",
        ),
        Mistake(
            name="zero where nothing was tested",
            wrong=_fixed(empty=0.0),
            sentence="You write 0 where nothing was tested, which reads as “never succeeds”. Not tested is NaN.",
        ),
        Mistake(
            name="counts",
            wrong=lambda *inputs: _matrix(*inputs)[1],
            sentence="These are numbers of successes. Divide by how often each pair was tested.",
        ),
        Mistake(
            name="share of all tests",
            wrong=lambda *inputs: (
                torch.where(_matrix(*inputs)[2] > 0, _matrix(*inputs)[1], float("nan"))
                / _matrix(*inputs)[2].sum()
            ),
            sentence="You divide by the number of ALL tests. Each cell has its own number of tests.",
        ),
    ),
    hints=(
        "For question i and its j-th target t: what would be the right answer if the state were t? `answers[i, t]`.",
        "A swap is a test only if `answers[i, t]` differs from the answer for the question's own state.",
        "Two matrices of zeros, tests and successes. Add 1 to a cell for each, then divide: 0 / 0 is NaN by itself.",
    ),
)
