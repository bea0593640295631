"""A cross-layer transcoder on disk: one safetensors file, and a JSON file that says what it is.

    clt.json                  kind, sizes, and where it belongs
    clt_weights.safetensors   W_enc [layer d_model latent], b_enc, b_dec, threshold, and for each layer
                              W_dec_0, W_dec_1 ... [latent layers-from-there-on d_model]

In int8, each vector (a latent's encoder, what it writes to one layer) has a scale of its own, NAME.scale, the
127th part of its largest number; biases and thresholds stay in float32. That is an error of less than half a
percent of that number, and half as many bytes as float16.

The half of the decoder that is 0 is not stored. `circuit_tracer_files` reads and writes the layout of the library
circuit-tracer.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mi_tutor.lab.dictionaries.kinds import JumpRelu, Kind, Relu
from mi_tutor.lab.dictionaries.state import write_whole
from mi_tutor.lab.tracing.transcoders import CrossLayerTranscoder

CONFIG, WEIGHTS = "clt.json", "clt_weights.safetensors"
KINDS: dict[str, type[Kind]] = {"relu": Relu, "jumprelu": JumpRelu}


def save_clt(
    directory: Path | str,
    clt: CrossLayerTranscoder,
    metadata: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a trained cross-layer transcoder.

    metadata: where it belongs, and whatever else JSON can hold.
    dtype: torch.int8 for the smallest file, or a floating-point type.

    Raises ValueError for a kind that depends on the batch: a trained BatchTopK is a JumpRelu.

    >>> import tempfile
    >>> one = CrossLayerTranscoder(W_enc=torch.ones(1, 1, 1), b_enc=torch.zeros(1, 1),
    ...     W_dec=torch.ones(1, 1, 1, 1), b_dec=torch.zeros(1, 1), threshold=torch.ones(1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_clt(folder, one, {"model_name": "atlas"})
    ...     open_clt(folder).kind, clt_metadata(folder)
    (JumpRelu(penalty_kind='l0', bandwidth=0.5, start=0.5, tanh_scale=1.0, pull=0.0), {'model_name': 'atlas'})
    """
    if clt.kind.name not in KINDS:
        raise ValueError(
            f"A {type(clt.kind).__name__} depends on what else is encoded and is not stored; a trained one is a "
            "JumpRelu."
        )
    directory = Path(directory)
    tensors = {name: value for name, value in clt.tensors().items() if name != "W_dec"}
    tensors |= {f"W_dec_{i}": clt.W_dec[i, :, i:] for i in range(clt.n_layers)}
    stored: dict[str, Tensor] = {}
    for name, value in tensors.items():
        value = value.detach().to("cpu", copy=True)
        if dtype is not torch.int8:
            stored[name] = value.to(dtype).contiguous()
        elif name.startswith("W_"):
            along = 1 if name == "W_enc" else -1
            stored |= in_bytes(name, value, along)
        else:
            stored[name] = value.float().contiguous()
    config = {
        "kind": clt.kind.name,
        "n_layers": clt.n_layers,
        "d_model": clt.W_enc.shape[1],
        "d_sae": clt.d_sae,
        "metadata": dict(metadata or {}),
    }
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / WEIGHTS, save(stored))
    write_whole(directory / CONFIG, json.dumps(config, indent=1).encode())


def in_bytes(name: str, value: Tensor, along: int) -> dict[str, Tensor]:
    """A tensor as int8 and the scales of its vectors along one axis.

    >>> in_bytes("W", torch.tensor([[1.27, 0.5]]), along=1)["W"]
    tensor([[127,  50]], dtype=torch.int8)
    """
    scale = value.float().abs().amax(dim=along, keepdim=True).clamp_min(1e-12) / 127
    rounded = (value / scale).round().to(torch.int8)
    return {name: rounded.contiguous(), f"{name}.scale": scale.contiguous()}


def open_clt(directory: Path | str, device: torch.device | str = "cpu") -> CrossLayerTranscoder:
    """Read what `save_clt` wrote, in float32.

    Raises FileNotFoundError or ValueError, with what is missing or damaged.
    """
    directory = Path(directory)
    said = read_clt_config(directory)
    try:
        stored = load_file(directory / WEIGHTS)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS} is not a whole safetensors file ({error}).") from error
    stored = {name: value.to(device, torch.float32) for name, value in stored.items()}
    for name in [name for name in stored if name.endswith(".scale")]:
        stored[name.removesuffix(".scale")] *= stored.pop(name)
    names = [f"W_dec_{i}" for i in range(said["n_layers"])]
    missing = [name for name in (*names, "W_enc", "b_enc", "b_dec") if name not in stored]
    if missing:
        raise ValueError(f"{WEIGHTS} lacks {', '.join(missing)}.")
    W_dec = whole_decoder([stored.pop(name) for name in names])
    return CrossLayerTranscoder(**stored, W_dec=W_dec, kind=KINDS[said["kind"]]())


def whole_decoder(parts: list[Tensor]) -> Tensor:
    """[layer latent layer d_model] from each layer's part [latent layers-from-there-on d_model].

    >>> whole_decoder([torch.ones(1, 2, 1), torch.ones(1, 1, 1)])[:, 0, :, 0]
    tensor([[1., 1.],
            [0., 1.]])
    """
    n_layers, (m, _, d) = len(parts), parts[0].shape
    W_dec = parts[0].new_zeros(n_layers, m, n_layers, d)
    for layer, part in enumerate(parts):
        if part.shape != (m, n_layers - layer, d):
            raise ValueError(
                f"The decoder of layer {layer} should be {[m, n_layers - layer, d]}, it is {list(part.shape)}."
            )
        W_dec[layer, :, layer:] = part
    return W_dec


def clt_metadata(directory: Path | str) -> dict[str, Any]:
    """What was saved as metadata."""
    return read_clt_config(Path(directory))["metadata"]


def read_clt_config(directory: Path) -> dict[str, Any]:
    """clt.json, checked."""
    file = directory / CONFIG
    if not file.is_file():
        raise FileNotFoundError(f"There is no {CONFIG} in {str(directory)!r}.")
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        known = (
            said["kind"] in KINDS
            and isinstance(said["n_layers"], int)
            and said["metadata"] is not None
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{CONFIG} is damaged or lacks something ({error}).") from error
    if not known:
        raise ValueError(f"{CONFIG} has the kind {said['kind']!r}; read are {', '.join(KINDS)}.")
    return said
