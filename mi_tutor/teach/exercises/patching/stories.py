"""Stories about people who never met in training, as pairs in one batch."""

from __future__ import annotations

import functools
import random
from itertools import combinations

from mi_tutor.lab.ground.metrics import Metric, prefers
from mi_tutor.lab.ground.prompts import PairBatch, pair_batch
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.world.pairs import story_pairs
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out


@functools.cache
def story_batch() -> tuple[PairBatch, Metric]:
    """The pairs of the chapter, and the logit difference of their answers."""
    strangers = [pair for pair in combinations(NAMES, 2) if pair_is_held_out(*pair)]
    pairs = list(story_pairs(strangers, atlas().tokenizer, random.Random(0)))
    batch = pair_batch(atlas(), pairs)
    return batch, prefers(batch.answers, batch.wrongs)
