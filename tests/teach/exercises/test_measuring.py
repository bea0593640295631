"""What the investigations of chapter 03 measure with: fresh rows and replacements, against plain arithmetic."""

from itertools import pairwise

import pytest
import torch

from mi_tutor.lab.induction import loss_without_heads
from mi_tutor.specimens.induction import language
from mi_tutor.teach.exercises import forecasts
from mi_tutor.teach.exercises.induction import measuring, unborn, unexplained
from mi_tutor.teach.exercises.induction.role_marking import best_two
from mi_tutor.teach.exercises.induction.role_marking import read as read_roles
from mi_tutor.teach.exercises.induction.role_measures import HEADS, MODELS, PAIRS, found_in
from mi_tutor.teach.exercises.induction.specimens import specimen
from mi_tutor.teach.investigation import Unreadable


def test_draws_differ_and_repeat():
    for rows in (measuring.blocks, measuring.running_text):
        assert torch.equal(rows(1, 4), rows(1, 4)) and not torch.equal(rows(1, 4), rows(2, 4))


def test_interrupted_text_says_what_fits():
    tokens, fits = measuring.interrupted_text(0, 60)
    for row, fit in zip(tokens.tolist(), fits.tolist(), strict=True):
        said = [measuring.WORDS[i] for i in row]
        assert fit == (language.next_word_chances(said[-2]).get(said[-1], 0) > 0)
        assert all(b in language.next_word_chances(a) for a, b in pairwise(said[1:-1]))
    assert 0.3 < fits.float().mean() < 0.7


def test_zero_in_a_heads_place_is_the_ablation_of_the_chapter():
    tokens = measuring.blocks(0, 3)
    mine = measuring.loss_with(specimen(), tokens, [measuring.with_z(1, 0, torch.zeros(()))])
    assert torch.allclose(mine, loss_without_heads(specimen(), tokens, [(1, 0)]))


def test_what_heads_write_adds_up_to_the_attention_output():
    model, tokens = specimen(), measuring.blocks(0, 2)
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens, names_filter="blocks.1.hook_attn_out")
    z = measuring.z_of(model, tokens, 1)
    parts = sum(measuring.written(model, z, 1, head) for head in range(4))
    assert torch.allclose(parts + model.b_O[1].detach(), cache["blocks.1.hook_attn_out"], atol=1e-4)


def _report(**changed):
    rise = dict.fromkeys(unexplained.CHANGES, 1.0)
    right = {
        "rise": rise,
        "through": {"site": "hook_embed"},
        "speaks": torch.zeros(180, 180),
        "against": (1, 2),
    }
    return unexplained.read(right | changed)


def test_a_report_is_read_in_what_means_the_same():
    table = torch.zeros(181, 181)
    table[1, 2] = 1
    assert torch.equal(_report(speaks=table[1:, 1:].tolist()).speaks, _report(speaks=table).speaks)
    assert _report(against=[torch.tensor(1), 2]).against == (1, 2)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rise": {"zero": 1}}, "`rise` should be"),
        ({"rise": dict.fromkeys(unexplained.CHANGES, "much")}, "a number, in nats"),
        ({"through": {"site": "blocks.9.hook"}}, "no hook named"),
        ({"through": {"hook": "hook_embed"}}, "`through` should be"),
        ({"through": {"site": "hook_embed", "head": 9}}, "a head's number"),
        ({"speaks": torch.zeros(3, 3)}, r"its shape is \[3, 3\]"),
        ({"against": (2, 0)}, "one head"),
    ],
)
def test_what_is_odd_in_a_report_is_named(changed, says):
    with pytest.raises(Unreadable, match=says):
        _report(**changed)


def test_what_a_site_carries():
    found = unexplained.facts(0)
    carried = {
        name: unexplained.carried(found, _report(through=through).through)
        for name, through in {
            "head": {"site": "blocks.1.attn.hook_z", "head": 0},
            "stream": "blocks.1.hook_resid_post",
            "before": "blocks.1.hook_resid_pre",
            "no heads there": {"site": "hook_embed", "head": 0},
            "pattern": "blocks.1.attn.hook_pattern",
        }.items()
    }
    for name, width in (("head", 16), ("stream", 64)):
        assert carried[name] == pytest.approx((1.0, 1.0, width), abs=1e-3), name
    assert carried["before"] == pytest.approx((0.0, 0.0, 64), abs=1e-3)
    assert carried["no heads there"] == carried["pattern"] == (0.0, 0.0, 0)


def _model_of(entry):
    heads = {str((int(key[0]), int(key[2]))): entry for key in HEADS}
    pair = str((("1.0"), ("0.1")))
    return {"heads": heads, "Without": {pair: 2.5}, "only": ["1.0", (0, 1), 0.5]}


def test_roles_are_read_with_pairs_as_keys_too():
    every = dict.fromkeys(MODELS, _model_of((" Text", 0.25, 1.5)))
    all_place = {"forecasts": {name.upper(): "Place" for name in unborn.SETTINGS}}
    answer = read_roles(every | all_place)
    assert (answer.forecasts[:, unborn.RULES.index("place")] == 1).all()
    said = answer.models["induction-2l-b"]
    assert said.heads["1.3"].role == "text"
    assert said.without["0.1", "1.0"] == 2.5
    assert said.without["0.0", "1.0"] == 0.5, "a pair that is left out is the sum of its heads"
    assert said.only == {("0.1", "1.0"): 0.5}
    with pytest.raises(Unreadable, match=r"head 0\.0: the role should be"):
        read_roles(dict.fromkeys(MODELS, _model_of(("copy", 0, 0))) | all_place)
    with pytest.raises(Unreadable, match="'forecasts'"):
        read_roles(every)


def test_two_heads_left_alone_are_marked_by_how_well_they_copy():
    found = found_in(0)["induction-2l-b"]
    best = min(found.only, key=found.only.get)
    for pair in PAIRS:
        alike = found.only[pair] <= found.only[best] + 0.3
        said = found._replace(only={pair: found.only[pair]})
        assert best_two(said, found)[:2] == (alike, True)


@pytest.mark.parametrize("name", unborn.SETTINGS)
def test_what_is_foretold_can_be_foretold(name):
    """By hand: the word after the latest earlier copy of the one before it, or the one before that copy."""
    setting = unborn.SETTINGS[name]
    rows, foretold = unborn.rows_of(setting, 7, 40, unborn.seeded(3))
    assert rows.shape == (40, unborn.N_POS + 1) and (rows[:, 0] == unborn.BOS).all()
    assert foretold.sum(dim=1).min() > 3
    for row, counts in zip(rows.tolist(), foretold.tolist(), strict=True):
        for at in (k + 1 for k, counted in enumerate(counts) if counted):
            earlier = max(k for k in range(1, at - 1) if row[k] == row[at - 1])
            step = -1 if setting.copies == "backwards" else 1
            assert row[at] == row[earlier + step]
        if setting.copies == "one":
            assert row[8:15] == row[1:8]


def test_models_side_by_side_do_not_touch_each_other():
    settings = [unborn.SETTINGS[name] for name in ("smeared", "one layer, one length")]
    both = unborn.Models(settings, [1, 2])
    for k, setting in enumerate(settings):
        tokens, _ = unborn.rows_of(setting, 8, 3, unborn.seeded(k))
        alone = unborn.Models([setting], [k + 1])(tokens[None, :, :-1])[0]
        assert torch.allclose(both(tokens[None, :, :-1].expand(2, -1, -1))[k], alone, atol=1e-5)


def test_a_model_reads_no_place_and_no_word_before_where_it_has_none():
    """Without positions and without smearing, one layer gives the same whatever the order of the words before."""
    setting = unborn.Setting(n_layers=1, copies="any", positions=False)
    model = unborn.Models([setting], [0])
    tokens = unborn.shuffled_words(unborn.seeded(0), 2)[None, :, : unborn.N_POS]
    turned = torch.cat([tokens[..., :-1].flip(-1), tokens[..., -1:]], dim=-1)
    assert torch.allclose(model(tokens)[..., -1, :], model(turned)[..., -1, :], atol=1e-5)


def test_forecasts_are_marked_against_base_rates():
    found = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    skills = [
        forecasts.mark(torch.tensor(said), found).skill
        for said in ([[0.5, 0.5]] * 2, [[1.0, 0.0], [0.0, 1.0]], [[0.75, 0.25], [0.25, 0.75]])
    ]
    assert skills == [0.0, 1.0, 0.75]
