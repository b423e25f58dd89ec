"""The signature of the signed serial line, as its only known peer makes it: obsolete, and spoken to such a peer alone.

SHA-1 of the XML, written as upper-case hex pairs joined by `-` (59 characters), and RSA with PKCS#1 v1.5 over that
text itself, not over a DigestInfo. The peer's own hash routine ends at 1,024 bytes of XML.
"""

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LONGEST_XML = 1024
"""Bytes; the peer's hash is wrong beyond."""


def serial_text(xml: bytes) -> bytes:
    """What is signed."""
    digest = hashlib.sha1(xml, usedforsecurity=False).digest()  # the peer's own choice; nothing of ours rests on it
    return "-".join(f"{byte:02X}" for byte in digest).encode("ascii")


def serial_signer(pem: bytes) -> Callable[[bytes], bytes]:
    """Signs XML with the RSA key of a PEM file without passphrase. Raises ValueError: no such key."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as wrong:
        raise ValueError("the key is under a passphrase") from wrong
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - what is wrong is the file, not the caller's type
    return lambda xml: key.sign(serial_text(xml), PKCS1v15(), NoDigestInfo())
