"""nbformat without two seconds of somebody else's grammar, and with its checks."""

import subprocess
import sys

import pytest

CODE = """
import sys
{before}
from mi_tutor import quick_nbformat
import nbformat
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
nbformat.validate(notebook)
notebook.cells[0].outputs = 3
try:
    nbformat.validate(notebook)
except nbformat.ValidationError:
    print("refused", sys.modules.get("rfc3987_syntax", "not there"))
"""


@pytest.mark.parametrize(
    ("before", "left"),
    [("", "not there"), ("sys.modules['rfc3987_syntax'] = sys", "<module 'sys' (built-in)>")],
    ids=["fresh", "somebody has it already"],
)
def test_notebooks_are_checked_and_nothing_is_left_behind(before, left):
    code = CODE.format(before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"refused {left}\n", "")
