"""Facts that are to be changed, and what is asked of them afterwards."""

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.crosscoders import (
    ASKED,
    aftermath,
    all_aftermaths,
    changes,
    one_hop_facts,
    requests,
)
from mi_tutor.specimens.crosscoders.facts import LAST, SUBJECT, states

NAMES = {i: token for token, i in tokenizer().ids.items()}


def test_all_relations_have_prompts_of_one_length_with_the_state_in_its_place():
    for relation in ASKED:
        facts = one_hop_facts(relation)
        assert facts.tokens.shape == (50, LAST + 1)
        named = [NAMES[i].strip() for i in facts.tokens[:, SUBJECT].tolist()]
        assert named == list(states())


def test_a_change_is_another_answer_of_the_same_relation():
    made = changes("test", 40)
    assert changes("test", 40) == made and changes("other", 40) != made
    for one in made:
        assert one.new != f" {states()[one.state].answers[one.relation].english}"
        assert one.new.strip() in {s.answers[one.relation].english for s in states().values()}
    assert {one.relation for one in made} == set(ASKED)


def test_a_request_stands_at_the_name_or_at_the_end():
    made = changes("test", 3)
    assert requests(made, "subject").at.tolist() == [SUBJECT] * 3
    assert requests(made).at.tolist() == [LAST] * 3


def test_the_aftermath_never_counts_the_new_answer_as_wrong_for_a_neighbour():
    for one in changes("test", 20):
        asked = aftermath(one)
        kept = asked.kind == 3
        assert (asked.right[kept] != asked.new[kept]).all()
        first = " ".join(NAMES[i] for i in asked.tokens[0, 1 : asked.end[0] + 1].tolist())
        assert one.state in first


def test_joined_aftermaths_are_the_single_ones():
    made = changes("test", 4)
    joined, which = all_aftermaths(made)
    for i, one in enumerate(made):
        alone, mine = aftermath(one), which == i
        assert joined.end[mine].equal(alone.end) and joined.right[mine].equal(alone.right)
        width = alone.tokens.shape[1]
        assert joined.tokens[mine][:, :width].equal(alone.tokens)
        assert (joined.tokens[mine][:, width:] == 0).all()
