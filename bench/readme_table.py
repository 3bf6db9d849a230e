# SPDX-License-Identifier: Apache-2.0
"""Puts the measured figures into README.md: `python -m bench.readme_table`.

Reads `docs/accuracy/accuracy.json` and `exercises.json`, which the benches write; a test compares.
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- accuracy:begin -->\n", "<!-- accuracy:end -->"
# (name in the bench, words for a reader)
ROWS = (
    ("slouch, T4 (sit_postures)", "slouching or upright, upper back, one upright pose known"),
    ("six trunk poses, T4 (sit_postures)", "six trunk poses, upper back, one upright pose known"),
    ("postures, waist (hapt)", "sitting, standing, lying, walking, waist"),
    ("postures, chest (dsads)", "sitting, standing, lying, walking, exercise, chest"),
    ("walking, L5 (gait_l5)", "walking or not, lower back, very short walks"),
)


def table() -> str:
    """The table as Markdown."""
    measured = json.loads((ROOT / "docs/accuracy/accuracy.json").read_text("utf-8"))
    scores = {s["name"]: s for s in measured["scores"]}
    lines = [
        "| what | macro-F1 | worst person | beside |",
        "|---|---|---|---|",
    ]
    for name, words in ROWS:
        score = scores[name]
        lines.append(
            f"| {words} | {score['macro_f1']:.3f} | {score['worst_person']:.2f} "
            f"| {measured['anchors'].get(name, '')} |"
        )
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """README with the table between its marks."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text("utf-8")), encoding="utf-8")
    print(table())
