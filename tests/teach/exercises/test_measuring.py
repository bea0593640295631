"""What the investigations of chapter 03 measure with: fresh rows and replacements, against plain arithmetic."""

from itertools import pairwise

import pytest
import torch

from mi_tutor.lab.induction import loss_without_heads
from mi_tutor.specimens.induction import language
from mi_tutor.teach.exercises.induction import measuring, unexplained
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
    said = read_roles(dict.fromkeys(MODELS, _model_of((" Text", 0.25, 1.5))))["induction-2l-b"]
    assert said.heads["1.3"].role == "text"
    assert said.without["0.1", "1.0"] == 2.5
    assert said.without["0.0", "1.0"] == 0.5, "a pair that is left out is the sum of its heads"
    assert said.only == {("0.1", "1.0"): 0.5}
    with pytest.raises(Unreadable, match=r"head 0\.0: the role should be"):
        read_roles(dict.fromkeys(MODELS, _model_of(("copy", 0, 0))))


def test_two_heads_left_alone_are_marked_by_how_well_they_copy():
    found = found_in(0)["induction-2l-b"]
    best = min(found.only, key=found.only.get)
    for pair in PAIRS:
        alike = found.only[pair] <= found.only[best] + 0.3
        said = found._replace(only={pair: found.only[pair]})
        assert best_two(said, found)[:2] == (alike, True)
