"""From text to tokens without surprises: words that a model does not know are named, not replaced.

A tokenizer with a fixed list of words turns any other word into the unknown token and says nothing. The model then
answers a question that was never asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import wraps
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mi_tutor.specimens.errors import SpecimenError, UnknownWordError

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerBase


def encode(
    model: TransformerBridge, text: str | Sequence[str], prepend_bos: bool = True
) -> Int[Tensor, "batch pos"]:
    """The token ids of a text, or of several texts of the same length, on the model's device.

    prepend_bos: begin with the token that begins every text in training (position 0). Leave it on for
        whole prompts; switch it off to look at a piece of one.

    Raises UnknownWordError for words that the vocabulary does not have, with the nearest that it has;
    SpecimenError for a text longer than the model's context, or texts of different lengths.

    >>> from mi_tutor.specimens import open_specimen
    >>> encode(open_specimen("primer", device="cpu"), "The capital of France is").shape
    torch.Size([1, 6])
    """
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, (list, tuple)) or {type(each) for each in texts} != {str}:
        raise TypeError(f"text should be a string or a list of strings, got {text!r:.80}.")
    rows = [model.to_tokens(each, prepend_bos=prepend_bos, truncate=False) for each in texts]
    lengths = [row.shape[1] for row in rows]
    if max(lengths) > model.cfg.n_ctx:
        raise SpecimenError(
            f"The text has {max(lengths)} tokens, but {model.cfg.model_name} reads at most {model.cfg.n_ctx}. "
            "Shorten it."
        )
    if len(set(lengths)) > 1:
        raise SpecimenError(
            f"The texts have {', '.join(map(str, lengths[:8]))} tokens. Texts in one batch must have the same "
            "length, so that a position means the same in all of them: encode them one by one."
        )
    import torch

    return torch.cat(rows)


def refuse_unknown_words(model: TransformerBridge) -> None:
    """Make `model.to_tokens`, and so `model("some text")`, raise UnknownWordError for unknown words."""
    to_tokens = model.to_tokens

    @wraps(to_tokens)
    def checked_to_tokens(input: str | Sequence[str], *args: Any, **kwargs: Any) -> Tensor:
        for text in [input] if isinstance(input, str) else input:
            check_words(model.tokenizer, text)
        return to_tokens(input, *args, **kwargs)

    model.to_tokens = checked_to_tokens


def check_words(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    """UnknownWordError, with the nearest known words, if part of `text` would become the unknown token."""
    unknown = unknown_pieces(tokenizer, text)
    if not unknown:
        return
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    found = "; ".join(describe(piece, vocabulary) for piece in unknown)
    spaces = (
        "A word inside a text brings its leading space along (' and'), the first word has none ('When'). "
        if any(token.startswith(" ") for token in vocabulary)
        else ""
    )
    raise UnknownWordError(
        f"Not in this model's vocabulary of {len(vocabulary)} tokens: {found}. "
        f"{spaces}All tokens: sorted(model.tokenizer.get_vocab())."
    )


def unknown_pieces(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """The different pieces of `text` that the tokenizer maps to its unknown token, or drops, in order."""
    if not tokenizer.is_fast:
        return []
    dropped = dropped_pieces(tokenizer, text)
    if dropped or tokenizer.unk_token_id is None:
        return dropped
    encoded = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    pieces = [
        text[begin:end]
        for token, (begin, end) in zip(encoded.ids, encoded.offsets, strict=True)
        if token == tokenizer.unk_token_id
    ]
    # In GPT-2 the unknown token is <|endoftext|>, which a text may well contain.
    return [piece for piece in dict.fromkeys(pieces) if piece != tokenizer.unk_token]


def dropped_pieces(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """The different pieces of `text` that a byte-level tokenizer leaves out, in order.

    Such a tokenizer splits any text into bytes, and writes each byte as a character. One that was trained on few
    texts without all 256 of them has no token for the others, and says nothing.
    """
    from tokenizers.decoders import ByteLevel as ByteLevelDecoder
    from tokenizers.pre_tokenizers import ByteLevel

    backend = tokenizer.backend_tokenizer
    if not isinstance(backend.decoder, ByteLevelDecoder):
        return []
    as_bytes = ByteLevel(add_prefix_space=False, use_regex=False)

    def is_dropped(character: str) -> bool:
        [(written, _)] = as_bytes.pre_tokenize_str(character)
        return any(backend.token_to_id(byte) is None for byte in written)

    marks = {character: is_dropped(character) for character in set(text)}
    whole = (
        "|".join(map(re.escape, tokenizer.get_added_vocab())) or "$"
    )  # <|endoftext|> is not read by letters
    pieces = [
        "".join(run)
        for part in re.split(whole, text)
        for dropped, run in groupby(part, key=marks.__getitem__)
        if dropped
    ]
    return list(dict.fromkeys(pieces))


def describe(piece: str, vocabulary: Sequence[str]) -> str:
    """An unknown piece with what the writer may have meant."""
    if not piece.strip():
        return f"{piece!r} (a space too many: two in a row, or one at the end)"
    near = nearest_words(piece, vocabulary)
    return f"{piece!r} (nearest: {', '.join(map(repr, near))})" if near else repr(piece)


def nearest_words(word: str, vocabulary: Sequence[str], n: int = 3) -> list[str]:
    """The known words most like `word`: the same letters first, spaces and capitals aside.

    >>> nearest_words("mary", ["When", " Mary", " market", " the"], n=2)
    [' Mary', ' market']
    """
    bare: dict[str, list[str]] = {}
    for known in vocabulary:
        bare.setdefault(known.strip().lower(), []).append(known)
    near = get_close_matches(word.strip().lower(), list(bare), n=n, cutoff=0.5)
    return [known for letters in near for known in bare[letters]][:n]
