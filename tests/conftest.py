"""What every test shares, what is not run since it stands, and what the suite costs: CPU seconds by file."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from itertools import count
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

# Shapes in signatures are checked while tests run. This has to come before `mi_tutor.lab` is first imported.
install_import_hook("mi_tutor.lab", "beartype.beartype")

# Property tests draw the same examples in every run.
settings.register_profile("deterministic", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("deterministic")

# One thread: tensors in tests are tiny, and the suite runs in two processes.
torch.set_num_threads(1)

EXERCISES = "tests/test_exercises.py"
PER_EXERCISE = 8.0  # CPU seconds of the whole suite, for each exercise of the course
PER_FILE = 10.0  # of one file; what costs more has its reason here, with all records current
DEARER = {
    EXERCISES: 400.0,  # every exercise, mistake and style; one chapter with both seeds
    "tests/test_notebooks.py": 200.0,  # one chapter is run from start to end, with its claims
    "tests/specimens/cards/test_every_card.py": 60.0,  # three cards measured again
    "tests/test_investigations.py": 70.0,  # experiments of one of them
    "tests/specimens/dictionaries/test_dictionaries.py": 20.0,  # trains one in small
    "tests/lab/superposition/test_phenomena.py": 60.0,  # trains what the paper shows
    "tests/teach/test_kinds_of_fault.py": 50.0,  # a dozen wrong answers to every exercise
    "tests/teach/test_spellings.py": 45.0,  # every exercise's result in four forms
    "tests/teach/test_attacks.py": 75.0,  # an exercise's own inputs, again and again
    "tests/authoring/test_site.py": 40.0,  # the whole web page, made and read
    "tests/test_wheel.py": 50.0,  # builds, installs and uses it
    "tests/grading/test_check_notebook.py": 45.0,  # notebooks in kernels of their own
    "tests/classroom/test_three_doors.py": 80.0,  # two solutions once more, in the jail, on one seed
    "tests/classroom/test_attacks.py": 60.0,  # fifty submissions that do their worst
    "tests/classroom/test_marks.py": 20.0,  # the grader and its workers start once per file
    "tests/classroom/test_jail.py": 20.0,
    "tests/classroom/test_whole_class.py": 20.0,
    "tests/lab/test_on_another_device.py": 25.0,  # every example of lab, Python around each operation
}
SPREAD = (EXERCISES, "tests/test_notebooks.py")  # files whose tests go to whichever process is free
_spent: Counter[str] = Counter()  # in tests, by file
_workers: list[float] = []  # whole processes, imports and collection included


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Folders that nobody has used, each made by the first who writes into it."""
    root = tmp_path_factory.mktemp("progress")
    return (str(root / str(number)) for number in count())


@pytest.fixture(autouse=True)
def own_progress(homes, monkeypatch):
    """No test writes into the progress of the person who runs it."""
    from mi_tutor.teach import progress_store

    monkeypatch.setenv("MI_TUTOR_HOME", next(homes))
    monkeypatch.setattr(progress_store, "_unsaved", [])


@pytest.fixture(scope="session")
def architectures():
    """`benchmarks/architectures.py`: tiny random models of 24 architectures, and what to ask of each."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(__file__).parents[1] / "benchmarks" / "architectures.py"
    spec = spec_from_file_location("architectures", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_path(architectures, tmp_path_factory):
    """The directory of a tiny model by the name of its row there ("gptj"); each is made once."""
    return cache(lambda name: architectures.save_tiny(name, tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="session")
def tiny(tiny_path):
    """The same, opened, once."""
    from mi_tutor.specimens import open_specimen

    return cache(lambda name: open_specimen(tiny_path(name), device="cpu"))


def pytest_addoption(parser):
    parser.addoption(
        "--all",
        action="store_true",
        dest="every_run",
        help="run chapters, cards and investigations also if they stand as recorded (make test-all)",
    )


def leave_out_what_stands(items, config):
    """Skip runs whose records are current, but a few (docs/decisions/0009); take down why others are run."""
    marked = [(item, mark.args) for item in items for mark in item.iter_markers("recorded")]
    if not marked or config.option.every_run:
        return
    from mi_tutor.authoring import recording

    project = this_project()
    changed, left_out = recording.left_out(
        project, [name for _, name in marked], spot_checks=not is_fast(config)
    )
    for item, name in marked:
        item.changed = changed[name]
        if name in left_out:
            reason = f"{recording.in_words(project, name)}; --all runs it (make test-all)"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def stands(request):
    """stands("exercises", "01"): whether a run is left out, since it stands as recorded."""
    from mi_tutor.authoring import recording

    @cache
    def of_kind(kind):
        every = [name for name in recording.names(this_project()) if name.kind == kind]
        return recording.left_out(this_project(), every, spot_checks=not is_fast(request.config))[1]

    return lambda kind, name: not request.config.option.every_run and (kind, name) in of_kind(kind)


def is_fast(config):
    """`make test-fast`: no slow tests, no spot checks."""
    return "not slow" in config.option.markexpr


def this_project():
    from mi_tutor.authoring.settings import find_project

    return find_project(Path(__file__).parent)


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items, config):
    """A file's tests run in one process, where what they share is made once; the dearest files come first.

    The exercises come last: they are many and short, so that all processes end together.
    """
    leave_out_what_stands(items, config)
    for item in items:
        if file_of(item) not in SPREAD and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(file_of(item)))
    items.sort(key=lambda item: (file_of(item) == EXERCISES, -DEARER.get(file_of(item), 0.0)))


def file_of(item) -> str:
    """tests/..., as in the table that is printed."""
    return item.nodeid.split("::")[0]


def cpu_seconds() -> float:
    """Of this process and of all children that have ended."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.cpu_before = cpu_seconds()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when == "teardown":
        spent = cpu_seconds() - item.cpu_before
        report.user_properties.append(("cpu_seconds", spent))
    if report.failed and getattr(item, "changed", None):
        since = "\n".join(item.changed)
        report.sections.append(("what has changed since it passed", since))


def pytest_runtest_logreport(report):
    if report.when == "teardown":
        _spent[report.nodeid.split("::")[0]] += dict(report.user_properties)["cpu_seconds"]


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["cpu_seconds"] = cpu_seconds()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    _workers.append(getattr(node, "workeroutput", {}).get("cpu_seconds", 0.0))


def pytest_terminal_summary(terminalreporter, config):
    """The dearest files, and what is over its budget. Printed, not failed: machines differ."""
    if not _spent or (config.option.verbose < 0 and len(_spent) < 20):
        return
    total = sum(_workers) + sum(os.times()[: 2 if _workers else 4])  # workers are children, too
    write = terminalreporter.write_line
    terminalreporter.section("CPU seconds")
    for file, spent in _spent.most_common():
        budget = DEARER.get(file, PER_FILE)
        if spent > budget or spent > PER_FILE:
            write(f"{spent:8.1f}  {file}{f'  over its budget of {budget:g}' * (spent > budget)}")
    write(f"{sum(_spent.values()):8.1f}  all {len(_spent)} files")
    write(f"{total:8.1f}  with imports and collection")
    if len(_spent) > 50:  # the whole suite
        from mi_tutor.teach.registry import exercises

        each = total / len(exercises())
        write(f"{each:8.1f}  per exercise, of {PER_EXERCISE:g}")
