"""Messages as they come off the bus."""

import itertools
from dataclasses import dataclass

import msgspec

from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.lane import AlarmBody, BoomBody, PassageBody, Reason, RefusalBody, Text
from telemetry.topics import topic
from tests.browser.scenes import SCENES

SITE = "qianwan"
_ids = itertools.count(1)


@dataclass
class Message:
    topic: str
    payload: bytes
    acked: int = 0

    def ack(self) -> None:
        self.acked += 1


def said(
    node: str,
    word: str,
    body: msgspec.Struct,
    *,
    at: float = 1000.0,
    instrument: str | None = None,
    historical: bool = False,
    number: int | None = None,
) -> Message:
    number = next(_ids) if number is None else number
    envelope = Envelope(id=f"{number}", seq=number, at=at, src=node, historical=historical, body=encode(body))
    return Message(topic(SITE, node, word, instrument), wrap(envelope))


def view(lane: str, scene: str, at: float = 1000.0, *, historical: bool = False) -> Message:
    return said(lane, "view", SCENES[scene](at), at=at, historical=historical)


def alarm(name: str, *, active: bool, at: float, node: str = "L01", number: int | None = None) -> Message:
    body = AlarmBody(alarm=name, active=active, priority=2, say=Text("脏", "dirty"))
    return said(node, "alarm", body, at=at, number=number)


def refusal(*codes: str, at: float = 1000.0, historical: bool = False) -> Message:
    reasons = [Reason(code=c, say=Text(c, c), remedy=Text("", ""), clears="customs") for c in codes]
    body = RefusalBody(passage="p", order="o", movement="raise", reasons=reasons, picture="")
    return said("L01", "refusal", body, at=at, historical=historical)


def boom(phase: str, at: float = 1000.0) -> Message:
    body = msgspec.convert(
        {"passage": "p", "permit": "x", "movement": "lower", "phase": phase, "seconds": 6.0}, BoomBody
    )
    return said("L01", "boom", body, at=at)


def passage(outcome: str, at: float, *, phase: str = "closed") -> Message:
    fields = {
        "passage": "p",
        "phase": phase,
        "outcome": outcome,
        "direction": "in",
        "opened_at": at - 20,
        "closed_at": at,
    }
    return said("L01", "passage", msgspec.convert(fields, PassageBody), at=at)
