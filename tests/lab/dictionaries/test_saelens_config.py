"""What a dictionary's files say: read as SAELens means it, or refused by name.

The expected numbers are written out below as SAELens's classes compute them; benchmarks/sae_lens_old_files.py has
its versions 3 to 5 write such files and holds the same against their own numbers.
"""

import json
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mi_tutor.lab.dictionaries import JumpRelu, TopK, open_sae
from mi_tutor.lab.dictionaries.saelens import saved_metadata
from mi_tutor.lab.ground.device import seeded

D_IN, D_SAE = 5, 8
X = torch.randn(40, D_IN, generator=seeded(9))
HOOK = "blocks.2.hook_resid_pre"
NEW = {  # SAELens 6
    "architecture": "standard",
    "d_in": D_IN,
    "d_sae": D_SAE,
    "dtype": "float32",
    "device": "cpu",
    "apply_b_dec_to_input": True,
    "normalize_activations": "none",
    "reshape_activations": "none",
    "metadata": {"sae_lens_version": "6.54.12", "hook_name": HOOK, "prepend_bos": True},
}
OLD = {  # a training with SAELens 3 to 5 writes some eighty more fields, all of them about training
    "architecture": "standard",
    "d_in": D_IN,
    "d_sae": D_SAE,
    "dtype": "torch.float32",
    "device": "cuda",
    "model_name": "gpt2",
    "hook_name": HOOK,
    "hook_eval": "NOT_IN_USE",
    "hook_layer": 2,
    "hook_head_index": None,
    "dataset_path": "",
    "prepend_bos": True,
    "activation_fn": "relu",
    "activation_fn_kwargs": {},
    "apply_b_dec_to_input": True,
    "normalize_sae_decoder": False,
    "normalize_activations": "none",
    "noise_scale": 0.0,
    "lp_norm": 1,
    "finetuning_method": None,
    "model_from_pretrained_kwargs": {"center_writing_weights": False},
    "sae_lens_version": "5.11.0",
}


def weights(**more) -> dict[str, torch.Tensor]:
    g = {"generator": seeded(0)}
    sizes = {"W_enc": (D_IN, D_SAE), "W_dec": (D_SAE, D_IN), "b_enc": (D_SAE,), "b_dec": (D_IN,)}
    drawn = {name: torch.randn(*size, **g) for name, size in sizes.items()}
    return {name: value for name, value in (drawn | more).items() if value is not None}


def write(directory: Path, config: dict, tensors: dict) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "cfg.json").write_text(json.dumps(config))
    kept = {name: value.contiguous() for name, value in tensors.items()}
    save_file(kept, directory / "sae_weights.safetensors")
    return directory


def without(config: dict, *names: str) -> dict:
    return {name: value for name, value in config.items() if name not in names}


def pre_activations(w) -> torch.Tensor:
    return (X - w["b_dec"]) @ w["W_enc"] + w["b_enc"]


def kept_largest(pre, k) -> torch.Tensor:
    smallest = pre.sort(dim=-1).values[:, -k, None]
    return torch.where(pre >= smallest, pre.relu(), 0)


def same(sae, latents, x_hat) -> None:
    torch.testing.assert_close(sae.encode(X), latents, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sae(X), x_hat, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        OLD,
        without(OLD, "architecture", "activation_fn_kwargs", "sae_lens_version"),  # 3.0
        OLD | {"normalize_activations": False},  # 3.0
        OLD | {"activation_fn": None, "activation_fn_kwargs": None, "normalize_activations": None},
        OLD | {"a_field_of_training": 3},
        NEW,
        NEW | {"l1_coefficient": 1.0, "decoder_init_norm": 0.1},  # a training's state
    ],
)
def test_relu(tmp_path, config):
    w = weights()
    latents = pre_activations(w).relu()
    same(open_sae(write(tmp_path, config, w)), latents, latents @ w["W_dec"] + w["b_dec"])


@pytest.mark.parametrize(
    "config",
    [
        OLD | {"activation_fn": "topk", "activation_fn_kwargs": {"k": 3}},
        OLD | {"architecture": "topk", "activation_fn": "topk", "activation_fn_kwargs": {"k": 3}},
        without(OLD, "activation_fn")
        | {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}},
        NEW | {"architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": False},
        NEW | {"architecture": "topk", "k": 3.0, "use_sparse_activations": True},
    ],
)
def test_top_k_wherever_it_is_said(tmp_path, config):
    w = weights()
    latents = kept_largest(pre_activations(w), 3)
    sae = open_sae(write(tmp_path, config, w))
    assert sae.kind == TopK(k=3)
    same(sae, latents, latents @ w["W_dec"] + w["b_dec"])


@pytest.mark.parametrize("tensor", ["finetuning_scaling_factor", "scaling_factor"])
@pytest.mark.parametrize(
    "field", [("finetuning_method", "scale"), ("finetuning_scaling_factor", True)]
)
def test_factors_from_fine_tuning(tmp_path, tensor, field):
    w = weights()
    factor = torch.full((D_SAE,), 2.0)
    factor[3] = 0.5
    latents = pre_activations(w).relu()
    sae = open_sae(write(tmp_path, OLD | dict([field]), w | {tensor: factor}))
    same(sae, latents, (latents * factor) @ w["W_dec"] + w["b_dec"])


def test_factors_and_config_have_to_agree(tmp_path):
    factor = torch.full((D_SAE,), 2.0)
    with pytest.raises(ValueError, match=r"finetuning_method.* holds none"):
        open_sae(write(tmp_path, OLD | {"finetuning_method": "scale"}, weights()))
    with pytest.raises(ValueError, match=r"scaling_factor, but cfg\.json does not say"):
        open_sae(write(tmp_path, OLD, weights(scaling_factor=factor)))
    w = weights()  # SAELens wrote ones into all files for a time
    latents = pre_activations(w).relu()
    sae = open_sae(write(tmp_path, OLD, w | {"scaling_factor": torch.ones(D_SAE)}))
    same(sae, latents, latents @ w["W_dec"] + w["b_dec"])


@pytest.mark.parametrize("architecture", ["batchtopk", "matryoshka_batchtopk"])
def test_the_state_of_a_batch_top_k_training_opens_as_what_comes_of_it(tmp_path, architecture):
    w = weights()
    config = NEW | {"architecture": architecture, "k": 3.0, "rescale_acts_by_decoder_norm": True}
    threshold = torch.tensor(1.25, dtype=torch.float64)
    sae = open_sae(write(tmp_path, config, w | {"topk_threshold": threshold}))
    norm = w["W_dec"].norm(dim=-1)
    pre = pre_activations(w) * norm
    latents = torch.where(pre > 1.25, pre, 0)
    assert isinstance(sae.kind, JumpRelu)
    same(sae, latents, (latents / norm) @ w["W_dec"] + w["b_dec"])


def test_the_logarithm_of_a_threshold(tmp_path):
    w = weights()
    logarithm = torch.randn(D_SAE, generator=seeded(4)) / 2
    sae = open_sae(
        write(tmp_path, OLD | {"architecture": "jumprelu"}, w | {"log_threshold": logarithm})
    )
    pre = pre_activations(w)
    latents = torch.where(pre > logarithm.exp(), pre, 0)
    same(sae, latents, latents @ w["W_dec"] + w["b_dec"])


def test_a_transcoder(tmp_path):
    g = {"generator": seeded(5)}
    w = weights(W_dec=torch.randn(D_SAE, 3, **g), b_dec=torch.randn(3, **g))
    config = NEW | {"architecture": "transcoder", "d_out": 3, "apply_b_dec_to_input": False}
    latents = (X @ w["W_enc"] + w["b_enc"]).relu()
    same(open_sae(write(tmp_path, config, w)), latents, latents @ w["W_dec"] + w["b_dec"])


def factor_on(config):
    return config | {"normalize_activations": "expected_average_only_in"}


@pytest.mark.parametrize("config", [factor_on(OLD), OLD | {"normalize_activations": True}])
def test_a_factor_that_is_not_in_the_file(tmp_path, config):
    w = weights()
    write(tmp_path, config, w)
    for factor in (None, 0.0, float("nan")):
        with pytest.raises(ValueError, match=r"factor that is not in the file.* 1\.0"):
            open_sae(tmp_path, norm_scaling_factor=factor)
    latents = ((2.5 * X - w["b_dec"]) @ w["W_enc"] + w["b_enc"]).relu()
    x_hat = (latents @ w["W_dec"] + w["b_dec"]) / 2.5
    same(open_sae(tmp_path, norm_scaling_factor=2.5), latents, x_hat)


def test_a_factor_that_the_file_does_not_ask_for(tmp_path):
    with pytest.raises(ValueError, match="Leave it out"):
        open_sae(write(tmp_path, OLD, weights()), norm_scaling_factor=2.5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (OLD | {"activation_fn": "tanh-relu"}, 'activation_fn = "tanh-relu".*"relu", "topk"'),
        (OLD | {"normalize_activations": "layer_norm"}, '"layer_norm", which is not read.*"none"'),
        (OLD | {"normalize_activations": "constant_norm_rescale"}, "sample by sample"),
        (NEW | {"normalize_activations": "covariance_whitening"}, "not in the file"),
        (OLD | {"hook_name": "blocks.0.attn.hook_z"}, "hook_z.*flattened into one vector"),
        (without(OLD, "hook_name") | {"hook_point": "blocks.0.attn.hook_q"}, "hook_q.*flattened"),
        (NEW | {"reshape_activations": "hook_z"}, 'reshape_activations = "hook_z".*flattened'),
        (OLD | {"hook_z_reshaping": True}, "hook_z_reshaping = true"),
        (OLD | {"hook_head_index": 3}, "hook_head_index = 3.*one head alone"),
        (without(OLD, "hook_head_index") | {"hook_point_head_index": 0}, "hook_head_index = 0"),
        (NEW | {"metadata": NEW["metadata"] | {"hook_head_index": 1}}, "hook_head_index = 1"),
        (OLD | {"apply_b_dec_to_input": "yes"}, 'apply_b_dec_to_input = "yes".*true or false'),
        (NEW | {"architecture": "abstopk", "k": 3}, '"abstopk".*latents below 0.*"matryoshka'),
        (NEW | {"architecture": "skip_transcoder"}, "a way past the latents"),
        (NEW | {"architecture": ["standard"]}, r'architecture = \["standard"\]'),
        (without(NEW, "architecture"), "lacks architecture"),
        (NEW | {"new_trick": 0.3}, "new_trick = 0.3. This field is not known"),
        (NEW | {"metadata": {"sae_lens_version": "7.0.1"}}, 'sae_lens_version = "7.0.1"'),
        (OLD | {"activation_fn": "topk"}, "lacks k"),
        (OLD | {"activation_fn": "topk", "activation_fn_kwargs": {"k": 9}}, "from 1 to d_sae = 8"),
        (OLD | {"activation_fn": "topk", "activation_fn_kwargs": {"k": 2.5}}, "k = 2.5"),
        (OLD | {"activation_fn": "topk", "activation_fn_kwargs": {"k": 3}, "k": 4}, "k = 4 and"),
        (OLD | {"architecture": "topk", "k": 3}, '"topk" and activation_fn = "relu"'),
        (OLD | {"architecture": "gated", "activation_fn": "topk", "k": 3}, "do not go together"),
        (OLD | {"activation_fn_str": "tanh-relu"}, "names of the same thing"),
        (NEW | {"rescale_acts_by_decoder_norm": True}, '"standard" and rescale'),
        (NEW | {"architecture": "transcoder", "d_out": 3}, "apply_b_dec_to_input = true"),
        (NEW | {"architecture": "transcoder", "apply_b_dec_to_input": False}, "d_out = null"),
        (without(OLD, "d_sae"), "d_sae = null"),
        (OLD | {"d_sae": 9}, r"W_dec.* \[8, 5\], but.* \[d_sae d_out\] = \[9, 5\]"),
        (OLD | {"metadata": [3]}, "other metadata"),
    ],
)
def test_what_a_config_says_is_refused_by_name(tmp_path, config, message):
    with pytest.raises(ValueError, match=message):
        open_sae(write(tmp_path, config, weights()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"b_enc": None}, "lacks 'b_enc'"),
        ({"W_skip": torch.ones(D_IN, D_IN)}, r"W_skip \[5, 5\], with which no dictionary"),
        ({"threshold": torch.ones(D_SAE)}, "threshold too.*belong together"),
        ({"W_dec": torch.ones(D_IN, D_SAE)}, r"W_dec.* \[5, 8\], but.* \[8, 5\]"),
        ({"b_dec": torch.tensor([0.0, 1.0, float("nan"), 0.0, 0.0])}, "1 of 5 numbers of b_dec"),
        ({"b_enc": torch.full((D_SAE,), float("-inf"))}, "8 of 8 numbers of b_enc"),
        ({"b_enc": torch.full((D_SAE,), 1e200, dtype=torch.float64)}, "infinite in float32"),
        ({"W_enc": torch.ones(D_IN, D_SAE, dtype=torch.int8)}, "stored as int8"),
    ],
)
def test_what_does_not_belong_to_the_config_is_refused_by_name(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        open_sae(write(tmp_path, NEW, weights(**changes)))


def test_a_jump_relu_needs_thresholds(tmp_path):
    for architecture, name in (("jumprelu", "threshold"), ("batchtopk", "topk_threshold")):
        with pytest.raises(ValueError, match=f"lacks '{name}'"):
            open_sae(write(tmp_path, NEW | {"architecture": architecture}, weights()))


def test_norms_that_are_not_as_claimed(tmp_path):
    claims = OLD | {"normalize_sae_decoder": True}
    with pytest.warns(UserWarning, match=r"normalize_sae_decoder = true, but .* norms from"):
        open_sae(write(tmp_path, claims, weights()))
    rows = torch.nn.functional.normalize(weights()["W_dec"], dim=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_sae(write(tmp_path, claims, weights(W_dec=rows)))
        open_sae(write(tmp_path, claims, weights(W_dec=rows.bfloat16())))
        open_sae(
            write(tmp_path, factor_on(claims), weights(W_dec=rows / 2.5)), norm_scaling_factor=1.0
        )


def test_where_it_belongs(tmp_path):
    old = saved_metadata(write(tmp_path, without(OLD, "hook_name") | {"hook_point": HOOK}, {}))
    new = saved_metadata(write(tmp_path, NEW, {}))
    assert old["hook_name"] == new["hook_name"] == HOOK
    assert old["model_name"] == "gpt2" and "noise_scale" not in old


def test_another_librarys_folder(tmp_path):
    write(tmp_path, NEW, weights())
    (tmp_path / "sae_weights.safetensors").rename(tmp_path / "ae.pt")
    with pytest.raises(FileNotFoundError, match=r"beside cfg.json only ae\.pt"):
        open_sae(tmp_path)
