"""Enron as timestamped simplices: one mail, the employees on it and when.

Source: Benson et al.: Simplicial closure and higher-order link prediction, PNAS 2018 (licence and
citation: docs/sources.md).
Three files of one integer a line are read together: how many nodes each simplex has, the nodes of
all simplices, and the times; a record is one simplex, known by its number. Times are milliseconds
since 0001-01-01 of a clock whose offset nobody says, and in no order. The reference run counted
21,768: the lines of two files, with an empty last one each. There are 10,883 simplices.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from typing import ClassVar

from jepa_ray.adapters.base import NotReadableError, Shard, SourceFile, SourceInfo, source_stream
from jepa_ray.adapters.record_adapters import RecordAdapter
from jepa_ray.readers import (
    InputStream,
    RawBlock,
    RawDefect,
    RawItem,
    blocks_of,
    line_chunks,
)
from jepa_ray.windows import PEOPLE_SCALE, Activity

CONFIDENCE = 0.6
SHIFT_MS = 62_135_596_800_000
"""From 0001-01-01 to 1970-01-01."""

EARLIEST, LATEST = dt.datetime(1980, 1, 2), dt.datetime(2038, 1, 1)  # noqa: DTZ001 - no zone
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - as above
_FOLDER = "enron/cornell"
_PARTS = ("nverts", "simplices", "times")
_MAX_LINE_BYTES = 1024
_MAX_DIGITS = 18
_MAX_NODES = 100_000


class EnronCornell(RecordAdapter):
    """Adapter of the dataset `enron_cornell`."""

    info: ClassVar = SourceInfo(
        dataset="enron_cornell",
        group="mail",
        path="enron/cornell/email-Enron-*.txt.gz",
        licence="as its page states; the mails are public record (FERC)",
        how_to_get="https://www.cs.cornell.edu/~arb/data/email-Enron/ (email-Enron.tar.gz, under "
        "100 kB): the files nverts, simplices and times, gzipped or not",
        citation="Benson, Abebe, Schaub, Jadbabaie, Kleinberg: Simplicial closure and higher-order "
        "link prediction, PNAS 2018",
    )
    version: ClassVar = 1
    kind: ClassVar = "email"

    def shards(self, root: Path) -> list[Shard]:
        """One shard of the three files, or none if one is not there."""
        for ending in (".txt.gz", ".txt.zst", ".txt"):
            labels = [f"{_FOLDER}/email-Enron-{part}{ending}" for part in _PARTS]
            paths = [root / label for label in labels]
            if all(path.is_file() for path in paths):
                found = zip(paths, labels, strict=True)
                return [Shard(0, tuple(SourceFile(p, n, p.stat().st_size) for p, n in found))]
        return []

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Simplices `time TAB node node ...`, an item each; all come with the file of counts."""
        if f"-{_PARTS[0]}." not in file.path.name:
            return
        with ExitStack() as stack:
            columns = []
            for part in _PARTS:
                path = file.path.with_name(file.path.name.replace(_PARTS[0], part))
                stream = stack.enter_context(source_stream(path, self._config))
                columns.append(_lines(stream, part))
            yield from blocks_of(_simplices(*columns), self._config.raw_block_bytes)

    def records(self, item: RawItem) -> Iterator[tuple[str, RawItem]]:
        """The simplex; its number is that of a line."""
        yield f":{item.number}", item

    def activity(self, record: RawItem) -> Activity:
        """One simplex."""
        time, _, members = record.data.partition(b"\t")
        nodes = members.split()
        if not nodes or not all(node.isdigit() for node in nodes):
            raise NotReadableError("bad_node", "a simplex needs nodes, which are numbers")
        return Activity(
            source_id=str(record.number),
            start=_start(time),
            features={
                "email_activity": 1.0,
                "participant_count": len(set(nodes)) / PEOPLE_SCALE,
                "source_confidence": CONFIDENCE,
            },
        )


ADAPTER = EnronCornell


def _lines(stream: InputStream, part: str) -> Iterator[bytes | RawDefect]:
    """The lines of one file that are not empty; ends with a defect if it cannot be read on."""
    for item in line_chunks(stream, max_line_bytes=_MAX_LINE_BYTES):
        if isinstance(item, RawDefect):
            yield RawDefect(item.number, item.slug, f"{part}: {item.detail}")
            return
        yield from (line.strip() for line in item.data.split(b"\n") if line.strip())


def _simplices(
    counts: Iterator[bytes | RawDefect],
    nodes: Iterator[bytes | RawDefect],
    times: Iterator[bytes | RawDefect],
) -> Iterator[RawItem | RawDefect]:
    """The three files side by side, up to where they no longer tell what belongs together."""
    for number in count(1):
        size, time = next(counts, None), next(times, None)
        if size is None and time is None:
            if next(nodes, None) is not None:
                yield _mismatch(number, "simplices has more nodes than nverts counts")
            return
        defect = next((x for x in (size, time) if isinstance(x, RawDefect)), None)
        if defect or not isinstance(size, bytes) or not isinstance(time, bytes):
            yield (
                _at(number, defect)
                if defect
                else _mismatch(number, "nverts and times have not the same number of lines")
            )
            return
        wanted = int(size) if size.isdigit() and len(size) <= _MAX_DIGITS else _MAX_NODES + 1
        if wanted > _MAX_NODES:
            yield _mismatch(number, f"nverts has a line that is no count up to {_MAX_NODES}")
            return
        found = list(islice(nodes, wanted))
        members = [node for node in found if isinstance(node, bytes)]
        if found and isinstance(found[-1], RawDefect):
            yield _at(number, found[-1])
            return
        if len(members) < wanted:
            yield _mismatch(number, "simplices has fewer nodes than nverts counts")
            return
        yield RawItem(number, "", b"\t".join((time, b" ".join(members))))


def _at(number: int, defect: RawDefect) -> RawDefect:
    return RawDefect(number, defect.slug, f"line {defect.number} of {defect.detail}")


def _mismatch(number: int, detail: str) -> RawDefect:
    return RawDefect(number, "files_disagree", detail)


def _start(time: bytes) -> dt.datetime:
    if not time.isdigit() or len(time) > _MAX_DIGITS:
        raise NotReadableError("bad_time", "the time is not a number of milliseconds")
    try:
        start = _EPOCH + dt.timedelta(milliseconds=int(time) - SHIFT_MS)
    except OverflowError:
        raise NotReadableError("bad_time", "the time lies outside the calendar") from None
    if not EARLIEST <= start < LATEST:
        raise NotReadableError("implausible_date", f"the time lies in the year {start.year}")
    return start
