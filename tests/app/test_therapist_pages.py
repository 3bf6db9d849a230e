# SPDX-License-Identifier: Apache-2.0
"""A therapist, an operator and a wearer with accounts before the dashboard, without a browser."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.practices import BEFORE, NOW, Practice, practice_of
from tracker.access import SHARED_SCOPES
from tracker.clock import Clock, clock_from
from tracker.diary import Person, Role
from tracker.report.i18n import language
from tracker.report.report_words import row_text, sentences
from tracker.settings import Settings
from tracker.store.records import open_records

DAY_NS = 86_400 * 10**9


@pytest.fixture
def practice(folders: Callable[[str], Path], tmp_path: Path) -> Practice:
    """Thirty days of one wearer who shares the default scopes with one therapist."""
    return practice_of(folders("day30"), tmp_path / "practice")


@pytest.fixture
def enter(practice: Practice, app: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open the dashboard as somebody: their cookie comes with the handshake of the socket."""
    from dashboard import data

    def opened(who_is: str = "tina", page: str = "", lang: str = "en", **query: str) -> AppTest:
        data.forget_lines()
        secret = practice.secrets.get(who_is, who_is)
        test = app("day30", lang, folder=practice.folder, secret=secret)
        if page:
            test.switch_page(f"app_pages/{page}.py")
            for key, value in query.items():
                test.query_params[key] = value
            test.run()
        return test

    return opened


def text_of(test: AppTest) -> str:
    """Everything readable."""
    kinds = ("markdown", "caption", "header", "title", "html", "info", "error", "code", "text")
    return "\n".join(
        str(getattr(e.proto, "body", "") or getattr(e, "value", ""))
        for kind in kinds
        for e in test.get(kind)
    )


def test_the_list_shows_who_shares_and_what(enter: Callable[..., AppTest]) -> None:
    """One line: name, days, sitting, training, tension; what is not shared is a dash."""
    test = enter()
    assert not test.exception
    assert [t.value for t in test.title] == ["Patients"]
    table = test.dataframe[0].value
    assert list(table["Name"]) == ["Anna Muster"]
    row = table.iloc[0]
    assert int(row["Days/14"]) >= 8
    assert row["Days/30"].endswith("✓")
    assert row["Sitting/day"].endswith(" h")
    assert row["Slumped"] == "–", "posture is not shared"
    assert row["Changes/h"] == "–"
    assert row["Tension"] != "–"
    assert "Pain" not in table.columns, "pain exists in the clinic profile alone"
    assert row["Flags"] == "calibration old", "flags are technical in wellness"


def test_the_list_is_filtered_by_a_single_flag(
    enter: Callable[..., AppTest], practice: Practice
) -> None:
    """Each flag that somebody has can be chosen, with its number; choosing none shows all."""
    records = open_records(Settings(data=practice.folder), clock_from(BEFORE))
    until_ns = clock_from(NOW).now_ns() + DAY_NS
    other = Person(id="clara", name="Clara", roles=frozenset({Role.WEARER}), wearer="w-clara")
    records.put_person(other)
    tina = practice.people["tina"].id
    records.put_grant("w-clara", tina, {"sitting"}, expires_ns=until_ns)
    records.close()
    test = enter()
    (pills,) = test.get("button_group")
    found = {o.content for o in pills.proto.options}
    assert found == {"calibration old (2)", "no data for 3 d (1)"}
    assert len(test.dataframe[0].value) == 2
    pills.set_value(["no_data"]).run()
    assert list(test.dataframe[0].value["Name"]) == ["Clara"]
    test.get("button_group")[0].set_value([]).run()
    assert len(test.dataframe[0].value) == 2


def test_the_clinic_has_pain_and_medical_flags(
    enter: Callable[..., AppTest], practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `clinic` the pain column appears where pain is shared, and stays a dash where not."""
    from dashboard import data

    monkeypatch.setenv("BACKSTAY_PROFILE", "clinic")
    table = enter().dataframe[0].value
    assert table.iloc[0]["Pain"] == "–"
    assert table.iloc[0]["Massages"] == "–"
    data.close()  # the clock of this test starts anew with every process
    now_ns = clock_from(NOW).now_ns()
    earlier = Clock(start_ns=now_ns - DAY_NS, origin_ns=time.time_ns())
    kept = open_records(Settings(data=practice.folder), earlier)
    kept.put_grant("w1", practice.people["tina"].id, SHARED_SCOPES, expires_ns=now_ns + DAY_NS)
    kept.close()
    row = enter().dataframe[0].value.iloc[0]
    assert row["Slumped"] != "–"
    assert row["Massages"] != "–"


def test_the_patient_page_says_the_numbers_of_the_report(enter: Callable[..., AppTest]) -> None:
    """Three sentences to copy, the table of the report, plan and notes; only what is shared."""
    from dashboard import data

    test = enter(page="patient", id="w1")
    assert not test.exception, [e.value for e in test.exception]
    said = text_of(test)
    src, tina = data.enter(_secret())
    report = data.report(src, tina, "w1")
    words = language("en")
    for sentence in sentences(report, words):
        assert sentence in said
    shown = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", table_of(test))[6:]
    assert [unescape(c) for c in shown] == [c for row in report.rows for c in row_text(row, words)]
    assert {r.metric for r in report.rows} >= {"sit_h", "w50_min", "tension"}
    assert not {r.metric for r in report.rows} & {"slouch_share", "shifts_per_h", "pain"}
    assert "posture: not shared." in said


def table_of(test: AppTest) -> str:
    """The report's table; "" where there is none."""
    found = [str(e.proto.body) for e in test.get("html")]
    return next((body for body in found if "report-rows" in body), "")


def _secret() -> str | None:
    from dashboard import who

    return who.secret()


@pytest.mark.parametrize("wearer", ["w2", "", "../w1"])
def test_another_id_opens_nothing(enter: Callable[..., AppTest], wearer: str) -> None:
    """An id in the address that is not shared shows a sentence and no data."""
    test = enter(page="patient", id=wearer)
    assert not test.exception
    assert not table_of(test)
    assert not test.get("vega_lite_chart")
    assert "Anna" not in text_of(test)


def test_revocation_acts_at_the_next_rerun(
    enter: Callable[..., AppTest], practice: Practice
) -> None:
    """The page is open; the wearer ends the sharing; the next touch shows nothing any more."""
    from dashboard import data

    test = enter(page="patient", id="w1")
    assert table_of(test)
    kept = data.writable(data.own_sources())
    for grant in kept.grants(wearer="w1"):
        kept.revoke(grant.id)
    test.run()
    assert not table_of(test)
    assert [e.value for e in test.error] == [
        "Nothing of this is shared with you, or the sharing has ended."
    ]
    assert not enter().dataframe


def test_a_session_that_ends_shows_the_door(enter: Callable[..., AppTest]) -> None:
    """After the sign-out of another tab the next touch shows no data and the way to sign in."""
    from dashboard import data

    test = enter("anna")
    assert [t.value for t in test.title] == ["Today"]
    data.sign_out(data.own_sources(), _secret())
    test.run()
    assert [t.value for t in test.title] == [language("en").t("practice.signed_out.title")]
    assert not test.get("vega_lite_chart")


def test_plan_visit_and_note_reach_the_wearer(enter: Callable[..., AppTest]) -> None:
    """What the therapist writes stands on the wearer's page *Training*, with who and when."""
    test = enter(page="patient", id="w1")
    test.slider(key="g_sessions").set_value(4)
    test.text_input(key="g_goal").set_value("Stairs without a rest")
    next(b for b in test.button if b.label == "Save the plan").click().run()
    assert not test.exception
    test.text_area(key="g_note").set_value("Hip hinge first.")
    next(b for b in test.button if b.label == "Save the note").click().run()
    visit = test.date_input(key="g_visit").value + timedelta(days=7)
    test.date_input(key="g_visit").set_value(visit)
    next(b for b in test.button if b.label == "Save the visit").click().run()
    assert not test.exception
    assert language("en").day(visit) in enter().dataframe[0].value.iloc[0]["Visit"]
    said = text_of(enter("anna", "training"))
    for words in ("Tina Therapie", "4 times a week", "Stairs without a rest", "Hip hinge first."):
        assert words in said


def test_the_operator_makes_and_closes_accounts_and_sees_no_data(
    enter: Callable[..., AppTest],
) -> None:
    """The desk shows names and roles, makes an account, closes it, gives a new password once."""
    from dashboard import data

    test = enter("anna", "people")
    assert not test.exception
    test.text_input(key="a_name").set_value("Ben Neu")
    test.text_input(key="a_password").set_value("ein neues wort hier")
    next(b for b in test.button if b.label == "Make the account").click().run()
    assert not test.exception
    src = data.own_sources()
    made = next(p for p in data.writable(src).people() if p.name == "Ben Neu")
    test.button(key=f"password_{made.id}").click().run()
    assert len(test.code) == 1
    test.run()
    assert not test.code, "a password is shown once"
    test.button(key=f"close_{made.id}").click().run()
    kept = data.writable(src).person(made.id)
    assert kept is not None
    assert not kept.active
    assert "w1" not in text_of(test), "no pseudonym on the operator's page"


@pytest.mark.parametrize(
    ("who_is", "page", "allowed"),
    [
        ("tina", "today", False),
        ("tina", "people", False),
        ("tina", "live", False),
        ("anna", "patients", False),
        ("anna", "people", True),
        ("tina", "patients", True),
    ],
)
def test_roles_decide_the_pages(
    enter: Callable[..., AppTest], who_is: str, page: str, allowed: bool
) -> None:
    """A therapist cannot run a wearer's page or the accounts; a wearer cannot run the list."""
    if not allowed:
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            enter(who_is, page)
        return
    titles = {"patients": "Patients", "people": "Accounts"}
    assert [t.value for t in enter(who_is, page).title] == [titles[page]]


@pytest.mark.parametrize("lang", ["de", "en"])
def test_the_week_in_at_most_five_lines(app: Callable[..., AppTest], lang: str) -> None:
    """Measured days, sitting beside the usual, longest sit, changes and training, one hint."""
    from dashboard import data, parts, weekly, who

    test = app("day30", lang, "trends")
    assert not test.exception
    v = parts.view_of(*who.enter())
    said = weekly.lines(v, weekly.summary(v))
    assert 2 <= len(said) <= 5
    for line in said:
        assert line in text_of(test)
        assert "–" not in line, "nothing is missing from a whole week"
    few = app("day3", lang, "trends")
    assert language(lang).t("practice.weekly.too_few") in text_of(few)
    data.close()
