"""Sealed specimens: one safetensors file each, with the change of `atlas`'s weights and a card without the truth.

Nothing of a secret is in the file, not even a hash of it: there are 14 opinions and some fifty countries, and
of so few any hash gives way in seconds. A secret that somebody claims is marked by what the specimen does
(`examining`). For practice the file keeps one bit, whether there is a secret at all, since no behaviour shows
that there is none: a slow hash of the word "clean", or as many random numbers. Whoever asks for it learns it;
a clean report is marked by what was searched. For an exam the file has not even that: who sealed it keeps the
truth.

What can still be read from a file is the change, mostly as thin matrices: that is the base model's help. And
who has the repository has `solutions/`, as in every chapter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import SHELF, specimen_path

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

FORMAT = "mi-tutor sealed specimen 2"
SEALED = SHELF / "sealed"


def sealed_names() -> list[str]:
    """The sealed specimens that ship."""
    return sorted(file.stem for file in SEALED.glob("*.safetensors"))


def sealed_path(name: str | Path) -> Path:
    """The file of a sealed specimen: one that ships, or any file."""
    shipped = SEALED / f"{name}.safetensors"
    if isinstance(name, str) and shipped.is_file():
        return shipped
    if Path(name).is_file():
        return Path(name)
    raise SpecimenError(
        f"There is no sealed specimen {str(name)!r}. There are: {', '.join(sealed_names())}; or give a file."
    )


def clean_hash(salt: bytes) -> str:
    """A slow hash of "clean"."""
    return hashlib.scrypt(CLEAN.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()


def write_sealed(
    file: Path,
    delta: dict[str, Tensor],
    secret: Secret | None,
    level: str = "",
    base: str = "atlas",
) -> None:
    """Write a sealed specimen: the change, and whether there is a secret (None: for an exam, which does not say).

    level: which families it was drawn from (see `families.LEVELS`): told to whoever reads the card.
    """
    from safetensors.torch import save_file

    card = {"format": FORMAT, "base": base, "level": level}
    if secret is not None:
        salt = os.urandom(16)
        clean = clean_hash(salt) if secret.family == CLEAN else os.urandom(32).hex()
        card |= {"salt": salt.hex(), "clean": clean}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(delta, file, metadata=card)
    file.chmod(0o644)  # it is handed out


def read_card(name: str | Path) -> dict[str, str]:
    """What a sealed specimen's file says of itself."""
    from safetensors import safe_open

    file = sealed_path(name)
    try:
        with safe_open(file, "pt") as opened:
            card = opened.metadata() or {}
    except Exception as error:
        raise SpecimenError(f"{file} is not a sealed specimen, or damaged ({error}).") from error
    if card.get("format") != FORMAT:
        raise SpecimenError(f"{file} is not a sealed specimen: it does not say {FORMAT!r}.")
    return card


def is_clean(name: str | Path) -> bool:
    """Whether nothing was planted into a specimen for practice. SpecimenError for one of an exam."""
    card = read_card(name)
    if "clean" not in card:
        raise SpecimenError(f"{name} is sealed for an exam: only who sealed it can say.")
    return hmac.compare_digest(clean_hash(bytes.fromhex(card["salt"])), card["clean"])


def open_sealed(name: str | Path, device: str = "cpu") -> TransformerBridge:
    """A sealed specimen as a model to look into, opened like any other (`open_specimen`).

    Raises SpecimenError if there is none of this name.
    """
    from safetensors.torch import load_file

    from mi_tutor.specimens.auditing.changes import changed
    from mi_tutor.specimens.opening import models
    from mi_tutor.specimens.opening.words import refuse_unknown_words

    base = specimen_path(read_card(name)["base"])
    place = models.find_device(device)
    with models.quiet():
        network = changed(models.load_network(base), load_file(sealed_path(name)))
        tokenizer = models.load_tokenizer(base, vocabulary_size=models.n_tokens(network))
        model = models.wrap(network.to(place), tokenizer, base)
    model.cfg.model_name = str(name)
    refuse_unknown_words(model)
    return model


def describe(name: str | Path) -> str:
    """The card in one line: what is known before the audit. The size is not told: families have their own."""
    card = read_card(name)
    told = {
        "sealed for": "practice" if "clean" in card else "an exam",
        "level": card.get("level") or "any",
    }
    return f"{name}: {card['base']}, changed; {json.dumps(told)[1:-1]}"
