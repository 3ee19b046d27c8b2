"""The command line: one module a verb; a verb imports its stage when it runs, not before."""

import re
import sys
from typing import Never

from jepa_ray.errors import JepaRayError, UsageError

_INTERRUPTED = 130
_STORE = re.compile(r"(?P<bucket>s3a?://[^/]*).*")
_NOT_GREETING = {"doctor"}
"""Verbs for which a store that does not answer is a finding."""
_MISTAKES = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)
"""A path that cannot be what it was given for; any other OSError is a failure."""


def main() -> Never:
    """Entry point: 0 for success, 2 for a user's mistake, 1 for a failure of ours."""
    from jepa_ray.cli.app import app

    try:
        _greet_stores(sys.argv[1:])
        app()
    except JepaRayError as error:
        sys.stderr.write(f"jepa-ray: {error}\n")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:  # typer's answer to Ctrl-C
            sys.stderr.write("\njepa-ray: interrupted; the same command goes on\n")
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"jepa-ray: {place}{error.strerror or error}\n")
        sys.exit(UsageError.exit_code if isinstance(error, _MISTAKES) else JepaRayError.exit_code)
    except Exception as error:
        from jepa_ray.storage import client_faults

        if not isinstance(error, client_faults()):
            raise
        sys.stderr.write(f"jepa-ray: a store gave no answer: {type(error).__name__}: {error}\n")
        sys.exit(JepaRayError.exit_code)
    sys.exit(0)


def _greet_stores(arguments: list[str]) -> None:
    """See, once for each bucket, that the object stores of the command answer.

    Raises:
        UsageError: One does not, or refuses; the message says what to do.
    """
    if arguments and arguments[0] in _NOT_GREETING:
        return
    found = {
        m[0]: argument[m.start() :] for argument in arguments if (m := _STORE.search(argument))
    }
    for url in found.values():
        from jepa_ray.storage import greet

        greet(url)
