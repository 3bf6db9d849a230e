# SPDX-License-Identifier: Apache-2.0
"""What a scan says of a device: bars, battery where advertised, decoder and why."""

import pytest

from firmware_protocol.registry import Advert, decoders
from tests.fakes.plain import PLAIN, SERVICE
from tracker.collect.hub import has_prefix, resume_of
from tracker.collect.scan import bars, battery_of, fit
from tracker.collect.wire import found_json


@pytest.mark.parametrize(
    ("rssi", "shown"), [(None, 0), (-100, 0), (-90, 1), (-80, 2), (-70, 3), (-60, 4), (-30, 4)]
)
def test_bars(rssi: int | None, shown: int) -> None:
    """Four bars beside the sensor, none at the edge of the link."""
    assert bars(rssi) == shown


def test_services_say_which_decoder_and_why() -> None:
    """An advertised service is enough; a name alone stays a hint below 50."""
    line = found_json(fit(Advert(address="A", services=(SERVICE,)), extra=[PLAIN]))
    assert (line["decoder"], line["score"]) == ("plain", 90)
    for decoder in decoders().values():
        named = fit(Advert(address="A", name=decoder.title))
        assert named.match is None or named.match.score < 50
    nothing = found_json(fit(Advert(address="A")))
    assert (nothing["decoder"], nothing["score"]) == (None, 0)
    assert nothing["why"]


def test_battery_from_service_data() -> None:
    """A level that is advertised is shown; nonsense is not."""
    key = "0000180f-0000-1000-8000-00805f9b34fb"
    assert battery_of(Advert(address="A", service_data={key: b"\x57"})) == 87
    assert battery_of(Advert(address="A", service_data={key: b"\xff"})) is None
    assert battery_of(Advert(address="A")) is None
    assert fit(Advert(address="A", service_data={key: b"\x57"})).battery_pct == 87


def test_addresses_with_a_prefix_are_no_radio_addresses() -> None:
    """Bluetooth addresses have colons too, macOS identifiers have none."""
    assert has_prefix("phone:12ab")
    assert has_prefix("phyphox:10.0.0.2:8080")
    assert not has_prefix("C0:00:00:00:00:01")
    assert not has_prefix("4A6C0001-0AA9-4205-BEA2-99D70D91DA5C")


def test_a_stored_resume_that_cannot_be_read_is_no_resume() -> None:
    """Whatever stands in the configuration, the sensor is served."""
    good = {"decoder": "reference", "boot": 3, "next_index": 9, "missing": [[1, 4]]}
    found = resume_of(good)
    assert found is not None
    assert found.missing == ((1, 4),)
    for bad in (None, 7, {}, {**good, "boot": "x"}, {**good, "missing": [[1]]}):
        assert resume_of(bad) is None
