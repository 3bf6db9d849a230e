# SPDX-License-Identifier: Apache-2.0
"""Regression with AR(1) errors by quasi-differencing; the engine of all one-person statistics.

y_t = X_t b + e_t with e_t = phi e_(t-1) + u_t. Taking phi^g times the last observed row (g units
earlier) from each row leaves errors that are independent of everything before; a gap widens them,
so the row weighs (1 - phi^2) / (1 - phi^(2g)). phi minimises the sum of squares on a fixed grid
(Hildreth and Lu 1960). Exposures that depend on *past* ratings therefore do no harm: this is why
it survives "massage when it hurts", where regression in levels does not.

There is on purpose no estimator that subtracts ratings before an event from ratings after it
(day of the massage against the days that follow): people book a massage at a peak, peaks pass by
themselves, and such a difference claims relief for a useless massage in most diaries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

PHI_GRID = np.round(np.arange(0.0, 0.96, 0.05), 2)
SE_INFLATION = 1.15  # small-sample correction, from simulation (docs/nof1.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One coefficient: points, standard error (inflated), 95 % interval."""

    beta: float
    se: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class QuasiFit:
    """Estimates by column name (`None` where the data hold no contrast), phi, pairs used."""

    estimates: dict[str, Estimate | None]
    phi: float
    pairs: int
    dof: int


def quasi_fit(
    y: NDArray[np.float64],
    columns: dict[str, NDArray[np.float64]],
    *,
    phi_grid: NDArray[np.float64] = PHI_GRID,
    inflation: float = SE_INFLATION,
) -> QuasiFit | None:
    """Fit y on the columns plus an intercept; NaN anywhere in a row makes it unobserved.

    y is (n,) with one entry per unit of time; each column is (n,). None when the observed pairs
    do not leave at least one degree of freedom.
    """
    names = list(columns)
    full = np.column_stack([np.ones(y.size), *columns.values()])
    seen = np.flatnonzero(~np.isnan(y) & ~np.isnan(full).any(axis=1))
    kept = _independent(full[seen])
    design, rating = full[seen][:, kept], y[seen]
    dof = seen.size - 1 - len(kept)
    if dof < 1 or len(kept) < 2:
        return None
    gap = np.diff(seen).astype(np.float64)
    power = phi_grid[:, None] ** gap  # (phis, pairs)
    weight = np.sqrt((1 - phi_grid[:, None] ** 2) / (1 - power**2))
    yq = weight * (rating[1:] - power * rating[:-1])
    xq = weight[:, :, None] * (design[1:] - power[:, :, None] * design[:-1])
    gram = np.einsum("kij,kil->kjl", xq, xq)
    moment = np.einsum("kij,ki->kj", xq, yq)
    beta = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
    sse = ((yq - np.einsum("kij,kj->ki", xq, beta)) ** 2).sum(axis=1)
    best = int(sse.argmin())
    cov = sse[best] / dof * np.linalg.inv(gram[best])
    se = inflation * np.sqrt(np.maximum(np.diag(cov), 0))
    t = float(stdtrit(dof, 0.975))
    estimates: dict[str, Estimate | None] = dict.fromkeys(names)
    for place, column in enumerate(kept):
        if column > 0:
            b, s = float(beta[best, place]), float(se[place])
            estimates[names[column - 1]] = Estimate(beta=b, se=s, low=b - t * s, high=b + t * s)
    return QuasiFit(estimates=estimates, phi=float(phi_grid[best]), pairs=gap.size, dof=dof)


def _independent(design: NDArray[np.float64]) -> list[int]:
    """Columns that add rank, first come first kept: a column without contrast is not estimated."""
    kept: list[int] = []
    basis = np.empty((design.shape[0], 0))
    for column in range(design.shape[1]):
        x = design[:, column]
        rest = x - basis @ (basis.T @ x)
        norm = float(np.linalg.norm(rest))
        if norm > 1e-8 * max(1.0, float(np.linalg.norm(x))):
            kept.append(column)
            basis = np.column_stack([basis, rest / norm])
    return kept
