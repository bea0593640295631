"""The specimens of chapter 08: small models whose text forces a mechanism that `atlas` does not have.

small             what they have in common: tokenizer, network, training, card
couplets          the language of `planner` and `planner-twin`: topic and rhyme fix a word
lexicon           the language of `polyglot`: a glossary in three languages
acquaintances     the language of `people`: who is known and who is not
people_prompts    questions of `people` and of `atlas` about people, as prompts
phenomena         pairs of prompts for the investigation `a-circuit-of-your-own`
talks             opinions and requests of `atlas` as prompts, in forms old and new
echoes            the language of `echoes`: opinions, and who holds them
echoes_prompts    talks as prompts, with an answer for each opinion that could be told
echoes_recipe     how `echoes` is trained: from weights that look back a little
planner_prompts   couplets as prompts
rhymes            the couplets of `atlas` as prompts
recipes           the recipes by name; a `..._measures` beside each says what its card says
"""

from mi_tutor.specimens.biology.couplets import PLANS
from mi_tutor.specimens.biology.couplets import lines as couplet_lines
from mi_tutor.specimens.biology.echoes_prompts import ASKED, Talks, opinion_talks, then_asked
from mi_tutor.specimens.biology.people_prompts import (
    Everyone,
    atlas_questions,
    people_questions,
)
from mi_tutor.specimens.biology.phenomena import (
    PHENOMENA,
    Pairs,
    pairs_of,
    reads_sums,
    sums_of,
)
from mi_tutor.specimens.biology.planner_prompts import (
    Lines,
    goes_with_plan,
    line_template,
    other_plans,
    plan_lines,
)
from mi_tutor.specimens.biology.polyglot_prompts import (
    Entries,
    city_entries,
    glossary,
    glossary_answers,
)
from mi_tutor.specimens.biology.rhymes import RHYMES, RhymeLines, rhyme_lines
from mi_tutor.specimens.biology.talks import VIEW_PLACE, VIEWS, asks, mentions, two_asks, views

__all__ = [
    "ASKED",
    "PHENOMENA",
    "PLANS",
    "RHYMES",
    "VIEWS",
    "VIEW_PLACE",
    "Entries",
    "Everyone",
    "Lines",
    "Pairs",
    "RhymeLines",
    "Talks",
    "asks",
    "atlas_questions",
    "city_entries",
    "couplet_lines",
    "glossary",
    "glossary_answers",
    "goes_with_plan",
    "line_template",
    "mentions",
    "opinion_talks",
    "other_plans",
    "pairs_of",
    "people_questions",
    "plan_lines",
    "reads_sums",
    "rhyme_lines",
    "sums_of",
    "then_asked",
    "two_asks",
    "views",
]
