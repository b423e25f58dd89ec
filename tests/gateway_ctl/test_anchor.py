"""Anchors: what was signed comes back, what was not signed is seen, and a book stands where its anchor says or not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import Instant
from gateway_ctl.anchor import Anchor, NoAnchor, Why, disagreement, parse, payload
from gateway_ctl.book import GENESIS, Broken
from gateway_ctl.seal import attest, attested, public_of, sign
from tests.gateway_ctl.papers import orders, private

KEY = private("anchors")
anchors = st.builds(
    Anchor,
    site=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lane=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    day=st.dates().map(str),
    at=st.floats(-1e12, 1e12, allow_nan=False).map(Instant),
    entries=st.integers(0, 2**40),
    head=st.binary(min_size=32, max_size=32),
    why=st.sampled_from(Why),
)


@given(anchors)
def test_round_trip(anchor: Anchor) -> None:
    assert parse(payload(anchor)) == anchor


@given(anchors, st.integers(0, 10_000), st.integers(0, 7))
def test_every_flipped_bit_is_seen(anchor: Anchor, place: int, bit: int) -> None:
    said = payload(anchor)
    signature = attest(said, KEY)
    assert attested(said, signature, public_of(KEY))
    assert not attested(said, signature, public_of(private("somebody else")))
    for raw in (said, signature):
        changed = bytearray(raw)
        changed[place % len(raw)] ^= 1 << bit
        pair = (bytes(changed), signature) if raw is said else (said, bytes(changed))
        assert not attested(*pair, public_of(KEY))


@given(orders)
def test_an_order_s_seal_is_no_anchor_s(order: object) -> None:
    signed = sign(order, "anchors", KEY)  # pyright: ignore[reportArgumentType] - drawn from orders
    assert not attested(signed.payload, signed.seals[0].signature, public_of(KEY))


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"head": "00"}, {"head": "zz" * 32}, {"entries": -1}, {"entries": "1"}, {"why": "x"}, {"more": 1}],
    ids=str,
)
def test_what_is_no_anchor(change: dict[str, object]) -> None:
    good = Anchor(site="s", lane="l", day="d", at=Instant(1.0), entries=0, head=GENESIS, why=Why.DAY)
    raw = json.dumps(json.loads(payload(good)) | change).encode()
    with pytest.raises(NoAnchor):
        parse(raw)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[" * 3000, b"\xff", b'{"v":1}' + b" " * 5000])
def test_noise_is_no_anchor(raw: bytes) -> None:
    with pytest.raises(NoAnchor):
        parse(raw)


def test_where_the_book_stands() -> None:
    anchor = Anchor(site="s", lane="l", day="2026-11-23", at=Instant(1.0), entries=5, head=b"\x01" * 32, why=Why.DAY)
    assert disagreement(anchor, b"\x01" * 32, 9) is None
    cut = disagreement(anchor, None, 3)
    assert cut == Broken(4, "it is cut: the anchor of 2026-11-23 (day) counts 5 entries")
    anew = disagreement(anchor, b"\x02" * 32, 9)
    assert anew is not None and anew.seq == 5 and "written anew" in anew.why
    assert disagreement(anchor, b"\x02" * 32, 9) == Broken(
        5, f"it was written anew: the anchor of 2026-11-23 (day) has {'01' * 32}"
    )


def test_on_the_wire() -> None:
    anchor = Anchor(site="s", lane="l", day="d", at=Instant(1.5), entries=7, head=b"\x01" * 32, why=Why.END)
    plain = {
        "v": 1, "site": "s", "lane": "l", "day": "d", "at": 1.5, "entries": 7, "head": "01" * 32, "why": "end",
    }  # fmt: skip
    assert json.loads(payload(anchor)) == plain
    assert parse(json.dumps(plain).encode()) == anchor
    assert parse(json.dumps(plain | {"entries": 0}).encode()).entries == 0
    for wrong in ("01" * 31, "01" * 33, ""):
        with pytest.raises(NoAnchor, match=r"^version, head or count is none of an anchor$"):
            parse(json.dumps(plain | {"head": wrong}).encode())
    room = 4096 - len(json.dumps(plain | {"site": ""}))
    assert parse(json.dumps(plain | {"site": "s" * room}).encode()).site == "s" * room
    with pytest.raises(NoAnchor, match=r"^4097 bytes, more than 4096$"):
        parse(json.dumps(plain | {"site": "s" * (room + 1)}).encode())
