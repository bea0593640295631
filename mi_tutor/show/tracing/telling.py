"""What is told of one node of a graph: what it is, where else it is on, its inputs and its outputs."""

import html
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries import Context
from mi_tutor.lab.tracing import PrunedGraph
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.words import listing, number
from mi_tutor.show.tracing.places import Drawn
from mi_tutor.world.tokenizer import BOS

N_NEIGHBOURS = 6


class Told(NamedTuple):
    """One node, in words and numbers.

    Attributes:
        title: its name.
        facts: a sentence about what and where it is.
        inputs, outputs: (node, signed share), the strongest first.
        lines: the same as text: token, name and share.
        contexts: (before, token, after, activation).
    """

    title: str
    facts: str
    inputs: list[tuple[int, float]]
    outputs: list[tuple[int, float]]
    lines: tuple[list[str], list[str]]
    contexts: list[tuple[str, str, str, float]]

    @property
    def words(self) -> str:
        """All of it in sentences."""
        parts = [f"{self.title}: {self.facts}"]
        for heading, lines in zip(("Inputs", "Outputs"), self.lines, strict=True):
            parts.append(f"{heading}: {listing(lines)}." if lines else f"{heading}: none shown.")
        if self.contexts:
            said = [f"{a}[{b.strip()} {number(v, 2)}]{c}" for a, b, c, v in self.contexts[:3]]
            parts.append("Highest in: " + " | ".join(said))
        return " ".join(parts)


def tell(
    place: int,
    pruned: PrunedGraph,
    drawn: Drawn,
    words: Sequence[str],
    shares: Float[Tensor, "node node"],
    signs: Float[Tensor, "node node"],
    contexts: Sequence[Context],
    name: Callable[[int], str],
) -> Told:
    """Everything there is to say of node number `place` of a pruned graph.

    shares, signs: of the whole graph's adjacency, between the nodes that are left.
    """
    nodes, kind = pruned.nodes, drawn.kind[place]
    position, layer = int(nodes.position[place]), int(nodes.layer[place])
    facts = f"{kind} at position {position} (“{words[position]}”)"
    if kind.endswith("latent"):
        facts += f", layer {layer}, number {int(nodes.index[place])}, on at {number(float(nodes.value[place]))}"
    elif kind == "error":
        facts += f", layer {layer}: what the dictionary leaves out there"
    elif kind == "logit":
        facts += f", probability {number(float(nodes.value[place]))}"
    if kind != "logit":
        facts += f"; influence {number(float(pruned.influence[place]))}"
    inputs = strongest(shares[place] * signs[place])
    outputs = strongest(shares[:, place] * signs[:, place])
    said = tuple(
        [_line(i, share, pruned, drawn, words) for i, share in each] for each in (inputs, outputs)
    )
    return Told(
        drawn.name[place],
        f"{facts}.",
        inputs,
        outputs,
        said,
        [_parts(each, name) for each in contexts],
    )


def strongest(signed: Float[Tensor, "node"]) -> list[tuple[int, float]]:
    """The largest shares, whatever their sign."""
    order = signed.abs().argsort(descending=True)[:N_NEIGHBOURS].tolist()
    return [(i, float(signed[i])) for i in order if signed[i] != 0]


def _line(i: int, share: float, pruned: PrunedGraph, drawn: Drawn, words: Sequence[str]) -> str:
    position = int(pruned.nodes.position[i])
    sign = "−" if share < 0 else "+"
    return f"{drawn.name[i]} at {position} “{words[position]}” {sign}{abs(share):.2f}"


def _parts(context: Context, name: Callable[[int], str]) -> tuple[str, str, str, float]:
    tokens = [name(token).replace(BOS, "") for token in context.tokens]
    here = context.here
    return "".join(tokens[:here]), tokens[here], "".join(tokens[here + 1 :]), context.activation


def panel_html(told: Told) -> str:
    """The same as a part of the page, which screen readers are told of when it changes."""
    tables = "".join(
        _list(heading, lines)
        for heading, lines in (
            ("Inputs: share of all it gets", told.lines[0]),
            ("Outputs: share of what the other gets", told.lines[1]),
        )
    )
    contexts = "".join(_context(*each) for each in told.contexts)
    if contexts:
        contexts = f"<b>Where it is highest</b>{contexts}"
    return (
        f'<div style="line-height:1.45;width:400px;margin-left:12px;color:{theme.INK};background:{theme.PAPER};'
        'padding:8px;border-radius:6px"><div role="status" aria-live="polite">'
        f"<b>{html.escape(told.title)}</b><br>{html.escape(told.facts)}</div>{tables}{contexts}</div>"
    )


def _list(heading: str, lines: Sequence[str]) -> str:
    rows = "".join(f"<li>{html.escape(line)}</li>" for line in lines) or "<li>none shown</li>"
    return f'<b>{heading}</b><ul style="margin:0 0 4px 18px;padding:0">{rows}</ul>'


def _context(before: str, token: str, after: str, value: float) -> str:
    mark = f'<mark style="background:#cfe3f2;color:{theme.INK}">{html.escape(token)}</mark>'
    return (
        f'<div style="font-size:12px;margin:2px 0">{html.escape(before)}{mark}{html.escape(after)} '
        f'<span style="color:{theme.MUTED}">{number(value, 2)}</span></div>'
    )
