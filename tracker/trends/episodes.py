# SPDX-License-Identifier: Apache-2.0
"""Every massage as it was: the wearer's own ratings over the following seven days.

No average and no effect: with few massages each line says more than any mean of them. Beside the
lines stands how far the diary is from an answer, and the day after a massage is offered as a good
window for a short session: loosen, then train.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from tracker.diary import Evening, Massage
from tracker.trends.diaries import Outcome, massage_series, ratings_by_day
from tracker.trends.nof1 import Gates, Progress, progress_of
from tracker.units import local_date

FOLLOW_DAYS = 7
WINDOW_MINUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One massage and the ratings of day 0 (before it) to day 7; `None` where there is none.

    `open_days` counts days that are still to come; `next_massage_in` days until the next massage
    within the week, if any: from there on the line belongs to that one too.
    """

    day: date
    massages: tuple[Massage, ...]
    ratings: tuple[int | None, ...]
    open_days: int
    next_massage_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A good moment for a short session after a massage."""

    day: date
    minutes: int
    massage_day: date


def episodes(
    evenings: Sequence[Evening],
    massages: Sequence[Massage],
    zone: ZoneInfo,
    *,
    today: date,
    outcome: Outcome = "tension",
) -> tuple[Episode, ...]:
    """All episodes up to today, oldest first; massages of one day are one episode."""
    rated = ratings_by_day(evenings, outcome)
    by_day: dict[date, list[Massage]] = {}
    for one in sorted(massages, key=lambda m: m.at_ns):
        by_day.setdefault(local_date(one.at_ns, zone), []).append(one)
    days = sorted(d for d in by_day if d <= today)
    return tuple(_episode(d, tuple(by_day[d]), days, rated, today) for d in days)


def _episode(
    day: date,
    massages: tuple[Massage, ...],
    days: Sequence[date],
    rated: Mapping[date, int],
    today: date,
) -> Episode:
    follow = [day + timedelta(days=k) for k in range(FOLLOW_DAYS + 1)]
    later = [(d - day).days for d in days if 0 < (d - day).days <= FOLLOW_DAYS]
    return Episode(
        day=day,
        massages=massages,
        ratings=tuple(rated.get(d) if d <= today else None for d in follow),
        open_days=sum(d > today for d in follow),
        next_massage_in=min(later, default=None),
    )


def progress(
    evenings: Sequence[Evening],
    massages: Sequence[Massage],
    zone: ZoneInfo,
    *,
    today: date,
    outcome: Outcome = "tension",
    gates: Gates | None = None,
) -> Progress:
    """How far the diary is from an answer: massages, days, completeness, free days."""
    series = massage_series(evenings, massages, zone, outcome=outcome, today=today)
    return progress_of(series, gates or Gates())


def session_window(
    massages: Sequence[Massage],
    zone: ZoneInfo,
    *,
    today: date,
    training_allowed: bool,
    trained: frozenset[date] = frozenset(),
) -> Window | None:
    """The day after the newest massage, if that is today or tomorrow and not trained on yet.

    None while the safety list does not allow training.
    """
    past = [d for m in massages if (d := local_date(m.at_ns, zone)) <= today]
    if not past or not training_allowed:
        return None
    newest = max(past)
    day = newest + timedelta(days=1)
    if day < today or day in trained:
        return None
    return Window(day=day, minutes=WINDOW_MINUTES, massage_day=newest)
