# SPDX-License-Identifier: Apache-2.0
"""Posture shifts and fidgets while sitting, from settled epochs.

A *shift* is a change of trunk angle, forward or sideways, of at least 5 deg that stays: two epochs
before and two epochs after, with at most one of movement between, lie apart by it. A *fidget* is a
single epoch that leaves by at least 2 SD of the last five minutes of sitting (1 deg at least) and
is back in the next. Definitions in the spirit of Davidson and Callaghan 2025, whose own sensor rule
differs: counts are compared with the wearer's own, never with theirs.

Exercise is told afterwards, so a shift inside a set that is recognised later is taken back by
whoever counts on the finished table (`tracker.trends.motion`).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, Epochs, State

SHIFT_DEG = 5.0
FIDGET_SD = 2.0
FIDGET_LEAST_DEG = 1.0  # below it the sensor's own noise would be counted
RECENT = 60  # excursions (five minutes) that say how restless this sitting is
FEWEST = 12
KEEP = 5  # epochs that a later answer still needs
_SD_OF_MAD = 1.4826  # of a normal distribution


class ShiftKind(StrEnum):
    """A change that stays, or one that is back at once."""

    SHIFT = "shift"
    FIDGET = "fidget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`at_ns` is the start of the first epoch in the new pose, or of the excursion."""

    at_ns: int
    kind: ShiftKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShiftState:
    """The newest epochs, how many of them were decided, and the latest excursions in degrees."""

    start_ns: NDArray[np.int64]
    sits: NDArray[np.bool_]
    tenths: NDArray[np.float64]  # (2, n) forward and side angle in 0.1 deg
    decided: int
    recent: NDArray[np.float64]


def start_shifts() -> ShiftState:
    """Nothing seen."""
    return ShiftState(
        start_ns=np.empty(0, np.int64),
        sits=np.empty(0, np.bool_),
        tenths=np.empty((2, 0)),
        decided=0,
        recent=np.empty(0),
    )


def advance_shifts(
    state: ShiftState, epochs: Epochs, *, flush: bool
) -> tuple[ShiftState, tuple[Shift, ...]]:
    """Take settled epochs; return shifts and fidgets, each once. `flush` ends a stretch."""
    if not len(epochs):
        return (start_shifts() if flush else state), ()
    start_ns = np.concatenate([state.start_ns, epochs.start_ns])
    seated = (epochs.state == State.SITTING) | (epochs.state == State.SLOUCHING)
    sits = np.concatenate([state.sits, seated])
    tenths = np.concatenate([state.tenths, tenths_of(epochs)], axis=1)
    touch = touching(start_ns, sits)
    n = start_ns.shape[0]
    moved = np.flatnonzero(shift_hits(touch, tenths)[state.decided : n - 1]) + state.decided
    flicked, recent = _fidgets(touch, tenths[0] / 10, state.decided, state.recent)
    found = [Shift(at_ns=int(start_ns[i]), kind=ShiftKind.SHIFT) for i in moved.tolist()]
    found += [Shift(at_ns=int(start_ns[i]), kind=ShiftKind.FIDGET) for i in flicked.tolist()]
    keep = max(0, n - KEEP)
    state = ShiftState(
        start_ns=start_ns[keep:],
        sits=sits[keep:],
        tenths=tenths[:, keep:],
        decided=max(0, n - 1 - keep),
        recent=recent,
    )
    return state, tuple(sorted(found, key=lambda s: (s.at_ns, s.kind)))


def tenths_of(epochs: Epochs) -> NDArray[np.float64]:
    """Forward and side angle (2, n) in whole tenths of a degree: exact, whatever the zero is."""
    return np.rint(np.stack([epochs.tilt_deg, epochs.side_deg]).astype(np.float64) * 10)


def touching(start_ns: NDArray[np.int64], sits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether an epoch and the one before are both seated and touch; the first does not."""
    out = np.zeros(start_ns.shape[0], np.bool_)
    out[1:] = sits[1:] & sits[:-1] & (np.diff(start_ns) == EPOCH_NS)
    return out


def shift_hits(
    touch: NDArray[np.bool_], tenths: NDArray[np.float64], shift_deg: float = SHIFT_DEG
) -> NDArray[np.bool_]:
    """Which epochs (n,) are the first in a new pose; one needs three before it and one after."""
    n = touch.shape[0]
    hit = np.zeros(n, np.bool_)
    for lag in (1, 2):  # none or one epoch of movement between
        need = lag + 1
        if n < need + 2:
            continue
        fits = touch[need + 1 :].copy()
        for k in range(1, need + 1):
            fits &= touch[k : n - need - 1 + k]
        for x in tenths:
            first, second = x[: n - need - 1], x[1 : n - need]
            third, fourth = x[need : n - 1], x[need + 1 :]
            with np.errstate(invalid="ignore"):  # an unknown angle is no shift
                up = np.minimum(third, fourth) - np.maximum(first, second)
                down = np.minimum(first, second) - np.maximum(third, fourth)
                hit[need : n - 1] |= fits & (np.maximum(up, down) >= 10 * shift_deg)
    hit[1:] &= ~hit[:-1].copy()
    return hit


def _fidgets(
    touch: NDArray[np.bool_],
    x: NDArray[np.float64],
    decided: int,
    recent: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Places of fidgets from `decided` on, and the excursions to remember."""
    n = x.shape[0]
    inside = np.zeros(n, np.bool_)
    away, back = np.zeros(n), np.zeros(n)
    if n >= 3:
        away[1:-1] = x[1:-1] - (x[:-2] + x[2:]) / 2
        back[1:-1] = np.abs(x[2:] - x[:-2])
        inside[1:-1] = touch[1:-1] & touch[2:] & ~np.isnan(away[1:-1])
    inside[:decided] = False
    at = np.flatnonzero(inside)
    if not at.size:
        return at, recent
    seen = np.concatenate([np.full(RECENT - recent.shape[0], np.nan), recent, away[at]])
    windows = sliding_window_view(seen, RECENT)[: at.size]  # what came before each
    known = np.isfinite(windows).sum(axis=1)
    spread = np.full(at.size, np.inf)
    enough = known >= FEWEST
    if enough.any():
        few = windows[enough]
        middle = _median(few, known[enough])
        spread[enough] = _SD_OF_MAD * _median(np.abs(few - middle[:, None]), known[enough])
    least = np.maximum(FIDGET_SD * spread, FIDGET_LEAST_DEG)
    size = np.abs(away[at])
    latest = seen[-RECENT:]
    return at[(size >= least) & (back[at] < size)], latest[np.isfinite(latest)]


def _median(values: NDArray[np.float64], known: NDArray[np.intp]) -> NDArray[np.float64]:
    """Lower median (k,) of the finite values of each row (k, RECENT)."""
    ranked = np.sort(values, axis=1)  # not a number sorts last
    return np.asarray(ranked[np.arange(values.shape[0]), (known - 1) // 2])
