# SPDX-License-Identifier: Apache-2.0
"""Categories, claims, episodes and the self-experiment on hand-made diaries."""

import tomllib
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.diary import Evening, Massage
from tracker.errors import InputError
from tracker.trends.claims import claim, level
from tracker.trends.diaries import exposure_series, massage_series
from tracker.trends.episodes import episodes, progress, session_window
from tracker.trends.experiment import block_differences, plan, summary
from tracker.trends.nof1 import (
    CLAIM_MIN_ABS,
    EVALUATE_EVERY_D,
    PERSIST,
    PRIOR_SD,
    Category,
    Gates,
    Posterior,
    Progress,
    Result,
    Series,
    after,
    agreed,
    evaluate,
    posterior,
    published,
)
from tracker.trends.quasi import PHI_GRID, SE_INFLATION, Estimate, quasi_fit
from tracker.trends.training_effect import (
    TrainingCategory,
    TrainingGates,
    dose,
    published_training_effect,
    training_effect,
    weekly,
)
from tracker.units import to_ns

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 23)


def evening(days_ago: int, tension: int | None, **more: bool) -> Evening:
    """An evening entry so many days before today."""
    return Evening(day=(TODAY - timedelta(days=days_ago)).isoformat(), tension=tension, **more)


def massage(days_ago: int, hour: int = 17) -> Massage:
    """A massage so many days before today."""
    day = TODAY - timedelta(days=days_ago)
    return Massage(
        at_ns=to_ns(datetime(day.year, day.month, day.day, hour, tzinfo=UTC)), minutes=20
    )


def test_windows_after_an_event() -> None:
    """Days 1-3 and 4-7 after a massage; an unknown day stays unknown unless another decides."""
    event = np.array([1, 0, 0, 0, 0, np.nan, 0, 0, 0, 0, 0, 0.0])
    assert after(event, 1, 3)[:5].tolist() == [0, 1, 1, 1, 0]
    assert np.isnan(after(event, 1, 3)[6:9]).all()
    assert after(event, 1, 3)[9:].tolist() == [0, 0, 0]
    assert after(event, 4, 7)[4:8].tolist() == [1, 1, 1, 1]
    assert np.array_equal(after(event, 0, 0), event, equal_nan=True)


def estimate(low: float, high: float) -> Estimate:
    """An estimate in the middle of an interval."""
    return Estimate(beta=(low + high) / 2, se=(high - low) / 4, low=low, high=high)


def plain_effect(size_long: float, runs: int = 24) -> Series:
    """A quiet diary with a plain effect on days 1-3 and another one on days 4-7."""
    rng = np.random.default_rng(5)
    event = np.zeros(runs * 14)
    event[7::14] = 1
    short = after(event, 1, 3)
    long = np.where(short == 1, 0, after(event, 4, 7))
    y = 5 - 2 * short + size_long * long + rng.normal(0, 0.5, event.size)
    return Series(y=y, event=event)


def test_categories_of_plain_diaries() -> None:
    """Relief over a week is lasting, over three days short, none is no clear effect."""
    assert evaluate(plain_effect(-1.2)).category is Category.LASTING
    assert evaluate(plain_effect(0)).category is Category.SHORT
    nothing = plain_effect(0)
    rng = np.random.default_rng(6)
    flat = Series(y=5 + rng.normal(0, 0.5, nothing.y.size), event=nothing.event)
    assert evaluate(flat).category is Category.NO_CLEAR_EFFECT
    peaks = Series(y=flat.y + 1.5 * flat.event, event=flat.event)
    assert evaluate(peaks).category is Category.UNCERTAIN


def test_publication_needs_two_looks() -> None:
    """Two looks that agree are published; a new pattern is not; of two reliefs the weaker is."""
    assert published(plain_effect(-1.2)).category is Category.LASTING
    assert published(plain_effect(-1.2).until(80)).category is Category.COLLECTING
    assert agreed(Category.UNCERTAIN, Category.SHORT) is Category.UNCERTAIN
    assert agreed(Category.COLLECTING, Category.LASTING) is Category.UNCERTAIN
    assert agreed(Category.SHORT, Category.LASTING) is Category.SHORT
    assert agreed(Category.SHORT, Category.NO_CLEAR_EFFECT) is Category.UNCERTAIN


def test_massage_every_other_day_has_no_contrast() -> None:
    """Without massage-free days the answer is not given; it says what is missing."""
    event = np.zeros(168)
    event[::3] = 1
    got = evaluate(Series(y=np.random.default_rng(1).normal(5, 1, 168), event=event))
    assert got.category is Category.COLLECTING
    assert got.progress.missing == ("free_days",)


def test_posterior_pulls_towards_zero() -> None:
    """The sceptical prior shrinks the estimate and gives chances."""
    p = posterior(estimate(-2.2, -0.2))
    assert p.mean == pytest.approx(-1.2 * 1 / (1 + 0.25))
    assert 0.95 < p.p_helps < 1
    assert p.p_helps_noticeably < p.p_helps


def result(low: float, high: float, category: Category) -> Result:
    """A finished evaluation."""
    done = Progress(events=9, days=170, completeness=0.9, free_days=60, met=True, missing=())
    post = Posterior(
        mean=(low + high) / 2, sd=0.3, low=low, high=high, p_helps=0.9, p_helps_noticeably=0.4
    )
    return Result(category=category, progress=done, posterior=post)


def test_claims_print_points_lower_as_positive() -> None:
    """A negative effect is printed as points lower; a range over zero gets both directions."""
    c = claim(result(-1.8, -0.6, Category.SHORT))
    assert (c.m, c.lo, c.hi) == (pytest.approx(1.2), 0.6, 1.8)
    assert not c.crosses_zero
    open_ = claim(result(-1.0, 0.4, Category.UNCERTAIN))
    assert open_.crosses_zero
    assert (open_.lower, open_.higher) == (1.0, 0.4)
    assert (c.massages_done, c.days_done) == (6, 84)


def test_levels_of_evidence() -> None:
    """Nothing, description from 3 massages and 28 days, hint from P 0.80, pattern when it held."""
    few = Progress(events=3, days=30, completeness=1, free_days=9, met=False, missing=("days",))
    none = Progress(events=0, days=3, completeness=1, free_days=3, met=False, missing=("days",))
    assert level(Result(category=Category.COLLECTING, progress=none)) == 0
    assert level(Result(category=Category.COLLECTING, progress=few)) == 1
    assert level(result(-1.0, 0.4, Category.UNCERTAIN)) == 2
    assert level(result(-1.8, -0.6, Category.SHORT)) == 3


def test_at_most_three_covariates() -> None:
    """A fourth covariate is refused with a sentence."""
    zeros = np.zeros(3)
    with pytest.raises(InputError, match="at most 3"):
        Series(y=zeros, event=zeros, covariates=dict.fromkeys("abcd", zeros))


def test_diary_series_keeps_missing_days_missing() -> None:
    """Illness and missing evenings are NaN; massages by local day; unknown exposure is NaN."""
    evenings = [evening(4, 5), evening(2, 6, illness=True), evening(0, 4)]
    got = massage_series(evenings, [massage(3), massage(1, 23)], BERLIN, today=TODAY)
    assert np.array_equal(got.y, [5, np.nan, np.nan, np.nan, 4], equal_nan=True)
    # 23:00 UTC is the next local day in Berlin
    assert got.event.tolist() == [0, 1, 0, 0, 1]
    exposed = exposure_series(evenings, {TODAY: True}, today=TODAY)
    assert np.isnan(exposed.event[:4]).all()
    assert massage_series([], [], BERLIN, today=TODAY).y.size == 0


def test_episodes_are_the_wearers_own_ratings() -> None:
    """From the first massage on: day 0 to 7, gaps as None, days to come counted, no average."""
    evenings = [evening(9, 7), evening(8, 4), evening(5, 6), evening(3, 7), evening(2, 3)]
    got = episodes(evenings, [massage(9), massage(3)], BERLIN, today=TODAY)
    assert [e.ratings for e in got] == [
        (7, 4, None, None, 6, None, 7, 3),
        (7, 3, None, None, None, None, None, None),
    ]
    assert [e.open_days for e in got] == [0, 4]
    assert [e.next_massage_in for e in got] == [6, None]
    steps = progress(evenings, [massage(9), massage(3)], BERLIN, today=TODAY)
    assert (steps.events, steps.days, steps.met) == (2, 8, False)


def test_window_for_a_session_after_a_massage() -> None:
    """The day after is offered today or tomorrow, not when done, past or not allowed."""
    ask = {"today": TODAY, "training_allowed": True}
    tomorrow = session_window([massage(0)], BERLIN, **ask)
    assert tomorrow is not None
    assert (tomorrow.day, tomorrow.minutes) == (TODAY + timedelta(days=1), 10)
    today = session_window([massage(1)], BERLIN, **ask)
    assert today is not None
    assert today.day == TODAY
    assert session_window([massage(2)], BERLIN, **ask) is None
    assert session_window([massage(1)], BERLIN, **ask, trained=frozenset({TODAY})) is None
    assert session_window([massage(0)], BERLIN, today=TODAY, training_allowed=False) is None
    assert session_window([], BERLIN, **ask) is None


COINS = (True, False, True, True, False, False)


def test_plan_is_frozen_before_the_start() -> None:
    """Too few blocks and a start in the past are refused; the digest pins the plan."""
    with pytest.raises(InputError, match="choose 6 to 14"):
        plan(coin_bits=COINS[:5], first_day=TODAY + timedelta(days=1), today=TODAY, written_ns=1)
    with pytest.raises(InputError, match="before the start"):
        plan(coin_bits=COINS, first_day=TODAY, today=TODAY, written_ns=1)
    start = TODAY + timedelta(days=2)
    made = plan(coin_bits=COINS, first_day=start, today=TODAY, written_ns=1)
    other = plan(coin_bits=COINS[::-1], first_day=start, today=TODAY, written_ns=1)
    assert made.digest != other.digest
    assert made.massage_days()[:2] == (start, start + timedelta(days=21))
    assert all(made.massage_day(b) != made.other_day(b) for b in range(6))
    assert made.last_day == start + timedelta(days=83)


def test_experiment_from_start_to_summary() -> None:
    """No result before the end; then difference, exact p, interval, and what happened."""
    start = TODAY + timedelta(days=2)
    made = plan(coin_bits=COINS, first_day=start, today=TODAY, written_ns=1)
    ratings: dict[date, int] = {}
    for b in range(6):
        for k in range(1, 7):
            ratings[made.massage_day(b) + timedelta(days=k)] = 3
            ratings[made.other_day(b) + timedelta(days=k)] = 5
    assert block_differences(made, ratings).tolist() == [-2.0] * 6
    massaged = frozenset(made.massage_days())
    early = summary(made, ratings, today=made.last_day, massaged=massaged)
    assert early["result"] is None
    done = summary(made, ratings, today=made.last_day + timedelta(days=1), massaged=massaged)
    found = done["result"]
    assert isinstance(found, dict)
    assert (found["difference"], found["p"]) == (-2.0, 0.03125)
    assert (found["low"], found["high"]) == (-2.0, -2.0)
    assert done["answered"] is True
    assert (done["kept_massages"], done["other_massages"], done["at_least"]) == (6, 0, True)
    ratings = {d: v for d, v in ratings.items() if d != made.other_day(0) + timedelta(days=1)}
    few = {d: v for d, v in ratings.items() if d > made.massage_day(0) + timedelta(days=13)}
    assert np.isnan(block_differences(made, few)[0])


def test_weekly_dose_and_gates_of_training() -> None:
    """Weeks of seven days, dose over four weeks; without contrast no comparison."""
    first = TODAY - timedelta(days=27)
    ratings = {first + timedelta(days=i): 4 for i in range(28) if i % 7 < 3}
    trained = frozenset({first, first + timedelta(days=1), first + timedelta(days=8)})
    mean, days = weekly(ratings, trained, first, TODAY)
    assert (mean.tolist(), days.tolist()) == ([4, 4, 4, 4], [2, 1, 0, 0])
    assert np.array_equal(dose(days), [np.nan, np.nan, np.nan, 0.75], equal_nan=True)
    rng = np.random.default_rng(2)
    flat = training_effect(rng.normal(4, 1, 30), np.full(30, 2.0))
    assert flat.category is TrainingCategory.NO_COMPARISON
    varied = np.tile([0.0] * 6 + [4.0] * 6, 5)
    strong = training_effect(6 - dose(varied) + rng.normal(0, 0.3, 60), varied)
    assert strong.category is TrainingCategory.PATTERN
    assert strong.effect is not None
    assert strong.effect.beta == pytest.approx(-1, abs=0.25)
    mean = 6 - dose(varied) + rng.normal(0, 0.3, 60)
    assert published_training_effect(mean, varied).category is TrainingCategory.PATTERN
    early = published_training_effect(mean[:18], varied[:18])
    assert training_effect(mean[:18], varied[:18]).category is TrainingCategory.PATTERN
    assert early.category is TrainingCategory.UNCERTAIN  # week 14 was still collecting


def test_gates_are_those_of_the_rule_base() -> None:
    """The numbers of the statistics and those the advice prints are the same."""
    data = Path(__file__).resolve().parents[3] / "tracker" / "advice" / "data" / "claims.toml"
    rules = tomllib.loads(data.read_text(encoding="utf-8"))
    assert rules["gate"]["massage"] == asdict(Gates())
    assert rules["gate"]["training"] == asdict(TrainingGates())
    analysis = rules["analysis"]
    assert analysis["se_inflation"] == SE_INFLATION
    assert analysis["prior_sd"] == PRIOR_SD
    assert analysis["claim_min_abs"] == CLAIM_MIN_ABS
    assert (analysis["evaluate_every_days"], analysis["persist_evaluations"]) == (
        EVALUATE_EVERY_D,
        PERSIST,
    )
    low, high, step = analysis["phi_grid"]
    assert np.allclose(PHI_GRID, np.arange(low, high + step / 2, step))
    assert set(rules["claim"]) >= {c.value for c in Category}


def test_gaps_of_any_length_are_exact_without_noise() -> None:
    """A remainder that fades by 0.8 a day is removed exactly across gaps; effects are whole."""
    rng = np.random.default_rng(9)
    event = np.zeros(140)
    event[rng.choice(130, 9, replace=False)] = 1
    short = after(event, 1, 3)
    long = np.where(short == 1, 0, after(event, 4, 7))
    y = 5 - 2 * short - 1.25 * long + 3 * 0.8 ** np.arange(140)
    y[rng.random(140) < 0.3] = np.nan
    y[50:61] = np.nan
    fit = quasi_fit(y, {"short": short, "long": long})
    assert fit is not None
    assert fit.phi == 0.8
    for name, truth in (("short", -2), ("long", -1.25)):
        found = fit.estimates[name]
        assert found is not None
        assert found.beta == pytest.approx(truth, abs=1e-9)
    got = evaluate(Series(y=y, event=event), Gates(min_completeness=0.5))
    assert got.long is not None
    assert got.long.beta == pytest.approx(-1.25, abs=1e-6)


def test_a_claim_of_the_first_look_waits_for_the_second() -> None:
    """The sixth massage after day 84 makes the first look possible on day 112; it is not shown."""
    event = np.zeros(140)
    event[[6, 20, 34, 48, 62, 90, 118]] = 1
    y = 5 - 2 * after(event, 1, 3) + np.random.default_rng(3).normal(0, 0.4, 140)
    first = Series(y=y[:112], event=event[:112])
    assert evaluate(first).category is Category.SHORT
    assert published(first).category is Category.UNCERTAIN
    assert published(Series(y=y, event=event)).category is Category.SHORT


def test_training_needs_the_sign_of_the_lagged_dose() -> None:
    """A dip in the very week of training that is made up for the week after is no pattern."""
    rng = np.random.default_rng(4)
    days = rng.integers(0, 7, 120).astype(float)
    d = np.nan_to_num(dose(days), nan=3.0)
    change = np.concatenate([[0.0], np.diff(d)])
    got = training_effect(5 - 3 * change + rng.normal(0, 0.1, 120), days)
    assert got.effect is not None
    assert got.lagged is not None
    assert got.effect.high < 0 < got.lagged.low
    assert got.category is TrainingCategory.UNCERTAIN
