# SPDX-License-Identifier: Apache-2.0
"""Shows the figures of the long day on its page: `python -m bench.soak_page`.

Reads `docs/operate/soak.json`, which `make soak` writes; a test compares the two.
"""

import json
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "operate" / "soak.json"
PAGE = FIGURES.with_suffix(".md")
BEGIN, END = "<!-- soak:begin -->\n", "<!-- soak:end -->"
SERIES = {
    "upper-back": "open profile, upper back",
    "waist": "Polar, waist",
    "chest": "phone, chest",
}


def shown(figures: dict[str, Any]) -> str:
    """The figures as the page shows them."""
    machine = ""
    if "processors" in figures:
        machine = f" on {figures['processors']} processors at load {figures['load']:g}"
    looks = figures["looks"]
    head = (
        f"{figures['hours']:g} hours at {figures['speed']:g} times real time{machine}: "
        f"{sum(figures['faults'].values())} faults, {looks['glances']:,} glances at the pages "
        f"({looks.get('exceptions', 0)} exceptions), {looks['phone batches']:,} batches of the "
        f"phone ({looks['phone batches refused']} refused for good)."
    )
    lines = [
        head,
        "",
        "| series | samples | epochs | holes | missing | reasons |",
        "|---|---|---|---|---|---|",
    ]
    for key, words in SERIES.items():
        row = figures[key]
        reasons = ", ".join(f"{k.replace('_', ' ')} {n}" for k, n in row["gap_reasons"].items())
        lines.append(
            f"| {words} | {row['samples']:,} | {row['epochs']:,} | {row['holes']} "
            f"| {row['missing_s']:g} s | {reasons} |"
        )
    lines += ["", "| memory | second quarter | last quarter |", "|---|---|---|"]
    for name in ("collector", "dashboard"):
        row = figures[f"{name}_mb"]
        lines.append(f"| {name} | {row['early']:.0f} MB | {row['late']:.0f} MB |")
    return "\n".join(lines) + "\n"


def with_figures(text: str) -> str:
    """The page with the figures between its marks."""
    head, rest = text.split(BEGIN)
    figures = json.loads(FIGURES.read_text("utf-8"))
    return head + BEGIN + shown(figures) + END + rest.split(END, 1)[1]


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(with_figures(PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
