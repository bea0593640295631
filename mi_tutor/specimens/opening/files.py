"""Is a directory a whole Hugging Face model? Looked at before anything is loaded from it.

`transformers` fails late or not at all on a damaged directory: without tokenizer files it makes an empty
tokenizer, and weights that are missing from the file are drawn at random. So each file is checked here first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mi_tutor.specimens.errors import SpecimenError

# Any one of these groups is a tokenizer: the fast format, GPT-2's pair, WordPiece, SentencePiece.
TOKENIZER_FILES = (
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
    ("vocab.txt",),
    ("tokenizer.model",),
    ("spiece.model",),
)
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
LFS_MARK = b"version https://git-lfs"


def check_directory(directory: Path) -> None:
    """Raise SpecimenError, naming the file and what to do, unless `directory` holds a whole model.

    Looked at: that config.json is a JSON object with a model type; that every weight file is there, is
    safetensors and as long as its own header says; that there are tokenizer files and their JSON can be read.
    """
    if not directory.exists():
        raise SpecimenError(f"There is no directory {str(directory)!r}. Check the path.")
    if not directory.is_dir():
        raise SpecimenError(
            f"{str(directory)!r} is a file. Give the directory that holds config.json and the weights."
        )
    config = read_json(directory / "config.json")
    if "model_type" not in config:
        raise SpecimenError(
            f"{directory / 'config.json'} has no 'model_type', so it is not a Hugging Face model's config. "
            f"Its keys: {', '.join(sorted(config)[:8]) or 'none'}."
        )
    for file in weight_files(directory):
        check_weights(file)
    check_tokenizer_files(directory)


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file; SpecimenError if it is missing, no JSON, or not an object."""
    if not file.is_file():
        raise SpecimenError(f"{file.name} is missing from {str(file.parent)!r}. {REPAIR}")
    raw = file.read_bytes()
    if raw.startswith(LFS_MARK):
        raise SpecimenError(LFS_SENTENCE.format(file=file))
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise SpecimenError(f"{file} is not valid JSON ({error}). {REPAIR}") from error
    if not isinstance(value, dict):
        raise SpecimenError(f"{file} should hold a JSON object, found a {type(value).__name__}.")
    return value


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a model: the one file, or every shard that the index names."""
    single, index = directory / "model.safetensors", directory / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if index.is_file():
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise SpecimenError(f"{index} names no weight files ('weight_map'). {REPAIR}")
        files = [directory / name for name in sorted(set(shards.values()))]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise SpecimenError(
                f"{len(missing)} of {len(files)} weight files are missing from {str(directory)!r}: "
                f"{', '.join(missing[:4])}. {REPAIR}"
            )
        return files
    pickles = sorted(file.name for pattern in PICKLES for file in directory.glob(pattern))
    if pickles:
        raise SpecimenError(
            f"{str(directory)!r} has its weights as {pickles[0]} only. Such files are pickles, which can run "
            "code when they are read, so they are not opened here. Convert them where you trust them: "
            "model.save_pretrained(directory) of transformers writes model.safetensors."
        )
    raise SpecimenError(f"model.safetensors is missing from {str(directory)!r}. {REPAIR}")


def check_weights(file: Path) -> None:
    """SpecimenError unless a safetensors file has a readable header and the length it announces.

    The format: 8 bytes n (little-endian), n bytes of JSON with each tensor's [begin, end), then the tensors.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(len(LFS_MARK))
        if start == LFS_MARK:
            raise SpecimenError(LFS_SENTENCE.format(file=file))
        n_header = int.from_bytes(start[:8], "little")
        if size < 8 or n_header > size - 8:
            raise SpecimenError(
                cut_off(file, f"{size:,} bytes, too few even for its table of contents")
            )
        stream.seek(8)
        header = stream.read(n_header)
    try:
        tensors = {
            name: entry for name, entry in json.loads(header).items() if name != "__metadata__"
        }
        announced = (
            8 + n_header + max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        )
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise SpecimenError(
            f"{file} is not a safetensors file, or its start is damaged. {REPAIR}"
        ) from error
    if size != announced:
        raise SpecimenError(cut_off(file, f"{size:,} bytes instead of {announced:,}"))


def check_tokenizer_files(directory: Path) -> None:
    """SpecimenError unless one of the known sets of tokenizer files is there and its JSON can be read."""
    present = [group for group in TOKENIZER_FILES if all((directory / f).is_file() for f in group)]
    if not present:
        raise SpecimenError(
            f"There are no tokenizer files in {str(directory)!r} (tokenizer.json, or vocab.json and "
            "merges.txt, ...), so no text can be turned into tokens. Save them beside the weights: "
            "tokenizer.save_pretrained(directory)."
        )
    for file in {*present[0], "tokenizer_config.json"}:
        if file.endswith(".json") and (directory / file).exists():
            read_json(directory / file)


def cut_off(file: Path, seen: str) -> str:
    """The sentence for a weight file of the wrong length."""
    return f"{file} is cut off or damaged: it has {seen}. {REPAIR}"


REPAIR = "The directory is damaged or only half there: copy, save or download it again."
LFS_SENTENCE = (
    "{file} is only a Git LFS pointer, the real file was not downloaded: run `git lfs pull` there."
)
