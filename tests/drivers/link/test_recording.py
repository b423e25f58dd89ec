"""The tape: what was put on it is what is read from it, whole, torn, rotated, killed, and on a disk that is full."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.faults import LinkLost
from drivers.link import recording
from drivers.link.recording import BlackBoxConfig, Recorder, prune
from drivers.link.tape import MAGIC, Kind, Record, began_at, records, sender_of
from drivers.readings import Garbage, Instant
from tests.drivers.plugs import ScriptClock

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["wb", "io", "io/boom", "标签"]),
        st.sampled_from(["received", "sent", "opened", "datagram", "mark"]),
        st.binary(max_size=200),
        st.floats(0, 5),
    ),
    max_size=40,
)


async def tape(folder: Path, events: list[tuple[str, str, bytes, float]]) -> tuple[Path, list[Record]]:
    """The file, and what should be found in it, names left out."""
    clock = ScriptClock()
    told: list[tuple[Path, str, int]] = []

    async def finished(path: Path, digest: str, count: int) -> None:
        told.append((path, digest, count))

    box = Recorder(folder, clock, finished=finished)
    expected: list[Record] = []
    for link, kind, data, pause_s in events:
        clock.at += pause_s
        at = clock.now()
        match kind:
            case "received":
                box.tap(link).received(data, at)
                expected.append(Record(at, Kind.RECEIVED, link, data))
            case "sent":
                box.tap(link).sent(data)
                expected.append(Record(at, Kind.SENT, link, data))
            case "opened":
                box.tap(link).opened()
                expected.append(Record(at, Kind.OPENED, link, b""))
            case "datagram":
                box.tap(link).datagram("10.0.0.1:5", data, at)
                expected.append(Record(at, Kind.DATAGRAM, link, bytes((10,)) + b"10.0.0.1:5" + data))
            case _:
                box.mark("hex", data.hex())
                expected.append(Record(at, Kind.MARK, "", b'{"hex":"' + data.hex().encode() + b'"}'))
    await box.finish()
    if not events:
        assert told == []
        return folder, []
    [(path, digest, count)] = told
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert count == len(list(records(path)))
    return path, expected


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_what_was_put_on_it_is_read_from_it(tmp_path_factory: pytest.TempPathFactory, events: list[object]) -> None:
    path, expected = asyncio.run(tape(tmp_path_factory.mktemp("box"), events))  # type: ignore[arg-type]
    if expected:
        assert [each for each in records(path) if isinstance(each, Record) and each.kind is not Kind.NAME] == expected


def test_a_tape_cut_anywhere_gives_its_beginning_and_says_that_it_is_torn(tmp_path: Path) -> None:
    events = [("wb", "received", bytes((n,)) * 30, 0.1) for n in range(40)]
    path, _ = asyncio.run(tape(tmp_path, events))
    whole = list(records(path))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        *found, last = records(path)
        assert isinstance(last, Garbage) and last.why
        assert found == whole[: len(found)]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_tape_is_never_a_crash(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    events = [("wb", "received", bytes(range(n, n + 20)), 0.1) for n in range(20)]
    path, _ = asyncio.run(tape(tmp_path_factory.mktemp("box"), events))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    assert all(isinstance(each, Record | Garbage) for each in records(path))


def test_what_is_no_tape_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for raw in (b"", b"\x02+000000031B\x03", MAGIC, MAGIC + bytes(200)):
        path.write_bytes(raw)
        [word] = records(path)
        assert isinstance(word, Garbage)


async def test_files_rotate_and_each_can_be_read_alone(tmp_path: Path) -> None:
    clock = ScriptClock()
    told: list[Path] = []

    async def finished(path: Path, digest: str, count: int) -> None:
        told.append(path)

    box = Recorder(tmp_path, clock, finished=finished)
    for hour in range(3):
        box.tap("wb").received(bytes((hour,)), clock.now())
        await box.flush()
        clock.at += recording.ROTATE_S
    await box.finish()
    assert told == sorted(tmp_path.iterdir()) and len(told) == 3
    for hour, path in enumerate(told):
        [_, record] = [each for each in records(path) if isinstance(each, Record)][-2:]
        assert (record.link, record.payload) == ("wb", bytes((hour,)))
        assert began_at(path) == pytest.approx(1_795_435_200 + hour * recording.ROTATE_S, abs=1)


async def test_a_later_file_says_what_stood_when_it_began(tmp_path: Path) -> None:
    clock = ScriptClock()
    box = Recorder(tmp_path, clock)
    box.tap("wb").opened()
    box.tap("io").opened()
    box.stand("lamp", "red")
    box.stand("lamp", "green")
    await box.flush()
    box.tap("io").failed(LinkLost("io", "gone"))
    await box.flush()
    clock.at += recording.ROTATE_S
    box.tap("wb").received(b"x", clock.now())
    await box.finish()
    first, second = (
        [(each.kind, each.link, each.payload) for each in records(path) if isinstance(each, Record)][2:]
        for path in sorted(tmp_path.iterdir())
    )
    assert (Kind.ENDED, "io", b"gone") in first and Kind.STANDING not in {kind for kind, *_ in first}
    lamp = b'{"lamp":"green"}'
    assert second == [(Kind.STANDING, "wb", b""), (Kind.MARK, "", lamp), (Kind.RECEIVED, "wb", b"x")]


def test_the_oldest_files_go_first_and_the_one_being_written_stays(tmp_path: Path) -> None:
    files = [tmp_path / f"2026112{day}T000000Z-000.box" for day in range(5)]
    for path in files:
        path.write_bytes(bytes(9_000_000))
    now = Instant((began_at(files[-1]) or 0.0) + 3600)
    prune(tmp_path, BlackBoxConfig(keep_days=2.5, keep_mb=4096), now, but=files[0])
    assert sorted(tmp_path.iterdir()) == [files[0], *files[2:]]
    prune(tmp_path, BlackBoxConfig(keep_mb=16), now, but=files[0])
    assert sorted(tmp_path.iterdir()) == [files[0], files[4]]


async def test_a_full_disk_leaves_a_hole_that_is_counted_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ScriptClock()
    box = Recorder(tmp_path / "box", clock)
    blocked = tmp_path / "box"
    blocked.write_bytes(b"a file stands where the folder should be")
    box.tap("wb").received(b"lost", clock.now())
    await box.flush()
    blocked.unlink()
    monkeypatch.setattr(recording, "WAITING_CEILING", 64)
    for _ in range(10):
        box.tap("wb").received(b"sixteen bytes!!!", clock.now())
    monkeypatch.setattr(recording, "WAITING_CEILING", 10_000)
    box.tap("wb").received(b"kept", clock.now())
    await box.finish()
    assert box.missed_bytes > 100
    [path] = (tmp_path / "box").iterdir()
    found = [each for each in records(path) if isinstance(each, Record)]
    assert [each.payload for each in found if each.kind is Kind.RECEIVED][-1] == b"kept"
    holes = [int.from_bytes(each.payload, "little") for each in found if each.kind is Kind.MISSED]
    assert sum(holes) == box.missed_bytes


KILLED = """
import asyncio, sys
from pathlib import Path
from drivers.link.recording import Recorder
from edge.clock import SiteClock

async def main():
    clock = SiteClock()
    box = Recorder(Path(sys.argv[1]), clock)
    for n in range(1000):
        box.tap("wb").received(n.to_bytes(4, "big"), clock.now())
    await box.flush()
    print("flushed", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_killed_process_leaves_what_it_had_flushed(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(asked, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout and process.stdout.readline() == b"flushed\n"
        process.send_signal(signal.SIGKILL)
    [path] = tmp_path.iterdir()
    *found, last = records(path)
    told = [each.payload for each in found if isinstance(each, Record) and each.kind is Kind.RECEIVED]
    assert told == [n.to_bytes(4, "big") for n in range(1000)]
    assert isinstance(last, Garbage) and "killed" in last.why


@given(st.text(max_size=80), st.binary(max_size=50))
def test_a_datagram_keeps_its_sender(sender: str, data: bytes) -> None:
    who = sender.encode("utf-8", "ignore")[:255]
    assert sender_of(bytes((len(who),)) + who + data) == (who.decode("utf-8", "replace"), data)
