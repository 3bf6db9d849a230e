# SPDX-License-Identifier: Apache-2.0
"""Which reminder of a self-experiment is due: a pure question about a day, asked by every channel.

At most one at a time. A missed massage is never asked to be made up: another day would not be the
one the coin chose. The words are the catalogue's, `experiment.remind.KIND`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tracker.trends.experiment import COMPARE_DAYS, Plan

RESULT_FOR = timedelta(days=7)  # so long the result is news


class Remind(StrEnum):
    """What a reminder is about; in the order in which one wins over the next."""

    MASSAGE_TODAY = "massage_today"
    MASSAGE_MISSED = "massage_missed"
    NO_MASSAGE = "no_massage"
    RATE = "rate"
    MASSAGE_TOMORROW = "massage_tomorrow"
    STARTS = "starts"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder for a day. `minutes` is the planned length of a massage."""

    kind: Remind
    day: date
    minutes: int

    @property
    def key(self) -> str:
        """Its sentence in the catalogue; the values are `minutes` and `day`."""
        return f"experiment.remind.{self.kind}"


def due(
    plan: Plan,
    *,
    today: date,
    massaged: Collection[date],
    rated: Collection[date],
    evening: bool = False,
) -> Reminder | None:
    """The reminder for this moment, or None.

    massaged  days with a massage in the diary
    rated     days with an evening entry
    evening   whether it is late enough to ask for today's entry
    """
    start = date.fromisoformat(plan.first_day)
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    booked = set(plan.massage_days())
    free = {plan.other_day(b) for b in range(plan.blocks)}

    cases = (
        (today in booked and today not in massaged, Remind.MASSAGE_TODAY, today),
        (yesterday in booked and yesterday not in massaged, Remind.MASSAGE_MISSED, yesterday),
        (today in free, Remind.NO_MASSAGE, today),
        (
            evening and today not in rated and today in compared_days(plan),
            Remind.RATE,
            today,
        ),
        (tomorrow in booked and today >= start, Remind.MASSAGE_TOMORROW, tomorrow),
        (tomorrow == start, Remind.STARTS, tomorrow),
        (plan.last_day < today <= plan.last_day + RESULT_FOR, Remind.RESULT, today),
    )
    found = next(((kind, day) for holds, kind, day in cases if holds), None)
    if found is None:
        return None
    return Reminder(kind=found[0], day=found[1], minutes=plan.massage_minutes)


def compared_days(plan: Plan) -> frozenset[date]:
    """Days whose rating enters the result: days 1 to 6 after either week's weekday."""
    first, last = COMPARE_DAYS
    starts = [day(b) for b in range(plan.blocks) for day in (plan.massage_day, plan.other_day)]
    return frozenset(d + timedelta(days=k) for d in starts for k in range(first, last + 1))
