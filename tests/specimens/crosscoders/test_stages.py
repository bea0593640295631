"""Stages of a copy: cut small, put back together, run as a copy that was opened."""

import torch
from safetensors.torch import load_file

from mi_tutor.lab.ground import kl
from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens import specimen_path
from mi_tutor.specimens.crosscoders import changed_texts, differing, open_stages
from mi_tutor.specimens.crosscoders.cutting import STAGES, cut, matrices, read_stages, save_stages
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.specimens.crosscoders.recipes import COPIES
from mi_tutor.specimens.crosscoders.stages import with_deltas
from mi_tutor.specimens.opening.copies import DIFFERENCE


def test_a_matrix_of_low_rank_survives_the_cut():
    g = seeded(0)
    delta = torch.randn(20, 2, generator=g) @ torch.randn(2, 12, generator=g)
    entries, units = cut(delta, 2)
    assert entries.dtype == torch.int8 and len(entries) == 2 * (20 + 12)
    A, B = entries.float().split((40, 24))
    again = (A.view(2, 20) * units[0][:, None]).mT @ (B.view(2, 12) * units[1][:, None])
    assert (again - delta).abs().max() < 0.02 * delta.abs().max()


def test_stages_are_read_as_they_were_written(tmp_path):
    g, deltas = seeded(1), {}
    for name, n_in, n_out in matrices():
        deltas[name] = torch.randn(n_in, 1, generator=g) @ torch.randn(1, n_out, generator=g)
    save_stages(tmp_path, {10: (1, deltas), 5: (2, {n: 2 * d for n, d in deltas.items()})})
    found = read_stages(tmp_path)
    assert list(found) == [5, 10]
    for name, delta in deltas.items():
        assert (found[10][name] - delta).abs().max() < 0.02 * delta.abs().max()
        assert (found[5][name] - 2 * delta).abs().max() < 0.04 * delta.abs().max()


def test_a_difference_in_processed_weights_is_the_copy_that_is_opened():
    factors = load_file(specimen_path("atlas-learned") / DIFFERENCE)
    deltas = {n: factors[f"{n}.A"].float() @ factors[f"{n}.B"].float() for n, _, _ in matrices()}
    tokens = changed_texts("test", 4, ("order",)).tokens
    mine, opened = (
        m.logits_after(-1, m.embed(tokens)) for m in (with_deltas(deltas), plain("atlas-learned"))
    )
    assert torch.allclose(mine, opened, atol=1e-3)


def test_the_shipped_stages_lead_from_atlas_to_its_copy_and_are_small():
    assert (specimen_path("atlas-learned") / STAGES).stat().st_size < 100_000
    stages = open_stages()
    assert list(stages) == list(COPIES["atlas-learned"].stages)
    texts = changed_texts("test", 12, ("order",))
    where = differing(texts)
    says = [
        m.logits_after(-1, m.embed(texts.tokens))[where]
        for m in (plain("atlas"), *stages.values(), plain("atlas-learned"))
    ]
    from_atlas = [float(kl(each, says[0]).mean()) for each in says]
    to_the_end = [float(kl(says[-1], each).mean()) for each in says]
    assert from_atlas == sorted(from_atlas) and to_the_end == sorted(to_the_end, reverse=True)
