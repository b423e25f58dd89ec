"""The embedded time series: one SQLite file, nothing to install. One process writes, any number read."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from telemetry.faults import SeriesDown
from telemetry.series.base import Curve, Latest, Point, SeriesTally, check_range
from telemetry.series.reader import Reader
from telemetry.series.writer import Writer

T = TypeVar("T")


class EmbeddedSeries:
    """Fits Series. Writing and reading have a thread each, so that a long question delays no value."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only`: for a process beside the writing one; the file must exist."""
        self._path = path
        self._read_only = read_only
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="series-write")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="series-read")
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._tally = SeriesTally()

    async def open(self) -> None:
        if not self._read_only:
            self._writer = await self._in(self._write_thread, lambda: Writer(self._path))
        self._reader = await self._in(self._read_thread, lambda: Reader(self._path))

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        if reader is not None:
            await self._in(self._read_thread, reader.close)
        if writer is not None:
            await self._in(self._write_thread, writer.close)
        self._write_thread.shutdown(wait=False)
        self._read_thread.shutdown(wait=False)

    async def run(self) -> None:
        """Nothing: folding rides on writing."""
        await asyncio.Event().wait()

    async def write(self, points: Sequence[Point]) -> None:
        writer = self._writing()

        def work() -> tuple[int, int]:
            done = writer.write(points)
            writer.fold_one()
            return done

        written, refused = await self._in(self._write_thread, work)
        self._tally = replace(self._tally, written=self._tally.written + written, refused=self._tally.refused + refused)

    async def latest(self, measurement: str | None = None) -> list[Latest]:
        reader = self._reading()
        return await self._in(self._read_thread, lambda: reader.latest(measurement))

    async def query(
        self, measurement: str, field: str, *, tags: Mapping[str, str], start: float, end: float, step_s: float
    ) -> list[Curve]:
        check_range(start, end, step_s)
        reader = self._reading()
        span = (round(start * 1000), round(end * 1000), max(1, round(step_s * 1000)))
        return await self._in(self._read_thread, lambda: reader.query(measurement, field, tags, *span))

    async def retain(self, before: float) -> None:
        writer = self._writing()
        while await self._in(self._write_thread, lambda: writer.drop(round(before * 1000))):
            pass

    def tally(self) -> SeriesTally:
        return self._tally

    def _writing(self) -> Writer:
        if self._writer is None:
            raise SeriesDown(f"{self._path.name} is not open for writing")
        return self._writer

    def _reading(self) -> Reader:
        if self._reader is None:
            raise SeriesDown(f"{self._path.name} is not open")
        return self._reader

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except (sqlite3.Error, OSError) as fault:
            raise SeriesDown(f"{self._path.name}: {fault}") from fault
