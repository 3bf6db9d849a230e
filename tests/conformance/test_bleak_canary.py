# SPDX-License-Identifier: Apache-2.0
"""What the collector leans on in the *installed* Bleak: a new release that moves it fails here."""

import inspect
from importlib.metadata import version

import bleak
import pytest
from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakError,
)

from tracker.collect.scan import _not_available


def test_version() -> None:
    """3.1 calls back when the bus dies and can list connected devices; older ones cannot."""
    major, minor = (int(n) for n in version("bleak").split(".")[:2])
    assert (major, minor) >= (3, 1)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (BleakClient.__init__, {"disconnected_callback", "timeout"}),
        (BleakClient.start_notify, {"char_specifier", "callback"}),
        (BleakClient.write_gatt_char, {"char_specifier", "data", "response"}),
        (BleakClient.read_gatt_char, {"char_specifier"}),
        (BleakScanner.__init__, {"detection_callback", "bluez"}),
        (BleakAdapter.get_connected_devices, {"service_uuids"}),
    ],
)
def test_signatures(call: object, names: set[str]) -> None:
    """The parameters that are used exist under these names."""
    assert names <= set(inspect.signature(call).parameters)  # type: ignore[arg-type]


def test_what_is_called_exists() -> None:
    """Methods and attributes without parameters of interest."""
    for name in ("connect", "disconnect", "unpair", "stop_notify", "services"):
        assert hasattr(BleakClient, name)
    assert inspect.iscoroutinefunction(BleakAdapter.get)


def test_errors_form_the_tree_that_is_caught() -> None:
    """One base error; the two that are told apart derive from it."""
    for kind in (BleakDBusError, BleakCharacteristicNotFoundError, BleakBluetoothNotAvailableError):
        assert issubclass(kind, BleakError)


@pytest.mark.parametrize("reason", list(BleakBluetoothNotAvailableReason))
def test_every_reason_has_a_sentence(reason: BleakBluetoothNotAvailableReason) -> None:
    """Whatever keeps Bluetooth away is said in a sentence with what to do."""
    sentence = _not_available(BleakBluetoothNotAvailableError("why", reason))
    assert sentence.endswith("when it is there.")
    assert "BleakBluetooth" not in sentence


def test_no_backend_switch() -> None:
    """Production code takes the platform's own backend; tests point it to another bus only."""
    for call in (bleak.BleakClient.__init__, bleak.BleakScanner.__init__):
        assert inspect.signature(call).parameters["backend"].default is None
    from tracker.collect import ble, scan

    for module in (ble, scan):
        assert "backend" not in inspect.getsource(module).replace("backend switch", "").replace(
            "bleak.backends", ""
        )
