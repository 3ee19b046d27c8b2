"""A training inside Ray Train, from prepared Parquet, against the bare step on random tensors.

Both run in the same Ray Train worker, in turns of the same number of steps, so what else the
machine does meets both. The training's steps count everything between two of them: waiting for the
batch, looking at the loss, reports, and the states that a thread saves every 25 steps; not
validations.

On a machine that others use the wall clock says little; the share by CPU seconds of the process,
its threads included, hardly depends on them.

python benchmarks/bench_train_engine.py [--windows N] [--steps N] [--rounds R] [--batch-size B]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from jepa_ray.cluster import session
from jepa_ray.config import TrainConfig
from jepa_ray.train.data import Batch, Worker, open_data
from jepa_ray.train.engine import Engine
from jepa_ray.train.keeper import Keeper
from jepa_ray.train.loop import Training
from tests.prepared_corpus import JIRA, write_prepared

WANTED_SHARE, WANTED_WAIT = 0.95, 0.02
MODES = ("memory", "streaming")


class Timed(Training):
    """Keeps the CPU clock of the process after each step but the last, which validates."""

    clocks: list[float]

    def _step(self, batch: Batch, waited: float) -> None:
        super()._step(batch, waited)
        self.clocks.append(time.process_time())


def measure(job: dict[str, Any]) -> None:
    """What the worker runs; it leaves the seconds in a file."""
    torch.set_num_threads(1)
    config, worker = TrainConfig.model_validate(job["config"]), Worker()
    began = time.perf_counter()
    data = open_data(job["processed"], [JIRA], config, worker, MODES[0])
    opened = time.perf_counter() - began
    batch = data.make(0)
    made_up = Batch(torch.rand_like(batch.x), batch.visible, batch.hidden, batch.uids)
    bare = Engine(config, worker)
    found: list[dict[str, Any]] = []
    for number in range(job["rounds"]):
        mode = MODES[number % 2]
        began, cpu = time.perf_counter(), time.process_time()
        for step in range(config.steps):
            float(bare.step(made_up, step))
        alone = (time.perf_counter() - began) / config.steps
        alone_cpu = (time.process_time() - cpu) / config.steps
        data = open_data(job["processed"], [JIRA], config, worker, mode)
        keeper = Keeper(f"{job['runs']}/{number}", keep_last=2)
        training = Timed(
            config, data, worker, report=lambda _row: None, keeper=keeper, folder=keeper.folder
        )
        training.clocks = []
        row = training.run()[-1]
        keeper.close()
        ends = training.clocks[:-1]
        cpu_share = alone_cpu * (len(ends) - 1) / (ends[-1] - ends[0])
        found.append({"mode": mode, "bare": alone, "cpu_share": cpu_share, **row})
    Path(job["found"]).write_text(json.dumps({"opened": opened, "rounds": found}))


def run(args: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Prepare a corpus, run the worker, read what it measured."""
    write_prepared(root / "p", root / "raw", records=args.windows)
    config = TrainConfig(
        steps=args.steps,
        batch_size=args.batch_size,
        val_every=args.steps,
        val_batches=1,
        guard="off",
        checkpoint={"every": 25},
    )
    job = {
        "config": config.model_dump(mode="json"),
        "processed": str(root / "p"),
        "rounds": args.rounds,
        "runs": str(root / "runs"),
        "found": str(root / "found.json"),
    }
    with session(num_cpus=2):
        TorchTrainer(
            measure,
            train_loop_config=job,
            scaling_config=ScalingConfig(num_workers=1),
            run_config=RunConfig(name="bench", storage_path=str(root / "ray")),
        ).fit()
    found: dict[str, Any] = json.loads((root / "found.json").read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=6000)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=32)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jrb", ignore_cleanup_errors=True) as folder:
        found = run(args, Path(folder))
    print(f"opening {args.windows:,} windows in memory: {found['opened'] * 1000:.0f} ms")
    for mode in MODES:
        rounds = [r for r in found["rounds"] if r["mode"] == mode]
        share = statistics.median(r["bare"] / r["step_seconds"] for r in rounds)
        wait = statistics.median(r["data_wait_seconds"] / r["step_seconds"] for r in rounds)
        step = statistics.median(r["step_seconds"] for r in rounds)
        cpu = statistics.median(r["cpu_share"] for r in rounds)
        shares = " ".join(f"{r['bare'] / r['step_seconds']:.2f}" for r in rounds)
        print(
            f"{mode:9} batch {args.batch_size}: {1 / step:6.1f} steps/s, {share:.1%} of the bare "
            f"step, {cpu:.1%} by CPU seconds (wanted {WANTED_SHARE:.0%}), waiting for data "
            f"{wait:.2%} (at most {WANTED_WAIT:.0%}); rounds {shares}"
        )


if __name__ == "__main__":
    main()
