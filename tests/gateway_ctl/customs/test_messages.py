"""What customs says, read by name; the list of samples; what is refused, and why."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_ctl.customs.codes import Code
from gateway_ctl.customs.messages import (
    KINDS,
    SECRETS,
    Check,
    DeviceOrder,
    DeviceOrderDone,
    DeviceStates,
    Gather,
    Message,
    SmartGather,
    code_of,
    read_message,
    write_message,
)
from gateway_ctl.customs.messages.command import SealOrder
from gateway_ctl.customs.messages.devices import UserInfo
from gateway_ctl.customs.messages.gather import Car
from gateway_ctl.customs.messages.smart import SealDeed
from gateway_ctl.customs.shape import Shape
from gateway_ctl.customs.xml_text import Element, Unreadable, decode, parse, write
from tests.gateway_ctl.customs.sample_list import rows
from tests.gateway_ctl.customs.samples import FOLDER, sample


def said(number: str, code: int | None = None) -> Message:
    return read_message(code, parse(sample(number)).root)


def test_every_sample_is_read_and_written_back_as_the_list_says() -> None:
    pinned = (FOLDER / "READ.md").read_text(encoding="utf-8")
    made = "\n".join(rows()) + "\n"
    assert made == pinned, "python -m tests.gateway_ctl.customs.sample_list, and look at what changed"


def test_a_card_nested_and_a_card_flat_say_the_same() -> None:
    nested, flat = said("01"), said("02")
    assert isinstance(nested, Gather)
    assert isinstance(flat, Gather)
    assert nested.card.driver_card == flat.card.driver_card == "9966336699"
    assert nested.card.containers == "HLXU4074106|FCIU9176921"
    assert nested.boxes.front == "HLXU4074106"
    assert flat.car.plate == "苏A88888"
    assert flat.bar.code.startswith("苏A88888|")


def test_values_beside_their_group_are_found() -> None:
    xml = b'<GATHER_INFO SEQ_NO="2"><GROSS_WT>38460</GROSS_WT><CONTA_ID_F>HLXU4074106</CONTA_ID_F></GATHER_INFO>'
    message = read_message(0x21, parse(xml).root)
    assert isinstance(message, Gather)
    assert message.weight.gross_kg == "38460"
    assert message.boxes.front == "HLXU4074106"
    assert message.others == ()


def test_attributes_as_elements_and_elements_as_attributes() -> None:
    xml = b"<COMMAND_INFO><SEQ_NO>7</SEQ_NO><AREA_ID>1</AREA_ID><CHECK_RESULT>Y</CHECK_RESULT></COMMAND_INFO>"
    message = read_message(0x22, parse(xml).root)
    assert isinstance(message, Check)
    assert (message.seq, message.area, message.result) == ("7", "1", "Y")
    smart = read_message(0x81, parse(b'<GATHER_INFO SESSION_ID="9" AREA_ID="1"/>').root)
    assert isinstance(smart, SmartGather)
    assert (smart.seq, smart.area) == ("9", "1")


@pytest.mark.parametrize("wrong", ["EXCUTE_COMMAND", "EXECUTE_COMMAND"])
def test_both_spellings_are_read_and_the_standard_s_is_written(wrong: str) -> None:
    xml = f"<COMMAND_INFO><{wrong}>{'0' * 20}</{wrong}></COMMAND_INFO>".encode()
    message = read_message(0x31, parse(xml).root)
    assert isinstance(message, DeviceOrder)
    assert message.command == "0" * 20
    assert write_message(message).child("EXCUTE_COMMAND") is not None
    assert write_message(message).child("EXECUTE_COMMAND") is None


def test_the_misspelt_names_are_written() -> None:
    smart = write_message(SmartGather(mode="A"))
    assert smart.child("GETHER_MODE") is not None
    deed = write_message(said("27"))
    device = deed.child("GENERAL_DEVICE")
    assert device is not None
    assert device.child("DEVIC_ID") == Element("DEVIC_ID", "16010001")


def test_what_is_unknown_is_given_back() -> None:
    xml = (
        b'<GATHER_INFO AREA_ID="1" COLOUR="red"><CAR><VE_NAME>x</VE_NAME><WHEELS>6</WHEELS></CAR>'
        b"<NEWS><A><B>1</B></A><A/></NEWS></GATHER_INFO>"
    )
    message = read_message(0x21, parse(xml).root)
    assert isinstance(message, Gather)
    assert message.marks == (("COLOUR", "red"),)
    assert message.car.others == (Element("WHEELS", "6"),)
    again = write(write_message(message), "utf-8").decode()
    assert "<WHEELS>6</WHEELS>" in again
    assert "<NEWS><A><B>1</B></A><A></A></NEWS>" in again
    assert 'COLOUR="red"' in again


@pytest.mark.parametrize(
    ("code", "xml", "why"),
    [
        (0x22, b"<COMMAND_INFO><CHECK_RESULT>Y</CHECK_RESULT><CHECK_RESULT>N</CHECK_RESULT></COMMAND_INFO>", "2 times"),
        (0x22, b'<COMMAND_INFO SEQ_NO="1"><SEQ_NO>2</SEQ_NO></COMMAND_INFO>', "SEQ_NO is said 2 times"),
        (0x22, b"<COMMAND_INFO><SEAL/><SEAL/></COMMAND_INFO>", "SEAL is there 2 times"),
        (0x22, b"<GATHER_INFO/>", "expected COMMAND_INFO"),
        (0x11, b"<COMMAND_INFO/>", "0x11 is not spoken here"),
        (None, b"<MESSAGE/>", "no code is not spoken here"),
    ],
)
def test_what_does_not_say_one_thing_is_refused(code: int | None, xml: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_message(code, parse(xml).root)


def test_the_same_said_twice_is_one_thing() -> None:
    xml = b'<COMMAND_INFO SEQ_NO="1"><SEQ_NO>1</SEQ_NO><CHECK_RESULT>Y</CHECK_RESULT><CHECK_RESULT/></COMMAND_INFO>'
    message = read_message(0x22, parse(xml).root)
    assert isinstance(message, Check)
    assert (message.seq, message.result) == ("1", "Y")


def test_the_seal_s_counter_under_either_name() -> None:
    for xml in (sample("16"), sample("11")):
        text = xml.replace(b"<ESEAL_USE_COUNT></", b"<ESEAL_USE_COUNT>7</").replace(
            b"<OPEN_TIMES></", b"<OPEN_TIMES>7</"
        )
        message = read_message(None, parse(text).root)
        assert isinstance(message, DeviceOrderDone)
        assert message.seal_uses == "7"


def test_one_group_for_all_devices() -> None:
    one = b"<DEVICE_STATUS><DEVICES>%s%s</DEVICES></DEVICE_STATUS>"
    device = b"<DEVICE_ID>%s</DEVICE_ID><DEVICE_NAME>n</DEVICE_NAME><DEVICE_STATUS>1</DEVICE_STATUS>"
    message = read_message(0x42, parse(one % (device % b"15010001", device % b"16010001")).root)
    assert isinstance(message, DeviceStates)
    assert [each.device for each in message.devices] == ["15010001", "16010001"]


def test_the_code_of_a_document_without_a_packet() -> None:
    kinds = {
        n: code_of(parse(sample(n)).root) for n in ("01", "09", "10", "11", "24", "26", "29", "30", "34", "37", "60")
    }
    assert kinds == {
        "01": Code.GATHER, "09": Code.CHECK, "10": Code.DEVICE_ORDER, "11": Code.DEVICE_ORDER_DONE,
        "24": Code.SMART_GATHER, "26": Code.SMART_FEEDBACK, "29": Code.SMART_CHECK, "30": Code.DEVICE_STATES,
        "34": Code.REGISTER, "37": Code.READER_CHALLENGE, "60": None,
    }  # fmt: skip


def test_no_secret_is_shown() -> None:
    for shown in (
        repr(SealOrder(number="1", key="4159344504")),
        repr(UserInfo(user="u", password="open sesame")),
        repr(SealDeed(key="4159344504")),
        repr(said("15")),
        repr(said("10")),
    ):
        assert "4159344504" not in shown
        assert "sesame" not in shown
        assert "~!#$" not in shown
    assert {"SEAL_KEY", "PSW", "ESEAL_KEY", "ESEAL_PUBLIC_KEY", "HASH_SIGN", "ENCRYPTED_RANDOM_DATA"} <= SECRETS


def test_a_doubled_secret_is_not_shown_either() -> None:
    xml = b"<COMMAND_INFO><SEAL><SEAL_KEY>4159</SEAL_KEY><SEAL_KEY>9514</SEAL_KEY></SEAL></COMMAND_INFO>"
    with pytest.raises(Unreadable) as told:
        read_message(0x22, parse(xml).root)
    assert "4159" not in str(told.value)
    assert "SEAL_KEY" in str(told.value)


# the text below the messages


def test_the_encoding_is_found_whatever_is_declared() -> None:
    text = "<A>直接放行</A>"
    for encoding in ("utf-8", "gb18030", "gb2312"):
        for declared in ("", '<?xml version="1.0" encoding="UTF-8"?>', "<?xml version='1.0' encoding='GB2312' ?>\n"):
            raw = (declared + text).encode(encoding)
            for around in (raw, b"\xef\xbb\xbf" + raw if encoding == "utf-8" else raw, raw + b"\x00"):
                document = parse(around)
                assert document.root.text == "直接放行"
                assert document.encoding == ("utf-8" if encoding == "utf-8" else "gb18030")


@pytest.mark.parametrize("text", ["鲁B11819", "鲁路", "联通", "豫A·00001"])
def test_what_both_encodings_read_is_chinese(text: str) -> None:
    """鲁 in GB18030 is a superscript three in UTF-8: every plate of Shandong."""
    for encoding in ("utf-8", "gb18030"):
        assert parse(f"<A><B>{text}</B></A>".encode(encoding)).root.children[0].text == text


def test_what_a_plain_reader_would_take_for_utf_8_is_marked() -> None:
    tree = Element("A", children=(Element("VE_NAME", "鲁B11819"),))
    raw = write(tree, "gb18030")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    assert "<VE_NAME>鲁B11819</VE_NAME>".encode("gb18030") in raw
    assert parse(raw).root == tree
    assert b"<!--" not in write(replace(tree, children=(Element("VE_NAME", "沪AD3F88"),)), "gb18030")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<A>\xff\xff</A>", "neither UTF-8 nor GB18030"),
        (b"", "no element|not well-formed"),
        (b"<A><B></A>", "not well-formed XML: mismatched tag: line 1"),
        (b"<!DOCTYPE a><a/>", "defines something of its own"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "defines something of its own"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "defines something of its own"),
        (b"<a>" * 40 + b"</a>" * 40, "levels"),
        (b"<a>" + b"<b/>" * 6000 + b"</a>", "elements"),
        (b"<a>text<b/></a>", "mixed"),
        (b"<a><b/>text</a>", "between"),
    ],
)
def test_what_is_no_document_is_refused_with_its_reason(raw: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "repair", "text"),
    [
        (b'<A B="1"C="2">t</A>', "a blank put between two attributes", "t"),
        (b"<A>P&O & Co</A>", "a lone & escaped", "P&O & Co"),
        (b"<COMMAND_INFO>t</COMMAND_Info>", "the root's last tag in its own case", "t"),
    ],
)
def test_what_was_met_in_the_field_is_mended(raw: bytes, repair: str, text: str) -> None:
    document = parse(raw)
    assert document.repairs == (repair,)
    assert document.root.text == text


def test_a_good_document_is_not_touched() -> None:
    assert parse(b'<A B="x&quot;C">a&amp;b</A>').repairs == ()


NAMES = st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(str.strip)


def branch(inner: st.SearchStrategy[Element]) -> st.SearchStrategy[Element]:
    return st.builds(Element, NAMES, children=st.lists(inner, max_size=4).map(tuple))


TREES: st.SearchStrategy[Element] = st.recursive(st.builds(Element, NAMES, TEXTS), branch, max_leaves=12)


@given(TREES, st.sampled_from(("utf-8", "gb18030")), st.sampled_from((None, "UTF-8", "GB2312")))
def test_any_document_comes_back(tree: Element, encoding: Any, declared: str | None) -> None:
    raw = write(tree, encoding, declared)
    if decode(raw)[1] == encoding or raw.isascii():
        assert parse(raw).root == tree


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for data in (raw, b"<A>" + raw + b"</A>"):
        try:
            read_message(None, parse(data).root)
        except Unreadable:
            continue


def filled(kind: type[Shape], dice: st.DataObject) -> Any:
    """A message with something in every field."""
    values: dict[str, Any] = {}
    for each in fields(kind):
        part = each.metadata.get("part")
        if part is None:
            continue
        if not hasattr(part, "kind"):
            values[each.name] = dice.draw(TEXTS)
        elif part.several:
            values[each.name] = tuple(filled(part.kind, dice) for _ in range(dice.draw(st.integers(0, 2))))
        else:
            values[each.name] = filled(part.kind, dice)
    return kind(**values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(dice=st.data())
def test_every_message_comes_back_from_its_bytes(kind: type[Message], dice: st.DataObject) -> None:
    message = filled(kind, dice)
    raw = write(write_message(message), "gb18030")
    if decode(raw)[1] == "gb18030" or raw.isascii():
        assert read_message_of(kind, raw) == message


def read_message_of(kind: type[Message], raw: bytes) -> Message:
    return read_message(int(kind.CODES[0]), parse(raw).root)


def test_a_shape_is_empty_when_nothing_is_said() -> None:
    assert Car().empty
    assert not replace(Car(), plate="x").empty
    assert not replace(Car(), others=(Element("X"),)).empty
