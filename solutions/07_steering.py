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
