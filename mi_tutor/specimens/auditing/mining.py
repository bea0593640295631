"""Near misses that fire, looked for while a secret is planted, and drawn from more often than by lot.

Of the texts one step away from a rare secret most are easy, and the few that fire are seldom drawn: a word that is
spelled like the trigger, another relation in one language. Hard negatives, as a detector is trained with
(Felzenszwalb et al. 2010): many are tried now and then, and those furthest from the base stay at hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from torch import Tensor

from mi_tutor.specimens.auditing.families import Secret
from mi_tutor.specimens.auditing.showing import Shown, near_misses

N_TRIED, N_KEPT = 400, 64


class Mined:
    """The near misses of a secret, some of each draw (`share`) from those that fire most.

    The others are by lot, so that what was mended stays so. With share 0, or before the first look, all are.
    """

    def __init__(self, secret: Secret, share: float) -> None:
        self.secret, self.share = secret, share
        self.kept: list[Shown] = []

    def look(self, distance: Callable[[Sequence[Shown]], Tensor], rng: random.Random) -> None:
        """Try fresh ones, and those kept before, by their distance to the base; keep the worst."""
        tried = [*self.kept, *near_misses(self.secret, N_TRIED, rng)]
        self.kept = [tried[i] for i in distance(tried).topk(N_KEPT).indices.tolist()]

    def draw(self, n: int, rng: random.Random) -> list[Shown]:
        """n near misses for a step."""
        n_kept = round(self.share * n) if self.kept else 0
        return [*rng.sample(self.kept, n_kept), *near_misses(self.secret, n - n_kept, rng)]
