"""Facts of nodes -> findings. Pure: no cluster, no clock, no disk."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from jepa_ray.doctor.facts import Facts
from jepa_ray.doctor.finding import Finding, failed, passed

LEAST_DISK = 10 << 30  # bytes; Ray spills there, and stops at 95 % full
LEAST_MEMORY = 2 << 30  # bytes; a worker that parses takes about half of it
LARGEST_SKEW = 2.0  # seconds


def judge(nodes: Sequence[Facts], *, storage: str | None = None) -> list[Finding]:
    """All checks that need the facts alone.

    Args:
        nodes: One or more.
        storage: The place that they were asked about.
    """
    checks = [_versions, _processors, _memory, _shared_memory, _disk, _authentication, _environment]
    found = [finding for check in checks for finding in check(nodes)]
    return found + (_storage(nodes, storage) if storage else [])


def _versions(nodes: Sequence[Facts]) -> list[Finding]:
    names = list(dict.fromkeys(name for node in nodes for name in node.versions))
    return [_same(name, {n.node: n.versions.get(name, "absent") for n in nodes}) for name in names]


def _same(name: str, found: Mapping[str, str]) -> Finding:
    values = sorted(set(found.values()))
    if values == ["absent"] or len(values) > 1:
        by_value = {v: [node for node, has in found.items() if has == v] for v in values}
        said = ", ".join(f"{v} on {', '.join(where)}" for v, where in by_value.items())
        return failed(f"version of {name}", said, "use one image, or one environment, on all nodes")
    return passed(f"version of {name}", f"{values[0]}{_everywhere(len(found))}")


def _processors(nodes: Sequence[Facts]) -> list[Finding]:
    cpus, gpus = sum(n.cpus for n in nodes), sum(n.gpus for n in nodes)
    said = f"{cpus:g} CPUs, {gpus:g} GPUs{f' on {len(nodes)} nodes' if len(nodes) > 1 else ''}"
    if cpus:
        return [passed("processors", said)]
    return [failed("processors", said, "start a node with CPUs: the head alone computes nothing")]


def _memory(nodes: Sequence[Facts]) -> list[Finding]:
    return _least("memory", nodes, lambda n: n.memory, LEAST_MEMORY, "end what else runs there")


def _disk(nodes: Sequence[Facts]) -> list[Finding]:
    advice = "free some, or start Ray with --temp-dir on a larger disk"
    return _least("free disk", nodes, lambda n: n.disk, LEAST_DISK, advice)


def _least(
    check: str, nodes: Sequence[Facts], of: Callable[[Facts], int], least: int, advice: str
) -> list[Finding]:
    short = [f"{_gib(of(node))} on {node.node}" for node in nodes if of(node) < least]
    if short:
        return [failed(check, f"{', '.join(short)}, less than {_gib(least)}", advice)]
    smallest = min(nodes, key=of)
    return [passed(check, f"{_gib(of(smallest))} or more on each node")]


def _shared_memory(nodes: Sequence[Facts]) -> list[Finding]:
    stores = [node for node in nodes if node.object_store is not None]
    if not stores:
        return []
    small = [n for n in stores if n.shared_memory < (n.object_store or 0)]
    total = _gib(sum(node.object_store or 0 for node in stores))
    if small:
        where = ", ".join(f"{_gib(n.shared_memory)} on {n.node}" for n in small)
        return [
            failed(
                "object store",
                f"{total} in all, but /dev/shm has {where}, so the store lies on a disk",
                "give the container more shared memory (docker --shm-size), or Ray a smaller store "
                "(--object-store-memory)",
            )
        ]
    return [passed("object store", f"{total} in all, in shared memory")]


def _authentication(nodes: Sequence[Facts]) -> list[Finding]:
    off = [node.node for node in nodes if node.authentication.lower() != "token"]
    found = []
    if off:
        found = [
            failed(
                "authentication",
                f"off on {', '.join(off)}: whoever reaches a port of Ray can run code",
                "`ray get-auth-token --generate`, and RAY_AUTH_MODE=token before `ray start` on "
                "each node",
            )
        ]
    readable = [
        f"{node.open_token} on {node.node}"
        for node in nodes
        if node.open_token and node.node not in off
    ]
    if readable:
        advice = "chmod 600: the token lets run code on the cluster"
        found.append(failed("token", f"others can read {', '.join(readable)}", advice))
    return found or [passed("authentication", f"on, by token{_everywhere(len(nodes))}")]


def _environment(nodes: Sequence[Facts]) -> list[Finding]:
    groups = [(node.environment, node.node) for node in nodes if node.environment]
    if not groups:
        return [passed("environment", f"as jepa_ray needs it{_everywhere(len(nodes))}")]
    said = [
        f"{', '.join(names)} on {', '.join(node for _, node in those)}"
        for names, those in groupby(sorted(groups), key=lambda pair: pair[0])
    ]
    advice = "set them before `ray start` as deploy/ray.env does, or use the image"
    return [failed("environment", f"not set as needed: {'; '.join(said)}", advice)]


def _storage(nodes: Sequence[Facts], storage: str) -> list[Finding]:
    bad = [node for node in nodes if node.storage]
    if not bad:
        return [passed("storage", f"{storage} is writable{_everywhere(len(nodes), 'from')}")]
    advice = (
        "mount the same folder there, or use an object store (s3://) whose credentials the "
        "environment of each node has"
    )
    return [failed("storage", f"from {node.node}: {node.storage}", advice) for node in bad]


def judge_clocks(offsets: Mapping[str, float]) -> Finding:
    """Seconds by which the clock of each node is ahead of the doctor's."""
    far = [f"{node} by {offset:+.1f} s" for node, offset in offsets.items()
           if abs(offset) > LARGEST_SKEW]  # fmt: skip
    if far:
        advice = "let chrony or another NTP client keep the clocks; S3 refuses skewed requests"
        return failed("clock", f"off: {', '.join(far)}", advice)
    return passed("clock", f"all within {LARGEST_SKEW:g} s of this machine's")


def judge_addresses(addresses: Sequence[str]) -> Finding:
    """Whether nodes have private addresses only."""
    public = [a for a in addresses if not _private(a)]
    if public:
        advice = "start Ray with --node-ip-address on a private network"
        return failed("addresses", f"public: {', '.join(public)}", advice)
    return passed("addresses", "all nodes have private ones")


def judge_ports(blocked: Mapping[str, Sequence[str]]) -> Finding:
    """Ports of other nodes that each node cannot reach."""
    said = [
        f"{node} cannot reach {', '.join(places)}" for node, places in blocked.items() if places
    ]
    if said:
        advice = "let the nodes of the cluster reach all TCP ports of each other, and nobody else"
        return failed("ports", "; ".join(said), advice)
    return passed("ports", "each node reaches raylet and object manager of every other")


def _private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return True  # a name: what it means depends on who asks


def _everywhere(count: int, word: str = "on") -> str:
    return f" {word} all {count} nodes" if count > 1 else ""


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
