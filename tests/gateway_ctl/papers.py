"""Keys, keyrings and any order at all, for the tests of orders and seals."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from drivers.readings import Instant
from gateway_ctl.orders import Order, Verb
from gateway_ctl.seal import Holder, PrivateKey, Role, load_private, load_public, new_key

HOLDERS = {
    "customs-2026": Role.CUSTOMS,
    "customs-2027": Role.CUSTOMS,
    "li.wei": Role.OPERATOR,
    "wang.fang": Role.SUPERVISOR,
}
OTHERS = {"gate-link": Role.LINK, "local": Role.LOCAL, "zhao.lei": Role.INSPECTOR}


@cache
def _pair(name: str) -> tuple[str, str]:
    return new_key()


def private(name: str) -> PrivateKey:
    """The key that belongs to a name; a name that is not in HOLDERS is a stranger's."""
    return load_private(_pair(name)[0])


def keyring() -> dict[str, Holder]:
    return {name: Holder(load_public(_pair(name)[1]), role) for name, role in (HOLDERS | OTHERS).items()}


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
_name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=24)
_kg = st.none() | st.decimals(0, 1_000_000, places=3, allow_nan=False, allow_infinity=False)
_instant = st.floats(-1e12, 1e12, allow_nan=False).map(Instant)

_digest = st.binary(min_size=32, max_size=32).map(bytes.hex)


def _whole(order: Order, until: float, confirms: str) -> Order:
    """`until` and `confirms` belong to their verbs."""
    return replace(
        order,
        until=Instant(until) if order.verb is Verb.HOLD_OPEN else None,
        confirms=confirms if order.verb is Verb.CONFIRM else None,
    )


_plain_orders = st.builds(
    Order,
    id=_name,
    verb=st.sampled_from(Verb),
    site=_name,
    lane=_name,
    passage=st.none() | _text,
    plate=st.none() | _text,
    containers=st.lists(_text, max_size=4).map(tuple),
    declared_kg=_kg,
    tolerance_kg=_kg,
    issued_at=_instant,
    expires_at=_instant,
    reason_zh=_text,
    reason_en=_text,
    persons=st.lists(_text, max_size=3).map(tuple),
    trailer=st.none() | _text,
    seal_numbers=st.lists(_text, max_size=3).map(tuple),
    direction=st.sampled_from([None, "in", "out"]),
    document=st.none() | _text,
    evidence=st.lists(_digest, max_size=2).map(tuple),
    screen=_text,
)
orders = st.builds(_whole, _plain_orders, _instant, _name)
"""Orders as a payload can carry them; most are nonsense, and that is the interlock's question."""

PLAIN: dict[str, object] = {
    "v": 1, "id": "o-1", "verb": "release", "site": "qianwan", "lane": "L01", "passage": "L01-1", "plate": "沪AD3F88",
    "containers": ["CSQU3054383"], "declared_kg": "37000", "tolerance_kg": "1850", "issued_at": 1764000000.0,
    "expires_at": 1764000120.0, "reason": {"zh": "放行", "en": "released"}, "persons": [],
}  # fmt: skip
"""A payload as customs writes it."""

PLAIN_ORDER = Order(
    id="o-1", verb=Verb.RELEASE, site="qianwan", lane="L01", passage="L01-1", plate="沪AD3F88",
    containers=("CSQU3054383",), declared_kg=Decimal(37000), tolerance_kg=Decimal(1850),
    issued_at=Instant(1764000000.0), expires_at=Instant(1764000120.0), reason_zh="放行", reason_en="released",
)  # fmt: skip
"""The same as an order."""
