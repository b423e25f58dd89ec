import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import Instant
from drivers.rfid.repeats import MAX_TAGS, Repeats
from drivers.rfid.tag import TagRead, epc_of, plate_of

PLATES = ["沪AD3F88", "粤B12345D", "京AD92035", "浙A1234挂", "粤Z1234港", "使014578", "WJ鲁1234X", "京A00599"]


@pytest.mark.parametrize("plate", PLATES)
def test_a_plate_in_twelve_bytes(plate: str) -> None:
    epc = epc_of(plate)
    assert len(epc) == 12 and plate_of(epc) == plate


@pytest.mark.parametrize(
    "epc",
    [
        bytes(12),
        bytes.fromhex("30751feb705c5904e3d50d70"),
        bytes.fromhex("e200001d7315016521408fc6"),
        "沪AD3F88".encode("gbk"),
        "沪AD3F88".encode("gbk").ljust(16, b"\0"),
        b"\0" + "沪AD3F88".encode("gbk").ljust(11, b"\0"),
        "沪AD\0F88".encode("gbk").ljust(12, b"\0"),
        "沪AI3F88".encode("gbk").ljust(12, b"\0"),
        "ABC1234".encode("gbk").ljust(12, b"\0"),
        "停车场入口".encode("gbk").ljust(12, b"\0"),
        "沪AD3F88".encode().ljust(12, b"\0"),
        "沪AD3F88".encode("gbk").ljust(12, b" "),
    ],
)
def test_anything_else_is_no_plate(epc: bytes) -> None:
    assert plate_of(epc) is None


@given(st.binary(max_size=16))
def test_any_bytes(epc: bytes) -> None:
    plate = plate_of(epc)
    assert plate is None or epc_of(plate) == epc


@pytest.mark.parametrize("plate", ["", "沪", "沪AD3F88沪AD3F88", "沪A12Ф45"])
def test_what_is_no_plate_is_not_written(plate: str) -> None:
    with pytest.raises(ValueError):
        epc_of(plate)


def read(n: int = 1) -> TagRead:
    return TagRead(epc=n.to_bytes(12, "big"), rssi_dbm=-50, antenna=1)


def test_repeats_are_folded_and_counted() -> None:
    repeats = Repeats(1.0, plate_in_epc=False)
    told = [repeats.take(read(), Instant(t / 10)) for t in range(25)]
    assert [(t, tag.count) for t, tag in enumerate(told) if tag] == [(0, 1), (10, 10), (20, 10)]


def test_tags_do_not_hide_each_other() -> None:
    repeats = Repeats(1.0, plate_in_epc=False)
    told = [repeats.take(read(n), Instant(0.0)) for n in (1, 2, 1, 3)]
    assert [tag and tag.epc[-1] for tag in told] == [1, 2, None, 3]


def test_a_new_visit_begins_a_new_count() -> None:
    repeats = Repeats(1.0, plate_in_epc=False)
    for t in (0.0, 0.1, 0.2):
        repeats.take(read(), Instant(t))
    tag = repeats.take(read(), Instant(3600.0))
    assert tag is not None and tag.count == 1


def test_a_window_of_zero_folds_nothing() -> None:
    repeats = Repeats(0.0, plate_in_epc=False)
    assert all(repeats.take(read(), Instant(1.0)) for _ in range(3))


def test_memory_has_a_ceiling() -> None:
    repeats = Repeats(1e9, plate_in_epc=False)
    for n in range(10 * MAX_TAGS):
        repeats.take(read(n), Instant(0.0))
    assert len(repeats._seen) == MAX_TAGS


def test_the_plate_is_read_only_where_the_site_says_so() -> None:
    own = TagRead(epc=epc_of("沪AD3F88"), rssi_dbm=-50, antenna=None)
    for plate_in_epc, plate in ((True, "沪AD3F88"), (False, None)):
        tag = Repeats(1.0, plate_in_epc=plate_in_epc).take(own, Instant(0.0))
        assert tag is not None and tag.plate == plate and tag.hex == own.epc.hex().upper()
