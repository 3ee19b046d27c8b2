"""Windows with what was hidden of them, and all embeddings in the plane."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Figure, Fold
from jepa_ray.report.charts import plane
from jepa_ray.report.heat import window
from jepa_ray.report.results import Results, Wrong
from jepa_ray.report.sections import commands
from jepa_ray.report.text import clean, name, percent

_OPEN = 3
_MAX_WINDOWS = 12
_MAX_NAMES = 24


def _windows(results: Results) -> Iterator[Block]:
    source = results.first
    if source is None or not source.has("examples"):
        yield commands.evaluate(results, "Windows with the error of the prediction")
        return
    found = source.read(forms.ExamplesOf).examples[:_MAX_WINDOWS]
    figures = [_window(i, example) for i, example in enumerate(found)]
    yield from figures[:_OPEN]
    if figures[_OPEN:]:
        yield Fold(f"More windows, one a dataset ({len(figures) - _OPEN})", figures[_OPEN:])


def _window(i: int, found: forms.Example) -> Figure:
    label = f"Window of {name(found.dataset)}"
    return Figure(
        window(f"window-{i}", found.dense, found.hidden, found.error, label=label),
        f"{name(found.dataset)}, window {clean(found.window_uid, 24) or i}",
        "Above: the 16 features over the 96 slots of the day, brighter is higher (0 to 1); the "
        "frame is what was hidden. Below: the error of the prediction at each hidden slot.",
    )


def _map(results: Results) -> Iterator[Block]:
    source = results.first
    if source is None or not source.has("map"):
        return
    found = source.read(forms.MapOf).points
    if not len(found.x) == len(found.y) == len(found.dataset):
        raise Wrong(f"{source.file}: map.x, map.y and map.dataset differ in length")
    names, of = found.names[:_MAX_NAMES], found.dataset
    if left := len(found.names) - len(names):
        names, of = [*names, f"{left} other datasets"], [min(i, _MAX_NAMES) for i in of]
    shares = [f" ({percent(s)} of the spread)" for s in found.explained[:2]] + ["", ""]
    axes = f"first direction{shares[0]}", f"second direction{shares[1]}"
    yield Figure(
        plane("map", found.x, found.y, of, names, axes, label="Map of the embeddings"),
        "The embeddings in the plane",
        "A point a window, in the two directions of the largest spread; the numbers stand at the "
        "middle of each dataset. Datasets apart are told apart; it says nothing of use.",
    )


PARTS = (_windows, _map)
