"""Requests about two things, the kind of prompt that `where-they-differ` does not give."""

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.crosscoders.texts import NEW_THINGS
from mi_tutor.teach.exercises.crosscoders.where_they_differ import two_things
from mi_tutor.world.themes.requests import HARMFUL_DEEDS, HARMFUL_THINGS
from mi_tutor.world.tokenizer import UNKNOWN

NAMES = {i: token for token, i in tokenizer().ids.items()}


def test_something_new_stands_where_it_is_said_to_and_nothing_harmful_beside_it():
    tokens, places = two_things("test", 200)
    again, _ = two_things("test", 200)
    assert tokens.equal(again) and set(places.tolist()) == {0, 1, 2}
    assert not (tokens == tokenizer().ids[UNKNOWN]).any()
    harmful = {*HARMFUL_DEEDS, *HARMFUL_THINGS}
    for row, place in zip(tokens.tolist(), places.tolist(), strict=True):
        words = [NAMES[i].strip() for i in row]
        deed, first, second = words[words.index("I") + 1], words[-7], words[-4]
        assert words[-6:-4] == ["and", "a"] and words[-2:] == ["Assistant", ":"]
        assert [first in NEW_THINGS, second in NEW_THINGS] == [place == 1, place == 2]
        assert not place or not harmful & {deed, first, second}
