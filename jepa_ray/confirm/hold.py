"""One driver a run: a lock on a disk, a lease in an object store.

A store has no locks. So the holder counts up a number in a small object every few seconds, and a
newcomer looks whether it still does. Two that begin within the same second read back who came last.
A holder that stood still for longer than a newcomer looks (suspended, cut off) and goes on after it
is not found out: both would write the same files with the same content, for all of it follows from
the settings, but in vain.
"""

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jepa_ray.errors import UsageError
from jepa_ray.storage import delete, exclusive, join, local_path, read_bytes, write_bytes

LEASE_FILE = ".lease"
_BEAT_SECONDS = 5.0
_LOOKS = 2.5  # beats that a newcomer waits for one
_SETTLE_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_WHAT = "confirm into"


@contextmanager
def hold(run: str, *, beat: float = _BEAT_SECONDS) -> Iterator[None]:
    """Hold a run for this process; what holds it goes with the process, however it ends.

    Args:
        run: Path or URL.
        beat: Seconds between two signs of life in an object store.

    Raises:
        UsageError: Another process holds it.
    """
    if local_path(run) is not None:
        with exclusive(run, _WHAT):
            yield
        return
    url = join(run, LEASE_FILE)
    owner = {"owner": uuid.uuid4().hex, "host": socket.gethostname()}
    _require_left(url, run, beat * _LOOKS)
    write_bytes(url, _lease(owner, 0))
    time.sleep(min(_SETTLE_SECONDS, beat))
    if _read(url).get("owner") != owner["owner"]:
        raise _taken(run, _read(url))
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(url, owner, beat, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with contextlib.suppress(OSError, UsageError):
            delete(url)


@contextmanager
def exclusive_soon(folder: str, what: str) -> Iterator[None]:
    """`exclusive`, but wait a little: the process of a killed driver ends a moment after it.

    Raises:
        UsageError: Another process holds the folder for a minute.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(exclusive(folder, what))
                break
            except UsageError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)
        yield


def _require_left(url: str, run: str, seconds: float) -> None:
    """See that nobody renews a lease that is there."""
    found = _read(url)
    deadline = time.monotonic() + seconds
    while found and time.monotonic() < deadline:
        time.sleep(seconds / 10)
        now = _read(url)
        if now and now != found:
            raise _taken(run, now)


def _keep(url: str, owner: dict[str, str], beat: float, stop: threading.Event) -> None:
    count = 0
    while not stop.wait(beat):
        count += 1
        with contextlib.suppress(OSError, UsageError):  # the next beat may get through
            write_bytes(url, _lease(owner, count))


def _lease(owner: dict[str, str], count: int) -> bytes:
    return json.dumps({**owner, "beat": count}).encode()


def _read(url: str) -> dict[str, Any]:
    try:
        found = json.loads(read_bytes(url))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _taken(run: str, lease: dict[str, Any]) -> UsageError:
    return UsageError(
        f"another process, on {lease.get('host', 'an unknown host')}, is at work: {_WHAT} {run}; "
        "wait for it"
    )
