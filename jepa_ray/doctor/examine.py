"""The doctor: this machine alone, or every node of a cluster."""

import os
import uuid

from jepa_ray.cluster import session
from jepa_ray.doctor.facts import answers, gather, put_marker, take_marker
from jepa_ray.doctor.finding import Finding, failed, passed
from jepa_ray.doctor.judge import judge
from jepa_ray.doctor.uploads import judge_uploads
from jepa_ray.errors import JepaRayError, StageError, UsageError
from jepa_ray.storage import is_s3

OF_A_CLUSTER = (
    "nodes", "object store", "authentication", "token", "environment", "addresses", "clock",
)  # fmt: skip
"""Checks that need an address: they ask the nodes of a cluster, or what Ray was started with."""
_HEAD_PORTS = {6379: "GCS", 8265: "dashboard and jobs", 10001: "client"}


def examine(
    *,
    address: str | None = None,
    storage: str | None = None,
    remove_uploads: float | None = None,
) -> list[Finding]:
    """Check what a run needs.

    Args:
        address: `host:port` of a cluster's GCS, or `auto`; None: this machine alone, and no Ray is
            started.
        storage: Path or URL that has to be writable, from every node.
        remove_uploads: Also remove unfinished uploads below `storage` that were begun more than so
            many hours ago.

    Raises:
        UsageError: The address is not of these forms.
    """
    found = _examine(address, storage)
    if storage and is_s3(storage) and all(f.ok for f in found if f.check == "storage"):
        found.append(judge_uploads(storage, remove_uploads))
    return found


def _examine(address: str | None, storage: str | None) -> list[Finding]:
    if address is None:
        return _this_machine(storage)
    found = _connection(address)
    if found is not None:
        return [found]
    os.environ["RAY_ADDRESS"] = address
    try:
        return _cluster(storage)
    except (ConnectionError, RuntimeError, StageError, UsageError) as error:
        said = " ".join(str(error).split())[:300]
        return [failed("connection", f"{address}: {said}", "docs/cluster.md#when-it-does-not-work")]


def _this_machine(storage: str | None) -> list[Finding]:
    found = [
        finding
        for finding in judge([gather(storage, None)], storage=storage)
        if finding.check not in {"authentication", "environment"}  # Ray's start sets both
    ]
    taken = [f"{port} ({what})" for port, what in _HEAD_PORTS.items() if answers("127.0.0.1", port)]
    said = f"in use: {', '.join(taken)}" if taken else "those of a head are free"
    return [*found, passed("ports", said)]


def _connection(address: str) -> Finding | None:
    """Why no connection is possible; None: try."""
    if address == "auto":
        return None
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise UsageError(
            f"--address {address!r}: give host:port of the GCS (6379 by default), or `auto` on a "
            "node of the cluster"
        )
    if answers(host, int(port)):
        return None
    advice = "is the cluster up, and does its network let this machine in?"
    return failed("connection", f"nothing answers at {address}", advice)


def _cluster(storage: str | None) -> list[Finding]:
    marker = f".doctor-{uuid.uuid4().hex[:12]}"
    ours = None
    if storage:
        try:
            put_marker(storage, marker)
        except JepaRayError as error:
            ours = failed("storage", f"from this machine: {error}", "mend this first")
    try:
        with session(about={"verb": "doctor"}):
            from jepa_ray.doctor.nodes import examine_nodes  # noqa: PLC0415 - imports ray

            found = examine_nodes(storage, marker if storage and ours is None else None)
    finally:
        if storage and ours is None:
            take_marker(storage, marker)
    return [ours, *found] if ours else found
