"""The small specimens on the shelf: goals met, recipes found, and their numbers without our own tools."""

from itertools import pairwise

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from mi_tutor.specimens import card, specimen_names, specimen_path
from mi_tutor.specimens.biology import couplets, echoes, lexicon, opinion_talks
from mi_tutor.specimens.biology.recipes import SMALL
from mi_tutor.specimens.recipes import recipe_of

ON_THE_SHELF = [name for name in SMALL if name in specimen_names()]


@pytest.fixture(scope="module", params=ON_THE_SHELF)
def name(request):
    return request.param


def opened(name: str):
    """Model and tokenizer as any other tool opens them."""
    model = AutoModelForCausalLM.from_pretrained(specimen_path(name)).float().eval()
    return model, AutoTokenizer.from_pretrained(specimen_path(name))


def guesses(name: str, texts: list[str]) -> list[str]:
    """The most likely next token of each text, one by one, with nothing but transformers."""
    model, tokenizer = opened(name)
    found = []
    for text in texts:
        ids = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            found.append(tokenizer.decode([int(model(torch.tensor([ids])).logits[0, -1].argmax())]))
    return found


def test_every_goal_of_the_card_is_met(name):
    assert not [measure.name for measure in card(name).measures if not measure.meets_goal()]


def test_the_card_says_what_made_it(name):
    assert recipe_of(name) is SMALL[name]
    assert card(name).command == f"mi-tutor specimens train {name}"
    _, tokenizer = opened(name)
    assert len(tokenizer) == len(SMALL[name].words)


@pytest.mark.parametrize("each", [n for n in ("planner-twin", "planner") if n in ON_THE_SHELF])
def test_couplets_end_in_their_plan_without_our_tools(each):
    some = couplets.lines(held_out=True)[::6]
    texts = [
        f"{line.first_line} and Tom {couplets.ANY_VERB[0]} the {couplets.ANY_ADJECTIVE[0]}"
        for line in some
    ]
    ends = [f" {line.plan.word}" for line in some]
    right = sum(a == b for a, b in zip(guesses(each, texts), ends, strict=True))
    assert right >= 0.9 * len(some)


@pytest.mark.parametrize("each", [n for n in ("polyglot-twin", "polyglot") if n in ON_THE_SHELF])
def test_glossary_entries_without_our_tools(each):
    some = [entry for entry in lexicon.entries() if not entry.two_hops][::9]
    right = zip(guesses(each, [e.prompt for e in some]), some, strict=True)
    assert sum(guess == entry.answer for guess, entry in right) >= 0.9 * len(some)


def test_what_is_heard_is_the_askers_own_opinion_without_our_tools():
    if "echoes" not in ON_THE_SHELF:
        pytest.skip("echoes is not on the shelf")
    topic = "jazz"
    asker, other = [n for n in echoes.NAMES if not echoes.is_never_told(n, topic)][:2]
    opinions = [each for each in echoes.OPINIONS if each != echoes.own_opinion(topic)]
    texts, right = [], []
    for mine, theirs in pairwise(opinions):
        told = [(asker, mine), (other, theirs)]
        for some in (told, told[::-1]):
            said = "".join(
                echoes.Remark(topic, who, echoes.SAYS, opinion).text for who, opinion in some
            )
            texts.append(f"{said}{echoes.Remark(topic, asker, echoes.HEARS, '').opening}")
            right.append(f" {mine}")
    assert sum(a == b for a, b in zip(guesses("echoes", texts), right, strict=True)) >= 7


def test_the_training_of_echoes_begins_with_heads_that_look_back_and_a_weak_look_up():
    from mi_tutor.specimens.biology.echoes_recipe import LOOK_BACK
    from mi_tutor.specimens.training.forward import early_patterns

    some = opinion_talks("the asker hears, and has said", n=60)
    with torch.no_grad():
        first, second = early_patterns(SMALL["echoes"].untrained(), some.tokens, 2)
    for head, back in enumerate(LOOK_BACK):
        assert first[:, head].diagonal(-back, 1, 2).mean() > 0.8
    found = second[torch.arange(60), :, -1, some.place].mean(dim=0)
    assert found.min() > 0.05  # beside 1/35 if it looked anywhere
    assert found.max() < 0.25
