# SPDX-License-Identifier: Apache-2.0
"""What InfluxDB gets: line protocol with explicit types, every field in every line.

InfluxDB unites the fields of points with equal tags and time: a field that is not sent keeps its
old value. So nothing is left out. A number that is not known is sent as `UNKNOWN` (-32768, outside
every range), and a row that a re-analysis removed is sent once more with `state = -1` (epochs) or
`present = 0`. Tags hold identity only; state is a field, so that a corrected epoch overwrites.
`docs/data-formats.md` lists every field.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from tracker.model import (
    EPOCH_COLUMNS,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    Placement,
    State,
    Transition,
    TransitionKind,
)
from tracker.store.base import DayRow, HourRow
from tracker.store.codec import (
    NONE,
    STEPS_PER_UNIT,
    VALUE_COLUMNS,
    epoch_integers,
    split_values,
)
from tracker.trends.summary import DaySummary

UNKNOWN = NONE
REMOVED = -1
_NOT_METRICS = ("start_ns", "end_ns", "seconds", "half_hours", "tilt_hist_s", "bout_hist_min")
METRICS = tuple(f.name for f in fields(DaySummary) if f.name not in _NOT_METRICS)


def tags(measurement: str, wearer: str, placement: Placement, **more: str) -> str:
    """Measurement and tags in the order that InfluxDB sorts fastest (by name)."""
    every = {"wearer": wearer, "placement": str(placement)} | more
    return ",".join([measurement, *(f"{k}={_tag(every[k])}" for k in sorted(every))])


def epoch_lines(wearer: str, placement: Placement, epochs: Epochs) -> Iterator[str]:
    """One line per epoch, precision seconds."""
    head = tags("epoch", wearer, placement)
    columns = epoch_integers(epochs)
    algo = _text(epochs.algo)
    texts = [
        [_scaled(c, v) for v in columns[c].tolist()]
        if c in STEPS_PER_UNIT
        else [f"{c}={v}i" for v in columns[c].tolist()]
        for c in VALUE_COLUMNS
    ]
    for start_s, *values in zip(columns["start_s"].tolist(), *texts, strict=True):
        yield f"{head} {','.join(values)},algo={algo} {start_s}"


def removed_epoch_line(wearer: str, placement: Placement, t_ns: int) -> str:
    """An epoch that is no more."""
    values = [
        f"{c}={float(UNKNOWN)}" if c in STEPS_PER_UNIT else f"{c}={REMOVED if c == 'state' else 0}i"
        for c in EPOCH_COLUMNS[1:]
    ]
    return f'{tags("epoch", wearer, placement)} {",".join(values)},algo="" {t_ns // SECOND_NS}'


def transition_line(wearer: str, placement: Placement, item: Transition, present: int = 1) -> str:
    """One transition, precision nanoseconds."""
    head = tags("transition", wearer, placement, kind=str(item.kind))
    return f"{head} confidence={float(item.confidence)!r},present={present}i {item.at_ns}"


def set_line(wearer: str, placement: Placement, item: ExerciseSet, present: int = 1) -> str:
    """One exercise set, precision nanoseconds."""
    head = tags("exercise_set", wearer, placement)
    return (
        f"{head} end_ns={item.end_ns}i,exercise={int(item.exercise)}i,reps={item.reps}i,"
        f"hold_s={float(item.hold_s)!r},confidence={_text(item.confidence)},"
        f"source={_text(item.source)},present={present}i {item.start_ns}"
    )


def gap_line(wearer: str, placement: Placement, item: Gap) -> str:
    """One gap, precision nanoseconds."""
    head = tags("gap", wearer, placement, reason=str(item.reason))
    return f"{head} end_ns={item.end_ns}i,present=1i {item.start_ns}"


def removed_event_line(
    measurement: str, wearer: str, placement: Placement, t_ns: int, tag: str
) -> str:
    """A transition (`tag` is its kind) or a set that is no more."""
    if measurement == "transition":
        item = Transition(at_ns=t_ns, kind=TransitionKind(tag), confidence=0.0)
        return transition_line(wearer, placement, item, present=0)
    nothing = ExerciseSet(
        start_ns=t_ns, end_ns=t_ns, exercise=Exercise.NONE, reps=0, hold_s=0.0, confidence="",
        source="",
    )  # fmt: skip
    return set_line(wearer, placement, nothing, present=0)


def hour_line(wearer: str, placement: Placement, row: HourRow) -> str:
    """One hour rollup, precision seconds."""
    return f"{tags('hour', wearer, placement)} {_seconds(row.seconds)} {row.start_ns // SECOND_NS}"


def day_line(row: DayRow) -> str:
    """One day rollup, precision seconds.

    `metrics` and `detail` hold every value as JSON, the plain fields the single numbers again.
    """
    metrics, detail = split_values(row.values)
    plain = ",".join(f"{m}={float(row.values.get(m, UNKNOWN))!r}" for m in METRICS)
    return (
        f"{tags('day', row.wearer, row.placement)} {_seconds(row.seconds)},{plain},"
        f"metrics={_text(metrics)},detail={_text(detail)},day={_text(row.day)},"
        f"tz_offset_s={row.tz_offset_s}i,present=1i {row.start_ns // SECOND_NS}"
    )


def removed_day_line(wearer: str, placement: Placement, day: str, start_ns: int) -> str:
    """A day that has no epochs any more."""
    empty = DayRow(wearer=wearer, placement=placement, day=day, start_ns=start_ns, tz_offset_s=0)
    return day_line(empty).replace("present=1i", "present=0i")


def _seconds(seconds: dict[str, int]) -> str:
    return ",".join(f"s_{s.label}={seconds.get(s.label, 0)}i" for s in State)


def _scaled(column: str, value: int) -> str:
    number = float(UNKNOWN) if value == NONE else value / STEPS_PER_UNIT[column]
    return f"{column}={number!r}"


def _tag(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def chunks(lines: Sequence[str], size: int) -> Iterator[list[str]]:
    """Lists of at most `size` lines."""
    for i in range(0, len(lines), size):
        yield list(lines[i : i + size])
