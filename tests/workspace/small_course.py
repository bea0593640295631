"""The two chapters of a small course, and an answer in one of them."""

import json

NAMES = ("06_halving.ipynb", "07_doubling.ipynb")


def answer(root, text="def double(x):\n    return 2 * x", name="07_doubling.ipynb"):
    path = root / "chapters" / name
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] == "ex-double":
            cell["source"] = text
    path.write_text(json.dumps(notebook), encoding="utf-8")
