"""Where a training runs: every branch of `place`."""

import pytest

from jepa_ray.errors import ConfigError
from jepa_ray.train.device import Placement, place


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
    found = place(wanted, workers=workers, threads=None, cpus=8, gpus=gpus)
    assert found == Placement(device, backend, workers, 1)


def test_cuda_without_enough_gpus_is_refused_with_both_numbers():
    with pytest.raises(ConfigError, match=r"needs 2 GPU\(s\), the cluster has 1; set device=cpu"):
        place("cuda", workers=2, threads=None, cpus=8, gpus=1)


def test_more_workers_than_cpus_are_refused_with_both_numbers():
    with pytest.raises(ConfigError, match=r"3 worker\(s\) of 1 CPU\(s\) .* cluster's 2 CPUs; set"):
        place("auto", workers=3, threads=None, cpus=2, gpus=0)


def test_the_threads_of_all_workers_have_to_fit():
    assert place("cpu", workers=2, threads=4, cpus=8, gpus=0).threads == 4
    with pytest.raises(ConfigError, match="fewer workers or threads"):
        place("cpu", workers=2, threads=5, cpus=8, gpus=0)


def test_a_placement_says_itself_in_one_line():
    cpu = place("cpu", workers=2, threads=3, cpus=8, gpus=0)
    gpu = place("cuda", workers=1, threads=None, cpus=8, gpus=1)
    assert str(cpu) == "2 worker(s) on cpu, backend gloo, 3 thread(s) each"
    assert str(gpu) == "1 worker(s) on cuda, backend nccl"
