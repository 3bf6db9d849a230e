# SPDX-License-Identifier: Apache-2.0
"""Every chart of the pages and the PDF, one file per picture."""

from tracker.report.charts.base import COLOURS, Picture, nothing_yet
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.report.charts.ribbon import Mark, ribbon

__all__ = ["COLOURS", "DayMinutes", "Mark", "Picture", "day_minutes", "nothing_yet", "ribbon"]
