"""Damaged and half-downloaded directories: each is named before anything is loaded from it."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from mi_tutor.specimens import SpecimenError, open_specimen
from mi_tutor.specimens.opening.files import check_directory, check_weights


def test_a_whole_directory_passes(copied, tiny_gpt2):
    check_directory(copied)
    check_directory(tiny_gpt2)


def remove(name: str):
    return lambda d: (d / name).unlink()


def write(name: str, text: str):
    return lambda d: (d / name).write_text(text)


def cut(name: str, n_bytes: int):
    return lambda d: (d / name).write_bytes((d / name).read_bytes()[:n_bytes])


def lengthen(d: Path):
    (d / "model.safetensors").write_bytes((d / "model.safetensors").read_bytes() + b"\0" * 7)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n"
DAMAGE = {
    "no config": (remove("config.json"), "config.json is missing from"),
    "config is not JSON": (write("config.json", "{n_layer: 2"), "config.json is not valid JSON"),
    "config is a list": (write("config.json", "[]"), "should hold a JSON object, found a list"),
    "config is empty": (write("config.json", ""), "config.json is not valid JSON"),
    "config of something else": (write("config.json", '{"a": 1}'), "has no 'model_type'"),
    "config is an LFS pointer": (write("config.json", LFS), "git lfs pull"),
    "no weights": (remove("model.safetensors"), "model.safetensors is missing"),
    "weights cut in the tensors": (
        cut("model.safetensors", 100_000),
        "cut off or damaged: it has 100,000",
    ),
    "weights cut in the header": (cut("model.safetensors", 50), "cut off or damaged"),
    "weights are empty": (cut("model.safetensors", 0), "cut off or damaged: it has 0 bytes"),
    "weights too long": (lengthen, "cut off or damaged"),
    "weights are nonsense": (
        lambda d: (d / "model.safetensors").write_bytes(b"\x04" + b"\0" * 7 + b"nope" * 9),
        "is not a safetensors file",
    ),
    "weights are an LFS pointer": (write("model.safetensors", LFS), "git lfs pull"),
    "no tokenizer": (remove("tokenizer.json"), "no tokenizer files"),
    "tokenizer is not JSON": (
        write("tokenizer.json", "<html>"),
        "tokenizer.json is not valid JSON",
    ),
    "tokenizer settings are not JSON": (write("tokenizer_config.json", "<"), "is not valid JSON"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(copied, damage):
    harm, sentence = DAMAGE[damage]
    harm(copied)
    with pytest.raises(SpecimenError, match=sentence):
        open_specimen(copied, device="cpu")


def test_a_file_in_place_of_a_directory(copied):
    with pytest.raises(SpecimenError, match="is a file"):
        open_specimen(copied / "config.json")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickles_are_refused_and_not_read(copied, name):
    (copied / "model.safetensors").unlink()
    (copied / name).write_bytes(b"never read")
    with pytest.raises(SpecimenError, match=f"{name} only. Such files are pickles"):
        open_specimen(copied)


def test_half_of_a_pair_of_tokenizer_files(copied):
    (copied / "tokenizer.json").rename(copied / "vocab.json")  # merges.txt is not there
    with pytest.raises(SpecimenError, match="no tokenizer files"):
        check_directory(copied)


def test_shards(copied):
    tensors = load_file(copied / "model.safetensors")
    names = sorted(tensors)
    shards = {
        "model-00001-of-00002.safetensors": names[:9],
        "model-00002-of-00002.safetensors": names[9:],
    }
    for shard, part in shards.items():
        save_file({name: tensors[name] for name in part}, copied / shard, metadata={"format": "pt"})
    weight_map = {name: shard for shard, part in shards.items() for name in part}
    (copied / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )
    (copied / "model.safetensors").unlink()
    assert open_specimen(copied, device="cpu").cfg.n_layers == 2
    (copied / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(SpecimenError, match=r"1 of 2 weight files are missing .*00002-of-00002"):
        open_specimen(copied)
    (copied / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(SpecimenError, match="names no weight files"):
        open_specimen(copied)


def test_an_empty_safetensors_file_is_whole(tmp_path):
    save_file({}, tmp_path / "none.safetensors")
    check_weights(tmp_path / "none.safetensors")
