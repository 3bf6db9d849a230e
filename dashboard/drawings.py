# SPDX-License-Identifier: Apache-2.0
"""Small line drawings: the mast with its ropes, calibration poses, and the exercises' figures."""

from functools import cache
from importlib import resources
from xml.sax.saxutils import quoteattr

_INK, _PALE, _FLOOR = "#1f8a97", "#a9cdd2", "#8fa0a5"


def _svg(body: str, width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'fill="none" stroke-linecap="round" stroke-linejoin="round">{body}</svg>'
    )


def mast() -> str:
    """The mast: ropes on all sides, two tight and two slack."""
    tight = f'stroke="{_INK}" stroke-width="3"'
    slack = f'stroke="{_PALE}" stroke-width="3" stroke-dasharray="1 7"'
    return _svg(
        f'<path d="M100 14V170" stroke="#7a4a00" stroke-width="7"/>'
        f'<path d="M20 172Q100 200 180 172" stroke="{_FLOOR}" stroke-width="6"/>'
        f'<path d="M100 20L28 168" {tight}/><path d="M100 60L52 170" {tight}/>'
        f'<path d="M100 20Q158 76 172 168" {slack}/><path d="M100 60Q140 110 148 170" {slack}/>',
        200,
        200,
    )


@cache
def exercise(name: str) -> str:
    """The figure of an exercise; an unknown one is the general figure."""
    folder = resources.files("tracker.report") / "drawings"
    file = folder / f"{name}.svg"
    text = (file if file.is_file() else folder / "other.svg").read_text(encoding="utf-8")
    return text[text.index("<svg") :]  # Streamlit knows an SVG by its first letters


_POSES = {
    "standing": ("M60 20L60 42L54 60M60 42L66 60M60 26L50 42M60 26L70 42", 60, 12),
    "walking": ("M60 20L58 42L46 60M58 42L74 58M60 26L48 40M60 26L74 36", 61, 12),
    "sitting_tall": ("M56 16L56 42L80 42L80 60M56 22L70 34M44 44L44 60M44 42L56 42", 56, 9),
    "sitting_slumped": (
        "M70 22Q48 24 54 42L80 42L80 60M64 24L76 36M44 44L44 60M44 42L54 42",
        76,
        17,
    ),
    "bend": ("M88 30Q74 24 58 34L56 46L52 62M58 34L64 62M80 28L84 46", 94, 33),
    "lying": ("M30 56L78 56L108 58", 20, 54),
}


def pose(name: str) -> str:
    """The figure of a calibration pose."""
    ink, x, y = _POSES[name]
    return _svg(
        f'<path d="M4 65H116" stroke="{_FLOOR}" stroke-width="2"/>'
        f'<path d={quoteattr(ink)} stroke="{_INK}" stroke-width="4"/>'
        f'<circle cx="{x}" cy="{y}" r="6" fill="{_INK}" stroke="none"/>',
        120,
        70,
    )
