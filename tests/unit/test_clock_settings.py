# SPDX-License-Identifier: Apache-2.0
"""The injected clock and the settings from the environment: what is read, and what is refused."""

import json
import logging
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

from tracker.clock import SYSTEM_CLOCK, Clock, clock_from, clock_from_environment
from tracker.errors import UsageError
from tracker.log import JsonFormatter
from tracker.model import SECOND_NS
from tracker.settings import Settings, help_of, read_settings, zone


def test_a_fast_clock_runs_so_many_times_as_fast() -> None:
    """Start plus speed times what passed since the origin."""
    origin_ns = time.time_ns() - 10 * SECOND_NS
    clock = clock_from("2026-11-23T08:00:00+00:00@60", origin_ns)
    passed_s = (clock.now_ns() - clock.start_ns) / SECOND_NS
    assert 600 <= passed_s < 660
    assert clock.real_s(60) == 1.0


def test_processes_share_a_clock() -> None:
    """Two processes with the same two variables see the same time."""
    clock = Clock(start_ns=1_795_420_800 * SECOND_NS, origin_ns=time.time_ns(), speed=5.0)
    code = "from tracker.clock import clock_from_environment as c; print(c().now_ns())"
    before = clock.now_ns()
    told = subprocess.run(
        [sys.executable, "-c", code], env=clock.environment(), capture_output=True, text=True,
        check=True, cwd=Path(__file__).resolve().parents[2],
    ).stdout  # fmt: skip
    assert before <= int(told) <= clock.now_ns()


@pytest.mark.parametrize("text", ["yesterday@2", "2026-11-23T08:00:00+00:00@fast", "1@0", "1@-3"])
def test_a_clock_that_cannot_be_read_is_refused(text: str) -> None:
    """A wrong clock names the variable and shows how it is written."""
    with pytest.raises(UsageError, match="BACKSTAY_CLOCK"):
        clock_from(text)


def test_without_a_variable_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set: system time, and nothing for children to inherit."""
    monkeypatch.delenv("BACKSTAY_CLOCK", raising=False)
    assert clock_from_environment() is SYSTEM_CLOCK
    assert SYSTEM_CLOCK.environment() == {}
    assert abs(SYSTEM_CLOCK.now_ns() - time.time_ns()) < 5 * SECOND_NS


def test_settings_travel_to_children_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `environment` gives, `read_settings` reads back, every field of it."""
    made = Settings(
        data=tmp_path, zone="Europe/Berlin", language="de", influx_url="http://x", raw_days=7,
        port=1, http_port=2, lan="on", profile="clinic", log="DEBUG",
    )  # fmt: skip
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    assert read_settings() == made
    assert read_settings(port=9).port == 9
    assert read_settings(port=None).port == 1


@pytest.mark.parametrize("name", ["PORT", "HTTP_PORT", "RAW_DAYS"])
def test_a_number_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable, the value and what the setting is."""
    monkeypatch.setenv(f"BACKSTAY_{name}", "many")
    with pytest.raises(UsageError, match=f"BACKSTAY_{name}='many' is not a whole number: "):
        read_settings()


def test_every_setting_says_what_it_does() -> None:
    """The help has one sentence per field and none for a field that is gone."""
    assert set(help_of()) == {f.name for f in fields(Settings)}
    assert all(help_of().values())


def test_data_live_under_xdg_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without BACKSTAY_DATA it is the user's data folder (on Linux XDG_DATA_HOME/backstay)."""
    monkeypatch.delenv("BACKSTAY_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert read_settings().data == tmp_path / "backstay"


def test_a_zone_that_is_none_is_refused() -> None:
    """A typing error in the zone is said, never taken for UTC."""
    assert str(zone("Europe/Berlin")) == "Europe/Berlin"
    for wrong in ("Europe/Berlyn", "../../etc/passwd", "/etc/localtime"):
        with pytest.raises(UsageError, match="BACKSTAY_ZONE"):
            zone(wrong)


def test_a_log_line_is_one_json_object() -> None:
    """Time, level, logger, message and the extra values; line breaks stay inside the object."""
    record = logging.makeLogRecord(
        {"name": "backstay.x", "levelname": "INFO", "msg": "two\nlines", "sensor": "C0:01"}
    )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line) | {"time": ""} == {
        "time": "", "level": "INFO", "logger": "backstay.x", "message": "two\nlines",
        "sensor": "C0:01",
    }  # fmt: skip
