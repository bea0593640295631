"""The graph viewer: what is chosen, told and pinned, by list, mouse and buttons."""

import re
import time
import xml.etree.ElementTree as ET

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.tracing import (
    LATENT,
    LayerTranscoders,
    Transcoder,
    attribution_graph,
    local_replacement,
    prune,
    record,
    shares,
)
from mi_tutor.show.tracing import graph_viewer, latent_contexts

TOKENS = torch.tensor([0, 5, 9, 33, 7, 101])
WORDS = ["<|endoftext|>", " a", " b", " c", " d", " <e>"]


@pytest.fixture(scope="module")
def plain(tiny):
    return plain_transformer(tiny("gpt2"))


@pytest.fixture(scope="module")
def transcoders(plain):
    g, d = {"generator": seeded(3)}, plain.W_E.shape[1]
    return LayerTranscoders(
        [
            Transcoder(
                W_enc=torch.randn(d, 11, **g) / d**0.5,
                b_enc=torch.zeros(11),
                W_dec=torch.randn(11, d, **g),
                b_dec=torch.zeros(d),
            )
            for _ in plain.blocks
        ]
    )


@pytest.fixture(scope="module")
def graph(plain, transcoders):
    return attribution_graph(local_replacement(plain, transcoders, TOKENS), TOKENS)


@pytest.fixture(scope="module")
def pruned(graph):
    return prune(graph)


@pytest.fixture
def viewer(graph, pruned):
    latent = int(pruned.kept[0])
    return graph_viewer(graph, WORDS, {latent: "a <label>"}, node=latent)


def test_it_begins_with_the_strongest_latent(graph, pruned):
    viewer = graph_viewer(graph, WORDS)
    latents = pruned.nodes.kind == LATENT
    strongest = pruned.influence.masked_fill(~latents, -1).argmax()
    assert viewer.node == int(pruned.kept[strongest])


def test_list_picture_and_buttons_agree(viewer, pruned):
    for control, name, value in ((viewer.nodes, "value", 3), (viewer._marks, "index", 5)):
        setattr(control, name, value)
        assert viewer.node == int(pruned.kept[value])
        assert viewer.nodes.value == viewer._marks.index == value
    to = viewer._told.inputs[0][0] if viewer._told.inputs else 5
    viewer.to_input.click()
    assert viewer.node == int(pruned.kept[to])


def test_the_keyboard_reaches_every_node(viewer, pruned):
    seen = []
    viewer.search.value = "no such node"
    viewer.search.value = "<E>"  # a token, in capitals
    assert "“<e>”" in viewer.words
    for _ in range(2 * len(pruned.kept)):
        viewer.before.click()
    for _ in range(len(pruned.kept)):
        seen.append(viewer.node)
        viewer.after.click()
    assert sorted(seen) == pruned.kept.tolist() and viewer.node == seen[-1]


def test_inputs_and_outputs_are_shares_of_the_whole_graph(viewer, graph, pruned):
    A = shares(graph.adjacency) * graph.adjacency.sign()
    number = viewer.node
    for found, whole in ((viewer._told.inputs, A[number]), (viewer._told.outputs, A[:, number])):
        for place, share in found:
            assert share == pytest.approx(float(whole[pruned.kept[place]]), abs=1e-6)
        strengths = [abs(share) for _, share in found]
        assert strengths == sorted(strengths, reverse=True)
        if strengths:
            assert max(strengths) == pytest.approx(float(whole[pruned.kept].abs().max()))


def test_pins_make_supernodes(viewer, pruned):
    first, second = (int(number) for number in pruned.kept[:2])
    viewer.group.value = "one"
    viewer.pin.click()
    viewer.nodes.value = 1
    viewer.pin.click()
    assert viewer.supernodes == {"one": [first, second]}
    assert "one: a &lt;label&gt; and " in viewer._pinned.value
    viewer.group.value = "two"
    viewer.pin.click()
    assert viewer.supernodes == {"one": [first], "two": [second]}
    viewer.unpin.click()
    assert viewer.supernodes == {"one": [first]}
    viewer.supernodes["one"].clear()  # a copy
    assert viewer.supernodes == {"one": [first]}
    assert "stroke-dasharray" in viewer._picture.value


def test_each_node_has_its_place_in_front_of_the_picture(viewer, pruned):
    places = re.findall(r"nth-child\((\d+)\){left:(-?\d+)px;top:(-?\d+)px}", viewer._style.value)
    assert [int(place[0]) for place in places] == list(range(1, len(pruned.kept) + 1))
    assert len({place[1:] for place in places}) == len(places)
    assert len(set(viewer._marks.options)) == len(places)


def test_words_and_picture_are_what_is_left_without_widgets(viewer):
    bundle = viewer._repr_mimebundle_()
    assert "a <label>: MLP latent at position" in bundle["text/plain"]
    texts = {each.text for each in ET.fromstring(bundle["image/svg+xml"]).iter() if each.text}
    assert {"adds", "subtracts", "token", "component"} <= texts
    assert "<e>" not in viewer._panel.value


def test_contexts_are_where_latents_are_highest(plain, transcoders, graph, pruned):
    texts = torch.randint(1, 40, (20, 8), generator=seeded(1))
    texts[:, 0] = 0
    contexts = latent_contexts(pruned, plain, transcoders, texts, n=2)
    mlp_in = record(plain, texts).mlp_in
    for place in (pruned.nodes.kind == LATENT).nonzero()[:, 0].tolist():
        layer, index = int(pruned.nodes.layer[place]), int(pruned.nodes.index[place])
        here = transcoders.encode_layer(layer, mlp_in[layer])[:, 1:, index]
        for context in contexts[int(pruned.kept[place])][:1]:
            assert context.activation == pytest.approx(float(here.max()), rel=1e-4)
            assert context.tokens[context.here] == texts[context.row, context.position]
    number = next(number for number, found in contexts.items() if found)
    viewer = graph_viewer(
        graph, WORDS, contexts=contexts, name=lambda token: f" t{token}", node=number
    )
    assert "Where it is highest" in viewer._panel.value and "Highest in: " in viewer.words


def test_a_choice_is_drawn_at_once(viewer):
    """The quickest of several counts: other work on the machine only ever slows one down."""
    took = []
    for place in range(1, 9):
        start = time.perf_counter()
        viewer.nodes.value = place
        took.append(time.perf_counter() - start)
    assert min(took) < 0.15


def test_nodes_that_are_not_shown_are_refused(graph, pruned):
    gone = next(i for i in range(len(graph.constant)) if i not in pruned.kept.tolist())
    for asked in ({"node": gone}, {"supernodes": {"one": [gone]}}):
        with pytest.raises(ValueError, match=f"not in the pruned graph: {gone}"):
            graph_viewer(graph, WORDS, **asked)
    with pytest.raises(ValueError, match="6 tokens"):
        graph_viewer(graph, WORDS[:2])
