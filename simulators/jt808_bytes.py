"""Numbers, digits and frames of JT/T 808 as bytes, by the standard's own words, byte by byte."""


def number(value: int, size: int) -> bytes:
    """Highest byte first."""
    return value.to_bytes(size, "big")


def bcd(digits: str) -> bytes:
    """Two digits a byte."""
    return bytes(int(digits[at]) << 4 | int(digits[at + 1]) for at in range(0, len(digits), 2))


def item(key: int, value: bytes) -> bytes:
    """What may stand after a position: id, length, value."""
    return bytes((key, len(value))) + value


def enclosed(bare: bytes) -> bytes:
    """Between two flags, with what may not stand there marked."""
    inside = bytearray()
    for byte in bare:
        inside += b"\x7d\x02" if byte == 0x7E else b"\x7d\x01" if byte == 0x7D else bytes((byte,))
    return b"\x7e" + bytes(inside) + b"\x7e"


def opened(inside: bytes) -> bytes:
    """What stood between two flags, without the marks."""
    bare = bytearray()
    marked = False
    for byte in inside:
        if marked:
            bare.append(0x7C + byte)
        elif byte != 0x7D:
            bare.append(byte)
        marked = byte == 0x7D and not marked
    return bytes(bare)
