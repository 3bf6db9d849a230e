# SPDX-License-Identifier: Apache-2.0
"""Small line drawings: the mast with its ropes, and one figure per exercise.

A figure is a few strokes on a 120 x 70 sheet; a pale stroke shows the other position. They show
what the exercise is, never how good somebody is at it.
"""

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


# (pale strokes, strokes, head x, head y): torso and limbs as SVG paths, floor at y = 62.
_FIGURES: dict[str, tuple[str, str, float, float]] = {
    "curl_up": ("M24 56L62 58", "M28 44L62 58L80 40L92 60M62 58L108 60", 22, 38),
    "sit_up": ("M24 58L62 58", "M44 24L62 58L82 38L94 60", 42, 16),
    "plank": ("", "M28 42L74 48L108 60M32 44L30 60L44 60", 20, 38),
    "side_plank": ("M36 58L106 60", "M34 36L70 48L108 60M38 38L36 60L50 60M44 36L46 18", 26, 30),
    "glute_bridge": ("M28 58L64 58L82 40L84 60", "M28 58L66 40L84 38L86 60", 18, 56),
    "bird_dog": ("M36 40L38 60M78 40L78 60", "M36 40L78 40L110 34M36 40L12 36M78 40L76 60", 28, 32),
    "dead_bug": ("M40 56L40 30M76 56L76 36", "M36 56L78 56L108 48M42 56L16 46M74 56L76 34", 28, 54),
    "back_extension": ("M30 58L108 60", "M28 46L64 58L108 58M34 48L52 56", 20, 40),
    "squat": ("M60 14L60 36L60 60", "M48 26L62 44L84 42L78 60M50 28L80 26", 44, 18),
    "cat_cow": ("M36 40Q57 52 78 40", "M36 40Q57 26 78 40M38 40L38 60M78 40L78 60", 27, 42),
    "hip_hinge": ("M60 14L60 38", "M34 30L62 38L60 60M36 32L34 48", 26, 26),
    "lateral_flexion": ("M60 16L60 38", "M76 18L60 38L52 60M60 38L68 60M74 20L84 42", 80, 10),
    "trunk_rotation": (
        "M48 24L72 24",
        "M60 20L60 42L52 60M60 42L70 60M60 24L84 18M60 24L40 32",
        60,
        12,
    ),
}


def exercise(name: str) -> str:
    """The figure of an exercise; an unknown one stands."""
    pale, ink, x, y = _FIGURES.get(name, ("", "M60 20L60 42L52 60M60 42L70 60M60 26L46 38", 60, 12))
    other = f'<path d={quoteattr(pale)} stroke="{_PALE}" stroke-width="4"/>' if pale else ""
    return _svg(
        f'<path d="M4 65H116" stroke="{_FLOOR}" stroke-width="2"/>{other}'
        f'<path d={quoteattr(ink)} stroke="{_INK}" stroke-width="4"/>'
        f'<circle cx="{x}" cy="{y}" r="6" fill="{_INK}" stroke="none"/>',
        120,
        70,
    )


_POSES = {
    "standing": ("M60 20L60 42L54 60M60 42L66 60M60 26L50 42M60 26L70 42", 60, 12),
    "walking": ("M60 20L58 42L46 60M58 42L74 58M60 26L48 40M60 26L74 36", 61, 12),
    "sitting_tall": ("M56 16L56 42L80 42L80 60M56 22L70 34M44 44L44 60M44 42L56 42", 56, 9),
    "sitting_slumped": (
        "M70 22Q48 24 54 42L80 42L80 60M64 24L76 36M44 44L44 60M44 42L54 42",
        76,
        17,
    ),
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
