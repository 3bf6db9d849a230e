# SPDX-License-Identifier: Apache-2.0
"""Levels, progression and regression, the week and a therapist's plan, on the packaged rules."""

from datetime import date, timedelta

import pytest

from tracker.advice.load import packaged
from tracker.exercises.programme import Item, Override, Target, programme_from
from tracker.exercises.progression import Done, next_step, session, week
from tracker.exercises.registry import exercises
from tracker.model import Exercise

PROGRAMME = programme_from(packaged().document)
DAY = date(2026, 11, 2)  # a Monday


def done(day: int, level: int = 1, **more: object) -> Done:
    """A session `day` days after DAY, easy unless said otherwise."""
    return Done(day=DAY + timedelta(day), level=level, **{"effort": 5, **more})  # type: ignore[arg-type]


def test_every_exercise_of_the_programme_has_a_file():
    """No item names an exercise that the registry does not know."""
    known = {e.label for e in exercises()}
    items = [*PROGRAMME.warm_up, *(i for level in PROGRAMME.levels for i in level.items)]
    assert {i.exercise for i in items} <= known
    assert Exercise.SIT_UP.label not in {i.exercise for i in items}


def test_levels_are_those_of_the_rules():
    """Three levels of 15, 20 and 25 minutes; a pyramid is one target per set."""
    assert [(one.n, one.minutes) for one in PROGRAMME.levels] == [(1, 15), (2, 20), (3, 25)]
    assert [t.reps for t in PROGRAMME.level(3).items[0].sets] == [6, 4, 2]
    assert [(i.exercise, len(i.sets), i.sets[0].reps) for i in PROGRAMME.warm_up] == [
        ("cat_cow", 1, 8),
        ("hip_hinge", 1, 8),
        ("trunk_rotation", 1, 8),
    ]


def test_the_first_session_is_the_lowest_level():
    """Nobody starts higher."""
    assert next_step(PROGRAMME, [], DAY).level == 1


@pytest.mark.parametrize(
    ("history", "level", "reason"),
    [
        ([done(0), done(2)], 2, "up"),
        ([done(0)], 1, "stay"),
        ([done(0), done(2, effort=7)], 1, "stay"),
        ([done(0), done(2, effort=None)], 1, "stay"),
        ([done(0), done(2, completed=False)], 1, "stay"),
        ([done(0), done(2, next_morning=1)], 1, "stay"),
        ([done(0, 2), done(2, 2, rise=3)], 1, "down"),
        ([done(0, 2), done(2, 2, next_morning=2)], 1, "down"),
        ([done(0, 2, form_lost=True), done(2, 2, form_lost=True)], 1, "down"),
        ([done(0, 2, form_lost=True), done(2, 2)], 2, "stay"),
        ([done(0, 3), done(2, 3)], 3, "stay"),
        ([done(0, 1), done(2, 1, rise=5)], 1, "down"),
    ],
)
def test_progression_follows_the_words_of_the_rules(history, level, reason):
    """Two easy sessions go up, a rise or a bad morning goes down, never past the ends."""
    step = next_step(PROGRAMME, history, DAY + timedelta(4))
    assert (step.level, step.reason) == (level, reason)


def test_after_a_long_pause_it_goes_one_lower_with_half_the_sets():
    """More than 14 days off: a level lower, and the first session has half the sets."""
    step = next_step(PROGRAMME, [done(0, 3)], DAY + timedelta(15))
    assert (step.level, step.reason, step.half_sets) == (2, "pause", True)
    sets = [len(i.sets) for i in session(PROGRAMME, step)]
    full = [len(i.sets) for i in PROGRAMME.level(2).items]
    assert sets == [(n + 1) // 2 for n in full]
    assert next_step(PROGRAMME, [done(0, 3)], DAY + timedelta(14)).reason == "stay"


def test_osteoporosis_takes_out_what_the_rules_name():
    """MC04 removes curl-up, sit-up and hip hinge, and nothing else."""
    step = next_step(PROGRAMME, [], DAY)
    names = {i.exercise for i in session(PROGRAMME, step, answers=["MC04"])}
    assert names == {i.exercise for i in PROGRAMME.level(1).items} - {"curl_up"}


def test_a_therapist_can_replace_it():
    """An override holds between its days, sets items and weekly goal, and survives JSON."""
    own = Override(
        by="T7",
        items=(Item(exercise="plank", sets=(Target(reps=1, hold_s=15.0),) * 2, variant="knees"),),
        days_per_week=4,
        first_day=DAY,
        last_day=DAY + timedelta(13),
    )
    assert Override.from_json(own.to_json()) == own
    step = next_step(PROGRAMME, [done(0), done(2)], DAY + timedelta(4), own)
    assert step.reason == "therapist"
    assert session(PROGRAMME, step, override=own, today=DAY + timedelta(4)) == own.items
    assert week(PROGRAMME, [], DAY, override=own).goal == 4
    after = DAY + timedelta(14)
    assert next_step(PROGRAMME, [done(12), done(13)], after, own).reason == "up"
    assert session(PROGRAMME, step, override=own, today=after) != own.items


def test_the_week_counts_days_and_leaves_a_rest_day():
    """Two sessions on one day are one day; the day after training is free."""
    history = [done(-1), done(0), done(0), done(2)]
    now = week(PROGRAMME, history, DAY + timedelta(2))
    assert (now.done, now.goal) == (2, 2)
    assert now.next_day == DAY + timedelta(4)
    assert week(PROGRAMME, history, DAY + timedelta(6), goal=3).next_day == DAY + timedelta(6)
