"""Chapter 04: wrong answers that are on no list, right ones written otherwise, and the cell on the real thing."""

from pathlib import Path

import pytest
import torch

from mi_tutor.teach.judging import judge, judge_value
from mi_tutor.teach.registry import get

SOURCE = Path(__file__).parents[3] / "solutions" / "04_patching.py"


def test_a_value_exercise_takes_no_other_head():
    exercise = get("where-attribution-fails")
    right = exercise.expected()
    for layer in range(5):
        for head in range(4):
            assert judge_value(exercise, (layer, head)).passed == ((layer, head) == tuple(right))


def test_only_one_triple_of_gates_is_right():
    exercise = get("read-the-gates")
    words = ("and", "or", "one")
    passed = [
        (a, b, c)
        for a in words
        for b in words
        for c in words
        if judge_value(exercise, (a, b, c)).passed
    ]
    assert passed == [exercise.expected()]


ATTACKS = {
    "logit-diff": [
        lambda logits, answers, wrongs: logits[:, -2, answers[0]] - logits[:, -2, wrongs[0]],
        lambda logits, answers, wrongs: logits[0, -1, answers] - logits[0, -1, wrongs],
        lambda logits, answers, wrongs: logits[:, -1].max(-1).values - logits[:, -1].min(-1).values,
    ],
    "recovered": [
        lambda value, clean, corrupted: (value - corrupted) / (clean + corrupted),
        lambda value, clean, corrupted: (value - value.min()) / (value.max() - value.min()),
    ],
    "ablations": [
        lambda z, head, how, others: z * (how != "zero"),
        lambda z, head, how, others: z.mean(dim=0, keepdim=True).expand_as(z),
    ],
    "exchange-along": [
        lambda x, source, direction: x + direction,
        lambda x, source, direction: (x + source) / 2,
        lambda x, source, direction: x.clone(),
    ],
    "integrated-gradients": [
        lambda f, start, end, n: (end - start) * (f(end) - f(start)) / (end - start).sum(),
        lambda f, start, end, n: torch.full_like(start, (f(end) - f(start)) / start.numel()),
    ],
    "denoise-or-noise": [
        lambda circuit, clean, corrupted: (clean - corrupted, clean - corrupted),
        lambda circuit, clean, corrupted: (torch.zeros_like(clean), torch.ones_like(clean)),
    ],
}


@pytest.mark.parametrize("slug", ATTACKS)
def test_wrong_answers_that_nobody_listed_are_rejected(slug):
    for answer in ATTACKS[slug]:
        for seed in range(2):
            assert not judge(get(slug), answer, seed).passed


def test_the_cell_on_the_real_thing_runs_on_a_model_that_is_there(capsys):
    """With a GPT-2 from the disk in place of the one from the hub; the code is the chapter's own."""
    from mi_tutor.authoring.source import read_chapter
    from mi_tutor.specimens import open_specimen

    cells = {cell.fixed_id: cell.source for cell in read_chapter(SOURCE).cells}
    setup = next(cell.source for cell in read_chapter(SOURCE).cells if "setup" in cell.tags)
    space: dict = {}
    exec(setup, space)
    space["open_specimen"] = lambda name, device: open_specimen("atlas", device=device)
    exec(cells["on-the-real-thing"], space)
    said = capsys.readouterr().out
    assert "denoising one head:" in said and "correlation with one gradient:" in said


def test_whom_a_head_raises_is_told_by_the_two_orders():
    from mi_tutor.teach.exercises.patching.circuits import raised

    # What is left where the person named second gives (the first receives), and where the first does.
    assert raised((0.5, 0.6)) == {"receiver"} and raised((1.5, 1.6)) == {"giver"}
    assert raised((0.5, 1.6)) == {"first"} and raised((1.5, 0.6)) == {"second"}
    assert raised((0.5, 0.99)) == {"receiver", "first"}, "too small a change may have either sign"


def test_hardly_any_random_circuit_of_that_size_is_faithful():
    """Levels go by this, and by how much the whole model differs from itself on other stories."""
    import random

    from mi_tutor.lab.patching.circuits import heads_of
    from mi_tutor.teach.exercises.patching import circuits

    rng, whole = random.Random(5), circuits.all_parts(circuits.atlas())
    drawn = [frozenset(rng.sample(sorted(heads_of(whole)), 8)) | circuits.MLPS for _ in range(20)]
    shares = [
        [value / runs.values([whole])[0] for value in runs.values(drawn)]
        for runs in circuits.runs_of(0).values()
    ]
    faithful = [1 - sum(abs(1 - share) for share in pair) / 2 for pair in zip(*shares, strict=True)]
    assert sum(each >= circuits.FAITHFUL for each in faithful) <= 1
    f_of_whole = [
        [runs.values([whole])[0] for runs in circuits.runs_of(draw).values()] for draw in range(2)
    ]
    for one, other in zip(*f_of_whole, strict=True):
        assert abs(one - other) / one < 0.1


def test_every_wrong_part_of_a_referees_report_has_its_comment():
    from mi_tutor.teach.exercises.patching import flaws
    from mi_tutor.teach.exercises.patching.flawed import SETTINGS

    for key, settings in SETTINGS.items():
        for verdict in ("flawed", "sound"):
            for setting, options in settings.items():
                for option in options:
                    control = flaws.Control(verdict, setting, option, 0.5)
                    right = verdict == flaws.VERDICTS[key] and control.choice in flaws.SHOW[key]
                    assert (flaws.comment_on(key, control) is None) == right, (key, control)
