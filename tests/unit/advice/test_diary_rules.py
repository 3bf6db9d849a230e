# SPDX-License-Identifier: Apache-2.0
"""What the diary refuses, and that every refusal is a sentence in both languages."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.advice import diary_rows, diary_rules
from tracker.advice.diary_rules import Problem, check_edit, check_evening, check_massage
from tracker.diary import Entry, Evening, Kind, Massage, Training
from tracker.report.i18n import LANGUAGES, language
from tracker.units import to_ns

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 24)
NOW = to_ns(datetime(2026, 11, 24, 18, tzinfo=UTC))
HOUR = 3_600 * 1_000_000_000


def words(problems: list[Problem]) -> set[str]:
    """The last part of each key; every sentence must exist and be complete."""
    for problem in problems:
        for lang in LANGUAGES:
            sentence = language(lang).t(problem.key, **problem.values)
            assert sentence.endswith(".")
            assert "–" not in sentence
            assert "{" not in sentence
    return {p.key.rsplit(".", 1)[-1] for p in problems}


def massage(hours_ago: float, minutes: int = 30, **more: object) -> Massage:
    """A massage that began so many hours ago."""
    return Massage(at_ns=NOW - int(hours_ago * HOUR), minutes=minutes, **more)  # type: ignore[arg-type]


def test_a_good_evening_passes():
    """One tap is enough."""
    assert check_evening(Evening(day="2026-11-24", tension=4), TODAY) == []


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (Evening(day="2026-11-24", tension=11), "scale"),
        (Evening(day="2026-11-24", tension=-1), "scale"),
        (Evening(day="2026-11-24", tension=True), "scale"),
        (Evening(day="2026-11-25", tension=3), "future"),
        (Evening(day="2026-11-21", tension=3), "too_old"),
        (Evening(day="24.11.2026", tension=3), "no_date"),
        (Evening(day="2026-11-24", note="x" * 501), "note_long"),
        (Evening(day="2026-11-24", pain=5), "pain_not_asked"),
    ],
)
def test_an_evening_that_cannot_be(entry, word):
    """Range, date, note and what wellness does not ask."""
    assert words(check_evening(entry, TODAY)) == {word}


def test_pain_in_the_clinic_profile_and_in_the_journal():
    """Pain is asked in the clinic profile, and in wellness only for the wearer's own journal."""
    entry = Evening(day="2026-11-24", pain=5)
    assert check_evening(entry, TODAY, profile="clinic") == []
    assert check_evening(entry, TODAY, pain_journal=True) == []


def test_one_entry_per_day():
    """A second evening is refused: edit the first."""
    entry = Evening(day="2026-11-24", tension=3)
    assert words(check_evening(entry, TODAY, taken_days=["2026-11-24"])) == {"day_taken"}


def test_a_late_entry_is_marked():
    """Filled in the day after it is late; on the day it is not."""
    assert diary_rules.is_late(Evening(day="2026-11-23", tension=3), TODAY)
    assert not diary_rules.is_late(Evening(day="2026-11-24", tension=3), TODAY)


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (massage(-1), "future"),
        (massage(24 * 400), "too_old"),
        (massage(3, minutes=0), "minutes"),
        (massage(3, minutes=241), "minutes"),
        (massage(3, kind="punch"), "choice"),
        (massage(3, pressure="hard"), "choice"),
        (massage(3, by="robot"), "choice"),
        (massage(3, relief_1h=12), "scale"),
    ],
)
def test_a_massage_that_cannot_be(entry, word):
    """Time, minutes, choices and scales."""
    assert words(check_massage(entry, NOW, ZONE)) == {word}


@pytest.mark.parametrize(
    ("hours_ago", "minutes", "clash"),
    [(3, 30, True), (3.4, 30, True), (3.5, 30, False), (2.5, 30, False), (4, 240, True)],
)
def test_overlapping_massages(hours_ago, minutes, clash):
    """Back to back is fine, a shared minute is not."""
    found = words(check_massage(massage(hours_ago, minutes), NOW, ZONE, [massage(3)]))
    assert found == ({"overlap"} if clash else set())


def test_training_is_checked_too():
    """Effort, next morning, sets and overlaps of sessions."""
    good = Training(at_ns=NOW - 2 * HOUR, minutes=20, effort=5, next_morning=-3)
    assert diary_rules.check_training(good, NOW, ZONE) == []
    bad = Training(
        at_ns=NOW + HOUR,
        minutes=0,
        effort=11,
        rise=-1,
        next_morning=-11,
        sets=(("plank", 0, -1.0),),
    )
    found = words(diary_rules.check_training(bad, NOW, ZONE, [good]))
    assert found == {"future", "minutes", "scale", "negative_set"}
    assert words(diary_rules.check_training(good, NOW, ZONE, [good])) == {"overlap"}


def entry(author: str = "w1", written_ns: int = NOW, **more: object) -> Entry:
    """A stored entry."""
    values: dict[str, object] = {
        "id": 1,
        "wearer": "w1",
        "kind": Kind.EVENING,
        "at_ns": NOW,
        "day": "2026-11-24",
        "body": {},
        "author": author,
        "written_ns": written_ns,
    }
    return Entry(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stored", "editor", "hours", "word"),
    [
        (entry(), "w1", 48, ""),
        (entry(), "w1", 48.1, "too_late"),
        (entry(), "t7", 1, "not_yours"),
        (entry(author="t7"), "w1", 1, "not_yours"),
        (entry(replaced_ns=NOW), "w1", 1, "replaced"),
    ],
)
def test_who_may_edit_and_how_long(stored, editor, hours, word):
    """48 hours, only one's own, only the newest version."""
    problem = check_edit(stored, editor, NOW + int(hours * HOUR))
    assert words([problem] if problem else []) == ({word} if word else set())


def test_editing_does_not_extend_the_window():
    """The window runs from the first version, not from the last edit."""
    edited = entry(written_ns=NOW + 40 * HOUR, version=2)
    assert check_edit(edited, "w1", NOW + 50 * HOUR, first_written_ns=NOW) is not None
    assert check_edit(edited, "w1", NOW + 47 * HOUR, first_written_ns=NOW) is None


_scale = st.none() | st.integers(0, 10)
_yes_no = st.none() | st.booleans()
_moment = st.integers(1_600_000_000_000_000, 1_800_000_000_000_000).map(lambda us: us * 1000)
_records = st.one_of(
    st.builds(
        Evening,
        day=st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(date.isoformat),
        tension=_scale,
        pain=_scale,
        stress=_scale,
        painkiller=_yes_no,
        unusual_load=_yes_no,
        illness=_yes_no,
        late=st.just(False),  # derived from the day, not stored in a row
        note=st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF)).map(str.strip),
    ),
    st.builds(
        Massage,
        at_ns=_moment,
        minutes=st.integers(1, 240),
        kind=st.sampled_from(diary_rules.MASSAGE_KINDS),
        pressure=st.sampled_from(diary_rules.PRESSURES),
        by=st.sampled_from(diary_rules.BY),
        relief_1h=_scale,
        relief_morning=_scale,
        sore_morning=_yes_no,
    ),
    st.builds(
        Training,
        at_ns=_moment,
        minutes=st.integers(1, 300),
        sets=st.just(()),  # sets are exported in their own table
        effort=_scale,
        rise=_scale,
        next_morning=st.none() | st.integers(-10, 10),
        source=st.just("user"),
    ),
)


@given(_records)
def test_export_and_import_give_the_same_record(record):
    """A row written and read back is the same record; not answered stays not answered."""
    row = diary_rows.row_of(record)
    assert tuple(row) == diary_rows.COLUMNS
    assert diary_rows.record_of(row) == record


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"kind": "lunch"}, "kind"),
        ({"kind": "evening", "mood": "3"}, "column"),
        ({"kind": "evening", "day": "2026-11-24", "tension": "viel"}, "whole_number"),
        ({"kind": "evening", "day": "2026-11-24", "illness": "maybe"}, "yes_no"),
        ({"kind": "massage", "at": "yesterday", "minutes": "30"}, "no_moment"),
        ({"kind": "massage", "at": "2026-11-24T18:30:00", "minutes": "30"}, "no_moment"),
    ],
)
def test_a_row_that_cannot_be_read(row, word):
    """Nothing is guessed: the cell is named and the remedy said."""
    found = diary_rows.record_of(row)
    assert isinstance(found, Problem)
    assert words([found]) == {word}


def test_a_read_row_is_still_checked():
    """Reading does not excuse a value out of range."""
    record = diary_rows.record_of({"kind": "evening", "day": "2026-11-24", "tension": "12"})
    assert isinstance(record, Evening)
    assert words(check_evening(record, TODAY + timedelta(days=1))) == {"scale"}


_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**24), 10**24)
    | st.floats()
    | st.text(max_size=600)
    | st.sampled_from(["2026-11-24", "2026-W01", "light", "therapist"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.data())
def test_any_value_of_a_file_is_a_sentence_and_never_an_exception(data):
    """Whatever a JSON file holds in any field, the answer is a list of complete sentences."""
    made = data.draw(st.sampled_from([Evening, Massage, Training]))
    values = {f: data.draw(_anything, label=f) for f in made.__dataclass_fields__}
    record = made(**values)
    if made is Evening:
        found = check_evening(record, TODAY, taken_days={"2026-11-24"})
    elif made is Massage:
        found = check_massage(record, NOW, ZONE, [massage(3)])
    else:
        good = Training(at_ns=NOW - 2 * HOUR, minutes=20)
        found = diary_rules.check_training(record, NOW, ZONE, [good])
    for problem in found:
        assert language("de").t(problem.key, **problem.values).endswith(".")
