# SPDX-License-Identifier: Apache-2.0
"""Sensors that can make themselves felt: the documented bytes, and only where they are known."""

import pytest

from firmware_protocol.registry import Advert, Haptic, Step, Wish, decoders

ADDRESS = "C0:00:00:00:00:01"


def pulse(name: str, advert_name: str = "") -> list[Step]:
    """The steps of 400 ms on a sensor of this decoder."""
    advert = Advert(address=ADDRESS, name=advert_name)
    session = decoders()[name].open(Wish(), advert)
    assert isinstance(session, Haptic)
    steps = list(session.vibrate(400))
    assert all(s.optional for s in steps), "a sensor that refuses must not lose its connection"
    assert all(len(s.data) <= 20 for s in steps), "fits the smallest write"
    return steps


def test_metamotion_drives_its_motor() -> None:
    """Module 8, register 1, full duty, 400 ms little-endian, motor."""
    (step,) = pulse("metamotion")
    assert step.data == bytes.fromhex("0801f8900100")
    assert step.action == "write_no_response"


@pytest.mark.parametrize(
    ("name", "line"),
    [("Bangle.js 1234", b"Bangle.buzz(400)"), ("Puck.js 1234", b"digitalPulse(LED1,1,400)")],
)
def test_espruino_is_told_in_its_own_language(name: str, line: bytes) -> None:
    """A Bangle.js buzzes, a Puck.js lights its lamp; the program that streams goes on."""
    sent = b"".join(s.data for s in pulse("espruino", name))
    assert sent == b"\x10" + line + b"\n"
    assert b"reset" not in sent


def test_our_profile_identifies_itself() -> None:
    """IDENTIFY for one second; the device answers and keeps sampling."""
    (step,) = pulse("reference")
    assert step.data == b"\x07\x01"
    session = decoders()["reference"].open(Wish(), None)
    assert isinstance(session, Haptic)


def test_others_promise_nothing() -> None:
    """A decoder without known bytes has no such method, so the channel says so."""
    able = {n for n, d in decoders().items() if isinstance(d.open(Wish(), None), Haptic)}
    assert able == {"metamotion", "espruino", "reference"}
