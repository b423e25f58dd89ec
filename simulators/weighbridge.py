"""A weighing indicator on a truck scale, in any maker's dialect; the Yaohua XK3190-A9 unless told otherwise.

How it speaks is in `weigh_formats` (sent unasked, ten times a second) and `weigh_talk` (only when asked).

The Yaohua manuals give no frame for a display that cannot show a number (over Max + 9 d, where OIML R76 forbids a
number). Which of blanks, dashes, the number itself or silence a given firmware sends is therefore a knob
(`IndicatorFaults.overload_output`); blanks with a right XOR is taken here.

Zero, by OIML R76: captured at power-up when the load is small; then tracked, not faster than half a division a second
and only near zero. At rest: within one division for half a second.
"""

import random
import re
from collections import deque
from collections.abc import Callable

from simulators.baud import heard_at
from simulators.clock import SimClock
from simulators.deck import Deck, to_division
from simulators.faults import IndicatorFaults
from simulators.pipes import Client, OnWire
from simulators.weigh_formats import ETX, FORMATS, STX, Trouble, Window, even_parity, xor
from simulators.weigh_talk import TALKS, Plate

OVERLOAD_DIVISIONS = 9
"""OIML R76: no number above Max + 9 e."""
UNDER_DIVISIONS = 20
"""Below zero by so many divisions, where the dialect has a word for it."""
POWER_ZERO_SHARE = 0.04
"""Of Max: a load up to this is taken as zero at power-up. R76 allows a fifth; the makers ship a narrow window."""
TRACK_DIVISIONS_PER_S = 0.5
TRACK_WINDOW_DIVISIONS = 0.5
FILTER_S = 0.25
"""Time constant of the indicator's own smoothing, as of a middle filter setting."""
STILL_S = 0.5
CENTRE_DIVISIONS = 0.25
GARBAGE_BYTES = 24
DIALECTS = (*FORMATS, *TALKS)
"""Every name that `dialect` may be."""


class Indicator(OnWire):
    """Shows what its deck feels, and says so ten times a second, or when it is asked."""

    def __init__(
        self,
        clock: SimClock,
        load_kg: Callable[[], float],
        *,
        seed: int,
        max_kg: float,
        division_kg: float = 20.0,
        decimals: int = 0,
        unit: str = "kg",
        unit_kg: float | None = None,
        rate_hz: float = 10.0,
        deck: Deck | None = None,
        faults: IndicatorFaults | None = None,
        dialect: str = "yaohua-a9",
        seven_bits: bool = False,
        plate: Plate | None = None,
        filter_s: float = FILTER_S,
    ) -> None:
        """`load_kg`: what stands on the deck now. `seven_bits`: the port is set to 7E1. KeyError: no such dialect.

        `filter_s`: time constant of its smoothing; one for axles is set to its fastest.
        """
        super().__init__()
        self.faults = IndicatorFaults() if faults is None else faults
        self.frames_sent = 0
        self.plate = Plate() if plate is None else plate
        self._clock = clock
        self._load_kg = load_kg
        self._random = random.Random(seed)
        self._deck = Deck(self._random.getrandbits(32), division_kg) if deck is None else deck
        self._max_kg, self._filter_s = max_kg, filter_s
        self._division_kg = division_kg
        self._decimals = decimals
        self._unit = unit
        self._unit_kg = {"t": 1000.0, "g": 0.001, "lb": 0.45359237}.get(unit, 1.0) if unit_kg is None else unit_kg
        self._period_s = 1.0 / rate_hz
        self._seven_bits = seven_bits
        self._talk = TALKS.get(dialect)
        self._format = None if self._talk else FORMATS[dialect]
        self._dialect = dialect
        self._zero_kg = 0.0
        self._smooth_kg: float | None = None
        self._recent: deque[float] = deque(maxlen=max(2, round(STILL_S * rate_hz)))
        self._shown_kg: float | None = None
        self._window = self._look(0.0, 0.0)
        self._last_frame = b"" if self._format is None else self._format(self._window)

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
            self.pipe.send(self._on_wire(self.next_bytes()))
            next_at = max(next_at + self._period_s, self._clock.now())
            await self._clock.sleep(next_at - self._clock.now())

    def next_bytes(self) -> bytes:
        """Measure now; the bytes that go out for it unasked, faults included."""
        window = self._measure()
        if not self.faults.frozen:
            self._window = window
        if self._format is None:
            return b""
        frame = self._last_frame if self.faults.frozen else self._framed(self._window)
        self._last_frame = frame
        if self.faults.silent:
            return b""
        self.frames_sent += bool(frame)
        return self._noise() + self._spoiled(frame)

    def heard(self, data: bytes, client: Client) -> None:
        """A request, when this dialect knows any."""
        if self._talk is None:
            return
        client.pending += data
        answer = self._talk(client.pending, self._window, self.plate)
        if answer and not self.faults.silent:
            self.frames_sent += 1
            client.send(self._on_wire(self._noise() + self._spoiled(answer)))

    def _on_wire(self, data: bytes) -> bytes:
        """As a port at the other end hears it."""
        data = even_parity(data) if self._seven_bits else data
        baud = self.faults.heard_at_baud
        return data if baud is None or not data else heard_at(data, self.faults.baud, baud)

    def _measure(self) -> Window:
        felt_kg = self._deck.felt(self._clock.now(), self._load_kg()) + self.faults.drift_kg
        if self._smooth_kg is None:
            self._smooth_kg = felt_kg
        before_kg = self._smooth_kg
        self._smooth_kg += (felt_kg - before_kg) * self._period_s / (self._filter_s + self._period_s)
        self._recent.append(self._smooth_kg)
        self._track_zero(before_kg)
        return self._look(self._smooth_kg - self._zero_kg + self.faults.added_kg, self.faults.tare_left_kg)

    def _look(self, gross_kg: float, tare_kg: float) -> Window:
        """What the window shows of this."""
        trouble: Trouble = ""
        if gross_kg > self._max_kg + OVERLOAD_DIVISIONS * self._division_kg:
            trouble = "" if self.faults.overload_output == "digits" else "over"
        elif gross_kg < -UNDER_DIVISIONS * self._division_kg:
            trouble = "under"
        if self.faults.broken:
            trouble = "error"
        net_kg = to_division(gross_kg - tare_kg, self._division_kg)
        self._shown_kg = None if trouble in ("over", "error") else net_kg
        still = len(self._recent) == self._recent.maxlen and max(self._recent) - min(self._recent) <= self._division_kg
        return Window(
            count=self._counted(net_kg),
            places=self._decimals,
            unit=self._unit,
            step=max(1, self._counted(self._division_kg)),
            stable=still,
            centre=abs(gross_kg - tare_kg) <= CENTRE_DIVISIONS * self._division_kg,
            net=tare_kg != 0.0,
            tare=self._counted(to_division(tare_kg, self._division_kg)),
            preset=tare_kg != 0.0 and self.faults.tare_is_preset,
            trouble=trouble,
        )

    def _counted(self, kg: float) -> int:
        return round(kg / self._unit_kg * 10**self._decimals)

    def _track_zero(self, before_kg: float) -> None:
        assert self._smooth_kg is not None
        off_kg = self._smooth_kg - self._zero_kg
        step_kg = TRACK_DIVISIONS_PER_S * self._division_kg * self._period_s
        still = abs(self._smooth_kg - before_kg) <= step_kg
        if still and abs(off_kg) <= TRACK_WINDOW_DIVISIONS * self._division_kg:
            self._zero_kg += max(-step_kg, min(step_kg, off_kg))

    def _framed(self, window: Window) -> bytes:
        assert self._format is not None
        if window.trouble in ("over", "error"):
            if self.faults.overload_output == "silent":
                return b""
            if self.faults.overload_output == "dashes" and self._dialect == "yaohua-a9":
                body = b"+------%d" % window.places
                return STX + body + b"%02X" % xor(body) + ETX
        return self._format(window)

    def _noise(self) -> bytes:
        if self._random.random() >= self.faults.garbage_per_s * self._period_s:
            return b""
        return self._random.randbytes(self._random.randint(1, GARBAGE_BYTES))

    def _spoiled(self, frame: bytes) -> bytes:
        if not frame:
            return frame
        if self._random.random() < self.faults.swap_share:
            frame = self._swapped(frame)
        if self._random.random() < self.faults.bad_sum_share:
            frame = self._one_bit_off(frame)
        if self._random.random() < self.faults.half_share:
            frame = frame[: self._random.randint(1, len(frame) - 1)]
        return frame

    def _swapped(self, frame: bytes) -> bytes:
        """Two neighbouring digits of the longest run of them change places."""
        run = max(re.finditer(rb"\d+", frame), key=lambda found: len(found[0]), default=None)
        if run is None or len(run[0]) < 2:
            return frame
        last = run.end() - 2
        if self._dialect == "yaohua-a9":
            last -= 3  # the decimals and the check digits stand in the same run
        at = self._random.randint(run.start(), max(run.start(), last))
        return frame[:at] + frame[at + 1 : at + 2] + frame[at : at + 1] + frame[at + 2 :]

    def _one_bit_off(self, frame: bytes) -> bytes:
        if self._dialect == "yaohua-a9":
            return frame[:9] + (b"00" if frame[9:11] != b"00" else b"01") + frame[11:]
        at = self._random.randrange(len(frame))
        return frame[:at] + bytes((frame[at] ^ 1 << self._random.randrange(7),)) + frame[at + 1 :]


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["weighbridge", *sys.argv[1:]])
