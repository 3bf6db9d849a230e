# SPDX-License-Identifier: Apache-2.0
"""What a user's description of a sensor says, checked: fields, vectors, time, writes."""

from dataclasses import dataclass

from firmware_protocol.frame import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value: what it means and its struct letter (empty in text)."""

    name: str
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """Acceleration or rotation: physical value = raw * scale, then axes put right.

    `axes` holds for x, y, z of the sensor which raw axis it is (0..2) and with which sign.
    """

    kind: Kind
    scale: float
    axes: tuple[tuple[int, int], ...] = ((0, 1), (1, 1), (2, 1))
    full_scale: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Device time: seconds per count, how many bits before it wraps, of which sample."""

    tick_s: float
    bits: int
    of: str = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One notifying characteristic."""

    uuid: str
    rate_hz: float
    text: bool
    separator: str
    order: str
    header: tuple[Field, ...]
    sample: tuple[Field, ...]
    many: bool
    vectors: tuple[Vector, ...]
    time: Time | None
    counter_bits: int | None
    counter_of: str = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Something to write before or after streaming."""

    uuid: str
    data: bytes
    response: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A whole sensor."""

    name: str
    title: str
    services: tuple[str, ...]
    device_names: tuple[str, ...]
    characteristics: tuple[Characteristic, ...]
    start: tuple[Write, ...] = ()
    stop: tuple[Write, ...] = ()
