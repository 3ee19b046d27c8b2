"""From outcomes to a result: intervals, paired differences, Holm over tasks, plain sentences.

Differences are taken on the same resamples of actors or projects. Over several checkpoints (the
passes of a confirmation run) scores are averaged, and the checkpoints are resampled as well. The
two-sided p is twice the smaller share of resamples on either side of 0, one resample added to both.

Source: Holm 1979; Davison and Hinkley 1997, section 4.4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.intervals import percentile_interval
from jepa_ray.evaluate.probes.arms import KNN, OURS
from jepa_ray.evaluate.probes.outcome import Outcome
from jepa_ray.evaluate.probes.problem import seeded
from jepa_ray.evaluate.probes.sentences import NAMES, sentence

ALPHA = 0.05
RIVALS = ("untrained", "pca64", "raw_linear")
"""Whom ours has to beat, all three, for a win."""

_ADDED = ("ours_raw_trees", "raw_trees")
Draws = NDArray[np.float64]


def results(outcomes: Mapping[str, Sequence[Outcome]], config: ProbeConfig) -> dict[str, Any]:
    """The entries of `tasks` in probes.json.

    Args:
        outcomes: By task, one for each checkpoint.
        config: Of the probes.
    """
    found = {name: _entry(each, config) for name, each in outcomes.items()}
    judged = {n: e for n, e in found.items() if not outcomes[n][0].task.is_risk}
    rivals = sorted({arm for entry in judged.values() for arm in entry["differences"]})
    for arm in rivals:
        _adjust([e["differences"][arm] for e in judged.values() if arm in e["differences"]])
    _adjust([e["added_value"] for e in judged.values() if e["added_value"]])
    for name, entry in found.items():
        task = outcomes[name][0].task
        if task.is_risk:
            _adjust_none(entry)
        entry["wins"] = not task.is_risk and all(
            arm in entry["differences"] and better(entry["differences"][arm]) for arm in RIVALS
        )
        entry["sentence"] = sentence(task, entry)
    return found


def better(difference: Mapping[str, Any]) -> bool:
    """Whether a difference is above 0, after Holm."""
    return bool(difference["difference"] > 0 and difference["p_holm"] < ALPHA)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of p values, in their order."""
    order = np.argsort(p, kind="stable")
    stepped = np.asarray(p, np.float64)[order] * np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return found.tolist()


def two_sided(draws: Draws) -> float:
    """The bootstrap's p of "no difference"; resamples without a score are left out."""
    known = draws[np.isfinite(draws)]
    tail = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return float(min(1.0, 2 * (tail + 1) / (len(known) + 1)))


def _entry(each: Sequence[Outcome], config: ProbeConfig) -> dict[str, Any]:
    task = each[0].task
    draws = _averaged(each, config)
    score = {arm: float(np.mean([o.scores[arm] for o in each])) for arm in draws}
    sign = 1 if task.higher_is_better else -1

    def against(one: str, other: str) -> dict[str, Any]:
        apart = sign * (draws[one] - draws[other])
        return {
            "difference": sign * (score[one] - score[other]),
            "interval": list(percentile_interval(apart)),
            "p": two_sided(apart),
        }

    by_arm = {
        arm: {"score": score[arm], "interval": list(percentile_interval(draws[arm]))}
        for arm in draws
    }
    arms = [arm for arm in draws if not arm.startswith(KNN)]
    rivals = [arm for arm in arms if arm not in (OURS, _ADDED[0])]
    return {
        "label": task.label,
        "input": task.sees,
        "metric": task.metric,
        "higher_is_better": task.higher_is_better,
        "train": round(np.mean([o.train for o in each])),
        "test": round(np.mean([o.test for o in each])),
        "groups": round(np.mean([o.groups for o in each])),
        "split": each[0].split,
        "arms": {arm: by_arm[arm] for arm in arms},
        "knn": {arm.removeprefix(KNN): by_arm[arm] for arm in draws if arm not in arms},
        "differences": {arm: against(OURS, arm) for arm in rivals},
        "added_value": against(*_ADDED) if _ADDED[0] in draws else None,
    }


def _averaged(each: Sequence[Outcome], config: ProbeConfig) -> dict[str, Draws]:
    """Scores on each resample of clusters and of checkpoints."""
    count = len(each)
    chosen = seeded(config.seed, 11).integers(count, size=(config.draws, count))
    if count == 1:
        return each[0].draws
    found = {}
    for arm in each[0].draws:
        stacked = np.stack([o.draws[arm] for o in each])  # (checkpoints, draws)
        found[arm] = stacked[chosen.T, np.arange(config.draws)].mean(axis=0)
    return found


def _adjust(differences: Sequence[dict[str, Any]]) -> None:
    for difference, p in zip(differences, holm([d["p"] for d in differences]), strict=True):
        difference["p_holm"] = p


def _adjust_none(entry: dict[str, Any]) -> None:
    """A risk is no hypothesis of ours: its p values stand by themselves."""
    for difference in entry["differences"].values():
        difference["p_holm"] = difference["p"]


def closing(found: Mapping[str, Mapping[str, Any]], risks: Sequence[str]) -> str:
    """The verdict over all tasks."""
    judged = [entry for name, entry in found.items() if name not in risks]
    if not judged:
        return "No task could be run on this corpus, so nothing is known about the embeddings."
    n = len(judged)
    counts = [
        f"{NAMES[arm]} on {sum(better(e['differences'][arm]) for e in judged)}" for arm in RIVALS
    ]
    added = sum(bool(e["added_value"]) and better(e["added_value"]) for e in judged)
    wins = sum(e["wins"] for e in judged)
    tasks = f"{n} task" if n == 1 else f"{n} tasks"
    return (
        f"Of {tasks}, our embeddings beat {', '.join(counts[:-1])} and {counts[-1]}; all three on "
        f"{wins}. Beside the raw window in boosted trees they add something on {added} "
        f"(p < {ALPHA} after Holm over tasks)."
    )
