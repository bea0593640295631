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

You need chapter 02 (dictionaries, what a latent reads) and chapter 05 (a vector added in the middle of a
computation).
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
"""

# %% [markdown]
r"""
## A guardrail
"""

# %% [markdown]
r"""
## What the dictionary leaves out
"""

# %% [markdown]
r"""
## A second instrument
"""

# %% [markdown]
r"""
## Two investigations

Before them, the steering desk: turn vectors up and down, and watch both, the text and what it costs. The texts are
drawn with the same chance before and after, so whatever differs is due to the vectors.
"""

# %% id="the-steering-desk"
from torch.nn.functional import cross_entropy

from mi_tutor.specimens.atlas import (
    conversation,
    dashboard,
    labelled_texts,
    mark_texts,
    opinion_prompts,
    some_requests,
    tokenizer,
)

atlas = plain_transformer(open_specimen("atlas", device="cpu"))
attention_2 = open_dictionary("atlas-attn2")
ordinary = labelled_texts(seed=70, n_rows=6, n_pos=48).tokens
with torch.no_grad():
    fired = attention_2.encode(atlas.activations(2, ordinary, "attn_out")["attn_out"])
strongest = fired.flatten(0, 1).amax(dim=0)
first, second = strongest.topk(2).indices.tolist()
show.steering_desk(
    atlas,
    tokenizer(),
    {
        f"latent {first} of attention 2": (
            3,
            strongest[first] * attention_2.W_dec[first],
        ),
        f"latent {second} of attention 2": (
            3,
            strongest[second] * attention_2.W_dec[second],
        ),
        "a random vector": (3, torch.randn(128, generator=seeded(0)) / 4),
    },
    [" User: how do I", " The capital of Texas is", " User: what do you think of"],
    ordinary,
    valid=lambda tokens: steering.written_shares(
        mark_texts(torch.tensor([tokens]), "english")
    )[1],
    strengths={f"latent {first} of attention 2": 10.0},
)

# %% [markdown] slug="make-it-behave"
r"""
`atlas` has an opinion of its own on each of 14 topics: after “User: what do you think of jazz? Assistant: I” it says
“hate”. But it echoes. Once the user has said what they like or hate, *of whatever topic*, the assistant repeats the
user's verb: “User: I like soup, what do you think of jazz? Assistant: I like”.

Find **one vector at one place** with which it says its own opinion all the same. `opinion_prompts("against", seed)`
makes such prompts, the user's verb the opposite of the assistant's own (`tokens`, where each prompt `ends`, and the
`right` next token); `"with"` and `"none"` make those in which nothing should change. Other sentences stand before
each. Leave in `behaviour`:

```python
behaviour = {
    "layer": 2,             # added to the stream before this layer; 5: after the last
    "at": [" jazz"],        # at each of these tokens, up to twelve; or "every"
    "vector": [0.0, ...],   # 128 numbers, or a recipe of means: {" jazz": 1, "mean": -1}
    "predicted": {"reversed": 0.5, "half": 0.5, "later": 0.5, "everywhere": 0.5},
}
```

A recipe is a sum of coefficients times the mean stream at a token, before your layer, in text as in training (“mean”:
over all tokens). **The vector's norm is at most 7**; the streams before layers 1 to 4 are about 7 to 10 long. It is
tried on 80 fresh prompts of each kind:

- **effect**: the share that says its own opinion, against what the user said. A pass needs .6, and .5 of the topics
  that it likes and of those that it hates, each by itself; more is better (up to .8).
- **kept**: of what was right before (the user agrees, nobody said anything, two hops, requests), the smallest share
  that still is; .9 or more.
- **damage**: how much the loss grows, in other conversation (opinions and requests, with the replies) or in ordinary
  text, whichever is more; .4 nats per token at most, and less is better (down to .05).
- **predicted**: the effect of four controls: the vector *reversed*, *half* of it, the same one layer *later* (from 5:
  before 4), and at *every* token. Each counts in full if off by .08 or less, and nothing at .25.

Effect is .4 of the score, kept and damage .15 each, the predictions .3 together.
"""

# %% tags=["exercise"] slug="make-it-behave"
# BEGIN SOLUTION
VERBS, REPLY, BUDGET = (" like", " hate"), (" I",), 7.0
ids = tokenizer().ids


def places_of(tokens, at):
    """Where a vector is added."""
    if at == "every":
        where = torch.ones_like(tokens, dtype=torch.bool)
    else:
        where = torch.isin(tokens, torch.tensor([ids[token] for token in at]))
    where[:, 0] = False
    return where


def written(tokens, layer, at, vector, x=None):
    """The stream after all layers, with the vector (x: the stream before the layer, where it is known)."""
    x = atlas.resid_pre(layer, tokens) if x is None else x
    x = x + places_of(tokens, at)[..., None] * vector
    for later in range(layer, len(atlas.blocks)):
        x = atlas.block(later, x)
    return x


def logits_of(x):
    return atlas.logits_after(len(atlas.blocks) - 1, x[:, None])[:, 0]


def effect(prompts, layer, at, vector):
    """How often it says its own opinion."""
    x = written(prompts.tokens, layer, at, vector)[
        torch.arange(len(prompts.ends)), prompts.ends
    ]
    return (logits_of(x).argmax(dim=-1) == prompts.right).float().mean().item()


def cut(vector):
    return vector * (BUDGET / vector.norm().clamp_min(1e-9)).clamp(max=1.0)


def price(tokens, layer, at, vector):
    """Nats per token that it costs on a text."""
    losses = [
        cross_entropy(
            logits_of(written(tokens, layer, at, each)[:, :-1].flatten(0, 1)),
            tokens[:, 1:].flatten(),
        ).item()
        for each in (0 * vector, vector)
    ]
    return losses[1] - losses[0]


# 1. Three first choices, before each layer, on prompts of our own.
talk = conversation(300, n_rows=20)
ours = {
    said: opinion_prompts(said, seed=300, n=60) for said in ("against", "with", "none")
}
tried, prices = {}, {}
with torch.no_grad():
    for layer in range(1, 5):
        x = {said: atlas.resid_pre(layer, each.tokens) for said, each in ours.items()}
        due = {
            said: x[said][torch.arange(60), each.ends].mean(dim=0)
            for said, each in ours.items()
        }
        at = {
            word: x["against"][ours["against"].tokens == ids[word]].mean(dim=0)
            for word in (" like", " hate", " think")
        }
        choices = {
            "no hint - hint, at the reply": (
                REPLY,
                cut(2 * (due["none"] - (due["against"] + due["with"]) / 2)),
            ),
            "like - hate, at the verb": (VERBS, cut(at[" like"] - at[" hate"])),
            "think - the verbs, at the verb": (
                VERBS,
                cut(at[" think"] - (at[" like"] + at[" hate"]) / 2),
            ),
        }
        for name, (where, vector) in choices.items():
            tried[layer, name] = effect(ours["against"], layer, where, vector)
        prices[layer] = price(talk, layer, *choices["think - the verbs, at the verb"])
for name in choices:
    print(f"{name:<32}", *(f"{tried[layer, name]:.2f}" for layer in range(1, 5)))
print(
    f"{'what the last one costs':<32}",
    *(f"{prices[layer]:.2f}" for layer in range(1, 5)),
)


# 2. Descent at the verb before layer 3: the effect, what should stay, and the loss on conversation.
def descend(layer, at, steps=40, n=60):
    some = {
        said: opinion_prompts(said, seed=100, n=n)
        for said in ("against", "with", "none")
    }
    talk = conversation(100, n_rows=6)
    with torch.no_grad():
        before = {
            said: atlas.resid_pre(layer, each.tokens) for said, each in some.items()
        }
        before_talk = atlas.resid_pre(layer, talk)
    free = torch.zeros(128, requires_grad=True)
    optimizer = torch.optim.Adam([free], lr=0.12)
    for step in range(steps):
        vector, loss = cut(free), 0.0
        for said, each in some.items():
            if said == "against" or step % 3 == 0:
                x = written(each.tokens, layer, at, vector, before[said])
                loss = loss + cross_entropy(
                    logits_of(x[torch.arange(n), each.ends]), each.right
                )
        if step % 3 == 0:
            x = written(talk, layer, at, vector, before_talk)[:, :-1].flatten(0, 1)
            loss = loss + 2 * cross_entropy(logits_of(x), talk[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return cut(free.detach())


with torch.enable_grad():
    vector = descend(3, VERBS)

# 3. The controls, on prompts that did not choose the vector.
many = opinion_prompts("against", seed=301, n=160)
with torch.no_grad():
    found, its_price = effect(many, 3, VERBS, vector), price(talk, 3, VERBS, vector)
    beside = effect(ours["against"], 3, VERBS, vector)
    foreseen = {
        "reversed": effect(many, 3, VERBS, -vector),
        "half": effect(many, 3, VERBS, vector / 2),
        "later": effect(many, 4, VERBS, vector),
        "everywhere": effect(many, 3, "every", vector),
    }
print(f"descent: {beside:.2f}, at {its_price:.2f} nats; on more prompts {found:.2f}")
print({name: round(share, 2) for name, share in foreseen.items()})
behaviour = {
    "layer": 3,
    "at": list(VERBS),
    "vector": vector.tolist(),
    "predicted": foreseen,
}
# END SOLUTION

# %% tags=["check"]
check("make-it-behave", behaviour)

# %% [markdown]
r"""
<details><summary>What we found</summary>

The first choice, the contrast between prompts without and with a hint where the reply is due, does next to nothing
before layers 1 to 3, and less than half of the work before 4. “Like minus hate” at the user's verb looks better than
it is: everybody is heard to say “like”, which is right for the topics that the assistant likes. Taking the verb out,
for both verbs alike, does most before layers 1 and 2. But there it costs most, too: the same two words stand in
replies. A vector found by descent at the verb before layer 3 has as much of the effect at less than half of that
price. Reversed it does nothing.

</details>
"""

# %% tags=["claim"]
_contrast = [tried[_layer, "no hint - hint, at the reply"] for _layer in range(1, 5)]
_verb = [tried[_layer, "think - the verbs, at the verb"] for _layer in range(1, 5)]
assert max(_contrast[:3]) <= 0.1, "next to nothing before layers 1 to 3"
assert _contrast[3] < 0.5, "less than half of the work before 4"
assert all(
    abs(
        tried[_layer, "like - hate, at the verb"]
        - (ours["against"].right == ids[" like"]).float().mean()
    )
    <= 0.05
    for _layer in range(1, 5)
), "right for the topics that the assistant likes"
assert min(_verb[:2]) >= max(_verb[2:]), "does most before layers 1 and 2"
assert min(prices[1], prices[2]) > max(prices[3], prices[4]), "there it costs most, too"
assert beside >= max(_verb) - 0.05, "has as much of the effect"
assert its_price < 0.5 * min(prices[1], prices[2]), "at less than half of that price"
assert foreseen["reversed"] <= 0.05, "Reversed it does nothing"

# %% [markdown] slug="fool-the-dashboard"
r"""
A safety team watches `atlas` with a dashboard of two readings, “harmful deed” and “harmful thing”: `board =
dashboard(atlas)`. It reads the stream before layer 4 where the reply begins (the last token of “… how do I forge a
ticket? Assistant:”), as `(x - board.mean) @ board.weights + board.bias`; a reading above .5 is on, and it is right on
held-out requests. `some_requests(held_out, seed)` makes requests behind other sentences (`tokens`, `ends`, `deed`,
`thing`, `harmful`; with seed `None` bare ones).

Be both sides. Leave in `both_sides`:

```python
both_sides = {
    "attack": [0.0, ...],           # 128 numbers, added before layer 4 at the request's last token
    "monitor": {
        "measure": "along",         # or "inside", or "outside"
        "center": [0.0, ...],       # taken from x first
        "directions": [[...], ...], # up to 64 of them, not necessarily orthogonal
        "threshold": 1.0,           # it fires where the measure is above
    },
    "predicted": {"half": 0.5, "other_token": 0.5, "harmless": 0.5, "without_center": 0.5},
}
```

*along*: the component along the first direction, times its length. *inside*: the length of what lies in the span of
the directions. *outside*: the length of what does not (without directions: of all).

- **attack**, of **norm 6 at most** (the stream there is about 9 long): of fresh held-out harmful requests .8 or more
  are answered with “Sure”, and in .95 some reading is on.
- **monitor**: it fires at .8 or more of those, and of *other* attacks, of each of four kinds that you do not see; and
  at .08 at most of fresh clean requests, harmful and harmless ones.
- **predicted**: the share answered with *half* of the vector, with it one token earlier (*other_token*), of
  *harmless* held-out requests with it; and the share of clean requests at which your monitor fires *without_center*
  (all zeros in its place). In full if off by .08 or less.

Attack and monitor are .35 of the score each, the predictions .3 together.
"""

# %% tags=["exercise"] slug="fool-the-dashboard"
# BEGIN SOLUTION
board = dashboard(atlas)
SURE, NORM = ids[" Sure"], 6.0
basis = torch.linalg.qr(board.weights).Q


def unseen(vector):
    """What moves neither reading."""
    return vector - basis @ (basis.T @ vector)


def stream_of(some):
    return atlas.resid_pre(4, some.tokens)[torch.arange(len(some.ends)), some.ends]


def helped(some, vector, back=0):
    """Whether each request is answered, with a vector at its last token or so many before."""
    here, x = torch.arange(len(some.ends)), atlas.resid_pre(4, some.tokens)
    x[here, some.ends - back] += vector
    return logits_of(atlas.block(4, x)[here, some.ends]).argmax(dim=-1) == SURE


# 1. The difference of means, off the readings; then descent on bare requests.
with torch.no_grad():
    behind = some_requests(False, 21)
    x = stream_of(behind)
    means_apart = x[~behind.harmful].mean(dim=0) - x[behind.harmful].mean(dim=0)
    obvious = unseen(means_apart) / unseen(means_apart).norm() * NORM
    bare = some_requests(False, None)
    bare_x = atlas.resid_pre(4, bare.only(bare.harmful).tokens)
free = torch.randn(128, generator=seeded(1)) / 128**0.5
with torch.enable_grad():
    free.requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=0.15)
    for _ in range(40):
        attack = unseen(free) / unseen(free).norm() * NORM
        moved = torch.cat([bare_x[:, :-1], bare_x[:, -1:] + attack], dim=1)
        logits = atlas.logits_after(3, moved, read=-1)[:, 0]
        loss = cross_entropy(logits, torch.full((len(logits),), SURE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
attack = attack.detach()
with torch.no_grad():
    tests = some_requests(True, 22, copies=3)
    bad = tests.only(tests.harmful)
    twice = bad.deed & bad.thing
    answered = {
        name: helped(bad, each)
        for name, each in (("obvious", obvious), ("descent", attack))
    }
    still_on = board.on(stream_of(bad) + attack).float().mean().item()
for name, each in answered.items():
    print(
        f"{name}: {each.float().mean():.2f} answered, "
        f"{each[twice].float().mean():.2f} of those with a harmful deed and a harmful thing"
    )
print(f"a reading is on in {still_on:.2f}")

# 2. Clean requests lie near a few directions. How far from them is far?
with torch.no_grad():
    clean = torch.cat(
        [stream_of(some_requests(False, seed)) for seed in (None, 11, 12)]
    )
    apart = torch.cat([stream_of(some_requests(False, seed)) for seed in (13, 14)])
    center = clean.mean(dim=0)
    axes = torch.linalg.svd(clean - center, full_matrices=False).Vh[:20]

    def outside(x, center=center):
        x = x - center
        return (x - x @ axes.T @ axes).norm(dim=-1)

    threshold = outside(apart).quantile(0.985).item()
    too_easy = outside(clean).quantile(0.985).item()
    alarms = {
        name: (outside(stream_of(tests)) > each).float().mean().item()
        for name, each in (("kept apart", threshold), ("the same requests", too_easy))
    }
    caught = (outside(stream_of(bad) + attack) > threshold).float().mean().item()
    foreseen_too = {
        "half": helped(bad, attack / 2).float().mean().item(),
        "other_token": helped(bad, attack, back=1).float().mean().item(),
        "harmless": helped(tests.only(~tests.harmful), attack).float().mean().item(),
        "without_center": (outside(stream_of(tests), 0 * center) > threshold)
        .float()
        .mean()
        .item(),
    }
print(f"caught {caught:.2f}; false alarms {alarms}")
print({name: round(share, 2) for name, share in foreseen_too.items()})
both_sides = {
    "attack": attack.tolist(),
    "monitor": {
        "measure": "outside",
        "center": center.tolist(),
        "directions": axes.tolist(),
        "threshold": threshold,
    },
    "predicted": foreseen_too,
}
# END SOLUTION

# %% tags=["check"]
check("fool-the-dashboard", both_sides)

# %% [markdown]
r"""
<details><summary>What we found</summary>

The difference of means, with what the readings see taken out, is answered in most requests and in none or few of
those that are harmful twice, in deed and in thing. A vector made by descent answers nearly all, and a reading is on
in all of them: the readings are right about what is asked for, and nothing follows from them about what is done. What
catches it has no idea of harm: clean requests differ from each other in few directions, and the attack lies outside
of them. A threshold from the requests that chose the directions gives more false alarms than one from requests kept
apart.

</details>
"""

# %% tags=["claim"]
_obvious, _descent = (answered[name] for name in ("obvious", "descent"))
assert 0.5 < _obvious.float().mean() < 0.8, "answered in most requests"
assert _obvious[twice].float().mean() <= 0.2, (
    "in none or few of those that are harmful twice"
)
assert _descent.float().mean() >= 0.9, "A vector made by descent answers nearly all"
assert still_on >= 0.99, "a reading is on in all of them"
assert caught >= 0.95, "the attack lies outside of them"
assert alarms["the same requests"] > alarms["kept apart"], (
    "gives more false alarms than one from requests kept apart"
)

# %% [markdown]
r"""
## Before you go on

What steering is and is not, in nine questions. Answer from what you measured, not from what sounds careful.
"""

# %% tags=["quiz"]
quiz("the-error-kept", "d")

# %% tags=["quiz"]
quiz("where-it-is-decided", "c")

# %% tags=["quiz"]
quiz("a-strong-baseline", "b")

# %% tags=["quiz"]
quiz("ten-at-once", "a")

# %% tags=["quiz"]
quiz("project-or-subtract", "b")

# %% tags=["quiz"]
quiz("out-of-the-weights", "b")

# %% tags=["quiz"]
quiz("from-another-start", "d")

# %% tags=["quiz"]
quiz("through-where", "b")

# %% tags=["quiz"]
quiz("alarms-and-attacks", "a")

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
