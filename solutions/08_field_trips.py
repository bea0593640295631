# %% [markdown] minutes=75
r"""
# 08 · Field trips

Small case studies after *On the Biology of a Large Language Model*: each with a hypothesis, a test, and a control.

## What you will be able to do

- tell a plan from something that can merely be read: exchange it, and look at everything that is written afterwards
- let a model write on after an edit that stays where it was made
- count as followed only what tells the new plan from the old one
- take a table of means apart, and say whether a whole stands there or its ingredients side by side
- measure what a fact in three languages has in common, beside a floor
- say of each finding what it does and does not show about a large model

You need chapter 05: a difference of means, added in the middle of a computation.
"""

# %% tags=["setup"]
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor import check, progress, quiz, show
from mi_tutor.lab import biology
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.lab.swaps import (
    class_means,
    other_classes,
    readable,
    readable_left_out,
    streams,
    swap_logits,
)
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.biology import (
    PLANS,
    RHYMES,
    couplet_lines,
    goes_with_plan,
    line_template,
    other_plans,
    plan_lines,
    rhyme_lines,
)

# %% [markdown]
r"""
## Is the rhyme chosen before the line?

A model writes one token after another. That does not say that it *decides* one token after another. Lindsey et al.
2025 found in Claude 3.5 Haiku, at the line break of a couplet, features of words that the second line might end in.
They put another word's feature in there, and in 70 % of cases (25 poems) the line ended in that word, with a middle
that led up to it.

```
 Oscar crossed the moat, ⏎            and Anna fed the old goat.
                          ▲                     ▲           ▲
                 chosen here already?      fits the word   the word
```

So the **hypothesis** has two parts. (a) At the line break stands which word the line will end in. (b) The line is
written from there: exchange the word, and the end changes, *and the middle changes to fit*. The **test** is an
exchange. The **control** is a random direction of the same norm, and a model of which we know that it does not plan.

We begin with `atlas`, which has couplets in its text: whatever stands at the end of its first line, the second one
ends in another word of the rhyme.
"""

# %% id="couplets-of-atlas"
torch.set_grad_enabled(False)  # nothing is trained in this chapter
atlas = open_specimen("atlas", device="cpu")
plain_atlas = plain_transformer(atlas)
couplets = rhyme_lines(n_each=3)
print(
    f"{len(couplets.texts)} first lines, {len(RHYMES)} rhymes; one of them: {couplets.texts[0]!r}"
)

before = streams(plain_atlas, couplets.tokens)  # [layer prompt pos d_model]
n_layers = len(plain_atlas.blocks)
places = {"rhyme word": -3, "comma": -2, "line break": -1}
read = torch.tensor(
    [
        [
            float(
                readable_left_out(
                    before[layer][:, place], couplets.rhymes, couplets.words
                )
            )
            for place in places.values()
        ]
        for layer in range(1, n_layers)
    ]
)
show.heatmap(
    read,
    title="Where can the rhyme be read?",
    subtitle="nearest mean of the other words of the rhyme; chance 0.07",
    x_title="token",
    y_title="stream",
    value_title="share of lines",
    x=list(places),
    y=[f"before layer {layer}" for layer in range(1, n_layers)],
)

# %% [markdown]
r"""
*What you should see.* At the rhyme word the rhyme is read nearly always, as it must be. At the line break it is
read in more than nine of ten lines before layer 3, by means that never saw this line's own word. Part (a) looks
good: a word of this sound will come, and the line break says which sound.
"""

# %% tags=["claim"]
assert read[:, 0].min() > 0.95, "At the rhyme word the rhyme is read nearly always"
assert read[2, 2] > 0.9, "read in more than nine of ten lines before layer 3"

# %% [markdown] slug="write-a-line"
r"""
For part (b) a model has to write a line after the exchange, and several tokens of it are given: "and Anna ___ the old
___". Return what stands in the blanks, `[prompt blank]`. The template has a token id for each given position and None
for each blank; a blank gets the most likely token. The step is added to the stream before layer `layer`, at position
`place` of the prompts (counted from their start), and at no other.
"""


# %% tags=["exercise"] slug="write-a-line"
def write_a_line(
    model,
    tokens: Int[Tensor, "prompt pos"],
    template: list[int | None],
    steps: Float[Tensor, "prompt d_model"],
    layer: int,
    place: int,
) -> Int[Tensor, "prompt blank"]:
    """What is written into the blanks, with each prompt's step added at one place of the prompts."""
    # BEGIN SOLUTION
    places, written = torch.full((len(tokens),), place), []
    for token in template:
        if token is None:
            new = swap_logits(model, tokens, places, steps, layer).argmax(dim=-1)
            written.append(new)
        else:
            new = torch.full((len(tokens),), token)
        tokens = torch.cat([tokens, new[:, None]], dim=1)
    return torch.stack(written, dim=1)
    # END SOLUTION


# %% tags=["check"]
check("write-a-line", write_a_line)

# %% [markdown] slug="what-fits"
r"""
What counts? "fed" after the plan *goat* was put in says nothing if the line would have had "fed" anyway. So a written
word **fits** if it goes with the target's plan in this blank, and does not go with the prompt's own plan.
`goes_with[b, p, w]` says whether word w goes with plan p in blank b. Return `[prompt target blank]`.
"""


# %% tags=["exercise"] slug="what-fits"
def what_fits(
    written: Int[Tensor, "prompt target blank"],
    plans: Int[Tensor, "prompt"],
    targets: Int[Tensor, "prompt target"],
    goes_with: Bool[Tensor, "blank plan vocab"],
) -> Bool[Tensor, "prompt target blank"]:
    """Which words followed the swap."""
    # BEGIN SOLUTION
    blanks = torch.arange(written.shape[-1])
    with_target = goes_with[blanks, targets[..., None], written]
    with_own = goes_with[blanks, plans[:, None, None], written]
    return with_target & ~with_own
    # END SOLUTION


# %% tags=["check"]
check("what-fits", what_fits)

# %% [markdown]
r"""
Now exchange the rhyme in `atlas`, at each place and before each layer, and let it write. (`biology.swap_plans` does
what you just wrote, for several targets, without hooks.) Before you run it: where will the line's end follow?
"""

# %% id="atlas-swapped"
targets = other_classes(couplets.rhymes, len(RHYMES), 2, seed=0)


def swapped_in_atlas(layer, place):
    """The shares of verbs and of ends that follow another rhyme."""
    means = class_means(before[layer][:, place], couplets.rhymes, len(RHYMES))
    done = biology.swap_plans(
        plain_atlas, couplets.tokens, couplets.rhymes, targets, means,
        couplets.template, couplets.goes_with, layer, place,
    )  # fmt: skip
    return done.by_blank


followed = torch.stack(
    [
        torch.stack([swapped_in_atlas(layer, place)[1] for place in places.values()])
        for layer in range(n_layers)
    ]
)
show.heatmap(
    followed,
    title="Where does the end of the line follow?",
    subtitle="rhyme exchanged by difference of means at one token",
    x_title="token",
    y_title="stream",
    value_title="share of lines",
    x=list(places),
    y=[f"before layer {layer}" for layer in range(n_layers)],
)

# %% [markdown]
r"""
*What you should see.* At the rhyme word, up to layer 2, nearly every line ends in the new rhyme. At the line break no
line does, before no layer, though the rhyme could be read there. `atlas` looks back at the first line when it comes to
the end of the second. **A readable plan is no plan.** And nothing forces it to have one: its verbs are drawn evenly, so
nothing about the end needs to be known before.
"""

# %% tags=["claim"]
assert followed[:3, 0].min() > 0.95, (
    "At the rhyme word, up to layer 2, nearly every line ends in the new rhyme"
)
assert followed[:, 2].max() == 0, "At the line break no line does, before no layer"

# %% tags=["quiz"]
quiz("what-makes-a-plan", "a")

# %% [markdown]
r"""
## Text in which planning pays

The specimen `planner-twin` reads other couplets:

```
 One day the shepherd saw the moat, ⏎   and Tom fed the small goat.
             └ topic: farm    └ rhyme: oat        └ verb └ adj └ the plan
```

Topic and rhyme together fix one word, and neither does alone. The verb, the adjective and the end each depend on
that word; and a name that says nothing stands between the line break and the verb. So whoever chooses the word first
needs to do it once, and whoever does not has to do it three times.

The specimen `planner` is the same model, trained on with the same text and one thing more: attention from a second
line back to its first line was penalised, the line break excepted. It was **pushed** to plan; its card says so. Both
are ordinary GPT-2s. The 66 first lines here pair a person with a line's end that never met in training.
"""

# %% id="planner-and-twin"
models = {
    name: open_specimen(name, device="cpu") for name in ("planner-twin", "planner")
}
plain = {name: plain_transformer(model) for name, model in models.items()}
told, new = (
    plan_lines(couplet_lines(held_out=False)),
    plan_lines(couplet_lines(held_out=True)),
)
template, goes_with = line_template(), goes_with_plan()
streams_of = {
    name: (streams(each, told.tokens), streams(each, new.tokens))
    for name, each in plain.items()
}

print(
    f"{'':<13}{'line right':>11}{'plan read at the line break, before layer 1, 2, 3':>52}"
)
right, readable_at = {}, {}
for name in models:
    written = biology.write_line(plain[name], new.tokens, template)
    fits = goes_with[torch.arange(3), new.plans[:, None], written]
    right[name] = fits.all(dim=1).float().mean()
    known, seen = streams_of[name]
    readable_at[name] = torch.stack(
        [
            readable(known[layer, :, -1], told.plans, seen[layer, :, -1], new.plans)
            for layer in (1, 2, 3)
        ]
    )
    print(
        f"{name:<13}{right[name]:11.3f}{'':>30}",
        [round(x, 2) for x in readable_at[name].tolist()],
    )
print(
    models["planner"].to_string(new.tokens[0, 1:]),
    "→",
    models["planner"].to_string(written[0]),
)

# %% [markdown]
r"""
*What you should see.* Both write lines that are right in more than nineteen of twenty. And in both the planned word,
one of 32, is read at the line break in every line. By what they say, and by what a probe says, they are the same.
"""

# %% tags=["claim"]
assert min(right.values()) > 0.95, "right in more than nineteen of twenty"
assert min(each[0] for each in readable_at.values()) > 0.99, (
    "is read at the line break in every line"
)

# %% [markdown]
r"""
Now the exchange: at the line break, to another word of the same rhyme, and to a word of another rhyme and topic. Only
targets with another verb *and* another adjective count, so that the middle of the line is asked as well. A line
counts if all three blanks follow.
"""

# %% id="plans-swapped"
LAYER = 1
swaps = {
    "to the same rhyme": other_plans(new, within_rhyme=True),
    "to another rhyme": other_plans(new, within_rhyme=False),
}


def swapped(name, targets, table=None, layer=LAYER, position=-1, random_seed=None):
    """Exchange the plan of every held-out line."""
    known, _ = streams_of[name]
    if table is None:
        table = class_means(known[layer, :, position], told.plans, len(PLANS))
    return biology.swap_plans(
        plain[name], new.tokens, new.plans, targets, table, template, goes_with,
        layer, position, random_seed,
    )  # fmt: skip


whole = {}
for name in models:
    for where, to in swaps.items():
        done, floor = swapped(name, to), swapped(name, to, random_seed=0)
        whole[name, where] = done.whole_lines, floor.whole_lines
        by_blank = "  ".join(
            f"{blank} {share:.2f}"
            for blank, share in zip(
                ("verb", "adjective", "end"), done.by_blank, strict=True
            )
        )
        print(
            f"{name:<13}{where:<18} whole lines {done.whole_lines:.3f} (random {floor.whole_lines:.3f});  {by_blank}"
        )

example = swapped("planner", swaps["to another rhyme"])
print("\nfirst line: ", models["planner"].to_string(new.tokens[0, 1:-1]))
print("exchanged for:", PLANS[example.targets[0, 0]].word)
print("blanks:     ", models["planner"].to_str_tokens(example.written[0, 0]))

# %% [markdown]
r"""
*What you should see.* In `planner` more than nine of ten lines follow the exchanged plan, verb, adjective and end
together. In its twin not one does: there the same word is read as well, and
nothing is taken from where it can be read. Random directions of the same norm do nothing in either.
"""

# %% tags=["claim"]
assert min(whole["planner", where][0] for where in swaps) > 0.9, (
    "more than nine of ten lines follow the exchanged plan"
)
assert max(whole["planner-twin", where][0] for where in swaps) == 0, "not one does"
assert max(floor for _, floor in whole.values()) < 0.02, "do nothing in either"

# %% [markdown]
r"""
### One intervention that fails, and why

Is it the *word* that stands at the line break, or a topic and a rhyme side by side, of which the word is made later?
A difference of means cannot tell: it exchanges whatever differs. So take the table of means apart. With μ the common
mean, t(w) the topic and r(w) the rhyme of word w,

$$\text{mean}[w] = \mu + A_{t(w)} + B_{r(w)} + C_w$$

A is what all words of a topic have in common, B the same for a rhyme, and C what the two do not give as a sum: the
word's own. Topic and rhyme are ingredients; only C is a plan in the strict sense, a state that stands for this word.
"""

# %% [markdown] slug="ingredients"
r"""
Return the three parts of a table of means, `(A, B, C)`, each `[plan d_model]`: the part of its topic (`first`), of
its rhyme (`second`), and its own. Every pair of topic and rhyme has exactly one plan; plans may stand in any order.
"""


# %% tags=["exercise"] slug="ingredients"
def ingredients(
    means: Float[Tensor, "plan d_model"],
    first: Int[Tensor, "plan"],
    second: Int[Tensor, "plan"],
) -> tuple[Tensor, Tensor, Tensor]:
    """What is the topic's, what the rhyme's, and what the word's own."""
    # BEGIN SOLUTION
    rest = means - means.mean(dim=0)

    def part(levels):
        same = (levels[:, None] == levels).to(means)
        return same @ rest / same.sum(dim=1, keepdim=True)

    A, B = part(first), part(second)
    return A, B, rest - A - B
    # END SOLUTION


# %% tags=["check"]
check("ingredients", ingredients)

# %% id="ingredients-swapped"
topics = sorted({plan.topic for plan in PLANS})
rhymes = sorted({plan.rhyme for plan in PLANS})
topic_of = torch.tensor([topics.index(plan.topic) for plan in PLANS])
rhyme_of = torch.tensor([rhymes.index(plan.rhyme) for plan in PLANS])

print(
    "planner, at the line break: shares of variance, and whole lines that follow an exchange of the part alone"
)
print(
    f"{'':<16}{'topic':>7}{'rhyme':>7}{'own':>7}   {'topic + rhyme':>13}{'own':>7}{'all':>7}"
)
parts_follow, share_of = {}, {}
for layer in (1, 2, 3):
    known, _ = streams_of["planner"]
    means = class_means(known[layer, :, -1], told.plans, len(PLANS))
    A, B, C = ingredients(means, topic_of, rhyme_of)
    shares = torch.stack([part.square().sum() for part in (A, B, C)])
    shares = share_of[layer] = shares / (A + B + C).square().sum()
    parts_follow[layer] = [
        swapped("planner", swaps["to another rhyme"], table, layer).whole_lines.item()
        for table in (A + B, C, means)
    ]
    print(f"before layer {layer}  {shares[0]:7.2f}{shares[1]:7.2f}{shares[2]:7.2f}   "
          f"{parts_follow[layer][0]:13.2f}{parts_follow[layer][1]:7.2f}{parts_follow[layer][2]:7.2f}")  # fmt: skip

# %% [markdown]
r"""
*What you should see.* Topic and rhyme together, exchanged without the word's own part, take along fewer than half of
the lines; the word's own part alone takes none. Only the whole does it, and only before layer 1: two layers later the
word is still there, and it has been fetched already. So what stands at the break is neither a topic beside a rhyme nor
a word free of both.

And this is the intervention that fails: an exchange of the ingredients, though they are most of the variance there. A
part that is small in variance can be the one that is needed.
"""

# %% tags=["claim"]
assert parts_follow[1][0] < 0.5, "take along fewer than half of the lines"
assert parts_follow[1][1] == 0, "the word's own part alone takes none"
assert parts_follow[1][2] > 0.85, "Only the whole does it"
assert parts_follow[3][2] < 0.02, "two layers later the word is still there"
assert share_of[1][:2].sum() > 0.7, "though they are most of the variance there"

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: in one small model, pushed to plan by its training, the word at the line break decides the middle and the end of
more than nine lines in ten; in its twin the same word can be read in every line, and decides nothing. That is what
the method can tell apart. It says nothing about how often models plan, and the twin shows that text in which planning
pays is not enough for it.

Lindsey et al. 2025: in Claude 3.5 Haiku, at the line break, a planned word put in ended the line in 70 % of cases, over
25 poems. Nothing pushed that model as ours was pushed. They found the words by features of a dictionary; we knew
the words beforehand. They put a feature in; we exchange a difference of means, which carries everything that goes
with a word. And 70 % is the share of *injections that worked* in poems they chose, not the share of poems that are
planned. None of this is about awareness: a plan here is a state that decides what comes later.
"""

# %% tags=["quiz"]
quiz("seventy-per-cent", "d")

# %% [markdown]
r"""
## Common misreadings

- **"The word can be read at the line break, so it was planned."** In the twin it can be read in every line.
- **"The end followed, so it is a plan."** A word that is only carried to its place makes the end follow too. A plan
  shows in what is written on the way.
- **"The swap worked, so the word stands there as a whole."** A difference of means exchanges whatever differs. That
  it is more than the ingredients had to be measured.
- **"Planner plans, so text like this makes models plan."** It was trained to look away from its first line.
- **"70 % of poems are planned."** 70 % of the injections ended in the injected word.

## On the real thing

`exchange_breaks` works for any model with two first lines of the same length in tokens: the stream at the break of
one is replaced by that of the other, and the model writes on. With GPT-2 small in reach, put the pair in the list.
(It seldom rhymes, so expect no plan; the point is to see what you would have to see.)
"""


# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
def exchange_breaks(model_name, line, other, layer, n_tokens):
    """How a model goes on after a line, after another line, and after the line with the other one's break."""
    model = open_specimen(model_name, device="cpu")
    both = [model.to_tokens(text) for text in (line, other)]
    if both[0].shape != both[1].shape:
        print(
            f"{model_name}: {both[0].shape[1]} and {both[1].shape[1]} tokens; lines of one length please"
        )
        return
    place, hook = both[0].shape[1] - 1, f"blocks.{layer}.hook_resid_pre"
    at = [
        model.run_with_cache(each, names_filter=hook)[1][hook][:, -1] for each in both
    ]
    nothing, step = torch.zeros_like(at[0]), at[1] - at[0]
    runs = {
        "the line": (both[0], nothing),
        "the other": (both[1], nothing),
        "exchanged": (both[0], step),
    }
    for name, (tokens, steps) in runs.items():
        written = write_a_line(model, tokens, [None] * n_tokens, steps, layer, place)
        print(f"{model_name:<9}{name:<10} …{model.to_string(written[0])!r}")


pairs = [
    (
        "planner",
        " One day the farmer saw the moat,\n",
        " One day the sailor saw the call,\n",
        1,
        6,
    ),
    # ("gpt2", "He saw a carrot and had to grab it,\n", "He saw a garden and had to sell it,\n", 6, 8),
]
for pair in pairs:
    exchange_breaks(*pair)

# %% [markdown]
r"""
## Recap

Can you say these without looking? What a plan must do beyond being read. Why the step is made again for every written
word, and why its place does not move. Which words count as followed. What the twin is for. What a difference of means
cannot tell apart, and how the parts of a table of means can.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Lindsey et al. 2025, *On the Biology of a Large Language Model*. Planning in poems, and the other field trips.
- Ameisen et al. 2025, *Circuit Tracing: Revealing Computational Graphs in Language Models*. The method behind it.
"""
