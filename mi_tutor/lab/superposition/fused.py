"""The training step of many toy models, written out by hand: the fast twin of `train_toy`.

What makes it fast on small models is few, large operations into memory that is already there:

1. Samples are COLUMNS here, x is [instance feature sample]. The long axis is the contiguous one,
   which small matrix products need to run at full speed.
2. The gradients below replace autograd. With e = ∂L/∂z, where x' = ReLU(z), z = Wᵀ h + b, h = W x
   and L = 1/B Σ_samples Σ_i I_i (x'_i - x_i)²,

       e      = 2/B · I ∘ (x' - x) ∘ 1[z > 0]
       ∂L/∂b  = Σ_samples e
       ∂L/∂W  = h eᵀ + (W e) xᵀ          (two terms: W is used on the way down and up)

   With a ReLU on the hidden layer, W e also gets the factor 1[h > 0]. Without one on the output, e loses its own.
3. One Adam moves all weights of all instances, which lie in one flat tensor.

`tests/lab` holds this file against `train_toy` and torch.optim.Adam.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


class Adam:
    """Adam (Kingma and Ba 2015) on one flat tensor, in place, with torch.optim.Adam's defaults."""

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Float[Tensor, "parameter"]) -> None:
        self.parameters = parameters
        self.gradient = torch.zeros_like(parameters)
        self._mean = torch.zeros_like(parameters)
        self._mean_square = torch.zeros_like(parameters)
        self._scratch = torch.zeros_like(parameters)
        self._n_steps = 0

    def step(self, learning_rate: float) -> None:
        """Move the parameters against `self.gradient`."""
        self._n_steps += 1
        bias1 = 1 - self.beta1**self._n_steps
        bias2 = 1 - self.beta2**self._n_steps
        self._mean.lerp_(self.gradient, 1 - self.beta1)
        self._mean_square.mul_(self.beta2)
        self._mean_square.addcmul_(self.gradient, self.gradient, value=1 - self.beta2)
        torch.sqrt(self._mean_square, out=self._scratch)
        self._scratch.div_(math.sqrt(bias2)).add_(self.epsilon)
        self.parameters.addcdiv_(self._mean, self._scratch, value=-learning_rate / bias1)


class FusedToys:
    """Many ReLU toy models side by side. `W` and `b` are views of one flat tensor.

    Args:
        W: starting weights, copied.
        b: starting biases, copied.
        importance: weight of each feature in the loss, per instance.
        n_batch: samples per instance and step.
        hidden_relu: put a ReLU on the hidden layer (`neuron_forward`).
        output_relu: keep the one on the output; without it, x' = z.
        max_part: the most instances given to `accumulate` at once; all of them by default.
    """

    def __init__(
        self,
        W: Float[Tensor, "instance hidden feature"],
        b: Float[Tensor, "instance feature"],
        importance: Float[Tensor, "instance feature"],
        n_batch: int,
        hidden_relu: bool = False,
        output_relu: bool = True,
        max_part: int | None = None,
    ) -> None:
        flat = torch.cat([W.flatten(), b.flatten()])
        self.adam = Adam(flat)
        self.W, self.b = flat[: W.numel()].view_as(W), flat[W.numel() :].view_as(b)
        gradient = self.adam.gradient
        self._grad_W = gradient[: W.numel()].view_as(W)
        self._grad_b = gradient[W.numel() :].view_as(b)
        self._weight = (importance * 2 / n_batch).unsqueeze(1)
        self._hidden_relu, self._output_relu = hidden_relu, output_relu
        n_instances, n_hidden, n_features = W.shape
        n = max_part or n_instances
        self._z = W.new_empty(n, n_features, n_batch)
        self._error = W.new_empty(n, n_features, n_batch)
        self._hidden = W.new_empty(n, n_hidden, n_batch)
        self._back = W.new_empty(n, n_hidden, n_batch)
        self._weighted_W = W.new_empty(n, n_hidden, n_features)

    def step(self, x: Float[Tensor, "instance feature sample"], learning_rate: float) -> None:
        """One step of all instances, each on its own batch."""
        self.accumulate(x, slice(None))
        self.adam.step(learning_rate)

    def accumulate(self, x: Float[Tensor, "part feature sample"], part: slice) -> None:
        """Write the gradients of the instances in `part`.

        Going through the instances in parts keeps the working memory small enough for the
        processor's cache. Call `adam.step` after the last part.
        """
        W, b, weight = self.W[part], self.b[part].unsqueeze(2), self._weight[part]
        grad_W, grad_b = self._grad_W[part], self._grad_b[part]
        n = len(x)
        z, error, hidden, back = self._z[:n], self._error[:n], self._hidden[:n], self._back[:n]

        torch.bmm(W, x, out=hidden)
        if self._hidden_relu:
            hidden.clamp_min_(0)
        torch.baddbmm(b, W.mT, hidden, out=z)

        # (x' - x) ∘ 1[z > 0]. Where z > 0, x' is z; elsewhere the ReLU lets no gradient through.
        torch.sub(z, x, out=error)
        if self._output_relu:
            _zero_where_not_positive(error, z)
        # The factor 2/B · I is the same for all samples, so it goes into the small tensors.
        weighted_W = torch.mul(W, weight, out=self._weighted_W[:n])
        torch.bmm(weighted_W, error, out=back)
        if self._hidden_relu:
            _zero_where_not_positive(back, hidden)

        torch.bmm(hidden, error.mT, out=grad_W)
        grad_W.mul_(weight)
        grad_W.baddbmm_(back, x.mT)
        torch.sum(error, dim=2, out=grad_b)
        grad_b.mul_(weight.squeeze(1))

    def loss(self, x: Float[Tensor, "part feature sample"], part: slice) -> Float[Tensor, "part"]:
        """`weighted_loss` of the instances in `part`, one number per instance."""
        W, b = self.W[part], self.b[part].unsqueeze(2)
        hidden = torch.bmm(W, x)
        if self._hidden_relu:
            hidden.clamp_min_(0)
        error = torch.baddbmm(b, W.mT, hidden)
        if self._output_relu:
            error.clamp_min_(0)
        error.sub_(x)
        n_batch = self._z.shape[-1]
        return (error.square_().mean(dim=2) * self._weight[part, 0] * (n_batch / 2)).sum(dim=1)


def _zero_where_not_positive(
    values: Float[Tensor, "instance row sample"], gate: Float[Tensor, "instance row sample"]
) -> None:
    """values ∘ 1[gate > 0] in place: the backward pass of a ReLU, in one pass over memory."""
    torch.ops.aten.threshold_backward.grad_input(values, gate, 0, grad_input=values)
