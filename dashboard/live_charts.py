# SPDX-License-Identifier: Apache-2.0
"""The two moving pictures of the Live page, as ECharts options (plain data, no Streamlit).

ECharts on this page alone: it animates from one value to the next, which a lean needs to be read
at a glance. Every other page draws with Altair.
"""

import math
from collections.abc import Sequence
from typing import Any

from tracker.report.i18n import Language

LOW_DEG, HIGH_DEG = -30, 90
_RING = "#1f8a97"


def gauge(tilt_deg: float, lang: Language) -> dict[str, Any]:
    """A half ring from leaning back to bent forward; one colour, because no lean is a fault.

    tilt_deg  degrees, forward positive; NaN draws an empty ring and a dash.
    """
    known = not math.isnan(tilt_deg)
    shown = round(min(max(tilt_deg, LOW_DEG), HIGH_DEG)) if known else LOW_DEG
    return {
        "aria": {"enabled": False},
        "animationDuration": 600,
        "animationDurationUpdate": 600,
        "series": [
            {
                "type": "gauge",
                "startAngle": 200,
                "endAngle": -20,
                "min": LOW_DEG,
                "max": HIGH_DEG,
                "splitNumber": 4,
                "center": ["50%", "62%"],
                "radius": "92%",
                "progress": {"show": known, "width": 14, "itemStyle": {"color": _RING}},
                "pointer": {"show": known, "width": 5, "length": "62%"},
                "itemStyle": {"color": _RING},
                "axisLine": {"lineStyle": {"width": 14}},
                "axisTick": {"show": False},
                "splitLine": {"length": 10, "lineStyle": {"width": 2}},
                "axisLabel": {"distance": 22, "fontSize": 12},
                "detail": {
                    "valueAnimation": known,
                    "fontSize": 30,
                    "offsetCenter": [0, "38%"],
                    "formatter": "{value}°" if known else "–",
                },
                "title": {"offsetCenter": [0, "68%"], "fontSize": 14},
                "data": [{"value": shown, "name": lang.t("pages.live.tilt")}],
            }
        ],
    }


def trace(tilt_deg: Sequence[float], lang: Language) -> dict[str, Any]:
    """The last minute at 1 Hz, newest at the right; a gap stays a gap.

    tilt_deg  degrees, forward positive, NaN where missing.
    """
    n = len(tilt_deg)
    points = [
        [index - n + 1, None if math.isnan(value) else round(value, 1)]
        for index, value in enumerate(tilt_deg)
    ]
    return {
        "aria": {"enabled": False},
        "animation": False,
        "title": {
            "text": lang.t("pages.live.minute"),
            "left": "center",
            "textStyle": {"fontSize": 14, "fontWeight": "normal"},
        },
        "grid": {"left": 46, "right": 16, "top": 40, "bottom": 34},
        "xAxis": {
            "type": "value",
            "min": -60,
            "max": 0,
            "interval": 20,
            "axisLabel": {"formatter": "{value} s"},
        },
        "yAxis": {
            "type": "value",
            "min": LOW_DEG,
            "max": HIGH_DEG,
            "interval": 30,
            "axisLabel": {"formatter": "{value}°"},
        },
        "series": [
            {
                "type": "line",
                "showSymbol": False,
                "connectNulls": False,
                "lineStyle": {"width": 2, "color": _RING},
                "data": points,
            }
        ],
    }
