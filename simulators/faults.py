"""What may go wrong with an instrument: one set of knobs per kind. All are turned while the device runs."""

from dataclasses import dataclass, field
from typing import Literal

OverloadOutput = Literal["blank", "dashes", "digits", "silent"]
WrongAnswer = Literal["transaction", "unit", "function", "truncated", "noise"]


@dataclass(slots=True, kw_only=True)
class IndicatorFaults:
    """Of a weighing indicator. Rates called `_share` are shares of the frames, 0 to 1."""

    frozen: bool = False
    """The last frame is repeated for ever."""
    silent: bool = False
    """Nothing is sent; the link stays up."""
    drift_kg: float = 0.0
    """The cells' zero is off by this much: mud, a wedge, a wet junction box."""
    added_kg: float = 0.0
    """A remote device on the cell cable adds this from one frame to the next, without any bounce."""
    tare_left_kg: float = 0.0
    """Somebody left a tare on: the display shows net, and the frame does not say so."""
    garbage_per_s: float = 0.0
    """Bursts of random bytes between frames, on average so many in a site second."""
    half_share: float = 0.0
    """Frames of which only the beginning is sent."""
    swap_share: float = 0.0
    """Frames with two neighbouring digits swapped; the XOR stays right."""
    bad_sum_share: float = 0.0
    """Frames with a wrong XOR; with one wrong bit anywhere, in other dialects than the A9's."""
    broken: bool = False
    """A cell or the converter has failed: the window shows an error."""
    tare_is_preset: bool = False
    """`tare_left_kg` was typed in, not weighed."""
    baud: int = 9600
    heard_at_baud: int | None = None
    """The port at the other end is set to this speed instead of `baud`."""
    overload_output: OverloadOutput = "blank"
    """What the stream carries while the display cannot show a number."""


@dataclass(slots=True, kw_only=True)
class BoomFaults:
    """Of the barrier machine."""

    delay_s: float = 0.0
    """Late: an obeyed pulse moves the arm only after so long."""
    dead: bool = False
    """Pulses are taken but the arm does not start."""
    stall_at_deg: float | None = None
    """The arm stops when it passes this angle and comes no further."""
    stuck_down: bool | None = None
    """The lower limit switch always says this."""
    stuck_up: bool | None = None
    """The upper limit switch always says this."""
    fault_contact: bool = False
    """The machine reports a fault, and refuses to move, until it is repaired."""


@dataclass(slots=True, kw_only=True)
class IoFaults:
    """Of an I/O module."""

    stuck: dict[str, bool] = field(default_factory=dict[str, bool])
    """Inputs that always say this (in the sense of the wiring's names: True = occupied, broken, reached)."""
    silent: bool = False
    """Requests are neither answered nor carried out."""
    slow_s: float = 0.0
    """Each answer is held back by so many site seconds; the request is carried out at once."""
    deaf_outputs: bool = False
    """Writes are answered but the relays do not follow."""
    wrong: WrongAnswer | None = None
    """Requests are carried out and answered wrongly."""
    exception: int | None = None
    """Every request is refused with this exception code."""


@dataclass(slots=True, kw_only=True)
class TagFaults:
    """Of a tag reader."""

    silent: bool = False
    garbage_per_s: float = 0.0
    bad_sum_share: float = 0.0
    half_share: float = 0.0
    """Frames of which only the beginning is sent."""
    antenna_missing: bool = False
    """The inventory is answered by the reader's own error instead of by tags."""


@dataclass(slots=True, kw_only=True)
class CameraFaults:
    """Of a reading portal."""

    silent: bool = False
    half_share: float = 0.0
    """Lines that break off before their end, so that the next one is glued to them."""


@dataclass(slots=True, kw_only=True)
class TrackerFaults:
    """Of a position tracker."""

    silent: bool = False
    no_fix: bool = False
    """Status V, no position."""
    stale_position: bool = False
    """With `no_fix`: the last position stays in the sentence beside status V."""
    jump_m: float = 0.0
    """The position is this far north of the truth."""
    bad_checksum_share: float = 0.0
    duplicate_share: float = 0.0
    """Epochs that are sent twice."""
    late_share: float = 0.0
    """Epochs that are held back and sent after the next one."""
    half_share: float = 0.0
    """Sentences of which only the beginning is sent."""
    noise_share: float = 0.0
    """Sentences with random bytes before them."""
    jam_db: float = 0.0
    """All satellites are weaker by this; those below 25 dB-Hz are not used."""
    even_sky: bool = False
    """All satellites are equally strong, as from one transmitter near by."""
    antenna: str = ""
    """Text about the antenna, sent with each epoch: `ANTSTATUS=OPEN`."""
    clock_off_s: float = 0.0
    """The receiver's time is ahead by this much."""


@dataclass(slots=True, kw_only=True)
class GpsdFaults:
    """Of a gpsd and its receivers."""

    silent: bool = False
    no_fix: bool = False
    lost: set[str] = field(default_factory=set[str])
    """Devices that are not read any more."""
    cut_share: float = 0.0
    """Lines that are cut off, as gpsd does with those that grow too long."""
    garbage_share: float = 0.0
    """Lines in whose place other bytes come."""
    clock_off_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class TerminalFaults:
    """Of a vehicle terminal (JT/T 808) and the network between it and the platform."""

    silent: bool = False
    """It measures nothing and says nothing."""
    unplugged: bool = False
    """No network: the connection ends, positions are kept for later."""
    no_fix: bool = False
    stale_position: bool = False
    """With `no_fix`: the last position stays in the report."""
    jump_m: float = 0.0
    """The position is this far north of the truth."""
    clock_off_s: float = 0.0
    """The terminal's clock is ahead by this much."""
    alarms: int = 0
    """The alarm word of every report."""
    keep_share: float = 0.0
    """Positions that are kept back and sent in a batch."""
    duplicate_share: float = 0.0
    """Positions that are reported twice."""
    bad_xor_share: float = 0.0
    half_share: float = 0.0
    """Frames of which only the beginning is sent."""
    noise_share: float = 0.0
    """Frames with random bytes before them."""
    lost_packet_share: float = 0.0
    """Packets of a long message that never go out."""
    says_again: bool = True
    """Messages that are not answered are sent again."""
    skips_registration: bool = False
    """It reports without having registered or shown a code, as many do that were set up before."""
    wrong_code: str = ""
    """Shown instead of the code that the platform gave."""


@dataclass(slots=True, kw_only=True)
class SignFaults:
    """Of a text sign."""

    silent: bool = False
    error: str | None = None
    """Every text is refused with this code."""
    slow_s: float = 0.0
