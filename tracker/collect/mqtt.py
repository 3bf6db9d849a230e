# SPDX-License-Identifier: Apache-2.0
"""Sensor Logger by MQTT: the same JSON as its HTTP push, on a topic of a broker of your own.

Needs `backstay[mqtt]`. The broker's access control decides who may publish; the topic's last part
is the device's token, so a message on a topic nobody registered is counted and dropped.
"""

import asyncio
import logging
from dataclasses import dataclass

import aiomqtt

from firmware_protocol.errors import ProtocolError
from tracker.clock import Clock
from tracker.collect.devices import Devices
from tracker.collect.phone_source import PhoneSource

log = logging.getLogger("backstay.mqtt")

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0)
MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to listen: `backstay/TOKEN` on this broker."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    topic: str = "backstay"


async def follow_mqtt(broker: Broker, devices: Devices, phones: PhoneSource, clock: Clock) -> None:
    """Take batches from the broker until cancelled; a broker that is away is tried again."""
    tries = 0
    while True:
        try:
            async with aiomqtt.Client(
                broker.host, broker.port, username=broker.username, password=broker.password
            ) as client:
                await client.subscribe(f"{broker.topic}/+", qos=1)
                tries = 0
                async for message in client.messages:
                    _take(message, devices, phones, clock.now_ns())
        except aiomqtt.MqttError as error:
            log.warning("broker is away", extra={"host": broker.host, "why": str(error)})
        await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
        tries += 1


def _take(message: aiomqtt.Message, devices: Devices, phones: PhoneSource, now_ns: int) -> None:
    token = str(message.topic).rpartition("/")[2]
    device = devices.of_token(token)
    body = message.payload
    if device is None:
        phones.counts["mqtt_unknown_token"] += 1
        return
    if len(body) > MAX_BYTES:
        phones.counts["mqtt_bad_body"] += 1
        return
    try:
        phones.deliver(device, "sensor-logger", bytes(body), now_ns)
    except ProtocolError as error:
        phones.counts["mqtt_bad_body"] += 1
        log.warning("a batch cannot be used", extra={"device": device.id, "why": str(error)})
