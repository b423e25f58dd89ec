"""Annex C: the numbers of a lane's devices. Pure.

Container camera, tag reader, card reader and seal reader have 10 digits: kind, country, maker, number of four. GPS,
weighbridge, barrier and display have 8: kind, maker, model, number of two. Some makers' own buses count otherwise
(there 11 is the tag and 15 the weight): numbers of one are none of the other.
"""

from enum import StrEnum


class Device(StrEnum):
    """The first two digits."""

    CONTAINER_CAMERA = "10"
    TAG_READER = "11"
    CARD_READER = "12"
    SEAL_READER = "13"
    GPS = "14"
    WEIGHBRIDGE = "15"
    BARRIER = "16"
    DISPLAY = "17"


NAMES = {
    Device.CONTAINER_CAMERA: "集装箱号识别", Device.TAG_READER: "电子车牌读写器", Device.CARD_READER: "IC卡读写器",
    Device.SEAL_READER: "电子关锁读写器", Device.GPS: "GPS", Device.WEIGHBRIDGE: "电子地磅",
    Device.BARRIER: "电动栏杆", Device.DISPLAY: "显示屏",
}  # fmt: skip
"""As 0x42 and 0x43 name them."""

SOFTWARE = "00000000"
"""The lane's own program, as one monitoring platform counts it among the devices."""

_SHORT, _LONG = 8, 10


def device_of(number: str) -> Device | None:
    """The kind of a number; None for one that annex C does not make."""
    if not number.isascii() or not number.isdigit() or number[:2] not in set(Device):
        return None
    kind = Device(number[:2])
    return kind if len(number) == (_LONG if kind <= Device.SEAL_READER else _SHORT) else None
