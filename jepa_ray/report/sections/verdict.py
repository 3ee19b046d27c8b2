"""The verdict in plain words: a colour, what it means, what to do; then the key numbers."""

from collections.abc import Callable, Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Fact, Facts, Problem, Text, Verdict
from jepa_ray.report.measured import NOTHING, overall, where, whole
from jepa_ray.report.results import Results, Wrong
from jepa_ray.report.sections import commands
from jepa_ray.report.text import Estimate, clean, count, estimate, interval, number, percent

_SAID = {
    "collapsed": (
        "red",
        "Collapsed",
        "The loss fell, but the model gives nearly the same embedding for every window. The low "
        "loss is an artefact; these embeddings tell windows apart hardly at all.",
        "Do not use these embeddings. Train again with --preset robust, best on windows of an "
        "actor's day.",
    ),
    "not_learned": (
        "red",
        "Not learned",
        "The trained model predicts hidden parts of a day no better than a model that was never "
        "trained.",
        "Do not use it. Check the data and the settings (steps, learning rate), then train again.",
    ),
    "no_skill": (
        "red",
        "No skill",
        "The predictions are worth no more than one constant for each slot of the day. The loss is "
        "low because these windows hide little that could be predicted.",
        "Do not use it for prediction. Train on windows of an actor's day, which hide more.",
    ),
    "untouched": (
        "amber",
        "Unchanged",
        "The predictions improved, but the embeddings say what those of an untrained model say: "
        "only the predictor learned.",
        "Do not expect more of these embeddings than of an untrained encoder. Train longer, with "
        "--preset robust.",
    ),
    "undecided": (
        "amber",
        "Undecided",
        "The scored windows are all alike, or there is one: they cannot tell a good model from a "
        "bad one.",
        "Score it on more, and on more varied, held-out windows.",
    ),
}
_LEARNED = (
    "The model predicts hidden parts of a day better than simple rules, and its embeddings did not "
    "collapse."
)


def _light(results: Results) -> Iterator[Block]:
    found = whole(results)
    if found is None:
        yield Verdict(
            "grey",
            "Not judged yet",
            "The model was trained, but nobody has measured yet what it learned. A falling loss "
            "alone says little.",
            "Run the evaluation, then make this report again.",
            "",
        )
        yield commands.evaluate(results, "The verdict")
        return
    judged = found.read(forms.Judged)
    yield _verdict(results, judged)
    for warning in judged.warnings[:20]:
        yield Problem(f"Warning of the evaluation: {clean(warning)}")


def _verdict(results: Results, judged: forms.Judged) -> Verdict:
    if judged.status == "learned":
        light, word, meaning, advice = _learned(results)
    elif judged.status in _SAID:
        light, word, meaning, advice = _SAID[judged.status]
    else:
        light, word = "grey", clean(judged.status, 40)
        meaning, advice = "This version of the report does not know that status.", ""
    return Verdict(light, word, meaning, advice, clean(judged.verdict))


def _learned(results: Results) -> tuple[str, str, str, str]:
    """Learned is only the half: controls, probes and all passes decide on the colour."""
    failed = _count(lambda: controls(results))
    won = _count(lambda: wins(results))
    if failed is not None and failed[0] < failed[1]:
        return (
            "amber",
            "Learned, with a doubt",
            f"{_LEARNED} But {failed[1] - failed[0]} of {failed[1]} negative controls failed: "
            "something scores well that should not.",
            "Look at the controls below before you rely on the numbers.",
        )
    if not results.finished:
        done, all_ = len(results.passes), results.expected
        return (
            "amber",
            "Promising, not confirmed",
            f"{_LEARNED} So far {done} of {all_} passes are finished.",
            "Let the run finish.",
        )
    if won is None:
        return (
            "amber",
            "Learned, use not tested",
            f"{_LEARNED} Whether its embeddings help with a task was not tested.",
            "Run the probes before you rely on the embeddings.",
        )
    if not won[0]:
        return (
            "amber",
            "Learned, no use shown",
            f"{_LEARNED} But on none of {won[1]} tasks do its embeddings beat the simpler ways.",
            "Use the simpler ways for these tasks.",
        )
    return (
        "green",
        "Learned and useful",
        f"{_LEARNED} Its embeddings beat the simpler ways on {won[0]} of {won[1]} tasks.",
        "Use the embeddings for the tasks on which they win, and only there.",
    )


def _count(ask: Callable[[], tuple[int, int] | None]) -> tuple[int, int] | None:
    """What a part says; None where its file is wrong: its own section says so."""
    try:
        return ask()
    except Wrong:
        return None


def controls(results: Results) -> tuple[int, int] | None:
    """Negative controls that passed in every pass, of how many."""
    found = whole(results)
    if found is None or not found.has("controls"):
        return None
    said = found.read(forms.Controls).controls.values()
    good = sum(c.passed if isinstance(c.passed, bool) else c.passed >= _seeds(c) for c in said)
    return good, len(said)


def _seeds(control: forms.Control) -> int:
    return control.value.n if isinstance(control.value, forms.Spread) else 1


def wins(results: Results) -> tuple[int, int] | None:
    """Tasks that the embeddings win, of how many."""
    if results.probes is None:
        return None
    tasks = results.probes.read(forms.Probes).tasks.values()
    return (sum(task.wins for task in tasks), len(tasks)) if tasks else None


def _state(results: Results) -> Iterator[Block]:
    if not results.is_run:
        return
    done, all_ = len(results.passes), max(results.expected, len(results.passes))
    if not results.finished:
        yield Text(
            f"{done} of {all_} passes are finished; all numbers below are of those. The command "
            "`jepa-ray confirm` with the same settings goes on with the rest."
        )
    elif all_ > done:
        yield Text(f"{done} of {all_} passes stand in confirmation.json.")


def _numbers(results: Results) -> Iterator[Block]:
    if whole(results) is None:
        return
    found = overall(results)
    facts = [
        Fact("Loss on held-out windows", _value(found, "loss"), _ends(found, "loss"),
             f"untrained {estimate(found.get('untrained_loss'))}"),
        Fact("Skill", _value(found, "skill"), _ends(found, "skill"),
             "1 is perfect, 0 is a constant for each slot"),
        Fact("Loss reduced by", percent(found.get("reduction", NOTHING).value),
             _per_cent_ends(found.get("reduction", NOTHING)), "against the untrained model"),
        Fact("Directions used (RankMe)", _value(found, "rankme"), _ends(found, "rankme"),
             f"of 64; untrained {estimate(found.get('untrained_rankme'))}"),
        *_counted(results),
    ]  # fmt: skip
    yield Facts(facts)
    yield Text(where(results))


def _counted(results: Results) -> Iterator[Fact]:
    for label, ask, note in (
        ("Negative controls passed", controls, "things that must not score well"),
        ("Tasks won by the embeddings", wins, "against every simpler way"),
    ):
        said = _count(lambda ask=ask: ask(results))  # type: ignore[misc]
        if said is not None:
            yield Fact(label, f"{count(said[0])} of {count(said[1])}", "", note)


def _value(found: dict[str, Estimate], key: str) -> str:
    known = found.get(key, NOTHING)
    return estimate(known).partition(" [")[0] if known.has_interval else number(known.value)


def _ends(found: dict[str, Estimate], key: str) -> str:
    known = found.get(key, NOTHING)
    return interval(known) if known.has_interval else ""


def _per_cent_ends(found: Estimate) -> str:
    if not found.has_interval:
        return ""
    return f"[{percent(found.low)}, {percent(found.high)}]"


PARTS = (_light, _state, _numbers)
