# SPDX-License-Identifier: Apache-2.0
"""A day in numbers: totals, gaps, slouching, shifts, and the way into a store and back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.model import (
    EPOCH_NS,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    State,
    Transition,
    TransitionKind,
)
from tracker.trends.day import summarise, summary_json
from tracker.trends.hours import WorkWindow, valid_workday
from tracker.trends.motion import fidgets, longest_still_s, shift_epochs, slouch_events
from tracker.trends.summary import NO_DATA, DaySummary
from tracker.units import day_bounds_ns, local_ns

Line = Callable[..., Epochs]
BERLIN = ZoneInfo("Europe/Berlin")
SIT, UP, SLOUCH = State.SITTING, State.STANDING, State.SLOUCHING
HOUR = 3600


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)],
)
def test_seconds_add_up_on_every_kind_of_day(line: Line, day: date, hours: int) -> None:
    """All states and the time without data add up to 23, 24 or 25 hours."""
    start, end = day_bounds_ns(day, BERLIN)
    epochs = line((SIT, 2 * HOUR), (None, HOUR), (UP, 3 * HOUR), start_ns=start + 3600 * SECOND_NS)
    got = summarise(epochs, start_ns=start, end_ns=end, zone=BERLIN)
    assert sum(got.seconds.values()) == hours * HOUR
    assert got.seconds["sitting"] == 2 * HOUR
    assert got.seconds[NO_DATA] == (hours - 5) * HOUR
    assert sum(got.half_hours["sit"]) == 2 * HOUR


def test_gap_of_ten_minutes_is_no_sitting(line: Line) -> None:
    """Ten minutes out of reach inside sitting are counted as missing, and both halves censored."""
    epochs = line((UP, 60), (SIT, 1800), (None, 600), (SIT, 1800), (UP, 60))
    got = summarise(epochs, start_ns=0, end_ns=4320 * SECOND_NS)
    assert got.sit_s == 3600
    assert got.seconds[NO_DATA] == 600
    assert got.longest_sit_min == 30
    assert (got.bouts, got.bouts_censored) == (2, 2)
    assert got.w50_min is None


def test_empty_span_knows_nothing() -> None:
    """Without epochs everything is missing data and no metric is zero where it means unknown."""
    got = summarise(Epochs.empty(), start_ns=0, end_ns=86_400 * SECOND_NS)
    assert got.seconds[NO_DATA] == 86_400
    assert got.longest_sit_min is None
    assert got.slouch_share is None
    assert got.rises is None
    assert got.shifts_per_h is None
    assert not got.valid_day


def slouching(epochs: Epochs, pct: np.ndarray) -> Epochs:
    """The epochs with a slump percentage and the flag that goes with it."""
    flag = (np.nan_to_num(pct) > 60).astype(np.uint8)
    return replace(epochs, slump_pct=pct.astype(np.float32), slouch=flag)


def test_thirty_minutes_of_slouching_are_one_event(line: Line) -> None:
    """Wobble between 50 and 60 % and dips under 30 s do not make a second event."""
    epochs = line((SIT, 600), (SLOUCH, 1800), (SIT, 600))
    pct = np.full(len(epochs), 20.0)
    pct[120:480] = 75
    pct[200:260] = 55
    pct[300:305] = 40  # 25 s
    got = summarise(slouching(epochs, pct), start_ns=0, end_ns=3000 * SECOND_NS)
    assert got.slouch_events == 1
    assert got.slouch_s == 1800
    (event,) = slouch_events(slouching(epochs, pct))
    assert event.seconds == 1800
    assert got.slouch_share == pytest.approx(0.6)


def test_slouch_events_need_a_minute_and_end_where_the_rule_says(line: Line) -> None:
    """55 s is none; a dip of 30 s splits; standing up and holes end an event."""
    epochs = line((SIT, 3000))
    pct = np.full(600, 20.0)
    pct[10:21] = 75  # 55 s
    pct[100:150] = 75
    pct[156:200] = 75  # after 30 s below
    assert [s.seconds for s in slouch_events(slouching(epochs, pct))] == [250, 220]
    broken = line((SIT, 300), (UP, 60), (SIT, 300), (None, 60), (SIT, 300))
    events = slouch_events(slouching(broken, np.full(len(broken), 90.0)))
    assert [s.seconds for s in events] == [300, 300, 300]


def test_slouch_events_with_the_tall_pose_alone(line: Line) -> None:
    """The wearer's threshold of 10 deg (42 % of 24 deg) is taken from the flagged epochs."""
    epochs = line((SIT, 1500))
    pct = np.full(300, 10.0)
    pct[100:200] = 45
    pct[150:170] = 35  # between the limits
    flagged = replace(
        epochs, slump_pct=pct.astype(np.float32), slouch=(pct > 41.7).astype(np.uint8)
    )
    assert [s.seconds for s in slouch_events(flagged)] == [500]


def test_no_slouch_numbers_where_the_place_allows_none(line: Line) -> None:
    """A low-back sensor without a percentage has no slouch share instead of 0 %."""
    epochs = line((SIT, 3000))
    got = summarise(slouching(epochs, np.full(600, np.nan)), start_ns=0, end_ns=3000 * SECOND_NS)
    assert got.slouch_share is None
    assert got.slouch_events is None


def test_shifts_count_what_stays(line: Line) -> None:
    """Steps of 5 deg that stay count once, in either plane; short excursions and drift do not."""
    epochs = line((SIT, 1500))
    tilt = np.zeros(300)
    tilt[60:] += 5  # a step
    tilt[120:] += 8
    tilt[119] += 4  # ... with a moving epoch on the way
    tilt[180] += 20  # there and back within 10 s
    tilt[200:280] += np.linspace(0, 20, 80)  # slow drift
    tilt[280:] += 20
    side = np.zeros(300)
    side[240:] = -6
    moved = replace(epochs, tilt_deg=tilt.astype(np.float32), side_deg=side.astype(np.float32))
    found = shift_epochs(moved)
    assert found.tolist() == [60, 120, 240]
    assert longest_still_s(moved, found) == 120 * 5


def test_standing_up_ends_stillness_but_is_no_shift(line: Line) -> None:
    """Only sitting counts for shifts and stillness."""
    epochs = line((SIT, 600), (UP, 60), (SIT, 900))
    tilt = np.where(epochs.start_ns < 600 * SECOND_NS, 0, 20).astype(np.float32)
    moved = replace(epochs, tilt_deg=tilt)
    assert shift_epochs(moved).size == 0
    assert longest_still_s(moved, shift_epochs(moved)) == 900


def test_fidgets_come_back_within_ten_seconds(line: Line) -> None:
    """Four short excursions count, a step that stays and sensor noise below 1 deg do not."""
    epochs = line((SIT, 1500))
    tilt = np.tile([0.0, 0.2], 150)
    for i in (30, 90, 150, 210):
        tilt[i] += 6
    tilt[250:] += 8
    assert fidgets(replace(epochs, tilt_deg=tilt.astype(np.float32))) == 4
    assert fidgets(line((SIT, 10))) == 0


def test_rates_bands_and_training(line: Line) -> None:
    """Rises per worn hour, bands of inclination, flexion dose, active and core minutes."""
    epochs = line((SIT, 3600), (UP, 1800), (State.WALKING, 1800))
    tilt = np.zeros(len(epochs), np.float32)
    tilt[:360] = 30
    move = np.where(epochs.state == State.WALKING, 120, 5).astype(np.float32)
    sets = [
        ExerciseSet(
            start_ns=i * 120 * SECOND_NS,
            end_ns=(i * 120 + 60) * SECOND_NS,
            exercise=Exercise.CURL_UP,
            reps=10,
            hold_s=0,
            confidence="high",
        )
        for i in range(4)
    ]
    rise = Transition(at_ns=3600 * SECOND_NS, kind=TransitionKind.SIT_TO_STAND, confidence=0.9)
    got = summarise(
        replace(epochs, tilt_deg=tilt, move_mg=move),
        [rise, rise],
        sets,
        start_ns=0,
        end_ns=7200 * SECOND_NS,
    )
    assert (got.rises, got.rises_per_worn_h) == (2, 1)
    assert (got.sit20_s, got.sit30_s, got.sit60_s, got.up20_s) == (1800, 1800, 0, 0)
    assert got.flexion_deg_min == pytest.approx(300)
    assert got.flexion_deg_min_per_sitting_h == pytest.approx(300)
    assert got.active_min == 30
    assert (got.core_sessions, got.core_min, got.core_reps) == (1, 4, 40)
    assert (got.tilt_p10_deg, got.tilt_p90_deg) == (0, 30)


def test_values_survive_the_store(line: Line) -> None:
    """`from_values(to_values())` gives the same summary; what is unknown has no key."""
    start, end = day_bounds_ns(date(2026, 11, 23), BERLIN)
    begin = local_ns(date(2026, 11, 23), time(9), BERLIN)
    epochs = line((UP, 600), (SIT, 5000), (UP, 300), (SIT, 1500), (UP, 600), start_ns=begin)
    got = summarise(epochs, [], start_ns=start, end_ns=end, zone=BERLIN)
    values = json.loads(json.dumps(got.to_values()))
    assert "alpha" not in values
    assert values["rises"] == 0
    assert DaySummary.from_values(start, got.seconds, values) == got
    states_only = {k: v for k, v in got.seconds.items() if k != NO_DATA}
    assert DaySummary.from_values(start, states_only, values) == got


def test_work_window_and_valid_workday(line: Line) -> None:
    """80 % of the window and 4 h make a valid work day; part half hours count pro rata."""
    window = WorkWindow(start=time(8, 30), end=time(16, 45))
    assert window.hours == pytest.approx(8.25)
    start, end = day_bounds_ns(date(2026, 11, 23), BERLIN)
    begin = local_ns(date(2026, 11, 23), time(8, 30), BERLIN)

    def worn(hours: float) -> tuple[float, ...]:
        epochs = line((SIT, hours * HOUR), start_ns=begin)
        return summarise(epochs, start_ns=start, end_ns=end, zone=BERLIN).half_hours["worn"]

    assert valid_workday(worn(6.6), window)
    assert not valid_workday(worn(6.5), window)
    assert not valid_workday(worn(3.9), WorkWindow(start=time(9), end=time(12)))
    night = WorkWindow(start=time(22), end=time(6))
    assert night.hours == 8


def test_long_lying_is_not_waking(line: Line) -> None:
    """A night in bed does not make a valid day; a rest of half an hour does not spoil one."""
    night = line((State.LYING, 8 * HOUR), (SIT, 9 * HOUR))
    got = summarise(night, start_ns=0, end_ns=17 * HOUR * SECOND_NS)
    assert (got.waking_s, got.valid_day) == (9 * HOUR, False)
    rest = line((State.LYING, HOUR / 2), (SIT, 9.5 * HOUR))
    assert summarise(rest, start_ns=0, end_ns=10 * HOUR * SECOND_NS).valid_day


def test_summary_json_is_json_and_adds_up(line: Line) -> None:
    """The summary of `backstay analyze` holds minutes per state, bouts, transitions, metrics."""
    epochs = line((UP, 60), (SIT, 1200), (UP, 60))
    got = summary_json(epochs, [], [], start_ns=0, end_ns=1320 * SECOND_NS)
    back = json.loads(json.dumps(got, allow_nan=False))
    assert sum(back["minutes"].values()) == pytest.approx(22)
    assert back["bouts"][0]["minutes"] == 20
    assert back["transitions"]["sit_to_stand"] == 0
    assert back["metrics"]["w50_min"] == 20
    assert back["metrics"]["alpha"] is None


def test_summary_of_a_recording_that_begins_inside_an_epoch(line: Line) -> None:
    """From 2.3 s to 1317.9 s: the minutes are those of the epochs, the bout is whole."""
    epochs = line((UP, 60), (SIT, 1200), (UP, 60))
    got = summary_json(epochs, start_ns=2_300_000_000, end_ns=1_317_900_000_000)
    minutes = got["minutes"]
    assert isinstance(minutes, dict)
    assert (minutes["sitting"], minutes["standing"], minutes[NO_DATA]) == (20, 2, 0)


def test_span_not_aligned_to_epochs(line: Line) -> None:
    """A span that ends inside an epoch still adds up to its own length (recordings do that)."""
    epochs = line((SIT, 100))
    end = 97 * SECOND_NS + 250_000_000
    got = summarise(epochs, start_ns=0, end_ns=end)
    assert sum(got.seconds.values()) == 97
    assert EPOCH_NS == 5 * SECOND_NS
