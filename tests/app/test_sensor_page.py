# SPDX-License-Identifier: Apache-2.0
"""The sensor page against the collector's real local door, with a collector's answers behind it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tracker.collect.control import ControlServer
from tracker.errors import InputError
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
        return {"until_ns": 0, "poses": {}, "warnings": []}

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
    for pose in ("standing", "sitting_tall", "sitting_slumped"):
        next(b for b in test.button if str(b.key).endswith(f"take_{pose}")).click().run()
        assert not test.exception
    press(test, WORDS.t("pages.calibrate.finish"))
    steps = [(p["action"], p["pose"]) for p in desk.params("calibrate")]
    assert steps[0] == ("begin", "")
    assert [pose for action, pose in steps if action == "pose"] == [
        "standing",
        "sitting_tall",
        "sitting_slumped",
    ]
    assert steps[-1] == ("finish", "")
    press(test, WORDS.t("pages.sensor.remove"))
    assert desk.params("remove_sensor") == [{"address": FOUND[0]["address"]}]
    assert not desk.served
