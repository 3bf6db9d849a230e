# SPDX-License-Identifier: Apache-2.0
"""The training programme: the levels of the rule base, and a therapist's own plan.

Doses are practice knowledge: no trial shows that these exact numbers are best.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Document = Mapping[str, Any]

DEFAULT_PAUSE_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One set: repetitions (per side where the item says so) and seconds each is held."""

    reps: int
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One exercise of a session; `variant` is a word of the rule base, "" where there is none."""

    exercise: str
    sets: tuple[Target, ...]
    per_side: bool = False
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: about how long a session takes, how many weeks it is meant for."""

    n: int
    minutes: int
    weeks: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """All levels, the warm-up, and the weekly frame."""

    levels: tuple[Level, ...]
    warm_up: tuple[Item, ...]
    days_per_week: tuple[int, int]
    rest_days: int
    pause_days: int
    left_out: Mapping[str, tuple[str, ...]]  # screening answer -> exercises that it takes out

    def level(self, n: int) -> Level:
        """A level by number; the nearest one where there is no such level."""
        return min(self.levels, key=lambda level: abs(level.n - n))


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A therapist's own plan for one person: either a level that stays, or own items."""

    by: str
    level: int | None = None
    items: tuple[Item, ...] = ()
    days_per_week: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    def holds(self, today: date) -> bool:
        """Whether it is in force on a day."""
        begun = self.first_day is None or self.first_day <= today
        return begun and (self.last_day is None or today <= self.last_day)

    def to_json(self) -> dict[str, object]:
        """Plain values for a diary entry."""
        return {
            "by": self.by,
            "level": self.level,
            "days_per_week": self.days_per_week,
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "items": [
                {
                    "ex": i.exercise,
                    "sets": [[t.reps, t.hold_s] for t in i.sets],
                    "per_side": i.per_side,
                    "variant": i.variant,
                }
                for i in self.items
            ],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Override":
        """The inverse of :meth:`to_json`."""
        first, last = body.get("first_day"), body.get("last_day")
        return cls(
            by=str(body["by"]),
            level=body.get("level"),
            days_per_week=body.get("days_per_week"),
            first_day=date.fromisoformat(first) if first else None,
            last_day=date.fromisoformat(last) if last else None,
            items=tuple(
                Item(
                    exercise=str(i["ex"]),
                    sets=tuple(Target(reps=int(r), hold_s=float(h)) for r, h in i["sets"]),
                    per_side=bool(i.get("per_side")),
                    variant=str(i.get("variant", "")),
                )
                for i in body.get("items", ())
            ),
        )


def programme_from(document: Document) -> Programme:
    """The programme of a rule document (`advice/rules.toml` or the packaged one)."""
    frame = document["programme"]
    sets, reps = _dose(str(frame.get("warm_up_dose", "1 x 8")))
    low, high = frame["days_per_week"]
    return Programme(
        levels=tuple(
            Level(
                n=int(one["n"]),
                minutes=int(one["minutes"]),
                weeks=int(one["weeks"]),
                items=tuple(_item(i) for i in one["items"]),
            )
            for one in document["programme_level"]
        ),
        warm_up=tuple(
            Item(exercise=str(name), sets=(Target(reps=reps, hold_s=0.0),) * sets)
            for name in frame["warm_up"]
        ),
        days_per_week=(int(low), int(high)),
        rest_days=int(frame.get("rest_days_between", 1)),
        pause_days=int(document.get("progression", {}).get("pause_over_days", DEFAULT_PAUSE_DAYS)),
        left_out=_left_out(document),
    )


def _dose(text: str) -> tuple[int, int]:
    found = re.match(r"\s*(\d+)\s*x\s*(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (1, 8)


def _item(one: Mapping[str, Any]) -> Item:
    hold_s = float(one.get("hold_s", 0))
    counts = one.get("reps_pyramid") or [one.get("reps", 1)] * int(one.get("sets", 1))
    return Item(
        exercise=str(one["ex"]),
        sets=tuple(Target(reps=int(n), hold_s=hold_s) for n in counts),
        per_side=bool(one.get("per_side", False)),
        variant=str(one.get("variant", "")),
    )


def _left_out(document: Document) -> dict[str, tuple[str, ...]]:
    """`stop[].then` texts such as "MC04: remove curl_up, sit_up from the plan"."""
    found: dict[str, tuple[str, ...]] = {}
    for stop in document.get("stop", ()):
        rule = re.match(r"(\w+): remove (.+) from the plan", str(stop.get("then", "")))
        if rule:
            found[rule[1]] = tuple(name.strip() for name in rule[2].split(","))
    return found
