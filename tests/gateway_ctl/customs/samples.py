"""The sample messages of tests/golden/customs, by the number they begin with."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "customs"


@cache
def names() -> tuple[str, ...]:
    """All of them, in order."""
    return tuple(sorted(path.name for path in FOLDER.iterdir() if path.name[0].isdigit()))


@cache
def sample(number: str) -> bytes:
    """The bytes of one sample: of a dump, those that it shows."""
    (name,) = (name for name in names() if name.startswith(number))
    raw = (FOLDER / name).read_bytes()
    if not name.endswith(".hex"):
        return raw
    return bytes.fromhex("".join(re.sub(r"^[0-9a-fA-F]{4}  ", "", line) for line in raw.decode("ascii").splitlines()))
