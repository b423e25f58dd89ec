"""A person's key opens under their own PIN alone. argon2id makes each guess dear, so there are few examples."""

import base64

import pytest
from argon2.low_level import Type

from gateway_ctl.seal import WrongPin, load_public, new_key, seal_private, unseal_private

SECRET, PUBLIC = new_key()
SEALED = seal_private(SECRET, "135790")


def test_the_right_one_opens() -> None:
    opened = unseal_private(SEALED, "135790")
    assert opened.public_key().public_bytes_raw() == load_public(PUBLIC)


@pytest.mark.parametrize("pin", ["135791", "", "1357900", " 135790", "１３５７９０", "\ud800"])
def test_a_wrong_one_does_not(pin: str) -> None:
    with pytest.raises(WrongPin) as wrong:
        unseal_private(SEALED, pin)
    assert "135790" not in str(wrong.value)


@pytest.mark.parametrize("where", [0, 15, 16, 27, 28, 59, 60, -1])
def test_damaged(where: int) -> None:
    raw = bytearray(base64.b64decode(SEALED))
    assert len(raw) == 16 + 12 + 32 + 16
    raw[where] ^= 1
    with pytest.raises(WrongPin):
        unseal_private(base64.b64encode(raw).decode(), "135790")


@pytest.mark.parametrize("length", [0, 1, 7, 8, 16, 20, 28, 29, 44, 75])
def test_cut_short(length: int) -> None:
    raw = base64.b64decode(SEALED)[:length]
    with pytest.raises(WrongPin):
        unseal_private(base64.b64encode(raw).decode(), "135790")


@pytest.mark.parametrize("text", ["", "!", "汉字", "AAA"])
def test_no_base64(text: str) -> None:
    with pytest.raises(WrongPin):
        unseal_private(text, "135790")


def test_sealed_twice_is_never_the_same() -> None:
    """Fresh salt and nonce: equal keys under equal PINs cannot be told."""
    again = base64.b64decode(seal_private(SECRET, "135790"))
    raw = base64.b64decode(SEALED)
    assert raw[:16] != again[:16] and raw[16:28] != again[16:28] and raw[28:] != again[28:]


def test_a_guess_is_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9106, second recommended option."""
    told: dict[str, object] = {}

    def stretch(pin: bytes, salt: bytes, **how: object) -> bytes:
        told.update(how)
        return bytes(32)

    monkeypatch.setattr("gateway_ctl.seal.hash_secret_raw", stretch)
    seal_private(SECRET, "135790")
    assert (told["time_cost"], told["memory_cost"], told["parallelism"]) == (3, 65536, 4)
    assert told["type"] is Type.ID and told["hash_len"] == 32


@pytest.mark.parametrize("length", [0, 16, 27, 28])
def test_nothing_is_spent_on_what_is_too_short_to_be_a_key(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    def stretch(pin: bytes, salt: bytes, **how: object) -> bytes:
        raise AssertionError("a guess costs")

    monkeypatch.setattr("gateway_ctl.seal.hash_secret_raw", stretch)
    raw = base64.b64decode(SEALED)
    with pytest.raises(WrongPin):
        unseal_private(base64.b64encode(raw[:length]).decode(), "135790")
    with pytest.raises(AssertionError):
        unseal_private(base64.b64encode(raw[:29]).decode(), "135790")
