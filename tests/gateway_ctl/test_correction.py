"""A corrected read: what was signed comes back, and what no person may correct is none."""

import json
from dataclasses import replace

import pytest

from drivers.readings import Instant
from gateway_ctl.correction import CORRECTABLE, Check, Correction, parse, payload
from gateway_ctl.orders import Malformed

GOOD = Correction(
    id="c-1", site="qianwan", lane="L01", passage="L01-1", check=Check.CONTAINERS, seen=("CSQU3054380", "x"),
    value=("CSQU3054383", "TCNU7200794"), issued_at=Instant(1764000000.5), expires_at=Instant(1764000060.0),
    reason_zh="看错", reason_en="misread", person="li.wei",
)  # fmt: skip
PLAIN = {
    "v": 1, "id": "c-1", "site": "qianwan", "lane": "L01", "passage": "L01-1", "check": "containers",
    "seen": ["CSQU3054380", "x"], "value": ["CSQU3054383", "TCNU7200794"], "issued_at": 1764000000.5,
    "expires_at": 1764000060.0, "reason": {"zh": "看错", "en": "misread"}, "person": "li.wei",
}  # fmt: skip


def written(**changes: object) -> bytes:
    return json.dumps(PLAIN | changes, ensure_ascii=False).encode()


def test_on_the_wire() -> None:
    assert json.loads(payload(GOOD)) == PLAIN
    assert parse(written()) == GOOD
    assert parse(payload(GOOD)) == GOOD


@pytest.mark.parametrize("check", list(Check))
def test_what_a_person_may_correct(check: Check) -> None:
    value = [] if check is Check.TAG else ["A"]
    if check in (Check.WEIGHT, Check.DIRECTION, Check.DOCUMENT):
        assert check not in CORRECTABLE
        with pytest.raises(Malformed, match=f"^{check.value} is not corrected by hand$"):
            parse(written(check=check.value, value=value))
        return
    assert check in CORRECTABLE
    assert parse(written(check=check.value, value=value)) == replace(GOOD, check=check, value=tuple(value))
    with pytest.raises(Malformed, match="a tag is set aside"):
        parse(written(check=check.value, value=["A"] if check is Check.TAG else []))
    two = written(check=check.value, value=["A", "B"])
    if check in (Check.CONTAINERS, Check.SEAL):
        assert parse(two).value == ("A", "B")
    else:
        with pytest.raises(Malformed):
            parse(two)


@pytest.mark.parametrize("field", ["id", "site", "lane", "passage", "person"])
def test_what_must_not_be_empty(field: str) -> None:
    with pytest.raises(Malformed, match=r"is empty$"):
        parse(written(**{field: ""}))


def test_values_are_few_and_not_empty() -> None:
    eight = [str(n) for n in range(8)]
    assert parse(written(value=eight)).value == tuple(eight)
    for value in ([*eight, "8"], ["A", ""], [" "]):
        with pytest.raises(Malformed, match="a value is empty, or there are too many"):
            parse(written(value=value))


DEEP = written(reason={"zh": "x", "en": "y", "more": 0}).replace(b": 0", b": " + b"[" * 3000 + b"]" * 3000)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"\xff", b"[" * 4000, written(person="x").replace(b'"x"', b'"\xff"'),
        DEEP,
        written(v=2), written(v="1"), written(more=1), written(check="axle"),
        written(reason={"zh": "x"}), written(seen="A"), written(issued_at="now"), written(value=[1]),
    ],
)  # fmt: skip
def test_what_is_no_correction(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


def test_a_correction_is_not_long() -> None:
    room = 8 * 1024 - len(written(person=""))
    assert parse(written(person="p" * room)).person == "p" * room
    with pytest.raises(Malformed, match=r"^8193 bytes, more than 8192$"):
        parse(written(person="p" * (room + 1)))
