"""What a cell's text says: calls, names, and where merged cells are cut."""

import doctest

import pytest

from mi_tutor.grading import source
from mi_tutor.grading.source import calls, handed_in, made, pieces, taken

ONE = ("check", "one")


def test_examples():
    assert doctest.testmod(source).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        'check("one", one)',
        '%time check("one", one)',
        '%timeit -n 1 -r 1 check("one", one)',
        '%%time\ncheck("one", one)',
        '%%capture said\ncheck("one", one)',
        '!ls\nfiles = !ls\ncheck("one", one)',
        '    check("one", one)',
        'answer = await work()\ncheck("one", answer)',
        'check("one", one',  # it will stop there, and is told so
    ],
)
def test_calls(text):
    assert calls(text) == (ONE,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "check",
        "check?",
        "check()",
        "check(slug, one)",
        'recheck("one", one)',
        '%%bash\ncheck("one", one)',
        '%%writefile kept.py\ncheck("one", one)',
        "\x00",
        "(" * 300,
    ],
)
def test_no_calls(text):
    assert calls(text) == ()


@pytest.mark.parametrize(
    ("text", "makes", "takes"),
    [
        ("x = y", "x", "y"),
        ("x = 1\nx = x + y", "x", "y"),
        ("x += 1", "x", "x"),
        ("def f(x, y=z):\n    w = x\n    return g(w)", "f", "g z"),
        ("def f(n):\n    return f(n - 1)", "f", ""),
        ("import a.b, c as d\nfrom e import g", "a d g", ""),
        ("for i in ys:\n    show(i)", "i", "show ys"),
        ("[a for a in bs]", "", "bs"),
        ("{a: {b for b in a} for a in bs}", "", "bs"),
        ("x = [y := a for a in bs]", "x y", "bs"),
        ("def f():\n    global x\n    x = 1", "f x", ""),
        ("def f(x)\n    return x\ny: int = 1\nz == 2", "f y", ""),  # not Python
        ("for i in ys:\n    total = total + i", "i total", "total ys"),
        ("return x", "", "x"),
    ],
)
def test_names(text, makes, takes):
    assert (made(text), taken(text)) == (set(makes.split()), set(takes.split()))


def test_what_is_handed_in():
    assert handed_in('check("two", two)\ncheck("one", made.sae, extra=k)', ONE) == {"made", "k"}
    assert handed_in('check(slug="one", answer=one)', ONE) == {"one"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('f = 1\ncheck("a", f)', 1),
        ('check("a", f)\n# the end', 1),
        ('check("a", f)\n\n# next\n@decorated\ndef g(): ...', 2),
        ('check("a", f); check("b", g)', 1),
        ('check(\n    "a",\n    f,\n)\nquiz("b", "c")\nx = 1', 3),
        ('text = """\ncheck("a", f)\n"""\nx = 1', 1),
        ('check("a", f\nx = 1', 1),
    ],
)
def test_pieces(text, found):
    assert len(pieces(text)) == found and "\n".join(pieces(text)) == text
