import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from telemetry.series.chunks import HOUR_MS, MINUTE_MS, gathered, one_each, pack, pack_roll, rows, unpack, unpack_roll

times = st.lists(st.integers(0, 3_599_999), min_size=1, max_size=100, unique=True).map(
    lambda x: np.sort(np.array(x, np.int64)) + 1_800_000_000_000
)
decimal_values = st.lists(st.integers(-10_000_000, 10_000_000).map(lambda x: x / 100), min_size=100, max_size=100)
any_values = hnp.arrays(np.float64, 100, elements=st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=60, deadline=None)
@given(t=times, v=st.one_of(decimal_values.map(np.array), any_values))
def test_what_is_packed_comes_back_bit_for_bit(t: np.ndarray, v: np.ndarray) -> None:
    v = v[: len(t)]
    t2, v2 = unpack(pack(t, v))
    assert t2.tolist() == t.tolist()
    assert v2.view(np.int64).tolist() == v.view(np.int64).tolist()


def test_an_hour_of_weights_is_small() -> None:
    rng = np.random.default_rng(7)
    t = np.arange(3600, dtype=np.int64) * 1000 + 1_800_000_000_000
    v = np.round(rng.normal(38_000, 3, 3600) / 20) * 20
    assert len(pack(t, v)) / 3600 < 0.5
    assert len(pack(t, np.round(np.cumsum(rng.normal(0, 0.05, 3600)), 2))) / 3600 < 1.3


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_chunk_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(data)
    with pytest.raises(ValueError):
        unpack_roll(data, 0)


def test_of_two_values_for_one_instant_the_later_written_stands() -> None:
    t, v = one_each(np.array([3, 1, 3, 2, 1]), np.array([30.0, 10.0, 31.0, 20.0, 11.0]))
    assert (t.tolist(), v.tolist()) == ([1, 2, 3], [11.0, 20.0, 31.0])


@settings(max_examples=40, deadline=None)
@given(t=times, v=decimal_values, step=st.sampled_from([1, 250, 1000, 60_000, 3_600_000]))
def test_buckets_are_what_a_slow_loop_says(t: np.ndarray, v: list[float], step: int) -> None:
    expected: dict[int, list[float]] = {}
    for at, value in zip(t.tolist(), v, strict=False):
        expected.setdefault(at // step * step, []).append(value)
    got = gathered(rows(t, np.array(v[: len(t)])), step)
    assert got["t"].tolist() == sorted(expected)
    for row in got:
        values = expected[int(row["t"])]
        assert (row["n"], row["min"], row["max"], row["last"]) == (len(values), min(values), max(values), values[-1])
        assert row["mean"] == pytest.approx(sum(values) / len(values), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(t=times, v=decimal_values)
def test_summing_minutes_is_summing_values(t: np.ndarray, v: list[float]) -> None:
    values = rows(t, np.array(v[: len(t)]))
    minutes = gathered(values, MINUTE_MS)
    hour = int(t[0]) // HOUR_MS * HOUR_MS
    stored = unpack_roll(pack_roll(minutes, hour), hour)
    assert stored.tobytes() == minutes.tobytes()
    whole, by_minutes = gathered(values, HOUR_MS), gathered(stored, HOUR_MS)
    for name in ("t", "n", "min", "max", "last"):
        assert whole[name].tolist() == by_minutes[name].tolist()
    assert by_minutes["mean"] == pytest.approx(whole["mean"], abs=1e-6)
