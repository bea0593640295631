"""A missing package gives one sentence with the command."""

import importlib
import sys

import pytest

from mi_tutor.show.drawing.require import MissingPackage, require


def test_the_sentence_names_package_purpose_and_command():
    with pytest.raises(MissingPackage) as caught:
        require("plotli.express", "drawing figures")
    message = str(caught.value)
    assert "drawing figures" in message and "pip install plotli" in message
    assert "\n" not in message and "express" not in message
    assert caught.value._render_traceback_() == [message]
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("mi_tutor.show.drawing.figure", "plotly"),
        ("mi_tutor.show.superposition.explorer", "ipywidgets"),
    ],
)
def test_modules_that_need_it_say_so(monkeypatch, module, package):
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    # Delete after importing, so that monkeypatch puts the very same module back.
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(MissingPackage, match=f"pip install {package}"):
        importlib.import_module(module)


def test_an_error_inside_an_installed_package_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "broken_package_of_test.py").write_text("import something_else_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_else") as caught:
        require("broken_package_of_test")
    assert not isinstance(caught.value, MissingPackage)


@pytest.mark.anew
def test_importing_show_draws_nothing_in():
    """Names come when they are used: `import mi_tutor.show` needs neither torch nor plotly."""
    import subprocess

    code = (
        "import sys, mi_tutor.show; from mi_tutor.show.drawing.require import require; "
        "print([m for m in ('torch', 'plotly', 'ipywidgets', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import mi_tutor.show as show

    assert all(callable(getattr(show, name)) for name in show.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        show.nothing_such  # noqa: B018
