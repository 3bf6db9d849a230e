# SPDX-License-Identifier: Apache-2.0
"""A decoder session and a simulated device joined without a radio: steps in, packets out.

For the demo, unit tests and firmware authors. The collector does the same over Bleak.
"""

from collections import deque
from collections.abc import Sequence

from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame, Packet
from firmware_protocol.peripheral import AttError, Motion, Notification, Peripheral
from firmware_protocol.registry import Session, Step


class Loopback:
    """One connection. `delay_ns` is how long each notification takes to arrive."""

    def __init__(
        self, session: Session, device: Peripheral, *, sensor: str = "loopback", delay_ns: int = 0
    ) -> None:
        self.session = session
        self.device = device
        self.sensor = sensor
        self.delay_ns = delay_ns
        self.errors: list[ProtocolError] = []
        self.steps: list[Step] = []
        self._busy = False

    def start(self, now_ns: int) -> list[Packet]:
        """Carry out the start sequence, then what became pending by its answers."""
        return self._run(self.session.start(), now_ns)

    def stop(self, now_ns: int) -> list[Packet]:
        """Carry out the stop sequence and drop the link."""
        packets = self._run(self.session.stop(), now_ns)
        self.device.on_disconnect()
        return packets

    def send(self, samples: Motion) -> list[Packet]:
        """Let the device sample this motion; return the packets that arrive."""
        if not len(samples.t_ns):
            return []
        return self.deliver(self.device.notify(samples), int(samples.t_ns[-1]) + self.delay_ns)

    def deliver(self, notifications: Sequence[Notification], now_ns: int) -> list[Packet]:
        """Hand notifications to the session; protocol errors are kept in `errors`."""
        packets: list[Packet] = []
        for channel, payload in notifications:
            frame = Frame(sensor=self.sensor, channel=channel, payload=payload, received_ns=now_ns)
            try:
                packets.extend(self.session.feed(frame))
            except ProtocolError as error:
                self.errors.append(error)
            if not self._busy:
                packets.extend(self._run((), now_ns))
        return packets

    def _run(self, steps: Sequence[Step], now_ns: int) -> list[Packet]:
        packets: list[Packet] = []
        self._busy = True
        try:
            todo = deque(steps)
            while todo or (todo := deque(self.session.pending())):
                packets += self._step(todo.popleft(), now_ns)
        finally:
            self._busy = False
        return packets

    def _step(self, step: Step, now_ns: int) -> list[Packet]:
        self.steps.append(step)
        try:
            answers = self._carry_out(step, now_ns)
        except AttError:
            if not step.optional:
                raise
            return []
        return self.deliver(answers, now_ns)

    def _carry_out(self, step: Step, now_ns: int) -> list[Notification]:
        if step.action in ("subscribe", "unsubscribe"):
            return self.device.on_subscribe(step.channel, step.action == "subscribe")
        if step.action == "read":
            return [(step.channel, self.device.on_read(step.channel, now_ns))]
        if step.action in ("write", "write_no_response"):
            data = step.data
            if step.stamp_at is not None:
                at = step.stamp_at
                data = data[:at] + (now_ns // 1000).to_bytes(8, "little") + data[at + 8 :]
                self.session.wrote(step, now_ns)
            return self.device.on_write(step.channel, data, now_ns)
        return []
