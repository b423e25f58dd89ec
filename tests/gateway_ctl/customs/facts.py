"""What an XML text says, found by Python's own parser: nothing of ours reads or writes here."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

OTHER_NAMES = {"EXECUTE_COMMAND": "EXCUTE_COMMAND", "RFID_No": "RFID_ID", "VE_WEIGHT": "VE_WT"}
"""Names that mean the same; the second one is what is written."""


def facts(text: str) -> Counter[tuple[str, str]]:
    """Every value that is not empty, by its path; attributes as `@NAME`. The standard's nesting of the driver's card
    counts as the field's flat form, and the seal's counter of 0x32 under either name."""
    bare = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff").strip("\0"))
    found: Counter[tuple[str, str]] = Counter()
    _walk(ET.fromstring(bare), "", found)
    return found


def _walk(element: ET.Element, above: str, found: Counter[tuple[str, str]]) -> None:
    name = OTHER_NAMES.get(element.tag, element.tag)
    path = above if name == "DRIVER_IC" else f"{above}/{name}"
    for key, value in element.attrib.items():
        if value:
            found[f"{path}/@{key}", value] += 1
    text = (element.text or "").strip()
    if text:
        found[path, text] += 1
    for child in element:
        _walk(child, path, found)
