# %% [markdown] minutes=230
r"""
# 06 · Circuit tracing

Read a graph of a prompt, break it on purpose, and know what the picture hides.

## What you will be able to do

- put latents together that mean the same, and read the graph of the groups
- exchange one group for another in the model itself, and tell what it carries from what it only holds
- tell a latent that stands for one thing from one that is merely strong
- hold a graph against ablations, and say of which latents a correlation speaks
- find out which of several graphs is wrong, and by which measurement
"""

# %% tags=["setup"]
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import tracing
from mi_tutor.lab.ground import plain_transformer, seeded
from mi_tutor.specimens import open_dictionary, open_specimen, open_transcoders
from mi_tutor.specimens.atlas import (
    Geography,
    by_length,
    labelled_texts,
    suspect_graphs,
    tokenizer,
)

# %% id="second-half"
torch.set_grad_enabled(False)  # nothing is trained here
model = open_specimen("atlas", device="cpu")
plain = plain_transformer(model)
clt = open_transcoders("atlas-clt")
per_layer = open_transcoders("atlas-mlp")
attn2 = open_dictionary("atlas-attn2")
geography = Geography()

# %% [markdown]
r"""
## From nodes to supernodes

The graph of one prompt, pruned, still has dozens of nodes. People read it by putting nodes together that seem to mean
the same. Two things can go wrong: the names that we give, and the groups that we make. Names come from data here, not
from a look at five contexts: for each latent we ask, on labelled text, which concept it marks best, and how well (F1,
chapter 02). Attention 2 gets a dictionary as well, so what its heads bring is said in latents too.
"""


# %% id="trace-a-prompt"
def trace(text, attention=True, transcoders=clt):
    """The local replacement model of a text, its graph, and what pruning leaves of that."""
    tokens = model.to_tokens(text)[0]
    local = tracing.local_replacement(
        plain, transcoders, tokens, {2: attn2} if attention else None
    )
    graph = tracing.attribution_graph(local, tokens)
    return local, graph, tracing.prune(graph)


# What each latent marks best, where names end and where answers are due.
label_of = {}
for place in ("names", "slots"):
    texts = labelled_texts(seed=5, n_rows=60, place=place)
    seen = tracing.record(plain, texts.tokens)
    marked = texts.asked("state")
    there = texts.labels[marked]
    there = there[:, : next(i for i, c in enumerate(texts.concepts) if "=" not in c)]
    sites = {
        (tracing.MLP, layer): clt.encode_layer(layer, seen.mlp_in[layer][marked])
        for layer in range(clt.n_layers)
    }
    sites[tracing.ATTENTION, 2] = attn2.encode(seen.attn_out[2][marked])
    for (component, layer), values in sites.items():
        said = values > 0.3
        both = said.float().mT @ there.float()
        f1 = 2 * both / (said.sum(dim=0)[:, None] + there.sum(dim=0)).clamp(min=1)
        for latent, (score, concept) in enumerate(zip(*f1.max(dim=1), strict=True)):
            found = score.item(), texts.concepts[concept]
            old = label_of.get((component, layer, latent), (0.0, ""))
            label_of[component, layer, latent] = max(old, found)

dallas = " The capital of the state of Dallas is"
words = model.to_str_tokens(dallas)
local, graph, pruned = trace(dallas)
print(
    f"{len(pruned.kept)} of {len(graph.constant)} nodes are left; latents with most influence:"
)
shown = [i for i in pruned.influence.argsort(descending=True).tolist()
         if pruned.nodes.kind[i] == tracing.LATENT]  # fmt: skip
for i in shown[:14]:
    component, layer, position, latent = (int(part[i]) for part in pruned.nodes[1:5])
    score, concept = label_of[component, layer, latent]
    concept = concept if score >= 0.5 else "none"
    site = f"{('attention', 'MLP')[component]} {layer}"
    print(f"  {site:<12}{latent:>4} at {words[position]!r:<9} influence {pruned.influence[i]:.3f}   "
          f"best label {concept} (F1 {score:.2f})")  # fmt: skip

# %% [markdown]
r"""
Now the groups. A node's inputs are shares already: they add up to 1. What is a *group's* input? Each of its nodes
speaks with the weight that it has for the answer, and what nodes of one group give each other says nothing about
where the group's input comes from.

$$S_{gh} = \frac{\sum_{t \in g} \sum_{s \in h,\, s \notin g} w_t A_{ts}}{\sum_{t \in g} \sum_{s \notin g} w_t A_{ts}}$$

with $A$ the shares and $w$ how much each node counts.
"""

# %% [markdown] slug="supernodes"
r"""
Return `[group group]`: of what each group gets from *outside* of it, the share that each group gives. Rows are groups
that get, columns groups that give. `shares` is `[node node]`, each target's inputs as shares; `counts` says how much
each node counts; `member` is 1 where a node is in a group. Some nodes are in no group, and what they give is input as
well. A group without any input from outside has a row of zeros.
"""


# %% tags=["exercise"] slug="supernodes"
def group_inputs(
    shares: Float[Tensor, "node node"],
    counts: Float[Tensor, "node"],
    member: Float[Tensor, "group node"],
) -> Float[Tensor, "group group"]:
    """Where each group's input comes from."""
    # BEGIN SOLUTION
    given = (member * counts) @ shares
    outside = given * (1 - member)
    return outside @ member.mT / outside.sum(dim=1, keepdim=True).clamp_min(1e-10)
    # END SOLUTION


# %% tags=["check"]
check("supernodes", group_inputs)

# %% id="dallas-in-groups"
nodes, last, name_end = graph.nodes, len(words) - 1, words.index("las")
is_latent, is_mlp = nodes.kind == tracing.LATENT, nodes.component == tracing.MLP
at_end, at_name = nodes.position == last, nodes.position == name_end
in_name = at_name | (nodes.position == name_end - 1)
groups = {
    "the name's tokens": (nodes.kind == tracing.EMBEDDING) & in_name,
    "other tokens": (nodes.kind == tracing.EMBEDDING) & ~in_name,
    "MLP 0-1, name's end": is_latent & is_mlp & (nodes.layer < 2) & at_name,
    "MLP 0-1, elsewhere": is_latent & is_mlp & (nodes.layer < 2) & ~at_name,
    "attention 2, end": is_latent & ~is_mlp & at_end,
    "MLP 2-4, end": is_latent & is_mlp & (nodes.layer >= 2) & at_end,
    "errors": nodes.kind == tracing.ERROR,
    "the answer": nodes.kind == tracing.LOGIT,
}  # fmt: skip
member = torch.stack(list(groups.values())).float()
A = tracing.shares(graph.adjacency)
counts = tracing.influence(A, graph.logit_weights) + graph.logit_weights
inputs = group_inputs(A, counts, member)
between = {
    name: dict(zip(groups, row.tolist(), strict=True))
    for name, row in zip(groups, inputs, strict=True)
}
for name in ("MLP 0-1, name's end", "attention 2, end", "MLP 2-4, end", "the answer"):
    largest = sorted(between[name].items(), key=lambda pair: -pair[1])[:4]
    print(f"{name:<20} from  " + ",  ".join(f"{other} {x:.2f}" for other, x in largest))
numbers = {name: mask.nonzero()[:, 0].tolist() for name, mask in groups.items()}
show.supernode_figure(
    tracing.grouped(graph, numbers),
    title="Dallas in groups",
    smallest=0.1,
)

# %% tags=["claim"]
assert round(between["attention 2, end"]["MLP 0-1, name's end"], 1) == 0.7, (
    "two thirds of what attention 2's latents at the end get comes from MLPs 0 and 1 where the name ends"
)
assert between["MLP 0-1, name's end"]["the name's tokens"] > 0.8, (
    "and these get it from the name's tokens"
)
assert between["the answer"]["MLP 2-4, end"] > 0.6, (
    "The answer gets most of its input from MLPs 2 to 4 at the end"
)
assert between["MLP 2-4, end"]["MLP 0-1, elsewhere"] > 0.5, (
    "more than half of theirs comes from MLPs 0 and 1 elsewhere"
)
assert max(_row["errors"] for _row in between.values()) < 0.1, (
    "errors give less than a tenth"
)

# %% [markdown]
r"""
**What you should see.** A story in a few arrows. Two thirds of what attention 2's latents at the end get comes from
MLPs 0 and 1 where the name ends, and these get it from the name's tokens. The answer gets most of its input from MLPs 2
to 4 at the end; more than half of theirs comes from MLPs 0 and 1 elsewhere: the words that ask, and the end itself.
Errors give less than a tenth of any group's input.

It is a story about one prompt, in groups that we made. Is it true of the model?

## Exchange a supernode

A graph is a claim about the model. The strongest test is a swap (chapter 05): take the latents for Texas out, put in
those for California, read from another prompt's graph, and see whether the answer becomes Sacramento. The latents
are changed in the *model*; no replacement runs. MLPs in some layers are **held**: they write what they wrote before,
and the change; all others run as usual and answer to it.
"""

# %% [markdown] slug="swap-a-supernode"
r"""
Return what is **added** to each MLP's output, `[to d_model]`, at the edited place. `values` are one layer's latents
there, `donor` those of the other prompt at its place. Latents of `off` (numbers) go off. Latents of `on` get `factor`
times what they have in the donor, whatever they had, also if they are in `off`. All others keep their values.
`W_dec` is `[latent to d_model]`: a cross-layer transcoder's latent writes to several layers.
"""


# %% tags=["exercise"] slug="swap-a-supernode"
def swap_step(
    values: Float[Tensor, "latent"],
    donor: Float[Tensor, "latent"],
    off: Int[Tensor, "off"],
    on: Int[Tensor, "on"],
    factor: float,
    W_dec: Float[Tensor, "latent to d_model"],
) -> Float[Tensor, "to d_model"]:
    """One supernode off, another on: what each MLP writes in addition."""
    # BEGIN SOLUTION
    new = values.clone()
    new[off] = 0
    new[on] = factor * donor[on]
    return torch.einsum("l,ltd->td", new - values, W_dec)
    # END SOLUTION


# %% tags=["check"]
check("swap-a-supernode", swap_step)

# %% [markdown]
r"""
Fresh prompts: held-out questions, each with a donor that asks the same in the same words about a city of another
state. From both *whole* graphs take, at the names' ends, the latents of MLPs 0 and 1 with most influence; and, as a
control, as many latents that are on there by lot. Beside these: attention 2's latents at the end, one of each graph.
(`tracing.intervene` does what your function does, at every place.)
"""

# %% id="swap-supernodes"
every_question = list(geography.questions(["english"], ["state"]))
ids = tokenizer().ids


def place_of(question):
    """Where its name ends."""
    return len(tokenizer().encode(question.prompt.text[: question.name_end]))


def answer_of(question):
    """The right next token."""
    return ids[question.answer]


def around(question):
    """The words around the name, and how many tokens there are."""
    text = question.prompt.text
    before = text[: question.name_end - len(question.city.name.english)]
    return (
        before,
        text[question.name_end :],
        place_of(question),
        len(tokenizer().encode(text)),
    )


alike, same_city = {}, {}
for question in every_question:
    alike.setdefault(around(question), []).append(question)
    same_city.setdefault((question.city, *around(question)[2:]), []).append(question)


def pairs_by_lot(n, seed):
    """Held-out questions, each with one about another state and one that asks something else about the city."""
    lot, found = seeded(seed), []
    held_out = [q for q in every_question if q.held_out_by]
    for i in torch.randperm(len(held_out), generator=lot).tolist():
        one = held_out[i]
        others = [q for q in alike[around(one)] if q.answer != one.answer]
        asked = [
            q for q in same_city[one.city, *around(one)[2:]] if q.answer != one.answer
        ]
        if others and asked:
            a, b = torch.randint(10**6, (2,), generator=lot).tolist()
            found.append((one, others[a % len(others)], asked[b % len(asked)]))
        if len(found) == n:
            break
    return found


def strongest_at(graph, layers, position, n, component=tracing.MLP, lot=None):
    """The nodes with most influence at one position in some layers; by lot if there is a generator."""
    nodes = graph.nodes
    here = (nodes.kind == tracing.LATENT) & (nodes.component == component)
    here &= torch.isin(nodes.layer, torch.tensor(layers)) & (nodes.position == position)
    numbers = here.nonzero()[:, 0]
    if lot is not None:
        return numbers[torch.randperm(len(numbers), generator=lot)[:n]].tolist()
    order = tracing.node_influence(graph)[numbers].argsort(descending=True)
    return numbers[order[:n]].tolist()


def exchange(graph, off, donor_graph, on, factor=1.0):
    """Changes that take some nodes of a graph out and put some of another one in."""
    comes = tracing.changes_of(donor_graph.nodes, on, factor)
    places = {change[:4] for change in comes}
    goes = tracing.changes_of(graph.nodes, off)
    return [change for change in goes if change[:4] not in places] + comes


def first_by(values, numbers):
    """The node with the largest value among some."""
    return numbers[int(values[numbers].argmax())]


def swap_sets(one, other, transcoders, lot):
    """Named exchanges for one question and its donor: changes, and the layers whose MLPs are held."""
    (local_a, graph_a, _), (_, graph_b, _) = (
        trace(q.prompt.text, transcoders=transcoders) for q in (one, other)
    )
    place, end, early = place_of(one), len(graph_a.tokens) - 1, range(2)
    sets = {}
    kind = "CLT" if transcoders is clt else "MLP"
    settings = [(5, 1.5), (12, 1.0), (12, 1.5)] if kind == "MLP" else [(12, 1.5)]
    for n, factor in settings:
        own, theirs = (strongest_at(g, [0, 1], place, n) for g in (graph_a, graph_b))
        sets[f"{n} {kind} latents, {factor} times"] = (
            exchange(graph_a, own, graph_b, theirs, factor),
            early,
        )
    if kind == "CLT":
        sets["the same, MLPs held in all layers"] = (
            sets["12 CLT latents, 1.5 times"][0],
            range(5),
        )
        return local_a, sets
    own, theirs = (
        strongest_at(g, [0, 1], place, 12, lot=lot) for g in (graph_a, graph_b)
    )
    sets["12 MLP latents by lot, 1.5 times"] = (
        exchange(graph_a, own, graph_b, theirs, 1.5),
        early,
    )
    some = [strongest_at(g, [2], end, 9, tracing.ATTENTION) for g in (graph_a, graph_b)]
    for name in ("largest value", "most influence"):
        own, theirs = (
            [
                first_by(
                    g.nodes.value
                    if name == "largest value"
                    else tracing.node_influence(g),
                    numbers,
                )
            ]
            for numbers, g in zip(some, (graph_a, graph_b), strict=True)
        )
        sets[f"one attention latent, {name}"] = (
            exchange(graph_a, own, graph_b, theirs),
            range(0),
        )
    return local_a, sets


swapped, lot = {}, seeded(0)
for one, other, _ in pairs_by_lot(16, seed=0):
    for transcoders in (per_layer, clt):
        local_a, sets = swap_sets(one, other, transcoders, lot)
        for name, (changes, held) in sets.items():
            said = tracing.intervene(local_a, [changes], held).logits[0, -1].argmax()
            swapped.setdefault(name, []).append(int(said) == answer_of(other))
follows = {name: sum(hits) / len(hits) for name, hits in swapped.items()}
for name, share in follows.items():
    print(f"{name:<36}{share:>6.2f} of the answers follow")

# %% tags=["claim"]
assert follows["12 MLP latents, 1.5 times"] > 0.85, "nine in ten answers follow"
assert follows["12 MLP latents by lot, 1.5 times"] < 0.4, "a quarter for as many by lot"
assert follows["12 CLT latents, 1.5 times"] > 0.85, (
    "the cross-layer transcoder's latents do as well"
)
assert follows["the same, MLPs held in all layers"] < 0.05, "no answer follows"
assert follows["one attention latent, most influence"] > 0.9, (
    "One latent of attention 2 does it alone"
)
assert follows["one attention latent, largest value"] < 0.4, (
    "the one with the largest value hardly ever does"
)

# %% [markdown]
r"""
**What you should see.** With twelve latents of MLPs 0 and 1 at the name's end, put in at 1.5 times their values,
nine in ten answers follow, and a quarter for as many by lot (there are few to draw from, so that some of the twelve
are often among them). The cross-layer transcoder's latents do as well, with the first two layers' MLPs held. With
MLPs held in all layers no answer follows, and nothing is wrong with the latents: an MLP that is held cannot answer
to what comes in, and MLPs 2 to 4 have to, if Sacramento is to be said. Which layers are held belongs to the
question.

One latent of attention 2 does it alone: the one with most influence. But the one with the largest value hardly ever
does. For states influence finds it. Is that knowledge, or luck? Countries are harder.
"""

# %% [markdown] slug="the-generic-latent"
r"""
Attention 2's dictionary has 320 latents. At the prompt's **end** one of them is the strongest in most questions,
whatever they are about. Which ones say which *country* a two-hop question is about (all of `geography`'s 48, in all
three languages), and what does the strongest one do? Leave in `own_latents`:

```python
own_latents = {
    "own": {"France": [12, 305], "Japan": [7], ...},
    "generic": 61,
    "without": 0.5, "generic_without": 0.5, "on_top": 0.5,
}
```

- **own**: for each country (`area.name.english`) its latents, one to six. They are tried on held-out questions: in
  each, its own country's latents go off at the end, and those of another one, by lot, get that country's *mean*
  values over taught questions. All else stays. How many answers become the other country's?
- **generic**: the number of the latent that is the strongest one most often.
- **without**: the share answered right with the own country's latents off, and nothing put in.
- **generic_without**: the share answered right with the generic latent off.
- **on_top**: the share that becomes the other country's answer if its latents are put in and the own ones *stay on*.

Swaps count by the **worst quarter** of the countries: .5 of the score if .74 or more of their answers follow (nothing
at .62; a pass needs .70). The generic latent counts .1, the three shares .4, each in full if off by .07 or less, and
none may be off by .2.
"""

# %% tags=["exercise"] slug="the-generic-latent"
# BEGIN SOLUTION
# 1. Attention 2's latents at the end, for taught questions about countries.
countries = [a.name.english for a in geography.facts.areas if a.kind == "country"]
about_countries = list(geography.questions(kinds=["country"]))
taught = [q for q in about_countries if not q.held_out_by][::5]


def ends_of(questions):
    """[question latent], and the questions in that order."""
    values, ordered = [], []
    for indices, tokens in by_length([q.prompt.text for q in questions]):
        values.append(attn2.encode(tracing.record(plain, tokens).attn_out[2][:, -1]))
        ordered += [questions[i] for i in indices]
    return torch.cat(values), ordered


values, ordered = ends_of(taught)
number = torch.tensor([countries.index(q.city.area) for q in ordered])
means = torch.stack([values[number == i].mean(dim=0) for i in range(len(countries))])
generic = int(values.argmax(dim=1).mode().values)
is_strongest = (values.argmax(dim=1) == generic).float().mean().item()
print(f"latent {generic} is the strongest in {is_strongest:.0%} of the questions")

# 2. The latent that is most above its usual value. Is it on in all questions of its country?
excess = means - means.mean(dim=0)
first = excess.argmax(dim=1)
on_share = torch.stack(
    [(values[number == i, first[i]] > 0).float().mean() for i in range(len(countries))]
)
gaps = [
    (countries[i], round(on_share[i].item(), 2))
    for i in on_share.argsort()[:6].tolist()
]
print("least often on:", gaps)
france = countries.index("France")
for city in sorted({q.city.name.english for q in ordered if q.city.area == "France"}):
    rows = torch.tensor(
        [q.city.area == "France" and q.city.name.english == city for q in ordered]
    )
    on = values[rows].mean(dim=0).topk(3)
    print(
        f"  {city:<12}"
        + ", ".join(
            f"{i} ({x:.1f})" for x, i in zip(*map(Tensor.tolist, on), strict=True)
        )
    )

# 3. So more than one latent for some: those of which a good part belongs to one country.
part = means / means.sum(dim=0).clamp_min(1e-6)
own = {}
for i, country in enumerate(countries):
    order = means[i].argsort(descending=True).tolist()
    own[country] = [j for j in order if part[i, j] > 0.3 and means[i, j] > 0.1][:6]
n_more = sum(len(each) > 1 for each in own.values())
print(f"{n_more} of {len(own)} countries have more than one")

# 4. The three experiments, on some held-out questions.
held_out = [q for q in about_countries if q.held_out_by][::9]
right = {"without": [], "generic_without": [], "on_top": []}
lot = seeded(1)
for question in held_out:
    tokens = model.to_tokens(question.prompt.text)[0]
    local_c = tracing.local_replacement(plain, clt, tokens, {2: attn2})
    end = len(tokens) - 1
    off = [
        tracing.Change(tracing.ATTENTION, 2, end, j, 0.0)
        for j in own[question.city.area]
    ]
    area = geography.area_of(question.city)
    others = [a for a in geography.facts.areas if a.kind == "country"
              and a.answers[question.relation] != area.answers[question.relation]]  # fmt: skip
    target = others[int(torch.randint(len(others), (), generator=lot))]
    row = means[countries.index(target.name.english)]
    on = [
        tracing.Change(tracing.ATTENTION, 2, end, j, row[j].item())
        for j in own[target.name.english]
    ]
    sets = [off, [tracing.Change(tracing.ATTENTION, 2, end, generic, 0.0)], on]
    said = tracing.intervene(local_c, sets).logits[:, -1].argmax(dim=-1).tolist()
    theirs = ids[f" {target.answers[question.relation].given(question.language)}"]
    for name, word, wanted in zip(
        right, said, (ids[question.answer],) * 2 + (theirs,), strict=True
    ):
        right[name].append(word == wanted)
shares_right = {name: sum(hits) / len(hits) for name, hits in right.items()}
print(shares_right)
own_latents = {"own": own, "generic": generic, **shares_right}
# END SOLUTION

# %% tags=["check"]
check("the-generic-latent", own_latents)

# %% tags=["claim"]
assert 0.7 < is_strongest < 0.9, "the strongest in four of five questions"
assert shares_right["generic_without"] > 0.9, (
    "with it off more than nine in ten answers stay right"
)
assert {87, 210} <= set(own["France"]), "Marseille and Nantes by latent 87"
assert on_share[france] < 0.8, "one latent alone misses questions"
assert 0.1 < shares_right["without"] < 0.25, (
    "about one in six is right without the country's latents"
)
assert 0.2 < shares_right["on_top"] < 0.4, "some three in ten follow"

# %% [markdown]
r"""
**What we found.** Latent 104 is the strongest in four of five questions, and says of none what it is about: with it off
more than nine in ten answers stay right. The test that tells it from the others is not its size and not its
influence but an exchange: what is the same for every country changes nothing when it is exchanged.

One latent for each country is nearly right, and wrong where it counts. For France one latent alone misses questions:
the dictionary knows Marseille and Nantes by latent 87, Lyon and Toulouse by 210. So look at what is *not* covered.
Our two ways to choose (the three that are most above usual; all that mostly belong to one country) both get the full
score. And half a swap is another experiment: about one in six is right without the country's latents, since many
countries share a continent or a language, and with both countries' latents on some three in ten follow.
"""


# %% tags=["quiz"]
quiz("on-for-every-state", "b")

# %% [markdown]
r"""
## Read a graph

You have read one graph. What you say of it is a hypothesis about all prompts of its kind, and can be tried on those.
"""

# %% [markdown] slug="read-dallas"
r"""
Hand in **supernodes as a rule**: which latents, by site, layer and place, whatever the prompt. The check draws fresh
held-out questions about states (English), traces each as `trace` does (`atlas-mlp`, `atlas-attn2`, pruned with the
usual shares) and takes for each supernode the latents that pruning has *left* there. Leave in `supernodes`:

```python
supernodes = {
    "the state": {"site": "mlp", "layers": [3], "places": ["name", "elsewhere"],
                  "without": 0.5, "state": 0.5, "relation": 0.5},
    ...
}
```

- **site**: `"attention"` or `"mlp"`; **layers**: where the latents read; **places**: `"name"` (the name's last token),
  `"end"` (the prompt's last token), `"elsewhere"`. Four to eight supernodes that share no nodes.
- **without**: the share of questions still answered right when the supernode's latents go off, all at once. MLPs from
  its first to its last layer are held at what they wrote, less what the latents write no more; later ones answer.
- **state**: the share that gives the other answer when the supernode goes off and that of *another* graph comes on, at
  its values there: the same question about a city of another state.
- **relation**: the same with a graph of another question about the same city.

Your supernodes should hold .8 of the influence of the latents that are left (.15 of the score), and one of them should
carry the state and nothing else: “state” .8 or more, “relation” .2 or less, as measured (.15). Both are needed to pass.
Your predictions count .7: each in full if off by .2 or less, nothing if off by .45; no pass if one is off by .55.
"""

# %% tags=["exercise"] slug="read-dallas"
# BEGIN SOLUTION
rules = {
    "the state": ("attention", [2], ["end"]),
    "the name": ("mlp", [0, 1], ["name"]),
    "what is asked": ("mlp", [0, 1], ["elsewhere"]),
    "the end itself": ("mlp", [0, 1], ["end"]),
    "the answer": ("mlp", [2, 3, 4], ["end"]),
}


def chosen_nodes(graph, pruned, rule, place):
    """The numbers of a supernode's nodes."""
    site, layers, places = rule
    nodes, end = pruned.nodes, len(graph.tokens) - 1
    where = torch.where(
        nodes.position == end, 1, torch.where(nodes.position == place, 0, 2)
    )
    here = (nodes.kind == tracing.LATENT) & torch.isin(
        nodes.layer, torch.tensor(layers)
    )
    here &= (
        nodes.component == {"attention": tracing.ATTENTION, "mlp": tracing.MLP}[site]
    )
    here &= torch.isin(
        where, torch.tensor([("name", "end", "elsewhere").index(x) for x in places])
    )
    return pruned.kept[here].tolist()


counted = {name: {"without": [], "state": [], "relation": []} for name in rules}
for one, other, asked in pairs_by_lot(24, seed=3):
    local_a, graph_a, pruned_a = trace(one.prompt.text, transcoders=per_layer)
    theirs = [
        trace(each.prompt.text, transcoders=per_layer)[1:] for each in (other, asked)
    ]
    place = place_of(one)
    sets = []
    for rule in rules.values():
        own = chosen_nodes(graph_a, pruned_a, rule, place)
        sets.append(tracing.changes_of(graph_a.nodes, own))
        for graph_b, pruned_b in theirs:
            on = chosen_nodes(graph_b, pruned_b, rule, place)
            sets.append(exchange(graph_a, own, graph_b, on))
    for i, name in enumerate(rules):
        for (_, hits), changes, wanted in zip(
            counted[name].items(),
            sets[3 * i : 3 * i + 3],
            (one, other, asked),
            strict=True,
        ):
            site, layers, _ = rules[name]
            held = range(min(layers), max(layers) + 1) if site == "mlp" else range(0)
            said = tracing.intervene(local_a, [changes], held).logits[0, -1].argmax()
            hits.append(int(said) == answer_of(wanted))
supernodes = {}
for name, (site, layers, places) in rules.items():
    effects = {effect: sum(hits) / len(hits) for effect, hits in counted[name].items()}
    supernodes[name] = {"site": site, "layers": layers, "places": places, **effects}
    print(
        f"{name:<15}" + "   ".join(f"{effect} {x:.2f}" for effect, x in effects.items())
    )
# END SOLUTION

# %% tags=["check"]
check("read-dallas", supernodes)

# %% tags=["claim"]
_state, _name, _asked, _end, _answer = supernodes.values()
assert _state["state"] > 0.9 and _state["relation"] < 0.1, (
    "carry the state and nothing else"
)
assert 0.25 < _name["state"] < 0.55, "about four in ten answers follow"
assert _asked["relation"] > 0.9 and _asked["state"] < 0.1, (
    "carry what is asked and nothing else"
)
assert max(_end[_effect] for _effect in ("without", "state", "relation")) < 0.15, (
    "few answers are right without them, and none follows when they are exchanged"
)
assert min(_answer["state"], _answer["relation"]) > 0.6, "carry both"

# %% [markdown]
r"""
**What we found.** Attention 2's latents at the end carry the state and nothing else. The early MLPs' latents on
words that are neither the name's end nor the end carry what is asked and nothing else. MLPs 2 to 4 at the end carry
both. So far it is what the graph seems to say.

Two things it does not say. Of the early latents where the name ends pruning leaves a few, and when these are
exchanged about four in ten answers follow: the others, each small, still speak for the old state. And the early
latents at the end itself: few answers are right without them, and none follows when they are exchanged. They are
alike in all these prompts. Needed is one thing, and carrying something another.
"""


# %% tags=["quiz"]
quiz("where-the-state-hides", "d")

# %% [markdown]
r"""
## Predicted and measured

A graph gives each latent an influence. Does the model owe to a latent what the graph says? Switch latents off one by
one, and measure how the prediction changes: KL(before || after) of the next token. Influence and divergence have no
common unit, so compare their *order*: Spearman's correlation is the correlation of ranks.
"""

# %% [markdown] slug="validate"
r"""
Return Spearman's correlation of `predicted` effects and measured ones, among the latents of a `sample` (their numbers).
`before` are the intact logits of the next token, `[vocab]`, and `after` those with each latent off, `[latent vocab]`.
Measured is KL(before || after). Ranks are those within the sample; equal values share the mean of their ranks.
"""


# %% tags=["exercise"] slug="validate"
def agreement(
    predicted: Float[Tensor, "latent"],
    before: Float[Tensor, "vocab"],
    after: Float[Tensor, "latent vocab"],
    sample: Int[Tensor, "asked"],
) -> float:
    """Spearman's correlation of influence and divergence among some latents."""
    # BEGIN SOLUTION
    log_before, log_after = before.log_softmax(dim=-1), after.log_softmax(dim=-1)
    measured = (log_before.exp() * (log_before - log_after)).sum(dim=-1)

    def ranks(x):
        smaller = (x[None] < x[:, None]).sum(dim=1)
        equal = (x[None] == x[:, None]).sum(dim=1)
        return smaller + (equal - 1) / 2

    both = torch.stack([ranks(predicted[sample]), ranks(measured[sample])])
    return torch.corrcoef(both.double())[0, 1].item()
    # END SOLUTION


# %% tags=["check"]
check("validate", agreement)

# %% [markdown]
r"""
Now the same graphs, asked about different latents, with two ways to switch off. A cross-layer transcoder's latent
writes to its own layer and to later ones. Guess both: which sample has the highest correlation, and does it matter
which layers are held?
"""


# %% id="which-sample"
def logits_without(local, graph, numbers, own_layer_only=False):
    """The next token's logits with each latent off; held are all layers that it writes to, or its own alone."""
    found = torch.zeros(len(numbers), plain.unembed.W.shape[1])
    layers = graph.nodes.layer[numbers]
    for layer in layers.unique().tolist():
        mine = (layers == layer).nonzero()[:, 0]
        sets = [
            [c]
            for c in tracing.changes_of(
                graph.nodes, [numbers[i] for i in mine.tolist()]
            )
        ]
        held = range(layer, layer + 1) if own_layer_only else None
        found[mine] = tracing.intervene(local, sets, held).logits[:, -1]
    return found


samples = {}
for one, _, _ in pairs_by_lot(6, seed=7):
    local_a, graph_a, _ = trace(one.prompt.text, attention=False)
    found = tracing.node_influence(graph_a)
    numbers = ((graph_a.nodes.kind == tracing.LATENT) & (found > 0)).nonzero()[:, 0]
    numbers = numbers[found[numbers].argsort(descending=True)]  # the strongest first
    before, after = (
        local_a.recording.logits[-1],
        logits_without(local_a, graph_a, numbers.tolist()),
    )
    own_only = logits_without(
        local_a, graph_a, numbers[:60].tolist(), own_layer_only=True
    )
    n = len(numbers)
    for name, logits, sample in (
        ("all latents with influence", after, torch.arange(n)),
        ("60 of them by lot", after, torch.randperm(n, generator=seeded(1))[:60]),
        ("the 60 strongest", after, torch.arange(60)),
        ("ranks 61 to 120", after, torch.arange(60, 120)),
        ("the 60 strongest, own layer held", own_only, torch.arange(60)),
    ):
        some = found[numbers][: len(logits)]
        samples.setdefault(name, []).append(agreement(some, before, logits, sample))
median = {name: torch.tensor(each).median().item() for name, each in samples.items()}
for name, value in median.items():
    print(f"{name:<34} Spearman {value:.2f}   (median of {len(samples[name])} prompts)")
everything = tracing.divergences(before, after)
show.influence_against_effect(
    {
        name: tracing.Validation(
            found[numbers][some], everything[some], samples[name][-1]
        )
        for name, some in (
            ("all latents with influence", slice(None)),
            ("the 60 strongest", slice(60)),
        )
    },
    title="The same graph, asked about more latents and about fewer",
)

# %% tags=["claim"]
assert 0.8 < median["all latents with influence"] < 0.9, "about .85 over all latents"
assert abs(median["60 of them by lot"] - median["all latents with influence"]) < 0.06, (
    "about as much for sixty by lot"
)
assert median["the 60 strongest"] < median["all latents with influence"] - 0.15, (
    "much lower among the sixty strongest"
)
assert median["the 60 strongest, own layer held"] < median["the 60 strongest"] - 0.1, (
    "lower still if only its own layer is held"
)

# %% [markdown]
r"""
**What you should see.** Same graphs, same ablations: about .85 over all latents, and about as much for sixty by lot,
but much lower among the sixty strongest. Most latents matter little by either measure, and it is easy to put what
matters little below what matters much. Among those that all matter it is hard, and these are the ones that a graph
is read for. So a correlation without its sample says nothing (Ameisen et al. 2025 report .72, for their own sample).

It is lower still if only its own layer is held: what a latent writes to later layers then goes on being written by
their MLPs, and a latent that should be off is half on.
"""

# %% tags=["quiz"]
quiz("later-writes", "c")

# %% tags=["quiz"]
quiz("which-sample", "c")

# %% [markdown] slug="a-wrong-graph"
r"""
`suspect_graphs(plain, per_layer, draw)` gives a prompt (`text`), its
local replacement model (`local`) and three graphs of it, `graphs["A"]`, `["B"]` and `["C"]`. One is right. In one the
LayerNorms' denominators were left **unfrozen**: it is made of plain gradients. In one, what latents write was
**exchanged** among the latents of each layer and position, as if their decoders had been shuffled. Which is which is
not said, and another draw has another prompt and other letters.

Five measurements can be made on a graph:

- **completeness**, **replacement**: its two scores.
- **row sums**: of all rows of latents and logits, the mean of |row sum + constant − what the target reads| over
  the mean of |what it reads|. A latent reads its pre-activation in the model, a logit is less the mean logit. Four
  decimals count.
- **ablation**: for the 40 latents with most influence, Spearman's correlation of influence and KL when each is switched
  off (`tracing.validate`, with its defaults).
- **direct**: for the same 40, the correlation (Pearson's) of their entries in the row of the likeliest logit with how
  much that logit, less the mean logit, *falls* when each is off, with all MLPs held and patterns frozen.

Leave in `wrong_graph` how each wrong graph is told from the other two of its prompt, and the mean of each measurement:

```python
wrong_graph = {
    "unfrozen": ("ablation", "largest"), "exchanged": ("replacement", "smallest"),
    "values": {"right": {"completeness": 0.5, "replacement": 0.5, "row sums": 0.5, "ablation": 0.5, "direct": 0.5},
               "unfrozen": {...}, "exchanged": {...}},
}
```

The check draws five fresh prompts. Both choices have to be right on all of them to pass (.2 and .3 of the score). The
15 means count .5; in full if off by .02 (completeness), .05 (replacement), .25 (row sums), .2 (the other two).
"""


# %% tags=["exercise"] slug="a-wrong-graph"
# BEGIN SOLUTION
def reads_of(local, graph):
    """What every target reads in the model."""
    nodes, found = graph.nodes, torch.zeros_like(graph.constant)
    for i in (nodes.kind == tracing.LATENT).nonzero()[:, 0].tolist():
        layer, position, latent = (int(part[i]) for part in nodes[2:5])
        W_enc, b_enc = local.transcoders.reads(layer)
        found[i] = (
            local.recording.mlp_in[layer, position] @ W_enc[:, latent] + b_enc[latent]
        )
    logits, at = local.recording.logits[-1], nodes.kind == tracing.LOGIT
    found[at] = (logits - logits.mean())[nodes.index[at]]
    return found


def measure(local, graph):
    """All five measurements."""
    nodes, logits = graph.nodes, local.recording.logits[-1]
    rows = (nodes.kind == tracing.LATENT) | (nodes.kind == tracing.LOGIT)
    reads = reads_of(local, graph)[rows]
    sums = (graph.adjacency.sum(dim=1) + graph.constant)[rows]
    influence = torch.where(
        nodes.kind == tracing.LATENT, tracing.node_influence(graph), 0.0
    )
    strong = influence.topk(40).indices.tolist()
    each = [[change] for change in tracing.changes_of(nodes, strong)]
    after = tracing.intervene(local, each, range(5), freeze_patterns=True).logits[:, -1]
    likeliest = int(nodes.index[nodes.kind == tracing.LOGIT][0])
    falls = (logits - logits.mean())[likeliest] - (
        after - after.mean(dim=-1, keepdim=True)
    )[:, likeliest]
    row = graph.adjacency[(nodes.kind == tracing.LOGIT).nonzero()[0, 0], strong]
    scores = tracing.graph_scores(graph)
    return {
        "completeness": scores.completeness,
        "replacement": scores.replacement,
        "row sums": round(((sums - reads).abs().mean() / reads.abs().mean()).item(), 4),
        "ablation": tracing.validate(local, graph, strong).spearman,
        "direct": torch.corrcoef(torch.stack([row, falls]))[0, 1].item(),
    }


tables = []
for draw in range(5):
    suspects = suspect_graphs(plain, per_layer, draw)
    tokens = model.to_tokens(suspects.text)[0]
    again = tracing.attribution_graph(
        suspects.local, tokens
    )  # the right one, made anew
    found = {
        letter: measure(suspects.local, graph)
        for letter, graph in suspects.graphs.items()
    }
    is_right = {letter: torch.allclose(graph.adjacency, again.adjacency, atol=1e-4)
                for letter, graph in suspects.graphs.items()}  # fmt: skip
    # Of the two that are not, rows add up in one: nothing is missing there, entries have changed places.
    kinds = {letter: "right" if is_right[letter] else "exchanged" if found[letter]["row sums"] < 0.01 else "unfrozen"
             for letter in found}  # fmt: skip
    tables.append({kinds[letter]: found[letter] for letter in found})
means_of = {
    kind: {
        name: sum(t[kind][name] for t in tables) / len(tables)
        for name in tables[0][kind]
    }
    for kind in ("right", "unfrozen", "exchanged")
}
for kind, row in means_of.items():
    print(f"{kind:<10}" + "   ".join(f"{name} {x:.2f}" for name, x in row.items()))
always = {}
for name in means_of["right"]:
    for side, pick in (("largest", max), ("smallest", min)):
        taken = {pick(table, key=lambda kind: table[kind][name]) for table in tables}
        if len(taken) == 1:
            always[name, side] = taken.pop()
print("on all five prompts:", always)
wrong_graph = {
    "unfrozen": ("row sums", "largest"),
    "exchanged": ("direct", "smallest"),
    "values": means_of,
}
# END SOLUTION

# %% tags=["check"]
check("a-wrong-graph", wrong_graph)

# %% tags=["claim"]
_right, _unfrozen, _exchanged = (
    means_of[_kind] for _kind in ("right", "unfrozen", "exchanged")
)
assert max(_right["row sums"], _exchanged["row sums"]) < 0.001, (
    "in the right graph and in the exchanged one rows add up"
)
assert _unfrozen["row sums"] > 1, "off by more than what there is to explain"
assert always["row sums", "largest"] == "unfrozen", "in all five prompts"
assert always["direct", "smallest"] == "exchanged", (
    "the exchanged graph is last each time"
)
assert not {"completeness", "replacement"} & {_name for _name, _ in always}, (
    "the scores tell neither"
)
assert abs(_right["completeness"] - _exchanged["completeness"]) < 0.01, (
    "nearly the same"
)
assert _unfrozen["direct"] > _right["direct"] + 0.05, (
    "the unfrozen graph predicts direct effects better than the right one"
)

# %% [markdown]
r"""
**What we found.** In the right graph and in the exchanged one rows add up; in the unfrozen one they are off by more
than what there is to explain, and it has the largest error in all five prompts. Why: a LayerNorm does not care how
long its input is, so a plain gradient leaves out the input's own direction, and what is left does not add up to
anything. What the row sums cannot see is that entries have changed places: for that the model has to be asked about
single entries, and there the exchanged graph is last each time. The scores tell neither: completeness is nearly the
same for the right graph and the exchanged one.

One thing we had not expected. The unfrozen graph predicts direct effects better than the right one. In the model itself
denominators do answer when a latent goes off, and a plain gradient knows that. So "it predicts ablations better" and
"its entries are what is there" are two different virtues of a graph, and frozen denominators buy the second one.
"""

# %% [markdown]
r"""
## Why does the head look there? (optional)

All of this took for granted that layer 2's head 3 looks from the prompt's end to the name's end: patterns are frozen. A
head's *score* for a query and a key is a product of two vectors, and with frozen denominators each is a sum over
nodes. So the score is a sum over **pairs**: what node $i$ gives to the query, times what node $j$ gives to the key
(Kamath et al. 2025). A score alone moves no attention. What counts is by how much it exceeds the scores of other keys.
"""

# %% id="why-the-head-looks"
local_a, graph_a, _ = trace(dallas, attention=False)
pattern = local_a.recording.patterns[2, 3, last]
parts = tracing.score_parts(local_a, graph_a, 2, 3, last, name_end, against=last)
kinds = {"latents of MLP 0": (0, 0), "latents of MLP 1": (0, 1)}
sides = {
    **{name: (graph_a.nodes.kind == tracing.LATENT) & (graph_a.nodes.layer == layer)
       for name, (_, layer) in kinds.items()},
    "errors": graph_a.nodes.kind == tracing.ERROR,
    "embeddings": graph_a.nodes.kind == tracing.EMBEDDING,
}  # fmt: skip
sides = {name: torch.cat([mask, torch.tensor([False])]) for name, mask in sides.items()}
sides["biases"] = torch.arange(len(parts.pairs)) == len(parts.pairs) - 1
by_pair = torch.tensor(
    [[parts.pairs[a][:, b].sum() for b in sides.values()] for a in sides.values()]
)
print(
    f"head 2.3 looks at the name's end with {pattern[name_end]:.3f}; its score there is {parts.score:.1f} "
    "above that of the end"
)
most = divmod(int(by_pair.argmax()), len(sides))
names = list(sides)
print(
    f"most of it: {names[most[0]]} at the query with {names[most[1]]} at the key, {by_pair.max():.1f}"
)
show.heatmap(
    by_pair,
    x=list(sides),
    y=list(sides),
    title="Why head 2.3 looks at “las”: its score, by pairs",
    x_title="at the key (the name's end, less the end itself)",
    y_title="at the query (the end)",
    value_title="score",
)

# %% [markdown]
r"""
## Common misreadings

- **"The strongest latent is the one that matters."** The strongest of attention 2 is on for everything.
- **"The graph shows three latents at the name, so these carry the state."** Many small ones do, together.
- **"Spearman .9, so the graph is right."** Over which latents? And ranks are not effects.
- **"Every row adds up, so every entry is right."** Entries can have changed places.

## On the real thing

Graphs of large models are read in the same way, with the same doubts: circuit-tracer makes them for open models, and
`tracing.from_json` reads its files. This half of the chapter needs no other model.

## Recap

Can you say these without looking? What a supernode's inputs leave out. Why a latent of a cross-layer transcoder is off
only if all layers are held that it writes to. Why the sample decides a correlation. What row sums can show of a graph,
and what they cannot.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Ameisen et al. 2025, *Circuit Tracing: Revealing Computational Graphs in Language Models*.
- Kamath et al. 2025, *Tracing Attention Computation Through Feature Interactions*.
"""
