"""Dictionaries on disk, in the directory format of SAELens (version 6):

    cfg.json                  architecture, sizes, conventions, and under "metadata" where the dictionary
    belongs sae_weights.safetensors   W_enc [d_in d_sae], W_dec [d_sae d_out], b_enc, b_dec, threshold

So a published dictionary can be opened here, and one that was trained here can be opened with SAELens. What
differs is rewritten while reading, without changing what is computed:

| in the file                                   | here                                                   |
|-----------------------------------------------|--------------------------------------------------------|
| "standard", "topk", "jumprelu"                | Relu, TopK, JumpRelu                                   |
| "batchtopk" (SAELens saves it as "jumprelu")  | JumpRelu                                               |
| "transcoder", "jumprelu_transcoder"           | Relu, JumpRelu with centred=False                      |
| "gated"                                       | JumpRelu: with tied weights both compute the same      |
| apply_b_dec_to_input                          | centred                                                |
| rescale_acts_by_decoder_norm (topk)           | the norms of the decoder's rows move into the encoder  |

Not opened, with an error that says so: input that is normalised sample by sample (layer_norm,
constant_norm_rescale), heads flattened into one vector (hook_z), and architectures that are not listed.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mi_tutor.lab.dictionaries.kinds import JumpRelu, Kind, Relu, TopK
from mi_tutor.lab.dictionaries.model import Sae, unit_decoder
from mi_tutor.lab.dictionaries.state import write_whole

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
FORMAT = "6.0.0"  # SAELens takes a config without its version for one of version 5, and drops its metadata
Config = dict[str, Any]
Stored = dict[str, Tensor]


def save_sae(
    directory: Path | str,
    sae: Sae,
    metadata: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a dictionary; one that is not centred is written as a transcoder.

    metadata: what SAELens keeps there, such as model_name and hook_name, and anything else that JSON can hold.

    Raises ValueError for what the format has no architecture for: a TopK transcoder, an unfinished BatchTopK.

    >>> sae = Sae(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_sae(folder, sae, {"hook_name": "blocks.2.hook_resid_pre"})
    ...     open_sae(folder).kind, saved_metadata(folder)["hook_name"]
    (Relu(), 'blocks.2.hook_resid_pre')
    """
    directory = Path(directory)
    config = {
        "architecture": _architecture(sae),
        "d_in": sae.d_in,
        "d_sae": sae.d_sae,
        "dtype": str(dtype).removeprefix("torch."),
        "device": "cpu",
        "apply_b_dec_to_input": sae.centred,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": FORMAT} | dict(metadata or {}),
    }
    if not sae.centred:
        config["d_out"] = sae.d_out
    if isinstance(sae.kind, TopK):
        config |= {"k": sae.kind.k, "rescale_acts_by_decoder_norm": False}
    tensors = {name: value.to("cpu", dtype).contiguous() for name, value in sae.tensors().items()}
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / WEIGHTS, save(tensors))
    write_whole(directory / CONFIG, json.dumps(config, indent=1).encode())


def open_sae(
    directory: Path | str,
    device: torch.device | str = "cpu",
    norm_scaling_factor: float | None = None,
) -> Sae:
    """Read a dictionary, one of ours or a published one, in float32.

    norm_scaling_factor: for files with normalize_activations = "expected_average_only_in", the factor by which
        their training multiplied its input. It is not in the file; SAELens lists it with the published release.

    Raises FileNotFoundError or ValueError, with what is missing, damaged or not understood.
    """
    directory = Path(directory)
    config, weights = _config(directory), _weights(directory)
    architecture = config.get("architecture", "standard")
    if architecture == "standard" and config.get("activation_fn_str") == "topk":  # SAELens 5
        architecture = "topk"
    if architecture not in READERS:
        raise ValueError(
            f"This is a dictionary of the architecture {architecture!r}; those that can be opened are "
            f"{', '.join(READERS)}."
        )
    try:
        kind, tensors = READERS[architecture](config, weights)
        tensors |= {"W_dec": _finetuned(weights), "b_dec": weights["b_dec"]}
    except KeyError as error:
        raise ValueError(f"{directory / WEIGHTS} or {CONFIG} beside it lacks {error}.") from error
    if config.get("rescale_acts_by_decoder_norm"):
        norm = tensors["W_dec"].norm(dim=-1)
        tensors["W_enc"], tensors["b_enc"] = tensors["W_enc"] * norm, tensors["b_enc"] * norm
        tensors["W_dec"] = unit_decoder(tensors["W_dec"])
    centred = "transcoder" not in architecture and config.get("apply_b_dec_to_input", True)
    _apply_scaling(config, tensors, norm_scaling_factor)
    return Sae(**tensors, kind=kind, centred=bool(centred)).to(device)


def saved_metadata(directory: Path | str) -> dict[str, Any]:
    """What stands under "metadata": the model, the hook, and whatever else was saved."""
    return dict(_config(Path(directory)).get("metadata") or {})


def _architecture(sae: Sae) -> str:
    if isinstance(sae.kind, TopK) and (sae.centred or sae.d_in == sae.d_out):
        return "topk"
    names = {Relu: ("standard", "transcoder"), JumpRelu: ("jumprelu", "jumprelu_transcoder")}
    if type(sae.kind) not in names:
        raise ValueError(
            f"SAELens has no architecture for {sae.kind} with centred={sae.centred}. A trained BatchTopK is a "
            "JumpRelu; train transcoders with BatchTopK, JumpRelu or Relu."
        )
    return names[type(sae.kind)][not sae.centred]


def _relu(config: Config, weights: Stored) -> tuple[Kind, Stored]:
    return Relu(), {name: weights[name] for name in ("W_enc", "b_enc")}


def _top_k(config: Config, weights: Stored) -> tuple[Kind, Stored]:
    k = config["k"] if "k" in config else config["activation_fn_kwargs"]["k"]
    return TopK(k=int(k)), {name: weights[name] for name in ("W_enc", "b_enc")}


def _jump_relu(config: Config, weights: Stored) -> tuple[Kind, Stored]:
    # As SAELens does: a negative threshold would let negative latents pass.
    threshold = (
        weights["log_threshold"].exp() if "log_threshold" in weights else weights["threshold"]
    )
    threshold = threshold.relu()
    return JumpRelu(), {n: weights[n] for n in ("W_enc", "b_enc")} | {"threshold": threshold}


def _gated(config: Config, weights: Stored) -> tuple[Kind, Stored]:
    """1[u + b_gate > 0] ReLU(u e^r + b_mag), with u = x W_enc: in terms of z = u e^r + b_mag the gate is a
    threshold,

    u > -b_gate  <=>  z > b_mag - e^r b_gate   (Rajamanoharan et al. 2024a)
    """
    gain = weights["r_mag"].exp()
    threshold = (weights["b_mag"] - gain * weights["b_gate"]).relu()
    encoder = {"W_enc": weights["W_enc"] * gain, "b_enc": weights["b_mag"]}
    return JumpRelu(), encoder | {"threshold": threshold}


READERS: dict[str, Callable[[Config, Stored], tuple[Kind, Stored]]] = {
    "standard": _relu,
    "topk": _top_k,
    "jumprelu": _jump_relu,
    "batchtopk": _jump_relu,
    "gated": _gated,
    "transcoder": _relu,
    "jumprelu_transcoder": _jump_relu,
}


def _finetuned(weights: Stored) -> Tensor:
    """W_dec, with the factors that SAELens 5 could learn for each latent after training."""
    if "scaling_factor" in weights:
        return weights["W_dec"] * weights["scaling_factor"][:, None]
    return weights["W_dec"]


def _apply_scaling(config: Config, tensors: Stored, factor: float | None) -> None:
    """Make the weights fit activations as they are, or say why that cannot be done."""
    normalised = config.get("normalize_activations") or "none"
    if normalised is True:  # SAELens 5
        normalised = "expected_average_only_in"
    if normalised not in ("none", "expected_average_only_in"):
        raise ValueError(
            f"This dictionary normalises its input sample by sample ({normalised}), which is not supported."
        )
    if config.get("reshape_activations", "none") != "none" or config.get("hook_z_reshaping"):
        raise ValueError(
            "This dictionary reads heads flattened into one vector, which is not supported."
        )
    if normalised == "expected_average_only_in":
        if factor is None:
            raise ValueError(
                "This dictionary expects its input multiplied by a factor that is not in the file. Look it up in "
                "SAELens's list of published dictionaries, and give it as norm_scaling_factor."
            )
        tensors["W_enc"] = tensors["W_enc"] * factor
        tensors["W_dec"], tensors["b_dec"] = tensors["W_dec"] / factor, tensors["b_dec"] / factor


def _config(directory: Path) -> Config:
    file = directory / CONFIG
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no {CONFIG} in {str(directory)!r}, so this is not a dictionary's folder."
        )
    try:
        config = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is not valid JSON ({error}).") from error
    if not isinstance(config, dict):
        raise ValueError(f"{file} should hold a JSON object, found a {type(config).__name__}.")
    return config


def _weights(directory: Path) -> Stored:
    file = directory / WEIGHTS
    if not file.is_file():
        raise FileNotFoundError(f"There is no {WEIGHTS} in {str(directory)!r}.")
    try:
        return {name: value.float() for name, value in load_file(file).items()}
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged or no safetensors file ({error}).") from error
