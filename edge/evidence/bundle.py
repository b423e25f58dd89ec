"""Books for somebody else's eyes: one .zip with the entries as JSON lines, keys, anchors and the script that checks it.

books/L01.jsonl     one entry a line: seq, at, kind, passage, body (its JSON, to the byte), before, hash (hex)
anchors/L01.jsonl   the lane's signed anchors as the recorder has kept them: payload, signature (base64)
keys.json           orders: key id -> public (base64), role; anchors: public key or null
verify.py           checks all of it, with Python's standard library and `cryptography` alone
README.txt          how
"""

import json
import os
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_ctl.anchor import SignedAnchor
from gateway_ctl.book import entries
from gateway_ctl.seal import Keyring

READER = Path(__file__).with_name("verify.txt")
"""The script. It is kept as a text, because nothing here may ever import it."""
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The same books give the same bundle, whenever it is made."""
_README = """\
Quaygate 车道账簿证据包 / books of Quaygate lanes, for checking by third parties

检查 / To check:
    python -m pip install cryptography
    python verify.py THIS.zip PUBLIC_KEY

PUBLIC_KEY 为站点锚签名公钥（base64），请向可信任的一方索取；证据包内 keys.json 的公钥不能自证。
PUBLIC_KEY is the site's anchor key (base64). Get it from a hand you trust: the one in keys.json came with the books.
verify.py 可另行取得并比对。 / verify.py may be had from elsewhere, and compared.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One lane's book, and its anchors in other hands."""

    lane: str
    path: Path
    kept: Sequence[SignedAnchor]


def write(out: Path, volumes: Sequence[Volume], keyring: Keyring, anchors: bytes | None) -> dict[str, int]:
    """The bundle at `out`, whole or not at all; entries by lane. A broken book is bundled as it is.

    Raises OSError, sqlite3.Error.
    """
    made = out.with_name(f".{out.name}.part")
    counts: dict[str, int] = {}
    try:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
            for volume in volumes:
                with bundle.open(_named(f"books/{volume.lane}.jsonl"), "w", force_zip64=True) as file:
                    for line in _entries(volume.path):
                        file.write(line)
                        counts[volume.lane] = counts.get(volume.lane, 0) + 1
                bundle.writestr(_named(f"anchors/{volume.lane}.jsonl"), b"".join(map(_anchor, volume.kept)))
            bundle.writestr(_named("keys.json"), _keys(keyring, anchors))
            bundle.writestr(_named("verify.py"), READER.read_bytes())
            bundle.writestr(_named("README.txt"), _README)
        os.replace(made, out)  # noqa: PTH105 - the same as Path.replace, and says that it is the system's
    finally:
        made.unlink(missing_ok=True)
    return counts


def _named(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _WHEN)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _entries(path: Path) -> Iterator[bytes]:
    for entry in entries(path):
        body = entry.body.decode("utf-8", "surrogateescape")
        line = {
            "seq": entry.seq, "at": entry.at, "kind": entry.kind, "passage": entry.passage, "body": body,
            "before": entry.before.hex(), "hash": entry.hash.hex(),
        }  # fmt: skip
        # A body that is no UTF-8 was tampered with, and travels all the same: escaped, to the byte.
        clean = body.isascii() or body.encode("utf-8", "ignore") == entry.body
        yield json.dumps(line, ensure_ascii=not clean).encode() + b"\n"


def _anchor(signed: SignedAnchor) -> bytes:
    told = {"payload": b64encode(signed.payload).decode(), "signature": b64encode(signed.signature).decode()}
    return json.dumps(told).encode() + b"\n"


def _keys(keyring: Keyring, anchors: bytes | None) -> str:
    orders: Mapping[str, dict[str, str]] = {
        key: {"public": b64encode(holder.public).decode(), "role": holder.role.value} for key, holder in keyring.items()
    }
    told = {"orders": orders, "anchors": None if anchors is None else b64encode(anchors).decode()}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
