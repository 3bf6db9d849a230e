# SPDX-License-Identifier: Apache-2.0
"""The few words the engine itself adds to texts, whatever rule base it runs.

They stand here and not in the rule base so that any `--rules` file gets them; the lint reads them.
"""

PHRASES: dict[str, dict[str, str]] = {
    "why": {"en": "Why: {reason}", "de": "Warum: {reason}"},
    "told": {"en": "{reason} (from what you told us)", "de": "{reason} (nach Ihren Angaben)"},
    # `sit_*` facts come from days with 10 h of wear, unless the facts say the day was not covered.
    "per_day": {"en": "a day", "de": "pro Tag"},
    "per_day_worn": {"en": "a day while worn", "de": "pro Tag während der Tragezeit"},
    "not_reviewed": {
        "en": "Not yet reviewed by a clinician.",
        "de": "Noch nicht von einer klinischen Fachperson geprüft.",
    },
    "reviewed": {"en": "Clinically reviewed: {who}", "de": "Klinisch geprüft: {who}"},
}
