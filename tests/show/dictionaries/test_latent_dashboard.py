"""The dashboard on a model with random weights: what it shows is what the dictionary says."""

import re
import time
import xml.etree.ElementTree as ET

import pytest
import torch
from untrained import untrained

from mi_tutor.lab.dictionaries import (
    ConceptMatches,
    Sae,
    TopK,
    encode_texts,
    logit_effects,
    score_a_label,
)
from mi_tutor.show.dictionaries import latent_dashboard
from mi_tutor.show.dictionaries.firings import firings
from mi_tutor.show.dictionaries.reading import find_concept
from mi_tutor.specimens.atlas.prompts import tokenizer

HOOK = "blocks.1.hook_resid_pre"
CONCEPTS = ("state=Texas", "state=Ohio", "language=french")
N_LATENTS, DEAD = 48, 47
G = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained model that speaks the world's language."""
    return untrained(tmp_path_factory.mktemp("untrained"), d_model=16, n_layers=2)


@pytest.fixture(scope="module")
def sae():
    g = torch.Generator().manual_seed(1)
    bias = torch.zeros(N_LATENTS)
    bias[DEAD] = -1e6
    return Sae(
        W_enc=torch.randn(16, N_LATENTS, generator=g), b_enc=bias,
        W_dec=torch.randn(N_LATENTS, 16, generator=g), b_dec=torch.zeros(16), kind=TopK(k=4),
    )  # fmt: skip


@pytest.fixture(scope="module")
def tokens():
    found = torch.randint(2, len(tokenizer()), (40, 24), generator=torch.Generator().manual_seed(2))
    found[:, 0] = 0
    return found


@pytest.fixture(scope="module")
def latents(model, sae, tokens):
    """All latents, the long way: hooks, and everything kept."""
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens, names_filter=HOOK)
    return encode_texts(sae, cache[HOOK])


@pytest.fixture(scope="module")
def labels(latents, tokens):
    """Ohio is exactly where latent 5 is on, French where the first half of the texts is; Texas is elsewhere."""
    found = torch.zeros(*tokens.shape, 3, dtype=torch.bool)
    found[..., 1] = latents[..., 5] > 0
    found[:20, 1:, 2] = True
    found[3, 4, 0] = True
    return found


@pytest.fixture
def matches():
    unit, f1 = torch.tensor([9, 5, 5]), torch.tensor([0.25, 0.95, 0.5])
    other = torch.tensor([0.5, 0.75, 0.125])
    return ConceptMatches(unit, other, other, f1 / 2, f1, f1, torch.tensor([3, 9, 7]))


@pytest.fixture
def dashboard(model, sae, tokens, labels, matches):
    return latent_dashboard(
        sae, model, HOOK, tokens, concepts=CONCEPTS, labels=labels, matches=matches
    )


def test_firings_are_all_latents_without_bos(model, sae, tokens, latents):
    found = firings(sae, model, HOOK, tokens)
    for latent in range(N_LATENTS):
        assert torch.allclose(found.of(latent), latents[:, 1:, latent], atol=1e-4)
    expected = (latents[:, 1:] > 0).float().mean(dim=(0, 1))
    assert torch.allclose(found.density, expected)
    assert found.density[DEAD] == 0


def test_firings_of_a_transcoder_count_its_input(model, sae, tokens):
    found = firings(sae, model, "blocks.1.mlp", tokens)
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens)
    expected = sae.encode(cache["blocks.1.ln2.hook_normalized"])[:, 1:, 3]
    assert torch.allclose(found.of(3), expected, atol=1e-3)


def test_it_starts_at_the_best_match(dashboard):
    assert dashboard.latent.value == 5
    assert "it fits state=Ohio best: F1 0.95, precision 0.75, recall 0.47" in dashboard.words
    assert "Also chosen for language=french." in dashboard.words


def test_contexts_and_effects_are_those_of_the_latent(dashboard, latents, sae, model, tokens):
    for latent in (5, 17):
        dashboard.latent.value = latent
        card = dashboard._shown.card
        highest = latents[..., latent].flatten().sort(descending=True).values
        shown = [context.activation for context in card.contexts]
        assert shown == pytest.approx(highest[: len(shown)].tolist(), abs=1e-4)
        for context in card.contexts:
            row = tokens[context.row, 1:].tolist()
            assert context.tokens[context.here] == row[context.position]
        raised, lowered = logit_effects(sae.W_dec[latent], model.W_U.detach(), 8)
        assert [token for token, _ in card.raised] == [token for token, _ in raised]
        assert [token for token, _ in card.lowered] == [token for token, _ in lowered]


def test_usual_contexts_are_at_the_median(dashboard, latents):
    on = latents[..., 5][latents[..., 5] > 0]
    shown = dashboard._shown.usual
    assert shown[0].activation == pytest.approx(on.median().item(), abs=1e-4)
    for context in shown:  # the surroundings keep their true values
        assert context.activations[context.here] == pytest.approx(context.activation)
        start = context.position - context.here + 1  # BOS was left out
        true = latents[context.row, start : start + len(context.tokens), 5]
        assert context.activations == pytest.approx(true.tolist(), abs=1e-4)


def test_a_latent_that_no_concept_chose_names_the_nearest(dashboard, latents, labels):
    dashboard.latent.value = 20
    on = latents[:, 1:, 20].flatten() > 0
    f1 = [score_a_label(on, labels[:, 1:, i].flatten()).f1 for i in range(3)]
    best = max(range(3), key=lambda i: f1[i])
    assert "No concept has it as its best latent." in dashboard.words
    assert f"{CONCEPTS[best]} is the nearest" in dashboard.words
    assert f"(F1 {float(f'{f1[best]:.2g}'):g})" in dashboard.words


def test_tokens_of_the_concept_are_underlined(dashboard, labels):
    carried = [there for line in dashboard._shown.carried for there in line]
    values = [
        value > 0
        for context in [*dashboard._shown.card.contexts, *dashboard._shown.usual]
        for value in context.activations
    ]
    assert carried == values  # Ohio is exactly where latent 5 is on
    assert "underlined: state=Ohio" in dashboard._picture.value


def test_search_by_concept(dashboard):
    dashboard.search.value = "texas"
    assert dashboard.latent.value == 9
    assert "Found state=Texas." in dashboard._sentence.value
    dashboard.search.value = "French"
    assert (
        dashboard.latent.value == 5 and "it fits language=french best" in dashboard._sentence.value
    )
    dashboard.search.value = "state"  # two: the better one
    assert dashboard.latent.value == 5 and "also found: state=Texas" in dashboard._sentence.value
    dashboard.search.value = "Peru"
    assert dashboard.latent.value == 5 and "No concept has “Peru”" in dashboard._sentence.value


def test_a_whole_name_goes_before_a_part_of_one():
    names = ["state=Washington DC", "state=Washington", "washington"]
    f1 = torch.tensor([0.9, 0.1, 0.2])
    assert find_concept("washington", names, f1) == [2]
    assert find_concept("Washing", names, f1) == [0, 2, 1]
    assert find_concept("", names, f1) == []


def test_buttons_go_by_how_often_latents_are_on(dashboard):
    density = dashboard._density
    dashboard.latent.value = int(density.argmax())
    dashboard.more_frequent.click()
    assert dashboard.latent.value == int(density.argmax())  # there is none before it
    seen = []
    for _ in range(N_LATENTS - 1):
        seen.append(float(density[dashboard.latent.value]))
        dashboard.less_frequent.click()
    assert seen == sorted(seen, reverse=True) and dashboard.latent.value == DEAD
    assert "is never on in these 920 tokens" in dashboard.words
    dashboard.more_frequent.click()
    assert dashboard.latent.value != DEAD


def test_the_picture_is_described_and_stays_on_its_card(dashboard):
    for latent in (5, 20, DEAD):
        dashboard.latent.value = latent
        picture = ET.fromstring(dashboard._picture.value)
        assert picture.get("aria-label") == dashboard.alt
        assert picture.get("role") == "img"
        width, height = float(picture.get("width")), float(picture.get("height"))
        for node in picture.iter():
            assert -0.1 <= float(node.get("x", 0)) <= width
            assert -0.1 <= float(node.get("y", 0)) <= height
            if node.get("textLength"):
                assert float(node.get("x")) + float(node.get("textLength")) <= width
        sizes = [float(node.get("font-size")) for node in picture.iter(f"{G}text")]
        assert min(sizes) >= 11
    dashboard.latent.value = 5
    assert "Highest in: " in dashboard.alt and 'aria-live="polite"' in dashboard._sentence.value


def test_every_shade_has_its_number_on_the_token_that_a_line_is_about(dashboard):
    words = [node.text for node in ET.fromstring(dashboard._picture.value).iter(f"{G}text")]
    for context in dashboard._shown.card.contexts:
        assert float(f"{context.activation:.2g}") in {
            float(word) for word in words if word and re.fullmatch(r"\d+(\.\d+)?", word)
        }


def test_controls_have_names(dashboard):
    assert dashboard.latent.description and dashboard.search.description
    assert dashboard.more_frequent.tooltip and dashboard.less_frequent.tooltip


def test_a_change_is_drawn_at_once(dashboard):
    """The quickest of several counts: other work on the machine only ever slows one down."""
    took = []
    for latent in range(8, 16):
        start = time.process_time()
        dashboard.latent.value = latent
        took.append(time.process_time() - start)
    assert min(took) < 0.15


def test_without_labels_and_matches(model, sae, tokens):
    bare = latent_dashboard(sae, model, HOOK, tokens.numpy(), latent=5)
    assert "concept" not in bare.words.lower() and "underlined" not in bare._picture.value
    assert bare.search not in bare.children[0].children
    start = latent_dashboard(sae, model, HOOK, tokens)
    assert start.latent.value == int(start._density.argmax())


def test_where_widgets_cannot_run_there_is_a_picture_and_a_description(dashboard):
    bundle = dashboard._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].endswith(dashboard.alt)
    ET.fromstring(bundle["image/svg+xml"])


def test_what_does_not_fit_together_is_refused(model, sae, tokens, labels, matches):
    with pytest.raises(ValueError, match="concepts needs one entry for each of the 3"):
        latent_dashboard(sae, model, HOOK, tokens, concepts=["city"], matches=matches)
    with pytest.raises(ValueError, match="labels should have a row"):
        latent_dashboard(sae, model, HOOK, tokens, concepts=CONCEPTS, labels=labels[:, 1:])
    with pytest.raises(ValueError, match="0 to 47"):
        latent_dashboard(sae, model, HOOK, tokens, latent=48)
