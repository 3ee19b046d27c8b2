"""One sentence that says what the numbers mean. A low loss alone is never called learning.

Gates, each against the untrained encoder of the same seed (docs/evaluation.md has the reasons):

- undecided: the scored windows are all alike (or one), even to the untrained encoder.
- collapsed: per-slot std below 0.1 x untrained; or cosine to the mean above 0.98 (where the
  untrained one is itself that high: the distance to 1 below 0.1 x untrained); or RankMe below
  max(3, 0.5 x untrained), and below the untrained one.
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

STD_SHARE = 0.1
COSINE_LIMIT = 0.98
COSINE_SHARE = 0.1
RANK_FLOOR = 3.0
RANK_SHARE = 0.5
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
    several = len(within) > 1
    inside = f" (above 0 within {skilled} of {len(within)} datasets)" if several else ""
    facts = (
        f"loss {trained.loss:.6f} against {untrained.loss:.4f} untrained ({-reduction:+.2%}), "
        f"skill {trained.skill:.3f}{inside}, "
        f"RankMe {trained.rankme:.1f} (untrained {untrained.rankme:.1f}), "
        f"CKA with the untrained embeddings {cka:.3f}"
    )
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


def collapse_reasons(trained: Monitors, untrained: Monitors) -> list[str]:
    """Which collapse gates a model fails, in words; empty when it passes all."""
    reasons = []
    if trained.slot_std < STD_SHARE * untrained.slot_std:
        reasons.append(
            f"the embeddings' per-slot std {trained.slot_std:.2g} is under {STD_SHARE} x untrained "
            f"{untrained.slot_std:.2g}"
        )
    limit = COSINE_LIMIT
    if untrained.cosine_to_mean > limit:
        limit = 1 - COSINE_SHARE * (1 - untrained.cosine_to_mean)
    if min(trained.cosine_to_mean, 1.0) > limit:  # rounding can put it above 1
        reasons.append(
            f"the embeddings' cosine to their mean is {1 - trained.cosine_to_mean:.2g} from 1, "
            f"under {1 - limit:.2g}"
        )
    floor = min(max(RANK_FLOOR, RANK_SHARE * untrained.rankme), untrained.rankme)
    if trained.rankme < floor:
        reasons.append(f"the embeddings' RankMe {trained.rankme:.1f} is under {floor:.1f}")
    return reasons
