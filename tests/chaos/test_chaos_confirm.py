"""Two passes on three hosts, windows and results in a store, and something breaks on the way."""

import json
import time
from pathlib import Path

import pytest

from jepa_ray.checkpoint import load_checkpoint
from tests.chaos.faults import FAULTS, end
from tests.confirm.runs import corpus, flags
from tests.confirm.without_ray import Numbers, numbers, numbers_without_ray
from tests.train.trainings import bits

pytestmark = [pytest.mark.ray, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(600)]
LONG = {
    "train__steps": 600, "train__val_every": 300, "train__checkpoint.every": 100,
    "train__mixing": "interleaved",
    "train__max_failures": 20,  # a lost host is noticed late, and workers are placed on it
}  # fmt: skip
AT_WORK = ("RayTrainWorker",)


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> Path:
    return Path(corpus(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="module")
def calm(processed, tmp_path_factory) -> tuple[Numbers, dict[str, bytes]]:
    """Losses and weights of the undisturbed trainings, one by one and without Ray."""
    folder = tmp_path_factory.mktemp("calm")
    found = numbers_without_ray(str(processed), folder, **LONG)
    return found, weights(folder)


def weights(run: Path) -> dict[str, bytes]:
    """Of each checkpoint of a run, by its place in it."""
    places = sorted(run.glob("pass*/*/schedule_jepa.pt"))
    return {str(p.parent.relative_to(run)): bits(load_checkpoint(p).model) for p in places}


def wait_for_state(s3, process, name: str = "step-00000200.pt") -> None:
    """Until the work is in full swing."""
    for _ in range(600):
        if any(key.endswith(name) for key in s3.names()):
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise TimeoutError("no state appears")


def require_the_same(s3, out: str, calm, tmp_path) -> None:
    assert numbers(json.loads(out)) == calm[0]
    run = f"{s3.bucket}/runs/a/"
    for key in s3.names():
        if key.endswith("/schedule_jepa.pt"):
            s3.fs.get_file(key, str(tmp_path / key.removeprefix(run)))
    assert weights(tmp_path) == calm[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_losses_and_weights_are_those_of_an_undisturbed_run(
    whole, s3, processed, calm, fault, tmp_path, record
):
    s3.upload(processed, "p")

    def start():
        return whole.start(
            "confirm", "--processed-dir", f"{s3.url}/p", "--storage-path", f"{s3.url}/runs",
            "--run-id", "a", "--seeds", "1,2", "--json", *flags(**LONG),
        )  # fmt: skip

    began = time.monotonic()
    process = start()
    wait_for_state(s3, process)
    FAULTS[fault](whole, process, AT_WORK)
    out, outcome = end(process, start)
    record(f"{outcome}; {time.monotonic() - began:.0f} s")
    require_the_same(s3, out, calm, tmp_path)


def test_a_host_with_a_full_disk_is_one_message_or_no_matter(
    whole, s3, processed, calm, tmp_path, record
):
    s3.upload(processed, "p")

    def start():
        return whole.start(
            "confirm", "--processed-dir", f"{s3.url}/p", "--storage-path", f"{s3.url}/runs",
            "--run-id", "a", "--seeds", "1,2", "--json", *flags(**LONG),
        )  # fmt: skip

    with whole.small_disk("host2") as disk:
        process = start()
        wait_for_state(s3, process)
        disk.fill()

        def with_room():
            disk.clear()
            return start()

        out, outcome = end(process, with_room)
    record(outcome)
    require_the_same(s3, out, calm, tmp_path)
