# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
# ruff: noqa: INP001, SIM105 - a script for a board; CircuitPython has no contextlib.suppress
"""Board part of the open IMU profile: XIAO nRF52840 Sense, CircuitPython 9. Never run on a board.

Everything with a decision in it is in open_imu.py, which is tested on a computer.
"""

import time

import _bleio
import board
import busio
import digitalio
import microcontroller
from adafruit_lsm6ds import AccelRange, GyroRange, Rate
from adafruit_lsm6ds.lsm6ds3trc import LSM6DS3TRC
from open_imu import TICK_HZ, OpenImu, Refused

BASE = "4A6C{:04X}-0AA9-4205-BEA2-99D70D91DA5C"
RATES = {26: Rate.RATE_26_HZ, 52: Rate.RATE_52_HZ, 104: Rate.RATE_104_HZ}
ACC = {
    2: AccelRange.RANGE_2G,
    4: AccelRange.RANGE_4G,
    8: AccelRange.RANGE_8G,
    16: AccelRange.RANGE_16G,
}
GYRO = {
    250: GyroRange.RANGE_250_DPS,
    500: GyroRange.RANGE_500_DPS,
    1000: GyroRange.RANGE_1000_DPS,
    2000: GyroRange.RANGE_2000_DPS,
}


def boot_counter():
    """Count power-ups in the two first bytes of non-volatile memory."""
    count = (int.from_bytes(microcontroller.nvm[0:2], "little") + 1) % 65536
    microcontroller.nvm[0:2] = count.to_bytes(2, "little")
    return count


def ticks():
    """Ticks of 1/32768 s since power-up."""
    return time.monotonic_ns() * TICK_HZ // 1_000_000_000


power = digitalio.DigitalInOut(board.IMU_PWR)
power.switch_to_output(True)
time.sleep(0.05)
imu = LSM6DS3TRC(busio.I2C(board.IMU_SCL, board.IMU_SDA))
device = OpenImu(boot_counter())


def set_up():
    """Give the IMU the configured rate and ranges."""
    imu.accelerometer_range, imu.gyro_range = ACC[device.acc_g], GYRO[device.gyro_dps]
    imu.accelerometer_data_rate = imu.gyro_data_rate = RATES[device.rate_hz]
    device.changed = False


def counts():
    """One reading in counts of the profile's scale, -32768 kept free for "invalid"."""
    acc, gyro = imu.acceleration, imu.gyro
    acc_scale = 32768 / (device.acc_g * 9.80665)
    gyro_scale = 32768 / (device.gyro_dps * 0.017453292519943295)
    values = [round(v * acc_scale) for v in acc] + [round(v * gyro_scale) for v in gyro]
    return tuple(max(-32767, min(32767, v)) for v in values)


def characteristic(short, flags, length, value=b""):
    """One characteristic of the profile."""
    return _bleio.Characteristic.add_to_service(
        service,
        _bleio.UUID(BASE.format(short)),
        properties=flags,
        max_length=length,
        fixed_length=False,
        initial_value=value,
    )


C = _bleio.Characteristic
service = _bleio.Service(_bleio.UUID(BASE.format(1)))
characteristic(2, C.READ, 96, device.capabilities())
config = characteristic(3, C.READ | C.WRITE, 10, device.configuration())
scale = characteristic(4, C.READ, 16, device.scale())
live = characteristic(5, C.NOTIFY, 244)
replay = characteristic(6, C.NOTIFY, 244)
control = characteristic(7, C.WRITE | C.INDICATE, 20)
status = characteristic(8, C.READ | C.NOTIFY, 20, device.status(ticks()))
commands = _bleio.PacketBuffer(control, buffer_size=4, max_packet_size=20)
settings = _bleio.PacketBuffer(config, buffer_size=2, max_packet_size=10)

adapter = _bleio.adapter
low, high = adapter.address.address_bytes[0:2]
name = f"PostureIMU-{high:02X}{low:02X}"
uuid = bytearray(16)
_bleio.UUID(BASE.format(1)).pack_into(uuid)
advertisement = b"\x02\x01\x06\x11\x07" + bytes(uuid)
scan_response = bytes([len(name) + 1, 9]) + name.encode()
set_up()
period_ns = 1_000_000_000 // device.rate_hz
due = time.monotonic_ns()
was_connected = False
while True:
    if adapter.connected != was_connected:
        was_connected = adapter.connected
        mtu = adapter.connections[0].max_packet_length if was_connected else 20
        device.linked(was_connected, max(20, mtu))
    if not adapter.connected and not adapter.advertising:
        adapter.start_advertising(advertisement, scan_response=scan_response)

    packet = bytearray(20)
    got = settings.readinto(packet)
    if got:
        try:
            device.configure(bytes(packet[:got]))
        except Refused:
            pass  # CircuitPython cannot answer with an ATT error: the read-back tells the host
        config.value, scale.value = device.configuration(), device.scale()
    got = commands.readinto(packet)
    if got:
        answer = device.control(bytes(packet[:got]), ticks())
        if answer:
            control.value = answer
    if device.changed:
        set_up()
        period_ns = 1_000_000_000 // device.rate_hz

    now = time.monotonic_ns()
    if now - due >= 0:
        missed = (now - due) // period_ns
        if missed:
            device.lost(missed)
        due += (missed + 1) * period_ns
        device.sample(counts(), ticks())
        status.value = device.status(ticks())
    frame = device.live()
    if frame:
        live.value = frame
    frame, answer = device.replay()
    if frame:
        replay.value = frame
    elif answer:
        control.value = answer
