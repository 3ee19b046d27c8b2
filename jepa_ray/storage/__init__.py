"""Files and URLs: one resolver, atomic writes. Local paths and any fsspec URL are treated alike."""

from jepa_ray.storage.files import (
    delete,
    exists,
    join,
    list_names,
    local_path,
    read_bytes,
    read_json,
    write_bytes,
    write_json,
)

__all__ = [
    "delete",
    "exists",
    "join",
    "list_names",
    "local_path",
    "read_bytes",
    "read_json",
    "write_bytes",
    "write_json",
]
