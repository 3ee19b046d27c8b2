"""Batches made ahead: in order, with their errors, and without a thread that stays."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.corpus import prefetch


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("prefetch")]


@given(st.integers(0, 20), st.integers(0, 9), st.integers(1, 4), st.integers(1, 5))
def test_every_step_comes_once_in_order(start, count, stride, depth):
    steps = range(start, start + count * stride, stride)
    found = list(prefetch(lambda step: step * 10, steps, depth=depth))
    assert [item for item, _ in found] == [step * 10 for step in steps]
    assert all(seconds >= 0 for _, seconds in found)


def test_the_next_ones_are_made_while_one_is_used():
    made: list[int] = []
    batches = prefetch(made.append, range(9), depth=2)
    next(batches)
    for _ in range(200):
        if len(made) == 3:
            break
        time.sleep(0.01)
    time.sleep(0.02)
    assert made == [0, 1, 2]
    batches.close()


def test_the_seconds_are_those_that_the_consumer_waited():
    slow = list(prefetch(lambda _step: time.sleep(0.05), range(2)))
    assert all(seconds > 0.02 for _, seconds in slow)
    fast = prefetch(lambda step: step, range(3))
    next(fast)
    time.sleep(0.1)
    assert next(fast)[1] < 0.02
    fast.close()


def test_an_error_of_the_thread_comes_at_its_step():
    def make(step: int) -> int:
        if step == 2:
            raise ValueError("the third is bad")
        return step

    batches = prefetch(make, range(9))
    assert [next(batches)[0], next(batches)[0]] == [0, 1]
    with pytest.raises(ValueError, match="the third is bad"):
        next(batches)
    assert not threads()


def test_an_abandoned_iterator_leaves_no_thread():
    batches = prefetch(lambda step: step, range(100))
    next(batches)
    assert threads()
    del batches
    assert not threads()


def test_an_error_of_the_consumer_leaves_no_thread():
    def consume() -> None:
        for item, _ in prefetch(lambda step: step, range(100)):
            if item == 3:
                raise KeyError(item)

    with pytest.raises(KeyError):
        consume()
    assert not threads()
