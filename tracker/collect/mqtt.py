# SPDX-License-Identifier: Apache-2.0
"""Sensor Logger by MQTT: the same JSON as its HTTP push, on a topic of a broker of your own.

Needs `backstay[mqtt]`. The broker's access control decides who may publish; the topic's last part
is the device's token, so a message on a topic nobody registered is counted and dropped.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable

import aiomqtt

from firmware_protocol.errors import ProtocolError
from tracker.clock import Clock
from tracker.collect.broker import Broker
from tracker.collect.devices import Devices
from tracker.collect.phone_source import PhoneSource

log = logging.getLogger("backstay.mqtt")

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0)
MAX_BYTES = 2_000_000


async def follow_mqtt(
    broker: Broker,
    devices: Devices,
    phones: PhoneSource,
    clock: Clock,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Take batches from the broker until cancelled; a broker that is away is tried again.

    `tell` hears why the broker cannot be used, "" when it can.
    """
    tries = 0
    secure = ssl.create_default_context() if broker.tls else None
    while True:
        try:
            async with aiomqtt.Client(
                broker.host,
                broker.port,
                username=broker.username,
                password=broker.password,
                tls_context=secure,
            ) as client:
                await client.subscribe(f"{broker.topic}/+", qos=1)
                tries = 0
                tell("")
                async for message in client.messages:
                    _take(message, devices, phones, clock.now_ns())
        except aiomqtt.MqttError as error:
            log.warning("broker is away", extra={"host": broker.host, "why": str(error)})
            tell(f"the broker {broker.host}:{broker.port} cannot be used ({error})")
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
