# SPDX-License-Identifier: Apache-2.0
"""What the fake `org.bluez` shows on the bus: adapters, devices, services, and news of them."""

import asyncio
import itertools
import socket
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from firmware_protocol.peripheral import Peripheral
from tracker.clock import Clock

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


def variants(props: dict[str, Any]) -> dict[str, Variant]:
    """Properties with BlueZ's own types."""
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
    # AcquireNotify: (our end, the client's end) of a socket per characteristic
    acquired: dict[str, tuple[socket.socket, socket.socket]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The D-Bus object's path."""
        return f"{ADAPTER}/dev_{self.address.replace(':', '_')}"

    @property
    def services(self) -> list[str]:
        """UUIDs as BlueZ lists them."""
        return [GENERIC, *dict.fromkeys(c.service for c in self.peripheral.characteristics())]


class BluezObjects:
    """Objects and signals; the air and the calls are in `bluez.py` and `bluez_calls.py`."""

    sensors: dict[str, Sensor]
    powered: bool
    plugged: bool
    speed: float
    _clock: Clock
    _bus: MessageBus | None
    _discovering: set[str]
    _tasks: set[asyncio.Task[None]]

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
        body = [interface, variants(props), []]
        properties = "org.freedesktop.DBus.Properties"
        self._emit(path, properties, "PropertiesChanged", "sa{sv}as", body)

    def _added(self, path: str, interfaces: Interfaces) -> None:
        body = [path, {i: variants(p) for i, p in interfaces.items()}]
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
