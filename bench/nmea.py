"""NMEA sentences per CPU-second: bytes off the wire -> typed records, beside pynmea2 in the same run.

    python -m bench.nmea [--sentences 40000] [--rounds 3]

The log mixes RMC, GGA, VTG and GSA of a truck in a port, each epoch at another place. All check the checksum and give
position, speed, course and time as numbers where the sentence has them:
    pynmea2           parse(line, check=True), then the properties (it makes numbers only when asked)
    quaygate          drivers/gps/frames.py: the same lines, as one stream in pieces of 4 kB
    quaygate, a Fix   the same, and drivers/gps/assemble.py: RMC and GGA of one epoch made into one Fix
Rounds are interleaved; process time; no network. Prints a table of medians, ratios to the first row.
"""

import argparse
import math
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, cast

import pynmea2

from drivers.gps.assemble import Assembler
from drivers.gps.frames import Decoder, Sentence
from drivers.readings import Instant

PIECE_BYTES = 4096
M_PER_DEGREE = 111_195.0


def _sentence(body: str) -> str:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}"


def _angle(degrees: float, width: int) -> str:
    whole = int(degrees)
    return f"{whole:0{width}d}{(degrees - whole) * 60:08.5f}"


def make_log(count: int) -> list[str]:
    """So many sentences, without line ends."""
    rng = random.Random(7)
    lines: list[str] = []
    lat, lon, course, second = 36.01, 120.2, 45.0, 0
    while len(lines) < count:
        course = (course + rng.uniform(-8, 8)) % 360
        knots = rng.uniform(0, 18)
        lat += math.cos(math.radians(course)) * knots * 0.514 / M_PER_DEGREE
        lon += math.sin(math.radians(course)) * knots * 0.514 / M_PER_DEGREE
        at = f"{second // 3600 % 24:02d}{second // 60 % 60:02d}{second % 60:02d}.00"
        where = f"{_angle(lat, 2)},N,{_angle(lon, 3)},E"
        lines += [
            _sentence(f"GNRMC,{at},A,{where},{knots:.2f},{course:.2f},231126,,,A,V"),
            _sentence(f"GNGGA,{at},{where},1,09,0.9,12.4,M,-2.1,M,,"),
            _sentence(f"GNVTG,{course:.2f},T,,M,{knots:.2f},N,{knots * 1.852:.2f},K,A"),
            _sentence("GPGSA,A,3,04,05,09,12,17,19,24,25,29,,,,1.8,0.9,1.6"),
        ]
        second += 1
    return lines[:count]


def _pynmea2(lines: list[str]) -> int:
    read = 0
    for line in lines:
        message: Any = cast("Any", pynmea2).parse(line, check=True)
        match message.sentence_type:
            case "RMC":
                _ = message.latitude, message.longitude, message.spd_over_grnd, message.true_course, message.datetime
            case "GGA":
                _ = message.latitude, message.longitude, message.timestamp, message.gps_qual
            case _:
                pass
        read += 1
    return read


def _quaygate(pieces: list[bytes]) -> int:
    decoder = Decoder()
    read = 0
    for piece in pieces:
        decoder.receive(piece)
        while (word := decoder.next_word()) is not None:
            read += isinstance(word, Sentence)
    return read


def _to_a_fix(pieces: list[bytes]) -> int:
    decoder, assembler = Decoder(), Assembler()
    read = 0
    fixes = 0
    for piece in pieces:
        decoder.receive(piece)
        while (word := decoder.next_word()) is not None:
            assert isinstance(word, Sentence)
            fixes += sum(fix.valid for fix in assembler.take(word, Instant(0.0)))
            read += 1
    assert fixes == math.ceil(read / 4)
    return read


def main() -> None:
    """Run and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sentences", type=int, default=40_000)
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    lines = make_log(chosen.sentences)
    stream = "".join(f"{line}\r\n" for line in lines).encode()
    pieces = [stream[i : i + PIECE_BYTES] for i in range(0, len(stream), PIECE_BYTES)]
    work: dict[str, Callable[[], int]] = {
        "pynmea2": lambda: _pynmea2(lines),
        "quaygate": lambda: _quaygate(pieces),
        "quaygate, a Fix": lambda: _to_a_fix(pieces),
    }
    rates: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(chosen.rounds):
        for name, job in work.items():
            before = time.process_time()
            assert job() == len(lines)
            rates[name].append(len(lines) / (time.process_time() - before))
    base = statistics.median(rates["pynmea2"])
    print("| parser | sentences per CPU-second | vs pynmea2 |")
    print("| --- | --- | --- |")
    for name, found in rates.items():
        print(f"| {name} | {statistics.median(found):,.0f} | {statistics.median(found) / base:.1f} |")


if __name__ == "__main__":
    main()
