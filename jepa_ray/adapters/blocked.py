"""What adapters of blocked datasets share: there is nothing to read, whatever lies in the root."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import ActivityBatch


class Blocked:
    """Adapter without records; its `info` says why."""

    info: ClassVar[SourceInfo]
    version: ClassVar[int]
    kind: ClassVar = "blocked"

    def __init__(self, config: PrepareConfig) -> None:
        """Nothing to set."""

    def shards(self, root: Path) -> list[Shard]:  # noqa: ARG002 - nothing is looked for
        """None."""
        return []

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:  # noqa: ARG002 - as above
        """None."""
        yield from ()

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:  # noqa: ARG002
        """An empty batch."""
        return ActivityBatch.of(self.kind, [])
