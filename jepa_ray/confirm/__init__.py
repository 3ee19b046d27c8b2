"""Six seeded passes as Ray Tune trials, and the proof that they are whole.

`confirm` loads Ray and torch when it is asked for, so that a mistake in a name is told before.
"""

from typing import TYPE_CHECKING, Any

from jepa_ray.confirm.order import pass_order

if TYPE_CHECKING:
    from jepa_ray.confirm.run import confirm

__all__ = ["confirm", "pass_order"]


def __getattr__(name: str) -> Any:
    if name != "confirm":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from jepa_ray.confirm.run import confirm  # noqa: PLC0415 - see above

    return confirm
