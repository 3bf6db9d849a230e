# SPDX-License-Identifier: Apache-2.0
"""The address of a registered phone as text and QR code: our own page, or the app for a whole day.

Sensor Logger takes its whole configuration by a link that only the app itself can write, so the
second code opens a page of ours on the phone that shows the settings with a button to copy each.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.parts import View


def show(v: View, made: Mapping[str, Any]) -> None:
    """Both ways; the key in them is told once."""
    url = str(made.get("url") or made.get("address") or "")
    st.success(v.t("sensor.phone_open"))
    if not url:
        st.code(str(made), language=None)
        return
    if v.sources.settings.lan != "on":
        st.warning(v.t("sensor.phone_lan"))
    if made.get("sha256"):
        st.caption(v.t("sensor.phone_print", print=str(made["sha256"])[:29]))
    page, app = st.columns(2)
    with page:
        st.markdown(f"**{v.lang.t('logger.with_page')}**")
        _code(url, v.t("sensor.phone_qr"))
    with app:
        st.markdown(f"**{v.lang.t('logger.with_app')}**")
        _code(url.replace("/phone#", "/phone/sensor-logger#"), v.lang.t("logger.qr"))


def _code(url: str, alt: str) -> None:
    st.code(url, language=None, wrap_lines=True)
    try:
        import segno
    except ImportError:
        return
    svg = segno.make(url, error="m").svg_inline(scale=5, dark="#16262b", light="#ffffff", border=2)
    st.image(svg, width=220, alt=alt)
