"""The reference comparison, trained against fresh untrained, and what it cannot tell.

Both models see the same held-out windows under the same masks; each is scored against its own
target encoder, as in the reference run. That is why the loss is never read alone. Runs in this
process: no Ray.

Each model runs once over the windows; all that is told of them is derived from what that pass
keeps (passes.py).
"""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from jepa_ray.checkpoint import Checkpoint
from jepa_ray.config import EvaluateConfig
from jepa_ray.corpus import Counts, Samples, choose, draw_samples, fingerprints
from jepa_ray.errors import CheckpointError, ConfigError, CorpusError
from jepa_ray.evaluate.analysis import Analysis, Within
from jepa_ray.evaluate.done import content_of
from jepa_ray.evaluate.find import load_finished
from jepa_ray.evaluate.freshness import not_as_trained
from jepa_ray.evaluate.passes import NotFiniteError
from jepa_ray.evaluate.threads import torch_threads
from jepa_ray.evaluate.verdict import Verdict, judge
from jepa_ray.model import Monitors, ScheduleJEPA, linear_cka

log = logging.getLogger(__name__)

FORMAT_VERSION = 1


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
        details: The rest of evaluation.json (docs/evaluation.md), by key.
    """

    checkpoint: str
    windows: int
    trained: Monitors
    untrained: Monitors
    cka: float
    datasets: dict[str, tuple[Monitors, int]]
    verdict: Verdict
    warnings: tuple[str, ...]
    details: dict[str, Any]

    @property
    def reduction(self) -> float:
        """1 - trained loss / untrained loss."""
        return 1 - self.trained.loss / self.untrained.loss

    def document(self) -> dict[str, Any]:
        """`evaluate --json`, and evaluation.json."""
        details = dict(self.details)
        within = details.pop("within")
        return {
            "format_version": FORMAT_VERSION,
            "checkpoint": self.checkpoint,
            "windows": self.windows,
            "trained": self.trained.as_dict(),
            "untrained": self.untrained.as_dict(),
            "reduction": self.reduction,
            "cka_with_untrained": self.cka,
            "datasets": {
                name: monitors.as_dict() | {"windows": windows} | within[name]
                for name, (monitors, windows) in self.datasets.items()
            },
            "status": self.verdict.status,
            "verdict": self.verdict.sentence,
            "warnings": list(self.warnings),
            **details,
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
        CheckpointError: The checkpoint cannot be loaded, its training is not finished, or its
            numbers are not finite.
        CorpusError: The windows are absent, or none is held out.
        ConfigError: CUDA is asked for and not there.
    """
    began = time.monotonic()
    found = load_finished(checkpoint)
    device = _device(config)
    names = choose(processed_dir, dataset or ",".join(found.provenance["datasets"]) or "combined")
    samples = _drawn(processed_dir, names, found, config)
    log.info("scoring %s on %s", found.url, ", ".join(names))
    fresh = ScheduleJEPA(found.config.model, seed=found.config.seed).eval()
    found.model.to(device)
    with torch_threads(config.threads):
        analysis = _analysed(found, fresh.to(device), samples, config)
        _require_finite(found.url, analysis.trained)
        cka = linear_cka(*(torch.from_numpy(p.pooled) for p in (analysis.ours, analysis.theirs)))
        within = analysis.within()
        details, evidence = analysis.details(within)
    trained, untrained = analysis.trained, analysis.untrained
    skills = {name: each.monitors.skill for name, each in within.items()}
    now = fingerprints(processed_dir, names)
    seconds = round(time.monotonic() - began, 3)
    return Evaluation(
        checkpoint=found.url,
        windows=len(samples.held_out),
        trained=trained,
        untrained=untrained,
        cka=cka,
        datasets={name: (each.monitors, each.windows) for name, each in within.items()},
        verdict=judge(trained, untrained, cka, skills, evidence),
        warnings=(*_warnings(found, now), *analysis.warnings),
        details=details
        | _about(config)
        | {
            "checkpoint_sha256": content_of(found.url),
            "corpus": now,
            "within": _intervals(within),
            "seconds": seconds,
        },
    )


def _drawn(
    processed_dir: str, names: list[str], found: Checkpoint, config: EvaluateConfig
) -> Samples:
    each = min(config.batches, config.dataset_batches)
    counts = (config.batches, each, config.training_batches)
    samples = draw_samples(
        processed_dir,
        names,
        found.config.split,
        Counts(*(count * config.batch_size for count in counts)),
        seed=config.seed,
    )
    if not len(samples.held_out):
        raise CorpusError(f"{', '.join(names)}: no window is held out, there is nothing to score")
    return samples


def _analysed(
    found: Checkpoint, fresh: ScheduleJEPA, samples: Samples, config: EvaluateConfig
) -> Analysis:
    try:
        return Analysis(found.model, fresh, samples, found, config)
    except NotFiniteError:
        raise CheckpointError(
            f"{found.url}: its embeddings of these windows are not finite; train it anew"
        ) from None


def _about(config: EvaluateConfig) -> dict[str, Any]:
    return {
        "batches": config.batches,
        "batch_size": config.batch_size,
        "seed": config.seed,
        "settings": config.model_dump(mode="json"),
    }


def _intervals(within: dict[str, Within]) -> dict[str, dict[str, Any]]:
    return {name: each.intervals() for name, each in within.items()}


def _require_finite(url: str, monitors: Monitors) -> None:
    for name, value in monitors.as_dict().items():
        if not math.isfinite(value):
            raise CheckpointError(f"{url}: its {name} on these windows is {value}")


def _warnings(found: Checkpoint, now: dict[str, str]) -> Iterator[str]:
    kind = found.config.objective.kind
    if kind != "jepa":
        yield (
            f"it was trained by objective.kind={kind}, which predicts no embeddings: loss, skill "
            "and reduction say nothing about it; per-slot std, RankMe and cosine do"
        )
    yield from not_as_trained(found.provenance["datasets"], now)


def _device(config: EvaluateConfig) -> torch.device:
    there = torch.cuda.is_available()
    if config.device == "cuda" and not there:
        raise ConfigError("device=cuda, but torch sees no CUDA device; set device=auto or cpu")
    return torch.device("cuda" if there and config.device != "cpu" else "cpu")
