"""The reference comparison: trained against fresh untrained, on held-out windows.

Both models see the same windows under the same masks; each is scored against its own target
encoder, as in the reference run. That is why the loss is never read alone: skill and the collapse
monitors stand beside it. Runs in this process: no Ray.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from jepa_ray.checkpoint import Checkpoint, load_checkpoint
from jepa_ray.config import EvaluateConfig
from jepa_ray.corpus import HeldOut, choose, fingerprints, open_held_out
from jepa_ray.errors import CheckpointError, ConfigError, CorpusError
from jepa_ray.evaluate.verdict import Verdict, judge
from jepa_ray.model import (
    Masks,
    Measured,
    Monitors,
    ScheduleJEPA,
    draw_masks,
    linear_cka,
    measure,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """All numbers of one evaluation.

    Attributes:
        checkpoint: URL of the file.
        windows: Held-out windows that were scored.
        trained, untrained: Monitors of both.
        cka: Linear CKA between their embeddings.
        datasets: Trained monitors and scored windows of each dataset.
        verdict: What it comes to.
        warnings: What a reader must know before trusting it.
    """

    checkpoint: str
    windows: int
    trained: Monitors
    untrained: Monitors
    cka: float
    datasets: dict[str, tuple[Monitors, int]]
    verdict: Verdict
    warnings: tuple[str, ...]

    @property
    def reduction(self) -> float:
        """1 - trained loss / untrained loss."""
        return 1 - self.trained.loss / self.untrained.loss

    def document(self) -> dict[str, Any]:
        """`evaluate --json`."""
        return {
            "checkpoint": self.checkpoint,
            "windows": self.windows,
            "trained": self.trained.as_dict(),
            "untrained": self.untrained.as_dict(),
            "reduction": self.reduction,
            "cka_with_untrained": self.cka,
            "datasets": {
                name: monitors.as_dict() | {"windows": windows}
                for name, (monitors, windows) in self.datasets.items()
            },
            "status": self.verdict.status,
            "verdict": self.verdict.sentence,
            "warnings": list(self.warnings),
        }


def evaluate(
    checkpoint: str, *, processed_dir: str, dataset: str | None, config: EvaluateConfig
) -> Evaluation:
    """Compare a checkpoint with a fresh model of its seed.

    Args:
        checkpoint: Path or URL of a `schedule_jepa.pt` or its folder.
        processed_dir: Path or URL that `prepare` wrote.
        dataset: `combined` or names separated by commas; None: those it was trained on.
        config: How many windows, and where to compute.

    Raises:
        CheckpointError: The checkpoint cannot be loaded, or its numbers are not finite.
        CorpusError: The windows are absent, or none is held out.
        ConfigError: CUDA is asked for and not there.
    """
    found = load_checkpoint(checkpoint)
    device = _device(config)
    names = choose(processed_dir, dataset or ",".join(found.provenance["datasets"]) or "combined")
    held_out = _held_out(processed_dir, names, found, config)
    if not held_out.total:
        raise CorpusError(f"{', '.join(names)}: no window is held out, there is nothing to score")
    models = found.model, ScheduleJEPA(found.config.model, seed=found.config.seed)
    log.info("scoring %s on %s", found.url, ", ".join(names))
    with _threads(config.threads):
        ours, theirs = (_scored(m.to(device), held_out, found, config) for m in models)
        scores = _per_dataset(processed_dir, names, found, config)
    _require_finite(found.url, ours.monitors)
    cka = _cka(ours, theirs)
    within = {name: monitors.skill for name, (monitors, _) in scores.items()}
    return Evaluation(
        checkpoint=found.url,
        windows=len(held_out.uids),
        trained=ours.monitors,
        untrained=theirs.monitors,
        cka=cka,
        datasets=scores,
        verdict=judge(ours.monitors, theirs.monitors, cka, within),
        warnings=tuple(_warnings(found, fingerprints(processed_dir, names))),
    )


def _scored(
    model: ScheduleJEPA, held_out: HeldOut, found: Checkpoint, config: EvaluateConfig
) -> Measured:
    """A model's numbers on the windows, computed where its weights lie."""
    device = next(model.parameters()).device
    return measure(model, _batches(held_out, found, config), device=device, keep_pooled=True)


def _cka(ours: Measured, theirs: Measured) -> float:
    assert ours.pooled is not None
    assert theirs.pooled is not None
    return linear_cka(ours.pooled, theirs.pooled)


def _require_finite(url: str, monitors: Monitors) -> None:
    for name, value in monitors.as_dict().items():
        if not math.isfinite(value):
            raise CheckpointError(f"{url}: its {name} on these windows is {value}")


def _held_out(
    processed_dir: str, names: list[str], found: Checkpoint, config: EvaluateConfig
) -> HeldOut:
    return open_held_out(
        processed_dir,
        names,
        found.config.split,
        batches=config.batches,
        batch_size=config.batch_size,
        seed=config.seed,
    )


def _per_dataset(
    processed_dir: str,
    names: list[str],
    found: Checkpoint,
    config: EvaluateConfig,
) -> dict[str, tuple[Monitors, int]]:
    scores = {}
    for name in names:
        side = _held_out(processed_dir, [name], found, config)
        if side.total:
            scores[name] = (_scored(found.model, side, found, config).monitors, len(side.uids))
    return scores


def _batches(
    held_out: HeldOut, found: Checkpoint, config: EvaluateConfig
) -> Iterator[tuple[Tensor, Masks]]:
    """The windows and masks of one pass; the same each time."""
    for i, x in enumerate(held_out):
        yield x, draw_masks(found.config.mask, seed=config.seed, step=i, batch=len(x))


def _warnings(found: Checkpoint, now: dict[str, str]) -> Iterator[str]:
    kind = found.config.objective.kind
    if kind != "jepa":
        yield (
            f"it was trained by objective.kind={kind}, which predicts no embeddings: loss, skill "
            "and reduction say nothing about it; per-slot std, RankMe and cosine do"
        )
    then = found.provenance["datasets"]
    for name, fingerprint in now.items():
        if name not in then:
            yield f"{name} was not trained on"
        elif then[name] != fingerprint:
            yield (
                f"{name} was prepared anew since the training (fingerprint {fingerprint}, then "
                f"{then[name]}): held-out windows may have been trained on"
            )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """As many torch threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _device(config: EvaluateConfig) -> torch.device:
    there = torch.cuda.is_available()
    if config.device == "cuda" and not there:
        raise ConfigError("device=cuda, but torch sees no CUDA device; set device=auto or cpu")
    return torch.device("cuda" if there and config.device != "cpu" else "cpu")
