# SPDX-License-Identifier: Apache-2.0
"""Who is measured doing what, and what that work is and is not."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of work, measured in a process of its own.

    hours        length of the span it gets from the start of the day
    quick_hours  the same with --quick: slow work gets less and its CPU time is scaled up
    """

    name: str
    hours: float = 24.0
    quick_hours: float = 24.0
    does: str
    does_not: str


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A package, pinned so that two runs compare the same thing; ours has no requirement."""

    name: str
    requirement: str
    runner: str
    steps: tuple[Step, ...]


OURS = Peer(
    name="backstay",
    requirement="",
    runner="run_backstay.py",
    steps=(
        Step(
            name="calibrate + analyze",
            does="axes and mounting from the day itself, grid, wear, posture, slouching, walking, "
            "transitions, exercises, epochs, from acceleration and gyroscope",
            does_not="gait parameters beyond cadence, sleep, energy, free orientation in space",
        ),
        Step(
            name="analyze",
            does="the same with the wearer's calibration known, as on every day but the first",
            does_not="as above",
        ),
    ),
)

PEERS = (
    Peer(
        name="scikit-digital-health",
        requirement="scikit-digital-health==0.17.18",
        runner="run_skdh.py",
        steps=(
            Step(
                name="equivalent set",
                quick_hours=3.0,
                does="gravity calibration, wear (DETACH), activity level, walking (lumbar "
                "classifier), sit-to-stand, from acceleration",
                does_not="sitting, standing and lying as states, slouching, exercises; wear lacks "
                "the temperature it is made for (a constant is given)",
            ),
        ),
    ),
    Peer(
        name="actipy",
        requirement="actipy==3.8.3",
        runner="run_actipy.py",
        steps=(
            Step(
                name="process",
                does="low pass, gravity calibration, non-wear, uniform clock, from acceleration",
                does_not="any state: it prepares data for a classifier",
            ),
        ),
    ),
    Peer(
        name="mobgap",
        requirement="mobgap==1.2.0",
        runner="run_mobgap.py",
        steps=(
            Step(
                name="GsdIluz",
                does="stretches of walking at the lower back",
                does_not="any other state",
            ),
            Step(
                name="MobilisedPipelineHealthy",
                quick_hours=3.0,
                does="stretches of walking with cadence, stride length and speed",
                does_not="any other state",
            ),
        ),
    ),
    Peer(
        name="acti-motus",
        requirement="acti-motus==2.4.0",
        runner="run_actimotus.py",
        steps=(
            Step(
                name="Features + Activities",
                does="30 Hz resampling, features per second, sitting, standing, walking, lying by "
                "rules for the thigh",
                does_not="the back: its rules read a thigh, so only the time is comparable here",
            ),
        ),
    ),
    Peer(
        name="vqf",
        requirement="vqf==2.1.2",
        runner="run_vqf.py",
        steps=(
            Step(
                name="updateBatch 6D",
                does="orientation from acceleration and gyroscope, causal, in C++",
                does_not="any state: one step of what a chain needs",
            ),
            Step(
                name="offlineVQF 6D",
                does="the same forward and backward, in C++",
                does_not="any state",
            ),
        ),
    ),
)
