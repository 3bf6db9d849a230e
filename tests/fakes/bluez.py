# SPDX-License-Identifier: Apache-2.0
"""A fake `org.bluez` on a private bus: raw D-Bus messages, real behaviours, faults on demand.

Bleak's whole BlueZ backend, dbus-fast, dbus-daemon and the sockets stay real. What is copied from
BlueZ 5.66/5.82 because field failures hang on it:

* a StartNotify registration belongs to the client's *bus connection* and survives link loss; each
  registered client makes the daemon send one more PropertiesChanged per value;
* a connected device is not advertised; the link outlives the client process;
* Disconnect takes about 2 s; an unconnected, unpaired device object is removed 30 s after it was
  last seen; Connect to an absent device blocks for more than 30 s;
* `le-connection-abort-by-local` comes with Connected going true and false again;
* a read of a notifying characteristic is also sent as a notification.

The clock's speed divides all of these times. Properties are compared with a dump of a real BlueZ in
`tests/conformance/test_bleak_bluez_objects.py`.
"""

import asyncio
import contextlib
import socket
from typing import Any

from dbus_fast import Message
from dbus_fast.aio import MessageBus

from tests.fakes.bluez_calls import BluezCalls
from tests.fakes.bluez_objects import ADAPTER, Sensor
from tracker.clock import SYSTEM_CLOCK, Clock

__all__ = ["FakeBluez", "Sensor"]


class FakeBluez(BluezCalls):
    """The daemon: `await start()`, `add(sensor)`, then faults by method."""

    def __init__(self, bus_address: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bus_address = bus_address
        self._clock = clock
        self.speed = clock.speed
        self.sensors: dict[str, Sensor] = {}
        self.powered = True
        self.plugged = True
        self.stop_discovery_busy = 0  # so many StopDiscovery calls answer InProgress
        self.scan_stuck = False  # scans begin and hear nobody, until the adapter was off
        self.calls: list[str] = []
        self._bus: MessageBus | None = None
        self._discovering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the name; a start after `crash` announces the adapter again."""
        bus = MessageBus(bus_address=self._bus_address, negotiate_unix_fd=True)
        await bus.connect()
        # dbus-fast ends a bus whose socket is full for a moment; a burst must never fill it.
        bus._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        bus.add_message_handler(self._on_message)
        rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        await bus.request_name("org.bluez")
        self._bus = bus
        if self.plugged:
            self._added(ADAPTER, self._adapter())
        self._spawn(self._air())

    async def stop(self) -> None:
        """Leave the bus and end all tasks."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._bus is not None:
            self._bus.disconnect()
            with contextlib.suppress(Exception):
                await self._bus.wait_for_disconnect()
        self._bus = None

    async def crash(self) -> None:
        """`kill -9 bluetoothd`: gone without a word; whoever was connected is told nothing."""
        await self.stop()
        self._forget()

    async def terminate(self) -> None:
        """`kill -TERM bluetoothd`: links are closed and reported, then the name goes."""
        for sensor in self.sensors.values():
            self._drop(sensor)
        await asyncio.sleep(0.02)
        await self.crash()

    def _forget(self) -> None:
        self._discovering.clear()
        for sensor in self.sensors.values():
            sensor.connected = sensor.exists = False
            sensor.registrations.clear()
            sensor.pending.clear()
            sensor.exported.clear()
            sensor.peripheral.on_disconnect()

    # -- faults -------------------------------------------------------------------------------

    def add(self, sensor: Sensor) -> Sensor:
        """Bring a sensor into the air."""
        self.sensors[sensor.address] = sensor
        return sensor

    def lose_link(self, address: str) -> None:
        """Supervision timeout 0x08: Connected goes false, registrations stay."""
        self._drop(self.sensors[address])

    def power(self, on: bool) -> None:
        """Adapter off or on, as rfkill or the user does it."""
        self.powered = on
        if not on:
            self.scan_stuck = False
            self._discovering.clear()
            for sensor in self.sensors.values():
                self._drop(sensor)
        self._changed(ADAPTER, "org.bluez.Adapter1", {"Powered": on})

    def unplug(self) -> None:
        """The USB adapter is pulled."""
        for sensor in self.sensors.values():
            self._drop(sensor)
            self._remove(sensor)
        self._discovering.clear()
        self.plugged = False
        self._removed(ADAPTER, list(self._adapter()))

    def plug(self) -> None:
        """The USB adapter is back."""
        self.plugged = True
        self._added(ADAPTER, self._adapter())

    def _drop(self, sensor: Sensor) -> None:
        if sensor.connected:
            sensor.connected = False
            sensor.peripheral.on_disconnect()
            for ends in sensor.acquired.values():
                for end in ends:
                    end.close()
            sensor.acquired.clear()
            props = {"ServicesResolved": False, "Connected": False}
            self._changed(sensor.path, "org.bluez.Device1", props)
            sensor.seen = asyncio.get_running_loop().time()

    async def notify(self, address: str, uuid: str, payload: bytes) -> int:
        """Send one value; the number of PropertiesChanged that went out."""
        sensor = self.sensors[address]
        if uuid.startswith("advert:"):
            sensor.advertised = {int(uuid[7:], 16): payload}
            return 0
        path = sensor.paths.get(uuid)
        bus = self._bus
        if not sensor.connected or sensor.silent or path is None or bus is None:
            return 0
        if uuid in sensor.acquired:
            sensor.acquired[uuid][0].send(payload)
            return 0
        clients = len(sensor.registrations.get(uuid, ()))
        for _ in range(clients):
            await bus.send(self._value(path, payload))
        return clients

    # -- the air ------------------------------------------------------------------------------

    async def _air(self) -> None:
        """Advertise what is not connected; forget what was not seen for 30 s."""
        while True:
            now = asyncio.get_running_loop().time()
            for sensor in list(self.sensors.values()):
                heard = self._discovering and not self.scan_stuck
                if heard and sensor.in_range and not sensor.connected:
                    sensor.seen = now
                    if sensor.exists:
                        props = self._device(sensor)["org.bluez.Device1"]
                        news = {k: props[k] for k in ("RSSI", "ManufacturerData") if k in props}
                        self._changed(sensor.path, "org.bluez.Device1", news)
                    else:
                        sensor.exists = True
                        self._added(sensor.path, self._device(sensor))
                elif sensor.exists and not sensor.connected and now - sensor.seen > 30 / self.speed:
                    self._remove(sensor)
            await asyncio.sleep(max(0.01, 0.2 / self.speed))

    def _remove(self, sensor: Sensor) -> None:
        if sensor.exists:
            self._withdraw(sensor)
            self._removed(sensor.path, list(self._device(sensor)))
        sensor.exists = False
        sensor.registrations.clear()

    # -- calls --------------------------------------------------------------------------------

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
