# SPDX-License-Identifier: Apache-2.0
"""The therapist's list is kept while nothing changes, and never longer."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from dashboard import data
from dashboard.data import overview
from dashboard.data.sources import Sources
from tracker.access import DEFAULT_SCOPES
from tracker.clock import Clock
from tracker.diary import Kind, Person, Role
from tracker.model import SECOND_NS, Placement
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.sqlite import SqliteStore, open_store
from tracker.units import local_date

P = Placement.UPPER_BACK
NOW_NS = 1_795_539_600 * SECOND_NS  # 2026-11-24 18:00 in Berlin
HOUR_NS = 3600 * SECOND_NS


def standing(at_ns: int) -> Clock:
    """A clock that stands."""
    return Clock(start_ns=at_ns, origin_ns=0, speed=1e-12)


@dataclass(slots=True)
class Practice:
    """A therapist with two people who share."""

    src: Sources
    store: SqliteStore
    therapist: Person

    def wait(self, seconds: int) -> None:
        """Time passes."""
        later = standing(self.src.clock.now_ns() + seconds * SECOND_NS)
        self.src = replace(self.src, clock=later)

    def lines(self) -> dict[str, data.Line]:
        """The list by wearer."""
        return {line.who.wearer: line for line in data.patient_lines(self.src, self.therapist)}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """Five simulated days of each."""
    settings, clock = Settings(data=tmp_path, zone="Europe/Berlin"), standing(NOW_NS)
    zone = data.sources_of(settings).local.zone_of("a")
    made = history(
        np.random.default_rng(3), 5, zone, last_day=local_date(NOW_NS, zone), until_ns=NOW_NS
    )
    store = open_store(settings, clock)
    src = Sources(settings=settings, clock=clock, series=store, local=store)
    records = data.writable(src)
    therapist = Person(id="t", name="T", roles=frozenset({Role.THERAPIST}))
    records.put_person(therapist)
    for wearer in ("a", "b"):
        store.write(Batch(wearer=wearer, placement=P, epochs=made.epochs))
        records.put_person(
            Person(id=wearer, name=wearer, roles=frozenset({Role.WEARER}), wearer=wearer)
        )
        records.put_grant(wearer, "t", DEFAULT_SCOPES, expires_ns=NOW_NS + 10**16)
    yield Practice(src, store, therapist)
    data.close()
    store.close()


def test_a_line_is_kept_and_its_age_grows(practice: Practice) -> None:
    """Nothing new: the same report; the data's age follows the clock, and its flag comes."""
    first = practice.lines()
    practice.wait(900)
    later = practice.lines()
    for wearer, line in first.items():
        assert later[wearer].report is line.report
        assert later[wearer].age_h == pytest.approx((line.age_h or 0.0) + 0.25, abs=1e-3)
    assert "no_data" not in later["a"].flags
    assert "no_data" in overview.aged(later["a"], 80.0).flags
    practice.wait(3600)
    assert practice.lines()["a"].report is not first["a"].report


def test_a_diary_entry_shows_at_once_and_new_data_within_five_minutes(practice: Practice) -> None:
    """Only the line of the one who changed is made anew."""
    before = practice.lines()
    data.writable(practice.src).put_entry(
        "a", Kind.EVENING, {"day": "2026-11-24", "tension": 7}, at_ns=NOW_NS, day="2026-11-24",
        author="a",
    )  # fmt: skip
    after = practice.lines()
    assert after["a"].report is not before["a"].report
    assert after["b"].report is before["b"].report
    newest = practice.store.epochs("b", P, NOW_NS - HOUR_NS, NOW_NS)
    moved = newest[-12:]
    practice.store.write(
        Batch(
            wearer="b", placement=P, epochs=moved[:6],
            replace_from_ns=int(moved.start_ns[0]), replace_to_ns=NOW_NS,
        )
    )  # fmt: skip
    assert practice.lines()["b"].report is before["b"].report
    practice.wait(301)
    assert practice.lines()["b"].report is not before["b"].report
    assert practice.lines()["a"].report is after["a"].report


def test_lines_are_worked_out_ahead_without_a_look_in_the_audit(practice: Practice) -> None:
    """After the thread's round the first look finds every line; only that look is audited."""
    pauses: list[int] = []
    overview.warm_lines(practice.src, lambda: pauses.append(1))
    assert len(pauses) == 2
    records = data.writable(practice.src)
    assert [*records.audit_lines()] == []
    kept = {k[2]: v.line.report for k, v in overview._KEPT.items() if k[0] == str(
        practice.src.settings.data)}  # fmt: skip
    assert {w: line.report for w, line in practice.lines().items()} == kept
    assert {a.wearer for a in records.audit_lines()} == {"a", "b"}


def test_a_grant_that_ended_is_gone_at_once(practice: Practice) -> None:
    """A kept line is no permission."""
    assert set(practice.lines()) == {"a", "b"}
    records = data.writable(practice.src)
    (grant,) = records.grants(wearer="a", viewer="t")
    records.revoke(grant.id)
    assert set(practice.lines()) == {"b"}
