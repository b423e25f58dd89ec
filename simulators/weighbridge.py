"""A weighing indicator of the Yaohua XK3190-A9 family, continuous mode (tF = 0), on a truck scale.

From the makers' manuals (A9, A23p, DS1): twelve bytes `02 sign d d d d d d decimals x x 03`, sign 2B or 2D, six digits
of what the display shows, decimals 30..34 counted from the right, x x the XOR of bytes 2 to 9 as two upper-case hex
digits. There is no unit, no motion, no gross/net and no overload in the frame.

The manuals give no frame for a display that cannot show a number (over Max + 9 d, where OIML R76 forbids a number).
Which of blanks, dashes, the number itself or silence a given firmware sends is therefore a knob
(`IndicatorFaults.overload_output`); blanks with a right XOR is taken here.

Zero, by OIML R76: captured at power-up when the load is small; then tracked, not faster than half a division a second
and only near zero.
"""

import random
from collections.abc import Callable

from simulators.clock import SimClock
from simulators.deck import Deck, to_division
from simulators.faults import IndicatorFaults
from simulators.pipes import OnWire

STX, ETX = 0x02, 0x03
DISPLAY_DIGITS = 6
OVERLOAD_DIVISIONS = 9
"""OIML R76: no number above Max + 9 e."""
POWER_ZERO_SHARE = 0.04
"""Of Max: a load up to this is taken as zero at power-up. R76 allows a fifth; the makers ship a narrow window."""
TRACK_DIVISIONS_PER_S = 0.5
TRACK_WINDOW_DIVISIONS = 0.5
FILTER_S = 0.25
"""Time constant of the indicator's own smoothing, as of a middle filter setting."""
GARBAGE_BYTES = 24


def continuous_frame(display: int, decimals: int = 0) -> bytes:
    """The frame for these display digits, the point left out. ValueError when six digits are not enough."""
    digits = f"{abs(display):0{DISPLAY_DIGITS}d}"
    if len(digits) > DISPLAY_DIGITS:
        raise ValueError(f"{display} does not fit into {DISPLAY_DIGITS} digits")
    return _sealed(b"-" if display < 0 else b"+", digits.encode("ascii"), decimals)


def _sealed(sign: bytes, digits: bytes, decimals: int) -> bytes:
    body = sign + digits + f"{decimals}".encode("ascii")
    total = 0
    for byte in body:
        total ^= byte
    return bytes((STX,)) + body + f"{total:02X}".encode("ascii") + bytes((ETX,))


class YaohuaIndicator(OnWire):
    """Shows what its deck feels, and says so ten times a second."""

    def __init__(
        self,
        clock: SimClock,
        load_kg: Callable[[], float],
        *,
        seed: int,
        max_kg: float,
        division_kg: float = 20.0,
        decimals: int = 0,
        unit_kg: float = 1.0,
        rate_hz: float = 10.0,
        deck: Deck | None = None,
        faults: IndicatorFaults | None = None,
    ) -> None:
        """`load_kg`: what stands on the deck now. `unit_kg`: 1000 for a display in tonnes."""
        super().__init__()
        self.faults = IndicatorFaults() if faults is None else faults
        self.frames_sent = 0
        self._clock = clock
        self._load_kg = load_kg
        self._random = random.Random(seed)
        self._deck = Deck(self._random.getrandbits(32), division_kg) if deck is None else deck
        self._max_kg = max_kg
        self._division_kg = division_kg
        self._decimals = decimals
        self._unit_kg = unit_kg
        self._period_s = 1.0 / rate_hz
        self._zero_kg = 0.0
        self._smooth_kg: float | None = None
        self._shown_kg: float | None = None
        self._last_frame = continuous_frame(0, decimals)

    @property
    def shown_kg(self) -> float | None:
        """Kilograms on the display; None while it cannot show a number."""
        return self._shown_kg

    def power_up(self, load_kg: float | None = None) -> None:
        """Switch off and on, with this load (default: what stands on the deck now): a small one becomes the zero."""
        load = self._load_kg() if load_kg is None else load_kg
        felt_kg = load + self.faults.drift_kg
        self._zero_kg = felt_kg if abs(felt_kg) <= POWER_ZERO_SHARE * self._max_kg else 0.0
        self._smooth_kg = None

    async def run(self) -> None:
        """Measure and send until cancelled. Moments that were missed are not made up for."""
        next_at = self._clock.now()
        while True:
            self.pipe.send(self.next_bytes())
            next_at = max(next_at + self._period_s, self._clock.now())
            await self._clock.sleep(next_at - self._clock.now())

    def next_bytes(self) -> bytes:
        """Measure now; the bytes that go out for it, faults included."""
        frame = self._frame(self._measure())
        if self.faults.frozen:
            frame = self._last_frame
        self._last_frame = frame
        if self.faults.silent:
            return b""
        self.frames_sent += 1
        return self._noise() + self._spoiled(frame)

    def _measure(self) -> float | None:
        felt_kg = self._deck.felt(self._clock.now(), self._load_kg()) + self.faults.drift_kg
        if self._smooth_kg is None:
            self._smooth_kg = felt_kg
        before_kg = self._smooth_kg
        self._smooth_kg += (felt_kg - before_kg) * self._period_s / (FILTER_S + self._period_s)
        self._track_zero(before_kg)
        gross_kg = self._smooth_kg - self._zero_kg + self.faults.added_kg
        limit_kg = self._max_kg + OVERLOAD_DIVISIONS * self._division_kg
        if gross_kg > limit_kg and self.faults.overload_output != "digits":
            self._shown_kg = None
        else:
            self._shown_kg = to_division(gross_kg - self.faults.tare_left_kg, self._division_kg)
        return self._shown_kg

    def _track_zero(self, before_kg: float) -> None:
        assert self._smooth_kg is not None
        off_kg = self._smooth_kg - self._zero_kg
        step_kg = TRACK_DIVISIONS_PER_S * self._division_kg * self._period_s
        still = abs(self._smooth_kg - before_kg) <= step_kg
        if still and abs(off_kg) <= TRACK_WINDOW_DIVISIONS * self._division_kg:
            self._zero_kg += max(-step_kg, min(step_kg, off_kg))

    def _frame(self, shown_kg: float | None) -> bytes:
        if shown_kg is None:
            return {
                "dashes": _sealed(b"+", b"-" * DISPLAY_DIGITS, self._decimals),
                "silent": b"",
            }.get(self.faults.overload_output, _sealed(b"+", b" " * DISPLAY_DIGITS, self._decimals))
        return continuous_frame(round(shown_kg / self._unit_kg * 10**self._decimals), self._decimals)

    def _noise(self) -> bytes:
        if self._random.random() >= self.faults.garbage_per_s * self._period_s:
            return b""
        return self._random.randbytes(self._random.randint(1, GARBAGE_BYTES))

    def _spoiled(self, frame: bytes) -> bytes:
        if not frame:
            return frame
        if self._random.random() < self.faults.swap_share:
            at = self._random.randint(2, DISPLAY_DIGITS)
            frame = frame[:at] + frame[at + 1 : at + 2] + frame[at : at + 1] + frame[at + 2 :]
        if self._random.random() < self.faults.bad_sum_share:
            frame = frame[:9] + (b"00" if frame[9:11] != b"00" else b"01") + frame[11:]
        if self._random.random() < self.faults.half_share:
            frame = frame[: self._random.randint(1, len(frame) - 1)]
        return frame


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["weighbridge", *sys.argv[1:]])
