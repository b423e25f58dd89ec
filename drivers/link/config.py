"""How a site names a byte stream: a serial port, a TCP serial server, a UDP port, a TCP port of its own."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_CLOSED = ConfigDict(frozen=True, extra="forbid")
_Port = Annotated[int, Field(ge=1, le=65535)]


class SerialLinkConfig(BaseModel):
    """A serial port of this machine."""

    model_config = _CLOSED

    kind: Literal["serial"] = "serial"
    device: Annotated[str, Field(min_length=1)]
    baud: Annotated[int, Field(ge=300, le=921_600)] = 9600
    bytesize: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"serial:{self.device}@{self.baud}"


class TcpLinkConfig(BaseModel):
    """A serial device server, or an instrument with a socket of its own; we are the client."""

    model_config = _CLOSED

    kind: Literal["tcp"] = "tcp"
    host: Annotated[str, Field(min_length=1)]
    port: _Port

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"tcp:{self.host}:{self.port}"


class UdpLinkConfig(BaseModel):
    """A port of ours to which instruments send datagrams."""

    model_config = _CLOSED

    kind: Literal["udp"] = "udp"
    listen_host: str = "0.0.0.0"  # noqa: S104 - trackers come from everywhere; a site narrows it
    listen_port: Annotated[int, Field(ge=0, le=65535)]
    """0: any free port, told by the link's name."""

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"udp:{self.listen_host}:{self.listen_port}"


class TcpListenConfig(BaseModel):
    """A TCP port of ours to which many instruments connect."""

    model_config = _CLOSED

    kind: Literal["tcp-listen"] = "tcp-listen"
    listen_host: str = "0.0.0.0"  # noqa: S104 - trackers come from everywhere; a site narrows it
    listen_port: Annotated[int, Field(ge=0, le=65535)]
    """0: any free port, told by the link's name."""

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"tcp-listen:{self.listen_host}:{self.listen_port}"


StreamLinkConfig = Annotated[SerialLinkConfig | TcpLinkConfig | UdpLinkConfig, Field(discriminator="kind")]
"""What one instrument may stand on."""
ListenConfig = Annotated[TcpListenConfig | UdpLinkConfig, Field(discriminator="kind")]
"""A port of ours for many instruments."""
AnyStreamConfig = Annotated[
    SerialLinkConfig | TcpLinkConfig | UdpLinkConfig | TcpListenConfig, Field(discriminator="kind")
]
