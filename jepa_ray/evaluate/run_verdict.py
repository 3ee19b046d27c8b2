"""What the passes of a confirmation run come to together."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from jepa_ray.evaluate.intervals import Spread, spread

_ORDER = (
    "undecided", "collapsed", "not_learned", "no_skill", "untouched", "trivial", "learned",
)  # fmt: skip

Document = dict[str, Any]


def verdict(documents: list[Document]) -> tuple[str, str]:
    """What more than half of the passes come to; else what most come to that did not learn.

    Of two equally frequent statuses the one further from learning is taken.

    Returns:
        The status, and the sentence with the spread of loss and skill over the seeds.
    """
    counts = Counter(each["status"] for each in documents)
    most = _most(counts)
    skill: Spread = spread([each["trained"]["skill"] for each in documents])
    unsure = most == "learned" and not skill.low > 0 and skill.n > 1
    status = "no_skill" if unsure else most
    said = (_unsure if unsure else _SENTENCES[most])(counts[most], len(documents))
    others = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()) if name != most)
    return status, (
        f"{status.replace('_', ' ')}: {said}{f' (the others: {others})' if others else ''}; "
        f"{_numbers(documents, skill)}"
    )


def _most(counts: Counter[str]) -> str:
    if 2 * counts["learned"] > counts.total():
        return "learned"
    others = [status for status in counts if status != "learned"]
    return min(others, key=lambda each: (-counts[each], _ORDER.index(each)))


def _of(what: str) -> Callable[[int, int], str]:
    return lambda some, all_: f"in {some} of {all_} passes {what}"


_SENTENCES = {
    "undecided": _of("the windows or the controls decide nothing"),
    "collapsed": _of("the embeddings collapse"),
    "not_learned": _of("the loss does not fall"),
    "no_skill": _of(
        "predictions are not surely better than one constant per slot, tell datasets apart and "
        "little else, or need no right context"
    ),
    "untouched": _of("the embeddings are those of the untrained encoder"),
    "trivial": _of("a simple predictor does as well"),
    "learned": _of("predictions of hidden slots are better than a constant, copying and a readout"),
}


def _unsure(some: int, all_: int) -> str:
    return f"{some} of {all_} passes learned, but the skill over seeds is not surely above 0"


def _numbers(documents: list[Document], skill: Spread) -> str:
    loss = spread([each["trained"]["loss"] for each in documents])
    fresh = spread([each["untrained"]["loss"] for each in documents])
    rank = spread([each["trained"]["rankme"] for each in documents])
    fresh_rank = spread([each["untrained"]["rankme"] for each in documents])
    seeds = "seed" if skill.n == 1 else "seeds"
    return (
        f"over {skill.n} {seeds}: loss {loss.mean:.6f} against {fresh.mean:.4f} untrained, skill "
        f"{skill.mean:.3f} (95 % interval {skill.low:.3f} to {skill.high:.3f}), RankMe "
        f"{rank.mean:.1f} (untrained {fresh_rank.mean:.1f})"
    )
