# SPDX-License-Identifier: Apache-2.0
"""Tables and pictures of the accuracy bench."""

from pathlib import Path
from typing import Any

CALIBRATIONS = {
    "guided": "with both poses of the guided calibration (sitting tall and relaxed)",
    "tall_alone": "with the tall pose alone (10 degrees are less than 60 % of many a span)",
}


def write_report(found: dict[str, Any], folder: Path) -> None:
    """docs/accuracy/README.md, reliability.svg, risk_coverage.svg."""
    lines = [
        "# Accuracy on people not fitted on",
        "",
        "Written by `make bench-accuracy`; do not edit. Epochs of 5 s; `unknown` counts as wrong.",
        "Every person is judged by models fitted without them, through the `analyze` of users.",
        "",
        "| task | people | accuracy | macro-F1 | 95 % | median / worst person | ECE | beside |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for s in found["scores"]:
        low, high = s["interval_95"]
        lines.append(
            f"| {s['name']} | {s['people']} | {s['accuracy']:.3f} | **{s['macro_f1']:.3f}** "
            f"| {low:.3f}-{high:.3f} | {s['median_person']:.3f} / {s['worst_person']:.3f} "
            f"| {_ece(s)} | {found['anchors'].get(s['name'], '')} |"
        )
    lines += ["", "## Transitions (hapt_waist, within 2 s)", ""]
    lines += [
        "| kind | found | missed | extra | F1 | time error p90 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {k} | {v['found']} | {v['missed']} | {v['extra']} | {v['f1']:.3f} "
        f"| {v['time_error_s_p90']} s |"
        for k, v in found["transitions"].items()
    ]
    still, days = found["stillness"], found["days"]
    lines += [
        "",
        "## Not worn, and simulated days",
        "",
        (
            f"- {still['hours']} h of simulated sensors on a table: "
            f"{still['minutes_called_sitting']} min called sitting; "
            f"{100 * still['share_not_worn']:.1f} % called not worn."
        ),
        f"- {days['hours']} h of simulated desk days at the upper back, no poses given: recall "
        + ", ".join(f"{k} {v}" for k, v in days["recall"].items())
        + ".",
        *(_prompts(days, key, what) for key, what in CALIBRATIONS.items()),
        "",
        "## When to say unknown",
        "",
        _unknown(found["unknown_threshold"]),
        "",
        "## Confusion (rows truth, last column unknown or another state)",
    ]
    for s in found["scores"]:
        head = [*s["classes"], "other"]
        lines += ["", f"### {s['name']}", "", "| | " + " | ".join(head) + " |"]
        lines.append("|---" * (len(head) + 1) + "|")
        for name, row in zip(s["classes"], s["confusion"], strict=True):
            lines.append(f"| {name} | " + " | ".join(str(x) for x in row) + " |")
        lines.append("")
        lines.append(
            "F1: "
            + ", ".join(f"{k} {v:.3f}" for k, v in s["f1"].items())
            + ". Error in minutes per 24 h: "
            + ", ".join(f"{k} {v:+.1f}" for k, v in s["minutes_per_day_error"].items())
            + "."
        )
    lines += [
        "",
        "![Reliability](reliability.svg)",
        "",
        "![Risk and coverage](risk_coverage.svg)",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    chosen = [
        s
        for s in found["scores"]
        if s["name"] in ("postures, waist (hapt)", "postures, chest (dsads)")
    ]
    _plot(
        folder / "reliability.svg",
        "Reliability: share right against confidence",
        [(s["name"], [(b[0], b[1]) for b in s["reliability"]]) for s in chosen],
        diagonal=True,
    )
    _plot(
        folder / "risk_coverage.svg",
        "Share wrong (x 10) against share answered",
        [(s["name"], [(b[1], 10 * b[2]) for b in s["risk_coverage"]]) for s in chosen],
        diagonal=False,
    )


def _unknown(earned: dict[str, Any]) -> str:
    """What the risk-coverage curves allow."""
    sets = earned["each_set_left_out"]
    without = ", ".join(f"{v:g} without {k}" for k, v in sets.items())
    start = "`unknown` counts as wrong, so it is worth saying only where most answers are wrong. "
    end = " Why the chain says it below one in three: [recognition](../recognition.md)."
    if not any((earned["all_sets"], *sets.values())):
        return (
            f"{start}No confidence was found below which that is so, with or without any set.{end}"
        )
    return f"{start}That is so below {earned['all_sets']:g} ({without}).{end}"


def _ece(score: dict[str, Any]) -> str:
    """Confidence is that of the state; trunk and slouch flags carry none."""
    return "-" if "T4" in score["name"] else f"{score['ece']:.3f}"


_COLOURS = ("#0072b2", "#d55e00", "#009e73")


def _plot(
    path: Path, title: str, lines: list[tuple[str, list[tuple[float, float]]]], *, diagonal: bool
) -> None:
    size, edge = 320, 40
    span = size - 2 * edge

    def at(x: float, y: float) -> str:
        return f"{edge + x * span:.1f},{size - edge - min(max(y, 0.0), 1.0) * span:.1f}"

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size + 40}" '
            'font-family="sans-serif" font-size="11">'
        ),
        f'<rect width="{size}" height="{size + 40}" fill="white"/>',
        f'<text x="{edge}" y="20">{title}</text>',
        f'<polyline points="{at(0, 1)} {at(0, 0)} {at(1, 0)}" fill="none" stroke="#444"/>',
    ]
    if diagonal:
        parts.append(
            f'<polyline points="{at(0, 0)} {at(1, 1)}" stroke="#bbb" stroke-dasharray="4"/>'
        )
    for tick in (0.0, 0.5, 1.0):
        x, _ = at(tick, 0).split(",")
        _, y = at(0, tick).split(",")
        parts.append(f'<text x="{x}" y="{size - edge + 14}" text-anchor="middle">{tick}</text>')
        parts.append(f'<text x="{edge - 6}" y="{y}" text-anchor="end">{tick}</text>')
    for i, (name, points) in enumerate(lines):
        colour = _COLOURS[i % len(_COLOURS)]
        joined = " ".join(at(x, y) for x, y in points)
        parts.append(
            f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>'
            for cx, cy in (at(x, y).split(",") for x, y in points)
        ]
        parts.append(f'<text x="{edge}" y="{size + 4 + 14 * i}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _prompts(days: dict[str, Any], key: str, what: str) -> str:
    told, false = days[key], days["false_prompts_per_8_h"][key]
    return (
        f"- The same days {what}: {told['sitting']} prompts about sitting "
        f"({told['false_sitting']} false), {told['slouch']} about slouching "
        f"({told['false_slouch']} false): {false} false ones in 8 h. Of {told['events']} slouches "
        f"of a minute and more {told['false_events']} were false. False: for most of the time the "
        "wearer did something else."
    )
