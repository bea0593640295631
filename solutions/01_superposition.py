# %% [markdown] minutes=160
r"""
# 01 · Superposition

How a model stores more features than it has dimensions, when it does so, and what that costs: with
models so small that you can see all of it.

## What you will be able to do

- say what the linear-representation hypothesis and the superposition hypothesis claim
- write and train the ReLU toy model of Elhage et al. 2022, many instances at once
- measure interference and feature dimensionality, and read a Gram matrix
- predict from sparsity and importance whether a feature is dropped, superposed or given a dimension of
  its own
- explain why neurons answer to several features, and what a privileged basis is
- say what superposition costs, and how much room high dimensions have

You need: matrix products, basic PyTorch. You do not need: a GPU, a download, or chapter 00 (but it
explains how exercises, checks and hints work).
"""

# %% tags=["setup"]
import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz
from mi_tutor.lab import superposition as lab
from mi_tutor.lab.ground import seeded
from mi_tutor.show import superposition as show
from mi_tutor.show.superposition import superposition_explorer

# %% [markdown]
r"""
## Two hypotheses

A network's activations are lists of numbers. What do they stand for? Two hypotheses organise most of the
field.

**Linear representation.** A *feature* is something about the input that the model keeps track of ("this
is French", "a vertical edge is here"). The hypothesis: each feature is a **direction** in activation
space, and how strongly it is present is how far the activation goes along that direction.

**Superposition.** If features are directions, then a space of $m$ dimensions seems to have room for $m$
of them. But directions need not be at right angles. The hypothesis: models store **more features than
dimensions**, as directions that overlap a little, and live with the interference. They can afford to
because features are **sparse**: of all the things a model knows about, hardly any is present in a given
input.

Here is how five features can live in two dimensions. Nobody trained this; we drew it.
"""

# %% id="drawn-pentagon"
angle = 2 * torch.pi * torch.arange(5) / 5
pentagon = torch.stack(
    [angle.cos(), angle.sin()]
)  # [hidden feature]: column i is feature i's direction
show.features_in_plane(
    pentagon[None], title="Five features in two dimensions, drawn by hand"
)

# %% [markdown]
r"""
Does a model that is trained, rather than drawn, do this? Elhage et al. 2022 (*Toy Models of
Superposition*) asked the smallest model that could, and so will you.

## Data: features that are rarely on

We invent data whose features we know. A sample has $n$ features; feature $i$ is on with probability
$p_i$, its *density*, and then has a magnitude between 0 and 1. (The paper speaks of sparsity, $S = 1 -
p$.)
"""

# %% [markdown] slug="sparse-features"
r"""
Write the data generator. Each entry of the batch decides for itself whether it is on:

$$x_i = \begin{cases}
0 & \text{with probability } 1 - p_i \\
u, \quad u \sim \text{Uniform}[0, 1) & \text{with probability } p_i
\end{cases}$$

All randomness must come from `generator` (so `torch.rand(..., generator=generator)`): then the same seed
gives the same data.
"""


# %% tags=["exercise"] slug="sparse-features"
def sparse_features(
    n_batch: int, probability: Float[Tensor, "feature"], generator: torch.Generator
) -> Float[Tensor, "batch feature"]:
    """Independent sparse features: 0, or with probability p_i uniform in [0, 1)."""
    # BEGIN SOLUTION
    shape = (n_batch, len(probability))
    is_on = torch.rand(shape, generator=generator) < probability
    magnitude = torch.rand(shape, generator=generator)
    return torch.where(is_on, magnitude, 0.0)
    # END SOLUTION


# %% tags=["check"]
check("sparse-features", sparse_features)

# %% [markdown]
r"""
## The model: down, and up again

The model has to pass its $n$ features through a bottleneck of $m < n$ dimensions and get them back:

$$h = W x \qquad x' = \mathrm{ReLU}(W^\top h + b) = \mathrm{ReLU}(W^\top W x + b)$$

The same matrix $W$ (shape `[hidden feature]`) goes down and, transposed, up. So **column `W[:, i]` is
feature $i$'s direction**: where it is written to in the hidden space, and where it is read from.
"""

# %% [markdown] slug="toy-forward"
r"""
Write the model. In the formula $x$ is a column; in code samples are rows, `x` is `[batch feature]`.
"""


# %% tags=["exercise"] slug="toy-forward"
def toy_forward(
    x: Float[Tensor, "batch feature"],
    W: Float[Tensor, "hidden feature"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "batch feature"]:
    """x' = ReLU(Wᵀ W x + b)."""
    # BEGIN SOLUTION
    hidden = x @ W.T
    return torch.relu(hidden @ W + b)
    # END SOLUTION


# %% tags=["check"]
check("toy-forward", toy_forward)

# %% [markdown] slug="weighted-loss"
r"""
Not all features matter equally. Feature $i$ has an importance $I_i$, and the loss is

$$L = \frac{1}{|\text{batch}|} \sum_{x} \sum_i I_i \, (x_i - x'_i)^2$$

Mind the reductions: the **mean over the batch**, the **sum over features**. Many bugs in this field are
a mean where a sum should be, so this course states both every time.
"""


# %% tags=["exercise"] slug="weighted-loss"
def weighted_loss(
    x: Float[Tensor, "batch feature"],
    x_hat: Float[Tensor, "batch feature"],
    importance: Float[Tensor, "feature"],
) -> Float[Tensor, ""]:
    """Mean over the batch of Σ_i I_i (x_i - x'_i)²."""
    # BEGIN SOLUTION
    return (importance * (x - x_hat) ** 2).sum(dim=-1).mean()
    # END SOLUTION


# %% tags=["check"]
check("weighted-loss", weighted_loss)

# %% [markdown]
r"""
## Training many models at once

We want to see how the answer changes with sparsity, so we need many models. They are tiny, and a
processor is bored by tiny matrix products; training them one after another wastes nearly all of the time
on overhead. So give every tensor one more axis, `instance`, and train all of them in the same few
operations.
"""

# %% [markdown] slug="train-toy"
r"""
Write the training loop. Everything random has been done for you: you get starting weights, and one batch
per step and instance. Use `torch.optim.Adam`. The total loss is the **sum over instances** of the
weighted loss (written again, for tensors with one axis more), so each model's gradient is its own. Leave
the tensors that you are given as they are, and return the trained `(W, b)`.

`einsum` from einops spells a product out by naming its axes, here the way down:
`einsum(x, W, "instance batch feature, instance hidden feature -> instance batch hidden")`.
"""


# %% tags=["exercise"] slug="train-toy"
def train_toy(
    W: Float[Tensor, "instance hidden feature"],
    b: Float[Tensor, "instance feature"],
    batches: Float[Tensor, "step instance batch feature"],
    importance: Float[Tensor, "feature"],
    learning_rate: float,
) -> tuple[Float[Tensor, "instance hidden feature"], Float[Tensor, "instance feature"]]:
    """Train every instance with Adam, one step per batch."""
    # BEGIN SOLUTION
    W, b = W.clone().requires_grad_(), b.clone().requires_grad_()
    optimizer = torch.optim.Adam([W, b], lr=learning_rate)
    for x in batches:
        hidden = einsum(
            x,
            W,
            "instance batch feature, instance hidden feature -> instance batch hidden",
        )
        x_hat = einsum(
            hidden,
            W,
            "instance batch hidden, instance hidden feature -> instance batch feature",
        )
        x_hat = torch.relu(x_hat + b[:, None, :])
        loss = (importance * (x - x_hat) ** 2).sum(dim=-1).mean(dim=-1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W.detach(), b.detach()
    # END SOLUTION


# %% tags=["check"]
check("train-toy", train_toy)

# %% [markdown]
r"""
## What the trained models do

The package has the same loop, made fast (`lab.train_sweep`: no autograd, one random draw per entry). The
result is the same mathematics; from here on we use it whenever we want many models. A `ToySweep` says
what to train, `best_of_seeds` keeps the random start that ended with the lowest loss, and `lab.phenomena`
has the settings of later sections.

Five features, two hidden dimensions, importances that fall by a factor 0.9 from feature to feature.
Seven sparsities, twelve random starts each, of which the figure shows the one with the lowest loss.
"""

# %% id="train-intro"
density = torch.tensor([1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01])
importance = 0.9 ** torch.arange(5)
intro = lab.ToySweep(
    n_features=5,
    n_hidden=2,
    probabilities=density,
    importances=[importance],
    n_seeds=12,
    n_steps=3000,
)
trained = lab.train_sweep(intro)
best = lab.best_of_seeds(intro, trained)

# %% id="intro-figure"
show.features_in_plane(
    best.W,
    importance,
    titles=[f"sparsity S = {1 - p:.2f}" for p in density],
    title="Five features in two dimensions, trained",
)

# %% [markdown]
r"""
**What you should see.** With dense features (S = 0) the model keeps the two most important ones, at
right angles, and drops the rest: that is what principal component analysis would do. As features get
rarer, further ones appear, at first as **antipodal pairs**: two features on one line, pointing apart.
With very rare features all five share the plane as a **pentagon**, the one we drew. Nobody told the
model about geometry. It found that this is the cheapest place to put five rare things.

Below, the same with 2 to 8 features. Move the sliders, with the mouse or with the arrow keys, and find:
the first sparsity at which a third feature appears; a model that drops features although it has pairs;
what eight features do. (Where widgets cannot run you see one model in words.)
"""

# %% id="explorer"
explored = {}
for n_features in range(2, 9):
    sweep = lab.ToySweep(
        n_features=n_features,
        n_hidden=2,
        probabilities=density,
        importances=[0.9 ** torch.arange(n_features)],
        n_seeds=6,
        n_batch=512,
        n_steps=1500,
    )
    model = lab.best_of_seeds(sweep, lab.train_sweep(sweep))
    explored[n_features] = (model.W, density)
superposition_explorer(explored)

# %% [markdown]
r"""
Now look at any pair. Why do the two point *apart*, and not the same way? The next question is about
that.
"""

# %% tags=["quiz"]
quiz("antipodal-cost", "b")

# %% [markdown]
r"""
And what if there were no ReLU to cut the negative overlap off?
"""

# %% tags=["quiz"]
quiz("why-relu", "d")

# %% [markdown]
r"""
## Measuring it

Pictures work in two dimensions. For more we need numbers. Everything there is to know about the geometry
stands in the **Gram matrix** $G = W^\top W$: on its diagonal the squared lengths $\lVert W_i \rVert^2$
(is feature $i$ represented?), off the diagonal the overlaps $W_i \cdot W_j$ (do $i$ and $j$ get in each
other's way?).
"""

# %% id="gram-figure"
some = [0, 3, 6]
show.gram_heatmap(
    best.W[some], titles=[f"sparsity S = {1 - density[k]:.2f}" for k in some]
)

# %% [markdown] slug="interference"
r"""
How much of the other features lies along feature $i$'s direction? With the unit vector $\hat W_i = W_i /
\lVert W_i \rVert$,

$$\text{interference}_i = \sum_{j \ne i} (\hat W_i \cdot W_j)^2$$

A feature that is not represented, $W_i = 0$, has no direction; its interference is 0. Features are
**columns** of `W`.
"""


# %% tags=["exercise"] slug="interference"
def interference(W: Float[Tensor, "hidden feature"]) -> Float[Tensor, "feature"]:
    """Σ_{j≠i} (Ŵ_i · W_j)² for every feature i."""
    # BEGIN SOLUTION
    length = W.norm(dim=0)
    unit = W / length.where(length > 0, 1.0)
    overlaps = unit.T @ W  # entry (i, j) is Ŵ_i · W_j
    return (overlaps**2).sum(dim=1) - overlaps.diag() ** 2
    # END SOLUTION


# %% tags=["check"]
check("interference", interference)

# %% [markdown] slug="feature-dimensionality"
r"""
Now the measure that made the paper's geometry visible: which share of a dimension does feature $i$ own?

$$D_i = \frac{\lVert W_i \rVert^2}{\sum_j (\hat W_i \cdot W_j)^2}$$

This time the sum **includes** $j = i$. Alone in its dimension a feature has $D = 1$; not represented, $D
= 0$ (guard the division again). Before you code, work two cases out on paper: an antipodal pair, and a
square, four features with neighbours at right angles.
"""


# %% tags=["exercise"] slug="feature-dimensionality"
def feature_dimensionality(
    W: Float[Tensor, "hidden feature"],
) -> Float[Tensor, "feature"]:
    """D_i = ‖W_i‖² / Σ_j (Ŵ_i · W_j)²; 0 where W_i = 0."""
    # BEGIN SOLUTION
    squared_length = (W**2).sum(dim=0)
    crowd = squared_length + interference(W)
    return squared_length / crowd.where(crowd > 0, 1.0)
    # END SOLUTION


# %% tags=["check"]
check("feature-dimensionality", feature_dimensionality)

# %% id="dimensionality-of-the-pentagon"
for k in range(len(density)):
    shares = ", ".join(
        f"{value:.2f}" for value in lab.feature_dimensionality(best.W[k])
    )
    print(f"sparsity {1 - density[k]:.2f}:  D = {shares}")

# %% tags=["quiz"]
quiz("half-a-dimension", "b")

# %% [markdown]
r"""
A regular $n$-gon gives $D = 2/n$: triangle 2/3, square 1/2, pentagon 2/5. In three dimensions a
tetrahedron gives 3/4, and a square antiprism (eight corners) 3/8. Do models build such shapes? Give them
just as many features and dimensions as a shape needs, all equally important, and see.
"""

# %% id="shape-by-shape"
shapes = [
    ("a dimension of its own", 1, 1, 1, 0.05),
    ("tetrahedron", 3 / 4, 4, 3, 0.7),
    ("triangle", 2 / 3, 3, 2, 0.6),
    ("antipodal pair", 1 / 2, 2, 1, 0.05),
    ("pentagon", 2 / 5, 5, 2, 0.05),
    ("square antiprism", 3 / 8, 8, 3, 0.02),
]
print(f"{'':48}density  D expected   D trained        opposite pairs")
for name, expected, n_features, n_hidden, p in shapes:
    sweep = lab.ToySweep(
        n_features=n_features,
        n_hidden=n_hidden,
        probabilities=[p],
        n_seeds=16,
        n_batch=512,
    )
    model = lab.best_of_seeds(sweep, lab.train_sweep(sweep))
    D = lab.feature_dimensionality(model.W[0])
    size = f"{n_features} features, {n_hidden} dimensions"
    direction = torch.nn.functional.normalize(model.W[0], dim=0)
    opposite = int((lab.gram(direction) < -0.95).sum()) // 2
    print(f"{name:<24}{size:<24}{p:5}    {expected:.3f}        ", end="")
    print(f"{D.min():.3f} to {D.max():.3f}   {opposite}")

# %% [markdown]
r"""
All six values, to about a hundredth. $D$ alone does not prove a shape: a cube's corners have 3/8 too,
but they come in opposite pairs, and the last column finds none in our eight. The densities were chosen
so that the shape wins. (Change the triangle's from 0.6 to 0.3, and it falls apart into a pair and a
feature with a dimension of its own.)

If large models are put together from such pieces, then $D$ should not take just any value: it should sit
on **plateaus**. So train models of twenty features in six dimensions at many sparsities, and look at
every single feature.
"""

# %% id="train-plateaus"
sweep = lab.phenomena.dimensionality()
plateaus = lab.train_sweep(sweep)
probability = torch.tensor(sweep.probabilities)[:, 0].repeat_interleave(sweep.n_seeds)

D = lab.feature_dimensionality(plateaus.W)
D = D[D > 0.05]  # of represented features
print(f"{sweep.n_instances} models; represented features within 0.02 of")
values = {"1": 1, "3/4": 3 / 4, "2/3": 2 / 3, "1/2": 1 / 2, "2/5": 2 / 5, "3/8": 3 / 8}
for name, value in values.items():
    print(f"    {name:>3}: {((D - value).abs() < 0.02).float().mean():6.1%}")

# %% id="plateau-figure"
show.dimensionality_vs_sparsity(plateaus.W, probability)

# %% [markdown]
r"""
**What you should see.** Each dot is one feature of one model. **1/2 is a plateau**: from $1/(1 - S)$ of
about 1.8 to 3.4 practically every represented feature is there, and the model is a collection of
antipodal pairs. To the right, where it gets more crowded, the values spread from 1/2 down to about 0.3,
densest around 2/5 and 3/8. To the left many gather near 2/3 at first, and otherwise there is no plateau.
The dashed line through the squares is $D^* = m / \lVert W \rVert_F^2$, the dimensions per unit of
squared length: it starts at 1 and takes a long step at 1/2.

Compare the printed shares with chance: if $D$ were spread evenly from 0 to 1, each line would get 4 %.
And $D_i = 1$ is missing altogether: with equal importance and dense features the model keeps *some* six
dimensions, and hardly any feature has one for itself. Elhage et al. 2022, with 400 features in 30
dimensions, see more of the plateaus than we do here. A replication that does not show everything is
worth more than one that was made to.
"""

# %% [markdown]
r"""
## Three fates

For each feature the model decides between three things: drop it, give it a dimension of its own, or put
it into superposition. When does it do which?
"""

# %% [markdown] slug="feature-fates"
r"""
First, tell the fates apart in trained weights. Return one whole number per feature:

- **0 · not represented**: the length $\lVert W_i \rVert$ is below 0.5;
- **1 · superposed**: represented, and its interference is 0.25 or more;
- **2 · dedicated**: represented, and its interference is below 0.25.

(Trained lengths are near 0, or 1 and a little more, so the limits matter little.) You may use your
`interference`.
"""


# %% tags=["exercise"] slug="feature-fates"
def feature_fates(W: Float[Tensor, "hidden feature"]) -> Int[Tensor, "feature"]:
    """0 not represented, 1 superposed, 2 dedicated."""
    # BEGIN SOLUTION
    represented = W.norm(dim=0) >= 0.5
    shared = interference(W) >= 0.25
    return torch.where(represented, torch.where(shared, 1, 2), 0)
    # END SOLUTION


# %% tags=["check"]
check("feature-fates", feature_fates)

# %% [markdown]
r"""
Now predict them. Take the smallest case there is: **two features, one dimension**. The first has
importance 1, the *extra* one relative importance $r$; both are on with probability $p$ (their density).
Three models are worth considering:

| fate of the extra feature | W | who suffers |
|---|---|---|
| dropped (0) | (1, 0) | the extra feature is lost, always |
| superposed (1) | (1, −1) | both, but only while both are on |
| dedicated (2) | (0, 1) | the first feature is lost, always |

Training should find whichever costs least, so the phase diagram can be worked out on paper.
"""

# %% [markdown] slug="phase-losses"
r"""
Work out the expected loss of each model, as a function of the density $p$ and the relative importance
$r$ (two tensors of one shape). Return the three in the order dropped, superposed, dedicated. Two facts
do it:

1. What the model cannot see it answers with a constant, its bias. The best constant is the mean, which
   leaves the **variance** of $x$. (Mind that $x$ is 0 most of the time, and uniform in $[0, 1)$
   otherwise.)
2. With $W = (1, -1)$ and $b = 0$, the output is right while at most one feature is on. When both are on,
   what comes out? Find the error of each and take its mean square, for two independent uniform numbers.
"""


# %% tags=["exercise"] slug="phase-losses"
def phase_losses(
    density: Float[Tensor, "grid"], relative_importance: Float[Tensor, "grid"]
) -> tuple[Float[Tensor, "grid"], Float[Tensor, "grid"], Float[Tensor, "grid"]]:
    """Expected loss of dropping, superposing and dedicating the extra feature."""
    p, r = density, relative_importance
    # BEGIN SOLUTION
    variance = p / 3 - p**2 / 4
    # Both on: the outputs are x1 - x2 and 0 (for x1 > x2), so each is off by the smaller value, and
    # E[min²] = ∫ t² 2(1 - t) dt = 1/6.
    superposed = (1 + r) * p**2 / 6
    return r * variance, superposed, variance
    # END SOLUTION


# %% tags=["check"]
check("phase-losses", phase_losses)

# %% [markdown] slug="phase-diagram"
r"""
Turn the losses into a prediction: the fate (0, 1, 2) with the lowest one.
"""


# %% tags=["exercise"] slug="phase-diagram"
def phase_theory(
    density: Float[Tensor, "grid"], relative_importance: Float[Tensor, "grid"]
) -> Int[Tensor, "grid"]:
    """The extra feature's fate, by theory."""
    # BEGIN SOLUTION
    return torch.stack(list(phase_losses(density, relative_importance))).argmin(dim=0)
    # END SOLUTION


# %% tags=["check"]
check("phase-diagram", phase_theory)

# %% [markdown]
r"""
And now ask the models: 15 densities, 15 relative importances, four random starts each, 900 models in one
sweep. Of the four starts we keep the one with the lowest loss, and your `feature_fates` says what became
of the extra feature.
"""

# %% id="train-phase"
phase = lab.phenomena.phase_diagram(n_cells=15, n_seeds=4)
phase_density = torch.tensor(phase.probabilities)[:, 0]
relative_importance = torch.tensor(phase.importances)[:, 1]
phase_best = lab.best_of_seeds(phase, lab.train_sweep(phase))
extra = torch.stack([feature_fates(W)[1] for W in phase_best.W])
fates = extra.view(15, 15).T  # [importance density]

predicted = phase_theory(
    *torch.broadcast_tensors(phase_density, relative_importance[:, None])
)
agree = (fates == predicted).float().mean()
print(f"trained and predicted agree in {agree:.0%} of the cells")

# %% id="phase-figure"
show.phase_diagram(fates, phase_density, relative_importance, theory=predicted)

# %% [markdown]
r"""
**What you should see.** Three regions. Dense features (left) are not superposed: the less important one
is dropped, the more important one gets the dimension, and the border between them is at importance 1. To
the right, where features are rare, both are kept as an antipodal pair, even if one matters ten times as
much as the other.

The trained border lies a little to the left of the theory's, because training may do what our formula
did not: shift the biases and the lengths of the two vectors. So superposition costs a little less than
$(1 + r)p^2/6$, and it wins a little earlier.
"""

# %% tags=["quiz"]
quiz("which-diagram", "d")

# %% [markdown]
r"""
## Features that come together

So far features were independent. Real ones are not: "French" and "accented letters" come together,
"question" and "exclamation" hardly ever. What does that do to the geometry?
"""

# %% [markdown] slug="correlated-features"
r"""
Write data with pairs: features $2k$ and $2k + 1$ belong together, and different pairs are independent.
Each feature alone looks as before: on with probability `probability`, and then uniform in $[0, 1)$ with
a magnitude of its own. But

- `correlated=True`: both of a pair are on, or both are off;
- `correlated=False` (anti-correlated): never both. (So `probability` is at most 1/2.)
"""


# %% tags=["exercise"] slug="correlated-features"
def paired_features(
    n_batch: int,
    n_pairs: int,
    probability: float,
    correlated: bool,
    generator: torch.Generator,
) -> Float[Tensor, "batch feature"]:
    """Features 2k and 2k+1 are on together, or never together."""
    # BEGIN SOLUTION
    draw = torch.rand(n_batch, n_pairs, 1, generator=generator)  # one decision per pair
    if correlated:
        is_on = (draw < probability).expand(-1, -1, 2)
    else:
        is_on = torch.cat(
            [draw < probability, (draw >= probability) & (draw < 2 * probability)],
            dim=-1,
        )
    magnitude = torch.rand(n_batch, n_pairs, 2, generator=generator)
    return torch.where(is_on, magnitude, 0.0).flatten(start_dim=1)
    # END SOLUTION


# %% tags=["check"]
check("correlated-features", paired_features)

# %% id="train-pairs"
pairs = {}
print("of 40 random starts      density   right angles    apart    same way")
for kind in ("independent", "correlated", "anti-correlated"):
    sweep = lab.phenomena.pairs(kind)
    models = lab.train_sweep(sweep)
    pairs[kind] = models.W[models.loss.argmin()]

    direction = torch.nn.functional.normalize(models.W, dim=1)
    cosine = lab.gram(direction)[:, [0, 2], [1, 3]]  # of the two features of each pair
    print(f"{kind:<24}{sweep.probabilities[0][0]:>8}", end="")
    for found in (cosine.abs() < 0.2, cosine < -0.9, cosine > 0.9):
        print(f"{found.all(dim=1).float().mean():>12.0%}", end="")
    print()

# %% id="pairs-figure"
shown = ["correlated", "anti-correlated"]
show.features_in_plane(
    torch.stack([pairs[kind] for kind in shown]),
    titles=[f"{kind} pairs: (0, 1) and (2, 3)" for kind in shown],
    title="Where pairs of features settle",
)

# %% [markdown]
r"""
**What you should see.** Correlated pairs settle at **right angles**, in every start, and share their
line with a feature of the other pair, which they rarely meet. Anti-correlated pairs share one line with
opposite signs, in every start: they cannot collide, so that costs nothing at all. Independent features
do some of this and some of that.

Correlation is not everything, though. Density matters as well, and `lab.phenomena.pairs` uses one at which the
effect is clean. Try `dataclasses.replace(lab.phenomena.pairs("correlated"), probabilities=[0.4])`: features
that are often on together end in the *same* direction, because the model keeps only their sum. And
anti-correlated pairs at a density of 0.1 find the opposite arrangement in only about half of the starts.
What a model *could* do and what training *finds* are two questions.
"""

# %% tags=["quiz"]
quiz("what-superposition-costs", "c")

# %% [markdown]
r"""
## Neurons, and why "neuron 7 = French" fails

Nothing in the toy model has neurons yet. Its hidden space is just a space:
"""

# %% tags=["quiz"]
quiz("rotate-the-basis", "a")

# %% [markdown]
r"""
A layer with a non-linearity is different. Put a ReLU on the hidden layer,

$$h = \mathrm{ReLU}(W x) \qquad x' = \mathrm{ReLU}(W^\top h + b),$$

and each hidden dimension becomes a **neuron**: the ReLU acts on the axes one by one, so the axes are
special. That is called a **privileged basis**. A neuron that one feature drives is *monosemantic*; one
that several features drive is *polysemantic*.
"""

# %% [markdown] slug="polysemantic-neuron"
r"""
Count the features that drive each neuron. Feature $i$ alone, at value 1, gives neuron $n$ the activation
$\mathrm{ReLU}(W_{ni})$. It *drives* the neuron if that is above zero and above `threshold` times the
neuron's own largest activation. Return one count per neuron (per row of `W`, which is `[neuron feature]`
here).
"""


# %% tags=["exercise"] slug="polysemantic-neuron"
def features_per_neuron(
    W: Float[Tensor, "neuron feature"], threshold: float
) -> Int[Tensor, "neuron"]:
    """How many features drive each neuron."""
    # BEGIN SOLUTION
    activation = torch.relu(W)
    largest = activation.max(dim=1, keepdim=True).values
    return ((activation > threshold * largest) & (activation > 0)).sum(dim=1)
    # END SOLUTION


# %% tags=["check"]
check("polysemantic-neuron", features_per_neuron)

# %% id="train-neurons"
neurons = lab.phenomena.neurons()
neuron_best = lab.best_of_seeds(neurons, lab.train_sweep(neurons))
for (p, *_), W in zip(neurons.probabilities, neuron_best.W, strict=True):
    counts = features_per_neuron(W, threshold=0.3).tolist()
    print(f"sparsity {1 - p:.2f}: features per neuron {counts}")

# %% id="neuron-figure"
W, b = neuron_best.W[5], neuron_best.b[5]  # sparsity 0.9
show.neurons_and_features(W, threshold=0.3)

# %% [markdown]
r"""
**What you should see.** With dense features every neuron serves one feature, so the neurons *are* the
five features that are kept. With sparse features nearly every neuron serves several, and most of the
features that are kept are spread over several neurons. The model that you see has one monosemantic
neuron left, for the most important feature.

### An intervention that fails

Suppose you want the model to forget one feature. You find the neuron that answers to it most strongly
and switch the neuron off. Let us do that.
"""

# %% id="switch-a-neuron-off"
feature = 1
neuron = int(W[:, feature].argmax())
switched_off = W.clone()
switched_off[neuron] = 0

alone = torch.eye(10)  # each feature alone, at value 1; a perfect model answers 1
before = lab.neuron_forward(alone, W, b).diag()
after = lab.neuron_forward(alone, switched_off, b).diag()
print(f"feature {feature} answers strongest in neuron {neuron}; without that neuron:")
for i in range(7):  # features 7 to 9 are not represented
    hit = "<- meant" if i == feature else "<- also hit"
    hurt = before[i] - after[i] > 0.1
    print(f"  feature {i}: {before[i]:.2f} -> {after[i]:.2f}  {hit if hurt else ''}")

# %% [markdown]
r"""
It failed twice over. The feature is still half there, because other neurons carry it too. And features
that nobody wanted to touch lost as much, because they share the neuron.
"""

# %% tags=["quiz"]
quiz("neuron-seven", "a")

# %% [markdown]
r"""
## Computing in superposition

Storing is one thing. Can a network also *compute* with features it has no room for? The task: output
$|x_i|$ for every feature, with $x_i$ in $[-1, 1]$. Two neurons per feature do it exactly, since $|x| =
\mathrm{ReLU}(x) + \mathrm{ReLU}(-x)$.
"""

# %% [markdown] slug="compute-in-superposition"
r"""
Write the network, $y' = \mathrm{ReLU}(W_\text{out}\, \mathrm{ReLU}(W_\text{in}\, x) + b)$. `W_in` is
`[neuron feature]`, `W_out` is `[feature neuron]`, samples are rows.
"""


# %% tags=["exercise"] slug="compute-in-superposition"
def absolute_forward(
    x: Float[Tensor, "batch feature"],
    W_in: Float[Tensor, "neuron feature"],
    W_out: Float[Tensor, "feature neuron"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "batch feature"]:
    """y' = ReLU(W_out ReLU(W_in x) + b)."""
    # BEGIN SOLUTION
    neurons = torch.relu(x @ W_in.T)
    return torch.relu(neurons @ W_out.T + b)
    # END SOLUTION


# %% tags=["check"]
check("compute-in-superposition", absolute_forward)

# %% id="train-absolute"
sweep = lab.phenomena.absolute_value()
absolute = lab.train_absolute(sweep)
lowest = sweep.on_grid(absolute.loss)[:, 0].min(dim=1)  # over seeds
dedicated = sweep.on_grid(lab.absolute_dedicated_loss(sweep))[:, 0, 0]
for k, (p, *_) in enumerate(sweep.probabilities):
    print(
        f"sparsity {1 - p:.2f}: loss / loss of three features done exactly = ", end=""
    )
    print(f"{lowest.values[k] / dedicated[k]:.2f}")

# %% id="absolute-figure"
k = 4  # sparsity 0.95
model = k * sweep.n_seeds + int(lowest.indices[k])
show.absolute_value_weights(absolute.W_in[model], absolute.W_out[model])

# %% [markdown]
r"""
**What you should see.** Six neurons could do three features exactly and nothing else; a loss ratio of 1
is that plan. With dense features the network follows it. With sparse features it does far better than
the plan: neurons serve several features at once, and what they compute is cleaned up by the output's
ReLU. So superposition is not only a way to store things. The network *computes* in it, so we cannot
count on one clean neuron per computation. In the figure look for the large negative weights going out:
neurons do not only add to an answer, they also hold back the answers of features they share a neuron
with.

## How much room is there?

In two dimensions five features are already crowded. High dimensions are different, and intuition from
the plane misleads. How many directions fit into $d$ dimensions if no two of them may have a $|\cos|$
above some small $\varepsilon$?
"""

# %% [markdown] slug="almost-orthogonal"
r"""
Write the measure: the largest $|\cos|$ between two **different** directions. Each row of `directions` is
one, of any length.
"""


# %% tags=["exercise"] slug="almost-orthogonal"
def max_abs_cosine(
    directions: Float[Tensor, "direction dimension"],
) -> Float[Tensor, ""]:
    """The largest |cos| between two different rows."""
    # BEGIN SOLUTION
    unit = directions / directions.norm(dim=1, keepdim=True)
    cosine = (unit @ unit.T).abs()
    return cosine.fill_diagonal_(0).max()
    # END SOLUTION


# %% tags=["check"]
check("almost-orthogonal", max_abs_cosine)

# %% id="spread"
d = 8
n = [4, 8, 9, 12, 16, 24, 32, 48, 64]
generator = seeded(0)
thrown = [max_abs_cosine(torch.randn(k, d, generator=generator)) for k in n]
spread = [max_abs_cosine(lab.spread_directions(k, d)) for k in n]
welch = [lab.welch_bound(k, d) for k in n]

# %% id="packing-figure"
show.cosine_packing(d, n, thrown, spread, welch)

# %% id="how-many-fit"
print("random directions kept while every |cos| stays below")
print("   d     0.5     0.7")
for d in (2, 4, 8, 16):
    fit = [
        len(lab.greedy_directions(d, epsilon, 20_000, seeded(0)))
        for epsilon in (0.5, 0.7)
    ]
    print(f"{d:4}  {fit[0]:6}  {fit[1]:6}")

# %% [markdown]
r"""
**What you should see.** Up to $n = d$ directions fit at right angles. No arrangement can lie below the
Welch bound. Gradient descent reaches it at $n = 9$ and stays close for a while; then the gap widens,
since so many directions cannot reach the bound at all. It is always far better than chance. The table
shows the other side: with a fixed overlap allowed, the number that fits grows much faster than $d$, even
for directions thrown at random. That is where a model with a few thousand dimensions can keep far more
features than that, as long as few of them are on at once.
"""

# %% tags=["quiz"]
quiz("room-in-high-dimensions", "d")

# %% [markdown]
r"""
## On the real thing

How crowded is a real model's residual stream? Here is the same measure on the directions that MLP
neurons *write* to it, for `primer`, the small language model of chapter 00, and for GPT-2 small where a
network is there. GPT-2 small has 3072 of them per layer in 768 dimensions, so they cannot all be at
right angles: their average dimensionality is at most 768/3072 = 1/4. (For any set of directions the
$D_i$ add up to at most the number of dimensions.)
"""

# %% id="on-the-real-thing"
from mi_tutor.specimens import SpecimenError, open_specimen

for name, layer in [("primer", 1), ("gpt2", 6)]:
    try:
        model = open_specimen(name, device="cpu")
    except SpecimenError as error:
        print(error)
        continue
    writes = model.W_out[layer].detach()  # [neuron d_model]
    n_neurons, d_model = writes.shape
    mean = lab.feature_dimensionality(writes.T).mean()
    print(
        f"{name}, layer {layer}: {n_neurons} neurons write into {d_model} dimensions:"
    )
    chance = torch.randn(writes.shape, generator=seeded(0))
    chance *= writes.norm(dim=1, keepdim=True) / chance.norm(dim=1, keepdim=True)
    control = lab.feature_dimensionality(chance.T).mean()
    print(
        f"    mean dimensionality {mean:.3f}, of random directions {control:.3f}",
        end=", ",
    )
    print(f"limit {d_model / n_neurons:.3f}")

# %% [markdown]
r"""
Random directions of the same lengths are the yardstick: a mean below theirs says that neurons write
along fewer directions than chance would have it. Whether those are near-copies or a shared subspace, $D$
does not say. And remember that neurons are not features: this is about the room that neurons share. For
features we need another tool, and that is chapter 02.
"""

# %% [markdown]
r"""
## Common misreadings

- **"D = 1/2 means an antipodal pair."** It says how much room a feature has, not how the rest is shared.
  Look at the Gram matrix.
- **"The phase diagram has two regions."** Three: dropped, superposed, dedicated.
- **"Antipodal is maximal interference, so the worst."** With features that are never negative and a
  ReLU, negative overlap is free while one feature is on at a time.
- **"A neuron that fires on X is the X neuron."** It takes part in X. Whether it is needed, or enough, is
  a question for an intervention.
- **"Superposition is a bug of small models."** It is the cheapest way to store many rare things; larger
  models have more dimensions and more things to store.
- **"Toy models prove that language models do this."** They show that it can happen, when, and why. That
  real features are sparse directions is a hypothesis with evidence for it, and chapter 02 is about
  collecting some.

## Recap
"""

# %% tags=["quiz"]
quiz("linear-hypothesis", "d")

# %% [markdown]
r"""
Can you say these without looking? What sparsity has to do with superposition. Why a pair points apart.
What $D = 2/5$ tells you, and what it does not. The three fates, and what moves a feature from one to
another. Why a rotation of the hidden space changes nothing in one model and everything in the other.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Elhage et al. 2022, *Toy Models of Superposition*. The source of nearly everything here; its sections
  on geometry and on learning dynamics go further.
- Bricken et al. 2023, *Towards Monosemanticity*. From neurons to directions in a one-layer language
  model: where chapter 02 goes.
- Johnson and Lindenstrauss 1984, *Extensions of Lipschitz mappings into a Hilbert space*. Why high
  dimensions have so much room.
- Welch 1974, *Lower bounds on the maximum cross correlation of signals*. The bound in the last figure.
"""
