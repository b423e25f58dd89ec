"""Every refusal there is: its code, the sentence a guard can read aloud, what clears it and who.

One table. A reason that is not here cannot be given; a reason without its words cannot be written. It is
more than 400 lines long because a guard's words stand in one place.
"""

from enum import Enum, StrEnum
from typing import NamedTuple


class Clears(StrEnum):
    """Who or what makes a reason go away."""

    BY_ITSELF = "by itself"
    OPERATOR = "operator"
    CUSTOMS = "customs"
    INSPECTOR = "inspector"
    SERVICE = "service"


class Words(NamedTuple):
    """Sentence and remedy in both languages."""

    clears: Clears
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


_I, _O, _C, _S = Clears.BY_ITSELF, Clears.OPERATOR, Clears.CUSTOMS, Clears.SERVICE
_X = Clears.INSPECTOR


class Reason(Enum):
    """Why the boom does not move. The member's name is the code on the wire and in the book."""

    ORDER_MISSING = Words(_I, "尚未收到放行指令", "No order has come yet", "等待海关答复", "Wait for customs to answer")
    ORDER_MALFORMED = Words(
        _C, "指令无法读懂", "The order cannot be read", "请海关重新下达", "Ask customs to send it again"
    )
    ORDER_UNKNOWN_KEY = Words(
        _C,
        "指令的签名密钥不在本站名单",
        "The order is signed with a key this site does not know",
        "核对发令方与站点密钥",
        "Check who sent it and the site's keys",
    )
    ORDER_FORGED = Words(
        _C,
        "指令签名不符,疑似伪造",
        "The order's signature is false",
        "保留证据并通知海关",
        "Keep the evidence and tell customs",
    )
    ORDER_NOT_THEIRS = Words(
        _O,
        "签名人无权下达此指令",
        "Whoever signed may not give this order",
        "由有权人员签发",
        "Have it signed by someone who may",
    )
    ORDER_TOO_FEW = Words(
        _O, "签名人数不足", "The order needs more persons' signatures", "请第二人签名", "Have the second person sign"
    )
    ORDER_UNPROVEN = Words(
        _O,
        "指令未写明理由或依据",
        "The order names no reason, or nothing that it rests on",
        "按当前画面写明理由重新下达",
        "Give it again from the screen as it is now, with a reason",
    )
    ORDER_LAPSED = Words(
        _O,
        "第二人未在时限内签名",
        "The second signature did not come in time",
        "重新下达,第二人及时签名",
        "Give the order again and have it signed in time",
    )
    ORDER_HOLDS_TOO_LONG = Words(
        _O,
        "保持开启的时间超出本站规定",
        "It would hold the boom open for longer than this site allows",
        "缩短时间重新下达",
        "Give it again with an earlier end",
    )
    ORDER_OTHER_SITE = Words(
        _C,
        "指令属于别的口岸",
        "The order is for another site",
        "请海关重新下达",
        "Ask customs for an order for this site",
    )
    ORDER_OTHER_LANE = Words(
        _C,
        "指令属于别的车道",
        "The order is for another lane",
        "请海关重新下达",
        "Ask customs for an order for this lane",
    )
    ORDER_OTHER_PASSAGE = Words(
        _C,
        "指令不属于本次过卡",
        "The order is for another passage",
        "请海关重新下达",
        "Ask customs for an order for this passage",
    )
    ORDER_OTHER_PLATE = Words(
        _O,
        "指令上的车牌与本车不符",
        "The order names another plate",
        "核对车牌或重读",
        "Check the plate or read it again",
    )
    ORDER_OTHER_CONTAINERS = Words(
        _O,
        "指令上的箱号与本车不符",
        "The order names other containers",
        "核对箱号或重读",
        "Check the containers or read them again",
    )
    ORDER_OTHER_TRAILER = Words(
        _O,
        "指令上的挂车号与本车不符",
        "The order names another trailer",
        "核对挂车或重读",
        "Check the trailer or read it again",
    )
    ORDER_OTHER_SEALS = Words(
        _O,
        "关锁号与申报不符",
        "The seals are not those declared",
        "核对关锁,疑似换锁时转查验",
        "Check the seals; send to inspection if one was changed",
    )
    ORDER_OTHER_DIRECTION = Words(
        _C,
        "进出方向与申报不符",
        "The truck goes the other way than declared",
        "引导至正确车道",
        "Send it to a lane of the other direction",
    )
    ORDER_OTHER_DOCUMENT = Words(
        _C,
        "单证类型不可走本车道",
        "This lane does not take trucks on this type of document",
        "引导至对应车道",
        "Send it to a lane that takes it",
    )
    PAPER_OTHER_CONTAINERS = Words(
        _O,
        "核放单上的箱号与本车不符",
        "The paper of this truck names other containers",
        "核对箱号或重读,必要时更换核放单",
        "Check the containers or read them again; else another paper is needed",
    )
    PAPER_OTHER_DIRECTION = Words(
        _O,
        "进出方向与核放单不符",
        "The truck goes the other way than its paper says",
        "引导至正确车道",
        "Send it to a lane of the other direction",
    )
    ORDER_EXPIRED = Words(_C, "指令已过期", "The order has expired", "请海关重新下达", "Ask customs for a fresh order")
    ORDER_FROM_FUTURE = Words(
        _S,
        "指令时间晚于本站时钟",
        "The order is dated after this site's clock",
        "校对双方时钟",
        "Set both clocks right",
    )
    ORDER_LIVES_TOO_LONG = Words(
        _C,
        "指令有效期过长",
        "The order is valid for longer than this site allows",
        "请海关缩短有效期",
        "Ask customs for a shorter one",
    )
    ORDER_SPENT = Words(
        _C,
        "指令已使用过",
        "The order has been used already",
        "每条指令只用一次",
        "Every order is good once; ask for a fresh one",
    )
    ORDER_OUTDATED = Words(
        _C, "已有更新的指令", "A newer order has taken this one's place", "以最新指令为准", "The newest order counts"
    )
    ORDER_HOLD = Words(_C, "海关拦截,等待处理", "Customs holds this truck", "等待海关处理", "Wait for customs")
    ORDER_INSPECT = Words(
        _C, "海关要求查验", "Customs wants this truck inspected", "引导至查验区", "Send it to inspection"
    )
    ORDER_REFUSE = Words(_C, "海关不予放行", "Customs refuses this truck", "引导退出车道", "Have it leave the lane")
    CLEARANCE_SILENT = Words(
        _C,
        "海关系统没有答复",
        "Customs does not answer",
        "检查线路,或按授权人工放行",
        "Check the line, or release by hand if entitled",
    )
    CLEARANCE_ODD = Words(
        _C,
        "海关系统答复异常",
        "Customs answers something that is no answer",
        "联系海关技术人员",
        "Call customs' engineers",
    )
    SCAN_AWAITED = Words(
        _X, "等待审图结论", "The verdict on the scan is awaited", "等待审图员", "Wait for the inspector"
    )
    SCAN_SUSPECT = Words(
        _X,
        "审图结论有嫌疑",
        "The scan was found suspicious",
        "转查验,等待新的结论",
        "Send it to inspection; a newer verdict clears it",
    )
    SCAN_OTHER_TRUCK = Words(
        _X,
        "审图结论属于别的车辆",
        "The verdict is on another truck's scan",
        "请审图员核对车辆",
        "Ask the inspector for this truck's verdict",
    )
    SCAN_TORN = Words(
        _X,
        "扫描图像不完整",
        "The scan has gaps",
        "重新扫描",
        "Scan the truck again",
    )
    LANE_IN_SHADOW = Words(
        _S,
        "本车道为影子模式,不动闸杆",
        "This lane is in shadow: it decides and moves nothing",
        "由道闸自带操作器开闸",
        "Use the barrier's own operator",
    )
    NOT_CONFIRMED_YET = Words(
        _O,
        "建议放行,等待操作员签名",
        "Release is advised; an operator has yet to sign",
        "核对后签名放行",
        "Look at the truck and sign",
    )
    LOCAL_NOT_ALLOWED = Words(
        _C,
        "海关中断期间此车不可放行",
        "The site's rules let no such truck pass while customs is silent",
        "等待海关恢复",
        "Wait until customs answers again",
    )
    NOT_KEPT_OPEN = Words(_I, "闸杆未处于保持开启", "The boom is not held open", "无需关闭", "Nothing to end")
    LANE_WAKING = Words(_I, "车道正在启动", "The lane is just starting", "稍候", "Wait a moment")
    CLOCK_UNSURE = Words(
        _S,
        "本站时钟被拨动,不可信",
        "This site's clock was stepped and cannot be trusted",
        "校时后重启车道",
        "Set the clock, then restart the lane",
    )
    INPUTS_STALE = Words(
        _I,
        "车道信号中断",
        "The lane's signals are not coming",
        "检查车道模块与网线",
        "Check the lane's module and its cable",
    )
    TRUCK_ABSENT = Words(_I, "地磅上没有车", "No truck stands on the deck", "车辆驶上地磅", "Drive onto the deck")
    ZONE_OCCUPIED = Words(
        _I, "闸杆下有车或障碍", "Something is under the boom", "等待闸杆下清空", "Wait until it is clear"
    )
    ZONE_UNKNOWN = Words(
        _S,
        "闸杆下情况不明",
        "It is not known what is under the boom",
        "检查地感与光电",
        "Check the loop and the photocell",
    )
    ZONE_NOT_CLEAR_YET = Words(_I, "闸杆下刚刚清空", "The boom's place has only just cleared", "稍候", "Wait a moment")
    BOOM_UNKNOWN = Words(
        _S, "闸杆位置不明", "The boom's position is not known", "检查限位开关", "Check the limit switches"
    )
    BOOM_CONTRADICTS = Words(
        _S,
        "上下限位同时到位,接线故障",
        "Both limit switches say they are reached",
        "检查限位接线",
        "Check the wiring of the limit switches",
    )
    BOOM_FAULTY = Words(_S, "道闸报告故障", "The barrier reports a fault", "通知维修", "Call service")
    BOOM_MOVING = Words(_I, "闸杆正在动作", "The boom is moving", "等待到位", "Wait until it stands")
    BOOM_ALREADY_UP = Words(_I, "闸杆已抬起", "The boom is up already", "无需再抬", "Nothing to do")
    BOOM_ALREADY_DOWN = Words(_I, "闸杆已落下", "The boom is down already", "无需再落", "Nothing to do")
    WEIGHT_MISSING = Words(
        _S, "地磅没有读数", "The weighbridge gives no number", "检查仪表与连线", "Check the indicator and its line"
    )
    WEIGHT_NOT_SETTLED = Words(
        _I, "重量尚未稳定", "The weight has not settled", "请车辆停稳", "Have the truck stand still"
    )
    WEIGHT_STALE = Words(_I, "重量读数已过时", "The weight is too old", "检查仪表连线", "Check the indicator's line")
    WEIGHT_OVERLOAD = Words(
        _O, "超出地磅量程", "The load is above the weighbridge's range", "车辆退出", "Have the truck leave"
    )
    WEIGHT_OFF_DECLARED = Words(
        _C, "重量与申报不符", "The weight differs from the declaration", "等待海关处理", "Wait for customs"
    )
    WEIGHT_OFF_PAPER = Words(
        _O,
        "重量与核放单不符",
        "The weight differs from what the paper of this truck says",
        "核对核放单,必要时转查验",
        "Check the paper; send to inspection if it is true",
    )
    DECK_HALF_ON = Words(
        _O,
        "车辆未完全上磅",
        "The truck is not wholly on the deck",
        "请车辆前后移动到位",
        "Have the truck move until both beams are clear",
    )
    DECK_BEAMS_UNKNOWN = Words(
        _S, "磅端光幕信号不明", "The beams at the deck's ends are not known", "检查光幕", "Check the beams"
    )
    SCALE_NOT_AT_ZERO = Words(
        _S,
        "上磅前地磅不在零点",
        "The empty deck was not at zero before this truck",
        "清理磅台并置零",
        "Clear the deck and set it to zero",
    )
    SCALE_ZERO_UNKNOWN = Words(
        _O,
        "上磅前未见空磅零点",
        "The empty deck was not seen before this truck",
        "车辆退出,空磅归零后重新上磅",
        "Have the truck back off and drive on again",
    )
    SCALE_FROZEN = Words(
        _S,
        "仪表读数不动,疑似冻结",
        "The indicator does not follow the load",
        "重启或更换仪表",
        "Restart or replace the indicator",
    )
    SCALE_JUMPED = Words(
        _O,
        "静止时重量跳变",
        "The weight jumped while nothing moved",
        "保留曲线,重新称重",
        "Keep the curve and weigh again",
    )
    SCALE_DRIFTING = Words(
        _S,
        "静止时重量缓慢漂移",
        "The weight wanders while nothing moves",
        "检查磅台有无卡阻、千斤顶或接线盒进水",
        "Look for a wedge or a jack under the deck, and water in the junction box",
    )
    SCALE_TARED = Words(
        _O, "仪表去皮未清除", "A tare stands on the indicator", "在仪表上清除去皮", "Clear the tare on the indicator"
    )
    SCALE_LOAD_UNSEEN = Words(
        _S,
        "磅上有重量,但未见车辆驶入",
        "The weighbridge shows a load, and nothing was seen driving on",
        "核对仪表接线是否属于本车道,检查磅台",
        "Check that this is this lane's indicator, and look at the deck",
    )
    SCALE_REPLACED = Words(
        _S,
        "仪表序列号或标定次数与登记不符",
        "The indicator's serial number or calibration counter is not the registered one",
        "核对仪表与铅封,重新检定后登记",
        "Check the indicator and its seals; register it after verification",
    )
    SCALE_UNCALIBRATED = Words(
        _S, "地磅检定证书已过期", "The weighbridge's certificate has run out", "安排检定", "Have it verified"
    )
    DECK_TWO_TRUCKS = Words(
        _O,
        "磅上不止一辆车",
        "More than one vehicle stands on the deck",
        "请后车退出,再重新称重",
        "Have the second one back off, then weigh again",
    )
    WEIGHT_BY_AXLES = Words(
        _O,
        "分轴称重结果,不作整车重量",
        "The weight is a sum of axle groups, not a vehicle weighed at once",
        "到整车地磅复称,或按授权人工放行",
        "Weigh it on a full deck, or release by hand if entitled",
    )
    AXLE_MISSED = Words(
        _O,
        "有车轴未停稳、后溜或计轴不符,轴重累计无效",
        "An axle did not come to rest, rolled back or was not counted: the sum of axles is void",
        "请退出,再逐轴停稳重新称重",
        "Have it back off, then weigh again, stopping with every axle",
    )
    PLATE_UNREAD = Words(
        _O, "车牌未识别", "The plate was not read", "重读或人工放行", "Read it again, or release by hand"
    )
    PLATE_UNSURE = Words(
        _O,
        "车牌识别置信度过低",
        "The plate's read is not sure enough",
        "重读或人工核对",
        "Read it again, or check it by hand",
    )
    TAG_UNREAD = Words(
        _O, "电子车牌未读到", "The vehicle's tag was not read", "重读或人工核对", "Read it again, or check it by hand"
    )
    TAG_OTHER_TRUCK = Words(
        _O, "电子车牌与车牌不符", "The tag belongs to another truck", "人工核对车辆", "Check the truck by hand"
    )
    TRAILER_UNREAD = Words(
        _O, "挂车号未识别", "The trailer's plate was not read", "重读或人工更正", "Read it again, or correct it by hand"
    )
    SEAL_UNREAD = Words(
        _O, "关锁号未识别", "A seal's number was not read", "重读或人工更正", "Read it again, or correct it by hand"
    )
    MATCH_INSPECT = Words(
        _C,
        "比对不符,按规定转查验",
        "A check failed for which this site sends to inspection",
        "引导至查验区,等待海关新指令",
        "Send it to inspection; customs' next order counts",
    )
    MATCH_REFUSE = Words(
        _C,
        "比对不符,按规定不予放行",
        "A check failed for which this site refuses the truck",
        "引导退出车道",
        "Have the truck leave the lane",
    )
    CORRECTION_BARRED = Words(
        _O,
        "本站规则不许人工更正此项",
        "This site lets nobody correct this by hand",
        "重读或按规定处理",
        "Read it again, or do as the rules say",
    )
    CORRECTION_STALE = Words(
        _O,
        "更正所依据的识别结果已变化",
        "The read has changed since the correction was signed",
        "按当前读数重新更正",
        "Look again and correct what is shown now",
    )
    CONTAINER_UNREAD = Words(
        _O, "箱号未识别", "A container's number was not read", "重读或人工核对", "Read it again, or check it by hand"
    )
    CONTAINER_FALSE = Words(
        _O,
        "箱号校验位不符",
        "A container's check digit is wrong",
        "重读或人工核对",
        "Read it again, or check it by hand",
    )
    PERMIT_EXPIRED = Words(
        _I, "许可已失效", "The permit has run out", "系统自动重新判定", "The lane decides again by itself"
    )
    PERMIT_USED = Words(
        _I, "许可已使用", "The permit has been used", "系统自动重新判定", "The lane decides again by itself"
    )
    PERMIT_OTHER_LANE = Words(_S, "许可属于别的车道", "The permit is for another lane", "通知维修", "Call service")
    NOT_CONFIRMED = Words(
        _S, "闸杆未按指令到位", "The boom did not arrive where it was sent", "现场查看道闸", "Look at the barrier"
    )
    BOOM_STRAYED = Words(
        _S,
        "闸杆未经许可移动",
        "The boom moved without a permit",
        "现场查看,保留证据",
        "Look at the barrier and keep the evidence",
    )

    @property
    def clears(self) -> Clears:
        """Who or what makes it go away."""
        return self.value.clears

    @property
    def passing(self) -> bool:
        """Whether waiting may be enough."""
        return self.value.clears is Clears.BY_ITSELF
