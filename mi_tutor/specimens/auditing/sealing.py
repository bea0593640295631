"""Sealed specimens: one safetensors file each, with the change of `atlas`'s weights and a card without the truth.

For practice, the file has a commitment: scrypt(salt, family and parameters). A report that has them right
opens the seal; nobody who reads the file reads them. For an exam it has none: who sealed it keeps the truth.
What a commitment can and cannot keep from a determined reader:

- some million secrets are plausible; at 50 ms each to try them all takes half a day of one core for each million.
  But most of them are conjunctions. There are 14 opinions and some thirty countries: their seals give way in
  seconds (`counting.n_secrets`). A word is planted from a quarter of all (`words`), so backdoors and conjunctions
  take a quarter of what their number says. Whoever tests a secret by what the model does (as the check does) needs
  no commitment and is quicker still: that is an audit, and what it leaves to be done is the removal;
- "clean" is one of them, so whoever asks learns at once whether a specimen is: a clean report is marked by its
  evidence;
- the file has the change, mostly as thin matrices, so that its rank and its directions are readable: that is the
  base model's help;
- who has the repository has `solutions/`, as in every chapter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.auditing.families import Secret
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import SHELF, specimen_path

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

FORMAT = "mi-tutor sealed specimen 1"
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


def commitment(secret: Secret, salt: bytes) -> str:
    """A slow hash of a secret: about 50 ms and 16 MB."""
    return hashlib.scrypt(secret.canonical.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()


def write_sealed(
    file: Path,
    delta: dict[str, Tensor],
    secret: Secret | None,
    level: str = "",
    base: str = "atlas",
) -> None:
    """Write a sealed specimen: the change, and a commitment to the secret (None: for an exam, without one).

    level: which families it was drawn from (see `families.LEVELS`): told to whoever reads the card.
    """
    from safetensors.torch import save_file

    card = {"format": FORMAT, "base": base, "level": level}
    if secret is not None:
        salt = os.urandom(16)
        card |= {"salt": salt.hex(), "commitment": commitment(secret, salt)}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(delta, file, metadata=card)


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


def opens(name: str | Path, secret: Secret) -> bool:
    """Whether this is the secret that the specimen was sealed with."""
    card = read_card(name)
    if "commitment" not in card:
        raise SpecimenError(f"{name} is sealed for an exam: only who sealed it can say.")
    return hmac.compare_digest(commitment(secret, bytes.fromhex(card["salt"])), card["commitment"])


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
        "sealed": card.get("commitment", "for an exam")[:12],
        "level": card.get("level") or "any",
    }
    return f"{name}: {card['base']}, changed; {json.dumps(told)[1:-1]}"
