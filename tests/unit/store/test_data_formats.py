# SPDX-License-Identifier: Apache-2.0
"""`docs/data-formats.md` against the schema and the lines that are really sent."""

import re
from pathlib import Path

import pytest

from tests.fakes.series import T0, make_epochs
from tracker.model import (
    EPOCH_COLUMNS,
    EPOCH_RESOLUTION,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Placement,
    State,
    Transition,
    TransitionKind,
    Trunk,
)
from tracker.settings import Settings
from tracker.store import influx_lines as line
from tracker.store.base import DayRow, HourRow
from tracker.store.records import open_records
from tracker.store.sqlite import open_store

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data-formats.md"
TEXT = PAGE.read_text(encoding="utf-8")
P = Placement.WAIST


def rows() -> dict[str, list[str]]:
    """Rows of the epoch table by column name."""
    part = TEXT.split("## Epochs")[1].split("## Events")[0]
    cells = [[c.strip() for c in r.strip("|").split("|")] for r in part.splitlines() if "|" in r]
    return {c[0].strip("`"): c for c in cells[2:]}


def test_every_epoch_column_is_explained_with_its_resolution() -> None:
    """The table has each column once, with the resolution that is applied."""
    assert set(rows()) == {*EPOCH_COLUMNS, "algo"}
    for column, step in EPOCH_RESOLUTION.items():
        assert rows()[column][3].endswith(f"INTEGER, {step:g}")


@pytest.mark.parametrize(
    ("column", "codes"), [("state", State), ("trunk", Trunk), ("exercise", Exercise)]
)
def test_codes_are_the_programs_own(column: str, codes: type[State]) -> None:
    """Numbers and names of the codes are those of the model."""
    assert rows()[column][1] == ", ".join(f"{int(c)} {c.label}" for c in codes)


def test_sqlite_tables_are_described(tmp_path: Path) -> None:
    """Every table, and every column of the tables that are listed column by column."""
    settings = Settings(data=tmp_path)
    store, records = open_store(settings), open_records(settings)
    for opened in (store._reading(), records.engine.reading()):
        with opened as db:
            names = [
                n
                for (n,) in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                ).fetchall()
            ]
            assert names
            for name in names:
                assert f"`{name}`" in TEXT, name
    with store._reading() as db:
        epoch = {r[1] for r in db.execute("PRAGMA table_info(epoch)")}
        assert epoch - {"series"} == {
            re.match(r"`(\w+)`", r[3])[1]
            for r in rows().values()  # type: ignore[index]
        }
        for table in ("transition", "exercise_set", "gap"):
            columns = [r[1] for r in db.execute(f"PRAGMA table_info({table})")][1:]
            assert f"`{table}` ({', '.join(f'`{c}`' for c in columns)})" in TEXT
    store.close()
    records.close()


def fields_of(text: str) -> dict[str, str]:
    """Field names and types of a line."""
    body = re.sub(r'"(?:[^"\\]|\\.)*"', '"text"', text.split(" ", 1)[1]).rsplit(" ", 1)[0]
    kinds = {}
    for pair in body.split(","):
        name, _, value = pair.partition("=")
        kinds[name] = "string" if value[0] == '"' else "integer" if value[-1] == "i" else "float"
    return kinds


def test_epoch_lines_have_exactly_the_fields_of_the_table() -> None:
    """Names and types of the fields, tags and precision."""
    (text,) = line.epoch_lines("w", P, make_epochs(T0, 1))
    assert text.startswith("epoch,placement=waist,wearer=w ")
    assert text.endswith(f" {T0 // 10**9}")
    cells = [r[4].replace("`", "").split(" ") for r in rows().values() if r[4].startswith("`")]
    told = {name: kind for name, kind, *_ in cells}
    assert fields_of(text) == told
    assert fields_of(line.removed_epoch_line("w", P, T0)) == told


def test_event_and_rollup_lines_have_the_fields_that_are_described() -> None:
    """Each field of each other measurement stands in the tables; removed rows have the same."""
    kind = TransitionKind.SIT_TO_STAND
    lines = [
        line.transition_line("w", P, Transition(at_ns=T0, kind=kind, confidence=0.5)),
        line.set_line("w", P, ExerciseSet(start_ns=T0, end_ns=T0, exercise=Exercise.PLANK, reps=0,
                                          hold_s=1, confidence="high")),
        line.gap_line("w", P, Gap(start_ns=T0, end_ns=T0, reason=GapReason.LINK_LOST)),
        line.hour_line("w", P, HourRow(start_ns=T0)),
        line.day_line(DayRow(wearer="w", placement=P, day="2026-01-01", start_ns=T0,
                             tz_offset_s=0, values={"w50_min": 3.5, "hh_sit_00": 5.0})),
    ]  # fmt: skip
    for text in lines:
        assert f"`{text.split(',')[0]}`" in TEXT
        for name in fields_of(text):
            known = f"`{name}`" in TEXT or name.startswith("s_") or name in line.METRICS
            assert known, name
    day = fields_of(lines[-1])
    assert set(line.METRICS) <= set(day)
    assert fields_of(line.removed_day_line("w", P, "2026-01-01", T0)) == day
    assert fields_of(line.removed_event_line("transition", "w", P, T0, str(kind))) == fields_of(
        lines[0]
    )
    assert fields_of(line.removed_event_line("exercise_set", "w", P, T0, "")) == fields_of(lines[1])


def test_text_in_lines_cannot_break_out() -> None:
    """Quotes, backslashes and line breaks of a text stay inside it."""
    epochs = make_epochs(T0, 1)
    from dataclasses import replace

    (text,) = line.epoch_lines("w", P, replace(epochs, algo='x" y\\ z\nepoch,w=1 a=1'))
    assert "\n" not in text
    assert fields_of(text)["algo"] == "string"
