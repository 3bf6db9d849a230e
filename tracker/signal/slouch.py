# SPDX-License-Identifier: Apache-2.0
"""One definition of slouching (architecture.md 6.4): percent of the wearer's own span.

`slump_pct` is 0 at the wearer's tall seated pose and 100 at the slumped one; without a slumped
pose the documented span of the place stands in: 24 deg at T4 (sit_postures, 46 people: 24 +- 5).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS, Placement, State
from tracker.signal.calibrate import Calibration

DEFAULT_SPAN_DEG = {Placement.UPPER_BACK: 24.0, Placement.CHEST: 20.0}
TALL_ONLY_DEG = 10.0  # threshold at T4 when the tall pose alone is known


@dataclass(frozen=True, slots=True, kw_only=True)
class SlouchParams:
    """The one threshold table. Percent of the span; seconds."""

    over_pct: float = 60.0
    over_deg: float = TALL_ONLY_DEG
    end_pct: float = 50.0
    dwell_s: float = 60.0
    end_s: float = 5.0
    merge_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlouchEvent:
    """One slouch while sitting. `end_ns` is -1 while it goes on."""

    start_ns: int
    end_ns: int
    peak_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlouchLimits:
    """The table on one wearer: tilt at 0 %, degrees per 100 %, begin and end of slouching."""

    tall_deg: float
    span_deg: float
    over_pct: float
    end_pct: float


def limits(
    placement: Placement, calibration: Calibration, params: SlouchParams
) -> SlouchLimits | None:
    """None where the place or the poses do not allow slouching to be seen."""
    if placement not in DEFAULT_SPAN_DEG:
        return None
    tall = calibration.tall_deg
    if math.isnan(tall):
        return None
    span = calibration.slumped_deg - tall
    if math.isnan(span) or span < 5.0:
        span = DEFAULT_SPAN_DEG[placement]
        over = 100.0 * params.over_deg / span
        return SlouchLimits(
            tall_deg=tall,
            span_deg=span,
            over_pct=over,
            end_pct=over - (params.over_pct - params.end_pct),
        )
    return SlouchLimits(
        tall_deg=tall, span_deg=span, over_pct=params.over_pct, end_pct=params.end_pct
    )


def slump_pct(tilt_deg: NDArray[np.float32], found: SlouchLimits) -> NDArray[np.float32]:
    """Percent of the span, 1 %, clipped to -50..150; NaN stays NaN."""
    pct = np.rint((tilt_deg - found.tall_deg) / found.span_deg * 100.0)
    return np.asarray(np.clip(pct, -50.0, 150.0), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellState:
    """Where the event machine stands."""

    since_ns: int = -1  # start of the current spell over the threshold
    last_over_ns: int = -1  # end of the newest epoch over `end_pct`
    open: bool = False
    peak_pct: float = 0.0
    seen_ns: int = -1  # end of the newest epoch taken


def advance_dwell(
    state: DwellState,
    start_ns: int,
    end_ns: int,
    place: State,
    pct: float,
    found: SlouchLimits,
    params: SlouchParams,
) -> tuple[DwellState, SlouchEvent | None]:
    """Take one epoch; return the event that ended with it, if any.

    A spell begins over `over_pct` while sitting, becomes an event after `dwell_s`, and ends when
    it stayed under `end_pct` (or not seated, or without data) for `end_s`. Spells less than
    `merge_s` apart are one.
    """
    seated = place in (State.SITTING, State.SLOUCHING)
    over = seated and not math.isnan(pct) and pct > found.over_pct
    hold = seated and not math.isnan(pct) and pct > found.end_pct
    ended = None
    if state.since_ns >= 0 and start_ns - state.last_over_ns >= params.merge_s * SECOND_NS:
        if state.open:
            ended = SlouchEvent(
                start_ns=state.since_ns, end_ns=state.last_over_ns, peak_pct=state.peak_pct
            )
        state = DwellState()
    if over or (hold and state.since_ns >= 0):
        since = state.since_ns if state.since_ns >= 0 else start_ns
        state = replace(
            state,
            since_ns=since,
            last_over_ns=end_ns,
            peak_pct=max(state.peak_pct, pct),
            open=state.open or end_ns - since >= params.dwell_s * SECOND_NS,
        )
    return replace(state, seen_ns=end_ns), ended
