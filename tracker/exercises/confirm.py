# SPDX-License-Identifier: Apache-2.0
"""Sets found outside a session are asked, never assumed; the answer is kept as labelled data."""

from collections.abc import Sequence
from dataclasses import replace

from tracker.model import Exercise, ExerciseSet

SAME_SHARE = 0.5


def to_ask(
    found: Sequence[ExerciseSet],
    answered: Sequence[ExerciseSet] = (),
    sessions_ns: Sequence[tuple[int, int]] = (),
) -> list[ExerciseSet]:
    """The sets a person should be asked about: not answered yet and not inside a guided session."""
    told = [(a.start_ns, a.end_ns) for a in answered if a.source == "user"]
    return [
        one
        for one in found
        if one.source != "user" and not any(_same(one, span) for span in (*told, *sessions_ns))
    ]


def confirmed(
    one: ExerciseSet,
    *,
    exercise: Exercise | None = None,
    reps: int | None = None,
    hold_s: float | None = None,
) -> ExerciseSet:
    """A set as its person says it was; `exercise` NONE says that it was no training at all."""
    return replace(
        one,
        exercise=one.exercise if exercise is None else exercise,
        reps=one.reps if reps is None else max(0, reps),
        hold_s=one.hold_s if hold_s is None else max(0.0, hold_s),
        confidence="high",
        source="user",
    )


def best(found: Sequence[ExerciseSet], answered: Sequence[ExerciseSet]) -> list[ExerciseSet]:
    """What counts: answers replace what was found there; what was no training is left out."""
    told = [a for a in answered if a.source == "user"]
    spans = [(a.start_ns, a.end_ns) for a in told]
    kept = [f for f in found if f.source != "user" and not any(_same(f, s) for s in spans)]
    everything = sorted([*kept, *told], key=lambda s: s.start_ns)
    return [s for s in everything if s.exercise is not Exercise.NONE]


def _same(one: ExerciseSet, span: tuple[int, int]) -> bool:
    """Whether half of the set lies inside the span."""
    common = min(one.end_ns, span[1]) - max(one.start_ns, span[0])
    return common >= SAME_SHARE * (one.end_ns - one.start_ns)
