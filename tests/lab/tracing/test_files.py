"""Files: there and back; files written by hand to circuit-tracer's layout; graphs against its viewers' schema."""

import json

import jsonschema
import pytest
import torch
from safetensors.torch import save_file

from mi_tutor.lab.dictionaries import BatchTopK, TopK
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.tracing import (
    LATENT,
    LOGIT,
    attribution_graph,
    clt_metadata,
    from_json,
    local_replacement,
    open_circuit_tracer,
    open_clt,
    prune,
    save_circuit_tracer,
    save_clt,
    to_json,
)

from .conftest import TOKENS, random_transcoders

X = torch.randn(5, 3, 24, generator=seeded(8))

# What Neuronpedia asks of a graph (its graph-schema.json, version 1.0.0): which fields, of which types.
TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def objects(**fields):
    return {"type": "object", "properties": fields, "required": list(fields)}


SCHEMA = objects(
    metadata=objects(
        slug=TEXT, scan=TEXT, prompt_tokens={"type": "array", "items": TEXT}, prompt=TEXT
    ),
    qParams={"type": "object"},
    nodes={
        "type": "array",
        "items": objects(
            node_id=TEXT,
            feature={"type": ["integer", "null"]},
            layer={"type": ["string", "integer"]},
            ctx_idx={"type": "integer"},
            feature_type=TEXT,
            jsNodeId=TEXT,
            clerp=TEXT,
            influence={"type": ["number", "null"]},
            activation={"type": ["number", "null"]},
        ),
    },
    links={"type": "array", "items": objects(source=TEXT, target=TEXT, weight=NUMBER)},
)


def test_a_cross_layer_transcoder_comes_back(tmp_path):
    clt = random_transcoders("cross-layer")
    save_clt(tmp_path, clt, {"model_name": "tiny"})
    again = open_clt(tmp_path)
    assert all(again.tensors()[name].equal(value) for name, value in clt.tensors().items())
    assert again.kind.name == "jumprelu" and clt_metadata(tmp_path) == {"model_name": "tiny"}


def test_in_bytes_each_vector_is_off_by_half_a_step_at_most(tmp_path):
    clt = random_transcoders("cross-layer")
    save_clt(tmp_path, clt, dtype=torch.int8)
    again = open_clt(tmp_path)
    for name, along in (("W_enc", 1), ("W_dec", -1)):
        there, back = clt.tensors()[name], again.tensors()[name]
        step = there.abs().amax(dim=along, keepdim=True) / 127
        assert ((there - back).abs() <= 0.501 * step).all()
    assert again.b_enc.equal(clt.b_enc) and again.threshold.equal(clt.threshold)
    assert (tmp_path / "clt_weights.safetensors").stat().st_size < 15_000


def test_damaged_files_are_told(tmp_path):
    clt = random_transcoders("cross-layer")
    with pytest.raises(ValueError, match="a trained one is a JumpRelu"):
        save_clt(tmp_path, clt.__class__(**{**clt.__dict__, "kind": BatchTopK(k=3)}))
    with pytest.raises(FileNotFoundError, match=r"clt\.json"):
        open_clt(tmp_path)
    save_clt(tmp_path, clt)
    (tmp_path / "clt_weights.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="safetensors"):
        open_clt(tmp_path)
    (tmp_path / "clt.json").write_text("{}")
    with pytest.raises(ValueError, match="damaged"):
        open_clt(tmp_path)


@pytest.mark.parametrize("kind", ["per layer", "cross-layer"])
def test_circuit_tracers_layout_there_and_back(tmp_path, kind):
    transcoders = random_transcoders(kind)
    save_circuit_tracer(tmp_path, transcoders, "tiny")
    again = open_circuit_tracer(tmp_path)
    assert type(again) is type(transcoders)
    torch.testing.assert_close(again(X), transcoders(X))


def test_files_written_by_hand(tmp_path):
    """A JumpReLU layer and a TopK layer as circuit-tracer's to_safetensors writes them."""
    g = {"generator": seeded(9)}
    weights = [
        {
            "W_enc": torch.randn(7, 24, **g),
            "W_dec": torch.randn(7, 24, **g),
            "b_enc": torch.randn(7, **g),
            "b_dec": torch.randn(24, **g),
        }
        for _ in range(2)
    ]
    jumping = weights[0] | {"activation_function.threshold": torch.full((7,), 1.0)}
    save_file(jumping, tmp_path / "layer_0.safetensors")
    save_file(weights[1] | {"k": torch.tensor(2)}, tmp_path / "layer_1.safetensors")
    (tmp_path / "config.yaml").write_text(
        "model_kind: transcoder_set  # by hand\nfeature_input_hook: 'mlp.hook_in'\n"
    )
    one, two = open_circuit_tracer(tmp_path).each
    pre = X[:, 0] @ weights[0]["W_enc"].T + weights[0]["b_enc"]
    torch.testing.assert_close(one.encode(X[:, 0]), pre * (pre > 1.0))
    assert two.kind == TopK(k=2)
    (tmp_path / "config.yaml").write_text("feature_input_hook: hook_resid_mid\n")
    with pytest.raises(ValueError, match="feature_input_hook = 'hook_resid_mid'"):
        open_circuit_tracer(tmp_path)


def test_what_is_not_read_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"layer_0\.safetensors"):
        open_circuit_tracer(tmp_path)
    save_circuit_tracer(tmp_path, random_transcoders("per layer"), "tiny")
    save_file({"W_skip": torch.zeros(24, 24)}, tmp_path / "layer_1.safetensors")
    with pytest.raises(ValueError, match="skip connection"):
        open_circuit_tracer(tmp_path)
    save_file({"W_enc": torch.zeros(24, 24)}, tmp_path / "layer_1.safetensors")
    with pytest.raises(ValueError, match="lacks W_dec, b_dec, b_enc"):
        open_circuit_tracer(tmp_path)
    (tmp_path / "layer_1.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="without a gap"):
        open_circuit_tracer(tmp_path)


def test_a_graph_is_what_its_viewers_ask_for_and_comes_back(plain, transcoders, attention):
    graph = attribution_graph(local_replacement(plain, transcoders, TOKENS, attention), TOKENS)
    pruned = prune(graph)
    latents = [int(pruned.kept[i]) for i in (pruned.nodes.kind == LATENT).nonzero()[:2, 0]]
    words = [f"word{i}" for i in range(6)]
    text = to_json(
        pruned, words, "a prompt", "a-slug", "tiny", {latents[0]: "a label"}, {"both": latents}
    )
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    ids = [node["node_id"] for node in found["nodes"]]
    assert len(set(ids)) == len(ids) == len(pruned.kept)
    assert {link[end] for link in found["links"] for end in ("source", "target")} <= set(ids)
    assert found["qParams"]["supernodes"] == [["both", *found["qParams"]["pinnedIds"]]]
    assert "a label" in [node["clerp"] for node in found["nodes"]]
    assert sum(node["is_target_logit"] for node in found["nodes"]) == 1
    nodes, adjacency = from_json(text)
    for back, there in zip(nodes, pruned.nodes, strict=True):
        torch.testing.assert_close(back, there)
    assert adjacency.equal(pruned.adjacency)
    assert nodes.layer[nodes.kind == LOGIT].tolist() == [3] * int((nodes.kind == LOGIT).sum())


def test_no_graph_is_told(plain):
    with pytest.raises(ValueError, match="no graph"):
        from_json("[]")
    graph = attribution_graph(
        local_replacement(plain, random_transcoders("per layer"), TOKENS), TOKENS
    )
    pruned = prune(graph)
    with pytest.raises(ValueError, match="6 tokens, and there are 1"):
        to_json(pruned, ["one"], "p", "s", "m")
    gone = next(i for i in range(len(graph.constant)) if i not in pruned.kept)
    with pytest.raises(ValueError, match="pruned"):
        to_json(pruned, ["w"] * 6, "p", "s", "m", supernodes={"lost": [gone]})
