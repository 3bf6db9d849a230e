# SPDX-License-Identifier: Apache-2.0
"""The entry script of the dashboard: who looks, in which language, and which pages there are."""

from pathlib import Path

import streamlit as st

from dashboard import door, parts, prompting, who
from dashboard.pages import pages_for
from tracker.errors import BackstayError

HERE = Path(__file__).resolve().parent


def main() -> None:
    """One rerun."""
    st.set_page_config(
        page_title="Backstay",
        page_icon=str(HERE / "static" / "icon.png"),
        layout="centered",
        initial_sidebar_state="auto",
    )
    sources, viewer = who.enter()
    v = parts.view_of(sources, viewer)
    # The page is served as English; a screen reader needs to know the language it reads.
    st.html(
        "<script>document.documentElement.lang='de'</script>"
        if v.lang.code == "de"
        else "<script>document.documentElement.lang='en'</script>",
        unsafe_allow_javascript=True,
    )
    st.logo(str(HERE / "static" / "logo.svg"), size="large")
    if not who.is_in(viewer):
        door.signed_out(v)
        return
    door.sign_out(v)
    prompting.watch(v)
    try:
        st.navigation(pages_for(v), position="sidebar", expanded=True).run()
    except BackstayError as error:  # a store that cannot be read, an access that has ended
        st.error(parts.sentence(v, error))


main()
