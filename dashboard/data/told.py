# SPDX-License-Identifier: Apache-2.0
"""What is asked, not measured: the one-minute start, and the episode of the clinic profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from dashboard.data import diary, diary_write
from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.advice.start import Start, check_start
from tracker.diary import Entry, Kind, Person
from tracker.units import local_date

_EPISODE = "episode"  # an entry of the start's kind that tells about the episode alone


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeTold:
    """Since when the complaint lasts, and whether a doctor or physiotherapist has looked at it."""

    since: date | None = None
    checked: bool | None = None

    def facts(self, today: date) -> dict[str, object]:
        """As the rules read it; what was not answered is absent."""
        found: dict[str, object] = {}
        if self.since is not None and self.since <= today:
            found["pain_duration_weeks"] = (today - self.since).days / 7
        if self.checked is not None:
            found["medical_check_done"] = self.checked
        return found


def start_of(src: Sources, viewer: Person, wearer: str) -> Start | None:
    """The newest one-minute start."""
    found = [e for e in diary.entries(src, viewer, wearer, [Kind.START]) if _EPISODE not in e.body]
    return _start(date.fromisoformat(found[-1].day), found[-1].body) if found else None


def save_start(
    src: Sources, viewer: Person, wearer: str, body: Mapping[str, object], tz: ZoneInfo
) -> Entry:
    """Keep the answers of a start; refused where one of them cannot be."""
    today = local_date(src.clock.now_ns(), tz)
    check_start(_start(today, body), today)
    return diary_write.save_entry(src, viewer, wearer, Kind.START, body, tz)


def episode_of(src: Sources, viewer: Person, wearer: str) -> EpisodeTold:
    """The newest answer about the episode; empty where it was never asked."""
    found = [e for e in diary.entries(src, viewer, wearer, [Kind.START]) if _EPISODE in e.body]
    if not found:
        return EpisodeTold()
    since, checked = found[-1].body.get("since"), found[-1].body.get("checked")
    return EpisodeTold(
        since=date.fromisoformat(str(since)) if since else None,
        checked=checked if isinstance(checked, bool) else None,
    )


def save_episode(
    src: Sources, viewer: Person, wearer: str, since: date | None, checked: bool | None,
    tz: ZoneInfo,
) -> Entry:  # fmt: skip
    """Keep an answer about the episode."""
    gate(src).may_change(viewer, wearer, diary.SCOPE[Kind.START])
    body: dict[str, object] = {
        _EPISODE: True,
        "since": since.isoformat() if since else None,
        "checked": checked,
    }
    return diary_write.save_entry(src, viewer, wearer, Kind.START, body, tz)


def _start(day: date, body: Mapping[str, object]) -> Start:
    last = body.get("last_massage")
    return Start(
        day=day,
        tension=_whole(body.get("tension")),
        training_days_per_week=_number(body.get("training_days_per_week")),
        massages_4_weeks=_whole(body.get("massages_4_weeks")),
        last_massage=date.fromisoformat(str(last)) if last else None,
    )


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
