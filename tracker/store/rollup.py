# SPDX-License-Identifier: Apache-2.0
"""The one function that turns a wearer's local day into its rollup row."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from tracker.model import EPOCH_S, Placement, State
from tracker.store.base import DayRow, SeriesReads
from tracker.trends.day import summarise
from tracker.units import day_bounds_ns, from_ns


def day_row(
    store: SeriesReads, wearer: str, placement: Placement, day: date, tz: ZoneInfo
) -> DayRow | None:
    """Rollup of one local day (23, 24 or 25 hours); None where the day has no epochs.

    `seconds` counts epochs only: a gap is in no state, so the seconds of a day may add up to less
    than its length, never to more. `values` are those of `tracker.trends.day.summarise`;
    `DaySummary.from_values(row.start_ns, row.seconds, row.values)` is the way back.
    """
    start_ns, end_ns = day_bounds_ns(day, tz)
    epochs = store.epochs(wearer, placement, start_ns, end_ns)
    if not len(epochs):
        return None
    summary = summarise(
        epochs,
        store.transitions(wearer, placement, start_ns, end_ns),
        store.sets(wearer, placement, start_ns, end_ns),
        start_ns=start_ns,
        end_ns=end_ns,
        zone=tz,
    )
    counts = np.bincount(epochs.state, minlength=len(State))
    offset = from_ns(start_ns, tz).utcoffset()
    return DayRow(
        wearer=wearer,
        placement=placement,
        day=day.isoformat(),
        start_ns=start_ns,
        tz_offset_s=0 if offset is None else int(offset.total_seconds()),
        seconds={s.label: int(counts[s]) * EPOCH_S for s in State},
        values=summary.to_values(),
    )
