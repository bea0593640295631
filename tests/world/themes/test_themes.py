"""What all themes promise: held-out text stays out, prompts wait for the token that is tested, words are known."""

import random
from itertools import islice

import pytest

from mi_tutor.world.corpus import THEMES, Corpus
from mi_tutor.world.text import label


@pytest.fixture(scope="module")
def tokenizer():
    return Corpus().tokenizer


@pytest.fixture(scope="module")
def texts():
    """Training text by theme: long enough that all that may occur is likely to."""
    return {
        name: [s.text for s in islice(theme.sentences(random.Random(0)), 3000)]
        for name, theme in THEMES.items()
    }


THEME = pytest.mark.parametrize("name", THEMES)


VARY_AT_RANDOM = ("couplets", "indirect_objects")  # in wording: tested below by what is held out


@pytest.mark.parametrize("name", [name for name in THEMES if name not in VARY_AT_RANDOM])
def test_held_out_cues_do_not_occur_in_training(name, texts):
    prompts = [cue.prompt.text for cue in THEMES[name].cues() if cue.held_out]
    assert prompts
    assert not [p for p in prompts if any(text.startswith(p) for text in texts[name])]


@THEME
def test_a_part_of_the_cues_is_held_out(name):
    held_out = [cue.held_out for cue in THEMES[name].cues()]
    assert 0.1 < sum(held_out) / len(held_out) < 0.9


@THEME
def test_all_words_are_known(name, texts, tokenizer):
    for text in texts[name][:500]:
        assert f" {tokenizer.decode(tokenizer.encode(text))}" == text


@THEME
def test_right_and_wrong_answers_are_one_token_and_differ(name, tokenizer):
    for cue in THEMES[name].cues():
        assert cue.right and cue.wrong
        assert not set(cue.right) & set(cue.wrong)
        assert all(tokenizer.tokens(word) == [word] for word in (*cue.right, *cue.wrong))
        assert tokenizer.encode(cue.prompt.text)


@THEME
def test_the_answer_follows_its_prompt_in_training_text(name):
    """What is marked as the answer in a sentence is what the cue for it calls right."""
    right = {cue.prompt.text: cue.right for cue in THEMES[name].cues()}
    seen = 0
    for sentence in islice(THEMES[name].sentences(random.Random(1)), 2000):
        if any("answer" in segment.concepts for segment in sentence.segments):
            prompt = sentence.before("answer")
            answer = sentence.segments[len(prompt.segments)].text
            if prompt.text in right:
                seen += 1
                assert answer in right[prompt.text]
    assert seen or name in VARY_AT_RANDOM


@THEME
def test_sentences_carry_their_theme_and_follow_the_seed(name, tokenizer):
    first, again = (list(islice(THEMES[name].sentences(random.Random(5)), 20)) for _ in range(2))
    assert first == again
    assert all(any(c.startswith("theme=") for c in sentence.concepts) for sentence in first)
    labelled = label(first, tokenizer)
    assert labelled.labels.shape == (len(labelled.ids), len(labelled.concepts))


@THEME
def test_vocabulary_is_free_of_doubles(name):
    words = THEMES[name].vocabulary()
    assert len(words) == len(set(words))
