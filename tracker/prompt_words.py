# SPDX-License-Identifier: Apache-2.0
"""A prompt in words, the same on every channel: a question or a plain sentence, never an order."""

from dataclasses import dataclass

from tracker.prompts import Prompt
from tracker.report.i18n import Language

SNOOZES: tuple[int | None, ...] = (30, 60, None)  # minutes; None is until tomorrow


def sentence(lang: Language, prompt: Prompt) -> str:
    """What is said."""
    tone = "question" if prompt.tone == "question" else "plain"
    return lang.t(f"pages.prompt.{prompt.cause}.{tone}", minutes=lang.duration(prompt.minutes))


def snooze_label(lang: Language, minutes: int | None) -> str:
    """The words of a snooze button."""
    return lang.t("pages.prompt.snooze", n=minutes) if minutes else lang.t("pages.prompt.tomorrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A prompt as a channel gets it: no name, no wearer id, only what it says.

    `buttons` holds (minutes or None, label) of each way to ask for quiet.
    """

    prompt: Prompt
    text: str
    done: str
    buttons: tuple[tuple[int | None, str], ...]

    @property
    def silent(self) -> bool:
        """Shown, without a sound and without a vibration."""
        return self.prompt.tone == "silent"


def notice(lang: Language, prompt: Prompt) -> Notice:
    """The prompt in the wearer's language."""
    return Notice(
        prompt=prompt,
        text=sentence(lang, prompt),
        done=lang.t("pages.prompt.done"),
        buttons=tuple((m, snooze_label(lang, m)) for m in SNOOZES),
    )
