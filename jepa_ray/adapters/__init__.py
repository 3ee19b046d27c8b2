"""One module a dataset: raw record -> activity. Found through entry points; no ray, no torch."""

from jepa_ray.adapters.base import (
    Adapter,
    NotReadableError,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    json_blocks,
    line_blocks,
    name_hasher,
    parse_block,
    raised,
    source_stream,
    whole_file,
)
from jepa_ray.adapters.catalogue import catalogue
from jepa_ray.adapters.record_adapters import (
    FileAdapter,
    JsonAdapter,
    LineAdapter,
    RecordAdapter,
)
from jepa_ray.adapters.registry import adapters, broken, select

__all__ = [
    "Adapter",
    "FileAdapter",
    "JsonAdapter",
    "LineAdapter",
    "NotReadableError",
    "RecordAdapter",
    "Shard",
    "SourceFile",
    "SourceInfo",
    "adapters",
    "broken",
    "catalogue",
    "file_shards",
    "json_blocks",
    "line_blocks",
    "name_hasher",
    "parse_block",
    "raised",
    "select",
    "source_stream",
    "whole_file",
]
