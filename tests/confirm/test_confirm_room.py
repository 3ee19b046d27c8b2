import pytest

from jepa_ray.confirm.room import passes_at_once
from jepa_ray.errors import ConfigError
from jepa_ray.train.device import Placement


def room(nodes, *, workers=1, threads=1, fewest=None, device="cpu", wanted=6, most=None):
    backend = "nccl" if device == "cuda" else "gloo"
    placement = Placement(device, backend, workers, threads, fewest or workers)
    return passes_at_once(nodes, placement, wanted=wanted, most=most)


def cpus(*counts):
    return [{"CPU": float(count)} for count in counts]


@pytest.mark.parametrize(
    ("nodes", "settings", "at_once"),
    [
        (cpus(2), {}, 2),
        (cpus(64), {}, 6),
        (cpus(64), {"most": 4}, 4),
        (cpus(2), {"most": 9}, 2),
        (cpus(2), {"workers": 2}, 1),
        (cpus(3), {"workers": 2}, 1),
        (cpus(4), {"workers": 2}, 2),
        (cpus(1, 1, 1, 1), {"workers": 2}, 2),
        (cpus(3, 3), {"threads": 2}, 2),
        (cpus(3, 3, 2), {"workers": 3, "threads": 2}, 1),
        ([{"CPU": 16.0, "GPU": 2.0}, {"CPU": 16.0}], {"device": "cuda"}, 2),
        ([{"CPU": 1.0, "GPU": 4.0}], {"device": "cuda"}, 1),
        (cpus(3), {"workers": 4, "fewest": 2}, 1),
        (cpus(0, 2), {}, 2),
    ],
)
def test_as_many_passes_run_as_all_their_workers_have_a_place(nodes, settings, at_once):
    assert room(nodes, **settings) == at_once


def test_a_pass_that_fits_nowhere_is_refused():
    with pytest.raises(ConfigError, match=r"2 worker\(s\), each with 2 CPU\(s\) of one node; the "):
        room(cpus(1, 1, 3), workers=2, threads=2)
    with pytest.raises(ConfigError, match="and a GPU of one node"):
        room(cpus(8), device="cuda")
