"""Two passes on three hosts, windows and results in a store, and something breaks on the way."""

import json
import time

import pytest

from tests.chaos.faults import FAULTS, end
from tests.chaos.undisturbed import confirm_command, weights
from tests.confirm.without_ray import numbers

pytestmark = [pytest.mark.ray, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(600)]
AT_WORK = ("RayTrainWorker",)


def wait_for_state(s3, process, name: str = "step-00000200.pt") -> None:
    """Until the work is in full swing."""
    for _ in range(600):
        if any(key.endswith(name) for key in s3.names()):
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise TimeoutError("no state appears")


def require_the_same(s3, out: str, calm_passes, tmp_path) -> None:
    assert numbers(json.loads(out)) == calm_passes[0]
    run = f"{s3.bucket}/runs/a/"
    for key in s3.names():
        if key.endswith("/schedule_jepa.pt"):
            place = tmp_path / key.removeprefix(run)
            place.parent.mkdir(parents=True, exist_ok=True)
            s3.fs.get_file(key, str(place))
    assert weights(tmp_path) == calm_passes[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_losses_and_weights_are_those_of_an_undisturbed_run(
    whole, s3, processed, calm_passes, fault, tmp_path, record
):
    s3.upload(processed, "p")

    def start():
        return whole.start(*confirm_command(f"{s3.url}/p", f"{s3.url}/runs"))

    began = time.monotonic()
    process = start()
    wait_for_state(s3, process)
    FAULTS[fault](whole, process, AT_WORK)
    out, outcome = end(process, start)
    record(f"{outcome}; {time.monotonic() - began:.0f} s")
    require_the_same(s3, out, calm_passes, tmp_path)


def test_a_host_with_a_full_disk_is_one_message_or_no_matter(
    whole, s3, processed, calm_passes, tmp_path, record
):
    s3.upload(processed, "p")

    def start():
        return whole.start(*confirm_command(f"{s3.url}/p", f"{s3.url}/runs"))

    with whole.small_disk("host2") as disk:
        process = start()
        wait_for_state(s3, process)
        disk.fill()

        def with_room():
            disk.clear()
            return start()

        out, outcome = end(process, with_room)
    record(outcome)
    require_the_same(s3, out, calm_passes, tmp_path)
