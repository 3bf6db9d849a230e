# SPDX-License-Identifier: Apache-2.0
"""When to say something, and when not: a pure policy over what has been seen.

Prompts are off until somebody switches them on. They look at settled epochs of enough confidence,
at a real stretch of sitting or stillness (never at the clock alone), and keep quiet outside work
hours, in quiet contexts, while snoozed, above a daily number, and shortly after the last one. A
prompt that is due waits for a natural pause, at most :data:`WAIT_NS`. One unbroken slouch is one
event, however long it lasts. Whoever shows a prompt keeps it and asks :func:`followed` later.

No I/O and no clock: now is part of the context.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, State
from tracker.prompt_choice import PromptSettings
from tracker.trends.bouts import SitBout, sitting_bouts
from tracker.trends.motion import Span, shift_epochs, slouch_events

MINUTE_NS = 60 * SECOND_NS
PROVISIONAL_NS = 2 * EPOCH_NS  # the newest epochs may still change their label
WAIT_NS = 5 * MINUTE_NS  # a due prompt waits this long for a natural pause
FRESH_NS = 60 * SECOND_NS  # older epochs say nothing about now
FOLLOW_NS = 5 * MINUTE_NS  # a break within this time counts as "followed"
BREAK_NS = 60 * SECOND_NS  # shorter is no break (product.md 6.1)
PAUSE_FACTOR = 2.5  # movement above this times the stretch's median is a natural pause (ours)
# Confidence that a state must have; higher sensitivity speaks up on less (ours).
CONFIDENCE = {"low": 0.9, "normal": 0.75, "high": 0.6}
EVENING_H = 3  # the evening reminder comes within so many hours, or not at all


class Cause(StrEnum):
    """What a prompt is about."""

    SITTING = "sitting"
    STILL = "still"
    SLOUCH = "slouch"
    EVENING = "evening"  # not about the body: the evening entry waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt: when, about what, how long it had lasted, and where that stretch began."""

    at_ns: int
    cause: Cause
    minutes: float
    since_ns: int
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The moment: `history` holds today's prompts.

    `hour` is the wearer's local hour; `quiet` is a call, a talk, a film: whatever the desktop's
    "do not disturb" or the wearer says.
    """

    now_ns: int
    epochs: Epochs
    in_work_hours: bool = True
    hour: int | None = None
    quiet: bool = False
    snoozed_until_ns: int | None = None
    history: Sequence[Prompt] = ()


def decide(settings: PromptSettings, moment: Context) -> Prompt | None:
    """A prompt for this moment, or None."""
    if not _may_speak(settings, moment):
        return None
    settled = _settled(moment)
    if not len(settled) or moment.now_ns - _end(settled) > FRESH_NS:
        return None
    if not _sure(settled, CONFIDENCE[settings.sensitivity]):
        return None
    for cause, since_ns in _due(settings, settled):
        if cause is Cause.SLOUCH and _told_of(moment.history, cause, since_ns):
            continue
        late_ns = _end(settled) - since_ns - _threshold_ns(settings, cause)
        if late_ns < WAIT_NS and not _pausing(settled, since_ns):
            continue
        return Prompt(
            at_ns=moment.now_ns,
            cause=cause,
            minutes=(_end(settled) - since_ns) / MINUTE_NS,
            since_ns=since_ns,
            tone=settings.tone,
        )
    return None


def followed(prompt: Prompt, epochs: Epochs) -> bool | None:
    """Whether the wearer got up for a minute within five minutes; None while that is not known."""
    if not len(epochs) or _end(epochs) < prompt.at_ns + FOLLOW_NS + BREAK_NS:
        return None
    inside = (epochs.start_ns >= prompt.at_ns) & (
        epochs.start_ns < prompt.at_ns + FOLLOW_NS + BREAK_NS
    )
    up = np.isin(epochs.state[inside], (State.STANDING, State.WALKING, State.EXERCISE))
    need = BREAK_NS // EPOCH_NS
    if up.size < need:
        return False
    return bool((np.convolve(up, np.ones(need), "valid") >= need).any())


def evening_due(
    settings: PromptSettings, moment: Context, local: datetime, from_hour: int, told: bool
) -> Prompt | None:
    """The reminder of the evening entry: once, from the chosen hour, unless it is there already.

    It is no prompt about the body: work hours, quiet hours and the daily number do not count (the
    hour was chosen for this), a snooze and a quiet context do.
    """
    begun = from_hour <= local.hour < from_hour + EVENING_H
    reminded = any(p.cause is Cause.EVENING for p in moment.history)
    if not settings.evening or told or reminded or not begun or _resting(moment):
        return None
    return Prompt(
        at_ns=moment.now_ns,
        cause=Cause.EVENING,
        minutes=0.0,
        since_ns=moment.now_ns,
        tone=settings.tone,
    )


def _resting(moment: Context) -> bool:
    if moment.quiet:
        return True
    return moment.snoozed_until_ns is not None and moment.now_ns < moment.snoozed_until_ns


def _may_speak(settings: PromptSettings, moment: Context) -> bool:
    if not settings.any or _resting(moment) or moment.hour in settings.quiet_hours:
        return False
    if settings.work_hours_only and not moment.in_work_hours:
        return False
    history = [p for p in moment.history if p.cause is not Cause.EVENING]
    if len(history) >= settings.daily_cap:
        return False
    last = max((p.at_ns for p in history), default=None)
    return last is None or moment.now_ns - last >= settings.repeat_min * MINUTE_NS


def _settled(moment: Context) -> Epochs:
    epochs = moment.epochs
    limit = moment.now_ns - PROVISIONAL_NS - EPOCH_NS
    return epochs[: int(np.searchsorted(epochs.start_ns, limit, side="right"))]


def _end(epochs: Epochs) -> int:
    return int(epochs.start_ns[-1]) + EPOCH_NS


def _sure(settled: Epochs, least: float) -> bool:
    """The last half minute sits, and surely so."""
    newest = settled[-6:]
    sits = np.isin(newest.state, (State.SITTING, State.SLOUCHING))
    return bool(sits.all() and float(newest.confidence.mean()) >= least)


def _threshold_ns(settings: PromptSettings, cause: Cause) -> float:
    minutes = settings.delay_min if cause is Cause.SLOUCH else settings.after_min
    return minutes * MINUTE_NS


def _due(settings: PromptSettings, settled: Epochs) -> list[tuple[Cause, int]]:
    """Causes whose stretch is long enough, each with its beginning."""
    end_ns = _end(settled)
    bouts = sitting_bouts(settled, start_ns=int(settled.start_ns[0]), end_ns=end_ns)
    bout = bouts[-1] if bouts and bouts[-1].end_ns == end_ns else None
    found: list[tuple[Cause, int]] = []
    if settings.slouch:
        event = _open_slouch(settled, end_ns)
        if event is not None and end_ns - event.start_ns >= settings.delay_min * MINUTE_NS:
            found.append((Cause.SLOUCH, event.start_ns))
    if bout is None:
        return found
    if settings.breaks and bout.minutes >= settings.after_min:
        found.append((Cause.SITTING, bout.start_ns))
    if settings.still:
        since_ns = _still_since(settled, bout)
        if end_ns - since_ns >= settings.after_min * MINUTE_NS:
            found.append((Cause.STILL, since_ns))
    return found


def _open_slouch(settled: Epochs, end_ns: int) -> Span | None:
    events = slouch_events(settled)
    return events[-1] if events and events[-1].end_ns == end_ns else None


def _still_since(settled: Epochs, bout: SitBout) -> int:
    shifts = settled.start_ns[shift_epochs(settled)]
    inside = shifts[shifts >= bout.start_ns]
    return int(inside[-1]) if inside.size else bout.start_ns


def _told_of(history: Sequence[Prompt], cause: Cause, since_ns: int) -> bool:
    return any(p.cause is cause and p.at_ns >= since_ns for p in history)


def _pausing(settled: Epochs, since_ns: int) -> bool:
    """Whether the wearer moves more than in this stretch so far: a good moment to speak."""
    stretch = settled.move_mg[settled.start_ns >= since_ns]
    newest = float(stretch[-2:].max()) if stretch.size >= 2 else 0.0
    return newest > PAUSE_FACTOR * max(float(np.median(stretch)), 0.5)
