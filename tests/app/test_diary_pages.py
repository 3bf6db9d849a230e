# SPDX-License-Identifier: Apache-2.0
"""The diary and the self-experiment on their pages: kept, changed, refused, out and in."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from tracker.diary import Evening, Kind, Massage, Person, Role
from tracker.errors import AccessDenied, InputError
from tracker.model import State
from tracker.report.i18n import language
from tracker.trends.experiment import plan

ZONE = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
App = Callable[..., AppTest]


def kept(kind: Kind) -> list[dict[str, Any]]:
    """Bodies of what is kept now."""
    src = data.sources()
    return [dict(e.body) for e in data.entries(src, data.owner(src), "w1", [kind])]


def by_key(found: Any, key: str) -> Any:
    """The element whose key ends like this."""
    return next(e for e in found if str(e.key or "").endswith(key))


def test_the_experiment_is_stored_before_it_starts(app: App, own: Path) -> None:
    """The coins are kept with the plan, and the page then shows the plan instead of a wizard."""
    words = language("en")
    test = app(lang="en", page="advice", folder=own)
    draw = words.t("experiment.draw")
    next(b for b in test.button if b.label == draw).click().run()
    assert not test.exception
    [body] = kept(Kind.EXPERIMENT)
    assert len(body["coins"]) == 6
    assert body["first_day"] > "2026-11-23"
    assert not any(b.label == draw for b in test.button)


def test_the_experiment_reminds_ends_and_begins_anew(app: App, own: Path) -> None:
    """On the massage day *Today* and the phone say so; ended early, a new one may begin."""
    words = language("en")
    app(lang="en", folder=own)
    src = data.sources()
    owner = data.owner(src)
    before = date(2026, 11, 22)
    made = plan(
        coin_bits=[True] * 6, first_day=date(2026, 11, 23), today=before, written_ns=1,
        massage_minutes=25,
    )  # fmt: skip
    data.save_experiment(src, owner, "w1", made, ZONE)
    said = words.t("experiment.remind.massage_today", minutes=25, day="")
    test = app(lang="en", folder=own)
    assert said in [i.value for i in test.info]
    assert data.phone_today(data.sources(), "w1", "en")["reminder"] == said
    test = app(lang="en", page="advice", folder=own)
    by_key(test.button, "experiment_end").click().run()
    assert not test.exception
    assert any(str(b.key).endswith("experiment_draw") for b in test.button)
    assert data.phone_today(data.sources(), "w1", "en")["reminder"] is None
    told = data.experiments(data.sources(), owner, "w1")
    assert [e.ended is not None for e in told] == [True]


def test_the_result_of_an_experiment_is_told_whole(app: App, own: Path) -> None:
    """After the last day: the sentence, what was drawn, what was missing, other treatments."""
    words = language("en")
    app(lang="en", folder=own)
    src = data.sources()
    owner = data.owner(src)
    made = plan(
        coin_bits=[True, False] * 3, first_day=date(2026, 8, 17), today=date(2026, 8, 16),
        written_ns=1, question=words.t("experiment.question.tension"),
    )  # fmt: skip
    kept_now = {e.day for e in data.evenings(src, owner, "w1")}
    told = []
    for block in range(6):
        for start, value in ((made.massage_day(block), 3), (made.other_day(block), 5)):
            days = [(start + timedelta(days=k)).isoformat() for k in range(1, 7)]
            told += [Evening(day=d, tension=value) for d in days if d not in kept_now]
    data.save_experiment(src, owner, "w1", made, ZONE)
    data.import_entries(src, owner, "w1", told, ZONE)
    test = app(lang="en", page="advice", folder=own)
    assert not test.exception
    text = "\n".join(m.value for m in test.markdown)
    assert "Tension was 2.0 points lower on average in the massage weeks, at least" in text
    assert "p = 0.031" in text
    rows = test.table[-1].value
    assert "first, second, first, second, first, second" in rows.to_string()


def test_an_entry_is_changed_and_the_earlier_version_stays(app: App, own: Path) -> None:
    """A massage moves and gets its relief; the old one is still told; nonsense is refused."""
    app(lang="en", folder=own)
    src = data.sources()
    owner = data.owner(src)
    now = src.clock.now_ns()
    hour = 3600 * 10**9
    entry = data.save_massage(src, owner, "w1", Massage(at_ns=now - 2 * hour, minutes=20), ZONE)
    test = app(lang="en", page="diary", folder=own)
    by_key(test.number_input, f"edit_{entry.id}_1_minutes").set_value(35)
    by_key(test.button, f"edit_{entry.id}_1_keep").click().run()
    assert not test.exception
    src = data.sources()
    old, new = data.versions(src, owner, "w1", entry.id)
    assert (old.body["minutes"], new.body["minutes"]) == (20, 35)
    assert any("20 min" in c.value for c in test.caption)
    moved = {**new.body, "at_ns": now - 30 * hour}
    assert data.edit(src, owner, "w1", entry.id, moved).day == "2026-11-22"
    for bad in ({"minutes": 0}, {"at_ns": now + hour}, {"relief_1h": 11}, {"kind": "punch"}):
        with pytest.raises(InputError):
            data.edit(src, owner, "w1", entry.id, {**moved, **bad})
    other = data.save_massage(src, owner, "w1", Massage(at_ns=now - 5 * hour, minutes=20), ZONE)
    with pytest.raises(InputError):
        data.edit(src, owner, "w1", entry.id, {**moved, "at_ns": other.at_ns})


def test_diary_goes_out_and_in(app: App, own: Path) -> None:
    """An exported diary read into an empty one is the same diary; a second time adds nothing."""
    from dashboard import parts, transfer

    app(lang="en", folder=own)
    src = data.sources()
    view = parts.View(
        sources=src, viewer=data.owner(src), wearer="w1", lang=language("en"), zone=ZONE,
        now_ns=src.clock.now_ns(),
    )  # fmt: skip
    out = json.loads(transfer.diary_json(view))
    assert transfer.read_diary(view, out) == 0
    other = Person(id="o", name="", roles=frozenset({Role.WEARER}), wearer="w2")
    from dataclasses import replace

    empty = replace(view, viewer=other, wearer="w2")
    assert transfer.read_diary(empty, out) == len(out["entries"]) > 5
    again = json.loads(transfer.diary_json(empty))
    for one in (*out["entries"], *again["entries"]):
        if one["kind"] == "evening":
            del one["at_ns"]  # when it was written; a day is what an evening is about
    assert sorted(map(str, again["entries"])) == sorted(map(str, out["entries"]))


def test_diary_goes_out_and_in_as_a_table(app: App, own: Path) -> None:
    """The CSV read into an empty diary holds the same answers; a bad row is named."""
    from dataclasses import replace

    from dashboard import parts, transfer

    app(lang="en", folder=own)
    src = data.sources()
    view = parts.View(
        sources=src, viewer=data.owner(src), wearer="w1", lang=language("en"), zone=ZONE,
        now_ns=src.clock.now_ns(),
    )  # fmt: skip
    out = transfer.diary_csv(view)
    other = Person(id="o", name="", roles=frozenset({Role.WEARER}), wearer="w2")
    empty = replace(view, viewer=other, wearer="w2")
    assert transfer.read_file(empty, "diary.csv", out.encode()) == out.count("\n") - 1 > 5
    assert transfer.diary_csv(empty) == out
    head = out.splitlines()[0]
    bad = head + "\nevening,2026-01-05,,99" + "," * (head.count(",") - 3)
    with pytest.raises(data.Refused) as refused:
        transfer.read_file(empty, "diary.csv", bad.encode())
    assert parts.sentence(empty, refused.value).startswith("Entry 1: ")
    for name, content in (
        ("x.json", b"{"),
        ("x.csv", b"\xff\xfe\x00"),
        ("x.csv", b"kind\na,b,c\n"),
    ):
        with pytest.raises(data.Refused):
            transfer.read_file(empty, name, content)


@pytest.mark.parametrize(
    "given",
    [None, {}, {"format": "backstay-diary-1"}, {"format": "backstay-diary-1", "entries": [1]},
     {"format": "backstay-diary-1", "entries": [{"kind": "evening"}]}],
)  # fmt: skip
def test_a_file_that_is_no_diary_is_refused(app: App, own: Path, given: object) -> None:
    """One sentence, and nothing is kept."""
    from dashboard import parts, transfer

    app(lang="en", folder=own)
    src = data.sources()
    view = parts.View(
        sources=src, viewer=data.owner(src), wearer="w1", lang=language("en"), zone=ZONE,
        now_ns=src.clock.now_ns(),
    )  # fmt: skip
    with pytest.raises(InputError):
        transfer.read_diary(view, given)


def test_entries_are_refused_with_a_sentence(app: App, own: Path) -> None:
    """Out of range, in the future, twice at once, somebody else's: all refused, nothing kept."""
    app(lang="en", folder=own)
    src = data.sources()
    owner = data.owner(src)
    now = src.clock.now_ns()
    hour = 3600 * 10**9
    bad: list[Callable[[], object]] = [
        lambda: data.save_evening(src, owner, "w1", Evening(day="2026-11-23", tension=11), ZONE),
        lambda: data.save_evening(src, owner, "w1", Evening(day="2026-11-24", tension=1), ZONE),
        lambda: data.save_massage(src, owner, "w1", Massage(at_ns=now + hour, minutes=5), ZONE),
        lambda: data.save_correction(src, owner, "w1", now, now - 1, State.SITTING, ZONE),
    ]
    for write in bad:
        with pytest.raises(InputError):
            write()
    data.save_massage(src, owner, "w1", Massage(at_ns=now - hour, minutes=20), ZONE)
    with pytest.raises(InputError):
        data.save_massage(src, owner, "w1", Massage(at_ns=now - hour, minutes=5), ZONE)
    stranger = Person(id="x", name="", roles=frozenset({Role.WEARER}), wearer="w9")
    with pytest.raises(AccessDenied):
        data.save_evening(src, stranger, "w1", Evening(day="2026-11-23", tension=1), ZONE)
