"""The simulated port and the site file made of it; what `check --probe` hears there."""

import asyncio
import os
import signal
from pathlib import Path
from socket import SOCK_DGRAM

import psutil
import pytest

from edge.commands.check import check, listen
from edge.commands.site import open_site
from edge.commands.words import Exit, Stop
from edge.config import load
from edge.demo import (
    Day,
    Ports,
    SimulatorFailed,
    demo_anchors,
    demo_persons,
    free_port,
    simulated_port,
    site_text,
    write_site,
)
from gateway_ctl.seal import unseal_private

DAY = Day(lanes=2, trucks=1, speed=20.0, weight_maps=("", "laumas"))


def some_ports() -> Ports:
    return Ports(broker=free_port(), console=free_port(), trackers=free_port(kind=SOCK_DGRAM))


async def test_the_port_becomes_a_site_whose_instruments_speak(tmp_path: Path) -> None:
    ports = some_ports()
    async with simulated_port(DAY, tmp_path, ports) as port:
        persons, pins = demo_persons()
        file = write_site(tmp_path, site_text(DAY, port.ready, persons, ports, demo_anchors(tmp_path)))
        site = load(file)
        assert [lane.id for lane in site.lanes] == ["L01", "L02"]
        assert {lane.io.module for lane in site.lanes} == {"adam-6050", "plain-8ch"}
        assert {lane.direction for lane in site.lanes} == {"in", "out"}
        assert site.data == tmp_path.resolve() and site.about.clock.speed == 20.0
        assert file.stat().st_mode & 0o077 == 0
        for person in site.persons:
            assert unseal_private(person.sealed, pins[person.id])
        heard = {each.name: each for each in await listen(site, 2.0)}
        assert all(each.well for each in heard.values()), [str(each) for each in heard.values()]
        assert heard["L01/wb"].words > 10 and "0 kg" in heard["L01/wb"].last
        assert heard["L02/wb"].words >= 5 and "0 kg, display '0', stable" in heard["L02/wb"].last
        assert heard["L02/wb"].link.startswith("modbus-tcp:")
        assert "limit_down" in heard["L02/io"].last
        assert heard["L01/sign"].last == "takes the connection"
        assert "YT0" in heard["tracker/yard"].last
        os.kill(port.pid, signal.SIGKILL)
        with pytest.raises(SimulatorFailed, match="ended before its day"):
            await port.done
    dead = await listen(site, 0.5)
    assert {each.name.split("/")[1]: each.well for each in dead if each.name.startswith("L01")} == {
        "wb": False, "io": False, "tags": False, "ocr": False, "sign": False,
    }  # fmt: skip
    assert all(each.fault for each in dead if not each.well)


async def test_the_simulator_dies_with_its_demo(tmp_path: Path) -> None:
    pids: list[int] = []

    async def fail() -> None:
        async with simulated_port(DAY, tmp_path, some_ports()) as port:
            pids.append(port.pid)
            assert psutil.pid_exists(port.pid)
            raise RuntimeError

    with pytest.raises(ExceptionGroup):
        await fail()
    assert not psutil.pid_exists(pids[0])


def test_check_tells_what_stands_there_and_what_to_mind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
    assert check(open_site(example), example, probe=False, seconds=1) is Exit.WELL
    told = capsys.readouterr()
    assert "right. Site qianwan" in told.out and "mind: adam-6050" in told.err
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[site]\n")
    with pytest.raises(Stop) as stopped:
        open_site(wrong)
    assert stopped.value.code is Exit.WRONG and "lanes is missing: it must be given" in str(stopped.value)


async def test_a_free_port_is_free_and_the_wanted_one_if_it_can_be() -> None:
    def nobody(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    server = await asyncio.start_server(nobody, "127.0.0.1", 0)
    taken = server.sockets[0].getsockname()[1]
    assert free_port(wanted=taken) != taken
    server.close()
    await server.wait_closed()
    assert free_port(wanted=taken) == taken
