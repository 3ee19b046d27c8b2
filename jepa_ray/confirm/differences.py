"""Where two documents differ."""

import math
from collections.abc import Iterator
from typing import Any


def differences(what: str, found: Any, wanted: Any) -> Iterator[str]:
    """Where two documents differ by more than rounding, in words.

    Args:
        what: Name of the two; "" for whole files.
        found: As it is.
        wanted: As it should be.
    """
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in dict.fromkeys((*found, *wanted)):
            inner = f"{key} of {what}" if what else key
            if key not in found or key not in wanted:
                yield f"{inner} is {'too many' if key in found else 'missing'}"
            else:
                yield from differences(inner, found[key], wanted[key])
    elif found != wanted and not _close(found, wanted):
        yield f"{what} is {found!r:.80}, should be {wanted!r:.80}"


def _close(found: Any, wanted: Any) -> bool:
    both = isinstance(found, float) and isinstance(wanted, float)
    return both and math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)
