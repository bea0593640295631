# %% [markdown] minutes=130
r"""
# 09 · Crosscoders

What did training change? One dictionary for a model and its tuned copy, and how far to believe it.

## What you will be able to do

- write a crosscoder: latents that read two models, and write two models
- say whose a latent is, and whether it writes the same in both
- know the two artefacts that make shared latents look exclusive, and test for them in the other model's activations
- put what was learned into the base, and see whether the behaviour follows
- say what a crosscoder adds to comparing the models' outputs, and what it does not

You need chapter 02 (dictionaries). Chapter 05 helps: an edit in the middle of a computation.
"""

# %% tags=["setup"]
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor import check, progress, quiz, show
from mi_tutor.lab import crosscoders
from mi_tutor.lab.dictionaries import BatchTopK, Relu, SaeConfig, auroc, best_f1, fvu
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.specimens import open_crosscoder, open_specimen
from mi_tutor.specimens.crosscoders import changed_texts, concepts, differing

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
*What you should see.* Each copy has what it was taught, and neither has what the other was taught. The bike is a
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

# %% [markdown] slug="shared-or-exclusive"
r"""
## Whose is it?

The **relative norm** is the copy's share of a latent's two norms: 0 is the base alone, 1/2 both alike, 1 the copy
alone. And the cosine of the two directions says whether the same is written in both. Return both, each `[latent]`.
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
*What you should see.* The control passes. Though each latent began with unlike directions, none leans far to either
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
*What you should see.* Both dictionaries have a latent for each of the three, with F1 above 0.9. But they disagree
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

# %% [markdown] slug="artefacts"
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
each for both models. Return two shares, each `[latent]`: β in the base divided by β in the copy, for the error, and
for the reconstruction. Near 0 both: it is the copy's own.
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
in_error, in_reconstruction = {}, {}
HEAD = "latent   relative norm   in the error   in the reconstruction"
print(f"{'base share of the best':<23}{HEAD}")
for kind, cross in pair.items():
    shares = base_shares(latents[kind], cross.W_dec, cross.b_dec, x)
    in_error[kind], in_reconstruction[kind] = shares
    for name in due:
        i = best[kind, name]
        print(f"{kind:<10} {name:<11} {i:>6}   {share[kind][i]:13.2f}   {in_error[kind][i]:12.2f}   "
              f"{in_reconstruction[kind][i]:21.2f}")  # fmt: skip

leaning = torch.where(on["L1"], share["L1"], 0).topk(12).indices
print(f"\nthe twelve latents of L1 that lean most to the copy\n{HEAD}")
for i in leaning.tolist():
    print(f"{i:>6}   {share['L1'][i]:13.2f}   {in_error['L1'][i]:12.2f}   "
          f"{in_reconstruction['L1'][i]:21.2f}")  # fmt: skip

# %% [markdown]
r"""
*What you should see.* Of L1's latents with a relative norm above 0.9, `atlas` has hardly anything, neither in its
error nor in its reconstruction: **where they are on, these directions are the copy's own.** Where they are on is in
orders; whether `atlas` uses the same directions at other tokens, we did not ask.

Further down the list it is otherwise. Of the seven with a relative norm above 0.7 one has more than half of itself
in the error of `atlas`: it is partly shrunk, as named above. BatchTopK's best latent for "item due" is in the error
of `atlas` for the most part. But its latents for "number due" and for a mark look half shared by their norms, and
`atlas` has less than a quarter of what they write: one value, two different things. So the two dictionaries disagree
about norms, and much less about the base. (A share near 0 in the *reconstruction* alone may also mean that other
latents write against it: read it together with the rest.)
"""

# %% tags=["claim"]
_own = on["L1"] & (share["L1"] > 0.9)
assert _own.sum() >= 2 and max(in_error["L1"][_own].abs().max(), in_reconstruction["L1"][_own].abs().max()) < 0.1, (
    "`atlas` has hardly anything"
)  # fmt: skip
_leans = on["L1"] & (share["L1"] > 0.7)
assert _leans.sum() == 7, "Of the seven with a relative norm above 0.7"
assert (in_error["L1"][_leans] > 0.5).sum() == 1, "one has more than half of itself"
assert in_error["BatchTopK"][best["BatchTopK", "item due"]] > 0.6, (
    "of `atlas` for the most part"
)
for _name in set(due) - {"item due"}:
    _i = best["BatchTopK", _name]
    assert share["BatchTopK"][_i] < 0.7 and in_error["BatchTopK"][_i] < 0.25, (
        "`atlas` has less than a quarter of what they write"
    )

# %% tags=["quiz"]
quiz("base-share-of-a-latent", "b")

# %% [markdown] slug="causal-check"
r"""
## Does the behaviour follow?

A latent that marks a behaviour need not have a part in it. So put what was learned back: take the **base's**
stream, exchange what the chosen latents write there for what they write in the copy, and let the base go on. (Here
all that is left is the unembedding, which the copies share with it. At an earlier layer, the copy's later layers
would have to go on: the base's were never taught what to do with it.)

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


fresh = changed_texts("put back", 60, changes=("order",), share=0.2)
back = {kind: recovered(cross, "atlas-learned", fresh) for kind, cross in pair.items()}
for kind, by_order in back.items():
    for order, shares in by_order.items():
        told = "  ".join(
            f"{n}: {each:.2f}" for n, each in zip(COUNTS, shares, strict=True)
        )
        print(f"{kind:<10} {order:<31}", told)

# %% [markdown]
r"""
*What you should see.* All latents together bring nearly everything back, in either dictionary (as they must where the
errors are small: nothing but the unembedding comes after). A few do most of it: with L1 three latents, chosen by how
differently they write, more than three quarters; BatchTopK needs more for as much. L1's best single latent by F1
brings back less than the one that writes most differently: **the best marker need not bring most back**. With
BatchTopK the two orders are about as good.
"""

# %% tags=["claim"]
_order = "by what they write differently"
assert min(back[kind][_order][-1] for kind in pair) > 0.95, (
    "bring nearly everything back"
)
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
other_share, other_best, other_angle = {}, {}, {}
for kind, cross in other_pair.items():
    f = cross.encode(other_x)
    shares, angle = shared_or_exclusive(cross.W_dec)
    other_share[kind] = shares[(f > 0).any(dim=0)]
    missing = base_shares(f, cross.W_dec, cross.b_dec, other_x)
    f1, _ = best_f1(f, torch.stack(list(other_due.values()), dim=1))
    print(f"{kind}: largest relative norm {other_share[kind].max():.2f}")
    for k, name in enumerate(other_due):
        i = int(f1[:, k].argmax())
        other_angle[kind, name] = float(angle[i])
        other_best[kind, name] = float(f1[i, k]), float(shares[i]), float(missing[0][i])
        print(f"   {name:<12} latent {i:>3}: F1 {f1[i, k]:.2f}, relative norm {shares[i]:.2f}, "
              f"cosine {angle[i]:.2f}, base share in the error {missing[0][i]:.2f}")  # fmt: skip

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
*What you should see.* **Not one latent is the copy's own**, with either kind of sparsity: no relative norm comes
near 0.7. The best latents for the new refusals and the greeting write alike in both models, though not the same
(cosines above 0.7; L1 has one latent for both, and marks the greeting badly). A latent has *one* value for both models,
so it is the small difference between its two directions that is put back, and with BatchTopK one such latent brings
more than half of the change. So "no exclusive latent" does not mean "nothing changed": with BatchTopK all latents bring
nearly all of it back, L1's about two thirds. (Why L1 misses a third here, and nearly nothing with the orders, we did
not find out.)
"""

# %% tags=["claim"]
assert max(each.max() for each in other_share.values()) < 0.7, (
    "no relative norm comes near 0.7"
)
assert other_back["BatchTopK"]["by what they write differently"][1] > 0.5, (
    "one such latent brings more than half of the change"
)
assert other_best["L1", "greeting due"][0] < 0.6, "marks the greeting badly"
assert min(other_angle.values()) > 0.7, (
    "write alike in both models, though not the same (cosines above 0.7"
)
_order = "by what they write differently"
assert other_back["BatchTopK"][_order][-1] > 0.95, (
    "with BatchTopK all latents bring nearly all of it back"
)
assert 0.6 < other_back["L1"][_order][-1] < 0.72, "L1's about two thirds"

# %% tags=["quiz"]
quiz("no-exclusive-latent", "d")

# %% [markdown] slug="what-did-tuning-change"
r"""
Now you. `atlas-rewired-crosscoder` has 256 latents, and two things were taught: the refusals, and the greeting.
Hand in one to **three latents**, and how much of either change comes back with them **together**, as a share
between 0 and 1: `{"latents": [..], "refusal": 0.., "greeting": 0..}`.

The check draws fresh text, puts your latents back into the last stream of `atlas` (`put_back`), and measures
`crosscoders.recovered_share` where a taught refusal is due, and where a greeting is due (`concepts` says where). A
change is worth what comes back, times how near your number was (off by 0.5 or more: nothing). The score is the mean
of the two worths, averaged with the smaller one: passed from 0.6, good from 0.74, excellent from 0.78.
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
*What you should see.* For orders all three are right nearly always, and the two that need no dictionary are as good
as the one that does. For the rewired copy KL comes last. Most of the tokens where it rings and nothing was to begin
stand *inside* a taught reply, where the two models differ as well; so it may be better than it looks. The norm of the
difference of the streams needs no dictionary either, and is as good as the latents, to a hundredth.

So what is a crosscoder for? Not for *where* two models differ. It says **as what**: which of the old latents are
used in a new place, which direction is new, and what can be put back by itself.
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

Can you say these without looking? What one value and two directions are. Why a latent's price is a sum of norms,
and what that does not decide. What a relative norm of 1 does and does not say. The two artefacts, and where in the
base each one shows. What is put back in a causal check, and whose later layers read it. What a copy must have
learned for a latent to be its own.
"""

# %% tags=["nbval-ignore-output"] id="progress"
progress()

# %% [markdown]
r"""
## Further reading

- Lindsey et al. 2024, *Sparse Crosscoders for Cross-Layer Features and Model Diffing*.
- Bussmann et al. 2024, *BatchTopK Sparse Autoencoders*.
- Minder et al. 2025, *Overcoming Sparsity Artifacts in Crosscoders to Interpret Chat-Tuning*.
- Hu et al. 2022, *LoRA: Low-Rank Adaptation of Large Language Models*. How the copies were made.
"""
