"""Enron as a graph: one line `from TAB to` for two people who wrote to each other; no time at all.

Source: https://snap.stanford.edu/data/email-Enron.html (licence and citation: docs/sources.md).
An edge line becomes one untimed `Activity` of two people, known by its two numbers: all windows are
alike. Lines that begin with # are comments.

Fast path: a chunk of well-formed lines goes into columns at once; any other chunk is taken line by
line, so that each bad line is found.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters.base import Shard, SourceFile, SourceInfo, file_shards, line_blocks
from jepa_ray.adapters.record_adapters import FileAdapter
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import (
    INDEX,
    NO_OFFSET,
    NO_TIME,
    PEOPLE_SCALE,
    POSITIONS,
    STORED,
    ActivityBatch,
    Columns,
    Rejected,
)

CONFIDENCE = 0.3
_COMMENTS = re.compile(rb"\A(?:#[^\n]*(?:\n|\Z))+")
_EDGE = re.compile(rb"[ \t]*\d{1,18}[ \t]+\d{1,18}[ \t]*\r?")
_EDGES = re.compile(rb"(?:\d{1,18}\t\d{1,18}\r?\n)*+")
_FEATURES = {
    "email_activity": 1.0,
    "participant_count": 2 / PEOPLE_SCALE,
    "source_confidence": CONFIDENCE,
}


class EnronSnap(FileAdapter):
    """Adapter of the dataset `enron_snap`."""

    info: ClassVar = SourceInfo(
        dataset="enron_snap",
        group="mail",
        path="enron/snap/email-Enron.txt.gz",
        licence="as SNAP states; the mails are public record (FERC)",
        how_to_get="https://snap.stanford.edu/data/email-Enron.txt.gz (1 MB, 367,662 edges)",
        citation="Leskovec, Lang, Dasgupta, Mahoney: Community Structure in Large Networks, "
        "Internet Mathematics 2009; Klimt, Yang: Introducing the Enron Corpus, CEAS 2004",
    )
    version: ClassVar = 1
    kind: ClassVar = "email_edge"

    def shards(self, root: Path) -> list[Shard]:
        """The file, gzipped or not."""
        return file_shards(root, (self.info.path,)) or file_shards(
            root, ("enron/snap/email-Enron.txt",)
        )

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Chunks of whole lines."""
        return line_blocks(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Edges of some chunks."""
        return ActivityBatch.join(self.kind, [self._chunk(label, item) for item in items])

    def _chunk(self, label: str, item: RawItem) -> ActivityBatch:
        data = _COMMENTS.sub(b"", item.data) if item.number == 1 else item.data
        if _EDGES.fullmatch(data):
            return self._edges(data.split(), [])
        numbers: list[bytes] = []
        rejected = []
        for number, line in enumerate(item.data.split(b"\n"), start=item.number):
            if not line.strip() or line.startswith(b"#"):
                continue
            if _EDGE.fullmatch(line):
                numbers += line.split()
            else:
                where = f"{label}:{number}"
                rejected.append(Rejected(where, "malformed_line", "an edge is two numbers"))
        return self._edges(numbers, rejected)

    def _edges(self, numbers: list[bytes], rejected: list[Rejected]) -> ActivityBatch:
        nodes = np.array(numbers, dtype="S18").astype(np.int64).reshape(-1, 2)
        n = len(nodes)
        columns = Columns.instants(
            [f"{a}-{b}" for a, b in nodes.tolist()],
            np.full(n, NO_TIME),
            np.tile(_values(), (n, 1)),
            offset_minutes=NO_OFFSET,
        )
        columns.timed = np.zeros(n, np.bool_)
        found, inverse = np.unique(nodes[:, 0], return_inverse=True)
        hashes = [self._hash(f"node {node}") for node in found.tolist()]
        columns.actor = np.array(hashes, np.uint64)[inverse]
        return ActivityBatch(self.kind, columns, records=n + len(rejected), rejected=rejected)


ADAPTER = EnronSnap


def _values() -> NDArray[np.float32]:
    row = np.zeros(len(STORED), np.float32)
    for name, value in _FEATURES.items():
        row[INDEX[name] - POSITIONS] = value
    return row
