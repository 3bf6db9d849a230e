# SPDX-License-Identifier: Apache-2.0
"""Diary in and out: one JSON file with everything, or a CSV table; what comes in is checked.

The CSV leaves out the sets of a session; the JSON file is the whole diary.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.advice import diary_rows
from tracker.advice.diary_rules import Problem
from tracker.diary import Evening, Kind, Massage, Training
from tracker.errors import BackstayError

FORMAT = "backstay-diary-1"
LARGEST_FILE = 20_000_000  # bytes; ten years of diary are a tenth of it
_TYPES: dict[str, Any] = {"evening": Evening, "massage": Massage, "training": Training}
_KINDS = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING)
_NEEDED = {"evening": "day", "massage": "at_ns", "training": "at_ns"}
Told = Evening | Massage | Training


def draw(v: View) -> None:
    """The tab: download, and a file to read."""
    st.markdown(v.lang.t("diary.out"))
    name = f"backstay-diary-{v.today}"
    with st.container(horizontal=True):
        st.download_button(
            v.lang.t("diary.as_json"), diary_json(v), f"{name}.json", "application/json"
        )
        st.download_button(v.lang.t("diary.as_csv"), diary_csv(v), f"{name}.csv", "text/csv")
    given = st.file_uploader(v.t("diary.import"), type=["json", "csv"], key="import_file")
    if given is not None and st.button(v.t("diary.import_now")):
        try:
            n = read_file(v, given.name, given.getvalue())
        except BackstayError as error:
            st.error(sentence(v, error))
        else:
            st.success(v.t("diary.imported", n=n))


def diary_json(v: View) -> str:
    """Every current entry of the wearer."""
    entries = data.entries(v.sources, v.viewer, v.wearer, _KINDS)
    rows = [{"kind": str(e.kind), "day": e.day, "at_ns": e.at_ns, **e.body} for e in entries]
    return json.dumps({"format": FORMAT, "entries": rows}, ensure_ascii=False, indent=1)


def diary_csv(v: View) -> str:
    """Every current entry as one row; an empty cell is "not answered"."""
    out = io.StringIO()
    writer = csv.DictWriter(out, diary_rows.COLUMNS)
    writer.writeheader()
    args = (v.sources, v.viewer, v.wearer)
    told: list[Told] = [*data.evenings(*args), *data.massages(*args), *data.trainings(*args)]
    for one in told:
        writer.writerow(diary_rows.row_of(one))
    return out.getvalue()


def read_file(v: View, name: str, content: bytes) -> int:
    """Keep the entries of a file; the number kept. Refused as a whole when one is bad."""
    if len(content) > LARGEST_FILE:
        raise _refusal("file_large", n=LARGEST_FILE // 1_000_000)
    try:
        text = content.decode("utf-8-sig")
        if name.lower().endswith(".csv"):
            return read_csv(v, text)
        given = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, csv.Error, RecursionError):
        raise _refusal("not_readable", name=name) from None
    return read_diary(v, given)


def read_csv(v: View, text: str) -> int:
    """The same for a table with the columns of `diary_rows.COLUMNS`; comma or semicolon."""
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    told: list[Told] = []
    for number, row in enumerate(rows, 1):
        if None in row:
            raise data.Refused([Problem(field="row", key="diary.problem.cells")], row=number)
        made = diary_rows.record_of(row)
        if isinstance(made, Problem):
            raise data.Refused([made], row=number)
        told.append(made)
    return _keep(v, told)


def read_diary(v: View, given: object) -> int:
    """Keep the entries of an exported file; the number kept. Refused as a whole when one is bad.

    An entry that is there already (same kind, same time) is passed over.
    """
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise _refusal("no_diary_file", format=FORMAT)
    rows = given.get("entries")
    if not isinstance(rows, list):
        raise _refusal("no_diary_file", format=FORMAT)
    return _keep(v, [_read(number, row) for number, row in enumerate(rows, 1)])


def _keep(v: View, told: list[Told]) -> int:
    known = {
        (str(e.kind), e.day if e.kind is Kind.EVENING else e.at_ns)
        for e in data.entries(v.sources, v.viewer, v.wearer, _KINDS)
    }
    fresh = [(n, t) for n, t in enumerate(told, 1) if _key(t) not in known]
    data.import_entries(
        v.sources, v.viewer, v.wearer, [t for _, t in fresh], v.zone, rows=[n for n, _ in fresh]
    )
    return len(fresh)


def _key(told: Told) -> tuple[str, object]:
    if isinstance(told, Evening):
        return "evening", str(told.day)
    at_ns: object = told.at_ns
    moment = at_ns if isinstance(at_ns, int) else str(at_ns)
    return ("massage" if isinstance(told, Massage) else "training"), moment


def _read(number: int, row: object) -> Told:
    kind = row.get("kind") if isinstance(row, Mapping) else None
    if not isinstance(row, Mapping) or not isinstance(kind, str) or kind not in _TYPES:
        problem = Problem(field="kind", key="diary.problem.kind", values={"value": str(kind)[:40]})
        raise data.Refused([problem], row=number)
    made = _TYPES[kind]
    known = {f.name for f in fields(made)}
    values = {k: x for k, x in row.items() if k in known}
    if isinstance(values.get("sets"), list):
        values["sets"] = tuple(
            tuple(one) if isinstance(one, list) else one for one in values["sets"]
        )
    for name in (_NEEDED[kind], *(() if kind == "evening" else ("minutes",))):
        if name not in values:
            missing = Problem(field=name, key="diary.problem.missing", values={"name": name})
            raise data.Refused([missing], row=number)
    return made(**values)  # type: ignore[no-any-return]  # one of the three above


def _refusal(key: str, **values: object) -> data.Refused:
    return data.Refused([Problem(field="file", key=f"diary.problem.{key}", values=values)])
