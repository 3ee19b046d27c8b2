"""Sources that need credentials or agreements: blocked, here to keep the record complete."""

from typing import ClassVar

from jepa_ray.adapters.base import SourceInfo
from jepa_ray.adapters.blocked import Blocked


class BlockedSources(Blocked):
    """Adapter of the dataset `blocked_sources`."""

    info: ClassVar = SourceInfo(
        dataset="blocked_sources",
        group="tasks",
        path="-",
        licence="that of each source",
        how_to_get="from the owner of each source; then write an adapter, see "
        "docs/adding-a-source.md",
        citation="none",
        blocked="stands for sources that need credentials or agreements",
    )
    version: ClassVar = 1


ADAPTER = BlockedSources
