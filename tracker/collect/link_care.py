# SPDX-License-Identifier: Apache-2.0
"""Times of the supervisor, and what it does to a Bleak client besides streaming.

Letting go, forgetting remembered services, reading the battery: each bounded, none may stop the
supervisor.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bleak import BleakClient
from bleak.exc import BleakCharacteristicNotFoundError

from tracker.clock import Clock
from tracker.collect.scan import RADIO_ERRORS
from tracker.collect.steps import characteristic

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
Log = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkParams:
    """Times of the supervisor, in seconds of the clock. Sources: `docs/operate/collector.md`."""

    scan_s: float = 5.0
    connect_s: float = 15.0  # BlueZ itself blocks > 30 s on a device that just left
    disconnect_s: float = 5.0  # a real Disconnect takes 2.0-2.7 s, Bleak would wait 10 s
    stale_s: float = 2.5  # no frame for so long while "connected": reconnect
    first_frame_s: float = 10.0  # the same, right after the start sequence
    pause_s: float = 0.3  # after the first failure; doubles
    pause_max_s: float = 20.0
    battery_s: float = 300.0
    away_after: int = 3  # scans without a sign before "out of reach"/"off" is said
    acquire_notify: bool = False  # BlueZ: values through a socket of their own (AcquireNotify)


async def let_go(client: BleakClient, clock: Clock, params: LinkParams, log: Log) -> None:
    """Disconnect the client whatever it says of itself: its bus connection must go too."""
    try:
        async with asyncio.timeout(clock.real_s(params.disconnect_s)):
            await client.disconnect()
    except (TimeoutError, *RADIO_ERRORS) as error:
        log("the old client was let go by force", error=repr(error))
    log("let go", open_sockets=open_sockets())


async def forget(client: BleakClient, clock: Clock, params: LinkParams, log: Log) -> None:
    """Last resort against remembered handles: let the system forget the device."""
    try:
        async with asyncio.timeout(clock.real_s(params.disconnect_s)):
            await client.unpair()
    except (TimeoutError, NotImplementedError, *RADIO_ERRORS) as error:
        log("the device could not be forgotten", error=repr(error))


async def battery_of(client: BleakClient, clock: Clock, log: Log) -> int | None:
    """The level of the standard battery service; None where there is none or it says nonsense."""
    try:
        where = characteristic(client, BATTERY)
    except BleakCharacteristicNotFoundError:
        return None
    try:
        async with asyncio.timeout(clock.real_s(3.0) + 0.5):
            value = await client.read_gatt_char(where)
    except (TimeoutError, *RADIO_ERRORS) as error:
        log("battery not readable", error=repr(error))
        return None
    return int(value[0]) if value and value[0] <= 100 else None


def open_sockets() -> int | None:
    """Sockets of this process (Linux): a bus connection that leaks per reconnect shows here."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return None
    count = 0
    for one in folder.iterdir():
        try:
            count += str(one.readlink()).startswith("socket:")
        except OSError:  # closed meanwhile
            continue
    return count
