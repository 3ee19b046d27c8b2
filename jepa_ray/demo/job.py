"""synth -> prepare -> train -> evaluate -> summary, in one folder and one Ray session."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jepa_ray.adapters import adapters
from jepa_ray.cluster import session
from jepa_ray.config import EvaluateConfig, PrepareConfig, TrainConfig
from jepa_ray.evaluate import Evaluation, evaluate
from jepa_ray.prepare import PrepareResult, prepare
from jepa_ray.synth import DATASETS, synthesize
from jepa_ray.train import TrainResult, train

SEED = 2026061101
RECORDS = 5000
STEPS = 400


@dataclass(frozen=True)
class DemoResult:
    """Where everything lies, and what came out."""

    summary: Path
    windows: str
    prepared: PrepareResult
    trained: TrainResult
    evaluated: Evaluation
    seconds: float

    def document(self) -> dict[str, Any]:
        """`demo --json`."""
        return {
            "summary": str(self.summary),
            "datasets": self.prepared.document()["datasets"],
            "checkpoint": self.trained.checkpoint,
            "evaluation": self.evaluated.document(),
            "seconds": round(self.seconds, 1),
        }


def run_demo(
    output: Path,
    *,
    records: int = RECORDS,
    steps: int = STEPS,
    progress: Callable[[str], None] = lambda _line: None,
) -> DemoResult:
    """Run the main job on generated archives.

    Args:
        output: Gets raw/, windows/, reports/ and runs/<run-id>/; may hold earlier demos.
        records: Of each generated source.
        steps: Of the training, preset `reference`.
        progress: Told what is going on.
    """
    began = time.monotonic()
    run_id = f"demo-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}"
    raw, windows = output / "raw", str(output / "windows")
    for dataset in DATASETS:
        progress(f"synth: {dataset}")
        synthesize(dataset, raw, seed=SEED, records=records)
    with session():
        prepared = prepare(
            [name for name in DATASETS if name in adapters()],
            data_root=raw,
            processed_dir=windows,
            reports_dir=str(output / "reports"),
            run_id=run_id,
            config=PrepareConfig(),
            progress=lambda dataset, n: progress(f"prepare {dataset}: {n:,} records"),
        )
        trained = train(
            processed_dir=windows,
            dataset="combined",
            storage_path=str(output / "runs"),
            run_id=run_id,
            config=TrainConfig(seed=SEED, steps=steps),
            progress=lambda row: progress(f"train: step {row['step']} of {steps}"),
        )
    progress("evaluate")
    evaluated = evaluate(
        trained.checkpoint, processed_dir=windows, dataset=None, config=EvaluateConfig()
    )
    summary = output / "runs" / run_id / "summary.md"
    seconds = time.monotonic() - began
    result = DemoResult(summary, windows, prepared, trained, evaluated, seconds)
    summary.write_text(summary_markdown(result), encoding="utf-8")
    return result


def summary_markdown(result: DemoResult) -> str:
    """What the demo did, for a reader."""
    e, t = result.evaluated, result.trained
    lines = [
        "# Demo: the main job on generated archives",
        "",
        f"Took {result.seconds:.0f} s. The data is made up: the numbers show that the path works, "
        "not how good a model on real data is.",
        "",
        "| dataset | records | windows | distinct | not windows |",
        "|---|---|---|---|---|",
    ]
    for name, m in result.prepared.manifests.items():
        lost = sum(m["skipped"].values()) + sum(m["quarantined"].values())
        lines.append(
            f"| {name} | {m['records']:,} | {m['windows']:,} | {m['distinct_windows']:,} | {lost:,} |"
        )
    lines += [
        "",
        f"Trained {t.steps} steps on {t.device} ({t.workers} worker) in {t.seconds:.0f} s, Ray's "
        "start-up included.",
        "",
        "| | loss | skill | RankMe | per-slot std | cosine to mean |",
        "|---|---|---|---|---|---|",
    ]
    for name, n in (("trained", e.trained), ("untrained", e.untrained)):
        lines.append(
            f"| {name} | {n.loss:.6f} | {n.skill:.3f} | {n.rankme:.1f} | {n.slot_std:.3f} "
            f"| {n.cosine_to_mean:.3f} |"
        )
    lines += [
        "",
        f"Verdict: {e.verdict.sentence}",
        "",
        "Look further:",
        "",
        f"    jepa-ray evaluate {t.checkpoint} --processed-dir {result.windows}",
        f"    jepa-ray inspect {result.windows}/calendar_ics_thunderbird",
    ]
    return "\n".join([*lines, ""])
