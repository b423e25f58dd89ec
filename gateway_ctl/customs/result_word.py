"""The 20 characters of annex B: who says what about a truck, in its three uses. Pure.

One character a subject, `0` at first. The same character means something else in another place and in another use: w
and x are opposite for the card and the tag, the barrier has three values in an order and two in an answer.

What lifts is only what is safe: the first two characters `0` and nothing unknown, or the plain `Y` of one dialect.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Subject(IntEnum):
    """The 20 places, counted from 1 as the standard does."""

    TOTAL = 1
    BARRIER = 2
    FRONT_BOX = 3
    REAR_BOX = 4
    WEIGHT = 5
    CARD = 6
    TAG = 7
    SEAL = 8
    GPS = 9
    LED = 10
    VOICE = 11
    BUZZER = 12
    CONFIGURATION = 13
    RESERVED_14 = 14
    RESERVED_15 = 15
    RESERVED_16 = 16
    RESERVED_17 = 17
    RESERVED_18 = 18
    RESERVED_19 = 19
    RESERVED_20 = 20


class Use(StrEnum):
    """In which message the word stands."""

    COMMAND = "EXC_CMD"
    """0x31, 0x35."""
    RESULT = "EXC_RESULT"
    """0x32."""
    CHECK = "CHK_RESULT"
    """0x22."""


LENGTH = 20
Meaning = tuple[str, str]
"""In Chinese and in English."""
UNKNOWN: Meaning = ("含义不明", "unknown")
_INITIAL: Meaning = ("无", "nothing")

_ERRORS: dict[str, Meaning] = {
    "0": ("正常", "well"),
    "Z": ("对象转换出错", "customs could not convert the data"),
    "Y": ("写数据库出错", "customs could not write its database"),
    "X": ("数据库不可用", "customs has no database"),
    "W": ("数据非法,空记录", "the data are illegal, an empty record"),
    "V": ("已下达操作指令,等待设备结果,暂不放行", "device orders were sent, wait for their result"),
}
_BOX: dict[str, Meaning] = {
    "0": ("相符", "agrees"),
    "1": ("查验后放行", "release after inspection"),
    "v": ("一箱多种单证", "one box with several document types"),
    "w": ("布控", "under control"),
    "z": ("无放行信息", "no release information"),
}
_WEIGHT: dict[str, Meaning] = {
    "0": ("相符", "agrees"),
    "q": ("整车重量不符", "the whole truck's weight does not agree"),
    "p": ("整箱重量不符", "the box's weight does not agree"),
    "o": ("货物重量不符", "the cargo's weight does not agree"),
}
_CARD: dict[str, Meaning] = {
    "0": ("正常", "well"),
    "w": ("IC卡未备案", "the card is not registered"),
    "x": ("IC卡布控", "the card is under control"),
    "u": ("车辆备案过期", "the vehicle's registration has run out"),
    "s": ("司机所属企业非转关申报单位", "the driver's company is not the transit declarant"),
}
_TAG: dict[str, Meaning] = {
    "0": ("正常", "well"),
    "x": ("车牌标签未备案", "the vehicle tag is not registered"),
    "w": ("车辆布控", "the vehicle is under control"),
    "u": ("车辆备案过期", "the vehicle's registration has run out"),
    "t": ("无车辆自重", "the vehicle has no weight on record"),
    "s": ("车辆所属企业非转关申报单位", "the vehicle's company is not the transit declarant"),
    "r": ("进卡车辆被非法更换", "the vehicle that entered was illegally changed"),
}
_SHOWN: dict[str, Meaning] = {"0": ("不提示", "no hint"), "1": ("提示", "a hint")}
_DONE: dict[str, Meaning] = {"0": ("成功或无操作", "done, or nothing to do"), "9": ("失败", "failed")}
_NOTHING: dict[str, Meaning] = {"0": _INITIAL}

_COMMAND: dict[Subject, dict[str, Meaning]] = {
    Subject.BARRIER: {"0": ("抬杆", "lift"), "1": ("不抬杆", "do not lift"), "2": ("落杆", "lower")},
    Subject.FRONT_BOX: _BOX,
    Subject.REAR_BOX: _BOX,
    Subject.WEIGHT: _WEIGHT,
    Subject.CARD: _CARD,
    Subject.TAG: _TAG,
    Subject.SEAL: {
        "0": ("无操作", "nothing"),
        "1": ("施封", "seal"),
        "2": ("解封", "unseal"),
        "x": ("关锁未备案", "the seal is not registered"),
    },
    Subject.GPS: {"0": ("无操作", "nothing"), "1": ("启动", "start"), "2": ("关闭", "close")},
    Subject.LED: _SHOWN,
    Subject.VOICE: _SHOWN,
    Subject.BUZZER: _SHOWN,
    Subject.CONFIGURATION: {"0": ("正常", "well"), "y": ("场站或通道未配置", "the site or lane is not configured")},
}
_RESULT: dict[Subject, dict[str, Meaning]] = {
    **dict.fromkeys(_COMMAND, _NOTHING),
    Subject.SEAL: _DONE,
    Subject.GPS: _DONE,
}
_CHECK = _COMMAND | {
    Subject.BARRIER: {"0": ("抬杆", "lift"), "1": ("落杆", "lower")},
    Subject.SEAL: _DONE,
    Subject.GPS: _DONE,
}
_TABLES = {Use.COMMAND: _COMMAND, Use.RESULT: _RESULT, Use.CHECK: _CHECK}
_SUMMED = {
    Use.COMMAND: (Subject.FRONT_BOX, Subject.REAR_BOX, Subject.WEIGHT, Subject.CARD, Subject.TAG),
    Use.RESULT: (Subject.SEAL, Subject.GPS),
    Use.CHECK: (
        Subject.FRONT_BOX, Subject.REAR_BOX, Subject.WEIGHT, Subject.CARD, Subject.TAG, Subject.SEAL, Subject.GPS,
    ),
}  # fmt: skip
"""What the total is the greatest of; a total of 0 above another character contradicts itself."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One place that is not `0`."""

    subject: Subject
    char: str
    meaning: Meaning

    @property
    def known(self) -> bool:
        """Whether the standard says what it means here."""
        return self.meaning is not UNKNOWN


@dataclass(frozen=True, slots=True)
class ResultWord:
    """Exactly 20 printable ASCII characters. Raises ValueError."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) != LENGTH or not self.text.isascii() or not self.text.isprintable():
            raise ValueError(f"expected {LENGTH} printable ASCII characters, these are {len(self.text)}")

    def at(self, subject: Subject) -> str:
        """The character of a subject."""
        return self.text[subject - 1]

    def meaning(self, subject: Subject, use: Use) -> Meaning:
        """What that character says in this use; UNKNOWN when the standard does not say."""
        char = self.at(subject)
        if subject >= Subject.RESERVED_14:
            return _INITIAL if char == "0" else ("场站自定", "the site's own")
        if subject is Subject.TOTAL:
            return self._total(char, use)
        return _TABLES[use][subject].get(char, UNKNOWN)

    def remarks(self, use: Use) -> tuple[Remark, ...]:
        """Everything that is not `0`, in order."""
        return tuple(Remark(s, self.at(s), self.meaning(s, use)) for s in Subject if self.at(s) != "0")

    def lifts(self, use: Use) -> bool:
        """Whether the barrier may be lifted on this word: total and barrier `0`, nothing unknown, no contradiction.

        The reserved places count for nothing: one vendor's customs writes its own 1 or 2 there on a clean release.
        """
        if use is Use.RESULT or self.at(Subject.TOTAL) != "0" or self.at(Subject.BARRIER) != "0":
            return False
        if self.at(Subject.CONFIGURATION) != "0" or any(self.at(subject) != "0" for subject in _SUMMED[use]):
            return False
        return all(remark.known for remark in self.remarks(use))

    def _total(self, char: str, use: Use) -> Meaning:
        if char in _ERRORS and use is not Use.RESULT:
            return _ERRORS[char]
        if char == "0":
            return _ERRORS["0"]
        for subject in _SUMMED[use]:
            if self.at(subject) == char:
                return _TABLES[use][subject].get(char, UNKNOWN)
        # A bare 1 with the barrier's own "do not lift" is how most back ends say no and nothing more.
        return ("不放行", "no release") if char == "1" else UNKNOWN


def word_of(text: str) -> ResultWord | None:
    """The word, or None for what is none."""
    try:
        return ResultWord(text)
    except ValueError:
        return None


def result_of(*, seal_failed: bool = False, gps_failed: bool = False, refused: bool = False) -> ResultWord:
    """The word of 0x32: what became of an order to devices. `refused`: nothing was done, the total and the barrier
    say no."""
    seal, gps = "9" if seal_failed else "0", "9" if gps_failed else "0"
    total, barrier = ("1", "1") if refused else (max(seal, gps), "0")
    return ResultWord(f"{total}{barrier}00000{seal}{gps}".ljust(LENGTH, "0"))
