"""Reading what learners hand in: whatever the file is, either its code cells or one sentence."""

import json

import pytest

from mi_tutor.grading.notebook import NotebookError, read_notebook


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty.*Checkpoint"),
        (b" \n", "is empty"),
        (b"# just text", "not a notebook.*JSON.*line 1"),
        (b'{"nbformat": 4, "cells": [', "not a notebook"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "not a notebook"),
        (b"[" * 200_000, "not a notebook"),
        (b'{"a": 1,\n<<<<<<< HEAD\n=======\n>>>>>>> theirs\n}', "merge conflicts.*line 2"),
        (b"[1, 2]", "does not say its notebook format"),
        (b'{"nbformat": "4", "cells": []}', "does not say its notebook format"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3, expected 4: open it in JupyterLab"),
        (b'{"nbformat": 5, "cells": []}', "format 5, expected 4: update mi_tutor"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": ["text"]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "Cell 1 .* has no text"),
        (
            b'{"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "julia"}}}',
            "in julia",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "mine.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=sentence) as error:
        read_notebook(path)
    assert "\n" not in str(error.value) and path.read_bytes() == content


def test_folders_and_missing_files(tmp_path):
    with pytest.raises(NotebookError, match="is a folder"):
        read_notebook(tmp_path)
    with pytest.raises(NotebookError, match="no such file"):
        read_notebook(tmp_path / "none.ipynb")


def test_cells_roles_and_numbers(tmp_path, fakes):
    path = fakes.write(
        tmp_path / "01_x.ipynb", fakes.pair("one"), fakes.code("plot()"), fakes.question("q")
    )
    notebook = read_notebook(path)
    assert notebook.chapter == "01" and not notebook.is_solution
    assert [(cell.number, cell.slug, cell.role) for cell in notebook.cells] == [
        (1, None, None),
        (2, "one", "exercise"),
        (3, "one", "check"),
        (4, None, None),
        (5, "q", "quiz"),
    ]
    assert [cell.asks for cell in notebook.cells[2:]] == [True, False, True]


def test_metadata_goes_before_the_files_name(tmp_path, fakes):
    marks = {"chapter": "07", "folder": "solutions"}
    notebook = read_notebook(fakes.write(tmp_path / "01_x.ipynb", mi_tutor=marks))
    assert notebook.chapter == "07" and notebook.is_solution


def test_text_as_a_list_of_lines_and_a_byte_order_mark(tmp_path, fakes):
    path = fakes.write(tmp_path / "x.ipynb", fakes.pair("one"))
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    assert read_notebook(path).cells[1].source.startswith("def one(x):\n")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        {"mi_tutor": 3},
        {"mi_tutor": {"role": 3}},
        {"mi_tutor": {"role": "check", "exercise": ["one"]}},
    ],
)
def test_odd_metadata_is_ignored(tmp_path, metadata):
    path = tmp_path / "x.ipynb"
    cell = {"cell_type": "code", "source": "1 + 1", "metadata": metadata}
    path.write_text(json.dumps({"nbformat": 4, "metadata": metadata, "cells": [cell]}))
    assert read_notebook(path).cells[0].role is None


def test_roles_are_guessed_where_the_metadata_is_lost(tmp_path, fakes):
    path = fakes.write(
        tmp_path / "x.ipynb",
        fakes.code('check("one", one)'),
        fakes.code("# check('no', no)"),
        fakes.code("quiz('q', 'b')  # sure"),
        fakes.code('check("a", a); check("a", a)\ncheck("b", b)'),
        fakes.code('print("check")'),
    )
    found = [(cell.role, cell.slug, cell.marked) for cell in read_notebook(path).cells[1:]]
    nothing = (None, None, False)
    merged = [("check", "a", False), ("check", "b", False)]
    assert found == [
        ("check", "one", False),
        nothing,
        ("quiz", "q", False),
        *merged,
        nothing,
    ]
