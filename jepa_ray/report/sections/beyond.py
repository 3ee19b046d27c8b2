"""What the loss does not tell: skill in parts, baselines, collapse, spectra, negative controls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Figure, Table, Text
from jepa_ray.report.charts import Dot, by_distance, dots, spectrum
from jepa_ray.report.measured import loss, of_first, of_value, skill, where, whole, width, with_key
from jepa_ray.report.results import Results
from jepa_ray.report.sections import commands
from jepa_ray.report.sections.sample import sample
from jepa_ray.report.text import NONE, clean, count, estimate, name, number

SKILL_FLOOR = -2.0
_MAX_ROWS = 60
_ARROW = "An arrow at the left edge: far below 0, the number stands at the right."
_BASELINES = {
    "model": "this model",
    "global_mean": "one constant",
    "slot_mean": "one constant a slot",
    "nearest_visible": "copy of the nearest visible slot",
    "ridge_context": "linear from the visible slots",
}
_MASKS = {
    "span": "one span",
    "blocks": "several blocks",
    "future": "the rest of the day",
    "random": "single slots",
}
_CONTROLS = {
    "white_noise": "white noise",
    "shuffled_slots": "shuffled slots",
    "constant_day": "constant day",
    "wrong_window": "wrong window",
}


def baseline(key: str) -> str:
    """What a simple prediction is called."""
    return _BASELINES.get(key, name(key))


def _nothing(results: Results) -> Iterator[Block]:
    if whole(results) is None:
        yield commands.evaluate(
            results, "Skill in parts, baselines, collapse, spectra and negative controls"
        )


def _by_dataset(results: Results) -> Iterator[Block]:
    found = with_key(results, "datasets")
    if found is None:
        return
    parts = found.read(forms.ByDataset).datasets
    if len(parts) > 0:
        yield Text(
            "Skill is 1 - loss / loss of the best constant for each slot: 1 is perfect, 0 or less "
            f"is worth no more than that constant. {where(results)}"
        )
        yield _skills("skill-dataset", "dataset", parts, "Skill within each dataset")


def _by_mask(results: Results) -> Iterator[Block]:
    found = with_key(results, "by_mask")
    if found is not None:
        parts = found.read(forms.ByMask).by_mask
        named = {_MASKS.get(key, key): part for key, part in parts.items()}
        yield _skills("skill-mask", "way of hiding", named, "Skill by what is hidden")


def _skills(key: str, what: str, parts: Mapping[str, forms.Part], title: str) -> Figure:
    rows = [Dot(name(k), skill(part)) for k, part in list(parts.items())[:_MAX_ROWS]]
    low = any((row.found.value or 0) < SKILL_FLOOR for row in rows)
    return Figure(
        dots(key, rows, what="skill", label=title, zero=0, floor=SKILL_FLOOR),
        title,
        f"A row a {what}; dot: skill, bar: its 95 % interval; right of the dashed line is better "
        f"than a constant.{' ' + _ARROW if low else ''}",
    )


def _by_distance(results: Results) -> Iterator[Block]:
    found = with_key(results, "by_distance")
    if found is None:
        return
    parts = found.read(forms.ByDistance).by_distance
    names = [f"{p.first}" if p.first == p.last else f"{p.first}{NONE}{p.last}" for p in parts]
    yield Figure(
        by_distance("skill-distance", names, [skill(p) for p in parts], label="Skill by distance"),
        "Skill by distance to the nearest visible slot",
        "Far from what is visible copying a neighbour does not help: skill that stays above 0 at "
        "the right does not come from copying. Bars: 95 % intervals.",
    )


def _baselines(results: Results) -> Iterator[Block]:
    found = with_key(results, "baselines")
    if found is None:
        return
    parts = found.read(forms.Baselines).baselines
    rows = [
        Dot(baseline(key), loss(part), strong=key == "model")
        for key, part in list(parts.items())[:_MAX_ROWS]
    ]
    yield Figure(
        dots("baselines", rows, what="loss (lower is better)", label="Baselines", log=True),
        "Against simple predictions of the same target",
        "The model is worth its name only where its dot lies left of all others, with bars apart.",
    )


def _collapse(results: Results) -> Iterator[Block]:
    source = with_key(results, "collapse") or results.first
    if source is None or not source.has("collapse"):
        return
    found = source.read(forms.CollapseOf).collapse
    yield Table(
        f"Collapse at four levels{of_first(results)}: trained beside untrained. Much less spread, "
        "or far fewer directions, than the untrained encoder has is collapse at that level.",
        ("level", "what", "trained", "untrained"),
        list(_levels(found, width(results))),
        words=frozenset({0, 1}),
    )


def _levels(found: forms.Collapse, width: int | None) -> Iterator[tuple[str, ...]]:
    ours, theirs = found.trained, found.untrained
    most = f" to {width}" if width else " or more"
    for level, what, key in (
        ("all windows", f"effective rank (RankMe, 1{most})", "rankme"),
        ("all windows", f"participation ratio (1{most})", "participation_ratio"),
        ("all windows", "cosine to the mean (1: all alike)", "cosine_to_mean"),
    ):
        yield level, what, number(ours.overall.get(key)), number(theirs.overall.get(key))
    for what, key in (
        ("spread over windows (0: none)", "std"),
        ("share that follows from the position alone", "positional_share"),
    ):
        yield "a slot", what, number(ours.slot.get(key)), number(theirs.slot.get(key))
    yield (
        "a dimension",
        f"dead dimensions{f' of {width}' if width else ''}",
        _dead(ours),
        _dead(theirs),
    )
    for what, key in (
        ("share of the spread that lies between actors", "ratio"),
        ("the same by chance, where actors are all alike", "chance"),
        ("actors", "actors"),
    ):
        pair = [number((side.actor or {}).get(key)) for side in (ours, theirs)]
        yield "an actor", what, *pair


def _dead(levels: forms.Levels) -> str:
    found = levels.dimension.get("dead")
    return count(found) if isinstance(found, int | float) else count(None)


def _spectrum(results: Results) -> Iterator[Block]:
    source = results.first
    if source is None or not source.has("spectrum"):
        return
    found = source.read(forms.SpectrumOf).spectrum
    lines = {"trained": found.trained, "untrained": found.untrained}
    yield Figure(
        spectrum("spectrum", lines, label="Spectrum of the embeddings"),
        f"How many directions the embeddings use{of_first(results)}",
        "Singular values of the centred embeddings; a curve that falls steeply uses few "
        "directions, one below that of the untrained encoder uses fewer than chance gives.",
    )


@dataclass(frozen=True)
class Judged:
    """A negative control and what came of it.

    Attributes:
        key: Its name.
        found: Its numbers.
        expected: What a sound model does.
        sentence: What was seen.
        judged: Passes of a run that could tell; None: one checkpoint.
        good: Whether it passed, in every pass that could tell; None where it is not judged.
    """

    key: str
    found: forms.Control
    expected: str
    sentence: str
    judged: int | None
    good: bool | None

    @property
    def outcome(self) -> str:
        """In words."""
        if self.good is None:
            return "not judged"
        if self.judged is not None:
            return f"{self.found.passed} of {self.judged} passes"
        return "passed" if self.good else "failed"


def judged_controls(results: Results) -> list[Judged]:
    """The negative controls; a run's own carry no sentence, those of its passes do.

    Raises:
        Wrong: They are not of their form.
    """
    source = with_key(results, "controls")
    if source is None:
        return []
    found = source.read(forms.Controls).controls
    one = _of_a_pass(results)
    return [_judged(k, c, one.get(k, c)) for k, c in list(found.items())[:_MAX_ROWS]]


def _of_a_pass(results: Results) -> dict[str, forms.Control]:
    """Each control of the first pass that can tell, else of the first."""
    found: dict[str, forms.Control] = {}
    for source in results.checkpoints.values():
        if source.has("controls"):
            for key, control in source.read(forms.Controls).controls.items():
                if key not in found or (found[key].passed is None and control.passed is not None):
                    found[key] = control
    return found


def _judged(key: str, found: forms.Control, one: forms.Control) -> Judged:
    expected = clean(found.expected or one.expected or "", 80)
    sentence = clean(found.sentence or one.sentence or "", 240)
    judged = found.judged
    if judged is None and isinstance(found.value, forms.Spread):
        judged = found.value.n
    nobody = found.passed is None or judged == 0 or "not judged" in expected
    good = None if nobody else int(found.passed or 0) >= (1 if judged is None else judged)
    return Judged(key, found, expected, sentence, judged, good)


def _controls(results: Results) -> Iterator[Block]:
    found = judged_controls(results)
    if not found:
        return
    rows = [
        (
            _CONTROLS.get(c.key, name(c.key)),
            c.sentence,
            c.expected,
            estimate(of_value(c.found.value, c.found.interval)),
            c.outcome,
        )
        for c in found
    ]
    tones = {None: "", True: "good", False: "bad"}
    yield Table(
        "Negative controls: the model on data made to deceive it. One that fails means that a good "
        "score above may be an artefact.",
        ("control", "what was seen", "expected", "value", "outcome"),
        rows,
        words=frozenset({0, 1, 2, 4}),
        tones={(i, 4): tones[c.good] for i, c in enumerate(found)},
    )


def _fixed_targets(results: Results) -> Iterator[Block]:
    source = results.first
    if source is not None and source.has("referee"):
        found = source.read(forms.Referees).referee
        names = {"pca64": "PCA-64 of the slots", "frozen_random": "a frozen random encoder"}
        yield Table(
            f"Fixed targets{of_first(results)}: normalised loss of the best linear readout. "
            "Unlike the training loss it can be compared over runs and recipes; lower is better, "
            "1 is a constant.",
            ("target", "trained", "untrained"),
            [
                (names.get(key, name(key)), number(p.trained), number(p.untrained))
                for key, p in found.items()
            ],
        )


PARTS = (
    _nothing, _by_dataset, _by_mask, _by_distance, _baselines, _collapse, _spectrum, _fixed_targets,
    sample, _controls,
)  # fmt: skip
