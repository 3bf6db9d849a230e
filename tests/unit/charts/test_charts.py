# SPDX-License-Identifier: Apache-2.0
"""Every chart: says its finding, counts nothing that was not measured, and explains when empty."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.model import EPOCH_NS, Epochs, State
from tracker.report import charts
from tracker.report.charts.base import COLOURS, hatch, sit_band
from tracker.report.charts.minutes import day_minutes, runs, worn_window
from tracker.report.i18n import LANGUAGES, language
from tracker.simulation.history import History, history
from tracker.trends.bouts import sitting_bouts
from tracker.trends.day import summarise
from tracker.trends.motion import shift_epochs
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns

ZONE = ZoneInfo("Europe/Berlin")
LAST = date(2026, 11, 20)
FIRST = LAST - timedelta(days=27)


@pytest.fixture(scope="module")
def made() -> History:
    """Four weeks of an office worker."""
    return history(np.random.default_rng(11), 28, ZONE, last_day=LAST)


@pytest.fixture(scope="module")
def days(made: History) -> dict[date, DaySummary]:
    """The numbers of those days."""
    out = {}
    for i in range(28):
        day = FIRST + timedelta(days=i)
        start_ns, end_ns = day_bounds_ns(day, ZONE)
        one = summarise(
            made.epochs, made.transitions, made.sets, start_ns=start_ns, end_ns=end_ns, zone=ZONE
        )
        if one.worn_s:
            out[day] = one
    return out


def of_day(made: History, day: date) -> charts.DayMinutes:
    """The minute grid of one day."""
    return day_minutes(made.epochs, day, ZONE)


def pictures(made: History, days: dict[date, DaySummary], code: str) -> dict[str, charts.Picture]:
    """One of each chart."""
    lang = language(code)
    rated = {date.fromisoformat(e.day): e.tension for e in made.evenings if e.tension is not None}
    grids = {d: of_day(made, d) for d in days}
    busy = max(days, key=lambda d: days[d].worn_s)
    half = list(days.values())
    massages = [FIRST + timedelta(days=3), FIRST + timedelta(days=15)]
    minutes = {d: s.core_min for d, s in days.items() if s.core_min}
    scores = [charts.Score(day=d, reps=5 + i, hold_s=0) for i, d in enumerate(days)]
    return {
        "ribbon": charts.ribbon(grids[busy], lang, summary=days[busy]),
        "stacked_days": charts.stacked_days(days, FIRST, LAST, lang),
        "actogram": charts.actogram(grids, days, FIRST, LAST, lang),
        "heatmap": charts.heatmap(days, lang),
        "heatmap_slouch": charts.heatmap(days, lang, kind="slouch"),
        "heatmap_shifts": charts.heatmap(days, lang, kind="shifts"),
        "accumulation": charts.accumulation(half[14:], half[:14], lang),
        "angles": charts.angles(half[14:], half[:14], lang),
        "ratings": charts.ratings(rated, massages, FIRST, LAST, lang),
        "episodes": charts.episodes(rated, massages, lang, outcome="tension"),
        "training_weeks": charts.training_weeks(minutes, FIRST, LAST, lang),
        "calendar": charts.calendar(minutes, [LAST], FIRST, LAST, lang),
        "progress": charts.progress(scores, "Plank", lang, hold=False),
    }


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_chart_is_complete(made: History, days: dict[date, DaySummary], code: str) -> None:
    """A drawing that Altair accepts, a sentence with a number, a table, and no loose ends."""
    for name, drawn in pictures(made, days, code).items():
        assert drawn.chart is not None, name
        spec = drawn.chart.to_dict()
        assert spec["height"] > 80, name
        assert any(c.isdigit() for c in drawn.alt), name
        assert not set("{}") & set(drawn.alt), name
        assert not drawn.table.empty, name
        assert all(word for _, word in drawn.legend), name
        text = drawn.table.to_csv()
        assert "nan" not in text.lower(), name


def marks(node: object) -> list[object]:
    """Every colour that a chart's specification names."""
    if isinstance(node, dict):
        return [x for v in node.values() for x in marks(v)]
    if isinstance(node, list):
        return [x for v in node for x in marks(v)]
    return [node]


def test_no_chart_is_red(made: History, days: dict[date, DaySummary]) -> None:
    """No mark of blame: nothing is drawn in red, and red is not in the palette."""

    def red(text: object) -> bool:
        if not isinstance(text, str) or len(text) != 7 or text[0] != "#":
            return False
        r, g, b = (int(text[i : i + 2], 16) for i in (1, 3, 5))
        return r > 150 and g < 80 and b < 80

    assert not [c for c in COLOURS.values() if red(c)]
    for name, drawn in pictures(made, days, "en").items():
        assert drawn.chart is not None
        assert not [c for c in marks(drawn.chart.to_dict()) if red(c)], name


def test_a_busy_day_stays_small(made: History, days: dict[date, DaySummary]) -> None:
    """The ribbon of the busiest day has fewer than 300 stretches, so it stays SVG."""
    for day, one in sorted(days.items(), key=lambda item: -item[1].worn_s)[:6]:
        drawn = charts.ribbon(of_day(made, day), language("en"), summary=one)
        assert len(drawn.table) < 300


EMPTY: dict[str, Callable[[str], charts.Picture]] = {
    "ribbon": lambda c: charts.ribbon(
        day_minutes(Epochs.empty(), LAST, ZONE),
        language(c),
        summary=summarise(
            Epochs.empty(), None, (), start_ns=day_bounds_ns(LAST, ZONE)[0],
            end_ns=day_bounds_ns(LAST, ZONE)[1], zone=ZONE,
        ),
    ),
    "days": lambda c: charts.stacked_days({}, FIRST, LAST, language(c)),
    "actogram": lambda c: charts.actogram({}, {}, FIRST, LAST, language(c)),
    "heatmap": lambda c: charts.heatmap({}, language(c)),
    "accumulation": lambda c: charts.accumulation([], [], language(c)),
    "angles": lambda c: charts.angles([], [], language(c)),
    "tension": lambda c: charts.ratings({}, [], FIRST, LAST, language(c)),
    "pain": lambda c: charts.ratings({}, [], FIRST, LAST, language(c), outcome="pain"),
    "episodes": lambda c: charts.episodes({}, [], language(c), outcome="tension"),
    "weeks": lambda c: charts.training_weeks({}, FIRST, LAST, language(c)),
    "calendar": lambda c: charts.calendar({}, [], FIRST, LAST, language(c)),
    "progress": lambda c: charts.progress([], "Plank", language(c), hold=True),
}  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_chart_says_what_will_appear(name: str, code: str) -> None:
    """No axis without data, but a sentence."""
    drawn = EMPTY[name](code)
    assert drawn.chart is None
    assert len(drawn.empty) > 20
    assert drawn.empty == drawn.alt


def table_of(state: list[int], start_ns: int) -> Epochs:
    """One epoch per entry from a moment on."""
    n = len(state)
    zeros = np.zeros(n, np.float32)
    return Epochs(
        start_ns=start_ns + np.arange(n, dtype=np.int64) * EPOCH_NS,
        state=np.array(state, np.uint8),
        confidence=zeros + 1,
        trunk=np.zeros(n, np.uint8),
        slouch=np.zeros(n, np.uint8),
        tilt_deg=zeros,
        side_deg=zeros,
        slump_pct=zeros,
        move_mg=zeros,
        exercise=np.zeros(n, np.uint8),
        worn=np.ones(n, np.uint8),
        valid=zeros + 1,
    )


def test_posture_changes_stand_in_a_lane_of_their_own(
    made: History, days: dict[date, DaySummary]
) -> None:
    """A tick for each minute with a change, as the metric counts; bars say how sure they are."""
    start_ns, end_ns = day_bounds_ns(LAST, ZONE)
    inside = (made.epochs.start_ns >= start_ns) & (made.epochs.start_ns < end_ns)
    grid = day_minutes(made.epochs[inside], LAST, ZONE)
    assert int(grid.shifts.sum()) == len(shift_epochs(made.epochs[inside]))
    drawn = charts.ribbon(grid, language("en"), summary=days[LAST])
    assert drawn.chart is not None
    spec = drawn.chart.to_dict()
    ticks = [rows for rows in spec["datasets"].values() if set(rows[0]) == {"at"}]
    assert [len(rows) for rows in ticks] == [int((grid.shifts > 0).sum())]
    texts = [r["text"] for rows in spec["datasets"].values() for r in rows if "colour" in r]
    assert texts
    assert all(re.search(r"; \d+% sure\)$", text) for text in texts), texts[:3]
    assert ("|", "posture change") in drawn.legend


def test_days_say_how_often_somebody_sat(days: dict[date, DaySummary]) -> None:
    """The number of sitting bouts stands in brackets beside each measured day."""
    drawn = charts.stacked_days(days, FIRST, LAST, language("en"))
    assert drawn.chart is not None
    rows = [r for part in drawn.chart.to_dict()["datasets"].values() for r in part]
    said = [r["text"] for r in rows if str(r.get("text", "")).startswith("[")]
    assert said == [f"[{round(d.bouts)}]" for _, d in sorted(days.items())]


def test_a_gap_is_a_gap() -> None:
    """Ten minutes without data between two sits: not measured, not sitting, hatched."""
    start_ns = day_bounds_ns(LAST, ZONE)[0] + 9 * 3600 * 10**9
    first = table_of([State.SITTING] * 240, start_ns)
    second = table_of([State.SITTING] * 240, start_ns + 30 * 60 * 10**9)
    grid = day_minutes(Epochs.concat([first, second]), LAST, ZONE)
    shown = [(r.state, r.minutes, r.measured) for r in runs(grid)]
    assert (State.SITTING, 20.0, True) in shown
    assert (State.UNKNOWN, 10.0, False) in shown
    assert max(r.sit_min for r in runs(grid)) == 20.0


@pytest.mark.parametrize("step_min", [1, 5])
@pytest.mark.parametrize(("break_s", "longest"), [(15, 80.25), (25, 40.0)])
def test_colours_follow_the_bouts_of_the_metrics(
    break_s: int, longest: float, step_min: int
) -> None:
    """A break of 25 s ends a sit although its minute is mostly sitting; 15 s do not.

    The longest sit of the ribbon is the longest sit of the numbers beside it.
    """
    sit = [State.SITTING] * (40 * 12)
    start_ns = day_bounds_ns(LAST, ZONE)[0] + 9 * 3600 * 10**9
    table = table_of([*sit, *[State.STANDING] * (break_s // 5), *sit], start_ns)
    found = [r for r in runs(day_minutes(table, LAST, ZONE), step_min=step_min) if r.sit_min]
    day_start, day_end = day_bounds_ns(LAST, ZONE)
    bouts = sitting_bouts(table, start_ns=day_start, end_ns=day_end)
    assert max(r.sit_min for r in found) == max(b.minutes for b in bouts)
    assert max(r.sit_min for r in found) == longest


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(date(2026, 3, 29), 1380), (date(2026, 10, 25), 1500), (LAST, 1440)],
)
def test_days_of_23_and_25_hours_tile(day: date, minutes: int) -> None:
    """The grid of a day covers it exactly, and its runs add up to it."""
    grid = day_minutes(Epochs.empty(), day, ZONE)
    assert len(grid.state) == minutes
    assert sum(r.minutes for r in runs(grid)) == minutes
    assert worn_window(grid) == (480.0, 1080.0)


def test_hatch_stays_inside_its_stretch() -> None:
    """No hatch line leaves the stretch that could not be told."""
    lines = hatch([(100, 130), (200, 203)], y=0, y2=10, pitch=4, lean=9)
    assert len(lines) > 8
    for a, b in ((100, 130), (200, 203)):
        part = lines[(lines["x"] >= a) & (lines["x2"] <= b)]
        assert not part.empty
    inside = ((lines["x"] >= 100) & (lines["x2"] <= 130)) | (
        (lines["x"] >= 200) & (lines["x2"] <= 203)
    )
    assert inside.all()


@pytest.mark.parametrize(
    ("minutes", "band"), [(5, "sit_0"), (30, "sit_30"), (119, "sit_60"), (300, "sit_240")]
)
def test_bands(minutes: float, band: str) -> None:
    """Longer is a later band; the limits belong to the longer one."""
    assert sit_band(minutes) == band


def test_page_and_table_agree(days: dict[date, DaySummary]) -> None:
    """Bands of a day add up to its sitting time."""
    from tracker.report.charts.days import band_minutes

    for one in days.values():
        assert sum(band_minutes(one).values()) == pytest.approx(one.sit_s / 60, rel=0.02)


@pytest.mark.parametrize(
    ("code", "one", "many"),
    [("de", "; eine Massage.", "; 2 Massagen."), ("en", "; one massage.", "; 2 massages.")],
)
def test_sentences_count_in_words(code: str, one: str, many: str) -> None:
    """One massage is not "1 Massagen", and one week of training is no "1 weeks"."""
    lang = language(code)
    first = LAST - timedelta(days=20)
    rated = {first + timedelta(days=i): 4 for i in range(21)}
    for n, ending in ((1, one), (2, many)):
        booked = [first + timedelta(days=5 + i) for i in range(n)]
        said = charts.ratings(rated, booked, first, LAST, lang, outcome="tension").alt
        assert said.endswith(ending)
    monday = date(2026, 11, 16)
    week = charts.training_weeks({monday: 20.0}, monday, monday + timedelta(days=6), lang).alt
    assert lang.t("count.weeks_of", n=1) in week
    trained = charts.calendar({monday: 20.0}, (), monday, monday + timedelta(days=20), lang).alt
    assert lang.t("count.days_of", n=1) in trained
