"""Instruments' words as payloads and as texts for the driver's sign: pure mappings."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from drivers.camera.read import Read
from drivers.lane_io.device import Inputs
from drivers.rfid.cards import Card
from drivers.rfid.tag import Tag
from drivers.seal.seen import SealSeen
from drivers.weighbridge.deck import DeckState
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.zero import ZeroTrend
from edge.config import Lane as LaneConfig
from edge.lane.senses import Noted
from gateway_ctl.lane import Lane
from gateway_ctl.lane_state import State
from gateway_ctl.orders import Verb
from gateway_ctl.picture import Identity
from gateway_ctl.reasons import Reason
from telemetry.payloads.health import ZeroHealth
from telemetry.payloads.inputs import InputsBody
from telemetry.payloads.lane import ReadNow
from telemetry.payloads.node import BirthBody, InstrumentBirth
from telemetry.payloads.reads import CardBody, ReadBody, TagBody
from telemetry.payloads.weight import WeightBody
from vision.reading import plate
from vision.reading.iso6346 import normalise, valid


def weight_body(weight: Weight, deck: DeckState) -> WeightBody:
    """The body of `weight`."""
    settled = deck.settled
    return WeightBody(
        gross_kg=weight.kg,
        display=weight.display,
        status=weight.status,
        settled_kg=None if settled is None else settled.kg,
        uncertainty_kg=None if settled is None else settled.uncertainty_kg,
        zero_ok=deck.zero_ok,
        zero_kg=deck.zero_kg,
        axles=len(deck.loads) if "by axles" in deck.doubts else None,
        doubts=list(deck.doubts),
    )


@lru_cache(maxsize=16)
def zero_health(trend: ZeroTrend | None) -> ZeroHealth | None:
    """For the health of a weighbridge. The trend changes with a truck and is told with every weight."""
    if trend is None:
        return None
    return ZeroHealth(
        count=trend.count,
        last_kg=float(trend.last_kg),
        mean_kg=round(trend.mean_kg, 3),
        worst_kg=float(trend.worst_kg),
        per_day_kg=None if trend.per_day_kg is None else round(trend.per_day_kg, 3),
        wandering=trend.wandering,
    )


def inputs_body(inputs: Inputs) -> InputsBody:
    """The body of `inputs`."""
    return InputsBody(inputs=dict(inputs.values), lamp=inputs.lamp.value)


def tag_body(tag: Tag) -> TagBody:
    """The body of `tag`."""
    return TagBody(epc=tag.hex, plate=tag.plate, rssi_dbm=tag.rssi_dbm, antenna=tag.antenna)


def card_body(card: Card) -> CardBody:
    """The body of `card`."""
    return CardBody(ends=masked(card.number))


def seal_read_body(seal: SealSeen, reader: str) -> ReadBody:
    """The body of `read`: a reader of tags is sure of what it has read."""
    return ReadBody(what="seal", text=seal.number, confidence=1.0, camera=reader)


def masked(number: str) -> str:
    """A card names a person: topics and pages show its last three digits."""
    return f"…{number[-3:]}"


def read_body(read: Read) -> ReadBody:
    """The body of `read`."""
    return ReadBody(what=read.what, text=read.text, confidence=read.confidence, camera=read.camera)


def read_bodies(noted: Iterable[Noted], identity: Identity) -> list[ReadNow]:
    """What was read of the truck that stands here: one line a thing, the surest read of it."""
    best: dict[tuple[str, str], ReadNow] = {}
    for each in noted:
        now = _now(each, identity)
        before = best.get((now.what, now.text))
        if before is None or (now.confidence or 0) >= (before.confidence or 0):
            best[now.what, now.text] = now
    order = {"plate": 0, "trailer": 1, "tag": 2, "container": 3, "seal": 4, "card": 5}
    kept = [now for now in best.values() if _is_kept(now, identity)]
    return sorted(kept, key=lambda now: (order[now.what], now.text))


def _now(noted: Noted, identity: Identity) -> ReadNow:
    match noted.word:
        case Tag():
            return _tag_now(noted.word, noted.source, identity)
        case Card() as card:
            return _sure("card", masked(card.number), card.at, noted.source)
        case SealSeen() as seal:
            return _sure("seal", seal.number, seal.at, noted.source)
        case _:
            return _read_now(noted.word)


def _sure(what: Literal["card", "seal"], text: str, at: float, source: str) -> ReadNow:
    return ReadNow(what=what, text=text, confidence=None, at=at, source=source, check="none")


def _is_kept(now: ReadNow, identity: Identity) -> bool:
    if now.what == "container":
        return any(container.code == now.text for container in identity.containers)
    return now.what != "plate" or identity.plate is None or now.text == identity.plate.text


def _tag_now(tag: Tag, source: str, identity: Identity) -> ReadNow:
    agrees = None if tag.plate is None or identity.plate is None else tag.plate == identity.plate.text
    return ReadNow(
        what="tag",
        text=tag.plate or tag.hex,
        confidence=None,
        at=tag.at,
        source=source,
        check="none" if agrees is None else "ok" if agrees else "bad",
    )


def _read_now(read: Read) -> ReadNow:
    if read.what == "container":
        text = normalise(read.text)
        check = "ok" if valid(text) else "bad"
    else:
        text = plate.normalise(read.text)
        check = "none"
    return ReadNow(
        what=read.what, text=text, confidence=read.confidence, at=read.at, source=read.camera,
        check="ok" if check == "ok" else "bad" if check == "bad" else "none",
    )  # fmt: skip


def birth(lane: LaneConfig) -> BirthBody:
    """What a lane has, with units and limits."""
    scale = lane.weighbridge
    found = [
        InstrumentBirth(
            name=scale.name, kind="weighbridge", words=["weight", "health"], unit="kg", low=0.0,
            high=float(scale.max_kg), division=float(scale.division_kg),
        ),
        InstrumentBirth(name=lane.io.name, kind="lane_io", words=["inputs", "health"]),
    ]  # fmt: skip
    if lane.tags is not None:
        found.append(InstrumentBirth(name=lane.tags.name, kind="rfid", words=["tag", "health"]))
    if lane.cards is not None:
        found.append(InstrumentBirth(name=lane.cards.name, kind="cards", words=["card", "health"]))
    if lane.seals is not None:
        found.append(InstrumentBirth(name=lane.seals.reader.name, kind="seals", words=["read", "health"]))
    found += [InstrumentBirth(name=camera.name, kind="camera", words=["read", "health"]) for camera in lane.cameras]
    if lane.sign is not None:
        found.append(InstrumentBirth(name=lane.sign.name, kind="sign", words=["health"]))
    return BirthBody(kind="lane", zh=lane.zh, en=lane.en, version="0.1.0", instruments=found)


def sign_rows(lane: Lane, *, by_axles: bool = False) -> tuple[str, ...]:
    """What the driver reads: at most two rows of eight characters. `by_axles`: the deck weighs one axle at a time."""
    first = lane.reasons[0] if lane.reasons else None
    unasked = lane.passage is not None and lane.passage.asked is None and lane.passage.order is None
    match lane.state:
        case State.GATHERING | State.HELD if by_axles and unasked:
            return ("有轴未称", "请退出重来") if Reason.AXLE_MISSED in lane.reasons else ("请逐轴停稳", "每轴停三秒")
        case State.EMPTY:
            return ("请驶入", "")
        case State.GATHERING if first is Reason.DECK_HALF_ON:
            return ("请全车上磅", "光幕被挡")
        case State.GATHERING:
            return ("请停稳", "正在称重")
        case State.ASKING | State.CLEARED:
            return ("请稍候", "海关判定中")
        case State.HELD:
            order = lane.passage.order if lane.passage else None
            if order is not None and order.verb is Verb.INSPECT:
                return ("转查验", "请听从指挥")
            return ("暂不放行", "请等候")
        case State.RAISING:
            return ("放行", "等待抬杆")
        case State.OPEN | State.CROSSING:
            return ("放行", "一车一杆")
        case State.FAULT:
            return ("车道故障", "请等候")
        case _:
            return ("请勿驶入", "")
