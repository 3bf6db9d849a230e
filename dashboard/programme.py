# SPDX-License-Identifier: Apache-2.0
"""The training programme for this person: next session, this week, words and doses."""

from collections.abc import Sequence
from datetime import date
from functools import cache

from dashboard import data
from dashboard.parts import View
from tracker.advice.load import packaged
from tracker.diary import Entry, Kind, Training
from tracker.exercises import progression
from tracker.exercises.programme import Item, Override, Programme, programme_from

PAIN_RISE = 3  # over the 2 from which on the rule base goes down


@cache
def programme() -> Programme:
    """The programme of the packaged rule base."""
    return programme_from(packaged().document)


def history(v: View) -> Sequence[progression.Done]:
    """Guided sessions so far; what was trained otherwise has no level and does not count here.

    The morning after is told with the training entry; a stop for pain is a rise during it.
    """
    told = data.told_sessions(v.sources, v.viewer, v.wearer)
    entries = data.entries(v.sources, v.viewer, v.wearer, [Kind.SESSION])
    return [_done(e, told.get(_whole(e.body.get("training_at_ns"), 0))) for e in entries]


def _done(answer: Entry, told: Training | None) -> progression.Done:
    body = answer.body
    rise = told.rise if told else None
    if rise is None and body.get("stop_reason") == "exercise_pain":
        rise = PAIN_RISE
    return progression.Done(
        day=date.fromisoformat(answer.day),
        level=_whole(body.get("level"), 1),
        completed=bool(body.get("completed", True)),
        effort=_maybe(body.get("effort")),
        rise=rise,
        next_morning=told.next_morning if told else None,
    )


def override(v: View) -> Override | None:
    """A therapist's own plan for this person, the newest one."""
    plans = data.entries(v.sources, v.viewer, v.wearer, [Kind.PLAN])
    plans = sorted(plans, key=lambda e: e.id)  # as they were written
    found = [e.body for e in plans if "by" in e.body and ("items" in e.body or "level" in e.body)]
    own = Override.from_json(found[-1]) if found else None
    return own if own and (own.items or own.level is not None) else None  # or taken back


def next_step(v: View) -> progression.Step:
    """The level of the next session and why: a therapist's plan, else what the person chose."""
    own = override(v)
    chosen = v.viewer.settings.get("plan_level")
    free = own is None or not own.holds(v.today)
    if free and isinstance(chosen, int) and chosen in levels():
        return progression.Step(level=chosen, reason="stay")
    return progression.next_step(programme(), history(v), v.today, own)


def warm_up() -> tuple[Item, ...]:
    """Slow movements before the session."""
    return programme().warm_up


def items(v: View, step: progression.Step) -> tuple[Item, ...]:
    """The exercises of the next session, without what the safety list takes out.

    What it takes out stays out after a talk with a doctor, and out of a therapist's plan, too.
    """
    state = data.latest_screening(v.sources, v.viewer, v.wearer)
    applies = [k for k, a in state.answers.items() if a != "no"] if state else []
    avoid = data.screened(v.sources, v.viewer, v.wearer, v.zone).avoid_exercises
    made = progression.session(
        programme(), step, override=override(v), today=v.today, answers=applies
    )
    return tuple(item for item in made if item.exercise not in avoid)


def levels() -> Sequence[int]:
    """Numbers of the levels."""
    return [one.n for one in programme().levels]


def minutes(step: progression.Step) -> int:
    """About how long a session of this level takes."""
    return programme().level(step.level).minutes


def name(v: View, exercise: str) -> str:
    """The name of an exercise."""
    return v.lang.t(f"exercise.name.{exercise}")


def dose(v: View, item: Item) -> str:
    """`2 × 6, 5 s halten, je Seite`."""
    reps = [t.reps for t in item.sets]
    count = f"{len(reps)} × {reps[0]}" if len(set(reps)) == 1 else " + ".join(map(str, reps))
    words = [count]
    if item.sets[0].hold_s:
        words.append(v.t("training.hold", seconds=round(item.sets[0].hold_s)))
    if item.per_side:
        words.append(v.t("training.per_side"))
    if item.variant:
        words.append(v.lang.t(f"exercise.variant.{item.variant}"))
    return ", ".join(words)


def _whole(value: object, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) else otherwise


def _maybe(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
