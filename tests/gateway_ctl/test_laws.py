"""What holds of every record of the gate: none changes once it is made, none grows a field, none is mistaken."""

import dataclasses
import importlib
import pkgutil

import pytest

import gateway_ctl

ALIKE = frozenset({"Step", "Refusal", "Seal", "SignedOrder", "Paper"})
"""Short records whose fields could be exchanged unseen: two hours, two names, two strings of bytes."""
COUNTED = frozenset({"_Wish"})
"""What one thread or one loop keeps for itself, and changes."""
MODULES = [
    found.name
    for found in pkgutil.walk_packages(gateway_ctl.__path__, "gateway_ctl.")
    if not any(room in found.name for room in (".customs.", ".neighbours."))
    or found.name.endswith((".result_word", ".verdict"))
]


@pytest.mark.parametrize("name", MODULES)
def test_the_records_of(name: str) -> None:
    module = importlib.import_module(name)
    for record in [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == name]:
        if not dataclasses.is_dataclass(record):
            continue
        fields = dataclasses.fields(record)
        assert "__slots__" in vars(record), record
        assert ("__setattr__" in vars(record)) is (record.__name__ not in COUNTED), f"{record}: frozen"
        by_name = {field.kw_only for field in fields}
        if record.__name__ in ALIKE:
            assert by_name == {True}, record
        elif record.__name__ not in COUNTED:
            assert by_name == {len(fields) > 4}, f"{record}: more than four things have names where they are given"
