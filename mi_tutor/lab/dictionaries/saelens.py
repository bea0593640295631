"""Dictionaries on disk, in the directory format of SAELens:

    cfg.json                    architecture, sizes, conventions, and where the dictionary belongs
    sae_weights.safetensors     W_enc [d_in d_sae], W_dec [d_sae d_out], b_enc, b_dec, threshold

So a published dictionary can be opened here, and one that was trained here can be opened with SAELens. Read is
what its versions 3 to 6 write, written is version 6. What differs is rewritten while reading, without changing
what is computed:

| in the file                                   | here                                                   |
|-----------------------------------------------|--------------------------------------------------------|
| "standard", "topk", "jumprelu"                | Relu, TopK, JumpRelu                                   |
| "standard" with activation_fn "topk"          | TopK                                                   |
| "batchtopk", "matryoshka_batchtopk"           | JumpRelu with one threshold for all latents            |
| "transcoder", "jumprelu_transcoder"           | Relu, JumpRelu with centred=False                      |
| "gated"                                       | JumpRelu: with tied weights both compute the same      |
| apply_b_dec_to_input                          | centred                                                |
| rescale_acts_by_decoder_norm                  | the norms of the decoder's rows move into the encoder  |
| factors from fine-tuning                      | the decoder's rows are multiplied by them              |

Everything else is refused with an error that names it: by `saelens_config` for fields, by `saelens_weights` for
weights.
"""

import json
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from mi_tutor.lab.dictionaries.kinds import JumpRelu, Kind, Relu, TopK
from mi_tutor.lab.dictionaries.model import Sae, unit_decoder
from mi_tutor.lab.dictionaries.saelens_config import (
    CONFIG,
    Description,
    describe,
    place,
    read_config,
)
from mi_tutor.lab.dictionaries.saelens_weights import WEIGHTS, Stored, read_weights
from mi_tutor.lab.dictionaries.state import write_whole

FORMAT = "6.0.0"  # SAELens takes a config without its version for one of version 5, and drops its metadata
NORM_OFF = 0.01  # rounding, and the last step of a training that scales its rows before each step


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
    tensors = {  # copies, since weights that share their memory could not be stored
        name: value.to("cpu", dtype, copy=True).contiguous()
        for name, value in sae.tensors().items()
    }
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
        1.0 where the weights hold it already, as after SAELens's own training.

    Raises FileNotFoundError or ValueError, with what is missing, damaged or not understood: the field or the
    weight by name, its value, and what is read. Warns if the decoder's rows do not have the norm that the
    file claims.
    """
    directory = Path(directory)
    said = describe(read_config(directory))
    weights = read_weights(directory, said)
    try:
        kind, tensors = READERS[said.architecture](weights, said)
        tensors |= {"W_dec": weights.pop("W_dec"), "b_dec": weights.pop("b_dec")}
    except KeyError as error:
        raise ValueError(
            f"{WEIGHTS} lacks {error}, which a dictionary of the architecture {said.architecture!r} needs."
        ) from error
    norm = tensors["W_dec"].norm(dim=-1)
    if said.unit_rows and not said.scaled and (norm - 1).abs().max() > NORM_OFF:
        _warn_of_norms(norm)
    if said.rescaled:
        tensors["W_enc"], tensors["b_enc"] = tensors["W_enc"] * norm, tensors["b_enc"] * norm
        tensors["W_dec"] = unit_decoder(tensors["W_dec"])
    tensors["W_dec"] = tensors["W_dec"] * _finetuned(weights, said)
    if weights:
        raise ValueError(
            f"{WEIGHTS} holds {', '.join(sorted(weights))} too, which a dictionary of the architecture "
            f"{said.architecture!r} does not use. Do {CONFIG} and {WEIGHTS} belong together?"
        )
    _scale(tensors, said, norm_scaling_factor)
    return Sae(**tensors, kind=kind, centred=said.centred).to(device)


def saved_metadata(directory: Path | str) -> dict[str, Any]:
    """Where a dictionary belongs, the model and the hook, and whatever else was saved under "metadata"."""
    return place(read_config(Path(directory)))


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


def _relu(weights: Stored, said: Description) -> tuple[Kind, Stored]:
    return Relu(), {name: weights.pop(name) for name in ("W_enc", "b_enc")}


def _top_k(weights: Stored, said: Description) -> tuple[Kind, Stored]:
    return TopK(k=said.k), _relu(weights, said)[1]


def _jump_relu(weights: Stored, said: Description) -> tuple[Kind, Stored]:
    # As SAELens does: a negative threshold would let negative latents pass.
    logarithm = weights.pop("log_threshold", None)
    threshold = weights.pop("threshold") if logarithm is None else logarithm.exp()
    return JumpRelu(), _relu(weights, said)[1] | {"threshold": threshold.relu()}


def _batch_top_k(weights: Stored, said: Description) -> tuple[Kind, Stored]:
    """A training's state. Its inference model, which SAELens saves as a jumprelu, has the same numbers."""
    threshold = weights.pop("topk_threshold").relu().repeat(said.d_sae)
    return JumpRelu(), _relu(weights, said)[1] | {"threshold": threshold}


def _gated(weights: Stored, said: Description) -> tuple[Kind, Stored]:
    """1[u + b_gate > 0] ReLU(u e^r + b_mag), with u = x W_enc: in terms of z = u e^r + b_mag the gate is a
    threshold,

    u > -b_gate  <=>  z > b_mag - e^r b_gate   (Rajamanoharan et al. 2024a)
    """
    gain, b_mag = weights.pop("r_mag").exp(), weights.pop("b_mag")
    threshold = (b_mag - gain * weights.pop("b_gate")).relu()
    encoder = {"W_enc": weights.pop("W_enc") * gain, "b_enc": b_mag}
    return JumpRelu(), encoder | {"threshold": threshold}


READERS: dict[str, Callable[[Stored, Description], tuple[Kind, Stored]]] = {
    "standard": _relu,
    "topk": _top_k,
    "jumprelu": _jump_relu,
    "batchtopk": _batch_top_k,
    "matryoshka_batchtopk": _batch_top_k,
    "gated": _gated,
    "transcoder": _relu,
    "jumprelu_transcoder": _jump_relu,
}


def _finetuned(weights: Stored, said: Description) -> Tensor:
    """The factors that SAELens 3 to 5 could learn for each latent after training, [d_sae 1]; 1 without."""
    names = [n for n in ("scaling_factor", "finetuning_scaling_factor") if n in weights]
    factors = [weights.pop(name) for name in names]
    if said.finetuned and not factors:
        raise ValueError(
            f"{CONFIG} says that each latent has a factor from fine-tuning (finetuning_scaling_factor or "
            f"finetuning_method), but {WEIGHTS} holds none."
        )
    product = math.prod(factors, start=torch.ones(said.d_sae))
    if not said.finetuned and not torch.allclose(product, torch.ones(said.d_sae)):
        raise ValueError(
            f"{WEIGHTS} holds factors from fine-tuning, {names[0]}, but {CONFIG} does not say that they "
            "count: finetuning_scaling_factor is false or missing."
        )
    return product[:, None]


def _scale(tensors: Stored, said: Description, factor: float | None) -> None:
    """Make the weights fit activations as they are, or say why that cannot be done."""
    if factor is not None and not said.scaled:
        raise ValueError(
            f"norm_scaling_factor = {factor} is given, but {CONFIG} does not say that the input is multiplied by "
            'a factor (normalize_activations = "expected_average_only_in"). Leave it out.'
        )
    if not said.scaled:
        return
    if factor is None or not 0 < factor < math.inf:
        raise ValueError(
            f'{CONFIG} says normalize_activations = "expected_average_only_in": training multiplied the input by '
            "a factor that is not in the file. Look it up in SAELens's list of published dictionaries, and give "
            f"it as norm_scaling_factor, above 0 (now {factor}). If the weights hold it already, as they do "
            "where SAELens's training has come to its end, give 1.0."
        )
    tensors["W_enc"] = tensors["W_enc"] * factor
    tensors["W_dec"], tensors["b_dec"] = tensors["W_dec"] / factor, tensors["b_dec"] / factor


def _warn_of_norms(norm: Tensor) -> None:
    low, high = norm.min().item(), norm.max().item()
    warnings.warn(
        f"{CONFIG} says normalize_sae_decoder = true, but the rows of W_dec have norms from {low:.3g} to "
        f"{high:.3g}, not 1. They are opened as they are; were they changed after training?",
        stacklevel=3,
    )
