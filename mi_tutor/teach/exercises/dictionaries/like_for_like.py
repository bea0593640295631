"""Chapter 02, an investigation: `like-for-like`, two comparisons that the learner designs, runs and defends."""

from __future__ import annotations

from typing import Any

from mi_tutor.specimens.atlas.sides import Side
from mi_tutor.teach.exercises.dictionaries.comparing_units import Design, experiment, read
from mi_tutor.teach.exercises.dictionaries.further_units import PREDICTED, STATEMENTS
from mi_tutor.teach.investigation import Investigation, Levels, Worked, WrongHypothesis


def ours(others: str = "both signs of attn_out", n: int = 256) -> dict[str, Any]:
    """Our own answer. Its numbers were measured on draws from 100 on, which no test uses."""
    return _with(_designed(320, others, n, 0.68), _designed(512, "neurons", 512, 0.09))


FURTHER = dict(zip(PREDICTED, (0.8, 0.69, 0.97, 0.86), strict=True))
FOLLOWS = dict(zip(STATEMENTS, (True, False, True, False, False, False), strict=True))


def _with(attention: dict, mlp: dict, **changed: Any) -> dict[str, Any]:
    """Two comparisons, and what we say of them."""
    said = {"predicted": FURTHER, "follows": FOLLOWS} | changed
    return {"attention": attention, "mlp": mlp} | said


# What the chapter's table alone seems to say.
BY_THE_TABLE = dict(zip(STATEMENTS, (False, True, True, True, True, True), strict=True))


def _designed(
    n_latents: int, others: str, n: int, difference: float, **changed: Any
) -> dict[str, Any]:
    threshold = changed.get("threshold", "chosen")
    return {
        "latents": {"how many": n_latents, "threshold": changed.get("latents", threshold)},
        "others": {"units": others, "how many": n, "threshold": threshold},
        "choose on": "A",
        "mark on": changed.get("mark", "B"),
        "difference": difference,
    }


def _sides(design: Design) -> list[Side]:
    return [side for each in design.values() for side in (each.latents, each.others)]


LIKE_FOR_LIKE = Investigation(
    slug="like-for-like",
    title="Like for like",
    chapter="02",
    points=6,
    minutes=45,
    difficulty=5,
    objective="Design comparisons whose sides differ in one thing, test that with a placebo and a replication, and say what follows from them and what does not.",
    question="Was a dictionary worth its training, where attention writes and at an MLP?",
    form="a dict with the comparisons 'attention' and 'mlp', each a dict with 'latents', 'others', 'choose on', 'mark on' and "
    "'difference'; 'predicted', a dict of four shares; and 'follows', a dict from 'a' to 'f' to True or False",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.75, good=0.85, excellent=0.95),
    mistakes=(
        WrongHypothesis(
            name="marked where it was chosen",
            example=lambda: _with(
                _designed(320, "both signs of attn_out", 256, 0.57, mark="A"),
                _designed(512, "neurons", 512, 0.06, mark="A"),
            ),
            fits=lambda said, findings: any(each.choose == each.mark for each in said.design.values()),
            sentence="You mark units on the very texts on which they were chosen. The best of many is lucky there, and the worse the units the "
            "more of their mark is luck: look at what they lose on texts that took part in nothing.",
        ),
        WrongHypothesis(
            name="a threshold fitted to the test",
            example=lambda: _with(
                _designed(320, "both signs of attn_out", 256, 0.61, threshold="best"),
                _designed(512, "neurons", 512, 0.09, threshold="best"),
            ),
            fits=lambda said, findings: any(side.threshold == "best" for side in _sides(said.design)),
            sentence="A threshold that is the best where it is marked was fitted to the test. Look at what is left of it on texts that took "
            "part in nothing.",
        ),
        WrongHypothesis(
            name="a threshold for one side only",
            example=lambda: _with(
                _designed(320, "both signs of attn_out", 256, 0.58, latents="zero"),
                _designed(512, "neurons", 512, -0.08, latents="zero"),
            ),
            fits=lambda said, findings: any(
                each.latents.threshold != each.others.threshold for each in said.design.values()
            ),
            sentence="One side may choose its thresholds, the other has to take what it gets. Give blank units those two rules: which side wins?",
        ),
        WrongHypothesis(
            name="latents of one place, units of another",
            example=lambda: ours("neurons", 512),
            fits=lambda said, findings: any(
                each.latents.reads != each.others.reads for each in said.design.values()
            ),
            sentence="The two sides of a comparison read different activations. Where more of what is written is the state, even random "
            "directions say states better: so which of the two do you measure, the units or the place?",
        ),
        WrongHypothesis(
            name="more to choose from",
            example=lambda: ours("axes of attn_out", 128),
            fits=lambda said, findings: any(
                each.latents.how_many > 1.5 * each.others.how_many
                or each.others.how_many > 1.5 * each.latents.how_many
                for each in said.design.values()
            ),
            sentence="One side has many more units to choose the best from. The best of 320 is better than the best of 128 even where there is "
            "nothing to find. A direction has two ends, and there are as many random directions as you like.",
        ),
        WrongHypothesis(
            name="the table says it all",
            example=lambda: ours() | {"follows": BY_THE_TABLE},
            fits=lambda said, findings: findings.facts["fair"]
            and sum(said.follows[name] == word for name, word in BY_THE_TABLE.items()) >= 4,
            sentence="Your comparisons are fair, and you conclude more than they show. A low mark of all units that took part says nothing "
            "of directions that did not, and a high one does not say which part of a latent earned it. Each statement can be measured.",
        ),
    ),
    styles=(
        Worked(name="the activation's own axes, both signs; the MLP's own neurons", hypothesis=ours, level="excellent"),
        Worked(
            name="random directions, as many",
            hypothesis=lambda: ours("random directions of attn_out", 320),
            level="excellent",
        ),
    ),
    hints=(
        "List in what the two sides of the table above differ: what they read, how many they are, their thresholds. Which of these could make one "
        "side win without any dictionary?",
        "Make a placebo yourself: `torch.randn(128, n)` on what attention writes, and on what the MLP reads, each marked with `lab.match_concepts`. "
        "Then with other numbers n, and with `thresholds=False`.",
        "Both sides should read one activation, choose thresholds by the same rule on set A, be marked on set B, and be about as many. At the MLP "
        "the transcoder and the neurons read the same. For `difference` run each comparison on `texts` and `other_texts`.",
        "For the conclusions ask of each: which units would have to be marked for it, and were they in any of your comparisons? Mark those on "
        "other texts than they were chosen on: directions made from labels, `x @ W_enc`, random directions of the right place, thresholds of 0.",
    ),
)  # fmt: skip
