"""One module a dataset: raw record -> activity. Found through entry points; no ray, no torch."""

from jepa_ray.adapters.base import (
    Adapter,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    name_hasher,
    parse_block,
)
from jepa_ray.adapters.catalogue import catalogue
from jepa_ray.adapters.registry import adapters, select

__all__ = [
    "Adapter",
    "Shard",
    "SourceFile",
    "SourceInfo",
    "adapters",
    "catalogue",
    "file_shards",
    "name_hasher",
    "parse_block",
    "select",
]
