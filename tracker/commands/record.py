# SPDX-License-Identifier: Apache-2.0
"""`backstay record`: labelled recordings of exercises, from a live sensor or from a file.

There is no public recording of planks, bridges or bird-dogs from the back; this makes one, with
consent and without a name. The format is described in
`docs/contribute-a-recording.md`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tracker.model import Exercise, Placement, Samples
    from tracker.report.i18n import Language
    from tracker.settings import Settings

FORMAT = "backstay-labelled-recording"
VERSION = 1
EDGE_S = 5  # unlabelled movement that is kept on both sides of a live set
WAIT_S = 20  # the collector writes every few seconds


@click.command("record", short_help="Make a labelled recording of an exercise.")
@click.option("--label", required=True, metavar="EXERCISE", help="squat, plank, glute_bridge, ...")
@click.option("--reps", type=click.IntRange(0, 500), default=0, help="Repetitions in the set.")
@click.option("--hold", "hold_s", type=click.FloatRange(0, 3600), default=0.0, help="Seconds held.")
@click.option("--side", type=click.Choice(["left", "right"]), help="Side of a side plank.")
@click.option("--placement", required=True, metavar="PLACE", help="upper-back, lower-back, ...")
@click.option("--axes", metavar="x=up,y=left,z=back", help="Where the sensor axes point.")
@click.option(
    "--from-file",
    "source",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Label this recording instead of a live sensor.",
)
@click.option("--span", metavar="START:END", help="Seconds of t_s that hold the set.")
@click.option("--wearer", default="me", show_default=True, help="Whose running sensor to record.")
@click.option("--person", default="", metavar="CODE", help="Your own code, so sets of one person "
              "stay together. No name.")  # fmt: skip
@click.option("--lang", type=click.Choice(["de", "en"]), help="Language of the consent.")
@click.option("--yes", is_flag=True, help="The person has read and given the consent.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Recording to write (.csv); label and consent go beside it (.json).",
)
def command(
    label: str,
    reps: int,
    hold_s: float,
    side: str | None,
    placement: str,
    axes: str | None,
    source: Path | None,
    span: str | None,
    wearer: str,
    person: str,
    lang: str | None,
    yes: bool,
    out: Path,
) -> None:
    """Write OUT (.csv) and OUT with .json: the motion, the label and the consent.

    Without --from-file the running collector's sensor is recorded: Enter begins, Enter ends.
    """
    from tracker.errors import UsageError
    from tracker.report.i18n import language
    from tracker.settings import read_settings
    from tracker.signal.calibrate import Axes
    from tracker.tables_io import check_target

    exercise, place = _exercise(label), _place(placement)
    if not reps and not hold_s:
        raise UsageError("give --reps or --hold: a label without either teaches nothing")
    if axes:
        Axes.parse(axes)
    check_target(out, (".csv",))
    settings = read_settings()
    words = language(lang or settings.language or "en")
    if source is None:
        _consent(words, yes)
        samples, marked = _live(settings, wearer, place, words)
    else:
        samples, marked = _file(source, span)
        _consent(words, yes)
    body = {
        "format": FORMAT,
        "version": VERSION,
        "exercise": exercise.label,
        "reps": reps,
        "hold_s": hold_s,
        "side": side,
        "placement": place.value,
        "axes": axes,
        "person": person,
        "source": "file" if source else "live",
    }
    _write(out, samples, marked, body, words)


def _exercise(name: str) -> "Exercise":
    from tracker.errors import UsageError
    from tracker.model import Exercise

    known = [e.label for e in Exercise if e is not Exercise.NONE]
    if name not in known:
        raise UsageError(f"--label {name}: unknown exercise; known are {', '.join(known)}")
    return Exercise[name.upper()]


def _place(name: str) -> "Placement":
    from tracker.errors import UsageError
    from tracker.model import Placement

    try:
        return Placement(name)
    except ValueError as error:
        known = ", ".join(p.value for p in Placement)
        raise UsageError(f"unknown placement {name!r}; known are {known}") from error


def _consent(words: "Language", yes: bool) -> None:
    """Without a yes nothing is recorded and nothing is written."""
    click.echo(words.t("exercise.record.consent"))
    if not yes:
        click.confirm(words.t("exercise.record.ask"), abort=True)


def _file(path: Path, span: str | None) -> "tuple[Samples, tuple[int, int]]":
    from tracker.errors import InputError, UsageError
    from tracker.model import SECOND_NS
    from tracker.recording import read_recording

    samples = read_recording(path)
    first, last = int(samples.t_ns[0]), int(samples.t_ns[-1]) + 1
    if span is None:
        return samples, (first, last)
    start, _, end = span.partition(":")
    try:
        marked = round(float(start) * SECOND_NS), round(float(end) * SECOND_NS)
    except ValueError as error:
        raise UsageError(f"--span {span}: write START:END in seconds, for example 12:48") from error
    if not first <= marked[0] < marked[1] <= last:
        raise InputError(
            f"--span {span}: {path} runs from {first / SECOND_NS:g} to {last / SECOND_NS:g} s, and "
            "the start must lie before the end"
        )
    return samples, marked


def _live(
    settings: "Settings", wearer: str, place: "Placement", words: "Language"
) -> "tuple[Samples, tuple[int, int]]":
    from tracker.clock import SYSTEM_CLOCK
    from tracker.collect.control import ControlClient

    ControlClient(settings.data).call("ping")
    click.prompt(words.t("exercise.record.get_ready"), default="", show_default=False)
    begin_ns = SYSTEM_CLOCK.now_ns()
    click.prompt("...", default="", show_default=False)
    marked = (begin_ns, SYSTEM_CLOCK.now_ns())
    return stored(settings, wearer, place, marked), marked


def stored(
    settings: "Settings", wearer: str, place: "Placement", marked: tuple[int, int]
) -> "Samples":
    """The raw samples of a marked span with its edges, once the collector has written them."""
    import time

    from tracker.errors import SensorError
    from tracker.model import SECOND_NS
    from tracker.store.sqlite import open_reader

    edge_ns = EDGE_S * SECOND_NS
    store = open_reader(settings)
    try:
        for _ in range(WAIT_S):
            samples = store.raw(wearer, place, marked[0] - edge_ns, marked[1] + edge_ns)
            if len(samples) and samples.t_ns[-1] >= marked[1]:
                break
            time.sleep(1)
    finally:
        store.close()
    inside = (samples.t_ns >= marked[0]) & (samples.t_ns < marked[1])
    if inside.sum() < 2:
        raise SensorError(
            f"no samples of {wearer} at {place.value} arrived during the set: look at the live "
            "page whether the sensor streams, and give --wearer and --placement as shown there"
        )
    return samples


def _write(
    out: Path,
    samples: "Samples",
    marked: tuple[int, int],
    body: dict[str, Any],
    words: "Language",
) -> None:
    """Both files or none. Times count from the first sample: the motion bears no time of day."""
    import hashlib
    from importlib.metadata import version

    import numpy as np

    from tracker.clock import SYSTEM_CLOCK
    from tracker.model import MICROSECOND_NS, SECOND_NS
    from tracker.recording import ACC, GYR, TIME
    from tracker.tables_io import write_all
    from tracker.units import from_ns

    t_us = (samples.t_ns - samples.t_ns[0]) // MICROSECOND_NS
    inside = (samples.t_ns >= marked[0]) & (samples.t_ns < marked[1])
    table: dict[str, list[str]] = {TIME: [f"{t // 10**6}.{t % 10**6:06d}" for t in t_us.tolist()]}
    parts = [(ACC, samples.acc_g)]
    if samples.gyr_dps is not None:
        parts.append((GYR, samples.gyr_dps))
    for names, values in parts:
        for i, name in enumerate(names):
            table[name] = [f"{v:.9g}" for v in values[:, i].tolist()]
    table["exercise"] = np.where(inside, body["exercise"], "").tolist()
    seconds = float(t_us[-1]) / 1e6
    rate_hz = round(1e6 / float(np.median(np.diff(t_us))), 2)
    text = words.t("exercise.record.consent")
    content = {
        **body,
        "fs_hz": rate_hz,
        "samples": len(samples),
        "start_s": round(float(marked[0] - samples.t_ns[0]) / SECOND_NS, 3),
        "end_s": round(float(marked[1] - samples.t_ns[0]) / SECOND_NS, 3),
        "consent": {
            "text": text,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "language": words.code,
            "given_on": from_ns(SYSTEM_CLOCK.now_ns()).date().isoformat(),
        },
        "made_with": f"backstay {version('backstay')}",
    }
    write_all({out: table, out.with_suffix(".json"): content})
    click.echo(words.t("exercise.record.saved", path=str(out), seconds=seconds, rate=rate_hz))
