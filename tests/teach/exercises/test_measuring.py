"""What the investigations of chapter 03 measure with: fresh rows and replacements, against plain arithmetic."""

from itertools import pairwise

import pytest
import torch

from mi_tutor.lab.induction import loss_without_heads
from mi_tutor.specimens.induction import language
from mi_tutor.teach.exercises.induction import measuring, roles, unexplained
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
        "repair": {"site": "hook_embed", "multiply": 2},
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
        ({"repair": {"site": "blocks.9.hook", "multiply": 2}}, "no hook named"),
        ({"repair": {"site": "hook_embed"}}, "`repair` should be"),
        ({"repair": {"site": "hook_embed", "multiply": float("inf")}}, "one number"),
        ({"repair": {"site": "hook_embed", "add": [[1.0]]}}, "one vector"),
        ({"repair": {"site": "hook_embed", "head": 9, "multiply": 1}}, "a head's number"),
        ({"speaks": torch.zeros(3, 3)}, r"its shape is \[3, 3\]"),
        ({"against": (2, 0)}, "one head"),
    ],
)
def test_what_is_odd_in_a_report_is_named(changed, says):
    with pytest.raises(Unreadable, match=says):
        _report(**changed)


def test_a_vector_that_does_not_fit_its_site_repairs_nothing():
    report = _report(repair={"site": "blocks.1.hook_attn_out", "add": [1.0, 2.0, 3.0]})
    assert unexplained.undone(unexplained.facts(0), report.repair) == 0


def test_roles_are_read_with_pairs_as_keys_too():
    heads = {(int(k[0]), int(k[2])): (" Text", 0, 1.5) for k in roles.HEADS}
    plain = {str(key): entry for key, entry in heads.items()}
    assert roles.read(dict.fromkeys(roles.MODELS, plain))["induction-2l-b"]["1.3"].role == "text"
    with pytest.raises(Unreadable, match=r"head 0\.0: the role should be"):
        roles.read(dict.fromkeys(roles.MODELS, dict.fromkeys(roles.HEADS, ("copy", 0, 0))))
