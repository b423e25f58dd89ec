"""What customs' answers mean for the boom: a verb, its reason in two languages, and what they name of the truck. Pure.

Nothing here opens anything: a verdict becomes a signed order, and the lane's interlock judges that.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from gateway_ctl.customs.messages import Check, DeviceOrder, SmartCheck, SmartFeedback
from gateway_ctl.customs.result_word import ResultWord, Subject, Use, word_of
from gateway_ctl.orders import Verb

LONGEST_REASON = 160
"""Characters of customs' own words that are passed on: a guard reads them aloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer. What is None was not named."""

    verb: Verb
    zh: str
    en: str
    plate: str | None = None
    containers: tuple[str, ...] | None = None
    declared_kg: Decimal | None = None
    document: str | None = None
    seal_numbers: tuple[str, ...] = ()


def of_check(message: Check) -> Verdict:
    """0x22."""
    hint = said(message.hint or message.message or message.led.text)
    document = said(message.form_type) or None
    if message.result in ("Y", "N"):
        yes = message.result == "Y"
        verb = Verb.RELEASE if yes else Verb.REFUSE
        return _verdict(verb, hint, "海关放行" if yes else "海关不放行", "released" if yes else "refused", document)
    word = word_of(message.result)
    if word is None:
        return _verdict(Verb.HOLD, hint, "海关答复无法读懂", "customs' result word cannot be read", document)
    verb = _verb(word, Use.CHECK)
    zh, en = _reasons(word, Use.CHECK)
    return _verdict(verb, hint, zh, en, document)


def of_command(message: DeviceOrder) -> Verdict:
    """0x31 or 0x35, its barrier alone; what it wants of seals and trackers is not looked at."""
    hint = said(message.reason)
    word = word_of(message.command)
    if word is None:
        return _verdict(Verb.HOLD, hint, "海关操作指令无法读懂", "customs' device order cannot be read")
    zh, en = _reasons(word, Use.COMMAND)
    return _verdict(_verb(word, Use.COMMAND), hint, zh, en)


def of_feedback(message: SmartFeedback) -> Verdict:
    """0x82. A yes beside an error is no yes."""
    hint = said(message.hint or message.led or message.instruction)
    wrong = any(each.strip("0 ") for each in (message.error, message.fault))
    try:
        declared = _kg(message.vehicle.gross_kg)
    except InvalidOperation:
        wrong, declared = True, None
    match message.result:
        case "Y" if not wrong:
            verb, zh, en = Verb.RELEASE, "海关放行", "released"
        case "Y":
            verb, zh, en = Verb.HOLD, "海关答复自相矛盾", "customs says yes and names an error"
        case "N":
            verb, zh, en = Verb.INSPECT, "海关报警", "customs raises an alarm"
        case "M":
            verb, zh, en = Verb.HOLD, "等待海关人工处理", "an officer has to decide"
        case _:
            verb, zh, en = Verb.HOLD, "海关答复无法读懂", "customs' answer cannot be read"
    boxes = split(message.containers)
    return Verdict(
        verb=verb, zh=hint or zh, en=en, plate=said(message.vehicle.plate) or None, containers=boxes or None,
        declared_kg=declared, document=said(message.form.kind) or None, seal_numbers=split(message.seals),
    )  # fmt: skip


def of_officer(message: SmartCheck) -> Verdict:
    """0x85."""
    verb, zh, en = {
        "1": (Verb.RELEASE, "关员放行", "released by an officer"),
        "2": (Verb.INSPECT, "关员要求查验", "an officer orders an inspection"),
        "3": (Verb.REFUSE, "关员不放行,退回", "an officer sends the truck back"),
    }.get(message.result, (Verb.HOLD, "关员决定无法读懂", "an officer's decision that cannot be read"))
    return Verdict(verb=verb, zh=said(message.comment) or zh, en=en)


def devices_wanted(word: ResultWord) -> bool:
    """Whether an order's word asks anything of a seal or a tracker."""
    return word.at(Subject.SEAL) != "0" or word.at(Subject.GPS) != "0"


def said(text: str) -> str:
    """Words from outside, fit to be shown: one line, no control characters, not endless."""
    return re.sub(r"\s+", " ", "".join(char for char in text if char.isprintable() or char.isspace())).strip()[
        :LONGEST_REASON
    ]


def split(numbers: str) -> tuple[str, ...]:
    """Numbers joined with | (also met: comma, semicolon, blank)."""
    return tuple(dict.fromkeys(part for part in re.split(r"[|,;\s]+", numbers) if part))


_INSPECT = frozenset({
    (Subject.FRONT_BOX, "1"), (Subject.REAR_BOX, "1"), (Subject.FRONT_BOX, "w"), (Subject.REAR_BOX, "w"),
    (Subject.CARD, "x"), (Subject.TAG, "w"),
})  # fmt: skip
"""Under control, or to be released after inspection."""


def _verb(word: ResultWord, use: Use) -> Verb:
    if word.lifts(use):
        return Verb.RELEASE
    remarks = word.remarks(use)
    if any(not remark.known for remark in remarks):
        return Verb.HOLD
    if word.at(Subject.TOTAL) in {"V", "W", "X", "Y", "Z"} or word.at(Subject.CONFIGURATION) != "0":
        return Verb.HOLD
    if any((remark.subject, remark.char) in _INSPECT for remark in remarks):
        return Verb.INSPECT
    return Verb.REFUSE


def _reasons(word: ResultWord, use: Use) -> tuple[str, str]:
    shown = [remark for remark in word.remarks(use) if not Subject.LED <= remark.subject <= Subject.BUZZER]
    shown = [remark for remark in shown if remark.subject < Subject.RESERVED_14]
    if not shown:
        return "海关放行", "released"
    # A total that only repeats another place's character says nothing of its own.
    others = {remark.char for remark in shown if remark.subject is not Subject.TOTAL}
    told = [r for r in shown if r.subject is not Subject.TOTAL or r.char not in others]
    zh = "; ".join(dict.fromkeys(f"{r.meaning[0]}({r.subject}位{r.char})" for r in told))
    en = "; ".join(dict.fromkeys(f"{r.subject.name.lower().replace('_', ' ')}: {r.meaning[1]}" for r in told))
    return zh[:LONGEST_REASON], en[:LONGEST_REASON]


def _verdict(verb: Verb, hint: str, zh: str, en: str, document: str | None = None) -> Verdict:
    return Verdict(verb=verb, zh=hint or zh, en=en, document=document)


def _kg(text: str) -> Decimal | None:
    """Raises InvalidOperation."""
    if not text:
        return None
    kg = Decimal(text)
    if not kg.is_finite() or kg < 0:
        raise InvalidOperation(text)
    return kg or None
