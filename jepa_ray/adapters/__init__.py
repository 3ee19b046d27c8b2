"""One module a dataset: raw record -> activity. Found through entry points; no ray, no torch."""

from jepa_ray.adapters.base import (
    Adapter,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    line_blocks,
    name_hasher,
    parse_block,
)
from jepa_ray.adapters.catalogue import catalogue
from jepa_ray.adapters.registry import adapters, broken, select

__all__ = [
    "Adapter",
    "Shard",
    "SourceFile",
    "SourceInfo",
    "adapters",
    "broken",
    "catalogue",
    "file_shards",
    "line_blocks",
    "name_hasher",
    "parse_block",
    "select",
]
