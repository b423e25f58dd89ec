"""Runs a passage again from the tape: recorded bytes through drivers, settling and interlock, and compares.

What instruments gave (inputs, deck, reads) is made anew; what came as signed words (orders, corrections, a verdict)
is taken from the recorded picture: the book holds those, and their seals prove them.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import msgspec

from drivers.kinds import Link
from drivers.lane_io.registers import Lamp
from drivers.link.config import StreamLinkConfig
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_config import ModbusConfig
from drivers.link.replay import Player
from drivers.link.tape import Record
from drivers.readings import Instant
from edge.config import Site
from edge.lane.black_box import Thought, judge
from edge.lane.instruments import Instruments
from edge.lane.senses import Senses, deck_watch
from gateway_ctl.correction import Check
from gateway_ctl.interlock import Refusal
from gateway_ctl.matching import corrected
from gateway_ctl.orders import Movement, Permit
from gateway_ctl.picture import Picture, Rules
from vision.reading.iso6346 import valid

STAMPS_S: Final = 0.05
"""A poll is stamped by its driver a moment after the tape has its answer; more than that, in real seconds, differs."""
FIRST_S: Final = 10.0
"""Site seconds within which every instrument has spoken for the first time."""
INSTANT: Final = 1e8
"""A number above is an instant: no weight in kg, no confidence and no age is."""

Near = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first word that is another than then."""

    word: str
    """Such as `deck.settled_kg`."""
    then: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """One thought, then and now."""

    thought: Thought
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """The same words, and the same decision."""
        return not self.differences


class _Tapes:
    """The lane's links, on the tape."""

    def __init__(self, player: Player) -> None:
        self._player = player

    async def stream(self, name: str, config: StreamLinkConfig) -> Link:  # noqa: ARG002 - the tape has it
        return await self._player.open_stream(name)

    async def modbus(self, name: str, config: ModbusConfig) -> ModbusLink:
        return await self._player.open_modbus(name, config)

    def boom(self, link: ModbusLink) -> ModbusLink:
        return link


class _Nobody:
    """Nobody is told of a reading that is made again."""

    def sample(self, word: str, instrument: str | None, body: object, at: float, q: str = "good") -> None:
        """Nothing."""


async def rerun(site: Site, lane_id: str, records: Iterable[Record]) -> list[Rerun]:
    """Every thought on the tape. `records` begin where a file begins."""
    tape = iter(records)
    first = next(tape, None)
    if first is None:
        return []
    config = site.lane(lane_id)
    rules = config.rules.rules()
    player = Player(first.at)
    senses = Senses(site.id, lane_id, deck_watch(config, rules), mode=config.mode, direction=config.direction)
    instruments = Instruments(
        config, site.modules, senses, _Nobody(), player.clock(), _Tapes(player), site.weight_tables
    )
    stamps_s = STAMPS_S * site.about.clock.speed
    found: list[Rerun] = []

    def mark(_: Instant, said: dict[str, Any]) -> None:
        if "lamp" in said:
            instruments.lamp_wanted = Lamp(said["lamp"])
        elif "forget" in said:
            senses.forget_reads(Instant(said["forget"]))
        elif "reread" in said:
            senses.reread([Check(check) for check in said["reread"]["checks"]], Instant(said["reread"]["before"]))
        elif "thought" in said:
            thought = msgspec.convert(said["thought"], Thought, strict=False)
            then = thought.picture
            seen = senses.picture(then.at, then.passage, thought.since, then.spent)
            by_hand = then.identity.corrections
            codes = {code for correction in by_hand for code in correction.value}
            identity = corrected(seen.identity, by_hand, filter(valid, codes)) if by_hand else seen.identity
            again = replace(then, inputs=seen.inputs, deck=seen.deck, identity=identity)
            differences = (*apart(then, again, stamps_s, first.at), *_decided(thought, again, rules))
            found.append(Rerun(thought=thought, differences=differences))

    async with asyncio.TaskGroup() as group:
        running = group.create_task(instruments.run())
        await player.play(chain((first,), tape), mark)
        running.cancel()
    return found


def apart(then: Picture, again: Picture, stamps_s: float, begins: Instant) -> Iterator[Difference]:
    """Every word that differs, in the picture's order.

    Instants count as equal within `stamps_s`, and when both say "since the tape began, or longer".
    """
    yield from _apart("", then, again, lambda a, b: abs(a - b) <= stamps_s or (a <= begins and b - begins <= FIRST_S))


def _apart(word: str, then: object, again: object, near: Near) -> Iterator[Difference]:
    if is_dataclass(then) and type(then) is type(again):
        for each in fields(then):
            name = f"{word}.{each.name}" if word else each.name
            yield from _apart(name, getattr(then, each.name), getattr(again, each.name), near)
    elif not _equal(then, again, near):
        yield Difference(word=word, then=_told(then), again=_told(again))


def _equal(then: object, again: object, near: Near) -> bool:
    if isinstance(then, float) and isinstance(again, float) and then > INSTANT:
        return near(then, again)
    return then == again


def _told(value: object) -> str:
    return str(value) if isinstance(value, Decimal | str) else repr(value)


def _decided(thought: Thought, picture: Picture, rules: Rules) -> Iterator[Difference]:
    """The interlock's word on the picture made anew, against what it was then."""
    if thought.by != "interlock":
        return
    then = thought.permit
    movement = thought.movement if then is None else then.movement
    answer = judge(picture, thought.order, movement or Movement.RAISE, thought.at, rules)
    said = answer.movement.value if isinstance(answer, Permit) else _reasons(answer)
    was = then.movement.value if then is not None else " ".join(thought.reasons or ())
    if isinstance(answer, Permit) is not (then is not None) or said != was:
        yield Difference(word="decision", then=was, again=said)


def _reasons(refusal: Refusal) -> str:
    return " ".join(reason.name for reason in refusal.reasons)
