"""Where a run is, in one line: which passes run, at what, how fast, how long still."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from jepa_ray.confirm.plan import Pass, label

_SHOWN = 3


class Progress:
    """Adds up what the trials tell.

    Args:
        passes: Those that are not finished.
        clock: Seconds, for the rate.
    """

    def __init__(self, passes: Sequence[Pass], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, 0.0
        self._steps = {job.folder: job.config.steps for each in passes for job in each.jobs}
        self._label = {j.folder: (p.name, label(j.folder)) for p in passes for j in p.jobs}
        self._at = dict.fromkeys(self._steps, 0)
        self._running: dict[str, str] = {}  # the training of each pass that runs
        self._taken = 0  # steps since `_began`

    def finished_before(self, folders: Sequence[str]) -> None:
        """These trainings are finished already."""
        for folder in folders:
            self._at[folder] = self._steps[folder]

    def told(self, row: dict[str, Any]) -> None:
        """Take a row of a training: its folder as `run`, and its `step`."""
        folder, step = row["run"], row["step"]
        name = self._label[folder][0]
        if not self._began:
            self._began = self._clock()
        if self._running.get(name) == folder:  # the first row is where it was, not what it did
            self._taken += max(0, step - self._at[folder])
        self._at[folder] = max(step, self._at[folder])
        self._running[name] = folder

    def ended(self, name: str) -> None:
        """A pass runs no longer."""
        self._running.pop(name, None)

    def line(self) -> str:
        """For the terminal."""
        parts = [self._part(folder) for _, folder in sorted(self._running.items())]
        more = len(parts) - _SHOWN
        running = ", ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        done = sum(self._at[folder] == steps for folder, steps in self._steps.items())
        return f"{running or 'starting'}; {done} of {len(self._steps)} trainings{self._time()}"

    def _part(self, folder: str) -> str:
        name, label = self._label[folder]
        return f"{name} {label} {self._at[folder]}/{self._steps[folder]}"

    def _time(self) -> str:
        elapsed = self._clock() - self._began
        if not self._taken or elapsed <= 0:
            return ""
        rate = self._taken / elapsed
        left = sum(self._steps.values()) - sum(self._at.values())
        return f", {rate:.1f} steps/s, {_duration(left / rate)} to go"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
