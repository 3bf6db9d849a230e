# SPDX-License-Identifier: Apache-2.0
"""Our profile against its simulated device: nothing is lost that the device still has."""

import numpy as np
import pytest

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders.reference import ReferencePeripheral, ReferenceSession
from firmware_protocol.frame import Kind, Packet, PacketFlag
from firmware_protocol.loopback import Loopback
from firmware_protocol.peripheral import AttError, Block
from firmware_protocol.registry import Resume, Wish, decoders
from firmware_protocol.sequence import SequenceState, advance

S = 1_000_000_000
T0 = 1_760_000_000 * S


class Wearer:
    """Motion at 50 Hz that can be told apart sample by sample, and what was received of it."""

    def __init__(self, device: ReferencePeripheral | None = None) -> None:
        self.device = device or ReferencePeripheral()
        self.link: Loopback | None = None
        self.now_ns = T0
        self.made = 0
        self.state = SequenceState()
        self.got: dict[int, int] = {}
        self.blocks = 0

    def connect(self, resume: Resume | None = None) -> Loopback:
        """Open a session and carry out its start sequence."""
        session = decoders()["reference"].open(Wish(), resume=resume)
        self.link = Loopback(session, self.device)
        self.take(self.link.start(self.now_ns))
        return self.link

    def take(self, packets: list[Packet]) -> None:
        """Keep the samples and their times; none may come out twice."""
        for packet in packets:
            if packet.stream.kind != Kind.ACC:
                continue
            block, self.state = advance(self.state, packet)
            for t, row in zip(block.t_ns.tolist(), block.values, strict=True):
                number = round(float(row[0] * 4096)) + round(float(row[1] * 4096)) * 4096
                assert number not in self.got, "a sample came out twice"
                self.got[number] = t

    def move(self, n: int) -> Block:
        """Make the next n samples."""
        k = np.arange(self.made, self.made + n)
        self.made += n
        t = self.now_ns + (np.arange(n) + 1) * 20_000_000
        self.now_ns = int(t[-1])
        acc = np.stack([k % 4096 / 4096, k // 4096 / 4096, np.ones(n)], axis=1)
        return Block(t_ns=t, acc_g=acc.astype(np.float32), gyr_dps=np.zeros((n, 3), np.float32))

    def walk(self, n: int, *, lose: tuple[int, ...] = ()) -> None:
        """Move while connected; notifications of the given numbers are lost on the air."""
        number = 0
        for part in [10] * (n // 10) + [n % 10] * bool(n % 10):
            sent = self.device.notify(self.move(part))
            kept = [s for k, s in enumerate(sent, number) if k not in lose]
            number += len(sent)
            self.take(self.link.deliver(kept, self.now_ns))

    def away(self, n: int) -> Resume | None:
        """Out of reach: the link is gone, the device goes on."""
        resume = self.link.session.resume()
        self.device.on_disconnect()
        self.device.notify(self.move(n))
        return resume


def test_walk_to_the_kitchen_loses_nothing() -> None:
    """Three minutes out of reach: after reconnecting every sample is there, at its own time."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(500)
    resume = wearer.away(9000)
    wearer.connect(resume)
    wearer.walk(500)
    assert sorted(wearer.got) == list(range(10000))
    error = [wearer.got[k] - (T0 + (k + 1) * 20_000_000) for k in range(10000)]
    assert max(map(abs, error)) < 5_000_000
    assert wearer.state.counters.recovered >= 9000
    assert wearer.state.counters.resets == 0
    assert not wearer.link.errors


def test_longer_than_the_sixteen_bit_index() -> None:
    """Half an hour away: more samples than the frame's index can count."""
    wearer = Wearer(ReferencePeripheral(ring=100_000))
    wearer.connect()
    wearer.walk(200)
    wearer.connect(wearer.away(90_000))
    wearer.walk(200)
    assert len(wearer.got) == 90_400


def test_a_second_loss_during_the_replay() -> None:
    """The link drops again in mid-replay; the third connection asks for what is still missing."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(100)
    first = wearer.away(5000)
    session = decoders()["reference"].open(Wish(), resume=first)
    wearer.link = Loopback(session, wearer.device)
    wearer.take(wearer.link.start(wearer.now_ns))
    sent = wearer.device.notify(wearer.move(10))
    wearer.take([p for c, d in sent for p in session.feed(_frame(c, d, wearer.now_ns))])
    (ask,) = [s for s in session.pending() if s.data[:1] == bytes([wire.REPLAY_OP])]
    answers = wearer.device.on_write(wire.CONTROL, ask.data, wearer.now_ns)
    half = [a for a in answers if a[0] == wire.REPLAY][:40]
    wearer.take([p for c, d in half for p in session.feed(_frame(c, d, wearer.now_ns))])
    wearer.connect(wearer.away(50))
    wearer.walk(100)
    assert sorted(wearer.got) == list(range(wearer.made))


def _frame(channel: str, data: bytes, at: int):
    from firmware_protocol.frame import Frame

    return Frame(sensor="t", channel=channel, payload=data, received_ns=at)


def test_lost_notifications_are_asked_for_while_connected() -> None:
    """A notification lost on the air is a hole like any other."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(500, lose=(3, 4, 20))
    wearer.walk(100)
    assert sorted(wearer.got) == list(range(600))


def test_what_the_ring_no_longer_holds_stays_a_gap() -> None:
    """A small ring: the old part is gone, is asked for once, and nothing waits for it.

    The ring held 2100.. when the link came back and ten samples less when REPLAY was asked for.
    """
    wearer = Wearer(ReferencePeripheral(ring=1000))
    wearer.connect()
    wearer.walk(100)
    wearer.connect(wearer.away(3000))
    wearer.walk(200)
    assert sorted(wearer.got) == [*range(100), *range(2110, 3300)]
    asked = [s for s in wearer.link.steps if s.data[:1] == bytes([wire.REPLAY_OP])]
    assert len(asked) == 1
    assert wearer.link.session.resume().missing == ()


def test_samples_the_device_itself_lost_are_not_asked_for() -> None:
    """The gap flag: counted as lost, no replay."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(100)
    wearer.device.dropped = 7
    wearer.walk(107)
    assert len(wearer.got) == 200
    assert wearer.state.counters.lost == 7
    assert not [s for s in wearer.link.steps if s.data[:1] == bytes([wire.REPLAY_OP])]


def test_no_replay_across_a_reboot() -> None:
    """A new boot counter: the old range means something else now."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(300)
    resume = wearer.link.session.resume()
    wearer.device.reboot()
    wearer.now_ns += 60 * S
    wearer.connect(resume)
    wearer.walk(300)
    assert len(wearer.got) == 600
    assert not [s for s in wearer.link.steps if s.data[:1] == bytes([wire.REPLAY_OP])]
    assert wearer.state.counters.resets == 1


def test_a_foreign_resume_is_ignored() -> None:
    """What another kind of sensor left is not taken for our own."""
    foreign = Resume(decoder="polar", boot=7, next_index=5)
    wearer = Wearer()
    wearer.connect(foreign)
    wearer.walk(100)
    assert len(wearer.got) == 100


def test_the_clock_is_measured_and_measured_again() -> None:
    """With transport taking 80 ms the samples still have their true time; SYNC every 10 min."""
    wearer = Wearer(ReferencePeripheral(drift_ppm=40))
    link = wearer.connect()
    link.delay_ns = 80_000_000
    for _ in range(1625):
        wearer.take(link.send(wearer.move(20)))
    rounds = sum(s.stamp_at is not None for s in link.steps)
    assert rounds == 8
    late = [
        wearer.got[k] - (T0 + (k + 1) * 20_000_000) for k in range(wearer.made - 500, wearer.made)
    ]
    assert max(map(abs, late)) < 25_000_000


def test_device_refuses_what_it_cannot_do() -> None:
    """Configuration while streaming is 0x80, an unsupported one 0x81, START unsubscribed 5."""
    device = ReferencePeripheral()
    with pytest.raises(AttError) as refused:
        device.on_write(wire.CONFIG, wire.Config(rate_hz=333).encode())
    assert refused.value.code == 0x81
    (answer,) = device.on_write(wire.CONTROL, bytes([wire.START]))
    assert answer[1] == bytes([0x81, wire.WRONG_STATE])
    device.on_subscribe(wire.LIVE, on=True)
    device.on_write(wire.CONTROL, bytes([wire.START]))
    with pytest.raises(AttError) as refused:
        device.on_write(wire.CONFIG, wire.Config().encode())
    assert refused.value.code == 0x80


def test_a_device_that_kept_sampling_is_not_reconfigured() -> None:
    """Writing the configuration would empty the buffer, so an equal one is left alone."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(100)
    link = wearer.connect(wearer.away(100))
    assert not [s for s in link.steps if s.action == "write" and s.channel == wire.CONFIG]


def test_small_links_work() -> None:
    """MTU 23: one sample per notification, never more than 20 bytes."""
    wearer = Wearer(ReferencePeripheral(mtu=23))
    wearer.connect()
    sizes = {len(d) for _, d in wearer.device.notify(wearer.move(50))}
    assert sizes == {20}


def test_resume_is_opaque_but_complete() -> None:
    """Before anything was received a session hands on what it was given."""
    old = Resume(decoder="reference", boot=7, next_index=5, missing=((1, 2),))
    assert ReferenceSession(Wish(), old).resume() == old
    assert ReferenceSession(Wish()).resume() is None


def test_a_lost_clock_answer_does_not_end_the_exchange() -> None:
    """Of four answers one is lost: the others still set the clock."""
    device = ReferencePeripheral()
    session = decoders()["reference"].open(Wish())
    link = Loopback(session, device)
    whole = device.on_write
    lost = []

    def once_deaf(uuid: str, data: bytes, now_ns: int | None = None):
        answers = whole(uuid, data, now_ns)
        if data[:1] == bytes([wire.SYNC]) and not lost:
            lost.append(data)
            return []
        return answers

    device.on_write = once_deaf
    packets = link.start(T0)
    assert lost
    assert any(PacketFlag.SYNC in p.flags for p in packets)


def test_a_busy_device_is_asked_again_after_the_next_live_frame() -> None:
    """BUSY is no reason to give up, nor to ask in a tight loop."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(100)
    whole, refusals = wearer.device.on_write, []

    def busy(uuid: str, data: bytes, now_ns: int | None = None):
        if data[:1] == bytes([wire.REPLAY_OP]) and len(refusals) < 3:
            refusals.append(now_ns)
            return [(wire.CONTROL, bytes([0x84, wire.BUSY]))]
        return whole(uuid, data, now_ns)

    wearer.device.on_write = busy
    wearer.walk(100, lose=(2,))
    assert len(set(refusals)) == 3
    assert sorted(wearer.got) == list(range(200))


def test_a_lost_replay_answer_is_waited_for_half_a_minute() -> None:
    """Without the answer the block is asked for again, so later holes are filled too."""
    wearer = Wearer()
    wearer.connect()
    wearer.walk(100)
    whole, dropped = wearer.device.on_write, []

    def deaf(uuid: str, data: bytes, now_ns: int | None = None):
        answers = whole(uuid, data, now_ns)
        if data[:1] == bytes([wire.REPLAY_OP]) and not dropped:
            dropped.append(data)
            return []
        return answers

    wearer.device.on_write = deaf
    wearer.walk(100, lose=(2,))
    wearer.walk(2000)
    assert sorted(wearer.got) == list(range(wearer.made))


def test_a_device_without_a_ring_is_asked_for_nothing() -> None:
    """Ring capacity 0 in the capabilities: holes stay holes, nothing to resume."""
    device = ReferencePeripheral(ring=0)
    wearer = Wearer(device)
    wearer.connect()
    wearer.walk(200, lose=(3,))
    assert len(wearer.got) == 190
    assert wearer.link.session.resume() is None
    assert not [s for s in wearer.link.steps if s.data[:1] == bytes([wire.REPLAY_OP])]


def test_a_restarted_host_finds_no_gap() -> None:
    """A clean stop ends streaming, not sampling: the next session gets the time between."""
    wearer = Wearer()
    link = wearer.connect()
    wearer.walk(100)
    resume = link.session.resume()
    link.stop(wearer.now_ns)
    assert (wearer.device.streaming, wearer.device.sampling) == (False, True)
    wearer.device.notify(wearer.move(500))
    wearer.connect(resume)
    wearer.walk(100)
    assert sorted(wearer.got) == list(range(700))
