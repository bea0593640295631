"""A learner's first hour in a real browser: no question first, a wrong answer named, widgets that move."""

from __future__ import annotations

import re

import pytest
from in_jupyterlab import FIRST

from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import get, get_quiz

pytestmark = pytest.mark.slow
WIDGETS = (
    "superposition",
    "swaps",
    "dictionary",
    "graph",
    "steering",
    "plans",
    "quick-check",
)  # cells of every_widget.py
CHANGE_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"

WRONG = """def top_tokens(logits, k):
    return logits[-1].topk(k, largest=False).indices"""
RIGHT = """def top_tokens(logits, k):
    return logits[-1].topk(k).indices"""
DIALOGS = ".jp-Dialog, .Toastify__toast, .jp-toast-button"


def test_no_question_then_a_wrong_answer_is_named_a_right_one_ticked_and_progress_moves(
    lab, server, seen
):
    notebook = lab()
    assert notebook.page.locator(DIALOGS).count() == 0
    assert "00 · Start here" in notebook.page.locator("h1").first.inner_text()
    seen(notebook.page, "first screen")
    notebook.run("setup")

    notebook.write("ex-top-tokens", WRONG)
    notebook.run("ex-top-tokens")
    notebook.run("check-top-tokens")
    named = next(m for m in get("top-tokens").mistakes if m.name == "least likely first")
    assert " ".join(named.sentence.split()) in notebook.output("check-top-tokens")
    assert "Traceback" not in notebook.output("check-top-tokens")
    seen(notebook.page, "a wrong answer")
    answer = notebook.page.locator('[data-seen="ex-top-tokens"], [data-seen="check-top-tokens"]')
    seen(notebook.page, "picture of a wrong answer", answer.first, answer.last)

    notebook.write("ex-top-tokens", RIGHT)
    notebook.run("ex-top-tokens")
    notebook.run("check-top-tokens")
    assert "✓ What comes next?: passed" in notebook.output("check-top-tokens")
    seen(notebook.page, "a right answer")

    notebook.run("progress")
    assert "1 of 5" in notebook.output("progress")
    written = (server.workspace / ".mi_tutor" / "progress.jsonl").read_text(encoding="utf-8")
    assert "top-tokens" in written
    assert notebook.page.locator(DIALOGS).count() == 0


@pytest.mark.parametrize(
    ("chapter", "slug"),
    [
        ("07_steering", "steer-vector"),
        ("08_field_trips", "set-to-centre"),
        ("09_crosscoders", "shared-or-exclusive"),
        ("10_the_audit", "same-answer"),
    ],
)
def test_a_stub_is_not_passed_and_a_right_answer_is(lab, seen, chapter, slug):
    notebook, exercise = lab(f"chapters/{chapter}.ipynb"), get(slug)
    notebook.run("setup")
    notebook.run(f"ex-{slug}")
    notebook.run(f"check-{slug}")
    assert "Not written yet" in notebook.output(f"check-{slug}")
    assert "Traceback" not in notebook.output(f"check-{slug}")

    asked = re.search(r"def (\w+)", notebook.source(f"ex-{slug}"))[1]
    right = exercise.reference
    notebook.write(f"ex-{slug}", f"from {right.__module__} import {right.__name__} as {asked}")
    notebook.run(f"ex-{slug}")
    notebook.run(f"check-{slug}")
    assert f"✓ {exercise.title}: passed" in notebook.output(f"check-{slug}")
    seen(notebook.page, f"a right answer of {chapter}")


@pytest.fixture
def widgets(lab):
    return lab("widgets.ipynb")


def test_a_quick_check_by_mouse_and_by_keyboard(widgets, seen):
    options = lettered(get_quiz("read-a-shape"))
    right = next(letter for letter, option in options.items() if option.right)
    wrong = next(letter for letter, option in options.items() if not option.right)
    shown = widgets.run("quick-check")
    said = shown.get_by_role("status")
    shown.get_by_role("button", name=f"({wrong})", exact=False).first.click()
    said.get_by_text(f"({wrong}) is not right.").wait_for()
    seen(widgets.page, "a quick check, wrong")

    button = shown.locator("button", has_text=f"({right})")
    first = shown.locator("button", has_text="(a)")
    first.focus()
    for _ in range("abcdef".index(right)):
        widgets.page.keyboard.press("Tab")
    assert button.evaluate("node => node === document.activeElement")
    widgets.page.keyboard.press("Enter")
    said.get_by_text(f"({right}) is right.").wait_for()
    seen(widgets.page, "a quick check, right")


def picture(shown) -> str:
    """A widget's picture, as it is drawn."""
    return shown.locator("svg[role=img]").evaluate("node => node.outerHTML")


def changes(page, shown, before: str) -> None:
    """Wait until another picture is there."""
    page.wait_for_function(
        "([node, before]) => { const now = node.querySelector('svg[role=img]')?.outerHTML;"
        " return now && now !== before; }",
        arg=[shown.element_handle(), before],
    )


def says(page, shown, before: str) -> None:
    """Wait until a widget says something else."""
    page.wait_for_function(
        "([node, before]) => node.querySelector('[role=status]').innerText !== before",
        arg=[shown.element_handle(), before],
    )


def test_each_widget_moves_and_its_figure_with_it(widgets, seen):
    page = widgets.page
    shown = widgets.run("superposition")
    shown.locator("svg[role=img]").first.wait_for()
    for slider in range(2):  # the number of features, and the sparsity, with the arrow keys
        before = picture(shown)
        shown.locator("[role=slider]").nth(slider).focus()
        page.keyboard.press("ArrowRight")
        changes(page, shown, before)
    seen(page, "the superposition explorer")

    shown = widgets.run("swaps")
    shown.locator("svg[role=img]").first.wait_for()
    assert re.search(r"Austin \(\d+%\) before the swap, Sacramento", picture(shown))
    seen(page, "picture of a swap", shown)
    for menu, choice in (
        (0, "Miami (Florida)"),
        (1, "Ohio"),
        (2, "nickname"),
        (3, "french"),
        (4, "3"),
    ):
        before = picture(shown)
        shown.locator("select").nth(menu).select_option(label=choice)
        changes(page, shown, before)
    before = picture(shown)
    shown.locator("[role=slider]").focus()
    page.keyboard.press("ArrowRight")
    changes(page, shown, before)
    seen(page, "the swap explorer")

    shown = widgets.run("dictionary")
    shown.locator("svg[role=img]").first.wait_for()
    before = picture(shown)
    shown.locator("button", has_text="less frequent").click()
    changes(page, shown, before)
    before = picture(shown)
    shown.locator("input[type=number]").fill("3")
    page.keyboard.press("Enter")
    changes(page, shown, before)
    seen(page, "the latent dashboard")

    shown = widgets.run("graph")
    shown.locator("svg[role=img]").first.wait_for()
    before = picture(shown)
    shown.locator("button", has_text="strongest input").click()
    changes(page, shown, before)
    before = picture(shown)
    shown.locator("input[type=radio]").first.locator("xpath=..").click()  # a node in the picture
    changes(page, shown, before)
    seen(page, "the graph viewer")

    shown = widgets.run("steering")
    shown.locator("svg[role=img]").first.wait_for()
    for slider in range(3):
        before = picture(shown)
        shown.locator("[role=slider]").nth(slider).focus()
        for _ in range(12):  # a quarter each; drawn once a key is let go
            page.keyboard.press("ArrowRight")
        changes(page, shown, before)
    before = picture(shown)
    handle = shown.locator("[role=slider]").first.bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(handle["x"] + 60, handle["y"] + handle["height"] / 2, steps=3)
    page.mouse.up()
    changes(page, shown, before)
    assert shown.locator("table caption").inner_text()
    seen(page, "the steering desk")

    shown = widgets.run("plans")
    shown.locator("table").wait_for()
    said = shown.get_by_role("status")
    for menu, choice in ((2, "key"), (4, "2"), (5, "a random step of the same length")):
        before = said.inner_text()
        shown.locator("select").nth(menu).select_option(label=choice)
        says(page, shown, before)
    before = said.inner_text()
    shown.locator("select").nth(2).focus()
    for key in ("Space", "ArrowDown", "Enter"):  # a closed menu's arrow keys are JupyterLab's
        page.keyboard.press(key)
    says(page, shown, before)
    assert "follow the plan put in" in shown.get_by_role("status").inner_text()
    seen(page, "the plan desk")


def test_axe_finds_nothing_serious_in_our_widgets_light_and_dark(widgets, seen, assert_accessible):
    page = widgets.page
    for name in WIDGETS:
        widgets.run(name).locator("svg[role=img], button, table").first.wait_for()
    shown = widgets.cell("quick-check")
    for letter in "ab":  # a right and a wrong one
        shown.locator("button", has_text=f"({letter})").click()
        shown.get_by_role("status").get_by_text(f"({letter}) is").wait_for()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(CHANGE_THEME, theme)
        page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
        for name in WIDGETS:
            widgets.cell(name)
            # ipywidgets gives the handle of its sliders no name: what can be done here is the label beside it.
            assert_accessible(page, f'[data-seen="{name}"] .jp-OutputArea-output', ".noUi-handle")
            seen(page, f"{name}, {theme}")


def test_notebook_7_opens_the_chapter_too(server, open_page, seen):
    pytest.importorskip("notebook", reason="no Notebook 7 here: pip install mi_tutor[browser]")
    page = open_page()
    page.goto(server.at(FIRST, "notebooks"))
    page.get_by_role("heading", name="00 · Start here").wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(state="attached")
    assert page.locator(DIALOGS).count() == 0
    seen(page, "Notebook 7")
