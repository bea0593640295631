"""circuit-tracer's graph and interventions, for `tracing.py`; run with the interpreter that has it.

Reads a folder with weights, transcoders and a plan, writes what it found there, and prints one line of JSON.
Imports nothing of this project.
"""

import json
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import torch
from circuit_tracer import _version
from circuit_tracer.attribution.attribute import attribute
from circuit_tracer.replacement_model.replacement_model_transformerlens import (
    TransformerLensReplacementModel,
)
from circuit_tracer.transcoder.cross_layer_transcoder import load_clt
from safetensors.torch import load_file, save_file
from transformer_lens import HookedTransformerConfig

BATCHES = (64, 256, 512)


def main(folder: Path, n_rounds: int) -> None:
    """Trace, time, intervene."""
    torch.set_num_threads(1)
    plan = json.loads((folder / "plan.json").read_text())
    model = replacement_model(folder, plan)
    tokens, targets = torch.tensor(plan["tokens"]), torch.tensor(plan["targets"])
    best = float("inf"), 0
    for batch in BATCHES:

        def trace(batch: int = batch):
            return attribute(tokens, model, attribution_targets=targets, batch_size=batch)

        for _ in range(n_rounds):
            began = time.process_time()
            graph = trace()
            best = min(best, (time.process_time() - began, batch))
    changes = [tuple(change) for change in plan["changes"]]
    n_layers = model.cfg.n_layers
    first = min(change[0] for change in changes)
    held = {"constrained": range(first, n_layers), "iterative": None, "direct": range(n_layers)}
    found = {mode: model.feature_intervention(tokens, changes, held[mode])[0][0] for mode in held}
    found |= {"adjacency": graph.adjacency_matrix, "latents": graph.active_features}
    save_file(
        {name: value.contiguous() for name, value in found.items()}, folder / "found.safetensors"
    )
    n_rows = len(graph.active_features) + len(targets)
    said = {
        "seconds": best[0],
        "batch": best[1],
        "nodes": len(graph.adjacency_matrix),
        "rows": n_rows,
    }
    print(json.dumps(said | {"version": _version.__version__}))


def replacement_model(folder: Path, plan: dict) -> TransformerLensReplacementModel:
    """The model with its transcoders."""
    weights = load_file(folder / "weights.safetensors")
    n_layers = sum(name.endswith("qkv.W") for name in weights)
    d, n_heads = weights["W_E"].shape[1], plan["n_heads"]
    config = HookedTransformerConfig(
        n_layers=n_layers,
        d_model=d,
        n_ctx=len(weights["W_pos"]),
        d_head=d // n_heads,
        n_heads=n_heads,
        d_mlp=weights["0.mlp_in.b"].numel(),
        d_vocab=len(weights["W_E"]),
        act_fn=plan["act_fn"],
        normalization_type="LN",
        eps=plan["eps"],
        device="cpu",
        model_name="gpt2-like",
    )
    model = TransformerLensReplacementModel(config)
    model.tokenizer = SimpleNamespace(
        all_special_ids=[plan["tokens"][0]],
        vocab_size=config.d_vocab,
        padding_side="right",
        decode=lambda tokens, **_: str(tokens),
    )
    missing = model.load_state_dict(named(weights, n_layers, n_heads), strict=False).missing_keys
    left = [name for name in missing if not name.endswith(("mask", "IGNORE"))]
    if left:
        raise ValueError(f"Weights without a value: {left}.")
    where = {"feature_input_hook": "mlp.hook_in", "feature_output_hook": "hook_mlp_out"}
    how = {"device": torch.device("cpu"), "dtype": torch.float32, "lazy_decoder": False}
    model._configure_replacement_model(load_clt(str(folder / "transcoders"), **where, **how))
    return model


def named(weights: dict[str, torch.Tensor], n_layers: int, n_heads: int) -> dict[str, torch.Tensor]:
    """The weights by HookedTransformer's names, in its shapes."""
    found = {
        "embed.W_E": weights["W_E"],
        "pos_embed.W_pos": weights["W_pos"],
        "ln_final.w": weights["ln_final.W"],
        "ln_final.b": weights["ln_final.b"],
        "unembed.W_U": weights["unembed.W"],
        "unembed.b_U": weights["unembed.b"],
    }
    for i in range(n_layers):
        here, d = f"blocks.{i}", weights["W_E"].shape[1]
        for ln in ("ln1", "ln2"):
            found |= {
                f"{here}.{ln}.w": weights[f"{i}.{ln}.W"],
                f"{here}.{ln}.b": weights[f"{i}.{ln}.b"],
            }
        qkv = zip(
            "QKV",
            weights[f"{i}.qkv.W"].split(d, dim=1),
            weights[f"{i}.qkv.b"].split(d),
            strict=True,
        )
        for name, W, b in qkv:
            found[f"{here}.attn.W_{name}"] = W.unflatten(1, (n_heads, -1)).transpose(0, 1)
            found[f"{here}.attn.b_{name}"] = b.unflatten(0, (n_heads, -1))
        found[f"{here}.attn.W_O"] = weights[f"{i}.out.W"].unflatten(0, (n_heads, -1))
        found[f"{here}.attn.b_O"] = weights[f"{i}.out.b"]
        for ours, theirs in (("mlp_in", "in"), ("mlp_out", "out")):
            found |= {f"{here}.mlp.{x}_{theirs}": weights[f"{i}.{ours}.{x}"] for x in "Wb"}
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), int(sys.argv[2]))
