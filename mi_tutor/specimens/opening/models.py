"""Open a transformer for analysis: a shipped specimen, a local directory, or a model of the hub.

1. Find the directory: specimens first, then paths, then the hub (`mi_tutor.specimens.opening.hub`).
2. Look whether it is whole (`mi_tutor.specimens.opening.files`), because the loader would not tell.
3. Load config, weights and tokenizer with `transformers`, from safetensors only, in float32.
4. Wrap the model in a TransformerBridge, process the weights, switch to eval mode.
5. Compare it with the untouched model on one short prompt (`mi_tutor.specimens.opening.exact`).
6. Let `to_tokens` refuse words that the vocabulary does not have.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.checkpoints import load_checkpoint
from mi_tutor.specimens.opening.copies import add_difference, base_of
from mi_tutor.specimens.opening.exact import ask_original, cannot_take_apart, check_same
from mi_tutor.specimens.opening.files import REPAIR, check_directory
from mi_tutor.specimens.opening.hub import hub_directory, reason
from mi_tutor.specimens.opening.shelf import (
    SHELF,
    copy_names,
    dictionary_names,
    nearest_specimen,
    no_such_specimen,
    specimen_names,
    specimen_path,
)
from mi_tutor.specimens.opening.words import refuse_unknown_words

if TYPE_CHECKING:
    import torch
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# What is done to the weights. None of it changes the model's predictions, or what it means to edit the
# residual stream or a head's z:
PROCESSING = {
    "fold_ln": True,  # LayerNorm's scale and shift move into the next weights: only normalising is left
    "center_writing_weights": True,  # every write to the residual stream has mean 0 over d_model
    "center_unembed": True,  # logits have mean 0 over the vocabulary: one logit can be compared
    # TransformerLens moves the value biases into b_O by default. Then a head whose z is set to zero would
    # still write its constant part, which is not what "without this head" says. So they stay in the head.
    "fold_value_biases": False,
}


def open_specimen(
    name: str | Path, device: torch.device | str | None = None, step: int | None = None
) -> TransformerBridge:
    """Open a model for analysis, as a TransformerBridge in eval mode.

    name: a specimen ("primer"), the directory of a Hugging Face model, or a name on the hub ("gpt2").
    device: where it computes; `lab.ground.best_device()` if None.
    step: as it was after this many steps of training, for a specimen with checkpoints (`checkpoint_steps`).

    The weights are float32 and processed (`PROCESSING`): LayerNorm folded, writing weights and unembedding
    centred, value biases left in place. Probabilities are those of the stored model, and the embeddings plus all
    attention and MLP outputs add up to the final residual stream, both to float32 rounding. `W_E`, `W_U`,
    `W_V` ... are the processed ones. (Models with RMSNorm are not centred, and a model that caps its logits,
    like Gemma 2, has logits whose mean is not 0: there compare differences.)

    Raises SpecimenError, with what to do, if there is no such model, no network for a hub name, a damaged
    directory, weights as pickles only, no such checkpoint, no such device, or if the opened model would not say
    what the stored one says (`exact`).

    >>> model = open_specimen("primer", device="cpu")
    >>> model.to_string(model("The capital of France is")[0, -1].argmax())
    ' Paris'
    """
    directory = find_directory(name)
    stored = base_of(directory)
    check_directory(stored)
    place = find_device(device)
    with quiet():
        network = load_network(stored)
        add_difference(network, directory)
        if step is not None:
            load_checkpoint(network, directory, step)
        tokenizer = load_tokenizer(stored, vocabulary_size=n_tokens(network))
        # Of shipped specimens the tests prove it once for all; opening one would take a tenth longer.
        shipped = directory.parent == SHELF
        original = None if shipped else ask_original(network.to(place))
        model = wrap(network.to(place), tokenizer, stored)
        if original is not None:
            check_same(model, original)
    model.cfg.model_name = str(name) if step is None else f"{name} at step {step}"
    refuse_unknown_words(model)
    return model


def find_directory(name: str | Path) -> Path:
    """The directory that a name stands for. A string is a path if it looks like one or exists."""
    if not isinstance(name, (str, Path)):
        raise TypeError(
            f"name should be a string or a path, like 'primer', got a {type(name).__name__}."
        )
    if name in specimen_names() + copy_names():
        return specimen_path(str(name))
    if name in dictionary_names():
        raise SpecimenError(
            f"{name!r} is a dictionary, not a model. Open it with open_dictionary({name!r})."
        )
    path = Path(name).expanduser()
    looks_like_path = isinstance(name, Path) or path.is_absolute() or name.startswith((".", "~"))
    if looks_like_path or (name and path.is_dir()):
        return path
    if "/" not in name and nearest_specimen(name):
        raise SpecimenError(no_such_specimen(name))
    return hub_directory(name)


def find_device(device: torch.device | str | None) -> torch.device:
    """The device to compute on, tried with one number: SpecimenError if this machine does not have it."""
    import torch

    from mi_tutor.lab.ground.device import best_device

    if device is None:
        return best_device()
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        raise SpecimenError(
            f"The device {device!r} cannot be used here ({reason(error)}). "
            f"Leave device out, or say device={best_device().type!r}."
        ) from error


def load_network(directory: Path) -> PreTrainedModel:
    """The plain transformers model of a checked directory, in float32, every weight from the file."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        network, loaded = AutoModelForCausalLM.from_pretrained(
            directory,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",  # the only one that keeps attention patterns for hooks
            output_loading_info=True,
        )
    except Exception as error:
        raise SpecimenError(
            f"{str(directory)!r} could not be loaded: its config.json and weights do not fit each other, or it "
            f"is not a language model that predicts the next token ({reason(error)})."
        ) from error
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise SpecimenError(
            f"config.json calls for weights that are not in the files of {str(directory)!r}: "
            f"{', '.join(missing[:3])}{' ...' if missing[3:] else ''}. {REPAIR}"
        )
    left = left_out(network, loaded["unexpected_keys"])
    if left:
        raise SpecimenError(
            f"The files of {str(directory)!r} have weights that config.json does not call for: "
            f"{', '.join(left[:3])}{' ...' if left[3:] else ''}. Without them this would be another model. Does "
            "config.json say fewer layers, or no biases? It should be the one that was saved with the weights."
        )
    return network.eval()


def left_out(network: PreTrainedModel, unexpected: Iterable[str]) -> list[str]:
    """Those of the file's tensors without a place that are weights of layers as the network has them.

    The tensors of a further layer, or the bias of a linear map that has none. What else lies in real files is
    harmless: attention masks, tables of angles, another task's head.
    """

    def layer(tensor: str) -> str:  # the layer's name, with any number in place of its own
        return re.sub(r"\.\d+\.", ".N.", f".{tensor}").rpartition(".")[0]

    known = {layer(name) for name, _ in network.named_parameters()}
    return sorted(
        tensor for tensor in unexpected if any(name.endswith(layer(tensor)) for name in known)
    )


def n_tokens(network: PreTrainedModel) -> int:
    """How many tokens a model knows. (A model that also sees has a config for each sense.)"""
    return network.config.get_text_config(decoder=True).vocab_size


def load_tokenizer(directory: Path, vocabulary_size: int) -> PreTrainedTokenizerBase:
    """The tokenizer of a checked directory; SpecimenError if it does not fit the model."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    except Exception as error:
        raise SpecimenError(
            f"The tokenizer of {str(directory)!r} could not be loaded ({reason(error)}). {REPAIR}"
        ) from error
    if len(tokenizer) == 0 or len(tokenizer) > vocabulary_size:
        raise SpecimenError(
            f"The tokenizer of {str(directory)!r} has {len(tokenizer)} tokens, but the model has "
            f"{vocabulary_size} embeddings: they belong to different models. {REPAIR}"
        )
    if tokenizer.bos_token is None and tokenizer.eos_token is None:
        raise SpecimenError(
            f"The tokenizer of {str(directory)!r} names no token that begins a text. Name one in "
            'tokenizer_config.json: "bos_token" (GPT-2 uses <|endoftext|>).'
        )
    return tokenizer


def wrap(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, directory: Path
) -> TransformerBridge:
    """The TransformerBridge around a network, with processed weights (`PROCESSING`)."""
    from transformer_lens.model_bridge import TransformerBridge

    try:
        model = TransformerBridge.boot_transformers(
            str(directory), hf_model=network, tokenizer=tokenizer, device=network.device
        )
        model.enable_compatibility_mode(disable_warnings=True, **PROCESSING)
    except Exception as error:
        raise cannot_take_apart(network.config, error) from error
    fold_final_norm(model)
    return model.eval()


def fold_final_norm(model: TransformerBridge) -> None:
    """Move the final norm's scale and shift into the unembedding, where TransformerLens has left them in place.

    It does so in models that normalise after attention and MLP, like OLMo 2, whose other norms cannot be folded.
    The final one can: (x w + b) W_U = x (w W_U) + b W_U.
    """
    import torch

    norm, head = (getattr(model, name, None) for name in ("ln_final", "unembed"))
    scale, shift = getattr(norm, "weight", None), getattr(norm, "bias", None)
    if scale is None or head is None:
        return
    identity = 0.0 if norm.uses_weight_offset else 1.0
    with torch.no_grad():
        layer = head.original_component
        if shift is not None and shift.any():
            layer.bias += layer.weight @ shift
            shift.zero_()
        if (scale != identity).any():
            # A new tensor: the old one may be the embedding's too.
            layer.weight = torch.nn.Parameter(layer.weight * (scale + 1 - identity))
            scale.fill_(identity)


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the loader's progress bars, log lines and warnings: what matters is checked here."""
    from transformers.utils import logging as loader

    level, had_bars = loader.get_verbosity(), loader.is_progress_bar_enabled()
    disabled = logging.root.manager.disable
    loader.set_verbosity_error()
    loader.disable_progress_bar()
    logging.disable(logging.WARNING)  # TransformerLens's, which go to the root logger
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        loader.set_verbosity(level)
        if had_bars:
            loader.enable_progress_bar()
