from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gps.assemble import Assembler, against_clock, iso
from drivers.gps.decode import decode_stream
from drivers.readings import Instant, Quality
from tests.drivers.gps.corpus import ENTRIES, fixes, ids, nmea, of, sentences, words


def rmc(time: str = "120000.00", status: str = "A", mode: str = "A", date: str = "231126", **more: str) -> bytes:
    where = more.get("where", "3600.0000,N,12012.0000,E")
    return nmea(
        f"GNRMC,{time},{status},{where},{more.get('knots', '10.0')},{more.get('track', '90.0')},{date},,,{mode},V"
    )


def gga(time: str = "120000.00", quality: str = "1", **more: str) -> bytes:
    where = more.get("where", "3600.0000,N,12012.0000,E")
    return nmea(f"GNGGA,{time},{where},{quality},12,{more.get('hdop', '0.8')},8.0,M,7.5,M,,")


def gll(time: str = "120000.00", status: str = "A", mode: str = "A") -> bytes:
    return nmea(f"GNGLL,3600.0000,N,12012.0000,E,{time},{status},{mode}")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOON = at("2026-11-23T12:00:00")


# --- every golden sentence, alone, through the technician's tool


@pytest.mark.parametrize("entry", of("RMC", "GGA"), ids=ids(of("RMC", "GGA")))
def test_every_golden_sentence_is_one_fix(entry: dict[str, Any]) -> None:
    expected = entry["expected"]
    [fix] = decode_stream([entry["sentence"].encode()])
    assert fix["valid"] is expected["valid"], fix
    if not expected["valid"]:
        assert fix["lat"] is None and fix["lon"] is None and fix["speed_mps"] is None and fix["why"]
        return
    assert fix["lat"] == pytest.approx(expected["lat"], abs=2e-6)
    assert fix["lon"] == pytest.approx(expected["lon"], abs=2e-6)
    if "time" in expected:
        # The oracle mends week roll-overs by its own build date: it gives the same sentence two dates (N002, N153).
        late_s = at(str(fix["at"])[:-1]) - at(expected["time"][:-1])
        assert late_s in (0.0, -1024 * 7 * 86400.0)
    if "speed_mps" in expected:
        assert fix["speed_mps"] == pytest.approx(expected["speed_mps"], abs=0.01)
    if "track_deg" in expected:
        assert fix["track_deg"] == pytest.approx(expected["track_deg"], abs=0.01)
    rough = (expected.get("hdop") or 0) > 20 or expected.get("sats_used") == 0
    assert (fix["quality"], fix["why"] == "") == (("uncertain", False) if rough else ("good", True))


@pytest.mark.parametrize("entry", of("damaged", "TAG", "TAG-damaged"), ids=ids(of("damaged", "TAG", "TAG-damaged")))
def test_what_is_damaged_or_no_position_gives_no_fix(entry: dict[str, Any]) -> None:
    told = list(decode_stream([entry["sentence"].encode()]))
    assert all("garbage" in each and each["why"] for each in told)
    assert bool(told) is ("damaged" in entry["type"])


# --- one epoch, one fix


def test_rmc_and_gga_of_one_moment_are_one_fix_told_at_once() -> None:
    assembler = Assembler()
    [first, second] = sentences(rmc(), gga())
    assert assembler.take(first, Instant(1.0)) == ()
    assert assembler.waiting_since == 1.0
    [fix] = assembler.take(second, Instant(2.0))
    assert assembler.waiting_since is None and assembler.flush() is None
    assert (fix.valid, fix.quality, fix.why, fix.source) == (True, Quality.GOOD, "", "GNRMC+GNGGA")
    assert (fix.lat, fix.lon) == (36.0, 120.2)
    assert fix.speed_mps == pytest.approx(5.1444, abs=1e-4) and fix.track_deg == 90.0
    assert (fix.altitude_m, fix.satellites, fix.hdop, fix.fix_quality) == (8.0, 12, 0.8, 1)
    assert (fix.fix_time, fix.at) == (NOON, 2.0)


@pytest.mark.parametrize("order", [(rmc, gga), (gga, rmc)])
def test_one_fix_a_second_in_either_order(order: tuple[Any, Any]) -> None:
    stream = b"".join(each(time=f"1200{s:02d}.00") for s in range(10) for each in order)
    found = fixes(stream)
    assert [fix.fix_time for fix in found] == [NOON + s for s in range(10)]
    assert all(fix.valid and fix.satellites == 12 and fix.speed_mps for fix in found)


def test_a_receiver_with_one_sentence_is_told_at_once_from_the_second_epoch_on() -> None:
    assembler = Assembler()
    told = [assembler.take(s, Instant(0.0)) for s in sentences(*(rmc(time=f"1200{n:02d}.00") for n in range(4)))]
    assert [[fix.fix_time for fix in each] for each in told] == [[], [NOON, NOON + 1], [NOON + 2], [NOON + 3]]


def test_speed_of_a_receiver_without_rmc_comes_from_vtg() -> None:
    vtg = nmea("GNVTG,45.0,T,,M,20.0,N,37.0,K,A")
    found = fixes(*(each for s in range(3) for each in (gga(time=f"1200{s:02d}.00"), vtg)))
    assert [(fix.speed_mps, fix.track_deg) for fix in found] == [(pytest.approx(10.2889, abs=1e-4), 45.0)] * 3
    assert [fix.fix_time for fix in found] == [None] * 3
    assert found[0].source == "GNGGA+GNVTG"


def test_hdop_of_a_receiver_without_gga_comes_from_gsa() -> None:
    gsa = nmea("GNGSA,A,3,04,05,,,,,,,,,,,1.8,0.9,1.6")
    assert [fix.hdop for fix in fixes(gsa, rmc(), rmc(time="120001.00"))] == [0.9, 0.9]
    assert [fix.hdop for fix in fixes(gsa, *(rmc(time=f"1200{s:02d}.00") for s in range(4)))][-1] is None


def test_a_repeated_epoch_is_told_once() -> None:
    assert len(fixes(rmc(), gga(), rmc(), gga(), rmc())) == 1


def test_late_epochs_between_are_told_as_they_are() -> None:
    stream = [
        rmc("120001.00"),
        gga("120001.00"),
        rmc("120000.00"),
        gga("120000.00"),
        rmc("120002.00"),
        gga("120002.00"),
    ]
    assert [fix.fix_time for fix in fixes(*stream)] == [NOON + 1, NOON, NOON + 2]


# --- one that refuses refuses all


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (rmc(status="V") + gga(), "RMC status V"),
        (gga() + rmc(status="V"), "RMC status V"),
        (rmc() + gga(quality="0"), "GGA quality 0: no fix"),
        (gga(quality="0") + rmc(), "GGA quality 0: no fix"),
        (rmc(mode="N"), "RMC mode N: no fix"),
        (rmc(mode="S") + gga(), "RMC mode S: simulated position"),
        (rmc(mode="M"), "RMC mode M: position typed in by hand"),
        (gga(quality="8"), "GGA quality 8: simulated position"),
        (gga(quality="7"), "GGA quality 7: position typed in by hand"),
        (gll(status="V"), "GLL status V"),
        (nmea("GNGLL,3600.0000,N,12012.0000,E"), "GLL has no status"),
        (rmc(status=""), "RMC has no status"),
        (rmc(where=",N,,E"), "the position is empty"),
        (rmc(where="3600.0000,,12012.0000,E"), "the position is empty"),
        (rmc(where="3600.0000,N,,E"), "the position is empty"),
        (gga(where=",,,"), "the position is empty"),
        (rmc(where="0000.0000,N,00000.0000,E"), "0,0 is where receivers stand that do not know"),
        (nmea("GNGNS,120000.00,,,,,NNNN,00,,,0.0,,0000"), "GNS mode N: no fix"),
        (nmea("GPRMC,,V,,,,,,,,,,N"), "RMC status V"),
    ],
)
def test_no_fix_says_why_and_has_no_position(stream: bytes, why: str) -> None:
    [fix] = fixes(stream)
    assert (fix.valid, fix.quality, fix.why) == (False, Quality.BAD, why)
    assert (fix.lat, fix.lon, fix.speed_mps, fix.track_deg, fix.altitude_m) == (None,) * 5


def test_an_epoch_already_told_is_told_again_when_a_late_sentence_refuses_it() -> None:
    found = fixes(rmc(), gga(), gll(status="V", mode="N"))
    assert [(fix.valid, fix.why) for fix in found] == [(True, ""), (False, "GLL status V")]


def test_of_two_talkers_the_one_that_refuses_is_believed() -> None:
    for pair in ((b"GP", b"GN"), (b"GN", b"GP")):
        void = rmc(status="V").strip()[3:-3]
        stream = nmea((pair[0] + void).decode()) + rmc()
        assert not fixes(stream)[-1].valid


def test_nmea_41_nav_status_v_is_no_refusal() -> None:
    assert all(fix.valid for fix in fixes(rmc(), gga()))


def test_gns_stands_as_soon_as_one_system_has_a_fix() -> None:
    [fix] = fixes(nmea("GNGNS,120000.00,3600.0000,N,12012.0000,E,NAN,07,1.1,10.0,8.0,,,V"))
    assert fix.valid and (fix.lat, fix.satellites, fix.altitude_m) == (36.0, 7, 10.0)


def test_an_empty_position_in_one_sentence_is_taken_from_the_other() -> None:
    [fix] = fixes(rmc(where=",,,"), gga())
    assert fix.valid and (fix.lat, fix.lon) == (36.0, 120.2)


# --- valid, and yet to be doubted


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (rmc(mode="E") + gga(quality="6"), "dead reckoning"),
        (rmc(mode="E"), "dead reckoning"),
        (rmc() + gga(quality="6"), "dead reckoning"),
        (rmc() + gga(hdop="99.9"), "HDOP 99.9"),
        (rmc(where="3600.1000,N,12012.0000,E") + gga(), "its sentences disagree about the position"),
        (nmea("GNGNS,120000.00,3600.0000,N,12012.0000,E,EN,07,1.1,10.0,8.0,,,V"), "dead reckoning"),
    ],
)
def test_doubt(stream: bytes, why: str) -> None:
    [fix] = fixes(stream)
    assert (fix.valid, fix.quality, fix.why) == (True, Quality.UNCERTAIN, why)
    assert fix.lat is not None


def test_across_the_date_line_sentences_do_not_disagree() -> None:
    [fix] = fixes(rmc(where="3600.0000,N,17959.9999,E"), gga(where="3600.0000,N,17959.9999,W"))
    assert fix.quality is Quality.GOOD


@pytest.mark.parametrize(
    ("days", "quality"),
    [(0, Quality.GOOD), (300, Quality.GOOD), (1024 * 7, Quality.UNCERTAIN), (-1, Quality.UNCERTAIN)],
)
def test_a_date_that_cannot_be_is_doubted(days: int, quality: Quality) -> None:
    [fix] = fixes(rmc(), gga(), at=NOON + days * 86400)
    judged = against_clock(fix)
    assert judged.quality is quality and ("site's" in judged.why) is (quality is not Quality.GOOD)
    assert judged.fix_time == NOON


# --- dates


def times(*chunks: bytes) -> list[str | None]:
    return [None if fix.fix_time is None else iso(fix.fix_time) for fix in fixes(*chunks)]


def test_gga_alone_has_no_date_until_one_is_told() -> None:
    assert times(gga("120000.00"), rmc("120001.00"), gga("120001.00"), gga("120002.00")) == [
        None,
        "2026-11-23T12:00:01.000Z",
        "2026-11-23T12:00:02.000Z",
    ]


def test_over_midnight_and_back_for_a_late_one() -> None:
    stream = [rmc("235959.00"), gga("235959.00"), gga("000000.00"), gga("235959.50"), gga("000001.00")]
    assert times(*stream) == [
        "2026-11-23T23:59:59.000Z",
        "2026-11-24T00:00:00.000Z",
        "2026-11-23T23:59:59.500Z",
        "2026-11-24T00:00:01.000Z",
    ]


def test_zda_gives_the_date_where_rmc_is_not() -> None:
    assert times(nmea("GPZDA,120000.00,23,11,2026,00,00"), gga()) == ["2026-11-23T12:00:00.000Z"]
    assert times(gga(), nmea("GPZDA,120000.00,23,11,2026,00,00")) == ["2026-11-23T12:00:00.000Z"]
    assert times(nmea("GPZDA,120000.00,06,01,1980,00,00"), gga()) == [None]


def test_a_tag_block_gives_the_date_where_no_sentence_does() -> None:
    body = gga("235959.00").decode().strip()[1:-3]
    assert times(nmea(body, tag=f"c:{int(at('2026-11-24T00:00:02'))}")) == ["2026-11-23T23:59:59.000Z"]


@pytest.mark.parametrize(
    ("date", "year"), [("010180", "1980"), ("010199", "1999"), ("010100", "2000"), ("010179", "2079")]
)
def test_two_digit_years(date: str, year: str) -> None:
    assert str(times(rmc(date=date))[0]).startswith(year)


# --- streams


def test_sources_of_one_capture_are_told_apart() -> None:
    def told_by(name: str, s: int, where: str) -> bytes:
        bodies = (rmc(f"1200{s:02d}.00", where=where), gga(f"1200{s:02d}.00", where=where))
        return b"".join(nmea(each.decode().strip()[1:-3], tag=f"s:{name}") for each in bodies)

    places = {"T1": "3600.0000,N,12012.0000,E", "T2": "3612.0000,N,12012.0000,E"}
    stream = b"".join(told_by(name, s, where) for s in range(5) for name, where in places.items())
    told = list(decode_stream([stream[i : i + 10] for i in range(0, len(stream), 10)]))
    assert [(each["tracker"], each["lat"]) for each in told] == [("T1", 36.0), ("T2", 36.2)] * 5
    assert all(each["why"] == "" for each in told)


def test_garbage_is_told_as_text_or_as_hex() -> None:
    told = list(decode_stream([b"hello\n\xb5\x62\x01\n# comment\n", gga()]))
    assert [each.get("garbage") for each in told] == ["hello", "b5 62 01", None]


def made_up(kind: str, fields: str) -> bytes:
    return nmea(f"GN{kind},{fields}")


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([entry.get("sentence", "").encode() + b"\n" for entry in ENTRIES]),
            st.builds(
                made_up,
                st.sampled_from(["RMC", "GGA", "GNS", "GLL", "VTG", "ZDA", "GSA"]),
                st.text("0123456789.,AVNSEWDM-", max_size=70),
            ),
        ),
        max_size=25,
    )
)
def test_no_fix_is_invented(pieces: list[bytes]) -> None:
    """Every position of a valid fix stands in a sentence with the right checksum."""
    stream = b"".join(pieces)
    heard = {
        (record.lat, record.lon)
        for word in words(stream)
        if (record := getattr(word, "record", None)) is not None and getattr(record, "lat", None) is not None
    }
    for fix in decode_stream([stream]):
        if fix.get("valid"):
            assert (fix["lat"], fix["lon"]) in heard
            assert -90 <= float(str(fix["lat"])) <= 90 and -180 <= float(str(fix["lon"])) <= 180
        elif "garbage" not in fix:
            assert fix["lat"] is None and fix["why"]


def test_a_fix_of_no_satellite_is_doubted_unless_gsa_names_some() -> None:
    none = gga().replace(b",12,", b",00,")
    none = nmea(none.decode().strip()[1:-3])
    [fix] = fixes(rmc() + none)
    assert fix.valid and fix.quality is Quality.UNCERTAIN and fix.why == "GGA says that no satellite was used"
    [fix] = fixes(nmea("GPGSA,A,3,04,05,09,12,,,,,,,,,1.8,0.9,1.6") + rmc() + none)
    assert fix.quality is Quality.GOOD
    [fix] = fixes(nmea("GPGSA,A,1,,,,,,,,,,,,,,,") + rmc() + none)
    assert fix.quality is Quality.UNCERTAIN


def test_a_fix_is_not_of_the_epoch_that_had_no_time() -> None:
    void = nmea("GPGLL,,,,,,V,N")
    told = fixes(void + rmc() + gga() + nmea("GPGLL,,,,,,V,N"))
    assert [fix.valid for fix in told] == [False, True, False]
