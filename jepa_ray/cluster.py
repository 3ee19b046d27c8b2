"""The Ray session: one place that owns Ray's environment variables and its start.

A running cluster is taken when `RAY_ADDRESS` names one (a submitted job, `ray start`); otherwise a
local Ray is started for the length of the stage and shut down after it.
"""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from types import ModuleType

from jepa_ray.errors import StageError, UsageError

log = logging.getLogger(__name__)

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    # The default of 2 s paces every train.report().
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    # Ray must not hide GPUs from tasks that ask for none: the device is chosen in train/.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Of all processes of Ray. A cluster's daemons start before us, so what `deploy/` ships repeats it,
and a test holds the copies to this."""
_TALKATIVE = ("ray", "ray.train", "ray.tune")
# They warn that Ray's own progress bars are off, and that token authentication is on: both on
# purpose.
_IRRELEVANT = (
    "ray.data._internal.progress",
    "ray._private.authentication.authentication_token_setup",
)
_OBJECT_STORE_BYTES = 2 << 30
_CONNECT_SECONDS = 10.0
_TOLD_EVERY = 30.0
_SAID = 300
"""Characters of what Ray says, in a message."""


@contextmanager
def session(
    *, num_cpus: int | None = None, about: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A Ray session for one stage; one that already runs in this process is used and left alone.

    Meanwhile stdout is stderr: Ray prints there when a node is lost, and results are ours.

    Args:
        num_cpus: CPUs of a local Ray; None: all. A cluster that `RAY_ADDRESS` names has its own.
        about: Metadata of the job as the dashboard shows it: `verb`, `run_id`, `dataset`. Where
            `jepa-ray submit` started it, what was submitted wins.

    Raises:
        UsageError: `RAY_ADDRESS` names no cluster that answers, or it refuses the token.
        StageError: A local Ray does not start.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray  # noqa: PLC0415 - after the environment, which Ray reads on import

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _IRRELEVANT:
        logging.getLogger(name).setLevel(logging.ERROR)

    with redirect_stdout(sys.stderr):
        yield from _session(ray, num_cpus, dict(about or {}))


def is_local() -> bool:
    """Whether a session would be a Ray of this machine alone, started for it."""
    ray = sys.modules.get("ray")
    running = ray is not None and ray.is_initialized()
    return not (running or os.environ.get("RAY_ADDRESS"))


def _session(ray: ModuleType, num_cpus: int | None, about: dict[str, str]) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    log.info("joining the Ray cluster at %s", address) if address else log.info("starting Ray")
    if address:
        _require_answer(address)
    try:
        with _told_meanwhile("still joining it" if address else "still starting Ray"):
            _start(ray, num_cpus, about, joins=bool(address))
    # Ray raises a bare Exception where a raylet is late, and ends the process where a head is.
    except (Exception, SystemExit) as error:
        ray.shutdown()
        raise _refused(error, address) if address else _not_started(error) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _told_meanwhile(line: str) -> Iterator[None]:
    """A line every half minute, while something takes long."""
    began, over = time.monotonic(), threading.Event()

    def tell() -> None:
        while not over.wait(_TOLD_EVERY):
            log.info("%s after %.0f s: a busy machine takes long", line, time.monotonic() - began)

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _start(ray: ModuleType, num_cpus: int | None, about: dict[str, str], *, joins: bool) -> None:
    job = ray.job_config.JobConfig(metadata=about)
    if joins:
        ray.init(job_config=job, log_to_driver=False, logging_level=logging.WARNING)
        return
    ray.init(
        address="local",  # else Ray would join whatever was started on this machine, or was
        num_cpus=num_cpus,
        include_dashboard=os.environ.get("JEPA_RAY_DASHBOARD") == "1",
        dashboard_host="127.0.0.1",
        job_config=job,
        log_to_driver=False,
        logging_level=logging.WARNING,
        object_store_memory=_OBJECT_STORE_BYTES,
    )


def _require_answer(address: str) -> None:
    """See that something answers at `host:port`: Ray would try for two minutes, and then exit."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "://" in address:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _refused(error, address) from None


def _refused(error: BaseException, address: str) -> UsageError:
    """Why a cluster cannot be joined, and what to do."""
    return UsageError(
        f"no Ray cluster can be joined at {address}, which RAY_ADDRESS names: {_said(error)}; give "
        "`host:port` of a running head (6379 by default), its token (RAY_AUTH_MODE=token with "
        "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH) and its versions of Ray and Python, or unset "
        f"RAY_ADDRESS to work on this machine alone; `jepa-ray doctor --address {address}` looks"
    )


def _not_started(error: BaseException) -> StageError:
    """Why there is no local Ray, and what to do."""
    return StageError(
        f"Ray did not start on this machine: {_said(error)}; mostly the machine is too busy or "
        "short of memory: end other work, see `jepa-ray doctor`, and give the same command again"
    )


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "its head does not answer"
    said = getattr(error, "strerror", None) or " ".join(str(error).split()).rstrip(".")
    return said[:_SAID] or type(error).__name__
