"""The one door to paho-mqtt: an asyncio bus over MQTT 3.1.1, in the subset that every broker shares.

paho keeps the protocol; the bytes go through an asyncio transport that it takes for its socket, so that many packets
share one system call in either direction and TLS is asyncio's. A paho client lives as long as its connection: what a
broken connection had not acknowledged fails here, and to send it again is the business of whoever keeps a spool.

Deadlines here are the machine's seconds: a broker does not run faster because the site's day does.

Over 400 lines, because a connection's life and the bus that outlives it know each other's every step.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.config import BrokerConfig
from telemetry.faults import BusFault, ConnectRefused, NotDelivered, SubscribeRefused
from telemetry.inbox import Inbox, Listener, Message
from telemetry.pipe import Pipe

__all__ = ["Bus", "BusTally", "Inbox", "Listener", "Message", "Will"]

log = logging.getLogger(__name__)

CONNECT_DEADLINE_S = 5.0
"""TCP, TLS and CONNACK together; a loaded port network answers within one second."""
SUBACK_DEADLINE_S = 10.0
"""A NATS cluster without its leader answers within 10 s (measured)."""
PUBACK_DEADLINE_S = 20.0
"""A NATS cluster failing over was silent for 11.6 s at most (measured); after this the connection is given up."""
KEEPALIVE_S = 15
"""The broker speaks a dead node's last will after 1.5 times this; readers see staleness earlier by themselves."""
TICK_S = 1.0
"""Keep-alive and acknowledgement deadlines are looked at this often: small beside both."""
AGAIN_AFTER_S = 1.0
"""A broker may give a new listener neither what is said at that very moment nor what it keeps of it (NATS 2.15: three
of ten, measured). Asked a second time, it gives all that it keeps."""
BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 10.0
"""First and longest pause between attempts: quick after a restart of the broker, gentle when it stays away."""
SETTLED_S = 5.0
"""A connection that lived shorter does not reset the pause: two processes with one client id would storm the broker."""
OFFERS_IN_FLIGHT = 100
"""QoS 1 messages on the wire without acknowledgement: hides the broker's fsync (1 to 6 ms) without flooding it."""
OFFERS_CEILING = 1000
"""Offers waiting for acknowledgement above which a further one is refused: callers keep their own queue on disk."""
ROUTES_REMEMBERED = 10_000
"""Topics whose callbacks are remembered; a site has a few hundred."""

NOT_IN_CLIENT_IDS = frozenset("./+#$ *>\t\r\n")
"""NATS refuses a dot and makes subjects of the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """Said retained when the node goes: by the broker when it dies, by the node itself when it leaves."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class BusTally:
    """Counts since the bus was made."""

    sent: int = 0
    unsent: int = 0
    """Samples dropped: not connected, or the broker did not take them fast enough."""
    received: int = 0
    unrouted: int = 0
    """Messages of a persistent session to which nobody listens any more."""
    connects: int = 0


class _Client(paho.Client):
    """paho's client, given its socket ready made."""

    pipe: Pipe

    def _create_socket(self) -> Pipe:
        return self.pipe


class _Life:
    """One connection, from CONNECT to its end."""

    def __init__(self, bus: "Bus") -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[str | None] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[bool]] = {}
        self._asked_once: dict[str, tuple[int, float]] = {}
        """Filters that were subscribed to and must be asked for again: QoS and when."""
        self._offers: deque[tuple[paho.MQTTMessageInfo, asyncio.Future[None], float]] = deque()
        self._bug: BaseException | None = None
        self.over = asyncio.Event()
        self.leaving = False
        self.pipe = Pipe(self._read)
        client = _Client(
            CallbackAPIVersion.VERSION2,
            bus.client_id,
            clean_session=not bus.persistent,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.pipe = self.pipe
        client.max_inflight_messages_set(OFFERS_IN_FLIGHT)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        if bus.will is not None:
            client.will_set(bus.will.topic, bus.will.payload, 1, retain=True)
        self.client = client

    async def open(self) -> None:
        """Raises OSError, TimeoutError or ConnectRefused."""
        bus = self._bus
        async with asyncio.timeout(CONNECT_DEADLINE_S):
            tls = None if bus.config.tls is None else bus.config.tls.context()
            if bus.config.username is not None:
                self.client.username_pw_set(bus.config.username, bus.config.password())
            await self._loop.create_connection(lambda: self.pipe, bus.config.host, bus.config.port, ssl=tls)
            self.client.connect(bus.config.host, bus.config.port, KEEPALIVE_S)
            refused = await self._connack
        if refused is not None:
            raise ConnectRefused(refused)

    async def subscribe(self, filters: list[tuple[str, int]]) -> bool:
        """Whether all were granted. Raises TimeoutError, or NotDelivered when the connection goes."""
        rc, mid = self.client.subscribe(filters)
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise NotDelivered("not connected")
        answer = self._subacks[mid] = self._loop.create_future()
        self._asked_once |= {each: (qos, self._loop.time()) for each, qos in filters}
        try:
            async with asyncio.timeout(SUBACK_DEADLINE_S):
                return await answer
        finally:
            self._subacks.pop(mid, None)

    def offer(self, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[None]:
        told: asyncio.Future[None] = self._loop.create_future()
        if len(self._offers) >= OFFERS_CEILING:
            told.set_exception(NotDelivered(f"{OFFERS_CEILING} messages already wait for the broker"))
            return told
        info = self.client.publish(topic, payload, 1, retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            told.set_exception(NotDelivered(paho.error_string(info.rc)))
        else:
            self._offers.append((info, told, self._loop.time()))
        return told

    def unsubscribe(self, topic_filter: str) -> None:
        """Hear it no more."""
        self._asked_once.pop(topic_filter, None)
        self.client.unsubscribe(topic_filter)

    def _ask_again(self) -> None:
        due = self._loop.time() - AGAIN_AFTER_S
        filters = [(each, qos) for each, (qos, at) in self._asked_once.items() if at <= due]
        if filters:
            self.client.subscribe(filters)
            for each, _ in filters:
                del self._asked_once[each]

    def ack(self, mid: int) -> None:
        if not self.over.is_set():
            self.client.ack(mid, 1)

    async def live(self) -> None:
        """Until the connection ends; keeps it alive meanwhile."""
        while not self.over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self.over.wait()
            self.client.loop_misc()
            self._ask_again()
            if self._offers and self._loop.time() - self._offers[0][2] > PUBACK_DEADLINE_S:
                log.warning(
                    "bus %s: no PUBACK for %.0f s, the connection is given up", self._bus.name, PUBACK_DEADLINE_S
                )
                self.end()
        if self._bug is not None:
            raise self._bug

    def leave(self) -> None:
        """Say the will oneself, DISCONNECT, close."""
        self.leaving = True
        if not self.over.is_set() and self._connack.done():
            if self._bus.will is not None:
                self.client.publish(self._bus.will.topic, self._bus.will.payload, 1, retain=True)
            self.client.disconnect()
        self.end()

    def end(self) -> None:
        """No more from this connection; everything that waits for it fails."""
        if not self.over.is_set():
            self.over.set()
            self._bus.gone(self)
        self.pipe.close()
        fault = NotDelivered("the connection to the broker is lost")
        for _, told, _ in self._offers:
            if not told.done():
                told.set_exception(fault)
                told.exception()  # a caller that was cancelled asks no more
        self._offers.clear()
        for answer in self._subacks.values():
            if not answer.done():
                answer.set_exception(fault)
        if not self._connack.done():
            self._connack.set_exception(ConnectionResetError("the broker closed the connection before its CONNACK"))
            self._connack.exception()

    def _read(self) -> None:
        try:
            while self.pipe.more and self.client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
            if self.client.want_write():
                self.client.loop_write()
            offers = self._offers
            while offers and offers[0][0].is_published():
                told = offers.popleft()[1]
                if not told.done():
                    told.set_result(None)
        except Exception as bug:  # noqa: BLE001 - a listener's mistake; run() raises it, asyncio would only log it
            self._bug = bug
            self.end()

    def _on_connect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if not self._connack.done():
            self._connack.set_result(str(reason) if reason.is_failure else None)

    def _on_disconnect(self, *_: object) -> None:
        self._loop.call_soon(self.end)

    def _on_subscribe(self, _c: object, _u: object, mid: int, reasons: list[ReasonCode], _p: object) -> None:
        answer = self._subacks.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(not any(r.is_failure for r in reasons))

    def _on_message(self, _c: object, _u: object, got: paho.MQTTMessage) -> None:
        mid = got.mid
        self._bus.hear(Message(got.topic, bytes(got.payload), got.qos, got.retain, lambda: self.ack(mid)))


class Bus:
    """One client of the broker. `run` connects, and connects again; everything else may be called at any time."""

    def __init__(
        self, config: BrokerConfig, client_id: str, *, will: Will | None = None, persistent: bool = False
    ) -> None:
        """`persistent`: the broker keeps QoS 1 messages for this `client_id` while it is away."""
        if not client_id or set(client_id) & NOT_IN_CLIENT_IDS:
            raise ValueError(f"client id {client_id!r} is empty or holds one of {''.join(sorted(NOT_IN_CLIENT_IDS))!r}")
        self.config = config
        self.client_id = client_id
        self.will = will
        self.persistent = persistent
        self.tally = BusTally()
        self.name = f"{client_id}@{config.host}:{config.port}"
        self._life: _Life | None = None
        self._up = asyncio.Event()
        self._said_lost = False
        self._listeners: dict[str, tuple[int, Listener]] = {}
        self._routes: dict[str, tuple[Listener, ...]] = {}
        self._watchers: list[Callable[[bool], None]] = []

    @property
    def up(self) -> bool:
        """Connected and subscribed."""
        return self._life is not None

    async def connected(self) -> None:
        """Wait until `up`."""
        await self._up.wait()

    def watch(self, told: Callable[[bool], None]) -> None:
        """Call `told(True)` after each connection, subscriptions included, and `told(False)` when it is lost."""
        self._watchers.append(told)
        if self.up:
            told(True)

    async def run(self) -> None:
        """Keep a connection until cancelled; then speak the will and leave. Raises only what a listener raised."""
        wait_s = BACKOFF_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            life = _Life(self)
            born = loop.time()
            try:
                await life.open()
                await self._introduce(life)
                await life.live()
            except (OSError, ssl.SSLError, TimeoutError, BusFault) as fault:
                self._say_lost(fault)
            finally:
                life.leave()
            if loop.time() - born > SETTLED_S:
                wait_s = BACKOFF_FIRST_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await asyncio.Event().wait()
            wait_s = min(wait_s * 2, BACKOFF_MOST_S)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Bus"]:
        """`run` in the background of a block; the first connection is awaited."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.run())
            await self.connected()
            try:
                yield self
            finally:
                task.cancel()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """QoS 0, at once. False, and counted, when it could not be handed to the wire."""
        life = self._life
        if life is None or life.pipe.choked:
            self.tally.unsent += 1
            return False
        life.client.publish(topic, payload, 0, retain)
        self.tally.sent += 1
        return True

    def offer(self, topic: str, payload: bytes, *, retain: bool = False) -> asyncio.Future[None]:
        """QoS 1, at once; the future ends with the PUBACK, or with NotDelivered. Offers keep their order."""
        life = self._life
        if life is None:
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            told.set_exception(NotDelivered("not connected"))
            return told
        self.tally.sent += 1
        return life.offer(topic, payload, retain=retain)

    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """QoS 1; returns with the PUBACK. Raises NotDelivered."""
        await self.offer(topic, payload, retain=retain)

    async def subscribe(self, topic_filter: str, listener: Listener, *, qos: int = 0) -> None:
        """Hear what matches, now and after every connection. The listener must not wait; it may publish.

        QoS 1 messages must be acknowledged by whoever hears them. Raises SubscribeRefused, TimeoutError or NotDelivered
        when connected; without a connection it returns at once and a refusal is logged later.
        """
        if topic_filter.startswith("$") or " " in topic_filter:
            raise ValueError(f"{topic_filter!r}: neither '$' topics nor spaces are understood by all brokers")
        self._listeners[topic_filter] = (qos, listener)
        self._routes.clear()
        if self._life is not None and not await self._life.subscribe([(topic_filter, qos)]):
            raise SubscribeRefused(f"{self.name}: no right to read {topic_filter}")

    def unsubscribe(self, topic_filter: str) -> None:
        """Hear it no more."""
        self._listeners.pop(topic_filter, None)
        self._routes.clear()
        if self._life is not None:
            self._life.unsubscribe(topic_filter)

    async def _introduce(self, life: _Life) -> None:
        filters = [(f, qos) for f, (qos, _) in self._listeners.items()]
        if filters and not await life.subscribe(filters):
            log.error("bus %s: the broker refuses one of %s", self.name, ", ".join(f for f, _ in filters))
        if life.over.is_set():
            raise NotDelivered("the connection to the broker is lost")
        self._life = life
        self.tally.connects += 1
        if self._said_lost or self.tally.connects == 1:
            log.info("bus %s: connected", self.name)
        self._said_lost = False
        self._up.set()
        for told in self._watchers:
            told(True)
        late = [(f, qos) for f, (qos, _) in self._listeners.items() if (f, qos) not in filters]
        if late:
            await life.subscribe(late)

    def gone(self, life: _Life) -> None:
        """A connection has ended (called by it)."""
        if self._life is life:
            self._life = None
            self._up.clear()
            if not life.leaving:
                self._say_lost("connection lost")
            for told in self._watchers:
                told(False)

    def _say_lost(self, why: object) -> None:
        level = logging.DEBUG if self._said_lost else logging.WARNING
        self._said_lost = True
        log.log(level, "bus %s: %s", self.name, str(why) or type(why).__name__)

    def hear(self, message: Message) -> None:
        """Hand a message to its listeners (called by the connection)."""
        self.tally.received += 1
        listeners = self._routes.get(message.topic)
        if listeners is None:
            listeners = tuple(
                said for f, (_, said) in self._listeners.items() if paho.topic_matches_sub(f, message.topic)
            )
            if len(self._routes) >= ROUTES_REMEMBERED:
                self._routes.clear()
            self._routes[message.topic] = listeners
        if not listeners:
            self.tally.unrouted += 1
            message.ack()
        for listener in listeners:
            listener(message)
