# SPDX-License-Identifier: Apache-2.0
"""Diary rows for import and export: one flat shape, the same in CSV and JSON.

Columns are those of `COLUMNS`; an empty cell is "not answered", never 0. Times are ISO 8601 with an
offset. A row that cannot be read comes back as a `Problem`; nothing is guessed.
"""

from collections.abc import Mapping
from datetime import datetime

from tracker.advice.diary_rules import Problem
from tracker.diary import Evening, Massage, Training
from tracker.units import from_ns, to_ns

COLUMNS = (
    "kind",
    "day",
    "at",
    "tension",
    "pain",
    "stress",
    "painkiller",
    "unusual_load",
    "illness",
    "minutes",
    "massage_kind",
    "pressure",
    "by",
    "relief_1h",
    "relief_morning",
    "sore_morning",
    "effort",
    "rise",
    "next_morning",
    "note",
)
Record = Evening | Massage | Training
_YES_NO = {"yes": True, "ja": True, "true": True, "1": True}
_YES_NO |= {"no": False, "nein": False, "false": False, "0": False}


def row_of(record: Record) -> dict[str, str]:
    """One record as a row of text cells."""
    cells: dict[str, object] = {}
    names: tuple[str, ...]
    if isinstance(record, Evening):
        names = ("day", "tension", "pain", "stress")
        names += ("painkiller", "unusual_load", "illness", "note")
        cells = {"kind": "evening", **{n: getattr(record, n) for n in names}}
    elif isinstance(record, Massage):
        names = ("minutes", "pressure", "by", "relief_1h", "relief_morning", "sore_morning")
        cells = {"kind": "massage", "at": _iso(record.at_ns), "massage_kind": record.kind}
        cells |= {n: getattr(record, n) for n in names}
    else:
        names = ("minutes", "effort", "rise", "next_morning")
        cells = {"kind": "training", "at": _iso(record.at_ns)}
        cells |= {n: getattr(record, n) for n in names}
    return {c: _cell(cells.get(c)) for c in COLUMNS}


def record_of(row: Mapping[str, str | None]) -> Record | Problem:
    """The record of a row, or why it cannot be read. Ranges are checked by `diary_rules`."""
    unknown = sorted(set(row) - set(COLUMNS))
    if unknown:
        return _problem(unknown[0], "column", value=unknown[0], allowed=", ".join(COLUMNS))
    cells = {k: (v or "").strip() for k, v in row.items()}
    kind = cells.get("kind", "")
    try:
        if kind == "evening":
            return _evening(cells)
        if kind == "massage":
            return _massage(cells)
        if kind == "training":
            return _training(cells)
    except _Unreadable as fault:
        return fault.problem
    return _problem("kind", "kind", value=kind)


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.key)
        self.problem = problem


def _evening(cells: Mapping[str, str]) -> Evening:
    return Evening(
        day=cells.get("day", ""),
        tension=_int(cells, "tension"),
        pain=_int(cells, "pain"),
        stress=_int(cells, "stress"),
        painkiller=_bool(cells, "painkiller"),
        unusual_load=_bool(cells, "unusual_load"),
        illness=_bool(cells, "illness"),
        note=cells.get("note", ""),
    )


def _massage(cells: Mapping[str, str]) -> Massage:
    return Massage(
        at_ns=_at(cells),
        minutes=_int(cells, "minutes") or 0,
        kind=cells.get("massage_kind") or "other",
        pressure=cells.get("pressure") or "light",
        by=cells.get("by") or "therapist",
        relief_1h=_int(cells, "relief_1h"),
        relief_morning=_int(cells, "relief_morning"),
        sore_morning=_bool(cells, "sore_morning"),
    )


def _training(cells: Mapping[str, str]) -> Training:
    return Training(
        at_ns=_at(cells),
        minutes=_int(cells, "minutes") or 0,
        effort=_int(cells, "effort"),
        rise=_int(cells, "rise"),
        next_morning=_int(cells, "next_morning"),
    )


def _int(cells: Mapping[str, str], name: str) -> int | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise _Unreadable(_problem(name, "whole_number", value=text)) from None


def _bool(cells: Mapping[str, str], name: str) -> bool | None:
    text = cells.get(name, "").lower()
    if not text:
        return None
    if text not in _YES_NO:
        raise _Unreadable(_problem(name, "yes_no", value=text))
    return _YES_NO[text]


def _at(cells: Mapping[str, str]) -> int:
    text = cells.get("at", "")
    try:
        return to_ns(datetime.fromisoformat(text))
    except ValueError:
        raise _Unreadable(_problem("at", "no_moment", value=text)) from None


def _iso(t_ns: int) -> str:
    return from_ns(t_ns).isoformat()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _problem(name: str, key: str, **values: object) -> Problem:
    return Problem(field=name, key=f"diary.problem.{key}", values=values)
