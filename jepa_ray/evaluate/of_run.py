"""A confirmation run: the combined checkpoint of every pass, and what they say together.

Passes differ by seed, split and order, so their spread is how sure a number of the recipe is. They
are evaluated side by side, a process each on two CPUs or more; the numbers are the same.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from jepa_ray.config import EvaluateConfig
from jepa_ray.errors import CheckpointError
from jepa_ray.evaluate.compare import FORMAT_VERSION, evaluate
from jepa_ray.evaluate.done import Done, content_of, forget, prepared_as
from jepa_ray.evaluate.files import keep
from jepa_ray.evaluate.find import confirmation, load_finished
from jepa_ray.evaluate.intervals import spread
from jepa_ray.evaluate.pool import processes
from jepa_ray.evaluate.run_verdict import Document, verdict
from jepa_ray.storage import join, require_writable

log = logging.getLogger(__name__)

COMBINED = "combined"
_MOST = 2
_PARTS = "evaluation.parts"
_PICTURES = ("map", "examples")


@dataclass(frozen=True)
class RunEvaluation:
    """All passes of a confirmation run.

    Attributes:
        url: Of the run.
        document: RUN/evaluation.json.
        passes: `evaluate --json` of each pass, whole, by name.
    """

    url: str
    document: Document
    passes: dict[str, Document]

    def keep(self) -> None:
        """Write evaluation.json of the run and of every pass; one warning where it cannot be.

        A fuller one that is there stays, and the others are written all the same.
        """
        whole = keep(self.document, self.url)
        if whole == "failed":
            return
        for name, each in self.passes.items():
            if keep(each, join(self.url, name, COMBINED)) == "failed":
                break
        if whole == "kept":
            forget(join(self.url, _PARTS))


def evaluate_run(
    url: str, *, processed_dir: str, dataset: str | None, config: EvaluateConfig
) -> RunEvaluation:
    """Evaluate a confirmation run.

    Args:
        url: Path or URL of the folder that holds confirmation.json.
        processed_dir: Path or URL that `prepare` wrote.
        dataset: As for `evaluate`.
        config: As for `evaluate`, for each pass.

    Raises:
        CheckpointError: It is no confirmation run, unfinished, or lacks the checkpoint of a pass.
        CorpusError, ConfigError: As for `evaluate`.
        UsageError: The run's folder cannot be written to.
    """
    about = confirmation(url)
    if about is None:
        raise CheckpointError(f"{url} holds no confirmation.json: it is no confirmation run")
    require_writable(url)
    names = [str(each["pass"]) for each in about["passes"]]
    done = Done.of(
        join(url, _PARTS),
        settings=config.model_dump(mode="json"),
        windows=prepared_as(processed_dir),
        dataset=dataset,
    )
    found = _side_by_side(
        [_Job(done, name, join(url, name, COMBINED)) for name in names],
        processed_dir,
        dataset,
        config,
    )
    passes = dict(zip(names, found, strict=True))
    return RunEvaluation(url, summary(str(about.get("run_id", "")), passes), passes)


@dataclass(frozen=True)
class _Job:
    """A pass: its name, the folder of its checkpoint, and where it is kept when it is done."""

    done: Done
    name: str
    url: str


def _side_by_side(
    passes: list[_Job], processed_dir: str, dataset: str | None, config: EvaluateConfig
) -> list[Document]:
    workers = min(_MOST, os.cpu_count() or 1, len(passes))
    jobs = (passes, repeat(processed_dir), repeat(dataset), repeat(config))
    if workers == 1:
        return list(map(_document, *jobs))
    log.info("evaluating %d passes, %d at a time", len(passes), workers)
    way_out = "passes that are done are kept: run it again"
    with processes(workers, does="evaluated a pass", way_out=way_out) as pool:
        return list(pool.map(_document, *jobs))


def _document(
    job: _Job, processed_dir: str, dataset: str | None, config: EvaluateConfig
) -> Document:
    url = load_finished(job.url).url
    own = content_of(url)
    part: Document | None = job.done.get(job.name, own)
    if part is None:
        found = evaluate(url, processed_dir=processed_dir, dataset=dataset, config=config)
        part = found.document()
        job.done.put(job.name, own, part)
    return part


def summary(run_id: str, passes: Mapping[str, Document]) -> Document:
    """RUN/evaluation.json of the documents of its passes, in their order."""
    documents = list(passes.values())
    over = _Over(documents)
    status, sentence = verdict(documents)
    return {
        "format_version": FORMAT_VERSION,
        "run_id": run_id,
        "passes": {
            name: {k: v for k, v in each.items() if not i or k not in _PICTURES}
            for i, (name, each) in enumerate(passes.items())
        },
        "spread": {
            "loss": over.spread("trained", "loss"),
            "untrained_loss": over.spread("untrained", "loss"),
            "reduction": over.spread("reduction"),
            "skill": over.spread("trained", "skill"),
            "rankme": over.spread("trained", "rankme"),
            "untrained_rankme": over.spread("untrained", "rankme"),
            "slot_std": over.spread("trained", "slot_std"),
            "untrained_slot_std": over.spread("untrained", "slot_std"),
            "cosine_to_mean": over.spread("trained", "cosine_to_mean"),
            "cka_with_untrained": over.spread("cka_with_untrained"),
        },
        "datasets": over.table("datasets", ("loss", "skill", "seen_in_training")),
        "baselines": over.table("baselines", ("loss", "skill")),
        "by_mask": over.table("by_mask", ("skill",)),
        "by_distance": list(_by_distance(documents)),
        "controls": _controls(documents),
        "referee": over.pairs("referee", ("pca64", "frozen_random")),
        "seen_in_training": over.spread("sample", "seen_in_training"),
        "unseen_skill": over.spread("sample", "unseen", "skill"),
        "status": status,
        "verdict": sentence,
        "warnings": list(dict.fromkeys(w for each in documents for w in each["warnings"])),
    }


class _Over:
    """Numbers over passes."""

    def __init__(self, documents: list[Document]) -> None:
        self._documents = documents

    def spread(self, *path: str) -> dict[str, float] | None:
        """Of the number at a path of keys, over the passes that have it; None where none has."""
        return spread_of(_at(each, path) for each in self._documents)

    def pairs(self, key: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Of the trained and of the untrained model, for each name."""
        return {
            name: {who: self.spread(key, name, who) for who in ("trained", "untrained")}
            for name in names
        }

    def table(self, key: str, numbers: tuple[str, ...]) -> dict[str, Any]:
        """The same for each entry below a key: of the datasets, of the baselines."""
        entries = dict.fromkeys(name for each in self._documents for name in each[key])
        return {
            entry: {number: self.spread(key, entry, number) for number in numbers}
            for entry in entries
        }


def _at(document: Document, path: tuple[str, ...]) -> float | None:
    found: Any = document
    for key in path:
        found = (found or {}).get(key)
    return found  # type: ignore[no-any-return] # a number, or nothing


def spread_of(values: Iterator[float | None]) -> dict[str, float] | None:
    """A spread over seeds, as JSON has it; None where no seed has a value."""
    known = [each for each in values if each is not None]
    return spread(known)._asdict() if known else None


def _by_distance(documents: list[Document]) -> Iterator[Document]:
    bins = {(row["from"], row["to"]) for each in documents for row in each["by_distance"]}
    for first, last in sorted(bins):
        rows = (row for each in documents for row in each["by_distance"] if row["from"] == first)
        yield {"from": first, "to": last, "skill": spread_of(row["skill"] for row in rows)}


def _controls(documents: list[Document]) -> Document:
    names = documents[0]["controls"]
    return {
        name: {
            "value": spread_of(each["value"] for each in told) if told else None,
            "passed": sum(each["passed"] for each in told),
            "judged": len(told),
        }
        for name in names
        for told in [[c for c in (each["controls"][name] for each in documents) if _can_tell(c)]]
    }


def _can_tell(control: Document) -> bool:
    return control["passed"] is not None
