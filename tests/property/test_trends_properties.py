# SPDX-License-Identifier: Apache-2.0
"""Whatever the epochs: totals add up, bouts tile without overlap, and blind time is not sitting."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.model import EPOCH_NS, EPOCH_S, SECOND_NS, Epochs, State
from tracker.trends.bouts import sitting_bouts
from tracker.trends.day import summarise
from tracker.trends.fragmentation import fragmentation, weighted_median_min
from tracker.trends.motion import seated, shift_epochs, slouch_events
from tracker.trends.runs import state_runs
from tracker.trends.summary import NO_DATA, DaySummary
from tracker.trends.tables import angle_1min, day_state, exposure_variation
from tracker.units import day_bounds_ns

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = (date(2026, 3, 29), date(2026, 6, 1), date(2026, 10, 25))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Epochs, int, int]:
    """Epochs of a day of 23, 24 or 25 hours: runs of any state, holes, angles, missing angles."""
    start, end = day_bounds_ns(draw(st.sampled_from(DAYS)), BERLIN)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = draw(
        st.lists(
            st.tuples(st.integers(-1, len(State) - 1), st.integers(1, 400)), min_size=0, max_size=40
        )
    )
    states = np.repeat([p[0] for p in parts], [p[1] for p in parts]).astype(int)
    room = (end - start) // EPOCH_NS
    offset = draw(st.integers(-200, 6000))
    at = start + (np.arange(states.size, dtype=np.int64) + offset) * EPOCH_NS
    keep = (states >= 0) & (at < start + (room + 500) * EPOCH_NS)
    states, at = states[keep], at[keep]
    n = states.size
    tilt = np.round(np.cumsum(rng.normal(0, 2, n)) % 60 - 10, 1)
    tilt[rng.random(n) < 0.1] = np.nan
    slump = np.clip(np.rint(rng.normal(50, 25, n)), -50, 150)
    epochs = Epochs(
        start_ns=at,
        state=states.astype(np.uint8),
        confidence=np.ones(n, np.float32),
        trunk=np.zeros(n, np.uint8),
        slouch=(slump > 60).astype(np.uint8),
        tilt_deg=tilt.astype(np.float32),
        side_deg=np.zeros(n, np.float32),
        slump_pct=slump.astype(np.float32),
        move_mg=rng.uniform(0, 200, n).astype(np.float32),
        exercise=np.zeros(n, np.uint8),
        worn=(states != State.NOT_WORN).astype(np.uint8),
        valid=np.ones(n, np.float32),
    )
    return epochs, start, end


@given(spans())
def test_totals_add_up_to_the_day(case: tuple[Epochs, int, int]) -> None:
    """States and missing time add up to 23, 24 or 25 h; halves of hours hold the same sitting."""
    epochs, start, end = case
    got = summarise(epochs, [], start_ns=start, end_ns=end, zone=BERLIN)
    assert sum(got.seconds.values()) == (end - start) // SECOND_NS
    inside = (epochs.start_ns >= start) & (epochs.start_ns < end)
    assert got.seconds[NO_DATA] == (end - start) // SECOND_NS - EPOCH_S * inside.sum()
    assert sum(got.half_hours["sit"]) == got.sit_s == EPOCH_S * seated(epochs)[inside].sum()
    assert DaySummary.from_values(start, got.seconds, got.to_values()) == got


@given(spans())
def test_runs_tile_the_day(case: tuple[Epochs, int, int]) -> None:
    """Runs start at the day's start, end at its end, and each begins where the one before ends."""
    epochs, start, end = case
    runs = state_runs(epochs, start, end)
    assert runs.start_ns[0] == start
    assert runs.end_ns[-1] == end
    assert np.array_equal(runs.start_ns[1:], runs.end_ns[:-1])
    assert np.all(runs.end_ns > runs.start_ns)
    rows = day_state(epochs, start_ns=start, end_ns=end)
    sits = (rows.state == State.SITTING) | (rows.state == State.SLOUCHING)
    assert np.all(rows.bout_min[~sits] == 0)


@given(spans())
def test_bouts_do_not_overlap_and_hold_no_blind_time(case: tuple[Epochs, int, int]) -> None:
    """Bouts come in order, last a minute, and hold at most 20 s of standing per interruption."""
    epochs, start, end = case
    bouts = sitting_bouts(epochs, start_ns=start, end_ns=end)
    for before, after in pairwise(bouts):
        assert before.end_ns < after.start_ns
    sit = seated(epochs)
    for bout in bouts:
        inside = (epochs.start_ns >= bout.start_ns) & (epochs.start_ns < bout.end_ns)
        blind = (epochs.state[inside] == State.UNKNOWN) | (epochs.state[inside] == State.NOT_WORN)
        seconds = EPOCH_S * (inside.sum() - blind.sum())
        assert bout.minutes == pytest.approx(seconds / 60)
        assert bout.minutes >= 1
        assert sit[inside][0]
        assert sit[inside][-1]


@given(spans())
def test_a_hole_is_never_sitting(case: tuple[Epochs, int, int]) -> None:
    """Removing ten minutes of epochs never adds sitting; it adds that much missing time."""
    epochs, start, end = case
    if len(epochs) < 200:
        return
    middle = int(epochs.start_ns[len(epochs) // 2])
    hole = (epochs.start_ns >= middle) & (epochs.start_ns < middle + 600 * SECOND_NS)
    whole = summarise(epochs, start_ns=start, end_ns=end)
    less = summarise(epochs[~hole], start_ns=start, end_ns=end)
    assert less.sit_s <= whole.sit_s
    inside = hole & (epochs.start_ns >= start) & (epochs.start_ns < end)
    assert less.seconds[NO_DATA] - whole.seconds[NO_DATA] == EPOCH_S * inside.sum()


@given(spans())
def test_a_split_day_holds_the_same_seconds(case: tuple[Epochs, int, int]) -> None:
    """Two half days have the seconds of the whole day."""
    epochs, start, end = case
    cut = start + (end - start) // 2 // EPOCH_NS * EPOCH_NS
    whole = summarise(epochs, start_ns=start, end_ns=end)
    first = summarise(epochs, start_ns=start, end_ns=cut)
    second = summarise(epochs, start_ns=cut, end_ns=end)
    assert whole.seconds == {k: v + second.seconds[k] for k, v in first.seconds.items()}


@given(spans())
def test_slouch_events_are_apart_long_and_seated(case: tuple[Epochs, int, int]) -> None:
    """Events last a minute, lie 30 s apart or more, and begin and end while sitting."""
    epochs, _, _ = case
    events = slouch_events(epochs)
    for a, b in pairwise(events):
        assert b.start_ns - a.end_ns >= 30 * SECOND_NS
    for e in events:
        assert e.seconds >= 60
        inside = (epochs.start_ns >= e.start_ns) & (epochs.start_ns < e.end_ns)
        assert seated(epochs)[inside][[0, -1]].all()


@given(spans(), st.floats(-30, 30))
def test_shifts_do_not_depend_on_the_zero(case: tuple[Epochs, int, int], offset: float) -> None:
    """Another zero of the angle (another day's mounting) gives the same shifts."""
    epochs, _, _ = case
    moved = replace(epochs, tilt_deg=(epochs.tilt_deg + np.float32(round(offset))))
    assert np.array_equal(shift_epochs(moved), shift_epochs(epochs))


@given(spans())
def test_minute_table_and_exposure_hold_what_they_should(case: tuple[Epochs, int, int]) -> None:
    """Percentiles are ordered, agree with numpy; EVA holds all seated time with an angle."""
    epochs, start, end = case
    table = angle_1min(epochs, start_ns=start, end_ns=end)
    known = ~np.isnan(table.p50)
    assert np.all(table.p10[known] <= table.p50[known])
    assert np.all(table.p50[known] <= table.p90[known])
    for i in np.flatnonzero(known)[:3]:
        at = int(table.t_ns[i])
        here = (epochs.start_ns >= max(at, start)) & (epochs.start_ns < at + 60 * SECOND_NS)
        values = epochs.tilt_deg[here & (epochs.start_ns < end)].astype(float)
        assert table.p90[i] == pytest.approx(np.nanpercentile(values, 90))
    eva = exposure_variation(epochs, start_ns=start, end_ns=end)
    inside = (epochs.start_ns >= start) & (epochs.start_ns < end)
    held = seated(epochs) & inside & ~np.isnan(epochs.tilt_deg)
    assert eva.minutes.sum() == pytest.approx(held.sum() * EPOCH_S / 60)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60))
def test_w50_halves_the_time(minutes: list[int]) -> None:
    """At least half of the time lies in bouts of W50 or longer, and in bouts of W50 or shorter."""
    w50 = weighted_median_min(minutes)
    assert w50 is not None
    x = np.array(minutes)
    assert x[x >= w50].sum() * 2 >= x.sum()
    assert x[x <= w50].sum() * 2 >= x.sum()
    f = fragmentation(minutes)
    assert f.gini is None or 0 <= f.gini <= 1
    assert f.alpha is None or f.alpha > 1
