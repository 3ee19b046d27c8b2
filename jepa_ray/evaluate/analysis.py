"""Everything that one evaluation tells, from the passes of two models over the same windows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa_ray.checkpoint import Checkpoint
from jepa_ray.config import EvaluateConfig, MaskConfig
from jepa_ray.corpus import Sample, Samples
from jepa_ray.evaluate.baselines import fit_baselines
from jepa_ray.evaluate.controls import Control, Scene, controls
from jepa_ray.evaluate.intervals import FEWEST_GROUPS, Interval
from jepa_ray.evaluate.levels import levels, spectrum
from jepa_ray.evaluate.passes import Batch, Meters, Pass, Predicted, run
from jepa_ray.evaluate.pictures import examples, window_map
from jepa_ray.evaluate.referee import Floats, Target, readout_loss, referee_targets
from jepa_ray.evaluate.sums import Bootstrap, Rows, pair
from jepa_ray.evaluate.tables import baselines, by_distance, counted, intervals
from jepa_ray.evaluate.unseen import Unseen, seen_often
from jepa_ray.evaluate.verdict import Evidence
from jepa_ray.model import Monitors, ScheduleJEPA, draw_masks

MASK_KINDS = ("span", "blocks", "future", "random")
FEWEST_WINDOWS = 30
"""A dataset with fewer scored windows has no say in the verdict."""
_FEW_ACTORS = 10


@dataclass(frozen=True)
class Within:
    """One dataset by itself: its monitors, its windows, its intervals, and what is unseen of it."""

    monitors: Monitors
    windows: int
    skill: Interval | None
    loss: Interval | None
    varies: bool
    unseen: Unseen

    def intervals(self) -> dict[str, Any]:
        """As in evaluation.json."""
        return {
            "skill_interval": pair(self.skill),
            "loss_interval": pair(self.loss),
            **self.unseen.document(),
        }

    @property
    def judged(self) -> Interval | None:
        """What the verdict hears of it; None where it cannot tell."""
        return self.skill if self.varies and self.windows >= FEWEST_WINDOWS else None


def few_actors(what: str, groups: NDArray[np.integer]) -> Iterator[str]:
    """A warning where windows belong to few actors; none of nobody's windows."""
    actors = len(np.unique(groups))
    if actors < min(_FEW_ACTORS, len(groups)):
        so = "no interval can be told" if actors < FEWEST_GROUPS else "intervals are wide"
        yield f"{what} belong to {actors} {'actor' if actors == 1 else 'actors'} only: {so}"


class Analysis:
    """The passes, and what is derived from them.

    Args:
        ours: The trained model, in eval mode.
        theirs: A fresh one of its seed.
        samples: Windows; `held_out` is not empty.
        found: The checkpoint: its masks.
        config: How many windows of what.
    """

    def __init__(
        self,
        ours: ScheduleJEPA,
        theirs: ScheduleJEPA,
        samples: Samples,
        found: Checkpoint,
        config: EvaluateConfig,
    ) -> None:
        self._models = ours, theirs
        self._samples = samples
        self._mask = found.config.mask
        self._config = config
        self._meters: dict[int, Meters] = {}
        side = max(config.mask_batches, config.control_batches) * config.batch_size
        held_out = samples.held_out
        self._batches = list(self._masked(held_out))
        with ThreadPoolExecutor(1) as beside:  # torch computes without the GIL: a second core
            waiting = beside.submit(self._of_the_fresh_one)
            self.ours = run(
                ours,
                self._batches,
                keep_tokens=side,
                labels=held_out.dataset,
                by_label=self._meters,
            )
            self._more = self._run_more()
            self._fitted = fit_baselines(ours, self._masked(samples.training))
            self.theirs, self._fresh, self._referee_targets = waiting.result()
        self._rows = Rows(self.ours.predicted)
        self._sums = self._rows.sums()
        self._bootstrap = self._resampled(held_out)

    @property
    def trained(self) -> Monitors:
        """Numbers of the trained model; its skill is against constants of the other windows."""
        return replace(self.ours.monitors, skill=self._sums.skill)

    @property
    def untrained(self) -> Monitors:
        """The same of the untrained one."""
        return replace(self.theirs.monitors, skill=Rows(self.theirs.predicted).sums().skill)

    @property
    def warnings(self) -> Iterator[str]:
        """What a reader must know of the numbers."""
        whole = list(few_actors("the scored windows", self._samples.held_out.groups()))
        yield from whole
        if not whole:
            config = self._config
            for what, batches in (
                ("the windows of by_mask", config.mask_batches),
                ("the windows of the controls", config.control_batches),
            ):
                yield from few_actors(what, self._first(self._batches[:batches]).groups())
        if np.count_nonzero(self._samples.totals) > 1:
            for i, name in enumerate(self._samples.names):
                yield from few_actors(f"the scored windows of {name}", self._groups_within(i))
        yield from seen_often(self._samples)

    def _of_the_fresh_one(self) -> tuple[Pass, Floats, dict[str, Target]]:
        """Its pass, its embeddings of the training windows, and what no training moves."""
        fresh, training = self._models[1], self._samples.training
        with torch.inference_mode():
            embedded = [fresh.embed(x).double().cpu() for x in training.batches(32)]
        targets = referee_targets(training, self._refereed)
        return run(fresh, self._batches), torch.cat(embedded).numpy(), targets

    @property
    def _refereed(self) -> Sample:
        """As many held-out windows as there are training ones."""
        held_out = self._samples.held_out
        return held_out.take(np.arange(min(len(held_out), len(self._samples.training))))

    def _run_more(self) -> Predicted | None:
        more = self._samples.more
        if not len(more):
            return None
        batches = self._masked(more, first=self._config.batches)
        found = run(self._models[0], batches, labels=more.dataset, by_label=self._meters)
        return found.predicted

    def within(self) -> dict[str, Within]:
        """Each dataset that has a held-out window, on more windows than the draw has of it."""
        samples = self._samples
        return {name: self._within(i) for i, name in enumerate(samples.names) if samples.totals[i]}

    def _within(self, i: int) -> Within:
        samples = self._samples
        found = self.ours.predicted.of(samples.held_out.dataset == i)
        if self._more is not None:
            found = found.joined(self._more.of(samples.more.dataset == i))
        sums = Rows(found).sums()
        groups = self._groups_within(i)
        bootstrap = Bootstrap(groups, draws=self._config.draws, seed=self._config.seed)
        sides = (samples.held_out, samples.more)
        seen = np.concatenate([samples.seen(side)[side.dataset == i] for side in sides])
        return Within(
            monitors=replace(self._meters[i].monitors, skill=sums.skill),
            unseen=Unseen.of(found, seen, groups, self._config),
            windows=found.windows,
            skill=bootstrap.skill(sums),
            loss=bootstrap.loss(sums),
            varies=sums.varies,
        )

    def _groups_within(self, i: int) -> NDArray[np.integer]:
        """The actors of a dataset's scored windows, those of the draw first."""
        sides = (self._samples.held_out, self._samples.more)
        return np.concatenate([side.groups()[side.dataset == i] for side in sides])

    def details(self, within: dict[str, Within]) -> tuple[dict[str, Any], Evidence]:
        """The rest of evaluation.json, and what the verdict needs of it."""
        errors = self._fitted.errors(self.ours)
        beaten = {name: self._rows.sums(error) for name, error in errors.items()}
        tried = self._controls()
        sample, ours, theirs = self._samples.held_out, self.ours, self.theirs
        details = {
            "intervals": intervals(self._bootstrap, self._sums, self.theirs.predicted),
            "by_mask": self._by_mask(),
            "by_distance": by_distance(self._bootstrap, self._rows, ours.predicted.distance),
            "baselines": baselines(self._bootstrap, {"model": self._sums, **beaten}),
            "collapse": {
                "trained": levels(ours, theirs, sample.actor),
                "untrained": levels(theirs, theirs, sample.actor),
            },
            "spectrum": {
                "trained": spectrum(ours.pooled), "untrained": spectrum(theirs.pooled),
            },
            "referee": self._referee(),
            "controls": {name: control.document() for name, control in tried.items()},
            "sample": counted(sample) | self._unseen().document(),
            "map": window_map(ours.pooled, sample.dataset, self._samples.names),
            "examples": examples(self._samples, ours.predicted, self._more),
        }  # fmt: skip
        evidence = Evidence(
            windows=len(sample),
            actors=self._bootstrap.groups if self._bootstrap.too_few else None,
            skill=self._bootstrap.skill(self._sums),
            within={name: w.judged for name, w in within.items()},
            baselines={n: self._bootstrap.rise(sums, self._sums) for n, sums in beaten.items()},
            controls=tried,
        )
        return details, evidence

    def _unseen(self) -> Unseen:
        sample = self._samples.held_out
        seen = self._samples.seen(sample)
        return Unseen.of(self.ours.predicted, seen, sample.groups(), self._config)

    def _by_mask(self) -> dict[str, dict[str, Any]]:
        """Each kind of mask at the checkpoint's ratio, on the same windows."""
        batches = self._batches[: self._config.mask_batches]
        sample = self._first(batches)
        bootstrap = self._resampled(sample)
        told = {}
        for kind in MASK_KINDS:
            mask = self._mask.model_copy(update={"kind": kind})
            masked = self._with_masks([x for x, _ in batches], mask)
            found = run(self._models[0], masked, tokens_known=self.ours.tokens)
            sums = Rows(found.predicted).sums()
            told[kind] = {
                "loss": sums.loss,
                "skill": sums.skill,
                "skill_interval": pair(bootstrap.skill(sums)),
                "windows": len(sample),
            }
        return told

    def _referee(self) -> dict[str, dict[str, float | None]]:
        count = len(self._refereed)
        embedded = {
            "trained": (self._fitted.pooled, self.ours.pooled[:count]),
            "untrained": (self._fresh, self.theirs.pooled[:count]),
        }
        return {
            name: {who: readout_loss(*both, target) for who, both in embedded.items()}
            for name, target in self._referee_targets.items()
        }

    def _controls(self) -> dict[str, Control]:
        batches = self._batches[: self._config.control_batches]
        sample = self._first(batches)
        count = len(sample)
        return controls(
            Scene(
                model=self._models[0],
                sample=sample,
                batches=batches,
                real=self.ours.predicted.of(np.arange(self.ours.predicted.windows) < count),
                tokens=self.ours.tokens[:count],
                bootstrap=self._resampled(sample),
                seed=self._config.seed,
            )
        )

    def _first(self, batches: list[Batch]) -> Sample:
        return self._samples.held_out.take(np.arange(sum(len(x) for x, _ in batches)))

    def _resampled(self, sample: Sample) -> Bootstrap:
        return Bootstrap(sample.groups(), draws=self._config.draws, seed=self._config.seed)

    def _masked(self, sample: Sample, first: int = 0) -> Iterator[Batch]:
        """Windows and masks; the same each time."""
        yield from self._with_masks(sample.batches(self._config.batch_size), self._mask, first)

    def _with_masks(
        self, windows: "Iterator[Tensor] | list[Tensor]", mask: MaskConfig, first: int = 0
    ) -> Iterator[Batch]:
        for step, x in enumerate(windows, start=first):
            yield x, draw_masks(mask, seed=self._config.seed, step=step, batch=len(x))
