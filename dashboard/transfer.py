# SPDX-License-Identifier: Apache-2.0
"""Diary in and out as one JSON file; what comes in is checked like what is typed."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from dashboard import data
from dashboard.parts import View
from tracker.diary import Entry, Evening, Kind, Massage, Training
from tracker.errors import InputError
from tracker.units import from_ns

FORMAT = "backstay-diary-1"
_TYPES: dict[str, Any] = {"evening": Evening, "massage": Massage, "training": Training}


def diary_json(v: View) -> str:
    """Every current entry of the wearer."""
    kinds = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING)
    entries = data.entries(v.sources, v.viewer, v.wearer, kinds)
    rows = [{"kind": str(e.kind), "day": e.day, "at_ns": e.at_ns, **e.body} for e in entries]
    return json.dumps({"format": FORMAT, "entries": rows}, ensure_ascii=False, indent=1)


def read_diary(v: View, given: object) -> int:
    """Keep the entries of an exported file; the number kept. Refused as a whole when one is bad.

    An entry that is there already (same kind, same time) is passed over.
    """
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise InputError(f"This is no diary file: it needs format {FORMAT!r}.")
    rows = given.get("entries")
    if not isinstance(rows, list):
        raise InputError("This diary file has no list of entries.")
    told = [_read(number, row) for number, row in enumerate(rows, 1)]
    known = {
        (str(e.kind), e.day if e.kind is Kind.EVENING else e.at_ns)
        for e in data.entries(v.sources, v.viewer, v.wearer, tuple(map(Kind, _TYPES)))
    }
    fresh = [t for t in told if _key(t) not in known]
    data.import_entries(v.sources, v.viewer, v.wearer, fresh, v.zone)
    return len(fresh)


def _key(told: Evening | Massage | Training) -> tuple[str, object]:
    if isinstance(told, Evening):
        return "evening", told.day
    return ("massage" if isinstance(told, Massage) else "training"), told.at_ns


def _read(number: int, row: object) -> Evening | Massage | Training:
    if not isinstance(row, Mapping) or row.get("kind") not in _TYPES:
        raise InputError(f"Entry {number}: kind is missing or none of {', '.join(_TYPES)}.")
    kind = _TYPES[str(row["kind"])]
    known = {f.name for f in fields(kind)}
    values = {k: x for k, x in row.items() if k in known}
    if "sets" in values:
        values["sets"] = tuple(tuple(one) for one in values["sets"])
    try:
        return kind(**values)  # type: ignore[no-any-return]  # one of the three above
    except TypeError as error:
        raise InputError(f"Entry {number}: a value is missing ({error}).") from error


def line_of(v: View, entry: Entry) -> str:
    """One entry in one line."""
    at = v.lang.day(from_ns(entry.at_ns, v.zone).date()) if entry.at_ns else entry.day
    body = entry.body
    if entry.kind is Kind.EVENING:
        return v.t("diary.line.evening", day=_day(v, entry), tension=body.get("tension"))
    if entry.kind is Kind.MASSAGE:
        return v.t("diary.line.massage", day=at, minutes=body.get("minutes"))
    if entry.kind is Kind.TRAINING:
        return v.t("diary.line.training", day=at, minutes=body.get("minutes"))
    if entry.kind is Kind.CORRECTION:
        state = v.lang.t(f"common.state.{body.get('state', 'unknown')}")
        return v.t("diary.line.correction", day=at, state=state)
    return v.t("diary.line.note", day=at, text=str(body.get("text", "")))


def _day(v: View, entry: Entry) -> str:
    return v.lang.day(date.fromisoformat(entry.day))
