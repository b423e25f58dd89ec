"""Packets packed by hand, from the table of the standard and what was met in the field; nothing of ours packs them."""

import random
from dataclasses import dataclass
from typing import Literal

Order = Literal["little", "big"]
HEAD = b"\xe2\x5c\x4b\x89"
ORDERS: tuple[Order, Order] = ("little", "big")
CODES = (0x21, 0x22, 0x25, 0x26, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x42, 0x43, *range(0x61, 0x67), *range(0x81, 0x86))
WORDS = ("放行", "苏A88888", "HLXU4074106", "直接放行", "38460", "", "检查放行", "a&amp;b")


@dataclass(frozen=True, kw_only=True)
class Made:
    """A packet and what a reader must find in it."""

    raw: bytes
    width: int
    order: Order
    code: int
    area: str
    channel: str
    direction: str
    identifier: bytes
    xml: bytes
    photos: tuple[tuple[int, bytes], ...] | None = ()
    signature: bytes | None = None


def packed(
    *,
    code: int = 0x22,
    xml: bytes = b"<COMMAND_INFO></COMMAND_INFO>",
    width: int = 1,
    order: Order = "little",
    code_first: bool = False,
    area: bytes = b"0000110000",
    channel: bytes = b"0000001141",
    direction: bytes = b"I",
    identifier: bytes = b"\xff" * 4,
    block: bytes = b"",
    tail: bytes = b"\xff\xff",
    short: int = 0,
) -> bytes:
    """One packet."""
    coded = bytes([code]) if width == 1 else bytes([code, 0, 0, 0]) if code_first else bytes([0, 0, 0, code])
    total = 4 + 4 + width + 10 + 10 + 1 + 4 + 4 + len(xml) + len(block) + 2 - short
    lengths = [number.to_bytes(4, order) for number in (total, len(xml) - short)]
    return HEAD + lengths[0] + coded + area + channel + direction + identifier + lengths[1] + xml + block + tail


def picture_block(photos: tuple[tuple[int, bytes], ...], order: Order, counting: int = 0) -> bytes:
    """`counting`: 0 the JPEGs alone, 1 their heads too, 2 the total's own length as well."""
    told = sum(len(jpeg) + (5 if counting else 0) for _, jpeg in photos) + (4 if counting == 2 else 0)
    return told.to_bytes(4, order) + b"".join(bytes([at]) + len(j).to_bytes(4, order) + j for at, j in photos)


def any_packet(dice: random.Random) -> Made:
    """One of all variants."""
    width, order = dice.choice((1, 4)), dice.choice(ORDERS)
    code = dice.choice(CODES)
    direction = dice.choice("IEOFH")
    numbers = [str(dice.randrange(1, 10**10)) for _ in range(2)]
    fields = [_padded(number, dice) for number in numbers]
    identifier = dice.choice((b"\xff" * 4, b"\x00" * 4, b"\x01\x00\x00\x00", b"\x00\x00\x00\x01"))
    xml = _xml(dice)
    block, photos, signature = b"", (), None
    kind = dice.random()
    if kind < 0.25:
        photos = tuple(
            (dice.choice(range(0x30, 0x37)), b"\xff\xd8" + dice.randbytes(dice.randrange(60)) + b"\xff\xd9")
            for _ in range(dice.randrange(1, 7))
        )
        block = picture_block(photos, order, dice.randrange(3))
    elif kind < 0.35:
        signature = dice.randbytes(128)
        block, photos = b"\xff\xff\xff\xff" + (128).to_bytes(4, order) + signature, None
    return Made(
        raw=packed(
            code=code, xml=xml, width=width, order=order, code_first=dice.random() < 0.5, area=fields[0],
            channel=fields[1], direction=direction.encode(), identifier=identifier, block=block,
            tail=dice.choice((b"\xff\xff", b"\xff\xff", b"\xff\xff", b"\x00\x00")),
        ),
        width=width, order=order, code=code, area=numbers[0], channel=numbers[1], direction=direction,
        identifier=identifier, xml=xml, photos=photos, signature=signature,
    )  # fmt: skip


def _padded(number: str, dice: random.Random) -> bytes:
    raw = number.encode()
    return dice.choice((raw.rjust(10, b"0"), raw.rjust(10, b"\0"), raw.ljust(10, b"\0"), raw.ljust(10)))


def _xml(dice: random.Random) -> bytes:
    root = dice.choice(("GATHER_INFO", "COMMAND_INFO", "DEVICE_STATUS"))
    body = "".join(
        f"<{tag}>{dice.choice(WORDS)}</{tag}>"
        for tag in dice.choices(("CHECK_RESULT", "VE_NAME", "DEVICE_STATUS", "OP_HINT"), k=dice.randrange(6))
    )
    mark = dice.choice(("", "", '<?xml version="1.0" encoding="GB2312"?>\n', "\r\n ", "﻿"))
    encoding = "utf-8" if "﻿" in mark else dice.choice(("utf-8", "gb18030"))
    text = f'{mark}<{root} AREA_ID="1" CHNL_NO="2" I_E_TYPE="I" SEQ_NO="{dice.randrange(10**20)}">{body}</{root}>'
    return text.encode(encoding) + dice.choice((b"", b"", b"\0", b"\r\n"))
