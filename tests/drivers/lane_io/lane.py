"""A lane's I/O, wired as in the site file of the manual."""

from typing import Any

from drivers.lane_io.config import LaneIoConfig
from drivers.link.modbus_config import ModbusTcpConfig

WIRES: dict[str, Any] = {
    "module": "plain-8ch",
    "poll_s": 0.05,
    "inputs": {
        "loop_arrival": 0,
        "beam_rear": 1,
        "beam_front": 2,
        "loop_boom": 3,
        "photocell": 4,
        "limit_down": 5,
        "limit_up": 6,
        "boom_fault": 7,
    },
    "inverted": ["boom_fault"],
    "outputs": {"raise": 0, "lower": 1, "stop": 2, "red": 3, "green": 4},
}


def wired(**change: Any) -> LaneIoConfig:
    """The configuration, with changes."""
    link = ModbusTcpConfig(host="127.0.0.1").model_dump()
    return LaneIoConfig.model_validate({"link": link, **WIRES, **change})
