"""Facts -> findings, without a cluster."""

from dataclasses import replace

import pytest

from jepa_ray.doctor.facts import Facts
from jepa_ray.doctor.judge import judge, judge_addresses, judge_clocks, judge_ports

GIB = 1 << 30
A = Facts(
    node="10.0.0.1",
    versions={"Python": "3.11.7", "ray": "2.60.0"},
    cpus=4,
    gpus=0,
    memory=8 * GIB,
    object_store=2 * GIB,
    shared_memory=4 * GIB,
    disk=50 * GIB,
    authentication="token",
)
B = replace(A, node="10.0.0.2")


def bad(*nodes: Facts, storage: str | None = None) -> dict[str, str]:
    """What failed: check -> its line."""
    return {f.check: f.line() for f in judge(nodes, storage=storage) if not f.ok}


def test_two_nodes_that_agree_pass():
    assert bad(A, B, storage="s3://b/x") == {}


def test_what_passes_says_what_was_found():
    lines = "\n".join(f.line() for f in judge([A, B], storage="s3://b/x"))
    assert "version of ray: 2.60.0 on all 2 nodes" in lines
    assert "8 CPUs, 0 GPUs on 2 nodes" in lines
    assert "s3://b/x is writable from all 2 nodes" in lines


@pytest.mark.parametrize(
    ("changes", "check", "said"),
    [
        ({"versions": {"Python": "3.12.1", "ray": "2.60.0"}}, "version of Python",
         "3.11.7 on 10.0.0.1, 3.12.1 on 10.0.0.2"),
        ({"versions": {"Python": "3.11.7"}}, "version of ray", "absent on 10.0.0.2"),
        ({"memory": GIB}, "memory", "1.0 GiB on 10.0.0.2, less than 2.0 GiB"),
        ({"disk": GIB}, "free disk", "1.0 GiB on 10.0.0.2, less than 10.0 GiB"),
        ({"shared_memory": GIB}, "object store", "--shm-size"),
        ({"authentication": "disabled"}, "authentication", "off on 10.0.0.2"),
        ({"open_token": "/x/auth_token"}, "token", "/x/auth_token on 10.0.0.2"),
        ({"environment": ("RAY_X",)}, "environment", "RAY_X on 10.0.0.2"),
        ({"storage": "/d is full"}, "storage", "from 10.0.0.2: /d is full"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_on_one_node_names_the_node_and_says_what_to_do(changes, check, said):
    found = bad(A, replace(B, **changes), storage="/d")
    assert list(found) == [check]
    assert said in found[check]
    assert found[check].startswith(f"FAIL {check}: ")
    assert "; " in found[check]


def test_a_cluster_without_cpus_does_not_pass():
    assert "processors" in bad(replace(A, cpus=0))


def test_a_package_that_is_missing_everywhere_does_not_pass():
    assert "version of torch" in bad(replace(A, versions={"torch": "absent"}))


def test_clocks_that_differ_are_named():
    assert judge_clocks({"a": 0.3, "b": -1.0}).ok
    assert "b by -7.0 s" in judge_clocks({"a": 0.3, "b": -7.0}).said


def test_public_addresses_are_named():
    assert judge_addresses(["10.0.0.1", "192.168.1.1", "127.0.0.1", "head"]).ok
    assert "8.8.8.8" in judge_addresses(["10.0.0.1", "8.8.8.8"]).said


def test_ports_that_a_node_cannot_reach_are_named():
    assert judge_ports({"a": [], "b": []}).ok
    assert "b cannot reach 10.0.0.1:8076" in judge_ports({"a": [], "b": ["10.0.0.1:8076"]}).said
