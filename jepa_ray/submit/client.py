"""The job server of a cluster: submit, follow, and how a job ended."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jepa_ray.errors import StageError, UsageError

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
"""Where a head's dashboard listens, and where `ray dashboard` and port-forward bring it."""
_POLL_SECONDS = 1.0
_START_SECONDS = 60.0
_NOT_YET = "No available agent"  # a head that has just started says so for a while
_TALKATIVE = (
    "ray._private.runtime_env.packaging",
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
)
_OVER = {"SUCCEEDED", "FAILED", "STOPPED"}


@dataclass(frozen=True)
class Submission:
    """What is sent.

    Attributes:
        entrypoint: Shell command, run in the working directory.
        working_dir: Local folder.
        metadata: Shown in the dashboard; run id, verb, dataset.
        environment: Variables of the job; they are kept with it, so none is a secret.
        name: How the job's id begins.
    """

    entrypoint: str
    working_dir: Path
    metadata: Mapping[str, str]
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """How a job stands.

    Attributes:
        id: The job server's.
        status: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        exit_code: Of its process; 1 where it failed without one; None while it runs.
        message: What the job server says.
        metadata: As submitted.
    """

    id: str
    status: str
    exit_code: int | None
    message: str
    metadata: Mapping[str, str]

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in _OVER


class Jobs:
    """The job server.

    Args:
        address: `http://host:port` of the dashboard; None: RAY_API_SERVER_ADDRESS, or this
            machine's.

    Raises:
        UsageError: Nothing answers there, the token is refused, or its Ray is another version.
    """

    def __init__(self, address: str | None = None) -> None:
        given = address or os.environ.get("RAY_API_SERVER_ADDRESS") or DEFAULT_ADDRESS
        if not given.startswith(("http://", "https://")):
            raise UsageError(
                f"--address {given!r}: give the job server, such as {DEFAULT_ADDRESS}; `ray "
                "dashboard cluster.yaml` or `kubectl port-forward` bring it there"
            )
        # Ray lets the environment win over its argument; for us the option wins.
        os.environ["RAY_API_SERVER_ADDRESS"] = given
        _use_token()
        self.address = given
        self._client = _connect(given)
        _require_same_ray(self._client)

    def submit(self, what: Submission) -> str:
        """Send a job; its id.

        Raises:
            StageError: The job server refuses it.
        """
        submission_id = f"{what.name}-{os.urandom(4).hex()}"
        environment = {
            "working_dir": str(what.working_dir.absolute()),
            "env_vars": dict(what.environment),
        }
        give_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                found: str = self._client.submit_job(
                    entrypoint=what.entrypoint,
                    runtime_env=environment,
                    metadata=dict(what.metadata),
                    submission_id=submission_id,
                )
            except (RuntimeError, ValueError) as error:
                if _NOT_YET not in str(error) or time.monotonic() > give_up:
                    raise StageError(f"{self.address} refuses the job: {_line(error)}") from None
                time.sleep(_POLL_SECONDS)
            else:
                return found

    def job(self, job_id: str) -> Job:
        """How a job stands.

        Raises:
            UsageError: There is none of this id.
        """
        try:
            info = self._client.get_job_info(job_id)
        except RuntimeError as error:
            raise UsageError(f"no job {job_id!r} at {self.address}: {_line(error)[:200]}") from None
        status = str(info.status.value)
        code = info.driver_exit_code
        if code is None and status in _OVER:
            code = int(status != "SUCCEEDED")
        return Job(job_id, status, code, info.message or "", info.metadata or {})

    def follow(self, job_id: str, show: Callable[[str], None]) -> Job:
        """Show the log of a job until it is over, and how it ended."""
        try:
            asyncio.run(self._tail(job_id, show))
        except (RuntimeError, OSError):
            show("(the log broke off; the job goes on)\n")
        while not (job := self.job(job_id)).over:
            time.sleep(_POLL_SECONDS)
        return job

    async def _tail(self, job_id: str, show: Callable[[str], None]) -> None:
        async for text in self._client.tail_job_logs(job_id):
            show(text)


def _use_token() -> None:
    """Send Ray's token if this machine has one; Ray does so only when it is told to."""
    has = (
        os.environ.get("RAY_AUTH_TOKEN")
        or os.environ.get("RAY_AUTH_TOKEN_PATH")
        or (Path.home() / ".ray" / "auth_token").exists()
    )
    if has:
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _connect(address: str) -> Any:
    from ray.exceptions import AuthenticationError  # noqa: PLC0415 - after the environment
    from ray.job_submission import JobSubmissionClient  # noqa: PLC0415

    for name in _TALKATIVE:  # they set their own levels when they are imported
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return JobSubmissionClient(address)
    except ConnectionError:
        raise UsageError(
            f"nothing answers at {address}: is the cluster up, and its dashboard brought here? "
            "`ray dashboard cluster.yaml`, or `kubectl port-forward`; --address names another place"
        ) from None
    except AuthenticationError:
        raise UsageError(
            f"{address} refuses the token of this machine: the cluster's own belongs in "
            "~/.ray/auth_token (mode 600), or RAY_AUTH_TOKEN_PATH names another file"
        ) from None
    except RuntimeError as error:
        raise UsageError(f"{address} is no job server of Ray: {_line(error)[:300]}") from None


def _require_same_ray(client: Any) -> None:
    import ray  # noqa: PLC0415

    theirs = getattr(client, "_server_ray_version", None)
    if theirs and theirs != ray.__version__:
        raise UsageError(
            f"the cluster runs Ray {theirs}, this machine has {ray.__version__}: install "
            f"ray=={theirs} here, or build the image of this version"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
