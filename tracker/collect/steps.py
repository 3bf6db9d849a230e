# SPDX-License-Identifier: Apache-2.0
"""Carries a session's steps out on a Bleak client: subscribe, write, wait for the answer, read.

Characteristics are looked up by UUID, never by handle; the answer to a write is awaited from
before the write, because it may arrive first. Steps that a decoder calls optional may fail.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakCharacteristicNotFoundError, BleakDBusError

from firmware_protocol.registry import Session, Step
from tracker.clock import Clock
from tracker.errors import BackstayError, SensorError

if TYPE_CHECKING:
    from bleak.args.bluez import BlueZNotifyArgs

log = logging.getLogger("backstay.radio")


class LinkEnded(BackstayError):
    """The connection is over; the message says why."""


def characteristic(client: BleakClient, uuid: str, service: str = "") -> BleakGATTCharacteristic:
    """By UUID; the service decides where a UUID stands in several."""
    for one in client.services:
        if service and one.uuid.lower() != service:
            continue
        found = one.get_characteristic(uuid)
        if found is not None:
            return found
    raise BleakCharacteristicNotFoundError(uuid)


class Steps:
    """The steps of one connection. `deliver` takes every payload: (channel, payload)."""

    def __init__(
        self,
        client: BleakClient,
        session: Session,
        clock: Clock,
        deliver: Callable[[str, bytes], None],
        *,
        acquire_notify: bool = False,
    ) -> None:
        # Only BlueZ reads it; StartNotify is Bleak's own default.
        self._bluez: BlueZNotifyArgs = {"use_start_notify": not acquire_notify}
        self._client, self._session, self._clock = client, session, clock
        self._deliver = deliver
        self._waiters: list[tuple[Step, asyncio.Future[None]]] = []
        self._busy = False
        self.streamed = 0  # notifications that came while no step was under way

    async def carry_out(self, steps: Sequence[Step]) -> None:
        """All steps in order. Raises LinkEnded or what Bleak raises."""
        self._busy = True
        try:
            for step, ahead in zip(steps, [*steps[1:], None], strict=True):
                if ahead is not None and ahead.action == "wait":
                    self._expect(ahead)
                await self._one(step)
        finally:
            self._busy = False

    def ended(self) -> None:
        """The link is gone: whoever waits for an answer stops waiting."""
        for _, future in self._waiters:
            if not future.done():
                future.set_exception(LinkEnded("the link ended"))
                future.exception()  # seen: nobody may be waiting any more

    async def _one(self, step: Step) -> None:
        if step.action == "wait":
            await self._wait(step)
            return
        try:
            async with asyncio.timeout(self._clock.real_s(max(step.timeout_s, 1.0)) + 1.0):
                await self._do(step)
        except (BleakCharacteristicNotFoundError, BleakDBusError, TimeoutError) as error:
            if not step.optional:
                raise
            log.info(
                "optional step failed",
                extra={
                    "sensor": self._client.address,
                    "step": step.why or step.channel,
                    "error": repr(error),
                },
            )

    async def _do(self, step: Step) -> None:
        client = self._client
        if step.action == "sleep":
            await self._clock.sleep(step.timeout_s)
            return
        where = characteristic(client, step.channel, step.service)
        match step.action:
            case "subscribe":
                await client.start_notify(where, self._callback(step.channel), bluez=self._bluez)
            case "unsubscribe":
                await client.stop_notify(where)
            case "write" | "write_no_response":
                data, now_ns = step.data, self._clock.now_ns()
                if (at := step.stamp_at) is not None:
                    data = data[:at] + (now_ns // 1000).to_bytes(8, "little") + data[at + 8 :]
                    self._session.wrote(step, now_ns)
                await client.write_gatt_char(where, data, response=step.action == "write")
            case "read":
                self._arrived(step.channel, bytes(await client.read_gatt_char(where)))
            case _:
                raise SensorError(f"a decoder asks for {step.action!r}, which nobody can carry out")

    def _expect(self, step: Step) -> asyncio.Future[None]:
        for known, future in self._waiters:
            if known is step:
                return future
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((step, future))
        return future

    async def _wait(self, step: Step) -> None:
        future = self._expect(step)
        try:
            async with asyncio.timeout(self._clock.real_s(step.timeout_s)):
                await future
        except TimeoutError as error:
            if not step.optional:
                what = step.why or step.channel
                raise LinkEnded(f"no answer from the sensor ({what})") from error
        finally:
            self._waiters = [w for w in self._waiters if w[0] is not step]

    def _callback(self, channel: str) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
        def received(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            self.streamed += not self._busy  # answers to steps are no stream
            self._arrived(channel, bytes(payload))

        return received

    def _arrived(self, channel: str, payload: bytes) -> None:
        self._deliver(channel, payload)
        for step, future in self._waiters:
            if step.channel == channel and payload.startswith(step.expect) and not future.done():
                future.set_result(None)
