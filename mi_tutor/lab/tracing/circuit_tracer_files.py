"""Transcoders in the file layout of circuit-tracer, read and written.

    per layer      layer_0.safetensors ...    W_enc [latent d_model], W_dec [latent d_model], b_enc, b_dec, and
                                              activation_function.threshold for JumpReLU, k for TopK
    cross-layer    W_enc_0.safetensors ...    W_enc_0 [latent d_model], b_enc_0, b_dec_0, perhaps threshold_0
                   W_dec_0.safetensors ...    W_dec_0 [latent layers-from-there-on d_model]

beside a config.yaml that says which activations they read and write (`feature_input_hook`, `feature_output_hook`).
Read here are those that read what the MLP reads, LN(resid_mid), and write its output; with a skip connection they
would need a path of their own and are refused. Files are safetensors only.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mi_tutor.lab.dictionaries import JumpRelu, Relu, TopK
from mi_tutor.lab.tracing.files import whole_decoder
from mi_tutor.lab.tracing.transcoders import (
    CrossLayerTranscoder,
    LayerTranscoders,
    Transcoder,
    Transcoders,
)

CONFIG = "config.yaml"
INPUT_HOOKS = ("mlp.hook_in", "ln2.hook_normalized", "hook_mlp_in")
OUTPUT_HOOKS = ("hook_mlp_out", "mlp.hook_out")
THRESHOLD = "activation_function.threshold"


def open_circuit_tracer(directory: Path | str, device: torch.device | str = "cpu") -> Transcoders:
    """Read transcoders that circuit-tracer reads, in float32.

    Raises FileNotFoundError or ValueError, with what is missing, damaged or not read.
    """
    directory = Path(directory)
    check_hooks(read_config(directory))
    cross = sorted(directory.glob("W_enc_*.safetensors"))
    layers = sorted(directory.glob("layer_*.safetensors"))
    if not cross and not layers:
        raise FileNotFoundError(
            f"There is neither layer_0.safetensors nor W_enc_0.safetensors in {str(directory)!r}."
        )
    try:
        if cross:
            return cross_layer(directory, len(cross), device)
        each = [
            layer_transcoder(directory / f"layer_{i}.safetensors", device)
            for i in range(len(layers))
        ]
        return LayerTranscoders(each)
    except SafetensorError as error:
        raise ValueError(
            f"A file in {str(directory)!r} is no whole safetensors file ({error})."
        ) from error


def read_config(directory: Path) -> Mapping[str, str]:
    """The lines of config.yaml that say one thing; nothing if there is no such file."""
    file = directory / CONFIG
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    pairs = (
        line.split("#")[0].split(":", 1) for line in lines if ":" in line and line[:1].isalpha()
    )
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def check_hooks(said: Mapping[str, str]) -> None:
    """ValueError for transcoders of other activations."""
    for name, known in (("feature_input_hook", INPUT_HOOKS), ("feature_output_hook", OUTPUT_HOOKS)):
        if said.get(name, known[0]) not in known:
            raise ValueError(
                f"{CONFIG} says {name} = {said[name]!r}. Read are transcoders of an MLP from LN(resid_mid) to its "
                f"output: {', '.join(known)}."
            )


def stored(file: Path, device: torch.device | str) -> dict[str, Tensor]:
    """A file's tensors in float32."""
    if not file.is_file():
        raise FileNotFoundError(
            f"{str(file)!r} is missing; layers are numbered from 0 without a gap."
        )
    found = load_file(file, device=str(device))
    skip = [name for name in found if name.startswith("W_skip")]
    if skip:
        raise ValueError(f"{file.name} has a skip connection ({skip[0]}), which is not read.")
    return {name: value.float() for name, value in found.items()}


def layer_transcoder(file: Path, device: torch.device | str) -> Transcoder:
    """One layer's."""
    found = stored(file, device)
    missing = {"W_enc", "W_dec", "b_enc", "b_dec"} - set(found)
    if missing:
        raise ValueError(f"{file.name} lacks {', '.join(sorted(missing))}.")
    kind, threshold = Relu(), found.get(THRESHOLD)
    if "k" in found:
        kind = TopK(k=int(found["k"]))
    elif threshold is not None:
        kind, threshold = JumpRelu(), threshold.relu().expand(len(found["b_enc"])).clone()
    return Transcoder(
        W_enc=found["W_enc"].mT.contiguous(),
        b_enc=found["b_enc"],
        W_dec=found["W_dec"],
        b_dec=found["b_dec"],
        kind=kind,
        threshold=threshold,
    )


def cross_layer(directory: Path, n_layers: int, device: torch.device | str) -> CrossLayerTranscoder:
    """A cross-layer transcoder."""
    encoders = [stored(directory / f"W_enc_{i}.safetensors", device) for i in range(n_layers)]
    decoders = [stored(directory / f"W_dec_{i}.safetensors", device) for i in range(n_layers)]
    try:
        W_enc, b_enc, b_dec = (
            torch.stack([found[f"{name}_{i}"] for i, found in enumerate(encoders)])
            for name in ("W_enc", "b_enc", "b_dec")
        )
        W_dec = whole_decoder([found[f"W_dec_{i}"] for i, found in enumerate(decoders)])
        jumps = "threshold_0" in encoders[0]
        thresholds = [found[f"threshold_{i}"] for i, found in enumerate(encoders)] if jumps else []
    except KeyError as error:
        raise ValueError(f"The files in {str(directory)!r} lack {error}.") from error
    return CrossLayerTranscoder(
        W_enc=W_enc.mT.contiguous(),
        b_enc=b_enc,
        W_dec=W_dec,
        b_dec=b_dec,
        threshold=torch.stack(thresholds).relu().view_as(b_enc) if jumps else None,
        kind=JumpRelu() if jumps else Relu(),
    )


def save_circuit_tracer(directory: Path | str, transcoders: Transcoders, model: str) -> None:
    """Write transcoders so that circuit-tracer opens them: JumpReLU and ReLU ones.

    TopK ones are written with their k, and `open_circuit_tracer` reads that; circuit-tracer 0.5 refuses it.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    is_cross = isinstance(transcoders, CrossLayerTranscoder)
    for i in range(transcoders.n_layers):
        for name, tensors in files_of(transcoders, i).items():
            whole = {
                key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()
            }
            save_file(whole, directory / f"{name}_{i}.safetensors")
    lines = (
        f"model_name: {model}",
        f"model_kind: {'cross_layer_transcoder' if is_cross else 'transcoder_set'}",
        f"feature_input_hook: {INPUT_HOOKS[0]}",
        f"feature_output_hook: {OUTPUT_HOOKS[0]}",
        f"scan: {model}",
    )
    (directory / CONFIG).write_text("\n".join(lines) + "\n", encoding="utf-8")


def files_of(transcoders: Transcoders, i: int) -> dict[str, dict[str, Tensor]]:
    """The tensors of one layer, by file and by name."""
    if isinstance(transcoders, CrossLayerTranscoder):
        encoder = {
            f"W_enc_{i}": transcoders.W_enc[i].mT,
            f"b_enc_{i}": transcoders.b_enc[i],
            f"b_dec_{i}": transcoders.b_dec[i],
        }
        if transcoders.threshold is not None:
            encoder[f"threshold_{i}"] = transcoders.threshold[i]
        return {"W_enc": encoder, "W_dec": {f"W_dec_{i}": transcoders.W_dec[i, :, i:]}}
    one = transcoders.each[i]
    tensors = {"W_enc": one.W_enc.mT, "W_dec": one.W_dec, "b_enc": one.b_enc, "b_dec": one.b_dec}
    if isinstance(one.kind, TopK):
        tensors["k"] = torch.tensor(one.kind.k)
    elif one.threshold is not None:
        tensors[THRESHOLD] = one.threshold
    return {"layer": tensors}
