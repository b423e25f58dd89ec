"""The bodies of JT/T 808 that a platform reads and writes. Pure.

Layouts differ by edition; the header says 2019, and of the two before it a registration tells by its length. Strings
are GBK, filled up with NUL or blanks.
"""

from itertools import pairwise
from typing import NamedTuple

from drivers.gps.jt808.frames import Message
from drivers.gps.jt808.location import bcd_time

TERMINAL_ANSWER = 0x0001
HEARTBEAT = 0x0002
LOGOUT = 0x0003
ASK_TIME = 0x0004
REGISTRATION = 0x0100
AUTHENTICATION = 0x0102
LOCATION = 0x0200
LOCATION_ANSWER = 0x0201
DRIVER = 0x0702
BATCH = 0x0704
MULTIMEDIA_EVENT = 0x0800
UPLINK = 0x0900
COMPRESSED = 0x0901

PLATFORM_ANSWER = 0x8001
RESEND_PACKETS = 0x8003
TIME_ANSWER = 0x8004
REGISTRATION_ANSWER = 0x8100

TAKEN = frozenset({HEARTBEAT, LOGOUT, AUTHENTICATION, LOCATION, BATCH, DRIVER, MULTIMEDIA_EVENT, UPLINK, COMPRESSED})
"""Answered with the general answer, result 0 (or what their own reading says)."""
ANSWERS = frozenset({TERMINAL_ANSWER, 0x0104, 0x0107, LOCATION_ANSWER, 0x0302, 0x0500, 0x0700, 0x0802, 0x0805})
"""Answers to what a platform asked: an answer is not answered."""
FROM_PLATFORM = 0x8000
"""This bit of an id says that the message goes the other way."""

OK, FAILED, WRONG, NOT_SUPPORTED = 0, 1, 2, 3
"""Results of the general answer."""
REGISTERED, NO_SUCH_TERMINAL = 0, 4
"""Results of the answer to a registration."""

BLIND_SPOT = 1
"""Type of a batch: what could not be sent while there was no network."""
MAX_BATCH = 4096
"""Positions of one batch: more than the packets of one message can carry."""


class Registration(NamedTuple):
    """Who a terminal says that it is."""

    province: int
    city: int
    maker: str
    model: str
    terminal: str
    colour: int
    plate: str


class Batch(NamedTuple):
    """Positions that were kept back."""

    blind_spot: bool
    bodies: tuple[bytes, ...]
    whole: bool
    """As many as were announced, and nothing left over."""


def text(raw: bytes) -> str:
    """As the terminal's maker wrote it, without its filling."""
    return raw.decode("gbk", "replace").strip("\0 ")


def read_registration(message: Message) -> Registration:
    """Raises ValueError for a body that is too short."""
    body = message.body
    if message.version is not None:
        widths = (11, 30, 30)
    elif len(body) >= 37:
        widths = (5, 20, 7)
    else:
        widths = (5, 8, 7)  # 2011
    ends = [4]
    for width in widths:
        ends.append(ends[-1] + width)
    if len(body) <= ends[-1]:
        raise ValueError(f"a registration of {len(body)} bytes; its edition has more than {ends[-1]}")
    maker, model, terminal = (text(body[a:b]) for a, b in pairwise(ends))
    return Registration(
        int.from_bytes(body[:2], "big"),
        int.from_bytes(body[2:4], "big"),
        maker,
        model,
        terminal,
        body[ends[-1]],
        text(body[ends[-1] + 1 :]),
    )


def read_authentication(message: Message) -> str:
    """The code. Raises ValueError for a body that is too short for what it says."""
    body = message.body
    if message.version is None:
        return text(body)
    if not body or len(body) < 1 + body[0]:
        raise ValueError("an authentication shorter than its code")
    return text(body[1 : 1 + body[0]])


def read_batch(body: bytes) -> Batch:
    """Raises ValueError for a body that is too short. Positions before the first damage are given."""
    if len(body) < 3:
        raise ValueError(f"a batch of {len(body)} bytes")
    count = int.from_bytes(body[:2], "big")
    bodies: list[bytes] = []
    at = 3
    while at + 2 <= len(body) and len(bodies) < min(count, MAX_BATCH):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        if end > len(body):
            break
        bodies.append(body[at + 2 : end])
        at = end
    return Batch(body[2] == BLIND_SPOT, tuple(bodies), whole=len(bodies) == count and at == len(body))


def answer(asked: Message, kind: int, body: bytes, serial: int) -> Message:
    """A message to the terminal that sent `asked`, in its own edition."""
    return Message(kind, asked.number, serial, body, asked.version)


def general_answer(asked: Message, result: int, serial: int) -> Message:
    """0x8001."""
    body = asked.serial.to_bytes(2, "big") + asked.id.to_bytes(2, "big") + bytes((result,))
    return answer(asked, PLATFORM_ANSWER, body, serial)


def registration_answer(asked: Message, result: int, code: str, serial: int) -> Message:
    """0x8100; the code follows a success only."""
    body = asked.serial.to_bytes(2, "big") + bytes((result,)) + (code.encode("gbk") if result == REGISTERED else b"")
    return answer(asked, REGISTRATION_ANSWER, body, serial)


def time_answer(asked: Message, now: float, serial: int) -> Message:
    """0x8004."""
    return answer(asked, TIME_ANSWER, bcd_time(now), serial)


def resend(number: bytes, first: int, packets: list[int], serial: int) -> Message:
    """0x8003: which packets of the message that began with serial number `first` have not come. At most 255."""
    wide = len(number) == 10
    wanted = packets[:255]
    count = len(wanted).to_bytes(2 if wide else 1, "big")
    body = first.to_bytes(2, "big") + count + b"".join(each.to_bytes(2, "big") for each in wanted)
    return Message(RESEND_PACKETS, number, serial, body, 1 if wide else None)
