"""N workers train what one trains: two gloo processes against one, without Ray."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray.config import TrainConfig
from tests.prepared_corpus import JIRA, write_prepared
from tests.train.trainings import TINY, corpus_folder, data_of, kept, trained, without_time

STEPS = 200
SETTINGS = {"seed": 3, "steps": STEPS, "batch_size": 32, "val_every": 25, "val_batches": 4}
SHORT = SETTINGS | {"val_batches": 1, "model": TINY.model_dump()}

_RANK = """
import hashlib, json, sys
from dataclasses import replace
from pathlib import Path
import torch
from jepa_ray.config import TrainConfig
from jepa_ray.errors import TrainingError
from jepa_ray.train.data import Worker
from jepa_ray.train.loop import Training
from tests.train.trainings import bits, data_of

processed, rank, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(1)
store = torch.distributed.FileStore(sys.argv[5], 2)
torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
config, worker = TrainConfig(**settings), Worker(rank, 2)
names = tuple(sorted(folder.name for folder in Path(processed).iterdir()))
data, told, uids = data_of(processed, config, worker, names), [], []

def make(step):
    batch = data.make(step)
    if sys.argv[4] != "sound" and (step, rank) == (4, 1):
        batch.x[2, batch.hidden[2, 0], 5] = float("nan")
        uids.append(f"0x{batch.uids[2]:016x}")
    return batch

training = Training(config, replace(data, make=make), worker, report=told.append)
if sys.argv[4] == "late":  # as on a GPU, which does not wait for what it finds
    training._losses._waits = False
try:
    rows = training.run()
except TrainingError as error:
    print(json.dumps({"error": str(error), "uid": uids[0] if uids else None}), flush=True)
    sys.exit()
digest = hashlib.sha256(bits(training.objective)).hexdigest()
recent = training._losses.state().tolist()
legs = training._legs.rows
print(json.dumps({"rows": rows, "told": told, "bits": digest, "recent": recent, "legs": legs}))
torch.distributed.destroy_process_group()
"""


def two_workers(processed: str, settings: dict, how: str = "sound") -> list[dict]:
    """What each rank printed; why it failed where the other left it in a collective."""
    store = f"{processed}.store"
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _RANK, processed, str(rank),
             json.dumps(settings), how, store],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    ended = [rank.communicate(timeout=280) for rank in ranks]
    return [json.loads(out) if out else {"failed": said} for out, said in ended]


@pytest.mark.slow
def test_two_workers_have_the_rows_of_one_and_equal_weights_on_all_ranks(tmp_path: Path):
    processed = corpus_folder(tmp_path, records=400)
    first, second = two_workers(processed, SETTINGS)
    assert first["bits"] == second["bits"]
    assert first["recent"] == second["recent"]
    config = TrainConfig(**SETTINGS)
    _, rows, told = trained(data_of(processed, config), config)
    assert [row["step"] for row in first["rows"]] == list(range(0, STEPS + 1, 25))
    for ours, theirs in zip(without_time(first["rows"]), without_time(rows), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)
    losses = [[row["loss"] for row in each if "loss" in row] for each in (first["told"], told)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_two_workers_go_through_the_legs_that_one_goes_through(tmp_path: Path):
    processed = corpus_folder(tmp_path)
    write_prepared(processed, tmp_path / "raw", "gharchive", records=40)
    settings = SHORT | {"steps": 15, "mixing": "sequential"}
    first, second = two_workers(processed, settings)
    assert first["bits"] == second["bits"]
    assert second["legs"] == []
    config, folder = TrainConfig(**settings), tmp_path / "one"
    kept(data_of(processed, config, names=("gharchive", JIRA)), folder, config)
    legs = json.loads((folder / "legs.json").read_text())["legs"]
    assert [leg["step"] for leg in first["legs"]] == [0, 8, 15]
    for ours, theirs in zip(first["legs"], legs, strict=True):
        assert ours["losses"] == pytest.approx(theirs["losses"], abs=1e-5)


def test_a_damaged_window_is_named_by_the_rank_that_holds_it(tmp_path: Path):
    settings = SHORT | {"objective": {"regulariser": "vicreg"}}
    innocent, guilty = two_workers(corpus_folder(tmp_path), settings, "damaged")
    assert "error" in guilty, (innocent, guilty)
    assert guilty["error"].startswith("step 5: 1 window(s) of the batch of rank 1 hold a NaN")
    assert guilty["error"].endswith(f"windows: {guilty['uid']}")


def test_where_nobody_waits_all_ranks_name_the_damaged_window(tmp_path: Path):
    settings = SHORT | {"objective": {"regulariser": "vicreg"}}
    innocent, guilty = two_workers(corpus_folder(tmp_path), settings, "late")
    assert innocent["error"] == guilty["error"]
    assert guilty["error"].startswith("step 5: 1 window(s) of the batch of rank 1 hold a NaN")
    assert guilty["error"].endswith(f"windows: {guilty['uid']}")


def test_one_worker_of_a_group_of_one_needs_no_group(tmp_path: Path):
    processed = corpus_folder(tmp_path)
    _, rows, _ = trained(data_of(processed))
    assert rows[-1]["step"] == 7
