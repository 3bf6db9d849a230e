# SPDX-License-Identifier: Apache-2.0
"""What may be chosen about prompts: addresses of one's own network, hours, and safe defaults."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.diary import Person
from tracker.prompt_choice import (
    CHANNELS,
    PromptSettings,
    address_problem,
    at_work,
    evening_hour,
    is_near,
    prompt_settings,
)

ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", ""),
        ("http://127.0.0.1:8123/api/webhook/x", ""),
        ("https://homeassistant.local:8123/api/webhook/x", ""),
        ("http://[fd00::12]:1880/prompt", ""),
        ("mqtt://user@192.168.1.4/home/back", ""),
        ("mqtt://192.168.1.4", "host"),
        ("ftp://192.168.1.4/x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("http://", "host"),
        ("http://[fd00::12", "host"),
        ("http://192.168.1.4:99999999/", "host"),
        ("https://8.8.8.8/hook", "far"),
        ("http://0.0.0.0/", "far"),
    ],
)
def test_addresses(address: str, problem: str) -> None:
    """Only this machine and private networks, only three schemes; each refusal has its reason."""
    assert address_problem(address) == problem


def test_a_name_must_lead_home_with_all_its_addresses() -> None:
    """One address outside is enough to send nothing; no address at all is not near either."""
    assert is_near(["192.168.1.4", "fe80::1%eth0"])
    assert not is_near(["192.168.1.4", "93.184.216.34"])
    assert not is_near([])


def test_defaults_and_what_is_kept() -> None:
    """Nothing is on; unknown channels, far addresses and wrong hours fall away when read."""
    assert not PromptSettings().any
    assert not PromptSettings().evening
    read = prompt_settings(
        {
            "channels": ["desktop", "smoke"],
            "quiet_hours": [12, 99, "x"],
            "address": "http://8.8.8.8",
        }
    )
    assert read.channels == ("desktop",)
    assert read.quiet_hours == (12,)
    assert read.address == ""


@given(
    st.dictionaries(st.sampled_from(["channels", "quiet_hours", "address"]), st.from_type(object))
)
def test_anything_kept_is_read(kept: dict[str, object]) -> None:
    """Whatever was kept, every channel is a known one and every hour an hour."""
    read = prompt_settings(kept)
    assert set(read.channels) <= set(CHANNELS)
    assert set(read.quiet_hours) <= set(range(24))


def _person(**settings: object) -> Person:
    return Person(id="p", name="", roles=frozenset(), settings=settings)


def test_work_hours_may_pass_midnight() -> None:
    """A night shift counts on both sides of midnight, an office day between its hours."""
    office, night = _person(), _person(work_start="22:00", work_end="06:00", workdays=[0])
    monday = datetime(2026, 11, 23, 12, 0, tzinfo=ZONE)
    assert at_work(office, monday)
    assert not at_work(office, monday.replace(hour=17))
    assert at_work(night, monday.replace(hour=23))
    assert not at_work(night, monday)


def test_the_evening_hour() -> None:
    """Five in the afternoon, or what was chosen; nonsense falls back."""
    assert evening_hour(_person()) == 17
    assert evening_hour(_person(evening_hour=20)) == 20
    assert evening_hour(_person(evening_hour="x")) == 17
