# SPDX-License-Identifier: Apache-2.0
"""Where a buffering sensor is to go on never runs ahead of what is on the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_protocol.registry import Resume
from tracker.clock import Clock
from tracker.collect.intake import Intake
from tracker.collect.keeper import Keeper
from tracker.collect.pulse import Pulse
from tracker.collect.series import Series
from tracker.collect.served import Sensor
from tracker.collect.spill import Spill
from tracker.errors import StoreFull
from tracker.model import SECOND_NS, Gap, GapReason, Placement
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

CONFIG = SensorConfig(address="C0:00:00:00:00:00", wearer="w1", placement=Placement.UPPER_BACK)


class Received(Intake):
    """An intake that hears one more packet each time it is asked, as a busy link does."""

    index = 0

    @property
    def resume(self) -> Resume | None:
        """Everything up to now."""
        return Resume(decoder="reference", boot=1, next_index=self.index, missing=())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A real store that knows the sensor."""
    made = SqliteStore(tmp_path / "epochs.db", "UTC")
    made.put_sensor(CONFIG)
    yield made
    made.close()


def pulse_of(store: SqliteStore) -> tuple[Pulse, Received]:
    """A pulse with one sensor."""
    clock = Clock(start_ns=1_800_000_000 * SECOND_NS, origin_ns=0)
    intake = Received(CONFIG, clock)
    sensor = Sensor(config=CONFIG, intake=intake, series=Series(store, CONFIG))
    return Pulse(store, Keeper(store), clock, {CONFIG.address: sensor}), intake


def kept(store: SqliteStore) -> object:
    """What a later process would be told."""
    (found,) = store.sensors()
    return found.options.get("resume")


async def test_what_comes_during_the_write_is_not_claimed(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packet between the cut and the end of the write belongs to the next one."""
    pulse, intake = pulse_of(store)
    intake.index = 10
    write = Keeper.write

    def slow(self: Keeper, batches: list[Batch], *, sync: bool = True) -> bool:
        intake.index = 20
        return write(self, batches, sync=sync)

    monkeypatch.setattr(Keeper, "write", slow)
    await pulse.record()
    await pulse.analyse()
    found = kept(store)
    assert isinstance(found, dict)
    assert found["next_index"] == 10


async def test_a_full_disk_leaves_the_old_place(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples that could not be written are asked for again after a crash."""
    pulse, intake = pulse_of(store)
    intake.index = 10

    def full(self: SqliteStore, batches: list[Batch], *, sync: bool = True) -> None:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(SqliteStore, "write_many", full)
    gap = Gap(start_ns=SECOND_NS, end_ns=2 * SECOND_NS, reason=GapReason.LINK_LOST)
    intake._gaps.append(gap)
    await pulse.record()
    assert kept(store) is None


async def test_what_waits_and_could_not_be_noted_is_asked_for_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples without their rotation are on the disk only as a note; without it nothing is kept."""
    pulse, intake = pulse_of(store)
    intake.index = 10
    monkeypatch.setattr(Spill, "keep", lambda *_: False)
    await pulse.record()
    assert kept(store) is None
