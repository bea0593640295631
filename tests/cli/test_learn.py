"""Finding chapters, and starting JupyterLab with and without a display (a stand-in for JupyterLab is started)."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mi_tutor import folders
from mi_tutor.cli import learn
from mi_tutor.cli.chapters import find_chapter, find_notebook
from mi_tutor.cli.say import Trouble
from mi_tutor.workspace import folder
from mi_tutor.workspace.settings import config_folder

JUPYTERLAB = """
import json, os, sys
runtime = os.environ["JUPYTER_RUNTIME_DIR"]
root = next(word.partition("=")[2] for word in sys.argv if word.startswith("--ServerApp.root_dir="))
server = {"url": "http://localhost:8890/", "port": 8890, "token": "secret", "root_dir": root, "pid": os.getpid()}
os.makedirs(runtime, exist_ok=True)
with open(os.path.join(runtime, "jpserver-1.json"), "w") as file:
    file.write("{half")
if "--no-browser" in sys.argv:
    with open(os.path.join(runtime, f"jpserver-{os.getpid()}.json"), "w") as file:
        json.dump(server, file)
    import time
    time.sleep(float(os.environ.get("FAKE_SECONDS", 3)))  # seen while it lives, on a busy machine, too
sys.exit(5 if "02_" in sys.argv[-1] else 0)
"""


@pytest.fixture
def fake_lab(tmp_path):
    """Run the command in a real process in which `jupyterlab` is a stand-in."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "jupyterlab.py").write_text(JUPYTERLAB)
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "WSL_DISTRO_NAME"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    # This tree first, whatever copy of the course is installed.
    path = os.pathsep.join([str(modules), str(Path(__file__).parents[2])])
    environment |= {"PYTHONPATH": path, "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}

    def run(*words: str, **more: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "mi_tutor.cli", "learn", *words]
        return subprocess.run(
            command, env=environment | more, capture_output=True, text=True, timeout=300
        )

    run.environment = environment
    return run


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "01",
            "1",
            "superposition",
            "01_superposition",
            "01-Superposition",
            "01_superposition.ipynb",
        ],
    )
    def test_all_the_names_of_a_chapter(self, course, name):
        assert find_chapter(name) == course / "chapters" / "01_superposition.ipynb"

    def test_first_chapter_and_paths(self, course):
        assert find_chapter(None).name == "00_start_here.ipynb"
        assert find_chapter("chapters/01_superposition.ipynb").is_absolute()

    def test_from_inside_the_course(self, course, monkeypatch):
        monkeypatch.chdir(course / "chapters")
        assert find_chapter("1").name == "01_superposition.ipynb"

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("superpositon", "Did you mean 01_superposition"),
            ("7", "There are: 00_start_here, 01"),
            ("zzz", "There are"),
        ],
    )
    def test_unknown(self, course, name, sentence):
        with pytest.raises(Trouble, match=sentence):
            find_chapter(name)

    def test_installed_and_no_workspace_yet(self, tmp_path, monkeypatch):
        """What came with an installation is for nobody to write in."""
        monkeypatch.chdir(tmp_path)
        installed = tmp_path / "site-packages" / "mi_tutor"
        (installed / "course" / "chapters").mkdir(parents=True)
        (installed / "course" / "chapters" / "01_superposition.ipynb").touch()
        monkeypatch.setattr(folders, "PACKAGE", installed)
        assert folders.course_folder() == installed / "course"
        with pytest.raises(Trouble, match="mi-tutor start my-course"):
            find_chapter("01")

    def test_from_elsewhere_the_last_workspace(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        folder.start(tmp_path / "mine")
        folders.remember(tmp_path / "mine")
        assert find_chapter("1").parent == tmp_path / "mine" / "chapters"

    def test_notebooks_to_check(self, course):
        mine = course / "my answers.ipynb"
        mine.touch()
        assert find_notebook("my answers.ipynb") == Path("my answers.ipynb")
        assert find_notebook("my answers") == Path("my answers.ipynb")
        assert find_notebook("1").name == "01_superposition.ipynb"
        for name, sentence in [
            (
                "my_answers.ipynb",
                "There is no file my_answers.ipynb. Did you mean my answers.ipynb",
            ),
            ("chapters/01_superpositon.ipynb", "Did you mean chapters/01_superposition.ipynb"),
            ("nowhere/x.ipynb", "There is no file nowhere/x.ipynb.$"),
            ("chapters", "is a folder.*Did you mean chapters/0"),
        ]:
            with pytest.raises(Trouble, match=sentence):
                find_notebook(name)


class TestDisplay:
    @pytest.fixture(autouse=True)
    def nothing_set(self, monkeypatch):
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "WSL_DISTRO_NAME"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("platform", "variables", "expected"),
        [
            ("linux", {}, False),
            ("linux", {"DISPLAY": ":0"}, True),
            ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
            ("linux", {"WSL_DISTRO_NAME": "Ubuntu"}, True),
            ("linux", {"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "1 2 3 4"}, False),
            ("darwin", {}, True),
            ("darwin", {"SSH_TTY": "/dev/ttys001"}, False),
            ("win32", {}, True),
        ],
    )
    def test_has_display(self, monkeypatch, platform, variables, expected):
        monkeypatch.setattr(sys, "platform", platform)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert learn.has_display() is expected


@pytest.mark.slow
class TestStart:
    def test_without_a_display(self, course, fake_lab):
        done = fake_lab("1")
        assert done.returncode == 0, done.stderr
        address = "http://localhost:8890/lab/tree/chapters/01_superposition.ipynb?token=secret"
        assert address in done.stdout and "ssh -N -L 8890:localhost:8890 " in done.stdout

    def test_over_ssh(self, course, fake_lab):
        done = fake_lab("1", DISPLAY=":10", SSH_CONNECTION="10.0.0.1 5000 10.0.0.2 22")
        assert "@10.0.0.2" in done.stdout

    def test_with_a_display(self, course, fake_lab):
        done = fake_lab("2", DISPLAY=":0")
        assert done.returncode == 5  # JupyterLab's own
        assert "Opening 02_sparse_autoencoders.ipynb" in done.stdout and "http" not in done.stdout

    def test_browser_can_be_refused(self, course, fake_lab):
        assert "http://localhost:8890/" in fake_lab("--no-browser", DISPLAY=":0").stdout

    def test_a_second_one_is_not_started(self, course, fake_lab, tmp_path):
        """Two servers on one folder would save over each other; one that is gone does not count."""
        (tmp_path / "runtime").mkdir()
        with socket.create_server(("localhost", 0)) as there:
            port = there.getsockname()[1]
            server = {
                "url": f"http://localhost:{port}/",
                "port": port,
                "token": "t",
                "root_dir": str(course),
            }
            (tmp_path / "runtime" / "jpserver-7.json").write_text(json.dumps(server))
            done = fake_lab("1", "--no-browser")
        address = f"http://localhost:{port}/lab/tree/chapters/01_superposition.ipynb?token=t"
        assert done.returncode == 0 and address in done.stdout and "already" in done.stdout
        assert "8890" in fake_lab("1", "--no-browser").stdout

    @pytest.mark.skipif(sys.platform == "win32", reason="nothing can be asked to end there")
    def test_told_to_end_it_leaves_no_server_behind(self, course, fake_lab):
        learning = subprocess.Popen(
            [sys.executable, "-m", "mi_tutor.cli", "learn", "1"],
            env=fake_lab.environment | {"FAKE_SECONDS": "3600"},
            stdout=subprocess.PIPE,
            text=True,
        )
        while "Stop JupyterLab here" not in learning.stdout.readline():
            assert learning.poll() is None
        runtime = Path(fake_lab.environment["JUPYTER_RUNTIME_DIR"])
        (note,) = (path for path in runtime.glob("jpserver-*.json") if path.stem != "jpserver-1")
        learning.terminate()
        learning.communicate(timeout=180)
        assert learning.returncode == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(json.loads(note.read_text())["pid"], 0)

    def test_typo(self, course, mi_tutor):
        code, out, err = mi_tutor("learn", "superpositon")
        assert (code, out) == (
            2,
            "",
        ) and err == "There is no chapter 'superpositon'. Did you mean 01_superposition?\n"

    def test_no_jupyterlab(self, course, mi_tutor, monkeypatch):
        monkeypatch.setattr(learn, "find_spec", lambda name: None)
        code, _, err = mi_tutor("learn")
        assert code == 2 and err.startswith("JupyterLab is not installed") and err.count("\n") == 1

    def test_root_is_allowed_because_containers_have_nobody_else(self, monkeypatch, course):
        chapter = course / "chapters" / "01_superposition.ipynb"
        monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
        assert "--allow-root" in learn.command(chapter, headless=False)
        monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
        words = learn.command(chapter, headless=True)
        assert "--allow-root" not in words and "--no-browser" in words and words[-1] == str(chapter)


def test_in_a_workspace_jupyterlab_has_its_defaults(tmp_path, monkeypatch):
    """As JupyterLab reads them; what was in JUPYTER_CONFIG_PATH stays."""
    from jupyterlab_server.settings_utils import _get_overrides

    folder.start(tmp_path / "mine")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/other")
    chapter = tmp_path / "mine" / "chapters" / "01_superposition.ipynb"
    path = learn.environment(chapter)["JUPYTER_CONFIG_PATH"]
    assert path.split(os.pathsep) == [str(config_folder(tmp_path / "mine")), "/other"]
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", path)
    overrides, error = _get_overrides(str(tmp_path))
    assert not error
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    monkeypatch.delenv("JUPYTER_CONFIG_PATH")
    assert "JUPYTER_CONFIG_PATH" not in learn.environment(tmp_path / "x" / "chapters" / "1.ipynb")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals to a process group")
def test_the_real_jupyterlab(course, tmp_path):
    """It starts, the printed address opens the chapter's page, and Ctrl+C ends it without complaint."""
    environment = os.environ | {
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "mi_tutor.cli", "learn", "1", "--no-browser"]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 300
        found = None
        while found is None and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
            found = re.search(
                r"(http://\S+?)lab/tree/(\S+)\?(token=\w+)", (tmp_path / "said").read_text()
            )
        assert found is not None, (tmp_path / "said").read_text()
        base, chapter, token = found.groups()
        with urllib.request.urlopen(
            f"{base}api/contents/{chapter}?content=0&{token}", timeout=120
        ) as answer:
            assert json.load(answer)["path"] == "chapters/01_superposition.ipynb"
        for _ in range(20):  # the second Ctrl+C skips the question
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                time.sleep(0.5)
        assert process.wait(timeout=120) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
