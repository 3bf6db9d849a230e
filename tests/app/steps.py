# SPDX-License-Identifier: Apache-2.0
"""What the tests of the pages do over and over: keep an entry, press a button, read the page."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.diary import Kind
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.records import open_records
from tracker.units import to_ns

NOW_NS = to_ns(datetime(2026, 11, 23, 12, tzinfo=UTC))
HOUR_NS = 3600 * 10**9


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


def kept(kind: Kind) -> list[dict[str, Any]]:
    """Bodies of what is kept now."""
    src = data.sources()
    return [dict(e.body) for e in data.entries(src, data.owner(src), "w1", [kind])]


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
