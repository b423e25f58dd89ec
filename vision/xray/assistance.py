"""Everything the system says itself about one scan, put together. Pure; what it remembers is handed in.

`findings` is called once a scan, when it is whole: half a second of a core for a full frame, so from a thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vision.xray import alerts, difference, emptiness, likeness, mass
from vision.xray.difference import OtherSection, Seen
from vision.xray.emptiness import NOMINAL, Profile
from vision.xray.findings import Finding
from vision.xray.likeness import Features, features_of
from vision.xray.mass import Index, Mass, Scale, index_of
from vision.xray.material import Table
from vision.xray.outline import FLOOR_MM, ROOF_MM, NoContainer, Window, window
from vision.xray.scan import Counts, Dual, Geometry, Noise, Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the picture, as far as it is."""

    scale: Scale
    """The scanner's weighed passages."""
    profile: Profile = NOMINAL
    gross: Scale | None = None
    """The scanner's passages by their gross mass, where `bridge` and `declared` are gross."""
    bridge: Mass | None = None
    """By the weighbridge: the load's net mass, or the gross where there is a scale for it."""
    declared: Mass | None = None
    chapter: str = ""
    """Two digits of the Harmonized System, as declared."""
    earlier: Sequence[Features] = ()
    """Loads of that chapter at this scanner."""
    floor_mm: float = FLOOR_MM
    roof_mm: float = ROOF_MM


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assistance:
    """What was found, and what may be remembered of this scan."""

    findings: tuple[Finding, ...]
    index: Index | None
    """None: there is no container in the picture."""
    mass: Mass | None
    features: Features | None
    inside: Window | None


def findings(
    picture: Dual[Counts],
    geometry: Geometry,
    noise: Dual[Noise],
    remarks: Sequence[Remark],
    table: Table,
    known: Known,
    *,
    before: tuple[Counts, Window] | None = None,
) -> Assistance:
    """`before`: the high energy of an earlier image of the same container, with its window."""
    said = [
        alerts.blind(picture.he),
        alerts.stripes(picture.he, noise.he),
        alerts.lost_lines(picture.he, picture.le, remarks),
    ]
    try:
        inside = window(picture, geometry, noise, table, floor_mm=known.floor_mm, roof_mm=known.roof_mm)
    except NoContainer:
        return Assistance(findings=tuple(said), index=None, mass=None, features=None, inside=None)
    index = index_of(inside)
    kg = mass.laid(index, known.scale)
    said.append(mass.told(kg, index, known.scale))
    image = kg if known.gross is None else mass.laid(index, known.gross)
    blind = index.blind > mass.BLIND_MOST
    beside = mass.three_way(image, known.bridge, known.declared, blind=blind, gross=known.gross is not None)
    if beside is not None:
        said.append(beside)
    said.append(emptiness.told(inside, known.profile))
    features = features_of(inside)
    if known.chapter:
        said.append(likeness.told(features, known.earlier, known.chapter))
    if before is not None:
        try:
            now = Seen.of(picture.he, inside, geometry)
            said.append(difference.told(now, Seen.of(*before, geometry), noise.he))
        except OtherSection:
            pass  # pixels of another scanner cannot be laid over these: there is nothing to say
    return Assistance(findings=tuple(said), index=index, mass=kg, features=features, inside=inside)
