"""What tells materials of each scanner: curves through its own steps where a service engineer has put them, or physics.

A table lies beside the scans, as `materials/<scanner>.json` in the archive (`quaygate xray materials` makes it); a
newer one counts from the next probe on. One that cannot be read, or is of other energies, counts as none, and is said
once.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consoles.inspection.wire import ProbeMaterial
from telemetry.payloads.lane import Text
from vision.xray.curves import NoTable
from vision.xray.material import Table, computed, table_from
from vision.xray.palette import Material
from vision.xray.scan import Dual, Noise

log = logging.getLogger(__name__)

FOLDER: Final = "materials"
NAMES: Final = {
    Material.UNTOLD: Text("不能判定", "Cannot be told"),
    Material.ORGANIC: Text("有机物", "Organic"),
    Material.INORGANIC: Text("无机物", "Inorganic"),
    Material.METAL: Text("金属", "Metal"),
    Material.DENSE: Text("重金属", "Dense metal"),
}
NOT_EVEN: Final = Text("不均匀", "Not uniform")
UNEVEN: Final = 2.5
"""Times a pixel's own noise from which a box holds more than one thing."""


@dataclass(frozen=True, slots=True)
class _Read:
    mark: tuple[int, int]
    table: Table | None


class Materials:
    """The tables of one archive's scanners. Touches the disk: call it from a thread."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive / FOLDER
        self._read: dict[str, _Read] = {}

    def of(self, scanner: str, energies_mev: Dual[float]) -> Table:
        """The newest one. Raises ValueError for energies that are no pair."""
        path = self._folder / f"{scanner}.json"
        try:
            stat = path.stat()
        except OSError:
            return computed(*energies_mev)
        mark = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(scanner)
        if known is None or known.mark != mark:
            known = self._read[scanner] = _Read(mark, _table(path))
        if known.table is None or known.table.energies_mev != energies_mev:
            return computed(*energies_mev)
        return known.table


def probe(table: Table, he: float, le: float, pixels: int, noise: Dual[Noise], *, he_sigma: float) -> ProbeMaterial:
    """What stands behind the mean of so many pixels, whose HE values spread by `he_sigma`.

    A box over an edge has a mean like any other, and a material that is nowhere in it: none is told then.
    """
    told = table.tell(he, le, pixels, noise)
    even = he_sigma**2 <= UNEVEN**2 * max(noise.he.a * he + noise.he.b, 1.0)
    return ProbeMaterial(
        name=NAMES[told.material] if even else NOT_EVEN,
        sure=told.trust if even else 0.0,
        also=[NAMES[kind] for kind in told.also] if even else [],
        z=told.z if even else None,
        z_sigma=told.z_sigma if even else None,
        g_cm2=told.g_cm2,
        g_cm2_sigma=told.g_sigma,
        steel_mm=told.steel_mm,
        steel_sigma=told.steel_sigma,
        measured=table.measured,
    )


def _table(path: Path) -> Table | None:
    try:
        return table_from(path.read_bytes())
    except (OSError, NoTable) as wrong:
        log.warning("%s counts as none, materials are told by physics alone: %s", path, wrong)
        return None
