"""A port on the bus without a port: lanes that say what a scene says, trackers that drive, orders that are answered."""

import asyncio
import base64
import itertools
import math
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any

import msgspec

from consoles.clock import ConsoleClock
from gateway_ctl.orders import Order, Seal, SignedOrder
from gateway_ctl.seal import Keyring, admit
from telemetry.config import BrokerConfig
from telemetry.inbox import Message
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import Envelope, body, encode, unwrap, wrap
from telemetry.payloads.fix import FixBody, HintBody
from telemetry.payloads.health import HealthBody, ZeroHealth
from telemetry.payloads.lane import AlarmBody, AnswerBody, DecisionBody, RefusalBody, Text
from telemetry.payloads.node import BirthBody, StateBody
from telemetry.payloads.order import OrderBody
from telemetry.payloads.weight import WeightBody
from telemetry.payloads.zone import ZoneBody
from telemetry.topics import parse, topic
from tests.browser.scenes import HALF_ON, SCENES

WEIGHT_EVERY_S = 0.1
VIEW_EVERY, HEALTH_EVERY, FIX_EVERY = 5, 10, 10
"""In weights."""
INSTRUMENTS = (("wb", "tcp:10.0.3.7:4001"), ("io", "modbus-tcp:10.0.3.8:502"), ("tags", "tcp:10.0.3.9:4002"))

JAMMED = HintBody(kind="jamming", why="the satellites fell from 45 to 31 dB-Hz together")


def _note(name: str, lane: int) -> str:
    """What stands of a contact module that is well: of the first lane's, that nobody watches its host."""
    silent = "no host watchdog: outputs stay as they are when the host is silent (无主机看门狗,主机失联时输出保持不变)"
    return silent if name == "io" and lane == 0 else ""


def _care(i: int, now: float) -> dict[str, Any]:
    """Of the first lane's deck all is well, the second one wanders, the third one's certificate is over."""
    ends = datetime.fromtimestamp(now, UTC).date() + timedelta(days=(200, 20, -3)[i % 3])
    zero = ZeroHealth(count=40, last_kg=0, mean_kg=(0, 24, 2)[i % 3], worst_kg=40, per_day_kg=3.0, wandering=i % 3 == 1)
    return {"calibrated_on": f"{ends - timedelta(days=365)}", "calibrated_until": f"{ends}", "zero": zero}


class Feeder:
    """Speaks until it is left; `quiet` names the lanes that are silent."""

    def __init__(self, broker: BrokerConfig, site: str, lanes: list[str], keyring: Keyring) -> None:
        self.site, self.lanes, self.keyring = site, lanes, keyring
        self.scene = dict.fromkeys(lanes, "idle")
        self.quiet: set[str] = set()
        self.refuse_with = [HALF_ON]
        self.accept = True
        self.deaf = False
        self.beat = 0
        """Weights since the last reset."""
        self.admitted: list[Order] = []
        self.clock = ConsoleClock()
        self._bus = Bus(broker, f"{site}-feeder")
        self._ids = itertools.count(1)
        self._stack = AsyncExitStack()

    def reset(self) -> None:
        """Everybody there, idle, well, and believing every order."""
        self.scene = dict.fromkeys(self.lanes, "idle")
        self.quiet = set()
        self.accept, self.deaf, self.beat = True, False, 0
        self.admitted.clear()
        self.birth()

    async def __aenter__(self) -> "Feeder":
        await self._bus.subscribe(f"quaygate/v1/{self.site}/+/order", self._ordered, qos=1)
        await self._stack.enter_async_context(self._bus.running())
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        task = group.create_task(self._speak())
        self._stack.callback(task.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def say(
        self, node: str, word: str, said: msgspec.Struct, *, instrument: str | None = None, retain: bool = False
    ) -> None:
        """One message, now."""
        src = node if instrument is None else f"{node}/{instrument}"
        number = next(self._ids)
        self._bus.publish(
            topic(self.site, node, word, instrument),
            wrap(Envelope(id=f"f{number}", seq=number, at=self.clock.now(), src=src, body=encode(said))),
            retain=retain,
        )

    def birth(self) -> None:
        """Everybody is there."""
        for lane in self.lanes:
            self.say(
                lane, "birth", BirthBody(kind="lane", zh=f"车道 {lane}", en=f"Lane {lane}", version="0"), retain=True
            )
            self.say(lane, "state", StateBody(state="online", boot="b"), retain=True)

    def offline(self, lane: str) -> None:
        """The broker speaks the lane's last will."""
        self.say(lane, "state", StateBody(state="offline", boot="b"), retain=True)

    def alarm(self, lane: str, name: str, say: Text, *, priority: int = 1, active: bool = True) -> None:
        """A condition comes or goes."""
        self.say(
            lane,
            "alarm",
            msgspec.convert({"alarm": name, "active": active, "priority": priority, "say": say}, AlarmBody),
        )

    def refusal(self, lane: str) -> None:
        """What the lane's interlock refused."""
        view = SCENES["refused"](self.clock.now())
        said = RefusalBody(passage=view.passage, order="o-1", movement="raise", reasons=view.reasons, picture="p")
        self.say(lane, "refusal", said)

    def by_hand(self, lane: str) -> None:
        """A person's release has raised the boom."""
        said = DecisionBody(
            passage=SCENES["refused"](self.clock.now()).passage, order="o-2", permit="x", movement="raise",
            expires_at=self.clock.now() + 2, picture="p", verb="release", persons=["li.wei", "chen.jing"],
            reason=Text("海关电话核对", "Checked with customs by telephone"),
        )  # fmt: skip
        self.say(lane, "decision", said)

    def crossing(self, tracker: str) -> None:
        """A tracker left its route."""
        say = Text(f"{tracker} 偏离路线 查验路线", f"{tracker} left its route Way to inspection")
        said = ZoneBody(tracker=tracker, zone="to-inspection", what="left", say=say, x_m=300.0, y_m=200.0)
        self.say("tracker", "zone", said)

    def view(self, lane: str) -> None:
        """The lane's view of its scene, now."""
        self.say(lane, "view", SCENES[self.scene[lane]](self.clock.now()))

    async def _speak(self) -> None:
        self.birth()
        while True:
            for i, lane in enumerate(self.lanes):
                if lane not in self.quiet:
                    self._lane(lane, i, self.beat)
            if self.beat % FIX_EVERY == 0:
                self._fixes(self.beat)
            self.beat += 1
            await self.clock.pause(WEIGHT_EVERY_S)

    def _lane(self, lane: str, i: int, beat: int) -> None:
        view = SCENES[self.scene[lane]](self.clock.now())
        swing = 140 * math.sin(beat / 1.7) if view.weight.status == "motion" else 0
        gross = None if view.weight.gross_kg is None else Decimal(int((float(view.weight.gross_kg) + swing) // 20 * 20))
        sample = WeightBody(
            gross_kg=gross,
            display=str(gross or ""),
            status=msgspec.convert(view.weight.status, msgspec.structs.fields(WeightBody)[2].type),
            axles=6 if view.weight.by_axles else None,
            settled_kg=view.weight.settled_kg,
            uncertainty_kg=view.weight.uncertainty_kg,
        )
        self.say(lane, "weight", sample, instrument="wb")
        if beat % VIEW_EVERY == 0:
            self.say(lane, "view", view)
        if beat % HEALTH_EVERY == 0:
            for name, link in INSTRUMENTS:
                up = not (name == "tags" and view.state == "fault")
                now = self.clock.now()
                said = HealthBody(
                    link=link,
                    up=up,
                    since=now - 3600 * (i + 1) if up else now - 42,
                    words=(beat + 1) * (10 if name == "wb" else 1),
                    garbage=3 * i,
                    garbage_bytes=40 * i,
                    gaps=0,
                    reconnects=i,
                    last_word_at=now - (0.1 if up else 42),
                    note=_note(name, i) if up else "tcp: refused",
                    latency_ms=4.2 if name == "io" else None,
                    interval_ms=100.0 if name == "wb" else None,
                    late_ms=12.0 + 40 * i if name == "wb" else None,
                )
                if name == "wb":
                    said = msgspec.structs.replace(said, **_care(i, now))
                self.say(lane, "health", said, instrument=name)

    def _fixes(self, beat: int) -> None:
        for i in range(5):
            turn = beat / 90 + i * 1.3
            x, y = 260 + (150 + 12 * i) * math.cos(turn), 140 + (70 + 8 * i) * math.sin(turn)
            lost = i == 4
            said = FixBody(
                valid=not lost,
                lat=None if lost else 36.0,
                lon=None if lost else 120.2,
                speed_mps=4.2 + i / 3,
                track_deg=(-math.degrees(turn)) % 360,
                satellites=9,
                hdop=0.9,
                source="GPRMC",
                why="V" if lost and beat > FIX_EVERY else "",
                hints=[HintBody(kind="jamming", why="the satellites fell from 45 to 31 dB-Hz together")]
                if i == 2
                else [],
                x_m=None if lost and beat > FIX_EVERY * 4 else x,
                y_m=None if lost and beat > FIX_EVERY * 4 else y,
            )
            self.say(
                "tracker",
                "fix",
                msgspec.structs.replace(said, valid=not lost or beat < FIX_EVERY * 4),
                instrument=f"T{i + 1:02d}",
            )

    def _ordered(self, message: Message) -> None:
        message.ack()
        address = parse(message.topic)
        assert address is not None
        if self.deaf:
            return
        wire = body(unwrap(message.payload), OrderBody)
        seals = tuple(Seal(key=s.key, signature=base64.b64decode(s.signature)) for s in wire.seals)
        order = admit(SignedOrder(payload=base64.b64decode(wire.payload), seals=seals), self.keyring)
        assert isinstance(order, Order), order
        self.admitted.append(order)
        reasons = [] if self.accept else self.refuse_with
        self.say(address.node, "answer", AnswerBody(order=order.id, accepted=self.accept, reasons=reasons))
