# %% [markdown] minutes=260
r"""
# 05 · Circuit swaps

Make a model answer Sacramento to a question about Dallas, and know exactly what that shows and what it
does not.

## What you will be able to do

- find out where, and until which layer, a model holds the middle step of a two-step answer
- make the direction from one state to another, and swap the state in the middle of the computation
- count successes honestly: on questions never seen, over all pairs, and only where something is tested
- choose controls, and say of each why it should fail
- find the heads that carry a step, and split a test so that it shares nothing with what a reader was made from
- find a second explanation of a result, the cases on which the two part, and cases to compare them with
- tell a model that works its answer out from one that knows it by rote, though both answer alike
- say what a swap shows, what it does not, and what would have spoken against it

You need chapter 00 (hooks, the residual stream). Chapter 04 helps: a swap is a patch with a direction in
place of a whole activation.
"""

# %% tags=["setup"]
from collections import Counter

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import swaps
from mi_tutor.lab.ground import plain_transformer, seeded
from mi_tutor.specimens import SpecimenError, open_specimen
from mi_tutor.specimens.atlas import Geography, by_length, swap_questions, tokenizer

# %% [markdown]
r"""
## Two steps, or one?

"The capital of the state of Dallas is" … Austin. A person takes two steps: Dallas is in Texas; the capital
of Texas is Austin. A model might do the same, in one forward pass, with "Texas" somewhere in its residual
stream and nowhere in the text. Or it might have learned "Dallas, capital: Austin" as one fact.

```
two steps       Dallas ──→ Texas ──→ Austin         exchange Texas for California …
                             ✂
                         California ──→ Sacramento  … and the second step should follow
by rote         Dallas, capital ──→ Austin          nothing to exchange
```

From the answer you cannot tell. But the two explanations differ in what happens when you reach in and
exchange the middle step. Lindsey et al. 2025 did this in Claude 3.5 Haiku and got Sacramento. There nobody
knows the ground truth. Here is a model that was trained on facts we chose: `atlas`, a GPT-2 with 5 layers.
It was told single steps ("Dallas belongs to Texas", "The capital of Texas is Austin") and *some* two-step
answers. Three in ten (city, relation) pairs were held out, and all two-step questions about some cities and
about some pairs of state and relation. What was held out it never saw, in any wording or language.

Know from the start what was put in by hand. Two small terms in `atlas`'s training loss were about attention.
One made it costly for the first two layers to look more than three tokens back. The other made it costly to
look into a city's name from outside: in layers 0, 1 and 4 at all of it, in layers 2 and 3 at all but its last
token. So two failures that you will meet are **our** doing: a swap inside a name (its earlier pieces), and a swap
before the last layer. Only layer 3 was free to read a name's last token after layer 2 had done so, and what fails
there is a finding.
"""

# %% id="open-atlas"
torch.set_grad_enabled(False)  # nothing is trained in this chapter
model = open_specimen("atlas", device="cpu")
plain = plain_transformer(model)  # the same model without hooks: fast

geography = Geography()
states = [area.name.english for area in geography.facts.states]
n_layers = model.cfg.n_layers

first_words = []
for prompt in (" The city of Dallas lies in", " The capital of Texas is",
               " The capital of the state of Dallas is"):  # fmt: skip
    best = model(model.to_tokens(prompt))[0, -1].softmax(dim=-1).topk(3)
    first_words.append(model.to_string(best.indices[0]))
    words = [f"{model.to_string(i)!r} {p:.2f}" for p, i in zip(*best, strict=True)]
    print(f"{prompt} …   {',  '.join(words)}")

# %% tags=["claim"]
assert first_words == [" Texas", " Austin", " Austin"], "Dallas ──→ Texas ──→ Austin"

# %% [markdown]
r"""
## Questions

Names of cities are made of several tokens in this vocabulary, states and answers are one token each. Most first
pieces begin names in other states, too. The next ones narrow it down, and with its **last** token the name is
complete. That place is where we shall reach in.
"""

# %% id="look-at-the-tokens"
print(model.to_str_tokens(" In the state where Dallas lies, the capital is"))
print(model.to_str_tokens(" The bird of the state of Grand Rapids is"))

# %% [markdown] slug="two-hop-prompts"
r"""
Return a prompt's tokens `[pos]`, with BOS in front and without the batch axis, and the **position** of the
last token of the name. The prompt is `before + name + after`; `before` and `after`
may be empty. Spaces are where they belong (`" Dallas"`). Positions are counted from 0, which is BOS.
"""


# %% tags=["exercise"] slug="two-hop-prompts"
def name_place(
    model, before: str, name: str, after: str
) -> tuple[Int[Tensor, "pos"], int]:
    """The tokens of a prompt, and where the name in it ends."""
    # BEGIN SOLUTION
    tokens = model.to_tokens(before + name + after)[0]
    return tokens, model.to_tokens(before + name).shape[1] - 1
    # END SOLUTION


# %% tags=["check"]
check("two-hop-prompts", name_place)

# %% [markdown]
r"""
That is one prompt. For counting we want all of them, sorted into batches of one length: with their tokens,
the places where names end, the number of the city's state, and the right answer *if the state were another
one*, for each of the 50. `swap_questions` makes such batches (`swaps.Questions`).
"""


# %% id="all-questions"
def in_batches(questions):
    """Questions as batches of one length, and the same questions in the batches' order."""
    order = [
        i for group, _ in by_length([q.prompt.text for q in questions]) for i in group
    ]
    return swap_questions(questions, geography), [questions[i] for i in order]


every_question = list(geography.questions())


def questions_about(kind, language):
    """All two-hop questions about one kind of area: taught ones and held-out ones."""
    found = [
        q
        for q in every_question
        if q.language == language and geography.area_of(q.city).kind == kind
    ]
    return [q for q in found if not q.held_out_by], [q for q in found if q.held_out_by]


taught_list, held_out_list = questions_about("state", "english")
taught, taught_list = in_batches(taught_list)
held_out, held_out_list = in_batches(held_out_list)


def intact(batches):
    """For each question of some batches, whether the model answers it right."""
    found = []
    for batch in batches:
        logits = plain.logits_after(-1, plain.embed(batch.tokens), read=-1)
        guesses = logits[:, 0].argmax(dim=-1)
        found.append(guesses == batch.answers.gather(1, batch.classes[:, None])[:, 0])
    return torch.cat(found)


taught_right, held_out_right = intact(taught), intact(held_out)
for name, is_right in (("taught", taught_right), ("held out", held_out_right)):
    print(f"{name:<9}{len(is_right):>5} questions, right {is_right.float().mean():.1%}")

# %% tags=["quiz"]
quiz("why-held-out", "d")

# %% [markdown]
r"""
## Where is the state?

A first look: can we *read* the state from the stream? The simplest reader there is: take the mean stream of
each state's prompts; for a new prompt, say the state whose mean is nearest.

$$\hat c(x) = \arg\min_c \lVert x - \mu_c \rVert, \qquad \mu_c = \text{mean of the known } x \text{ of class } c$$

Reading has one trap: it must be done on prompts that did not go into the means. (The trap is
deeper than that sentence. First the reader.)
"""

# %% [markdown] slug="find-the-state"
r"""
Return the **share** (0 to 1) of `new` activations whose nearest class mean (Euclidean distance) is the one
of their own class. The means are made from the `known` activations. Classes are numbered from 0, and each
of them occurs among the known ones.
"""


# %% tags=["exercise"] slug="find-the-state"
def readable(
    known: Float[Tensor, "known d_model"],
    known_classes: Int[Tensor, "known"],
    new: Float[Tensor, "new d_model"],
    new_classes: Int[Tensor, "new"],
) -> float:
    """The share of new activations that are read right."""
    # BEGIN SOLUTION
    n_classes = int(known_classes.max()) + 1
    means = torch.stack(
        [known[known_classes == c].mean(dim=0) for c in range(n_classes)]
    )
    nearest = torch.cdist(new, means).argmin(dim=-1)
    return (nearest == new_classes).float().mean().item()
    # END SOLUTION


# %% tags=["check"]
check("find-the-state", readable)


# %% id="read-two-places"
def streams_at(batches):
    """Streams [layer prompt d_model] where names end and where prompts end; states [prompt]."""
    names, ends = [], []
    for batch in batches:
        streams = swaps.streams(plain, batch.tokens)
        names.append(streams[:, torch.arange(len(batch.places)), batch.places])
        ends.append(streams[:, :, -1])
    states_of = torch.cat([batch.classes for batch in batches])
    return torch.cat(names, dim=1), torch.cat(ends, dim=1), states_of


taught_names, taught_ends, taught_states = streams_at(taught)
held_names, held_ends, held_states = streams_at(held_out)

rows = [f"before layer {layer}" for layer in range(n_layers)] + ["after the last layer"]
read_name, read_end = (
    [
        readable(known[layer], taught_states, new[layer], held_states)
        for layer in range(n_layers + 1)
    ]
    for known, new in ((taught_names, held_names), (taught_ends, held_ends))
)
print("state read in held-out questions    at the name's end    at the prompt's end")
for where, at_name, at_end in zip(rows, read_name, read_end, strict=True):
    print(f"{where:<36}{at_name:>12.1%}{at_end:>23.1%}")

# %% id="pool"
pool = taught_list + held_out_list
pool_names = torch.cat([taught_names, held_names], dim=1)

# %% [markdown] slug="find-the-leak"
r"""
No held-out question went into the means. Is that enough for a fair reading of the *state*? `pool` has every English
question about a state, taught ones and held-out ones, and `pool_names` their streams at the names' ends, `[layer
question d_model]`. Hand in a split that is fair, what is read with a leak and without, and a control that shows what
the leak can do by itself. Leave it in `split`, as `{"groups": [...], "same": [...], "others": [...], "more": [...],
"control": [...], "leak": [...]}`:

- **groups**: a word or a number for each question of `pool`, in its order. Groups are drawn by lot, and half of the
  questions of those drawn, by lot again, make the means.
- **same**: half of the groups are drawn, and read are the *other* questions of the *same* groups. Six shares, at the
  name's end, of questions read right: before each of the five layers, and after the last.
- **others**: with the very same means, read are the questions of the groups that were not drawn. Six shares.
- **more**: seven groups in eight are drawn, and read are, as in “others”, the questions of those that were not. Six
  shares.
- **control**: another word or number for each question of `pool`, of as many kinds as there are states, to be read in
  the place of its state. With it the leak stands alone: in “others” nothing of it can be read, and in “same” all that
  the leak gives away, and nothing else.
- **leak**: “same” once more, with the control's labels in the place of the states. Six shares.

Each is a mean over six rounds. Marked is, first, whether the questions of other groups share anything with the known
ones by which they could be recognised, other than their state (.3, if nine in ten are about a state that has a mean;
.15, and not passed, for half of the way; pieces that different names have in common count as nothing). Then the
control (.2; nothing passes without): in “others” .05 or less are read, the mean of the six shares, and in “same” as
much as of any labels that show the leak alone. Then it is how near your shares come: .1, .1, .15 and .15 for the four,
in full if the six are off by .04 or less on average. When you have them, ask what made the reading
worse: was it the leak?
"""

# %% tags=["exercise"] slug="find-the-leak"
# BEGIN SOLUTION
# 1. What does a question read share with known ones? Up to the name's end, perhaps all its words.
prefixes = [q.prompt.text[: q.name_end] for q in pool]
known_prefixes = set(prefixes[: len(taught_list)])
has_twin = torch.tensor(
    [each in known_prefixes for each in prefixes[len(taught_list) :]]
)
print(
    f"{int(has_twin.sum())} of {len(has_twin)} held-out questions have a twin among the taught ones",
    end="",
)
first = int(has_twin.nonzero()[0])
twin = prefixes.index(prefixes[len(taught_list) + first])
apart = taught_names[:, twin] - held_names[:, first]
print(
    f"; largest difference of the first one's streams, in all layers: {apart.abs().max():.0e}"
)

# 2. And the others? Look at the nearest known question of each, before layer 2.
in_pool = [f"{q.city.name.english}, {q.city.area}" for q in pool]
nearest = torch.cdist(held_names[2], taught_names[2]).argmin(dim=-1)
same_city = torch.tensor(
    [in_pool[int(n)] == in_pool[len(taught_list) + i] for i, n in enumerate(nearest)]
)
print(
    f"for {same_city[~has_twin].float().mean():.0%} of the others the nearest is about the same city\n"
)


# 3. So leave the CITY out: in eight rounds, one city of each state goes into no mean, and only it is read.
def round_of(q):
    return geography.area_of(q.city).asked_cities.index(q.city)


taught_in = torch.tensor([round_of(q) for q in taught_list])
held_in = torch.tensor([round_of(q) for q in held_out_list])


def read_without_city(known, new, such_known=True, such_new=True):
    """The share read of all held-out questions, or of such, by means of all taught questions, or of such."""
    right = n_read = 0
    for number in range(8):
        stay, out = such_known & (taught_in != number), such_new & (held_in == number)
        share = readable(known[stay], taught_states[stay], new[out], held_states[out])
        right += share * int(out.sum())
        n_read += int(out.sum())
    return right / n_read


fair_name = [read_without_city(*x) for x in zip(taught_names, held_names, strict=True)]
fair_end = [read_without_city(*x) for x in zip(taught_ends, held_ends, strict=True)]
print("state read, in %          at the name's end           at the prompt's end")
print("the city in the means       yes        no                yes        no")
for where, *four in zip(rows, read_name, fair_name, read_end, fair_end, strict=True):
    a, b, c, d = (f"{100 * each:.1f}" for each in four)
    print(f"{where:<24}{a:>7}{b:>10}{c:>19}{d:>10}")

# One mean for both wordings: what do they cost? Each by itself, at the name's end, without the city.
wordings = [
    torch.tensor([q.prompt.text.startswith(" In the state where") for q in asked])
    for asked in (taught_list, held_out_list)
]
within = {
    name: [
        read_without_city(*x, *(each == which for each in wordings))
        for x in zip(taught_names, held_names, strict=True)
    ]
    for name, which in (("In the state where", True), ("of the state of", False))
}
for name, shares in within.items():
    print(f"only “{name}”:  " + "".join(f"{100 * x:>7.1f}" for x in shares))

# 4. Two things have changed: the city is unknown, and each mean is made of fewer cities. Take them apart.
# Eight groups, each with one city of every state, so that no state is ever without a mean.
city_number = torch.cat([taught_in, held_in])
pool_states = torch.cat([taught_states, held_states])


def three_readings(seed):
    """Shares read by layer: the same cities' other questions; other cities'; other cities' with means of more."""
    lot = seeded(seed)
    order, half = (
        torch.randperm(8, generator=lot),
        torch.rand(len(pool), generator=lot) < 0.5,
    )
    few, many = (torch.isin(city_number, order[:n]) for n in (4, 7))
    return [
        [readable(x[k], pool_states[k], x[new], pool_states[new]) for x in pool_names]
        for k, new in (
            (few & half, few & ~half),
            (few & half, ~few),
            (many & half, ~many),
        )
    ]


same, others, more = (
    torch.tensor([three_readings(seed) for seed in range(6)]).mean(dim=0).tolist()
)
print("\nmeans of 4 cities of each state, read:   of 7 cities:")
print(f"{'':<24}the same   other cities   other cities")
for where, *three in zip(rows, same, others, more, strict=True):
    a, b, c = (f"{100 * each:.0f}" for each in three)
    print(f"{where:<24}{a:>8}{b:>15}{c:>15}")

# 5. What can the leak do by itself? Labels that mean nothing, and that all questions about a city share: whatever
# is read of them was recognised. (Labels by lot for each question would be read by nobody, leak or not.) In each
# of the eight groups every label is drawn once, so that none is ever without a mean.
lots = [torch.randperm(len(states), generator=seeded(50 + i)) for i in range(8)]
control = torch.stack(lots)[city_number, pool_states]


def read_labels(seed):
    """Shares read of the control's labels: in the same cities' other questions, and in other cities'."""
    lot = seeded(seed)
    few = torch.isin(city_number, torch.randperm(8, generator=lot)[:4])
    half = torch.rand(len(pool), generator=lot) < 0.5
    return [
        [
            readable(x[few & half], control[few & half], x[new], control[new])
            for x in pool_names
        ]
        for new in (few & ~half, ~few)
    ]


leak, no_leak = (
    torch.tensor([read_labels(seed) for seed in range(6)]).mean(dim=0).tolist()
)
print("\nlabels by lot, one for each city, read:")
for where, a, b in zip(rows, leak, no_leak, strict=True):
    print(f"{where:<24}{100 * a:>8.0f}{100 * b:>15.0f}")
split = {
    "groups": city_number.tolist(),
    "same": same,
    "others": others,
    "more": more,
    "control": control.tolist(),
    "leak": leak,
}
# END SOLUTION

# %% tags=["check"]
check("find-the-leak", split)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

In "In the state where Dallas lies, the **capital** is" the relation comes *after* the name. Up to the name, a
held-out question is word for word a taught one with another relation, and a model that reads from left to right has
the very same stream there: 1,146 of the 2,562 held-out questions have a twin among the taught ones, equal up to
rounding. And a question without a twin has relatives: before layer 2 the nearest known question is four times in five
one about the same city. This is a **leak**. What we want to know is whether the *state* can be read, for a city that
the means know nothing about. So it is the **city** that must not be on both sides.

Reading with the city among the means had flattered itself in every row of the first column. With the city left out
(seven of a state's eight cities in the mean), the name's end before layer 0 says next to nothing: 7
% in place of 34 %. What was read there was the name's last piece, recognised. The state itself comes with layer 0 (82
% before layer 1), is read best before layer 2, at 92 % and not 98 %, and after the last layer at 39 %. Most of that
fall is the reader's, with one mean for two wordings: within a wording it is 69 and 75 %. (In the second table late
layers are lower still, because a lot gives each mean another share of the wordings.) At the prompt's end hardly
anything changes: before layer 3 every state is read there without the city, too, or nearly every one.

But how much of that is the leak? With half of the cities in the means, 99 % of these cities' own other questions are
read before layer 2, and with the very same means 80 % of the other cities': that difference is what it is worth to
recognise the city, with means of four. Compared with the first table, though, something else has changed: a mean is
made of four cities now. With seven in it, and still none of those that are read, it is 91 %. So of nineteen points
eleven come back: more than half was the price of a mean of four cities, which only a reader that may recognise the
city does not pay. (Before layer 0 nothing comes back, 6 % with four and with seven: what was read there was
recognised.) What mends a leak changes something else as well, and wants a comparison in which only the leak differs.

And a control in which there is nothing but the leak (Hewitt and Liang 2019 call it a control task): let each city draw
a label by lot, and keep it in all its questions. It means nothing, so of other cities' labels nobody reads more than
chance. With the leak, of the labels by lot a little under half is read before layers 0 and 1, two thirds before 2 and
3, a fifth before 4, and after the last layer a tenth. So before layer 0 the leak by itself reads nearly all that was
read there. A label drawn for each *question* would have been read by nobody, leak or not: a control that cannot fail.

Note a limit of our reader, too. Even with seven cities in each mean it is wrong for every twelfth question, and the
model, which answers 99 % of them, is not: what the nearest mean finds is less than what the model finds.

The best score that we know is 1.00: groups by city, and shares measured as the check does.

</details>

A reader says what is *there*. What is *used* is another question, and for that we exchange something: run two
questions that ask the same about cities of different states, put the stream of one, at one layer and one token, into
the other, and count how often the answer becomes the other state's. Both, and the logit lens (what the model would
say if it stopped here, among the 50 states' names), at every layer and token. `swaps.state_map` does all three on
prompts of one wording, and reads them fairly:
"""

# %% tags=["claim"]
assert (int(has_twin.sum()), len(has_twin)) == (1146, 2562), (
    "1,146 of the 2,562 held-out questions have a twin among the taught ones"
)
assert apart.abs().max() < 1e-4, "equal up to rounding"
assert round(10 * same_city[~has_twin].float().mean().item()) == 8, (
    "four times in five one about the same city"
)
assert all(_fair < _read for _fair, _read in zip(fair_name, read_name, strict=True)), (
    "flattered itself in every row of the first column"
)
_percent = [
    (round(100 * _fair), round(100 * _read))
    for _fair, _read in zip(fair_name, read_name, strict=True)
]
assert _percent[0] == (7, 34), "7 % in place of 34 %"
assert _percent[1][0] == 82, "comes with layer 0 (82 % before layer 1)"
assert fair_name.index(max(fair_name)) == 2, "is read best before layer 2"
assert _percent[2] == (92, 98), "at 92 % and not 98 %"
assert _percent[5] == (39, 61), "after the last layer at 39 %"
_late = [sorted(round(100 * _six[_i]) for _six in within.values()) for _i in (4, 5)]
assert _late[1] == [69, 75] and min(_late[0]) > 80, "within a wording it is 69 and 75 %"
_drawn, _lot = {}, torch.rand(len(pool), generator=seeded(0)) < 0.5
_both = [
    _drawn.setdefault((_q.city, _q.relation), _x)
    for _q, _x in zip(pool, _lot.tolist(), strict=True)
]
_k, _new = (city_number != 7) & torch.tensor(_both), city_number == 7
_x = pool_names[4]
assert readable(_x[_k], pool_states[_k], _x[_new], pool_states[_new]) > 0.65, (
    "lower still, because a lot gives each mean another share of the wordings"
)
assert all(
    abs(_fair - _read) < 0.012
    for _fair, _read in zip(fair_end, read_end, strict=True)
    if _read > 0.5
), "At the prompt's end hardly anything changes"
assert fair_end[3] > 0.999, (
    "before layer 3 every state is read there without the city, too, or nearly every one"
)
assert abs(1 - fair_name[2] - 1 / 12) < 0.005, "is wrong for every twelfth question"
assert round(100 * held_out_right.float().mean().item()) == 99, "answers 99 % of them"
_three = {
    _name: [round(100 * _x) for _x in _six]
    for _name, _six in (("same", same), ("others", others), ("more", more))
}
assert (_three["same"][2], _three["others"][2]) == (99, 80), (
    "99 % of these cities' own other questions are read before layer 2, and with the very same means 80 %"
)
assert _three["more"][2] == 91, (
    "With seven in it, and still none of those that are read, it is 91 %"
)
assert (_three["others"][0], _three["more"][0]) == (6, 6), (
    "Before layer 0 nothing comes back, 6 % with four and with seven"
)
assert max(no_leak) < 0.03, "of other cities' labels nobody reads more than chance"
assert all(0.4 < _x < 0.49 for _x in leak[:2]), (
    "a little under half is read before layers 0 and 1"
)
assert all(0.6 < _x < 0.7 for _x in leak[2:4]), "two thirds before 2 and 3"
assert abs(leak[4] - 0.2) < 0.03 and abs(leak[5] - 0.1) < 0.03, (
    "a fifth before 4, and after the last layer a tenth"
)
assert leak[0] + others[0] > 0.85 * same[0], (
    "before layer 0 the leak by itself reads nearly all that was read there"
)

# %% id="state-map"
in_the_state = " In the state where"
where_wording, _ = in_batches(
    [q for q in taught_list + held_out_list if q.prompt.text.startswith(in_the_state)]
)
state_tokens = torch.tensor([tokenizer().ids[f" {state}"] for state in states])
places = {
    "one before": -1,
    "name's end": 0,
    "lies": 1,
    ",": 2,
    "the": 3,
    "relation": 4,
    "is (end)": None,
}
state_map = swaps.state_map(
    plain, [swaps.thinned(batch, 6) for batch in where_wording], places, state_tokens
)
show.state_places(state_map)

# %% [markdown]
r"""
**What you should see.** In the middle panel, the state can be read where the name ends almost at once (.06 before
layer 0, .80 before layer 1), and it stays there: .69 after all layers. At the prompt's end it appears before layer 3,
at .99. On the right, patching the name's end exchanges every answer, or nearly, before layers 1 and 2 (.32 before
layer 0, where the name's last piece still stands alone), and then none: by then the end has fetched what it needs,
and patching the *end* takes over.

One column looks odd. Before layer 3 the state is read at the comma at .99, as well as at the end, and patching it
there exchanges .00. The comma has fetched the state as well, and no answer hangs on it: patching the end alone
exchanges them all. Likewise “lies” and “the”, with .47 and .71.

And one column is empty: one token before the name's end, where the name's earlier pieces stand, the state is read at
.06 or less, in all layers. (Only in the row before layer 0 is a little exchanged, .12.)

On the left, the logit lens sees less: at the name's end .12 at best, and before layers 1 to 4 at most .02. Streams in
the middle are not written for the unembedding to read, so that the lens sees nothing is no evidence that nothing is
there.

Compare the last two panels at the name's end, in the rows below the last one in which patching works.
"""

# %% tags=["claim"]
_lens, _read, _patched = state_map.lens, state_map.read, state_map.patched
_of = {_place: _n for _n, _place in enumerate(state_map.places)}
_name, _end, _comma = _of["name's end"], _of["is (end)"], _of[","]
assert [f"{_x:.2f}" for _x in _read[[0, 1, 5], _name]] == ["0.06", "0.80", "0.69"], (
    "it stays there: .69 after all layers"
)
assert f"{_read[0, _name]:.2f} {_read[1, _name]:.2f}" == "0.06 0.80", (
    "(.06 before layer 0, .80 before layer 1)"
)
assert _read[:3, _end].max() < 0.05 and round(_read[3, _end].item(), 2) == 0.99, (
    "At the prompt's end it appears before layer 3, at .99"
)
assert _patched[1:3, _name].min() > 0.99 and _patched[3:, _name].max() < 0.01, (
    "exchanges every answer, or nearly, before layers 1 and 2"
)
assert f"{_patched[0, _name]:.2f}" == "0.32", "(.32 before layer 0"
assert _patched[:3, _end].max() < 0.01 and _patched[3:, _end].min() > 0.99, (
    "patching the end takes over"
)
assert (
    f"{_read[3, _comma]:.2f}" == "0.99"
    and abs(_read[3, _comma] - _read[3, _end]) < 0.01
), "Before layer 3 the state is read at the comma at .99, as well as at the end"
assert _patched[:, _comma].max() < 0.005, "patching it there exchanges .00"
assert _patched[3:, _end].min() > 0.995, "patching the end alone exchanges them all"
assert _patched[:, [_of["lies"], _of["the"]]].max() < 0.005, (
    "Likewise “lies” and “the”, with .47 and .71"
)
assert [f"{_read[3, _of[_w]]:.2f}" for _w in ("lies", "the")] == ["0.47", "0.71"], (
    "Likewise “lies” and “the”, with .47 and .71"
)
assert _read[:, _of["one before"]].max() < 0.065, (
    "the state is read at .06 or less, in all layers"
)
assert f"{_patched[0, 0]:.2f}" == "0.12" and _patched[1:, 0].max() < 0.005, (
    "(Only in the row before layer 0 is a little exchanged, .12.)"
)
assert f"{_lens[:, _name].max():.2f}" == "0.12", "at the name's end .12 at best"
assert _lens[1:5, _name].max() < 0.02, "before layers 1 to 4 at most .02"
assert (_lens[1:, _name] < _read[1:, _name] - 0.5).all(), "the logit lens sees less"

# %% [markdown] slug="where-it-acts"
r"""
What is the **last** layer before which patching the name's end exchanges more than half of the answers? Give
its number (a row "before 0" is layer 0).
"""

# %% tags=["exercise"] slug="where-it-acts"
last_layer = int((state_map.patched[:, 1] > 0.5).nonzero().max())  # SOLUTION

# %% tags=["check"]
check("where-it-acts", last_layer)

# %% tags=["quiz"]
quiz("readable-not-used", "a")

# %% [markdown]
r"""
## From Texas to California

Patching puts a whole stream in: the other city's name, how it is spelled, whatever else was there. If the
state is a *direction*, less will do. Over many prompts about one state much else averages out (not the cities
themselves, of which a state has eight), so the difference of two means is what differs between two states:

$$d_{a \to b} = \mu_b - \mu_a$$

The means come from questions that were **taught**; the swaps will be made in questions that were not. We make
them before layer 2, in the middle: by the map, the state is at the name's end by then, and still used from there.
(A table further on compares the layers.)
"""

# %% [markdown] slug="state-direction"
r"""
Return the direction from state `source` to state `target`, `[d_model]`: added to an activation of the source
it should lead to the target.
"""


# %% tags=["exercise"] slug="state-direction"
def state_direction(
    activations: Float[Tensor, "prompt d_model"],
    classes: Int[Tensor, "prompt"],
    source: int,
    target: int,
) -> Float[Tensor, "d_model"]:
    """mean of the target's activations - mean of the source's."""
    # BEGIN SOLUTION
    mean_of = {c: activations[classes == c].mean(dim=0) for c in (source, target)}
    return mean_of[target] - mean_of[source]
    # END SOLUTION


# %% tags=["check"]
check("state-direction", state_direction)

# %% [markdown] slug="swap-the-state"
r"""
Now reach in. Run the model on the prompts with `steps[i]` **added** to the residual stream before block
`layer`, at position `places[i]` of prompt `i` and nowhere else. Return the logits after the whole prompt,
`[prompt vocab]`. Leave no hook behind.
"""


# %% tags=["exercise"] slug="swap-the-state"
def swap_logits(
    model,
    tokens: Int[Tensor, "prompt pos"],
    places: Int[Tensor, "prompt"],
    steps: Float[Tensor, "prompt d_model"],
    layer: int,
) -> Float[Tensor, "prompt vocab"]:
    """The next-token logits with each prompt's step added at its own place."""

    # BEGIN SOLUTION
    def add(stream, hook):
        stream = stream.clone()
        stream[torch.arange(len(stream)), places] += steps
        return stream

    name = f"blocks.{layer}.hook_resid_pre"
    return model.run_with_hooks(tokens, fwd_hooks=[(name, add)])[:, -1]
    # END SOLUTION


# %% tags=["check"]
check("swap-the-state", swap_logits)

# %% id="dallas-in-california"
LAYER = 2
to_california = state_direction(
    taught_names[LAYER],
    taught_states,
    states.index("Texas"),
    states.index("California"),
).float()

print(f"{'asked about Dallas':<44}{'':<10}{'as it is':<22}{'Texas → California'}")
held_out_of_dallas = {
    q.relation for q in held_out_list if q.city.name.english == "Dallas"
}
demo = []
for relation in ("capital", "nickname", "tree", "abbreviation", "bird", "flower"):
    tokens, place = name_place(
        model, f" The {relation} of the state of", " Dallas", " is"
    )
    answers = []
    for step in (torch.zeros_like(to_california), to_california):
        logits = swap_logits(
            model, tokens[None], torch.tensor([place]), step[None], LAYER
        )
        answers.append(model.to_string(logits[0].argmax()))
    demo.append(answers)
    status = "held out" if relation in held_out_of_dallas else "taught"
    print(
        f"The {relation} of the state of Dallas is".ljust(44)
        + f"{status:<10}{answers[0]:<22}{answers[1]}"
    )

# %% [markdown]
r"""
**What you should see.** One vector, added at one token of one layer, moves all six answers at once, and they move
*together*: to the answers of one other state. It was made from prompts about many cities and all relations. So
what it moves is not "capitals"; it is which state we are in. Is it the state that we meant? California's answers
are Sacramento, Golden State, California redwood, CA, California quail, California poppy.

Three of these six questions were held out, the other three were taught, and a taught answer could be known by
rote as well. From here on we count held-out questions only.

One example is an anecdote, however well chosen. So let us count.

## All pairs

Each question can be swapped to 49 other states. When does a swap *test* something? From Texas to Georgia,
the region stays the South: an unchanged answer would look like a success. Only where the target's answer
differs from the own state's is there a test. And what counts as a success? Not that the answer changed. It
must have become the target's.
"""

# %% tags=["claim"]
_california = " Sacramento/ Golden State/ California redwood/ CA/ California quail/ California poppy"
assert [_answers[1] for _answers in demo] == _california.split("/"), (
    "California's answers are Sacramento, Golden State, California redwood, CA, California quail, California poppy"
)
assert len(held_out_of_dallas & {"capital", "nickname", "tree"}) == 3, (
    "Three of these six questions were held out, the other three were taught"
)
assert not held_out_of_dallas & {"abbreviation", "bird", "flower"}, (
    "the other three were taught"
)

# %% [markdown] slug="swap-matrix"
r"""
Return the success matrix, `[state state]`: row = the question's **own** state, column = the state **swapped
in**, entry = share of the tests that succeeded, and NaN where nothing was tested.

- `own[i]` is the state of question `i`, `targets[i, j]` the state swapped in at its `j`-th swap, and
  `guesses[i, j]` the model's answer then (a token).
- `answers[i, c]` is the right answer to question `i` if the state were `c`.
- A swap is a test if the target's answer differs from the own state's. It succeeds if the guess is the
  target's answer.
"""


# %% tags=["exercise"] slug="swap-matrix"
def success_matrix(
    own: Int[Tensor, "prompt"],
    targets: Int[Tensor, "prompt target"],
    guesses: Int[Tensor, "prompt target"],
    answers: Int[Tensor, "prompt state"],
) -> Float[Tensor, "state state"]:
    """Success by own state (rows) and the state swapped in (columns); NaN where nothing was tested."""
    # BEGIN SOLUTION
    wanted = answers.gather(1, targets)
    is_test = wanted != answers.gather(1, own[:, None])
    cells = own[:, None].expand_as(targets)[is_test], targets[is_test]

    tests, successes = torch.zeros(2, answers.shape[1], answers.shape[1])
    tests.index_put_(cells, torch.ones(len(cells[0])), accumulate=True)
    successes.index_put_(cells, (guesses == wanted)[is_test].float(), accumulate=True)
    return successes / tests  # 0 / 0 is NaN
    # END SOLUTION


# %% tags=["check"]
check("swap-matrix", success_matrix)

# %% [markdown]
r"""
Now everything: every held-out question, in both wordings, with 10 random states swapped in each.
`swaps.swap_batches` does what your `swap_logits` does, for many questions at once.
"""

# %% id="all-swaps"
# The mean of every state at the name's end: [layer state d_model].
means = torch.stack([swaps.class_means(x, taught_states, 50) for x in taught_names])
result = swaps.swap_batches(plain, held_out, means[LAYER], LAYER, n_targets=10)
print(
    f"{len(result.classes)} held-out questions × 10 states: {int(result.asked.sum())} tests"
)
print(f"swap success: {result.success:.1%}\n")

follows = result.follows & result.asked
in_where = [q.prompt.text.startswith(in_the_state) for q in held_out_list]
shares = {}
kinds = [
    ("held out as", [q.held_out_by for q in held_out_list]),
    (
        "wording",
        ["in the state where" if each else "of the state of" for each in in_where],
    ),
    ("relation", [q.relation.replace("_", " ") for q in held_out_list]),
]
for title, labels in kinds:
    for label in dict.fromkeys(labels):
        chosen = torch.tensor([each == label for each in labels])
        share = (follows[chosen].sum() / result.asked[chosen].sum()).item()
        shares[title, label] = share
        print(f"{title:<12}{label:<20}{share:.1%}")


# %% id="failed-swaps"
# And where a swap fails, what is the answer then?
all_answers = torch.cat([batch.answers for batch in held_out])
failed_swaps = result.asked & ~result.follows
is_old = result.guesses == all_answers.gather(1, result.classes[:, None])
is_some_states = (result.guesses[:, :, None] == all_answers[:, None]).any(dim=-1)
n_failed = int(failed_swaps.sum())
come_instead = {
    "the old answer": failed_swaps & is_old,
    "a third state's, to the same relation": failed_swaps & ~is_old & is_some_states,
    "something else": failed_swaps & ~is_some_states,
}
print(f"of {n_failed} failed swaps")
for what, these in come_instead.items():
    print(f"{what:<40}{int(these.sum()) / n_failed:.0%}")


# %% id="swap-without-the-city"
# The same with three states each and, for each city, means that know nothing of the city itself.
def rounds(questions):
    """For each question the number, 0 to 7, of its city among its state's cities."""
    return torch.tensor(
        [geography.area_of(q.city).asked_cities.index(q.city) for q in questions]
    )


taught_round, held_round = rounds(taught_list), rounds(held_out_list)
fair_means = torch.stack(
    [
        swaps.class_means(
            taught_names[LAYER, taught_round != number],
            taught_states[taught_round != number],
            50,
        )
        for number in range(8)
    ]
)
fair_passed = fair_asked = 0
for number, batch_rounds in enumerate(
    held_round.split([len(b.tokens) for b in held_out])
):
    questions_here = held_out[number]
    targets = swaps.other_classes(questions_here.classes, 50, n_targets=3, seed=number)
    theirs = fair_means[batch_rounds]  # [prompt state d_model]
    each = torch.arange(len(targets))
    steps_here = (
        theirs[each[:, None], targets] - theirs[each, questions_here.classes][:, None]
    )
    fair = swaps.swap_with(plain, questions_here, LAYER, targets, steps_here)
    fair_passed += int((fair.follows & fair.asked).sum())
    fair_asked += int(fair.asked.sum())
print(
    f"the city left out of the means: {fair_passed / fair_asked:.1%} of {fair_asked} tests"
)

# %% [markdown]
r"""
Why does a swap fail? One possible reason is a **copy**. In "In the state where Dallas lies, the capital is" other
tokens stand between the name and the end, and the next one may have fetched the state *before* layer 2. Then we
exchange one of two copies, and the end may read the other. (An earlier `atlas`, trained a little differently,
had such a copy, and fewer swaps worked.) That can be tested: exchange the copies as well, each token with its own
means.
"""

# %% id="copies"
where_held_out, _ = in_batches(
    [q for q in held_out_list if q.prompt.text.startswith(in_the_state)]
)
where_taught, _ = in_batches(
    [q for q in taught_list if q.prompt.text.startswith(in_the_state)][::4]
)
tables = [swaps.means_at(plain, where_taught, offset)[LAYER] for offset in range(4)]
with_copies = []
where_some = [swaps.thinned(each, 8) for each in where_held_out]
print("“In the state where Dallas lies, the …”: swapped at")
for n, words in enumerate(
    ["the name's end", "… and “lies”", "… and “,”", "… and “the”"]
):
    share = swaps.swap_copies(
        plain, where_some, tables[: n + 1], LAYER, n_targets=3
    ).success
    with_copies.append(share)
    print(f"{words:<20}{share:.1%}")

# %% id="swap-matrix-figure"
matrix = success_matrix(
    result.classes,
    result.targets,
    result.guesses,
    torch.cat([batch.answers for batch in held_out]),
)
show.swap_heatmap(matrix, states)

# %% [markdown]
r"""
**What you should see.** 99 % of the answers follow, and the first table has much the same for every kind: between 97
and 99 % for every relation, most for capitals, least for regions. A state moves with all that depends on it. Whole
cities do worse, with 96.6 %; *Where it goes wrong* looks at them. With the city left out of the means the swaps lose
one per cent: 97.7 %. (A direction is less touched by the leak than a reader: the target's mean never had the city in
it.) The second table looked for copies: all its numbers are 98.3 %, so copies are not what fails.

Look at the 1.3 % of swaps that fail, too: 13 % of them keep the old answer, and nearly all others say what a third
state would answer to the same relation. So a failed swap seldom leaves things as they were, and the relation is right
even then: it is the state that the new vector says, downstream, that is another one.

In the figure: dark wherever swaps work, from one state (row) to another (column).
The diagonal is empty, since a state is not swapped for itself. Look for pale rows and columns rather than at
single cells (a cell holds about ten swaps): a pale column would be a state whose mean does not stand for it. No row
and no column is pale (the palest are Tennessee's row, .94, and Alabama's column, .96).

## Controls: interventions that fail

A success rate means nothing without the failures that it should be compared with. Four, each like the swap
in all but one respect:

| control | what is the same | what is not |
|---|---|---|
| random direction | place, layer, length | it means nothing |
| unrelated direction | place, layer, length, and it means something | from one *country* to another |
| another position | direction, layer | one token before the name's end |
| another layer | direction, token | before layer 3, one layer later |
"""

# %% tags=["claim"]
_of = {
    _kind: _share for (_title, _kind), _share in shares.items() if _title == "relation"
}
assert round(100 * result.success) == 99, "99 % of the answers follow"
assert all(0.969 < _share < 0.995 for _share in _of.values()), (
    "between 97 and 99 % for every relation"
)
assert max(_of, key=_of.get) == "capital" and min(_of, key=_of.get) == "region", (
    "most for capitals, least for regions"
)
assert round(1000 * shares["held out as", "city"]) == 966, (
    "Whole cities do worse, with 96.6 %"
)
assert (
    min(shares[_key] for _key in shares if _key[0] == "held out as")
    == shares["held out as", "city"]
), "Whole cities do worse, with 96.6 %"
assert abs(fair_passed / fair_asked - 0.977) < 0.0006, (
    "With the city left out of the means the swaps lose one per cent: 97.7 %"
)
assert (
    max(with_copies) - min(with_copies) < 0.001 and round(1000 * with_copies[0]) == 983
), "all its numbers are 98.3 %"
assert round(1000 * n_failed / int(result.asked.sum())) == 13, (
    "the 1.3 % of swaps that fail"
)
_instead = {_what: int(_these.sum()) for _what, _these in come_instead.items()}
assert round(100 * _instead["the old answer"] / n_failed) == 13, (
    "13 % of them keep the old answer"
)
assert _instead["something else"] / n_failed < 0.01, (
    "nearly all others say what a third state would answer to the same relation"
)
_tested = ~matrix.isnan()
assert matrix.nanmean(dim=0).min() > 0.95 and matrix.nanmean(dim=1).min() > 0.93, (
    "No row and no column is pale"
)
assert abs(int(result.asked.sum()) / int(_tested.sum()) - 10) < 0.5, (
    "a cell holds about ten swaps"
)

# %% [markdown] slug="controls"
r"""
Write the first. For each row of `steps` draw a direction at random, uniformly over all directions, as long
as that row. All randomness comes from `generator`.
"""


# %% tags=["exercise"] slug="controls"
def random_like(
    steps: Float[Tensor, "prompt d_model"], generator: torch.Generator
) -> Float[Tensor, "prompt d_model"]:
    """Random directions, each with the norm of the step that it replaces."""
    # BEGIN SOLUTION
    draw = torch.randn(steps.shape, generator=generator, dtype=steps.dtype)
    unit = draw / draw.norm(dim=-1, keepdim=True)
    return unit * steps.norm(dim=-1, keepdim=True)
    # END SOLUTION


# %% tags=["check"]
check("controls", random_like)

# %% id="control-bars"
countries_taught, countries_held_out = (
    in_batches(questions)[0] for questions in questions_about("country", "english")
)
country_means = swaps.means_at(plain, countries_taught)

some = [swaps.thinned(batch, 7) for batch in held_out]  # every seventh question
controlled = swaps.control_swaps(
    plain,
    some,
    means[LAYER],
    LAYER,
    unrelated=country_means[LAYER],
    another_layer=LAYER + 1,
)
own_answers = torch.cat(
    [batch.answers.gather(1, batch.classes[:, None]) for batch in some]
)
stays = {
    name: (each.guesses == own_answers)[each.asked].float().mean().item()
    for name, each in controlled.items()
}
print("answers that stay as they were")
for name, share in stays.items():
    print(f"{name:<22}{share:.0%}")
show.control_bars(
    {name: each.success for name, each in controlled.items()},
    {name: int(each.asked.sum()) for name, each in controlled.items()},
)

# %% id="own-random-direction"
# Yours against the package's: the same experiment with your random directions.
batch = max(some, key=lambda batch: len(batch.tokens))
target = swaps.other_classes(batch.classes, 50, n_targets=1, seed=0)
own = batch.answers.gather(1, batch.classes[:, None])[:, 0]
wanted = batch.answers.gather(1, target)[:, 0]
is_test = own != wanted
steps = means[LAYER][target[:, 0]] - means[LAYER][batch.classes]

own_shares = []
for name, each in [
    ("states", steps),
    ("random", random_like(steps, seeded(0)).float()),
]:
    logits = swap_logits(model, batch.tokens, batch.places, each, LAYER)
    share = (logits.argmax(dim=-1) == wanted)[is_test].float().mean()
    own_shares.append(share.item())
    print(f"{name:<8}{share:>6.1%} of {int(is_test.sum())} tests")

# %% id="swap-by-layer"
print("swap at the name's end, with each layer's own means")
by_layer = []
for layer in range(n_layers):
    share = swaps.swap_batches(plain, some, means[layer], layer, n_targets=3).success
    by_layer.append(share)
    print(f"before layer {layer}: {share:.1%}")

# %% [markdown]
r"""
**What you should see.** One long bar, at 98 %, while the four others stay below 5 %: the most from the unrelated
direction, 4.6 %. (Controls need not be at exactly zero: some answers, such as a region, are
shared by many states, so now and then one is hit by chance.) Your random directions, too, stay below 5 %.

Each failure says something, and the bars do not say all of it: who wrecked every answer would hardly hit a target
either. So see what *stays*. Random: about nine in ten answers stay, so a push of that length is no great disturbance
in most directions. Unrelated: a step between two *countries* leaves one in three as it was. That direction does a
lot, and still it does not bring the target's answer. Another position: nearly every answer stays, and so it does in
another layer. One token earlier the name is not complete, and the map could not read the state there. But that
nothing looks there from outside is what training paid for, so this control had little chance to succeed. Another
layer: the table has 27 % before layer 0, 98 % before layers 1 and 2, next to nothing before layers 3 and 4. That
layer 4 does not look is, again, training's doing. Layer 3 was free to look at the name's last token, and the state
could still be read there (88 %): this is the control that could have come out otherwise. Why didn't it?
"""

# %% tags=["claim"]
_success = {_name: _each.success for _name, _each in controlled.items()}
assert _success["the swap"] > 0.98, "One long bar, at 98 %"
assert max(_x for _n, _x in _success.items() if _n != "the swap") < 0.05, (
    "the four others stay below 5 %"
)
assert 0.85 < stays["random direction"] < 0.91, "about nine in ten answers stay"
assert 0.28 < stays["unrelated direction"] < 0.37, "leaves one in three as it was"
assert min(stays["another position"], stays["another layer"]) > 0.98, (
    "nearly every answer stays"
)
_most = sorted(_success, key=_success.get)[-2]
assert _most == "unrelated direction", "the most from the unrelated direction, 4.6 %"
assert round(1000 * _success[_most]) == 46, (
    "the most from the unrelated direction, 4.6 %"
)

# %% tags=["claim"]
assert own_shares[0] > 0.95 and own_shares[1] < 0.05, (
    "Your random directions, too, stay below 5 %"
)
assert round(100 * by_layer[0]) == 27, "27 % before layer 0"
assert min(by_layer[1:3]) > 0.97, "98 % before layers 1 and 2"
assert max(by_layer[3:]) < 0.005, "next to nothing before layers 3 and 4"
assert round(100 * fair_name[3]) == 88, "the state could still be read there (88 %)"

# %% tags=["quiz"]
quiz("why-each-fails", "c")

# %% [markdown]
r"""
## Needed, and enough?

Adding California brings Sacramento: the direction is **enough** to change the answer. Is what is at this
place also **needed**, and is the state *all* that is needed from it? Four edits of the stream at the name's
end, in held-out questions, and the accuracy that is left:
"""

# %% id="needed-and-enough"
needed = swaps.needed_and_enough(plain, some, means[LAYER], LAYER)
for words, left in [
    ("intact", needed.intact),
    ("what tells the state from the average state taken out", needed.erased),
    ("as much taken out in a random direction", needed.random),
    ("the whole stream replaced by its state's mean", needed.alone),
    ("the whole stream replaced by the mean of all states", needed.average),
]:
    print(f"{words:<56}{left:.1%} right")

# %% [markdown]
r"""
**What you should see.** Take the state out and 7 % of the answers are left: needed. As much taken out at random
leaves 95 %. Replace the *whole* stream there by the mean of its state, so that of this city no more is left than its
own share in that mean, and all answers are right: enough. (They even get better than intact, which is 98 %: the mean
of a state is a clearer message than a single city's stream. *Where it goes wrong* makes the same experiment, on all
held-out questions, with means that have nothing of the city in them.)

## Dose and response

How much of the direction does it take? If strength 1 is the distance between two states, answers
should tip over somewhere on the way to it, and something should go wrong far beyond it.
"""

# %% tags=["claim"]
assert needed.erased < 0.08, (
    "Take the state out and 7 % of the answers are left: needed"
)
assert needed.random > 0.94, "As much taken out at random leaves 95 %"
assert needed.alone == 1.0, "and all answers are right: enough"
assert needed.intact < needed.alone, "They even get better than intact, which is 98 %"
assert round(100 * needed.intact) == 98, (
    "They even get better than intact, which is 98 %"
)

# %% [markdown] slug="dose-response"
r"""
Given the logits of the same prompts at several strengths, `[strength prompt vocab]`, return for each strength
three shares, `[strength 3]`: answers (most likely tokens) that are still the question's `own` answer, that are
the `wanted` one of the target, and that are neither. (The two differ for every prompt; others would be no test.)
"""


# %% tags=["exercise"] slug="dose-response"
def answer_fates(
    logits: Float[Tensor, "strength prompt vocab"],
    own: Int[Tensor, "prompt"],
    wanted: Int[Tensor, "prompt"],
) -> Float[Tensor, "strength fate"]:
    """Shares of answers that stay, follow, or are something else."""
    # BEGIN SOLUTION
    guesses = logits.argmax(dim=-1)
    stays, follows = guesses == own, guesses == wanted
    fates = torch.stack([stays, follows, ~stays & ~follows], dim=-1)
    return fates.to(logits.dtype).mean(dim=1)
    # END SOLUTION


# %% tags=["check"]
check("dose-response", answer_fates)

# %% id="dose-response-figure"
strengths = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8)
logits = torch.stack([
    swap_logits(model, batch.tokens, batch.places, strength * steps, LAYER)[is_test]
    for strength in strengths
])  # fmt: skip
fates = answer_fates(logits, own[is_test], wanted[is_test])
show.dose_curves(
    swaps.DoseResponse(strengths, *fates.T),
    title=f"Dose and response, {int(is_test.sum())} held-out questions",
)

# %% [markdown]
r"""
**What you should see.** An S: at a quarter of the way .06 of the answers follow, at a half .47, at three quarters
.73, and at the whole .98. On the way, at a half .29 are neither the one nor the other. Of these strengths 1 is the
best; beyond it “something else” grows, to .66 at strength 8: the overshoot.
"""

# %% tags=["claim"]
_at = {
    _x: [round(_y, 2) for _y in _row]
    for _x, _row in zip(strengths, fates.tolist(), strict=True)
}
assert [_at[_x][1] for _x in (0.25, 0.5, 0.75, 1)] == [0.06, 0.47, 0.73, 0.98], (
    "at a quarter of the way .06 of the answers follow, at a half .47, at three quarters .73, and at the whole .98"
)
assert _at[0.5][2] == 0.29, "at a half .29 are neither the one nor the other"
assert strengths[int(fates[:, 1].argmax())] == 1, "Of these strengths 1 is the best"
assert (fates[4:, 2].diff() > 0).all(), "beyond it “something else” grows"
assert _at[8][2] == 0.66, "to .66 at strength 8"

# %% tags=["quiz"]
quiz("overshoot", "a")

# %% [markdown]
r"""
One more dose: of how many prompts is the direction made? Ours are differences of means over dozens. *Activation
addition* (ActAdd, Turner et al. 2023) takes the difference of a **single** pair of prompts, "Love" minus "Hate", and
adds it where another prompt begins, to steer what is written on. Here everything else stays as it was, place and
layer too, and each state's mean is made of one taught prompt, drawn by lot, or of two, four or eight:
"""

# %% id="few-prompts"
few_prompts = {}
for n in (1, 2, 4, 8):
    order = torch.randperm(len(taught_states), generator=seeded(n))
    pick = torch.cat([order[taught_states[order] == state][:n] for state in range(50)])
    table = swaps.class_means(taught_names[LAYER, pick], taught_states[pick], 50)
    few_prompts[n] = swaps.swap_batches(plain, some, table, LAYER, n_targets=1).success
    print(f"prompts of each state: {n}   swap success {few_prompts[n]:.1%}")

# %% [markdown]
r"""
A single pair does most of it: nearly nine in ten answers follow. With it comes all else that parts those two prompts,
their cities and what they ask about; in a mean that averages out. With four it is nearly as good as with all. So a
single pair is a good first try, and a mean of a few prompts a cheap improvement on it.
"""

# %% tags=["claim"]
assert 0.84 < few_prompts[1] < 0.92, "nearly nine in ten answers follow"
assert few_prompts[4] > 0.95, "With four it is nearly as good as with all"

# %% [markdown]
r"""
Your turn to play. Choose a city, a state to swap in, a relation, a language, a layer and a strength; the
model runs at every change. Three to try: before the last layer; strength 6; the same city in French, with
the same English direction. (With the keyboard: the space bar opens a menu, arrow keys and Enter choose.)
"""

# %% id="swap-explorer"
show.swap_explorer(plain, tokenizer(), means)

# %% [markdown]
r"""
## With a dictionary's latents only

So far we moved along a direction that we made ourselves. A **dictionary** (a sparse autoencoder, chapter 02) has
directions of its own: it writes an activation as a sum of a few of its *latents*, and an **error**, what it
leaves out.

$$x = \underbrace{f(x)\,W_\text{dec} + b_\text{dec}}_{\text{decoded}} + \text{error}, \qquad f(x) \ge 0$$

If the state is in the latents, then it should be enough to change *them*:

$$f' = \text{ReLU}\big(f + \bar f_\text{target} - \bar f_\text{own}\big)$$

where $\bar f$ are the mean latents of a state's cities. What becomes of the error is a choice, and has to be
said. Kept, all that the dictionary misses stays as it was. Dropped, the dictionary has to carry everything
else, too.
"""

# %% [markdown] slug="swap-latents"
r"""
Return the new activation: `x` with its `latents` changed by `change`, as above, and all else as it was. With
`keep_error=True` what the dictionary leaves out of `x` counts as "all else". With `keep_error=False` it does not:
then the activation is what the dictionary writes, and nothing more.
"""


# %% tags=["exercise"] slug="swap-latents"
def step_in_latents(
    x: Float[Tensor, "*batch d_model"],
    latents: Float[Tensor, "*batch latent"],
    change: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent d_model"],
    b_dec: Float[Tensor, "d_model"],
    keep_error: bool,
) -> Float[Tensor, "*batch d_model"]:
    """The activation with changed latents."""
    # BEGIN SOLUTION
    changed = torch.relu(latents + change)
    if keep_error:
        return x + (changed - latents) @ W_dec
    return changed @ W_dec + b_dec
    # END SOLUTION


# %% tags=["check"]
check("swap-latents", step_in_latents)

# %% id="latent-swaps"
from mi_tutor.specimens import open_dictionary

dictionary = open_dictionary("atlas-resid2")
in_latents = []
for at_least in (0.0, 0.1, 0.2):
    found = swaps.latent_swaps(
        plain, taught, some, dictionary, LAYER, at_least=at_least
    )
    in_latents.append(found)
    print(
        f"latents whose mean changes by {at_least} or more ({found.latents_moved:5.1f} of {dictionary.d_sae} move): "
        f"success {found.with_error.success:.1%} with the error, {found.without_error.success:.1%} without"
    )
transcoder = open_dictionary("atlas-mlp0")
in_mlp = swaps.latent_swaps(plain, taught, some, transcoder, layer=1, place="mlp")
print(
    f"latents of a transcoder of layer 0's MLP ({in_mlp.latents_moved:5.1f} of {transcoder.d_sae} move): "
    f"success {in_mlp.with_error.success:.1%} with the error, {in_mlp.without_error.success:.1%} without"
)

# %% [markdown]
r"""
**What you should see.** With latents alone 95.4 % of the answers follow, three per cent fewer than along our own
direction, and dropping the error does no harm: what it holds is not needed here. But look at how many latents have to
move: 112 on average, or 49, or 29, for 95 % to 90 % of the answers. How few would do was not asked. Chapter 02 asks
what it takes for a latent to be *one* thing.

The last line uses a **transcoder**: it reads what layer 0's MLP reads and writes, in latents, what the MLP writes.
The swap is made in that one output, and the rest of the stream stays as it was, so what reached the stream by other
ways (the pieces of the name, which attention has brought) still speaks for the old state. All the same 83 % of the
answers follow, and without the error 85 %: what this MLP writes is *enough*. Is it also where a name becomes a state?
That would take more: that the other parts of layer 0 do not do as well, and that nothing is left of the swap when the
MLP's part is left out. The stream before layer 1 is a sum of three: embedding, attention's output, the MLP's output.
So exchange the means of each part, and of all but it:
"""


# %% tags=["claim"]
_all, _tenth, _fifth = in_latents
assert abs(_all.with_error.success - 0.954) < 0.0006, "95.4 % of the answers follow"
assert 0.02 < controlled["the swap"].success - _all.with_error.success < 0.04, (
    "three per cent fewer than along our own direction"
)
assert all(
    _each.without_error.success >= _each.with_error.success for _each in in_latents
), "dropping the error does no harm"
assert [round(_each.latents_moved) for _each in in_latents] == [112, 49, 29], (
    "112 on average, or 49, or 29"
)
assert (
    _all.with_error.success
    > _tenth.with_error.success
    > _fifth.with_error.success
    > 0.89
), "for 95 % to 90 % of the answers"
assert round(100 * in_mlp.with_error.success) == 83, "83 % of the answers follow"
assert round(100 * in_mlp.without_error.success) == 85, "without the error 85 %"


# %% id="parts-of-layer-0"
def parts_of_layer_0(asked):
    """What adds up to the stream before layer 1, where names end: three times [prompt d_model]."""
    at = plain.activations(0, asked.tokens)
    each = torch.arange(len(asked.tokens)), asked.places
    embedded = plain.embed(asked.tokens)
    three = embedded, at["resid_mid"] - embedded, at["mlp_out"]
    return [part[each] for part in three]


three_parts = zip(*[parts_of_layer_0(asked) for asked in taught], strict=True)
part_means = {
    name: swaps.class_means(torch.cat(part), taught_states, 50)
    for name, part in zip(("embedding", "attention", "MLP"), three_parts, strict=True)
}
by_part = {}
print("swapped in the stream before layer 1")
for name, table in part_means.items():
    rest = sum(part_means.values()) - table
    by_part[name] = [
        swaps.swap_batches(plain, some, each, 1, n_targets=3).success
        for each in (table, rest)
    ]
    alone, without = by_part[name]
    print(f"{name:<12} alone {alone:>6.1%}      all but the {name:<12} {without:>6.1%}")

# And attention's output exchanged, with the MLP computing from it what it then writes.
follow, tested = 0, 0
for number, asked in enumerate(some):
    at = plain.activations(0, asked.tokens)
    each = torch.arange(len(asked.tokens)), asked.places
    own_answers = asked.answers.gather(1, asked.classes[:, None])[:, 0]
    for other in swaps.other_classes(asked.classes, 50, n_targets=3, seed=number).T:
        middle = at["resid_mid"].clone()
        middle[each] += (
            part_means["attention"][other] - part_means["attention"][asked.classes]
        )
        stream = middle + plain.mlp(plain.blocks[0], middle)
        guesses = plain.logits_after(0, stream, read=-1)[:, 0].argmax(dim=-1)
        theirs = asked.answers.gather(1, other[:, None])[:, 0]
        follow += int((guesses == theirs)[theirs != own_answers].sum())
        tested += int((theirs != own_answers).sum())
through_mlp = follow / tested
print(f"attention alone, and what the MLP makes of it {through_mlp:.1%}")

# %% [markdown]
r"""
**What you should see.** The MLP's part alone does 97 %, all but the MLP does 1 % or less, and by itself neither the
embedding's part nor attention's part does more. So of what reaches layer 1, the state that is used comes by way of
this MLP. But does the MLP also *make* it? If only attention's output is exchanged, and the MLP is left to compute
from it, 45 % follow. So part of what makes the state is in what the MLP reads. Where a name *becomes* a state is not
shown by this; where the state passes is.
"""

# %% tags=["claim"]
assert round(100 * by_part["MLP"][0]) == 97, "The MLP's part alone does 97 %"
assert by_part["MLP"][1] < 0.015, "all but the MLP does 1 % or less"
assert max(by_part["embedding"][0], by_part["attention"][0]) < 0.015, (
    "neither the embedding's part nor attention's part does more"
)
assert round(100 * through_mlp) == 45, "45 % follow"

# %% [markdown]
r"""
## Who carries it?

We know where the state is made ready, and that the end has it before layer 3. Something between brings it there, and
nobody has looked at it yet.
"""

# %% [markdown] slug="what-does-the-head-see"
r"""
The answer is said at the prompt's end, and depends on two things that are not there: which **state** it is, and what
is asked about it, the **relation** (`q.relation`; `geography.area_of(q.city).answers[relation].english` is a state's
answer to it). By which **heads** does the end get each of the two? Show it by editing nothing but what heads bring to
the *prompt's end*: their `z` there (`blocks.L.attn.hook_z`, `[batch pos head d_head]`), which is what they have read.

To **exchange** the state in some heads: add to their `z` at the end the difference of two means of it, the other
state's minus the own one's. To exchange the relation, the same with means by relation. A swap *follows* if the answer
becomes that of the other state to the same relation, or of the same state to the other relation. Leave in `carriers`:

```python
carriers = {
    "state": {"heads": [(0, 1), (4, 2)], "follows": 0.9, "without": 0.1},
    "relation": {"heads": [(3, 3)], "follows": 0.9, "without": 0.1},
    "alone": {(3, 3): {"capital": 0.7, "bird": 0.2, ...}},
    "both": 0.8,
}
```

- **heads**: all that bring the thing or a part of it, and no other.
- **follows**: the share that follows when the exchange is made in all of these at once.
- **without**: the share answered *right* with the `z` of all of these replaced by its mean (over states, or relations).
- **alone**: for each of the relation's heads, and each of the nine relations, the share that follows when *this*
  relation is put in, in this head alone, in questions about all the others.
- **both**: both exchanged at once, each in its heads, in every question to another state and another relation
  by lot: the share of all questions in which the answer is the other state's to the other relation.

Means come from taught English questions about states, shares are of held-out ones, drawn by lot, and of “follows”
those in which the answer has to change. Heads for the state count .15, for the relation .25, if .8 or more follow, .1
or less follow when *all other* heads of the model are exchanged in their place, and each head is missed (by .1 or more
of “follows”). Both have to be right to pass. Then the shares, each in full if off by .1 or less: “alone” .3 (nothing
if seven in ten are right: one number for all would do as well), “follows” and “both” .15, “without” .15.
"""

# %% tags=["exercise"] slug="what-does-the-head-see"
# BEGIN SOLUTION
# 1. Where do heads look from the prompt's end? The map says: between layers 2 and 3 the end gets the state.
some_taught = [swaps.thinned(each, 8) for each in taught]
a_few = [swaps.thinned(each, 4) for each in some_taught]
looks = torch.zeros(n_layers, model.cfg.n_heads)
for asked in a_few:
    for layer in range(n_layers):
        pattern = plain.activations(layer, asked.tokens, until="pattern")["pattern"]
        each = torch.arange(len(pattern))
        looks[layer] += pattern[each, :, -1, asked.places].sum(dim=0)
looks /= sum(len(asked.tokens) for asked in a_few)
print("attention from the prompt's end to the name's end, by layer (rows) and head")
for layer, row in enumerate(looks):
    print(f"layer {layer}  " + "  ".join(f"{each:.2f}" for each in row))

# 2. The same questions twice: with the state as the class, and with the relation.
relations = list(dict.fromkeys(q.relation for q in taught_list))
word_ids = tokenizer().ids


def by_relation(questions):
    """Batches with what is asked about as the class, and all relations' answers of the question's own state."""
    batches, ordered = in_batches(questions)
    found = []
    for batch in batches:
        here, ordered = ordered[: len(batch.tokens)], ordered[len(batch.tokens) :]
        says = [geography.area_of(q.city).answers for q in here]
        answers = [[word_ids[f" {of[r].english}"] for r in relations] for of in says]
        classes = [relations.index(q.relation) for q in here]
        found.append(
            swaps.Questions(
                batch.tokens, batch.places, torch.tensor(classes), torch.tensor(answers)
            )
        )
    return found


few = held_out_list[::40]
two = {
    "state": (in_batches(few)[0], swaps.head_means(plain, some_taught)),
    "relation": (
        by_relation(few),
        swaps.head_means(plain, by_relation(taught_list[::8])),
    ),
}

# 3. Exchange each in every head in turn, and take each head out.
print("\n       the state follows   the relation follows   right without")
by_head = {}
for layer in range(n_layers):
    for head in range(model.cfg.n_heads):
        found = [
            swaps.swap_head(plain, *two[thing], layer, head, n_targets=1)
            for thing in two
        ]
        by_head[layer, head] = found
        if (
            max(x.follows for x in found) > 0.05
            or found[0].without < found[0].intact - 0.02
        ):
            print(
                f"  {layer}.{head}{found[0].follows:>14.2f}{found[1].follows:>22.2f}{found[0].without:>18.2f}"
            )

# 4. Half of the answers follow 1.1, half 1.3. Both together, and who else?
ways = {"state": [(2, 3)], "relation": [(1, 1), (1, 3)]}
more_of_them = held_out_list[::12]
two["state"] = in_batches(more_of_them)[0], two["state"][1]
two["relation"] = by_relation(more_of_them), two["relation"][1]
carriers, in_ways = {}, {}
for thing, heads in ways.items():
    together = swaps.swap_heads(plain, *two[thing], heads, n_targets=2)
    in_ways[thing] = together
    carriers[thing] = {
        "heads": heads,
        "follows": together.follows,
        "without": together.without,
    }
    print(f"{thing}: together {together.follows:.2f}, all other heads {together.rest:.2f}, "
          f"right without {together.without:.2f}")  # fmt: skip

# Half of WHAT follows one of them? Put each relation into the questions about all the others.
batches, table = two["relation"]
carriers["alone"] = {}
print(
    "alone".ljust(14)
    + "".join(f"{layer}.{head:<8}" for layer, head in ways["relation"])
)
for where in ways["relation"]:
    carriers["alone"][where] = {}
    for number, relation in enumerate(relations):
        hits = []
        for asked in batches:
            step = table[:, [number] * len(asked.classes)] - table[:, asked.classes]
            said = swaps.answers_with_heads(
                plain, asked.tokens, step * swaps.chosen_heads(table, [where])
            )
            others = asked.classes != number
            hits.append((said == asked.answers[:, number])[others])
        carriers["alone"][where][relation] = torch.cat(hits).float().mean().item()
for relation in relations:
    shares = (carriers["alone"][where][relation] for where in ways["relation"])
    print(relation.ljust(14) + "".join(f"{share:<10.2f}" for share in shares))

# 5. Both swaps at once: one mean per state and one per relation, none per pair.
hits = []
for number, (of_state, of_relation) in enumerate(
    zip(two["state"][0], two["relation"][0], strict=True)
):
    steps, targets = 0, []
    for thing, asked in (("state", of_state), ("relation", of_relation)):
        table = two[thing][1]
        other = swaps.other_classes(asked.classes, table.shape[1], 1, seed=number)[:, 0]
        step = table[:, other] - table[:, asked.classes]
        steps = steps + step * swaps.chosen_heads(table, ways[thing])
        targets.append(other.tolist())
    said = swaps.answers_with_heads(plain, of_state.tokens, steps).tolist()
    for word, state, relation in zip(said, *targets, strict=True):
        right = geography.facts.states[state].answers[relations[relation]].english
        hits.append(word == word_ids[f" {right}"])
carriers["both"] = sum(hits) / len(hits)
print(f"both at once: {carriers['both']:.2f}")
# END SOLUTION

# %% tags=["check"]
check("what-does-the-head-see", carriers)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

The state: head 2.3 looks at the name's end with .99 or more of its attention from the prompt's end, no other head with
more than .06. That is where it looks, and no proof. Exchange what it brings, in one head at one token: 98 % of the
answers follow, as many as when the stream itself is swapped at the name's end. Put its mean in place: about one
answer in ten is right without it. And all other heads together move less than 1 %, so this is the way, and there is
no second one.

1.1 and 1.3 are missed a little, too, but exchanging the state in what they bring moves no answer: needed is not
the same as carrying the state. They bring what is asked. With each of them alone about half of the answers follow,
and with both of them 99 %, while no other head brings any of it. One head at a time, neither would have passed for the
way. Half of what? Not some relations each, nor the half of every one. “capital” comes by 1.1 alone, in nine of ten, and
by 1.3 in two; “statehood” hardly at all by 1.1, and by 1.3 in every second. Of none but the capital does one head
bring nearly all: they share the work, unevenly, and a mean of .5 hides it. Taking one of them out costs little; with
both taken out about one in eight is right.

And the two things are separate: with both exchanged at once, nearly all give the other state's answer to the other
question, from one mean per state and one per relation, none per pair. The best score that we know is 1.00.

</details>
"""

# %% tags=["claim"]
assert looks[2, 3] > 0.99, "Head 2.3 looks at the name's end with .99 or more"
assert looks.flatten().sort().values[-2] < 0.06, "no other head with more than .06"
assert in_ways["state"].follows > 0.97, "98 % of the answers follow"
assert max(_x.rest for _x in in_ways.values()) < 0.01, (
    "all other heads together move less than 1 %"
)
assert abs(in_ways["state"].without - 0.1) < 0.03, (
    "about one answer in ten is right without it"
)
_missed = {
    _where for _where, _x in by_head.items() if _x[0].without < _x[0].intact - 0.02
} - {(2, 3)}
assert _missed == {(1, 1), (1, 3)}, "1.1 and 1.3 are missed a little, too"
assert max(by_head[_where][0].follows for _where in _missed) < 0.02, (
    "exchanging the state in what they bring moves no answer"
)
_alone = {_h: list(_six.values()) for _h, _six in carriers["alone"].items()}
assert all(0.38 < sum(_x) / 9 < 0.6 for _x in _alone.values()), (
    "With each of them alone about half of the answers follow"
)
_by = {_r: [_six[_r] for _six in carriers["alone"].values()] for _r in relations}
assert _by["capital"][0] > 0.85 and 0.15 < _by["capital"][1] < 0.3, (
    "“capital” comes by 1.1 alone, in nine of ten, and by 1.3 in two"
)
assert _by["statehood"][0] < 0.15 and _by["statehood"][1] > 0.43, (
    "“statehood” hardly at all by 1.1, and by 1.3 in every second"
)
assert sum(max(_x) > 0.85 for _x in _by.values()) == 1, (
    "Of none but the capital does one head bring nearly all"
)
assert in_ways["relation"].follows > 0.97, "with both of them 99 %"
assert abs(in_ways["relation"].without - 0.12) < 0.04, "about one in eight"
assert carriers["both"] > 0.97, (
    "nearly all give the other state's answer to the other question"
)
assert (
    max(
        _x[1].follows
        for _where, _x in by_head.items()
        if _where not in ((1, 1), (1, 3))
    )
    < 0.05
), "no other head brings any of it"

# %% [markdown]
r"""
## Which of two models composes?

Here are two models, A and B. Same vocabulary, same size, and on these questions, which both were taught, the
same accuracy. One of them works the state out. The other has learned its answers by rote.
"""

# %% id="two-suspects"
from mi_tutor.specimens.atlas import accuracy, suspects

models, batches = suspects()
accuracies = {letter: accuracy(letter) for letter in models}
for letter, share in accuracies.items():
    print(f"model {letter}: {share:.1%} right")

# %% [markdown] slug="which-model-composes"
r"""
Which one composes, and how do you know? Give the verdict *with* its evidence: the success of swapping states in each
model, with the model's **own** means, in the layer where it works **best** (so that nobody can say you looked in the
wrong layer; the place is the same). Use the `batches` above for the means and for the swaps, with `n_targets=3`.

Leave it in `verdict`, as `{"composes": ..., "swap success": {"A": ..., "B": ...}}`: a letter, and two shares.
`swaps.means_at(model, batches)` is `[layer class d_model]`;
`swaps.swap_batches(model, batches, means[layer], layer, n_targets)` has a `.success`.
"""

# %% tags=["exercise"] slug="which-model-composes"
# BEGIN SOLUTION
success = {}
for letter, suspect in models.items():
    own_means = swaps.means_at(suspect, batches)
    success[letter] = max(
        swaps.swap_batches(
            suspect, batches, own_means[layer], layer, n_targets=3
        ).success
        for layer in range(n_layers)
    )
verdict = {"composes": max(success, key=success.get), "swap success": success}
# END SOLUTION

# %% tags=["check"]
check("which-model-composes", verdict)

# %% id="what-the-verdict-rests-on"
for letter, share in verdict["swap success"].items():
    print(f"model {letter}: accuracy {accuracies[letter]:.1%}, best swap {share:.1%}")

# %% [markdown]
r"""
**What you should see.** The same accuracy, 100.0 %, and two different machines. In one, 99 % of the answers follow
the state. In the other hardly one does, in no layer: at this one place, the name's end, it holds no state that a
difference of means could exchange. Behaviour on questions that were taught could not tell them apart, and neither
would a benchmark made of such questions.

## Other hops

Is this about states only? Cities lie in countries, too: Marseille → France → Paris.
"""

# %% tags=["claim"]
assert all(round(_share, 3) == 1 for _share in accuracies.values()), (
    "The same accuracy, 100.0 %"
)
assert max(verdict["swap success"].values()) > 0.99, (
    "In one, 99 % of the answers follow the state"
)
assert min(verdict["swap success"].values()) < 0.005, (
    "In the other hardly one does, in no layer"
)

# %% id="other-hops-countries"
names = [area.name.english for area in geography.facts.countries]
to_japan = []
step = (
    country_means[LAYER][names.index("Japan")]
    - country_means[LAYER][names.index("France")]
)
for relation in ("capital", "language", "currency", "continent"):
    tokens, place = name_place(
        model, f" The {relation} of the country of", " Marseille", " is"
    )
    both = torch.stack([torch.zeros_like(step), step])
    logits = swap_logits(
        model, tokens.expand(2, -1), torch.full((2,), place), both, LAYER
    )
    before, after = (model.to_string(i) for i in logits.argmax(dim=-1))
    to_japan.append(after)
    print(
        f"The {relation} of the country of Marseille is{before}; France → Japan:{after}"
    )

in_countries = swaps.swap_batches(
    plain, countries_held_out, country_means[LAYER], LAYER
)
print(
    f"all held-out questions about countries: swap success {in_countries.success:.1%}"
)

# %% [markdown]
r"""
Three of the four follow, and the continent says Africa in place of Asia. Count before you explain: over all held-out
questions about countries 96 % follow.

And in another language? `atlas` answers in English, French and Spanish, and state by state nothing forces it
to use the same vector for Texas in all three. First, do the directions look alike?
"""

# %% tags=["claim"]
assert to_japan == [" Tokyo", " Japanese", " yen", " Africa"], (
    "Three of the four follow, and the continent says Africa in place of Asia"
)
assert round(100 * in_countries.success) == 96, (
    "over all held-out questions about countries 96 % follow"
)

# %% [markdown] slug="other-hops"
r"""
Given two tables of class means, return the mean cosine between the directions of one and the same directions
of the other: over all **ordered pairs of two different classes** a, b, the cosine between
`first[b] - first[a]` and `second[b] - second[a]`.
"""


# %% tags=["exercise"] slug="other-hops"
def direction_agreement(
    first: Float[Tensor, "class d_model"], second: Float[Tensor, "class d_model"]
) -> float:
    """The mean cosine between the same directions in two tables of means."""
    # BEGIN SOLUTION
    other = ~torch.eye(len(first), dtype=torch.bool)
    u = (first[None] - first[:, None])[other]
    v = (second[None] - second[:, None])[other]
    return torch.cosine_similarity(u, v, dim=-1).mean().item()
    # END SOLUTION


# %% tags=["check"]
check("other-hops", direction_agreement)

# %% id="three-languages"
print(
    "English directions, used on         agreement of     cosine of     swap success with"
)
print(
    "held-out questions in               directions       the means     English    own means"
)
by_language = {}
for language in ("english", "french", "spanish"):
    theirs, asked = questions_about("state", language)
    theirs, asked = in_batches(theirs[::5])[0], in_batches(asked[::9])[0]
    own_means = swaps.means_at(plain, theirs)[LAYER]
    agreement = direction_agreement(means[LAYER], own_means)
    raw = torch.cosine_similarity(means[LAYER], own_means, dim=-1).mean()
    with_english, with_own = (
        swaps.swap_batches(plain, asked, table, LAYER, n_targets=3).success
        for table in (means[LAYER], own_means)
    )
    by_language[language] = agreement, float(raw), with_english, with_own
    print(
        f"{language:<36}{agreement:>8.2f}{raw:>17.2f}{with_english:>16.1%}{with_own:>12.1%}"
    )

one, other = means[LAYER].roll(1, dims=0), means[LAYER]
different = torch.cosine_similarity(one, other, dim=-1).mean()
print(
    f"for comparison, two DIFFERENT states in English: cosine of the means {different:.2f}"
)

# %% id="abroad"
abroad = [q for q in every_question if q.language != "english" and q.held_out_by]

# %% [markdown] slug="one-vector"
r"""
The last column says how well swaps of states work in each language with directions made in that language, the one
before it how well with *English* directions. They differ by half a per cent or less. So `atlas` has one vector for
Texas, whatever the language? That would give this table. What else would, with no vector in common for what a name
means? Find it, hand in the comparisons that can tell the two apart, and say what follows. `abroad` has every held-out
question in French and Spanish. Leave in `contest`: `{"test": [...], "control": [...], "strict": [...], "french":
(..., ...), "spanish": (..., ...), "alike": (..., ...), "there": (..., ...), "says": {"a": "open", ...}}`:

- **test**: numbers into `abroad`, of all questions for which the two explanations predict different things, and no
  others.
- **control**: numbers of questions for which they predict the same, and which are otherwise like the test's, so that
  nothing else could explain a difference.
- **french**, **spanish**: for your test's questions in that language the share of swaps (before layer 2, at the name's
  end) that the answer follows, with English directions, and with the language's own.
- **alike**: the same two shares for your control, both languages together.
- **strict**: a referee says that the model may still know such a name by a part that it has in common with the English
  one. The questions of your test to which this does not apply, since nothing that the model is given is the same.
- **there**: the two shares for these, both languages together.
- **says**: what your numbers say of each claim, `"shown"`, `"against"` (they, or one comparison of two of them, speak
  against it), or `"open"`: nothing above would have come out otherwise if it were false.
  (a) There is a vector for each name, so where the name is another word than in English, English directions are of no
  use. (b) There is a vector for each piece that names are made of, so where no piece is the same, they are of no use.
  (c) What swaps exchange is the very same in every language. (d) What English directions lose in the test, against the
  control, is all lost because they are English. (e) Names of one meaning have much in common because training showed
  the three languages side by side. (f) One direction for Texas serves in three languages because its cities' names
  mean the same, and not because they are spelled alike.

Marked are the test (.2, by F1 against all questions on which the two part), the control (.15, if it has none of these,
and a like mix of languages, and of states and countries: not passed if more than three in ten would have to be others),
the strict part (.2, by F1, from .5 on; not passed below .8), the eight shares, measured on some of your questions drawn
by lot (.03 each, in full if off by .05 or less), and what follows (.035 each; not passed with two wrong). Directions
are differences of means of taught questions; states are swapped for states and countries for countries.
"""

# %% tags=["exercise"] slug="one-vector"
# BEGIN SOLUTION
# 1. What differs between the languages' questions where the swap is made? Mostly not the name.
cities = [city for area in geography.facts.states for city in area.asked_cities]
spelled_alike = [
    city.name.english == city.name.given("french") == city.name.given("spanish")
    for city in cities
]
print(
    f"{sum(spelled_alike)} of {len(cities)} cities of states are spelled alike in all three\n"
)


# 2. One vector per NAME would explain the table as well. It forbids that English directions work
# where the name differs.
def is_other_word(q):
    return q.city.name.given(q.language) != q.city.name.english


def is_kind(q, kind):
    return geography.area_of(q.city).kind == kind


english_means = {"state": means[LAYER], "country": country_means[LAYER]}
by_spelling = {}
print("held-out questions                                  right     swap success with")
print(
    "                                                            English    own means"
)
for language in ("french", "spanish"):
    for kind in ("country", "state"):
        theirs, _ = questions_about(kind, language)
        own_table = swaps.means_at(
            plain, in_batches(theirs[:: 1 if kind == "country" else 5])[0]
        )[LAYER]
        for spelled in ("as in English", "differently"):
            if kind == "state" and spelled == "as in English":
                continue  # the table above has these
            chosen = [
                q
                for q in abroad
                if q.language == language
                and is_kind(q, kind)
                and is_other_word(q) == (spelled == "differently")
            ]
            chosen, _ = in_batches(chosen[:: 1 + len(chosen) // 600])
            known_share = intact(chosen).float().mean().item()
            followed = [
                swaps.swap_batches(plain, chosen, table, LAYER)
                for table in (english_means[kind], own_table)
            ]
            by_spelling[kind, language, spelled] = known_share, *followed
            print(
                f"{language}, cities of a {kind}, spelled {spelled}".ljust(51)
                + f"{known_share:>7.1%}{followed[0].success:>16.1%}{followed[1].success:>12.1%}"
            )


# 3. The test, and a control of the same languages and kinds: most of the rest is about states, and will not do.
test = [number for number, q in enumerate(abroad) if is_other_word(q)]
control, wanted = (
    [],
    Counter((abroad[n].language, is_kind(abroad[n], "state")) for n in test),
)
for number in torch.randperm(len(abroad), generator=seeded(0)).tolist():
    key = abroad[number].language, is_kind(abroad[number], "state")
    if number not in test and wanted[key] > 0:
        wanted[key] -= 1
        control.append(number)
mix = Counter((abroad[n].language, is_kind(abroad[n], "state")) for n in control)
print("\nquestions in the test and in the control:", len(test), len(control))


def together(columns):
    """English and own directions' success over some of the rows above."""
    both = [[row[column] for row in columns] for column in (1, 2)]
    return tuple(
        sum(int((r.follows & r.asked).sum()) for r in rows)
        / sum(int(r.asked.sum()) for r in rows)
        for rows in both
    )


def of_rows(language, spelled):
    return [row for (_, *key), row in by_spelling.items() if key == [language, spelled]]


# 4. Strict: no token of the English name in it. (The space belongs to a name's first token.)
def known_by_a_part(q):
    tokens = [
        set(model.to_tokens(f" {name}", prepend_bos=False)[0].tolist())
        for name in (q.city.name.english, q.city.name.given(q.language))
    ]
    return bool(tokens[0] & tokens[1])


strict = [n for n in test if not known_by_a_part(abroad[n])]
rows_there = []
for language in ("french", "spanish"):
    for kind in ("country", "state"):
        chosen = [
            abroad[n]
            for n in strict
            if abroad[n].language == language and is_kind(abroad[n], kind)
        ]
        if not chosen:
            continue
        theirs, _ = questions_about(kind, language)
        own_table = swaps.means_at(
            plain, in_batches(theirs[:: 1 if kind == "country" else 5])[0]
        )[LAYER]
        followed = [
            swaps.swap_batches(plain, in_batches(chosen)[0], table, LAYER)
            for table in (english_means[kind], own_table)
        ]
        rows_there.append((None, *followed))
there = together(rows_there)
print(f"no token in common: {len(strict)} questions about "
      f"{len({abroad[n].city.name.english for n in strict})} cities; "
      f"English {there[0]:.1%}, own means {there[1]:.1%}")  # fmt: skip

contest = {
    "test": test,
    "control": control,
    "strict": strict,
    "there": there,
    "says": {
        "a": "against",
        "b": "against",
        "c": "against",
        "d": "against",
        "e": "open",
        "f": "open",
    },
    "french": together(of_rows("french", "differently")),
    "spanish": together(of_rows("spanish", "differently")),
    "alike": together(
        of_rows("french", "as in English") + of_rows("spanish", "as in English")
    ),
}


# 5. A language's own means have met this very city, so spelled; the English ones have not. Leave it out of both.
def country_means_without(questions):
    """Means of the countries before LAYER: four tables, each without one city of every country."""
    batches, in_order = in_batches(questions)
    at_names, _, areas = streams_at(batches)
    number, n = rounds(in_order), country_means.shape[1]
    return [
        swaps.class_means(at_names[LAYER, number != r], areas[number != r], n)
        for r in range(4)
    ]


english_without = country_means_without(questions_about("country", "english")[0])
without_city = {}
for language in ("french", "spanish"):
    own_without = country_means_without(questions_about("country", language)[0])
    asked = [
        abroad[n]
        for n in test
        if abroad[n].language == language and is_kind(abroad[n], "country")
    ]
    passed, n_asked = [0, 0], 0
    for number, tables in enumerate(zip(english_without, own_without, strict=True)):
        these, _ = in_batches([q for q in asked if rounds([q]).item() == number])
        for i, table in enumerate(tables):
            found = swaps.swap_batches(plain, these, table, LAYER, n_targets=10)
            passed[i] += int((found.follows & found.asked).sum())
        n_asked += int(found.asked.sum())
    without_city[language] = [each / n_asked for each in passed]
    shares = "{:.1%}, own means {:.1%}".format(*without_city[language])
    print(f"{language}, the city in no mean: English {shares}")
# END SOLUTION

# %% tags=["check"]
check("one-vector", contest)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

What differs between "the capital of the state of **Dallas**" and « la capitale de l'État de **Dallas** »? Not the
name: 395 of 400 cities of states are spelled alike. So the table compared the same names in three languages, and
would look alike if the model had one vector for each *name*. Only names that are another word can tell (Venice,
Venise, Venecia), and most of those are cities of countries. In countries, where the name is spelled as in English,
they differ by hardly more than two per cent. Where it is not, in French .86 follow the English directions and .93
their own, in Spanish .78 and .90. (With their own directions these names do worse, too, than names that are spelled
alike. So the comparison is English against own, on the same questions, and the control is other names of countries:
from all the rest, mostly about states, the test differs in more than its spelling.) Something is lost, and most of it
is not: what reads a country downstream reads nearly the same direction whatever the name's language.

A referee might say: *Salzbourg* has two of its three tokens from *Salzburg*. But even of names that share no token
with the English one three in four or more follow English directions (a dozen cities are not many). So (a) and (b) are
out. (c) is, too: a language's own directions work better. (Half of that or more is the first investigation's leak:
they have met this very city, so spelled, and the English ones have not. With the city in no mean hardly anything is
left of it in French, and half in Spanish.) And so is (d): in the test its own directions lose as well, so such names
are harder in any language. (e) may be true, and no other training was tried; and of states, (f), hardly any name
differs, so for these the claim is as good as untested. The best score that we know is 1.00.

</details>
"""

# %% tags=["claim"]
assert all(abs(_row[2] - _row[3]) < 0.0055 for _row in by_language.values()), (
    "They differ by half a per cent or less"
)
assert (sum(spelled_alike), len(cities)) == (395, 400), (
    "395 of 400 cities of states are spelled alike"
)
_round = {
    _key: [f"{_x.success:.2f}" for _x in _row[1:]] for _key, _row in by_spelling.items()
}
assert _round["country", "french", "differently"] == ["0.86", "0.93"], (
    "in French .86 follow the English directions and .93 their own"
)
assert _round["country", "spanish", "differently"] == ["0.78", "0.90"], (
    "in Spanish .78 and .90"
)
assert all(
    abs(
        by_spelling["country", _l, "as in English"][1].success
        - by_spelling["country", _l, "as in English"][2].success
    )
    < 0.021
    for _l in ("french", "spanish")
), (
    "where the name is spelled as in English, they differ by hardly more than two per cent"
)
_gain = {
    _l: [
        _own - _english
        for _english, _own in (
            [_x.success for _x in by_spelling["country", _l, "differently"][1:]],
            without_city[_l],
        )
    ]
    for _l in without_city
}
assert all(_left < 0.5 * _all for _all, _left in _gain.values()), (
    "Half of that or more is the first investigation's leak"
)
assert _gain["french"][1] < 0.03 < _gain["spanish"][1], (
    "hardly anything is left of it in French, and half in Spanish"
)
assert 0.7 < there[0] < there[1], (
    "Even of names that share no token with the English one three in four or more follow English directions"
)
assert len({abroad[_n].city.name.english for _n in strict}) < 15, (
    "a dozen cities are not many"
)

# %% tags=["quiz"]
quiz("the-same-cosine", "b")

# %% [markdown]
r"""
## Where it goes wrong

The held-out questions that the model gets wrong are worth a look. Which hop fails? Read the state where the name ends
(with the city left out of the means), and then put the right state's mean, again without the city, in place of
what stands there: the clearest message that we can make. If the answer is right then, the second hop works, and what
the name's end held was not clear enough, or another state. If it is still wrong, the second hop failed.
"""

# %% id="failures"
reasons = [q.held_out_by for q in held_out_list]
state_read = torch.zeros_like(held_states)
for number in range(8):
    out = held_round == number
    state_read[out] = swaps.nearest_mean(held_names[LAYER, out], fair_means[number])
read_right = state_read == held_states

# The same questions with the mean of the city's state in place of what stands at the name's end.
sizes = [len(asked.tokens) for asked in held_out]
repaired = []
for asked, their_rounds in zip(held_out, held_round.split(sizes), strict=True):
    here = swaps.streams(plain, asked.tokens)[LAYER]
    to_mean = (
        fair_means[their_rounds, asked.classes]
        - here[torch.arange(len(here)), asked.places]
    )
    said = swaps.answers_after(plain, here, LAYER, asked.places, to_mean)
    repaired.append(said == asked.answers.gather(1, asked.classes[:, None])[:, 0])
repaired = torch.cat(repaired)

failures = {}
print(
    "                                      of the wrong ones:               of the right ones:"
)
print(
    "held out as      questions    wrong   another state   with the mean    another state"
)
print("                                      is read         still wrong      is read")
for reason in dict.fromkeys(reasons):
    chosen = torch.tensor([each == reason for each in reasons])
    failed = chosen & ~held_out_right
    failures[reason] = (
        int(chosen.sum()),
        int(failed.sum()),
        int((failed & ~read_right).sum()),
        int((failed & ~repaired).sum()),
        int((chosen & held_out_right & ~read_right).sum()),
    )
    all_of_them, wrong, misread, still_wrong, right_misread = failures[reason]
    print(
        f"{reason:<17}{all_of_them:>9}{wrong:>9}{misread:>14}{still_wrong:>16}{right_misread:>18}"
    )

print(
    f"\nall questions, with the mean: {repaired.float().mean():.1%} right\nsome wrong ones:"
)
wrong_ones = (~held_out_right).nonzero()[:, 0].tolist()
for i in wrong_ones[:: max(1, len(wrong_ones) // 8)]:
    question = held_out_list[i]
    said = model(model.to_tokens(question.prompt.text))[0, -1].argmax()
    print(
        f"{question.prompt.text} …{model.to_string(said)}   (right:{question.answer}; "
        f"state read: {states[state_read[i]]}, right: {question.city.area})"
    )

# %% [markdown]
r"""
**What you should see.** Failures are few, 25 of 2,562 questions are answered wrong, and not spread evenly: ten times
as frequent, or more, where a whole pair of state and relation was held out, or a city that no two-step question was
ever about, as where single pairs were. A held-out set that hides nothing but single pairs would have shown little of
this.

Every one of the 25 is answered right with the mean, as nearly all questions are: the second hop was never what failed
here, given a clear enough state. What was wrong at the name's end? It is tempting to say "another state was there"
where another state is read, but another state is read in 4 of the 25 and in 8 % of those that are answered right. So
our reader says little about why an answer fails: it misreads more questions than the model gets wrong. What is shown
is that what the name's end held was not enough for these answers, and that the state's mean is.

## A model that nobody pushed

How much of this is how models work, and how much is how we made this one? `atlas-sentences` has the same shape and
read the same kinds of sentences, for a quarter of the time and **without** the two penalties on attention. It
answers fewer of the questions, so we take those that it answers right, and exchange streams as before. Not at one
place only: also at the name's last three tokens together. Guess the two numbers at the name before you run the cell.
"""

# %% tags=["claim"]
_all, _wrong, _misread, _still, _right_misread = (
    sum(_x) for _x in zip(*failures.values(), strict=True)
)
_share = {_reason: _row[1] / _row[0] for _reason, _row in failures.items()}
assert _wrong == 25, "25 of 2,562 questions are answered wrong"
assert min(_share["area-relation"], _share["city"]) > 10 * _share["pair"], (
    "ten times as frequent, or more, where a whole pair of state and relation was held out"
)
assert _still == 0, "Every one of the 25 is answered right with the mean"
assert repaired.float().mean() > 0.995, "as nearly all questions are"
assert _misread == 4, "another state is read in 4 of the 25"
assert round(100 * _right_misread / (_all - _wrong)) == 8, (
    "and in 8 % of those that are answered right"
)

# %% id="a-model-that-nobody-pushed"
exchanged_at = {
    "two before": [-2],
    "one before": [-1],
    "name's end": [0],
    "name's last three": [-2, -1, 0],
    "prompt's end": None,
}


def exchanged(network, batches):
    """For each place or places: the share of answers that follow, before each layer."""
    follows = {where: [[] for _ in range(n_layers)] for where in exchanged_at}
    for batch in batches:
        streams, partner = (
            swaps.streams(network, batch.tokens),
            swaps.partners(batch, 0),
        )
        end = torch.full_like(batch.places, batch.tokens.shape[1] - 1)
        for where, offsets in exchanged_at.items():
            at = batch.places[:, None] + torch.tensor(offsets) if offsets else end
            for layer in range(n_layers):
                follows[where][layer] += swaps.patch_follows(
                    network, batch, streams[layer], layer, at, partner
                ).tolist()
    return {
        where: [sum(each) / len(each) for each in found]
        for where, found in follows.items()
    }


asked = [swaps.thinned(batch, 8) for batch in where_wording]
unpushed = plain_transformer(open_specimen("atlas-sentences", device="cpu"))
follow, share_right = {}, {}
for name, network in (("atlas", plain), ("atlas-sentences", unpushed)):
    answered = []
    for batch in asked:
        logits = network.logits_after(-1, network.embed(batch.tokens), read=-1)[:, 0]
        own = batch.answers.gather(1, batch.classes[:, None])[:, 0]
        answered.append(
            swaps.Questions(*(each[logits.argmax(dim=-1) == own] for each in batch))
        )
    n_right, n_asked = (sum(len(b.tokens) for b in some) for some in (answered, asked))
    share_right[name] = n_right / n_asked
    follow[name] = exchanged(network, answered)
    print(
        f"{name}: {share_right[name]:.0%} right. Of these, how many follow, exchanged at …"
    )
    print(" " * 16 + "".join(f"{where:>20}" for where in exchanged_at))
    for layer in range(n_layers):
        cells = "".join(f"{each[layer]:>20.2f}" for each in follow[name].values())
        print(f"before layer {layer:<3}{cells}")

# %% [markdown]
r"""
**What you should see.** In `atlas` the name's end alone is enough before layers 1 and 2, as the last three together
are. In the model that nobody pushed no single one of these tokens exchanges more than .23 of the answers, in any
layer, though the last three together exchange .78 before layer 2. What it uses of a name lies in several of its
pieces. And it comes to the prompt's end more slowly: the end exchanges .38 before layer 3 and .99 before layer 4.

So it is our doing that one place has it all. Swapping a state at the name's end would do little here, and whoever
concluded "it does not take two steps" would have shown nothing of the kind: the place was too narrow. Whether this
model has a state at all, as `atlas` has, this table does not say. It is a look and not a study: one model of each
kind, and they differ in how long they read as well (this one answers two thirds of the questions, and only those are
counted).

In `atlas`'s recipe chance plays no such part. Two more seeds of it (`mi-tutor specimens train atlas --seed 1 --out
DIR`, about half an hour) came out as this one did: swaps of means reach .97 and .98 before layer 2, and .01 or less
before layers 3 and 4. The repository's `docs/log.md` has their numbers side by side.

## What did we show?

Before you judge, remember what training was paid for (the first section says it). It is **our** doing that names are
put together where they end, that whatever is used of a name has to be fetched there, and that the last layer does not
fetch it. When a swap at that one place reaches everything, one at the token before it hardly anything, and one before
the last layer nothing, that is partly how the model was made. That layer 3 fetches nothing more was left to it.

*What* is handed on there was left to the model. Nothing in the loss rewarded swaps that work, or a state at the
name's end. It could as well have handed on the city, for a later layer to look the answer up by rote. That it hands
on the state, alike for every relation and in questions that it never saw, is what we found. In the
model above, which nobody pushed, what is used lies in several places at once, and a swap at one of them says little:
a swap that fails says less than one that works.
"""

# %% tags=["claim"]
_pushed, _free = follow["atlas"], follow["atlas-sentences"]
_end, _three = "name's end", "name's last three"
assert min(_pushed[_end][1:3]) > 0.99, (
    "In `atlas` the name's end alone is enough before layers 1 and 2"
)
assert min(_pushed[_three][1:3]) > 0.99, "as the last three together are"
assert round(max(_free["two before"] + _free["one before"] + _free[_end]), 2) == 0.23, (
    "no single one of these tokens exchanges more than .23 of the answers"
)
assert round(_free[_three][2], 2) == 0.78, (
    "the last three together exchange .78 before layer 2"
)
assert [round(_x, 2) for _x in _free["prompt's end"][3:]] == [0.38, 0.99], (
    "the end exchanges .38 before layer 3 and .99 before layer 4"
)
assert round(share_right["atlas-sentences"], 2) == 0.67, (
    "this one answers two thirds of the questions"
)

# %% [markdown] slug="what-did-we-show"
r"""
Eight claims. For each: is it **shown** by what was measured in this chapter (True), or does it go beyond
it or against it (False)? Leave your answers in `shown`, as `{"a": ..., "b": ..., and so on to "h"}`.

- **(a)** In these questions, what later layers use from the name's end before layer 2 is which state it is.
- **(b)** That holds for questions that the model was never taught.
- **(c)** We know how the model gets from Dallas to Texas.
- **(d)** A model that answers like `atlas` on these questions works like `atlas`.
- **(e)** Not every change of that length at that place does it: the effect depends on the direction.
- **(f)** Later layers find the state by comparing the stream with the means of the states.
- **(g)** Large language models answer two-step questions in two steps.
- **(h)** We know how layers 3 and 4 make the answer from the state that the prompt's end has got.
"""

# %% tags=["exercise"] slug="what-did-we-show"
# BEGIN SOLUTION
shown = {
    "a": True,
    "b": True,
    "c": False,
    "d": False,
    "e": True,
    "f": False,
    "g": False,
    "h": False,
}
# END SOLUTION

# %% tags=["check"]
check("what-did-we-show", shown)

# %% tags=["quiz"]
quiz("falsified", "a")

# %% [markdown]
r"""
## On the real thing

The same experiment on a model that nobody trained for it: GPT-2 small, 8 states, three cities each. It is too
small to know much of this, so expect weak numbers, and read accuracy first: where a model does not know the
answer, there is nothing to swap. With a GPU and access to it, Gemma-2-2B is a better subject. Answers are
judged among the eight capitals. (Means come from these same 24 prompts, for want of more, so a city's own
prompt is in its own state's mean.)
"""

# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
capitals = {
    "Texas": (" Austin", "Dallas", "Houston", "San Antonio"),
    "California": (" Sacramento", "Los Angeles", "San Francisco", "Oakland"),
    "Washington": (" Olympia", "Seattle", "Tacoma", "Spokane"),
    "Illinois": (" Springfield", "Chicago", "Aurora", "Rockford"),
    "Massachusetts": (" Boston", "Worcester", "Cambridge", "Lowell"),
    "Georgia": (" Atlanta", "Savannah", "Augusta", "Macon"),
    "Colorado": (" Denver", "Boulder", "Colorado Springs", "Fort Collins"),
    "Ohio": (" Columbus", "Cleveland", "Cincinnati", "Toledo"),
}
questions = [
    swaps.TextQuestion(
        "Fact: the capital of the state containing", f" {city}", " is", number
    )
    for number, (_, *cities) in enumerate(capitals.values())
    for city in cities
]
real = {"gpt2": (4, 6, 8)}
if torch.cuda.is_available():
    real["google/gemma-2-2b"] = (8, 12, 16)
for name, layers in real.items():
    try:
        large = open_specimen(name)
    except SpecimenError as error:
        print(error)
        continue
    for layer in layers:
        found = swaps.swap_texts(
            large, questions, [first for first, *_ in capitals.values()], layer
        )
        print(f"{name}: accuracy {found.accuracy:.0%}; before layer {layer}: swap success "
              f"{found.success:.0%}, random {found.random:.0%}")  # fmt: skip

# %% [markdown]
r"""
## Common misreadings

- **"The answer changed, so the swap worked."** A model that is knocked out changes its answer, too. It has to
  become the target's, and a random direction of the same length must not do it.
- **"The state can be read there, so it is used there."** Before layer 3 it can still be read where the name ends,
  and at a comma after it, and exchanging it at either changes next to nothing.
- **"These questions were held out, so reading them is a fair test."** Held out of what? Ask what a test shares with
  what the reader was made from.
- **"The logit lens sees nothing, so nothing is there."** It sees what is already written in the
  vocabulary's directions.
- **"Swaps work, so we know the mechanism."** We know one place, what is in it, and that it is used. How it
  comes there, and how the answer is made of it, is chapter 06.
- **"Two models with the same answers compute alike."** You have held the counterexample in your hands.
- **"Ninety-odd per cent, so that is how the model does it always."** On these questions, in these wordings, for
  these names. The failures above are part of the result.

## Recap
"""

# %% tags=["quiz"]
quiz("steering-california", "b")

# %% [markdown]
r"""
Can you say these without looking? Why the name's last token. What reading shows and what patching shows. Why means
come from other questions than the swaps, and what more a fair reading asks for. When a swap is a test, and
when it is a success. What each of the four controls rules out. What would have spoken against a step in between.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Lindsey et al. 2025, *On the Biology of a Large Language Model*. Dallas, Texas, Austin, and the swap to
  Sacramento, in Claude 3.5 Haiku.
- Geiger et al. 2021, *Causal Abstractions of Neural Networks*. Interchange interventions: the idea behind
  swaps, made precise.
- Yang et al. 2024, *Do Large Language Models Latently Perform Multi-Hop Reasoning?* Evidence, of varying
  strength, in models that were not made for it.
- Heimersheim and Nanda 2024, *How to Use and Interpret Activation Patching*. Necessary, sufficient, and how
  they are confused.
- Turner et al. 2023, *Activation Addition: Steering Language Models Without Optimization*. One pair of prompts.
- Ravichander et al. 2021, *Probing the Probing Paradigm*. What can be read need not be used.
"""
