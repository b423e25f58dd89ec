"""How we write to one peer: the traits of its packets and of its XML, under six names. Pure.

Reading needs none of this: what comes is told apart by trying. What goes out follows the profile and nothing else.
"""

from dataclasses import dataclass, replace
from typing import Literal

from gateway_ctl.customs.packet import (
    LAYOUTS,
    MARK,
    TAIL,
    ByteOrder,
    Layout,
    Packet,
    Photo,
    photo_block,
    signature_block,
    to_bytes,
)

ProfileName = Literal["field", "big-endian", "four-byte", "signed-serial", "naked-xml", "smart-tcp"]
Padding = Literal["zeros", "nul-left", "nul-right"]
Encoding = Literal["gb18030", "utf-8"]
_ID_BYTES = 10


class NotWritable(ValueError):
    """A value that the packet has no place for; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One peer's ways. The usual values are those of the field."""

    name: ProfileName
    framed: bool = True
    """False: XML text alone, ended by closing our half of the connection."""
    layout: Layout = LAYOUTS[0]
    identifier: bytes = MARK
    padding: Padding = "zeros"
    counts_nul: bool = False
    """A NUL follows the XML inside its length."""
    signed: bool = False
    """Each packet is signed, and answered by 100 bytes."""
    encoding: Encoding = "gb18030"
    """GB18030 is, byte by byte, GB2312 and GBK for whatever those can say."""
    declaration: str | None = None
    """What the XML says of its own encoding; None: it says nothing, as most gates do."""
    smart: bool = False
    """Questions are asked as 0x81, not as 0x21."""


PROFILES: dict[ProfileName, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="field"),
        Profile(name="big-endian", layout=Layout(1, "big"), encoding="utf-8", declaration="utf-8"),
        Profile(name="four-byte", layout=Layout(4, "little")),
        Profile(
            name="signed-serial", layout=Layout(4, "little"), padding="nul-left", signed=True,
            encoding="utf-8", declaration="UTF-8",
        ),
        # The one port that was seen to do this declares UTF-8 and sends GB2312; its customs reads it so.
        Profile(name="naked-xml", framed=False, declaration="UTF-8"),
        Profile(name="smart-tcp", layout=Layout(1, "big"), encoding="utf-8", declaration="utf-8", smart=True),
    )
}  # fmt: skip


def profile_of(
    name: ProfileName,
    *,
    order: ByteOrder | None = None,
    identifier: bytes | None = None,
    padding: Padding | None = None,
    encoding: Encoding | None = None,
) -> Profile:
    """A named profile with a site's own differences."""
    made = PROFILES[name]
    if order is not None:
        made = replace(made, layout=Layout(made.layout.width, order))
    return replace(
        made,
        identifier=made.identifier if identifier is None else identifier,
        padding=made.padding if padding is None else padding,
        encoding=made.encoding if encoding is None else encoding,
    )


def compose(
    profile: Profile,
    code: int,
    area: str,
    channel: str,
    direction: str,
    xml: bytes,
    *,
    photos: tuple[Photo, ...] = (),
    signature: bytes | None = None,
) -> bytes:
    """The bytes of one message to this peer. `signature`: over `xml`, where the profile signs.

    Raises NotWritable: a number of more than ten ASCII characters, a direction that is none, a signature that is
    missing or not asked for.
    """
    if not profile.framed:
        return xml
    if (signature is not None) != profile.signed:
        raise NotWritable(f"profile {profile.name} {'needs a' if profile.signed else 'takes no'} signature")
    if len(direction) != 1 or direction not in "IEOFH":
        raise NotWritable(f"direction {direction!r}: expected I or E")
    order = profile.layout.order
    block = photo_block(photos, order) if signature is None else signature_block(signature, order)
    return to_bytes(
        Packet(
            code=code, area_field=padded(area, profile.padding), channel_field=padded(channel, profile.padding),
            direction=direction, identifier=profile.identifier, xml=xml + b"\x00" * profile.counts_nul, block=block,
            layout=profile.layout, tail=TAIL,
        )
    )  # fmt: skip


def padded(number: str, padding: Padding) -> bytes:
    """A site's or lane's number as ten bytes. Raises NotWritable."""
    if not number.isascii() or not number.isprintable() or len(number) > _ID_BYTES:
        raise NotWritable(f"number {number!r}: expected at most {_ID_BYTES} ASCII characters")
    raw = number.encode("ascii")
    match padding:
        case "zeros":
            return raw.rjust(_ID_BYTES, b"0")
        case "nul-left":
            return raw.rjust(_ID_BYTES, b"\x00")
        case "nul-right":
            return raw.ljust(_ID_BYTES, b"\x00")
