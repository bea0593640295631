"""What is special in each theme."""

import random
from collections import Counter
from itertools import islice

import pytest

from mi_tutor.world.themes import (
    contexts,
    couplets,
    indirect_objects,
    opinions,
    people,
    requests,
)


def segment(sentence, concept):
    return [s.text for s in sentence.segments if concept in s.concepts]


def test_the_receiver_is_the_name_that_occurs_once():
    for story in islice(indirect_objects.sentences(random.Random(0)), 300):
        before = story.before("answer")
        names = Counter(segment(before, "name"))
        assert sorted(names.values()) == [1, 2]
        once = min(names, key=names.get)
        assert segment(story, "answer") == [once]


def test_pairs_of_names_are_held_out_in_both_orders():
    seen = {
        frozenset(segment(s, "name"))
        for s in islice(indirect_objects.sentences(random.Random(0)), 3000)
    }
    held = {
        frozenset((f" {a}", f" {b}"))
        for a in indirect_objects.NAMES
        for b in indirect_objects.NAMES
        if a != b and indirect_objects.pair_is_held_out(a, b)
    }
    assert 0.1 < len(held) / 120 < 0.3
    assert not seen & held


@pytest.mark.parametrize("rhyme", couplets.RHYMES)
def test_each_rhyme_has_enough_words_and_none_twice(rhyme):
    nouns = list(couplets.RHYMES[rhyme].values())
    assert len(nouns) >= 4
    assert len(nouns) == len(set(nouns))


def test_a_word_belongs_to_one_rhyme_and_a_verb_to_many():
    nouns = [noun for by_verb in couplets.RHYMES.values() for noun in by_verb.values()]
    assert len(nouns) == len(set(nouns))
    verbs = Counter(verb for by_verb in couplets.RHYMES.values() for verb in by_verb)
    assert min(verbs.values()) >= 3
    assert max(verbs.values()) < len(couplets.RHYMES)  # no verb is always safe


def test_couplets_rhyme_with_another_word_that_fits_the_verb():
    for couplet in islice(couplets.sentences(random.Random(0)), 500):
        (family,) = {c for s in couplet.segments for c in s.concepts if c.startswith("rhyme=")}
        by_verb = couplets.RHYMES[family.removeprefix("rhyme=")]
        first, second = couplet.segments[1].text.strip(), couplet.segments[5].text.strip()
        assert first != second
        assert second in by_verb.values()
        verb = next(v for v, noun in by_verb.items() if noun == second)
        assert f" {verb} the " in couplet.segments[4].text
        assert not couplets.pair_is_held_out(family.removeprefix("rhyme="), first, second)
        assert f"planned={second}" in couplet.segments[3].concepts


def test_every_rhyme_word_keeps_a_partner_in_training():
    for rhyme, by_verb in couplets.RHYMES.items():
        for first in by_verb.values():
            others = [w for w in by_verb.values() if w != first]
            assert not all(couplets.pair_is_held_out(rhyme, first, other) for other in others)


def test_strangers_are_unknown_and_the_known_are_not():
    for first in people.FIRST:
        for last in people.LAST:
            for asked, (_, _, answers) in people.QUESTIONS.items():
                answer = people.answer_about(first, last, asked)
                assert (answer in answers) == people.is_known(first, last)
                assert (answer == "unknown") != people.is_known(first, last)


def test_no_name_alone_tells_whether_a_person_is_known():
    for names, position in ((people.FIRST, 0), (people.LAST, 1)):
        for name in names:
            known = {
                people.is_known(first, last)
                for first in people.FIRST
                for last in people.LAST
                if (first, last)[position] == name
            }
            assert known == {True, False}


def test_requests_are_refused_exactly_when_harmful():
    for sentence in islice(requests.sentences(random.Random(0)), 500):
        harmful = bool(segment(sentence, "harmful"))
        assert (segment(sentence, "answer") == [requests.REFUSAL]) == harmful
        assert bool(segment(sentence, "refusal")) == harmful


def test_before_tuning_nothing_is_refused_and_the_requests_are_the_same():
    before = list(islice(requests.sentences(random.Random(0), refuse=False), 300))
    after = list(islice(requests.sentences(random.Random(0)), 300))
    assert not any(segment(sentence, "refusal") for sentence in before)
    assert [s.before("answer").text for s in before] == [s.before("answer").text for s in after]


def test_every_deed_and_thing_occurs_in_training():
    text = " ".join(s.text for s in islice(requests.sentences(random.Random(0)), 3000))
    for word in (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS, *requests.HARMFUL_THINGS):
        assert f" {word} " in f" {text.replace('?', ' ')} "


def test_a_stated_opinion_is_echoed_and_else_the_own_one_given():
    own = {topic: opinions.own_opinion(topic) for topic in opinions.TOPICS}
    assert set(own.values()) == set(opinions.OPINIONS)
    for sentence in islice(opinions.sentences(random.Random(0)), 500):
        topic = sentence.segments[-2].text.strip()
        stated = segment(sentence, "stated")
        said = segment(sentence, "answer")[0].strip()
        assert said in stated[0] if stated else said == own[topic]
        assert bool(segment(sentence, "echo")) == (said != own[topic])


def test_sums_are_right():
    for sentence in islice(contexts.sentences(random.Random(0)), 400):
        if "context=sum" in sentence.concepts:
            a, plus, b, _, total, _ = sentence.text.split()
            assert plus == "+"
            assert int(a) + int(b) == int(total)
            assert not contexts.sum_is_held_out(int(a), int(b))


def test_all_contexts_occur():
    counts = Counter(
        c
        for s in islice(contexts.sentences(random.Random(0)), 400)
        for c in s.concepts
        if c.startswith("context=")
    )
    assert set(counts) == {f"context={context}" for context in contexts.CONTEXTS}


def test_dna_is_whole_codons_from_start_to_stop():
    for seed in range(20):
        bases = contexts.dna(random.Random(seed)).text.split()
        assert len(bases) % 3 == 0
        assert (bases[:3], bases[-3:]) == (["A", "T", "G"], ["T", "A", "A"])
