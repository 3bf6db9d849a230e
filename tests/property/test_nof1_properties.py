# SPDX-License-Identifier: Apache-2.0
"""The one-person statistics on worlds with a known truth; seeds fixed, figures printed (-s).

The full runs with 500 seeds per world are `bench/nof1.py`; these are the same worlds with as many
seeds as a test run can afford.
"""

import ast
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.diary import Evening, Massage
from tracker.simulation.diary import DiaryWorld, simulate
from tracker.trends.diaries import exposure_series, massage_series
from tracker.trends.experiment import randomisation_test
from tracker.trends.exposure import Direction, evaluate_exposure
from tracker.trends.nof1 import Category, Result, Series, evaluate, published
from tracker.trends.quasi import quasi_fit
from tracker.trends.training_effect import TrainingCategory, training_effect
from tracker.units import to_ns

RELIEF = (Category.LASTING, Category.SHORT)


def results(world: DiaryWorld, runs: int, seed: int) -> list[Result]:
    """One evaluation of each simulated person."""
    rated, booked = simulate(np.random.default_rng(seed), world, runs)
    return [
        evaluate(Series(y=y, event=m.astype(float))) for y, m in zip(rated, booked, strict=True)
    ]


@pytest.mark.parametrize("phi", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("assign", ["trigger", "peak"])
def test_useless_massages_at_bad_times_get_no_credit(phi: float, assign: str) -> None:
    """A massage without effect after bad days: at most 5 % claims, at least 90 % "cannot tell"."""
    world = DiaryWorld(assign=assign, phi=phi)  # type: ignore[arg-type]
    found = Counter(r.category for r in results(world, 500, seed=11))
    claims = sum(found[c] for c in RELIEF) / 500
    open_ = (found[Category.UNCERTAIN] + found[Category.COLLECTING]) / 500
    print(f"{assign} phi {phi}: claims {claims:.3f}, cannot tell {open_:.3f}")
    assert claims <= 0.05
    assert open_ >= 0.90


def test_pure_noise_with_massages_at_peaks() -> None:
    """Ratings without memory, massages exactly at peaks: at least 90 % "cannot tell"."""
    world = DiaryWorld(phi=0.0, assign="peak")
    found = Counter(r.category for r in results(world, 500, seed=12))
    assert (found[Category.UNCERTAIN] + found[Category.COLLECTING]) / 500 >= 0.90


def test_true_effect_on_a_fixed_schedule() -> None:
    """Bias within 0.15 points, interval coverage 0.92 to 0.99, and the effect is often seen."""
    world = DiaryWorld(effect=-1.5, assign="fixed")
    found = [r.short for r in results(world, 500, seed=13) if r.short is not None]
    truth = world.window_effect(1, 3)
    bias = float(np.mean([s.beta - truth for s in found]))
    coverage = float(np.mean([s.low <= truth <= s.high for s in found]))
    seen = float(np.mean([s.high < 0 for s in found]))
    print(f"bias {bias:+.3f}, coverage {coverage:.3f}, seen {seen:.3f}")
    assert abs(bias) <= 0.15
    assert 0.92 <= coverage <= 0.99
    assert seen > 0.5


@pytest.mark.parametrize("world", [DiaryWorld(noise=0.9), DiaryWorld(noise=0.9, flare=2.5)])
def test_worlds_the_model_does_not_assume(world: DiaryWorld) -> None:
    """With rating noise and flares claims stay rare, and the error is against massage."""
    found = results(world, 300, seed=14)
    claims = np.mean([r.category in RELIEF for r in found])
    bias = np.mean([r.short.beta for r in found if r.short is not None])
    print(f"noise {world.noise}, flare {world.flare}: claims {claims:.3f}, bias {bias:+.3f}")
    assert claims <= 0.05
    assert -0.1 <= bias <= 0.4


def test_two_looks_claim_less_than_one() -> None:
    """What is published needs two evaluations: fewer false claims than a single look."""
    world = DiaryWorld(days=112, massages=9, sd=2.5, assign="random")
    rated, booked = simulate(np.random.default_rng(15), world, 800)
    series = [Series(y=y, event=m.astype(float)) for y, m in zip(rated, booked, strict=True)]
    once = sum(evaluate(s).category in RELIEF for s in series)
    shown = sum(published(s).category in RELIEF for s in series)
    print(f"of 800 without effect: one look claims {once}, published {shown}")
    assert 0 < once / 800 <= 0.05
    assert shown < once


def test_before_after_estimator_does_not_exist() -> None:
    """No function or class of the product subtracts days before from days after an event."""
    root = Path(__file__).resolve().parents[2] / "tracker"
    names = [
        node.name
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert len(names) > 100
    forbidden = re.compile(r"day_?before|before_?after|pre_?post|uplift", re.IGNORECASE)
    assert not [n for n in names if forbidden.search(n)]


def _series(seed: int, days: int = 168) -> Series:
    rated, booked = simulate(np.random.default_rng(seed), DiaryWorld(days=days, effect=-1.0))
    return Series(y=rated[0], event=booked[0].astype(float))


@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_adding_a_constant_changes_nothing(seed: int, constant: float) -> None:
    """The level of the ratings has no influence on the effect."""
    series = _series(seed)
    moved = Series(y=series.y + constant, event=series.event)
    a, b = evaluate(series), evaluate(moved)
    assert (a.short is None) == (b.short is None)
    if a.short is not None and b.short is not None and a.phi == b.phi:
        assert b.short.beta == pytest.approx(a.short.beta, abs=1e-6)
        assert b.short.se == pytest.approx(a.short.se, abs=1e-6)


def test_shuffled_dates_are_centred_at_zero() -> None:
    """Massage dates that have nothing to do with the ratings give effects around 0."""
    rng = np.random.default_rng(16)
    rated, booked = simulate(rng, DiaryWorld(effect=-1.5), 300)
    found = []
    for y, m in zip(rated, booked, strict=True):
        result = evaluate(Series(y=y, event=rng.permutation(m).astype(float)))
        if result.short is not None:
            found.append(result.short.beta)
    assert len(found) > 200
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))


@given(st.integers(0, 10_000), st.integers(0, 5), st.floats(-3, 3))
def test_five_massages_are_collecting_whatever_the_data(seed: int, n: int, effect: float) -> None:
    """Below six massages nothing is estimated, even if the effect is plain."""
    world = DiaryWorld(massages=n, effect=effect, assign="random")
    rated, booked = simulate(np.random.default_rng(seed), world)
    got = evaluate(Series(y=rated[0], event=booked[0].astype(float)))
    assert got.category is Category.COLLECTING
    assert "events" in got.progress.missing
    assert got.short is None


@given(st.integers(0, 10_000), st.integers(1, 83))
def test_short_diaries_are_collecting(seed: int, days: int) -> None:
    """Below 84 days nothing is estimated, and the progress says so."""
    got = evaluate(_series(seed, days))
    assert got.category is Category.COLLECTING
    assert "days" in got.progress.missing


@given(st.integers(0, 10_000))
def test_published_never_claims_what_the_last_look_does_not(seed: int) -> None:
    """A published claim is one that the newest evaluation makes, too."""
    series = _series(seed)
    if published(series).category in RELIEF:
        rated = np.flatnonzero(~np.isnan(series.y))
        looks = (int(rated[-1] - rated[0]) + 1) // 28
        assert evaluate(series.until(int(rated[0]) + 28 * looks)).category in RELIEF


@given(st.integers(0, 10_000), st.floats(0.0, 0.4))
def test_gaps_and_missing_covariates_are_survived(seed: int, missing: float) -> None:
    """Any pattern of missing ratings and covariates gives a finite estimate or none."""
    rng = np.random.default_rng(seed)
    rated, booked = simulate(rng, DiaryWorld(missing=missing))
    extra = {"sat": np.where(rng.random(168) < missing, np.nan, rng.normal(size=168))}
    got = evaluate(Series(y=rated[0], event=booked[0].astype(float), covariates=extra))
    if got.short is not None:
        assert np.isfinite([got.short.beta, got.short.low, got.short.high]).all()
        assert got.short.se > 0


def test_quasi_differencing_against_closed_form() -> None:
    """With phi fixed at 0 and no gaps it is ordinary least squares on rows 2..n."""
    rng = np.random.default_rng(17)
    y, x = rng.normal(size=60), rng.normal(size=60)
    fit = quasi_fit(y, {"x": x}, phi_grid=np.array([0.0]), inflation=1.0)
    assert fit is not None
    design = np.column_stack([np.ones(59), x[1:]])
    beta, sse, *_ = np.linalg.lstsq(design, y[1:], rcond=None)
    cov = sse[0] / 57 * np.linalg.inv(design.T @ design)
    found = fit.estimates["x"]
    assert found is not None
    assert found.beta == pytest.approx(beta[1])
    assert found.se == pytest.approx(np.sqrt(cov[1, 1]))


def test_long_sitting_days_same_gates_same_honesty() -> None:
    """No effect: at most 5 % claims. Two points on long days: found, in the right direction."""
    rng = np.random.default_rng(18)
    claims, right = 0, 0
    for _ in range(200):
        rated, _ = simulate(rng, DiaryWorld(massages=0, assign="random"))
        long_day = (rng.random(168) < 0.33).astype(float)
        long_day[rng.random(168) < 0.2] = np.nan  # not worn
        none = evaluate_exposure(Series(y=rated[0], event=long_day))
        claims += none.direction in (Direction.TENSER, Direction.LOOSER)
        with_effect = np.clip(rated[0] + 2 * np.nan_to_num(long_day), 0, 10)
        some = evaluate_exposure(Series(y=with_effect, event=long_day))
        assert some.direction is not Direction.LOOSER
        right += some.direction is Direction.TENSER
    print(f"sitting: claims without effect {claims / 200:.3f}, found with +2 {right / 200:.3f}")
    assert claims / 200 <= 0.05
    assert right / 200 > 0.9


def test_weekends_are_not_mistaken_for_sitting() -> None:
    """Looser weekends on which nobody sits long: at most 5 % claims that sitting makes tense."""
    world = DiaryWorld(massages=0, assign="random", weekend=-2.0)
    rated, _ = simulate(np.random.default_rng(21), world, 200)
    rng = np.random.default_rng(22)
    first = date(2026, 6, 1)  # a Monday, as in the world
    claims, plain = 0, 0
    for y in rated:
        told = [
            Evening(day=(first + timedelta(days=i)).isoformat(), tension=int(v))
            for i, v in enumerate(y)
            if not np.isnan(v)
        ]
        long_day = {
            first + timedelta(days=i): bool(i % 7 < 5 and rng.random() < 0.5) for i in range(168)
        }
        series = exposure_series(told, long_day, today=first + timedelta(days=167))
        tense = (Direction.TENSER, Direction.LOOSER)
        claims += evaluate_exposure(series).direction in tense
        plain += evaluate_exposure(replace(series, covariates={})).direction in tense
    print(f"weekends: {claims / 200:.3f} claims, {plain / 200:.3f} without the covariate")
    assert claims / 200 <= 0.05
    assert plain > claims


def test_weekends_are_not_mistaken_for_massage() -> None:
    """A useless massage every other Friday before looser weekends: at most 5 % claims."""
    world = DiaryWorld(massages=0, assign="random", weekend=-2.5)
    rated, _ = simulate(np.random.default_rng(23), world, 200)
    first = date(2026, 6, 1)
    zone = ZoneInfo("Europe/Berlin")
    booked = [
        Massage(
            at_ns=to_ns(datetime(2026, 6, 5, 16, tzinfo=UTC) + timedelta(days=14 * k)), minutes=20
        )
        for k in range(12)
    ]
    claims, plain = 0, 0
    for y in rated:
        told = [
            Evening(day=(first + timedelta(days=i)).isoformat(), tension=int(v))
            for i, v in enumerate(y)
            if not np.isnan(v)
        ]
        series = massage_series(told, booked, zone, today=first + timedelta(days=167))
        claims += evaluate(series).category in RELIEF
        plain += evaluate(replace(series, covariates={})).category in RELIEF
    print(f"Fridays: {claims / 200:.3f} claims, {plain / 200:.3f} without the covariate")
    assert claims / 200 <= 0.05
    assert plain > claims


def test_training_is_not_claimed_early_nor_from_recovery() -> None:
    """Recovery alone, training that begins with it: claims at most 10 % after 26 weeks, 0 at 15."""
    rng = np.random.default_rng(19)
    claims, found = 0, Counter[TrainingCategory]()
    for _ in range(300):
        e = np.zeros(26)
        for w in range(1, 26):
            e[w] = 0.5 * e[w - 1] + rng.normal(0, 0.7)
        mean = 6 - 0.08 * np.arange(26) + e
        days = np.clip(np.round(rng.normal(np.linspace(0.5, 2.5, 26), 0.9)), 0, 5)
        got = training_effect(mean, days)
        found[got.category] += 1
        claims += got.category is TrainingCategory.PATTERN
        assert training_effect(mean[:15], days[:15]).category is TrainingCategory.COLLECTING
    print(f"training: {claims / 300:.3f} claims, {dict(found)}")
    assert claims / 300 <= 0.10


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=7))
def test_randomisation_test_is_the_full_count(tenths: list[int]) -> None:
    """P and the interval equal brute force over all signs and over a grid of shifts."""
    d = np.array(tenths) / 2
    got = randomisation_test(d)
    assert got is not None

    def p_value(x: np.ndarray) -> float:
        sums = [abs(float(np.dot(s, x))) for s in product((-1, 1), repeat=x.size)]
        return float(np.mean([s >= abs(x.sum()) - 1e-9 for s in sums]))

    assert got.p == pytest.approx(p_value(d))
    for shift in np.arange(-4.005, 4.01, 0.29):  # never on a subset mean
        inside = p_value(d - shift) > 0.05
        assert inside == (got.low <= shift <= got.high)


def test_smallest_p_values() -> None:
    """Five blocks cannot reach 0.05, six give 0.031 and eight 0.008."""
    for blocks, p in ((5, 0.0625), (6, 0.03125), (8, 0.0078125)):
        got = randomisation_test(np.full(blocks, -1.0))
        assert got is not None
        assert got.p == p


def test_randomised_weeks_keep_their_level() -> None:
    """Without effect the exact test says "yes" in at most 5 % (plus chance) of experiments."""
    rng = np.random.default_rng(20)
    hits = 0
    for _ in range(400):
        got = randomisation_test(rng.normal(0, 1, 8) * rng.choice([-1, 1], 8))
        assert got is not None
        hits += got.p < 0.05
    assert hits / 400 < 0.08
