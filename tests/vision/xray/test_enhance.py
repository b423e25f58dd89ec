"""Pictures of a picture: each does what it says, changes nothing that it was given, and shows what was not measured."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.xray_cargo import CAB_MM, LONG
from tests.vision.xray.frames import frame
from tests.vision.xray.matter import picture, table
from tests.vision.xray.trucks import PITCH_MM, truck
from vision.xray import enhance
from vision.xray.curves import CLASSES
from vision.xray.palette import COLUMNS, ROWS, Material, computed
from vision.xray.scan import SCALE, Counts, Dual

PALETTE = computed(6.0, 4.0)


def small() -> Dual[Counts]:
    drawn = frame(300, 200)
    he, le = (np.ascontiguousarray(image[::-1].T) for image in (drawn.he, drawn.le))
    he[100:105] = 0
    return Dual(he, le)


WAYS: dict[str, Callable[[Dual[Counts]], npt.NDArray[np.uint8]]] = {
    "grey": lambda p: enhance.grey(p.he),
    "logs": lambda p: enhance.logs(p.he),
    "local": lambda p: enhance.local(p.he),
    "coloured": lambda p: enhance.coloured(p, PALETTE),
    "stripped": lambda p: enhance.stripped(p, PALETTE, [Material.ORGANIC]),
}


@pytest.mark.parametrize("name", WAYS)
def test_every_way_leaves_its_picture_alone_and_shows_what_was_not_measured(name: str) -> None:
    given_picture = small()
    before = given_picture.he.copy(), given_picture.le.copy()
    shown = WAYS[name](given_picture)
    assert shown.dtype == np.uint8 and shown.shape[:2] == given_picture.he.shape
    assert (shown[100:105] == (0 if shown.ndim == 3 else enhance.UNMEASURED)).all()
    np.testing.assert_array_equal(before[0], given_picture.he)
    np.testing.assert_array_equal(before[1], given_picture.le)


@given(st.integers(1, 65535), st.floats(0.05, 1.0), st.floats(0.05, 2.0))
def test_a_window_of_transmission_is_straight(value: int, level: float, width: float) -> None:
    shown = int(enhance.grey(np.full((1, 1), value, np.uint16), level, width)[0, 0])
    assert shown == pytest.approx(np.clip(255 * ((value / SCALE - level) / width + 0.5), 0, 255), abs=0.51)


@given(st.floats(0.0, 7.0))
def test_every_halving_of_the_beam_is_as_wide_a_step(alpha: float) -> None:
    value = max(1, round(SCALE * float(np.exp(-alpha))))
    shown = int(enhance.logs(np.full((1, 1), value, np.uint16))[0, 0])
    assert shown == pytest.approx(np.clip(255 * (1 + np.log(value / SCALE) / enhance.DEEPEST), 0, 255), abs=0.51)


def test_a_window_without_width_is_refused() -> None:
    with pytest.raises(ValueError, match="wide"):
        enhance.grey(small().he, 0.5, 0.0)
    with pytest.raises(ValueError, match="brighter"):
        enhance.logs(small().he, -1.0)


def test_inverse_and_edges() -> None:
    shown = enhance.logs(small().he)
    np.testing.assert_array_equal(enhance.inverse(enhance.inverse(shown)), shown)
    flat = np.full((40, 40), 90, np.uint8)
    np.testing.assert_array_equal(enhance.edges(flat), flat)
    step = flat.copy()
    step[:, 20:] = 120
    sharp = enhance.edges(step)
    assert sharp[20, 19] < 90 and sharp[20, 20] > 120


def test_local_contrast_shows_a_step_in_the_dark() -> None:
    image = np.full((256, 256), 1200, np.uint16)
    image[100:140, 100:140] = 1000
    before = enhance.logs(image).astype(int)
    after = enhance.local(image, clip=40.0).astype(int)
    assert abs(after[120, 90] - after[120, 120]) > 2 * abs(before[120, 90] - before[120, 120])


def test_cells_are_those_of_plain_arithmetic() -> None:
    drawn = frame(300, 200)
    pair = Dual(*(np.ascontiguousarray(image[::-1].T) for image in (drawn.he, drawn.le)))
    found = enhance.cells(pair, PALETTE)
    # A pixel amid a block of its own kind, so that means are the plain ones.
    he, le = (image[40:44, 60:64].astype(np.float64).mean() for image in pair)
    alpha, low = -np.log(he / SCALE), -np.log(le / SCALE)
    row = int(np.clip((low / alpha - PALETTE.r_first) / (PALETTE.r_last - PALETTE.r_first) * ROWS, 0, ROWS - 1))
    assert abs(int(found[42, 62]) // COLUMNS - row) <= 2
    assert abs(int(found[42, 62]) % COLUMNS - int(alpha * COLUMNS / 8)) <= 1


def test_strips_have_no_seams() -> None:
    pair = picture("steel", 30.0, (3 * enhance.STRIP + 7, 40))
    whole = enhance.cells(pair, PALETTE)
    seen = enhance.coloured(pair, PALETTE, np.full(pair.he.shape, 255, np.uint8)).astype(int)
    hues = seen[whole == whole[90, 20]]
    assert (hues == hues[0]).all()


def test_matter_has_its_own_colour() -> None:
    own = table().palette()
    for material, strongest in (("PE", 0), ("aluminium", 1), ("steel", 2)):
        shown = enhance.coloured(picture(material, 45.0), own).reshape(-1, 3).mean(axis=0)
        assert int(np.argmax(shown)) == strongest, material
        kept = enhance.stripped(picture(material, 45.0), own, [CLASSES[material]]).astype(int)
        other = enhance.stripped(picture(material, 45.0), own, [Material.DENSE]).astype(int)
        assert np.median(np.ptp(kept, axis=2)) > 20 > np.median(np.ptp(other, axis=2))


def test_walls_are_peeled_off() -> None:
    """Behind nothing but walls an empty container's inside is air again, and its height's rails are gone."""
    _, seen = truck(None, 4)
    lead = 420.0
    rows = slice(round((lead + CAB_MM + 300) / PITCH_MM), round((lead + CAB_MM + LONG - 300) / PITCH_MM))
    bare = enhance.peeled(seen, rows)
    inside = bare.he[rows, 150:300].astype(np.float64) / SCALE
    assert float(np.median(seen.he[rows, 150:300])) < 0.9 * SCALE
    assert float(np.median(inside)) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_array_equal(bare.he[: rows.start], seen.he[: rows.start])
    seen.he[rows.start + 5] = 0
    assert (enhance.peeled(seen, rows).he[rows.start + 5] == 0).all()
    assert enhance.walls(seen.he, slice(5, 5)).shape == (seen.he.shape[1],)
