"""The command line: one module a verb; a verb imports its stage when it runs, not before."""

import sys
from typing import Never

from jepa_ray.errors import JepaRayError, UsageError

_INTERRUPTED = 130
_MISTAKES = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)
"""A path that cannot be what it was given for; any other OSError is a failure."""


def main() -> Never:
    """Entry point: 0 for success, 2 for a user's mistake, 1 for a failure of ours."""
    from jepa_ray.cli.app import app

    try:
        app()
    except JepaRayError as error:
        sys.stderr.write(f"jepa-ray: {error}\n")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:  # typer's answer to Ctrl-C
            sys.stderr.write("\njepa-ray: interrupted\n")
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
