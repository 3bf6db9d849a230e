# SPDX-License-Identifier: Apache-2.0
"""What every exported column is: the README that lies in an export."""

from datetime import datetime

from tracker.model import GapReason, State, TransitionKind, Trunk

EPOCHS = {
    "utc": "start of the 5 s epoch, UTC, ISO 8601",
    "start_s": "the same as seconds since 1970-01-01 UTC",
    "state": f"what the epoch is: {', '.join(s.label for s in State)}",
    "confidence": "how sure the state is, 0 to 1",
    "trunk": f"pose of the trunk: {', '.join(t.label for t in Trunk)}",
    "slouch": "1 where the trunk is slumped in this epoch alone",
    "tilt_deg": "forward lean of the trunk in degrees, forward positive",
    "side_deg": "sideways lean in degrees, right positive",
    "slump_pct": "percent of the way from your own tall to your own slumped sitting",
    "move_mg": "movement in thousandths of g",
    "exercise": "core exercise, empty where none",
    "worn": "1 where the sensor was worn",
    "valid": "share of the epoch that has samples, 0 to 1",
    "algo": "program, version and parameters that made the rows of that week",
}
TRANSITIONS = {
    "at_s": "middle of the movement, seconds since 1970-01-01 UTC",
    "kind": ", ".join(k.value for k in TransitionKind),
    "confidence": "how sure it is, 0 to 1",
}
SETS = {
    "start_s": "start, seconds since 1970-01-01 UTC",
    "end_s": "end",
    "exercise": "which exercise",
    "reps": "repetitions, 0 for a hold",
    "hold_s": "seconds held, 0 for repetitions",
    "confidence": "high, medium or low",
    "source": "sensor, or user where a person confirmed or corrected it",
}
GAPS = {
    "start_s": "start, seconds since 1970-01-01 UTC",
    "end_s": "end",
    "reason": f"why there are no samples: {', '.join(r.value for r in GapReason)}",
}
RAW = {
    "t_s": "time of the sample, seconds since 1970-01-01 UTC",
    "acc_x_g, acc_y_g, acc_z_g": "acceleration along the sensor's own axes in g, as measured",
    "gyr_x_dps, gyr_y_dps, gyr_z_dps": "rotation in degrees per second, where the sensor has it",
}
DAYS = {
    "day": "your local day",
    "tz_offset_s": "offset of local time from UTC at midnight, seconds",
    "STATE_s": "seconds in each state",
    "all others": "metrics of the day; the unit ends the name; empty means: cannot be told",
}
RECORDS = {
    "person": "your account, without the password",
    "entries": "your diary with every earlier version (`replaced_ns`: when it was replaced)",
    "grants, invitations": "who you let see what, from when until when",
    "sign_ins": "when and with what you signed in",
    "audit": "who looked at what, and whether it was allowed",
    "settings, sensors, calibrations": "what you set, your sensors, your reference poses",
}


def readme(wearer: str, made: datetime) -> str:
    """The README of an export."""
    intro = (
        f"Made {made:%Y-%m-%d %H:%M} UTC. One folder per place of the sensor; each table as CSV "
        "and, where the\nprogram is installed for it, as Parquet. Times ending in `_ns` are "
        "nanoseconds since 1970-01-01 UTC.\nAn empty field means: not known.\n"
    )
    parts = [f"# Everything that Backstay stores about {wearer}\n", intro]
    for name, columns in (
        ("PLACE/epochs", EPOCHS),
        ("PLACE/transitions", TRANSITIONS),
        ("PLACE/sets", SETS),
        ("PLACE/gaps", GAPS),
        ("PLACE/days", DAYS),
        ("PLACE/raw/DAY", RAW),
        ("records.json", RECORDS),
    ):
        rows = "\n".join(f"| {c} | {text} |" for c, text in columns.items())
        parts.append(f"## {name}\n\n| column | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(parts)
