"""What `evaluate` prints of its controls and of spreads over seeds."""

from rich.console import Console

from jepa_ray.cli.evaluate import _controls, _mean


def test_a_control_that_is_told_and_not_judged_reads_as_in_the_report():
    rows = {
        "constant_day": {"expected": "skill > 0 (told, not judged)", "passed": False},
        "wrong_window": {"expected": "loss rises", "passed": False},
        "shuffled_slots": {"expected": "skill falls", "passed": None},
    }
    table = _controls({"controls": {name: row | {"sentence": ""} for name, row in rows.items()}})
    assert list(table.columns[2].cells) == ["not judged", "failed", "cannot tell"]


def test_a_mean_over_seeds_has_an_interval_from_three_on_and_within_what_is_possible():
    of = {"mean": 0.5, "low": -0.2, "high": 1.2}
    out = Console(width=80)
    with out.capture() as printed:
        out.print(_mean("loss", of | {"n": 3}), _mean("loss", of | {"n": 2}))
    assert printed.get().strip() == "0.5 [0, 1.2] 0.5"
