import asyncio
import itertools
import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pynmea2
import pytest

from simulators.clock import SimClock
from simulators.gps import GeoState, Tracker
from tests.simulators.wires import HandClock, comes_true, living, serial_line, tcp_line

AT_S = 1_077_538_284  # 2004-02-23 12:11:24 UTC
HERE = GeoState(lat=36.0123456, lon=120.2345678, speed_mps=11.111, track_deg=87.5)


class Road:
    """A tracker that is told its place by hand."""

    def __init__(self, *, tag_block: bool = False) -> None:
        self.state = HERE
        self.tracker = Tracker(HandClock(), "truck7", lambda: self.state, tag_block=tag_block, seed=2)

    def said(self, at_s: int = AT_S) -> list[str]:
        return [line.decode("ascii") for line in self.tracker.lines(at_s)]


@pytest.fixture
async def road() -> AsyncIterator[Road]:
    road = Road()
    yield road
    road.tracker.close()


def parsed(line: str) -> Any:
    """By a library that knows nothing of ours; its types are too vague to be asked."""
    return pynmea2.parse(line, check=True)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def checksum(text: str) -> str:
    total = 0
    for byte in text.encode():
        total ^= byte
    return f"{total:02X}"


def test_the_checksum_rule_is_that_of_a_captured_sentence():
    assert checksum("GPRMC,193221.00,A,2037.7279,N,08704.0848,W,00.1,201.8,231207,01,W,A") == "2D"


async def test_sentences_are_whole_and_a_foreign_reader_finds_the_place(road: Road):
    rmc_line, gga_line = road.said()
    for line in (rmc_line, gga_line):
        body, total = re.fullmatch(r"\$(.*)\*([0-9A-F]{2})\r\n", line).groups()  # pyright: ignore[reportOptionalMemberAccess] - a mismatch fails the test
        assert checksum(body) == total
    rmc, gga = parsed(rmc_line), parsed(gga_line)
    for sentence in (rmc, gga):
        assert sentence.latitude == pytest.approx(HERE.lat, abs=1e-7)
        assert sentence.longitude == pytest.approx(HERE.lon, abs=1e-7)
    assert rmc.datetime.timestamp() == AT_S
    assert float(rmc.spd_over_grnd) * 1852 / 3600 == pytest.approx(HERE.speed_mps, abs=0.005)
    assert float(rmc.true_course) == 87.5
    assert (rmc.status, rmc.mode_indicator, gga.gps_qual) == ("A", "A", 1)
    assert rmc_line.rpartition("*")[0].endswith(",A,V"), "the navigational status that most receivers send"


@pytest.mark.parametrize(
    ("lat", "lon", "where"),
    [
        (-33.5, -70.25, "3330.00000,S,07015.00000,W"),
        (0.0, 0.0, "0000.00000,N,00000.00000,E"),
        (35.9999999999, 119.99999999999, "3600.00000,N,12000.00000,E"),
        (89.99999999, 179.999999999, "9000.00000,N,18000.00000,E"),
    ],
)
async def test_hemispheres_and_no_sixty_minutes(road: Road, lat: float, lon: float, where: str):
    road.state = GeoState(lat=lat, lon=lon)
    assert all(f",{where}," in line for line in road.said())


async def test_a_tag_block_names_the_source_and_the_second():
    for line in Road(tag_block=True).said():
        block = f"s:truck7,c:{AT_S}"
        assert line.startswith(f"\\{block}*{checksum(block)}\\$GN")


async def test_no_fix(road: Road):
    road.state = GeoState(lat=36.0, lon=120.0, valid=False)
    rmc, gga = road.said()
    assert rmc.startswith("$GNRMC,121124.00,V,,,,,,,230204,,,N,V*")
    assert gga.startswith("$GNGGA,121124.00,,,,,0,00,99.99,")
    road.state = HERE
    road.tracker.faults.no_fix = True
    assert ",V,,,," in road.said()[0]
    road.tracker.faults.stale_position = True
    assert ",V,3600.74074,N,12014.07407,E," in road.said()[0]


async def test_a_jump_is_as_far_as_it_says(road: Road):
    road.tracker.faults.jump_m = 5000.0
    found = parsed(road.said()[0])
    assert math.radians(found.latitude - HERE.lat) * 6_371_000 == pytest.approx(5000.0, abs=5.0)


async def test_bad_checksums_duplicates_late_epochs_and_silence(road: Road):
    clock = SimClock(speed=50)
    faults = road.tracker.faults
    async with tcp_line(road.tracker.tcp()) as line:
        await comes_true(lambda: road.tracker.pipe.listeners == 1, clock)

        async def heard() -> str:
            return (await line.until(b"\r\n")).decode()

        faults.bad_checksum_share = 1.0
        road.tracker.tell(AT_S)
        for _ in range(2):
            with pytest.raises(pynmea2.ChecksumError):
                parsed(await heard())
        faults.bad_checksum_share = 0.0
        faults.duplicate_share = 1.0
        road.tracker.tell(AT_S + 1)
        first, second = (await heard(), await heard()), (await heard(), await heard())
        assert first == second
        faults.duplicate_share = 0.0
        faults.late_share = 1.0
        road.tracker.tell(AT_S + 2)
        road.tracker.tell(AT_S + 3)
        assert [(await heard())[7:13] for _ in range(4)] == ["121127", "121127", "121126", "121126"]
        faults.late_share = 0.0
        faults.silent = True
        road.tracker.tell(AT_S + 4)
        faults.silent = False
        road.tracker.tell(AT_S + 5)
        assert (await heard())[7:13] == "121129"


class Mailbox(asyncio.DatagramProtocol):
    """Keeps the datagrams that come in."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append(data)


async def test_one_epoch_a_second_by_udp_tcp_and_serial_line():
    clock = SimClock(speed=20)
    tracker = Tracker(clock, "t", lambda: HERE)
    mail, mailbox = await asyncio.get_running_loop().create_datagram_endpoint(Mailbox, local_addr=("127.0.0.1", 0))
    tracker.udp(*mail.get_extra_info("sockname"))
    where, path = tracker.tcp(), tracker.pty()
    async with living(tracker.run()), tcp_line(where) as far, serial_line(path) as near:
        assert b"GNRMC" in await far.until(b"\r\n") + await far.until(b"\r\n")
        assert b"GNGGA" in await near.until(b"\r\n") + await near.until(b"\r\n")
        await comes_true(lambda: len(mailbox.got) >= 8, clock)
    assert all(one.count(b"\r\n") == 1 for one in mailbox.got), "one sentence a datagram"
    seconds = [parsed(one.decode().rpartition("\\")[2]).timestamp.second for one in mailbox.got[0:8:2]]
    assert all((later - earlier) % 60 >= 1 for earlier, later in itertools.pairwise(seconds))
    mail.close()
    tracker.close()
