# SPDX-License-Identifier: Apache-2.0
"""Prompts as notifications of the desktop: `org.freedesktop.Notifications` on the session bus.

Linux and other systems with that service; `dbus-fast` comes with Bleak there. The notification
carries the snoozes as buttons. "Do not disturb" is asked for (`Inhibited`, as KDE has it; desktops
without the property hold notifications back themselves).

Source: Desktop Notifications Specification 1.2, freedesktop.org.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.collect.prompt_people import Prompted
from tracker.prompt_words import Notice

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logging.getLogger("backstay.prompts")

NAME = PLACE = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
TIMEOUT_S = 5.0
REMEMBERED = 50  # notifications whose buttons still count
MATCH = f"type='signal',interface='{NAME}',member='ActionInvoked'"
Asked = Callable[[str, float | None], Awaitable[object]]


def bus_address() -> str:
    """Where the session bus is, "" where there is none."""
    if address := os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    user = getattr(os, "getuid", lambda: None)()
    usual = Path(f"/run/user/{user}/bus")
    return f"unix:path={usual}" if user is not None and usual.exists() else ""


class Desktop:
    """The channel. `asked(wearer, minutes)` carries out the snooze of a button."""

    name = "desktop"

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._bus: MessageBus | None = None
        self._sent: dict[int, str] = {}  # notification -> wearer
        self._tasks: set[asyncio.Future[object]] = set()

    async def tell(self, to: Prompted, notice: Notice) -> str:
        """Show it; "" or why not."""
        from dbus_fast import Variant

        actions = ["default", notice.done]
        for minutes, label in notice.buttons:
            actions += [_key(minutes), label]
        hints = {
            "urgency": Variant("y", 0 if notice.silent else 1),
            "suppress-sound": Variant("b", True),
            "transient": Variant("b", True),
            "desktop-entry": Variant("s", "backstay"),
        }
        body = ["Backstay", 0, "", "Backstay", _escaped(notice.text), actions, hints, -1]
        answer = await self._call("Notify", "susssasa{sv}i", body)
        if isinstance(answer, str):
            return answer
        self._sent[int(answer[0])] = to.wearer
        while len(self._sent) > REMEMBERED:
            self._sent.pop(next(iter(self._sent)))
        return ""

    async def quiet(self) -> bool:
        """Whether the desktop says "do not disturb"."""
        answer = await self._call(
            "Get", "ss", [NAME, "Inhibited"], interface="org.freedesktop.DBus.Properties"
        )
        return not isinstance(answer, str) and answer[0].value is True

    async def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None
        for task in self._tasks:
            task.cancel()

    async def _call(
        self, member: str, signature: str, body: list[Any], interface: str = NAME
    ) -> list[Any] | str:
        """The answer's values, or why there is none."""
        try:
            from dbus_fast import Message, MessageType
            from dbus_fast.errors import DBusError
        except ImportError:
            return "no_desktop"
        address = bus_address()
        if not address:
            return "no_session"
        message = Message(
            destination=PLACE, path=PATH, interface=interface, member=member,
            signature=signature, body=body,
        )  # fmt: skip
        try:
            async with asyncio.timeout(TIMEOUT_S):
                bus = await self._connected(address)
                answer = await bus.call(message)
        except (OSError, EOFError, DBusError) as error:  # TimeoutError is an OSError
            self._bus = None
            log.info("the desktop does not answer", extra={"error": repr(error)})
            return "no_answer"
        if answer.message_type is MessageType.ERROR:
            log.info("the desktop refuses", extra={"error": answer.error_name})
            return "no_answer"
        return list(answer.body)

    async def _connected(self, address: str) -> "MessageBus":
        from dbus_fast import Message
        from dbus_fast.aio import MessageBus

        if self._bus is not None and self._bus.connected:
            return self._bus
        bus = await MessageBus(bus_address=address).connect()
        bus.add_message_handler(self._heard)
        rule = Message(
            destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus", member="AddMatch", signature="s", body=[MATCH],
        )  # fmt: skip
        await bus.call(rule)
        self._bus = bus
        return bus

    def _heard(self, message: "Message") -> None:
        if message.interface != NAME or message.member != "ActionInvoked":
            return
        number, key = message.body
        wearer = self._sent.pop(int(number), None)
        if wearer is None or not str(key).startswith("quiet-"):
            return
        word = str(key).removeprefix("quiet-")
        task = asyncio.ensure_future(
            self._asked(wearer, None if word == "tomorrow" else float(word))
        )
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Future[object]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a snooze could not be kept", extra={"error": str(error)})


def _key(minutes: int | None) -> str:
    return f"quiet-{minutes or 'tomorrow'}"


def _escaped(text: str) -> str:
    for plain, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(plain, safe)
    return text
