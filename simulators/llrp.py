"""A UHF reader with a network plug, by LLRP 1.0.1 (EPCglobal): it listens on TCP, serves one client.

A message is `version and type(16) length(32) id(32) body`, all integers high byte first. On connection the reader
sends READER_EVENT_NOTIFICATION with a ConnectionAttemptEvent: 0, or 2 when another client is served, who stays.
It obeys ADD, DELETE, ENABLE, DISABLE, START and STOP_ROSPEC, a KeepaliveSpec in SET_READER_CONFIG, CLOSE_CONNECTION;
GET_READER_CAPABILITIES and GET_READER_CONFIG are answered by a bare status. Anything else: ERROR_MESSAGE, status 109.
A client that leaves five keepalives without KEEPALIVE_ACK is hung up on. Reports carry what the
TagReportContentSelector asks for of antenna, peak strength and number of reads.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from simulators.clock import SimClock
from simulators.faults import TagFaults
from simulators.pipes import Client, OnWire
from simulators.rfid import SimTag

KEEPALIVE, KEEPALIVE_ACK, NOTIFICATION, REPORT, ERROR = 62, 72, 63, 61, 100
ANSWERS = {1: 11, 2: 12, 3: 13, 14: 4, 20: 30, 21: 31, 22: 32, 23: 33, 24: 34, 25: 35}
"""Request -> response."""
SET_CONFIG, CLOSE, ADD, DELETE, START, STOP, ENABLE, DISABLE = 3, 14, 20, 21, 22, 23, 24, 25
UNSUPPORTED, NO_SUCH_FIELD, PARAMETER_ERROR = 109, 201, 100
LEFT_UNANSWERED = 5
LONGEST_REQUEST = 65_536
WITH_ANTENNA, WITH_RSSI, WITH_COUNT = 0x1000, 0x0400, 0x0080
TV_VALUES = {1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 16: 4}


@dataclass(slots=True)
class RoSpec:
    """One inventory that a client has described."""

    id: int
    antennas: list[int]
    immediate: bool
    content: int
    enabled: bool = False
    running: bool = False


@dataclass(slots=True)
class Session:
    """The client that is served."""

    client: Client
    keepalive_s: float = 0.0
    next_keepalive: float = 0.0
    unanswered: int = 0
    acks: int = 0
    specs: dict[int, RoSpec] = field(default_factory=dict[int, RoSpec])


class LlrpReader(OnWire):
    """Reads what is in the field, for the client that has told it to."""

    def __init__(
        self,
        clock: SimClock,
        tags_in_field: Callable[[], Sequence[SimTag]],
        *,
        rate_hz: float = 10.0,
        antennas: int = 4,
        seed: int = 0,
        faults: TagFaults | None = None,
    ) -> None:
        """`rate_hz`: reports of each tag in a site second."""
        super().__init__()
        self.pipe.met = self._met
        self.faults = TagFaults() if faults is None else faults
        self.refuse: dict[int, int] = {}
        """Type of a request -> the status that it is refused with."""
        self.session: Session | None = None
        self.requests: list[tuple[int, bytes]] = []
        """Types and bodies, as they came."""
        self._clock = clock
        self._tags_in_field = tags_in_field
        self._period_s = 1.0 / rate_hz
        self._antennas = antennas
        self._random = random.Random(seed)
        self._number = 0
        self._unmet: list[Client] = []

    def _met(self, client: Client) -> None:
        if self.faults.silent:
            self._unmet.append(client)  # its system has taken the connection; it finds it when it wakes
            return
        busy = self.session is not None and not self.session.client.gone
        if not busy:
            self.session = Session(client)
        time = tlv(128, round(self._clock.now() * 1e6).to_bytes(8, "big"))
        event = tlv(246, time + tlv(256, (2 if busy else 0).to_bytes(2, "big")))
        client.send(message(NOTIFICATION, 0, event))

    def heard(self, data: bytes, client: Client) -> None:
        """Requests are answered; a stream that is none ends the connection's service."""
        client.pending += data
        while len(client.pending) >= 10:
            size = int.from_bytes(client.pending[2:6], "big")
            if not 10 <= size <= LONGEST_REQUEST:
                client.pending.clear()
                return
            if len(client.pending) < size:
                return
            whole = bytes(client.pending[:size])
            del client.pending[:size]
            kind = int.from_bytes(whole[:2], "big") & 0x3FF
            number = int.from_bytes(whole[6:10], "big")
            self._request(client, kind, number, whole[10:])

    def _request(self, client: Client, kind: int, number: int, body: bytes) -> None:
        session = self.session
        if session is None or session.client is not client or self.faults.silent:
            return
        if kind == KEEPALIVE_ACK:
            session.unanswered, session.acks = 0, session.acks + 1
            return
        self.requests.append((kind, body))
        if kind not in ANSWERS:
            client.send(message(ERROR, number, status(UNSUPPORTED, "no such message here")))
            return
        code = self.refuse.get(kind) or self._obey(session, kind, body)
        client.send(message(ANSWERS[kind], number, status(code, "" if code == 0 else "refused")))
        if kind == CLOSE:
            self.session = None
            self.pipe.hang_up(client)

    def _obey(self, session: Session, kind: int, body: bytes) -> int:
        """The status."""
        if kind == SET_CONFIG:
            for type_, value in parameters(body[1:]):
                if type_ == 220:
                    session.keepalive_s = int.from_bytes(value[1:5], "big") / 1000 if value[0] == 1 else 0.0
                    session.next_keepalive = self._clock.now() + session.keepalive_s
            return 0
        if kind == ADD:
            spec = _rospec(body)
            if spec is None or spec.id in session.specs or any(each > self._antennas for each in spec.antennas):
                return PARAMETER_ERROR
            session.specs[spec.id] = spec
            return 0
        if kind not in (DELETE, START, STOP, ENABLE, DISABLE):
            return 0
        which = int.from_bytes(body[:4], "big")
        meant = list(session.specs.values()) if which == 0 else [session.specs[which]] if which in session.specs else []
        if not meant and which != 0:
            return NO_SUCH_FIELD
        for spec in meant:
            if kind == DELETE:
                del session.specs[spec.id]
            elif kind in (ENABLE, DISABLE):
                spec.enabled = kind == ENABLE
                spec.running = spec.enabled and spec.immediate
            else:
                spec.running = spec.enabled and kind == START
        return 0

    async def run(self) -> None:
        """Reports and keepalives, until cancelled."""
        while True:
            while self._unmet and not self.faults.silent:
                client = self._unmet.pop(0)
                if not client.gone:
                    self._met(client)
            session = self.session
            if session is not None and not session.client.gone and not self.faults.silent:
                self._keepalive(session)
                for spec in session.specs.values():
                    if spec.running:
                        self._report(session, spec)
            await self._clock.sleep(self._period_s)

    def _keepalive(self, session: Session) -> None:
        if not session.keepalive_s or self._clock.now() < session.next_keepalive:
            return
        session.next_keepalive = self._clock.now() + session.keepalive_s
        if session.unanswered >= LEFT_UNANSWERED:
            self.pipe.hang_up(session.client)
            return
        session.unanswered += 1
        self._number += 1
        session.client.send(message(KEEPALIVE, self._number, b""))

    def _report(self, session: Session, spec: RoSpec) -> None:
        antenna = next((each for each in spec.antennas if each), 1)
        if self.faults.antenna_missing:
            event = tlv(246, tlv(128, bytes(8)) + tlv(255, b"\0" + antenna.to_bytes(2, "big")))
            session.client.send(message(NOTIFICATION, 0, event))
            return
        for tag in self._tags_in_field():
            data = b"\x8d" + tag.epc if len(tag.epc) == 12 else tlv(241, _bits(tag.epc))
            if spec.content & WITH_ANTENNA:
                data += b"\x81" + antenna.to_bytes(2, "big")
            if spec.content & WITH_RSSI:
                data += b"\x86" + tag.rssi.to_bytes(1, "big", signed=True)
            if spec.content & WITH_COUNT:
                data += b"\x88\x00\x01"
            if self._random.random() < self.faults.bad_sum_share:
                data = b"\x7f" + data  # a parameter that goes beyond its end: LLRP has no sum to be wrong
            self._number += 1
            session.client.send(message(REPORT, self._number, tlv(240, data)))


def _rospec(body: bytes) -> RoSpec | None:
    for kind, value in parameters(body):
        if kind != 177:
            continue
        spec = RoSpec(id=int.from_bytes(value[:4], "big"), antennas=[], immediate=False, content=0)
        for inner, inside in parameters(value[6:]):
            if inner == 178:
                spec.immediate = any(each == 179 and start[:1] == b"\x01" for each, start in parameters(inside))
            elif inner == 183:
                count = int.from_bytes(inside[:2], "big")
                spec.antennas = [int.from_bytes(inside[2 + 2 * n : 4 + 2 * n], "big") for n in range(count)]
            elif inner == 237:
                for each, content in parameters(inside[3:]):
                    spec.content = int.from_bytes(content, "big") if each == 238 else spec.content
        return spec if spec.id and spec.antennas else None
    return None


def _bits(epc: bytes) -> bytes:
    return (8 * len(epc)).to_bytes(2, "big") + epc


def message(kind: int, number: int, body: bytes) -> bytes:
    """A message of version 1."""
    return (0x0400 | kind).to_bytes(2, "big") + (10 + len(body)).to_bytes(4, "big") + number.to_bytes(4, "big") + body


def tlv(kind: int, value: bytes) -> bytes:
    """A parameter with a length."""
    return kind.to_bytes(2, "big") + (4 + len(value)).to_bytes(2, "big") + value


def status(code: int, text: str) -> bytes:
    """LLRPStatus."""
    said = text.encode()
    return tlv(287, code.to_bytes(2, "big") + len(said).to_bytes(2, "big") + said)


def parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each, as far as they can be told apart."""
    while len(body) >= 2:
        if body[0] & 0x80:
            kind, head, size = body[0] & 0x7F, 1, 1 + TV_VALUES.get(body[0] & 0x7F, len(body))
        else:
            kind, head, size = int.from_bytes(body[:2], "big") & 0x3FF, 4, int.from_bytes(body[2:4], "big")
        if not head <= size <= len(body):
            return
        yield kind, body[head:size]
        body = body[size:]
