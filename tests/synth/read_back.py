"""What an adapter makes of a made-up archive, without Ray."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from jepa_ray.adapters import adapters, parse_block
from jepa_ray.config import PrepareConfig
from jepa_ray.windows import ActivityBatch, record_windows


@dataclass
class ReadBack:
    """The account of one archive."""

    records: int = 0
    windows: int = 0
    skipped: Counter = field(default_factory=Counter)
    quarantined: list = field(default_factory=list)
    batches: list[ActivityBatch] = field(default_factory=list)

    def column(self, name: str) -> list:
        """All values of one column."""
        return [value for batch in self.batches for value in getattr(batch.columns, name)]


def read_back(dataset: str, root: Path) -> ReadBack:
    """Run the adapter of a dataset over all that lies below a data root."""
    adapter, found = adapters()[dataset](PrepareConfig()), ReadBack()
    for shard in adapter.shards(root):
        for file in shard.files:
            for block in adapter.blocks(file):
                batch = parse_block(adapter, file.label, block)
                found.batches.append(batch)
                found.records += batch.records
                found.windows += len(record_windows(batch.columns))
                found.skipped += batch.skipped
                found.quarantined += batch.rejected
    return found
