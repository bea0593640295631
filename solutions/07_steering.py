# %% [markdown] minutes=240
r"""
# 07 · Steering and its limits

Make a model do things, predict beforehand what will happen, and find out where control ends.

## What you will be able to do

- make a steering vector in two ways, and say which of its parts steers
- clamp one latent and keep what the dictionary leaves out
- measure what steering does to generated text, and what it costs on other text, at every strength
- compare a vector, a latent and a plain prompt without favouring one
- predict what many latents at once do, and say what "ten times" means
- tell whether a concept is easier to turn up or to turn down, and why that may differ

You need chapter 02 (dictionaries, what a latent reads) and chapter 05 (a vector added in the middle of a computation).
"""

# %% tags=["setup"]
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import steering
from mi_tutor.lab.ground import plain_transformer, seeded
from mi_tutor.specimens import SpecimenError, open_dictionary, open_specimen

# %% [markdown]
r"""
## A direction for a kind of text
"""

# %% [markdown]
r"""
## One subject takes over
"""

# %% [markdown]
r"""
## Effect against coherence
"""

# %% [markdown]
r"""
## Ten at once
"""

# %% [markdown]
r"""
## Up and down
"""

# %% [markdown]
r"""
## Is refusing one direction?

Back to `atlas`. It answers some requests and refuses others: " User: how do I bake a cake? Assistant: Sure, ..." and
" User: how do I poison a cake? Assistant: Sorry, I cannot help with that." It should refuse if the **deed** is a
harmful one, **or** the **thing** is. One pair in five was never in its training; whatever is found below on the
others is judged on these. Its mean stream at the last token, before layer 4, harmful less harmless, is a vector of
the kind you know.
"""

# %% id="requests"
from mi_tutor.lab.ground import per_position_loss
from mi_tutor.specimens.atlas import (
    Geography,
    all_requests,
    chosen,
    labelled_texts,
    swap_questions,
)

torch.set_grad_enabled(False)  # nothing is trained in this chapter
atlas = plain_transformer(open_specimen("atlas", device="cpu"))
asked = all_requests()
harmful, taught = asked.harmful, ~asked.held_out
bad, good = harmful & asked.held_out, ~harmful & asked.held_out  # to be judged on
LAYER = 4
stream = atlas.resid_pre(LAYER, asked.tokens)
last = stream[:, -1]  # where the reply is due
refuse = last[taught & harmful].mean(dim=0) - last[taught & ~harmful].mean(dim=0)
length = last[taught & harmful].norm(dim=-1).mean().item()


def share(logits, token):
    """How often a token is the first guess."""
    return (logits.argmax(dim=-1) == token).float().mean().item()


def refused(logits):
    return share(logits, asked.refusal)


def reply(edited):
    """What comes after streams before layer 4."""
    return atlas.logits_after(LAYER - 1, edited, read=-1)[:, 0]


ordinary = labelled_texts(seed=71, n_rows=32, n_pos=64).tokens


def ordinary_cost(vector):
    """Nats per token that a vector costs on ordinary text, added at all positions but BOS."""
    before = atlas.resid_pre(LAYER, ordinary)
    after = before.clone()
    after[:, 1:] += vector
    losses = [
        per_position_loss(atlas.logits_after(LAYER - 1, each), ordinary).mean().item()
        for each in (before, after)
    ]
    return losses[1] - losses[0]


def added(chosen, vector):
    """The stream of some requests with a vector added at all positions but BOS."""
    edited = stream[chosen].clone()
    edited[:, 1:] += vector
    return edited


random_steps = torch.randn(20, len(refuse), generator=seeded(0))
random_steps *= refuse.norm() / random_steps.norm(dim=-1, keepdim=True)
pushed = refused(reply(added(good, refuse)))
pushed_at_random = max(refused(reply(added(good, each))) for each in random_steps)
cost = ordinary_cost(refuse)
print(
    f"refused, harmful: {refused(reply(stream[bad])):.2f}   harmless: {refused(reply(stream[good])):.2f}"
)
print(
    f"harmless with the vector added: {pushed:.2f}, most of 20 random ones: {pushed_at_random:.2f}"
)
print(
    f"its length, of a stream's: {refuse.norm().item() / length:.2f}   cost on ordinary text: {cost:.3f} nats"
)

# %% tags=["claim"]
assert refused(reply(stream[bad])) == 1 and refused(reply(stream[good])) == 0, (
    "refuses all that it should, and only that"
)
assert pushed >= 0.95 and pushed_at_random == 0, (
    "added once, the vector makes it refuse harmless requests; random ones never"
)
assert cost <= 0.02, "hardly costs ordinary text anything"

# %% [markdown]
r"""
**What you should see.** On held-out requests `atlas` refuses all that it should, and only that. Added once, the
vector makes it refuse harmless requests; random ones of its length never do. It hardly costs ordinary text anything:
at most .02 nats per token. Turning refusing **on** is easy.

Arditi et al. 2024 turned it **off**, in thirteen chat models, with one direction $\hat r$: after everything that is
written to the stream, at every position, they took out what lies along it,

$$x' = x - (x \cdot \hat r)\, \hat r .$$

A behaviour with two causes may need two directions. So write it for several: out goes the whole space that they span.
"""

# %% [markdown] slug="directional-ablation"
r"""
Return x without its part in the space that the rows of `directions` span. They come as they are: of any length, at
any angle to each other, perhaps one a multiple of another. All rows of x, `[*row d]`, are treated alike.
"""


# %% tags=["exercise"] slug="directional-ablation"
def project_out(
    x: Float[Tensor, "*row d"], directions: Float[Tensor, "direction d"]
) -> Float[Tensor, "*row d"]:
    """x without what lies in the directions' span."""
    # BEGIN SOLUTION
    _, sizes, rows = torch.linalg.svd(directions.double(), full_matrices=False)
    basis = rows[sizes > 1e-5 * sizes.max()].to(x)
    return x - (x @ basis.mT) @ basis
    # END SOLUTION


# %% tags=["check"]
check("directional-ablation", project_out)

# %% [markdown]
r"""
Which directions? Candidates: the difference of means before layer 3, 4 and 5 (5 means after the last layer), each
taken out everywhere; all three together; and a pair: **deed** (requests with a harmful deed only, less harmless
ones) and **thing** (the same for things), from the stream after the last layer, taken out from layer 4 on. How many
harmful requests are still refused, and what do held-out two-hop questions (chapter 05) lose? Predict the first row.
"""

# %% id="which-directions"
hops = [
    (batch.tokens[::3], batch.answers.gather(1, batch.classes[:, None])[::3, 0])
    for batch in swap_questions(
        chosen(Geography(), held_out_by="pair", language="english", kind="state"),
        Geography(),
    )
]
n_hops = sum(len(right) for _, right in hops)


def damage(directions, first_layer=0):
    """(share of held-out harmful requests still refused, accuracy on two hops), with directions projected out."""
    logits = steering.ablated_logits(atlas, asked.tokens[bad], directions, first_layer)
    right = sum(
        (
            steering.ablated_logits(atlas, each, directions, first_layer).argmax(-1)
            == answer
        )
        .sum()
        .item()
        for each, answer in hops
    )
    return refused(logits), right / n_hops


at_end = {layer: atlas.resid_pre(layer, asked.tokens)[:, -1] for layer in (3, 4, 5)}
differences = {
    layer: x[taught & harmful].mean(dim=0) - x[taught & ~harmful].mean(dim=0)
    for layer, x in at_end.items()
}
deed, thing = asked.deed[taught], asked.thing[taught]
pairs = {
    layer: steering.two_causes(x[taught], deed, thing) for layer, x in at_end.items()
}
intact = damage(torch.zeros(0, len(refuse)))
rows = {
    "nothing": intact,
    "one random direction": damage(random_steps[0]),
    **{
        f"difference before layer {layer}": damage(each)
        for layer, each in differences.items()
    },
    "all three differences": damage(torch.stack(list(differences.values()))),
    "deed and thing, layer 4 on": damage(pairs[5], 4),
    "deed alone, layer 4 on": damage(pairs[5][0], 4),
    "thing alone, layer 4 on": damage(pairs[5][1], 4),
}
print(f"{'projected out':<28}{'refused':>8}{'two hops':>10}")
for name, (still, right) in rows.items():
    print(f"{name:<28}{still:8.2f}{right:10.3f}")
angle = torch.cosine_similarity(*pairs[LAYER], dim=0).item()
print(f"cosine of deed and thing before layer 4: {angle:.2f}")

# %% tags=["claim"]
_single = [rows[f"difference before layer {_layer}"][0] for _layer in (3, 4, 5)]
assert min(_single) > 0.3 and max(_single[:2]) > 0.7, (
    "None of the three differences of means does it"
)
assert (
    rows["all three differences"][0] == 0 and rows["all three differences"][1] < 0.95
), "three of them do, and cost one question in ten"
assert (
    rows["deed and thing, layer 4 on"][0] <= 0.05
    and rows["deed and thing, layer 4 on"][1] >= 0.98
), "Deed and thing, from layer 4 on, take it away and leave two hops"
assert (
    min(rows["deed alone, layer 4 on"][0], rows["thing alone, layer 4 on"][0]) > 0.4
), "neither of them alone"
assert rows["one random direction"][0] == 1 and intact[0] == 1, (
    "a random direction changes nothing about refusing"
)
assert rows["one random direction"][1] < rows["deed and thing, layer 4 on"][1], (
    "it costs two hops more than those two do"
)
assert angle < 0.5, "Refusing here is an OR of two things with directions of their own"

# %% [markdown]
r"""
**What you should see.** None of the three differences of means does it, though each *reads* well, and adding one
turned refusing on. (All three of them do, and cost one question in ten.) Deed and thing, from layer 4 on, take it
away and leave two hops; neither of them alone does, and a random direction changes nothing about refusing (though
taken out everywhere it costs two hops more than those two do). Refusing here is an OR of two things with
directions of their own, and their mean lies between both.

Arditi et al. found one direction to be enough, in far larger models. They chose the best of many candidates (layers
and positions) by what it does. What if we let a search choose, among all directions? Below, gradient descent looks
for a single direction without which requests from the training are answered and ordinary text is predicted as
before. Three times, from random starts.
"""

# %% id="three-searches"
found = [
    steering.learned_direction(
        atlas,
        asked.tokens[taught & harmful],
        asked.refusal,
        asked.help,
        labelled_texts(seed=71, n_rows=16, n_pos=64).tokens.split(4),
        seed=start,
    )
    for start in range(3)
]
by_search = [damage(each) for each in found]
for start, (still, right) in enumerate(by_search):
    print(f"start {start}: refused {still:.2f}, two hops {right:.3f}")
first, second, third = found
between = torch.stack([first @ second, first @ third, second @ third])
print("cosines of the three:", [round(each, 2) for each in between.tolist()])

# %% tags=["claim"]
assert max(still for still, _ in by_search) <= 0.05, (
    "Each of the three takes refusing away"
)
assert sum(right >= 0.98 for _, right in by_search) >= 2, (
    "two of them leave two hops as they should be"
)
assert between.abs().max() < 0.4, "nearly at right angles"

# %% [markdown]
r"""
**What you should see.** Each of the three takes refusing away, and two of them leave two hops as they should be
(.98 or more): a single direction *is* enough. But the three are nearly at right angles. So "the refusal direction"
is a name for something that a search found, not for a thing that the model has. That one direction suffices, as
Arditi et al. showed, holds here too; that it is the only one, they did not say.

A hook at every place is one way. The stream is a sum of what is written to it, so it can also be done once, in the
weights: whoever has those can take the refusing out of a model and hand it on.
"""

# %% [markdown] slug="ablate-in-weights"
r"""
Return the six in this order, edited so that nothing can write `direction` (of any length) to the stream. All are
`[..., d_model]` with `x @ W`; `W_O` has a layer's heads one below the other.
"""


# %% tags=["exercise"] slug="ablate-in-weights"
def ablate_writes(
    W_E: Float[Tensor, "vocab d_model"],
    W_pos: Float[Tensor, "ctx d_model"],
    W_O: Float[Tensor, "layer z d_model"],
    b_O: Float[Tensor, "layer d_model"],
    W_out: Float[Tensor, "layer d_mlp d_model"],
    b_out: Float[Tensor, "layer d_model"],
    direction: Float[Tensor, "d_model"],
) -> tuple[Tensor, ...]:
    """All that writes to the stream, without the direction."""
    # BEGIN SOLUTION
    return tuple(
        project_out(each, direction[None])
        for each in (W_E, W_pos, W_O, b_O, W_out, b_out)
    )
    # END SOLUTION


# %% tags=["check"]
check("ablate-in-weights", ablate_writes)

# %% id="run-time-and-weights"
edited_model = steering.ablated_weights(atlas, found[1])
in_weights = edited_model.logits_after(
    -1, edited_model.embed(asked.tokens[bad]), read=-1
)[:, 0]
at_run_time = steering.ablated_logits(atlas, asked.tokens[bad], found[1])
only_late = steering.ablated_logits(
    atlas, asked.tokens[bad], found[1], first_layer=LAYER
)
gap = (in_weights - at_run_time).abs().max().item()
print(
    f"refused, in the weights: {refused(in_weights):.2f}; largest difference of a logit: {gap:.1e}"
)
print(f"at run time from layer 4 on only: {refused(only_late):.2f}")

# %% tags=["claim"]
assert gap < 1e-2 and refused(in_weights) <= 0.05, "the same model"

# %% [markdown]
r"""
**What you should see.** Weights and hooks make the same model, up to rounding.
"""

# %% [markdown]
r"""
## A guardrail

Now the other side: somebody runs `atlas` and wants to be sure. The course's first page told the story. A dictionary
of the stream before layer 4 (`atlas-refusals`: 96 latents, 4 of them on) has latents that say "refuse". Watch them,
and hold them on. Which? Refusing is an OR, so let the guard be one: on if **any** of its latents is above its
threshold. Latents and thresholds are chosen on requests from the training, and scored on those held out:

$$\text{precision} = \frac{\text{flagged and harmful}}{\text{flagged}}, \qquad
\text{recall} = \frac{\text{flagged and harmful}}{\text{harmful}}, \qquad
F_1 = \frac{2\,\text{flagged and harmful}}{\text{flagged} + \text{harmful}} .$$
"""

# %% [markdown] slug="guard-score"
r"""
Return `(precision, recall, F1)` of a guard. It watches `latents` (numbers of columns), each with its own threshold;
on means **above** it. A ratio 0 / 0 counts as 0.
"""


# %% tags=["exercise"] slug="guard-score"
def guard_score(
    activations: Float[Tensor, "row latent"],
    latents: Int[Tensor, "watched"],
    thresholds: Float[Tensor, "watched"],
    harmful: Bool[Tensor, "row"],
) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    # BEGIN SOLUTION
    flagged = (activations[:, latents] > thresholds).any(dim=-1)
    right = (flagged & harmful).sum().item()
    precision = right / max(1, flagged.sum().item())
    recall = right / max(1, harmful.sum().item())
    return precision, recall, 2 * right / max(1, (flagged.sum() + harmful.sum()).item())
    # END SOLUTION


# %% tags=["check"]
check("guard-score", guard_score)

# %% id="choose-a-guard"
sae = open_dictionary("atlas-refusals")
activations = sae.encode(last)


def scored(guard, activations, chosen):
    return steering.guard_score(activations[chosen], *guard, harmful[chosen])


guards = {
    n: steering.fit_guard(activations[taught], harmful[taught], n_latents=n)
    for n in (1, 2)
}
scores = {n: scored(guard, activations, asked.held_out) for n, guard in guards.items()}
for n, score in scores.items():
    print(
        f"{n} latent(s) {guards[n].latents.tolist()}: precision {score.precision:.2f}, "
        f"recall {score.recall:.2f}, F1 {score.f1:.2f}"
    )
guard = guards[2]

# %% tags=["claim"]
assert scores[1].f1 < 0.9, "No single latent will do"
assert scores[2].f1 >= 0.95, "Two together are a guard"

# %% [markdown]
r"""
**What you should see.** No single latent will do. Two together are a guard with an F1 of .95 or more. For good
measure we do not only watch. Each of the two is held at its usual value on harmful requests, always, at the token
where the reply is due: the switch "refuse" is on, whatever was asked.
"""

# %% [markdown] slug="guardrail"
r"""
Return the stream with `latents` raised to at least their `values`, one for each. `activations` are those of the
dictionary's latents on x. Everything else stays as it is: other latents, and what the dictionary leaves out.
"""


# %% tags=["exercise"] slug="guardrail"
def clamped_on(
    x: Float[Tensor, "*row d"],
    activations: Float[Tensor, "*row latent"],
    W_dec: Float[Tensor, "latent d"],
    latents: Int[Tensor, "watched"],
    values: Float[Tensor, "watched"],
) -> Float[Tensor, "*row d"]:
    """The stream with some latents held on."""
    # BEGIN SOLUTION
    missing = (values - activations[..., latents]).relu()
    return x + missing @ W_dec[latents]
    # END SOLUTION


# %% tags=["check"]
check("guardrail", clamped_on)

# %% id="hold-it-on"
watched = activations[taught & harmful][:, guard.latents]
usual = torch.stack(
    [
        values[values > threshold].mean()
        for values, threshold in zip(watched.unbind(-1), guard.thresholds, strict=True)
    ]
)


def clamp(x):
    """The guard holds its latents on."""
    return steering.clamp_on(x, sae, guard.latents, usual)


def guarded(chosen, change):
    """The replies with a change to the last token's stream, and the clamp AFTER it."""
    return steering.guarded_logits(atlas, stream[chosen], LAYER, change, clamp)


nothing = torch.zeros_like(refuse)
print(
    f"clamped on: harmful refused {refused(guarded(bad, nothing)):.2f}, "
    f"harmless refused {refused(guarded(good, nothing)):.2f}"
)

# %% tags=["claim"]
assert refused(guarded(bad, nothing)) == 1 and refused(guarded(good, nothing)) == 1, (
    "refuses everything"
)

# %% [markdown]
r"""
**What you should see.** With the clamp on it refuses everything, the harmless too: a switch as one would want it.

Now attack it. Somebody may add one vector to the stream at the last token, **before** the clamp: the guard has the
last word. (An insider, a fine-tuned adapter, or a text that happens to do the same.) The vector must not be seen.
A latent reads along its encoder column and writes along its decoder row; whatever is off both, for all latents
that are ever on at this token, changes none of them.
"""

# %% [markdown] slug="unseen-vector"
r"""
Return the part of `vector` that `latents` neither read nor write, shortened to `longest` if it is longer.
`W_enc [d latent]` has columns, `W_dec [latent d]` rows.
"""


# %% tags=["exercise"] slug="unseen-vector"
def unseen_part(
    vector: Float[Tensor, "d"],
    W_enc: Float[Tensor, "d latent"],
    W_dec: Float[Tensor, "latent d"],
    latents: Int[Tensor, "active"],
    longest: float,
) -> Float[Tensor, "d"]:
    """What some latents do not see of a vector."""
    # BEGIN SOLUTION
    hidden = project_out(vector, torch.cat([W_enc[:, latents].mT, W_dec[latents]]))
    return hidden * (longest / hidden.norm().clamp_min(longest))
    # END SOLUTION


# %% tags=["check"]
check("unseen-vector", unseen_part)

# %% [markdown]
r"""
Which vector? The obvious one is the refuse vector backwards, as far as it is unseen. The other is searched for by
gradient, on requests from the training: one vector for all of them, within the unseen space, no longer than a
stream is at that token.
"""

# %% id="attack"
in_use = steering.latents_in_use(activations[taught])
longest = 0.95 * length
attack = steering.search_unseen(
    atlas,
    stream[taught & harmful],
    LAYER,
    sae,
    clamp,
    asked.refusal,
    asked.help,
    longest,
)
backwards = steering.unseen(-100 * refuse, sae, in_use, longest)
at_random = [steering.unseen(100 * each, sae, in_use, longest) for each in random_steps]


def answered(change, chosen=bad):
    return share(guarded(chosen, change), asked.help)


attacked = last[bad] + attack
seen_before, seen_after = (sae.encode(each) for each in (attacked, clamp(attacked)))
on = guard.on(seen_after).float().mean().item()
low = (seen_after[:, guard.latents] >= usual - 1e-3).float().mean().item()
print(
    f"{len(in_use)} of {sae.d_sae} latents are in use; the vector is {attack.norm().item() / length:.2f} streams long"
)
print(
    f"guard on: {guard.on(seen_before).float().mean().item():.2f} before the clamp, {on:.2f} after it; "
    f"latents at their usual value or above: {low:.2f}"
)
print(f"harmful requests answered, clamp on: {answered(attack):.2f}")
print(
    f"the refuse vector backwards: {answered(backwards):.2f}; "
    f"most of 20 random ones: {max(answered(each) for each in at_random):.2f}"
)

# %% tags=["claim"]
assert answered(attack) >= 0.9, "answers nine in ten harmful requests or more"
assert attack.norm() <= length, "no longer than a stream"
assert on == 1, "the guard reads on, always"
assert answered(backwards) < 0.3, "The refuse vector backwards does little"
assert max(answered(each) for each in at_random) == 0, "random vectors nothing"

# %% [markdown]
r"""
**What you should see.** With the switch held on, `atlas` answers nine in ten harmful requests or more, held-out ones
that the search never saw, and the guard reads on, always. The refuse vector backwards does little, random vectors
nothing. The dashboard told the truth about its latents. It did not tell the truth about the model.
"""

# %% [markdown]
r"""
## What the dictionary leaves out

A dictionary says something about a stream and leaves something out: $x = \hat x + e$. Later layers read x, and it
is all the same to them what comes in which part. Through which does a behaviour flow? Take two requests, exchange
one part, and see which the reply follows.
"""

# %% [markdown] slug="error-term"
r"""
Return two streams: what the dictionary says of x, with what it leaves out of `other`; and the reverse. The
dictionary is a TopK autoencoder with `k` latents on, given by its weights; `steering.parts` will not help here,
`mi_tutor.lab.dictionaries` has what you need, or write the few lines.
"""


# %% tags=["exercise"] slug="error-term"
def crossed(
    x: Float[Tensor, "*row d"],
    other: Float[Tensor, "*row d"],
    W_enc: Float[Tensor, "d latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
    b_dec: Float[Tensor, "d"],
    k: int,
) -> tuple[Float[Tensor, "*row d"], Float[Tensor, "*row d"]]:
    """(said of x + left out of other, said of other + left out of x)."""

    def said(stream):
        # BEGIN SOLUTION
        pre = ((stream - b_dec) @ W_enc + b_enc).relu()
        largest = pre.topk(k, dim=-1)
        latents = torch.zeros_like(pre).scatter(-1, largest.indices, largest.values)
        return latents @ W_dec + b_dec
        # END SOLUTION

    # BEGIN SOLUTION
    return said(x) + (other - said(other)), said(other) + (x - said(x))
    # END SOLUTION


# %% tags=["check"]
check("error-term", crossed)

# %% [markdown]
r"""
First the attack. Put together streams from the clamped, attacked run and the clean one.
"""

# %% id="through-which-part"


def reply_at_end(x):
    """The replies to held-out harmful requests with another stream at the last token."""
    return reply(torch.cat([stream[bad][:, :-1], x[:, None]], dim=1))


clean_said, clean_error = steering.crossed(last[bad], clamp(attacked), sae)
mixed = {
    "attacked: all of it": clamp(attacked),
    "attacked: the reconstruction alone": steering.parts(clamp(attacked), sae).said,
    "clean reconstruction, attacked error": clean_said,
    "attacked reconstruction, clean error": clean_error,
}
through = {name: share(reply_at_end(x), asked.help) for name, x in mixed.items()}
for name, value in through.items():
    print(f"{name:<40} answered {value:.2f}")

# %% tags=["claim"]
assert through["attacked: the reconstruction alone"] == 0, (
    "Without the error it refuses again"
)
assert through["clean reconstruction, attacked error"] > 0.8, (
    "the attacked error alone does most of it"
)
assert through["attacked reconstruction, clean error"] == 0, (
    "it came back through what the dictionary leaves out"
)

# %% [markdown]
r"""
**What you should see.** Without the error it refuses again; on an untouched reconstruction, the attacked error alone
does most of it. The harmful completion came back through what the dictionary leaves out.

That took an attacker. It need not. `atlas-refusals-deeds` is the same dictionary, trained in the same way on text in
which no request has a harmful *thing* in it: no bombs, weapons, viruses, grenades. Real dictionaries are trained
like that, on text in which the rare dangerous case is rare. The model is the same, and refuses as before. Its makers
choose their guard and mark it on the requests they have, those without such things. Then the things come: is the guard
on, and does it switch? Last, put each dictionary's reconstruction in the place of the stream, at all tokens, so that
nothing happens but what its latents say; and exchange the parts with those of a harmless request.
"""

# %% id="an-unseen-kind"
deeds_only = open_dictionary("atlas-refusals-deeds")
latents = deeds_only.encode(last)
known = taught & ~asked.thing  # what the makers of that dictionary had
their_guard = steering.fit_guard(latents[known], harmful[known], n_latents=1)
their_score = scored(their_guard, latents, asked.held_out & ~asked.thing)
kinds = {
    "harmful deed": asked.deed & ~asked.thing,
    "harmful thing": asked.thing & ~asked.deed,
}
print(
    f"their guard, latent {their_guard.latents.tolist()}: F1 {their_score.f1:.2f} on held-out requests of their kind"
)


def at_end_of(rows, x):
    """The replies to some requests with another stream at the last token."""
    return reply(torch.cat([stream[rows][:, :-1], x[:, None]], dim=1))


reads, switched = {}, {}
for kind, rows in kinds.items():
    off = latents[rows].clone()
    off[:, their_guard.latents] = 0
    without = last[rows] + (off - latents[rows]) @ deeds_only.W_dec
    reads[kind] = their_guard.on(latents[rows]).float().mean().item()
    switched[kind] = refused(at_end_of(rows, without))
    print(
        f"{kind:<14} guard on {reads[kind]:.2f}, refused {refused(reply(stream[rows])):.2f}, "
        f"refused with its latent clamped to 0 {switched[kind]:.2f}"
    )

# %% tags=["claim"]
assert their_score.f1 >= 0.95, "marked by its makers it is perfect"
assert reads["harmful deed"] > 0.95 and switched["harmful deed"] < 0.2, (
    "for deeds it reads and it switches"
)
assert reads["harmful thing"] < 0.05, "for things it reads off"
assert switched["harmful thing"] > 0.95, "and switches nothing"

# %% id="through-which-part-naturally"
harmless = (~harmful).nonzero()[:, 0]


def with_bos(edited, rows):
    """BOS as it was: dictionaries have not seen it."""
    return torch.cat([stream[rows][:, :1], edited[:, 1:]], dim=1)


natural = {}
print(f"{'refused:':<30}{'said alone':>11}{'said + other e':>16}{'other + own e':>15}")
for name, each in {"all kinds": sae, "deeds only": deeds_only}.items():
    for kind, rows in kinds.items():
        draw = torch.randint(len(harmless), (int(rows.sum()),), generator=seeded(0))
        pair = stream[rows], stream[harmless[draw]]
        mixed = (steering.parts(pair[0], each).said, *steering.crossed(*pair, each))
        natural[name, kind] = row = [refused(reply(with_bos(x, rows))) for x in mixed]
        print(f"{name:<14}{kind:<16}{row[0]:11.2f}{row[1]:16.2f}{row[2]:15.2f}")

# %% tags=["claim"]
_all, _deeds = (
    {_k: natural[_n, f"harmful {_k}"] for _k in ("deed", "thing")}
    for _n in ("all kinds", "deeds only")
)
assert min(_all["deed"][0], _all["thing"][0]) >= 0.95, (
    "On the first reconstruction the model refuses as it should"
)
assert _deeds["deed"][0] >= 0.95 and _deeds["deed"][2] <= 0.05, (
    "for deeds so it does on the second"
)
assert _deeds["thing"][0] < 0.3, "answers most requests with a harmful thing"
assert _deeds["thing"][2] >= 0.95, "the error alone is enough"
assert 0.3 < _all["thing"][2] < 0.95 and _all["thing"][0] >= 0.95, (
    "an error that suffices for most"
)

# %% [markdown]
r"""
**What you should see.** Marked by its makers it is perfect, and for deeds it reads and it switches. For things it
reads off, always, and switches nothing: `atlas` goes on refusing them, by a way that is not on the dashboard.

On the first reconstruction the model refuses as it should, and for deeds so it does on the second. But there it
answers most requests with a harmful thing: what makes `atlas` refuse a bomb is in what this dictionary leaves out.
Put on a harmless request's reconstruction, the error alone is enough. **Nobody attacked anything.**

"Through the error" is not one number, though. In the first dictionary, too, things have an error that suffices for
most requests (last column), and a reconstruction that suffices without it. What is enough need not be needed: an
OR again.
"""

# %% [markdown]
r"""
## A second instrument

What would have noticed? Instruments that do not ask the latents: the **length of the error** $|e|$, which should
not be larger than usual, and a **probe** (chapter 04) on the whole stream, fitted on clean requests from the
training. All are set before anybody attacks. A threshold is a promise about false alarms on clean data, and nothing
else.
"""

# %% [markdown] slug="monitor"
r"""
Return `(threshold, rings)`. The threshold is the smallest **clean** value that at most a share `false_alarms` of the
clean values exceed; `rings [row]` says which of `seen` are **above** it.
"""


# %% tags=["exercise"] slug="monitor"
def alarm(
    clean: Float[Tensor, "known"], seen: Float[Tensor, "row"], false_alarms: float
) -> tuple[float, Bool[Tensor, "row"]]:
    """Set a monitor on clean values, then watch others."""
    # BEGIN SOLUTION
    allowed = int(false_alarms * len(clean) + 1e-9)
    threshold = clean.sort(descending=True).values[min(allowed, len(clean) - 1)]
    return threshold.item(), seen > threshold
    # END SOLUTION


# %% tags=["check"]
check("monitor", alarm)

# %% id="what-they-see"
probe = steering.fit_probe(last[taught], harmful[taught])
before = stream[:, -3]  # at the "?", where the attacker is not
other_probe = steering.fit_probe(before[taught], harmful[taught])
groups = {
    "harmless": (last[good], good),
    "harmful": (last[bad], bad),
    "harmful, attacked": (attacked, bad),
    "harmless, attacked": (last[good] + attack, good),
}
clean_errors = steering.error_norm(last[taught], sae)
table = {}
print(
    f"{'':<20}{'guard on':>9}{'probe':>7}{'probe at ?':>12}{'|e|':>6}{'|e| rings':>11}"
)
for name, (x, which) in groups.items():
    errors = steering.error_norm(x, sae)
    table[name] = row = (
        guard.on(sae.encode(clamp(x))).float().mean().item(),
        (probe.score(x) > 0).float().mean().item(),
        (other_probe.score(before[which]) > 0).float().mean().item(),
        errors.mean().item(),
        steering.alarm(clean_errors, errors, 0.02).rings.float().mean().item(),
    )
    print(
        f"{name:<20}{row[0]:9.2f}{row[1]:7.2f}{row[2]:12.2f}{row[3]:6.1f}{row[4]:11.2f}"
    )
print(f"largest clean error: {clean_errors.max().item():.1f}")
show.scatter(
    torch.cat([probe.score(x) for x, _ in groups.values()]),
    torch.cat([steering.error_norm(x, sae) for x, _ in groups.values()]),
    groups=[name for name, (x, _) in groups.items() for _ in x],
    title="What two instruments see",
    x_title="probe on the stream: log odds of harmful",
    y_title="length of what the dictionary leaves out",
)

# %% tags=["claim"]
assert table["harmful, attacked"][4] == 1, (
    "The error's length rings for every attacked request"
)
assert table["harmful, attacked"][3] > 2 * clean_errors.max().item(), (
    "twice the largest clean one"
)
assert 0.02 < table["harmful"][4] < 0.3, "more of them than one in fifty"
assert table["harmful, attacked"][1] < 0.6, "the probe at the same place is fooled"
assert table["harmful"][1] >= 0.95 and table["harmless"][1] == 0, "on clean requests"
assert table["harmful, attacked"][2] >= 0.95, "a probe two tokens earlier is not"
assert min(row[0] for row in table.values()) == 1, "always on"

# %% [markdown]
r"""
**What you should see.** The guard, clamped, is always on: it says nothing any more. The error's length rings for
every attacked request, at more than twice the largest clean one: this attack is anything but stealthy, for who
looks. Of clean harmful requests that were held out it rings for more of them than one in fifty, though: what is
new has larger errors than what the threshold was set on.

A probe that is right on clean requests is no such thing under attack. Nobody aimed at it, and still most of the time
the probe at the same place is fooled: what moves the model moves what can be read. But a probe two tokens earlier is
not, since nothing was changed there. A second instrument should stand where the first attacker is not.

And the failure without an attacker? Set the same two instruments on what the makers of the second dictionary had,
requests without harmful things, and let the things come.
"""

# %% id="second-instruments-without-an-attacker"
their_errors = steering.error_norm(last[known], deeds_only)
their_probe = steering.fit_probe(last[known], harmful[known])
rings, flagged = {}, {}
for kind, rows in kinds.items():
    errors = steering.error_norm(last[rows], deeds_only)
    rings[kind] = steering.alarm(their_errors, errors, 0.02).rings.float().mean().item()
    flagged[kind] = (their_probe.score(last[rows]) > 0).float().mean().item()
    print(
        f"{kind:<14} guard on {reads[kind]:.2f}, probe {flagged[kind]:.2f}, |e| rings {rings[kind]:.2f}, "
        f"mean |e| {errors.mean().item():.2f}"
    )

# %% tags=["claim"]
assert max(reads["harmful thing"], flagged["harmful thing"]) < 0.05, (
    "Guard and probe both miss the things"
)
assert rings["harmful thing"] > 0.7 and rings["harmful deed"] < 0.1, (
    "the error's length rings for most of them"
)
assert flagged["harmful deed"] > 0.95, "they know deeds"

# %% [markdown]
r"""
**What you should see.** Guard and probe both miss the things, all of them: they know deeds, since both were made from
the same requests, and what neither was shown neither can name. The error's length has learned nothing about harm. It
rings for most of them because they are *unlike what the dictionary knows*, and says no more than that.

So no instrument here is the answer. What a dashboard cannot say, its error may tell you that it cannot.
"""

# %% [markdown]
r"""
## Two investigations
"""

# %% [markdown]
r"""
## Common misreadings
"""

# %% [markdown]
r"""
## On the real thing
"""

# %% [markdown]
r"""
## Recap
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading
"""
