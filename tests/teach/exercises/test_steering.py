"""The investigations of chapter 07 attacked: what must not be read, what must not pass, and their arithmetic."""

import math
import time

import pytest
import torch

from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.atlas import dashboard, opinion_prompts, some_requests, tokenizer
from mi_tutor.specimens.atlas.talk import at_reply
from mi_tutor.teach.exercises.steering import behaving, dashboard_reports, dashboards, fooling, ways
from mi_tutor.teach.exercises.steering.fool_the_dashboard import FOOL_THE_DASHBOARD
from mi_tutor.teach.exercises.steering.make_it_behave import MAKE_IT_BEHAVE
from mi_tutor.teach.exercises.steering.own_opinion import Steering, mean_at, steered, unembedded
from mi_tutor.teach.investigating import in_one_line, investigate
from mi_tutor.teach.investigation import Unreadable

ZEROS = [0.0] * 128
SHARES = {"reversed": 0.0, "half": 0.5, "later": 0.5, "everywhere": 0.5}
FORESEEN = {"half": 0.5, "other_token": 0.0, "harmless": 1.0, "without_center": 1.0}
HUGE = [0.0] * 1_000_000


def behaviour(**changed):
    return {"layer": 3, "at": [" like", " hate"], "vector": ZEROS, "predicted": SHARES} | changed


def attacked(attack=None, **monitor):
    given = {"measure": "outside", "center": ZEROS, "directions": [], "threshold": 1.0} | monitor
    return {"attack": ZEROS if attack is None else attack, "monitor": given, "predicted": FORESEEN}


def one(index, value):
    return [value if i == index else 0.0 for i in range(128)]


class TestReading:
    @pytest.mark.parametrize(
        "changed",
        [
            {"layer": 6},
            {"layer": -1},
            {"layer": 2.5},
            {"layer": math.nan},
            {"layer": None},
            {"at": []},
            {"at": ["no such word"]},
            {"at": [3]},
            {"at": HUGE},
            {"at": None},
            {"at": torch.zeros(3)},
            {"at": "x" * 100_000},
            {"vector": ZEROS[:-1]},
            {"vector": HUGE},
            {"vector": torch.zeros(1_000_000)},
            {"vector": one(3, math.nan)},
            {"vector": one(3, math.inf)},
            {"vector": one(3, behaving.BUDGET + 0.01)},
            {"vector": one(3, "1")},
            {"vector": None},
            {"vector": {}},
            {"vector": {" jazz": math.inf}},
            {"vector": {" jazz": 1e9}},
            {"vector": {" jazz": 1e300, " soup": -1e300}},
            {"vector": {"no such word": 1.0}},
            {"vector": {f" {i}": 0.0 for i in range(200)}},
            {"predicted": SHARES | {"half": 50}},
            {"predicted": {}},
        ],
    )
    def test_what_is_no_way_of_steering_is_told(self, changed):
        with pytest.raises(Unreadable) as told:
            behaving.read_handed(behaviour(**changed))
        assert 20 < len(str(told.value)) < 300

    @pytest.mark.parametrize(
        "changed",
        [
            {"attack": one(0, fooling.BUDGET + 0.01)},
            {"attack": one(0, math.nan)},
            {"attack": HUGE},
            {"attack": {"a": 1}},
            {"measure": "norm"},
            {"measure": None},
            {"center": HUGE},
            {"center": one(0, 1e30)},
            {"center": None},
            {"directions": HUGE},
            {"directions": [ZEROS] * 65},
            {"directions": [HUGE]},
            {"directions": [one(0, math.nan)]},
            {"directions": torch.zeros(100_000, 128)},
            {"directions": ZEROS},
            {"measure": "along"},
            {"measure": "inside"},
            {"measure": "along", "directions": [ZEROS]},
            {"threshold": math.nan},
            {"threshold": math.inf},
            {"threshold": None},
        ],
    )
    def test_what_is_no_attack_or_monitor_is_told(self, changed):
        with pytest.raises(Unreadable) as told:
            fooling.read_pair(attacked(**changed))
        assert 20 < len(str(told.value)) < 300

    def test_nonsense_is_refused_quickly(self):
        start = time.process_time()
        for changed in ({"at": HUGE}, {"vector": HUGE}, {"vector": torch.zeros(10**6)}):
            assert not investigate(MAKE_IT_BEHAVE, behaviour(**changed)).passed
        for changed in ({"attack": HUGE}, {"directions": HUGE}, {"center": HUGE}):
            assert not investigate(FOOL_THE_DASHBOARD, attacked(**changed)).passed
        assert time.process_time() - start < 5

    def test_what_means_the_same_is_read_alike(self):
        plainly = behaving.read_handed(behaviour(vector=one(5, 1.0)))
        for changed in (
            {"vector": torch.tensor(one(5, 1.0))},
            {"vector": tuple(one(5, 1))},
            {"vector": one(5, 1.0), "at": ("like", "hate")},
            {"vector": one(5, 1.0), "layer": torch.tensor(3)},
        ):
            read = behaving.read_handed(behaviour(**changed)).steering
            assert read.layer == 3 and read.at == plainly.steering.at
            assert torch.equal(read.vector, plainly.steering.vector)
        assert behaving.read_at("Every") == behaving.EVERY
        rows = torch.eye(128)[:3]
        as_tensor = fooling.read_pair(attacked(directions=rows)).monitor
        as_lists = fooling.read_pair(attacked(directions=rows.tolist())).monitor
        assert torch.equal(as_tensor.directions, as_lists.directions)

    def test_a_recipe_is_a_sum_of_means(self):
        read = behaving.read_handed(behaviour(vector={"like": 0.5, " hate": -0.5, "mean": 0.1}))
        wanted = 0.5 * (mean_at(" like", 3) - mean_at(" hate", 3)) + 0.1 * mean_at("mean", 3)
        torch.testing.assert_close(read.steering.vector, wanted)


class TestArithmetic:
    """Against TransformerLens's hooks, and against brute force."""

    def test_steering_is_what_hooks_do(self):
        model = open_specimen("atlas", device="cpu")
        prompts = opinion_prompts("against", seed=1, n=4)
        vector = torch.randn(128, generator=torch.Generator().manual_seed(0))
        chosen = [tokenizer().ids[" like"], tokenizer().ids[" hate"]]

        def edit(x, hook):
            x = x.clone()
            x[torch.isin(prompts.tokens, torch.tensor(chosen))] += vector
            return x

        with torch.no_grad():
            wanted = model.run_with_hooks(
                prompts.tokens, fwd_hooks=[("blocks.2.hook_resid_pre", edit)]
            )
            found = unembedded(steered(Steering(2, (" like", " hate"), vector), prompts.tokens))
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=1e-3)

    def test_the_dashboard_reads_requests_it_has_not_seen(self):
        plain = plain_transformer(open_specimen("atlas", device="cpu"))
        board, some = dashboard(plain), some_requests(True, seed=77)
        with torch.no_grad():
            on = board.readings(at_reply(plain, some)) > 0.5
        assert (on[:, 0] == some.deed).float().mean() >= 0.95
        assert (on[:, 1] == some.thing).float().mean() >= 0.95

    def test_what_is_off_the_readings_moves_none(self):
        vector = dashboards.unseen(torch.randn(128, generator=torch.Generator().manual_seed(1)))
        moved = vector @ dashboards.the_dashboard().weights
        assert moved.abs().max() < 1e-5 < vector.norm()

    def test_monitors_measure_lengths(self):
        x = torch.randn(6, 128, generator=torch.Generator().manual_seed(2))
        rows = torch.randn(5, 128, generator=torch.Generator().manual_seed(3))
        rows = torch.cat([rows, rows[:1] * 2])  # one that adds nothing
        inside, outside = (
            dashboards.Monitor(each, torch.zeros(128), rows, 0.0).values(x)
            for each in ("inside", "outside")
        )
        best = torch.linalg.lstsq(rows[:5].T, x.T).solution
        torch.testing.assert_close(
            outside, (x.T - rows[:5].T @ best).norm(dim=0), atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(
            inside.square() + outside.square(), x.square().sum(1), atol=1e-3, rtol=1e-4
        )


PERFECT = dict.fromkeys(SHARES, 0.0)  # what a vector that does nothing leads to


@pytest.mark.parametrize(
    "changed",
    [
        {"vector": ZEROS},
        {"vector": ZEROS, "at": "every", "layer": 5},
        {"vector": {" like": 1.0, " hate": -1.0}, "layer": 0},
        {"vector": one(0, behaving.BUDGET), "at": ["?"], "layer": 4},
        {"vector": {" I": 0.3, "mean": -0.3}, "at": [" I"], "layer": 5},
    ],
)
def test_ways_that_do_not_steer_do_not_pass(changed):
    judged = investigate(MAKE_IT_BEHAVE, behaviour(**changed, predicted=PERFECT))
    assert judged.findings is not None and not judged.passed, judged.findings
    assert judged.findings.score < 0.6 and len(in_one_line(MAKE_IT_BEHAVE, judged)) > 40


def attack():
    return dashboard_reports.our_attack().tolist()


@pytest.mark.parametrize(
    "changed",
    [
        {"threshold": -1e9},
        {"threshold": 1e9},
        {"threshold": 0.0, "directions": torch.eye(128)[:64].tolist()},
        {"measure": "along", "directions": [one(7, 1e4)], "threshold": 0.0},
    ],
)
def test_monitors_that_say_nothing_do_not_pass(changed):
    judged = investigate(FOOL_THE_DASHBOARD, attacked(attack(), **changed))
    assert judged.findings is not None and not judged.passed
    assert judged.findings.score <= 0.6


def test_the_same_draw_says_the_same_and_another_draw_has_other_prompts():
    report = ways.one_word_for_everybody()
    one_, again = (investigate(MAKE_IT_BEHAVE, report, 4) for _ in range(2))
    assert one_.findings.facts == again.findings.facts
    other = opinion_prompts("against", 9_005)
    same = opinion_prompts("against", 9_004)
    assert other.tokens.shape != same.tokens.shape or not torch.equal(other.tokens, same.tokens)
