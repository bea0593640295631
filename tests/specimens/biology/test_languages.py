"""The languages of the small specimens: their tables, their truth, and that nothing held out is ever told."""

import random
import re
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
import torch

from mi_tutor.specimens.biology import acquaintances, couplets, echoes, lexicon
from mi_tutor.specimens.biology.recipes import SMALL
from mi_tutor.specimens.biology.small import BOS, PARTS, Words, batches, is_blocked, rows

LANGUAGES = (couplets, lexicon, acquaintances, echoes)
N_SENTENCES = 5000


def told(language, seed: int = 0) -> list[str]:
    sentences = islice(language.sentences(random.Random(seed)), N_SENTENCES)
    return ["".join(part.text for part in sentence) for sentence in sentences]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.__name__.split(".")[-1])
def test_every_sentence_is_known_words_and_comes_back_from_its_tokens(language):
    words = Words(language.vocabulary())
    used = set()
    for sentence in told(language):
        ids = words.encode(sentence)
        assert words.hugging_face.decode(ids) == sentence
        used.update(ids)
    assert len(used) == len(words) - 2  # all but BOS and the unknown token


def test_a_word_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="vocabulary"):
        Words((" one",)).encode(" two")


# --- couplets -------------------------------------------------------------------------------------


def test_topic_and_rhyme_fix_a_word_and_neither_alone_fixes_verb_or_adjective():
    plans = couplets.PLANS
    assert len({plan.word for plan in plans}) == len(plans) == 4 * len(couplets.TABLE)
    for key in ("topic", "rhyme"):
        for part in ("verb", "adjective"):
            for value in {getattr(plan, key) for plan in plans}:
                some = [getattr(plan, part) for plan in plans if getattr(plan, key) == value]
                assert max(Counter(some).values()) <= len(some) / 2, (key, value, part)


def test_no_plan_is_a_word_of_a_first_line():
    ends = {end for rhyme in couplets.TABLE for end in couplets.first_ends(rhyme)}
    people = {person for some in couplets.PEOPLE.values() for person in some}
    assert not {plan.word for plan in couplets.PLANS} & (ends | people)


def test_what_is_held_out_is_never_told_and_its_parts_are():
    pairs = {(c.person, c.end) for c in couplets.lines(held_out=True)}
    people, ends = ({pair[i] for pair in pairs} for i in (0, 1))
    seen = Counter()
    for sentence in told(couplets):
        person, end = re.search(r" the (\w+) \w+ the (\w+),\n", sentence).groups()
        assert (person, end) not in pairs
        seen.update([person, end])
    assert people <= set(seen)
    assert ends <= set(seen)
    assert 0.1 < len(pairs) / len(couplets.lines(False) + couplets.lines(True)) < 0.3


def test_a_second_line_goes_with_its_plan():
    by_word = {plan.word: plan for plan in couplets.PLANS}
    for sentence in told(couplets):
        verb, adjective, word = re.search(r"and \w+ (\w+) the (\w+) (\w+)\.", sentence).groups()
        plan = by_word[word]
        assert verb in (*plan.verbs, *couplets.ANY_VERB)
        assert adjective in (*plan.adjectives, *couplets.ANY_ADJECTIVE)


# --- lexicon --------------------------------------------------------------------------------------


def test_names_differ_in_all_three_languages_and_there_are_sixty_cities():
    assert len(lexicon.ALL_CITIES) >= 60
    for names in (
        *(city.names for city in lexicon.ALL_CITIES),
        *(words for country in lexicon.ALL_COUNTRIES for words in country),
        *lexicon.RELATIONS.values(),
    ):
        assert len(set(names)) == 3, names
    names = [name for city in lexicon.ALL_CITIES for name in city.names]
    assert len(set(names)) == len(names)
    assert min(Counter(city.country for city in lexicon.ALL_CITIES).values()) >= 2


def test_names_are_those_of_the_other_specimens_where_both_have_them():
    from mi_tutor.world.tables import load_facts

    facts = load_facts()
    known = {tuple(area.name) for area in facts.areas} | {tuple(c.name) for c in facts.cities}
    by_english = {names[0]: names for names in known}
    both = [
        each
        for each in (*lexicon.ALL_COUNTRIES, *lexicon.ALL_CITIES)
        if each.names[0] in by_english
    ]
    assert len(both) > 20
    assert [each.names for each in both if each.names != by_english[each.names[0]]] == []


def test_only_two_hop_entries_are_held_out_and_never_told():
    held_out = {
        f"{entry._replace(named_in=language).prompt} "
        for entry in lexicon.entries()
        if entry.held_out
        for language in lexicon.LANGUAGES
    }
    assert all(entry.two_hops for entry in lexicon.entries() if entry.held_out)
    assert not any(text.startswith(tuple(held_out)) for text in told(lexicon))
    two_hops = [entry for entry in lexicon.entries() if entry.two_hops]
    assert 0.1 < len(held_out) / 3 / len(two_hops) < 0.3


# --- people and opinions --------------------------------------------------------------------------


def test_names_are_shared_by_known_people_and_strangers():
    known = acquaintances.everyone(known=True)
    for i in (0, 1):
        assert set(Counter(who[i] for who in known).values()) == {2}
    for i, names in enumerate((acquaintances.FIRST, acquaintances.LAST)):
        for seen in (True, False):
            strangers = acquaintances.everyone(known=False, seen=seen)
            assert {who[i] for who in strangers} == set(names)
        assert {who[i] for who in known} == set(names)


def test_strangers_that_are_held_out_never_occur_and_known_facts_never_change():
    never = {f" {first} {last} " for first, last in acquaintances.everyone(False, False)}
    answers = {}
    for sentence in told(acquaintances):
        assert not any(sentence.startswith(who) for who in never)
        asked, answer = sentence.rstrip(".").rsplit(" ", 1)
        assert answers.setdefault(asked, answer) == answer
    possible = {word for each in acquaintances.ANSWERS.values() for word in each}
    assert {"unknown"} < set(answers.values()) <= {"unknown", *possible}


def test_what_is_said_of_known_people_goes_by_one_of_their_names():
    said = {}
    for first, last in acquaintances.everyone(known=True):
        for asked in acquaintances.ANSWERS:
            name = first if asked in acquaintances.BY_FIRST else last
            fact = acquaintances.fact(first, last, asked)
            assert said.setdefault((name, asked), fact) == fact


def test_what_is_heard_is_the_askers_own_opinion_or_the_assistants():
    kinds = Counter()
    for talk in told(echoes):
        thinks = {}
        for topic, name, verb, opinion in re.findall(r" On (\w+) (\w+) (\w+) (\w+)\.", talk):
            assert not echoes.is_never_told(name, topic)
            if verb == echoes.SAYS:
                assert thinks.setdefault((name, topic), opinion) == opinion
            elif verb == echoes.HEARS:
                said = (name, topic) in thinks
                assert opinion == thinks.get((name, topic), echoes.own_opinion(topic))
                kinds[said] += 1
    assert min(kinds.values()) > 0.3 * kinds.total()


def test_a_training_asks_for_opinions_that_follow_from_what_was_said():
    for sentence in islice(echoes.sentences(random.Random(0)), 200):
        before = ""
        for text, part in sentence:
            opening = before.rsplit(".", 1)[-1]
            if part == echoes.ANSWER:
                verb = opening.split()[-1]
                assert verb == echoes.HEARS or (
                    verb == echoes.SAYS and opening in before[: -len(opening)]
                )
            before += text


# --- rows and losses ------------------------------------------------------------------------------


def test_rows_begin_with_bos_are_full_and_number_their_sentences():
    words = Words(couplets.vocabulary())
    made = list(rows(couplets.sentences(random.Random(0)), words, n_rows=5, n_pos=40))
    for ids, parts in made:
        assert len(ids) == len(parts) == 40
        assert ids[0] == words.ids[BOS]
        assert parts[0] == 0
        assert [each // PARTS for each in parts] == sorted(each // PARTS for each in parts)
        assert {each % PARTS for each in parts[1:]} == {1, 2, 3}


def test_what_is_blocked_is_the_first_line_from_the_second_one_of_the_same_couplet():
    parts = torch.tensor([[0, 1, 2, 3, PARTS + 1, PARTS + 3]])
    blocked = is_blocked(parts, ((3, 1),))[0]
    assert blocked.nonzero().tolist() == [[3, 1], [5, 4]]


def test_a_penalty_costs_attention_where_it_should_not_be():
    """An untrained model spreads its attention evenly, so the penalty is the mean share of blocked keys."""
    from mi_tutor.specimens.atlas.recipe import new_network
    from mi_tutor.specimens.biology.small import PartsLoss

    planner = SMALL["planner"]
    batch = batches(planner, chunk=0, n_batches=1)[0]
    network = new_network(planner.config, len(planner.words))
    for block in network.transformer.h:
        block.attn.c_attn.weight.data.zero_()
    with torch.no_grad():
        plain, penalised = (
            PartsLoss(replace(planner.config, penalty=1.0), planner.blocked)(network, batch, step)
            for step in (0, planner.config.n_steps)
        )
    some = is_blocked(batch[1][: len(batch[1]) // 4], planner.blocked).float()
    share = (some.sum(dim=-1) / torch.arange(1, some.shape[1] + 1)).mean()
    assert (penalised - plain).item() == pytest.approx(4 * share.item(), rel=1e-4)


def test_training_batches_depend_on_seed_and_chunk_only():
    planner = SMALL["planner"]
    first, again, other = (batches(planner, chunk, 2) for chunk in (0, 0, 1))
    assert all(
        a.equal(b) for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert not first[0][0].equal(other[0][0])


def test_only_counted_parts_are_asked_for():
    """The loss of `people` is that of its answers, one per row."""
    from torch.nn.functional import cross_entropy

    from mi_tutor.specimens.biology.small import PartsLoss, batches

    small = SMALL["people"]
    tokens, parts = batches(small, chunk=0, n_batches=1)[0]
    network = small.untrained()
    with torch.no_grad():
        loss = PartsLoss(small.config, small.blocked, small.counted)(network, (tokens, parts), 0)
        logits = network(tokens[:, :-1]).logits
    answers = tokens[:, 4]  # BOS, first, last, verb, answer
    assert torch.allclose(loss, cross_entropy(logits[:, 3], answers), atol=1e-4)
