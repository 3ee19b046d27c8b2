"""The slots of the windows of a problem, as an encoder or the raw window shows them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from jepa_ray.evaluate.probes.problem import Float32, Index, Problem, seeded
from jepa_ray.model import ScheduleJEPA

_CHUNK = 512


@dataclass(frozen=True, eq=False)
class Slots:
    """A vector for each slot of each window; equal windows are held once.

    Attributes:
        values: float32 (u, 96, width); 0 where a slot is hidden.
        seen: bool (u, 96).
        place: int64 (n,), where each of n windows lies in `values`.
    """

    values: Float32
    seen: NDArray[np.bool_]
    place: Index

    def pooled(self, pooling: Literal["mean", "mean_std"]) -> Float32:
        """Mean over the slots that are seen: float32 (n, width); or (n, 2 width) with deviation."""
        seen = self.seen[:, :, None]
        count = np.maximum(seen.sum(axis=1), 1)
        found: Float32 = self.values.sum(axis=1) / count.astype(np.float32)
        if pooling == "mean_std":
            apart = np.square(self.values - found[:, None]).sum(axis=1, where=seen)
            found = np.concatenate([found, np.sqrt(apart / count, dtype=np.float32)], axis=1)
        return found[self.place]

    def reduced(self, problem: Problem, width: int, seed: int) -> Float32:
        """Each slot by its first principal components, side by side: float32 (n, 96 x width).

        Components are those of the slots that are seen of training windows; a hidden slot is 0.
        """
        mine = np.unique(self.place[problem.train])
        fitted = self.values[mine][self.seen[mine]]
        width = min(width, *fitted.shape)
        if not np.ptp(fitted, axis=0).any():  # all alike: there is no direction
            return np.zeros((len(self.place), 1), np.float32)
        state = int(seeded(seed, 12).integers(2**31))
        pca = PCA(width, svd_solver="covariance_eigh", random_state=state).fit(fitted)
        found = np.zeros((*self.seen.shape, width), np.float32)
        found[self.seen] = pca.transform(self.values[self.seen])
        return found.reshape(len(found), -1)[self.place]

    def moved(self, place: Index) -> "Slots":
        """Of other windows: those at `place` of the n."""
        return Slots(self.values, self.seen, self.place[place])


def encoded(model: ScheduleJEPA, problem: Problem) -> Slots:
    """The tokens of what is seen of each window.

    Whole windows are encoded by the target encoder, as the product does it; parts of them by the
    context encoder, over the slots that are seen.
    """
    first, place = _distinct(problem)
    values: Float32 = np.zeros((len(first), problem.x.shape[1], model.config.d_model), np.float32)
    seen = _seen(problem)[first]
    for slots, mine in _patterns(seen):
        for start in range(0, len(mine), _CHUNK):
            part = mine[start : start + _CHUNK]
            x = torch.from_numpy(problem.x[first[part]])
            tokens = _tokens(model, x, None if problem.hidden is None else slots)
            values[part[:, None], slots] = tokens.numpy()
    return Slots(values, seen, place)


def raw_slots(problem: Problem) -> Slots:
    """The stored features of each slot and its two positions."""
    first, place = _distinct(problem)
    seen = _seen(problem)[first]
    return Slots(problem.x[first] * seen[:, :, None], seen, place)


def _distinct(problem: Problem) -> tuple[Index, Index]:
    """The first of the windows that are equal in what is seen, and which of these each is."""
    rows = problem.x.reshape(len(problem.x), -1)
    if problem.hidden is not None:
        rows = np.concatenate([rows, problem.hidden.astype(np.float32)], axis=1)
    rows = np.ascontiguousarray(rows)
    whole = rows.view([("", np.void, rows.dtype.itemsize * rows.shape[1])]).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return first, place


def _seen(problem: Problem) -> NDArray[np.bool_]:
    if problem.hidden is None:
        return np.ones(problem.x.shape[:2], np.bool_)
    return ~problem.hidden


def _patterns(seen: NDArray[np.bool_]) -> list[tuple[Index, Index]]:
    """Slots that are seen, and the rows of the windows of which just these are."""
    known, of_row = np.unique(seen, axis=0, return_inverse=True)
    of_row = of_row.ravel()
    return [
        (np.flatnonzero(each), np.flatnonzero(of_row == place)) for place, each in enumerate(known)
    ]


@torch.inference_mode()
def _tokens(model: ScheduleJEPA, x: torch.Tensor, slots: Index | None) -> torch.Tensor:
    if slots is None:
        return model.embed_slots(x)
    visible = torch.from_numpy(slots).expand(len(x), -1)
    tokens: torch.Tensor = model.context_encoder(x, visible)
    return tokens.float()
