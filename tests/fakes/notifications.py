# SPDX-License-Identifier: Apache-2.0
"""A desktop's notification service on a private bus: raw D-Bus messages, nothing shown.

`told` holds (number, text, action keys, hints) of each notification; `press` presses a button;
`inhibited` is "do not disturb" (None: the property is missing, as on desktops that have none).
"""

from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


class Notifications:
    """Owns the name until `stop`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._bus: MessageBus | None = None
        self.told: list[tuple[int, str, list[str], dict[str, Any]]] = []
        self.inhibited: bool | None = False

    async def start(self) -> None:
        """Connect and take the name."""
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._asked)
        await self._bus.request_name(NAME)

    async def stop(self) -> None:
        """Leave."""
        assert self._bus is not None
        self._bus.disconnect()

    async def press(self, number: int, key: str) -> None:
        """The person presses a button of a notification."""
        assert self._bus is not None
        await self._bus.send(
            Message(
                message_type=MessageType.SIGNAL, path=PATH, interface=NAME,
                member="ActionInvoked", signature="us", body=[number, key],
            )
        )  # fmt: skip

    def _asked(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path != PATH:
            return None
        if message.member == "Notify":
            actions, hints = message.body[5], message.body[6]
            plain = {k: v.value for k, v in hints.items()}
            number = len(self.told) + 1
            self.told.append((number, message.body[4], list(actions[::2]), plain))
            return Message.new_method_return(message, "u", [number])
        if message.member == "Get" and self.inhibited is not None:
            return Message.new_method_return(message, "v", [Variant("b", self.inhibited)])
        unknown = "org.freedesktop.DBus.Error.UnknownMethod"
        return Message.new_error(message, unknown, "not here")
