# SPDX-License-Identifier: Apache-2.0
"""A guided session from the first beep to the effort question."""

from tracker.exercises import guided
from tracker.exercises.guided_screen import screen, set_over
from tracker.exercises.guided_state import Live, Tempo
from tracker.exercises.programme import Item, Target
from tracker.model import SECOND_NS

SQUAT = Item(exercise="squat", sets=(Target(reps=3, hold_s=0.0),) * 2)
SIDE = Item(exercise="side_plank", sets=(Target(reps=1, hold_s=8.0),), per_side=True)
BUG = Item(exercise="dead_bug", sets=(Target(reps=2, hold_s=0.0),))


def at(seconds: float) -> int:
    """A moment."""
    return round(seconds * SECOND_NS)


def test_tempo_counts_in_and_leads_up_and_down():
    """Three seconds of count-in, two up, three down, with a beep at each change."""
    state = guided.act(guided.begin([SQUAT], at(0)), "begin", at(10))
    cues = [screen(state, at(10 + s)).cue for s in (0.5, 2.5, 3.0, 4.9, 5.0, 7.9, 8.0)]
    assert cues == ["count_in", "count_in", "up", "up", "down", "down", "up"]
    assert screen(state, at(13.05)).beep
    assert not screen(state, at(13.5)).beep
    assert screen(state, at(18.5)).count == 1


def test_the_sensor_counts_where_it_can_and_a_tap_wins():
    """Live repetitions beat the timer; a tap of the person beats both."""
    state = guided.act(guided.begin([SQUAT], at(0)), "begin", at(0))
    seen = screen(state, at(20), Live(reps=2))
    assert (seen.count, seen.source) == (2, "sensor")
    assert not set_over(state, at(20), Live(reps=2))
    assert set_over(state, at(20), Live(reps=3))
    tapped = guided.act(state, "tap", at(21))
    assert (screen(tapped, at(21), Live(reps=2)).count, screen(tapped, at(21)).source) == (
        1,
        "user",
    )


def test_a_guided_only_exercise_never_takes_the_sensors_count():
    """Dead bug is counted by timer or tap."""
    state = guided.act(guided.begin([BUG], at(0)), "begin", at(0))
    assert screen(state, at(8.5), Live(reps=9)).source == "timer"


def test_a_whole_session_ends_with_the_effort_question():
    """Both sides of the plank, both sets of squats, rests in between, then how hard it was."""
    state = guided.begin([SIDE, SQUAT], at(0))
    phases = []
    now = 0.0
    while state.phase not in ("effort", "done"):
        state = guided.act(state, "begin", at(now))
        now += 12
        state = guided.act(state, "finish_set", at(now), live=Live(reps=3, hold_s=8.2))
        phases.append((state.phase, screen(state, at(now)).side))
    assert phases == [("rest", "right"), ("ready", ""), ("rest", ""), ("effort", "")]
    assert guided.completed(state)
    assert [(r.exercise, r.side, r.reps, r.hold_s, r.source) for r in state.results] == [
        ("side_plank", "left", 1, 8.2, "sensor"),
        ("side_plank", "right", 1, 8.2, "sensor"),
        ("squat", "", 3, 0.0, "sensor"),
        ("squat", "", 3, 0.0, "sensor"),
    ]
    ended = guided.act(state, "effort", at(now), value=14)
    assert (ended.phase, ended.effort) == ("done", 10)


def test_rest_counts_down_and_may_be_cut_short():
    """The rest timer shows what is left; begin starts at any time."""
    state = guided.begin([SQUAT], at(0), Tempo(rest_s=30))
    state = guided.act(guided.act(state, "begin", at(0)), "finish_set", at(20))
    assert state.phase == "rest"
    assert screen(state, at(30)).left_s == 20
    assert screen(state, at(60)).left_s == 0
    assert guided.act(state, "begin", at(31)).phase == "work"


def test_stopping_and_skipping_are_kept():
    """A stop keeps its reason and what was done; a skipped exercise is no completed session."""
    state = guided.act(guided.begin([SQUAT, BUG], at(0)), "begin", at(0))
    stopped = guided.act(state, "stop", at(5), value="exercise_pain")
    assert (stopped.phase, stopped.stop_reason) == ("stopped", "exercise_pain")
    assert guided.act(stopped, "begin", at(6)) == stopped
    skipped = guided.act(guided.act(state, "skip", at(5)), "skip", at(6))
    assert skipped.phase == "effort"
    assert skipped.skipped == ("squat", "dead_bug")
    assert not guided.completed(skipped)


def test_an_empty_session_asks_for_nothing():
    """Everything left out: straight to the end."""
    assert guided.begin([], at(0)).phase == "effort"
