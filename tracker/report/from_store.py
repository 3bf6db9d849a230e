# SPDX-License-Identifier: Apache-2.0
"""A report straight from the stores, for whoever owns this machine (`backstay report`)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from tracker.access import SHARED_SCOPES
from tracker.clock import clock_from_environment
from tracker.diary import Entry, Evening, Kind, Massage, Training
from tracker.errors import InputError
from tracker.report.i18n import language
from tracker.report.report import Report, Subject, build, twin
from tracker.settings import Settings
from tracker.store.records import Records, open_records_reader
from tracker.store.sqlite import open_reader
from tracker.store.sqlite_read import SqliteReader
from tracker.tables_io import check_target, write_all
from tracker.trends.hours import WorkWindow
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, from_ns, local_date

if TYPE_CHECKING:
    from tracker.model import Epochs

HISTORY_D = 400
PERIOD_D = 14
Told = TypeVar("Told", Evening, Massage, Training)


def make(
    settings: Settings,
    *,
    wearer: str | None,
    first: datetime | None,
    last: datetime | None,
    lang: str,
    alias: str,
    pdf_out: Path | None,
    json_out: Path | None,
    agreed: Callable[[str], None] | None = None,
) -> Report:
    """Write the report; all files or none. Every look is written to the audit by the caller.

    `agreed` is called with the wearer before anything is read and raises where it may not be.
    """
    if pdf_out is not None:
        check_target(pdf_out, (".pdf",))
    if json_out is not None:
        check_target(json_out, (".json",))
    clock = clock_from_environment()
    reader = open_reader(settings)
    records = open_records_reader(settings, clock)
    try:
        who = wearer or _only(reader)
        if agreed is not None:
            agreed(who)
        tz = reader.zone_of(who)
        end = last.date() if last else local_date(clock.now_ns(), tz)
        begin = first.date() if first else end - timedelta(days=PERIOD_D - 1)
        if begin > end:
            raise InputError(f"--from {begin} lies after --to {end}: exchange them")
        found = _epochs(reader, who, begin, end, tz)
        algo = found[max(found)].algo if found else ""
        report = _report(reader, records, who, begin, end, alias, str(tz), settings.profile, algo)
        answers, talks = (_entries(records, who, k) for k in (Kind.SCREENING, Kind.DISCUSSED))
    finally:
        reader.close()
        if records is not None:
            records.close()
    files: dict[Path, Any] = {}
    if pdf_out is not None:
        from tracker.report.charts.minutes import day_minutes
        from tracker.report.extras import effect_lines, safety_lines
        from tracker.report.pdf import Extras, write_pdf

        words = language(lang)
        extras = Extras(
            minutes={day: day_minutes(epochs, day, tz) for day, epochs in found.items()},
            effect=effect_lines(report, words),
            safety=safety_lines(answers, talks, words, end),
        )
        files[pdf_out] = write_pdf(report, words, clock.now_ns(), extras)
    if json_out is not None:
        files[json_out] = twin(report)
    write_all(files)
    return report


def _only(reader: SqliteReader) -> str:
    known = sorted({w for w, _ in reader.wearers()})
    if len(known) != 1:
        raise InputError(
            "there is no series yet: wear a sensor first"
            if not known
            else f"say whose report: --wearer {' or --wearer '.join(known)}"
        )
    return known[0]


def _report(
    reader: SqliteReader,
    records: Records | None,
    wearer: str,
    first: date,
    last: date,
    alias: str,
    zone: str,
    profile: str,
    algo: str,
) -> Report:
    days: dict[date, DaySummary] = {}
    place, calibrated = "", ""
    oldest = (last - timedelta(days=HISTORY_D)).isoformat()
    for who, placement in reader.wearers():
        if who != wearer:
            continue
        for row in reader.days(wearer, placement, oldest, last.isoformat()):
            summary = DaySummary.from_values(row.start_ns, row.seconds, row.values)
            shown = date.fromisoformat(row.day)
            if shown not in days or summary.worn_s > days[shown].worn_s:
                days[shown], place = summary, placement.value
        newest = [c for c in reader.calibrations(wearer, placement) if c.kind != "today"]
        if newest:
            calibrated = from_ns(newest[-1].from_ns).date().isoformat()
    if not days:
        raise InputError(f"there is no data of {wearer!r} up to {last}")
    evenings = told(records, wearer, Kind.EVENING, Evening)
    return build(
        Subject(
            alias=alias or wearer, wearer=wearer, zone=zone, placement=place,
            calibrated=calibrated, algo=algo,
        ),
        days,
        first=first,
        last=last,
        window=WorkWindow(),
        scopes=SHARED_SCOPES,
        evenings=evenings,
        massages=told(records, wearer, Kind.MASSAGE, Massage),
        trainings=told(records, wearer, Kind.TRAINING, Training),
        profile=profile,
    )  # fmt: skip


def _epochs(
    reader: SqliteReader, wearer: str, first: date, last: date, tz: ZoneInfo
) -> dict[date, "Epochs"]:
    """The epochs of each day, at the place with most of them."""
    best: dict[date, Epochs] = {}
    for who, placement in reader.wearers():
        if who != wearer:
            continue
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            epochs = reader.epochs(wearer, placement, *day_bounds_ns(day, tz))
            if len(epochs) and (day not in best or len(epochs) > len(best[day])):
                best[day] = epochs
    return dict(sorted(best.items()))


def _entries(records: Records | None, wearer: str, kind: Kind) -> Sequence[Entry]:
    return () if records is None else records.entries(wearer, [kind])


def told(records: Records | None, wearer: str, kind: Kind, what: type[Told]) -> list[Told]:
    """Diary entries of one kind as their records; fields of a later version are left out."""
    return [_as(entry, what) for entry in _entries(records, wearer, kind)]


def _as(entry: Entry, what: type[Told]) -> Told:
    from dataclasses import fields

    known = {f.name for f in fields(what)}
    body = {k: tuple(map(tuple, v)) if k == "sets" and isinstance(v, list) else v
            for k, v in entry.body.items() if k in known}  # fmt: skip
    return what(**body)  # type: ignore[arg-type]  # JSON of the same dataclass
