"""A driver's sign. One object, one connection's life."""

import asyncio
from collections.abc import Sequence

from drivers.faults import LinkLost, NoAnswer, OurMistake, Refused
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Tally
from drivers.sign import c_power
from drivers.sign.config import SignConfig
from drivers.sign.frames import Declined, Decoder, DoesNotFit, Shown, text_frame

WRITE_DEADLINE_S = 2.0
"""Some forty bytes: 40 ms at 9600 baud."""
ANSWER_DEADLINE_S = 3.0
"""A card answers when it has drawn the text, which takes the slow ones a second."""


class Sign:
    """Shows the driver what to do. Nothing is cut off: a text that does not fit is a mistake of ours."""

    def __init__(self, link: Link, config: SignConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self._link = link
        self._config = config
        self._clock = clock
        card = config.card
        self._decoder = Decoder() if config.dialect == "text" else c_power.Decoder(card.framing, card.card)
        self._turn = asyncio.Lock()
        self._owed = False
        """An answer is due: until it has come, nobody could tell whose the next one is."""

    def check(self, rows: Sequence[str]) -> bytes:
        """The bytes for these rows. Raises OurMistake where they do not fit the sign."""
        try:
            return self._frame(rows)
        except DoesNotFit as wrong:
            raise OurMistake(self._link.name, str(wrong)) from wrong

    def _frame(self, rows: Sequence[str]) -> bytes:
        config, card = self._config, self._config.card
        if config.dialect == "text":
            return text_frame(rows, columns=config.columns, max_rows=config.rows)
        return c_power.text_frame(
            rows, columns=config.columns, max_rows=config.rows, framing=card.framing, card=card.card,
            card_id=card.card_id, window=card.window, font_px=card.font_px, colour=card.colour,
        )  # fmt: skip

    async def show(self, rows: Sequence[str]) -> None:
        """Returns when the sign has said OK. Rows that are not given are blank.

        Raises OurMistake (nothing was sent), Refused (the sign's own code), NoAnswer, LinkLost. After NoAnswer, and
        after a cancellation while the answer was due, the connection is spent: LinkLost from then on.
        """
        frame = self.check(rows)
        async with self._turn:
            if self._owed:
                raise LinkLost(self._link.name, "an earlier answer never came on this connection")
            self._owed = True
            await self._link.write(frame, WRITE_DEADLINE_S)
            answer = await self._answer()
            self._owed = False
        self.tally.words += 1
        if isinstance(answer, Declined):
            raise Refused(self._link.name, "the sign does not show the text", answer.code)

    async def _answer(self) -> Shown | Declined:
        until = self._clock.now() + ANSWER_DEADLINE_S
        while True:
            while (word := self._decoder.next_word()) is not None:
                if not isinstance(word, Garbage):
                    return word
                self.tally.garbage += 1
                self.tally.garbage_bytes += len(word.raw)
            left_s = until - self._clock.now()
            if left_s <= 0:
                raise NoAnswer(self._link.name, f"neither yes nor no within {ANSWER_DEADLINE_S} s")
            chunk = await self._link.read(left_s)
            self._decoder.receive(chunk.data)
