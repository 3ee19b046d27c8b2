"""The verdict in plain words: a colour, what it means, what to do; then the key numbers."""

from collections.abc import Callable, Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Fact, Facts, Problem, Text, Verdict
from jepa_ray.report.measured import NOTHING, loss, overall, where, whole, width, with_key
from jepa_ray.report.results import Results, Wrong
from jepa_ray.report.sections import commands, words
from jepa_ray.report.sections.beyond import baseline, judged_controls
from jepa_ray.report.sections.probes import RISKS
from jepa_ray.report.text import Estimate, clean, count, estimate, interval, number, percent

_MAX_WARNINGS = 20
Counted = tuple[int, int] | None
"""So many of so many; None where it was not asked or cannot be read."""


def _light(results: Results) -> Iterator[Block]:
    found = whole(results)
    if found is None and results.is_run and not results.passes:
        yield Verdict(*words.NOTHING_YET, "")
        return
    if found is None:
        yield Verdict(*words.NOT_JUDGED, "")
        yield commands.evaluate(results, "The verdict")
        return
    judged = found.read(forms.Judged)
    yield Verdict(*_said(results, judged.status), clean(judged.verdict))
    for warning in judged.warnings[:_MAX_WARNINGS]:
        yield Problem(f"Warning of the evaluation: {clean(warning)}")


def _said(results: Results, status: str) -> words.Said:
    if status == "learned":
        return _learned(results)
    unknown = "This version of the report does not know that status."
    return words.BY_STATUS.get(status) or words.Said("grey", clean(status, 40), unknown, "")


def _learned(results: Results) -> words.Said:
    """Learned is only the half: controls, baselines, all passes and probes decide on the colour."""
    passed, won = counted(lambda: controls(results)), counted(lambda: wins(results))
    learned = counted(lambda: passes_that_learned(results))
    if learned is not None and learned[0] < learned[1]:
        return words.in_some_passes(*learned)
    if passed is not None and passed[0] < passed[1]:
        return words.control_failed(passed[1] - passed[0], passed[1])
    if not results.finished:
        return words.unfinished(len(results.passes), results.expected)
    better = _better_rule(results)
    if better is not None:
        return words.beaten(better)
    if won is None:
        return words.use_not_tested()
    return words.useful(*won) if won[0] else words.no_use(won[1])


def _better_rule(results: Results) -> str | None:
    """The simple rule whose loss is lowest, where it is below the model's."""
    source = with_key(results, "baselines")
    try:
        parts = source.read(forms.Baselines).baselines if source else {}
    except Wrong:
        return None
    losses = {key: v for key, p in parts.items() if (v := loss(p).value) is not None}
    best = min(losses, key=lambda key: losses[key], default="model")
    return None if best == "model" or "model" not in losses else baseline(best)


def counted(ask: Callable[[], Counted]) -> Counted:
    """What a part says; None where its file is wrong: its own section says so."""
    try:
        return ask()
    except Wrong:
        return None


def controls(results: Results) -> Counted:
    """Negative controls that passed in every pass, of how many that are judged."""
    found = [c for c in judged_controls(results) if c.good is not None]
    return (sum(bool(c.good) for c in found), len(found)) if found else None


def passes_that_learned(results: Results) -> Counted:
    """Passes whose own status is `learned`, of those that were evaluated."""
    if not results.is_run:
        return None
    found = [each.read(forms.Judged).status for each in results.checkpoints.values()]
    return found.count("learned"), len(found)


def wins(results: Results) -> Counted:
    """Tasks that the embeddings win, of how many."""
    if results.probes is None:
        return None
    found = results.probes.read(forms.Probes).tasks
    tasks = [task for key, task in found.items() if key not in RISKS]
    return (sum(task.wins for task in tasks), len(tasks)) if tasks else None


def _state(results: Results) -> Iterator[Block]:
    if not results.is_run:
        return
    done, all_ = len(results.passes), max(results.expected, len(results.passes))
    if not results.finished:
        yield Text(
            f"{done} of {all_} passes are finished; all numbers below are of those. The same "
            "jepa-ray confirm again goes on with the rest."
        )
    elif all_ > done:
        yield Text(f"{done} of {all_} passes stand in confirmation.json.")


def _numbers(results: Results) -> Iterator[Block]:
    if whole(results) is None:
        return
    found = overall(results)
    reduction = found.get("reduction", NOTHING)
    untrained = estimate(found.get("untrained_loss"))
    directions = f"untrained {estimate(found.get('untrained_rankme'))}"
    numbers = width(results)
    if numbers:
        directions = f"of {numbers}; {directions}"
    ends = f"[{percent(reduction.low)}, {percent(reduction.high)}]"
    yield Facts(
        [
            _fact(found, "loss", "Loss on held-out windows", f"untrained {untrained}"),
            _fact(found, "skill", "Skill", "1 is perfect, 0 is a constant for each slot"),
            Fact(
                "Loss reduced by",
                percent(reduction.value),
                ends if reduction.has_interval else "",
                "against the untrained model",
            ),
            _fact(found, "rankme", "Directions used (RankMe)", directions),
            *_counts(results),
        ]
    )
    yield Text(where(results))


def _counts(results: Results) -> Iterator[Fact]:
    passed, won = counted(lambda: controls(results)), counted(lambda: wins(results))
    for label, said, note in (
        ("Negative controls passed", passed, "the model on data made to deceive it"),
        ("Tasks won by the embeddings", won, "against untrained, PCA-64 and linear"),
    ):
        if said is not None:
            yield Fact(label, f"{count(said[0])} of {count(said[1])}", "", note)


def _fact(found: dict[str, Estimate], key: str, label: str, note: str) -> Fact:
    known = found.get(key, NOTHING)
    if not known.has_interval:
        return Fact(label, number(known.value), "", note)
    return Fact(label, estimate(known).partition(" [")[0], interval(known), note)


PARTS = (_light, _state, _numbers)
