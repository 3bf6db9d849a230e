# SPDX-License-Identifier: Apache-2.0
"""Bytes of Polar's measurement data service (PMD), both directions.

Source: Polar Measurement Data Specification and online_measurement.pdf in
polarofficial/polar-ble-sdk (git history at b18dfc58, e5a11b32), checked against the SDK's tests.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

ACC, GYRO, MAG, SDK_MODE = 2, 5, 6, 9
GET_SETTINGS, START, STOP = 1, 2, 3
RATE, RESOLUTION, RANGE, RANGE_MILLI, CHANNELS, FACTOR, SECURITY = range(7)
_WIDTHS = {RATE: 2, RESOLUTION: 2, RANGE: 2, RANGE_MILLI: 4, CHANNELS: 1, FACTOR: 4, SECURITY: 16}
ALREADY = 6
STATUS = {
    0: "success",
    1: "invalid operation",
    2: "invalid measurement type",
    3: "not supported",
    4: "invalid length",
    5: "invalid parameter",
    6: "already in that state",
    7: "invalid resolution",
    8: "invalid sample rate",
    9: "invalid range",
    10: "the link's MTU is too small",
    11: "invalid number of channels",
    12: "invalid state, another measurement is in the way",
    13: "the sensor is in its charger, take it out",
    14: "the sensor's memory is full",
}
UNIX_OFFSET_S = 946_684_800  # 2000-01-01 in Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response on the control point: ``F0 op type status more parameters``."""

    op: int
    kind: int
    status: int
    more: bool = False
    params: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        """Check the marker and the length."""
        if not data or data[0] != 0xF0:
            raise UnknownFrame(f"control point sent {data[:1].hex() or 'nothing'}; ignore it")
        if len(data) < 4:
            raise TruncatedFrame(f"control point answer of {len(data)} bytes; expected 4 or more")
        return cls(
            op=data[1],
            kind=data[2] & 0x3F,
            status=data[3],
            more=len(data) > 4 and data[4] != 0,
            params=data[5:],
        )


def settings(params: bytes) -> dict[int, tuple[float, ...]]:
    """The offered or applied settings: type -> values."""
    found: dict[int, tuple[float, ...]] = {}
    at = 0
    while at < len(params):
        kind = params[at]
        width = _WIDTHS.get(kind)
        if width is None:
            raise UnknownFrame(f"setting type {kind} is not known; its length cannot be told")
        if at + 2 > len(params) or at + 2 + width * params[at + 1] > len(params):
            raise TruncatedFrame(f"settings end inside type {kind}; ask for them again")
        count = params[at + 1]
        body = params[at + 2 : at + 2 + width * count]
        if kind == FACTOR:
            found[kind] = struct.unpack(f"<{count}f", body)
        else:
            found[kind] = tuple(
                float(int.from_bytes(body[i : i + width], "little"))
                for i in range(0, len(body), width)
            )
        at += 2 + width * count
    return found


def encode_settings(values: dict[int, tuple[float, ...]]) -> bytes:
    """The same as bytes, in the order of the mapping."""
    out = b""
    for kind, offered in values.items():
        out += bytes([kind, len(offered)])
        for value in offered:
            out += (
                struct.pack("<f", value)
                if kind == FACTOR
                else int(value).to_bytes(_WIDTHS[kind], "little")
            )
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """A data notification: raw counts (n, channels), device ns of the last sample."""

    kind: int
    frame: int
    ts_ns: int
    raw: NDArray[np.int64] | NDArray[np.float32]


def decode(payload: bytes) -> Data:
    """Decode any frame of the kinds this product uses."""
    if len(payload) < 11:
        raise TruncatedFrame(f"measurement frame of {len(payload)} bytes; the header has 10")
    kind, ts_ns, frame = struct.unpack_from("<BQB", payload)
    kind &= 0x3F
    content = payload[10:]
    raw: NDArray[np.int64] | NDArray[np.float32]
    match kind, frame:
        case 2, 0 | 1 | 2:
            raw = _plain(content, frame + 1)
        case (2 | 5 | 6, 0x80) | (2, 0x81):
            raw = delta(content, channels=3, width=2)
        case 5, 0x81:
            raw = delta(content, channels=3, width=4).astype(np.int32).view(np.float32)
            if not np.isfinite(raw).all():
                raise BadField("gyroscope value is no finite number; drop this frame")
        case 6, 0x81:
            raw = delta(content, channels=4, width=2)
        case _:
            raise UnknownFrame(f"measurement {kind} with frame type {frame:#04x} is not used here")
    return Data(kind=kind, frame=frame, ts_ns=ts_ns, raw=raw)


def _plain(content: bytes, width: int) -> NDArray[np.int64]:
    if not content or len(content) % (3 * width):
        raise TruncatedFrame(
            f"{len(content)} bytes are no whole number of samples of {3 * width}; check the MTU"
        )
    parts = np.frombuffer(content, np.uint8).reshape(-1, width).astype(np.int64)
    values = (parts << (8 * np.arange(width))).sum(axis=1)
    top = 1 << (8 * width)
    return np.asarray(np.where(values >= top >> 1, values - top, values).reshape(-1, 3), np.int64)


def delta(content: bytes, *, channels: int, width: int) -> NDArray[np.int64]:
    """Reference sample, then blocks of bit-packed differences (least significant bit first)."""
    head = channels * width
    if len(content) < head:
        raise TruncatedFrame(f"{len(content)} bytes hold no reference sample of {head}")
    reference = np.frombuffer(content, f"<i{width}", count=channels).astype(np.int64)
    steps = [reference[None, :]]
    at = head
    while at < len(content):
        if at + 2 > len(content):
            raise TruncatedFrame("the frame ends inside a block header; drop it")
        bits, count = content[at], content[at + 1]
        size = (bits * count * channels + 7) // 8
        if bits > 8 * width:
            raise BadField(f"differences of {bits} bits in samples of {8 * width}; drop this frame")
        if at + 2 + size > len(content):
            raise TruncatedFrame(
                f"a block of {size} bytes has {len(content) - at - 2}; check the MTU"
            )
        if bits and count:
            packed = np.frombuffer(content, np.uint8, count=size, offset=at + 2)
            unpacked = np.unpackbits(packed, bitorder="little")[: bits * count * channels]
            fields = unpacked.astype(np.int64)
            weights = np.left_shift(np.int64(1), np.arange(bits, dtype=np.int64))
            weights[-1] = -weights[-1]  # two's complement
            steps.append((fields.reshape(-1, bits) @ weights).reshape(count, channels))
        elif count:
            steps.append(np.zeros((count, channels), np.int64))
        at += 2 + size
    raw = np.cumsum(np.vstack(steps), axis=0)
    if width == 4:
        return np.asarray((raw + 2**31) % 2**32 - 2**31, np.int64)
    limit = 1 << (8 * width - 1)
    if ((raw < -limit) | (raw >= limit)).any():
        raise BadField(f"the differences run out of {8 * width} bits; drop this frame")
    return np.asarray(raw, np.int64)


def encode_delta(raw: NDArray[np.int64], *, width: int, per_block: int = 255) -> bytes:
    """The inverse of :func:`delta`; each block uses as few bits as its largest difference needs."""
    channels = raw.shape[1]
    out = bytes(raw[0].astype(f"<i{width}").tobytes())
    steps = np.diff(raw, axis=0)
    for at in range(0, len(steps), per_block):
        block = steps[at : at + per_block].ravel()
        largest = int(np.maximum(block, -block - 1).max(initial=0))
        bits = largest.bit_length() + 1
        shifts = np.arange(bits, dtype=np.int64)
        fields = (block[:, None] >> shifts & 1).astype(np.uint8).ravel()
        out += bytes([bits, len(block) // channels])
        out += np.packbits(fields, bitorder="little").tobytes()
    return out


def encode(data: Data) -> bytes:
    """A data notification."""
    head = struct.pack("<BQB", data.kind, data.ts_ns, data.frame)
    if data.frame in (0, 1, 2):
        width = data.frame + 1
        numbers = np.asarray(data.raw, np.int64).ravel().tolist()
        return head + b"".join(int(v).to_bytes(width, "little", signed=True) for v in numbers)
    if (data.kind, data.frame) == (GYRO, 0x81):
        bits = np.asarray(data.raw, np.float32).view(np.int32).astype(np.int64)
        return head + encode_delta(bits, width=4)
    return head + encode_delta(np.asarray(data.raw, np.int64), width=2)
