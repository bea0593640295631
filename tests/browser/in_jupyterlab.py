"""What a learner does in JupyterLab, for tests: cells by their id, written into and run with the keyboard.

JupyterLab keeps cells that are out of sight out of the page, so a cell is first asked for by its id.
"""

from __future__ import annotations

from typing import Any

FIRST = "chapters/00_start_here.ipynb"  # what `mi-tutor learn 00` opens
# The notebook that was asked for, and no other one that was open before, with its cells and its kernel.
_KERNEL_IDLE = """(path) => {
    const panel = window.jupyterapp?.shell.currentWidget;
    if (panel?.context?.path !== path || !panel.content?.widgets?.length) return false;
    return panel.sessionContext?.session?.kernel?.status === "idle";
}"""
_SHOW = """async (id) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const at = notebook.widgets.findIndex((cell) => cell.model.id === id);
    if (at < 0) throw new Error("no cell " + id);
    notebook.activeCellIndex = at;
    notebook.deselectAll();
    await notebook.scrollToItem(at, "start");
    notebook.activeCell.node.dataset.seen = id;
    notebook.activate();
}"""
_CELL = "window.jupyterapp.shell.currentWidget.content.widgets.find((cell) => cell.model.id === id)"
_COUNT = f"(id) => {_CELL}.model.executionCount"
_COUNTED = f"([id, before]) => ![null, before].includes({_CELL}.model.executionCount)"
_SOURCE = f"(id) => {_CELL}.model.sharedModel.getSource()"
_OUTPUT = f"(id) => {_CELL}.node.querySelector('.jp-Cell-outputArea')?.innerText ?? ''"


class Lab:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Any, path: str) -> None:
        self.page = page
        page.wait_for_function(_KERNEL_IDLE, arg=path)

    def cell(self, name: str) -> Any:
        """A cell on the screen, chosen."""
        self.page.evaluate(_SHOW, name)
        found = self.page.locator(f'[data-seen="{name}"]')
        found.wait_for(state="visible")
        return found

    def source(self, name: str) -> str:
        """What stands in a cell."""
        return self.page.evaluate(_SOURCE, name)

    def write(self, name: str, code: str) -> None:
        """Replace what stands in a cell, as with the keyboard."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Escape")

    def run(self, name: str) -> Any:
        """Run a cell with Ctrl+Enter, wait for its end, and return its output area."""
        cell = self.cell(name)
        before = self.page.evaluate(_COUNT, name)
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(_COUNTED, arg=[name, before])
        return cell.locator(".jp-Cell-outputArea")

    def output(self, name: str) -> str:
        """What stands below a cell, as one line."""
        return " ".join(self.page.evaluate(_OUTPUT, name).split())
