import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.faults import SpoolFailed
from telemetry.spool import Spool


async def test_numbers_start_at_one_and_have_no_hole(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        seqs = await asyncio.gather(*[spool.put("boom", b"%d" % i, 1.0) for i in range(1200)])
        assert seqs == list(range(1, 1201))
        rows = await spool.pending(0, 5000)
        assert [(r.seq, r.body) for r in rows] == [(i + 1, b"%d" % i) for i in range(1200)]
        assert (spool.last, spool.floor, spool.unconfirmed) == (1200, 1, 1200)


async def test_a_number_is_never_used_twice_even_when_all_rows_were_confirmed(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        epoch = spool.epoch
        for _ in range(3):
            await spool.put("boom", b"x", 1.0)
        await spool.confirm(3)
        assert spool.tally.bytes == 0
    async with Spool(tmp_path / "s") as spool:
        assert (spool.epoch, spool.last, spool.floor) == (epoch, 3, 4)
        assert await spool.put("boom", b"y", 1.0) == 4
    async with Spool(tmp_path / "other") as spool:
        assert spool.epoch != epoch


async def test_confirming_is_cumulative_and_harmless_twice_or_ahead(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        for _ in range(5):
            await spool.put("boom", b"x", 1.0)
        await spool.confirm(3)
        await spool.confirm(2)
        assert [r.seq for r in await spool.pending(0, 10)] == [4, 5]
        await spool.confirm(99)
        assert (await spool.put("boom", b"x", 1.0), spool.floor, spool.unconfirmed) == (6, 6, 1)


async def test_over_the_cap_samples_go_oldest_first_and_counted_records_stay(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s", cap_bytes=60_000) as spool:
        for i in range(1000):
            spool.keep("t", b"%04d" % i + b"x" * 96)
        await spool.put("boom", b"r" * 20_000, 1.0)
        while spool.tally.samples + spool.tally.dropped < 1000:
            await spool.put("boom", b"", 1.0)
        kept = await spool.kept(5000)
        assert spool.tally.bytes <= 60_000
        assert spool.tally.dropped == 1000 - len(kept) == 600
        assert [int(s.message[:4]) for s in kept] == list(range(600, 1000))
        await spool.put("boom", b"r" * 90_000, 1.0)
        assert (await spool.kept(10), spool.tally.dropped, spool.unconfirmed > 1) == ([], 1000, True)
    async with Spool(tmp_path / "s") as spool:
        assert spool.tally.dropped == 1000


async def test_sent_samples_are_gone(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        for i in range(10):
            spool.keep("t/a", b"%d" % i)
    async with Spool(tmp_path / "s") as spool:
        await spool.sent((await spool.kept(4))[-1].id)
        assert [s.message for s in await spool.kept(10)] == [b"%d" % i for i in range(4, 10)]
        assert spool.tally.samples == 6


async def test_a_full_disk_gives_no_number_and_the_next_record_has_no_hole_before_it(tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        assert await spool.put("boom", b"x", 1.0) == 1
        await spool._sql(lambda db: db.execute("PRAGMA max_page_count=8"))
        with pytest.raises(SpoolFailed, match="full"):
            await spool.put("boom", b"x" * 100_000, 1.0)
        await spool._sql(lambda db: db.execute("PRAGMA max_page_count=1000000"))
        assert await spool.put("boom", b"y", 1.0) == 2


async def test_a_second_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.spool.LOCK_DEADLINE_S", 0.05)
    async with Spool(tmp_path / "s") as spool:
        await spool.put("boom", b"x", 1.0)
        second = Spool(tmp_path / "s")
        with pytest.raises(SpoolFailed, match="locked"):
            await second.open()
        await second.close()


async def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    await spool.open()
    waiting = spool.put("boom", b"x", 1.0)
    await spool.close()
    assert await waiting == 1
    with pytest.raises(SpoolFailed):
        await spool.put("boom", b"x", 1.0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.one_of(st.integers(1, 30), st.tuples(st.just("confirm"), st.integers(0, 60)), st.just("reopen")))
)
async def test_whatever_is_done_pending_is_exactly_what_was_put_and_not_confirmed(
    steps: list[int | tuple[str, int] | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spool") / "s"
    put, confirmed = 0, 0
    spool = Spool(path)
    await spool.open()
    for step in steps:
        if isinstance(step, int):
            got = await asyncio.gather(*[spool.put("boom", b"%d" % (put + i + 1), 1.0) for i in range(step)])
            put += step
            assert got[-1] == put
        elif isinstance(step, tuple):
            await spool.confirm(step[1])
            confirmed = max(confirmed, min(step[1], put))
        else:
            await spool.close()
            spool = Spool(path)
            await spool.open()
        assert (spool.last, spool.floor) == (put, confirmed + 1)
    rows = await spool.pending(0, 10_000)
    await spool.close()
    assert [(r.seq, int(r.body)) for r in rows] == [(n, n) for n in range(confirmed + 1, put + 1)]


DYING = """
import asyncio, sys
from pathlib import Path
from telemetry.spool import Spool

async def main():
    spool = Spool(Path(sys.argv[1]))
    await spool.open()
    async def one(i):
        seq = await spool.put("boom", b"%d" % i, 1.0)
        sys.stdout.write(f"{seq} {i}\\n"); sys.stdout.flush()
    i = 0
    while True:
        await asyncio.gather(*[one(i + k) for k in range(7)])
        if i % 5 == 0:
            await spool.confirm(spool.last - 20)
        i += 7

asyncio.run(main())
"""


@pytest.mark.parametrize("told_lines", [1, 60, 300])
async def test_kill_9_between_the_steps_loses_nothing_that_was_told(tmp_path: Path, told_lines: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", DYING, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(told_lines)]
    os.kill(child.pid, signal.SIGKILL)
    told += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    seqs = {int(s): int(i) for s, i in (line.split() for line in told if line.endswith("\n"))}
    async with Spool(tmp_path / "s") as spool:
        rows = {r.seq: int(r.body) for r in await spool.pending(0, 100_000)}
        assert sorted(rows) == list(range(spool.floor, spool.last + 1)), "no hole"
        assert spool.last >= max(seqs)
        assert {s: rows[s] for s in seqs if s >= spool.floor} == {s: i for s, i in seqs.items() if s >= spool.floor}
        assert await spool.put("boom", b"after", 1.0) == spool.last == max(rows) + 1
    check = sqlite3.connect(tmp_path / "s")
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()
