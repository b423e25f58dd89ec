"""Only whoever holds a key of this site may order, only what their role allows, and only these very bytes."""

import base64
from dataclasses import replace

import pytest
from argon2.low_level import Type
from hypothesis import given, settings

from gateway_ctl.orders import Order, Origin, Seal, SignedOrder, Verb, payload
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import (
    Holder,
    Role,
    WrongPin,
    admit,
    countersign,
    load_private,
    load_public,
    new_key,
    seal_private,
    sign,
    unseal_private,
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


class TestPin:
    """argon2id makes each guess dear, so there are few examples."""

    secret, public = new_key()
    sealed = seal_private(secret, "135790")

    def test_the_right_one_opens(self) -> None:
        opened = unseal_private(self.sealed, "135790")
        assert opened.public_key().public_bytes_raw() == load_public(self.public)

    @pytest.mark.parametrize("pin", ["135791", "", "1357900", " 135790", "１３５７９０", "\ud800"])
    def test_a_wrong_one_does_not(self, pin: str) -> None:
        with pytest.raises(WrongPin) as wrong:
            unseal_private(self.sealed, pin)
        assert "135790" not in str(wrong.value)

    @pytest.mark.parametrize("where", [0, 15, 16, 27, 28, 59, 60, -1])
    def test_damaged(self, where: int) -> None:
        raw = bytearray(base64.b64decode(self.sealed))
        assert len(raw) == 16 + 12 + 32 + 16
        raw[where] ^= 1
        with pytest.raises(WrongPin):
            unseal_private(base64.b64encode(raw).decode(), "135790")

    @pytest.mark.parametrize("length", [0, 1, 7, 8, 16, 20, 28, 29, 44, 75])
    def test_cut_short(self, length: int) -> None:
        raw = base64.b64decode(self.sealed)[:length]
        with pytest.raises(WrongPin):
            unseal_private(base64.b64encode(raw).decode(), "135790")

    @pytest.mark.parametrize("text", ["", "!", "汉字", "AAA"])
    def test_no_base64(self, text: str) -> None:
        with pytest.raises(WrongPin):
            unseal_private(text, "135790")

    def test_sealed_twice_is_never_the_same(self) -> None:
        """Fresh salt and nonce: equal keys under equal PINs cannot be told."""
        again = base64.b64decode(seal_private(self.secret, "135790"))
        raw = base64.b64decode(self.sealed)
        assert raw[:16] != again[:16] and raw[16:28] != again[16:28] and raw[28:] != again[28:]

    def test_a_guess_is_dear(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """RFC 9106, second recommended option."""
        told: dict[str, object] = {}

        def stretch(pin: bytes, salt: bytes, **how: object) -> bytes:
            told.update(how)
            return bytes(32)

        monkeypatch.setattr("gateway_ctl.seal.hash_secret_raw", stretch)
        seal_private(self.secret, "135790")
        assert (told["time_cost"], told["memory_cost"], told["parallelism"]) == (3, 65536, 4)
        assert told["type"] is Type.ID and told["hash_len"] == 32
