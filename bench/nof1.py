# SPDX-License-Identifier: Apache-2.0
"""False claims, bias and coverage of the one-person statistics on worlds with a known truth.

`python bench/nof1.py [--seeds 500] [--out docs/nof1-simulation.json]` prints one line per world
and writes the figures. The tests run the same worlds with fewer seeds.
"""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tracker.simulation.diary import DiaryWorld, simulate
from tracker.trends.exposure import Direction, evaluate_exposure
from tracker.trends.nof1 import Category, Series, evaluate, published
from tracker.trends.training_effect import (
    TrainingCategory,
    published_training_effect,
    training_effect,
)

RELIEF = (Category.LASTING, Category.SHORT)
WORLDS = {
    "no effect, after bad days": DiaryWorld(),
    "no effect, after bad days, phi 0.3": DiaryWorld(phi=0.3),
    "no effect, after bad days, phi 0.8": DiaryWorld(phi=0.8),
    "no effect, after bad days, 84 days": DiaryWorld(days=84, massages=6, min_gap_d=8),
    "no effect, at peaks": DiaryWorld(assign="peak"),
    "no effect, noise without memory, at peaks": DiaryWorld(phi=0.0, assign="peak"),
    "no effect, rating noise": DiaryWorld(noise=0.9),
    "no effect, rating noise and flares": DiaryWorld(noise=0.9, flare=2.5),
    "no effect, fixed dates": DiaryWorld(assign="fixed"),
    "effect -1.5, fixed dates": DiaryWorld(effect=-1.5, assign="fixed"),
    "effect -1.5, fixed dates, 84 days": DiaryWorld(
        effect=-1.5, assign="fixed", days=84, massages=6
    ),
    "effect -1.5, after bad days": DiaryWorld(effect=-1.5),
    "effect -1.5, fixed, rating noise and flares": DiaryWorld(
        effect=-1.5, assign="fixed", noise=0.9, flare=2.5
    ),
    "effect -1.5, fixed dates, 25 % missing": DiaryWorld(effect=-1.5, assign="fixed", missing=0.25),
    "effect -1.5, a year": DiaryWorld(effect=-1.5, assign="fixed", days=364, massages=26),
}


def of_world(world: DiaryWorld, seeds: int, seed: int) -> dict[str, object]:
    """Rates over `seeds` simulated people."""
    rated, booked = simulate(np.random.default_rng(seed), world, seeds)
    series = [Series(y=y, event=m.astype(float)) for y, m in zip(rated, booked, strict=True)]
    once = [evaluate(s) for s in series]
    shown = [published(s) for s in series]
    found = [r.short for r in once if r.short is not None]
    truth = world.window_effect(1, 3)
    n = len(found)
    return {
        "world": asdict(world),
        "massages_mean": round(float(booked.sum(axis=1).mean()), 2),
        "estimated": n,
        "bias": round(float(np.mean([e.beta - truth for e in found])), 3) if n else None,
        "coverage": round(float(np.mean([e.low <= truth <= e.high for e in found])), 3)
        if n
        else None,
        "half_width": round(float(np.mean([e.half_width for e in found])), 2) if n else None,
        "interval_below_0": round(float(np.mean([e.high < 0 for e in found])), 3) if n else None,
        "claims_one_look": round(sum(r.category in RELIEF for r in once) / seeds, 3),
        "claims_published": round(sum(r.category in RELIEF for r in shown) / seeds, 3),
        "categories": dict(Counter(r.category.value for r in once)),
    }


def sitting(seeds: int, effect: float) -> dict[str, object]:
    """Long-sitting days of which 20 % were not worn; `effect` points on the same evening."""
    rng = np.random.default_rng(77)
    rated, _ = simulate(rng, DiaryWorld(massages=0, assign="random"), seeds)
    found: Counter[str] = Counter()
    for y in rated:
        event = (rng.random(y.size) < 0.33).astype(float)
        moved = np.clip(y + effect * event, 0, 10)
        event[rng.random(y.size) < 0.2] = np.nan
        found[evaluate_exposure(Series(y=moved, event=event)).direction.value] += 1
    wrong = found[Direction.LOOSER.value] + (found[Direction.TENSER.value] if effect == 0 else 0)
    return {"effect": effect, "directions": dict(found), "false_claims": round(wrong / seeds, 3)}


def training(seeds: int, weeks: int, effect: float) -> dict[str, object]:
    """Recovery of 0.08 points a week while training grows; `effect` per weekly day of dose."""
    rng = np.random.default_rng(78)
    found: Counter[str] = Counter()
    shown = 0
    for _ in range(seeds):
        e = np.zeros(weeks)
        for w in range(1, weeks):
            e[w] = 0.5 * e[w - 1] + rng.normal(0, 0.7)
        phase = np.sin(np.arange(weeks) / 3 + rng.uniform(0, 6))
        days = np.clip(np.round(1.8 + 1.4 * phase + rng.normal(0, 0.6, weeks)), 0, 6)
        dose = np.convolve(days, np.full(4, 0.25))[:weeks]
        mean = 6 - 0.04 * np.arange(weeks) + effect * dose + e
        found[training_effect(mean, days).category.value] += 1
        shown += published_training_effect(mean, days).category is TrainingCategory.PATTERN
    claimed = found[TrainingCategory.PATTERN.value] / seeds
    return {
        "weeks": weeks,
        "effect": effect,
        "claims_one_look": round(claimed, 3),
        "claims_published": round(shown / seeds, 3),
        "found": dict(found),
    }


def main() -> None:
    """Print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    out: dict[str, object] = {"seeds": options.seeds}
    worlds: dict[str, object] = {}
    titles = ("bias", "cover", "+-", "CI<0", "claim", "shown")
    print(f"{'world':45s} " + " ".join(f"{t:>6s}" for t in titles))
    for i, (name, world) in enumerate(WORLDS.items()):
        got = of_world(world, options.seeds, 100 + i)
        worlds[name] = got
        cells = (got["bias"], got["coverage"], got["half_width"], got["interval_below_0"])
        cells += (got["claims_one_look"], got["claims_published"])
        print(f"{name:45s} " + " ".join(f"{c!s:>6s}" for c in cells))
    out["massage"] = worlds
    out["sitting"] = [sitting(options.seeds, e) for e in (0.0, 1.5)]
    out["training"] = [training(options.seeds, w, e) for w in (16, 26, 52) for e in (0.0, -0.6)]
    for row in [*out["sitting"], *out["training"]]:  # type: ignore[misc]
        print(row)
    if options.out is not None:
        options.out.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
