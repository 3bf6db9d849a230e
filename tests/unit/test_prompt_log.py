# SPDX-License-Identifier: Apache-2.0
"""The one log of prompts: kept as JSON, never doubled, and the newest wish for quiet holds."""

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tracker.diary import Person
from tracker.prompt_log import MOST, SHOWN_NS, PromptLog, Rest, Told, log_of, newest, quiet_until
from tracker.prompts import MINUTE_NS, Cause, Prompt

ZONE = ZoneInfo("Europe/Berlin")
NOW = 1_764_000_000_000_000_000
PROMPTS = st.builds(
    Prompt,
    at_ns=st.integers(NOW, NOW + 10 * MINUTE_NS),
    cause=st.sampled_from(Cause),
    minutes=st.integers(0, 2400).map(lambda m: m / 10),
    since_ns=st.integers(0, NOW),
    tone=st.sampled_from(("question", "plain", "silent")),
)
TOLD = st.builds(
    Told,
    prompt=PROMPTS,
    followed=st.sampled_from((None, True, False)),
    channels=st.sets(st.sampled_from(("page", "phone", "desktop"))).map(tuple),
)


@given(st.lists(TOLD, max_size=8))
def test_it_comes_back_as_it_was_kept(told: list[Told]) -> None:
    """Through JSON and back it is the same log, by time, each moment once."""
    log = PromptLog(rest=Rest(set_ns=1, until_ns=2))
    for one in told:
        log = log.with_told(one)
    times = [t.prompt.at_ns for t in log.told]
    assert times == sorted(set(times))
    assert log_of(json.loads(json.dumps(log.as_json()))) == log


def test_it_stays_small() -> None:
    """Only the newest entries stay; the others lie in the diary."""
    log = PromptLog()
    for k in range(MOST + 5):
        log = log.with_told(Told(prompt=_prompt(NOW + k)))
    assert len(log.told) == MOST
    assert log.told[-1].prompt.at_ns == NOW + MOST + 4


@given(st.from_type(object))
def test_anything_kept_is_read(kept: object) -> None:
    """What is no log is an empty one."""
    assert isinstance(log_of(kept), PromptLog)
    assert log_of({"told": [kept, {"at_ns": 1}], "rest": kept}).told == ()


def test_the_last_wish_for_quiet_holds() -> None:
    """A snooze of the phone, then its end on the page, and the other way round."""
    person = Person(id="p", name="", roles=frozenset())
    phone = PromptLog(rest=Rest(set_ns=10, until_ns=100))
    assert quiet_until(person, PromptLog()) == 0
    assert quiet_until(person, phone) == 100
    ended = replace(person, settings={"prompt_rest": {"set_ns": 20, "until_ns": 0}})
    assert quiet_until(ended, phone) == 0
    assert quiet_until(ended, replace(phone, rest=Rest(set_ns=30, until_ns=200))) == 200


def test_a_page_shows_news_only() -> None:
    """For ten minutes, where the channel was chosen, and until somebody asked for quiet."""
    log = PromptLog().with_told(Told(prompt=_prompt(NOW), channels=("page",)))
    assert newest(log, NOW + MINUTE_NS, "page") is not None
    assert newest(log, NOW + MINUTE_NS, "phone") is None
    assert newest(log, NOW + SHOWN_NS, "page") is None
    assert newest(replace(log, rest=Rest(set_ns=NOW + 1, until_ns=0)), NOW + 2, "page") is None
    assert newest(PromptLog(), NOW, "page") is None


def _prompt(at_ns: int) -> Prompt:
    return Prompt(at_ns=at_ns, cause=Cause.SITTING, minutes=50.0, since_ns=0, tone="plain")
