"""What the lane has gathered, as customs is asked it; and when two questions are the same one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from gateway_ctl.clearance import Gathered
from gateway_ctl.customs.device_ids import Device
from gateway_ctl.customs.messages import Gather, SignedGather, SmartGather
from gateway_ctl.customs.messages.gather import Boxes, Car, Card, Seals, Weighed
from gateway_ctl.customs.messages.smart import BoxRead, IcInfo, PlateRead, VehicleTag
from gateway_ctl.customs.profile import Profile

SURE = 0.8
"""From this confidence on a read is called sure, where the gate's protocol asks for yes or no."""
_MOST_BOXES = 2

Mode = Literal["A", "M"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One lane as customs numbers it."""

    site: str
    lane: str
    area: str
    number: str
    direction: Literal["I", "E"]


def question(
    gathered: Gathered,
    channel: Channel,
    seq: str,
    profile: Profile,
    at: datetime,
    *,
    reco_ok: Literal["0", "1"] = "0",
    mode: Mode = "A",
    withheld: frozenset[Device] = frozenset(),
) -> Gather | SignedGather | SmartGather:
    """0x21 or 0x81. `at`: local time. `reco_ok`: what CONTA_RECO says of boxes that were read well: the standard and
    most of the field contradict each other. `withheld`: devices that customs has put out of use."""
    plate = "" if gathered.plate is None else gathered.plate.text
    tags = () if Device.TAG_READER in withheld else gathered.tags
    boxes = () if Device.CONTAINER_CAMERA in withheld else gathered.containers
    cards = () if Device.CARD_READER in withheld else gathered.cards
    seals = () if Device.SEAL_READER in withheld else gathered.seal_numbers
    # "May be 0, never empty": one back end refuses a message whose weight has no digit.
    kg = "0" if gathered.gross_kg is None or Device.WEIGHBRIDGE in withheld else plain(gathered.gross_kg)
    codes = [box.code for box in boxes[:_MOST_BOXES]] + [""] * (_MOST_BOXES - len(boxes))
    well = all(box.check_ok for box in boxes) and len(boxes) <= _MOST_BOXES
    reco = reco_ok if well else {"0": "1", "1": "0"}[reco_ok]
    if profile.smart:
        return SmartGather(
            direction=channel.direction, area=channel.area, channel=channel.number, mode=mode, seq=seq, plate=plate,
            containers="|".join(box.code for box in boxes), gross_kg=kg,
            vehicle_tags=tuple(VehicleTag(number=tag) for tag in tags),
            card=IcInfo(number="|".join(cards)), eseals="|".join(seals),
            operated_at=f"{at:%Y-%m-%d %H:%M:%S} {at.microsecond // 1000:03d}",
            boxes_read=tuple(
                BoxRead(number=box.code, sure=_sure(box.check_ok and box.confidence >= SURE)) for box in boxes
            ),
            plates_read=()
            if gathered.plate is None
            else (PlateRead(domestic=plate, sure=_sure(gathered.plate.confidence >= SURE)),),
        )  # fmt: skip
    if profile.signed:
        # Leading zeros of the numbers are taken off, as this variant's only known sender does.
        return SignedGather(
            area=channel.area.lstrip("0"), channel=channel.number.lstrip("0"), direction=channel.direction, seq=seq,
            front=codes[0], rear=codes[1], plate=plate, gross_kg=kg, reco=reco, tag="|".join(tags),
            driver_card="|".join(cards),
            at=f"{at:%Y-%m-%dT%H:%M:%S}",
        )  # fmt: skip
    return Gather(
        area=channel.area, channel=channel.number, direction=channel.direction, seq=seq,
        weight=Weighed(gross_kg=kg), car=Car(plate=plate, tag="|".join(tags)),
        boxes=Boxes(count=str(len(boxes)), reco=reco, front=codes[0], rear=codes[1]),
        card=Card(driver_card="|".join(cards)), seals=Seals(numbers="|".join(seals)),
    )  # fmt: skip


def completes(before: Gathered, after: Gathered) -> bool:
    """Whether `after` says all that `before` said and at most adds to it: customs' answer to one fits the other."""
    if before.plate is not None and (after.plate is None or after.plate.text != before.plate.text):
        return False
    if not set(before.tags) <= set(after.tags) or not _aside(before) <= _aside(after):
        return False
    if not _codes(before) <= _codes(after):
        return False
    if before.gross_kg is None:
        return True
    if after.gross_kg is None:
        return False
    # As far apart as two weighings of one truck may be.
    return abs(after.gross_kg - before.gross_kg) <= 2 * (after.uncertainty_kg or Decimal(0))


def same(one: Gathered, other: Gathered) -> bool:
    """Whether customs would be asked the same again."""
    return completes(one, other) and completes(other, one)


def sequence(at: datetime) -> str:
    """SEQ_NO: local time to the microsecond, 20 digits, as most gates make it."""
    return f"{at:%Y%m%d%H%M%S}{at.microsecond:06d}"


def session(at: datetime, channel: str) -> str:
    """SESSION_ID of the smart gate: the last four of the lane's number and the time to the second."""
    return f"{channel[-4:]}{at:%Y%m%d%H%M%S}"


def plain(kg: Decimal) -> str:
    """Without exponent."""
    return f"{kg:f}"


def _codes(gathered: Gathered) -> set[str]:
    return {box.code for box in gathered.containers}


def _aside(gathered: Gathered) -> set[str]:
    """What else was read: seals and cards."""
    return {*gathered.seal_numbers, *gathered.cards}


def _sure(yes: bool) -> str:  # noqa: FBT001 - a word for a bool
    return "Y" if yes else "N"
