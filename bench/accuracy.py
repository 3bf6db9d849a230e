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
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench import train_trunk
from bench.accuracy_folds import Folds, using
from bench.accuracy_report import write_report
from bench.recordings import Recording, epoch_truth, load, people, reference
from bench.train_models import CLASSES, slower
from tracker import chain
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Placement, Samples, State, Trunk
from tracker.signal import trunk
from tracker.signal.calibrate import Axes, calibrate
from tracker.signal.decode import EXER, LIE, SIT, STAND, WALK
from tracker.simulation.days import workday
from tracker.simulation.sensor import Sensor, random_sensor

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Truth, answer and confidence per epoch of each person."""

    name: str
    classes: tuple[str, ...]
    truth: dict[str, NDArray[np.int64]]
    answer: dict[str, NDArray[np.int64]]
    confidence: dict[str, NDArray[np.float64]]

    def figures(self) -> dict[str, Any]:
        """Pooled and per person figures with a bootstrap interval over people."""
        who = sorted(self.truth)
        k = len(self.classes)
        matrices = {p: confusion(self.truth[p], self.answer[p], k) for p in who}
        total = sum(matrices.values(), np.zeros((k, k + 1), int))
        own = [macro(matrices[p]) for p in who]
        rng = np.random.default_rng(0)
        draws = [
            macro(sum((matrices[who[i]] for i in rng.integers(0, len(who), len(who))), 0 * total))
            for _ in range(500)
        ]
        t = np.concatenate([self.truth[p] for p in who])
        a = np.concatenate([self.answer[p] for p in who])
        c = np.concatenate([self.confidence[p] for p in who])
        day = total.sum() * EPOCH_NS / SECOND_NS / 86_400
        return {
            "name": self.name,
            "people": len(who),
            "epochs": int(total.sum()),
            "classes": list(self.classes),
            "accuracy": round(float((t == a).mean()), 4),
            "macro_f1": round(macro(total), 4),
            "interval_95": [round(float(np.percentile(draws, q)), 4) for q in (2.5, 97.5)],
            "f1": dict(zip(self.classes, np.round(f1(total), 4).tolist(), strict=True)),
            "median_person": round(float(np.median(own)), 4),
            "worst_person": round(float(min(own)), 4),
            "unknown_share": round(float((a < 0).mean()), 4),
            "ece": round(calibration_error(t == a, c), 4),
            "reliability": reliability(t == a, c),
            "risk_coverage": risk_coverage(t == a, c),
            "confusion": total.tolist(),
            "minutes_per_day_error": {
                name: round(float((total[:, i].sum() - total[i].sum()) * 5 / 60 / day), 1)
                for i, name in enumerate(self.classes)
            },
        }


def confusion(t: NDArray[np.int64], a: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Rows truth, columns answer; the last column is unknown or something else."""
    out = np.zeros((k, k + 1), np.int64)
    np.add.at(out, (t, np.where((a < 0) | (a >= k), k, a)), 1)
    return out


def f1(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 per class of a confusion matrix."""
    k = matrix.shape[0]
    hit = np.diag(matrix[:, :k]).astype(np.float64)
    both = matrix.sum(axis=1) + matrix[:, :k].sum(axis=0)
    return np.asarray(2 * hit / np.maximum(both, 1))


def macro(matrix: Any) -> float:
    """Mean F1 of the classes that occur."""
    there = matrix.sum(axis=1) > 0
    return float(f1(matrix)[there].mean())


def calibration_error(right: NDArray[np.bool_], c: NDArray[np.float64]) -> float:
    """Expected calibration error over ten equal bins."""
    return float(sum(abs(b[1] - b[0]) * b[2] for b in reliability(right, c)))


def reliability(right: NDArray[np.bool_], c: NDArray[np.float64]) -> list[list[float]]:
    """Per bin: mean confidence, share right, share of epochs."""
    bins = np.minimum((c * 10).astype(int), 9)
    return [
        [round(float(c[m].mean()), 4), round(float(right[m].mean()), 4), round(float(m.mean()), 4)]
        for m in (bins == b for b in range(10))
        if m.any()
    ]


def risk_coverage(right: NDArray[np.bool_], c: NDArray[np.float64]) -> list[list[float]]:
    """Threshold, share answered, share wrong among the answered."""
    return [
        [q, round(float((c >= q).mean()), 4), round(float(1 - right[c >= q].mean()), 4)]
        for q in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
        if (c >= q).any()
    ]


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


def no_gyro(samples: Samples) -> Samples:
    """Acceleration alone."""
    return replace(samples, gyr_dps=None)


def tag(samples: Samples) -> Samples:
    """A 20 Hz commodity tag: acceleration alone, 4 mg noise, gain 3 % off."""
    slow = slower(no_gyro(samples), 20.0, np.random.default_rng(3))
    return replace(slow, acc_g=slow.acc_g * np.float32(1.03))


def walking_l5(who: Sequence[str]) -> Scored:
    """Walking against standing at L5; the model was fitted on other people's chests."""
    truth, answer, confidence = {}, {}, {}
    for person in who:
        recording = load("gait_l5", person)
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


def stillness(hours: float) -> dict[str, Any]:
    """Sensors on a table, several orientations, rates and noises: minutes called sitting."""
    worst = 0.0
    total = 0.0
    named: dict[str, float] = {}
    rng = np.random.default_rng(11)
    for fs, noise, step in (
        (50, 0.002, 2048),
        (50, 0.0005, 4096),
        (20, 0.004, 256),
        (100, 0.006, 1024),
    ):
        for up in ((0.0, 0.0, 1.0), (0.0, 0.3, 0.95), (1.0, 0.0, 0.0), (-0.5, 0.0, 0.85)):
            n = int(hours * 3600 * fs / 16)
            acc = np.array(up) / np.linalg.norm(up) + rng.normal(0, noise, (n, 3))
            acc += np.cumsum(rng.normal(0, 1e-6, (n, 3)), axis=0)
            samples = Samples(
                t_ns=(np.arange(n) * (SECOND_NS // fs)).astype(np.int64),
                acc_g=(np.round(acc * step) / step).astype(np.float32),
            )
            for place in (Placement.UPPER_BACK, Placement.WAIST):
                axes = Axes.parse("x=forward,y=left,z=up")
                setup = chain.Setup(placement=place, calibration=calibrate(samples, place, axes))
                state = chain.analyze(samples, setup).epochs.state
                sitting = float(np.isin(state, (State.SITTING, State.SLOUCHING)).sum()) / 12
                worst = max(worst, sitting)
                named["sitting"] = named.get("sitting", 0.0) + sitting
                named["not_worn"] = (
                    named.get("not_worn", 0.0) + float((state == State.NOT_WORN).sum()) / 12
                )
                total += len(state) / 12
    return {
        "hours": round(total / 60, 1),
        "minutes_called_sitting": round(named["sitting"], 2),
        "share_not_worn": round(named["not_worn"] / total, 4),
    }


def days(count: int, hours: float) -> dict[str, Any]:
    """Simulated desk days at the upper back: states against what was played."""
    right = np.zeros(len(State))
    seen = np.zeros(len(State))
    false = 0
    slouches = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        sensor: Sensor = random_sensor(rng)
        day = workday(rng, hours=hours, sensor=sensor)
        setup = chain.Setup(
            placement=day.placement, calibration=calibrate(day.samples, day.placement)
        )
        results = chain.analyze(day.samples, setup)
        state = np.where(
            results.epochs.state == State.SLOUCHING, State.SITTING, results.epochs.state
        )
        truth = day.truth.state_s[
            np.minimum(results.epochs.start_ns // SECOND_NS + 2, len(day.truth.state_s) - 1)
        ]
        truth = np.where(truth == State.SLOUCHING, State.SITTING, truth)
        for s in State:
            seen[s] += (truth == s).sum()
            right[s] += ((truth == s) & (state == s)).sum()
        slouches += len(results.slouch_events)
        # A prompt for sitting needs half an hour of it; false when most of it was not sitting.
        run = 0
        for own, told in zip(truth.tolist(), state.tolist(), strict=True):
            run = run + 1 if told == State.SITTING else 0
            if run == 360 and own != State.SITTING:
                false += 1
    return {
        "hours": count * hours,
        "recall": {s.label: round(float(right[s] / seen[s]), 3) for s in State if seen[s] > 0},
        "false_sitting_prompts_per_8_h": round(false / (count * hours) * 8, 3),
    }


def measure(*, short: bool) -> dict[str, Any]:  # noqa: C901 - one list of measurements
    """All figures."""
    from bench.accuracy_anchors import ANCHORS

    def some(source: str, count: int) -> list[str]:
        everyone = people(source)
        return everyone[:count] if short else everyone

    def shipped(_: str, __: bool) -> AbstractContextManager[None]:
        return nullcontext()

    found: dict[str, Any] = {"scores": [], "anchors": ANCHORS}

    def take(scored: Scored) -> None:
        found["scores"].append(scored.figures())
        last = found["scores"][-1]
        print(f"{last['name']:48} {last['macro_f1']:.4f} {last['interval_95']}", flush=True)

    poses, slouch = trunk_poses(some("sit_postures", 8))
    take(slouch)
    take(poses)
    take(walking_l5(some("gait_l5", 10)))
    waist = Folds("waist")

    def unseen_waist(person: str, gyro: bool) -> AbstractContextManager[None]:
        return using(waist.without(person, gyro=gyro))

    who = some("hapt_waist", 3)
    take(postures("postures, waist (hapt)", "hapt_waist", who, unseen_waist, classes=4))
    found["transitions"] = events(who, waist)
    print(found["transitions"], flush=True)
    if not short:
        for name, variant in (("acceleration alone", no_gyro), ("20 Hz tag", tag)):
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
    off = "rules alone (BACKSTAY_HAPT_MODEL=off)"
    if not short:

        def rules(_: str, __: bool) -> AbstractContextManager[None]:
            return mock.patch("tracker.signal.posture.model_for", return_value=None)

        take(postures(f"postures, waist (hapt), {off}", "hapt_waist", who, rules, classes=4))
    chest = Folds("chest")

    def unseen_chest(person: str, gyro: bool) -> AbstractContextManager[None]:
        return using(chest.without(person, gyro=gyro))

    who = some("dsads_torso", 2)
    take(postures("postures, chest (dsads)", "dsads_torso", who, unseen_chest, classes=5))
    if not short:
        for name, run, variant in (
            ("each activity alone", _pieces, lambda s: s),
            ("acceleration alone", _whole, no_gyro),
            ("20 Hz tag", _whole, tag),
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
                )
            )
        take(postures("postures, chest (dsads), rules alone", "dsads_torso", who, rules, classes=5))
    found["stillness"] = stillness(4.0 if short else 24.0)
    found["days"] = days(1 if short else 4, 2.0 if short else 8.0)
    print(found["stillness"], found["days"], flush=True)
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
