"""Names that trucks and boxes carry: mainland plates, trailer plates, ISO 6346 codes, EPCs of a yard's own tags.

Sources: GA 36 patterns as in public use; ISO 6346 check digit (letter values from A = 10 leaving out multiples of 11,
times 2^position, modulo 11, 10 written as 0).
"""

from random import Random

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
ENERGY_LETTERS = "DF"

OWNERS = ("MSKU", "CSNU", "COSU", "TCNU", "TGHU", "MSCU", "OOLU", "CMAU", "HLXU", "TEMU", "FCIU", "BMOU", "EGHU")
"""Owner codes and category U of boxes that are common in a Chinese container port."""

NEIGHBOURS = ("鲁B", "鲁B", "鲁B", "鲁B", "鲁U", "鲁G", "鲁L", "鲁A", "苏A", "苏G", "冀J", "豫A", "沪A", "浙B", "辽B")
"""Where the trucks of a port in Shandong are registered, as often as they stand here."""

EPC_BYTES = 12
CROSS_BORDER_SHARE = 0.01
NEW_ENERGY_SHARE = 0.08
FAR_SHARE = 0.12


def _mixed(rng: Random, length: int) -> str:
    """Digits with at most two letters, as the authorities issue them."""
    signs = [rng.choice(DIGITS) for _ in range(length)]
    for place in rng.sample(range(length), rng.choice((0, 1, 1, 2))):
        signs[place] = rng.choice(PLATE_LETTERS)
    return "".join(signs)


def _where(rng: Random) -> str:
    if rng.random() < FAR_SHARE:
        return rng.choice(PROVINCES) + rng.choice(PLATE_LETTERS)
    return rng.choice(NEIGHBOURS)


def plate(rng: Random) -> str:
    """A tractor's plate: ordinary, new energy (large) or cross-border."""
    lot = rng.random()
    if lot < CROSS_BORDER_SHARE:
        return f"粤Z{_mixed(rng, 4)}{rng.choice('港澳')}"
    if lot < CROSS_BORDER_SHARE + NEW_ENERGY_SHARE:
        return _where(rng) + "".join(rng.choice(DIGITS) for _ in range(5)) + rng.choice(ENERGY_LETTERS)
    return _where(rng) + _mixed(rng, 5)


def trailer_plate(rng: Random) -> str:
    """A trailer's plate, ending in 挂."""
    return f"{_where(rng)}{_mixed(rng, 4)}挂"


def epc_of(text: str) -> bytes:
    """The 12 bytes of a yard's own tag: the plate in GBK, padded with NUL."""
    raw = text.encode("gbk")
    if len(raw) > EPC_BYTES:
        raise ValueError(f"{text} does not fit into {EPC_BYTES} bytes")
    return raw.ljust(EPC_BYTES, b"\0")


def _letter_values() -> dict[str, int]:
    values = dict(zip(DIGITS, range(10), strict=True))
    value = 10
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if value % 11 == 0:
            value += 1
        values[letter] = value
        value += 1
    return values


_VALUES = _letter_values()


def check_digit(first_ten: str) -> int:
    """Check digit of owner, category and serial (ten characters)."""
    if len(first_ten) != 10:
        raise ValueError(f"{first_ten!r} has not ten characters")
    return sum(_VALUES[sign] << place for place, sign in enumerate(first_ten)) % 11 % 10


def container_code(rng: Random) -> str:
    """A valid code. Serials with remainder 10 are left out, as owners are told to."""
    while True:
        first = rng.choice(OWNERS) + "".join(rng.choice(DIGITS) for _ in range(6))
        if sum(_VALUES[sign] << place for place, sign in enumerate(first)) % 11 != 10:
            return f"{first}{check_digit(first)}"


_ALIKE = dict(zip("0D8B175S2Z6G", "D0B871S5Z2G6", strict=True))


def misread(rng: Random, text: str) -> str:
    """The text as a tired reader sees it: one sign taken for one like it; never the text itself."""
    places = [i for i, sign in enumerate(text) if i >= 2 and sign in _ALIKE]
    if not places:
        place = rng.choice([i for i, sign in enumerate(text) if i >= 2 and sign.isascii()])
        other = rng.choice([d for d in DIGITS if d != text[place]])
    else:
        place = rng.choice(places)
        other = _ALIKE[text[place]]
    return text[:place] + other + text[place + 1 :]
