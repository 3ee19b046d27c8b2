"""From outcomes to a result: intervals, paired differences, Holm over tasks, plain sentences.

Differences are taken on the same resamples of actors or projects. Over several checkpoints (the
passes of a confirmation run) scores are averaged, and what the seed moves is added to each
resample: s / sqrt(n) times a value of Student's t with n - 1 degrees of freedom, for the standard
deviation s of the quantity over n passes. To draw from so few passes again would make intervals far
too narrow. Two passes tell no p and no win. The two-sided p is twice the smaller share of resamples
on either side of 0, one resample added to both.

Source: Holm 1979; Davison and Hinkley 1997, section 4.4; Fisher 1935 (sum of two t).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from jepa_ray.config import ProbeConfig
from jepa_ray.evaluate.intervals import percentile_interval
from jepa_ray.evaluate.probes.arms import OURS, again
from jepa_ray.evaluate.probes.outcome import Outcome
from jepa_ray.evaluate.probes.problem import seeded
from jepa_ray.evaluate.probes.sentences import AGAIN, NAMES, sentence

ALPHA = 0.05
FEWEST_PASSES = 3
"""Fewer passes of a run say nothing of what another seed would give."""
RIVALS = ("untrained", "pca64", "raw_linear")
"""Whom ours has to beat, all three, for a win."""

_ADDED = ("ours_raw_trees", "raw_trees")
Draws = NDArray[np.float64]


def results(
    outcomes: Mapping[str, Sequence[Outcome]], config: ProbeConfig, checkpoints: int = 1
) -> dict[str, Any]:
    """The entries of `tasks` in probes.json.

    Args:
        outcomes: By task, one for each checkpoint that can carry it.
        config: Of the probes.
        checkpoints: How many were probed. Of one, p is about that checkpoint.
    """
    found = {name: _entry(each, config, checkpoints) for name, each in outcomes.items()}
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
    p = difference["p_holm"]
    return bool(difference["difference"] > 0 and p is not None and p < ALPHA)


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


def _entry(each: Sequence[Outcome], config: ProbeConfig, checkpoints: int) -> dict[str, Any]:
    task = each[0].task
    draws = {arm: _over_clusters(o.draws[arm] for o in each) for arm in each[0].draws}
    scores = {arm: np.array([o.scores[arm] for o in each]) for arm in draws}
    moved = _moved_by_seed(len(each), config)
    told = len(each) >= FEWEST_PASSES or len(each) == checkpoints == 1
    sign = 1 if task.higher_is_better else -1

    def against(one: str, other: str) -> dict[str, Any]:
        apart = sign * (scores[one] - scores[other])
        drawn = sign * (draws[one] - draws[other]) + _deviation(apart) * moved
        return {
            "difference": float(apart.mean()),
            "interval": list(percentile_interval(drawn)),
            "p": two_sided(drawn) if told else None,
        }

    def alone(arm: str) -> dict[str, Any]:
        drawn = draws[arm] + _deviation(scores[arm]) * moved
        least = -np.inf if task.metric == "r2" else 0.0
        return {
            "score": float(scores[arm].mean()),
            "interval": list(percentile_interval(np.clip(drawn, least, 1.0))),
        }

    arms = [arm for arm in draws if ":" not in arm]
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
        "arms": {arm: alone(arm) for arm in arms},
        **{readout: _named(readout, draws, alone) for readout in AGAIN},
        "differences": {arm: against(OURS, arm) for arm in rivals},
        "added_value": against(*_ADDED) if _ADDED[0] in draws else None,
    }


def _named(
    readout: str, draws: Iterable[str], alone: Callable[[str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The scores of another readout, by arm."""
    head = again(readout, "")
    return {arm.removeprefix(head): alone(arm) for arm in draws if arm.startswith(head)}


def _over_clusters(draws: Iterable[Draws]) -> Draws:
    """The mean over checkpoints, on each resample of clusters."""
    found: Draws = np.stack(list(draws)).mean(axis=0)
    return found


def _moved_by_seed(count: int, config: ProbeConfig) -> Draws:
    """Student's t of `count` seeds, divided by sqrt(count): (draws,), in a random order."""
    if count == 1:
        return np.zeros(config.draws)
    places = (seeded(config.seed, 11).permutation(config.draws) + 0.5) / config.draws
    found: Draws = stats.t.ppf(places, count - 1) / count**0.5
    return found


def _deviation(values: Draws) -> float:
    """Sample standard deviation over passes; 0.0 of one."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _adjust(differences: Sequence[dict[str, Any]]) -> None:
    told = [each for each in differences if each["p"] is not None]
    for difference, p in zip(told, holm([d["p"] for d in told]), strict=True):
        difference["p_holm"] = p
    for difference in differences:
        difference.setdefault("p_holm", None)


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
