"""The one door to cryptography: Ed25519 seals on orders, verdicts and corrections, and persons' keys under their PIN.

What a seal is for stands before the sealed bytes, so that no signature on one kind of word is good on another.

A person's private key lies sealed in the site file: AES-256-GCM under a key that argon2id makes from the PIN. A PIN
is short; argon2id with 64 MiB and three passes makes each guess cost about a tenth of a second, and the console
counts them.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_ctl import correction as corrections
from gateway_ctl import inspection
from gateway_ctl.correction import Correction
from gateway_ctl.inspection import Verdict
from gateway_ctl.orders import (
    CUSTOMS_VERBS,
    RAISING,
    Malformed,
    Order,
    Origin,
    Seal,
    SignedOrder,
    Verb,
    parse,
    payload,
)
from gateway_ctl.reasons import Reason

_ORDER = b"quaygate-order-v1\n"
_ANCHOR = b"quaygate-anchor-v1\n"
_VERDICT = b"quaygate-verdict-v1\n"
_CORRECTION = b"quaygate-correction-v1\n"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32

PrivateKey = Ed25519PrivateKey


class Role(StrEnum):
    """What the holder of a key may sign."""

    CUSTOMS = "customs"
    LINK = "link"
    """The gate's own end of customs' protocol: it seals what customs sent unsigned, and names the raw frame."""
    LOCAL = "local"
    """The site itself, while customs is silent: a release, which the interlock keeps to known empty trucks."""
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    """As an operator; a boom is held open only with one of them."""
    INSPECTOR = "inspector"
    """Verdicts on scans, and nothing that moves a boom."""


_AT_THE_GATE = frozenset({Role.OPERATOR, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True)
class Holder:
    """A key that the site knows."""

    public: bytes
    role: Role


Keyring = Mapping[str, Holder]
"""Key id (for a person: the person's id) to its holder."""


class WrongPin(Exception):
    """The PIN does not open the sealed key, or the sealed key is damaged."""


def new_key() -> tuple[str, str]:
    """A fresh pair as base64 text: (private, public), 32 bytes each."""
    private = Ed25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def load_private(text: str) -> PrivateKey:
    """From base64 of 32 bytes; raises ValueError."""
    return Ed25519PrivateKey.from_private_bytes(_bytes(text))


def load_public(text: str) -> bytes:
    """From base64 of 32 bytes; raises ValueError."""
    raw = _bytes(text)
    Ed25519PublicKey.from_public_bytes(raw)
    return raw


def seal_private(private: str, pin: str) -> str:
    """The private key (base64) under the PIN, as base64 for the site file."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return _text(salt + nonce + AESGCM(_stretch(pin, salt)).encrypt(nonce, _bytes(private), None))


def unseal_private(sealed: str, pin: str) -> PrivateKey:
    """Raises WrongPin. Takes about a tenth of a second of one core on purpose: call it in a thread."""
    try:
        raw = _bytes(sealed)
        if len(raw) <= _SALT_BYTES + _NONCE_BYTES:
            raise ValueError(f"{len(raw)} bytes")
        salt, nonce = raw[:_SALT_BYTES], raw[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
        opened = AESGCM(_stretch(pin, salt)).decrypt(nonce, raw[_SALT_BYTES + _NONCE_BYTES :], None)
        return Ed25519PrivateKey.from_private_bytes(opened)
    except (InvalidTag, ValueError) as wrong:
        raise WrongPin("the PIN does not open this person's key") from wrong


def sign(order: Order, key: str, private: PrivateKey) -> SignedOrder:
    """The order with one seal."""
    return _signed(_ORDER, payload(order), key, private)


def countersign(signed: SignedOrder, key: str, private: PrivateKey) -> SignedOrder:
    """The same order with one seal more."""
    seal = Seal(key=key, signature=private.sign(_ORDER + signed.payload))
    return SignedOrder(payload=signed.payload, seals=(*signed.seals, seal))


def attest(anchor: bytes, private: PrivateKey) -> bytes:
    """64 bytes: the lane's signature under an anchor of its book (gateway_ctl/anchor.py)."""
    return private.sign(_ANCHOR + anchor)


def attested(anchor: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the holder of `public` (32 bytes) has signed this anchor."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _ANCHOR + anchor)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_of(private: PrivateKey) -> bytes:
    """The other half: 32 bytes."""
    return private.public_key().public_bytes_raw()


def sign_verdict(verdict: Verdict, key: str, private: PrivateKey) -> SignedOrder:
    """An inspector's verdict with their seal."""
    return _signed(_VERDICT, inspection.payload(verdict), key, private)


def sign_correction(correction: Correction, key: str, private: PrivateKey) -> SignedOrder:
    """A corrected read with the seal of the person who read it."""
    return _signed(_CORRECTION, corrections.payload(correction), key, private)


def admit(
    signed: SignedOrder, keyring: Keyring, *, persons_needed: int = 1, hold_open_persons: int | None = None
) -> Order | tuple[Reason, ...]:
    """The order if every seal on it is true and its holders may give it; otherwise the reasons why not.

    Only authenticity and authority are judged here; place, truck and time are the interlock's. `persons_needed` must
    sign what may raise the boom against customs' silence or no; `hold_open_persons` a HOLD_OPEN (None: as many). One
    person may always lower, close, or confirm what customs has released. An order that lacks nothing but signatures is
    answered by ORDER_TOO_FEW alone.
    """
    holders = _holders(_ORDER, signed, keyring)
    if isinstance(holders, Reason):
        return (holders,)
    try:
        order = parse(signed.payload)
    except Malformed:
        return (Reason.ORDER_MALFORMED,)
    keys = tuple(holders)
    roles = {holder.role for holder in holders.values()}
    if len(roles & {Role.CUSTOMS, Role.LINK, Role.LOCAL}) > 0:
        return _of_machine(order, keys, roles)
    if not roles <= _AT_THE_GATE or order.verb in CUSTOMS_VERBS - {Verb.RELEASE}:
        return (Reason.ORDER_NOT_THEIRS,)
    if not order.persons or not set(order.persons) <= set(keys):
        return (Reason.ORDER_NOT_THEIRS,)
    if order.verb in RAISING and not (order.evidence and order.reason_zh.strip() and order.reason_en.strip()):
        return (Reason.ORDER_UNPROVEN,)
    needed = 1
    if order.verb is Verb.RELEASE:
        needed = persons_needed
    elif order.verb is Verb.HOLD_OPEN:
        needed = persons_needed if hold_open_persons is None else hold_open_persons
    if len(keys) < needed:
        return (Reason.ORDER_TOO_FEW,)
    if order.verb is Verb.HOLD_OPEN and Role.SUPERVISOR not in roles:
        return (Reason.ORDER_NOT_THEIRS,)
    return replace(order, origin=Origin.PERSON, issuer=keys[0], persons=keys)


def awaiting(signed: SignedOrder, keyring: Keyring) -> Order | None:
    """The order that `admit` answered with ORDER_TOO_FEW alone: who has signed it so far, and what it says."""
    holders = _holders(_ORDER, signed, keyring)
    if isinstance(holders, Reason):
        return None
    keys = tuple(holders)
    return replace(parse(signed.payload), origin=Origin.PERSON, issuer=keys[0], persons=keys)


def _of_machine(order: Order, keys: tuple[str, ...], roles: set[Role]) -> Order | tuple[Reason, ...]:
    """An order without persons: customs', its link's, or the site's own while customs is silent."""
    if len(roles) != 1 or order.persons or order.verb not in CUSTOMS_VERBS:
        return (Reason.ORDER_NOT_THEIRS,)
    if Role.LOCAL in roles:
        if order.verb is not Verb.RELEASE:
            return (Reason.ORDER_NOT_THEIRS,)
        return replace(order, origin=Origin.LOCAL, issuer=keys[0])
    if Role.LINK in roles and not order.evidence:
        return (Reason.ORDER_UNPROVEN,)
    return replace(order, origin=Origin.CUSTOMS, issuer=keys[0])


def admit_verdict(signed: SignedOrder, keyring: Keyring) -> Verdict | tuple[Reason, ...]:
    """The verdict if inspectors of this site signed it, and only those it names; otherwise the reasons why not."""
    holders = _holders(_VERDICT, signed, keyring)
    if isinstance(holders, Reason):
        return (holders,)
    try:
        verdict = inspection.parse(signed.payload)
    except Malformed:
        return (Reason.ORDER_MALFORMED,)
    keys = tuple(holders)
    if {holder.role for holder in holders.values()} != {Role.INSPECTOR} or not set(verdict.persons) <= set(keys):
        return (Reason.ORDER_NOT_THEIRS,)
    return replace(verdict, persons=keys)


def admit_correction(signed: SignedOrder, keyring: Keyring) -> Correction | tuple[Reason, ...]:
    """The correction if the person it names signed it alone; otherwise the reasons why not."""
    holders = _holders(_CORRECTION, signed, keyring)
    if isinstance(holders, Reason):
        return (holders,)
    try:
        correction = corrections.parse(signed.payload)
    except Malformed:
        return (Reason.ORDER_MALFORMED,)
    if not {holder.role for holder in holders.values()} <= _AT_THE_GATE or tuple(holders) != (correction.person,):
        return (Reason.ORDER_NOT_THEIRS,)
    return correction


def _signed(domain: bytes, data: bytes, key: str, private: PrivateKey) -> SignedOrder:
    return SignedOrder(payload=data, seals=(Seal(key=key, signature=private.sign(domain + data)),))


def _holders(domain: bytes, signed: SignedOrder, keyring: Keyring) -> dict[str, Holder] | Reason:
    """Who signed, by key id, in the order of the seals; the reason why one of the seals is none."""
    if not signed.seals:
        return Reason.ORDER_FORGED
    holders: dict[str, Holder] = {}
    for seal in signed.seals:
        holder = keyring.get(seal.key)
        if holder is None:
            return Reason.ORDER_UNKNOWN_KEY
        try:
            Ed25519PublicKey.from_public_bytes(holder.public).verify(seal.signature, domain + signed.payload)
        except (InvalidSignature, ValueError):
            return Reason.ORDER_FORGED
        holders[seal.key] = holder
    return holders


def _stretch(pin: str, salt: bytes) -> bytes:
    # RFC 9106, second recommended option (64 MiB, 3 passes, 4 lanes):
    # a lane's machine has the memory to spare for one guess at a time.
    return hash_secret_raw(
        pin.encode(), salt, time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=_KEY_BYTES, type=Type.ID
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise ValueError("not base64") from wrong
