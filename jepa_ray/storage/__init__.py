"""Files and URLs: one resolver, atomic writes. Local paths and any fsspec URL are treated alike."""

from jepa_ray.storage.credentials import refuse_credentials
from jepa_ray.storage.files import (
    absolute,
    delete,
    exclusive,
    exists,
    join,
    list_names,
    list_sizes,
    local_path,
    read_bytes,
    read_json,
    remove_unfinished,
    require_writable,
    resolve,
    write_bytes,
    write_json,
)
from jepa_ray.storage.remote import GuardedStream, client_faults, reachable, store_faults
from jepa_ray.storage.sources import open_source, source_folder, source_path
from jepa_ray.storage.streams import atomic_writer

__all__ = [
    "GuardedStream",
    "absolute",
    "atomic_writer",
    "client_faults",
    "delete",
    "exclusive",
    "exists",
    "join",
    "list_names",
    "list_sizes",
    "local_path",
    "open_source",
    "reachable",
    "read_bytes",
    "read_json",
    "refuse_credentials",
    "remove_unfinished",
    "require_writable",
    "resolve",
    "source_folder",
    "source_path",
    "store_faults",
    "write_bytes",
    "write_json",
]
