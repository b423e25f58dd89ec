"""An inspector's verdict: what was signed comes back, and a verdict on no truck is none."""

import json
from dataclasses import replace

import pytest

from drivers.readings import Instant
from gateway_ctl.inspection import Finding, Verdict, parse, payload
from gateway_ctl.orders import Malformed

GOOD = Verdict(
    id="v-1", finding=Finding.SUSPECT, site="qianwan", lane="L01", passage="L01-1", plate="沪AD3F88",
    containers=("CSQU3054383", "TCNU7200794"), scan="cd" * 32, torn=True, view="ab" * 32,
    issued_at=Instant(1764000000.5), expires_at=Instant(1764000060.0), reason_zh="有疑", reason_en="suspect",
    persons=("zhao.lei", "sun.mei"),
)  # fmt: skip
PLAIN = {
    "v": 1, "id": "v-1", "finding": "suspect", "site": "qianwan", "lane": "L01", "passage": "L01-1",
    "plate": "沪AD3F88", "containers": ["CSQU3054383", "TCNU7200794"], "scan": "cd" * 32, "torn": True,
    "view": "ab" * 32, "issued_at": 1764000000.5, "expires_at": 1764000060.0,
    "reason": {"zh": "有疑", "en": "suspect"}, "persons": ["zhao.lei", "sun.mei"],
}  # fmt: skip


def written(**changes: object) -> bytes:
    return json.dumps(PLAIN | changes, ensure_ascii=False).encode()


def test_on_the_wire() -> None:
    assert json.loads(payload(GOOD)) == PLAIN
    assert parse(written()) == GOOD
    assert parse(payload(GOOD)) == GOOD


def test_a_verdict_names_at_least_one_thing_of_the_truck() -> None:
    nothing: dict[str, object] = {"passage": None, "plate": None, "containers": []}
    bare = replace(GOOD, lane=None, view=None, passage=None, plate=None, containers=())
    one: list[tuple[dict[str, object], Verdict]] = [
        ({"passage": "L01-1"}, replace(bare, passage="L01-1")),
        ({"plate": "沪AD3F88"}, replace(bare, plate="沪AD3F88")),
        ({"containers": ["A"]}, replace(bare, containers=("A",))),
    ]
    for named, verdict in one:
        assert parse(written(**(nothing | named), lane=None, view=None)) == verdict
    with pytest.raises(Malformed, match=r"a verdict on no truck$"):
        parse(written(**nothing))


@pytest.mark.parametrize("field", ["id", "site", "persons"])
def test_what_must_not_be_empty(field: str) -> None:
    nothing: object = list[str]() if field == "persons" else ""
    with pytest.raises(Malformed, match=r"is empty$"):
        parse(written(**{field: nothing}))


@pytest.mark.parametrize("finding", list(Finding))
def test_every_finding(finding: Finding) -> None:
    assert parse(written(finding=finding.value)).finding is finding


DEEP = written(reason={"zh": "x", "en": "y", "more": 0}).replace(b": 0", b": " + b"[" * 3000 + b"]" * 3000)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"\xff", b"[" * 4000, written(plate="x").replace(b'"x"', b'"\xff"'),
        DEEP,
        written(v=2), written(v="1"), written(more=1), written(finding="odd"),
        written(scan="cd" * 31), written(scan="cd" * 32 + "c"), written(scan="CD" * 32), written(view="ab"),
        written(reason={"zh": "x"}), written(torn="no"), written(containers="A"), written(scan="!" + "cd" * 32),
    ],
)  # fmt: skip
def test_what_is_no_verdict(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


def test_a_verdict_is_not_long() -> None:
    room = 8 * 1024 - len(written(plate=""))
    assert parse(written(plate="p" * room)).plate == "p" * room
    with pytest.raises(Malformed, match=r"^8193 bytes, more than 8192$"):
        parse(written(plate="p" * (room + 1)))
