"""When embeddings have collapsed: gates that training and evaluation share.

Each is relative to the untrained encoder of the same seed: no universal threshold exists
(docs/evaluation.md has the reasons).

- per-slot std below 0.1 x untrained;
- cosine to the mean: its distance to 1 below 0.02, or below 0.5 x untrained where that is less
  (where the untrained one is below 0.02 itself: below 0.1 x untrained);
- RankMe below 3, or below 0.8 x untrained where that is less; and below 0.5 x untrained always.

Every limit lies well below the untrained value, so rounding decides nothing. RankMe of n windows is
n - 1 at the most: of four or fewer it is not judged.

Embeddings without any spread are collapsed, unless the untrained encoder's have none either: then
the windows themselves are all alike, there is nothing to tell apart, and no gate says anything.
"""

from jepa_ray.model.monitors import Monitors

STD_SHARE = 0.1
COSINE_DISTANCE = 0.02
COSINE_MARGIN = 0.5
COSINE_SHARE = 0.1
RANK_FLOOR = 3.0
RANK_MARGIN = 0.8
RANK_SHARE = 0.5
FEWEST_WINDOWS = 5
"""With fewer, RankMe has no room to fall in."""


def collapse_reasons(
    trained: Monitors, untrained: Monitors, windows: int = FEWEST_WINDOWS
) -> list[str]:
    """Which collapse gates a model fails, in words; empty when it passes all, or cannot fail.

    Args:
        trained: Its numbers.
        untrained: Those of a fresh model of its seed, on the same windows.
        windows: How many these are, where it is known.
    """
    reasons: list[str] = []
    if not untrained.slot_std:
        return reasons  # what is left of the cosine is rounding
    if trained.slot_std < STD_SHARE * untrained.slot_std:
        reasons.append(
            f"the embeddings' per-slot std {trained.slot_std:.2g} is under {STD_SHARE} x untrained "
            f"{untrained.slot_std:.2g}"
        )
    away, limit = 1 - trained.cosine_to_mean, cosine_distance(1 - untrained.cosine_to_mean)
    if max(away, 0.0) < limit:  # rounding can put a cosine above 1
        reasons.append(
            f"the embeddings' cosine to their mean is {away:.2g} from 1, under {limit:.2g}"
        )
    floor = rank_floor(untrained.rankme)
    if windows >= FEWEST_WINDOWS and trained.rankme < floor:
        reasons.append(f"the embeddings' RankMe {trained.rankme:.1f} is under {floor:.1f}")
    return reasons


def cosine_distance(untrained: float) -> float:
    """The least distance to 1 of a cosine to the mean, by that of the untrained encoder."""
    if untrained < COSINE_DISTANCE:
        return COSINE_SHARE * untrained
    return min(COSINE_DISTANCE, COSINE_MARGIN * untrained)


def rank_floor(untrained: float) -> float:
    """The least RankMe, by that of the untrained encoder."""
    return max(min(RANK_FLOOR, RANK_MARGIN * untrained), RANK_SHARE * untrained)
