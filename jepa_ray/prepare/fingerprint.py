"""Is the input the same as last time? Content decides, not the place or the machine.

Up to 64 MiB a file's whole content is hashed; beyond, its size, its time of change and 16 samples
of 64 KiB spread evenly, so that a 6 GB archive is recognised in milliseconds.
"""

import hashlib
import json

from jepa_ray.adapters import Adapter, Shard, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.windows import CONTRACT_VERSION, NameHasher

WHOLE_BYTES = 64 << 20
_SAMPLE_BYTES = 64 << 10
_SAMPLES = 16


def file_fingerprint(file: SourceFile) -> str:
    """Hex fingerprint of one source file or folder; "unreadable" when it cannot be read."""
    try:
        return _fingerprint(file)
    except OSError:  # the read task will say so, as a record of the quarantine
        return "unreadable"


def _fingerprint(file: SourceFile) -> str:
    state = hashlib.blake2b(digest_size=16)
    if file.path.is_dir():
        for path in sorted(file.path.rglob("*")):
            if path.is_file():
                found = path.stat()
                line = f"{path.relative_to(file.path)}\0{found.st_size}\0{found.st_mtime_ns}\n"
                state.update(line.encode("utf-8", "surrogateescape"))
        return state.hexdigest()
    found = file.path.stat()
    with file.path.open("rb") as raw:
        if found.st_size <= WHOLE_BYTES:
            while piece := raw.read(1 << 20):
                state.update(piece)
            return state.hexdigest()
        state.update(f"{found.st_size} {found.st_mtime_ns}".encode())
        for i in range(_SAMPLES):
            raw.seek(i * (found.st_size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            state.update(raw.read(_SAMPLE_BYTES))
    return state.hexdigest()


def dataset_fingerprint(
    adapter: type[Adapter], config: PrepareConfig, files: list[tuple[SourceFile, str]]
) -> str:
    """Hex fingerprint of all that decides a dataset's windows.

    Args:
        adapter: Its version and the contract's enter.
        config: What changes windows enters (the salt as a fingerprint); what changes only how the
            work is cut or run does not.
        files: Source files with their fingerprints.
    """
    settings = config.model_dump(mode="json", include={"windowing", "max_record_bytes", "ics"})
    document = {
        "contract_version": CONTRACT_VERSION,
        "dataset": adapter.info.dataset,
        "adapter_version": adapter.version,
        "settings": settings,
        "salt": NameHasher(config.actor_salt).fingerprint,
        "sources": [[file.label, file.bytes, print_] for file, print_ in files],
    }
    text = json.dumps(document, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def source_files(shards: list[Shard]) -> list[SourceFile]:
    """All files of some shards, in order."""
    return [file for shard in shards for file in shard.files]
