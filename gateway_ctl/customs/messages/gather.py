"""0x21, what the lane has gathered of a truck: table A.5 and what the field adds. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from gateway_ctl.customs.codes import Code
from gateway_ctl.customs.shape import Shape, group, leaf, several


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo(Shape):
    """CARGO_IC_LIST: one line of the cargo card."""

    conveyance: str = leaf("TRAF_NAME")
    voyage: str = leaf("VOYAGE_NO")
    declaration: str = leaf("FORM_ID")
    bill: str = leaf("BILL_NO")
    pieces: str = leaf("PACK_NO")
    gross_kg: str = leaf("G_WT")
    complete: str = leaf("FINISH_FLAG")
    """Y or N: all of it is collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoHead(Shape):
    """CARGO_IC_HEAD."""

    pieces: str = leaf("PACK_NUM_TOTAL")
    kg: str = leaf("PACK_WT_TOTAL")
    seals: str = leaf("SEAL_ID")
    """Up to six, joined with |."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoCard(Shape):
    """CARGO_IC."""

    head: CargoHead = group(CargoHead, "CARGO_IC_HEAD")
    lines: tuple[Cargo, ...] = several(Cargo, "CARGO_IC_LIST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Shape):
    """IC: the driver's card. The standard nests its fields in DRIVER_IC, everybody writes them straight under IC."""

    goods: str = leaf("G_TYPE", always=False)
    loading: str = leaf("TRAF_TYPE", always=False)
    driver_card: str = leaf("DR_IC_NO", "DRIVER_IC/DR_IC_NO")
    driver_number: str = leaf("IC_DR_CUSTOMS_NO", "DRIVER_IC/IC_DR_CUSTOMS_NO")
    company_number: str = leaf("IC_CO_CUSTOMS_NO", "DRIVER_IC/IC_CO_CUSTOMS_NO")
    bill: str = leaf("IC_BILL_NO", "DRIVER_IC/IC_BILL_NO")
    gross_kg: str = leaf("IC_GROSS_WT", "DRIVER_IC/IC_GROSS_WT")
    vehicle_number: str = leaf("IC_VE_CUSTOMS_NO", "DRIVER_IC/IC_VE_CUSTOMS_NO")
    plate: str = leaf("IC_VE_NAME", "DRIVER_IC/IC_VE_NAME")
    containers: str = leaf("IC_CONTA_ID", "DRIVER_IC/IC_CONTA_ID")
    eseals: str = leaf("IC_ESEAL_ID", "DRIVER_IC/IC_ESEAL_ID")
    business: str = leaf("IC_BUSS_TYPE", "DRIVER_IC/IC_BUSS_TYPE", always=False)
    extension: str = leaf("IC_EX_DATA", "DRIVER_IC/IC_EX_DATA", always=False)
    registered_at: str = leaf("IC_REG_DATETIME", always=False)
    valid_days: str = leaf("IC_PER_DAY_DUE", always=False)
    form_type: str = leaf("IC_FORM_TYPE", always=False)
    cargo: CargoCard = group(CargoCard, "CARGO_IC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed(Shape):
    """WEIGHT."""

    gross_kg: str = leaf("GROSS_WT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Car(Shape):
    """CAR."""

    plate: str = leaf("VE_NAME")
    tag: str = leaf("CAR_EC_NO")
    """Electronic plates; several are joined with |."""
    tag_2: str = leaf("CAR_EC_NO2")
    vehicle_number: str = leaf("VE_CUSTOMS_NO")
    tare_kg: str = leaf("VE_WT", "VE_WEIGHT")
    customs_bill: str = leaf("CUSTOMS_BILL", always=False)
    plan: str = leaf("INFORM_NO", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer(Shape):
    """TRAILER."""

    tag: str = leaf("TR_EC_NO")
    plate: str = leaf("TR_NAME")
    tare_kg: str = leaf("TR_WT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes(Shape):
    """CONTA. `reco` keeps what was sent: the standard says 0 for well read, most of the field says 1."""

    count: str = leaf("CONTA_NUM")
    reco: str = leaf("CONTA_RECO")
    front: str = leaf("CONTA_ID_F")
    rear: str = leaf("CONTA_ID_B")
    front_model: str = leaf("CONTA_MODEL_F", always=False)
    rear_model: str = leaf("CONTA_MODEL_B", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seals(Shape):
    """SEAL, as read at the lane."""

    numbers: str = leaf("ESEAL_ID")
    public_key: str = leaf("ESEAL_PUBLIC_KEY", always=False, secret=True)
    key: str = leaf("SEAL_KEY", always=False, secret=True)
    card: str = leaf("ESEAL_IC_NO", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCamera(Shape):
    """OPTCAR."""

    plate: str = leaf("PCAR_NO")
    plate_picture: str = leaf("PCAR_NO_PICNAME")
    truck_picture: str = leaf("PCAR_PICNAME")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPictures(Shape):
    """CONTA_PIC: names of files."""

    front: str = leaf("CONTA_PIC_F")
    rear: str = leaf("CONTA_PIC_B")
    left_front: str = leaf("CONTA_PIC_LF")
    right_front: str = leaf("CONTA_PIC_RF")
    left_rear: str = leaf("CONTA_PIC_LB")
    right_rear: str = leaf("CONTA_PIC_RB")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarCode(Shape):
    """BARCODE; two makers name its text otherwise."""

    code: str = leaf("CODE", always=False)
    data: str = leaf("DATA", always=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeData(Shape):
    """GATHER."""

    data: str = leaf("DATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(Shape):
    """VIDEO."""

    camera: str = leaf("CAMERA_IP")
    handle: str = leaf("VIDEO_ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(Shape):
    """0x21."""

    ROOT: ClassVar[str] = "GATHER_INFO"
    CODES: ClassVar[tuple[Code, ...]] = (Code.GATHER,)

    area: str = leaf("@AREA_ID", "AREA_ID")
    channel: str = leaf("@CHNL_NO", "CHNL_NO")
    direction: str = leaf("@I_E_TYPE", "I_E_TYPE")
    seq: str = leaf("@SEQ_NO", "SEQ_NO")
    lane_type: str = leaf("@CHNL_TYPE", "CHNL_TYPE", always=False)
    card: Card = group(Card, "IC", always=True)
    weight: Weighed = group(Weighed, "WEIGHT", always=True)
    free: FreeData = group(FreeData, "GATHER")
    car: Car = group(Car, "CAR", always=True)
    trailer: Trailer = group(Trailer, "TRAILER")
    boxes: Boxes = group(Boxes, "CONTA", always=True)
    box_pictures: BoxPictures = group(BoxPictures, "CONTA_PIC")
    seals: Seals = group(Seals, "SEAL", always=True)
    second_card: Card = group(Card, "RIC")
    camera: PlateCamera = group(PlateCamera, "OPTCAR")
    bar_code: str = leaf("BAR_CODE", always=False)
    bar: BarCode = group(BarCode, "BARCODE")
    video: Video = group(Video, "VIDEO")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedGather(Shape):
    """0x21 as it goes over the signed serial line: flat, and with names of its own."""

    ROOT: ClassVar[str] = "GATHER_INFO"
    CODES: ClassVar[tuple[Code, ...]] = (Code.GATHER,)

    area: str = leaf("@AREA_ID", "AREA_ID")
    channel: str = leaf("@CHNL_NO", "CHNL_NO")
    direction: str = leaf("@I_E_TYPE", "I_E_TYPE")
    seq: str = leaf("@SEQ_NO", "SEQ_NO")
    business: str = leaf("@BUSINESS_CODE")
    front: str = leaf("CONTA_ID1")
    rear: str = leaf("CONTA_ID2")
    plate: str = leaf("TRUCK_NO")
    bridge: str = leaf("WEIGHT_BRIDGE")
    gross_kg: str = leaf("TRUCK_WEIGHT")
    reco: str = leaf("IDENTIFY_FLAG")
    driver_card: str = leaf("DR_IC_NO")
    tag: str = leaf("CAR_EC_NO")
    at: str = leaf("DATE_TIME")
    """YYYY-MM-DDTHH:MM:SS."""
