"""Settings of a card reader: Wiegand by a converter, ISO 14443 and EM4100 by serial readers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.config import StreamLinkConfig
from drivers.rfid.card_frames import CardDialect, Check, Printed, Setting
from drivers.rfid.cards import NumberForm, Parity, WiegandBits, fits


class CardReaderConfig(BaseModel):
    """The `[lanes.cards]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    dialect: CardDialect
    link: StreamLinkConfig
    check: Check = "none"
    """Of `card-lines` in hex: the last byte of a line is the XOR or the sum of those before it."""
    printed: Printed = "hex"
    """What a line of `card-lines` holds: hex digits; ten or eight decimal ones; three and five."""
    wiegand: WiegandBits | None = None
    """Bits of a frame, for `wiegand-lines`."""
    parity: Parity = "even-odd"
    """Of a Wiegand frame: its first bit makes an even number of ones, its last an odd one; or the other way round."""
    bytes: Literal["as-sent", "reversed"] = "as-sent"
    """Whether the number is what the reader sends, or its bytes from the last to the first."""
    number: NumberForm = "8h10d"
    """How a card is written: as customs has it registered, and as it is printed on the card."""
    cards: Literal["iso14443", "any"] = "any"
    """iso14443: numbers of four bytes that are half of a longer one, or drawn anew each time, are no cards."""
    repeat_window_s: float = Field(default=3.0, ge=0)
    """A card that stays is told once in this time."""

    @model_validator(mode="after")
    def _fits_the_dialect(self) -> "CardReaderConfig":
        if (self.dialect == "wiegand-lines") != (self.wiegand is not None):
            raise ValueError('expected wiegand = 26, 34, 37 or 66 with dialect "wiegand-lines", and with no other')
        if self.dialect != "card-lines" and (self.printed != "hex" or self.check != "none"):
            raise ValueError('printed and check belong to dialect "card-lines": the others have their own')
        if self.printed != "hex" and self.check != "none":
            raise ValueError("check belongs to lines in hex")
        bits = self._bits()
        if bits is not None and not fits(self.number, bits):
            raise ValueError(f"number {self.number!r} needs more bits, or others, than the {bits} that are read")
        if bits is not None and bits % 8 and self.bytes == "reversed":
            raise ValueError(f'bytes = "reversed": {bits} bits have no bytes to turn round')
        return self

    def _bits(self) -> int | None:
        """Where the dialect says it."""
        if self.wiegand is not None:
            return self.wiegand - 2
        return 24 if self.printed == "3+5" else None

    def setting(self) -> Setting:
        """For the decoder."""
        return Setting(
            dialect=self.dialect,
            check=self.check,
            printed=self.printed,
            wiegand=self.wiegand,
            parity=self.parity,
            turned=self.bytes == "reversed",
            number=self.number,
            iso14443=self.cards == "iso14443",
        )
