"""What a site file says of the gate's neighbours."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PaperFormat = Literal["sas223", "clm50011", "codeco-95b", "codeco-00b"]
PartyCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,17}$")]


class PapersConfig(BaseModel):
    """`[papers]`: files that come from and go to the gate's neighbours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    import_dir: Path | None = None
    """Release notes (SAS221, SAS223) and gate crossings (CLM50011) are read here; relative to the site file."""
    export_dir: Path | None = None
    """Reports of crossings are written here, whole or not at all."""
    formats: tuple[PaperFormat, ...] = ()
    """Reports of every crossing: release note, gate crossing, UN/EDIFACT CODECO."""
    sender: PartyCode = "QUAYGATE"
    receiver: PartyCode = "CUSTOMS"
    area: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{0,10}$")] = ""
    """Customs' number of the site."""
    channels: dict[str, Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,10}$")]] = {}
    """Customs' number of each lane; the lane's own id where it has none."""
    place: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$")] = "CNTAO"
    """UN/LOCODE of the gate, for CODECO."""
    terminal: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,17}$")] = ""
    operator: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,17}$")] = ""
    """Container operator, where it is always the same."""
