# SPDX-License-Identifier: Apache-2.0
"""From batches that phones send to frames in the hub's queue, each once.

Batches are numbered within a session. One that was delivered before is acknowledged again and not
stored twice; one that was overtaken is handed on as late (the hub stores it where it belongs).
None waits for another: what was acknowledged is on the disk within a second, whatever happens.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame
from firmware_protocol.phones import sensor_logger, web_page
from firmware_protocol.phones._common import PhoneSession
from tracker.collect.devices import Device
from tracker.collect.inbox import Arrival, Inbox, LinkNews

FORMATS: dict[str, ModuleType] = {"page": web_page, "sensor-logger": sensor_logger}
LATE = ";late"
_REMEMBERED = 5_000  # numbers of a session that are known as delivered: hours of batches


@dataclass(slots=True)
class _Stream:
    """One session of one phone."""

    session: PhoneSession
    next_number: int
    seen: set[int] = field(default_factory=set)


@dataclass(slots=True)
class PhoneSource:
    """All phones of a collector. `inbox_of` gives the hub's queue for a device it serves."""

    inbox_of: Callable[[Device], Inbox | None]
    counts: Counter[str] = field(default_factory=Counter)
    _streams: dict[tuple[str, str, str], _Stream] = field(default_factory=dict)

    def deliver(self, device: Device, format_name: str, body: bytes, received_ns: int) -> str:
        """Take one batch; "stored", "duplicate" or "late"; "not_served": it is not taken.

        Raises ProtocolError when the body cannot be used; then nothing of it is taken.
        """
        module = FORMATS[format_name]
        inbox = self.inbox_of(device)
        if inbox is None:
            self.counts["not_served"] += 1
            return "not_served"
        try:
            session_id, number = module.message_id(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise ProtocolError("the body is no complete JSON") from error
        frame = Frame(
            sensor=f"phone:{device.id}",
            channel=module.CHANNEL,
            payload=body,
            received_ns=received_ns,
        )
        # A trial run on a session of its own: a body that cannot be used must not be acknowledged.
        module.open_session().feed(frame)
        stream = self._stream(inbox, device, format_name, session_id, number, received_ns)
        verdict = self._place(inbox, stream, number, frame)
        self.counts[verdict] += 1
        return verdict

    def _stream(
        self,
        inbox: Inbox,
        device: Device,
        format_name: str,
        session_id: str,
        number: int,
        at_ns: int,
    ) -> _Stream:
        key = (device.id, format_name, session_id)
        stream = self._streams.get(key)
        if stream is None:
            session = FORMATS[format_name].open_session()
            stream = self._streams[key] = _Stream(session=session, next_number=number)
            inbox.tell(LinkNews(at_ns=at_ns, link="streaming", session=session))
            for old in [k for k in self._streams if k[0] == device.id and k != key][:-3]:
                del self._streams[old]
        return stream

    def _place(self, inbox: Inbox, stream: _Stream, number: int, frame: Frame) -> str:
        if number in stream.seen:
            return "duplicate"
        late = number < stream.next_number
        stream.next_number = max(stream.next_number, number + 1)
        self._hand_on(inbox, stream, number, frame, late=late)
        return "late" if late else "stored"

    def _hand_on(
        self, inbox: Inbox, stream: _Stream, number: int, frame: Frame, *, late: bool
    ) -> None:
        stream.seen.add(number)
        if len(stream.seen) > _REMEMBERED:
            stream.seen.discard(min(stream.seen))
        if late:
            frame = Frame(
                sensor=frame.sensor,
                channel=frame.channel + LATE,
                payload=frame.payload,
                received_ns=frame.received_ns,
            )
        inbox.put(Arrival(session=stream.session, frame=frame))
