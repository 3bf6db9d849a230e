# SPDX-License-Identifier: Apache-2.0
"""Where an MQTT broker is, read from one address. Needs no package."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from tracker.errors import UsageError

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to listen: `TOPIC/TOKEN` on this broker."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    topic: str = "backstay"
    tls: bool = False


def broker_of(url: str) -> Broker:
    """`mqtt[s]://[user[:password]@]host[:port][/topic]`; UsageError for anything else."""
    wrong = "BACKSTAY_MQTT_URL: write it like mqtt://user:password@192.168.1.5:1883/backstay"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{wrong} ({error})") from error
    topic = unquote(parts.path.strip("/"))
    if parts.scheme not in PORTS or not parts.hostname or set(url) & set("?#"):
        raise UsageError(wrong)
    if set(topic) & set("+#"):
        raise UsageError(f"{wrong} (a topic without + and #: the phone's key is added to it)")
    return Broker(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        topic=topic or "backstay",
        tls=parts.scheme == "mqtts",
    )
