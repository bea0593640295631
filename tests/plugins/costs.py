"""What the suite costs, in CPU seconds: a budget for each file, and the table that ends a run."""

from __future__ import annotations

import os
from collections import Counter

import pytest

PER_EXERCISE = 8.0  # CPU seconds of the whole suite, for each exercise of the course
PER_FILE = 10.0  # of one file; what costs more has its reason here, with all records current
DEARER = {
    "tests/test_notebooks.py": 200.0,  # one chapter is run from start to end, with its claims
    "tests/test_exercises.py": 90.0,  # one chapter, with one seed
    "tests/classroom/test_three_doors.py": 90.0,  # two solutions once more, in the jail
    "tests/classroom/test_attacks.py": 60.0,  # fifty submissions that do their worst
    "tests/specimens/cards/test_every_card.py": 60.0,  # three cards measured again
    "tests/test_wheel.py": 50.0,  # builds, installs and uses it
    "tests/grading/test_check_notebook.py": 45.0,  # notebooks in kernels of their own
    "tests/test_investigations.py": 80.0,  # experiments of one of them
    "tests/cli/test_consoles.py": 25.0,  # everything that is printed, on two poor consoles
    "tests/teach/test_memory.py": 20.0,  # checks, again and again
    "tests/grading/test_check_command.py": 20.0,  # the course's own checks in a kernel
    "tests/classroom/test_marks.py": 20.0,  # the grader and its workers start once per file
    "tests/classroom/test_jail.py": 20.0,
    "tests/classroom/test_whole_class.py": 20.0,
    "tests/classroom/test_spawning.py": 40.0,  # workers that import everything anew
    "tests/classroom/test_gradescope.py": 20.0,  # an autograder's zip, unpacked and run
    "tests/specimens/opening/test_models.py": 20.0,  # tiny models of 24 architectures
    "tests/test_packaging.py": 20.0,
    # These only if they do not stand, or as one of two spot checks.
    "tests/authoring/test_site.py": 70.0,  # the whole web page, made and read
    "tests/teach/test_attacks.py": 75.0,  # an exercise's own inputs, again and again
    "tests/lab/superposition/test_phenomena.py": 60.0,  # trains what the paper shows
    "tests/teach/exercises/test_dictionaries.py": 30.0,
    "tests/lab/patching/test_activation.py": 30.0,
    "tests/lab/test_on_another_device.py": 25.0,  # every example of lab, Python around each operation
    "tests/lab/dictionaries/test_toy.py": 20.0,
    "tests/specimens/dictionaries/test_dictionaries.py": 20.0,  # trains one in small
    "tests/specimens/training/test_train.py": 20.0,
    "tests/teach/test_kinds_of_fault.py": 20.0,  # a dozen wrong answers to every exercise of one chapter
    "tests/teach/test_spellings.py": 20.0,  # every exercise's result in four forms
}
# Files whose tests go to whichever process is free.
SPREAD = ("tests/test_exercises.py", "tests/test_notebooks.py")
_spent: Counter[str] = Counter()  # in tests, by file
_workers: list[float] = []  # whole processes, imports and collection included


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
