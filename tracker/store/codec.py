# SPDX-License-Identifier: Apache-2.0
"""Between model objects and what stores keep: scaled integers, packed raw samples, JSON.

Values come back equal to the last digit: epochs carry fixed resolutions (`EPOCH_RESOLUTION`), so
an integer of steps is exact; raw samples keep their float32 bits and whole microseconds.
"""

import dataclasses
import json
import math
import re
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.errors import StoreDamaged, StoreError
from tracker.model import (
    EPOCH_COLUMNS,
    EPOCH_DTYPES,
    EPOCH_RESOLUTION,
    MICROSECOND_NS,
    SECOND_NS,
    Epochs,
    Live,
    Samples,
    State,
)

NONE = -32768  # stands for NULL / NaN inside arrays; no scaled value reaches it
STEPS_PER_UNIT = {c: round(1 / r) for c, r in EPOCH_RESOLUTION.items()}
VALUE_COLUMNS = EPOCH_COLUMNS[1:]  # without start_ns

_HEAD = struct.Struct("<BBIq")  # format, flags, samples, first time in us
_SUM = struct.Struct("<I")  # crc32 of head and payload
_START = _HEAD.size + _SUM.size
_FORMAT = 1
_DETAIL = re.compile(r"(hh_\w+|tilt|bout)_\d\d")  # names of `DaySummary.to_values`
_GYRO, _PACKED, _WIDE = 1, 2, 4


def epoch_integers(epochs: Epochs) -> dict[str, NDArray[np.int64]]:
    """Every column as integers: `start_s`, codes, and scaled values with NONE for NaN."""
    out = {"start_s": epochs.start_ns // SECOND_NS}
    if np.any(epochs.start_ns % SECOND_NS):
        raise StoreError("epochs start at whole seconds UTC: align the samples to UTC first")
    for column in VALUE_COLUMNS:
        values = getattr(epochs, column)
        if column in STEPS_PER_UNIT:
            scaled = np.round(values.astype(np.float64) * STEPS_PER_UNIT[column])
            out[column] = np.where(np.isnan(scaled), NONE, scaled).astype(np.int64)
        else:
            out[column] = values.astype(np.int64)
    return out


def epochs_from_integers(table: NDArray[np.int64], algo: str) -> Epochs:
    """The inverse; `table` is (n, 12) in the order of EPOCH_COLUMNS with seconds first."""
    columns: dict[str, NDArray[np.generic]] = {"start_ns": table[:, 0] * SECOND_NS}
    for i, column in enumerate(VALUE_COLUMNS, start=1):
        kept = table[:, i]
        if column in STEPS_PER_UNIT:
            values = np.where(kept == NONE, np.nan, kept / STEPS_PER_UNIT[column])
            columns[column] = values.astype(EPOCH_DTYPES[column])
        else:
            columns[column] = kept.astype(EPOCH_DTYPES[column])
    return Epochs(**columns, algo=algo)  # type: ignore[arg-type]  # dtypes come from EPOCH_DTYPES


def pack_samples(samples: Samples, *, compress: bool) -> bytes:
    """One block of raw samples; `compress` groups bytes of equal weight and deflates them."""
    if np.any(samples.t_ns % MICROSECOND_NS):
        raise StoreError("raw sample times must be whole microseconds")
    t_us = samples.t_ns // MICROSECOND_NS
    delta = np.diff(t_us)
    wide = bool(delta.size and delta.max() > np.iinfo(np.uint32).max)
    parts: list[NDArray[np.generic]] = [delta.astype("<u8" if wide else "<u4")]
    parts.append(samples.acc_g.astype("<f4"))
    if samples.gyr_dps is not None:
        parts.append(samples.gyr_dps.astype("<f4"))
    flags = _GYRO * (samples.gyr_dps is not None) | _PACKED * compress | _WIDE * wide
    if compress:
        payload = zlib.compress(b"".join(_shuffled(p) for p in parts), 6)
    else:
        payload = b"".join(np.ascontiguousarray(p).tobytes() for p in parts)
    head = _HEAD.pack(_FORMAT, flags, len(samples), int(t_us[0]))
    return head + _SUM.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def unpack_samples(block: bytes) -> Samples:
    """The inverse; raises StoreDamaged where the checksum does not fit."""
    try:
        kind, flags, n, first_us = _HEAD.unpack_from(block)
        (crc,) = _SUM.unpack_from(block, _HEAD.size)
    except struct.error as error:
        raise StoreDamaged("a block of raw samples is cut short: restore a backup") from error
    payload = block[_START:]
    if kind != _FORMAT or zlib.crc32(payload, zlib.crc32(block[: _HEAD.size])) != crc:
        raise StoreDamaged("a block of raw samples is damaged: restore a backup")
    data = zlib.decompress(payload) if flags & _PACKED else payload
    width = 8 if flags & _WIDE else 4
    offset = (n - 1) * width
    take = _unshuffled if flags & _PACKED else _plain
    delta = take(data[:offset], f"<u{width}", 1)[:, 0]
    acc = take(data[offset : offset + 12 * n], "<f4", 3)
    gyr = take(data[offset + 12 * n :], "<f4", 3) if flags & _GYRO else None
    t_us = np.concatenate([[first_us], first_us + np.cumsum(delta.astype(np.int64))])
    return Samples(t_ns=t_us.astype(np.int64) * MICROSECOND_NS, acc_g=acc, gyr_dps=gyr)


def join_samples(parts: Sequence[Samples]) -> Samples:
    """Blocks in any order as one strictly increasing stretch; the first of equal times stays.

    Where some blocks have a gyro and others not, missing rotations are NaN.
    """
    full = [p for p in parts if len(p)]
    if not full:
        return Samples.empty()
    some_gyro = any(p.gyr_dps is not None for p in full)
    if some_gyro:
        full = [p if p.gyr_dps is not None else _without_gyro(p) for p in full]
    joined = Samples.concat(full)
    t_ns, first = np.unique(joined.t_ns, return_index=True)
    gyr = None if joined.gyr_dps is None else joined.gyr_dps[first]
    return Samples(t_ns=t_ns, acc_g=joined.acc_g[first], gyr_dps=gyr)


def split_values(values: Mapping[str, float]) -> tuple[str, str]:
    """A day's values as two JSON texts: single numbers, and what is per half hour or per class.

    A practice's overview needs the first alone, a fifth of the whole.
    """
    parts: tuple[dict[str, float], dict[str, float]] = {}, {}
    for key, value in values.items():
        parts[bool(_DETAIL.fullmatch(key))][key] = value
    single, detail = (json.dumps(p, separators=(",", ":")) for p in parts)
    return single, detail


def live_json(live: Live) -> str:
    """A live row as JSON; NaN becomes null."""
    body = dataclasses.asdict(live)
    body["state"] = int(live.state)
    body["trace"] = [_null(v) for v in live.trace]
    return json.dumps({k: _null(v) for k, v in body.items()})


def live_from_json(text: str) -> Live:
    """The inverse; unknown keys of a newer version are left out."""
    body = json.loads(text)
    known = {f.name: f for f in dataclasses.fields(Live)}
    values = {k: v for k, v in body.items() if k in known}
    for name in ("confidence", "tilt_deg", "side_deg", "slump_pct", "loss_pct", "drift_ppm"):
        if values.get(name, 0.0) is None:
            values[name] = math.nan
    values["state"] = State(values["state"])
    values["trace"] = tuple(math.nan if v is None else float(v) for v in values.get("trace", ()))
    return Live(**values)


def _without_gyro(samples: Samples) -> Samples:
    nothing = np.full((len(samples), 3), np.nan, np.float32)
    return Samples(t_ns=samples.t_ns, acc_g=samples.acc_g, gyr_dps=nothing)


def _null(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _shuffled(values: NDArray[np.generic]) -> bytes:
    """Column by column, bytes of equal weight together: sensor values then deflate well."""
    columns = np.ascontiguousarray(values.T)
    size = columns.dtype.itemsize
    return np.ascontiguousarray(columns.view(np.uint8).reshape(-1, size).T).tobytes()


def _unshuffled(data: bytes, dtype: str, width: int) -> NDArray[np.float32]:
    size = np.dtype(dtype).itemsize
    flat = np.frombuffer(data, np.uint8).reshape(size, -1).T
    values = np.ascontiguousarray(flat).view(dtype).reshape(width, -1)
    return np.ascontiguousarray(values.T)


def _plain(data: bytes, dtype: str, width: int) -> NDArray[np.float32]:
    return np.frombuffer(data, dtype).reshape(-1, width).copy()
