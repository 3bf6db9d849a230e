# SPDX-License-Identifier: Apache-2.0
"""Bluetooth: whether there is an adapter, it is on, and this program may use it."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from tracker.checks import Finding, Surroundings, fault, good

NAME = "radio"


class Radio(StrEnum):
    """What can be said of Bluetooth on this machine."""

    ON = "on"
    OFF = "off"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    NO_SERVICE = "no_service"
    SILENT = "silent"


_CURES = {
    Radio.OFF: (
        "Bluetooth is switched off.",
        (
            "Switch it on in the system's settings, or run `rfkill unblock bluetooth` and "
            "`bluetoothctl power on`."
        ),
    ),
    Radio.MISSING: (
        "This machine has no Bluetooth adapter.",
        (
            "Plug in a USB adapter for Bluetooth 4.0 or newer, or use a phone as the sensor "
            "(docs/first-day/phone.md)."
        ),
    ),
    Radio.FORBIDDEN: (
        "This program is not allowed to use Bluetooth.",
        (
            "Linux: run `sudo usermod -aG bluetooth $USER` and sign in again; macOS and Windows: "
            "allow Bluetooth for your terminal in the privacy settings."
        ),
    ),
    Radio.NO_SERVICE: (
        "The system's Bluetooth service does not run.",
        (
            "Install it (Debian: `sudo apt install bluez`) and start it with "
            "`sudo systemctl enable --now bluetooth`."
        ),
    ),
    Radio.SILENT: (
        "The system's Bluetooth service does not answer.",
        "Restart it with `sudo systemctl restart bluetooth`, or restart the machine.",
    ),
}


def check(here: Surroundings) -> Iterable[Finding]:
    """One finding about Bluetooth."""
    look = _look_bluez if sys.platform == "linux" else _look_elsewhere
    yield judge(asyncio.run(look()))


def judge(radio: Radio) -> Finding:
    """The sentence and the remedy of a state."""
    if radio is Radio.ON:
        return good(NAME, "Bluetooth is on.")
    return fault(NAME, *_CURES[radio])


def of_bluez(objects: Mapping[str, Mapping[str, Any]]) -> Radio:
    """What BlueZ's managed objects say about adapters (property name -> value)."""
    powered = [o["org.bluez.Adapter1"]["Powered"] for o in objects.values()
               if "org.bluez.Adapter1" in o]  # fmt: skip
    if not powered:
        return Radio.MISSING
    return Radio.ON if any(getattr(p, "value", p) for p in powered) else Radio.OFF


async def _look_bluez() -> Radio:
    """Ask BlueZ itself: it tells "off" from "missing" from "forbidden", which Bleak does not."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import AuthError

    bus = MessageBus(bus_type=BusType.SYSTEM)
    call = Message(
        destination="org.bluez",
        path="/",
        interface="org.freedesktop.DBus.ObjectManager",
        member="GetManagedObjects",
    )
    try:
        async with asyncio.timeout(5):
            await bus.connect()
            reply = await bus.call(call)
    except (AuthError, PermissionError):
        return Radio.FORBIDDEN
    except (OSError, EOFError):
        return Radio.NO_SERVICE
    except TimeoutError:
        return Radio.SILENT
    finally:
        bus.disconnect()
    if reply.message_type is MessageType.ERROR:
        denied = "AccessDenied" in str(reply.error_name)
        return Radio.FORBIDDEN if denied else Radio.NO_SERVICE
    return of_bluez(reply.body[0])


async def _look_elsewhere() -> Radio:
    """Windows and macOS: what Bleak's own adapter check says."""
    from bleak import BleakAdapter
    from bleak.exc import BleakBluetoothNotAvailableError

    try:
        await BleakAdapter.get()
    except BleakBluetoothNotAvailableError as error:
        reason = error.reason.name
        if reason == "POWERED_OFF":
            return Radio.OFF
        return Radio.FORBIDDEN if reason.startswith("DENIED") else Radio.MISSING
    return Radio.ON
