"""When embeddings have collapsed: gates that training and evaluation share.

Each is relative to the untrained encoder of the same seed: no universal threshold exists
(docs/evaluation.md has the reasons).

- per-slot std below 0.1 x untrained;
- cosine to the mean above 0.98 (where the untrained one is itself that high: the distance to 1
  below 0.1 x untrained);
- RankMe below max(3, 0.5 x untrained), and below the untrained one.

Embeddings without any spread are collapsed, unless the untrained encoder's have none either: then
the windows themselves are all alike, there is nothing to tell apart, and no gate says anything.
"""

from jepa_ray.model.monitors import Monitors

STD_SHARE = 0.1
COSINE_LIMIT = 0.98
COSINE_SHARE = 0.1
RANK_FLOOR = 3.0
RANK_SHARE = 0.5


def collapse_reasons(trained: Monitors, untrained: Monitors) -> list[str]:
    """Which collapse gates a model fails, in words; empty when it passes all, or cannot fail."""
    reasons: list[str] = []
    if not untrained.slot_std:
        return reasons  # what is left of the cosine is rounding
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
