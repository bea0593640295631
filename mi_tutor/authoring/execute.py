"""Running a source into its executed solution notebook, and measuring what that takes."""

from __future__ import annotations

import copy
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from tqdm import tqdm

from mi_tutor.authoring.build import number_cells
from mi_tutor.authoring.clean import clean_outputs
from mi_tutor.authoring.ids import cell_ids
from mi_tutor.authoring.notebook import is_claim, make_proof, without_claims
from mi_tutor.authoring.pictures import add_pictures, course_draw, pictures_at
from mi_tutor.authoring.registry import Registry, course_registry
from mi_tutor.authoring.source import Chapter, read_chapter
from mi_tutor.files import notebook_text, write_atomically

_WATCH = "from mi_tutor.witness import watch\nwatch()"
_STOOD_ON = "from mi_tutor.witness import stood_on\nprint(*stood_on(), sep='\\n')"
_PEAK = "from mi_tutor.peak import peak_bytes\nprint(peak_bytes())"
_COUNTING = "progress()"  # lists the exercises of the whole course, and no claim is about it
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ExecutionFailed(RuntimeError):
    """A cell raised, took too long or killed the kernel. The old notebook is as it was."""


class FalseClaim(RuntimeError):
    """A sentence of the prose that the outputs above it do not bear out."""


class Executed(NamedTuple):
    """What running a chapter took.

    path: the notebook that was written, or would have been.
    changed: whether the file differs from what was there.
    seconds: wall time from starting the kernel to the end of the last cell.
    peak_bytes: the most memory that the kernel held.
    stood_on: the files of mi_tutor that it loaded and opened (`mi_tutor.witness`).
    """

    path: Path
    changed: bool
    seconds: float
    peak_bytes: int
    stood_on: tuple[str, ...] = ()


class _ThisPython(KernelSpecManager):
    """Starts kernels with the running Python, whatever `python3` means elsewhere on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # Else it warns on our terminal that its sockets on this machine are not encrypted.
        argv += ["--IPKernelApp.log_level=ERROR"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


def execute(
    source: Path,
    *,
    registry: Registry | None = None,
    repository: str = "",
    root: Path | None = None,
    cell_seconds: float = 600.0,
    progress: bool = True,
    write: bool = True,
) -> Executed:
    """Run a source's solution and claims in a fresh kernel and write the solution notebook beside the source.

    The kernel runs in the source's folder, as JupyterLab's does, with progress records in a temporary
    folder, so that solutions never count as somebody's answers.

    Args:
        source: `solutions/NN_slug.py`.
        registry: the course's own if None.
        repository: "owner/name" for badges and the Colab cell; empty leaves them out.
        root: paths in outputs are shortened to be relative to it; the source's parent folder if None.
        cell_seconds: how long one cell may run.
        progress: whether to show a progress bar over the cells.
        write: False only measures.

    Raises:
        ExecutionFailed: says which cell, at which line of the source, and what was raised; for a claim, the
            sentence that does not hold.
        SourceError: with file and line.
    """
    chapter = read_chapter(source)
    proof = make_proof(chapter, registry or course_registry(), repository)
    started = time.perf_counter()
    ran, peak, stood_on = _run(chapter, proof, cell_seconds, progress)
    seconds = time.perf_counter() - started
    without_claims(ran)
    clean_outputs(ran, (root or source.resolve().parent.parent).resolve())
    number_cells(ran)
    path = source.with_suffix(".ipynb")
    add_pictures(ran, pictures_at(path), course_draw() if write else None)
    changed = write_atomically(path, notebook_text(ran)) if write else False
    return Executed(path, changed, seconds, peak, stood_on)


def _run(
    chapter: Chapter, notebook: NotebookNode, cell_seconds: float, progress: bool
) -> tuple[NotebookNode, int, tuple[str, ...]]:
    """The executed notebook, the kernel's peak memory and what it stood on, asked in cells of our own."""
    ran = copy.deepcopy(notebook)
    code = [number for number, cell in enumerate(ran.cells) if cell.cell_type == "code"]
    counted = [number for number in code if ran.cells[number].source != _COUNTING]
    watch, stood_on, peak = own = [new_code_cell(text) for text in (_WATCH, _STOOD_ON, _PEAK)]
    ran.cells.insert(counted[-1] + 1 if counted else 0, stood_on)
    ran.cells.insert(0, watch)
    ran.cells.append(peak)
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython())
    client = NotebookClient(
        ran,
        km=manager,
        timeout=cell_seconds,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
    )
    with tempfile.TemporaryDirectory(prefix="mi_tutor-", ignore_cleanup_errors=True) as home:
        environment = os.environ | {
            "MI_TUTOR_HOME": home,
            "PLOTLY_RENDERER": "plotly_mimetype",
            "PYTHONHASHSEED": "0",
        }
        folder = str(chapter.path.resolve().parent)
        with client.setup_kernel(cleanup_kc=True, cwd=folder, env=environment):
            code = [(i, cell) for i, cell in enumerate(ran.cells) if cell.cell_type == "code"]
            false = []
            for index, cell in tqdm(code, chapter.stem, unit="cell", disable=not progress):
                try:
                    _run_cell(client, chapter, cell, index)
                except FalseClaim as claim:  # all of them are told, at the end
                    false.append(str(claim))
    if false:
        raise ExecutionFailed(
            "The outputs do not bear out what the prose says:\n" + "\n".join(false)
        )
    ran.cells = [cell for cell in ran.cells if not any(cell is one for one in own)]
    return ran, int(_printed(peak)), tuple(_printed(stood_on).split())


def _printed(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def _run_cell(client: NotebookClient, chapter: Chapter, cell: NotebookNode, index: int) -> None:
    problem = ""
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        problem = _COLOUR.sub("", f"{error.ename}: {error.evalue}\n\n{error.traceback}").strip()
        if is_claim(cell) and error.ename == "AssertionError":
            line = cell.metadata["mi_tutor"]["line"]
            raise FalseClaim(f"  {chapter.path.name}:{line}: {error.evalue}") from None
    except CellTimeoutError:
        problem = f"it was stopped after {client.timeout:g} s"
    except DeadKernelError:
        problem = "the kernel died (out of memory?)"
    if problem:
        lines = dict(zip(cell_ids(chapter.cells), (one.line for one in chapter.cells), strict=True))
        line = cell.metadata.get("mi_tutor", {}).get("line") or lines.get(cell.id, 1)
        where = f"{chapter.path.name}:{line}"
        raise ExecutionFailed(f"{where}: cell {cell.id!r} failed: {problem}")
