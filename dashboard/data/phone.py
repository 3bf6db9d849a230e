# SPDX-License-Identifier: Apache-2.0
"""What a registered phone may do for its wearer: the evening tap, a massage, today's first advice.

The phone door has checked the phone's token and knows whose movement it carries; here the wearer
is the viewer, so the gate and the rules of the diary hold as on the page.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.data import advice, diary, diary_write, training, trial
from dashboard.data.people import owner
from dashboard.data.sources import Sources, records
from tracker.diary import Evening, Massage, Person
from tracker.errors import AccessDenied, InputError
from tracker.report.i18n import language
from tracker.units import local_date


def of_phone(src: Sources, wearer: str) -> Person:
    """The person whose phone it is."""
    kept = records(src)
    person = kept.person_of(wearer) if kept else None
    person = person or owner(src)
    if person.wearer != wearer or not person.active:
        raise AccessDenied("This phone belongs to nobody who can keep a diary here.")
    return person


def phone_today(src: Sources, wearer: str, lang: str) -> dict[str, Any]:
    """What the phone page shows: which scales are asked, what was told, the first advice."""
    person = of_phone(src, wearer)
    tz = ZoneInfo(person.zone or src.zone_name)
    today = local_date(src.clock.now_ns(), tz)
    told = diary.evening_entry(src, person, wearer, today)
    code = person.language or lang
    cards = advice.advised(src, person, wearer, tz, code).cards
    due = trial.experiment_reminder(src, person, wearer, tz)
    words = language(code)
    return {
        "reminder": words.t(due.key, minutes=due.minutes, day=words.day(due.day, weekday=True))
        if due
        else None,
        "asks": list(diary.outcomes(src, person)),
        "told": {} if told is None else {k: told.body.get(k) for k in ("tension", "pain")},
        "advice": {"title": cards[0].title, "text": cards[0].text} if cards else None,
    }


def phone_entry(src: Sources, wearer: str, kind: str, body: Mapping[str, Any]) -> None:
    """Keep one entry of the phone; sending it again changes nothing."""
    person = of_phone(src, wearer)
    tz = ZoneInfo(person.zone or src.zone_name)
    try:
        if kind == "evening":
            day = date.fromisoformat(str(body["day"]))
            old = diary.evening_entry(src, person, wearer, day)
            told = Evening(day=day.isoformat())
            if old is not None:
                known = {f.name for f in fields(Evening)}
                told = Evening(**{k: v for k, v in old.body.items() if k in known})  # type: ignore[arg-type]  # JSON of the same dataclass
            if body.get("tension") is not None:
                told = replace(told, tension=_scale(body["tension"]))
            if body.get("pain") is not None:
                told = replace(told, pain=_scale(body["pain"]))
            diary_write.save_evening(src, person, wearer, told, tz)
            return
        if kind == "massage":
            made = Massage(
                at_ns=int(body["at_ns"]), minutes=int(body["minutes"]), by=str(body["by"])
            )
            if any(m.at_ns == made.at_ns for m in diary.massages(src, person, wearer)):
                return
            diary_write.save_massage(src, person, wearer, made, tz)
            return
        if kind in ("training", "morning"):
            training.phone_training(src, person, wearer, kind, body, tz)
            return
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"This entry is not understood ({error}).") from error
    raise InputError("A phone keeps evening entries, massages and training.")


def _scale(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10:
        raise InputError("A scale goes from 0 to 10.")
    return value
