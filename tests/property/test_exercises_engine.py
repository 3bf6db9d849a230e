# SPDX-License-Identifier: Apache-2.0
"""What holds for any movement: splits change nothing, sets are in order, sessions stay legal."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracker.advice.load import packaged
from tracker.exercises import engine, guided
from tracker.exercises.guided_screen import screen
from tracker.exercises.guided_state import Live
from tracker.exercises.programme import Item, Target, programme_from
from tracker.exercises.progression import Done, next_step, session, week
from tracker.model import ExerciseSet
from tracker.signal.blocks import BodyBlock

PROGRAMME = programme_from(packaged().document)
DAY = date(2026, 1, 5)


def movement(seed: int, seconds: int, gyro: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """A trunk that swings and rests at random: waves of random axis, size and pace, some noise."""
    rng = np.random.default_rng(seed)
    n = seconds * 50
    t = np.arange(n) / 50
    angles = np.zeros((n, 2))
    at = 0
    while at < n:
        length = int(rng.integers(100, 2500))
        part = slice(at, at + length)
        if rng.random() < 0.6:
            wave = rng.uniform(5, 100) * (1 - np.cos(2 * np.pi * t[part] / rng.uniform(1.2, 9))) / 2
            angles[part, rng.integers(0, 2)] += wave
        at += length
    angles[:, 0] += rng.choice([-90.0, 0.0, 0.0, 85.0])
    pitch, roll = np.deg2rad(angles).T
    acc = np.stack([-np.sin(pitch), np.cos(pitch) * np.sin(roll), np.cos(pitch) * np.cos(roll)], 1)
    acc += rng.normal(0, 0.01, acc.shape)
    turn = rng.normal(0, 30, (n, 3)) if gyro else None
    return acc.astype(np.float32), None if turn is None else turn.astype(np.float32)


def blocks(acc: np.ndarray, gyr: np.ndarray | None, cuts: list[int], t0_ns: int) -> list[BodyBlock]:
    """The movement as blocks cut at rows."""
    return [
        BodyBlock(
            t0_ns=t0_ns + a * engine.RAW_STEP_NS,
            acc_body_g=acc[a:b],
            gyr_body_dps=None if gyr is None else gyr[a:b],
            valid=np.ones(b - a, np.bool_),
            source_fs_hz=50.0,
        )
        for a, b in pairwise(sorted({0, *cuts, acc.shape[0]}))
    ]


def run(parts: list[BodyBlock]) -> list[ExerciseSet]:
    """All sets, with the state dumped and loaded between blocks."""
    state = engine.start()
    found = []
    for part in parts:
        state, more, _ = engine.advance(state, part)
        state = engine.EngineState.load(state.dump())
        found += more
    return found + engine.finish(state)[1]


@given(
    st.integers(0, 10**6),
    st.booleans(),
    st.lists(st.integers(1, 180 * 50 - 1), max_size=30),
    st.integers(0, 10**6),
)
def test_any_split_gives_the_same_sets(seed, gyro, cuts, shift):
    """However the stream is cut and stored in between, and wherever it begins in the quantum."""
    acc, gyr = movement(seed, 180, gyro)
    t0_ns = shift * engine.RAW_STEP_NS
    whole = run(blocks(acc, gyr, [], t0_ns))
    assert run(blocks(acc, gyr, cuts, t0_ns)) == whole


@given(st.integers(0, 10**6), st.booleans())
def test_sets_are_ordered_and_inside_the_stream(seed, gyro):
    """No overlap, positive length, at least two repetitions or a hold, known confidence."""
    acc, gyr = movement(seed, 240, gyro)
    found = run(blocks(acc, gyr, [], 0))
    for one, two in pairwise(found):
        assert one.end_ns <= two.start_ns
    for one in found:
        assert 0 <= one.start_ns < one.end_ns <= 240 * 10**9
        assert (one.reps >= 2 and one.hold_s == 0) or (one.reps == 1 and one.hold_s >= 3)
        assert one.confidence in ("high", "medium", "low")


ITEMS = st.lists(
    st.builds(
        Item,
        exercise=st.sampled_from(["squat", "plank", "dead_bug", "side_plank", "glute_bridge"]),
        sets=st.lists(
            st.builds(Target, reps=st.integers(1, 12), hold_s=st.sampled_from([0.0, 5.0])),
            min_size=1,
            max_size=3,
        ).map(tuple),
        per_side=st.booleans(),
    ),
    max_size=4,
)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["begin", "tap", "finish_set", "skip", "stop", "effort"]),
        st.integers(0, 120),
        st.builds(
            Live,
            reps=st.none() | st.integers(0, 20),
            hold_s=st.none() | st.floats(0, 60),
        ),
    ),
    max_size=40,
)


@given(ITEMS, MOVES)
def test_a_guided_session_stays_legal(items, moves):
    """Any order of taps: never an error, never more sets than planned, an end stays an end."""
    state = guided.begin(items, 0)
    planned = sum(len(i.sets) * (2 if i.per_side else 1) for i in items)
    now = 0
    for move, passed, live in moves:
        ended = state.phase in ("done", "stopped")
        before = state
        now += passed * 10**9
        state = guided.act(state, move, now, value=5, live=live)
        assert not ended or state == before
        assert len(state.results) <= planned
        shown = screen(state, now, live)
        assert shown.left_s >= 0
        assert shown.count >= 0
        assert shown.set_number <= max(1, shown.sets)
    if guided.completed(state):
        assert not state.skipped


DONES = st.lists(
    st.builds(
        Done,
        day=st.integers(0, 60).map(lambda d: DAY + timedelta(d)),
        level=st.integers(1, 3),
        completed=st.booleans(),
        effort=st.none() | st.integers(0, 10),
        rise=st.none() | st.integers(-5, 10),
        next_morning=st.none() | st.integers(-10, 10),
        form_lost=st.booleans(),
    ),
    max_size=12,
)


@given(DONES, st.integers(0, 90))
def test_progression_is_slow_and_safe(history, later):
    """One level at a time, inside the levels; never up after a rise or a bad morning."""
    today = DAY + timedelta(later)
    step = next_step(PROGRAMME, history, today)
    assert 1 <= step.level <= 3
    past = sorted((d for d in history if d.day <= today), key=lambda d: d.day)
    if past:
        assert abs(step.level - past[-1].level) <= 1
        bad = (past[-1].rise or 0) > 2 or (past[-1].next_morning or 0) >= 2
        assert not (bad and step.level > past[-1].level)
    items = session(PROGRAMME, step)
    assert items
    assert all(i.sets for i in items)
    now = week(PROGRAMME, history, today)
    assert now.next_day >= today
    assert 0 <= now.done <= 7
