"""Archives for an object store: made on this machine, one dataset at a time, and put there."""

import tempfile
import time
from pathlib import Path
from typing import Any

from jepa_ray.bulk.stage import Progress, Wish, made_before, write_archives
from jepa_ray.storage import join, require_writable, source_path, upload, write_json


def write_to_store(
    names: list[str],
    url: str,
    wish: Wish,
    progress: Progress = lambda _dataset, _records: None,
) -> dict[str, dict[str, Any]]:
    """Make up archives below a data root in an object store.

    The temporary folder of this machine holds the files of one dataset meanwhile. Its document is
    written last.

    Args:
        names: Datasets.
        url: The data root.
        wish: How much, and how.
        progress: Called as pieces finish.

    Returns:
        As `write_archives`.

    Raises:
        SourceError, UsageError, StageError: As `write_archives`; or the store failed.
    """
    require_writable(url)
    before = made_before(names, source_path(url), wish)
    results = {}
    for name, found in before.items():
        began = time.monotonic()
        result = found or _made(name, url, wish, progress)
        seconds = round(time.monotonic() - began, 3)
        results[name] = result | {"seconds": seconds, "unchanged": found is not None}
    return results


def _made(name: str, url: str, wish: Wish, progress: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jepa-ray-synth-") as folder:
        document = write_archives([name], Path(folder), wish, progress)[name]
        for file in document["files"]:
            upload(join(url, file["path"]), Path(folder) / file["path"])
    document = {key: document[key] for key in document if key not in ("seconds", "unchanged")}
    write_json(join(url, "expected", f"{name}.json"), document)
    return document
