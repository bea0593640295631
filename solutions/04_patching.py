# %% [markdown] minutes=345
r"""
# 04 · Patching

Find out which parts of a model an answer depends on, by exchanging activations between two runs, and know
when each method misleads.

## What you will be able to do

- design pairs of prompts and a metric that ask one question
- localise a computation with the logit lens, direct logit attribution and activation patching
- patch in both directions, and say which one shows what is enough and which what is needed
- estimate all patches from one gradient, find where the estimate is wrong, and repair it
- follow one connection between two heads
- choose between zero, mean and resample ablation
- tell what can be read from what is used

You need chapter 00 (hooks, the residual stream). What is marked optional (paths between heads, a circuit, four
experiments to referee) can come later or be left out: nothing else rests on it.
"""

# %% tags=["setup"]
import random
from itertools import combinations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import patching as lab
from mi_tutor.lab.ground import (
    Site,
    capture,
    pair_batch,
    pair_batches,
    prefers,
    residual_part_names,
    seeded,
)
from mi_tutor.specimens import SpecimenError, open_specimen
from mi_tutor.specimens.atlas import (
    NAMES,
    Geography,
    pair_is_held_out,
    question_pairs,
    stories_about,
    stories_of_strangers,
    story_pairs,
)
from mi_tutor.specimens.atlas import chosen as chosen_questions

# %% [markdown]
r"""
## Two runs, one exchange

"When Mary and John went to the store, John gave a drink to" … Mary. To answer, a model has to find out who
gives, and say the other one. Where does it do that? Reading its activations tells what is *there*. What the
answer *depends* on, you find out by changing something, as little as possible, and looking at the answer:

```
clean      When Mary and John went to the store, John gave a drink to → Mary
                                                  │
                          take ONE activation from here …
                                                  ▼
corrupted  When Mary and John went to the store, Mary gave a drink to → John … or Mary?
```

If one activation from the clean run turns the corrupted run's answer round, that place carries what
makes the difference. This is **activation patching** (also causal tracing, or interchange intervention).

Our specimen is `atlas`, a GPT-2 with 5 layers of 4 heads. It was trained on stories like this, among many
other things, but some pairs of people never met in its training. Those are the stories we use.
"""

# %% id="open-atlas"
model = open_specimen("atlas", device="cpu")
n_layers, n_heads = model.cfg.n_layers, model.cfg.n_heads

story = " When Mary and John went to the store, John gave a drink to"
with torch.no_grad():
    chances = model(model.to_tokens(story))[0, -1].softmax(dim=-1).topk(3)
for chance, token in zip(*chances, strict=True):
    print(f"{chance:7.2%}  {model.to_string(token)!r}")

# %% [markdown]
r"""
## One number per prompt

A patching experiment asks how much an answer changed, so we need a number. The usual one is the **logit
difference** (Wang et al. 2022), of the right answer and of the answer that the *other* prompt would have:

$$m = \text{logit}(\text{answer}) - \text{logit}(\text{wrong})$$

It is the log of how many times likelier the answer is than its rival.
"""

# %% [markdown] slug="logit-diff"
r"""
Given logits `[pair pos vocab]` and for each pair the id of its answer and of its wrong token, return the
logit difference after the whole prompt, one number per pair: `[pair]`.
"""


# %% tags=["exercise"] slug="logit-diff"
def logit_difference(
    logits: Float[Tensor, "pair pos vocab"],
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
) -> Float[Tensor, "pair"]:
    """logit(answer) - logit(wrong) at the last position."""
    # BEGIN SOLUTION
    last = logits[:, -1]
    pairs = torch.arange(len(last))
    return last[pairs, answers] - last[pairs, wrongs]
    # END SOLUTION


# %% tags=["check"]
check("logit-diff", logit_difference)

# %% tags=["quiz"]
quiz("why-logit-difference", "a")

# %% [markdown]
r"""
A logit difference of 5 is much in one model and little in another. So one puts it on a scale: 0 is the
corrupted run, 1 the clean run.

$$\text{recovered} = \frac{m_\text{patched} - m_\text{corrupted}}{m_\text{clean} - m_\text{corrupted}}$$
"""

# %% [markdown] slug="recovered"
r"""
Return the recovered share. `value` may have any shape; the other two are single numbers. Below 0 and above 1
are possible and should stay visible.
"""


# %% tags=["exercise"] slug="recovered"
def recovered(
    value: Float[Tensor, "*any"],
    clean: Float[Tensor, ""],
    corrupted: Float[Tensor, ""],
) -> Float[Tensor, "*any"]:
    """0 where value is the corrupted run's, 1 where it is the clean run's."""
    # BEGIN SOLUTION
    return (value - corrupted) / (clean - corrupted)
    # END SOLUTION


# %% tags=["check"]
check("recovered", recovered)

# %% [markdown]
r"""
## A pair that asks one question

What differs between the two runs is what the experiment is about. Two things are needed of a pair:

1. **Aligned**: the same number of tokens, so that position 9 means the same in both. Words do not show this;
   tokens do.
2. **Minimal**: one thing changes, and the right answer with it.
"""

# %% [markdown] slug="aligned"
r"""
Return the positions at which two prompts have different tokens, as a list (empty if they are equal).
Position 0 is BOS. If they have different *numbers* of tokens, return `None`: nothing can be said position by
position.
"""


# %% tags=["exercise"] slug="aligned"
def differing_positions(model, clean: str, corrupted: str) -> list[int] | None:
    """Where two prompts differ, token by token."""
    # BEGIN SOLUTION
    one, other = (model.to_tokens(text)[0].tolist() for text in (clean, corrupted))
    if len(one) != len(other):
        return None
    return [i for i in range(len(one)) if one[i] != other[i]]
    # END SOLUTION


# %% tags=["check"]
check("aligned", differing_positions)

# %% [markdown] slug="design-a-pair"
r"""
We want to know **how the model finds out who of the two receives**. The clean prompt is `story` from above.
Which of these is the corrupted prompt to choose? Give its letter.
"""

# %% id="candidates"
candidates = {
    "a": " When Anna and Oscar went to the store, Oscar gave a drink to",
    "b": " When Mary and John went to the store, John handed a drink to",
    "c": " Mary and John went to the store, Mary gave a drink to",
    "d": " When Mary and John went to the store, Mary gave a drink to",
    "e": " drink Mary the to went and store John gave, a to When John",
}
for letter, text in candidates.items():
    with torch.no_grad():
        guess = model.to_string(model(model.to_tokens(text))[0, -1].argmax())
    print(letter, differing_positions(model, story, text), repr(guess))

# %% tags=["exercise"] slug="design-a-pair"
chosen = "d"  # SOLUTION

# %% tags=["check"]
check("design-a-pair", chosen)

# %% [markdown]
r"""
Another way to corrupt a prompt is noise on the names' embeddings (Meng et al. 2022; pairs are older: Vig et
al. 2020, Geiger et al. 2020). Look what that does to the question that our metric asks:
"""

# %% id="corrupted-by-noise"
mary, john = (model.to_single_token(name) for name in (" Mary", " John"))
tokens = model.to_tokens(story)
names_at = [i for i in range(tokens.shape[1]) if int(tokens[0, i]) in (mary, john)]
scale = model.W_E.std().item()


def add_noise(embedded, hook, strength, seed):
    embedded = embedded.clone()
    noisy = torch.randn(len(names_at), embedded.shape[-1], generator=seeded(seed))
    embedded[0, names_at] += strength * scale * noisy
    return embedded


for strength in (1, 3, 10):
    differences, guesses = [], []
    for seed in range(5):
        hooks = [
            ("hook_embed", lambda x, hook, at=(strength, seed): add_noise(x, hook, *at))
        ]
        with torch.no_grad(), model.hooks(fwd_hooks=hooks):
            logits = model(tokens)
        differences.append((logits[0, -1, mary] - logits[0, -1, john]).item())
        guesses.append(model.to_string(logits[0, -1].argmax()))
    values = ", ".join(f"{value:+.1f}" for value in differences)
    print(f"noise of {strength:>2} embedding deviations: {values}   {guesses}")

# %% tags=["quiz"]
quiz("why-not-noise", "d")

# %% [markdown]
r"""
Now all stories about strangers at once, each giver once the clean one. In one batch all have the same number
of tokens, and the names stand in the same places.
"""

# %% id="all-pairs"
strangers = [pair for pair in combinations(NAMES, 2) if pair_is_held_out(*pair)]
pairs = list(story_pairs(strangers, model.tokenizer, random.Random(0)))
batch = pair_batch(model, pairs)
metric = prefers(batch.answers, batch.wrongs)  # your logit difference: metric(logits)
places = dict(batch.positions)

with torch.no_grad():
    clean_logits, clean_cache = model.run_with_cache(batch.clean)
    corrupted_logits, corrupted_cache = model.run_with_cache(batch.corrupted)
clean_value, corrupted_value = (
    metric(each).mean() for each in (clean_logits, corrupted_logits)
)
right = (clean_logits[:, -1].argmax(dim=-1) == batch.answers).float().mean()
print(
    f"{len(pairs)} pairs, {batch.clean.shape[1]} tokens; answered rightly: {right:.0%}"
)
print(f"logit difference: clean {clean_value:+.2f}, corrupted {corrupted_value:+.2f}")
# Labels for the maps, in one story's words; the other stories have other names, places and gifts.
words = ["<|endoftext|>", "When", "first", "and", "second", "went", "to", "the", "store",
         ",", "giver", "gave", "a", "drink", "to"]  # fmt: skip
print(places)

# %% [markdown]
r"""
## First, read

Two methods need one run only and no intervention. They are cheap and see a part of the truth.

The **logit lens** (nostalgebraist 2020) takes the stream on its way and applies the model's own last step to
it, as if the model stopped there:

$$\text{lens}_\ell = \text{LayerNorm}(x_\ell)\, W_U + b_U$$
"""

# %% [markdown] slug="logit-lens"
r"""
Return the lens's logits at the **last position** for every stream: before layer 0, before layer 1, …, and
after the last layer. Shape `[stream pair vocab]`, with `n_layers + 1` streams. The model's own last two steps
are `model.ln_final` and `model.unembed`.
"""


# %% tags=["exercise"] slug="logit-lens"
def logit_lens(model, cache) -> Float[Tensor, "stream pair vocab"]:
    """The logits at the last position if the model stopped at each stream."""
    # BEGIN SOLUTION
    n_layers = model.cfg.n_layers
    names = [f"blocks.{layer}.hook_resid_pre" for layer in range(n_layers)]
    names.append(f"blocks.{n_layers - 1}.hook_resid_post")
    streams = torch.stack([cache[name][:, -1] for name in names])
    with torch.no_grad():
        return model.unembed(model.ln_final(streams))
    # END SOLUTION


# %% tags=["check"]
check("logit-lens", logit_lens)

# %% id="lens-figure"
lens_rows = logit_lens(model, clean_cache)
for row, logits in enumerate(lens_rows):
    where = f"before layer {row}" if row < n_layers else "after the last"
    value = prefers(batch.answers, batch.wrongs)(logits[:, None]).mean()
    print(f"{where:<16} logit difference {value:+6.2f}")

example = 0
shown = range(places["giver"] - 1, batch.clean.shape[1])
streams = [clean_cache[f"blocks.{layer}.hook_resid_pre"] for layer in range(n_layers)]
streams.append(clean_cache[f"blocks.{n_layers - 1}.hook_resid_post"])
chances = lab.read_out(model, torch.stack(streams)[:, example, shown]).softmax(dim=-1)
best = chances.max(dim=-1)
guesses = [[model.to_string(token) for token in row] for row in best.indices]
example_words = model.to_str_tokens(batch.clean[example])
show.lens_table(best.values, guesses, [example_words[i] for i in shown])

# %% [markdown]
r"""
**What you should see.** In the last column, where the answer is due, the first row that shows it is the one
before layer 3. Above that row stand other words: for this part of the way the lens is dark. Keep that in mind
for the map that patching draws. (The lens reads every layer with the last layer's eyes. The **tuned lens**,
Belrose et al. 2023, learns an affine map for each layer first, and sees earlier. It has to be trained, and
what it sees then is what *its* map makes of the stream.)
"""

# %% tags=["claim"]
_says_mary = [_row[-1] == " Mary" for _row in guesses]
assert _says_mary == [False, False, False, True, True, True], (
    "the first row that shows it is the one before layer 3"
)
assert metric(lens_rows[2][:, None]).mean() < 0.05 * clean_value, (
    "for this part of the way the lens is dark"
)

# %% tags=["quiz"]
quiz("the-lens-is-dark", "b")

# %% [markdown]
r"""
The second method: the final stream is a sum of what all parts wrote (chapter 00). The final LayerNorm
subtracts the mean and divides by one number $\sigma$ per prompt and position. **Hold that number fixed**, and
the logit difference is a sum, too, with one term for each part, up to the biases $b_U$. A part's term is its **direct
logit attribution**. `open_specimen` folds LayerNorm's scale and shift into
$W_U$ and $b_U$ and centres what parts write, so that no mean is left to subtract. (On a model where that was
not done, the same code runs without complaint and is wrong.)
"""

# %% [markdown] slug="direct-logit-attribution"
r"""
Return each part's direct contribution to the logit difference at the **last position**: `[part pair]`, parts
in the order of `residual_part_names(n_layers)` (embed, pos_embed, then attention and MLP of each layer; these
are hook names). The divisor is in the cache: `cache["ln_final.hook_scale"]`, `[pair pos 1]`.
"""


# %% tags=["exercise"] slug="direct-logit-attribution"
def direct_logit_attribution(
    model, cache, answers: Int[Tensor, "pair"], wrongs: Int[Tensor, "pair"]
) -> Float[Tensor, "part pair"]:
    """What each part adds to the logit difference directly."""
    # BEGIN SOLUTION
    names = residual_part_names(model.cfg.n_layers)
    parts = torch.stack([cache[name][:, -1] for name in names])  # [part pair d_model]
    divisor = cache["ln_final.hook_scale"][:, -1]  # [pair 1]
    direction = (model.W_U[:, answers] - model.W_U[:, wrongs]).T.detach()
    return (parts / divisor * direction).sum(dim=-1)
    # END SOLUTION


# %% tags=["check"]
check("direct-logit-attribution", direct_logit_attribution)

# %% id="attribution-bars"
parts = direct_logit_attribution(model, clean_cache, batch.answers, batch.wrongs)
bias = (model.b_U[batch.answers] - model.b_U[batch.wrongs]).mean().item()
print(f"all parts {parts.sum(0).mean():.3f} + bias {bias:.3f} = {parts.sum(0).mean() + bias:.3f}; "
      f"measured {clean_value:.3f}")  # fmt: skip
part_names = ["embed", "position"]
part_names += [
    f"{kind} {layer}" for layer in range(n_layers) for kind in ("attn", "MLP")
]
show.parts_bars(
    dict(zip(part_names, parts.mean(dim=1).tolist(), strict=True)),
    title="Who writes the answer at the last token?",
)

# %% [markdown]
r"""
It adds up, and layers 2 to 4 write nearly all of it: three quarters come from the attention of layer 2, the
attention of layer 4 and its MLP. But "writes the answer directly" is not "matters": a head that tells a later
head where to look shows up here as nothing at all. For that we have to intervene.

## Activation patching

1. Run the clean prompt, keep its activations.
2. Run the corrupted prompt with **one** activation replaced by the clean one.
3. Read the metric. Repeat for every place.

A few things about hooks in the current TransformerLens (`TransformerBridge`), before you write it:

- `model.run_with_hooks(tokens, fwd_hooks=[(name, f)])` runs once. `with model.hooks(fwd_hooks=[...]):` lasts
  for the block. Both take the hooks out again. A hook added with `model.add_hook` **stays**, and quietly
  changes whatever runs next; our checks look for it.
- `f(value, hook)` returns what is used from there on. Change a `.clone()`: an edit in place may reach into
  the cache.
- Use a closure to know where you are: `hook.name` may give another name than the one you asked for.
- An unknown name in a list given to `names_filter` is ignored without a word.
- `hook_resid_mid` shows what the MLP reads. Editing it there does **not** change the stream. You can see it:
"""

# %% tags=["claim"]
_mean = dict(zip(part_names, parts.mean(dim=1).tolist(), strict=True))
assert abs(sum(_mean.values()) + bias - clean_value) < 1e-3, "It adds up"
_three = sorted(_mean, key=_mean.get)[-3:]
assert set(_three) == {"attn 2", "attn 4", "MLP 4"}, (
    "come from the attention of layer 2, the attention of layer 4 and its MLP"
)
assert abs(sum(_mean[_n] for _n in _three) / clean_value - 0.75) < 0.03, (
    "three quarters"
)
_later = sum(_value for _n, _value in _mean.items() if _n[-1] in "234")
assert abs(_later / clean_value - 1) < 0.1, "layers 2 to 4 write nearly all of it"

# %% id="resid-mid-trap"
site = Site("resid_mid", layer=2, position=places["end"])
clean_mid = clean_cache[site.hook_name]


def put_in(stream, hook):
    stream = stream.clone()
    stream[:, places["end"]] = clean_mid[:, places["end"]]
    return stream


with torch.no_grad():
    naive = model.run_with_hooks(batch.corrupted, fwd_hooks=[(site.hook_name, put_in)])
proper = lab.run_patched(
    model, batch.corrupted, clean_cache, site
)  # edits what attention adds instead
for name, logits in (("through hook_resid_mid", naive), ("the stream itself", proper)):
    print(
        f"{name:<24} recovered {recovered(metric(logits).mean(), clean_value, corrupted_value):+.2f}"
    )

# %% [markdown] slug="patch-residual"
r"""
Patch the residual stream **before** every layer (`hook_resid_pre`) at every position. Run on the corrupted
prompts, take from the clean ones. `metric` turns logits into one number per pair. Return the metric of each
patched run, averaged over pairs: `[layer pos]`. Leave no hook behind.
"""


# %% tags=["exercise"] slug="patch-residual"
def patch_residual(
    model, clean: Int[Tensor, "pair pos"], corrupted: Int[Tensor, "pair pos"], metric
) -> Float[Tensor, "layer pos"]:
    """The mean metric with one layer and position of the stream taken from the clean run."""
    # BEGIN SOLUTION
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
    values = torch.zeros(model.cfg.n_layers, clean.shape[1])
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.hook_resid_pre"
        for position in range(clean.shape[1]):

            def put_in(stream, hook, name=name, position=position):
                stream = stream.clone()
                stream[:, position] = cache[name][:, position]
                return stream

            with torch.no_grad(), model.hooks(fwd_hooks=[(name, put_in)]):
                values[layer, position] = metric(model(corrupted)).mean()
    return values
    # END SOLUTION


# %% tags=["check"]
check("patch-residual", patch_residual)

# %% id="residual-map"
residual_values = patch_residual(model, batch.clean, batch.corrupted, metric)
residual_map = recovered(residual_values, clean_value, corrupted_value)
print("at the end      patch recovers   lens shows (of the final logit difference)")
for layer in range(n_layers):
    patched = residual_map[layer, places["end"]]
    seen = metric(lens_rows[layer][:, None]).mean() / clean_value
    print(f"before layer {layer} {patched:>+15.2f}{seen:>+13.2f}")
show.patch_map(
    residual_map, words, title="One stream from the clean run: what is recovered?"
)

# %% [markdown]
r"""
**What you should see.** One column is bright in the upper rows: the giver, the only token that differs. (In the
first row that is no discovery: there you exchange the token itself.) Before layer 3 it is dark and the end of the
prompt has it: one jump, by what attention does in layer 2, and no other token ever carries more than .02. The
map shows where the *difference between the two prompts* is carried. It does not show that the answer has been
worked out there.

Compare the two columns above the map. Before layer 3 the end has .91 of what decides the answer, and the lens
shows .57: what decides can be there while the lens shows less of it.
"""

# %% tags=["claim"]
_giver, _end = residual_map[:, places["giver"]], residual_map[:, places["end"]]
assert _giver[:3].min() > 0.95, "One column is bright in the upper rows: the giver"
assert _giver[3] < 0.1 and _end[2] < 0.05 and _end[3] > 0.9, (
    "Before layer 3 it is dark and the end of the prompt has it"
)
_elsewhere = [
    _p for _p in range(len(words)) if _p not in (places["giver"], places["end"])
]
assert residual_map[:, _elsewhere].abs().max() < 0.02, (
    "no other token ever carries more than .02"
)
assert round(_end[3].item(), 2) == 0.91, (
    "Before layer 3 the end has .91 of what decides the answer"
)
_seen = (metric(lens_rows[3][:, None]).mean() / clean_value).item()
assert round(_seen, 2) == 0.57, "the lens shows .57"

# %% tags=["quiz"]
quiz("read-the-map", "c")

# %% [markdown]
r"""
What moves information between positions? Only attention can. So patch every head's output, `z`.
"""

# %% [markdown] slug="patch-heads"
r"""
The same for attention heads: replace one head's `z` (`attn.hook_z`, `[pair pos head d_head]`) at **all**
positions. Return `[layer head]`.
"""


# %% tags=["exercise"] slug="patch-heads"
def patch_heads(
    model, clean: Int[Tensor, "pair pos"], corrupted: Int[Tensor, "pair pos"], metric
) -> Float[Tensor, "layer head"]:
    """The mean metric with one head's output taken from the clean run."""
    # BEGIN SOLUTION
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
    values = torch.zeros(model.cfg.n_layers, model.cfg.n_heads)
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.attn.hook_z"
        for head in range(model.cfg.n_heads):

            def put_in(z, hook, name=name, head=head):
                z = z.clone()
                z[:, :, head] = cache[name][:, :, head]
                return z

            with torch.no_grad(), model.hooks(fwd_hooks=[(name, put_in)]):
                values[layer, head] = metric(model(corrupted)).mean()
    return values
    # END SOLUTION


# %% tags=["check"]
check("patch-heads", patch_heads)

# %% id="head-map"
head_values = patch_heads(model, batch.clean, batch.corrupted, metric)
head_map = recovered(head_values, clean_value, corrupted_value)
heads = [f"{layer}.{head}" for layer in range(n_layers) for head in range(n_heads)]
show.patch_map(
    head_map, [f"head {head}" for head in range(n_heads)],
    title="One head from the clean run", x_title="head", y_title="layer",
)  # fmt: skip

# %% [markdown]
r"""
**What you should see.** Two heads of layer 2 bring back most: 2.2 more than half, 2.1 a third. Then come 4.1
and 3.2 with about a tenth each, 3.0 with a twentieth and 0.2 with .04; all others stay below .03. The shares of heads
that work one after the other are counted for each of them, so they need not add up to 1.

## An intervention that fails

The two names stand right there in the prompt, at `first` and `second`; one of them *is* the answer. Surely
patching the stream there brings something back?
"""

# %% tags=["claim"]
assert head_map[2, 2] > 0.5 and head_map.argmax() == 10, "2.2 more than half"
assert abs(head_map[2, 1] - 1 / 3) < 0.03, "2.1 a third"
assert all(abs(head_map[_at] - 0.1) < 0.04 for _at in ((4, 1), (3, 2))), (
    "4.1 and 3.2 with about a tenth each"
)
assert [round(head_map[_at].item(), 2) for _at in ((3, 0), (0, 2))] == [0.05, 0.04], (
    "3.0 with a twentieth and 0.2 with .04"
)
assert head_map.abs().flatten().sort().values[-7] < 0.03, "all others stay below .03"

# %% id="the-patch-that-cannot-work"
for name in ("first", "second", "giver"):
    column = residual_map[:, places[name]]
    print(f"{name:<8}", "  ".join(f"{value:+.3f}" for value in column))

# %% tags=["quiz"]
quiz("why-nothing", "b")

# %% [markdown]
r"""
## Enough, or needed?

There are two experiments, and they ask different questions (Heimersheim and Nanda 2024):

| | run on | take from | asks |
|---|---|---|---|
| **denoise** | corrupted | clean | is this part *enough* to bring the answer back? |
| **noise** | clean | corrupted | is this part *needed* for the answer? |

They differ where parts stand side by side and do not add up. Take two circuits whose workings we know, with parts that
are 1 in the clean run and 0 in the corrupted one: an AND needs both parts, an OR is content with either.
"""

# %% [markdown] slug="denoise-or-noise"
r"""
`circuit` turns a tensor of parts `[part]` into one number. For each part, by itself, return what is
**gained** by denoising it (start corrupted, make this part clean) and what is **lost** by noising it (start
clean, make this part corrupted): two tensors `[part]`, both **signed**. A part that raises the number has positive
entries, one that lowers it has negative ones; take no absolute values.
"""


# %% tags=["exercise"] slug="denoise-or-noise"
def part_effects(
    circuit, clean: Float[Tensor, "part"], corrupted: Float[Tensor, "part"]
) -> tuple[Float[Tensor, "part"], Float[Tensor, "part"]]:
    """(gained by denoising, lost by noising), part by part."""

    # BEGIN SOLUTION
    def patched(base, source, i):
        base = base.clone()
        base[i] = source[i]
        return circuit(base)

    parts = range(len(clean))
    gained = [patched(corrupted, clean, i) - circuit(corrupted) for i in parts]
    lost = [circuit(clean) - patched(clean, corrupted, i) for i in parts]
    return torch.stack(gained), torch.stack(lost)
    # END SOLUTION


# %% tags=["check"]
check("denoise-or-noise", part_effects)

# %% id="gates"
for name, gate in (("AND", lab.and_gate), ("OR", lab.or_gate)):
    gained, lost = (
        [float(x) for x in each]
        for each in part_effects(gate, torch.ones(2), torch.zeros(2))
    )
    print(f"{name:<4} gained by denoising {gained}   lost by noising {lost}")

# %% [markdown] slug="read-the-gates"
r"""
`lab.MYSTERIES` holds three closed circuits of two parts each. For each say `"and"`, `"or"` or `"one"` (only one
of the two parts matters), judging from your `part_effects`. Give three words.
"""

# %% tags=["exercise"] slug="read-the-gates"
gates = ("or", "one", "and")  # SOLUTION

# %% tags=["check"]
check("read-the-gates", gates)

# %% [markdown]
r"""
Now the heads of `atlas`, in both directions. (`lab.denoise` and `lab.noise` do what your sweeps do;
`.share` is the recovered, or lost, share.) One thing first: our batch has each pair in **both** orders, so
noising a pair is denoising its mirror image, and the two columns would agree to the last digit by
construction. To see two different experiments, corrupt in another way, much as Wang et al. 2022 do (they exchange all
three names): a **third** person gives, and no name is the right answer any more.
"""

# %% id="both-directions"
name_tokens = [model.to_single_token(f" {name}") for name in NAMES]
third = batch.clean.clone()
for i, row in enumerate(third):
    others = [token for token in name_tokens if token not in row.tolist()]
    row[places["giver"]] = others[i % len(others)]

enough = lab.denoise(model, batch.clean, third, metric, "z", ("layer", "head"))
needed = lab.noise(model, batch.clean, third, metric, "z", ("layer", "head"))
print(f"logit difference with a third giver: {enough.unpatched.mean():+.2f}")
print("head   recovered by it alone   lost without it")
order = (enough.share.abs() + needed.share.abs()).flatten().argsort(descending=True)
for i in order[:8].tolist():
    alone, without = enough.share.flatten()[i], needed.share.flatten()[i]
    print(f"{heads[i]}  {alone:+18.2f}{without:+18.2f}")

# %% [markdown]
r"""
**What you should see.** Where the first number is clearly larger, something else can stand in (an OR); where the
second is, something else has to help (an AND). Here the two columns agree to .04 for every head: no gate
shows. That is a result too, about these heads on these pairs. Whether what heads bring adds up is another question.
Ask it by taking two heads out, first one at a time and then together (each replaced by its mean over
stories). If one were the other's **backup**, the loss of both would be larger than the sum:
"""

# %% tags=["claim"]
assert (enough.share - needed.share).abs().max() < 0.045, (
    "Here the two columns agree to .04 for every head"
)


# %% id="one-and-both"
def without_heads(out):
    """The metric with some heads' outputs replaced by their means over stories."""

    def hook_of(layer):
        those = [head for at, head in out if at == layer]

        def hook(z, hook):
            z = z.clone()
            z[:, :, those] = z[:, :, those].mean(dim=0, keepdim=True)
            return z

        return f"blocks.{layer}.attn.hook_z", hook

    with (
        torch.no_grad(),
        model.hooks(fwd_hooks=[hook_of(at) for at in {at for at, _ in out}]),
    ):
        return (metric(model(batch.clean)).mean() - clean_value).item()


together = {}
for one, other in [((2, 2), (2, 1)), ((2, 2), (3, 0)), ((2, 2), (4, 1))]:
    single = without_heads([one]), without_heads([other])
    together[one, other] = sum(single), without_heads([one, other])
    print(
        f"without {one[0]}.{one[1]}: {single[0]:+.2f}   without {other[0]}.{other[1]}: {single[1]:+.2f}   "
        f"sum {sum(single):+.2f}   without both {together[one, other][1]:+.2f}"
    )

# %% [markdown]
r"""
2.2 and 2.1 add up, to within .03: neither steps in for the other. With 3.0 or 4.1 the loss of both is *smaller* than
the sum: without 2.2 they have less to add. For 4.1 that is by its queries (see *One connection*); for 3.0 mostly not,
and why, we did not ask. Backup heads, which wake up when another head is taken out, exist in GPT-2 small (Wang et al.
2022); in `atlas` these pairs show none.
"""

# %% tags=["claim"]
_sum, _both = together[(2, 2), (2, 1)]
assert abs(_sum - _both) < 0.03, "add up, to within .03: neither steps in for the other"
for _later in ((3, 0), (4, 1)):
    _sum, _both = together[(2, 2), _later]
    assert _sum + 0.3 < _both < 0, (
        "With 3.0 or 4.1 the loss of both is *smaller* than the sum"
    )


def _adds(layer, head, queries):
    """What a head adds without 2.2, its queries as they come or clean."""
    _name = f"blocks.{layer}.attn.hook_q"

    def hook(q, hook):
        q = q.clone()
        q[:, :, head] = clean_cache[_name][:, :, head]
        return q

    with model.hooks(fwd_hooks=[(_name, hook)] if queries == "clean" else []):
        return without_heads([(2, 2)]) - without_heads([(2, 2), (layer, head)])


for _head, _low, _high in (((4, 1), 0.9, 2), ((3, 0), 0, 0.35)):
    _as_it_comes = _adds(*_head, "as they come")
    _less = -without_heads([_head]) - _as_it_comes
    _by_queries = (_adds(*_head, "clean") - _as_it_comes) / _less
    assert _low < _by_queries < _high, "for 3.0 mostly not"

# %% tags=["quiz"]
quiz("nothing-when-denoising", "a")

# %% [markdown]
r"""
## Many patches in one pass

Your sweep over the stream runs the model once per layer and position. But a batch can hold many copies of the
prompts, each patched somewhere else.
"""

# %% [markdown] slug="batched-sweep"
r"""
Return the same table as `patch_residual`, `[layer pos]`, with **one patched forward pass per layer**: put one
copy of the corrupted prompts per position into the batch, and patch copy p at position p. Call `metric` on
each copy's logits `[pair pos vocab]`.
"""


# %% tags=["exercise"] slug="batched-sweep"
def patch_residual_batched(
    model, clean: Int[Tensor, "pair pos"], corrupted: Int[Tensor, "pair pos"], metric
) -> Float[Tensor, "layer pos"]:
    """As patch_residual, in one pass per layer."""
    # BEGIN SOLUTION
    n_pairs, n_pos = corrupted.shape
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
    copies = corrupted.repeat(n_pos, 1)  # [(copy pair) pos]
    rows = []
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.hook_resid_pre"

        def put_in(stream, hook, name=name):
            stream = stream.clone().unflatten(0, (n_pos, n_pairs))
            for position in range(n_pos):
                stream[position, :, position] = cache[name][:, position]
            return stream.flatten(0, 1)

        with torch.no_grad(), model.hooks(fwd_hooks=[(name, put_in)]):
            logits = model(copies).unflatten(0, (n_pos, n_pairs))
        rows.append(torch.stack([metric(each).mean() for each in logits]))
    return torch.stack(rows)
    # END SOLUTION


# %% tags=["check"]
check("batched-sweep", patch_residual_batched)

# %% id="same-table"
few = slice(0, 8)
some = prefers(batch.answers[few], batch.wrongs[few])
one_by_one = patch_residual(model, batch.clean[few], batch.corrupted[few], some)
at_once = patch_residual_batched(model, batch.clean[few], batch.corrupted[few], some)
n_sites = one_by_one.numel()
print(f"largest difference: {(one_by_one - at_once).abs().max():.0e}")
print(f"forward passes: {n_sites + 1} one by one, {n_layers + 1} batched")

# %% [markdown]
r"""
Fewer passes, but larger ones: the arithmetic is the same. What one really saves is what is *not* computed,
such as the layers before the patch; `lab.batched_sweep` does that. To save more, one has to stop being
exact.

## One gradient for all of them

For a small change, a metric moves along its slope, and patching moves an activation from one run's value to the
other's. So its effect can be estimated without making the patch. This is **attribution patching** (Nanda 2023):
one backward pass gives the slope at *every* site. Mind in which of the two runs the slope has to be taken.
"""

# %% [markdown] slug="attribution-patching"
r"""
Return the estimated effect (change of the mean metric) of each patch of `patch_residual`: `[layer pos]`, with two
forward passes and one backward pass. A forward hook can keep the stream as a part of the graph (`kept[name] =
stream`) for `torch.autograd.grad`. (What `run_with_cache` keeps is detached: no gradient gets through.)
"""


# %% tags=["exercise"] slug="attribution-patching"
def attribution_patching(
    model, clean: Int[Tensor, "pair pos"], corrupted: Int[Tensor, "pair pos"], metric
) -> Float[Tensor, "layer pos"]:
    """The estimated effect of each patch of the stream, from one gradient."""
    # BEGIN SOLUTION
    names = [f"blocks.{layer}.hook_resid_pre" for layer in range(model.cfg.n_layers)]
    with torch.no_grad():
        _, source = model.run_with_cache(clean)
    kept = {}

    def keep(name):
        def keep_stream(stream, hook):
            kept[name] = stream if stream.requires_grad else stream.requires_grad_()
            return kept[name]

        return name, keep_stream

    with torch.enable_grad(), model.hooks(fwd_hooks=[keep(name) for name in names]):
        value = metric(model(corrupted)).mean()
        slopes = torch.autograd.grad(value, [kept[name] for name in names])
    rows = [
        ((source[name] - kept[name].detach()) * slope).sum(dim=(0, -1))
        for name, slope in zip(names, slopes, strict=True)
    ]
    return torch.stack(rows)
    # END SOLUTION


# %% tags=["check"]
check("attribution-patching", attribution_patching)

# %% id="exact-and-estimated"
estimated = attribution_patching(model, batch.clean, batch.corrupted, metric)
exact = residual_values - corrupted_value
names = [
    f"{words[p]}, before {layer}"
    for layer in range(n_layers)
    for p in range(len(words))
]
correlation = lab.pearson(exact.flatten(), estimated.flatten())
print(f"exact sweep:      {exact.numel() + 1} forward passes")
print("estimate:         2 forward passes, 1 backward pass")
print(f"correlation:      {correlation:.3f}")
show.estimate_scatter(
    exact.flatten(), {"one gradient": estimated.flatten()}, names,
    title="The residual stream: exact patches and their estimate",
)  # fmt: skip

# %% [markdown]
r"""
And for the heads, where one would use it most (from the lab, with your formula):
"""

# %% id="heads-estimated"
exact_heads = head_values - corrupted_value
estimated_heads = lab.attribution_patching(
    model, batch.clean, batch.corrupted, metric, "z", ("layer", "head")
).effect
correlation = lab.pearson(exact_heads.flatten(), estimated_heads.flatten())
print(f"correlation over heads: {correlation:.3f}")
for row in range(n_layers):
    both = zip(*(t[row].tolist() for t in (exact_heads, estimated_heads)), strict=True)
    print(f"layer {row}  " + "   ".join(f"{a:+6.2f} ({b:+6.2f})" for a, b in both))
print("          exact (estimated), in logits")

# %% [markdown] slug="where-attribution-fails"
r"""
A **false negative** is a site whose patch does much and whose estimate says little. Which head comes nearest to
one? Missing is $|\text{exact}| - |\text{estimate}|$, where an estimate of the wrong sign counts as 0. Give
`(layer, head)`, from `exact_heads` and `estimated_heads`, both `[layer head]`.
"""

# %% tags=["exercise"] slug="where-attribution-fails"
most_missed = divmod(
    int((exact_heads.abs() - (estimated_heads * exact_heads.sign()).relu()).argmax()),
    n_heads,
)  # SOLUTION

# %% tags=["check"]
check("where-attribution-fails", most_missed)

# %% [markdown]
r"""
(Near is all it comes: the estimate sees five sixths of it. A real one follows below.) Why is anything missing?
Walk from the corrupted to the clean value of that head in small steps, and look at the metric. The estimate is
the tangent at the left end, extended to the right.
"""

# %% tags=["claim"]
_part = (estimated_heads[most_missed] / exact_heads[most_missed]).item()
assert abs(_part - 5 / 6) < 0.02, "the estimate sees five sixths of it"

# %% id="along-the-way"
layer, head = most_missed
name = f"blocks.{layer}.attn.hook_z"
shares = torch.linspace(0, 1, 11)
curve = []
for share in shares.tolist():

    def part_of_the_way(z, hook, share=share):
        z = z.clone()
        z[:, :, head] += share * (clean_cache[name] - corrupted_cache[name])[:, :, head]
        return z

    with torch.no_grad(), model.hooks(fwd_hooks=[(name, part_of_the_way)]):
        curve.append(metric(model(batch.corrupted)).mean().item())
tangent = (corrupted_value + shares * estimated_heads[layer, head]).tolist()
show.lines(
    shares, {"measured": curve, "tangent (the estimate)": tangent},
    title=f"Head {layer}.{head} on its way from the corrupted to the clean value",
    x_title="share of the way (0 corrupted, 1 clean)", y_title="logit difference",
)  # fmt: skip

# %% [markdown]
r"""
Where the curve is not straight, a tangent at its left end misses what comes later. Whatever is not linear bends it:
the MLPs, LayerNorm, which divides by a number that changes on the way, and above all softmax attention, which is flat
where it is decided (that is about keys and queries; what bends the curve above, for one head's output, we did not
ask). A head that looks at one place with weight 0.99 hardly reacts to a small change of a key, and may turn over at a
large one. Kramár et al. 2024 name a second danger: a direct and an indirect effect of opposite sign can cancel in the
sum, and then a small error of either is all that is left.

How good the estimate is depends on the task and on what is patched. So look at another task as well: two-hop
questions about cities, in which the corrupted prompt has another city. What is patched are heads' outputs (z),
values and keys.
"""

# %% id="facts"
questions = [
    question
    for question in chosen_questions(Geography(), kind="state", language="english")
    if question.relation == "capital" and question.held_out_by
]
fact_pairs = list(question_pairs(questions, model.tokenizer, random.Random(0)))
facts = max(pair_batches(model, fact_pairs, 24), key=lambda one: len(one.clean))
fact_metric = prefers(facts.answers, facts.wrongs)
print(f"{len(facts.clean)} pairs such as {model.to_string(facts.clean[0, 1:])!r}")

fact_sweeps = {}
for component in ("z", "v", "k"):
    arguments = (
        model,
        facts.clean,
        facts.corrupted,
        fact_metric,
        component,
        ("layer", "head"),
    )
    pair_of = lab.denoise(*arguments), lab.attribution_patching(*arguments)
    fact_sweeps[component] = pair_of
    agreement = lab.agreement(*pair_of)
    print(
        f"{component}: correlation {agreement.pearson:.3f}, of ranks {agreement.spearman:.3f}"
    )
    for site, exact_effect, estimate in lab.false_negatives(*pair_of, k=3):
        print(f"     {site}: exact {exact_effect:+6.2f}, estimated {estimate:+6.2f}")

# %% [markdown]
r"""
**What you should see.** For outputs and values the correlation is .998, since one large site decides it, and
yet of that site the estimate sees less than half. The correlation of *ranks* counts the many small sites just
as much, and is lower. For keys both are below .6, and there are the real false negatives: patching the key of
0.0 does 1.50, the estimate says .20. A key acts through the softmax. Whoever drops what the estimate calls
small drops such a site. (Kramár et al. 2024, *AtP\**, have a repair made for this: for queries and keys,
compute the new attention pattern exactly and use the slope only from there on.)

Another repair, for everything: take the slope not at one end but **averaged on the way** (Sundararajan et al.
2017), at the midpoints of n equal steps:

$$(x' - x) \cdot \frac1n \sum_{s=0}^{n-1} f'\!\left(x + \tfrac{s + 1/2}{n}(x' - x)\right)$$
"""

# %% tags=["claim"]
_agreed = {_c: lab.agreement(*_pair) for _c, _pair in fact_sweeps.items()}
for _c in "zv":
    assert round(_agreed[_c].pearson, 3) == 0.998, (
        "For outputs and values the correlation is .998"
    )
    assert _agreed[_c].spearman < _agreed[_c].pearson, "and is lower"
    _worst = lab.false_negatives(*fact_sweeps[_c], k=1)[0]
    assert _worst.estimate < 0.5 * _worst.exact, (
        "that site the estimate sees less than half"
    )
assert max(_agreed["k"].pearson, _agreed["k"].spearman) < 0.6, (
    "For keys both are below .6"
)
_key = lab.false_negatives(*fact_sweeps["k"], k=1)[0]
assert (_key.site.layer, _key.site.head) == (0, 0), (
    "patching the key of 0.0 does 1.50, the estimate says .20"
)
assert round(_key.exact, 2) == 1.50, (
    "patching the key of 0.0 does 1.50, the estimate says .20"
)
assert round(_key.estimate, 2) == 0.20, (
    "patching the key of 0.0 does 1.50, the estimate says .20"
)

# %% [markdown] slug="integrated-gradients"
r"""
Write it for any function `f` from a tensor to one number. `start` is $x$, `end` is $x'$. Return a tensor of
the inputs' shape: every entry's share.
"""


# %% tags=["exercise"] slug="integrated-gradients"
def integrated_gradients(
    f, start: Float[Tensor, "*axes"], end: Float[Tensor, "*axes"], n_steps: int
) -> Float[Tensor, "*axes"]:
    """(end - start) times the mean gradient on the straight line between them."""
    # BEGIN SOLUTION
    total = torch.zeros_like(start)
    for step in range(n_steps):
        share = (step + 0.5) / n_steps
        here = (start + share * (end - start)).detach().requires_grad_()
        total += torch.autograd.grad(f(here), here)[0]
    return (end - start) * total / n_steps
    # END SOLUTION


# %% tags=["check"]
check("integrated-gradients", integrated_gradients)

# %% id="it-adds-up"
start, end = torch.tensor([-3.0, 0.0]), torch.tensor([3.0, 1.0])


def saturated(x):
    return torch.sigmoid(4 * x[0]) + 0.5 * x[1]


one_slope = (
    integrated_gradients(saturated, start, start + 1e-3 * (end - start), 1) / 1e-3
)
print(f"f(end) - f(start) = {saturated(end) - saturated(start):.3f}")
print(
    f"one slope at the start: {one_slope.sum():.3f}   parts {[round(v, 3) for v in one_slope.tolist()]}"
)
for n in (5, 20, 100):
    found = integrated_gradients(saturated, start, end, n)
    print(
        f"{n:>3} steps: {found.sum():.3f}   parts {[round(v, 3) for v in found.tolist()]}"
    )

# %% id="repaired"
repaired = lab.integrated_gradients(
    model, batch.clean, batch.corrupted, metric, "z", ("layer", "head"), n_steps=10
)
before = lab.pearson(exact_heads.flatten(), estimated_heads.flatten())
after = lab.pearson(exact_heads.flatten(), repaired.effect.flatten())
exact_keys, estimated_keys = fact_sweeps["k"]
repaired_keys = lab.integrated_gradients(
    model, facts.clean, facts.corrupted, fact_metric, "k", ("layer", "head"), n_steps=10
)
print("correlation with the exact sweep    one gradient   averaged on the way")
print(f"stories, heads' outputs {before:>24.3f}{after:>22.3f}")
keys_before, keys_after = (
    lab.agreement(exact_keys, estimate).pearson
    for estimate in (estimated_keys, repaired_keys)
)
print(f"facts, keys {keys_before:>36.3f}{keys_after:>22.3f}")
worst = lab.false_negatives(exact_keys, estimated_keys, k=1)[0].site
at = (worst.layer, worst.head)
print(f"{worst} of the facts: exact {exact_keys.effect[at]:+.2f}, one gradient "
      f"{estimated_keys.effect[at]:+.2f}, averaged {repaired_keys.effect[at]:+.2f}")  # fmt: skip
show.estimate_scatter(
    exact_heads.flatten(),
    {"one gradient": estimated_heads.flatten(), "10 steps": repaired.effect.flatten()},
    heads, title="Attention heads: one gradient, and ten on the way",
)  # fmt: skip

# %% [markdown]
r"""
In the small example the parts add up to f(end) - f(start), once the steps are fine enough (five were too few for
so steep a function). This holds for every smooth f, and is called completeness. For the heads it says: with the
slope averaged on the way, the estimates of one layer's heads add up to the exact effect of patching that whole
layer. They need not equal the effect of each head *alone*, since heads that work together share what they do
together.

**Common sense about cost.** The exact sweep costs one forward pass per site; the estimate three passes for
all sites; the repair two passes per layer and step. With 20 heads nobody needs an estimate. With ten million
latents nobody can do without. (The same estimate for *edges*, from each part to each later part, is edge
attribution patching, Syed et al. 2023; with the slope averaged on the way, EAP-IG, Hanna et al. 2024.)
"""

# %% tags=["claim"]
assert abs(integrated_gradients(saturated, start, end, 5).sum() - 1.5) > 0.2, (
    "five were too few for so steep a function"
)
assert abs(integrated_gradients(saturated, start, end, 20).sum() - 1.5) < 1e-3, (
    "once the steps are fine enough"
)
assert keys_after > 0.99 > 0.6 > keys_before, "Another repair, for everything"

# %% tags=["quiz"]
quiz("ten-million-latents", "b")

# %% tags=["quiz"]
quiz("when-exact-is-worth-it", "a")

# %% [markdown]
r"""
## One connection

Patching a head changes everything that comes after it. To ask whether head A matters **because head B reads
it**, Wang et al. 2022 patch a path, from a *sender* to a *receiver*: what the receiver reads (its queries, keys or
values) changes as it would if the sender's words, and no other head's, were the corrupted run's; and then the rest of
the model goes on with that and nothing else. MLPs on the way may pass the message on. It takes four runs
(three if the receiver is the logits). Which is held at what in each, you can work out: nothing but the path may change.

Receivers can also be the logits themselves: what the sender tells them directly, past all other heads.
"""

# %% [markdown] slug="path-patching"
r"""
Return the metric `[pair]` of the clean prompts with one path corrupted. `sender` is `(layer, head)`; its words are
its z. `receivers` is a list of `(way, layer, head)`, where the way is `"q"`, `"k"` or `"v"` (`attn.hook_q`,
`attn.hook_k`, `attn.hook_v`, all `[pair pos head d_head]`); all come later than the sender. If the list is empty, the
receiver is the logits. Positions: all.
"""


# %% tags=["exercise"] slug="path-patching"
def patch_path(
    model,
    clean: Int[Tensor, "pair pos"],
    corrupted: Int[Tensor, "pair pos"],
    metric,
    sender: tuple[int, int],
    receivers: list[tuple[str, int, int]],
) -> Float[Tensor, "pair"]:
    """The metric when only the path from the sender to the receivers is corrupted."""

    # BEGIN SOLUTION
    def held_at(value):
        return lambda activation, hook: value

    z_names = [f"blocks.{layer}.attn.hook_z" for layer in range(model.cfg.n_layers)]
    with torch.no_grad():
        _, base = model.run_with_cache(clean)
        _, source = model.run_with_cache(corrupted)
        # Nobody but the sender says anything new: every other head's z is held at its clean value.
        fixed = {name: base[name].clone() for name in z_names}
        sender_name, head = z_names[sender[0]], sender[1]
        fixed[sender_name][:, :, head] = source[sender_name][:, :, head]
        with model.hooks(fwd_hooks=[(n, held_at(z)) for n, z in fixed.items()]):
            logits, seen = model.run_with_cache(clean)
        if not receivers:
            return metric(logits)
        # Only the receivers read what they read there; all else, their neighbours too, runs on.

        def put_in(way, layer, head):
            name = f"blocks.{layer}.attn.hook_{way}"

            def hook_function(value, hook):
                value = value.clone()
                value[:, :, head] = seen[name][:, :, head]
                return value

            return name, hook_function

        with model.hooks(fwd_hooks=[put_in(*receiver) for receiver in receivers]):
            return metric(model(clean))
    # END SOLUTION


# %% tags=["check"]
check("path-patching", patch_path)

# %% [markdown]
r"""
Who do the important heads listen to? First the two late ones, 3.0 and 4.1, together: on
eight of the pairs, so that a sweep of yours takes seconds.
"""

# %% id="eight-pairs"
eight = (
    model,
    batch.clean[few],
    batch.corrupted[few],
    some,
)  # what your function takes
with torch.no_grad():
    few_value = some(model(batch.clean[few])).mean().item()
print(f"logit difference of the eight pairs: {few_value:+.2f}")

# %% [markdown] slug="who-tells-whom"
r"""
Which head of layers 0 to 2 does most to 3.0 and 4.1 (both as receivers in one call), and by which way? Give the
sender and the way, such as `((1, 3), "v")`: the pair whose path changes the mean metric most.
"""

# %% tags=["exercise"] slug="who-tells-whom"
# BEGIN SOLUTION
told_by = {}
for way in "qkv":
    for sender in [(layer, head) for layer in range(3) for head in range(n_heads)]:
        value = patch_path(*eight, sender, [(way, 3, 0), (way, 4, 1)]).mean().item()
        told_by[sender, way] = value - few_value
strongest = max(told_by, key=lambda path: abs(told_by[path]))
print(strongest, f"{told_by[strongest]:+.2f}")
# END SOLUTION

# %% tags=["check"]
check("who-tells-whom", strongest)

# %% [markdown]
r"""
The same sweep for the two heads of layer 2 without which most is lost, and for the logits (the lab's `path_sweep`
does what your loop does):
"""

# %% id="paths-on-atlas"
found_paths = {}
asked = [("2.2 and 2.1", [(2, 2), (2, 1)]), ("3.0 and 4.1", [(3, 0), (4, 1)])]
receivers = {
    (who, way): [Site(way, layer, head=head) for layer, head in those]
    for who, those in asked
    for way in "qkv"
}
receivers["the logits", " "] = [Site("resid_post", n_layers - 1)]
for (who, way), into in receivers.items():
    found = lab.path_sweep(model, batch.clean[few], batch.corrupted[few], some, into)
    found_paths[who, way] = [
        ((site.layer, site.head), effect) for site, effect in found.top(3)
    ]
    named = ",  ".join(
        f"{at[0]}.{at[1]} {effect:+.2f}" for at, effect in found_paths[who, way]
    )
    print(f"into {who:<12} {way}   from {named}")

# %% [markdown]
r"""
**What you should see.** Into 3.0 and 4.1 there is one strong connection: 2.2 changes their **queries** (q). That does
not turn them to another name: with the path corrupted 3.0 still looks at the first name most, and 4.1 at the second.
Wang et al. 2022 found the same kind of way in GPT-2 small, where earlier heads tell the name movers which name to pass
over.

The logits are told most by 2.2 itself, past all other heads, then by 2.1 and 4.1.

Into 2.2 and 2.1 the largest effect of any head is -0.61, through their values. That is little beside a
logit difference of 9.8, and no finding about heads either: the sweep had no other senders. So ask the opposite
question. Hold **all** heads of layers 0 and 1 at their clean values, let everything else be the corrupted
run's, and see what reaches 2.2 and 2.1:
"""

# %% tags=["claim"]
_to = "3.0 and 4.1"
_site, _effect = found_paths[_to, "q"][0]
assert _site == (2, 2), "2.2 changes their **queries**"
_all = [
    abs(_e)
    for (_who, _way), _top in found_paths.items()
    for _, _e in _top
    if _who == _to
]
assert abs(_effect) == max(_all) and sorted(_all)[-2] < 0.4 * max(_all), (
    "Into 3.0 and 4.1 there is one strong connection"
)
assert [_at for _at, _ in found_paths["the logits", " "]] == [(2, 2), (2, 1), (4, 1)], (
    "The logits are told most by 2.2 itself, past all other heads, then by 2.1 and 4.1"
)
_into_two = {_way: found_paths["2.2 and 2.1", _way][0][1] for _way in "qkv"}
assert round(_into_two["v"], 2) == -0.61, (
    "the largest effect of any head is -0.61, through their values"
)
assert max(abs(_into_two["q"]), abs(_into_two["k"])) < 0.61, (
    "the largest effect of any head is -0.61, through their values"
)
assert abs(few_value - 9.8) < 0.05, "beside a logit difference of 9.8"


def _look(second_gives):
    """What 3.0 gives the first name and 4.1 the second, the path from 2.2 to their queries corrupted."""
    _seen = {}

    def read(logits):  # a metric that keeps what the last run looked at
        return logits[:, -1, 0]

    def keep(pattern, hook, layer):
        _seen[layer] = pattern[:, :, -1].detach()

    _hooks = [
        (
            f"blocks.{_layer}.attn.hook_pattern",
            lambda p, hook, at=_layer: keep(p, hook, at),
        )
        for _layer in (3, 4)
    ]
    with model.hooks(fwd_hooks=_hooks):
        patch_path(
            model,
            batch.clean,
            batch.corrupted,
            read,
            (2, 2),
            [("q", 3, 0), ("q", 4, 1)],
        )
    _these = (
        batch.clean[:, places["giver"]] == batch.clean[:, places["second"]]
    ) == second_gives
    return _seen[3][_these, 0, places["first"]], _seen[4][_these, 1, places["second"]]


for _second_gives in (True, False):
    assert all(_weight.mean() > 0.85 for _weight in _look(_second_gives)), (
        "3.0 still looks at the first name most, and 4.1 at the second"
    )

# %% id="not-by-heads"
with torch.no_grad():
    _, few_clean = model.run_with_cache(batch.clean[few])


def clean_outputs(*kinds):
    """Hooks that hold some outputs of layers 0 and 1 at their clean values."""
    held = [f"blocks.{layer}.{kind}" for layer in (0, 1) for kind in kinds]
    return [(name, lambda value, hook, name=name: few_clean[name]) for name in held]


reaches = {}
for held, kinds in (
    ("heads", ["attn.hook_z"]),
    ("heads and MLPs", ["attn.hook_z", "hook_mlp_out"]),
):
    for way, what in (("q", "queries"), ("k", "keys"), ("v", "values")):
        name = f"blocks.2.attn.hook_{way}"
        with torch.no_grad(), model.hooks(fwd_hooks=clean_outputs(*kinds)):
            _, seen = model.run_with_cache(batch.corrupted[few], names_filter=name)
        value = few_clean[name].clone()
        value[:, :, [2, 1]] = seen[name][:, :, [2, 1]]
        with (
            torch.no_grad(),
            model.hooks(fwd_hooks=[(name, lambda v, hook, value=value: value)]),
        ):
            reaches[held, way] = some(model(batch.clean[few])).mean().item() - few_value
        print(
            f"clean {held:<15} changed {what:<8} of 2.2 and 2.1: {reaches[held, way]:+.2f}"
        )

# %% [markdown]
r"""
**What you should see.** Through their values the answer turns round, by more than 16, although no head of the first
two layers has said anything new. What differs is at the giver's own position from the start: its embedding, worked on
by the MLPs of layers 0 and 1. With these held too the embedding alone does -1.2. So the story so far: MLPs of layers
0 and 1, one or both, make of the giver's name what 2.2 and 2.1 carry to the end (values), and 2.2 there changes what
3.0 and 4.1 ask for (queries). A search finds only what it was allowed to look for.
"""

# %% tags=["claim"]
assert reaches["heads", "v"] < -16, (
    "Through their values the answer turns round, by more than 16"
)
assert few_value + reaches["heads", "v"] < 0, (
    "Through their values the answer turns round, by more than 16"
)
assert abs(reaches["heads and MLPs", "v"] + 1.2) < 0.05, (
    "With these held too the embedding alone does -1.2"
)
assert max(abs(reaches["heads", _way]) for _way in "qk") < 0.2, "(values)"

# %% [markdown]
r"""
## Taking parts out

An **ablation** also replaces an activation, only not by that of a paired prompt. What stands in its place
makes it another question:

| in its place | asks |
|---|---|
| zero | what if this part wrote nothing? (Later layers never saw that in training.) |
| mean over prompts | what if it said what it usually says? |
| its value on another prompt | what if it had seen something else? |
"""

# %% [markdown] slug="ablations"
r"""
Return a copy of `z` (`[prompt pos head d_head]`) in which one head's output is replaced, at all positions.
`how` is `"zero"`, `"mean"` (over prompts, position by position) or `"resample"` (prompt i gets the value of
prompt `others[i]`).
"""


# %% tags=["exercise"] slug="ablations"
def ablate_head(
    z: Float[Tensor, "prompt pos head d_head"],
    head: int,
    how: str,
    others: Int[Tensor, "prompt"],
) -> Float[Tensor, "prompt pos head d_head"]:
    """z without one head: zero, its mean, or its value on other prompts."""
    # BEGIN SOLUTION
    new = z.clone()
    if how == "zero":
        new[:, :, head] = 0.0
    elif how == "mean":
        new[:, :, head] = z[:, :, head].mean(dim=0)
    else:
        new[:, :, head] = z[others, :, head]
    return new
    # END SOLUTION


# %% tags=["check"]
check("ablations", ablate_head)

# %% id="three-ablations"
ablated = {}
for how in ("zero", "mean", "resample"):
    found = lab.ablation_sweep(
        model, batch.clean, metric, "z", ("layer", "head"), how, generator=seeded(0)
    )
    ablated[how] = found.effect.flatten()
print("change of the logit difference without the head")
print("head      zero      mean  resample")
largest = torch.stack(list(ablated.values())).abs().amax(dim=0)
for i in largest.argsort(descending=True)[:8].tolist():
    print(f"{heads[i]:<4}" + "".join(f"{ablated[how][i]:>+10.2f}" for how in ablated))

# %% [markdown]
r"""
Three columns, three answers. Where zero differs from the mean, the head writes something that is always the same, and
without it the answer may be worse (0.1) or better (3.0, 2.1). Zero can even *improve* the answer: without 1.1 the
logit difference rises by 3.8, while with its mean it falls by .3. Nobody would say that 1.1 works against the answer:
zero puts the later layers where training never was. The mean here is over stories of one form; over other texts it
would be another question again. Look at 3.0, too: between the two stories of a pair it recovered .05, and with
another story's value the answer loses 4.4. A pair has the same two people, another story has others, and a patch
shows only what differs between its two prompts. And a head that can be removed without harm may have a stand-in:
ablating one at a time does not show it.
"""

# %% tags=["claim"]
_at = heads.index("1.1")
assert abs(ablated["zero"][_at] - 3.8) < 0.05, (
    "without 1.1 the logit difference rises by 3.8"
)
assert abs(ablated["mean"][_at] + 0.3) < 0.05, "while with its mean it falls by .3"
_always = {
    _h: ablated["zero"][heads.index(_h)] - ablated["mean"][heads.index(_h)]
    for _h in heads
}
assert _always["0.1"] < -1 and min(_always["3.0"], _always["2.1"]) > 0.5, (
    "without it the answer may be worse (0.1) or better (3.0, 2.1)"
)
assert round(head_map[3, 0].item(), 2) == 0.05, "it recovered .05"
assert f"{ablated['resample'][heads.index('3.0')]:.1f}" == "-4.4", (
    "with another story's value the answer loses 4.4"
)

# %% tags=["quiz"]
quiz("which-ablation", "a")

# %% [markdown]
r"""
## A circuit, and three questions to it

So far one part was changed at a time. A **circuit** turns that round: some parts compute, and *all others* fall
silent, so that the answer has to be made by the circuit alone. Wang et al. 2022 ask three things of it. Let
$M$ be all parts of the model, $C$ the circuit, and $F$ of a set of parts the mean logit difference when only
these compute.

- **faithful**: does it do what the model does? $F(C)$ is close to $F(M)$.
- **complete**: does it break as the model breaks? For every $K \subseteq C$, $F(C \setminus K)$ is close to
  $F(M \setminus K)$.
- **minimal**: does everyone pay? For every member $v$ there is a $K \subseteq C \setminus \{v\}$ such that
  $F(C \setminus (K \cup \{v\}))$ is far from $F(C \setminus K)$.

The whole model is faithful and complete, and not minimal. A circuit without a backup is faithful, and not complete:
take out the part that has one, and the model goes on where the circuit stops. And a member need not pay when
alone, if its backup is there: it is enough that it pays for *some* $K$. There are too many $K$ to try, so some
are drawn by lot.

What do the silent parts say? Here each writes what it writes on another story, drawn from stories about three other
people, of whom no one is the right answer (`others`; **resample ablation**). Wang et al. put in the mean over such
stories.
"""

# %% id="circuit-stories"
stories = stories_of_strangers(64, random.Random(3))
for row in (stories.tokens[0], stories.others[0]):
    print(model.to_string(row[1:]))
print(
    f"the person named second gives in {int(stories.second_gives.sum())} of {len(stories.tokens)}"
)

# %% [markdown] slug="run-a-circuit"
r"""
Return the logits of a run on `tokens` in which only the given heads, pairs `(layer, head)`, and the MLPs of the
given layers compute, and every other head and MLP writes what it writes on `others`. Embeddings are no part: they
stay those of `tokens`.
"""


# %% tags=["exercise"] slug="run-a-circuit"
def circuit_logits(
    model,
    tokens: Int[Tensor, "prompt pos"],
    others: Int[Tensor, "prompt pos"],
    heads: list[tuple[int, int]],
    mlps: list[int],
) -> Float[Tensor, "prompt pos vocab"]:
    """The logits when only these heads and MLPs compute."""
    # BEGIN SOLUTION
    with torch.no_grad():
        _, source = model.run_with_cache(others)
    hooks = []
    for layer in range(model.cfg.n_layers):
        silent = [h for h in range(model.cfg.n_heads) if (layer, h) not in heads]

        def replace_heads(z, hook, silent=silent, layer=layer):
            z = z.clone()
            z[:, :, silent] = source[f"blocks.{layer}.attn.hook_z"][:, :, silent]
            return z

        def replace_mlp(out, hook, layer=layer):
            return source[f"blocks.{layer}.hook_mlp_out"]

        hooks.append((f"blocks.{layer}.attn.hook_z", replace_heads))
        if layer not in mlps:
            hooks.append((f"blocks.{layer}.hook_mlp_out", replace_mlp))
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return model(tokens)
    # END SOLUTION


# %% tags=["check"]
check("run-a-circuit", circuit_logits)

# %% [markdown] slug="the-circuit"
r"""
Which heads and MLPs tell who receives, what does each of these heads tell, and which of them act on one another? Hand
in a set of them:

```python
circuit = {
    "heads": {(1, 3): "receiver", (4, 0): "first"},
    "mlps": [0],
    "together": {((1, 3), (4, 0)): (0.2, -0.1)},
}
```

The check draws fresh stories, about strangers, with others to take activations from, as `stories_of_strangers`
makes them. It marks the two orders of names by themselves, the stories in which the person named second gives and
those in which the one named first does, each with its own $F$. First the set:

- *faithful*: 1 minus the distance of $F(C) / F(M)$ from 1, the mean of both orders. To pass it has to be .9 or more.
- *complete*: 1 minus the mean of $|F(C \setminus K) - F(M \setminus K)| / F(M)$, over eight sets $K$ of one to four
  members drawn by lot, and both orders.
- *minimal*: a member pays if some $|F(C \setminus (K \cup \{v\})) - F(C \setminus K)|$ is .03 of $F(M)$ or more, in
  one of the orders, with $K$ empty or one of two drawn sets. What counts is twice the share of members that
  pay, minus 1: a set in which half are passengers gets nothing.

The product of the three is worth .4. Then what the heads tell:

- *whom it raises*, for each head, judged by $F(M \setminus v)$ in the two orders: `"receiver"` if the answer loses
  without it in both, `"giver"` if it gains in both, `"first"` or `"second"` if it raises who is named first, or second,
  whether they receive or not. Worth .25 (nothing if half are right, and heads that move neither order by .03 are not
  asked).
- **together**: the pairs of your heads that do *not* add up. If each head took its own share away, without two of them
  $F(M \setminus u) + F(M \setminus v) - F(M)$ would be left. Give what is left beyond that, as a share of $F(M)$, where
  the second gives and where the first does. All pairs of your heads are tried; of one that you leave out we take it
  that it adds up. Worth .35: in full if your numbers explain seven tenths of the sum of squares, over all pairs and
  both orders, nothing below one tenth; and only for a faithful set, of twelve heads or fewer.

Passed from .85, excellent from .95 (the set to .95 each, all heads and the pairs right: from one draw of 96 stories to
another the whole model's $F$ scatters by about 5 %, both orders together). Of random circuits of eight heads and all
MLPs one in forty is faithful to .9.

`lab.CircuitRuns` gives $F$ of many circuits faster than one run after another:
`lab.CircuitRuns(model, tokens, others, metric).values([circuit, ...])`, where a circuit is a frozenset of pairs
`(layer, head)` and of MLPs' layers.
"""

# %% tags=["exercise"] slug="the-circuit"
# BEGIN SOLUTION
# Backward: from the whole model, take out the part whose absence harms least, and ask again after each.
orders = (stories.second_gives, ~stories.second_gives)
runs = [
    lab.CircuitRuns(
        model,
        stories.tokens[these],
        stories.others[these],
        prefers(stories.answers[these], stories.wrongs[these]),
    )
    for these in orders
]
whole = lab.all_parts(model)


def faithful(sets):
    """1 minus the distance of F(C) / F(M) from 1, the mean over both orders of names, for each set of parts."""
    shares = [
        torch.tensor(each.values(sets)) / each.values([whole])[0] for each in runs
    ]
    return 1 - torch.stack([(1 - share).abs() for share in shares]).mean(dim=0)


left, backward = whole, {}
while len(left) > 10:
    candidates = sorted(left, key=str)
    without = faithful([left - {part} for part in candidates])
    idle = candidates[without.argmax()]
    left = left - {idle}
    backward[len(left)] = left, without.max().item()
    print(f"without {idle!s:<7} {len(left):>2} parts, faithful {without.max():.3f}")

# Down to thirteen hardly anything is lost. Does each of these pay?
best, _ = backward[13]
knocked = lab.drawn_subsets(best, random.Random(0), n=8)
criteria = [
    lab.three_criteria(each.values, whole, best, knocked, knocked[:2]) for each in runs
]
pays = {part: max(each.pays[part] for each in criteria) for part in best}
for part in sorted(pays, key=pays.get)[:4]:
    print(f"{part!s:<7} pays {pays[part]:.2f}")
gap = sum(each.gap for each in criteria) / 2
print(f"incomplete by {gap:.2f}")

# And the heads with the largest single patches above, with all MLPs, order by order:
naive = frozenset({(0, 2), (2, 1), (2, 2), (3, 0), (3, 2), (4, 1), *range(n_layers)})
by_order = [(each.values([naive])[0] / each.values([whole])[0]) for each in runs]
print(f"largest single patches: {by_order[0]:.2f} of F(M) where the second gives, {by_order[1]:.2f} "
      "where the first gives")  # fmt: skip


# Whom does each head raise? Take it out of the whole model, order by order.
def left_without(parts):
    """What is left of F(M), where the second gives and where the first does."""
    return [
        each.values([whole - set(parts)])[0] / each.values([whole])[0] for each in runs
    ]


its_heads = sorted(part for part in best if isinstance(part, tuple))
left_of = {head: left_without([head]) for head in its_heads}
words = {(True, True): "receiver", (False, False): "giver", (True, False): "first"}
told_by = {}
for head, (second_gives, first_gives) in left_of.items():
    told_by[head] = words.get((second_gives < 1, first_gives < 1), "second")
    print(
        f"without {head} left {second_gives:+.2f} {first_gives:+.2f}: {told_by[head]}"
    )

# Do they act one by one? Take out every pair, and compare with the sum of the two losses.
together = {}
for pair in combinations(its_heads, 2):
    one, other = (left_of[head] for head in pair)
    both = left_without(pair)
    together[pair] = tuple(both[i] + 1 - one[i] - other[i] for i in (0, 1))
strong = sorted(together, key=lambda pair: -max(map(abs, together[pair])))[:6]
print(
    "left beyond the sum of two losses, where the second gives and where the first does"
)
for pair in strong:
    print(f"{pair[0]} and {pair[1]}: {together[pair][0]:+.2f} {together[pair][1]:+.2f}")
placed = [head for head in its_heads if told_by[head] in ("first", "second")]
without_placed = left_without(placed)
summed = [1 + sum(left_of[head][i] - 1 for head in placed) for i in (0, 1)]
print(f"without {placed} left {without_placed[0]:.2f} {without_placed[1]:.2f}; "
      f"if single losses added up, {summed[0]:.2f} {summed[1]:.2f}")  # fmt: skip
circuit = {
    "heads": told_by,
    "mlps": sorted(part for part in best if isinstance(part, int)),
    "together": together,
}
# END SOLUTION

# %% tags=["check"]
check("the-circuit", circuit)

# %% id="other-names"
# The same circuit with names drawn anew, by who receives: how much hangs on the name?
mine = frozenset({*circuit["heads"], *circuit["mlps"]})
drawn, by_name = stories_of_strangers(480, random.Random(77)), {}
for answer in drawn.answers.unique():
    these = drawn.answers == answer
    if these.sum() < 10:
        continue
    prefers_it = prefers(drawn.answers[these], drawn.wrongs[these])
    again = lab.CircuitRuns(model, drawn.tokens[these], drawn.others[these], prefers_it)
    of_model, of_circuit = again.values([lab.all_parts(model), mine])
    by_name[model.to_string(answer)] = of_model, of_circuit / of_model
for name, (of_model, kept) in sorted(by_name.items(), key=lambda item: item[1]):
    print(f"{name:<8} receives: F(M) {of_model:5.2f}, F(C) / F(M) {kept:.2f}")

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

Taking out one part at a time, the least harmful first (adding to the heads with large patches, one at a time, comes
there as well), goes down to thirteen parts with .025 lost: eight heads and all five MLPs, for which the product of the
three is .92 to .96. (The best we know; with the rest right the score is .97 to .99. Two of the heads, 0.2 and 4.3, are
small; without them eleven parts are still faithful, just.) In this model one sweep of single knock-outs finds the set
(without a member $F$ moves by .05 of $F(M)$ or more, without any other part by less than .02, the mean of both orders):
no part of it has a backup that begins to work when it is gone. It does not find how the parts work.

With other names it is much the same circuit for a model that is not the same: by who receives, $F(M)$ goes from 5.0
(Alice) to 12.5 (Kate), and of each the circuit keeps between .87 and 1.05. How sure the model is hangs on the names;
which parts make the answer hardly does.

One of the eight no patch within a pair could show. 2.3 looks at the person named *second*, whoever receives, and
raises that name: where only the giver differs it says the same in both prompts. (Among the ablations it had -1.31.)
Without it the answer loses .88 of $F(M)$ in one order and gains .55 in the other; of that a mean over both orders keeps
.17. With the heads of the largest single patches the circuit has about half more than $F(M)$ in one order and a fifth
of it in the other. Their mean, .85, is not far from faithful; of 64 stories hardly one is.

And it is not alone. Half of the heads do not tell who receives: 3.0 and 4.3 raise who is named first,
2.3 and 4.1 who is named second. Without 3.0 the answer turns round in one order, and is a good half stronger in the
other: it does most of all heads, and what it says is a place. They hold each other in balance, and they do not act one
by one. Where the second gives, the answer gains without 2.3 and gains without 4.1, and without both it gains no more
than without 2.3 alone: there 4.1 does harm only as long as 2.3 is there. Where the first gives the two add up. And
without 3.0 *and* one of these two between a sixth and a third of $F(M)$ is left beyond the sum: who raises
the first and who raises the second take from each other. With all four silent a little more than half of $F(M)$ is
left, in both orders alike; if single losses added up it would be a fifth. That they do not add up shows in a mean over
both orders, too; it hides which place each raises, and half of what 2.3 and 4.1 do to each other. Faithfulness shows
none of this: it says that the parts suffice, and not what they say. Nor do single knock-outs: the circuit that they
find is right, and what they say of two heads at once is not.

</details>
"""

# %% tags=["claim"]
assert abs(backward[13][1] - 0.975) < 0.009, "down to thirteen parts with .025 lost"
_of = {_name: _row[0] for _name, _row in by_name.items()}
assert min(_of, key=_of.get) == " Alice" and max(_of, key=_of.get) == " Kate", (
    "$F(M)$ goes from 5.0 (Alice) to 12.5 (Kate)"
)
assert [round(_f(_of.values()), 1) for _f in (min, max)] == [5.0, 12.5], (
    "$F(M)$ goes from 5.0 (Alice) to 12.5 (Kate)"
)
_kept = [_row[1] for _row in by_name.values()]
assert [round(_f(_kept), 2) for _f in (min, max)] == [0.87, 1.05], (
    "of each the circuit keeps between .87 and 1.05"
)
assert (
    together[(2, 3), (4, 1)][0] < -0.25 and abs(together[(2, 3), (4, 1)][1]) < 0.15
), "Where the first gives the two add up"
assert min(left_of[2, 3][0], left_of[4, 1][0]) > 1.2, (
    "the answer gains without 2.3 and gains without 4.1"
)
assert left_without([(2, 3), (4, 1)])[0] <= left_of[2, 3][0], (
    "without both it gains no more than without 2.3 alone"
)
assert all(
    1 / 6 - 0.005 < _extra < 1 / 3 + 0.005
    for _pair in (((2, 3), (3, 0)), ((3, 0), (4, 1)))
    for _extra in together[_pair]
), "between a sixth and a third of $F(M)$ is left beyond the sum"
assert {_h for _h in told_by if told_by[_h] == "first"} == {(3, 0), (4, 3)}, (
    "3.0 and 4.3 raise who is named first"
)
assert {_h for _h in told_by if told_by[_h] == "second"} == {(2, 3), (4, 1)}, (
    "2.3 and 4.1 who is named second"
)
assert left_of[3, 0][0] < -0.3 and left_of[3, 0][1] > 1.5, (
    "Without 3.0 the answer turns round in one order, and is a good half stronger in the other"
)
assert all(0.48 < _x < 0.66 for _x in without_placed), (
    "a little more than half of $F(M)$ is left, in both orders alike"
)
assert all(abs(_x - 0.2) < 0.05 for _x in summed), (
    "If single losses added up it would be a fifth"
)
assert len(circuit["heads"]) == 8 and len(circuit["mlps"]) == 5, (
    "eight heads and all five MLPs"
)
assert {(0, 2), (4, 3), (2, 3)} <= set(circuit["heads"]), (
    "Two of the heads, 0.2 and 4.3, are small"
)
assert set(sorted(pays, key=pays.get)[:2]) == {(0, 2), (4, 3)}, (
    "Two of the heads, 0.2 and 4.3, are small"
)
assert backward[11][1] > 0.9 and backward[11][0] == best - {(0, 2), (4, 3)}, (
    "without them eleven parts are still faithful"
)
_moved = {
    _part: sum(abs(1 - _left) for _left in left_without([_part])) / 2 for _part in whole
}
assert min(_moved[_part] for _part in best) > 0.05 - 0.001, (
    "without a member $F$ moves by .05 of $F(M)$ or more"
)
assert max(_moved[_part] for _part in whole - best) < 0.02, (
    "without any other part by less than .02"
)
assert abs(head_map[2, 3]) < 0.03, "One of the eight no patch within a pair could show"
assert f"{ablated['resample'][heads.index('2.3')]:.2f}" == "-1.31", "it had -1.31"
assert [round(_left - 1, 2) for _left in left_of[2, 3]] == [0.55, -0.88], (
    "loses .88 of $F(M)$ in one order and gains .55 in the other"
)
assert round(1 - sum(left_of[2, 3]) / 2, 2) == 0.17, "a mean over both orders keeps .17"
_both = together[(2, 3), (4, 1)]
assert 0.35 < abs(sum(_both)) / 2 / max(map(abs, _both)) < 0.55, (
    "and half of what 2.3 and 4.1 do to each other"
)
assert sum(without_placed) - sum(summed) > 0.5, (
    "That they do not add up shows in a mean over both orders, too"
)
assert 1.35 < by_order[0] < 1.65 and 0.1 < by_order[1] < 0.3, (
    "about half more than $F(M)$ in one order and a fifth of it in the other"
)
assert round(sum(by_order) / 2, 2) == 0.85, "Their mean, .85"
_each = prefers(stories.answers, stories.wrongs)
_alone = circuit_logits(
    model,
    stories.tokens,
    stories.others,
    [_part for _part in naive if isinstance(_part, tuple)],
    list(range(n_layers)),
)
with torch.no_grad():
    _shares = _each(_alone) / _each(model(stories.tokens))
assert ((_shares - 1).abs() < 0.1).sum() <= 2, "of 64 stories hardly one is"
_looks = capture(model, stories.tokens, ["pattern"])["blocks.2.attn.hook_pattern"]
assert _looks[:, 3, -1, places["second"]].mean() > 0.9, (
    "2.3 looks at the person named *second*, whoever receives"
)

# %% [markdown]
r"""
## Reading is not using

A **probe** is a direction fitted so that a label can be read along it. A perfect probe says that the
information is there. To ask whether the model uses it *there*, change the activation along that direction and
nothing else:

$$x \;\to\; x + \big((x' - x) \cdot u\big)\, u, \qquad u = \frac{d}{\lVert d \rVert}$$

After that a probe along $d$ reads the value of $x'$, and everything at a right angle to $d$ is as it was.
"""

# %% [markdown] slug="exchange-along"
r"""
Write that. `x` and `source` ($x'$) are `[row d]`, `direction` is `[d]` and has any length.
"""


# %% tags=["exercise"] slug="exchange-along"
def exchange_along(
    x: Float[Tensor, "row d"],
    source: Float[Tensor, "row d"],
    direction: Float[Tensor, "d"],
) -> Float[Tensor, "row d"]:
    """x with the source's part along a direction."""
    # BEGIN SOLUTION
    u = direction / direction.norm()
    return x + ((source - x) @ u)[:, None] * u
    # END SOLUTION


# %% tags=["check"]
check("exchange-along", exchange_along)

# %% [markdown] slug="probe-is-not-cause"
r"""
Here is a hidden layer that we planted. A label is written along **two** directions at a right angle; the
output reads one of them. The four directions below are: one that nothing reads, a random one, the one that is
read, and a mixture, in an order that you may find out from the numbers. For each of a, b, c, d say whether
the label is **readable** along it (more than 95 % right) and whether it is **used** (exchanging it with a row
of the other label moves the output by more than a quarter of its size). Give four pairs `(readable, used)` of
True and False.
"""

# %% id="four-directions"
planted = lab.planted_probe(400, 16, seeded(4))
random_direction = torch.randn(16, generator=seeded(5))
for known in (planted.used, planted.unused):
    random_direction = random_direction - (random_direction @ known) * known
directions = {
    "a": planted.unused,
    "b": random_direction / random_direction.norm(),
    "c": planted.used,
    "d": (planted.used + planted.unused) / 2**0.5,
}
with_label, without = planted.labels.nonzero()[:, 0], (~planted.labels).nonzero()[:, 0]
rows = torch.arange(len(planted.labels))
partner = torch.where(
    planted.labels, without[rows % len(without)], with_label[rows % len(with_label)]
)
before = planted.output(planted.hidden)
for letter, direction in directions.items():
    read = ((planted.hidden @ direction > 0) == planted.labels).float().mean()
    edited = exchange_along(planted.hidden, planted.hidden[partner], direction)
    moved = (planted.output(edited) - before).abs().mean() / before.abs().mean()
    print(f"{letter}: read {read:6.1%}   output moved by {moved:.2f} of its size")

# %% tags=["exercise"] slug="probe-is-not-cause"
verdicts = ((True, False), (False, False), (True, True), (True, True))  # SOLUTION

# %% tags=["check"]
check("probe-is-not-cause", verdicts)

# %% [markdown]
r"""
A perfect probe, and no effect at all. That was planted. Does it happen in a trained model? Take the label
"the giver has a man's name", at the giver's position. The probe is fitted on stories about *other* pairs of
people and measured on ours. Then we exchange first its direction, and then the whole stream, in those pairs
in which the label differs. A control goes with it (Hewitt and Liang 2019): a second probe, for a label without
meaning, "the giver is one of eight names drawn by lot".
"""

# %% id="probe-on-atlas"
mens = ["John", "Oscar", "Paul", "Jack", "David", "Peter", "Henry", "Simon"]
mens_tokens = torch.tensor([model.to_single_token(f" {name}") for name in mens])
any_half = torch.tensor(name_tokens)[
    torch.randperm(len(NAMES), generator=seeded(6))[: len(NAMES) // 2]
]
giver = places["giver"]


def giver_is_in(group, tokens):
    return torch.isin(tokens[:, giver], group)


def read_at_the_giver(name, group):
    """A probe for the group of names, and its accuracy on pairs it was not fitted on."""
    probe = lab.fit_probe(fit_on[name][:, giver], giver_is_in(group, known.clean))
    labels = giver_is_in(group, mixed_clean)
    return probe, lab.probe_accuracy(probe, ours[name][:, giver], labels)


acquainted = [pair for pair in combinations(NAMES, 2) if not pair_is_held_out(*pair)]
known = pair_batch(
    model, list(story_pairs(acquainted, model.tokenizer, random.Random(1)))
)
mixed = giver_is_in(mens_tokens, batch.clean) != giver_is_in(
    mens_tokens, batch.corrupted
)
mixed_clean, mixed_corrupted = batch.clean[mixed], batch.corrupted[mixed]
mixed_metric = prefers(batch.answers[mixed], batch.wrongs[mixed])
with torch.no_grad():
    high, low = (
        mixed_metric(model(each)).mean() for each in (mixed_clean, mixed_corrupted)
    )

fit_on, ours, others = (
    capture(model, each, ["resid_pre"])
    for each in (known.clean, mixed_clean, mixed_corrupted)
)
print(f"{len(known.clean)} stories to fit on, {int(mixed.sum())} pairs to measure")
print(
    "at the giver    probe reads   any half   lost: along the probe   along everything"
)
for layer in range(n_layers):
    site = Site("resid_pre", layer, position=giver)
    probe, read = read_at_the_giver(site.hook_name, mens_tokens)
    _, read_half = read_at_the_giver(site.hook_name, any_half)
    along = lab.patch_direction(
        model, mixed_clean, mixed_corrupted, mixed_metric, site, probe.direction
    ).mean()
    everything = mixed_metric(lab.run_patched(model, mixed_clean, others, site)).mean()
    lost = [(high - value) / (high - low) for value in (along, everything)]
    print(
        f"before layer {layer} {read:>12.0%}{read_half:>11.0%}{lost[0]:>+24.2f}{lost[1]:>+19.2f}"
    )

# %% [markdown]
r"""
**What you should see.** The probe reads perfectly before every layer, and so does the one for names drawn by lot:
sixteen names in so many dimensions can be parted any way you like, and they are the same
sixteen in all pairs. So that alone says nothing about men. Now the two columns on the right. Where exchanging
*everything* costs nothing, nobody reads the giver at that position any more, whatever the probe says. Where
exchanging everything costs the answer and the probe's direction little of it, what this direction holds is little of
what matters there, though which person it is matters. The probe's accuracy tells you neither.

A warning for the other side: that an output follows when a direction is exchanged does not make it *the*
direction the model uses. Above, the mixture d moved the output as much as c did, by its part along c. Makelov
et al. 2023 show how such a direction can look like a cause in a language model. The same care is due where
directions are not read but *learned* by the intervention itself: distributed alignment search (DAS, Geiger et
al. 2023) trains a rotation of the activation so that exchanging a few of its axes moves the answer.
"""

# %% tags=["claim"]
for _layer in range(n_layers):
    _site = Site("resid_pre", _layer, position=giver)
    _probe, _read = read_at_the_giver(_site.hook_name, mens_tokens)
    _, _half = read_at_the_giver(_site.hook_name, any_half)
    assert _read > 0.99 and _half > 0.99, (
        "The probe reads perfectly before every layer, and so does the one for names drawn by lot"
    )
    _along = lab.patch_direction(
        model, mixed_clean, mixed_corrupted, mixed_metric, _site, _probe.direction
    ).mean()
    _everything = mixed_metric(
        lab.run_patched(model, mixed_clean, others, _site)
    ).mean()
    _lost = [((high - _v) / (high - low)).item() for _v in (_along, _everything)]
    if _layer < 3:
        assert _lost[1] > 0.9 and _lost[0] < 0.1, (
            "Where exchanging everything costs the answer and the probe's direction little of it"
        )
    if _layer == 4:
        assert abs(_lost[1]) < 0.02, "Where exchanging *everything* costs nothing"

# %% tags=["quiz"]
quiz("probe-against-cause", "c")

# %% [markdown]
r"""
## Four experiments that somebody might have published

Each has an output and a conclusion. Some have a flaw, and not each that looks flawed is. Read the code as a referee
would.

**A. "The model remembers who has met whom."** 46 pairs of people, half of whom met in training; either is named
first. A probe at the token of the person named second, before layer 3, is fitted on some stories and right in most of
the others.
"""

# %% id="experiment-a"
never = [pair for pair in combinations(NAMES, 2) if pair_is_held_out(*pair)]
met = [pair for pair in combinations(NAMES, 2) if not pair_is_held_out(*pair)]
people = never + random.Random(7).sample(met, len(never))
either_first = [*people, *(pair[::-1] for pair in people)]
told = stories_about(either_first, 480, random.Random(8))
about = told.pair % len(people)  # which of the people, in either order
have_met = about >= len(never)
streams_a = capture(model, told.tokens, ["resid_pre"])["blocks.3.hook_resid_pre"]
read_from = streams_a[:, places["second"]]

fold = torch.randperm(len(told.tokens), generator=seeded(9)) % 4
read_rightly = []
for test in (fold == i for i in range(4)):
    probe = lab.fit_probe(read_from[~test], have_met[~test])
    read_rightly.append(lab.probe_accuracy(probe, read_from[test], have_met[test]))
experiment_a = float(sum(read_rightly) / 4)
print(f"stories that the probe was not fitted on: {experiment_a:.0%} right")

# %% [markdown]
r"""
**B. "Head 2.2 is hardly needed."** Its output is replaced by its mean over stories. What is lost of the log
probability of the right answer, on the scale from the clean run (0) to the run in which the giver is exchanged (1)?
"""

# %% id="experiment-b"
stories_b = stories_of_strangers(64, random.Random(10))
exchanged = stories_b.tokens.clone()
exchanged[:, places["giver"]] = stories_b.answers


def log_probability(logits):
    chances = logits[:, -1].log_softmax(dim=-1)
    return chances[torch.arange(len(chances)), stories_b.answers]


with torch.no_grad():
    intact, turned = (
        log_probability(model(each)).mean() for each in (stories_b.tokens, exchanged)
    )
cut = log_probability(
    lab.ablate(model, stories_b.tokens, Site("z", 2, head=2), "mean")
).mean()
experiment_b = float((intact - cut) / (intact - turned))
print(f"lost without 2.2: {experiment_b:.3f} of the way")

# %% [markdown]
r"""
**C. "The model uses the direction of men's names."** A probe before layer 1, at the giver. Then the giver is
exchanged along its direction, in the stories in which one of the two is a man and the other is not. As a control:
four random directions.
"""

# %% id="experiment-c"
fit_on_c = stories_about(met, 160, random.Random(11)).tokens
stream_c = capture(model, fit_on_c, ["resid_pre"])["blocks.1.hook_resid_pre"]
site_c = Site("resid_pre", 1, position=places["giver"])


def moved_along(direction, group):
    """The share of the answer that moves, in the stories in which one of the two is in the group."""
    these = giver_is_in(group, stories_b.tokens) != giver_is_in(group, exchanged)
    clean, other = stories_b.tokens[these], exchanged[these]
    measure = prefers(stories_b.answers[these], stories_b.wrongs[these])
    with torch.no_grad():
        high, low = (measure(model(each)).mean() for each in (clean, other))
    along = lab.patch_direction(model, clean, other, measure, site_c, direction)
    return float((high - along.mean()) / (high - low))


for_men = lab.fit_probe(stream_c[:, giver], giver_is_in(mens_tokens, fit_on_c))
experiment_c = moved_along(for_men.direction, mens_tokens)
controls = [
    moved_along(torch.randn(128, generator=seeded(i)), mens_tokens) for i in range(4)
]
print(f"along the direction of men's names: {experiment_c:.3f} of the answer moves")
print(f"along random directions, mean:      {sum(controls) / 4:.3f}")

# %% [markdown]
r"""
**D. "Before layer 3 the prompt's end knows which of the two gives."** The stories of A, about the same 46 pairs of
people, and the same parts of them for fitting and for the test. A probe for whether it is the person named second who
gives.
"""

# %% id="experiment-d"
read_at_the_end = streams_a[:, places["end"]]
read_rightly = []
for test in (fold == i for i in range(4)):
    probe = lab.fit_probe(read_at_the_end[~test], told.second_gives[~test])
    read_rightly.append(
        lab.probe_accuracy(probe, read_at_the_end[test], told.second_gives[test])
    )
experiment_d = float(sum(read_rightly) / 4)
print(f"stories that the probe was not fitted on: {experiment_d:.0%} right")

# %% [markdown] slug="what-is-wrong-with-this-experiment"
r"""
Which of the four are flawed, so that their number would be much the same if their claim were false, and which are not?
For each give the **verdict** (`"flawed"` or `"sound"`), change **one** setting, so that the flaw shows, or would have
shown if there were one, and predict the **number** that the changed experiment gives: for A and D the share that is
read rightly, for B the share lost, for C the share of the answer that moves along the *control's* directions (not along
the men's), their mean (with eight names by lot: in the stories in which one of the two is among the eight). More than
one change may show a flaw. The settings, with what was done first:

| | | |
|---|---|---|
| A | `split` | `"story"`, `"opening"` (When, After, While: test on one, fit on the others), `"pair"` (of people) |
| | `label` | `"met"`, `"lot"` (each pair gets a label by lot) |
| | `place` | `"second"`, `"giver"`, `"end"` |
| B | `metric` | `"log probability"`, `"probability"`, `"accuracy"`, `"logit difference"` |
| | `instead` | `"mean"`, `"zero"`, `"resample"` |
| | `stories` | `"64"`, `"128"` |
| C | `control` | `"random"`, `"shuffled"` (the men's labels, shuffled story by story), `"lot"` (eight names by lot) |
| | `layer` | `"1"`, `"0"`, `"2"` |
| | `directions` | `"4"`, `"8"` |
| D | `split` | `"story"`, `"opening"`, `"pair"` |
| | `label` | `"gives"`, `"lot"` (each pair gets a label by lot) |
| | `place` | `"end"`, `"giver"`, `"second"` |

```python
controls_by_me = {
    "A": {"verdict": "flawed", "place": "end", "number": 0.7},
    "B": {"verdict": "sound", "instead": "zero", "number": 0.1},
    "C": {"verdict": "sound", "layer": "0", "number": 0.01},
    "D": {"verdict": "flawed", "place": "giver", "number": 0.9},
}
```

The check repeats each experiment as it was made and with your change, on other stories and people. Each is worth a
quarter: nothing with the wrong verdict, with the right one .05, .12 more for a control that decides, and .08 more if
its number comes true (to .15 in A, where reading about pairs that are not in the fit scatters from draw to draw; .05 in
B, .04 in C, .08 in D). Passed from .91: all four, with one number that may be off, but not B's.
"""

# %% tags=["exercise"] slug="what-is-wrong-with-this-experiment"
# BEGIN SOLUTION
# A: the same pairs of people are in both parts. Keep pairs apart; and try labels that mean nothing.
fold_of_pair = torch.randperm(len(people), generator=seeded(12)) % 4
by_lot = have_met[:0].new_tensor([i % 2 for i in range(len(people))])
by_lot = by_lot[torch.randperm(len(people), generator=seeded(13))][about]


def read_share(x, labels, test_of):
    shares = []
    for test in (test_of == i for i in range(4)):
        probe = lab.fit_probe(x[~test], labels[~test])
        shares.append(lab.probe_accuracy(probe, x[test], labels[test]))
    return float(sum(shares) / 4)


apart = read_share(read_from, have_met, fold_of_pair[about])
lot = read_share(read_from, by_lot, fold)
print(f"A: other pairs {apart:.0%}, labels by lot {lot:.0%}")

# B: another ruler.
difference = prefers(stories_b.answers, stories_b.wrongs)
with torch.no_grad():
    at = [difference(model(each)).mean() for each in (stories_b.tokens, exchanged)]
without = difference(
    lab.ablate(model, stories_b.tokens, Site("z", 2, head=2), "mean")
).mean()
lost = float((at[0] - without) / (at[0] - at[1]))
print(f"B: lost of the logit difference {lost:.3f}")

# C: directions that separate givers as well, and mean nothing.
drawn = [
    torch.tensor(name_tokens)[torch.randperm(16, generator=seeded(20 + i))[:8]]
    for i in range(6)
]
meaningless = [
    moved_along(
        lab.fit_probe(stream_c[:, giver], giver_is_in(group, fit_on_c)).direction, group
    )
    for group in drawn
]
print(f"C: along directions of names by lot {sum(meaningless) / 6:.3f}")

# D: as in A, the pairs are the same on both sides. But does a pair tell who gives? Or the giver's name alone?
both_ways = [told.second_gives[about == i].float().mean() for i in about.unique()]
both_ways = sum(0 < share < 1 for share in both_ways)
d_apart = read_share(read_at_the_end, told.second_gives, fold_of_pair[about])
d_lot = read_share(read_at_the_end, by_lot, fold)
is_giver = (told.wrongs[:, None] == told.wrongs.unique()).float()
by_name_alone = read_share(is_giver, told.second_gives, fold_of_pair[about])
print(
    f"D: other pairs {d_apart:.0%}; {both_ways} of {len(people)} pairs give both ways; labels by lot {d_lot:.0%}; "
    f"the giver's name alone {by_name_alone:.0%}"
)

# And why not the probability, in B? Look at the stories one by one.
chances = lab.ablate(model, stories_b.tokens, Site("z", 2, head=2), "mean")[:, -1]
stays = chances.softmax(-1)[torch.arange(64), stories_b.answers] > 0.9
with torch.no_grad():
    drop = difference(model(stories_b.tokens)) - difference(
        lab.ablate(model, stories_b.tokens, Site("z", 2, head=2), "mean")
    )
lost_there = float(drop[stays].mean() / (at[0] - at[1]))
print(
    f"B: probability over .9 without 2.2 in {stays.float().mean():.0%} of the stories; {lost_there:.2f} lost there"
)
controls_by_me = {
    "A": {"verdict": "flawed", "split": "pair", "number": apart},
    "B": {"verdict": "flawed", "metric": "logit difference", "number": lost},
    "C": {"verdict": "flawed", "control": "lot", "number": sum(meaningless) / 6},
    "D": {"verdict": "sound", "split": "pair", "number": d_apart},
}
# END SOLUTION

# %% tags=["check"]
check("what-is-wrong-with-this-experiment", controls_by_me)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

A is a leak: the same pairs are in both parts, so the probe has learned 46 pairs by heart. On pairs that it was not
fitted on it is right in six of ten, no more than the two names alone would tell it, for some people have met fewer than
others; and labels drawn by lot it reads nearly as well. B is a metric that saturates: the answer's log probability is
near 0, its upper end, and hardly moves; of the logit difference a quarter of the way is lost. (Nor will the probability
do: in three stories of five it is over .9 without the head as well, and a fifth of the way is lost there unseen.) C is
a control that cannot fail: hardly any of what differs between two givers lies along a random direction, whatever is
true of men. (Labels shuffled story by story are no better: a probe for them finds no direction of names.) Along
directions that part the names by lot the answer moves at least as much.

D looks like A: the same pairs are in both parts. But a pair tells nothing about who gives, for nearly all of them give
both ways, and nor does the giver's name: there is nothing to learn by heart. On pairs that it was not fitted on the
probe is right in more than nine of ten stories: less than before, and far from a coin. D is sound. (The people of these
pairs it has seen in others; where both are new to it, it is right in about seven stories of ten. Labels drawn by lot
for each pair are read better than by a coin in D as well. That says what the probe *could* learn of a pair, and not
that it helped: no such label was asked.) A leak is not that something is shared; it is that what is shared tells the
label. With these four, and numbers from our own runs, the score is 1.

</details>
"""

# %% tags=["claim"]
assert experiment_a > 0.8, "is fitted on some stories and right in most of the others"
assert 0.55 < apart < 0.68, "it is right in six of ten"
_is_told = is_giver + (told.answers[:, None] == told.wrongs.unique())
_by_names = [
    (
        read_share(_is_told, have_met, _split := _order[about] % 4),
        read_share(read_from, have_met, _split),
    )
    for _order in [
        torch.randperm(len(people), generator=seeded(50 + _i)) for _i in range(4)
    ]
]
_by_names, _by_stream = (sum(_each) / 4 for _each in zip(*_by_names, strict=True))
assert abs(_by_names - _by_stream) < 0.05, (
    "no more than the two names alone would tell it"
)
assert 0 < experiment_a - lot < 0.1, "labels drawn by lot it reads nearly as well"
assert intact > -0.1 and experiment_b < 0.08, (
    "is near 0, its upper end, and hardly moves"
)
assert abs(lost - 0.25) < 0.06, "a quarter of the way is lost"
assert sum(controls) / 4 < 0.03 < experiment_c, (
    "hardly any of what differs between two givers lies along a random direction"
)
assert sum(meaningless) / 6 > experiment_c, "the answer moves at least as much"
assert abs(stays.float().mean() - 0.6) < 0.05, "in three stories of five it is over .9"
assert abs(lost_there - 0.2) < 0.05, "a fifth of the way is lost there unseen"
assert both_ways > 0.9 * len(people), "nearly all of them give both ways"
assert abs(by_name_alone - 0.5) < 0.08, "nor does the giver's name"
assert 0.9 < d_apart < 0.97, "right in more than nine of ten stories"
_new_to_it = []
for _seed in range(18):
    _ids = told.wrongs.unique()
    _new = _ids[torch.randperm(len(_ids), generator=seeded(_seed))[:5]]
    _gives, _gets = torch.isin(told.wrongs, _new), torch.isin(told.answers, _new)
    _fit, _test = ~_gives & ~_gets, _gives & _gets
    _probe = lab.fit_probe(read_at_the_end[_fit], told.second_gives[_fit])
    _new_to_it.append(
        lab.probe_accuracy(_probe, read_at_the_end[_test], told.second_gives[_test])
    )
assert abs(sum(_new_to_it) / 18 - 0.7) < 0.05, "right in about seven stories of ten"
assert experiment_d > d_apart, "less than before"
assert d_lot > 0.6, "for each pair are read better than by a coin in D as well"

# %% [markdown]
r"""
## On the real thing

The same pairs, the same functions of the lab, on GPT-2 small (about 550 MB, once). Wang et al. 2022 found 26
heads of 7 kinds for this task there; the name movers they found first are heads 9.9, 9.6 and 10.0. Without a
network you get one line that says so.
"""

# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
try:
    gpt2 = open_specimen("gpt2", device="cpu")
    real = list(
        story_pairs(
            [("Mary", "John"), ("Anna", "Paul")], gpt2.tokenizer, random.Random(0)
        )
    )
    real_batch = pair_batches(gpt2, real)[0]
    real_metric = prefers(real_batch.answers, real_batch.wrongs)
    inputs = (
        gpt2,
        real_batch.clean,
        real_batch.corrupted,
        real_metric,
        "z",
        ("layer", "head"),
    )
    exact_sweep, estimate = lab.denoise(*inputs), lab.attribution_patching(*inputs)
    agreement = lab.agreement(exact_sweep, estimate)
    top = [
        f"{site.layer}.{site.head} {effect:+.2f}" for site, effect in exact_sweep.top(6)
    ]
    print("GPT-2 small, denoising one head:", ",  ".join(top))
    print(f"correlation with one gradient: {agreement.pearson:.3f}")
except SpecimenError as error:
    print(error)

# %% [markdown]
r"""
## Common misreadings

- **"Patching it restores the answer, so it computes the answer."** It carries what differs *between these two
  prompts*. What both share is invisible.
- **"Patching it does nothing, so it does nothing."** Try the other direction: one of two needed parts does
  not show when denoising.
- **"The estimate says zero, so skip it."** At a flat place the slope is zero and the patch may still turn the
  answer round.
- **"The lens sees the answer in layer 4, so it is computed there."** It becomes *visible* there.
- **"The probe is perfect, so the model uses it."** You have seen one that moves nothing.
- **"Without the head the answer survives, so the head is irrelevant."** There may be a backup. GPT-2 small
  has them.

## Recap
"""

# %% tags=["quiz"]
quiz("gendered-pronouns", "a")

# %% [markdown]
r"""
Can you say these without looking? Why a pair and not noise. Why a logit difference and not a probability.
Which direction finds what is enough. On which run the gradient is taken, and why. Two reasons why the
estimate can be wrong. What is held in path patching. What zero ablation removes that mean ablation leaves.
What a probe cannot tell.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Wang et al. 2022, *Interpretability in the Wild*. The story about Mary and John, path patching, mean ablation.
- Heimersheim and Nanda 2024, *How to Use and Interpret Activation Patching*. Denoising and noising, AND and OR.
- Zhang and Nanda 2024, *Towards Best Practices of Activation Patching*. Metrics and corruptions, compared.
- Nanda 2023, *Attribution Patching: Activation Patching at Industrial Scale*. One gradient for all.
- Kramár et al. 2024, *AtP\**. Where the gradient misses, and cheap repairs.
- Sundararajan et al. 2017, *Axiomatic Attribution for Deep Networks*. Integrated gradients.
- Meng et al. 2022, *Locating and Editing Factual Associations in GPT*. Causal tracing with noise.
- Vig et al. 2020, *Investigating Gender Bias in Language Models Using Causal Mediation Analysis*; Geiger et al.
  2020, *Neural Natural Language Inference Models Partially Embed Theories of Lexical Entailment and Negation*.
  Pairs of prompts, before patching had its name.
- Syed et al. 2023, *Attribution Patching Outperforms Automated Circuit Discovery*; Hanna et al. 2024, *Have
  Faith in Faithfulness*. Edges by one gradient, and on the way.
- Belrose et al. 2023, *Eliciting Latent Predictions from Transformers with the Tuned Lens*.
- Geiger et al. 2023, *Finding Alignments Between Interpretable Causal Variables and Distributed Neural
  Representations*. Directions learned by intervening (DAS).
- nostalgebraist 2020, *interpreting GPT: the logit lens*.
- Hewitt and Liang 2019, *Designing and Interpreting Probes with Control Tasks*. Labels drawn by lot.
- Makelov et al. 2023, *Is This the Subspace You Are Looking for?* How patching a direction can mislead.
- Belinkov 2022, *Probing Classifiers: Promises, Shortcomings, and Advances*.
"""
