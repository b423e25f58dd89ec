"""The evidence chain of one passage, from its entries in the book. Pure.

Raw frame, reading, gathered, order, picture, permit, coil, switch: each link has a digest, and says whether it is what
it is called by.
"""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from drivers.readings import Instant
from gateway_ctl.book import Entry
from gateway_ctl.book import digest as entry_digest
from gateway_ctl.orders import Malformed, Order, Seal, SignedOrder, parse
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import Keyring, admit


class Step(Enum):
    """The links in the order of the road, and what surrounds them; each in both languages."""

    FRAME = ("报文", "raw frame")
    READING = ("读数", "reading")
    GATHERED = ("采集", "gathered")
    ORDER = ("指令", "order")
    PICTURE = ("快照", "picture")
    PERMIT = ("许可", "permit")
    COIL = ("线圈", "coil")
    SWITCH = ("限位", "switch")
    OTHER = ("记事", "entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link. `digest` is SHA-256, hex, of `of`."""

    step: Step
    at: Instant
    seq: int
    """The entry that holds it."""
    digest: str
    of: str
    zh: str
    en: str
    true: bool | None = None
    """Whether what was checked of it holds; None: there was nothing to check, or no key to check it with."""
    plain: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the book says, for machines."""


def story(book: Sequence[Entry], keyring: Keyring | None) -> list[Link]:
    """The links of the entries of one passage, in the order of the book. `keyring` None: seals are not checked."""
    links: list[Link] = []
    for entry in book:
        if entry_digest(entry.seq, entry.at, entry.kind, entry.passage, entry.body, entry.before) != entry.hash:
            links.append(_odd(entry, "与其哈希不符", "its content does not match its hash"))
            continue
        try:
            links += _TELLERS.get(entry.kind, _other)(entry, keyring)
        except (msgspec.MsgspecError, binascii.Error, KeyError, TypeError, ValueError, AttributeError) as wrong:
            links.append(_odd(entry, f"无法读懂: {wrong}", f"cannot be read: {wrong}"))
    return links


def whole(links: Iterable[Link]) -> tuple[Step, ...]:
    """The steps of the road that are missing; none: the opening is proven from its frames to its switch."""
    there = {link.step for link in links}
    return tuple(step for step in Step if step is not Step.OTHER and step not in there)


def _odd(entry: Entry, zh: str, en: str) -> Link:
    return _link(Step.OTHER, entry, f"{entry.kind}: {zh}", f"{entry.kind}: {en}", true=False)


def _link(step: Step, entry: Entry, zh: str, en: str, *, true: bool | None = None, **plain: Any) -> Link:
    """Of a whole entry: its digest is the entry's own."""
    return Link(
        step=step, at=entry.at, seq=entry.seq, digest=entry.hash.hex(), of="entry", zh=zh, en=en, true=true, plain=plain
    )


def _evidence(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    weight: dict[str, Any] | None = said["weight"]
    frames: list[dict[str, Any]] = [] if weight is None else weight["frames"]
    for frame in frames:
        raw = b64decode(frame["raw"])
        shown = f"{frame['kg']} kg ×{frame['times']}  {printable(raw)}"
        yield _raw(entry, Instant(frame["first"]), raw, frame, f"地磅 {shown}", f"weighbridge {shown}")
    for read in said["reads"]:
        raw = b64decode(read["raw"])
        yield _raw(
            entry, Instant(read["first"]), raw, read, *[f"{read['source']} ×{read['times']}  {printable(raw)}"] * 2
        )
    if weight is not None:
        kg, off, n = weight["settled_kg"], weight["uncertainty_kg"], weight["readings"]
        zh, en = f"稳定重量 {kg} ± {off} 千克, {n} 次读数", f"settled at {kg} ± {off} kg by {n} readings"
        if axles := weight.get("axles"):
            count = len(axles)
            zh = f"轴重累计 {kg} ± {off} 千克 ({count} 轴, 非整车称重), {n} 次读数"
            en = f"sum of {count} axles {kg} ± {off} kg (not a vehicle weighed at once) by {n} readings"
        yield _link(Step.READING, entry, zh, en, what="weight", **{k: v for k, v in weight.items() if k != "frames"})
    for read in said["reads"]:
        words = _READS.get(read["what"], (read["what"], read["what"]))
        text = read.get("plate") or read["text"]
        sure = f" {read['confidence']:.2f}" if "confidence" in read else ""
        yield _link(
            Step.READING, entry, f"{words[0]} {text}{sure}", f"{words[1]} {text}{sure}",
            **{k: v for k, v in read.items() if k not in ("raw", "digest")},
        )  # fmt: skip


_READS = {
    "plate": ("车牌", "plate"), "trailer": ("挂车", "trailer"),
    "container": ("箱号", "container"), "tag": ("标签", "tag"),
}  # fmt: skip


def _raw(entry: Entry, at: Instant, raw: bytes, said: dict[str, Any], zh: str, en: str) -> Link:
    found = hashlib.sha256(raw).hexdigest()
    return Link(
        step=Step.FRAME, at=at, seq=entry.seq, digest=found, of="bytes", zh=zh, en=en,
        true=found == said["digest"], plain=said,
    )  # fmt: skip


def _asked(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    read: dict[str, Any] | None = said.get("plate")
    plate = "-" if read is None else read["text"]
    boxes = " ".join(box["code"] for box in said.get("containers", ())) or "-"
    text = f"{plate}  {boxes}  {said.get('gross_kg') or '-'} kg"
    yield _link(Step.GATHERED, entry, f"第 {said['seq']} 问: {text}", f"question {said['seq']}: {text}", **said)


def _order(entry: Entry, keyring: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    payload = b64decode(said["payload"])
    seals = tuple(Seal(key=seal["key"], signature=b64decode(seal["signature"])) for seal in said["seals"])
    keys = ", ".join(seal.key for seal in seals)
    try:
        order = parse(payload)
        what = f"{order.verb.value} {order.id}"
        zh, en = f"{what}  {order.reason_zh}", f"{what}  {order.reason_en}"
    except Malformed as wrong:
        zh = en = f"{wrong}"
    admitted = None if keyring is None else admit(SignedOrder(payload=payload, seals=seals), keyring)
    if admitted is not None and not isinstance(admitted, Order):
        zh, en = f"{zh}; {_why(admitted, 'zh')}", f"{en}; {_why(admitted, 'en')}"
    yield Link(
        step=Step.ORDER, at=entry.at, seq=entry.seq, digest=hashlib.sha256(payload).hexdigest(), of="payload",
        zh=f"{zh}  (签名 {keys}, 经 {said['road']})", en=f"{en}  (sealed by {keys}, by {said['road']})",
        true=None if admitted is None else isinstance(admitted, Order), plain=said,
    )  # fmt: skip


class _Decided(msgspec.Struct):
    permit: dict[str, Any]
    picture: msgspec.Raw
    order: dict[str, Any] | None = None
    evidence: str | None = None


def _decision(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = msgspec.json.decode(entry.body, type=_Decided)
    found, permit = hashlib.sha256(said.picture).hexdigest(), said.permit
    picture = msgspec.json.decode(said.picture)
    yield Link(
        step=Step.PICTURE, at=Instant(picture["at"]), seq=entry.seq, digest=found, of="picture",
        zh="判定所依据的全部读数", en="every reading that the decision rests on",
        true=found == permit["picture"], plain=picture,
    )  # fmt: skip
    raising = permit["movement"] == "raise"
    yield _link(
        Step.PERMIT, entry,
        f"准许{'起杆' if raising else '落杆'}一次: {permit['id']}, 指令 {permit['order'] or '-'}",
        f"may {permit['movement']} once: {permit['id']}, on order {permit['order'] or '-'}",
        **permit, evidence=said.evidence,
    )  # fmt: skip


def _boom(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    phase = said["phase"]
    zh, en = _PHASES.get(phase, (phase, phase))
    step = Step.SWITCH if phase in ("confirmed", "not confirmed") else Step.COIL
    seen = "".join(
        f"  {name}={'?' if limit['value'] is None else int(limit['value'])}"
        for name, limit in said.get("seen", {}).items()
    )
    yield _link(
        step, entry,
        f"{'起杆' if said['movement'] == 'raise' else '落杆'} {zh}: {said['note']}{seen}",
        f"{said['movement']} {en}: {said['note']}{seen}",
        true=False if phase == "not confirmed" else None, **said,
    )  # fmt: skip


_PHASES = {
    "written": ("写出之前", "before the write"), "read back": ("回读", "read back"), "confirmed": ("到位", "arrived"),
    "not confirmed": ("未到位", "did not arrive"), "refused": ("撤回", "withdrawn"),
}  # fmt: skip


def _no(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    reasons = tuple(Reason[name] for name in said["reasons"] if name in Reason.__members__)
    word = {"refusal": ("不放行", "refused"), "answer": ("答复", "answered")}[entry.kind]
    yield _link(Step.OTHER, entry, f"{word[0]}: {_why(reasons, 'zh')}", f"{word[1]}: {_why(reasons, 'en')}", **said)


def _why(reasons: Iterable[Reason], language: str) -> str:
    return "; ".join(getattr(reason.value, language) for reason in reasons) or "-"


def _other(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    said = entry.plain()
    zh, en = _KINDS.get(entry.kind, (entry.kind, entry.kind))
    detail = " ".join(f"{key}={_short(value)}" for key, value in said.items() if value not in (None, [], ""))
    yield _link(Step.OTHER, entry, f"{zh}  {detail}", f"{en}  {detail}", **said)


_KINDS = {
    "opened": ("开始过闸", "passage opened"), "closed": ("过闸结束", "passage closed"),
    "reported": ("海关已收到过闸报告", "customs has the report"), "alarm": ("告警", "alarm"),
}  # fmt: skip


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def printable(raw: bytes) -> str:
    """Bytes as a person reads them: text where it is text, control characters as their pictures, else hex."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.hex(" ")
    shown = "".join(chr(0x2400 + ord(c)) if ord(c) < 0x20 else c for c in text)
    return shown if shown.isprintable() else raw.hex(" ")


def _packet(entry: Entry, _: Keyring | None) -> Iterator[Link]:
    """Customs' own packet; its bytes lie in the link's memory under this digest, for they may hold seal keys."""
    said = entry.plain()
    what = f"{said['what']}  {said['number']}  {said['peer']}"
    yield Link(
        step=Step.FRAME, at=Instant(said["at"]), seq=entry.seq, digest=said["digest"], of="packet",
        zh=f"海关报文 {what}  {said['bytes']} 字节", en=f"customs {what}  {said['bytes']} bytes", plain=said,
    )  # fmt: skip


_TELLERS = {
    "frame": _packet, "evidence": _evidence, "asked": _asked, "order": _order, "decision": _decision, "boom": _boom,
    "refusal": _no, "answer": _no,
}  # fmt: skip
