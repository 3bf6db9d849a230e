# SPDX-License-Identifier: Apache-2.0
"""Local days and conversions. The only place where a wearer's calendar day exists."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.model import MICROSECOND_NS, SECOND_NS

G_MS2 = 9.80665  # standard gravity, CGPM 1901


def to_ns(moment: datetime) -> int:
    """Nanoseconds UTC of an aware datetime, exact to the microsecond."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without time zone: attach one before converting")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_NS + delta.microseconds * MICROSECOND_NS


def from_ns(t_ns: int, tz: ZoneInfo | None = None) -> datetime:
    """Aware datetime of nanoseconds UTC (cut to microseconds), in `tz` or UTC."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_ns // MICROSECOND_NS)
    return moment.astimezone(tz) if tz is not None else moment


def local_date(t_ns: int, tz: ZoneInfo) -> date:
    """The wearer's calendar day of a moment."""
    return from_ns(t_ns, tz).date()


def local_ns(day: date, at: time, tz: ZoneInfo) -> int:
    """The moment of a local wall-clock time; in the skipped hour of spring it moves forward."""
    return to_ns(datetime.combine(day, at, tzinfo=tz).astimezone(UTC))


def day_bounds_ns(day: date, tz: ZoneInfo) -> tuple[int, int]:
    """Start and end (exclusive) of a local day: 23, 24 or 25 hours."""
    return local_ns(day, time(0), tz), local_ns(day + timedelta(days=1), time(0), tz)
