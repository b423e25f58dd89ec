"""Latest readings of one lane, and the frozen picture made of them."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from drivers.camera.read import Read
from drivers.lane_io.config import InputName
from drivers.lane_io.zone import ZoneWatch, told
from drivers.readings import Instant
from drivers.rfid.cards import Card
from drivers.rfid.tag import Tag
from drivers.seal.seen import SealSeen
from drivers.weighbridge.axles import AxleWatch
from drivers.weighbridge.deck import DeckState, DeckWatch
from drivers.weighbridge.reading import Weight
from edge.config import Lane
from edge.lane.witness import Tape, evidence
from gateway_ctl.correction import Check, Correction
from gateway_ctl.matching import corrected
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Container, Deck, Identity, Inputs, Picture, Plate, Rules, Seen
from vision.reading import iso6346, plate

EARLY_S = 3.0
"""A camera may read the front of a truck before its wheels reach the arrival loop; not earlier than this."""
READS_CEILING = 64
"""Reads kept for one truck: two cameras give a handful; a camera that repeats itself must not grow memory."""
CORRECTIONS_CEILING = 16
"""Corrections kept for one truck: each of five checks, and second thoughts."""
_NEVER: Seen[bool] = Seen()
_NEAR = 2
"""A code with a false check digit that differs in at most so many characters from a true one is its misread."""


WHEELS: Final[tuple[InputName, ...]] = ("axle_in", "axle_on", "axle_out")
"""Contacts that only the weighing asks: no decision about the boom rests on them."""


def deck_watch(lane: Lane, rules: Rules) -> DeckWatch | AxleWatch:
    """The watch over this lane's deck."""
    scale = lane.weighbridge
    if scale.mode == "axle":
        return AxleWatch(division_kg=scale.division_kg, fitness=scale.fitness())
    return DeckWatch(division_kg=scale.division_kg, presence_kg=rules.presence_kg, fitness=scale.fitness())


Word = Read | Tag | Card | SealSeen
"""What is read of a truck and its driver."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One of those, and the reader that gave it."""

    source: str
    word: Word


class Senses:
    """Fed by the instruments' tasks, read by the lane's. `changed` wakes whoever waits for a newer picture."""

    def __init__(
        self, site: str, lane: str, watch: DeckWatch | AxleWatch, *, mode: Mode, direction: Literal["in", "out"]
    ) -> None:
        self._site, self._lane, self._mode = site, lane, mode
        self._direction: Literal["in", "out"] = direction
        self._inputs: dict[str, Seen[bool]] = {}
        self._zone = ZoneWatch()
        self._watch = watch
        self._live: Seen[Decimal] = Seen()
        self._overload = False
        self._noted: list[Noted] = []
        self._corrections: list[Correction] = []
        self._tape = Tape()
        self._waiters: set[asyncio.Future[None]] = set()
        self.last_weight: Weight | None = None
        self.lamp = "unknown"
        self.clock_step_s = 0.0

    def inputs(self, values: Mapping[InputName, bool | None], at: Instant) -> None:
        """One poll of the contacts."""
        for name, value in self._zone.take(values, at).items():
            if name in WHEELS:
                continue
            before = self._inputs.get(name, _NEVER)
            same = before.value == value and value is not None
            self._inputs[name] = Seen(value, at, before.since if same else at)
        rear, front, arrival = (self._value(name) for name in ("beam_rear", "beam_front", "loop_arrival"))
        self._watch.beams(rear=rear, front=front, arrival=arrival, at=at)
        if isinstance(self._watch, AxleWatch):
            axle_in, axle_on, axle_out = (values.get(name) for name in WHEELS)
            self._watch.wheels(axle_in=axle_in, axle_on=axle_on, axle_out=axle_out, at=at)
        self.wake()

    @property
    def zone_note(self) -> str:
        """What a person should know of the sensors under the boom; empty when all is well."""
        return told(self._zone.blind)

    def weight(self, weight: Weight) -> None:
        """One reading of the indicator."""
        self.last_weight = weight
        self._tape.hear(weight)
        self._watch.weight(weight)
        self._overload = weight.status == "overload"
        same = weight.kg is not None and self._live.value == weight.kg
        self._live = Seen(weight.kg, weight.at, self._live.since if same else weight.at)
        self.wake()

    def plate(self, serial: str | None = None, calibrations: int | None = None) -> None:
        """What the indicator tells of itself."""
        self._watch.plate(serial, calibrations)

    def note(self, source: str, word: Word) -> None:
        """One read."""
        self._noted = [*self._noted[-READS_CEILING + 1 :], Noted(source, word)]
        self.wake()

    def correct(self, correction: Correction) -> None:
        """A person has read with their own eyes what an instrument misread; it counts for its passage."""
        self._corrections = [*self._corrections[-CORRECTIONS_CEILING + 1 :], correction]
        self.wake()

    def forget_reads(self, before: Instant) -> None:
        """A passage has ended: what was read of its truck is not the next one's."""
        self._noted = [noted for noted in self._noted if noted.word.at >= before]
        self._corrections = []

    def reread(self, checks: Collection[Check], before: Instant) -> None:
        """Let go of what was read for these checks: the next read counts."""
        self._noted = [n for n in self._noted if _check_of(n.word) not in checks or n.word.at >= before]

    def reads(self, since: Instant) -> list[Noted]:
        """What was read of the truck that came at `since`, oldest first."""
        return [noted for noted in self._noted if noted.word.at >= since - EARLY_S]

    def deck(self, now: Instant) -> DeckState:
        """What the weighing has come to."""
        return self._watch.state(now)

    def evidence(self, now: Instant, since: Instant) -> bytes:
        """The raw frames behind the settled weight and the reads of the truck that came at `since`, as JSON."""
        state = self._watch.state(now)
        settled = state.settled
        runs = () if settled is None else self._tape.during(settled.from_at, settled.to_at)
        return evidence(settled, runs, ((noted.source, noted.word) for noted in self.reads(since)), state.loads)

    def picture(self, now: Instant, passage: str | None, since: Instant | None, spent: frozenset[str]) -> Picture:
        """All of it, frozen."""
        state = self._watch.state(now)
        settled = state.settled
        return Picture(
            site=self._site,
            lane=self._lane,
            at=now,
            mode=self._mode,
            direction=self._direction,
            passage=passage,
            inputs=Inputs(**self._inputs),
            zone_blind=tuple(sorted(self._zone.blind)),
            deck=Deck(
                live_kg=self._live,
                overload=self._overload,
                settled_kg=None if settled is None else settled.kg,
                uncertainty_kg=None if settled is None else settled.uncertainty_kg,
                settled_at=None if settled is None else settled.to_at,
                zero_ok=state.zero_ok,
                frozen=state.frozen,
                jumped=state.jumped,
                doubts=state.doubts,
            ),
            identity=Identity() if since is None else self._identity(passage, since),
            clock_step_s=self.clock_step_s,
            spent=spent,
        )

    def _identity(self, passage: str | None, since: Instant) -> Identity:
        read = identity(self.reads(since))
        by_hand = [correction for correction in self._corrections if correction.passage == passage]
        if not by_hand:
            return read
        codes = {code for correction in by_hand for code in correction.value}
        return corrected(read, by_hand, filter(iso6346.valid, codes))

    async def another(self) -> None:
        """Until something was told."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _value(self, name: str) -> bool | None:
        return self._inputs.get(name, _NEVER).value

    def wake(self) -> None:
        """Whoever waits for news looks again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def identity(reads: list[Noted]) -> Identity:
    """The surest plate, every tag, and the container codes that hold; a misread beside its true code is dropped."""
    surest: Plate | None = None
    tags: dict[str, str | None] = {}
    codes: dict[str, float] = {}
    trailer: Plate | None = None
    seals: set[str] = set()
    cards: set[str] = set()
    for noted in reads:
        word = noted.word
        if isinstance(word, Tag):
            tags[word.hex] = word.plate
        elif isinstance(word, Card):
            cards.add(word.number)
        elif isinstance(word, SealSeen):
            seals.add(word.number.strip().upper())
        elif word.what == "plate":
            if surest is None or word.confidence > surest.confidence:
                surest = Plate(plate.normalise(word.text), word.confidence)
        elif word.what == "trailer":
            if trailer is None or word.confidence > trailer.confidence:
                trailer = Plate(plate.normalise(word.text), word.confidence)
        elif word.what == "seal":
            seals.add(word.text.strip().upper())
        elif word.what == "container":
            code = iso6346.normalise(word.text)
            codes[code] = max(codes.get(code, 0.0), word.confidence)
    true = [code for code in codes if iso6346.valid(code)]
    kept = [code for code in codes if code in true or not any(_near(code, other) for other in true)]
    return Identity(
        plate=surest,
        tags=tuple(sorted(tags)),
        tag_plates=tuple(sorted({text for text in tags.values() if text is not None})),
        containers=tuple(Container(code, codes[code], check_ok=code in true) for code in sorted(kept)),
        trailer=trailer,
        seal_numbers=tuple(sorted(seals)),
        cards=tuple(sorted(cards)),
    )


def _check_of(word: Word) -> Check | None:
    """A card belongs to no check."""
    match word:
        case Tag():
            return Check.TAG
        case SealSeen():
            return Check.SEAL
        case Card():
            return None
        case _:
            return _CHECKS[word.what]


_CHECKS = {"plate": Check.PLATE, "trailer": Check.TRAILER, "container": Check.CONTAINERS, "seal": Check.SEAL}


def _near(code: str, other: str) -> bool:
    if abs(len(code) - len(other)) > _NEAR:
        return False
    if len(code) != len(other):
        return code.startswith(other[:4]) or other in code or code in other
    return sum(a != b for a, b in zip(code, other, strict=True)) <= _NEAR
