"""A graph as JSON that others can open: circuit-tracer's viewer, and Neuronpedia's.

    metadata   slug, scan (the model), prompt, prompt_tokens, thresholds
    qParams    what the viewer shows at first: pinned nodes, supernodes
    nodes      node_id, layer, feature, ctx_idx (position), feature_type, clerp (label), influence, activation
    links      source, target, weight

Their conventions: a latent's node_id is layer_index_position and its `feature` both numbers in one (`paired`);
`influence` is the cumulative one, by which the viewer prunes further. Attention latents are no part of their
format: they get an A before the layer and their own feature_type.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.tracing.graph import EMBEDDING, ERROR, LATENT, LOGIT, Nodes
from mi_tutor.lab.tracing.pruning import PrunedGraph
from mi_tutor.lab.tracing.pulling import ATTENTION, MLP

FEATURE_TYPES = {
    (LATENT, MLP): "cross layer transcoder",  # their name for any transcoder's
    (LATENT, ATTENTION): "attention output dictionary",
    (ERROR, MLP): "mlp reconstruction error",
    (ERROR, ATTENTION): "attention reconstruction error",
    (EMBEDDING, -1): "embedding",
    (LOGIT, -1): "logit",
}


def paired(x: int, y: int) -> int:
    """Two numbers as one: Cantor's pairing.

    >>> paired(2, 3), [paired(x, y) for x, y in ((0, 0), (1, 0), (0, 1), (2, 0))]
    (18, [0, 1, 2, 3])
    """
    return (x + y) * (x + y + 1) // 2 + y


def unpaired(number: int) -> tuple[int, int]:
    """The two numbers of `paired`.

    >>> unpaired(18)
    (2, 3)
    """
    total = 0
    while (total + 1) * (total + 2) // 2 <= number:
        total += 1
    y = number - total * (total + 1) // 2
    return total - y, y


def to_json(
    pruned: PrunedGraph,
    words: Sequence[str],
    prompt: str,
    slug: str,
    model: str,
    labels: Mapping[int, str] | None = None,
    supernodes: Mapping[str, Sequence[int]] | None = None,
    answers: Sequence[str] | None = None,
) -> str:
    """A pruned graph as JSON.

    words: the prompt's tokens as text. slug: a name without spaces. model: its name.
    labels: of nodes, by their number in the whole graph. supernodes: by name, nodes by these numbers.
    answers: the logits' tokens as text.

    Raises ValueError if the words are not as many as embeddings, or a supernode has a node that was pruned.
    """
    nodes = pruned.nodes
    n_words = int((nodes.kind == EMBEDDING).sum())
    if len(words) != n_words:
        raise ValueError(f"The graph has {n_words} tokens, and there are {len(words)} words.")
    ids = [node_id(nodes, i) for i in range(len(pruned.kept))]
    groups = _groups(supernodes or {}, dict(zip(pruned.kept.tolist(), ids, strict=True)))
    links = [
        {"source": ids[s], "target": ids[t], "weight": pruned.adjacency[t, s].item()}
        for t, s in pruned.edges.tolist()
    ]
    found = {
        "metadata": {
            "slug": slug,
            "scan": model,
            "transcoder_list": [],
            "prompt_tokens": list(words),
            "prompt": prompt,
            "schema_version": 1,
        },
        "qParams": {
            "pinnedIds": [each for group in groups for each in group[1:]],
            "supernodes": groups,
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": _nodes(pruned, ids, labels or {}, answers or []),
        "links": links,
    }
    return json.dumps(found, indent=1, allow_nan=False)


def _groups(supernodes: Mapping[str, Sequence[int]], ids: Mapping[int, str]) -> list[list[str]]:
    """Each supernode's name and its nodes. ids: of the kept nodes, by their number in the whole graph."""
    groups = []
    for name, members in supernodes.items():
        gone = [i for i in members if i not in ids]
        if gone:
            raise ValueError(f"{name!r} has nodes that were pruned: {gone}.")
        groups.append([name, *(ids[i] for i in members)])
    return groups


def _nodes(
    pruned: PrunedGraph, ids: Sequence[str], labels: Mapping[int, str], answers: Sequence[str]
) -> list[dict[str, Any]]:
    """All nodes; the logits have the answers, in their order, with their probabilities as labels."""
    nodes, words, described = pruned.nodes, iter(answers), []
    for i, kept in enumerate(pruned.kept.tolist()):
        label = labels.get(kept, "")
        if nodes.kind[i] == LOGIT:
            label = f'Output "{next(words, int(nodes.index[i]))}" (p={nodes.value[i]:.3f})'
        described.append(node_json(pruned, i, ids[i], label))
    return described


def node_id(nodes: Nodes, i: int) -> str:
    """Their name of a node."""
    kind, component, layer, position, index = (int(part[i]) for part in nodes[:5])
    if kind == EMBEDDING:
        return f"E_{index}_{position}"
    if kind == LOGIT:
        return f"{layer + 1}_{index}_{position}"
    return f"{'A' if component == ATTENTION else ''}{layer}_{index}_{position}"


def node_json(pruned: PrunedGraph, i: int, name: str, label: str) -> dict[str, Any]:
    """One node in their terms."""
    nodes = pruned.nodes
    kind, component, layer, position, index = (int(part[i]) for part in nodes[:5])
    layers = {EMBEDDING: "E", LOGIT: str(layer + 1)}
    features = {LATENT: paired(layer, index), ERROR: -1, EMBEDDING: position, LOGIT: index}
    start = name.rsplit("_", 1)[0] if kind != LOGIT else f"L_{index}"
    return {
        "node_id": name,
        "feature": features[kind],
        "layer": layers.get(kind, str(layer)),
        "ctx_idx": position,
        "feature_type": FEATURE_TYPES[kind, component],
        "token_prob": nodes.value[i].item() if kind == LOGIT else 0.0,
        "is_target_logit": kind == LOGIT and not (nodes.kind[:i] == LOGIT).any().item(),
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "jsNodeId": f"{start}-{0 if kind == LATENT else position}",
        "clerp": label,
        "influence": None if kind == LOGIT else pruned.cumulative[i].item(),
        "activation": nodes.value[i].item() if kind == LATENT else None,
    }


def from_json(text: str) -> tuple[Nodes, Tensor]:
    """Nodes and adjacency matrix of a graph in this format, one of ours or circuit-tracer's.

    Raises ValueError, with what is wrong, if it is no such graph.
    """
    kinds = {name: key for key, name in FEATURE_TYPES.items()}
    try:
        found = json.loads(text)
        rows = []
        for node in found["nodes"]:
            kind, component = kinds[node["feature_type"]]
            index, position = map(int, node["node_id"].split("_")[1:])
            layer = -1 if kind == EMBEDDING else int(node["layer"]) - (kind == LOGIT)
            values = {LATENT: node.get("activation"), LOGIT: node.get("token_prob")}
            rows.append((kind, component, layer, position, index, values.get(kind, 1.0)))
        numbers = {node["node_id"]: i for i, node in enumerate(found["nodes"])}
        adjacency = torch.zeros(len(rows), len(rows))
        for link in found["links"]:
            adjacency[numbers[link["target"]], numbers[link["source"]]] = link["weight"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"This is no graph in circuit-tracer's format ({type(error).__name__}: {error}). It needs nodes of "
            f"the types {', '.join(kinds)}, and links between them."
        ) from error
    *whole, value = zip(*rows, strict=True)
    return Nodes(*map(torch.tensor, whole), torch.tensor(value, dtype=torch.float32)), adjacency
