# %% [markdown] minutes=310
r"""
# 02 · Sparse autoencoders

Take a model's activations apart into directions that mean something: first where the answer is known, then in a
language model, with an eye on what such a dictionary misses.

## What you will be able to do

- write, train and evaluate a sparse autoencoder (SAE), and say what each term of its loss is for
- find out whether it found the features, where they are known
- choose a sparsity: λ or k, by a curve and for a purpose
- diagnose dead latents, and bring them back
- train one on a language model, and check that the model still works with its reconstruction
- read a latent, give it a name that predicts, and mark the name against ground truth
- design a comparison that is like for like, of latents and neurons or of anything else
- say what a dictionary does not show: shrinkage, splitting, absorption, what it leaves out, and why a low error
  is no promise

You need chapter 01 (features as directions, superposition) and basic PyTorch. Chapter 00 helps with hooks. At a
first reading you can leave out "Why no latent says “French”" and "Absorption", and the exercises that are marked
optional: nothing later rests on them.
"""

# %% tags=["setup"]
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import dictionaries as lab
from mi_tutor.lab.ground import seeded

# %% [markdown]
r"""
## From a cloud of points to directions

Chapter 01 began with features and asked how a model stores them. Now the other way round: we have activations,
and want to know which features they are made of. Two words, kept apart from here on: a **feature** is in the
data, a **latent** is a unit of the dictionary that we train. Whether latents are features is the question of
this chapter.

Below are activations of a layer with two dimensions and five features. It is the pentagon of chapter 01. Each
point is one input. On the left features are on half of the time, on the right one time in twenty.
"""

# %% id="two-clouds"
angle = 2 * torch.pi * torch.arange(5) / 5
pentagon = torch.stack([angle.cos(), angle.sin()], dim=1)  # [feature d]: rows now
points, group = [], []
for density in (0.5, 0.05):
    toy = lab.ToyActivations(directions=pentagon, probability=torch.full((5,), density))
    cloud = toy.rows(20_000, seeded(0))
    cloud = cloud[cloud.norm(dim=1) > 0][
        :400
    ]  # points where nothing is on are left out
    points.append(cloud + torch.tensor([4.0 * (density < 0.1), 0.0]))
    group += [f"density {density}"] * len(cloud)
points = torch.cat(points)
show.scatter(
    points[:, 0],
    points[:, 1],
    groups=group,
    title="Activations of five features in two dimensions",
    x_title="first dimension (the second cloud is moved by 4)",
    y_title="second dimension",
)

# %% tags=["claim"]
_along = (cloud @ pentagon.T).amax(dim=1) / cloud.norm(dim=1)  # of the right cloud
assert (_along > 0.9999).float().mean() > 0.5, (
    "so most points lie on a feature's direction"
)

# %% [markdown]
r"""
On the left there is nothing to see. On the right there are five rays: most inputs have at most one feature on,
so most points lie *on* a feature's direction. Nobody has to tell you where the features are. **Sparsity** gives
them away, and that is the idea of the whole chapter: look for directions such that every activation is a sum of
few of them. In two dimensions the eye does it. In hundreds of dimensions we train something to do it.

## The dictionary

A sparse autoencoder turns an activation into many numbers that are mostly 0, and back:

$$f = \mathrm{ReLU}\big((x - b_{dec})\, W_{enc} + b_{enc}\big) \qquad\quad x' = f\, W_{dec} + b_{dec}$$

$f$ holds the **latents**. There are more of them than dimensions: how many times more is the *expansion*. Row
$i$ of $W_{dec}$ is the direction that latent $i$ writes, and column $i$ of $W_{enc}$ what it looks for.
$b_{dec}$ stands for the typical activation: it is taken away first and put back at the end, so that latents
only have to say how this activation differs from it (Bricken et al. 2023).
"""

# %% [markdown] slug="sae-encode-decode"
r"""
Write both directions in one function: return the latents `[batch latent]` and the reconstruction `[batch d]`,
in this order. Samples are rows, so products are `x @ W`.
"""


# %% tags=["exercise"] slug="sae-encode-decode"
def sae_forward(
    x: Float[Tensor, "batch d"],
    W_enc: Float[Tensor, "d latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
    b_dec: Float[Tensor, "d"],
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch d"]]:
    """Latents f = ReLU((x - b_dec) W_enc + b_enc), and the reconstruction f W_dec + b_dec."""
    # BEGIN SOLUTION
    latents = torch.relu((x - b_dec) @ W_enc + b_enc)
    return latents, latents @ W_dec + b_dec
    # END SOLUTION


# %% tags=["check"]
check("sae-encode-decode", sae_forward)

# %% [markdown]
r"""
What should it be trained for? To reconstruct, with few latents. "Few" is a count, and a count has no gradient.
So the classic dictionary charges for the latents' *sum*, the L1 norm, which has one:

$$L = \underbrace{\lVert x - x' \rVert^2}_{\text{reconstruct}} +
\lambda \underbrace{\sum_i f_i\, \lVert W_{dec,i} \rVert}_{\text{with little}}$$

Why is each latent weighted with the length of its decoder row (Conerly et al. 2024)? Only the product $f_i
W_{dec,i}$ reaches the reconstruction. Without the weight, the loss could be lowered for free: halve every
latent, double every row. The alternative is to hold all rows at length 1 (Bricken et al. 2023). Then the weight
is 1, and we shall do both.
"""

# %% [markdown] slug="sae-loss"
r"""
Write the loss, from the weights. Reductions: within a sample a **sum**, over dimensions in the first term and
over latents in the second; over the batch a **mean**, in both. Rows of `W_dec` may have any length. Your
`sae_forward` may help.
"""


# %% tags=["exercise"] slug="sae-loss"
def sae_loss(
    x: Float[Tensor, "batch d"],
    W_enc: Float[Tensor, "d latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
    b_dec: Float[Tensor, "d"],
    l1: float,
) -> Float[Tensor, ""]:
    """Mean over the batch of ||x - x'||² + l1 Σ_i f_i ||W_dec[i]||."""
    # BEGIN SOLUTION
    latents, x_hat = sae_forward(x, W_enc, b_enc, W_dec, b_dec)
    reconstruction = (x - x_hat).square().sum(dim=-1).mean()
    penalty = (latents * W_dec.norm(dim=-1)).sum(dim=-1).mean()
    return reconstruction + l1 * penalty
    # END SOLUTION


# %% tags=["check"]
check("sae-loss", sae_loss)

# %% tags=["quiz"]
quiz("around-the-penalty", "a")

# %% [markdown] slug="unit-decoder"
r"""
Hold the rows: return `W_dec` with every row scaled to length 1. A row of zeros has no direction; leave it as it
is. Return a new matrix.
"""


# %% tags=["exercise"] slug="unit-decoder"
def unit_decoder(W_dec: Float[Tensor, "latent d"]) -> Float[Tensor, "latent d"]:
    """Every row scaled to length 1."""
    # BEGIN SOLUTION
    length = W_dec.norm(dim=-1, keepdim=True)
    return W_dec / torch.where(length > 0, length, 1.0)
    # END SOLUTION


# %% tags=["check"]
check("unit-decoder", unit_decoder)

# %% [markdown] slug="remove-parallel"
r"""
Scaling back after each step has a side effect. The part of the gradient *along* a row only changes its length,
which is undone at once, but Adam keeps a memory of its gradients, and in there it stays. So take it out before
the step. With $u_i$ the unit vector of row $i$ of `W_dec` and $g_i$ that row's gradient:

$$g_i \leftarrow g_i - (g_i \cdot u_i)\, u_i$$

Rows of `W_dec` may have any length here.
"""


# %% tags=["exercise"] slug="remove-parallel"
def remove_parallel(
    gradient: Float[Tensor, "latent d"], W_dec: Float[Tensor, "latent d"]
) -> Float[Tensor, "latent d"]:
    """The gradient without its part along each row of W_dec."""
    # BEGIN SOLUTION
    unit = unit_decoder(W_dec)
    return gradient - (gradient * unit).sum(dim=-1, keepdim=True) * unit
    # END SOLUTION


# %% tags=["check"]
check("remove-parallel", remove_parallel)

# %% tags=["quiz"]
quiz("decoder-row", "a")

# %% [markdown]
r"""
## First where the answer is known

An instrument is tested on something whose length you know. Ours is a toy: 32 features in 16 dimensions, each
with a random direction, each on in 4 % of the samples. So 1.28 features are on per sample, on average. A
dictionary that works has to find all 32 directions, from samples alone.
"""

# %% id="the-toy"
toy = lab.toy_features(seed=7)
print("directions:", tuple(toy.directions.shape))
print("on per sample:", (toy.sizes(20_000, seeded(1)) > 0).sum(dim=1).float().mean())

# %% tags=["claim"]
assert toy.directions.shape == (32, 16), "32 features in 16 dimensions"
assert round((100 * toy.probability.sum()).item()) == 128, (
    "So 1.28 features are on per sample, on average"
)

# %% [markdown] slug="train-on-toy"
r"""
Write the training loop. For each batch, in this order:

1. the loss (yours) and its gradients,
2. take the parallel part out of the gradient of `W_dec`,
3. a step of `torch.optim.Adam` on all four weights,
4. scale the rows of `W_dec` back to length 1.

The starting weights are given (rows of `W_dec` have length 1). Leave them as they are: train copies, and return
the four trained weights in the same order, detached.
"""


# %% tags=["exercise"] slug="train-on-toy"
def train_dictionary(
    W_enc: Float[Tensor, "d latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
    b_dec: Float[Tensor, "d"],
    batches: Float[Tensor, "step batch d"],
    l1: float,
    learning_rate: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Train with Adam, one step per batch; the decoder's rows stay at length 1."""
    # BEGIN SOLUTION
    weights = [
        weight.clone().requires_grad_() for weight in (W_enc, b_enc, W_dec, b_dec)
    ]
    decoder = weights[2]
    optimizer = torch.optim.Adam(weights, lr=learning_rate)
    for x in batches:
        optimizer.zero_grad()
        sae_loss(x, *weights, l1).backward()
        with torch.no_grad():
            decoder.grad = remove_parallel(decoder.grad, decoder)
            optimizer.step()
            decoder.copy_(unit_decoder(decoder))
    return tuple(weight.detach() for weight in weights)
    # END SOLUTION


# %% tags=["check"]
check("train-on-toy", train_dictionary)

# %% [markdown] slug="match-features"
r"""
Did it find the features? For each **feature**, find the latent whose decoder row is most similar to it by
cosine:

$$\text{cosine}_j = \max_i \cos(W_{dec,i},\, \text{feature}_j)$$

Return the cosines `[feature]`, and which latents they are `[feature]`. Rows may have any length. A latent that
points the *opposite* way is no match: latents are never negative, so it cannot write the feature. Extra latents
do no harm. The mean of the cosines over features is the **mean max cosine** (Sharkey et al. 2022): 1 if
everything was found.
"""


# %% tags=["exercise"] slug="match-features"
def match_features(
    W_dec: Float[Tensor, "latent d"], features: Float[Tensor, "feature d"]
) -> tuple[Float[Tensor, "feature"], Int[Tensor, "feature"]]:
    """For each feature the largest cosine with a latent, and that latent's number."""
    # BEGIN SOLUTION
    cosine = unit_decoder(features) @ unit_decoder(W_dec).T  # [feature latent]
    best = cosine.max(dim=-1)
    return best.values, best.indices
    # END SOLUTION


# %% tags=["check"]
check("match-features", match_features)

# %% id="the-first-runs"
n_steps = 1500
x = toy.rows(n_steps * 256, seeded(0))
x = x * lab.start.unit_scale(x)  # see below
print(
    f"{'latents':>8}{'mean max cosine':>18}{'found (> 0.95) of 32':>24}{'before training':>18}"
)
for n_latents in (32, 64):
    start = unit_decoder(torch.randn(n_latents, 16, generator=seeded(3))).float()
    W_enc, b_enc, W_dec, b_dec = train_dictionary(
        start.T,
        torch.zeros(n_latents),
        start,
        x.mean(dim=0),
        x.view(n_steps, 256, 16),
        l1=2.0,
        learning_rate=0.003,
    )
    cosine, own = map(torch.as_tensor, match_features(W_dec, toy.directions))
    if n_latents == 32:
        crowded = (cosine, own, unit_decoder(W_dec).float() @ toy.directions.T)
    at_first = torch.as_tensor(match_features(start, toy.directions)[0])
    print(
        f"{n_latents:>8}{cosine.mean():>18.3f}{int((cosine > 0.95).sum()):>24}"
        f"{at_first.mean():>18.3f}"
    )

# %% id="first-runs-figure"
show.feature_match_figure(W_dec, toy.directions, title="64 latents, 32 features")

# %% [markdown]
r"""
**What you should see.** A diagonal: each of the 32 features has a latent of its own, with a cosine close to 1.
Nobody told the dictionary what they are. Below them are the latents that were not needed: 27 are second latents for
a feature that has one (cosine above .7), the other five are hardly ever on. With only as many latents as features
eight are missed (cosine of .95 at most): several of them share a latent with another. Room is one cure.
`lab.train_sae` is your loop with schedules besides (λ that rises slowly, a learning rate that is high first and then
falls to 0), made fast and restartable, and `lab.toy_recipe` has settings for the five kinds of dictionary that you
will meet below.

(`unit_scale` is the factor that gives samples a mean square of 1 per dimension, around their mean. With it λ
and the learning rate mean the same for any layer of any model. `train_sae` does this itself.)
"""

# %% tags=["claim"]
_similar = unit_decoder(W_dec) @ toy.directions.T  # [latent feature]
_rest = torch.ones(64, dtype=torch.bool).index_fill(0, own, False)
_how_often = (
    (sae_forward(x[:20_000], W_enc, b_enc, W_dec, b_dec)[0] > 0).float().mean(dim=0)
)
_second = _rest & (_similar.amax(dim=1) > 0.7)
assert len(own.unique()) == 32, "each of the 32 features has a latent of its own"
assert cosine.min() > 0.96, "with a cosine close to 1"
assert int(_second.sum()) == 27, (
    "27 are second latents for a feature that has one (cosine above .7)"
)
assert int(_rest.sum() - _second.sum()) == 5, "the other five are hardly ever on"
assert _how_often[_rest & ~_second].max() < 0.005, "the other five are hardly ever on"
assert int((crowded[0] <= 0.95).sum()) == 8, (
    "With only as many latents as features eight are missed"
)
assert len(crowded[1][crowded[0] <= 0.95].unique()) < 8, "share a latent with another"
assert ((crowded[2] > 0.7).sum(dim=1) == 2).any(), "share a latent with another"

# %% id="the-recipe"
recipe = lab.toy_recipe("relu")
live = show.live_training(recipe)
relu = lab.train_sae(toy.chunk, recipe, progress=False, on_record=live.update)
cosine, latent = map(torch.as_tensor, match_features(relu.sae.W_dec, toy.directions))
print(
    f"mean max cosine {cosine.mean():.3f}, found (> 0.95): {(cosine > 0.95).sum()} of 32"
)

# %% [markdown]
r"""
There is one thing that L1 does wrong, even here. Compare latents with the true sizes of their features (of
features that have one latent to themselves, in samples that have the feature):
"""

# %% id="shrinkage"
sizes = toy.sizes(20_000, seeded(2))


def too_small(made) -> list[float]:
    """How much too small latents are, for each feature that has one latent to itself, where it is there."""
    cosine = unit_decoder(toy.directions).float() @ made.W_dec.T  # [feature latent]
    f = made.encode(sizes @ toy.directions)
    return [
        lab.shrinkage(f[there, int(row.argmax())], sizes[there, feature])
        for feature, (row, there) in enumerate(zip(cosine, sizes.T > 0, strict=True))
        if (row > 0.7).sum() == 1
    ]


lost = too_small(relu.sae)
middle = torch.tensor(lost).median()
print(
    f"{len(lost)} features; too small by {middle:.3f} (median), {min(lost):.3f} to {max(lost):.3f}"
)
predicted = 2.0 / 2 / lab.start.unit_scale(toy.chunk(0)) / (1 - 0.04)
print(f"predicted for λ = 2: {predicted:.3f}")
f, cosine = relu.sae.encode(sizes @ toy.directions), toy.directions @ relu.sae.W_dec.T
alone = (sizes > 0).sum(dim=1) == 1
by_size = []
for low, high in ((0.3, 0.5), (0.5, 0.75), (0.75, 1.0)):
    gaps = []
    for feature, row in enumerate(cosine):
        if (row > 0.7).sum() == 1:
            of_this_size = (
                alone & (sizes[:, feature] > low) & (sizes[:, feature] <= high)
            )
            gap = sizes[of_this_size, feature] - f[of_this_size, int(row.argmax())]
            gaps.append(gap.mean())
    by_size.append(torch.stack(gaps).median())
    print(f"  the feature alone, of size {low} to {high}: {by_size[-1]:.3f}")

# %% [markdown]
r"""
They are too small by about the same amount, whatever the feature's size. It has to be so: for one feature of
size $s$ the loss $(s - f)^2 + \lambda f$ is smallest at $f = s - \lambda/2$. This is called **shrinkage**, or feature
suppression (Wright and Sharkey 2024). (The prediction is in the data's units, and counts that $b_{dec}$ moves too;
`lab.shrinkage` has the sum. It knows of one feature only, and here 32 share 16 dimensions. Measured is somewhat more
than predicted, most where other features are on beside it.)
"""

# %% tags=["claim"]
assert max(by_size) / min(by_size) < 1.1, (
    "They are too small by about the same amount, whatever the feature's size"
)
assert middle > max(by_size) > predicted, "Measured is somewhat more than predicted"

# %% tags=["quiz"]
quiz("l1-shrinkage", "c")

# %% [markdown]
r"""
## How good is it, where the answer is not known?

On a language model there is no list of features to match. What can be measured: **L0**, how many latents are on
per sample, and the **fraction of variance unexplained**,

$$\mathrm{FVU} = \frac{\sum_n \lVert x_n - x'_n \rVert^2}{\sum_n \lVert x_n - \bar x \rVert^2}$$

with the mean sample $\bar x$. Always saying the mean gives 1, perfect is 0.
"""

# %% [markdown] slug="sae-metrics"
r"""
Return (L0, FVU). L0 is a count over latents, a mean over samples. In FVU both sums run over all samples and
dimensions together.
"""


# %% tags=["exercise"] slug="sae-metrics"
def sae_metrics(
    x: Float[Tensor, "sample d"],
    x_hat: Float[Tensor, "sample d"],
    latents: Float[Tensor, "sample latent"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """L0, and the fraction of variance unexplained."""
    # BEGIN SOLUTION
    l0 = (latents > 0).sum(dim=-1).to(x.dtype).mean()
    variance = (x - x.mean(dim=0)).square().sum()
    return l0, (x - x_hat).square().sum() / variance
    # END SOLUTION


# %% tags=["check"]
check("sae-metrics", sae_metrics)

# %% [markdown]
r"""
## Dead latents

A latent that is never on gets no gradient: neither term of the loss depends on its weights. So once it has died
nothing of its own brings it back. Chance may: $b_{dec}$, which every latent reads, goes on moving, and with it what
the latent sees. How do you know that a latent is dead, and not only rare? You count for how many samples in a row
it has been silent, and call it dead after a number of samples that is long against the rarest feature you hope
for (the *window*).
"""

# %% [markdown] slug="dead-latents"
r"""
`silent` says for how many samples each latent has been silent so far. Return the same after one more batch: a
latent that is on anywhere in the batch starts again at 0, the others grow by the number of samples. Return a
new tensor.
"""


# %% tags=["exercise"] slug="dead-latents"
def count_silence(
    silent: Int[Tensor, "latent"], latents: Float[Tensor, "batch latent"]
) -> Int[Tensor, "latent"]:
    """For how many samples each latent has been silent, after one more batch."""
    # BEGIN SOLUTION
    fired = (latents > 0).any(dim=0)
    return torch.where(fired, 0, silent + len(latents))
    # END SOLUTION


# %% tags=["check"]
check("dead-latents", count_silence)

# %% [markdown]
r"""
Do the dead stay dead? The first toy again, with twice the λ, in ten parts. After each part your function counts who
was silent throughout 50,000 samples.
"""

# %% id="do-the-dead-come-back"
start = unit_decoder(torch.randn(64, 16, generator=seeded(3))).float()
weights = start.T, torch.zeros(64), start, x.mean(dim=0)
dead_after_part = []
for batches in x.view(10, -1, 256, 16):
    weights = train_dictionary(*weights, batches, l1=4.0, learning_rate=0.003)
    silent = torch.zeros(64, dtype=torch.long)
    for some in x[:50_000].split(1000):
        silent = count_silence(silent, sae_forward(some, *weights)[0])
    dead_after_part.append(silent >= 50_000)
dead_after_part = torch.stack(dead_after_part)
came_back = (dead_after_part[:-1] & ~dead_after_part[1:]).any(dim=0)
print("dead after each part:", *dead_after_part.sum(dim=1).tolist())
print(
    f"ever dead: {dead_after_part.any(dim=0).sum()}, of these on again later: {came_back.sum()}"
)

# %% [markdown]
r"""
Their number grows; two came back by themselves for a while, and died again. At the end all five are dead. Nobody should
count on chance.
"""

# %% tags=["claim"]
assert dead_after_part[-1].sum() > dead_after_part[0].sum() == 0, "Their number grows"
assert came_back.sum() == 2 and dead_after_part[-1][came_back].all(), (
    "two came back by themselves for a while, and died again"
)
assert dead_after_part[-1].sum() == dead_after_part.any(dim=0).sum() == 5, (
    "At the end all five are dead"
)

# %% tags=["quiz"]
quiz("dead-or-rare", "b")

# %% [markdown]
r"""
Two cures. An **auxiliary loss** (Gao et al. 2024) gives dead latents a task of their own: explain what the
living ones leave over, $x - x'$, with the $k$ largest among the dead. That is a gradient towards what is
missing. **Resampling** (Bricken et al. 2023) is blunter, and you will write it: put a dead latent where it
hurts.
"""

# %% [markdown] slug="resample"
r"""
For each dead latent draw one row of `x` (with replacement), with a probability that is proportional to its
**squared** loss, $(\lVert x - x' \rVert^2)^2$. Let $e$ be that row's error $x - x'$. The latent then

- writes `W_dec` row = $e / \lVert e \rVert$,
- reads `W_enc` column = the same direction, with 0.2 times the mean length of the **living** latents' columns,
- has `b_enc` = 0.

Living latents stay as they are. Return new `(W_enc, b_enc, W_dec)`; leave what you are given as it is. All
chance comes from `generator`. If no latent is dead, nothing changes. (Bricken et al. take the direction of $x$
itself; the error leaves out what other latents explain already.)
"""


# %% tags=["exercise"] slug="resample"
def resample(
    W_enc: Float[Tensor, "d latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
    b_dec: Float[Tensor, "d"],
    x: Float[Tensor, "sample d"],
    dead: Bool[Tensor, "latent"],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Dead latents start again at what is reconstructed badly."""
    # BEGIN SOLUTION
    W_enc, b_enc, W_dec = W_enc.clone(), b_enc.clone(), W_dec.clone()
    n_dead = int(dead.sum())
    if n_dead == 0:
        return W_enc, b_enc, W_dec
    error = x - sae_forward(x, W_enc, b_enc, W_dec, b_dec)[1]
    chance = error.square().sum(dim=-1).square()
    drawn = torch.multinomial(chance, n_dead, replacement=True, generator=generator)
    direction = unit_decoder(error[drawn])
    W_dec[dead] = direction
    W_enc[:, dead] = 0.2 * W_enc[:, ~dead].norm(dim=0).mean() * direction.T
    b_enc[dead] = 0
    return W_enc, b_enc, W_dec
    # END SOLUTION


# %% tags=["check"]
check("resample", resample)

# %% [markdown]
r"""
Does it work? A test with a planted answer: eight features at right angles, and a dictionary whose latents are
those features. It reconstructs everything. Now one latent is silenced and its direction forgotten. Nothing else
is wrong, so exactly this direction should be adopted.
"""

# %% id="planted-signal"
eight = torch.linalg.qr(torch.randn(8, 8, generator=seeded(0))).Q
planted = lab.ToyActivations(directions=eight, probability=torch.full((8,), 0.2))
W_dec, b_enc, silenced = eight.clone(), torch.zeros(8), torch.arange(8) == 3
b_enc[silenced] = -100.0  # never on again
W_dec[silenced] = unit_decoder(torch.randn(1, 8, generator=seeded(1))).float()
_, _, adopted = resample(
    eight.T,
    b_enc,
    W_dec,
    torch.zeros(8),
    planted.rows(500, seeded(2)),
    silenced,
    seeded(3),
)
for name, rows in (("before", W_dec), ("after", adopted)):
    cosine, feature = map(torch.as_tensor, match_features(eight, rows[silenced]))
    print(f"{name:<8}nearest to feature {feature.item()}, cosine {cosine.item():.3f}")

# %% tags=["claim"]
assert feature.item() == 3 and cosine.item() > 0.999, (
    "exactly this direction should be adopted"
)

# %% tags=["quiz"]
quiz("dead-latents-cause", "c")

# %% [markdown]
r"""
## Other ways to be sparse

L1 charges for every bit of a latent, hence shrinkage. Two ways out: set how many latents may be on, or charge
for *being* on, whatever the value.

**TopK** (Gao et al. 2024): of each sample's pre-activations keep the $k$ largest. No penalty, no λ; $k$ says
how sparse it is. **BatchTopK** (Bussmann et al. 2024) keeps the $k \cdot$ batch largest of the whole batch, so
that a difficult sample can have more.
"""

# %% [markdown] slug="top-k"
r"""
Keep the `k` largest pre-activations of each sample, and of those only what is above 0: a ReLU comes with it.
Everything else is 0. The last axis is latents; there may be several axes before it.
"""


# %% tags=["exercise"] slug="top-k"
def top_k(
    pre: Float[Tensor, "*batch latent"], k: int
) -> Float[Tensor, "*batch latent"]:
    """The k largest pre-activations of each sample, if they are above 0."""
    # BEGIN SOLUTION
    kept = torch.relu(pre).topk(k, dim=-1)
    return torch.zeros_like(pre).scatter(-1, kept.indices, kept.values)
    # END SOLUTION


# %% tags=["check"]
check("top-k", top_k)

# %% [markdown]
r"""
**JumpReLU** (Rajamanoharan et al. 2024) gives each latent a threshold $\theta$ of its own:

$$\mathrm{JumpReLU}_\theta(z) = \begin{cases} z & z > \theta \\ 0 & \text{otherwise} \end{cases}$$

What is above the threshold is left as it is, so nothing shrinks. The penalty is L0 itself, the number of
latents that are on. And the threshold should learn. But how? Move $\theta$ a little, and the output does not
change at all, unless some $z$ lies just there: the derivative is 0 almost everywhere. A **straight-through
estimator** says something useful in place of that 0: it looks at the samples in a narrow band around the
threshold, $|z - \theta| < \varepsilon/2$. Spread evenly over the band, as they are if it is narrow, a share
$d/\varepsilon$ of them is switched off when $\theta$ is raised by a small $d$, and what each of these loses is its
value: take $\theta$ for it, whatever its $z$. So what is the derivative for a sample in the band, and what outside?
"""

# %% [markdown] slug="jump-relu"
r"""
Write it as a `torch.autograd.Function`: `forward` computes the values, `backward` gets the gradient of the loss
with respect to the output and returns one gradient for each argument of `forward` (for the bandwidth
$\varepsilon$: `None`). The gradient for `pre` is the usual one: it passes where the latent is on. One threshold
serves the whole batch, so its gradient is a sum over samples.
"""


# %% tags=["exercise"] slug="jump-relu"
class JumpReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pre, threshold, bandwidth):
        """pre where it is above its latent's threshold, else 0."""
        # BEGIN SOLUTION
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return pre * (pre > threshold)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad):
        """The gradients for pre, threshold and bandwidth (None)."""
        # BEGIN SOLUTION
        pre, threshold = ctx.saved_tensors
        near = ((pre - threshold).abs() < ctx.bandwidth / 2).to(pre.dtype)
        for_threshold = -threshold / ctx.bandwidth * near * grad
        return grad * (pre > threshold), for_threshold.sum(dim=0), None
        # END SOLUTION


def jump_relu(
    pre: Float[Tensor, "batch latent"],
    threshold: Float[Tensor, "latent"],
    bandwidth: float,
) -> Float[Tensor, "batch latent"]:
    """JumpReLU with a straight-through gradient for the threshold."""
    return JumpReLU.apply(pre, threshold, bandwidth)


# %% tags=["check"]
check("jump-relu", jump_relu)

# %% [markdown]
r"""
The penalty is L0, and its gradient is estimated in the same way: of the samples in the band, raising $\theta$ by $d$
switches a share $d/\varepsilon$ off, and each of them is one latent less. (`lab.l0_penalty` is that.) A look at how
good the estimate is, where the truth is known: $z$ from a standard normal distribution, $\theta = 1$, ten batches of
2,000 samples for each bandwidth. The truth is minus the density at 1.
"""

# %% id="the-estimator-of-l0"
z = torch.randn(10, 2000, 1, generator=seeded(0))
truth = -torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(1.0)).exp()
print(f"{'bandwidth':>10}{'estimate (mean of ten)':>24}{'spread':>10}{'truth':>10}")
estimates = {}
for bandwidth in (0.001, 0.01, 0.1, 1.0, 4.0):
    each = []
    for batch in z:
        θ = torch.ones(1, requires_grad=True)
        lab.l0_penalty(batch, θ, bandwidth).backward()
        each.append(θ.grad.item())
    estimates[bandwidth] = torch.tensor(each)
    mean, spread = estimates[bandwidth].mean(), estimates[bandwidth].std()
    print(f"{bandwidth:>10g}{mean:>24.3f}{spread:>10.3f}{truth:>10.3f}")

# %% [markdown]
r"""
The narrower the band, the more the estimate jumps from batch to batch: at .001 by almost twice the truth, since
hardly a sample lies in it. Too wide a band is steady and wrong: at 4 it is off, since it says the mean density over a
wide stretch, not the density at the threshold. The *forward* value has no such choice in it.
"""

# %% tags=["claim"]
_spread = [_each.std() for _each in estimates.values()]
_off = [abs(_each.mean() - truth) for _each in estimates.values()]
assert _spread == sorted(_spread, reverse=True), (
    "The narrower the band, the more the estimate jumps from batch to batch"
)
assert 1.7 < _spread[0] / abs(truth) < 1.9, "at .001 by almost twice the truth"
assert _off[4] > 0.03 > 10 * _off[3], "at 4 it is off"

# %% [markdown]
r"""
All of them on the toy, each with its recipe. (The `tanh` penalty charges for a latent up to some size and no
more: between L1 and L0. Chapter 06 trains with it.)
"""

# %% id="five-kinds"
test_x = toy.rows(20_000, seeded(10**6))
print(
    f"{'kind':<12}{'found of 32':>12}{'mean max cosine':>18}{'L0':>8}{'FVU':>8}{'too small by':>15}"
)
shrinks, recovered = {}, {}
for name in ("relu", "topk", "batchtopk", "jumprelu", "tanh"):
    made = (
        relu.sae
        if name == "relu"
        else lab.train_sae(toy.chunk, lab.toy_recipe(name), progress=False).sae
    )
    found = lab.match_features(made.W_dec, toy.directions)
    l0, fvu = sae_metrics(test_x, made(test_x), made.encode(test_x))
    lost = too_small(made)
    shrinks[name], recovered[name] = sum(lost) / max(1, len(lost)), found
    print(
        f"{name:<12}{int((found.cosine > 0.95).sum()):>12}{found.mean_max_cosine:>18.3f}"
        f"{l0:>8.2f}{fvu:>8.3f}{shrinks[name]:>15.3f}"
    )

# %% [markdown]
r"""
**What you should see.** All five find the features, with a mean max cosine of at least 0.99. The last column
says how much too small the latents are: .21 with L1, .04 to .06 without it. So L1's penalty shrinks them; the little
that is left with the others has another reason, for TopK has no penalty at all.

## How sparse?

Every dictionary is a trade: fewer latents, more error. So one number never says which of two is better. Draw
both.
"""


# %% tags=["claim"]
assert all((_found.cosine > 0.95).all() for _found in recovered.values()), (
    "All five find the features, with a mean max cosine of at least 0.99"
)
assert min(_found.mean_max_cosine for _found in recovered.values()) >= 0.99, (
    "All five find the features, with a mean max cosine of at least 0.99"
)
_little = [_s for _n, _s in shrinks.items() if _n != "relu"]
assert round(shrinks["relu"], 2) == 0.21, ".21 with L1"
assert min(_little) > 0.035 and max(_little) < 0.065, ".04 to .06 without it"


# %% id="sweep"
class Point(NamedTuple):
    kind: str
    setting: float
    l0: float
    fvu: float
    found: int

    @property
    def label(self) -> str:
        return f"{self.setting:g}, {self.found} of 32 features"


def measured(name: str, setting: float, **changes) -> Point:
    """Train with a recipe that is changed a little, and measure."""
    recipe = lab.toy_recipe(name, n_steps=900, **changes)
    made = lab.train_sae(toy.chunk, recipe, progress=False).sae
    metrics = lab.sae_metrics(made, test_x)
    cosine = lab.match_features(made.W_dec, toy.directions).cosine
    return Point(name, setting, metrics.l0, metrics.fvu, int((cosine > 0.95).sum()))


points = [measured("relu", λ, sparsity=λ) for λ in (0.25, 0.5, 1.0, 2.0, 4.0)]
points += [measured("topk", k, kind=lab.TopK(k=k)) for k in (1, 2, 4, 8)]
points += [measured("jumprelu", λ, sparsity=λ) for λ in (0.25, 0.5, 1.0, 2.0)]
print(f"{'kind':<10}{'λ or k':>8}{'L0':>8}{'FVU':>8}{'found of 32':>14}")
for p in points:
    print(f"{p.kind:<10}{p.setting:>8g}{p.l0:>8.2f}{p.fvu:>8.3f}{p.found:>14}")

# %% id="pareto-figure"
show.pareto_figure(points, target_l0=2.0)

# %% tags=["claim"]
_of = {
    _kind: [_p for _p in points if _p.kind == _kind]
    for _kind in ("relu", "topk", "jumprelu")
}
_near = {_kind: min(_ps, key=lambda p: abs(p.l0 - 2)) for _kind, _ps in _of.items()}
assert _near["relu"].l0 > _near["topk"].l0 and _near["relu"].fvu > _near["topk"].fvu, (
    "At an L0 of 2 the kinds without shrinkage leave less variance"
)
assert (
    _near["jumprelu"].l0 < 2 < _near["relu"].l0
    and _near["jumprelu"].fvu < _near["relu"].fvu
), "At an L0 of 2 the kinds without shrinkage leave less variance"
assert (
    _of["relu"][0].l0 > _of["topk"][-1].l0 and _of["relu"][1].fvu < _of["topk"][2].fvu
), "at 6 and more L1 is no worse than TopK"
for _ps in _of.values():
    assert min(_ps, key=lambda p: p.fvu).found == min(_p.found for _p in _ps), (
        "The run with the lowest error of each kind finds the fewest features"
    )
assert min(_of["relu"], key=lambda p: p.setting).found == 1, "1 of 32 at the smallest λ"
assert min(_of["jumprelu"], key=lambda p: p.setting).found == 1, (
    "1 of 32 at the smallest λ"
)
assert _of["topk"][-1].setting == 8 and _of["topk"][-1].found == 0, "none with k = 8"

# %% [markdown] slug="pareto"
r"""
Which of these would you never take? One that another **beats**: the other has at most as many latents on *and*
at most as much loss, and less of at least one of the two. The ones that nobody beats are the *front*. Return a
mask `[point]`: True for the front. (Two equal points do not beat each other.)
"""


# %% tags=["exercise"] slug="pareto"
def pareto_front(
    l0: Float[Tensor, "point"], loss: Float[Tensor, "point"]
) -> Bool[Tensor, "point"]:
    """Which points no other one beats."""
    # BEGIN SOLUTION
    as_good = (l0 <= l0[:, None]) & (loss <= loss[:, None])  # [point, another]
    better = (l0 < l0[:, None]) | (loss < loss[:, None])
    return ~(as_good & better).any(dim=1)
    # END SOLUTION


# %% tags=["check"]
check("pareto", pareto_front)

# %% [markdown] slug="pick-lambda"
r"""
You want an L0 of `target_l0`, and have tried a few λ. Interpolate: between the two neighbours of the target,
linearly in the **logarithms** of both λ and L0 (both range over factors). The runs may come in any order; L0
falls as λ rises, and the target lies between two of them.
"""


# %% tags=["exercise"] slug="pick-lambda"
def sparsity_for(target_l0: float, sparsity: list[float], l0: list[float]) -> float:
    """The λ that should give a wanted L0."""
    # BEGIN SOLUTION
    tried = sorted(zip(sparsity, l0, strict=True))
    for (low, many), (high, few) in pairwise(tried):
        if few <= target_l0 <= many:
            logs = torch.tensor(
                [low, high, many, few, target_l0], dtype=torch.float64
            ).log()
            share = (logs[2] - logs[4]) / (logs[2] - logs[3])
            return torch.lerp(logs[0], logs[1], share).exp().item()
    raise ValueError(f"An L0 of {target_l0} is not between those tried.")
    # END SOLUTION


# %% tags=["check"]
check("pick-lambda", sparsity_for)

# %% id="the-target"
l1_runs = [p for p in points if p.kind == "relu"]
λ = sparsity_for(2.0, [p.setting for p in l1_runs], [p.l0 for p in l1_runs])
print(f"an L0 of 2 with L1: λ = {λ:.2f}")

# %% [markdown]
r"""
**What you should see.** At an L0 of 2 the kinds without shrinkage leave less variance; at 6 and more L1 is no worse
than TopK. Then look at the last column of the table, which on a language model you could not print. The run with the
*lowest* error of each kind finds the *fewest* features: 1 of 32 at the smallest λ (L1, JumpReLU), none with k = 8. A
dictionary that may use many more latents than there are features in a sample (1.28 here) mixes features, and
reconstructs better for it. So neither axis says whether latents are features, and going down the curve is not always
going forward. And L0 is not all: at about 3, L1 finds 31 features and JumpReLU one. Too few latents do no harm here
(32, 32 and 31 features at the lowest L0 of each kind), where features come independently of each other. Chanin and
Garriga-Alonso 2025 find that dictionaries mix *correlated* features at too low an L0 as well as at too high a one,
and that of those in common use most have an L0 that is too *low*.
"""

# %% tags=["claim"]
_near_3 = {p.kind: p.found for p in points if 2.9 < p.l0 < 3.4}
assert _near_3 == {"relu": 31, "jumprelu": 1}, (
    "at about 3, L1 finds 31 features and JumpReLU one"
)
_lowest = {
    _kind: min((p for p in points if p.kind == _kind), key=lambda p: p.l0).found
    for _kind in ("relu", "topk", "jumprelu")
}
assert list(_lowest.values()) == [32, 32, 31], (
    "(32, 32 and 31 features at the lowest L0 of each kind)"
)

# %% tags=["quiz"]
quiz("choose-lambda", "d")

# %% tags=["quiz"]
quiz("dense-at-99", "c")

# %% tags=["quiz"]
quiz("why-not-wider", "d")

# %% [markdown]
r"""
## A language model

`atlas` is the course's small language model: 5 layers, 128 dimensions, taught in three languages which cities
lie in which states and countries, and what their capitals, flowers and time zones are (chapter 05 is about it).
We know every text's ground truth: which token is a city, in which state it lies, which relation is asked. So a
dictionary's latents can be *marked*.

We take what layer 2's **attention** writes. Asked for the capital of Dallas's state, the model has to bring
"Texas" from the name to the token where the answer is due, and attention is the only part of a model that moves
anything between tokens. So states and countries are marked at these tokens, the last ones before an answer. At all
other tokens there is no label for them, neither yes nor no, and they are left out when a latent is marked: our
marks are about answers, not about all text.

One detail decides much of what follows. Such tokens are a ninth of the tokens, and 98 states and countries share
them; left alone, a dictionary spends most of its latents elsewhere. So training sees such tokens more often: they are
90 % of its samples. Metrics are taken on text as it is.
"""

# %% id="open-atlas"
from mi_tutor.specimens import SpecimenError, open_specimen
from mi_tutor.specimens.atlas import labelled_texts, training_texts

LAYER = 2
HOOK = f"blocks.{LAYER}.hook_attn_out"
model = open_specimen("atlas", device="cpu")
texts = labelled_texts(seed=1, n_rows=400)  # never used for training
due = texts.chosen[:, 1:].flatten()  # without BOS, as rows of activations
print(f"{due.float().mean():.1%} of the tokens stand before an answer")

row = texts.tokens[0, :14]
for position, token in enumerate(row.tolist()):
    carried = [
        c for c, on in zip(texts.concepts, texts.labels[0, position], strict=True) if on
    ]
    print(
        f"{model.to_string(token)!r:<20}{'answer due' if texts.chosen[0, position] else '':<12}{', '.join(carried)}"
    )

# %% tags=["claim"]
assert (model.cfg.n_layers, model.cfg.d_model) == (5, 128), "5 layers, 128 dimensions"
assert len(texts.columns("state", "country")) == 98, (
    "98 states and countries share them"
)
assert 1 / 9.5 < due.float().mean() < 1 / 8.5, "a ninth of the tokens"

# %% [markdown] slug="train-on-atlas"
r"""
Train one, live, in about half a minute: **256 latents, at most 4 of them on** per token (`lab.TopK(k=...)`). On
texts that training has not seen its FVU should be at most 0.25. Where answers are due, which is what we want to read,
it should be at most 0.20, and lower than on the text as a whole; at most 25 % of the latents may be dead.

- `lab.ActivationSource(model=..., name=..., texts=..., share=...)` gives samples: `source(i)` is chunk number
  i. `training_texts(n_rows=300)` gives its texts, which say where answers are due.
- Making samples takes longer than training on them, so make a few chunks once (eight, say) and use them in turn.
- `lab.train_sae(chunk, config)` takes a function from i to chunk i, and a `lab.SaeConfig(d_sae=..., kind=...,
  n_steps=..., learning_rate=..., revive=..., dead_after=..., ...)`. Call the result `trained`.
- To watch it: `live = show.live_training(config)`, and `train_sae(..., on_record=live.update)`.

`lab.SaeConfig?` in a cell of its own shows what the settings mean. About 1,500 steps with a learning rate of some
thousandths are enough. `revive=lab.Auxiliary(k=64, weight=0.5)` brings dead latents back, `dead_after` says after
how many *samples* without a sign of life a latent counts as dead.
"""

# %% tags=["exercise"] slug="train-on-atlas"
# BEGIN SOLUTION
source = lab.ActivationSource(
    model=model, name=HOOK, texts=training_texts(n_rows=300), share=0.9
)
chunks = [source(i) for i in range(8)]
config = lab.SaeConfig(
    d_sae=256,
    kind=lab.TopK(k=3),
    n_steps=1500,
    learning_rate=6e-3,
    sparsity_warmup=500,
    decay=1 / 3,
    revive=lab.Auxiliary(k=64, weight=0.5),
    dead_after=5_000,
)
live = show.live_training(config)
trained = lab.train_sae(
    lambda i: chunks[i % len(chunks)], config, on_record=live.update
)
# END SOLUTION

# %% tags=["check"]
check("train-on-atlas", trained.sae)

# %% id="training-figure"
show.training_figure(
    trained.history, title="A dictionary for what layer 2's attention writes"
)

# %% id="how-good"
x = lab.activation_rows(model, texts.tokens, HOOK)
metrics = lab.sae_metrics(trained.sae, x)
at_due = lab.fvu(x[due], trained.sae(x[due]))
print(
    f"L0 {metrics.l0:.2f}, FVU on text {metrics.fvu:.3f}, where answers are due {at_due:.3f}"
)
print(
    f"dead {metrics.dead:.1%}, dense (on in more than a tenth of the tokens) {metrics.dense:.1%}"
)

# %% [markdown]
r"""
FVU counts every direction alike. The model may not: an error in a direction that later layers read does harm,
another does none. So splice the reconstruction into the model and look at its loss. Zeros in the activation's place
cost something. Of this cost, what share does the reconstruction save? This is the **loss recovered**. 1: the model
works as before; 0: as if all were zeros there; it can be negative. (The FVU in the chart is that of training's
mixture, with its 90 %.)
"""

# %% [markdown] slug="loss-recovered"
r"""
Return that share for the activation of the hook `name` (such as `blocks.2.hook_attn_out`), with `reconstruct`,
a function from activations to activations (a dictionary is one). Loss is the mean next-token loss over all texts
and all positions that have a next token. **Position 0 keeps its own activation** in all runs: it holds BOS.
Leave no hook behind.
"""


# %% tags=["exercise"] slug="loss-recovered"
def loss_recovered(
    model, tokens: Int[Tensor, "row pos"], name: str, reconstruct
) -> float:
    """Of the loss that zeros cost, the share that the reconstruction saves."""

    # BEGIN SOLUTION
    def loss_with(change):
        def replace(activation, hook):
            activation = activation.clone()
            activation[:, 1:] = change(activation[:, 1:])
            return activation

        with torch.no_grad():
            logits = model.run_with_hooks(tokens, fwd_hooks=[(name, replace)])
        log_p = logits[:, :-1].log_softmax(-1)
        return -log_p.gather(-1, tokens[:, 1:, None]).mean().item()

    clean = loss_with(lambda activation: activation)
    spliced = loss_with(reconstruct)
    zero = loss_with(torch.zeros_like)
    return (zero - spliced) / (zero - clean)
    # END SOLUTION


# %% tags=["check"]
check("loss-recovered", loss_recovered)

# %% id="does-it-still-work"
from mi_tutor.specimens import open_dictionary

good = open_dictionary("atlas-attn2")
some = texts.tokens[:100]
print(
    f"{'':<26}{'recovered, against zeros':>26}{'against the mean':>20}{'nats lost per token':>22}"
)


def with_noise(activation: Tensor) -> Tensor:
    """As much noise as there is to explain: FVU 1."""
    distance = (activation - x.mean(dim=0)).norm(dim=-1, keepdim=True)
    noise = torch.randn(activation.shape, generator=seeded(0))
    return activation + distance * noise / noise.norm(dim=-1, keepdim=True)


# The losses without any dictionary are the same for all of them.
losses_there = lab.losses_without(model, [some], LAYER, "attn_out", ablations=["mean"])
recovered_by = {}
for name, made in (
    ("trained just now", trained.sae),
    ("shipped", good),
    ("noise added, FVU 1", with_noise),
):
    share = loss_recovered(model, some, HOOK, made)
    (found,) = lab.losses_recovered(
        model,
        [some],
        LAYER,
        "attn_out",
        made,
        ablations=["mean"],
        without=losses_there,
    )
    print(
        f"{name:<26}{share:>26.1%}{found.recovered:>20.1%}{found.spliced - found.clean:>22.3f}"
    )
    recovered_by[name] = share, found.recovered

# %% [markdown]
r"""
**What you should see.** Both dictionaries recover more than 95 %. And an activation to which as much noise was
*added* as there is to explain recovers about 95 % against zeros and 93 % against the mean, with an FVU of 1, which is
what always saying the mean has. Against what do we measure? Zeros cost about 1.2 nats per token and the mean .8: the
yardstick matters, and is not why. The noisy activation still has its signal, and what comes later goes by that; why
so much noise disturbs it so little, this does not show. FVU sees the noise, the loss sees the signal: two numbers
that are often reported together, and one can be as bad as can be while the other looks good.
"""

# %% tags=["claim"]
_zero, _mean = recovered_by["noise added, FVU 1"]
assert 0.94 < _zero < 0.96 and 0.92 < _mean < 0.94, (
    "recovers about 95 % against zeros and 93 % against the mean"
)
_lost = found.spliced - found.clean  # with the noise, which came last
assert 1.1 < _lost / (1 - _zero) < 1.3 and 0.75 < _lost / (1 - _mean) < 0.89, (
    "Zeros cost about 1.2 nats per token and the mean .8"
)
assert all(
    min(_each) > 0.95 for _n, _each in recovered_by.items() if "noise" not in _n
), "Both dictionaries recover more than 95 %"

# %% tags=["quiz"]
quiz("zero-is-easy", "a")

# %% [markdown]
r"""
## What do its latents mean?

From here on we use `good`, a dictionary that comes with the course: 320 latents, k = 3, and five times the
training. Is it the same as yours, only better? Both describe the same activations.
"""

# %% id="same-latents"
alive = [(made.encode(x) > 0).any(dim=0) for made in (trained.sae, good)]
similar = (
    unit_decoder(trained.sae.W_dec)[alive[0]] @ unit_decoder(good.W_dec)[alive[1]].T
)
nearest = similar.amax(dim=1)
print(f"your living latents: {len(nearest)}")
print(
    f"  with one in `good` at a cosine above .9: {(nearest > 0.9).float().mean():.0%}"
)
print(f"  at a cosine above .7: {(nearest > 0.7).float().mean():.0%}")

# %% [markdown]
r"""
Far from all of ours have a twin there (a cosine above .9); how many, depends on the run, for which rounding that
differs between machines is enough. The seed alone is enough for that: Paulo and Belrose 2025 train pairs of
dictionaries that differ in nothing else, and find 30 % of the latents shared for one with 131,000 latents on Llama 3
8B, and less agreement with TopK than with L1. So a latent is a finding about *this* dictionary, until another one has
it too. How often are its latents on?
"""

# %% tags=["claim"]
assert (nearest > 0.9).float().mean() < 0.75, (
    "Far from all of ours have a twin there (a cosine above .9)"
)

# %% id="density"
show.density_figure(
    lab.density_histogram(lab.sae_metrics(good, x).density),
    title="How often latents are on, layer 2's attention",
)

# %% [markdown]
r"""
Most are on at one token in some thousand to one in a hundred. An answer about a given state is due at about one token
in 800. Four are on at every third to fifth token, and seven never.

Now single ones. Three things to look at: the **contexts** in which a latent is highest, the next tokens that
its direction argues for directly (its **logit effects**, $W_{dec,i} W_U$), and how often it is on (its
**density**).
"""

# %% tags=["claim"]
_density = lab.sae_metrics(good, x).density
assert ((_density > 1 / 5000) & (_density < 1 / 100)).float().mean() > 0.75, (
    "Most are on at one token in some thousand to one in a hundred"
)
_due_to_a_state = texts.labels[..., texts.columns("state")].float().sum() / len(x)
assert 700 < 50 / _due_to_a_state < 900, "one token in 800"
assert 0.3 < _density.max() < 0.4 and int((_density > 0.2).sum()) == 4, (
    "Four are on at every third to fifth token, and seven never"
)
assert int((_density == 0).sum()) == 7, (
    "Four are on at every third to fifth token, and seven never"
)

# %% [markdown] slug="read-a-latent"
r"""
Given one latent's activations on texts `[row pos]` and the direction that it writes, return

1. its density: the share of all tokens on which it is on (above 0),
2. the places of its `n` highest activations, `[n 2]`, highest first: row (which text) and position,
3. the numbers of the `n` tokens whose logits the direction raises most, most first.

The final LayerNorm divides all effects by the same number and is left out. What a latent does in layer 2
can go through later layers, so logit effects are a hint here, not the whole story.
"""


# %% tags=["exercise"] slug="read-a-latent"
def read_latent(
    activations: Float[Tensor, "row pos"],
    direction: Float[Tensor, "d_model"],
    W_U: Float[Tensor, "d_model vocab"],
    n: int,
) -> tuple[float, Int[Tensor, "n 2"], Int[Tensor, "n"]]:
    """Density, the n highest places (row, position), and the n tokens that are raised most."""
    # BEGIN SOLUTION
    density = (activations > 0).float().mean().item()
    flat = activations.flatten().topk(n).indices
    n_positions = activations.shape[1]
    places = torch.stack([flat // n_positions, flat % n_positions], dim=1)
    raised = (direction @ W_U).topk(n).indices
    return density, places, raised
    # END SOLUTION


# %% tags=["check"]
check("read-a-latent", read_latent)

# %% [markdown]
r"""
Which latents? Let us find, for each concept in our labels, the latent that says it best. How that is done
fairly you will write in a minute; the figure of all of them comes after that. The dashboard shows any latent:
type a number, or a concept such as *Texas*, and go through the contexts from strong to weak. Do not expect logit
effects to be clean: beside the state's own words there are others that its direction happens to touch (between Texas
and Austin stands Vietnamese).
"""

# %% id="dashboard"
other_texts = labelled_texts(seed=2, n_rows=400)
other_x = lab.activation_rows(model, other_texts.tokens, HOOK)


def asked_about(some_texts, rows) -> tuple[Tensor, Tensor]:
    """Activations and labels of the tokens where states are marked."""
    asked = some_texts.asked("state")[:, 1:].flatten()  # without BOS, as rows
    return rows[asked], some_texts.labels[:, 1:].flatten(0, 1)[asked]


x_here, labels_here = asked_about(texts, x)  # for choosing
x_there, labels_there = asked_about(other_texts, other_x)  # for marking
matches = lab.match_concepts(
    (good.encode(x_here), labels_here),
    (good.encode(x_there), labels_there),
    thresholds=False,
)
show.latent_dashboard(
    good,
    model,
    HOOK,
    texts.tokens,
    concepts=texts.concepts,
    labels=texts.labels,
    matches=matches,
    latent=int(matches.unit[texts.concepts.index("state=Texas")]),
)

# %% tags=["claim"]
_texas = good.W_dec[matches.unit[texts.concepts.index("state=Texas")]]
_raised = [model.to_string(_token) for _token in (_texas @ model.W_U).topk(3).indices]
assert _raised == [" Texas", " Vietnamese", " Austin"], (
    "between Texas and Austin stands Vietnamese"
)

# %% tags=["quiz"]
quiz("top-contexts", "c")

# %% id="the-mystery"
from mi_tutor.specimens.atlas import mystery_latent

print("a latent without a label:", mystery_latent())

# %% [markdown] slug="name-a-latent"
r"""
Read the latent whose number stands above, in the dashboard or with your function. Which state is it about? Put its
English name, as in `"Texas"`, into `state`.

(With your function: `lab.encode_texts(good, x.view(len(texts.tokens), -1, x.shape[1]))[..., number]` is its
activation on all texts, without BOS, so place p there is position p + 1 in `texts.tokens`.)
"""

# %% tags=["exercise"] slug="name-a-latent"
# BEGIN SOLUTION
states = [i for i, c in enumerate(texts.concepts) if c.startswith("state=")]
is_on = good.encode(x_here)[:, mystery_latent()] > 0
most = int(labels_here[is_on][:, states].sum(dim=0).argmax())
state = texts.concepts[states[most]].removeprefix("state=")
# END SOLUTION

# %% tags=["check"]
check("name-a-latent", state)

# %% [markdown]
r"""
## Marking a label

"Latent 123 is Texas" is a claim about all tokens before an answer, the strong contexts and the rest: it is on where
an answer about Texas or one of its cities is due, and where no other is. With ground truth the claim can be marked.

$$\text{precision} = \frac{\text{right}}{\text{said}} \qquad \text{recall} = \frac{\text{right}}{\text{there}} \qquad
F_1 = \frac{2\, P\, R}{P + R} = \frac{2\, \text{right}}{\text{said} + \text{there}}$$

*said*: tokens on which the latent is on; *there*: tokens that carry the concept; *right*: both.
"""

# %% [markdown] slug="score-a-label"
r"""
Return (precision, recall, F1). Where one of them would be 0 / 0, it is 0.
"""


# %% tags=["exercise"] slug="score-a-label"
def score_a_label(
    said: Bool[Tensor, "token"], there: Bool[Tensor, "token"]
) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    # BEGIN SOLUTION
    right, n_said, n_there = (int(each.sum()) for each in (said & there, said, there))
    precision = right / n_said if n_said else 0.0
    recall = right / n_there if n_there else 0.0
    both = n_said + n_there
    return precision, recall, 2 * right / both if both else 0.0
    # END SOLUTION


# %% tags=["check"]
check("score-a-label", score_a_label)

# %% [markdown] slug="choose-then-mark"
r"""
Which latent stands for a concept? The one with the best F1. But the best of many looks good by chance on the
very texts that it was picked on. So: choose on some texts, mark on others. Return the number of the latent with
the best F1 on the `first` texts, and **its** F1 on the `second`. A latent says the concept where it is above 0.
"""


# %% tags=["exercise"] slug="choose-then-mark"
def best_latent(
    first: Float[Tensor, "token latent"],
    there_first: Bool[Tensor, "token"],
    second: Float[Tensor, "token2 latent"],
    there_second: Bool[Tensor, "token2"],
) -> tuple[int, float]:
    """The latent with the best F1 on the first texts, and its F1 on the second ones."""
    # BEGIN SOLUTION
    scores = [score_a_label(latent > 0, there_first)[2] for latent in first.T]
    best = max(range(len(scores)), key=lambda i: scores[i])
    return best, score_a_label(second[:, best] > 0, there_second)[2]
    # END SOLUTION


# %% tags=["check"]
check("choose-then-mark", best_latent)

# %% id="fifty-states"
states = [i for i, c in enumerate(texts.concepts) if c.startswith("state=")]
latents_here, latents_there = good.encode(x_here), good.encode(x_there)
print(f"{'state':<18}{'latent':>8}{'F1':>8}")
for i in states[::10]:
    number, f1 = best_latent(
        latents_here, labels_here[:, i], latents_there, labels_there[:, i]
    )
    print(f"{texts.concepts[i].removeprefix('state='):<18}{number:>8}{f1:>8.2f}")
for whose, made in (("this dictionary", good), ("yours", trained.sae)):
    f1 = lab.match_concepts(
        (made.encode(x_here), labels_here[:, states]),
        (made.encode(x_there), labels_there[:, states]),
        thresholds=False,
    ).f1
    print(
        f"all 50, {whose}: mean F1 {f1.mean():.2f}, at least 0.9: {int((f1 >= 0.9).sum())}"
    )
    if made is good:
        at_zero = f1

# %% tags=["quiz"]
quiz("best-of-many", "d")

# %% [markdown]
r"""
## Neurons or latents?

Were latents worth the trouble? Chapter 01 said that neurons answer to several features. Mark both in the same
way. There is a difference, though: a latent has a natural threshold, 0. A neuron is hardly ever exactly 0. To
be fair, give each unit the threshold that suits it best.
"""

# %% [markdown] slug="neurons-vs-latents"
r"""
A unit says the concept where its activation is **above** a threshold. Return the threshold that gives the best
F1, and that F1. Only the unit's own values matter as thresholds; any threshold that parts the tokens in the
same way is as good. Equal values are all said or none of them, and saying it *everywhere* does not count. (A
unit whose values are all equal says nothing, and its F1 is 0.)
"""


# %% tags=["exercise"] slug="neurons-vs-latents"
def best_threshold(
    activation: Float[Tensor, "token"], there: Bool[Tensor, "token"]
) -> tuple[float, float]:
    """The best threshold for saying a concept, and its F1."""
    # BEGIN SOLUTION
    values, order = activation.sort(descending=True)
    right = there[order].cumsum(dim=0)
    f1 = 2 * right / (torch.arange(1, len(values) + 1) + there.sum())
    lower = torch.cat([values[1:], values[:1]])  # the last one has no lower value
    f1 = torch.where(values > lower, f1, 0.0)  # between equal values no threshold
    best = int(f1.argmax())
    return lower[best].item(), f1[best].item()
    # END SOLUTION


# %% tags=["check"]
check("neurons-vs-latents", best_threshold)

# %% [markdown]
r"""
Three kinds of units, all marked where an answer about a state or country is due: the dictionary's latents, the
neurons of layer 2's MLP, and random directions, as many as there are latents.
"""

# %% id="latents-against-neurons"
named = [
    i for i, c in enumerate(texts.concepts) if c.startswith(("state=", "country="))
]
random_directions = torch.randn(x.shape[1], good.d_sae, generator=seeded(0))


@cache  # they are needed again below
def where_due(place: str, some_texts) -> tuple[Tensor, Tensor]:
    """Activations and states of the tokens where an answer about a state or country is due."""
    rows = lab.activation_rows(model, some_texts.tokens, place)
    rows, found = asked_about(some_texts, rows[0] if place.endswith("mlp") else rows)
    about = found[:, named].any(dim=1)
    return rows[about], found[about][:, states]


def units_of(kind: str, some_texts) -> tuple[Tensor, Tensor]:
    """[token unit] and [token state]."""
    place = f"blocks.{LAYER}.mlp.hook_post" if kind == "neurons" else HOOK
    rows, found = where_due(place, some_texts)
    if kind == "latents":
        rows = good.encode(rows)
    elif kind == "random directions":
        rows = (rows - good.b_dec) @ random_directions
    return rows, found


compared = {}
for kind in ("latents", "neurons", "random directions"):
    choosing, marking = units_of(kind, texts), units_of(kind, other_texts)
    compared[kind] = lab.match_concepts(choosing, marking)
    f1 = compared[kind].f1
    print(
        f"{choosing[0].shape[1]:>4} {kind:<18} mean F1 {f1.mean():.2f}, "
        f"at least 0.9: {int((f1 >= 0.9).sum())} of {len(f1)}"
    )
wins = (compared["latents"].f1 > compared["neurons"].f1).float().mean()
print(f"states whose best latent beats their best neuron: {wins:.0%}")

# %% id="concept-figure"
shown = texts.columns("state", "country", "relation", "language")
choosing, marking = (
    (good.encode(rows), labels[:, shown])
    for rows, labels in ((x_here, labels_here), (x_there, labels_there))
)
show.concept_score_figure(
    lab.match_concepts(choosing, marking), [texts.concepts[i] for i in shown]
)

# %% [markdown]
r"""
**What you should see.** For each of the 50 states there is one latent that says it with an F1 of 0.9 or more, and
no neuron and no random direction does. With the threshold 0 it was half of them: latents are weakly on where they
should not be, and a threshold of their own takes that away. A triumph, it seems: so the monosemanticity papers have
it (Bricken et al. 2023, Cunningham et al. 2023). But look at the other two rows: on average the best neuron (.30) is
no better than the best random direction (.32). Before you believe this table: is it a fair one?
"""

# %% tags=["claim"]
assert int((at_zero >= 0.9).sum()) == 25, "With the threshold 0 it was half of them"

# %% tags=["claim"]
_f1 = {_kind: _each.f1 for _kind, _each in compared.items()}
_families = {
    _name: lab.match_concepts(
        *(
            (_f, _l[:, [shown.index(_i) for _i in texts.columns(_name)]])
            for _f, _l in (choosing, marking)
        )
    ).f1
    for _name in ("relation", "language")
}
assert (_f1["latents"] >= 0.9).all(), (
    "For each of the 50 states there is one latent that says it with an F1 of 0.9 or more"
)
assert (_f1["neurons"] < 0.9).all() and (_f1["random directions"] < 0.9).all(), (
    "no neuron and no random direction does"
)
assert _f1["neurons"].mean() < _f1["random directions"].mean(), (
    "on average the best neuron (.30) is no better than the best random direction (.32)"
)
assert [
    f"{_f1[_kind].mean():.2f}"[1:] for _kind in ("neurons", "random directions")
] == [".30", ".32"], (
    "on average the best neuron (.30) is no better than the best random direction (.32)"
)
assert max(_each.max() for _each in _families.values()) < 0.5, (
    "no latent of this dictionary says them"
)

# %% [markdown] slug="like-for-like"
r"""
A comparison is like for like if its two sides differ in *one* thing, the one that is asked about. Design two that ask
whether a dictionary was worth its training, say beforehand what they will show, and then what follows from them and
what does not. One is for what layer 2's **attention** writes, one for layer 2's **MLP**. One side is given: in the
first the latents of `atlas-attn2` (there are 320), in the second those of `atlas-mlp2` (512), a *transcoder*: it reads
what the MLP reads and writes what the MLP writes, in place of it. All else is yours.

Hand in `design = {"attention": ..., "mlp": ..., "predicted": ..., "follows": ...}`. Each of the two comparisons is a
dict of five entries:

- `"latents"` and `"others"`: the two sides, dicts with `"how many"` of the units take part (100 or more, drawn at
  random) and their `"threshold"`: `"zero"`, `"chosen"` (the best on the texts for choosing), or `"best"` (the best on
  the texts where it is marked). `"others"` also says which `"units"`, see below.
- `"choose on"` and `"mark on"`: on which of two sets of fresh texts, `"A"` and `"B"`, each state's unit is chosen,
  and on which it is marked.
- `"difference"`: what you expect of it: mean F1 over states of the latents, minus that of the others.

| `"units"` | how many there are | they read |
|---|---|---|
| `"neurons"` | 512, of layer 2's MLP | `mlp_in` |
| `"axes of attn_out"`, and so on | 128 | that activation |
| `"both signs of attn_out"`, and so on | 256: the axes, and minus the axes | that activation |
| `"random directions of attn_out"`, and so on | up to 512 | that activation |

The activations are layer 2's `attn_out` and `mlp_out` (what attention and MLP write), `resid_mid` (the stream between
them) and `mlp_in` (what the MLP reads: `lab.activation_rows(model, tokens, "blocks.2.mlp")[0]`).

The check draws new texts and does three things with each of the two comparisons. It **runs** it: the difference
should come out within .08 of yours. It runs a **placebo**: on each side random directions of what that side's units
read, as many, with that side's threshold. There is nothing to find, so neither side may win by more than .03. And it
**replicates**: chosen units are marked again, on a third set of texts, and may lose .03 on average of the two sides.
A comparison that fails the placebo or the replication is not like for like, and its prediction does not count.

`"predicted"`: what do units have that took part in neither? The mean F1 over states, thresholds chosen on A, marked on
B. (A *label direction* of a state is the mean on A where the state is asked about, minus the mean of all. There is one
for each state, and nothing to choose. Of the others the best for each state is taken, as usual. The check's sets have
160 rows each, `texts` has 400: a mean over fewer tokens is noisier.)

| | units |
|---|---|
| `"attention, label directions"` | label directions of `attn_out` |
| `"mlp, label directions"` | label directions of `mlp_in` |
| `"attention, encoder"` | `x @ W_enc` of `atlas-attn2`, without bias and ReLU |
| `"attention, decoder"` | `x @ W_dec.T` of `atlas-attn2` |

`"follows"`: six conclusions that somebody drew. Say of each `True` or `False`; each is measured on the new texts, by
mean F1:

- `"a"`: neurons say states better (by .03) than as many random directions of what they read;
- `"b"`: what the MLP reads has no direction that says its state much better (by .15) than the transcoder's latents do;
- `"c"`: attention's latents, which saw no label, say states at least as well as the directions made from labels;
- `"d"`: these latents owe their mark to bias and ReLU: along their encoders alone .1 or more is lost;
- `"e"`: the direction that a latent writes says its state as well (within .05) as the one that it reads;
- `"f"`: with the threshold 0 on both sides these latents win over both signs of `attn_out` by less.

The comparisons count .4 (three tests each, all alike), the predictions .2 (each wholly within .08, nothing from .2),
the conclusions .4 (a third of that less for each that is wrong). **Nothing passes unless both comparisons are like for
like and five conclusions are right.** The check tells a measured number where you predicted it, and of conclusions how
many are right. (`units_of` and `where_due` above, `best_threshold` and `lab.match_concepts` are what it takes.
`where_due` says which tokens count.)
"""

# %% tags=["exercise"] slug="like-for-like"
# BEGIN SOLUTION
tried = {"latents of attention": compared["latents"], "neurons": compared["neurons"]}
transcoder = open_dictionary("atlas-mlp2")


def marked(place: str, make, **how) -> lab.ConceptMatches:
    """Units made from what stands at a place, chosen on the first texts and marked on the second."""
    pairs = (where_due(place, some_texts) for some_texts in (texts, other_texts))
    return lab.match_concepts(*((make(rows), found) for rows, found in pairs), **how)


def both_signs(a):
    return torch.cat([a, -a], dim=1)


MLP = f"blocks.{LAYER}.mlp"  # what it reads
directions = torch.randn(128, 512, generator=seeded(1))
tried["both signs of attn_out"] = marked(HOOK, both_signs)
tried["latents of the transcoder"] = marked(MLP, transcoder.encode)
for place, short in ((HOOK, "attn_out"), (MLP, "mlp_in")):
    tried[f"320 random directions of {short}"] = marked(
        place, lambda a: (a - a.mean(dim=0)) @ directions[:, :320]
    )
# Now what took part in neither. The placebo of the neurons; latents without their nonlinearity; thresholds of 0.
tried["as many blanks as neurons"] = marked(
    MLP, lambda a: (a - a.mean(dim=0)) @ directions
)
tried["along encoders"] = marked(HOOK, lambda a: a @ good.W_enc)
tried["along decoders"] = marked(HOOK, lambda a: a @ good.W_dec.T)
tried["latents at 0"] = marked(HOOK, good.encode, thresholds=False)
tried["both signs at 0"] = marked(HOOK, both_signs, thresholds=False)
mean_f1 = {name: found.f1.mean().item() for name, found in tried.items()}


def with_labels(place: str) -> float:
    """Mean F1 along one direction per state, the difference of its mean and the mean of all."""
    (rows, found), (rows_there, found_there) = (
        where_due(place, some_texts) for some_texts in (texts, other_texts)
    )
    there = found.float()
    toward = rows.T @ there / there.sum(dim=0) - rows.mean(dim=0)[:, None]
    f1 = []
    for k, along in enumerate(toward.T):
        cut, _ = best_threshold(rows @ along, found[:, k])
        f1.append(score_a_label(rows_there @ along > cut, found_there[:, k])[2])
    return sum(f1) / len(f1)


mean_f1["label directions of attn_out"] = with_labels(HOOK)
mean_f1["label directions of mlp_in"] = with_labels(MLP)
for name, value in mean_f1.items():
    print(f"{name:<36} mean F1 {value:.2f}")


def difference(one: str, other: str) -> float:
    return mean_f1[one] - mean_f1[other]


in_favour = difference("latents of attention", "both signs of attn_out")
design = {
    "attention": {
        "latents": {"how many": 320, "threshold": "chosen"},
        "others": {
            "units": "both signs of attn_out",
            "how many": 256,
            "threshold": "chosen",
        },
        "choose on": "A",
        "mark on": "B",
        "difference": in_favour,
    },
    "mlp": {
        "latents": {"how many": 512, "threshold": "chosen"},
        "others": {"units": "neurons", "how many": 512, "threshold": "chosen"},
        "choose on": "A",
        "mark on": "B",
        "difference": difference("latents of the transcoder", "neurons"),
    },
    "predicted": {
        "attention, label directions": mean_f1["label directions of attn_out"],
        "mlp, label directions": mean_f1["label directions of mlp_in"],
        "attention, encoder": mean_f1["along encoders"],
        "attention, decoder": mean_f1["along decoders"],
    },
    "follows": {
        "a": difference("neurons", "as many blanks as neurons") >= 0.03,
        "b": difference("label directions of mlp_in", "latents of the transcoder")
        < 0.15,
        "c": difference("latents of attention", "label directions of attn_out") >= 0,
        "d": difference("latents of attention", "along encoders") >= 0.1,
        "e": difference("along encoders", "along decoders") <= 0.05,
        "f": difference("latents at 0", "both signs at 0") < in_favour,
    },
}
print(design["follows"])
# END SOLUTION

# %% tags=["check"]
check("like-for-like", design)

# %% [markdown]
r"""
Look at your two differences side by side before you read on.
"""

# %% id="neuron-figure"
transcoded = open_dictionary("atlas-mlp2")


def units_of_the_mlp(some_texts) -> tuple[Tensor, Tensor]:
    """The transcoder's latents, and the states."""
    rows, found = where_due(f"blocks.{LAYER}.mlp", some_texts)
    return transcoded.encode(rows), found


compared["transcoder"] = lab.match_concepts(
    units_of_the_mlp(texts), units_of_the_mlp(other_texts)
)
axes = []
for some_texts in (texts, other_texts):
    rows, found = where_due(HOOK, some_texts)
    axes.append((torch.cat([rows, -rows], dim=1), found))
compared["axes"] = lab.match_concepts(*axes)
for name, one, other in (
    ("attention", "latents", "axes"),
    ("MLP", "transcoder", "neurons"),
):
    pair = [compared[kind].f1.mean() for kind in (one, other)]
    print(
        f"{name:<10} {one} {pair[0]:.2f}, {other} {pair[1]:.2f}: a difference of {pair[0] - pair[1]:.2f}"
    )
show.concept_score_figure(
    compared["transcoder"],
    [texts.concepts[i] for i in states],
    neurons=compared["neurons"],
    title="Layer 2's MLP: its transcoder's latents and its neurons",
)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

The table above compared latents of one place with neurons of another, and the placebo shows it:
random directions of what attention writes have a mean F1 of about .3, random directions of what the MLP reads about
.2. More of what attention writes *is* the state. (The papers compare a dictionary with the neurons of its own layer.)
Like for like, where attention writes: the latents have .98, the activation's own axes, in both signs, .33. At the
MLP: its transcoder's latents have .39, its neurons .30, and not one of 50 states reaches .9. So the dictionary was
worth its training at one place and hardly at the other. It did not make one-state directions out of nothing: it finds
them where few things vary and the state is most of it. “Latents say more than neurons” held at one place and hardly
at the other (one dictionary each, of two kinds). (We counted both signs of the axes, 256 against 320 latents: with 128
axes the placebo fails, since the best of 320 beats the best of 128 even where there is nothing to find.)

What does not follow: that the MLP reads no directions for states. One direction per state, made from labels, says them
with .8 there, far better than any unit that took part: that a dictionary finds nothing is not that there is nothing.
Nor that neurons are as good as random directions: as many random directions *of what they read* say states worse. And
the latents' mark is their directions': along their encoders alone nothing is lost, and where attention writes they beat
directions made from labels (.9). What a latent writes is not what it reads: along decoders a tenth is lost. With
thresholds of 0 the latents lose little and the axes nearly everything, so that "fair" threshold would have made the
triumph larger. (The check's directions made from labels say less than these: it has fewer texts to make them from.)

</details>

Relations and languages are another story: no latent of this dictionary says them. That does *not* mean that they
are not in the activation (we will look, in "What is left out"). Layer 2's attention brings *which place* is meant;
of what is asked about it there is little in its variance.

What is asked came earlier: layer **1**'s attention brings it to the token where the answer is due. Here is a
dictionary for that.
"""

# %% tags=["claim"]
_mean = {_kind: f"{_each.f1.mean():.2f}"[1:] for _kind, _each in compared.items()}
_blank = {_n: _m.f1.mean() for _n, _m in tried.items() if "random" in _n}
assert [f"{_each:.1f}" for _each in _blank.values()] == ["0.3", "0.2"], (
    "random directions of what attention writes have a mean F1 of about .3"
)
assert (_mean["latents"], _mean["axes"]) == (".98", ".33"), (
    "the latents have .98, the activation's own axes, in both signs, .33"
)
assert (_mean["transcoder"], _mean["neurons"]) == (".39", ".30"), (
    "its transcoder's latents have .39, its neurons .30"
)
assert (compared["transcoder"].f1 < 0.9).all(), "and not one of 50 states reaches .9"
assert abs(mean_f1["label directions of mlp_in"] - 0.8) < 0.05, (
    "One direction per state, made from labels, says them with .8 there"
)
assert design["follows"]["a"], (
    "as many random directions of what they read say states worse"
)
assert abs(difference("latents of attention", "along encoders")) < 0.02, (
    "along their encoders alone nothing is lost"
)
assert (
    design["follows"]["c"] and abs(mean_f1["label directions of attn_out"] - 0.9) < 0.05
), "where attention writes they beat directions made from labels (.9)"
assert 0.07 < difference("along encoders", "along decoders") < 0.15, (
    "along decoders a tenth is lost"
)
assert mean_f1["latents at 0"] > 0.85 and mean_f1["both signs at 0"] < 0.2, (
    "With thresholds of 0 the latents lose little and the axes nearly everything"
)
assert difference("latents at 0", "both signs at 0") > in_favour, (
    "would have made the triumph larger"
)

# %% id="what-is-asked"
asking = open_dictionary("atlas-attn1")
asked_columns = texts.columns("relation", "language", "wording")
asked_concepts = [texts.concepts[i] for i in asked_columns]


def asked_latents(some_texts) -> tuple[Tensor, Tensor]:
    """Latents of what layer 1's attention writes, and what is asked, where an answer is due."""
    rows = lab.activation_rows(model, some_texts.tokens, "blocks.1.hook_attn_out")
    rows, found = asked_about(some_texts, rows)
    return asking.encode(rows), found[:, asked_columns]


said = lab.match_concepts(asked_latents(texts), asked_latents(other_texts))
f1 = dict(zip(asked_concepts, said.f1.tolist(), strict=True))
tongues = ("english", "french", "spanish")
print(
    f"{'F1 of one latent':<18}{'any language':>14}"
    + "".join(f"{t:>10}" for t in tongues)
)
for relation in (
    c.removeprefix("relation=") for c in asked_concepts if "relation=" in c
):
    each = [f1[f"wording={relation} in {t}"] for t in tongues]
    print(
        f"{relation:<18}{f1[f'relation={relation}']:>14.2f}"
        + "".join(f"{value:>10.2f}" for value in each)
    )
print(
    f"{'any relation':<32}" + "".join(f"{f1[f'language={t}']:>10.2f}" for t in tongues)
)

# %% [markdown]
r"""
**What you should see.** Read it row by row. All but two of the 39 pairs have a latent of their own, with an F1 of .9
or more: a relation *in one language*. Six of the 13 relations have one for all languages as well; for the others no
latent reaches that over the three languages. And no latent at all says a language whatever is asked.

Does the model then write "the bird, asked in French" as one thing, that has nothing to do with "the bird, asked in
Spanish"? That is a question about the activation, and the dictionary is not the one to ask. Ask the means: how much
of the variance of the 39 pairs' mean activations is a part that only depends on the relation, plus a part that only
depends on the language, and how much is left for the pair (the *interaction*)?
"""

# %% tags=["claim"]
_each = {_c: _v for _c, _v in f1.items() if _c.startswith("wording=")}
_low = [_c for _c, _v in _each.items() if _v < 0.9]
_any = {_c: _v for _c, _v in f1.items() if _c.startswith("relation=")}
assert sorted(_low) == ["wording=capital in english", "wording=continent in english"], (
    "All but two of the 39 pairs have a latent of their own"
)
assert len(_each) == 39, "All but two of the 39 pairs have a latent of their own"
assert sum(_v >= 0.895 for _v in _any.values()) == 6, (
    "Six of the 13 relations have one for all languages as well"
)
assert max(_v for _c, _v in f1.items() if _c.startswith("language=")) < 0.5, (
    "no latent at all says a language whatever is asked"
)

# %% id="is-it-one-thing"
rows, found = asked_about(
    texts, lab.activation_rows(model, texts.tokens, "blocks.1.hook_attn_out")
)
asked_what = found[:, texts.columns("relation")].int().argmax(dim=1)
tongue = found[:, texts.columns("language")].int().argmax(dim=1)
has_both = found[:, texts.columns("relation")].any(dim=1) & found[
    :, texts.columns("language")
].any(dim=1)
pair_means = torch.stack(
    [
        torch.stack(
            [
                rows[has_both & (asked_what == r) & (tongue == t)].mean(dim=0)
                for t in range(3)
            ]
        )
        for r in range(13)
    ]
)  # [relation language d]
grand = pair_means.mean(dim=(0, 1))
of_relation = pair_means.mean(dim=1, keepdim=True) - grand
of_language = pair_means.mean(dim=0, keepdim=True) - grand
parts = {
    "relation": of_relation.expand_as(pair_means),
    "language": of_language.expand_as(pair_means),
    "both together": pair_means - grand - of_relation - of_language,
}
whole = (pair_means - grand).square().sum()
additive = {name: (part.square().sum() / whole).item() for name, part in parts.items()}
print("; ".join(f"{name} {share:.0%}" for name, share in additive.items()))

# %% [markdown]
r"""
**What you should see.** 69 % is the relation, 9 % the language, and 21 % the pair. Most is the relation alone; less
than a third of the rest is the same for all relations. So the activation has something of pairs, and the *dictionary*
makes nearly everything of it: sparsity pays for one latent "bird in French" where a sum would take two, and a
conjunction costs it nothing while there are only 39. What a dictionary finds is what is cheap to write
with few latents, and that need not be how the model composes it. Which concepts a model has is something you find
out; your list of concepts is a proposal, and so is a dictionary's.
"""

# %% tags=["claim"]
assert [round(100 * _share) for _share in additive.values()] == [69, 9, 21], (
    "69 % is the relation, 9 % the language, and 21 % the pair"
)
assert additive["relation"] > 2 / 3, "Most is the relation alone"
_apart = additive["language"] + additive["both together"]
assert additive["language"] < _apart / 3, (
    "less than a third of the rest is the same for all relations"
)

# %% tags=["quiz"]
quiz("fair-to-neurons", "b")

# %% [markdown]
r"""
## Why no latent says “French”

No latent so far says that a sentence is French, although the model answers in French. Is that the dictionaries'
fault, or does the model not keep it as one thing? Look at what `atlas` read. Its sentences were drawn one by one:
after a French one comes a sum, then an English one. Within a sentence most words say their language by themselves.
And about the next sentence it says nothing, so little is gained from carrying “French” along.

That is a hypothesis, and it can be tested. Two more models come with the course. `atlas-sentences` read sentences
drawn one by one; `atlas-paragraphs` read 5 to 12 of one theme and language in a row (French, Spanish, code, sums, law
and DNA are one theme each, English has six). In all else they are alike. Compare them with each other and not with
`atlas`, which was trained longer, and on less code, sums, law and DNA.
"""

# %% tags=["quiz"]
quiz("worth-a-latent", "b")

# %% [markdown]
r"""
First, does `atlas-paragraphs` know what kind of text it is in? The *first* token of a sentence is easier to guess for
who does. Here is a piece of its text, and from the models' cards the loss on first tokens.
"""

# %% id="in-paragraphs"
from mi_tutor.specimens import card

orders = ("atlas-sentences", "atlas-paragraphs")
readers = {name: open_specimen(name, device="cpu") for name in orders}
read_by = {
    name: [labelled_texts(seed=s, n_rows=300, model=name) for s in (1, 2)]
    for name in orders
}
piece = read_by["atlas-paragraphs"][0].tokens[1, 1:70]
print(readers["atlas-paragraphs"].to_string(piece), "...\n")
for name in orders:
    loss = {m.name: m.value for m in card(name).measures}
    print(
        f"{name:<18}{loss['first_sentences']:.2f} nats in text drawn sentence by sentence, "
        f"{loss['first_paragraphs']:.2f} in paragraphs"
    )

# %% [markdown]
r"""
`atlas-paragraphs` bets on more of the same. It gains where that is right, and pays where it is not; to the other
model it makes hardly any difference. Now the latents: for each language and kind of text the one that says it best,
of what layer 1's attention writes, with a dictionary for each of the two models. And since nobody can know at a
paragraph's first word what it will be, the last column has the same latents on tokens that come after 16 of the same
kind.
"""

# %% tags=["claim"]
_loss = {_name: {m.name: m.value for m in card(_name).measures} for _name in orders}
_one, _other = (
    (_loss[_name]["first_sentences"], _loss[_name]["first_paragraphs"])
    for _name in orders
)
assert _other[1] < _one[1] - 1 and _other[0] > _one[0] + 1, (
    "It gains where that is right, and pays where it is not"
)
assert abs(_one[0] - _one[1]) < 0.1, "to the other model it makes hardly any difference"

# %% id="carried-along"
readings = {name: open_dictionary(f"{name}-attn1") for name in orders}
kinds = texts.columns("language", "context")  # English comes first


def latents_of(name: str, some_texts) -> tuple[Tensor, Tensor]:
    """Latents and labels of all tokens but BOS."""
    rows = lab.activation_rows(
        readers[name], some_texts.tokens, "blocks.1.hook_attn_out"
    )
    return readings[name].encode(rows), some_texts.labels[:, 1:, kinds].flatten(0, 1)


table = {}
for reader, read in (orders[:1] * 2, orders, orders[1:] * 2):
    choosing, marking = (latents_of(reader, each) for each in read_by[read])
    best = lab.match_concepts(choosing, marking)
    table[reader, read] = best.f1

f, labels = marking  # of atlas-paragraphs in paragraphs
said = f[:, best.unit] > best.threshold
kind = labels.int().argmax(dim=1).view(300, -1)  # [row pos]
after = torch.zeros_like(kind, dtype=torch.bool)
after[:, 16:] = (kind.unfold(1, 17, 1) == kind[:, 16:, None]).all(dim=-1)
after = after.flatten()
later = [score_a_label(said[after, i], labels[after, i])[2] for i in range(len(kinds))]
always = [score_a_label(torch.ones_like(there), there)[2] for there in labels.T]

print(f"{'model':<18}{'':>10}" + "".join(f"{reader[6:]:>12}" for reader, _ in table))
print(
    f"{'text':<18}{'always':>10}"
    + "".join(f"{read[6:]:>12}" for _, read in table)
    + f"{'after 16':>12}"
)
for i, column in enumerate(kinds):
    scores = [f1[i] for f1 in table.values()] + [later[i]]
    name = texts.concepts[column].split("=")[1]
    print(f"{name:<18}{always[i]:>10.2f}" + "".join(f"{f1:>12.2f}" for f1 in scores))
no_other = score_a_label(~said[:, 1:].any(dim=1), labels[:, 0])[2]
print(f"English, said where none of the other six is: {no_other:.2f}")
kind_of = {texts.concepts[c].split("=")[1]: i for i, c in enumerate(kinds)}
read = read_by["atlas-paragraphs"][1].tokens[:, 1:].flatten()
n_tokens = torch.bincount(read).clamp_min(1)
by_itself = {}
for name, i in kind_of.items():
    said_by = torch.bincount(read[labels[:, i]], minlength=len(n_tokens)) / n_tokens
    by_itself[name] = said_by[read[labels[:, i]]].mean().item()
print("how surely a single token says its kind:")
print(", ".join(f"{name} {share:.2f}" for name, share in by_itself.items()))

# %% [markdown]
r"""
**What you should see.** From the first column to the third, French rises from .39 to .95, Spanish from .69 to .96,
legal phrases from .75 to .92, sums from .74 to .91. For French and law it is not the text at hand: marked on the very
same paragraphs, the other model's latents are hardly better (second column). Sums have about half of their gain from
the text, DNA nearly all. What is left is what the model had learned to carry along, or its dictionary: both change
from the second column to the third. After 16 tokens of a kind every latent but that for English has an F1 above .9.

Whether single tokens say their kind by themselves explains a part of this: those of DNA, code and sums do (.95, .98
and .98, where 1 is a token that occurs in no other text), and both models have latents for DNA and code. But sums
gain all the same; code and English are the ones that do not gain. English has none: to say it everywhere is better
(.73) than any latent. But where none of the other six is said, it is English (.97). Two reasons fit, and this does
not tell them apart: more than half of the text is English, and it comes in several themes.

So the same sentences in another order gave other latents. That no latent of `atlas` says French does not mean that
nothing does; a probe can read it (“What is left out”, below). And what this does not show: it is one seed, one layer,
a width at which it works (with 192, 320 or 384 latents one kind or another falls to .7 or .8), and nobody took a
latent away to see whether the model uses it.
"""

# %% tags=["claim"]
_first, _second, _third = (
    [round(_v, 2) for _v in _f1.tolist()] for _f1 in table.values()
)
_rise = {_name: (_first[_i], _third[_i]) for _name, _i in kind_of.items()}
assert _rise["french"] == (0.39, 0.95), "French rises from .39 to .95"
assert _rise["spanish"] == (0.69, 0.96), "Spanish from .69 to .96"
assert _rise["law"] == (0.75, 0.92), "legal phrases from .75 to .92"
assert _rise["sum"] == (0.74, 0.91), "sums from .74 to .91"
assert all(
    abs(_second[kind_of[_k]] - _first[kind_of[_k]]) < 0.05 for _k in ("french", "law")
), "the other model's latents are hardly better (second column)"
_by_text = {
    _k: (_second[_i] - _first[_i]) / (_third[_i] - _first[_i])
    for _k, _i in kind_of.items()
}
assert 0.4 < _by_text["sum"] < 0.65, "Sums have about half of their gain from the text"
assert 0.75 < _by_text["dna"] < 1, "DNA nearly all"
assert all(
    _v > 0.9 for _v, _k in zip(later, kind_of, strict=True) if _k != "english"
), "After 16 tokens of a kind every latent but that for English has an F1 above .9"
assert [round(by_itself[_k], 2) for _k in ("dna", "code", "sum")] == [
    0.95,
    0.98,
    0.98,
], (
    "those of DNA, code and sums do (.95, .98 and .98, where 1 is a token that occurs in no other text)"
)
assert min(_first[kind_of["dna"]], _first[kind_of["code"]]) > 0.85, (
    "both models have latents for DNA and code"
)
assert [_k for _k, (_a, _b) in _rise.items() if _b < _a] == ["english", "code"], (
    "code and English are the ones that do not gain"
)
assert round(always[0], 2) == 0.73 > max(_first[0], _second[0], _third[0]), (
    "to say it everywhere is better (.73) than any latent"
)
assert round(no_other, 2) == 0.97, (
    "where none of the other six is said, it is English (.97)"
)
assert labels[:, 0].float().mean() > 0.5, "more than half of the text is English"

# %% [markdown]
r"""
## Where dictionaries fail

### One concept, several latents

"One latent per concept" is a hope. As a dictionary grows, a latent for a state may **split**: one for questions
about its cities, one for lists, each precise and none complete. How do you notice? Add latents one by one,
as long as the next one helps.
"""

# %% [markdown] slug="feature-splitting"
r"""
`on[:, i]` says where latent i is on, `there` where the concept is. Start with the latent whose F1 is best. Then
keep adding the latent with which "**at least one** of the chosen is on" has the highest F1, as long as it
raises that F1 by at least `gain`. Return the latents in order, and the F1 after each of them. (One latent: not
split. Chanin et al. 2024 use a rule like this.)
"""


# %% tags=["exercise"] slug="feature-splitting"
def feature_splitting(
    on: Bool[Tensor, "token latent"], there: Bool[Tensor, "token"], gain: float
) -> tuple[list[int], list[float]]:
    """Latents that together say a concept, and the F1 after each."""
    # BEGIN SOLUTION
    chosen, scores = [], []
    covered = torch.zeros_like(there)
    while len(chosen) < on.shape[1]:
        together = on | covered[:, None]
        right = (together & there[:, None]).sum(dim=0)
        f1 = 2 * right / (together.sum(dim=0) + there.sum())
        best = int(f1.argmax())
        if chosen and f1[best] < scores[-1] + gain:
            break
        chosen.append(best)
        scores.append(f1[best].item())
        covered = together[:, best]
    return chosen, scores
    # END SOLUTION


# %% tags=["check"]
check("feature-splitting", feature_splitting)


# %% id="splitting"
def split_of(on, there) -> tuple[list[int], list[float]]:
    """Your function, among the latents that are on at the concept at all: others cannot help."""
    able = on[there].any(dim=0).nonzero().flatten()
    latents, f1 = feature_splitting(on[:, able], there, gain=0.03)
    return able[latents].tolist(), f1


print(
    f"{'latents':>8}{'FVU':>8}{'F1 of the best':>16}{'latents per state':>20}{'not split':>12}"
)
splits = {}
for name in ("atlas-attn2-small", "atlas-attn2", "atlas-attn2-wide"):
    made = open_dictionary(name)
    on = made.encode(x_here) > 0
    found = [split_of(on, labels_here[:, i]) for i in states]
    splits[made.d_sae] = found
    n = [len(latents) for latents, _ in found]
    first = sum(f1[0] for _, f1 in found) / len(found)
    print(
        f"{made.d_sae:>8}{lab.fvu(x[::4], made(x[::4])):>8.3f}{first:>16.2f}"
        f"{sum(n) / len(n):>20.2f}{n.count(1):>12}"
    )

# %% id="splitting-figure"
widest = splits[max(splits)]
most = max(range(len(states)), key=lambda s: len(widest[s][0]))
show.splitting_figure(
    {d_sae: lab.Split(*found[most]) for d_sae, found in splits.items()},
    concept=texts.concepts[states[most]],
)

# %% [markdown]
r"""
**What you should see.** With 64 latents the states have to share: no latent says one of them (the best F1 is below
.6). With 320 each has its own. With 1,536 three states take two, Alabama, Iowa and Virginia, and the error is hardly
lower. Neither is wrong; the wide one is a finer description. But “the latent for Alabama” no longer exists in it. How
far this goes depends on the data: language models know more about a state than `atlas` does, and there a latent may
fall into dozens (Bricken et al. 2023). A dictionary of one size is one cut through what may be a tree. Leask et al.
2025 ask whether there is a canonical set of latents at all, and find none.

### Names that can be wrong

The other way round: not which latent says a concept, but what a latent says. With thousands of latents a language
model has to write the names (Bills et al. 2023 for neurons). How good is a name? **Simulation scoring**: someone who
has only the name predicts, on text that had no part in writing it, where the latent is on; the prediction is marked
against the latent. (Paulo et al. 2024 ask for less, a yes or no for each text: *detection*.) A name is scored by all
that it predicts, not by the contexts that suggested it. In our text the words for names are known, so you can do it.
"""

# %% tags=["claim"]
_names = [texts.concepts[i].removeprefix("state=") for i in states]
_n = {_d: [len(_latents) for _latents, _ in _found] for _d, _found in splits.items()}
_best = {_d: max(_f1[0] for _, _f1 in _found) for _d, _found in splits.items()}
assert _best[64] < 0.6, "no latent says one of them (the best F1 is below .6)"
assert _n[320] == [1] * 50, "With 320 each has its own"
assert [_name for _name, _k in zip(_names, _n[1536], strict=True) if _k == 2] == [
    "Alabama",
    "Iowa",
    "Virginia",
], "With 1,536 three states take two, Alabama, Iowa and Virginia"
assert max(_n[1536]) == 2, (
    "With 1,536 three states take two, Alabama, Iowa and Virginia"
)
_error = {
    _name: lab.fvu(x[::4], open_dictionary(_name)(x[::4]))
    for _name in ("atlas-attn2", "atlas-attn2-wide")
}
assert 0 < _error["atlas-attn2"] - _error["atlas-attn2-wide"] < 0.01, (
    "and the error is hardly lower"
)

# %% id="ten-latents"
from mi_tutor.specimens.atlas import ten_latents

print("ten latents of atlas-attn1:", *ten_latents())

# %% [markdown] slug="name-the-latents"
r"""
Here are ten latents of `asking`, the dictionary for what layer 1's attention writes (`"blocks.1.hook_attn_out"`).
Give each a name: **a list of concepts out of `texts.concepts`**. It says: the latent is on where the token before an
answer (`texts.chosen`) carries *at least one* of these, and nowhere else among such tokens. A name may have one
concept or up to eight. A latent may have no name: no list of these concepts says better than "everywhere" where it is
on. Say so with `None`.

Hand in `names`, a dict from the latent's number to its list or to `None`.

The check draws new texts and looks, as you do, at the tokens of `texts.chosen` alone (never a row's first): what a
token carries is its row of `labels`, and "on" means above 0. A name gets the F1 of its predictions, as the share of the
way from the F1 of "everywhere" to 1; no better than everywhere is 0. A latent **has** a name if the best list that we
found goes .8 of that way or more, and none if it goes less than .1; none of the ten lies between. For a latent that has
no name `None` gets 1 and any name 0, and the other way round `None` gets 0 for one that has. The score is the mean of
the ten.
"""

# %% tags=["exercise"] slug="name-the-latents"
# BEGIN SOLUTION
names, own_marks = {}, []
before_answers = texts.chosen[:, 1:].flatten()
rows = lab.activation_rows(model, texts.tokens, "blocks.1.hook_attn_out")
concepts_there = texts.labels[:, 1:].flatten(0, 1)[before_answers]
latents_there_on = asking.encode(rows[before_answers]) > 0
other_before = other_texts.chosen[:, 1:].flatten()
other_rows = lab.activation_rows(model, other_texts.tokens, "blocks.1.hook_attn_out")
other_on = asking.encode(other_rows[other_before]) > 0
other_concepts = other_texts.labels[:, 1:].flatten(0, 1)[other_before]
for number in ten_latents():
    # Splitting, turned around: which concepts together say where this latent is on?
    found, _ = feature_splitting(concepts_there, latents_there_on[:, number], gain=0.02)
    said = other_concepts[:, found].any(dim=1)  # what the name predicts on other texts
    f1 = score_a_label(said, other_on[:, number])[2]
    alone = score_a_label(other_concepts[:, found[0]], other_on[:, number])[2]
    # How much of the way from "on everywhere" to 1? An F1 alone says little of a latent that is on half of the time.
    is_on = other_on[:, number]
    everywhere = score_a_label(torch.ones_like(is_on), is_on)[2]
    skill = (f1 - everywhere) / (1 - everywhere)
    names[number] = [texts.concepts[i] for i in found] if skill > 0.3 else None
    own_marks.append(skill if names[number] else 1.0)
    print(
        f"{number:>4}  F1 {f1:.2f} (first concept {alone:.2f}, everywhere {everywhere:.2f})  {names[number]}"
    )
# END SOLUTION

# %% tags=["check"]
check("name-the-latents", names)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

Turned around, `feature_splitting` writes names: concepts are added as long as they help to predict
the latent. One of the ten says just what its strongest contexts suggest. Six are on for several things. Some are kin
(two have demonym and language, in Spanish one and the same word for nearly half of the countries; the four wordings of
another are all French), others have nothing to do with each other; three have a whole relation, and wordings of others
besides. A name made from the strongest contexts would have been believed: it is precise and misses the rest. For three
nothing predicts better than “everywhere”; they are on at many tokens of every kind, and an F1 of a half is what
"everywhere" has there. Our names score .91 or more on other texts. What this does not show: that the list of concepts
we chose from is the right one. A latent without a name in it may have one in another.

</details>

### Absorption

A hole is worse than a split. Suppose a latent for *one city* has taken the state into its own row. Then the
state's latent can stay silent there: one latent in place of two. Sparsity rewards that (Chanin et al. 2024 call
it **absorption**). The state's latent still looks precise, and its contexts do not show what is missing.

First with a planted one: eight features at right angles, of which the second ("the city") never comes without the
first ("the state").
"""

# %% tags=["claim"]
from mi_tutor.specimens.atlas import Geography as _Geography

_sizes = [0 if _name is None else len(_name) for _name in names.values()]
assert _sizes.count(1) == 1, (
    "One of the ten says just what its strongest contexts suggest"
)
assert sum(_size > 1 for _size in _sizes) == 6, "Six are on for several things"
_families = [
    {_c.partition("=")[0] for _c in _name} for _name in names.values() if _name
]
assert sum(len(_each) > 1 for _each in _families) == 3, (
    "three have a whole relation, and wordings of others besides"
)
_kin = [
    {_c.partition("=")[2].split(" in ")[0] for _c in _name}
    for _name in names.values()
    if _name
]
assert _kin.count({"demonym", "language"}) == 2, "two have demonym and language"
_countries = [_area.answers for _area in _Geography().facts.countries]
_one_word = [_a["demonym"].spanish == _a["language"].spanish for _a in _countries]
assert 0.4 < sum(_one_word) / len(_one_word) < 0.6, (
    "in Spanish one and the same word for nearly half of the countries"
)
assert any(
    len(_name) == 4 and all(_c.endswith("in french") for _c in _name)
    for _name in names.values()
    if _name
), "the four wordings of another are all French"
assert _sizes.count(0) == 3, "For three nothing predicts better than “everywhere”"
assert sum(own_marks) / 10 > 0.91, "Our names score .91 or more on other texts"

# %% id="planted-absorption"
family = torch.linalg.qr(torch.randn(16, 16, generator=seeded(5))).Q[:8]


def family_on(n: int, seed: int) -> Bool[Tensor, "sample feature"]:
    """Which features are on; feature 1 only where feature 0 is."""
    draw = torch.rand(n, 8, generator=seeded(seed))
    on = draw < 0.1
    on[:, 0] = draw[:, 0] < 0.3
    on[:, 1] = on[:, 0] & (draw[:, 1] < 0.2)
    return on


recipe = lab.toy_recipe("batchtopk", n_steps=1500)
absorbing = lab.train_sae(
    lambda i: family_on(8192, 100 + i).float() @ family, recipe, progress=False
).sae
on = family_on(20_000, seed=3)
said = absorbing.encode(on.float() @ family) > 0
(cosine, latent) = map(torch.as_tensor, match_features(absorbing.W_dec, family))
state_latent = said[:, latent[0]]
print(f"the state's latent: cosine with the state {cosine[0]:.2f}")
print(
    f"  on where the state comes alone     {state_latent[on[:, 0] & ~on[:, 1]].float().mean():.0%}"
)
print(
    f"  on where it comes with the city    {state_latent[on[:, 1]].float().mean():.0%}"
)
print(
    f"  on where the state is absent       {state_latent[~on[:, 0]].float().mean():.0%}"
)
row = unit_decoder(absorbing.W_dec)[latent[1]].float()
print(
    f"the city's latent: cosine with the city {row @ family[1]:.2f}, with the state {row @ family[0]:.2f}"
)

# %% [markdown]
r"""
The state's latent has the state's direction exactly, is never on without the state, and is silent at this one
city: the city's latent brings the state along. Whoever reads "the state is absent" there is wrong. And in
`good`? We can look, because we know where the state should be. We call an answer *absorbed* if its state's latents
are silent and another latent writes at least 40 % of what they usually write in the state's direction.
"""

# %% tags=["claim"]
_alone, _with_city = on[:, 0] & ~on[:, 1], on[:, 1]
assert cosine[0] > 0.99, "The state's latent has the state's direction exactly"
assert (
    state_latent[_alone].float().mean() > 0.99 and not state_latent[~on[:, 0]].any()
), "is never on without the state"
assert not state_latent[_with_city].any(), "is silent at this one city"
assert row @ family[0] > 0.6, "the city's latent brings the state along"

# %% id="absorption"
of_a_state = labels_here[:, states].any(dim=1)  # where an answer about a state is due
x_cities, labels_cities = x_here[of_a_state], labels_here[of_a_state][:, states]
found = []
for s, main in enumerate(latents for latents, _ in splits[good.d_sae]):
    there = labels_cities[:, s]
    direction = x_cities[there].mean(dim=0) - x_cities[~there].mean(dim=0)
    found.append(
        lab.absorption(good.encode(x_cities), good.W_dec, there, direction, main)
    )
missed = torch.tensor([each.missed for each in found])
rate = torch.tensor([each.rate for each in found])
print(
    f"answers at which their state's latents are silent: {missed.mean():.1%}; "
    f"of all, absorbed: {rate.mean():.1%}"
)

# %% [markdown]
r"""
**What you should see.** None worth the name. Why, we did not test. A guess: what layer 2's attention brings to the
answer is the state, and hardly anything that implies it, so there would be nothing to gain. Where features imply one
another, as they do in language, look for it.

One cure is a loss in which absorption does not pay. A **Matryoshka** dictionary (Bussmann et al. 2025) is trained to
reconstruct several times at once: with its first few latents alone, with more, with all; the errors are added. Below,
no training: two dictionaries for our family, written by hand. In one the state is absorbed by the city's row, in the
other each says its own part. What does either cost, with all latents, and with the state's latent alone (the first)?
"""

# %% tags=["claim"]
assert rate.mean() < 0.001, "None worth the name"

# %% id="matryoshka"
x_family, with_city = on.float() @ family, on[:, 1]
absorbed_row = unit_decoder(family[:1] + family[1:2]).float()
honest = on.float()
absorbing_latents = on.float()
absorbing_latents[with_city, 0] = 0.0
absorbing_latents[with_city, 1] = 2**0.5
costs = {}
for name, f, W in (
    ("absorbed", absorbing_latents, torch.cat([family[:1], absorbed_row, family[2:]])),
    ("each its own", honest, family),
):
    errors = [
        (x_family - f[:, :m] @ W[:m]).square().sum(dim=1).mean().item() for m in (8, 1)
    ]
    costs[name] = ((f > 0).sum(dim=1).float().mean().item(), *errors)
    print(
        f"{name:<14} L0 {costs[name][0]:.2f}, error with all {errors[0]:.2f}, with the first alone {errors[1]:.2f}"
    )

# %% [markdown]
r"""
With all latents both are perfect, and absorption is sparser, so a plain loss prefers it. With the first alone
absorption costs an error, at each city. That term is what Matryoshka adds. Bussmann et al. report less absorption and
splitting on Gemma 2 2B, for a little more error. It holds for what belongs to the early latents; which features these
are, training decides.
"""

# %% tags=["claim"]
_absorbed, _own = costs["absorbed"], costs["each its own"]
assert _absorbed[0] < _own[0] and max(_absorbed[1], _own[1]) < 1e-4, (
    "With all latents both are perfect, and absorption is sparser"
)
assert _absorbed[2] > _own[2] + 0.05, "With the first alone absorption costs an error"

# %% tags=["quiz"]
quiz("absorbed", "c")

# %% [markdown]
r"""
### A lower error, and useless

Here is a second dictionary for the same activations, `dense`. It has more latents on, and a lower FVU: neither beats
the other on the curve of L0 and loss, and whoever looks at FVU and loss recovered takes `dense`. Then use it: reach
into its latents. Where an answer is due, take the value of the own state's best latent away, and set the best latent
of another state to the value that it usually has when it is on:

$$x \leftarrow x + (f' - f)\, W_{dec}$$

Does the answer become the other state's?
"""

# %% id="two-dictionaries"
from mi_tutor.lab.ground import other_classes
from mi_tutor.specimens.atlas import Geography, chosen, swap_questions

geography = Geography()
asked = [
    q for q in chosen(geography, language="english", kind="state") if not q.held_out_by
]
questions = swap_questions(asked[::11], geography)
dense = open_dictionary("atlas-attn2-dense")


@torch.no_grad()
def best_of_states(made) -> lab.ConceptMatches:
    """The best latent of each state in a dictionary, marked on other texts."""
    return lab.match_concepts(
        (made.encode(x_here), labels_here[:, states]),
        (made.encode(x_there), labels_there[:, states]),
    )


@torch.no_grad()
def swap_one_latent(made, best, n_targets=3) -> tuple[float, float]:
    """Shares of answers that follow, and that stay, when two states' best latents are exchanged at the answer."""
    f = made.encode(x_here)
    usual = torch.stack([f[f[:, i] > 0, i].mean() for i in best.tolist()])
    n_follow = n_stay = n_asked = 0
    for number, batch in enumerate(questions):
        targets = other_classes(batch.classes, len(states), n_targets, number)
        _, cache = model.run_with_cache(batch.tokens, names_filter=HOOK)
        here = made.encode(cache[HOOK][:, -1])[:, None].repeat(1, n_targets, 1)
        own = best[batch.classes][:, None, None].expand(-1, n_targets, 1)
        new = here.scatter(-1, own, 0.0)
        new = new.scatter(-1, best[targets][..., None], usual[targets][..., None])
        steps = ((new - here) @ made.W_dec).flatten(0, 1)

        def add(written, hook, steps=steps):
            return torch.cat([written[:, :-1], written[:, -1:] + steps[:, None]], dim=1)

        tokens = batch.tokens.repeat_interleave(n_targets, dim=0)
        logits = model.run_with_hooks(tokens, fwd_hooks=[(HOOK, add)])[:, -1]
        wanted = batch.answers.gather(1, targets)
        own_answer = batch.answers.gather(1, batch.classes[:, None])
        said, differ = logits.argmax(dim=-1).view(-1, n_targets), wanted != own_answer
        n_follow += int(((said == wanted) & differ).sum())
        n_stay += int(((said == own_answer) & differ).sum())
        n_asked += int(differ.sum())
    return n_follow / n_asked, n_stay / n_asked


print(
    f"{'':<8}{'L0':>6}{'FVU':>8}{'recovered':>12}{'mean F1':>10}{'answers follow':>17}{'stay':>8}"
)
rows_of, best_of = {}, {}
for name, made in (("good", good), ("dense", dense)):
    m, best = lab.sae_metrics(made, x), best_of_states(made)
    best_of[name] = best.unit
    follow, stay = swap_one_latent(made, best.unit)
    share = lab.loss_recovered(model, [some], LAYER, "attn_out", made).recovered
    print(
        f"{name:<8}{m.l0:>6.1f}{m.fvu:>8.3f}{share:>12.1%}{best.f1.mean():>10.2f}"
        f"{follow:>17.1%}{stay:>8.1%}"
    )
    rows_of[name] = {"l0": m.l0, "fvu": m.fvu, "recovered": share, "follow": follow}

# %% [markdown]
r"""
**What you should see.** `dense` wins in FVU and in loss recovered, at ten times the L0, and the intervention fails
with it. FVU and loss recovered say how *faithful* the sum is. Neither says whether one of the parts is what you take
it for.
"""

# %% tags=["claim"]
_good, _dense = rows_of["good"], rows_of["dense"]
assert _dense["fvu"] < _good["fvu"] and _dense["recovered"] > _good["recovered"], (
    "wins in FVU and in loss recovered"
)
assert 9 < _dense["l0"] / _good["l0"] < 12, "at ten times the L0"
assert _dense["l0"] > _good["l0"], "It has more latents on, and a lower FVU"
assert _good["follow"] > 0.9 and _dense["follow"] < 0.05, (
    "the intervention fails with it"
)

# %% tags=["quiz"]
quiz("usable-or-not", "c")

# %% [markdown] slug="ablate-a-latent"
r"""
“What breaks without it?” is the question behind every claim that a latent stands for something *in the model*. Write
your predictions down first. Then take things out, at the token where the answer is due, on questions that the model
answers, and correct what you were wrong about. How many answers **stay right**, if this is taken out of what layer
2's attention writes (everything else stays, the error term too)?

| | what is taken out |
|---|---|
| `own` | the value of the own state's best latent of `good` |
| `half` | half of that value |
| `alone` | everything but what `own`'s latent writes and the decoder's bias (so the error term goes too) |
| `longest` | the value of the latent of `good` that writes most there (the longest $f W_{dec}$), whichever it is |
| `dense` | the value of the own state's best latent of `dense` |
| `dense alone` | everything but what that one writes and the bias of `dense` |
| `other` | the value of the best latent of `good` of another state, for each question one of the other 49 at random |
| `random` | for each question a new random direction, as long as what `own` takes out there |

And one more: `another's`, in how many of *all* questions the answer in `own` is **another state's** right answer to the
same question, and not the own state's (states may share an answer; that counts as right).

Last: which latents of `dense` **are** a state, for the model? `sets` is a list of 50 lists, in the order of `states`,
of one to eight latents of `dense` each. Two experiments: the values of the own state's set are all taken out, and
those of another state's set. Answers should break in the first and stay in the second. What counts is the difference
of the two shares that stay right: nothing up to .38, wholly from .55.

And what will stand in for a latent in dictionaries that do not exist yet? The check trains some at every try, from
seeds of its own, on planted features as above, at right angles and of size 1, in 24 dimensions. Feature A is on in a
quarter of the samples, eight others are on in 8 % each, by themselves, and what is planted beside A is in the table.
The dictionaries are `batchtopk`, 40 latents, 700 steps of 256 samples, with as many latents on from the first step.
Then A's best latent is taken out, the one of all 40 whose row of the decoder has the largest cosine with A. How much
is left, in the sum of all the others, of what the sum said of the asked feature, along its direction (the mean of the
one by the mean of the other)? It is **gone** (less than a quarter), there in **part**, or **there** (more than three
quarters).

| setting | beside A | features on | latents on | asked |
|---|---|---|---|---|
| alone | nothing | .89 | .89 | A |
| without its own | B, in a fifth of A's samples, nowhere else | .94 | .89 | A, in samples without B |
| with its own | the same | .94 | .89 | A, in samples with B |
| with a rare one | B, in a twentieth of A's samples, nowhere else | .90 | .89 | A, in samples with B |
| with its own, enough for each | B, in a fifth of A's samples, nowhere else | .94 | .94 | A, in samples with B |
| the twin | B, in all of A's samples, nowhere else | 1.14 | .89 | B |
| in three forms | B, C or D, each in a third of A's samples, nowhere else | 1.14 | .89 | A |
| five times as many | nothing | .89 | 4.45 | A |

(Features and latents on are per sample, on average.) Three random starts each. `"forecasts"` has for each setting three
probabilities, in the order gone, part, there, or a dict from these words:
`{"alone": {"gone": 0.6, "part": 0.4}, …}`. Make your first try before you train any of these.

Hand in `broken`, a dict with these nine shares, `"sets"` and `"forecasts"`. The check takes 240 of `asked` at random
(English two-hop questions about cities in a state, none of those that were held out; untouched the model answers them
all, and an answer is its most likely word), and does all of it. (`asked` takes turns between wordings: draw at random,
too.) A fifth of the score are the shares (each counts wholly within .1, and nothing from .25), three tenths the sets,
half the forecasts, by the Brier score (the sum over the three of $(q - o)^2$, where $o$ is 1 for what happened; 0 is
what one and the same three numbers for all settings get, 1 is knowing every frequency). **Nothing passes with less
than seven tenths of the first, a third of the second, or .55 of the third.** Best latents are those of `best_of`
above, but found on texts of the check's own: of `good` they are the same, of `dense` some states have another one, and
the shares hardly differ.
"""


# %% tags=["exercise"] slug="ablate-a-latent"
# BEGIN SOLUTION
@torch.no_grad()
def share_right(step_of, batches) -> tuple[float, float]:
    """Shares of right answers and of another state's, with `step_of(a, classes)` added where the answer is due."""
    right = anothers = n_asked = 0
    for batch in batches:

        def change(written, hook, batch=batch):
            a = written[:, -1]
            return torch.cat(
                [written[:, :-1], (a + step_of(a, batch.classes))[:, None]], dim=1
            )

        logits = model.run_with_hooks(batch.tokens, fwd_hooks=[(HOOK, change)])
        said = logits[:, -1].argmax(dim=-1)
        is_right = said == batch.answers.gather(1, batch.classes[:, None])[:, 0]
        right += int(is_right.sum())
        anothers += int(((batch.answers == said[:, None]).any(dim=1) & ~is_right).sum())
        n_asked += len(said)
    return right / n_asked, anothers / n_asked


def wrote(made, a, latent):
    """What one latent of each prompt adds: its value times its row of the decoder."""
    return made.encode(a).gather(1, latent[:, None]) * made.W_dec[latent]


def longest(a, classes):
    """The latent of `good` that writes most."""
    return (good.encode(a) * good.W_dec.norm(dim=1)).argmax(dim=1)


def as_long_as_own(a, classes):
    """A random direction of the length that `own` takes out."""
    noise = unit_decoder(torch.randn(a.shape, generator=seeded(0))).float()
    return noise * wrote(good, a, best_of["good"][classes]).norm(dim=1, keepdim=True)


in_good, in_dense = best_of["good"], best_of["dense"]
steps = {
    "own": lambda a, c: -wrote(good, a, in_good[c]),
    "half": lambda a, c: -wrote(good, a, in_good[c]) / 2,
    "alone": lambda a, c: good.b_dec + wrote(good, a, in_good[c]) - a,
    "longest": lambda a, c: -wrote(good, a, longest(a, c)),
    "dense": lambda a, c: -wrote(dense, a, in_dense[c]),
    "dense alone": lambda a, c: dense.b_dec + wrote(dense, a, in_dense[c]) - a,
    "other": lambda a, c: -wrote(good, a, in_good[(c + 7) % 50]),
    "random": as_long_as_own,
}
english = swap_questions(asked[5::23], geography)
broken = {}
for what, step in steps.items():
    broken[what], anothers = share_right(step, english)
    if what == "own":
        broken["another's"] = anothers
for name, share in broken.items():
    print(f"{name:<12}{share:>6.2f}")
is_own = []
for batch in english:
    with torch.no_grad():
        _, cache = model.run_with_cache(batch.tokens, names_filter=HOOK)
        longest_here = longest(cache[HOOK][:, -1], batch.classes)
    is_own.append(longest_here == in_good[batch.classes])
longest_is_own = torch.cat(is_own).float().mean()
print(f"the longest latent is the own state's: {longest_is_own:.2f}\n")

# Which latents of `dense` are larger where a state is asked for than where another one is?
of_a_state = labels_here[:, states].any(dim=1)
is_state = labels_here[of_a_state][:, states].float()
with torch.no_grad():
    f_dense = dense.encode(x_here[of_a_state])
there = is_state.T @ f_dense / is_state.sum(dim=0)[:, None]
elsewhere = (1 - is_state).T @ f_dense / (1 - is_state).sum(dim=0)[:, None]


def without_set(sets, shift):
    """The share that stays right without the set of the state that is `shift` further on in the list."""

    def step(a, classes):
        latents = sets[(classes + shift) % 50]
        return -torch.einsum(
            "pk,pkd->pd", dense.encode(a).gather(1, latents), dense.W_dec[latents]
        )

    return share_right(step, english)[0]


print(f"{'latents':<12}{'own set out':>12}{'another out':>13}{'difference':>12}")
apart = {}
for n_latents in (1, 2, 3, 5, 8):
    sets = (there - elsewhere).topk(n_latents, dim=1).indices
    without_own, without_another = without_set(sets, 0), without_set(sets, 7)
    apart[n_latents] = without_another - without_own
    print(
        f"{n_latents:<12}{without_own:>12.2f}{without_another:>13.2f}{apart[n_latents]:>12.2f}"
    )
broken["sets"] = (there - elsewhere).topk(2, dim=1).indices.tolist()

# And dictionaries that nobody has trained yet. Write down the rows that say all samples with the fewest of them on.
broken["forecasts"] = {
    # A row each, at right angles to all others.
    "alone": {"gone": 0.9, "part": 0.1},
    # Two rows: A, and A with B in one. Here the first is on.
    "without its own": {"gone": 0.9, "part": 0.1},
    # Here the second is, and says A as well; A's best row is silent. (Some starts will not find that.)
    "with its own": {"there": 0.85, "gone": 0.15},
    # What is saved is saved per sample: a rare pair is worth a row of its own as long as there are rows to spare.
    "with a rare one": {"there": 0.85, "gone": 0.15},
    # The budget would do for a row each. But one latent less is left for others, at no cost.
    "with its own, enough for each": {"there": 0.75, "gone": 0.25},
    # One row for both, so B goes with it.
    "the twin": {"gone": 0.95, "there": 0.05},
    # A with B, A with C, A with D: three rows that are as good, and one of them is taken out.
    "in three forms": {"part": 0.95, "there": 0.05},
    # As in `dense`: nothing is saved by saying A in one place.
    "five times as many": {"part": 0.8, "gone": 0.2},
}
# END SOLUTION

# %% tags=["check"]
check("ablate-a-latent", broken)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

Without its state's latent fewer than one answer in five stays right, and nearly all of the wrong ones are another
state's: the relation and the language come by another way, and what is missing is *which* state. The reverse holds as
well: with that latent and the bias alone nearly all answers stay right, so of what attention writes there the state is
what the answer needs. Neither is in proportion. An answer is a word that wins: without half of the value most answers
are still there. The longest latent is the state's in about a quarter of these questions, and most answers do without
it. Nothing happens without another state's latent, and hardly anything along a random direction of that length.

In `dense` the best latent is neither needed nor enough: most answers survive without the best latent of `dense`, and
with that one alone most are lost. A state is spread there over several latents, and each of them says something for
other states too. Two or three latents tell a state apart best; with eight the other state's answers go too. A latent
that is not missed proves little, then, as long as others can say the same. And what all this does not show: that the
answers need a *latent*. They need directions; the model has no latents. Our shares were measured on other questions
than the check's.

For dictionaries that do not exist yet the thought “one feature, one latent” is wrong wherever something goes with A.
Count latents instead. Where B never comes without A, one row can say both: there A is said by another latent than its
best one, and stays when that is taken out, even if B is so rare that nobody would look for it, and even with a budget
that would do for one row each. Twins are one row, so they go together. In three forms A has three rows, as long each,
and no one of them is *the* latent of A. And with latents to spare nothing pays for saying A in one place, as in
`dense`. So “it is not missed” can mean that another one has taken it over, that it was split, or that it was never in
one place; only the rows tell. Random starts differ, so our numbers are not bolder.

</details>
"""

# %% tags=["claim"]
assert broken["own"] < 0.2, (
    "Without its state's latent fewer than one answer in five stays right"
)
assert broken["another's"] > 0.75, "nearly all of the wrong ones are another state's"
assert broken["half"] > 0.85, "without half of the value most answers are still there"
assert broken["alone"] > 0.94, (
    "with that latent and the bias alone nearly all answers stay right"
)
assert abs(longest_is_own - 0.25) < 0.05, (
    "The longest latent is the state's in about a quarter of these questions"
)
assert broken["longest"] > 0.75, "most answers do without it"
assert broken["other"] > 0.99, "Nothing happens without another state's latent"
assert 0.94 < broken["random"] < 0.99, (
    "hardly anything along a random direction of that length"
)
assert 0.5 < broken["dense"] < 0.8, (
    "most answers survive without the best latent of `dense`"
)
assert broken["dense alone"] < 0.4, "with that one alone most are lost"
assert max(apart, key=apart.get) in (2, 3), (
    "Two or three latents tell a state apart best"
)
assert apart[8] < apart[2] - 0.1, "with eight the other state's answers go too"

# %% [markdown]
r"""
### What is left out

A dictionary describes what it was trained to describe. The rest is in the **error term**, $x - x'$, which stays
in place when you edit latents. What can be read from it? Take the mean activation of each kind on some texts, and
read others by the nearest mean, with distances in units of how much activations vary *within* a kind (a linear
discriminant: one kind of **probe**, see chapter 04). Kinds are states, relations or languages; each counts alike,
however often it occurs.
"""

# %% id="in-the-error-term"
families = {name: texts.columns(name) for name in ("state", "relation", "language")}


def about_states(rows, labels) -> tuple[Tensor, dict[str, Tensor]]:
    """Activations where an answer about a state is due, and for each family the number of its kind."""
    here = labels[:, families["state"]].any(dim=1) & labels[
        :, families["relation"]
    ].any(dim=1)
    kinds = {
        name: labels[here][:, c].int().argmax(dim=1) for name, c in families.items()
    }
    return rows[here].double(), kinds


def read_by_a_probe(known, its_kinds, new, new_kinds) -> float:
    """The share of each kind that a linear discriminant reads rightly, averaged over kinds."""
    kinds, number = its_kinds.unique(return_inverse=True)
    means = torch.stack([known[number == i].mean(dim=0) for i in range(len(kinds))])
    spread = (known - means[number]).T @ (known - means[number]) / len(known)
    spread += 1e-3 * spread.diagonal().mean() * torch.eye(len(spread))
    probe = torch.linalg.solve(spread, means.T)
    read = kinds[(new @ probe - (means.T * probe).sum(dim=0) / 2).argmax(dim=1)]
    right = [
        (read[new_kinds == kind] == kind).double().mean() for kind in new_kinds.unique()
    ]
    return torch.stack(right).mean().item()


x_known, known = about_states(x_here, labels_here)
x_new, new = about_states(x_there, labels_there)
parts = {
    "the activation": lambda a: a,
    "the reconstruction": lambda a: good(a.float()).double(),
    "what is left out": lambda a: a - good(a.float()),
}
print(f"{'read from':<20}" + "".join(f"{name:>12}" for name in families))
can_read = {}
for what, part in parts.items():
    shares = can_read[what] = [
        read_by_a_probe(part(x_known), known[name], part(x_new), new[name])
        for name in families
    ]
    print(f"{what:<20}" + "".join(f"{share:>12.1%}" for share in shares))
chances = (1 / len(known[name].unique()) for name in families)
print(f"{'by chance':<20}" + "".join(f"{chance:>12.1%}" for chance in chances))

# %% [markdown]
r"""
**What you should see.** All three can be read from the activation: what is asked and in which language *is* there,
along with the state. Of the state little is left out (15 %). The relation can be read from what is left out (87 %)
and hardly better than by chance from the reconstruction: no latent was worth spending on it. The language can be read
from both, from the reconstruction at 63 % and from what is left out at 87 %, though no latent says it.

So here a probe on the activation reads relation and language better than one on the reconstruction, and the state
equally well. That dictionaries do not help probing is no oddity of `atlas`. Kantamneni et al. 2025 set dictionaries
the task they should be good at, reading concepts where data is scarce, unbalanced, mislabelled or shifted, on more
than a hundred data sets, and could not make probes on latents beat plain probes on activations consistently. If you
know what you are looking for, a probe is the baseline to beat. A dictionary is for finding what you did not know to
look for.

What is left out is not noise, and a missing latent is no evidence that something is missing. A small share of
the variance can hold a large share of what somebody could read, and a model can use it too; chapter 07 shows
behaviour coming back through it. Templeton et al. 2024 trained dictionaries of up to 34 million latents on a
large model. Of the largest dictionary's latents about 12 million were alive, and at least 65 % of the variance
was explained. The rest is in nobody's latents.

## On the real thing

The same code on GPT-2 small, if it can be had here. There are no labels, so this is where you read for
yourself. The text is Python's own documentation, which every Python has with it; the sample is tiny, so expect
a poor dictionary with some latents that make sense.
"""

# %% tags=["claim"]
_whole, _rebuilt, _left = (can_read[_what] for _what in parts)
assert min(_whole) > 0.85, "All three can be read from the activation"
assert _left[0] < 0.2, "Of the state little is left out (15 %)"
assert abs(_whole[0] - _rebuilt[0]) < 0.005, "and the state equally well"
assert min(_whole[_k] - _rebuilt[_k] for _k in (1, 2)) > 0.05, (
    "reads relation and language better than one on the reconstruction"
)
assert _rebuilt[1] < 0.13 and _left[1] > 0.86, (
    "The relation can be read from what is left out (87 %) and hardly better than by chance from the reconstruction"
)
assert round(100 * _rebuilt[2]) == 63 and round(100 * _left[2]) == 87, (
    "The language can be read from both, from the reconstruction at 63 % and from what is left out at 87 %"
)

# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
try:
    gpt2 = open_specimen("gpt2")
except SpecimenError as error:
    print(error)
else:
    from pydoc_data.topics import topics

    n_rows, length, layer = 160, 64, gpt2.cfg.n_layers // 2
    ids = gpt2.tokenizer(" ".join(topics.values())[:200_000])["input_ids"]
    ids = torch.tensor(ids[: n_rows * (length - 1)]).view(-1, length - 1)
    bos = torch.full((len(ids), 1), gpt2.tokenizer.bos_token_id)
    tokens = torch.cat([bos, ids], dim=1).to(gpt2.cfg.device)
    hook = f"blocks.{layer}.hook_resid_pre"
    rows = lab.activation_rows(gpt2, tokens, hook, batch=16).cpu()
    n_test = len(rows) // 5
    real = lab.train_sae(
        lambda i: rows[n_test:],
        lab.SaeConfig(d_sae=2048, kind=lab.TopK(k=16), n_steps=300, batch_size=512,
                      learning_rate=2e-3, revive=lab.Auxiliary(k=64), dead_after=20_000),
    ).sae  # fmt: skip
    m = lab.sae_metrics(real, rows[:n_test])
    print(
        f"GPT-2 small, before layer {layer}: L0 {m.l0:.1f}, FVU {m.fvu:.2f}, dead {m.dead:.0%}"
    )
    f = lab.encode_texts(real, rows.view(len(tokens), length - 1, -1))
    for number in m.density.argsort(descending=True)[20:200:30].tolist():
        print(f"latent {number}, on in {m.density[number]:.1%}:")
        for context in lab.top_contexts(
            f[..., number], tokens[:, 1:].cpu(), n=3, around=5
        ):
            print(
                f"    {context.activation:5.1f}  {gpt2.tokenizer.decode(context.tokens)!r}"
            )

# %% [markdown]
r"""
## Common misreadings

- **"A latent is a feature."** A latent is a unit of one dictionary. Another width, another seed, and the same
  activations are cut otherwise.
- **"FVU is low, so the dictionary is good."** You have seen the counterexample. Karvonen et al. 2025 (SAEBench)
  report it at scale: gains on proxy metrics do not reliably become better practical performance.
- **"98 % of the loss is recovered, so the latents are 98 % of what the model does."** An activation with as much
  noise added as there was signal recovers 93 to 95 %, as you saw: the signal is still in it. What share of *what* is
  recovered?
- **"Its top contexts are all Texas, so it is the Texas latent."** Precision at the top says nothing about weak
  activations, and nothing about recall.
- **"The latent is on, so the model uses it."** Read, not changed. That the model uses it is chapter 05's
  question.
- **"Neurons are the natural units, dictionaries are artificial."** Neurons are a *privileged* basis: the nonlinearity
  acts on each by itself. A dictionary has more latents than dimensions, so it is no basis at all, and it is one of
  many that fit. Which says more per unit can be measured, like for like, and was not the same at two places: you did.
- **"More latents, more understanding."** Splitting: in the limit each text has a latent of its own.

## Recap
"""

# %% tags=["quiz"]
quiz("what-an-sae-shows", "b")

# %% [markdown]
r"""
Can you walk through training a dictionary without looking? Which activations, and which of them more often; the
scale; how it starts; the loss, with its reductions; why decoder rows are held at length 1; how latents die, how
you notice, what brings them back; how sparse; which numbers to look at, on which texts; and then the latents
themselves: chosen here, marked there. What would each number *not* tell you?
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Bricken et al. 2023, *Towards Monosemanticity*. Dictionaries for the 512 neurons of a one-layer model; more
  than 4,000 features in the run they study; resampling, density plots, splitting.
- Cunningham et al. 2023, *Sparse Autoencoders Find Highly Interpretable Features in Language Models*. The same
  idea, at the same time, in the residual stream.
- Sharkey et al. 2022, *Taking features out of superposition with sparse autoencoders*. The toy test of this
  chapter.
- Conerly et al. 2024, *Update on how we train SAEs*. The penalty weighted with decoder norms.
- Gao et al. 2024, *Scaling and evaluating sparse autoencoders*. TopK, the auxiliary loss.
- Rajamanoharan et al. 2024, *Improving Dictionary Learning with Gated Sparse Autoencoders*, and *Jumping Ahead:
  Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders*. Shrinkage, and two cures.
- Bussmann et al. 2024, *BatchTopK Sparse Autoencoders*.
- Templeton et al. 2024, *Scaling Monosemanticity*. Up to 34 million latents in a large model.
- Chanin et al. 2024, *A is for Absorption*. Why a latent that looks right has holes.
- Karvonen et al. 2025, *SAEBench*. Many ways to mark a dictionary, and how little they agree with FVU.
- Wright and Sharkey 2024, *Addressing Feature Suppression in SAEs*. Shrinkage.
- Chanin and Garriga-Alonso 2025, *Sparse but Wrong: Incorrect L0 Leads to Incorrect Features in Sparse Autoencoders*.
- Bussmann et al. 2025, *Learning Multi-Level Features with Matryoshka Sparse Autoencoders*.
- Paulo and Belrose 2025, *Sparse Autoencoders Trained on the Same Data Learn Different Features*.
- Leask et al. 2025, *Sparse Autoencoders Do Not Find Canonical Units of Analysis*.
- Bills et al. 2023, *Language models can explain neurons in language models*, and Paulo et al. 2024, *Automatically
  Interpreting Millions of Features in Large Language Models*. Names, and how to score them.
- Kantamneni et al. 2025, *Are Sparse Autoencoders Useful? A Case Study in Sparse Probing*.
"""
