"""What a confirmation run says of itself: its settings, its result files, and where they lie.

Everything is found by the layout below the folder of the run, never by a recorded path: a run may
have been moved or copied.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.config import CONFIRM_FILE, TrainConfig, stored_config
from jepa_ray.confirm.checks import WrongError
from jepa_ray.confirm.plan import CONFIRMATION_FILE, REPORT_FILE
from jepa_ray.corpus import COMBINED
from jepa_ray.errors import UsageError
from jepa_ray.storage import absolute, exists, join, list_names, read_bytes

Document = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A finished run.

    Attributes:
        run: Path or URL.
        confirmation: confirmation.json.
        settings: confirm.yaml.
        names: Datasets that were trained, sorted.
        seeds: One a pass.
    """

    run: str
    confirmation: Document
    settings: Document
    names: tuple[str, ...]
    seeds: tuple[int, ...]
    _reports: dict[str, Document] = field(default_factory=dict)

    @property
    def passes(self) -> dict[str, int]:
        """Names of the passes, and their seeds."""
        return {f"pass{number:02d}": seed for number, seed in enumerate(self.seeds, start=1)}

    @property
    def trainings(self) -> tuple[str, ...]:
        """What every pass has trained: a model a dataset, and one of them all."""
        return (*self.names, COMBINED)

    def element(self, name: str) -> Document:
        """What confirmation.json has of a pass."""
        found: Document = self.confirmation["passes"][list(self.passes).index(name)]
        return found

    def report(self, name: str) -> Document:
        """report.json of a pass, read once; WrongError where it is missing or damaged."""
        if name not in self._reports:
            self._reports[name] = read_document(join(self.run, name, REPORT_FILE))
        return self._reports[name]

    def config(self, seed: int) -> TrainConfig:
        """Settings of the combined training of a pass."""
        given = self.settings["train"]
        split = {**given.get("split", {}), "seed": seed}
        return stored_config(TrainConfig, {**given, "seed": seed, "split": split})

    def there(self, name: str) -> list[str]:
        """Folders of a pass that hold a checkpoint."""
        folder = join(self.run, name)
        return [each for each in list_names(folder) if exists(join(folder, each, FILE_NAME))]


def recorded(run: str) -> Recorded:
    """Read what a run says of itself.

    Raises:
        UsageError: There is no run, or it is not finished.
        WrongError: Its files are damaged.
    """
    run = absolute(run)
    if not exists(join(run, CONFIRMATION_FILE)):
        if exists(join(run, CONFIRM_FILE)):
            raise UsageError(
                f"{run} is not finished, {CONFIRMATION_FILE} is not there: the same "
                "`jepa-ray confirm` command goes on with it"
            )
        raise UsageError(f"no confirmation run at {run}: give the folder that `confirm` wrote")
    confirmation = read_document(join(run, CONFIRMATION_FILE))
    try:
        settings = yaml.safe_load(read_bytes(join(run, CONFIRM_FILE)))
    except FileNotFoundError:
        raise WrongError(f"{CONFIRM_FILE} is missing") from None
    except (ValueError, yaml.YAMLError) as error:
        raise WrongError(f"{CONFIRM_FILE} is damaged: {error}") from None
    try:
        names = [n for n, d in confirmation["datasets"].items() if d["status"] == "trained"]
        seeds = tuple(int(seed) for seed in settings["seeds"])
        settings = {**settings, "train": dict(settings["train"])}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongError(
            f"{CONFIRMATION_FILE} or {CONFIRM_FILE} is not of our form: {error!r}"
        ) from None
    return Recorded(run, confirmation, settings, tuple(sorted(names)), seeds)


def read_document(url: str) -> Document:
    """A JSON object.

    Raises:
        WrongError: It is missing, or something else.
    """
    try:
        found = json.loads(read_bytes(url))
    except FileNotFoundError:
        raise WrongError(f"{url} is missing") from None
    except ValueError as error:
        raise WrongError(f"{url} is damaged: {error}") from None
    if not isinstance(found, dict):
        raise WrongError(f"{url} is damaged: it holds a {type(found).__name__}")
    return found
