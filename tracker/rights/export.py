# SPDX-License-Identifier: Apache-2.0
"""Everything about one wearer in one ZIP: series as CSV and Parquet, records as JSON, a README.

The README says what every column is and in which unit. The file appears only when it is complete.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tracker.errors import InputError
from tracker.model import SECOND_NS, Epochs, Placement, Samples
from tracker.rights.columns import EPOCHS, readme
from tracker.store.codec import STEPS_PER_UNIT
from tracker.store.records import Records
from tracker.store.sqlite_read import SqliteReader
from tracker.tables_io import epoch_table, set_table, transition_table
from tracker.units import day_bounds_ns, from_ns, local_date

Table = Mapping[str, Sequence[Any]]
_ALWAYS = (-(1 << 62), 1 << 62)
_WEEK_NS = 7 * 86_400 * SECOND_NS


def export_wearer(
    wearer: str,
    *,
    series: SqliteReader,
    records: Records | None,
    target: Path,
    now_ns: int,
    raw: bool = True,
) -> Path:
    """Write the ZIP. Raises InputError where nothing is known of the wearer.

    `raw=False` leaves out raw samples (by far the largest part).
    """
    places = [p for w, p in series.wearers() if w == wearer]
    person = records.person_of(wearer) if records is not None else None
    told = records.entries(wearer, history=True) if records is not None else ()
    if not places and person is None and not told:
        raise InputError(f"nothing is stored about {wearer!r}: check the id (`backstay user list`)")
    part = target.with_name(f".{target.name}.part")
    try:
        part.touch(mode=0o600)  # health data: for the owner alone
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
            out.writestr("README.md", readme(wearer, from_ns(now_ns)))
            for place in places:
                _write_place(out, series, wearer, place)
                if raw:
                    _write_raw(out, series, wearer, place)
            out.writestr("records.json", _json(_records(wearer, series, records)))
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _write_place(out: zipfile.ZipFile, series: SqliteReader, wearer: str, place: Placement) -> None:
    for suffix, data in _epoch_files(series, wearer, place):
        out.writestr(f"{place}/epochs.{suffix}", data)
    tables: dict[str, Table] = {
        "transitions": transition_table(series.transitions(wearer, place, *_ALWAYS)),
        "sets": _sets(series, wearer, place),
        "gaps": _gaps(series, wearer, place),
        "days": _days(series, wearer, place),
    }
    for name, content in tables.items():
        for suffix, data in _both(content):
            out.writestr(f"{place}/{name}.{suffix}", data)


def _epoch_files(
    series: SqliteReader, wearer: str, place: Placement
) -> Iterator[tuple[str, str | bytes]]:
    """All epochs as CSV and Parquet, read a week at a time: years fit into little memory."""
    text, sink, writer = io.StringIO(), io.BytesIO(), None
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(EPOCHS)
    for table in _weeks(series, wearer, place):
        lines.writerows(zip(*table.values(), strict=True))
        with suppress(ImportError):
            import pyarrow as pa
            import pyarrow.parquet as pq

            part = pa.table({k: pa.array(v, _arrow(pa, k)) for k, v in table.items()})
            writer = writer or pq.ParquetWriter(sink, part.schema, compression="zstd")
            writer.write_table(part)
    yield "csv", text.getvalue()
    if writer is not None:
        writer.close()
        yield "parquet", sink.getvalue()


def _weeks(series: SqliteReader, wearer: str, place: Placement) -> Iterator[Table]:
    hours = series.hours(wearer, place, *_ALWAYS)
    begin = hours[0].start_ns if hours else 0
    while hours and begin <= hours[-1].start_ns:
        epochs = series.epochs(wearer, place, begin, begin + _WEEK_NS)
        if len(epochs):
            algo = [epochs.algo] * len(epochs)
            yield {"utc": _utc(epochs), **epoch_table(epochs), "algo": algo}
        begin += _WEEK_NS


def _arrow(pa: Any, column: str) -> Any:
    """One type per column, whatever a week holds (a week without any tilt has only None)."""
    if column in STEPS_PER_UNIT:
        return pa.float64()
    words = ("utc", "state", "trunk", "exercise", "algo")
    return pa.string() if column in words else pa.int64()


def _sets(series: SqliteReader, wearer: str, place: Placement) -> Table:
    sets = series.sets(wearer, place, *_ALWAYS)
    return {**set_table(sets), "source": [s.source for s in sets]}


def _gaps(series: SqliteReader, wearer: str, place: Placement) -> Table:
    gaps = series.gaps(wearer, place, *_ALWAYS)
    return {
        "start_s": [g.start_ns / SECOND_NS for g in gaps],
        "end_s": [g.end_ns / SECOND_NS for g in gaps],
        "reason": [str(g.reason) for g in gaps],
    }


def _days(series: SqliteReader, wearer: str, place: Placement) -> Table:
    rows = series.days(wearer, place, "0000-01-01", "9999-12-31")
    states = sorted({s for r in rows for s in r.seconds})
    metrics = sorted({m for r in rows for m in r.values})
    return {
        "day": [r.day for r in rows],
        "tz_offset_s": [r.tz_offset_s for r in rows],
        **{f"{s}_s": [r.seconds.get(s, 0) for r in rows] for s in states},
        **{m: [r.values.get(m) for r in rows] for m in metrics},
    }


def _write_raw(out: zipfile.ZipFile, series: SqliteReader, wearer: str, place: Placement) -> None:
    """One file per local day, in the form that `backstay analyze` reads."""
    for day, samples in raw_days(series, wearer, place):
        name = f"{place}/raw/{day}"
        columns = _raw_table(samples)
        parquet = _parquet(columns)
        if parquet is not None:
            out.writestr(f"{name}.parquet", parquet)
        else:
            out.writestr(f"{name}.csv", _csv({k: v.tolist() for k, v in columns.items()}))


def raw_days(series: SqliteReader, wearer: str, place: Placement) -> Iterator[tuple[date, Samples]]:
    """Raw samples of each of the wearer's local days that has any."""
    tz = series.zone_of(wearer)
    spans = series.raw_spans(wearer, place)
    days: set[date] = set()
    for first, last in spans:
        day, end = local_date(first, tz), local_date(last, tz)
        while day <= end:
            days.add(day)
            day += timedelta(days=1)
    for day in sorted(days):
        samples = series.raw(wearer, place, *day_bounds_ns(day, tz))
        if len(samples):
            yield day, samples


def _raw_table(samples: Samples) -> dict[str, Any]:
    table: dict[str, Any] = {"t_s": samples.t_ns / SECOND_NS}
    for i, axis in enumerate("xyz"):
        table[f"acc_{axis}_g"] = samples.acc_g[:, i]
    if samples.gyr_dps is not None:
        for i, axis in enumerate("xyz"):
            table[f"gyr_{axis}_dps"] = samples.gyr_dps[:, i]
    return table


def _records(wearer: str, series: SqliteReader, records: Records | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "wearer": wearer,
        "settings": dict(series.wearer_settings(wearer)),
        "sensors": [asdict(s) for s in series.sensors() if s.wearer == wearer],
        "calibrations": [
            {"placement": str(p), **asdict(c)}
            for w, p in series.wearers()
            if w == wearer
            for c in series.calibrations(w, p)
        ],
    }
    if records is None:
        return found
    person = records.person_of(wearer)
    return found | {
        "person": None if person is None else _plain(asdict(person)),
        "entries": [_plain(asdict(e)) for e in records.entries(wearer, history=True)],
        "grants": [_plain(asdict(g)) for g in records.grants(wearer=wearer)],
        "invitations": [_plain(asdict(i)) for i in records.invitations(wearer)],
        "sign_ins": []
        if person is None
        else [
            {k: v for k, v in asdict(s).items() if k != "id"} for s in records.sessions(person.id)
        ],
        "audit": [asdict(a) for a in records.audit_lines(wearer)],
    }


def _plain(thing: dict[str, Any]) -> dict[str, Any]:
    return {k: sorted(v) if isinstance(v, frozenset) else v for k, v in thing.items()}


def _json(thing: object) -> str:
    return json.dumps(thing, ensure_ascii=False, indent=2, default=str) + "\n"


def _utc(epochs: Epochs) -> list[str]:
    moments = (epochs.start_ns // SECOND_NS).astype("datetime64[s]")
    return [f"{m}Z" for m in np.datetime_as_string(moments).tolist()]


def _both(table: Table) -> Iterator[tuple[str, str | bytes]]:
    yield "csv", _csv(table)
    parquet = _parquet(table)
    if parquet is not None:
        yield "parquet", parquet


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return text.getvalue()


def _parquet(table: Mapping[str, Any]) -> bytes | None:
    """The table as Parquet (zstd); None where `backstay[parquet]` is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    sink = io.BytesIO()
    pq.write_table(pa.table({k: pa.array(v) for k, v in table.items()}), sink, compression="zstd")
    return sink.getvalue()
