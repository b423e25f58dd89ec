"""Our reading of gpsd's own regression logs beside gpsd's own reading of them.

    apt-get source gpsd            (Debian; or any source tree of gpsd, 3.22 and later)
    python -m tests.real.gpsd_logs gpsd-3.22/test/daemon

A `.log` is what a receiver said, its `.log.chk` what gpsd makes of it: the sentences again, and a JSON object TPV after
each that changed something. Of every moment of a log the last TPV with a fix is compared with our fix of the same
moment: the place to 2e-6 degrees, the speed to 0.01 m/s, the course to 0.01 degrees. Moments are compared modulo 1024
weeks: gpsd mends a receiver's week roll-over by the date of the log, we only doubt it. What was found and why each
difference is one is told in tests/real/GPSD-LOGS.md.
"""

import json
import math
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from drivers.gps.decode import decode_stream

WEEKS_S = 1024 * 7 * 86400
PLACE_DEG = 2e-6
SPEED_MPS = 0.01
TRACK_DEG = 0.01
POSITIONED = re.compile(rb"\$[A-Z]{2}(RMC|GGA|GNS|GLL),")
M_PER_DEGREE = 111_195.0


@dataclass(slots=True)
class Log:
    """One log. Counts of moments."""

    name: str
    fixes: int = 0
    """With a fix, by gpsd."""
    same: int = 0
    missing: int = 0
    elsewhere: int = 0
    beyond: int = 0
    """With a fix by us and none by gpsd."""
    contradicted: int = 0
    """Of those: gpsd says that there is none, and we do not doubt it."""
    speeds: int = 0
    same_speeds: int = 0
    tracks: int = 0
    same_tracks: int = 0
    farthest_m: float = 0.0
    garbage: Counter[str] = field(default_factory=Counter[str])


def moment(text: str) -> float:
    """Seconds within 1024 weeks."""
    return round(datetime.fromisoformat(text).timestamp() % WEEKS_S, 3)


def read(log: Path) -> Log | None:
    """The comparison; None for a log without positions in NMEA."""
    raw = log.read_bytes()
    if not POSITIONED.search(raw):
        return None
    theirs: dict[float, dict[str, Any]] = {}
    none: set[float] = set()
    for line in log.with_suffix(".log.chk").read_text("latin-1").splitlines():
        if not line.startswith('{"class":"TPV"'):
            continue
        told = json.loads(line)
        if "time" not in told:
            continue
        if told.get("mode", 0) >= 2 and "lat" in told and "lon" in told:
            theirs[moment(told["time"])] = told
        elif told.get("mode", 0) < 2:
            none.add(moment(told["time"]))
    found = Log(log.name, fixes=len(theirs))
    ours: dict[float, dict[str, Any]] = {}
    for word in decode_stream([raw]):
        if "garbage" in word:
            found.garbage[str(word["why"])] += 1
        elif word["valid"] and word["at"]:
            ours[moment(str(word["at"]))] = word
    for at, their in theirs.items():
        _compare(found, their, ours.get(at))
    beyond = [at for at in ours if at not in theirs]
    found.beyond = len(beyond)
    found.contradicted = sum(at in none and ours[at]["quality"] == "good" for at in beyond)
    return found


def _compare(found: Log, their: dict[str, Any], our: dict[str, Any] | None) -> None:
    if our is None:
        found.missing += 1
        return
    north, east = our["lat"] - their["lat"], our["lon"] - their["lon"]
    if abs(north) <= PLACE_DEG and abs(east) <= PLACE_DEG:
        found.same += 1
    else:
        found.elsewhere += 1
    apart_m = M_PER_DEGREE * math.hypot(north, east * math.cos(math.radians(their["lat"])))
    found.farthest_m = max(found.farthest_m, apart_m)
    if "speed" in their and our["speed_mps"] is not None:
        found.speeds += 1
        found.same_speeds += abs(our["speed_mps"] - their["speed"]) <= SPEED_MPS
    if "track" in their and our["track_deg"] is not None:
        found.tracks += 1
        found.same_tracks += abs(our["track_deg"] - their["track"]) <= TRACK_DEG


def folder(logs: Path) -> list[Log]:
    """All logs with positions in NMEA and at least one fix by gpsd, or one of ours that gpsd denies."""
    found = [read(log) for log in sorted(logs.glob("*.log"))]
    return [log for log in found if log is not None and (log.fixes or log.contradicted)]


def main() -> None:
    """Print."""
    logs = folder(Path(sys.argv[1]))
    print(
        "| log | fixes | same | missing | elsewhere | farthest m | speeds | same | courses | same | beyond | denied |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    total = Log("all")
    for log in logs:
        row = (log.name, log.fixes, log.same, log.missing, log.elsewhere, f"{log.farthest_m:.1f}")
        motion = (log.speeds, log.same_speeds, log.tracks, log.same_tracks, log.beyond, log.contradicted)
        differs = log.same != log.fixes or log.same_speeds != log.speeds or log.same_tracks != log.tracks
        if differs or log.contradicted:
            print("|", " | ".join(map(str, row + motion)), "|")
        for each in ("fixes", "same", "missing", "elsewhere", "beyond", "contradicted", "speeds", "same_speeds"):
            setattr(total, each, getattr(total, each) + getattr(log, each))
        total.tracks += log.tracks
        total.same_tracks += log.same_tracks
    print(
        f"\n{len(logs)} logs, {sum(log.same == log.fixes for log in logs)} of them without a difference in place; "
        f"{total.same} of {total.fixes} positions ({total.same / total.fixes:.1%}), "
        f"{total.same_speeds} of {total.speeds} speeds, {total.same_tracks} of {total.tracks} courses the same; "
        f"{total.beyond} fixes beyond gpsd's, {total.contradicted} that gpsd denies"
    )


if __name__ == "__main__":
    main()
