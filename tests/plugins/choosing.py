"""Which tests are run, and in which order: what stands as recorded is left out (docs/decisions/0009).

Whole folders and files are left out unseen, marked tests are deselected. Who asks for a file by name wants its
folder run; its marked tests that stand are skipped, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from costs import DEARER, SPREAD, file_of

from mi_tutor import asking

ROOT = Path(__file__).resolve().parents[2]
LAST = "tests/test_exercises.py"
MINUTES = (
    "running",
)  # kinds of runs that take too long to be run unasked: `mi-tutor records --make`, or --all


def pytest_addoption(parser):
    parser.addoption(
        "--all",
        action="store_true",
        dest="every_run",
        help="run also what stands as recorded (make test-all)",
    )
    parser.addoption(
        "--asked",
        metavar="KIND/NAME",
        help="run the tests of one record, whether it stands or not (mi-tutor records --make)",
    )


def pytest_configure(config):
    """Which folders and files stand is known before they are read, so that they cost nothing."""
    places = {place: ("tests", name) for name, place in asking.runs_by_place(ROOT).items()}
    config.run_of_place, config.left_out, config.too_long = places, set(), set()
    if config.option.every_run or config.option.asked or only_directs(config):
        return
    if is_whole(config):
        config.left_out = what_stands(config, places.values())[1]


def only_directs(config):
    """Whether others run the tests (xdist's workers)."""
    return bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")


def is_whole(config):
    """`make test`, and not `pytest tests/lab`: who names a place wants it run."""
    named = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    return {place.resolve() for place in named} <= {ROOT, ROOT / "tests"}


def what_stands(config, names):
    """What has changed for each run, and which of them are left out: those that stand, but a few."""
    from mi_tutor.authoring import recording
    from mi_tutor.authoring.settings import find_project

    return recording.left_out(find_project(ROOT), names, spot_checks=not is_fast(config))


def is_fast(config):
    """`make test-fast`: without the slow ones, and without spot checks."""
    return "not slow" in config.option.markexpr


def run_of(path, config):
    """The run that a file of tests belongs to by its place, if any."""
    places = (config.run_of_place.get(place) for place in (path, *path.parents))
    return next(filter(None, places), None)


def pytest_ignore_collect(collection_path, config):
    """A file that is left out is not even imported, unless some of its tests belong elsewhere, or nowhere."""
    if collection_path.suffix != ".py" or run_of(collection_path, config) not in config.left_out:
        return None
    text = collection_path.read_text(encoding="utf-8")
    return None if "mark.anew" in text or "mark.recorded" in text else True


def names_of(item):
    """The runs that a test belongs to: those it is marked with, or else that of its place."""
    marked = [mark.args for mark in item.iter_markers("recorded")]
    if marked or item.get_closest_marker("anew"):
        return marked
    return list(filter(None, [run_of(item.path, item.config)]))


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items, config):
    """A file's tests run in one process, where what they share is made once; the dearest files come first.

    The exercises come last: they are many and short, so that all processes end together.
    """
    if config.option.asked:
        name = tuple(config.option.asked.split("/", 1))
        keep(items, config, lambda item: name in names_of(item))
    else:
        stands = marked_that_stand(items, config)
        # Three thousand skipped tests would take longer to report than a chapter takes.
        if is_whole(config):
            config.left_out |= stands
            config.too_long |= take_minutes(items, config) - stands
        else:
            skip(items, stands)
        out = config.left_out | config.too_long
        keep(items, config, lambda item: not out & set(names_of(item)))
    for item in items:
        if file_of(item) not in SPREAD and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(file_of(item)))
    items.sort(key=lambda item: (file_of(item) == LAST, -DEARER.get(file_of(item), 0.0)))


def take_minutes(items, config):
    """The runs that are not run unasked, whether they stand or not."""
    if config.option.every_run:
        return set()
    return {name for item in items for name in names_of(item) if name[0] in MINUTES}


def keep(items, config, wanted):
    others = [item for item in items if not wanted(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if wanted(item)]


def marked_that_stand(items, config):
    """The runs of marked tests whose records are current, but a few; each test takes down what has changed."""
    asked = [item for item in items if not (is_fast(config) and any(item.iter_markers("slow")))]
    marked = [(item, mark.args) for item in asked for mark in item.iter_markers("recorded")]
    if not marked or config.option.every_run:
        return set()
    changed, stands = what_stands(config, [name for _, name in marked])
    for item, name in marked:
        item.changed = changed[name]
    return stands


def skip(items, stands):
    """With the reason in words."""
    if not stands:
        return
    from mi_tutor.authoring import recording
    from mi_tutor.authoring.settings import find_project

    project = find_project(ROOT)
    words = {name: recording.in_words(project, name) for name in stands}
    for item in items:
        for name in stands & {mark.args for mark in item.iter_markers("recorded")}:
            reason = f"{words[name]}; --all runs it (make test-all)"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed and getattr(item, "changed", None):
        since = "\n".join(item.changed)
        report.sections.append(("what has changed since it passed", since))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        for which in ("left_out", "too_long"):
            named = [list(name) for name in getattr(session.config, which)]
            session.config.workeroutput[which] = named


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    for which in ("left_out", "too_long"):
        told = getattr(node, "workeroutput", {}).get(which, ())
        getattr(node.config, which).update(tuple(name) for name in told)


def pytest_terminal_summary(terminalreporter, config):
    if config.left_out:
        names = sorted("/".join(name).removeprefix("tests/") for name in config.left_out)
        terminalreporter.section("left out, since it stands as recorded")
        terminalreporter.write_line(f"{', '.join(names)}; --all runs them (make test-all)")
    if config.too_long:
        names = ", ".join(sorted("/".join(name) for name in config.too_long))
        terminalreporter.section("not run, since each takes minutes and has no current record")
        terminalreporter.write_line(f"{names}; mi-tutor records --make running")
