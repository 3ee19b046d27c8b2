"""Uploads in parts that were begun and never finished: a store keeps their parts, and bills them.

A write that fails takes its parts back; one whose process was killed cannot.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from jepa_ray.storage.clients import is_s3
from jepa_ray.storage.files import resolve
from jepa_ray.storage.remote import reachable


class Upload(NamedTuple):
    """One of them: the file that it was to be, its id, and when it was begun."""

    url: str
    upload_id: str
    begun: dt.datetime

    def hours(self) -> float:
        """Since it was begun, by the clock of this machine."""
        return (dt.datetime.now(dt.UTC) - self.begun).total_seconds() / 3600


@reachable("listing the unfinished uploads of")
def unfinished_uploads(url: str) -> list[Upload]:
    """Those below a prefix, the oldest first; [] where the store is not S3.

    Raises:
        UsageError: They may not be listed: the permission is s3:ListBucketMultipartUploads.
        StageError: The store does not answer.
    """
    if not is_s3(url):
        return []
    fs, path = resolve(url)
    bucket, prefix, _ = fs.split_path(path)
    scheme = url.partition("://")[0]
    found = []
    for each in _listed(fs, bucket, f"{prefix.rstrip('/')}/" if prefix else ""):
        place = f"{scheme}://{bucket}/{each['Key']}"
        found.append(Upload(place, each["UploadId"], each["Initiated"]))
    return sorted(found, key=lambda upload: upload.begun)


def _listed(fs: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
    markers: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **markers)
        yield from page.get("Uploads", [])
        if not page.get("IsTruncated"):
            return
        markers = {
            "KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]
        }  # fmt: skip


def remove_uploads(uploads: Iterable[Upload]) -> int:
    """Take back the parts of some uploads; what writes one of them still, fails.

    Returns:
        How many were still there.
    """
    return sum(_remove(upload.url, upload.upload_id) for upload in uploads)


@reachable("removing an unfinished upload of")
def _remove(url: str, upload_id: str) -> bool:
    fs, path = resolve(url)
    bucket, key, _ = fs.split_path(path)
    try:
        fs.abort_mpu(bucket, key, upload_id)
    except FileNotFoundError:
        return False
    return True
