"""Two sides of a comparison, and what stands in for them where there is nothing to find."""

import pytest
import torch

from mi_tutor.lab.dictionaries import activation_rows, match_concepts
from mi_tutor.specimens import open_dictionary, open_specimen
from mi_tutor.specimens.atlas import labelled_texts
from mi_tutor.specimens.atlas import sides as module
from mi_tutor.specimens.atlas.sides import Side, all_sides, marks, placebo, read_texts, units

CACHES = (module.marks, module.placebo, module._pool, module.read_texts)
LATENTS = Side("latents of atlas-attn2", 320, "chosen")


@pytest.fixture(scope="module", autouse=True)
def few_texts():
    """A tenth of the text that a check takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "N_ROWS", 25)
        for each in CACHES:
            each.cache_clear()
        yield
    for each in CACHES:
        each.cache_clear()


def test_activations_are_the_models():
    texts = labelled_texts(seed=800_000, n_rows=25)
    model = open_specimen("atlas", device="cpu")
    about = texts.labels[:, 1:, texts.columns("state", "country")].any(dim=2).flatten()
    hooks = {
        "attn_out": "blocks.2.hook_attn_out",
        "resid_mid": "blocks.2.hook_resid_mid",
        "mlp_in": "blocks.2.mlp",
        "neurons": "blocks.2.mlp.hook_post",
        "mlp_out": "blocks.2.hook_mlp_out",
    }
    read = read_texts(0, "A")
    for name, hook in hooks.items():
        rows = activation_rows(model, texts.tokens, hook)
        rows = rows[0] if isinstance(rows, tuple) else rows
        torch.testing.assert_close(read.rows[name], rows[about], atol=1e-4, rtol=1e-4)
    assert read.labels.shape == (int(about.sum()), 50)


def test_marks_are_those_of_match_concepts():
    pair = [
        (
            open_dictionary("atlas-attn2").encode(read_texts(0, s).rows["attn_out"]),
            read_texts(0, s).labels,
        )
        for s in "AB"
    ]
    for threshold in ("chosen", "zero"):
        found = match_concepts(*pair, thresholds=threshold == "chosen").f1.mean().item()
        assert marks(LATENTS._replace(threshold=threshold), 0, "A", "B").f1 == pytest.approx(
            found, abs=1e-6
        )


@pytest.mark.parametrize(("name", "n"), all_sides().items())
def test_all_units_take_part_or_some_of_them(name, n):
    assert units(Side(name, n, "chosen"), 0, "A").shape[1] == n
    assert units(Side(name, 5, "chosen"), 0, "A").shape[1] == 5


def test_both_signs_are_the_axes_and_minus_the_axes():
    values = units(Side("both signs of attn_out", 256, "zero"), 0, "A")
    torch.testing.assert_close(values.sum(dim=1), torch.zeros(len(values)), atol=1e-3, rtol=0)


def test_a_placebo_knows_only_what_its_side_reads_how_many_and_its_rule():
    rules = 0, "A", "B"
    blank = placebo(LATENTS, *rules)
    assert placebo(Side("random directions of attn_out", 320, "chosen"), *rules) == blank
    transcoder = Side("latents of atlas-mlp2", 512, "chosen")
    assert placebo(transcoder, *rules) == placebo(Side("neurons", 512, "chosen"), *rules)
    assert placebo(LATENTS._replace(threshold="zero"), *rules) < blank
    assert placebo(LATENTS._replace(how_many=20), *rules) < blank


def test_a_threshold_fitted_to_the_test_and_marking_where_it_was_chosen_flatter():
    side = Side("both signs of attn_out", 256, "chosen")
    honest = marks(side, 0, "A", "B")
    assert marks(side._replace(threshold="best"), 0, "A", "B").f1 > honest.f1 + 0.03
    assert marks(side, 0, "A", "A").f1 > honest.f1 + 0.1
