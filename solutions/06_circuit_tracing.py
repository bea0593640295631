# %% [markdown] minutes=205
r"""
# 06 · Circuit tracing

Draw the graph of one answer: which latents made it, through which others, and how much of it nobody has explained.

## What you will be able to do

- put a dictionary in the place of an MLP: a transcoder, and one that writes across layers
- freeze what is not linear in a model, so that it stays exactly the model at one prompt
- derive what one latent gives to another, and make the whole graph of a prompt
- find out what counts along all paths, and prune the rest away
- score a graph beside its floors, and say what each of two scores hides
- say of a graph what it leaves unexplained, what frozen patterns hide, and that it is about one prompt

You need chapter 02 (dictionaries) and chapter 05 (Dallas, Texas, Austin). Chapter 04 helps: a row of the graph is
an attribution that is no longer an estimate.
"""

# %% tags=["setup"]
import tempfile
from collections import Counter
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import tracing
from mi_tutor.lab.ground import plain_transformer, seeded
from mi_tutor.specimens import (
    SpecimenError,
    open_dictionary,
    open_specimen,
    open_transcoders,
)
from mi_tutor.specimens.atlas import Geography, by_length, chosen, labelled_texts

# %% [markdown]
r"""
## A circuit nobody drew by hand

Chapter 05 found the middle step of Dallas → Texas → Austin by guessing where it must be, and exchanging it. That
took an idea beforehand. Ameisen et al. 2025 turn it round: cut the model into pieces that mean something, compute
what each piece gives to each other one at *this* prompt, and read the answer's history off the graph.

```
                 ┌──────────────── logit: Austin ───────────────┐
                 │                      │                       │
            latent: a capital     latent: Texas            ?? (errors)
                 │                      │
            word: capital         word: Dallas
```

Three things stand in the way. An MLP's neurons mean little, so it gets a dictionary. Attention and LayerNorm are
not linear, so that "what a gives to b" has no exact meaning; it gets one once they are frozen. And a
dictionary is never complete: what it leaves out has to stand in the picture as well, as a node of its own.

The model is `atlas` again, with two sets of dictionaries of its MLPs, and one of what its attention 2 writes.
"""

# %% id="open-everything"
torch.set_grad_enabled(False)  # nothing is trained in this chapter
model = open_specimen("atlas", device="cpu")
plain = plain_transformer(model)  # the same model without hooks: fast
n_layers = model.cfg.n_layers
per_layer = open_transcoders("atlas-mlp")  # one transcoder for each MLP
clt = open_transcoders("atlas-clt")  # one that writes across layers
attention_2 = open_dictionary(
    "atlas-attn2"
)  # an autoencoder of what attention 2 writes

DALLAS = "In the state where Dallas lies, the capital is"
tokens = model.to_tokens(DALLAS)[0]
words = model.to_str_tokens(DALLAS)
model_logits = model(tokens[None])[0]
best = model_logits[-1].softmax(dim=-1).topk(3)
print(words)
print(
    DALLAS, "…", [f"{model.to_string(i)} {p:.3f}" for p, i in zip(*best, strict=True)]
)

# %% tags=["claim"]
assert model.to_string(best.indices[0]) == " Austin", "read the answer's history"

# %% [markdown]
r"""
## A dictionary for what an MLP does

The autoencoder of chapter 02 says what an activation *is*: it reads a place and writes the same place. For a
circuit we want to know what an MLP *does*. A **transcoder** (Dunefsky et al. 2024) reads what the MLP reads and
writes what the MLP writes. Put in its place, it is the MLP in slow motion: for each latent one can see what it
looks for (its encoder) and what it then adds to the stream (its decoder), with nothing dense in between.
"""

# %% [markdown] slug="transcoder"
r"""
Return `(latents, y_hat)`: latents `[*batch latent]` and what they write, `[*batch d_out]`. The kind is JumpReLU: a
latent keeps its pre-activation if that is **above** its threshold, and is 0 otherwise. x is what an MLP reads, y_hat
what it should write. Think before you copy chapter 02: one thing that was right there would be wrong here.
"""


# %% tags=["exercise"] slug="transcoder"
def transcode(
    x: Float[Tensor, "*batch d_in"],
    W_enc: Float[Tensor, "d_in latent"],
    b_enc: Float[Tensor, "latent"],
    threshold: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d_out"],
    b_dec: Float[Tensor, "d_out"],
) -> tuple[Float[Tensor, "*batch latent"], Float[Tensor, "*batch d_out"]]:
    """The latents that are on, and what they write."""
    # BEGIN SOLUTION
    pre = x @ W_enc + b_enc  # b_dec lives where the MLP writes, not where it reads
    latents = pre * (pre > threshold)
    return latents, latents @ W_dec + b_dec
    # END SOLUTION


# %% tags=["check"]
check("transcoder", transcode)

# %% [markdown]
r"""
## Read once, write to all that follow

With a transcoder per layer, a step that several MLPs take together ("this is Texas, and once more, Texas") becomes
a chain of latents that do nothing but hand on. A **cross-layer transcoder** (CLT) shortens it. Its latents read at
one layer and write to the MLP outputs of that layer *and of all later ones*.

```
              MLP 0      MLP 1      MLP 2
latent of 0     ●──────────●──────────●        reads before MLP 0, writes three times
latent of 1                ●──────────●
latent of 2                           ●
```
"""

# %% tags=["quiz"]
quiz("one-latent-or-many", "c")

# %% [markdown] slug="clt-forward"
r"""
Return what a cross-layer transcoder writes to each MLP's output, `[*batch layer d_model]`. `x[..., l, :]` is what
layer l's MLP reads, and the latents of layer l read it, with JumpReLU thresholds as before. `W_dec[l, i, t]` is
what latent i of layer l writes to layer t; it is 0 for `t < l`.
"""


# %% tags=["exercise"] slug="clt-forward"
def clt_forward(
    x: Float[Tensor, "*batch layer d_model"],
    W_enc: Float[Tensor, "layer d_model latent"],
    b_enc: Float[Tensor, "layer latent"],
    threshold: Float[Tensor, "layer latent"],
    W_dec: Float[Tensor, "layer latent layer d_model"],
    b_dec: Float[Tensor, "layer d_model"],
) -> Float[Tensor, "*batch layer d_model"]:
    """What all latents together write to each layer."""
    # BEGIN SOLUTION
    pre = torch.einsum("...ld,ldm->...lm", x, W_enc) + b_enc
    latents = pre * (pre > threshold)
    return torch.einsum("...lm,lmtd->...td", latents, W_dec) + b_dec
    # END SOLUTION


# %% tags=["check"]
check("clt-forward", clt_forward)

# %% [markdown]
r"""
What is it trained for? To write what the MLPs write, all layers together, with few latents:

$$\mathcal L = \sum_t \lVert y_t - \hat y_t \rVert^2
+ \lambda \sum_{l,i} \tanh\big(c\, f_{li}\, \lVert W_{dec}[l, i] \rVert\big)$$

The tanh grows like L1 near 0 and stops growing where a latent is clearly on: being on costs, being *strong* does
not. The norm is that of **all** that a latent writes, to every layer, as one long vector. Ask yourself what a latent
would do if only its own layer counted.
"""

# %% [markdown] slug="clt-loss"
r"""
Return this loss as one number: sums over layers, dimensions and latents, and a **mean** over the batch. `sparsity`
is λ, `scale` is c.
"""


# %% tags=["exercise"] slug="clt-loss"
def clt_loss(
    y: Float[Tensor, "batch layer d_model"],
    y_hat: Float[Tensor, "batch layer d_model"],
    latents: Float[Tensor, "batch layer latent"],
    W_dec: Float[Tensor, "layer latent layer d_model"],
    sparsity: float,
    scale: float,
) -> Float[Tensor, ""]:
    """Squared error plus a saturating price for each latent that is on."""
    # BEGIN SOLUTION
    error = (y - y_hat).square().sum(dim=(1, 2))
    norm = W_dec.flatten(2).norm(dim=-1)
    price = torch.tanh(scale * latents * norm).sum(dim=(1, 2))
    return (error + sparsity * price).mean()
    # END SOLUTION


# %% tags=["check"]
check("clt-loss", clt_loss)

# %% [markdown]
r"""
`atlas-clt` took some minutes of one core. (It was trained with the exact cousin of that price: BatchTopK, over all
layers together. With the same number of latents for each layer it fails: the first MLP needs five times as many as
the last one.) How good are both sets, on the questions that we shall trace? Here are held-out two-hop questions
about cities that no two-hop question in training was ever about.
"""

# %% id="how-good-are-they"
geography = Geography()
held_out = chosen(geography, language="english", kind="state", held_out_by="city")
texts = [question.prompt.text for question in held_out][::4]
groups = [group for _, group in by_length(texts)]

reads, writes, same = [], [], {"per layer": 0, "cross-layer": 0}
for group in groups:
    seen = tracing.record(plain, group)
    for kept, part in ((reads, seen.mlp_in), (writes, seen.mlp_out)):
        kept.append(part[:, :, 1:].flatten(1, 2).transpose(0, 1))  # [row layer d_model]
    for name, each in (("per layer", per_layer), ("cross-layer", clt)):
        guess = tracing.replaced_logits(plain, each, group)[:, -1].argmax(dim=-1)
        same[name] += int((guess == seen.logits[:, -1].argmax(dim=-1)).sum())
rows = torch.cat(reads), torch.cat(writes)
quality = {
    name: tracing.transcoder_metrics(each, *rows)
    for name, each in (("per layer", per_layer), ("cross-layer", clt))
}
print(f"{len(texts)} questions, {len(rows[0])} tokens")
print(f"{'':<13}{'latents on, by layer':<31}{'sum':>7}{'FVU':>9}   same first guess")
for name, seen_as in quality.items():
    by_layer = "".join(f"{n:6.1f}" for n in seen_as.l0)
    print(f"{name:<13}{by_layer:<31}{seen_as.l0.sum():7.1f}{seen_as.fvu.mean():9.4f}"
          f"{same[name] / len(texts):12.1%}")  # fmt: skip

# %% [markdown]
r"""
“Same first guess” is the **replacement model**: all MLPs gone, transcoders in their places, and nothing else done.
"""
# %% tags=["claim"]
_two = quality["per layer"], quality["cross-layer"]
assert _two[1].l0.sum() < _two[0].l0.sum(), "with fewer latents on"
assert _two[1].fvu.mean() < _two[0].fvu.mean(), "and a smaller error"
assert _two[1].l0[0] > 5 * _two[1].l0[-1], "five times as many in layer 0 as in layer 4"
assert same["cross-layer"] >= same["per layer"], "at least as often"
assert 0.85 < min(same.values()) / len(texts) < 0.97, "nine in ten"

# %% [markdown]
r"""
**What you should see.** The cross-layer transcoder writes what the MLPs write with fewer latents on and a smaller
error, five times as many in layer 0 as in layer 4. With either in place of all five MLPs the first guess stays the
same in nine in ten of these questions, for the cross-layer one at least as often.

Nine in ten is good, and it is another model: where its guess differs, its graph would explain an answer that
`atlas` never gave. (For their 18-layer model with a CLT of 10 million features Ameisen et al. report an L0 of 88,
an error of about 11.5 %, and the same first guess for half of the prompts, chosen among those that the model
answers right with a confidence below 80 %.) So we do not explain the replacement. We repair it.

## Freeze what is not linear

Take one prompt. Whatever the transcoders leave out at each layer and position is put back as a constant vector, an
**error node**. Now every MLP's output is what it was, and so is the answer. That costs nothing and explains nothing;
but of each MLP output we now know how much is latents, and how much is error.

Then the two things between MLPs that are not linear. Attention patterns are softmaxes of products; LayerNorm
divides by the size of what it gets. **Freeze** both at what they were at this prompt: where each head looked, and
what each LayerNorm divided by, are constants now. What a head *moves* along its pattern still follows what is
there.

`tracing.record(plain, tokens)` keeps what is needed, for each layer:

| field | shape | what it is |
|---|---|---|
| `embedding` | pos d_model | what enters the first block |
| `patterns` | layer head pos pos | where heads looked |
| `attn_scale`, `mlp_scale` | layer pos 1 | the denominators before attention and MLP |
| `final_scale` | pos 1 | the one before the unembedding |
| `mlp_in`, `mlp_out` | layer pos d_model | what MLPs read and wrote |
| `logits` | pos vocab | the model's answer |
"""

# %% [markdown] slug="frozen-model"
r"""
Write the frozen stream: what every reader reads, given all that is written. MLPs are not run. What they write is
*given*, in `written`, `[*batch part pos d_model]`: part 0 is the embedding, part l + 1 is what layer l's MLP adds.
Return what is read, in the same shape: part l is what layer l's **MLP** reads (after its LayerNorm), and the last
part is what the **unembedding** reads (after the last one).

`tracing.frozen_attention(plain, layer, x, pattern, scale)` is what a layer's attention writes when the stream is x,
with its own LayerNorm in it. The other LayerNorms are yours: `plain.blocks[l].ln2` and `plain.ln_final`, each with
a scale `W` and a shift `b`. Of a LayerNorm only the denominator is frozen.
"""


# %% tags=["exercise"] slug="frozen-model"
def frozen_stream(
    plain, seen, written: Float[Tensor, "*batch part pos d_model"]
) -> Float[Tensor, "*batch part pos d_model"]:
    """What each MLP reads, and last the unembedding."""

    # BEGIN SOLUTION
    def norm(x, ln, scale):
        return (x - x.mean(dim=-1, keepdim=True)) / scale * ln.W + ln.b

    x, reads = written[..., 0, :, :], []
    for layer, block in enumerate(plain.blocks):
        x = x + tracing.frozen_attention(
            plain, layer, x, seen.patterns[layer], seen.attn_scale[layer]
        )
        reads.append(norm(x, block.ln2, seen.mlp_scale[layer]))
        x = x + written[..., layer + 1, :, :]
    reads.append(norm(x, plain.ln_final, seen.final_scale))
    return torch.stack(reads, dim=-3)
    # END SOLUTION


# %% tags=["check"]
check("frozen-model", frozen_stream)

# %% [markdown]
r"""
Is it the model? With the embedding and the MLPs' outputs as they were, logits should come out as they were. And what
of the transcoders: `tracing.local_replacement` computes their latents and errors at the prompt; run forward, latents
read anew in every layer, it should give the model's logits too. The last two rows leave the errors out: with all
else frozen, and with nothing frozen (the replacement model from above).
"""

# %% id="is-it-the-model"
local = tracing.local_replacement(plain, clt, tokens)
seen = local.recording


def logits_of(reads):
    return reads[-1] @ plain.unembed.W + plain.unembed.b


variants = {
    "frozen stream": logits_of(frozen_stream(plain, seen, tracing.all_written(seen))),
    "latents and errors": local(),
    "latents alone, frozen": local(errors=torch.zeros_like(local.errors)),
    "latents alone, nothing frozen": tracing.replaced_logits(plain, clt, tokens),
}
off = {
    name: (logits - model_logits)[1:].abs().max().item()
    for name, logits in variants.items()
}
for name, logits in variants.items():
    chance = logits[-1].softmax(dim=-1)[best.indices[0]]
    print(
        f"{name:<32} largest difference of a logit {off[name]:9.1e}    p(Austin) {chance:.3f}"
    )

# The frozen stream adds up: each source alone, less nothing at all.
whole = tracing.all_written(seen)
nothing = frozen_stream(plain, seen, torch.zeros_like(whole))
alone = torch.zeros_like(whole)
for part in range(n_layers + 1):
    only = torch.zeros_like(whole)
    only[part] = whole[part]
    alone += frozen_stream(plain, seen, only) - nothing
gap = (alone + nothing - frozen_stream(plain, seen, whole)).abs().max().item()
print(f"\nsum of the effects of {n_layers + 1} sources, less all together: {gap:.0e}")

# %% tags=["claim"]
assert max(off["frozen stream"], off["latents and errors"]) < 2e-5, (
    "the model itself, to rounding"
)
assert min(off["latents alone, frozen"], off["latents alone, nothing frozen"]) > 0.1, (
    "Without errors logits move"
)
assert gap < 1e-4, "The effects of the parts add up"

# %% [markdown]
r"""
**What you should see.** The first two rows are the model itself, to rounding. Without errors logits move, frozen or
not. And the frozen stream is no approximation of anything nonlinear: The effects of the parts add up.

What did that cost? Everything that the prompt decides *through* patterns and denominators is now a constant. Why
head 2.3 looks at the end of Dallas is no longer a question that can be asked.
"""

# %% tags=["quiz"]
quiz("twice-as-much", "d")

# %% [markdown]
r"""
## What made this latent come on?

The nodes of a prompt's graph: every latent that is on, at its position; an error for each MLP and position; an
embedding for each token; and the likeliest answers. (At BOS, where transcoders were never trained, there are no
latents and no errors: what MLPs write there is constant and counts with BOS's embedding.) Each node *writes*
something to the stream. A latent of a CLT writes several vectors, one per layer from its own on: value times
decoder.

`tracing.written_by` has it all in the form of your frozen stream: `sources[s]` is what node s writes, `[part pos
d_model]`, 0 almost everywhere.
"""

# %% id="nodes"
graph = tracing.attribution_graph(local, tokens)  # for its list of nodes
nodes = graph.nodes
sources = tracing.written_by(local, nodes)
kinds = ("latents", "errors", "embeddings", "logits")
counts = Counter(kinds[kind] for kind in nodes.kind.tolist())
print(dict(counts), "  sources:", list(sources.shape))
always = torch.zeros_like(whole)  # decoders' biases are written whatever is on: no node
always[1:, 1:] = torch.stack([clt.constant(layer) for layer in range(n_layers)])[
    :, None
]
left = whole[:-1] - (sources.sum(dim=0) + always)[:-1]
print(
    f"what neither nodes nor biases write, before the last MLP: {left.abs().max():.0e}"
)

# %% [markdown] slug="attribution-row"
r"""
A target is a reader: it reads part `layer` of the frozen stream, at its `position`, along its `encoder` (a latent's
encoder; for a logit, where `layer` is the number of layers, a column of the unembedding). Its pre-activation is the
inner product, and a bias.

Return what each source gives to the target's pre-activation **directly**, `[source]`: exactly, with its sign, and so
that the numbers of all sources, together with what biases give, make the whole. How is not written above. Think
of what kind of function you have frozen the model into. (Gradients are switched off in this chapter; inside `with
torch.enable_grad():` they are on.)
"""


# %% tags=["exercise"] slug="attribution-row"
def attribution_row(
    plain,
    seen,
    sources: Float[Tensor, "source part pos d_model"],
    layer: int,
    position: int,
    encoder: Float[Tensor, "d_model"],
) -> Float[Tensor, "source"]:
    """What each source gives to one target."""
    # BEGIN SOLUTION
    # Affine in what is written: its gradient is the same everywhere, so one backward pass is exact.
    with torch.enable_grad():
        written = torch.zeros_like(sources[0]).requires_grad_()
        target = frozen_stream(plain, seen, written)[layer, position] @ encoder
        (gradient,) = torch.autograd.grad(target, written)
    return torch.einsum("lpd,slpd->s", gradient, sources)
    # END SOLUTION


# %% tags=["check"]
check("attribution-row", attribution_row)

# %% [markdown]
r"""
The first row: the logit of Austin, less the mean logit (what raises all answers alike explains none). Before you
run the cell: will the largest entry be a latent of layer 0, where the state is put together, or of a later layer?
"""

# %% id="first-row"
austin = int(best.indices[0])
toward_austin = plain.unembed.W[:, austin] - plain.unembed.W.mean(dim=1)
last = len(tokens) - 1
row = attribution_row(plain, seen, sources, n_layers, last, toward_austin)


def said(number, graph=graph, words=words):
    """A node in words."""
    kind, component, layer, position, index = (
        int(part[number]) for part in graph.nodes[:5]
    )
    if kind == tracing.LOGIT:
        return f"logit{model.to_string(index)}"
    where = f"at{words[position]!r}"
    if kind == tracing.EMBEDDING:
        return f"word {where}"
    place = f"{'attention' if component == tracing.ATTENTION else 'MLP'} {layer}"
    return f"{place} {f'latent {index}' if kind == tracing.LATENT else 'error'} {where}"


for number in row.abs().argsort(descending=True)[:10].tolist():
    print(f"{row[number]:+6.2f}  {said(number)}")
bias = plain.unembed.b - plain.unembed.b.mean()
biases = frozen_stream(plain, seen, always)[-1, -1] @ toward_austin + bias[austin]
logit = model_logits[-1, austin] - model_logits[-1].mean()
total = row.sum() + biases
print(f"\nall sources {row.sum():.3f}, biases {biases:.3f}; together "
      f"{total:.3f}, the logit less the mean {logit:.3f}")  # fmt: skip
shares_of = {
    kinds[kind]: (row[nodes.kind == kind].abs().sum() / row.abs().sum()).item()
    for kind in range(3)
}
print(
    {name: f"{share:.1%}" for name, share in shares_of.items()},
    "of all absolute values",
)
top_layers = nodes.layer[row.abs().argsort(descending=True)[:10]]

# %% tags=["claim"]
assert abs(float(total - logit)) < 1e-3, "They add up to the logit"
assert (top_layers >= 2).all(), "all in layers 2 to 4"
assert shares_of["latents"] > 0.85, "Latents give most of it directly"

# %% [markdown]
r"""
**What you should see.** They add up to the logit, which no estimate of chapter 04 did. The ten largest entries are
all in layers 2 to 4, at the last position: what came from Dallas had to get there first, through others. Latents
give most of it directly. But direct is not all: a latent of layer 0 that made a latent of layer 2 is not to be seen
in this row. It is in that latent's row.
"""

# %% [markdown] slug="whole-graph"
r"""
Now for all targets at once: latents and logits. Return the matrix `[target source]`: **rows are targets, columns are
sources**. `layers`, `positions` and `encoders` have one entry per target.

You can go backward, once for each target, or forward, once for each source. Which is fewer here?
"""


# %% tags=["exercise"] slug="whole-graph"
def attribution_matrix(
    plain,
    seen,
    sources: Float[Tensor, "source part pos d_model"],
    layers: Int[Tensor, "target"],
    positions: Int[Tensor, "target"],
    encoders: Float[Tensor, "target d_model"],
) -> Float[Tensor, "target source"]:
    """What each source gives to each target."""
    # BEGIN SOLUTION
    with torch.no_grad():
        nothing = frozen_stream(plain, seen, torch.zeros_like(sources[:1]))
        reads = (
            frozen_stream(plain, seen, sources) - nothing
        )  # all sources in one batch
    return torch.einsum("std,td->ts", reads[:, layers, positions], encoders)
    # END SOLUTION


# %% tags=["check"]
check("whole-graph", attribution_matrix)

# %% id="all-rows"
is_target = (nodes.kind == tracing.LATENT) | (nodes.kind == tracing.LOGIT)
centred = plain.unembed.W - plain.unembed.W.mean(dim=1, keepdim=True)
encoders = torch.stack(
    [
        centred[:, index] if kind == tracing.LOGIT else clt.reads(layer)[0][:, index]
        for kind, layer, index in zip(
            nodes.kind[is_target].tolist(),
            nodes.layer[is_target].tolist(),
            nodes.index[is_target].tolist(),
            strict=True,
        )
    ]
)
matrix = attribution_matrix(
    plain, seen, sources, nodes.layer[is_target], nodes.position[is_target], encoders
)
apart = (matrix - graph.adjacency[is_target]).abs().max().item()
pre = graph.adjacency.sum(dim=1) + graph.constant
is_latent = nodes.kind == tracing.LATENT
missed = (pre - nodes.value)[is_latent].abs().max().item()
print(
    f"{len(matrix)} targets × {matrix.shape[1]} sources, {int((matrix != 0).sum()):,} edges"
)
print(f"your matrix and the library's: {apart:.0e} apart at most")
print(f"each latent's inputs and biases, less its value: {missed:.0e} at most")

# %% tags=["claim"]
assert apart < 1e-4, "Yours and the library's are the same"
assert missed < 1e-3, "and every latent's row adds up to its value"

# %% [markdown]
r"""
**What you should see.** Yours and the library's are the same, and every latent's row adds up to its value. (The
library pulls encoders back in closed form, and is faster: at most a few tenths of a second for a graph like this.)
So the graph is *exact*. That says that the sums are right. It does not say that the nodes mean something, or that
the model would do what the graph suggests if a node were changed.
"""

# %% tags=["quiz"]
quiz("where-does-it-show", "a")

# %% [markdown]
r"""
## What counts along all paths

A graph of some 90,000 edges is no explanation. Which nodes does the answer owe most to, through whatever others?

Effects cannot simply be multiplied along a path: each target has a size of its own, and signs cancel. Ameisen et
al. make them **shares**: of each target's inputs the absolute values, divided by their sum. Then a share of a share
can be taken, and a node's **influence** is all that flows from the logits back to it, along paths of every length;
each logit counts with its probability.
"""

# %% [markdown] slug="influence"
r"""
Return the influence of each node, `[node]`. `adjacency` has the effects with their signs, rows targets; a node
without inputs has a row of zeros, and no shares. `weights` has each logit's probability, and 0 for other nodes. A
path has at least one step. Nothing in the graph leads back to where it began, and paths may be as long as they
like.
"""


# %% tags=["exercise"] slug="influence"
def influence(
    adjacency: Float[Tensor, "node node"], weights: Float[Tensor, "node"]
) -> Float[Tensor, "node"]:
    """How much each node counts for the logits, along all paths."""
    # BEGIN SOLUTION
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp_min(1e-10)
    total, now = torch.zeros_like(weights), weights
    for _ in range(len(weights)):  # no path is longer
        now = now @ A
        total = total + now
    return total  # weights @ ((I - A)^-1 - I)
    # END SOLUTION


# %% tags=["check"]
check("influence", influence)

# %% [markdown] slug="prune"
r"""
And the rest goes. Return which nodes are kept, `[node]` of bool: the **fewest** with the largest influence that
together hold at least the share `share` of all influence; of nodes with the same influence all or none; and those
in `always` (embeddings and logits), whatever theirs is. "All influence" is that of all nodes, those in `always`
too.
"""


# %% tags=["exercise"] slug="prune"
def keep_nodes(
    influence: Float[Tensor, "node"], always: Bool[Tensor, "node"], share: float
) -> Bool[Tensor, "node"]:
    """The strongest nodes, up to a share of all influence."""
    # BEGIN SOLUTION
    ordered = influence.sort(descending=True).values
    reached = ordered.cumsum(dim=0) / ordered.sum()
    n = int((reached < share).sum())  # these are not enough
    bound = ordered[min(n, len(ordered) - 1)]
    return (influence >= bound) | always
    # END SOLUTION


# %% tags=["check"]
check("prune", keep_nodes)

# %% [markdown]
r"""
`tracing.prune` does the same with edges (.98 of theirs), and then takes away latents that lead nowhere. Names come
from texts that `atlas` has not seen in training: a latent is called by the concept that it goes with best, if it
does (an F1 of .5 or more), as in chapter 02.
"""

# %% id="names"
labelled = labelled_texts(seed=5, n_rows=100, place="slots")
chosen_columns = labelled.columns(
    "state", "country", "relation", "context", "answer", "city", "name"
)
concepts = [labelled.concepts[i] for i in chosen_columns]
is_true = labelled.labels[:, 1:, chosen_columns].flatten(0, 1).float()
on = {}  # for each component whether each latent is on at each token
for part in labelled.tokens.split(25):
    there = tracing.record(plain, part)
    latents = {
        (tracing.MLP, layer): clt.encode_layer(layer, there.mlp_in[layer])
        for layer in range(n_layers)
    }
    latents[tracing.ATTENTION, 2] = attention_2.encode(there.attn_out[2])
    for place, values in latents.items():
        on.setdefault(place, []).append((values[:, 1:] > 0).flatten(0, 1))

found = {}  # for each latent the best F1, and of which concept
for place, parts in on.items():
    is_on = torch.cat(parts).float()
    both = is_on.T @ is_true
    f1 = 2 * both / (is_on.sum(dim=0)[:, None] + is_true.sum(dim=0)).clamp_min(1)
    found[place] = f1.max(dim=1)
del on, is_on, there, latents


def labels_of(graph):
    """Names of a graph's latents, by node."""
    names = {}
    for number in (graph.nodes.kind == tracing.LATENT).nonzero()[:, 0].tolist():
        _, component, layer, _, index = (int(part[number]) for part in graph.nodes[:5])
        f1, concept = (part[index] for part in found[component, layer])
        if f1 >= 0.5:
            names[number] = concepts[concept].split("=")[-1].replace("_", " ")
    return names


def traced(text, transcoders=clt, attention=None):
    """A prompt's words, its local replacement model and its graph."""
    tokens = model.to_tokens(text)[0]
    local = tracing.local_replacement(plain, transcoders, tokens, attention)
    return model.to_str_tokens(text), local, tracing.attribution_graph(local, tokens)


def strongest(words, graph, n=8):
    """The nodes that count most, in words; embeddings left out."""
    counts, names = tracing.node_influence(graph), labels_of(graph)
    for number in counts.argsort(descending=True).tolist():
        if graph.nodes.kind[number] != tracing.EMBEDDING and n > 0:
            n -= 1
            print(
                f"  {counts[number]:.3f}  {said(number, graph, words):<34}{names.get(number, '')}"
            )


pruned = tracing.prune(graph)
weights = graph.logit_weights
yours = influence(graph.adjacency, weights)
print(
    "your influence and the library's:",
    f"{(yours - tracing.node_influence(graph)).abs().max():.0e} apart",
)
n_edges = int((graph.adjacency != 0).sum())
print(
    f"{len(nodes.kind)} nodes → {len(pruned.kept)},  {n_edges:,} edges → {len(pruned.edges):,}"
)
print("the strongest:")
strongest(words, graph)

# %% id="dallas-figure"
show.graph_figure(
    pruned,
    words,
    labels_of(graph),
    [" Austin"],
    title="“In the state where Dallas lies, the capital is”: MLPs",
)

# %% id="with-attention"
with_2 = {2: attention_2}
words, local_2, graph_2 = traced(DALLAS, attention=with_2)
pruned_2 = tracing.prune(graph_2)
print("with what attention 2 writes in latents, too:")
n_edges_2 = int((graph_2.adjacency != 0).sum())
print(
    f"{len(graph_2.nodes.kind)} nodes → {len(pruned_2.kept)},  "
    f"{n_edges_2:,} edges → {len(pruned_2.edges):,}"
)
strongest(words, graph_2)
names_2 = labels_of(graph_2)
counts_2 = tracing.node_influence(graph_2)
not_words = counts_2.where(graph_2.nodes.kind != tracing.EMBEDDING, 0.0)
texas = int(not_words.argmax())
inputs = tracing.shares(graph_2.adjacency)[texas]
name_end = words.index("las")
at_name = graph_2.nodes.position == name_end
from_mlp_0 = (graph_2.nodes.kind == tracing.LATENT) & (graph_2.nodes.layer == 0)
from_name = inputs[from_mlp_0 & at_name].sum().item()
from_errors = inputs[graph_2.nodes.kind == tracing.ERROR].sum().item()
print(f"\n{said(texas, graph_2, words)} gets {from_name:.0%} of its input from MLP-0 latents at{words[name_end]!r}, "
      f"{from_errors:.0%} from errors")  # fmt: skip
show.graph_figure(
    pruned_2,
    words,
    names_2,
    [" Austin"],
    title="The same prompt, with attention 2 in latents",
)

# %% tags=["claim"]
_top = (
    tracing.node_influence(graph)
    .where(nodes.kind == tracing.LATENT, 0.0)
    .argsort(descending=True)
)
_names = [labels_of(graph).get(int(i), "") for i in _top[:8]]
assert "Texas" not in labels_of(graph).values() or "Texas" not in _names, (
    "Texas is not among them"
)
assert _names.count("capital") >= 4, "Most names among the strongest say capital"
assert names_2[texas] == "Texas", "the strongest node that is no word is Texas"
assert len(pruned_2.kept) < len(pruned.kept) and len(pruned_2.edges) < len(
    pruned.edges
), "with fewer nodes and edges"
assert from_name > 0.4, "gets most of its input from MLP-0 latents at the name's end"
assert from_errors < 0.1, "hardly any from errors"

# %% [markdown]
r"""
**What you should see.** The first graph is disappointing. Most names among the strongest say capital, and Texas is
not among them, though chapter 05 proved that the state is what the answer hangs on. Where is it? Look at what could
hold it: MLP 0 puts the state together at the end of the name, in many latents of which none is one state's own.
Then a *head* of layer 2 carries it to the end. In the first graph heads are no nodes; edges run through them, and
what is carried is to be seen nowhere.

Give attention 2 a dictionary (chapter 02 made it), and its latents and errors take the place of what it writes. Now
the strongest node that is no word is Texas: at the prompt's end, of attention 2. It gets most of its input from
MLP-0 latents at the name's end, and hardly any from errors. And the picture is smaller, with fewer nodes and edges.

That is a lesson about the method. A graph can be exact, with high scores, and still leave out what a reader needs,
because that has no node. What it costs to give it one, the next section counts.

## How much of it is explained?

Two scores of one graph, both from shares and influence:

- **replacement**: paths end at embeddings or at errors. Of the influence that these have, the share of the
  embeddings.
- **completeness**: each node's *direct* input is partly error. The share that is not, as a mean over all nodes, each
  weighted with its influence; a logit with its own weight. Nodes without inputs (embeddings, errors) count as known.
"""

# %% [markdown] slug="completeness-and-replacement"
r"""
Return `(replacement, completeness)` as two numbers. `adjacency` and `weights` are those of your `influence`.
"""


# %% tags=["exercise"] slug="completeness-and-replacement"
def scores(
    adjacency: Float[Tensor, "node node"],
    weights: Float[Tensor, "node"],
    is_error: Bool[Tensor, "node"],
    is_embedding: Bool[Tensor, "node"],
) -> tuple[float, float]:
    """Replacement and completeness of a graph."""
    # BEGIN SOLUTION
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp_min(1e-10)
    counts = influence(adjacency, weights)
    words, errors = counts[is_embedding].sum(), counts[is_error].sum()
    known = 1 - A[:, is_error].sum(dim=1)
    every = counts + weights
    return (words / (words + errors)).item(), (
        (known * every).sum() / every.sum()
    ).item()
    # END SOLUTION


# %% tags=["check"]
check("completeness-and-replacement", scores)

# %% [markdown]
r"""
What would a dictionary that explains *nothing* score? Two floors. **No dictionary**: no latent is ever on, all that
MLPs write is error. **Shuffled decoders**: the same latents come on, and each writes what another one should;
errors make up for it, so the graph is as exact as before. Guess all four numbers before you run the cell.
"""

# %% id="floors"
d_model = model.cfg.d_model
silent = tracing.Transcoder(
    W_enc=torch.zeros(d_model, 1),
    b_enc=torch.zeros(1),
    W_dec=torch.zeros(1, d_model),
    b_dec=torch.zeros(d_model),
)


def scores_of(transcoders, attention=None):
    return tracing.graph_scores(traced(DALLAS, transcoders, attention)[2])


of_dallas = {
    "cross-layer": scores_of(clt),
    "per layer": scores_of(per_layer),
    "cross-layer, attention 2": scores_of(clt, with_2),
}
floors = {
    "shuffled decoders": scores_of(tracing.shuffled_decoders(clt, seeded(0))),
    "no dictionary": scores_of(tracing.LayerTranscoders([silent] * n_layers)),
}
own = scores(
    graph.adjacency,
    weights,
    nodes.kind == tracing.ERROR,
    nodes.kind == tracing.EMBEDDING,
)
print(f"{'':<26}replacement   completeness")
for name, (replacement, completeness) in {**of_dallas, **floors}.items():
    print(f"{name:<26}{replacement:>8.3f}{completeness:>15.3f}")
show.scores_bars(of_dallas, floors)

# %% tags=["claim"]
assert (
    max(abs(_a - _b) for _a, _b in zip(own, of_dallas["cross-layer"], strict=True))
    < 1e-4
), "yours"
assert (
    floors["no dictionary"].replacement < 0.1
    and floors["no dictionary"].completeness > 0.5
), "Without any dictionary completeness is above one half, and replacement near 0"
assert 0.3 < floors["shuffled decoders"].replacement < 0.5, "about .4"
assert 0.7 < floors["shuffled decoders"].completeness < 0.8, "three quarters"
assert of_dallas["cross-layer"].replacement > of_dallas["per layer"].replacement, (
    "The cross-layer transcoder has more than the per-layer ones"
)
assert (
    of_dallas["cross-layer, attention 2"].replacement
    < of_dallas["cross-layer"].replacement
), "Attention 2 in latents costs some of it"
assert of_dallas["cross-layer, attention 2"].replacement > 0.88, (
    "and leaves nine tenths"
)

# %% [markdown]
r"""
**What you should see.** Without any dictionary completeness is above one half, and replacement near 0. With
decoders in the wrong order replacement is about .4 and completeness three quarters. So completeness of .8 is little
above what nonsense gets here, and the real ones have to be read from there. The cross-layer transcoder has more
than the per-layer ones. Attention 2 in latents costs some of it (what its dictionary leaves out is error now, where
it was a path before) and leaves nine tenths. More can be read, less is explained: that is a choice, and the scores
do not make it.

Why is completeness so much higher? It asks every node about its *direct* input. An error far from the logits costs
what one node loses. For the replacement score every path through it is lost, and what is lost at each step
multiplies. Their graph of one prompt that Ameisen et al. show for comparison has .80 and .61 with a CLT, .78 and
.37 with transcoders per layer: one representative graph, no average.
"""

# %% tags=["quiz"]
quiz("a-chain", "d")

# %% tags=["quiz"]
quiz("beside-its-floor", "c")

# %% [markdown]
r"""
## What the graph does not explain

A score is about a whole graph. A reader looks at one node, and wants to know: is *this* one explained? A latent of
layer 3 can stand there with a name, and be made of errors.
"""

# %% [markdown] slug="error-nodes"
r"""
Return for each node the share of its input that comes from errors, along paths of **any** length, `[node]`: not
only what errors give it directly, but also what they give to the latents that made it, and so on. `adjacency` has
effects with their signs, rows targets. Nodes without inputs have 0.
"""


# %% tags=["exercise"] slug="error-nodes"
def unexplained(
    adjacency: Float[Tensor, "node node"], is_error: Bool[Tensor, "node"]
) -> Float[Tensor, "node"]:
    """How much of each node is made of errors."""
    # BEGIN SOLUTION
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp_min(1e-10)
    found = torch.zeros_like(A[0])
    for _ in range(
        len(A)
    ):  # a mean over sources: an error counts 1, others what they have themselves
        found = A @ torch.where(is_error, 1.0, found)
    return found
    # END SOLUTION


# %% tags=["check"]
check("error-nodes", unexplained)

# %% id="where-errors-are"
of_errors = {}
for name, each in (("MLPs only", graph), ("with attention 2", graph_2)):
    kind, counts = each.nodes.kind, tracing.node_influence(each)
    share = unexplained(each.adjacency, kind == tracing.ERROR)
    of_errors[name] = share
    print(
        f"{name}: of the logit {share[kind == tracing.LOGIT].item():.1%} comes from errors; of latents, by influence:"
    )
    for layer in range(n_layers):
        here = (kind == tracing.LATENT) & (each.nodes.layer == layer)
        mean = (share * counts)[here].sum() / counts[here].sum()
        print(
            f"   layer {layer}: {mean:.1%}, the worst of {int(here.sum())}: {share[here].max():.0%}"
        )

# Large errors, and errors that count.
sizes = local.errors.clone()
sizes[:, 0] = 0
sizes = sizes.norm(dim=-1)  # [layer pos]
is_error = (nodes.kind == tracing.ERROR).nonzero()[:, 0]
counts = tracing.node_influence(graph)
by_size = {
    (int(nodes.layer[i]), int(nodes.position[i])): counts[i].item() for i in is_error
}
largest = divmod(int(sizes.argmax()), len(tokens))
most = max(by_size, key=by_size.get)
for title, (layer, position) in (("largest", largest), ("one that counts most", most)):
    print(
        f"the {title}: MLP {layer} at{words[position]!r}, "
        f"size {sizes[layer, position]:.1f}, influence {by_size[layer, position]:.4f}"
    )

# %% tags=["claim"]
assert by_size[largest] == 0 and largest[0] == n_layers - 1 and largest[1] < last, (
    "the largest error counts for nothing. It is in the last layer, at a token from which nothing is read any more"
)
assert sizes[most] < sizes[largest] / 2, "is less than half as large"
_logit = {
    _n: _s[_g.nodes.kind == tracing.LOGIT].item()
    for (_n, _s), _g in zip(of_errors.items(), (graph, graph_2), strict=True)
}
assert (
    _logit["MLPs only"] < 0.05 and _logit["with attention 2"] > 2 * _logit["MLPs only"]
), "with attention 2 in latents more than twice as much of the logit comes from errors"
assert all(
    _s[(_g.nodes.kind == tracing.LATENT) & (_g.nodes.layer == 0)].max() == 0
    for _s, _g in zip(of_errors.values(), (graph, graph_2), strict=True)
), "Latents of MLP 0 have none"
assert abs(_logit["MLPs only"] - (1 - of_dallas["cross-layer"].replacement)) < 0.01, (
    "for the logit it is one minus the replacement score"
)

# %% [markdown]
r"""
**What you should see.** For the logit it is one minus the replacement score, up to rounding; with attention 2 in
latents more than twice as much of the logit comes from errors. Latents of MLP 0 have none (nothing but words,
attention 0 and biases come before them), and it grows from layer to layer. Look at the worst latents before you
build a story on one of them.

And size says little: the largest error counts for nothing. It is in the last layer, at a token from which nothing is
read any more. The one that counts most is less than half as large. An error is what is unexplained; what matters is
what it is *used* for.

## Per layer, or across layers?

The same prompts with both kinds. How long are paths? Let the logits' weight flow back along shares: at each step
some of it arrives at words or errors. The mean number of steps is a path's length. (Ameisen et al. report 2.3 for a
CLT and 3.7 for transcoders per layer, in their 18-layer model.)
"""


# %% id="per-layer-or-across"
def path_length(graph):
    """The mean number of edges from a logit back to where paths end."""
    A, kind = tracing.shares(graph.adjacency), graph.nodes.kind
    ends = (kind == tracing.EMBEDDING) | (kind == tracing.ERROR)
    now, steps, weight, arrived = graph.logit_weights, 0, 0.0, 0.0
    while now.any():
        now, steps = now @ A, steps + 1
        weight += steps * now[ends].sum().item()
        arrived += now[ends].sum().item()
    return weight / arrived


sample = [text for text in texts if model.to_tokens(text).shape[1] <= 12][::4]
ways = {
    "per layer": (per_layer, None),
    "cross-layer": (clt, None),
    "per layer, attention 2": (per_layer, with_2),
    "cross-layer, attention 2": (clt, with_2),
}
table = {name: [] for name in ways}
for text in sample:
    for name, (transcoders, attention) in ways.items():
        _, _, each = traced(text, transcoders, attention)
        kept = tracing.prune(each)
        table[name].append(
            (*tracing.graph_scores(each), path_length(each),
             int((each.nodes.kind == tracing.LATENT).sum()), len(kept.kept), len(kept.edges))
        )  # fmt: skip
medians = {
    name: torch.tensor(each).float().median(dim=0).values.tolist()
    for name, each in table.items()
}
print(f"medians of {len(sample)} held-out questions")
print(f"{'':<26}replacement  completeness  path length  latents   kept: nodes   edges")
for name, (a, b, length, n_on, n_kept, n_edges) in medians.items():
    print(
        f"{name:<26}{a:>9.3f}{b:>13.3f}{length:>13.2f}{n_on:>11.0f}{n_kept:>13.0f}{n_edges:>9.0f}"
    )

# %% tags=["claim"]
_a, _b, _c, _d = (medians[_name] for _name in ways)
assert _b[2] < _a[2] and _d[2] < _c[2], "paths are a little shorter across layers"
assert _a[2] / _b[2] < 1.15, "a little"
assert _b[5] < 0.8 * _a[5] and _d[5] < 0.8 * _c[5], (
    "three quarters of the edges or fewer are left"
)
assert abs(_b[0] - _a[0]) < 0.01, "by the scores neither is better"
assert _d[0] < _c[0], "with attention 2 in latents the per-layer ones are ahead"
assert _c[2] > _a[2] and _d[2] > _b[2], "Attention 2 as nodes makes paths longer"
assert (
    of_dallas["cross-layer"].replacement - of_dallas["per layer"].replacement > 0.03
), "for Dallas"

# %% [markdown]
r"""
**What you should see.** With fewer latents on, paths are a little shorter across layers, and three quarters of the
edges or fewer are left. But by the scores neither is better over these questions, and with attention 2 in latents
the per-layer ones are ahead. For Dallas alone the cross-layer transcoder was clearly ahead: one graph decides
nothing.

Why is so little gained, where Ameisen et al. went from 3.7 to 2.3? In five layers there is not much to shorten;
their model had 18. Attention 2 as nodes makes paths longer, and that is no fault: a step can be seen that edges had
run through.

## Other prompts, other graphs

A graph is about one prompt. Here are three others: a fact in one step, a story in which a thing is given to the
other person, and a rhyme. For each, the strongest nodes and the scores.
"""

# %% id="other-prompts"
others = {
    "one step": " The city of Dallas lies in",
    "a story": " After Mary and John met at the store, Mary passed a apple to",
    "a rhyme": " John crossed the moat,\n and Anna fed the happy",
}
drawn = {}
for name, text in others.items():
    each_words, _, each = traced(text, attention=with_2)
    drawn[name] = each_words, each
    answers = [
        model.to_string(i) for i in each.nodes.index[each.nodes.kind == tracing.LOGIT]
    ]
    replacement, completeness = tracing.graph_scores(each)
    print(
        f"{name}: {text!r} … {answers},  replacement {replacement:.3f}, completeness {completeness:.3f}"
    )
    strongest(each_words, each, 6)


# %% id="one-step-figure"
def drawn_graph(name):
    each_words, each = drawn[name]
    answers = [
        model.to_string(i) for i in each.nodes.index[each.nodes.kind == tracing.LOGIT]
    ]
    return show.graph_figure(
        tracing.prune(each),
        each_words,
        labels_of(each),
        answers,
        title=f"{name}: {others[name].strip()!r}",
    )


drawn_graph("one step")

# %% id="story-figure"
drawn_graph("a story")

# %% id="rhyme-figure"
drawn_graph("a rhyme")

# %% tags=["claim"]
_tops = {}
for _name, (_words, _graph) in drawn.items():
    _counts = tracing.node_influence(_graph).where(
        _graph.nodes.kind == tracing.LATENT, 0.0
    )
    _tops[_name] = [
        labels_of(_graph).get(int(_i), "")
        for _i in _counts.argsort(descending=True)[:6]
    ]
    _first = int(_counts.argmax())
    assert (int(_graph.nodes.component[_first]), int(_graph.nodes.layer[_first])) == (
        tracing.ATTENTION,
        2,
    ), "In all three the strongest latent is one of attention 2"
    if _name == "one step":
        assert _graph.nodes.index[_first] == graph_2.nodes.index[texas], (
            "the very latent of the two-hop prompt"
        )
assert _tops["one step"][0] == "Texas", "In the fact in one step it is Texas"
assert set(_tops["a story"]) == {""}, "In the story none of the strongest has a name"
assert "North Dakota" in _tops["a rhyme"], "In the rhyme one is called North Dakota"

# %% [markdown]
r"""
**What you should see.** In all three the strongest latent is one of attention 2: in `atlas` that is how what a name
or a word means comes to the end. In the fact in one step it is Texas, the very latent of the two-hop prompt. In the
story none of the strongest has a name. In the rhyme one is called North Dakota.

North Dakota? The name is what that latent goes with in texts about places, of which our labels know. In a
rhyme it is on as well, and means something else, or nothing. A label is a hypothesis from other texts. And where no
label fits, the graph is as exact as before and tells a reader next to nothing: Lindsey et al. 2025 write that
their graphs gave a satisfying insight for about a quarter of the prompts they tried. (Of prompts, not of behaviour.)

## Common misreadings

- **"The graph shows how the model computes the answer."** It shows what gave what to what with patterns and
  denominators *given*. Why a head looked there is not in it; nor is a latent whose only effect is to make a head
  look.
- **"It is exact, so it is right."** The sums are exact for any dictionary, shuffled ones too. Whether a node means
  what its label says, and whether the model does what the graph says when a node is changed, has to be tried.
- **"Completeness .8, so four fifths are explained."** Decoders in the wrong order get nearly as much here. Put the
  floor beside every score, and the replacement score beside completeness.
- **"A replacement score of .61 means that 39 % of the behaviour is unexplained."** It is one graph's share of paths
  that end at errors. It knows nothing of other prompts, nor of what is frozen.
- **"The largest error is what matters."** The largest one of Dallas's graph counts for nothing.
- **"A transcoder is an autoencoder across layers."** It never reads what it writes: it is a model of a *step*.
- **"This is the circuit for two-hop questions."** It is the graph of one prompt. Another city has other latents;
  whether they have the same roles is a question for many graphs.

## On the real thing

The public graphs of Gemma-2-2B, Llama and Qwen are made with the library circuit-tracer, from per-layer and
cross-layer transcoders in its file layout. `tracing.open_circuit_tracer` reads that layout, and all of this chapter
then runs on GPT-2 (for other architectures take the library itself; `tracing.from_json` reads the graphs that it
and Neuronpedia save). No such files come with the course, so the path is proved on a stand-in: `atlas`'s own
transcoders, written in their layout and read back. With transcoders of GPT-2 small (12 layers, all of its MLPs) in
a folder, put it in the list.
"""


# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
def trace_folder(name, folder, text):
    """The graph of a prompt, with transcoders in circuit-tracer's layout."""
    network = open_specimen(name, device="cpu")
    bare, transcoders = plain_transformer(network), tracing.open_circuit_tracer(folder)
    prompt = network.to_tokens(text)[0]
    here = tracing.local_replacement(bare, transcoders, prompt)
    each = tracing.attribution_graph(here, prompt)
    replacement, completeness = tracing.graph_scores(each)
    off = (here() - here.recording.logits).abs().max()
    likely = network.to_string(here.recording.logits[-1].argmax())
    print(f"{name}: {text!r} …{likely}; {len(each.nodes.kind)} nodes, replacement {replacement:.3f}, "
          f"completeness {completeness:.3f}; logits within {off:.0e} of the model's")  # fmt: skip
    kept = tracing.prune(each)
    return tracing.to_json(kept, network.to_str_tokens(text), text, "dallas", name)


with tempfile.TemporaryDirectory() as folder:
    tracing.save_circuit_tracer(folder, per_layer, "atlas")
    places = [("atlas", folder, DALLAS)]
    # places += [("gpt2", "FOLDER", "Fact: the capital of the state containing Dallas is")]
    for name, place, text in places:
        try:
            exported = trace_folder(name, Path(place), text)
        except (SpecimenError, FileNotFoundError) as error:
            print(error)
back = tracing.from_json(exported)
print(
    f"as JSON for the public viewers: {len(exported):,} characters, and back: {type(back).__name__}"
)

# %% [markdown]
r"""
## Recap
"""

# %% tags=["quiz"]
quiz("what-sixty-one-means", "b")

# %% [markdown]
r"""
Can you say these without looking? What a transcoder reads, and what it writes. What a cross-layer latent saves.
Which two things are frozen, and why the sums are exact then. What rows and columns are. Why shares have no signs,
and what influence cannot say. Two scores, two floors, and why completeness is the milder one. Where an error
counts. What the first graph of Dallas lacked, though its scores were high.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Ameisen et al. 2025, *Circuit Tracing: Revealing Computational Graphs in Language Models*. The method, with its
  limits.
- Lindsey et al. 2025, *On the Biology of a Large Language Model*. What was found with it in Claude 3.5 Haiku.
- Dunefsky, Chlenski and Nanda 2024, *Transcoders Find Interpretable LLM Feature Circuits*. Transcoders, and
  circuits of weights.
- Marks et al. 2024, *Sparse Feature Circuits*. Errors as nodes, and graphs from gradients.
- Kamath et al. 2025, *Tracing Attention Computation*. Why a head looks where it does.
- Hanna et al. 2025, *circuit-tracer*. The library, and public graphs to read.
"""
