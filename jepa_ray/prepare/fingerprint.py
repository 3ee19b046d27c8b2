"""Is the input the same as last time? Content decides, not the place or the machine.

Up to 64 MiB a file's whole content is hashed; beyond, its size, its time of change and 16 samples
of 64 KiB spread evenly, so that a 6 GB archive is recognised in milliseconds. In an object store
nothing is read: sizes and ETags say it. A group of small files has a mark from its only listing.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jepa_ray.adapters import Adapter, SourceFile
from jepa_ray.config import PrepareConfig
from jepa_ray.storage import client_failures
from jepa_ray.windows import CONTRACT_VERSION, NameHasher

WHOLE_BYTES = 64 << 20
UNREADABLE = "unreadable"
_SAMPLE_BYTES = 64 << 10
_SAMPLES = 16
_DIGITS = 32
_AT_ONCE = 16
"""Requests to a store, or files that are hashed."""
_DECIDING = {"windowing", "max_record_bytes", "max_expansion", "max_source_bytes", "ics"}


def looked_at(files: Sequence[SourceFile]) -> list[tuple[str, str]]:
    """State and fingerprint of each file; those in a store are asked for many at once."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_looked_at, files))


def _looked_at(file: SourceFile) -> tuple[str, str]:
    state = file_state(file)  # first: what is written between the two shows
    return state, state if _is_fingerprint(file) else file_fingerprint(file)


def _is_fingerprint(file: SourceFile) -> bool:
    """Whether the state of a file is its fingerprint: nothing cheaper says that it changed."""
    return file.mark is not None or not isinstance(file.path, Path) or file.path.is_dir()


def file_state(file: SourceFile) -> str:
    """What changes when somebody writes to a file; cheap, and of no meaning elsewhere."""
    if _is_fingerprint(file):
        return file_fingerprint(file)
    try:
        found = file.path.stat()
    except OSError:
        return UNREADABLE
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def file_fingerprint(file: SourceFile) -> str:
    """Hex fingerprint of one source file or folder; "unreadable" when it cannot be read."""
    if file.mark is not None:
        return file.mark
    try:
        local = isinstance(file.path, Path)
        if local:
            return _fingerprint(file)
        with client_failures(f"looking for {file.path}"):
            return _remote_fingerprint(file.path)
    except OSError:  # the read task will say so, as a record of the quarantine
        return UNREADABLE


def _fingerprint(file: SourceFile) -> str:
    state = hashlib.sha256()  # processors have instructions for it: twice as fast as BLAKE2
    if file.path.is_dir():
        for path in sorted(file.path.rglob("*")):
            if path.is_file():
                found = path.stat()
                line = f"{path.relative_to(file.path)}\0{found.st_size}\0{found.st_mtime_ns}\n"
                state.update(line.encode("utf-8", "surrogateescape"))
        return state.hexdigest()[:_DIGITS]
    found = file.path.stat()
    with file.path.open("rb") as raw:
        if found.st_size <= WHOLE_BYTES:
            while piece := raw.read(1 << 20):
                state.update(piece)
            return state.hexdigest()[:_DIGITS]
        state.update(f"{found.st_size} {found.st_mtime_ns}".encode())
        for i in range(_SAMPLES):
            raw.seek(i * (found.st_size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            state.update(raw.read(_SAMPLE_BYTES))
    return state.hexdigest()[:_DIGITS]


def _remote_fingerprint(path: Any) -> str:
    """By what the object store says of each object: its size and its ETag, or time of change.

    One request a file: the driver asks for all files of a dataset, and a store takes 15 ms.
    """
    info = path.fs.info(path.path)
    there = {".": info}
    if info["type"] == "directory":
        found = path.fs.find(path.path, detail=True)
        there = {name.removeprefix(f"{info['name']}/"): each for name, each in found.items()}
    state = hashlib.blake2b(digest_size=16)
    for name, each in sorted(there.items()):
        mark = each.get("ETag") or each.get("etag") or each.get("mtime") or each.get("LastModified")
        state.update(f"{name}\0{each.get('size')}\0{mark}\n".encode())
    return state.hexdigest()


def dataset_fingerprint(
    adapter: type[Adapter], config: PrepareConfig, files: list[tuple[SourceFile, str]]
) -> str:
    """Hex fingerprint (32 digits) of all that decides the windows of some source files.

    Args:
        adapter: Its version and the contract's enter.
        config: What changes windows enters (the salt as a fingerprint); what changes only how the
            work is cut or run does not.
        files: Source files with their fingerprints.
    """
    settings = config.model_dump(mode="json", include=_DECIDING)
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


def shard_key(
    adapter: type[Adapter], config: PrepareConfig, files: list[tuple[SourceFile, str]]
) -> str:
    """Name of a shard (16 hex digits) by its content: names its files and its marker."""
    return dataset_fingerprint(adapter, config, files)[:16]
