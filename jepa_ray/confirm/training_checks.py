"""The checks of one training of a pass: its checkpoint against what was recorded and the corpus.

Its first and last validation are made again exactly as the training made them: of the untrained
model, which follows from the seed, and of the trained one; on the same held-out windows under the
same masks, which follow from the settings in the checkpoint.
"""

import json
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import torch

from jepa_ray.checkpoint import (
    FILE_NAME,
    Checkpoint,
    load_checkpoint,
    read_state,
    state_url,
)
from jepa_ray.config.legs import SEQUENTIAL
from jepa_ray.confirm.beside import left_beside
from jepa_ray.confirm.checks import Check, WrongError, check, require, require_equal
from jepa_ray.confirm.recorded import Document, Recorded
from jepa_ray.corpus import COMBINED, fingerprints, side_sizes
from jepa_ray.errors import CheckpointError
from jepa_ray.model import Objective, ScheduleJEPA, build_objective
from jepa_ray.storage import join, read_bytes
from jepa_ray.train.data import OBJECTIVE, Batches, derived_seed, held_out_windows, leg_windows
from jepa_ray.train.jobs import MAY_CHANGE, flat
from jepa_ray.train.keeper import METRICS_FILE
from jepa_ray.train.validate import collapsing, losses, validated

TOLERANCE = 1e-6
"""Of a loss; on the machine that trained it comes out to the bit."""

ELSEWHERE = 1e-4
"""Of a loss on another kind of device than the one that trained."""

_LOOSE = 1e-3
"""Of what is left of the other numbers, as a share of it."""

_ROUNDING = 1e-7
_FROM_ONE = ("skill", "cosine_to_mean")
"""Those whose distance to 1 says something: of the errors, and of the angles, that are left."""

_MONITORS = ("skill", "rankme", "slot_std", "cosine_to_mean")
_LAST = ("val_loss", "train_loss", *_MONITORS, "collapsing", "seconds")
_FIRST = {"untrained_loss": "val_loss", "untrained_rankme": "rankme",
          "untrained_slot_std": "slot_std"}  # fmt: skip


class TrainingChecks:
    """One training.

    Args:
        run: It is of.
        pass_name: `pass01` and so on.
        name: Of the dataset, or `combined`.
        processed_dir: Where the corpus lies.
    """

    def __init__(self, run: Recorded, pass_name: str, name: str, processed_dir: str) -> None:
        self._run, self._pass, self._name = run, pass_name, name
        self._processed_dir = processed_dir
        self._seed = run.passes[pass_name]
        self._datasets = run.names if name == COMBINED else (name,)
        self._folder = join(run.run, pass_name, name)

    def checks(self) -> Iterator[Check]:
        """All of them, in order; each is made whatever came of those before it."""
        where = f"{self._pass}/{self._name}"
        proofs = {
            "loads": self._loads,
            "files": self._files,
            "settings": self._settings,
            "datasets": self._fingerprints,
            "windows": self._windows,
            "numbers": self._numbers,
            "untrained": self._before,
            "loss": self._loss,
        }
        if self._name == COMBINED and self._run.confirmation.get("mixing") == SEQUENTIAL:
            proofs["first and last leg"] = self._ends_of_legs
        for what, proof in proofs.items():
            yield check(where, what, proof)

    @cached_property
    def _loaded(self) -> Checkpoint | CheckpointError:
        try:
            return load_checkpoint(join(self._folder, FILE_NAME))
        except CheckpointError as error:
            return error

    @property
    def _checkpoint(self) -> Checkpoint:
        if isinstance(self._loaded, CheckpointError):
            raise WrongError("the checkpoint does not load")
        return self._loaded

    @cached_property
    def _report(self) -> Document:
        found: Document = self._run.report(self._pass)["checkpoints"][self._name]
        return found

    def _loads(self) -> str:
        if isinstance(self._loaded, CheckpointError):
            raise self._loaded
        found = self._loaded
        count = sum(value.numel() for value in found.model.state_dict().values())
        return f"{count:,} finite weights of this contract"

    def _files(self) -> str:
        """What else the training left says what the checkpoint says."""
        return left_beside(self._folder, self._checkpoint)

    def _settings(self) -> str:
        """Seed, split and all settings that reach the numbers are those of the run and the pass."""
        found, wanted = self._checkpoint.config, self._run.config(self._seed)
        require_equal("seed", found.seed, self._seed)
        require_equal("split.seed", found.split.seed, self._seed)
        ours, theirs = (flat(c.model_dump(mode="json")) for c in (found, wanted))
        free = {*MAY_CHANGE, *(() if self._name == COMBINED else ("mixing",))}
        for key, value in theirs.items():
            if key.split(".")[0] not in free:
                require_equal(key, ours[key], value)
        for what, steps in (("step", self._checkpoint.step), ("steps", self._report["steps"])):
            require_equal(what, steps, wanted.steps)
        return f"seed {self._seed}, {wanted.steps} steps, as the run was told"

    def _fingerprints(self) -> str:
        about = self._checkpoint.provenance
        require_equal("the list of datasets", sorted(about["datasets"]), sorted(self._datasets))
        now = fingerprints(self._processed_dir, self._datasets)
        for name, fingerprint in now.items():
            require_equal(f"the fingerprint of {name}", about["datasets"][name], fingerprint)
        if self._checkpoint.config.mixing == SEQUENTIAL:
            order = self._run.report(self._pass)["order"]
            wanted = order if self._name == COMBINED else [self._name]
            require_equal("the order of the legs", about["order"], wanted)
        return f"{len(now)} as they are prepared now"

    def _windows(self) -> str:
        config = self._checkpoint.config
        sizes = side_sizes(self._processed_dir, self._datasets, config.split).values()
        counts = [sum(side) for side in zip(*sizes, strict=True)]
        for key, count in zip(("train_windows", "val_windows"), counts, strict=True):
            require_equal(key, self._report[key], count)
            require_equal(f"{key} of the checkpoint", self._checkpoint.provenance[key], count)
        return f"{counts[0]:,} for training, {counts[1]:,} held out"

    def _numbers(self) -> str:
        """The report is what the training wrote down."""
        lines = read_bytes(join(self._folder, METRICS_FILE)).decode().splitlines()
        first, last = json.loads(lines[0]), json.loads(lines[-1])
        require_equal("the first step of metrics.jsonl", first["step"], 0)
        require_equal("the last step of metrics.jsonl", last["step"], self._report["steps"])
        for key in _LAST:
            require_equal(key, self._report[key], last[key])
        for key, theirs in _FIRST.items():
            require_equal(key, self._report[key], first[theirs])
        ending = f"/{self._pass}/{self._name}/{FILE_NAME}"
        path = self._report["path"]
        require(path.endswith(ending), f"path is {path!r}, should end in {ending!r}")
        values = [self._report[key] for key in (*_LAST, *_FIRST)]
        require(all(value is None or math.isfinite(value) for value in values), "one is not finite")
        said = collapsing(last, first, self._run.config(self._seed))
        require_equal("collapsing", self._report["collapsing"], said is not None)
        return f"as in {METRICS_FILE}"

    @cached_property
    def _held_out(self) -> Batches:
        return held_out_windows(self._processed_dir, self._datasets, self._checkpoint.config)

    def _before(self) -> str:
        """The untrained model of this seed has the numbers of step 0."""
        recorded = {theirs: self._report[key] for key, theirs in _FIRST.items()}
        return self._as_recorded(self._untrained, recorded)

    def _loss(self) -> str:
        recorded = {key: self._report[key] for key in ("val_loss", *_MONITORS)}
        return self._as_recorded(self._objective, recorded)

    def _as_recorded(self, objective: Objective, recorded: Document) -> str:
        """Validate once more, and compare."""
        kind = self._checkpoint.config.objective.kind
        row = validated(objective, self._held_out, kind, self._device)
        for key, theirs in recorded.items():
            if row[key] is None or theirs is None:
                require_equal(key, theirs, row[key])
            else:
                self._near(key, row[key], theirs, self._tolerance(key, theirs))
        loss = recorded["val_loss"]
        off = abs(row["val_loss"] - loss)
        said = f"up to {off:.1e}" if off else "to the bit"
        windows = sum(len(x) for x, _ in self._held_out)
        return f"{loss:.6f} again, {said}, on {windows:,} window(s){self._elsewhere}"

    def _tolerance(self, key: str, recorded: float) -> float:
        if key == "val_loss":
            return self._of_a_loss
        return _LOOSE * abs(1 - recorded if key in _FROM_ONE else recorded) + _ROUNDING

    def _ends_of_legs(self) -> str:
        """The losses before the first leg and after the last are those of the two models."""
        config, report = self._checkpoint.config, self._run.report(self._pass)
        windows = leg_windows(self._processed_dir, self._datasets, config)
        for objective, leg in (
            (self._untrained, report["legs"][0]), (self._objective, report["legs"][-1])
        ):  # fmt: skip
            for name, batches in windows.items():
                loss, skill = losses(objective, batches, config.objective.kind, self._device)
                when = f"on {name} at step {leg['step']}"
                self._near(f"the loss {when}", loss, leg["losses"][name], self._of_a_loss)
                self._require_skill(f"the skill {when}", skill, leg["skills"][name])
        return f"the losses on {len(windows)} datasets again{self._elsewhere}"

    def _require_skill(self, what: str, found: float | None, recorded: float | None) -> None:
        if found is None or recorded is None:
            require_equal(what, recorded, found)
        else:
            self._near(what, found, recorded, self._tolerance("skill", recorded))

    def _near(self, what: str, found: float, wanted: float, tolerance: float) -> None:
        require(
            abs(found - wanted) <= tolerance,
            f"{what} is recorded as {wanted!r} and comes out as {found!r}{self._elsewhere}",
        )

    @property
    def _device(self) -> torch.device:
        cuda = self._checkpoint.provenance["device"] == "cuda" and torch.cuda.is_available()
        return torch.device("cuda" if cuda else "cpu")

    @property
    def _elsewhere(self) -> str:
        then = self._checkpoint.provenance["device"]
        now = self._device.type
        return "" if then == now else f" (trained on {then}, verified on {now})"

    @property
    def _of_a_loss(self) -> float:
        return ELSEWHERE if self._elsewhere else TOLERANCE

    @cached_property
    def _untrained(self) -> Objective:
        """As before the first step."""
        config = self._checkpoint.config
        model = ScheduleJEPA(config.model, seed=config.seed)
        seed = derived_seed(config.seed, OBJECTIVE)
        return build_objective(model, config, seed=seed).to(self._device)

    @cached_property
    def _objective(self) -> Objective:
        """As trained; what `mae` and `supervised` read out with lies in the last state only."""
        found = self._checkpoint
        seed = derived_seed(found.config.seed, OBJECTIVE)
        objective = build_objective(found.model, found.config, seed=seed)
        if objective.readout is not None:
            state = read_state(state_url(self._folder, found.step))["resume"]["objective"]
            prefix = "readout."
            weights: dict[str, Any] = {
                key.removeprefix(prefix): value
                for key, value in state.items()
                if key.startswith(prefix)
            }
            objective.readout.load_state_dict(weights)
        return objective.to(self._device)
