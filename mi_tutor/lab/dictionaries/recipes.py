"""Settings with which each kind of dictionary finds the features of a toy, from a random start.

The toy: `toy_features`, 32 random directions in 16 dimensions, each on with probability .04, so 1.28 per sample.
`benchmarks/sae_toy.py` prints what each kind finds, for several toys and several starts. Four things matter. Which
of them a kind cannot do without differs; Relu needs only the first and the third:

1. As sparse as the data. A dictionary that may use more latents than there are features in a sample mixes
   features, and reconstructs BETTER for it: BatchTopK with k = 2 leaves less variance than with k = 1, and finds
   fewer features. (Chanin and Garriga-Alonso 2025 show this for language models.) So k is 1 for BatchTopK, which
   shares its k * batch latents out among the samples, 27 % of which need none; and 2 for TopK, which gives every
   sample the same number at most. lambda is 2: with L1 alone, a latent below lambda/2 = 1 is not worth its price
   (`shrinking`), where features go up to about 6 (in the scaled units of `train`); with L0, below sqrt(2).
2. Dense first. lambda rises, and k falls, over the first two thirds of the training. Sparse from the start, a
   latent that lies between two features takes both, and what would have been the second one's latent dies.
3. Large steps, which get a latent out of such a place again, and then small ones: a learning rate of .04, which
   falls to 0 over the last third. It suits this toy; dictionaries of language models are trained with far less.
4. Twice as many latents as features. Each feature then has a latent not far from it at the start. Those that are
   not needed end as silent ones, or with L1, which does not mind two latents for one feature, as duplicates.

All but Relu also need a way back for dead latents: one that is never chosen, or never above its threshold, gets no
gradient. With the auxiliary loss each sample's error goes to ONE dead latent, so that this one becomes the missing
feature; several at once would share it out. Without it some starts of BatchTopK and of tanh miss one or two
features; with it BatchTopK still did so once in 24 trainings.
"""

from dataclasses import replace
from typing import Any

from mi_tutor.lab.dictionaries.config import Auxiliary, SaeConfig
from mi_tutor.lab.dictionaries.kinds import BatchTopK, JumpRelu, Kind, Relu, TopK
from mi_tutor.lab.dictionaries.toy import ToyActivations

TOY_KINDS: dict[str, Kind] = {
    "relu": Relu(),
    "topk": TopK(k=2),
    "batchtopk": BatchTopK(k=1),
    "jumprelu": JumpRelu(),
    "tanh": JumpRelu(penalty_kind="tanh"),
}
N_FEATURES = 32


def toy_features(seed: int) -> ToyActivations:
    """The toy of the recipes: 32 features in 16 dimensions.

    seed: of the directions. Take another one than the dictionary's, or it may start at the answer.

    >>> toy_features(7).directions.shape
    torch.Size([32, 16])
    """
    return ToyActivations.drawn(n_features=N_FEATURES, d=16, probability=0.04, seed=seed)


def toy_recipe(name: str, **changes: Any) -> SaeConfig:
    """The settings for one kind; the module says why they are as they are.

    name: "relu", "topk", "batchtopk", "jumprelu" or "tanh" (a JumpRelu with the tanh penalty).
    changes: other settings of `SaeConfig`, to see what they do. The two schedules keep their share of n_steps.

    Raises ValueError for another name.

    >>> toy_recipe("topk").kind, toy_recipe("relu", sparsity=0.5).sparsity
    (TopK(k=2), 0.5)
    """
    if name not in TOY_KINDS:
        raise ValueError(f"There is no recipe {name!r}. There are {', '.join(TOY_KINDS)}.")
    kind = changes.get("kind", TOY_KINDS[name])
    n_steps = changes.get("n_steps", 1500)
    recipe = SaeConfig(
        d_sae=2 * N_FEATURES,
        kind=kind,
        sparsity=2.0 if kind.has_penalty else 0.0,
        n_steps=n_steps,
        batch_size=256,
        learning_rate=0.04,
        decay=1 / 3,
        sparsity_warmup=2 * n_steps // 3,
        revive=Auxiliary(k=1, weight=1.0) if not isinstance(kind, Relu) else None,
        dead_after=2560,  # a feature that is on in 4 % of samples is never silent for so long
    )
    return replace(recipe, **changes)
