"""What was scored: how many windows, how much they differ, how many are new to the model."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Text
from jepa_ray.report.measured import of_first, skill
from jepa_ray.report.results import Results
from jepa_ray.report.text import count, estimate, number, percent


def sample(results: Results) -> Iterator[Block]:
    """How many windows were scored, how much they differ, and how many are new to the model."""
    source = results.first
    if source is not None and source.has("sample"):
        found = source.read(forms.SampleOf).sample
        yield Text(
            f"Scored{of_first(results)}: {count(found.windows)} windows, of which "
            f"{count(found.distinct)} are distinct. Intervals are about windows as they come, "
            "copies among them; what differs is as much as in "
            f"{number(found.effective)} windows of equal weight.{_seen(found)}"
        )


def _seen(found: forms.Sample) -> str:
    if found.seen_in_training is None:
        return ""
    said = f" {percent(found.seen_in_training)} of them equal a window of the training side"
    if found.unseen is None:
        return f"{said}."
    rest = f"skill on the other {count(found.unseen.windows)}: {estimate(skill(found.unseen))}"
    return f"{said}; {rest}."
