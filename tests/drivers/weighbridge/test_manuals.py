"""What the manuals print is true: every dialect has its chapter, frames are read, site entries are taken."""

import re
import tomllib
from pathlib import Path

import pytest

from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.frames import Frame

HOUSE = Path(__file__).resolve().parents[3] / "drivers" / "weighbridge"
MANUALS = sorted((HOUSE / "manuals").glob("*.md"))
_EXAMPLE = re.compile(
    r"^\| `([a-z0-9-]+)` \| `((?:[0-9a-f]{2} )*[0-9a-f]{2})` \| (\S+) \| (?:captured|manual|composed) \|$",
    re.MULTILINE,
)
_ENTRY = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str, str, str]]:
    return [(page.stem, *found) for page in MANUALS for found in _EXAMPLE.findall(page.read_text(encoding="utf-8"))]


def test_every_dialect_stands_in_a_manual() -> None:
    told = "".join(page.read_text(encoding="utf-8") for page in MANUALS)
    assert [name for name in DIALECTS if f"`{name}`" not in told] == []
    printed = {dialect for _, dialect, _, _ in examples()}
    sisters = {"mt-sics-stream", "dini-argeo-command", "rinstrum-rincmd", "general-measure-command"}
    assert set(DIALECTS) - printed <= sisters, "each frame has an example, but for those that are asked, or as another"


@pytest.mark.parametrize(("page", "dialect", "raw", "window"), examples())
def test_a_printed_frame_is_read(page: str, dialect: str, raw: str, window: str) -> None:
    decoder = DIALECTS[dialect].decoder()
    decoder.receive(bytes.fromhex(raw))
    words = [*iter(decoder.next_word, None), *iter(decoder.rest, None)]
    assert [word.display for word in words if isinstance(word, Frame)] == [window], (page, words)
    assert len(words) == 1


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.stem)
def test_its_site_entries_are_taken(page: Path) -> None:
    entries = _ENTRY.findall(page.read_text(encoding="utf-8"))
    assert entries
    for entry in entries:
        [table] = tomllib.loads(entry)["lanes"].values()
        config = WeighbridgeConfig.model_validate(table)
        assert f"`{config.dialect}`" in page.read_text(encoding="utf-8")


def test_the_house_s_manual_leads_to_each() -> None:
    text = (HOUSE / "MANUAL.md").read_text(encoding="utf-8")
    assert [page.name for page in MANUALS if f"manuals/{page.name}" not in text] == []
