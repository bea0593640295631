"""The graph viewer: choose a node of a prompt's graph, see what it is, what gives to it, and what it gives to.

Nodes are chosen with the mouse in the picture or the list, and with the keyboard by search and buttons (JupyterLab
keeps arrow keys for itself, so a list alone would not do). In front of the picture lie the labels of radio
buttons, one on each node: native controls whose clicks every front end of Jupyter brings to the kernel, without
scripts of our own.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from mi_tutor.lab.dictionaries import Context
from mi_tutor.lab.tracing import AttributionGraph, PrunedGraph, prune, shares
from mi_tutor.show.drawing.require import require
from mi_tutor.show.drawing.words import listing
from mi_tutor.show.tracing.places import arranged, shown, strongest_edges
from mi_tutor.show.tracing.telling import Told, panel_html, tell
from mi_tutor.show.tracing.viewer_drawing import over_nodes, viewer_drawing

ipywidgets = require("ipywidgets", "the viewer")

_NUMBERS = count()


def graph_viewer(
    graph: AttributionGraph,
    words: Sequence[str],
    labels: Mapping[int, str] | None = None,
    answers: Sequence[str] | None = None,
    *,
    pruned: PrunedGraph | None = None,
    contexts: Mapping[int, Sequence[Context]] | None = None,
    name: Callable[[int], str] = str,
    supernodes: Mapping[str, Sequence[int]] | None = None,
    node: int | None = None,
) -> GraphViewer:
    """Choose a node: its label, contexts, inputs and outputs. Pin nodes together into supernodes.

    `viewer.supernodes` has what was pinned, for `grouped` and for the next cell. Where widgets cannot run, the
    output is the picture and the sentences of the node that was chosen.

    Args:
        graph: from `attribution_graph`.
        words: the prompt's tokens as text.
        labels: of nodes, by their number in the graph.
        answers: the logits' tokens as text.
        pruned: what is shown of the graph (default: `prune(graph)`).
        contexts: of latents, by their number in the graph, from `latent_contexts`.
        name: a token's text, for the contexts.
        supernodes: pinned from the beginning, by name.
        node: the number of the node to begin with (default: the latent with the most influence).

    Raises ValueError unless there is a word for each token and an answer for each logit, or if a node that is
    pinned or begun with is not shown.
    """
    pruned = prune(graph) if pruned is None else pruned
    every = set(pruned.kept.tolist())
    asked = [i for group in (supernodes or {}).values() for i in group]
    gone = [i for i in [*asked, *([] if node is None else [node])] if i not in every]
    if gone:
        raise ValueError(f"These nodes are not in the pruned graph: {listing(gone)}.")
    return GraphViewer(
        graph, pruned, words, labels or {}, answers, contexts or {}, name, supernodes or {}, node
    )


class GraphViewer(ipywidgets.VBox):
    """A picture, a list, what is told of a node, and pins; made by `graph_viewer`."""

    def __init__(
        self,
        graph: AttributionGraph,
        pruned: PrunedGraph,
        words: Sequence[str],
        labels: Mapping[int, str],
        answers: Sequence[str] | None,
        contexts: Mapping[int, Sequence[Context]],
        name: Callable[[int], str],
        supernodes: Mapping[str, Sequence[int]],
        node: int | None,
    ) -> None:
        self._pruned, self._contexts, self._name = pruned, contexts, name
        self._words = [shown(word) for word in words]
        self._drawn = arranged(pruned, words, labels, answers)
        self._edges = strongest_edges(pruned, len(pruned.edges))
        self._shares = shares(graph.adjacency)[pruned.kept][:, pruned.kept].cpu()
        self._signs = graph.adjacency[pruned.kept][:, pruned.kept].sign().cpu()
        self._pins = {group: list(members) for group, members in supernodes.items()}
        self._kept = pruned.kept.tolist()
        self._place = self._kept.index(node) if node is not None else self._first()
        self._make_controls()
        self._draw()
        top = ipywidgets.Box([self._style, self._picture, self._marks])
        top.add_class(self._class)
        steps = ipywidgets.HBox([self.to_input, self.to_output])
        pins = ipywidgets.HBox([self.group, self.pin, self.unpin])
        along = ipywidgets.HBox([self.before, self.after])
        rows = [self.search, self.nodes, along, steps, pins, self._pinned]
        beside = ipywidgets.VBox(rows, layout={"width": "390px"})
        below = ipywidgets.Box([beside, self._panel], layout={"flex_flow": "row wrap"})
        super().__init__([top, below])

    def _make_controls(self) -> None:
        n = len(self._kept)
        self._order = sorted(range(n), key=lambda i: (-self._drawn.row[i], self._drawn.x[i]))
        lines = [(self._line(i), i) for i in self._order]
        self.search = ipywidgets.Combobox(
            description="find", options=[line for line, _ in lines], placeholder="a part of its name, then Enter",
            continuous_update=False, style={"description_width": "46px"}, layout={"width": "384px"},
        )  # fmt: skip
        self.nodes = ipywidgets.Select(
            options=lines, value=self._place, rows=9, layout={"width": "384px"}, description="nodes",
            style={"description_width": "46px"},
        )  # fmt: skip
        self._marks = ipywidgets.RadioButtons(options=self._titles(), index=self._place)
        self._class = f"mi-graph-{next(_NUMBERS)}"
        self._style = ipywidgets.HTML(over_nodes(self._class, self._drawn))
        self._picture, self._panel, self._pinned = (ipywidgets.HTML() for _ in range(3))
        self.to_input = _button("◀ strongest input", "Go to the node that gives most to this one")
        self.to_output = _button(
            "strongest output ▶", "Go to the node of whose input this one is most"
        )
        self.group = ipywidgets.Combobox(
            description="supernode", placeholder="a name", options=list(self._pins), ensure_option=False,
            style={"description_width": "76px"}, layout={"width": "220px"},
        )  # fmt: skip
        self.pin = _button("pin", "Put this node into the supernode of this name", "70px")
        self.unpin = _button("unpin", "Take this node out of its supernode", "80px")
        self.before = _button("▲ node before", "The node before this one in the list")
        self.after = _button("node after ▼", "The node after this one in the list")
        self.before.on_click(lambda _: self._along(-1))
        self.after.on_click(lambda _: self._along(1))
        self.search.observe(lambda change: self._find(change["new"]), "value")
        self.nodes.observe(lambda change: self._choose(change["new"]), "value")
        self._marks.observe(lambda change: self._choose(change["new"]), "index")
        self.to_input.on_click(lambda _: self._step(self._told.inputs))
        self.to_output.on_click(lambda _: self._step(self._told.outputs))
        self.pin.on_click(lambda _: self._pin(self.group.value.strip()))
        self.unpin.on_click(lambda _: self._pin(""))

    @property
    def node(self) -> int:
        """The chosen node's number in the whole graph."""
        return self._kept[self._place]

    @property
    def supernodes(self) -> dict[str, list[int]]:
        """What was pinned: names, and nodes by their number in the whole graph."""
        return {group: list(members) for group, members in self._pins.items()}

    @property
    def words(self) -> str:
        """What is seen now, in sentences."""
        return self._told.words

    def _first(self) -> int:
        latents = [i for i, kind in enumerate(self._drawn.kind) if kind.endswith("latent")]
        every = latents or range(len(self._kept))
        return max(every, key=lambda i: float(self._pruned.influence[i]))

    def _line(self, i: int) -> str:
        """A node in the list."""
        drawn, nodes = self._drawn, self._pruned.nodes
        row, position = drawn.rows[drawn.row[i]][0], int(nodes.position[i])
        count = "" if drawn.kind[i] == "logit" else f" · {float(self._pruned.influence[i]):.3f}"
        return f"{row} · {position}: {self._words[position]} · {drawn.name[i]}{count}"

    def _titles(self) -> list[str]:
        """What is shown of a node that is pointed at. Each is another one: the front end asks for that."""
        titles: list[str] = []
        for name, position in zip(self._drawn.name, self._pruned.nodes.position, strict=True):
            title = f"{name} at {position}: {self._words[position]}"
            while title in titles:
                title += "\u200b"  # seen by nobody
            titles.append(title)
        return titles

    def _choose(self, place: int | None) -> None:
        if place is None or place == self._place:
            return
        self._place = place
        self._draw()
        # After the drawing, so that what they set off finds nothing left to do.
        self.nodes.value = place
        self._marks.index = place

    def _along(self, by: int) -> None:
        """To a neighbour in the list."""
        place = self._order.index(self._place) + by
        if 0 <= place < len(self._order):
            self._choose(self._order[place])

    def _find(self, query: str) -> None:
        """To the next node of the list whose line has these words in it."""
        wanted = query.strip().casefold()
        here = self._order.index(self._place) + 1
        for i in [*self._order[here:], *self._order[:here]]:
            if wanted and wanted in self._line(i).casefold():
                self._choose(i)
                break
        self.search.value = ""

    def _step(self, neighbours: Sequence[tuple[int, float]]) -> None:
        if neighbours:
            self._choose(neighbours[0][0])

    def _pin(self, group: str) -> None:
        """Into a supernode, and out of the one before; an empty name takes it out only."""
        for members in self._pins.values():
            if self.node in members:
                members.remove(self.node)
        if group:
            self._pins.setdefault(group, []).append(self.node)
        self._pins = {name: members for name, members in self._pins.items() if members}
        self.group.options = list(self._pins)
        self._draw()

    def _draw(self) -> None:
        self._told: Told = tell(
            self._place, self._pruned, self._drawn, self._words, self._shares, self._signs,
            self._contexts.get(self.node, ()), self._name,
        )  # fmt: skip
        self._picture.value = self._svg()
        self._panel.value = panel_html(self._told)
        self._pinned.value = (
            f'<div role="status" style="line-height:1.4">{html.escape(self._pin_words())}</div>'
        )

    def _pin_words(self) -> str:
        number_of = {kept: i for i, kept in enumerate(self._kept)}
        said = [
            f"{group}: {listing([self._drawn.name[number_of[i]] for i in members])}"
            for group, members in self._pins.items()
        ]
        return (
            "Supernodes. " + ". ".join(said) if said else "No supernodes yet: name one, then pin."
        )

    def _svg(self) -> str:
        group_of = {i: group for group, members in self._pins.items() for i in members}
        groups = [group_of.get(kept, "") for kept in self._kept]
        return viewer_drawing(
            self._pruned, self._drawn, self._edges, self._place, groups, self._told
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and for places that cannot run it: the picture and the sentences."""
        words = "Graph viewer (run the cell to choose another node). "
        fallback = {"image/svg+xml": self._svg(), "text/plain": words + self.words}
        return {**super()._repr_mimebundle_(**kwargs), **fallback}


def _button(words: str, tip: str, width: str = "186px") -> Any:
    return ipywidgets.Button(description=words, tooltip=tip, layout={"width": width})
