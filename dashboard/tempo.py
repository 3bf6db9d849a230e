# SPDX-License-Identifier: Apache-2.0
"""The big clock of a guided set: cue, seconds left, count, beep or voice.

A component of this page: the browser counts on smoothly and sounds in time, which a rerun once a
second could not. It loads nothing and asks nobody.
"""

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import streamlit.components.v2 as components

from dashboard.parts import View
from tracker.exercises.guided_screen import Screen, is_hold
from tracker.exercises.guided_state import COUNT_IN_S, Guided
from tracker.model import SECOND_NS

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

SOUNDS = ("beep", "voice", "off")
CUES = ("count_in", "hold", "rest", "ready", "over")
_HTML = (
    '<div class="tempo"><div role="status"><span class="cue"></span></div>'
    '<div class="left" aria-hidden="true"></div><div class="bar" aria-hidden="true"><i></i></div>'
    '<div class="count"></div><div class="by"></div></div>'
)
_CSS = """
.tempo { font-family: var(--st-font); color: var(--st-text-color); padding: .25rem 0 .5rem; }
.cue { font-size: 1.9rem; font-weight: 650; line-height: 1.2; }
.left { font-size: 3.2rem; font-weight: 650; line-height: 1.1; min-height: 3.5rem;
  font-variant-numeric: tabular-nums; }
.bar { height: .6rem; border-radius: .3rem; overflow: hidden;
  background: color-mix(in srgb, var(--st-text-color) 14%, transparent); }
.bar i { display: block; height: 100%; width: 0; background: var(--st-primary-color); }
.count { font-size: 1.5rem; font-weight: 600; margin-top: .6rem; min-height: 1.8rem; }
.by { font-size: .95rem; opacity: .85; min-height: 1.3rem; }
"""


@cache
def _component() -> "ComponentRenderer":
    shared = resources.files("tracker.collect") / "page" / "tempo.js"
    own = resources.files("dashboard") / "tempo.js"
    script = shared.read_text(encoding="utf-8") + own.read_text(encoding="utf-8")
    return components.component("backstay_tempo", html=_HTML, css=_CSS, js=script)


def draw(v: View, state: Guided, shown: Screen, now_ns: int, sound: str) -> None:
    """The clock as of now; call it once a second with what is known then."""
    target, tempo = shown.target, state.tempo
    hold = is_hold(state)
    count_text = by_text = ""
    if shown.phase == "work" and target is not None:
        if hold:
            whole = round(target.hold_s * target.reps)
            count_text = v.lang.t("exercise.session.held", seconds=int(shown.hold_s), of=whole)
        else:
            count_text = v.lang.t("exercise.session.counted", n=shown.count, of=target.reps)
        by_text = v.lang.t(f"exercise.{'source_hold' if hold else 'source'}.{shown.source}")
    words = {cue: v.lang.t(f"exercise.cue.{cue}") for cue in CUES}
    words["up"] = v.lang.t(f"exercise.out.{shown.exercise}")
    words["down"] = v.lang.t(f"exercise.back.{shown.exercise}")
    _component()(
        key="tempo",
        data={
            "id": f"{state.since_ns}-{shown.phase}",
            "phase": shown.phase,
            "passed_s": max(0.0, (now_ns - state.since_ns) / SECOND_NS),
            "count_in_s": COUNT_IN_S,
            "up_s": tempo.up_s,
            "hold_s": target.hold_s if target else 0.0,
            "down_s": tempo.down_s,
            "rest_s": tempo.rest_side_s if state.side == "right" else tempo.rest_s,
            "count": int(shown.hold_s) if hold else shown.count,
            "by": shown.source,
            "count_text": count_text,
            "by_text": by_text,
            "words": words,
            "sound": sound,
            "lang": v.lang.code,
        },
    )
