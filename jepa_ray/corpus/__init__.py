"""Prepared windows -> split -> random batches. NumPy and Arrow in, torch out; no ray."""

from jepa_ray.corpus.batch import FeedBatch, Share, TrainFeed
from jepa_ray.corpus.dense import densify
from jepa_ray.corpus.feed import choose_mode, open_feed, open_legs, side_sizes
from jepa_ray.corpus.held_out import HeldOut, open_held_out
from jepa_ray.corpus.legs import LegFeed
from jepa_ray.corpus.load import (
    Corpus,
    Dataset,
    cuts,
    fingerprints,
    load,
    read_keys,
)
from jepa_ray.corpus.memory import MemoryFeed
from jepa_ray.corpus.prefetch import prefetch
from jepa_ray.corpus.rows import Rows
from jepa_ray.corpus.samples import Counts, Sample, Samples, draw_samples
from jepa_ray.corpus.split import SplitKeys, validation_mask
from jepa_ray.corpus.streaming import StreamingFeed
from jepa_ray.prepared import COMBINED, choose, prepared

__all__ = [
    "COMBINED",
    "Corpus",
    "Counts",
    "Dataset",
    "FeedBatch",
    "HeldOut",
    "LegFeed",
    "MemoryFeed",
    "Rows",
    "Sample",
    "Samples",
    "Share",
    "SplitKeys",
    "StreamingFeed",
    "TrainFeed",
    "choose",
    "choose_mode",
    "cuts",
    "densify",
    "draw_samples",
    "fingerprints",
    "load",
    "open_feed",
    "open_held_out",
    "open_legs",
    "prefetch",
    "prepared",
    "read_keys",
    "side_sizes",
    "validation_mask",
]
