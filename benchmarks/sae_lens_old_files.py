"""Do dictionaries that SAELens 3, 4 and 5 trained open here with the numbers that they had there?

    python benchmarks/sae_lens_old_files.py PYTHON

PYTHON is the interpreter of an environment that has one of these versions (`pip install "sae-lens<6"`), which
cannot share one with this project; for version 6 see `sae_lens_round_trip.py`. SAELens makes dictionaries with
random weights and saves each of them as its training does: the weights, and the configuration of the whole
training over cfg.json. What it computes itself is compared with what the file gives here, and what is refused
is printed with its sentence. Fails if a difference is above 1e-4.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

D_IN, D_SAE, N = 12, 40, 200
LARGEST = 1e-4
TOP_K = {"activation_fn": "topk", "activation_fn_kwargs": {"k": 5}}
FACTOR = 2.5  # on the input, where a training has estimated one
CASES = {  # settings of a training that are not the default
    "standard": {},
    "standard, top k": TOP_K,
    "topk": {"architecture": "topk"} | TOP_K,
    "tanh-relu": {"activation_fn": "tanh-relu"},
    "gated": {"architecture": "gated"},
    "jumprelu": {"architecture": "jumprelu"},
    "not centred": {"apply_b_dec_to_input": False},
    "fine-tuned, scale": {"finetuning_method": "scale"},
    "fine-tuned, decoder": {"finetuning_method": "decoder", "apply_b_dec_to_input": False},
    "a factor on the input": {"normalize_activations": "expected_average_only_in"},
    "constant norm": {"normalize_activations": "constant_norm_rescale"},
    "layer norm": {"normalize_activations": "layer_norm"},
    "all heads": {"hook_name": "blocks.0.attn.hook_z"},
    "one head": {"hook_name": "blocks.0.attn.hook_q", "hook_head_index": 3},
    "bfloat16": {"dtype": "bfloat16"},
}


def main(python: str) -> None:
    """Let SAELens write, and read what it wrote."""
    from mi_tutor.lab.dictionaries import open_sae

    with tempfile.TemporaryDirectory() as name:
        subprocess.run([python, "-W", "ignore", __file__, "--inside", name], check=True)
        for path in sorted(Path(name).iterdir()):
            seen = load_file(path / "seen.safetensors")
            x, factor = seen["x"], FACTOR if "a factor" in path.name else None
            try:
                sae = open_sae(path, norm_scaling_factor=factor)
            except ValueError as error:
                print(f"{path.name:<24} refused: {error}")
                continue
            latents = sae.encode(x)
            pairs = (latents, seen["latents"]), (sae(x), seen["x_hat"])
            off = max((ours - theirs).abs().max().item() for ours, theirs in pairs)
            l0 = (latents > 0).float().sum(dim=-1).mean().item()
            print(f"{path.name:<24} L0 {l0:4.1f}   largest difference {off:.1e}")
            assert off < LARGEST and l0 > 1, "the two sides disagree"


def inside(folder: Path) -> None:
    """The other side: SAELens's own classes, saved as its training saves them."""
    import sae_lens

    print(f"SAELens {sae_lens.__version__}, torch {torch.__version__}")
    for name, settings in CASES.items():
        try:
            save(folder / name, settings)
        except (TypeError, ValueError, NotImplementedError) as error:
            print(f"{name:<24} not in this version ({error})")


def save(path: Path, settings: dict) -> None:
    """A dictionary with random weights, and what it computes from random inputs in float32."""
    from sae_lens import LanguageModelSAERunnerConfig
    from sae_lens.training.training_sae import TrainingSAE, TrainingSAEConfig

    quiet = {"d_in": D_IN, "d_sae": D_SAE, "hook_name": "blocks.0.hook_resid_pre", "hook_layer": 0}
    quiet |= {
        "log_to_wandb": False,
        "wandb_id": "none",
        "verbose": False,
        "normalize_sae_decoder": False,
    }
    config = LanguageModelSAERunnerConfig(**quiet | settings)
    sae = TrainingSAE(TrainingSAEConfig.from_sae_runner_config(config))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
            if name == "threshold":
                parameter.abs_()
        sae.eval()
        path.mkdir()
        sae.save_model(str(path))
        (path / "cfg.json").write_text(json.dumps(config.to_dict()))
        sae, sae.dtype = sae.float(), torch.float32
        x = torch.randn(N, D_IN)
        scaled = settings.get("normalize_activations") == "expected_average_only_in"
        factor = FACTOR if scaled else 1.0
        latents = sae.encode(factor * x).contiguous()
        x_hat = sae.decode(latents) / factor
    save_file({"x": x, "latents": latents, "x_hat": x_hat}, path / "seen.safetensors")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit(__doc__)
