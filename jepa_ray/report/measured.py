"""Numbers with their intervals, from one checkpoint or from all passes of a run, read alike.

Of a run the interval is over seeds (t), of one checkpoint over windows (bootstrap).
"""

from collections.abc import Sequence

from jepa_ray.report import forms
from jepa_ray.report.results import Results, Source, Wrong
from jepa_ray.report.spreads import FEWEST, interval
from jepa_ray.report.text import Estimate, clean

NOTHING = Estimate(None)
MONITORS = ("loss", "skill", "slot_std", "rankme", "cosine_to_mean")


def of_spread(found: forms.Spread | None, number: str) -> Estimate:
    """A number over seeds, by its name in the result files; few seeds have no interval."""
    if found is None:
        return NOTHING
    ends = interval(number, found.low, found.high, found.n)
    return Estimate(found.mean, *ends) if ends else Estimate(found.mean)


def of_value(
    value: float | forms.Spread | None, ends: forms.Ends = None, *, number: str = ""
) -> Estimate:
    """A number that has its interval beside it, or is a spread."""
    if isinstance(value, forms.Spread):
        return of_spread(value, number)
    return Estimate(value, *ends) if ends and value is not None else Estimate(value)


def loss(part: forms.Part) -> Estimate:
    """Loss of a part of the windows."""
    return of_value(part.loss, part.loss_interval, number="loss")


def skill(part: forms.Part) -> Estimate:
    """Skill on a part of the windows."""
    return of_value(part.skill, part.skill_interval, number="skill")


def whole(results: Results) -> Source | None:
    """The evaluation that speaks for all: of the run, else of the first checkpoint."""
    return results.evaluation or results.first


def with_key(results: Results, key: str) -> Source | None:
    """The evaluation that has a key: of the run, else of the first checkpoint."""
    for found in (results.evaluation, results.first):
        if found is not None and found.has(key):
            return found
    return None


def overall(results: Results) -> dict[str, Estimate]:
    """Trained (`loss`, `skill`, ...) and untrained (`untrained_loss`, ...); {} where not evaluated.

    Of a run only what is over its seeds: a number of one pass has no place beside those.

    Raises:
        Wrong: The evaluation is not of its form.
    """
    if results.evaluation is not None:
        run = results.evaluation.read(forms.SpreadOf)
        return {name: of_spread(spread, name) for name, spread in run.spread.items()}
    return {} if results.first is None else _of_one(results.first.read(forms.Compared))


def _of_one(found: forms.Compared) -> dict[str, Estimate]:
    numbers = {
        prefix + name: of_value(getattr(monitors, name), found.intervals.get(prefix + name))
        for prefix, monitors in (("", found.trained), ("untrained_", found.untrained))
        for name in MONITORS
    }
    numbers["reduction"] = of_value(found.reduction, found.intervals.get("reduction"))
    numbers["cka_with_untrained"] = Estimate(found.cka_with_untrained)
    return numbers


def where(results: Results) -> str:
    """What the interval of an evaluated number is over, as a sentence."""
    if results.evaluation is not None:
        said = "Intervals: 95 %, over the seeds of the passes (t), cut to what is possible"
        return f"{said}; none below {FEWEST} passes."
    if results.is_run:
        return f"Numbers of {_pass(results)} alone; intervals: 95 %, over windows (bootstrap)."
    return "Intervals: 95 %, over windows (bootstrap)."


def of_first(results: Results) -> str:
    """What to add where numbers are those of one checkpoint."""
    return f", {_pass(results).removeprefix('the ')}" if results.is_run else ""


def _pass(results: Results) -> str:
    """The pass whose checkpoint stands for all, in words: not always the run's first."""
    name = next(iter(results.checkpoints), "")
    return "the first pass" if name in ("", "pass01") else clean(name, 40)


def width(results: Results) -> int | None:
    """How many numbers an embedding has; None where no evaluation tells."""
    source = results.first
    if source is None or not source.has("spectrum"):
        return None
    try:
        return len(source.read(forms.SpectrumOf).spectrum.trained)
    except Wrong:
        return None


def of_width(results: Results) -> str:
    """` of 64`, as RankMe is; nothing where it is not known."""
    found = width(results)
    return f" of {found}" if found else ""


def best_first(names: Sequence[str], first: str) -> list[str]:
    """Names, one of them before all others."""
    return [n for n in names if n == first] + [n for n in names if n != first]
