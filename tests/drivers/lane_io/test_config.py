"""`[lanes.io]`: what a site may say, and what it is told when it says something else."""

import tomllib
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from drivers.lane_io.config import INPUT_NAMES, LaneIoConfig
from drivers.lane_io.registers import mismatches
from drivers.link.modbus_tables import table_named
from telemetry.payloads.inputs import InputName
from tests.drivers.lane_io.lane import wired

SITE = """
name = "io"
module = "adam-6050"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 502, unit = 1 }
poll_s = 0.1
inverted = ["boom_fault"]
outputs = { raise = 0, lower = 1, stop = 2, red = 3, green = 4 }
pulse_s = 0.5

[inputs]
loop_arrival = 0
beam_rear = 1
beam_front = 2
loop_boom = 3
photocell = 4
limit_down = 5
limit_up = 6
boom_fault = 7
"""


def test_the_site_files_own_words() -> None:
    config = LaneIoConfig.model_validate(tomllib.loads(SITE))
    assert config.inputs["boom_fault"] == 7
    assert config.outputs.raise_ == 0
    assert config.outputs.model_dump(by_alias=True) == {"raise": 0, "lower": 1, "stop": 2, "red": 3, "green": 4}
    assert mismatches(table_named(config.module), config) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": {"loop_arival": 0}}, "loop_arrival"),
        ({"inputs": {"photocell": 1, "limit_up": 1}}, "limit_up and photocell share input channel 1"),
        ({"inputs": {"photocell": True}}, "valid integer"),
        ({"inputs": {"photocell": -1}}, "greater than or equal to 0"),
        ({"inverted": ["photocell"], "inputs": {"limit_up": 1}}, "not wired: photocell"),
        ({"outputs": {"raise": 0, "lower": 0}}, "lower and raise share output channel 0"),
        ({"outputs": {"raise": 0, "lower": 1, "red": 1}}, "red and lower share output channel 1"),
        ({"outputs": {"lower": 1}}, "raise"),
        ({"outputs": {"raise": 0, "lower": 1, "horn": 2}}, "horn"),
        ({"poll_s": 0}, "poll_s"),
        ({"pulse_s": 5}, "pulse_s"),
        ({"modul": "x"}, "modul"),
    ],
)
def test_mistakes_are_told(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        wired(**change)


def test_channels_that_the_module_lacks_are_all_named() -> None:
    config = wired(inverted=[], inputs={"loop_arrival": 5, "photocell": 8}, outputs={"raise": 0, "lower": 9, "red": 10})
    said = mismatches(table_named("plain-8ch"), config)
    assert [words.split(":")[0] for words in said] == [
        "inputs.photocell = 8",
        "outputs.lower = 9",
        "outputs.red = 10",
    ]


def test_inputs_have_the_same_names_on_the_wire() -> None:
    assert get_args(InputName) == INPUT_NAMES
