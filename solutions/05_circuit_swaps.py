# %% [markdown] minutes=165
r"""
# 05 · Circuit swaps

Make a model answer Sacramento to a question about Dallas, and know exactly what that shows and what it
does not.

## What you will be able to do

- find out where, and until which layer, a model holds the middle step of a two-step answer
- make the direction from one state to another, and swap the state in the middle of the computation
- count successes honestly: on questions never seen, over all pairs, and only where something is tested
- choose controls, and say of each why it should fail
- tell a model that works its answer out from one that knows it by rote, though both answer alike
- say what a swap shows, what it does not, and what would have spoken against it

You need chapter 00 (hooks, the residual stream). Chapter 04 helps: a swap is a patch with a direction in
place of a whole activation.
"""

# %% tags=["setup"]
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
two steps       Dallas ──→ Texas ──→ Austin          exchange Texas for California …
                             ✂
                         California ──→ Sacramento    … and the second step should follow
by rote         Dallas, capital ──→ Austin            nothing to exchange
```

From the answer you cannot tell. But the two explanations differ in what happens when you reach in and
exchange the middle step. Lindsey et al. 2025 did this in Claude 3.5 Haiku and got Sacramento. There nobody
knows the ground truth. Here is a model that was trained on facts we chose: `atlas`, a GPT-2 with 5 layers.
It was told single steps ("Dallas belongs to Texas", "The capital of Texas is Austin") and *some* two-step
answers. Three in ten (city, relation) pairs were held out, and all two-step questions about some cities and
about some pairs of state and relation. What was held out it never saw, in any wording or language. (Its training
also pushed it in one respect. *What did we show?* says in which, and what that does to our claims.)
"""

# %% id="open-atlas"
torch.set_grad_enabled(False)  # nothing is trained in this chapter
model = open_specimen("atlas", device="cpu")
plain = plain_transformer(model)  # the same model without hooks: fast

geography = Geography()
states = [area.name.english for area in geography.facts.states]
n_layers = model.cfg.n_layers

for prompt in (" The city of Dallas lies in", " The capital of Texas is",
               " The capital of the state of Dallas is"):  # fmt: skip
    best = model(model.to_tokens(prompt))[0, -1].softmax(dim=-1).topk(3)
    words = [f"{model.to_string(i)!r} {p:.2f}" for p, i in zip(*best, strict=True)]
    print(f"{prompt} …   {',  '.join(words)}")

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


for name, batches in (("taught", taught), ("held out", held_out)):
    right = intact(batches)
    print(f"{name:<9}{len(right):>5} questions, right {right.float().mean():.1%}")

# %% tags=["quiz"]
quiz("why-held-out", "c")

# %% [markdown]
r"""
## Where is the state?

A first look: can we *read* the state from the stream? The simplest reader there is: take the mean stream of
each state's prompts; for a new prompt, say the state whose mean is nearest.

$$\hat c(x) = \arg\min_c \lVert x - \mu_c \rVert, \qquad \mu_c = \text{mean of the known } x \text{ of class } c$$

Reading has one trap: it must be done on prompts that did not go into the means.
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

print("state read in held-out questions    at the name's end    at the prompt's end")
for layer in range(n_layers + 1):
    where = f"before layer {layer}" if layer < n_layers else "after the last layer"
    at_name = readable(
        taught_names[layer], taught_states, held_names[layer], held_states
    )
    at_end = readable(taught_ends[layer], taught_states, held_ends[layer], held_states)
    print(f"{where:<36}{at_name:>12.1%}{at_end:>23.1%}")

# %% [markdown]
r"""
A reader says what is *there*. What is *used* is another question, and for that we exchange something: run
two questions that ask the same about cities of different states, put the stream of one, at one layer and one
token, into the other, and count how often the answer becomes the other state's. Both, and the logit lens
(what the model would say if it stopped here, among the 50 states' names), at every layer and token:
"""

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
**What you should see.** In the middle, the state can be read where the name ends almost at once, and for some
layers it stays there. At the prompt's end it appears only later. On the right, patching the name's end
exchanges the answer in the early rows (less so in the very first, where the name's last piece still stands alone),
and then no more: by then the end has fetched what it needs, and patching the *end* takes over. On the left, the
logit lens sees less: streams in the middle are not written for the unembedding to read, so that the lens sees
nothing is no evidence that nothing is there.

Compare the last two panels at the name's end, in the rows below the last one in which patching works.
"""

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
quiz("readable-not-used", "d")

# %% [markdown]
r"""
## From Texas to California

Patching puts a whole stream in: the other city's name, how it is spelled, whatever else was there. If the
state is a *direction*, less will do. Over many prompts about one state everything else averages out, so the
difference of two means is what differs between two states:

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
)

print(f"{'asked about Dallas':<42}{'as it is':<18}{'Texas → California'}")
for relation in ("capital", "abbreviation", "nickname", "bird", "flower", "time zone"):
    tokens, place = name_place(
        model, f" The {relation} of the state of", " Dallas", " is"
    )
    answers = []
    for step in (torch.zeros_like(to_california), to_california):
        logits = swap_logits(
            model, tokens[None], torch.tensor([place]), step[None], LAYER
        )
        answers.append(model.to_string(logits[0].argmax()))
    print(
        f"The {relation} of the state of Dallas is".ljust(42)
        + f"{answers[0]:<18}{answers[1]}"
    )

# %% [markdown]
r"""
**What you should see.** One vector, added at one token of one layer, moves all answers at once, and they move
*together*: to the answers of one other state. It was made from prompts about many cities and all relations. So
what it moves is not "capitals"; it is which state we are in. Is it the state that we meant? California's answers
are Sacramento, CA, Golden State, California quail, California poppy, Pacific Time. Where you see another
state's, one step from Texas did not reach as far as California; *Dose and response* takes that up.

One example is an anecdote, however well chosen. So let us count.

## All pairs

Each question can be swapped to 49 other states. When does a swap *test* something? From Texas to Georgia,
the region stays the South: an unchanged answer would look like a success. Only where the target's answer
differs from the own state's is there a test. And what counts as a success? Not that the answer changed. It
must have become the target's.
"""

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
kinds = [
    ("held out as", [q.held_out_by for q in held_out_list]),
    (
        "wording",
        ["in the state where" if each else "of the state of" for each in in_where],
    ),
    ("relation", [q.relation.replace("_", " ") for q in held_out_list]),
]
for title, names in kinds:
    for name in dict.fromkeys(names):
        rows = torch.tensor([each == name for each in names])
        share = follows[rows].sum() / result.asked[rows].sum()
        print(f"{title:<12}{name:<20}{share:.1%}")

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
where_some = [swaps.thinned(each, 8) for each in where_held_out]
print("“In the state where Dallas lies, the …”: swapped at")
for n, words in enumerate(
    ["the name's end", "… and “lies”", "… and “,”", "… and “the”"]
):
    share = swaps.swap_copies(
        plain, where_some, tables[: n + 1], LAYER, n_targets=3
    ).success
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
**What you should see.** In the first table, much the same success for every relation: a state moves with all that
depends on it. Where one way of holding out does worse than the rest, there is something to find out; *Where it
goes wrong* does. The second table looked for one reason: if its numbers stay where they are, copies are not it. In
the figure:
dark wherever swaps work, from one state (row) to another (column).
The diagonal is empty, since a state is not swapped for itself. Look for pale rows and columns rather than at
single cells (a cell holds about ten swaps): a pale column would be a state whose mean does not stand for it.

## Controls: interventions that fail

A success rate means nothing without the failures that it should be compared with. Four, each like the swap
in all but one respect:

| control | what is the same | what is not |
|---|---|---|
| random direction | place, layer, length | it means nothing |
| unrelated direction | place, layer, length, and it means something | from one *country* to another |
| another position | direction, layer | one token before the name's end |
| another layer | direction, token | before the last layer |
"""

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
    another_layer=n_layers - 1,
)
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

for name, each in [("states", steps), ("random", random_like(steps, seeded(0)))]:
    logits = swap_logits(model, batch.tokens, batch.places, each, LAYER)
    share = (logits.argmax(dim=-1) == wanted)[is_test].float().mean()
    print(f"{name:<8}{share:>6.1%} of {int(is_test.sum())} tests")

# %% id="swap-by-layer"
print("swap at the name's end, with each layer's own means")
for layer in range(n_layers):
    share = swaps.swap_batches(plain, some, means[layer], layer, n_targets=3).success
    print(f"before layer {layer}: {share:.1%}")

# %% [markdown]
r"""
**What you should see.** One long bar. (Controls need not be at exactly zero: some answers, such as a region, are
shared by many states, so now and then one is hit by chance.)

Each failure says something. Random: not any push does it. Unrelated: not any *meaningful* push either.
Another position: one token earlier the name is not complete. Its pieces may hint at the state (the map had some
of it at "one before"), but what comes after the name hardly looks there. Another layer:
"""

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
for words, share in [
    ("intact", needed.intact),
    ("what tells the state from the average state taken out", needed.erased),
    ("as much taken out in a random direction", needed.random),
    ("the whole stream replaced by its state's mean", needed.alone),
    ("the whole stream replaced by the mean of all states", needed.average),
]:
    print(f"{words:<56}{share:.1%} right")

# %% [markdown]
r"""
**What you should see.** Take the state out and the answers are lost: needed. Replace the *whole* stream there
by the mean of its state, so that nothing of this city is left, and the answers stay right: enough. (They may
even get better than intact. Where the model is unsure about a city, the mean of its state is a clearer
message than its own.)

## Dose and response

How much of the direction does it take? If strength 1 is the distance between two states, there should be a
threshold before it, and something should go wrong far beyond it.
"""

# %% [markdown] slug="dose-response"
r"""
Given the logits of the same prompts at several strengths, `[strength prompt vocab]`, return for each strength
three shares, `[strength 3]`: answers (most likely tokens) that are still the question's `own` answer, that are
the `wanted` one of the target, and that are neither.
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
**What you should see.** An S: at a quarter of the way hardly an answer follows, then, between a half and one, they
tip over. (On the way some are neither the one nor the other.) The best strength may lie above 1: a difference of
means leads from one average to another, and a single city's stream may lie farther out, or farther off. Beyond the
best one "something else" grows: the overshoot.
"""

# %% tags=["quiz"]
quiz("overshoot", "d")

# %% [markdown]
r"""
Your turn to play. Choose a city, a state to swap in, a relation, a language, a layer and a strength; the
model runs at every change. Three to try: before the last layer; strength 6; the same city in French, with
the same English direction.
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
Return the new activation. `x` is the activation, `latents` its latents, `change` what is added to them
(before the ReLU).

- `keep_error=True`: `x + decode(f') - decode(f)`
- `keep_error=False`: `decode(f')`

with `decode(f) = f @ W_dec + b_dec`.
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
for at_least in (0.0, 0.1, 0.2):
    found = swaps.latent_swaps(
        plain, taught, some, dictionary, LAYER, at_least=at_least
    )
    print(
        f"latents whose mean changes by {at_least} or more ({found.latents_moved:5.1f} of {dictionary.d_sae} move): "
        f"success {found.with_error.success:.1%} with the error, {found.without_error.success:.1%} without"
    )
transcoder = open_dictionary("atlas-mlp0")
found = swaps.latent_swaps(plain, taught, some, transcoder, layer=1, place="mlp")
print(
    f"latents of a transcoder of layer 0's MLP ({found.latents_moved:5.1f} of {transcoder.d_sae} move): "
    f"success {found.with_error.success:.1%} with the error, {found.without_error.success:.1%} without"
)

# %% [markdown]
r"""
**What you should see.** Swaps in latents work nearly as well as along our own direction, and dropping the error
does no harm: what it holds is not needed here. But look at how many latents have to move. No single latent is "Texas"
in this dictionary; the state is spread over dozens, and with fewer of them success falls. The latents hold the
state. They do not name it. Chapter 02 asks what it takes for a latent to be *one* thing.

The last line uses a **transcoder**: it reads what layer 0's MLP reads and writes, in latents, what the MLP
writes. The swap is made in that one output, and the rest of the stream stays as it was, so what reached the
stream by other ways (the pieces of the name, which attention has brought) still speaks for the old state. Most
answers follow all the same: this MLP is where a name becomes a state.
"""

# %% [markdown]
r"""
## Which of two models composes?

Here are two models, A and B. Same vocabulary, same size, and on these questions, which both were taught, the
same accuracy. One of them works the state out. The other has learned its answers by rote.
"""

# %% id="two-suspects"
from mi_tutor.specimens.atlas import accuracy, suspects

models, batches = suspects()
for letter in models:
    print(f"model {letter}: {accuracy(letter):.1%} right")

# %% [markdown] slug="which-model-composes"
r"""
Which one composes, and how do you know? Give the verdict *with* its evidence: the success of swapping states
in each model, with the model's **own** means, in the layer where it works **best** (so that nobody can say
you looked in the wrong place). Use the `batches` above for the means and for the swaps, with `n_targets=3`.

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
    print(f"model {letter}: accuracy {accuracy(letter):.1%}, best swap {share:.1%}")

# %% [markdown]
r"""
**What you should see.** The same accuracy, and two different machines. In one, the answers follow the state.
In the other nothing does, in no layer: there is no state to exchange. Behaviour on questions that were taught
could not tell them apart, and neither would a benchmark made of such questions.

## Other hops

Is this about states only? Cities lie in countries, too: Marseille → France → Paris.
"""

# %% id="other-hops-countries"
names = [area.name.english for area in geography.facts.countries]
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
(Where one of the four goes wrong, count before you explain: the last line is over all of them.)

And in another language? `atlas` answers in English, French and Spanish, and state by state nothing forces it
to use the same vector for Texas in all three. First, do the directions look alike?
"""

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
for language in ("english", "french", "spanish"):
    theirs, asked = questions_about("state", language)
    theirs, asked = in_batches(theirs[::5])[0], in_batches(asked[::9])[0]
    own_means = swaps.means_at(plain, theirs)[LAYER]
    agreement = direction_agreement(means[LAYER], own_means)
    raw = torch.cosine_similarity(means[LAYER], own_means, dim=-1).mean()
    shares = [
        swaps.swap_batches(plain, asked, table, LAYER, n_targets=3).success
        for table in (means[LAYER], own_means)
    ]
    print(
        f"{language:<36}{agreement:>8.2f}{raw:>17.2f}{shares[0]:>16.1%}{shares[1]:>12.1%}"
    )

one, other = means[LAYER].roll(1, dims=0), means[LAYER]
raw = torch.cosine_similarity(one, other, dim=-1).mean()
print(f"for comparison, two DIFFERENT states in English: cosine of the means {raw:.2f}")

# %% [markdown]
r"""
Read the table from right to left. The last column says how well swaps work in each language with directions
made in that language, the one before it how well with *English* directions. If the two are close, the middle
step is shared: whatever reads the state downstream reads it in the same direction in all three languages.
If English directions did much worse, the languages would have states of their own. That is a statement about
`atlas`, which met all three languages side by side from its first step on.
"""

# %% tags=["quiz"]
quiz("the-same-cosine", "c")

# %% [markdown]
r"""
## Where it goes wrong

The held-out questions that the model gets wrong are worth a look. Which hop fails? If another state is read
where the name ends, the first one did. If the right one is read, put its mean in place of what stands there, the
clearest message that we can make. If the answer is right then, the state was there, but not clearly enough. If it
is still wrong, the second hop failed.
"""

# %% id="failures"
right = intact(held_out)
state_read = swaps.nearest_mean(held_names[LAYER], means[LAYER])
state_right = state_read == held_states
reasons = [q.held_out_by for q in held_out_list]

# The same questions with the mean of the city's state in place of what stands at the name's end.
replaced = []
for batch in held_out:
    here = swaps.streams(plain, batch.tokens)[LAYER]
    own_means = means[LAYER][batch.classes]
    step = own_means - here[torch.arange(len(here)), batch.places]
    guesses = swaps.answers_after(plain, here, LAYER, batch.places, step)
    replaced.append(guesses == batch.answers.gather(1, batch.classes[:, None])[:, 0])
replaced = torch.cat(replaced)

print(
    "                                      another state   the right one is read; its mean"
)
print(
    "held out as      questions    wrong      is read         helps        does not help"
)
for reason in dict.fromkeys(reasons):
    rows = torch.tensor([each == reason for each in reasons])
    failed = rows & ~right
    first_hop = int((failed & ~state_right).sum())
    unclear = int((failed & state_right & replaced).sum())
    second_hop = int((failed & state_right & ~replaced).sum())
    print(
        f"{reason:<17}{int(rows.sum()):>9}{int(failed.sum()):>9}"
        f"{first_hop:>17}{unclear:>13}{second_hop:>21}"
    )

print("\nsome of them:")
wrong = (~right).nonzero()[:, 0].tolist()
for i in wrong[:: max(1, len(wrong) // 8)]:
    question = held_out_list[i]
    print(
        f"{question.prompt.text} …{question.answer}   (state read: "
        f"{states[state_read[i]]}, right: {question.city.area})"
    )

# %% [markdown]
r"""
**What you should see.** Failures are few, and not spread evenly: ten times as frequent where a whole pair of
state and relation was held out, or a city that no two-step question was ever about, as where single pairs were.
A held-out set that hides nothing but single pairs would have shown little of this.

The reasons differ, too. Where another state is read at the name's end, the first hop failed. A swap has little
chance there: it takes away the city's true state, which was not there, and leaves the wrong one in. Where the
state's mean helps, our reader found the right state and the model did not make enough of it: nearest of fifty
is a lenient test, and a single city's stream a noisier message than the mean of many. Where even the mean does
not help, the second hop failed: the model knows which state, and not the answer. Which reason is the usual one,
and which did not occur at all?

## What did we show?

Before you judge, know what was put in by hand. Two small terms in `atlas`'s training loss were about attention.
One made it costly for the first two layers to look more than three tokens back. The other made it costly to
look into a city's name from outside: in the first two layers and the last at all of it, in the two between at
all but its last token. So it is **our** doing that names are put together where they end, and that whatever is
used of a name has to be fetched there. When a swap at that one place reaches everything, and one at the token
before it hardly anything, that is partly how the model was made.

*What* is handed on there was left to the model. Nothing in the loss rewarded swaps that work, or a state at the
name's end. It could as well have handed on the city, for a later layer to look the answer up by rote. That it hands
on the state, alike for every relation and in questions that it never saw, is what we found. A model that nobody
pushed may keep the same step in several places at once. Then a swap at one of them fails though the step is there:
a swap that fails says less than one that works.
"""

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
- **(h)** We know which heads and MLPs carry the state from the name's end to the answer.
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
quiz("falsified", "d")

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
- **"The state can be read there, so it is used there."** Before the last layer it can
  still be read where the name ends, and exchanging it there changes next to nothing.
- **"The logit lens sees nothing, so nothing is there."** It sees what is already written in the
  vocabulary's directions.
- **"Swaps work, so we know the mechanism."** We know one place, what is in it, and that it is used. How it
  comes there and how it is carried on is chapter 06.
- **"Two models with the same answers compute alike."** You have held the counterexample in your hands.
- **"Ninety-odd per cent, so that is how the model does it always."** On these questions, in these wordings, for
  these names. The failures above are part of the result.

## Recap
"""

# %% tags=["quiz"]
quiz("steering-california", "b")

# %% [markdown]
r"""
Can you say these without looking? Why the name's last token. What reading shows and what patching shows. Why
means come from other questions than the swaps. When a swap is a test, and when it is a success. What each of
the four controls rules out. What would have spoken against a step in between.
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
- Ravichander et al. 2021, *Probing the Probing Paradigm*. What can be read need not be used.
"""
