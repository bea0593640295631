"""The same jobs on a cluster's workers: Dask hands them out, and hands them out again where a worker dies.

Nothing has to be shared but the course, installed in the same version: files and chapters travel with the jobs.
"""

from __future__ import annotations

import atexit
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, NamedTuple

import mi_tutor
from mi_tutor.classroom import temporary
from mi_tutor.classroom.grader import Settings, kept_grader, run_job

CONNECT_SECONDS = 30.0
_ONE_AT_A_TIME = threading.Lock()  # a worker with several threads has one grader all the same


class NoCluster(RuntimeError):
    """The cluster cannot be used. The message says why, and what to try."""


class Parcel(NamedTuple):
    """A chapter folder's notebooks by name, as they are here."""

    notebooks: dict[str, bytes]


class Cluster(Executor):
    """An executor for `running.run_all` whose jobs run on a Dask cluster.

    Raises:
        NoCluster: `distributed` is missing, nothing answers, or a worker has another version of the course.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise NoCluster(
                "A cluster needs Dask here and on its workers: pip install 'mi_tutor[cluster]'"
            ) from None
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise NoCluster(
                f"No Dask scheduler answers at {address} ({error}). Expected something like tcp://host:8786."
            ) from None
        self._parcels: dict[str, Any] = {}
        versions = self.client.run(version)
        other = {name for name, found in versions.items() if found != mi_tutor.__version__}
        if other or not versions:
            self.shutdown()
            said = f"{len(other)} of its workers have" if other else "It has no workers, let alone"
            raise NoCluster(f"{said} another version than {mi_tutor.__version__} of the course.")
        self.executor = self.client.get_executor(pure=False)

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future:
        """Only `run_job` goes to a cluster: its file goes along."""
        assert function is run_job and not named
        settings, learner, path = given
        content = Path(path).read_bytes()
        parcel = self._parcel(settings.chapters)
        return self.executor.submit(
            run_parcel, settings, learner, Path(path).name, content, parcel, pure=False
        )

    def _parcel(self, chapters: str) -> Any:
        if chapters not in self._parcels:
            notebooks = {file.name: file.read_bytes() for file in Path(chapters).glob("*.ipynb")}
            self._parcels[chapters] = self.client.scatter(Parcel(notebooks), broadcast=True)
        return self._parcels[chapters]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.client.close()


def version() -> str:
    """Of the course, where this runs."""
    return mi_tutor.__version__


def run_parcel(
    settings: Settings, learner: str, name: str, content: bytes, parcel: Parcel
) -> dict[str, Any]:
    """`run_job` for a file that came as bytes. The jail of this machine is tried before the first one.

    Raises:
        NoJail: a wall does not hold here (`workers.NoJail`).
    """
    with _ONE_AT_A_TIME, temporary.folder("parcel") as folder:
        here = settings._replace(chapters=_laid_out(parcel))
        if here.jail and here not in _tried:
            kept_grader(here).nursery.try_jail()
            _tried.add(here)
        path = Path(folder, Path(name).name)
        path.write_bytes(content)
        return run_job(here, learner, str(path))


def _laid_out(parcel: Parcel) -> str:
    """The folder of these notebooks, written once in a process."""
    digest = hashlib.sha256()
    for name, content in sorted(parcel.notebooks.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    key = digest.hexdigest()
    if key not in _laid:
        _laid[key] = temporary.make("chapters")
        atexit.register(temporary.remove, _laid[key])
        for name, content in parcel.notebooks.items():
            Path(_laid[key], Path(name).name).write_bytes(content)
    return str(_laid[key])


_laid: dict[str, Path] = {}
_tried: set[Settings] = set()
