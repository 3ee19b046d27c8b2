"""Confirmation runs without Ray, for tests."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm.plan import Pass, passes
from jepa_ray.confirm.results import pass_report
from jepa_ray.storage import write_json
from jepa_ray.train import Job
from tests.prepared_corpus import JIRA, write_prepared

GH = "gharchive"
TINY = {"d_model": 16, "layers": 1, "heads": 2, "mlp": 16}
TRAIN = {"steps": 6, "batch_size": 8, "val_batches": 2, "model": TINY}
CONFIG = ConfirmConfig.model_validate({"seeds": [1, 2], "train": TRAIN})
STARTED = "2026-06-11T00:00:00+00:00"


def flags(**more: Any) -> list[str]:
    """The settings of `CONFIG` on the command line, others beside them."""
    flat = {f"train.{k}": v for k, v in TRAIN.items() if k != "model"}
    flat |= {f"train.model.{k}": v for k, v in TINY.items()}
    flat |= {name.replace("__", "."): value for name, value in more.items()}
    return [f"--set={name}={value}" for name, value in flat.items()]


def corpus(folder: Path, *, records: int = 64) -> str:
    """A prepared folder of two datasets."""
    write_prepared(folder / "p", folder / "raw", records=records)
    write_prepared(folder / "p", folder / "raw2", GH, records=records)
    return str(folder / "p")


def cut_anew(dataset: Path) -> None:
    """The same windows in files of 40 rows."""
    found = json.loads((dataset / "manifest.json").read_text())
    files = [dataset / "windows" / part["name"] for part in found["parts"]]
    table = pa.concat_tables([pq.read_table(file) for file in files])
    found["parts"] = []
    for start in range(0, len(table), 40):
        file, rows = dataset / "windows" / f"part-{start:05d}.parquet", table.slice(start, 40)
        pq.write_table(rows, file)
        part = {"name": file.name, "rows": len(rows), "bytes": file.stat().st_size}
        found["parts"].append(part)
    (dataset / "manifest.json").write_text(json.dumps(found))


def manifest(processed: Path, name: str, **changes: Any) -> None:
    """A dataset of its own: the manifest of public_jira with some values changed."""
    found = json.loads((processed / JIRA / "manifest.json").read_text())
    (processed / name).mkdir(exist_ok=True)
    (processed / name / "manifest.json").write_text(json.dumps(found | {"dataset": name} | changes))


def planned(processed: str, run: Path | str, config: ConfirmConfig = CONFIG) -> list[Pass]:
    return passes(str(run), processed, [GH, JIRA], config)


def pretend_trained(job: Job, *, val_loss: float = 0.5, skill: float | None = 0.25) -> None:
    """What a training leaves, as far as reports look at it."""
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    row = {
        "val_loss": 1.04, "train_loss": None, "skill": skill, "rankme": 2.5, "slot_std": 0.25,
        "cosine_to_mean": 0.9, "collapsing": False, "seconds": 0.1, "step": 0,
    }  # fmt: skip
    last = row | {"val_loss": val_loss, "train_loss": 0.4, "rankme": 9.0, "step": 6, "seconds": 3.0}
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(last) + "\n")
    about = {"train_windows": 57, "val_windows": 7, "device": "cpu", "workers": 1}
    (folder / "provenance.json").write_text(json.dumps(about))
    (folder / "schedule_jepa.pt").write_bytes(b"weights")


def pretend_finished(each: Pass, **numbers: Any) -> dict[str, Any]:
    """A pass with its report."""
    for job in each.jobs:
        pretend_trained(job, **numbers)
    report = pass_report(each, started=STARTED, seconds=9.0)
    write_json(each.report, report)
    return report
