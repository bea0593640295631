"""Each finding of the doctor, on a machine where just that is wrong."""

import json
import socket
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from mi_tutor.cli import doctor, machine
from mi_tutor.cli.machine import GIB, Memory, TorchProbe
from mi_tutor.teach.progress import record


@pytest.mark.slow
def test_this_machine(home, tmp_path):
    """The real thing: whatever this machine is like, the answer is whole and comes in time."""
    done = subprocess.run(
        [sys.executable, "-m", "mi_tutor.cli", "doctor", "--json"], capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1) and done.stderr == ""
    names = [finding["name"] for finding in found["findings"]]
    for name in (
        "Python",
        "Packages",
        "torch",
        "Memory",
        "Disk",
        "Progress",
        "JupyterLab",
        "Kernel",
        "Widgets",
        "Network",
    ):
        assert name in names
    assert all(f["advice"] for f in found["findings"] if f["level"] == "problem")


def test_text_and_exit_codes(mi_tutor, monkeypatch):
    findings = [
        doctor.Finding("Disk", "ok", "roomy"),
        doctor.Finding("Network", "note", "offline", "Fine."),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: iter(findings))
    code, out, _ = mi_tutor("doctor")
    assert code == 0 and out.splitlines()[:3] == [
        "✓ Disk          roomy",
        "· Network       offline",
        "      Fine.",
    ]
    findings.append(doctor.Finding("torch", "problem", "broken", "Install it."))
    code, out, _ = mi_tutor("doctor")
    assert code == 1 and "✗ torch" in out and "1 problem(s)" in out


def test_quick_examination_is_quick_and_starts_nothing(monkeypatch):
    for name in ("start_torch_probe", "start_network_probe"):
        monkeypatch.setattr(doctor, name, lambda *_: pytest.fail("started"))
    assert {finding.name for finding in doctor.examine(quick=True)} >= {
        "Python",
        "Packages",
        "JupyterLab",
    }


class TestPackages:
    def findings(self, monkeypatch, requires: list[str]):
        monkeypatch.setattr(metadata, "requires", lambda name: requires)
        return list(doctor.packages())

    def test_all_there(self, monkeypatch):
        (finding,) = self.findings(monkeypatch, ["pytest>=1", "numpy", "ruff>=900; extra == 'dev'"])
        assert finding.level == "ok" and "all 2" in finding.seen

    def test_missing_and_old_ones(self, monkeypatch):
        missing, old = self.findings(monkeypatch, ["no-such-package>=2", "pytest>=900", "numpy"])
        assert missing.level == old.level == "problem"
        assert (
            "is not installed, expected >=2" in missing.seen
            and 'pip install "no-such-package>=2"' in missing.advice
        )
        assert f"pytest {metadata.version('pytest')}, expected >=900" in old.seen

    def test_course_itself_is_not_installed(self, monkeypatch):
        def refuse(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "requires", refuse)
        (finding,) = doctor.packages()
        assert finding.level == "problem" and "pip install -e ." in finding.advice


class TestTorch:
    said: ClassVar = {
        "version": "2.6",
        "build": "CPU",
        "threads": 2,
        "device": "cpu",
        "works": True,
        "warnings": [],
    }

    def device(self, **said):
        return list(doctor.torch_findings(TorchProbe({**self.said, **said})))[1]

    def test_cpu(self, monkeypatch):
        monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
        torch, device = doctor.torch_findings(TorchProbe(self.said))
        assert (torch.level, torch.seen) == ("ok", "2.6 (CPU build), 2 threads")
        assert (device.level, device.seen) == ("ok", "CPU")

    def test_gpu(self):
        device = self.device(device="cuda", name="Some GPU", free=7 * GIB, total=8 * GIB)
        assert (device.level, device.seen) == ("ok", "Some GPU, 7.0 of 8.0 GiB free")

    def test_gpu_that_fails(self):
        device = self.device(
            device="cuda", name="Old GPU", free=1, total=2, works=False, error="no kernel image"
        )
        assert (
            device.level == "problem"
            and "no kernel image" in device.seen
            and "CUDA_VISIBLE_DEVICES" in device.advice
        )

    def test_gpu_that_torch_does_not_see(self, monkeypatch):
        monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
        assert self.device().level == "note"
        assert "driver is too old" in self.device(warnings=["The NVIDIA driver is too old"]).seen

    @pytest.mark.slow
    def test_this_machines_torch_answers(self):
        """The probe is a text that no other tool reads: what it imports has to be there."""
        probe = machine.start_torch_probe()()
        assert probe.failure is None
        assert probe.said["works"]

    @pytest.mark.parametrize(
        ("module", "sentence"),
        [
            ("raise OSError('libtorch.so: wrong ELF class')", "wrong ELF class"),
            ("import os; os.kill(os.getpid(), 11)", "crashed with signal 11"),
            ("import time; time.sleep(60)", "did not answer within"),
        ],
    )
    def test_broken_torch(self, tmp_path, monkeypatch, module, sentence):
        (tmp_path / "torch.py").write_text(module)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(machine, "TORCH_SECONDS", 1.5)
        (finding,) = doctor.torch_findings(machine.start_torch_probe()())
        assert (
            finding.level == "problem"
            and sentence in finding.seen
            and "--force-reinstall" in finding.advice
        )


@pytest.mark.slow
class TestNetwork:
    @pytest.fixture
    def server(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        yield listener
        listener.close()

    def ask(self, server) -> tuple[str | None, float]:
        begin = time.monotonic()
        answer = machine.start_network_probe(f"http://127.0.0.1:{server.getsockname()[1]}")()
        return answer, time.monotonic() - begin

    def reply(self, server, line: bytes) -> None:
        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(line + b"\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()

    @pytest.fixture(autouse=True)
    def no_proxy(self, monkeypatch):
        monkeypatch.setenv("no_proxy", "*")

    @pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found"])
    def test_any_answer_is_online(self, server, line):
        self.reply(server, line)
        assert self.ask(server)[0] is None
        assert doctor.network(None).level == "ok"

    def test_proxy_errors_are_not(self, server):
        self.reply(server, b"HTTP/1.1 503 Unavailable")
        assert self.ask(server)[0] == "error 503"

    def test_host_that_never_answers(self, server):
        answer, seconds = self.ask(server)
        assert answer is not None and seconds < 15  # a host that is waited for takes for ever

    def test_refused(self, server):
        server.close()
        assert "refused" in machine.start_network_probe("http://127.0.0.1:9")().lower()

    def test_name_lookup_that_hangs(self, monkeypatch):
        release = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
        begin = time.monotonic()
        assert (
            machine.start_network_probe("http://somewhere.invalid")()
            == "no answer within 2 seconds"
        )
        assert time.monotonic() - begin < 15
        release.set()

    def test_host_that_speaks_something_else(self, server):
        self.reply(server, b"SSH-2.0-OpenSSH")
        assert self.ask(server)[0] is not None

    def test_nonsense_address(self):
        assert machine.start_network_probe("not an address")() is not None

    def test_offline_is_fine(self, monkeypatch):
        finding = doctor.network("Name or service not known")
        assert (
            finding.level == "note"
            and finding.advice == "Fine: everything but 'On the real thing' works."
        )
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert "HF_HUB_OFFLINE" in doctor.network(None).seen


class TestMemoryAndDisk:
    @pytest.mark.parametrize(
        ("found", "level"),
        [
            (Memory(8 * GIB, 6 * GIB), "ok"),
            (Memory(8 * GIB, None), "ok"),
            (Memory(2 * GIB, 1 * GIB), "note"),
            (Memory(1 * GIB, 1 * GIB), "problem"),
            (Memory(None, None), "note"),
        ],
    )
    def test_memory(self, monkeypatch, found, level):
        monkeypatch.setattr(doctor, "memory", lambda: found)
        assert doctor.memory_finding().level == level

    @pytest.mark.skipif(sys.platform == "win32", reason="control groups are Linux's")
    def test_a_containers_limit_counts(self, monkeypatch):
        files = {
            "/proc/meminfo": "MemTotal: 1\nMemAvailable: 999999999 kB\n",
            "/sys/fs/cgroup/memory.max": f"{2 * GIB}\n",
            "/sys/fs/cgroup/memory.current": f"{GIB}\n",
            "/sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
        }
        monkeypatch.setattr(machine, "_text", lambda path: files.get(str(path), ""))
        monkeypatch.setattr(
            machine.os, "sysconf", lambda name: 2**25 if name == "SC_PHYS_PAGES" else 4096
        )
        assert machine.memory() == Memory(2 * GIB, 2 * GIB - GIB // 2)
        files["/sys/fs/cgroup/memory.max"] = "max\n"
        assert machine.memory() == Memory(2**37, 999999999 * 1024)

    def test_memory_of_this_machine(self):
        found = machine.memory()
        assert found.total is None or found.total > 2**27

    @pytest.mark.parametrize(("free", "level"), [(5.0, "ok"), (1.0, "note"), (0.1, "problem")])
    def test_disk(self, monkeypatch, free, level):
        monkeypatch.setattr(
            doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=free * GIB)
        )
        assert doctor.disk().level == level


class TestProgressFolder:
    def test_fine(self, home):
        record("a", True)
        assert doctor.progress_folder_finding() == (
            "Progress",
            "ok",
            f"results so far: 1, in {home}",
            "",
        )
        assert sorted(path.name for path in home.iterdir()) == ["progress.jsonl", "progress.lock"]

    def test_cannot_be_written(self, home):
        home.write_text("a file is in the way")
        finding = doctor.progress_folder_finding()
        assert finding.level == "problem" and "MI_TUTOR_HOME" in finding.advice

    def test_damaged(self, home):
        record("a", True)
        with (home / "progress.jsonl").open("ab") as file:
            file.write(b"oops\n")
        finding = doctor.progress_folder_finding()
        assert finding.level == "note" and "is kept as" in finding.advice


class TestJupyter:
    def test_missing_packages(self, monkeypatch):
        monkeypatch.setattr(doctor, "find_spec", lambda name: None)
        assert doctor.jupyterlab().level == doctor.widgets().level == "problem"

    def test_widgets_without_jupyterlabs_part(self, monkeypatch, tmp_path):
        monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: [str(tmp_path)])
        assert (
            doctor.widgets().level == "problem" and "part of it is missing" in doctor.widgets().seen
        )
        (tmp_path / "@jupyter-widgets" / "jupyterlab-manager").mkdir(parents=True)
        assert doctor.widgets().level == "ok"

    @pytest.mark.parametrize(
        ("program", "level"),
        [
            ("python", "ok"),
            ("python3.11", "ok"),
            (sys.executable, "ok"),
            (str(Path(sys.executable).with_name("python")), "ok"),
            (str(Path("elsewhere", "bin", "python").absolute()), "problem"),
        ],
    )
    def test_kernel_of_another_python(self, monkeypatch, tmp_path, program, level):
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(
            json.dumps({"argv": [program, "-m", "x"], "display_name": "x"})
        )
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        assert doctor.kernel().level == level

    def test_no_kernel(self, monkeypatch):
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        def refuse(self, name):
            raise NoSuchKernel(name)

        monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", refuse)
        assert doctor.kernel().level == "problem" and "ipykernel install" in doctor.kernel().advice
