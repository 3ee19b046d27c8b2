"""The network of preset `reference`: two encoders, a predictor, an EMA.

What is unusual, in the order the data passes it:

- The context encoder never gets the hidden slots: the visible ones are gathered, not zeroed.
- Every window has its own hidden slots, equally many in a batch, so all shapes are static.
- Blocks are pre-norm with GELU, one fused qkv, no dropout, biases everywhere, learned positions.
- The target is the final LayerNorm's output of an EMA copy, so it has unit variance per token.
- The last block of the predictor and, while training, of the target encoder computes the hidden
  slots only; they attend to all.
- The predictor has positions of its own, as large as the tokens they are added to. Its head starts
  almost at zero, with the bias `HEAD_BIAS` in every dimension: a LayerNormed target sums to zero
  over dimensions, so the bias is orthogonal to it and adds its square to the loss, no more and no
  less. An untrained model scores 1.04 +- 0.02 for any seed, on any data.
- Weights come from a generator of their own: no global RNG is read or moved.
- An embedding is the mean over all 96 target tokens: a window is embedded without a mask.

Letters in shapes: B windows, N slots, V visible, H hidden, D d_model.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from jepa_ray.config import ModelConfig
from jepa_ray.errors import UsageError
from jepa_ray.model.layers import Encoder, Predictor
from jepa_ray.windows import FEATURE_COUNT, SLOTS

HEAD_GAIN = 0.05
"""Root mean square of what varies in an untrained prediction; what is common is the bias."""

HEAD_BIAS = 0.2
POSITION_STD = 0.5
PREDICTOR_POSITION_STD = 1.0
EMBED_CHUNK = {"cpu": 64}
"""Windows embedded at once, by device: what 64 need lies in a CPU's cache; 512 take half as long
again."""
_ELSEWHERE = 512


class JEPAOutput(NamedTuple):
    """What one forward pass predicts, and what it should have predicted.

    Attributes:
        predictions: [B, H, D], at the hidden slots, in the order of `hidden`.
        targets: [B, H, D], of the target encoder, detached.
    """

    predictions: Tensor
    targets: Tensor


class ScheduleJEPA(nn.Module):
    """A joint-embedding predictive architecture over schedule windows.

    Args:
        config: Widths and depths.
        seed: Of the weights, in [0, 2**63). Equal seeds give equal weights, and the target
            encoder starts as a copy of the context encoder.
    """

    def __init__(self, config: ModelConfig, *, seed: int) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):  # allocates and draws nothing: _initialise does
            self.context_encoder = Encoder(config)
            self.target_encoder = Encoder(config)
            self.predictor = Predictor(config)
        # Not `to_empty`: that imports sympy, which takes a second.
        self._apply(lambda weight: torch.empty(weight.shape, dtype=weight.dtype))  # type: ignore[no-untyped-call]
        self._initialise(torch.Generator().manual_seed(seed))
        self.target_encoder.requires_grad_(requires_grad=False)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0, module.in_features**-0.5, generator=generator)
                module.bias.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()
        self.context_encoder.positions.normal_(0, POSITION_STD, generator=generator)
        self.target_encoder.load_state_dict(self.context_encoder.state_dict())
        predictor = self.predictor
        predictor.positions.normal_(0, PREDICTOR_POSITION_STD, generator=generator)
        predictor.mask_token.zero_()
        head = predictor.head
        nn.init.orthogonal_(head.weight, HEAD_GAIN, generator=generator)
        head.weight.sub_(head.weight.mean(dim=0))  # outputs sum to zero, as the targets do
        head.bias.fill_(HEAD_BIAS)

    def forward(self, x: Tensor, visible: Tensor, hidden: Tensor) -> JEPAOutput:
        """Predict what the target encoder says about the hidden slots.

        Args:
            x: [B, 96, 16] windows.
            visible: int64 [B, V], the slots that the context encoder sees.
            hidden: int64 [B, H], the slots to predict.

        Returns:
            Predictions, and targets without a gradient.
        """
        return JEPAOutput(
            predictions=self.predict(x, visible, hidden),
            targets=self.target_tokens(x, hidden),
        )

    def predict(self, x: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        """Only the prediction of `forward`: [B, H, D]."""
        context = self.context_encoder(x, visible)  # [B, V, D]
        predictions: Tensor = self.predictor(context, visible, hidden)
        return predictions

    @torch.no_grad()
    def target_tokens(self, x: Tensor, slots: Tensor | None = None) -> Tensor:
        """What the target encoder makes of whole windows, without a gradient.

        Args:
            x: [B, 96, 16] windows.
            slots: int64 [B, H], whose tokens are wanted; None: all.

        Returns:
            [B, H, D], or [B, 96, D].
        """
        tokens: Tensor = self.target_encoder(x, asked=slots)
        return tokens

    @staticmethod
    def loss(output: JEPAOutput) -> Tensor:
        """Mean squared error over windows, hidden slots and dimensions; a float32 scalar."""
        return F.mse_loss(full_precision(output.predictions), full_precision(output.targets))

    @torch.no_grad()
    def update_target(self, decay: float) -> None:
        """Move the target encoder: target = decay * target + (1 - decay) * context."""
        targets: list[Tensor] = list(self.target_encoder.parameters())
        contexts: list[Tensor] = list(self.context_encoder.parameters())
        torch._foreach_lerp_(targets, contexts, 1 - decay)

    def embed(self, windows: Tensor | NDArray[np.float32]) -> Tensor:
        """Embed whole windows: the mean of their target tokens over the slots.

        Args:
            windows: float32 [B, 96, 16], any B, NumPy or torch, on any device.

        Returns:
            float32 [B, D] on the model's device, without a gradient.

        Raises:
            UsageError: Another shape, not numbers, or a value that is not finite.
        """
        pooled = [tokens.mean(dim=1) for tokens in self._tokens(windows)]
        return torch.cat(pooled)

    def embed_slots(self, windows: Tensor | NDArray[np.float32]) -> Tensor:
        """Embed every slot; like `embed` but without the mean: float32 [B, 96, D]."""
        return torch.cat(list(self._tokens(windows)))

    def _tokens(self, windows: Tensor | NDArray[np.float32]) -> Iterator[Tensor]:
        """Target tokens as float32 [n, 96, D], chunk by chunk; one empty chunk for B = 0."""
        x = _as_windows(windows)
        weight = self.target_encoder.embed.weight
        size = EMBED_CHUNK.get(weight.device.type, _ELSEWHERE)
        for start in range(0, max(len(x), 1), size):
            chunk = x[start : start + size].to(weight.device, weight.dtype)
            finite = torch.isfinite(chunk).flatten(1).all(dim=1)
            if not finite.all():
                first = start + int(finite.logical_not().nonzero()[0])
                raise UsageError(f"windows must be finite, window {first} holds a NaN or infinity")
            yield self.target_tokens(chunk).float()


def _as_windows(windows: Tensor | NDArray[np.float32]) -> Tensor:
    """Check the shape; float32 [B, 96, 16] where the data lies."""
    if not isinstance(windows, Tensor):
        try:  # "W": torch warns about arrays it could write to but must not, as Arrow's are
            windows = torch.from_numpy(np.require(windows, np.float32, ["C", "W"]))
        except (TypeError, ValueError) as error:
            raise UsageError(f"windows must be numbers, float32 [B, 96, 16]: {error}") from error
    if windows.ndim != 3 or tuple(windows.shape[1:]) != (SLOTS, FEATURE_COUNT):
        found = list(windows.shape)
        raise UsageError(f"windows must be float32 [B, {SLOTS}, {FEATURE_COUNT}], found {found}")
    return windows.detach().float()


def full_precision(x: Tensor) -> Tensor:
    """Float32, or float64 where x is: losses and statistics are never taken in bf16."""
    return x if x.dtype == torch.float64 else x.float()
