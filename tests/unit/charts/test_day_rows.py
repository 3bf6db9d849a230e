# SPDX-License-Identifier: Apache-2.0
"""Days as rows: what stands beside a row is the day's number, and the hatched is not counted."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.report import charts
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.report.i18n import LANGUAGES, language
from tracker.simulation.history import history
from tracker.trends.day import summarise
from tracker.trends.summary import VALID_DAY_S, DaySummary
from tracker.units import day_bounds_ns

ZONE = ZoneInfo("Europe/Berlin")
LAST = date(2026, 11, 20)  # a Friday
FIRST = LAST - timedelta(days=6)
SHORT, BLIND, MISSING = FIRST + timedelta(days=2), FIRST + timedelta(days=3), LAST


@pytest.fixture(scope="module")
def week() -> tuple[dict[date, DayMinutes], dict[date, DaySummary]]:
    """A week: one day too short, one with two hours that could not be told, one not measured."""
    made = history(np.random.default_rng(5), 7, ZONE, last_day=LAST)
    grids, days = {}, {}
    for i in range(6):
        day = FIRST + timedelta(days=i)
        start_ns, end_ns = day_bounds_ns(day, ZONE)
        grids[day] = day_minutes(made.epochs, day, ZONE)
        days[day] = summarise(
            made.epochs, made.transitions, made.sets, start_ns=start_ns, end_ns=end_ns, zone=ZONE
        )
    days = {d: replace(s, seconds={**s.seconds, "unknown": 0}) for d, s in days.items()}
    days[SHORT] = replace(days[SHORT], waking_s=VALID_DAY_S - 60.0)
    days[BLIND] = replace(days[BLIND], seconds={**days[BLIND].seconds, "unknown": 7200})
    return grids, days


def row_words(drawn: charts.Picture) -> list[list[str]]:
    """The words at the left and at the right of the rows."""
    assert drawn.chart is not None
    found = re.findall(r'"labelExpr": "(\[.*?\])\[floor', json.dumps(drawn.chart.to_dict()))
    return [json.loads(json.loads(f'"{text}"')) for text in found]


def layers(drawn: charts.Picture, mark: str) -> list[list[dict[str, Any]]]:
    """The rows behind each layer of this mark."""
    assert drawn.chart is not None
    spec = drawn.chart.to_dict()
    return [
        spec["datasets"][one["data"]["name"]]
        for one in spec["layer"]
        if one["mark"]["type"] == mark
    ]


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_row_of_the_weeks_has_its_badge_and_its_numbers(
    week: tuple[dict[date, DayMinutes], dict[date, DaySummary]], code: str
) -> None:
    """Full, not full and not measured differ at the left; sitting and longest sit at the right."""
    grids, days = week
    lang = language(code)
    drawn = charts.actogram(grids, days, FIRST, LAST, lang)
    left, right = row_words(drawn)
    assert [words[-1] for words in left] == ["●", "●", "○", "●", "●", "●", "–"]
    assert right[-1] == ""
    for word, one in zip(right, days.values(), strict=False):
        assert one.longest_sit_min is not None
        hours = lang.number(one.sit_s / 3600, 1)
        assert word == f"{hours} h · {round(one.longest_sit_min)} min"
    assert {"●", "○"} <= {sign for sign, _ in drawn.legend}
    assert "5" in drawn.alt, "five of the six measured days are full"
    table = drawn.table
    assert list(table[lang.t("charts.full_day")]).count(lang.t("dashboard.no")) == 1
    same = charts.stacked_days(days, FIRST, LAST, lang).table
    for key in ("charts.worn", "common.metric.sitting", "common.state.standing"):
        assert list(table[lang.t(key)]) == list(same[lang.t(key)]), "two tables, one number"


def test_hours_are_marked_and_weekends_tinted(
    week: tuple[dict[date, DayMinutes], dict[date, DaySummary]],
) -> None:
    """A mark at every whole hour of the clock that is shown; Saturday and Sunday have a ground."""
    drawn = charts.actogram(*week, FIRST, LAST, language("en"))
    [free] = layers(drawn, "rect")
    assert [row["top"] for row in free] == [0, 1], "the week begins on a Saturday"
    hours = [row["hour"] for row in layers(drawn, "rule")[0]]
    assert hours == list(range(int(free[0]["from"]), int(free[0]["to"]) + 1, 60))


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_could_not_be_told_is_hatched_and_not_counted(
    week: tuple[dict[date, DayMinutes], dict[date, DaySummary]], code: str
) -> None:
    """Two such hours lengthen the grey ground and leave the share of sitting as it was."""
    _, days = week
    lang = language(code)
    drawn = charts.stacked_days(days, FIRST, LAST, lang)
    without = {d: replace(s, seconds={**s.seconds, "unknown": 0}) for d, s in days.items()}
    plain = charts.stacked_days(without, FIRST, LAST, lang)
    assert row_words(drawn) == row_words(plain)
    assert row_words(drawn)[1] == [
        *(lang.percent(s.sit_s / s.waking_s) for s in days.values()),
        "",
    ]
    assert drawn.alt == plain.alt
    ground, blind = layers(drawn, "rect")
    [one] = blind
    assert one["to"] - one["from"] == pytest.approx(2.0)
    assert lang.t("charts.cannot_tell") in one["text"]
    before = layers(plain, "rect")[0]
    grown = [a["to"] - b["to"] for a, b in zip(ground, before, strict=True)]
    assert grown == pytest.approx([0, 0, 0, 2, 0, 0])
    assert layers(drawn, "bar") == layers(plain, "bar")
    word = lang.t("charts.cannot_tell_uncounted")
    assert ("hatch", word) in drawn.legend
    assert "hatch" not in {sign for sign, _ in plain.legend}
    assert list(drawn.table[word]).count(lang.duration(120)) == 1


def test_a_day_without_waking_time_has_no_share_of_it(
    week: tuple[dict[date, DayMinutes], dict[date, DaySummary]],
) -> None:
    """A dash, and never 0 %."""
    _, days = week
    slept = replace(days[FIRST], waking_s=0.0)
    assert slept.sedentary_index is None
    drawn = charts.stacked_days({FIRST: slept}, FIRST, FIRST, language("en"))
    assert row_words(drawn)[1] == [language("en").percent(None)]
