"""Passes and where everything of a run lies: a function of settings, corpus and folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jepa_ray.config import ConfirmConfig, TrainConfig
from jepa_ray.confirm.order import pass_order
from jepa_ray.corpus import COMBINED
from jepa_ray.errors import CorpusError
from jepa_ray.storage import exists, join
from jepa_ray.train import Job

REPORT_FILE = "report.json"
CONFIRMATION_FILE = "confirmation.json"


@dataclass(frozen=True)
class Pass:
    """One pass: all that follows from one seed.

    Attributes:
        name: `pass01` and so on; of its folder, its trial and its fit.
        seed: Of split, order, weights and masks.
        order: Its datasets as shuffled.
        run: Folder of the whole run, path or URL.
        jobs: A training a dataset in that order, then one over all of them.
    """

    name: str
    seed: int
    order: tuple[str, ...]
    run: str
    jobs: tuple[Job, ...]

    @property
    def folder(self) -> str:
        """Path or URL."""
        return join(self.run, self.name)

    @property
    def report(self) -> str:
        """The file that says that the pass is finished."""
        return join(self.folder, REPORT_FILE)

    @property
    def finished(self) -> bool:
        """Whether it is there, and every checkpoint that it tells of."""
        return exists(self.report) and all(job.finished for job in self.jobs)

    def pinned(self, **settled: Any) -> "Pass":
        """The same with what is settled for all trainings: `mode`, `device`, `precision`."""
        return replace(self, jobs=tuple(replace(job, **settled) for job in self.jobs))

    @property
    def labels(self) -> set[str]:
        """Of its trainings."""
        return {label(job.folder) for job in self.jobs}


def label(folder: str) -> str:
    """The dataset, or `combined`, of a training by its folder."""
    return folder.rstrip("/").rpartition("/")[2]


def passes(run: str, processed_dir: str, names: Sequence[str], config: ConfirmConfig) -> list[Pass]:
    """All passes of a run, in the order of their seeds.

    Raises:
        CorpusError: A dataset is called as the training over all of them.
    """
    if COMBINED in names:
        raise CorpusError(f"a dataset cannot be called {COMBINED}: that is the one over all")
    return [
        _pass(f"pass{number:02d}", seed, run, processed_dir, names, config)
        for number, seed in enumerate(config.seeds, start=1)
    ]


def _pass(
    name: str, seed: int, run: str, processed_dir: str, names: Sequence[str], config: ConfirmConfig
) -> Pass:
    order = tuple(pass_order(names, seed))
    trained = _seeded(config.train, seed)
    alone = trained.model_copy(update={"mixing": "interleaved"})  # one dataset has no order
    folder = join(run, name)
    jobs = [Job(processed_dir, (each,), alone, join(folder, each)) for each in order]
    jobs.append(Job(processed_dir, order, trained, join(folder, COMBINED)))
    return Pass(name, seed, order, run, tuple(jobs))


def _seeded(config: TrainConfig, seed: int) -> TrainConfig:
    split = config.split.model_copy(update={"seed": seed})
    return config.model_copy(update={"seed": seed, "split": split})
