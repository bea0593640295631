# %% [markdown] minutes=205
r"""
# 01 · Superposition

How a model stores more features than it has dimensions, when it does so, and what that costs: with
models so small that you can see all of it.

## What you will be able to do

- say what the linear-representation hypothesis and the superposition hypothesis claim
- write and train the ReLU toy model of Elhage et al. 2022, many instances at once
- measure interference and feature dimensionality, and read a Gram matrix
- predict from sparsity, importance and correlation whether a feature is dropped, superposed or given a
  dimension of its own, and say how sure you are
- explain why neurons answer to several features, and what a privileged basis is
- predict what a network does when one of its neurons is switched off
- say what superposition costs, how much room high dimensions have, and what a direction cannot hold

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

The package has the same loop, made fast (`lab.train_sweep`: no autograd, one random draw per entry).
The result is the same mathematics; from here on we use it whenever we want many models. A `ToySweep`
says what to train, `best_of_seeds` keeps the random start that ended with the lowest loss, and
`lab.phenomena` has the settings of later sections.

Five features, two hidden dimensions, importances that fall by a factor 0.9 from feature to feature.
Seven sparsities, eight random starts each, of which the figure shows the one with the lowest loss.
"""

# %% id="train-intro"
density = torch.tensor([1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01])
importance = 0.9 ** torch.arange(5)
intro = lab.ToySweep(
    n_features=5,
    n_hidden=2,
    probabilities=density,
    importances=[importance],
    n_seeds=8,
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


# %% tags=["claim"]
def _kept(W):
    return (W.norm(dim=0) >= 0.5).nonzero().flatten().tolist()


def _angles(W):
    """Cosines between the features that are kept, [kept kept]."""
    return lab.gram(torch.nn.functional.normalize(W[:, _kept(W)], dim=0))


assert _kept(best.W[0]) == [0, 1], "the model keeps the two most important ones"
assert _angles(best.W[0])[0, 1].abs() < 0.02, "at right angles"
_n_kept = [len(_kept(_W)) for _W in best.W]
assert _n_kept == [2, 4, 4, 4, 5, 5, 5], "further ones appear"
for _W in best.W[1:4]:
    _lowest = _angles(_W).min(dim=0).values
    assert (_lowest < -0.99).all(), "at first as **antipodal pairs**"
for _W in best.W[4:]:
    _cosine = _angles(_W).sort(dim=0).values
    _wanted = (2 * torch.pi * torch.tensor([2, 2, 1, 1, 0]) / 5).cos()
    assert (_cosine - _wanted[:, None]).abs().max() < 0.05, (
        "all five share the plane as a **pentagon**"
    )

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
A third feature is there at S = 0.5, the slider's first step above 0, with any number of features from three up. There
you also find models that drop features although they have pairs: five features make a square of two pairs, and the
fifth is dropped. And **eight features** never all fit. The sparsest models keep five of them as a pentagon; the other
three have lengths of 0.32 at most; seven features end the same way. A pentagon is what training finds here, and not
all that the plane can hold: at the sparsest setting a hexagon of six would cost a little less. None of our starts
finds it.
"""

# %% tags=["claim"]
for _n, (_Ws, _) in explored.items():
    _counts = [len(_kept(_W)) for _W in _Ws]
    if _n >= 3:
        assert _counts[0] == 2 and _counts[1] >= 3, (
            "A third feature is there at S = 0.5"
        )
_Ws = explored[5][0]
assert len(_kept(_Ws[1])) == 4 and 4 not in _kept(_Ws[1]), (
    "five features make a square of two pairs, and the fifth is dropped"
)
assert (_angles(_Ws[1]).min(dim=0).values < -0.99).all(), (
    "five features make a square of two pairs"
)
for _n in (7, 8):
    for _W in explored[_n][0]:
        assert len(_kept(_W)) <= 5, "And **eight features** never all fit."
    for _W in explored[_n][0][4:]:
        assert len(_kept(_W)) == 5, (
            "The sparsest models keep five of them as a pentagon"
        )
for _W in explored[8][0][4:]:
    _rest = _W.norm(dim=0).sort().values[:3]
    assert _rest.max() <= 0.32, "the other three have lengths of 0.32 at most"


def _rare(n, generator, p=0.01):
    """Samples of eight features of which at least one is on."""
    _on = torch.rand(14 * n, 8, generator=generator) < p
    _on = _on[_on.any(dim=1)][:n]
    return _on * torch.rand(_on.shape, generator=generator)


def _cost(W, b, x, none=0.99**8):
    """The loss of each model over 0.01, samples without any feature counted in."""
    _importances = 0.9 ** torch.arange(8)
    _errors = (x - torch.relu(x @ W.mT @ W + b[:, None])) ** 2
    _silent = (_importances * torch.relu(b) ** 2).sum(dim=-1)
    return 100 * (
        (1 - none) * (_importances * _errors).sum(dim=-1).mean(dim=-1) + none * _silent
    )


_hexagon = torch.zeros(2, 8)
_angle = torch.pi / 3 * torch.tensor([0, 3, 1, 4, 2, 5])
_hexagon[:, :6] = torch.stack([_angle.cos(), _angle.sin()])
_W = torch.stack([explored[8][0][6], _hexagon]).requires_grad_()
_b = torch.zeros(2, 8, requires_grad=True)
_adam, _g = torch.optim.Adam([_W, _b]), seeded(0)
for _step in range(800):
    _adam.param_groups[0]["lr"] = 0.01 * (1 - _step / 800)
    _adam.zero_grad()
    _cost(_W, _b, _rare(2048, _g)).sum().backward()
    _adam.step()
with torch.no_grad():
    _pentagon_costs, _hexagon_costs = _cost(_W, _b, _rare(100_000, _g)).tolist()
assert [len(_kept(_each)) for _each in _W.detach()] == [5, 6], "a hexagon of six"
assert 0.96 < _hexagon_costs / _pentagon_costs < 0.995, (
    "a hexagon of six would cost a little less"
)

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
Do not take our word for it: the same data, in a model without the ReLU.
"""

# %% id="linear-models"
from dataclasses import replace

linear = replace(intro, output_relu=False, n_seeds=4, n_steps=1500)
linear_best = lab.best_of_seeds(linear, lab.train_sweep(linear))
print("lengths of the five features, without and with the ReLU")
for k in (0, 4, 6):
    without, with_relu = (
        " ".join(f"{length:.2f}" for length in models.W[k].norm(dim=0))
        for models in (linear_best, best)
    )
    print(f"  sparsity {1 - density[k]:.2f}:   {without}   {with_relu}")

# %% [markdown]
r"""
**What you should see.** Without the ReLU sparsity changes nothing: the two most important features at right angles,
at every sparsity, and the others dropped. It is principal component analysis. With it the three others come in as
features get rare. So for features that come independently of each other, superposition takes both: features
that are seldom on, and a non-linearity that cuts interference off.
"""

# %% tags=["claim"]
for _W in linear_best.W:
    assert _kept(_W) == [0, 1], "the two most important features at right angles"
    assert _angles(_W)[0, 1].abs() < 0.02, "right angles, at every sparsity"
    assert _W[:, 2:].norm(dim=0).max() < 0.2, "and the others dropped"
assert [len(_kept(best.W[_k])) for _k in (0, 4, 6)] == [2, 5, 5], (
    "With it the three others come in as features get rare."
)

# %% [markdown]
r"""
## Measuring it

Pictures work in two dimensions. For more we need numbers. Everything there is to know about the geometry
stands in the **Gram matrix** $G = W^\top W$: on its diagonal the squared lengths $\lVert W_i \rVert^2$
(is feature $i$ represented?), off the diagonal the overlaps $W_i \cdot W_j$ (do $i$ and $j$ get in each
other's way?). We count a feature as **represented** from a length of 1/2 on, here and everywhere in this
chapter.
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
built = {}
print(
    f"{'':24}features in dimensions  density  D expected   D trained        opposite pairs"
)
for name, expected, n_features, n_hidden, p in shapes:
    sweep = lab.ToySweep(
        n_features=n_features,
        n_hidden=n_hidden,
        probabilities=[p],
        n_seeds=16,
        n_batch=512,
    )
    model = lab.best_of_seeds(sweep, lab.train_sweep(sweep, progress=False))
    D = built[name] = lab.feature_dimensionality(model.W[0])
    size = f"{n_features} in {n_hidden}"
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

# %% tags=["claim"]
for _name, _expected, *_ in shapes:
    assert (built[_name] - _expected).abs().max() < 0.0125, (
        "All six values, to about a hundredth."
    )
assert opposite == 0, "the last column finds none in our eight"
_sweep = lab.ToySweep(
    n_features=3, n_hidden=2, probabilities=[0.3], n_seeds=12, n_batch=512
)
_W = lab.best_of_seeds(_sweep, lab.train_sweep(_sweep, progress=False)).W[0]
_D = lab.feature_dimensionality(_W).sort().values
assert (_D - torch.tensor([0.5, 0.5, 1.0])).abs().max() < 0.01, (
    "it falls apart into a pair and a feature with a dimension of its own"
)

# %% id="train-plateaus"
sweep = replace(lab.phenomena.dimensionality(), n_seeds=4)
plateaus = lab.train_sweep(sweep)
probability = torch.tensor(sweep.probabilities)[:, 0].repeat_interleave(sweep.n_seeds)

represented = plateaus.W.norm(dim=1) >= 0.5
D = lab.feature_dimensionality(plateaus.W)[represented]
evenly = torch.linspace(0.3, 0.8, 10_001)
print(f"{sweep.n_instances} models; represented features within 0.02 of")
values = {"1": 1, "3/4": 3 / 4, "2/3": 2 / 3, "1/2": 1 / 2, "2/5": 2 / 5, "3/8": 3 / 8}
for name, value in values.items():
    share, chance = (((x - value).abs() < 0.02).float().mean() for x in (D, evenly))
    print(f"    {name:>3}: {share:6.1%}   (spread evenly: {chance:.0%})")

# %% id="plateau-figure"
show.dimensionality_vs_sparsity(
    plateaus.W,
    probability,
    title="Feature dimensionality settles on 1/2, and nowhere else",
)

# %% [markdown]
r"""
**What you should see.** Each dot is one feature of one model. **1/2 is a plateau**: from $1/(1 - S)$ of about 1.8 to
3.4 every represented feature is within a hundredth of it, and the model is a collection of antipodal pairs. To the
right, where it gets more crowded, features leave 1/2 in one jump, to 0.42 and below, and nothing lies between. From
there they spread down to about 0.3, without a second plateau. To the left they spread from 1/2 to 0.8. The nearest
thing to a second plateau there is 2/3, within 0.02 of which are four in ten features at $1/(1 - S) = 1.33$. The
dashed line through the squares is $D^* = m / \lVert W \rVert_F^2$, the dimensions per unit of squared length: it
starts at 1 and takes a long step at 1/2.

Compare the printed shares with those of values that are spread evenly from 0.3 to 0.8, where they lie: 8 % for a
line. Both 2/5 and 3/8 have more than that, for the values pile up there, and not at the two in particular. And $D_i =
1$ is missing altogether: with equal importance and dense features the model keeps *some* six dimensions, and no
feature has one for itself. Elhage et al. 2022, with 400 features in 30 dimensions, see more of the plateaus than we
do here. A replication that does not show everything is worth more than one that was made to.
"""

# %% tags=["claim"]
_D, _x = (
    lab.feature_dimensionality(plateaus.W),
    (1 / probability)[:, None].expand(-1, 20),
)


def _near(value, low, high, within=0.02):
    _here = represented & (_x > low) & (_x < high)
    return ((_D[_here] - value).abs() < within).float().mean().item()


assert _near(1 / 2, 1.85, 3.45, within=0.0125) == 1, (
    "every represented feature is within a hundredth of it"
)
assert _near(1 / 2, 1.7, 1.85) > 0.95, "from $1/(1 - S)$ of about 1.8 to 3.4"
_right, _left = _D[represented & (_x > 3.5)], _D[represented & (_x < 1.6)]
assert 0.27 < _right.quantile(0.01) < 0.33 and _right.quantile(0.99) < 0.52, (
    "they spread down to about 0.3"
)
assert not ((_right > 0.42) & (_right < 0.485)).any(), "and nothing lies between"
_bins = torch.histc(_right, 10, 0.29, 0.41)
assert _bins.max() < 3 * _bins.median(), "without a second plateau"
assert _left.quantile(0.05) > 0.45 and 0.75 < _left.max() < 0.85, (
    "they spread from 1/2 to 0.8"
)
assert 0.33 < _near(2 / 3, 1.3, 1.36) < 0.47, (
    "four in ten features at $1/(1 - S) = 1.33$"
)
for _v in (3 / 4, 2 / 3, 5 / 8):
    for _at in sorted(_x.unique().tolist())[:7]:
        assert _near(_v, _at - 0.01, _at + 0.01) <= _near(2 / 3, 1.3, 1.36) + 0.01, (
            "The nearest thing to a second plateau there is 2/3"
        )
assert (_D[represented] > 0.9).sum() == 0, "And $D_i = 1$ is missing altogether"
_star = [
    6 / (plateaus.W[probability == _p] ** 2).sum(dim=(1, 2)).mean()
    for _p in probability.unique()
]
_star = torch.stack(_star).flip(0)  # from dense to sparse
assert abs(_star[0] - 1) < 0.03, "it starts at 1"
assert ((_star - 0.5).abs() < 0.03).sum() >= 7, "takes a long step at 1/2"
_chance = [
    round(((evenly - _v).abs() < 0.02).float().mean().item(), 2)
    for _v in values.values()
]
assert _chance == [0.0] + [0.08] * 5, "8 % for a line"
_share = {_n: ((D - _v).abs() < 0.02).float().mean() for _n, _v in values.items()}
assert min(_share["2/5"], _share["3/8"]) > 0.08, "Both 2/5 and 3/8 have more than that"

# %% [markdown]
r"""
## Three fates

For each feature the model decides between three things: drop it, give it a dimension of its own, or put
it into superposition. When does it do which?
"""

# %% [markdown] slug="feature-fates"
r"""
First, tell the fates apart in trained weights. Return one whole number per feature:

- **0 · not represented**: the length $\lVert W_i \rVert$ is below 0.5, as everywhere in this chapter;
- **1 · superposed**: represented, and its interference is 0.25 or more;
- **2 · dedicated**: represented, and its interference is below 0.25.

(The limit hardly matters: of the features above, one in a hundred has a length between 0.4 and 0.6.) You
may use your `interference`.
"""

# %% tags=["claim"]
_length = plateaus.W.norm(dim=1)
assert ((_length - 0.5).abs() < 0.1).float().mean() < 0.0175, (
    "one in a hundred has a length between 0.4 and 0.6"
)


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

# %% tags=["claim"]
assert set(fates.flatten().tolist()) == {0, 1, 2}, "Three regions."
_dense = fates[:, phase_density > 0.9].flatten()
assert (_dense[relative_importance < 0.9] == 0).all(), (
    "the less important one is dropped"
)
assert (_dense[relative_importance > 1.1] == 2).all(), (
    "the more important one gets the dimension"
)
_sparse = fates[:, phase_density < 0.15]
assert (_sparse == 1).all(), "even if one matters ten times as much as the other"
assert ((fates == 1) | (fates == predicted)).all() and (fates != predicted).any(), (
    "The trained border lies a little to the left of the theory's"
)

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

# %% [markdown]
r"""
Then train on it: two pairs in two dimensions. Independent features are the control, and everything is
done at two densities, so that nobody can mistake an effect of density for one of correlation.
"""

# %% id="train-pairs"
pairs, cosines = {}, {}
print("of 20 random starts      density   right angles    apart    same way")
for p in (0.1, 0.4):
    for kind in ("independent", "correlated", "anti-correlated"):
        sweep = replace(lab.phenomena.pairs(kind, n_seeds=20), probabilities=[p])
        models = lab.train_sweep(sweep, progress=False)  # no bar between the rows
        pairs[kind, p] = models.W[models.loss.argmin()]

        direction = torch.nn.functional.normalize(models.W, dim=1)
        cosines[kind, p] = lab.gram(direction)
        cosine = cosines[kind, p][:, [0, 2], [1, 3]]  # of the two of each pair
        print(f"{kind:<24}{p:>8}", end="")
        for found in (cosine.abs() < 0.2, cosine < -0.9, cosine > 0.9):
            print(f"{found.all(dim=1).float().mean():>12.0%}", end="")
        print()

# %% id="pairs-figure"
shown = [("correlated", 0.1), ("correlated", 0.4), ("anti-correlated", 0.4)]
show.features_in_plane(
    torch.stack([pairs[which] for which in shown]),
    titles=[f"{kind}, density {p}" for kind, p in shown],
    title="Where the pairs (0, 1) and (2, 3) settle",
)

# %% [markdown]
r"""
**What you should see.** At a density of 0.1 correlated pairs settle at **right angles**, in every
start, and share their line with a feature of the other pair, which they rarely meet. Independent
features do so in most starts too, but not in all. At 0.4 anti-correlated pairs share one line with
**opposite signs**, in every start: they cannot collide, so that costs nothing at all. Of the
independent ones few starts end there.

Correlation is not everything, though. At 0.4 correlated pairs, which are often on together, end in the
*same* direction in every start: the model keeps only their sum. And anti-correlated pairs at 0.1 find
the opposite arrangement in only about half of the starts, although it would cost nothing. What a model
*could* do and what training *finds* are two questions.
"""

# %% tags=["claim"]
_within = {_which: _c[:, [0, 2], [1, 3]] for _which, _c in cosines.items()}


def _share(condition):
    return condition.all(dim=1).float().mean().item()


assert _share(_within["correlated", 0.1].abs() < 0.2) == 1, "in every start"
_c = cosines["correlated", 0.1]
_other = torch.cat([_c[:, :2, 2:].amin(dim=2), _c[:, 2:, :2].amin(dim=2)], dim=1)
assert (_other < -0.9).all(), "share their line with a feature of the other pair"
assert 0.5 < _share(_within["independent", 0.1].abs() < 0.2) < 1, (
    "Independent features do so in most starts too, but not in all."
)
assert _share(_within["anti-correlated", 0.4] < -0.9) == 1, (
    "At 0.4 anti-correlated pairs share one line with **opposite signs**, in every start"
)
assert _share(_within["independent", 0.4] < -0.9) < 0.3, (
    "Of the independent ones few starts end there."
)
assert _share(_within["correlated", 0.4] > 0.9) == 1, "*same* direction in every start"
assert 0.35 < _share(_within["anti-correlated", 0.1] < -0.9) < 0.65, (
    "opposite arrangement in only about half of the starts"
)

# %% tags=["quiz"]
quiz("what-superposition-costs", "c")

# %% [markdown]
r"""
## What training finds, and when

So watch one setting learn: five features in two dimensions again, equally important and rare, from very
small starting weights. Four random starts, and their losses along the way.
"""

# %% id="learning-in-steps"
watched = lab.ToySweep(
    n_features=5,
    n_hidden=2,
    probabilities=[0.05],
    n_seeds=4,
    n_batch=2048,
    n_steps=2500,
    learning_rate=0.003,
    init_scale=0.01,
)
learning = lab.train_sweep(watched)
ends_with = [int((W.norm(dim=0) >= 0.5).sum()) for W in learning.W]
smooth = learning.history.unfold(0, 5, 1).mean(dim=-1)  # mean of five records
show.losses_against_steps(
    smooth.T,
    learning.steps[2:-2],
    names=[f"start {k}: ends with {n} features" for k, n in enumerate(ends_with)],
    title="Five features are learned in steps",
)

# %% [markdown]
r"""
**What you should see.** The loss does not glide down, it goes down in **steps**. All four starts wait
for some hundred steps at about 0.033, then drop to one of two levels: four features as two pairs, at
about 0.018, or all five as a pentagon, at about 0.008. One start rests on the level of the pairs for a
thousand steps, and then finds the pentagon after all; another is on it to the end. Elhage et al. 2022
see the same in larger models: features jump from one dimensionality to another, and each jump is a drop
of the loss. So do not read a curve that has become flat as the end of learning, nor one trained model
as *the* solution.
"""

# %% tags=["claim"]
_at = {int(_s): _k for _k, _s in enumerate(learning.steps[2:-2])}
_early = smooth[[_k for _s, _k in _at.items() if 250 <= _s <= 350]].mean(dim=0)
assert ((_early - 0.033).abs() < 0.004).all(), (
    "wait for some hundred steps at about 0.033"
)
_end = smooth[-10:].mean(dim=0)
for _n, _loss in zip(ends_with, _end, strict=True):
    assert abs(_loss - {4: 0.0175, 5: 0.0085}[_n]) < 0.002, (
        "then drop to one of two levels"
    )
_resting = ((smooth - 0.0175).abs() < 0.004).sum(dim=0) * 25
_late = [_k for _k in range(4) if ends_with[_k] == 5 and _resting[_k] > 500]
assert len(_late) == 1, "One start rests on the level of the pairs"
assert 700 < _resting[_late[0]] < 1300, "for a thousand steps"
assert ends_with.count(4) == 1, "another is on it to the end"

# %% [markdown]
r"""
Now you know what decides: how much a feature is worth, how often it is on, how often it meets others,
how much room there is, and, where two arrangements cost nearly the same, the random start. That should
be enough to say what will happen *before* it happens. A hypothesis that has predicted nothing has not
been tested.
"""

# %% [markdown] slug="predict-the-fate"
r"""
Twelve settings, none of which you have seen. Features are on independently, and equally important, unless the table
says otherwise; densities are drawn from the ranges. Every model is trained like this: 1,000 steps of 256 samples,
learning rate 0.02, from random starts of the usual size (`init_scale=1.0`), each of which counts (not the best one).

| setting | features in dimensions | density | asked about |
|---|---|---|---|
| frequent | 6 in 2 | the first 0.6 to 1, the others 0.04 to 0.06 | the first |
| rare | 5 in 2 | the first 0.015 to 0.03, the others 0.45 to 0.55 | the first |
| one too many | 8 in 7 | 0.02 to 0.05 | any feature |
| twice as many | 16 in 8 | 0.5 to 0.6 | any feature |
| everything on | 4 in 2 | 0.85 to 0.95 | any feature |
| always together | 2 in 1, a correlated pair | 0.05 to 0.15 | either |
| together, often | 4 in 2, correlated pairs | 0.27 to 0.33 | any feature |
| together, rarely | 4 in 2, correlated pairs | 0.02 to 0.04 | any feature |
| together, poor partner | 2 in 1, a correlated pair, importances 10 and 1 | 0.05 to 0.15 | the second |
| never together, rich partner | 2 in 1, an anti-correlated pair, importances 30 and 1 | 0.25 to 0.35 | the second |
| never together, crowded | 4 in 1, anti-correlated pairs | 0.1 to 0.3 | any feature |
| never together, room | 2 in 2, an anti-correlated pair | 0.25 to 0.35 | either |

What becomes of the feature asked about? It is **dropped** (length below 1/2), or **alone** (dedicated),
or superposed; then look at its largest overlap with another feature: if that is negative they point
**apart**, if positive **together**. `lab.arrangements(W)` says which, as 0 to 3 in this order.

Hand in `fate_predictions`, a dict from each setting's name to four probabilities, in the order dropped, alone, apart,
together: `{"frequent": [0.1, 0.2, 0.6, 0.1], ...}`. The check draws densities, trains the models, and marks you by
the **Brier score**, the mean over models of $\sum_k (q_k - o_k)^2$, where $o$ is 1 for what happened. It cannot be
gamed: whatever you believe, saying it is best. A score of 0 is what base rates get (one and the same four numbers for
all settings), 1 is knowing every frequency. The check's line of a setting has a tick if your Brier score there is
within 0.1 of what knowing its frequencies would get.

Make your first try **before you train any of these**; that is the point, and where you turn out to be
wrong you learn most. From the second try on, pilots are fair.
"""

# %% tags=["exercise"] slug="predict-the-fate"
# BEGIN SOLUTION
# What we thought first. Sharing costs what the meetings cost.
first_thoughts = {
    # Meets everything, so it needs a dimension of its own? (No.)
    "frequent": [0.2, 0.7, 0.1, 0],
    # Worth little, among features that are nearly dense.
    "rare": [0.85, 0, 0.15, 0],
    # One pair is enough; who is in it? (Two of eight.)
    "one too many": [0, 0.5, 0.5, 0],
    # Dense, so dropped? (No: eight pairs.)
    "twice as many": [0.5, 0.3, 0.2, 0],
    # Two of four get a dimension, two go? (Half of the models do that, half keep sums.)
    "everything on": [0.5, 0.5, 0, 0],
    # Their sum is worth more than one of them.
    "always together": [0.1, 0, 0.1, 0.8],
    "together, often": [0, 0.1, 0.3, 0.6],
    # The same at a lower density? (No.)
    "together, rarely": [0.05, 0.05, 0.3, 0.6],
    # Their sum again? (No.)
    "together, poor partner": [0.3, 0, 0.1, 0.6],
    # The rich one takes the line? (No.)
    "never together, rich partner": [0.6, 0, 0.4, 0],
    # One pair fits.
    "never together, crowded": [0.5, 0, 0.5, 0],
    # There is room for both.
    "never together, room": [0, 0.9, 0.1, 0],
}


# Then pilots, in the middle of each range, from seeds of our own. What they taught us:
# - frequent: apart. It rarely meets its partner, since the partner is rare; the partner pays.
# - twice as many: eight pairs, even at a density of a half. Nothing better can be had for the room.
# - everything on: nobody is rare, so nothing can be shared for free. Keep one, or the sum of two: the start decides.
# - always together: one number carries the sum of both. But that gives up their difference: where a feature can
#   share with one of ANOTHER pair, which it rarely meets ("together, rarely"), it keeps both apart and does that.
# - poor partner: to lean towards it would spoil the feature that counts ten times as much, each time they are on.
# - rich partner: they never meet, so the poor one spoils nothing, whatever the other is worth.
# - rare; never together, crowded and room; one too many: which start, or which feature, decides.
def pilot(asked, p, n_hidden, importance=None, features="independent", n_seeds=12):
    """Frequencies of the four arrangements, with a little doubt."""
    sweep = lab.ToySweep(
        n_features=len(p),
        n_hidden=n_hidden,
        probabilities=[p],
        importances=[importance or [1.0] * len(p)],
        features=features,
        n_seeds=n_seeds,
        n_batch=256,
        n_steps=1000,
        learning_rate=0.02,
        seed=77,
    )
    found = lab.arrangements(lab.train_sweep(sweep).W)[:, asked].flatten()
    counts = torch.bincount(found, minlength=4) + 0.1
    return (counts / counts.sum()).tolist()


first, every = [0], slice(None)
second = [1]
together, never = {"features": "correlated"}, {"features": "anti-correlated"}
fate_predictions = {
    "frequent": pilot(first, [0.8] + [0.05] * 5, 2),
    "rare": pilot(first, [0.022] + [0.5] * 4, 2, n_seeds=24),
    "one too many": pilot(every, [0.035] * 8, 7, n_seeds=6),
    "twice as many": pilot(every, [0.55] * 16, 8, n_seeds=3),
    "everything on": pilot(every, [0.9] * 4, 2, n_seeds=24),
    "always together": pilot(every, [0.1] * 2, 1, **together, n_seeds=24),
    "together, often": pilot(every, [0.3] * 4, 2, **together, n_seeds=16),
    "together, rarely": pilot(every, [0.03] * 4, 2, **together),
    "together, poor partner": pilot(second, [0.1] * 2, 1, [10.0, 1.0], **together),
    "never together, rich partner": pilot(second, [0.3] * 2, 1, [30.0, 1.0], **never),
    "never together, crowded": pilot(every, [0.2] * 4, 1, **never, n_seeds=8),
    "never together, room": pilot(every, [0.3] * 2, 2, **never, n_seeds=24),
}
for name, chances in fate_predictions.items():
    print(f"{name:<30}{'  '.join(f'{chance:.2f}' for chance in chances)}")
# END SOLUTION

# %% tags=["check"]
check("predict-the-fate", fate_predictions)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

Our first thoughts were worth less than base rates. They were wrong where we had let density decide, or the sound of a
word: a rich partner takes nothing from a feature that it never meets, and a poor one is not lifted by a partner that is
always there, since to lean on it would spoil ten times as much. "Always together" is the one that fooled us longest.
One number can say the sum of two features, and at a density of 0.3 most pairs do that; at 0.03 hardly any does: there a
feature shares with one of the *other* pair, which it rarely meets, and nothing has to be added up. And we were too sure
where two arrangements cost nearly the same: there the random start decides, and the honest prediction is a frequency.
With the costs worked out setting by setting one can pass without any pilot. Pilots in the middle of each range are
excellent, since a draw's own densities change little.

</details>
"""

# %% tags=["claim"]
_found = torch.tensor(list(fate_predictions.values()))
_thought = torch.tensor(list(first_thoughts.values()))
_loss = {
    _name: ((_said**2).sum(-1) - 2 * (_said * _found).sum(-1) + 1).mean()
    for _name, _said in {"thought": _thought, "base": _found.mean(dim=0)}.items()
}
assert _loss["thought"] > _loss["base"], (
    "Our first thoughts were worth less than base rates."
)
_row = {_name: torch.tensor(_chances) for _name, _chances in fate_predictions.items()}
_wrong = [
    _name
    for _name, _chances in first_thoughts.items()
    if torch.tensor(_chances).argmax() != _row[_name].argmax()
]
assert {"frequent", "twice as many"} <= set(_wrong), (
    "They were wrong where we had let density decide"
)
assert _row["never together, rich partner"][2] > 0.7, (
    "a rich partner takes nothing from a feature that it never meets"
)
assert _row["together, poor partner"][0] > 0.9, (
    "a poor one is not lifted by a partner that is always there"
)
assert _row["together, often"][3] > 0.5, "at a density of 0.3 most pairs do that"
assert _row["together, rarely"][3] < 0.1 and _row["together, rarely"][2] > 0.8, (
    "at 0.03 hardly any does"
)
for _name in ("rare", "never together, crowded"):
    assert 0.2 < _row[_name][0] < 0.8, "there the random start decides"

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

# %% tags=["claim"]
assert all((features_per_neuron(_W, 0.3) == 1).all() for _W in neuron_best.W[:3]), (
    "With dense features every neuron serves one feature"
)
for _W in neuron_best.W[:3]:
    assert _kept(_W) == [0, 1, 2, 3, 4], "five features that are kept"
for _W in neuron_best.W[5:]:
    assert (features_per_neuron(_W, 0.3) >= 2).sum() >= 4, (
        "With sparse features nearly every neuron serves several"
    )
    _carriers = (torch.relu(_W) > 0.3 * torch.relu(_W).max(dim=0).values).sum(dim=0)[
        _kept(_W)
    ]
    assert (_carriers > 1).float().mean() > 0.5, (
        "most of the features that are kept are spread over several neurons"
    )
_single = (features_per_neuron(W, 0.3) == 1).nonzero().flatten()
assert len(_single) == 1 and int(W[_single[0]].argmax()) == 0, (
    "one monosemantic neuron left, for the most important feature"
)

# %% id="one-neuron-off"
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

# %% tags=["claim"]
assert abs(after[feature] / before[feature] - 0.5) < 0.05, (
    "The feature is still half there"
)
_lost = before - after
_others = [i for i in range(7) if i != feature and _lost[i] > 0.1]
assert len(_others) >= 2 and (_lost[_others] >= _lost[feature]).all(), (
    "features that nobody wanted to touch lost as much"
)
assert (torch.relu(W)[:, feature] > 0.3).sum() > 1, "because other neurons carry it too"

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
is that plan. With dense features the network's loss is that of the plan. With sparse features it does far better than
the plan: neurons serve several features at once, and what they compute is cleaned up by the output's
ReLU. So superposition is not only a way to store things. The network *computes* in it, so we cannot
count on one clean neuron per computation. In the figure look for the large negative weights going out:
neurons do not only add to an answer, they also hold back the answers of features they share a neuron
with.
"""

# %% tags=["claim"]
_ratio = lowest.values / dedicated
assert (_ratio[:2] - 1).abs().max() < 0.02, (
    "With dense features the network's loss is that of the plan."
)
assert (_ratio[3:] < 0.75).all() and (_ratio[1:].diff() < 0).all(), (
    "With sparse features it does far better than the plan"
)
_focus = lab.neuron_focus(absolute.W_in[model], absolute.W_out[model])
assert (_focus < 0.9).sum() >= 4, "neurons serve several features at once"
assert absolute.W_out[model].min() < -1.5 * absolute.W_out[model].max(), (
    "look for the large negative weights going out"
)

# %% [markdown]
r"""
What does one neuron do there? Take it out ($W_\text{out}$'s column set to 0) and each output's mean changes: some fall,
some rise, some stay. The quick way to a law is a fit. Four ways lead through a neuron to an output: it *pushes* (its
weight out is positive) or *holds back* (negative), driven by the output's *own* feature or by *others*. Each way's
size is the product of its weights, in and out.
"""

# %% id="a-rule-that-fits"
small = replace(sweep, probabilities=[0.05], n_seeds=16, n_batch=256, seed=300)
networks = lab.train_absolute(replace(small, n_steps=1200, learning_rate=0.015))
networks = list(zip(*networks[:3], strict=True))  # W_in, W_out, b of each
x = sparse_features(4000, torch.full((10,), 0.05), seeded(7))
x = torch.where(x > 0, 2 * x - 1, 0.0).float()  # what is on is uniform in [-1, 1)
ways = torch.cat(
    [torch.stack(lab.neuron_paths(*each[:2]), dim=-1) for each in networks]
)
rises = torch.cat([lab.removal_rises(x, *each) for each in networks]) / 0.05
counts = torch.linalg.lstsq(ways.flatten(0, 1), rises.flatten()[:, None]).solution
left = (ways @ counts)[..., 0] - rises
fit_explains = 1 - left.square().sum() / rises.square().sum()
for name, count in zip(lab.NeuronPaths._fields, counts[:, 0].tolist(), strict=True):
    print(f"{name:<12}{count:>7.3f}")
print(f"explained of the squared rises (per density): {fit_explains:.0%}")

# %% [markdown]
r"""
Four numbers explain nearly nine tenths. So do we know what a neuron does? The fit says that where a neuron holds back,
the output's own feature counts many times as much as the others, that pushes into other features' outputs do next to
nothing, and that what two neurons do adds up. Each of these is an explanation that nobody has tested.
"""

# %% tags=["claim"]
assert 0.83 < fit_explains < 0.9, "Four numbers explain nearly nine tenths"
assert counts[1, 0] > 5 * counts[3, 0], (
    "the output's own feature counts many times as much as the others"
)
assert abs(counts[2, 0]) < 0.02, (
    "pushes into other features' outputs do next to nothing"
)

# %% [markdown] slug="switch-a-neuron-off"
r"""
Four findings about these networks (density .05, ten features, six neurons, every start counts), and two explanations
of each, X and Y. Both would produce it. Every neuron $n$ is taken out in turn; a *rise* is an output's mean without
it minus the mean with it.

- **A. Outputs that a neuron held back rise without it.** X: when such an output's *own* feature is on, its answer is
  too large, and this neuron trims it. Y: for *other* features somebody else pushes the output, and this neuron
  cancels it. The number: the sum of the rises over all neurons and all outputs that they hold back ($W_\text{out}[i,
  n] < 0$), as a share of what it is without a control.
- **B. Only a third of what a neuron held back shows when it is gone.** X: it held back more than there was to hold.
  Y: at that moment other neurons hold the output down, too. The number: the sum of A's rises, over the sum of what the
  neuron took off there (the mean of $-W_\text{out}[i, n]\, h_n$, with $h_n$ its activation).
- **C. What a neuron pushes into outputs whose own feature is off hardly shows (3 %).** X: these outputs' biases keep
  them below zero. Y: at that moment other neurons hold them down. The number: on samples with $x_i = 0$, over outputs
  with $W_\text{out}[i, n] > 0$, the sum of the falls over the sum of what the neuron wrote.
- **D. With every feature on (density 1) the same removals raise half as much per density.** X: per density the neuron
  itself is less active, since what features write into it has both signs (its weights have) and cancels. Y: the more
  features are on, the more neurons hold an output down, and the more its ReLU hides. The number: A's sum divided by
  the density, at density 1 over that at .05 (a control is made at both).

A **control** changes the network or the data, both with and without the neuron, and the number is taken again:

| control | what it changes |
|---|---|
| `"own off"`, `"others off"` | for each output $i$, feature $i$ is 0 in all samples; or all features but $i$ are |
| `"positive inputs"` | every feature is replaced by its size, $x_i$ by $\lvert x_i \rvert$ |
| `"no bias"` | $b = 0$ |
| `"no relu"` | outputs are read before their ReLU |
| `"others don't push"`, `"others don't hold"` | the *other* neurons' positive, or negative, weights out are 0 |

A control **decides** between X and Y if they say clearly different numbers for it. Most do not, whatever comes out.
For each finding say which explanation holds, name a control that decides, and its number.

And a prediction. First take one more thing away, then each neuron as in A: `"pusher"`, for each neuron and output the
largest positive weight to that output among the other neurons; `"holder"`, the most negative one. What share of A's
rises is left (their sum then, over the sum with nothing else taken away)? If what neurons do added up, both would be 1.

Hand in `neuron_account`: `{"A": {"because": "x", "control": "no bias", "number": 0.5}, ..., "pairs": {"pusher": 0.9,
"holder": 1.1}}`. The check trains sixteen networks from new seeds. Of each finding the explanation counts .06, a
control that decides another .08, its number (within .05) another .06; of the pairs each counts .1 (wholly within .06,
nothing from .14). **Nothing passes unless all four explanations hold and three of the controls decide.** You have
`networks`, `x`, and your `absolute_forward`.
"""


# %% tags=["exercise"] slug="switch-a-neuron-off"
# BEGIN SOLUTION
def taken_out(network, x, control=""):
    """Rises, and what the neuron wrote: [neuron output sample]."""
    W_in, W_out, bias = network
    rise, wrote = torch.zeros(6, 10, len(x)), torch.zeros(6, 10, len(x))
    for i in range(10):
        here = x.abs() if control == "positive inputs" else x.clone()
        if control == "own off":
            here[:, i] = 0
        if control == "others off":
            here[:, torch.arange(10) != i] = 0
        active = torch.relu(here @ W_in.T)
        for n in range(6):
            weights = W_out[i].clone()
            others = torch.arange(6) != n
            if control == "pusher":
                others = weights.masked_fill(~others, -torch.inf).argmax()
            if control == "holder":
                others = weights.masked_fill(~others, torch.inf).argmin()
            if control in ("others don't push", "pusher"):
                weights[others] = weights[others].clamp_max(0)
            if control in ("others don't hold", "holder"):
                weights[others] = weights[others].clamp_min(0)
            whole = active @ weights + (0 if control == "no bias" else bias[i])
            wrote[n, i] = active[:, n] * W_out[i, n]
            less = whole - wrote[n, i]
            if control != "no relu":
                whole, less = torch.relu(whole), torch.relu(less)
            rise[n, i] = less - whole
    return rise, wrote


def numbers_under(control):
    """Sums per density of A's rises and of what was held back, the same for C, and A's rises at density 1."""
    total = torch.zeros(5)
    crowd = torch.where(torch.rand(4000, 10, generator=seeded(8)) < 0.5, -1.0, 1.0)
    crowd = crowd * torch.rand(4000, 10, generator=seeded(9))
    for network in networks:
        rise, wrote = taken_out(network, x, control)
        holds = (network[1] < 0).T[..., None]
        others = ~holds & (x == 0).T
        sums = [
            part[where.expand_as(part)].sum()
            for where in (holds, others)
            for part in (rise, wrote)
        ]
        in_crowd = (taken_out(network, crowd, control)[0] * holds).sum()
        total += torch.stack([*(each / 0.05 for each in sums), in_crowd])
    return total


every_control = ("", "own off", "others off", "positive inputs", "no bias", "no relu")
every_control += ("others don't push", "others don't hold", "pusher", "holder")
account = {}
print(f"{'':<20}" + "".join(f"{name:>8}" for name in "ABCD"))
for control in every_control:
    held, took, pushed, wrote, crowd = numbers_under(control)
    account[control] = {
        "A": (held / (account[""]["sum"] if account else held)).item(),
        "B": -(held / took).item(),
        "C": -(pushed / wrote).item() if wrote else 0.0,
        "D": (crowd / held).item(),
        "sum": held.item(),
    }
    print(
        f"{control or 'as it is':<20}"
        + "".join(f"{account[control][k]:>8.2f}" for k in "ABCD")
    )

# What X and Y say, written down first:
# A  own off: X nothing is left, Y nearly all. (Without the others' pushes both say nothing: no control for this.)
# B  others don't hold: X still about a third, Y all.
# C  others don't hold: X still 3 %, Y nearly all. (Without biases the other way round.)
# D  no relu: X the same half, Y 1. (Positive inputs: still both signs of weights, so both say about a half.)
chosen_controls = {"A": ("y", "own off"), "B": ("x", "others don't hold")}
chosen_controls |= {"C": ("y", "others don't hold"), "D": ("x", "no relu")}
neuron_account = {
    name: {"because": why, "control": control, "number": account[control][name]}
    for name, (why, control) in chosen_controls.items()
}
neuron_account["pairs"] = {each: account[each]["A"] for each in ("pusher", "holder")}
# END SOLUTION

# %% tags=["check"]
check("switch-a-neuron-off", neuron_account)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

More than nine tenths of the rises are left when the output's own feature is never on, so the fit's largest number is
not a mechanism: own and other ways go along with each other in these networks, and the fit cannot tell them apart. An
output rises because *another* neuron pushes it for features that are not its own; without the others' pushes nothing
rises at all. Neurons work in teams: one serves two features, another takes one of them back where it is not meant. It
takes off more than twice what there is to hold, so more than a half is hidden even where nobody else holds (.46 shows);
the others' holding makes that two thirds. The other side of it: a push into an output whose feature is off hardly
shows, and shows nearly wholly when the others do not hold. Biases do little of that.

The crowd fooled us. We had written here that with every feature on more is hidden by the outputs' ReLU. Read before
it, the rises are still only a half: it is the *neuron* that is less active, since what features write into it
cancels, and of what it writes as much shows as before. Inputs of one sign do not change that, since weights still have
two. And removals do not add up: beside the missing pusher about a third of the rises is left, beside the missing holder
they are larger than before. So a fit that explains most of the squares predicts neither. What a neuron is *for* is not
what you see when it is gone; nor does a law that fits say why.

</details>
"""

# %% tags=["claim"]
assert account["own off"]["A"] > 0.9, (
    "More than nine tenths of the rises are left when the output's own feature is never on"
)
assert account["others don't push"]["A"] < 0.02, (
    "without the others' pushes nothing rises at all"
)
assert abs(account[""]["B"] - 1 / 3) < 0.03, "the others' holding makes that two thirds"
assert round(account["others don't hold"]["B"], 2) == 0.46, (
    "more than a half is hidden even where nobody else holds (.46 shows)"
)
assert account[""]["C"] < 0.05 and account["others don't hold"]["C"] > 0.85, (
    "hardly shows, and shows nearly wholly when the others do not hold"
)
assert account["no bias"]["C"] < 0.15, "Biases do little of that."
assert abs(account["no relu"]["D"] - account[""]["D"]) < 0.05, (
    "Read before it, the rises are still only a half"
)
assert 0.45 < account["no relu"]["D"] < 0.6, (
    "Read before it, the rises are still only a half"
)
assert account["positive inputs"]["D"] < 0.7, "Inputs of one sign do not change that"
assert 0.27 < account["pusher"]["A"] < 0.42, "about a third of the rises is left"
assert account["holder"]["A"] > 1.1, "they are larger than before"

# %% [markdown]
r"""
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
print("directions with every |cos| at most      0.5                          0.7")
print("   d      certain     thrown      limit      certain     thrown      limit")
for size in (2, 4, 8, 16):
    print(f"{size:4}", end="")
    for epsilon in (0.5, 0.7):
        thrown_in = len(lab.greedy_directions(size, epsilon, 20_000, seeded(0)))
        limits = lab.packing_limits(size, epsilon)
        print(f"{limits.guaranteed:13.3g}{thrown_in:11}{limits.at_most:11.3g}", end="")
    print()
for size in (768, 4096):
    certain = lab.packing_limits(size, 0.2).guaranteed
    print(
        f"{size} dimensions, every |cos| at most 0.2: {certain:.1g} directions fit for certain"
    )

# %% [markdown]
r"""
**What you should see.** Up to $n = d$ directions fit at right angles. Gradient descent reaches the
Welch bound at $n = 9$ and stays close for a while, then the gap widens. It is always far better than
chance.

What do bounds say? There are two kinds, for two ranges of the overlap $\varepsilon$.

- **Below $1/\sqrt d$** the Welch bound, $\varepsilon \ge \sqrt{(n - d) / (d (n - 1))}$, keeps the
  number small: at half of $1/\sqrt d$ fewer than $\frac43 d$ directions. It tends to $1/\sqrt d$ for
  large $n$ and never gets there (no set of more than $d (d + 1)/2$ directions attains it, 36 here, and
  most smaller numbers have none either: hence the gap). So an overlap of $1/\sqrt d$ or more it does
  not limit at all.
- **Above**, the sphere's area does. At most so many caps of half the angle fit without overlapping (the
  column "limit"), and as long as caps of the whole angle do not cover the sphere one more fits
  ("certain"). Both grow exponentially with $d$ once $\varepsilon$ is fixed, and so does the number of
  directions that are simply thrown in. Random directions behind the lemma of Johnson and Lindenstrauss
  say the same: $n$ of them fit once $d$ is some multiple of $\log n / \varepsilon^2$.

That is where a model with some thousand dimensions can keep far more features than that, as long as few
of them are on at once. But look at the last two lines: what counts is $\varepsilon \sqrt d$, and at a
small $\varepsilon$ the room comes late.
"""

# %% tags=["claim"]
_spread, _welch = torch.stack(spread), torch.tensor(welch)
assert _spread[:2].max() < 0.001, "Up to $n = d$ directions fit at right angles."
assert (_spread > _welch - 1e-4).all(), "the Welch bound"
assert abs(_spread[2] - _welch[2]) < 0.001, (
    "Gradient descent reaches the Welch bound at $n = 9$"
)
assert (_spread / _welch.clamp(min=0.01))[2:5].max() < 1.1, "stays close for a while"
assert ((_spread - _welch)[2:].diff() > -0.001).all(), "then the gap widens"
assert (torch.stack(thrown) > 1.5 * _spread).all(), (
    "It is always far better than chance."
)
for _d in (8, 100, 768):
    _half = 0.5 / _d**0.5
    assert lab.welch_bound(round(4 * _d / 3) + 1, _d) > _half, (
        r"fewer than $\frac43 d$ directions"
    )
    assert lab.welch_bound(10**12, _d) < 1 / _d**0.5, (
        r"an overlap of $1/\sqrt d$ or more it does not limit at all"
    )
for _e in (0.5, 0.7):
    _thrown = [
        len(lab.greedy_directions(_d, _e, 20_000, seeded(0))) for _d in (2, 4, 8, 16)
    ]
    _certain = [lab.packing_limits(_d, _e).guaranteed for _d in (2, 4, 8, 16)]
    assert all(_t >= _c * 0.99 for _t, _c in zip(_thrown, _certain, strict=True)), (
        "one more fits"
    )
    assert _thrown[3] / _thrown[2] > _thrown[2] / _thrown[1] > 2, (
        "so does the number of directions that are simply thrown in"
    )
assert (
    lab.packing_limits(768, 0.2).guaranteed
    < 1e8
    < 1e30
    < lab.packing_limits(4096, 0.2).guaranteed
), "the room comes late"

# %% tags=["quiz"]
quiz("room-in-high-dimensions", "d")

# %% [markdown]
r"""
### Getting them out again

Room is worth nothing if the features cannot be read. Throw 256 features into 64 dimensions, switch $k$
of them on, and try to say which. The toy model's way is one step: read every direction out, and keep
the $k$ largest answers. **Compressed sensing** says that there is more in the vector than that: as long
as $x$ is sparse enough, $y = W x$ determines it, though there are four times as many unknowns as
equations. One method that finds it is matching pursuit: take the direction that explains most, fit
again, look at what is left, take the next.
"""

# %% id="compressed-sensing"
directions = torch.randn(256, 64, generator=seeded(0))
directions /= directions.norm(dim=1, keepdim=True)
recovered = {}
print("share of 200 vectors in which all features that are on are found")
print("features on    in one step    by matching pursuit")
for k in (1, 2, 4, 8, 12, 16, 24):
    g = seeded(k)
    on = torch.rand(200, 256, generator=g).argsort(dim=1) < k
    x = torch.where(on, 0.1 + 0.9 * torch.rand(200, 256, generator=g), 0.0)
    y = x @ directions
    one_step = torch.zeros_like(on).scatter(
        1, (y @ directions.T).topk(k, dim=1).indices, True
    )
    pursued = lab.matching_pursuit(y, directions, n_nonzero=k) != 0
    recovered[k] = [
        (said == on).all(dim=1).float().mean() for said in (one_step, pursued)
    ]
    print(f"{k:8}{recovered[k][0]:14.0%}{recovered[k][1]:22.0%}")

# %% [markdown]
r"""
**What you should see.** In one step, four features at once are already too many: the overlaps of those
that are on add up. Matching pursuit hardly ever fails up to eight, and breaks down between twelve and
twenty-four. So a crowded vector holds more than these dot products can read, but not without limit: how sparse
features are decides whether they can be had back. (Chapter 02's dictionaries read in one step, too, with an encoder
that is learned, has a threshold, and need not point along the directions. How much of the gap that closes, you can
ask there.)
"""

# %% tags=["claim"]
assert recovered[4][0] < 0.5, "In one step, four features at once are already too many"
assert min(recovered[_k][1] for _k in (1, 2, 4, 8)) > 0.95, (
    "hardly ever fails up to eight"
)
assert recovered[12][1] > 0.6 and recovered[24][1] < 0.1, (
    "breaks down between twelve and twenty-four"
)

# %% [markdown]
r"""
## What a direction cannot hold

Everything so far assumed that a feature is one number on one direction. Engels et al. 2024 ask for
features that are not: weekdays lie on a **circle** in GPT-2 and Mistral 7B, in the order of the week,
and in Mistral 7B and Llama 3 8B interventions on the circle change the answer to "two days from
Friday". They call a feature *irreducible* if it cannot be taken apart into ones that are independent,
or that never occur together. But a circle of directions alone is no sign of that. Seven features of
which at most one is on, in two dimensions, with your own `train_toy`:
"""

# %% id="seven-days"
g = seeded(0)
day = torch.randint(7, (1500, 8, 64), generator=g)
is_some_day = torch.rand(1500, 8, 64, 1, generator=g) < 0.5
one_hot = torch.nn.functional.one_hot(day, 7) * is_some_day
start = 0.3 * torch.randn(8, 2, 7, generator=g)
W_days, b_days = train_toy(
    start, torch.zeros(8, 7), one_hot.float(), torch.ones(7), 0.02
)

whole = [k for k in range(8) if W_days[k].norm(dim=0).min() > 0.5]
print(f"{len(whole)} of 8 starts keep all seven:")
orders = []
for k in whole:
    angle = torch.atan2(W_days[k, 1], W_days[k, 0])
    order = angle.argsort().roll(-int((angle.argsort() == 0).nonzero()))
    orders.append(order.tolist())
    print(f"    around the circle: {orders[-1]}")

# %% id="days-figure"
show.features_in_plane(W_days[whole], title="Seven features, at most one of them on")

# %% [markdown]
r"""
**What you should see.** Where all seven are kept they are a regular heptagon, and each start has
another order around it. So this circle is seven features in superposition: who is whose neighbour means
nothing, and any of them can be taken away without the others. A circular feature looks just the same in
one picture. What tells them apart is the order (Tuesday between Monday and Wednesday, in every model),
and an intervention: turn along the circle, and see whether the answer turns with it. A method that
looks for one direction per feature finds seven in either. Keep it in mind when chapter 02 gives you a
latent for each.
"""

# %% tags=["claim"]
assert len(orders) >= 2, "Where all seven are kept"
for _k in whole:
    _a = torch.atan2(W_days[_k, 1], W_days[_k, 0]).sort().values
    assert (_a.diff() - 2 * torch.pi / 7).abs().max() < 0.05, (
        "they are a regular heptagon"
    )
_ways = {tuple(_o) for _o in orders} | {(0, *_o[:0:-1]) for _o in orders}
assert len(_ways) == 2 * len(orders), "each start has another order around it"

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
Random directions of the same lengths are the yardstick. `primer`'s mean is about half of theirs, so its
neurons write along fewer directions than chance would have it. Whether those are near-copies or a
shared subspace, $D$ does not say. And remember that neurons are not features: this is about the room
that neurons share. For features we need another tool, and that is chapter 02.
"""

# %% tags=["claim"]
_writes = open_specimen("primer", device="cpu").W_out[1].detach()
_random = torch.randn(_writes.shape, generator=seeded(0))
_random *= _writes.norm(dim=1, keepdim=True) / _random.norm(dim=1, keepdim=True)
_ratio = (
    lab.feature_dimensionality(_writes.T).mean()
    / lab.feature_dimensionality(_random.T).mean()
)
assert 0.4 < _ratio < 0.6, "`primer`'s mean is about half of theirs"

# %% [markdown]
r"""
## Common misreadings

- **"D = 1/2 means an antipodal pair."** It says how much room a feature has, not how the rest is
  shared. Look at the Gram matrix.
- **"The phase diagram has two regions."** Three: dropped, superposed, dedicated.
- **"Antipodal is maximal interference, so the worst."** With features that are never negative and a
  ReLU, negative overlap is free while one feature is on at a time.
- **"A neuron that fires on X is the X neuron."** It takes part in X. Whether it is needed, or enough,
  is a question for an intervention.
- **"Switch a neuron off, and you see what it computes."** You see what the others do without it.
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
- Engels et al. 2024, *Not All Language Model Features Are One-Dimensionally Linear*. Circles for
  weekdays and months, and what makes a feature irreducible.
- Johnson and Lindenstrauss 1984, *Extensions of Lipschitz mappings into a Hilbert space*. Why high
  dimensions have so much room.
- Welch 1974, *Lower bounds on the maximum cross correlation of signals*. The bound for overlaps below
  $1/\sqrt d$.
- Donoho 2006, *Compressed sensing*. Why sparse vectors can be had back from few numbers."""
