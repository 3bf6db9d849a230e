# SPDX-License-Identifier: Apache-2.0
"""Each exercise can be explained: name, start, movement, breathing in both languages, a drawing."""

from importlib import resources
from xml.etree import ElementTree as ET

import pytest

from tracker.exercises.guided_state import STOP_REASONS
from tracker.exercises.programme import programme_from
from tracker.exercises.registry import exercises
from tracker.report.i18n import LANGUAGES, language

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("label", [e.label for e in exercises()])
def test_every_exercise_is_explained(code: str, label: str):
    """A new exercise file without its texts fails here."""
    for part in ("name", "start", "movement", "breathing"):
        assert language(code).t(f"exercise.{part}.{label}")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_cue_side_variant_and_reason_has_a_word(code: str):
    """Whatever the guided session shows can be said."""
    from tracker.advice.load import packaged

    t = language(code).t
    for cue in ("count_in", "up", "hold", "down", "rest", "ready", "effort", "done", "stopped"):
        assert t(f"exercise.cue.{cue}")
    for reason in ("exercise_pain", "unwell", "other"):
        assert reason in STOP_REASONS
        assert t(f"exercise.stop.{reason}")
    for level in programme_from(packaged().document).levels:
        for item in level.items:
            if item.variant:
                assert t(f"exercise.variant.{item.variant}")
    asked = t("exercise.found.reps", n=8, exercise=t("exercise.name.sit_up"), clock="17:40")
    assert asked.startswith("8 × Sit-up")


@pytest.mark.parametrize("label", [e.label for e in exercises()])
def test_every_exercise_has_a_drawing_with_a_title(label: str):
    """Own line figures: well-formed, titled and described, no script, no foreign address."""
    text = (resources.files("tracker.report") / "drawings" / f"{label}.svg").read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert "script" not in text
    assert text.count("http") == 1
