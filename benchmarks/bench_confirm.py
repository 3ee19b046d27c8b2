"""A confirmation run against the steps that it holds.

The ratio is the command's wall clock to the seconds of all its steps divided by the cores that
worked on them. Both come from the same run, so what else the machine does meets both; `--passes` of
one worker each ran at once. Wanted: at most 1.15 for 1000 steps a training. Only of a run that one
command made: the wall clock is that of the last one.

python benchmarks/bench_confirm.py RUN --at-once N      read a finished run
python benchmarks/bench_confirm.py [--steps N] [--records N] [--passes N]      make a small one
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm import confirm
from jepa_ray.storage import join, read_bytes
from tests.prepared_corpus import JIRA, write_prepared

WANTED = 1.15


def make(args: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Run the protocol on made-up windows of two datasets."""
    for number, name in enumerate((JIRA, "gharchive")):
        write_prepared(root / "p", root / f"raw{number}", name, records=args.records)
    config = ConfirmConfig.model_validate(
        {"seeds": list(range(1, args.passes + 1)), "train": {"steps": args.steps}}
    )
    return confirm(
        processed_dir=str(root / "p"), storage_path=str(root), run_id="bench", config=config
    )


def step_seconds(folder: str) -> float:
    """Of all steps of a training, without validations and saves."""
    lines = read_bytes(join(folder, "metrics.jsonl")).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    pairs = itertools.pairwise(rows)
    return sum((after["step"] - row["step"]) * after["step_seconds"] for row, after in pairs)


def measure(found: dict[str, Any], at_once: int) -> None:
    """Print where the time went."""
    steps = trained = passes = 0.0
    for each in found["passes"]:
        passes += each["seconds"]
        for about in each["checkpoints"].values():
            trained += about["seconds"]
            steps += step_seconds(about["path"].rpartition("/")[0])
    count = len(found["passes"])
    ratio = found["seconds"] * at_once / steps
    print(
        f"{count} passes, {at_once} at once, {found['seconds']:.0f} s; {steps:.0f} s of steps\n"
        f"beside the steps: {(trained - steps) / steps:.1%} validations and states within "
        f"trainings, {(passes - trained) / count:.1f} s a pass to start and end\n"
        f"wall clock x {at_once} / seconds of steps: {ratio:.3f} (wanted {WANTED})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", help="Folder of a finished run that was not resumed.")
    parser.add_argument("--at-once", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--records", type=int, default=500)
    parser.add_argument("--passes", type=int, default=2)
    args = parser.parse_args()
    if args.run:
        found = json.loads(read_bytes(join(args.run, "confirmation.json")))
        measure(found, min(args.at_once, len(found["seeds"])))
        return
    with tempfile.TemporaryDirectory(prefix="jrb", ignore_cleanup_errors=True) as folder:
        measure(make(args, Path(folder)), min(args.at_once, args.passes))


if __name__ == "__main__":
    main()
