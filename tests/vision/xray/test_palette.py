"""The computed palette tells the materials where physics can, and says where it cannot."""

import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from vision.xray.palette import ALPHA_MOST, Material, Palette, computed, curves_of

PAIRS = [(6.0, 4.0), (6.0, 3.5), (9.0, 6.0), (9.0, 4.0)]


def _ratio(material: str, alpha: npt.NDArray[np.float64], he_mev: float, le_mev: float) -> npt.NDArray[np.float64]:
    return curves_of(material, alpha, he_mev, le_mev)[0] / alpha


def cell(palette: Palette, alpha: float, ratio: float) -> tuple[int, int]:
    rows, columns = palette.trust.shape
    return int((ratio - palette.r_first) / (palette.r_last - palette.r_first) * rows), int(alpha / ALPHA_MOST * columns)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("alpha", [1.0, 2.3, 4.0])
def test_a_pure_material_has_its_class(pair: tuple[float, float], alpha: float) -> None:
    palette = computed(*pair)
    for name, material in (
        ("PE", Material.ORGANIC),
        ("C", Material.ORGANIC),
        ("Al", Material.INORGANIC),
        ("Fe", Material.METAL),
    ):
        ratio = float(_ratio(name, np.array([alpha]), *pair)[0])
        assert palette.material[cell(palette, alpha, ratio)] == material, name
        assert palette.trust[cell(palette, alpha, ratio)] > 128
    if alpha > 2:
        ratio = float(_ratio("Pb", np.array([alpha]), *pair)[0])
        assert palette.material[cell(palette, alpha, ratio)] == Material.DENSE


@pytest.mark.parametrize(("pair", "material", "ratio"), [((6, 4), "Fe", 1.162), ((6, 3.5), "C", 1.288)])
def test_the_ratios_are_the_ones_of_the_field(pair: tuple[float, float], material: str, ratio: float) -> None:
    """At a tenth of the beam; figures of an independent calculation."""
    assert float(_ratio(material, np.array([2.303]), *pair)[0]) == pytest.approx(ratio, abs=0.01)


def test_thin_lead_looks_lighter_than_carbon() -> None:
    """Photoelectric absorption against pair production: nobody can tell them there."""
    lead, carbon = (float(_ratio(m, np.array([0.5]), 6.0, 3.0)[0]) for m in ("Pb", "C"))
    assert lead > carbon


def test_what_cannot_be_told_is_not_coloured() -> None:
    palette = computed(6.0, 4.0)
    assert palette.trust[:, 0].max() < 64
    assert palette.trust[:, -1].max() < 128
    _, column = cell(palette, 2.3, 1.2)
    assert palette.trust[0, column] == 0 and palette.trust[-1, column] == 0
    assert ((palette.material == Material.UNTOLD) >= (palette.trust == 0)).all()


def test_the_binary_holds_it_all() -> None:
    palette = computed(6.0, 4.0)
    wire = palette.wire()
    magic, columns, rows, most, first, last = struct.unpack("<4sHHfff", wire[:20])
    assert (magic, most) == (b"QGM1", ALPHA_MOST)
    assert (first, last) == (pytest.approx(palette.r_first), pytest.approx(palette.r_last))
    body = np.frombuffer(zlib.decompress(wire[20:]), dtype=np.uint8)
    assert (body[: rows * columns * 4].reshape(rows, columns, 4)[:, :, :3] == palette.colour).all()
    assert (body[rows * columns * 4 :].reshape(rows, columns) == palette.material).all()


@pytest.mark.parametrize("pair", [(4.0, 6.0), (6.0, 6.0), (60.0, 4.0), (6.0, 0.2)])
def test_what_is_no_pair_of_beams_is_said_so(pair: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no pair"):
        computed(*pair)
