"""0x81 to 0x85, the smart gate: tables 1 to 5. Everything is an element, pictures travel by name only. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from gateway_ctl.customs.codes import Code
from gateway_ctl.customs.shape import Shape, group, leaf, several


@dataclass(frozen=True, slots=True, kw_only=True)
class IcInfo(Shape):
    """IC_INFO."""

    id: str = leaf("IC_ID")
    number: str = leaf("IC_NO")
    kind: str = leaf("IC_Type", "IC_TYPE")
    extension: str = leaf("IC_EXTENDED_CONTENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInfo(Shape):
    """FORM_INFO. `kind`: bill, entry, rmft (road manifest), cdl (collective list), oneoff."""

    kind: str = leaf("FORM_TYPE")
    id: str = leaf("FORM_ID")
    master: str = leaf("MASTER_CUSTOMS_CODE", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleTag(Shape):
    """VE_RFID. The printed table calls its number RFID_No, everybody who wrote code RFID_ID."""

    number: str = leaf("RFID_ID", "RFID_No", "RFID_NO")
    plate: str = leaf("VE_LICENSE_NO")
    vehicle_number: str = leaf("VE_CUSTOMS_NO")
    tare_kg: str = leaf("VE_WT")
    company: str = leaf("VE_COMPANY")
    reads: str = leaf("VE_PERFORMANCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverTag(Shape):
    """DR_RFID."""

    number: str = leaf("RFID_ID", "RFID_No", "RFID_NO")
    name: str = leaf("DR_NAME")
    driver_number: str = leaf("DR_CUSTOMS_NO")
    company: str = leaf("DR_COMPANY")
    reads: str = leaf("DR_PERFORMANCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoName(Shape):
    """PHOTO."""

    name: str = leaf("PHOTO_GUID")
    place: str = leaf("PHOTO_PERSPECTIVE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Shape):
    """EXTEND."""

    name: str = leaf("NAME")
    value: str = leaf("VALUE")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRead(Shape):
    """CONTA_RECOGNITION."""

    number: str = leaf("CONTA_ID")
    kind: str = leaf("CONTA_TYPE")
    locks: str = leaf("CONTA_LOCK")
    sure: str = leaf("CONFIDENCE_RATIO")
    """Y or N."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRead(Shape):
    """VE_LICENSE_RECOGNITION."""

    domestic: str = leaf("DOMESTIC_LICENSE_NO")
    domestic_colour: str = leaf("DOMESTIC_LICENSE_COLOR")
    foreign: str = leaf("FOREIGN_LICENSE_NO")
    foreign_colour: str = leaf("FOREIGN_LICENSE_COLOR")
    sure: str = leaf("CONFIDENCE_RATIO")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartGather(Shape):
    """0x81."""

    ROOT: ClassVar[str] = "GATHER_INFO"
    CODES: ClassVar[tuple[Code, ...]] = (Code.SMART_GATHER,)

    direction: str = leaf("I_E_FLAG", "@I_E_FLAG", "I_E_TYPE", "@I_E_TYPE")
    area: str = leaf("AREA_ID", "@AREA_ID")
    channel: str = leaf("CHNL_NO", "@CHNL_NO")
    master: str = leaf("CUS_CODE", always=False)
    mode: str = leaf("GETHER_MODE", "GATHER_MODE")
    """A automatic, M gathered again, B entered in the back office; the misspelt name is the standard's."""
    seq: str = leaf("SESSION_ID", "@SESSION_ID")
    gate_type: str = leaf("RPB_TYPE", always=False)
    card: IcInfo = group(IcInfo, "IC_INFO", always=True)
    form: FormInfo = group(FormInfo, "FORM_INFO", always=True)
    driver_number: str = leaf("DR_CUSTOMS_NO")
    vehicle_number: str = leaf("VE_CUSTOMS_NO")
    plate: str = leaf("VE_LICENSE_NO")
    containers: str = leaf("CONTA_ID")
    eseals: str = leaf("ESEAL_ID")
    gross_kg: str = leaf("GROSS_WT")
    vehicle_tags: tuple[VehicleTag, ...] = several(VehicleTag, "VE_RFID")
    driver_tags: tuple[DriverTag, ...] = several(DriverTag, "DR_RFID")
    photos: tuple[PhotoName, ...] = several(PhotoName, "PHOTO")
    operator: str = leaf("OPERATOR_ID")
    operated_at: str = leaf("OPERATE_TIME")
    extensions: tuple[Extension, ...] = several(Extension, "EXTEND")
    boxes_read: tuple[BoxRead, ...] = several(BoxRead, "CONTA_RECOGNITION")
    plates_read: tuple[PlateRead, ...] = several(PlateRead, "VE_LICENSE_RECOGNITION")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle(Shape):
    """VE_INFO."""

    vehicle_number: str = leaf("VE_CUSTOMS_NO")
    plate: str = leaf("VE_LICENSE_NO")
    plate_2: str = leaf("VE_LICENSE_NO2")
    driver_number: str = leaf("DR_CUSTOMS_NO")
    driver: str = leaf("DR_NAME")
    trailer: str = leaf("TRAILER_ID")
    off_kg: str = leaf("WEIGHT_DIFF")
    weighed_kg: str = leaf("CHANNEL_WEIGHT")
    gross_kg: str = leaf("GROSS_WEIGHT")
    """What it should weigh."""
    tare_kg: str = leaf("VEHICLE_WEIGHT")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartFeedback(Shape):
    """0x82."""

    ROOT: ClassVar[str] = "GATHER_FEEDBACK"
    CODES: ClassVar[tuple[Code, ...]] = (Code.SMART_FEEDBACK,)

    area: str = leaf("AREA_ID", "@AREA_ID")
    channel: str = leaf("CHNL_NO", "@CHNL_NO")
    seq: str = leaf("SESSION_ID", "@SESSION_ID")
    list_type: str = leaf("RELLIST_TYPE")
    list_id_type: str = leaf("RELLIST_ID_TYPE")
    list_id: str = leaf("RELLIST_ID")
    at: str = leaf("FEEDBACK_TIME")
    result: str = leaf("CHECK_RESULT")
    """Y release, N alarm, M wait for a person."""
    instruction: str = leaf("INSTRUCTION")
    error: str = leaf("PROC_ERROR_CODE")
    error_text: str = leaf("PROC_ERROR_DESCRIPTION")
    fault: str = leaf("TECH_ERROR_CODE")
    fault_text: str = leaf("TECH_ERROR_DESCRIPTION")
    card: IcInfo = group(IcInfo, "IC_INFO", always=True)
    vehicle: Vehicle = group(Vehicle, "VE_INFO", always=True)
    containers: str = leaf("CONTA_ID")
    eseals: str = leaf("ESEAL_ID")
    seals: str = leaf("SEAL_ID")
    form: FormInfo = group(FormInfo, "FORM_INFO", always=True)
    pieces: str = leaf("PACK_NO")
    declared_pieces: str = leaf("DECL_PACK")
    declared_goods_kg: str = leaf("DECL_GOODS_WEIGHT")
    hint: str = leaf("OP_HINT")
    led: str = leaf("LED_HINT")
    extension: str = leaf("EXTENDED_CONTENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsDeed(Shape):
    """GPS of 0x83."""

    vehicle_number: str = leaf("VE_CUSTOMS_NO")
    tracker: str = leaf("GPS_ID")
    origin: str = leaf("ORIGIN_CUSTOMS")
    destination: str = leaf("DEST_CUSTOMS")
    form: str = leaf("FORM_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDeed(Shape):
    """ESEAL of 0x83. `deed`: U unlock, L lock."""

    number: str = leaf("ESEAL_ID")
    deed: str = leaf("ESEAL_OPERATE")
    key: str = leaf("ESEAL_KEY", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyDeed(Shape):
    """GENERAL_DEVICE of 0x83; the misspelt name is the standard's."""

    deed: str = leaf("OPERATE")
    device: str = leaf("DEVIC_ID", "DEVICE_ID")
    argument: str = leaf("ARGUMENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartDeed(Shape):
    """0x83."""

    ROOT: ClassVar[str] = "OPERATE_INFO"
    CODES: ClassVar[tuple[Code, ...]] = (Code.SMART_DEED,)

    area: str = leaf("AREA_ID", "@AREA_ID")
    channel: str = leaf("CHNL_NO", "@CHNL_NO")
    seq: str = leaf("SESSION_ID", "@SESSION_ID")
    gps: GpsDeed = group(GpsDeed, "GPS", always=True)
    seals: tuple[SealDeed, ...] = several(SealDeed, "ESEAL")
    devices: tuple[AnyDeed, ...] = several(AnyDeed, "GENERAL_DEVICE")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsDone(Shape):
    """GPS of 0x84. `deed`: S start, C close; `result` everywhere in 0x84: 0 nothing done, 1 done, 2 failed."""

    tracker: str = leaf("GPS_ID")
    deed: str = leaf("GPS_OPERATE")
    result: str = leaf("RESULT")
    text: str = leaf("RESULT_DESCRIPTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDone(Shape):
    """ESEAL of 0x84."""

    number: str = leaf("ESEAL_ID")
    deed: str = leaf("ESEAL_OPERATE")
    result: str = leaf("RESULT")
    text: str = leaf("RESULT_DESCRIPTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyDone(Shape):
    """GENERAL_DEVICE of 0x84."""

    kind: str = leaf("DEVICE_TYPE")
    device: str = leaf("DEVIC_ID", "DEVICE_ID")
    deed: str = leaf("OPERATE")
    result: str = leaf("RESULT")
    text: str = leaf("RESULT_DESCRIPTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartDeedDone(Shape):
    """0x84."""

    ROOT: ClassVar[str] = "OPERATE_FEEDBACK"
    CODES: ClassVar[tuple[Code, ...]] = (Code.SMART_DEED_DONE,)

    area: str = leaf("AREA_ID", "@AREA_ID")
    channel: str = leaf("CHNL_NO", "@CHNL_NO")
    seq: str = leaf("SESSION_ID", "@SESSION_ID")
    gps: GpsDone = group(GpsDone, "GPS", always=True)
    seals: tuple[SealDone, ...] = several(SealDone, "ESEAL")
    devices: tuple[AnyDone, ...] = several(AnyDone, "GENERAL_DEVICE")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartCheck(Shape):
    """0x85: an officer's decision."""

    ROOT: ClassVar[str] = "MANUAL_CHECK"
    CODES: ClassVar[tuple[Code, ...]] = (Code.SMART_CHECK,)

    area: str = leaf("AREA_ID", "@AREA_ID")
    channel: str = leaf("CHNL_NO", "@CHNL_NO")
    seq: str = leaf("SESSION_ID", "@SESSION_ID")
    result: str = leaf("CHECK_RESULT")
    """1 release, 2 alarm and inspection, 3 refuse."""
    comment: str = leaf("COMMENT")
    operator: str = leaf("OPERATOR_ID")
