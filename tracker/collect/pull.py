# SPDX-License-Identifier: Apache-2.0
"""Phones that are servers themselves: SensorServer's WebSocket and phyphox's HTTP interface.

Both speak in the clear and know no login, so they are asked inside the home network only. Each
loop goes on until it is cancelled; a phone that is away is asked again after a growing pause.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass

from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame
from firmware_protocol.phones import phyphox, sensor_server
from tracker.clock import Clock
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.errors import SensorError
from tracker.model import GapReason

log = logging.getLogger("backstay.phone")

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone that is asked: `address` is host:port as the app shows it."""

    sensor: str
    address: str
    gyro: bool = True
    poll_s: float = 0.25


async def follow_sensor_server(phone: Phone, inbox: Inbox, clock: Clock) -> None:
    """Read SensorServer's stream into the queue. Raises SensorError where waiting does not help."""
    import websockets

    url = f"ws://{phone.address}{sensor_server.PATH}"
    tries = 0
    while True:
        try:
            async with websockets.connect(url, open_timeout=5, max_size=65_536) as stream:
                session = sensor_server.open_session()
                inbox.tell(LinkNews(at_ns=clock.now_ns(), link="streaming", session=session))
                tries = 0
                async for text in stream:
                    payload = text.encode() if isinstance(text, str) else bytes(text)
                    frame = Frame(
                        sensor=phone.sensor,
                        channel=sensor_server.CHANNEL,
                        payload=payload,
                        received_ns=clock.now_ns(),
                    )
                    inbox.put(Arrival(session=session, frame=frame))
                code = stream.close_code
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            code = getattr(getattr(error, "rcvd", None), "code", None)
            log.info("phone is away", extra={"sensor": phone.sensor, "why": str(error)})
        if code in sensor_server.CLOSE_CODES:
            raise SensorError(f"{phone.sensor}: {sensor_server.CLOSE_CODES[code]}")
        tries = await _away(phone, inbox, clock, tries)


async def follow_phyphox(phone: Phone, inbox: Inbox, clock: Clock) -> None:
    """Poll phyphox for what is new; a new experiment on the phone begins a new session."""
    import httpx

    tries = 0
    running = ""
    session = phyphox.open_session()
    last_s: dict[str, float] = {}
    async with httpx.AsyncClient(
        base_url=f"http://{phone.address}", timeout=5, trust_env=False
    ) as client:
        while True:
            try:
                answer = await client.get(phyphox.query(last_s, phone.gyro))
                answer.raise_for_status()
                body = json.loads(answer.content)
                experiment, measuring = phyphox.experiment(body)
                newest = phyphox.last_times(body)
            except (httpx.HTTPError, ValueError, ProtocolError) as error:
                log.info("phone is away", extra={"sensor": phone.sensor, "why": str(error)})
                tries = await _away(phone, inbox, clock, tries)
                continue
            now_ns = clock.now_ns()
            if experiment != running:
                running, last_s, session = experiment, {}, phyphox.open_session()
                inbox.tell(LinkNews(at_ns=now_ns, link="streaming", session=session))
                continue  # ask again from the beginning of the new experiment
            tries = 0
            if measuring and newest:
                frame = Frame(
                    sensor=phone.sensor,
                    channel=phyphox.CHANNEL,
                    payload=answer.content,
                    received_ns=now_ns,
                )
                inbox.put(Arrival(session=session, frame=frame))
                last_s |= newest
            await asyncio.sleep(phone.poll_s)


async def _away(phone: Phone, inbox: Inbox, clock: Clock, tries: int) -> int:
    if tries == 0:
        inbox.tell(
            LinkNews(
                at_ns=clock.now_ns(),
                link="lost",
                reason=GapReason.LINK_LOST,
                why=f"{phone.sensor} does not answer: is its app open and on the same network?",
            )
        )
    with contextlib.suppress(TimeoutError):
        await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
    return tries + 1
