# %% [markdown] minutes=50
r"""
# 00 · Start here

How this course works, and a first look inside a language model: read it, take it apart, change it.

## What you will be able to do

- use an exercise, a check, a hint, a quick check and the progress bar
- read shapes such as `batch pos d_model`, einops expressions and jaxtyping annotations
- open a small language model, and look at its tokens, its predictions and its inner values
- say what the residual stream is, and rebuild it from its parts
- take one attention head out with a hook, and measure what that changes

You need Python and basic PyTorch. Run the cells from top to bottom with Shift + Enter.
"""

# %% tags=["setup"]
import torch
from einops import einsum, rearrange, reduce
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz
from mi_tutor.lab.reading import head_effects
from mi_tutor.specimens import encode, open_specimen

# %% [markdown]
r"""
## How an exercise works

An exercise asks you for one function. The cell stops with `NotImplementedError` until you replace that
line with your code. The cell below it is the **check**: it runs your function on inputs that it makes up
and says what is right, what is not, and why. It knows many mistakes by name, so read what it says: it is
meant for you.

- `hint("top-tokens")` gives a nudge, and a little more each time you call it.
- Trying costs nothing. Nobody counts your attempts.
- What you passed is remembered on this machine; `progress()` at the end of a chapter shows it.
- The finished chapters are in `solutions/`. Look there after you have tried.

Everything you write here also exists in the package (`mi_tutor.lab`), written to be read. Later chapters
import it from there.

## Shapes

In this field you spend half of your time on shapes, so we name the axes. `[batch pos d_model]` means
three axes: which prompt, which position (token) in it, and the model's internal vector. Two libraries
let code say the same thing:

- **jaxtyping** writes the shape into the signature, `Float[Tensor, "batch pos d_model"]`: a note to the
  reader, which nothing checks while you work here;
- **einops** writes operations with named axes: left of the arrow is what
  goes in, right of it what comes out.
"""

# %% id="einops-in-three-lines"
activations = torch.arange(24.0).reshape(2, 3, 4)  # [batch pos d_model]
W = torch.ones(4, 5)  # some weights, [d_model d_mlp]

# the mean over positions
print(reduce(activations, "batch pos d_model -> batch d_model", "mean").shape)
# all positions of all prompts in one long list
print(rearrange(activations, "batch pos d_model -> (batch pos) d_model").shape)
# a matrix product
print(
    einsum(activations, W, "batch pos d_model, d_model d_mlp -> batch pos d_mlp").shape
)

# %% [markdown]
r"""
Here is your first **quick check**. Click an option and read what it says; all options have something to
tell you. To keep the answer in the notebook (so that Run All goes on, and a grader can read it) put its
letter in place of the question mark. The red “not answered yet” is meant: it stops Run All until you
have answered.
"""

# %% tags=["quiz"]
quiz("read-a-shape", "a")

# %% [markdown]
r"""
## A model you can hold in your hand

A **specimen** is a small trained model that ships with the course. This one, `primer`, is shaped like
GPT-2, with 2 layers and 116 thousand parameters. It knows 188 words and a few kinds of sentence. (Its
card says how it was made and what it can and cannot do: `mi_tutor/specimens/shelf/primer/card.md` in the
repository.) We open it as a TransformerLens `TransformerBridge`, which lets us watch and change
everything that happens inside. The same call opens the real GPT-2, at the end of this chapter.
"""

# %% id="open-the-model"
model = open_specimen("primer", device="cpu")
prompt = "When Mary and John went to the store, John gave a drink to"
tokens = encode(model, prompt)  # [batch pos]

print("tokens:", model.to_str_tokens(tokens))
print("shape:", list(tokens.shape), "  ids:", tokens[0].tolist())

# %% [markdown]
r"""
A model never sees text. It sees **tokens**: pieces of text, each with a number, its id. The first,
`<|endoftext|>`, marks the beginning (GPT-2 uses one token for the border between two texts, hence the
name). Words inside a sentence bring their leading space along, so `" Mary"` and `"Mary"` are different
tokens.

Run the model, and it gives **logits**: at every position, one score for every token of the vocabulary.
The higher the score, the likelier that token comes *next*; a softmax turns scores into probabilities.
`run_with_cache` also keeps the values that were computed on the way.
"""

# %% id="run-the-model"
with torch.no_grad():
    logits, cache = model.run_with_cache(tokens)
print("logits:", list(logits.shape), " = batch pos vocab")

# %% [markdown] slug="top-tokens"
r"""
What does the model say comes next? Given the logits of **one** prompt (`[pos vocab]`, no batch axis),
return the ids of the `k` most likely tokens **after the whole prompt**, most likely first.
"""


# %% tags=["exercise"] slug="top-tokens"
def top_tokens(logits: Float[Tensor, "pos vocab"], k: int) -> Int[Tensor, "k"]:
    """The ids of the k most likely next tokens, most likely first."""
    # BEGIN SOLUTION
    return logits[-1].topk(k).indices
    # END SOLUTION


# %% tags=["check"]
check("top-tokens", top_tokens)

# %% id="what-comes-next"
probabilities = logits[0, -1].softmax(dim=-1)
print(prompt, "…")
for token in top_tokens(logits[0], k=5):
    print(f"{probabilities[token]:6.1%}  {model.to_string(token)!r}")

# %% [markdown]
r"""
**What you should see.** `' Mary'`, at more than 90 %. The model names *who receives the drink*: not John,
who gives it, but the other person. How does it know? Two blocks, each with four attention heads and an
MLP: the answer is in there, and you can look.
"""

# %% tags=["claim"]
_mary = model.to_single_token(" Mary")
assert probabilities[_mary] > 0.9, "`' Mary'`, at more than 90 %"
assert model.cfg.n_layers == 2, "Two blocks, each with four attention heads and an MLP"
assert model.cfg.n_heads == 4, "Two blocks, each with four attention heads and an MLP"
assert model.cfg.d_model == 64, "each position has a vector of `d_model = 64` numbers"
from mi_tutor.specimens import card as _card

assert round(_card("primer").n_parameters, -3) == 116_000, "116 thousand parameters"
assert len(model.tokenizer) == 188, "It knows 188 words"

# %% id="your-own-prompts"
# Yours to change: try "The color of snow is", or other names, or a word it does not know.
my_tokens = encode(model, "The capital of France is")
with torch.no_grad():
    print([model.to_string(token) for token in top_tokens(model(my_tokens)[0], k=3)])

# %% [markdown]
r"""
## The residual stream

Inside, each position has a vector of `d_model = 64` numbers, the **residual stream**. The embedding
writes the first value. Then every block's attention and MLP each read the stream and **add** something
to it. At the end, the logits are read from what has accumulated. (Each reader first normalises its own
copy of the stream with a LayerNorm; the stream itself is not changed by that.)

```
embed + pos_embed ──┬─────────────(+)──┬───────────(+)──┬── … ── logits
                    └─ attention 0 ─┘  └─── MLP 0 ──┘   └─ attention 1 …
```

The cache works like a dictionary of named values. These have axes `[batch pos d_model]` (others have
other axes), and L is the block's number, counted from 0; people say *layer* for block, and so do we:

| name | what it is |
|---|---|
| `hook_embed`, `hook_pos_embed` | what the token and its position write |
| `blocks.L.hook_resid_pre` | the stream that block L reads |
| `blocks.L.hook_attn_out`, `blocks.L.hook_mlp_out` | what block L's attention and MLP add |
| `blocks.L.hook_resid_post` | the stream after block L |
"""

# %% [markdown] slug="read-the-cache"
r"""
Return one vector: the residual stream **before** block `layer`, at position `position`, of the one
prompt in the cache. Shape `[d_model]`.
"""


# %% tags=["exercise"] slug="read-the-cache"
def residual_at(cache, layer: int, position: int) -> Float[Tensor, "d_model"]:
    """The residual stream before a block, at one position."""
    # BEGIN SOLUTION
    return cache[f"blocks.{layer}.hook_resid_pre"][0, position]
    # END SOLUTION


# %% tags=["check"]
check("read-the-cache", residual_at)

# %% [markdown] slug="residual-is-a-sum"
r"""
Now rebuild the **final** stream (what `blocks.{n_layers - 1}.hook_resid_post` holds) from everything
that was written to it, without reading any `resid` entry (the check takes them out): the two embeddings,
and every block's attention and MLP output. Shape `[pos d_model]`: drop the batch axis.
"""


# %% tags=["exercise"] slug="residual-is-a-sum"
def residual_sum(cache, n_layers: int) -> Float[Tensor, "pos d_model"]:
    """embed + pos_embed + Σ_L (attn_out_L + mlp_out_L)."""
    # BEGIN SOLUTION
    stream = cache["hook_embed"] + cache["hook_pos_embed"]
    for layer in range(n_layers):
        for part in ("attn", "mlp"):
            stream = stream + cache[f"blocks.{layer}.hook_{part}_out"]
    return stream[0]
    # END SOLUTION


# %% tags=["check"]
check("residual-is-a-sum", residual_sum)

# %% id="is-it-really-a-sum"
difference = (
    residual_sum(cache, model.cfg.n_layers) - cache["blocks.1.hook_resid_post"][0]
)
print(f"largest difference to the real stream: {difference.abs().max():.0e}")

# %% [markdown]
r"""
A sum, exactly or to rounding: no layer replaces what was there. Much of this field rests on that: we can
ask what each term contributes to the stream, and we can take a term out. (The logits are a sum too, once
the scale of the last LayerNorm is held fixed.)
"""

# %% tags=["claim"]
assert difference.abs().max() < 1e-5, "A sum, exactly or to rounding"

# %% tags=["quiz"]
quiz("channel", "d")

# %% [markdown]
r"""
## Change something

Reading is half of it. To find out what a part is *for*, take it out and see what happens: that is an
**ablation**. The tool is a **hook**, a function that TransformerLens calls with a value in the middle of
the computation. What the hook returns is used from there on. Here is one that changes nothing but tells
what it saw:
"""


# %% id="a-first-hook"
def tell(value, hook):  # the second argument must have this name
    print(hook.name, list(value.shape))
    return value


with torch.no_grad():
    model.run_with_hooks(tokens, fwd_hooks=[("blocks.1.attn.hook_z", tell)])

# %% [markdown]
r"""
The attention of a block is several **heads** side by side. At each position every head gathers a vector
`z` of `d_head` numbers from the positions it attends to; multiplied by the head's output weights it is
what the head adds to the stream. So if `z` is zero, the head adds nothing. You find all heads' `z` at
`blocks.L.attn.hook_z`, with axes `[batch pos head d_head]`.
"""

# %% [markdown] slug="zero-a-head"
r"""
Return the logits of the model when one head's `z` is **zero at all positions**. Leave nothing behind:
after your function, the model must work as before. (`run_with_hooks` and `with
model.hooks(fwd_hooks=[...]):` both take their hooks out again. Inside the hook, change a `.clone()` and
return it.)
"""


# %% tags=["exercise"] slug="zero-a-head"
def zero_head(
    model, tokens: Int[Tensor, "batch pos"], layer: int, head: int
) -> Float[Tensor, "batch pos vocab"]:
    """The logits without one attention head."""

    # BEGIN SOLUTION
    def without_head(z, hook):
        z = z.clone()
        z[:, :, head] = 0.0
        return z

    name = f"blocks.{layer}.attn.hook_z"
    return model.run_with_hooks(tokens, fwd_hooks=[(name, without_head)])
    # END SOLUTION


# %% tags=["check"]
check("zero-a-head", zero_head)

# %% id="without-each-head"
mary, john = model.to_single_token(" Mary"), model.to_single_token(" John")
print("                     change of the logit of")
print("without               ' Mary'    ' John'    first guess")
for layer in range(model.cfg.n_layers):
    for head in range(model.cfg.n_heads):
        with torch.no_grad():
            changed = zero_head(model, tokens, layer, head)
        change = changed[0, -1] - logits[0, -1]
        guess = model.to_string(top_tokens(changed[0], k=1)[0])
        print(
            f"layer {layer}, head {head}      {change[mary]:+6.2f}     {change[john]:+6.2f}    {guess!r}"
        )

# %% [markdown] slug="strongest-head"
r"""
Without which head does the logit of `" Mary"` fall most? Give it as a pair `(layer, head)`.
"""

# %% tags=["exercise"] slug="strongest-head"
strongest = (1, 0)  # SOLUTION

# %% tags=["check"]
check("strongest-head", strongest)

# %% [markdown]
r"""
**What you should see.** One head stands out by the logit of `' Mary'`: without head 0 of layer 1 both names
fall by more than 12. The model still names *somebody*, but somebody who is not in the story. By the
*difference* between the two names it is another one: without head 2 of layer 0, `' Mary'` falls, `' John'`
rises, and the model names the giver. (Without head 3 of layer 0 `' Mary'` falls nearly as much, but so does
`' John'`, and the first guess stays.)

So which head "matters most" depends on what you measure. The logit of one token and the difference between
two are different questions; chapter 04 comes back to choosing well.

And one story is one story. In ours the receiver is named first and the giver is named last. Is head 2 of
layer 0 needed to tell them apart, or does it only follow that order? A control: other names, and both
orders.
"""

# %% tags=["claim"]
_change = torch.stack(
    [
        (zero_head(model, tokens, _l, _h)[0, -1] - logits[0, -1])[[mary, john]]
        for _l in range(2)
        for _h in range(4)
    ]
).view(2, 4, 2)
_first = [
    zero_head(model, tokens, _l, _h)[0, -1].argmax().item()
    for _l in range(2)
    for _h in range(4)
]
assert _change[1, 0].max() < -12, (
    "without head 0 of layer 1 both names fall by more than 12"
)
assert _change[..., 0].flatten().sort().values[1] > -6, (
    "One head stands out by the logit of `' Mary'`"
)
_somebody = model.to_string(_first[4])
assert _somebody.strip().istitle(), "The model still names *somebody*"
assert _somebody.strip() not in prompt, "somebody who is not in the story"
assert (_change[..., 1] - _change[..., 0]).argmax() == 2, "it is another one"
assert _change[0, 2, 0] < 0 < _change[0, 2, 1], "`' Mary'` falls, `' John'` rises"
assert _first[2] == john, "the model names the giver"
assert 0 < _change[0, 3, 0] - _change[0, 2, 0] < 1, "`' Mary'` falls nearly as much"
assert _change[0, 3, 1] < -4, "but so does `' John'`"
assert _first[3] == mary, "the first guess stays"

# %% id="two-orders"
pairs = [("Mary", "John"), ("Alice", "Henry"), ("Grace", "Jack"), ("Kate", "Felix")]
fates = {}  # (order, layer, head) -> the first guesses without that head
for order in ("receiver first", "giver first"):
    first, second = (0, 1) if order == "receiver first" else (1, 0)
    stories = [
        f"When {pair[first]} and {pair[second]} went to the store, {pair[1]} gave a drink to"
        for pair in pairs
    ]
    many = torch.cat([encode(model, story) for story in stories])
    for layer, head in [(0, 2), (0, 3), (1, 0)]:
        with torch.no_grad():
            ids = zero_head(model, many, layer, head)[:, -1].argmax(dim=-1)
        guesses = [model.to_string(token).strip() for token in ids]
        fates[order, layer, head] = guesses
        right = sum(
            guess == pair[0] for guess, pair in zip(guesses, pairs, strict=True)
        )
        print(f"{order:<15} without {layer}.{head}: {right} of 4 right  {guesses}")

# %% [markdown]
r"""
(`0.2` is short for head 2 of layer 0.) Without 1.0 no answer is right in either order, and no guess is
from its own story. Without 0.2 the four answers are wrong if the receiver is named first; named last, three
of the four survive. So "0.2 tells the receiver from the giver" was too much: without it every guess from the
story is the person named second, and that is right in one order and wrong in the other. Whether anything else
tells the two apart, this does not show. An ablation says what a part was needed for *on the prompts you tried*,
and *how* it does it, it does not say at all.

## Where heads look

Where do heads look when the answer is due? Their **attention pattern** tells (`attn.hook_pattern`, axes
`[batch head query key]`): the weight with which the position that asks, the query, reads each position
up to and including itself, the keys. The weights of one query sum to 1.
"""

# %% tags=["claim"]
for _order in ("receiver first", "giver first"):
    for _guess, _pair in zip(fates[_order, 1, 0], pairs, strict=True):
        assert _guess not in _pair, "Without 1.0 no answer is right in either order"
_kept = {
    _order: sum(g == p[0] for g, p in zip(fates[_order, 0, 2], pairs, strict=True))
    for _order in ("receiver first", "giver first")
}
assert _kept["receiver first"] == 0, (
    "the four answers are wrong if the receiver is named first"
)
assert _kept["giver first"] == 3, "named last, three of the four survive"
_second = {
    "receiver first": 1,
    "giver first": 0,
}  # who is named second: receiver 0, giver 1
for _order, _which in _second.items():
    for _guess, _pair in zip(fates[_order, 0, 2], pairs, strict=True):
        assert _guess not in _pair or _guess == _pair[_which], (
            "every guess from the story is the person named second"
        )

# %% id="where-heads-look"
words = model.to_str_tokens(tokens)
for layer in range(2):
    for head in range(4):
        weights = cache[f"blocks.{layer}.attn.hook_pattern"][0, head, -1]
        most = [f"{weights[k]:.2f} {words[k]!r}" for k in weights.topk(2).indices]
        print(f"layer {layer}, head {head} looks at   {',   '.join(most)}")

# %% [markdown]
r"""
## An intervention that fails

The head that brings up the people looks at `' went'`, which is nobody's name. Of all eight, the head that looks most
at `' Mary'` is head 3 of layer 1. If looking at the answer were what counts, taking *that* head out should hurt most.
Try:
"""

# %% tags=["claim"]
_pattern = [cache[f"blocks.{_l}.attn.hook_pattern"][0, :, -1] for _l in range(2)]
assert words[_pattern[1][0].argmax()] == " went", (
    "The head that brings up the people looks at `' went'`"
)
_at_mary = torch.stack(_pattern)[..., words.index(" Mary")]
assert _at_mary.argmax() == 7, (
    "the head that looks most at `' Mary'` is head 3 of layer 1"
)

# %% id="the-head-that-looks-at-the-answer"
print(f"intact: P(' Mary') = {logits[0, -1].softmax(dim=-1)[mary]:.1%}")
for layer, head in [(1, 3), (1, 0)]:
    with torch.no_grad():
        changed = zero_head(model, tokens, layer, head)
    probability = changed[0, -1].softmax(dim=-1)[mary]
    print(f"without layer {layer}, head {head}: P(' Mary') = {probability:.1%}")

# %% tags=["claim"]
# The quick check below tells of both outcomes; it is no prose of this source.
with torch.no_grad():
    _without = [zero_head(model, tokens, 1, _h)[0, -1] for _h in (3, 0)]
assert _without[0].argmax() == mary and _without[1].softmax(dim=-1)[mary] < 0.01, "Try:"

# %% tags=["quiz"]
quiz("attention-is-not-importance", "a")

# %% [markdown]
r"""
Can we see that the stream at `' went'` holds the people? Run another story, take its stream at that one
position, and put it into ours. (That is *activation patching*, and chapter 04 is about it.)
"""

# %% id="what-went-knows"
went, went_guesses = words.index(" went"), []
for other in ("Alice and Henry", "Grace and Jack"):
    first, second = other.split(" and ")
    story = prompt.replace("Mary", first).replace("John", second)
    with torch.no_grad():
        _, other_cache = model.run_with_cache(encode(model, story))

    def put_in(stream, hook, source=other_cache):
        stream = stream.clone()
        stream[:, went] = source["blocks.1.hook_resid_pre"][:, went]
        return stream

    hooks = [("blocks.1.hook_resid_pre", put_in)]
    with torch.no_grad():
        patched = model.run_with_hooks(tokens, fwd_hooks=hooks)
    guess = model.to_string(top_tokens(patched[0], k=1)[0])
    went_guesses.append((guess.strip(), other))
    print(f"our story with the stream at ' went' from {other}'s: {guess!r}")

# %% [markdown]
r"""
One position of one layer, and the answer is somebody from the other story. Back to the ablation that did
hurt: what does it show? Less than one would like.
"""

# %% tags=["claim"]
for _guess, _story in went_guesses:
    assert _guess in _story, "the answer is somebody from the other story"

# %% tags=["quiz"]
quiz("what-an-ablation-shows", "c")

# %% [markdown]
r"""
## On the real thing

The same lines run on GPT-2 small, with 12 layers of 12 heads (`head_effects` is your loop, as the
package has it), if this machine can fetch it (about 550 MB, once). Without a network you get one line
that says so, and nothing in the course depends on it.
"""

# %% id="on-the-real-thing"
from mi_tutor.specimens import SpecimenError

try:
    gpt2 = open_specimen("gpt2")
    story = encode(gpt2, prompt)
    effects = head_effects(gpt2, story, gpt2.to_single_token(" Mary"))
    for index in effects.flatten().argsort()[:3].tolist():
        layer, head = divmod(index, gpt2.cfg.n_heads)
        change = effects[layer, head]
        print(
            f"GPT-2 without layer {layer}, head {head}: logit of ' Mary' {change:+.2f}"
        )
except SpecimenError as error:
    print(error)

# %% [markdown]
r"""
## Common misreadings

- **"Attention shows what matters."** It shows where a head reads. Whether what it writes matters, an
  intervention tells.
- **"Each layer replaces the last one's output."** Each adds to a shared stream.
- **"Head 0 of layer 1 knows Mary."** In both orders and with four pairs of names no answer survived without
  it: it is not about one name.
- **"A component that can be removed without harm does nothing."** Others may do the same job. Chapter 04
  comes back to that.

## Recap

Tokens in, logits out, and in between one stream per position that every part reads and adds to. A cache
shows the values, a hook changes them, and the difference in the logits is the measure. With these three
you can ask any question in this course.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*. Where the residual stream
  became a channel.
- Wang et al. 2022, *Interpretability in the Wild*. The story about Mary and John, largely explained in
  GPT-2 small: 26 heads in 7 classes.
"""
