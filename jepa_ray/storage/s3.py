"""The client of S3 stores: s3fs, with one place for retries, time limits and addressing.

It stands in fsspec's registry for `s3://`, so that paths, files, Ray Train's storage and the
workers that unpickle it all have the same patience. Settings: docs/storage.md.
"""

import hashlib
import os
from contextvars import ContextVar
from typing import Any

import s3fs
from botocore.exceptions import ClientError, SSLError
from botocore.exceptions import ConnectionError as NoConnection
from fsspec import register_implementation
from s3fs.core import set_custom_error_handler

from jepa_ray.errors import ConfigError
from jepa_ray.storage.faults import resolves
from jepa_ray.storage.http import Session

TRIES = 14
"""Of a request: s3fs waits 0.1 s after the first, 1.7 times that after the next, at most 15 s, so
that the last try begins 74 s after the first where a store answers at once that it cannot."""

_TRIES = "AWS_MAX_ATTEMPTS"
_PASSING = {408, 429, 500, 502, 503, 504}
"""HTTP statuses that another try may not meet."""

_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 20,
    "http_session_cls": Session,
    # s3fs tries again, and its pauses go on for a minute; botocore's own have a quota that a
    # dozen requests at once use up in seconds.
    "retries": {"mode": "standard", "total_max_attempts": 1},
}


_begun: ContextVar[list[tuple[str, str, str]]] = ContextVar("begun")
"""Bucket, key and id of the uploads that a copy has begun."""


class S3Store(s3fs.S3FileSystem):  # type: ignore[misc]
    """s3fs with our time limits and retries.

    Args:
        tries: Of a request; None: AWS_MAX_ATTEMPTS, or `TRIES`.
        config_kwargs: Of botocore's client; it wins over ours. fsspec puts here what its own
            configuration says (FSSPEC_S3).
        settings: As for s3fs.

    Raises:
        ConfigError: AWS_MAX_ATTEMPTS is no number.
    """

    def __init__(
        self,
        *,
        tries: int | None = None,
        config_kwargs: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(config_kwargs=_CONFIG | (config_kwargs or {}), **settings)
        self.retries = _tries() if tries is None else tries
        set_custom_error_handler(may_pass)  # here, for the processes that unpickle one

    async def _call_s3(self, method: str, *settings: Any, **kwargs: Any) -> Any:
        """One request, with its tries.

        One that finishes an upload in parts may have gone well though its answer was lost: then the
        next try finds no such upload, but the file.
        """
        try:
            answer = await super()._call_s3(method, *settings, **kwargs)
        except FileNotFoundError:
            if method == "complete_multipart_upload" and await self._is_whole(kwargs):
                return {}
            raise
        if method == "create_multipart_upload":
            _begun.get([]).append((kwargs["Bucket"], kwargs["Key"], answer["UploadId"]))
        return answer

    async def _is_whole(self, asked: dict[str, Any]) -> bool:
        """Whether the file is there, made of just these parts."""
        found = await self._call_s3("head_object", Bucket=asked["Bucket"], Key=asked["Key"])
        tags = [part["ETag"].strip('"') for part in asked["MultipartUpload"]["Parts"]]
        return bool(found["ETag"].strip('"') == etag_of_parts(tags))

    async def _cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy within the store; s3fs copies a large file in parts, and leaves them if it fails."""
        begun: list[tuple[str, str, str]] = []
        before = _begun.set(begun)
        try:
            await super()._cp_file(path1, path2, **kwargs)
        except BaseException:
            for upload in begun:
                await self._abort_mpu(*upload)
            raise
        finally:
            _begun.reset(before)


def install() -> None:
    """Let fsspec open `s3://` by `S3Store`; it may be called again."""
    for protocol in S3Store.protocol:
        register_implementation(protocol, S3Store, clobber=True)


def may_pass(error: BaseException) -> bool:
    """Whether another try may go well, beside those errors that s3fs itself tries again."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _PASSING
    return isinstance(error, NoConnection) and not isinstance(error, SSLError) and resolves(error)


def etag_of_parts(tags: list[str]) -> str:
    """The ETag of a file that was uploaded in parts; "" where it does not follow from theirs.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    try:
        digests = b"".join(map(bytes.fromhex, tags))
    except ValueError:
        return ""
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(tags)}"


def _tries() -> int:
    said = os.environ.get(_TRIES, str(TRIES))
    if not said.isdecimal() or not int(said):
        raise ConfigError(f"{_TRIES} is {said!r}: it says how often a request is tried, 1 or more")
    return int(said)
