"""Codes, levels and tiles: exact for every picture, read back by a second reader."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from tests.vision.xray.frames import frame, noisy
from tests.vision.xray.naive import read
from vision.xray.scan import Energy, Noise
from vision.xray.tiles import (
    BASE_LEVELS,
    HEADER,
    LEVELS,
    QUIETEST,
    TILE,
    Coding,
    Layer,
    NoSuchTile,
    Pyramid,
    TileName,
    codable,
    fit_noise,
    upright,
)

pictures = of_numpy.arrays(
    np.uint16,
    st.tuples(st.integers(1, 17), st.integers(1, 17)),
    elements=st.one_of(st.sampled_from([0, 1, 59_999, 60_000, 65_535]), st.integers(0, 65_535)),
    fill=st.nothing(),
)
noises = st.builds(Noise, st.floats(0.0, 60.0), st.floats(0.0, 1e5)).map(codable)


@given(pictures, noises, st.sampled_from(["base", "fine"]), st.sampled_from(Energy), st.integers(0, LEVELS - 1))
@settings(max_examples=150, deadline=None)
def test_every_code_comes_back(
    picture: npt.NDArray[np.uint16], noise: Noise, layer: Layer, energy: Energy, level: int
) -> None:
    if layer == "base" and level not in BASE_LEVELS:
        return
    pyramid = Pyramid(energy, picture, noise)
    name = TileName(layer, energy, level)
    got = read(pyramid.tile(name))
    image = pyramid.levels[level]
    coding = Coding.base(noise) if layer == "base" else Coding.fine(noise, level)
    assert got.codes == coding.table()[image].tolist()
    assert (got.energy, got.level, got.layer) == (list(Energy).index(energy), level, ["fine", "base"].index(layer))
    assert (got.a, got.b, got.step) == (noise.a, noise.b, coding.step)
    assert (got.height, got.width) == image.shape


@given(noises, st.integers(0, LEVELS - 1))
@settings(max_examples=40, deadline=None)
def test_a_code_is_never_further_from_the_pixel_than_it_says(noise: Noise, level: int) -> None:
    for coding in (Coding.fine(noise, level), Coding.base(noise)):
        codes = coding.table().astype(np.float64)
        assert codes[0] == 0 and codes[1] >= 1
        off = np.abs(coding.values(codes) - np.arange(65536))[1:]
        assert (off <= coding.error(codes)[1:] + 1e-6).all()
        assert codes.max() < (256 if coding == Coding.base(noise) else 1 << 14)
        assert (np.diff(codes) >= 0).all()


def test_half_a_sigma_is_ten_bits_and_costs_a_hundredth_of_the_noise() -> None:
    noise = codable(Noise(1.42, 40.0))
    coding = Coding.fine(noise, 0)
    assert coding.table().max() < 1024
    x = np.arange(1000, 60_000, dtype=np.float64)
    sigma = np.sqrt(noise.a * x + noise.b)
    rms = np.sqrt(np.mean(((coding.values(coding.table()[x.astype(int)].astype(np.float64)) - x) / sigma) ** 2))
    assert 0.14 < rms < 0.15


@pytest.mark.parametrize(("a", "b"), [(1.42, 40.0), (1.81, 300.0), (0.6, 20.0)])
def test_the_noise_is_found_in_a_picture_full_of_edges(a: float, b: float) -> None:
    made = frame(seed=5)
    clean = made.he.astype(np.float64)
    found = fit_noise(noisy(clean, a, b, 9))
    # What the frame had already is still in it.
    assert found.a == pytest.approx(a + 1.42, rel=0.08)


def test_the_noise_of_the_dark_is_found_where_there_is_dark() -> None:
    steps = np.repeat(np.repeat(np.geomspace(200, 60_000, 40), 40)[None, :], 300, axis=0)
    found = fit_noise(noisy(steps, 1.42, 900.0, 3))
    assert found.a == pytest.approx(1.42, rel=0.05)
    assert found.b == pytest.approx(900.0, rel=0.1)


@pytest.mark.parametrize(
    "picture", [np.full((40, 40), 60_000), np.zeros((1, 1)), np.zeros((2, 900)), np.zeros((900, 2))]
)
def test_a_picture_without_noise_still_has_codes(picture: npt.NDArray[np.float64]) -> None:
    noise = fit_noise(picture.astype(np.uint16))
    assert noise.a >= np.float32(QUIETEST) and noise.b >= 1


@given(pictures)
@settings(max_examples=60, deadline=None)
def test_levels_are_means_of_the_measured_among_four(picture: npt.NDArray[np.uint16]) -> None:
    levels = Pyramid(Energy.HE, picture).levels
    assert len(levels) == LEVELS
    for fine, coarse in itertools.pairwise(levels):
        assert coarse.shape == ((fine.shape[0] + 1) // 2, (fine.shape[1] + 1) // 2)
        padded = np.pad(fine, ((0, fine.shape[0] % 2), (0, fine.shape[1] % 2)), mode="edge").astype(np.float64)
        four = np.stack([padded[::2, ::2], padded[1::2, ::2], padded[::2, 1::2], padded[1::2, 1::2]])
        measured = np.count_nonzero(four, axis=0)
        mean = four.sum(axis=0) / np.maximum(measured, 1)
        assert (np.abs(coarse - mean) <= 0.5).all()
        assert ((coarse == 0) == (measured == 0)).all()


def test_the_tiles_cover_the_frame_once() -> None:
    made = frame(1300, 600)
    pyramid = Pyramid(Energy.HE, made.he)
    covered = [np.zeros(level.shape, dtype=int) for level in pyramid.levels]
    bases: list[int] = []
    for name in pyramid.names():
        head = HEADER.unpack_from(pyramid.tile(name))
        x, y, width, height = head[5:9]
        assert (x, y) == (name.x, name.y)
        if name.layer == "base":
            bases.append(name.level)
        else:
            assert max(width, height) <= TILE
            covered[name.level][y : y + height, x : x + width] += 1
    assert bases == list(BASE_LEVELS)
    assert all((level == 1).all() for level in covered)


@pytest.mark.parametrize(
    "name",
    [
        TileName("fine", Energy.HE, 0, 512, 0),
        TileName("fine", Energy.HE, 0, 0, 512),
        TileName("fine", Energy.HE, 0, 1, 0),
        TileName("fine", Energy.HE, 0, -512, 0),
        TileName("fine", Energy.LE, 0, 0, 0),
        TileName("fine", Energy.HE, 4, 0, 0),
        TileName("fine", Energy.HE, -1, 0, 0),
        TileName("base", Energy.HE, 0, 0, 0),
        TileName("base", Energy.HE, 2, 512, 0),
    ],
)
def test_a_tile_that_is_not_there_is_said_so(name: TileName) -> None:
    pyramid = Pyramid(Energy.HE, np.zeros((40, 40), dtype=np.uint16))
    with pytest.raises(NoSuchTile):
        pyramid.tile(name)


def test_lines_stand_up() -> None:
    lines = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint16)
    assert upright(lines).tolist() == [[3, 6], [2, 5], [1, 4]]


def test_a_picture_has_rows_and_columns() -> None:
    with pytest.raises(ValueError, match="rows and columns"):
        Pyramid(Energy.HE, np.zeros((0, 4), dtype=np.uint16))


def test_what_the_scan_says_of_its_noise_is_believed_when_it_says_it() -> None:
    made = frame(200, 300).he
    assert Pyramid(Energy.HE, made, Noise(3.0, 70.0)).noise == codable(Noise(3.0, 70.0))
    assert Pyramid(Energy.HE, made, Noise(0.0, 0.0)).noise == Pyramid(Energy.HE, made).noise
