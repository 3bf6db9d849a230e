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
from tracker.signal.shifts import SHIFT_DEG, shift_hits, tenths_of, touching
from tracker.signal.slouch import SlouchParams


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionParams:
    """Angles in degrees. What slouching is stands in `tracker.signal.slouch` alone."""

    shift_deg: float = SHIFT_DEG  # T_POSTURE_SHIFT
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
    return touching(epochs.start_ns, mask)


def shift_epochs(epochs: Epochs, params: MotionParams = DEFAULT) -> NDArray[np.intp]:
    """Indices of the first epoch after each posture shift while sitting."""
    touch = _joined(epochs, seated(epochs))
    return np.flatnonzero(shift_hits(touch, tenths_of(epochs), params.shift_deg))


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
