# SPDX-License-Identifier: Apache-2.0
"""A therapist replaces the programme of one person, who trains by it until it ends."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tests.app.test_therapist_pages import Practice, enter, practice, text_of
from tracker.errors import AccessDenied, InputError
from tracker.exercises.programme import Item, Override, Target
from tracker.report.i18n import language
from tracker.settings import Settings

__all__ = ["enter", "practice"]
WORDS = language("en")
SAVE = WORDS.t("exercise.plan.save")


def by_key(found: Any, key: str) -> Any:
    """The element with this key."""
    return next(e for e in found if str(e.key or "").endswith(key))


def test_own_exercises_replace_the_programme(enter: Callable[..., AppTest]) -> None:
    """Two exercises with their doses stand on the wearer's Training page, then the levels again."""
    test = enter("tina", "patient", id="w1")
    by_key(test.radio, "plan_kind").set_value("own").run()
    by_key(test.multiselect, "plan_exercises").set_value(["plank", "bird_dog"]).run()
    by_key(test.number_input, "plan_reps_plank").set_value(1)
    by_key(test.number_input, "plan_hold_plank").set_value(25)
    by_key(test.checkbox, "plan_side_bird_dog").set_value(True).run()
    next(b for b in test.button if b.label == SAVE).click().run()
    assert not test.exception
    assert WORDS.t("exercise.name.plank") in text_of(test)
    seen = text_of(enter("anna", "training"))
    assert WORDS.t("exercise.session.kept_by_therapist") in seen
    assert "Forearm plank: 2 × 1, hold for 25 s" in seen
    assert "Bird-dog: 2 × 8, each side" in seen
    assert "Glute bridge" not in seen
    test = enter("tina", "patient", id="w1")
    by_key(test.radio, "plan_kind").set_value("none").run()
    next(b for b in test.button if b.label == SAVE).click().run()
    assert not test.exception
    assert "Glute bridge" in text_of(enter("anna", "training"))


def test_a_level_can_be_set_and_the_frequency_stays(
    enter: Callable[..., AppTest], practice: Practice
) -> None:
    """Level 3 until its last day; the sessions a week that were agreed on are not lost."""
    test = enter("tina", "patient", id="w1")
    by_key(test.slider, "g_sessions").set_value(2)
    next(b for b in test.button if b.label == "Save the plan").click().run()
    by_key(test.radio, "plan_kind").set_value("by_level").run()
    by_key(test.button_group, "plan_own_level").set_value(3).run()
    next(b for b in test.button if b.label == SAVE).click().run()
    assert not test.exception
    seen = text_of(enter("anna", "training"))
    assert WORDS.t("exercise.reason.therapist", level=3) in seen
    assert "Dead bug" in seen
    src = data.sources()
    assert data.plan(src, practice.people["tina"], "w1").sessions_per_week == 2


@pytest.mark.parametrize(
    "own",
    [
        Override(by="t"),
        Override(by="t", items=(Item(exercise="squat", sets=()),)),
        Override(by="t", items=(Item(exercise="squat", sets=(Target(reps=0, hold_s=0.0),)),)),
        Override(by="t", items=(Item(exercise="plank", sets=(Target(reps=1, hold_s=9e3),)),)),
    ],
)
def test_what_nobody_could_train_is_refused(practice: Practice, own: Override) -> None:
    """An empty plan, no repetitions, hours of holding: one sentence, nothing kept."""
    src = data.sources_of(Settings(data=practice.folder, zone="Europe/Berlin"))
    with pytest.raises(InputError):
        data.save_programme(src, practice.people["tina"], "w1", own)
    assert data.programme_held(src, practice.people["tina"], "w1")[0] is None


def test_a_stranger_plans_nothing(practice: Practice) -> None:
    """Who was given nothing may not write a plan."""
    src = data.sources_of(Settings(data=practice.folder, zone="Europe/Berlin"))
    own = Override(by="t", level=1)
    with pytest.raises(AccessDenied):
        data.save_programme(src, practice.people["tina"], "w2", own)
