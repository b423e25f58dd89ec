"""InfluxSeries against a server that can be told to fail; the real InfluxDB is in tests/real."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telemetry.config import SeriesConfig
from telemetry.faults import SeriesDown
from telemetry.series.base import Point
from telemetry.series.influx import HALVINGS, InfluxSeries
from telemetry.series.outbox import Outbox
from tests.telemetry.conftest import until

TAGS = (("node", "L01"), ("site", "q"))


class Server:
    """Takes lines; answers `status` while that is set, and 400 to any batch with the word `poison`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.status = 0
        self.requests = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next(
                    int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")
                )
                body = (await reader.readexactly(size)).decode()
                self.requests += 1
                status = self.status or (400 if "poison" in body else 204)
                if status == 204:
                    self.lines += body.split("\n")
                said = b"" if status == 204 else b'{"message":"bad"}'
                writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(said), said))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    await made.stop()


async def engine(server: Server, folder: Path) -> InfluxSeries:
    made = InfluxSeries(SeriesConfig(engine="influx", url=f"http://127.0.0.1:{await server.start()}"), folder)
    await made.open()
    return made


def points(n: int, name: str = "m") -> list[Point]:
    return [Point(name, TAGS, {"v": float(i)}, 1000.0 + i) for i in range(n)]


async def test_a_server_that_is_away_gets_everything_later(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.series.influx.RETRY_S", 0.05)
    series = await engine(server, tmp_path)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(series.run())
        server.status = 503
        await series.write(points(3))
        await series.write(points(2, "n"))
        assert (series.tally().waiting, series.tally().up, server.lines) == (5, False, [])
        server.status = 0
        await until(lambda: series.tally().waiting == 0 and series.tally().up)
        await series.write(points(1, "o"))
        run.cancel()
    assert [line.split(",")[0] for line in server.lines] == ["m", "m", "m", "n", "n", "o"]
    await series.close()


async def test_what_waits_survives_a_restart_of_ours(server: Server, tmp_path: Path) -> None:
    series = await engine(server, tmp_path)
    server.status = 500
    await series.write(points(4))
    await series.close()
    server.status = 0
    await server.stop()
    series = await engine(server, tmp_path)
    assert (series.tally().waiting, series.tally().up) == (4, False)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(series.run())
        await until(lambda: len(server.lines) == 4)
        run.cancel()
    await series.close()


async def test_a_bad_line_is_put_aside_and_blocks_no_other(server: Server, tmp_path: Path) -> None:
    series = await engine(server, tmp_path)
    good = points(100)
    await series.write([*good[:37], *points(1, "poison"), *good[37:]])
    assert len(server.lines) == 100
    assert (series.tally().refused, series.tally().up, series.tally().waiting) == (1, True, 0)
    await series.close()
    outbox = Outbox(tmp_path / "influx-outbox.sqlite")
    ((why, lines),) = outbox._db.execute("SELECT why, lines FROM aside").fetchall()
    assert ("bad" in why, lines.startswith("poison,")) == (True, True)
    outbox.close()


async def test_a_batch_full_of_bad_lines_costs_a_bounded_number_of_requests(server: Server, tmp_path: Path) -> None:
    series = await engine(server, tmp_path)
    await series.write(points(5000, "poison"))
    assert server.requests < 3 * HALVINGS
    assert (series.tally().refused, series.tally().up) == (5000, True)
    await series.close()


async def test_the_outbox_drops_the_oldest_and_counts(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o", cap_bytes=100)
    for i in range(5):
        outbox.put([f"{i:020d}"] * 2)
    assert (outbox.waiting, outbox.dropped) == (4, 6)
    lot = outbox.oldest()
    assert lot is not None
    assert lot.lines.startswith("0" * 19 + "3")
    outbox.sent(lot)
    outbox.sent(lot)
    outbox.close()
    again = Outbox(tmp_path / "o", cap_bytes=100)
    assert (again.waiting, again.dropped) == (2, 6)
    again.close()


async def test_a_question_to_a_server_that_is_away_says_so(server: Server, tmp_path: Path) -> None:
    series = await engine(server, tmp_path)
    await server.stop()
    with pytest.raises(SeriesDown):
        await series.query("m", "v", tags={}, start=0, end=1, step_s=1)
    await series.close()
    with pytest.raises(SeriesDown):
        await series.write(points(1))
