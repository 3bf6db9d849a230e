# SPDX-License-Identifier: Apache-2.0
"""Weeks of a wearer directly as epochs, with diary: for the demo, page tests and benches.

Days are made of activities with durations (a semi-Markov chain over desk, breaks, lunch, home and
training); angles follow a posture level that changes now and then and sinks with time in the bout.
No samples are simulated: a year takes seconds. Everything comes from the generator given.
"""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.diary import Evening, Massage, Training
from tracker.model import (
    EPOCH_NS,
    EPOCH_RESOLUTION,
    EPOCH_S,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    State,
    Transition,
    TransitionKind,
    Trunk,
)
from tracker.simulation.diary import DiaryWorld, simulate
from tracker.simulation.plans import (
    LOW_BACK,
    NO_EPOCHS,
    OFFICE,
    ONLY_GAPS,
    PROGRAMME,
    Profile,
    weekend_plan,
    workday_plan,
)
from tracker.trends.motion import slouch_events
from tracker.units import day_bounds_ns, local_ns

__all__ = ["LOW_BACK", "OFFICE", "ONLY_GAPS", "History", "Profile", "history"]
ALGO = "simulated-history 1"
_TALL_DEG, _SPAN_DEG = 4.0, 24.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Everything one wearer left behind, oldest first."""

    epochs: Epochs
    transitions: tuple[Transition, ...]
    sets: tuple[ExerciseSet, ...]
    gaps: tuple[Gap, ...]
    evenings: tuple[Evening, ...]
    massages: tuple[Massage, ...]
    trainings: tuple[Training, ...]


def history(
    rng: np.random.Generator,
    days: int,
    zone: ZoneInfo,
    profile: Profile = OFFICE,
    *,
    last_day: date = date(2026, 11, 23),
    until_ns: int | None = None,
) -> History:
    """`days` local days ending with `last_day`, cut at `until_ns` (exclusive) if given."""
    dates = [last_day - timedelta(days=days - 1 - i) for i in range(days)]
    starts: list[NDArray[np.int64]] = []
    states: list[NDArray[np.int64]] = []
    sets: list[ExerciseSet] = []
    trained: list[tuple[date, int]] = []
    gaps: list[Gap] = []
    for day in dates:
        begin_ns = local_ns(day, time(7, 0), zone) + int(rng.integers(0, 720)) * EPOCH_NS
        if profile.only_gaps or rng.random() > profile.worn:
            if profile.only_gaps:
                first_ns, last_ns = day_bounds_ns(day, zone)
                gap = Gap(start_ns=first_ns, end_ns=last_ns, reason=GapReason.OUT_OF_REACH)
                gaps.append(gap)
            continue
        plan = workday_plan(rng, day, profile) if day.weekday() < 5 else weekend_plan(rng, profile)
        codes = np.repeat(plan.states, plan.lengths)
        at = begin_ns + np.arange(codes.size, dtype=np.int64) * EPOCH_NS
        seen = codes != NO_EPOCHS
        gaps += _gaps_of(at, seen)
        starts.append(at[seen])
        states.append(codes[seen])
        for first, n, what, reps, hold_s in plan.sets:
            made = _set(int(at[first]), n, what, reps, hold_s)
            sets.append(made)
        if plan.sets:
            trained.append((day, int(at[plan.sets[0][0]])))
    epochs = _epochs(rng, starts, states, profile) if starts else Epochs.empty()
    limit_ns = until_ns if until_ns is not None else day_bounds_ns(last_day, zone)[1]
    epochs = epochs[epochs.start_ns + EPOCH_NS <= limit_ns]
    evenings, massages = _diary(rng, dates, zone, profile, limit_ns)
    return History(
        epochs=epochs,
        transitions=tuple(_transitions(rng, epochs)),
        sets=tuple(s for s in sets if s.end_ns <= limit_ns),
        gaps=tuple(
            replace(g, end_ns=min(g.end_ns, limit_ns)) for g in gaps if g.start_ns < limit_ns
        ),
        evenings=evenings,
        massages=massages,
        trainings=_trainings(rng, trained, limit_ns) if profile.diary else (),
    )


def _set(start_ns: int, n: int, what: Exercise, reps: int, hold_s: float) -> ExerciseSet:
    return ExerciseSet(
        start_ns=start_ns,
        end_ns=start_ns + n * EPOCH_NS,
        exercise=what,
        reps=reps,
        hold_s=hold_s,
        confidence="high",
    )


def _gaps_of(at: NDArray[np.int64], seen: NDArray[np.bool_]) -> list[Gap]:
    edge = np.diff(np.concatenate([[True], seen, [True]]).astype(int))
    begins, ends = np.flatnonzero(edge < 0), np.flatnonzero(edge > 0)
    return [
        Gap(
            start_ns=int(at[b]),
            end_ns=int(at[e - 1]) + EPOCH_NS,
            reason=GapReason.OUT_OF_REACH,
        )
        for b, e in zip(begins, ends, strict=True)
    ]


def _epochs(
    rng: np.random.Generator,
    starts: list[NDArray[np.int64]],
    states: list[NDArray[np.int64]],
    profile: Profile,
) -> Epochs:
    start_ns = np.concatenate(starts)
    state = np.concatenate(states).astype(np.uint8)
    n = state.size
    sit = state == State.SITTING
    new = np.ones(n, bool)
    new[1:] = (state[1:] != state[:-1]) | (np.diff(start_ns) != EPOCH_NS)
    first = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    into_min = (np.arange(n) - first) * (EPOCH_S / 60)
    # a mood for about a quarter of an hour, shifts about every minute, and sinking over the bout
    mood = _steps(rng, new, 3, 28, 24)
    shifted = _steps(rng, new, 70, 0, 12)
    sinking = 22 * (1 - np.exp(-into_min / 25))
    slump_pct = np.clip(np.rint(mood + shifted + sinking + rng.normal(0, 2.0, n)), -50, 150)
    base = np.array([0, 0, 86, 0, 0, 3, 5, 30], float)[state]
    wobble = rng.normal(0, np.array([0, 0, 2, 0, 0, 1.5, 2.0, 20])[state])
    tilt = np.where(sit, _TALL_DEG + _SPAN_DEG * slump_pct / 100, base + wobble)
    blind = (state == State.UNKNOWN) | (state == State.NOT_WORN)
    tilt[blind] = np.nan
    side = np.where(sit, _steps(rng, new, 12, 0, 4), 0.0) + rng.normal(0, 1.0, n)
    side[blind] = np.nan
    move = np.array([3, 0.5, 2, 4, 4, 12, 160, 90], float)[state] * rng.lognormal(0, 0.35, n)
    sees = sit & profile.upper_back
    over = sees & (slump_pct > 60)
    trunk = np.where(over, Trunk.SLUMPED, np.where(tilt > 25, Trunk.FORWARD, Trunk.UPRIGHT))
    trunk[blind] = Trunk.UNKNOWN

    def fixed(name: str, values: NDArray[np.float64]) -> NDArray[np.float32]:
        step = EPOCH_RESOLUTION[name]
        return (np.rint(values / step) * step).astype(np.float32)

    confidence = np.where(blind, 0.3, np.clip(rng.normal(0.93, 0.04, n), 0.5, 1))
    made = Epochs(
        start_ns=start_ns,
        state=state,
        confidence=fixed("confidence", confidence),
        trunk=trunk.astype(np.uint8),
        slouch=over.astype(np.uint8),
        tilt_deg=fixed("tilt_deg", tilt),
        side_deg=fixed("side_deg", side),
        slump_pct=np.where(sees, slump_pct, np.nan).astype(np.float32),
        move_mg=fixed("move_mg", move),
        exercise=np.where(state == State.EXERCISE, Exercise.OTHER, 0).astype(np.uint8),
        worn=(state != State.NOT_WORN).astype(np.uint8),
        valid=np.ones(n, np.float32),
        algo=ALGO,
    )
    marked = state.copy()
    for event in slouch_events(made):
        a, b = np.searchsorted(start_ns, [event.start_ns, event.end_ns])
        marked[a:b] = np.where(sit[a:b], State.SLOUCHING, marked[a:b])
    return replace(made, state=marked)


def _steps(
    rng: np.random.Generator, new: NDArray[np.bool_], per_h: float, mean: float, sd: float
) -> NDArray[np.float64]:
    """A level per epoch that is drawn anew `per_h` times an hour and at every new stretch."""
    change = new | (rng.random(new.size) < per_h * EPOCH_S / 3600)
    return np.asarray(rng.normal(mean, sd, int(change.sum()))[np.cumsum(change) - 1])


def _transitions(rng: np.random.Generator, epochs: Epochs) -> list[Transition]:
    sit = (epochs.state == State.SITTING) | (epochs.state == State.SLOUCHING)
    up = (epochs.state == State.STANDING) | (epochs.state == State.WALKING)
    lie = epochs.state == State.LYING
    touch = np.diff(epochs.start_ns) == EPOCH_NS
    pairs = (
        (TransitionKind.SIT_TO_STAND, sit, up),
        (TransitionKind.STAND_TO_SIT, up, sit),
        (TransitionKind.SIT_TO_LIE, sit, lie),
        (TransitionKind.LIE_TO_SIT, lie, sit),
    )
    found = [
        (int(epochs.start_ns[i + 1]), kind)
        for kind, before, after in pairs
        for i in np.flatnonzero(before[:-1] & after[1:] & touch).tolist()
    ]
    return [
        Transition(at_ns=at, kind=kind, confidence=round(float(rng.uniform(0.7, 0.99)), 2))
        for at, kind in sorted(found)
    ]


def _diary(
    rng: np.random.Generator,
    dates: list[date],
    zone: ZoneInfo,
    profile: Profile,
    limit_ns: int,
) -> tuple[tuple[Evening, ...], tuple[Massage, ...]]:
    if not profile.diary or not dates:
        return (), ()
    n = len(dates)
    gap_d = max(7, round(28 / max(profile.massages, 0.1)) - 3)
    world = DiaryWorld(
        days=n, mean=4.2, sd=1.4, effect=-1.4, massages=n, min_gap_d=gap_d, missing=0.12
    )
    rated, booked = simulate(rng, world)
    pain = np.clip(np.rint(np.nan_to_num(rated[0]) - 1 + rng.normal(0, 0.7, n)), 0, 10)
    evenings, massages = [], []
    for i, day in enumerate(dates):
        evening_ns = local_ns(day, time(20, 30), zone)
        if booked[0, i] and evening_ns - 2 * 3600 * SECOND_NS < limit_ns:
            relief = int(np.clip(rng.normal(6, 1.8), 0, 10))
            massages.append(
                Massage(
                    at_ns=evening_ns - 2 * 3600 * SECOND_NS,
                    minutes=int(rng.choice([10, 20, 30])),
                    kind=str(rng.choice(["knead", "stroke", "mixed"])),
                    by=str(rng.choice(["therapist", "partner", "self"])),
                    relief_1h=relief,
                    relief_morning=max(relief - int(rng.integers(0, 4)), 0),
                    sore_morning=bool(rng.random() < 0.1),
                )
            )
        if np.isnan(rated[0, i]) or evening_ns >= limit_ns:
            continue
        evenings.append(
            Evening(
                day=day.isoformat(),
                tension=int(rated[0, i]),
                pain=int(pain[i]),
                painkiller=bool(rng.random() < 0.04),
                unusual_load=bool(rng.random() < 0.05),
                illness=bool(rng.random() < 0.015),
                late=bool(rng.random() < 0.08),
            )
        )
    return tuple(evenings), tuple(massages)


def _trainings(
    rng: np.random.Generator, trained: list[tuple[date, int]], limit_ns: int
) -> tuple[Training, ...]:
    return tuple(
        Training(
            at_ns=at_ns,
            minutes=int(rng.integers(14, 24)),
            sets=tuple((e.label, r, h) for e, r, h in PROGRAMME),
            effort=int(rng.integers(3, 8)),
            next_morning=int(rng.integers(-1, 2)),
            source="sensor_confirmed",
        )
        for _, at_ns in trained
        if at_ns < limit_ns
    )
