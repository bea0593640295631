"""The mixed training rows: reproducible, complete, and scanned for leaks as the model sees them."""

import random
from collections import Counter
from itertools import groupby, islice, pairwise

import numpy as np
import pytest

from mi_tutor.world.corpus import SHARES, Corpus
from mi_tutor.world.leaks import find_leaks
from mi_tutor.world.pieces import asked_names, unshared
from mi_tutor.world.tables import load_facts
from mi_tutor.world.text import Sentence, label, part
from mi_tutor.world.tokenizer import BOS, UNKNOWN


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def rows(corpus):
    return corpus.rows(random.Random(0), n_rows=600, n_pos=64)


def test_rows_begin_with_bos_and_hold_nothing_unknown(corpus, rows):
    ids = corpus.tokenizer.ids
    assert rows.shape == (600, 64)
    assert rows.dtype == np.int64
    assert (rows[:, 0] == ids[BOS]).all()
    assert not (rows[:, 1:] == ids[BOS]).any()
    assert not (rows == ids[UNKNOWN]).any()


def test_rows_leak_nothing(corpus, rows):
    """The training rows themselves, put into words again, all themes together."""
    text_rows = [row for row in rows if not is_repeated(row)]
    texts = [corpus.tokenizer.decode(row) for row in text_rows]
    assert list(find_leaks(texts, load_facts(), corpus.geography.split)) == []


def test_rows_follow_the_seed(corpus, rows):
    assert (corpus.rows(random.Random(0), 5, 64) == rows[:5]).all()
    assert (corpus.rows(random.Random(1), 5, 64) != rows[:5]).any()


def test_the_share_of_repeated_rows(rows):
    assert 0.07 < np.mean([is_repeated(row) for row in rows]) < 0.16


def test_repeated_rows_have_blocks_of_all_lengths(corpus):
    rng = random.Random(0)
    for n_pos in (3, 8, 9, 64, 65):
        rows = [np.array(corpus.repeated_row(rng, n_pos)) for _ in range(400)]
        assert all(len(row) == n_pos and is_repeated(row) for row in rows)
        longest = (n_pos - 1) // 2
        assert {period(row) for row in rows} == set(range(min(3, longest), longest + 1))


def period(row):
    """The smallest distance at which a row (without BOS) repeats itself; its length if it does not."""
    text = row[1:]
    return next(n for n in range(1, len(text) + 1) if (text[n:] == text[:-n]).all())


def is_repeated(row):
    return period(row) <= (len(row) - 1) // 2


def test_all_themes_occur_with_their_shares(corpus):
    n = 4000
    sentences = islice(corpus.sentences(random.Random(0)), n)
    themes = Counter(c for s in sentences for c in s.concepts if c.startswith("theme="))
    assert len(themes) == 7
    expected = sum(SHARES[language] for language in ("english", "french", "spanish"))
    assert abs(themes["theme=geography"] / n - expected) < 0.03


def test_a_specimen_of_one_theme_has_the_same_vocabulary(corpus):
    other = Corpus(shares={"couplets": 1.0}, repeated=0.0)
    assert other.tokenizer.ids == corpus.tokenizer.ids
    text = other.tokenizer.decode(other.rows(random.Random(0), 1, 64)[0])
    assert "\n" in text


def test_labels_cover_the_tokens(corpus):
    labelled = corpus.labelled(random.Random(0), 2000)
    assert len(labelled.ids) >= 2000
    assert labelled.labels.shape == (len(labelled.ids), len(labelled.concepts))
    assert labelled.labels.any(axis=0).all()
    assert labelled.labels.any(axis=1).all()


def test_names_keep_shared_pieces_beside_all_other_words(corpus):
    """A word of another theme that begins a name (" James" of Jamestown) would be one area's piece."""
    names = asked_names()
    cuts = {name: corpus.tokenizer.tokens(name) for name in names}
    assert min(map(len, cuts.values())) >= 2
    # " Brook" is a last name of people too, and Brookings is the only city that begins with it.
    alone = [piece for piece in unshared(cuts, names) if piece != " Brook"]
    assert all(len(piece.strip()) == 1 for piece in alone)
    assert len(alone) <= 6


def test_no_name_contains_the_token_of_an_area_or_capital(corpus):
    answers = {
        f" {word}" for area in load_facts().areas for word in (*area.name, *area.capital.name)
    }
    assert not [name for name in asked_names() if answers & set(corpus.tokenizer.tokens(name))]


def test_cues_of_all_themes(corpus):
    cues = corpus.cues()
    assert all(cues.values())
    assert sum(map(len, cues.values())) > 1000


@pytest.mark.parametrize("shares", [{}, {"poetry": 1.0}, {"english": -1.0}])
def test_bad_shares_are_named(shares):
    with pytest.raises(ValueError, match="shares must be"):
        Corpus(shares=shares)


def test_a_bad_share_of_repeated_rows():
    with pytest.raises(ValueError, match="fraction"):
        Corpus(repeated=2)


def test_a_paragraph_stays_with_one_theme_and_language_or_kind_of_context():
    sentences = Corpus(paragraph=(4, 4)).sentences(random.Random(0))
    seen = Counter()
    for _ in range(300):
        about = {kind_of(sentence) for sentence in islice(sentences, 4)}
        assert len(about) == 1
        seen.update(about)
    assert {"context=code", "context=dna", "context=law", "context=sum"} <= set(seen)
    # A paragraph about nothing in particular is not drawn more often than its share says.
    assert 0.3 < seen["language=english"] / 300 - sum(SHARES[t] for t in ENGLISH_THEMES) < 0.46


ENGLISH_THEMES = ("indirect_objects", "couplets", "people", "requests", "opinions")


def kind_of(sentence: Sentence) -> str:
    """Its kind of context, or its language."""
    (kind,) = (c for c in sentence.concepts if c.split("=")[0] in ("context", "language"))
    return kind


def test_how_long_paragraphs_are():
    """Runs of one kind are at least as long as a paragraph, and not all the same."""
    corpus = Corpus(paragraph=(2, 5), shares={"french": 1, "spanish": 1})
    kinds = [kind_of(s) for s in islice(corpus.sentences(random.Random(0)), 600)]
    runs = [len(list(run)) for _, run in groupby(kinds)][:-1]
    assert min(runs) >= 2
    assert {2, 3, 4, 5} <= set(runs)


def test_without_paragraphs_a_sentence_says_nothing_about_the_next(corpus):
    kinds = [kind_of(s) for s in islice(corpus.sentences(random.Random(0)), 4000)]
    after_french = [b for a, b in pairwise(kinds) if a == "language=french"]
    share = after_french.count("language=french") / len(after_french)
    assert share == pytest.approx(SHARES["french"], abs=0.04)


@pytest.mark.parametrize("paragraph", [(0, 3), (4, 2)])
def test_a_bad_length_of_paragraphs(paragraph):
    with pytest.raises(ValueError, match="1 <= least <= most"):
        Corpus(paragraph=paragraph)


def test_labelled_rows_are_the_sentences_of_the_same_seed(corpus):
    rows = corpus.labelled_rows(random.Random(3), n_rows=20, n_pos=48)
    assert (rows.tokens[:, 0] == corpus.tokenizer.ids[BOS]).all() and not rows.labels[:, 0].any()
    sentences = corpus.sentences(random.Random(3))
    for tokens, labels, ends in zip(rows.tokens, rows.labels, rows.ends, strict=True):
        seen = []
        while len(seen) < 47:
            one = label([next(sentences)], corpus.tokenizer, rows.concepts)
            seen += list(zip(one.ids, one.labels.tolist(), one.ends.tolist(), strict=True))
        expected = zip(*seen[:47], strict=True)
        for found, wanted in zip((tokens, labels, ends), expected, strict=True):
            assert found[1:].tolist() == list(wanted)


def test_a_name_ends_at_its_last_piece(corpus):
    sentence = Sentence((part(" Fort Worth", "city"), part(" lies in"), part(" Texas", "area")))
    labelled = label([sentence], corpus.tokenizer)
    at_end = [i for i, ends in enumerate(labelled.ends) if ends]
    pieces = corpus.tokenizer.encode(" Fort Worth")
    assert at_end == [len(pieces) - 1, len(labelled.ids) - 2, len(labelled.ids) - 1]


def test_names_are_numbered_piece_by_piece(corpus):
    """Against the labels of the same rows: the tokens of each city's name of several pieces, and no others."""
    plain = Corpus(repeated=0.0)
    tokens, names = plain.rows_and_names(random.Random(3), n_rows=40, n_pos=64)
    assert (tokens == plain.rows(random.Random(3), 40, 64)).all()
    n_found = 0
    for row, numbers in zip(tokens.tolist(), names.tolist(), strict=True):
        for number in range(1, max(numbers) + 1):
            at = [i for i, each in enumerate(numbers) if each == number]
            assert at == list(range(at[0], at[-1] + 1))
            name = plain.tokenizer.decode([row[i] for i in at]).strip()
            assert name in asked_names() or at[-1] == 63  # or the row ends in the middle of it
            n_found += 1
    assert n_found > 40


def test_a_repeated_row_has_no_names(corpus):
    tokens, names = Corpus(repeated=1.0).rows_and_names(random.Random(0), n_rows=5, n_pos=32)
    assert tokens.shape == names.shape and not names.any()
