"""Small made-up windows, masks and models for the tests of the evaluation."""

import numpy as np
import torch
from torch import Tensor, nn

from jepa_ray.config import MaskConfig, ModelConfig
from jepa_ray.corpus import Sample
from jepa_ray.evaluate.controls import Scene
from jepa_ray.evaluate.passes import Batch, Pass, run
from jepa_ray.evaluate.sums import Bootstrap
from jepa_ray.model import ScheduleJEPA, draw_masks
from jepa_ray.model.layers import take_slots
from jepa_ray.windows import POSITION_VALUES, SLOTS, SparseWindows, sparsify
from tests.corpus.windows import days

TINY = ModelConfig(d_model=16, layers=1, heads=2, mlp=16)


def sample_of(windows: SparseWindows, actor: list[int] | None = None) -> Sample:
    n = len(windows)
    return Sample(
        windows=windows,
        uids=np.arange(1, n + 1, dtype=np.uint64),
        dataset=np.zeros(n, np.int64),
        actor=np.array(actor or [0] * n, np.uint64),
    )


def whole_days(n: int, seed: int = 0) -> SparseWindows:
    """Days without change, each with values of its own."""
    dense = np.zeros((n, SLOTS, 16), np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    dense[:, :, 2:] = np.random.default_rng(seed).random((n, 1, 14), dtype=np.float32)
    return sparsify(dense)


def batches_of(sample: Sample, kind: str = "span", size: int = 8) -> list[Batch]:
    mask = MaskConfig(kind=kind)
    return [
        (x, draw_masks(mask, seed=1, step=i, batch=len(x)))
        for i, x in enumerate(sample.batches(size))
    ]


def tiny(seed: int = 3) -> ScheduleJEPA:
    return ScheduleJEPA(TINY, seed=seed).eval()


def tiny_pass(n: int = 24, kind: str = "span", seed: int = 3) -> tuple[ScheduleJEPA, Pass, Sample]:
    sample = sample_of(days(n))
    model = tiny(seed)
    return model, run(model, batches_of(sample, kind), keep_tokens=n), sample


class Plain(nn.Module):
    """A network without weights: a token is the stored features of its slot.

    Each prediction is the mean token over the visible slots, off by 0.01: right on days without
    change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def target_tokens(self, x: Tensor) -> Tensor:
        return x[:, :, 2:]

    def context_encoder(self, x: Tensor, visible: Tensor) -> Tensor:
        return take_slots(x[:, :, 2:].contiguous(), visible)

    def predictor(self, context: Tensor, _visible: Tensor, hidden: Tensor) -> Tensor:
        return context.mean(dim=1, keepdim=True).expand(-1, hidden.shape[1], -1) + 0.01


class Mixed(Plain):
    """Its target is the mean of the whole window at every slot: what is hidden can be seen."""

    def target_tokens(self, x: Tensor) -> Tensor:
        return x[:, :, 2:].mean(dim=1, keepdim=True).expand(-1, SLOTS, -1)


class Deaf(Plain):
    """Predicts the same whatever it sees."""

    def predictor(self, context: Tensor, _visible: Tensor, hidden: Tensor) -> Tensor:
        return context.new_full((len(context), hidden.shape[1], 14), 0.5)


def scene(model: nn.Module, windows: SparseWindows) -> Scene:
    sample = sample_of(windows)
    batches = batches_of(sample)
    found = run(model, batches, keep_tokens=len(sample))
    return Scene(
        model=model, sample=sample, batches=batches, real=found.predicted, tokens=found.tokens,
        bootstrap=Bootstrap(sample.groups(), draws=200), seed=4,
    )  # fmt: skip
