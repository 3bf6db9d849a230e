# SPDX-License-Identifier: Apache-2.0
"""Ports: whether another program has the dashboard's or the phone door's."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable
from enum import StrEnum

from tracker.checks import Finding, Surroundings, fault, good

NAME = "ports"


class Port(StrEnum):
    """Who has a port of this machine."""

    FREE = "free"
    OURS = "ours"
    TAKEN = "taken"
    FORBIDDEN = "forbidden"


def check(here: Surroundings) -> Iterable[Finding]:
    """The two ports; 0 means that the system picks a free one."""
    settings = here.settings
    if settings.port:
        yield judge("dashboard", "BACKSTAY_PORT", settings.port, dashboard_state(settings.port))
    if settings.http_port:
        ours = (here.collector or {}).get("phone_port") == settings.http_port
        state = Port.OURS if ours else state_of(settings.http_port)
        yield judge("phone door", "BACKSTAY_HTTP_PORT", settings.http_port, state)


def judge(door: str, setting: str, port: int, state: Port) -> Finding:
    """What the state of a port means for one of our doors."""
    if state is Port.FREE:
        return good(NAME, f"Port {port} is free for the {door}.")
    if state is Port.OURS:
        return good(NAME, f"The {door} answers on port {port}.")
    if state is Port.FORBIDDEN:
        return fault(
            NAME,
            f"This program may not listen on port {port} for the {door}.",
            f"Set {setting} to a port above 1023.",
        )
    return fault(
        NAME,
        f"Port {port} of the {door} is taken by another program.",
        f"End that program, or set {setting} to another port; `backstay up` takes a free one by "
        "itself, but then the address changes.",
    )


def state_of(port: int) -> Port:
    """Try to listen; whoever listens already is a stranger."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return Port.TAKEN
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return Port.FORBIDDEN
        except OSError:
            return Port.TAKEN
    return Port.FREE


def dashboard_state(port: int) -> Port:
    """Like `state_of`, and whether it is our dashboard that listens."""
    state = state_of(port)
    if state is not Port.TAKEN:
        return state
    # Our own certificate is self-signed; only who answers on this machine is asked.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    for scheme in ("http", "https"):
        try:
            with urllib.request.urlopen(  # noqa: S310 - loopback only
                f"{scheme}://127.0.0.1:{port}/health", timeout=2, context=context
            ) as answer:
                if json.loads(answer.read(1000)) == {"status": "ok"}:
                    return Port.OURS
        except (OSError, ValueError):
            continue
    return Port.TAKEN
