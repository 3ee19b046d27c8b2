"""What a dataset's turn does to the others, and what becomes of each by the end."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Figure, Fold, Table, Text
from jepa_ray.report.heat import matrix
from jepa_ray.report.measured import of_spread
from jepa_ray.report.results import Results, Wrong
from jepa_ray.report.sections import commands
from jepa_ray.report.text import estimate, name

_MOVING = (
    "A loss is against the target encoder of its time, which moves on with every step: losses fall "
    "and rise with it, whether a dataset is trained on or not, so over legs they do not compare "
    "absolutely."
)
_MAX_PASSES = 12
_MAX_NAMES = 40


def _legs(results: Results) -> Iterator[Block]:
    if not results.is_run:
        yield commands.confirm(results, "The effect of the order of the datasets")
        return
    found = {key: source.read(forms.Legs).legs for key, source in results.passes.items()}
    known = {key: legs for key, legs in found.items() if legs}
    if not known:
        yield Text(
            "The combined training mixes all datasets in every batch (mixing: interleaved), so "
            "there is no order to study; mixing: sequential trains them one after another."
        )
        return
    for key, legs in known.items():
        if not any(value > 0 for leg in legs for value in leg.losses.values()):
            raise Wrong(f"{results.passes[key].file}: the legs of {key} hold no loss above 0")
    figures = [_figure(key, legs) for key, legs in list(known.items())[:_MAX_PASSES]]
    yield figures[0]
    if figures[1:]:
        yield Fold(f"The other passes ({len(figures) - 1})", figures[1:])


def _figure(key: str, legs: list[forms.Leg]) -> Figure:
    order = list(dict.fromkeys(leg.dataset for leg in legs if leg.dataset is not None))
    others = {n for leg in legs for n in leg.losses} - set(order)
    columns = [n for n in order if any(n in leg.losses for leg in legs)] + sorted(others)
    columns = columns[:_MAX_NAMES]
    legs = legs[: _MAX_NAMES + 1]
    rows = ["untrained" if leg.dataset is None else f"after {leg.dataset}" for leg in legs]
    values = [[leg.losses.get(n) for n in columns] for leg in legs]
    return Figure(
        matrix(f"legs-{name(key)}", rows, columns, values, label=f"Losses after each leg, {key}"),
        f"{name(key)}: loss on every dataset (across) after each leg (down)",
        f"Read a column from top to bottom: dark is a low loss. {_MOVING}",
    )


def _forgetting(results: Results) -> Iterator[Block]:
    if results.confirmation is None:
        return
    found = results.confirmation.read(forms.Forgetting).forgetting
    if not found:
        return
    yield Table(
        "Loss on a dataset right after its own leg, at the end, and by how much it rose between "
        "them, and its skill at both; means over the passes with 95 % intervals; the rise is that "
        f"of the passes in which the dataset did not come last. {_MOVING} Skill is in shares of "
        "the target's variance.",
        ("dataset", "loss after its leg", "at the end", "rise", "reading", "skill after its leg",
         "at the end"),
        [_row(key, each) for key, each in found.items()],
        words=frozenset({0, 4}),
    )  # fmt: skip


def _row(key: str, f: forms.Forgotten) -> tuple[str, ...]:
    rise = of_spread(f.forgetting, "forgetting")
    said = _said(rise.low, rise.high) if f.forgetting else "came last in every pass"
    losses = [estimate(of_spread(each, "loss")) for each in (f.learned, f.final)]
    skills = [estimate(of_spread(each, "skill")) for each in (f.learned_skill, f.final_skill)]
    return (name(key), *losses, estimate(rise), said, *skills)


def _said(low: float | None, high: float | None) -> str:
    if low is None or high is None or low == high:
        return "too few passes to tell"
    if low > 0:
        return "rose"
    return "fell" if high < 0 else "no difference shown"


PARTS = (_legs, _forgetting)
