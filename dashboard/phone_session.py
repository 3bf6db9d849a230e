# SPDX-License-Identifier: Apache-2.0
"""The next guided session as the phone page runs it: exercises, doses, words, drawings."""

from typing import Any
from zoneinfo import ZoneInfo

from dashboard import data, drawings, morning, programme, session
from dashboard.parts import View
from tracker.exercises.guided_state import COUNT_IN_S, Tempo
from tracker.exercises.programme import Item
from tracker.report.i18n import language


def plan(src: data.Sources, wearer: str, lang: str) -> dict[str, Any]:
    """Plain values; the words are in the language of the phone's page."""
    person = data.of_phone(src, wearer)
    v = View(
        sources=src,
        viewer=person,
        wearer=wearer,
        lang=language(lang),
        zone=ZoneInfo(person.zone or src.zone_name),
        now_ns=src.clock.now_ns(),
    )
    step = programme.next_step(v)
    tempo = Tempo()
    return {
        "level": step.level,
        "minutes": programme.minutes(step),
        "reason": v.lang.t(f"exercise.reason.{step.reason}", level=step.level),
        "items": [
            *(_item(v, one, warm_up=True) for one in programme.warm_up()),
            *(_item(v, one, warm_up=False) for one in programme.items(v, step)),
        ],
        "tempo": {
            "count_in_s": COUNT_IN_S,
            "up_s": tempo.up_s,
            "down_s": tempo.down_s,
            "rest_s": tempo.rest_s,
            "rest_side_s": tempo.rest_side_s,
        },
        "morning": morning.question(v),
    }


def _item(v: View, item: Item, *, warm_up: bool) -> dict[str, Any]:
    name, t = item.exercise, v.lang.t
    return {
        "exercise": name,
        "name": programme.name(v, name),
        "dose": programme.dose(v, item),
        "mode": session.mode_of(name),
        "per_side": item.per_side,
        "warm_up": warm_up,
        "sets": [{"reps": s.reps, "hold_s": s.hold_s} for s in item.sets],
        "svg": drawings.exercise(name),
        "see": t(f"exercise.see.{session.mode_of(name)}"),
        **{part: t(f"exercise.{part}.{name}") for part in session.PARTS},
        "out": t(f"exercise.out.{name}"),
        "back": t(f"exercise.back.{name}"),
    }
