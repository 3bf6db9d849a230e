# SPDX-License-Identifier: Apache-2.0
"""Sets that the sensor found: confirmed or corrected with one tap, with or without a collector."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tests.app.steps import HOUR_NS, NOW_NS, by_key, kept, words_of
from tracker.diary import Kind, Training
from tracker.model import Exercise, ExerciseSet, Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.sqlite import open_store

ZONE = ZoneInfo("Europe/Berlin")
App = Callable[..., AppTest]


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
