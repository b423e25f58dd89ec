"""What simulated customs thinks of a gathered passage: manifest against what the lane has read and weighed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, cast

PLATE_SURE = 0.5
"""A plate read below this confidence is asked for again, not believed."""


@dataclass(slots=True, kw_only=True)
class Manifest:
    """One expected truck."""

    plate: str
    trailer: str = ""
    containers: tuple[str, ...] = ()
    direction: str | None = None
    declared_kg: Decimal | None = None
    tolerance_kg: Decimal | None = None
    targeting: str | None = None
    crossed_by: str | None = field(default=None)
    """The passage that has used it up."""
    seal: tuple[str, str] | None = None
    """An electronic seal to be locked on the way out and unlocked on the way in: its id and its key."""
    gps: tuple[str, str, str] | None = None
    """A tracker to be started on the way out and closed on the way in: its id, origin and destination customs."""


def manifest_from(row: Mapping[str, Any]) -> Manifest:
    """A manifest from a JSON row. Raises KeyError or decimal.InvalidOperation when the row is no manifest."""
    return Manifest(
        plate=row["plate"],
        trailer=row.get("trailer") or "",
        containers=tuple(row.get("containers") or ()),
        direction=row.get("direction"),
        declared_kg=None if row.get("declared_kg") is None else Decimal(row["declared_kg"]),
        tolerance_kg=None if row.get("tolerance_kg") is None else Decimal(row["tolerance_kg"]),
        targeting=row.get("targeting"),
        seal=tuple(row["seal"]) if row.get("seal") else None,
        gps=tuple(row["gps"]) if row.get("gps") else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a lane has sent of one passage."""

    site: str
    lane: str
    passage: str
    direction: str
    plate: str | None
    plate_confidence: float
    tags: tuple[str, ...]
    containers: tuple[str, ...]
    gross_kg: Decimal | None
    uncertainty_kg: Decimal | None

    def same_as(self, other: "Gathered") -> bool:
        """Whether nothing that matters to the verdict has changed."""
        mine = (self.plate, self.containers, self.gross_kg, self.tags)
        return mine == (other.plate, other.containers, other.gross_kg, other.tags)


class NotAPassage(ValueError):
    """The body of the question breaks the interface."""


def _mass(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise NotAPassage(f"{name} must be a decimal in a string")
    try:
        mass = Decimal(value)
    except InvalidOperation:
        raise NotAPassage(f"{name} is no decimal: {value!r}") from None
    if not mass.is_finite():
        raise NotAPassage(f"{name} is not finite")
    return mass


def _word(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise NotAPassage(f"{name} is missing")
    return value


def gathered_from(body: object) -> Gathered:
    """The question of a lane. Raises NotAPassage."""
    if not isinstance(body, dict):
        raise NotAPassage("a passage is an object")
    told = cast("dict[str, Any]", body)
    try:
        plate = cast("dict[str, Any] | None", told.get("plate"))
        return Gathered(
            site=_word(told, "site"),
            lane=_word(told, "lane"),
            passage=_word(told, "passage"),
            direction=_word(told, "direction"),
            plate=None if plate is None else _word(plate, "text"),
            plate_confidence=0.0 if plate is None else float(plate.get("confidence") or 0.0),
            tags=tuple(str(tag).upper() for tag in cast("Sequence[object]", told.get("tags") or ())),
            containers=tuple(
                _word(box, "code") for box in cast("Sequence[dict[str, Any]]", told.get("containers") or ())
            ),
            gross_kg=_mass(told, "gross_kg"),
            uncertainty_kg=_mass(told, "uncertainty_kg"),
        )
    except (TypeError, AttributeError, ValueError) as wrong:
        raise NotAPassage(str(wrong)) from wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What customs says and why, in both languages."""

    verb: str
    zh: str
    en: str
    manifest: Manifest | None = None
    cause: str = ""
    """What stands against a release, in one word: papers, plate, tag, used, targeted, direction, boxes, weight."""


TARGETED: dict[str, tuple[str, str]] = {
    "hold": ("单证待人工审核", "Papers wait for an officer"),
    "inspect": ("布控查验，请驶入查验区", "Targeted for inspection: go to the inspection area"),
    "refuse": ("禁止通行，请联系海关", "Passage refused: contact customs"),
}


def _plate_of_tag(tag: str, manifests: Mapping[str, Manifest]) -> Manifest | None:
    try:
        text = bytes.fromhex(tag).rstrip(b"\0").decode("gbk")
    except ValueError:
        return None
    return manifests.get(text)


def judge(asked: Gathered, manifests: Mapping[str, Manifest]) -> Opinion:
    """Release, hold, inspect or refuse. Whatever is missing, unknown or does not fit is a hold, never a release."""

    def hold(cause: str, zh: str, en: str) -> Opinion:
        return Opinion(verb="hold", zh=zh, en=en, manifest=manifest, cause=cause)

    manifest: Manifest | None = None
    if asked.plate is None:
        return hold("plate", "未识别车牌", "No licence plate was read")
    manifest = manifests.get(asked.plate)
    if manifest is None:
        return hold("papers", f"无此车辆放行信息：{asked.plate}", f"No manifest for {asked.plate}")
    if asked.plate_confidence < PLATE_SURE:
        return hold("plate", "车牌识别可信度不足", "The plate was read with too little confidence")
    for tag in asked.tags:
        other = _plate_of_tag(tag, manifests)
        if other is not None and other is not manifest:
            return hold("tag", "电子标签与车牌不符", "Tag and plate belong to different trucks")
    if manifest.crossed_by not in (None, asked.passage):
        return hold("used", "该单证已使用", "These papers have been used already")
    if manifest.targeting in TARGETED:
        zh, en = TARGETED[manifest.targeting]
        return Opinion(verb=manifest.targeting, zh=zh, en=en, manifest=manifest, cause="targeted")
    if manifest.direction not in (None, asked.direction):
        return hold("direction", "进出方向与申报不符", "Direction differs from the declared one")
    if sorted(asked.containers) != sorted(manifest.containers):
        return hold("boxes", "箱号与舱单不符", "Container codes differ from the manifest")
    if asked.gross_kg is None:
        return hold("weight", "缺少过磅重量", "There is no weight")
    if manifest.declared_kg is not None:
        off = asked.gross_kg - manifest.declared_kg
        if abs(off) > (manifest.tolerance_kg or Decimal(0)):
            return hold("weight", f"重量不符：相差 {off} 千克", f"Weight differs from the declared one by {off} kg")
    return Opinion(verb="release", zh="准予放行", en="Released", manifest=manifest)
