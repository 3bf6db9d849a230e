# SPDX-License-Identifier: Apache-2.0
"""Guided training: what the sensor sees of the running set, and the question the morning after."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.data.diary import entries, told_of
from dashboard.data.diary_write import edit, save_entry, save_training
from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.collect.control import ControlClient
from tracker.diary import Entry, Kind, Person, Training
from tracker.errors import BackstayError, InputError
from tracker.exercises.guided_state import Live
from tracker.model import SECOND_NS
from tracker.units import local_date

ASK_DAYS = 2  # the diary takes changes for 48 hours
# Better, the same, a little more, clearly more: change of the complaint (tension or pain), 0-10.
MORNINGS = (-2, 0, 1, 3)
PATIENCE_S = 1.5


def live_set(src: Sources, viewer: Person, wearer: str, exercise: str, since_ns: int) -> Live:
    """Repetitions and seconds of the running set; nothing where no collector or sensor sees it."""
    gate(src).may_see(viewer, wearer, "training")
    ago_s = max(0.0, (src.clock.now_ns() - since_ns) / SECOND_NS)
    client = ControlClient(src.collector_folder, timeout_s=PATIENCE_S)
    try:
        seen = client.call("live_set", wearer=wearer, exercise=exercise, ago_s=ago_s)
    except BackstayError:
        return Live()  # the clock and the person count
    reps, hold_s = seen.get("reps"), seen.get("hold_s")
    return Live(
        reps=None if reps is None else int(reps), hold_s=None if hold_s is None else float(hold_s)
    )


def morning_due(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> Entry | None:
    """The newest session of the last two days before today that was not answered yet."""
    today = local_date(src.clock.now_ns(), tz)
    first, last = today - timedelta(days=ASK_DAYS), today - timedelta(days=1)
    told = entries(src, viewer, wearer, [Kind.TRAINING], first, last)
    mine = [e for e in told if e.body.get("sets") and e.body.get("source", "user") == "user"]
    newest = max(mine, key=lambda e: e.at_ns, default=None)
    return newest if newest is not None and newest.body.get("next_morning") is None else None


def answer_morning(
    src: Sources, viewer: Person, wearer: str, entry: Entry, next_morning: int
) -> Entry:
    """Keep the answer with the session it is about."""
    gate(src).may_change(viewer, wearer, "training")
    told = replace(told_of(Training, entry), next_morning=next_morning)
    return edit(src, viewer, wearer, entry.id, asdict(told))


def keep_session(
    src: Sources, viewer: Person, wearer: str, told: Training, body: Mapping[str, object],
    tz: ZoneInfo,
) -> None:  # fmt: skip
    """A guided session: a training entry, and the answer that progression asks for.

    body  level, completed, stop_reason, skipped; sent again (by a phone) it changes nothing
    """
    if any(e.at_ns == told.at_ns for e in entries(src, viewer, wearer, [Kind.TRAINING])):
        return
    save_training(src, viewer, wearer, told, tz)
    answer = {**body, "training_at_ns": told.at_ns, "effort": told.effort}
    save_entry(src, viewer, wearer, Kind.SESSION, answer, tz)


def phone_training(
    src: Sources, viewer: Person, wearer: str, kind: str, body: Mapping[str, Any], tz: ZoneInfo
) -> None:
    """A session or a morning's answer that a phone sends. Raises InputError."""
    at_ns = int(body["at_ns"])
    if kind == "morning":
        told = entries(src, viewer, wearer, [Kind.TRAINING])
        entry = next((e for e in told if e.at_ns == at_ns), None)
        if entry is None:
            raise InputError("This session does not exist any more.")
        answer_morning(src, viewer, wearer, entry, int(body["next_morning"]))
        return
    effort = body.get("effort")
    session = Training(
        at_ns=at_ns,
        minutes=int(body["minutes"]),
        sets=tuple((str(a), int(b), float(c)) for a, b, c in body["sets"]),
        effort=None if effort is None else int(effort),
    )
    answer = {
        "level": int(body["level"]),
        "completed": bool(body["completed"]),
        "stop_reason": str(body.get("stop_reason", ""))[:40],
        "skipped": [str(name)[:40] for name in body.get("skipped", ())][:40],
    }
    keep_session(src, viewer, wearer, session, answer, tz)


def told_sessions(
    src: Sources, viewer: Person, wearer: str, first: date | None = None
) -> dict[int, Training]:
    """Training entries by when they began: the morning after and the rise are told there."""
    told = entries(src, viewer, wearer, [Kind.TRAINING], first)
    return {e.at_ns: told_of(Training, e) for e in told}
