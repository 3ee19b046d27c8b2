"""Failures of object stores: what their clients raise, said as one message that names the place."""

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from jepa_ray.errors import UsageError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_FAULTS = (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError"))


def client_faults() -> tuple[type[BaseException], ...]:
    """Exceptions of the clients that are loaded; none of them is an OSError."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _FAULTS]
    return (TimeoutError, *(fault for fault in found if fault))


def remote_faults() -> tuple[type[BaseException], ...]:
    """Whatever reading from an object store may raise."""
    return (OSError, *client_faults())


def reachable(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function whose first argument is a path or URL say which place did not answer.

    Raises:
        UsageError: The client of an object store gave up: no credentials, no such host, no answer.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not isinstance(error, client_faults()):
                raise
            where: Any = args[0]
            raise UsageError(
                f"{where} cannot be reached: {type(error).__name__}: {error}; the standard "
                "environment names credentials and address (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL)"
            ) from None

    return call
