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


def kept(kind: Kind) -> list[dict[str, Any]]:
    """Bodies of what is kept now."""
    src = data.sources()
    return [dict(e.body) for e in data.entries(src, data.owner(src), "w1", [kind])]


def screened() -> screening.Screened:
    """What the safety list means now."""
    src = data.sources()
    return data.screened(src, data.owner(src), "w1", ZONE)


def by_key(found: Any, key: str) -> Any:
    """The element whose key ends like this."""
    return next(e for e in found if str(e.key or "").endswith(key))


def press(test: AppTest, key: str) -> None:
    """Touch the button with this text."""
    label = language("en").t(key)
    next(b for b in test.button if b.label == label).click().run()
    assert not test.exception


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


def test_confirming_again_asks_for_changes_only(app: App, own: Path) -> None:
    """What passes is asked anew and never filled in, what lasts is remembered, the rest stays."""
    settle(own, profile="clinic")
    put(own, Kind.SCREENING, answers(MC04="yes", MC02="yes"), day="2026-11-20", hours=72)
    test = app(lang="en", page="advice", folder=own)
    said = words_of(test)
    text = {i: t for i, _, t in screening.questions(packaged(), "en")}
    assert f"- {text['MC04']} – yes" in said
    fever = by_key(test.button_group, "safety_0_MC02")
    assert fever.value is None, "a passing point is never filled in"
    press(test, "safety.confirm_rest")
    assert kept(Kind.SCREENING)[-1]["answers"]["MC02"] == "yes", "unanswered, so nothing is kept"
    by_key(test.button_group, "safety_0_MC02").set_value("no")
    press(test, "safety.confirm_rest")
    newest = kept(Kind.SCREENING)[-1]
    assert newest["answers"] == answers(MC04="yes")["answers"]
    assert not any(str(b.key).endswith("safety_1_MC02") and b.value for b in test.button_group)


def test_an_emergency_cannot_be_talked_away(app: App, own: Path) -> None:
    """Not being sure of a point that needs a doctor today can be discussed; an emergency cannot."""
    settle(own, profile="clinic")
    put(own, Kind.SCREENING, answers(RF01="unsure", RF15="unsure"))
    test = app(lang="en", page="advice", folder=own)
    keys = {str(c.key) for c in test.checkbox}
    assert "massage_fine_RF01" in keys
    assert "massage_fine_RF15" not in keys


def test_a_new_symptom_asks_the_list_again(app: App, own: Path) -> None:
    """One tap on the day of the confirmation closes massage until the list is confirmed again."""
    put(own, Kind.SCREENING, {"mode": "static", "none_applies": True, "answers": {}})
    test = app(lang="en", page="advice", folder=own)
    assert screened().facts["massage_allowed"] is True
    by_key(test.button, "new_symptom").click().run()
    assert language("en").t("safety.symptom_noted") in words_of(test)
    assert screened().facts["massage_allowed"] is False
    by_key(test.radio, "safety_answer").set_value(True)
    press(test, "pages.safety.confirm")
    assert screened().facts["massage_allowed"] is True
