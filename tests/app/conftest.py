# SPDX-License-Identifier: Apache-2.0
"""Data folders in every state a wearer can be in, and the dashboard without a browser."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from tests.fakes.wearers import batch_of, histories
from tracker.diary import Kind, Person, Role
from tracker.model import SECOND_NS, Live, Placement, State
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store
from tracker.units import local_date, to_ns

ROOT = Path(__file__).resolve().parents[2]
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW_NS = to_ns(NOW)
TODAY = date(2026, 11, 23)


def fill(folder: Path, state: str) -> None:
    """Write one state into a data folder, as the collector and the dashboard would."""
    settings = Settings(data=folder, zone="Europe/Berlin")
    made = histories(state, TODAY, NOW_NS, ZONE)
    if not made:
        return
    store = open_store(settings)
    for part in made:
        store.write(batch_of(part))
    store.write(Batch(wearer="w1", placement=Placement.UPPER_BACK, live=live_row()))
    store.refresh()
    store.close()
    records = open_records(settings)
    records.put_person(
        Person(
            id="owner",
            name="",
            roles=frozenset({Role.WEARER}),
            wearer="w1",
            language="",
            settings={"pain_journal": state == "day30"},
        )
    )
    for part in made:
        for one in part.evenings:
            body = asdict(one)
            records.put_entry("w1", Kind.EVENING, body, at_ns=NOW_NS, day=one.day, author="owner")
        for kind, told in ((Kind.MASSAGE, part.massages), (Kind.TRAINING, part.trainings)):
            for item in told:
                day = local_date(item.at_ns, ZONE).isoformat()
                records.put_entry(
                    "w1", kind, asdict(item), at_ns=item.at_ns, day=day, author="owner"
                )
    records.close()


def live_row(**changes: object) -> Live:
    """What the collector writes once a second."""
    values: dict[str, object] = {
        "at_ns": NOW_NS,
        "state": State.SLOUCHING,
        "since_ns": NOW_NS - 42 * 60 * SECOND_NS,
        "confidence": 0.93,
        "provisional": False,
        "tilt_deg": 18.0,
        "side_deg": 1.0,
        "slump_pct": 64.0,
        "link": "streaming",
        "battery_pct": 81,
        "rssi_dbm": -63,
        "sensor": "Test strap",
        "trace": tuple(float(10 + i % 7) for i in range(60)),
    }
    return Live(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The data folder of a state, made once."""
    made: dict[str, Path] = {}

    def folder(state: str) -> Path:
        if state not in made:
            made[state] = tmp_path_factory.mktemp(state)
            fill(made[state], state)
        return made[state]

    return folder


@pytest.fixture
def app(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., AppTest]]:
    """Open the dashboard on a state, in a language, at a moment, on a page."""
    from dashboard import data

    def opened(
        state: str = "day30",
        lang: str = "de",
        page: str = "",
        *,
        now: datetime = NOW,
        folder: Path | None = None,
        secret: str | None = None,
    ) -> AppTest:
        data.close()
        # A test has no browser and so no cookie; the seam of `who.py` says whose it would be.
        monkeypatch.setattr("dashboard.who.secret", lambda: secret)
        monkeypatch.setenv("BACKSTAY_DATA", str(folder or folders(state)))
        monkeypatch.setenv("BACKSTAY_ZONE", "Europe/Berlin")
        monkeypatch.setenv("BACKSTAY_LANGUAGE", lang)
        monkeypatch.setenv("BACKSTAY_CLOCK", f"{now.isoformat()}@0.000001")
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
        if page and page != "today":
            test.switch_page(f"app_pages/{page}.py")
        return test.run()

    yield opened
    data.close()


@pytest.fixture
def own(folders: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the week's data folder that a test may write to."""
    target = tmp_path / "data"
    shutil.copytree(folders("day7"), target)
    return target
