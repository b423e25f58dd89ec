"""`keys new` and `person add`: keys that orders are signed with."""

import os
import re
from pathlib import Path

from edge.commands.words import Exit, Stop, err, line
from edge.toml_text import quoted
from gateway_ctl.seal import new_key, seal_private

PIN_DIGITS = 6
"""A million guesses of a tenth of a second each on one core are more than a day; the console stops after a few."""


def new(private_file: Path) -> None:
    """A fresh pair: the private half into a file of its own that only this user can read, the public half printed."""
    private, public = new_key()
    try:
        with os.fdopen(os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(private + "\n")
    except FileExistsError:
        raise Stop(f"{private_file} exists; a key is never written over", Exit.WRONG) from None
    except OSError as fault:
        raise Stop(f"{private_file} cannot be written: {fault.strerror}", Exit.MISSING) from None
    err.print(f"The private key is in {private_file}, readable by you alone. The public key, for the site file:")
    line(f'public = "{public}"')


def person(person_id: str, zh: str, en: str, role: str, pin: str) -> str:
    """A `[[persons]]` table with a fresh key sealed under the PIN. Stops when the PIN or the id will not do."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,31}", person_id):
        raise Stop(
            f"{person_id!r}: expected an id of small letters, digits, dots and dashes, such as li.wei", Exit.WRONG
        )
    if role not in ("operator", "supervisor"):
        raise Stop(f"{role!r}: expected operator or supervisor", Exit.WRONG)
    if not re.fullmatch(rf"\d{{{PIN_DIGITS},}}", pin):
        raise Stop(f"expected a PIN of at least {PIN_DIGITS} digits", Exit.WRONG)
    private, public = new_key()
    said = {"id": person_id, "zh": zh, "en": en, "role": role, "public": public, "sealed": seal_private(private, pin)}
    return "\n".join(["[[persons]]", *(f"{key} = {quoted(value)}" for key, value in said.items())])
