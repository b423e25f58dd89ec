"""JT/T 808 on the wire: every golden frame, cut and spoiled in every way, and what its words mean."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gps.jt808 import messages as m
from drivers.gps.jt808.decode import decode_stream
from drivers.gps.jt808.frames import MAX_OPEN, Message, Packets, encode, escape, phone, unescape
from drivers.gps.jt808.location import read_location, to_fix, unix_s
from drivers.readings import Garbage, Instant, Quality
from tests.drivers.gps.terminals import DAMAGED, ESCAPES, FRAMES, NUMBER, body_0200, framed, words


def ident(row: dict[str, Any]) -> str:
    return f"{row['id']}-{row['expected']['msg_id']}"


# --- every golden frame


@pytest.mark.parametrize("row", FRAMES, ids=ident)
def test_every_golden_frame_is_read_and_written(row: dict[str, Any]) -> None:
    sent, expected = bytes.fromhex(row["hex"]), row["expected"]
    [message] = words(sent)
    assert isinstance(message, Message)
    assert encode(message) == sent
    found = {
        "msg_id": f"{message.id:04x}",
        "body_len": len(message.body),
        "version": message.version,
        "phone_bcd": message.number.hex(),
        "serial": message.serial,
        "encryption": message.encryption,
        "checksum": f"{unescape(sent[1:-1])[-1]:02x}",
    }
    if message.packet is not None:
        found["packet_total"], found["packet_no"] = message.packet
    assert found == {key: expected[key] for key in found}
    assert ("packet_total" in expected) == (message.packet is not None)


LOCATED = [row for row in FRAMES if "location" in row["expected"]]


@pytest.mark.parametrize("row", LOCATED, ids=ident)
def test_every_golden_position_is_its_reading(row: dict[str, Any]) -> None:
    [message] = words(bytes.fromhex(row["hex"]))
    assert isinstance(message, Message)
    expected = row["expected"]["location"]
    location = read_location(message.body)
    assert (f"{location.alarms:08x}", f"{location.status:08x}") == (expected["alarm_bits"], expected["status_bits"])
    assert [[f"{key:02x}", value.hex()] for key, value in location.items] == expected["items"]
    assert location.whole is expected["items_well_formed"]
    assert location.time.hex() == expected["time_bcd"]
    fix = to_fix(location, Instant(0.0), source="0200")
    placed = expected["fixed"] and not (expected["lat"] == expected["lon"] == 0)
    assert fix.valid is placed
    assert fix.vehicle is not None and fix.vehicle.ignition is expected["acc_on"]
    if not placed:
        assert fix.lat is fix.lon is fix.speed_mps is None and fix.why and fix.quality is Quality.BAD
        return
    assert (fix.lat, fix.lon) == (pytest.approx(expected["lat"], abs=1e-9), pytest.approx(expected["lon"], abs=1e-9))
    assert fix.speed_mps == pytest.approx(expected["speed_kmh"] / 3.6)
    assert (fix.track_deg, fix.altitude_m) == (expected["direction_deg"], expected["altitude_m"])
    local = datetime.strptime(expected["time_bcd"], "%y%m%d%H%M%S").replace(tzinfo=UTC)
    assert fix.fix_time == local.timestamp() - 8 * 3600


def test_golden_batches_are_their_positions() -> None:
    told = 0
    for row in FRAMES:
        if row["expected"]["msg_id"] != "0704" or "peer_positions" not in row:
            continue
        [message] = words(bytes.fromhex(row["hex"]))
        assert isinstance(message, Message)
        batch = m.read_batch(message.body)
        assert batch.whole and len(batch.bodies) == len(row["peer_positions"])
        for body, (valid, lat, lon, altitude, course) in zip(batch.bodies, row["peer_positions"], strict=True):
            fix = to_fix(read_location(body), Instant(0.0), source="0704")
            assert fix.valid is valid
            if valid:
                assert (fix.lat, fix.lon, fix.altitude_m, fix.track_deg) == (lat, lon, altitude, course)
            told += 1
    assert told == 23


def test_counts_of_the_golden_frames(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter(row["expected"]["msg_id"] for row in FRAMES)
    with capsys.disabled():
        print(f"\njt808: {len(FRAMES)} frames, {len(LOCATED)} positions, {len(DAMAGED)} damaged, {dict(counts)}")
    assert (len(FRAMES), len(LOCATED), len(DAMAGED)) == (123, 56, 3)


@pytest.mark.parametrize("row", DAMAGED, ids=range(len(DAMAGED)))
def test_frames_that_a_peer_takes_with_a_wrong_xor_are_garbage(row: dict[str, Any]) -> None:
    sent = bytes.fromhex(row["hex"])
    assert words(sent) == [Garbage(sent[1:-1], "wrong XOR")]


@pytest.mark.parametrize("row", ESCAPES, ids=lambda row: row["escaped"])
def test_escapes_of_the_standard(row: dict[str, Any]) -> None:
    bare, sent = bytes.fromhex(row["unescaped"]), bytes.fromhex(row["escaped"])
    assert (escape(bare), unescape(sent)) == (sent, bare)


# --- the stream

STREAM = b"".join(bytes.fromhex(row["hex"]) for row in FRAMES[:12])


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
@settings(max_examples=40)
def test_cut_anywhere_the_stream_says_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert words(*(STREAM[a:b] for a, b in pairwise(edges))) == words(STREAM)


def test_byte_by_byte() -> None:
    assert words(*(STREAM[n : n + 1] for n in range(len(STREAM)))) == words(STREAM)


@given(st.binary(max_size=40).filter(lambda noise: b"\x7e" not in noise))
def test_noise_between_frames_is_kept_and_costs_no_frame(noise: bytes) -> None:
    one, two = (bytes.fromhex(row["hex"]) for row in FRAMES[:2])
    found = words(one + noise + two)
    assert [word for word in found if isinstance(word, Message)] == words(one + two)
    assert b"".join(word.raw for word in found if isinstance(word, Garbage)) == noise


def test_one_flag_may_end_a_frame_and_begin_the_next() -> None:
    one, two = (bytes.fromhex(row["hex"]) for row in FRAMES[:2])
    assert words(one[:-1] + two) == words(one, two)


@given(st.integers(1, len(STREAM) - 2))
def test_half_a_frame_is_garbage_and_the_next_is_read(cut: int) -> None:
    one, two = (bytes.fromhex(row["hex"]) for row in FRAMES[:2])
    half = one[: 1 + cut % (len(one) - 2)]
    found = words(half + two)
    assert found[-1] == words(two)[0]
    assert all(isinstance(word, Garbage) for word in found[:-1])


@given(st.binary(max_size=3000))
@settings(max_examples=300)
def test_any_bytes_are_words_or_garbage_and_none_is_lost(raw: bytes) -> None:
    found = words(raw)
    kept = sum(len(word.raw) if isinstance(word, Garbage) else len(encode(word)) - 2 for word in found)
    assert kept == len(raw) - raw.count(b"\x7e")


def test_a_stream_without_flags_does_not_grow() -> None:
    found = words(*[b"\x55" * 1000] * 100)
    assert all(isinstance(word, Garbage) and len(word.raw) <= 5200 for word in found) and len(found) >= 19
    found = words(b"\x7e", *[b"\x55" * 1000] * 100)
    assert all(isinstance(word, Garbage) and len(word.raw) <= 5200 for word in found)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"\x7e\x02\x00\x7e", "2 bytes between two flags; the shortest frame has 13"),
        (b"\x7e\x02\x7d\x03\x7e", "an escape that is neither 7D 01 nor 7D 02"),
        (b"\x7e\x02\x00\x7d\x7e", "an escape that is neither 7D 01 nor 7D 02"),
        (framed(2)[:-2] + b"\x7e", "12 bytes between two flags; the shortest frame has 13"),
        (framed(0x0801, b"x", packet=b"\0\2\0\3"), "packet 3 of 2"),
        (framed(0x0801, b"x", packet=b"\0\0\0\0"), "packet 0 of 0"),
    ],
)
def test_what_is_no_frame_says_why(sent: bytes, why: str) -> None:
    [word] = words(sent)
    assert isinstance(word, Garbage) and word.why == why and word.raw == sent[1:-1]


def test_a_length_that_does_not_fit_is_garbage() -> None:
    sent = framed(0x0200, body_0200())
    bare = unescape(sent[1:-1])[:-1]
    bare = bare[:3] + bytes((bare[3] - 1,)) + bare[4:]
    total = 0
    for byte in bare:
        total ^= byte
    [word] = words(b"\x7e" + escape(bare + bytes((total,))) + b"\x7e")
    assert isinstance(word, Garbage) and "27 bytes of body before 28" in word.why


MESSAGES = st.builds(
    Message,
    st.integers(0, 0xFFFF),
    st.binary(min_size=6, max_size=6),
    st.integers(0, 0xFFFF),
    st.binary(max_size=1023),
    st.none(),
    st.integers(0, 7),
    st.none() | st.integers(1, 0xFFFF).flatmap(lambda total: st.tuples(st.just(total), st.integers(1, total))),
) | st.builds(Message, st.integers(0, 0xFFFF), st.binary(min_size=10, max_size=10), st.integers(0, 0xFFFF),
              st.binary(max_size=1023), st.integers(0, 255))  # fmt: skip


@given(MESSAGES)
def test_what_is_written_is_read(message: Message) -> None:
    sent = encode(message)
    assert sent[0] == sent[-1] == 0x7E and b"\x7e" not in sent[1:-1]
    assert words(sent) == [message]


@pytest.mark.parametrize("wrong", [{"body": b"x" * 1024}, {"number": b"12345"}, {"number": b"1" * 10}])
def test_what_no_frame_can_carry_is_refused(wrong: dict[str, bytes]) -> None:
    with pytest.raises(ValueError):
        encode(Message(**{"id": 2, "number": NUMBER, "serial": 0, "body": b"", **wrong}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "shown"),
    [("013912345678", "13912345678"), ("00000000013912345678", "13912345678"), ("000000000000", "0"),
     ("0b3a73ce2ff2", "0b3a73ce2ff2")],
)  # fmt: skip
def test_a_number_is_digits_or_bytes(number: str, shown: str) -> None:
    assert phone(bytes.fromhex(number)) == shown


# --- packets


def packeted(body: bytes, size: int, serial: int = 7) -> list[Message]:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        Message(0x0704, NUMBER, (serial + n) & 0xFFFF, piece, None, 0, (len(pieces), n + 1))
        for n, piece in enumerate(pieces)
    ]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 60), st.integers(0, 0xFFFF), st.randoms())
def test_packets_in_any_order_and_twice_are_one_message(body: bytes, size: int, serial: int, rng: Any) -> None:
    sent = packeted(body, size, serial)
    shuffled = sent * 2
    rng.shuffle(shuffled)
    packets = Packets()
    whole = [found for each in shuffled if (found := packets.take(each, 0.0)) is not None]
    assert whole
    assert all(found == Message(0x0704, NUMBER, serial, body) for found in whole)


def test_missing_packets_are_named_once_and_given_up() -> None:
    packets = Packets()
    sent = packeted(b"abcdefgh", 2)
    for each in (sent[0], sent[3]):
        assert packets.take(each, 10.0) is None
    assert packets.missing(9.0) == [] and len(packets) == 1
    assert packets.missing(10.0) == [(NUMBER, 7, [2, 3])]
    assert packets.missing(10.0) == []
    assert packets.drop(9.0) == []
    assert packets.drop(10.0) == [Garbage(b"abgh", "2 of 4 packets of message 0x0704")]
    assert len(packets) == 0


def test_messages_that_are_never_finished_give_way() -> None:
    packets = Packets()
    given_up: list[Garbage] = []
    for n in range(40):
        assert packets.take(packeted(b"x" * 8, 2, serial=n * 10)[0], 0.0) is None
        given_up += packets.crowded()
    assert len(packets) == MAX_OPEN and len(given_up) == 40 - MAX_OPEN
    assert isinstance(packets.take(Message(1, NUMBER, 0, b"", None, 0, (1000, 1)), 0.0), Garbage)


# --- words


def test_a_time_is_beijings() -> None:
    assert unix_s(bytes.fromhex("261123200000")) == datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    assert unix_s(bytes.fromhex("261123200000"), 0.0) == datetime(2026, 11, 23, 20, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("bcd", ["000000000000", "261323200000", "260231200000", "261123250000", "2611232a0000"])
def test_a_time_that_is_none_is_a_doubt(bcd: str) -> None:
    fix = to_fix(read_location(body_0200(time=bcd)), Instant(5.0), source="0200")
    assert fix.valid and fix.fix_time is None and fix.quality is Quality.UNCERTAIN and bcd in fix.why


def test_south_and_west_are_bits() -> None:
    fix = to_fix(read_location(body_0200(-27.5, -153.0)), Instant(0.0), source="0200")
    assert (fix.lat, fix.lon) == (-27.5, -153.0)


def test_a_coordinate_in_twos_complement_is_refused_with_its_number() -> None:
    body = body_0200()
    body = body[:8] + (-27_500_000 & 0xFFFFFFFF).to_bytes(4, "big") + body[12:]
    fix = to_fix(read_location(body), Instant(0.0), source="0200")
    assert not fix.valid and fix.lat is None and "4267467296" in fix.why


def test_a_shifted_position_is_doubted() -> None:
    fix = to_fix(read_location(body_0200(status=0x23)), Instant(0.0), source="0200")
    assert fix.valid and fix.quality is Quality.UNCERTAIN and "confidentiality" in fix.why


def test_items_cut_off_cost_nothing_else() -> None:
    location = read_location(body_0200(items=bytes.fromhex("0104000003e8310109" + "2504aa")))
    fix = to_fix(location, Instant(0.0), source="0200")
    assert not location.whole and fix.vehicle is not None
    assert (fix.valid, fix.satellites, fix.vehicle.mileage_km) == (True, 9, 100.0)


def test_an_item_of_another_length_is_not_read() -> None:
    location = read_location(body_0200(items=bytes.fromhex("0102000a" + "310200ff")))
    fix = to_fix(location, Instant(0.0), source="0200")
    assert fix.vehicle is not None and fix.vehicle.mileage_km is None and fix.satellites is None


def test_alarms_are_words() -> None:
    fix = to_fix(read_location(body_0200(alarms=1 | 1 << 5 | 1 << 16 | 1 << 23)), Instant(0.0), source="0200")
    assert fix.vehicle is not None
    assert fix.vehicle.alarms == ("emergency button", "GNSS antenna cut", "off its route")
    assert fix.vehicle.antenna == ("GNSS antenna cut",)


def test_a_registration_by_edition() -> None:
    plate = "鲁B12345".encode("gbk")
    for widths, number in (((5, 8, 7), NUMBER), ((5, 20, 7), NUMBER), ((11, 30, 30), b"\0" * 10)):
        fields = [each.ljust(width, b"\0") for each, width in zip((b"MAKER", b"MODEL", b"ID7"), widths, strict=True)]
        [message] = words(framed(0x0100, b"\0\x25\0\x01" + b"".join(fields) + b"\x02" + plate, number=number))
        assert isinstance(message, Message)
        assert m.read_registration(message) == (37, 1, "MAKER", "MODEL", "ID7", 2, "鲁B12345")
    with pytest.raises(ValueError):
        m.read_registration(Message(0x0100, NUMBER, 0, b"x" * 20))


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for version in (None, 1):
        message = Message(0, NUMBER, 0, body, version)
        for read in (m.read_registration, m.read_authentication, lambda x: m.read_batch(x.body)):  # type: ignore[misc]
            try:
                read(message)
            except ValueError:
                continue
    try:
        fix = to_fix(read_location(body), Instant(0.0), source="")
    except ValueError:
        return
    assert fix.valid is (fix.lat is not None and -90 <= fix.lat <= 90 and fix.lon is not None and fix.lon != fix.lat)


def test_a_damaged_batch_gives_what_stands_before_the_damage() -> None:
    one = body_0200()
    body = b"\0\3\1" + len(one).to_bytes(2, "big") + one + b"\0\xff\0"
    batch = m.read_batch(body)
    assert (batch.blind_spot, batch.bodies, batch.whole) == (True, (one,), False)


# --- the technician's tool


def test_decode_tells_every_golden_frame() -> None:
    for row in FRAMES:
        told = list(decode_stream([bytes.fromhex(row["hex"])]))
        assert told
        if "packet_total" in row["expected"]:
            assert all("garbage" in each for each in told)
        else:
            assert all(each["message"] == row["expected"]["msg_id"] for each in told), told


def test_decode_puts_packets_together_and_shows_garbage() -> None:
    one = body_0200()
    batch = b"\0\2\1" + 2 * (len(one).to_bytes(2, "big") + one)
    sent = [encode(each) for each in packeted(batch, 20)]
    told = list(decode_stream([b"noise" + sent[0], *sent[1:], b"\x7e\x01\x7e"]))
    assert [each.get("name", each.get("why")) for each in told] == [
        "bytes before the first flag",
        "positions kept back",
        "positions kept back",
        "1 bytes between two flags; the shortest frame has 13",
    ]
    assert told[1]["at"] == "2026-11-23T12:00:00.000Z" and told[1]["historical"] is True
