"""Files and URLs: one resolver, atomic writes. Local paths and any fsspec URL are treated alike."""

from jepa_ray.storage.clients import greet, is_s3
from jepa_ray.storage.credentials import refuse_credentials
from jepa_ray.storage.faults import failure
from jepa_ray.storage.files import (
    absolute,
    delete,
    exclusive,
    exists,
    join,
    list_files,
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
from jepa_ray.storage.remote import (
    GuardedStream,
    client_failures,
    client_faults,
    is_fault,
    reachable,
    remote_faults,
    store_faults,
)
from jepa_ray.storage.sources import open_source, source_folder, source_path
from jepa_ray.storage.streams import atomic_writer, upload
from jepa_ray.storage.uploads import Upload, remove_uploads, unfinished_uploads

__all__ = [
    "GuardedStream",
    "Upload",
    "absolute",
    "atomic_writer",
    "client_failures",
    "client_faults",
    "delete",
    "exclusive",
    "exists",
    "failure",
    "greet",
    "is_fault",
    "is_s3",
    "join",
    "list_files",
    "list_names",
    "list_sizes",
    "local_path",
    "open_source",
    "reachable",
    "read_bytes",
    "read_json",
    "refuse_credentials",
    "remote_faults",
    "remove_unfinished",
    "remove_uploads",
    "require_writable",
    "resolve",
    "source_folder",
    "source_path",
    "store_faults",
    "unfinished_uploads",
    "upload",
    "write_bytes",
    "write_json",
]
