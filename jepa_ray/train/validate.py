"""One validation: held-out loss, skill, spread of the embeddings and the probe `activity`.

Each encoder runs once a batch: all numbers come of the same pass.

The windows and masks are the same each time, so the numbers of a training compare with one another,
and those of step 0 are the untrained encoder's.
"""

import math
from collections.abc import Callable
from typing import Any

import torch

from jepa_ray.config import TrainConfig
from jepa_ray.errors import TrainingError
from jepa_ray.model import Monitors, Seen, SkillMeter, measure, run_over, watched
from jepa_ray.model.activity import ActivityProbe
from jepa_ray.model.collapse import collapse_reasons
from jepa_ray.model.objectives import Objective
from jepa_ray.train.data import Batches
from jepa_ray.train.finite import Uids, named

Row = dict[str, Any]


def validated(objective: Objective, held_out: Batches, kind: str, device: torch.device) -> Row:
    """The numbers of a validation.

    Args:
        objective: In training; its mode is restored.
        held_out: Windows and masks.
        kind: Of the objective. Only `jepa` predicts embeddings: for the others the loss is what
            they minimise, and there is no skill.
        device: Of the objective.

    Returns:
        `val_loss`, `skill` (None for `mae` and `supervised`), `slot_std`, `rankme`,
        `cosine_to_mean`, `activity`.
    """
    probe, own = ActivityProbe(), _OwnLoss(objective)

    def watch(seen: Seen) -> None:
        probe.update(seen.context, seen.x, seen.hidden)

    watches = [watch] if kind == "jepa" else [watch, own]
    found = measure(objective.model, held_out, *watches, device=device).monitors.as_dict()
    loss, skill = found.pop("loss"), found.pop("skill")
    predicts = kind == "jepa"
    return {
        "val_loss": loss if predicts else own.mean(),
        "skill": skill if predicts else None,
        **found,
        "activity": probe.score(),
    }


def losses(
    objective: Objective, held_out: Batches, kind: str, device: torch.device
) -> tuple[float, float | None]:
    """Only `val_loss` and `skill` of `validated`, in less time."""
    meter, own = SkillMeter(), _OwnLoss(objective)
    predicts = kind == "jepa"
    run_over(objective.model, held_out, watched(meter) if predicts else own, device=device)
    return (meter.loss, meter.skill) if predicts else (own.mean(), None)


class _OwnLoss:
    """Mean over windows of what the objective minimises, without its regulariser.

    Never by `Objective.forward`: a regulariser is a collective, and we are rank 0 only.
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._sum, self._count = 0.0, 0

    def __call__(self, seen: Seen) -> None:
        loss = self._objective.prediction(seen.predictions, seen.x, seen.hidden)
        self._sum += len(seen.x) * float(loss)
        self._count += len(seen.x)

    def mean(self) -> float:
        return self._sum / self._count


def require_finite_row(
    numbers: dict[str, Any], step: int, uids: Uids, before: Callable[[], str]
) -> None:
    """Refuse a validation that is not finite.

    Args:
        numbers: Its numbers.
        step: After which it was made.
        uids: Of that step's windows on this rank.
        before: Says which state is the last good one.

    Raises:
        TrainingError: It is not; the message names the step, its windows and the state before it.
    """
    wrong = [k for k, v in numbers.items() if isinstance(v, float) and not math.isfinite(v)]
    if wrong:
        what = "held-out loss" if "val_loss" in wrong else wrong[0]
        raise TrainingError(
            f"the {what} is not finite at step {step}; lower lr, or look for damaged windows with "
            f"`jepa-ray inspect`; {before()}{named(uids)}"
        )


def collapsing(row: dict[str, Any], untrained: dict[str, Any], config: TrainConfig) -> str | None:
    """What the collapse guard says of a validation.

    Args:
        row: Its numbers.
        untrained: Those of step 0.
        config: Of the training: what to try depends on it.

    Returns:
        One sentence: what was seen and what to try. None where no gate is failed.
    """
    reasons = collapse_reasons(_monitors(row), _monitors(untrained))
    if not reasons:
        return None
    tries = []
    if config.preset != "robust":
        tries.append("--preset robust")
    if config.objective.regulariser == "none":
        tries.append("objective.regulariser=vicreg")
    else:
        tries.append(f"a larger objective.weight than {config.objective.weight:g}")
    if config.batch_size < 256:
        tries.append("batch_size=256 or more")
    return (
        f"step {row['step']}: the embeddings collapse: {'; '.join(reasons)}; try "
        f"{', '.join(tries)} (docs/training.md)"
    )


def _monitors(row: dict[str, Any]) -> Monitors:
    return Monitors(
        loss=row["val_loss"],
        skill=row["skill"] or 0.0,
        slot_std=row["slot_std"],
        rankme=row["rankme"],
        cosine_to_mean=row["cosine_to_mean"],
    )
