"""What a verb looks at before it imports its stage: names and places.

Ray and torch take seconds of a core to import; a mistake should be told before. The stages look
again, for those who call them from Python.
"""

from jepa_ray.config import ConfirmConfig, TrainConfig
from jepa_ray.config.legs import SEQUENTIAL, cut_legs
from jepa_ray.errors import CheckpointError, UsageError
from jepa_ray.prepared import choose, require_datasets
from jepa_ray.storage import exists


def check_training(processed_dir: str, dataset: str, config: TrainConfig) -> None:
    """See that the datasets of a training are there, and that its steps reach all of them.

    Raises:
        CorpusError: Nothing is prepared there, or a name is not.
        ConfigError: There are fewer steps than legs.
    """
    names = choose(processed_dir, dataset, in_order=config.mixing == SEQUENTIAL)
    cut_legs(names, config)


def check_passes(processed_dir: str, dataset: str, config: ConfirmConfig) -> None:
    """The same for the passes of a confirmation run."""
    from jepa_ray.confirm.datasets import listed, trainable

    cut_legs(trainable(listed(processed_dir, dataset)), config.train)


def check_checkpoint(url: str) -> None:
    """See that there is anything where a checkpoint should be.

    Raises:
        CheckpointError: There is not.
    """
    if not exists(url):
        raise CheckpointError(
            f"no checkpoint at {url}: give a schedule_jepa.pt or the folder of a run"
        )


def check_run(folder: str, processed_dir: str | None) -> None:
    """See that there is a run, and windows, if a folder is given.

    Raises:
        UsageError: There is no run.
        CorpusError: There are no windows.
    """
    if not exists(folder):
        raise UsageError(f"there is no folder {folder}: give the folder of a run")
    if processed_dir is not None:
        require_datasets(processed_dir)


def check_windows(processed_dir: str, dataset: str | None = None) -> None:
    """See that a folder holds datasets, and those that are named.

    Raises:
        CorpusError: It does not.
    """
    require_datasets(processed_dir)
    if dataset is not None:
        choose(processed_dir, dataset)
