"""A task's result in plain words; it says so where ours does not win."""

from collections.abc import Mapping
from typing import Any

from jepa_ray.evaluate.probes.problem import Task

NAMES = {
    "prior": "the prior",
    "raw_linear": "the raw window in a linear model",
    "raw_trees": "the raw window in boosted trees",
    "pca64": "PCA-64 of the raw window",
    "random64": "a random projection of the raw window",
    "untrained": "the untrained encoder",
    "wrong_window": "the embedding of another window",
}
AGAIN = {
    "knn": "By nearest neighbours",
    "attentive": "By attention over the slots",
    "per_slot": "With all slots side by side",
}
METRICS = {
    "roc_auc": "ROC AUC",
    "macro_f1": "macro F1",
    "r2": "R2",
    "brier": "Brier score",
    "top1": "top-1 accuracy",
}
_ALPHA = 0.05


def sentence(task: Task, entry: Mapping[str, Any]) -> str:
    """What came of a task.

    Args:
        task: What was asked.
        entry: Its entry of probes.json, with `differences` and `added_value`.
    """
    ours = entry["arms"]["ours"]
    low, high = ours["interval"]
    head = (
        f"Our embeddings reach {METRICS[task.metric]} {ours['score']:.3f} [{low:.3f}, {high:.3f}]"
    )
    if task.is_risk:
        return f"{head}. {_risk(entry)}"
    parted: dict[str, list[str]] = {"worse": [], "even": [], "better": []}
    for arm, name in NAMES.items():
        difference = entry["differences"].get(arm)
        if difference is not None:
            parted[_side(difference)].append(_said(name, difference))
    told = [f"{head}."]
    for side, words in (
        ("worse", "Better than ours"),
        ("even", "Not told apart from ours (above 0: ours ahead)"),
        ("better", "Worse than ours"),
    ):
        if parted[side]:
            told.append(f"{words}: {', '.join(parted[side])}.")
    told += [_added(entry["added_value"])]
    told += [_again(task, words, entry.get(key) or {}) for key, words in AGAIN.items()]
    return " ".join(part for part in told if part)


def _side(difference: Mapping[str, Any]) -> str:
    p = difference["p_holm"]
    if p is None or p >= _ALPHA or difference["difference"] == 0:
        return "even"
    return "better" if difference["difference"] > 0 else "worse"


def _said(name: str, difference: Mapping[str, Any]) -> str:
    """A rival and by how much it differs from ours; with a sign where it is not told apart."""
    if _side(difference) == "even":
        low, high = difference["interval"]
        return f"{name} {difference['difference']:+.3f} [{low:.3f}, {high:.3f}]"
    size = abs(difference["difference"])
    ends = sorted(difference["interval"], reverse=difference["difference"] < 0)
    sign = -1 if difference["difference"] < 0 else 1
    return f"{name} by {size:.3f} [{sign * ends[0]:.3f}, {sign * ends[1]:.3f}]"


def _added(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return ""
    low, high = value["interval"]
    said = f"{value['difference']:+.3f} [{low:.3f}, {high:.3f}]"
    words = {
        "better": "Added to the raw window in boosted trees they help",
        "even": "Added to the raw window in boosted trees they add nothing that can be told",
        "worse": "Added to the raw window in boosted trees they harm",
    }
    return f"{words[_side(value)]}: {said}."


def _again(task: Task, readout: str, scores: Mapping[str, Any]) -> str:
    """How another readout sees it; told, not judged."""
    others = [arm for arm in scores if arm in NAMES]
    if not others:
        return ""
    sign = 1 if task.higher_is_better else -1
    best = max(others, key=lambda arm: sign * scores[arm]["score"])
    low, high = scores["ours"]["interval"]
    rival = "the raw window" if best == "raw_linear" else NAMES[best]
    return (
        f"{readout} (told, not judged) ours reach {scores['ours']['score']:.3f} "
        f"[{low:.3f}, {high:.3f}], {rival} {scores[best]['score']:.3f}."
    )


def _risk(entry: Mapping[str, Any]) -> str:
    chance, untrained = (entry["arms"][arm]["score"] for arm in ("prior", "untrained"))
    return (
        f"That is a risk, not a merit: guessing gives {chance:.3f}, the untrained encoder "
        f"{untrained:.3f}. Embeddings of days are personal data where this is above chance."
    )
