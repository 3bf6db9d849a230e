# SPDX-License-Identifier: Apache-2.0
"""Posture changes while sitting: shifts, fidgets, motionless spells, and slouch events.

All work on 5-s epochs. A *shift* is a change of trunk angle (forward or sideways) of at least
5 deg that stays at least 10 s: two epochs before and two epochs after, with at most one epoch of
movement between, lie apart by 5 deg. A *fidget* is a single epoch that leaves and returns within
10 s by at least 2 SD. Both definitions are ours; the field study's own sensor rule differs
(SITFIELD2024), so the counts are compared with the wearer's own baseline, never with a norm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, EPOCH_S, SECOND_NS, Epochs, State
from tracker.signal.slouch import SlouchParams


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionParams:
    """Angles in degrees. What slouching is stands in `tracker.signal.slouch` alone."""

    shift_deg: float = 5.0  # T_POSTURE_SHIFT
    fidget_sd: float = 2.0
    fidget_floor_deg: float = 1.0  # below it the sensor's own noise would be counted


DEFAULT = MotionParams()
SLOUCH = SlouchParams()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end_ns - self.start_ns) / SECOND_NS


def seated(epochs: Epochs) -> NDArray[np.bool_]:
    """Epochs that are sitting or slouching."""
    return np.asarray((epochs.state == State.SITTING) | (epochs.state == State.SLOUCHING))


def _joined(epochs: Epochs, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether epoch i and the one before both hold and touch (index 0 is False)."""
    out = np.zeros(len(epochs), bool)
    out[1:] = mask[1:] & mask[:-1] & (np.diff(epochs.start_ns) == EPOCH_NS)
    return out


def _level_change(x: NDArray[np.float64], lag: int, least: float) -> NDArray[np.bool_]:
    """Whether x[i], x[i+1] lie `least` beyond both of x[i-lag-1], x[i-lag] (NaN: no)."""
    n, need = x.size, lag + 1
    out = np.zeros(n, bool)
    if n < need + 2:
        return out
    before_a, before_b = x[: n - need - 1], x[1 : n - need]
    after_a, after_b = x[need : n - 1], x[need + 1 :]
    with np.errstate(invalid="ignore"):
        up = np.minimum(after_a, after_b) - np.maximum(before_a, before_b) >= least
        down = np.minimum(before_a, before_b) - np.maximum(after_a, after_b) >= least
    out[need : n - 1] = up | down
    return out


def shift_epochs(epochs: Epochs, params: MotionParams = DEFAULT) -> NDArray[np.intp]:
    """Indices of the first epoch after each posture shift while sitting."""
    n = len(epochs)
    touch = _joined(epochs, seated(epochs))
    hit = np.zeros(n, bool)
    # two epochs before, none or one between, two after: 4 or 5 seated epochs that touch
    for lag in (1, 2):
        fits = np.zeros(n, bool)
        need = lag + 1
        if n >= need + 2:
            ok = touch[need + 1 :].copy()
            for k in range(1, need + 1):
                ok &= touch[k : n - need - 1 + k]
            fits[need : n - 1] = ok
        for angle in (epochs.tilt_deg, epochs.side_deg):
            tenths = np.rint(angle.astype(np.float64) * 10)  # exact, whatever the zero is
            hit |= fits & _level_change(tenths, lag, 10 * params.shift_deg)
    first = hit & ~np.concatenate([[False], hit[:-1]])
    return np.flatnonzero(first)


def fidgets(epochs: Epochs, params: MotionParams = DEFAULT) -> int:
    """Short excursions of the forward angle that return within 10 s while sitting."""
    x = epochs.tilt_deg.astype(np.float64)
    if x.size < 3:
        return 0
    touch = _joined(epochs, seated(epochs) & ~np.isnan(x))
    inner = touch[1:-1] & touch[2:]
    away = x[1:-1] - (x[:-2] + x[2:]) / 2
    away, back = away[inner], np.abs(x[2:] - x[:-2])[inner]
    if away.size < 3:
        return 0
    spread = 1.4826 * float(np.median(np.abs(away - np.median(away))))
    least = max(params.fidget_sd * spread, params.fidget_floor_deg)
    return int(np.count_nonzero((np.abs(away) >= least) & (back < np.abs(away))))


def longest_still_s(epochs: Epochs, shifts: NDArray[np.intp]) -> float:
    """Longest stretch of sitting without a shift, in seconds; 0 without sitting."""
    sit = seated(epochs)
    if not sit.any():
        return 0.0
    begins = sit & ~_joined(epochs, sit)
    begins[shifts] = True
    group = np.cumsum(begins)[sit]
    return float(np.bincount(group).max() * EPOCH_S)


def slouch_events(epochs: Epochs, params: SlouchParams = SLOUCH) -> tuple[Span, ...]:
    """Slouch events: over the threshold, from 60 s on, until 10 points below it for 5 s.

    One half hour of slouching is one event: between the two limits the event goes on, and
    stretches less than 30 s apart are one. Each epoch's `slouch` flag says whether it is over the
    wearer's own threshold (60 %, or 10 deg where only the tall pose is known); the lower limit is
    10 points below, found from the flagged epochs. Getting up or time without data ends an event.
    """
    sit = seated(epochs)
    pct = epochs.slump_pct.astype(np.float64)
    over = epochs.slouch == 1
    known = pct[over & ~np.isnan(pct)]
    lowest = float(known.min()) if known.size else params.over_pct
    end_pct = min(params.end_pct, lowest - (params.over_pct - params.end_pct))
    on = sit & over
    off = ~sit | (~over & ~(pct >= end_pct))
    touching = np.concatenate([[False], np.diff(epochs.start_ns) == EPOCH_NS])[: len(epochs)]
    # hold the last decision between the two thresholds, never across a hole
    decided = on | off | ~touching
    last = np.maximum.accumulate(np.where(decided, np.arange(len(epochs)), 0))
    active = on[last] if len(epochs) else on
    begins = np.flatnonzero(active & ~(np.concatenate([[False], active[:-1]]) & touching))
    ends = np.flatnonzero(active & ~np.concatenate([active[1:] & touching[1:], [False]]))
    spans: list[Span] = []
    for first, stop in zip(begins, ends, strict=True):
        start_ns = int(epochs.start_ns[first])
        end_ns = int(epochs.start_ns[stop]) + EPOCH_NS
        if spans and start_ns - spans[-1].end_ns < params.merge_s * SECOND_NS:
            spans[-1] = Span(start_ns=spans[-1].start_ns, end_ns=end_ns)
        else:
            spans.append(Span(start_ns=start_ns, end_ns=end_ns))
    return tuple(s for s in spans if s.seconds >= params.dwell_s)
