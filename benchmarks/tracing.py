"""How long does an attribution graph take, here and in circuit-tracer, and do both say the same?

    python benchmarks/tracing.py [--peer PYTHON] [--rounds N] [--large]

CPU seconds on one thread, the quickest of several rounds.

- graph: `attribution_graph` of a 12-token prompt with `atlas-clt`, the model's run and all that comes before it
  included. Beside it `stream`, the same numbers the long way, and what scores and pruning take.
- circuit-tracer: the same prompt, model and transcoder in its own environment, whose interpreter is PYTHON (`pip
  install circuit-tracer` cannot share one with this project). The adjacency of all latents, errors and logits is
  compared, and what the three kinds of intervention do to the logits. Its graph also has the last layer's latents
  at positions from which no logit can be reached; ours leaves them out. Embeddings are not compared: with ours go
  positions and what MLPs write at BOS, which its graph leaves out. Its batch is the fastest of several.
- --large: a random model shaped like GPT-2 small with 12 x 3072 transcoders (TopK, 32), 20 tokens, in a process of
  its own: seconds, and the most memory that it had.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from timing import core_seconds
from torch.nn import functional as F

from mi_tutor.lab.dictionaries import TopK
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import (
    ACTIVATIONS,
    Affine,
    Block,
    PlainTransformer,
    plain_transformer,
)
from mi_tutor.lab.tracing import (
    ERROR,
    LATENT,
    LOGIT,
    MLP,
    AttributionGraph,
    Change,
    LayerTranscoders,
    LocalReplacementModel,
    Transcoder,
    attribution_graph,
    direct_effects,
    graph_scores,
    intervene,
    local_replacement,
    prune,
    save_circuit_tracer,
    written_by,
)
from mi_tutor.peak import peak_bytes
from mi_tutor.specimens import encode, open_specimen, open_transcoders

PROMPT = "In the state where Dallas lies, the capital is"
HERE = Path(__file__).parent
WEIGHTS, PLAN, FOUND = "weights.safetensors", "plan.json", "found.safetensors"
MODES = ("constrained", "iterative", "direct")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="the interpreter that has circuit-tracer")
    parser.add_argument("--rounds", type=int, default=9, help="the best of so many rounds counts")
    parser.add_argument("--large", action="store_true", help="the large model, and nothing else")
    options = parser.parse_args()
    if options.large:
        large()
        return
    model = open_specimen("atlas", device="cpu")
    plain, clt = plain_transformer(model), open_transcoders("atlas-clt")
    tokens = encode(model, PROMPT)[0]
    print(f"atlas-clt, {len(tokens)} tokens, one thread, torch {torch.__version__}", flush=True)
    seconds, local, graph = ours(plain, clt, tokens, options.rounds)
    if options.peer:
        theirs(options.peer, plain, local, graph, seconds, options.rounds)
    sys.stdout.flush()
    subprocess.run([sys.executable, __file__, "--large"], check=False)


def ours(plain: PlainTransformer, clt, tokens: torch.Tensor, n_rounds: int):
    """Time our graph and its parts; seconds, the local replacement model and the graph."""

    def whole() -> tuple[LocalReplacementModel, AttributionGraph]:
        local = local_replacement(plain, clt, tokens)
        return local, attribution_graph(local, tokens)

    seconds, (local, graph) = core_seconds(whole, n_rounds)
    print(f"  graph, {sizes(graph)}: {1e3 * seconds:.0f} ms")
    scored, _ = core_seconds(lambda: graph_scores(graph), n_rounds)
    pruned, _ = core_seconds(lambda: prune(graph), n_rounds)
    print(f"  scores {1e3 * scored:.0f} ms, pruning {1e3 * pruned:.0f} ms")
    nodes = graph.nodes
    latents = nodes.kind == LATENT
    encoders = torch.stack(
        [
            clt.reads(layer)[0][:, index]
            for layer, index in zip(
                nodes.layer[latents].tolist(), nodes.index[latents].tolist(), strict=True
            )
        ]
    )
    targets = nodes.layer[latents], nodes.position[latents], encoders
    sources = written_by(local, nodes)
    slow, rows = core_seconds(lambda: direct_effects(plain, local.recording, sources, *targets), 1)
    apart = (rows - graph.adjacency[latents]).abs().max()
    print(f"  the long way: {slow / seconds:.1f} times as long, {apart:.0e} apart")
    return seconds, local, graph


def sizes(graph: AttributionGraph) -> str:
    """Nodes and rows in words."""
    kind = graph.nodes.kind
    rows = int(((kind == LATENT) | (kind == LOGIT)).sum())
    return f"{len(kind)} nodes, {rows} rows"


def theirs(
    python: str,
    plain: PlainTransformer,
    local: LocalReplacementModel,
    graph: AttributionGraph,
    seconds: float,
    n_rounds: int,
) -> None:
    """The same by circuit-tracer, in its own environment."""
    changes = some_changes(graph)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        save_circuit_tracer(folder / "transcoders", local.transcoders, "atlas")
        save_file(named_weights(plain), folder / WEIGHTS)
        plan = {
            "tokens": graph.tokens.tolist(),
            "targets": graph.nodes.index[graph.nodes.kind == LOGIT].tolist(),
            "changes": [list(change[1:]) for change in changes],
            "n_heads": plain.n_heads,
            "eps": plain.eps,
            "act_fn": next(name for name, act in ACTIVATIONS.items() if act is plain.activation),
        }
        (folder / PLAN).write_text(json.dumps(plan))
        command = [python, str(HERE / "tracing_peer.py"), directory, str(n_rounds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"  circuit-tracer failed:\n{done.stderr[-2000:]}")
            return
        said = json.loads(done.stdout.splitlines()[-1])
        found = load_file(folder / FOUND)
    print(
        f"  circuit-tracer {said['version']}, {said['nodes']} nodes, {said['rows']} rows, batch {said['batch']}: "
        f"{1e3 * said['seconds']:.0f} ms, {said['seconds'] / seconds:.1f} times ours"
    )
    print(f"    adjacency of {compared(graph, found)} apart")
    for mode in MODES:
        logits = intervene(local, [changes], freeze_patterns=True, mode=mode).logits[0]
        moved = (logits - local.recording.logits).abs().max()
        apart = (logits - found[mode]).abs().max()
        print(f"    {mode} patching moves logits by {moved:.2f}, {apart:.0e} apart")


def some_changes(graph: AttributionGraph) -> list[Change]:
    """Three strong latents of layer 1: two off, one doubled."""
    nodes = graph.nodes
    here = torch.where((nodes.kind == LATENT) & (nodes.layer == 1), nodes.value, 0.0)
    strong = here.topk(3).indices.tolist()
    return [
        Change(
            MLP,
            *(int(part[i]) for part in (nodes.layer, nodes.position, nodes.index)),
            value=factor * float(nodes.value[i]),
        )
        for i, factor in zip(strong, (0.0, 0.0, 2.0), strict=True)
    ]


def compared(graph: AttributionGraph, found: dict[str, torch.Tensor]) -> str:
    """How far both adjacencies are apart, on all nodes of ours but embeddings."""
    nodes, n_pos = graph.nodes, len(graph.tokens)
    number = {tuple(place): i for i, place in enumerate(found["latents"].tolist())}
    n_latents, n_theirs = len(number), len(found["adjacency"])
    n_logits = int((nodes.kind == LOGIT).sum())
    kept, at = [], []
    for i, (kind, _, layer, position, index) in enumerate(
        zip(*(part.tolist() for part in nodes[:5]), strict=True)
    ):
        if kind == LATENT:
            at.append(number[layer, position, index])
        elif kind == ERROR:
            at.append(n_latents + layer * n_pos + position)
        elif kind == LOGIT:
            at.append(n_theirs - n_logits + sum(kind == LOGIT for kind in nodes.kind[:i].tolist()))
        else:
            continue
        kept.append(i)
    ours, theirs = graph.adjacency[kept][:, kept], found["adjacency"][at][:, at]
    return f"{len(kept)} nodes: {(ours - theirs).abs().max():.0e} of {ours.abs().max():.1f}"


def named_weights(plain: PlainTransformer) -> dict[str, torch.Tensor]:
    """All weights of a model by name."""
    found = {"W_E": plain.W_E, "W_pos": plain.W_pos}
    parts = {"ln_final": plain.ln_final, "unembed": plain.unembed}
    for i, block in enumerate(plain.blocks):
        parts |= {f"{i}.{name}": part for name, part in block._asdict().items()}
    found |= {f"{name}.W": part.W for name, part in parts.items()}
    found |= {f"{name}.b": part.b for name, part in parts.items()}
    return {name: value.contiguous().clone() for name, value in found.items()}


def large() -> None:
    """GPT-2 small's shape, random weights."""
    plain, transcoders = random_gpt2(), random_transcoders()
    draw = seeded(1)
    tokens = torch.randint(1, len(plain.W_E), (20,), generator=draw)

    def whole() -> AttributionGraph:
        return attribution_graph(local_replacement(plain, transcoders, tokens), tokens)

    seconds, graph = core_seconds(whole, 1)
    peak = peak_bytes() / 2**30
    scored, _ = core_seconds(lambda: graph_scores(graph), 1)
    print(
        f"GPT-2 small's shape, 12 x 3072 latents, {len(tokens)} tokens: {sizes(graph)}, "
        f"{seconds:.1f} s, {peak:.2f} GiB at most; its scores {scored:.1f} s, {peak_bytes() / 2**30:.2f} GiB"
    )


def random_gpt2(
    n_layers: int = 12, d: int = 768, n_vocab: int = 50_257, n_ctx: int = 1024
) -> PlainTransformer:
    """Random weights; the unembedding is the embedding's transpose, as in GPT-2."""
    draw = {"generator": seeded(0)}

    def affine(*shape: int) -> Affine:
        return Affine(0.02 * torch.randn(*shape, **draw), torch.zeros(shape[-1]))

    def norm() -> Affine:
        return Affine(torch.ones(d), torch.zeros(d))

    W_E = 0.02 * torch.randn(n_vocab, d, **draw)
    blocks = tuple(
        Block(norm(), affine(d, 3 * d), affine(d, d), norm(), affine(d, 4 * d), affine(4 * d, d))
        for _ in range(n_layers)
    )
    return PlainTransformer(
        W_E=W_E,
        W_pos=0.02 * torch.randn(n_ctx, d, **draw),
        blocks=blocks,
        ln_final=norm(),
        unembed=Affine(W_E.mT, torch.zeros(n_vocab)),
        n_heads=12,
        eps=1e-5,
        activation=partial(F.gelu, approximate="tanh"),
    )


def random_transcoders(n_layers: int = 12, d: int = 768, n_latents: int = 3072) -> LayerTranscoders:
    """TopK, so that as many are on as in good ones."""
    draw = {"generator": seeded(2)}
    return LayerTranscoders(
        [
            Transcoder(
                W_enc=torch.randn(d, n_latents, **draw) / d**0.5,
                b_enc=torch.zeros(n_latents),
                W_dec=torch.randn(n_latents, d, **draw) / d**0.5,
                b_dec=torch.zeros(d),
                kind=TopK(k=32),
            )
            for _ in range(n_layers)
        ]
    )


if __name__ == "__main__":
    main()
