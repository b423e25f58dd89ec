"""`check --probe` on a lane's I/O module: what is wrong with it and the barrier behind it, by reading alone."""

import asyncio
import socket
from pathlib import Path

import pytest

from drivers.readings import Instant, Quality
from drivers.rfid.cards import Card
from drivers.seal.state import SealState, SealWord
from edge.commands.check import Heard, check, describe, listen
from edge.commands.words import Exit, Stop
from edge.config import Site, load
from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import LaneModule, ModuleKind

NOW = Instant(1_800_000_000.0)
LISTEN_S = 1.5
"""For a module that answers within milliseconds, on a machine that is busy."""
EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"


def site_with(folder: Path, module: str, address: tuple[str, int]) -> Site:
    host, port = address
    text = EXAMPLE.read_text(encoding="utf-8").replace("192.0.2.", "127.0.0.")
    text = text.replace('module = "adam-6050"', f'module = "{module}"')
    text = text.replace('host = "127.0.0.12", port = 502', f'host = "{host}", port = {port}')
    file = folder / "site.toml"
    file.write_text(text[: text.index("[[trackers]]")], encoding="utf-8")
    return load(file)


async def probed(folder: Path, sim: LaneModule, module: str) -> Heard:
    site = site_with(folder, module, sim.tcp())
    try:
        [io] = await listen(site, LISTEN_S, ["L01/io"])
        assert sim.changes == [], "a probe writes nothing"
    finally:
        sim.close()
    return io


def a_module(kind: ModuleKind, **stuck: bool) -> LaneModule:
    clock = SimClock()
    sim = LaneModule(kind, clock, dict, Boom(clock))
    sim.faults.stuck = stuck
    return sim


async def test_a_module_as_it_must_be_is_well(tmp_path: Path) -> None:
    io = await probed(tmp_path, a_module("plain-8ch"), "plain-8ch")
    assert io.well and io.wrong == [] and "on: limit_down" in io.last


async def test_inputs_that_cannot_be_are_told_once(tmp_path: Path) -> None:
    io = await probed(tmp_path, a_module("adam-6050", limit_up=True), "adam-6050")
    assert io.wrong == ["limit_down and limit_up are both on: a wiring fault, or the polarity of one is wrong"]
    assert not io.well


async def test_a_watchdog_that_is_off_and_a_linked_relay_are_told(tmp_path: Path) -> None:
    sim = LaneModule("adam-4150", SimClock(), dict, Boom(SimClock()))
    file = tmp_path / "a"
    file.mkdir()
    # This module has seven inputs: the barrier has no fault contact.
    text = EXAMPLE.read_text(encoding="utf-8")
    assert ", boom_fault = 7" in text
    site = site_with(file, "plain-8ch", sim.tcp())
    io = site.lanes[0].io
    wired = {name: channel for name, channel in io.inputs.items() if name != "boom_fault"}
    changed = io.model_copy(update={"module": "adam-4150", "inputs": wired, "inverted": (), "no_fault_relay": True})
    lane = site.lanes[0].model_copy(update={"io": changed})
    [heard] = await listen(site.model_copy(update={"lanes": (lane,)}), LISTEN_S, ["L01/io"])
    sim.close()
    [said] = heard.wrong
    assert said.startswith("barrier: host watchdog reads off (register 214)") and heard.words


async def test_a_module_that_is_another_is_told(tmp_path: Path) -> None:
    io = await probed(tmp_path, a_module("plain-8ch"), "adam-6050")
    assert any("barrier: the module refuses the coils of its outputs" in each for each in io.wrong)


def test_the_command_ends_badly_and_shows_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def serve() -> tuple[Site, LaneModule]:
        sim = a_module("plain-8ch", limit_up=True)
        return site_with(tmp_path, "plain-8ch", sim.tcp()), sim

    async def both() -> tuple[Exit, str]:
        site, sim = await serve()
        ended = await asyncio.to_thread(check, site, tmp_path / "site.toml", probe=True, seconds=LISTEN_S)
        sim.close()
        return ended, capsys.readouterr().err

    ended, warned = asyncio.run(both())
    assert ended is Exit.NOT_WELL
    assert "mind: plain-8ch: This module has no host watchdog: outputs stay as they are" in warned
    assert "此模块没有主机看门狗" in warned


async def test_a_module_that_takes_no_connection_is_not_well(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        site = site_with(tmp_path, "plain-8ch", full.getsockname())
        [io] = await listen(site, 0.5, ["L01/io"])
        for each in waiting:
            each.close()
    assert not io.well and io.fault == "no connection within 0.5 s"


async def test_only_what_is_asked_for_is_opened(tmp_path: Path) -> None:
    site = site_with(tmp_path, "plain-8ch", ("127.0.0.1", 1))
    assert [heard.name for heard in await listen(site, 0.5, ["L01/ocr", "L01/sign"])] == ["L01/ocr", "L01/sign"]
    assert len(await listen(site, 0.5, ["L01"])) == 5
    with pytest.raises(Stop, match="no instrument wb at this site; there are L01/wb, L01/io"):
        await listen(site, 0.5, ["wb"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            SealWord(
                seal="box1",
                state=SealState.LOCKED,
                at=NOW,
                quality=Quality.GOOD,
                battery_percent=80,
                lat=36.0,
                lon=120.2,
            ),
            "box1: locked, 80 %, 36.000000, 120.200000",
        ),
        (
            SealWord(seal="box1", state=SealState.STALE, at=NOW, quality=Quality.BAD, why="no word for 31 min"),
            "box1: stale, no word for 31 min",
        ),
        (Card(number="0009334109", at=NOW), "card 0009334109"),
    ],
)
def test_seals_and_cards_in_a_technicians_short_hand(word: object, said: str) -> None:
    assert describe(word) == said
