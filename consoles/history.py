"""What was: lines for the trends and the latest passages, out of the time series and the records."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from consoles.wire import PassageRow, Trend, TrendName
from drivers.readings import Instant
from telemetry.faults import RecordsDown, SeriesDown
from telemetry.payloads.envelope import Envelope
from telemetry.series.base import Bucket, Curve
from telemetry.stored import StoredPassage, StoredRecord
from telemetry.topics import Address

log = logging.getLogger(__name__)

POINTS = 900
"""Points of a line: as many as a small plot has pixels."""
TRUCKS_STEP_S = 900.0
"""A quarter of an hour: shorter and a lane's own rhythm is all one sees."""
SECONDS_STEP_S = 60.0
"""Two trucks of one lane in a minute are one dot."""
GAP_STEPS = 3
"""Steps without a value after which a line is broken: nobody shall read a straight line across what was not heard."""
ASK_DEADLINE_S = 10.0
"""Real seconds; a page waits no longer for a small picture."""
RECALLED = {
    "passage": 2000, "alarm": 500, "decision": 200, "refusal": 60, "boom": 60, "answer": 60, "zone": 60, "sealing": 60,
}  # fmt: skip
"""Records of each word that a starting console takes over: an hour's trucks, a flood's alarms, a list of the rest."""


class SeriesReader(Protocol):
    """The reading half of telemetry.series.base.Series."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def query(
        self, measurement: str, field: str, *, tags: Mapping[str, str], start: float, end: float, step_s: float
    ) -> list[Curve]: ...


class RecordsReader(Protocol):
    """The reading half of telemetry.records.Records."""

    async def close(self) -> None: ...
    async def recent(
        self, *words: str, limit: int = 100, node: str | None = None, before: float | None = None
    ) -> list[StoredRecord]: ...
    async def passages(
        self, since: float, until: float, *, node: str | None = None, plate: str | None = None, limit: int = 1000
    ) -> list[StoredPassage]: ...


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Line:
    """How a trend is read out of the series."""

    unit: str
    measurement: str
    field: str
    step_s: float | None
    """None: the window divided into POINTS."""
    value: Callable[[Bucket], float]


_LINES: dict[TrendName, _Line] = {
    "trucks": _Line("1/h", "passage", "crossed", TRUCKS_STEP_S, lambda b: b.mean * b.n * 3600.0 / TRUCKS_STEP_S),
    "weight": _Line("kg", "weight", "gross_kg", None, lambda b: b.last),
    "seconds": _Line("s", "passage", "seconds", SECONDS_STEP_S, lambda b: b.mean),
}


class History:
    """Asks the past. An engine that is away gives an empty trend, never zeros and never an error page."""

    def __init__(self, site: str, series: Callable[[], SeriesReader], records: Callable[[], RecordsReader]) -> None:
        """`series` and `records` make a fresh reader, not yet open: the recorder may come up long after us. `records`
        may raise RecordsDown."""
        self._site = site
        self._new_series = series
        self._new_records = records
        self._series: SeriesReader | None = None
        self._records: RecordsReader | None = None
        self._opening = asyncio.Lock()
        self._said_away = False

    async def trend(self, name: TrendName, lane: str | None, hours: float, now: Instant) -> Trend:
        """The last `hours` before `now`, oldest first; of all lanes together when `lane` is None."""
        line = _LINES[name]
        span_s = hours * 3600.0
        step_s = line.step_s or max(1.0, math.ceil(span_s / POINTS))
        tags = {"site": self._site} if lane is None else {"site": self._site, "node": lane}
        curves = await self._ask(line, tags, now - span_s, now, step_s)
        at, value = _joined(curves, line, step_s)
        return Trend(name=name, lane=lane, unit=line.unit, start=now - span_s, end=now, at=at, value=value)

    async def passages(self, lane: str | None, limit: int, now: Instant) -> list[PassageRow]:
        """Newest first; empty while the records are away."""
        try:
            found = await self._of_records(lambda r: r.passages(0.0, now + 1.0, node=lane, limit=limit))
        except (RecordsDown, TimeoutError):
            return []
        return [_row(passage) for passage in found if passage.site == self._site]

    async def recall(self) -> list[tuple[Address, Envelope]]:
        """What was recorded last, oldest first. Raises RecordsDown or TimeoutError."""
        found = [await self._of_records(lambda r, w=w, n=n: r.recent(w, limit=n)) for w, n in RECALLED.items()]
        records = sorted((r for some in found for r in some if r.site == self._site), key=lambda r: (r.at, r.seq))
        return [
            (
                Address(record.site, record.node, None, record.word),
                Envelope(
                    id=f"{record.epoch}-{record.seq}",
                    seq=record.seq,
                    epoch=record.epoch,
                    at=record.at,
                    src=record.node,
                    body=msgspec.Raw(record.body.encode()),
                ),
            )
            for record in records
        ]

    async def close(self) -> None:
        """Give back what is open."""
        series, self._series = self._series, None
        records, self._records = self._records, None
        if series is not None:
            await series.close()
        if records is not None:
            await records.close()

    async def _of_records(self, ask: Callable[[RecordsReader], Awaitable[T]]) -> T:
        if self._records is None:
            self._records = self._new_records()
        async with asyncio.timeout(ASK_DEADLINE_S):
            return await ask(self._records)

    async def _ask(
        self, line: _Line, tags: Mapping[str, str], start: float, end: float, step_s: float
    ) -> Sequence[Curve]:
        try:
            async with asyncio.timeout(ASK_DEADLINE_S):
                series = await self._open()
                found = await series.query(line.measurement, line.field, tags=tags, start=start, end=end, step_s=step_s)
        except (SeriesDown, TimeoutError) as fault:
            level = logging.DEBUG if self._said_away else logging.WARNING
            self._said_away = True
            log.log(level, "no trends now: %s", str(fault) or "no answer in time")
            series, self._series = self._series, None
            if series is not None:
                await series.close()
            return ()
        self._said_away = False
        return found

    async def _open(self) -> SeriesReader:
        async with self._opening:
            if self._series is None:
                made = self._new_series()
                try:
                    await made.open()
                except SeriesDown:
                    await made.close()
                    raise
                self._series = made
            return self._series


def existing(url: str) -> str:
    """`url`, unless it is a SQLite file that is not there: asking would make an empty one. Raises RecordsDown."""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).exists():
        raise RecordsDown("records: nothing has been recorded yet")
    return url


def _row(passage: StoredPassage) -> PassageRow:
    said = passage.body
    return PassageRow(
        passage=said.passage,
        lane=passage.node,
        opened_at=said.opened_at,
        closed_at=said.closed_at,
        outcome=said.outcome,
        plate=said.plate,
        gross_kg=None if said.gross_kg is None else float(said.gross_kg),
        decision=said.decision,
        reasons=said.reasons,
        seconds=None if said.closed_at is None else said.closed_at - said.opened_at,
    )


def _joined(curves: Sequence[Curve], line: _Line, step_s: float) -> tuple[list[float], list[float | None]]:
    """One line of all curves; buckets of one instant become one."""
    by_time: dict[float, list[Bucket]] = {}
    for curve in curves:
        for bucket in curve.buckets:
            by_time.setdefault(bucket.at, []).append(bucket)
    at: list[float] = []
    value: list[float | None] = []
    for when in sorted(by_time):
        if at and when - at[-1] > GAP_STEPS * step_s:
            at.append(at[-1] + step_s)
            value.append(None)
        at.append(when)
        value.append(round(line.value(_together(by_time[when])), 3))
    return at, value


def _together(buckets: Sequence[Bucket]) -> Bucket:
    if len(buckets) == 1:
        return buckets[0]
    n = sum(bucket.n for bucket in buckets)
    return Bucket(
        at=buckets[0].at,
        min=min(bucket.min for bucket in buckets),
        mean=sum(bucket.mean * bucket.n for bucket in buckets) / n,
        max=max(bucket.max for bucket in buckets),
        last=buckets[-1].last,
        n=n,
    )
