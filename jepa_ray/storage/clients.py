"""Which client opens a URL, and whether its store answers."""

from pathlib import Path

from jepa_ray.errors import UsageError
from jepa_ray.storage.credentials import refuse_credentials
from jepa_ray.storage.faults import explain_greeting, is_forbidden
from jepa_ray.storage.remote import remote_faults

_S3 = ("s3://", "s3a://")
_BRISK = {"connect_timeout": 5, "read_timeout": 10}


def is_s3(url: str | Path) -> bool:
    """Whether it is an address in an S3 store."""
    return str(url).startswith(_S3)


def prepare_client(url: str | Path) -> None:
    """Let fsspec open this URL by the client that we want; does nothing but for S3."""
    if is_s3(url):
        from jepa_ray.storage.s3 import install  # noqa: PLC0415 - only where it is needed

        install()


def greet(url: str | Path) -> None:
    """See that an S3 store answers, knows us and has the bucket: two tries, a few seconds.

    What comes later is tried for more than a minute, which nobody should wait for at the start.
    A store that is there, and says that it cannot just now, passes: that may be over soon.

    Raises:
        UsageError: It does not; the message says what to do.
    """
    if not is_s3(url):
        return
    refuse_credentials(url)
    prepare_client(url)
    from jepa_ray.storage.s3 import S3Store  # noqa: PLC0415 - as above

    store = S3Store(tries=2, config_kwargs=_BRISK, skip_instance_cache=True)
    bucket, key, _ = store.split_path(str(url))
    faults: tuple[type[BaseException], ...] = (ValueError, *remote_faults())
    try:
        store.call_s3("list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)
    except faults as error:
        found = explain_greeting(error)
        if (found.mistake or found.silent) and not is_forbidden(error):
            raise UsageError(f"{url} cannot be reached: {found.said}; {found.way_out}") from None
