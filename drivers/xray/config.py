"""Settings of a scanner's instruments: detector, source, interlock chain, section."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.config import SerialLinkConfig, TcpLinkConfig
from drivers.link.modbus_config import ModbusConfig
from drivers.xray.frames import MAX_PIXELS

_CLOSED = ConfigDict(frozen=True, extra="forbid")
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Channel = Annotated[int, Field(strict=True, ge=0, le=63)]

SIGNALS: Final = (
    *("key", "beam_on", "lamp", "horn", "person", "dose_alarm", "dose_alive"),
    *("interlock_doors", "interlock_barriers", "interlock_detector", "interlock_source"),
    *("estop_desk", "estop_source", "estop_detector", "estop_cab"),
)
Signal = Literal[
    "key", "beam_on", "lamp", "horn", "person", "dose_alarm", "dose_alive",
    "interlock_doors", "interlock_barriers", "interlock_detector", "interlock_source",
    "estop_desk", "estop_source", "estop_detector", "estop_cab",
]  # fmt: skip
"""What an interlock chain may show. True: turned, lit, alarmed, pressed, a person there; an interlock: closed."""


class DetectorConfig(BaseModel):
    """`[scanners.detector]`: the line detector, which sends datagrams to a port of ours."""

    model_config = _CLOSED

    name: Name = "detector"
    layout: Literal["quaygate", "dt"] = "quaygate"
    """How a line lies in datagrams: the project's own packet, or Detection Technology's image channel."""
    byte_order: Literal["little", "big"] = "little"
    """Of the image channel; no public source tells it. A first line read the wrong way round is refused, not shown."""
    listen_host: str = "0.0.0.0"  # noqa: S104 - the detector's own network; a site narrows it
    listen_port: Annotated[int, Field(ge=0, le=65535)]
    pixels: Annotated[int, Field(ge=16, le=MAX_PIXELS)]
    device: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] | None = None
    """Only this device's packets are taken, where the layout names one."""
    line_hz: Annotated[float, Field(gt=0, le=10_000)] = 400.0
    """Lines of both energies a second."""
    upside_down: bool = False
    """Pixel 0 is at the top of the array."""
    silence_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """A detector between two scans says nothing; within one, so long a silence is a fault."""

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"udp:{self.listen_host}:{self.listen_port}"


class SourceConfig(BaseModel):
    """`[scanners.source]`: the generator's service port, for watching only."""

    model_config = _CLOSED

    name: Name = "source"
    dialect: Literal["vj"] = "vj"
    link: Annotated[SerialLinkConfig | TcpLinkConfig, Field(discriminator="kind")]
    poll_s: Annotated[float, Field(ge=0.5, le=10)] = 1.0
    """Faster than once a second the generator's own firmware does not follow."""


class SafetyConfig(BaseModel):
    """`[scanners.safety]`: the contacts of the interlock chain, on an I/O module of the scanner's own."""

    model_config = _CLOSED

    name: Name = "safety"
    module: str
    """Name of a register table, as for a lane's I/O."""
    link: ModbusConfig
    inputs: dict[Signal, Channel]
    inverted: tuple[Signal, ...] = ()
    """Signals whose contact is closed while all is well: a broken wire then reads as pressed, or as an alarm."""
    ready: Channel | None = None
    """The output that is our link in the chain. None: Quaygate watches, and withholds nothing."""
    poll_s: Annotated[float, Field(ge=0.02, le=2.0)] = 0.1
    alive_within_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """`dose_alive` changes at least so often while the dose monitor works."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        by_channel: dict[int, str] = {}
        for name, channel in self.inputs.items():
            if channel in by_channel:
                raise ValueError(f"{name} and {by_channel[channel]} share input channel {channel}")
            by_channel[channel] = name
        if strangers := [name for name in self.inverted if name not in self.inputs]:
            raise ValueError(f"inverted names signals that are not wired: {', '.join(strangers)}")
        stops = [name for name in self.inputs if name.startswith("estop_")]
        if self.ready is not None and not stops:
            raise ValueError("a scanner that waits for our `ready` must show us at least one estop_* contact")
        return self


class GeometryConfig(BaseModel):
    """`[scanners.geometry]`: the section of the scanner, in millimetres and degrees."""

    model_config = _CLOSED

    fan_deg: tuple[float, float]
    """Elevation of the lowest and of the highest pixel's ray."""
    source_height_mm: Annotated[float, Field(ge=0, le=10_000)]
    middle_mm: Annotated[float, Field(gt=0, le=50_000)]
    detector_mm: Annotated[float, Field(gt=0, le=50_000)]
    pitch_mm: Annotated[float, Field(gt=0, le=50)]
    """Of the picture, along the truck."""
    encoder_mm: Annotated[float, Field(gt=0, le=100)] | None = None
    """Along the truck, per count; None: no encoder, the nominal speed is believed."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        low, high = self.fan_deg
        if not -80 < low < high < 80:
            raise ValueError(f"fan_deg = {low}, {high}: expected two angles between -80 and 80, the lower one first")
        if self.detector_mm <= self.middle_mm:
            raise ValueError("detector_mm: the detector stands behind the middle of the lane, seen from the source")
        return self


class ScannerConfig(BaseModel):
    """The instruments of one `[[scanners]]` of the site file."""

    model_config = _CLOSED

    energies_mev: tuple[Annotated[float, Field(gt=0, le=20)], Annotated[float, Field(ge=0, le=20)]]
    """High and low end point; the low one 0: a source of one energy."""
    detector: DetectorConfig
    geometry: GeometryConfig
    source: SourceConfig | None = None
    safety: SafetyConfig | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.energies_mev[1] >= self.energies_mev[0]:
            raise ValueError("energies_mev: the high energy first, then the low one")
        return self
