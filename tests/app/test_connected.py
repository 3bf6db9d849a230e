# SPDX-License-Identifier: Apache-2.0
"""Parts that only help when the pages use them: safety list, programme, answers."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from streamlit.testing.v1 import AppTest

from dashboard import data
from tests.app.steps import HOUR_NS, NOW_NS, by_key, kept, press, put, settle, words_of
from tracker.advice import screening
from tracker.advice.load import packaged
from tracker.diary import Kind
from tracker.exercises.programme import Override
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.records import open_records
from tracker.trends import diaries, training_effect
from tracker.units import to_ns

ZONE = ZoneInfo("Europe/Berlin")
App = Callable[..., AppTest]


def answers(**changed: str) -> dict[str, Any]:
    """A list that was gone through question by question: no, but for what is named."""
    said = {i: "no" for i, _, _ in screening.questions(packaged(), "en")}
    return {"mode": "interactive", "none_applies": False, "answers": said | changed}


def screened() -> screening.Screened:
    """What the safety list means now."""
    src = data.sources()
    return data.screened(src, data.owner(src), "w1", ZONE)


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
