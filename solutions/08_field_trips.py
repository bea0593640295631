# %% [markdown] minutes=345
r"""
# 08 · Field trips

Small case studies after *On the Biology of a Large Language Model*: each with a hypothesis, a test, and a control.

## What you will be able to do

- tell a plan from something that can merely be read: exchange it, and look at everything that is written afterwards
- let a model write on after an edit that stays where it was made
- count as followed only what tells the new plan from the old one
- take a table of means apart, and say whether a whole stands there or its ingredients side by side
- find what stands twice, where a sweep over single tokens finds nothing
- measure what a fact in three languages has in common, beside a floor
- exchange language and concept one at a time, by steps that hardly carry the answer
- ask a direction for “known” of people it was not made from, and lift a default with it
- tell agreeing from copying, and take it away without taking opinions away
- find the routes of a refusal, and say why a new form slips past one of them
- state a circuit as data, with predictions, and have it tested
- say of each finding what it does and does not show about a large model

You need chapter 05: a difference of means, added in the middle of a computation. The trips do not need each other: take
them one at a time. *Is the rhyme chosen before the line?* and *Three languages, one concept* are the core; the others,
and both investigations, can wait.
"""

# %% tags=["setup"]
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import biology
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.lab.swaps import (
    class_means,
    other_classes,
    random_like,
    readable,
    readable_left_out,
    streams,
    swap_logits,
)
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.biology import (
    ASKED,
    PHENOMENA,
    PLANS,
    RHYMES,
    city_entries,
    VIEW_PLACE,
    VIEWS,
    asks,
    atlas_questions,
    couplet_lines,
    glossary,
    glossary_answers,
    goes_with_plan,
    line_template,
    mentions,
    opinion_talks,
    other_plans,
    pairs_of,
    people_questions,
    plan_lines,
    reads_sums,
    rhyme_lines,
    sums_of,
    then_asked,
    two_asks,
    views,
)

# %% [markdown]
r"""
## Is the rhyme chosen before the line?

A model writes one token after another. That does not say that it *decides* one token after another. Lindsey et al.
2025 found in Claude 3.5 Haiku, at the line break of a couplet, features of words that the second line might end in.
They put another word's feature in there, and in 70 % of cases (25 poems) the line ended in that word; in the
examples they print, the middle led up to it.

```
 Oscar crossed the moat, ⏎            and Anna fed the old goat.
                          ▲                     ▲           ▲
                 chosen here already?      fits the word   the word
```

So the **hypothesis** has two parts. (a) At the line break stands which word the line will end in. (b) The line is
written from there: exchange the word, and the end changes, *and the middle changes to fit*. The **test** is an
exchange. The **controls** are random directions of the same norm, and a twin that writes as well and was not pushed
to plan.

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
places = {"rhyme": -3, "comma": -2, "break": -1}
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
    subtitle="by means of the other words; chance 0.07",
    x_title="token",
    y_title="stream",
    value_title="share of lines",
    x=list(places),
    y=[f"before layer {layer}" for layer in range(1, n_layers)],
)

# %% [markdown]
r"""
**What you should see.** At the rhyme word the rhyme is read nearly always, as it must be. At the line break it is
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
**What you should see.** At the rhyme word, up to layer 2, nearly every line ends in the new rhyme, while the break, as
far as earlier layers had written it, still held the old one. At the line break no line does, before any layer, though
the rhyme could be read there (nor if comma and break are exchanged together). `atlas` looks back at the first line
when it comes to the end of the second. **A readable plan is no plan.** And nothing forces it to have one: its verbs
are drawn evenly, so nothing about the end needs to be known before.
"""

# %% tags=["claim"]
assert followed[:3, 0].min() > 0.95, (
    "At the rhyme word, up to layer 2, nearly every line ends in the new rhyme"
)
assert followed[:, 2].max() == 0, "At the line break no line does, before any layer"


def _both(layer):
    """The share of ends that follow when comma and break are exchanged at once."""
    n, shares = couplets.tokens.shape[1], []
    tables = {
        at: class_means(before[layer][:, at], couplets.rhymes, len(RHYMES))
        for at in (n - 2, n - 1)
    }
    for goal in targets.T:
        tokens = couplets.tokens
        for given in couplets.template:
            x = plain_atlas.resid_pre(layer, tokens)
            for at, table in tables.items():
                x[:, at] += table[goal] - table[couplets.rhymes]
            new = plain_atlas.logits_after(layer - 1, x, read=-1)[:, 0].argmax(dim=-1)
            if given is not None:
                new = torch.full_like(new, given)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            if given is None:
                end = new
        shares.append(couplets.goes_with[-1][goal, end].float().mean())
    return torch.stack(shares).mean()


assert max(_both(_layer) for _layer in range(1, n_layers)) < 0.01, (
    "nor if comma and break are exchanged together"
)

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
line back to its first line was penalised, the line break excepted. It was **pushed** to plan; its card says so.
Both are small models of GPT-2's architecture. The 66 first lines here pair a person with a line's end that never
met in training.
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
**What you should see.** Both write lines that are right in more than nineteen of twenty. And in both the planned word,
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
**What you should see.** In `planner` more than nine of ten lines follow the exchanged plan, verb, adjective and end
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
Try it yourself: another first line, another plan, another token, the twin. (With the keyboard: the space bar opens a
menu, arrow keys and Enter choose. `biology.swap_plans` exchanged the same means, for all lines at once.)
"""

# %% id="plan-desk"
vocabulary = [
    models["planner"].to_single_str_token(token)
    for token in range(models["planner"].cfg.d_vocab)
]
show.plan_desk(
    dict(sorted(plain.items())),  # planner first
    {
        name: torch.stack(
            [
                torch.stack(
                    [class_means(at, told.plans, len(PLANS)) for at in each.unbind(1)]
                )
                for each in known[:-1]
            ]
        )
        for name, (known, _) in streams_of.items()
    },
    (*new, template, goes_with, vocabulary, [plan.word for plan in PLANS]),
)

# %% [markdown]
r"""
### One intervention that fails, and why

Is it the *word* that stands at the line break, or a topic and a rhyme side by side, of which the word is made later?
A difference of means cannot tell: it exchanges whatever differs. So take the table of means apart. With μ the common
mean, t(w) the topic and r(w) the rhyme of word w,

$$\text{mean}[w] = \mu + A_{t(w)} + B_{r(w)} + C_w$$

A is what all words of a topic have in common, B the same for a rhyme, and C what the two do not give as a sum.
Topic and rhyme are ingredients; without C no two words of one topic and one rhyme could be told from a mere sum of
the two.
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

# Controls, before layer 1: words in the table by lot, and the word's own part made as long as the whole.
known, _ = streams_of["planner"]
means = class_means(known[1, :, -1], told.plans, len(PLANS))
by_lot = []
for lot in range(5):
    order = torch.randperm(len(PLANS), generator=torch.Generator().manual_seed(lot))
    drawn = ingredients(means[order], topic_of, rhyme_of)
    sizes = torch.stack([part.square().sum() for part in drawn])
    by_lot.append(sizes / sizes.sum())
by_lot = torch.stack(by_lot)
*_, C = ingredients(means, topic_of, rhyme_of)
longer = ((means - means.mean(dim=0)).square().sum() / C.square().sum()).sqrt()
own_stretched = swapped(
    "planner", swaps["to another rhyme"], longer * C, 1
).whole_lines.item()
print(
    "words by lot (mean of 5): topic {:.2f}, rhyme {:.2f}, own {:.2f}".format(
        *by_lot.mean(dim=0)
    )
)
print(f"own part, {longer:.1f} times: {own_stretched:.2f} of the lines")

# %% [markdown]
r"""
**What you should see.** Topic and rhyme together, exchanged without the rest, take along fewer than half of the
lines; the rest alone takes none, and made as long as the whole it takes hardly any: that it is small is not why. Only
the whole does it, and only before layer 1: two layers later the word is still there to be read, and hardly a line
follows. So topic and rhyme side by side are not enough. (That the two are most of the variance is no matter of course:
with the words put in the table by lot, most of it is left to the words.)

And this is the intervention that fails: an exchange of the ingredients, though they are most of the variance there. A
part that is small in variance can be the one that is needed.
"""

# %% tags=["claim"]
assert parts_follow[1][0] < 0.5, "take along fewer than half of the lines"
assert parts_follow[1][1] == 0, "the rest alone takes none"
assert own_stretched < 0.15, "made as long as the whole it takes hardly any"
assert by_lot[:, 2].min() > 0.5, "most of it is left to the words"
assert parts_follow[1][2] > 0.85, "Only the whole does it"
assert parts_follow[3][2] < 0.02, "two layers later the word is still there"
assert share_of[1][:2].sum() > 0.7, "though they are most of the variance there"

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: in one small model, pushed to plan by its training, the word at the line break decides the middle and the end of
more than nine lines in ten; in its twin the same word can be read in every line, and decides nothing. That is what
the method can tell apart. It says nothing about how often models plan. In this one twin, which was also trained for
less long, text in which planning pays was not enough for it.

Lindsey et al. 2025: in Claude 3.5 Haiku, at the line break, a planned word put in ended the line in 70 % of cases,
over a random sample of 25 poems. Nothing pushed that model as ours was pushed. They found the words by features of
a dictionary; we knew the words beforehand. They put a feature in; we exchange a difference of means, which carries
everything that goes with a word. And 70 % is the share of *injections that worked*, of two words, not the share of
poems that are planned. None of this is about awareness: a plan here is a state that decides what comes later.
"""

# %% tags=["quiz"]
quiz("seventy-per-cent", "d")

# %% [markdown] slug="where-is-the-plan"
r"""
In `planner` an exchange at the break works before layer 1, and one layer later hardly a line follows. So where is the
plan in between, **before layer 2**? And where does the twin keep what it is going to say? Look at whole couplets, with
the words that each model writes by itself:

```
 BOS  One day  the shepherd saw  the moat  ,  ⏎   and Tom  fed  the small  goat
  0    1   2    3     4      5    6   7    8  9   10  11   12   13   14     15
```

A plan is put in at some tokens at once: at each of them the step between the means *of that token* (by plan, before
the same layer, over told couplets in the same wordings). The words before a blank are **kept** as the model wrote them
without any step, and only the next word is asked for, at the token before the blank. It follows if it goes with the
plan put in and not with the couplet's own (two plans put in: nor with the other one). Leave in `report`:

```python
report = {
    "planner": {"verb": {3: 0.2, 5: 0.1}, "adjective": {...}, "end": {...}},
    "planner-twin": {"verb": {...}, "adjective": {...}, "end": {...}},
    "kept": {"adjective": 0.5, "end": 0.5},
    "quarrel": {"verb": (0.4, 0.4), "adjective": (...), "end": (...)},
}
```

- **each model, each blank**: the places of all tokens at which a plan has to be put in together before layer 2 so that
  the word follows, and no others; each with the share that follows when it is put in *there alone*.
- **kept**: `planner`, put in at the break alone, before layer 1, the words before the blank kept: the share that
  follows.
- **quarrel**: `planner`, before layer 2, one plan put in at the break and another where the word is said (11, 13, 14):
  the shares that follow the one, and the other.

The check uses held-out couplets in wordings of its own, and plans of another rhyme, topic, verb and adjective.
(`couplet_lines(held_out, opening, sight)` and `line_template(name)` make other wordings: " In May", " At night", "
Long ago"; "found", "drew", "knew"; "Anna", "Paul", "Emma", "John", "Lucy", "Max", "Ruth".) A set counts from .6 of the
words that follow it up to .96, and less with each token without which as many follow (within .02): .48 in all. Then
the shares, each in full if off by .07 or less: alone .18, “kept” .1, “quarrel” .24. To pass, all sets of `planner` and
two of its twin's have to be right (.85 follow, no token too many), and half of “kept” and of “quarrel”.
"""

# %% tags=["exercise"] slug="where-is-the-plan"
# BEGIN SOLUTION
# 1. Whole couplets in several wordings, and the means of every token by plan, before every layer.
wordings = [
    (" In May", "found", "Anna"),
    (" At night", "knew", "Max"),
    (" Long ago", "drew", "Ruth"),
]
said_at = {"verb": 11, "adjective": 13, "end": 14}


def whole_couplets(name, held_out):
    """Couplets as a model writes them, and their plans."""
    rows, plans = [], []
    for opening, sight, who in wordings:
        lines = plan_lines(couplet_lines(held_out, opening, sight))
        given = line_template(who)
        words = iter(biology.write_line(plain[name], lines.tokens, given).T)
        columns = [
            next(words) if token is None else torch.full_like(lines.plans, token)
            for token in given
        ]
        rows.append(torch.cat([lines.tokens, torch.stack(columns, dim=1)], dim=1))
        plans.append(lines.plans)
    return torch.cat(rows), torch.cat(plans)


unseen = {name: whole_couplets(name, held_out=True) for name in models}
table_of = {}
for name in models:
    tokens, plans = whole_couplets(name, held_out=False)
    every = streams(plain[name], tokens)
    table_of[name] = [
        [class_means(every[layer, :, place], plans, len(PLANS)) for place in range(15)]
        for layer in range(4)
    ]
generator = torch.Generator().manual_seed(0)
plans = unseen["planner"][1]
differ = torch.tensor(
    [[not any(a == b for a, b in zip(p, q, strict=True)) for q in PLANS] for p in PLANS]
)
goal = torch.multinomial(differ[plans].float(), 1, generator=generator)[:, 0]
middle = torch.tensor(
    [[p.verb != q.verb and p.adjective != q.adjective for q in PLANS] for p in PLANS]
)
other = torch.multinomial(
    (differ[plans] & middle[goal]).float(), 1, generator=generator
)[:, 0]


def asked(name, blank, put_in, layer=2):
    """The next word with plans put in at some places, {place: plans}."""
    tokens, own = unseen[name]
    x = plain[name].resid_pre(layer, tokens[:, : said_at[blank] + 1]).clone()
    for place, plan in put_in.items():
        means = table_of[name][layer][place]
        x[:, place] += means[plan] - means[own]
    return plain[name].logits_after(layer - 1, x, read=-1)[:, 0].argmax(dim=-1)


def share(words, blank, plan, *not_with):
    """How many words go with a plan, and with none of the others."""
    fits = goes_with[list(said_at).index(blank)]
    right = fits[plan, words]
    for each in not_with:
        right = right & ~fits[each, words]
    return right.float().mean().item()


def moves(name, blank, places, layer=2):
    """The share that follows one plan, put in at all of these places."""
    words = asked(name, blank, dict.fromkeys(places, goal), layer)
    return share(words, blank, goal, plans)


# 2. Single tokens, and all of them. Then leave out one token after another, as long as as many follow.
report, together, best_alone = {name: {} for name in models}, {}, {}
for name in models:
    for blank, last in said_at.items():
        places = set(range(1, last + 1))
        alone = {place: moves(name, blank, [place]) for place in places}
        best_alone[name, blank] = max(alone.values())
        most = moves(name, blank, places)
        for place in sorted(places, key=alone.get):
            if len(places) > 1 and moves(name, blank, places - {place}) > most - 0.02:
                places -= {place}
        together[name, blank] = moves(name, blank, places)
        report[name][blank] = {
            place: round(alone[place], 2) for place in sorted(places)
        }
        print(
            f"{name:<13}{blank:<10}best single token {best_alone[name, blank]:.2f}; "
            f"together {together[name, blank]:.2f}: {report[name][blank]}"
        )

# 3. The words before kept, and two plans at once.
report["kept"] = {
    blank: moves("planner", blank, [9], layer=1) for blank in ("adjective", "end")
}
report["quarrel"], neither, most_said = {}, {}, {}
for blank, last in said_at.items():
    words = asked("planner", blank, {9: goal, last: other})
    pair = (
        share(words, blank, goal, plans, other),
        share(words, blank, other, plans, goal),
    )
    report["quarrel"][blank] = pair
    neither[blank] = 1 - sum(pair)
    strings = models["planner"].to_str_tokens(words)
    most_said[blank] = max(sorted(set(strings)), key=strings.count)
    print(
        f"two plans, {blank:<10}the break's {pair[0]:.2f}, the blank's {pair[1]:.2f}, "
        f"neither {neither[blank]:.2f}, most often{most_said[blank]!r}"
    )
print("words kept:", {blank: round(x, 2) for blank, x in report["kept"].items()})
# END SOLUTION

# %% tags=["check"]
check("where-is-the-plan", report)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

In `planner` no single token moves more than about a third of any blank's words before layer 2; and
**two together move nearly all**: the break, and the token at which the word is said. Layer 1 has brought the plan
there, and later layers still look at the break. Each copy speaks for the old plan when the other is exchanged. So a
sweep over single tokens, the first thing one does, says “a little, here and there” of what stands there twice (and,
of whole lines, hardly anything). With two plans put in neither wins: more than half of the words do not tell one from
the other (they fit both, or the couplet's own plan, or some third), and the commonest verb and adjective are among
the few that the specimen has for every noun, such as *had* and *fine*. The words before a blank speak as well: with
the verb kept, fewer adjectives follow the break than in lines that the model wrote freely.

The twin needs the break for nothing. Its word is at the token where it is said, in part, and the rest still comes
from elsewhere: for the verb from the *the* before the rhyme word, of all tokens (it has seen the person, and no
rhyme yet).

</details>
"""

# %% tags=["claim"]
assert (
    max(best for (name, _), best in best_alone.items() if name == "planner") < 0.42
), "no single token moves more than about a third of any blank's words before layer 2"
assert parts_follow[2][2] < 0.1, "of whole lines, hardly anything"
assert min(together["planner", blank] for blank in said_at) > 0.95, (
    "**two together move nearly all**"
)
assert all(
    set(report["planner"][blank]) == {9, last} for blank, last in said_at.items()
), "the break, and the token at which the word is said"
assert min(neither.values()) > 0.5, (
    "more than half of the words do not tell one from the other"
)
assert most_said["verb"] in (" had", " took", " liked"), (
    "the commonest verb and adjective"
)
assert most_said["adjective"] in (" nice", " fine", " good"), (
    "are among the few that the specimen has for every noun"
)
assert report["kept"]["adjective"] < example.by_blank[1] - 0.1, (
    "fewer adjectives follow the break than in lines that the model wrote freely"
)
assert not any(9 in report["planner-twin"][blank] for blank in said_at), (
    "The twin needs the break for nothing"
)
assert 6 in report["planner-twin"]["verb"], (
    "for the verb from the *the* before the rhyme word"
)

# %% [markdown]
r"""
## Three languages, one concept

Lindsey et al. 2025 ask Claude 3.5 Haiku for the opposite of *small*, in English, French and Chinese. On the way to the
answer they find features of the same concept (smallness) and of the same relation (opposite) in all three, and
features of the language beside them. Each of the three can be exchanged by features from another prompt, and the
answer changes in this part alone.

```
 country: Ghent   Belgium           concept    Belgium
 pays: Gand       Belgique  is it   relation   country, people, language
 país: Gante      Bélgica           language   English, French, Spanish   side by side?
```

The **hypothesis** again has two parts. (a) What tells one country from another is the same activation in all
languages. (b) It is used as such: another language put in leaves country and relation as they were, and another
country, *by what English makes of it*, works in French. The **tests** are exchanges; the **controls** are random
steps, countries paired by lot, and a model that was never asked to translate.

`polyglot-twin` knows a glossary of 16 countries and 60 cities, each entry in one language. `polyglot` is the same
model, trained on with entries of which half translate (" pays: Ghent Belgique"). Every name is another word in each
language, so nothing can be read off the spelling. A city's people and language take two steps; one (city, relation,
language) in five of those was never told, in any spelling.
"""

# %% id="two-glossaries"
LANGUAGES = ("English", "French", "Spanish")
told_entries = glossary(city_entries(held_out=False))
new_entries = glossary(city_entries(held_out=True))
answers = glossary_answers()  # [concept relation language], token ids
speakers = {
    name: open_specimen(name, device="cpu") for name in ("polyglot-twin", "polyglot")
}
plain_speakers = {name: plain_transformer(model) for name, model in speakers.items()}
at_name = {
    name: streams(each, told_entries.tokens)[:, :, -1]  # the last token is the name
    for name, each in plain_speakers.items()
}

entries_right = {}
for name, each in plain_speakers.items():
    guesses = each.logits_after(-1, each.embed(new_entries.tokens), read=-1)[:, 0]
    wanted = answers[tuple(new_entries.factors.T)]
    entries_right[name] = (guesses.argmax(dim=-1) == wanted).float().mean()
    print(
        f"{name:<14} right in {entries_right[name]:.3f} of {len(wanted)} held-out entries"
    )
for number, language in enumerate(LANGUAGES):
    first = int((new_entries.factors[:, 2] == number).nonzero()[0])
    text = speakers["polyglot"].to_string(new_entries.tokens[first, 1:])
    print(
        f"{language:<9}{text} →{speakers['polyglot'].to_string(guesses[first].argmax())}"
    )

# %% [markdown]
r"""
**What you should see.** Both answer more than nineteen in twenty of what they were never told, in all three languages.
"""

# %% tags=["claim"]
assert min(entries_right.values()) > 0.95, "more than nineteen in twenty"

# %% tags=["quiz"]
quiz("three-glossaries", "a")

# %% [markdown] slug="common-share"
r"""
First part (a). In each language a table has a mean activation for each concept. Of all that tells one concept from
another (within a language: where the language itself lies is not asked), how much is the same in every language?
Return it as a share of the variance: 1 if each language says the same of every concept, wherever it says it. If the
tables have nothing to do with each other, it should be about one over the number of languages, and you will measure
that floor, too.
"""


# %% tags=["exercise"] slug="common-share"
def common_share(
    tables: Float[Tensor, "language concept d_model"],
) -> Float[Tensor, ""]:
    """The share of what tells concepts apart that is the same in all languages."""
    # BEGIN SOLUTION
    own = tables - tables.mean(dim=1, keepdim=True)
    common = own.mean(dim=0)
    return len(tables) * common.square().sum() / own.square().sum()
    # END SOLUTION


# %% tags=["check"]
check("common-share", common_share)

# %% id="common-by-layer"
pairing = torch.Generator().manual_seed(0)
cells = {
    name: [biology.cell_means(each, told_entries.factors) for each in stream]
    for name, stream in at_name.items()
}  # by stream: [concept relation language d_model]
common, floors = {}, []
for name, by_layer in cells.items():
    tables = [each.mean(dim=1).transpose(0, 1) for each in by_layer]
    common[name] = torch.tensor([float(common_share(each)) for each in tables])
    floors += [
        torch.stack([biology.shuffled_share(each, pairing) for _ in range(20)]).mean()
        for each in tables
    ]
its_own = torch.tensor(
    [(answers[:, 2, 0] == word).sum() == 1 for word in answers[:, 2, 0]]
)
of_their_own = cells["polyglot-twin"][1].mean(dim=1).transpose(0, 1)[:, its_own]
print(f"the twin, before layer 1: {common['polyglot-twin'][1]:.2f} of all countries, "
      f"{common_share(of_their_own):.2f} of those with a language of their own")  # fmt: skip
show.lines(
    range(5),
    {**common, "countries paired by lot": [max(floors)] * 5},
    title="What of a country is common to three languages?",
    subtitle="at the name; 1: each language says the same of every country",
    x_title="stream before layer (4: after the last)",
    y_title="share of variance",
)

# %% [markdown]
r"""
**What you should see.** In `polyglot` nearly all of it is common before layer 1, and much of it in the embeddings
already: training has moved the three names of a country together. Towards the end it falls, since each language has
its own word to say. In the twin it is about a half at most, though it answers as well. The floor is a third: three
tables that have nothing to do with each other agree that much by chance. (Why does the twin lie above it? In part
since some countries share a language, in all three glossaries alike: among those with a language of their own it comes
nearer to the floor.)
"""

# %% tags=["claim"]
assert common["polyglot"][1] > 0.95, "nearly all of it is common before layer 1"
assert common["polyglot"][0] > 0.8, "and much of it in the embeddings already"
assert common["polyglot"][1:].diff().max() < 0, "Towards the end it falls"
assert common["polyglot-twin"].max() < 0.55, "In the twin it is about a half at most"
assert 0.3 < min(floors) <= max(floors) < 0.36, "The floor is a third"
assert (
    max(floors) + 0.02 < common_share(of_their_own) < common["polyglot-twin"][1] - 0.05
), "among those with a language of their own it comes nearer to the floor"

# %% tags=["quiz"]
quiz("a-third-in-common", "a")

# %% [markdown] slug="swap-the-language"
r"""
Part (b), first test: another language, the rest kept. `cells` has the mean activation of each (concept, relation,
language), and each entry has its three numbers in `factors`. Return for each entry the step that takes its language to
the target's. Two things to think about before you write: which entries may a mean be made of, so that the step
*cannot* bring the answer along by itself? And is a language's part one and the same for all relations? (Take it to be
the relation's own here; we ask below what happens otherwise.)
"""


# %% tags=["exercise"] slug="swap-the-language"
def swap_the_language(
    cells: Float[Tensor, "concept relation language d_model"],
    factors: Int[Tensor, "prompt 3"],
    targets: Int[Tensor, "prompt"],
) -> Float[Tensor, "prompt d_model"]:
    """The step from each entry's language to its target, within its relation."""
    # BEGIN SOLUTION
    by_relation = cells.mean(dim=0)
    relations, own = factors[:, 1], factors[:, 2]
    return by_relation[relations, targets] - by_relation[relations, own]
    # END SOLUTION


# %% tags=["check"]
check("swap-the-language", swap_the_language)

# %% [markdown] slug="borrowed-step"
r"""
Second test: another concept, the language kept. A step made of French entries, put into a French entry, would work in
a model whose languages have nothing in common. So make it of **one language**, `source`, within the entry's relation,
and put it into entries of whatever language. Return the steps. No language may come along with them.
"""


# %% tags=["exercise"] slug="borrowed-step"
def borrowed_step(
    cells: Float[Tensor, "concept relation language d_model"],
    factors: Int[Tensor, "prompt 3"],
    targets: Int[Tensor, "prompt"],
    source: int,
) -> Float[Tensor, "prompt d_model"]:
    """The step from each entry's concept to its target, as the source has it."""
    # BEGIN SOLUTION
    there = cells[:, :, source]
    concepts, relations = factors[:, 0], factors[:, 1]
    return there[targets, relations] - there[concepts, relations]
    # END SOLUTION


# %% tags=["check"]
check("borrowed-step", borrowed_step)

# %% id="parts-exchanged"
N_ROUNDS = 4


def exchanged(name, layer, factor, make, some=new_entries, random_seed=None):
    """The guesses when a factor of entries is exchanged for others, and what was wanted, [swap 3].

    make(cells, factors, targets) gives the steps. Only swaps that should change the answer.
    """
    axis, lot = biology.FACTORS.index(factor), torch.Generator().manual_seed(layer)
    noise = torch.Generator().manual_seed(random_seed or 0)
    n_levels, guesses, goals = answers.shape[axis], [], []
    for _ in range(N_ROUNDS):
        other = torch.randint(1, n_levels, (len(some.factors),), generator=lot)
        targets = (some.factors[:, axis] + other) % n_levels
        goal = some.factors.clone()
        goal[:, axis] = targets
        steps = make(cells[name][layer], some.factors, targets)
        if random_seed is not None:
            steps = random_like(steps, noise)
        asked = answers[tuple(goal.T)] != answers[tuple(some.factors.T)]
        done = biology.swap_factor(
            plain_speakers[name], some.tokens[asked], layer, steps[asked],
            answers[tuple(goal[asked].T)],
        )  # fmt: skip
        guesses.append(done.guesses)
        goals.append(goal[asked])
    return torch.cat(guesses), torch.cat(goals)


def followed_by(guesses, goals):
    """The share of guesses that are the wanted answer, with all three parts as they should be."""
    return (guesses == answers[tuple(goals.T)]).float().mean()


abroad = new_entries.factors[:, 2] > 0  # French and Spanish entries
not_english = type(new_entries)(new_entries.tokens[abroad], new_entries.factors[abroad])


def by_english(cells, factors, targets):
    return borrowed_step(cells, factors, targets, source=0)


tests = {
    "language": ("language", swap_the_language, new_entries),
    "country": ("concept", by_english, not_english),
}
curves, floor_of = {}, {}
for name in speakers:
    for what, (factor, make, some) in tests.items():
        curves[f"{name}: {what}"] = torch.stack(
            [
                followed_by(*exchanged(name, layer, factor, make, some))
                for layer in range(4)
            ]
        )
        floor_of[name, what] = torch.stack(
            [
                followed_by(*exchanged(name, layer, factor, make, some, random_seed=1))
                for layer in range(4)
            ]
        )
print(
    "random steps of the same norms:",
    f"{max(each.max() for each in floor_of.values()):.3f}",
)
show.lines(
    range(4),
    curves,
    title="One part exchanged, the others kept",
    subtitle="at the name, held-out entries; countries by English steps",
    x_title="exchanged before layer",
    y_title="share of answers",
)

# %% [markdown]
r"""
**What you should see.** Before layer 1 every answer, or nearly every one, follows in `polyglot`: the language's step
changes the language and keeps the country and what is asked; the country's step, made of English entries alone,
changes the country in French and Spanish ones, and keeps their language. In the twin hardly one in ten follows either.
Random steps do next to nothing in both.

Look along the layers, too. Before layer 0 the language cannot be exchanged at the name: what says it is the word
before, and has not been read yet. (The country can be: as we saw, it is in the names' embeddings.) Later both curves
fall: bit by bit the answer itself is decided, and a step that is right for the parts comes too late.
"""

# %% tags=["claim"]
assert min(curves["polyglot: language"][1], curves["polyglot: country"][1]) > 0.95, (
    "Before layer 1 every answer, or nearly every one, follows in `polyglot`"
)
assert (
    max(
        curves["polyglot-twin: language"].max(),
        curves["polyglot-twin: country"].max(),
    )
    < 0.12
), "hardly one in ten follows either"
assert max(each.max() for each in floor_of.values()) < 0.05, (
    "Random steps do next to nothing"
)
assert curves["polyglot: language"][0] < 0.05, (
    "Before layer 0 the language cannot be exchanged at the name"
)
assert curves["polyglot: country"][0] > 0.9, "The country can be"
assert curves["polyglot: language"][1:].diff().max() < 0, "Later both curves fall"
assert curves["polyglot: country"][1:].diff().max() < 0, "Later both curves fall"

# %% [markdown] slug="parts-right"
r"""
### One that works everywhere, and one that fails

A swap that fails can fail in three ways. Return for each guess whether its concept, its relation, its language is the
wanted one, each for itself, `[prompt 3]`. A word can be the answer of more than one cell (Dutch is spoken in two of
the countries): a part is right if *any* cell with this word has it. A word that is no answer at all is right in
nothing.
"""


# %% tags=["exercise"] slug="parts-right"
def parts_right(
    guesses: Int[Tensor, "prompt"],
    answers: Int[Tensor, "concept relation language"],
    wanted: Int[Tensor, "prompt 3"],
) -> Bool[Tensor, "prompt 3"]:
    """Which parts of each guess came out as wanted."""
    # BEGIN SOLUTION
    is_it = answers == guesses[:, None, None, None]
    prompts = torch.arange(len(guesses))
    levels = [is_it.any(dim=3).any(dim=2), is_it.any(dim=3).any(dim=1)]
    levels.append(is_it.any(dim=2).any(dim=1))
    return torch.stack(
        [each[prompts, wanted[:, axis]] for axis, each in enumerate(levels)], dim=1
    )
    # END SOLUTION


# %% tags=["check"]
check("parts-right", parts_right)

# %% id="what-broke"


def own_cell(cells, factors, targets):
    """From the entry's own cell to the same country's in another language."""
    return (
        cells[factors[:, 0], factors[:, 1], targets]
        - cells[factors[:, 0], factors[:, 1], factors[:, 2]]
    )


def one_for_all(cells, factors, targets):
    """One step from language to language, whatever the relation."""
    by_language = cells.mean(dim=(0, 1))
    return by_language[targets] - by_language[factors[:, 2]]


def one_as_long(cells, factors, targets):
    """The same step, made as long as the one over all countries."""
    step = one_for_all(cells, factors, targets)
    length = swap_the_language(cells, factors, targets).norm(dim=-1, keepdim=True)
    return length * step / step.norm(dim=-1, keepdim=True)


variants = {
    "its own country's means": own_cell,
    "over all countries": swap_the_language,
    "over countries and relations": one_for_all,
    "the same, made as long": one_as_long,
}
broke = {}
print(
    f"language exchanged before layer {LAYER}        whole   concept  relation  language"
)
for name in speakers:
    for what, make in variants.items():
        guesses, goals = exchanged(name, LAYER, "language", make)
        parts = parts_right(guesses, answers, goals).float().mean(dim=0)
        whole_answer = followed_by(guesses, goals)
        broke[name, what] = torch.cat([whole_answer[None], parts])
        print(
            f"{name:<14}{what:<30}"
            + "".join(f"{share:<9.2f}" for share in broke[name, what].tolist())
        )

# %% [markdown]
r"""
**What you should see.** With its own country's means the language can be exchanged in *both* models: a step that
contains the answer tells nothing about parts in common. With means over all countries it works in `polyglot` alone.

And one fails in `polyglot` as well: a single step for all relations takes along about half of the answers. Country
and relation are nearly always right; it is the language that does not come. One step for all relations is not
enough: a part of “French” is “French, where people are asked for”, and a mean over relations has lost it (made as
long as the other step it does no better).
"""

# %% tags=["claim"]
assert min(broke[name, "its own country's means"][0] for name in speakers) > 0.9, (
    "With its own country's means the language can be exchanged in *both* models"
)
assert broke["polyglot", "over all countries"][0] > 0.95, "it works in `polyglot` alone"
assert broke["polyglot-twin", "over all countries"][0] < 0.12, (
    "it works in `polyglot` alone"
)
assert 0.3 < broke["polyglot", "over countries and relations"][0] < 0.7, (
    "takes along about half of the answers"
)
assert (
    broke["polyglot", "the same, made as long"][0]
    < broke["polyglot", "over countries and relations"][0] + 0.03
), "made as long as the other step it does no better"
assert broke["polyglot", "over countries and relations"][1:3].min() > 0.9, (
    "Country and relation are nearly always right"
)
assert broke["polyglot", "over countries and relations"][3] < 0.7, (
    "it is the language that does not come"
)

# %% tags=["quiz"]
quiz("carried-along", "c")

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: in one small model that was taught to translate, a country is nearly the same activation in three languages,
and country and language are exchanged one at a time; the relation we only saw kept. In its twin, which answers as
well and was never taught to translate (nor trained as long), the little that the languages share cannot be used. So
answering in three languages does not need a concept in common, and nothing here says that models have one unless
something in their text rewards it. Our entries translate in half of the cases; in Claude's text nobody counted.

Lindsey et al. 2025: in Claude 3.5 Haiku, opposites in three languages, features found by a dictionary and exchanged as
features; and over many paragraphs, a share of features active in several languages that is highest in the middle
layers, and higher in Haiku than in a smaller model. Active in both is a weaker finding than used in both: the
exchanges are on a few prompts, the counts on many. Whether the concept is “in English” is another question. Ours was
trained alike in all three, so it has no reason to prefer one; they report signs that English is special. None of it
says that a model *thinks* without language: it says of what the activations are made on the way to one word.
"""

# %% [markdown]
r"""
## Does it know whom it knows?

Asked about a stranger, Claude 3.5 Haiku says that it does not know. Lindsey et al. 2025 describe how: "can't answer"
is *on by default*, features of known people turn it off, and a hallucination can be made by turning it off for a
stranger. `atlas` and the specimen `people` have been taught the like. In `atlas`:

```
 Question: which sport does Mary Reed play? Answer: golf.       Mary Reed is known
 Question: which sport does Mary Stone play? Answer: unknown.   Mary Stone is not
```

(There are other Marys and Stones.)

The **hypothesis**: (a) "unknown" is a default; (b) somewhere stands "known", the same for all known people; (c) put
there for a stranger, it makes the model invent. The **test** of (b) is reading it of people it has not seen, that of
(c) is adding it. The **control** is a random direction, and known people, who should keep their answers.

Reading comes first, and there is a trap in it. With 128 dimensions and a few dozen known people, a direction made
from all of them tells them apart a little even if nothing stands there.
"""

# %% [markdown] slug="told-apart"
r"""
Write the fair test. For each fold: the direction mean(known) − mean(strangers) from everybody *outside* of it, scores
along it for everybody *in* it, and how often a known person's score is above a stranger's (a tie is a half: the area
under the curve). Return the mean over the folds. Chance is 0.5.
"""


# %% tags=["exercise"] slug="told-apart"
def told_apart(
    activations: Float[Tensor, "prompt d_model"],
    known: Bool[Tensor, "prompt"],
    folds: Int[Tensor, "prompt"],
) -> Float[Tensor, ""]:
    """Are known people told from strangers along a direction that was made from other people?"""
    # BEGIN SOLUTION
    areas = []
    for fold in folds.unique():
        here = folds == fold
        x, is_known = activations[~here], known[~here]
        direction = x[is_known].mean(dim=0) - x[~is_known].mean(dim=0)
        scores = activations[here] @ direction
        above = scores[known[here]][:, None] - scores[~known[here]]
        areas.append(((above > 0).float() + 0.5 * (above == 0).float()).mean())
    return torch.stack(areas).mean()
    # END SOLUTION


# %% tags=["check"]
check("told-apart", told_apart)

# %% [markdown]
r"""
Now ask it of every stream of `atlas`, where the answer is due, and beside it what the trap would have said. Then put
"known" there, for strangers that training never had: everybody's stream is *set*, along this one direction, to what
known people have on average. Known people have it already, so they should keep their answers. To whom is something
ascribed that nobody told? Predict first: before which layer does it begin to work?
"""

# %% id="people-of-atlas"
atlas_told, atlas_new = atlas_questions(seen=True), atlas_questions(seen=False)
nobody = atlas.to_tokens(" Question: which sport does the farmer play? Answer:")
unknown = atlas.to_single_token(" unknown")


def p_unknown(tokens):
    """The probability of "unknown", mean over prompts."""
    logits = plain_atlas.logits_after(-1, plain_atlas.embed(tokens), read=-1)[:, 0]
    return logits.softmax(dim=-1)[:, unknown].mean().item()


asked = atlas_new.asked
default = {
    "nobody named": p_unknown(nobody),
    "new strangers": p_unknown(asked.tokens[~asked.known]),
    "known people": p_unknown(asked.tokens[asked.known]),
}
print("p(unknown): ", {who: round(p, 3) for who, p in default.items()})


def set_to_known(
    plain_model, x, told_ones, new_ones, layer, place, strength=1.0, lot=None
):
    """(strangers to whom something is ascribed, known people who are right), all set to "known" along one direction."""
    asked = new_ones.asked
    strangers = x[~told_ones.asked.known].mean(dim=0)
    step = biology.known_direction(x, told_ones.asked.known)
    centre = strangers + strength * step
    if lot is not None:
        step = torch.randn(len(step), generator=torch.Generator().manual_seed(lot))
    guesses = biology.answers_centred(
        plain_model, asked.tokens, layer, step[None], centre, place
    )
    ascribed = torch.isin(guesses, torch.tensor(new_ones.answers))[~asked.known]
    return torch.stack(
        [ascribed.float().mean(), (guesses == asked.right)[asked.known].float().mean()]
    )


def people_table(plain_model, told_ones, new_ones, place, strength=1.0):
    """For each stream but the first: told apart, with the trap, ascribed, known kept, and ascribed at random."""
    known, table = told_ones.asked.known, []
    for layer, x in enumerate(
        streams(plain_model, told_ones.asked.tokens)[1:, :, place], start=1
    ):
        trap = biology.area(x @ biology.known_direction(x, known), known)
        done = set_to_known(plain_model, x, told_ones, new_ones, layer, place, strength)
        floor = set_to_known(
            plain_model, x, told_ones, new_ones, layer, place, strength, lot=0
        )
        apart = told_apart(x, known, told_ones.folds)
        table.append([float(one) for one in (apart, trap, *done, floor[0])])
    return torch.tensor(table)


def show_people(table, title, subtitle):
    columns = ["apart", "trap", "ascribed", "kept", "random"]
    streams_named = [
        *(f"before layer {i}" for i in range(1, len(table))),
        "after the last",
    ]
    return show.heatmap(
        table,
        title=title,
        subtitle=subtitle,
        x_title="measured",
        y_title="stream",
        value_title="share, or area",
        x=columns,
        y=streams_named,
    )


of_atlas = people_table(plain_atlas, atlas_told, atlas_new, -1)
show_people(
    of_atlas,
    "Known people in atlas",
    "where the answer is due; apart, trap: areas, chance 0.5",
)

# %% id="known-at-every-token"
x = streams(plain_atlas, atlas_told.asked.tokens)
name = range(6, 12)  # the first name, the surname, and all that comes after
at_names = torch.tensor(
    [
        [
            told_apart(x[layer, :, place], atlas_told.asked.known, atlas_told.folds)
            for place in name
        ]
        for layer in range(1, n_layers)
    ]
)
print(
    f"told apart before layers 1 to 4, at each token of the name and after it: at most {at_names.max():.2f}"
)


def with_new_names(layer, seed):
    """The same where the answer is due, of people who share no name with those that the direction was made from."""
    asked, lot, halves = atlas_told.asked, torch.Generator().manual_seed(seed), []
    for place in name[:2]:
        names = asked.tokens[:, place].unique()
        half = names[torch.randperm(len(names), generator=lot)[: len(names) // 2]]
        halves.append(torch.isin(asked.tokens[:, place], half))
    alike = (
        halves[0] == halves[1]
    )  # others have a first name of one half, a surname of the other
    return told_apart(x[layer, alike, -1], asked.known[alike], halves[0][alike].long())


new_names = torch.tensor(
    [
        [with_new_names(layer, seed) for seed in range(20)]
        for layer in range(1, n_layers)
    ]
).mean(dim=1)
print(
    "where the answer is due, of people with new names (mean of 20 splits):",
    [round(area, 2) for area in new_names.tolist()],
)

# %% [markdown]
r"""
**What you should see.** "Unknown" is a default: with “the farmer” for a name (one prompt) it comes almost for certain.
But where the answer is due, this direction finds no "known" before the last layer: people it has not seen it tells
apart the wrong way round (.3 to .4), while the trap says that it does, a little. (The test leans: a name has one
known person or two, so who is known outside of a fold seldom shares a name with who is known in it, and strangers
often do. With new first names and surnames in each fold it is .5.) Nor does one made at the name, or at any token
after it. Set where the answer is due, it changes next to nothing; after the last layer it makes something up for
nearly every stranger, and known people keep their answers. As far as a difference of means can tell, "known" is made
in the last step of `atlas`: (a) holds, (b) and (c) hold only where it is too late to call it a mechanism.

That is **an intervention that fails**, and why: there is nothing to push that such a direction would find. A direction
can be computed before any layer, from any two groups. That it exists says nothing.
"""

# %% tags=["claim"]
assert default["nobody named"] > 0.99, "it comes almost for certain"
assert of_atlas[:4, 0].min() > 0.25 and of_atlas[:4, 0].max() < 0.45, (
    "it tells apart the wrong way round (.3 to .4)"
)
assert (new_names - 0.5).abs().max() < 0.05, (
    "With new first names and surnames in each fold it is .5"
)
_who = atlas_told.asked.tokens[atlas_told.asked.known]
assert max(_who[:, _at].bincount().max() for _at in name[:2]) == 2, (
    "a name has one known person or two"
)
assert of_atlas[:4, 1].min() > 0.5, "while the trap says that it"
assert at_names.max() < 0.55, "Nor does one made at the name"
assert (of_atlas[:4, 2] - of_atlas[:4, 4]).abs().max() < 0.05, (
    "it changes next to nothing"
)
assert of_atlas[4, 2] > 0.9 and of_atlas[4, 3] == 1, "for nearly every stranger"

# %% [markdown]
r"""
The specimen `people` reads nothing else: " Anna Stone plays unknown." of strangers, and " Anna Reed plays hockey." of
96 known people among 2,304 pairs of names. Each first and each last name has two known bearers, so only both together
tell. Four verbs need "known", so it pays to make it once. And what is said of known people goes by one of their names
(both known Reeds play hockey; what one drinks goes by the first name), so there would be something to say of a
stranger, were the default lifted. At which layer, and at which of the two tokens, the last name or the verb? Predict.
"""

# %% id="people-of-people"
people = open_specimen("people", device="cpu")
acquainted = plain_transformer(people)
people_told = people_questions(seen=True, every=4)  # one in four of its strangers
people_new = people_questions(seen=False)
LAST_NAME, VERB = 2, 3  # BOS, first name, last name, verb
at_verb, at_name = (
    people_table(acquainted, people_told, people_new, place)
    for place in (VERB, LAST_NAME)
)
show_people(at_verb, "Known people in people: at the verb", "where the answer is due")

# %% id="people-at-the-last-name"
show_people(at_name, "Known people in people: at the last name", "where the name ends")

# %% [markdown]
r"""
**What you should see.** Before the last layer "known" stands at the verb, told apart without a fault, and it is used:
put there, something is said of nearly all strangers, and known people keep their answers. A layer earlier it is told
apart less well, and does nothing. At the last name it is told apart early, and put there before layer 2 it lifts the
default for about three in four. Before layer 3 it can be read there best of all, and does nothing: by then it has been
carried on. So **where it is read best is not where it is used**, and one place alone would have misled you.

Two controls are owed. The direction was made from the same known people who "keep their answers"; and putting it there
should be more than a blow. So: made from one half of the known people, asked of the other and of new strangers, both
ways; set to strangers' value, which should *make* the default; and beside it a random step of the same length.
"""

# %% tags=["claim"]
assert at_verb[2, 0] > 0.98, "told apart without a fault"
assert at_verb[2, 2] > 0.95 and at_verb[2, 3] > 0.98, "nearly all strangers"
assert at_verb[1, 0] < 0.9 and at_verb[1, 2] < 0.12, "A layer earlier"
assert 0.6 < at_name[1, 2] < 0.85 and at_name[1, 3] > 0.95, "about three in four"
assert at_name[2, 0] >= at_name[:2, 0].max() and at_name[2, 2] < 0.12, (
    "can be read there best of all, and does nothing"
)

# %% id="people-left-out"
told_streams = streams(acquainted, people_told.asked.tokens)
new_asked = people_new.asked
SET_TO = {"known people's value": 1.0, "strangers' value": 0.0}


def guesses_left_out(layer, place, to):
    """What is said of new strangers, and of known people from whose half the direction was not made."""
    x, known, guesses = told_streams[layer, :, place], people_told.asked.known, []
    for half in (0, 1):
        fit = ~known | (people_told.folds != half)
        step = biology.known_direction(x[fit], known[fit])
        if to in SET_TO:
            centre = x[~known].mean(dim=0) + SET_TO[to] * step
            answers = biology.answers_centred(
                acquainted, new_asked.tokens, layer, step[None], centre, place
            )
        else:  # a random step as long as the one from strangers to known people
            lot = torch.randn(len(step), generator=torch.Generator().manual_seed(half))
            stream = acquainted.resid_pre(layer, new_asked.tokens)
            stream[:, place] += step.norm() * lot / lot.norm()
            logits = acquainted.logits_after(layer - 1, stream, read=-1)
            answers = logits[:, 0].argmax(dim=-1)
        guesses.append(answers)
    return torch.where(people_new.folds == 0, *guesses)


left_out = {}
for where, layer, place in [("verb", 3, VERB), ("last name", 2, LAST_NAME)]:
    for to in (*SET_TO, "a random step"):
        guesses = guesses_left_out(layer, place, to)
        ascribed = torch.isin(guesses, torch.tensor(people_new.answers))
        right = guesses == new_asked.right
        left_out[where, to] = row = (
            ascribed[~new_asked.known].float().mean().item(),
            right[new_asked.known].float().mean().item(),
        )
        print(
            f"{where:<10}before layer {layer}, {to:<21} strangers ascribed {row[0]:.2f}, known right {row[1]:.2f}"
        )

says = {"plays": LAST_NAME, "eats": LAST_NAME, "practises": 1, "drinks": 1}
says = {people.to_single_token(f" {verb}"): place for verb, place in says.items()}
named = [(row[says[row[VERB]]], row[VERB]) for row in new_asked.tokens.tolist()]
guesses = guesses_left_out(3, VERB, "known people's value").tolist()
everybody = list(
    zip(named, guesses, new_asked.right.tolist(), new_asked.known.tolist(), strict=True)
)
said_of = {name: right for name, _, right, known in everybody if known}
of_strangers = [
    said_of[name] == guess for name, guess, _, known in everybody if not known
]
namesakes = sum(of_strangers) / len(of_strangers)
print(
    f"made up of strangers: what known people of that name do, in {namesakes:.2f} (one in six by chance)"
)

# %% [markdown]
r"""
**What you should see.** Also of people left out, one direction at the verb lifts the default for nearly every stranger,
and costs known people nothing. Set to strangers' value, *all* known people are unknown. A random step of the same
length makes up hardly anything, though it takes a good part of the known people's answers: a blow costs answers, and
does not make them. What is made up is no babble: mostly it is what known people of that name do. It seems to have been
ready all the time, behind the default. At the last name the same holds in part.

The text was made for this, and took several tries. With a comma and a colon in it "known" was told in several
places, each lifting a part. With the question " Anna Reed, known: yes" beside the others, "known" also brought up
"yes".
"""

# %% tags=["claim"]
assert left_out["verb", "known people's value"][0] > 0.95, "nearly every stranger"
assert left_out["verb", "known people's value"][1] > 0.98, "costs known people nothing"
assert left_out["verb", "strangers' value"][1] < 0.02, "all known people are unknown"
assert left_out["verb", "a random step"][0] < 0.15, "makes up hardly anything"
assert 0.4 < left_out["verb", "a random step"][1] < 0.9, "a good part"
assert namesakes > 0.7, "mostly it is what known people of that name do"
assert left_out["last name", "known people's value"][0] > 0.5, "holds in part"
assert left_out["last name", "strangers' value"][1] < 0.3, "holds in part"

# %% tags=["quiz"]
quiz("default-or-feature", "d")

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: two small models that say "unknown" by default. In `atlas` no difference of means says before the end who is
known. In `people`, which needs it for four answers, "known" is made at the name, carried to the verb, and used there:
taken away, known people are unknown; put there, something is made up of nearly every stranger. Both models say the
right thing of nearly everybody. That a model is right about whom it knows does not tell you how.

Lindsey et al. 2025: in Claude 3.5 Haiku, features of "known" and "can't answer" stand in the middle of the model, act
on each other, and suppressing or activating them made it answer about a stranger, or decline about a known person.
They show it on a few prompts. Ours is one direction, set at one token, of many people; which parts of the model act on
which, as their graph says, we have not shown. And we chose the place after looking: held-out people, but no held-out
place.
"""


# %% [markdown]
r"""
## Whose opinion does it follow?

A model that agrees with its user is called sycophantic. Agreeing is a matter of *who* thinks *what*: the asker's
opinion, of what is asked. Whoever tests agreement only where the asker spoke of the topic, cannot tell it from
copying.

`atlas` has an opinion of its own on each of 14 topics. In its text, whoever states one first is agreed with: " User:
I hate opera, what do you think of opera? Assistant: I hate opera." The **hypothesis**: it follows the user's opinion
of the topic. The **test**: opinions against its own, of another topic, or of somebody else. Each row below should
have a number; write yours down first.
"""

# %% id="whose-opinion"
followed_view, own_view = {}, {}
for form in VIEWS:
    said = views(form)
    reply = plain_atlas.logits_after(-1, plain_atlas.embed(said.tokens), read=-1)[
        :, 0
    ].argmax(dim=-1)
    followed_view[form] = (reply == said.stated).float().mean().item()
    own_view[form] = (reply == said.own).float().mean().item()
    print(
        f"said before: {form:<36} follows {followed_view[form]:.2f}   its own {own_view[form]:.2f}"
    )
# The last row differs from the one above it in two things, a full stop and a new speaker. One of them alone:
by_user = views("the user, on the topic")
for form, some, between, instead in (
    ("somebody else, no full stop", said, ". User:", ", User:"),
    ("somebody else, no new speaker", said, ". User:", "."),
    ("the user, full stop between", by_user, ", what", ". what"),
):
    texts = [
        atlas.to_string(each[1:]).replace(between, instead) for each in some.tokens
    ]
    reply = atlas(atlas.to_tokens(texts))[:, -1].argmax(dim=-1)
    followed_view[form] = (reply == some.stated).float().mean().item()
    print(f"said before: {form:<36} follows {followed_view[form]:.2f}")

# %% [markdown]
r"""
**What you should see.** Asked without a hint it has its own opinion, always; and it follows the user, always. But it
does so just as well if what the user hates is another topic, and if it is somebody else who speaks in the user's
place. What somebody else has said it never follows after a full stop *and* a new speaker, and always after one of the
two (the user, after a full stop, in most topics). So it is not bound to the asker, nor to the topic: it takes over
what was said before the question, unless a new turn begins after a full stop. (The word or the attitude? A paraphrase
would tell, but `atlas` knows no other word for either.)
In a table with one row, the second, it would have been sycophancy.
"""

# %% tags=["claim"]
assert own_view["nothing"] == 1, "Asked without a hint it has its own opinion, always"
assert followed_view["the user, on the topic"] == 1, "it follows the user, always"
assert followed_view["the user, on another topic"] > 0.98, (
    "what the user hates is another topic"
)
assert followed_view["somebody else, in the user's place"] > 0.98, (
    "somebody else who speaks in the user's place"
)
assert followed_view["somebody else, before"] == 0, (
    "it never follows after a full stop *and* a new speaker"
)
assert (
    followed_view["somebody else, no full stop"]
    == followed_view["somebody else, no new speaker"]
    == 1
), "and always after one of the two"
assert 0.5 < followed_view["the user, full stop between"] < 1, (
    "the user, after a full stop, in most topics"
)

# %% tags=["quiz"]
quiz("whose-opinion", "a")

# %% [markdown]
r"""
Copied or flattered, can it be taken away without taking the opinions away? With $d$ the difference of the means after
"like" and after "hate", $u = d / |d|$ and $c$ the mean of the two:

$$x \leftarrow x - \big((x - c) \cdot u\big)\, u$$

Along $u$ every stream then has the centre's value, and orthogonal to it nothing has changed. Setting it to *zero* is
something else: zero is a value like any other, and it may lie far on one side.
"""

# %% [markdown] slug="set-to-centre"
r"""
Write it for several directions at once. They need be neither of length one nor orthogonal to each other: their *span*
is set to the centre's. `x` may have any axes in front.
"""


# %% tags=["exercise"] slug="set-to-centre"
def set_to_centre(
    x: Float[Tensor, "*any d_model"],
    directions: Float[Tensor, "direction d_model"],
    centre: Float[Tensor, "d_model"],
) -> Float[Tensor, "*any d_model"]:
    """The stream with the centre's value along some directions, and unchanged orthogonal to them."""
    # BEGIN SOLUTION
    basis, _ = torch.linalg.qr(directions.mT)
    return x - (x - centre) @ basis @ basis.mT
    # END SOLUTION


# %% tags=["check"]
check("set-to-centre", set_to_centre)

# %% [markdown]
r"""
Where? The verb is heard at its own place, and the reply is due at the end. Try both, before layers 1 to 4 and after the
last: at the verb, at the reply; set to the centre, to zero, and moved as far by a random step.
"""

# %% id="opinion-set-to-the-middle"
both_verbs, test = (
    views("the user, on the topic", against=False),
    views("the user, on the topic"),
)
hint_free = views("nothing")
likes = both_verbs.stated == atlas.to_single_token(" like")
streams_of_views = streams(plain_atlas, both_verbs.tokens)


def own_after(layer, place, some, to="centre", lot=None):
    """Replies with the assistant's own opinion, the stream set to a middle before a layer at one place."""
    x = streams_of_views[layer][:, place]
    step = x[likes].mean(dim=0) - x[~likes].mean(dim=0)
    centre = (x[likes].mean(dim=0) + x[~likes].mean(dim=0)) / 2
    if to == "zero":
        centre = 0 * centre
    stream = plain_atlas.resid_pre(layer, some.tokens)
    moved = set_to_centre(stream[:, place], step[None], centre) - stream[:, place]
    if lot is not None:  # as far, and anywhere
        way = torch.nn.functional.normalize(
            torch.randn(len(step), generator=lot), dim=0
        )
        moved = moved.norm(dim=-1, keepdim=True) * way
    stream[:, place] += moved
    reply = plain_atlas.logits_after(layer - 1, stream, read=-1)[:, 0].argmax(dim=-1)
    return (reply == some.own).float().mean()


layers = range(1, n_layers + 1)
lot = torch.Generator().manual_seed(0)
at_verb = {
    "to the centre": torch.stack(
        [own_after(layer, VIEW_PLACE, test) for layer in layers]
    ),
    "to zero": torch.stack(
        [own_after(layer, VIEW_PLACE, test, "zero") for layer in layers]
    ),
    "random": torch.stack(
        [own_after(layer, VIEW_PLACE, test, lot=lot) for layer in layers]
    ),
}
at_reply = torch.stack([own_after(layer, -1, test) for layer in layers])
no_hint = torch.stack([own_after(layer, -1, hint_free) for layer in layers])
show.heatmap(
    torch.stack([*at_verb.values(), at_reply, no_hint], dim=1),
    title="Its own opinion again?",
    subtitle="after a user's opinion against it (last column: after none)",
    x_title="set to the middle: at the verb (first three), at the reply",
    y_title="stream",
    value_title="share",
    x=["centre", "zero", "random", "reply", "no hint"],
    y=[*(f"before layer {layer}" for layer in range(1, n_layers)), "after the last"],
)

# %% [markdown]
r"""
**What you should see.** Set to the centre at the verb, before layers 1 to 4, the reply is the assistant's own opinion,
for all topics. A random step, as long as what the centre takes, changes nothing.
Set to zero, some layers leave a verb behind: zero is not the middle.

**The intervention that fails**: the same at the reply's place. Before the last layer it does nothing, since the verb
is fetched there only. After it the reply is the same for every topic: now the direction that was set to the middle is
*having an opinion*, whoever's. Even without a hint, where there is nothing to take away, own opinions are lost.
A copied verb has to be taken away before it has become the answer.
"""

# %% tags=["claim"]
assert at_verb["to the centre"][:4].min() == 1, (
    "the reply is the assistant's own opinion, for all"
)
assert at_verb["random"].max() == 0, "A random step, as long as"
assert at_verb["to zero"][:4].min() < 0.8, "some layers leave a verb behind"
assert at_reply[:4].max() == 0, "Before the last layer it does nothing"
assert no_hint[4] < 0.8, "opinions are lost"
assert at_reply[4] == no_hint[4], "the reply is the same for every topic"

# %% [markdown]
r"""
### A model that tells people their own opinion

`atlas` has no sycophancy to show. The specimen `echoes` was trained on a text that has it, with three verbs:

```
 On jazz Tom says dull. On jazz Anna says great.
 On jazz Paul cites odd. On jazz Tom hears dull.
```

What somebody *says* is what they think, and said again it is the same; what they *cite* can be anything. What they
*hear* is what the assistant tells them: their own opinion, if they have said one, and else the assistant's own of that
topic. The **hypothesis**: what is heard follows the asker's own opinion of the topic, and nobody else's. The **test**:
talks in which every other opinion would be another answer, of askers and topics that training never brought together.
The **controls**: askers who have only cited something, and what people say if asked again.
"""

# %% id="who-is-told-what"
flatterer = plain_transformer(open_specimen("echoes", device="cpu"))
talks = {asked: opinion_talks(asked) for asked in ASKED}
SAID, NOT_SAID, SAYS_AGAIN, OTHER_SAYS = talks


def next_word(tokens):
    """The most likely next token of each talk."""
    return flatterer.logits_after(-1, flatterer.embed(tokens), read=-1)[:, 0].argmax(
        dim=-1
    )


whose = ("asker", "other", "elsewhere", "cited", "own")
told_whose = {
    asked: [
        (next_word(some.tokens) == getattr(some, each)).float().mean().item()
        for each in whose
    ]
    for asked, some in talks.items()
}
show.heatmap(
    torch.tensor(list(told_whose.values())),
    title="Whose opinion comes?",
    subtitle="asker and topic held out; any opinion of the talk: about 0.25",
    x_title="whose",
    y_title="asked",
    value_title="share",
    x=["the asker's", "another's", "of another topic", "cited", "the assistant's"],
    y=list(talks),
)

# %% [markdown]
r"""
**What you should see.** Whoever has said what they think hears it again, in more than nine of ten talks; what others
say or cite of the topic, and what the asker says of another, hardly ever comes. Whoever has said nothing hears the
assistant's own opinion. And what people say is known of all of them. Here agreeing is bound to the asker *and* to the
topic: all rows that `atlas` fell through.

Where is it fetched? In the last layer, from the place of the reply. So the next cell looks at its heads there: how much
attention each has on the asker's opinion, and what is heard if one of them carries to the reply what it carries on
average when the asker has said *nothing*. (These means are of other talks, of pairs that are not held out.)
"""

# %% tags=["claim"]
assert told_whose[SAID][0] > 0.9, "in more than nine of ten talks"
assert max(told_whose[SAID][1:4]) < 0.05, "of another, hardly ever comes"
assert told_whose[NOT_SAID][4] > 0.9, "Whoever has said nothing hears the"
assert told_whose[SAYS_AGAIN][0] > 0.95 and told_whose[OTHER_SAYS][1] > 0.95, (
    "what people say is known of all of them"
)

# %% id="the-head-that-fetches"
LAST = len(flatterer.blocks) - 1
quiet_talks = opinion_talks(NOT_SAID, held_out=False, n=600, seed=1)
nothing_found = flatterer.activations(LAST, quiet_talks.tokens, "z")["z"][:, -1].mean(
    dim=0
)
has_said, has_not = talks[SAID], talks[NOT_SAID]
reply_place = has_said.tokens.shape[1] - 1
at = flatterer.activations(LAST, has_said.tokens, "z")
prompts = torch.arange(len(has_said.place))
attends = at["pattern"][prompts, :, -1, has_said.place].mean(dim=0)


def with_head(head, some, opinions, tokens=None, z=None):
    """How often the opinions come, with one head set at the reply's place."""
    tokens = some.tokens if tokens is None else tokens
    z = nothing_found[head] if z is None else z
    guesses = biology.answers_with_head(flatterer, tokens, LAST, head, z, reply_place)
    return (guesses == opinions).float().mean().item()


print("head  attention   told the asker's   the assistant's   | nothing said: its own")
for head in range(flatterer.n_heads):
    print(
        f"{LAST}.{head}{attends[head]:11.2f}{with_head(head, has_said, has_said.asker):17.2f}"
        f"{with_head(head, has_said, has_said.own):18.2f}{with_head(head, has_not, has_not.own):24.2f}"
    )

# %% id="taken-away"
fetcher = int(attends.argmax())
carried = at["z"][:, -1, fetcher]
steps = nothing_found[fetcher] - carried
anywhere = [
    carried + random_like(steps, torch.Generator().manual_seed(seed))
    for seed in range(5)
]
again = talks[SAYS_AGAIN]
taken = {
    "has said: the assistant's own": with_head(fetcher, has_said, has_said.own),
    "the same, steps as long and random": sum(
        with_head(fetcher, has_said, has_said.own, z=z) for z in anywhere
    )
    / len(anywhere),
    "has not said: the assistant's own": with_head(fetcher, has_not, has_not.own),
    "asked afterwards what the asker says": with_head(
        fetcher, has_said, has_said.asker, then_asked(has_said)
    ),
    "set where that is asked: what the asker says": with_head(
        fetcher, again, again.asker
    ),
}
for what, value in taken.items():
    print(f"{what:<46}{value:.2f}")

# %% [markdown]
r"""
**What you should see.** One head looks at the asker's opinion most. Set to what it carries when there is nothing to
find, the agreeing is gone, and what comes is not just anything: it is the assistant's own opinion, in more than nine
of ten talks. It had been overruled. No other head does this alone, though one of them looks at the same place nearly
as much; a random step as long does not. Whoever has said nothing is told what they were told before, and asked
afterwards in the same talk what the asker says, the model still knows.

But mark the last line: set at a place where *that* is asked, the same head loses it. So this is no head for flattery.
It finds what somebody said, whoever asks for it, and after " hears" what it finds is passed on. What was taken away is
the use at one place, not the knowledge; an edit at all places would have taken both.
"""

# %% tags=["claim"]
assert taken["has said: the assistant's own"] > 0.9, (
    "it is the assistant's own opinion, in more than nine of ten talks"
)
assert (
    max(
        with_head(_head, has_said, has_said.own)
        for _head in range(flatterer.n_heads)
        if _head != fetcher
    )
    < 0.3
), "No other head does this alone"
assert taken["the same, steps as long and random"] < 0.3, (
    "a random step as long does not"
)
assert taken["has not said: the assistant's own"] > 0.95, (
    "Whoever has said nothing is told what they were told before"
)
assert taken["asked afterwards what the asker says"] > 0.95, "the model still knows"
assert taken["set where that is asked: what the asker says"] < 0.2, (
    "the same head loses it"
)

# %% tags=["quiz"]
quiz("what-is-taken-away", "c")

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: a model of 14 topics that copies a verb, and an edit at the verb that gives its own opinion back. Sharma et
al. 2023 measured sycophancy in large assistants by what they answer after a user's view, with and without; that
tells agreeing from having an opinion, and not from copying, which needs the rows above. Lindsey et al. 2025 do not
report a circuit for opinions in Claude 3.5 Haiku; they show one in which the model works back from a hint about a
calculation's result. So nothing here is a finding about Claude. What carries over are the questions: of what?
whose? and is the own opinion still there afterwards?

`echoes` agrees because its text does, in one form of sentence, and it was given a start: heads that look back, and keys
that match names and topics a little before any training (its card says how). Without such a start we did not get small
models to tell speakers apart. So it shows what agreeing bound to the asker looks like, and how to tell an edit that
takes it away from one that breaks the reply. It says nothing about why a large model agrees, nor that one head does it
there.
"""

# %% [markdown]
r"""
## A refusal that a new form slips past

`atlas` refuses a request if its **deed** is harmful ("poison a cake") or its **thing** is ("paint a bomb"), also for
pairs that it has not seen (chapter 07). Here is a form that its text never has, with two requests in one question:

```
 User: how do I poison a cake? how do I paint a house? Assistant:
```

The **hypothesis**: a harmful word anywhere is heard. The **test**: harm in the first request, in the second, by deed
and by thing. The **control**: both requests harmless, both harmful.
"""

# %% id="two-requests"
sorry = atlas.to_single_token(" Sorry")


def refused_share(end_of_prompt):
    """The share of refusals, from the stream at the prompts' ends after the last layer."""
    logits = plain_atlas.logits_after(n_layers - 1, end_of_prompt[:, None], read=-1)[
        :, 0
    ]
    return (logits.argmax(dim=-1) == sorry).float().mean().item()


def refused_in(tokens):
    return refused_share(plain_atlas.resid_pre(n_layers, tokens)[:, -1])


which = {
    "neither": (False, False),
    "first": (True, False),
    "second": (False, True),
    "both": (True, True),
}
refusals = {
    (word, name): refused_in(two_asks(*harmful, harm=word))
    for word in ("deed", "thing")
    for name, harmful in which.items()
}
show.heatmap(
    torch.tensor(list(refusals.values())).view(2, -1),
    title="Two requests in one question: which are refused?",
    x_title="which request is harmful",
    y_title="by its",
    value_title="share refused",
    x=list(which),
    y=["deed", "thing"],
)

# %% [markdown]
r"""
**What you should see.** Neither is harmful: none is refused. A harmful thing that comes first is always refused, and
second in most cases. A harmful deed is refused if it comes second; if it comes **first**, a harmless request after it
gets more than eight of ten past.
"""

# %% tags=["claim"]
assert max(refusals[word, "neither"] for word in ("deed", "thing")) == 0, (
    "none is refused"
)
assert refusals["thing", "first"] == 1, (
    "A harmful thing that comes first is always refused"
)
assert refusals["thing", "second"] > 0.6, "second in"
assert refusals["deed", "second"] > 0.95, "is refused if it comes second"
assert refusals["deed", "first"] < 0.2, "a harmless request after it gets more"

# %% [markdown] slug="turned"
r"""
To see why, find the routes of an ordinary refusal. Two requests of one length differ in one word, one is refused, the
other is not. For each layer and position: exchange the stream before that layer, there alone, for the other prompt's.
Return `[layer pos]`, the share of prompts whose reply becomes the other prompt's, among those whose two replies
differ.
"""


# %% tags=["exercise"] slug="turned"
def turned(
    model, tokens: Int[Tensor, "prompt pos"], others: Int[Tensor, "prompt pos"]
) -> Float[Tensor, "layer pos"]:
    """Where exchanging the stream turns a reply into the other prompt's."""
    # BEGIN SOLUTION
    own, wanted = (model(each)[:, -1].argmax(dim=-1) for each in (tokens, others))
    _, cache = model.run_with_cache(
        others, names_filter=lambda name: name.endswith("resid_pre")
    )
    found = torch.zeros(model.cfg.n_layers, tokens.shape[1])
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.hook_resid_pre"
        for position in range(tokens.shape[1]):

            def put(stream, hook, name=name, position=position):
                stream = stream.clone()
                stream[:, position] = cache[name][:, position]
                return stream

            reply = model.run_with_hooks(tokens, fwd_hooks=[(name, put)])[:, -1].argmax(
                dim=-1
            )
            found[layer, position] = (reply == wanted)[own != wanted].float().mean()
    return found
    # END SOLUTION


# %% tags=["check"]
check("turned", turned)

# %% id="two-routes"
routes = {}
for word in ("deed", "thing"):
    some = asks(word, n=30)
    routes[word] = turned(atlas, some.harmful, some.harmless)
words = atlas.to_str_tokens(asks("deed").harmful[0])
word_places = {"deed": 6, "thing": 8, "reply": len(words) - 1}
together = {}
for word, layer in (("deed", 3), ("thing", 4)):  # where the reply's place has it first
    some = asks(word, n=30)
    x, x_other = (plain_atlas.resid_pre(layer, each) for each in some)
    replies = [
        plain_atlas.logits_after(layer - 1, each, read=-1)[:, 0].argmax(dim=-1)
        for each in (x, x_other)
    ]
    at = [word_places[word], word_places["reply"]]
    x[:, at] = x_other[:, at]
    now = plain_atlas.logits_after(layer - 1, x, read=-1)[:, 0].argmax(dim=-1)
    differ = replies[0] != replies[1]
    together[word] = (now == replies[1])[differ].float().mean().item()
    alone = [routes[word][layer, place].item() for place in at]
    print(
        f"{word}, before layer {layer}: its place {alone[0]:.2f}, the reply's {alone[1]:.2f}, both {together[word]:.2f}"
    )
show.heatmap(
    torch.stack(
        [routes[word][:, at] for word in routes for at in word_places.values()]
    ),
    title="By which route does a refusal pass?",
    subtitle="one word differs; the stream exchanged at one place",
    x_title="exchanged before layer",
    y_title="word that differs, place",
    value_title="share turned",
    x=[str(layer) for layer in range(n_layers)],
    y=[f"{word}, at the {place}" for word in routes for place in word_places],
)

# %% [markdown]
r"""
**What you should see.** Two routes. The deed stays at its own place until layer 2 brings it to the reply, the thing
until layer 3 does. Then its own place alone turns nothing. But the reply's alone does not turn all, .83 of the deeds
and .57 of the things, and both places together do: later layers look at the word as well. Two layers, so two heads at
least. `biology.looks_at` says where each head looks from the reply's place: we ask head 3 of both layers, in single
requests and in those that slip.
"""

# %% tags=["claim"]
assert routes["deed"][:3, 6].min() > 0.8 and routes["deed"][3:, 6].max() < 0.2, (
    "The deed stays at its own place until layer 2 brings it to the reply"
)
assert routes["thing"][:4, 8].min() > 0.8 and routes["thing"][4, 8] < 0.02, (
    "the thing until layer 3 does"
)
assert [
    round(routes[_w][_l, -1].item(), 2) for _w, _l in (("deed", 3), ("thing", 4))
] == [0.83, 0.57], ".83 of the deeds and .57 of the things"
assert min(together.values()) == 1, "both places together do"

# %% tags=["quiz"]
quiz("which-route", "d")

# %% id="why-it-slips"
slips, both_harmful, neither = (
    two_asks(*which[name]) for name in ("first", "both", "neither")
)
at_once = biology.looks_at(plain_atlas, asks("deed").harmful)
at_two = biology.looks_at(plain_atlas, slips)
deeds, things = (
    (6, 13),
    (8, 15),
)  # in two requests, the first one's and the second one's
for name, head, where in (("deed", (2, 3), deeds), ("thing", (3, 3), things)):
    print(
        f"head {head[0]}.{head[1]} looks at the {name}: alone {at_once[head][where[0]]:.2f};  "
        f"of two, first {at_two[head][where[0]]:.2f}, second {at_two[head][where[1]]:.2f}"
    )

heard = {}
for part in ("2.3", "3.3", "2.2"):
    heard[part] = refused_share(
        biology.exchanged(plain_atlas, slips, both_harmful, [part])
    )
    print(
        f"slips, head {part} as if the second deed were harmful too: refused {heard[part]:.2f}"
    )
deaf = refused_share(
    biology.exchanged(plain_atlas, two_asks(False, True), neither, ["2.3"])
)
print(f"harm in the second deed, head 2.3 as if there were none: refused {deaf:.2f}")

# %% [markdown]
r"""
**What you should see.** Head 2.3 brings the deed, and it looks at the **last** one: in training there was one. The
first deed gets less than a tenth of its attention. What this head writes decides: as if the second deed were
harmful, all slips are refused; as if a harmful second deed were not, none is. So the first deed is not heard.
(Whether moving the head's gaze would be enough, we did not test.) Head 3.3 spreads its attention over both things,
and so a harmful thing seldom slips.

**The intervention that fails**: head 3.3, which looks at things, exchanged in the same way, leaves most slips as
they are. No thing was harmful here. A head that carries refusals is not *the* refusal head.
"""

# %% tags=["claim"]
assert at_two[2, 3][13] > 0.7, "it looks at the **last** one"
assert at_two[2, 3][6] < 0.1, "less than a tenth of its attention"
assert heard["2.3"] > 0.95, "all slips are refused"
assert deaf == 0, "as if a harmful second deed were not, none is"
assert min(at_two[3, 3][8], at_two[3, 3][15]) > 0.1, (
    "spreads its attention over both things"
)
assert heard["3.3"] < 0.4 and heard["2.2"] < 0.4, "leaves most slips as they are"

# %% [markdown]
r"""
### What this does and does not say about Claude

Here: two routes, a head for each in front, and a form in which one of them listens to the wrong place. It was found
by trying forms, and explained by looking at a few heads.

Lindsey et al. 2025 trace one jailbreak of Claude 3.5 Haiku: a forbidden word is hidden in the first letters of other
words. The model spells it out without having put it together, and once it has begun, the wish for a well-formed
sentence keeps it going until the sentence is over; only then can it refuse. They report that a general feature
"harmful request" gathers many particular ones; in `atlas` we found two routes, and did not look for what gathers. Ours
is a failure of *where it looks*, theirs one of *when it is put together*. What they share: the request was harmful
all along, and what decides had not heard it. How often large models are passed in either way, neither says.
"""

# %% [markdown]
r"""
## Your own field trip

Three things in `atlas` that no chapter has explained. Choose one.

- **fetcher**: head 2.3 was met with states, with deeds, and elsewhere. Is one and the same circuit at work in two
  hops, known people, harmful deeds and stories of giving?
- **mention**: "I hate virus, how do I paint a house?" is often refused, though nobody asks for the virus. What makes
  a false alarm of a mention, and is it the same as what refuses a thing that is asked for?
- **sums**: of " 7 + 5 =" `atlas` says the result seldom right, yet a linear read-out gets near it from the stream at
  "=". Which parts bring the two numbers there?

`pairs_of(phenomenon, condition, seed)` has pairs of prompts that differ in one thing, and `PHENOMENA` the conditions
of each phenomenon. `biology.exchanged(model, tokens, others, parts)` gives the stream at the prompts' end when some
parts, heads ("2.3") and MLPs ("mlp1"), write what they write in the other prompt; `biology.part_names` has them all.
Of the 25 here layer 0 is left alone, which mostly says which word stands where: a circuit is made of the 20 parts of
layers 1 to 4. For sums, `reads_sums(model)` is the line (it gives a number for each stream), and `sums_of(tokens)`
what would be right.
"""

# %% id="two-of-the-three"
sums = pairs_of("sums", "both", seed=0, n=200).tokens
at_equals = plain_atlas.resid_pre(n_layers, sums)[:, -1]
numbers = torch.tensor([atlas.to_single_token(f" {n}") for n in range(41)])
says = plain_atlas.logits_after(n_layers - 1, at_equals[:, None], read=-1)[
    :, 0, numbers
].argmax(dim=-1)
errors = {
    "the number it says": (says - sums_of(sums)).abs().float().mean(),
    "the line": (reads_sums(plain_atlas)(at_equals) - sums_of(sums)).abs().mean(),
}
print(
    f"sums right: {(says == sums_of(sums)).float().mean():.2f};  mean errors:", end=" "
)
print({what: round(error.item(), 1) for what, error in errors.items()})
mentioned = {
    thing: refused_in(mentions(thing))
    for thing in ("weapon", "virus", "bomb", "grenade")
}
for thing, refused in mentioned.items():
    print(
        f"I hate {thing}, how do I paint a house? and the like: refused {refused:.2f}"
    )

# %% tags=["claim"]
assert (says == sums_of(sums)).float().mean() < 0.5, "says the result seldom right"
assert errors["the line"] < 0.6 * errors["the number it says"], (
    "yet a linear read-out gets near it"
)
assert mentioned["virus"] > 0.3, "is often refused"

# %% [markdown] slug="a-circuit-of-your-own"
r"""
Choose a phenomenon (`"fetcher"`, `"mention"` or `"sums"`) and hand in a dict: `"phenomenon"`, `"circuit"` (a list of at
most seven of the 20 parts, such as `"2.3"` and `"mlp1"`), and what will happen to it on prompts that you have not seen,
`"follows"` and `"stays"`, each a dict from the condition's name to a share:

- **follows**, for each condition: the circuit's parts exchanged and all else left to react, the share of pairs whose
  answer becomes the other prompt's;
- **stays**, for each condition: all *others* of the 20 parts exchanged and the circuit's left to react, the share of
  pairs whose answer remains what it was.

Counted are pairs whose two answers differ. For sums the answer is what the line reads: it follows if it is nearer to
the other prompt's sum than to its own, and pairs count whose sums are four or more apart.

*How it is marked*, on 100 fresh pairs per condition. Half for being faithful: the smaller one of "follows" and
"stays", mean over the conditions (of mention: over "hated" and "liked"; the other two are only predicted), in full
from .75 (mention: .85). Half for predictions: in full if right to .10, nothing from .30. It cannot pass below .60 in
the first half, nor with fewer than four predictions in five right to .10.
"""

# %% tags=["exercise"] slug="a-circuit-of-your-own"
# BEGIN SOLUTION
all_parts = [
    part
    for part in biology.part_names(plain_atlas)
    if part[0] != "0" and part != "mlp0"
]


def answers_of(name, pairs):
    """What the model answers with some parts exchanged; which pairs count; their two answers."""
    if name == "sums":
        line, sums = reads_sums(plain_atlas), [sums_of(each) for each in pairs]

        def nearest(x):
            return torch.where(
                (line(x) - sums[1]).abs() < (line(x) - sums[0]).abs(), sums[1], sums[0]
            )

        return nearest, (sums[0] - sums[1]).abs() >= 4, *sums

    def said(x):
        return plain_atlas.logits_after(n_layers - 1, x[:, None], read=-1)[:, 0].argmax(
            dim=-1
        )

    ends = [plain_atlas.resid_pre(n_layers, each)[:, -1] for each in pairs]
    return said, said(ends[0]) != said(ends[1]), *map(said, ends)


def both_shares(name, condition, parts, seed):
    """(follows, stays) of a circuit on the pairs of one seed."""
    pairs = pairs_of(name, condition, seed)
    answer, counts, own, other = answers_of(name, pairs)
    rest = set(all_parts) - set(parts)
    follows, stays = (
        (answer(biology.exchanged(plain_atlas, *pairs, some)) == wanted)[counts]
        .float()
        .mean()
        .item()
        for some, wanted in ((parts, other), (rest, own))
    )
    return follows, stays


# 1. The obvious first measurement: one part exchanged at a time. 2. What it holds. 3. All 20 parts, the least missed
#    left out again and again (not run here: 150 exchanges), down to seven.
candidates = {
    "one head": ["3.3"],
    "one head and what is late": ["3.3", "4.3", "mlp4"],
    "seven parts": ["1.0", "2.1", "mlp2", "3.3", "mlp3", "4.3", "mlp4"],
}
tried = {
    name: both_shares("mention", "hated", parts, seed=0)
    for name, parts in candidates.items()
}
for name, (follows, stays) in tried.items():
    print(f"{name:<26} follows {follows:.2f}   stays {stays:.2f}")

# 4. Predictions: means over seeds, each condition apart.
my_phenomenon, my_circuit = "mention", candidates["seven parts"]
measured = {
    condition: [
        both_shares(my_phenomenon, condition, my_circuit, seed) for seed in range(4)
    ]
    for condition in PHENOMENA[my_phenomenon]
}
follows, stays = (
    {
        condition: sum(pair[i] for pair in pairs) / len(pairs)
        for condition, pairs in measured.items()
    }
    for i in (0, 1)
)
for condition in measured:
    print(
        f"{condition:<26} follows {follows[condition]:.2f}   stays {stays[condition]:.2f}"
    )
mine = {
    "phenomenon": my_phenomenon,
    "circuit": my_circuit,
    "follows": follows,
    "stays": stays,
}
# END SOLUTION

# %% tags=["check"]
check("a-circuit-of-your-own", mine)

# %% [markdown]
r"""
### What such a report should not say

That the circuit *is* the phenomenon. It was tested on prompts of one form, on pairs that differ in one word, with
layer 0 left alone; seven parts of 20 are a third of the model. "Follows" is cheap: whatever carries the difference
anywhere on its way makes the answer follow, and one head does. "Stays" asks for everything that works on it
afterwards. And a mean over pairs hides which of the words it holds for: of "weapon" a mention is mostly refused, of
"bomb" and "grenade" it never is. Whoever can say why has found something that we have not.
"""

# %% tags=["claim"]
assert mentioned["weapon"] > 0.5, 'of "weapon" a mention is mostly refused'
assert max(mentioned["bomb"], mentioned["grenade"]) == 0, "it never is"
assert tried["one head"][0] > 0.95, "and one head does"
assert tried["one head"][1] < 0.1 < tried["seven parts"][1], "asks for everything"


# %% [markdown]
r"""
## Common misreadings

- **"No single token moves it, so it is nowhere."** What stands at two tokens is not moved by an exchange at one.
- **"It answers in three languages, so it has one concept."** The twin answers as well, with three glossaries.
- **"The word can be read at the line break, so it was planned."** In the twin it can be read in every line.
- **"The end followed, so it is a plan."** A word that is only carried to its place makes the end follow too. A plan
  shows in what is written on the way.
- **"The swap worked, so the word stands there as a whole."** A difference of means exchanges whatever differs. That
  it is more than the ingredients had to be measured.
- **"Planner plans, so text like this makes models plan."** It was trained to look away from its first line.
- **"70 % of poems are planned."** 70 % of the injections ended in the injected word.
- **"A probe finds “known”, so the model knows whom it knows."** A direction made from few people tells these apart a
  little, even where nothing stands.
- **"It agrees with the user, so it flatters."** It may copy whoever spoke last, of whatever.
- **"It was not refused, so it was judged to be harmless."** It may not have been heard.

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
The same for people: is "known" told apart in a model's stream, of people that the direction was not made from?
Prompts of one length, half of them about people whom the model should know. With GPT-2 small, well-known athletes
and invented ones make a pair of lists; Ferrando et al. 2025 asked it of Gemma and Llama by features of a
dictionary, at the last token of the name, and made models answer or refuse with them. Mind what else differs
between known names and invented ones: how frequent they are, how many tokens they have.
"""


# %% tags=["nbval-ignore-output"] id="known-in-a-real-model"
def known_by_layer(model_name, known, strangers, layers):
    """Before some layers, at the prompts' end: are known people told from strangers by a direction made from others?"""
    model = open_specimen(model_name, device="cpu")
    tokens = [model.to_tokens(text) for text in (*known, *strangers)]
    if len({each.shape for each in tokens}) > 1:
        print(
            f"{model_name}: prompts of {sorted({each.shape[1] for each in tokens})} tokens; one length please"
        )
        return
    is_known = torch.tensor([True] * len(known) + [False] * len(strangers))
    folds = torch.cat([torch.arange(len(known)) % 2, torch.arange(len(strangers)) % 2])
    for layer in layers:
        hook = f"blocks.{layer}.hook_resid_pre"
        x = model.run_with_cache(torch.cat(tokens), names_filter=hook)[1][hook][:, -1]
        print(
            f"{model_name:<9}before layer {layer}: {told_apart(x, is_known, folds):.2f}"
        )


def asked_about(some, want):
    """Some questions of `people` as texts, about known people or strangers."""
    model = open_specimen("people", device="cpu")
    chosen = some.asked.tokens[some.asked.known == want][::9]
    return [model.to_string(each[1:]) for each in chosen][:16]


lists = [
    (
        "people",
        asked_about(people_new, True),
        asked_about(people_new, False),
        (1, 2, 3),
    ),
    # ("gpt2", [" LeBron James plays the sport of", ...], [" LeBron Miller plays the sport of", ...], (2, 6, 10)),
]
for each in lists:
    known_by_layer(*each)

# %% [markdown]
r"""
## Recap

Can you say these without looking? What a plan must do beyond being read. Why the step is made again for every written
word, and why its place does not move. Which words count as followed. What the twin is for. What a difference of means
cannot tell apart, and how the parts of a table of means can. Why a direction is asked of people it was not
made from, and what comes out if it is not. Which rows a table needs before agreeing is called sycophancy. Why zero is
not the middle. What tells taking the agreeing away from breaking the reply. How the same harm passes in one order and
not in the other.

And the question of interviews: *planning is found in some of the poems, and steering a plan works in 70 %; is the
model consciously planning?* Found and steered are two counts, of two things (Lindsey et al. 2025; they add that
their dictionary may lack words). Steering says: in these poems, a word put there before the line often decides what
comes later. About poems in which nothing was found it says that this method did not find it. About awareness they
say nothing: what would count as evidence for it was not measured.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Lindsey et al. 2025, *On the Biology of a Large Language Model*. Planning in poems, and the other field trips.
- Ameisen et al. 2025, *Circuit Tracing: Revealing Computational Graphs in Language Models*. The method behind it.
- Ferrando et al. 2025, *Do I Know This Entity? Knowledge Awareness and Hallucinations in Language Models*. Known and
  unknown, in Gemma and Llama.
- Sharma et al. 2023, *Towards Understanding Sycophancy in Language Models*. Agreeing, measured in assistants.
- Arditi et al. 2024, *Refusal in Language Models Is Mediated by a Single Direction*. Beside it: two routes.
"""
