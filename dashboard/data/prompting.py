# SPDX-License-Identifier: Apache-2.0
"""Prompts in the browser: what the policy of `tracker.prompts` sees, and what is kept of it."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from dashboard.data import diary, series
from dashboard.data.advice import work_window
from dashboard.data.gate import gate
from dashboard.data.people import save_settings
from dashboard.data.sources import Sources
from tracker.diary import Kind, Person
from tracker.model import SECOND_NS
from tracker.prompts import Cause, Context, Prompt, decide, followed, prompt_settings
from tracker.units import from_ns, local_date

LOOK_BACK_NS = 5 * 3600 * SECOND_NS  # the longest stretch that can be chosen is four hours


def due_prompt(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> Prompt | None:
    """A prompt for this moment; it is kept before it is shown, so that it comes once."""
    gate(src).may_change(viewer, wearer, "settings")
    settings = prompt_settings(viewer.settings.get("prompts"))
    if not (settings.breaks or settings.still or settings.slouch):
        return None
    now_ns = src.clock.now_ns()
    places = series.placements(src, viewer, wearer)
    if not places:
        return None
    snoozed = viewer.settings.get("snoozed_until_ns")
    moment = Context(
        now_ns=now_ns,
        epochs=src.local.epochs(wearer, places[0], now_ns - LOOK_BACK_NS, now_ns),
        in_work_hours=_working(viewer, now_ns, tz),
        snoozed_until_ns=snoozed if isinstance(snoozed, int) else None,
        history=prompts_of(src, viewer, wearer, tz),
    )
    prompt = decide(settings, moment)
    if prompt is not None:
        body: dict[str, object] = {
            "cause": str(prompt.cause),
            "minutes": round(prompt.minutes, 1),
            "since_ns": prompt.since_ns,
            "tone": prompt.tone,
        }
        diary.save_entry(src, viewer, wearer, Kind.PROMPT, body, tz)
    return prompt


def _working(viewer: Person, now_ns: int, tz: ZoneInfo) -> bool:
    window = work_window(viewer)
    now = from_ns(now_ns, tz)
    return window.includes(now.date()) and window.start <= now.time() < window.end


def prompts_of(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> Sequence[Prompt]:
    """Today's prompts, by time."""
    today = local_date(src.clock.now_ns(), tz)
    return [
        Prompt(
            at_ns=e.at_ns,
            cause=Cause(str(e.body["cause"])),
            minutes=float(str(e.body["minutes"])),
            since_ns=int(str(e.body["since_ns"])),
            tone=str(e.body.get("tone", "plain")),
        )
        for e in diary.entries(src, viewer, wearer, [Kind.PROMPT], today, today)
    ]


def followed_prompts(
    src: Sources, viewer: Person, wearer: str, day: series.Day, tz: ZoneInfo
) -> Sequence[tuple[Prompt, bool | None]]:
    """The prompts of a day, each with whether a break followed within five minutes."""
    gate(src).may_see(viewer, wearer, diary.SCOPE[Kind.PROMPT])
    shown = day.minutes.day
    if shown != local_date(src.clock.now_ns(), tz):
        return ()
    return [(p, followed(p, day.epochs)) for p in prompts_of(src, viewer, wearer, tz)]


def snooze(src: Sources, viewer: Person, minutes: float | None, tz: ZoneInfo) -> Person:
    """Keep quiet for so many minutes, or until tomorrow; prompts come back by themselves."""
    now_ns = src.clock.now_ns()
    if minutes is None:
        tomorrow = local_date(now_ns, tz) + timedelta(days=1)
        until_ns = series.day_start_ns(tomorrow, tz)
    else:
        until_ns = now_ns + round(minutes * 60) * SECOND_NS
    return save_settings(src, viewer, {"snoozed_until_ns": until_ns})
