"""Settings of a port on which electronic seals report."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.config import TcpListenConfig

_CLOSED = ConfigDict(extra="forbid", frozen=True)
_Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]


class KnownSeal(BaseModel):
    """A seal that the site has given a name."""

    model_config = _CLOSED

    id: Annotated[str, Field(pattern=r"^[0-9]{10}$")]
    """The ten digits on its back, as `quaygate decode jointech` shows them."""
    name: _Name
    """As it stands in topics."""


class SealsConfig(BaseModel):
    """One `[[seals]]` table of the site file: Jointech's frames over TCP, the seals dial in."""

    model_config = _CLOSED

    name: _Name
    link: TcpListenConfig
    seals: tuple[KnownSeal, ...] = ()
    """These are missed when they are silent, from the start on."""
    only_listed: bool = False
    """What others say is counted as garbage, and not answered."""
    stale_after_s: Annotated[float, Field(gt=0, le=7 * 86_400)] = 1800.0
    """Site seconds without a word of its lock, after which nothing is known of a seal: some three of its periods."""

    @model_validator(mode="after")
    def _each_once(self) -> "SealsConfig":
        for what in ("id", "name"):
            seen = [getattr(each, what) for each in self.seals]
            if twice := {each for each in seen if seen.count(each) > 1}:
                raise ValueError(f"expected each {what} of a seal once; {', '.join(sorted(twice))} stands twice")
        if self.only_listed and not self.seals:
            raise ValueError("only_listed without seals: nobody could report")
        return self
