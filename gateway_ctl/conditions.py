"""Conditions that ask for a person: their words and their priority (1 act now, 2 act soon, 3 know)."""

from enum import Enum
from typing import Literal, NamedTuple


class _Words(NamedTuple):
    priority: Literal[1, 2, 3]
    zh: str
    en: str


class Condition(Enum):
    """An alarm of the lane. The member's name in lower case is its stable name on the wire."""

    NOT_CONFIRMED = _Words(1, "闸杆未按指令到位", "The boom did not arrive where it was sent")
    BOOM_STRAYED = _Words(1, "闸杆未经许可移动", "The boom moved without a permit")
    TAILGATED = _Words(1, "有车尾随通过", "A second vehicle went through behind the first")
    ORDER_FALSE = _Words(1, "收到伪造或重放的指令", "A forged or replayed order came")
    INPUTS_STALE = _Words(2, "车道信号中断", "The lane's signals are not coming")
    WEIGHT_STALE = _Words(2, "地磅读数中断", "The weighbridge has fallen silent")
    CLEARANCE_SILENT = _Words(2, "海关系统没有答复", "Customs does not answer")
    FOLLOWER = _Words(2, "前车未离开,后车已上磅", "A second vehicle drove on before the first had left")
    ZONE_STUCK = _Words(
        2, "闸杆下长时间有车或地感卡死", "The boom's place has been occupied for long: a vehicle, or a stuck loop"
    )
    ZONE_BLIND = _Words(
        2,
        "闸杆下的地感或光电漏检了车辆,按有车处理",
        "The loop or the photocell under the boom missed a vehicle: it counts as occupied until it sees one",
    )
    OPEN_LONG = _Words(2, "闸杆长时间抬起", "The boom has been up for long")
    KEPT_OPEN = _Words(2, "闸杆按指令保持开启", "The boom is held open by order")
    SCALE_SUSPECT = _Words(2, "地磅不可信", "The weighbridge cannot be trusted")
    SCALE_UNFIT = _Words(
        2,
        "地磅不可用:去皮、证书、序列号或来历不明的重量",
        "The weighbridge may not be used: tare, certificate, plate, or a load from nowhere",
    )
    CLOCK_STEPPED = _Words(2, "本站时钟被拨动", "This site's clock was stepped")
    OVERRIDE = _Words(3, "人工放行", "Released by hand")

    @property
    def code(self) -> str:
        """Stable name on the wire."""
        return self.name.lower()
