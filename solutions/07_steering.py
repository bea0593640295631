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
from mi_tutor.lab.ground import (
    per_position_loss,
    plain_transformer,
    seeded,
)
from mi_tutor.specimens import SpecimenError, open_dictionary, open_specimen
from mi_tutor.specimens.atlas import (
    Geography,
    chosen,
    first_lines,
    full_stops,
    labelled_texts,
    mark_texts,
    prompts_of,
    second_lines,
    swap_questions,
    tokenizer,
)

# %% [markdown]
r"""
## A direction for a kind of text

In May 2024 one could talk to a model that thought it was the Golden Gate Bridge. Templeton et al. had found a latent
of Claude 3 Sonnet that was on where the bridge was spoken of, held it at ten times its largest value, and whatever
one asked, the answer came round to the bridge. It looked as if there were a dial for every subject.

This chapter builds such dials, measures what they do, and finds out where they stop working. The model of the first
half is `atlas-paragraphs` (chapter 02). Its texts come in paragraphs of one language or one kind: English, French
and Spanish sentences about places, code, sums, law, DNA. So "one subject takes over" can be counted. Here is what it
writes after an English sentence, with nothing done to it. (A text is cut up by the grammar of this language: which
part is a whole sentence, and of which kind? A last sentence that the text stops in is left out.)
"""

# %% id="what-it-writes"
torch.set_grad_enabled(False)  # nothing is trained in this chapter
paragraphs = plain_transformer(open_specimen("atlas-paragraphs", device="cpu"))
reader = open_dictionary("atlas-paragraphs-attn1")  # of what attention 1 writes in it
neutral = prompts_of("english", n=32, n_sentences=1, n_pos=12)


def write(interventions=(), prompts=neutral, temperature=0.7, n_new=60):
    """What the model writes after each prompt."""
    return steering.generate(paragraphs, prompts, n_new, interventions, temperature)


def shares(written, kind):
    """(share of the new text that is of a kind, share of it that is whole sentences)."""
    return steering.written_shares(mark_texts(written, kind))


def told(row):
    """A text to look at, in one line."""
    return tokenizer().decode(row.tolist()).replace("\n", " / ")


unsteered = write()
print(told(neutral[0, 1:]), "…", told(unsteered[0]))
print(f"\n{'kind':<9}{'share of the text':>18}")
for kind in ("english", "french", "law", "sum"):
    print(f"{kind:<9}{shares(unsteered, kind)[0]:18.2f}")
print(f"whole sentences: {shares(unsteered, 'english')[1]:.2f}")

# %% tags=["claim"]
assert shares(unsteered, "english")[0] > 0.85, "it goes on in English"
assert max(shares(unsteered, _kind)[0] for _kind in ("french", "law", "sum")) < 0.05, (
    "hardly a word of French, law or sums"
)
assert 0.8 < shares(unsteered, "english")[1] < 0.95, "about one token in eight"

# %% [markdown]
r"""
**What you should see.** It goes on in English, with hardly a word of French, law or sums. About one token in eight
is in no whole sentence (a place that does not exist, mostly): that is the floor for everything below.

To steer it we need a direction. The simplest is a **difference of means** at one place: the mean activation where
the concept is, less the mean where it is not,

$$v = \frac{1}{|P|} \sum_{p \in P} x_p \;-\; \frac{1}{|N|} \sum_{p \in N} x_p .$$

Which places? What the next sentence will be is settled where the last one ends. So we look at full stops only.
"""

# %% [markdown] slug="steer-vector"
r"""
Return this vector, `[d_model]`. `concept` says where the text is about the concept, `chosen` which places count at
all: both means are over chosen places. Leave its length as it is.
"""


# %% tags=["exercise"] slug="steer-vector"
def steering_vector(
    activations: Float[Tensor, "row pos d_model"],
    concept: Bool[Tensor, "row pos"],
    chosen: Bool[Tensor, "row pos"],
) -> Float[Tensor, "d_model"]:
    """The mean where the concept is, minus the mean where it is not, at chosen places."""
    # BEGIN SOLUTION
    with_it = activations[chosen & concept].mean(dim=0)
    without = activations[chosen & ~concept].mean(dim=0)
    return with_it - without
    # END SOLUTION


# %% tags=["check"]
check("steer-vector", steering_vector)

# %% [markdown]
r"""
Now add it, $x' = x + c\,v$, at every full stop, those of the new text too. In which layer? Let us make one vector
before each layer, add each there with $c = 2$, and count.
"""

# %% id="which-layer"
texts = labelled_texts(seed=100, n_rows=300, model="atlas-paragraphs")
at_stops = steering.at_tokens(full_stops())
is_stop = at_stops(texts.tokens, torch.arange(texts.tokens.shape[1]))
concept_of = {
    "law": texts.labels[..., texts.concepts.index("context=law")],
    "french": texts.labels[..., texts.concepts.index("language=french")],
}
vectors, by_layer = {}, {}
print(f"{'':<9}{'layer':>6}{'|v|':>8}{'about':>8}{'valid':>8}")
for kind, concept in concept_of.items():
    for layer in range(1, 5):
        stream = paragraphs.resid_pre(layer, texts.tokens)
        v = vectors[kind, layer] = steering_vector(stream, concept, is_stop)
        written = write([steering.added(v, layer, 2.0, at_stops)])
        by_layer[kind, layer] = about, valid = shares(written, kind)
        print(f"{kind:<9}{layer:>6}{v.norm():8.1f}{about:8.2f}{valid:8.2f}")
law = [steering.added(vectors["law", 3], 3, 1.5, at_stops)]
taken_over = write(law)
print("\nlaw, before layer 3, 1.5 times:", told(taken_over[0]))
about_law, valid_law = shares(taken_over, "law")
print(f"about {about_law:.2f}, valid {valid_law:.2f}")

# %% tags=["claim"]
assert min(about_law, valid_law) >= 0.95, "the law takes over all of it"
assert by_layer["law", 1][0] < 0.05, "before layer 1 nothing happens"
assert by_layer["french", 4][0] > 0.8, "French comes before layer 4"
assert max(by_layer["french", _l][0] for _l in (1, 2, 3)) < 0.1, "and not before"
assert 0.02 < shares(unsteered, "french")[1] - by_layer["french", 4][1] < 0.2, (
    "sentences suffer a little"
)

# %% [markdown]
r"""
**What you should see.** Added before layer 3, the law takes over all of it, in whole sentences. Before layer 1
nothing happens. French comes before layer 4 and not before: a language is settled later than a kind of text here,
and a vector that is added where the model has not begun to decide has nothing to push. Its sentences suffer a
little. (What random vectors of these lengths do, comes further down: nothing of the kind.)

**Where a thing is decided** counts in two ways: the layer, and the place. Contrastive activation addition (CAA,
Rimsky et al. 2024) and activation addition (ActAdd, Turner et al. 2023) choose places in other ways.

| | made from | read at | added to |
|---|---|---|---|
| difference of means | labelled texts | chosen places | the same kind of place |
| CAA | many pairs of prompts | one position, mean over pairs | all positions after the prompt |
| ActAdd | **one** pair, as "Love", "Hate" | each position by itself | the first positions of a prompt |

In all three what both sides have in common is taken off. Let us steer towards the law in all three ways, with pairs
of a legal sentence and an English one.
"""

# %% id="three-recipes"
legal = prompts_of("law", n=32, n_sentences=1, n_pos=12, seed=1)
english = prompts_of("english", n=32, n_sentences=1, n_pos=12, seed=1)
sides = [paragraphs.resid_pre(3, each) for each in (legal, english)]
caa = steering.contrastive_vector(*sides)
act_add = steering.activation_addition(sides[0][0], sides[1][0])
after_prompt = steering.at_positions(neutral.shape[1] - 1)
from_caa, from_means = caa, vectors["law", 3]
recipes = {
    "means, at full stops": [steering.added(from_means, 3, 1.5, at_stops)],
    "means, from the prompt's end on": [steering.added(from_means, 3, 1.5, after_prompt)],
    "CAA, at full stops": [steering.added(from_caa, 3, 1.5, at_stops)],
    "CAA, from the prompt's end on": [steering.added(from_caa, 3, 1.5, after_prompt)],
    "ActAdd, at the prompt": steering.added_from_start(act_add, 3, 1.5),
    "not centred, at full stops": [
        steering.added(
            paragraphs.resid_pre(3, texts.tokens)[is_stop & concept_of["law"]].mean(0),
            3, 1.5, at_stops,
        )
    ],
}  # fmt: skip
ways = {name: shares(write(each), "law") for name, each in recipes.items()}
for name, (about, valid) in ways.items():
    print(f"{name:<34}about {about:.2f}   valid {valid:.2f}")
print(
    f"cosine of both vectors: {torch.cosine_similarity(from_caa, from_means, dim=0):.2f}"
)

# %% tags=["claim"]
assert ways["means, at full stops"][0] > 0.95, "at full stops"
assert (
    min(_v for _n in ("means, at full stops", "CAA, at full stops") for _v in ways[_n])
    > 0.95
), "both vectors let the law take over"
assert torch.cosine_similarity(from_caa, from_means, dim=0) > 0.9, "nearly the same way"
assert min(ways["ActAdd, at the prompt"]) > 0.95, "ActAdd does it with one pair"
assert all(
    ways[_n][0] > 0.95 and ways[_n][1] < 0.1
    for _n in ways
    if "from the prompt's end" in _n
), "nothing but legal words, and hardly a sentence"
assert 0.8 < ways["not centred, at full stops"][0] < ways["means, at full stops"][0], (
    "works too, nearly as well"
)

# %% [markdown]
r"""
**What you should see.** At full stops both vectors let the law take over, and they point nearly the same way. ActAdd
does it with **one** pair, added once, at the prompt: the first sentence is legal, and paragraphs go on as they
began. Added at *every* new position the same vectors write nothing but legal words, and hardly a sentence: what says
"a legal sentence begins" is said at every word. And one thing that one would not expect: the mean that is **not
centred** works too, nearly as well. Most of it is what all full stops have in common; a stream that lies in that
direction anyway is made longer by it, and LayerNorm does not care how long it is. Do not count on that: where the
common part is not in the stream already, it is what you steer with.

The same with a decision that sits on three tokens. `atlas` writes couplets. From the means of each rhyme, at the
first line's rhyme word, its comma and its line break: the step from the rhyme that a line has to another one, added
once at these three places. Does the second line end in the rhyme that was added? And is it still a line of this
world, in which one feeds a goat and wears a coat?
"""

# %% id="another-rhyme"
atlas = plain_transformer(open_specimen("atlas", device="cpu"))
known, rhyme_of = first_lines(n=12, seed=0)
new_lines, own = first_lines(n=6, seed=1)
target = (own + torch.randint(1, 14, own.shape, generator=seeded(0))) % 14
rhymed = {}
print(f"{'before layer':<14}{'rhyme added':>12}{'a line':>8}   random: rhyme added")
for layer in (1, 2, 3):
    stream = atlas.resid_pre(layer, known)
    means = torch.stack([stream[rhyme_of == i].mean(dim=0) for i in range(14)])
    steps = means[target] - means[own]  # [row pos d_model]
    noise = torch.randn(steps.shape, generator=seeded(1))
    noise *= steps.norm(dim=-1, keepdim=True) / noise.norm(
        dim=-1, keepdim=True
    ).clamp_min(1e-6)
    for name, each in (("rhyme", steps), ("random", noise)):
        held = [
            steering.added(each[:, [p]], layer, 1.0, steering.at_positions(p, p))
            for p in (4, 5, 6)
        ]
        written = steering.generate(atlas, new_lines, 7, held, temperature=0.7)
        ends, is_line = second_lines(written)
        rhymed[layer, name] = (
            (ends == target).float().mean().item(),
            is_line.float().mean().item(),
        )
    print(f"{layer:<14}{rhymed[layer, 'rhyme'][0]:12.2f}{rhymed[layer, 'rhyme'][1]:8.2f}"
          f"{rhymed[layer, 'random'][0]:12.2f}")  # fmt: skip

# %% tags=["claim"]
assert max(min(rhymed[_l, "rhyme"]) for _l in (1, 2)) >= 0.9, (
    "nine in ten lines end in the rhyme that was added"
)
assert rhymed[3, "rhyme"][0] < 0.3, "before layer 3 it is too late"
assert max(rhymed[_l, "random"][0] for _l in (1, 2, 3)) < 0.1, (
    "with random vectors hardly a line ends so"
)

# %% [markdown]
r"""
**What you should see.** Added before layer 1 or 2, at least nine in ten lines end in the rhyme that was added, and as
many are lines of this world: the verb fits the new word. Before layer 3 it is too late: what the break has to tell
has been read already. With random vectors hardly a line ends so.

## One subject takes over

Now the dial of the first page: a latent. The dictionary `atlas-paragraphs-attn1` reads what attention 1 writes, and
French, Spanish, law, sums and DNA have a latent each there. **Clamping** holds a latent at a value. With
$x = \text{decode}(f) + \text{error}$, Templeton et al. decode once more with $f_i$ set to the value, *at every token*,
and put the error back:

$$x' = \text{decode}(f \text{ with } f_i = \text{value}) + \text{error}.$$
"""

# %% [markdown] slug="steer"
r"""
Return $x'$. `latents` are $f$, `[row pos latent]`; `value` is what latent number `latent` is held at, at all
positions but 0 (BOS stays what it is). The decoder's bias is not given: is it needed?
"""


# %% tags=["exercise"] slug="steer"
def clamp(
    x: Float[Tensor, "row pos d_model"],
    latents: Float[Tensor, "row pos latent"],
    W_dec: Float[Tensor, "latent d_model"],
    latent: int,
    value: float,
) -> Float[Tensor, "row pos d_model"]:
    """One latent held at a value; everything else, the error too, as it was."""
    # BEGIN SOLUTION
    step = (value - latents[..., latent])[..., None] * W_dec[latent]
    step[:, 0] = 0
    return x + step  # the error and the decoder's bias are in x already
    # END SOLUTION


# %% tags=["check"]
check("steer", clamp)

# %% [markdown]
r"""
Which latent? For each kind the one that *reads* it best (F1 of "the latent is above a threshold" against the labels),
as in chapter 02. We hold it at 1, 2, 4 and 10 times the largest value that it has on 300 texts. Before you run the
cell: at which of these does French take over?
"""

# %% id="clamp-the-best-reader"
attn_out = torch.cat(
    [paragraphs.activations(1, some, "attn_out")["attn_out"] for some in texts.tokens.split(100)]
)  # fmt: skip
latents = reader.encode(attn_out)[:, 1:]
best_reader, reads, multiples, clamps = {}, {}, (1, 2, 4, 10), {}
for kind, concept in concept_of.items():
    there, f1 = concept[:, 1:, None], torch.zeros(reader.d_sae)
    for cut in (
        0,
        0.05,
        0.1,
        0.2,
    ):  # times its largest value: above that it says "here"
        on = latents > cut * latents.amax(dim=(0, 1))
        found = 2 * (on & there).sum((0, 1)) / (on.sum((0, 1)) + there.sum((0, 1)))
        f1 = torch.maximum(f1, found)
    reads[kind] = f1.max().item()
    i = int(f1.argmax())
    best_reader[kind] = i, latents[..., i].max().item()
    print(f"{kind}: latent {i}, F1 {f1[i]:.2f}, at most {best_reader[kind][1]:.1f}")
    for multiple in multiples:
        value = multiple * best_reader[kind][1]
        held = [steering.clamped(reader, [i], value, 1, "attn_out")]
        written = write(held)
        clamps[kind, multiple] = held, shares(written, kind)
        about, valid = clamps[kind, multiple][1]
        print(
            f"  {multiple:>2} times: about {about:.2f}, valid {valid:.2f}   {told(written[0])[:70]} …"
        )

# %% tags=["claim"]
assert reads["french"] > 0.9, "an excellent reader"
assert max(min(_found) for _, _found in clamps.values()) < 0.5, (
    "nowhere are both shares high"
)
assert clamps["french", 1][1][0] < 0.05, "at its own largest value nothing happens"
assert clamps["french", 10][1][0] > 0.9, "at ten times every word is French"
assert clamps["french", 10][1][1] < 0.05, "and not one sentence is left"

# %% [markdown]
r"""
**What you should see.** The French latent is an excellent reader, and a poor dial. At its own largest value nothing
happens; at ten times every word is French, and not one sentence is left; nowhere are both shares high. The vector of
the last section, added two layers later and at full stops, did what this latent does not.

So **reading well is not steering well**. A latent is on *because* the text is French: a report, which later layers
use among others. What decides the next sentence is put together later. Nothing is wrong with the latent, nor
with the dictionary. It is in a place where little depends on it.

Where something does depend on a latent, clamping works. `atlas` carries the state of a two-hop question (chapter
05) from the name to the end in layer 2's attention, and `atlas-attn2` has a latent for each state there. Hold one at
1 times its largest value, where the answer is due:
"""

# %% id="clamp-a-state"
of_states = open_dictionary("atlas-attn2")
geography = Geography()
held_out = chosen(geography, language="english", kind="state", held_out_by="city")
batches = swap_questions(held_out[::3], geography)
marked = labelled_texts(seed=100, n_rows=300)
seen = of_states.encode(
    torch.cat([atlas.activations(2, some, "attn_out")["attn_out"] for some in marked.tokens.split(100)])
)  # fmt: skip
names = [f"state={area.name.english}" for area in geography.facts.states]
is_state = marked.labels[..., [marked.concepts.index(name) for name in names]]
on, there = (seen[marked.decided] > 0).float(), is_state[marked.decided].float()
f1 = 2 * (on.mT @ there) / (on.sum(0)[:, None] + there.sum(0))
state_latents = f1.argmax(dim=0)
largest = seen[:, 1:].amax(dim=(0, 1))[state_latents]


def follow(multiple, others_off, everywhere=False):
    """The share of questions whose answer becomes the clamped state's."""
    right, asked = 0, 0
    for target in range(0, 50, 5):
        for batch in batches:
            last = batch.tokens.shape[1] - 1
            where = steering.everywhere if everywhere else steering.at_positions(last)
            if others_off:
                which, values = state_latents, torch.zeros(50)
                values[target] = multiple * largest[target]
            else:
                which, values = state_latents[[target]], multiple * largest[[target]]
            held = steering.clamped(
                of_states, which.tolist(), values, 2, "attn_out", where
            )
            guess = steering.steered_logits(atlas, batch.tokens, [held])[:, -1].argmax(
                -1
            )
            want = batch.answers[:, target]
            own = batch.answers.gather(1, batch.classes[:, None])[:, 0]
            right += int(((guess == want) & (want != own)).sum())
            asked += int((want != own).sum())
    return right / asked


follows = {
    (multiple, off): follow(multiple, off)
    for multiple in (1, 2, 4)
    for off in (False, True)
}
print("share of answers that follow     alone   the other states' latents off")
for multiple in (1, 2, 4):
    print(
        f"held at {multiple} times its largest {follows[multiple, False]:10.2f}{follows[multiple, True]:12.2f}"
    )

# %% tags=["claim"]
assert follows[1, True] > 0.95, "nearly always"
assert 0.4 < follows[1, False] < 0.9, "alone it works in some"
assert follows[4, True] < 0.5 and follows[4, False] < 0.5, (
    "at 4 times most answers are lost"
)

# %% [markdown]
r"""
**What you should see.** At 1 times its largest value, with the other states' latents off, the answer nearly always
follows. Alone it works in some questions only: the question's own state is still on, and two states are one too
many. And at 4 times most answers are lost in either case. "Ten times" is no unit of nature: what a latent's
value means ends soon above the largest one that the model has ever seen.

## Effect against coherence

"It talks of nothing but the bridge" is half of a measurement. Three numbers belong together: the **effect** (how much
of the new text is about the concept), **coherence** (how much of it is still sentences), and the **damage** to text
that it is not about, in nats per token. Each of them is easily measured wrong.
"""

# %% [markdown] slug="effect-and-coherence"
r"""
Return the three, as a tensor `[3]`. `about`, `valid` and `finished` mark each token of texts that **begin with the
prompt**, whose first `n_prompt` tokens are the prompt's; both shares are of finished new tokens. `loss_before` and
`loss_after` are the losses on other, ordinary texts, without and with steering: entry i is about token i + 1.
`concept` says where these texts are about the concept. There nothing is counted.
"""


# %% tags=["exercise"] slug="effect-and-coherence"
def measure(
    about: Bool[Tensor, "row pos"],
    valid: Bool[Tensor, "row pos"],
    finished: Bool[Tensor, "row pos"],
    n_prompt: int,
    loss_before: Float[Tensor, "text next"],
    loss_after: Float[Tensor, "text next"],
    concept: Bool[Tensor, "text pos2"],
) -> Float[Tensor, "3"]:
    """(share about, share valid, damage)."""
    # BEGIN SOLUTION
    new = finished[:, n_prompt:]
    shares = [each[:, n_prompt:][new].float().mean() for each in (about, valid)]
    damage = (loss_after - loss_before)[~concept[:, 1:]].mean()
    return torch.stack([*shares, damage])
    # END SOLUTION


# %% tags=["check"]
check("effect-and-coherence", measure)

# %% [markdown]
r"""
Now the curves, for French: the vector before layer 4, the latent, a random vector as long as the first one, and what
is forgotten most often: **a prompt**. One French sentence after the English one, and nothing steered. (Wu et al. 2025
made such a comparison for 500 concepts in Gemma-2 models, AxBench, and found prompting ahead of all of them, and
dictionaries far behind.)
"""

# %% id="the-curves"
ordinary = labelled_texts(seed=200, n_rows=40, model="atlas-paragraphs")


def effects_of(steer, strengths, kind):
    """Effect, coherence and damage at each strength."""
    concept = {"french": "language=french", "law": "context=law"}[kind]
    counted = (
        ordinary.everywhere & ~ordinary.labels[..., ordinary.concepts.index(concept)]
    )
    return steering.effect_curve(
        paragraphs, steer, strengths, neutral, lambda written: mark_texts(written, kind),
        (ordinary.tokens, counted),
    )  # fmt: skip


def prompted(kind, n_pos, n_sentences=1):
    """The neutral prompts with a sentence of a kind behind them: what comes then. Nothing is changed: no damage."""
    more = prompts_of(kind, 32, n_sentences, n_pos, seed=2)[:, 1:]
    longer = torch.cat([neutral, more], dim=1)
    return steering.Effect(*shares(write(prompts=longer), kind), 0.0)


strengths, multiples = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0), (1, 2, 3, 4, 10)


def curves_of(kind, layer):
    """Effects of the vector, of the latent that reads best, and of a random vector, each with its strengths."""
    v, (i, most) = vectors[kind, layer], best_reader[kind]
    noise = steering.random_vector(v, seed=0)
    ways = {
        "vector": (strengths, lambda c: steering.added(v, layer, c, at_stops)),
        "latent": (multiples, lambda c: steering.clamped(reader, [i], c * most, 1, "attn_out")),
        "random vector": ((1.0, 3.0), lambda c: steering.added(noise, layer, c, at_stops)),
    }  # fmt: skip
    return {
        name: (at, effects_of(lambda c, make=make: [make(c)], at, kind))
        for name, (at, make) in ways.items()
    }


curves, prompts = {}, {}
for kind, layer, n_pos in (("french", 4, 13), ("law", 3, 14)):
    curves[kind], prompts[kind] = curves_of(kind, layer), prompted(kind, n_pos)
    print(f"{kind:<16}{'strength':>9}{'about':>8}{'valid':>8}{'damage':>9}")
    for name, (at, found) in curves[kind].items():
        for c, each in zip(at, found, strict=True):
            print(
                f"  {name:<14}{c:>9g}{each.about:8.2f}{each.valid:8.2f}{each.damage:9.2f}"
            )
    print(
        f"  {'a prompt':<14}{'':>9}{prompts[kind].about:8.2f}{prompts[kind].valid:8.2f}{0:9.2f}"
    )
show.effect_against_coherence(
    curves["french"], {"a French sentence as prompt": prompts["french"]},
    title="French: effect against coherence",
)  # fmt: skip

# %% id="the-law-figure"
show.strength_curves(
    strengths,
    {kind: curves[kind]["vector"][1] for kind in curves},
    title="What each strength of a vector does",
    x_title="strength c (times the vector)",
)

# %% tags=["claim"]
_french, _law = (
    dict(zip(*curves[_kind]["vector"], strict=True)) for _kind in ("french", "law")
)
assert min(_law[1.5][:2]) >= 0.9, "the law vector reaches .9 and .9"
assert _french[3.0].about >= 0.9 and _french[3.0].valid >= 0.75, (
    "French .9 and about .8"
)
assert abs(prompts["french"].valid - _french[3.0].valid) < 0.1, (
    "as good as the model's French ever is"
)
assert all(
    min(_each[:2]) < 0.5 for _kind in curves for _each in curves[_kind]["latent"][1]
), "no latent comes near"
assert all(
    _each.about < 0.05
    for _kind in curves
    for _each in curves[_kind]["random vector"][1]
), "random vectors do nothing of the kind"
assert min(prompts["law"][:2]) >= 0.9 and prompts["french"].about >= 0.85, (
    "a prompt is as good"
)
assert _french[1.5].damage > 0.05 and _law[1.5].damage > 0.05, "costs other text"

# %% [markdown]
r"""
**What you should see.** The law vector reaches .9 and .9. French .9 and about .8, which is as good as the model's
French ever is: after a French prompt its sentences are no better. No latent comes near the corner. Random vectors do
nothing of the kind. And **a prompt is as good** as the best vector, without touching the model: steering also costs
other text, since it turns every paragraph into this one, wanted or not.

The **operating point** is a choice to be made before looking at the texts: say, the smallest strength at which nine
tenths are about the concept. And it holds for one way of drawing tokens:
"""

# %% id="greedy-is-cheap"
kept_going = {}
print(
    f"{'temperature':<13}{'unsteered: valid':>17}{'different sentences':>21}{'law: about':>13}{'valid':>8}"
)
for temperature in (0.0, 0.7, 1.0):
    plain_text, steered = (
        write(temperature=temperature),
        write(law, temperature=temperature),
    )
    three_grams = {
        tuple(row[i : i + 3]) for row in plain_text.tolist() for i in range(58)
    }
    kept_going[temperature] = (
        shares(plain_text, "english")[1],
        len(three_grams),
        *shares(steered, "law"),
    )
    valid, n, about, valid_law = kept_going[temperature]
    print(
        f"{temperature:<13g}{valid:17.2f}{n:>14} triples{about:13.2f}{valid_law:8.2f}"
    )

# %% tags=["claim"]
assert kept_going[0.0][0] >= kept_going[1.0][0] + 0.1, (
    "at temperature 1 far fewer tokens are in sentences"
)
assert kept_going[0.0][1] < 0.8 * kept_going[1.0][1], (
    "greedy text goes round in circles"
)
assert min(_row[2] for _row in kept_going.values()) > 0.85, (
    "the law takes over at each of them"
)

# %% [markdown]
r"""
**What you should see.** At temperature 1 far fewer tokens are in sentences than when the likeliest token is taken,
without any steering. But greedy text goes round in circles: it has fewer different runs of three tokens, and its
coherence is cheap. The law takes over at each of them. A result for one temperature is a result for this one.

## Ten at once

If one latent is a dial, ten are a mixing desk. Templeton et al. held *one* at ten times its largest value. What
happens when ten unrelated ones are held at once?

**Predict first.** Let the activation have length $|x|$, let ten latents be held at $c$ times their largest values
$m_i$, along rows of length 1. If the rows are nearly orthogonal and the latents were off, how long is the step, in
units of $|x|$, if each $m_i$ is nearly $|x|$? For $c = 1$, and for $c = 10$? And the loss on ordinary text, which is
.94 nats here when nothing is done, and 7.7 when every one of the 2,124 tokens is as likely as any other: where does
it end at $c = 1$ and at $c = 10$? Write your four numbers down.
"""

# %% [markdown] slug="many-at-once"
r"""
Hold several latents at values at once: latent `chosen[j]` at `values[j]`, whatever it was, the error kept, everything
else as it is. If `keep_norm`, each new activation is then scaled to the length that x had there.
"""


# %% tags=["exercise"] slug="many-at-once"
def clamp_many(
    x: Float[Tensor, "*batch d_model"],
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent d_model"],
    chosen: Int[Tensor, "chosen"],
    values: Float[Tensor, "chosen"],
    keep_norm: bool = False,
) -> Float[Tensor, "*batch d_model"]:
    """Many latents held at once; perhaps as long as before."""
    # BEGIN SOLUTION
    changed = x + (values - latents[..., chosen]) @ W_dec[chosen]
    if keep_norm:
        changed = (
            changed * x.norm(dim=-1, keepdim=True) / changed.norm(dim=-1, keepdim=True)
        )
    return changed
    # END SOLUTION


# %% tags=["check"]
check("many-at-once", clamp_many)

# %% id="ten-at-once"
everyday = labelled_texts(seed=999, n_rows=40).tokens
mixed = prompts_of("english", n=32, n_sentences=1, n_pos=12, seed=3)
most_of = seen[:, 1:].amax(dim=(0, 1))
alive = (most_of > 0).nonzero()[:, 0]
ten = alive[torch.randperm(len(alive), generator=seeded(0))[:10]]


def held_at(multiple, which, keep_norm=False):
    """Some latents of atlas-attn2 held at a multiple of their largest values, everywhere but at BOS."""

    def change(x):
        values = multiple * most_of[which]
        return clamp_many(
            x, of_states.encode(x), of_states.W_dec, which, values, keep_norm
        )

    return [steering.Intervention(2, "attn_out", change, steering.everywhere)]


def loss_with(interventions):
    return (
        per_position_loss(
            steering.steered_logits(atlas, everyday, interventions), everyday
        )
        .mean()
        .item()
    )


x = atlas.activations(2, everyday, "attn_out")["attn_out"][:, 1:]
print(f"|x| is {x.norm(dim=-1).mean():.1f} on average; nothing done: loss {loss_with([]):.2f}; "
      f"all {len(tokenizer().ids)} tokens alike: {torch.tensor(len(tokenizer().ids)).log():.2f}")  # fmt: skip
desk = {}
print(
    f"{'times':>6}{'step / |x|':>12}{'one alone':>11}{'ten at once':>13}{'norm kept':>11}"
    f"{'whole sentences':>17}{'norm kept':>11}"
)
for multiple in (0.1, 1, 10):
    step = (
        clamp_many(
            x, of_states.encode(x), of_states.W_dec, ten, multiple * most_of[ten]
        )
        - x
    )
    written, kept = (
        steering.generate(atlas, mixed, 60, held_at(multiple, ten, keep_norm), 0.7)
        for keep_norm in (False, True)
    )
    desk[multiple] = (
        (step.norm(dim=-1).mean() / x.norm(dim=-1).mean()).item(),
        sum(loss_with(held_at(multiple, ten[[j]])) for j in range(10)) / 10,
        loss_with(held_at(multiple, ten)),
        loss_with(held_at(multiple, ten, keep_norm=True)),
        shares(written, "english")[1],
        shares(kept, "english")[1],
    )
    print(f"{multiple:>6g}{desk[multiple][0]:12.2f}{desk[multiple][1]:11.2f}{desk[multiple][2]:13.2f}"
          f"{desk[multiple][3]:11.2f}{desk[multiple][4]:17.2f}{desk[multiple][5]:11.2f}")  # fmt: skip
print("ten at 10 times:", told(written[0])[:90])

# %% tags=["claim"]
_alike = torch.tensor(float(len(tokenizer().ids))).log().item()
assert desk[10][2] > _alike, "the loss is worse than knowing nothing"
assert len(tokenizer().ids) == 2124 and round(_alike, 1) == 7.7, "2,124 tokens"
assert abs(loss_with([]) - 0.94) < 0.01, ".94 nats here when nothing is done"
assert desk[1][0] > 1 and desk[10][0] > 10, "longer than the activation"
assert desk[10][5] < 0.3, "the text does not come back"
assert desk[10][4] < 0.05, "no sentence is left"
assert desk[0.1][2] < 1.1, "a tenth of each costs next to nothing"
assert desk[10][3] < 0.5 * desk[10][2], (
    "with the length kept the loss is less than half of that"
)
assert desk[1][2] > desk[1][1] + 0.1, "ten cost more than one"

# %% [markdown]
r"""
**What you should see.** A tenth of each costs next to nothing. At once their largest values ten cost more than one
does; at ten times no sentence is left, and the loss is worse than knowing nothing. The geometry says why.
Orthogonal steps add up like the sides of a box, as $\sqrt{10}$ times one of them: at $c = 1$ the step is already
longer than the activation, at $c = 10$ the activation is a rounding error beside it. No layer after it has ever read
such a vector, whatever its ten parts mean. That they mean unrelated things is not what breaks it.

With the length kept the loss is less than half of that, since nothing is out of scale any more; but now the ten
share one length, so each is weaker than alone, and what was there before them has been pressed out: the text does
not come back. Interference is not repaired by a volume knob.

## Up and down

One hears that a concept is easy to turn up and hard to turn off. Let us measure both, on the same scale: from neutral
prompts add the vector and see the concept come; from prompts *full* of it subtract the same vector at the same places
and see it go. Both curves have a **half way**: the strength at which the share is in the middle between where it
began and where it should go.
"""

# %% [markdown] slug="suppress-vs-amplify"
r"""
Return the strength at which `shares` has **first** gone half of its way: from `shares[0]`, at strength 0, to 1 if
`up`, to 0 if not. Between two strengths the share goes straight. Infinity where it never gets there.
"""


# %% tags=["exercise"] slug="suppress-vs-amplify"
def half_way(
    strengths: Float[Tensor, "strength"], shares: Float[Tensor, "strength"], up: bool
) -> Float[Tensor, ""]:
    """The strength at half of the way."""
    # BEGIN SOLUTION
    half = (shares[0] + float(up)) / 2
    there = shares >= half if up else shares <= half
    if not there.any():
        return shares.new_tensor(torch.inf)
    first = int(there.int().argmax())
    if first == 0:
        return strengths[0]
    (a, b), (low, high) = (
        shares[first - 1 : first + 1],
        strengths[first - 1 : first + 1],
    )
    return low + (high - low) * (half - a) / (b - a)
    # END SOLUTION


# %% tags=["check"]
check("suppress-vs-amplify", half_way)

# %% id="up-and-down"
ladder = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
lines, half, downs = {}, {}, {}
for kind, layer, n_pos in (("french", 4, 27), ("law", 3, 31)):
    full = prompts_of(kind, 32, 2, n_pos)  # two sentences of the kind
    v, (i, most) = vectors[kind, layer], best_reader[kind]
    noise = steering.random_vector(v, seed=1)
    for name, prompts_here, each, sign in (
        ("up", neutral, v, 1),
        ("down", full, v, -1),
        ("down, random", full, noise, -1),
    ):
        at = ladder if name != "down, random" else (0.0, 1.0, 2.0)
        seen_at = [
            shares(
                write([steering.added(each, layer, sign * c, at_stops)], prompts_here),
                kind,
            )
            for c in at
        ]
        downs[kind, name] = dict(zip(at, seen_at, strict=True))
        share = torch.tensor([about for about, _ in seen_at])
        half[kind, name] = half_way(torch.tensor(at), share, name == "up").item()
        if name != "down, random":
            lines[f"{kind}, {name}"] = share
    off = [steering.clamped(reader, [i], 0.0, 1, "attn_out")]
    downs[kind, "latent at 0"] = shares(write(off, full), kind)
    print(f"{kind}: half way up at {half[kind, 'up']:.2f}, down at {half[kind, 'down']:.2f}, "
          f"down with a random vector at {half[kind, 'down, random']:.2f}; "
          f"full prompts {downs[kind, 'down'][0.0][0]:.2f}, "
          f"with the latent held at 0 {downs[kind, 'latent at 0'][0]:.2f}")  # fmt: skip
show.lines(
    ladder, lines,
    title="Turned up from nothing, turned down from all",
    x_title="strength (times the vector, added or subtracted)",
    y_title="share of the new text about the concept",
)  # fmt: skip

# %% tags=["claim"]
assert all(half[_kind, "down"] < half[_kind, "up"] for _kind in concept_of), (
    "down is easier than up"
)
assert all(half[_kind, "down, random"] == torch.inf for _kind in concept_of), (
    "a random vector never gets there"
)
assert all(downs[_kind, "down"][1.5][0] < 0.1 for _kind in concept_of), (
    "at 1.5 times the concept is gone"
)
assert all(downs[_kind, "down"][1.5][1] > 0.75 for _kind in concept_of), (
    "still sentences"
)
assert all(
    downs[_kind, "latent at 0"][0] > downs[_kind, "down"][0.0][0] - 0.1
    for _kind in concept_of
), "goes on as if nothing had happened"

# %% [markdown]
r"""
**What you should see.** For both concepts down is easier than up, the reverse of what is often said: subtracted, the
vector is half way at a smaller strength, and at 1.5 times the concept is gone, while what is written is still
sentences. A random vector never gets there. A likely reason: to come up, French has to beat *everything* else that
could follow; to go, it has to lose to *anything*.

But the **latent**, held at 0 in a French text, changes nothing: the text goes on as if nothing had happened. The
latent is gone and the French is not, since other parts of the model know of it too. So "off is hard" is true here
of the part that reads, and false of the direction that decides. When you hear either sentence, ask: of which vector, at
which place, and measured how?
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
"""

# %% [markdown]
r"""
## Common misreadings

- **"The latent stands for French, so clamping it makes the model write French."** It *reads* French. Whether anything
  later depends on it is another question, and only an intervention answers it.
- **"Ten times the maximum works for the Golden Gate, so it is the right strength."** It was right there, by trial. Here
  one state's latent is best at once its largest value and lost at four times.
- **"The text is full of French words, so steering worked."** Not one sentence was left. Effect without coherence is
  half of a measurement; coherence of text that the model writes greedily is cheap.
- **"The loss on legal text fell, so steering does no harm."** The cost is on all other text.
- **"Steering beats prompting, since it goes into the model."** Put the prompt in the same figure.
- **"The vector did nothing, so the concept is not linear."** Perhaps it was added where nothing is decided yet, or
  where it is over.
- **"A random vector did nothing, so ours is the only one."** Many vectors may do it. That ours does, and random ones
  do not, is all that was shown.
- **"Turning down is the same experiment with the sign changed."** It begins from other prompts and ends elsewhere.

## On the real thing

Everything of the first five sections runs on GPT-2 small by its name: `open_specimen("gpt2")` is the same
architecture, and `steering.generate` writes with it. What the real model does not have is a grammar that marks its
text: there people count words of the concept, or ask another model, and both can be fooled. The path is proved here
on a stand-in, `atlas-paragraphs`, with vectors from a few pairs of prompts; put the other line in the list where
GPT-2 can be loaded.
"""


# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
def steer_by_pairs(model_name, pairs, prompt, layer, strength, n_new=24):
    """CAA: the mean difference at the pairs' ends, added where the prompt ends; with its opposite beside it."""
    network = open_specimen(model_name, device="cpu")
    bare = plain_transformer(network)
    ends = [
        [bare.resid_pre(layer, network.to_tokens(text))[:, -1] for text in pair]
        for pair in pairs
    ]
    vector = torch.cat([good - bad for good, bad in ends]).mean(dim=0)
    tokens = network.to_tokens(prompt)
    last = tokens.shape[1] - 1
    where = steering.at_positions(last, last)  # CAA adds to all that follow, too
    for c in (0.0, strength, -strength):
        held = [steering.added(vector, layer, c, where)]
        written = steering.generate(bare, tokens, n_new, held, temperature=0.7)
        text = network.to_string(written[0]).replace("\n", " / ")
        print(f"{model_name}, {c:+g}: {prompt} … {text}")


places = [
    (
        "atlas-paragraphs",
        [("without prejudice, the tenant shall pay the buyer.", "Dallas belongs to Texas."),
         ("hereinafter, the buyer shall notify the tenant.", "Oakland belongs to California.")],
        "The capital of Ohio is Columbus.", 3, 1.5,
    ),
    # ("gpt2", [("I love it, it is wonderful", "I hate it, it is terrible")], "I went to the cinema and", 6, 3.0),
]  # fmt: skip
for place in places:
    try:
        steer_by_pairs(*place)
    except SpecimenError as error:
        print(error)

# %% [markdown]
r"""
## Recap

Can you say these without looking? What a difference of means takes off, and why its length is kept. How CAA and
ActAdd differ from it. What a clamp leaves as it is. Why a latent that reads well need not steer. Three numbers that
belong together, and on which text each is measured. What a prompt costs. What "ten times" is a multiple of, and what
keeping the length repairs. Which way was easier, of which vector, measured how.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Templeton et al. 2024, *Scaling Monosemanticity*. Latents of a large model, and what happens when they are clamped.
- Turner et al. 2023, *Steering Language Models With Activation Engineering*. ActAdd: one pair of prompts.
- Rimsky et al. 2024, *Steering Llama 2 via Contrastive Activation Addition*. Many pairs, and how it compares with
  prompting and fine-tuning.
- Wu et al. 2025, *AxBench*. Prompts, fine-tuning, difference of means and dictionaries in one comparison.
- Arditi et al. 2024, *Refusal in Language Models Is Mediated by a Single Direction*. What this chapter's second half
  tries out.
"""
