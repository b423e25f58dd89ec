"""What customs and the lane say to each other: XML elements <-> messages, one module a family. Pure."""

from gateway_ctl.customs.codes import Code, code_name
from gateway_ctl.customs.messages.command import Bare, Check, DeviceOrder, DeviceOrderDone, Receipt
from gateway_ctl.customs.messages.devices import (
    ChannelException,
    DeviceAnswer,
    DeviceStates,
    DeviceSwitch,
    Reader,
    ReaderAccepted,
    ReaderChallenge,
    ReaderSignature,
    Register,
    Registered,
)
from gateway_ctl.customs.messages.gather import Gather, SignedGather
from gateway_ctl.customs.messages.smart import SmartCheck, SmartDeed, SmartDeedDone, SmartFeedback, SmartGather
from gateway_ctl.customs.shape import element_of, read, secret_names
from gateway_ctl.customs.xml_text import Element, Unreadable

Message = (
    Gather | SignedGather | Check | Bare | DeviceOrder | DeviceOrderDone | Receipt | DeviceSwitch | DeviceAnswer
    | DeviceStates | ChannelException | Register | Registered | Reader | ReaderChallenge | ReaderSignature
    | ReaderAccepted | SmartGather | SmartFeedback | SmartDeed | SmartDeedDone | SmartCheck
)  # fmt: skip

KINDS: tuple[type[Message], ...] = (
    Gather, SignedGather, Check, Bare, DeviceOrder, DeviceOrderDone, Receipt, DeviceSwitch, DeviceAnswer, DeviceStates,
    ChannelException, Register, Registered, Reader, ReaderChallenge, ReaderSignature, ReaderAccepted, SmartGather,
    SmartFeedback, SmartDeed, SmartDeedDone, SmartCheck,
)  # fmt: skip

_BY_CODE: dict[int, type[Message]] = {int(code): kind for kind in reversed(KINDS) for code in kind.CODES}
_SIGNED_ONLY = ("TRUCK_NO", "TRUCK_WEIGHT", "CONTA_ID1", "IDENTIFY_FLAG")
_SMART_ONLY = ("I_E_FLAG", "SESSION_ID", "GETHER_MODE")

SECRETS = frozenset(name for kind in KINDS for name in secret_names(kind))
"""Elements whose values are shown to nobody: seal keys, the registration's password."""


def read_message(code: int | None, root: Element) -> Message:
    """The message of a packet's code and XML; without a packet the XML tells its own code.

    Raises Unreadable: a code that has no message here, another root than the code's, a thing said twice.
    """
    told = code if code is not None else code_of(root)
    kind = None if told is None else _BY_CODE.get(told)
    if kind is None:
        raise Unreadable(f"{code_name(told)} is not spoken here")
    if root.name != kind.ROOT:
        raise Unreadable(f"{code_name(told)} with the root {root.name[:40]}, expected {kind.ROOT}")
    if kind is Gather and any(root.child(name) is not None for name in _SIGNED_ONLY):
        kind = SignedGather
    return read(kind, _devices_apart(root) if kind is DeviceStates else root)


def write_message(message: Message) -> Element:
    """The XML of a message, under the standard's own names."""
    return element_of(message, message.ROOT)


_ROOTS = {
    "DEVICE_STATUS": Code.DEVICE_STATES, "CHANNEL_EXCEPTION": Code.EXCEPTION, "GATHER_FEEDBACK": Code.SMART_FEEDBACK,
    "OPERATE_INFO": Code.SMART_DEED, "OPERATE_FEEDBACK": Code.SMART_DEED_DONE, "MANUAL_CHECK": Code.SMART_CHECK,
}  # fmt: skip

_COMMANDS = (
    ("CHECK_RESULT", Code.CHECK),
    ("EXCUTE_COMMAND", Code.DEVICE_ORDER),
    ("EXECUTE_COMMAND", Code.DEVICE_ORDER),
    ("ERROR_INFO", Code.RECEIPT),
    ("EXECUTE_RESULT", Code.DEVICE_ORDER_DONE),
    ("CONTROL_RESULT", Code.DEVICE_SWITCH_DONE),
    ("DEVICE_STATUS", Code.DEVICE_SWITCH),
    ("USERINFO", Code.REGISTER),
    ("RIGHTS", Code.REGISTERED),
    ("HASH_SIGN", Code.READER_SIGNATURE),
    ("ENCRYPTED_RANDOM_DATA", Code.READER_CHALLENGE),
    ("RESULT", Code.READER_ACCEPTED),
    ("ESEAL_READER_ID", Code.READER),
)
"""The first of these that a command holds tells what it is."""


def code_of(root: Element) -> Code | None:
    """The code that a document would travel under, by what is in it; 0x35 looks like 0x31, 0x36 like 0x34."""
    if root.name == Gather.ROOT:
        return Code.SMART_GATHER if any(root.child(name) is not None for name in _SMART_ONLY) else Code.GATHER
    if root.name == Check.ROOT:
        if not root.children:
            return Code.PICTURES_WANTED
        return next((code for name, code in _COMMANDS if root.child(name) is not None), None)
    return _ROOTS.get(root.name)


def _devices_apart(root: Element) -> Element:
    """One DEVICES for each device: the table does not say whether one holds them all, and some write it so."""
    children: list[Element] = []
    for child in root.children:
        if child.name != "DEVICES" or sum(each.name == "DEVICE_ID" for each in child.children) < 2:
            children.append(child)
            continue
        parts: list[list[Element]] = []
        for each in child.children:
            if each.name == "DEVICE_ID" or not parts:
                parts.append([])
            parts[-1].append(each)
        children += [Element("DEVICES", children=tuple(part)) for part in parts]
    return Element(root.name, root.text, root.attributes, tuple(children))


__all__ = [
    "KINDS", "SECRETS", "Bare", "ChannelException", "Check", "DeviceAnswer", "DeviceOrder", "DeviceOrderDone",
    "DeviceStates", "DeviceSwitch", "Gather", "Message", "Reader", "ReaderAccepted", "ReaderChallenge",
    "ReaderSignature", "Receipt", "Register", "Registered", "SignedGather", "SmartCheck", "SmartDeed", "SmartDeedDone",
    "SmartFeedback", "SmartGather", "code_of", "read_message", "write_message",
]  # fmt: skip
