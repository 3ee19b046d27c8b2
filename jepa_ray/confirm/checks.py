"""One check of a verification: what was looked at, where, and what was found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jepa_ray.errors import JepaRayError

Proof = Callable[[], str]
"""Looks at one thing: says what was found, or raises."""


class WrongError(Exception):
    """A proof did not come out. Never leaves a verification."""


@dataclass(frozen=True)
class Check:
    """What came of a proof.

    Attributes:
        where: Pass, or pass and training, or a file of the run.
        what: Name of the check.
        ok: Whether it came out.
        detail: What was found, in one line.
    """

    where: str
    what: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'FAILED':<6}  {self.where}  {self.what}: {self.detail}"


def check(where: str, what: str, proof: Proof) -> Check:
    """Run a proof; whatever it raises is a finding."""
    try:
        return Check(where, what, ok=True, detail=proof())
    except (WrongError, JepaRayError) as error:
        said = str(error)
    except KeyError as error:
        said = f"{error} is missing"
    except Exception as error:  # noqa: BLE001 - what a damaged file makes of any code is a finding
        said = f"{type(error).__name__}: {error}"
    return Check(where, what, ok=False, detail=" ".join(said.split()))


def require(condition: object, said: str) -> None:
    """Raise a `WrongError` that says so where the condition does not hold."""
    if not condition:
        raise WrongError(said)


def require_equal(what: str, found: Any, wanted: Any) -> None:
    """Raise a `WrongError` where the two differ, with both."""
    require(found == wanted, f"{what} is {found!r}, should be {wanted!r}")
