# SPDX-License-Identifier: Apache-2.0
"""Prompts to an address of the wearer's own network: an HTTP POST, or a message on an MQTT topic.

`http(s)://HOST/PATH` gets the JSON below as its body; `mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC`
gets it as a message (needs `backstay[mqtt]`). This is the one thing of Backstay that leaves the
machine, and only where its owner wrote the address: it must belong to this machine or a private
network (looked up at each prompt), redirects are not followed, proxies not used. The body says
what the notification says and names nobody.
"""

import asyncio
import json
import logging
import socket
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from tracker.collect.prompt_people import Prompted
from tracker.prompt_choice import address_problem, is_near
from tracker.prompt_words import Notice
from tracker.units import from_ns

log = logging.getLogger("backstay.prompts")

TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443, "mqtt": 1883}


class Address:
    """The channel."""

    name = "address"

    async def tell(self, to: Prompted, notice: Notice) -> str:
        """Send it; "" or why not."""
        address = to.choice.address
        if not address or address_problem(address):
            return "no_address"
        parts = urlsplit(address)
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                if not await _near(parts):
                    return "far"
                body = json.dumps(payload(to, notice), ensure_ascii=False).encode()
                if parts.scheme == "mqtt":
                    return await _publish(parts, body)
                return await asyncio.to_thread(_post, address, body)
        except OSError as error:  # TimeoutError and names that nobody knows are OSErrors
            return _no_answer(parts.hostname, error)

    async def quiet(self) -> bool:
        """An address never asks for quiet."""
        return False

    async def close(self) -> None:
        """Nothing is held."""


def payload(to: Prompted, notice: Notice) -> dict[str, object]:
    """What is sent: no name and no series."""
    prompt = notice.prompt
    return {
        "event": "prompt",
        "cause": str(prompt.cause),
        "minutes": round(prompt.minutes),
        "text": notice.text,
        "silent": notice.silent,
        "at": from_ns(prompt.at_ns, to.zone).isoformat(timespec="seconds"),
    }


async def _near(parts: SplitResult) -> bool:
    port = parts.port or PORTS[parts.scheme]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    return is_near(str(info[4][0]) for info in found)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """An address that sends on to another one is refused."""


def _post(address: str, body: bytes) -> str:
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked with the address
        address, body, {"content-type": "application/json", "user-agent": "backstay"}
    )
    try:
        with opener.open(request, timeout=TIMEOUT_S):
            return ""
    except urllib.error.HTTPError as error:  # also where it sends on to another address
        error.close()
        return _no_answer(urlsplit(address).hostname, error)
    except (OSError, HTTPException) as error:
        return _no_answer(urlsplit(address).hostname, error)


async def _publish(parts: SplitResult, body: bytes) -> str:
    try:
        import aiomqtt
    except ImportError:
        return "no_mqtt"
    try:
        async with aiomqtt.Client(
            str(parts.hostname),
            parts.port or PORTS["mqtt"],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            timeout=TIMEOUT_S,
        ) as client:
            await client.publish(parts.path.strip("/"), body, qos=1)
    except aiomqtt.MqttError as error:
        return _no_answer(parts.hostname, error)
    return ""


def _no_answer(where: str | None, error: Exception) -> str:
    log.info("an address did not take a prompt", extra={"host": where, "error": repr(error)})
    return "no_answer"
