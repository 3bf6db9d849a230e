# SPDX-License-Identifier: Apache-2.0
"""The bout rule on hand-made minutes."""

from collections.abc import Callable
from typing import Any

import pytest

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, State
from tracker.trends.bouts import BoutParams, breaks, sitting_bouts
from tracker.trends.runs import state_runs

Line = Callable[..., Epochs]
Found = Callable[..., list[tuple[float, bool]]]
SIT, UP, SLOUCH, UNKNOWN, OFF = (
    State.SITTING,
    State.STANDING,
    State.SLOUCHING,
    State.UNKNOWN,
    State.NOT_WORN,
)


@pytest.fixture
def found(line: Line) -> Found:
    """(minutes, censored) of the bouts of a line."""

    def find(*parts: tuple[State | None, float], **rule: Any) -> list[tuple[float, bool]]:
        total = sum(round(s / 5) for _, s in parts) * EPOCH_NS
        got = sitting_bouts(line(*parts), start_ns=0, end_ns=total, params=BoutParams(**rule))
        return [(round(b.minutes, 3), b.censored) for b in got]

    return find


def test_interruption_of_20_s_is_bridged_25_s_is_not(found: Found) -> None:
    """20 s of standing stays inside the bout, 25 s ends it."""
    assert found((UP, 60), (SIT, 600), (UP, 20), (SIT, 600), (UP, 60)) == [(20.333, False)]
    assert found((UP, 60), (SIT, 600), (UP, 25), (SIT, 600), (UP, 60)) == [(10, False), (10, False)]


def test_short_stretches_bridge_only_half_their_length(found: Found) -> None:
    """Beside a sitting stretch of 20 s only 10 s of standing are bridged."""
    assert found((UP, 60), (SIT, 600), (UP, 10), (SIT, 20), (UP, 60)) == [(10.5, False)]
    assert found((UP, 60), (SIT, 600), (UP, 15), (SIT, 20), (UP, 60)) == [(10, False)]


def test_bouts_below_a_minute_do_not_count(found: Found) -> None:
    """55 s is no bout, 60 s is one."""
    assert found((UP, 60), (SIT, 55), (UP, 60), (SIT, 60), (UP, 60)) == [(1, False)]


def test_slouching_is_sitting(line: Line) -> None:
    """A change between sitting and slouching does not split the bout; its share is kept."""
    epochs = line((UP, 60), (SIT, 300), (SLOUCH, 300), (UP, 60))
    (bout,) = sitting_bouts(epochs, start_ns=0, end_ns=720 * SECOND_NS)
    assert (bout.minutes, bout.slouch_s) == (10, 300)


@pytest.mark.parametrize("blind", [UNKNOWN, OFF, None])
def test_blind_time_is_never_sitting(found: Found, blind: State | None) -> None:
    """Up to 5 min blind is passed over uncounted; more closes and censors both sides."""
    short = found((UP, 60), (SIT, 600), (blind, 300), (SIT, 600), (UP, 60))
    assert short == [(20, False)]
    long = found((UP, 60), (SIT, 600), (blind, 305), (SIT, 600), (UP, 60))
    assert long == [(10, True), (10, True)]


def test_edges_are_not_seen(found: Found) -> None:
    """A bout that touches the edge of the data is censored; one that ends before a rise is not."""
    assert found((SIT, 600)) == [(10, True)]
    assert found((UP, 5), (SIT, 600), (UP, 5)) == [(10, False)]
    assert found((UP, 5), (SIT, 600), (UNKNOWN, 120), (UP, 60)) == [(10, False)]


def test_breaks_need_a_minute_up(line: Line) -> None:
    """Getting up for 55 s is no break, for 60 s (standing or walking) it is one."""
    epochs = line((SIT, 600), (UP, 55), (SIT, 600), (UP, 30), (State.WALKING, 30), (SIT, 60))
    end = 1375 * SECOND_NS
    assert breaks(state_runs(epochs, 0, end)) == 1
    assert breaks(state_runs(epochs, 0, end), BoutParams(break_s=30)) == 2


def test_lying_counts_only_when_asked(found: Found) -> None:
    """Lying ends a sitting bout unless sedentary time is meant."""
    parts = ((UP, 60), (SIT, 600), (State.LYING, 600), (UP, 60))
    assert found(*parts) == [(10, False)]
    assert found(*parts, include_lying=True) == [(20, False)]
