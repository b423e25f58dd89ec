"""Papers of the gate's neighbours: every sample read and written back, every paper of ours read by another hand."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_ctl.neighbours import codeco, gate_crossing, release_note
from gateway_ctl.neighbours.words import Crossed, Declared, NotRead

SAMPLES = Path(__file__).parents[2] / "golden" / "customs"
WHEN = datetime(2026, 11, 25, 8, 30, 15, tzinfo=timezone(timedelta(hours=8)))
CROSSED = Crossed(
    site="qianwan", lane="L01", passage="L01-1795580487864", direction="in", at=WHEN, plate="沪AD3F88",
    containers=("CSQU3054383", "HLXU4074106"), gross_kg=Decimal(37020), tags=("BBA6414433463838",), seals=("H123456",),
    area="3701000001", channel="3701000101", sequence="20261125083000000001",
    declared=Declared(
        source="SAS221", document="Z2924I200723000000000071", approved=True, gross_kg=Decimal("36800.5"), direction="in"
    ),
)  # fmt: skip


def sample(name: str) -> bytes:
    return next(SAMPLES.glob(f"{name}-*.xml")).read_bytes()


def test_the_note_that_has_crossed() -> None:
    note = release_note.read(sample("43"))
    said = note.declared()
    assert (note.kind, note.encoding, note.result) == ("SAS223", "utf-8", release_note.APPROVED)
    assert said == Declared(
        source="SAS223", document="Z2924E200611000000000099", approved=True, used=True, direction="out",
        plate="沪BZU213", gross_kg=Decimal("3240.013"),
    )  # fmt: skip
    assert (note.passport("passCollectWt"), note.passport("wtError")) == ("3553", "-312.987")
    assert note.message_id + ".SAS" == "CUS0000E0100002020061120342600173579533.SAS"


def test_the_note_that_is_approved_comes_in_gb2312() -> None:
    note = release_note.read(sample("44"))
    said = note.declared()
    assert (note.kind, note.encoding) == ("SAS221", "gb18030")
    assert (said.plate, said.direction, said.gross_kg, said.used) == ("沪B2U213", "in", Decimal(3290), False)
    assert b'encoding="gb2312"' in release_note.write(note)


@pytest.mark.parametrize("name", ["43", "44"])
def test_a_note_written_back_says_the_same(name: str) -> None:
    note = release_note.read(sample(name))
    assert release_note.read(release_note.write(note)) == note
    crossed = release_note.used(note)
    assert crossed.declared().used and crossed.root.name == "Package"
    if name == "44":
        assert crossed != note and release_note.read(release_note.write(crossed)) == crossed


def test_the_crossing_that_we_report_on_a_note() -> None:
    note = release_note.crossing(CROSSED, sender="E010000", receiver="CUS0000")
    assert release_note.read(release_note.write(note)) == note
    fields = {name: note.passport(name) for name in ("passportNo", "vehicleNo", "totalWt", "passCollectWt", "wtError")}
    assert fields == {
        "passportNo": "Z2924I200723000000000071", "vehicleNo": "沪AD3F88", "totalWt": "36800.5",
        "passCollectWt": "37020", "wtError": "-219.5",
    }  # fmt: skip
    assert (note.passport("secdPassId"), note.passport("stucd"), note.passport("secdPassTime")) == (
        "3701000101", "4", "20261125083015",
    )  # fmt: skip
    assert re.fullmatch(r"E010000CUS000020261125083015\d{11}", note.message_id)
    mine = {child.name for child in _passport(note)}
    assert mine == {child.name for child in _passport(release_note.read(sample("43")))}
    bare = release_note.crossing(replace(CROSSED, declared=None, gross_kg=None), sender="A", receiver="B")
    assert (bare.passport("wtError"), bare.passport("totalWt"), bare.passport("passCollectWt")) == ("", "", "")


def _passport(note: release_note.Note):
    business = note.root.child("DataInfo").child("BussinessData")  # pyright: ignore[reportOptionalMemberAccess]
    return business.child(note.kind).child("SasPassportBsc").children  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"<passportNo>Z2924E200611000000000099<", b"<passportNo><"), "without its number"),
        ((b"<ioTypecd>E<", b"<ioTypecd>X<"), "ioTypecd is 'X'"),
        ((b"<totalWt>3240.013<", b"<totalWt>heavy<"), "totalWt is 'heavy'"),
        ((b"<totalWt>3240.013<", b"<totalWt>1e99<"), "totalWt is '1e99'"),
        ((b"SasPassportBsc", b"SasPassport"), "no SAS221 and no SAS223"),
        ((b"</Package>", b""), "not well-formed"),
    ],
)
def test_what_is_no_note(change: tuple[bytes, bytes], why: str) -> None:
    raw = sample("43")
    assert change[0] in raw
    with pytest.raises(NotRead, match=re.escape(why)):
        release_note.read(raw.replace(*change))


def test_a_gate_crossing_written_back_says_the_same() -> None:
    told = gate_crossing.read(sample("62"))
    assert isinstance(told, gate_crossing.Crossing)
    (vehicle,) = told.vehicles
    assert (vehicle.plate, vehicle.front, vehicle.rear) == ("鄂A00001", "HLXU4074106", "FCIU9176921")
    assert (vehicle.gross_kg, vehicle.sequence, vehicle.card) == (Decimal(38460), "20140901150959000001", "9966336699")
    assert gate_crossing.write(told) == sample("62").strip()
    said = vehicle.declared(told.head.message_id)
    assert (said.plate, said.containers, said.gross_kg) == ("鄂A00001", (vehicle.front, vehicle.rear), Decimal(38460))


def test_the_crossing_that_we_tell_customs_and_its_answer() -> None:
    told = gate_crossing.crossing(CROSSED, sender="470820140001", receiver="4708")
    assert gate_crossing.read(gate_crossing.write(told)) == told
    assert re.fullmatch(r"20261125083015\d{6}", told.head.message_id)
    assert gate_crossing.crossing(CROSSED, sender="470820140001", receiver="4708") == told, "written twice, told once"
    answer = gate_crossing.respond(told, WHEN, taken=False, note="无此车辆")
    assert gate_crossing.read(gate_crossing.write(answer)) == answer
    assert (answer.of, answer.head.sender) == (told.head.message_id, "4708")
    other = gate_crossing.read(sample("61").replace(b"CLM10012", b"CLM50012"))
    assert isinstance(other, gate_crossing.Respond) and other.taken


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"CLM50011", b"CLM10011"), "MESSAGE_TYPE is 'CLM10011'"),
        ((b"VEHICLES_INFO", b"VEHICLE_INFO"), "without a vehicle"),
        ((b"<I_E_TYPE>I<", b"<I_E_TYPE>Q<"), "I_E_TYPE is 'Q'"),
        ((b"<GROSS_WT>38460<", b"<GROSS_WT>NaN<"), "GROSS_WT is 'NaN'"),
        ((b"MESSAGE_HEAD", b"HEAD"), "no MESSAGE with its MESSAGE_HEAD"),
        ((b"CLM50011", b"CLM50012"), "without OP_FLAG"),
        ((b"<MESSAGE>", b"<!DOCTYPE MESSAGE [<!ENTITY a 'b'>]><MESSAGE>"), "defines something of its own"),
    ],
)
def test_what_is_no_crossing(change: tuple[bytes, bytes], why: str) -> None:
    assert change[0] in sample("62")
    with pytest.raises(NotRead, match=re.escape(why)):
        gate_crossing.read(sample("62").replace(*change))


# Letters of another script alone, neither ASCII nor Chinese, are taken for GB18030 (customs/xml_text.py).
_CHARACTERS = st.characters(categories=["L", "N"], max_codepoint=0x7F) | st.characters(
    categories=["L", "N"], min_codepoint=0x2E80, max_codepoint=0x9FFF
)
_word = st.text(_CHARACTERS, max_size=12)
_kg = st.none() | st.decimals(0, 99_999, places=2)
crossings = st.builds(
    Crossed,
    site=_word,
    lane=st.sampled_from(["L01", "L02"]),
    passage=_word,
    direction=st.sampled_from(["in", "out"]),
    at=st.floats(1.6e9, 2.2e9).map(lambda at: datetime.fromtimestamp(at, UTC)),
    plate=st.none() | _word.filter(bool),
    containers=st.lists(st.from_regex(r"\A[A-Z]{4}[0-9]{7}\Z"), max_size=2, unique=True).map(tuple),
    gross_kg=_kg,
    tags=st.lists(st.from_regex(r"\A[0-9A-F]{24}\Z"), max_size=2).map(tuple),
    seals=st.lists(st.from_regex(r"\A[A-Z0-9]{4,10}\Z"), max_size=2).map(tuple),
    declared=st.none()
    | st.builds(Declared, source=st.just("SAS221"), document=_word.filter(bool), approved=st.just(True), gross_kg=_kg),
    area=st.sampled_from(["", "3701000001"]),
    channel=st.sampled_from(["", "3701000101"]),
)


@given(crossings)
def test_any_crossing_comes_back_from_its_xml(crossed: Crossed) -> None:
    told = gate_crossing.read(gate_crossing.write(gate_crossing.crossing(crossed, sender="A", receiver="B")))
    assert isinstance(told, gate_crossing.Crossing)
    (vehicle,) = told.vehicles
    assert vehicle.gross_kg == crossed.gross_kg and vehicle.plate == (crossed.plate or "")
    assert tuple(box for box in (vehicle.front, vehicle.rear) if box) == crossed.containers
    if crossed.declared is not None:
        note = release_note.read(release_note.write(release_note.crossing(crossed, sender="A", receiver="B")))
        said = note.declared()
        assert (said.document, said.direction, said.containers) == (
            crossed.declared.document, crossed.direction, crossed.containers,
        )  # fmt: skip
        assert said.gross_kg == crossed.declared.gross_kg and said.used


@given(st.binary(max_size=300) | st.sampled_from([sample("43"), sample("44"), sample("62")]), st.data())
def test_noise_is_never_a_paper_and_never_a_crash(raw: bytes, data: st.DataObject) -> None:
    for _ in range(3):
        if raw:
            place = data.draw(st.integers(0, len(raw) - 1))
            raw = raw[:place] + bytes((data.draw(st.integers(0, 255)),)) + raw[place + 1 :]
    for read in (release_note.read, gate_crossing.read):
        with suppress(NotRead):
            read(raw)


# CODECO, read by another hand: the syntax of ISO 9735 and the segment table of the directory.

ENVELOPE = codeco.Envelope(sender="QIANWAN", receiver="COSU", place="CNTAO", terminal="QQCT", operator="COSU")
TABLE = {
    "95B": "UNH BGM NAD EQD RFF DTM LOC SEL FTX TDT CNT UNT",
    "00B": "UNH BGM DTM NAD EQD RFF DTM LOC SEL FTX TDT CNT UNT",
}


def edifact(raw: bytes) -> list[list[list[str]]]:
    """Segments of elements of components."""
    text = raw.decode("ascii").removeprefix("UNA:+.? '").replace("\r\n", "")
    segments: list[list[list[str]]] = [[[""]]]
    chars = iter(text)
    for char in chars:
        here = segments[-1]
        if char == "?":
            here[-1][-1] += next(chars)
        elif char == "'":
            segments.append([[""]])
        elif char == "+":
            here.append([""])
        elif char == ":":
            here[-1].append("")
        else:
            here[-1][-1] += char
    assert segments.pop() == [[""]]
    return segments


def test_a_sum_of_axles_is_called_one_in_the_gate_report() -> None:
    told = codeco.write(replace(CROSSED, by_axles=True), ENVELOPE).decode("ascii")
    assert told.count("FTX+AAI+++TRUCK SUM OF AXLES 37020 KG AT GATE'") == 2 and "GROSS" not in told


def test_the_gate_report_to_the_byte() -> None:
    assert codeco.write(CROSSED, ENVELOPE).decode("ascii").split("\r\n") == [
        "UNA:+.? '",
        "UNB+UNOA:2+QIANWAN+COSU+261125:0830+261125" + _serial() + "'",
        "UNH+261125" + _serial() + "+CODECO:D:95B:UN:ITG14'",
        "BGM+34+261125" + _serial() + "+9'",
        "NAD+MS+QIANWAN:160:ZZZ'",
        "NAD+MR+COSU:160:ZZZ'",
        "NAD+CF+COSU:160:20'",
        *(
            line
            for box in CROSSED.containers
            for line in (
                f"EQD+CN+{box}'",
                "RFF+AAE:Z2924I200723000000000071'",
                "RFF+ACW:L01-1795580487864'",
                "DTM+7:202611250830:203'",
                "LOC+165+CNTAO:139:6+QQCT:TER:ZZZ'",
                "SEL+H123456+CA'",
                "FTX+AAI+++TRUCK GROSS 37020 KG AT GATE'",
                "TDT+1++3+31++++HU-AD3F88:146'",
            )
        ),
        "CNT+16:2'",
        "UNT+23+261125" + _serial() + "'",
        "UNZ+1+261125" + _serial() + "'",
        "",
    ]


def _serial() -> str:
    from gateway_ctl.neighbours.words import serial

    return serial(CROSSED.passage, 6)


@settings(max_examples=60)
@given(crossings, st.sampled_from(["95B", "00B"]))
def test_any_report_is_whole_by_the_rules_of_its_syntax(crossed: Crossed, directory: codeco.Directory) -> None:
    segments = edifact(codeco.write(crossed, replace(ENVELOPE, directory=directory)))
    tags = [segment[0][0] for segment in segments]
    assert tags[0] == "UNB" and tags[-1] == "UNZ"
    body = segments[1:-1]
    reference = segments[0][5][0]
    assert body[0][1] == [reference] and body[0][2][:4] == ["CODECO", "D", directory, "UN"]
    assert body[-1] == [["UNT"], [str(len(body))], [reference]]
    assert segments[-1] == [["UNZ"], ["1"], [reference]]
    assert segments[1:][1][1] == ["34" if crossed.direction == "in" else "36"]
    boxes = [segment[2][0] for segment in body if segment[0] == ["EQD"]]
    assert tuple(boxes) == crossed.containers
    assert body[-2] == [["CNT"], ["16", str(len(boxes))]]
    allowed = TABLE[directory].split()
    at, groups = 0, 0
    for segment in body:
        tag = segment[0][0]
        if tag == "EQD" and groups:
            at = allowed.index("EQD")
        groups += tag == "EQD"
        at = allowed.index(tag, at)
    texts = [text for segment in body for element in segment for text in element]
    assert all(len(text) <= codeco.LONGEST_TEXT for text in texts)


PLATES = {
    "沪AD3F88": "HU-AD3F88", "苏A89E6挂": "SU-A89E6-GUA", "粤Z1234港": "YUE-Z1234-GANG", "é1": "U00C9-1",
}  # fmt: skip


@pytest.mark.parametrize(("plate", "told"), PLATES.items())
def test_a_chinese_plate_in_latin_letters(plate: str, told: str) -> None:
    assert codeco.romanised(plate) == told


def test_no_two_provinces_are_told_alike() -> None:
    assert len(set(codeco.PROVINCES.values())) == len(codeco.PROVINCES)
