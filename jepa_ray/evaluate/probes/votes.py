"""MS-LaTTE: at which of ten times (weekday or weekend, five parts) do people want to do a task?

The votes are the window's own slots, so every arm gets a window without them: the task on all 96
slots, as a task that nobody knows a time for would be prepared. What is left is the length of the
title; little can be expected of any arm. The floor is the list prior: the mean shares.
"""

import json

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.probes.problem import Problem, Task
from jepa_ray.evaluate.probes.sample import Sample
from jepa_ray.evaluate.probes.splits import sides
from jepa_ray.windows import INDEX

DATASET = "ms_latte"
BINS = tuple(
    (day, part)
    for day in ("WD", "WE")
    for part in ("morning", "afternoon", "evening", "night", "anytime")
)
VOTES = Task(
    "votes",
    "The shares of judges who would do a to-do task at each of ten times (weekday or weekend; "
    "morning, afternoon, evening, night, anytime).",
    "The window without any vote: only the length of the title is left, so little can be expected.",
    "brier",
)
_SPLIT = (
    "Tested on held-out windows of the checkpoint's split and fitted on training windows; no task "
    "on both sides. Windows are not compared: what is left of them is the length of the title."
)


def votes(sample: Sample, config: ProbeConfig) -> Problem:
    """The shares of votes."""
    shares = [_shares(text) for text in sample.metadata]
    known = np.array([s is not None for s in shares])
    eligible = np.flatnonzero(known & (sample.dataset == sample.names.index(DATASET)))
    # Titles of equal length look alike to every arm, whoever would do them when: no twins.
    train, test = sides(sample, eligible, config, sample.uid)
    rows = np.concatenate([train, test])
    x = sample.windows.take(rows).densify()
    x[:, :, INDEX["participant_count"]] = 0
    for feature in ("task", "priority", "text_length", "source_confidence"):
        at = INDEX[feature]
        x[:, :, at] = x[:, :, at].max(axis=1, keepdims=True)
    y = [found for row in rows if (found := shares[row]) is not None]
    return Problem(
        task=VOTES,
        x=x,
        hidden=None,
        raw=None,
        y=np.array(y, np.float64).reshape(-1, len(BINS)),
        strata=np.zeros(len(rows), np.int64),
        cluster=sample.cluster[rows],
        clusters=sample.clusters,
        train=np.arange(len(train)),
        test=len(train) + np.arange(len(test)),
        split=_SPLIT,
    )


def _shares(metadata: str | None) -> NDArray[np.float64] | None:
    """(10,) shares of the judges who know a time; None where nobody does."""
    found = json.loads(metadata) if metadata else {}
    if not isinstance(found, dict) or not found.get("known") or "votes" not in found:
        return None
    counts = [found["votes"].get(day, {}).get(part, 0) for day, part in BINS]
    shares: NDArray[np.float64] = np.array(counts, np.float64) / float(found["known"])
    return shares
