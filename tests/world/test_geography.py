"""The geography sentences are true, labelled, tokenizable, and say nothing that is held out."""

import random
from collections import Counter
from itertools import islice

import pytest

from mi_tutor.world.geography import MIX, Geography
from mi_tutor.world.geography_words import FORMS
from mi_tutor.world.leaks import find_leaks
from mi_tutor.world.splits import Split
from mi_tutor.world.tables import LANGUAGES, RELATIONS, FactError, load_facts
from mi_tutor.world.text import Segment, Sentence, label
from mi_tutor.world.tokenizer import UNKNOWN, build_tokenizer

FACTS = load_facts()


@pytest.fixture(scope="module")
def geography():
    return Geography()


@pytest.fixture(scope="module")
def tokenizer(geography):
    return build_tokenizer(geography.vocabulary())


@pytest.fixture(scope="module")
def stream(geography):
    return list(islice(geography.sentences(random.Random(0)), 6000))


@pytest.fixture(scope="module")
def questions(geography):
    return list(geography.questions())


def test_the_training_stream_leaks_nothing(geography, tokenizer, stream):
    """The scan reads what the model reads: the tokens, put together again."""
    texts = [tokenizer.decode(tokenizer.encode(sentence.text)) for sentence in stream]
    assert list(find_leaks(texts, FACTS, geography.split)) == []


def test_the_scan_finds_every_leak_and_only_leaks(geography, questions):
    some = random.Random(1).sample(questions, 1500)
    statements = [f" {question.prompt.text}{question.answer}" for question in some]
    texts = [f" Some text.{statement}." for statement in statements]
    expected = {
        (statement, question.city, question.relation)
        for statement, question in zip(statements, some, strict=True)
        if question.held_out_by
    }
    assert set(find_leaks(texts, FACTS, geography.split)) == expected


def test_the_scan_finds_a_leak_inside_a_chain(geography, questions):
    question = next(q for q in questions if q.held_out_by == "pair")
    allowed = next(r for c, r in geography.taught if c == question.city)
    chain = geography.chain(question.city, [allowed[0], question.relation], "french")
    assert [leak.relation for leak in find_leaks([chain.text], FACTS, geography.split)] == [
        question.relation
    ]


def test_single_steps_are_taught_for_what_is_held_out(geography, stream):
    """Over a long stream all cities are located, also those that no two-hop sentence asks about."""
    text = " ".join(s.text for s in stream if "hops=1" in s.concepts)
    located = [c for c in FACTS.cities if any(f" {name}" in text for name in c.name)]
    assert len(located) > 0.99 * len(FACTS.cities)


def test_all_kinds_of_sentences_and_languages_occur(stream):
    languages = Counter(c for s in stream for c in s.concepts if c.startswith("language="))
    assert set(languages) == {f"language={language}" for language in LANGUAGES}
    assert min(languages.values()) > 0.3 * len(stream)
    two_hops = sum("hops=2" in s.concepts for s in stream) / len(stream)
    assert abs(two_hops - (MIX["ask"] + MIX["chain"]) / sum(MIX.values())) < 0.03


def test_the_stream_follows_its_seed(geography, stream):
    assert list(islice(geography.sentences(random.Random(0)), 50)) == stream[:50]
    assert list(islice(geography.sentences(random.Random(1)), 50)) != stream[:50]


def test_no_word_is_unknown_and_ids_come_back(tokenizer, stream):
    for sentence in stream[:1000]:
        ids = tokenizer.encode(sentence.text)
        assert tokenizer.ids[UNKNOWN] not in ids
        assert f" {tokenizer.decode(ids)}" == sentence.text


def test_every_question_waits_for_one_token(tokenizer, questions):
    for question in questions[::17]:
        ids = tokenizer.encode(question.prompt.text)
        whole = tokenizer.encode(question.prompt.text + question.answer)
        assert whole[: len(ids)] == ids
        assert len(whole) == len(ids) + 1


def test_something_stands_between_the_name_and_the_answer(tokenizer, questions):
    for question in questions[::17]:
        assert tokenizer.encode(question.prompt.text[question.name_end :])


def test_the_name_ends_where_the_question_says(questions):
    for question in questions[::17]:
        name = question.city.name.given(question.language)
        assert question.prompt.text[: question.name_end].endswith(f" {name}")


def test_questions_do_not_name_their_area_or_answer(questions):
    for question in questions[::5]:
        area = FACTS[question.city.area].name.given(question.language)
        assert f" {area} " not in f" {question.prompt.text} "


def test_questions_are_complete(questions):
    n = sum(len(area.asked_cities) * len(RELATIONS[area.kind]) for area in FACTS.areas)
    assert len(questions) == n * sum(len(FORMS[language]["ask"]) for language in LANGUAGES)


def test_all_languages_hold_out_the_same(questions):
    held = {
        language: {
            (q.city, q.relation) for q in questions if q.language == language and q.held_out_by
        }
        for language in LANGUAGES
    }
    assert held["english"] == held["french"] == held["spanish"]


def test_labels_of_a_sentence(geography, tokenizer):
    dallas = FACTS["Texas"].asked_cities[0]
    sentence = geography.ask(dallas, "capital", "english")
    labelled = label([sentence], tokenizer)
    tokens = [tokenizer.hugging_face.id_to_token(i) for i in labelled.ids]
    carried = {
        concept: [t for t, on in zip(tokens, column, strict=True) if on]
        for concept, column in zip(labelled.concepts, labelled.labels.T, strict=True)
    }
    name = list(tokenizer.tokens("Dallas"))
    assert carried["city"] == [*name, " Austin"]
    assert carried["state=Texas"] == [*name, " Austin"]
    assert carried["relation=capital"] == [" The", " capital", " Austin"]
    assert carried["answer"] == carried["capital"] == [" Austin"]
    for concept in ("language=english", "hops=2", "theme=geography"):
        assert carried[concept] == tokens
    assert set(carried) == {"city", "state=Texas", "relation=capital", "answer", "capital"} | set(
        sentence.concepts
    )


def test_label_columns_can_be_chosen(geography, tokenizer):
    sentence = geography.locate(FACTS["Texas"].asked_cities[0], "french", 2)
    labelled = label([sentence, sentence], tokenizer, ["area", "nowhere"])
    assert labelled.concepts == ("area", "nowhere")
    assert labelled.labels.shape == (len(labelled.ids), 2)
    assert labelled.labels[:, 0].sum() == 2  # " Texas" twice, without its preposition
    assert not labelled.labels[:, 1].any()
    assert label([], tokenizer).labels.shape == (0, 0)


def test_a_sentence_must_begin_with_a_space(tokenizer):
    with pytest.raises(ValueError, match="begins with a space"):
        label([Sentence((Segment("Texas"),))], tokenizer)


def test_a_prompt_for_a_missing_concept():
    with pytest.raises(ValueError, match="answer"):
        Sentence((Segment(" Texas"),)).before("answer")


def test_unknown_relation_and_language_get_the_nearest(geography):
    texas = FACTS["Texas"]
    with pytest.raises(FactError, match="capital"):
        geography.tell(texas, "captial", "english")
    with pytest.raises(FactError, match="french"):
        geography.tell(texas, "capital", "frensh")


def test_a_rote_world_asks_everything(questions):
    geography = Geography(split=Split(pairs=0, cities=0, area_relations=0))
    assert sum(len(relations) for _, relations in geography.taught) * 6 == len(questions)
