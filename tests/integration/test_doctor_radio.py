# SPDX-License-Identifier: Apache-2.0
"""`backstay doctor` before a real bus: Bluetooth off, missing, forbidden, not there; no sensor."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.bus import Bus
from tracker import doctor
from tracker.checks import Finding, Level, Surroundings, radio
from tracker.clock import Clock
from tracker.model import Placement
from tracker.settings import Settings
from tracker.store.base import SensorConfig
from tracker.store.sqlite import open_store

ADDRESS = "C0:00:00:00:00:00"


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Surroundings:
    """A machine with one configured sensor."""
    settings = Settings(data=tmp_path, zone="UTC")
    store = open_store(settings)
    store.put_sensor(
        SensorConfig(address=ADDRESS, wearer="w", placement=Placement.UPPER_BACK, name="Tag")
    )
    store.close()
    return Surroundings(settings=settings, clock=clock)


async def looked(here: Surroundings, name: str) -> Finding:
    """What a check finds, asked in a thread with a loop of its own, as the command does."""
    (found,) = await asyncio.to_thread(lambda: list(doctor.examine(here, [name])))
    return found


async def test_adapter_on_off_and_pulled(bluez: FakeBluez, here: Surroundings) -> None:
    """Each state of the adapter gets its own sentence and remedy."""
    assert (await looked(here, "radio")).level is Level.OK
    bluez.power(on=False)
    off = await looked(here, "radio")
    assert off.level is Level.FAULT
    assert "switched off" in off.sentence
    assert "rfkill unblock" in off.remedy
    bluez.unplug()
    gone = await looked(here, "radio")
    assert "no Bluetooth adapter" in gone.sentence
    assert "USB adapter" in gone.remedy


async def test_the_service_died(bluez: FakeBluez, here: Surroundings) -> None:
    """Without bluetoothd the remedy is to start it."""
    await bluez.crash()
    found = await looked(here, "radio")
    assert "does not run" in found.sentence
    assert "systemctl enable --now bluetooth" in found.remedy


async def test_no_permission(
    dbus_daemon: str, here: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bus whose policy denies us `org.bluez` means: join the group."""
    with tempfile.TemporaryDirectory(prefix="bus") as folder:
        bus = Bus(dbus_daemon, Path(folder))
        config = Path(folder) / "bus.conf"
        objects = "org.freedesktop.DBus.ObjectManager"
        denied = f'<deny send_destination="org.bluez" send_interface="{objects}"/>'
        config.write_text(config.read_text().replace("</policy>", f"{denied}</policy>"))
        bus.start()
        fake = FakeBluez(bus.address, clock=here.clock)
        try:
            await fake.start()
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
            found = await looked(here, "radio")
        finally:
            await fake.stop()
            bus.kill()
    assert found.level is Level.FAULT
    assert "not allowed" in found.sentence
    assert "usermod -aG bluetooth" in found.remedy


async def test_a_sensor_in_reach_and_out_of_it(bluez: FakeBluez, here: Surroundings) -> None:
    """A configured sensor that nobody hears is a fault; heard, it is not."""
    missing = await looked(here, "sensors")
    assert missing.level is Level.FAULT
    assert f"Tag ({ADDRESS}) is not in reach" in missing.sentence
    assert "Switch it on" in missing.remedy
    bluez.add(Sensor(ADDRESS, decoders()["reference"].peripheral()))
    assert (await looked(here, "sensors")).level is Level.OK


def test_adapters_are_judged_together() -> None:
    """One adapter that is on is enough; objects without an adapter are none."""
    on = {"org.bluez.Adapter1": {"Powered": True}}
    off = {"org.bluez.Adapter1": {"Powered": False}}
    assert radio.of_bluez({"/a": off, "/b": on}) is radio.Radio.ON
    assert radio.of_bluez({"/a": off}) is radio.Radio.OFF
    assert radio.of_bluez({"/a": {"org.bluez.Device1": {}}}) is radio.Radio.MISSING
