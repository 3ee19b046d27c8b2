"""The feed: batches drawn at random, without replacement within an epoch, over a whole side.

Stateless: the windows of a step follow from (seed, step) alone, so a resumed training goes on at
its step and any number of workers sees the same global batches. Rank r of w takes every w-th row.
A side smaller than a batch wraps its epochs. What depends on the device is the last step only:
sparse rows travel, the dense batch is built where it is used.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from jepa_ray.config import SplitConfig
from jepa_ray.corpus.batch import Share, TrainFeed
from jepa_ray.corpus.legs import LegFeed
from jepa_ray.corpus.memory import MemoryFeed, in_memory
from jepa_ray.corpus.parts import PartReader, parts_of
from jepa_ray.corpus.rows import RUN_BYTES, WINDOW_BYTES
from jepa_ray.corpus.stored import SplitDataset, split_all, usable_manifest
from jepa_ray.corpus.streaming import StreamingFeed
from jepa_ray.errors import CorpusError
from jepa_ray.storage import join

Mode = Literal["memory", "streaming"]
_ORDER_BYTES = 24  # the order of the uids, a permutation, and sorting


def open_feed(  # noqa: PLR0913 - the interface of both modes
    processed_dir: str,
    names: Sequence[str],
    split: SplitConfig,
    *,
    mode: Mode,
    batch_size: int,
    seed: int,
    rank: int = 0,
    world: int = 1,
) -> TrainFeed:
    """Open the training side of some datasets.

    Both modes draw each training window once an epoch; in `memory` from all of them at once, in
    `streaming` from a pool of row groups, so the two give other orders.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets, in the order of the corpus.
        split: Which windows are held out.
        mode: See `choose_mode`.
        batch_size: Windows of one step over all ranks; `world` divides it.
        seed: Another seed, another order.
        rank: Which share of each global batch is given, below `world`.
        world: Number of shares.

    Raises:
        CorpusError: A dataset is absent, damaged or cannot be split, or no window is for training.
    """
    datasets = split_all(processed_dir, names, split)
    if not any(_windows(dataset) for dataset in datasets):
        raise CorpusError(
            f"{', '.join(names)}: no window is for training, and both sides need one; prepare more "
            "data"
        )
    share = Share(rank, world)
    return _feed(datasets, mode=mode, batch_size=batch_size, seed=seed, share=share)


def open_legs(  # noqa: PLR0913 - as open_feed
    processed_dir: str,
    names: Sequence[str],
    split: SplitConfig,
    *,
    ends: Sequence[int],
    mode: Mode,
    batch_size: int,
    seed: int,
    rank: int = 0,
    world: int = 1,
) -> TrainFeed:
    """Open the training sides of some datasets, one after the other in the order of their names.

    Within its leg a dataset is drawn from as `open_feed` would from its first step on. Two datasets
    are in memory at most.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets, in the order of the legs.
        split: Which windows are held out.
        ends: The step behind the last of each leg, ascending.
        mode: See `choose_mode`.
        batch_size: Windows of one step over all ranks; `world` divides it.
        seed: Another seed, another order.
        rank: Which share of each global batch is given, below `world`.
        world: Number of shares.

    Raises:
        CorpusError: A dataset is absent, damaged or cannot be split, or one side of it is empty.
    """
    datasets = split_all(processed_dir, names, split)
    for dataset in datasets:
        train, held_out = _sides(dataset)
        if not train or not held_out:
            raise CorpusError(
                f"{dataset.name}: {train} training and {held_out} held-out windows, and each "
                "dataset of a sequential training needs one on both sides; prepare more data, "
                "leave it out, or set mixing=interleaved"
            )
    share = Share(rank, world)
    feeds = [
        partial(_feed, [dataset], mode=mode, batch_size=batch_size, seed=seed, share=share)
        for dataset in datasets
    ]
    windows = sum(_windows(dataset) for dataset in datasets)
    return LegFeed(feeds, ends, windows=windows, batch_size=batch_size)


def side_sizes(
    processed_dir: str, names: Sequence[str], split: SplitConfig
) -> dict[str, tuple[int, int]]:
    """Training and held-out windows of each dataset, by the name given; raises as `open_feed`."""
    datasets = split_all(processed_dir, names, split)
    return {name: _sides(dataset) for name, dataset in zip(names, datasets, strict=True)}


def _sides(dataset: SplitDataset) -> tuple[int, int]:
    """How many windows are for training, and how many are held out."""
    train, held_out = dataset.sizes.sum(axis=0).tolist()
    return train, held_out


def _windows(dataset: SplitDataset) -> int:
    """How many are for training."""
    return _sides(dataset)[0]


def _feed(
    datasets: list[SplitDataset], *, mode: Mode, batch_size: int, seed: int, share: Share
) -> TrainFeed:
    if mode == "streaming":
        return StreamingFeed(datasets, batch_size=batch_size, seed=seed, share=share)
    rows, order = in_memory(datasets, "train")
    return MemoryFeed(rows, order, batch_size=batch_size, seed=seed, share=share)


def choose_mode(
    processed_dir: str,
    names: Sequence[str],
    mode: Literal["auto", "memory", "streaming"],
    memory_bytes: int,
) -> tuple[Mode, str]:
    """How a worker should hold its windows.

    `auto` takes `memory` where the training side of all windows needs at most half of the memory
    there is; how many runs a window has is seen from the largest part of each dataset.

    Args:
        processed_dir: Path or URL that `prepare` wrote.
        names: Of the datasets.
        mode: The setting `load_mode`.
        memory_bytes: What one worker may use.

    Returns:
        The mode, and a sentence for the start line.

    Raises:
        CorpusError: A dataset is absent, or its largest part is missing or damaged.
    """
    if mode != "auto":
        return mode, f"load_mode {mode}, as configured"
    needed = sum(_memory_bytes(join(processed_dir, name), name) for name in names)
    fits = needed <= memory_bytes // 2
    chosen: Mode = "memory" if fits else "streaming"
    return chosen, (
        f"load_mode {chosen}: the windows need {needed / 1e9:.2g} GB in memory, "
        f"{'at most' if fits else 'more than'} half of the {memory_bytes / 1e9:.2g} GB of a worker"
    )


def _memory_bytes(folder: str, name: str) -> int:
    manifest = usable_manifest(folder, name)
    largest = max(parts_of(folder, manifest), key=lambda part: part.rows)
    groups = {group for group, _ in PartReader().scan([largest], ["window_uid"])}
    runs = sum(group.runs for group in groups) / max(largest.rows, 1)
    return int(manifest["windows"] * (WINDOW_BYTES + _ORDER_BYTES + RUN_BYTES * runs))
