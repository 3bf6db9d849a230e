# SPDX-License-Identifier: Apache-2.0
"""When to go a level up or down, what the next session holds, and how the week stands.

Computed from the rule document and from what was done; nothing is stored here. The rule base says
in words when to move (`progression`); the numbers below are those words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from tracker.exercises.programme import Item, Override, Programme

# progression.up_if: two sessions in a row with all sets, effort at most 6, rise at most 2 and
# settled next morning. progression.down_if: rise over 2, next morning 2 or more above, or the form
# given up in the first set twice.
UP_SESSIONS = 2
UP_EFFORT = 6
UP_RISE = 2
DOWN_RISE = 2
DOWN_MORNING = 2
DOWN_FORM_SESSIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One session as told; None is not asked.

    rise          change of the complaint during it, 0-10
    next_morning  the complaint the morning after against before, -10..10
    """

    day: date
    level: int
    completed: bool = True
    effort: int | None = None
    rise: int | None = None
    next_morning: int | None = None
    form_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The level of the next session and why: start, stay, up, down, pause or therapist."""

    level: int
    reason: Literal["start", "stay", "up", "down", "pause", "therapist"]
    half_sets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The current week (Monday to Sunday): done, goal, and the earliest next day."""

    done: int
    goal: int
    next_day: date


def next_step(
    programme: Programme,
    history: Sequence[Done],
    today: date,
    override: Override | None = None,
) -> Step:
    """The level of the next session, from what was done before `today`."""
    if override is not None and override.holds(today):
        usual = _own_step(programme, history, today)
        level = override.level if override.level is not None else usual.level
        return Step(level=level, reason="therapist")
    return _own_step(programme, history, today)


def _own_step(programme: Programme, history: Sequence[Done], today: date) -> Step:
    past = sorted((d for d in history if d.day <= today), key=lambda d: d.day)
    lowest, highest = programme.levels[0].n, programme.levels[-1].n
    if not past:
        return Step(level=lowest, reason="start")
    last = past[-1]
    level = min(max(last.level, lowest), highest)
    if (today - last.day).days > programme.pause_days:
        return Step(level=max(lowest, level - 1), reason="pause", half_sets=True)
    same = [d for d in past if d.level == last.level]
    if _too_much(past, same):
        return Step(level=max(lowest, level - 1), reason="down")
    recent = past[-UP_SESSIONS:]
    ready = len(recent) == UP_SESSIONS and all(d.level == level and _easy(d) for d in recent)
    if ready and level < highest:
        return Step(level=level + 1, reason="up")
    return Step(level=level, reason="stay")


def _too_much(past: Sequence[Done], same: Sequence[Done]) -> bool:
    last = past[-1]
    rose = last.rise is not None and last.rise > DOWN_RISE
    morning = last.next_morning is not None and last.next_morning >= DOWN_MORNING
    given_up = same[-DOWN_FORM_SESSIONS:]
    lost = len(given_up) == DOWN_FORM_SESSIONS and all(d.form_lost for d in given_up)
    return rose or morning or lost


def _easy(done: Done) -> bool:
    """What was not asked does not hold anybody back, but the effort must have been told."""
    return (
        done.completed
        and not done.form_lost
        and done.effort is not None
        and done.effort <= UP_EFFORT
        and (done.rise is None or done.rise <= UP_RISE)
        and (done.next_morning is None or done.next_morning <= 0)
    )


def session(
    programme: Programme,
    step: Step,
    *,
    override: Override | None = None,
    today: date | None = None,
    answers: Sequence[str] = (),
) -> tuple[Item, ...]:
    """The items of the next session, without what a screening answer takes out.

    answers  ids of screening points that apply (for example "MC04", osteoporosis)
    """
    own = override is not None and (today is None or override.holds(today)) and override.items
    items = override.items if own and override else programme.level(step.level).items
    out = {name for answer in answers for name in programme.left_out.get(answer, ())}
    items = tuple(i for i in items if i.exercise not in out)
    if step.half_sets:
        items = tuple(replace(i, sets=i.sets[: max(1, (len(i.sets) + 1) // 2)]) for i in items)
    return items


def week(
    programme: Programme,
    history: Sequence[Done],
    today: date,
    *,
    goal: int | None = None,
    override: Override | None = None,
) -> Week:
    """Sessions of this week, the goal, and the first day that leaves the rest day free."""
    wanted = goal if goal is not None else programme.days_per_week[0]
    if override is not None and override.holds(today) and override.days_per_week is not None:
        wanted = override.days_per_week
    monday = today - timedelta(days=today.weekday())
    days = {d.day for d in history if d.day <= today}
    last = max(days, default=None)
    next_day = today if last is None else max(today, last + timedelta(1 + programme.rest_days))
    return Week(done=sum(monday <= d for d in days), goal=wanted, next_day=next_day)
