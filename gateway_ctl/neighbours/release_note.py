"""The bonded zone's release note (核放单) as customs sends it: SAS221, it is approved; SAS223, it has crossed. Pure.

    Package / EnvelopInfo, DataInfo / PocketInfo, BussinessData / SAS221 or SAS223 / HdeApprResult, SasPassportBsc

The names are misspelt so by the sender. Everything that is not known here is kept where it stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gateway_ctl.customs.xml_text import Element, Encoding, Unreadable, parse
from gateway_ctl.customs.xml_text import write as write_xml
from gateway_ctl.neighbours.words import Crossed, Declared, NotRead, kg, plain, serial

Kind = Literal["SAS221", "SAS223"]
APPROVED, RETURNED = "1", "3"
"""manageResult."""
CROSSED = "4"
"""stucd: the note has gone through the gate."""
_JOINED = re.compile(r"[|,;/\s]+")
_ENVELOPE = ("EnvelopInfo",)
_POCKET = ("DataInfo", "PocketInfo")
_BUSINESS = ("DataInfo", "BussinessData")

_PASSPORT = (
    "passportNo", "chgTmsCnt", "passportTypecd", "sasPassportPreentNo", "dclTypecd", "ioTypecd", "bindTypecd",
    "masterCuscd", "rltTbTypecd", "rltNo", "areainEtpsno", "areainEtpsNm", "areainEtpsSccd", "vehicleNo",
    "vehicleIcNo", "containerNo", "vehicleWt", "vehicleFrameNo", "vehicleFrameWt", "containerType", "containerWt",
    "totalWt", "passCollectWt", "wtError", "totalGrossWt", "totalNetWt", "dclErConc", "dclTime", "passID",
    "secdPassId", "passTime", "secdPassTime", "stucd", "emapvMarkcd", "logisticsStucd", "ownerSystem", "rmk", "col1",
)  # fmt: skip
"""In the order in which they were met."""


@dataclass(frozen=True, slots=True)
class Note:
    """A release note. `root` is the whole of it."""

    root: Element
    encoding: Encoding = "utf-8"

    @property
    def kind(self) -> Kind:
        """SAS221 or SAS223."""
        return "SAS223" if _at(self.root, (*_BUSINESS, "SAS223")) is not None else "SAS221"

    def passport(self, name: str) -> str:
        """A field of the note itself; empty where it is not there."""
        return _text(self.root, (*_BUSINESS, self.kind, "SasPassportBsc", name))

    @property
    def message_id(self) -> str:
        """Also the file's name, with .SAS behind it."""
        return _text(self.root, (*_ENVELOPE, "message_id"))

    @property
    def result(self) -> str:
        """APPROVED, RETURNED or another word of customs'."""
        return _text(self.root, (*_BUSINESS, self.kind, "HdeApprResult", "manageResult"))

    def declared(self) -> Declared:
        """Raises NotRead: a note without its number or its direction, a weight that is none."""
        number, way = self.passport("passportNo"), self.passport("ioTypecd")
        if not number:
            raise NotRead("a release note without its number (passportNo)")
        if way not in ("I", "E"):
            raise NotRead(f"ioTypecd is {way[:10]!r}, expected I or E")
        return Declared(
            source=self.kind,
            document=number,
            approved=self.result == APPROVED,
            used=self.passport("stucd") == CROSSED,
            direction="in" if way == "I" else "out",
            plate=self.passport("vehicleNo") or None,
            containers=tuple(dict.fromkeys(box for box in _JOINED.split(self.passport("containerNo")) if box)),
            gross_kg=kg(self.passport("totalWt"), "totalWt"),
        )


def read(raw: bytes) -> Note:
    """The note in these bytes, in whatever encoding it is. Raises NotRead."""
    try:
        document = parse(raw)
    except Unreadable as wrong:
        raise NotRead(str(wrong)) from wrong
    note = Note(document.root, document.encoding)
    if document.root.name != "Package" or _at(document.root, (*_BUSINESS, note.kind, "SasPassportBsc")) is None:
        raise NotRead(
            "no SAS221 and no SAS223: Package / DataInfo / BussinessData / SAS22x / SasPassportBsc is not there"
        )
    note.declared()
    return note


def write(note: Note) -> bytes:
    """The bytes of a note, in its encoding, declared as what it is."""
    declared = "utf-8" if note.encoding == "utf-8" else "gb2312"
    return write_xml(note.root, note.encoding, declared)


def crossing(crossed: Crossed, *, sender: str, receiver: str) -> Note:
    """SAS223 of a crossing: what the note declared, the weight that was found, the lane and the time.

    `wtError` is theory minus measurement; without a declared weight it stays empty.
    """
    declared = crossed.declared
    when = crossed.at.strftime("%Y%m%d%H%M%S")
    theory = None if declared is None else declared.gross_kg
    off = None if theory is None or crossed.gross_kg is None else theory - crossed.gross_kg
    said = {
        "passportNo": "" if declared is None else declared.document,
        "chgTmsCnt": "0",
        "ioTypecd": "I" if crossed.direction == "in" else "E",
        "masterCuscd": crossed.area[:4],
        "vehicleNo": crossed.plate or "",
        "containerNo": ",".join(crossed.containers),
        "totalWt": plain(theory),
        "passCollectWt": plain(crossed.gross_kg),
        "wtError": plain(off),
        "secdPassId": crossed.channel or crossed.lane,
        "passTime": when,
        "secdPassTime": when,
        "stucd": CROSSED,
    }
    name = f"{sender}{receiver}{when}{serial(crossed.passage, 11)}"
    number = said["passportNo"] or crossed.passage
    return Note(
        _tree("Package", {
            "EnvelopInfo": {
                "version": "1.0", "message_id": name, "file_name": f"{name}.SAS", "message_type": "SAS223",
                "sender_id": sender, "receiver_id": receiver, "send_time": crossed.at.strftime("%Y-%m-%dT%H:%M:%S"),
            },
            "DataInfo": {
                "PocketInfo": {
                    "pocket_id": f"{number}-{serial(crossed.passage, 20)}", "total_pocket_qty": "1",
                    "cur_pocket_no": "1", "is_unstructured": "",
                },
                "BussinessData": {"SAS223": {
                    "HdeApprResult": {"etpsPreentNo": "", "businessId": "", "tmsCnt": "0", "typecd": "",
                                      "manageResult": APPROVED, "manageDate": "", "rmk": ""},
                    "SasPassportBsc": {field: said.get(field, "") for field in _PASSPORT},
                }},
            },
        })
    )  # fmt: skip


Tree = Mapping[str, "str | Tree"]


def _tree(name: str, inside: "str | Tree") -> Element:
    if isinstance(inside, str):
        return Element(name, inside)
    return Element(name, children=tuple(_tree(key, value) for key, value in inside.items()))


def _at(root: Element, path: tuple[str, ...]) -> Element | None:
    here: Element | None = root
    for name in path:
        here = None if here is None else here.child(name)
    return here


def _text(root: Element, path: tuple[str, ...]) -> str:
    found = _at(root, path)
    return "" if found is None else found.text.strip()


def used(note: Note) -> Note:
    """The same note, crossed."""
    return replace(note, root=_with(note.root, (*_BUSINESS, note.kind, "SasPassportBsc", "stucd"), CROSSED))


def _with(element: Element, path: tuple[str, ...], text: str) -> Element:
    if not path:
        return replace(element, text=text)
    children = tuple(_with(child, path[1:], text) if child.name == path[0] else child for child in element.children)
    return replace(element, children=children)
