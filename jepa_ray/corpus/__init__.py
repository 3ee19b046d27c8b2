"""Prepared windows -> split -> random batches. NumPy and Arrow in, torch out; no ray."""

from jepa_ray.corpus.feed import Feed, densify, held_out_batches
from jepa_ray.corpus.load import (
    COMBINED,
    Corpus,
    Dataset,
    choose,
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
    "SplitKeys",
    "choose",
    "densify",
    "held_out_batches",
    "load",
    "prepared",
    "read_keys",
    "validation_mask",
]
