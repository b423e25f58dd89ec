"""The body of `inputs`."""

from typing import Literal

import msgspec

InputName = Literal[
    "loop_arrival",
    "beam_rear",
    "beam_front",
    "loop_boom",
    "photocell",
    "limit_down",
    "limit_up",
    "boom_fault",
    "axle_in",
    "axle_on",
    "axle_out",
]
"""In the order a truck meets them: arrival loop, light beams across both ends of the deck, loop and photocell
under the boom, and what the boom says of itself; then the wheel sensors of a deck that weighs axle by axle."""


class InputsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Occupied, broken or reached is true. Null: wired, but not known now."""

    inputs: dict[InputName, bool | None]
    lamp: Literal["red", "green", "off", "unknown"]
