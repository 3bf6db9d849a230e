# SPDX-License-Identifier: Apache-2.0
"""Put on the next morning, a little differently: the walk to the desk is all it takes."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tracker.collect import donning
from tracker.collect.assemble import Piece
from tracker.collect.battery import HOUR_NS, Battery
from tracker.collect.intake import Work
from tracker.collect.series import Series
from tracker.collect.setups import calibration_of, record_of
from tracker.collect.wearing import Wearing, key_of
from tracker.model import SECOND_NS, Placement, Pose, Samples, State
from tracker.signal.calibrate import calibrate
from tracker.simulation.days import workday
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore

PLACE = Placement.UPPER_BACK
CONFIG = SensorConfig(address="C0:00:00:00:00:00", wearer="w1", placement=PLACE)
NIGHT_NS = 10 * 3600 * SECOND_NS
START_NS = 1_795_420_800 * SECOND_NS


def day(start_ns: int) -> Samples:
    """Ten minutes that begin with standing (20 s) and a walk (30 s); the same each time."""
    return workday(np.random.default_rng(5), hours=0.17, start_ns=start_ns).samples


def turned(samples: Samples, pitch_deg: float, roll_deg: float) -> Samples:
    """The same movement seen by a sensor that is clipped on differently."""
    a, b = math.radians(pitch_deg), math.radians(roll_deg)
    one = np.array(
        [[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]], np.float32
    )
    two = np.array(
        [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]], np.float32
    )
    turn = one @ two
    gyr = None if samples.gyr_dps is None else samples.gyr_dps @ turn.T
    return replace(samples, acc_g=samples.acc_g @ turn.T, gyr_dps=gyr)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A real store with yesterday's calibration: standing and walking."""
    made = SqliteStore(tmp_path / "epochs.db", "UTC")
    first = day(START_NS)
    spans = {
        Pose.STANDING: [(START_NS + 2 * SECOND_NS, START_NS + 18 * SECOND_NS)],
        Pose.WALKING: [(START_NS + 24 * SECOND_NS, START_NS + 46 * SECOND_NS)],
    }
    known = calibrate(first[:3000], PLACE, None, spans)
    made.put_calibration("w1", PLACE, record_of(known, from_ns=START_NS, kind="poses"))
    yield made
    made.close()


def wear(store: SqliteStore, series: Series, samples: Samples) -> None:
    """Ten-second ticks: recorded and analysed."""
    for a, b in pairwise([*range(0, len(samples), 500), len(samples)]):
        part = samples[a:b]
        batches, fresh = series.record(Work(pieces=(Piece(samples=part),)), int(part.t_ns[-1]))
        store.write_many(batches)
        series.heard(fresh, Work(link="streaming"), clean=True)
        for made in series.analyse(int(part.t_ns[-1])):
            store.write_many(made)


def lean_deg(store: SqliteStore, from_ns: int, to_ns: int) -> float:
    """Mean tilt while walking."""
    epochs = store.epochs("w1", PLACE, from_ns, to_ns)
    return float(epochs.tilt_deg[epochs.state == State.WALKING].mean())


@pytest.mark.parametrize(("pitch", "roll"), [(8.0, 6.0), (-7.0, -4.0), (17.0, 12.0)])
def test_the_walk_to_the_desk_fits_the_mounting(
    store: SqliteStore, pitch: float, roll: float
) -> None:
    """No action: the angle is found, the mounting holds from putting it on, the tilt is right.

    Only above the stated angle the thirty-second version is asked for.
    """
    series = Series(store, CONFIG)
    wear(store, series, day(START_NS))
    usual = lean_deg(store, START_NS, START_NS + NIGHT_NS)
    morning = day(START_NS + NIGHT_NS)
    wear(store, series, turned(morning, pitch, roll))
    before = lean_deg(store, START_NS + NIGHT_NS, 1 << 62)
    wearing = Wearing(store, "w1", PLACE)
    assert wearing.look(series.analyst.last_ns)
    record = store.calibrations("w1", PLACE)[-1]
    assert (record.kind, record.by_person) == ("today", False)
    assert abs(record.from_ns - int(morning.t_ns[0])) <= 5 * SECOND_NS
    told = store.wearer_settings("w1")[key_of(PLACE)]
    wanted = math.degrees(math.acos(math.cos(math.radians(pitch)) * math.cos(math.radians(roll))))
    assert told["deg"] == pytest.approx(wanted, abs=2.0)
    assert told["asks"] == (wanted > donning.ASK_DEG)
    series.analyst.reload()
    made = series.rework(1 << 62)
    assert made
    store.write_many(made)
    after = lean_deg(store, START_NS + NIGHT_NS, 1 << 62)
    assert abs(after - usual) < 2.0 < abs(before - usual)
    assert not Wearing(store, "w1", PLACE).look(series.analyst.last_ns), "told once"
    known, today = (calibration_of(r) for r in store.calibrations("w1", PLACE))
    assert (today.walking_deg, today.standing_deg) == (known.walking_deg, known.standing_deg)


def test_put_on_as_usual_changes_nothing(store: SqliteStore) -> None:
    """Within three degrees the calibration stays as it is; the page hears that all is well."""
    series = Series(store, CONFIG)
    wear(store, series, day(START_NS))
    wear(store, series, turned(day(START_NS + NIGHT_NS), 1.0, 0.5))
    assert not Wearing(store, "w1", PLACE).look(series.analyst.last_ns)
    assert len(store.calibrations("w1", PLACE)) == 1
    assert store.wearer_settings("w1")[key_of(PLACE)]["asks"] is False


def test_nothing_is_said_without_a_walk_or_a_calibration(store: SqliteStore) -> None:
    """Half a minute of walking decides, not less; who was never calibrated has nothing to fit."""
    series = Series(store, CONFIG)
    wear(store, series, day(START_NS))
    assert not Wearing(store, "w1", PLACE).look(series.analyst.last_ns), "never taken off"
    morning = turned(day(START_NS + NIGHT_NS), 8.0, 6.0)
    wear(store, series, morning[:1800])  # 36 s: standing and some steps
    assert not Wearing(store, "w1", PLACE).look(series.analyst.last_ns)
    assert not Wearing(store, "nobody", PLACE).look(series.analyst.last_ns)
    assert key_of(PLACE) not in store.wearer_settings("w1")


def test_the_battery_outlook_is_a_line_since_it_was_charged() -> None:
    """Ten percent an hour from 80: empty in seven hours and a bit; a charge begins anew."""
    battery = Battery()
    assert battery.left_h(0) is None
    for hour in range(4):
        battery.hear(hour * HOUR_NS, 80 - 10 * hour)
    assert battery.left_h(3 * HOUR_NS) == pytest.approx(4.7)
    assert battery.left_h(4 * HOUR_NS) == pytest.approx(3.7), "time goes on without a new level"
    battery.hear(5 * HOUR_NS, 51)  # a flicker upwards is no charge
    assert battery.left_h(5 * HOUR_NS) is not None
    battery.hear(6 * HOUR_NS, 100)
    assert battery.left_h(6 * HOUR_NS) is None
