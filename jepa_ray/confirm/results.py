"""The result files of a run, put together from what its trainings left. No Ray, no torch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jepa_ray import __version__
from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm.differences import differences
from jepa_ray.confirm.plan import Pass, label
from jepa_ray.corpus import COMBINED
from jepa_ray.errors import ConfigError
from jepa_ray.evaluate.intervals import spread
from jepa_ray.storage import join, read_json
from jepa_ray.train.keeper import LEGS_FILE, read_left
from jepa_ray.windows import utc_now

FORMAT_VERSION = 1
_AS_TRAINED = ("val_loss", "train_loss", "skill", "rankme", "slot_std", "cosine_to_mean",
               "collapsing", "seconds")  # fmt: skip
_SPREAD = ("val_loss", "skill", "rankme")

Document = dict[str, Any]
_TIMES = ("seconds", "started_utc", "ended_utc", "code_version")
"""Of confirmation.json, what another command would write otherwise."""
_REPORT_KEYS = frozenset({
    "pass", "seed", "order", "train_windows", "val_windows", "train_loss", "val_loss",
    "checkpoints", "legs", "device", "workers", "code_version", "started_utc", "ended_utc",
    "seconds",
})  # fmt: skip
_NUMBERS = frozenset({
    *_AS_TRAINED, "untrained_loss", "untrained_rankme", "untrained_slot_std", "steps",
    "train_windows", "val_windows",
})  # fmt: skip
_MAYBE_NONE = frozenset({"skill"})


def pass_report(each: Pass, *, started: str, seconds: float) -> Document:
    """report.json of a pass whose trainings are all finished.

    Args:
        each: The pass.
        started: When it began, or went on, UTC.
        seconds: It took since.

    Raises:
        TrainingError: A training left no result.
    """
    found = {label(job.folder): _checkpoint(job.folder) for job in each.jobs}
    combined, about = found[COMBINED], read_left(each.jobs[-1].folder).about
    return {
        "pass": each.name,
        "seed": each.seed,
        "order": list(each.order),
        "train_windows": combined["train_windows"],
        "val_windows": combined["val_windows"],
        "train_loss": combined["train_loss"],
        "val_loss": combined["val_loss"],
        "checkpoints": found,
        "legs": _legs(each.jobs[-1].folder),
        "device": about["device"],
        "workers": about["workers"],
        "code_version": __version__,
        "started_utc": started,
        "ended_utc": utc_now(),
        "seconds": round(seconds, 3),
    }


def confirmation(
    *,
    run_id: str,
    processed_dir: str,
    config: ConfirmConfig,
    datasets: Mapping[str, Document],
    reports: Sequence[Document],
    started: str,
) -> Document:
    """confirmation.json of a run whose passes are all finished; `reports` in their order.

    Its seconds are those of the trainings, which are the same whenever it is written.
    """
    trained = [each["seconds"] for one in reports for each in one["checkpoints"].values()]
    return {
        "format_version": FORMAT_VERSION,
        "run_id": run_id,
        "processed_dir": processed_dir,
        "preset": config.train.preset,
        "mixing": config.train.mixing,
        "steps": config.train.steps,
        "batch_size": config.train.batch_size,
        "seeds": list(config.seeds),
        "datasets": dict(datasets),
        "passes": list(reports),
        "spread": spreads(reports),
        "forgetting": forgetting(reports),
        "code_version": __version__,
        "started_utc": started,
        "ended_utc": utc_now(),
        "seconds": round(sum(trained), 3),
    }


def says_the_same(found: object, wanted: Document) -> bool:
    """Whether a confirmation.json is what the reports give, but for seconds, dates and version."""
    if not isinstance(found, dict) or found.keys() != wanted.keys():
        return False
    said = {key: value for key, value in found.items() if key not in _TIMES}
    return not any(differences("", said, {key: wanted[key] for key in said})) and all(
        isinstance(found[key], type(wanted[key])) for key in _TIMES
    )


def read_report(each: Pass) -> Document:
    """report.json of a finished pass.

    Raises:
        ConfigError: It is damaged, or that of another pass.
    """
    try:
        report: Document = read_json(each.report)
        ours = _is_report(report, each)
        spreads([report])
        forgetting([report])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        ours = False
    if not ours:
        raise ConfigError(
            f"{each.report} is damaged: delete it, and the same command writes it anew"
        )
    return report


def _is_report(report: Document, each: Pass) -> bool:
    """Whether it is of this pass, and has everything that is told of it."""
    return (
        report.keys() >= _REPORT_KEYS
        and (report["pass"], report["seed"]) == (each.name, each.seed)
        and report["order"] == list(each.order)
        and report["checkpoints"].keys() == each.labels
        and all(_is_entry(about) for about in report["checkpoints"].values())
        and all(_is_number(report[key]) for key in ("train_loss", "val_loss", "seconds"))
    )


def _is_entry(about: Document) -> bool:
    return isinstance(about["path"], str) and all(
        _is_number(about[key]) or (key in _MAYBE_NONE and about[key] is None) for key in _NUMBERS
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def spreads(reports: Sequence[Document]) -> Document:
    """Mean and t-interval over the passes, for `combined` and each dataset; None without skill."""
    found: Document = {}
    for name in sorted(reports[0]["checkpoints"], key=lambda name: (name != COMBINED, name)):
        rows = [report["checkpoints"][name] for report in reports]
        found[name] = {key: _spread([row[key] for row in rows]) for key in _SPREAD}
    return found


def forgetting(reports: Sequence[Document]) -> Document | None:
    """What became of each dataset after its own leg, over the passes.

    A loss is against the target encoder of its time, which moves, so it rises and falls with the
    target, too; a skill is in shares of the target's variance.

    Returns:
        Of each dataset: loss and skill right after its own leg (`learned`, `learned_skill`) and at
        the end (`final`, `final_skill`), and `forgetting`: how much the loss rose in the passes in
        which it did not come last; None where there is no such pass. None where the datasets were
        mixed.
    """
    if any(not report["legs"] for report in reports):
        return None
    found = {}
    for name in sorted(reports[0]["order"]):
        own = [_leg_of(report["legs"], name) for report in reports]
        last = [report["legs"][-1] for report in reports]
        rises = [
            end["losses"][name] - leg["losses"][name]
            for leg, end in zip(own, last, strict=True)
            if end["dataset"] != name
        ]
        found[name] = {
            "learned": _spread([leg["losses"][name] for leg in own]),
            "final": _spread([leg["losses"][name] for leg in last]),
            "forgetting": _spread(rises),
            "learned_skill": _spread([leg["skills"][name] for leg in own]),
            "final_skill": _spread([leg["skills"][name] for leg in last]),
        }
    return found


def _leg_of(legs: Sequence[Document], name: str) -> Document:
    return next(leg for leg in legs if leg["dataset"] == name)


def _spread(values: Sequence[float | None]) -> Document | None:
    present = [value for value in values if value is not None]
    return spread(present)._asdict() if present and len(present) == len(values) else None


def _checkpoint(folder: str) -> Document:
    """One entry of `checkpoints`, from what the training left in its folder."""
    first, last, about = read_left(folder)
    return {
        "path": join(folder, FILE_NAME),
        **{key: last[key] for key in _AS_TRAINED},
        "untrained_loss": first["val_loss"],
        "untrained_rankme": first["rankme"],
        "untrained_slot_std": first["slot_std"],
        "steps": last["step"],
        "train_windows": about["train_windows"],
        "val_windows": about["val_windows"],
    }


def _legs(folder: str) -> list[Document] | None:
    try:
        found: list[Document] = read_json(join(folder, LEGS_FILE))["legs"]
    except FileNotFoundError:
        return None
    return found
