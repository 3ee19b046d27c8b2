"""The proof that a confirmation run is whole, and that what its checkpoints give again is true.

A failed check is a finding; all the others are made all the same. No Ray: the trainings are gone
through by threads, each of which computes on one core.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from jepa_ray.config import CONFIRM_FILE
from jepa_ray.config.legs import cut_legs
from jepa_ray.confirm.begun import CORPUS_FILE
from jepa_ray.confirm.checks import Check, WrongError, check, require, require_equal
from jepa_ray.confirm.differences import differences
from jepa_ray.confirm.measured import measured, same_models
from jepa_ray.confirm.order import pass_order
from jepa_ray.confirm.plan import CONFIRMATION_FILE
from jepa_ray.confirm.recorded import (
    Recorded,
    read_document,
    recorded,
)
from jepa_ray.confirm.results import FORMAT_VERSION, forgetting, spreads
from jepa_ray.confirm.training_checks import TrainingChecks
from jepa_ray.corpus import COMBINED, fingerprints, prepared
from jepa_ray.errors import CorpusError
from jepa_ray.prepared import nothing_there
from jepa_ray.storage import absolute, exists, join, list_names
from jepa_ray.train.keeper import LEGS_FILE, PROVENANCE_FILE
from jepa_ray.windows import exchanged, read_manifest

Progress = Callable[[Check], None]
_MOST_THREADS = 8
_MOST_TOLD = 3
_READ = {"load_mode": "read", "cuts": "read files of"}
"""What the order of the batches depends on, by key of provenance.json."""
_COMPUTED = {"device": "computed", "precision": "computed"}


def verify(
    run: str, *, processed_dir: str | None = None, progress: Progress = lambda _check: None
) -> list[Check]:
    """Check a finished confirmation run.

    Args:
        run: Folder of the run, path or URL; it may have been moved.
        processed_dir: Path or URL of the windows that it was trained on; None: the recorded one.
        progress: Told of each check, in order, as soon as it is made.

    Returns:
        All checks in order.

    Raises:
        UsageError: There is no run, or it is not finished.
        CorpusError: There is no corpus.
    """
    made: list[Check] = []

    def tell(found: Check) -> None:
        made.append(found)
        progress(found)

    try:
        found = recorded(run)
    except WrongError as error:
        tell(Check(CONFIRMATION_FILE, "reads", ok=False, detail=str(error)))
        return made
    processed_dir = processed_dir or found.confirmation.get("processed_dir")
    if not isinstance(processed_dir, str):
        tell(Check(CONFIRMATION_FILE, "reads", ok=False, detail="processed_dir is missing"))
        return made
    corpus = absolute(processed_dir)
    if not prepared(corpus):
        raise CorpusError(
            f"{nothing_there(corpus)}, or give the folder of the run's windows with --processed-dir"
        )
    for each in _of_the_run(found, corpus):
        tell(each)
    with _one_thread_each(), ThreadPoolExecutor(_threads(), "verify") as threads:
        for name in found.passes:
            trainings = [TrainingChecks(found, name, each, corpus) for each in found.trainings]
            coming = [threads.submit(_all, training) for training in trainings]
            for each in _of_a_pass(found, name):
                tell(each)
            for future in coming:
                for each in future.result():
                    tell(each)
    return made


def _all(training: TrainingChecks) -> list[Check]:
    return list(training.checks())


def _threads() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """One thread of torch for each of ours: as a worker trains, to the bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _of_the_run(run: Recorded, corpus: str) -> Iterator[Check]:
    yield check(CONFIRMATION_FILE, "settings", lambda: _settings(run))
    yield check(CONFIRMATION_FILE, "passes", lambda: _passes(run))
    yield check(CONFIRMATION_FILE, "datasets", lambda: _datasets(run, corpus))
    yield check(CONFIRMATION_FILE, "windows", lambda: _windows(run, corpus))
    yield check(CONFIRMATION_FILE, "spread", lambda: _spreads(run))
    yield check(CONFIRMATION_FILE, "load mode", lambda: _as_in_all_passes(run, _READ))
    yield check(CONFIRMATION_FILE, "device", lambda: _as_in_all_passes(run, _COMPUTED))
    for name in measured(run):
        yield check(name, "checkpoints and windows", partial(same_models, run, name, corpus))


def _of_a_pass(run: Recorded, name: str) -> Iterator[Check]:
    yield check(name, "checkpoints", lambda: _checkpoints(run, name))
    yield check(name, "report", lambda: _report(run, name))
    yield check(name, "order", lambda: _order(run, name))
    yield check(name, "legs", lambda: _legs(run, name))


def _settings(run: Recorded) -> str:
    require_equal("format_version", run.confirmation["format_version"], FORMAT_VERSION)
    config = run.config(run.seeds[0])
    for key in ("preset", "mixing", "steps", "batch_size"):
        require_equal(key, run.confirmation[key], getattr(config, key))
    require_equal("seeds", tuple(run.confirmation["seeds"]), run.seeds)
    run_id, folder = run.confirmation["run_id"], run.run.rstrip("/").rpartition("/")[2]
    renamed = "" if run_id == folder else f"; it is the run {run_id!r} in a folder {folder!r}"
    return f"as in {CONFIRM_FILE}{renamed}"


def _passes(run: Recorded) -> str:
    there = [name for name in list_names(run.run) if name.startswith("pass")]
    require_equal("the list of passes", there, sorted(run.passes))
    names = [each["pass"] for each in run.confirmation["passes"]]
    require_equal("the list of passes", names, list(run.passes))
    require_equal("the number of different seeds", len(set(run.seeds)), len(run.seeds))
    return f"{len(there)}, one a seed"


def _datasets(run: Recorded, corpus: str) -> str:
    require(run.names, "no dataset was trained on")
    begun = read_document(join(run.run, CORPUS_FILE))["datasets"]
    wrong = list(differences("", run.confirmation["datasets"], begun))
    require(not wrong, f"not as in {CORPUS_FILE}: {'; '.join(wrong[:_MOST_TOLD])}")
    now = fingerprints(corpus, run.names)
    counts = prepared(corpus)
    for name in run.names:
        about = run.confirmation["datasets"][name]
        require_equal(f"the fingerprint of {name}", about["fingerprint"], now[name])
        require_equal(f"windows of {name}", about["windows"], counts[name])
    return f"{len(now)} trained on, as they are prepared now"


def _windows(run: Recorded, corpus: str) -> str:
    """All files of windows, of either side, hold what was written."""
    read, unknown = 0, 0
    for name in run.names:
        folder = join(corpus, name)
        for part in read_manifest(folder)["parts"]:
            found = exchanged(folder, part["name"])
            require(not found, f"{name}/windows/{part['name']} was exchanged: prepare it again")
            read, unknown = read + 1, unknown + (found is None)
    said = f"; {unknown} have no digest in their names, so nothing is known of them"
    return f"{read} files, as they were written{said if unknown else ''}"


def _as_in_all_passes(run: Recorded, about: Mapping[str, str]) -> str:
    """Each training read its windows, or computed, in the same way in all passes."""
    begun = read_document(join(run.run, CORPUS_FILE))
    for name in run.trainings:
        files = {
            each: read_document(join(run.run, each, name, PROVENANCE_FILE)) for each in run.passes
        }
        for key, what in about.items():
            found = {each: file.get(key) for each, file in files.items()}
            first = found[next(iter(found))]
            require(
                all(value == first for value in found.values()),
                f"passes {what} {name} in different ways: {found}",
            )
            if key in begun and key != "cuts" and begun[key] != "auto":
                require_equal(f"{key} of {name}", first, begun[key])
            if key == "cuts" and first:
                wanted: Any = begun.get(key, first)
                require_equal(f"{key} of {name}", first, {n: wanted.get(n) for n in first})
    return "the same in all passes"


def _spreads(run: Recorded) -> str:
    """Means and intervals, and what became of each dataset, are those of the passes."""
    reports = [run.report(name) for name in run.passes]
    wanted = {"spread": spreads(reports), "forgetting": forgetting(reports)}
    wrong = list(differences("", {key: run.confirmation[key] for key in wanted}, wanted))
    require(not wrong, "; ".join(wrong[:_MOST_TOLD]))
    return f"of {len(reports)} passes"


def _checkpoints(run: Recorded, name: str) -> str:
    there, wanted = set(run.there(name)), set(run.trainings)
    missing, extra = sorted(wanted - there), sorted(there - wanted)
    said = [f"missing: {', '.join(missing)}"] if missing else []
    said += [f"not of the run: {', '.join(extra)}"] if extra else []
    require(not said, "; ".join(said))
    require_equal("the list in the report", set(run.report(name)["checkpoints"]), wanted)
    return f"all {len(wanted)} are there, none beside"


def _report(run: Recorded, name: str) -> str:
    report = run.report(name)
    require(report == run.element(name), f"it differs from its element in {CONFIRMATION_FILE}")
    require_equal("pass", report["pass"], name)
    require_equal("seed", report["seed"], run.passes[name])
    for key in ("train_windows", "val_windows", "train_loss", "val_loss"):
        require_equal(key, report[key], report["checkpoints"][COMBINED][key])
    about = read_document(join(run.run, name, COMBINED, PROVENANCE_FILE))
    for key in ("device", "workers"):
        require_equal(key, report[key], about[key])
    return f"as in {CONFIRMATION_FILE}"


def _order(run: Recorded, name: str) -> str:
    wanted = pass_order(run.names, run.passes[name])
    require_equal("the order", run.report(name)["order"], wanted)
    return f"{', '.join(wanted)}, as its seed gives it"


def _legs(run: Recorded, name: str) -> str:
    report, url = run.report(name), join(run.run, name, COMBINED, LEGS_FILE)
    legs = cut_legs(report["order"], run.config(run.passes[name]))
    if not legs:
        require_equal("legs", report["legs"], None)
        require(not exists(url), f"{LEGS_FILE} is there, though datasets were mixed")
        return "none: datasets were mixed"
    rows = read_document(url)["legs"]
    require(rows == report["legs"], f"the report differs from {LEGS_FILE}")
    ends = [(row["dataset"], row["step"]) for row in rows]
    require_equal("the list of legs", ends, [(None, 0), *map(tuple, legs)])
    for row in rows:
        require_equal("the list of losses", sorted(row["losses"]), sorted(run.names))
        require_equal("the list of skills", sorted(row["skills"]), sorted(run.names))
        require(all(map(math.isfinite, row["losses"].values())), "a loss is not finite")
    return f"{len(legs)} in their order, as in {LEGS_FILE}"
