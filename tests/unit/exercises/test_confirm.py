# SPDX-License-Identifier: Apache-2.0
"""What is asked, what an answer changes, and what counts afterwards."""

from tracker.exercises.confirm import best, confirmed, to_ask
from tracker.model import SECOND_NS, Exercise, ExerciseSet


def found(start_s: int, end_s: int, exercise: Exercise = Exercise.SIT_UP) -> ExerciseSet:
    """A set as the sensor found it."""
    return ExerciseSet(
        start_ns=start_s * SECOND_NS,
        end_ns=end_s * SECOND_NS,
        exercise=exercise,
        reps=8,
        hold_s=0.0,
        confidence="medium",
    )


def test_sets_outside_a_session_are_asked_once():
    """Answered ones and those of a guided session are not asked again."""
    sets = [found(0, 30), found(100, 130), found(200, 230)]
    answer = confirmed(sets[0], reps=9)
    session = (195 * SECOND_NS, 400 * SECOND_NS)
    assert to_ask(sets, [answer], [session]) == [sets[1]]
    assert to_ask([answer]) == []


def test_an_answer_is_labelled_data():
    """It keeps the span, bears the person's word and is sure."""
    one = confirmed(found(0, 30), exercise=Exercise.CURL_UP, reps=10)
    assert (one.exercise, one.reps, one.confidence, one.source) == (
        Exercise.CURL_UP,
        10,
        "high",
        "user",
    )
    assert (one.start_ns, one.end_ns) == (0, 30 * SECOND_NS)


def test_answers_replace_what_was_found():
    """A correction counts, "no training" takes a set away, a reanalysis changes neither."""
    sets = [found(0, 30), found(100, 130), found(200, 230)]
    answers = [confirmed(sets[0], reps=9), confirmed(sets[1], exercise=Exercise.NONE)]
    again = [found(1, 31), found(99, 128), found(200, 230)]
    for version in (sets, again):
        counted = best(version, answers)
        assert [(s.start_ns // SECOND_NS, s.reps) for s in counted] == [(0, 9), (200, 8)]
