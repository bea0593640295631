"""`mi-tutor doctor`: is everything there that the course needs, and what to do about what is not.

A finding is "ok"; a "note", which is good to know but stops nobody; or a "problem", which does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from mi_tutor.cli.machine import GIB, TorchProbe, memory, start_network_probe, start_torch_probe
from mi_tutor.cli.say import say, say_json, sign

NEEDED_MEMORY, NEEDED_DISK, ROOMY_DISK = 1.5 * GIB, 0.2 * GIB, 2 * GIB
_HOW = {"ok": "good", "note": "note", "problem": "bad"}


class Finding(NamedTuple):
    """One thing that was looked at: what was seen, and what to do about it (empty if nothing)."""

    name: str
    level: str
    seen: str
    advice: str = ""


def run(as_json: bool) -> int:
    """Returns the exit code: 1 if there is a problem, else 0."""
    found = []
    for finding in examine():
        found.append(finding)
        if not as_json:
            show(finding)
    problems = sum(finding.level == "problem" for finding in found)
    if as_json:
        say_json({"ok": not problems, "findings": [finding._asdict() for finding in found]})
        return 1 if problems else 0
    say()
    if problems:
        say(
            f"{problems} problem(s). Start with the first: it may be the cause of the others.",
            "bad",
        )
    else:
        say("All that the course needs is here: mi-tutor learn", "good")
    return 1 if problems else 0


def show(finding: Finding) -> None:
    how = _HOW[finding.level]
    say(f"{sign(how)} {finding.name:<14}{finding.seen}", None if how == "good" else how)
    if finding.advice:
        say(finding.advice, indent=6)


def examine(quick: bool = False) -> Iterator[Finding]:
    """Look at everything, or only at what takes no time (no torch, no network)."""
    if not quick:
        host = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
        torch_answer = start_torch_probe() if find_spec("torch") else None
        network_answer = start_network_probe(host)
    yield python()
    yield from packages()
    if not quick:
        yield from torch_findings(
            torch_answer() if torch_answer else TorchProbe({}, "it is not installed")
        )
    yield memory_finding()
    yield disk()
    yield progress_folder_finding()
    yield jupyterlab()
    yield kernel()
    yield widgets()
    if not quick:
        yield network(network_answer())


def python() -> Finding:
    """Which Python this is. An older one than the course needs would not have come this far."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", "ok", f"{version} ({sys.executable})")


def packages() -> Iterator[Finding]:
    """Each required package that is missing or of the wrong version, or one line if there is none."""
    try:
        asked = metadata.requires("mi_tutor") or []
    except metadata.PackageNotFoundError:
        advice = f'Install it: "{sys.executable}" -m pip install -e . in the folder of the course.'
        yield Finding(
            "Packages", "problem", "mi_tutor itself is not installed in this Python", advice
        )
        return
    from packaging.requirements import Requirement

    needed = [Requirement(text) for text in asked]
    needed = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = 0
    for requirement in needed:
        wish = f"{requirement.name}{requirement.specifier}"
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            continue
        wrong += 1
        seen = (
            f"{requirement.name} {version}" if version else f"{requirement.name} is not installed"
        )
        advice = f'"{sys.executable}" -m pip install "{wish}"'
        yield Finding(
            "Packages",
            "problem",
            f"{seen}, expected {requirement.specifier or 'any version'}",
            advice,
        )
    if not wrong:
        yield Finding(
            "Packages", "ok", f"all {len(needed)} are here in the versions that the course needs"
        )


def torch_findings(probe: TorchProbe) -> Iterator[Finding]:
    """Torch itself, and the device on which the course will compute."""
    said = probe.said
    if probe.failure is not None:
        advice = f'Install it again: "{sys.executable}" -m pip install --force-reinstall torch'
        yield Finding("torch", "problem", f"torch cannot be used: {probe.failure}", advice)
        return
    yield Finding(
        "torch", "ok", f"{said['version']} ({said['build']} build), {said['threads']} threads"
    )
    names = {"cpu": "CPU", "mps": "Apple GPU (MPS)", "cuda": said.get("name", "CUDA")}
    seen = names[said["device"]]
    if "total" in said:
        seen += f", {said['free'] / GIB:.1f} of {said['total'] / GIB:.1f} GiB free"
    if not said["works"]:
        advice = (
            "Update the GPU's driver, or compute on the CPU: set CUDA_VISIBLE_DEVICES to nothing."
        )
        yield Finding(
            "Device",
            "problem",
            f"{seen}: a small product fails ({said.get('error', 'wrong')})",
            advice,
        )
    elif said["warnings"]:
        advice = "The chapters run on the CPU, so nothing is lost; a newer driver would make the GPU usable."
        yield Finding("Device", "note", f"{seen}; torch says: {said['warnings'][0]}", advice)
    elif said["device"] == "cpu" and shutil.which("nvidia-smi") and said["build"] == "CPU":
        advice = "The chapters are made for two CPU cores. pytorch.org says how to install a build for your GPU."
        yield Finding(
            "Device",
            "note",
            f"{seen}; there is an NVIDIA GPU, but this torch cannot use it",
            advice,
        )
    else:
        yield Finding("Device", "ok", seen)


def memory_finding() -> Finding:
    """Memory, with a container's limit taken into account."""
    total, available = memory()
    if total is None:
        return Finding(
            "Memory",
            "note",
            "this system does not say how much there is",
            "A chapter needs 1.5 GiB.",
        )
    seen = f"{total / GIB:.1f} GiB"
    if available is not None:
        seen = f"{available / GIB:.1f} of {seen} available"
    if total < NEEDED_MEMORY:
        return Finding(
            "Memory", "problem", seen, "A chapter needs 1.5 GiB: use another machine, or Binder."
        )
    if available is not None and available < NEEDED_MEMORY:
        return Finding(
            "Memory", "note", seen, "A chapter needs up to 1.5 GiB: close other programs."
        )
    return Finding("Memory", "ok", seen)


def disk() -> Finding:
    """Room where the course is."""
    free = shutil.disk_usage(Path.cwd()).free
    seen = f"{free / GIB:.1f} GiB free in {Path.cwd()}"
    if free < NEEDED_DISK:
        return Finding(
            "Disk", "problem", seen, "There is hardly room to save a notebook: delete something."
        )
    if free < ROOMY_DISK:
        return Finding(
            "Disk",
            "note",
            seen,
            "Enough for the course. 'On the real thing' downloads 0.6 GB more.",
        )
    return Finding("Disk", "ok", seen)


def progress_folder_finding() -> Finding:
    """Whether progress can be saved, and whether what is there can be read."""
    from mi_tutor.teach.progress_store import progress_folder, read

    folder = progress_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"can this be written?")
    except OSError as error:
        seen = f"cannot be saved in {folder} ({(error.strerror or str(error)).lower()})"
        advice = "Make the folder writable, or set the variable MI_TUTOR_HOME to one that is."
        return Finding("Progress", "problem", seen, advice)
    log = read()
    if log.note is not None:
        return Finding(
            "Progress", "note", f"results so far: {len(log.events)}, in {folder}", log.note
        )
    return Finding("Progress", "ok", f"results so far: {len(log.events)}, in {folder}")


def jupyterlab() -> Finding:
    """JupyterLab, in the same Python."""
    if find_spec("jupyterlab") is None:
        advice = f'"{sys.executable}" -m pip install jupyterlab'
        return Finding("JupyterLab", "problem", "is not installed in this Python", advice)
    return Finding("JupyterLab", "ok", metadata.version("jupyterlab"))


def kernel() -> Finding:
    """Whether notebooks will run in this Python: a forgotten kernel of another one often takes the name."""
    mend = f'"{sys.executable}" -m ipykernel install --sys-prefix --name python3'
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        spec = KernelSpecManager().get_kernel_spec("python3")
    except ImportError:
        advice = f'"{sys.executable}" -m pip install ipykernel'
        return Finding("Kernel", "problem", "jupyter_client is not installed", advice)
    except NoSuchKernel:
        return Finding("Kernel", "problem", "there is no kernel named python3", mend)
    program = spec.argv[0]
    # Jupyter itself puts the running Python in the place of these names.
    generic = Path(program).name == program and program.startswith("python")
    if not generic and not _beside(program, sys.executable):
        seen = f"notebooks run in another Python: {program} (set in {spec.resource_dir})"
        return Finding("Kernel", "problem", seen, mend)
    return Finding("Kernel", "ok", "notebooks run in this Python")


def _beside(one: str, other: str) -> bool:
    """Whether two programs are in the same folder (links are not followed: that is what environments are)."""
    first, second = (os.path.normcase(Path(path).absolute().parent) for path in (one, other))
    return first == second


def widgets() -> Finding:
    """Whether JupyterLab can show ipywidgets."""
    for package in ("ipywidgets", "jupyterlab_widgets"):
        if find_spec(package) is None:
            advice = f'"{sys.executable}" -m pip install ipywidgets'
            return Finding(
                "Widgets", "problem", f"{package} is not installed in this Python", advice
            )
    versions = f"ipywidgets {metadata.version('ipywidgets')}"
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return Finding("Widgets", "note", versions, "JupyterLab is not here to show them.")
    places = [
        Path(folder) / "@jupyter-widgets/jupyterlab-manager"
        for folder in jupyter_path("labextensions")
    ]
    if not any(place.is_dir() for place in places):
        advice = f'"{sys.executable}" -m pip install --force-reinstall jupyterlab_widgets'
        return Finding(
            "Widgets", "problem", f"{versions}, but JupyterLab's part of it is missing", advice
        )
    return Finding("Widgets", "ok", versions)


def network(failure: str | None) -> Finding:
    """Only "On the real thing" needs a network."""
    fine = "Fine: everything but 'On the real thing' works."
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        return Finding("Network", "note", "switched off by HF_HUB_OFFLINE", fine)
    if failure is None:
        return Finding("Network", "ok", "models can be downloaded")
    return Finding("Network", "note", f"offline ({failure})", fine)
