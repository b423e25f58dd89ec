import asyncio
import base64
import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from msgspec import structs

from consoles.board import Board
from consoles.clock import ConsoleClock
from consoles.command import Commands
from consoles.config import PersonPart
from consoles.hearing import Hearing
from consoles.pins import LOCKED_S, TRIES, Pins, Tries
from consoles.wire import Command, Countersign, Outcome
from drivers.readings import Instant
from gateway_ctl.orders import Order, Seal, SignedOrder, Verb
from gateway_ctl.seal import Holder, Role, admit, load_private, load_public, new_key, seal_private, sign
from telemetry.faults import NotDelivered
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.lane import AnswerBody, AwaitsNow, Reason, SealNow, Text
from telemetry.payloads.order import OrderBody
from telemetry.topics import parse
from tests.browser.scenes import SCENES
from tests.consoles.said import said, view

PIN = "13579"
PRIVATE, PUBLIC = new_key()
PERSON = PersonPart(id="li.wei", zh="李伟", en="Li Wei", role="operator", sealed=seal_private(PRIVATE, PIN))
RING = {"li.wei": Holder(load_public(PUBLIC), Role.OPERATOR)}
NO = Reason(code="ZONE_OCCUPIED", say=Text("有车", "occupied"), remedy=Text("等", "wait"), clears="by itself")


def order_of_another(now: float) -> Order:
    """What the first person ordered."""
    return Order(
        id="qianwan-L01-7", verb=Verb.RELEASE, site="qianwan", lane="L01", passage="L01-0147", plate=None,
        containers=(), declared_kg=None, tolerance_kg=None, issued_at=Instant(now), expires_at=Instant(now + 60),
        reason_zh="可", reason_en="yes", persons=("chen.jing",), evidence=("ab" * 32,),
    )  # fmt: skip


@dataclass
class Stage:
    """A lane at the other end of a bus that does what the test wants."""

    up: bool = True
    loses: bool = False
    answers: bool = True
    reasons: list[Reason] = field(default_factory=list[Reason])
    orders: list[Order] = field(default_factory=list[Order])
    awaits: bool = False
    ring: dict[str, Holder] = field(default_factory=lambda: dict(RING))
    persons_needed: int = 1
    clock: ConsoleClock = field(default_factory=ConsoleClock)

    def __post_init__(self) -> None:
        boards = {"L01": Board(heartbeat_ticks=5)}
        self.hearing = Hearing("qianwan", boards, Board(heartbeat_ticks=1), boards)
        self.hearing.hear(view("L01", "held", self.clock.now()))
        self.commands = Commands(
            "qianwan", Pins((PERSON,), self.clock), self.hearing, self, self.clock, stale_after_s=3.0
        )

    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert not retain
        if self.loses:
            raise NotDelivered("gone")
        wire = body(unwrap(payload), OrderBody)
        seals = tuple(Seal(key=s.key, signature=base64.b64decode(s.signature)) for s in wire.seals)
        signed = SignedOrder(payload=base64.b64decode(wire.payload), seals=seals)
        order = admit(signed, self.ring, persons_needed=self.persons_needed)
        assert isinstance(order, Order)
        self.orders.append(order)
        address = parse(topic)
        assert address is not None and address.word == "order"
        if self.answers:
            answer = AnswerBody(order=order.id, accepted=not self.reasons, reasons=self.reasons, awaits=self.awaits)
            self.hearing.hear(said(address.node, "answer", answer))

    async def take(self, **changes: Any) -> Outcome:
        words: dict[str, Any] = {
            "verb": "release", "passage": "L01-0147", "person": "li.wei", "pin": PIN, "reason": "papers",
        }  # fmt: skip
        return await self.commands.take("L01", Command(**{**words, **changes}))


async def test_a_right_pin_signs_what_the_person_ordered() -> None:
    stage = Stage()
    outcome = await stage.take(note="看过封条")
    assert outcome.kind == "accepted" and not outcome.reasons
    (order,) = stage.orders
    assert (order.verb, order.site, order.lane, order.passage) == (Verb.RELEASE, "qianwan", "L01", "L01-0147")
    assert order.persons == ("li.wei",) and order.issuer == "li.wei" and outcome.order == order.id
    assert (order.reason_zh, order.reason_en) == ("人工核对单证相符:看过封条", "Papers checked by hand: 看过封条")
    assert 0 < order.expires_at - order.issued_at <= 60


async def test_the_lanes_no_is_handed_on_with_its_reasons() -> None:
    stage = Stage(reasons=[NO])
    assert (await stage.take()).kind == "refused"
    assert (await stage.take(verb="lower", passage=None)).reasons == [NO]
    assert [order.verb for order in stage.orders] == [Verb.RELEASE, Verb.LOWER]


OTHER_PRIVATE, OTHER_PUBLIC = new_key()


async def test_a_second_person_signs_the_same_bytes_on_another_screen() -> None:
    stage = Stage()
    ring = {**RING, "chen.jing": Holder(load_public(OTHER_PUBLIC), Role.SUPERVISOR)}
    first = replace(order_of_another(stage.clock.now()), screen="s-1")
    signed = sign(first, "chen.jing", load_private(OTHER_PRIVATE))
    waits = AwaitsNow(
        order=first.id, verb="release", passage=first.passage, person="chen.jing", reason=Text("", ""),
        issued_at=first.issued_at, lapses_at=stage.clock.now() + 60, screen="s-1",
        payload=base64.b64encode(signed.payload).decode(),
        seals=[SealNow(key=s.key, signature=base64.b64encode(s.signature).decode()) for s in signed.seals],
    )  # fmt: skip
    stage.ring, stage.persons_needed = ring, 2
    now = stage.clock.now()
    stage.hearing.hear(said("L01", "view", structs.replace(SCENES["held"](now), awaits=waits), at=now))
    asked = Countersign(order=first.id, person="li.wei", pin=PIN, screen="s-2")
    assert (await stage.commands.countersign("L01", structs.replace(asked, screen="s-1"))).kind == "same screen"
    assert (await stage.commands.countersign("L01", structs.replace(asked, screen=""))).kind == "same screen"
    assert (await stage.commands.countersign("L01", structs.replace(asked, order="another"))).kind == "lapsed"
    assert (await stage.commands.countersign("L01", structs.replace(asked, pin="0"))).kind == "wrong pin"
    assert not stage.orders
    assert (await stage.commands.countersign("L01", asked)).kind == "accepted"
    (order,) = stage.orders
    assert (order.id, order.persons) == (first.id, ("chen.jing", "li.wei"))


async def test_an_order_that_waits_for_a_second_person_says_so() -> None:
    stage = Stage(awaits=True)
    assert (await stage.take()).kind == "awaits"


async def test_holding_open_wants_its_minutes() -> None:
    stage = Stage(ring={"li.wei": Holder(load_public(PUBLIC), Role.SUPERVISOR)})
    for wrong in ({"minutes": None}, {"minutes": 0.0}, {"minutes": 1e9}):
        assert (await stage.take(verb="hold_open", **wrong)).kind == "malformed"
    assert (await stage.take(minutes=5.0)).kind == "malformed"
    assert (await stage.take(verb="hold_open", minutes=5.0, passage=None)).kind == "accepted"
    (order,) = stage.orders
    assert order.until is not None and order.until - order.issued_at == 300


async def test_silence_is_told_and_not_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consoles.command.ANSWER_DEADLINE_S", 0.05)
    stage = Stage(answers=False)
    assert (await stage.take()).kind == "no answer"
    assert len(stage.orders) == 1
    assert not stage.hearing._answers


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"reason": "other"}, "malformed"),
        ({"reason": "other", "note": "  "}, "malformed"),
        ({"note": "x" * 121}, "malformed"),
        ({"note": "a\x00b"}, "malformed"),
        ({"passage": None}, "malformed"),
        ({"person": "nobody"}, "unknown person"),
    ],
)
async def test_what_is_not_whole_goes_nowhere(changes: dict[str, Any], kind: str) -> None:
    stage = Stage()
    assert (await stage.take(**changes)).kind == kind
    assert not stage.orders


async def test_nothing_is_ordered_over_a_dead_bus_or_a_stale_lane() -> None:
    stage = Stage(up=False)
    assert (await stage.take()).kind == "no bus"
    stage = Stage(loses=True)
    assert (await stage.take()).kind == "no bus"
    stage = Stage()
    stage.hearing.hear(view("L01", "held", stage.clock.now() - 4))
    assert (await stage.take()).kind == "stale"
    assert not stage.orders


async def test_five_wrong_pins_lock_the_person_even_for_the_right_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage = Stage()
    # Sent together: guesses in parallel must not pass the count.
    guesses = await asyncio.gather(*(stage.take(pin=f"secret{n}") for n in range(4)))
    assert sorted(g.left or 0 for g in guesses) == [1, 2, 3, 4]
    # Five PINs take their time, on a busy machine more than a view's life.
    stage.hearing.hear(view("L01", "held", stage.clock.now()))
    last = await stage.take(pin="secret5")
    assert last.kind == "locked" and last.wait_s == LOCKED_S
    stage.hearing.hear(view("L01", "held", stage.clock.now()))
    again = await stage.take()
    assert again.kind == "locked" and again.wait_s is not None and 0 < again.wait_s <= LOCKED_S
    assert not stage.orders
    assert "secret" not in caplog.text and PIN not in caplog.text


async def test_a_right_pin_clears_the_count() -> None:
    stage = Stage()
    assert (await stage.take(pin="0")).left == TRIES - 1
    assert (await stage.take()).kind == "accepted"
    assert (await stage.take(pin="0")).left == TRIES - 1


async def test_a_crowd_is_sent_away() -> None:
    stage = Stage()
    outcomes = await asyncio.gather(*(stage.take() for _ in range(7)))
    assert [o.kind for o in outcomes].count("busy") == 3


def test_the_pause_ends() -> None:
    tries = Tries()
    assert [tries.failed("a", 10.0) for _ in range(TRIES)] == [4, 3, 2, 1, 0]
    assert tries.locked_s("a", 10.0) == LOCKED_S
    assert tries.locked_s("b", 10.0) == 0
    assert tries.locked_s("a", 10.0 + LOCKED_S) == 0
    assert tries.failed("a", 10.0 + LOCKED_S) == TRIES - 1
