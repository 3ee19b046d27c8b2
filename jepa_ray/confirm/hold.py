"""One driver a run: a lock on a disk, a lease in an object store.

A store has no locks. So the holder counts up a number in a small object every few seconds, and a
newcomer looks whether it still does. Before each write the holder reads who wrote last: one that
finds another there (both began at once, or it stood still for longer than a newcomer looks) has
lost the run, ends, and leaves the object to the other. So two may work on a run for a few seconds,
never longer; what they write of trainings is the same, for it follows from the settings.
"""

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jepa_ray.errors import JepaRayError, UsageError
from jepa_ray.storage import delete, exclusive, join, local_path, read_bytes, write_bytes

LEASE_FILE = ".lease"
_BEAT_SECONDS = 5.0
_LOOKS = 2.5  # beats that a newcomer waits for one
_SETTLE_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_WHAT = "confirm into"


@contextmanager
def hold(run: str, *, beat: float = _BEAT_SECONDS) -> Iterator[Callable[[], None]]:
    """Hold a run for this process; what holds it goes with the process, however it ends.

    Args:
        run: Path or URL.
        beat: Seconds between two signs of life in an object store.

    Yields:
        What raises `UsageError` once another process has taken the run.

    Raises:
        UsageError: Another process holds it.
    """
    if local_path(run) is not None:
        with exclusive(run, _WHAT):
            yield lambda: None
        return
    lease = _Lease(run)
    _require_left(lease.url, run, beat * _LOOKS)
    lease.write()
    time.sleep(min(_SETTLE_SECONDS, beat))
    lease.look()
    lease.require()
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(lease, beat, stop), daemon=True)
    thread.start()
    try:
        yield lease.require
    finally:
        stop.set()
        thread.join()
        lease.leave()


class _Lease:
    """The object that says who holds a run, as one process sees it."""

    def __init__(self, run: str) -> None:
        self._run, self.url = run, join(run, LEASE_FILE)
        self._owner = {"owner": uuid.uuid4().hex, "host": socket.gethostname()}
        self._beats = 0
        self.taken_by: dict[str, Any] | None = None

    def write(self) -> None:
        """A sign of life."""
        write_bytes(self.url, json.dumps({**self._owner, "beat": self._beats}).encode())
        self._beats += 1

    def look(self) -> None:
        """Notice who else has it; nobody, where it is gone or cannot be read."""
        found = _read(self.url)
        if found and found.get("owner") != self._owner["owner"]:
            self.taken_by = found

    def require(self) -> None:
        """Raise where another process has it."""
        if self.taken_by is not None:
            raise _taken(self._run, self.taken_by)

    def leave(self) -> None:
        """Delete it, if it is ours."""
        with contextlib.suppress(OSError, JepaRayError):
            self.look()
            if self.taken_by is None:
                delete(self.url)


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


def _keep(lease: _Lease, beat: float, stop: threading.Event) -> None:
    while lease.taken_by is None and not stop.wait(beat):
        with contextlib.suppress(OSError, JepaRayError):  # the next beat may get through
            lease.look()
            if lease.taken_by is None:
                lease.write()


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
