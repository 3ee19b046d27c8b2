"""The facts of every node of a cluster, each gathered on the node itself."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jepa_ray.doctor import facts
from jepa_ray.doctor.facts import Facts
from jepa_ray.doctor.finding import Finding, failed, passed
from jepa_ray.doctor.judge import judge, judge_addresses, judge_clocks, judge_ports

_SECONDS = 60.0


class _Observer:
    """Lives on one node, takes no CPU."""

    def gather(self, storage: str | None, marker: str | None) -> Facts:
        return facts.gather(storage, marker)

    def now(self) -> float:
        return facts.now()

    def unreachable(self, places: list[tuple[str, int]]) -> list[str]:
        return facts.unreachable(places)


def examine_nodes(storage: str | None, marker: str | None) -> list[Finding]:
    """All checks of the cluster that this process is connected to.

    Args:
        storage: Path or URL that every node has to write to.
        marker: Name of the file that the doctor has put there.
    """
    alive = [node for node in ray.nodes() if node["Alive"]]
    dead = [node["NodeManagerAddress"] for node in ray.nodes() if not node["Alive"]]
    names = _names(alive)
    with _observers(alive) as observers:
        told, silent = _ask(observers, "gather", storage, marker)
        present = {key: observers[key] for key in told}
        nodes = [_counted(told[n["NodeID"]], n, names) for n in alive if n["NodeID"] in told]
        found = [_presence(len(nodes), {names[k]: why for k, why in silent.items()}, dead)]
        if not nodes:
            return found
        found += judge(nodes, storage=storage)
        found.append(judge_addresses([node["NodeManagerAddress"] for node in alive]))
        found.append(judge_ports(_blocked(present, alive, names)))
        found.append(judge_clocks({names[k]: _offset(o) for k, o in present.items()}))
    return found


def _names(nodes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A readable name of each node; several raylets of one machine get a number."""
    addresses = [node["NodeManagerAddress"] for node in nodes]
    return {
        node["NodeID"]: address
        if addresses.count(address) == 1
        else f"{address} (raylet {node['NodeID'][:8]})"
        for node, address in zip(nodes, addresses, strict=True)
    }


@contextmanager
def _observers(nodes: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    remote = ray.remote(_Observer)
    found = {}
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        options = {"num_cpus": 0, "scheduling_strategy": here, "name": None}
        found[node["NodeID"]] = remote.options(**options).remote()
    try:
        yield found
    finally:
        for observer in found.values():
            ray.kill(observer)


def _ask(
    observers: Mapping[str, Any], what: str, *args: object
) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers of the nodes, and why the others gave none."""
    asked = {getattr(o, what).remote(*args): key for key, o in observers.items()}
    ready, late = ray.wait(list(asked), num_returns=len(asked), timeout=_SECONDS)
    answers, silent = {}, {asked[ref]: f"no answer in {_SECONDS:.0f} s" for ref in late}
    for ref in ready:
        try:
            answers[asked[ref]] = ray.get(ref)
        except ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            silent[asked[ref]] = lines[-1] if lines else type(error).__name__
    return answers, silent


def _counted(found: Facts, node: Mapping[str, Any], names: Mapping[str, str]) -> Facts:
    """Facts under the node's name, with what Ray counts there."""
    resources = node["Resources"]
    return replace(
        found,
        node=names[node["NodeID"]],
        cpus=resources.get("CPU", 0),
        gpus=resources.get("GPU", 0),
        object_store=int(resources.get("object_store_memory", 0)),
    )


def _presence(present: int, silent: Mapping[str, str], dead: Sequence[str]) -> Finding:
    if silent:
        said = "; ".join(f"{node} did not answer: {why}" for node, why in silent.items())
        return failed("nodes", said, "look at its raylet's log; is jepa_ray installed there?")
    gone = f", {len(dead)} lost before ({', '.join(sorted(set(dead)))})" if dead else ""
    return passed("nodes", f"{present} answer{gone}")


def _blocked(
    observers: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> dict[str, list[str]]:
    places = [
        (node["NodeManagerAddress"], int(node[port]))
        for node in nodes
        for port in ("NodeManagerPort", "ObjectManagerPort")
    ]
    answers, _ = _ask(observers, "unreachable", places)
    return {names[key]: blocked for key, blocked in answers.items()}


def _offset(observer: Any) -> float:
    """Seconds by which a node's clock is ahead, to half the time that the answer took."""
    before = time.time()
    theirs: float = ray.get(observer.now.remote(), timeout=_SECONDS)
    return theirs - (before + time.time()) / 2
