"""What customs' answers mean for the boom: when they release, and what they say when they do not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway_ctl.customs.messages import Check, DeviceOrder, SmartCheck, SmartFeedback
from gateway_ctl.customs.messages.command import Led
from gateway_ctl.customs.messages.smart import FormInfo, Vehicle
from gateway_ctl.customs.result_word import ResultWord
from gateway_ctl.customs.verdict import (
    LONGEST_REASON,
    Verdict,
    devices_wanted,
    of_check,
    of_command,
    of_feedback,
    of_officer,
    said,
    split,
)
from gateway_ctl.orders import Verb

CLEAN = "0" * 20


def word(**at: str) -> str:
    """The clean word with characters in places: `p3="w"` is a w in the third."""
    text = list(CLEAN)
    for place, char in at.items():
        text[int(place[1:]) - 1] = char
    return "".join(text)


def verdict(verb: Verb, zh: str, en: str) -> Verdict:
    return Verdict(
        verb=verb, zh=zh, en=en, plate=None, containers=None, declared_kg=None, document=None, seal_numbers=()
    )


RELEASED = verdict(Verb.RELEASE, "海关放行", "released")


@pytest.mark.parametrize(
    ("text", "verb", "zh", "en"),
    [
        (CLEAN, Verb.RELEASE, "海关放行", "released"),
        ("Y", Verb.RELEASE, "海关放行", "released"),
        ("N", Verb.REFUSE, "海关不放行", "refused"),
        ("", Verb.HOLD, "海关答复无法读懂", "customs' result word cannot be read"),
        ("M", Verb.HOLD, "海关答复无法读懂", "customs' result word cannot be read"),
        (word(p10="1", p12="1", p15="7"), Verb.RELEASE, "海关放行", "released"),
        (word(p1="1", p2="1"), Verb.REFUSE, "落杆(2位1)", "barrier: lower"),
        (word(p1="1"), Verb.REFUSE, "不放行(1位1)", "total: no release"),
        (word(p1="q", p5="q"), Verb.REFUSE, "整车重量不符(5位q)", "weight: the whole truck's weight does not agree"),
        (word(p1="!"), Verb.HOLD, "含义不明(1位!)", "total: unknown"),
        (word(p5="!", p7="w"), Verb.HOLD, "含义不明(5位!); 车辆布控(7位w)",
         "weight: unknown; tag: the vehicle is under control"),
        (word(p13="y"), Verb.HOLD, "场站或通道未配置(13位y)", "configuration: the site or lane is not configured"),
        (word(p13="y", p7="w"), Verb.HOLD, "车辆布控(7位w); 场站或通道未配置(13位y)",
         "tag: the vehicle is under control; configuration: the site or lane is not configured"),
        (word(p1="w", p3="w", p4="w"), Verb.INSPECT, "布控(3位w); 布控(4位w)",
         "front box: under control; rear box: under control"),
    ],
)  # fmt: skip
def test_a_check(text: str, verb: Verb, zh: str, en: str) -> None:
    assert of_check(Check(result=text)) == verdict(verb, zh, en)


def test_a_word_is_read_in_its_own_use() -> None:
    """A seal's 1 and a barrier's 2 are words of an order, and unknown in an answer."""
    for text, ordered in ((word(p8="1"), Verb.RELEASE), (word(p2="2"), Verb.REFUSE)):
        assert of_check(Check(result=text)).verb is Verb.HOLD
        assert of_command(DeviceOrder(command=text)).verb is ordered
    failed = word(p8="9")
    assert of_check(Check(result=failed)) == verdict(Verb.REFUSE, "失败(8位9)", "seal: failed")
    assert of_command(DeviceOrder(command=failed)) == verdict(Verb.HOLD, "含义不明(8位9)", "seal: unknown")


def test_the_sites_own_places_are_nobodys_reason() -> None:
    found = of_check(Check(result=word(p7="w", p10="1", p12="1", p14="7", p20="7")))
    assert found.en == "tag: the vehicle is under control"


@pytest.mark.parametrize("total", "VWXYZ")
def test_an_error_of_customs_own_holds(total: str) -> None:
    found = of_check(Check(result=word(p1=total, p7="w")))
    assert found.verb is Verb.HOLD
    assert found.en.startswith("total: ")


@pytest.mark.parametrize(("place", "chars"), [("p3", "1w"), ("p4", "1w"), ("p6", "x"), ("p7", "w")])
def test_what_sends_to_inspection(place: str, chars: str) -> None:
    known = {"p3": "1vwz", "p4": "1vwz", "p6": "wxus", "p7": "xwutsr"}[place]
    for char in known:
        inspects = char in chars
        assert of_check(Check(result=word(**{place: char}))).verb is (Verb.INSPECT if inspects else Verb.REFUSE)
        assert of_command(DeviceOrder(command=word(**{place: char}))).verb is (
            Verb.INSPECT if inspects else Verb.REFUSE
        )


def test_the_words_for_the_driver_go_before_ours() -> None:
    whole = Check(result="N", hint="去 查验", message="另", led=Led(text="屏"), form_type="DEC")
    assert of_check(whole) == replace(verdict(Verb.REFUSE, "去 查验", "refused"), document="DEC")
    assert of_check(replace(whole, hint="")).zh == "另"
    assert of_check(replace(whole, hint="", message="")).zh == "屏"
    for text in ("Y", CLEAN, "?", word(p1="1")):
        found = of_check(replace(whole, result=text))
        assert (found.zh, found.document) == ("去 查验", "DEC")
    assert of_check(Check(result=CLEAN, form_type=" ")).document is None


def test_a_place_that_a_total_only_repeats_is_said_once() -> None:
    twice = of_check(Check(result=word(p1="w", p3="w", p6="w")))
    assert twice.en == "front box: under control; card: the card is not registered"
    alone = of_check(Check(result=word(p1="Z", p3="w")))
    assert alone.en == "total: customs could not convert the data; front box: under control"
    assert alone.zh == "对象转换出错(1位Z); 布控(3位w)"


def test_words_for_a_person_are_not_endless() -> None:
    every = of_check(Check(result=word(p2="1", p3="v", p4="v", p5="q", p6="s", p7="s", p8="9", p9="9", p13="y")))
    assert len(every.en) == LONGEST_REASON == 160
    assert every.en.startswith("barrier: lower; front box: one box with several document types; rear box: one box")
    strange = of_check(Check(result=word(**{f"p{place}": "!" for place in (*range(1, 10), 13)})))
    assert strange.zh == "; ".join(f"含义不明({place}位!)" for place in (*range(2, 10), 13))
    assert said("去" * 200) == "去" * 160


def test_an_order_to_devices_is_read_for_its_barrier() -> None:
    assert of_command(DeviceOrder(command=CLEAN)) == RELEASED
    assert of_command(DeviceOrder(command=word(p8="2", p9="1"))).verb is Verb.RELEASE
    assert of_command(DeviceOrder(command=word(p2="1"))) == verdict(Verb.REFUSE, "不抬杆(2位1)", "barrier: do not lift")
    assert of_command(DeviceOrder(command="Y")) == verdict(
        Verb.HOLD, "海关操作指令无法读懂", "customs' device order cannot be read"
    )
    for text in (CLEAN, "Y"):
        assert of_command(DeviceOrder(command=text, reason="放行 吧")).zh == "放行 吧"


@pytest.mark.parametrize(
    ("result", "verb", "zh", "en"),
    [
        ("Y", Verb.RELEASE, "海关放行", "released"),
        ("N", Verb.INSPECT, "海关报警", "customs raises an alarm"),
        ("M", Verb.HOLD, "等待海关人工处理", "an officer has to decide"),
        ("", Verb.HOLD, "海关答复无法读懂", "customs' answer cannot be read"),
        ("y", Verb.HOLD, "海关答复无法读懂", "customs' answer cannot be read"),
    ],
)
def test_a_feedback(result: str, verb: Verb, zh: str, en: str) -> None:
    assert of_feedback(SmartFeedback(result=result)) == verdict(verb, zh, en)


@pytest.mark.parametrize(
    ("wrong", "still"),
    [
        ({"error": "E01"}, False),
        ({"fault": "7"}, False),
        ({"error": "X"}, False),
        ({"error": "000", "fault": " 0 "}, True),
        ({"vehicle": Vehicle(gross_kg="heavy")}, False),
        ({"vehicle": Vehicle(gross_kg="-1")}, False),
        ({"vehicle": Vehicle(gross_kg="NaN")}, False),
        ({"vehicle": Vehicle(gross_kg="Infinity")}, False),
        ({"vehicle": Vehicle(gross_kg="0")}, True),
    ],
)
def test_a_yes_beside_an_error_is_no_yes(wrong: dict[str, object], still: bool) -> None:
    found = of_feedback(replace(SmartFeedback(result="Y"), **wrong))
    against = verdict(Verb.HOLD, "海关答复自相矛盾", "customs says yes and names an error")
    assert found == (RELEASED if still else against)


def test_what_a_feedback_names_of_the_truck() -> None:
    full = SmartFeedback(
        result="Y", hint="请 通行", led="屏", instruction="令", containers="CSQU3054383|TCNU7200794", seals="S1,S2",
        vehicle=Vehicle(plate=" 沪AD3F88 ", gross_kg="38000.5"), form=FormInfo(kind="rmft"),
    )  # fmt: skip
    assert of_feedback(full) == Verdict(
        verb=Verb.RELEASE, zh="请 通行", en="released", plate="沪AD3F88", containers=("CSQU3054383", "TCNU7200794"),
        declared_kg=Decimal("38000.5"), document="rmft", seal_numbers=("S1", "S2"),
    )  # fmt: skip
    assert of_feedback(replace(full, hint="")).zh == "屏"
    assert of_feedback(replace(full, hint="", led="")).zh == "令"


@pytest.mark.parametrize(
    ("result", "verb", "zh", "en"),
    [
        ("1", Verb.RELEASE, "关员放行", "released by an officer"),
        ("2", Verb.INSPECT, "关员要求查验", "an officer orders an inspection"),
        ("3", Verb.REFUSE, "关员不放行,退回", "an officer sends the truck back"),
        ("4", Verb.HOLD, "关员决定无法读懂", "an officer's decision that cannot be read"),
        ("", Verb.HOLD, "关员决定无法读懂", "an officer's decision that cannot be read"),
    ],
)
def test_an_officer(result: str, verb: Verb, zh: str, en: str) -> None:
    assert of_officer(SmartCheck(result=result)) == verdict(verb, zh, en)
    assert of_officer(SmartCheck(result=result, comment=" 看过 ")) == verdict(verb, "看过", en)


def test_what_an_order_wants_of_devices() -> None:
    assert not devices_wanted(ResultWord(CLEAN))
    assert devices_wanted(ResultWord(word(p8="1")))
    assert devices_wanted(ResultWord(word(p9="2")))
    assert not devices_wanted(ResultWord(word(p7="w", p10="1")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("  a \n b\t", "a b"), ("a\x00b\x1b[31m", "ab[31m"), ("海关\r\n放行", "海关 放行"), ("a\u200bb", "ab")],
)
def test_words_from_outside_are_made_fit_to_be_shown(text: str, shown: str) -> None:
    assert said(text) == shown


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()), ("|", ()), ("A", ("A",)), ("A|B", ("A", "B")), ("A,B;C D", ("A", "B", "C", "D")),
        ("B||A, B", ("B", "A")),
    ],
)  # fmt: skip
def test_numbers_that_come_in_one(text: str, numbers: tuple[str, ...]) -> None:
    assert split(text) == numbers
