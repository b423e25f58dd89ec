"""CLM50011, a truck has crossed a gate, as terminal and customs tell each other; CLM50012 answers it. Pure.

    MESSAGE / MESSAGE_HEAD, MESSAGE_LIST / VEHICLES_INFO ..         answered by MESSAGE_LIST / RESPOND_INFO

Which side sends it is not printed anywhere: both ways are read and written here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway_ctl.customs.xml_text import Element, Encoding, Unreadable, parse
from gateway_ctl.customs.xml_text import write as write_xml
from gateway_ctl.neighbours.words import Crossed, Declared, NotRead, kg, plain, serial

TYPE, ANSWER = "CLM50011", "CLM50012"
ADD, DELETE = "2", "3"
"""FUNCTION_CODE."""
ID_DIGITS = 20
_FIELDS = (
    "AREA_ID", "CHNL_NO", "SEQ_NO", "I_E_TYPE", "CAR_EC_NO", "DR_IC_NO", "VE_NAME", "F_CONTA_NO", "B_CONTA_NO",
    "GROSS_WT", "NOTE",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """MESSAGE_HEAD."""

    message_id: str
    """20 digits."""
    type: str
    sender: str
    receiver: str
    created: str
    """`2014-09-01 15:10:00`."""
    function: str = ADD
    version: str = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """VEHICLES_INFO: one truck at one gate."""

    area: str = ""
    channel: str = ""
    sequence: str = ""
    direction: str = ""
    """I or E."""
    tag: str = ""
    card: str = ""
    plate: str = ""
    front: str = ""
    rear: str = ""
    gross_kg: Decimal | None = None
    note: str = ""
    more: tuple[Element, ...] = ()
    """Elements that are not known here, as they came."""

    def declared(self, document: str) -> Declared:
        """What another gate has found of this truck. It says nothing of where the truck goes next."""
        boxes = tuple(dict.fromkeys(box for box in (self.front, self.rear) if box))
        return Declared(
            source=TYPE, document=document, approved=True, plate=self.plate or None, containers=boxes,
            gross_kg=self.gross_kg,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """CLM50011."""

    head: Head
    vehicles: tuple[Vehicle, ...]
    encoding: Encoding = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """CLM50012: T taken, F not, and why."""

    head: Head
    of: str
    taken: bool
    note: str = ""


def read(raw: bytes) -> Crossing | Respond:
    """Raises NotRead."""
    try:
        document = parse(raw)
    except Unreadable as wrong:
        raise NotRead(str(wrong)) from wrong
    told, listed = document.root.child("MESSAGE_HEAD"), document.root.child("MESSAGE_LIST")
    if document.root.name != "MESSAGE" or told is None or listed is None:
        raise NotRead("no MESSAGE with its MESSAGE_HEAD and MESSAGE_LIST")
    head = Head(
        message_id=_said(told, "MESSAGE_ID"), type=_said(told, "MESSAGE_TYPE"), sender=_said(told, "SENDER"),
        receiver=_said(told, "RECEIVER"), created=_said(told, "MESSAGE_CREATE_TIME"),
        function=_said(told, "FUNCTION_CODE"), version=_said(told, "VERSION"),
    )  # fmt: skip
    if head.type == ANSWER:
        respond = listed.child("RESPOND_INFO")
        flag = "" if respond is None else _said(respond, "OP_FLAG")
        if respond is None or flag not in ("T", "F"):
            raise NotRead(f"{ANSWER} without OP_FLAG T or F")
        return Respond(head=head, of=_said(respond, "MESSAGE_ID"), taken=flag == "T", note=_said(respond, "NOTE"))
    if head.type != TYPE:
        raise NotRead(f"MESSAGE_TYPE is {head.type[:20]!r}, expected {TYPE} or {ANSWER}")
    vehicles = tuple(_vehicle(each) for each in listed.children if each.name == "VEHICLES_INFO")
    if not vehicles:
        raise NotRead(f"{TYPE} without a vehicle")
    return Crossing(head=head, vehicles=vehicles, encoding=document.encoding)


def write(message: Crossing | Respond) -> bytes:
    """The bytes, in the encoding in which it came; UTF-8 for one of our own."""
    head = message.head
    told = Element(
        "MESSAGE_HEAD",
        children=tuple(
            Element(name, text)
            for name, text in (
                ("MESSAGE_ID", head.message_id), ("FUNCTION_CODE", head.function), ("MESSAGE_TYPE", head.type),
                ("SENDER", head.sender), ("RECEIVER", head.receiver), ("MESSAGE_CREATE_TIME", head.created),
                ("VERSION", head.version),
            )
        ),
    )  # fmt: skip
    if isinstance(message, Respond):
        said = (("MESSAGE_ID", message.of), ("OP_FLAG", "T" if message.taken else "F"), ("NOTE", message.note))
        inside = (Element("RESPOND_INFO", children=tuple(Element(name, text) for name, text in said)),)
        return write_xml(_message(told, inside), "utf-8")
    return write_xml(_message(told, map(_element, message.vehicles)), message.encoding)


def crossing(crossed: Crossed, *, sender: str, receiver: str) -> Crossing:
    """The message of a crossing at this gate; the same passage always makes the same one."""
    when = crossed.at.strftime("%Y%m%d%H%M%S")
    boxes = (*crossed.containers, "", "")
    vehicle = Vehicle(
        area=crossed.area, channel=crossed.channel or crossed.lane, sequence=crossed.sequence or crossed.passage,
        direction="I" if crossed.direction == "in" else "E", tag="|".join(crossed.tags), plate=crossed.plate or "",
        front=boxes[0], rear=boxes[1], gross_kg=crossed.gross_kg,
        note="" if crossed.declared is None else crossed.declared.document,
    )  # fmt: skip
    return Crossing(
        head=_head(TYPE, f"{when}{serial(crossed.passage, 6)}", sender, receiver, crossed.at), vehicles=(vehicle,)
    )


def respond(to: Crossing, at: datetime, *, taken: bool, note: str = "") -> Respond:
    """The answer to a crossing that was told us."""
    number = f"{at.strftime('%Y%m%d%H%M%S')}{serial(to.head.message_id, 6)}"
    return Respond(
        head=_head(ANSWER, number, to.head.receiver, to.head.sender, at), of=to.head.message_id, taken=taken, note=note
    )


def _head(kind: str, number: str, sender: str, receiver: str, at: datetime) -> Head:
    return Head(
        message_id=number, type=kind, sender=sender, receiver=receiver, created=at.strftime("%Y-%m-%d %H:%M:%S")
    )


def _message(head: Element, inside: Iterable[Element]) -> Element:
    return Element("MESSAGE", children=(head, Element("MESSAGE_LIST", children=tuple(inside))))


def _said(element: Element, name: str) -> str:
    found = element.child(name)
    return "" if found is None else found.text.strip()


def _vehicle(told: Element) -> Vehicle:
    way = _said(told, "I_E_TYPE")
    if way not in ("I", "E", ""):
        raise NotRead(f"I_E_TYPE is {way[:10]!r}, expected I or E")
    return Vehicle(
        area=_said(told, "AREA_ID"), channel=_said(told, "CHNL_NO"), sequence=_said(told, "SEQ_NO"), direction=way,
        tag=_said(told, "CAR_EC_NO"), card=_said(told, "DR_IC_NO"), plate=_said(told, "VE_NAME"),
        front=_said(told, "F_CONTA_NO"), rear=_said(told, "B_CONTA_NO"),
        gross_kg=kg(_said(told, "GROSS_WT"), "GROSS_WT"),
        note=_said(told, "NOTE"), more=tuple(each for each in told.children if each.name not in _FIELDS),
    )  # fmt: skip


def _element(vehicle: Vehicle) -> Element:
    texts = (
        vehicle.area, vehicle.channel, vehicle.sequence, vehicle.direction, vehicle.tag, vehicle.card, vehicle.plate,
        vehicle.front, vehicle.rear, plain(vehicle.gross_kg), vehicle.note,
    )  # fmt: skip
    known = tuple(Element(name, text) for name, text in zip(_FIELDS, texts, strict=True))
    return Element("VEHICLES_INFO", children=(*known, *vehicle.more))
