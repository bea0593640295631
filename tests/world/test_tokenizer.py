"""The tokenizer directory is Hugging Face's, loses nothing, and says which word it does not know."""

import pytest

from mi_tutor.world import tokenizer as module
from mi_tutor.world.pieces import asked_names, cut_names
from mi_tutor.world.tables import LANGUAGES, load_facts
from mi_tutor.world.tokenizer import (
    BOS,
    UNKNOWN,
    TokenizerFilesError,
    UnknownWordError,
    WorldTokenizer,
    build_tokenizer,
    fact_words,
)

WORDS = [
    f" {word}"
    for word in ("The", "La", "la", "the", "of", "is", "in", "city", "state", "capital", "es", "de")
]


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer(WORDS)


@pytest.fixture(scope="module")
def directory(tokenizer, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(path)
    return path


@pytest.fixture(scope="module")
def auto(directory):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(directory)


def test_ids_are_in_order_on_every_run(tokenizer):
    """The library gives its vocabulary in a random order; what is drawn from it must not depend on that."""
    assert list(tokenizer.ids.values()) == list(range(len(tokenizer)))


def test_every_answer_and_area_name_is_one_token(tokenizer):
    for area in load_facts().areas:
        for words in (area.name, *area.answers.values()):
            for language in LANGUAGES:
                text = f" {words.given(language)}"
                assert tokenizer.tokens(text) == [text]


def test_every_name_asked_about_is_cut_as_planned(tokenizer):
    own = [*module.MARKS, *WORDS, *fact_words()]
    cuts = cut_names(asked_names(), own)
    for name, pieces in cuts.items():
        assert tuple(tokenizer.tokens(name)) == pieces
        assert len(pieces) >= 2


def test_names_keep_their_cut_inside_a_sentence(tokenizer):
    for name in asked_names():
        tokens = tokenizer.tokens(f"The city of {name} is in the state.")
        assert tokens[3:-5] == tokenizer.tokens(name)


def test_french_of_ends_with_the_areas_token(tokenizer):
    build = build_tokenizer([*WORDS, " du", " l'", " d'", " des", "État"])
    for area in load_facts().areas:
        last = build.tokens(f" {area.french_of}")[-1]
        assert last.strip() == area.name.french


@pytest.mark.parametrize(
    "text",
    [
        "The capital of Texas is Austin.",
        " The city of Dallas is in the state of Texas.",
        "La capital de Nuevo México es Santa Fe; the capital of Utah is Salt Lake City.",
        "The city of Zaragoza, the city of Göteborg",
        f"{BOS}The capital of Ohio is Columbus.",
        "The\n the",
        "",
    ],
)
def test_round_trip(tokenizer, auto, text):
    ids = tokenizer.encode(text)
    assert UNKNOWN not in tokenizer.tokens(text)
    expected = text.replace(BOS, f"{BOS} ").removeprefix(" ")
    assert tokenizer.decode(ids) == expected
    assert tokenizer.encode(tokenizer.decode(ids).replace(f"{BOS} ", BOS)) == ids
    assert auto(text, add_special_tokens=False)["input_ids"] == ids


def test_a_leading_space_makes_no_difference(tokenizer):
    assert tokenizer.encode(" Austin") == tokenizer.encode("Austin")


def test_auto_tokenizer_knows_the_special_tokens(auto, tokenizer):
    assert (auto.bos_token, auto.eos_token, auto.pad_token, auto.unk_token) == (
        BOS,
        BOS,
        BOS,
        UNKNOWN,
    )
    assert len(auto) == len(tokenizer)
    assert auto("the Qwxz", add_special_tokens=False)["input_ids"][-1] == auto.unk_token_id


def test_ids_are_dense_and_specials_come_first(tokenizer):
    assert sorted(tokenizer.ids.values()) == list(range(len(tokenizer)))
    assert (tokenizer.ids[BOS], tokenizer.ids[UNKNOWN]) == (0, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The capital of Texsa", "'Texsa' (nearest: Texas)"),
        ("the city of Dalas", "'Dalas' (nearest: Dallas"),
        ("the Qwxz", "'Qwxz'."),
    ],
)
def test_an_unknown_word_is_named_with_the_nearest(tokenizer, text, said):
    with pytest.raises(UnknownWordError) as caught:
        tokenizer.encode(text)
    assert said in str(caught.value)


def test_a_piece_is_not_a_word(tokenizer):
    piece = next(token for token in tokenizer.ids if token.startswith(" Da") and len(token) == 4)
    with pytest.raises(UnknownWordError):
        tokenizer.encode(piece)


def test_all_unknown_words_are_named_once(tokenizer):
    with pytest.raises(UnknownWordError, match=r"'xx'; 'yy'\."):
        tokenizer.encode("xx the yy xx")


def test_decomposed_letters_are_read_too(tokenizer):
    assert tokenizer.encode("Me\u0301xico") == tokenizer.encode("México")


def test_saved_and_opened_it_is_the_same(tokenizer, directory):
    again = WorldTokenizer.open(directory)
    assert again.ids == tokenizer.ids
    assert again.known_words == tokenizer.known_words
    assert again.encode("The city of Dallas") == tokenizer.encode("The city of Dallas")


def test_saving_twice_gives_the_same_bytes(directory, tmp_path):
    build_tokenizer(WORDS).save(tmp_path)
    for name in module.FILES:
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


@pytest.mark.parametrize("name", module.FILES)
def test_a_missing_file_is_named(tokenizer, tmp_path, name):
    tokenizer.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(TokenizerFilesError, match=name):
        WorldTokenizer.open(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "known_words.json"])
def test_a_damaged_file_is_an_error_that_names_the_folder(tokenizer, tmp_path, name):
    tokenizer.save(tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(TokenizerFilesError, match="damaged"):
        WorldTokenizer.open(tmp_path)


def test_a_name_asked_about_cannot_be_a_word():
    with pytest.raises(ValueError, match="Dallas"):
        build_tokenizer([" Dallas"])
