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
import itertools
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from firmware_protocol.peripheral import AttError, Notification, Peripheral
from tracker.clock import SYSTEM_CLOCK, Clock

ADAPTER = "/org/bluez/hci0"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
GENERIC = "00001801-0000-1000-8000-00805f9b34fb"
_TYPES = {
    **dict.fromkeys(("Address", "AddressType", "Name", "Alias", "PowerState", "Modalias"), "s"),
    **dict.fromkeys(("UUID", "Source"), "s"),
    **dict.fromkeys(("Adapter", "Device", "Service", "Characteristic"), "o"),
    **dict.fromkeys(("UUIDs", "Roles", "Flags"), "as"),
    **dict.fromkeys(("Class", "DiscoverableTimeout", "PairableTimeout"), "u"),
    **dict.fromkeys(("Manufacturer", "Handle", "MTU"), "q"),
    **dict.fromkeys(("Version", "Percentage"), "y"),
    **dict.fromkeys(("RSSI", "TxPower"), "n"),
    **dict.fromkeys(("Value", "AdvertisingFlags"), "ay"),
    "Includes": "ao",
    "ManufacturerData": "a{qv}",
    "ServiceData": "a{sv}",
}  # everything else is a boolean
Interfaces = dict[str, dict[str, Any]]


def _variants(props: dict[str, Any]) -> dict[str, Variant]:
    return {k: Variant(_TYPES.get(k, "b"), v) for k, v in props.items()}


@dataclass
class Sensor:
    """One peripheral in the air. Public fields may be changed by a test at any time."""

    address: str
    peripheral: Peripheral
    rssi_dbm: int = -60
    advertised: dict[int, bytes] = field(default_factory=dict)  # newest manufacturer data
    in_range: bool = True
    silent: bool = False  # connected, but nothing arrives
    connect_errors: list[str] = field(default_factory=list)  # texts of org.bluez.Error.Failed
    resolve: bool = True  # False: services are never resolved
    handle_shift: int = 0  # a firmware update moves every handle
    stale_cache: bool = False  # BlueZ remembers a service without its characteristics
    exported: dict[str, list[str]] = field(default_factory=dict)  # GATT paths -> interfaces
    connected: bool = False
    exists: bool = False
    seen: float = 0.0
    registrations: dict[str, set[str]] = field(default_factory=dict)  # uuid -> clients
    paths: dict[str, str] = field(default_factory=dict)  # uuid -> object path
    connects: int = 0
    pending: list[Message] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The D-Bus object's path."""
        return f"{ADAPTER}/dev_{self.address.replace(':', '_')}"

    @property
    def services(self) -> list[str]:
        """UUIDs as BlueZ lists them."""
        return [GENERIC, *dict.fromkeys(c.service for c in self.peripheral.characteristics())]


class FakeBluez:
    """The daemon: `await start()`, `add(sensor)`, then faults by method."""

    def __init__(self, bus_address: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bus_address = bus_address
        self._clock = clock
        self.speed = clock.speed
        self.sensors: dict[str, Sensor] = {}
        self.powered = True
        self.plugged = True
        self.stop_discovery_busy = 0  # so many StopDiscovery calls answer InProgress
        self.calls: list[str] = []
        self._bus: MessageBus | None = None
        self._discovering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the name; a start after `crash` announces the adapter again."""
        bus = MessageBus(bus_address=self._bus_address)
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
        clients = len(sensor.registrations.get(uuid, ()))
        for _ in range(clients):
            await bus.send(self._value(path, payload))
        return clients

    # -- objects ------------------------------------------------------------------------------

    def _adapter(self) -> Interfaces:
        return {
            "org.bluez.Adapter1": {
                "Address": "F0:F1:F2:F3:F4:F5",
                "AddressType": "public",
                "Name": "fake",
                "Alias": "fake",
                "Class": 0,
                "Connectable": False,
                "Powered": self.powered,
                "PowerState": "on" if self.powered else "off",
                "Discoverable": False,
                "DiscoverableTimeout": 180,
                "Pairable": False,
                "PairableTimeout": 0,
                "Discovering": bool(self._discovering),
                "UUIDs": [],
                "Modalias": "usb:v1D6Bp0246d0552",
                "Roles": ["central", "peripheral"],
                "Manufacturer": 65535,
                "Version": 9,
            }
        }

    def _device(self, sensor: Sensor) -> Interfaces:
        advert = sensor.peripheral.advert()
        props = {
            "Address": sensor.address,
            "AddressType": "random",
            "Name": advert.name,
            "Alias": advert.name,
            "Paired": False,
            "Bonded": False,
            "Trusted": False,
            "Blocked": False,
            "LegacyPairing": False,
            "Connected": sensor.connected,
            "UUIDs": sensor.services if sensor.connected else list(advert.services),
            "Adapter": ADAPTER,
            "ServicesResolved": sensor.connected and sensor.resolve,
            "AdvertisingFlags": b"\x06",
        }
        if not sensor.connected:
            props["RSSI"] = sensor.rssi_dbm
        if data := (sensor.advertised or advert.manufacturer).items():
            props["ManufacturerData"] = {k: Variant("ay", bytes(v)) for k, v in data}
        found: Interfaces = {"org.bluez.Device1": props}
        table = sensor.peripheral.characteristics()
        if sensor.connected and any(c.uuid == BATTERY for c in table):
            level = sensor.peripheral.on_read(BATTERY, self._clock.now_ns())[0]
            found["org.bluez.Battery1"] = {"Percentage": level, "Source": "GATT Battery Service"}
        return found

    def _gatt(self, sensor: Sensor) -> dict[str, Interfaces]:
        """Objects below a connected device; also fills `sensor.paths`."""
        objects: dict[str, Interfaces] = {}
        handle = itertools.count(1 + sensor.handle_shift)
        sensor.paths.clear()
        for service in sensor.services:
            number = next(handle)
            service_path = f"{sensor.path}/service{number:04x}"
            objects[service_path] = {
                "org.bluez.GattService1": {
                    "Handle": number,
                    "UUID": service,
                    "Device": sensor.path,
                    "Primary": True,
                    "Includes": [],
                }
            }
            for characteristic in sensor.peripheral.characteristics():
                if characteristic.service != service or sensor.stale_cache:
                    continue
                uuid, flags = characteristic.uuid, list(characteristic.flags)
                number = next(handle)
                next(handle)  # the value has a handle of its own
                path = f"{service_path}/char{number:04x}"
                sensor.paths[uuid] = path
                props = {
                    "Handle": number,
                    "UUID": uuid,
                    "Service": service_path,
                    "Value": b"",
                    "Flags": flags,
                    "MTU": 517,
                }
                objects[path] = {"org.bluez.GattCharacteristic1": props}
                if "notify" in flags or "indicate" in flags:
                    props["Notifying"] = bool(sensor.registrations.get(uuid))
                    if "notify" in flags:
                        props["NotifyAcquired"] = False
                    number = next(handle)
                    objects[f"{path}/desc{number:04x}"] = {
                        "org.bluez.GattDescriptor1": {
                            "Handle": number,
                            "UUID": "00002902-0000-1000-8000-00805f9b34fb",
                            "Characteristic": path,
                            "Value": b"",
                        }
                    }
        return objects

    def _export(self, sensor: Sensor) -> None:
        """Announce the GATT table; what was there under other handles is taken back first."""
        table = self._gatt(sensor)
        if sensor.exported.keys() != table.keys():
            self._withdraw(sensor)
        sensor.exported = {path: list(interfaces) for path, interfaces in table.items()}
        for path, interfaces in table.items():
            self._added(path, interfaces)

    def _withdraw(self, sensor: Sensor) -> None:
        for path, interfaces in reversed(sensor.exported.items()):
            self._removed(path, interfaces)
        sensor.exported = {}

    def objects(self) -> dict[str, Interfaces]:
        """Everything that GetManagedObjects answers."""
        found: dict[str, Interfaces] = {}
        if self.plugged:
            found[ADAPTER] = self._adapter()
            for sensor in self.sensors.values():
                if sensor.exists:
                    found[sensor.path] = self._device(sensor)
                    if sensor.exported:
                        found.update(self._gatt(sensor))
        return found

    # -- signals ------------------------------------------------------------------------------

    def _emit(self, path: str, interface: str, member: str, sign: str, body: list[Any]) -> None:
        self._reply(
            Message(
                message_type=MessageType.SIGNAL,
                path=path,
                interface=interface,
                member=member,
                signature=sign,
                body=body,
            )
        )

    def _changed(self, path: str, interface: str, props: dict[str, Any]) -> None:
        body = [interface, _variants(props), []]
        properties = "org.freedesktop.DBus.Properties"
        self._emit(path, properties, "PropertiesChanged", "sa{sv}as", body)

    def _added(self, path: str, interfaces: Interfaces) -> None:
        body = [path, {i: _variants(p) for i, p in interfaces.items()}]
        manager = "org.freedesktop.DBus.ObjectManager"
        self._emit("/", manager, "InterfacesAdded", "oa{sa{sv}}", body)

    def _removed(self, path: str, interfaces: list[str]) -> None:
        manager = "org.freedesktop.DBus.ObjectManager"
        self._emit("/", manager, "InterfacesRemoved", "oas", [path, interfaces])

    def _value(self, path: str, payload: bytes) -> Message:
        return Message(
            message_type=MessageType.SIGNAL,
            path=path,
            interface="org.freedesktop.DBus.Properties",
            member="PropertiesChanged",
            signature="sa{sv}as",
            body=["org.bluez.GattCharacteristic1", {"Value": Variant("ay", payload)}, []],
        )

    # -- the air ------------------------------------------------------------------------------

    async def _air(self) -> None:
        """Advertise what is not connected; forget what was not seen for 30 s."""
        while True:
            now = asyncio.get_running_loop().time()
            for sensor in list(self.sensors.values()):
                if self._discovering and sensor.in_range and not sensor.connected:
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

    def _on_message(self, message: Message) -> bool | Message | None:
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.body[2] == "":
                self._gone(message.body[0])
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.calls.append(str(message.member))
        handler = getattr(self, f"_do_{message.member}", None)
        if handler is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "")
        answer: bool | Message = handler(message)
        return answer

    def _gone(self, client: str) -> None:
        """A client's bus connection ended: its registrations go, the link does not."""
        self._discovering.discard(client)
        for sensor in self.sensors.values():
            for uuid in list(sensor.registrations):
                self._unregister(sensor, uuid, client)

    def _unregister(self, sensor: Sensor, uuid: str, client: str) -> None:
        clients = sensor.registrations.get(uuid, set())
        if client in clients:
            clients.discard(client)
            if not clients and sensor.connected:
                sensor.peripheral.on_subscribe(uuid, on=False)

    @staticmethod
    def _failed(message: Message, text: str, name: str = "org.bluez.Error.Failed") -> Message:
        return Message.new_error(message, name, text)

    def _do_GetManagedObjects(self, message: Message) -> Message:  # noqa: N802 - D-Bus names
        body = {p: {i: _variants(v) for i, v in o.items()} for p, o in self.objects().items()}
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [body])

    def _do_SetDiscoveryFilter(self, message: Message) -> Message:  # noqa: N802
        return Message.new_method_return(message)

    def _do_StartDiscovery(self, message: Message) -> Message:  # noqa: N802
        if not self.powered:
            return self._failed(message, "Resource Not Ready", "org.bluez.Error.NotReady")
        self._discovering.add(str(message.sender))
        return Message.new_method_return(message)

    def _do_StopDiscovery(self, message: Message) -> Message:  # noqa: N802
        if self.stop_discovery_busy > 0:
            self.stop_discovery_busy -= 1
            busy = "Operation already in progress"
            return self._failed(message, busy, "org.bluez.Error.InProgress")
        if not self.powered:
            return self._failed(message, "Resource Not Ready", "org.bluez.Error.NotReady")
        self._discovering.discard(str(message.sender))
        return Message.new_method_return(message)

    def _do_RemoveDevice(self, message: Message) -> Message:  # noqa: N802
        for sensor in self.sensors.values():
            if sensor.path == message.body[0]:
                self._drop(sensor)
                self._remove(sensor)
                sensor.stale_cache = False
        return Message.new_method_return(message)

    def _sensor(self, path: str | None) -> Sensor | None:
        found = (s for s in self.sensors.values() if s.exists and str(path).startswith(s.path))
        return next(found, None)

    def _unknown(self, message: Message) -> Message:
        text = f'Method "{message.member}" with signature "" doesn\'t exist'
        return self._failed(message, text, "org.freedesktop.DBus.Error.UnknownObject")

    def _do_Connect(self, message: Message) -> bool | Message:  # noqa: N802
        sensor = self._sensor(message.path)
        if sensor is None:
            return self._unknown(message)
        self._spawn(self._connect(sensor, message))
        return True

    async def _connect(self, sensor: Sensor, message: Message) -> None:
        sensor.pending.append(message)
        if sensor.connect_errors:
            text = sensor.connect_errors.pop(0)
            if text == "le-connection-abort-by-local":
                self._changed(sensor.path, "org.bluez.Device1", {"Connected": True})
                self._answer(sensor, message, text)
                await asyncio.sleep(0.02)
                self._changed(sensor.path, "org.bluez.Device1", {"Connected": False})
            else:
                self._answer(sensor, message, text)
            return
        if not sensor.in_range or not self.powered:
            await asyncio.sleep(40 / self.speed)
            self._answer(sensor, message, "br-connection-timeout")
            return
        await asyncio.sleep(0.2 / self.speed)
        sensor.connected, sensor.connects = True, sensor.connects + 1
        for uuid, clients in sensor.registrations.items():
            if clients:  # BlueZ switches surviving registrations on again by itself
                self._after(sensor, sensor.peripheral.on_subscribe(uuid, on=True))
        self._changed(sensor.path, "org.bluez.Device1", {"Connected": True})
        if sensor.resolve:
            self._export(sensor)
            battery = self._device(sensor).get("org.bluez.Battery1")
            if battery:
                self._added(sensor.path, {"org.bluez.Battery1": battery})
            resolved = {"UUIDs": list(sensor.services), "ServicesResolved": True}
            self._changed(sensor.path, "org.bluez.Device1", resolved)
        self._answer(sensor, message, None)

    def _answer(self, sensor: Sensor, message: Message, error: str | None) -> None:
        if message in sensor.pending:
            sensor.pending.remove(message)
            if error is None:
                self._reply(Message.new_method_return(message))
            else:
                self._reply(self._failed(message, error))

    def _do_Disconnect(self, message: Message) -> bool | Message:  # noqa: N802
        sensor = self._sensor(message.path)
        if sensor is None:
            return self._unknown(message)
        self._spawn(self._disconnect(sensor, message))
        return True

    async def _disconnect(self, sensor: Sensor, message: Message) -> None:
        for waiting in list(sensor.pending):
            self._answer(sensor, waiting, "Operation aborted")
        if sensor.connected:
            await asyncio.sleep(2.0 / self.speed)
            self._drop(sensor)
        self._reply(Message.new_method_return(message))

    def _characteristic(self, message: Message) -> tuple[Sensor, str] | None:
        sensor = self._sensor(message.path)
        if sensor is None or not sensor.connected:
            return None
        for uuid, path in sensor.paths.items():
            if path == message.path:
                return sensor, uuid
        return None

    def _do_StartNotify(self, message: Message) -> bool | Message:  # noqa: N802
        found = self._characteristic(message)
        if found is None:
            return self._failed(message, "Not connected", "org.bluez.Error.NotConnected")
        sensor, uuid = found
        clients = sensor.registrations.setdefault(uuid, set())
        first = not clients
        clients.add(str(message.sender))
        self._reply(Message.new_method_return(message))
        if first:
            self._after(sensor, sensor.peripheral.on_subscribe(uuid, on=True))
        return True

    def _do_StopNotify(self, message: Message) -> Message:  # noqa: N802
        found = self._characteristic(message)
        if found is not None:
            self._unregister(*found, str(message.sender))
        return Message.new_method_return(message)

    def _do_ReadValue(self, message: Message) -> Message:  # noqa: N802
        found = self._characteristic(message)
        if found is None:
            return self._failed(message, "Not connected", "org.bluez.Error.NotConnected")
        sensor, uuid = found
        try:
            value = sensor.peripheral.on_read(uuid, self._clock.now_ns())
        except AttError as error:
            return self._failed(message, f"Operation failed with ATT error: 0x{error.code:02x}")
        if sensor.registrations.get(uuid):
            self._after(sensor, [(uuid, value)])
        return Message.new_method_return(message, "ay", [value])

    def _do_WriteValue(self, message: Message) -> bool | Message:  # noqa: N802
        found = self._characteristic(message)
        if found is None:
            return self._failed(message, "Not connected", "org.bluez.Error.NotConnected")
        sensor, uuid = found
        data = bytes(message.body[0])
        try:
            answers = sensor.peripheral.on_write(uuid, data, self._clock.now_ns())
        except AttError as error:
            return self._failed(message, f"Operation failed with ATT error: 0x{error.code:02x}")
        self._reply(Message.new_method_return(message))
        self._after(sensor, answers)
        return True

    def _reply(self, message: Message) -> None:
        if self._bus is not None and self._bus.connected:
            sent = self._bus.send(message)
            sent.add_done_callback(lambda f: f.cancelled() or f.exception())

    def _after(self, sensor: Sensor, values: Sequence[Notification]) -> None:
        async def send() -> None:
            for uuid, payload in values:
                await self.notify(sensor.address, uuid, payload)

        if values:
            self._spawn(send())
