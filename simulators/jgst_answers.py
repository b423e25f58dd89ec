"""What the back end of a customs gate makes of gathered data, and the messages that say so. Pure.

Tables A.5 to A.16 and 1 to 5 of JGS/T 14-2015, annex B for the result word: 0x21, 0x81 in, 0x22, 0x31, 0x82, 0x83 out.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from simulators.customs_rules import Gathered, Manifest, Opinion
from simulators.jgst_words import Message, Node, word

COLOUR = re.compile(r"^[黄蓝绿白黑渐](?=[\u4e00-\u9fff])")
"""One vendor writes the plate's colour before the plate."""
JOINED = re.compile(r"[|,;]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What every message about a passage repeats of its question."""

    area: str
    channel: str
    direction: str
    sequence: str

    @property
    def attributes(self) -> dict[str, str]:
        """As the traditional gate has them."""
        told = {"AREA_ID": self.area, "CHNL_NO": self.channel, "I_E_TYPE": self.direction}
        return told | {"SEQ_NO": self.sequence} if self.sequence else told

    @property
    def elements(self) -> list[Node]:
        """As the smart gate has them."""
        return [("AREA_ID", self.area), ("CHNL_NO", self.channel), ("SESSION_ID", self.sequence)]


def address(message: Message) -> Address:
    """Of a question in either dialect."""
    return Address(
        area=message.first("AREA_ID"),
        channel=message.first("CHNL_NO"),
        direction=message.first("I_E_TYPE", "I_E_FLAG"),
        sequence=message.first("SEQ_NO", "SESSION_ID"),
    )


def gathered(message: Message, lane: str) -> Gathered:
    """A question as the rules read it. Whatever is empty, or no number, is not there."""
    plate = COLOUR.sub("", message.first("CAR/VE_NAME", "PCAR_NO", "TRUCK_NO") or _smart_plate(message))
    boxes = [message.first("CONTA_ID_F", "CONTA_ID1"), message.first("CONTA_ID_B", "CONTA_ID2")]
    if not any(boxes):
        boxes = [box for text in message.all("CONTA_ID") for box in JOINED.split(text)]
    tags = [
        tag
        for name in ("CAR_EC_NO", "CAR_EC_NO2", "VE_RFID/RFID_No", "VE_RFID/RFID_ID")
        for text in message.all(name)
        for tag in JOINED.split(text)
    ]
    return Gathered(
        site=message.first("AREA_ID"),
        lane=lane,
        passage=message.first("SEQ_NO", "SESSION_ID"),
        direction="in" if message.first("I_E_TYPE", "I_E_FLAG") == "I" else "out",
        plate=plate or None,
        plate_confidence=1.0 if plate else 0.0,
        tags=tuple(dict.fromkeys(tag.strip().upper() for tag in tags if tag.strip())),
        containers=tuple(dict.fromkeys(box.strip() for box in boxes if box.strip())),
        gross_kg=_kg(message.first("WEIGHT/GROSS_WT", "TRUCK_WEIGHT", "GROSS_WT")),
        uncertainty_kg=None,
    )


def _smart_plate(message: Message) -> str:
    recognised = message.first("DOMESTIC_LICENSE_NO")
    plain = next((text for path, text in message.elements if path == "VE_LICENSE_NO"), "")
    return recognised or plain


def _kg(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def result_word(opinion: Opinion) -> str:
    """CHK_RESULT of annex B. Bytes 10 and 11: the display and the voice speak."""
    if opinion.verb == "release":
        return word(b10="1", b11="1")
    letters = {
        "papers": {"b3": "z"}, "used": {"b3": "z"}, "direction": {"b3": "z"}, "boxes": {"b3": "z"},
        "weight": {"b5": "q"}, "tag": {"b7": "x"}, "plate": {"b1": "W"},
        "targeted": {"b3": "w"}, "officer": {"b3": "w"},
    }.get(opinion.cause, {"b3": "v"})  # fmt: skip
    return word(b2="1", b10="1", b11="1", **letters)


def pending_word(opinion: Opinion, *, outbound: bool) -> str:
    """EXC_CMD of a release that waits for its seal or its tracker: byte 1 V, do not open yet."""
    manifest = opinion.manifest
    return word(b1="V", b2="1", b8=_seal(manifest, outbound=outbound), b9=_gps(manifest, outbound=outbound))


def _seal(manifest: Manifest | None, *, outbound: bool) -> str:
    return "0" if manifest is None or manifest.seal is None else "1" if outbound else "2"


def _gps(manifest: Manifest | None, *, outbound: bool) -> str:
    return "0" if manifest is None or manifest.gps is None else "1" if outbound else "2"


def needs_devices(opinion: Opinion) -> bool:
    """Whether a seal or a tracker must be worked before the release."""
    manifest = opinion.manifest
    return opinion.verb == "release" and manifest is not None and bool(manifest.seal or manifest.gps)


def _seal_and_gps(opinion: Opinion) -> list[Node]:
    manifest = opinion.manifest
    seal = ("", "") if manifest is None or manifest.seal is None else manifest.seal
    gps = ("", "", "") if manifest is None or manifest.gps is None else manifest.gps
    plate = manifest.plate if manifest is not None and manifest.gps is not None else ""
    return [
        ("GPS", [("VE_NAME", plate), ("GPS_ID", gps[0]), ("ORIGIN_CUSTOMS", gps[1]), ("DEST_CUSTOMS", gps[2])]),
        ("SEAL", [("ESEAL_ID", seal[0]), ("SEAL_KEY", seal[1])]),
    ]


def check_result(told: str, opinion: Opinion) -> list[Node]:
    """0x22, table A.6."""
    return [
        ("CHECK_RESULT", told), *_seal_and_gps(opinion), ("FORM_TYPE", ""), ("FORM_ID", ""), ("OP_HINT", opinion.zh),
    ]  # fmt: skip


def command(told: str, opinion: Opinion, officer: str = "") -> list[Node]:
    """0x31, table A.9."""
    return [
        ("EXCUTE_COMMAND", told), *_seal_and_gps(opinion),
        ("OP_TYPE", "1"), ("OP_REASON", opinion.zh), ("OP_ID", officer),
    ]  # fmt: skip


def feedback(asked: Address, opinion: Opinion, at: str, *, letter: str) -> list[Node]:
    """0x82, table 2. `letter`: Y release, N alarm, M a human decides."""
    manifest = opinion.manifest
    plate = "" if manifest is None else manifest.plate
    return [
        *asked.elements, ("RELLIST_TYPE", ""), ("RELLIST_ID_TYPE", ""), ("RELLIST_ID", ""), ("FEEDBACK_TIME", at),
        ("CHECK_RESULT", letter), ("INSTRUCTION", ""), ("PROC_ERROR_CODE", ""), ("PROC_ERROR_DESCRIPTION", ""),
        ("TECH_ERROR_CODE", ""), ("TECH_ERROR_DESCRIPTION", ""),
        ("VE_INFO", [("VE_CUSTOMS_NO", ""), ("VE_LICENSE_NO", plate), ("WEIGHT_DIFF", "")]),
        ("CONTA_ID", "" if manifest is None else "|".join(manifest.containers)),
        ("OP_HINT", opinion.zh), ("LED_HINT", opinion.zh), ("EXTENDED_CONTENT", ""),
    ]  # fmt: skip


def operate(asked: Address, opinion: Opinion, *, outbound: bool) -> list[Node]:
    """0x83, table 3."""
    manifest = opinion.manifest
    seal = ("", "") if manifest is None or manifest.seal is None else manifest.seal
    gps = ("", "", "") if manifest is None or manifest.gps is None else manifest.gps
    return [
        *asked.elements,
        ("GPS", [
            ("VE_CUSTOMS_NO", ""), ("GPS_ID", gps[0]), ("ORIGIN_CUSTOMS", gps[1]), ("DEST_CUSTOMS", gps[2]),
            ("FORM_ID", ""),
        ]),
        ("ESEAL", [
            ("ESEAL_ID", seal[0]), ("ESEAL_OPERATE", ("L" if outbound else "U") if seal[0] else ""),
            ("ESEAL_KEY", seal[1]),
        ]),
        ("GENERAL_DEVICE", [("OPERATE", ""), ("DEVIC_ID", ""), ("ARGUMENT", "")]),
    ]  # fmt: skip


def manual_check(asked: Address, verb: str, officer: str, comment: str) -> list[Node]:
    """0x85, table 5: 1 release, 2 alarm and inspection, 3 refuse and go back."""
    number = {"release": "1", "inspect": "2"}.get(verb, "3")
    return [*asked.elements, ("CHECK_RESULT", number), ("COMMENT", comment), ("OPERATOR_ID", officer)]


def done_well(message: Message) -> bool:
    """Whether a 0x32 or 0x84 says that seal and tracker were worked. Silence about them is well: some send it empty."""
    told = message.first("EXECUTE_RESULT")
    return "9" not in told[7:9] and "2" not in message.all("RESULT")
