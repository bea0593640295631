# %% id="superposition"
from mi_tutor.show.superposition import superposition_explorer

two = [[[1.0, 0.0], [0.0, 1.0]], [[1.0, -1.0], [0.0, 0.0]]]
three = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[1.0, -0.5, -0.5], [0.0, 0.87, -0.87]]]
superposition_explorer({2: (two, [1.0, 0.1]), 3: (three, [1.0, 0.1])})

# %% id="swaps"
import torch

from mi_tutor import show
from mi_tutor.lab import swaps
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.specimens import dictionary_hook, open_dictionary, open_specimen
from mi_tutor.specimens.atlas import Geography, labelled_texts, swap_questions, tokenizer

torch.set_grad_enabled(False)
model = open_specimen("atlas", device="cpu")
plain, geography = plain_transformer(model), Geography()
taught = [
    question
    for question in geography.questions()
    if question.language == "english"
    and not question.held_out_by
    and geography.area_of(question.city).kind == "state"
]
means = swaps.means_at(plain, swap_questions(taught[::4], geography))
show.swap_explorer(plain, tokenizer(), means)

# %% id="dictionary"
texts = labelled_texts(seed=2, n_rows=20)
show.latent_dashboard(
    open_dictionary("atlas-attn2"), model, dictionary_hook("atlas-attn2"), texts.tokens,
    concepts=texts.concepts, labels=texts.labels,
)  # fmt: skip

# %% id="graph"
from mi_tutor.lab import tracing
from mi_tutor.specimens import encode, open_transcoders

tokens = encode(model, "In the state where Dallas lies, the capital is")[0]
local = tracing.local_replacement(plain, open_transcoders("atlas-clt"), tokens)
show.graph_viewer(tracing.attribution_graph(local, tokens), model.to_str_tokens(tokens))

# %% id="steering"
from mi_tutor.lab import steering
from mi_tutor.specimens.atlas import mark_texts

attention_2 = open_dictionary("atlas-attn2")
show.steering_desk(
    plain, tokenizer(),
    {f"latent {i}": (3, 3.0 * attention_2.W_dec[i]) for i in (5, 80, 200)},
    [" User: how do I", " The capital of Texas is"],
    texts.tokens[:6, :48],
    lambda row: steering.written_shares(mark_texts(torch.tensor([row]), "english"))[1],
)  # fmt: skip

# %% id="plans"
from mi_tutor.specimens import biology as couplets

planner = open_specimen("planner", device="cpu")
told, new = (couplets.plan_lines(couplets.couplet_lines(held_out=each)) for each in (False, True))
vocabulary = [planner.to_single_str_token(token) for token in range(planner.cfg.d_vocab)]
words = [plan.word for plan in couplets.PLANS]
before = swaps.streams(plain_transformer(planner), told.tokens)[:-1]
show.plan_desk(
    {"planner": plain_transformer(planner)},
    {
        "planner": torch.stack(
            [
                torch.stack(
                    [swaps.class_means(at, told.plans, len(words)) for at in layer.unbind(1)]
                )
                for layer in before
            ]
        )
    },
    (*new, couplets.line_template(), couplets.goes_with_plan(), vocabulary, words),
)

# %% id="quick-check"
from mi_tutor import quiz

quiz("read-a-shape", "?")
