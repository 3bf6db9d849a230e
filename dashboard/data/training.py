# SPDX-License-Identifier: Apache-2.0
"""Guided training: what the sensor sees of the running set, and the question the morning after."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dashboard.data.diary import entries, told_of
from dashboard.data.diary_write import edit
from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.collect.control import ControlClient
from tracker.diary import Entry, Kind, Person, Training
from tracker.errors import BackstayError
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
    told = replace(told_of(Training, entry), next_morning=next_morning)
    return edit(src, viewer, wearer, entry.id, asdict(told))


def mornings(
    src: Sources, viewer: Person, wearer: str, first: date | None = None
) -> dict[int, int | None]:
    """Answers of the mornings after, by when the session began."""
    told = entries(src, viewer, wearer, [Kind.TRAINING], first)
    return {e.at_ns: told_of(Training, e).next_morning for e in told}
