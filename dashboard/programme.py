# SPDX-License-Identifier: Apache-2.0
"""The starter programme of the rule base, in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.parts import View
from tracker.advice.load import packaged
from tracker.diary import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a session. `hold_s` 0 is no hold; `reps` may be 1 for a single hold."""

    exercise: str
    sets: int
    reps: int
    hold_s: float
    per_side: bool


def levels() -> Sequence[int]:
    """Numbers of the levels."""
    return [int(one["n"]) for one in _levels()]


def level_of(viewer: Person) -> int:
    """The level this person trains at."""
    chosen = viewer.settings.get("plan_level")
    return chosen if isinstance(chosen, int) and chosen in levels() else 1


def minutes(level: int) -> int:
    """How long a session of a level takes."""
    return int(_level(level).get("minutes", 15))


def items(level: int) -> Sequence[Item]:
    """The exercises of a session of a level."""
    return [
        Item(
            exercise=str(one["ex"]),
            sets=int(one.get("sets", 1)),
            reps=int(one.get("reps", 1)),
            hold_s=float(one.get("hold_s", 0)),
            per_side=bool(one.get("per_side")),
        )
        for one in _level(level).get("items", ())
    ]


def name(exercise: str, lang: str) -> str:
    """The name of an exercise; its id where the rule base has none."""
    return str(_exercise(exercise).get(lang, exercise))


def cue(exercise: str, lang: str) -> str:
    """How it is done, in two sentences."""
    return str(_exercise(exercise).get(f"cue_{lang}", ""))


def dose(v: View, item: Item) -> str:
    """`2 × 6, 5 s halten, je Seite`."""
    words = [f"{item.sets} × {item.reps}"]
    if item.hold_s:
        words.append(v.t("training.hold", seconds=round(item.hold_s)))
    if item.per_side:
        words.append(v.t("training.per_side"))
    return ", ".join(words)


def note(v: View) -> str:
    """What stands behind the doses."""
    return v.t("training.dose_note")


def _levels() -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = packaged().document.get("programme_level", ())
    return found


def _level(level: int) -> Mapping[str, Any]:
    return next((one for one in _levels() if one["n"] == level), {})


def _exercise(exercise: str) -> Mapping[str, Any]:
    return next(
        (one for one in packaged().document.get("exercise", ()) if one["id"] == exercise), {}
    )
