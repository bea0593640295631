"""Which kinds of model does `open_specimen` open, and what can be done with them then?

    python benchmarks/architectures.py [NAME ...]

Tiny models with random weights: 24 architectures, and settings of theirs that few models use. Every cell is "yes",
or says what is refused; an error that was not meant for a reader, or a wrong number, is printed as WRONG.

- opens: a model is returned.
- exact: its probabilities are those of Hugging Face's own model, less than 1e-5 off.
- sweeps: patches of every component in each layer, of heads, ablations and head scores are those of
  TransformerLens's hooks, one at a time, and each patch moves something.
- lens: the last entry of the logit lens is what the model says, and the parts' and heads' direct attributions add
  up to it.
"""

import argparse
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.sites import COMPONENTS, hook_name
from mi_tutor.lab.induction.heads import head_scores
from mi_tutor.lab.patching.ablation import ablation_sweep
from mi_tutor.lab.patching.lens import (
    direct_logit_attribution,
    head_attribution,
    logit_lens,
    part_hooks,
)
from mi_tutor.lab.patching.sweeps import denoise
from mi_tutor.specimens import SpecimenError, open_specimen, specimen_path

N_VOCAB = 188  # the primer's, whose tokenizer all of them get
SIZES: Mapping[str, Any] = MappingProxyType(
    {
        "vocab_size": N_VOCAB,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 1,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
    }
)
WIDE = {"intermediate_size": 48}
SHARED = WIDE | {"num_key_value_heads": 2}
GEMMA = SHARED | {"head_dim": 8, "sliding_window": 4}
OPT = {"ffn_dim": 48, "word_embed_proj_dim": 32}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
GRANITE = SHARED | {
    "logits_scaling": 8.0,
    "residual_multiplier": 0.5,
    "embedding_multiplier": 3.0,
    "attention_multiplier": 0.3,
}
ARCHITECTURES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "gpt2": {},
        "gpt_neo": WIDE | {"attention_types": [[["global", "local"], 1]], "window_size": 4},
        "gptj": {"rotary_dim": 4},
        "gpt_neox": WIDE,
        "opt": OPT,
        "bloom": {},
        "falcon": {},
        "xglm": {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48},
        "llama": SHARED,
        "mistral": SHARED | {"sliding_window": 4},
        "mixtral": SHARED | {"num_local_experts": 3},
        "qwen2": SHARED,
        "qwen3": SHARED | {"head_dim": 8},
        "gemma": SHARED | {"head_dim": 8},
        "gemma2": GEMMA | {"final_logit_softcapping": 3.0, "attn_logit_softcapping": 3.0},
        "gemma3_text": GEMMA,
        "phi": WIDE,
        "phi3": SHARED,
        "granite": GRANITE,
        "olmo": SHARED,
        "olmo2": SHARED,
        "persimmon": WIDE,
        "bert": WIDE,
        "t5": T5,
    }
)
SETTINGS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("gpt2", {"scale_attn_weights": False}),
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    ("gpt2", {"reorder_and_upcast_attn": True}),
    ("gpt2", {"activation_function": "silu"}),
    ("gpt2", {"activation_function": "relu", "n_inner": 40}),
    ("gpt2", {"tie_word_embeddings": False}),
    ("gpt2", {"add_cross_attention": True}),
    ("gpt_neox", {"attention_bias": False}),
    ("gpt_neox", {"use_parallel_residual": False}),
    ("opt", {"word_embed_proj_dim": 16}),
    ("opt", {"do_layer_norm_before": False}),
    ("bloom", {"apply_residual_connection_post_layernorm": True}),
    ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 2}),
    ("falcon", {"alibi": True, "parallel_attn": False}),
    ("phi", {"qk_layernorm": True}),
    ("olmo", {"clip_qkv": 0.3}),
    ("olmo2", {"tie_word_embeddings": True}),
)
ROWS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {name: (name, {}) for name in ARCHITECTURES}
    | {
        f"{kind}, {', '.join(f'{key}={value}' for key, value in setting.items())}": (kind, setting)
        for kind, setting in SETTINGS
    }
)
BATCHES = torch.randint(2, N_VOCAB, (2, 2, 9), generator=torch.Generator().manual_seed(1))
ANSWERS, WRONGS = torch.tensor([5, 60]), torch.tensor([9, 11])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows; all if none is named")
    names = parser.parse_args().names or list(ROWS)
    warnings.simplefilter("ignore")  # TransformerLens's, about hooks whose edits it drops
    width = max(map(len, names))
    print(f"{'':{width}}  opens  exact  sweeps / lens")
    with tempfile.TemporaryDirectory() as directory:
        for name in names:
            path = save_tiny(name, Path(directory) / re.sub(r"\W+", "-", name))
            print(f"{name:{width}}  {row(path)}", flush=True)


def save_tiny(name: str, directory: Path) -> Path:
    """A model of one row, with random numbers in every weight, as a directory with a tokenizer."""
    import transformers
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    kind, setting = ROWS[name]
    sizes = dict(SIZES) | dict(ARCHITECTURES[kind]) | dict(setting)
    config = transformers.AutoConfig.for_model(kind, **sizes)
    special = {"bert": "BertForMaskedLM", "t5": "T5ForConditionalGeneration"}.get(kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if special:
            network = getattr(transformers, special)(config)
        else:
            network = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    network.save_pretrained(directory)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(specimen_path("primer") / file, directory / file)
    return directory


def row(path: Path) -> str:
    """The cells of one model."""
    try:
        model = open_specimen(path, device="cpu")
    except SpecimenError as refusal:
        return f"refused: {refusal}".replace(f"{path.parent}/", "")
    except Exception as error:
        return f"WRONG: {type(error).__name__}: {error}"
    cells = [
        cell(lambda: exact(model, path)),
        cell(lambda: sweeps(model)),
        cell(lambda: lens(model)),
    ]
    return f"yes    {cells[0]:5}  {cells[1]} / {cells[2]}"


def cell(column: Callable[[], Iterable[str]]) -> str:
    """What a column says: "yes", with what is refused, or what is wrong."""
    try:
        refused = list(column())
    except Exception as error:
        return f"WRONG: {type(error).__name__}: {error}"
    return f"yes (refused: {', '.join(refused)})" if refused else "yes"


def exact(model: nn.Module, path: Path) -> list[str]:
    """AssertionError unless probabilities are those of the untouched model. Nothing of it can be refused."""
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()
    with torch.no_grad():
        for tokens in BATCHES:
            p, q = model(tokens).softmax(dim=-1), network(tokens).logits.softmax(dim=-1)
            assert (p - q).abs().max() < 1e-5, f"probabilities are {(p - q).abs().max():.1e} off"
    return []


def sweeps(model: nn.Module) -> list[str]:
    """The components that are refused; AssertionError if a number is not that of TransformerLens's hooks."""
    clean, corrupted = BATCHES
    metric, refused = prefers(ANSWERS, WRONGS), []
    with torch.no_grad():
        _, source = model.run_with_cache(clean)
    layers, head = range(model.cfg.n_layers), model.cfg.n_heads - 1
    for component in COMPONENTS:
        try:
            result = denoise(model, clean, corrupted, metric, component, ("layer",))
        except ValueError as refusal:
            assert component in str(refusal)
            refused.append(component)
            continue
        by_hand = metric(by_hooks(model, corrupted, source, component, layers[-1]))
        same(result.per_pair[-1], by_hand, f"patches of {component}")
        assert result.effect.abs().min() > 1e-4, f"patches of {component} move nothing"
    by_head = denoise(model, clean, corrupted, metric, "z", ("layer", "head")).per_pair
    without = ablation_sweep(model, corrupted, metric, "z", ("layer", "head"), "zero").per_pair
    nothing = {hook_name("z", i): torch.zeros_like(source[hook_name("z", i)]) for i in layers}
    for found, values, what in ((by_head, source, "patches"), (without, nothing, "ablations")):
        by_hand = metric(by_hooks(model, corrupted, values, "z", layers[-1], head))
        same(found[-1, head], by_hand, f"{what} of heads")
    same_head_scores(model)
    return refused


def by_hooks(
    model: nn.Module,
    tokens: Tensor,
    source: Mapping[str, Tensor],
    component: str,
    layer: int,
    head: int | None = None,
) -> Tensor:
    """The logits with one component taken from the source, by TransformerLens's own hooks."""
    # Where the source's resid_mid is wanted, two things that make it up are the source's.
    names = ("resid_pre", "attn_out") if component == "resid_mid" else (component,)

    def put(name: str) -> Callable[..., Tensor]:
        def hook(activation: Tensor, hook: object) -> Tensor:
            new = source[name].clone()
            if head is not None:
                others = [i for i in range(new.shape[2]) if i != head]
                new[:, :, others] = activation[:, :, others]
            return new

        return hook

    hooks = [(hook_name(each, layer), put(hook_name(each, layer))) for each in names]
    with torch.no_grad():
        return model.run_with_hooks(tokens, fwd_hooks=hooks)


def same_head_scores(model: nn.Module, n_block: int = 4) -> None:
    """AssertionError unless induction scores are the means over a diagonal of TransformerLens's patterns."""
    block = BATCHES[0, :, 1 : 1 + n_block]
    tokens = torch.cat([torch.zeros_like(block[:, :1]), block, block], dim=1)
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens)
    queries = torch.arange(n_block + 1, 2 * n_block + 1)
    patterns = torch.stack([cache[hook_name("pattern", i)] for i in range(model.cfg.n_layers)])
    expected = patterns[..., queries, queries - (n_block - 1)].mean(dim=(1, 3))
    same(head_scores(model, tokens, n_block).induction, expected, "induction scores")


def lens(model: nn.Module) -> list[str]:
    """What is refused of lens and attribution; AssertionError if a number is not what the model says."""
    tokens = BATCHES[0]
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens)
    last = logits[:, -1]
    same(logit_lens(model, cache)[-1], last, "the lens's last entry")
    cap = getattr(model.original_model.config, "final_logit_softcapping", None)
    uncapped = cap * torch.atanh(last / cap) if cap else last
    rows = torch.arange(len(tokens))
    difference = uncapped[rows, ANSWERS] - uncapped[rows, WRONGS]
    parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS)
    constant = model.adapter.apply_output_logits_transform(model.b_U.detach() * 1e-3) * 1e3
    same(parts.sum(dim=0) + constant[ANSWERS] - constant[WRONGS], difference, "parts")
    attention = [name.endswith("attn_out") for name in part_hooks(model)]

    def bias_share(position: int) -> Tensor:  # times the divisor: the same at every position
        parts = direct_logit_attribution(model, cache, ANSWERS, WRONGS, position)[attention]
        heads = head_attribution(model, cache, ANSWERS, WRONGS, position).sum(dim=1)
        return (parts - heads) * cache["ln_final.hook_scale"][:, position, 0]

    try:
        same(bias_share(-1), bias_share(-2), "heads")
    except ValueError as refusal:
        assert "heads" in str(refusal)
        return ["heads"]
    return []


def same(seen: Tensor, expected: Tensor, what: str) -> None:
    """AssertionError unless two results agree up to rounding."""
    difference = (seen - expected).abs().max().item()
    assert difference < 1e-4 * max(1, expected.abs().max().item()), (
        f"{what} are {difference:.1e} off"
    )


if __name__ == "__main__":
    main()
