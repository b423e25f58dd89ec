"""Local mode: the site's own key signs for a known empty truck while customs is silent.

What it may sign is judged by the interlock all the same (gateway_ctl/interlock.py, `known_empty`): a stolen key opens
for nothing else.
"""

import secrets

from drivers.readings import Instant
from edge.config import Site
from edge.mistakes import Mistake, SiteFileWrong
from gateway_ctl.deeds import SignHere
from gateway_ctl.orders import Order, SignedOrder, Verb
from gateway_ctl.picture import Rules, digest
from gateway_ctl.seal import PrivateKey, load_private, load_public, public_of, sign
from telemetry.config import first_line

LIVES_S = 60.0
"""Site seconds. It is for the truck that stands here now."""


def local_key(site: Site) -> tuple[str, PrivateKey] | None:
    """The name and the private half of the site's own key; None where it has none. Raises SiteFileWrong."""
    path = site.clearance.local_key_file
    if path is None:
        return None
    try:
        private = load_private(first_line(path))
    except OSError as wrong:
        raise _wrong(site, f"cannot be read: {wrong.strerror}; `quaygate keys new FILE` makes one") from None
    except ValueError:
        raise _wrong(site, "expected a private key as `quaygate keys new FILE` makes it") from None
    for key in site.clearance.keys:
        if key.role == "local" and load_public(key.public) == public_of(private):
            return key.id, private
    raise _wrong(site, "expected the private half of a key in [[clearance.keys]] whose role is local")


def _wrong(site: Site, expected: str) -> SiteFileWrong:
    path = site.clearance.local_key_file
    value = "" if path is None else f"= {path.name}"
    said = Mistake(file="site file", line=None, key="clearance.local_key_file", value=value, expected=expected)
    return SiteFileWrong([said])


def release(
    deed: SignHere, site: str, lane: str, rules: Rules, now: Instant, key: tuple[str, PrivateKey]
) -> SignedOrder:
    """The order, bound to this passage, this plate, no box and the truck's own empty weight."""
    plate = deed.picture.identity.plate
    text = None if plate is None else plate.text
    kg = next((truck.kg for truck in rules.empties if truck.plate == text), None)
    name, private = key
    order = Order(
        id=f"{lane}-local-{secrets.token_hex(8)}",
        verb=Verb.RELEASE,
        site=site,
        lane=lane,
        passage=deed.passage.id,
        plate=text,
        containers=(),
        declared_kg=kg,
        tolerance_kg=rules.empty_off_kg,
        issued_at=now,
        expires_at=Instant(now + LIVES_S),
        reason_zh="海关中断,本站登记空车",
        reason_en="Customs is silent; a truck known to be empty",
        evidence=(digest(deed.picture),),
    )
    return sign(order, name, private)
