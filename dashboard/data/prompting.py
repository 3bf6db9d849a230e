# SPDX-License-Identifier: Apache-2.0
"""Prompts as pages see them: what the collector said, whether a break followed, and quiet.

The collector decides and keeps the log (`tracker.prompt_log`); here it is read, shown and filed
into the diary, where it stays. Quiet asked for on a page is kept with the person.
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.data import diary
from dashboard.data.gate import gate
from dashboard.data.people import save_settings
from dashboard.data.sources import Sources, records, writable
from tracker.collect.control import ControlClient
from tracker.collect.prompter import rest_end_ns
from tracker.diary import Kind, Person
from tracker.model import SECOND_NS
from tracker.prompt_log import (
    KEY,
    REST_KEY,
    PromptLog,
    Rest,
    Told,
    log_of,
    newest,
    quiet_until,
    rest_of,
    told_json,
    told_of,
)
from tracker.prompts import Cause
from tracker.units import local_date

# By then it is known whether a break followed, or it never will be.
FILED_AFTER_NS = 6 * 3600 * SECOND_NS


def due_prompt(src: Sources, viewer: Person, wearer: str) -> Told | None:
    """The prompt that a page shows at this moment, decided by the collector."""
    gate(src).may_change(viewer, wearer, "settings")
    told = newest(_log(src, wearer), src.clock.now_ns(), "page")
    rest = rest_of(viewer.settings.get(REST_KEY))
    return told if told is not None and rest.set_ns < told.prompt.at_ns else None


def prompts_on(
    src: Sources, viewer: Person, wearer: str, first_ns: int, end_ns: int, tz: ZoneInfo
) -> Sequence[Told]:
    """The prompts of a span, filed or not yet, each with whether a break followed."""
    gate(src).may_see(viewer, wearer, diary.SCOPE[Kind.PROMPT])
    days = local_date(first_ns, tz), local_date(end_ns - 1, tz)
    filed = diary.entries(src, viewer, wearer, [Kind.PROMPT], *days)
    known = [told_of({"at_ns": e.at_ns, **e.body}) for e in filed]
    by_time = {t.prompt.at_ns: t for t in known if t is not None}
    by_time |= {t.prompt.at_ns: t for t in _log(src, wearer).told}
    return [by_time[at] for at in sorted(by_time) if first_ns <= at < end_ns]


def file_prompts(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> int:
    """Put what the log knows for good into the diary, once each; how many."""
    gate(src).may_change(viewer, wearer, diary.SCOPE[Kind.PROMPT])
    now_ns = src.clock.now_ns()
    ripe = [t for t in _log(src, wearer).told if _is_ripe(t, now_ns)]
    kept = records(src)
    if not ripe or kept is None:
        return 0
    days = [local_date(t.prompt.at_ns, tz).isoformat() for t in ripe]
    filed = {e.at_ns for e in kept.entries(wearer, [Kind.PROMPT], min(days), max(days))}
    new = [(t, day) for t, day in zip(ripe, days, strict=True) if t.prompt.at_ns not in filed]
    for told, day in new:
        at_ns = told.prompt.at_ns
        body = told_json(told)
        writable(src).put_entry(wearer, Kind.PROMPT, body, at_ns=at_ns, day=day, author=viewer.id)
    return len(new)


def _is_ripe(told: Told, now_ns: int) -> bool:
    known = told.followed is not None or told.prompt.cause is Cause.EVENING
    return known or now_ns - told.prompt.at_ns > FILED_AFTER_NS


def quiet_until_ns(src: Sources, viewer: Person, wearer: str) -> int | None:
    """End of the quiet asked for last, on a page, a notification or a phone; None: no quiet."""
    gate(src).may_change(viewer, wearer, "settings")
    until_ns = quiet_until(viewer, _log(src, wearer))
    return until_ns if until_ns > src.clock.now_ns() else None


def snooze(src: Sources, viewer: Person, minutes: float | None, tz: ZoneInfo) -> Person:
    """Keep quiet for so many minutes, or until tomorrow; prompts come back by themselves."""
    now_ns = src.clock.now_ns()
    return _rest(src, viewer, rest_end_ns(now_ns, minutes, tz))


def end_quiet(src: Sources, viewer: Person) -> Person:
    """Prompts may come again from now on."""
    return _rest(src, viewer, 0)


def _rest(src: Sources, viewer: Person, until_ns: int) -> Person:
    rest = Rest(set_ns=src.clock.now_ns(), until_ns=until_ns)
    return save_settings(src, viewer, {REST_KEY: rest.as_json()})


def try_prompt(src: Sources, viewer: Person, wearer: str) -> dict[str, Any]:
    """Let the collector say an example on the chosen channels: `taken` and `refused`."""
    gate(src).may_change(viewer, wearer, "settings")
    answer = ControlClient(src.collector_folder, timeout_s=15.0).call("prompt_try", wearer=wearer)
    return dict(answer)


def _log(src: Sources, wearer: str) -> PromptLog:
    return log_of(src.local.wearer_settings(wearer).get(KEY))
