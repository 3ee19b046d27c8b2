"""What the doctor says: one line a check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes:
        check: Its name.
        ok: Whether it passed.
        said: What was found, and on which node.
        advice: What to do; empty when it passed.
    """

    check: str
    ok: bool
    said: str
    advice: str = ""

    def line(self) -> str:
        """As it is printed."""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{'ok  ' if self.ok else 'FAIL'} {self.check}: {self.said}{advice}"


def passed(check: str, said: str) -> Finding:
    """A check that passed."""
    return Finding(check, ok=True, said=said)


def failed(check: str, said: str, advice: str) -> Finding:
    """A check that did not pass, and what to do."""
    return Finding(check, ok=False, said=said, advice=advice)
