"""A capture is named by its dialect, with a confidence that is worth something; noise is never named."""

from random import Random

import pytest

from drivers.weighbridge.guess import guess
from simulators.baud import heard_at
from simulators.weigh_formats import FORMATS, Window, even_parity

READ_BY = {"rinstrum-d": "st-gs", "dini-argeo-af": "dini-argeo", "st-gs": "aand"}
"""Where two formats are the same bytes, the one with the stricter columns is named."""


def day(name: str, *, frames: int = 60, seed: int = 1) -> bytes:
    """An empty deck, a truck that comes on, a truck at rest; begun in the middle of a frame."""
    rng, kg, out = Random(seed), 0, b""
    for number in range(frames):
        coming = frames // 4 < number < frames // 2
        kg += 20 * rng.randint(0, 150) if coming else 0
        out += FORMATS[name](Window(count=kg, stable=not coming, centre=kg == 0, step=20))
    return out[5:]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_minute_of_a_lane_is_named(name: str) -> None:
    best = guess(day(name)).best
    assert best[0].dialect == READ_BY.get(name, name)
    assert best[0].confidence >= 0.75 and best[0].explained > 0.97
    assert all(other.confidence < 0.3 for other in best[1:])


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_with_a_fifth_of_noise_it_is_still_named(name: str) -> None:
    rng, clean = Random(7), day(name)
    noisy = bytearray()
    for at in range(0, len(clean), 90):
        noisy += clean[at : at + 90] + rng.randbytes(rng.randint(0, 30))
    found = guess(bytes(noisy)).best
    if name == "rinstrum-5200":
        assert not found, "a format that checks nothing is not named in noise"
    else:
        assert found[0].dialect == READ_BY.get(name, name) and found[0].confidence < guess(clean).best[0].confidence


@pytest.mark.parametrize("name", ["mt-continuous", "aand", "bilanciai", "sma-stream"])
def test_a_parity_bit_is_seen_and_named(name: str) -> None:
    found = guess(even_parity(day(name)))
    assert found.best[0].dialect == name and found.best[0].serial == "7E1"
    assert found.hints == ("bit 7 is a parity bit: set the port to 7E1",)


@pytest.mark.parametrize("name", ["yaohua-a9", "mt-continuous", "aand", "sma-stream", "yaohua-equals-reversed"])
@pytest.mark.parametrize("baud", [1200, 2400, 4800, 19200])
def test_a_port_at_the_wrong_speed_is_not_named(name: str, baud: int) -> None:
    found = guess(heard_at(day(name), 9600, baud))
    assert not found.best and "speed or parity" in found.hints[-1]


def test_noise_is_not_named() -> None:
    for seed in range(20):
        assert not guess(Random(seed).randbytes(3000)).best
    assert "only when asked" in guess(b"").hints[0]
    lines = guess(b"temperature 21.4 C\r\n" * 30)
    assert not lines.best and "ended by CR LF, such as 'temperature 21.4 C'" in lines.hints[0]


def test_one_direction_cannot_be_told_from_the_other_while_the_number_reads_the_same_both_ways() -> None:
    forward, back = guess(b"=00000000" * 40).best
    assert {forward.dialect, back.dialect} == {"yaohua-equals-forward", "yaohua-equals-reversed"}
    assert abs(forward.confidence - 0.5) < 0.02 and abs(back.confidence - 0.5) < 0.02
    assert all("hold the display against it" in one.mind[0] for one in (forward, back))


def test_a_few_frames_are_less_sure_than_many() -> None:
    confidences = [guess(day("yaohua-equals-forward", frames=count)[4:]).best[0].confidence for count in (2, 4, 60)]
    assert confidences == sorted(confidences) and confidences[0] < confidences[-1]


def test_both_directions_of_a_line_name_the_language_that_is_asked() -> None:
    from simulators.weigh_talk import TALKS, Plate

    request, both = b"\x02AB03\x03", b""
    for kg in range(0, 400, 20):
        both += request + TALKS["yaohua-a9-command"](bytearray(request), Window(count=kg), Plate())
    assert guess(both).best[0].dialect == "yaohua-a9-command"
