"""Message codes: the standard's own (tables 1 to 5 and A.4) and those that vendors were seen to add. Pure."""

from enum import IntEnum


class Code(IntEnum):
    """What a message is. Names are ours; `to lane` means that customs sends it."""

    GATHER = 0x21
    CHECK = 0x22
    """To lane: the answer to GATHER."""
    PICTURES_WANTED = 0x25
    """To lane."""
    PICTURES = 0x26
    RECEIPT = 0x28
    """What became of a release; a vendors' code."""
    DEVICE_ORDER = 0x31
    """To lane: seal, GPS, barrier."""
    DEVICE_ORDER_DONE = 0x32
    DEVICE_SWITCH = 0x33
    """To lane: put a device out of use or into use."""
    DEVICE_SWITCH_DONE = 0x34
    DEVICE_DEED = 0x35
    """To lane: work one device in an abnormal case."""
    DEVICE_DEED_DONE = 0x36
    DEVICE_STATES = 0x42
    EXCEPTION = 0x43
    REGISTER = 0x61
    REGISTERED = 0x62
    """To lane."""
    READER = 0x63
    READER_CHALLENGE = 0x64
    """To lane."""
    READER_SIGNATURE = 0x65
    READER_ACCEPTED = 0x66
    """To lane."""
    HEARTBEAT = 0x71
    """A vendors' code; the standard has no heartbeat."""
    SMART_GATHER = 0x81
    SMART_FEEDBACK = 0x82
    """To lane."""
    SMART_DEED = 0x83
    """To lane."""
    SMART_DEED_DONE = 0x84
    SMART_CHECK = 0x85
    """To lane: an officer's decision."""


VENDORS = frozenset({
    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x23, 0x24, 0x27, 0x39, 0x41, 0x44, 0x45, 0x46,
    0x51, 0x52, 0x53, 0x54, 0x56, 0x72, 0x73, *range(0xA0, 0xA8), 0xC1, 0xC2, 0xC3,
})  # fmt: skip
"""Codes met at vendors' own links: read as packets, understood by nobody here."""

SPOKEN = {int(code): code for code in Code}

KNOWN = frozenset(SPOKEN) | VENDORS
"""A packet with any other code is no packet: the code is what tells the four layouts of the head apart."""


def code_name(code: int | None) -> str:
    """`0x22 CHECK`, `0xA1`, `no code`."""
    if code is None:
        return "no code"
    return f"0x{code:02X} {SPOKEN[code].name}" if code in SPOKEN else f"0x{code:02X}"
