"""What matter stands behind pixels: held against physics that is not the table's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.xray.matter import KNOWN, NOISE, STEPS, picture, point, table, through
from vision.xray.curves import CLASSES, NoTable
from vision.xray.material import computed, fitted, table_from
from vision.xray.palette import Material
from vision.xray.scan import SCALE, Dual

TABLE = table()


def mean(material: str, g_cm2: float) -> tuple[float, float]:
    seen = through(material, g_cm2)
    return SCALE * float(seen.he[0]), SCALE * float(seen.le[0])


@given(st.sampled_from(("PE", "water", "sugar", "aluminium", "steel")), st.floats(9.0, 110.0))
def test_a_large_box_of_known_matter_is_told(material: str, g_cm2: float) -> None:
    told = TABLE.tell(*mean(material, g_cm2), 400, NOISE)
    assert told.material is CLASSES[material]
    assert told.g_cm2 == pytest.approx(g_cm2, rel=0.06 if material == "sugar" else 0.02)
    assert abs(told.g_cm2 - g_cm2) < 4 * told.g_sigma + 0.06 * g_cm2
    assert told.z is not None and told.z_sigma is not None
    wanted = {"PE": 4.8, "water": 6.6, "sugar": 6.3, "aluminium": 13.0, "steel": 26.0}[material]
    assert abs(told.z - wanted) < max(4 * told.z_sigma, 2.0)


@given(st.floats(5.0, 150.0))
def test_steel_is_so_many_millimetres(mm: float) -> None:
    told = TABLE.tell(*mean("steel", mm * 0.785), 100, NOISE)
    assert told.steel_mm == pytest.approx(mm, rel=0.01, abs=0.2)
    assert 0 < told.steel_sigma < 0.05 * mm + 1


def test_a_seven_pixel_box_is_right_nineteen_times_in_twenty_from_ten_grams_on() -> None:
    for material in ("PE", "aluminium", "steel"):
        for g_cm2 in (10.0, 30.0, 60.0):
            found = TABLE.map(picture(material, g_cm2), NOISE)
            assert (found.material == CLASSES[material]).mean() >= 0.95, (material, g_cm2)
            assert np.nanmean(found.g_cm2) == pytest.approx(g_cm2, rel=0.02)


def test_the_sigma_told_is_the_spread_found() -> None:
    found = TABLE.map(picture("aluminium", 30.0, (210, 210)), NOISE)
    assert np.nanmean(found.z_sigma) == pytest.approx(np.nanstd(found.z), rel=0.3)


def test_what_two_energies_cannot_tell_is_said() -> None:
    """Lead of nine grams gives the signals of polyethylene: it is taken for that, and the word says what it may be."""
    told = TABLE.tell(*mean("lead", 9.0), 400, NOISE)
    assert told.material is Material.ORGANIC
    assert Material.DENSE in told.also
    thick = TABLE.tell(*mean("lead", 60.0), 400, NOISE)
    assert thick.material is Material.DENSE and thick.also == ()


def test_what_is_no_material_is_none() -> None:
    edge = TABLE.tell(0.5 * SCALE, 0.2 * SCALE, 49, NOISE)
    assert edge.material is Material.UNTOLD and edge.trust == 0 and edge.z is None
    air = TABLE.tell(SCALE, SCALE, 49, NOISE)
    assert air.material is Material.UNTOLD and air.g_cm2 == pytest.approx(0, abs=0.2)
    blind = TABLE.tell(1.0, 1.0, 49, NOISE)
    assert blind.material is Material.UNTOLD


def test_what_was_not_measured_takes_no_part() -> None:
    he, le = picture("steel", 30.0)
    he[:7, :7] = 0
    he[7:14, :3] = 0
    found = TABLE.map(Dual(he, le), NOISE)
    assert found.material[0, 0] == Material.UNTOLD and np.isnan(found.g_cm2[0, 0])
    assert found.g_cm2[1, 0] == pytest.approx(30.0, rel=0.1)


def test_a_table_is_kept_and_read_again() -> None:
    again = table_from(TABLE.wire())
    assert again.digest == TABLE.digest and again.measured and again.simulated
    assert again.tell(*mean("steel", 20.0), 49, NOISE) == TABLE.tell(*mean("steel", 20.0), 49, NOISE)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", TABLE.wire()[:-1], TABLE.wire().replace(b"quaygate", b"else")])
def test_a_damaged_table_is_refused(damage: bytes) -> None:
    with pytest.raises(NoTable):
        table_from(damage)


def test_too_few_steps_draw_no_curve() -> None:
    points = [point(material, grams) for material in KNOWN for grams in STEPS]
    with pytest.raises(NoTable, match="metal"):
        fitted([p for p in points if p.material != "steel"], Dual(6.0, 4.0))
    with pytest.raises(NoTable, match="inorganic"):
        fitted([p for p in points if p.material != "aluminium" or p.g_cm2 < 8], Dual(6.0, 4.0))


def test_layers_multiply_as_they_do_in_the_beam() -> None:
    given_back = TABLE.transmission("steel", np.array([0.0, 20.0, 80.0]))
    wanted = through("steel", np.array([0.0, 20.0, 80.0]))
    np.testing.assert_allclose(given_back.he, wanted.he, rtol=0.01)
    np.testing.assert_allclose(given_back.le, wanted.le, rtol=0.01)
    assert [float(t[0]) for t in given_back] == [1.0, 1.0]
    with pytest.raises(KeyError):
        TABLE.transmission("gold", 1.0)


def test_its_palette_has_the_colours_of_its_classes() -> None:
    palette = TABLE.palette()
    rows, columns = palette.trust.shape
    for material in ("PE", "aluminium", "steel"):
        he, le = mean(material, 40.0)
        alpha, low = -np.log(he / SCALE), -np.log(le / SCALE)
        row = int((low / alpha - palette.r_first) / (palette.r_last - palette.r_first) * rows)
        assert palette.material[row, int(alpha / 8 * columns)] == CLASSES[material]


def test_physics_alone_tells_organic_from_metal() -> None:
    made = computed(6.0, 4.0)
    assert not made.measured
    assert made.tell(*mean("PE", 30.0), 400, NOISE).material is Material.ORGANIC
    assert made.tell(*mean("steel", 30.0), 400, NOISE).material is Material.METAL
