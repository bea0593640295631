"""A model of the Hugging Face hub as a local directory: from the cache, or downloaded once.

Only JSON, text, SentencePiece and safetensors files are ever downloaded: nothing that is code or a pickle.
"""

from __future__ import annotations

from pathlib import Path

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.files import check_directory
from mi_tutor.specimens.opening.shelf import no_such_specimen, specimen_names

SECONDS = 5  # to wait for the hub's first answer
FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]


def hub_directory(name: str) -> Path:
    """The local directory of the hub's model `name` ("gpt2", "EleutherAI/pythia-70m").

    A whole copy in the cache is used without asking the hub. Otherwise one short question decides
    whether the hub can be reached and has the model, so that a missing network is told at once.
    """
    cached = cached_directory(name)
    if cached is not None:
        return cached
    names = ask_hub(name)
    if not any(file.endswith(".safetensors") and "/" not in file for file in names):
        raise SpecimenError(
            f"The hub's {name!r} has no safetensors weights at its top, only {', '.join(sorted(names)[:5])} ... "
            "Other formats can run code when they are read, so they are not opened here."
        )
    import huggingface_hub

    try:
        path = huggingface_hub.snapshot_download(
            name, allow_patterns=FILES, ignore_patterns=["*/*"]
        )
    except Exception as error:
        raise SpecimenError(
            f"The download of {name!r} stopped ({reason(error)}). What has arrived is kept: call again to go on."
        ) from error
    return Path(path)


def cached_directory(name: str) -> Path | None:
    """The whole copy of a hub model that an earlier download left on this machine, if there is one."""
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError

    try:
        path = Path(huggingface_hub.snapshot_download(name, local_files_only=True))
        check_directory(path)
    except HFValidationError as error:
        raise SpecimenError(
            f"{no_such_specimen(name)} Nor can it be a model of the hub: those are called 'name' or 'owner/name'."
        ) from error
    except (OSError, SpecimenError):  # not there, or an interrupted download
        return None
    return path


def ask_hub(name: str) -> list[str]:
    """The files of a hub model. SpecimenError if there is no network, no such model, or no permission."""
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = huggingface_hub.HfApi().model_info(name, timeout=SECONDS)
    except GatedRepoError as error:
        raise SpecimenError(
            f"The hub's {name!r} asks you to accept its terms first: do so on its page on the hub, then run "
            "`hf auth login` once in a terminal."
        ) from error
    except RepositoryNotFoundError as error:
        raise SpecimenError(
            f"{no_such_specimen(name)} The Hugging Face hub has no public model of this name either."
        ) from error
    except Exception as error:
        raise SpecimenError(
            f"{name!r} is not a shipped specimen, and as a model of the Hugging Face hub it is not (wholly) on "
            f"this machine and the hub cannot be reached ({reason(error)}). With a network, open it once: "
            "afterwards it works without. Without a network, use a specimen "
            f"({', '.join(specimen_names())}) or the directory of a model that you have."
        ) from error
    return [file.rfilename for file in info.siblings or []]


def reason(error: Exception) -> str:
    """The first line of an error, short."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:120]}"
