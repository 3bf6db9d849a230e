# SPDX-License-Identifier: Apache-2.0
"""`backstay analyze`: a recording in, tables out; no store, no service."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tracker.chain import Results
    from tracker.model import Placement, Pose
    from tracker.signal.calibrate import Calibration

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("analyze", short_help="Analyse a recording into tables.")
@click.argument("recording", type=_FILE)
@click.option(
    "--placement",
    required=True,
    metavar="PLACE",
    help="upper-back, lower-back, chest, waist (or unknown).",
)
@click.option(
    "--axes",
    metavar="x=up,y=left,z=back",
    help="Body direction each sensor axis points to: up, down, left, right, forward, back.",
)
@click.option(
    "--pose",
    "poses",
    multiple=True,
    metavar="NAME=START:END",
    help="A known pose, in seconds of t_s: standing, walking, sitting_tall, "
    "sitting_slumped, lying, bend. May be given several times.",
)
@click.option(
    "--calibration",
    "calibration_file",
    type=_FILE,
    help="A calibration as the service stored it (JSON) instead of --axes and --pose: the result "
    "is then what the live service stored.",
)
@click.option("--second", type=_FILE, help="Recording of a second sensor worn at the same time.")
@click.option("--second-placement", metavar="PLACE", help="Where the second sensor sits.")
@click.option("--second-axes", metavar="AXES", help="Axes of the second sensor.")
@click.option("--epochs", "epochs_out", type=_FILE, help="Epoch table (.csv or .parquet).")
@click.option("--sets", "sets_out", type=_FILE, help="Exercise sets (.csv or .parquet).")
@click.option(
    "--transitions", "transitions_out", type=_FILE, help="Posture transitions (.csv or .parquet)."
)
@click.option("--summary", "summary_out", type=_FILE, help="Minutes, bouts and metrics (.json).")
def command(
    recording: Path,
    placement: str,
    axes: str | None,
    poses: tuple[str, ...],
    calibration_file: Path | None,
    second: Path | None,
    second_placement: str | None,
    second_axes: str | None,
    epochs_out: Path | None,
    sets_out: Path | None,
    transitions_out: Path | None,
    summary_out: Path | None,
) -> None:
    """Analyse RECORDING (CSV, .csv.gz or Parquet) and write the tables that are asked for.

    Columns: t_s, acc_x_g, acc_y_g, acc_z_g and optionally gyr_x_dps, gyr_y_dps, gyr_z_dps.
    Without an output option the summary is printed. What the wearer should know (a slipped sensor,
    axes that contradict gravity) is said on standard error and stands in the summary.
    """
    from tracker.errors import UsageError
    from tracker.tables_io import check_target

    place = _placement(placement)
    spans = _poses(poses)
    for path in (epochs_out, sets_out, transitions_out):
        if path is not None:
            check_target(path)
    if summary_out is not None:
        check_target(summary_out, (".json",))
    if (second is None) != (second_placement is None):
        raise UsageError("--second and --second-placement belong together: give both or neither")
    other = None
    if second is not None and second_placement is not None:
        other = (second, _placement(second_placement), second_axes)
    if calibration_file is not None and (axes or poses):
        raise UsageError("--calibration replaces --axes and --pose: give one or the other")
    results, span = _run(recording, place, axes, spans, other, calibration_file)
    _write(results, span, epochs_out, sets_out, transitions_out, summary_out)
    for sentence in results.warnings:
        click.echo(f"note: {sentence}", err=True)


def _placement(name: str) -> "Placement":
    from tracker.errors import UsageError
    from tracker.model import Placement

    try:
        return Placement(name)
    except ValueError as error:
        known = ", ".join(p.value for p in Placement)
        raise UsageError(f"unknown placement {name!r}; known are {known}") from error


def _poses(texts: tuple[str, ...]) -> "dict[Pose, list[tuple[int, int]]]":
    from tracker.errors import UsageError
    from tracker.model import SECOND_NS, Pose

    found: dict[Pose, list[tuple[int, int]]] = {}
    for text in texts:
        name, _, span = text.partition("=")
        start, _, end = span.partition(":")
        try:
            pose = Pose(name)
        except ValueError as error:
            known = ", ".join(p.value for p in Pose)
            raise UsageError(f"--pose {text}: unknown pose {name!r}; known are {known}") from error
        try:
            start_s, end_s = float(start), float(end)
        except ValueError as error:
            raise UsageError(
                f"--pose {text}: write NAME=START:END in seconds, for example {name}=10:20"
            ) from error
        if not start_s < end_s < float("inf"):
            raise UsageError(f"--pose {text}: the start must lie before the end")
        found.setdefault(pose, []).append((round(start_s * SECOND_NS), round(end_s * SECOND_NS)))
    return found


def _run(
    recording: Path,
    placement: "Placement",
    axes: str | None,
    poses: "dict[Pose, list[tuple[int, int]]]",
    other: "tuple[Path, Placement, str | None] | None",
    calibration_file: Path | None,
) -> "tuple[Results, tuple[int, int]]":
    from tracker.batch import Source, analyze_recording, analyze_two
    from tracker.settings import read_settings
    from tracker.signal.calibrate import Axes

    parsed = Axes.parse(axes) if axes else None
    parsed_second = Axes.parse(other[2]) if other and other[2] else None
    waist_model = read_settings().hapt_model != "off"
    first = Source(
        path=recording,
        placement=placement,
        axes=parsed,
        poses=poses,
        calibration=None if calibration_file is None else _stored(calibration_file),
    )
    if other is None:
        done = analyze_recording(first, research_models=waist_model)
    else:
        second = Source(
            path=other[0],
            placement=other[1],
            axes=parsed_second,
            poses=poses,
            must_hold_poses=False,
        )
        done = analyze_two(first, second, research_models=waist_model)
    return done.results, done.span_ns


def _stored(path: Path) -> "Calibration":
    from tracker.errors import InputError
    from tracker.signal.calibrate import Calibration

    try:
        return Calibration.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a calibration of this program ({error})") from error


def _write(
    results: "Results",
    span: tuple[int, int],
    epochs_out: Path | None,
    sets_out: Path | None,
    transitions_out: Path | None,
    summary_out: Path | None,
) -> None:
    from tracker.tables_io import epoch_table, set_table, transition_table, write_all

    files: dict[Path, Any] = {}
    if epochs_out is not None:
        files[epochs_out] = epoch_table(results.epochs)
    if sets_out is not None:
        files[sets_out] = set_table(results.sets)
    if transitions_out is not None:
        files[transitions_out] = transition_table(results.transitions)
    if summary_out is not None or not files:
        import json

        from tracker.trends.day import summary_json

        summary = summary_json(
            results.epochs, results.transitions, results.sets, start_ns=span[0], end_ns=span[1]
        )
        summary["warnings"] = list(results.warnings)
        if summary_out is None:
            click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
        else:
            files[summary_out] = summary
    write_all(files)
