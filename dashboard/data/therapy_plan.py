# SPDX-License-Identifier: Apache-2.0
"""A therapist's own training plan for one person: a level that stays, or own exercises."""

from datetime import date

from dashboard.data.gate import gate
from dashboard.data.practice import patient, plan
from dashboard.data.sources import Sources, records, writable
from tracker.diary import Entry, Kind, Person
from tracker.errors import InputError
from tracker.exercises.programme import Override

MOST_ITEMS = 12


def programme_held(
    src: Sources, viewer: Person, wearer: str
) -> tuple[Override | None, date | None]:
    """The newest own plan and the day it was written; None where it was taken back."""
    gate(src).may_see(viewer, wearer, "training")
    kept = records(src)
    found = kept.entries(wearer, [Kind.PLAN]) if kept else ()
    plans = [e for e in found if "by" in e.body and ("items" in e.body or "level" in e.body)]
    own = sorted(plans, key=lambda e: e.id)  # as they were written
    if not own:
        return None, None
    held = Override.from_json(own[-1].body)
    return (held if held.items or held.level is not None else None), date.fromisoformat(own[-1].day)


def save_programme(src: Sources, viewer: Person, wearer: str, own: Override | None) -> Entry:
    """Replace the level programme of one person, or (None) give it back. The wearer sees it.

    Sessions a week and goal stay as they are. Raises InputError for what nobody could train.
    """
    gate(src).may_guide(viewer, wearer)
    held = plan(src, viewer, wearer)
    made = own or Override(by=viewer.id)
    if own is not None:
        _check(own)
    body: dict[str, object] = {
        "sessions_per_week": held.sessions_per_week or 3,
        "goal": held.goal,
        **made.to_json(),
    }
    who = patient(src, viewer, wearer)
    return writable(src).put_entry(
        wearer,
        Kind.PLAN,
        body,
        at_ns=src.clock.now_ns(),
        day=who.today.isoformat(),
        author=viewer.id,
    )


def _check(own: Override) -> None:
    if own.level is None and not own.items:
        raise InputError("Choose a level, or at least one exercise.")
    if len(own.items) > MOST_ITEMS:
        raise InputError(f"A session has at most {MOST_ITEMS} exercises.")
    for item in own.items:
        sane = 1 <= len(item.sets) <= 10 and all(
            1 <= t.reps <= 100 and 0 <= t.hold_s <= 600 for t in item.sets
        )
        if not sane:
            raise InputError("1 to 10 sets, 1 to 100 repetitions, at most 600 seconds held.")
