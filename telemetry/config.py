"""How a site says where its bus, its time series and its records are. Closed and frozen."""

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClientTls(_Closed):
    """Files by which a client knows its broker (`ca`) and the broker its client (`cert` and `key`, both or none)."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key come together")
        return self

    def context(self) -> ssl.SSLContext:
        """A client context that checks the broker's name. Raises OSError or ssl.SSLError."""
        made = ssl.create_default_context(cafile=str(self.ca))
        if self.cert is not None:
            made.load_cert_chain(str(self.cert), None if self.key is None else str(self.key))
        return made


class ServerTls(_Closed):
    """Files of the embedded broker's own listener; with `ca` it asks every client for a certificate."""

    cert: Path
    key: Path
    ca: Path | None = None


class BrokerConfig(_Closed):
    """The bus: any MQTT 3.1.1 broker, or the embedded one that the site's own roster starts."""

    engine: Literal["embedded", "mqtt"] = "embedded"
    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None
    tls: ClientTls | None = None
    listen_tls: ServerTls | None = None
    """Embedded engine only."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file come together")
        if self.engine != "embedded" and self.listen_tls is not None:
            raise ValueError("listen_tls belongs to the embedded engine only")
        if self.engine == "embedded" and self.username is None and not _loopback(self.host):
            raise ValueError("an embedded broker that listens beyond this machine needs a username and a password_file")
        if (self.listen_tls is not None) and self.tls is None:
            raise ValueError("listen_tls needs tls.ca, by which the site's own processes know their broker")
        return self

    def password(self) -> str | None:
        """The first line of the password file. Raises OSError."""
        return None if self.password_file is None else first_line(self.password_file)


class SeriesConfig(_Closed):
    """Where the time series are kept."""

    engine: Literal["embedded", "influx"] = "embedded"
    url: str | None = None
    token_file: Path | None = None
    org: str = ""
    bucket: str = "quaygate"
    keep_days: Annotated[int, Field(ge=1)] = 400
    """Embedded engine: older days are dropped whole. Other engines keep to their own retention."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.engine == "influx" and not (self.url or "").startswith(("http://", "https://")):
            raise ValueError('engine influx needs url = "http://…" or "https://…"')
        if self.engine == "embedded" and (self.url or self.token_file):
            raise ValueError("engine embedded takes neither url nor token_file")
        return self

    def token(self) -> str:
        """The first line of the token file; empty without one. Raises OSError."""
        return "" if self.token_file is None else first_line(self.token_file)


class RecordsConfig(_Closed):
    """Where the records are kept: SQLite in the site's data folder, or any database SQLAlchemy speaks to by `url`.

    A PostgreSQL password belongs into libpq's password file (PGPASSFILE), not into the url.
    """

    engine: Literal["embedded", "sql"] = "embedded"
    url: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.engine == "sql" and not self.url:
            raise ValueError("engine sql needs a url")
        if self.url and self.engine == "embedded" and "engine" in self.model_fields_set:
            raise ValueError("engine embedded takes no url")
        return self

    def url_in(self, data: Path) -> str:
        """The database's URL; the embedded one lies in `data`."""
        return self.url or f"sqlite:///{data / 'records.sqlite'}"


def first_line(path: Path) -> str:
    """The first line of a secret's file, without its line end. Raises OSError."""
    return path.read_text(encoding="utf-8").split("\n", 1)[0].strip()


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
