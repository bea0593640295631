# %% [markdown] minutes=240
r"""
# 03 · Induction heads

How two attention heads together learn to continue what came before: found in attention patterns, taken
apart by ablation, read in the weights, and watched while they are learned.

## What you will be able to do

- tell previous-token and induction heads by their patterns, and give every head of a model scores
- take any set of heads out of a model with hooks, and leave nothing behind
- explain the two-head circuit, and say what K-composition is and how to measure it
- reverse-engineer the circuit from weights alone: positions, composition, copying
- show why one layer cannot do it, and tell two rules apart that agree on all your data
- find the phase change in training, and train a model that goes through it
- find out by experiment what a head is for that no story explains, and give roles to heads you have never seen

You need: attention (queries, keys, values), and chapter 00 for hooks and the residual stream. Weights here
are in the orientation `x @ W`.
"""

# %% tags=["setup"]
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from mi_tutor import check, hint, progress, quiz
from mi_tutor.lab import induction as lab
from mi_tutor.lab.ground import seeded
from mi_tutor.show import attention_patterns, head_grid, heatmap, lines, phase_curves
from mi_tutor.specimens import checkpoint_steps, open_specimen

# %% [markdown]
r"""
## A rule worth having

Much of what we read comes again: names, phrases, code. There is a rule that makes use of it, whatever the
text is about:

```
  …  A  B  …  …  …  A  →  B    find the earlier A, look at what came after it, say that
```

This is **induction** (Olsson et al. 2022, *In-context Learning and Induction Heads*). An **induction head**
does two things: it attends from the second A to the B (prefix matching), and it raises the B (copying). The
rule needs no grammar and no knowledge; it works on words that never stood together before.
"""

# %% tags=["quiz"]
quiz("paris-again", "b")

# %% [markdown]
r"""
Two specimens for this chapter: `induction-2l` with two layers of attention and `induction-1l` with one.
They have no MLPs (their weights are zero), 4 heads per layer and 180 words, and were trained alike, on
the same invented language: running text, and random blocks of words that repeat. Besides the words, with
ids from 1 on, the vocabulary has BOS, `<|endoftext|>`, with id 0, which begins every text.
"""

# %% id="open-the-models"
model = open_specimen("induction-2l", device="cpu")
one_layer = open_specimen("induction-1l", device="cpu")
words = torch.arange(1, model.cfg.d_vocab)  # the ids of all words but BOS
print("some words:", model.to_str_tokens(words[:8]))
print("W_Q:", list(model.W_Q.shape), "= layer head d_model d_head")

# %% [markdown] slug="repeated-tokens"
r"""
To see induction we need text that **only** induction can predict: a block of random words, twice.

```
BOS  w1 w2 … wn  w1 w2 … wn          1 + 2n tokens
```

In the first block nothing can be predicted, in the second everything can, by one rule. Return `n_rows`
such rows, each with a block of its own. The words of a block must **differ from each other**, so that
each has exactly one earlier copy. `vocabulary` holds the ids to draw from; all randomness comes from
`generator`.
"""


# %% tags=["exercise"] slug="repeated-tokens"
def repeated_tokens(
    vocabulary: Int[Tensor, "word"],
    n_rows: int,
    n_block: int,
    bos: int,
    generator: torch.Generator,
) -> Int[Tensor, "row pos"]:
    """BOS, a block of different random tokens, the same block again."""
    # BEGIN SOLUTION
    draws = torch.rand(n_rows, len(vocabulary), generator=generator)
    block = vocabulary[draws.argsort(dim=1)[:, :n_block]]
    return torch.cat([torch.full((n_rows, 1), bos), block, block], dim=1)
    # END SOLUTION


# %% tags=["check"]
check("repeated-tokens", repeated_tokens)

# %% id="the-texts"
n_block = 30
tokens = repeated_tokens(words, 64, n_block, bos=0, generator=seeded(0))
short = repeated_tokens(words, 1, 6, bos=0, generator=seeded(1))  # to look at
print(" ".join(model.to_str_tokens(short[0])))

# %% [markdown] slug="per-position-loss"
r"""
How surprised is a model by each token? Its loss there is

$$\text{loss}_i = -\log p(\text{token}_{i+1} \mid \text{token}_0 \dots \text{token}_i)$$

in nats (natural logarithm), with $p$ the softmax of the logits at position $i$. The last position has no
next token, so there is one loss less than there are positions. Keep rows and positions apart: *where* the
loss is low is what we want to see.
"""


# %% tags=["exercise"] slug="per-position-loss"
def per_position_loss(
    logits: Float[Tensor, "row pos vocab"], tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row pos-1"]:
    """-log p(next token) at every position but the last."""
    # BEGIN SOLUTION
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]
    # END SOLUTION


# %% tags=["check"]
check("per-position-loss", per_position_loss)

# %% id="loss-figure"
with torch.no_grad():
    loss = {
        "two layers": per_position_loss(model(tokens), tokens),
        "one layer": per_position_loss(one_layer(tokens), tokens),
    }
lines(
    range(1, 2 * n_block + 1),
    {name: each.mean(dim=0) for name, each in loss.items()},
    title="Two layers copy, one layer does not",
    x_title="position of the token that is predicted",
    y_title="mean loss (nats)",
    markers=False,
    subtitle=f"The second copy begins at position {n_block + 1}.",
)

# %% id="loss-numbers"
print("mean loss in nats      first copy   second copy (from its second word on)")
for name, each in loss.items():
    first, second = each[:, :n_block].mean(), lab.second_copy_loss(each, n_block)
    print(f"{name:<23}{first:8.2f}   {second:8.3f}")
print(f"guessing among all words: {torch.tensor(180.0).log():.2f}")

# %% [markdown]
r"""
**What you should see.** In the first copy both do a little worse than guessing, and worst at position 2: 7.1
nats, where one word of a random block has been read and running text would be no surprise. In the second
copy, from its second word on, the loss of two layers drops to nearly zero; that of one layer is on average what
guessing would give, and a little less towards the end.
"""

# %% tags=["claim"]
_first = {_name: _each[:, :n_block].mean().item() for _name, _each in loss.items()}
_guess = torch.tensor(180.0).log().item()
for _name, _each in loss.items():
    assert _guess < _first[_name] < _guess + 0.5, (
        "In the first copy both do a little worse than guessing"
    )
    assert _each.mean(dim=0).argmax() == 1, "and worst at position 2"
    assert abs(_each[:, 1].mean() - 7.1) < 0.05, "7.1 nats"
_second = {
    _name: lab.second_copy_loss(_each, n_block).item() for _name, _each in loss.items()
}
assert _second["two layers"] < 0.01, "the loss of two layers drops to nearly zero"
assert abs(_second["one layer"] - _guess) < 0.1, (
    "that of one layer is on average what guessing would give"
)
assert 0.1 < _guess - loss["one layer"][:, -8:].mean() < 0.6, (
    "and a little less towards the end"
)

# %% tags=["quiz"]
quiz("first-word-of-the-copy", "d")

# %% [markdown]
r"""
## Where heads look

Something in two layers looks back. The cache has every head's **attention pattern**: row = query (who
looks), column = key (who is looked at). Here are all eight heads on the short text. Layer 0 is the upper
row. Point at a cell to read its two tokens.
"""

# %% id="patterns-figure"
with torch.no_grad():
    _, cache = model.run_with_cache(short)
patterns = [cache[f"blocks.{layer}.attn.hook_pattern"][0] for layer in range(2)]
attention_patterns(
    torch.cat(patterns),
    ["BOS", *model.to_str_tokens(short[0, 1:])],
    titles=[f"head {layer}.{head}" for layer in range(2) for head in range(4)],
    title="All heads on one repeated block",
)

# %% [markdown]
r"""
Two shapes stand out: in layer 0 a stripe right below the diagonal (one head), in layer 1 stripes that begin
only in the second block (two heads). Head $l.h$ is head $h$ of layer $l$, counted from 0.

Patterns of eight heads can be looked at, those of 144 cannot. So we put each shape into a number, the mean
attention to **one key per query** $q$:

| head | key |
|---|---|
| previous token | $q - 1$ |
| current token | $q$ |
| first token | 0 (a resting place for heads with nothing to do) |
| duplicate token | the earlier copy of token $q$ |
| induction | the token **after** the earlier copy of token $q$ |
"""

# %% tags=["claim"]
_short = lab.head_scores(model, short, 6)
assert (_short.previous[0] > 0.5).sum() == 1, (
    "in layer 0 a stripe right below the diagonal (one head)"
)
assert (_short.induction[1] > 0.5).sum() == 2, "only in the second block (two heads)"

# %% [markdown] slug="head-detectors"
r"""
Given the patterns of several heads on **one** row made by `repeated_tokens` (so `1 + 2 * n_block`
positions, BOS at 0), return four tensors of shape `[head]`: the previous-token, current-token,
first-token and induction score, in this order.

- The first three: mean over queries from 2 on. (At queries 0 and 1 the current, the previous and the
  first token are not three different ones.)
- Induction: mean over **all queries of the second block**. Where is the earlier copy of token $q$, and
  where the token after it? Mind BOS.
"""


# %% tags=["exercise"] slug="head-detectors"
def head_detectors(
    pattern: Float[Tensor, "head query key"], n_block: int
) -> tuple[Float[Tensor, "head"], ...]:
    """Previous-token, current-token, first-token and induction scores."""
    # BEGIN SOLUTION
    query = torch.arange(2, pattern.shape[-1])
    second = torch.arange(n_block + 1, 2 * n_block + 1)
    return (
        pattern[:, query, query - 1].mean(dim=-1),
        pattern[:, query, query].mean(dim=-1),
        pattern[:, query, 0].mean(dim=-1),
        pattern[:, second, second - (n_block - 1)].mean(dim=-1),
    )
    # END SOLUTION


# %% tags=["check"]
check("head-detectors", head_detectors)

# %% [markdown]
r"""
The package's `lab.head_scores` does this for all heads and averages over rows.
"""

# %% id="scores-figure"
scores = lab.head_scores(model, tokens, n_block)
head_grid(
    {
        "previous token": scores.previous,
        "current token": scores.current,
        "first token": scores.first,
        "duplicate token": scores.duplicate,
        "induction": scores.induction,
    },
    value_title="mean attention (0 to 1)",
    title="What kind of head is each?",
)

# %% id="the-two-heads"
prev = int(scores.previous[0].argmax())  # the previous-token head of layer 0
ind = int(scores.induction[1].argmax())  # the best induction head of layer 1
induction_heads = [h for h in range(4) if scores.induction[1, h] > 0.5]
print(f"previous-token head 0.{prev}: score {scores.previous[0, prev]:.2f}")
print(
    f"induction scores of layer 1: {[round(s, 2) for s in scores.induction[1].tolist()]}"
)
print("one layer, highest induction score: ", end="")
print(f"{lab.head_scores(one_layer, tokens, n_block).induction.max():.2f}")

# %% [markdown]
r"""
**What you should see.** One previous-token head, in layer 0. Two heads of layer 1 that look where induction
looks; in the model with one layer there is none. No current-token head and no duplicate-token head: the
highest scores are .27 and .03. The two highest first-token scores, .47, belong to the induction heads: in the
first block there is nothing to look back to, and they rest on BOS. A score averages over queries, so ask
*which* queries before you name a head.

That is where they look; the next question is what depends on it.

## Taking heads out

Chapter 00 took out one head. Now any set of heads, in one run. Four things to know about hooks in today's
TransformerLens (`TransformerBridge`, version 4) before you build on them. Each cell below is a trap that
says nothing when you step into it.
"""

# %% tags=["claim"]
_one = lab.head_scores(one_layer, tokens, n_block)
assert (scores.previous > 0.5).sum() == 1 == (scores.previous[0] > 0.5).sum(), (
    "One previous-token head, in layer 0."
)
assert len(induction_heads) == 2, "Two heads of layer 1 that look where induction looks"
assert _one.induction.max() < 0.05, "in the model with one layer there is none"
_tops = [round(scores.current.max().item(), 2), round(scores.duplicate.max().item(), 2)]
assert _tops == [0.27, 0.03], "the highest scores are .27 and .03"
_rest = scores.first.flatten().topk(2)
assert sorted(i - 4 for i in _rest.indices.tolist()) == induction_heads, (
    "belong to the induction heads"
)
assert _rest.values.numpy().round(2).tolist() == [0.47, 0.47] or all(
    abs(_v - 0.47) < 0.01 for _v in _rest.values
), "The two highest first-token scores, .47"
with torch.no_grad():
    _, _cache = model.run_with_cache(tokens, names_filter="blocks.1.attn.hook_pattern")
_to_bos = _cache["blocks.1.attn.hook_pattern"][:, induction_heads, :, 0].mean(
    dim=(0, 1)
)
assert _to_bos[2 : n_block + 1].min() > 0.8, (
    "in the first block there is nothing to look back to, and they rest on BOS"
)
assert _to_bos[n_block + 2 :].max() < 0.1, (
    "in the first block there is nothing to look back to, and they rest on BOS"
)

# %% id="trap-names"
# 1. A typo in a LIST of names is ignored: you get less than you asked for, silently.
with torch.no_grad():
    _, partial = model.run_with_cache(
        short,
        names_filter=["blocks.0.attn.hook_patern", "blocks.1.attn.hook_pattern"],
    )
print("asked for two, got:", list(partial))

# %% id="trap-hook-name"
# 2. Inside a hook, hook.name is the place's canonical name, which may be another one.
seen = []


def look(value, hook):  # returns nothing, so the value stays as it is
    seen.append(hook.name)


with torch.no_grad(), model.hooks(fwd_hooks=[("blocks.1.hook_resid_pre", look)]):
    model(short)
print("asked for blocks.1.hook_resid_pre, hook.name is", seen[0])

# %% id="trap-resid-mid"
# 3. hook_resid_mid is the input of the MLP branch. Editing it does not edit the stream.
with torch.no_grad():
    before = model(short)
    for place in ("hook_resid_mid", "hook_attn_out"):
        hooks = [(f"blocks.1.{place}", lambda value, hook: torch.zeros_like(value))]
        with model.hooks(fwd_hooks=hooks):
            change = (model(short) - before).abs().max()
        print(f"blocks.1.{place} set to zero: logits change by up to {change:.2f}")


# %% id="trap-left-behind"
# 4. add_hook stays until someone removes it. The context manager cleans up after itself.
def without_first_head(z, hook):
    z = z.clone()
    z[:, :, 0] = 0.0
    return z


with torch.no_grad():
    model.add_hook("blocks.1.attn.hook_z", without_first_head)
    still_there = (model(short) - before).abs().max()
    model.reset_hooks()
    with model.hooks(fwd_hooks=[("blocks.1.attn.hook_z", without_first_head)]):
        model(short)
    afterwards = (model(short) - before).abs().max()
print(f"after add_hook, later runs differ by {still_there:.2f}", end="; ")
print(f"after `with model.hooks`, by {afterwards:.2f}")

# %% [markdown]
r"""
So: check what a cache holds; let a hook know by *closure* which head it is for, not by `hook.name`; edit
`hook_attn_out` or `hook_resid_pre` when you mean the stream; and use `with model.hooks(...)`.
"""

# %% [markdown] slug="ablate-heads"
r"""
Return the loss at every position (your `per_position_loss`) when **all** the given heads write nothing:
their `z` (`blocks.{layer}.attn.hook_z`, `[row pos head d_head]`) is zero at every position, in one run.
`heads` is a list of pairs `(layer, head)`; it may be empty. Leave no hook behind: the check looks.

Mind this trap of Python: a function that is defined in a loop and uses the loop variable looks it up when
it *runs*. By then the loop is over. A function that makes the hook, `without(head)`, gives each hook its
own.
"""


# %% tags=["exercise"] slug="ablate-heads"
def loss_without_heads(
    model, tokens: Int[Tensor, "row pos"], heads: list[tuple[int, int]]
) -> Float[Tensor, "row pos-1"]:
    """The loss at every position without some heads, taken out together."""

    # BEGIN SOLUTION
    def without(head):
        def hook(z, hook):
            z = z.clone()
            z[:, :, head] = 0.0
            return z

        return hook

    hooks = [(f"blocks.{layer}.attn.hook_z", without(head)) for layer, head in heads]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return per_position_loss(model(tokens), tokens)
    # END SOLUTION


# %% tags=["check"]
check("ablate-heads", loss_without_heads)

# %% id="ablation-figure"
intact = lab.second_copy_loss(loss_without_heads(model, tokens, []), n_block)
rise = torch.zeros(2, 4)
for layer in range(2):
    for head in range(4):
        without = loss_without_heads(model, tokens, [(layer, head)])
        rise[layer, head] = lab.second_copy_loss(without, n_block) - intact
head_grid(
    {"without one head": rise},
    value_title="rise of the loss (nats)",
    title="What the second copy loses without each head",
)

# %% [markdown] slug="needed-head"
r"""
Without which **one** head does the loss on the second copy rise most? Give it as a pair `(layer, head)`.
"""

# %% tags=["exercise"] slug="needed-head"
needed = divmod(int(rise.argmax()), 4)  # SOLUTION

# %% tags=["check"]
check("needed-head", needed)

# %% [markdown]
r"""
**What you should see.** One head of layer 0 stands out, and it is not an induction head. The induction
heads of layer 1 are needed less, one by one. And head 1.0, whose induction score is .01, costs more than the
induction head 1.3: a score and an ablation ask different questions. Take them out together:
"""

# %% tags=["claim"]
assert divmod(int(rise.argmax()), 4) == (0, prev), (
    "One head of layer 0 stands out, and it is not an induction head."
)
assert rise.flatten().topk(2).values[1] < 0.7 * rise.max(), (
    "One head of layer 0 stands out"
)
assert rise[1, induction_heads].max() < rise.max(), (
    "heads of layer 1 are needed less, one by one"
)
assert round(scores.induction[1, 0].item(), 2) == 0.01, (
    "head 1.0, whose induction score is .01"
)
assert 3 in induction_heads and rise[1, 0] > rise[1, 3], (
    "costs more than the induction head 1.3"
)

# %% id="together"
sets = {
    f"the best induction head, 1.{ind}": [(1, ind)],
    "all induction heads": [(1, head) for head in induction_heads],
    "all heads of layer 1": [(1, head) for head in range(4)],
    f"the previous-token head, 0.{prev}": [(0, prev)],
    "the other three heads of layer 0": [(0, h) for h in range(4) if h != prev],
}
print("loss on the second copy without")
for name, out in sets.items():
    lost = lab.second_copy_loss(loss_without_heads(model, tokens, out), n_block)
    print(f"   {name:<36}{lost:6.2f}")

# %% tags=["quiz"]
quiz("one-head-left-out", "a")

# %% [markdown]
r"""
(Without all of layer 1 the loss is 2 nats above that of guessing. What is left of a model does not know
that something is missing: it goes on to bet, now on the wrong words.)

And what becomes of the induction heads when the previous-token head is gone? They are still in the model,
nobody touched them.
"""


# %% id="induction-without-previous"
def zero_previous(z, hook):
    z = z.clone()
    z[:, :, prev] = 0.0
    return z


names = [f"blocks.1.attn.hook_{site}" for site in ("pattern", "q", "k", "v")]
with torch.no_grad(), model.hooks(fwd_hooks=[("blocks.0.attn.hook_z", zero_previous)]):
    _, blind = model.run_with_cache(tokens, names_filter=names)
left = lab.induction_score(blind["blocks.1.attn.hook_pattern"], n_block).mean(dim=0)
print(
    f"induction scores of layer 1, intact:       {scores.induction[1].numpy().round(2)}"
)
print(f"without the previous-token head of layer 0: {left.numpy().round(2)}")

# %% tags=["claim"]
_out = {
    _name: lab.second_copy_loss(loss_without_heads(model, tokens, _set), n_block)
    for _name, _set in sets.items()
}
assert 2 < _out["all heads of layer 1"] - _guess < 2.5, (
    "the loss is 2 nats above that of guessing"
)

# %% tags=["quiz"]
quiz("untouched-but-blind", "c")

# %% [markdown]
r"""
## Two heads, one circuit

So the heads **compose**: one writes into the residual stream, a later one reads it. (What it wrote is no help at other
positions: shuffled between them, no score of layer 1 comes back to .1.) A head reads the stream three times, to make
its query, its key and its value. Through which does it go here?
"""

# %% tags=["claim"]
with torch.no_grad():
    _, _run = model.run_with_cache(tokens, names_filter="blocks.0.attn.hook_z")
_wrote = _run["blocks.0.attn.hook_z"][:, :, prev]
for _seed in range(3):
    _order = torch.randperm(tokens.shape[1] - 1, generator=seeded(_seed)) + 1
    _elsewhere = torch.cat([_wrote[:, :1], _wrote[:, _order]], dim=1)

    def _put(z, hook, elsewhere=_elsewhere):
        z = z.clone()
        z[:, :, prev] = elsewhere
        return z

    with torch.no_grad(), model.hooks(fwd_hooks=[("blocks.0.attn.hook_z", _put)]):
        _, _seen = model.run_with_cache(tokens, names_filter=names)
    _scores = lab.induction_score(_seen["blocks.1.attn.hook_pattern"], n_block)
    assert _scores.mean(dim=0).max() < 0.1, (
        "shuffled between them, no score of layer 1 comes back to .1"
    )

# %% tags=["quiz"]
quiz("which-composition", "b")

# %% [markdown]
r"""
Test it. There is nothing between the two layers but the stream, so we can cut each path alone: run the
intact model, but give layer 1 its queries (or keys, or values) from the run without the previous-token
head.
"""


# %% id="cut-one-path"
def replaced_by(kept):
    def hook(value, hook):
        return kept

    return hook


print(f"intact: loss on the second copy {intact:.3f}")
for site, word in [("q", "queries"), ("k", "keys"), ("v", "values")]:
    name = f"blocks.1.attn.hook_{site}"
    with torch.no_grad(), model.hooks(fwd_hooks=[(name, replaced_by(blind[name]))]):
        cut = per_position_loss(model(tokens), tokens)
    print(
        f"layer 1's {word:<8} know nothing of it: {lab.second_copy_loss(cut, n_block):.3f}"
    )

# %% [markdown]
r"""
It is the keys: without them nothing is copied, without the other two nothing changes. At position $i$ the
previous-token head writes "before me stood A". That is in the key of position $i$. The present token, A, is in
the query, and the two match:

```
position        …    i-1    i     …    q
token           …     A     B     …    A    → B
layer 0               └──▶ "A was before me"
layer 1                     ▲──────────┘   query: I am A. key: A was before me. Copy B.
```

Four statements are in this picture: 1. layer 1 **copies** what it attends to; 2. layer 0 attends to the
**previous** position, whatever the words are; 3. layer 1's keys **read** what layer 0 wrote; 4. put
together, "I am A" matches "A was before me". Each one stands in the weights, and you will now read it
there, without running the model at all.

## 1 · Copying: the OV circuit

A head is two low-rank matrices that do separate work (Elhage et al. 2021, *A Mathematical Framework for
Transformer Circuits*):

$$W_{QK} = W_Q W_K^\top \;\text{(where it looks)} \qquad W_{OV} = W_V W_O \;\text{(what it moves)}$$

If a head attends to a token with embedding $x$, it adds $x\,W_{OV}$ to the stream. Between embedding and
unembedding this can be read in words, as a table $C$ of vocabulary by vocabulary: entry $[a, b]$ says how much
attending to token $a$ raises the logit of token $b$. A head that copies has a large diagonal.
"""

# %% tags=["claim"]
_cut = {}
for _site in "qkv":
    _name = f"blocks.1.attn.hook_{_site}"
    with torch.no_grad(), model.hooks(fwd_hooks=[(_name, replaced_by(blind[_name]))]):
        _cut[_site] = lab.second_copy_loss(
            per_position_loss(model(tokens), tokens), n_block
        )
assert _cut["k"] > _guess - 0.1, "without them nothing is copied"
assert max(_cut["q"], _cut["v"]) < 0.01, "without the other two nothing changes"

# %% [markdown] slug="copying-score"
r"""
Return two numbers that say how much the head copies:

1. the **share of tokens** $a$ for which the largest entry of row $a$ of $C$ is its own, $C[a, a]$;
2. the **eigenvalue score** of Elhage et al., with $\lambda_i$ the (complex) eigenvalues of $C$:

$$\frac{\sum_i \mathrm{Re}\,\lambda_i}{\sum_i |\lambda_i|}$$

Positive eigenvalues mean: this combination of tokens raises itself. 1 if all are positive, -1 if all are
negative.
"""


# %% tags=["exercise"] slug="copying-score"
def copying_score(
    W_E: Float[Tensor, "vocab d_model"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
    W_U: Float[Tensor, "d_model vocab"],
) -> tuple[float, float]:
    """The share of tokens that raise themselves most, and the eigenvalue score."""
    # BEGIN SOLUTION
    C = W_E @ W_V @ W_O @ W_U
    own = torch.arange(len(C))
    share = (C.argmax(dim=1) == own).float().mean()
    # X Y and Y X have the same eigenvalues but for zeros; this one is d_head x d_head.
    values = torch.linalg.eigvals(W_O @ W_U @ W_E @ W_V)
    return share.item(), (values.real.sum() / values.abs().sum()).item()
    # END SOLUTION


# %% tags=["check"]
check("copying-score", copying_score)

# %% id="copying-figure"
W_E, W_pos, W_U = (W.detach() for W in (model.W_E, model.W_pos, model.W_U))
W_Q, W_K, W_V, W_O = (W.detach() for W in (model.W_Q, model.W_K, model.W_V, model.W_O))
share, eigen = torch.zeros(2, 4), torch.zeros(2, 4)
for layer in range(2):
    for head in range(4):
        share[layer, head], eigen[layer, head] = copying_score(
            W_E[1:], W_V[layer, head], W_O[layer, head], W_U[:, 1:]
        )  # BOS left out
head_grid(
    {"share of words that win": share, "eigenvalue score": eigen},
    value_title="score",
    title="Which heads copy?",
)

# %% [markdown]
r"""
**What you should see.** By eigenvalues the two induction heads copy almost perfectly, and two others come near, 0.1
(.85) and 1.0 (.72), that raise hardly any word's own logit most: two scores, two questions. By that other score the
induction heads are less than perfect: for about a tenth of the words another word is raised more. They share the
work, so look at what they write together:
"""

# %% tags=["claim"]
_others = [
    (_l, _h)
    for _l in range(2)
    for _h in range(4)
    if (_l, _h) not in [(1, h) for h in induction_heads]
]
assert eigen[1, induction_heads].min() > 0.999, (
    "By eigenvalues the two induction heads copy almost perfectly"
)
assert sorted(_others, key=lambda _at: -eigen[_at])[:2] == [(0, 1), (1, 0)], (
    "two others come near, 0.1 (.85) and 1.0 (.72)"
)
assert [f"{eigen[_at]:.2f}" for _at in ((0, 1), (1, 0))] == ["0.85", "0.72"], (
    "two others come near, 0.1 (.85) and 1.0 (.72)"
)
assert max(share[_at] for _at in _others) < 0.03, (
    "that raise hardly any word's own logit most"
)
for _h in induction_heads:
    assert 0.85 < share[1, _h] < 0.93, (
        "for about a tenth of the words another word is raised more"
    )

# %% id="copying-together"
together = sum(W_E[1:] @ W_V[1, h] @ W_O[1, h] @ W_U[:, 1:] for h in induction_heads)
wins = (together.argmax(dim=1) == torch.arange(len(words))).float().mean()
print(
    f"all {len(induction_heads)} induction heads added up: {wins:.0%} of the words win"
)

# %% [markdown]
r"""
Together they raise every word most. Two scores, two questions; neither is *the* copying score.

## 2 · The previous position: the positional QK circuit

A previous-token head should look one position back whatever the words are. Then it should do so if the stream held
nothing but position embeddings, $p = W_\text{pos} / s$. Here $s$ stands for LayerNorm: in the model it divides the
stream, so what reaches the head of the position embedding is $W_\text{pos}$ divided by some number.
(`lab.embedding_norm` works out its typical size; LayerNorm's other parts are folded into the weights
of an opened model.)
"""

# %% tags=["claim"]
assert wins == 1, "Together they raise every word most."

# %% [markdown] slug="previous-token-circuit"
r"""
Return the attention pattern that a head with these weights has then, `[query key]`; `norm` is $s$. Everything else is
as in the model: who may look at whom, the scale of the scores, and that each query has 1 to give away.
"""


# %% tags=["exercise"] slug="previous-token-circuit"
def previous_token_circuit(
    W_pos: Float[Tensor, "pos d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
    norm: float,
) -> Float[Tensor, "query key"]:
    """The attention pattern that positions alone would give."""
    # BEGIN SOLUTION
    positions = W_pos / norm
    scores = (positions @ W_Q) @ (positions @ W_K).T / W_Q.shape[-1] ** 0.5
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)
    # END SOLUTION


# %% tags=["check"]
check("previous-token-circuit", previous_token_circuit)

# %% id="positional-figure"
norm = lab.embedding_norm(W_E, W_pos)
positional = torch.stack(
    [previous_token_circuit(W_pos, W_Q[0, h], W_K[0, h], norm) for h in range(4)]
)
attention_patterns(
    positional[:, :24, :24],
    [str(i) for i in range(24)],
    unit="position",
    titles=[
        f"head 0.{h}, score {lab.previous_token_score(positional[h]):.2f}"
        for h in range(4)
    ],
    title="Layer 0 by positions alone",
    subtitle="No text: the first 24 positions, from W_pos, W_Q and W_K only.",
)

# %% [markdown]
r"""
**What you should see.** One head has the stripe, and it is the previous-token head. Its score here, .71, is
lower than on text, .98. What is missing may come from what tokens hold, or from $s$ being one number where the
model has another at every position; this figure cannot tell which.

## 3 · K-composition

How much of what head 1 writes decides where head 2 finds its keys? Head 2's score is query $W_{QK}\,\text{key}^\top$,
and part of its key is what head 1 wrote, $x\,W_{OV}$. Put that key into the score, and two matrices meet in it. The
**K-composition score** (Elhage et al. 2021) is the size of their product as a share of the product of their two
sizes, all sizes as Frobenius norms $\lVert\cdot\rVert$. Of random matrices the score is not 0, so we need a baseline.
"""

# %% tags=["claim"]
_alone = torch.stack([lab.previous_token_score(positional[_h]) for _h in range(4)])
assert _alone.argmax() == prev and _alone.sort().values[2] < 0.1, (
    "One head has the stripe, and it is the previous-token head."
)
assert round(_alone[prev].item(), 2) == 0.71, "Its score here, .71"
assert round(scores.previous[0, prev].item(), 2) == 0.98, "lower than on text, .98"

# %% [markdown] slug="k-composition"
r"""
Return the K-composition score of an earlier head (`W_OV`) with a later one (`W_QK`). Mind which side of which matrix
the other one stands on. (For queries it is another product, and the check knows it.)
"""


# %% tags=["exercise"] slug="k-composition"
def k_composition(
    W_OV: Float[Tensor, "d_model d_model"], W_QK: Float[Tensor, "d_model d_model"]
) -> Float[Tensor, ""]:
    """How much of what the earlier head writes decides where the later head finds its keys."""
    # BEGIN SOLUTION
    return (W_OV @ W_QK.T).norm() / (W_OV.norm() * W_QK.norm())
    # END SOLUTION


# %% tags=["check"]
check("k-composition", k_composition)

# %% id="composition-figure"
OV = W_V @ W_O  # [layer head d_model d_model]
QK = W_Q @ W_K.mT
K = torch.tensor([[float(k_composition(a, b)) for b in QK[1]] for a in OV[0]])
chance = lab.random_composition(model.cfg.d_model, 16, 200, seeded(0))
print(f"random heads: {chance.mean():.3f} on average, {chance.max():.3f} at most")
heatmap(
    K / chance.mean(),
    title="K-composition of every pair of heads",
    x_title="later head",
    y_title="earlier head",
    value_title="multiple of random heads' score",
    x=[f"1.{b}" for b in range(4)],
    y=[f"0.{a}" for a in range(4)],
)

# %% [markdown]
r"""
**What you should see.** The previous-token head's row is far above random for the induction heads: more than
2.5 times the mean of random heads, whose highest is 1.1 times it. So far so good. But look at the whole
table: are these the only large numbers?

## An intervention that fails

Take the highest score in the **other rows**. If the score were the circuit, copying should suffer without
that head of layer 0 too.
"""

# %% tags=["claim"]
assert (K[prev, induction_heads] > 2.5 * chance.mean()).all(), (
    "more than 2.5 times the mean of random heads"
)
assert round((chance.max() / chance.mean()).item(), 1) == 1.1, (
    "whose highest is 1.1 times it"
)

# %% id="strongest-other-pair"
others = K.clone()
others[prev] = 0.0
a, b = divmod(int(others.argmax()), 4)
lost = lab.second_copy_loss(loss_without_heads(model, tokens, [(0, a)]), n_block)
print(
    f"highest in the other rows: 0.{a} with 1.{b}, {K[a, b] / chance.mean():.1f} × random"
)
print(f"loss on the second copy: intact {intact:.3f}, without head 0.{a}: {lost:.3f}")
lost = lab.second_copy_loss(loss_without_heads(model, tokens, [(0, prev)]), n_block)
print(f"without the previous-token head 0.{prev}: {lost:.3f}")

# %% tags=["claim"]
assert K[a, b] > 2.5 * chance.mean(), "Another pair scored far above"
assert (
    lab.second_copy_loss(loss_without_heads(model, tokens, [(0, a)]), n_block) < 0.01
), "copying did not need it"

# %% tags=["quiz"]
quiz("highest-score-no-effect", "b")

# %% [markdown]
r"""
## 4 · The whole circuit, in words

Now put it together. The query is the present token's embedding. The key is what the previous-token head wrote about
the token before: its embedding, moved by that head. If the story is true, then over all pairs of words the
**diagonal** of the induction head's scores wins: at token A, look where the previous token was A.
"""

# %% [markdown] slug="full-induction-circuit"
r"""
Return these scores, `[token previous]`, for all words, scaled as attention scores are: `previous_OV` is the
previous-token head's $W_{OV}$, `W_Q` and `W_K` are the induction head's. (LayerNorm is left out, as in all circuits
that are read off weights. The ablations above tested the model with it.)
"""


# %% tags=["exercise"] slug="full-induction-circuit"
def full_induction_circuit(
    W_E: Float[Tensor, "vocab d_model"],
    previous_OV: Float[Tensor, "d_model d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
) -> Float[Tensor, "token previous"]:
    """The induction head's score for a key whose previous token is known."""
    # BEGIN SOLUTION
    queries = W_E @ W_Q
    keys = W_E @ previous_OV @ W_K
    return queries @ keys.T / W_Q.shape[-1] ** 0.5
    # END SOLUTION


# %% tags=["check"]
check("full-induction-circuit", full_induction_circuit)

# %% id="circuit-numbers"
print("share of words whose own column wins, by way of each head of layer 0:")
for a in range(4):
    wins = []
    for b in range(4):
        circuit = full_induction_circuit(W_E[1:], OV[0, a], W_Q[1, b], W_K[1, b])
        own = torch.arange(len(circuit))
        wins.append((circuit.argmax(dim=1) == own).float().mean().item())
    print(f"   0.{a} with 1.0 to 1.3:", "  ".join(f"{share:4.0%}" for share in wins))
print(f"by chance: {1 / len(words):.1%}")

# %% [markdown]
r"""
**What you should see.** From the previous-token head into an induction head every word finds itself, or all
but a few; into 1.2, which looks there a little, a fifth do. From any other head of layer 0 it is 5 % at most,
whatever the composition score. No text was run: the circuit stands in the weights.
"""

# %% tags=["claim"]
_own = torch.zeros(4, 4)
for _a in range(4):
    for _b in range(4):
        _circuit = full_induction_circuit(W_E[1:], OV[0, _a], W_Q[1, _b], W_K[1, _b])
        _own[_a, _b] = (
            (_circuit.argmax(dim=1) == torch.arange(len(_circuit))).float().mean()
        )
assert _own[prev, induction_heads].min() > 0.97, (
    "every word finds itself, or all but a few"
)
assert abs(_own[prev, 2] - 0.2) < 0.03, (
    "into 1.2, which looks there a little, a fifth do"
)
assert _own[[_a for _a in range(4) if _a != prev]].max() < 0.05, (
    "From any other head of layer 0 it is 5 % at most"
)

# %% [markdown]
r"""
## A head that the story leaves out

Two heads, four statements, and everything fits. But the table of ablations above had another large number: head 1.0.
It does not look where induction looks, it raises the word that it looks at most for hardly any word, and without it
the loss on the second copy rises by more than a nat. Nothing so far says why. From here on you are on your own: the
rest of this section is research.

Besides blocks you will need the other kind of text that the models were trained on.
"""

# %% id="running-text"
from mi_tutor.specimens.induction import InductionConfig, chunk

running = torch.cat(list(chunk(InductionConfig(repeats_share=0.0), 0)[:8]))
print(list(running.shape), "=", "row pos")
for row in running[:3]:
    print(" ".join(model.to_str_tokens(row[1:13])), "...")

# %% tags=["claim"]
assert scores.induction[1, 0] < 0.05, "It does not look where induction looks"
assert share[1, 0] < 0.02, "raises the word that it looks at most for hardly any word"
assert rise[1, 0] > 1, "rises by more than a nat"

# %% [markdown] slug="why-does-1-0-matter"
r"""
Hand in a report, a dictionary with four parts. Each is marked by an experiment on words that neither of us has
seen: blocks of 30 words, 64 rows, and running text.

- `"rise"` (a quarter of the score): by how much, in nats, the loss on the second copy (`lab.second_copy_loss`: its
  first word, which nothing foretells, is not counted) rises when head 1.0's `z` is replaced at every position by
  `"zero"`; by its `"mean"`, one vector, over all rows and all 30 positions of the second copy; by what it is in
  `"another row"`, the one before in the batch, at the same position; by what it is in a row of `"running text"`, at
  the same position; and `"zero, 1.1 silent"`: by zero, both times with head 1.1 set to zero too. Five numbers (a fall
  is negative), each right within 0.12 nats or 15 %.
- `"through"` (seven twentieths): the way from the head to the loss. Name the place in the model, `{"site": hook name}`
  (with `"head": h` if one head's part is meant), through which the effect of `"zero"` passes. Two tests. With the head
  set to zero and the site held at the value that it has with it, 90 % of the rise should be taken back. With the head
  in place and the site given the value that it has without it, 90 % of the rise should come. The weaker of the two
  counts, 50 % or less nothing. And a site that the whole stream passes through explains nothing: a place counts a
  quarter as long as there is a narrower one, with fewer numbers at each position. Nothing passes without half of this
  part.
- `"speaks"` (three tenths): after which pairs of words is what the head writes long? A table of 0 and 1, `[previous
  word]` by `[word]`, `[181, 181]` (or `[180, 180]`, BOS left out). It is tested on 16 words of running text, the last
  of which was exchanged for some other: is what the head adds to the stream at this last word (`z @ W_O`) longer than
  half of the mean length that it has in the second copy of blocks? Right for 97 % of words that make it write and of
  words that do not, on average, counts fully, 50 % nothing.
- `"against"` (the rest): the head of the eight, as `(layer, head)`, whose output lies most against that of 1.0: the
  smallest mean, over rows and positions of the second copy, of the inner product of what both add to the stream.
"""


# %% tags=["exercise"] slug="why-does-1-0-matter"
# BEGIN SOLUTION
# 1. Is it what the head says, or that it says something? Four replacements, four answers.
def second_without(replacement, also=()):
    """The loss on the second copy with something in the place of what 1.0 writes."""

    def hook(z, hook):
        z = z.clone()
        z[:, :, 0] = replacement
        return z

    hooks = [("blocks.1.attn.hook_z", hook), *also]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return lab.second_copy_loss(
            per_position_loss(model(tokens), tokens), n_block
        ).item()


with torch.no_grad():
    _, on_blocks = model.run_with_cache(tokens)
    _, on_text = model.run_with_cache(running[:64, :61])
z = on_blocks["blocks.1.attn.hook_z"][:, :, 0]
z_text = on_text["blocks.1.attn.hook_z"][:, :, 0]
found_rise = {
    "zero": second_without(0.0) - intact.item(),
    "mean": second_without(z[:, n_block + 1 :].mean(dim=(0, 1))) - intact.item(),
    "another row": second_without(z.roll(1, dims=0)) - intact.item(),
    "running text": second_without(z_text) - intact.item(),
}
both_silent = lab.second_copy_loss(
    loss_without_heads(model, tokens, [(1, 0), (1, 1)]), n_block
)
without_partner = lab.second_copy_loss(
    loss_without_heads(model, tokens, [(1, 1)]), n_block
)
found_rise["zero, 1.1 silent"] = (both_silent - without_partner).item()
print("rise:", {name: round(value, 2) for name, value in found_rise.items()})

# 2. It says the same in all blocks, and something else in text. What, and how loud?
writes, writes_in_text = z @ W_O[1, 0], z_text @ W_O[1, 0]
lengths = {
    "first copy": writes[:, 4 : n_block + 1],
    "second copy": writes[:, n_block + 2 :],
    "running text": writes_in_text[:, 2:],
}
for name, each in lengths.items():
    print(f"what 1.0 writes, {name}: length {each.norm(dim=-1).mean():.1f}")
print(f"a word's embedding: length {W_E[1:].norm(dim=-1).mean():.1f}")
constant = writes[:, n_block + 2 :].mean(dim=(0, 1))
direction = constant / constant.norm()
on_words = direction @ W_U
print(
    f"read by W_U: {on_words[1:].abs().max():.2f} for any word, {on_words[0]:.2f} for BOS"
)

# 3. No word reads it. What is left between head and logits is the last LayerNorm.
against = torch.zeros(2, 4)
for layer in range(2):
    written = torch.einsum(
        "rphd,hdm->rphm", on_blocks[f"blocks.{layer}.attn.hook_z"], W_O[layer]
    )
    against[layer] = (written @ direction)[:, n_block + 2 :].mean(dim=(0, 1))
print(f"along 1.0's direction, second copy:\n{against.numpy().round(1)}")
SCALE = "ln_final.hook_scale"
with torch.no_grad():
    _, with_it = model.run_with_cache(tokens, names_filter=SCALE)
    mute_it = [("blocks.1.attn.hook_z", without_first_head)]
    with model.hooks(fwd_hooks=mute_it):
        _, without_it = model.run_with_cache(tokens, names_filter=SCALE)
held = second_without(0.0, [(SCALE, lambda value, hook: with_it[SCALE])])
with (
    torch.no_grad(),
    model.hooks(fwd_hooks=[(SCALE, lambda value, hook: without_it[SCALE])]),
):
    changed = lab.second_copy_loss(
        per_position_loss(model(tokens), tokens), n_block
    ).item()
taken_back = 1 - (held - intact.item()) / found_rise["zero"]
brought = (changed - intact.item()) / found_rise["zero"]
print(f"the last LayerNorm's divisor held: {taken_back:.0%} of the rise is taken back")
print(f"the divisor alone changed: {brought:.0%} of the rise comes")

# 4. When does it begin? Real text that ends in some word, and then every word once.
loud = torch.zeros(181, 181)
with torch.no_grad():
    for previous in words.tolist():
        row, end = (running[:, 4:61] == previous).nonzero()[0].tolist()
        start = running[row, : 4 + end + 1]
        rows = torch.cat([start.expand(180, -1), words[:, None]], dim=1)
        _, run = model.run_with_cache(rows, names_filter="blocks.1.attn.hook_z")
        length = (run["blocks.1.attn.hook_z"][:, -1, 0] @ W_O[1, 0]).norm(dim=-1)
        loud[previous, 1:] = (length > constant.norm() / 2).float()
print(f"it begins to write after {loud[1:, 1:].mean():.0%} of all pairs of words")
print("after", end=" ")
for a, b in [("small", "fox"), ("small", "drum"), ("small", "hides"), ("fox", "drum")]:
    ids = [model.to_tokens(word, prepend_bos=False)[0, 0] for word in (a, b)]
    print(f"{a} {b}: {'yes' if loud[ids[0], ids[1]] else 'no'}", end="; ")
# END SOLUTION
report = {
    "rise": found_rise,
    "through": {"site": SCALE},
    "speaks": loud,
    "against": divmod(int(against.argmin()), 4),
}  # SOLUTION

# %% tags=["check"]
check("why-does-1-0-matter", report)

# %% id="who-speaks-when"
with torch.no_grad():
    _, blocks_run = model.run_with_cache(tokens)
    _, text_run = model.run_with_cache(running[:64, :61])
    one_slip = running[:64, :61].clone()
    one_slip[:, 20] = one_slip[:, 19]  # the same word twice: it never fits
    _, slip_run = model.run_with_cache(one_slip)
curves = {}
for name, head, run in [
    ("1.0, blocks", 0, blocks_run),
    ("1.0, running text", 0, text_run),
    ("1.0, one slip at 20", 0, slip_run),
    ("1.1, blocks", 1, blocks_run),
]:
    out = run["blocks.1.attn.hook_z"][:, :, head] @ W_O[1, head]
    curves[name] = out.norm(dim=-1).mean(dim=0)
lines(
    range(2 * n_block + 1),
    curves,
    title="Head 1.0 speaks as soon as the text is not text",
    x_title="position",
    y_title="mean length of what the head writes",
    markers=False,
    subtitle=f"The second copy begins at position {n_block + 1}.",
)

# %% id="the-last-layernorm"
for name, run, at in [
    ("running text", text_run, slice(2, 61)),
    ("first copy", blocks_run, slice(4, n_block + 1)),
    ("second copy", blocks_run, slice(n_block + 2, 2 * n_block + 1)),
]:
    divides = run["ln_final.hook_scale"][:, at].mean()
    print(f"the last LayerNorm divides by {divides:.2f} in the {name}")
with (
    torch.no_grad(),
    model.hooks(fwd_hooks=[("blocks.1.attn.hook_z", without_first_head)]),
):
    _, run = model.run_with_cache(tokens, names_filter="ln_final.hook_scale")
    mute = run["ln_final.hook_scale"][:, n_block + 2 :].mean()
print(f"the same without head 1.0, second copy: {mute:.2f}")

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

(Our report scores 1.00, the best we know.) Head 1.0 says one thing, the same in every row of
blocks and at nearly every position: put its mean in its place, or what it wrote in another row, and the loss does
not move. So it carries no word. Ablation by zero costs more than a nat, and so does what it writes in running text:
nearly nothing.

What it writes is long, more than nine where a word's embedding has .8, and no word's unembedding reads it. It acts
through the one thing left between the last head and the logits: the last **LayerNorm**, which divides by a number that
grows with the stream's length. In running text that is 0.2, and the first guess has 28 % on average. In the first copy
head 1.0 makes the stream long; LayerNorm divides by 1.7, all logits shrink, the first guess has 1 %, and the model says
"anything", which is the right thing to say about random words. In the second copy the induction heads, 1.1 above all,
write the opposite, the two cancel, and the model bets. Take 1.0 away and what 1.1 writes stands alone: the stream is
long, the logits are small, and the model is unsure of a word that every head of the circuit has found. So the way from
the head to the loss is one number per position, the divisor: hold it, and 97 % of the rise is taken back; change it
alone, and 93 % comes. The normalised stream itself would pass both tests, as everything that all heads write into does,
and say nothing. And with 1.1 silent there is nothing to cancel: now head 1.0 only does harm, and to silence it too
takes **two nats off**. A head's worth depends on who else is there.

And when does it speak? At the first word that does not fit. The text has adjectives, nouns and verbs in turn; a rare
noun after an adjective leaves 1.0 silent, any verb there sets it off. After a single slip (the same word twice) what it
writes falls to under a half in ten words, and then so slowly that thirty words later it is still two and a half times
what it would be. It tells text from random words, and turns the model's confidence down. Large language models have
neurons that do this (long weights, read by no word, through the last LayerNorm): the **entropy neurons** of Stolfo et
al. 2024, *Confidence Regulation Neurons in Language Models*.

Two things to keep. Zero is a choice of what to put in a head's place, and often a strange one. And an effect on
the loss says nothing yet about the way it took.

</details>
"""

# %% tags=["claim"]
_rises = list(found_rise.values())
assert round(100 * taken_back) == 97, "hold it, and 97 % of the rise is taken back"
assert round(100 * brought) == 93, "change it alone, and 93 % comes"
assert abs(_rises[4] + 2) < 0.25, "takes **two nats off**"
_word = (words - 1) // 60  # adjective, noun or verb
_right = (_word[None, :] == (_word[:, None] + 1) % 3) != loud[1:, 1:].bool()
assert (
    min(taken_back, brought) > 0.9
    and _right.float().mean() > 0.99
    and against.argmin() == 5
), "Our report scores 1.00"
assert max(_rises[1:3]) < 0.01, "and the loss does not move"
assert _rises[0] > 1 < _rises[3], "Ablation by zero costs more than a nat, and so does"
assert lengths["running text"].norm(dim=-1).mean() < 0.1 * constant.norm(), (
    "what it writes in running text: nearly nothing"
)
_embedding = W_E[1:].norm(dim=-1).mean()
assert constant.norm() > 9 and abs(_embedding - 0.8) < 0.05, (
    "more than nine where a word's embedding has .8"
)
_slip = curves["1.0, one slip at 20"]
_text = curves["1.0, running text"]
assert _slip[19] < 0.5 < 9 < _slip[20], "At the first word that does not fit."
assert _slip[30] < 0.5 * _slip[20], "falls to under a half in ten words"
assert abs(_slip[60] / _text[60] - 2.5) < 0.3, (
    "thirty words later it is still two and a half times what it would be"
)
with torch.no_grad():
    _guesses = {
        _name: model(_rows)[:, _at].softmax(dim=-1).amax(dim=-1).mean().item()
        for _name, _rows, _at in (
            ("text", running[:64, :61], slice(2, 61)),
            ("first copy", tokens, slice(4, n_block + 1)),
        )
    }
assert round(100 * _guesses["text"]) == 28, "the first guess has 28 % on average"
assert round(100 * _guesses["first copy"]) == 1, "the first guess has 1 %"
assert curves["1.0, blocks"][4:].std() < 0.05 * curves["1.0, blocks"][4:].mean(), (
    "the same in every row of blocks and at nearly every position"
)
assert on_words[1:].abs().max() < 0.1, "no word's unembedding reads it"
_scale = {
    _name: _run["ln_final.hook_scale"][:, _at].mean().item()
    for _name, _run, _at in [
        ("text", text_run, slice(2, 61)),
        ("first", blocks_run, slice(4, n_block + 1)),
        ("second", blocks_run, slice(n_block + 2, None)),
    ]
}
assert abs(_scale["text"] - 0.2) < 0.05, "In running text that is 0.2"
assert abs(_scale["first"] - 1.7) < 0.05, "LayerNorm divides by 1.7"
assert _scale["second"] < 0.6 and mute > 1.2, "the two cancel, and the model bets"
assert against.argmin() == 5 and against[1, 3] < -1, (
    "the induction heads, 1.1 above all, write the opposite"
)
_kind = (words - 1) // 60
_fits = _kind[None, :] == (_kind[:, None] + 1) % 3
assert loud[1:, 1:][_fits].mean() < 0.01, (
    "a rare noun after an adjective leaves 1.0 silent"
)
assert loud[1:, 1:][~_fits].mean() > 0.99, "any verb there sets it off"

# %% [markdown]
r"""
## Why one layer fails

An induction head has to find a position by what came **before** it. It finds positions by their keys. So
ask: does a key know? Change the token before a position and see whether the key moves.
"""

# %% [markdown] slug="one-layer-fails"
r"""
Return `[layer head]`: how far each head's key at `position` moves when the token **before** it is replaced
by `other` (one id per row),

$$\frac{\lVert k' - k \rVert}{\lVert k \rVert}$$

averaged over rows. Keys are at `blocks.{layer}.attn.hook_k`, `[row pos head d_head]`. The model has
`model.cfg.n_layers` layers. Leave `tokens` and the model as they are.
"""


# %% tags=["exercise"] slug="one-layer-fails"
def key_change(
    model,
    tokens: Int[Tensor, "row pos"],
    other: Int[Tensor, "row"],
    position: int,
) -> Float[Tensor, "layer head"]:
    """How far keys move when the token before them is another one."""
    # BEGIN SOLUTION
    changed = tokens.clone()
    changed[:, position - 1] = other
    with torch.no_grad():
        _, before = model.run_with_cache(tokens)
        _, after = model.run_with_cache(changed)
    rows = []
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.attn.hook_k"
        k, new = before[name][:, position], after[name][:, position]
        rows.append(((new - k).norm(dim=-1) / k.norm(dim=-1)).mean(dim=0))
    return torch.stack(rows)
    # END SOLUTION


# %% tags=["check"]
check("one-layer-fails", key_change)

# %% id="keys-that-move"
other = tokens[:, 1].roll(1)  # another row's first word
for name, each in [("one layer", one_layer), ("two layers", model)]:
    for layer, change in enumerate(key_change(each, tokens, other, position=10)):
        print(f"{name:<11} layer {layer}: {change.detach().numpy().round(2)}")

# %% [markdown]
r"""
Zero in layer 0, in both models and for every head. It has to be, whatever the weights: a key there is made from
its own position's token and place, and nothing has written to that position yet. So no head of a one-layer
model can find "the position whose previous token was A". One head has to write it down first, and that takes a
layer. (Olsson et al. 2022 turned this into an experiment: they mixed into every key the key of the position
before it, and with such "smeared keys" models of one layer learned it too.)

But the loss of one layer did fall a little on the second copy. What has it learned? Add up the probability
that it gives to **any** word of the block:
"""

# %% tags=["claim"]
for _each in (one_layer, model):
    assert key_change(_each, tokens, other, position=10)[0].max() == 0, (
        "Zero in layer 0, in both models and for every head."
    )

# %% id="what-one-layer-learned"
for name, each in [("one layer", one_layer), ("two layers", model)]:
    with torch.no_grad():
        p = each(tokens)[:, n_block + 1 : 2 * n_block].softmax(dim=-1)
    block = tokens[:, None, 1 : n_block + 1].expand(-1, p.shape[1], -1)
    right = p.gather(-1, tokens[:, n_block + 2 :, None]).mean()
    print(
        f"{name}: {p.gather(-1, block).sum(dim=-1).mean():.0%} on words of the block, "
        f"{right:.0%} on the right one"
    )
print(f"words of the block are {n_block / len(words):.0%} of all words")

# %% [markdown]
r"""
One layer gives the words of the block twice their share, and the right one among them no more than any
other: heads that look back and copy are enough for that. Which one it *is*, they cannot know.
"""

# %% tags=["claim"]
with torch.no_grad():
    _p = one_layer(tokens)[:, n_block + 1 : 2 * n_block].softmax(dim=-1)
_block = tokens[:, None, 1 : n_block + 1].expand(-1, _p.shape[1], -1)
_of_block = _p.gather(-1, _block).sum(dim=-1).mean()
_of_right = _p.gather(-1, tokens[:, n_block + 2 :, None]).mean()
assert 2 < _of_block / (n_block / len(words)) < 2.5, (
    "gives the words of the block twice their share"
)
assert _of_right < 1.2 * _of_block / n_block, (
    "the right one among them no more than any other"
)

# %% tags=["quiz"]
quiz("one-layer-enough", "b")

# %% [markdown]
r"""
## The token, or the position?

A suspicion remains. In plain repetition two rules say the same: "what came after this **token** the last
time", and "what stood at the same **distance** before". All that you have seen so far fits both. To tell
them apart we need a text on which they differ: rotate the second block.

```
BOS  w1 w2 w3 w4 w5 w6  w3 w4 w5 w6 w1 w2
```
"""

# %% [markdown] slug="fuzzy-copy"
r"""
`tokens` is BOS, a block, and the same block rotated by some number of words. For the queries at positions
`n_block + 1` to `2 * n_block - 1` (the second block without its last word) return two means, over rows
and these queries, of the **probability** that the model gives to

1. **by token**: the token that stands right after the earlier copy (in the first block) of the query's
   token. (One query's earlier copy is the first block's last word. What stands right after that is the
   second block's first word.)
2. **by position**: the token that stands `n_block - 1` positions before the query, where plain repetition
   would have the answer.
"""


# %% tags=["exercise"] slug="fuzzy-copy"
def fuzzy_copy(
    logits: Float[Tensor, "row pos vocab"], tokens: Int[Tensor, "row pos"], n_block: int
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The mean probability of what each rule predicts: by token, by position."""
    # BEGIN SOLUTION
    queries = torch.arange(n_block + 1, 2 * n_block)
    first, asked = tokens[:, 1 : n_block + 1], tokens[:, queries]
    copy = 1 + (asked[:, :, None] == first[:, None, :]).int().argmax(dim=-1)
    by_token = tokens.gather(1, copy + 1)
    by_position = tokens[:, queries - (n_block - 1)]
    p = logits[:, queries].softmax(dim=-1)
    return (
        p.gather(-1, by_token[..., None]).mean(),
        p.gather(-1, by_position[..., None]).mean(),
    )
    # END SOLUTION


# %% tags=["check"]
check("fuzzy-copy", fuzzy_copy)

# %% id="which-rule"
for shift in (1, 3, 10):
    rotated = lab.rotated_tokens(
        words, 64, n_block, bos=0, generator=seeded(0), shift=shift
    )
    with torch.no_grad():
        token, place = fuzzy_copy(model(rotated), rotated, n_block)
    print(f"rotated by {shift:>2}:  by token {token:.3f}   by position {place:.4f}")

# %% [markdown]
r"""
It is the token: more than .99 against less than .001, whatever the shift. This is what a counterfactual is for:
not more data, but data on which the explanations disagree.

## The phase change

Both specimens were kept at many steps of their training. `open_specimen(name, step=...)` opens any of
them. One number for how much a model makes of its context (Olsson et al. 2022 took the 500th and the 50th
token of a text): loss late minus loss early.
"""

# %% tags=["claim"]
for _shift in (1, 3, 10):
    _rotated = lab.rotated_tokens(
        words, 64, n_block, bos=0, generator=seeded(0), shift=_shift
    )
    with torch.no_grad():
        _token, _place = fuzzy_copy(model(_rotated), _rotated, n_block)
    assert _token > 0.99 and _place < 0.001, (
        "more than .99 against less than .001, whatever the shift"
    )

# %% [markdown] slug="in-context-score"
r"""
Return the mean over rows of the loss at index `late` minus the loss at index `early`.
"""


# %% tags=["exercise"] slug="in-context-score"
def in_context_score(
    loss: Float[Tensor, "row pos"], early: int, late: int
) -> Float[Tensor, ""]:
    """Loss late minus loss early: negative if the context helps."""
    # BEGIN SOLUTION
    return (loss[:, late] - loss[:, early]).mean()
    # END SOLUTION


# %% tags=["check"]
check("in-context-score", in_context_score)

# %% id="over-training"
steps = checkpoint_steps("induction-2l")
history = {}
for name in ("induction-2l", "induction-1l"):
    rows = []
    for step in tqdm(steps, desc=name):
        young = open_specimen(name, step=step, device="cpu")
        with torch.no_grad():
            young_loss = per_position_loss(young(tokens), tokens)
        found = lab.head_scores(young, tokens, n_block)
        rows.append(
            (
                lab.second_copy_loss(young_loss, n_block).item(),
                float(in_context_score(young_loss, n_block - 1, 2 * n_block - 1)),
                found.previous[0].max().item(),
                found.induction[-1].max().item(),
            )
        )
    history[name] = torch.tensor(rows)  # [step measure]
two, one = history["induction-2l"].T, history["induction-1l"].T

# %% [markdown] slug="phase-change"
r"""
Where does a curve change most? Between which two **neighbouring** checkpoints is the size of the change
largest (a loss falls, a score rises), and what share is it of the whole change, highest minus lowest
value? Return `(step before, step after, share)`. Near 1 the curve is a cliff. To judge a share, compare it
with a straight ramp's: the part of all training steps that lies between the two checkpoints. (Ours are not
evenly spaced.)
"""


# %% tags=["exercise"] slug="phase-change"
def phase_change(
    steps: list[int], values: Float[Tensor, "step"]
) -> tuple[int, int, float]:
    """The steepest part of a curve over training, and its share of the whole."""
    # BEGIN SOLUTION
    jumps = values.diff().abs()
    i = int(jumps.argmax())
    share = jumps[i] / (values.max() - values.min())
    return steps[i], steps[i + 1], share.item()
    # END SOLUTION


# %% tags=["check"]
check("phase-change", phase_change)

# %% id="phase-numbers"
measured = {
    "two layers, loss on the second copy": two[0],
    "two layers, in-context score": two[1],
    "two layers, previous-token score (layer 0)": two[2],
    "two layers, induction score (layer 1)": two[3],
    "one layer, loss on the second copy": one[0],
}
print(f"{len(steps)} checkpoints. Largest change between steps, and its share:")
for name, values in measured.items():
    before, after, part = phase_change(steps, values)
    whole = values.max() - values.min()
    ramp = (after - before) / (steps[-1] - steps[0])
    print(
        f"   {name:<44}{before:>5} to {after:>5}   {part:4.0%} of {whole:.2f}   (ramp: {ramp:.0%})"
    )

# %% id="phase-figure"
before, after, _ = phase_change(steps, two[0])
phase_curves(
    steps,
    {"second copy, two layers": two[0], "second copy, one layer": one[0]},
    {
        "previous token, two layers": two[2],
        "induction, two layers": two[3],
        "induction, one layer": one[3],
    },
    between=(before, after),
    title="Most of copying is learned between two checkpoints",
)

# %% [markdown]
r"""
**What you should see.** For 700 steps next to nothing. Then, between two neighbouring checkpoints, more than
half of the loss on the second copy is gone; a ramp would have lost 3 % there. Both head scores rise most in the
same gap. That they arrive together fits the story that for copying either is of no use without the other; the
curves alone do not show it, and other stories fit them too (something else that both wait for). An experiment
would hold one of them back. The loss of one layer moves by a fraction of a nat and never falls off a cliff.
(Its "share" is a share of next to nothing: look at the size of the whole change before you read one.) Olsson et
al. 2022 saw the same in language models, at roughly 2.5 to 5 billion tokens.

(24 checkpoints cannot say *how* abrupt it is within the gap. Training one yourself, below, can.)
"""

# %% tags=["claim"]
_step = dict(zip(steps, two[0].tolist(), strict=True))
assert _step[667] > 0.95 * _step[0], "For 700 steps next to nothing."
_before, _after, _part = phase_change(steps, two[0])
assert _part > 0.5, "more than half of the loss on the second copy is gone"
assert round((_after - _before) / steps[-1], 2) == 0.03, (
    "a ramp would have lost 3 % there"
)
for _curve in (two[2], two[3]):
    assert phase_change(steps, _curve)[:2] == (_before, _after), (
        "Both head scores rise most in the same gap."
    )
assert one[0].max() - one[0].min() < 0.5, "moves by a fraction of a nat"
assert len(steps) == 24, "24 checkpoints"

# %% tags=["quiz"]
quiz("why-a-phase-change", "d")

# %% tags=["quiz"]
quiz("no-induction-yet", "b")

# %% [markdown] slug="train-your-own"
r"""
Train one yourself. `network` is a language model of the transformers library:
`network(tokens).logits` is `[row pos vocab]`. `batches` gives one batch of rows per step, `[row pos]`, and
can be read only once. Use `torch.optim.Adam` on all parameters that require a gradient, with the mean over
rows and positions of the next-token loss. Return the list of losses, one number per step.
"""


# %% tags=["exercise"] slug="train-your-own"
def train_next_token(network, batches, learning_rate: float) -> list[float]:
    """Train on the next token with Adam, one step per batch; the loss of every step."""
    # BEGIN SOLUTION
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=learning_rate)
    losses = []
    for tokens in batches:
        loss = per_position_loss(network(tokens).logits, tokens).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # END SOLUTION


# %% tags=["check"]
check("train-your-own", train_next_token)

# %% [markdown]
r"""
Now live, in well under a minute on two cores. To be quick the rows are shorter and all of them are repeats
(blocks of 4 words and more, at any place in the row). Watch the induction score in the progress bar. For a
while nothing.
"""

# %% id="train-live"
from mi_tutor.specimens.induction import new_network

config = InductionConfig(n_ctx=40, repeats_share=1.0, seed=0)
network = new_network(config)
network.set_attn_implementation("eager")  # the one that can return its patterns
probe = repeated_tokens(words, 16, 15, bos=0, generator=seeded(2))
watched = []  # (step, induction score, loss on the second copy)


def batches_with_a_look(n_steps):
    """One batch per step; every 25 steps the induction score goes to the bar."""
    with tqdm(total=n_steps, desc="training") as bar:
        for step in range(n_steps):
            if step % 50 == 0:
                fifty = chunk(config, step // 50)
            if step % 25 == 0:
                with torch.no_grad():
                    run = network(probe, output_attentions=True)
                score = lab.induction_score(run.attentions[1], 15).mean(dim=0).max()
                young_loss = per_position_loss(run.logits, probe)
                watched.append(
                    (step, score.item(), lab.second_copy_loss(young_loss, 15).item())
                )
                bar.set_postfix_str(f"induction score {score:.2f}")
            yield fifty[step % 50]
            bar.update()


losses = train_next_token(network, batches_with_a_look(800), learning_rate=3e-3)

# %% id="live-figure"
at, live_score, live_loss = torch.tensor(watched).T
phase_curves(
    at.int().tolist(),
    {"loss on the second copy": live_loss},
    {"highest induction score": live_score},
    title="Your own phase change",
)

# %% [markdown]
r"""
**What you should see.** The induction score stays below .1 for the first hundred steps, later climbs
steeply, and the loss on the second copy falls as it rises. (Rounding differs between machines, and with it the
step at which it happens. If it has not happened at the end, train for more steps.)

Another seed gives another model: it learns the same, but which head does what is settled by chance. Three such models
come with the course, `induction-2l-b`, `-c` and `-d`. Nobody has told you anything about their heads.
"""

# %% tags=["claim"]
assert live_score[at <= 100].max() < 0.1, "stays below .1 for the first hundred steps"
assert live_score[-1] > 0.5, "later climbs steeply"
_together = torch.corrcoef(torch.stack([live_score, live_loss]))[0, 1]
assert _together < -0.95, "the loss on the second copy falls as it rises"

# %% [markdown] slug="roles"
r"""
Hand in a dictionary with four keys. By the name of each of the three models, a dictionary with three parts:
`{"induction-2l-b": {"heads": {"0.0": (role, zero, another_row), …}, "without": {("0.1", "1.0"): rise, …}, "only":
("0.1", "1.0", rise)}, …}` (these heads are examples). And `"forecasts"`: what will ten models learn that do not exist
yet?

- `"heads"`, a role and two numbers each. The roles, of which the first that fits counts: `"previous"` has a
  previous-token score of more than .5 on blocks, `"induction"` an induction score of more than .5 there;
  `"confidence"` does what head 1.0 of `induction-2l` does (what it writes at the last of 16 words of running text is
  more than five times as long, on average, if this word does not fit as if it does); `"text"`: the loss on running text
  rises by more than .1 nats when its `z` is zero; `"idle"` is what is left. The numbers: by how much the loss on the
  second copy rises (blocks of 30 words; the first word of the copy is not counted) when the head's `z` is set to zero,
  and when it is what it is in another row of blocks, at the same position.
- `"without"`: the pairs of heads that do **not** add up, with the rise when both are set to zero. All 28 pairs of each
  model are marked. One adds up if the rise is within 0.3 nats of the sum of the two heads' rises; of a pair that you
  leave out we take the sum of your two.
- `"only"`: the two heads with which the loss on the second copy is lowest when the `z` of all six others is zero (the
  embeddings and the last LayerNorm stay), and the rise against the whole model that is left then.

- `"forecasts"`: for each of the settings below four probabilities, in the order `"after"`, `"before"`, `"place"`,
  `"none"`, or a dict from these words: `{"two layers": {"after": 0.5, "none": 0.5}, …}`.

The ten are small: attention only, as ours, with 32 dimensions, two heads in a layer, learned positions, LayerNorm. The
check trains them anew at every try, from its own seeds (16 rows in a step, Adam at .01, falling to a tenth), on rows of
BOS and 22 of 24 words: a block of words that are all different, then its copies until the row is full. Only words that
the row foretells count in the loss (not the first of a copy). Then each model reads new blocks whose second copy is
**shuffled**. What does it say there, after a word that it has seen? What came **after** this word in the first copy;
what came **before** it; or what stands at the same **place** in the first copy as the word that is due, whatever the
present word is. The rule that has a mean probability of more than 1/2 is the one that it learned; without such a rule
it is **none**. *Smeared* means: to each word's embedding that of the word before it is added, through a matrix of its
own that is learned.

| setting | layers | steps | positions | length of blocks | besides |
|---|---|---|---|---|---|
| two layers | 2 | 700 | yes | each row its own, 5 to 11 | |
| two layers, one length | 2 | 250 | yes | one for all rows and the test, drawn from 7 to 11 | |
| two layers, mostly one length | 2 | 700 | yes | the same in nine of ten rows, else any | |
| two layers, no positions | 2 | 700 | no | each row its own | |
| two layers, one circle | 2 | 250 | yes | each row its own | blocks are cut from one circle of the 24 words |
| one layer, one length | 1 | 250 | yes | one for all | |
| smeared | 1 | 250 | yes | each row its own | |
| smeared, one length | 1 | 250 | yes | one for all | |
| smeared, one length, no positions | 1 | 250 | no | one for all | |
| smeared, backwards | 1 | 250 | yes | each row its own | from the block's end: a b c c b a; only this copy counts |

(In the test blocks are of random words, for all of them, with one length for each model, from 7 to 11: where rows had
one length, or mostly one, it is that.)

Marked on fresh blocks and fresh text; a number is right within 0.15 nats or 20 %. Roles are a tenth of the score: the
share found, role by role, averaged over roles (up to three fifths count nothing, since patterns alone give that
much). The numbers of single heads are another tenth, averaged over heads that matter (more than 0.1) and heads
that do not; `without` is a fifth, averaged over pairs that add up and pairs that do not; in both, half
counts nothing. `only` is a fifth, half of it for the heads (as good as the best two, within 0.3 nats), half for
the rise. `forecasts` are two fifths, by the **Brier score**: the sum over the four of $(q - o)^2$, where $o$ is 1 for
what happened; 0 is what one and the same four numbers for all settings get, 1 is knowing all.
**Nothing passes unless `only` has the right heads in two of the three models, and the forecasts reach .6.** Make your
first try before you train any such model: what you know of heads by now should say it.
"""


# %% tags=["exercise"] slug="roles"
# BEGIN SOLUTION
from itertools import combinations

names_of_siblings = ["induction-2l-b", "induction-2l-c", "induction-2l-d"]
my_blocks = repeated_tokens(words, 64, n_block, bos=0, generator=seeded(11))
my_text = running[64:128, :61]
# One word more, which fits after the last (as in the text) or is drawn from all words.
last = words[torch.randint(180, (len(my_text),), generator=seeded(12))]
broken = torch.cat([my_text[:, :16], last[:, None]], dim=1)


def with_z(name, head, replacement):
    """A hook that puts something in the place of one head's z."""

    def hook(z, hook):
        z = z.clone()
        z[:, :, head] = replacement
        return z

    return [(name, hook)]


def losses_with(other, hooks):
    """The losses on the second copy and on running text."""
    with torch.no_grad(), other.hooks(fwd_hooks=hooks):
        copying = lab.second_copy_loss(
            per_position_loss(other(my_blocks), my_blocks), n_block
        ).item()
        reading = per_position_loss(other(my_text), my_text)[:, 1:].mean().item()
    return copying, reading


def role_of(previous, induction, jump, on_text):
    """From four measurements to a word."""
    if previous > 0.5:
        return "previous"
    if induction > 0.5:
        return "induction"
    if jump > 5:
        return "confidence"
    return "text" if on_text > 0.1 else "idle"


def table_of(other):
    """A row per head: the role, and the two rises."""
    copying, reading = losses_with(other, [])
    found = lab.head_scores(other, my_blocks, n_block)
    table = {}
    for layer in range(2):
        name = f"blocks.{layer}.attn.hook_z"
        with torch.no_grad():
            z = other.run_with_cache(my_blocks, names_filter=name)[1][name]
            z_broken = other.run_with_cache(broken, names_filter=name)[1][name]
        for head in range(4):
            zero, on_text = losses_with(other, with_z(name, head, 0.0))
            with torch.no_grad():
                hooks = with_z(name, head, z[:, :, head].roll(1, dims=0))
                with other.hooks(fwd_hooks=hooks):
                    swapped = lab.second_copy_loss(
                        per_position_loss(other(my_blocks), my_blocks), n_block
                    ).item()
                length = (z_broken[:, :, head] @ other.W_O[layer, head]).norm(dim=-1)
            jump = (length[:, -1].mean() / length[:, 4:-1].mean()).item()
            role = role_of(
                found.previous[layer, head],
                found.induction[layer, head],
                jump,
                on_text - reading,
            )
            table[f"{layer}.{head}"] = (
                role,
                round(zero - copying, 2),
                round(swapped - copying, 2),
            )
    return table


siblings = {name: open_specimen(name, device="cpu") for name in names_of_siblings}
tables = {name: table_of(other) for name, other in siblings.items()}
for name, table in tables.items():
    print(name)
    for head, (role, zero, another_row) in table.items():
        print(f"   {head}  {role:<11}{zero:7.2f}{another_row:7.2f}")


# One by one is half of the story: every pair out, and every pair left alone.
def rise_without(other, heads, also=()):
    """The loss on the second copy with some heads silent, minus the loss with all of them; top-1 accuracy."""
    hooks = [
        hook
        for head in heads
        for hook in with_z(f"blocks.{head[0]}.attn.hook_z", int(head[2]), 0.0)
    ]
    few = my_blocks[:32]
    with torch.no_grad():
        before = lab.second_copy_loss(per_position_loss(other(few), few), n_block)
        with other.hooks(fwd_hooks=hooks):
            logits = other(few)
    loss = lab.second_copy_loss(per_position_loss(logits, few), n_block)
    said = logits[:, n_block + 1 : -1].argmax(dim=-1)
    return (loss - before).item(), (said == few[:, n_block + 2 :]).float().mean().item()


all_heads = [f"{layer}.{head}" for layer in range(2) for head in range(4)]
handed_in, pairs_out, pairs_left, still_first = {}, {}, {}, {}
for name, other in siblings.items():
    pairs_out[name], pairs_left[name] = {}, {}
    for pair in combinations(all_heads, 2):
        rest = [head for head in all_heads if head not in pair]
        pairs_out[name][pair] = round(rise_without(other, pair)[0], 2)
        pairs_left[name][pair] = round(rise_without(other, rest)[0], 2)
    best_two = min(pairs_left[name], key=pairs_left[name].get)
    not_sums = {
        pair: rise
        for pair, rise in pairs_out[name].items()
        if abs(rise - sum(tables[name][head][1] for head in pair)) > 0.15
    }
    handed_in[name] = {
        "heads": tables[name],
        "without": not_sums,
        "only": (*best_two, pairs_left[name][best_two]),
    }
    print(f"{name}: only {best_two} {pairs_left[name][best_two]:.2f}; two that heal:")
    for pair, rise in not_sums.items():
        costlier = max(tables[name][head][1] for head in pair)
        if rise < costlier - 0.3:
            print(f"   {pair}: {rise:.2f}, and one alone {costlier:.2f}")

# Wrong, or only unsure? How often is the right word still the first guess?
for heads in (["1.1"], ["1.1", "1.2", "1.3"], ["1.0"]):
    rise_here, right = rise_without(siblings["induction-2l-b"], heads)
    still_first[tuple(heads)] = rise_here, right
    print(f"induction-2l-b without {heads}: {rise_here:.2f} nats, {right:.0%} right")

# What will be learned? Two questions to each: can the rule be followed at all, and is there a simpler one that does
# as well on these copies? "after" takes a key that knows the word before its own; "place" takes positions alone.
handed_in["forecasts"] = {
    # The chapter's story.
    "two layers": {"after": 0.9, "none": 0.1},
    # One head that looks n - 1 places back does it. Who has that is never asked for more.
    "two layers, one length": {"place": 0.95, "after": 0.05},
    # The rest of the rows asks for more, but little, and late.
    "two layers, mostly one length": {"place": 0.7, "after": 0.2, "none": 0.1},
    # The head below finds the word before by its place. Without places that is hard, and hardly found in time.
    "two layers, no positions": {"none": 0.85, "after": 0.15},
    # What comes after a word is the same in all rows: to be learned by heart, and of no use for other blocks.
    "two layers, one circle": {"none": 0.95, "after": 0.05},
    # One layer cannot do induction. Nobody asks it to.
    "one layer, one length": {"place": 0.95, "none": 0.05},
    # The key knows the word before its own: that is all the first layer was for.
    "smeared": {"after": 0.95, "none": 0.05},
    # Both can be done in one layer. "place" need not compare words.
    "smeared, one length": {"place": 0.7, "after": 0.3},
    # No places, so only words are left to go by.
    "smeared, one length, no positions": {"after": 0.9, "none": 0.1},
    # Look where the word itself stood, and say the one that was smeared into it.
    "smeared, backwards": {"before": 0.85, "none": 0.15},
}
# END SOLUTION
head_roles = handed_in  # SOLUTION

# %% tags=["check"]
check("roles", head_roles)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

(Our answer is marked excellent.) Every one of the three models has one previous-token head, in
layer 0; two induction heads or three; and one confidence head or two, in layer 1. So the head that the two-head
story leaves out is no accident of one seed. The rest of layer 0 reads text, or does nothing that we can see.

The two numbers of a head often disagree, and each time it says something. A confidence head: much by zero, nothing by
another row's output, since it says the same in all rows. Head 1.0 of `induction-2l-b`, an induction head: 1.6 by
zero, 5 by another row's, which is worse than silence: it names another row's words. And the previous-token head costs
most both ways, in all three.

One by one, head 1.1 of `induction-2l-b` is the costliest of its layer: 3 nats. Yet without it the right word is still
the first guess in 96 %. What is lost is not the copy but the model's *confidence* in it: 1.1 and the confidence heads
balance each other along one direction, and the last LayerNorm sees what is left over. Silence 1.1 **and** both
confidence heads, and the rise is .3. Head 1.0 is the other way round: it costs less, and without it 39 % of the words
are wrong. So of two heads left alone the cheaper one copies: with 0.1 and 1.0 the rise is .5, with 0.1 and 1.1 it is
4.3. In `induction-2l-d` it is the same, in `-c` the costliest induction head is also the one to keep. A table of single
ablations has one number per head, and what a head does to others is in none of them. (Wang et al. 2022 met the
opposite in GPT-2 small: heads that begin to work when others are gone.)

And the ten that do not exist yet? Who goes by the number of layers says “after” for two and “none” for one, and is
wrong in nearly all. The number of layers is not what counts: a layer *below* is one way to give a key the word before
its own. Smear that word into it, and one layer does induction (Olsson et al. 2022 smeared keys, and models of one layer
had it). Take the positions away, and the head below hardly finds it. And a rule is learned where the data ask for it:
with one block length a head that goes by places does as well, so nothing else comes about, in one layer or in two; with
blocks from one circle pairs of words do as well, and what was learned is worth nothing elsewhere. Above each of our
numbers stands the reason for it. Where two rules can be had, ours are modest.

</details>

## On the real thing

The same detectors on models that were trained on other text. `atlas` is the course's larger specimen;
GPT-2 small has 12 layers of 12 heads and is fetched if this machine can (about 550 MB, once). The tokens
are drawn at random from their vocabularies, so nothing but induction can predict the second copy.
"""

# %% tags=["claim"]
_b = "induction-2l-b"
assert max(tables[_b], key=lambda _h: (_h[0], tables[_b][_h][1])) == "1.1", (
    "head 1.1 of `induction-2l-b` is the costliest of its layer"
)
assert abs(still_first[("1.1",)][0] - 3) < 0.2, "3 nats"
assert round(100 * still_first[("1.1",)][1]) == 96, (
    "without it the right word is still the first guess in 96 %"
)
assert abs(still_first[("1.1", "1.2", "1.3")][0] - 0.3) < 0.1, "and the rise is .3"
assert round(100 * still_first[("1.0",)][1]) == 61, (
    "it costs less, and without it 39 % of the words are wrong"
)
assert abs(pairs_left[_b][("0.1", "1.0")] - 0.5) < 0.1, (
    "with 0.1 and 1.0 the rise is .5"
)
assert abs(pairs_left[_b][("0.1", "1.1")] - 4.3) < 0.15, "with 0.1 and 1.1 it is 4.3"
for _name, _table in tables.items():
    _heard = [_h for _h, _entry in _table.items() if _entry[0] == "induction"]
    _costliest = max(_heard, key=lambda _h: _table[_h][1])
    _kept = handed_in[_name]["only"][1]
    assert (_kept == _costliest) == (_name == "induction-2l-c"), (
        "In `induction-2l-d` it is the same, in `-c` the costliest induction head is also the one to keep."
    )
for _table in tables.values():
    _roles = {
        _role: [_h for _h, _entry in _table.items() if _entry[0] == _role]
        for _role in ("previous", "induction", "confidence", "text", "idle")
    }
    assert [_h[0] for _h in _roles["previous"]] == ["0"], (
        "has one previous-token head, in layer 0"
    )
    assert len(_roles["induction"]) in (2, 3), "two induction heads or three"
    assert len(_roles["confidence"]) in (1, 2), "one confidence head or two, in layer 1"
    assert {_h[0] for _h in _roles["confidence"]} == {"1"}, (
        "one confidence head or two, in layer 1"
    )
    assert {_h[0] for _h in _roles["text"] + _roles["idle"]} == {"0"}, (
        "The rest of layer 0 reads text, or does nothing that we can see."
    )
    for _h in _roles["confidence"]:
        assert _table[_h][1] > 0.4 and _table[_h][2] < 0.02, (
            "much by zero, nothing by another row's output"
        )
    for _which in (1, 2):
        assert (
            max(_table, key=lambda _h: _table[_h][_which]) == _roles["previous"][0]
        ), "the previous-token head costs most both ways, in all three"
assert abs(tables["induction-2l-b"]["1.0"][1] - 1.6) < 0.05, "1.6 by zero"
assert abs(tables["induction-2l-b"]["1.0"][2] - 5) < 0.25, "5 by another row's"

# %% id="on-the-real-thing"
from mi_tutor.specimens import SpecimenError

for name, first_id in [("atlas", 100), ("gpt2", 1000)]:
    try:
        real = open_specimen(name, device="cpu")
    except SpecimenError as error:
        print(error)
        continue
    ids = torch.arange(first_id, min(real.cfg.d_vocab, 20_000))
    text = repeated_tokens(
        ids, 8, 40, bos=real.tokenizer.bos_token_id, generator=seeded(0)
    )
    with torch.no_grad():
        real_loss = per_position_loss(real(text), text)
    first, second = real_loss[:, :40].mean(), lab.second_copy_loss(real_loss, 40)
    print(f"{name}: loss {first:.2f} on the first copy, {second:.2f} on the second")
    found = lab.head_scores(real, text, 40)
    for kind, grid in [("induction", found.induction), ("previous", found.previous)]:
        best = grid.flatten().topk(3)
        shown = [
            f"{i // real.cfg.n_heads}.{i % real.cfg.n_heads} {score:.2f}"
            for i, score in zip(
                best.indices.tolist(), best.values.tolist(), strict=True
            )
        ]
        print(f"    {kind:<10} heads:", ", ".join(shown))

# %% [markdown]
r"""
In `atlas` two heads of layer 1 look at the previous token more than half of the time, and two later heads look where
induction looks, in two different layers. In language models it is more: several of each kind, and heads that do
something near it (continue after a *similar* token, or look at the earlier copy itself: **duplicate-token heads**, of
which `induction-2l` and `atlas` have none and GPT-2 small has some, Wang et al. 2022). Your detectors find the
candidates, and the rest of this chapter is how to find out what depends on them.

## Common misreadings

- **"An induction head attends to the earlier copy."** To the token **after** it.
- **"The induction head does induction."** It does the second half. Without a previous-token head below it,
  it finds nothing.
- **"A high score means that the model needs the head."** A score says where it looks. The head that copying
  needs most has an induction score of 0.
- **"Removing it costs much, so it does the work."** What costs may be the hole that you made. Ask what else could
  stand in its place, and whether that costs as much.
- **"Removing it does little, so it does little."** Its neighbours may do the same. Remove them together.
- **"K-composition above random proves a circuit."** It is a lead. Another pair scored far above
  random too, and copying did not need it.
- **"In-context learning is induction."** Induction is one way to use the context, with a sharp
  signature; larger models have more.
- **"A bigger one-layer model would do it."** Not with an induction head: no key of a first layer knows what came
  before it. Any other way takes a model that is exponentially larger (Sanford et al. 2024).

## Recap
"""

# %% tags=["claim"]
_atlas = open_specimen("atlas", device="cpu")
_ids = torch.arange(100, _atlas.cfg.d_vocab)
_text = repeated_tokens(
    _ids, 8, 40, bos=_atlas.tokenizer.bos_token_id, generator=seeded(0)
)
_found = lab.head_scores(_atlas, _text, 40)
_previous, _induction = (
    (_found.previous > 0.5).nonzero(),
    (_found.induction > 0.5).nonzero(),
)
assert _previous[:, 0].tolist() == [1, 1], (
    "two heads of layer 1 look at the previous token more than half of the time"
)
assert len(_induction) == 2, "two later heads look where induction looks"
assert _induction[0, 0] != _induction[1, 0] and _induction[:, 0].min() > 1, (
    "in two different layers"
)
assert max(_found.duplicate.max(), scores.duplicate.max()) < 0.05, (
    "of which `induction-2l` and `atlas` have none"
)
assert scores.induction[0, prev] < 0.005, (
    "copying needs most has an induction score of 0"
)

# %% tags=["quiz"]
quiz("recap-circuit", "c")

# %% [markdown]
r"""
Can you say these without looking? On which diagonal each kind of head puts its weight. Why the first word
of the second copy cannot be predicted. Through which input the previous-token head reaches the induction
head, and the experiment that shows it. What a copying score and a composition score say, and what they do
not. Why two layers are the least. What would convince you that a change in training is abrupt.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*. QK and OV, composition, and
  induction heads in two-layer models: the source of sections 1 to 4.
- Olsson et al. 2022, *In-context Learning and Induction Heads*. The phase change, in models of many sizes,
  and how far the evidence carries.
- Reddy 2024, *The Mechanistic Basis of Data Dependence and Abrupt Learning in an In-Context Classification
  Task*. Which data bring induction about, and why it comes at once.
- Singh et al. 2024, *What Needs to Go Right for an Induction Head?* Parts of the circuit held fixed during
  training: the experiments that curves cannot replace.
- Edelman et al. 2024, *The Evolution of Statistical Induction Heads*. The phases on the way, on Markov chains.
- Sanford, Hsu and Telgarsky 2024, *One-layer transformers fail to solve the induction heads task*. A proof:
  one layer would have to be exponentially larger than two.
- Wang et al. 2022, *Interpretability in the Wild*. Where previous-token and induction heads turn up again,
  inside a larger circuit of GPT-2 small.
"""
