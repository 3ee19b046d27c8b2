"""Where a training runs: every branch of the choice, GPUs included, without one."""

import pytest

from jepa_ray.config import TrainConfig
from jepa_ray.errors import ConfigError
from jepa_ray.train.device import Placement, place


def placed(*, cpus: float = 8, gpus: float = 0, **settings) -> Placement:
    return place(TrainConfig(**settings), cpus=cpus, gpus=gpus)


@pytest.mark.parametrize(
    ("wanted", "workers", "gpus", "device", "backend"),
    [
        ("auto", 1, 0, "cpu", "gloo"),
        ("auto", 1, 1, "cuda", "nccl"),
        ("auto", 2, 1, "cpu", "gloo"),
        ("auto", 2, 8, "cuda", "nccl"),
        ("cpu", 1, 1, "cpu", "gloo"),
        ("cuda", 1, 1, "cuda", "nccl"),
        ("cuda", 2, 2, "cuda", "nccl"),
    ],
)
def test_the_device_follows_from_the_wish_and_the_cluster(wanted, workers, gpus, device, backend):
    found = placed(device=wanted, workers=workers, gpus=gpus)
    assert found == Placement(device, backend, workers, 1, workers)


def test_cuda_without_enough_gpus_is_refused_with_both_numbers():
    with pytest.raises(ConfigError, match=r"needs 2 GPU\(s\), the cluster has 1; set device=cpu"):
        placed(device="cuda", workers=2, gpus=1)


def test_more_workers_than_cpus_are_refused_with_both_numbers():
    with pytest.raises(ConfigError, match=r"4 worker\(s\) of 1 CPU\(s\) .* cluster's 2 CPUs; set"):
        placed(workers=4, cpus=2)


def test_the_threads_of_all_workers_have_to_fit():
    assert placed(device="cpu", workers=2, threads=4).threads == 4
    with pytest.raises(ConfigError, match="fewer workers or threads"):
        placed(device="cpu", workers=2, threads=5)


def test_an_elastic_training_needs_room_for_its_fewest_workers_only():
    found = placed(workers=2, min_workers=1, cpus=1)
    assert (found.fewest, found.workers) == (1, 2)
    assert placed(device="cuda", workers=2, min_workers=1, gpus=1).device == "cuda"


def test_every_number_of_workers_that_may_come_up_divides_the_batch():
    with pytest.raises(ConfigError, match=r"with 3 workers, .* batch_size 32; .*: 1, 2, 4$"):
        placed(workers=4, min_workers=2)


@pytest.mark.parametrize(
    ("wanted", "gpus", "precision"),
    [("fp32", 1, "fp32"), ("bf16", 0, "bf16"), ("auto", 0, "fp32"), ("auto", 1, "auto")],
)
def test_only_a_gpu_is_asked_whether_it_computes_bf16(wanted, gpus, precision):
    assert placed(precision=wanted, gpus=gpus).precision == precision


def test_a_placement_says_itself_in_one_line():
    assert str(placed(device="cpu", workers=2, threads=3)) == (
        "2 worker(s) on cpu, backend gloo, 3 thread(s) each, fp32"
    )
    assert str(placed(gpus=1, precision="auto")) == (
        "1 worker(s) on cuda, backend nccl, bf16 if the GPU has it"
    )
    assert str(placed(workers=2, min_workers=1, gpus=2)).startswith("1-2 worker(s) on cuda")


def test_a_run_goes_on_where_its_trainings_before_ran():
    config = TrainConfig()
    stays = place(config, cpus=4, gpus=1, device="cpu", precision="fp32")
    assert (stays.device, stays.backend, stays.precision) == ("cpu", "gloo", "fp32")
    assert place(config, cpus=4, gpus=1, device="cuda", precision="bf16").precision == "bf16"
    with pytest.raises(ConfigError, match="has 0; the trainings of this run before had them"):
        place(config, cpus=4, gpus=0, device="cuda")
