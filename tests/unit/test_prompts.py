# SPDX-License-Identifier: Apache-2.0
"""The policy of prompts: off until chosen, about real stretches, and quiet when it should be."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, State
from tracker.prompt_choice import LIMITS, NIGHT, PromptSettings, prompt_settings
from tracker.prompts import Cause, Context, Prompt, decide, evening_due, followed
from tracker.units import to_ns

MINUTE_NS = 60 * SECOND_NS
START = 1_764_000_000 * SECOND_NS // EPOCH_NS * EPOCH_NS
ON = PromptSettings(breaks=True)


def day(*stretches: tuple[State, float], slump: float = 20.0, confidence: float = 0.9) -> Epochs:
    """Stretches of (state, minutes) one after the other; slouching slumps, the rest does not."""
    state = np.concatenate(
        [np.full(round(minutes * 12), int(s), np.uint8) for s, minutes in stretches]
    )
    n = state.size
    slouch = state == State.SLOUCHING
    return Epochs(
        start_ns=START + np.arange(n, dtype=np.int64) * EPOCH_NS,
        state=state,
        confidence=np.full(n, confidence, np.float32),
        trunk=np.ones(n, np.uint8),
        slouch=slouch.astype(np.uint8),
        tilt_deg=np.where(slouch, 22, 6).astype(np.float32),
        side_deg=np.zeros(n, np.float32),
        slump_pct=np.where(slouch, 80, slump).astype(np.float32),
        move_mg=np.full(n, 5, np.float32),
        exercise=np.zeros(n, np.uint8),
        worn=np.ones(n, np.uint8),
        valid=np.ones(n, np.float32),
    )


def moment(epochs: Epochs, **more: object) -> Context:
    """Right after the last epoch and its settling time."""
    now_ns = int(epochs.start_ns[-1]) + 4 * EPOCH_NS
    return Context(now_ns=now_ns, epochs=epochs, **more)  # type: ignore[arg-type]


LONG = day((State.WALKING, 5), (State.SITTING, 55))


def test_nothing_is_on_by_itself() -> None:
    """A fresh installation never prompts, however long somebody sits or slouches."""
    assert decide(PromptSettings(), moment(day((State.SLOUCHING, 200)))) is None


def test_long_sitting_prompts_once_it_is_long() -> None:
    """Not after 40 minutes, but after 55, and the prompt says how long it was."""
    assert decide(ON, moment(day((State.SITTING, 40)))) is None
    prompt = decide(ON, moment(LONG))
    assert prompt is not None
    assert prompt.cause is Cause.SITTING
    assert prompt.minutes == pytest.approx(55, abs=0.5)


def test_the_clock_alone_never_prompts() -> None:
    """Two hours with a break every 30 minutes: no stretch is long, so nothing is said."""
    spells = [(State.SITTING, 28.0), (State.WALKING, 2.0)] * 4
    assert decide(ON, moment(day(*spells))) is None


def test_not_worn_time_is_no_sitting() -> None:
    """A sensor in the drawer for an hour does not make the sit before it longer."""
    epochs = day((State.SITTING, 20), (State.NOT_WORN, 60), (State.SITTING, 10))
    assert decide(ON, moment(epochs)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"quiet": True},
        {"in_work_hours": False},
        {"hour": NIGHT[0]},
        {"snoozed_until_ns": int(LONG.start_ns[-1]) + 60 * MINUTE_NS},
    ],
)
def test_quiet_contexts(more: dict[str, object]) -> None:
    """A call, the evening at home, the night and a snooze keep quiet."""
    assert decide(ON, moment(LONG, **more)) is None


def test_a_snooze_ends_by_itself() -> None:
    """After the snoozed time prompts come again without any switch."""
    now_ns = moment(LONG).now_ns
    until_ns = now_ns - MINUTE_NS
    assert decide(ON, moment(LONG, snoozed_until_ns=until_ns)) is not None


def test_old_epochs_say_nothing_about_now() -> None:
    """A sensor that fell silent two minutes ago may not be taken for somebody who still sits."""
    silent = moment(LONG)
    assert decide(ON, silent) is not None
    assert decide(ON, replace(silent, now_ns=silent.now_ns + 2 * MINUTE_NS)) is None


EVENING = PromptSettings(evening=True, quiet_hours=tuple(range(24)))
AT_SIX = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)


def at(**more: object) -> Context:
    """The moment of the evening; no sensor is needed for it."""
    return Context(now_ns=to_ns(AT_SIX), epochs=Epochs.empty(), **more)  # type: ignore[arg-type]


def test_the_evening_is_asked_for_once() -> None:
    """From the chosen hour, though these hours are quiet ones; not again once it was said."""
    reminder = evening_due(EVENING, at(), AT_SIX, 18, told=False)
    assert reminder is not None
    assert reminder.cause is Cause.EVENING
    assert evening_due(EVENING, at(history=(reminder,)), AT_SIX, 18, told=False) is None


@pytest.mark.parametrize(
    ("choice", "more", "hour", "told"),
    [
        (PromptSettings(), {}, 18, False),
        (EVENING, {}, 18, True),
        (EVENING, {}, 19, False),
        (EVENING, {}, 14, False),
        (EVENING, {"quiet": True}, 18, False),
        (EVENING, {"snoozed_until_ns": 1 << 62}, 18, False),
    ],
)
def test_the_evening_is_not_asked_for(
    choice: PromptSettings, more: dict[str, object], hour: int, told: bool
) -> None:
    """Not chosen, told already, too early, hours too late, in a call, or snoozed: nothing."""
    assert evening_due(choice, at(**more), AT_SIX, hour, told) is None


def test_the_evening_reminder_takes_nothing_from_the_daily_number() -> None:
    """It neither counts as one of the day's prompts nor starts the pause between two."""
    reminder = Prompt(
        at_ns=moment(LONG).now_ns - MINUTE_NS, cause=Cause.EVENING, minutes=0, since_ns=0,
        tone="plain",
    )  # fmt: skip
    assert decide(replace(ON, daily_cap=1), moment(LONG, history=(reminder,))) is not None


def test_the_daily_number_is_kept() -> None:
    """After the chosen number of prompts the day stays quiet."""
    before = [
        Prompt(at_ns=START - k * 90 * MINUTE_NS, cause=Cause.SITTING, minutes=50, since_ns=k,
               tone="plain")
        for k in range(1, 7)
    ]  # fmt: skip
    assert decide(ON, moment(LONG, history=before)) is None
    assert decide(ON, moment(LONG, history=before[:5])) is not None


def test_one_long_slouch_is_one_prompt() -> None:
    """Thirty minutes of slouching with short straightenings: one prompt, not twenty."""
    settings = PromptSettings(slouch=True, repeat_min=1)
    spells = [(State.SLOUCHING, 2.8), (State.SITTING, 0.2)] * 10
    epochs = day((State.SITTING, 2), *spells, (State.SLOUCHING, 1), slump=55)
    history: list[Prompt] = []
    for last in range(12, len(epochs)):
        prompt = decide(settings, moment(epochs[:last], history=tuple(history)))
        if prompt is not None:
            history.append(prompt)
    assert len(history) == 1
    assert history[0].cause is Cause.SLOUCH
    assert history[0].minutes >= settings.delay_min


def test_unsure_recognition_stays_silent() -> None:
    """Below the confidence of the chosen sensitivity nothing is said."""
    unsure = day((State.SITTING, 60), confidence=0.65)
    assert decide(ON, moment(unsure)) is None
    assert decide(replace(ON, sensitivity="high"), moment(unsure)) is not None


def test_the_newest_epochs_do_not_count_yet() -> None:
    """A label that may still change neither triggers nor stops a prompt."""
    epochs = day((State.SITTING, 60))
    now_ns = int(epochs.start_ns[-1]) + EPOCH_NS
    state = epochs.state.copy()
    state[-2:] = State.STANDING
    changed = replace(epochs, state=state)
    same = Context(now_ns=now_ns, epochs=epochs)
    assert decide(ON, same) is not None
    assert decide(ON, replace(same, epochs=changed)) is not None


def test_a_due_prompt_waits_for_a_pause() -> None:
    """Just due and sitting still: it waits. A movement, or five minutes, lets it come."""
    epochs = day((State.SITTING, 46))
    assert decide(ON, moment(epochs)) is None
    move = epochs.move_mg.copy()
    move[-2:] = 40
    assert decide(ON, moment(replace(epochs, move_mg=move))) is not None
    assert decide(ON, moment(day((State.SITTING, 51)))) is not None


def test_followed_is_known_after_the_time_only() -> None:
    """A minute up within five minutes counts; before six minutes passed nobody knows."""
    prompt = decide(ON, moment(LONG))
    assert prompt is not None
    got_up = day((State.WALKING, 5), (State.SITTING, 58), (State.WALKING, 4), (State.SITTING, 4))
    stayed = day((State.WALKING, 5), (State.SITTING, 70))
    assert followed(prompt, LONG) is None
    assert followed(prompt, got_up) is True
    assert followed(prompt, stayed) is False


@given(
    st.dictionaries(
        st.sampled_from([*PromptSettings.__dataclass_fields__, "other"]),
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
    )
)
def test_any_kept_settings_are_read(kept: dict[str, object]) -> None:
    """Whatever lies in the settings, what comes out is inside the limits."""
    made = prompt_settings(kept)
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(made, name) <= high
    assert decide(made, moment(LONG)) is None or made.breaks or made.still or made.slouch
