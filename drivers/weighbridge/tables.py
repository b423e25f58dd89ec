"""Register tables of weighing indicators: where the weight lies, how it is written, and which bit says what.

Addresses are those on the wire, counted from 0 (a manual's 40008 and 30008 are 7 here). A site adds a table of its own
under `[[weight_tables]]` of the site file, with the fields of `WeightTable`; a field left out means "has none":

    [[weight_tables]]
    name = "acme-w1"
    source = "ACME W1 Modbus manual 1.2, page 14"
    area = "holding"                                    # read with function 3; "input": with function 4
    gross = { at = 7, kind = "uint32" }                 # words = "low-first" where the low word comes first
    status = [{ at = 6, bits = { stable = [11], gross_negative = [7], overload = [2, 3], error = [0, 1] } }]
    decimals = { at = 13, bits = 8, codes = { 6 = 0, 9 = 1, 12 = 2 } }

The polarity of a bit is in its word: `stable = [2]` is a bit that is 1 at rest, `moving = [2]` one that is 1 in motion.
Everything a table names is fetched by one read, so that weight and status are of one moment. Nothing is ever written.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.modbus_tables import Address, Caution
from drivers.weighbridge.frames import Unit

_CLOSED = ConfigDict(frozen=True, extra="forbid")

WordOrder = Literal["high-first", "low-first"]
Fault = Literal["overload", "underload", "error"]
Meaning = Literal[
    "stable", "moving", "gross", "net", "tare", "preset_tare", "zero", "gross_negative", "shown_negative",
    "overload", "underload", "error", "ok", "busy", "unusual",
]  # fmt: skip
"""What a bit may say. gross, net: what the display shows. tare: one is on, whatever is shown. zero: within a quarter of
a division. busy: the registers are being written just now. unusual: what is shown is not the weight at its usual
resolution (second unit, tenfold, hold)."""
_OPPOSITE: tuple[tuple[Meaning, Meaning], ...] = (("stable", "moving"), ("gross", "net"), ("error", "ok"))
MOST_WORDS = 125
"""Registers in one read (Modbus application protocol 1.1b3, 6.3)."""


class Value(BaseModel):
    """A number."""

    model_config = _CLOSED

    at: Address
    kind: Literal["int16", "uint16", "int32", "uint32", "float32"]
    words: WordOrder = "high-first"

    @property
    def size(self) -> int:
        """Registers that it takes."""
        return 1 if self.kind.endswith("16") else 2


class Status(BaseModel):
    """One word or double word of bits; bit 0 is the lowest."""

    model_config = _CLOSED

    at: Address
    kind: Literal["uint16", "uint32"] = "uint16"
    words: WordOrder = "high-first"
    bits: dict[Meaning, tuple[Annotated[int, Field(strict=True, ge=0, le=31)], ...]]
    """Several bits of one meaning: any of them says it; of `ok` all of them do."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        most = 15 if self.kind == "uint16" else 31
        for meaning, bits in self.bits.items():
            if not bits or max(bits) > most:
                raise ValueError(f"{meaning} = {list(bits)}: expected bits from 0 to {most}")
        return self


class _Coded(BaseModel):
    """Some bits of one register that stand for one of a list."""

    model_config = _CLOSED

    at: Address
    low: Annotated[int, Field(strict=True, ge=0, le=15)] = 0
    """The lowest of them."""
    bits: Annotated[int, Field(strict=True, ge=1, le=16)] = 16

    def code(self, word: int) -> int:
        """What stands there."""
        return word >> self.low & (1 << self.bits) - 1


class DecimalsCode(_Coded):
    """Places behind the point, by code."""

    codes: dict[int, Annotated[int, Field(ge=0, le=5)]]


class UnitCode(_Coded):
    """The unit, by code. A code that is not listed counts no weight."""

    codes: dict[int, Unit]


class FaultCode(_Coded):
    """What is wrong, by code; 0 is nothing, and a code that is not listed is an error."""

    codes: dict[int, Fault]


class WeightTable(BaseModel):
    """One kind of indicator, or one of the maps that it can be set to."""

    model_config = _CLOSED

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    source: Annotated[str, Field(min_length=1)]
    """The manual, and the page, that these numbers are from."""
    area: Literal["holding", "input"] = "holding"
    gross: Value | None = None
    shown: Value | None = None
    """What the display shows, gross or net; only where the gross weight has no register of its own."""
    tare: Value | None = None
    status: tuple[Status, ...] = ()
    decimals: DecimalsCode | None = None
    """None: numbers come without their point, and the site's `decimals` says where it stands."""
    unit: UnitCode | None = None
    fault: FaultCode | None = None
    heartbeat: Value | None = None
    """A number that changes by itself all the time: it stands still when the converter does."""
    counts: Literal["digits", "divisions"] = "digits"
    """What an integer counts: the display's last place, or the scale's divisions."""
    most: Annotated[int, Field(ge=1, le=MOST_WORDS)] = MOST_WORDS
    """Registers that the indicator gives in one read."""
    cautions: tuple[Caution, ...] = ()

    @property
    def weight(self) -> Value:
        """The value that is taken."""
        value = self.gross or self.shown
        assert value is not None
        return value

    @property
    def start(self) -> int:
        """The first register that is read."""
        return min(at for at, _ in self._places())

    @property
    def count(self) -> int:
        """How many are read at once."""
        return max(at + size for at, size in self._places()) - self.start

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.gross is None) == (self.shown is None):
            raise ValueError("expected gross, or shown where the gross weight has no register of its own")
        told = [meaning for status in self.status for meaning in status.bits]
        if twice := sorted({meaning for meaning in told if told.count(meaning) > 1}):
            raise ValueError(f"{', '.join(twice)} stands in two status registers")
        for one, other in _OPPOSITE:
            if one in told and other in told and one != "error":
                raise ValueError(f"{one} and {other} say the same: expected one of them")
        sign: Meaning = "gross_negative" if self.gross else "shown_negative"
        if self.weight.kind.startswith("uint") and sign not in told:
            raise ValueError(f"a {self.weight.kind} has no sign: expected a status bit {sign}")
        if self.count > self.most:
            raise ValueError(f"{self.count} registers from {self.start} are too many for one read of {self.most}")
        if max(at + size for at, size in self._places()) > 0x10000:
            raise ValueError("a register beyond 65535")
        return self

    def ordered(self, words: WordOrder | None) -> "WeightTable":
        """With every double word in this order, and the codes that lie in one; None: as it is."""
        if words is None:
            return self
        changed: dict[str, Any] = {
            name: value.model_copy(update={"words": words})
            for name in ("gross", "shown", "tare", "heartbeat")
            if (value := getattr(self, name)) is not None
        }
        doubles = {status.at: status.words for status in self.status if status.kind == "uint32"}
        for name in ("decimals", "unit", "fault"):
            code = getattr(self, name)
            for at, order in doubles.items():
                if code is not None and code.at in (at, at + 1) and order != words:
                    changed[name] = code.model_copy(update={"at": 2 * at + 1 - code.at})
        status = tuple(each.model_copy(update={"words": words}) for each in self.status)
        return self.model_copy(update={**changed, "status": status})

    def _places(self) -> Iterator[tuple[int, int]]:
        for value in (self.gross, self.shown, self.tare, self.heartbeat):
            if value is not None:
                yield value.at, value.size
        for status in self.status:
            yield status.at, 1 if status.kind == "uint16" else 2
        for code in (self.decimals, self.unit, self.fault):
            if code is not None:
                yield code.at, 1


_SIXTEEN_BITS = Caution(
    zh="整型只有 16 位: 超过 32767 个末位 (或分度) 的重量无法表示, 仪表应设为按分度输出。",
    en="The integer has 16 bits: no weight above 32,767 of its last places fits; set the terminal to count divisions.",
)
_NO_WRITER = Caution(
    zh="第一输出字须为 0 (毛重): 不得有其他 PLC 向该仪表写命令字。Quaygate 从不写入。",
    en="The first output word must be 0 (gross): no other PLC may write command words to it. Quaygate never writes.",
)
_ONE_LESS = Caution(
    zh="手册从 1 起编号, 线上地址少 1; 现场须以已知载荷核对 (固件版本不同, 编号不同)。",
    en="The manual counts registers from 1, the wire one less; firmwares differ: try it with a known load.",
)
_HELD = Caution(
    zh="仪表的单位须为第一单位, 高分辨率、保持与峰值显示须关闭。",
    en="The indicator must show its first unit; high resolution, hold and peak must be off.",
)

_LAUMAS_DIVISIONS = {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 1, 8: 1, 9: 1, 10: 2, 11: 2, 12: 2, 13: 3, 14: 3,
                     15: 3, 16: 4, 17: 4, 18: 4}  # fmt: skip
"""100 to 1; 0.5 to 0.1; 0.05 to 0.01; and so on: the places that a division has."""
_AD_CODES: dict[int, Fault] = {
    1: "error",
    2: "overload",
    3: "underload",
    4: "error",
    5: "error",
    6: "error",
    7: "error",
}


def _flintec_short(name: str, source: str) -> WeightTable:
    return WeightTable(
        name=name,
        source=source,
        gross=Value(at=5, kind="int32"),
        tare=Value(at=3, kind="int32"),
        status=(Status(at=2, bits={"busy": (0,), "ok": (1,), "moving": (2,), "net": (3,), "zero": (12,)}),),
        fault=FaultCode(at=2, low=13, bits=3, codes=_AD_CODES),
    )


def _dini_multi(scale: int) -> WeightTable:
    first = 201 + 3 * (scale - 1)
    bits: dict[Meaning, tuple[int, ...]] = {
        "gross_negative": (0,), "stable": (1,), "underload": (2,), "overload": (3,), "zero": (4,), "tare": (6,),
        "preset_tare": (7,),
    }  # fmt: skip
    return WeightTable(
        name=f"dini-argeo-dgt4x-{scale}",
        source=f"Dini Argeo DGT4X technical manual, Modbus registers for data reading, multiscale, scale {scale}",
        gross=Value(at=first + 1, kind="uint32"),
        status=(Status(at=first, bits=bits),),
    )


def _mettler(name: str, counts: Literal["digits", "divisions"]) -> WeightTable:
    return WeightTable(
        name=name,
        source="Mettler Toledo IND131/331, IND560, IND570, IND780 PLC interface manuals: integer and division format",
        shown=Value(at=0, kind="int16"),
        status=(Status(at=1, bits={"moving": (12,), "net": (13,), "busy": (14,), "ok": (15,)}),),
        counts=counts,
        cautions=(_NO_WRITER, *((_SIXTEEN_BITS,) if counts == "digits" else ())),
    )


TABLES: tuple[WeightTable, ...] = (
    WeightTable(
        name="laumas",
        source="Laumas TLB, W, LCB protocol manuals (CAS CI-600D, Bosche WTS): 40007 status, 40008 gross, 40014 units",
        gross=Value(at=7, kind="uint32"),
        status=(
            Status(
                at=6,
                bits={
                    "error": (0, 1), "overload": (2, 3, 4), "gross_negative": (7,), "net": (10,), "stable": (11,),
                    "zero": (12,),
                },
            ),
        ),
        decimals=DecimalsCode(at=13, bits=8, codes=_LAUMAS_DIVISIONS),
        unit=UnitCode(at=13, low=8, bits=8, codes={0: "kg", 1: "g", 2: "t", 3: "lb"}),
        most=32,
    ),
    WeightTable(
        name="dini-argeo",
        source="Dini Argeo DGT1, DGT1S, DGT4X manuals: Modbus registers for data reading, single scale, 30001 to 30005",
        area="input",
        gross=Value(at=0, kind="uint32"),
        status=(
            Status(
                at=4,
                bits={
                    "gross_negative": (1,), "stable": (2,), "underload": (3,), "overload": (4,), "tare": (5,),
                    "preset_tare": (6,), "zero": (7,),
                },
            ),
        ),
    ),
    *(_dini_multi(scale) for scale in (1, 2, 3, 4)),
    WeightTable(
        name="rinstrum-c500",
        source="Rinstrum C500 manual C500-600-2.0.3, 19.3 Modbus input registers; status bits of MSV, COF 11",
        area="input",
        gross=Value(at=0, kind="int32"),
        status=(
            Status(at=6, kind="uint32", bits={"overload": (0,), "stable": (1,), "gross": (2,), "zero": (8,)}),
            Status(at=8, kind="uint32", bits={"error": tuple(range(32))}),
        ),
        cautions=(_ONE_LESS,),
    ),
    WeightTable(
        name="flintec-ft112",
        source="Flintec FT-112 technical manual 1.0.0, 13.2.1 Modbus data structure",
        gross=Value(at=4, kind="int32"),
        tare=Value(at=2, kind="int32"),
        status=(
            Status(
                at=6,
                kind="uint32",
                bits={"moving": (2,), "net": (3,), "preset_tare": (4,), "unusual": (6, 13, 15), "zero": (12,)},
            ),
            Status(at=8, kind="uint32", bits={"error": (1, 2, 5, 6), "underload": (3,), "overload": (4,)}),
        ),
        decimals=DecimalsCode(at=6, low=11, bits=5, codes={1: 4, 2: 3, 4: 2, 8: 1, 16: 0}),
        heartbeat=Value(at=10, kind="uint32"),
        cautions=(_HELD,),
    ),
    _flintec_short("flintec-ft12", "Flintec FT-12 (1.35), FT-13, FT-16D (1.21) manuals, Modbus RTU data structure"),
    _flintec_short("baykon-mx08", "Baykon MX08 technical manual 2.5, Modbus RTU command set 1 (AD[0])"),
    WeightTable(
        name="general-measure-m02",
        source="General Measure M02 manual, 6.7.1 Modbus communication address",
        shown=Value(at=0, kind="int32"),
        status=(Status(at=2, bits={"stable": (0,), "overload": (1,), "zero": (2,), "shown_negative": (3,)}),),
    ),
    _mettler("mettler-ind-integer", "digits"),
    _mettler("mettler-ind-divisions", "divisions"),
)  # fmt: skip


def weight_table_named(name: str, own: Iterable[WeightTable] = ()) -> WeightTable:
    """The table of that name, the site's own first. Raises LookupError, which names the tables there are."""
    known = {table.name: table for table in (*TABLES, *own)}
    try:
        return known[name]
    except KeyError:
        raise LookupError(f"no weight table {name!r}; there are {', '.join(sorted(known))}") from None
