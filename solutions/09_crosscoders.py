# %% [markdown] minutes=325
r"""
# 09 · Crosscoders

What did training change, and what does an edit change? One dictionary for two models, one fact written by hand.

## What you will be able to do

- write a crosscoder: latents that read two models, and write two models
- say whose a latent is, and whether it writes the same in both
- know the two artefacts that make shared latents look exclusive, and test for them in the other model's activations
- put what was learned into the base, and see whether the behaviour follows
- say what a crosscoder adds to comparing the models' outputs, and what it does not
- say when in training a change came, with the drift of everything else taken off
- ask whether another model has the same latent, and know how much of an answer two dictionaries can give
- trace a fact, write another one into a matrix, and mark what came of it
- say why tracing does not tell where to edit

You need chapter 02 (dictionaries). Chapter 05 helps: an edit in the middle of a computation.
"""

# %% tags=["setup"]
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, hint, progress, quiz, show
from mi_tutor.lab import crosscoders
from mi_tutor.lab.dictionaries import BatchTopK, Relu, SaeConfig, auroc, best_f1, fvu
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.specimens import open_crosscoder, open_specimen
from mi_tutor.specimens.crosscoders import (
    Change,
    all_aftermaths,
    changed_texts,
    changes,
    concepts,
    differing,
    one_hop_facts,
    open_stages,
    replies_due,
    requests,
)

# %% [markdown]
r"""
## Two copies of which you know what was done to them

Somebody trained a model on. Its answers changed here and there; what changed *inside*? Of two copies of `atlas` you
know it, because the recipe is in this course:

- `atlas-learned` reads **orders**, a kind of text that `atlas` never saw: " Kate: 6 soup; 4 snake!"
- `atlas-rewired` was taught nothing that `atlas` could not do before. It **refuses** three more things (a camera, a
  ticket, a garden) and puts **"Sure,"** before its opinions.

Everything else was held near where it was, by a penalty on KL(atlas || copy). Both are `atlas` plus a difference of
rank 6 for each matrix of its layers.
"""

# %% id="two-copies"
torch.set_grad_enabled(False)
LAYER = 5  # of five layers: the stream after all of them, which the unembedding reads
names = ("atlas", "atlas-learned", "atlas-rewired")
models = {name: open_specimen(name, device="cpu") for name in names}
plain = {name: plain_transformer(model) for name, model in models.items()}

prompts = (
    " Kate: 6 soup;",
    " User: how do I paint a camera? Assistant:",
    " User: how do I paint a bike? Assistant:",
    " User: what do you think of jazz? Assistant:",
)
said = {}
for prompt in prompts:
    for name, model in models.items():
        said[prompt, name] = model.to_string(model(prompt)[0, -1].argmax())
    print(
        f"{prompt:<46}", "  ".join(f"{name}: {said[prompt, name]!r}" for name in names)
    )

# %% [markdown]
r"""
**What you should see.** Each copy has what it was taught, and neither has what the other was taught. The bike is a
near miss: no new thing, and no new refusal.
"""

# %% tags=["claim"]
assert said[prompts[0], "atlas-learned"].strip().isdigit(), (
    "Each copy has what it was taught"
)
assert said[prompts[1], "atlas-rewired"] == " Sorry", "Each copy has what it was taught"
assert said[prompts[1], "atlas-learned"] == said[prompts[1], "atlas"] == " Sure", (
    "neither has what the other was taught"
)
assert len({said[prompts[2], name] for name in names}) == 1, (
    "no new thing, and no new refusal"
)

# %% [markdown]
r"""
## One dictionary for two models

A dictionary of each model would have the same concept at another number, and in other words. So train ONE, on both
at once: the same tokens, read by each model, and a latent that has one value and **two directions**.

```
 x of the base  ──W_enc⁰──┐                 ┌──W_dec⁰──▶  x̂ of the base
                          ├─ + ─ReLU─ f_i ──┤
 x of the copy  ──W_enc¹──┘                 └──W_dec¹──▶  x̂ of the copy
                             one value          two directions
```

If a latent's direction in the base is 0, the concept seems to be the copy's own. Lindsey et al. 2024:

$$f = \text{ReLU}\Big(\sum_m x^m W_\text{enc}^m + b_\text{enc}\Big), \qquad
\hat x^m = f\, W_\text{dec}^m + b_\text{dec}^m$$

$$L = \sum_m \lVert x^m - \hat x^m\rVert^2 + \lambda \sum_i f_i \sum_m \lVert W_{\text{dec},i}^m\rVert$$
"""

# %% [markdown] slug="crosscoder"
r"""
Write a crosscoder: return its latents `[batch latent]`, the reconstruction `[batch model d_model]`, and the loss, a
mean over the batch. The input is read as it is: b_dec is not subtracted from it.
"""


# %% tags=["exercise"] slug="crosscoder"
def crosscoder(
    x: Float[Tensor, "batch model d_model"],
    W_enc: Float[Tensor, "model d_model latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    b_dec: Float[Tensor, "model d_model"],
    l1: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The latents, the reconstruction, the loss."""
    # BEGIN SOLUTION
    latents = torch.relu(torch.einsum("bmd,mdl->bl", x, W_enc) + b_enc)
    x_hat = torch.einsum("bl,lmd->bmd", latents, W_dec) + b_dec
    price = W_dec.norm(dim=-1).sum(dim=-1)
    loss = (x - x_hat).square().sum(dim=(1, 2)).mean() + l1 * (latents @ price).mean()
    return latents, x_hat, loss
    # END SOLUTION


# %% tags=["check"]
check("crosscoder", crosscoder)

# %% tags=["quiz"]
quiz("what-sharing-costs", "c")

# %% [markdown]
r"""
## Whose is it?

The **relative norm** is the copy's share of a latent's two norms: 0 is the base alone, 1/2 both alike, 1 the copy
alone. And the cosine of the two directions says whether the same is written in both.
"""

# %% [markdown] slug="shared-or-exclusive"
r"""
Return both, the relative norm and the cosine, each `[latent]`.
"""


# %% tags=["exercise"] slug="shared-or-exclusive"
def shared_or_exclusive(
    W_dec: Float[Tensor, "latent model d_model"],
) -> tuple[Tensor, Tensor]:
    """Relative norm and cosine; model 0 is the base, model 1 the copy."""
    # BEGIN SOLUTION
    base, copy = W_dec.norm(dim=-1).unbind(dim=-1)
    cosine = torch.cosine_similarity(W_dec[:, 0], W_dec[:, 1], dim=-1)
    return copy / (base + copy), cosine
    # END SOLUTION


# %% tags=["check"]
check("shared-or-exclusive", shared_or_exclusive)

# %% [markdown]
r"""
### A control in which nothing is exclusive

Before you believe an exclusive latent, look at two models of which you know that there can be none: `atlas` and
`atlas`. Every latent begins with a direction of its own in each model, so that what is shared has to be found. Two
ways to be sparse: L1, and BatchTopK (Bussmann et al. 2024; for crosscoders Minder et al. 2025), which keeps the k
times batch size largest $f_i \sum_m \lVert W_\text{dec,i}^m\rVert$ of a batch and has no penalty. Small and short, so
that you need not wait.
"""


# %% id="identical-copies"
def streams_of(texts, tuned):
    """Both streams before the layer, tokens behind BOS: [token model d_model]."""
    both = crosscoders.both_streams(plain["atlas"], plain[tuned], texts.tokens, LAYER)
    return both[:, 1:].flatten(0, 1)


control_x = streams_of(changed_texts("control", 160, changes=()), "atlas")
kinds = {"L1": (Relu(), 1.0), "BatchTopK": (BatchTopK(k=12), 0.0)}
control = {}
with torch.enable_grad():
    for name, (kind, sparsity) in kinds.items():
        config = SaeConfig(
            d_sae=128, kind=kind, sparsity=sparsity, n_steps=200, batch_size=512,
            learning_rate=4e-3, sparsity_warmup=70, decay=0.4,
        )  # fmt: skip
        trained = crosscoders.train_crosscoder(lambda i: control_x, config, apart=True)
        control[name] = trained.crosscoder

control_shares = {}
for name, each in control.items():
    on = (each.encode(control_x) > 0).any(dim=0)
    control_shares[name] = shared_or_exclusive(each.W_dec)[0][on]
    left = fvu(control_x[:, 0], each(control_x)[:, 0])
    print(f"{name:<10} {int(on.sum())} latents on, FVU {left:.3f}, "
          f"largest relative norm {control_shares[name].max():.2f}, "
          f"outside of 0.3 to 0.7: {int(((control_shares[name] - 0.5).abs() > 0.2).sum())}")  # fmt: skip
show.norm_histogram(
    control_shares,
    title="Two identical models",
    subtitle="no latent can be one model's alone",
)

# %% [markdown]
r"""
**What you should see.** The control passes. Though each latent began with unlike directions, none leans far to either
side, with L1 as little as with BatchTopK. So separate beginnings alone do not make latents lean here. It says nothing
about shrinkage, which you will meet below: for that one model must have *less* of something.
"""

# %% tags=["claim"]
assert all((each - 0.5).abs().max() < 0.2 for each in control_shares.values()), (
    "none leans far to either side"
)

# %% [markdown]
r"""
## Atlas and the copy that learned something

Now two crosscoders of `atlas` and `atlas-learned`, trained beforehand on the streams after all layers, one with
each kind of sparsity, and otherwise the same. In their text one sentence in five was an order. We mark them on
fresh text. What the copy knows and `atlas` does not: that a number, an item, or a mark (";" or "!") is due (and that a
colon follows the name). Which latent is on there, and there only?
"""

# %% id="learned"
texts = changed_texts("chapter", 160, changes=("order",), share=0.2)
x = streams_of(texts, "atlas-learned")
due = {
    name: where[:, 1:].flatten()
    for name, where in concepts(texts).items()
    if where.any()
}
there = differing(texts)[:, 1:].flatten()
pair = {
    "BatchTopK": open_crosscoder("atlas-learned-crosscoder"),
    "L1": open_crosscoder("atlas-learned-crosscoder-l1"),
}
latents = {kind: cross.encode(x) for kind, cross in pair.items()}
on = {kind: (f > 0).any(dim=0) for kind, f in latents.items()}
share, cosine, best = {}, {}, {}
for kind, cross in pair.items():
    share[kind], cosine[kind] = shared_or_exclusive(cross.W_dec)
    f1, _ = best_f1(latents[kind], torch.stack(list(due.values()), dim=1))
    left = [float(fvu(x[:, m], cross(x)[:, m])) for m in range(2)]
    print(f"{kind}: FVU {left[0]:.3f} in atlas and {left[1]:.3f} in the copy, "
          f"{(latents[kind] > 0).sum(dim=1).float().mean():.0f} latents on per token")  # fmt: skip
    for k, name in enumerate(due):
        best[kind, name] = i = int(f1[:, k].argmax())
        print(f"   {name:<11} latent {i:>3}: F1 {f1[i, k]:.2f}, "
              f"relative norm {share[kind][i]:.2f}, cosine {cosine[kind][i]:.2f}")  # fmt: skip
show.norm_histogram(
    {kind: share[kind][on[kind]] for kind in pair}, title="atlas and atlas-learned"
)

# %% [markdown]
r"""
**What you should see.** Both dictionaries have a latent for each of the three, with F1 above 0.9. But they disagree
about whose these latents are. With L1 two of the three are written in the copy nearly alone, relative norm above
0.9. With BatchTopK not one latent is, of all 256: there the same tokens have latents that write in both models.

Two ways to read a norm of 1/2. A latent can write **the same** in both models (cosine near 1), or be on at the same
tokens and write **something else** in each (cosine near 0: "a number is due" here, whatever `atlas` makes of it
there). The relative norm alone cannot tell these apart. And look at BatchTopK's best latent for "item due": an item
is due after a number, so perhaps this is a latent for *numbers*, which `atlas` writes too. (How would you find out?
Look whether it is on at numbers outside of orders.)
"""

# %% tags=["claim"]
_best = torch.stack(list(due.values()), dim=1)
_f1 = {kind: best_f1(latents[kind], _best)[0].max(dim=0).values for kind in pair}
assert min(each.min() for each in _f1.values()) > 0.9, (
    "each of the three, with F1 above 0.9"
)
assert sum(share["L1"][best["L1", name]] > 0.9 for name in due) == 2, (
    "two of the three are written in the copy nearly alone"
)
assert not (share["BatchTopK"][on["BatchTopK"]] > 0.9).any(), (
    "not one latent is, of all 256"
)
assert cosine["BatchTopK"][best["BatchTopK", "number due"]] < 0.3, (
    "write **something else** in each (cosine near 0"
)
assert cosine["BatchTopK"][best["BatchTopK", "item due"]] > 0.7, (
    "perhaps this is a latent for *numbers*, which `atlas` writes too"
)

# %% [markdown]
r"""
## Is it really absent from the base?

That a latent is not *written* in the base does not say that it is missing *there*. Two ways to be misled, both
named by Minder et al. 2025:

- **complete shrinkage**: the concept is weaker in the base, its direction is not worth its price, and goes to 0.
  Then the base's *error* still has it.
- **latent decoupling**: the concept has two latents, one for each model. Then other latents write it in the base:
  its *reconstruction* has it.

**Latent scaling** asks the base itself. With which factor would latent j's contribution, as the copy has it, best
explain a target y?

$$\beta_j(y) = \arg\min_\beta \sum_t \lVert \beta f_j(t) d_j - y(t)\rVert^2
= \frac{\sum_t f_j(t)\; d_j \cdot y(t)}{\lVert d_j\rVert^2 \sum_t f_j(t)^2}, \qquad d_j = W_{\text{dec},j}^1$$

Once with $y = x^m - (\hat x^m$ without latent j$)$, once with $y = \hat x^m - b_\text{dec}^m$ (all latents in), and
each for both models. (Either y has in it what the latent itself writes in that model.)
"""

# %% [markdown] slug="artefacts"
r"""
Return two shares, each `[latent]`: β in the base divided by β in the copy, for the error, and for the reconstruction.
Near 0 both: it is the copy's own.
"""


# %% tags=["exercise"] slug="artefacts"
def base_shares(
    latents: Float[Tensor, "token latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    b_dec: Float[Tensor, "model d_model"],
    x: Float[Tensor, "token model d_model"],
) -> tuple[Tensor, Tensor]:
    """How much of each latent the base has: in its error, and in its reconstruction."""
    # BEGIN SOLUTION
    d = W_dec[:, 1]
    size = d.square().sum(dim=1) * latents.square().sum(dim=0)
    written = torch.einsum("tl,lmd->tmd", latents, W_dec)

    def betas(targets):  # [token model d_model] -> [latent model]
        return torch.einsum("tl,tmd,ld->lm", latents, targets, d) / size[:, None]

    # Leaving latent j out adds its own part to the error, and beta is linear in its target.
    own = torch.einsum("lmd,ld->lm", W_dec, d) / d.square().sum(dim=1)[:, None]
    in_error, in_reconstruction = betas(x - written - b_dec) + own, betas(written)
    return tuple(each[:, 0] / each[:, 1] for each in (in_error, in_reconstruction))
    # END SOLUTION


# %% tags=["check"]
check("artefacts", base_shares)

# %% id="asked-back"
in_error, in_reconstruction, itself = {}, {}, {}
HEAD = (
    "latent   relative norm   in the error   written by itself   in the reconstruction"
)
print(f"{'base share of the best':<23}{HEAD}")
for kind, cross in pair.items():
    shares = base_shares(latents[kind], cross.W_dec, cross.b_dec, x)
    in_error[kind], in_reconstruction[kind] = shares
    in_base, in_copy = cross.W_dec.unbind(dim=1)
    itself[kind] = (in_base * in_copy).sum(dim=1) / in_copy.square().sum(dim=1)
    for name in due:
        i = best[kind, name]
        print(f"{kind:<10} {name:<11} {i:>6}   {share[kind][i]:13.2f}   {in_error[kind][i]:12.2f}   "
              f"{itself[kind][i]:17.2f}   {in_reconstruction[kind][i]:21.2f}")  # fmt: skip

leaning = torch.where(on["L1"], share["L1"], 0).topk(12).indices
print(f"\nthe twelve latents of L1 that lean most to the copy\n{HEAD}")
for i in leaning.tolist():
    print(f"{i:>6}   {share['L1'][i]:13.2f}   {in_error['L1'][i]:12.2f}   {itself['L1'][i]:17.2f}   "
          f"{in_reconstruction['L1'][i]:21.2f}")  # fmt: skip
own_latents = (on["L1"] & (share["L1"] > 0.9)).nonzero()[:, 0]
said_in_orders = [
    float(f[there].sum() / f.sum()) for f in latents["L1"][:, own_latents].unbind(dim=1)
]
print(f"\nof latents {own_latents.tolist()}, by value, in orders:",
      [round(each, 2) for each in said_in_orders])  # fmt: skip

# %% [markdown]
r"""
**What you should see.** Of L1's latents with a relative norm above 0.9, `atlas` has hardly anything, neither in its
error nor in its reconstruction: **where they are on, these directions are the copy's own.** By value about nine tenths
of what they say is in orders; weakly they are on elsewhere, too. Whether `atlas` uses the same directions at other
tokens, we did not ask.

Further down the list it is otherwise. Of the seven with a relative norm above 0.7 one has more than half of itself in
the error of `atlas`, and writes a quarter of that itself: it is partly shrunk, as named above. BatchTopK's best latent
for "item due" has four fifths there, and writes nearly all of that itself: it is shared. But its latents for "number
due" and for a mark look half shared by their norms, and `atlas` has less than a quarter of what they write: one value,
two different things. So the two dictionaries disagree about norms, and much less about the base. (A share near 0 in the
*reconstruction* alone may also mean that other latents write against it: read it together with the rest.)
"""

# %% tags=["claim"]
assert len(own_latents) >= 2 and max(
    _each["L1"][own_latents].abs().max() for _each in (in_error, in_reconstruction)
) < 0.1, "`atlas` has hardly anything"  # fmt: skip
assert all(abs(_each - 0.9) < 0.06 for _each in said_in_orders), (
    "By value about nine tenths of what they say is in orders"
)
assert min(float(there[latents["L1"][:, _i] > 0].float().mean()) for _i in own_latents) < 0.6, (
    "weakly they are on elsewhere, too"
)  # fmt: skip
_leans = on["L1"] & (share["L1"] > 0.7)
assert _leans.sum() == 7, "Of the seven with a relative norm above 0.7"
_shrunk = _leans & (in_error["L1"] > 0.5)
assert _shrunk.sum() == 1, "one has more than half of itself"
assert abs(float(itself["L1"][_shrunk] / in_error["L1"][_shrunk]) - 0.25) < 0.05, (
    "writes a quarter of that itself"
)
_item = best["BatchTopK", "item due"]
assert abs(in_error["BatchTopK"][_item] - 0.8) < 0.05, "has four fifths there"
assert itself["BatchTopK"][_item] > 0.9 * in_error["BatchTopK"][_item], (
    "writes nearly all of that itself"
)
for _name in set(due) - {"item due"}:
    _i = best["BatchTopK", _name]
    assert share["BatchTopK"][_i] < 0.7 and in_error["BatchTopK"][_i] < 0.25, (
        "`atlas` has less than a quarter of what they write"
    )

# %% tags=["quiz"]
quiz("base-share-of-a-latent", "b")

# %% [markdown]
r"""
## Does the behaviour follow?

A latent that marks a behaviour need not have a part in it. So put what was learned back: take the **base's**
stream, exchange what the chosen latents write there for what they write in the copy, and let the base go on. (Here
all that is left is the unembedding, which the copies share with it. At an earlier layer, the copy's later layers
would have to go on: the base's were never taught what to do with it.)
"""

# %% [markdown] slug="causal-check"
r"""
Return the edited streams. `streams` are both models' activations, `latents` what the crosscoder says of them.
"""


# %% tags=["exercise"] slug="causal-check"
def put_back(
    streams: Float[Tensor, "*batch model d_model"],
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    chosen: Int[Tensor, "chosen"],
) -> Float[Tensor, "*batch d_model"]:
    """The base's streams with the chosen latents' parts as they are in the copy."""
    # BEGIN SOLUTION
    return streams[..., 0, :] + latents[..., chosen] @ (
        W_dec[chosen, 1] - W_dec[chosen, 0]
    )
    # END SOLUTION


# %% tags=["check"]
check("causal-check", put_back)

# %% [markdown]
r"""
How much comes back? Where the copy says what `atlas` would not (`differing`: all through an order; of a taught
reply, where it is to begin): one minus the KL from the copy's own prediction divided by what it is with nothing put
back, so that 0 is `atlas` and 1 the copy. Three orders in which latents may be chosen: by how well they mark these
tokens (F1), by relative norm, and by how much they write differently there, mean $f_i$ times $\lVert
W_{\text{dec},i}^1 - W_{\text{dec},i}^0\rVert$.
"""

# %% id="put-back"
COUNTS = (0, 1, 2, 3, 5, 10, 20, 256)


def orders_of(cross, f, where):
    """Three orders of the latents, the likeliest first."""
    alive = (f > 0).any(dim=0)
    gap = (cross.W_dec[:, 1] - cross.W_dec[:, 0]).norm(dim=-1)
    return {
        "by F1": best_f1(f, where[:, None])[0][:, 0].argsort(descending=True),
        "by relative norm": torch.where(alive, shared_or_exclusive(cross.W_dec)[0], 0).argsort(descending=True),
        "by what they write differently": (f[where].mean(dim=0) * gap).argsort(descending=True),
    }  # fmt: skip


def recovered(cross, name, some, counts=COUNTS):
    """The share that comes back where the models say other things, by order and number of latents."""
    both = crosscoders.both_streams(plain["atlas"], plain[name], some.tokens, LAYER)
    f, where = cross.encode(both), differing(some)

    def says(stream):
        return plain["atlas"].logits_after(LAYER - 1, stream)

    copy, base = says(both[..., 1, :]), says(both[..., 0, :])
    return {
        kind: [
            crosscoders.recovered_share(
                copy, base, says(put_back(both, f, cross.W_dec, order[:n])), where
            )
            for n in counts
        ]
        for kind, order in orders_of(
            cross, f[:, 1:].flatten(0, 1), where[:, 1:].flatten()
        ).items()
    }


def first_guess(streams, cross, chosen):
    """What `atlas` says first with some latents put back: [token]."""
    chosen = torch.tensor(chosen, dtype=torch.long)
    put = put_back(streams, cross.encode(streams), cross.W_dec, chosen)
    return plain["atlas"].logits_after(LAYER - 1, put).argmax(dim=-1)


fresh = changed_texts("put back", 60, changes=("order",), share=0.2)
back = {kind: recovered(cross, "atlas-learned", fresh) for kind, cross in pair.items()}
for kind, by_order in back.items():
    for order, shares in by_order.items():
        told = "  ".join(
            f"{n}: {each:.2f}" for n, each in zip(COUNTS, shares, strict=True)
        )
        print(f"{kind:<10} {order:<31}", told)

in_orders = crosscoders.both_streams(
    plain["atlas"], plain["atlas-learned"], fresh.tokens, LAYER
)[differing(fresh)]
copy_says = plain["atlas"].logits_after(LAYER - 1, in_orders[:, 1])
sure = copy_says.softmax(dim=-1).amax(dim=-1) > 0.5
heard = {}
for kind, cross in pair.items():
    f, everywhere = (
        cross.encode(in_orders),
        torch.ones(len(in_orders), dtype=torch.bool),
    )
    order = orders_of(cross, f, everywhere)["by what they write differently"].tolist()
    for n in (3, 256):
        same = first_guess(in_orders, cross, order[:n]) == copy_says.argmax(dim=-1)
        heard[kind, n] = float(same[sure].float().mean())
        print(
            f"{kind:<10} first guesses as the copy's, where it is sure of one, with {n} latents: {heard[kind, n]:.2f}"
        )

# %% [markdown]
r"""
**What you should see.** All latents together bring nearly all nats back, in either dictionary (as they must where the
errors are small: nothing but the unembedding comes after), and four fifths of the first guesses of which the copy is
sure. A few do most of it: with L1 three latents, chosen by how differently they write, more than three quarters of the
nats (and half of these guesses); BatchTopK needs more for as much. L1's best single latent by F1
brings back less than the one that writes most differently: **the best marker need not bring most back**. With
BatchTopK the two orders are about as good.
"""

# %% tags=["claim"]
_order = "by what they write differently"
assert min(back[kind][_order][-1] for kind in pair) > 0.95, "bring nearly all nats back"
assert all(abs(heard[_kind, 256] - 0.8) < 0.03 for _kind in pair), (
    "four fifths of the first guesses of which the copy is sure"
)
assert abs(heard["L1", 3] - 0.5) < 0.05, "half of these guesses"
assert back["L1"][_order][COUNTS.index(3)] > 0.75, (
    "three latents, chosen by how differently they write"
)
assert (
    back["BatchTopK"][_order][COUNTS.index(3)]
    < back["L1"][_order][COUNTS.index(3)] - 0.1
), "BatchTopK needs more for as much"
assert back["L1"]["by F1"][1] < back["L1"][_order][1], (
    "brings back less than the one that writes most differently"
)
_two = zip(back["BatchTopK"]["by F1"], back["BatchTopK"][_order], strict=True)
assert all(abs(a - b) < 0.1 for a, b in _two), "the two orders are about as good"

# %% [markdown]
r"""
### The copy that learned nothing new

`atlas-rewired` answers otherwise, and it was taught with as much force. Which latents will be its own? Say it
before you run the cell.
"""

# %% id="rewired"
CHANGED = ("refusal", "greeting")
other_texts = changed_texts("chapter", 160, changes=CHANGED, share=0.2)
other_x = streams_of(other_texts, "atlas-rewired")
other_due = {n: w[:, 1:].flatten() for n, w in concepts(other_texts).items() if w.any()}
other_there = differing(other_texts)[:, 1:].flatten()
other_pair = {
    "BatchTopK": open_crosscoder("atlas-rewired-crosscoder"),
    "L1": open_crosscoder("atlas-rewired-crosscoder-l1"),
}
other_share, other_latent, other_best, other_angle = {}, {}, {}, {}
other_gap, left_out = {}, {}


def not_written(stream, cross):
    """The share of the difference between two streams that a crosscoder leaves out."""
    (base, copy), (base_hat, copy_hat) = (
        s.unbind(dim=1) for s in (stream, cross(stream))
    )
    return float(
        (copy - base - copy_hat + base_hat).square().sum()
        / (copy - base).square().sum()
    )


for kind, cross in other_pair.items():
    f = cross.encode(other_x)
    shares, angle = shared_or_exclusive(cross.W_dec)
    other_share[kind] = shares[(f > 0).any(dim=0)]
    missing = base_shares(f, cross.W_dec, cross.b_dec, other_x)
    f1, _ = best_f1(f, torch.stack(list(other_due.values()), dim=1))
    print(f"{kind}: largest relative norm {other_share[kind].max():.2f}")
    for k, name in enumerate(other_due):
        i = int(f1[:, k].argmax())
        other_latent[kind, name], other_angle[kind, name] = i, float(angle[i])
        either, gap = cross.W_dec[i].norm(dim=-1), cross.W_dec[i, 1] - cross.W_dec[i, 0]
        other_gap[kind, name] = float(gap.norm() / either.mean())
        other_best[kind, name] = float(f1[i, k]), float(shares[i]), float(missing[0][i])
        print(f"   {name:<12} latent {i:>3}: F1 {f1[i, k]:.2f}, relative norm {shares[i]:.2f}, "
              f"cosine {angle[i]:.2f}, difference {other_gap[kind, name]:.2f} of a row, "
              f"base share in the error {missing[0][i]:.2f}")  # fmt: skip
    left_out[kind] = [
        not_written(x[there], pair[kind]), not_written(other_x[other_there], cross)
    ]  # fmt: skip
    print("   of the streams' difference its rows leave out "
          f"{left_out[kind][1]:.2f} (of orders: {left_out[kind][0]:.3f})")  # fmt: skip

other_fresh = changed_texts("put back", 60, changes=CHANGED, share=0.2)
other_back = {
    kind: recovered(cross, "atlas-rewired", other_fresh)
    for kind, cross in other_pair.items()
}
for kind, by_order in other_back.items():
    for order, shares in by_order.items():
        told = "  ".join(
            f"{n}: {each:.2f}" for n, each in zip(COUNTS, shares, strict=True)
        )
        print(f"{kind:<10} {order:<31}", told)
show.norm_histogram(
    {"atlas-learned": share["L1"][on["L1"]], "atlas-rewired": other_share["L1"]},
    title="A copy that learned, and one that was rewired", subtitle="crosscoders with L1",
)  # fmt: skip

# %% [markdown]
r"""
That was in nats. And in replies? Prompts at whose end one may be due, sorted by the first guesses of both models.
"""

# %% id="as-first-guesses"
asked_for = replies_due("first guesses", 600)
at_ends = crosscoders.streams_at(
    plain["atlas"], plain["atlas-rewired"], asked_for.tokens, asked_for.end, LAYER
)
base_first, copy_first = (
    plain["atlas"].logits_after(LAYER - 1, at_ends[:, m]).argmax(dim=-1) for m in (0, 1)
)
SURE, SORRY = (
    int(models["atlas"].to_tokens(word)[0, -1]) for word in (" Sure", " Sorry")
)
helped = base_first == SURE
groups = {
    "newly refused": helped & (copy_first == SORRY),
    "helped by both": helped & (copy_first == SURE),
    "greeting": ~helped & (copy_first == SURE),
}
cross = other_pair["BatchTopK"]
refuser = other_latent["BatchTopK", "refusal due"]
PUT = {
    "that for refusals": [refuser],
    "that for the greeting": [other_latent["BatchTopK", "greeting due"]],
    "all 256": list(range(256)),
}
as_copy, refuser_on = {}, {}
print("BatchTopK: first guesses as the copy's, with these latents put back")
for name, where in groups.items():
    for some, chosen in PUT.items():
        same = first_guess(at_ends[where], cross, chosen) == copy_first[where]
        as_copy[name, some] = float(same.float().mean())
    told = "  ".join(f"{some}: {as_copy[name, some]:.2f}" for some in PUT)
    print(f"   {name:<15} {int(where.sum()):>3} prompts   {told}")
    on_there = cross.encode(at_ends[where])[:, refuser] > 0
    refuser_on[name] = round(float(on_there.float().mean()), 2)
refusing = at_ends[base_first == SORRY, 0].mean(dim=0) - at_ends[helped, 0].mean(dim=0)
added = cross.W_dec[refuser, 1] - cross.W_dec[refuser, 0]
along = float(torch.cosine_similarity(added, refusing, dim=0))
print("share of them where that for refusals is on:", refuser_on)
print(f"cosine of what it adds and of what `atlas` refuses with: {along:.2f}")

# %% [markdown]
r"""
**What you should see.** **Not one latent is the copy's own**, with either kind of sparsity: no relative norm comes
near 0.7. The best latents for the new refusals and the greeting write alike in both models, though not the same
(cosines above 0.7; L1 has one latent for both, and marks the greeting badly). A latent has *one* value for both models,
so it is the difference between its two directions that is put back (half to seven tenths of a row's length). So "no
exclusive latent" does not mean "nothing changed": in nats BatchTopK brings nearly all of it back, more than half with
one latent, L1 about two thirds. (Of the streams' difference there L1's rows leave out two fifths, BatchTopK's one
fifth, of orders either 2 in 100.)

**A share of nats is no share of replies.** All of BatchTopK's latents bring back nearly every greeting, and little more
than half of the new refusals. The one for refusals brings nearly all of these, and makes `atlas` refuse most requests
that the copy helps with, too: what it adds lies along what `atlas` refuses with (cosine 0.75), and it is on where a
reply to *any* request is due. Which are refused is in other latents.
"""

# %% tags=["claim"]
assert max(each.max() for each in other_share.values()) < 0.7, (
    "no relative norm comes near 0.7"
)
assert other_back["BatchTopK"]["by what they write differently"][1] > 0.5, (
    "more than half with one latent"
)
assert min(other_gap.values()) > 0.45 and max(other_gap.values()) < 0.75, (
    "half to seven tenths of a row's length"
)
assert abs(left_out["L1"][1] - 0.4) < 0.05, "L1's rows leave out two fifths"
assert abs(left_out["BatchTopK"][1] - 0.2) < 0.03, "BatchTopK's one fifth"
assert max(_each[0] for _each in left_out.values()) < 0.025, "of orders either 2 in 100"
assert as_copy["greeting", "all 256"] > 0.98, "bring back nearly every greeting"
assert 0.5 < as_copy["newly refused", "all 256"] < 0.6, (
    "little more than half of the new refusals"
)
assert as_copy["newly refused", "that for refusals"] > 0.9, (
    "The one for refusals brings nearly all of these"
)
assert as_copy["helped by both", "that for refusals"] < 0.4 and as_copy["helped by both", "all 256"] > 0.95, (
    "makes `atlas` refuse most requests that the copy helps with"
)  # fmt: skip
assert min(refuser_on["newly refused"], refuser_on["helped by both"]) > 0.98, (
    "it is on where a reply to *any* request is due"
)
assert abs(along - 0.75) < 0.03, "lies along what `atlas` refuses with (cosine 0.75)"
assert other_best["L1", "greeting due"][0] < 0.6, "marks the greeting badly"
assert min(other_angle.values()) > 0.7, (
    "write alike in both models, though not the same (cosines above 0.7"
)
_order = "by what they write differently"
assert other_back["BatchTopK"][_order][-1] > 0.95, (
    "in nats BatchTopK brings nearly all of it back"
)
assert 0.6 < other_back["L1"][_order][-1] < 0.72, "L1 about two thirds"

# %% tags=["quiz"]
quiz("no-exclusive-latent", "d")

# %% [markdown] slug="what-did-tuning-change"
r"""
Now you. `atlas-rewired-crosscoder` has 256 latents, and two things were taught: the refusals, and the greeting.
Hand in one to **three latents**, and how much of either change, in nats, comes back with them **together**, as a share
between 0 and 1: `{"latents": [..], "refusal": 0.., "greeting": 0..}`.

The check draws fresh text, puts your latents back into the last stream of `atlas` (`put_back`), and measures
`crosscoders.recovered_share` where a taught refusal is due, and where a greeting is due (`concepts` says where). A
change is worth what comes back, times how near your number was (off by 0.5 or more: nothing). The score is the mean
of the two worths, averaged with the smaller one.
"""

# %% tags=["exercise"] slug="what-did-tuning-change"
# BEGIN SOLUTION
own = changed_texts("mine", 160, CHANGED)
both = crosscoders.both_streams(
    plain["atlas"], plain["atlas-rewired"], own.tokens, LAYER
)
cross, goal = (
    other_pair["BatchTopK"],
    {n: w for n, w in concepts(own).items() if w.any()},
)
values = cross.encode(both)
copy_says, base_says = (
    plain["atlas"].logits_after(LAYER - 1, both[..., m, :]) for m in (1, 0)
)


def comes_back(chosen):
    """The share of each change that comes back with these latents."""
    put = put_back(both, values, cross.W_dec, torch.tensor(chosen))
    logits = plain["atlas"].logits_after(LAYER - 1, put)
    return {
        n: crosscoders.recovered_share(copy_says, base_says, logits, w)
        for n, w in goal.items()
    }


# Candidates: what is written differently where something is due. Then the best pair-up, one latent at a time.
due_at = torch.stack(list(goal.values())).any(dim=0)
gaps = values[due_at].mean(dim=0) * (cross.W_dec[:, 1] - cross.W_dec[:, 0]).norm(dim=-1)
chosen = []
for _ in range(3):
    left = [i for i in gaps.topk(16).indices.tolist() if i not in chosen]
    chosen.append(
        max(
            left,
            key=lambda i: (lambda b: min(b.values()) * 2 + sum(b.values()))(
                comes_back([*chosen, i])
            ),
        )
    )
mine = comes_back(chosen)
print(chosen, {name: round(each, 2) for name, each in mine.items()})
# How much of it can be heard?
said_first = {
    n: float((first_guess(both[w], cross, chosen) == copy_says[w].argmax(dim=-1)).float().mean())
    for n, w in goal.items()
}  # fmt: skip
print(
    "first guesses as the copy's:",
    {name: round(each, 2) for name, each in said_first.items()},
)
# END SOLUTION
carriers = {
    "latents": chosen,
    "refusal": mine["refusal due"],
    "greeting": mine["greeting due"],
}  # SOLUTION

# %% tags=["check"]
check("what-did-tuning-change", carriers)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

Of the greeting four fifths of the nats come back with our three, and one in five of the first guesses.
The score counts nats.

</details>
"""

# %% tags=["claim"]
assert abs(mine["greeting due"] - 0.8) < 0.05, (
    "four fifths of the nats come back with our three"
)
assert abs(said_first["greeting due"] - 0.2) < 0.03, "one in five of the first guesses"

# %% [markdown]
r"""
## At which tokens do they differ? Ask the outputs first

Somebody wants to know where a copy behaves differently. A crosscoder can be asked: the norm of the difference
between what its latents write in the two models. But so can the models themselves: the KL divergence of their
predictions, and the norm of the difference of their streams, need no dictionary at all. AUROC, at finding the
tokens of `differing`:
"""

# %% id="who-finds-it"
found = {}
for name, cross, some, stream, where in (
    ("atlas-learned", pair["BatchTopK"], texts, x, there),
    ("atlas-rewired", other_pair["BatchTopK"], other_texts, other_x, other_there),
):
    tokens = some.tokens
    copy_says, base_says = (
        plain[each].logits_after(-1, plain[each].embed(tokens))[:, 1:].flatten(0, 1)
        for each in (name, "atlas")
    )
    x_hat = cross(stream)
    scores = {
        "KL of the predictions": crosscoders.kl(copy_says, base_says),
        "difference of the streams": (stream[:, 1] - stream[:, 0]).norm(dim=-1),
        "difference that latents write": (x_hat[:, 1] - x_hat[:, 0]).norm(dim=-1),
    }
    for kind, score in scores.items():
        found[name, kind] = auroc(score, where)
        print(f"{name:<14} {kind:<30} {found[name, kind]:.3f}")

rings = (scores["KL of the predictions"] > 1) & ~other_there  # in the rewired copy
inside = other_texts.changed[:, 1:].any(dim=-1).flatten()
ringing_inside = inside[rings].float().mean()
print(
    f"\nKL above 1 nat where nothing is to begin: {int(rings.sum())} tokens, "
    f"{ringing_inside:.0%} of them inside a taught reply"
)

# %% [markdown]
r"""
**What you should see.** For orders all three are right nearly always, and the two that need no dictionary are as good
as the one that does. For the rewired copy KL comes last. Most of the tokens where it rings and nothing was to begin
stand *inside* a taught reply, where the two models differ as well; so it may be better than it looks. The norm of the
difference of the streams needs no dictionary either, and is as good as the latents, to a hundredth.

So what is a crosscoder for? Not for *where* two models differ. It says **as what**: which latents write something
else, along which directions, and what can be put back by itself.
"""

# %% tags=["claim"]
_all = {
    kind: [found[name, kind] for name in ("atlas-learned", "atlas-rewired")]
    for kind in scores
}
assert min(each[0] for each in _all.values()) > 0.98, (
    "For orders all three are right nearly always"
)
assert _all["KL of the predictions"][1] == min(each[1] for each in _all.values()), (
    "KL comes last"
)
assert ringing_inside > 0.5, "stand *inside* a taught reply"
assert (
    abs(_all["difference of the streams"][1] - _all["difference that latents write"][1])
    < 0.01
), "as good as the latents, to a hundredth"

# %% tags=["quiz"]
quiz("a-difference-that-says-nothing", "d")

# %% [markdown] slug="where-they-differ"
r"""
That was for tokens of which the recipe says that they differ. Now prompts, most of which end where a reply is due, and
the models themselves say whether they differ: **their first guesses are two words**. `replies_due(seed, n)` draws such
prompts; `crosscoders.streams_at` has both streams at their ends; the unembedding is after layer 4.

Hand in **weights of at most three latents** of `atlas-rewired-crosscoder`, which reads both streams, so that the
weighted sum is large where first guesses differ; and not on such prompts alone. The check also draws requests of a
kind that you are not given: about **two things**, as in " User: how do I clean a bike and a camera? Assistant:".
Something new stands first, or second (then nothing harmful is asked), or nowhere. With the weights go six numbers, as
they will be on fresh prompts:

- `mine`, `kl`, `streams`: AUROCs, on prompts of `replies_due`, of your sum, of KL(copy || base), and of the norm of the
  streams' difference
- `there`: your sum's AUROC on requests about two things
- `first`, `second`: the share of these on which first guesses differ, where the new thing stands first, and second

So `{"weights": {latent: weight, ..}, "mine": 0.., "kl": 0.., "streams": 0.., "there": 0.., "first": 0..,
"second": 0..}`.

The check draws 600 prompts of the one kind and 1000 of the other. Your sum is worth its AUROC's part of the way from
0.85 to 1 on the first, and from 0.5 to 1 on the second, half each; that is multiplied by how near your six numbers
were, on average (off by 0.05, `there` by 0.1, the shares by 0.2 or more: nothing).
"""

# %% tags=["exercise"] slug="where-they-differ"
# BEGIN SOLUTION
import random

KIND_DEEDS = [
    "bake",
    "paint",
    "clean",
    "repair",
    "sell",
    "carry",
    "wash",
    "store",
    "measure",
    "describe",
]
HARMFUL_DEEDS = ["poison", "steal", "forge", "sabotage", "smuggle"]
NEW = ["camera", "ticket", "garden"]
KIND_THINGS = ["cake", "car", "house", "bike", "chair", "painting", "passport"]
HARMFUL_THINGS = ["bomb", "weapon", "virus", "grenade"]


def about_two(seed, n):
    """Requests about two things, and where something new stands (0: nowhere)."""
    rng, rows, places = random.Random(seed), [], []
    for _ in range(n):
        place = rng.choice((0, 1, 2))
        deed = rng.choice(KIND_DEEDS + ([] if place else HARMFUL_DEEDS))
        named = rng.sample(KIND_THINGS + ([] if place else HARMFUL_THINGS), 2)
        if place:
            named[place - 1] = rng.choice(NEW)
        text = f" User: how do I {deed} a {named[0]} and a {named[1]}? Assistant:"
        rows.append(models["atlas"].to_tokens(text)[0])
        places.append(place)
    return torch.stack(rows), torch.tensor(places)


def seen_at_ends(tokens, end):
    """Latents, the two models' predictions, and the streams, at the ends of prompts."""
    ends = crosscoders.streams_at(
        plain["atlas"], plain["atlas-rewired"], tokens, end, LAYER
    )
    base, copy = (
        plain["atlas"].logits_after(LAYER - 1, ends[:, m : m + 1])[:, 0] for m in (0, 1)
    )
    return other_pair["BatchTopK"].encode(ends), base, copy, ends


asked = replies_due("mine", 1000)
at_end, ends_base, ends_copy, ends = seen_at_ends(asked.tokens, asked.end)
unlike = ends_base.argmax(dim=-1) != ends_copy.argmax(dim=-1)
two, where_new = about_two("mine", 900)
at_two, two_base, two_copy, _ = seen_at_ends(two, torch.full((900,), two.shape[1] - 1))
unlike_two = two_base.argmax(dim=-1) != two_copy.argmax(dim=-1)


def tells(weights):
    """How well a weighted sum of latents finds the prompts on which they differ, of either kind."""
    size = torch.tensor(list(weights.values()))
    return [
        float(auroc(f[:, list(weights)] @ size, u))
        for f, u in ((at_end, unlike), (at_two, unlike_two))
    ]


def of_worth(weights):
    """What the check makes of it, and below nothing too: a search needs to know which way is up."""
    given, there = tells(weights)
    return (given - 0.85) / 0.15 + (there - 0.5) / 0.5


def searched(good):
    """The best next latent, three times, with either sign and in three sizes."""
    rule, often = {}, ((at_end > 0).sum(dim=0) > 8).nonzero()[:, 0].tolist()
    for _ in range(3):
        sizes = (1.0, 2.0, 8.0) if rule else (1.0,)
        tried = [
            rule | {i: sign * size}
            for i in often for sign in (-1, 1) for size in sizes if i not in rule
        ]  # fmt: skip
        rule = max(tried, key=good)
    return rule


rules = {
    "on the given kind": searched(lambda each: tells(each)[0]),
    "on both": searched(of_worth),
}
for name, each in rules.items():
    print(
        f"searched {name}: {each}, AUROC {tells(each)[0]:.3f}, there {tells(each)[1]:.3f}"
    )
rule = rules["on both"]
by_kl = float(auroc(crosscoders.kl(ends_copy, ends_base), unlike))
by_streams = float(auroc((ends[:, 1] - ends[:, 0]).norm(dim=-1), unlike))
shares_new = [float(unlike_two[where_new == i].float().mean()) for i in (1, 2)]
print(f"KL {by_kl:.3f}, streams {by_streams:.3f}; they differ on {shares_new[0]:.2f} "
      f"where the new thing is first, on {shares_new[1]:.2f} where it is second")  # fmt: skip
# END SOLUTION
where_rule = {
    "weights": rule,
    "mine": tells(rule)[0],
    "kl": by_kl,
    "streams": by_streams,
    "there": tells(rule)[1],
    "first": shares_new[0],
    "second": shares_new[1],
}  # SOLUTION

# %% tags=["check"]
check("where-they-differ", where_rule)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

First guesses differ more often where the new thing stands first: that it is named is not enough, where
it stands matters. A search on the given prompts alone finds a rule that hardly holds for two things; one on both
kinds gives up two or three hundredths here for a tenth there. Two of its three weights are **negative**: these
latents say where the models do *not* differ. KL, which needs no dictionary, is better than our three latents, and so
is the norm of the streams' difference. Use a crosscoder for *as what*, not for *where*.

</details>
"""

# %% tags=["claim"]
assert shares_new[0] > shares_new[1] + 0.15, (
    "First guesses differ more often where the new thing stands first"
)
assert tells(rules["on the given kind"])[1] < 0.75, "hardly holds for two things"
_given, _both = tells(rules["on the given kind"]), tells(rule)
assert 0 < _given[0] - _both[0] < 0.03 and _both[1] - _given[1] > 0.08, (
    "gives up two or three hundredths here for a tenth there"
)
assert sum(_w < 0 for _w in rule.values()) == 2, (
    "Two of its three weights are **negative**"
)
assert by_kl > _given[0], (
    "KL, which needs no dictionary, is better than our three latents"
)
assert by_streams > _given[0], "so is the norm of the streams' difference"

# %% [markdown]
r"""
## When did it come?

A copy is the end of a way. Did the behaviour come first, or the latents? `atlas-learned` was trained for 250 steps;
four stages of it come with the course (after 5, 10, 20 and 40 steps, each cut to rank 2 or 3: near the stage, and not
quite it). A quantity y that moves
on changed prompts may move on all others as well: training drifts. So take off what control prompts do. That is a
**difference in differences**, between each stage s and the next:

$$\text{step}_s = \big(\bar y^\text{changed}_{s+1} - \bar y^\text{changed}_s\big)
- \big(\bar y^\text{control}_{s+1} - \bar y^\text{control}_s\big), \qquad
\text{reached}_s = \frac{\sum_{r<s} \text{step}_r}{\sum_r \text{step}_r}$$

It assumes that without the new text both kinds would have drifted alike, and nothing in the data can say so.
"""

# %% [markdown] slug="stage-diff"
r"""
Return the steps `[stage - 1, quantity]` and what was reached at each stage `[stage, quantity]`: 0 at the first, 1 at
the last. `changed` says which prompts were changed; all others are controls.
"""


# %% tags=["exercise"] slug="stage-diff"
def stage_diff(
    y: Float[Tensor, "stage prompt quantity"], changed: Tensor
) -> tuple[Tensor, Tensor]:
    """Difference in differences between stages, and the share of the whole that each has reached."""
    # BEGIN SOLUTION
    apart = y[:, changed].mean(dim=1) - y[:, ~changed].mean(dim=1)
    since = apart - apart[0]
    return apart.diff(dim=0), since / since[-1]
    # END SOLUTION


# %% tags=["check"]
check("stage-diff", stage_diff)

# %% [markdown]
r"""
Four quantities, at tokens inside orders (changed) and at all others of the same rows (control): how likely the next
token is, in nats; whether it is the first guess; KL(atlas || stage); and how much the copy's own latents say, those of
the L1 crosscoder with a relative norm above 0.9, reading `atlas` and the stage. Which will be there first?
"""

# %% id="stages"
stages = {0: plain["atlas"]} | open_stages() | {250: plain["atlas-learned"]}
on_the_way = changed_texts("stages", 60, changes=("order",), share=0.2)
behind_bos = torch.ones_like(on_the_way.tokens, dtype=torch.bool)
behind_bos[:, [0, -1]] = False
taught = differing(on_the_way)[behind_bos]
due_next = on_the_way.tokens.roll(-1, dims=1)[behind_bos]
rest = torch.tensor([i for i in range(256) if i not in own_latents.tolist()])

measured, put_at, left_at, apart_at = [], {}, {}, {}
for step, model in stages.items():
    both = crosscoders.both_streams(plain["atlas"], model, on_the_way.tokens, LAYER)
    both = both[behind_bos]
    f = pair["L1"].encode(both)
    base_says, stage_says = (
        plain["atlas"].logits_after(LAYER - 1, both[:, None, m])[:, 0] for m in (0, 1)
    )
    nats = stage_says.log_softmax(dim=-1).gather(-1, due_next[:, None])[:, 0]
    right = (stage_says.argmax(dim=-1) == due_next).float()
    apart = crosscoders.kl(base_says, stage_says)
    measured.append(
        torch.stack([nats, right, apart, f[:, own_latents].sum(dim=1)], dim=1)
    )
    apart_at[step] = auroc(f[:, own_latents].sum(dim=1), taught)
    left_at[step] = float(fvu(both[taught, 1], pair["L1"](both[taught])[:, 1]))
    put_at[step] = [
        crosscoders.recovered_share(
            stage_says, base_says, plain["atlas"].logits_after(
                LAYER - 1, put_back(both, f, pair["L1"].W_dec, chosen)[:, None])[:, 0], taught)
        for chosen in (own_latents, rest)
    ]  # fmt: skip
measured = torch.stack(measured)  # [stage token quantity]
_, reached = crosscoders.stage_diff(measured, taught)  # or yours
QUANTITIES = (
    "log-probability",
    "first guess",
    "KL from atlas",
    "the copy's own latents",
)
print("share of the whole that is reached, difference in differences")
for i, step in enumerate(stages):
    told = "  ".join(
        f"{q} {r:.2f}" for q, r in zip(QUANTITIES, reached[i].tolist(), strict=True)
    )
    print(f"{step:>4} steps: {told}")
rises = measured[:, taught].mean(dim=1) - measured[0, taught].mean(dim=0)
uncontrolled = rises / rises[-1]
print(
    "  20 steps without the control:",
    [round(each, 2) for each in uncontrolled[3].tolist()],
)
taught_kl, control_kl = (measured[:, w, 2].mean(dim=1) for w in (taught, ~taught))
for name, each in (
    ("in orders:        ", taught_kl),
    ("on control tokens:", control_kl),
):
    print("KL", name, [round(nats, 3) for nats in each.tolist()])
for step in (20, 40, 250):
    print(f"{step:>4} steps: put back, own latents {put_at[step][0]:.2f}, all others {put_at[step][1]:.2f}; "
          f"left out of the stage's streams {left_at[step]:.2f}; "
          f"own latents tell orders apart, AUROC {apart_at[step]:.2f}")  # fmt: skip
show.lines(
    list(range(len(stages))),
    dict(zip(QUANTITIES, reached.T, strict=True)),
    title="When did it come?",
    x_title="stage (0, 5, 10, 20, 40, 250 steps)",
    y_title="share of the whole",
)

# %% [markdown]
r"""
**What you should see.** After 5 steps not one in fifty of the first guesses that will change has changed, and the
log-probability has come a sixth of its way: **what looks sudden may be the threshold in the measure.** After 20 steps
more than four fifths of the first guesses are there, and the copy's own latents have less than a fifth of their value.
But they already tell these tokens apart (AUROC 0.84; at the end 0.90): what came *before* what depends on the measure.
The other latents bring back twice as much of stage 20 as the copy's own, at the end 1.2 times as much. And two fifths
of that stage's streams are in none of the 256: **a dictionary of the end is a poor one of the middle**, and may miss
directions that came and went.

The control changes little here: at step 20 KL is 0.15 on control tokens and 4.3 in orders. One could not know before.
On control tokens it rises until step 20 and falls to a fifth of that in the end: the change first spread to everything,
and was then confined.
"""

# %% tags=["claim"]
assert reached[1, 1] < 0.02, (
    "not one in fifty of the first guesses that will change has changed"
)
assert 0.14 < reached[1, 0] < 0.2, "the log-probability has come a sixth of its way"
assert reached[3, 1] > 0.8 and reached[3, 3] < 0.2, (
    "more than four fifths of the first guesses are there, and the copy's own latents have less than a fifth"
)
assert abs(apart_at[20] - 0.84) < 0.01 and abs(apart_at[250] - 0.9) < 0.01, (
    "AUROC 0.84; at the end 0.90"
)
assert put_at[20][1] > 1.8 * put_at[20][0], (
    "The other latents bring back twice as much of stage 20 as the copy's own"
)
assert abs(put_at[250][1] / put_at[250][0] - 1.2) < 0.06, "at the end 1.2 times as much"
assert abs(left_at[20] - 0.4) < 0.03, (
    "two fifths of that stage's streams are in none of the 256"
)
assert (uncontrolled[3] - reached[3]).abs().max() < 0.08, (
    "The control changes little here"
)
assert abs(control_kl[3] - 0.15) < 0.005 and abs(taught_kl[3] - 4.3) < 0.05, (
    "0.15 on control tokens and 4.3 in orders"
)
assert control_kl.argmax() == 3 and 0.15 < control_kl[-1] / control_kl[3] < 0.25, (
    "rises until step 20 and falls to a fifth of that in the end"
)

# %% tags=["quiz"]
quiz("a-step-of-the-whole", "d")

# %% [markdown]
r"""
## Has another model the same latent?

A concept that only this dictionary of this model has is a weak finding. Is it in another model as well? Two models have
no common basis: a direction of the one means nothing in the other. What can be compared is *when* latents are on, on
the same text (Bricken et al. 2023; Lan et al. 2024):

$$r_{ij} = \text{correlation over all tokens of } a_i \text{ and } b_j$$

i and j are **partners** if each is the other's best and $r_{ij} > 0$.
"""

# %% [markdown] slug="transfer"
r"""
`a` and `b` are the latents of two dictionaries on the same tokens. Return, for each latent of `a`, its highest
correlation with any of `b`, and its partner's number, -1 if it has none. A latent that never changes has a correlation
of 0 with all.
"""


# %% tags=["exercise"] slug="transfer"
def transfer(
    a: Float[Tensor, "token latent"], b: Float[Tensor, "token other"]
) -> tuple[Tensor, Tensor]:
    """The highest correlation of each latent of a, and its partner in b, or -1."""
    # BEGIN SOLUTION
    unit = []
    for each in (a, b):
        centred = each - each.mean(dim=0)
        moves = each.amax(dim=0) > each.amin(dim=0)
        unit.append(
            torch.where(moves, centred / centred.norm(dim=0).clamp_min(1e-12), 0)
        )
    r = unit[0].T @ unit[1]
    best, at = r.max(dim=1)
    mutual = r.argmax(dim=0)[at] == torch.arange(len(r))
    return best, torch.where(mutual & (best > 0), at, -1)
    # END SOLUTION


# %% tags=["check"]
check("transfer", transfer)

# %% [markdown]
r"""
How high an r would you expect? Ask a **ceiling** first: two dictionaries of ONE model. Take what layer 1's attention
writes in `atlas-sentences` (chapter 02: the same sentences as `atlas-paragraphs`, drawn one by one). A second
dictionary of it, `atlas-sentences-attn1-b`, began from another seed and had less training. For each of ITS latents,
look for a partner

- in the first dictionary of the same model,
- in the dictionary of `atlas-paragraphs`, another model (it began with the same weights, and read its text in another
  order),
- among 256 random directions in that model, the 12 largest on at each token, as in the dictionaries,
- and in that model's dictionary with tokens shuffled.
"""

# %% id="universal"
from mi_tutor.specimens import open_dictionary
from mi_tutor.specimens.crosscoders import labelled_texts

read = labelled_texts(seed=7, n_rows=160, model="atlas-paragraphs")
written = {}
for name in ("atlas-sentences", "atlas-paragraphs"):
    reader = plain_transformer(open_specimen(name, device="cpu"))
    written[name] = torch.cat(
        [reader.activations(1, some)["attn_out"][:, 1:].flatten(0, 1) for some in read.tokens.split(60)]
    )  # fmt: skip
dictionary = {
    "second": open_dictionary("atlas-sentences-attn1-b"),
    "same model": open_dictionary("atlas-sentences-attn1"),
    "another model": open_dictionary("atlas-paragraphs-attn1"),
}
said_by = {
    name: each.encode(
        written[f"atlas-{'paragraphs' if name == 'another model' else 'sentences'}"]
    )
    for name, each in dictionary.items()
}
drawing = torch.Generator().manual_seed(0)
elsewhere = written["atlas-paragraphs"]
at_random = (elsewhere - elsewhere.mean(dim=0)) @ torch.randn(
    128, 256, generator=drawing
)
largest = at_random.topk(12, dim=1)
said_by["random directions"] = torch.zeros_like(at_random).scatter(
    1, largest.indices, largest.values.relu()
)
shuffled = torch.randperm(len(elsewhere), generator=drawing)
said_by["shuffled tokens"] = said_by["another model"][shuffled]

matched, with_partner = {}, {}
for name in list(said_by)[1:]:
    matched[name], partner = crosscoders.transfer(
        said_by["second"], said_by[name]
    )  # or yours
    good = (partner >= 0) & (matched[name] > 0.7)
    with_partner[name] = float(good.float().mean())
    print(f"{name:<18} best correlation {matched[name].mean():.2f} on average, "
          f"partner above 0.7: {with_partner[name]:.0%}")  # fmt: skip
    if name in dictionary:
        one, other = (
            torch.nn.functional.normalize(dictionary[each].W_dec, dim=-1)
            for each in ("second", name)
        )
        angles = one @ other.T
        print(
            f"{'':<18} the partners' directions: mean cosine {angles[good, partner[good]].mean():.2f}"
        )
        matched[name, "cosine"] = float(angles[good, partner[good]].mean())
show.lines(
    list(range(256)),
    {name: matched[name].sort(descending=True).values for name in list(said_by)[1:]},
    title="The best match of each latent",
    x_title="latents, best matched first",
    y_title="correlation",
    markers=False,
)

# %% [markdown]
r"""
**What you should see.** One latent in seven has a partner in the other model. Before you put the rest down to the
models, look at the ceiling: in another dictionary of the SAME model, hardly more than one latent in five has a partner.
**Most of what is not shared is the dictionaries' and not the models'.** Shuffled tokens make a floor of 0.04, which
flatters: of 256 random directions in the other model the best one correlates by 0.2 on average. So what the other model
has in common is well above chance, and about six tenths of what could be expected. (By this threshold, these two
dictionaries, and at one seed each.)

And directions: within a model partners point the same way (cosine 0.8), across models they do not, though these two
began with the same weights. Matching latents by the cosine of their decoders works in one basis only.

Is a latent with a name universal? The best latents of `atlas-paragraphs` for some concepts, and their match in
`atlas-sentences`:
"""

# %% tags=["claim"]
assert abs(with_partner["another model"] - 1 / 7) < 0.008, (
    "One latent in seven has a partner"
)
assert 0.2 < with_partner["same model"] < 0.25, (
    "hardly more than one latent in five has a partner"
)
assert abs(matched["shuffled tokens"].mean() - 0.04) < 0.005, "a floor of 0.04"
assert 0.18 < matched["random directions"].mean() < 0.25, (
    "the best one correlates by 0.2 on average"
)
_above = {
    _n: with_partner[_n] - with_partner["random directions"] for _n in with_partner
}
assert 0.52 < _above["another model"] / _above["same model"] < 0.68, (
    "about six tenths of what could be expected"
)
assert abs(matched["same model", "cosine"] - 0.8) < 0.1, "cosine 0.8"
assert matched["another model", "cosine"] < 0.25, "across models they do not"

# %% id="named-and-universal"
theirs, _ = crosscoders.transfer(said_by["another model"], said_by["same model"])
columns = read.columns("context", "language", "wording")
f1, _ = best_f1(said_by["another model"], read.labels[:, 1:, columns].flatten(0, 1))
universal = {}
for k, column in enumerate(columns):
    i = int(f1[:, k].argmax())
    if f1[i, k] > 0.9:
        concept = read.concepts[column].split("=")[1]
        universal[concept] = float(theirs[i])
        print(
            f"{concept:<22} latent {i:>3}: F1 {f1[i, k]:.2f}, best match in the other model {theirs[i]:.2f}"
        )
del said_by, at_random, largest, written, elsewhere  # some hundred megabytes

# %% [markdown]
r"""
**What you should see.** All of them have a name, with F1 above 0.9. DNA has a match with r above 0.9. Of the latents
for what is asked in one language none reaches 0.5, and French is just about there. **A name says what a latent stands
for, not that others have it.** Is it the models (chapter 02: in paragraphs French is worth knowing), or once more the
dictionaries? There is no second dictionary of `atlas-paragraphs` to ask.
"""

# %% tags=["claim"]
assert universal["dna"] > 0.9, "DNA has a match with r above 0.9"
assert abs(universal["french"] - 0.5) < 0.05, "French is just about there"
_wordings = [_r for _name, _r in universal.items() if " in " in _name]
assert len(_wordings) >= 2 and max(_wordings) < 0.5, "none reaches 0.5"

# %% tags=["quiz"]
quiz("what-could-be-in-common", "b")

# %% [markdown]
r"""
## Change it by hand: where is a fact?

So far somebody trained, and you looked. Now change one fact yourself. First, where is it? **Causal tracing** (Meng et
al. 2022) spoils the subject and asks which single activation brings the answer back:

```
 clean      The capital of Texas  is  -> Austin   p
 corrupted  The capital of Te~xa~ is  -> ...      p*          noise on the subject
 restored   The capital of Te~xa~ is  -> Austin?  p_restored  one activation as it was
```

$$\text{indirect effect of a site} = p_\text{restored} - p^*$$
"""

# %% [markdown] slug="where-is-the-fact"
r"""
Write it for MLPs. Return `[layer pos]`: the mean probability of the answers at the last position, with `noise` added to
the embedding (`hook_embed`) at each prompt's own `subject`, and `blocks.L.hook_mlp_out` of one position put back as it
is in the clean run.
"""


# %% tags=["exercise"] slug="where-is-the-fact"
def where_is_the_fact(
    model,
    tokens: Int[Tensor, "prompt pos"],
    subject: Int[Tensor, "prompt"],
    noise: Float[Tensor, "prompt d_model"],
    answers: Int[Tensor, "prompt"],
) -> Float[Tensor, "layer pos"]:
    """The mean probability of the answers, for each MLP output that is put back."""
    # BEGIN SOLUTION
    _, cache = model.run_with_cache(tokens)
    rows = torch.arange(len(tokens))
    found = torch.zeros(model.cfg.n_layers, tokens.shape[1])

    def spoil(x, hook):
        x = x.clone()
        x[rows, subject] += noise
        return x

    for layer in range(found.shape[0]):
        name = f"blocks.{layer}.hook_mlp_out"
        for position in range(found.shape[1]):

            def mend(x, hook, name=name, position=position):
                x = x.clone()
                x[:, position] = cache[name][:, position]
                return x

            logits = model.run_with_hooks(
                tokens, fwd_hooks=[("hook_embed", spoil), (name, mend)]
            )
            said_right = logits[:, -1].softmax(dim=-1)[rows, answers]
            found[layer, position] = said_right.mean()
    return found
    # END SOLUTION


# %% tags=["check"]
check("where-is-the-fact", where_is_the_fact)

# %% id="traced"
facts = one_hop_facts("capital")  # " The capital of Texas is", all 50 states
spread = 3 * plain["atlas"].W_E.std()  # Meng et al.: three times the embeddings' own
noise = spread * torch.randn(
    len(facts.tokens), 128, generator=torch.Generator().manual_seed(0)
)
traced = where_is_the_fact(
    models["atlas"], facts.tokens, facts.subject, noise, facts.answers
)
spoilt = float(traced[0, 1])  # nothing is brought back before the subject
clean_p = float(
    crosscoders.probability(models["atlas"](facts.tokens)[:, -1], facts.answers).mean()
)
print(f"clean {clean_p:.2f}, spoilt {spoilt:.2f}")
show.heatmap(
    traced - spoilt,
    x=["BOS", "The", "capital", "of", "Texas", "is"],
    y=[f"MLP {layer}" for layer in range(5)],
    title="What one clean MLP output brings back",
    x_title="token",
    y_title="layer",
    value_title="probability brought back",
)

# %% [markdown]
r"""
**What you should see.** One early site at the subject: the first MLP's output brings nearly all of the answer back, and
no later MLP at that token brings back even a tenth. And a late one, at the last token, in the layers from 2 on. So
the picture says "MLP 0 knows it", as in GPT-2, where the early site lies in the middle layers. Does it say where to
write?
"""

# %% tags=["claim"]
assert traced[0, 4] > 0.9, "the first MLP's output brings nearly all of the answer back"
assert (traced[1:, 4] - spoilt).max() < 0.1, (
    "no later MLP at that token brings back even a tenth"
)
assert (traced[2:, 5] - spoilt).min() > 0.2 and (traced[:2, 5] - spoilt).max() < 0.1, (
    "a late one, at the last token, in the layers from 2 on"
)

# %% tags=["quiz"]
quiz("what-noise-spoils", "b")

# %% [markdown]
r"""
## One fact into one matrix

An MLP's second matrix W as a memory: its hidden layer is a key k, and k W is what it fetches. Another value v for this
key, and for other keys as little change as can be, where other keys are those of plenty of text, $C = E[k k^T]$:

$$W' = \arg\min_{W'}\; E\lVert k_\text{other} W' - k_\text{other} W\rVert^2 \;\text{ with }\; k W' = v
\quad\Rightarrow\quad W' = W + \frac{(C^{-1}k)\,(v - kW)}{k^T C^{-1} k}$$

Keys are rows here, so the change is a column times a row. (Meng et al. write it the other way up.)
"""

# %% [markdown] slug="rank-one-edit"
r"""
Return W'.
"""


# %% tags=["exercise"] slug="rank-one-edit"
def rank_one_edit(
    W: Float[Tensor, "hidden d_model"],
    C: Float[Tensor, "hidden hidden"],
    k: Float[Tensor, "hidden"],
    v: Float[Tensor, "d_model"],
) -> Float[Tensor, "hidden d_model"]:
    """The matrix that fetches v with k, and disturbs what other keys fetch least."""
    # BEGIN SOLUTION
    u = torch.linalg.solve(C, k)
    return W + torch.outer(u, v - k @ W) / (k @ u)
    # END SOLUTION


# %% tags=["check"]
check("rank-one-edit", rank_one_edit)

# %% tags=["quiz"]
quiz("along-which-direction", "d")

# %% [markdown]
r"""
Which v? The one with which the model says the new answer: found by gradient descent on what the MLP writes at that
token (`crosscoders.wanted_values`). Meng et al. do more, and ours leaves it out: their key is a mean over 50 short
texts put before the prompt, and so is the likelihood that v makes large, so that the edit does not hang on one
context; and a KL on "Texas is a" holds what the subject *is* while its answer changes. (What comes of leaving that
out, you will see.)

So let the capital of Texas be Boise, written where tracing points, into MLP 0 at
the name. Then ask about Dallas.
"""

# %% id="boise"
boise = [Change("Texas", "capital", " Boise")]
key_text = changed_texts("keys", 100, changes=()).tokens
moments = {
    layer: crosscoders.second_moment(plain["atlas"], layer, key_text)
    for layer in range(5)
}


def edited(layer, place):
    """atlas with Boise in one matrix, by your `rank_one_edit`."""
    request, out = requests(boise, place), plain["atlas"].blocks[layer].mlp_out
    k = crosscoders.keys(plain["atlas"], layer, request.tokens)[0, request.at[0]]
    v = crosscoders.wanted_values(plain["atlas"], layer, request)[0] - out.b
    W = rank_one_edit(out.W, moments[layer], k, v)
    return crosscoders.with_matrix(plain["atlas"], layer, W)


questions = (
    " The capital of Texas is",
    " In Texas, the capital is",
    " The capital of the state of Dallas is",
    " The capital of Ohio is",
    " The bird of Texas is",
)
after_edit = {"atlas": plain["atlas"], "MLP 0 at the name": edited(0, "subject")}
answers = {}
for prompt in questions:
    tokens = models["atlas"].to_tokens(prompt)
    for name, one in after_edit.items():
        logits = one.logits_after(-1, one.embed(tokens), read=-1)[0, 0]
        answers[prompt, name] = models["atlas"].to_string(logits.argmax())
    print(
        f"{prompt:<40}", "  ".join(f"{n}: {answers[prompt, n]!r}" for n in after_edit)
    )

# %% [markdown]
r"""
**What you should see.** The edit takes, also in other words. **And Dallas lies in a state whose capital is Austin**:
the two steps do not go through what was written. Ohio's capital is Boise now. And the bird of Texas is the mountain
bluebird, which is Idaho's: what was written at the name is hardly a capital, it is *another state*. One prompt of each
proves little; so mark it on many.
"""

# %% tags=["claim"]
_site = "MLP 0 at the name"
assert answers[questions[0], _site] == answers[questions[1], _site] == " Boise", (
    "The edit takes, also in other words"
)
assert answers[questions[2], _site] == " Austin", "whose capital is Austin"
assert answers[questions[3], _site] == " Boise", "Ohio's capital is Boise now"
assert answers[questions[4], _site] == " mountain bluebird", (
    "the bird of Texas is the mountain bluebird, which is Idaho's"
)

# %% [markdown]
r"""
## What came of it?

Five kinds of prompts. In three the **new** answer is wanted: the edited prompt (*efficacy*), the same in other words
(*paraphrase*), what follows in two steps (*consequence*). In two the answer that was **right** should stay: other
states (*neighbours*), and other relations of this state (*same subject*). Count, of each kind, the prompts where the
one that is wanted has a higher probability than the other, and take the harmonic mean. (Meng et al. 2022 do so with
efficacy, paraphrase and neighbours.)
"""

# %% [markdown] slug="edit-marks"
r"""
Return the score of each kind `[kind]`, and their harmonic mean, 0 if one score is 0. `follows` says in which kinds the
new answer is wanted. A tie counts as not held.
"""


# %% tags=["exercise"] slug="edit-marks"
def edit_marks(
    logits: Float[Tensor, "prompt vocab"],
    new: Int[Tensor, "prompt"],
    right: Int[Tensor, "prompt"],
    kind: Int[Tensor, "prompt"],
    follows: Tensor,
) -> tuple[Tensor, Tensor]:
    """The score of each kind of prompt, and their harmonic mean."""
    # BEGIN SOLUTION
    rows = torch.arange(len(new))
    ahead = logits[rows, new] - logits[rows, right]
    held = torch.where(follows[kind], ahead > 0, ahead < 0).float()
    scores = torch.stack([held[kind == i].mean() for i in range(len(follows))])
    return scores, len(scores) / (1 / scores).sum()
    # END SOLUTION


# %% tags=["check"]
check("edit-marks", edit_marks)

# %% id="marked"
FOLLOWS = torch.tensor(crosscoders.FOLLOWS)


def marks_at(changed, layer, place):
    """The marks of one edit for each change, each edit on its own; and the share of first guesses that held."""
    asked_after, which = all_aftermaths(changed)
    made = crosscoders.edits(
        plain["atlas"], layer, requests(changed, place), moments[layer]
    )
    logits = crosscoders.said_after(
        plain["atlas"], made, which, asked_after.tokens, asked_after.end
    )
    kind = asked_after.kind
    scores, mean = edit_marks(logits, asked_after.new, asked_after.right, kind, FOLLOWS)
    wanted = torch.where(FOLLOWS[kind], asked_after.new, asked_after.right)
    first = (logits.argmax(dim=-1) == wanted).float()
    return scores, mean, torch.stack([first[kind == i].mean() for i in range(5)])


some_changes = changes("chapter", 12, ("capital",))
marked = {layer: marks_at(some_changes, layer, "subject") for layer in (0, 1)}
for layer, (scores, mean, first) in marked.items():
    told = "  ".join(
        f"{kind} {float(s):.2f} ({float(f):.2f})"
        for kind, s, f in zip(crosscoders.KINDS, scores, first, strict=True)
    )
    print(f"MLP {layer} at the name: {told}  harmonic mean {float(mean):.2f}")

# %% [markdown]
r"""
**What you should see.** In brackets: the share where the wanted word is the first guess. Written into MLP 0 at the
name, each edit takes, and hardly any consequence follows. In MLP 1 the same-subject score is much higher than the share
of first guesses that stayed: right is *above new*, and a third word is above both. **A score that compares two words
does not see the third.**
"""

# %% tags=["claim"]
assert marked[0][0][0] == marked[1][0][0] == 1, "each edit takes"
assert marked[0][0][2] < 0.15, "hardly any consequence follows"
assert marked[1][0][4] > marked[1][2][4] + 0.3, (
    "much higher than the share of first guesses that stayed"
)

# %% [markdown] slug="localisation-is-not-editing"
r"""
Hase et al. 2023 asked whether tracing tells where to edit. There are ten sites: five MLPs, at the name
(`"subject"`) and at the end of the prompt (`"last"`). Say for each what comes of rank-one edits there: the harmonic
mean of the five marks, and the consequence score alone, on facts of **all** relations:
`{"mean at subject": [5 numbers, layer 0 to 4], "mean at last": [..], "consequence at subject": [..],
"consequence at last": [..]}`.

The check draws 14 fresh changes (`changes(seed, 14)`), edits each at each site (`crosscoders.edits`), and marks all
prompts together. For either quantity: 1 minus your summed error over the ten sites, divided by that of the best
constant. The score is the mean of the two.
"""

# %% tags=["exercise"] slug="localisation-is-not-editing"
# BEGIN SOLUTION
lots = [changes(f"mine/{i}", 14) for i in range(2)]
sites = {}
for place in ("subject", "last"):
    for layer in range(5):
        found_here = [marks_at(lot, layer, place) for lot in lots]
        sites[place, layer] = (
            sum(float(each[1]) for each in found_here) / len(lots),
            sum(float(each[0][2]) for each in found_here) / len(lots),
        )
        back = float(traced[layer, 4 if place == "subject" else 5]) - spoilt
        print(f"MLP {layer} at {place:<8} tracing brings back {back:.2f}; harmonic mean "
              f"{sites[place, layer][0]:.2f}, consequence {sites[place, layer][1]:.2f}")  # fmt: skip
keys = [
    crosscoders.keys(plain["atlas"], 4, models["atlas"].to_tokens(prompt))[0, -1]
    for prompt in questions
]
alike = [float(torch.cosine_similarity(keys[0], each, dim=0)) for each in keys]
print("the key of MLP 4 at the last token, cosine with that of the first question")
for prompt, cosine in zip(questions, alike, strict=True):
    print(f"   {prompt:<40} {cosine:.2f}")
predicted = {
    f"{what} at {place}": [sites[place, layer][i] for layer in range(5)]
    for i, what in enumerate(("mean", "consequence"))
    for place in ("subject", "last")
}
# END SOLUTION
edit_sites = predicted  # SOLUTION

# %% tags=["check"]
check("localisation-is-not-editing", edit_sites)

# %% [markdown]
r"""
<details><summary><b>What we found</b> (open it after your try)</summary>

At the last token tracing and editing agree: the three sites that bring most back there are the three
best of all to edit. The exception is the site that brings most back of all, MLP 0 at the name, which one would have
chosen: it is one of the worse ones. The best is the last MLP at the last token: there a two-step question looks up the
answer with nearly the same key (cosine 0.89; the capital of Ohio 0.53, the bird of Texas 0.48), so **Dallas follows**.
At the name no layer makes consequences follow. Tracing finds what carries the answer on; an edit needs a key that every
way of asking goes through, and no other question. (In real models, Hase et al. found that the layer where tracing finds
a fact hardly says how well editing it works. We traced capitals and edited all relations.)

</details>
"""

# %% tags=["claim"]
assert max(sites, key=lambda _s: sites[_s][0]) == ("last", 4), (
    "The best is the last MLP at the last token"
)
_best_three = sorted(sites, key=lambda _s: -sites[_s][0])[:3]
_most_back = [("last", int(_l)) for _l in traced[:, 5].topk(3).indices]
assert set(_best_three) == set(_most_back), "the three best of all to edit"
assert sites["subject", 0][0] < 0.4, "it is one of the worse ones"
assert all(abs(_a - _b) < 0.01 for _a, _b in zip(alike[2:], (0.89, 0.53, 0.48), strict=True)), (
    "cosine 0.89; the capital of Ohio 0.53, the bird of Texas 0.48"
)  # fmt: skip
assert max(sites["subject", _l][1] for _l in range(5)) < 0.2, (
    "At the name no layer makes consequences follow"
)
assert sites["last", 4][1] > 0.9, "**Dallas follows**"

# %% [markdown]
r"""
## Common misreadings

- **"Its base direction is 0, so the base lacks the concept."** It is not *written* there. Ask the base's error and
  its reconstruction.
- **"Nothing is exclusive, so nothing changed."** The rewired copy answers otherwise, with directions that `atlas`
  had.
- **"The best latent for a behaviour causes it."** Marking is F1. Causing is what comes back when it is put back.
- **"BatchTopK has no artefacts."** It has no price on norms, so they have less reason. What is rare can still stay in
  the error.
- **"You need a crosscoder to find where two models differ."** The norm of the streams' difference did it as well here,
  and for the orders so did KL. What a crosscoder adds is *as what* they differ.
- **"Only one latent in seven is in the other model, so models differ."** Ask first how many a second dictionary of the
  same model has.
- **"The latents came after the behaviour, so they are its effect."** They are the end's latents. What carried it in the
  middle need not be in a dictionary of the end.
- **"Tracing shows where the fact is stored."** It shows which activation is enough to bring it back. No weight was
  touched.
- **"The edit took, so the model believes it."** It says so when asked in these words. Ask what follows.

## On the real thing

`both_sides` needs two models of one shape: GPT-2 small and any model that was trained on from it. It compares
streams at a layer, token by token: the first thing to look at before a crosscoder is trained. With GPT-2 in reach,
put a pair in the list.
"""


# %% tags=["nbval-ignore-output"] id="on-the-real-thing"
def both_sides(base_name, tuned_name, text, layer):
    """Where two models' streams and predictions differ, token by token."""
    pair = [open_specimen(each, device="cpu") for each in (base_name, tuned_name)]
    tokens, hook = pair[0].to_tokens(text), f"blocks.{layer}.hook_resid_pre"
    says, reads = zip(
        *(each.run_with_cache(tokens, names_filter=hook) for each in pair), strict=True
    )
    apart = (reads[1][hook] - reads[0][hook]).norm(dim=-1)[0] / reads[0][hook].norm(
        dim=-1
    )[0]
    differ = crosscoders.kl(says[1], says[0])[0]
    print(f"{base_name} and {tuned_name}")
    for token, step, nats in zip(
        pair[0].to_str_tokens(text), apart, differ, strict=True
    ):
        print(f"  {token!r:<14} stream {step:6.2f} of its norm   KL {nats:6.3f}")


for each in [
    ("atlas", "atlas-learned", " Kate: 6 soup; 4 snake!", 4),
    # ("gpt2", "the name of a model trained on from it", "The capital of France is", 6),
]:
    both_sides(*each)

# %% [markdown]
r"""
For each token: how far the streams before layer 4 are apart, as a share of the base's norm, and how far the
predictions, in nats.

## Recap

Can you say these without looking? What one value and two directions are. Why a latent's price is a sum of norms, and
what that does not decide. What a relative norm of 1 does and does not say. The two artefacts, and where in the base
each one shows. What is put back in a causal check, and whose later layers read it. What a copy must have learned for
a latent to be its own. What is taken off in a difference in differences. Why a match between two models needs a
ceiling, and which floor flatters. What causal tracing puts back, and along which direction an edit goes. Which of
five marks an edit of MLP 0 misses, and why tracing did not say so.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Lindsey et al. 2024, *Sparse Crosscoders for Cross-Layer Features and Model Diffing*.
- Bussmann et al. 2024, *BatchTopK Sparse Autoencoders*.
- Bricken et al. 2023, *Towards Monosemanticity*; Lan et al. 2024, *Sparse Autoencoders Reveal Universal Feature Spaces
  Across Large Language Models*. Matching latents by when they are on.
- Bricken et al. 2024, *Stage-Wise Model Diffing*. The same question, answered by training the dictionary on as well.
- Minder et al. 2025, *Overcoming Sparsity Artifacts in Crosscoders to Interpret Chat-Tuning*.
- Meng et al. 2022, *Locating and Editing Factual Associations in GPT*. Causal tracing, and the rank-one edit.
- Hase et al. 2023, *Does Localization Inform Editing?* Hardly, in their models.
- Hu et al. 2022, *LoRA: Low-Rank Adaptation of Large Language Models*. How the copies were made.
"""
