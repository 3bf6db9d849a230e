# SPDX-License-Identifier: Apache-2.0
"""The sensor page against the collector's real local door, with a collector's answers behind it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import NOW_NS, fill
from tracker.collect.control import ControlServer
from tracker.errors import InputError
from tracker.model import SECOND_NS
from tracker.report.i18n import language

FOUND = [
    {
        "address": "AA:BB:CC:DD:EE:01",
        "name": "Polar H10 0001",
        "rssi_dbm": -58,
        "bars": 4,
        "decoder": "polar",
        "title": "Polar H10, Verity Sense",
        "score": 90,
        "why": "advertises the Polar service",
        "connected": False,
        "battery_pct": None,
    },
    {
        "address": "AA:BB:CC:DD:EE:02",
        "name": "",
        "rssi_dbm": -88,
        "bars": 1,
        "decoder": None,
        "title": None,
        "score": 0,
        "why": "no decoder fits what it advertises",
        "connected": False,
        "battery_pct": None,
    },
]
WORDS = language("en")
DAY_NS = 86_400 * SECOND_NS
POSES = ("standing", "walking", "sitting_tall", "sitting_slumped", "bend")


class Desk:
    """A collector's answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.served: list[dict[str, object]] = []

    def methods(self) -> dict[str, Callable[..., Any]]:
        """Name -> coroutine function."""
        names = ("ping", "status", "scan", "add_sensor", "remove_sensor", "calibrate")
        return {name: self._method(name) for name in names}

    def _method(self, name: str) -> Callable[..., Any]:
        async def called(**params: Any) -> object:
            self.asked.append((name, params))
            return getattr(self, f"_{name}")(**params)

        return called

    def _ping(self) -> str:
        return "pong"

    def _status(self) -> dict[str, object]:
        return {"list": self.served}

    def _scan(self, seconds: float) -> object:
        return FOUND

    def _add_sensor(self, **config: Any) -> object:
        if not config["placement"]:
            raise InputError("a placement is needed")
        self.served.append(
            {**config, "link": "connecting", "battery_pct": 77, "rssi_dbm": -58, "bars": 4}
        )
        return config

    def _remove_sensor(self, address: str) -> None:
        self.served = [s for s in self.served if s["address"] != address]

    def _calibrate(self, action: str, **params: Any) -> object:
        checks = [{"code": "wrong_place", "values": {"deg": 78}}]
        return {"until_ns": 0, "poses": {}, "warnings": [], "checks": checks}

    def params(self, name: str) -> list[dict[str, Any]]:
        """What a method was called with, in order."""
        return [p for n, p in self.asked if n == name]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The collector's own control server over loopback, in a thread."""
    made = Desk()
    loop = asyncio.new_event_loop()
    server = ControlServer(tmp_path, made.methods())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    yield made
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def press(test: AppTest, label: str) -> None:
    """Press the first button of this label."""
    next(b for b in test.button if b.label == label).click().run()
    assert not test.exception
    assert not test.error, [e.value for e in test.error]


def test_search_choose_calibrate_remove(
    app: Callable[..., AppTest], desk: Desk, tmp_path: Path
) -> None:
    """From nothing to a calibrated sensor: what fits and why, where it is worn, each pose once."""
    test = app(lang="en", page="sensor", folder=tmp_path)
    press(test, WORDS.t("pages.sensor.search"))
    text = "\n".join(m.value for m in (*test.markdown, *test.caption))
    assert "Polar H10 0001" in text
    assert "advertises the Polar service" in text
    assert "no decoder fits" in text
    chooses = [b for b in test.button if b.label == WORDS.t("pages.sensor.choose")]
    assert len(chooses) == 1, "only what a decoder fits can be chosen"
    press(test, WORDS.t("pages.sensor.choose"))
    [config] = desk.params("add_sensor")
    assert config == {
        "address": FOUND[0]["address"],
        "wearer": "me",
        "placement": "upper-back",
        "name": "Polar H10 0001",
    }
    press(test, WORDS.t("pages.calibrate.begin"))
    for pose in POSES:
        next(b for b in test.button if str(b.key).endswith(f"take_{pose}")).click().run()
        assert not test.exception
    press(test, WORDS.t("pages.calibrate.finish"))
    steps = [(p["action"], p["pose"]) for p in desk.params("calibrate")]
    assert steps[0] == ("begin", "")
    assert [pose for action, pose in steps if action == "pose"] == list(POSES)
    seconds = {p["pose"]: p["seconds"] for p in desk.params("calibrate")}
    assert (seconds["walking"], seconds["bend"], seconds["standing"]) == (12, 6, 10)
    assert steps[-1] == ("finish", "")
    said = "\n".join(m.value for m in test.markdown)
    assert WORDS.t("wearing.check.wrong_place", deg=78) in said
    press(test, WORDS.t("pages.sensor.remove"))
    assert desk.params("remove_sensor") == [{"address": FOUND[0]["address"]}]
    assert not desk.served


def served(name: str, **told: Any) -> dict[str, Any]:
    """A sensor of ours as the collector tells of it; streaming and well unless told otherwise."""
    return {
        "address": f"AA:{name}", "name": name, "wearer": "me", "placement": "upper-back",
        "link": "streaming", "age_s": 0.4, "battery_pct": 80, "battery_left_h": None,
        "rssi_dbm": -58, "loss_pct": 1.25, "reconnects": 3, "drift_ppm": -12.5, "lag_s": 0.0,
        "advice": [], "seen_ns": NOW_NS, "added_ns": 0, "calibrated_ns": NOW_NS, "worn": None,
        "slipped": False, **told,
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["de", "en"])
def test_people_forget_and_each_has_an_answer(
    app: Callable[..., AppTest], desk: Desk, tmp_path: Path, lang: str
) -> None:
    """Battery, left at home, off, away, clock, two on one place, a stale calibration: what to do.

    It is one o'clock on a Monday in Berlin; the last value of the forgotten one is of Sunday.
    """
    words = language(lang)
    desk.served = [
        served("low", battery_pct=15, advice=["battery_low"]),
        served("ends", battery_pct=30, battery_left_h=2.0),
        served("home", link="out_of_reach", advice=["out_of_reach"], seen_ns=NOW_NS - DAY_NS),
        served("off", link="sensor_off", advice=["sensor_off"]),
        served("away", link="out_of_reach", advice=["out_of_reach"]),
        served("new", link="connecting", advice=["never_seen"], seen_ns=None),
        served("clock", advice=["clock_went_back"]),
        served("two", advice=["two_sensors_one_place"]),
        served("old", calibrated_ns=NOW_NS - 45 * DAY_NS),
        served("plain", calibrated_ns=None),
        served("slip", slipped=True),
    ]
    test = app(lang=lang, page="sensor", folder=tmp_path)
    text = "\n".join(m.value for m in (*test.markdown, *test.caption))
    what = {
        "battery_low": {"name": "low", "percent": words.percent(0.15)},
        "battery_ends": {"name": "ends", "at": "15:00"},
        "forgotten": {"name": "home"},
        "sensor_off": {"name": "off"},
        "out_of_reach": {"name": "away"},
        "never_seen": {"name": "new"},
        "clock_went_back": {"name": "clock"},
        "two_sensors_one_place": {},
        "no_calibration": {},
    }
    for code, values in what.items():
        assert words.t(f"wearing.answer.{code}.what", **values) in text, code
        assert words.t(f"wearing.answer.{code}.do") in text, code
    for why in ("old", "slipped"):
        reason = words.t(f"wearing.answer.calibration_stale.{why}", days=45)
        assert words.t("wearing.answer.calibration_stale.what", why=reason) in text
    assert words.t("wearing.answer.out_of_reach.what", name="home") not in text, "one answer each"
    shown = "\n".join(str(h.value) for h in test.get("html")) + text
    assert words.t("wearing.health.drift_value", ppm=words.number(-12.5, 1)) in shown
    assert words.percent(0.0125, 1) in shown


def test_today_tells_what_changes_the_day(
    app: Callable[..., AppTest], desk: Desk, tmp_path: Path
) -> None:
    """A sensor left at home is a line on Today; one that is switched off now is not."""
    fill(tmp_path, "day1")
    desk.served = [
        served("home", wearer="w1", link="lost", seen_ns=NOW_NS - DAY_NS),
        served("off", wearer="w1", link="sensor_off", advice=["sensor_off"]),
    ]
    test = app(lang="en", page="today", folder=tmp_path)
    assert not test.exception
    said = "\n".join(c.value for c in test.caption)
    assert WORDS.t("wearing.answer.forgotten.what", name="home") in said
    assert WORDS.t("wearing.answer.sensor_off.what", name="off") not in said


def test_put_on_differently_asks_for_thirty_seconds_and_may_be_skipped(
    app: Callable[..., AppTest], desk: Desk, tmp_path: Path
) -> None:
    """The page says what is lost; the short version takes three poses; "not today" is an answer."""
    desk.served = [served("tag", worn={"from_ns": 1, "deg": 21.3, "asks": True})]
    test = app(lang="en", page="sensor", folder=tmp_path)
    text = "\n".join(m.value for m in (*test.markdown, *test.caption))
    assert WORDS.t("wearing.ask", deg="21") in text
    assert WORDS.t("wearing.lost", deg="21") in text
    press(test, WORDS.t("wearing.ask_begin"))
    assert desk.params("calibrate")[-1]["short"] is True
    keys = [str(b.key) for b in test.button]
    assert [k for k in keys if "take_" in k] == [
        f"take_{p}" for p in ("standing", "sitting_tall", "sitting_slumped")
    ]
    press(test, WORDS.t("pages.calibrate.cancel"))
    press(test, WORDS.t("wearing.ask_skip"))
    assert desk.params("calibrate")[-1]["action"] == "skip"
    desk.served = [served("tag", worn={"from_ns": 1, "deg": 21.3, "asks": False, "skipped": True})]
    test.run()
    assert WORDS.t("wearing.skipped", deg="21") in "\n".join(c.value for c in test.caption)
    desk.served = [served("tag", worn={"from_ns": 2, "deg": 6.0, "asks": False})]
    test.run()
    assert WORDS.t("wearing.fits", deg="6") in "\n".join(c.value for c in test.caption)


def test_two_people_share_one_sensor(
    app: Callable[..., AppTest], desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that somebody else uses it; taking it over is a tap of its own."""
    monkeypatch.setitem(FOUND[0], "wearer", "somebody")
    test = app(lang="en", page="sensor", folder=tmp_path)
    press(test, WORDS.t("pages.sensor.search"))
    assert WORDS.t("wearing.take_over_help") in "\n".join(c.value for c in test.caption)
    press(test, WORDS.t("wearing.take_over"))
    [config] = desk.params("add_sensor")
    assert config["take_over"] is True
    monkeypatch.setitem(FOUND[0], "wearer", "me")
    test = app(lang="en", page="sensor", folder=tmp_path)
    press(test, WORDS.t("pages.sensor.search"))
    assert WORDS.t("wearing.yours") in "\n".join(m.value for m in test.markdown)
