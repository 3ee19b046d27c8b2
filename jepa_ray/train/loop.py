"""One worker's training loop. Pure torch: no Ray here, so it runs and is tested without it.

Every number that decides what is computed follows from (seed, step): the windows of a step, their
masks, the held-out windows and their masks. So a training that goes on from a state of step n is,
to the bit, the one that was never stopped; what a state must hold is in `_resume`.
"""

import contextlib
import json
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from jepa_ray.checkpoint import checkpoint_document, state_steps, state_url
from jepa_ray.config import TrainConfig
from jepa_ray.corpus import prefetch
from jepa_ray.errors import TrainingError
from jepa_ray.model.precision import Precision
from jepa_ray.train.clock import Clock
from jepa_ray.train.data import Batch, Data, Worker
from jepa_ray.train.engine import Engine
from jepa_ray.train.finite import Uids, explained, require_finite_weights
from jepa_ray.train.forgetting import LegScores
from jepa_ray.train.generators import gather_generators, restore_generators
from jepa_ray.train.keeper import Keeper
from jepa_ray.train.losses import MEET_EVERY, Losses, NotFiniteError
from jepa_ray.train.validate import collapsing, require_finite_row, validated

Row = dict[str, Any]
Report = Callable[[Row], None]
"""Told a metrics row at each validation, a short one (`step`, `loss`) in between, and a `warning`
of the collapse guard."""


@dataclass
class _At:
    """Where a training is."""

    step: int = 0
    uids: Uids = field(default_factory=lambda: np.zeros(0, np.uint64))  # of its last batch
    rows: list[Row] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)  # by what it is kept, one or none


class Training:
    """One training on one worker.

    Args:
        config: Of the training.
        data: Opened for this worker.
        worker: This process.
        report: Called by rank 0 only.
        keeper: Of rank 0; None: this rank saves nothing.
        folder: Of the run, on all ranks; None: nobody saves.
        provenance: Goes into every checkpoint.
        precision: Of the forward pass.
    """

    def __init__(  # noqa: PLR0913 - each is another party
        self,
        config: TrainConfig,
        data: Data,
        worker: Worker,
        *,
        report: Report,
        keeper: Keeper | None = None,
        folder: str | None = None,
        provenance: Mapping[str, Any] | None = None,
        precision: Precision = "fp32",
    ) -> None:
        self._config, self._data, self._worker = config, data, worker
        self._report, self._keeper, self._folder = report, keeper, folder
        self._provenance = dict(provenance or {})
        self._engine = Engine(config, worker, precision=precision)
        self.objective = self._engine.objective
        self._legs = LegScores(self.objective, data, config, worker.device)
        self._at = _At()
        self._clock = Clock()
        self._losses = Losses(worker, keep=config.val_every)
        self._warned = False

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `read_state` gave."""
        resume = state["resume"]
        self._engine.restore(resume)
        at = self._at
        at.step, at.best = state["step"], dict(resume["best"])
        at.rows = json.loads(resume["rows"])
        self._legs.restore(resume.get("legs", "[]"))
        self._losses.restore(resume["recent"])
        self._clock = Clock(resume["seconds"])
        self._warned = bool(at.rows and at.rows[-1]["collapsing"])
        restore_generators(resume["generators"], self._worker)

    def run(self) -> list[Row]:
        """Train up to `config.steps` steps, and leave the result with the keeper.

        Returns:
            The metrics rows, one a validation: step 0 (untrained), each `val_every`, and the end.
            Empty on other ranks.

        Raises:
            TrainingError: A batch, a loss or a weight is not finite, a save failed, or the guard
                stops it.
        """
        at, steps = self._at, self._config.steps
        if not at.rows:
            self._validate()
            self._score_leg()
            self._save()
        self._guard()
        self._clock.go_on()
        try:
            with contextlib.closing(self._batches()) as batches:
                for batch, waited in batches:
                    self._step(batch, waited)
        except NotFiniteError as error:
            raise explained(error, self._data.make, self._worker, self._before()) from None
        assert at.step == steps
        if self._keeper:
            self._keeper.finish(self._checkpoint())
        return at.rows

    def _batches(self) -> Generator[tuple[Batch, float], None, None]:
        ahead = prefetch(self._data.make, range(self._at.step, self._config.steps))
        return cast("Generator[tuple[Batch, float], None, None]", ahead)

    def _step(self, batch: Batch, waited: float) -> None:
        at, config = self._at, self._config
        at.uids = batch.uids
        self._losses.look(at.step, batch.x)
        self._losses.add(at.step, self._engine.step(batch, at.step))
        at.step += 1
        validates = at.step % config.val_every == 0 or at.step == config.steps
        saves = validates if config.checkpoint.every is None else self._saves()
        self._clock.step(waited)
        if self._keeper:
            self._keeper.check()
        if validates or saves or at.step % MEET_EVERY == 0:
            self._losses.meet()
            if not self._worker.rank:
                self._report({"step": at.step, "loss": self._losses.last(), **self._clock.means()})
        if validates:
            self._validate()
        self._score_leg()
        if saves:
            self._save()
        if validates:
            self._guard()
        if validates or saves or self._legs.due(at.step):
            self._clock.go_on()

    def _saves(self) -> bool:
        every = self._config.checkpoint.every
        assert every is not None
        return self._at.step % every == 0 or self._at.step == self._config.steps

    def _validate(self) -> None:
        if self._worker.rank:
            return
        at, config = self._at, self._config
        numbers = validated(
            self.objective, self._data.held_out, config.objective.kind, self._worker.device
        )
        require_finite_row(numbers, at.step, at.uids, self._before)
        row = {
            "step": at.step,
            "train_loss": self._losses.mean(),
            **numbers,
            "seconds": self._clock.seconds(),
            **self._clock.take(),
        }
        said = collapsing(row, at.rows[0], config) if at.rows else None
        row["collapsing"] = said is not None
        at.rows.append(row)
        self._report(row)
        if self._keeper:
            self._keeper.save_rows(at.rows)
            self._keep_best(row)

    def _score_leg(self) -> None:
        """Where a leg has ended, score all datasets; a state that is saved after it has the row."""
        at = self._at
        if self._worker.rank or not self._legs.due(at.step):
            return
        row = self._legs.take(at.step)
        for loss in row["losses"].values():
            require_finite_row({"val_loss": loss}, at.step, at.uids, self._before)
        if self._keeper:
            self._keeper.save_legs(self._legs.rows)

    def _keep_best(self, row: Row) -> None:
        name = self._config.checkpoint.keep_best
        score = row[name] if name else None
        if name is None or score is None or score <= self._at.best.get(name, -math.inf):
            return
        self._at.best = {name: score}  # of another name: chosen at a resume, they do not compare
        if self._keeper:
            self._keeper.save_best(self._checkpoint())

    def _guard(self) -> None:
        """Warn of a collapse once, or end the training."""
        rows, guard = self._at.rows, self._config.guard
        if self._worker.rank or guard == "off" or len(rows) < 2:
            return
        said = collapsing(rows[-1], rows[0], self._config)
        if said and guard == "stop":
            if self._keeper:
                self._keeper.settle()
            raise TrainingError(
                f"{said}, under another --run-id; guard=stop ended the training there, and "
                f"--set guard=off goes on all the same; {self._before()}"
            )
        if said and not self._warned:
            self._report({"step": rows[-1]["step"], "warning": said})
        self._warned = said is not None

    def _save(self) -> None:
        generators = gather_generators(self._worker)  # all ranks take part
        if self._keeper is None:
            return
        checkpoint = self._checkpoint()
        self._keeper.save_state(checkpoint, self._resume(generators))

    def _checkpoint(self) -> dict[str, Any]:
        """The model as it is, on the CPU; refused where it is not finite."""
        model = self.objective.model
        document = checkpoint_document(
            model, self._config, step=self._at.step, provenance=self._provenance
        )
        self._require_finite(model.state_dict())
        return document

    def _resume(self, generators: list[dict[str, Any]]) -> dict[str, Any]:
        """What a training needs beside the model to go on to the bit; all of it finite."""
        at, weights = self._at, self._engine.weights()
        self._require_finite(weights)
        return {
            **weights,
            "rows": json.dumps(at.rows),
            "legs": self._legs.state(),
            "recent": self._losses.state(),
            "best": at.best,
            "seconds": self._clock.seconds(),
            "generators": generators,
        }

    def _require_finite(self, values: Mapping[str, Any]) -> None:
        require_finite_weights(values, self._at.step, self._at.uids, self._before)

    def _before(self) -> str:
        """Which state is the last good one."""
        if self._keeper:
            with contextlib.suppress(TrainingError):
                self._keeper.settle()
        steps = state_steps(self._folder) if self._folder else []
        if self._folder is None or not steps:
            return "no state was saved before"
        return f"the last good state is {state_url(self._folder, steps[-1])}"
