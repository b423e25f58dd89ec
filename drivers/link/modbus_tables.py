"""Register tables of I/O modules: where inputs and outputs lie, whether the module pulses and watches its host itself.

Addresses are those on the wire, counted from 0 (a manual's 00017 is 16 here, its 40215 is 214). A site adds a table of
its own under `[[modules]]` of the site file, with the fields of `ModuleTable`; a field left out means "has none":

    [[modules]]
    name = "acme-16"
    source = "ACME-16 user manual 2.1, appendix B"
    inputs = { area = "discrete", start = 0, count = 8 }
    outputs = { area = "coil", start = 0, count = 8 }
    pulse = { kind = "flash-on", start = 0x200, unit_s = 0.1 }
    watchdog = { enable_register = 260, time_register = 488, time_unit_s = 0.1, flag_register = 269 }
    must_hold = [{ start = 0x1000, count = 8, value = 0, zh = "...", en = "every channel in normal mode" }]
"""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_CLOSED = ConfigDict(frozen=True, extra="forbid")

Address = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
Count = Annotated[int, Field(strict=True, ge=1, le=64)]
"""No module that fits beside one lane has more; one read of 64 bits is one short frame."""


class Bank(BaseModel):
    """Channels side by side: channel n is bit `start + n`."""

    model_config = _CLOSED

    area: Literal["coil", "discrete"]
    start: Address
    count: Count

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.start + self.count > 0x10000:
            raise ValueError(f"{self.count} channels from {self.start} go beyond 65535")
        return self


class Outputs(BaseModel):
    """Relays or transistors, written and read back as coils."""

    model_config = _CLOSED

    area: Literal["coil"] = "coil"
    start: Address
    count: Count


class FlashOn(BaseModel):
    """A write of coil `start + n` with the value k closes output n for k times `unit_s`; the module opens it again."""

    model_config = _CLOSED

    kind: Literal["flash-on"] = "flash-on"
    start: Address
    unit_s: Annotated[float, Field(gt=0, le=1)]
    most: Annotated[int, Field(ge=1, le=0x7FFF)] = 0x7FFF


class PulseStart(BaseModel):
    """Coil `start + n` set starts a pulse on output n; how long it lasts is set in the module with its maker's tool."""

    model_config = _CLOSED

    kind: Literal["pulse-start"] = "pulse-start"
    start: Address


class HostWatchdog(BaseModel):
    """Outputs go to their safe value, which the maker's tool sets to off, when the host falls silent."""

    model_config = _CLOSED

    enable_register: Address
    enable_value: Annotated[int, Field(ge=0, le=0xFFFF)] = 1
    set_by: Literal["host", "tool"] = "host"
    """host: the register is written and read back; tool: it is read only, and must hold the value."""
    time_register: Address | None = None
    """Where the host writes the time (`watchdog_s` of the lane); None: the maker's tool sets it."""
    time_unit_s: Annotated[float, Field(gt=0, le=60)] = 0.1
    flag_register: Address | None = None
    """Not 0: the watchdog has fired since."""

    @model_validator(mode="after")
    def _written_by_us(self) -> Self:
        if self.time_register is not None and self.set_by == "tool":
            raise ValueError('a time_register is written: set_by = "host"')
        return self

    def time(self, seconds: float) -> int:
        """What `time_register` holds for so many seconds: as many or fewer, at least one unit."""
        return min(max(1, int(seconds / self.time_unit_s + 1e-6)), 0xFFFF)


class MustHold(BaseModel):
    """Holding registers that must all hold one value, or the module does something of its own; and what that is."""

    model_config = _CLOSED

    start: Address
    count: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    value: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)] = 0
    zh: str
    en: str


class Caution(BaseModel):
    """What a person must know or do, because no register tells it."""

    model_config = _CLOSED

    zh: str
    en: str


class ModuleTable(BaseModel):
    """One kind of module."""

    model_config = _CLOSED

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    source: Annotated[str, Field(min_length=1)]
    """The manual, and the page, that these numbers are from."""
    inputs: Bank
    outputs: Outputs
    pulse: Annotated[FlashOn | PulseStart, Field(discriminator="kind")] | None = None
    watchdog: HostWatchdog | None = None
    on_silence: Literal["tool", "nothing", "unknown"] = "unknown"
    """Of a module without `watchdog`, when its host falls silent. tool: the maker's tool sets what happens, and no
    register tells it; nothing: outputs stay as they are."""
    must_hold: tuple[MustHold, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def all_cautions(self) -> tuple[Caution, ...]:
        """The table's own, and those that follow from what it has not."""
        follow: list[Caution] = []
        if self.pulse is None:
            follow.append(_HOST_PULSE)
        elif self.pulse.kind == "pulse-start":
            follow.append(_SET_WIDTH)
        if self.watchdog is not None:
            follow.append(_SET_SAFE_VALUE if self.watchdog.time_register is None else _SAFE_VALUE_OFF)
        elif self.on_silence == "nothing":
            follow.append(_STAYS_ON if self.pulse is None else _STAYS)
        else:
            follow.append(_BY_TOOL if self.on_silence == "tool" else _NO_WATCHDOG)
        follow += [Caution(zh=held.zh, en=held.en) for held in self.must_hold]
        return (*follow, *self.cautions)

    def without_host(self) -> Caution | None:
        """What the module does when its host is silent, in few words, where no register tells; None where one does."""
        return None if self.watchdog is not None else _WITHOUT_HOST[self.on_silence]


_HOST_PULSE = Caution(
    zh="此模块不能由寄存器自行发脉冲：由主机先通后断。若中途断线，抬杆指令会一直保持；"
    "请用厂家工具设置主机看门狗，使输出在 1 s 内断开。",
    en="This module cannot pulse by itself: the host writes on, then off. If the link drops in between, the command "
    "stays on; set the module's host watchdog with its maker's tool so that outputs open within 1 s.",
)
_SET_WIDTH = Caution(
    zh="脉冲宽度由模块决定：请用厂家工具把道闸输出设为脉冲方式，宽度与 pulse_s 一致。",
    en="The module decides how long a pulse is: set the barrier's outputs to pulse mode with its maker's tool, "
    "as wide as pulse_s.",
)
_NO_WATCHDOG = Caution(
    zh="寄存器表中没有主机看门狗：主机失联时输出是否断开，只能用厂家工具设置并在现场试验。",
    en="No host watchdog in the register table: whether outputs open when the host is silent can only be set with the "
    "maker's tool, and must be tried on site.",
)
_WITHOUT_HOST = {
    "tool": Caution(zh="主机看门狗只有厂家工具可查", en="host watchdog: only the maker's tool tells"),
    "nothing": Caution(
        zh="无主机看门狗,主机失联时输出保持不变",
        en="no host watchdog: outputs stay as they are when the host is silent",
    ),
    "unknown": Caution(zh="寄存器表中没有主机看门狗", en="no host watchdog in the register table"),
}
_BY_TOOL = Caution(
    zh="主机看门狗由厂家工具设置, 没有寄存器可以核对: 输出须在主机失联 1 s 内断开, 并在现场拔线试验。",
    en="The host watchdog is set with the maker's tool and no register tells of it: outputs must open within 1 s of "
    "silence; pull the plug on site and see.",
)
_STAYS = Caution(
    zh="此模块没有主机看门狗: 主机失联时输出保持不变。道闸指令由模块自行结束, 信号灯会停在最后的状态。",
    en="This module has no host watchdog: outputs stay as they are when the host is silent. The boom's pulses end by "
    "themselves; a lamp stays as it was.",
)
_STAYS_ON = Caution(
    zh="此模块既不能自行发脉冲, 也没有主机看门狗: 断线时抬杆指令会一直保持。"
    "道闸须接单稳态 (一次性脉冲) 继电器, 否则不得使用。",
    en="This module neither pulses by itself nor watches its host: a command stays on when the link drops. Wire the "
    "barrier through a one-shot relay, or do not use it.",
)
_SAFE_VALUE_OFF = Caution(
    zh="主机看门狗的安全值由厂家工具设置：须为全部断开。",
    en="The host watchdog's safe value is set with the maker's tool: all outputs off.",
)
_SET_SAFE_VALUE = Caution(
    zh="主机看门狗的时间与安全值由厂家工具设置：安全值须为全部断开，时间不超过 1 s。",
    en="The host watchdog's time and safe value are set with the maker's tool: all outputs off, within 1 s.",
)

_IDLE = Caution(
    zh="“空闲超时”只断开 TCP 连接, 不断开输出。",
    en="Its idle time-out closes the TCP connection only, not the outputs.",
)
_BRAINBOXES = "Brainboxes ED range, Modbus product data tables (docs.brainboxes.com)"
_ADAM_6000 = "Advantech ADAM-6000 series manual, appendix Modbus mapping"

TABLES: tuple[ModuleTable, ...] = (
    ModuleTable(
        name="adam-6050",
        source=_ADAM_6000,
        inputs=Bank(area="coil", start=0, count=12),
        outputs=Outputs(start=16, count=6),
        on_silence="tool",
    ),
    ModuleTable(
        name="adam-6052",
        source=_ADAM_6000,
        inputs=Bank(area="coil", start=0, count=8),
        outputs=Outputs(start=16, count=8),
        on_silence="tool",
    ),
    ModuleTable(
        name="adam-6060",
        source=_ADAM_6000,
        inputs=Bank(area="coil", start=0, count=6),
        outputs=Outputs(start=16, count=6),
        on_silence="tool",
    ),
    ModuleTable(
        name="adam-4150",
        source="Advantech ADAM-4100 series manual, appendix B (coil numbers not seen on hardware)",
        inputs=Bank(area="coil", start=0, count=7),
        outputs=Outputs(start=16, count=8),
        watchdog=HostWatchdog(enable_register=214, set_by="tool", flag_register=215),
    ),
    ModuleTable(
        name="moxa-e1214",
        source="Moxa ioLogik E1200 series manual, appendix Modbus address table",
        inputs=Bank(area="discrete", start=0, count=6),
        outputs=Outputs(start=0, count=6),
        pulse=PulseStart(start=16),
        on_silence="tool",
        cautions=(
            Caution(
                zh="处于脉冲方式的继电器只能用 16 至 21 号线圈启动；红绿灯所用继电器须保持普通（DO）方式。",
                en="A relay in pulse mode is started by coils 16 to 21 only; the relays of the lights must stay in "
                "plain (DO) mode.",
            ),
        ),
    ),
    ModuleTable(
        name="plain-8ch",
        source="Waveshare Modbus RTU Relay / IO 8CH public documentation",
        inputs=Bank(area="discrete", start=0, count=8),
        outputs=Outputs(start=0, count=8),
        pulse=FlashOn(start=0x0200, unit_s=0.1),
        on_silence="nothing",
        must_hold=(
            MustHold(
                start=0x1000,
                count=8,
                zh="各通道控制方式须为普通方式（寄存器 0x1000 起为 0）：联动方式会让输入直接驱动继电器，绕过放行指令。",
                en="every channel must be in normal control mode (0): in linkage mode an input drives its relay "
                "directly, past any order",
            ),
        ),
    ),
    ModuleTable(
        name="brainboxes-ed-588",
        source=_BRAINBOXES,
        inputs=Bank(area="discrete", start=0, count=8),
        outputs=Outputs(start=0, count=8),
        on_silence="nothing",
        cautions=(_IDLE,),
    ),
    ModuleTable(
        name="brainboxes-ed-538",
        source=_BRAINBOXES,
        inputs=Bank(area="discrete", start=0, count=8),
        outputs=Outputs(start=0, count=4),
        on_silence="nothing",
        cautions=(_IDLE,),
    ),
)


def table_named(name: str, own: Iterable[ModuleTable] = ()) -> ModuleTable:
    """The table of that name, the site's own first. Raises LookupError, which names the tables there are."""
    known = {table.name: table for table in (*TABLES, *own)}
    try:
        return known[name]
    except KeyError:
        raise LookupError(f"no register table {name!r}; there are {', '.join(sorted(known))}") from None
