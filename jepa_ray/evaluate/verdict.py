"""One sentence that says what the numbers mean. A low loss alone is never called learning.

Gates, each against the untrained encoder of the same seed (docs/evaluation.md has the reasons); the
first that applies is taken:

- undecided: the scored windows are all alike (or one), even to the untrained encoder; or the model
  finds skill in white noise, so its skill says nothing; or, after no_skill, they belong to so few
  actors that nothing says how sure the skill is.
- collapsed: it fails a gate of `model/collapse.py`.
- not_learned: the loss is not below the untrained model's.
- no_skill: the predictions are not surely better than one constant per slot, on the whole or within
  most datasets (such a model tells datasets apart, and little else), or as good with the context of
  another window.
- untouched: linear CKA with the untrained encoder above 0.98: training changed the predictor, the
  embeddings say what they said before.
- trivial: a simple predictor does as well.
- learned: none of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jepa_ray.evaluate.controls import Control
from jepa_ray.evaluate.intervals import Interval
from jepa_ray.model import Monitors
from jepa_ray.model.collapse import FEWEST_WINDOWS, collapse_reasons

UNTOUCHED_CKA = 0.98

SAID = {
    "slot_mean": "one constant per slot",
    "global_mean": "one constant",
    "nearest_visible": "copying the nearest visible slot",
    "ridge_context": "a linear readout of what is seen",
}
"""The baselines in words."""


@dataclass(frozen=True)
class Verdict:
    """What an evaluation comes to.

    Attributes:
        status: undecided, collapsed, not_learned, no_skill, untouched, trivial or learned.
        sentence: The verdict line; begins with the status in words.
    """

    status: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """How sure the numbers are, and what else was tried.

    Attributes:
        windows: How many were scored; None: enough.
        actors: To how many they belong, where these are too few for an interval.
        skill: Interval of the skill over all windows; None where it cannot be told.
        within: Of the skill within each dataset; None where the dataset cannot tell.
        baselines: By how much the loss of each exceeds the model's, as a share of it.
        controls: By name.
    """

    windows: int | None = None
    actors: int | None = None
    skill: Interval | None = None
    within: Mapping[str, Interval | None] = field(default_factory=dict)
    baselines: Mapping[str, Interval | None] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)

    def failed(self, name: str) -> bool:
        """Whether a control was tried and failed; one that cannot tell has not."""
        return name in self.controls and self.controls[name].passed is False

    @property
    def as_good(self) -> list[str]:
        """Baselines that are not surely worse than the model, in words."""
        return [SAID[k] for k, gap in self.baselines.items() if gap is not None and gap.low <= 0]


def judge(
    trained: Monitors,
    untrained: Monitors,
    cka: float,
    within: Mapping[str, float],
    evidence: Evidence | None = None,
) -> Verdict:
    """Judge a trained model against a fresh one of the same seed.

    Args:
        trained: Its numbers on held-out windows.
        untrained: The fresh model's, on the same windows and masks.
        cka: Linear CKA between the embeddings of the two.
        within: Skill within each dataset.
        evidence: Intervals, baselines and controls; None: the numbers are taken as sure.
    """
    evidence = evidence or Evidence()
    reduction = 1 - trained.loss / untrained.loss
    facts = _facts(trained, untrained, cka, evidence.skill)
    if not untrained.slot_std:
        return Verdict("undecided", f"undecided: all scored windows are alike; {facts}")
    collapsed = collapse_reasons(trained, untrained, evidence.windows or FEWEST_WINDOWS)
    if collapsed:
        but = "the loss is lower, but " if reduction > 0 else ""
        return Verdict("collapsed", f"collapsed: {but}{'; '.join(collapsed)}; {facts}")
    if not reduction > 0:  # a NaN is no success either
        return Verdict("not_learned", f"not learned: the loss did not fall; {facts}")
    if evidence.failed("white_noise"):
        why = "undecided: the model finds skill in white noise, so its skill proves nothing"
        return Verdict("undecided", f"{why}; {facts}")
    return _by_skill(trained, cka, evidence, _Inside.of(within, evidence), facts)


def _by_skill(
    trained: Monitors, cka: float, evidence: Evidence, inside: "_Inside", facts: str
) -> Verdict:
    why_not = _why_no_skill(trained, evidence, inside)
    if why_not:
        return Verdict("no_skill", f"no skill: {why_not}; {facts}")
    if evidence.actors is not None:
        few = "1 actor" if evidence.actors == 1 else f"{evidence.actors} actors"
        why = f"undecided: too few actors: the scored windows belong to {few}"
        return Verdict("undecided", f"{why}; {facts}")
    return _with_skill(cka, evidence, inside, facts)


def _with_skill(cka: float, evidence: Evidence, inside: "_Inside", facts: str) -> Verdict:
    if cka > UNTOUCHED_CKA:
        return Verdict(
            "untouched",
            f"untouched: a lower loss, but the embeddings are those of the untrained encoder "
            f"(linear CKA {cka:.3f}): only the predictor learned; {facts}",
        )
    if evidence.as_good:
        said = " and ".join(evidence.as_good)
        return Verdict("trivial", f"trivial: predictions are no better than {said}; {facts}")
    than = "than a constant, copying and a linear readout" if evidence.baselines else "than chance"
    order = (
        "; it does as well when slots change places" if evidence.failed("shuffled_slots") else ""
    )
    return Verdict(
        "learned",
        f"learned: predictions of hidden slots are better {than}{inside.told}{order}; {facts}; "
        "probes say whether the embeddings are useful",
    )


@dataclass(frozen=True)
class _Inside:
    """In how many datasets, of those that can tell, predictions beat the constant."""

    skilled: int
    datasets: int

    @classmethod
    def of(cls, within: Mapping[str, float], evidence: Evidence) -> "_Inside":
        sure = {name: evidence.within.get(name, Interval(s, s)) for name, s in within.items()}
        lows = [interval.low for interval in sure.values() if interval is not None]
        return cls(sum(low > 0 for low in lows), len(lows))

    @property
    def few(self) -> bool:
        return 2 * self.skilled <= self.datasets and self.datasets > 0

    @property
    def told(self) -> str:
        return f", in {self.skilled} of {self.datasets} datasets" if self.datasets > 1 else ""


def _why_no_skill(trained: Monitors, evidence: Evidence, inside: _Inside) -> str | None:
    """What speaks against skill, in words; None where nothing does."""
    worthless = "predictions are no better than one constant per slot"
    if not trained.skill > 0:
        return f"on the whole, {worthless}"
    if evidence.skill is not None and not evidence.skill.low > 0:
        low, high = evidence.skill
        return f"its skill is not surely above 0 ({low:.3f} to {high:.3f})"
    if inside.few:
        better = f"better in {inside.skilled} of {inside.datasets} datasets only"
        return (
            f"within every dataset, {worthless}"
            if not inside.skilled
            else (f"within most datasets, {worthless} ({better}): it tells datasets apart")
        )
    if evidence.failed("wrong_window"):
        return "the context of another window does as well"
    return None


def _facts(trained: Monitors, untrained: Monitors, cka: float, skill: Interval | None) -> str:
    sure = f" ({skill.low:.3f} to {skill.high:.3f})" if skill else ""
    return (
        f"loss {trained.loss:.6f} against {untrained.loss:.4f} untrained "
        f"({trained.loss / untrained.loss - 1:+.2%}), skill {trained.skill:.3f}{sure}, "
        f"RankMe {trained.rankme:.1f} (untrained {untrained.rankme:.1f}), "
        f"CKA with the untrained embeddings {cka:.3f}"
    )
