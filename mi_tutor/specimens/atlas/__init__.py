"""The specimens that speak the world's language: `atlas` and its relatives.

    prompts, texts    questions and labelled texts, as tensors
    stories           indirect-object stories, each with another one to take activations from
    talk              conversation in running text, and a dashboard that reads it
    refusals          requests, with what is harmful in each
    steering          what steering starts from, and marks on what is written
    riddles, nameless, graphs    what a chapter hands over without its label, or without its name
    recipe, measures, swaps                 how `atlas` is made, what its card says
    rote, paragraphs, sentences             its relatives

From `mi_tutor.world` come the facts and pairs that prompts are made of.
"""

from mi_tutor.specimens.atlas.graphs import SuspectGraphs, suspect_graphs
from mi_tutor.specimens.atlas.nameless import ten_latents
from mi_tutor.specimens.atlas.prompts import by_length, chosen, swap_questions, tokenizer
from mi_tutor.specimens.atlas.refusals import Requests, all_requests
from mi_tutor.specimens.atlas.riddles import accuracy, mystery_latent, suspects
from mi_tutor.specimens.atlas.steering import (
    first_lines,
    full_stops,
    mark_texts,
    prompts_of,
    second_lines,
)
from mi_tutor.specimens.atlas.stories import Stories, stories_about, stories_of_strangers
from mi_tutor.specimens.atlas.talk import (
    Dashboard,
    conversation,
    dashboard,
    opinion_prompts,
    some_requests,
)
from mi_tutor.specimens.atlas.texts import LabelledTexts, labelled_texts, training_texts
from mi_tutor.world.geography import Geography
from mi_tutor.world.pairs import question_pairs, story_pairs
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out

__all__ = [
    "NAMES",
    "Dashboard",
    "Geography",
    "LabelledTexts",
    "Requests",
    "Stories",
    "SuspectGraphs",
    "accuracy",
    "all_requests",
    "by_length",
    "chosen",
    "conversation",
    "dashboard",
    "first_lines",
    "full_stops",
    "labelled_texts",
    "mark_texts",
    "mystery_latent",
    "opinion_prompts",
    "pair_is_held_out",
    "prompts_of",
    "question_pairs",
    "second_lines",
    "some_requests",
    "stories_about",
    "stories_of_strangers",
    "story_pairs",
    "suspect_graphs",
    "suspects",
    "swap_questions",
    "ten_latents",
    "tokenizer",
    "training_texts",
]
