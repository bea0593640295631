# %% [markdown] minutes=195
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
- exchange language and concept one at a time, by steps that cannot bring the answer along
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
    random_like,
    readable,
    readable_left_out,
    streams,
    swap_logits,
)
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.biology import (
    PLANS,
    RHYMES,
    city_entries,
    couplet_lines,
    glossary,
    glossary_answers,
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
the end of the second. **A readable plan is no plan.** And nothing forces it to have one: its verbs are drawn evenly,
so nothing about the end needs to be known before.
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
Try it yourself: another first line, another plan, another token, the twin. (`biology.swap_plans` exchanged the same
means, for all lines at once.)
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

Lindsey et al. 2025: in Claude 3.5 Haiku, at the line break, a planned word put in ended the line in 70 % of cases,
over 25 poems. Nothing pushed that model as ours was pushed. They found the words by features of a dictionary; we knew
the words beforehand. They put a feature in; we exchange a difference of means, which carries everything that goes with
a word. And 70 % is the share of *injections that worked* in poems they chose, not the share of poems that are planned.
None of this is about awareness: a plan here is a state that decides what comes later.
"""

# %% tags=["quiz"]
quiz("seventy-per-cent", "d")

# %% [markdown] slug="where-is-the-plan"
r"""
In `planner` an exchange at the break works before layer 1, and two layers later it changes nothing. So where is the
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
*What we found.* In `planner` no single token moves more than about a third of any blank's words before layer 2; and
**two together move nearly all**: the break, and the token at which the word is said. Layer 1 has brought the plan
there, and later layers still look at the break. Each copy speaks for the old plan when the other is exchanged. So a
sweep over single tokens, the first thing one does, says “nowhere” of what stands there twice. With two plans put in
neither wins: more than half of the words go with neither, and the commonest verb and adjective are among the few that
the specimen has for every noun (*had*, *nice*). It hedges, and the end, for which there is no such word, is of some
other plan. The words before a blank speak as well: with the verb kept, fewer adjectives follow the break than in lines
that the model wrote freely.

The twin needs the break for nothing. Its word is at the token where it is said, in part, and the rest still comes from
elsewhere: for the verb from the *the* before the rhyme word, of all tokens (it has seen the person, and no rhyme yet).
Our report reaches the highest level on every draw; its one weakness are tokens that few lines need, such as the twin's
for the end.
"""

# %% tags=["claim"]
assert (
    max(best for (name, _), best in best_alone.items() if name == "planner") < 0.42
), "no single token moves more than about a third of any blank's words before layer 2"
assert min(together["planner", blank] for blank in said_at) > 0.95, (
    "**two together move nearly all**"
)
assert all(
    set(report["planner"][blank]) == {9, last} for blank, last in said_at.items()
), "the break, and the token at which the word is said"
assert min(neither.values()) > 0.5, "more than half of the words go with neither"
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
 country: Ghent   Belgium                   concept    Belgium
 pays: Gand       Belgique        is it     relation   country, people, language
 país: Gante      Bélgica                   language   English, French, Spanish      side by side?
```

The **hypothesis** again has two parts. (a) What tells one country from another is the same activation in all
languages. (b) It is used as such: another language put in leaves country and relation as they were, and another
country, *by what English makes of it*, works in French. The **tests** are exchanges; the **controls** are random
steps, countries paired by lot, and a model that was never asked to translate.

`polyglot-twin` knows a glossary of 16 countries and 60 cities, each entry in one language. `polyglot` is the same
model, trained on with entries of which half translate (" pays: Ghent Belgique"). Every name is another word in each
language, so nothing can be read off the spelling. A city's people and language take two steps; one (city, relation,
language) in five of those was never told, in no spelling.
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
*What you should see.* Both answer more than nineteen in twenty of what they were never told, in all three languages.
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
    common[name] = torch.stack([common_share(each) for each in tables])
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
*What you should see.* In `polyglot` nearly all of it is common before layer 1, and much of it in the embeddings
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
    "country, by English": ("concept", by_english, not_english),
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
    subtitle="at the name, held-out entries; the whole answer has to be right",
    x_title="exchanged before layer",
    y_title="share of answers",
)

# %% [markdown]
r"""
*What you should see.* Before layer 1 every answer, or nearly every one, follows in `polyglot`: the language's step
changes the language and keeps the country and what is asked; the country's step, made of English entries alone,
changes the country in French and Spanish ones, and keeps their language. In the twin hardly one in ten follows either.
Random steps do next to nothing in both.

Look along the layers, too. Before layer 0 the language cannot be exchanged at the name: what says it is the word
before, and has not been read yet. (The country can be: as we saw, it is in the names' embeddings.) Later both curves
fall: bit by bit the answer itself is decided, and a step that is right for the parts comes too late.
"""

# %% tags=["claim"]
assert (
    min(curves["polyglot: language"][1], curves["polyglot: country, by English"][1])
    > 0.95
), "Before layer 1 every answer, or nearly every one, follows in `polyglot`"
assert (
    max(
        curves["polyglot-twin: language"].max(),
        curves["polyglot-twin: country, by English"].max(),
    )
    < 0.12
), "hardly one in ten follows either"
assert max(each.max() for each in floor_of.values()) < 0.05, (
    "Random steps do next to nothing"
)
assert curves["polyglot: language"][0] < 0.05, (
    "Before layer 0 the language cannot be exchanged at the name"
)
assert curves["polyglot: country, by English"][0] > 0.9, "The country can be"
assert curves["polyglot: language"][1:].diff().max() < 0, "Later both curves fall"
assert curves["polyglot: country, by English"][1:].diff().max() < 0, (
    "Later both curves fall"
)

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


variants = {
    "its own country's means": own_cell,
    "over all countries": swap_the_language,
    "over countries and relations": one_for_all,
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
*What you should see.* With its own country's means the language can be exchanged in *both* models: a step that
contains the answer tells nothing about parts in common. With means over all countries it works in `polyglot` alone.

And one fails in `polyglot` as well: a single step for all relations takes along about half of the answers. Country and
relation are nearly always right; it is the language that does not come. At this place “French” is not one direction: a
part of it is “French, where people are asked for”, and a mean over relations has lost it.
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

Here: in one small model that was taught to translate, a country is one activation for three languages, and relation
and language are exchanged without it. In its twin, which answers as well and was never taught to translate, three
glossaries stand side by side. So answering in three languages does not need a concept in common, and nothing here says
that models have one unless something in their text rewards it. Our entries translate in half of the cases; in Claude's
text nobody counted.

Lindsey et al. 2025: in Claude 3.5 Haiku, opposites in three languages, features found by a dictionary and exchanged as
features; and over many paragraphs, a share of features active in several languages that is highest in the middle
layers, and higher in Haiku than in a smaller model. Active in both is a weaker finding than used in both: the
exchanges are on a few prompts, the counts on many. Whether the concept is “in English” is another question. Ours was
trained alike in all three, so it has no reason to prefer one; they report signs that English is special. None of it
says that a model *thinks* without language: it says of what the activations are made on the way to one word.
"""

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
