"""Bits and names, for every wiring there may be."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.lane_io.config import INPUT_NAMES, LaneIoConfig
from drivers.lane_io.registers import Lamp, input_span, inputs_from_bits, lamp_from_bits, lamp_span
from drivers.link.modbus_tables import TABLES, ModuleTable
from tests.drivers.lane_io.lane import wired


@st.composite
def wirings(draw: st.DrawFn) -> LaneIoConfig:
    names = draw(st.lists(st.sampled_from(INPUT_NAMES), unique=True))
    channels = draw(st.lists(st.integers(0, 15), min_size=len(names), max_size=len(names), unique=True))
    outputs = draw(st.lists(st.integers(0, 7), min_size=5, max_size=5, unique=True))
    lamps = draw(st.sampled_from([("red", "green"), ("red",), ("green",), ()]))
    return wired(
        inputs=dict(zip(names, channels, strict=True)),
        inverted=[name for name in names if draw(st.booleans())],
        outputs=dict(zip(("raise", "lower", *lamps), outputs, strict=False)),
    )


@given(config=wirings(), contacts=st.lists(st.booleans(), min_size=16, max_size=16), table=st.sampled_from(TABLES))
def test_every_input_is_its_own_contact(config: LaneIoConfig, contacts: list[bool], table: ModuleTable) -> None:
    span = input_span(table, config)
    if span is None:
        assert inputs_from_bits(config, []) == {}
        return
    first = span.start - table.inputs.start
    assert inputs_from_bits(config, contacts[first : first + span.count]) == {
        name: contacts[channel] ^ (name in config.inverted) for name, channel in config.inputs.items()
    }


@given(config=wirings(), length=st.integers(0, 16))
def test_a_bit_that_is_missing_is_unknown_and_never_false(config: LaneIoConfig, length: int) -> None:
    first = min(config.inputs.values(), default=0)
    values = inputs_from_bits(config, [False] * length)
    assert set(values) == set(config.inputs)
    assert all((values[name] is None) == (channel - first >= length) for name, channel in config.inputs.items())


@given(config=wirings(), lit=st.lists(st.booleans(), min_size=8, max_size=8), table=st.sampled_from(TABLES))
def test_lamp_is_what_its_outputs_say(config: LaneIoConfig, lit: list[bool], table: ModuleTable) -> None:
    span = lamp_span(table, config)
    on = {
        lamp
        for lamp, channel in ((Lamp.RED, config.outputs.red), (Lamp.GREEN, config.outputs.green))
        if channel is not None and lit[channel]
    }
    if span is None:
        assert lamp_from_bits(config, []) is Lamp.UNKNOWN
        return
    first = span.start - table.outputs.start
    lamp = lamp_from_bits(config, lit[first : first + span.count])
    assert lamp is (Lamp.OFF if not on else Lamp.UNKNOWN if len(on) > 1 else on.pop())
    assert lamp_from_bits(config, lit[first : first + span.count - 1]) is Lamp.UNKNOWN


@given(config=wirings())
def test_no_lamp_lies_on_a_coil_of_the_boom(config: LaneIoConfig) -> None:
    lamps = {config.outputs.red, config.outputs.green} - {None}
    assert not lamps & {config.outputs.raise_, config.outputs.lower, config.outputs.stop}
