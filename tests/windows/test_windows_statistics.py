"""stats.json: sums over runs say what NumPy says of the dense windows."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.windows import FEATURES, POSITION_VALUES, SLOTS, SparseWindows, Statistics, sparsify

DAY_US = 86_400_000_000


def dense_windows(n: int, seed: int = 0) -> np.ndarray:
    """n windows: single slots, runs, full days, some equal to others."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, SLOTS, len(FEATURES)), np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    for i, window in enumerate(dense):
        if i % 4 == 3:
            window[:] = dense[i - 1]
            continue
        for _ in range(rng.integers(1, 4)):
            first = rng.integers(SLOTS)
            last = rng.choice([first, SLOTS - 1, min(first + 8, SLOTS - 1)])
            window[first : last + 1, rng.integers(2, 16)] = rng.integers(1, 5) / 4
    return dense


def starts_of(n: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(np.arange(n) * DAY_US).cast(pa.timestamp("us"))])


def statistics(dense: np.ndarray, starts: pa.ChunkedArray | None = None) -> Statistics:
    return Statistics.of(sparsify(dense), starts_of(len(dense)) if starts is None else starts)


def approximately(document: dict) -> dict:
    """Sums of floats in another order differ in their last bits."""
    return {
        key: approximately(value)
        if isinstance(value, dict)
        else pytest.approx(value, abs=1e-7)
        if isinstance(value, float)
        else value
        for key, value in document.items()
    }


@pytest.mark.parametrize("dense", [dense_windows(40), dense_windows(1), np.ones((5, 96, 16))])
def test_the_statistics_are_those_of_the_dense_windows(dense):
    dense = dense.astype(np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    document = statistics(dense).document()
    flat = dense.reshape(-1, len(FEATURES)).astype(np.float64)
    for i, name in enumerate(FEATURES):
        assert document["features"][name] == pytest.approx(
            {
                "min": flat[:, i].min(),
                "mean": flat[:, i].mean(),
                "std": flat[:, i].std(),
                "max": flat[:, i].max(),
                "nonzero_share": (flat[:, i] > 0).mean(),
            },
            abs=1e-7,
        )


def test_the_slot_histogram_counts_windows_with_a_signal_there():
    dense = dense_windows(40)
    expected = (dense[:, :, 2:] > 0).any(axis=2).sum(axis=0)
    assert statistics(dense).document()["slot_histogram"] == expected.tolist()


@given(st.lists(st.integers(1, 39), max_size=6, unique=True), st.randoms())
def test_blocks_merge_to_the_same_in_any_cut_and_any_order(cuts, random):
    dense = dense_windows(40)
    starts = starts_of(40)
    edges = [0, *sorted(cuts), 40]
    blocks = [statistics(dense[a:b], starts.slice(a, b - a)) for a, b in itertools.pairwise(edges)]
    random.shuffle(blocks)
    whole = statistics(dense).document()
    assert Statistics.merge(blocks).document() == approximately(whole)


def test_a_merge_of_one_block_is_that_block():
    one = statistics(dense_windows(9))
    assert Statistics.merge([one]).document() == one.document()


def test_blocks_without_windows_change_nothing():
    empty = Statistics.of(sparsify(dense_windows(0)), starts_of(0))
    full = np.ones((2, 96, 16), np.float32)
    full[:, :, :2] = POSITION_VALUES[:, None]
    whole = statistics(full)
    assert Statistics.merge([empty, whole, empty]).document() == whole.document()
    assert whole.document()["features"]["task"]["min"] == 1.0


def test_no_windows_at_all_give_zeros():
    document = Statistics.of(sparsify(dense_windows(0)), starts_of(0)).document()
    assert (document["windows"], document["distinct_windows"], document["entropy_bits"]) == (
        0,
        0,
        0,
    )
    assert document["earliest"] is None
    json.dumps(document, allow_nan=False)


def test_equal_windows_have_no_entropy():
    found = statistics(np.repeat(dense_windows(1), 7, axis=0))
    assert (len(found.contents), found.entropy_bits) == (1, 0.0)
    assert found.document()["effective_windows"] == 1.0


@pytest.mark.parametrize("n", [2, 3, 96])
def test_n_distinct_windows_have_log2_n_bits(n):
    first = np.arange(n, dtype=np.uint8)
    values = np.ones((n, 14), np.float32)
    found = Statistics.of(SparseWindows(np.arange(n + 1), first, first, values), starts_of(n))
    assert found.entropy_bits == pytest.approx(np.log2(n))
    assert found.document()["effective_windows"] == pytest.approx(n)


def test_copies_count_across_blocks():
    one = statistics(dense_windows(1))
    merged = Statistics.merge([one, one, one])
    assert (merged.windows, len(merged.contents), merged.copies.tolist()) == (3, 1, [3])


def test_the_first_and_the_last_time_are_kept_and_windows_without_one_ignored():
    times = pa.chunked_array([pa.array([None, 3 * DAY_US + 5, DAY_US], pa.timestamp("us"))])
    document = statistics(dense_windows(3), times).document()
    assert document["earliest"] == "1970-01-02T00:00:00"
    assert document["latest"] == "1970-01-04T00:00:00.000005"


def test_windows_without_any_time_have_no_range():
    times = pa.chunked_array([pa.array([None, None], pa.timestamp("us"))])
    document = statistics(dense_windows(2), times).document()
    assert document["earliest"] is document["latest"] is None


def test_the_document_is_strict_json():
    document = statistics(dense_windows(20)).document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
