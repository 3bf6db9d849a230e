# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the whole chain on people it was not fitted on, beside the published anchors.

    python -m bench.accuracy            all sets; writes docs/accuracy/ (tables, JSON, pictures)
    python -m bench.accuracy --short    a part, compared with docs/accuracy/baseline.json: CI

Everything goes through `tracker.chain.analyze`. Models are fitted without the person they are
tested on; scores are over 5 s epochs whose samples mostly carry a label, and `unknown` is wrong.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench import train_trunk
from bench.accuracy_folds import Folds, using
from bench.accuracy_report import write_report
from bench.accuracy_scores import Scored, confusion, macro, unknown_threshold
from bench.accuracy_simulated import days, stillness
from bench.recordings import Recording, epoch_truth, load, people, reference
from bench.train_models import CLASSES, slower
from tracker import chain
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Placement, Samples, State, Trunk
from tracker.signal import gait, trunk
from tracker.signal.calibrate import Axes, calibrate
from tracker.signal.decode import EXER, LIE, SIT, STAND, WALK

OUT = Path(__file__).resolve().parent.parent / "docs" / "accuracy"
NAMES = ("lying", "sitting", "standing", "walking", "exercise")
_CODE = np.full(len(State), -1)
for _state, _own in (
    (State.LYING, LIE),
    (State.SITTING, SIT),
    (State.SLOUCHING, SIT),
    (State.STANDING, STAND),
    (State.WALKING, WALK),
    (State.EXERCISE, EXER),
):
    _CODE[_state] = _own
Variant = Callable[[Samples], Samples]
L5_SHARES, L5_CLOSINGS = (0.15, 0.25, 0.35), (0.0, 0.1, 0.2)


def _setup(recording: Recording, samples: Samples, *, axes: bool = True) -> chain.Setup:
    parsed = Axes.parse(recording.axes) if axes and recording.axes else None
    return chain.Setup(
        placement=recording.placement,
        calibration=calibrate(samples, recording.placement, parsed),
    )


def _whole(recording: Recording, samples: Samples) -> Epochs:
    return chain.analyze(samples, _setup(recording, samples)).epochs


def _pieces(recording: Recording, samples: Samples) -> Epochs:
    """Each activity as a recording of its own: no context, often no walking."""
    edges = np.flatnonzero(np.diff(samples.t_ns) > 30 * SECOND_NS) + 1
    cuts = [0, *edges.tolist(), len(samples)]
    return Epochs.concat([_whole(recording, samples[a:b]) for a, b in pairwise(cuts)])


def postures(
    name: str,
    source: str,
    who: Sequence[str],
    model: Callable[[str, bool], AbstractContextManager[None]],
    *,
    classes: int,
    variant: Variant = lambda s: s,
    run: Callable[[Recording, Samples], Epochs] = _whole,
    labels: dict[int, int] | None = None,
) -> Scored:
    """Postures of a set, every person with the model that does not know them."""
    truth, answer, confidence = {}, {}, {}
    for person in who:
        recording = load(source, person)
        samples = variant(recording.samples)
        with model(person, samples.gyr_dps is not None):
            epochs = run(recording, samples)
        t = epoch_truth(recording, labels or CLASSES[source], epochs.start_ns)
        good = t >= 0
        truth[person] = t[good]
        answer[person] = _CODE[epochs.state[good]]
        confidence[person] = epochs.confidence[good].astype(np.float64)
    return Scored(
        name=name, classes=NAMES[:classes], truth=truth, answer=answer, confidence=confidence
    )


def sisfall(who: Sequence[str]) -> Scored:
    """The shipped waist model on another set altogether: trials of 12 to 100 s, other sensors."""
    return postures(
        "walking, stairs, jogging, waist (sisfall, another set)",
        "sisfall_waist",
        who,
        lambda _, __: nullcontext(),
        classes=5,
        labels={1: WALK, 2: WALK, 5: WALK, 3: EXER, 4: EXER},
    )


def no_gyro(samples: Samples) -> Samples:
    """Acceleration alone."""
    return replace(samples, gyr_dps=None)


def tag(samples: Samples) -> Samples:
    """A 20 Hz commodity tag: acceleration alone, 4 mg noise, gain 3 % off."""
    slow = slower(no_gyro(samples), 20.0, np.random.default_rng(3))
    return replace(slow, acc_g=slow.acc_g * np.float32(1.03))


def worn_down(samples: Samples) -> Samples:
    """A sensor nobody calibrated: axes 4-5 % off each its own way, zero points 40-50 mg off."""
    gain, off = np.array([1.05, 0.96, 1.04], np.float32), np.array([0.05, -0.04, 0.05], np.float32)
    return replace(no_gyro(samples), acc_g=samples.acc_g * gain + off)


def _turned(recording: Recording, samples: Samples) -> Epochs:
    """Stuck on in any direction, and nothing said about axes."""
    rng = np.random.default_rng(int.from_bytes(recording.person.encode(), "little") % 2**31)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    acc = np.ascontiguousarray(samples.acc_g @ turn.T.astype(np.float32))
    return chain.analyze(
        replace(samples, acc_g=acc, gyr_dps=None),
        _setup(recording, replace(samples, acc_g=acc, gyr_dps=None), axes=False),
    ).epochs


def walking_l5(who: Sequence[str]) -> tuple[Scored, Scored]:
    """Walking against standing at L5; the model was fitted on other people's chests.

    First with the two numbers of a walk's edge chosen on the other people, then as shipped.
    """
    shipped = (gait.STRIDE_SHARE, gait.CLOSING)
    found = {pair: _walking(who, *pair) for pair in [shipped, *product(L5_SHARES, L5_CLOSINGS)]}

    def others(pair: tuple[float, float], person: str) -> float:
        s = found[pair]
        return macro(sum(confusion(s.truth[p], s.answer[p], 2) for p in who if p != person))

    chosen = {p: max(found, key=lambda pair, p=p: others(pair, p)) for p in who}  # type: ignore[misc]
    plain = found[shipped]
    nested = replace(
        plain,
        answer={p: found[chosen[p]].answer[p] for p in who},
        confidence={p: found[chosen[p]].confidence[p] for p in who},
    )
    return nested, replace(plain, name=f"{plain.name}, as shipped")


def _walking(who: Sequence[str], stride_share: float, closing: float) -> Scored:
    truth, answer, confidence = {}, {}, {}
    for person in who:
        recording = load("gait_l5", person)
        with mock.patch.multiple(gait, STRIDE_SHARE=stride_share, CLOSING=closing):
            epochs = _whole(recording, recording.samples)
        t = epoch_truth(recording, {0: 0, 1: 1, 2: 1}, epochs.start_ns)
        truth[person] = t[t >= 0]
        answer[person] = (epochs.state[t >= 0] == State.WALKING).astype(np.int64)
        confidence[person] = epochs.confidence[t >= 0].astype(np.float64)
    return Scored(
        name="walking, L5 (gait_l5)",
        classes=("not walking", "walking"),
        truth=truth,
        answer=answer,
        confidence=confidence,
    )


def trunk_poses(who: Sequence[str]) -> tuple[Scored, Scored]:
    """Six trunk poses, and the slouch flag on upright and slouched trials; one pose known."""
    tables = train_trunk.tables()
    poses: list[dict[str, Any]] = [{}, {}, {}]
    flags: list[dict[str, Any]] = [{}, {}, {}]
    for person in who:
        model = train_trunk.train({p: t for p, t in tables.items() if p != person})
        recording = load("sit_postures", person)
        assert recording.axes is not None
        given = reference(recording)
        setup = chain.Setup(
            placement=Placement.UPPER_BACK,
            calibration=calibrate(
                recording.samples, recording.placement, Axes.parse(recording.axes), given
            ),
        )
        with mock.patch.object(trunk, "trunk_model", lambda model=model: model):
            epochs = chain.analyze(recording.samples, setup).epochs
        t = epoch_truth(
            recording, {k: int(v) - 1 for k, v in train_trunk.POSE_OF.items()}, epochs.start_ns
        )
        ((_, known_ns),) = next(iter(given.values()))
        # The trial that was given as the known pose is not scored.
        good = (t >= 0) & ~(
            (epochs.start_ns < known_ns) & (epochs.start_ns + EPOCH_NS > known_ns - 30 * SECOND_NS)
        )
        for store, values in zip(
            poses, (t, epochs.trunk.astype(np.int64) - 1, epochs.confidence), strict=True
        ):
            store[person] = values[good]
        pair = good & ((t == Trunk.UPRIGHT - 1) | (t == Trunk.SLUMPED - 1))
        flags[0][person] = (t[pair] == Trunk.SLUMPED - 1).astype(np.int64)
        flags[1][person] = epochs.slouch[pair].astype(np.int64)
        flags[2][person] = np.ones(int(pair.sum()))
    return (
        Scored(
            name="six trunk poses, T4 (sit_postures)",
            classes=("upright", "slumped", "forward", "back", "left", "right"),
            truth=poses[0],
            answer=poses[1],
            confidence=poses[2],
        ),
        Scored(
            name="slouch, T4 (sit_postures)",
            classes=("upright", "slouched"),
            truth=flags[0],
            answer=flags[1],
            confidence=flags[2],
        ),
    )


def events(who: Sequence[str], folds: Folds) -> dict[str, Any]:
    """Transitions of hapt_waist within 2 s of the movement; extra ones count where labelled."""
    out: dict[str, Any] = {}
    found = {}
    for person in who:
        recording = load("hapt_waist", person)
        with using(folds.without(person, gyro=True)):
            setup = _setup(recording, recording.samples)
            found[person] = recording, chain.analyze(recording.samples, setup).transitions
    for kind, code in (
        ("sit_to_stand", 8),
        ("stand_to_sit", 7),
        ("lie_to_sit", 10),
        ("sit_to_lie", 9),
    ):
        hit = missed = extra = 0
        late = []
        for recording, transitions in found.values():
            t = recording.samples.t_ns
            cuts = [0, *(np.flatnonzero(np.diff(recording.label)) + 1).tolist(), len(t)]
            spans = [
                (t[a] - 2 * SECOND_NS, t[b - 1] + 2 * SECOND_NS, int(recording.label[a]))
                for a, b in pairwise(cuts)
            ]
            ours = [x.at_ns for x in transitions if x.kind.value == kind]
            free = set(ours)
            for a, b, own in spans:
                if own != code:
                    continue
                match = [x for x in free if a <= x <= b]
                hit += bool(match)
                missed += not match
                if match:
                    free.discard(match[0])
                    late.append((match[0] - (a + b) / 2) / SECOND_NS)
            for x in free:
                label = recording.label[min(int(np.searchsorted(t, x)), len(t) - 1)]
                # Lying down from standing and getting up from lying pass through sitting.
                way = any(a <= x <= b and own in (11, 12) for a, b, own in spans)
                extra += bool(label > 0) and not way
        out[kind] = {
            "found": hit,
            "missed": missed,
            "extra": extra,
            "f1": round(2 * hit / max(1, 2 * hit + missed + extra), 4),
            "time_error_s_p90": round(float(np.percentile(np.abs(late), 90)), 2) if late else None,
        }
    return out


def measure(*, short: bool) -> dict[str, Any]:  # noqa: C901 - one list of measurements
    """All figures."""
    from bench.accuracy_anchors import ANCHORS

    def some(source: str, count: int) -> list[str]:
        everyone = people(source)
        return everyone[:count] if short else everyone

    def shipped(_: str, __: bool) -> AbstractContextManager[None]:
        return nullcontext()

    found: dict[str, Any] = {"scores": [], "anchors": ANCHORS}
    told: list[Scored] = []  # what a confidence is measured on

    def take(scored: Scored, *, confidence: bool = False) -> None:
        if confidence:
            told.append(scored)
        found["scores"].append(scored.figures())
        last = found["scores"][-1]
        print(f"{last['name']:48} {last['macro_f1']:.4f} {last['interval_95']}", flush=True)

    poses, slouch = trunk_poses(some("sit_postures", 8))
    take(slouch)
    take(poses)
    for walking in walking_l5(some("gait_l5", 10)):
        take(walking)
    waist = Folds("waist")

    def unseen_waist(person: str, gyro: bool) -> AbstractContextManager[None]:
        return using(waist.without(person, gyro=gyro))

    who = some("hapt_waist", 3)
    take(
        postures("postures, waist (hapt)", "hapt_waist", who, unseen_waist, classes=4),
        confidence=True,
    )
    found["transitions"] = events(who, waist)
    print(found["transitions"], flush=True)
    if not short:
        for name, variant in (
            ("acceleration alone", no_gyro),
            ("20 Hz tag", tag),
            ("uncalibrated", worn_down),
        ):
            take(
                postures(
                    f"postures, waist (hapt), {name}",
                    "hapt_waist",
                    who[:5],
                    unseen_waist,
                    classes=4,
                    variant=variant,
                )
            )
        take(sisfall(people("sisfall_waist")))
    off = "rules alone (BACKSTAY_HAPT_MODEL=off)"
    if not short:

        def rules(_: str, __: bool) -> AbstractContextManager[None]:
            return mock.patch("tracker.signal.posture.model_for", return_value=None)

        take(postures(f"postures, waist (hapt), {off}", "hapt_waist", who, rules, classes=4))
    chest = Folds("chest")

    def unseen_chest(person: str, gyro: bool) -> AbstractContextManager[None]:
        return using(chest.without(person, gyro=gyro))

    who = some("dsads_torso", 2)
    take(
        postures("postures, chest (dsads)", "dsads_torso", who, unseen_chest, classes=5),
        confidence=True,
    )
    if not short:
        for name, run, variant in (
            ("each activity alone", _pieces, lambda s: s),
            ("acceleration alone", _whole, no_gyro),
            ("20 Hz tag", _whole, tag),
            ("uncalibrated", _whole, worn_down),
            ("turned, no axes given", _turned, no_gyro),
        ):
            take(
                postures(
                    f"postures, chest (dsads), {name}",
                    "dsads_torso",
                    who,
                    unseen_chest,
                    classes=5,
                    variant=variant,
                    run=run,
                ),
                confidence=name in ("each activity alone", "acceleration alone"),
            )
        take(postures("postures, chest (dsads), rules alone", "dsads_torso", who, rules, classes=5))
    found["unknown_threshold"] = unknown_threshold(told)
    found["stillness"] = stillness(4.0 if short else 24.0)
    found["days"] = days(1 if short else 4, 2.0 if short else 8.0)
    print(found["unknown_threshold"], found["stillness"], found["days"], flush=True)
    return found


def compare(found: dict[str, Any], baseline: dict[str, Any]) -> list[str]:
    """Sentences for every figure that fell by more than its noise."""
    worse = []
    before = {s["name"]: s for s in baseline["scores"]}
    for score in found["scores"]:
        old = before.get(score["name"])
        if old is None:
            continue
        noise = max(0.01, (old["interval_95"][1] - old["interval_95"][0]) / 4)
        if score["macro_f1"] < old["macro_f1"] - noise:
            worse.append(
                f"{score['name']}: macro-F1 {score['macro_f1']} was {old['macro_f1']} "
                f"(noise {noise:.3f})"
            )
    if found["stillness"]["minutes_called_sitting"] > 0:
        worse.append("a sensor on a table was called sitting")
    return worse


def main() -> None:
    """Measure; write the report, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--accept", action="store_true", help="make the short run the baseline")
    options = parser.parse_args()
    found = measure(short=options.short)
    OUT.mkdir(parents=True, exist_ok=True)
    baseline = OUT / "baseline.json"
    if not options.short:
        (OUT / "accuracy.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        write_report(found, OUT)
        return
    if options.accept or not baseline.is_file():
        baseline.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return
    worse = compare(found, json.loads(baseline.read_text(encoding="utf-8")))
    for sentence in worse:
        print(sentence, file=sys.stderr)
    if worse:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
