"""InfluxDB (1.8 and later, 2, 3), or whatever takes its write path: the one door to influxdb-client.

Writes go by `/api/v2/write` as lines of our own, synchronously; reads by InfluxQL at `/query`, the one language that
all versions speak. While the server is away lines wait in an outbox on our disk; a line it calls bad is found by
halving, counted and kept aside, so that it never blocks the others.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from telemetry.config import SeriesConfig
from telemetry.faults import SeriesDown
from telemetry.series.base import Bucket, Curve, Latest, Point, SeriesTally, check_range
from telemetry.series.lines import Lines, curve_query, identifier, latest_query
from telemetry.series.outbox import Outbox

log = logging.getLogger(__name__)

WRITE_DEADLINE_S = 10.0
"""A batch takes milliseconds; a server that compacts on a slow disk took seconds."""
QUERY_DEADLINE_S = 20.0
"""A week of a lane by 5 minutes took 0.9 s on a small server."""
LINES_AT_ONCE = 5000
"""InfluxData's own advice for a batch; some 500 kB."""
RETRY_S = 2.0
"""How often a server that is away is tried: it must be able to come up under this."""
HALVINGS = 64
"""Requests spent on finding the bad lines of one batch; what is still unclear then goes aside whole."""

T = TypeVar("T")


class _Away(Exception):
    """The server cannot take anything now."""


class InfluxSeries:
    """Fits Series."""

    def __init__(self, config: SeriesConfig, folder: Path) -> None:
        """`folder` holds the outbox."""
        assert config.url is not None
        self._config = config
        self._url = config.url.rstrip("/")
        self._folder = folder
        self._lines = Lines()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="influx-outbox")
        self._wire = ThreadPoolExecutor(1, thread_name_prefix="influx-write")
        self._outbox: Outbox | None = None
        self._api: Any = None
        self._client: Any = None
        self._http: httpx.AsyncClient | None = None
        self._wake = asyncio.Event()
        self._up = True
        self._putting = 0
        """Lots on their way to the disk: until they are there, nothing may be called empty."""
        self._written = self._refused = 0

    async def open(self) -> None:
        try:
            token = self._config.token()
        except OSError as fault:
            raise SeriesDown(f"token file: {fault}") from fault
        self._outbox = await self._on_disk(lambda: Outbox(self._folder / "influx-outbox.sqlite"))
        self._client = InfluxDBClient(self._url, token, org=self._config.org, timeout=round(WRITE_DEADLINE_S * 1000))
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = httpx.AsyncClient(headers=headers, timeout=QUERY_DEADLINE_S)
        self._up = self._outbox.waiting == 0

    async def close(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is None:
            return
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()
        await asyncio.get_running_loop().run_in_executor(self._wire, self._client.close)
        await self._on_disk(outbox.close)
        self._disk.shutdown(wait=False)
        self._wire.shutdown(wait=False)

    async def run(self) -> None:
        """Send what waits, as long as there is something."""
        outbox = self._opened()
        while True:
            lot = None if self._up else await self._on_disk(outbox.oldest)
            if lot is None:
                if self._putting or outbox.waiting:
                    continue
                self._set_up(up=True)
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._send(lot.lines.split("\n"))
                await self._on_disk(lambda lot=lot: outbox.sent(lot))
            except _Away:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S):
                        await asyncio.Event().wait()

    async def write(self, points: Sequence[Point]) -> None:
        outbox = self._opened()
        made = [self._lines.line(p) for p in points]
        lines = [line for line, _, _ in made if line]
        self._refused += sum(refused for _, _, refused in made)
        for i in range(0, len(lines), LINES_AT_ONCE):
            lot = lines[i : i + LINES_AT_ONCE]
            if self._up:
                try:
                    await self._send(lot)
                    continue
                except _Away as why:
                    self._set_up(up=False, why=why)
            self._putting += 1
            try:
                await self._on_disk(lambda lot=lot: outbox.put(lot))
            finally:
                self._putting -= 1
            self._wake.set()
        self._written += sum(n for _, n, _ in made)

    async def latest(self, measurement: str | None = None) -> list[Latest]:
        keys = await self._ask(f"SHOW FIELD KEYS{f' FROM {identifier(measurement)}' if measurement else ''}")
        wanted = [(s["name"], row[0]) for result in keys for s in result for row in s["values"]]
        if not wanted:
            return []
        answers = await self._ask("; ".join(latest_query(m, f) for m, f in wanted))
        return [
            Latest(measurement=m, tags=_tags(s), field=f, at=row[0] / 1000, value=float(row[1]))
            for (m, f), result in zip(wanted, answers, strict=True)
            for s in result
            for row in s["values"]
            if row[1] is not None
        ]

    async def query(
        self, measurement: str, field: str, *, tags: Mapping[str, str], start: float, end: float, step_s: float
    ) -> list[Curve]:
        check_range(start, end, step_s)
        span = (round(start * 1000), round(end * 1000), max(1, round(step_s * 1000)))
        (result,) = await self._ask(curve_query(measurement, field, tags, *span))
        return [
            Curve(
                tags=_tags(s),
                buckets=[
                    Bucket(at=t / 1000, min=float(low), mean=float(mean), max=float(high), last=float(last), n=int(n))
                    for t, low, mean, high, last, n in s["values"]
                    if n
                ],
            )
            for s in result
        ]

    async def retain(self, before: float) -> None:
        """Nothing: the bucket's own retention holds."""

    def tally(self) -> SeriesTally:
        outbox = self._outbox
        return SeriesTally(
            written=self._written,
            refused=self._refused,
            waiting=0 if outbox is None else outbox.waiting,
            dropped=0 if outbox is None else outbox.dropped,
            up=self._up,
        )

    def _opened(self) -> Outbox:
        if self._outbox is None:
            raise SeriesDown("the time series are not open")
        return self._outbox

    def _set_up(self, *, up: bool, why: object = "") -> None:
        if up != self._up:
            self._up = up
            if up:
                log.info("time series at %s: back, nothing waits", self._url)
            else:
                log.warning("time series at %s: lost (%s); lines wait on our disk", self._url, why)

    async def _send(self, lines: list[str]) -> None:
        """Raises _Away when the server is not there; lines it calls bad are put aside."""
        parts = [lines]
        spent = 0
        while parts:
            part = parts.pop()
            why = await asyncio.get_running_loop().run_in_executor(self._wire, self._post, "\n".join(part))
            spent += 1
            if not why:
                continue
            if len(part) == 1 or spent > HALVINGS:
                log.error("time series at %s: %d lines put aside: %s", self._url, len(part), why)
                self._refused += len(part)
                await self._on_disk(lambda part=part, why=why: self._opened().put_aside(why, part))
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]

    def _post(self, body: str) -> str:
        """Empty when taken, the server's words when it is a bad batch. Runs in the wire's thread."""
        try:
            self._api.write(
                bucket=self._config.bucket, org=self._config.org, record=body.encode(), write_precision="ms"
            )
        except ApiException as fault:
            said = str(getattr(fault, "body", "") or getattr(fault, "reason", "") or fault)
            if getattr(fault, "status", None) in (400, 413, 422):
                return said
            raise _Away(f"HTTP {getattr(fault, 'status', '?')}: {said[:200]!r}") from fault
        except (urllib3.exceptions.HTTPError, OSError) as fault:
            raise _Away(str(fault)[:300]) from fault
        return ""

    async def _ask(self, question: str) -> list[list[dict[str, Any]]]:
        """The series of each statement. Raises SeriesDown."""
        if self._http is None:
            raise SeriesDown("the time series are not open")
        try:
            asked = {"db": self._config.bucket, "epoch": "ms", "q": question}
            answer = await self._http.get(f"{self._url}/query", params=asked)
            answer.raise_for_status()
            results = answer.json()["results"]
        except (httpx.HTTPError, ValueError, KeyError) as fault:
            raise SeriesDown(f"{self._url}: {fault}") from fault
        for result in results:
            if "error" in result:
                raise SeriesDown(f"{self._url}: {result['error']}")
        return [result.get("series", []) for result in results]

    async def _on_disk(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._disk, work)
        except (sqlite3.Error, OSError) as fault:
            raise SeriesDown(f"influx-outbox.sqlite: {fault}") from fault


def _tags(series: dict[str, Any]) -> dict[str, str]:
    return {k: v for k, v in series.get("tags", {}).items() if v}
