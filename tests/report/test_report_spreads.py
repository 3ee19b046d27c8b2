"""Intervals over passes, as they are shown."""

import pytest

from jepa_ray.evaluate.intervals import spread
from jepa_ray.report.charts import Dot, _left_edge
from jepa_ray.report.spreads import interval, spread_of_two
from jepa_ray.report.text import Estimate


@pytest.mark.parametrize(
    ("number", "ends"),
    [("loss", (0.0, 9.0)), ("skill", (-3.0, 1.0)), ("rankme", (1.0, 9.0)), ("other", (-3.0, 9.0))],
)
def test_an_interval_ends_where_the_number_does(number, ends):
    assert interval(number, -3.0, 9.0, 3) == ends


def test_fewer_than_three_passes_have_no_interval():
    assert interval("loss", 0.1, 0.2, 2) is None
    assert interval("loss", 0.1, 0.1, 1) is None


def test_two_values_are_told_from_their_mean_and_deviation():
    found = spread([0.75, 0.25])
    assert spread_of_two(found.mean, found.std) == pytest.approx((0.25, 0.75))


def test_a_logarithmic_axis_stays_where_an_interval_reaches_zero():
    rows = [Dot("a", Estimate(0.5, 0.0, 1.0)), Dot("b", Estimate(0.13, 0.12, 0.2))]
    assert _left_edge(rows) == pytest.approx(0.12 / 1.3)
    assert _left_edge([*rows, Dot("c", Estimate(0.0))]) is None
