"""Only whoever holds a key of this site may order, only what their role allows, and only these very bytes."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings

from gateway_ctl import correction as corrections
from gateway_ctl import inspection
from gateway_ctl.correction import Check, Correction
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.orders import Order, Origin, Seal, SignedOrder, Verb, payload
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import (
    Holder,
    Role,
    admit,
    admit_correction,
    admit_verdict,
    attest,
    attested,
    awaiting,
    countersign,
    load_private,
    load_public,
    new_key,
    public_of,
    sign,
    sign_correction,
    sign_verdict,
)
from tests.gateway_ctl.papers import HOLDERS, OTHERS, PLAIN_ORDER, keyring, orders, private

RING = keyring()
CUSTOMS, CUSTOMS_TWO, LI, WANG = HOLDERS
LINK, LOCAL, INSPECTOR = OTHERS
BY_PERSONS = (Verb.RELEASE, Verb.CONFIRM, Verb.HOLD_OPEN, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW)


def signed(order: Order, *names: str) -> SignedOrder:
    """The order under these seals, in this order."""
    first, *others = names
    made = sign(order, first, private(first))
    for name in others:
        made = countersign(made, name, private(name))
    return made


def persons(*names: str, verb: Verb = Verb.RELEASE, **changes: object) -> Order:
    whole = replace(
        PLAIN_ORDER,
        verb=verb,
        persons=names,
        evidence=("ab" * 32,),
        until=PLAIN_ORDER.expires_at if verb is Verb.HOLD_OPEN else None,
        confirms="o-0" if verb is Verb.CONFIRM else None,
    )
    return replace(whole, **changes)


@settings(max_examples=100)
@given(orders.map(lambda o: replace(o, persons=())))
def test_customs_and_its_link_say_customs_words_only(order: Order) -> None:
    theirs = order.verb in (Verb.RELEASE, Verb.HOLD, Verb.INSPECT, Verb.REFUSE)
    answer = admit(signed(order, CUSTOMS), RING)
    assert answer == (replace(order, origin=Origin.CUSTOMS, issuer=CUSTOMS) if theirs else (Reason.ORDER_NOT_THEIRS,))
    answer = admit(signed(order, LINK), RING)
    if not theirs:
        assert answer == (Reason.ORDER_NOT_THEIRS,)
    elif not order.evidence:
        assert answer == (Reason.ORDER_UNPROVEN,), "a link names the frame it heard"
    else:
        assert answer == replace(order, origin=Origin.CUSTOMS, issuer=LINK)
    answer = admit(signed(order, LOCAL), RING)
    release = order.verb is Verb.RELEASE
    assert answer == (replace(order, origin=Origin.LOCAL, issuer=LOCAL) if release else (Reason.ORDER_NOT_THEIRS,))
    assert admit(signed(order, INSPECTOR), RING) == (Reason.ORDER_NOT_THEIRS,)
    assert admit(signed(order, CUSTOMS, LINK), RING) == (Reason.ORDER_NOT_THEIRS,)


@pytest.mark.parametrize("verb", list(Verb))
def test_what_a_person_may_order(verb: Verb) -> None:
    for name in (LI, WANG):
        order = persons(name, verb=verb)
        answer = admit(signed(order, name), RING)
        if verb in BY_PERSONS and (verb is not Verb.HOLD_OPEN or name == WANG):
            assert answer == replace(order, origin=Origin.PERSON, issuer=name)
        else:
            assert answer == (Reason.ORDER_NOT_THEIRS,)


@pytest.mark.parametrize("verb", BY_PERSONS)
def test_what_may_raise_the_boom_names_its_reason_and_what_the_person_saw(verb: Verb) -> None:
    raises = verb in (Verb.RELEASE, Verb.CONFIRM, Verb.HOLD_OPEN)
    for changes in ({"evidence": ()}, {"reason_zh": " "}, {"reason_en": ""}):
        answer = admit(signed(persons(WANG, verb=verb, **changes), WANG), RING)
        assert (answer == (Reason.ORDER_UNPROVEN,)) is raises
        assert isinstance(answer, Order) is not raises


def test_customs_names_no_persons() -> None:
    assert admit(signed(persons(LI), CUSTOMS), RING) == (Reason.ORDER_NOT_THEIRS,)


def test_two_keys_of_customs_are_customs() -> None:
    answer = admit(signed(PLAIN_ORDER, CUSTOMS_TWO, CUSTOMS), RING)
    assert isinstance(answer, Order)
    assert (answer.origin, answer.issuer) == (Origin.CUSTOMS, CUSTOMS_TWO)


@pytest.mark.parametrize("names", [(CUSTOMS, LI), (LI, CUSTOMS), (WANG, LI, CUSTOMS)])
def test_customs_and_persons_do_not_sign_together(names: tuple[str, ...]) -> None:
    people = tuple(name for name in names if name != CUSTOMS)
    for order in (persons(*people), persons(*names), PLAIN_ORDER):
        assert admit(signed(order, *names), RING) == (Reason.ORDER_NOT_THEIRS,)


@pytest.mark.parametrize(
    ("named", "signers"),
    [((), (LI,)), ((WANG,), (LI,)), ((LI, WANG), (LI,)), ((LI, "zhao.lei"), (LI, WANG))],
)
def test_whoever_is_named_has_signed(named: tuple[str, ...], signers: tuple[str, ...]) -> None:
    assert admit(signed(persons(*named), *signers), RING) == (Reason.ORDER_NOT_THEIRS,)


def test_a_second_person_signs_the_first_one_s_bytes() -> None:
    """The first cannot know who will; the admitted order names both."""
    answer = admit(signed(persons(LI), LI, WANG), RING, persons_needed=2)
    assert answer == replace(persons(LI), persons=(LI, WANG), origin=Origin.PERSON, issuer=LI)


def test_two_where_the_site_says_two() -> None:
    assert admit(signed(persons(LI), LI), RING, persons_needed=2) == (Reason.ORDER_TOO_FEW,)
    assert admit(signed(persons(LI), LI, LI), RING, persons_needed=2) == (Reason.ORDER_TOO_FEW,), "one who signs twice"
    assert admit(signed(persons(LI, LI), LI, LI), RING, persons_needed=2) == (Reason.ORDER_TOO_FEW,)
    for names in ((LI, WANG), (WANG, LI)):
        answer = admit(signed(persons(LI, WANG), *names), RING, persons_needed=2)
        assert answer == replace(persons(*names), origin=Origin.PERSON, issuer=names[0])
    for verb in (Verb.CONFIRM, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW):
        assert isinstance(admit(signed(persons(LI, verb=verb), LI), RING, persons_needed=2), Order), verb
    assert admit(signed(persons(WANG, verb=Verb.HOLD_OPEN), WANG), RING, persons_needed=2) == (Reason.ORDER_TOO_FEW,)
    assert isinstance(admit(signed(persons(LI, verb=Verb.HOLD_OPEN), LI, WANG), RING, hold_open_persons=2), Order)
    one = signed(persons(WANG, verb=Verb.HOLD_OPEN), WANG)
    assert admit(one, RING, hold_open_persons=2) == (Reason.ORDER_TOO_FEW,)
    assert isinstance(admit(signed(PLAIN_ORDER, CUSTOMS), RING, persons_needed=2), Order), "customs is customs"
    assert isinstance(admit(signed(persons(LI, WANG), LI, WANG), RING), Order), "more than needed is enough"


def test_no_seal_is_no_order() -> None:
    assert admit(SignedOrder(payload=payload(PLAIN_ORDER), seals=()), RING) == (Reason.ORDER_FORGED,)


def test_a_key_that_the_site_does_not_know() -> None:
    assert admit(signed(PLAIN_ORDER, "stranger"), RING) == (Reason.ORDER_UNKNOWN_KEY,)
    assert admit(signed(PLAIN_ORDER, CUSTOMS), {}) == (Reason.ORDER_UNKNOWN_KEY,)
    assert admit(signed(persons(LI), LI, "stranger"), RING) == (Reason.ORDER_UNKNOWN_KEY,)


def test_a_known_name_over_a_strangers_signature() -> None:
    forged = sign(PLAIN_ORDER, CUSTOMS, private("stranger"))
    assert admit(forged, RING) == (Reason.ORDER_FORGED,)
    both = countersign(signed(persons(LI, WANG), LI), WANG, private("stranger"))
    assert admit(both, RING) == (Reason.ORDER_FORGED,)


def test_every_byte_of_the_payload_is_sealed() -> None:
    whole = signed(PLAIN_ORDER, CUSTOMS)
    for where in range(len(whole.payload)):
        for bit in (0x01, 0x80):
            changed = bytearray(whole.payload)
            changed[where] ^= bit
            assert admit(replace(whole, payload=bytes(changed)), RING) == (Reason.ORDER_FORGED,), where
    for other in (whole.payload + b" ", whole.payload[:-1], b"", b" " + whole.payload):
        assert admit(replace(whole, payload=other), RING) == (Reason.ORDER_FORGED,)


def test_every_byte_of_the_signature_counts() -> None:
    whole = signed(PLAIN_ORDER, CUSTOMS)
    signature = whole.seals[0].signature
    assert len(signature) == 64
    for where in range(64):
        changed = bytearray(signature)
        changed[where] ^= 0x10
        assert admit(replace(whole, seals=(Seal(key=CUSTOMS, signature=bytes(changed)),)), RING) == (
            Reason.ORDER_FORGED,
        )
    for short in (b"", signature[:-1], signature + b"\0", signature * 2):
        assert admit(replace(whole, seals=(Seal(key=CUSTOMS, signature=short),)), RING) == (Reason.ORDER_FORGED,)


def test_the_signature_is_over_the_domain_and_the_payload() -> None:
    """A signature of these bytes that was made for something else opens nothing; the domain is on the wire's page."""
    data = payload(PLAIN_ORDER)
    for domain, accepted in ((b"quaygate-order-v1\n", True), (b"", False), (b"quaygate-order-v2\n", False)):
        made = SignedOrder(payload=data, seals=(Seal(key=CUSTOMS, signature=private(CUSTOMS).sign(domain + data)),))
        assert isinstance(admit(made, RING), Order) is accepted


def test_a_seal_does_not_make_nonsense_an_order() -> None:
    for data in (b"", b"{}", b"\xff", payload(PLAIN_ORDER)[:-1]):
        made = private(CUSTOMS).sign(b"quaygate-order-v1\n" + data)
        answer = admit(SignedOrder(payload=data, seals=(Seal(key=CUSTOMS, signature=made),)), RING)
        assert answer == (Reason.ORDER_MALFORMED,)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33)])
def test_a_damaged_key_in_the_keyring_admits_nothing(public: bytes) -> None:
    ring = {**RING, CUSTOMS: Holder(public, Role.CUSTOMS)}
    assert admit(signed(PLAIN_ORDER, CUSTOMS), ring) == (Reason.ORDER_FORGED,)


def test_a_countersignature_leaves_payload_and_first_seal_alone() -> None:
    one = signed(persons(LI, WANG), LI)
    two = countersign(one, WANG, private(WANG))
    assert (two.payload, two.seals[0]) == (one.payload, one.seals[0])
    assert [s.key for s in two.seals] == [LI, WANG]


def test_keys_are_32_bytes_of_base64() -> None:
    one, other = new_key(), new_key()
    assert one != other
    assert all(len(base64.b64decode(text)) == 32 for text in (*one, *other))
    assert load_private(one[0]).public_key().public_bytes_raw() == load_public(one[1])
    for bad in ("", "x", "not base64!", "汉字", one[1][:-4], one[1] + "AAAA"):
        for load in (load_private, load_public):
            with pytest.raises(ValueError):
                load(bad)


VERDICT = Verdict(
    id="v-1", finding=Finding.CLEAR, site="qianwan", lane=None, passage=None, plate="沪AD3F88", containers=(),
    scan="cd" * 32, torn=False, view=None, issued_at=PLAIN_ORDER.issued_at, expires_at=PLAIN_ORDER.expires_at,
    reason_zh="", reason_en="", persons=(INSPECTOR,),
)  # fmt: skip


def test_an_inspectors_verdict() -> None:
    made = sign_verdict(VERDICT, INSPECTOR, private(INSPECTOR))
    assert made.payload == inspection.payload(VERDICT)
    assert admit_verdict(made, RING) == VERDICT
    assert admit_verdict(replace(made, seals=()), RING) == (Reason.ORDER_FORGED,)
    assert admit_verdict(replace(made, payload=made.payload + b" "), RING) == (Reason.ORDER_FORGED,)
    for who in (CUSTOMS, LI, WANG, LINK, LOCAL):
        theirs = sign_verdict(replace(VERDICT, persons=(who,)), who, private(who))
        assert admit_verdict(theirs, RING) == (Reason.ORDER_NOT_THEIRS,)
    for named in ((INSPECTOR, "sun.mei"), ("sun.mei",)):
        other = sign_verdict(replace(VERDICT, persons=named), INSPECTOR, private(INSPECTOR))
        assert admit_verdict(other, RING) == (Reason.ORDER_NOT_THEIRS,)
    strange = SignedOrder(payload=b"{}", seals=(seal_over(b"quaygate-verdict-v1\n{}", INSPECTOR),))
    assert admit_verdict(strange, RING) == (Reason.ORDER_MALFORMED,)


def seal_over(said: bytes, name: str) -> Seal:
    return Seal(key=name, signature=private(name).sign(said))


def test_all_who_signed_a_verdict_stand_in_it_and_are_inspectors() -> None:
    ring = RING | {"sun.mei": Holder(load_public(new_public("sun.mei")), Role.INSPECTOR)}
    said = b"quaygate-verdict-v1\n" + inspection.payload(VERDICT)
    two = SignedOrder(
        payload=inspection.payload(VERDICT), seals=(seal_over(said, "sun.mei"), seal_over(said, INSPECTOR))
    )
    assert admit_verdict(two, ring) == replace(VERDICT, persons=("sun.mei", INSPECTOR))
    mixed = replace(two, seals=(seal_over(said, INSPECTOR), seal_over(said, LI)))
    assert admit_verdict(mixed, ring) == (Reason.ORDER_NOT_THEIRS,)


def new_public(name: str) -> str:
    return base64.b64encode(public_of(private(name))).decode()


CORRECTION = Correction(
    id="c-1", site="qianwan", lane="L01", passage="L01-1", check=Check.PLATE, seen=("沪AD3F80",),
    value=("沪AD3F88",), issued_at=PLAIN_ORDER.issued_at, expires_at=PLAIN_ORDER.expires_at, reason_zh="看错",
    reason_en="misread", person=LI,
)  # fmt: skip


def test_a_correction_is_of_the_person_who_signed_it_alone() -> None:
    made = sign_correction(CORRECTION, LI, private(LI))
    assert made.payload == corrections.payload(CORRECTION)
    assert admit_correction(made, RING) == CORRECTION
    assert admit_correction(sign_correction(replace(CORRECTION, person=WANG), WANG, private(WANG)), RING)
    assert admit_correction(replace(made, seals=()), RING) == (Reason.ORDER_FORGED,)
    not_theirs = (Reason.ORDER_NOT_THEIRS,)
    assert admit_correction(sign_correction(CORRECTION, WANG, private(WANG)), RING) == not_theirs
    for who in (CUSTOMS, LINK, LOCAL, INSPECTOR):
        theirs = sign_correction(replace(CORRECTION, person=who), who, private(who))
        assert admit_correction(theirs, RING) == not_theirs
    said = b"quaygate-correction-v1\n" + made.payload
    both = replace(made, seals=(*made.seals, seal_over(said, WANG)))
    assert admit_correction(both, RING) == not_theirs
    strange = SignedOrder(payload=b"{}", seals=(seal_over(b"quaygate-correction-v1\n{}", LI),))
    assert admit_correction(strange, RING) == (Reason.ORDER_MALFORMED,)


def test_a_seal_on_one_kind_of_word_is_none_on_another() -> None:
    order = sign(PLAIN_ORDER, CUSTOMS, private(CUSTOMS))
    verdict = sign_verdict(VERDICT, INSPECTOR, private(INSPECTOR))
    correction = sign_correction(CORRECTION, LI, private(LI))
    forged = (Reason.ORDER_FORGED,)
    for made in (verdict, correction):
        assert admit(made, RING) == forged
    for made in (order, correction):
        assert admit_verdict(made, RING) == forged
    for made in (order, verdict):
        assert admit_correction(made, RING) == forged
    raw = order.payload
    assert attested(raw, private(CUSTOMS).sign(b"quaygate-anchor-v1\n" + raw), public_of(private(CUSTOMS)))
    assert attest(raw, private(CUSTOMS)) == private(CUSTOMS).sign(b"quaygate-anchor-v1\n" + raw)
    assert not attested(raw, order.seals[0].signature, public_of(private(CUSTOMS)))
    assert not attested(raw, attest(raw, private(CUSTOMS)), bytes(31))


def test_what_an_order_says_that_waits_for_its_second_signature() -> None:
    first = signed(persons(LI), LI)
    assert awaiting(first, RING) == replace(persons(LI), origin=Origin.PERSON, issuer=LI, persons=(LI,))
    both = signed(persons(LI), LI, WANG)
    waits = awaiting(both, RING)
    assert waits is not None
    assert (waits.issuer, waits.persons) == (LI, (LI, WANG))
    assert awaiting(replace(first, seals=()), RING) is None


def test_what_may_raise_gives_its_reason_in_both_languages() -> None:
    for verb in (Verb.RELEASE, Verb.CONFIRM, Verb.HOLD_OPEN):
        for lacking in ({"evidence": ()}, {"reason_zh": " "}, {"reason_en": ""}):
            wish = persons(WANG, verb=verb, **lacking)
            assert admit(signed(wish, WANG), RING) == (Reason.ORDER_UNPROVEN,)
    for verb in (Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW):
        bare = persons(WANG, verb=verb, evidence=(), reason_zh="", reason_en="")
        assert isinstance(admit(signed(bare, WANG), RING), Order)


def test_how_many_must_sign_and_who() -> None:
    def answer(verb: Verb, *names: str, needed: int = 1, to_hold: int | None = None) -> object:
        wish = persons(*names, verb=verb)
        made = admit(signed(wish, *names), RING, persons_needed=needed, hold_open_persons=to_hold)
        return True if isinstance(made, Order) else made

    few, not_theirs = (Reason.ORDER_TOO_FEW,), (Reason.ORDER_NOT_THEIRS,)
    assert answer(Verb.RELEASE, LI) is True
    assert answer(Verb.RELEASE, LI, needed=2) == few
    assert answer(Verb.RELEASE, LI, WANG, needed=2) is True
    assert answer(Verb.RELEASE, LI, to_hold=2) is True
    assert answer(Verb.HOLD_OPEN, LI) == not_theirs
    assert answer(Verb.HOLD_OPEN, WANG) is True
    assert answer(Verb.HOLD_OPEN, WANG, needed=2) == few
    assert answer(Verb.HOLD_OPEN, WANG, needed=2, to_hold=1) is True
    assert answer(Verb.HOLD_OPEN, LI, to_hold=2) == few, "a supervisor may still sign"
    assert answer(Verb.HOLD_OPEN, WANG, LI, to_hold=2) is True
    for verb in (Verb.CONFIRM, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW):
        assert answer(verb, LI, needed=2, to_hold=2) is True


def test_the_sites_own_key_and_customs_link() -> None:
    def answer(name: str, **changes: object) -> object:
        return admit(signed(replace(PLAIN_ORDER, persons=(), **changes), name), RING)

    proven = ("ab" * 32,)
    local = replace(PLAIN_ORDER, persons=(), origin=Origin.LOCAL, issuer=LOCAL)
    assert answer(LOCAL) == local
    for verb in (Verb.HOLD, Verb.INSPECT, Verb.REFUSE):
        assert answer(LOCAL, verb=verb) == (Reason.ORDER_NOT_THEIRS,)
    assert answer(LINK) == (Reason.ORDER_UNPROVEN,)
    assert answer(LINK, evidence=proven) == replace(
        PLAIN_ORDER, persons=(), evidence=proven, origin=Origin.CUSTOMS, issuer=LINK
    )
    assert admit(signed(replace(PLAIN_ORDER, evidence=proven), CUSTOMS, LINK), RING) == (Reason.ORDER_NOT_THEIRS,)
    assert admit(signed(persons(INSPECTOR), INSPECTOR), RING) == (Reason.ORDER_NOT_THEIRS,)
    assert admit(signed(persons(LI), LI, INSPECTOR), RING) == (Reason.ORDER_NOT_THEIRS,)
