# SPDX-License-Identifier: Apache-2.0
"""The last rung of the ladder: Bluetooth that hears nothing is switched off and on (BlueZ only).

A scan of BlueZ before 5.88 can get stuck after StopDiscovery (bluez #807, #1554): everything looks
well and nobody is heard. Only an adapter on which *no* link of any program is up is touched, and
once per silence: a house without any device in the air is no fault.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

log = logging.getLogger("backstay.radio")

OFF_S = 1.0  # a controller needs a moment to forget its scan
ANSWER_S = 5.0


async def power_cycle(adapter: str = "") -> bool:
    """Switch the adapter off and on; False where that is not wanted or not possible.

    Raises what D-Bus raises (OSError, EOFError, DBusError); the caller goes on without.
    """
    bus = MessageBus(bus_type=BusType.SYSTEM)
    async with asyncio.timeout(4 * ANSWER_S):
        await bus.connect()
        try:
            objects = await _objects(bus)
            for path in _idle(objects, adapter):
                log.warning("nobody is heard: Bluetooth is switched off and on", extra={"at": path})
                off = await _power(bus, path, on=False)
                await asyncio.sleep(OFF_S)
                return await _power(bus, path, on=True) and off
            return False
        finally:
            bus.disconnect()


def _idle(objects: dict[str, dict[str, Any]], adapter: str) -> Iterable[str]:
    """Powered adapters without a link of anybody; the wanted one, or the first."""
    for path, interfaces in sorted(objects.items()):
        mine = interfaces.get("org.bluez.Adapter1")
        if mine is None or not path.endswith(adapter or path) or not mine["Powered"].value:
            continue
        links = [
            other
            for other, theirs in objects.items()
            if other.startswith(f"{path}/")
            and "org.bluez.Device1" in theirs
            and theirs["org.bluez.Device1"]["Connected"].value
        ]
        if not links:
            yield path


async def _objects(bus: MessageBus) -> dict[str, dict[str, Any]]:
    answer = await bus.call(
        Message(
            destination="org.bluez",
            path="/",
            interface="org.freedesktop.DBus.ObjectManager",
            member="GetManagedObjects",
        )
    )
    if answer.message_type is MessageType.ERROR:
        return {}
    found: dict[str, dict[str, Any]] = answer.body[0]
    return found


async def _power(bus: MessageBus, path: str, *, on: bool) -> bool:
    answer = await bus.call(
        Message(
            destination="org.bluez",
            path=path,
            interface="org.freedesktop.DBus.Properties",
            member="Set",
            signature="ssv",
            body=["org.bluez.Adapter1", "Powered", Variant("b", on)],
        )
    )
    return answer.message_type is not MessageType.ERROR
