# SPDX-License-Identifier: Apache-2.0
"""`backstay report`: what the paper takes from the stores beside the numbers."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.advice.screening_entries import NEW_SYMPTOM
from tracker.diary import Kind
from tracker.model import Placement
from tracker.report import pdf
from tracker.report.from_store import make
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store
from tracker.units import to_ns

TZ = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAST = date(2026, 11, 23)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Four days in the store, and a safety list that was confirmed and partly discussed."""
    monkeypatch.setenv("BACKSTAY_CLOCK", f"{NOW.isoformat()}@0.000001")
    made = Settings(data=tmp_path, zone=str(TZ))
    store = open_store(made)
    part = history(np.random.default_rng(7), 4, TZ, last_day=LAST, until_ns=to_ns(NOW))
    store.write(Batch(wearer="w1", placement=Placement.UPPER_BACK, epochs=part.epochs))
    store.refresh()
    store.close()
    return made


def put(settings: Settings, kind: Kind, body: dict[str, Any], day: str) -> None:
    """Keep one entry."""
    at_ns = to_ns(datetime.fromisoformat(f"{day}T09:00+00:00"))
    records = open_records(settings)
    records.put_entry("w1", kind, body, at_ns=at_ns, day=day, author="owner")
    records.close()


def printed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content that is laid out, without laying it out."""
    seen: dict[str, Any] = {}

    def write(report: Any, lang: Any, now_ns: int, extras: pdf.Extras | None = None) -> bytes:
        folder = tmp_path / "drawn"
        folder.mkdir(exist_ok=True)
        made = datetime.fromtimestamp(now_ns // 10**9, UTC)
        seen.update(pdf._content(report, lang, made, extras or pdf.Extras(), folder))
        return b"%PDF"

    monkeypatch.setattr(pdf, "write_pdf", write)
    make(
        settings,
        wearer=None,
        first=datetime(2026, 11, 20, tzinfo=UTC),
        last=datetime(2026, 11, 23, tzinfo=UTC),
        lang="en",
        alias="",
        pdf_out=tmp_path / "out.pdf",
        json_out=tmp_path / "out.json",
    )
    return seen


def test_paper_names_algorithm_actogram_effects_and_safety_list(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Footer, appendix, effect card and safety answers with their days; the twin the algorithm."""
    answers = {"MC04": "yes", "MC01": "no"}
    body = {"mode": "interactive", "none_applies": False, "answers": answers}
    put(settings, Kind.SCREENING, body, "2026-11-21")
    talk = {"item": "MC04", "massage": True, "training": True}
    put(settings, Kind.DISCUSSED, talk, "2026-11-22")
    seen = printed(settings, tmp_path, monkeypatch)
    algo = json.loads((tmp_path / "out.json").read_text())["algo"]
    assert algo
    assert algo in seen["footer"]
    assert seen["pictures"]["actogram"]["svg"]
    assert [name for name, _ in seen["effect"]] == ["Massage", "Training"]
    first, applies, discussed = seen["safety"]
    assert "21 Nov 2026" in first
    assert applies.endswith(" – yes")
    assert "22 Nov 2026" in discussed


def test_paper_knows_nothing_after_its_last_day(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list confirmed after the period is not printed, a new symptom inside of it is."""
    assert printed(settings, tmp_path, monkeypatch)["safety"] == []
    clean = {"mode": "static", "none_applies": True, "answers": {}}
    put(settings, Kind.SCREENING, clean, "2026-11-21")
    put(settings, Kind.SCREENING, {NEW_SYMPTOM: True}, "2026-11-22")
    put(settings, Kind.SCREENING, clean, str(LAST + timedelta(days=1)))
    lines = printed(settings, tmp_path, monkeypatch)["safety"]
    assert "21 Nov 2026" in lines[0]
    assert "new symptom" in lines[1]
    assert len(lines) == 2
