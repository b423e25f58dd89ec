"""The one door to cryptography: Ed25519 seals on orders, and persons' keys under their PIN.

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

from gateway_ctl.orders import Malformed, Order, Origin, Seal, SignedOrder, Verb, parse, payload
from gateway_ctl.reasons import Reason

_DOMAIN = b"quaygate-order-v1\n"
_ANCHOR_DOMAIN = b"quaygate-anchor-v1\n"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32

PrivateKey = Ed25519PrivateKey


class Role(StrEnum):
    """What the holder of a key may order."""

    CUSTOMS = "customs"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


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
    data = payload(order)
    return SignedOrder(payload=data, seals=(Seal(key=key, signature=private.sign(_DOMAIN + data)),))


def countersign(signed: SignedOrder, key: str, private: PrivateKey) -> SignedOrder:
    """The same order with one seal more."""
    seal = Seal(key=key, signature=private.sign(_DOMAIN + signed.payload))
    return SignedOrder(payload=signed.payload, seals=(*signed.seals, seal))


def attest(anchor: bytes, private: PrivateKey) -> bytes:
    """64 bytes: the lane's signature under an anchor of its book (gateway_ctl/anchor.py)."""
    return private.sign(_ANCHOR_DOMAIN + anchor)


def attested(anchor: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the holder of `public` (32 bytes) has signed this anchor."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _ANCHOR_DOMAIN + anchor)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_of(private: PrivateKey) -> bytes:
    """The other half: 32 bytes."""
    return private.public_key().public_bytes_raw()


def admit(signed: SignedOrder, keyring: Keyring, *, persons_needed: int = 1) -> Order | tuple[Reason, ...]:
    """The order if every seal on it is true and its holders may give it; otherwise the reasons why not.

    Only authenticity and authority are judged here; place, truck and time are the interlock's.
    """
    if not signed.seals:
        return (Reason.ORDER_FORGED,)
    holders: list[Holder] = []
    for seal in signed.seals:
        holder = keyring.get(seal.key)
        if holder is None:
            return (Reason.ORDER_UNKNOWN_KEY,)
        try:
            Ed25519PublicKey.from_public_bytes(holder.public).verify(seal.signature, _DOMAIN + signed.payload)
        except (InvalidSignature, ValueError):
            return (Reason.ORDER_FORGED,)
        holders.append(holder)
    try:
        order = parse(signed.payload)
    except Malformed:
        return (Reason.ORDER_MALFORMED,)
    keys = tuple(dict.fromkeys(seal.key for seal in signed.seals))
    roles = {holder.role for holder in holders}
    if roles == {Role.CUSTOMS}:
        if order.verb is Verb.LOWER or order.persons:
            return (Reason.ORDER_NOT_THEIRS,)
        return replace(order, origin=Origin.CUSTOMS, issuer=keys[0])
    if Role.CUSTOMS in roles or order.verb not in (Verb.RELEASE, Verb.LOWER) or set(order.persons) != set(keys):
        return (Reason.ORDER_NOT_THEIRS,)
    if len(keys) < persons_needed:
        return (Reason.ORDER_TOO_FEW,)
    return replace(order, origin=Origin.PERSON, issuer=keys[0])


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
