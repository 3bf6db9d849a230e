# SPDX-License-Identifier: Apache-2.0
"""What a wearer does on the pages, and what is kept of it."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.clock import Clock
from tracker.diary import Kind
from tracker.prompt_log import KEY, PromptLog, Told
from tracker.prompts import Cause, Prompt
from tracker.report.i18n import language
from tracker.settings import Settings, read_settings
from tracker.store.sqlite import open_store
from tracker.units import to_ns

ZONE = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
App = Callable[..., AppTest]


def kept(kind: Kind) -> list[dict[str, Any]]:
    """Bodies of what is kept now."""
    src = data.sources()
    return [dict(e.body) for e in data.entries(src, data.owner(src), "w1", [kind])]


def by_key(found: Any, key: str) -> Any:
    """The element whose key ends like this."""
    return next(e for e in found if str(e.key or "").endswith(key))


def test_the_evening_is_asked_before_any_number(app: App, own: Path) -> None:
    """In the evening the scale comes first, one tap keeps it, and then the numbers appear."""
    test = app(lang="en", folder=own, now=EVENING)
    assert not test.get("vega_lite_chart"), "numbers before the tap would colour it"
    taps = by_key(test.button_group, "tap_tension_2026-11-23")
    taps.set_value(7).run()
    assert kept(Kind.EVENING)[-1]["tension"] == 7
    assert test.get("vega_lite_chart"), "after the tap the day is shown"
    assert not test.exception


def test_the_evening_can_wait(app: App, own: Path) -> None:
    """Who does not want to answer now sees the numbers all the same, and nothing is kept."""
    before = len(kept_evenings(app, own))
    test = app(lang="en", folder=own, now=EVENING)
    later = language("en").t("pages.evening.later")
    next(b for b in test.button if b.label == later).click().run()
    assert test.get("vega_lite_chart")
    assert len(kept(Kind.EVENING)) == before


def kept_evenings(app: App, own: Path) -> list[dict[str, Any]]:
    """Evenings before anything is done."""
    app(lang="en", folder=own)
    return kept(Kind.EVENING)


def test_a_stretch_is_corrected_with_one_tap(app: App, own: Path) -> None:
    """The correction is kept as a label with beginning, end and state."""
    test = app(lang="en", folder=own)
    by_key(test.button, "was_lying").click().run()
    assert not test.exception
    [body] = kept(Kind.CORRECTION)
    assert body["state"] == "lying"
    assert body["end_ns"] - body["start_ns"] >= 60 * 10**9


def test_the_start_gives_advice_at_once(app: App, tmp_path: Path) -> None:
    """On day 0 four answers are enough for a card that says where it comes from."""
    test = app(lang="en", page="advice", folder=tmp_path)
    by_key(test.button_group, "start_tension").set_value(7)
    by_key(test.button_group, "start_training").set_value(0)
    next(b for b in test.button if b.label == language("en").t("pages.advice.start_save")).click()
    test.run()
    assert not test.exception
    text = "\n".join(m.value for m in test.markdown)
    assert "from what you told us" in text


def test_safety_list_can_be_confirmed_and_discussed(app: App, own: Path) -> None:
    """A point that applies closes massage; a talk with the doctor opens the way again."""
    words = language("en")
    test = app(lang="en", page="advice", folder=own)
    by_key(test.radio, "safety_answer").set_value(False)
    confirm = words.t("pages.safety.confirm")
    next(b for b in test.button if b.label == confirm).click().run()
    src = data.sources()
    state = data.screened(src, data.owner(src), "w1", ZONE)
    assert state.facts["massage_allowed"] is False
    by_key(test.checkbox, "massage_fine_STATIC").check()
    by_key(test.checkbox, "training_fine_STATIC").check()
    talked = words.t("pages.safety.discussed_save")
    next(b for b in test.button if b.label == talked).click().run()
    assert not test.exception
    assert kept(Kind.DISCUSSED)[-1]["massage"] is True
    state = data.screened(src, data.owner(src), "w1", ZONE)
    assert state.facts["massage_allowed"] is True


def test_a_session_becomes_a_diary_entry(app: App, own: Path) -> None:
    """Two sets, then skip to the end; what was done is kept set by set, what was skipped named."""
    words = language("en")
    test = app(lang="en", page="training", folder=own)
    begin = words.t("pages.training.begin")
    next(b for b in test.button if b.label == begin).click().run()
    assert not test.exception
    for _ in range(2):
        for move in ("begin", "finish_set"):
            by_key(test.button, f"session_{move}").click().run()
            assert not test.exception
    while any(str(b.key).endswith("session_skip") for b in test.button):
        by_key(test.button, "session_skip").click().run()
        assert not test.exception
    by_key(test.button_group, "session_effort").set_value(4).run()
    next(b for b in test.button if b.label == words.t("pages.session.keep")).click().run()
    assert not test.exception
    newest = kept(Kind.TRAINING)[-1]
    assert len(newest["sets"]) == 2
    assert newest["effort"] == 4
    [answer] = kept(Kind.SESSION)
    assert answer["completed"] is False, "what was skipped is not called done"
    assert len(answer["skipped"]) == 6, "the warm-up of three and five exercises, two sets done"


def test_language_is_kept(app: App, own: Path) -> None:
    """A tap changes the language of the page at once and for the next visit."""
    test = app(lang="", page="settings", folder=own)
    by_key(test.button_group, "set_language").set_value("de").run()
    assert test.title[0].value == "Einstellungen"
    src = data.sources()
    assert data.owner(src).language == "de"


def test_prompts_are_off_until_chosen(app: App, own: Path) -> None:
    """The switches start off; what is switched on is kept with its limits."""
    test = app(lang="en", page="settings", folder=own)
    switches = {k: by_key(test.toggle, k) for k in ("p_breaks", "p_still", "p_slouch")}
    assert not any(s.value for s in switches.values())
    switches["p_breaks"].set_value(True)
    by_key(test.button, "prompts_save").click().run()
    src = data.sources()
    assert data.owner(src).settings["prompts"]["breaks"] is True  # type: ignore[index]


def test_a_prompt_of_the_collector_is_shown_once_and_snoozes(app: App, own: Path) -> None:
    """What the collector's log says stands on any page, in words; quiet is kept; it is filed."""
    now_ns = to_ns(datetime(2026, 11, 23, 12, tzinfo=UTC))
    said = Prompt(
        at_ns=now_ns - 2 * 60 * 10**9, cause=Cause.SITTING, minutes=55.0, since_ns=0,
        tone="question",
    )  # fmt: skip
    told = Told(prompt=said, followed=True, channels=("page",))
    store = open_store(Settings(data=own, zone="Europe/Berlin"))
    store.put_wearer_setting("w1", KEY, PromptLog().with_told(told).as_json())
    store.close()
    app(lang="en", folder=own)
    src = data.sources()
    data.save_settings(src, data.owner(src), {"prompts": {"breaks": True}})
    test = app(lang="en", page="settings", folder=own)
    assert not test.exception
    assert any("short break" in m.value for m in test.markdown)
    by_key(test.button, "snooze_30").click().run()
    assert not test.exception
    assert not any("short break" in m.value for m in test.markdown)
    src = data.sources()
    owner = data.owner(src)
    until = data.quiet_until_ns(src, owner, "w1")
    assert until == pytest.approx(src.clock.now_ns() + 30 * 60 * 10**9, rel=1e-9)
    by_key(test.button, "quiet_end").click().run()
    assert data.quiet_until_ns(src, data.owner(src), "w1") is None
    for filed in (1, 0):
        assert data.file_prompts(src, owner, "w1", ZONE) == filed
    (entry,) = kept(Kind.PROMPT)
    assert entry["followed"] is True
    today = app(lang="en", folder=own)
    assert any("One prompt; 1 followed by a break" in c.value for c in today.caption)


def test_a_silent_sensor_says_so(app: App, own: Path) -> None:
    """Half an hour after the last row the live page shows no value, but when it was last seen."""
    late = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    test = app(lang="en", page="live", folder=own, now=late)
    assert language("en").t("pages.live.silent") in [h.value for h in test.header]
    charts = test.get("echarts_chart")
    assert charts
    assert "not known" in charts[0].proto.alt


def test_a_damaged_store_is_a_sentence(app: App, tmp_path: Path) -> None:
    """A file that is no database: one sentence that names it, no traceback."""
    (tmp_path / "epochs.db").write_bytes(b"this is no database" * 300)
    test = app(lang="en", folder=tmp_path)
    assert not test.exception
    assert any("epochs.db" in e.value for e in test.error)


def test_influxdb_that_is_away_shows_the_embedded_store(
    app: App, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page stays full, says where its data come from, what waits for InfluxDB, since when."""
    monkeypatch.setenv("BACKSTAY_INFLUX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BACKSTAY_INFLUX_TOKEN", "reader:secret")
    settings = read_settings(data=own)
    earlier = Clock(start_ns=to_ns(NOON - timedelta(hours=2)), origin_ns=0, speed=1e-12)
    with closing(open_store(settings, earlier)) as store:
        store.mark_all_dirty()
        hours, _ = store.backlog()
        store.put_meta("sink", json.dumps({"alarm": "InfluxDB answered 401"}))
    test = app(lang="en", folder=own)
    assert not test.exception
    assert any("InfluxDB does not answer" in w.value for w in test.warning)
    assert any("does not take what is sent: InfluxDB answered 401" in w.value for w in test.warning)
    told = next(c.value for c in test.caption if "wait for InfluxDB" in c.value)
    assert told.replace("\xa0", " ") == (
        f"Data of {hours} hours wait for InfluxDB; nothing is lost. The oldest have waited for 2 h."
    )
    assert test.get("vega_lite_chart")
    assert not any("secret" in w.value for w in test.warning)


def test_no_collector_is_explained(app: App, own: Path) -> None:
    """Without a collector the sensor page says what to start instead of failing."""
    test = app(lang="en", page="sensor", folder=own)
    assert any("backstay up" in c.value for c in test.code)
