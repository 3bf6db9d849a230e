# SPDX-License-Identifier: Apache-2.0
"""`backstay influx`: provisioning against the HTTP contract of 2.x and a real 1.6.7."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fakes.influx2 import ADMIN, Influx2
from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.series import T0, make_epochs
from tracker.commands.influx import command
from tracker.errors import StoreError
from tracker.model import Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.influx_setup import provision
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import Fault, InfluxFault, InfluxTarget
from tracker.store.sqlite import open_store

W, P = "w-1", Placement.UPPER_BACK


@pytest.fixture
def two() -> Iterator[Influx2]:
    """The contract of 2.x."""
    server = Influx2()
    yield server
    server.close()


@pytest.fixture
def settings(two: Influx2, tmp_path: Path) -> Settings:
    """Settings that point there."""
    return Settings(data=tmp_path / "data", zone="UTC", influx_url=two.url)


def test_setup_makes_bucket_mapping_and_two_tokens(two: Influx2, settings: Settings) -> None:
    """One bucket with retention, one DBRP mapping, a token that writes and one that reads."""
    made = provision(settings, ADMIN, keep_days=400)
    (bucket,) = two.buckets.values()
    assert bucket["name"] == "posture"
    assert bucket["retentionRules"] == [{"type": "expire", "everySeconds": 400 * 86_400}]
    assert [d["database"] for d in two.dbrps] == ["posture"]
    assert two.dbrps[0]["bucketID"] == bucket["id"]
    assert two.may(made.write_token, "write", "posture")
    assert not two.may(made.write_token, "read", "posture")
    assert two.may(made.read_token, "read", "posture")
    assert not two.may(made.read_token, "write", "posture")


def test_setup_again_renews_tokens_and_doubles_nothing(two: Influx2, settings: Settings) -> None:
    """A second run keeps the bucket, sets its retention and replaces both tokens."""
    first = provision(settings, ADMIN)
    second = provision(settings, ADMIN, keep_days=30)
    assert len(two.buckets) == len(two.dbrps) == 1
    (bucket,) = two.buckets.values()
    assert bucket["retentionRules"][0]["everySeconds"] == 30 * 86_400
    assert {t["token"] for t in two.tokens.values()} == {second.write_token, second.read_token}
    assert first.write_token not in {second.write_token, second.read_token}


def test_setup_says_what_is_wrong(two: Influx2, settings: Settings) -> None:
    """A wrong token, an unknown organisation and a missing address are sentences."""
    with pytest.raises(StoreError, match="operator's token"):
        provision(settings, "wrong")
    with pytest.raises(StoreError, match="BACKSTAY_INFLUX_ORG"):
        provision(replace(settings, influx_org="other"), ADMIN)
    with pytest.raises(StoreError, match="BACKSTAY_INFLUX_URL"):
        provision(replace(settings, influx_url=""), ADMIN)
    assert two.buckets == {}


def test_the_collectors_token_writes_and_erases_but_the_dashboards_does_not(
    two: Influx2, settings: Settings
) -> None:
    """Writes and the predicate delete go with the write token; the read token is refused."""
    made = provision(settings, ADMIN)
    store = open_store(settings)
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 10)))
    reading = InfluxTarget(replace(settings, influx_token=made.read_token))
    with pytest.raises(InfluxFault) as caught:
        Sink(store, reading).step()
    assert caught.value.fault is Fault.REFUSED
    reading.close()
    target = InfluxTarget(replace(settings, influx_token=made.write_token))
    sink = Sink(store, target)
    sink.drain()
    assert sorted({text.split(",")[0] for text in two.written}) == ["day", "epoch", "hour"]
    store.erase(W)
    sink.step()
    assert two.deletes == [
        {
            "start": "1970-01-01T00:00:00Z",
            "stop": "2200-01-01T00:00:00Z",
            "predicate": f'wearer="{W}"',
            "bucket": "posture",
            "org": "backstay",
        }
    ]
    assert list(store.erasing()) == []
    target.close()
    store.close()


def test_commands_setup_status_and_resend_on_a_real_server(influxd: str, tmp_path: Path) -> None:
    """On 1.x: setup makes the database, status shows the queue, resend sends everything."""
    server = Influxd(influxd, tmp_path / "influxd")
    server.start()
    shim = Shim(server)
    try:
        settings = Settings(data=tmp_path / "data", zone="UTC", influx_url=shim.url)
        env = settings.environment()
        done = CliRunner().invoke(
            command, ["setup", "--admin-token", "a:b", "--keep-days", "3650"], env=env
        )
        assert done.exit_code == 0, done.output
        policies = server.query("SHOW RETENTION POLICIES ON posture")
        assert "87600h0m0s" in repr(policies)
        store = open_store(settings)
        store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1000)))
        store.close()
        done = CliRunner().invoke(command, ["status"], env=env)
        assert '"backlog_hours": 2' in done.output
        done = CliRunner().invoke(command, ["resend"], env=env)
        assert "2 hours sent" in done.output
        count = server.query("SELECT count(state) FROM epoch", "posture")
        assert "1000" in repr(count)
        store = open_store(settings)  # a collector runs: it is asked by a mark
        target = InfluxTarget(settings)
        sink = Sink(store, target)
        assert sink.step() == 0
        done = CliRunner().invoke(command, ["resend"], env=env)
        assert "next round" in done.output
        assert [sink.step(), sink.step()] == [2, 0]
        target.close()
        store.close()
    finally:
        shim.close()
        server.kill()
