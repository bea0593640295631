"""Prompts to steer from, and the marks of what is written."""

import pytest
import torch

from mi_tutor.specimens.atlas import full_stops, mark_texts, prompts_of, tokenizer


@pytest.mark.parametrize(("kind", "n_sentences", "n_pos"), [("english", 1, 12), ("law", 2, 31)])
def test_prompts_are_whole_sentences_of_one_kind(kind, n_sentences, n_pos):
    prompts = prompts_of(kind, 6, n_sentences, n_pos)
    assert prompts.shape == (6, n_pos)
    marks = mark_texts(prompts[:, 1:], kind)
    assert all(each.all() for each in marks)
    assert torch.isin(prompts[:, 1:], torch.tensor(full_stops())).sum(dim=1).eq(n_sentences).all()
    assert torch.equal(prompts, prompts_of(kind, 6, n_sentences, n_pos))
    assert not torch.equal(prompts, prompts_of(kind, 6, n_sentences, n_pos, seed=1))


def test_prompts_that_there_are_not():
    with pytest.raises(ValueError, match="have 3 tokens"):
        prompts_of("law", 1, 1, 3)


def test_marks_token_by_token():
    text = "7 + 5 = 12 . shall shall shall def 7 + 5"
    ids = torch.tensor([tokenizer().encode(text)])
    marks = mark_texts(ids, "sum")
    assert marks.about[0].tolist() == [True] * 6 + [False] * 4 + [True] * 3
    assert marks.valid[0].tolist() == [True] * 6 + [False] * 7
    assert marks.finished[0].tolist() == [True] * 10 + [False] * 3
    with pytest.raises(ValueError, match="kind should be one of"):
        mark_texts(ids, "german")
