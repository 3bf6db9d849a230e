# SPDX-License-Identifier: Apache-2.0
"""Sharing by code, who looked when, export and erasure: the wearer's own rights."""

import streamlit as st

from dashboard import data, transfer
from dashboard.parts import View, sentence
from tracker.access import ASK_FOR, DEFAULT_SCOPES, MAX_GRANT_DAYS, SHARED_SCOPES
from tracker.errors import BackstayError
from tracker.units import from_ns


def sharing(v: View) -> None:
    """Invite, end, and see who looked."""
    st.markdown(v.t("sharing.lead"))
    with st.form("share", border=False):
        scopes = st.pills(
            v.t("sharing.what"),
            sorted(SHARED_SCOPES),
            selection_mode="multi",
            default=sorted(DEFAULT_SCOPES),
            format_func=lambda s: v.t(f"sharing.scope.{s}"),
            key="share_scopes",
        )
        days = st.slider(v.t("sharing.days"), 1, MAX_GRANT_DAYS, 90, key="share_days")
        sure = st.checkbox(v.t("sharing.sure"), key="share_sure")
        if st.form_submit_button(v.t("sharing.invite")):
            try:
                code = data.invite(v.sources, v.viewer, v.wearer, scopes, days=days, confirmed=sure)
            except BackstayError as error:
                st.error(sentence(v, error))
            else:
                st.success(v.t("sharing.code"))
                st.code(code, language=None)
    if set(scopes) & ASK_FOR:
        st.caption(v.t("sharing.sensitive"))
    _as_file(v)
    _holders(v)
    _looks(v)


def _as_file(v: View) -> None:
    """An encrypted file for a therapist elsewhere: the same choices, nothing sensitive chosen."""

    def t(key: str) -> str:
        return v.lang.t(f"practice.file.{key}")

    with st.expander(t("give_title")):
        st.markdown(t("give_lead"))
        with st.form("give_file", border=False):
            scopes = st.pills(
                v.t("sharing.what"),
                sorted(SHARED_SCOPES),
                selection_mode="multi",
                default=sorted(DEFAULT_SCOPES),
                format_func=lambda s: v.t(f"sharing.scope.{s}"),
                key="file_scopes",
            )
            days = st.slider(v.t("sharing.days"), 1, MAX_GRANT_DAYS, 30, key="file_days")
            sure = st.checkbox(v.t("sharing.sure"), key="file_sure")
            asked = st.form_submit_button(t("give"))
        if not asked:
            return
        try:
            made = data.make_share(v.sources, v.viewer, v.wearer, scopes, days=days, confirmed=sure)
        except BackstayError as error:
            st.error(sentence(v, error))
            return
        st.success(t("given"))
        st.code(made.code, language=None)
        name = f"backstay-{v.today}.share"
        st.download_button(t("save"), made.data, name, key="file_save", on_click="ignore")


def _holders(v: View) -> None:
    st.markdown(f"**{v.t('sharing.who')}**")
    held = data.grants(v.sources, v.viewer, v.wearer)
    if not held:
        st.markdown(v.t("sharing.nobody"))
    for grant in held:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                v.t(
                    "sharing.grant",
                    name=data.name_of(v.sources, grant.viewer),
                    scopes=", ".join(v.t(f"sharing.scope.{s}") for s in sorted(grant.scopes)),
                    until=v.lang.day(from_ns(grant.expires_ns, v.zone).date()),
                ),
                width="stretch",
            )
            st.button(v.t("sharing.end"), key=f"end_{grant.id}", on_click=_end, args=(v, grant.id))


def _end(v: View, grant_id: int) -> None:
    try:
        data.revoke(v.sources, v.viewer, v.wearer, grant_id)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))


def _looks(v: View) -> None:
    lines = data.who_looked(v.sources, v.viewer, v.wearer)
    with st.expander(v.t("sharing.looked", n=len(lines))):
        for line in lines[:50]:
            at = from_ns(line.at_ns, v.zone)
            key = "sharing.look" if line.allowed else "sharing.denied"
            st.markdown(
                v.t(
                    key,
                    day=v.lang.day(at.date()),
                    time=v.lang.clock(at),
                    name=data.name_of(v.sources, line.viewer),
                    scope=_words(v, line.scope),
                )
            )


def _words(v: View, scopes: str) -> str:
    """Scopes of a line of the audit; one look may be about several."""
    names = [v.t(f"sharing.scope.{s}") for s in scopes.split(",") if s in SHARED_SCOPES]
    return ", ".join(names) or v.t("sharing.looked_at_all")


def export_and_erase(v: View) -> None:
    """Everything out as files; everything away after a typed word."""
    st.markdown(v.t("rights.export_lead"))
    st.download_button(
        v.lang.t("diary.as_json"),
        transfer.diary_json(v),
        f"backstay-diary-{v.today}.json",
        "application/json",
        key="rights_export",
    )
    st.caption(v.t("rights.export_all"))
    st.code("backstay export", language=None)
    st.divider()
    st.markdown(v.t("rights.erase_lead"))
    word = v.t("rights.erase_word")
    typed = st.text_input(v.t("rights.erase_type", word=word), key="erase_word")
    if st.button(v.t("rights.erase"), disabled=typed.strip().upper() != word):
        try:
            n = data.erase_diary(v.sources, v.viewer, v.wearer)
        except BackstayError as error:
            st.error(sentence(v, error))
        else:
            st.success(v.t("rights.erased", n=n))
    st.caption(v.t("rights.erase_series"))
    st.code("backstay erase", language=None)
