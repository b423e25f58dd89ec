"""Trucks by the thousand against customs that misbehaves, over links that are cut and a lane that is killed."""

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway_ctl.book import Verified, entries, verify
from gateway_ctl.customs.store import frame_of
from simulators.clock import SimClock
from simulators.customs_rules import Gathered as Asked
from simulators.jgst_customs import JgstCustoms
from simulators.jgst_gate import HARMLESS, Gate, Manner
from tests.gateway_ctl.customs.passages import AREA, CHANNEL, ENDS, plate_of

ROOT = Path(__file__).resolve().parents[3]
MAY_OPEN = {Manner.PROPER, Manner.LATE, *HARMLESS}
FEW = 150
"""Passages in the main suite: ten of each manner and as many again that are proper."""


@dataclass
class Cable:
    """A port that leads to another one while it is not cut."""

    to: int = 0
    port: int = 0
    cut: bool = False
    carried: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carried.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            if self.cut:
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.to)
            self.carried.add(far)
            await asyncio.gather(self._pipe(reader, far), self._pipe(far_reader, writer))
        except OSError:
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self._end(each)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.transport.abort()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self.carried.discard(writer)
        writer.transport.abort()

    def sever(self) -> None:
        """Everything under way is lost, and nothing new gets through."""
        self.cut = True
        for writer in tuple(self.carried):
            self._end(writer)


@asynccontextmanager
async def laid() -> AsyncGenerator[Cable]:
    cable = Cable()
    server = await asyncio.start_server(cable.accept, "127.0.0.1", 0)
    cable.port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        cable.sever()
        server.close()


class Run:
    """Customs, two cables and the lane's process, which is started again when it was killed."""

    def __init__(self, folder: Path, passages: int, speed: float, seed: int) -> None:
        self.folder, self.passages, self.speed = folder, passages, speed
        self.dice = random.Random(seed)
        self.cuts = self.kills = 0
        self.said = ""
        self.opened = 0
        self.news = asyncio.Event()
        self.customs: JgstCustoms

    def manner(self, asked: Asked) -> Manner:
        odd = [each for each in Manner if each is not Manner.PROPER]
        return Manner.PROPER if self.dice.random() < 0.5 else self.dice.choice(odd)

    async def go(self, *, cuts: int, kills: int) -> None:
        async with laid() as out, laid() as back:
            gate = Gate(lane="L01", area=AREA, channel=CHANNEL, direction="I", host="127.0.0.1", port=back.port)
            self.customs = JgstCustoms(SimClock(speed=self.speed), [gate], manner=self.manner)
            self.customs.expect(
                {"plate": plate_of(n), "containers": ["CSQU3054383"], "direction": "in", "declared_kg": "38000",
                 "tolerance_kg": "1900", **({"targeting": "inspect"} if n % 10 == 9 else {})}
                for n in range(self.passages) if n % 10 != 8
            )  # fmt: skip
            async with self.customs.serve() as (_, port):
                out.to = port
                done = False
                marks = sorted(self.dice.sample(range(1, self.passages), kills))
                cutter = asyncio.ensure_future(self._cut(out, back, cuts))
                while not done:
                    done = await self._life(out, back, marks.pop(0) if marks else None)
                await cutter
        assert self.customs.faults == []

    async def _life(self, out: Cable, back: Cable, killed_at: int | None) -> bool:
        """One process; whether it came to its end."""
        told = ("-m", "tests.gateway_ctl.customs.passages", self.folder, out.port, self.passages, self.speed)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *map(str, told), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        back.to = int(await process.stdout.readline())
        while line := await process.stdout.readline():
            word, _, said = line.decode().strip().partition(" ")
            if word != "truck":
                self.said = said
                continue
            self.opened = int(said)
            self.news.set()
            if killed_at is not None and self.opened >= killed_at:
                process.send_signal(signal.SIGKILL)
                self.kills += 1
                killed_at = None
        await process.wait()
        assert process.returncode in (0, -signal.SIGKILL)
        return process.returncode == 0

    async def _cut(self, out: Cable, back: Cable, cuts: int) -> None:
        for number in range(cuts):
            while self.opened < self.passages * (number + 1) // (cuts + 1):
                self.news.clear()
                await self.news.wait()
            for cable in (out, back):
                cable.sever()
            await asyncio.sleep(self.dice.uniform(0.02, 0.3))
            out.cut = back.cut = False
            self.cuts += 1


def judged(run: Run) -> Counter[str]:
    """Everything that must hold of what the book and customs say; how the passages ended."""
    book = run.folder / "book.sqlite"
    assert isinstance(verify(book), Verified)
    ends: dict[str, list[str]] = {}
    reported: set[str] = set()
    moved: list[str] = []
    frames: set[str] = set()
    orders: dict[str, str] = {}
    for entry in entries(book):
        name = entry.passage or ""
        if entry.kind == "opened":
            ends[name] = []
        elif entry.kind in ENDS:
            ends[name].append(entry.kind)
        elif entry.kind == "reported":
            reported.add(name)
        elif entry.kind == "frame":
            frames.add(entry.plain()["digest"])
        elif entry.kind == "order":
            said = entry.plain()
            (orders[said["id"]],) = said["evidence"]
        if entry.kind == "moved":
            moved.append(entry.plain()["order"])
    # Each passage ended once, and customs was told.
    assert len(ends) == run.passages
    assert all(len(told) == 1 for told in ends.values()), {n: t for n, t in ends.items() if len(t) != 1}
    assert reported == set(ends)
    # Nothing moved twice, and nothing without a true release of customs.
    assert len(moved) == len(set(moved))
    for order in moved:
        seq = order.removesuffix("-release")
        dossier = run.customs.log[seq]
        assert dossier.opinion is not None
        assert dossier.opinion.verb == "release"
        assert dossier.manner in MAY_OPEN
        assert orders[order] in frames
        assert frame_of(run.folder / "customs.sqlite", orders[order]) is not None
    # The newest number of each truck that customs knows has its receipt; one whose life ran out had none to get.
    newest = {each.asked.plate: seq for seq, each in run.customs.log.items()}
    assert not [seq for seq in newest.values() if run.customs.log[seq].crossing is None]
    return Counter(told[0] for told in ends.values())


async def test_a_few_trucks_against_customs_at_its_worst(tmp_path: Path) -> None:
    run = Run(tmp_path, FEW, speed=60.0, seed=4)
    await run.go(cuts=2, kills=1)
    ends = judged(run)
    assert ends["moved"] > FEW // 4
    assert ends["refused"] > 5
    assert ends["silent"] > 5
    assert run.kills == 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_ten_thousand_trucks_against_customs_at_its_worst(tmp_path: Path) -> None:
    run = Run(tmp_path, 10_000, speed=60.0, seed=14)
    await run.go(cuts=20, kills=5)
    ends = judged(run)
    manners = Counter(each.manner.value for each in run.customs.log.values())
    print(f"\nends {dict(ends)}\ncuts {run.cuts}, kills {run.kills}\nmanners {dict(manners)}\n{run.said}")
    assert (run.cuts, run.kills) == (20, 5)
    proper = [
        each for each in run.customs.log.values()
        if each.manner is Manner.PROPER and each.opinion is not None and each.opinion.verb == "release"
    ]  # fmt: skip
    assert ends["moved"] >= len(proper) * 0.98
