# SPDX-License-Identifier: Apache-2.0
"""The simulated weeks behind demo and page tests: plausible, exact in their tables, and cut."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.model import EPOCH_NS, Epochs, State
from tracker.simulation.history import LOW_BACK, ONLY_GAPS, History, history
from tracker.trends.day import summarise
from tracker.units import day_bounds_ns, local_date

BERLIN = ZoneInfo("Europe/Berlin")
LAST = date(2026, 11, 23)


@pytest.fixture(scope="module")
def month() -> History:
    """Thirty days of one wearer."""
    return history(np.random.default_rng(4), 30, BERLIN, last_day=LAST)


def test_same_seed_same_history(month: History) -> None:
    """Everything comes from the generator that is given."""
    again = history(np.random.default_rng(4), 30, BERLIN, last_day=LAST)
    assert again.epochs.equals(month.epochs)
    assert again.evenings == month.evenings
    assert again.sets == month.sets


def test_tables_keep_their_promises(month: History) -> None:
    """Epochs are sorted on the 5-s grid, within the days, with angles missing only when blind."""
    e = month.epochs
    assert np.all(np.diff(e.start_ns) >= EPOCH_NS)
    assert np.all(e.start_ns % EPOCH_NS == 0)
    assert local_date(int(e.start_ns[-1]), BERLIN) <= LAST
    blind = (e.state == State.UNKNOWN) | (e.state == State.NOT_WORN)
    assert np.array_equal(np.isnan(e.tilt_deg), blind)
    slouched = e.slump_pct[e.state == State.SLOUCHING]  # merged dips below 50 % included
    assert np.mean(slouched >= 50) > 0.9
    assert all(s.end_ns > s.start_ns for s in month.sets)
    assert all(g.end_ns > g.start_ns for g in month.gaps)


def test_work_days_are_plausible(month: History) -> None:
    """Hours of sitting, bouts and rises of a desk worker, and wear for valid days."""
    start, end = day_bounds_ns(LAST, BERLIN)
    got = summarise(month.epochs, month.transitions, start_ns=start, end_ns=end, zone=BERLIN)
    assert got.valid_day
    assert 5 < got.sit_s / 3600 < 11
    assert got.longest_sit_min is not None
    assert 30 < got.longest_sit_min <= 200
    assert got.rises is not None
    assert 8 < got.rises < 45


@pytest.mark.parametrize("days", [0, 1, 3, 7, 14])
def test_short_histories(days: int) -> None:
    """Day 0 is empty and the first days work."""
    got = history(np.random.default_rng(2), days, BERLIN, last_day=LAST)
    assert (len(got.epochs) > 0) == (days > 0)
    assert len(got.evenings) <= days


def test_only_gaps_and_low_back() -> None:
    """A sensor that was never in reach leaves gaps alone; a low back sees no slouching."""
    gaps = history(np.random.default_rng(2), 5, BERLIN, ONLY_GAPS, last_day=LAST)
    assert gaps.epochs.equals(Epochs.empty())
    assert len(gaps.gaps) == 5
    low = history(np.random.default_rng(2), 3, BERLIN, LOW_BACK, last_day=LAST)
    assert np.isnan(low.epochs.slump_pct).all()
    assert not (low.epochs.state == State.SLOUCHING).any()


def test_cut_at_a_moment() -> None:
    """Nothing lies after the moment the demo pretends to be now."""
    start, _ = day_bounds_ns(LAST, BERLIN)
    now = start + 13 * 3600 * 10**9
    got = history(np.random.default_rng(2), 3, BERLIN, last_day=LAST, until_ns=now)
    assert int(got.epochs.start_ns[-1]) + EPOCH_NS <= now
    assert all(s.end_ns <= now for s in got.sets)
    assert all(g.end_ns <= now for g in got.gaps)
    assert all(e.day < LAST.isoformat() for e in got.evenings)
