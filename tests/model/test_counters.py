import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.model.counters import Purpose, below, distinct, words


def draw(rows=4, width=3, purpose=Purpose.BLOCKS, seed=1, step=2):
    return words(purpose, seed=seed, step=step, rows=rows, width=width)


def test_more_rows_leave_the_first_ones_as_they_are():
    np.testing.assert_array_equal(draw(rows=9)[:4], draw())


def test_seed_step_and_purpose_all_matter():
    assert (draw() != draw(seed=2)).all()
    assert (draw() != draw(step=3)).all()
    assert (draw() != draw(purpose=Purpose.RANDOM)).all()
    assert (draw(seed=1, step=2) != draw(seed=2, step=1)).all()


def test_purposes_differ():
    assert len({purpose.value for purpose in Purpose}) == len(Purpose)


@pytest.mark.parametrize("count", [1, 2, 97, 2**31 - 1])
def test_scaled_words_stay_below_their_bound(count):
    found = below(count, draw(rows=1000))
    assert found.dtype == np.int64
    assert 0 <= found.min() <= found.max() < count


@given(count=st.integers(1, 12), width=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_chosen_numbers_are_distinct_and_ascend(count, width, seed):
    drawn = draw(rows=5, width=width, seed=seed)
    chosen = np.arange(5) % (min(count, width) + 1)
    for row, wanted in zip(distinct(count, chosen, drawn), chosen, strict=True):
        assert len(set(row[:wanted])) == wanted
        assert (np.diff(row) >= 0).all()
        assert (row[:wanted] < count).all()
        assert (row[wanted:] == count).all()


def test_each_subset_is_equally_likely():
    found = distinct(6, np.full(40_000, 3), draw(rows=40_000))
    subsets = list(itertools.combinations(range(6), 3))
    counts = np.array([(found == subset).all(axis=1).sum() for subset in subsets])
    expected = 40_000 / len(subsets)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert 3 < chi2 < 53  # 19 degrees of freedom: the 0.001 % and the 99.99 % quantile, rounded
