# SPDX-License-Identifier: Apache-2.0
"""*Accounts*: the operator's desk. Names and roles, never health data."""

import streamlit as st

from dashboard import data, parts
from tracker.diary import Role
from tracker.errors import BackstayError
from tracker.report.i18n import LANGUAGES


def _t(v: parts.View, key: str, **values: object) -> str:
    return v.lang.t(f"practice.{key}", **values)


def _say(v: parts.View, error: BackstayError) -> None:
    st.session_state["notice"] = ("error", parts.sentence(v, error))


def _set_open(v: parts.View, src: data.Sources, person: str, is_open: bool) -> None:
    try:
        (data.open_account if is_open else data.close_account)(src, v.viewer, person)
    except BackstayError as error:
        _say(v, error)


def _recover(v: parts.View, src: data.Sources, account: data.Account) -> None:
    try:
        password = data.new_password(src, v.viewer, account.id)
    except BackstayError as error:
        _say(v, error)
    else:
        st.session_state["shown_once"] = (account.name, password)


def _list(v: parts.View, src: data.Sources) -> None:
    accounts = data.people(src, v.viewer)
    if not any(a.password for a in accounts):
        st.markdown(_t(v, "people.none"))
    for account in accounts:
        if not account.name:
            continue  # the single user before anybody had an account
        roles = ", ".join(_t(v, f"role.{r}") for r in account.roles)
        notes = [] if account.active else [_t(v, "people.closed")]
        notes += [] if account.password else [_t(v, "people.no_password")]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            parts.number(roles, account.name, "; ".join(notes))
            key = "close" if account.active else "open"
            if account.id != v.viewer.id:
                st.button(
                    _t(v, f"people.{key}"),
                    key=f"{key}_{account.id}",
                    on_click=_set_open,
                    args=(v, src, account.id, not account.active),
                )
                if account.password and account.active:
                    st.button(
                        _t(v, "people.new_password"),
                        key=f"password_{account.id}",
                        on_click=_recover,
                        args=(v, src, account),
                    )


def _add(v: parts.View, src: data.Sources) -> None:
    st.header(_t(v, "people.add_title"), anchor=False)
    with st.form("add_account", border=False):
        name = st.text_input(_t(v, "people.name"), max_chars=80, key="a_name", autocomplete="off")
        password = st.text_input(
            _t(v, "people.password"), type="password", key="a_password", autocomplete="new-password"
        )
        roles = st.pills(
            _t(v, "people.roles"),
            list(Role),
            selection_mode="multi",
            default=[Role.WEARER],
            format_func=lambda r: _t(v, f"role.{r}"),
            key="a_roles",
        )
        language = st.segmented_control(
            _t(v, "people.language"),
            LANGUAGES,
            default=v.lang.code,
            required=True,
            format_func=lambda code: {"de": "Deutsch", "en": "English"}[code],
            key="a_language",
        )
        if not st.form_submit_button(_t(v, "people.add")):
            return
    try:
        made = data.add_account(
            src, v.viewer, name, password, roles, language=str(language), zone=str(v.zone)
        )
    except BackstayError as error:
        st.error(parts.sentence(v, error))
    else:
        st.session_state["account_added"] = made.name
        st.rerun()


def _own(v: parts.View, src: data.Sources) -> None:
    st.header(_t(v, "people.own_title"), anchor=False)
    with st.form("own_password", border=False, clear_on_submit=True):
        old = st.text_input(
            _t(v, "people.old"), type="password", key="o_old", autocomplete="current-password"
        )
        new = st.text_input(
            _t(v, "people.new"), type="password", key="o_new", autocomplete="new-password"
        )
        if not st.form_submit_button(_t(v, "people.change")):
            return
    try:
        data.change_password(src, v.viewer, old, new)
    except BackstayError as error:
        st.error(parts.sentence(v, error))
    else:
        st.rerun()  # every sign-in has ended, this one too


def show() -> None:
    """The page."""
    v = parts.view()
    src = data.own_sources()
    parts.notice(v)
    st.title(_t(v, "people.title"), anchor=False)
    st.markdown(_t(v, "people.lead"))
    if name := st.session_state.pop("account_added", ""):
        st.success(_t(v, "people.added", name=name))
    if once := st.session_state.pop("shown_once", None):
        st.success(_t(v, "people.shown_once", name=once[0]))
        st.code(once[1], language=None)
    _list(v, src)
    _add(v, src)
    if any(a.id == v.viewer.id and a.password for a in data.people(src, v.viewer)):
        _own(v, src)


show()
