"""Small confirmation runs for the tests of what reads them: trained, and their files put together.

The forms are those of docs/confirm.md; no code of `confirm` is used.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jepa_ray.config import TrainConfig
from jepa_ray.confirm.order import pass_order
from jepa_ray.corpus import fingerprints, prepared
from jepa_ray.evaluate.intervals import spread
from jepa_ray.train import Job, train_many
from tests.prepared_corpus import JIRA, issue_lines, write_prepared
from tests.train.trainings import TINY

NAMES = (JIRA, "gharchive")
SEEDS = (2026061101, 2026061102)
COMBINED = "combined"
TRAIN = {
    "steps": 6, "batch_size": 8, "val_every": 3, "val_batches": 2, "guard": "off",
    "model": TINY.model_dump(),
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """Where they lie.

    Attributes:
        processed: The corpus.
        sequential: A run of two passes.
        mixed: A run of one pass, interleaved, of objective `mae`.
    """

    processed: str
    sequential: Path
    mixed: Path


@functools.cache
def made_runs(folder: Path) -> Made:
    """Train all of them in one fit, once a session, below its temporary folder."""
    root = folder / "confirmed"
    write_prepared(root / "p", root / "raw", lines=issue_lines(150))
    write_prepared(root / "p", root / "raw", "gharchive", records=90)
    made = Made(str(root / "p"), root / "runs/sequential", root / "runs/mixed")
    settings = {
        made.sequential: (SEEDS, TRAIN | {"mixing": "sequential"}),
        made.mixed: (SEEDS[:1], TRAIN | {"mixing": "interleaved", "objective": {"kind": "mae"}}),
    }
    jobs = [
        job
        for run, (seeds, train) in settings.items()
        for number, seed in enumerate(seeds, start=1)
        for job in _jobs(made.processed, run / f"pass{number:02d}", seed, train)
    ]
    train_many(jobs, storage_path=str(root / "ray"))
    for run, (seeds, train) in settings.items():
        write_files(run, made.processed, seeds, train)
    return made


def _jobs(processed: str, folder: Path, seed: int, train: dict[str, Any]) -> list[Job]:
    config = TrainConfig.model_validate({**train, "seed": seed, "split": {"seed": seed}})
    alone = config.model_copy(update={"mixing": "interleaved"})
    order = pass_order(NAMES, seed)
    jobs = [Job(processed, (name,), alone, str(folder / name)) for name in order]
    return [*jobs, Job(processed, tuple(order), config, str(folder / COMBINED))]


def write_files(run: Path, processed: str, seeds: tuple[int, ...], train: dict[str, Any]) -> None:
    """Settings, reports and confirmation.json of a run whose trainings are there."""
    config = TrainConfig.model_validate(train)
    settings = {"seeds": list(seeds), "concurrent": None, "train": config.model_dump(mode="json")}
    del settings["train"]["seed"], settings["train"]["split"]["seed"]
    (run / "confirm.yaml").write_text(yaml.safe_dump(settings))
    reports = [_report(run / f"pass{n:02d}", seed) for n, seed in enumerate(seeds, start=1)]
    for report in reports:
        write_json(run / report["pass"] / "report.json", report)
    counts, now = prepared(processed), fingerprints(processed, NAMES)
    datasets: dict[str, Any] = {
        name: {"status": "trained", "reason": None, "windows": counts[name],
               "fingerprint": now[name]}
        for name in NAMES
    }  # fmt: skip
    datasets["epa"] = {
        "status": "missing", "reason": "not there", "windows": 0, "fingerprint": None
    }  # fmt: skip
    write_json(run / "corpus.json", {"started_utc": "", "datasets": datasets})
    write_json(
        run / "confirmation.json",
        {
            "format_version": 1, "run_id": run.name, "processed_dir": processed,
            "preset": config.preset, "mixing": config.mixing, "steps": config.steps,
            "batch_size": config.batch_size, "seeds": list(seeds), "datasets": datasets,
            "passes": reports, "spread": _spreads(reports), "forgetting": _forgetting(reports),
            "code_version": "0", "started_utc": "", "ended_utc": "", "seconds": 1.0,
        },
    )  # fmt: skip


def _report(folder: Path, seed: int) -> dict[str, Any]:
    found = {name: _checkpoint(folder / name) for name in (*NAMES, COMBINED)}
    combined, legs = found[COMBINED], folder / COMBINED / "legs.json"
    keys = ("train_windows", "val_windows", "train_loss", "val_loss")
    return {
        "pass": folder.name, "seed": seed, "order": pass_order(NAMES, seed),
        **{key: combined[key] for key in keys},
        "checkpoints": found,
        "legs": json.loads(legs.read_text())["legs"] if legs.exists() else None,
        "device": "cpu", "workers": 1, "code_version": "0", "started_utc": "", "ended_utc": "",
        "seconds": 1.0,
    }  # fmt: skip


def _checkpoint(folder: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    about, first, last = json.loads((folder / "provenance.json").read_text()), rows[0], rows[-1]
    same = ("val_loss", "train_loss", "skill", "rankme", "slot_std", "cosine_to_mean",
            "collapsing", "seconds")  # fmt: skip
    return {
        "path": str(folder / "schedule_jepa.pt"),
        **{key: last[key] for key in same},
        "untrained_loss": first["val_loss"], "untrained_rankme": first["rankme"],
        "untrained_slot_std": first["slot_std"], "steps": last["step"],
        "train_windows": about["train_windows"], "val_windows": about["val_windows"],
    }  # fmt: skip


def _spreads(reports: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: {
            key: _spread([report["checkpoints"][name][key] for report in reports])
            for key in ("val_loss", "skill", "rankme")
        }
        for name in (COMBINED, *NAMES)
    }


def _spread(values: list[float | None]) -> dict[str, Any] | None:
    return None if None in values else spread([v for v in values if v is not None])._asdict()


def _forgetting(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not all(report["legs"] for report in reports):
        return None
    found: dict[str, Any] = {}
    for name in NAMES:
        legs = [report["legs"] for report in reports]
        own = [next(row for row in rows if row["dataset"] == name) for rows in legs]
        last = [rows[-1] for rows in legs]
        rises = [end["losses"][name] - leg["losses"][name]
                 for leg, end in zip(own, last, strict=True) if end is not leg]  # fmt: skip
        found[name] = {"forgetting": _spread(rises) if rises else None}
        for key, rows in (("learned", own), ("final", last)):
            found[name][key] = _spread([row["losses"][name] for row in rows])
            found[name][f"{key}_skill"] = _spread([row["skills"][name] for row in rows])
    return found


def write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, allow_nan=False))
