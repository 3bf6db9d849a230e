# SPDX-License-Identifier: Apache-2.0
"""Every public function of `dashboard.data` that is about a wearer, with every wrong viewer.

The functions are found, not listed: one that is added without asking the gate fails here.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboard import data
from tracker.access import SHARED_SCOPES
from tracker.diary import Entry, Evening, Kind, Massage, Person, Role, Training
from tracker.errors import AccessDenied
from tracker.model import Placement, State
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.records import Records, open_records
from tracker.store.sqlite import open_store
from tracker.units import local_date

TZ = ZoneInfo("Europe/Berlin")
WEARER = "w-anna"
DAY_NS = 86_400 * 10**9
# What a call needs beyond source, viewer and wearer, by the name of the parameter.
VALUES: dict[str, Any] = {
    "tz": TZ,
    "first": date(2026, 11, 1),
    "last": date(2026, 11, 5),
    "shown": date(2026, 11, 3),
    "day": date(2026, 11, 3),
    "kinds": (),
    "lang": "de",
    "told": Evening(day="2026-11-03", tension=3),
    "kind": Kind.NOTE,
    "body": {"text": "x"},
    "entry_id": 1,
    "start_ns": 0,
    "end_ns": 1,
    "state": State.SITTING,
    "placement": Placement.UPPER_BACK,
    "action": "look",
    "address": "AA:BB",
    "name": "x",
    "scopes": ("sitting",),
    "days": 30,
    "confirmed": True,
    "grant_id": 1,
    "text": "x",
    "goal": "x",
    "sessions_per_week": 3,
    "values": {},
    "minutes": 5,
}
OVERRIDES: Mapping[str, Mapping[str, Any]] = {
    "save_massage": {"told": Massage(at_ns=0, minutes=5)},
    "save_training": {"told": Training(at_ns=0, minutes=5)},
    "import_entries": {"told": ()},
}


def functions() -> list[str]:
    """Names of the public functions with source, viewer and wearer."""
    found = []
    for name in data.__all__:
        made = getattr(data, name)
        if inspect.isfunction(made) and {"src", "viewer", "wearer"} <= set(
            inspect.signature(made).parameters
        ):
            found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class World:
    """A store with one wearer, everybody else, and the records behind it."""

    src: data.Sources
    records: Records
    anna: Person
    viewers: Mapping[str, Person]

    def refused(self) -> int:
        """Lines of the audit that say no."""
        return sum(not line.allowed for line in self.records.audit_lines())


def call(world: World, name: str, viewer: Person) -> object:
    """One call with made-up values for what else it asks for."""
    made = getattr(data, name)
    values = {**VALUES, **OVERRIDES.get(name, {})}
    given: dict[str, Any] = {}
    for key, parameter in inspect.signature(made).parameters.items():
        if key == "src":
            given[key] = world.src
        elif key == "viewer":
            given[key] = viewer
        elif key == "wearer":
            given[key] = WEARER
        elif key in values:
            given[key] = values[key]
        elif parameter.default is parameter.empty:
            given[key] = object()  # the gate comes first, so nothing looks at it
    return made(**given)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One wearer with data and diary; viewers who must see nothing of her."""
    settings = Settings(data=tmp_path_factory.mktemp("access"), zone="Europe/Berlin")
    now_ns = data.sources_of(settings).clock.now_ns()
    store = open_store(settings)
    today = local_date(now_ns, TZ)
    made = history(np.random.default_rng(1), 4, TZ, last_day=today, until_ns=now_ns)
    store.write(Batch(wearer=WEARER, placement=Placement.UPPER_BACK, epochs=made.epochs))
    store.close()
    records = open_records(settings)

    def person(key: str, *roles: Role, wearer: str | None = None, active: bool = True) -> Person:
        one = Person(id=key, name=key, roles=frozenset(roles), wearer=wearer, active=active)
        records.put_person(one)
        return one

    anna = person("anna", Role.WEARER, wearer=WEARER)
    records.put_entry(WEARER, Kind.NOTE, {"text": "x"}, at_ns=1, day="2026-11-03", author="anna")
    viewers = {
        "another wearer": person("ben", Role.WEARER, wearer="w-ben"),
        "a therapist without a grant": person("cora", Role.THERAPIST),
        "a therapist whose grant expired": person("dora", Role.THERAPIST),
        "a therapist whose grant was revoked": person("emil", Role.THERAPIST),
        "the operator": person("fred", Role.OPERATOR),
        "a closed account": person("gerd", Role.THERAPIST, active=False),
        "a closed account of the wearer": replace(anna, active=False),
        "nobody": data.NOBODY_IN,
        "a wearer who holds a grant but is no therapist": person(
            "hans", Role.WEARER, wearer="w-hans"
        ),
    }
    records.put_grant(WEARER, "dora", SHARED_SCOPES, expires_ns=now_ns - 1)
    records.revoke(records.put_grant(WEARER, "emil", SHARED_SCOPES, expires_ns=now_ns + DAY_NS).id)
    for key in ("gerd", "hans"):
        records.put_grant(WEARER, key, SHARED_SCOPES, expires_ns=now_ns + DAY_NS)
    records.close()
    src = data.sources_of(settings)
    yield World(src, data.writable(src), anna, viewers)
    data.close()


def test_the_walk_finds_the_functions() -> None:
    """The walk is about many functions; a rename of the parameters must not empty it."""
    names = functions()
    assert len(names) >= 45, names
    assert {"day", "summaries", "entries", "advised", "report", "save_evening"} <= set(names)


def test_every_function_refuses_every_wrong_viewer(world: World) -> None:
    """AccessDenied, and a line in the audit that says who wanted what."""
    wrong: list[str] = []
    for name in functions():
        for who, viewer in world.viewers.items():
            before = world.refused()
            try:
                call(world, name, viewer)
            except AccessDenied:
                if world.refused() == before:
                    wrong.append(f"{name}: {who} is refused without a line in the audit")
            except Exception as error:  # noqa: BLE001 - whatever it is, the gate came too late
                wrong.append(f"{name}: {who} gets {error!r} before the gate")
            else:
                wrong.append(f"{name}: {who} gets an answer")
    assert not wrong, "\n".join(wrong)


def test_a_grant_of_other_scopes_opens_nothing(world: World) -> None:
    """With a grant of everything but what a function asks for, it refuses; with it, it answers."""
    records, opened = world.records, 0
    for name in functions():
        key = f"t-{name}"
        viewer = Person(id=key, name=key, roles=frozenset({Role.THERAPIST}))
        until = world.src.clock.now_ns() + DAY_NS
        full = records.put_grant(WEARER, key, SHARED_SCOPES, expires_ns=until)
        try:
            call(world, name, viewer)
        except AccessDenied:
            continue  # the wearer's own, whatever is shared
        except Exception:  # noqa: BLE001, S110 - the gate let it in; values above are made up
            pass
        opened += 1
        asked = {a.scope for a in records.audit_lines(WEARER) if a.viewer == key}
        records.revoke(full.id)
        needed = {s for words in asked for s in words.split(",")}
        needed |= {"pain"} if "tension" in needed else set()  # either opens an evening entry
        if needed == SHARED_SCOPES:
            continue  # cut to what is shared, see below
        records.put_grant(WEARER, key, SHARED_SCOPES - needed, expires_ns=until)
        with pytest.raises(AccessDenied):
            call(world, name, viewer)
    assert opened >= 15


@pytest.mark.parametrize("scope", sorted(SHARED_SCOPES))
def test_what_is_shared_is_cut_to_its_scope(world: World, scope: str) -> None:
    """With one scope shared, report, list, days and diary hold nothing of another scope."""
    key = f"only-{scope}"
    viewer = Person(id=key, name=key, roles=frozenset({Role.THERAPIST}))
    until = world.src.clock.now_ns() + DAY_NS
    world.records.put_grant(WEARER, key, {scope}, expires_ns=until)
    report = data.report(world.src, viewer, WEARER)
    allowed = {"sitting": 6, "posture": 3}.get(scope, 0) + (scope == "tension")
    assert len(report.rows) <= allowed
    assert bool(report.days) == (scope == "sitting"), "there are days, and only sitting shows them"
    for day in report.days.values():
        assert day.slouch_share is None
        assert day.shifts is None
        assert day.seconds.get("slouching", 0) == 0
        assert day.seconds.get("exercise", 0) == 0
        assert day.core_min == 0
    assert (report.sessions is not None) == (scope == "training")
    line = next(x for x in data.patient_lines(world.src, viewer) if x.who.wearer == WEARER)
    assert line.pain is None
    assert (line.tension is not None) == (scope == "tension")
    if scope != "sitting":
        assert not data.minutes(world.src, viewer, WEARER, date(2026, 11, 1), date(2026, 11, 5))


def test_evening_entries_are_cut_field_by_field(world: World) -> None:
    """A therapist who may see tension sees neither pain nor illness nor the note."""
    from tracker.scoped import entry_for

    body: dict[str, object] = {
        "day": "2026-11-03", "tension": 4, "pain": 6, "painkiller": True, "illness": True,
        "note": "private", "late": False, "unusual_load": True, "future_field": "private",
    }  # fmt: skip
    entry = Entry(
        id=1, wearer=WEARER, kind=Kind.EVENING, at_ns=1, day="2026-11-03", body=body,
        author="anna", written_ns=1,
    )  # fmt: skip
    cut = entry_for(entry, frozenset({"tension"}))
    assert cut is not None
    assert set(cut.body) == {"day", "tension", "late", "unusual_load"}
    pain = entry_for(entry, frozenset({"pain"}))
    assert pain is not None
    assert set(pain.body) == {"day", "late", "pain", "painkiller"}
    assert entry_for(entry, frozenset({"sitting", "notes", "screening"})) is None


def test_lists_and_desk_refuse_by_role(world: World) -> None:
    """The list is the therapist's, the accounts are the operator's; every refusal shows."""
    for viewer in (world.anna, world.viewers["the operator"], data.NOBODY_IN):
        before = world.refused()
        with pytest.raises(AccessDenied):
            data.patient_lines(world.src, viewer)
        assert world.refused() == before + 1
    for viewer in (world.anna, world.viewers["a therapist without a grant"], data.NOBODY_IN):
        before = world.refused()
        with pytest.raises(AccessDenied):
            data.people(world.src, viewer)
        with pytest.raises(AccessDenied):
            data.new_password(world.src, viewer, "anna")
        assert world.refused() == before + 2


def test_a_redrawn_page_is_one_look_and_a_write_is_not_joined(world: World) -> None:
    """Redraws of a quarter of an hour are one line; refusals and writes have a line each."""
    viewer = Person(id="looker", name="looker", roles=frozenset({Role.THERAPIST}))
    until = world.src.clock.now_ns() + DAY_NS
    world.records.put_grant(WEARER, "looker", {"sitting", "training"}, expires_ns=until)

    def lines() -> list[str]:
        return [a.action for a in world.records.audit_lines(WEARER) if a.viewer == "looker"]

    for _ in range(3):
        data.summaries(world.src, viewer, WEARER, date(2026, 11, 1), date(2026, 11, 2), TZ)
    assert lines() == ["read"]
    for _ in range(2):
        data.save_note(world.src, viewer, WEARER, "x")
    assert lines() == ["read", "guide", "guide"]
