# SPDX-License-Identifier: Apache-2.0
"""The report: page, PDF and JSON say the same numbers, within what was shared, reproducibly."""

import contextlib
import json
import re
import zlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.access import SHARED_SCOPES
from tracker.diary import Evening
from tracker.report.i18n import language
from tracker.report.pdf import write_pdf
from tracker.report.report import Report, Subject, build, twin
from tracker.report.report_words import sentences, shown
from tracker.simulation.history import history
from tracker.trends.baseline import Verdict
from tracker.trends.day import summarise
from tracker.trends.hours import WorkWindow
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns

TZ = ZoneInfo("Europe/Berlin")
LAST = date(2026, 11, 23)
MADE_NS = 1_795_000_000 * 10**9


@pytest.fixture(scope="module")
def days() -> dict[date, DaySummary]:
    """Eight weeks of an office worker as day summaries."""
    weeks = history(np.random.default_rng(3), 56, TZ, last_day=LAST)
    found = {}
    for back in range(56):
        day = LAST - timedelta(days=back)
        start, end = day_bounds_ns(day, TZ)
        low, high = np.searchsorted(weeks.epochs.start_ns, (start, end))
        if high > low:
            found[day] = summarise(
                weeks.epochs[int(low) : int(high)], (), (), start_ns=start, end_ns=end, zone=TZ
            )
    return found


def _report(days: dict[date, DaySummary], scopes: frozenset[str] = SHARED_SCOPES) -> Report:
    return build(
        Subject(alias="Muster", wearer="w-1", zone=str(TZ), placement="upper-back", algo="a-1"),
        days,
        first=LAST - timedelta(days=13),
        last=LAST,
        window=WorkWindow(),
        scopes=scopes,
        sessions_plan=3,
        note="Nur für mich",
    )


def _text(pdf: bytes) -> str:
    """Everything in the PDF's streams and strings that could be read."""
    parts = [pdf.decode("latin-1")]
    at = 0
    while (begin := pdf.find(b"stream", at)) >= 0:
        end = pdf.find(b"endstream", begin)
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompress(pdf[begin + 6 : end].strip(b"\r\n")).decode("latin-1"))
        at = end + 9
    return "".join(parts)


def test_the_same_data_give_the_same_bytes(days: dict[date, DaySummary]) -> None:
    """Twice made is equal to the byte; one more minute of sitting changes the hash."""
    report = _report(days)
    lang = language("de")
    assert write_pdf(report, lang, MADE_NS) == write_pdf(_report(days), lang, MADE_NS)
    fewer = {d: s for d, s in days.items() if d != LAST}
    assert _report(fewer).digest != report.digest


@pytest.mark.parametrize("code", ["de", "en"])
def test_pdf_is_tagged_and_says_its_language(days: dict[date, DaySummary], code: str) -> None:
    """PDF/UA-1: tags, language and title are there; the hash stands in the file's text."""
    pdf = write_pdf(_report(days), language(code), MADE_NS)
    assert pdf.startswith(b"%PDF-")
    text = _text(pdf)
    assert "StructTreeRoot" in text
    assert f"/Lang ({code}" in text or f"<{code.encode().hex().upper()}" in text or code in text
    assert "pdfuaid" in text


@pytest.mark.parametrize("code", ["de", "en"])
def test_two_a4_pages_and_the_appendix(days: dict[date, DaySummary], code: str) -> None:
    """The pictures with their words beside the rows leave the rest on its pages."""
    tall = [Evening(day=(LAST - timedelta(days=i)).isoformat(), tension=4) for i in range(14)]
    full = replace(_report(days), evenings=tuple(tall))
    made = write_pdf(full, language(code), MADE_NS)
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([0-9.]+) ([0-9.]+)\]", made)
    assert [[round(float(n)) for n in box] for box in boxes] == [[595, 842]] * 3
    assert b"/Count 3" in made


def test_twin_holds_the_printed_numbers(days: dict[date, DaySummary]) -> None:
    """Every number of the table is the twin's number, as the language writes it."""
    report = _report(days)
    copy = json.loads(json.dumps(twin(report)))
    assert copy["hash"] == report.digest
    assert [r["now"] for r in copy["rows"]] == [r.now for r in report.rows]
    sitting = copy["rows"][0]
    assert (
        shown(sitting["now"], "h", language("de")) == f"{sitting['now']}".replace(".", ",") + " h"
    )
    by_hand = [
        s.sit_s / 3600 for d, s in days.items() if d > LAST - timedelta(days=14) and s.valid_day
    ]
    assert sitting["now"] == pytest.approx(np.mean(by_hand), abs=0.051)


def test_only_what_was_shared_is_in_it(days: dict[date, DaySummary]) -> None:
    """Without a scope its rows, pictures and notes are absent, from paper and twin."""
    report = _report(days, frozenset({"training"}))
    assert report.rows == ()
    assert not report.days
    assert report.note == ""
    assert twin(report)["daily"] == []
    assert write_pdf(report, language("de"), MADE_NS)
    with_note = _report(days, frozenset({"notes"}))
    assert with_note.note == "Nur für mich"


def test_pain_is_for_the_clinic_profile_alone(days: dict[date, DaySummary]) -> None:
    """The wellness report has no row of pain even when everything is shared."""
    assert all(row.metric != "pain" for row in _report(days).rows)


def test_a_change_is_called_real_only_outside_ones_own_variation(
    days: dict[date, DaySummary],
) -> None:
    """Eight ordinary weeks give no real change of sitting time; an empty past says too little."""
    rows = {r.metric: r for r in _report(days).rows}
    assert rows["sit_h"].verdict is Verdict.NORMAL
    fresh = {d: s for d, s in days.items() if d > LAST - timedelta(days=13)}
    assert all(r.verdict is Verdict.TOO_LITTLE for r in _report(fresh).rows)


@pytest.mark.parametrize("code", ["de", "en"])
def test_three_sentences_for_the_record(days: dict[date, DaySummary], code: str) -> None:
    """Change, adherence and quality, each a whole sentence, without a placeholder left over."""
    lines = sentences(_report(days), language(code))
    assert len(lines) == 3
    for line in lines:
        assert line.endswith(".")
        assert "{" not in line


def test_a_week_without_data_still_makes_a_report(days: dict[date, DaySummary]) -> None:
    """Nothing measured is a normal report that says so."""
    report = build(
        Subject(alias="x", wearer="w", zone=str(TZ)), {}, first=LAST, last=LAST,
        window=WorkWindow(), scopes=SHARED_SCOPES,
    )  # fmt: skip
    assert write_pdf(report, language("en"), MADE_NS)
    assert report.days_measured == 0


def test_nothing_is_left_in_the_temporary_folder(
    days: dict[date, DaySummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data lie in a temporary folder only while the paper is made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    write_pdf(_report(days), language("de"), MADE_NS)
    assert list(tmp_path.iterdir()) == []
