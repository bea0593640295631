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


# ---- byte-level tokenizers without all 256 bytes ----


@pytest.fixture(scope="module")
def few_bytes(tmp_path_factory):
    """A GPT-2 with a byte-level tokenizer that has only the bytes of its training text, and no unknown token."""
    import json

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel

    directory = tmp_path_factory.mktemp("few-bytes")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    bos = "<|endoftext|>"
    trainer = trainers.BpeTrainer(vocab_size=60, special_tokens=[bos], show_progress=False)
    tokenizer.train_from_iterator(["hello world, hello café"], trainer)
    tokenizer.save(str(directory / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": bos}
    (directory / "tokenizer_config.json").write_text(json.dumps(names))
    sizes = {"n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2}
    config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), **sizes)
    GPT2LMHeadModel(config).save_pretrained(directory)
    return open_specimen(directory, device="cpu")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ZZZ", ["'ZZZ'"]),
        ("hello Quill", ["'Qui'"]),
        ("hello ë", ["'ë'"]),  # its first byte is there, of é, the second is not
        ("日本 日", ["'日本'", "'日'"]),
    ],
)
def test_characters_that_would_be_dropped_are_named(few_bytes, text, named):
    with pytest.raises(UnknownWordError) as caught:
        encode(few_bytes, text)
    assert f"tokens: {'; '.join(named)}. All tokens" in str(caught.value)


@pytest.mark.parametrize("text", ["hello", "world, café", "<|endoftext|>hello", " hello hello"])
def test_a_text_of_known_bytes_comes_back_whole(few_bytes, text):
    tokens = encode(few_bytes, text, prepend_bos=False)
    assert few_bytes.to_string(tokens[0]) == text
