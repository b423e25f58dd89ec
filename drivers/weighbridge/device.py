"""An indicator on a link. One object, one connection's life."""

from collections.abc import AsyncIterator, Awaitable

from drivers.faults import NoAnswer
from drivers.kinds import Clock, Link
from drivers.readings import Chunk, Garbage, Instant, Tally
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.frames import Frame, Remark
from drivers.weighbridge.reading import Reader, Weight

GAP_S = 1.0
"""Between two frames; continuous mode sends several a second even at 600 baud, so a longer pause lost some."""
PLATE_EVERY_S = 60.0
"""An indicator cannot be exchanged within a minute, and a question a minute costs nothing."""
SEND_S = 1.0
"""A question is a dozen bytes: a port that does not take them within this is gone."""


class Weighbridge:
    """Listens, or asks what can be read; nothing that it sends changes anything in the indicator."""

    def __init__(self, link: Link, config: WeighbridgeConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.serial: str | None = None
        """The serial number that the indicator told last."""
        self.calibrations: int | None = None
        """How often it says that it was calibrated."""
        self.latency_s: float | None = None
        """Site seconds from the last question to the weight that came next; None: nothing is asked."""
        self.refused: Remark | None = None
        """What it would not do, last."""
        self._link = link
        self._silence_s, self._poll_s = config.silence_s, config.poll_s
        speech = config.speech()
        address = config.address or speech.address
        self._questions = () if speech.ask is None else speech.ask(address)
        self._plate_questions = () if speech.ask_plate is None else speech.ask_plate(address)
        self._ask_at = self._ask_plate_at = clock.now()
        self._decoder = speech.decoder()
        self._reader = Reader(config.scale())
        self._clock = clock
        self._frame_at: Instant | None = None
        self._asked_at: Instant | None = None

    async def words(self) -> AsyncIterator[Weight | Garbage]:
        """Every weight and every piece of noise. Ends with a LinkFault; NoAnswer after the site's silence.

        Noise is no speech: a line that gives nothing else for as long is silent, too.
        """
        spoke = self._clock.now()
        tally, next_word, read = self.tally, self._decoder.next_word, self._reader.read
        while True:
            chunk = await (self._asked_for(spoke) if self._questions else self._unasked(spoke))
            at = chunk.at
            self._decoder.receive(chunk.data)
            while (word := next_word()) is not None:
                if isinstance(word, Frame):
                    tally.words += 1
                    tally.gaps += self._frame_at is not None and at - self._frame_at > GAP_S
                    self._frame_at = spoke = at
                    if self._asked_at is not None:
                        self.latency_s, self._asked_at = at - self._asked_at, None
                    yield read(word, at)
                elif isinstance(word, Garbage):
                    tally.garbage += 1
                    tally.garbage_bytes += len(word.raw)
                    yield word
                else:
                    self._heard(word)
            if at - spoke >= self._silence_s:
                raise NoAnswer(self._link.name, f"nothing but noise for {self._silence_s:g} s")

    def _unasked(self, spoke: Instant) -> Awaitable[Chunk]:
        """The next bytes of an indicator that speaks by itself. Raises NoAnswer when the silence has lasted."""
        # At least once more: a process that was held up for longer finds its bytes waiting.
        return self._link.read(max(spoke + self._silence_s - self._clock.now(), 0.001))

    async def _asked_for(self, spoke: Instant) -> Chunk:
        """The next bytes, asked for when it is time. Raises NoAnswer when the silence has lasted."""
        while True:
            now = self._clock.now()
            left_s = spoke + self._silence_s - now
            if now >= self._ask_at:
                await self._ask(now)
            try:
                return await self._link.read(max(min(left_s, self._ask_at - now), 0.001))
            except NoAnswer:
                if self._clock.now() - spoke >= self._silence_s:
                    raise NoAnswer(self._link.name, f"no weight for {self._silence_s:g} s, though asked") from None

    async def _ask(self, now: Instant) -> None:
        """One question a beat; now and then the one for the plate as well. A missed beat is not made up for."""
        self._ask_at = Instant(max(self._ask_at + self._poll_s, now))
        asked = self._questions
        if self._plate_questions and now >= self._ask_plate_at:
            self._ask_plate_at = Instant(now + PLATE_EVERY_S)
            asked = (*self._plate_questions, *asked)
        self._asked_at = self._clock.now()
        for question in asked:
            await self._link.write(question, SEND_S)

    def _heard(self, remark: Remark) -> None:
        if remark.what == "serial":
            self.serial = remark.text
        elif remark.what == "calibrations" and remark.text.isdecimal():
            self.calibrations = int(remark.text)
        elif remark.what == "refused":
            self.refused = remark
