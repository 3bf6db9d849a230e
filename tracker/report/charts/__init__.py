# SPDX-License-Identifier: Apache-2.0
"""Every chart of the pages and the PDF, one file per picture."""

from tracker.report.charts.accumulation import accumulation
from tracker.report.charts.actogram import actogram
from tracker.report.charts.angles import angles
from tracker.report.charts.base import COLOURS, Picture, nothing_yet
from tracker.report.charts.days import stacked_days
from tracker.report.charts.diary import episodes, ratings, training_weeks
from tracker.report.charts.effect import Range, effects
from tracker.report.charts.heatmap import heatmap
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.report.charts.ribbon import Mark, ribbon
from tracker.report.charts.training import Score, calendar, progress

__all__ = [
    "COLOURS",
    "DayMinutes",
    "Mark",
    "Picture",
    "Range",
    "Score",
    "accumulation",
    "actogram",
    "angles",
    "calendar",
    "day_minutes",
    "effects",
    "episodes",
    "heatmap",
    "nothing_yet",
    "progress",
    "ratings",
    "ribbon",
    "stacked_days",
    "training_weeks",
]
