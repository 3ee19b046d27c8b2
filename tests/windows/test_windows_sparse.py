"""Dense -> sparse -> dense, to the bit; and the operations on windows at rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jepa_ray.windows import POSITION_VALUES, concat, sparse_of_codes, sparsify

ZERO = st.sampled_from([0.0, -0.0])
VALUE = st.floats(0, 1, width=32) | ZERO | st.just(1e-45)


def dense_windows(slots):
    """Dense windows whose slots (n, 96, 14) are given."""
    dense = np.empty((*slots.shape[:2], 16), np.float32)
    dense[:, :, :2] = POSITION_VALUES[:, None]
    dense[:, :, 2:] = slots
    return dense


@st.composite
def windows(draw):
    """Few distinct slots, repeated: runs of any length, touching and apart."""
    rows = draw(hnp.arrays(np.float32, (4, 14), elements=VALUE))
    rows[0] = 0
    n = draw(st.integers(0, 4))
    return dense_windows(rows[draw(hnp.arrays(np.int8, (n, 96), elements=st.integers(0, 3)))])


def same_bits(left, right):
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@settings(deadline=None)
@given(windows())
def test_dense_sparse_dense_is_exact_to_the_bit(dense):
    assert same_bits(sparsify(dense).densify(), dense)


@settings(deadline=None)
@given(windows())
def test_codes_of_slots_give_the_same_runs_as_their_values(dense):
    rows = [bytes(56), *(slot.tobytes() for slot in dense[:, :, 2:].reshape(-1, 14))]
    distinct = list(dict.fromkeys(rows))
    codes = np.array([distinct.index(row) for row in rows[1:]], np.int64).reshape(-1, 96)
    values = np.frombuffer(b"".join(distinct), np.float32).reshape(-1, 14)
    ours, theirs = sparse_of_codes(codes, values), sparsify(dense)
    for name in ("offsets", "first", "last", "values"):
        assert same_bits(getattr(ours, name), getattr(theirs, name))


@settings(deadline=None)
@given(windows())
def test_runs_are_sorted_and_do_not_overlap(dense):
    sparse = sparsify(dense)
    for i in range(len(sparse)):
        runs = slice(sparse.offsets[i], sparse.offsets[i + 1])
        first, last = sparse.first[runs].astype(int), sparse.last[runs].astype(int)
        assert (first <= last).all()
        assert (first[1:] > last[:-1]).all()


def test_equal_neighbours_share_a_run_and_empty_slots_have_none():
    slots = np.zeros((1, 96, 14), np.float32)
    slots[0, 10:20, 3] = 0.5
    slots[0, 20, 3] = 0.25
    sparse = sparsify(dense_windows(slots))
    assert sparse.first.tolist() == [10, 20]
    assert sparse.last.tolist() == [19, 20]


@settings(deadline=None)
@given(windows(), st.data())
def test_take_picks_windows_in_any_order_with_repeats(dense, data):
    rows = data.draw(
        hnp.arrays(np.int64, st.integers(0, 6), elements=st.integers(0, max(len(dense) - 1, 0)))
        if len(dense)
        else st.just(np.zeros(0, np.int64))
    )
    assert same_bits(sparsify(dense).take(rows).densify(), dense[rows])


@settings(deadline=None)
@given(st.lists(windows(), max_size=3))
def test_concat_keeps_all_windows_in_order(parts):
    whole = concat([sparsify(part) for part in parts])
    assert same_bits(
        whole.densify(), np.concatenate([dense_windows(np.zeros((0, 96, 14))), *parts])
    )


@settings(deadline=None)
@given(windows())
def test_densify_overwrites_a_given_batch_whole(dense):
    out = np.full(dense.shape, np.nan, np.float32)
    assert sparsify(dense).densify(out) is out
    assert same_bits(out, dense)


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((2, 96, 16), np.float32),
        np.zeros((1, 96, 14), np.float32),
        np.zeros((1, 96, 16)),
        np.zeros((1, 96, 32), np.float32)[:, :, ::2],
        np.zeros((16, 96, 1), np.float32).T,
    ],
    ids=["too many", "too narrow", "float64", "strided", "Fortran order"],
)
def test_densify_refuses_a_batch_it_cannot_fill(out):
    sparse = sparsify(dense_windows(np.ones((1, 96, 14), np.float32)))
    with pytest.raises(ValueError, match="out must be"):
        sparse.densify(out)


def changed(slot, feature, value):
    dense = dense_windows(np.zeros((1, 96, 14), np.float32))
    dense[0, slot, feature] = value
    return dense


@pytest.mark.parametrize(
    ("dense", "message"),
    [
        (np.zeros((96, 16), np.float32), "float32"),
        (np.zeros((1, 95, 16), np.float32), "float32"),
        (np.zeros((1, 96, 16)), "float64"),
        (changed(3, 5, 1.5), "outside"),
        (changed(3, 5, -1e-3), "outside"),
        (changed(3, 5, np.nan), "outside"),
        (changed(3, 5, np.inf), "outside"),
        (changed(3, 0, 0.5), "slot_position"),
        (changed(0, 0, -0.0), "slot_position"),
    ],
)
def test_sparsify_refuses_what_is_no_window(dense, message):
    with pytest.raises(ValueError, match=message):
        sparsify(dense)


@settings(deadline=None)
@given(windows())
def test_equal_windows_have_equal_fingerprints_and_others_differ(dense):
    prints = sparsify(dense).fingerprints()
    contents = [window.tobytes() for window in dense]
    for i, left in enumerate(contents):
        for j, right in enumerate(contents):
            assert (prints[i] == prints[j]) == (left == right)


def test_a_fingerprint_is_the_same_on_every_machine():
    slots = np.zeros((1, 96, 14), np.float32)
    slots[0, 83, 2] = 1
    assert sparsify(dense_windows(slots)).fingerprints().tolist() == [6875995389842031814]
