# SPDX-License-Identifier: Apache-2.0
"""Feeding bytes to a session."""

from collections.abc import Callable, Sequence

import pytest

from firmware_protocol.frame import Frame, Packet
from firmware_protocol.registry import Session, Wish, decoders

Feed = Callable[..., Sequence[Packet]]


@pytest.fixture
def feed() -> Feed:
    """Feed hex to a session; the packets of that frame."""

    def feed(session: Session, channel: str, data: str | bytes, at: int = 10**18) -> list[Packet]:
        payload = bytes.fromhex(data) if isinstance(data, str) else data
        frame = Frame(sensor="t", channel=channel, payload=payload, received_ns=at)
        return list(session.feed(frame))

    return feed


@pytest.fixture
def begin() -> Callable[..., Session]:
    """Open a session of a decoder by name."""
    return lambda name, wish=None: decoders()[name].open(wish or Wish())
