"""Negative controls: inputs on which a model that has learned must do badly.

- white_noise: uniform noise in every feature. No hidden slot follows from others, so skill must not
  be above 0.
- shuffled_slots: the slots of each window in a random order of its own; the positions stay. A model
  that knows how a day runs must lose skill.
- constant_day: every slot the window's mean. Told, not judged: what is hidden is plain to see, but
  no real window looks so.
- wrong_window: the context of another window of the same dataset. A model that uses what it sees
  must be at least 10 % worse.

Noise and orders come from the seed. Where the data cannot tell (the change changes no window),
value and `passed` are None and the sentence says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.corpus import Sample
from jepa_ray.evaluate.intervals import FEWEST_GROUPS, Interval
from jepa_ray.evaluate.passes import Batch, Predicted, run
from jepa_ray.evaluate.sums import Bootstrap, Rows, Sums, pair
from jepa_ray.model import ScheduleJEPA
from jepa_ray.model.layers import take_slots
from jepa_ray.windows import POSITIONS, SLOTS

RISE = 0.10
"""By how much the loss must rise with the context of another window."""

_EXPECTED = {
    "white_noise": "skill <= 0",
    "shuffled_slots": "skill falls",
    "constant_day": "skill > 0 (told, not judged)",
    "wrong_window": f"loss rises by {RISE:.0%} or more",
}

Change = Callable[[Tensor, np.random.Generator], Tensor]


@dataclass(frozen=True)
class Control:
    """What came of one.

    Attributes:
        value: The number that is judged; None where the data cannot tell.
        interval: Of it; None as well.
        expected: Of the value, in words.
        passed: None where the data cannot tell.
        sentence: What it says.
    """

    value: float | None
    interval: Interval | None
    expected: str
    passed: bool | None
    sentence: str

    def document(self) -> dict[str, Any]:
        """As in evaluation.json."""
        return {
            "value": self.value,
            "interval": pair(self.interval),
            "expected": self.expected,
            "passed": self.passed,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, eq=False)
class Scene:
    """The windows of the controls: the first n of a pass.

    Attributes:
        model: That is tested.
        sample: The windows.
        batches: The windows and masks.
        real: Their hidden slots, as the model predicts them.
        tokens: float32 [n, 96, D], their target tokens.
        bootstrap: Over these windows.
        seed: Of noise and orders.
    """

    model: ScheduleJEPA
    sample: Sample
    batches: Sequence[Batch]
    real: Predicted
    tokens: Tensor
    bootstrap: Bootstrap
    seed: int


def controls(scene: Scene) -> dict[str, Control]:
    """All four; none can tell where windows belong to too few actors for an interval."""
    if scene.bootstrap.too_few:
        why = f"the windows belong to fewer than {FEWEST_GROUPS} actors"
        return {name: _unclear(expected, why) for name, expected in _EXPECTED.items()}
    return {
        "white_noise": _white_noise(scene),
        "shuffled_slots": _shuffled(scene),
        "constant_day": _constant(scene),
        "wrong_window": _wrong_window(scene),
    }


def _white_noise(scene: Scene) -> Control:
    sums, _ = _changed(scene, noise)
    interval, expected = scene.bootstrap.skill(sums), _EXPECTED["white_noise"]
    if not sums.varies or interval is None:
        return _unclear(expected, "the model makes the same of any noise")
    passed = interval.low <= 0
    told = "no skill on noise" if passed else "it finds skill in noise: its targets give it away"
    return Control(
        sums.skill, interval, expected, passed, f"{told} ({_range(sums.skill, interval)})"
    )


def _shuffled(scene: Scene) -> Control:
    expected = _EXPECTED["shuffled_slots"]
    sums, moved = _changed(scene, shuffled)
    real = Rows(scene.real).sums()
    interval = scene.bootstrap.gap(sums, real)
    if not moved or interval is None:
        return _unclear(expected, "no window changes when its slots change places")
    drop, passed = real.skill - sums.skill, interval.low > 0
    told = "it loses skill" if passed else "it loses no skill"
    sentence = f"{told} when slots change places ({_range(drop, interval)} less)"
    return Control(drop, interval, expected, passed, sentence)


def _constant(scene: Scene) -> Control:
    expected = _EXPECTED["constant_day"]
    sums, _ = _changed(scene, constant)
    interval = scene.bootstrap.skill(sums)
    if not sums.varies or interval is None:
        return _unclear(expected, "the windows have the same mean")
    passed = interval.low > 0
    told = "it sees" if passed else "it does not see"
    sentence = f"{told} that a day without change goes on ({_range(sums.skill, interval)})"
    return Control(sums.skill, interval, expected, passed, sentence)


def _wrong_window(scene: Scene) -> Control:
    expected = _EXPECTED["wrong_window"]
    other = strangers(scene.sample)
    mine = np.flatnonzero(other != np.arange(len(other)))
    if not len(mine):
        return _unclear(expected, "no window has another of its dataset that differs from it")
    right = Rows(scene.real).sums()
    wrong = Rows(scene.real).sums(_errors_with_context_of(scene, other))
    changed = np.zeros(len(other), np.bool_)
    changed[mine] = True
    keep = changed.astype(np.float64)
    right, wrong = (Sums(*(each * keep for each in vars(s).values())) for s in (right, wrong))
    interval = scene.bootstrap.rise(wrong, right)
    if interval is None or not right.error.sum():
        return _unclear(expected, "the loss is 0")
    rise = float(wrong.error.sum() / right.error.sum() - 1)
    passed = rise >= RISE and interval.low > 0
    told = "it needs the right context" if passed else "the context of another window does as well"
    sentence = f"{told} (loss {rise:+.0%}, {interval.low:+.0%} to {interval.high:+.0%})"
    return Control(rise, interval, expected, passed, sentence)


def noise(x: Tensor, generator: np.random.Generator) -> Tensor:
    """Uniform noise in [0, 1) in every stored feature; the positions stay."""
    values = generator.random((len(x), SLOTS, x.shape[2] - POSITIONS), dtype=np.float32)
    return torch.cat([x[:, :, :POSITIONS], torch.from_numpy(values)], dim=2)


def shuffled(x: Tensor, generator: np.random.Generator) -> Tensor:
    """The slots of each window in an order of its own; the positions stay."""
    order = generator.permuted(np.tile(np.arange(SLOTS), (len(x), 1)), axis=1)
    moved = take_slots(x[:, :, POSITIONS:].contiguous(), torch.from_numpy(order))
    return torch.cat([x[:, :, :POSITIONS], moved], dim=2)


def constant(x: Tensor, _generator: np.random.Generator) -> Tensor:
    """Every slot the mean over the window's slots; the positions stay."""
    mean = x[:, :, POSITIONS:].mean(dim=1, keepdim=True).expand(-1, SLOTS, -1)
    return torch.cat([x[:, :, :POSITIONS], mean], dim=2)


def _changed(scene: Scene, change: Change) -> tuple[Sums, bool]:
    """Sums over the changed windows under the same masks, and whether any window changed."""
    generator = np.random.default_rng(np.random.SeedSequence([scene.seed, 0xC0]))
    made = [change(x, generator) for x, _ in scene.batches]
    changes = any(not torch.equal(a, x) for a, (x, _) in zip(made, scene.batches, strict=True))
    masks = (each for _, each in scene.batches)
    found = run(scene.model, zip(made, masks, strict=True))
    return Rows(found.predicted).sums(), changes


def strangers(sample: Sample) -> NDArray[np.int64]:
    """For each window another one of its dataset that differs from it, or itself where none does.

    Windows are put in the order of their content, and each is paired with the one half a dataset
    further on.
    """
    content = sample.windows.fingerprints()
    other = np.arange(len(sample))
    for dataset in np.unique(sample.dataset):
        rows = np.flatnonzero(sample.dataset == dataset)
        rows = rows[np.argsort(content[rows], kind="stable")]
        paired = np.roll(rows, -(len(rows) // 2))
        differs = content[rows] != content[paired]
        other[rows[differs]] = paired[differs]
    return other


def _errors_with_context_of(scene: Scene, other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Errors on the real targets, where each window is predicted from the context of another."""
    windows = torch.cat([x for x, _ in scene.batches])[torch.from_numpy(other)]
    size = len(scene.batches[0][0])  # only the last batch may be smaller
    starts = range(0, len(windows), size)
    cut = (windows[start : start + size] for start in starts)
    batches = zip(cut, (masks for _, masks in scene.batches), strict=True)
    return run(scene.model, batches, tokens_known=scene.tokens).predicted.error


def _range(value: float, interval: Interval) -> str:
    return f"{value:.3f}, {interval.low:.3f} to {interval.high:.3f}"


def _unclear(expected: str, why: str) -> Control:
    return Control(None, None, expected, None, f"cannot tell: {why}")
