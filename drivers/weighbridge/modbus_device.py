"""An indicator with registers on a Modbus link. One object, one connection's life; it only ever reads."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from drivers.faults import NoAnswer, Refused
from drivers.kinds import Clock
from drivers.link.modbus import ModbusLink
from drivers.readings import Garbage, Instant, Tally
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.device import GAP_S
from drivers.weighbridge.reading import Reader, Weight
from drivers.weighbridge.registers import heartbeat, read
from drivers.weighbridge.tables import WeightTable

HEARTBEAT_S: Final = 1.0
"""Ten times what the one known heartbeat takes to change (Flintec: 100 ms)."""


class RegisterScale:
    """Asks for one span of registers at every beat. Two reads that agree make a number good, as with two frames: the
    check sum covers the wire, not the moment in which the indicator writes its own registers."""

    serial: None = None
    """No table tells what stands on the plate."""
    calibrations: None = None

    def __init__(self, link: ModbusLink, table: WeightTable, config: WeighbridgeConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it. `table`: with the site's word order."""
        self.tally = Tally()
        self.latency_s: float | None = None
        """Site seconds from the last question to its answer."""
        self._link, self._table, self._clock = link, table, clock
        self._scale = config.scale()
        self._silence_s, self._poll_s = config.silence_s, config.poll_s
        self._read = link.read_holding_registers if table.area == "holding" else link.read_input_registers
        self._reader = Reader(self._scale)
        self._frame_at: Instant | None = None
        self._beat: float | None = None
        self._beat_at: Instant | None = None

    async def words(self) -> AsyncIterator[Weight | Garbage]:
        """A poll every `poll_s` site seconds. Ends with a LinkFault or TheirMistake; NoAnswer when what it answers is
        no weight for the site's silence. What an indicator refuses is heard, and no weight."""
        spoke = due = self._clock.now()
        while True:
            word, at = await self._poll()
            spoke = at if isinstance(word, Weight) else spoke
            yield word
            if isinstance(word, Garbage) and at - spoke >= self._silence_s:
                raise NoAnswer(self._link.name, f"no weight for {self._silence_s:g} s: {word.why}")
            now = self._clock.now()
            due += self._poll_s
            if now >= due:
                due += int((now - due) / self._poll_s) * self._poll_s
            if (wait_s := due - now) > 0:
                await self._clock.sleep(wait_s)

    async def _poll(self) -> tuple[Weight | Garbage, Instant]:
        asked_at = self._clock.now()
        try:
            words = await self._read(self._table.start, self._table.count)
        except Refused as no:
            return self._garbage(Garbage(b"", no.what)), self._clock.now()
        at = self._clock.now()
        self.latency_s = at - asked_at
        frame = read(self._table, words, self._scale)
        if isinstance(frame, Garbage):
            return self._garbage(frame), at
        if not self._lives(heartbeat(self._table, words), at):
            frame = replace(frame, doubt="its heartbeat stands still: the converter has stopped")
        self.tally.words += 1
        self.tally.gaps += self._frame_at is not None and at - self._frame_at > GAP_S
        self._frame_at = at
        return self._reader.read(frame, at), at

    def _garbage(self, word: Garbage) -> Garbage:
        self.tally.garbage += 1
        self.tally.garbage_bytes += len(word.raw)
        return word

    def _lives(self, beat: float | None, at: Instant) -> bool:
        if beat is None:
            return True
        if beat != self._beat or self._beat_at is None:
            self._beat, self._beat_at = beat, at
        return at - self._beat_at < HEARTBEAT_S
