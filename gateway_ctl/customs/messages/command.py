"""COMMAND_INFO with a truck in it: answers to a question, orders to devices and what became of them. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from gateway_ctl.customs.codes import Code
from gateway_ctl.customs.shape import Shape, group, leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Gps(Shape):
    """GPS: a tracker to be started or closed."""

    plate: str = leaf("VE_NAME")
    tracker: str = leaf("GPS_ID")
    origin: str = leaf("ORIGIN_CUSTOMS")
    destination: str = leaf("DEST_CUSTOMS")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOrder(Shape):
    """SEAL: a seal to be closed or opened, with the key for it."""

    number: str = leaf("ESEAL_ID")
    key: str = leaf("SEAL_KEY", secret=True)
    uses: str = leaf("OPEN_TIMES", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Led(Shape):
    """LED: a text for the driver."""

    text: str = leaf("DISPLAY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Shape):
    """What all of COMMAND_INFO begins with."""

    ROOT: ClassVar[str] = "COMMAND_INFO"
    CODES: ClassVar[tuple[Code, ...]] = ()

    area: str = leaf("@AREA_ID", "AREA_ID")
    channel: str = leaf("@CHNL_NO", "CHNL_NO")
    direction: str = leaf("@I_E_TYPE", "I_E_TYPE")
    seq: str = leaf("@SEQ_NO", "SEQ_NO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Command):
    """0x22: customs' answer to what was gathered."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.CHECK,)

    business: str = leaf("@BUSINESS_CODE", "BUSINESS_CODE", always=False)
    result: str = leaf("CHECK_RESULT")
    """The 20 characters of result_word.py; at one port Y or N."""
    gps: Gps = group(Gps, "GPS", always=True)
    seal: SealOrder = group(SealOrder, "SEAL", always=True)
    form_type: str = leaf("FORM_TYPE")
    form: str = leaf("FORM_ID")
    hint: str = leaf("OP_HINT")
    led: Led = group(Led, "LED")
    message: str = leaf("MESSAGE", always=False)
    op_type: str = leaf("OP_TYPE", always=False)
    op_id: str = leaf("OP_ID", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare(Command):
    """0x25 and 0x26, which say everything by their code and their pictures; also our heartbeat, 0x71."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.PICTURES_WANTED, Code.PICTURES, Code.HEARTBEAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOrder(Command):
    """0x31 and 0x35."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.DEVICE_ORDER, Code.DEVICE_DEED)

    command: str = leaf("EXCUTE_COMMAND", "EXECUTE_COMMAND")
    """The 20 characters; the misspelt name is the standard's."""
    gps: Gps = group(Gps, "GPS", always=True)
    seal: SealOrder = group(SealOrder, "SEAL", always=True)
    boxes: str = leaf("ContaNum", always=False)
    op_type: str = leaf("OP_TYPE")
    """0 lift and release, 1 pending, 2 return. Senders contradict themselves: the word counts, not this."""
    reason: str = leaf("OP_REASON")
    op_id: str = leaf("OP_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOrderDone(Command):
    """0x32."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.DEVICE_ORDER_DONE,)

    result: str = leaf("EXECUTE_RESULT", "EXCUTE_RESULT")
    seal_uses: str = leaf("ESEAL_USE_COUNT", "SEAL/OPEN_TIMES")
    """A counter of the seal that never goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Command):
    """0x28: the truck really went. The field shows its name only; these are the fields of one terminal's 0x23."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.RECEIPT,)

    result: str = leaf("EXECUTE_RESULT")
    error: str = leaf("ERROR_INFO")
    at: str = leaf("FILE_TIME")
