"""One sentence that says what the numbers mean. A low loss alone is never called learning.

Gates, each against the untrained encoder of the same seed (docs/evaluation.md has the reasons):

- undecided: the scored windows are all alike (or one), even to the untrained encoder.
- collapsed: it fails a gate of `model/collapse.py`.
- not_learned: the loss is not below the untrained model's.
- no_skill: the predictions are no better than one constant per slot; over several datasets: within
  none of them (such a model tells datasets apart, and nothing else).
- untouched: linear CKA with the untrained encoder above 0.98: training changed the predictor, the
  embeddings say what they said before.
- learned: none of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jepa_ray.model import Monitors
from jepa_ray.model.collapse import collapse_reasons

UNTOUCHED_CKA = 0.98


@dataclass(frozen=True)
class Verdict:
    """What an evaluation comes to.

    Attributes:
        status: undecided, collapsed, not_learned, no_skill, untouched or learned.
        sentence: The verdict line; begins with the status in words.
    """

    status: str
    sentence: str


def judge(
    trained: Monitors, untrained: Monitors, cka: float, within: Mapping[str, float]
) -> Verdict:
    """Judge a trained model against a fresh one of the same seed.

    Args:
        trained: Its numbers on held-out windows.
        untrained: The fresh model's, on the same windows and masks.
        cka: Linear CKA between the embeddings of the two.
        within: Skill within each dataset.
    """
    skilled = sum(skill > 0 for skill in within.values())
    reduction = 1 - trained.loss / untrained.loss
    inside = f" (above 0 within {skilled} of {len(within)} datasets)" if len(within) > 1 else ""
    facts = _facts(trained, untrained, cka, inside)
    if not untrained.slot_std:
        return Verdict("undecided", f"undecided: all scored windows are alike; {facts}")
    collapsed = collapse_reasons(trained, untrained)
    if collapsed:
        but = "the loss is lower, but " if reduction > 0 else ""
        return Verdict("collapsed", f"collapsed: {but}{'; '.join(collapsed)}; {facts}")
    if not reduction > 0:  # a NaN is no success either
        return Verdict("not_learned", f"not learned: the loss did not fall; {facts}")
    if not trained.skill > 0 or (within and not skilled):
        where = "on the whole" if skilled or not within else "within every dataset"
        return Verdict(
            "no_skill",
            f"no skill: {where}, predictions are no better than one constant per slot; {facts}",
        )
    if cka > UNTOUCHED_CKA:
        return Verdict(
            "untouched",
            f"untouched: a lower loss, but the embeddings are those of the untrained encoder "
            f"(linear CKA {cka:.3f}): only the predictor learned; {facts}",
        )
    return Verdict("learned", f"learned: {facts}; probes say whether the embeddings are useful")


def _facts(trained: Monitors, untrained: Monitors, cka: float, inside: str) -> str:
    return (
        f"loss {trained.loss:.6f} against {untrained.loss:.4f} untrained "
        f"({trained.loss / untrained.loss - 1:+.2%}), skill {trained.skill:.3f}{inside}, "
        f"RankMe {trained.rankme:.1f} (untrained {untrained.rankme:.1f}), "
        f"CKA with the untrained embeddings {cka:.3f}"
    )
