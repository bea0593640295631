"""Files: what comes back is what was written, and published conventions mean what SAELens computes with them.

benchmarks/sae_lens_round_trip.py holds the same against SAELens itself, and `test_saelens_config` has the files of
its older versions.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mi_tutor.lab.dictionaries import BatchTopK, JumpRelu, Relu, Sae, TopK, open_sae, save_sae
from mi_tutor.lab.dictionaries.saelens import CONFIG, WEIGHTS, saved_metadata
from mi_tutor.lab.ground.device import seeded

X = torch.randn(40, 5, generator=seeded(9))


def random_sae(kind, centred=True, d_out=5) -> Sae:
    g = {"generator": seeded(0)}
    return Sae(
        W_enc=torch.randn(5, 8, **g),
        b_enc=torch.randn(8, **g),
        W_dec=torch.randn(8, d_out, **g),
        b_dec=torch.randn(d_out, **g),
        kind=kind,
        threshold=torch.rand(8, **g) if isinstance(kind, JumpRelu) else None,
        centred=centred,
    )


@pytest.mark.parametrize("kind", [Relu(), TopK(k=3), JumpRelu()])
@pytest.mark.parametrize("centred", [True, False])
def test_round_trip(tmp_path, kind, centred):
    sae = random_sae(kind, centred)
    save_sae(tmp_path, sae, {"hook_name": "blocks.2.hook_resid_pre", "seed": 3})
    again = open_sae(tmp_path)
    assert (type(again.kind), again.centred) == (type(kind), centred)
    assert again(X).equal(sae(X)) and again.encode(X).equal(sae.encode(X))
    saved = saved_metadata(tmp_path)
    assert saved.pop("sae_lens_version") >= "6"
    assert saved == {"hook_name": "blocks.2.hook_resid_pre", "seed": 3}


def test_a_transcoder_of_another_width(tmp_path):
    sae = random_sae(Relu(), centred=False, d_out=3)
    save_sae(tmp_path, sae)
    config = json.loads((tmp_path / CONFIG).read_text())
    assert (config["architecture"], config["d_in"], config["d_out"]) == ("transcoder", 5, 3)
    assert open_sae(tmp_path)(X).equal(sae(X))


def test_half_precision_is_half_the_size_and_opens_as_float32(tmp_path):
    sae = random_sae(JumpRelu())
    save_sae(tmp_path / "full", sae)
    save_sae(tmp_path / "half", sae, dtype=torch.float16)
    sizes = [sum(v.nbytes for v in read(tmp_path / name).values()) for name in ("full", "half")]
    assert sizes[0] == 2 * sizes[1]
    again = open_sae(tmp_path / "half")
    assert again.W_enc.dtype == torch.float32
    torch.testing.assert_close(again.W_dec, sae.W_dec, atol=1e-3, rtol=1e-3)


def test_weights_that_are_one_tensor_are_stored_as_two(tmp_path):
    sae = Sae(W_enc=torch.eye(5), b_enc=X[0], W_dec=torch.eye(5), b_dec=X[0])
    save_sae(tmp_path, replace(sae, W_dec=sae.W_enc))
    assert open_sae(tmp_path)(X).equal(sae(X))


def read(directory: Path):
    from safetensors.torch import load_file

    return load_file(directory / WEIGHTS)


def test_what_the_format_has_no_word_for(tmp_path):
    unfinished = random_sae(BatchTopK(k=2))
    top_k_transcoder = random_sae(TopK(k=2), centred=False, d_out=3)
    for sae in (unfinished, top_k_transcoder):
        with pytest.raises(ValueError, match="SAELens has no architecture for"):
            save_sae(tmp_path, sae)
    assert not any(tmp_path.iterdir())


def publish(directory: Path, config: dict, **weights) -> Path:
    """A folder as somebody else would have written it."""
    directory.mkdir(exist_ok=True)
    base = {"d_in": 5, "d_sae": 8, "dtype": "float32", "device": "cuda", "metadata": {}}
    (directory / CONFIG).write_text(json.dumps(base | config))
    save_file({name: value.contiguous() for name, value in weights.items()}, directory / WEIGHTS)
    return directory


def weights_of(sae):
    return {name: getattr(sae, name) for name in ("W_enc", "b_enc", "W_dec", "b_dec")}


def test_rescaled_top_k_is_what_saelens_computes(tmp_path):
    sae = random_sae(TopK(k=3))
    config = {"architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": True}
    opened = open_sae(publish(tmp_path, config, **weights_of(sae)))
    norm = sae.W_dec.norm(dim=1)
    pre = ((X - sae.b_dec) @ sae.W_enc + sae.b_enc) * norm
    kept = pre.topk(3, dim=1)
    latents = torch.zeros_like(pre).scatter(1, kept.indices, kept.values.relu())
    torch.testing.assert_close(opened.encode(X), latents)
    torch.testing.assert_close(opened(X), (latents / norm) @ sae.W_dec + sae.b_dec)


def test_gated_is_a_jump_relu(tmp_path):
    sae = random_sae(Relu())
    b_gate, b_mag, r_mag = torch.randn(3, 8, generator=seeded(1))
    weights = {"W_enc": sae.W_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}
    weights |= {"b_gate": b_gate, "b_mag": b_mag, "r_mag": r_mag}
    opened = open_sae(publish(tmp_path, {"architecture": "gated"}, **weights))
    u = (X - sae.b_dec) @ sae.W_enc
    latents = (u + b_gate > 0) * torch.relu(u * r_mag.exp() + b_mag)
    torch.testing.assert_close(opened.encode(X), latents, atol=1e-5, rtol=1e-4)
    assert 0 < (latents > 0).float().mean() < 1


def test_a_factor_on_the_input(tmp_path):
    sae = random_sae(Relu())
    config = {"architecture": "standard", "normalize_activations": "expected_average_only_in"}
    publish(tmp_path, config, **weights_of(sae))
    with pytest.raises(ValueError, match="give it as norm_scaling_factor"):
        open_sae(tmp_path)
    opened = open_sae(tmp_path, norm_scaling_factor=2.5)
    torch.testing.assert_close(opened(X), sae(2.5 * X) / 2.5)


def test_a_version_5_config(tmp_path):
    sae = random_sae(TopK(k=3))
    config = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}, "hook_name": "x"}
    assert open_sae(publish(tmp_path, config, **weights_of(sae)))(X).equal(sae(X))
    factor = torch.rand(8, generator=seeded(1))
    config = {"architecture": "standard", "finetuning_scaling_factor": True}
    relu = random_sae(Relu())
    publish(tmp_path, config, **weights_of(relu), scaling_factor=factor)
    expected = (relu.encode(X) * factor) @ relu.W_dec + relu.b_dec
    torch.testing.assert_close(open_sae(tmp_path)(X), expected)


def test_not_centred(tmp_path):
    sae = random_sae(Relu(), centred=False)
    publish(
        tmp_path, {"architecture": "standard", "apply_b_dec_to_input": False}, **weights_of(sae)
    )
    assert open_sae(tmp_path)(X).equal(sae(X))


def test_negative_thresholds_let_nothing_negative_pass(tmp_path):
    sae = random_sae(Relu())
    publish(tmp_path, {"architecture": "jumprelu"}, **weights_of(sae), threshold=-torch.ones(8))
    assert open_sae(tmp_path)(X).equal(sae(X))


def test_what_is_not_understood_is_said(tmp_path):
    weights = weights_of(random_sae(Relu()))
    for config, message in (
        ({"architecture": "skip_transcoder"}, 'architecture = "skip_transcoder"'),
        ({"architecture": "standard", "normalize_activations": "layer_norm"}, "sample by sample"),
        ({"architecture": "standard", "reshape_activations": "hook_z"}, "flattened"),
        ({"architecture": "topk"}, "lacks"),
        ({"architecture": "jumprelu"}, "lacks 'threshold'"),
    ):
        with pytest.raises(ValueError, match=message):
            open_sae(publish(tmp_path, config, **weights))


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no cfg\.json"):
        open_sae(tmp_path)
    save_sae(tmp_path, random_sae(Relu()))
    whole = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[:-5])
    with pytest.raises(ValueError, match="damaged"):
        open_sae(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match="sae_weights"):
        open_sae(tmp_path)
    (tmp_path / CONFIG).write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        open_sae(tmp_path)
