"""Chapter 05, counting successes: `swap-matrix`."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.swaps import success_matrix
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance


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
