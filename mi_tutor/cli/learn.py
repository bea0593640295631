"""`mi-tutor learn`: a quick setup check, then JupyterLab with the chapter open."""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from mi_tutor.cli.chapters import find_chapter
from mi_tutor.cli.doctor import examine, show
from mi_tutor.cli.say import Trouble, say
from mi_tutor.folders import workspace_above
from mi_tutor.workspace.settings import config_folder

START_SECONDS = 90.0

# A server's note about itself: its file's name and when it was written.
Stamp = tuple[str, int]


def run(name: str | None, no_browser: bool) -> int:
    """Open the chapter. Returns JupyterLab's exit code when it ends."""
    chapter = find_chapter(name)
    _quick_check()
    if find_spec("jupyterlab") is None:
        raise Trouble(
            f'JupyterLab is not installed in this Python: "{sys.executable}" -m pip install jupyterlab'
        )
    headless = no_browser or not has_display()
    running = _running(chapter.parent.parent)
    if running is not None:
        _show_running(running, chapter, headless)
        return 0
    before = {stamp for stamp, _ in _servers(chapter.parent.parent)}
    process = subprocess.Popen(command(chapter, headless), env=environment(chapter))
    # From here on Ctrl+C is for JupyterLab alone: it asks back, and saves what is open. It stays so
    # to the end: an impatient third Ctrl+C should not turn a clean stop into a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Told to end (a container that stops, `kill`), it takes JupyterLab with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        if headless:
            _tell_address(process, chapter, before)
        else:
            say(f"Opening {chapter.name} in JupyterLab. Stop it here with Ctrl+C.", "strong")
        code = process.wait()
        return 0 if code == -signal.SIGINT else code
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def command(chapter: Path, headless: bool) -> list[str]:
    """The command that starts JupyterLab with the chapter's course folder as its root."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={chapter.parent.parent}"]
    # What a learner has to read should not drown in messages.
    words.append("--ServerApp.log_level=WARN")
    if headless:
        words.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In containers there is often nobody else, and Jupyter would refuse.
        words.append("--allow-root")
    return [*words, str(chapter)]


def environment(chapter: Path) -> dict[str, str]:
    """The environment of JupyterLab: in a workspace with its defaults, which ask a newcomer nothing."""
    workspace = workspace_above(chapter)
    if workspace is None:
        return dict(os.environ)
    more = os.environ.get("JUPYTER_CONFIG_PATH")
    folders = [str(config_folder(workspace)), *([more] if more else [])]
    return os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(folders)}


def has_display() -> bool:
    """Whether a browser can be shown to whoever sits in front of this terminal."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    if sys.platform in {"win32", "darwin"} or os.environ.get("WSL_DISTRO_NAME"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _quick_check() -> None:
    findings = [finding for finding in examine(quick=True) if finding.level != "ok"]
    for finding in findings:
        show(finding)
    if findings:
        say("mi-tutor doctor looks at everything.", "faint")
    else:
        say("Setup check: all is well.", "good")


def _tell_address(process: subprocess.Popen[bytes], chapter: Path, before: set[Stamp]) -> None:
    """Wait for the server and say where it is, once it has chosen a port."""
    server = _server(process, chapter.parent.parent, before)
    if server is None:
        return
    say()
    say("Open this address in a browser on this machine:", "strong")
    print(f"  {_address(server, chapter)}")
    say("If you reached this machine by ssh, first run this on your own computer:")
    port = server["port"]
    print(f"  ssh -N -L {port}:localhost:{port} {getpass.getuser()}@{_this_host()}")
    say("Stop JupyterLab here with Ctrl+C.", "faint")
    say()
    sys.stdout.flush()


def _address(server: dict[str, object], chapter: Path) -> str:
    """The chapter's page on a server."""
    where = chapter.relative_to(chapter.parent.parent)
    address = f"{server['url']}lab/tree/{quote(where.as_posix())}"
    return f"{address}?token={server['token']}" if server.get("token") else address


def _server(
    process: subprocess.Popen[bytes], root: Path, before: set[Stamp]
) -> dict[str, object] | None:
    """What the new server wrote down about itself; None if it ended or does not say.

    Told from those of before by their files, not by the clock (one that died a moment ago left its own
    behind) nor by the process (on Windows a virtual environment's Python starts another one).
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for stamp, server in _servers(root):
            if stamp not in before:
                return server
        time.sleep(0.1)
    return None


def _running(root: Path) -> dict[str, object] | None:
    """The server that has this folder open already. Two of them would save over each other's notebooks."""
    return next((server for _, server in _servers(root) if _answers(server)), None)


def _servers(root: Path) -> Iterator[tuple[Stamp, dict[str, object]]]:
    """What servers of this folder wrote down about themselves, some of which may be long gone."""
    from jupyter_core.paths import jupyter_runtime_dir

    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            stamp = (path.name, path.stat().st_mtime_ns)
            server = json.loads(path.read_text(encoding="utf-8"))
            if Path(server["root_dir"]).resolve() == root.resolve():
                yield stamp, server
        except (OSError, ValueError, KeyError, TypeError):
            continue  # written at this moment, or another program's


def _answers(server: dict[str, object]) -> bool:
    """Whether something listens at the server's port on this machine."""
    try:
        with socket.create_connection(("localhost", int(str(server["port"]))), timeout=1.0):
            return True
    except (OSError, ValueError, KeyError):
        return False


def _show_running(server: dict[str, object], chapter: Path, headless: bool) -> None:
    """Open the chapter in the JupyterLab that is there, or say where it is."""
    address = _address(server, chapter)
    say("JupyterLab has this folder open already, so the chapter is opened there:", "strong")
    print(f"  {address}")
    if not headless:
        import webbrowser

        webbrowser.open(address)


def _this_host() -> str:
    """The name or address at which the user reached this machine."""
    connection = os.environ.get("SSH_CONNECTION", "").split()
    return connection[2] if len(connection) == 4 else socket.gethostname()
