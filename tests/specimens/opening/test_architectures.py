"""The table of `benchmarks/architectures.py`. Its dearest column is in `tests/lab/ground/test_edits.py`."""

import pytest

OPENED = (
    "gpt2 gpt_neo gptj gpt_neox opt bloom falcon xglm llama mistral mixtral qwen2 qwen3 gemma gemma2 gemma3_text "
    "phi phi3 granite olmo olmo2"
)
HEADS_REFUSED = {"gemma2", "gemma3_text", "olmo2"}  # a norm follows W_O


def test_the_table_has_24_architectures(architectures):
    assert len(architectures.ARCHITECTURES) == 24
    assert set(architectures.ARCHITECTURES) - set(OPENED.split()) == {"persimmon", "bert", "t5"}


@pytest.mark.parametrize("name", OPENED.split())
def test_opened_exactly_and_read_out(architectures, tiny, tiny_path, name):
    model = tiny(name)
    assert architectures.exact(model, tiny_path(name)) == []
    assert architectures.lens(model) == (["heads"] if name in HEADS_REFUSED else [])


@pytest.mark.parametrize("name", ["persimmon", "bert", "t5"])
def test_others_are_refused(architectures, tiny_path, name):
    assert architectures.row(tiny_path(name)).startswith("refused: ")


def test_a_cell_says_what_is_refused_and_what_is_wrong(architectures):
    def wrong():
        raise AssertionError("off by 1")

    assert architectures.cell(list) == "yes"
    assert architectures.cell(lambda: ["pattern"]) == "yes (refused: pattern)"
    assert architectures.cell(wrong) == "WRONG: AssertionError: off by 1"
