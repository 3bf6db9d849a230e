# SPDX-License-Identifier: Apache-2.0
"""What a guided session remembers, and what it is told."""

from dataclasses import dataclass
from typing import Literal

from tracker.exercises.programme import Item

Phase = Literal["ready", "work", "rest", "effort", "done", "stopped"]
Move = Literal["begin", "tap", "finish_set", "skip", "stop", "effort"]


Source = Literal["sensor", "timer", "user"]

UP_S = 2.0  # an even tempo for beginners; practice knowledge
DOWN_S = 3.0
REST_S = 45.0
REST_SIDE_S = 10.0
COUNT_IN_S = 3.0
# Why somebody stopped: the ids of the stop texts of the rule base, in its order.
STOP_REASONS = ("exercise_pain", "unwell", "pregnancy", "osteoporosis", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """Seconds up and down, and of the rests."""

    up_s: float = UP_S
    down_s: float = DOWN_S
    rest_s: float = REST_S
    rest_side_s: float = REST_SIDE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """One set as done; `source` says who counted: sensor, timer or user."""

    exercise: str
    set_number: int
    side: str
    reps: int
    hold_s: float
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Guided:
    """Where a session stands. `since_ns` is when the phase began; `taps` counts in the set."""

    items: tuple[Item, ...]
    tempo: Tempo
    phase: Phase
    since_ns: int
    item: int = 0
    set_at: int = 0
    side: str = ""
    taps: int = 0
    results: tuple[SetResult, ...] = ()
    skipped: tuple[str, ...] = ()
    effort: int | None = None
    stop_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the sensor sees at this moment of the running set; None where it sees nothing."""

    reps: int | None = None
    hold_s: float | None = None
