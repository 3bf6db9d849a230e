# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
# ruff: noqa: INP001 - copied to a board as it is, so it is no package
"""The device side of Backstay's open IMU profile, version 1, for CircuitPython and for CPython.

Only `struct` is needed. No clock, no radio: the caller passes ticks and carries payloads. Nothing
here allocates per sample, because a garbage collection in mid-stream costs samples.

Byte layouts and rules: firmware_protocol/PROTOCOL.md.
"""

import struct

VERSION = 1
TICK_HZ = 32768
LAYOUT_A, LAYOUT_AG = 0, 1
CHANNELS = {LAYOUT_A: 3, LAYOUT_AG: 6}
RATES_HZ = (26, 52, 104)
ACC_RANGES_G = (2, 4, 8, 16)
GYRO_RANGES_DPS = (250, 500, 1000, 2000)
KEEP_SAMPLING = 1

START, STOP, RANGE, REPLAY, ABORT, SYNC, IDENTIFY, ERASE, SLEEP = range(1, 10)
OK, UNKNOWN_OP, BAD_PARAMETER, NOT_SUPPORTED, BUSY, WRONG_STATE, PARTLY = range(7)
ATT_STREAMING, ATT_UNSUPPORTED = 0x80, 0x81


class Refused(Exception):
    """A write that the profile answers with an ATT error; `code` says which."""

    def __init__(self, code):
        """0x80: streaming; 0x81: unsupported."""
        super().__init__(f"ATT error 0x{code:02x}")
        self.code = code


class Ring:
    """The newest samples: int16 values and a u32 tick each, in two fixed buffers."""

    def __init__(self, capacity, channels):
        """Room for `capacity` samples."""
        self.capacity = capacity
        self.size = 2 * channels
        self._data = bytearray(capacity * self.size)
        self._ticks = bytearray(capacity * 4)
        self.next = 0  # index of the next sample, u32 in the protocol
        self.count = 0

    @property
    def oldest(self):
        """Index of the oldest sample kept."""
        return self.next - self.count

    def add(self, values, tick):
        """Keep one sample given as a tuple of int16."""
        at = self.next % self.capacity
        struct.pack_into(f"<{self.size // 2}h", self._data, at * self.size, *values)
        struct.pack_into("<I", self._ticks, at * 4, tick & 0xFFFFFFFF)
        self.next += 1
        self.count = min(self.count + 1, self.capacity)

    def skip(self, n):
        """Samples the IMU took and nobody read: their indices pass, the ring begins anew."""
        self.next += n
        self.count = 0

    def clear(self):
        """Forget all samples; the index goes on."""
        self.count = 0

    def frame(self, first, n, layout, replay, gap):
        """A stream frame of samples first .. first + n - 1."""
        out = bytearray(8 + n * self.size)
        bits = n | (0x40 if replay else 0) | (0x80 if gap else 0)
        last = (first + n - 1) % self.capacity
        out[0] = VERSION << 4 | layout
        out[1] = bits
        struct.pack_into("<H", out, 2, first & 0xFFFF)
        out[4:8] = self._ticks[last * 4 : last * 4 + 4]
        for k in range(n):
            at = (first + k) % self.capacity * self.size
            to = 8 + k * self.size
            out[to : to + self.size] = self._data[at : at + self.size]
        return bytes(out)


class OpenImu:
    """The state of one device.

    The caller's loop: `sample()` for each reading, then send what `live()` and `replay()` return;
    `control()` for each write to the control point, `configure()` for one to the configuration;
    `linked()` when a central comes or goes. `boot` must grow with each power-up.
    """

    def __init__(self, boot, ring=3000, chip=b"LSM6DS3TR-C"):
        """Begin with acceleration and rotation at 52 Hz."""
        self.boot = boot & 0xFFFF
        self.chip = chip
        self.layout, self.rate_hz = LAYOUT_AG, 52
        self.acc_g, self.gyro_dps = 8, 1000
        self.per_frame, self.flags = 0, KEEP_SAMPLING
        self.streaming = False
        self.sampling = False
        self.synced = False
        self.overflow = False
        self.payload = 20  # what a notification may hold: MTU - 3
        self._capacity = ring
        self.ring = Ring(ring, CHANNELS[self.layout])
        self._sent = 0  # index after the last live sample sent
        self._gap = False
        self._replay = None  # [next, last, sent] of a replay under way
        self.changed = False  # the configuration changed: set the IMU up again

    # -- characteristics ------------------------------------------------------------------------

    def capabilities(self):
        """Type, length, value."""
        out = b"\x01\x02" + bytes([VERSION, 0])
        out += b"\x02\x04" + struct.pack("<I", TICK_HZ)
        out += b"\x03\x02" + struct.pack("<H", 1 << LAYOUT_A | 1 << LAYOUT_AG)
        out += bytes([4, 2 * len(RATES_HZ)]) + struct.pack(f"<{len(RATES_HZ)}H", *RATES_HZ)
        out += bytes([5, len(ACC_RANGES_G)]) + bytes(ACC_RANGES_G)
        count = len(GYRO_RANGES_DPS)
        out += bytes([6, 2 * count]) + struct.pack(f"<{count}H", *GYRO_RANGES_DPS)
        out += b"\x07\x04" + struct.pack("<I", self._capacity)
        return out + bytes([8, len(self.chip)]) + self.chip

    def configuration(self):
        """As applied."""
        return struct.pack(
            "<BBHBBHBB",
            VERSION,
            self.layout,
            self.rate_hz,
            self.acc_g,
            0,
            self.gyro_dps,
            self.per_frame,
            self.flags,
        )

    def configure(self, data):
        """Take a configuration or raise Refused; nothing is changed in part."""
        if self.streaming or self.sampling:
            raise Refused(ATT_STREAMING)
        if len(data) != 10:
            raise Refused(ATT_UNSUPPORTED)
        version, layout, rate, acc, _, gyro, n, flags = struct.unpack("<BBHBBHBB", data)
        if (
            version != VERSION
            or layout not in CHANNELS
            or rate not in RATES_HZ
            or acc not in ACC_RANGES_G
            or gyro not in GYRO_RANGES_DPS
            or n > 63
        ):
            raise Refused(ATT_UNSUPPORTED)
        self.layout, self.rate_hz, self.acc_g, self.gyro_dps = layout, rate, acc, gyro
        self.per_frame, self.flags = n, flags
        index = self.ring.next
        self.ring = Ring(self._capacity, CHANNELS[layout])
        self.ring.next = self._sent = index
        self.changed = True

    def scale(self):
        """m/s2, rad/s, microtesla and quaternion units per count; full scale is 32768 counts."""
        acc = self.acc_g * 9.80665 / 32768
        gyro = self.gyro_dps * 0.017453292519943295 / 32768
        return struct.pack("<4f", acc, gyro, 0.0, 1 / 16384)

    def status(self, tick):
        """Twenty bytes; reading clears the overflow bit."""
        bits = self.streaming | self.sampling << 1 | self.synced << 3 | self.overflow << 4
        self.overflow = False
        return struct.pack(
            "<BBHIIQ",
            VERSION,
            bits,
            self.boot,
            self.ring.next & 0xFFFFFFFF,
            self.ring.oldest & 0xFFFFFFFF,
            tick,
        )

    def control(self, data, tick):
        """Take a write to the control point; return the indication, or None for "later"."""
        op = data[0] if data else 0
        if op == START:
            self.streaming = self.sampling = True
            self._sent = self.ring.next
        elif op == STOP:
            self.streaming = self.sampling = False
            self._replay = None
        elif op == RANGE:
            return self._answer(op, OK, struct.pack("<II", self.ring.oldest, self.ring.next))
        elif op == REPLAY:
            return self._begin_replay(data)
        elif op == ABORT:
            self._replay = None
        elif op == SYNC:
            if len(data) != 10:
                return self._answer(op, BAD_PARAMETER)
            self.synced = True
            return self._answer(op, OK, struct.pack("<BQH", data[1], tick, 0))
        elif op == ERASE:
            self.ring.clear()
        elif op not in (IDENTIFY, SLEEP):
            return self._answer(op, UNKNOWN_OP)
        return self._answer(op, OK)

    @staticmethod
    def _answer(op, status, params=b""):
        return bytes([0x80 | op, status]) + params

    # -- samples --------------------------------------------------------------------------------

    def linked(self, up, payload=20):
        """A central came (`payload` = MTU - 3) or went."""
        self.payload = payload
        self._replay = None
        if not up:
            self.streaming = False
            self.sampling = self.sampling and bool(self.flags & KEEP_SAMPLING)

    def sample(self, values, tick):
        """One reading: acceleration and, in layout AG, rotation, as int16."""
        if self.sampling:
            self.ring.add(values[: CHANNELS[self.layout]], tick)

    def lost(self, n):
        """The IMU's FIFO overflowed by n samples."""
        if self.sampling:
            self.ring.skip(n)
            self._sent = self.ring.next
            self._gap = True
            self.overflow = True

    def batch(self):
        """Samples per frame: as configured, or what fits and takes at most 200 ms."""
        fits = min((self.payload - 8) // self.ring.size, 63)
        if self.per_frame:
            return min(self.per_frame, fits)
        return max(1, min(fits, self.rate_hz // 5))

    def live(self):
        """The next full live frame, or None."""
        if not self.streaming:
            return None
        if self._sent < self.ring.oldest:  # the radio fell behind the whole ring
            self._sent, self._gap = self.ring.oldest, True
        n = self.batch()
        if self.ring.next - self._sent < n:
            return None
        frame = self.ring.frame(self._sent, n, self.layout, False, self._gap)
        self._gap = False
        self._sent += n
        return frame

    def _begin_replay(self, data):
        if len(data) != 9:
            return self._answer(REPLAY, BAD_PARAMETER)
        first, last = struct.unpack("<II", data[1:])
        if last < first:
            return self._answer(REPLAY, BAD_PARAMETER)
        if self._replay:
            return self._answer(REPLAY, BUSY)
        begin = max(first, self.ring.oldest)
        end = min(last, self.ring.next - 1)
        self._replay = [begin, end, 0, begin == first and end == last]
        return None  # the answer follows the last frame

    def replay(self):
        """(frame, None), at the end (None, indication), or (None, None) when nothing is asked."""
        if not self._replay:
            return None, None
        at, end, sent, whole = self._replay
        if at < self.ring.oldest:  # overwritten while it was being sent
            at, whole = self.ring.oldest, False
        if at > end:
            self._replay = None
            status = OK if whole else PARTLY
            return None, self._answer(REPLAY, status, struct.pack("<II", max(end, 0), sent))
        n = min(max(1, min((self.payload - 8) // self.ring.size, 63)), end - at + 1)
        frame = self.ring.frame(at, n, self.layout, True, False)
        self._replay = [at + n, end, sent + n, whole]
        return frame, None
