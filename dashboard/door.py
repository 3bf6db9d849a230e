# SPDX-License-Identifier: Apache-2.0
"""The way out, and what is shown to a browser whose sign-in has ended."""

from html import escape

import streamlit as st

from dashboard import data, who
from dashboard.parts import View


def signed_out(v: View) -> None:
    """A page that outlived its sign-in: nothing of anybody, and the way back."""
    st.title(v.lang.t("practice.signed_out.title"), anchor=False)
    st.markdown(v.lang.t("practice.signed_out.lead"))
    words = escape(v.lang.t("practice.signed_out.link"))
    st.html(f'<p><a href="/auth/login" target="_self">{words}</a></p>')


def sign_out(v: View) -> None:
    """Who is signed in and the button that ends it; nothing where no account is needed."""
    person = data.signed_in(who.secret())
    if person is None:
        return
    with st.sidebar.container(key="sign_out"):
        st.caption(v.lang.t("practice.signed_in", name=person.name))
        st.button(v.lang.t("practice.sign_out"), key="sign_out_button", on_click=_end)


def _end() -> None:
    data.sign_out(data.own_sources(), who.secret())
    st.session_state.clear()
