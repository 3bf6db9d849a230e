# SPDX-License-Identifier: Apache-2.0
"""The fake BlueZ shows the properties of a real one (a dump of BlueZ 5.82 with sensors)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.plain import PlainSensor

# Of the real object tree, what a client of a notifying sensor never reads.
LEFT_OUT = {"org.bluez.Adapter1": {"UUIDs"}}


@pytest.fixture(scope="module")
def real(recordings: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Objects of a real BlueZ."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(
        (recordings / "bluez-5.82-objects.json").read_text()
    )
    return found


@pytest.fixture
def fake() -> dict[str, dict[str, dict[str, Any]]]:
    """Objects of the fake with one connected sensor."""
    bluez = FakeBluez("unix:path=/nowhere")
    sensor = bluez.add(Sensor("C0:00:00:00:00:00", PlainSensor()))
    sensor.exists = sensor.connected = True
    bluez._export(sensor)
    return bluez.objects()


def properties(objects: dict[str, Any], interface: str) -> list[dict[str, Any]]:
    """All objects' values of one interface."""
    return [o[interface] for o in objects.values() if interface in o]


@pytest.mark.parametrize(
    "interface",
    [
        "org.bluez.Adapter1",
        "org.bluez.Device1",
        "org.bluez.Battery1",
        "org.bluez.GattService1",
        "org.bluez.GattDescriptor1",
    ],
)
def test_same_properties_and_types(real: Any, fake: Any, interface: str) -> None:
    """Name by name and type by type."""
    want, have = properties(real, interface)[0], properties(fake, interface)[0]
    assert set(have) == set(want)
    for name in set(want) - LEFT_OUT.get(interface, set()):
        plain = str if isinstance(have[name], bytes) else type(have[name])  # dumped as hex
        assert isinstance(want[name], plain), name


def test_characteristics(real: Any, fake: Any) -> None:
    """A notifying characteristic has Notifying and NotifyAcquired, a plain one has neither."""

    def kinds(objects: Any) -> set[tuple[str, ...]]:
        found = properties(objects, "org.bluez.GattCharacteristic1")
        return {tuple(sorted(c)) for c in found if "indicate" not in c["Flags"]}

    assert kinds(fake) == kinds(real)


def test_paths(real: Any, fake: Any) -> None:
    """Bleak takes handles and the device from the paths: same shape, handles in four hex digits."""

    def shapes(objects: Any) -> set[str]:
        found = [p for p in objects if "/dev_" in p]
        return {"/".join(w.rstrip("0123456789abcdefABCDEF_") for w in p.split("/")) for p in found}

    assert shapes(fake) == shapes(real)
