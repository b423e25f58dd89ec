"""Pictures, orders and rules for the tests of the interlock and the lane: one good scene, changed field by field."""

from dataclasses import replace
from decimal import Decimal

from drivers.readings import Instant
from gateway_ctl.modes import Mode
from gateway_ctl.orders import Order, Origin, Verb
from gateway_ctl.picture import Container, Deck, Identity, Inputs, Picture, Plate, Rules, Seen

NOW = Instant(1_764_000_000.0)
RULES = Rules()
PASSAGE = "L01-1763999990000"


def seen(value: bool, *, age: float = 0.05, since: float = 60.0) -> Seen[bool]:
    return Seen(value, Instant(NOW - age), Instant(NOW - since))


def inputs(**occupied: bool) -> Inputs:
    """All contacts clear, the boom down, except what is said."""
    base = dict.fromkeys(Inputs.__dataclass_fields__, False) | {"limit_down": True}
    return Inputs(**{name: seen(value) for name, value in (base | occupied).items()})


def deck(kg: int = 38_260, /, **changes: object) -> Deck:
    good = Deck(
        live_kg=Seen(Decimal(kg), Instant(NOW - 0.05), Instant(NOW - 3)),
        settled_kg=Decimal(kg),
        uncertainty_kg=Decimal(10),
        settled_at=Instant(NOW - 0.05),
        zero_ok=True,
    )
    return replace(good, **changes)


EMPTY_DECK = Deck(live_kg=Seen(Decimal(0), Instant(NOW - 0.05), Instant(NOW - 60)), zero_ok=True)

IDENTITY = Identity(
    plate=Plate("沪AD3F88", 0.97),
    tags=("BBA6414433463838000000FF",),
    tag_plates=("沪AD3F88",),
    containers=(Container("CSQU3054383", 0.93, True),),
)


def picture(**changes: object) -> Picture:
    """A truck stands weighed and read before a closed boom."""
    good = Picture(
        site="qianwan", lane="L01", at=NOW, mode=Mode.LIVE, direction="in", passage=PASSAGE, inputs=inputs(),
        deck=deck(), identity=IDENTITY,
    )  # fmt: skip
    return replace(good, **changes)


def empty(**changes: object) -> Picture:
    """Nobody is here."""
    return replace(picture(passage=None, deck=EMPTY_DECK, identity=Identity()), **changes)


def order(**changes: object) -> Order:
    """A release by customs that fits `picture`."""
    good = Order(
        id="o-1",
        verb=Verb.RELEASE,
        site="qianwan",
        lane="L01",
        passage=PASSAGE,
        plate="沪AD3F88",
        containers=("CSQU3054383",),
        declared_kg=Decimal(38_000),
        tolerance_kg=Decimal(1_900),
        issued_at=Instant(NOW - 1),
        expires_at=Instant(NOW + 119),
        reason_zh="放行",
        reason_en="released",
        origin=Origin.CUSTOMS,
        issuer="customs-2026",
    )
    return replace(good, **changes)


def override(**changes: object) -> Order:
    """A release by a person that fits `picture`."""
    return replace(
        order(
            id="p-1",
            plate=None,
            containers=(),
            declared_kg=None,
            tolerance_kg=None,
            persons=("li.wei",),
            evidence=("ab" * 32,),
            origin=Origin.PERSON,
            issuer="li.wei",
        ),
        **changes,
    )
