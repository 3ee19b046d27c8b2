"""The slots of the windows of a problem, as an encoder or the raw window shows them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from jepa_ray.evaluate.probes.problem import Float32, Index, Problem
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

    def centre(self, rows: Index) -> Float32:
        """Mean of each slot where it is seen, over the windows of these rows: (96, width).

        Most of what tokens have in common is their position: all slots have another mean.
        """
        weights = self._weights(rows)
        total = np.einsum("us,usd->sd", weights, self.values, dtype=np.float64)
        found: Float32 = (total / np.maximum(weights.sum(axis=0), 1)[:, None]).astype(np.float32)
        return found

    def deviations(self, centre: Float32, rows: Index) -> tuple[Float32, Float32]:
        """Of tokens from the centre of their slot, and of their means over what is seen: (width,).

        Over the windows of these rows.
        """
        weights, apart, pooled = self._weights(rows), 0.0, 0.0
        count = np.maximum(self.seen.sum(axis=1), 1)
        for u in np.flatnonzero(weights.any(axis=1)):
            off = (self.values[u] - centre)[self.seen[u]].astype(np.float64)
            times = weights[u].max()
            apart = apart + times * np.square(off).sum(axis=0)
            pooled = pooled + times * np.square(off.sum(axis=0) / count[u])
        total = max(float(weights.sum()), 1.0)
        found = np.sqrt(np.stack([apart / total, pooled / max(len(rows), 1)]))
        return found[0].astype(np.float32), found[1].astype(np.float32)

    def reduced(self, rows: Index, width: int) -> Float32:
        """Each slot by its first principal components, side by side: float32 (n, 96 x width).

        Components are those of the slots that are seen of the windows of these rows, less the mean
        of the slot; a hidden slot is 0.
        """
        centre, mine = self.centre(rows), self.place[rows]
        fitted = self.values[mine] - centre
        if not self.seen.all():
            fitted = fitted[self.seen[mine]]
        fitted = fitted.reshape(-1, self.values.shape[2])
        width = min(width, *fitted.shape)
        if not np.ptp(fitted, axis=0).any():  # all alike: there is no direction
            return np.zeros((len(self.place), 1), np.float32)
        pca = PCA(width, svd_solver="covariance_eigh").fit(fitted)
        found = np.zeros((*self.seen.shape, width), np.float32)
        for start in range(0, len(found), _CHUNK):
            part = slice(start, start + _CHUNK)
            seen = self.seen[part]
            found[part][seen] = pca.transform((self.values[part] - centre)[seen])
        return found.reshape(len(found), -1)[self.place]

    def _weights(self, rows: Index) -> NDArray[np.float64]:
        """How often each slot of `values` is seen in the windows of these rows: (u, 96)."""
        times = np.bincount(self.place[rows], minlength=len(self.values))
        return np.asarray(self.seen * times[:, None], np.float64)

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
    seen = problem.seen[first]
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
    seen = problem.seen[first]
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
