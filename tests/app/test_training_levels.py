# SPDX-License-Identifier: Apache-2.0
"""The level on the Training page follows effort and the morning after; the week has its goal."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tracker.diary import Kind
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.records import open_records
from tracker.units import to_ns

WORDS = language("en")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def trained(folder: Path, days_ago: int, *, effort: int, morning: int | None) -> None:
    """One whole session at level 1, and what was said the morning after."""
    at = NOW - timedelta(days=days_ago, hours=2)
    records = open_records(Settings(data=folder, zone="Europe/Berlin"))
    told: dict[str, object] = {
        "minutes": 15, "sets": [["squat", 8, 0.0]], "effort": effort, "next_morning": morning,
        "source": "user",
    }  # fmt: skip
    answer: dict[str, object] = {
        "level": 1, "completed": True, "effort": effort, "training_at_ns": to_ns(at),
    }  # fmt: skip
    for kind, body in ((Kind.TRAINING, told), (Kind.SESSION, answer)):
        day = at.date().isoformat()
        records.put_entry("w1", kind, body, at_ns=to_ns(at), day=day, author="owner")
    records.close()


@pytest.mark.parametrize(
    ("sessions", "reason", "level"),
    [
        ([(4, 5, 0), (2, 6, -1)], "up", 2),
        ([(4, 5, 0), (2, 8, 0)], "stay", 1),
        ([(4, 4, 0), (2, 4, 3)], "down", 1),
    ],
)
def test_the_level_follows_what_was_told(
    app: Callable[..., AppTest],
    folders: Callable[[str], Path],
    tmp_path: Path,
    sessions: list[tuple[int, int, int]],
    reason: str,
    level: int,
) -> None:
    """Two easy sessions lead up, effort holds, a bad morning leads down; the page says why."""
    folder = tmp_path / "data"
    shutil.copytree(folders("day7"), folder)
    for days_ago, effort, morning in sessions:
        trained(folder, days_ago, effort=effort, morning=morning)
    test = app(lang="en", page="training", folder=folder)
    assert not test.exception
    said = [c.value for c in test.caption]
    assert WORDS.t(f"exercise.reason.{reason}", level=level) in said
    assert any(m.value.startswith("This week: ") for m in test.markdown)
