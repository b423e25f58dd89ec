"""A card held to its reader and a seal before its antenna: from the wire to the lane's picture, the bus and customs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from drivers.kinds import Link
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusConfig
from drivers.readings import Instant
from drivers.weighbridge.deck import DeckWatch
from edge.clock import SiteClock
from edge.config import Lane, load
from edge.lane.instruments import Instruments
from edge.lane.senses import Senses
from edge.lane.shown import read_bodies
from gateway_ctl.correction import Check
from gateway_ctl.matching import Found, match
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Rules
from simulators.barrier import Boom
from simulators.cards import CardReader
from simulators.clock import SimClock
from simulators.lane_io import LaneModule
from simulators.rfid import SimTag, TagReader
from telemetry.payloads.envelope import Q
from tests.gateway_ctl.scene import order

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"


@dataclass
class Voice:
    """Keeps what is said."""

    said: list[tuple[str, str | None, Any]] = field(default_factory=list[tuple[str, str | None, Any]])

    def sample(self, word: str, instrument: str | None, body: object, at: float, q: Q = "good") -> object:
        self.said.append((word, instrument, msgspec.to_builtins(body)))
        return at, q


class Wires:
    """Links on their wires."""

    def __init__(self, clock: SiteClock) -> None:
        self._clock = clock

    async def stream(self, name: str, config: StreamLinkConfig) -> Link:
        del name
        return await open_link(config, self._clock)

    async def modbus(self, name: str, config: ModbusConfig) -> ModbusLink:
        del name
        return await open_modbus(config)

    def boom(self, link: ModbusLink) -> ModbusLink:
        return link


def lane_with(folder: Path, cards: int, seals: int, module: int) -> Lane:
    text = EXAMPLE.read_text(encoding="utf-8").replace("192.0.2.", "127.0.0.")
    text = text.replace('host = "127.0.0.12", port = 502', f'host = "127.0.0.1", port = {module}')
    text = text.replace("[[lanes.cameras]]", (
        '[lanes.cards]\nname = "ic"\ndialect = "card-stx"\n'
        f'link = {{ kind = "tcp", host = "127.0.0.1", port = {cards} }}\n'
        '[lanes.seals]\ntext = true\n'
        'reader = { name = "seals", dialect = "uhf-bb", '
        f'link = {{ kind = "tcp", host = "127.0.0.1", port = {seals} }} }}\n'
        "[[lanes.cameras]]"
    ), 1)  # fmt: skip
    file = folder / "site.toml"
    file.write_text(text[: text.index("[[trackers]]")], encoding="utf-8")
    return load(file).lane("L01")


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[tuple[Senses, Voice, CardReader, list[SimTag]]]:
    sim, clock = SimClock(), SiteClock()
    card, near = CardReader(sim, speech="card-stx"), list[SimTag]()
    antenna = TagReader(sim, lambda: near)
    module = LaneModule("adam-6050", sim, dict, Boom(sim))
    lane = lane_with(folder, card.tcp()[1], antenna.tcp()[1], module.tcp()[1])
    senses = Senses("here", "L01", DeckWatch(division_kg=Decimal(20)), mode=Mode.LIVE, direction="in")
    voice = Voice()
    alive = [asyncio.ensure_future(each) for each in (
        card.run(), antenna.run(), Instruments(lane, (), senses, voice, clock, Wires(clock)).run(),
    )]  # fmt: skip
    try:
        yield senses, voice, card, near
    finally:
        for each in alive:
            each.cancel()
        await asyncio.gather(*alive, return_exceptions=True)
        card.close()
        antenna.close()
        module.close()


async def test_a_card_and_a_seal_reach_the_picture_and_the_card_stays_masked(tmp_path: Path) -> None:
    since = Instant(SiteClock().now())
    async with running(tmp_path) as (senses, voice, card, near):
        card.card = bytes.fromhex("008E6D5D")
        near += [SimTag(epc=b"SEAL-0012345"), SimTag(epc=bytes.fromhex("FF00FF00FF00FF00FF00FF00"))]
        async with asyncio.timeout(20):
            while True:
                seen = senses.picture(SiteClock().now(), "p", since, frozenset()).identity
                if seen.cards and seen.seal_numbers:
                    break
                await senses.another()
        shown = {each.what: each.text for each in read_bodies(senses.reads(since), seen)}
        evidence = senses.evidence(SiteClock().now(), since)
    assert (seen.cards, seen.seal_numbers, seen.tags) == (("0009334109",), ("SEAL-0012345",), ())
    assert shown == {"card": "…109", "seal": "SEAL-0012345"}
    told = {(word, name): body for word, name, body in voice.said if word in ("card", "read")}
    assert told["card", "ic"] == {"ends": "…109"}
    assert told["read", "seals"]["what"] == "seal" and told["read", "seals"]["text"] == "SEAL-0012345"
    assert "0009334109" not in str(voice.said), "a card names a person: the bus does not"
    assert b'"what":"card","text":"0009334109"' in evidence, "the book does"


async def test_what_the_seal_reader_saw_is_what_the_seal_check_compares(tmp_path: Path) -> None:
    since = Instant(SiteClock().now())
    async with running(tmp_path) as (senses, _, _, near):
        near.append(SimTag(epc=b"SEAL-0012345"))
        async with asyncio.timeout(20):
            while not (picture := senses.picture(SiteClock().now(), "p", since, frozenset())).identity.seal_numbers:
                await senses.another()
        found = {
            declared: next(
                line.found
                for line in match(picture, order(seal_numbers=(declared,)), Rules())
                if line.check is Check.SEAL
            )
            for declared in ("SEAL-0012345", "SEAL-0099999")
        }
        assert found == {"SEAL-0012345": Found.SAME, "SEAL-0099999": Found.DIFFERS}
        senses.reread([Check.SEAL], Instant(SiteClock().now() + 60))
        assert senses.picture(SiteClock().now(), "p", since, frozenset()).identity.seal_numbers == ()


async def test_what_the_module_does_in_silence_stands_in_its_health(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, voice, _, _), asyncio.timeout(20):
        while not (notes := [body["note"] for word, name, body in voice.said if (word, name) == ("health", "io")]):
            await asyncio.sleep(0.02)
        while notes[-1] != "host watchdog: only the maker's tool tells (主机看门狗只有厂家工具可查)":
            await asyncio.sleep(0.02)
            notes = [body["note"] for word, name, body in voice.said if (word, name) == ("health", "io")]
