"""How a run was begun: written before anything else, compared when it is asked for again.

As long as no training has a folder, nothing was trained: then the run may still begin in another
way, for instance with settings that fit into the cluster.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from jepa_ray.config import CONFIRM_FILE, ConfirmConfig
from jepa_ray.confirm.datasets import Listed, trainable
from jepa_ray.corpus import cuts
from jepa_ray.errors import ConfigError
from jepa_ray.prepared import COMBINED
from jepa_ray.storage import (
    exists,
    join,
    list_names,
    read_bytes,
    read_json,
    write_bytes,
    write_json,
)
from jepa_ray.train.jobs import MAY_CHANGE, flat
from jepa_ray.train.keeper import CONFIG_FILE as OF_A_TRAINING
from jepa_ray.windows import utc_now

log = logging.getLogger(__name__)

Document = dict[str, Any]

CORPUS_FILE = "corpus.json"
BEGUN_FILES = (CONFIRM_FILE, CORPUS_FILE, ".lock", ".lease")
"""Of a run in which nothing was trained yet."""
_MAY_CHANGE = ("concurrent", *(f"train.{name}" for name in MAY_CHANGE if name != "preset"))
"""`preset` is in every result file, so it stays."""
_SETTLED = ("load_mode", "device", "precision", "cuts")


def begin(
    run: str, config: ConfirmConfig, datasets: dict[str, Listed], dataset: str = COMBINED
) -> None:
    """Write settings and corpus of a new run, or what a killed one did not get to.

    Args:
        run: Path or URL.
        config: Settings.
        datasets: What was asked for comes to.
        dataset: What was asked for: `combined` or names.
    """
    anew = not _trained(run)
    if anew or _settings(run) is None:
        text = yaml.safe_dump(config.document(), sort_keys=False)
        write_bytes(join(run, CONFIRM_FILE), text.encode())
    if anew or _corpus(run) is None:
        found = {name: asdict(each) for name, each in datasets.items()}
        began = {"started_utc": utc_now(), "dataset": dataset, "datasets": found}
        write_json(join(run, CORPUS_FILE), began)


def refuse_training(run: str) -> None:
    """The folder of a single training is no place for passes.

    Raises:
        ConfigError: It is one.
    """
    if exists(join(run, OF_A_TRAINING)):
        raise ConfigError(f"{run} holds a single training: choose another --run-id")


def started_utc(run: str) -> str:
    """When the run was begun."""
    found = _corpus(run)
    return str(found["started_utc"]) if found else utc_now()


def datasets_of(run: str) -> dict[str, dict[str, Any]]:
    """Those of a run when it was begun, as confirmation.json has them."""
    return dict((_corpus(run) or {"datasets": {}})["datasets"])


def settled(run: str) -> Document:
    """What holds for all trainings of a run, and was settled when the first one began.

    Returns:
        `load_mode`, `device`, `precision`, and for `streaming` also `cuts`: how the datasets were
        cut into files. Empty where nothing was settled yet; a run of an older version has
        `load_mode` alone.
    """
    found = _corpus(run) or {}
    return {key: found[key] for key in _SETTLED if key in found}


def settle(run: str, found: Document) -> None:
    """Write it down for passes that begin later, maybe on another cluster."""
    write_json(join(run, CORPUS_FILE), {**(_corpus(run) or {}), **found})


def without_new(run: str, datasets: dict[str, Listed]) -> dict[str, Listed]:
    """The datasets that a run of all of them was begun with; a warning names those beside.

    As long as nothing is trained, that is all of them.
    """
    corpus = _corpus(run)
    if corpus is None or not _trained(run) or corpus.get("dataset", COMBINED) != COMBINED:
        return datasets
    then = _said(corpus["datasets"])
    new = [name for name in trainable(datasets) if name not in then]
    kept = {name: each for name, each in datasets.items() if name not in new}
    if not new or not trainable(kept):
        return datasets
    log.warning(
        "%s was begun without %s, so it goes on without; to train on all, choose another --run-id",
        run,
        ", ".join(new),
    )
    return kept


def require_uncut(run: str, processed_dir: str, names: Sequence[str]) -> None:
    """See that the datasets of a streaming run lie in the files that it was begun with.

    Raises:
        ConfigError: Some of them were cut anew: their windows would come in another order.
    """
    then = settled(run).get("cuts", {})
    now = cuts(processed_dir, names) if then else {}
    changed = [name for name in sorted(now) if then.get(name) != now[name]]
    if changed:
        raise ConfigError(
            f"{run} cannot go on: {', '.join(changed)} was prepared anew and its windows lie in "
            "other files, from which load_mode streaming draws another order; prepare it with the "
            "settings of then, or choose another --run-id"
        )


def require_same(run: str, config: ConfirmConfig, datasets: dict[str, Listed]) -> None:
    """See that a run was begun with these settings on these windows, if it was begun.

    Raises:
        ConfigError: It was not; the message has the keys and datasets that differ.
    """
    changed = [*_other_settings(run, config), *_other_datasets(run, datasets)]
    if changed and _trained(run):
        raise ConfigError(
            f"{run} was begun as another run: {'; '.join(changed)}; give the settings and data of "
            "that run again, or choose another --run-id"
        )


def _trained(run: str) -> bool:
    """Whether any training has a folder."""
    passes = [name for name in list_names(run) if name.startswith("pass")]
    return any(not name.startswith(".") for each in passes for name in list_names(join(run, each)))


def _other_settings(run: str, config: ConfirmConfig) -> Iterator[str]:
    settings = _settings(run)
    # A setting that the file does not know is younger than it, and was at its default.
    then = flat(ConfirmConfig().document()) | flat(settings or {})
    now = flat(config.document())
    for key in sorted(then.keys() | now.keys()) if settings is not None else ():
        fixed = not any(key == name or key.startswith(f"{name}.") for name in _MAY_CHANGE)
        if fixed and then.get(key) != now.get(key):
            yield f"{key} was {then.get(key)!r}, is {now.get(key)!r}"


def _other_datasets(run: str, datasets: dict[str, Listed]) -> Iterator[str]:
    corpus = _corpus(run)
    then = _said(corpus["datasets"]) if corpus else {}
    now = _said({name: asdict(each) for name, each in datasets.items()})
    for name in sorted(then.keys() | now.keys()) if corpus else ():
        if then.get(name) != now.get(name):
            was, found = then.get(name, "not trained on"), now.get(name, "not trained on")
            yield f"dataset {name} was {was}, is {found}"


def _said(datasets: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Fingerprints of those that are trained on."""
    return {n: str(d["fingerprint"]) for n, d in datasets.items() if d["status"] == "trained"}


def _settings(run: str) -> dict[str, Any] | None:
    url = join(run, CONFIRM_FILE)
    try:
        found = yaml.safe_load(read_bytes(url))
    except FileNotFoundError:
        return None
    except (ValueError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{url} is damaged, so the run cannot go on: choose another --run-id")
    return found


def _corpus(run: str) -> dict[str, Any] | None:
    url = join(run, CORPUS_FILE)
    try:
        found = read_json(url)
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not _is_corpus(found):
        raise ConfigError(f"{url} is damaged, so the run cannot go on: choose another --run-id")
    return found


def _is_corpus(found: dict[str, Any]) -> bool:
    datasets = found.get("datasets")
    return (
        "started_utc" in found
        and isinstance(datasets, dict)
        and all(
            isinstance(each, dict) and {"status", "fingerprint"} <= each.keys()
            for each in datasets.values()
        )
    )
