# SPDX-License-Identifier: Apache-2.0
"""A working day of eight hours, sixty times as fast, with a fault every four minutes.

A wearer with two sensors (our open profile on the upper back, Polar at the waist) and a phone on
the chest; the wearer and a therapist look at the dashboard in two browsers; everything also goes to
a real InfluxDB. Links break, the adapter goes off, `bluetoothd` dies, InfluxDB freezes and dies,
the phone is offline, the collector is killed. Afterwards memory was flat, every sample that is
missing has a gap with a reason, SQLite, InfluxDB and one batch analysis give the same epochs, and
the day's report is the batch's report. Each simulated half hour prints one line.

    make soak          (figures: docs/operate/soak.json, shown on the page beside it)
    BACKSTAY_SOAK_SPEED=20 BACKSTAY_SOAK_HOURS=1 pytest tests/soak -m soak
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.soak.figures import EVER, WEARER, holes_of, late_and_early, raw
from tests.soak.living import AXES, lived
from tests.soak.world import HOURS, OWN, PLACES, POLAR, World
from tracker import chain
from tracker.collect.setups import setups
from tracker.model import SECOND_NS, GapReason
from tracker.report.from_store import make
from tracker.store import influx
from tracker.store.base import Batch
from tracker.store.sqlite import open_reader, open_store

pytestmark = [pytest.mark.soak, pytest.mark.browser]


@pytest.fixture(scope="module")
def day(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The whole day, lived once."""
    with lived(tmp_path_factory.mktemp("soak")) as world:
        yield world


def test_memory_was_flat(day: World) -> None:
    """The last quarter needs hardly more than the second one: no process grows with the day."""
    for name in ("collector", "dashboard"):
        early, late = late_and_early(day, name)
        assert late < early * 1.15 + 10, f"{name}: {early:.0f} MB, later {late:.0f} MB"


def test_the_pages_never_broke(day: World) -> None:
    """No exception was shown to wearer or therapist, and they looked many times."""
    assert day.looks["glances"] > 20
    assert day.looks["exceptions"] == 0


def test_a_sensor_with_a_buffer_lost_nothing(day: World) -> None:
    """The open profile delivers late what it could not deliver in time."""
    assert not holes_of(day, OWN)
    t_ns = raw(day, OWN).t_ns
    t_ns = t_ns[t_ns <= day.end_ns]
    span_s = (int(t_ns[-1]) - int(t_ns[0])) / SECOND_NS
    assert abs(len(t_ns) - span_s * 50) < 0.001 * len(t_ns)
    assert span_s > HOURS * 3600 - 60


def test_a_phone_lost_nothing_but_at_a_kill(day: World) -> None:
    """Offline stretches and doubled batches leave no hole.

    What was taken and not yet written when the collector was killed is missing, and said.
    """
    reader = open_reader(day.settings)
    gaps = reader.gaps(WEARER, PLACES["phone"], *EVER)
    reader.close()
    down = [g for g in gaps if g.reason is GapReason.COLLECTOR_DOWN]
    holes = holes_of(day, "phone")
    assert len(holes) <= day.faults["collector_killed"]
    for start_ns, end_ns in holes:
        assert any(g.start_ns <= (start_ns + end_ns) // 2 < g.end_ns for g in down)


def test_what_a_sensor_without_buffer_lost_has_a_reason(day: World) -> None:
    """Each hole of the Polar's series is covered by a gap that says why."""
    reader = open_reader(day.settings)
    gaps = reader.gaps(WEARER, PLACES[POLAR], *EVER)
    reader.close()
    for start_ns, end_ns in holes_of(day, POLAR):
        middle = (start_ns + end_ns) // 2
        assert any(g.start_ns <= middle < g.end_ns for g in gaps)


@pytest.mark.parametrize("name", list(PLACES))
def test_store_influx_and_batch_agree(day: World, name: str) -> None:
    """SQLite, InfluxDB and one analysis of all stored samples give the same epochs."""
    reader = open_reader(day.settings)
    stored = reader.epochs(WEARER, PLACES[name], *EVER)
    records = reader.calibrations(WEARER, PLACES[name])
    reader.close()
    mirror = influx.open_store(day.settings, day.clock)
    mirrored = mirror.epochs(WEARER, PLACES[name], *EVER)
    mirror.close()
    assert mirrored.equals(stored)
    axes = "" if name == "phone" else AXES
    known = setups(PLACES[name], records, {}, axes=axes)
    assert len(known) == 1
    assert chain.analyze(raw(day, name), known[0].setup).epochs.equals(stored)


def test_the_report_is_the_report_of_one_batch(day: World, tmp_path: Path) -> None:
    """What the day's paper says is what one analysis of all stored samples would have said."""
    batch = replace(day.settings, data=tmp_path / "batch", influx_url="", influx_token="")
    reader, store = open_reader(day.settings), open_store(batch, day.clock)
    store.put_wearer_setting(WEARER, "zone", str(reader.zone_of(WEARER)))
    for name, place in PLACES.items():
        records = reader.calibrations(WEARER, place)
        (known,) = setups(place, records, {}, axes="" if name == "phone" else AXES)
        made = chain.analyze(raw(day, name), known.setup)
        store.write(
            Batch(
                wearer=WEARER, placement=place, epochs=made.epochs, transitions=made.transitions,
                sets=made.sets, gaps=reader.gaps(WEARER, place, *EVER),
            )
        )  # fmt: skip
        for record in records:
            store.put_calibration(WEARER, place, record)
    store.refresh()
    store.close()
    reader.close()
    shown = datetime.fromtimestamp(day.start_ns / SECOND_NS, UTC)
    papers = []
    for settings in (day.settings, batch):
        target = tmp_path / f"{settings.data.name}.json"
        make(
            settings, wearer=WEARER, first=shown, last=shown, lang="en", alias="", pdf_out=None,
            json_out=target,
        )  # fmt: skip
        papers.append(json.loads(target.read_text(encoding="utf-8")))
    assert papers[0] == papers[1]
