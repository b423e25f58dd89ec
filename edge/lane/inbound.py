"""What persons sign and send by the bus: orders, verdicts on scans, corrected reads. The book has it before it counts.

Nothing else that comes by the bus is heard by a lane. A word that is none of ours, or not signed by whom it must be,
is kept in the book, answered with its reason, and moves nothing.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from drivers.kinds import Clock
from drivers.readings import Instant
from edge.lane.conversation import admitted_word, evidence, order_name
from gateway_ctl import correction as corrections
from gateway_ctl import inspection
from gateway_ctl.book import Book
from gateway_ctl.correction import Correction
from gateway_ctl.deeds import Awaited, Unadmitted, Word
from gateway_ctl.inspection import Verdict
from gateway_ctl.interlock import in_local_mode
from gateway_ctl.matching import barred
from gateway_ctl.modes import Silent
from gateway_ctl.orders import RAISING, Malformed, Order, Origin, Seal, SignedOrder
from gateway_ctl.picture import Picture, Rules, as_json
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import Keyring, admit, admit_correction, admit_verdict, awaiting
from telemetry.inbox import Inbox, Message
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.order import OrderBody

CEILING = 32
"""Words of one kind that wait to be judged; a person gives one, a flood is not worth hearing."""
SHOWN_FOR_S = 180.0
"""A person's order may rest on a picture that was shown so long ago: reading, reason, PIN, and a second person's."""
SHOWN_CEILING = 2000
"""Pictures remembered: ten a second of that."""
VERDICTS_CEILING = 64
"""Verdicts remembered: trucks between a scanner and its lanes; the newest stay."""
WORDS = ("order", "verdict", "correction")


class Senses(Protocol):
    """Where corrected reads go."""

    def correct(self, correction: Correction) -> None:
        """It stands in the place of what was read, for its passage."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """How many persons must sign here."""

    override: int
    hold_open: int


class Inbound:
    """One lane's, for the life of its process."""

    def __init__(
        self,
        *,
        book: Book,
        clock: Clock,
        rules: Rules,
        keyring: Keyring,
        needs: Needs,
        picture: Callable[[], Picture],
        senses: Senses,
        say: Callable[[Word], None],
        answer: Callable[[str, tuple[Reason, ...]], Awaitable[None]],
    ) -> None:
        """`say` hands the lane an order; `answer` tells whoever sent a verdict or a correction."""
        self._book, self._clock, self._rules, self._keyring, self._needs = book, clock, rules, keyring, needs
        self._picture, self._senses, self._say, self._answer = picture, senses, say, answer
        self._shown: OrderedDict[str, tuple[Instant, Picture]] = OrderedDict()
        self._awaited: dict[str, SignedOrder] = {}
        self.inboxes = {word: Inbox(CEILING) for word in WORDS}
        self.verdicts: dict[str, Verdict] = {}
        """By their id, oldest first."""

    def show(self, digest: str, picture: Picture, now: Instant) -> None:
        """This picture has been shown to persons: an order may rest on it."""
        self._shown[digest] = (now, picture)
        while self._shown:
            oldest = next(iter(self._shown))
            if len(self._shown) <= SHOWN_CEILING and now - self._shown[oldest][0] <= SHOWN_FOR_S:
                break
            del self._shown[oldest]

    def awaited(self, order: str) -> SignedOrder | None:
        """The bytes and the first seal of an order that waits for a second one."""
        return self._awaited.get(order)

    def remember(self, verdict: Verdict) -> None:
        """A verdict that was admitted, now or before this process began."""
        self.verdicts[verdict.id] = verdict
        while len(self.verdicts) > VERDICTS_CEILING:
            del self.verdicts[next(iter(self.verdicts))]

    async def orders(self) -> None:
        """Persons' orders, until cancelled."""
        async for message in self.inboxes["order"]:
            await self._order(_signed(message))

    async def words(self, word: str) -> None:
        """Verdicts, or corrections, until cancelled."""
        judge = self._verdict if word == "verdict" else self._correction
        async for message in self.inboxes[word]:
            signed = _signed(message)
            if signed is None:
                await self._answer("unreadable", (Reason.ORDER_MALFORMED,))
                continue
            passage = self._picture().passage
            await self._book.write(word, self._clock.now(), evidence(signed, road="bus"), passage=passage)
            name, why = judge(signed)
            await self._answer(name, why)

    async def _order(self, signed: SignedOrder | None) -> None:
        if signed is None:
            self._say(Unadmitted("unreadable", (Reason.ORDER_MALFORMED,), asked=False))
            return
        picture = self._picture()
        await self._book.write("order", self._clock.now(), evidence(signed, road="bus"), passage=picture.passage)
        # In local mode one person is enough where the site says so: customs was asked about this truck, in vain.
        alone = self._rules.silent is Silent.OPERATOR and in_local_mode(picture, picture.at, self._rules)
        needed = 1 if alone else self._needs.override
        admitted = admit(signed, self._keyring, persons_needed=needed, hold_open_persons=self._needs.hold_open)
        order = awaiting(signed, self._keyring) if admitted == (Reason.ORDER_TOO_FEW,) else admitted
        if isinstance(order, Order):
            if order.origin is not Origin.PERSON:
                # Customs and its link have roads of their own.
                admitted = order = (Reason.ORDER_NOT_THEIRS,)
            elif order.verb in RAISING and not await self._rests(order, picture.passage):
                admitted = order = (Reason.ORDER_UNPROVEN,)
        if isinstance(order, Order) and not isinstance(admitted, Order):
            self._awaited = {order.id: signed}
            self._say(Awaited(order))
            return
        self._say(admitted_word(admitted, order_name(signed), asked=False))

    async def _rests(self, order: Order, passage: str | None) -> bool:
        """Whether it names a picture that this lane has shown; that picture goes into the book."""
        shown = [(name, self._shown[name][1]) for name in order.evidence if name in self._shown]
        for name, picture in shown:
            said = {"order": order.id, "digest": name, "picture": msgspec.Raw(as_json(picture))}
            await self._book.write("seen", self._clock.now(), said, passage=passage)
        return bool(shown)

    def _verdict(self, signed: SignedOrder) -> tuple[str, tuple[Reason, ...]]:
        verdict = admit_verdict(signed, self._keyring)
        if not isinstance(verdict, Verdict):
            return _name(lambda: inspection.parse(signed.payload).id), verdict
        picture, now = self._picture(), self._clock.now()
        why: list[Reason] = []
        if verdict.site != picture.site:
            why.append(Reason.ORDER_OTHER_SITE)
        if verdict.lane not in (None, picture.lane):
            why.append(Reason.ORDER_OTHER_LANE)
        if not now < verdict.expires_at:
            why.append(Reason.ORDER_EXPIRED)
        if not verdict.issued_at <= now + self._rules.skew_s:
            why.append(Reason.ORDER_FROM_FUTURE)
        if not why:
            self.remember(verdict)
        return verdict.id, tuple(why)

    def _correction(self, signed: SignedOrder) -> tuple[str, tuple[Reason, ...]]:
        correction = admit_correction(signed, self._keyring)
        if not isinstance(correction, Correction):
            return _name(lambda: corrections.parse(signed.payload).id), correction
        why = barred(correction, self._picture(), self._rules)
        if not why:
            self._senses.correct(correction)
        return correction.id, why


def _name(claimed: Callable[[], str]) -> str:
    """The id that a payload claims, whoever signed it: whoever sent it waits for an answer by that name."""
    try:
        return claimed()
    except Malformed:
        return "unreadable"


def _signed(message: Message) -> SignedOrder | None:
    try:
        order = body(unwrap(message.payload), OrderBody)
        return SignedOrder(
            payload=base64.b64decode(order.payload, validate=True),
            seals=tuple(Seal(key=s.key, signature=base64.b64decode(s.signature, validate=True)) for s in order.seals),
        )
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None
    finally:
        message.ack()
