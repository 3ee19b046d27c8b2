"""Prepared windows -> split -> random batches. NumPy and Arrow in, torch out; no ray."""

from jepa_ray.corpus.feed import (
    Feed,
    FeedBatch,
    TrainFeed,
    choose_mode,
    densify,
    held_out_batches,
    open_feed,
    open_held_out,
    prefetch,
)
from jepa_ray.corpus.load import (
    COMBINED,
    Corpus,
    Dataset,
    choose,
    fingerprints,
    load,
    prepared,
    read_keys,
)
from jepa_ray.corpus.split import SplitKeys, validation_mask

__all__ = [
    "COMBINED",
    "Corpus",
    "Dataset",
    "Feed",
    "FeedBatch",
    "SplitKeys",
    "TrainFeed",
    "choose",
    "choose_mode",
    "densify",
    "fingerprints",
    "held_out_batches",
    "load",
    "open_feed",
    "open_held_out",
    "prefetch",
    "prepared",
    "read_keys",
    "validation_mask",
]
