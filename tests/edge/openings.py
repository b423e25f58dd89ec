"""Books with whole openings in them, written as a lane writes them, and the keys that go with them."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from drivers.camera.read import Read
from drivers.readings import Instant, Quality
from drivers.rfid.tag import Tag, epc_of
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.settle import Settled
from edge.lane.conversation import evidence as sealed_as
from edge.lane.witness import Tape, digest, evidence
from gateway_ctl.anchor import Anchor, SignedAnchor, Why, payload
from gateway_ctl.book import Book
from gateway_ctl.deeds import Phase
from gateway_ctl.orders import Movement, Order, Permit, Verb
from gateway_ctl.picture import Deck, Inputs, Picture, Seen, as_json
from gateway_ctl.picture import digest as picture_digest
from gateway_ctl.seal import attest, sign
from tests.gateway_ctl.papers import private

AT = Instant(1_764_000_000.25)
PLATE = "沪AD3F88"


def order_for(passage: str, at: Instant) -> Order:
    return Order(
        id=f"o-{passage}", verb=Verb.RELEASE, site="here", lane="L01", passage=passage, plate=PLATE, containers=(),
        declared_kg=Decimal(37000), tolerance_kg=Decimal(1850), issued_at=at, expires_at=Instant(at + 120),
        reason_zh="准予放行", reason_en="Released",
    )  # fmt: skip


def frames(at: Instant) -> bytes:
    tape = Tape()
    for n in range(16):
        raw = b"\x02+0370%d0013\x03" % (n % 2)
        weight = Weight(
            kg=Decimal(37000), display="37000", status="stable", quality=Quality.GOOD, at=Instant(at + n / 10), raw=raw
        )
        tape.hear(weight)
    settled = Settled(kg=Decimal(37000), uncertainty_kg=Decimal(10), from_at=at, to_at=Instant(at + 1.5), readings=16)
    reads = [
        ("ocr", Read(what="plate", text=PLATE, confidence=0.97, camera="front", at=at, raw=f'"{PLATE}"'.encode())),
        ("tags", Tag(epc=epc_of(PLATE), rssi_dbm=-50, antenna=1, plate=PLATE, at=at, raw=b"\xbb\x02\x22\x7e")),
        ("tags", Tag(epc=epc_of(PLATE), rssi_dbm=-50, antenna=1, plate=PLATE, at=at, raw=b"\xbb\x02\x22\x7e")),
    ]
    return evidence(settled, tape.during(at, Instant(at + 1.5)), reads)


@dataclass(frozen=True)
class Twist:
    """What is wrong with an opening; all of it would be written by a lane that is not ours."""

    key: str = "customs-2026"
    order_passage: str | None = None
    permit: bool = True
    order: bool = True
    times: int = 1


async def write_opening(book: Book, passage: str, at: Instant, twist: Twist | None = None) -> None:
    """Nine entries and more, from the truck's arrival to the boom's arrival."""
    twist = twist or Twist()
    await book.write("opened", at, {"at": at}, passage=passage)
    said = frames(at)
    await book.write("evidence", at, msgspec.Raw(said), passage=passage)
    asked: dict[str, Any] = {
        "seq": 1,
        "plate": {"text": PLATE, "confidence": 0.97},
        "containers": [],
        "gross_kg": "37000",
    }
    await book.write("asked", at, asked, passage=passage)
    order = order_for(passage, at)
    if twist.order:
        given = replace(order, passage=twist.order_passage or passage)
        signed = sign(given, "customs-2026", private(twist.key))
        await book.write("order", at, sealed_as(signed, road="clearance"), passage=passage)
    up = Inputs(limit_up=Seen(True, at, at), limit_down=Seen(False, at, at))
    picture = Picture(site="here", lane="L01", at=at, passage=passage, inputs=up, deck=Deck(settled_kg=Decimal(37000)))
    permit = Permit(
        id=f"permit-{passage}", lane="L01", passage=passage, order=order.id, by_person=False, movement=Movement.RAISE,
        granted_at=at, expires_at=Instant(at + 2), picture=picture_digest(picture),
    )  # fmt: skip
    if twist.permit:
        decided = {"permit": permit, "order": order, "picture": msgspec.Raw(as_json(picture)), "evidence": digest(said)}
        await book.write("decision", at, decided, passage=passage)
    for _ in range(twist.times):
        for phase, note in ((Phase.WRITTEN, "about to be written"), (Phase.READ_BACK, "seen on")):
            await book.write("boom", at, boom(permit, phase, note), passage=passage)
    seen = {"limit_up": up.limit_up, "limit_down": up.limit_down}
    await book.write("boom", at, {**boom(permit, Phase.CONFIRMED, "boom is up"), "seen": seen}, passage=passage)


def boom(permit: Permit, phase: Phase, note: str) -> dict[str, Any]:
    return {
        "permit": permit.id, "order": permit.order, "movement": permit.movement, "by_person": permit.by_person,
        "picture": permit.picture, "phase": phase, "note": note,
    }  # fmt: skip


async def drop(book: Book, at: Instant = AT, why: Why = Why.DAY, *, key: str = "anchors") -> SignedAnchor:
    """An anchor of the book as it is now: in the book, and for other hands."""
    head = book.head
    said = payload(
        Anchor(site="here", lane="L01", day="2025-11-24", at=at, entries=head.entries, head=head.head, why=why)
    )
    signed = SignedAnchor(said, attest(said, private(key)))
    await book.write("anchor", at, {"payload": signed.payload, "signature": signed.signature})
    return signed


async def write_book(path: Path, openings: int = 3) -> list[SignedAnchor]:
    """A book of some passages with an anchor after each; the anchors as the recorder would have them."""
    kept: list[SignedAnchor] = []
    async with Book(path) as book:
        await book.write("started", AT, {"site": "here", "lane": "L01"})
        for n in range(openings):
            await write_opening(book, f"L01-{n}", Instant(AT + 100 * n))
            kept.append(await drop(book, Instant(AT + 100 * n + 50)))
    return kept
