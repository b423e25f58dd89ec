"""Sentences of one epoch -> one Fix. Pure.

A receiver tells one moment in several sentences: RMC has the date, GGA the quality. An epoch is what carries the same
time of day. It is told as soon as it is complete: RMC and GGA (or GNS) are there; or the sentence has come that was
the last one of the epoch before; or, for want of both, when the next epoch begins or the line falls quiet (`flush`).

One sentence that refuses (status V, quality 0, mode N) refuses the epoch: of two sentences that disagree about whether
there is a fix, the one that says no is believed. An epoch already told is told again only when a late sentence refuses
it. The date comes from RMC, else ZDA, else the TAG block, else it follows from the epoch before, over midnight.
"""

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
        self._day: int | None = None
        self._day_time_s = 0.0

    @property
    def waiting_since(self) -> Instant | None:
        """When the last sentence of an epoch came that is not told yet; None: nothing waits."""
        epoch = self._epoch
        return None if epoch is None or epoch.told or not _placed(epoch) else epoch.at

    def take(self, sentence: Sentence, at: Instant) -> tuple[Fix, ...]:
        """What this sentence completes: mostly nothing, else a fix; two where it ends one epoch and completes the next."""
        record = sentence.record
        if isinstance(record, Gsa):
            self._hdop, self._hdop_age = record.hdop, 0
            return ()
        if not isinstance(record, Rmc | Gga | Gns | Gll | Vtg | Zda):
            return ()
        fixes: list[Fix] = []
        epoch = self._epoch
        if epoch is None or self._begins(epoch, sentence.kind, record):
            fixes += self._close()
            epoch = self._epoch = _Epoch()
        self._put(epoch, sentence, record, at)
        complete = epoch.rmc is not None and (epoch.gga is not None or epoch.gns is not None)
        if epoch.told:
            if epoch.told_valid and not (again := self._build(epoch)).valid:
                epoch.told_valid = False
                fixes.append(again)
        elif _placed(epoch) and (complete or sentence.name == self._ender):
            fixes.append(self._tell(epoch))
        return tuple(fixes)

    def flush(self) -> Fix | None:
        """Nothing more will come of this epoch: the line is quiet, or at its end."""
        epoch = self._epoch
        return None if epoch is None or epoch.told or not _placed(epoch) else self._tell(epoch)

    @staticmethod
    def _begins(epoch: _Epoch, kind: str, record: Rmc | Gga | Gns | Gll | Vtg | Zda) -> bool:
        if isinstance(record, Vtg):
            return False
        if record.time_s is None or epoch.time_s is None:
            # Without a time of day: one sentence of a kind an epoch.
            return kind in epoch.kinds
        return record.time_s != epoch.time_s

    @staticmethod
    def _put(epoch: _Epoch, sentence: Sentence, record: Rmc | Gga | Gns | Gll | Vtg | Zda, at: Instant) -> None:
        epoch.at = at
        epoch.tag = sentence.tag or epoch.tag
        epoch.kinds.add(sentence.kind)
        name = sentence.name
        if name not in epoch.names:
            epoch.names.append(name)
        if isinstance(record, Vtg):
            epoch.vtg = record
            if epoch.rmc is None or epoch.rmc.speed_mps is None:
                epoch.last = name
            return
        epoch.time_s = record.time_s if epoch.time_s is None else epoch.time_s
        epoch.last = name
        # Of two talkers of one kind (GP and GN of the same moment) the one that refuses stays.
        match record:
            case Rmc():
                epoch.rmc = record if epoch.rmc is None or _refusal(rmc=epoch.rmc) is None else epoch.rmc
            case Gga():
                epoch.gga = record if epoch.gga is None or _refusal(gga=epoch.gga) is None else epoch.gga
            case Gns():
                epoch.gns = record if epoch.gns is None or _refusal(gns=epoch.gns) is None else epoch.gns
            case Gll():
                epoch.gll = record if epoch.gll is None or _refusal(gll=epoch.gll) is None else epoch.gll
            case Zda():
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
        if self._hdop_age > 1:
            self._hdop = None
        return fix

    def _build(self, epoch: _Epoch) -> Fix:
        rmc, gga, gns = epoch.rmc, epoch.gga, epoch.gns
        why = _refusal(rmc, gga, gns, epoch.gll)
        where = next(
            ((p.lat, p.lon) for p in (gga, gns, rmc, epoch.gll) if p is not None and p.lat is not None), (None, None)
        )
        if why is None and where[0] is None:
            why = "the position is empty"
        elif why is None and where == (0.0, 0.0):
            why = "0,0 is where receivers stand that do not know"
        if why is not None:
            where, quality = (None, None), Quality.BAD
        else:
            why = "; ".join(_doubts(epoch))
            quality = Quality.UNCERTAIN if why else Quality.GOOD
        beside = gga or gns
        hdop = self._hdop if beside is None or beside.hdop is None else beside.hdop
        if quality is Quality.GOOD and hdop is not None and hdop > DOUBTFUL_HDOP:
            why, quality = f"HDOP {hdop:g}", Quality.UNCERTAIN
        valid = quality is not Quality.BAD
        speed, track = _motion(epoch) if valid else (None, None)
        return Fix(
            valid=valid,
            lat=where[0],
            lon=where[1],
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


def against_clock(fix: Fix) -> Fix:
    """The fix, uncertain where its time cannot be true by the time it arrived (week roll-over, a dead battery)."""
    if not fix.valid or fix.fix_time is None:
        return fix
    ahead = fix.fix_time - fix.at
    if -BEHIND_CLOCK_S <= ahead <= AHEAD_OF_CLOCK_S:
        return fix
    doubt = f"the receiver's date is {abs(ahead) / DAY_S:.0f} days {'ahead of' if ahead > 0 else 'behind'} the site's"
    return replace(fix, quality=Quality.UNCERTAIN, why=f"{fix.why}; {doubt}" if fix.why else doubt)


def iso(at: float) -> str:
    """UTC with milliseconds: `2026-11-23T09:33:25.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _placed(epoch: _Epoch) -> bool:
    """A sentence came that could hold a position: VTG and ZDA alone are no fix, and no refusal either."""
    return not (epoch.rmc is None and epoch.gga is None and epoch.gns is None and epoch.gll is None)


def _refusal(
    rmc: Rmc | None = None, gga: Gga | None = None, gns: Gns | None = None, gll: Gll | None = None
) -> str | None:
    """Why there is no fix, by the first sentence that says so."""
    for name, void in (("RMC", rmc), ("GLL", gll)):
        if void is None:
            continue
        if void.status != "A":
            return f"{name} status {void.status}" if void.status else f"{name} has no status"
        if void.mode in MODES:
            return f"{name} {MODES[void.mode]}"
    if gga is not None and gga.quality in QUALITIES:
        return f"GGA {QUALITIES[gga.quality]}"
    if gns is not None:
        # One letter a system: a fix stands as soon as one system has it.
        best = set(gns.modes) - set(MODES)
        if not best:
            return f"GNS {MODES[gns.modes[0]]}" if gns.modes else "GNS has no mode"
    return None


def _doubts(epoch: _Epoch) -> list[str]:
    rmc, gga, gns = epoch.rmc, epoch.gga, epoch.gns
    found: list[str] = []
    estimated = (rmc and rmc.mode == "E") or (epoch.gll and epoch.gll.mode == "E") or (gga and gga.quality == 6)
    if estimated or (gns and set(gns.modes) - set(MODES) == {"E"}):
        found.append("dead reckoning")
    found += [each.doubt for each in (rmc, gga, gns) if each is not None and each.doubt]
    places = [(p.lat, p.lon) for p in (rmc, gga, gns) if p is not None and p.lat is not None and p.lon is not None]
    if any(_apart(places[0], other) for other in places[1:]):
        found.append("its sentences disagree about the position")
    return found


def _apart(a: tuple[float, float], b: tuple[float, float]) -> bool:
    east = abs(a[1] - b[1])
    return abs(a[0] - b[0]) > DISAGREE_DEG or min(east, 360 - east) > DISAGREE_DEG


def _motion(epoch: _Epoch) -> tuple[float | None, float | None]:
    """Speed and course: of RMC, else of VTG."""
    rmc, vtg = epoch.rmc, epoch.vtg
    speed, track = (rmc.speed_mps, rmc.track_deg) if rmc else (None, None)
    if vtg is not None:
        return vtg.speed_mps if speed is None else speed, vtg.track_deg if track is None else track
    return speed, track
