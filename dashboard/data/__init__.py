# SPDX-License-Identifier: Apache-2.0
"""Everything that pages read and write. Each function asks the gate first and keeps no answer.

One module per kind of data; pages import this package alone. Nothing here knows Streamlit.
"""

from dashboard.data.advice import advice, facts_of
from dashboard.data.diary import (
    delete,
    edit,
    editable,
    entries,
    evening_entry,
    evenings,
    massages,
    save_correction,
    save_entry,
    save_evening,
    save_massage,
    save_training,
    trainings,
)
from dashboard.data.people import owner, profile_of, save_person, save_settings
from dashboard.data.series import (
    LEAST_USUAL,
    Day,
    Usual,
    clock_of,
    day,
    gaps,
    has_series,
    is_demo,
    live,
    minutes_of_days,
    placements,
    sets,
    signal_bars,
    summaries,
    usual,
)
from dashboard.data.sources import NOBODY, Sources, close, sources

__all__ = [
    "LEAST_USUAL",
    "NOBODY",
    "Day",
    "Sources",
    "Usual",
    "advice",
    "clock_of",
    "close",
    "day",
    "delete",
    "edit",
    "editable",
    "entries",
    "evening_entry",
    "evenings",
    "facts_of",
    "gaps",
    "has_series",
    "is_demo",
    "live",
    "massages",
    "minutes_of_days",
    "owner",
    "placements",
    "profile_of",
    "save_correction",
    "save_entry",
    "save_evening",
    "save_massage",
    "save_person",
    "save_settings",
    "save_training",
    "sets",
    "signal_bars",
    "sources",
    "summaries",
    "trainings",
    "usual",
]
