"""Text to tokens: unknown words are named with what was probably meant, never replaced."""

import pytest
import torch

from mi_tutor.specimens import SpecimenError, UnknownWordError, encode, open_specimen
from mi_tutor.specimens.opening.words import nearest_words


@pytest.fixture(scope="module")
def primer():
    return open_specimen("primer", device="cpu")


def test_encode_is_the_tokenizer_with_bos_in_front(primer):
    tokens = encode(primer, "The capital of France is")
    ids = primer.tokenizer.get_vocab()
    words = ["<|endoftext|>", "The", " capital", " of", " France", " is"]
    assert tokens.tolist() == [[ids[word] for word in words]]
    assert tokens.dtype == torch.int64
    assert encode(primer, "The capital", prepend_bos=False).tolist() == [
        [ids["The"], ids[" capital"]]
    ]


def test_several_texts_make_one_batch(primer):
    texts = ["The capital of France is", "The capital of Italy is"]
    batch = encode(primer, texts)
    assert batch.shape == (2, 6)
    assert torch.equal(batch[1:], encode(primer, texts[1]))


def test_texts_of_different_lengths_are_not_padded(primer):
    with pytest.raises(SpecimenError, match="have 3, 4 tokens"):
        encode(primer, ["The capital", "The capital of"])


def test_a_text_longer_than_the_context(primer):
    with pytest.raises(SpecimenError, match="has 71 tokens, but primer reads at most 64"):
        encode(primer, "The" + " the" * 69)
    assert encode(primer, "The" + " the" * 62).shape == (1, 64)


@pytest.mark.parametrize("text", [None, 3, [], [1], b"The"])
def test_a_text_that_is_none(primer, text):
    with pytest.raises(TypeError, match="text should be a string"):
        encode(primer, text)


def test_an_empty_text_is_bos_alone(primer):
    assert encode(primer, "").tolist() == [[primer.tokenizer.bos_token_id]]


def test_unknown_words_are_named_with_the_nearest(primer):
    with pytest.raises(UnknownWordError) as caught:
        encode(primer, "The capital of Frannce is zyx")
    message = str(caught.value)
    assert "' Frannce' (nearest: ' France'" in message
    assert "' zyx'" in message
    assert f"{len(primer.tokenizer)} tokens" in message


@pytest.mark.parametrize(
    ("text", "piece", "meant"),
    [("mary", "'mary'", "' Mary'"), ("Mary", "'Mary'", "' Mary'"), ("when", "'when'", "'When'")],
)
def test_spaces_and_capitals_are_the_first_suspects(primer, text, piece, meant):
    with pytest.raises(UnknownWordError, match=rf"{piece} \(nearest: {meant}"):
        encode(primer, text)


@pytest.mark.parametrize("text", ["The capital of France is ", "The  capital"])
def test_a_space_too_many(primer, text):
    with pytest.raises(UnknownWordError, match="a space too many"):
        encode(primer, text)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model("Hello"),
        lambda model: model.run_with_cache("Hello"),
        lambda model: model.to_tokens(["The capital", "Hello"]),
        lambda model: model.to_single_token("Mary"),
        lambda model: model.generate("Hello", max_new_tokens=1, verbose=False),
    ],
)
def test_the_model_itself_refuses_unknown_words(primer, use):
    with pytest.raises(UnknownWordError):
        use(primer)


def test_an_ordinary_gpt2_takes_any_text(tiny_gpt2):
    model = open_specimen(tiny_gpt2, device="cpu")
    for text in ["Zürich, 東京 ...  ", "<|endoftext|>When"]:
        assert model.to_string(encode(model, text)[0, 1:]) == text


def test_the_marks_of_the_tokenizer_itself_are_not_unknown(primer):
    assert encode(primer, "<|unknown|>", prepend_bos=False).tolist() == [[1]]


def test_nothing_near():
    assert nearest_words("zyx", ["When", " the"]) == []
