"""What is to be trained, and whether it begins, goes on or is finished already."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from jepa_ray.checkpoint import FILE_NAME, newest_state, read_document, state_url
from jepa_ray.config import TrainConfig
from jepa_ray.config.legs import SEQUENTIAL, cut_legs, in_order
from jepa_ray.corpus import choose_mode, cuts, fingerprints, prepared
from jepa_ray.errors import ConfigError, CorpusError
from jepa_ray.model.precision import Precision
from jepa_ray.storage import absolute, exists, join
from jepa_ray.train.data import Mode
from jepa_ray.train.device import Device

log = logging.getLogger(__name__)

_FEWEST_WINDOWS = 2
MAY_CHANGE = ("checkpoint", "guard", "max_failures", "min_workers", "preset", "workers")
"""Settings that do not reach the numbers, so a resumed training may have others. `preset` names
only where the other settings come from, which are compared."""


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        processed_dir: Path or URL that `prepare` wrote.
        names: Datasets, each once. Interleaved: drawn from uniformly over their windows, and kept
            sorted, so that their order does not reach the numbers. Sequential: in the order of the
            legs.
        config: Settings.
        folder: Of the run, path or URL; gets everything that the training leaves.
        mode: How its windows are read where `load_mode` is `auto`; None: the fit chooses.
        device: Where it runs where `device` is `auto`; None: by what the cluster has.
        precision: What `precision` came to in the trainings before; None: as the settings say.
    """

    processed_dir: str
    names: tuple[str, ...]
    config: TrainConfig
    folder: str
    mode: Mode | None = None
    device: Device | None = None
    precision: Precision | None = None

    def __post_init__(self) -> None:
        for name in ("processed_dir", "folder"):  # Ray workers have a working directory of theirs
            object.__setattr__(self, name, absolute(getattr(self, name)))
        object.__setattr__(self, "names", in_order(self.names, self.config))

    @property
    def finished(self) -> bool:
        """Whether the result is there."""
        return exists(join(self.folder, FILE_NAME))


@dataclass(frozen=True)
class Plan:
    """How a training starts.

    Attributes:
        job: The training.
        step: Of the state that it goes on from; None: it begins.
        mode: How the windows are read; None: not chosen yet.
        why: About the mode, for the line at the start.
    """

    job: Job
    step: int | None
    mode: Mode | None
    why: str

    def with_mode(self, memory_bytes: int) -> "Plan":
        """The plan with the mode chosen for a worker of so much memory, unless it is given."""
        if self.mode:
            return self
        job = self.job
        mode, why = choose_mode(job.processed_dir, job.names, job.config.load_mode, memory_bytes)
        return replace(self, mode=mode, why=why)


def plan(job: Job) -> Plan:
    """Look at what is there.

    Args:
        job: One that is not finished.

    Raises:
        CorpusError: There are too few windows.
        ConfigError: There is a state of another config or corpus, the message has the keys; or
            there are fewer steps than legs.
        CheckpointError: All states are damaged, or the newest is of other code.
    """
    cut_legs(job.names, job.config)
    counts = prepared(job.processed_dir)
    short = [name for name in job.names if counts.get(name, 0) < _FEWEST_WINDOWS]
    if len(short) == len(job.names) or (short and job.config.mixing == SEQUENTIAL):
        raise CorpusError(
            f"{', '.join(short)}: a dataset needs {_FEWEST_WINDOWS} windows for one to be held "
            "out; prepare more data"
        )
    state, damaged = newest_state(job.folder)
    if state is None:
        return Plan(job, None, job.mode, f"load_mode {job.mode}, as for all of the run")
    if damaged:
        log.warning("%s", damaged)
    url = state_url(job.folder, state["step"])
    changed = [*_changes(state, job), *_recut(state, job)]
    if changed:
        raise ConfigError(
            f"{url} cannot be resumed: {'; '.join(changed)}; give the settings and data of that "
            "run again, or choose another --run-id"
        )
    mode: Mode = state["provenance"]["load_mode"]
    return Plan(job, state["step"], mode, f"load_mode {mode}, as before")


def require_same(job: Job) -> None:
    """See that the result in the folder of a finished job is the result of this job.

    Raises:
        ConfigError: It is of another config or corpus; the message has the keys.
        CheckpointError: It is damaged.
    """
    url = join(job.folder, FILE_NAME)
    changed = list(_changes(read_document(url), job))
    if changed:
        raise ConfigError(
            f"{url} is the result of another training: {'; '.join(changed)}; give the settings and "
            "data of that one, or choose another folder"
        )


def _changes(checkpoint: dict[str, Any], job: Job) -> Iterator[str]:
    """Settings and datasets that differ from those of a checkpoint, in words."""
    # A setting that the checkpoint does not know is younger than it, and was at its default.
    then = flat(TrainConfig().model_dump(mode="json")) | flat(checkpoint["config"])
    now = flat(job.config.model_dump(mode="json"))
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key) and key.split(".")[0] not in MAY_CHANGE:
            yield f"{key} was {then.get(key)!r}, is {now.get(key)!r}"
    before = checkpoint["provenance"]["datasets"]
    order = checkpoint["provenance"].get("order")
    if order and set(order) == set(job.names) and tuple(order) != job.names:
        yield f"the order of the datasets was {', '.join(order)}, is {', '.join(job.names)}"
    found = fingerprints(job.processed_dir, job.names)
    for name in sorted(before.keys() | found.keys()):
        if before.get(name) != found.get(name):
            yield (
                f"dataset {name} was {before.get(name, 'not trained on')}, is "
                f"{found.get(name, 'not asked for')}"
            )


def _recut(state: dict[str, Any], job: Job) -> Iterator[str]:
    """Datasets whose files are others than those that a `streaming` training drew its order from.

    Their windows are the same: a dataset of another fingerprint is named by `_changes`.
    """
    about = state["provenance"]
    if about["load_mode"] != "streaming":
        return
    then, now = about.get("cuts", {}), cuts(job.processed_dir, job.names)
    for name in sorted(about["datasets"].keys() & now.keys()):
        if then.get(name) != now[name]:
            yield (
                f"dataset {name} was prepared anew and its windows lie in other files, from which "
                "load_mode streaming draws another order"
            )


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
