"""Open a transformer for analysis: a shipped specimen, a local directory, or a model of the hub.

1. Find the directory: specimens first, then paths, then the hub (`mi_tutor.specimens.opening.hub`).
2. Look whether it is whole (`mi_tutor.specimens.opening.files`), because the loader would not tell.
3. Load config, weights and tokenizer with `transformers`, from safetensors only, in float32.
4. Wrap the model in a TransformerBridge, process the weights, switch to eval mode.
5. Let `to_tokens` refuse words that the vocabulary does not have.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.checkpoints import load_checkpoint
from mi_tutor.specimens.opening.files import REPAIR, check_directory
from mi_tutor.specimens.opening.hub import hub_directory, reason
from mi_tutor.specimens.opening.shelf import (
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
    device: where it computes; `lab.device.best_device()` if None.
    step: as it was after this many steps of training, for a specimen with checkpoints (`checkpoint_steps`).

    The weights are float32 and processed (`PROCESSING`): LayerNorm folded, writing weights and unembedding
    centred, value biases left in place. Probabilities are those of the stored model, and the embeddings plus all
    attention and MLP outputs add up to the final residual stream, both to float32 rounding. `W_E`, `W_U`,
    `W_V` ... are the processed ones. (Models with RMSNorm are not centred, and a model that caps its logits,
    like Gemma 2, has logits whose mean is not 0: there compare differences.)

    Raises SpecimenError, with what to do, if there is no such model, no network for a hub name, a damaged
    directory, weights as pickles only, no such checkpoint, or no such device.

    >>> model = open_specimen("primer", device="cpu")
    >>> model.to_string(model("The capital of France is")[0, -1].argmax())
    ' Paris'
    """
    directory = find_directory(name)
    check_directory(directory)
    place = find_device(device)
    with quiet():
        network = load_network(directory)
        if step is not None:
            load_checkpoint(network, directory, step)
        tokenizer = load_tokenizer(directory, vocabulary_size=network.config.vocab_size)
        model = wrap(network.to(place), tokenizer, directory)
    model.cfg.model_name = str(name) if step is None else f"{name} at step {step}"
    refuse_unknown_words(model)
    return model


def find_directory(name: str | Path) -> Path:
    """The directory that a name stands for. A string is a path if it looks like one or exists."""
    if not isinstance(name, (str, Path)):
        raise TypeError(
            f"name should be a string or a path, like 'primer', got a {type(name).__name__}."
        )
    if name in specimen_names():
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
    return network.eval()


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

    model = TransformerBridge.boot_transformers(
        str(directory), hf_model=network, tokenizer=tokenizer, device=network.device
    )
    model.enable_compatibility_mode(disable_warnings=True, **PROCESSING)
    return model.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the loader's progress bars, log lines and warnings: what matters is checked here."""
    from transformers.utils import logging

    level, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
