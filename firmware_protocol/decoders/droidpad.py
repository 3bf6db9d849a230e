# SPDX-License-Identifier: Apache-2.0
"""DroidPad: an Android phone as a BLE sensor; one line of text per event, no device time.

Source: umer0586/DroidPad 1d94d78. CSV or JSON; the README misspells the tag ACCELEROMTER. Without a
large MTU Android cuts the text: what has fewer than three numbers is refused.
"""

import json
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import DPS_PER_RAD, G
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession
from firmware_protocol.errors import BadField, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "4fbfc1d7-f509-44ab-afe1-62ea40a4b111"
DATA = "dc3f5274-33ba-48de-8246-43bf8985b323"
ACC_TAGS, GYRO_TAG = ("ACCELEROMETER", "ACCELEROMTER"), "GYROSCOPE"
DEFAULT_HZ = 50.0  # the app's own default is 5; 20 ms is what our guide asks for


class DroidPadSession(TableSession):
    """One connection."""

    title = "DroidPad phone"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._acc = Stream(kind=Kind.ACC, fs_hz=DEFAULT_HZ, scale=1 / G)
        self._gyro = Stream(kind=Kind.GYRO, fs_hz=DEFAULT_HZ, scale=DPS_PER_RAD)
        self._streams = (self._acc, self._gyro)
        self._handlers = {DATA: self._event}

    def start(self) -> Sequence[Step]:
        """Subscribing starts it."""
        return (Step(action="subscribe", channel=DATA, why="events"),)

    def _event(self, frame: Frame) -> Sequence[Packet]:
        text = frame.payload.decode("utf-8", "replace").strip()
        tag, values = _json(text) if text.startswith("{") else _csv(text)
        if tag in ACC_TAGS:
            stream = self._acc
        elif tag == GYRO_TAG:
            stream = self._gyro
        else:
            raise UnknownFrame(f"DroidPad event {tag[:30]!r} is no motion; ignore it")
        if len(values) != 3 or not (np.abs(values) < 1e6).all():
            raise BadField(
                f"DroidPad event {text[:60]!r} was cut short; the link needs a larger MTU"
            )
        raw = np.array([values])
        return (Packet(stream=stream, raw=raw, received_ns=frame.received_ns),)


def _csv(text: str) -> tuple[str, list[float]]:
    tag, *parts = text.split(",")
    try:
        return tag, [float(p) for p in parts]
    except ValueError:
        raise BadField(f"DroidPad event {text[:60]!r} holds no numbers; drop it") from None


def _json(text: str) -> tuple[str, list[float]]:
    try:
        event = json.loads(text)
        return str(event["type"]), [float(event[k]) for k in "xyz"]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise BadField(f"DroidPad event {text[:60]!r} was cut short or is no JSON") from None


def encode(tag: str, values: Sequence[float]) -> bytes:
    """One event as CSV."""
    return (tag + "".join(f",{v:.7g}" for v in values)).encode("ascii")


DECODER = GattDecoder(
    name="droidpad",
    title=DroidPadSession.title,
    services=(SERVICE,),
    session=DroidPadSession,
    device=lambda: RowPeripheral(
        name="Phone",
        service=SERVICE,
        notifies=(DATA,),
        row=lambda acc, gyr: [
            (DATA, encode("ACCELEROMETER", [v * G for v in acc])),
            (DATA, encode("GYROSCOPE", [v / DPS_PER_RAD for v in gyr])),
        ],
        advertises=True,
    ),
)

GOLDEN = (
    golden("PH-4", DATA, b"ACCELEROMETER,0.31892395,-0.97802734,10.049896".hex(), samples=1),
    golden("json", DATA, b'{"type":"GYROSCOPE","x":1.0E-4,"y":-2,"z":0.5}'.hex(), samples=1),
)
