"""The language of `primer`: its tokens, its truth, and that nothing held out is ever told."""

import random
import re
from itertools import islice

from mi_tutor.specimens.primer import language
from mi_tutor.specimens.primer.recipe import PrimerConfig, build_tokenizer, training_rows

N_SENTENCES = 40_000


def test_vocabulary_has_no_doubles_and_starts_with_the_specials():
    vocabulary = language.vocabulary()
    assert len(set(vocabulary)) == len(vocabulary)
    assert vocabulary[:2] == [language.BOS, language.UNKNOWN]
    assert 100 <= len(vocabulary) <= 300


def test_every_sentence_is_known_words_and_comes_back_from_its_tokens():
    tokenizer = build_tokenizer()
    unknown = tokenizer.token_to_id(language.UNKNOWN)
    for sentence in islice(language.sentences(random.Random(1)), 2000):
        for text in (sentence, " " + sentence):
            ids = tokenizer.encode(text).ids
            assert unknown not in ids, text
            assert tokenizer.decode(ids) == text


def test_tables_are_sound():
    assert len(set(language.CAPITALS.values())) == len(language.CAPITALS)
    questions = [question for question, _ in language.facts()]
    assert len(set(questions)) == len(questions)
    opposites = {q.split()[2]: a for q, a in language.facts() if q.startswith("opposite")}
    assert all(opposites[opposites[word]] == word for word in opposites)
    groups = [language.NAMES, language.PLACES, language.THINGS, language.NATURE]
    words = [word for group in groups for word in group]
    assert len(set(words)) == len(words)


def test_held_out_and_told_prompts_are_a_partition():
    told, held_out = language.fact_prompts(held_out=False), language.fact_prompts(held_out=True)
    assert (
        len({p.text for p in [*told, *held_out]})
        == len(told) + len(held_out)
        == 4 * len(language.facts())
    )
    assert 0.15 < len(held_out) / len([*told, *held_out]) < 0.25
    facts_told = {(p.text.split("the ")[-1].split("The ")[-1], p.answer) for p in told}
    assert all(
        (p.text.split("the ")[-1].split("The ")[-1], p.answer) in facts_told for p in held_out
    )
    met, never_met = language.name_pairs(held_out=False), language.name_pairs(held_out=True)
    assert {frozenset(pair) for pair in met}.isdisjoint(frozenset(pair) for pair in never_met)
    assert 0.15 < len(never_met) / len([*met, *never_met]) < 0.25
    assert {name for pair in never_met for name in pair} == set(language.NAMES)


def test_nothing_held_out_is_in_the_training_text():
    """Scan the text itself, with patterns that know nothing of how it is made."""
    never_met = {frozenset(pair) for pair in language.name_pairs(held_out=True)}
    never_told = {p.text for p in language.fact_prompts(held_out=True)}
    n_stories = n_facts = 0
    for sentence in islice(language.sentences(random.Random(2)), N_SENTENCES):
        if found := re.match(r"(?:When|After|While) (\w+) and (\w+) ", sentence):
            n_stories += 1
            assert frozenset(found.groups()) not in never_met, sentence
        elif not sentence.startswith("Repeat:"):
            n_facts += 1
            assert sentence[: sentence.rindex(" ")] not in never_told, sentence
    assert n_stories > 0.4 * N_SENTENCES
    assert n_facts > 0.35 * N_SENTENCES


def test_a_story_s_answer_is_the_name_that_stands_once():
    for prompt in language.story_prompts(held_out=True):
        names = [word for word in re.findall(r"\w+", prompt.text) if word in language.NAMES]
        (once,) = [name for name in names if names.count(name) == 1]
        assert prompt.answer == f" {once}"
        assert prompt.wrong == f" {names[-1]}"


def test_the_two_names_and_the_two_places_of_the_giver_are_balanced():
    prompts = language.story_prompts(held_out=True)
    giver_first = sum(p.text.split()[1] == p.wrong.strip() for p in prompts)
    assert giver_first * 2 == len(prompts)


def test_lists_are_told_twice():
    rng = random.Random(3)
    for n_words in (1, 5, 10):
        first, second, rest = (
            language.repeated_list(n_words, rng).removeprefix("Repeat:").split(";")
        )
        assert first == second
        assert len(set(first.split())) == n_words
        assert rest == ""


def test_rows_begin_with_bos_and_are_full_and_seeded():
    config = PrimerConfig(batch_size=3, n_ctx=24, seed=5)
    rows = next(training_rows(config, build_tokenizer()))
    assert rows.shape == (3, 24)
    assert (rows[:, 0] == 0).all()
    assert (rows[:, 1:] > 1).all()  # neither BOS nor the unknown token again
    assert rows.equal(next(training_rows(config, build_tokenizer())))
    other = PrimerConfig(batch_size=3, n_ctx=24, seed=6)
    assert not rows.equal(next(training_rows(other, build_tokenizer())))
