"""Sentences of one epoch -> one Fix. Pure.

A receiver tells one moment in several sentences: RMC has the date, GGA the quality. An epoch is what carries the same
time of day. It is told as soon as it is complete: RMC and GGA (or GNS) are there; or the sentence has come that was
the last one of the epoch before; or, for want of both, when the next epoch begins or the line falls quiet (`flush`).

One sentence that refuses (status V, quality 0, mode N) refuses the epoch: of two sentences that disagree about whether
there is a fix, the one that says no is believed. An epoch already told is told again only when a late sentence refuses
it. The date comes from RMC, else ZDA, else the TAG block, else it follows from the epoch before, over midnight.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from drivers.gps.fix import Fix
from drivers.gps.frames import Sentence, TagBlock
from drivers.gps.sentences import Gga, Gll, Gns, Gsa, Rmc, Vtg, Zda
from drivers.readings import Instant, Quality

DAY_S = 86400
HALF_DAY_S = DAY_S // 2
DISAGREE_DEG = 0.0005
"""Two sentences of the same moment that stand 50 m apart: an XOR of eight bits lets one damaged line in 256 through."""
DOUBTFUL_HDOP = 20.0
"""Beyond that the position is rough at best (receivers show 99.99 when they have none)."""
AHEAD_OF_CLOCK_S = 3600.0
"""A fix from the future by more than an hour: the receiver's date is wrong, whatever the site clock's error is."""
BEHIND_CLOCK_S = 400 * DAY_S
"""Trackers hold days of fixes back, none a year; a receiver whose week counter has rolled over is 19.6 years late."""

MODES = {
    "N": "mode N: no fix",
    "M": "mode M: position typed in by hand",
    "S": "mode S: simulated position",
}
QUALITIES = {
    0: "quality 0: no fix",
    7: "quality 7: position typed in by hand",
    8: "quality 8: simulated position",
}

NONE_USED_EPOCHS = 3
"""So long a GSA counts: it may come after the epoch it is of, and not with each."""

DEAD_RECKONING = 6
"""The quality of GGA."""

_OfAnEpoch = Rmc | Gga | Gns | Gll | Vtg | Zda
_OF_AN_EPOCH = (Rmc, Gga, Vtg, Gll, Gns, Zda)


@dataclass(slots=True)
class _Epoch:
    time_s: float | None = None
    at: Instant = Instant(0.0)
    rmc: Rmc | None = None
    gga: Gga | None = None
    gns: Gns | None = None
    gll: Gll | None = None
    vtg: Vtg | None = None
    day: int | None = None
    """From ZDA."""
    tag: TagBlock | None = None
    names: list[str] = field(default_factory=list[str])
    """Every sentence that says something of this epoch, in order."""
    kinds: set[str] = field(default_factory=set[str])
    last: str = ""
    """The last one that may end an epoch."""
    told: bool = False
    told_valid: bool = False


class Assembler:
    """The epochs of one receiver. Feed it every sentence in order."""

    def __init__(self) -> None:
        self._epoch: _Epoch | None = None
        self._ender = ""
        self._hdop: float | None = None
        self._hdop_age = 0
        self._used_age = NONE_USED_EPOCHS
        """Epochs since a GSA named a satellite in use."""
        self._day: int | None = None
        self._day_time_s = 0.0

    @property
    def waiting_since(self) -> Instant | None:
        """When the last sentence of an epoch came that is not told yet; None: nothing waits."""
        epoch = self._epoch
        return None if epoch is None or epoch.told or not _placed(epoch) else epoch.at

    def take(self, sentence: Sentence, at: Instant) -> tuple[Fix, ...]:
        """What this sentence completes: mostly nothing, else a fix; two where one ends and the next is complete."""
        record = sentence.record
        if isinstance(record, Gsa):
            self._hdop, self._hdop_age = record.hdop, 0
            if record.fix != 1 and any(record.used):
                self._used_age = 0
            return ()
        if not isinstance(record, _OF_AN_EPOCH):
            return ()
        before: tuple[Fix, ...] = ()
        epoch = self._epoch
        if epoch is None or self._begins(epoch, sentence.kind, record):
            before = self._close()
            epoch = self._epoch = _Epoch()
        self._put(epoch, sentence, record, at)
        if epoch.told:
            if epoch.told_valid and _refusal(epoch) is not None:
                epoch.told_valid = False
                return (*before, self._build(epoch))
            return before
        complete = epoch.rmc is not None and (epoch.gga is not None or epoch.gns is not None)
        if complete or (epoch.last == self._ender and _placed(epoch)):
            return (*before, self._tell(epoch))
        return before

    def flush(self) -> Fix | None:
        """Nothing more will come of this epoch: the line is quiet, or at its end."""
        epoch = self._epoch
        return None if epoch is None or epoch.told or not _placed(epoch) else self._tell(epoch)

    @staticmethod
    def _begins(epoch: _Epoch, kind: str, record: _OfAnEpoch) -> bool:
        if isinstance(record, Vtg):
            return False
        if record.time_s is None or epoch.time_s is None:
            # Without a time of day: one sentence of a kind an epoch. A receiver that has a fix has the time too: its
            # fix is not of the epoch that had none.
            return kind in epoch.kinds or (record.time_s is not None and _stands(record))
        return record.time_s != epoch.time_s

    @staticmethod
    def _put(epoch: _Epoch, sentence: Sentence, record: _OfAnEpoch, at: Instant) -> None:
        name = sentence.name
        epoch.at = at
        epoch.kinds.add(sentence.kind)
        if sentence.tag is not None:
            epoch.tag = sentence.tag
        if name not in epoch.names:
            epoch.names.append(name)
        if isinstance(record, Vtg):
            epoch.vtg = record
            if epoch.rmc is None or epoch.rmc.speed_mps is None:
                epoch.last = name
            return
        epoch.last = name
        if epoch.time_s is None:
            epoch.time_s = record.time_s
        # Of two talkers of one kind (GP and GN of the same moment) the one that refuses stays.
        if isinstance(record, Rmc):
            if epoch.rmc is None or not _refused_by_rmc(epoch.rmc):
                epoch.rmc = record
        elif isinstance(record, Gga):
            if epoch.gga is None or epoch.gga.quality not in QUALITIES:
                epoch.gga = record
        elif isinstance(record, Gns):
            if epoch.gns is None or not _refused_by_gns(epoch.gns):
                epoch.gns = record
        elif isinstance(record, Gll):
            if epoch.gll is None or not _refused_by_gll(epoch.gll):
                epoch.gll = record
        else:
            epoch.day = record.day

    def _close(self) -> tuple[Fix, ...]:
        epoch = self._epoch
        if epoch is None or not _placed(epoch):
            return ()
        self._ender = epoch.last
        return () if epoch.told else (self._tell(epoch),)

    def _tell(self, epoch: _Epoch) -> Fix:
        fix = self._build(epoch)
        epoch.told, epoch.told_valid = True, fix.valid
        self._hdop_age += 1
        self._used_age += 1
        if self._hdop_age > 1:
            self._hdop = None
        return fix

    def _build(self, epoch: _Epoch) -> Fix:
        gga = epoch.gga
        beside = gga or epoch.gns
        hdop = self._hdop if beside is None or beside.hdop is None else beside.hdop
        lat, lon = _place(epoch)
        why = _refusal(epoch)
        if why is None and lat is None:
            why = "the position is empty"
        elif why is None and lat == 0 and lon == 0:
            why = "0,0 is where receivers stand that do not know"
        valid = why is None
        if why is None:
            why = _doubt(epoch, hdop, none_used=self._used_age >= NONE_USED_EPOCHS)
            quality = Quality.UNCERTAIN if why else Quality.GOOD
            speed, track = _motion(epoch)
        else:
            quality = Quality.BAD
            lat = lon = speed = track = None
        return Fix(
            valid=valid,
            lat=lat,
            lon=lon,
            speed_mps=speed,
            track_deg=track,
            altitude_m=beside.altitude_m if valid and beside else None,
            quality=quality,
            fix_quality=gga.quality if gga else None,
            satellites=beside.satellites if beside else None,
            hdop=hdop if valid else None,
            fix_time=self._fix_time(epoch),
            at=epoch.at,
            source="+".join(epoch.names),
            why=why,
        )

    def _fix_time(self, epoch: _Epoch) -> Instant | None:
        time_s = epoch.time_s
        if time_s is None:
            return None
        day = epoch.rmc.day if epoch.rmc else None
        if day is None:
            day = epoch.day
        if day is None and epoch.tag and epoch.tag.time_s is not None:
            day = round((epoch.tag.time_s - time_s) / DAY_S)
        if day is None and self._day is not None:
            # Half a day decides: a step back over it is midnight, a step forward a late sentence of yesterday.
            step = time_s - self._day_time_s
            day = self._day + (step < -HALF_DAY_S) - (step > HALF_DAY_S)
        if day is None:
            return None
        self._day, self._day_time_s = day, time_s
        return Instant(day * DAY_S + time_s)


def against_clock(fix: Fix, late_after_s: float = math.inf) -> Fix:
    """The fix beside the time at which it arrived: history when it is older than `late_after_s`, uncertain where its
    time cannot be true (week roll-over, a dead battery)."""
    if fix.fix_time is None:
        return fix
    ahead = fix.fix_time - fix.at
    if -BEHIND_CLOCK_S <= ahead <= AHEAD_OF_CLOCK_S:
        return replace(fix, historical=True) if -ahead > late_after_s else fix
    if not fix.valid:
        return fix
    doubt = f"the receiver's date is {abs(ahead) / DAY_S:.0f} days {'ahead of' if ahead > 0 else 'behind'} the site's"
    return replace(fix, quality=Quality.UNCERTAIN, why=f"{fix.why}; {doubt}" if fix.why else doubt)


def iso(at: float) -> str:
    """UTC with milliseconds: `2026-11-23T09:33:25.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _placed(epoch: _Epoch) -> bool:
    """A sentence came that could hold a position: VTG and ZDA alone are no fix, and no refusal either."""
    return not (epoch.rmc is None and epoch.gga is None and epoch.gns is None and epoch.gll is None)


def _place(epoch: _Epoch) -> tuple[float | None, float | None]:
    """Of the first that has one; GGA before RMC, it often has a digit more."""
    for each in (epoch.gga, epoch.gns, epoch.rmc, epoch.gll):
        if each is not None and each.lat is not None:
            return each.lat, each.lon
    return None, None


def _refusal(epoch: _Epoch) -> str | None:
    """Why there is no fix, by the first sentence that says so."""
    why = _refused_by_rmc(epoch.rmc) if epoch.rmc is not None else ""
    if epoch.gll is not None:
        why = why or _refused_by_gll(epoch.gll)
    if epoch.gga is not None and epoch.gga.quality in QUALITIES:
        why = why or f"GGA {QUALITIES[epoch.gga.quality]}"
    if epoch.gns is not None:
        why = why or _refused_by_gns(epoch.gns)
    return why or None


def _stands(record: _OfAnEpoch) -> bool:
    """It tells a fix and refuses nothing."""
    match record:
        case Rmc():
            return not _refused_by_rmc(record)
        case Gga():
            return record.quality not in QUALITIES
        case Gns():
            return not _refused_by_gns(record)
        case Gll():
            return not _refused_by_gll(record)
        case _:
            return False


def _refused_by_rmc(rmc: Rmc) -> str:
    if rmc.status != "A":
        return f"RMC status {rmc.status}" if rmc.status else "RMC has no status"
    return f"RMC {MODES[rmc.mode]}" if rmc.mode in MODES else ""


def _refused_by_gll(gll: Gll) -> str:
    if gll.status != "A":
        return f"GLL status {gll.status}" if gll.status else "GLL has no status"
    return f"GLL {MODES[gll.mode]}" if gll.mode in MODES else ""


def _refused_by_gns(gns: Gns) -> str:
    # One letter a system: a fix stands as soon as one system has it.
    if set(gns.modes) - MODES.keys():
        return ""
    return f"GNS {MODES[gns.modes[0]]}" if gns.modes else "GNS has no mode"


def _doubt(epoch: _Epoch, hdop: float | None, *, none_used: bool) -> str:
    rmc, gga, gns, gll = epoch.rmc, epoch.gga, epoch.gns, epoch.gll
    found: list[str] = []
    if (
        (rmc is not None and rmc.mode == "E")
        or (gga is not None and gga.quality == DEAD_RECKONING)
        or (gns is not None and set(gns.modes) - MODES.keys() == {"E"})
        or (gll is not None and gll.mode == "E")
    ):
        found.append("dead reckoning")
    lat: float | None = None
    lon: float | None = None
    for each in (rmc, gga, gns):
        if each is None:
            continue
        if each.doubt:
            found.append(each.doubt)
        if each.lat is None or each.lon is None:
            continue
        if lat is None or lon is None:
            lat, lon = each.lat, each.lon
        elif _apart(lat, lon, each.lat, each.lon):
            found.append("its sentences disagree about the position")
    if none_used and gga is not None and gga.satellites == 0 and gga.quality != DEAD_RECKONING:
        # Some receivers never fill the number in, and name the satellites in GSA; with others it is the truth.
        found.append("GGA says that no satellite was used")
    if hdop is not None and hdop > DOUBTFUL_HDOP:
        found.append(f"HDOP {hdop:g}")
    return "; ".join(found)


def _apart(lat: float, lon: float, other_lat: float, other_lon: float) -> bool:
    east = abs(lon - other_lon)
    return abs(lat - other_lat) > DISAGREE_DEG or min(east, 360 - east) > DISAGREE_DEG


def _motion(epoch: _Epoch) -> tuple[float | None, float | None]:
    """Speed and course: of RMC, else of VTG."""
    rmc, vtg = epoch.rmc, epoch.vtg
    speed, track = (rmc.speed_mps, rmc.track_deg) if rmc else (None, None)
    if vtg is not None:
        return vtg.speed_mps if speed is None else speed, vtg.track_deg if track is None else track
    return speed, track
