# SPDX-License-Identifier: Apache-2.0
"""What the fake `org.bluez` answers: one method `_do_NAME` for each call of BlueZ that is used."""

import asyncio
import socket
from collections.abc import Sequence

from dbus_fast import Message, MessageType

from firmware_protocol.peripheral import AttError, Notification
from tests.fakes.bluez_objects import BluezObjects, Sensor, variants


class BluezCalls(BluezObjects):
    """The methods of adapter, devices and characteristics."""

    stop_discovery_busy: int
    calls: list[str]

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
        body = {p: {i: variants(v) for i, v in o.items()} for p, o in self.objects().items()}
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

    def _do_AcquireNotify(self, message: Message) -> bool | Message:  # noqa: N802
        found = self._characteristic(message)
        if found is None:
            return self._failed(message, "Not connected", "org.bluez.Error.NotConnected")
        sensor, uuid = found
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sensor.acquired[uuid] = ends
        back = Message.new_method_return(message, "hq", [0, 247], [ends[1].fileno()])
        self._reply(back)
        self._after(sensor, sensor.peripheral.on_subscribe(uuid, on=True))
        return True

    def _do_Set(self, message: Message) -> Message:  # noqa: N802
        """Properties.Set: the adapter's power is all that anybody sets here."""
        interface, name, value = message.body
        if (interface, name) != ("org.bluez.Adapter1", "Powered"):
            return self._failed(message, name, "org.bluez.Error.NotSupported")
        self.power(on=bool(value.value))
        return Message.new_method_return(message)

    def power(self, *, on: bool) -> None:
        """Adapter off or on; see `bluez.py`."""
        raise NotImplementedError

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
