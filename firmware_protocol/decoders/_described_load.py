# SPDX-License-Identifier: Apache-2.0
"""Reading a user's description of a sensor (TOML). Every fault names its key and the remedy."""

import re
import struct
import tomllib
from collections.abc import Iterable

from firmware_protocol.decoders._base import DPS_PER_RAD, G, sig
from firmware_protocol.decoders._described_table import Table, bad
from firmware_protocol.decoders._described_types import (
    Characteristic,
    Description,
    Field,
    Time,
    Vector,
    Write,
)
from firmware_protocol.errors import BadDescription
from firmware_protocol.frame import Kind

__all__ = [
    "PREFIX",
    "TYPES",
    "UNITS",
    "Characteristic",
    "Description",
    "Vector",
    "Write",
    "parse",
]

TYPES = {
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I",
    "i64": "q", "u64": "Q", "f32": "f", "f64": "d",
}  # fmt: skip
UNITS: dict[Kind, dict[str, float]] = {
    Kind.ACC: {"g": 1.0, "mg": 1e-3, "m/s2": 1 / G},
    Kind.GYRO: {"deg/s": 1.0, "rad/s": DPS_PER_RAD, "mdeg/s": 1e-3},
}
PREFIX = {Kind.ACC: "acc", Kind.GYRO: "gyr"}
NAMES = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z", "time", "counter", "skip")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LONGEST = 512  # bytes of a notification (Bluetooth core: attribute values end at 512)


NUMBER = (int, float)


def parse(text: str) -> Description:
    """Check and read a description.

    Raises :class:`BadDescription`; the sentence holds the key and what to write instead.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadDescription(f"the file is not TOML: {error}; put texts in quotes") from None
    top = Table(data, "")
    name = top.need("name", str, '"my-sensor"')
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        bad("name", f"{name!r} is no plain name", "use small letters, digits and hyphens")
    streams = top.tables("stream")
    if not streams:
        bad("stream", "is missing", "add a [[stream]] table with characteristic and sample")
    description = Description(
        name=name,
        title=str(top.get("title", str, name)),
        services=(_uuid(top, "service"),),
        device_names=tuple(_texts(top, "device_names", [])),
        characteristics=tuple(_characteristic(t) for t in streams),
        start=tuple(_write(t) for t in top.tables("start")),
        stop=tuple(_write(t) for t in top.tables("stop")),
    )
    top.done()
    uuids = [c.uuid for c in description.characteristics]
    if len(set(uuids)) < len(uuids):
        bad("stream", "two streams name one characteristic", "join them into one sample")
    kinds = [v.kind for c in description.characteristics for v in c.vectors]
    if Kind.ACC not in kinds:
        bad("stream", "no acceleration is described", "name acc_x, acc_y and acc_z in a sample")
    for kind in set(kinds):
        if kinds.count(kind) > 1:
            bad("stream", f"{PREFIX[kind]} is described twice", "keep one of them")
    return description


def _uuid(table: Table, name: str) -> str:
    text = str(table.need(name, str, '"13012f00-f8c3-4f4a-a8f4-15cd926da146"')).lower()
    if re.fullmatch(r"(0x)?[0-9a-f]{4}", text):
        return sig(int(text, 16))
    if not UUID.fullmatch(text):
        remedy = "write 8-4-4-4-12 hex digits, or 4 for a number of the Bluetooth SIG"
        bad(table.key(name), f"{text!r} is no UUID", remedy)
    return text


def _texts(table: Table, name: str, default: list[str]) -> list[str]:
    values = table.get(name, list, default)
    for value in values:
        if not isinstance(value, str):
            bad(table.key(name), f"{value!r} is no text", "put it in quotes")
    return list(values)


def _write(table: Table) -> Write:
    text = str(table.need("hex", str, '"01 32"'))
    try:
        data = bytes.fromhex(text)
    except ValueError:
        bad(table.key("hex"), f"{text!r} is no hex", 'write two digits per byte, as "01 32"')
    if len(data) > LONGEST:
        bad(table.key("hex"), f"{len(data)} bytes are too many", f"keep to {LONGEST}")
    write = Write(
        uuid=_uuid(table, "characteristic"),
        data=data,
        response=bool(table.get("response", bool, True)),
    )
    table.done()
    return write


def _characteristic(table: Table) -> Characteristic:
    text = table.choice("encoding", ("binary", "csv"), "binary") == "csv"
    uuid = _uuid(table, "characteristic")
    rate = float(table.need("rate_hz", NUMBER, "50"))
    if not 0.01 <= rate <= 2000:
        bad(table.key("rate_hz"), f"{rate} is no usable rate", "write samples per second")
    header = () if text else tuple(_fields(table, "header", text=False))
    sample = tuple(_fields(table, "sample", text=text))
    if not sample:
        remedy = 'add it, for example sample = ["acc_x:i16", "acc_y:i16", "acc_z:i16"]'
        bad(table.key("sample"), "is missing", remedy)
    separator = str(table.get("separator", str, ",")) if text else ","
    if len(separator) != 1:
        bad(table.key("separator"), f"{separator!r} is not one character", 'write "," or ";"')
    names = [f.name for f in (*header, *sample) if f.name != "skip"]
    for name in set(names):
        if names.count(name) > 1:
            bad(table.key("sample"), f"{name} stands twice", "name each value once")
    vectors = [_vector(table, kind, names) for kind in (Kind.ACC, Kind.GYRO)]
    many = not text and table.choice("samples", ("one", "many"), "one") == "many"
    order = (
        "<"
        if text
        else {"little": "<", "big": ">"}[table.choice("byte_order", ("little", "big"), "little")]
    )
    time = _time(table, header, sample, text=text, many=many)
    counter_bits, counter_of = _counter(table, header, sample, text=text)
    found = Characteristic(
        uuid=uuid,
        rate_hz=rate,
        text=text,
        separator=separator,
        order=order,
        header=header,
        sample=sample,
        many=many,
        vectors=tuple(v for v in vectors if v),
        time=time,
        counter_bits=counter_bits,
        counter_of=counter_of,
    )
    table.done()
    if not found.vectors:
        remedy = "name acc_x, acc_y, acc_z or gyr_x, gyr_y, gyr_z"
        bad(table.key("sample"), "holds neither acceleration nor rotation", remedy)
    size = struct.calcsize(order + "".join(f.letter for f in (*header, *sample)))
    if size > LONGEST:
        bad(table.key("sample"), f"{size} bytes do not fit a notification", f"keep to {LONGEST}")
    return found


def _fields(table: Table, name: str, *, text: bool) -> list[Field]:
    fields = []
    for entry in _texts(table, name, []):
        label, _, kind = entry.partition(":")
        if label not in NAMES:
            bad(table.key(name), f"{label!r} is no known value", f"use {', '.join(NAMES)}")
        if text and kind:
            bad(table.key(name), f"{entry!r} has a type", f"in csv write {label!r} alone")
        if not text and kind not in TYPES:
            remedy = f"write {label}:TYPE with one of {', '.join(TYPES)}"
            bad(table.key(name), f"{entry!r} has no known type", remedy)
        if name == "header" and label[:3] in PREFIX.values():
            bad(table.key(name), f"{label} stands in the header", "move it into sample")
        fields.append(Field(name=label, letter=TYPES.get(kind, "")))
    return fields


def _vector(table: Table, kind: Kind, names: list[str]) -> Vector | None:
    prefix = PREFIX[kind]
    have = [f"{prefix}_{a}" in names for a in "xyz"]
    part = table.table(prefix)
    if not any(have):
        if part is not None:
            bad(
                table.key(prefix), "nothing of it is in sample", f"name {prefix}_x, _y and _z there"
            )
        return None
    if not all(have):
        missing = next(a for a, h in zip("xyz", have, strict=True) if not h)
        bad(table.key("sample"), f"{prefix}_{missing} is missing", "name all three axes")
    if part is None:
        example = f'add {prefix} = {{ unit = "{next(iter(UNITS[kind]))}", scale = 1.0 }}'
        bad(table.key(prefix), "is missing", example)
    unit = part.choice("unit", UNITS[kind], next(iter(UNITS[kind])))
    scale = float(part.get("scale", NUMBER, 1.0))
    if not 1e-9 < abs(scale) < 1e6:
        bad(part.key("scale"), f"{scale} is no usable scale", f"write {unit} per count")
    full = part.get("range", NUMBER)
    if full is not None and not 0 < full < 1e6:
        bad(part.key("range"), f"{full} is no range", f"write the largest value in {unit}")
    factor = UNITS[kind][unit]
    vector = Vector(
        kind=kind,
        scale=scale * factor,
        axes=_axes(part),
        full_scale=None if full is None else float(full) * factor,
    )
    part.done()
    return vector


def _axes(part: Table) -> tuple[tuple[int, int], ...]:
    texts = _texts(part, "axes", ["x", "y", "z"])
    axes = tuple(
        ("xyz".find(t.lstrip("+-")), -1 if t.startswith("-") else 1)
        for t in texts
        if len(t.lstrip("+-")) == 1
    )
    if sorted(a for a, _ in axes) != [0, 1, 2]:
        remedy = 'write which raw axis x, y and z are, as ["-y", "x", "z"]'
        bad(part.key("axes"), f"{texts} is no set of axes", remedy)
    return axes


def _find(fields: Iterable[Field], name: str) -> Field | None:
    return next((f for f in fields if f.name == name), None)


def _time(
    table: Table, header: tuple[Field, ...], sample: tuple[Field, ...], *, text: bool, many: bool
) -> Time | None:
    part = table.table("time")
    field = _find((*header, *sample), "time")
    if field is None:
        if part is not None:
            bad(table.key("time"), "no time is in header or sample", 'add "time:u32" there')
        return None
    if part is None:
        bad(table.key("time"), "is missing", "add time = { tick_s = 0.001 }")
    if many and _find(sample, "time"):
        bad(table.key("sample"), "time stands in a repeated sample", "move it to the header")
    if field.letter in ("f", "d"):
        bad(table.key("header"), "time is a fraction", "send whole ticks; a float loses precision")
    tick_s = float(part.need("tick_s", NUMBER, "0.001"))
    if not 1e-9 <= tick_s <= 1:
        bad(part.key("tick_s"), f"{tick_s} is no usable tick", "write seconds per count")
    bits = 64 if text else 8 * struct.calcsize("<" + field.letter)
    bits = int(part.get("bits", int, bits))
    if not 8 <= bits <= 64:
        bad(part.key("bits"), f"{bits} is no width", "write 8 to 64")
    time = Time(tick_s=tick_s, bits=bits, of=part.choice("of", ("first", "last"), "last"))
    part.done()
    return time


def _counter(
    table: Table, header: tuple[Field, ...], sample: tuple[Field, ...], *, text: bool
) -> tuple[int | None, str]:
    part = table.table("counter")
    field = _find((*header, *sample), "counter")
    if field is None:
        if part is not None:
            bad(table.key("counter"), "no counter is in header or sample", 'add "counter:u16"')
        return None, "sample"
    if field.letter in ("f", "d"):
        bad(table.key("header"), "counter is a fraction", "send a whole number")
    of = "sample"
    bits = 32 if text else 8 * struct.calcsize("<" + field.letter)
    if part is not None:
        of = part.choice("of", ("sample", "packet"), "sample")
        bits = int(part.get("bits", int, bits))
        if not 4 <= bits <= 64:
            bad(part.key("bits"), f"{bits} is no width", "write 4 to 64")
        part.done()
    return bits, of
