"""The Public Jira dump: reading against igzip alone, and parsing against decoding everything.

Reading is what the one task does that an archive has: decompress, cut documents out, check the
checksums. Parsing makes activities of documents; its peer is `bson.decode` of each of them. The
archive is made by jepa_ray.synth.

    python benchmarks/bench_jira_dump.py [--documents N] [--runs R]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bson
from isal import igzip

from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import GZIP, InputStream, MongoArchive, RawItem
from jepa_ray.synth import synthesize

WANTED_READING, WANTED_PARSING = 0.60, 1.0
LIMIT = PrepareConfig().max_record_bytes


def read(path: Path) -> None:
    with path.open("rb") as raw:
        archive = MongoArchive(InputStream(raw, codec=GZIP), max_document_bytes=LIMIT)
        assert all(isinstance(outcome, RawItem) for outcome in archive.outcomes())
    assert all(found.crc_ok for found in archive.namespaces.values())


def gunzip(path: Path) -> int:
    total = 0
    with igzip.open(path) as stream:
        while piece := stream.read(1 << 20):
            total += len(piece)
    return total


def parse(adapter: PublicJira, blocks: list[list[RawItem]]) -> None:
    for block in blocks:
        adapter.parse("bench", block)


def decode(blocks: list[list[RawItem]]) -> None:
    for block in blocks:
        for item in block:
            bson.decode(item.data)


def cpu(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=12_000)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        synthesize("public_jira_dump", Path(folder), seed=1, records=args.documents)
        adapter = PublicJira(PrepareConfig())
        (shard,) = adapter.shards(Path(folder))
        (file,) = shard.files
        size = gunzip(file.path)
        reading = [
            (cpu(lambda: read(file.path)), cpu(lambda: gunzip(file.path))) for _ in range(args.runs)
        ]
        blocks = [[i for i in b if isinstance(i, RawItem)] for b in adapter.blocks(file)]
    parsing = [
        (cpu(lambda: parse(adapter, blocks)), cpu(lambda: decode(blocks))) for _ in range(args.runs)
    ]
    count = sum(map(len, blocks))
    print(f"{count:,} documents, {size / count:,.0f} bytes each")
    show("reading", "igzip alone", reading, size / 1e6, "MB", WANTED_READING)
    show("parsing", "bson.decode", parsing, count, "documents", WANTED_PARSING)


def show(
    name: str, peer: str, pairs: list[tuple[float, float]], amount: float, unit: str, wanted: float
) -> None:
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:12} {amount / ours:10,.0f} {unit} per CPU second")
    print(f"{peer:12} {amount / theirs:10,.0f} {unit} per CPU second")
    print(f"{'ratio':12} {ratio:10.2f} x (wanted: {wanted:.2f} x), median of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
