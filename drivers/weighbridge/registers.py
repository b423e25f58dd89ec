"""Registers of an indicator -> what its display shows. Pure.

A number that the registers cannot mean at this site is no number: words the wrong way round, a float between two places
of the display, a sign that contradicts itself, registers that are being written. What the number then may be taken for
is reading.py's question, as with every other frame.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from drivers.readings import Garbage
from drivers.weighbridge.frames import Frame, Shows
from drivers.weighbridge.reading import OVER_DIVISIONS, UNIT_KG, Scale
from drivers.weighbridge.tables import Meaning, Value, WeightTable, WordOrder

_FORMATS: Final = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
FLOAT_STEP: Final = Decimal(2) ** -23
"""Between two neighbouring floats of 32 bits, as a share of them."""
BEYOND: Final = 1e12
"""No display has so many places."""
FLOAT_DIGITS: Final = 9
"""So many digits name every float of 32 bits."""


class _NotOne(Exception):
    """These registers hold no weight, and why."""


def read(table: WeightTable, words: Sequence[int], scale: Scale | None) -> Frame | Garbage:
    """One read of `table.count` registers from `table.start`. `scale` None: nothing is known of the site."""
    raw = struct.pack(f">{len(words)}H", *words)
    if len(words) != table.count:
        return Garbage(raw, f"{len(words)} registers, {table.count} were asked for")
    try:
        return _frame(table, words, raw, scale)
    except _NotOne as why:
        return Garbage(raw, str(why))


def heartbeat(table: WeightTable, words: Sequence[int]) -> float | None:
    """The number that tells whether the converter lives; None where there is none."""
    beat = table.heartbeat
    return None if beat is None else _held(beat, words[beat.at - table.start :], beat.words)


@dataclass(frozen=True, slots=True)
class _Number:
    """A value as the display would show it."""

    digits: str
    negative: bool
    decimals: int
    pointless: bool

    def decimal(self) -> Decimal:
        value = Decimal(self.digits).scaleb(-self.decimals)
        return -value if self.negative and value else value


def _frame(table: WeightTable, words: Sequence[int], raw: bytes, scale: Scale | None) -> Frame:
    said = _said(table, words)
    if said.get("busy"):
        raise _NotOne("the indicator is writing its registers just now")
    shows = _shows(table, words, said)
    unit = None
    if table.unit is not None:
        code = table.unit.code(words[table.unit.at - table.start])
        unit = table.unit.codes.get(code)
        if unit is None:
            raise _NotOne(f"unit code {code} counts no weight")
    decimals = None
    if table.decimals is not None:
        code = table.decimals.code(words[table.decimals.at - table.start])
        decimals = table.decimals.codes.get(code)
        if decimals is None:
            raise _NotOne(f"code {code} says no number of decimals")
    tare = None if table.tare is None else _number(table, table.tare, words, decimals, scale, minus=None).decimal()
    net, tared = _net(said), _tared(said, tare)
    frame = Frame(
        shows=shows,
        digits="",
        unit=unit,
        stable=_either(said, "stable", "moving"),
        kind=("gross" if table.gross else None if net is None else "net" if net else "gross"),
        tare=tare,
        tare_on=tared,
        zero=said.get("zero"),
        doubt="the display shows another unit, a finer resolution or a held value" if said.get("unusual") else "",
        notes=("preset tare",) if said.get("preset_tare") else (),
        raw=raw,
    )
    if shows != "number":
        return frame
    minus = said.get("gross_negative" if table.gross else "shown_negative")
    number = _number(table, table.weight, words, decimals, scale, minus=minus)
    if scale is not None:
        _order(table, number, words, decimals, scale)
    return replace(
        frame, digits=number.digits, negative=number.negative, decimals=number.decimals, pointless=number.pointless
    )


def _said(table: WeightTable, words: Sequence[int]) -> dict[Meaning, bool]:
    found: dict[Meaning, bool] = {}
    for status in table.status:
        word = words[status.at - table.start]
        if status.kind == "uint32":
            other = words[status.at - table.start + 1]
            word = word << 16 | other if status.words == "high-first" else other << 16 | word
        for meaning, bits in status.bits.items():
            every = (word >> bit & 1 == 1 for bit in bits)
            found[meaning] = all(every) if meaning == "ok" else any(every)
    return found


def _shows(table: WeightTable, words: Sequence[int], said: dict[Meaning, bool]) -> Shows:
    if table.fault is not None and (code := table.fault.code(words[table.fault.at - table.start])):
        return table.fault.codes.get(code, "error")
    if said.get("overload"):
        return "underload" if said.get("gross_negative") or said.get("shown_negative") else "overload"
    if said.get("underload"):
        return "underload"
    return "error" if said.get("error") or said.get("ok") is False else "number"


def _either(said: dict[Meaning, bool], yes: Meaning, no: Meaning) -> bool | None:
    if yes in said:
        return said[yes]
    return not said[no] if no in said else None


def _net(said: dict[Meaning, bool]) -> bool | None:
    return _either(said, "net", "gross")


def _tared(said: dict[Meaning, bool], tare: Decimal | None) -> bool | None:
    """Any of what speaks of a tare: its bit, net on the display, a tare that is not zero."""
    known = [said.get("tare"), _net(said), None if tare is None else tare != 0]
    if any(known):
        return True
    return None if all(each is None for each in known) else False


def _number(
    table: WeightTable, value: Value, words: Sequence[int], decimals: int | None, scale: Scale | None,
    *, minus: bool | None,
) -> _Number:  # fmt: skip
    held = _held(value, words[value.at - table.start :], value.words)
    if isinstance(held, float):
        return _of_float(held, decimals, scale, minus=minus)
    if minus is False and held < 0:
        raise _NotOne(f"{held}, and the status says not negative: one lies, or the words are the other way round")
    negative = held < 0 or (minus is True and held != 0)
    if table.counts == "divisions" and scale is not None:
        count = abs(held) * (scale.division_kg / UNIT_KG[scale.unit]).scaleb(scale.decimals)
        if count != count.to_integral_value():
            raise _NotOne(f"{held} divisions of {scale.division_kg} kg have more than {scale.decimals} decimals")
        return _Number(str(int(count)), negative, scale.decimals, pointless=False)
    return _Number(str(abs(held)), negative, decimals or 0, pointless=decimals is None)


def _held(value: Value, words: Sequence[int], order: WordOrder) -> int | float:
    pair = words[: value.size]
    pair = pair if order == "high-first" else pair[::-1]
    (held,) = struct.unpack(_FORMATS[value.kind], struct.pack(f">{value.size}H", *pair))
    return held


def _of_float(held: float, decimals: int | None, scale: Scale | None, *, minus: bool | None) -> _Number:
    if not abs(held) < BEYOND:
        raise _NotOne(f"{held:g} is no weight: the words may be the other way round")
    places = decimals if decimals is not None or scale is None else scale.decimals
    exact = abs(Decimal(held))
    if places is None:
        shown = Decimal(_shortest(held))
        places = max(0, -int(shown.as_tuple().exponent))
    number = round(exact, places)
    if abs(exact - number) > exact * FLOAT_STEP:
        raise _NotOne(
            f"{held:g} is no number with {places} decimals: other decimals, or the words are the other way round"
        )
    return _Number(
        str(int(number.scaleb(places))), held < 0 or (minus is True and number != 0), places, pointless=False
    )


def _shortest(held: float) -> str:
    packed = struct.pack(">f", held)
    for digits in range(1, FLOAT_DIGITS):
        text = f"{held:.{digits}g}"
        if struct.pack(">f", float(text)) == packed:
            return text
    return f"{held:.{FLOAT_DIGITS}g}"


def _order(table: WeightTable, number: _Number, words: Sequence[int], decimals: int | None, scale: Scale) -> None:
    """Beyond all that the scale carries as it is read, and a weight of this scale the other way round: say so."""
    value = table.weight
    limit_kg = scale.max_kg + OVER_DIVISIONS * scale.division_kg
    if value.size == 1 or abs(_kg(number, scale)) <= limit_kg:
        return
    turned = value.model_copy(update={"words": "low-first" if value.words == "high-first" else "high-first"})
    try:
        other = _number(table, turned, words, decimals, scale, minus=None)
    except _NotOne:
        return
    kg = _kg(other, scale)
    if 0 < abs(kg) <= limit_kg and kg % scale.division_kg == 0:
        raise _NotOne(
            f"{number.decimal()} is beyond this scale, and {other.decimal()} with the words the other way round:"
            f' set word_order = "{turned.words}"'
        )


def _kg(number: _Number, scale: Scale) -> Decimal:
    value = number.decimal()
    return (value.scaleb(-scale.decimals) if number.pointless else value) * UNIT_KG[scale.unit]
