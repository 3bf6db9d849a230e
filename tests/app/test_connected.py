# SPDX-License-Identifier: Apache-2.0
"""Parts that only help when the pages use them: safety list, programme, found sets, answers."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.advice import screening
from tracker.advice.load import packaged
from tracker.diary import Kind
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.records import open_records
from tracker.units import to_ns

ZONE = ZoneInfo("Europe/Berlin")
NOW_NS = to_ns(datetime(2026, 11, 23, 12, tzinfo=UTC))
HOUR_NS = 3600 * 10**9
App = Callable[..., AppTest]


@pytest.fixture
def own(folders: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the week's data folder that a test may write to."""
    target = tmp_path / "data"
    shutil.copytree(folders("day7"), target)
    return target


def put(
    folder: Path, kind: Kind, body: dict[str, Any], day: str = "2026-11-23", hours: int = 1
) -> None:
    """Keep an entry, as of some hours ago."""
    data.close()  # one file has one writing process
    kept = open_records(Settings(data=folder, zone="Europe/Berlin"))
    kept.put_entry("w1", kind, body, at_ns=NOW_NS - hours * HOUR_NS, day=day, author="owner")
    kept.close()


def settle(folder: Path, **settings: object) -> None:
    """Set something as the person would on *Settings*."""
    data.close()  # one file has one writing process
    kept = open_records(Settings(data=folder, zone="Europe/Berlin"))
    person = next(p for p in kept.people() if p.id == "owner")
    kept.put_person(replace(person, settings={**person.settings, **settings}))
    kept.close()


def answers(**changed: str) -> dict[str, Any]:
    """A list that was gone through question by question: no, but for what is named."""
    said = {i: "no" for i, _, _ in screening.questions(packaged(), "en")}
    return {"mode": "interactive", "none_applies": False, "answers": said | changed}


def words_of(test: AppTest) -> str:
    """Everything that the page says."""
    assert not test.exception
    kinds = ("markdown", "caption", "warning", "info", "header", "text")
    return "\n".join(str(e.value) for kind in kinds for e in test.get(kind))


def test_osteoporosis_takes_bending_out_of_the_session(app: App, own: Path) -> None:
    """No curl-up with weak bones, also after a talk; without that answer it is there."""
    name = language("en").t("exercise.name.curl_up")
    assert f"- {name}:" in words_of(app(lang="en", page="training", folder=own))
    put(own, Kind.SCREENING, answers(MC04="yes"), hours=2)
    put(own, Kind.DISCUSSED, {"item": "MC04", "massage": True, "training": True})
    said = words_of(app(lang="en", page="training", folder=own))
    assert f"- {name}:" not in said
    assert f"- {language('en').t('exercise.name.glute_bridge')}:" in said


def test_level_three_counts_down(app: App, own: Path) -> None:
    """A set of level 3 has 6, then 4, then 2 repetitions, not one."""
    settle(own, plan_level=3)
    name = language("en").t("exercise.name.curl_up")
    said = words_of(app(lang="en", page="training", folder=own))
    assert f"- {name}: 6 + 4 + 2" in said
