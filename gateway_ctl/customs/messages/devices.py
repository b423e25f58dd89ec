"""Devices by their number: switching them, their states, exceptions, the lane's registration, seal readers. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from gateway_ctl.customs.codes import Code
from gateway_ctl.customs.messages.command import Command
from gateway_ctl.customs.shape import Shape, group, leaf, several


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSwitch(Command):
    """0x33. It has no SEQ_NO."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.DEVICE_SWITCH,)

    seq: str = leaf("@SEQ_NO", always=False)
    device: str = leaf("DEVICE_ID")
    name: str = leaf("DEVICE_NAME")
    state: str = leaf("DEVICE_STATUS")
    """0 disabled, 1 normal, 2 fault, 3 enabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAnswer(Command):
    """0x34 and 0x36."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.DEVICE_SWITCH_DONE, Code.DEVICE_DEED_DONE)

    seq: str = leaf("@SEQ_NO", always=False)
    device: str = leaf("DEVICE_ID")
    name: str = leaf("DEVICE_NAME")
    result: str = leaf("CONTROL_RESULT")
    """0 done, 1 no such number, 2 wrong key, 3 the device is broken, 4 it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState(Shape):
    """One of DEVICES."""

    device: str = leaf("DEVICE_ID")
    name: str = leaf("DEVICE_NAME")
    state: str = leaf("DEVICE_STATUS")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStates(Shape):
    """0x42."""

    ROOT: ClassVar[str] = "DEVICE_STATUS"
    CODES: ClassVar[tuple[Code, ...]] = (Code.DEVICE_STATES,)

    area: str = leaf("@AREA_ID", "AREA_ID")
    channel: str = leaf("@CHNL_NO", "CHNL_NO")
    direction: str = leaf("@I_E_TYPE", "I_E_TYPE")
    devices: tuple[DeviceState, ...] = several(DeviceState, "DEVICES")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelException(Shape):
    """0x43."""

    ROOT: ClassVar[str] = "CHANNEL_EXCEPTION"
    CODES: ClassVar[tuple[Code, ...]] = (Code.EXCEPTION,)

    area: str = leaf("@AREA_ID", "AREA_ID")
    channel: str = leaf("@CHNL_NO", "CHNL_NO")
    direction: str = leaf("@I_E_TYPE", "I_E_TYPE")
    device: str = leaf("DEVICE_ID")
    name: str = leaf("DEVICE_NAME")
    what: str = leaf("EXCEPTION_DESCR")
    state: str = leaf("DEVICE_STATUS")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo(Shape):
    """USERINFO."""

    user: str = leaf("USER_ID")
    password: str = leaf("PSW", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Shape):
    """0x61: where customs reaches this lane, and who it is. The packet's head says which lane."""

    ROOT: ClassVar[str] = "COMMAND_INFO"
    CODES: ClassVar[tuple[Code, ...]] = (Code.REGISTER,)

    ip: str = leaf("MONITOR_IP")
    port: str = leaf("MONITOR_PORT")
    user: UserInfo = group(UserInfo, "USERINFO", always=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Command):
    """0x62."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.REGISTERED,)

    seq: str = leaf("@SEQ_NO", always=False)
    result: str = leaf("RESULT")
    """0 well; 1 area, 2 channel, 3 direction, 4 address not known, 5 user, 6 password, 7 no right."""
    user: str = leaf("USER_ID")
    rights: str = leaf("RIGHTS")
    name: str = leaf("USERNAME")
    unit: str = leaf("UNIT")
    customs: str = leaf("CUSTOMS_CODE")
    pictures: str = leaf("PIC_DATA_FLAG")
    vehicle: str = leaf("VEHICLE_DATA_FLAG")
    weight: str = leaf("WEIGHT_DATA_FLAG")
    card: str = leaf("IC_DATA_FLAG")
    seal: str = leaf("SEAL_DATA_FLAG")
    gps: str = leaf("GPS_DATA_FLAG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader(Command):
    """0x63: may this seal reader work here?"""

    CODES: ClassVar[tuple[Code, ...]] = (Code.READER,)

    seq: str = leaf("@SEQ_NO", always=False)
    reader: str = leaf("ESEAL_READER_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderChallenge(Command):
    """0x64: a random number under the reader's public key."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.READER_CHALLENGE,)

    seq: str = leaf("@SEQ_NO", always=False)
    reader: str = leaf("ESEAL_READER_ID")
    result: str = leaf("RESULT")
    challenge: str = leaf("ENCRYPTED_RANDOM_DATA", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSignature(Command):
    """0x65: the random number, signed with the reader's private key."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.READER_SIGNATURE,)

    seq: str = leaf("@SEQ_NO", always=False)
    reader: str = leaf("ESEAL_READER_ID")
    signature: str = leaf("HASH_SIGN", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAccepted(Command):
    """0x66."""

    CODES: ClassVar[tuple[Code, ...]] = (Code.READER_ACCEPTED,)

    seq: str = leaf("@SEQ_NO", always=False)
    reader: str = leaf("ESEAL_READER_ID")
    result: str = leaf("RESULT")
