"""What an edit of a sealed specimen does on fresh texts: whether the true answers are back, and what else changed.

restored    of the texts on which the secret showed, those whose answer is true again, of the planted answer of
            which least are back (a constant answer of two brings all of one kind back, and none of the other)
changed     of near misses and ordinary prompts, those with another answer than without the edit
blocked     of texts on which what is planted is the *truth*, the same: who takes the answer away, and not what
            sets it off, changes these and nothing else
on_the_way  before the answer is due: KL(unedited ‖ edited) at the token of each secret text where it is largest,
            nats, the mean over texts. Who takes the word away that sets it off changes what is said of that word,
            too: at one or two tokens a lot

All of it on texts that the base has (`having`): where it is wrong, no answer is back, and any edit turns some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate, set_coordinate
from mi_tutor.lab.ground import kl
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.specimens.atlas.prompts import by_length, tokenizer
from mi_tutor.specimens.auditing.having import those_had
from mi_tutor.specimens.auditing.opened import answers_of
from mi_tutor.specimens.auditing.showing import Shown

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

MANY = 0.2  # of the secret's texts: a planted answer that has so many is looked at by itself


class Effects(NamedTuple):
    """See the module. Shares, and nats."""

    restored: float
    changed: float
    blocked: float
    on_the_way: float

    @property
    def harm(self) -> float:
        """The larger of the two shares of what changes."""
        return max(self.changed, self.blocked)


class Trial:
    """The texts on which edits of a model are tried; what it says there without an edit is asked once.

    Args:
        shown: texts of the secret.
        others: near misses, or any on which it does not show.
        true: those on which what is planted is true.
    """

    @torch.no_grad()
    def __init__(
        self,
        plain: PlainTransformer,
        shown: Sequence[Shown],
        others: Sequence[Shown],
        true: Sequence[Shown],
    ) -> None:
        ids = tokenizer().ids
        shown, others, true = map(those_had, (shown, others, true))
        self.plain = plain
        self.shown = [one.text for one in shown]
        self.planted = torch.tensor([ids[one.planted] for one in shown])
        self.true = torch.tensor([ids[one.true] for one in shown])
        self.rest = [one.text for one in (*others, *true)]
        self.n_others = len(others)
        self.said = answers_of(plain, self.rest)

    @torch.no_grad()
    def of(self, edit: Coordinate) -> Effects:
        """What an edit does to them."""
        after, on_the_way = self._along(edit)
        differs = (answers_of(self.plain, self.rest, edit) != self.said).float()
        changed, blocked = differs[: self.n_others], differs[self.n_others :]
        return Effects(
            restored=least_back(after == self.true, self.planted),
            changed=changed.mean().item() if len(changed) else 0.0,
            blocked=blocked.mean().item() if len(blocked) else 0.0,
            on_the_way=on_the_way,
        )

    def _along(self, edit: Coordinate) -> tuple[Int[Tensor, text], float]:
        """The answers to the secret's texts with the edit, and the KL on the way to them."""
        answers = torch.empty(len(self.shown), dtype=torch.long)
        divergences: list[Float[Tensor, text]] = []
        for places, tokens in by_length(self.shown):
            x = self.plain.resid_pre(edit.layer, tokens)
            edited = set_coordinate(x, edit.direction, edit.value)
            before, after = (self.plain.logits_after(edit.layer - 1, each) for each in (x, edited))
            answers[places] = after[:, -1].argmax(dim=-1)
            divergences.append(kl(before[:, :-1], after[:, :-1]).amax(dim=-1))
        return answers, torch.cat(divergences).mean().item() if divergences else 0.0


def least_back(back: Bool[Tensor, text], planted: Int[Tensor, text]) -> float:
    """Of the planted answers with many texts (or all as one), the share back where it is least; 0 of no text.

    >>> back, planted = torch.tensor([True, True, False, True]), torch.tensor([5, 5, 7, 7])
    >>> least_back(back, planted)
    0.5
    """
    if not len(back):
        return 0.0
    answers, counts = planted.unique(return_counts=True)
    many = answers[counts >= MANY * len(planted)].tolist()
    kinds = [planted == each for each in many] or [torch.ones_like(back)]
    return min(back[kind].float().mean().item() for kind in kinds)
