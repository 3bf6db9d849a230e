# SPDX-License-Identifier: Apache-2.0
"""Parts that only help when the pages use them: safety list, programme, found sets, answers."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.advice import screening
from tracker.advice.load import packaged
from tracker.diary import Kind, Training
from tracker.exercises.programme import Override
from tracker.model import Exercise, ExerciseSet, Placement
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store
from tracker.trends import diaries, training_effect
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


def test_a_therapists_plan_goes_before_an_own_choice(app: App, own: Path) -> None:
    """While it holds, the therapist's level is the next one, whatever was chosen before."""
    settle(own, plan_level=3)
    put(own, Kind.PLAN, Override(by="t", level=1).to_json())
    said = words_of(app(lang="en", page="training", folder=own))
    assert language("en").t("exercise.reason.therapist", level=1) in said


def test_other_settings_of_the_plan_do_not_freeze_the_level(app: App, own: Path) -> None:
    """Who only changes the sessions a week still goes up a level when it gets easy."""
    test = app(lang="en", page="training", folder=own)
    by_key(test.slider, "plan_times").set_value(4)
    press(test, "dashboard.save")
    src = data.sources()
    settings = data.owner(src).settings
    assert settings["sessions_plan"] == 4
    assert "plan_level" not in settings


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


def test_a_day_without_news_says_what_comes(app: App, own: Path) -> None:
    """*Today* names the next thing with its day, and *Advice* the day of each that has one."""
    said = words_of(app(lang="en", folder=own))
    assert "Next: " in said
    assert "at the earliest." in said
    said = words_of(app(lang="en", page="advice", folder=own))
    coming = next(line for line in said.splitlines() if line.startswith("○ **"))
    assert "2026 at the earliest.**" in coming


def test_after_a_week_there_is_one_change_to_try(app: App, own: Path) -> None:
    """Day 3 has no such heading; with a week behind it, it stands over one card."""
    heading = language("en").t("coming.change")
    assert heading not in words_of(app("day3", "en", page="advice"))
    put(own, Kind.START, {"tension": 7, "training_days_per_week": 0}, "2026-11-16", 7 * 24)
    later = datetime(2026, 11, 24, 12, tzinfo=UTC)
    said = words_of(app(lang="en", page="advice", folder=own, now=later))
    assert said.count(heading) == 1


def test_the_day_after_a_massage_is_a_window(app: App, own: Path) -> None:
    """A massage today offers ten minutes tomorrow; without one in sight nothing is said."""
    offer = language("en").t("coming.window_tomorrow", minutes=10)
    massage = {"at_ns": NOW_NS - HOUR_NS, "minutes": 30}
    before = words_of(app(lang="en", folder=own))
    put(own, Kind.MASSAGE, massage)
    assert offer not in before
    assert offer in words_of(app(lang="en", folder=own))


def test_exposures_stand_beside_massage_and_training(app: App) -> None:
    """Long-sitting days and breaks are answered in the same place, with the same patience."""
    said = words_of(app("day7", "en", page="advice"))
    for name in ("long_sitting", "active_breaks"):
        assert language("en").t(f"effect.question.{name}") in said
        assert language("en").t(f"effect.exposure.{name}.collecting") in said


def test_training_helps_only_when_it_did_four_weeks_ago(app: App, tmp_path: Path) -> None:
    """A first evaluation that finds a pattern is still called uncertain on the page."""
    app(lang="en", folder=tmp_path)
    data.close()
    kept_in = open_records(Settings(data=tmp_path, zone="Europe/Berlin"))
    first = date(2026, 11, 23) - timedelta(days=16 * 7 - 1)
    for i in range(16 * 7):
        day = first + timedelta(days=i)
        week = i // 7
        at_ns = to_ns(datetime(day.year, day.month, day.day, 10, tzinfo=UTC))
        load = 5 * ((week // 4) % 2)
        dose = sum(5 * (((week - k) // 4) % 2) for k in range(4)) / 4
        body = {"day": day.isoformat(), "tension": round(8 - 1.2 * dose) + (i % 7 == 0)}
        told = {"at_ns": at_ns, "minutes": 20}
        who = {"at_ns": at_ns, "day": day.isoformat(), "author": "owner"}
        kept_in.put_entry("me", Kind.EVENING, body, **who)
        if i % 7 < load:
            kept_in.put_entry("me", Kind.TRAINING, told, **who)
    kept_in.close()
    src = data.sources()
    owner = data.owner(src)
    ratings = diaries.ratings_by_day(data.evenings(src, owner, "me"), "tension")
    trained = diaries.training_days(data.trainings(src, owner, "me"), ZONE)
    once = training_effect.training_effect(
        *training_effect.weekly(ratings, trained, first, date(2026, 11, 23))
    )
    assert once.category == "training_pattern", "the test needs a first clear evaluation"
    assert data.training_effect_of(src, owner, "me", ZONE).category == "uncertain"


FOUND = ExerciseSet(
    start_ns=NOW_NS - 2 * HOUR_NS,
    end_ns=NOW_NS - 2 * HOUR_NS + 40 * 10**9,
    exercise=Exercise.SIT_UP,
    reps=8,
    hold_s=0.0,
    confidence="medium",
)


def write_sets(folder: Path, *sets: ExerciseSet) -> None:
    """What the collector writes when it finds sets."""
    data.close()
    store = open_store(Settings(data=folder, zone="Europe/Berlin"))
    store.write(Batch(wearer="w1", placement=Placement.UPPER_BACK, sets=sets))
    store.close()


def asked() -> list[int]:
    """Beginnings of the sets that would be asked about."""
    src = data.sources()
    return [f.set.start_ns for f in data.sets_to_ask(src, data.owner(src), "w1", ZONE)]


def test_a_found_set_is_confirmed_with_one_tap(
    app: App, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tap is a label, a training and a word to the collector; nobody is asked twice."""
    calls: list[tuple[str, dict[str, Any]]] = []

    class Door:
        """A collector that runs."""

        def __init__(self, folder: Path) -> None:
            assert folder == own

        def call(self, method: str, **params: Any) -> None:
            """Remember what was asked for."""
            calls.append((method, params))

    monkeypatch.setattr("dashboard.data.found.ControlClient", Door)
    later = replace(FOUND, start_ns=FOUND.start_ns + 300 * 10**9, end_ns=FOUND.end_ns + 300 * 10**9)
    write_sets(own, FOUND, later)
    test = app(lang="en", page="training", folder=own)
    assert "8 × Sit-up at 11:00 – right?" in words_of(test)
    before = len(kept(Kind.TRAINING))
    by_key(test.button, f"found_right_{FOUND.start_ns}").click().run()
    by_key(test.button, f"found_right_{later.start_ns}").click().run()
    assert not test.exception
    assert [body["exercise"] for body in kept(Kind.CORRECTION)] == ["sit_up", "sit_up"]
    assert len(kept(Kind.TRAINING)) == before + 1, "two sets five minutes apart are one training"
    training = next(b for b in kept(Kind.TRAINING) if b["source"] == "sets_confirmed")
    assert training["sets"] == [["sit_up", 8, 0.0]] * 2
    assert training["minutes"] == 6
    assert [method for method, _ in calls] == ["confirm_set"] * 2
    assert calls[0][1]["start_ns"] == FOUND.start_ns
    assert not {FOUND.start_ns, later.start_ns} & set(asked())


def test_a_found_set_is_corrected_without_a_collector(app: App, own: Path) -> None:
    """What was no training leaves the lines, and is not asked again although no collector runs."""
    write_sets(own, FOUND)
    test = app(lang="en", page="training", folder=own)
    before = len(kept(Kind.TRAINING))
    by_key(test.button, f"found_none_{FOUND.start_ns}").click().run()
    assert not test.exception
    src = data.sources()
    today = date(2026, 11, 23)
    best = data.best_sets(src, data.owner(src), "w1", today, today, ZONE)
    assert FOUND.start_ns not in [s.start_ns for s in best]
    assert len(kept(Kind.TRAINING)) == before
    assert FOUND.start_ns not in asked()


def test_a_confirmed_set_never_shortens_the_training(
    app: App, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One minute confirmed does not stand for the half hour that the sensor saw; one told does."""
    app(lang="en", folder=own)
    src = data.sources()
    owner, day = data.owner(src), date(2026, 11, 23)
    [(_, summary)] = data.summaries(src, owner, "w1", day, day, ZONE).items()
    seen = {day: replace(summary, core_min=30.0)}
    monkeypatch.setattr("dashboard.data.series.summaries", lambda *_: seen)

    def minutes(source: str) -> float:
        one = Training(at_ns=NOW_NS - HOUR_NS, minutes=1, source=source)
        monkeypatch.setattr("dashboard.data.diary.trainings", lambda *_: [one])
        return data.training_minutes(src, owner, "w1", day, day, ZONE)[day]

    assert minutes("sets_confirmed") == 30.0
    assert minutes("user") == 1.0
