"""The figures of chapter 06: what they draw, what they say, and what they refuse."""

import numpy as np
import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.tracing import (
    EMBEDDING,
    ERROR,
    LATENT,
    LOGIT,
    AttributionGraph,
    GroupedGraph,
    Nodes,
    Scores,
    Validation,
    edge_influence,
    grouped,
    prune,
)
from mi_tutor.show import tracing
from mi_tutor.show.tracing.graphs import is_free
from mi_tutor.show.tracing.places import Drawn, strongest_edges

WORDS = ["<|endoftext|>", " of", " Dallas"]
# kind, component, layer, position, index, value: two MLP latents, one attention latent, an error, three embeddings
# and two logits.
ROWS = [
    (LATENT, 1, 0, 1, 7, 2.0),
    (LATENT, 0, 1, 2, 3, 1.5),
    (LATENT, 1, 1, 2, 9, 0.5),
    (ERROR, 1, 0, 2, -1, 1.0),
    (EMBEDDING, -1, -1, 0, 0, 1.0),
    (EMBEDDING, -1, -1, 1, 4, 1.0),
    (EMBEDDING, -1, -1, 2, 5, 1.0),
    (LOGIT, -1, 2, 2, 8, 0.6),
    (LOGIT, -1, 2, 2, 6, 0.3),
]
ANSWERS = [" Austin", " Paris"]


@pytest.fixture(scope="module")
def graph():
    *whole, value = zip(*ROWS, strict=True)
    A = torch.zeros(9, 9)
    A[0, 5], A[1, 0], A[1, 6], A[2, 1], A[2, 3] = 1.0, 2.0, -1.0, 1.0, 0.2
    A[7, 2], A[7, 1], A[8, 2], A[8, 4] = 3.0, -0.5, 1.0, 0.5
    nodes = Nodes(*map(torch.tensor, whole), torch.tensor(value))
    return AttributionGraph(nodes, A, torch.zeros(9), torch.tensor([0, 4, 5]), 0)


@pytest.fixture(scope="module")
def pruned(graph):
    return prune(graph, 1.0, 1.0)


def marks(figure):
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def test_a_graph_has_a_mark_for_each_node_in_its_row_and_column(pruned):
    figure = tracing.graph_figure(pruned, WORDS, {1: "Texas"}, ANSWERS)
    found = marks(figure)
    assert {name: len(trace.x) for name, trace in found.items()} == {
        "MLP latent": 2,
        "attention latent": 1,
        "error": 1,
        "embedding": 3,
        "logit": 2,
    }
    assert len({trace.marker.symbol for trace in found.values()}) == 5
    rows = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert list(rows) == ["embedding", "MLP 0", "attention 1", "MLP 1", "logits"]
    assert found["attention latent"].y[0] == pytest.approx(rows["attention 1"])
    assert list(figure.layout.xaxis.ticktext) == ["0: BOS", "1: of", "2: Dallas"]
    embedding = found["embedding"]
    assert np.allclose(embedding.x, figure.layout.xaxis.tickvals)
    assert list(embedding.customdata) == [4, 5, 6]


def test_no_two_nodes_of_a_crowded_graph_stand_on_each_other():
    n = 400
    kind = torch.full((n,), LATENT)
    position = torch.randint(1, 5, (n,), generator=seeded(0))
    layer = torch.randint(0, 3, (n,), generator=seeded(1))
    ends = torch.tensor([EMBEDDING] * 5 + [LOGIT])
    nodes = Nodes(
        torch.cat([kind, ends]),
        torch.cat([torch.ones(n), -torch.ones(6)]).long(),
        torch.cat([layer, torch.tensor([-1] * 5 + [3])]),
        torch.cat([position, torch.tensor([0, 1, 2, 3, 4, 4])]),
        torch.arange(n + 6),
        torch.ones(n + 6),
    )
    A = torch.zeros(n + 6, n + 6)
    A[:n, n : n + 5], A[n + 5, :n] = 1.0, 1.0
    graph = AttributionGraph(nodes, A, torch.zeros(n + 6), torch.arange(5), 0)
    figure = tracing.graph_figure(prune(graph, 1.0, 1.0), list("abcde"))
    places = np.concatenate(
        [np.stack([trace.x, trace.y], axis=1) for trace in marks(figure).values()]
    ).astype(float)
    far = np.abs(places[:, None] - places[None]).max(axis=-1) + 100 * np.eye(len(places))
    assert far.min() > 5
    assert figure.layout.width <= 810


def test_the_strongest_edges_are_drawn(pruned):
    figure = tracing.graph_figure(pruned, WORDS, n_edges=3)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert sum(len(trace.x) // 3 for trace in lines) == 3
    counts = edge_influence(pruned.adjacency, torch.tensor([0.0] * 7 + [0.6, 0.3]))
    found = {each[:2] for each in strongest_edges(pruned, 3)}
    strongest = counts.flatten().argsort(descending=True)[:3].tolist()
    assert found == {divmod(i, 9) for i in strongest}
    dashes = {trace.name: trace.line.dash for trace in tracing.graph_figure(pruned, WORDS).data}
    assert (dashes["adds"], dashes["subtracts"]) == ("solid", "dot")


def test_labels_are_told_and_shown(pruned):
    figure = tracing.graph_figure(pruned, WORDS, {1: "Texas"}, ANSWERS)
    assert "Texas" in marks(figure)["attention latent"].text[0]
    assert "number 3, on at 1.5" in marks(figure)["attention latent"].text[0]
    notes = [note.text for note in figure.layout.annotations]
    assert "Texas" in notes and "“Austin”" in notes
    assert "“Austin” 0.6" in figure.alt and "Texas at position 2" in figure.alt
    assert "9 nodes (2 MLP latents, 1 attention latent, 1 error, 3 embeddings" in figure.alt


def test_a_label_covers_no_other_node_where_there_is_room_below():
    # The second line of a cell that has two: above it stands the first one.
    x, y = np.array([10.0, 10, 10]), np.array([100.0, 85, 40])
    drawn = Drawn(x, y, np.zeros(3), ["MLP latent"] * 3, list("abc"), [], [], (100, 120), [])
    assert is_free(drawn, 0, 10, 115, 10) and not is_free(drawn, 1, 10, 100, 10)
    assert is_free(drawn, 1, 10, 70, 10)


def test_a_graph_wants_its_words(pruned):
    with pytest.raises(ValueError, match="3 tokens"):
        tracing.graph_figure(pruned, WORDS[:2])
    with pytest.raises(ValueError, match="2 logits"):
        tracing.graph_figure(pruned, WORDS, answers=ANSWERS[:1])


def test_scores_stand_beside_their_floors():
    figure = tracing.scores_bars({"ours": Scores(0.9, 0.97)}, {"shuffled": Scores(0.4, 0.77)})
    assert [list(trace.x) for trace in figure.data] == [[0.9], [0.4], [0.97], [0.77]]
    shapes = [trace.marker.pattern.shape for trace in figure.data]
    assert shapes == [None, "/", None, "/"]
    assert figure.data_table()["floor"].tolist() == [False, True]
    with pytest.raises(ValueError, match="at least one"):
        tracing.scores_bars({}, {})
    with pytest.raises(ValueError, match="both"):
        tracing.scores_bars({"a": Scores(1, 1)}, {"a": Scores(0, 0)})


def test_influence_is_drawn_against_the_effect():
    found = Validation(torch.tensor([0.1, 0.2, 0.0]), torch.tensor([0.01, 0.5, 0.0]), 0.5)
    figure = tracing.influence_against_effect({"all": found}, {"all": list("abc")})
    table = figure.data_table()
    assert table["x"] == pytest.approx([0.1, 0.2, 1e-7])
    assert table["label"].tolist() == list("abc")
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert "all: 0.50" in figure.alt
    assert "below 1e-07 stands there" in figure.layout.title.text
    large = found._replace(predicted=found.predicted + 1, measured=found.measured + 1)
    assert "stands there" not in tracing.influence_against_effect({"all": large}).layout.title.text
    with pytest.raises(ValueError, match="one per latent"):
        tracing.influence_against_effect({"all": found}, {"all": ["a"]})
    with pytest.raises(ValueError, match="at least one"):
        tracing.influence_against_effect({})


def test_supernodes_stand_above_what_gives_to_them(graph):
    groups = grouped(graph, {"word": [5], "Texas": [0, 1], "Austin": [7]})
    figure = tracing.supernode_figure(groups)
    places = dict(zip(groups.names, figure.data[0].y, strict=True))
    assert places["word"] < places["Texas"] < places["Austin"]
    table = figure.data_table()
    shares = dict(
        zip(zip(table["target"], table["source"], strict=True), table["share"], strict=True)
    )
    assert shares["Texas", "word"] == pytest.approx(float(groups.inputs[1, 0]))
    few = tracing.supernode_figure(groups, smallest=0.5)  # what is left out is said, in both texts
    assert "from 0.5 on" in few.layout.title.text and "from 0.5 on" in few.alt
    rows = [["Austin"], ["word", "Texas"]]
    turned = tracing.supernode_figure(groups, rows=rows).data[0].y
    assert turned[2] < turned[0] == turned[1]
    with pytest.raises(ValueError, match="each supernode once"):
        tracing.supernode_figure(groups, rows=[["Austin"]])


def test_no_arrow_runs_across_a_box():
    """Three in a chain, and the first gives to the last as well."""
    inputs = torch.tensor([[0.0, 0, 0], [0.5, 0, 0], [0.5, 0.5, 0]])
    groups = GroupedGraph(("a", "b", "c"), inputs, torch.zeros(3), torch.ones(3))
    x = tracing.supernode_figure(groups).data[0].x
    assert abs((x[0] + x[2]) / 2 - x[1]) > 60


def test_no_share_stands_on_another():
    """Two arrows that cross where both are halfway."""
    inputs = torch.zeros(4, 4)
    inputs[2, 1] = inputs[3, 0] = 0.5
    groups = GroupedGraph(("a", "b", "c", "d"), inputs, torch.zeros(4), torch.ones(4))
    figure = tracing.supernode_figure(groups, rows=[["a", "b"], ["c", "d"]])
    (x, y), (x2, y2) = (
        (each.x, each.y) for each in figure.layout.annotations if each.text == "0.50"
    )
    assert abs(x - x2) > 34 or abs(y - y2) > 17


CHAIN = GroupedGraph(
    ("a", "b"), torch.tensor([[0.0, 0], [0.5, 0]]), torch.tensor([1.0, 0.5]), torch.ones(2)
)
FIGURES = {
    "graph": lambda pruned: tracing.graph_figure(pruned, WORDS, {1: "Texas"}, ANSWERS),
    "scores": lambda _: tracing.scores_bars(
        {"per layer": Scores(0.9, 0.97)}, {"no dictionary": Scores(0.1, 0.5)}
    ),
    "effects": lambda _: tracing.influence_against_effect(
        {"a": Validation(torch.linspace(1, 2, 9), torch.linspace(0, 1, 9), 1.0)}
    ),
    "supernodes": lambda _: tracing.supernode_figure(CHAIN),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_fits_and_comes_out_the_same(name, pruned):
    figure = FIGURES[name](pruned)
    assert figure.heading and len(figure.alt) > 20
    assert "nan" not in figure.alt and "None" not in figure.alt
    assert figure.layout.width <= 810 and figure.layout.height <= 800
    assert figure.layout.yaxis.title.text
    assert len({len(column) for column in figure.data_table().values()}) == 1
    assert figure.to_json() == FIGURES[name](pruned).to_json()
    assert "bdata" not in figure.to_json()
