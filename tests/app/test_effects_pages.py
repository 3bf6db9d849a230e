# SPDX-License-Identifier: Apache-2.0
"""Does it help: on the wearer's page, on the patient's page, and pooled in a practice."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.clock import clock_from
from tracker.diary import Evening, Kind, Massage, Person, Role
from tracker.report.i18n import LANGUAGES, language
from tracker.settings import Settings
from tracker.simulation.diary import DiaryWorld, simulate
from tracker.store.records import Records, open_records
from tracker.units import local_ns

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 23)
DAYS = 168
PEOPLE = 6
BEFORE = "2026-11-22T20:00:00+00:00@0.000001"
App = Callable[..., AppTest]


def _diary(records: Records, wearer: str, seed: int) -> None:
    """Half a year in which massage helps for a few days, on fixed dates; pain as tension."""
    world = DiaryWorld(days=DAYS, effect=-1.5, assign="fixed")
    rated, booked = simulate(np.random.default_rng(seed), world)
    for i in range(DAYS):
        day = TODAY - timedelta(days=DAYS - 1 - i)
        at_ns = local_ns(day, time(19), ZONE)
        if not np.isnan(rated[0, i]):
            told = Evening(day=day.isoformat(), tension=int(rated[0, i]), pain=int(rated[0, i]))
            records.put_entry(
                wearer, Kind.EVENING, asdict(told), at_ns=at_ns, day=told.day, author=wearer
            )
        if booked[0, i]:
            body = asdict(Massage(at_ns=at_ns, minutes=20))
            records.put_entry(
                wearer, Kind.MASSAGE, body, at_ns=at_ns, day=day.isoformat(), author=wearer
            )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice: six wearers with half a year each, who share tension, pain and massages."""
    folder = tmp_path_factory.mktemp("effects")
    records = open_records(Settings(data=folder, zone="Europe/Berlin"), clock_from(BEFORE))
    tina = Person(id="tina", name="T", roles=frozenset({Role.THERAPIST}))
    records.put_person(tina)
    for n in range(PEOPLE):
        key = f"p{n}"
        person = Person(
            id=key, name=f"P {n}", roles=frozenset({Role.WEARER}), wearer=key,
            settings={"pool_consent": n > 0},
        )  # fmt: skip
        records.put_person(person)
        records.put_grant(
            key, "tina", frozenset({"tension", "pain", "massage"}), expires_ns=4 * 10**18
        )
        _diary(records, key, 40 + n)
    records.close()
    return folder


@pytest.fixture
def world(house: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], data.Sources]:
    """The data layer of the practice in a profile."""

    def opened(profile: str) -> data.Sources:
        data.close()
        monkeypatch.setenv("BACKSTAY_DATA", str(house))
        monkeypatch.setenv("BACKSTAY_ZONE", "Europe/Berlin")
        monkeypatch.setenv("BACKSTAY_CLOCK", "2026-11-23T20:00:00+00:00@0.000001")
        monkeypatch.setenv("BACKSTAY_PROFILE", profile)
        return data.sources()

    return opened


def test_the_clinic_pools_those_who_agreed_and_nobody_else(world):
    """Five of six agreed: each of them gets a narrower range; the sixth and wellness get none."""
    src = world("clinic")
    tina = Person(id="tina", name="T", roles=frozenset({Role.THERAPIST}))
    own = data.patient_effect(src, tina, "p1")
    assert own is not None
    assert own.outcome == "pain"
    assert own.massage is not None
    assert own.massage.posterior is not None
    assert own.pooled is not None
    assert own.people == PEOPLE - 1
    assert own.pooled.high - own.pooled.low < own.massage.posterior.high - own.massage.posterior.low
    refused = data.patient_effect(src, tina, "p0")
    assert refused is not None
    assert (refused.pooled, refused.people) == (None, 0)
    well = data.patient_effect(world("wellness"), tina, "p1")
    assert well is not None
    assert (well.outcome, well.pooled) == ("tension", None)
    data.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_result_is_drawn_with_its_range_and_what_makes_it_clearer(app: App, tmp_path, lang):
    """After half a year with an effect: the word, the sentence, the picture, every massage."""
    records = open_records(Settings(data=tmp_path, zone="Europe/Berlin"))
    records.put_person(
        Person(id="owner", name="", roles=frozenset({Role.WEARER}), wearer="w1", language="")
    )
    _diary(records, "w1", 41)
    records.close()
    test = app(lang=lang, page="advice", folder=tmp_path)
    assert not test.exception
    words = language(lang)
    badges = "\n".join(m.value for m in test.markdown)
    assert words.t("effect.chip.helps") in badges
    assert words.t("effect.question.massage") in badges
    names = [c.proto.alt for c in test.get("vega_lite_chart")]
    assert any(words.t("effect.short.massage") in n for n in names)
    assert any(words.t("effect.clearer.lead") in c.value for c in test.caption)
