# SPDX-License-Identifier: Apache-2.0
"""One contract for every series store: each file in `tracker/store` that has `open_store`.

SQLite always; InfluxDB on a real influxd 1.6.7 behind a shim for the write path of 1.8 and later.
"""

import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import tracker.store
from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.series import make_epochs
from tracker.model import (
    EPOCH_NS,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Live,
    Placement,
    State,
    Transition,
    TransitionKind,
)
from tracker.settings import Settings
from tracker.store.base import Batch, SeriesStore
from tracker.trends.summary import DaySummary

W, P = "w-1", Placement.UPPER_BACK
DAY = 1_795_474_800 * SECOND_NS  # 2026-11-24 00:00 in Berlin
ALL = (0, 2**62)

NAMES = sorted(
    m.name
    for m in pkgutil.iter_modules(tracker.store.__path__)
    if hasattr(import_module(f"tracker.store.{m.name}"), "open_store")
)


def test_the_known_stores_are_found() -> None:
    """The suite really runs on both stores."""
    assert NAMES == ["influx", "sqlite"]


@pytest.fixture(scope="session")
def server(influxd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shim]:
    """One real influxd for this file, behind the shim."""
    real = Influxd(influxd, tmp_path_factory.mktemp("influxd"))
    real.start()
    shim = Shim(real)
    yield shim
    shim.close()
    real.kill()


Opener = Callable[[], SeriesStore]


@pytest.fixture(params=NAMES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a fresh, empty store of each kind."""
    settings = Settings(data=tmp_path / "data", zone="Europe/Berlin")
    if request.param == "influx":
        shim = request.getfixturevalue("server")
        bucket = re.sub(r"\W", "_", request.node.name)
        shim.target.query(f'CREATE DATABASE "{bucket}"')
        settings = replace(settings, influx_url=shim.url, influx_bucket=bucket)
    return settings


@pytest.fixture
def opener(place: Settings) -> Iterator[Opener]:
    """Opens the store; everything opened is closed at the end."""
    name = "influx" if place.influx_url else "sqlite"
    opened: list[SeriesStore] = []

    def again() -> SeriesStore:
        for store in opened:
            store.close()
        opened.clear()
        opened.append(import_module(f"tracker.store.{name}").open_store(place))
        return opened[0]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> SeriesStore:
    """An open, empty store."""
    return opener()


def now_and_reopened(store: SeriesStore, opener: Opener) -> Iterator[SeriesStore]:
    """The store as it is, then opened anew."""
    yield store
    yield opener()


def transition(at_ns: int, kind: TransitionKind = TransitionKind.SIT_TO_STAND) -> Transition:
    """A transition whose confidence needs every bit."""
    return Transition(at_ns=at_ns, kind=kind, confidence=0.1 + 0.2)


def exercise_set(start_ns: int, **changes: object) -> ExerciseSet:
    """A set."""
    made = ExerciseSet(
        start_ns=start_ns,
        end_ns=start_ns + 30 * SECOND_NS,
        exercise=Exercise.PLANK,
        reps=0,
        hold_s=29.7,
        confidence="high",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names as above


def test_every_value_comes_back_also_after_reopening(store: SeriesStore, opener: Opener) -> None:
    """Epochs, transitions, sets and gaps are equal to the last digit, in a new process too."""
    epochs = make_epochs(DAY, 4000)
    transitions = [
        transition(DAY + 1_234_567_891),
        transition(DAY + 1_234_567_891, TransitionKind.LIE_TO_SIT),
        transition(DAY + 9 * 3600 * SECOND_NS),
    ]
    sets = [exercise_set(DAY + 5), exercise_set(DAY + 10**12, reps=12, source="user", hold_s=0.0)]
    gaps = [
        Gap(start_ns=DAY - 10**12, end_ns=DAY + 10, reason=GapReason.OUT_OF_REACH),
        Gap(start_ns=DAY + 77, end_ns=DAY + 78, reason=GapReason.PACKET_LOSS),
    ]
    store.write(
        Batch(wearer=W, placement=P, epochs=epochs, transitions=transitions, sets=sets, gaps=gaps)
    )
    for opened in now_and_reopened(store, opener):
        back = opened.epochs(W, P, *ALL)
        assert back.equals(epochs)
        assert back.algo == epochs.algo
        assert list(opened.transitions(W, P, *ALL)) == sorted(
            transitions, key=lambda t: (t.at_ns, t.kind)
        )
        assert list(opened.sets(W, P, *ALL)) == sets
        assert list(opened.gaps(W, P, *ALL)) == gaps


def test_spans_are_half_open(store: SeriesStore) -> None:
    """The start of a span belongs to it, the end does not; gaps count where they touch."""
    store.write(
        Batch(
            wearer=W, placement=P, epochs=make_epochs(DAY, 10), transitions=[transition(DAY + 7)],
            sets=[exercise_set(DAY + 7)],
            gaps=[Gap(start_ns=DAY + 10, end_ns=DAY + 20, reason=GapReason.LINK_LOST)],
        )
    )  # fmt: skip
    cut = store.epochs(W, P, DAY + EPOCH_NS, DAY + 4 * EPOCH_NS)
    assert cut.start_ns.tolist() == [DAY + i * EPOCH_NS for i in (1, 2, 3)]
    assert len(store.epochs(W, P, DAY + 1, DAY + EPOCH_NS)) == 0
    for read in (store.transitions, store.sets):
        assert len(read(W, P, DAY + 7, DAY + 8)) == 1
        assert len(read(W, P, DAY + 6, DAY + 7)) == 0
        assert len(read(W, P, DAY + 8, DAY + 9)) == 0
    assert [len(store.gaps(W, P, DAY + a, DAY + b)) for a, b in ((19, 20), (20, 21), (0, 10))] == [
        1, 0, 0,
    ]  # fmt: skip


def test_unknown_wearers_are_empty(store: SeriesStore) -> None:
    """Asking for nobody is no error, also with quotes in the name."""
    for name in ("nobody", "x' OR '1'='1", 'a"b'):
        assert len(store.epochs(name, P, *ALL)) == 0
        assert list(store.transitions(name, P, *ALL)) == []
        assert list(store.days(name, P, "2026-01-01", "2026-12-31")) == []
        assert store.live(name, P) is None
    assert list(store.wearers()) == []


def test_writing_again_changes_nothing_and_corrections_overwrite(store: SeriesStore) -> None:
    """The same batch twice is once; a corrected epoch replaces, also a number by "not known"."""
    first, second = make_epochs(DAY, 800), make_epochs(DAY, 800, seed=1)
    batch = Batch(wearer=W, placement=P, epochs=first, transitions=[transition(DAY)])
    store.write(batch)
    store.write(batch)
    assert store.epochs(W, P, *ALL).equals(first)
    assert len(store.transitions(W, P, *ALL)) == 1
    store.write(Batch(wearer=W, placement=P, epochs=second))
    assert store.epochs(W, P, *ALL).equals(second)
    nothing = replace(second, tilt_deg=np.full(800, np.nan, np.float32))
    store.write(Batch(wearer=W, placement=P, epochs=nothing))
    assert store.epochs(W, P, *ALL).equals(nothing)


def test_reanalysis_replaces_a_span(store: SeriesStore) -> None:
    """What the new analysis does not have is gone, outside the span nothing changes."""
    before = make_epochs(DAY, 1500)
    told = exercise_set(DAY + 50 * EPOCH_NS, source="user")
    store.write(
        Batch(
            wearer=W, placement=P, epochs=before,
            transitions=[transition(DAY + EPOCH_NS), transition(DAY + 1200 * EPOCH_NS)],
            sets=[exercise_set(DAY + 20 * EPOCH_NS), told],
        )
    )  # fmt: skip
    fresh = make_epochs(DAY + 100 * EPOCH_NS, 300, seed=9)
    store.write(
        Batch(
            wearer=W, placement=P, epochs=fresh, sets=[exercise_set(DAY + 200 * EPOCH_NS)],
            replace_from_ns=DAY, replace_to_ns=DAY + 1000 * EPOCH_NS,
        )
    )  # fmt: skip
    after = store.epochs(W, P, *ALL)
    assert after.equals(Epochs.concat([fresh, before[1000:]]))
    assert [t.at_ns for t in store.transitions(W, P, *ALL)] == [DAY + 1200 * EPOCH_NS]
    assert list(store.sets(W, P, *ALL)) == [told, exercise_set(DAY + 200 * EPOCH_NS)]
    rows = store.days(W, P, "2026-11-24", "2026-11-24")
    assert sum(rows[0].seconds.values()) == 800 * 5
    assert sum(sum(h.seconds.values()) for h in store.hours(W, P, *ALL)) == 800 * 5


def test_a_day_that_is_emptied_is_gone(store: SeriesStore) -> None:
    """When a re-analysis finds nothing, neither epochs nor rollups of the day remain."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(DAY, 1500)))
    store.write(
        Batch(wearer=W, placement=P, replace_from_ns=DAY, replace_to_ns=DAY + 1500 * EPOCH_NS)
    )
    assert len(store.epochs(W, P, *ALL)) == 0
    assert list(store.days(W, P, "2026-01-01", "2026-12-31")) == []
    assert list(store.hours(W, P, *ALL)) == []


def test_gaps_grow(store: SeriesStore) -> None:
    """A gap that goes on is one gap with a later end."""
    for end in (10, 20, 30):
        gap = Gap(start_ns=DAY, end_ns=DAY + end, reason=GapReason.LINK_LOST)
        store.write(Batch(wearer=W, placement=P, gaps=[gap]))
    assert list(store.gaps(W, P, *ALL)) == [gap]


@pytest.mark.parametrize(
    ("day", "first_utc_s", "hours"),
    [("2026-03-29", 1_774_738_800, 23), ("2026-10-25", 1_792_879_200, 25)],
)
def test_rollups_follow_the_wearers_day(
    store: SeriesStore, day: str, first_utc_s: int, hours: int
) -> None:
    """Days of 23 and 25 hours add up; the metrics of `trends` come back from the row."""
    start = (first_utc_s - 3600) * SECOND_NS
    n = (hours + 2) * 720
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(start, n)))
    rows = store.days(W, P, "2026-01-01", "2026-12-31")
    assert [sum(r.seconds.values()) / 3600 for r in rows] == [1, hours, 1]
    (row,) = store.days(W, P, day, day)
    assert (row.day, row.start_ns) == (day, first_utc_s * SECOND_NS)
    assert row.tz_offset_s == (3600 if hours == 23 else 7200)
    summary = DaySummary.from_values(row.start_ns, row.seconds, row.values)
    assert summary.end_ns - summary.start_ns == hours * 3600 * SECOND_NS
    assert summary.sit_s == row.seconds["sitting"] + row.seconds["slouching"]
    assert len(store.hours(W, P, *ALL)) == hours + 2


def test_a_practices_week_comes_in_one_piece(store: SeriesStore) -> None:
    """Many series at once equal each on its own; without detail the single numbers alone."""
    keys = [(w, P) for w in ("w-1", "w-2", "w-3")]
    for seed, (w, p) in enumerate(keys[:2]):
        store.write(Batch(wearer=w, placement=p, epochs=make_epochs(DAY, 20_000, seed)))
    span = ("2026-11-24", "2026-11-25")
    found = store.days_of(keys, *span)
    assert {k: list(v) for k, v in found.items()} == {k: list(store.days(*k, *span)) for k in keys}
    assert [len(found[k]) for k in keys] == [2, 2, 0]
    brief = store.days_of(keys, *span, detail=False)[keys[0]][0].values
    whole = found[keys[0]][0].values
    assert brief == {k: v for k, v in whole.items() if not k.startswith(("hh_", "bout_", "tilt_"))
                     or k.startswith("tilt_p") or k == "tilt_sd_deg"}  # fmt: skip
    assert len(brief) < len(whole) / 3


def test_live_is_read_back(store: SeriesStore) -> None:
    """The live row replaces itself, with its missing values."""
    live = Live(
        at_ns=DAY, state=State.WALKING, since_ns=DAY, confidence=0.5, provisional=False,
        tilt_deg=math.nan, side_deg=0.1, slump_pct=3.0, link="demo", trace=(1.0, math.nan),
    )  # fmt: skip
    for link in ("lost", "streaming"):
        store.write(Batch(wearer=W, placement=P, live=replace(live, link=link)))
    assert repr(store.live(W, P)) == repr(replace(live, link="streaming"))


def test_erase_deletes_one_wearer_for_good(store: SeriesStore, opener: Opener) -> None:
    """Everything of the wearer is gone, others stay, again deletes nothing."""
    for wearer in ("w-erase", W):
        store.write(
            Batch(
                wearer=wearer, placement=P, epochs=make_epochs(DAY, 900),
                transitions=[transition(DAY)], sets=[exercise_set(DAY)],
                gaps=[Gap(start_ns=DAY, end_ns=DAY + 1, reason=GapReason.LINK_LOST)],
            )
        )  # fmt: skip
    assert store.erase("w-erase") > 900
    assert store.erase("w-erase") == 0
    for opened in now_and_reopened(store, opener):
        assert list(opened.wearers()) == [(W, P)]
        assert len(opened.epochs("w-erase", P, *ALL)) == 0
        for read in (opened.transitions, opened.sets, opened.gaps, opened.hours):
            assert list(read("w-erase", P, *ALL)) == []
            assert len(read(W, P, *ALL)) > 0
        assert list(opened.days("w-erase", P, "2026-01-01", "2026-12-31")) == []
        assert len(opened.epochs(W, P, *ALL)) == 900


def test_series_do_not_mix(store: SeriesStore) -> None:
    """Two wearers and two placements at the same moments keep their own rows."""
    keys = [(w, p) for w in ("w-1", "w-2") for p in (P, Placement.WAIST)]
    for seed, (w, p) in enumerate(keys):
        store.write(Batch(wearer=w, placement=p, epochs=make_epochs(DAY, 100, seed)))
    assert list(store.wearers()) == sorted(keys)
    for seed, (w, p) in enumerate(keys):
        assert store.epochs(w, p, *ALL).equals(make_epochs(DAY, 100, seed))
