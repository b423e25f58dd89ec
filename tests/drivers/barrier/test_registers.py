"""What goes on the wire for a movement, module by module."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.barrier.config import BarrierConfig
from drivers.barrier.registers import Movement, command_span, mismatches, pulses
from drivers.link.modbus_tables import TABLES, FlashOn, ModuleTable, table_named
from tests.drivers.barrier.boom import wired


def test_each_module_in_its_own_way() -> None:
    adam = pulses(table_named("adam-6050"), wired())[Movement.LOWER]
    assert (adam.address, adam.word, adam.seen_at, adam.ends_itself) == (17, 0xFF00, 17, False)
    moxa = pulses(table_named("moxa-e1214"), wired())[Movement.LOWER]
    assert (moxa.address, moxa.word, moxa.seen_at, moxa.ends_itself) == (17, 0xFF00, 17, True)
    plain = pulses(table_named("plain-8ch"), wired())[Movement.LOWER]
    assert (plain.address, plain.word, plain.seen_at, plain.ends_itself) == (0x201, 5, 1, True)


def test_a_stop_that_is_not_wired_has_no_pulse() -> None:
    assert set(pulses(TABLES[0], wired(stop=None))) == {Movement.RAISE, Movement.LOWER}


@pytest.mark.parametrize(("pulse_s", "fits"), [(0.1, True), (0.3, True), (2.0, True), (0.25, False)])
def test_a_pulse_that_the_module_cannot_count_is_told(pulse_s: float, fits: bool) -> None:
    said = mismatches(table_named("plain-8ch"), wired(pulse_s=pulse_s))
    assert said == ([] if fits else ["pulse_s = 0.25: plain-8ch pulses in steps of 0.1 s"])


def test_channels_beyond_the_module_are_told() -> None:
    said = mismatches(table_named("adam-6050"), wired(lower=6, stop=7))
    assert [words.split(":")[0] for words in said] == ["outputs.lower = 6", "outputs.stop = 7"]


@pytest.mark.parametrize("wrong", [{"lower": 0}, {"stop": 1}, {"raise": -1}, {"raise": True}, {"force": 1}])
def test_a_wrong_configuration_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        wired(**wrong)


@given(
    table=st.sampled_from(TABLES),
    channels=st.lists(st.integers(0, 3), min_size=3, max_size=3, unique=True),
    tenths=st.integers(1, 20),
)
def test_no_two_movements_share_a_coil_and_all_are_read_back(
    table: ModuleTable, channels: list[int], tenths: int
) -> None:
    config = BarrierConfig.model_validate(
        {**dict(zip(("raise", "lower", "stop"), channels, strict=True)), "pulse_s": tenths / 10}
    )
    assert mismatches(table, config) == []
    made = pulses(table, config)
    assert len({pulse.address for pulse in made.values()}) == 3
    assert len({pulse.seen_at for pulse in made.values()}) == 3
    span = command_span(made)
    assert all(span.start <= pulse.seen_at < span.start + span.count for pulse in made.values())
    for pulse in made.values():
        assert pulse.width_s == pytest.approx(tenths / 10)
        if isinstance(table.pulse, FlashOn):
            assert pulse.word == tenths, "neither 0000 nor FF00: it can never be a plain on"
        else:
            assert pulse.word == 0xFF00
