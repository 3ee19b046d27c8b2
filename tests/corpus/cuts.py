"""The same prepared windows, cut into other parts and row groups."""

import itertools
import json
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jepa_ray.config import SplitConfig
from jepa_ray.corpus import FeedBatch, StreamingFeed, TrainFeed, load, open_feed
from jepa_ray.corpus.batch import WHOLE, Share
from jepa_ray.corpus.stored import split_all

SPLIT = SplitConfig(seed=1)


def cut_anew(
    dataset: Path, target: Path, *, parts: int, group: int = 1 << 20, seed: int | None = None
) -> None:
    """Write the windows of a prepared dataset again.

    Args:
        dataset: Folder of the dataset.
        target: Folder of the new one.
        parts: Into so many files; some may be empty.
        group: Rows of a row group.
        seed: Cuts the parts at random places, from rows in random order; None: evenly, as they lie.
    """
    manifest = json.loads((dataset / "manifest.json").read_text())
    files = [dataset / "windows" / part["name"] for part in manifest["parts"]]
    table = pa.concat_tables([pq.read_table(file) for file in files])
    bounds = [len(table) * i // parts for i in range(parts + 1)]
    if seed is not None:
        random = Random(seed)
        table = table.take(random.sample(range(len(table)), len(table)))
        bounds[1:-1] = sorted(random.choices(range(len(table) + 1), k=parts - 1))
    (target / "windows").mkdir(parents=True)
    manifest["parts"] = []
    for i, (start, end) in enumerate(itertools.pairwise(bounds)):
        file = target / "windows" / f"part-{i:03d}.parquet"
        pq.write_table(table.slice(start, end - start), file, row_group_size=group)
        size = file.stat().st_size
        manifest["parts"].append({"name": file.name, "rows": end - start, "bytes": size})
    (target / "manifest.json").write_text(json.dumps(manifest))


def streaming(
    processed: str | Path,
    names: list[str],
    *,
    batch: int = 16,
    seed: int = 2,
    share: Share = WHOLE,
    pool_bytes: int = 2000,
) -> StreamingFeed:
    """A streaming feed with tiny pools."""
    datasets = split_all(str(processed), names, SPLIT)
    return StreamingFeed(datasets, batch_size=batch, seed=seed, share=share, pool_bytes=pool_bytes)


def in_memory(processed: str | Path, names: list[str], **more: int) -> TrainFeed:
    """A feed of mode `memory`."""
    given = {"batch_size": 16, "seed": 2} | more
    return open_feed(str(processed), names, SPLIT, mode="memory", **given)


def train_uids(processed: str | Path, names: list[str]) -> list[int]:
    """The uids of all training windows, sorted."""
    datasets = load(str(processed), names, SPLIT).datasets
    return sorted(uid for d in datasets for uid in d.uid[d.train].tolist())


def drawn(feed: TrainFeed, steps: range) -> list[int]:
    """The uids of some steps, in order."""
    return np.concatenate([feed.batch(step).uids for step in steps]).tolist()


def same(one: FeedBatch, other: FeedBatch) -> bool:
    """Whether two batches are equal to the bit."""
    a, b = one.windows.densify().tobytes(), other.windows.densify().tobytes()
    return a == b and one.uids.tolist() == other.uids.tolist()
