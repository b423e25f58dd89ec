"""What weighing indicators keep in their Modbus registers: one function a map, each from its maker's manual.

A map turns the indicator's window into registers, numbered as on the wire (from 0). Sources:

    Laumas            TLB, W, LCB protocol manuals: 40007 status, 40008/9 gross, 40010/11 net, 40014 divisions and unit
    Dini Argeo        DGT1, DGT1S, DGT4X manuals: input registers 30001 to 30005; multiscale from 40202
    Rinstrum          C500-600-2.0.3, 19.3: input registers 1 gross, 3 net, 5 displayed, 7 status as MSV, 9 error
    Flintec           FT-112 1.0.0, 13.2.1; FT-12 1.35 and FT-16D 1.21, appendix Modbus RTU data structure
    Baykon            MX08 2.5, Modbus RTU command set 1
    General Measure   M02, 6.7.1
    Mettler Toledo    IND PLC interface manuals: integer and division format, weight and status word

Magnitudes with their sign in the status word are magnitudes here, and signed numbers are two's complement.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.weigh_formats import Window

Registers = dict[int, int]
HOLDING, INPUT = 3, 4


@dataclass(frozen=True, slots=True)
class Map:
    """One map: the function that reads it, and what it holds for a window; `tick` counts tenths of a second."""

    function: int
    registers: Callable[[Window, int], Registers]


def _long(at: int, value: int) -> Registers:
    """32 bits, high word first; negative as two's complement."""
    value &= 0xFFFF_FFFF
    return {at: value >> 16, at + 1: value & 0xFFFF}


def _bits(told: Mapping[int, bool]) -> int:
    return sum(1 << bit for bit, on in told.items() if on)


def _gross(window: Window) -> int:
    return window.count + window.tare


_DIVISIONS = ("100", "50", "20", "10", "5", "2", "1", "0.5", "0.2", "0.1", "0.05", "0.02", "0.01", "0.005", "0.002",
              "0.001", "0.0005", "0.0002", "0.0001")  # fmt: skip
_UNITS = {"kg": 0, "g": 1, "t": 2, "lb": 3}


def laumas(window: Window, tick: int) -> Registers:  # noqa: ARG001 - as every map
    """Gross and net as magnitudes; status bits 7 and 8 are their signs."""
    gross = _gross(window)
    step = f"{window.step / 10**window.places:.{window.places}f}"
    step = step.rstrip("0").rstrip(".") if "." in step else step
    status = _bits(
        {
            0: window.trouble == "error", 2: window.trouble == "over", 7: gross < 0, 8: window.count < 0,
            10: window.net, 11: window.stable, 12: window.centre,
        }
    )  # fmt: skip
    return {6: status, **_long(7, abs(gross)), **_long(9, abs(window.count)), **_long(11, 0),
            13: _UNITS[window.unit] << 8 | _DIVISIONS.index(step)}  # fmt: skip


def dini_single(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """30001 to 30005: absolute values, signs in the status."""
    gross = _gross(window)
    status = _bits(
        {
            0: window.count < 0, 1: gross < 0, 2: window.stable, 3: window.trouble in ("under", "error"),
            4: window.trouble == "over", 5: window.net, 6: window.preset, 7: gross == 0,
        }
    )  # fmt: skip
    return {**_long(0, abs(gross)), **_long(2, abs(window.count)), 4: status}


def dini_multi(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """From 40202: status and gross of four scales; this is the first, the others are empty and at rest."""
    gross = _gross(window)
    status = _bits(
        {
            0: gross < 0, 1: window.stable, 2: window.trouble in ("under", "error"), 3: window.trouble == "over",
            4: window.centre, 5: window.count < 0, 6: window.net, 7: window.preset,
        }
    )  # fmt: skip
    found = {201: status, **_long(202, abs(gross))}
    for scale in (1, 2, 3):
        found |= {201 + 3 * scale: 0b1_0010, **_long(202 + 3 * scale, 0)}
    return found | _long(213, abs(window.count))


def rinstrum_c500(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """Input registers 1 to 10: three weights, the status of MSV, the error."""
    status = _bits(
        {0: window.trouble in ("over", "under"), 1: window.stable, 2: not window.net, 8: window.centre}
    )  # fmt: skip
    return {**_long(0, _gross(window)), **_long(2, window.count), **_long(4, window.count), **_long(6, status),
            **_long(8, 0x10 if window.trouble == "error" else 0)}  # fmt: skip


_POINTS = {0: 31, 1: 30, 2: 29, 3: 28, 4: 27}


def flintec_ft112(window: Window, tick: int) -> Registers:
    """40001 shown, 40003 tare, 40005 gross, 40007 status with the place of the point, 40009 error, 40011 heartbeat."""
    status = _bits(
        {2: not window.stable, 3: window.net, 4: window.preset, 12: window.centre, _POINTS[window.places]: True}
    )  # fmt: skip
    error = _bits({2: window.trouble == "error", 3: window.trouble == "under", 4: window.trouble == "over"})
    return {**_long(0, window.count), **_long(2, window.tare), **_long(4, _gross(window)), **_long(6, status),
            **_long(8, error), **_long(10, tick)}  # fmt: skip


_AD_ERRORS = {"": 0, "error": 4, "over": 2, "under": 3}


def flintec_ft12(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """40001 shown, 40003 status with an error code in its three highest bits, 40004 tare, 40006 gross."""
    status = _bits({1: not window.trouble, 2: not window.stable, 3: window.net, 12: window.centre})
    status |= _AD_ERRORS[window.trouble] << 13
    return {**_long(0, window.count), 2: status, **_long(3, window.tare), **_long(5, _gross(window))}


def general_measure_m02(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """40001 what is shown, with its sign; 40003 status."""
    over = window.trouble in ("over", "error")
    return {**_long(0, window.count), 2: _bits({0: window.stable, 1: over, 2: window.centre, 3: window.count < 0})}


def _mettler(window: Window, number: int) -> Registers:
    status = _bits({12: not window.stable, 13: window.net, 15: not window.trouble})
    return {0: min(max(number, -0x8000), 0x7FFF) & 0xFFFF, 1: status}


def mettler_integer(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """Gross, as the first output word is 0; 16 bits, without the point."""
    return _mettler(window, _gross(window))


def mettler_divisions(window: Window, tick: int) -> Registers:  # noqa: ARG001
    """The same in divisions."""
    return _mettler(window, _gross(window) // window.step)


MAPS: dict[str, Map] = {
    "laumas": Map(HOLDING, laumas),
    "dini-argeo": Map(INPUT, dini_single),
    "dini-argeo-dgt4x-1": Map(HOLDING, dini_multi),
    "rinstrum-c500": Map(INPUT, rinstrum_c500),
    "flintec-ft112": Map(HOLDING, flintec_ft112),
    "flintec-ft12": Map(HOLDING, flintec_ft12),
    "baykon-mx08": Map(HOLDING, flintec_ft12),
    "general-measure-m02": Map(HOLDING, general_measure_m02),
    "mettler-ind-integer": Map(HOLDING, mettler_integer),
    "mettler-ind-divisions": Map(HOLDING, mettler_divisions),
}
"""Every map by its name."""
DOUBLE_WORDS = {
    "laumas": (7, 9, 11), "dini-argeo": (0, 2), "dini-argeo-dgt4x-1": (202, 205, 208, 211, 213),
    "rinstrum-c500": (0, 2, 4, 6, 8), "flintec-ft112": (0, 2, 4, 6, 8, 10), "flintec-ft12": (0, 3, 5),
    "baykon-mx08": (0, 3, 5), "general-measure-m02": (0,),
}  # fmt: skip
"""Where a map's double words begin: many indicators can be set to give their low word first."""
