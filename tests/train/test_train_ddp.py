"""N workers train what one trains: two gloo processes against one, without Ray."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray.config import TrainConfig
from tests.train.trainings import bits, corpus_folder, data_of, trained

STEPS = 200
SETTINGS = {"seed": 3, "steps": STEPS, "batch_size": 32, "val_every": 25, "val_batches": 4}

_RANK = """
import hashlib, json, sys
import torch
from jepa_ray.config import TrainConfig
from jepa_ray.train.data import Worker
from jepa_ray.train.loop import Training
from tests.train.trainings import bits, data_of

processed, rank, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
config, worker = TrainConfig(**settings), Worker(rank, 2)
losses = []
training = Training(config, data_of(processed, config, worker), worker, report=lambda row: None)
add = training._losses.add
training._losses.add = lambda step, loss: (losses.append(loss), add(step, loss))
training.run()
mean = torch.stack(losses)
torch.distributed.all_reduce(mean)
digest = hashlib.sha256(bits(training.objective)).hexdigest()
print(json.dumps({"losses": (mean / 2).tolist(), "bits": digest}))
torch.distributed.destroy_process_group()
"""


def two_workers(processed: str, settings: dict) -> list[dict]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _RANK, processed, str(rank),
             json.dumps(settings)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    outs = [rank.communicate(timeout=280)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0]
    return [json.loads(out) for out in outs]


def one_worker(processed: str, settings: dict, losses: list[float]) -> bytes:
    config = TrainConfig(**settings)

    def seen(row):
        if "loss" in row:
            losses.append(row["loss"])

    from jepa_ray.train.data import Worker
    from jepa_ray.train.loop import Training

    training = Training(config, data_of(processed, config), Worker(), report=seen)
    training.run()
    return bits(training.objective)


@pytest.mark.slow
def test_two_workers_have_the_losses_of_one_and_equal_weights_on_all_ranks(tmp_path: Path):
    processed = corpus_folder(tmp_path, records=400)
    ranks = two_workers(processed, SETTINGS)
    assert ranks[0]["bits"] == ranks[1]["bits"]
    losses: list[float] = []
    one_worker(processed, SETTINGS, losses)
    both = ranks[0]["losses"]
    assert len(both) == STEPS
    assert both[24::25] == pytest.approx(losses, abs=1e-5)


def test_one_worker_of_a_group_of_one_needs_no_group(tmp_path: Path):
    processed = corpus_folder(tmp_path)
    _, rows, _ = trained(data_of(processed))
    assert rows[-1]["step"] == 7
