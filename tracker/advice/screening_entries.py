# SPDX-License-Identifier: Apache-2.0
"""The safety list as it stands in the diary: confirmations, new symptoms, talks with a doctor.

A new symptom is an entry of the same kind with `new_symptom`; it answers nothing by itself, so it
is never taken for a confirmation.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from tracker.advice.screening import Discussed, Screening
from tracker.diary import Entry

NEW_SYMPTOM = "new_symptom"


def latest_of(entries: Sequence[Entry]) -> Screening | None:
    """The newest confirmation among entries in order of time."""
    told = [e for e in entries if not e.body.get(NEW_SYMPTOM)]
    if not told:
        return None
    body = told[-1].body
    answers = body.get("answers")
    return Screening(
        day=date.fromisoformat(told[-1].day),
        mode=str(body.get("mode", "static")),
        none_applies=bool(body.get("none_applies")),
        answers={str(k): str(v) for k, v in answers.items()} if isinstance(answers, dict) else {},
    )


def symptom_day_of(entries: Sequence[Entry]) -> date | None:
    """The day of a new symptom told after the newest confirmation; None where there is none.

    `screening.screened` compares days, so a symptom in the afternoon of the day on which the list
    was confirmed in the morning counts as the day after.
    """
    latest = latest_of(entries)
    if not entries or not entries[-1].body.get(NEW_SYMPTOM):
        return None
    day = date.fromisoformat(entries[-1].day)
    return day if latest is None else max(day, latest.day + timedelta(days=1))


def talks_of(entries: Sequence[Entry]) -> list[Discussed]:
    """What was discussed with a doctor."""
    return [
        Discussed(
            item=str(e.body["item"]),
            day=date.fromisoformat(e.day),
            massage=bool(e.body.get("massage")),
            training=bool(e.body.get("training")),
        )
        for e in entries
    ]
