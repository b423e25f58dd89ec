import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gps.frames import MAX_LINE_BYTES, Decoder, Sentence, checksum
from drivers.gps.sentences import MPS_PER_KNOT, Gga, Gll, Gns, Gsa, Gst, Gsv, Rmc, Vtg, Zda
from drivers.gps.sky import Sky
from drivers.readings import Garbage
from tests.drivers.gps.corpus import ENTRIES, ids, nmea, of, sentences, words, xor

DEGREE = 2e-6
WHOLE = b"".join(entry["sentence"].encode() + b"\r\n" for entry in of("RMC", "GGA"))


def one(entry: dict[str, Any]) -> Sentence:
    [word] = words(entry["sentence"].encode())
    assert isinstance(word, Sentence), word
    return word


@pytest.mark.parametrize("entry", of("RMC"), ids=ids(of("RMC")))
def test_every_rmc(entry: dict[str, Any]) -> None:
    expected, rmc = entry["expected"], one(entry).record
    assert isinstance(rmc, Rmc)
    assert (rmc.status == "A") is expected["valid"]
    if not expected["valid"]:
        assert rmc.lat is None and rmc.lon is None and rmc.speed_mps is None
        return
    assert rmc.lat == pytest.approx(expected["lat"], abs=DEGREE)
    assert rmc.lon == pytest.approx(expected["lon"], abs=DEGREE)
    assert rmc.speed_mps == pytest.approx(expected["speed_mps"], abs=0.01)
    if "track_deg" in expected:
        assert rmc.track_deg == pytest.approx(expected["track_deg"], abs=0.01)
    assert rmc.mode == expected.get("mode", "")
    assert rmc.nav_status == expected.get("nav_status", "")


@pytest.mark.parametrize("entry", of("GGA"), ids=ids(of("GGA")))
def test_every_gga(entry: dict[str, Any]) -> None:
    expected, gga = entry["expected"], one(entry).record
    assert isinstance(gga, Gga)
    if not expected["valid"]:
        assert gga.quality == 0 and gga.lat is None and gga.lon is None
        return
    assert gga.lat == pytest.approx(expected["lat"], abs=DEGREE)
    assert gga.lon == pytest.approx(expected["lon"], abs=DEGREE)
    assert gga.quality == expected["quality"]
    for ours, theirs in (
        ("satellites", "sats_used"),
        ("hdop", "hdop"),
        ("altitude_m", "alt_msl_m"),
        ("geoid_m", "geoid_sep_m"),
    ):
        if theirs in expected:
            assert getattr(gga, ours) == pytest.approx(expected[theirs])


@pytest.mark.parametrize("entry", of("GSV-group"), ids=ids(of("GSV-group")))
def test_every_gsv_group(entry: dict[str, Any]) -> None:
    sky, expected = Sky(), entry["expected"]
    found = [sky.take(each) for each in sentences("\r\n".join(entry["sentences"]).encode())]
    assert found[:-1] == [None] * (len(entry["sentences"]) - 1)
    assert found[-1] is not None
    assert [list(each) for each in found[-1]] == expected["satellites_prn_el_az_cn0"]
    last = sentences(entry["sentences"][-1].encode())[0]
    assert last.talker == expected["talker"] and isinstance(last.record, Gsv)
    assert last.record.in_view == expected["sats_in_view"]
    assert last.record.signal_id == expected["signal_id"]


def test_an_unfinished_gsv_group_is_dropped_and_counted() -> None:
    sky = Sky()
    group = next(each["sentences"] for each in of("GSV-group") if len(each["sentences"]) == 3)
    lost_its_middle = sentences("\n".join([group[0], group[2], *group]).encode())
    told = [sky.take(each) for each in lost_its_middle]
    assert [each is not None for each in told] == [False, False, False, False, True]
    assert sky.unfinished == 1


@pytest.mark.parametrize("entry", of("GSA", "VTG", "GLL", "GST", "GNS"), ids=ids(of("GSA", "VTG", "GLL", "GST", "GNS")))
def test_every_other_sentence_says_no_fix(entry: dict[str, Any]) -> None:
    record = one(entry).record
    match record:
        case Gsa():
            assert record.fix == 1
        case Vtg() | Gll() | Gns() | Gst():
            numbers = [value for value in msgspec.structs.astuple(record) if isinstance(value, float)]
            assert numbers == [] or numbers == [getattr(record, "time_s", None)]
            assert getattr(record, "lat", None) is None and getattr(record, "speed_mps", None) is None
        case _:
            pytest.fail(f"{record}")


@pytest.mark.parametrize("entry", of("damaged"), ids=ids(of("damaged")))
def test_every_damaged_sentence_is_garbage(entry: dict[str, Any]) -> None:
    found = words(entry["sentence"].encode())
    assert found and all(isinstance(word, Garbage) for word in found)
    assert b"".join(word.raw for word in found if isinstance(word, Garbage)) == entry["sentence"].encode()


@pytest.mark.parametrize("entry", of("TAG", "TAG-damaged"), ids=ids(of("TAG", "TAG-damaged")))
def test_every_tag_block(entry: dict[str, Any]) -> None:
    expected, found = entry["expected"], words(entry["sentence"].encode())
    sentence = found[-1]
    assert isinstance(sentence, Sentence)
    if not expected["tag_checksum_ok"]:
        assert isinstance(found[0], Garbage) and len(found) == 2
        assert sentence.tag is None
        return
    assert len(found) == 1 and sentence.tag is not None
    tag = sentence.tag
    fields = dict(tag.fields)
    group = expected["tag"].get("g")
    assert fields == {key: "-".join(map(str, value)) if key == "g" else value for key, value in expected["tag"].items()}
    assert tag.group == (tuple(group) if group else None)
    assert tag.source == expected["tag"].get("s", "")
    assert tag.time_s == float(expected["tag"]["c"])


def test_tag_time_in_milliseconds() -> None:
    for c in ("1671533231", "1671533231000", "1671533231.0"):
        [sentence] = sentences(nmea("GPVTG,,,,,,,,,N", tag=f"s:t1,c:{c}"))
        assert sentence.tag is not None and sentence.tag.time_s == 1671533231.0


def test_later_parts_of_a_tag_group_have_the_first_parts_time_and_source() -> None:
    first, second, other = sentences(
        nmea("GPVTG,,,,,,,,,N", tag="g:1-2-77,s:truck,c:1671533231"),
        nmea("GPVTG,,,,,,,,,N", tag="g:2-2-77"),
        nmea("GPVTG,,,,,,,,,N", tag="g:2-2-78"),
    )
    assert first.tag and second.tag and other.tag
    assert (second.tag.source, second.tag.time_s) == ("truck", 1671533231.0)
    assert (other.tag.source, other.tag.time_s) == ("", None)


@given(st.binary(max_size=MAX_LINE_BYTES))
def test_the_folded_checksum_is_the_xor(body: bytes) -> None:
    assert checksum(body) == xor(body)


# --- the same words however the bytes are cut


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000, len(WHOLE)])
def test_however_the_stream_is_cut(size: int) -> None:
    cut = [WHOLE[i : i + size] for i in range(0, len(WHOLE), size)]
    assert words(*cut) == words(WHOLE)
    assert len(words(*cut)) == len(of("RMC", "GGA"))


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=40), min_size=5, max_size=5), st.randoms(use_true_random=False))
def test_noise_between_loses_no_sentence_on_a_line_of_its_own(noise: list[bytes], rng: random.Random) -> None:
    picked = rng.sample(of("RMC", "GGA"), 4)
    stream = b"\n" + noise[0].replace(b"#", b"")
    for piece, entry in zip(noise[1:], picked, strict=True):
        stream += b"\n" + entry["sentence"].encode() + b"\n" + piece
    found = [each for each in sentences(stream) if each.record]
    assert [each for each in found if each in sentences(WHOLE)] == sentences(
        b"\n".join(entry["sentence"].encode() for entry in picked)
    )


@settings(max_examples=150)
@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([e.get("sentence", "").encode() for e in ENTRIES]))))
def test_byte_soup_never_crashes_and_is_accounted_for(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    whole, one_by_one = words(stream), words(*(stream[i : i + 1] for i in range(len(stream))))
    assert [w for w in whole if isinstance(w, Sentence)] == [w for w in one_by_one if isinstance(w, Sentence)]
    for word in whole:
        if isinstance(word, Garbage):
            assert word.raw and word.raw in stream + b"$" + stream and word.why


@settings(max_examples=50)
@given(st.binary(min_size=20, max_size=300), st.data())
def test_every_sentence_of_a_soup_has_its_right_checksum_in_it(soup: bytes, data: st.DataObject) -> None:
    body = data.draw(st.text("GPRMCAVNESW,.0123456789*$!\\", max_size=60)).encode()
    stream = soup + b"$" + body + b"*%02X" % xor(body) + b"\n"
    for sentence in sentences(stream):
        name = sentence.name.encode()
        starts = [i for i in range(len(stream)) if stream[i : i + 1 + len(name)] in (b"$" + name, b"!" + name)]
        ends = [i for i in range(len(stream)) if stream[i : i + 1] == b"*"]
        assert any(
            stream[e + 1 : e + 3].upper() == b"%02X" % xor(stream[s + 1 : e]) for s in starts for e in ends if e > s
        )


# --- what else may stand on a line

GGA = nmea("GPGGA,193221.00,2037.72792,N,08704.08478,W,1,04,1.7,-30.40,M,-13.9,M,,").rstrip()
RMC = nmea("GPRMC,193221.00,A,2037.7279,N,08704.0848,W,00.1,201.8,231207,01,W,A").rstrip()


def kinds(*chunks: bytes) -> list[str]:
    return [word.kind if isinstance(word, Sentence) else f"-{word.why}" for word in words(*chunks)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (GGA + RMC, ["GGA", "RMC"]),
        (b"\x00\xff\xfe" + GGA, ["-no sentence", "GGA"]),
        (b"$" + GGA, ["-no sentence", "GGA"]),
        (b"$GP" + GGA, ["-no sentence", "GGA"]),
        (GGA + b" \t\0", ["GGA"]),
        (GGA + b"|", ["GGA", "-no sentence"]),
        (GGA[:-3], ["-no checksum"]),
        (GGA[:-1], ["-no checksum"]),
        (GGA[:-2] + b"ZZ", ["-no checksum"]),
        (GGA[:-2] + GGA[-2:].lower(), ["GGA"]),
        (GGA[:-2] + b"00", ["-wrong checksum"]),
        (GGA[:20] + RMC, ["-sentences run into each other"]),
        (b"\\s:a*00\\" + GGA, ["-TAG block without the right checksum", "GGA"]),
        (b"\\s:a" + GGA, ["-TAG block without its end", "GGA"]),
        (b"# a comment with $GPRMC in it", []),
        (b"", []),
        (b"hello", ["-no sentence"]),
        (nmea("PGRMC,A,218.8,100"), ["PGRMC"]),
        (nmea("PUBX,00,1"), ["PUBX"]),
        (nmea("GPTXT,01,01,02,who's there! $5 only"), ["TXT"]),
        (nmea(",,,"), ["-'' is no name of a sentence"]),
        (nmea("GPRMC,1,A"), ["-3 fields where RMC has 10 at least"]),
        (nmea("GPRMC,193221.00,A,9137.7279,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2061.65,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2037.7,N,18004.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2037.7,X,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2037.7,E,08704.0848,N,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,-2037.7,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2_37.7,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,253221.00,A,2037.7,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193261.00,A,2037.7,N,08704.0848,W,0,0,231207"), None),
        (nmea("GPRMC,193221.00,A,2037.7,N,08704.0848,W,0,0,310207"), None),
        (nmea("GPGGA,193221.00,2037.7,N,08704.0848,W,9,04,1.7,1,M,1,M,,"), None),
        (nmea("GPGGA,193221.00,2037.7,N,08704.0848,W,,04,1.7,1,M,1,M,,"), None),
        ("$GPRMC,纬度*00\n".encode(), ["-wrong checksum"]),
    ],
)
def test_lines(line: bytes, expected: list[str] | None) -> None:
    if expected is None:
        [word] = words(line)
        assert isinstance(word, Garbage) and word.why
    else:
        assert kinds(line) == expected


def test_a_field_beside_the_position_that_makes_no_sense_is_a_doubt_and_no_number() -> None:
    rmc = sentences(nmea("GPRMC,193221.00,A,2037.7,N,08704.08,W,nan,201.8,231207"))[0].record
    assert isinstance(rmc, Rmc) and rmc.lat is not None
    assert rmc.speed_mps is None and rmc.track_deg is None and "nan" in rmc.doubt
    gga = sentences(nmea("GPGGA,193221.00,2037.7,N,08704.0848,W,1,04,--,1,M,1,M,,"))[0].record
    assert isinstance(gga, Gga) and gga.lat is not None and gga.hdop is None and "--" in gga.doubt


def test_a_leap_second_is_a_time() -> None:
    rmc = sentences(nmea("GPRMC,235960.00,A,2037.7,N,08704.08,W,0,0,311216"))[0].record
    assert isinstance(rmc, Rmc) and rmc.time_s == 86400


def test_coordinates_without_a_fraction() -> None:
    gga = sentences(nmea("GPGGA,1932.00,,,,,0,00,,,M,,M,,"), nmea("GPGGA,193200,2037,N,08704,W,1,,,,M,,M,,"))[-1].record
    assert isinstance(gga, Gga)
    assert (gga.lat, gga.lon, gga.satellites) == (pytest.approx(20 + 37 / 60), pytest.approx(-87 - 4 / 60), None)


def test_speed_and_course_of_vtg_old_and_later() -> None:
    for body in (
        "GPVTG,054.7,T,034.4,M,005.5,N,010.2,K",
        "GPVTG,054.7,T,034.4,M,005.5,N,010.2,K,A",
        "GPVTG,054.7,034.4,005.5,010.2",
    ):
        vtg = sentences(nmea(body))[0].record
        assert isinstance(vtg, Vtg)
        assert vtg.speed_mps == pytest.approx(5.5 * MPS_PER_KNOT) and vtg.track_deg == 54.7


def test_the_date_of_a_receiver_that_has_just_woken_is_none() -> None:
    days = [
        each.record.day
        for each in sentences(
            nmea("GPZDA,000001.00,06,01,1980,00,00"), nmea("GPZDA,1.0,,,,,"), nmea("GPZDA,000001.00,23,11,2026,00,00")
        )
        if isinstance(each.record, Zda)
    ]
    assert days == [None, 20780]


# --- ceilings


def test_a_line_without_an_end_does_not_grow() -> None:
    decoder = Decoder()
    told = 0
    for _ in range(2000):
        decoder.receive(b"\xb5\x62" + bytes(98))
        while (word := decoder.next_word()) is not None:
            assert isinstance(word, Garbage) and len(word.raw) <= MAX_LINE_BYTES + 100
            told += len(word.raw)
    assert 200_000 - told <= MAX_LINE_BYTES
    decoder.receive(b"\n" + GGA + b"\n")
    last = None
    while (word := decoder.next_word()) is not None:
        last = word
    assert isinstance(last, Sentence)


def test_too_long_is_too_long_however_it_is_cut() -> None:
    line = b"$" + b"G" * MAX_LINE_BYTES + GGA
    for size in (1, 100, 5000):
        cut = [line[i : i + size] for i in range(0, len(line), size)]
        found = words(*cut, b"\n", GGA)
        assert [type(word) for word in found[:-1]] == [Garbage] * (len(found) - 1)
        assert isinstance(found[-1], Sentence)


def test_a_line_longer_than_the_standards_82_is_read() -> None:
    body = "GPGGA,115739.00,4158.8441367,N,09147.4416929,W,4,13,0.9,255.747,M,-32.00,M,01,0000" + "," * 40
    assert kinds(nmea(body)) == ["GGA"]
