"""Hub names: from the cache without asking, else told at once what is missing. No test uses the network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from mi_tutor.specimens import SpecimenError, open_specimen, specimen_path


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty hub cache, and a hub that fails any test that asks it."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    answer(monkeypatch, AssertionError("the hub was asked"))
    return tmp_path


def answer(monkeypatch, result: Exception | list[str]) -> None:
    """Let the hub answer a question about a model with these files, or with an error."""

    def model_info(self, name, **options):
        assert options["timeout"] <= 5
        if isinstance(result, Exception):
            raise result
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=file) for file in result])

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)


def put_into_cache(cache: Path, name: str, source: Path) -> Path:
    """What a download leaves behind: refs/main names the snapshot."""
    repo = cache / f"models--{name.replace('/', '--')}"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("abc123")
    return Path(shutil.copytree(source, repo / "snapshots" / "abc123"))


def hub_error(kind):
    return kind("no", response=SimpleNamespace(headers={}, request=None, status_code=404))


def test_a_model_in_the_cache_opens_without_the_hub(cache, tiny_gpt2):
    put_into_cache(cache, "someone/tiny", tiny_gpt2)
    model = open_specimen("someone/tiny", device="cpu")
    assert model.cfg.n_layers == 3
    assert model.cfg.model_name == "someone/tiny"


def test_a_half_downloaded_model_is_asked_for_again(cache, monkeypatch, tiny_gpt2):
    snapshot = put_into_cache(cache, "someone/tiny", tiny_gpt2)
    (snapshot / "model.safetensors").unlink()
    answer(monkeypatch, ConnectionError("no route"))
    with pytest.raises(SpecimenError, match=r"not \(wholly\) on this machine .*no route"):
        open_specimen("someone/tiny")


def test_a_download_keeps_to_safe_files(cache, monkeypatch):
    answer(monkeypatch, ["config.json", "model.safetensors", "pytorch_model.bin"])
    asked = {}

    def snapshot_download(name, local_files_only=False, **options):
        if local_files_only:
            raise FileNotFoundError
        asked.update(options)
        return str(specimen_path("primer"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert open_specimen("someone/new", device="cpu").cfg.n_layers == 2
    assert not any(pattern.endswith((".bin", ".py", ".pt")) for pattern in asked["allow_patterns"])


def test_an_interrupted_download_says_so(cache, monkeypatch):
    answer(monkeypatch, ["model.safetensors"])

    def snapshot_download(name, local_files_only=False, **options):
        raise FileNotFoundError if local_files_only else ConnectionError("reset")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(SpecimenError, match=r"stopped .*reset.*call again to go on"):
        open_specimen("someone/new")


def test_pickles_on_the_hub_are_refused(cache, monkeypatch):
    answer(monkeypatch, ["config.json", "pytorch_model.bin", "onnx/model.safetensors"])
    with pytest.raises(SpecimenError, match="no safetensors weights"):
        open_specimen("someone/old")


def test_a_name_that_is_nowhere(cache, monkeypatch):
    answer(monkeypatch, hub_error(RepositoryNotFoundError))
    with pytest.raises(
        SpecimenError, match=r"no specimen called 'zebra'. .*hub has no public model"
    ):
        open_specimen("zebra")


def test_a_gated_model(cache, monkeypatch):
    answer(monkeypatch, hub_error(GatedRepoError))
    with pytest.raises(SpecimenError, match="accept its terms"):
        open_specimen("google/gemma-2-2b")


@pytest.mark.parametrize("name", ["two words", "a/b/c", "", "--x"])
def test_a_name_that_no_model_can_have(cache, name):
    with pytest.raises(SpecimenError, match="Nor can it be a model of the hub"):
        open_specimen(name)


@pytest.mark.anew
@pytest.mark.parametrize(
    "setting", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_without_a_network_it_is_said_at_once(tmp_path, setting):
    code = (
        "import time, huggingface_hub; from mi_tutor.specimens import open_specimen, SpecimenError\n"
        "pauses = []; time.sleep = pauses.append\n"  # before it is tried again
        "try: open_specimen('gpt2')\n"
        "except SpecimenError as error: print(sum(pauses), error)"
    )
    environment = os.environ | {"HF_HOME": str(tmp_path)} | setting
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    seconds, sentence = run.stdout.split(" ", 1)
    assert float(seconds) < 5
    assert "the hub cannot be reached" in sentence
    assert "Without a network, use a specimen (" in sentence
    assert run.stderr == ""
