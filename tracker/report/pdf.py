# SPDX-License-Identifier: Apache-2.0
"""The report as a tagged A4 PDF (PDF/UA-1), German or English, with vector charts.

Typst lays it out and refuses a picture without a text for screen readers; the charts are the very
objects of the pages. The same report gives the same bytes: the time printed is part of the input.
Needs `backstay[pdf]`.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tracker.errors import InputError
from tracker.report import charts
from tracker.report.charts.base import Picture
from tracker.report.charts.minutes import DayMinutes
from tracker.report.i18n import Language
from tracker.report.report import Report
from tracker.report.report_words import row_text, sentences
from tracker.trends import diaries

# Width and height of a drawing in points of the spec, so that page 1 and 2 hold what they should.
SIZES = {
    "days": (620, 205),
    "accumulation": (330, 140),
    "angles": (330, 140),
    "ratings": (620, 170),
    "training": (620, 90),
}
# Words beside rows are set in another font on paper than the one they were measured in; the air
# keeps the widest of them inside of the drawing.
_AIR = {"days": 16, "actogram": 30}
DEFINED = ("sitting", "longest_sit", "w50", "slouch_share", "shifts_per_h", "verdict", "valid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What a report shows beside its numbers; everything may be left out."""

    minutes: Mapping[Any, DayMinutes] | None = None  # actogram
    effect: Sequence[tuple[str, str]] = ()
    safety: Sequence[str] = ()
    accuracy: str = ""


def write_pdf(report: Report, lang: Language, now_ns: int, extras: Extras | None = None) -> bytes:
    """The PDF's bytes. `now_ns` is printed as the time of making, UTC."""
    try:
        import typst
    except ImportError as error:
        raise InputError("A PDF needs more packages: install backstay[pdf]") from error
    made = datetime.fromtimestamp(now_ns // 10**9, UTC)
    with tempfile.TemporaryDirectory(prefix="backstay-report-") as name:
        folder = Path(name)
        template = resources.files("tracker.report") / "report.typ"
        (folder / "report.typ").write_text(template.read_text("utf-8"), encoding="utf-8")
        data = _content(report, lang, made, extras or Extras(), folder)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        try:
            return bytes(
                typst.compile(
                    str(folder / "report.typ"),
                    root=str(folder),
                    format="pdf",
                    pdf_standards="ua-1",
                    timestamp=int(made.timestamp()),
                )
            )
        except typst.TypstError as error:
            raise InputError(f"the report could not be laid out: {error}") from error


def _content(
    report: Report, lang: Language, made: datetime, extras: Extras, folder: Path
) -> dict[str, Any]:
    t = lang.t
    subject = report.subject
    period = f"{lang.day(report.first)} – {lang.day(report.last)}"
    head = [
        (t("report.who"), subject.alias),
        (t("report.period"), period),
        (t("report.days"), t("report.days_value", usable=report.days_usable,
                             measured=report.days_measured)),
        (t("report.sensor"), _sensor(report, lang)),
        (t("report.calibrated"), subject.calibrated or t("report.never")),
        (t("report.zone"), subject.zone),
    ]  # fmt: skip
    return {
        "lang": lang.code,
        "title": t("report.title"),
        "head": [list(pair) for pair in head],
        "columns": [t(f"report.column.{c}") for c in ("metric", "baseline", "before", "now", "change", "real")],  # noqa: E501
        "rows": [row_text(row, lang) for row in report.rows],
        "sentences": sentences(report, lang),
        "words": {w: t(f"report.{w}") for w in (
            "summary", "real_note", "days_title", "accumulation", "angles", "effect", "training",
            "safety", "note", "appendix", "quality", "definitions")}
        | {"days": t("report.days_title")},
        "pictures": _pictures(report, lang, extras, folder),
        "effect": [list(pair) for pair in extras.effect],
        "safety": list(extras.safety),
        "note": report.note,
        "quality": [
            [t(f"report.q.{name}"), lang.number(value)] for name, value in report.quality.items()
        ],
        "definitions": [[t(f"report.define.{n}.name"), t(f"report.define.{n}.text")] for n in DEFINED]  # noqa: E501
        + ([[t("report.accuracy"), extras.accuracy]] if extras.accuracy else []),
        "footer": t(
            "report.footer",
            algo=subject.algo or "-",
            digest=report.digest,
            made=f"{made:%Y-%m-%d %H:%M} UTC",
        ),
    }  # fmt: skip


def _sensor(report: Report, lang: Language) -> str:
    placement = report.subject.placement.replace("-", "_")
    place = lang.t(f"report.place.{placement}") if placement else ""
    return ", ".join(filter(None, (report.subject.sensor, place)))


def _pictures(report: Report, lang: Language, extras: Extras, folder: Path) -> dict[str, Any]:
    now, before = list(report.days.values()), list(report.before.values())
    sitting, posture = "sitting" in report.scopes, "posture" in report.scopes

    def put(name: str, picture: Picture, title: str = "") -> dict[str, Any]:
        return _put(folder, name, picture, title, SIZES.get(name.partition("-")[0]))

    ratings = []
    for outcome in ("tension", "pain"):
        if outcome not in report.scopes or (outcome == "pain" and report.profile != "clinic"):
            continue
        values = diaries.ratings_by_day(report.evenings, outcome)
        booked = sorted(diaries.massage_days(report.massages, ZoneInfo(report.subject.zone)))
        drawn = charts.ratings(values, booked, report.first, report.last, lang, outcome=outcome)
        ratings.append(put(f"ratings-{outcome}", drawn, lang.t(f"report.metric.{outcome}")))
    training = None
    if "training" in report.scopes:
        minutes = {d: s.core_min for d, s in report.days.items()}
        training = put("training", charts.training_weeks(minutes, report.first, report.last, lang))
    actogram = None
    if extras.minutes is not None and sitting:
        drawn = charts.actogram(extras.minutes, report.days, report.first, report.last, lang)
        actogram = put("actogram", drawn)
    return {
        "days": put("days", charts.stacked_days(report.days, report.first, report.last, lang))
        if sitting
        else None,
        "accumulation": put("accumulation", charts.accumulation(now, before, lang))
        if sitting
        else None,
        "angles": put("angles", charts.angles(now, before, lang)) if posture else None,
        "ratings": ratings,
        "training": training,
        "actogram": actogram,
    }


def _put(
    folder: Path, name: str, picture: Picture, title: str, size: tuple[int, int] | None
) -> dict[str, Any]:
    file = ""
    if picture.chart is not None:
        import vl_convert

        sized = {"width": size[0], "height": size[1]} if size else {"width": 620}
        air = _AIR.get(name, 5)
        spec = picture.chart.properties(
            **sized, padding={"left": air, "right": air, "top": 5, "bottom": 5}
        ).to_json()
        # No data or font may be fetched: the drawing holds everything it needs.
        svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
        file = f"{name}.svg"
        (folder / file).write_text(svg, encoding="utf-8")
    return {
        "svg": file,
        "alt": picture.alt,
        "title": title,
        "legend": [list(pair) for pair in picture.legend],
    }
