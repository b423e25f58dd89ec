"""`[clearance]` and `[lanes.customs]`: who says what may pass, and how they are reached."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, Field, model_validator

from edge.closed import Closed, HttpUrl, Name, PublicKey
from gateway_ctl.customs.device_ids import device_of
from gateway_ctl.customs.packet import ByteOrder
from gateway_ctl.customs.profile import Encoding, Padding, Profile, ProfileName, profile_of
from telemetry.config import ClientTls, Port, ServerTls

Seconds = Annotated[float, Field(gt=0, le=3600)]
Number = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,10}$")]
"""Of a site or a lane, as customs has given it."""


class CustomsKey(Closed):
    """A key that orders of customs are signed with."""

    id: Name
    public: PublicKey
    role: Literal["customs", "link", "local"] = "customs"
    """link: this gate's own end of customs' protocol, which seals what customs sends unsigned. local: the site's own,
    for known empty trucks while customs is silent."""


class _Clearance(Closed):
    answer_within_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    keys: Annotated[tuple[CustomsKey, ...], Field(min_length=1)]
    local_key_file: Path | None = None
    """The private half of the key whose role is `local`; readable by the lanes' user only."""


class HttpClearanceConfig(_Clearance):
    """JSON over HTTP, customs signs its orders itself."""

    engine: Literal["http"] = "http"
    url: HttpUrl


class RegistrationConfig(Closed):
    """Sent as 0x61 at each start: who this gate is to customs."""

    user: Annotated[str, Field(min_length=1, max_length=32)]
    password_file: Path
    """Its first line; the protocol sends it in the clear, so put the link into a tunnel where customs allows one."""
    ip: str = ""
    """The address that customs shall reach the lanes at."""


class GateClearanceConfig(_Clearance):
    """JGS/T 14—2015: packets to customs' front server, answers to each lane's own port."""

    engine: Literal["jgst"]
    host: Annotated[str, Field(min_length=1)]
    port: Port
    profile: ProfileName = "field"
    """How customs is written to; what it sends is read in whatever form it comes."""
    byte_order: ByteOrder | None = None
    identifier: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}$")] | None = None
    padding: Padding | None = None
    encoding: Encoding | None = None
    """These four instead of the profile's own."""
    key: Name
    """Of `keys`, the one with the role `link`: the lanes seal customs' answers with it."""
    key_file: Path
    """Its private half; relative to the site file, readable by the lanes' user alone."""
    from_hosts: tuple[str, ...] = ()
    """Addresses beside `host` that may connect to the lanes."""
    connection: Literal["short", "long"] = "short"
    intake_port: Port | None = None
    """A port of `host` to read answers from, where customs cannot connect to the lanes: a serial server's."""
    serial_key_file: Path | None = None
    """RSA private key, PEM; profile signed-serial only."""
    tls: ClientTls | None = None
    listen_tls: ServerTls | None = None
    sequence_life_s: Seconds = 300.0
    """How long an answer to a number is taken."""
    order_life_s: Annotated[float, Field(ge=10, le=600)] = 120.0
    resend_s: Seconds = 10.0
    resends: Annotated[int, Field(ge=0, le=20)] = 5
    """An unanswered question is sent again after `resend_s`, at most so often."""
    reco_ok: Literal["0", "1"] = "0"
    """What CONTA_RECO says of boxes that were read well: the standard says 0, most gates send 1. Ask customs."""
    receipt: bool = False
    """Send 0x28 after each crossing."""
    heartbeat_s: Seconds | None = None
    """Send 0x71 so often, where customs' front server wants it."""
    registration: RegistrationConfig | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.profile == "signed-serial") != (self.serial_key_file is not None):
            raise ValueError("profile signed-serial and serial_key_file come together")
        if self.profile == "signed-serial" and self.connection == "long":
            raise ValueError('profile signed-serial acknowledges each packet on its own: connection = "short"')
        return self

    def profile_made(self) -> Profile:
        """The named profile with this site's own differences."""
        return profile_of(
            self.profile, order=self.byte_order, padding=self.padding, encoding=self.encoding,
            identifier=None if self.identifier is None else bytes.fromhex(self.identifier),
        )  # fmt: skip


def _usual(told: Any) -> Any:
    """A table without `engine` is the JSON service's, which came first."""
    if not isinstance(told, dict):
        return told
    return {"engine": "http"} | cast("dict[str, Any]", told)


ClearanceConfig = Annotated[
    Annotated[HttpClearanceConfig | GateClearanceConfig, Field(discriminator="engine")], BeforeValidator(_usual)
]


class CustomsConfig(Closed):
    """`[lanes.customs]`: what customs calls this lane, and where it answers."""

    area: Number
    channel: Number
    listen_host: str = "0.0.0.0"  # noqa: S104 - the site narrows it to the address that customs knows
    listen_port: Port
    devices: Annotated[dict[str, str], Field(default_factory=dict)]
    """Instruments of this lane, and `boom`, to the numbers of annex C under which their states are reported."""

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for name, number in self.devices.items():
            if device_of(number) is None:
                raise ValueError(
                    f"{name} = {number!r}: expected a number of annex C: 10 to 13 and 8 digits more, "
                    "or 14 to 17 and 6 digits more"
                )
        if len(set(self.devices.values())) != len(self.devices):
            raise ValueError("devices: each device has a number of its own")
        return self
