"""The frames behind a weight and the reads of a truck: each once, whole, and found again by its digest."""

import json
from base64 import b64decode
from decimal import Decimal
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.read import Read
from drivers.readings import Instant, Quality
from drivers.rfid.tag import Tag, epc_of
from drivers.weighbridge.deck import DeckWatch
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.settle import Settled
from edge.lane.senses import Senses
from edge.lane.witness import RUNS_KEPT, Tape, evidence
from gateway_ctl.modes import Mode


def weight(raw: bytes, at: float, kg: int | None = 100) -> Weight:
    return Weight(
        kg=None if kg is None else Decimal(kg),
        display="",
        status="stable",
        quality=Quality.GOOD,
        at=Instant(at),
        raw=raw,
    )


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_every_frame_of_the_time_is_counted_once(frames: list[bytes], first: int, last: int) -> None:
    tape = Tape()
    for at, raw in enumerate(frames):
        tape.hear(weight(raw, at))
    runs = tape.during(Instant(0), Instant(60))
    assert b"".join(run.raw * run.times for run in runs) == b"".join(frames)
    within = tape.during(Instant(first), Instant(last))
    assert all(run in runs for run in within)
    for at in range(first, min(last + 1, len(frames))):
        assert any(run.first <= at <= run.last and run.raw == frames[at] for run in within)


def test_the_tape_does_not_grow() -> None:
    tape = Tape()
    for n in range(3 * RUNS_KEPT):
        tape.hear(weight(b"%d" % n, n))
    runs = tape.during(Instant(0), Instant(3 * RUNS_KEPT))
    assert len(runs) == RUNS_KEPT and runs[-1].raw == b"%d" % (3 * RUNS_KEPT - 1)


def test_the_evidence_says_what_was_made_of_each_frame() -> None:
    tape = Tape()
    for at, raw in enumerate([b"\x02+0381000\x03", b"\x02+0381200\x03", b"\x02+0381000\x03"]):
        tape.hear(weight(raw, at, 38100 if b"1000" in raw else 38120))
    settled = Settled(kg=Decimal(38100), uncertainty_kg=Decimal(20), from_at=Instant(0), to_at=Instant(2), readings=3)
    tag = Tag(epc=epc_of("沪AD3F88"), rssi_dbm=-50, antenna=1, plate="沪AD3F88", at=Instant(1), raw=b"\xbb\x02")
    read = Read(what="plate", text="沪AD3F88", confidence=0.9, camera="front", at=Instant(1), raw=b'{"what"..}')
    said = json.loads(evidence(settled, tape.during(Instant(0), Instant(2)), [("tags", tag), ("ocr", read)]))
    frames = said["weight"]["frames"]
    assert [(frame["kg"], frame["times"], frame["first"], frame["last"]) for frame in frames] == [
        ("38100", 2, 0.0, 2.0), ("38120", 1, 1.0, 1.0),
    ]  # fmt: skip
    for line in (*frames, *said["reads"]):
        assert sha256(b64decode(line["raw"])).hexdigest() == line["digest"]
    assert said["weight"]["settled_kg"] == "38100"
    assert [(line["what"], line["source"]) for line in said["reads"]] == [("tag", "tags"), ("plate", "ocr")]


def test_a_truck_that_is_not_settled_has_no_weight_in_evidence() -> None:
    senses = Senses("here", "L01", DeckWatch(division_kg=Decimal(20)), mode=Mode.LIVE, direction="in")
    senses.weight(weight(b"x", 1.0))
    assert json.loads(senses.evidence(Instant(1.0), Instant(0.0))) == {"weight": None, "reads": []}
