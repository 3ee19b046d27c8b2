"""How long steps take and how long they wait for data; validations and saves do not count."""

import time


class Clock:
    """Times steps.

    Args:
        before: Seconds that a resumed training had taken before.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._began = time.monotonic() - before
        self._clear()
        self.go_on()

    def go_on(self) -> None:
        """The time since the last step was not a step's."""
        self._last = time.perf_counter()

    def step(self, waited: float) -> None:
        """A step ended, `waited` seconds of which it stood still for its batch."""
        now = time.perf_counter()
        self._stepping += now - self._last
        self._waiting += waited
        self._steps += 1
        self._last = now

    def means(self) -> dict[str, float | None]:
        """`step_seconds`, waiting included, and `data_wait_seconds` a step, since `take`."""
        if not self._steps:
            return {"step_seconds": None, "data_wait_seconds": None}
        return {
            "step_seconds": self._stepping / self._steps,
            "data_wait_seconds": self._waiting / self._steps,
        }

    def take(self) -> dict[str, float | None]:
        """`means`, and begin anew."""
        found = self.means()
        self._clear()
        return found

    def seconds(self) -> float:
        """Since the training began, to the millisecond."""
        return round(time.monotonic() - self._began, 3)

    def _clear(self) -> None:
        self._stepping = self._waiting = 0.0
        self._steps = 0
