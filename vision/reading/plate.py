"""Plates of mainland China: normalise a reading and say of which kind it is.

Patterns from public use, checked against the lists of other projects; the text of GA 36-2018 was not at hand: what an
authority issues today is to be checked on site.
"""

import re
from enum import StrEnum

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


class PlateKind(StrEnum):
    """In the order in which they are tried."""

    ORDINARY = "ordinary"
    NEW_ENERGY_SMALL = "new_energy_small"
    NEW_ENERGY_LARGE = "new_energy_large"
    TRAILER = "trailer"
    LEARNER = "learner"
    POLICE = "police"
    TEST = "test"
    CROSS_BORDER_HK_MO = "cross_border_hk_mo"
    CONSULATE = "consulate"
    EMBASSY_OLD = "embassy_old"
    EMBASSY_NEW = "embassy_new"
    CONSULATE_OLD = "consulate_old"
    ARMED_POLICE = "armed_police"


_AREA = rf"[{PROVINCES}][A-HJ-NP-Z]"
_ANY = "[A-HJ-NP-Z0-9]"
_ENERGY = "[A-HJK]"
"""D and F from the beginning, since 2021 A B C E for batteries and G H J K for others."""

_PATTERNS: dict[PlateKind, re.Pattern[str]] = {
    kind: re.compile(pattern)
    for kind, pattern in {
        PlateKind.ORDINARY: rf"{_AREA}{_ANY}{{5}}",
        PlateKind.NEW_ENERGY_SMALL: rf"{_AREA}{_ENERGY}{_ANY}[0-9]{{4}}",
        PlateKind.NEW_ENERGY_LARGE: rf"{_AREA}[0-9]{{5}}{_ENERGY}",
        PlateKind.TRAILER: rf"{_AREA}{_ANY}{{4}}挂",
        PlateKind.LEARNER: rf"{_AREA}{_ANY}{{4}}学",
        PlateKind.POLICE: rf"{_AREA}{_ANY}{{4}}警",
        PlateKind.TEST: rf"{_AREA}{_ANY}{{4}}试",
        PlateKind.CROSS_BORDER_HK_MO: rf"粤Z{_ANY}{{4}}[港澳]",
        PlateKind.CONSULATE: rf"{_AREA}[0-9]{{4}}领",
        PlateKind.EMBASSY_OLD: r"使[0-9]{6}",
        PlateKind.EMBASSY_NEW: r"[0-9]{6}使",
        PlateKind.CONSULATE_OLD: r"领[0-9]{6}",
        PlateKind.ARMED_POLICE: rf"WJ[{PROVINCES}]?[0-9]{{4}}[0-9TDSHBXJ]",
    }.items()
}
_SEPARATORS = re.compile(r"[\s·•・.\-]")
_HALF_WIDTH = str.maketrans({chr(0xFEE0 + n): chr(n).upper() for n in range(0x21, 0x7F)})
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""ASCII only: str.upper() makes letters of the alphabet out of characters that are none."""


def normalise(text: str) -> str:
    """Upper case, half width, without spaces and the dot between the second and third character."""
    return _SEPARATORS.sub("", text.translate(_HALF_WIDTH)).translate(_UPPER)


def kind(text: str) -> PlateKind | None:
    """Of which kind the normalised text is; None where it is no plate that we know."""
    plate = normalise(text)
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(plate)), None)


def is_trailer(text: str) -> bool:
    """The plate of a trailer: a truck with one has two plates, and the camera behind it reads this one."""
    return kind(text) is PlateKind.TRAILER
