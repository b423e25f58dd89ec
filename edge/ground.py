"""The site's flat ground: metres east and north of the origin of its drawing. Pure."""

import math
from dataclasses import dataclass

EQUATOR_M = 6_378_137.0
FLATTENING = 1 / 298.257_223_563
"""WGS 84."""
_E2 = FLATTENING * (2 - FLATTENING)


@dataclass(frozen=True, slots=True)
class Ground:
    """A plane that touches the ellipsoid at the origin: within 20 km of it flat to a few metres, within a port to
    centimetres in the horizontal."""

    origin_lat: float
    origin_lon: float

    def metres(self, lat: float, lon: float) -> tuple[float, float]:
        """East and north of the origin, by the radii of curvature there; the short way round the date line."""
        middle = math.radians((self.origin_lat + lat) / 2)
        root = 1 - _E2 * math.sin(middle) ** 2
        across, along = EQUATOR_M / math.sqrt(root), EQUATOR_M * (1 - _E2) / root**1.5
        east = math.remainder(lon - self.origin_lon, 360.0)
        return (
            math.radians(east) * across * math.cos(middle),
            math.radians(lat - self.origin_lat) * along,
        )
