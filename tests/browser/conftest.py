"""A real browser, a fresh workspace with its JupyterLab, and the site: what the tests here stand on."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from in_jupyterlab import FIRST, Lab

ROOT = Path(__file__).parents[2]
SEEN = Path(__file__).parent / "seen"  # screenshots, to be looked at
PATIENCE = 300_000  # ms. Everything is waited for; this is only where nothing comes.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAYOUTS = itertools.count(1)
ADDRESS = re.compile(r"http://\S+/lab/tree/\S+")
# In a picture of a part: no frame around the chosen cell, and no buttons.
WITHOUT_TOOLS = """.jp-Collapser, .jp-cell-toolbar, .jp-cell-menu { visibility: hidden !important; }
.jp-Cell, .jp-Cell * { outline: none !important; }
.jp-Cell { border-color: transparent !important; box-shadow: none !important; }
.jp-Cell::before, .jp-Cell::after { display: none !important; }"""
SERIOUS = {"serious", "critical"}


def found_browser() -> str | None:
    """A Chromium or Chrome of this machine."""
    chosen = os.environ.get("MI_TUTOR_BROWSER")
    return chosen or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, or a reason why not."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright here: pip install mi_tutor[browser]"
    )
    path = found_browser()
    if path is None:
        pytest.skip("no Chromium or Chrome here: apt install chromium, or set MI_TUTOR_BROWSER")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(
            executable_path=path, args=[*QUIET, *(["--no-sandbox"] if root else [])]
        )
        yield started
        started.close()


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., Any]]:
    """Opens a page of its own: `open_page(width=390, dark=True)`."""
    contexts = []

    def opened(width: int = 1280, dark: bool = False) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


class Server(NamedTuple):
    """JupyterLab on a workspace: the address of its first chapter, as it was printed, and the folder."""

    address: str
    workspace: Path

    def at(self, path: str, page: str = "lab/tree") -> str:
        """The address of another notebook, in JupyterLab or in Notebook 7 ("notebooks")."""
        start, _, rest = self.address.partition("/lab/tree/")
        return f"{start}/{page}/{path}?{rest.partition('?')[2]}"


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory) -> Iterator[Server]:
    """`mi-tutor start` in a folder with a space and an umlaut, then `mi-tutor learn` there."""
    home = tmp_path_factory.mktemp("home")
    workspace = home / "Mein Kurs ü"
    environment = _nobodys(home)
    run = [sys.executable, "-m", "mi_tutor.cli"]
    subprocess.run(
        [*run, "start", str(workspace)], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    (workspace / "widgets.ipynb").write_text(_widgets(), encoding="utf-8")
    log = (home / "server.log").open("w")
    process = subprocess.Popen(
        [*run, "learn", "00", "--no-browser"],
        cwd=workspace,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    try:
        said = iter(process.stdout.readline, "")
        address = next((found[0] for line in said if (found := ADDRESS.search(line))), None)
        assert address, (home / "server.log").read_text()[-2000:]
        yield Server(address, workspace)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        process.stdout.close()
        log.close()


def _nobodys(home: Path) -> dict[str, str]:
    """The environment of somebody who has never used Jupyter or the course."""
    config = home / "config"
    config.mkdir()
    # So that tests can ask JupyterLab for a cell by its id; cells out of sight are not in the page.
    exposed = {"LabApp": {"expose_app_in_browser": True}}
    (config / "jupyter_lab_config.json").write_text(json.dumps(exposed))
    folders = {
        "HOME": home,
        "XDG_DATA_HOME": home / "share",
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "layouts",
    }
    words = {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    mine = {name: value for name, value in os.environ.items() if name != "MI_TUTOR_HOME"}
    return mine | {name: str(folder) for name, folder in folders.items()} | words


def _widgets() -> str:
    """A notebook with every widget of the course, each in a cell named like it."""
    import jupytext
    import nbformat

    notebook = jupytext.read(Path(__file__).with_name("every_widget.py"))
    for cell in notebook.cells:
        cell["id"] = cell.metadata.pop("id")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook.metadata = {"kernelspec": kernel}
    return nbformat.writes(notebook)


@pytest.fixture
def lab(server, open_page) -> Callable[..., Lab]:
    """Opens a notebook of the workspace in JupyterLab: `lab("widgets.ipynb")`, or what `mi-tutor learn` opens."""

    def opened(path: str = "", **how: Any) -> Lab:
        page = open_page(**how)
        # A layout of its own: what another test left open is not opened again.
        page.goto(
            server.at(path, f"lab/workspaces/{next(LAYOUTS)}/tree") if path else server.address
        )
        return Lab(page, path or FIRST)

    return opened


@pytest.fixture(scope="session")
def site(browser, tmp_path_factory) -> Path:
    """The web page, as `make site` writes it."""
    pytest.importorskip("latex2mathml", reason="make site needs it: pip install mi_tutor[site]")
    from mi_tutor.authoring.site.building import build_site

    out = tmp_path_factory.mktemp("a folder") / "site"
    build_site(ROOT, "", out)
    return out


@pytest.fixture
def seen() -> Callable[..., None]:
    """Keeps a screenshot, of all or of parts that stand together: `seen(page, "a name", part)`."""
    SEEN.mkdir(exist_ok=True)

    def kept(page: Any, name: str, *parts: Any) -> None:
        if not parts:
            page.screenshot(path=SEEN / f"{name}.png")
            return
        parts[-1].evaluate("node => node.scrollIntoView({block: 'nearest'})")
        boxes = [part.bounding_box() for part in parts]
        left, top = (min(box[side] for box in boxes) for side in ("x", "y"))
        right, below = (
            max(box[side] + box[size] for box in boxes)
            for side, size in (("x", "width"), ("y", "height"))
        )
        clip = {"x": left, "y": top, "width": right - left, "height": below - top}
        page.screenshot(path=SEEN / f"{name}.png", clip=clip, style=WITHOUT_TOOLS)

    return kept


@pytest.fixture
def assert_accessible() -> Callable[..., None]:
    """axe-core finds nothing serious in a page, or in a part without some others of it."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="no axe here: pip install mi_tutor[browser]"
    )

    def looked(page: Any, part: str = "html", without: str = ".nothing") -> None:
        context = {"include": [[part]], "exclude": [[without]]}
        found = axe.Axe().run(page, context=context, options={"resultTypes": ["violations"]})
        bad = [
            f"{each['id']} ({each['impact']}): {each['help']}\n    "
            + "\n    ".join(node["html"][:300] for node in each["nodes"][:4])
            for each in found.response["violations"]
            if each["impact"] in SERIOUS
        ]
        assert not bad, f"{page.url}\n" + "\n".join(bad)

    return looked
