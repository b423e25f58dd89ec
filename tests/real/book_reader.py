"""Checks a lane's book with nothing but Python's standard library and `cryptography`: it imports nothing of Quaygate.

    python book_reader.py BUNDLE.zip|book.sqlite [PUBLIC]

A bundle is what `quaygate book export` makes. PUBLIC is the site's key for anchors (base64), from a hand you trust.
Exit 0: all is well; 1: what is not, a line each. Asked is whether every entry follows from the one before (SHA-256 over
a JSON head, a line feed, the body); every anchor is signed (Ed25519) and the book stands where it says; frames and
pictures have their digests; every raising of the boom has a permit before it, on an order that is sealed and fresh.
"""

import hashlib
import json
import sqlite3
import sys
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Row = tuple[int, float, str, str | None, bytes, bytes, bytes]
Found = Iterator[tuple[int, str]]
FIELDS = ("seq", "at", "kind", "passage", "body", "before", "hash")
ODD = (sqlite3.Error, zipfile.BadZipFile, zlib.error, RuntimeError, LookupError, ValueError, EOFError)


def signed(public: bytes, said: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, said)
    except (InvalidSignature, ValueError):
        return False
    return True


def chain(rows: list[Row]) -> Found:
    """The first entry that breaks the chain: what comes after it proves nothing."""
    before = bytes(32)
    for number, (seq, at, kind, passage, body, told_before, told) in enumerate(rows, 1):
        head = [before.hex(), seq, repr(float(at)), kind, passage]
        covered = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" + body
        if (seq, told_before, told) != (number, before, hashlib.sha256(covered).digest()):
            yield number, "it is missing, not chained to the entry before it, or its content does not match its hash"
            return
        before = told


def anchored(rows: list[Row], kept: list[dict[str, str]], public: str | None) -> Found:
    """Anchors in the book and in other hands, against the book as it is."""
    for told in [*(json.loads(row[4]) for row in rows if row[2] == "anchor"), *kept]:
        payload = b64decode(told["payload"])
        said = json.loads(payload)
        count, of = said["entries"], f"the anchor of {said['day']} ({said['why']})"
        if public and not signed(b64decode(public), b"quaygate-anchor-v1\n" + payload, b64decode(told["signature"])):
            yield count, f"{of} is not signed by the site's key"
        elif count > len(rows):
            yield len(rows) + 1, f"it is cut: {of} counts {count} entries"
        elif count and rows[count - 1][6] != bytes.fromhex(said["head"]):
            yield count, f"it was written anew: {of} has {said['head']}"


def digests(rows: list[Row]) -> Found:
    """Frames and pictures that are not the ones they are called by."""
    for seq, _, kind, _, body, _, _ in rows:
        told: dict[str, Any] = json.loads(body) if kind in ("evidence", "decision") else {}
        called: list[tuple[bytes, str]] = []
        if kind == "evidence":
            frames: list[dict[str, str]] = told["reads"] + (told["weight"]["frames"] if told["weight"] else [])
            called = [(b64decode(line["raw"]), line["digest"]) for line in frames]
        elif kind == "decision":
            text = "{" + body.decode().partition('"picture":{')[2]
            called = [(text[: json.JSONDecoder().raw_decode(text)[1]].encode(), told["permit"]["picture"])]
        if any(hashlib.sha256(raw).hexdigest() != name for raw, name in called):
            yield seq, "a frame or a picture is not the one it is called by"


def openings(rows: list[Row], keys: dict[str, dict[str, str]]) -> Found:
    """Raisings of the boom without a permit, or on an order that is not sealed for this passage, or is spent."""
    sealed: set[tuple[str, str | None]] = set()
    permits: dict[str, dict[str, Any]] = {}
    spent: dict[str, str] = {}
    for seq, _, kind, passage, body, _, _ in rows:
        told = json.loads(body)
        if kind == "order":
            payload = b64decode(told["payload"])
            seals = [(keys[s["key"]]["public"], b64decode(s["signature"])) for s in told["seals"] if s["key"] in keys]
            true = [signed(b64decode(key), b"quaygate-order-v1\n" + payload, mark) for key, mark in seals]
            if true and all(true) and len(true) == len(told["seals"]):
                order = json.loads(payload)
                sealed.add((order["id"], order["passage"]))
        elif kind == "decision":
            permits[told["permit"]["id"]] = told["permit"]
        elif kind == "boom" and told["movement"] == "raise" and told["phase"] == "refused":
            spent.pop(told["order"], None)
        elif kind == "boom" and told["movement"] == "raise" and told["phase"] == "written":
            permit, order = permits.get(told["permit"]), told["order"]
            if permit is None or (permit["movement"], permit["order"], permit["passage"]) != ("raise", order, passage):
                yield seq, "the boom was raised without a permit for it"
            elif not sealed & {(order, passage), (order, None)}:  # None: a lane held open is for whoever passes
                yield seq, f"the boom was raised on order {order}, which no key of the site has sealed for {passage}"
            elif order in spent:
                yield seq, f"order {order} raised the boom before"
            spent[order] = told["permit"]


def books(path: Path) -> Iterator[tuple[str, list[Row], list[dict[str, str]], dict[str, Any]]]:
    """Name, entries, anchors from other hands, and the site's keys; a lone SQLite file comes without these two."""
    if not zipfile.is_zipfile(path):
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as store:
            yield path.name, store.execute(f"SELECT {','.join(FIELDS)} FROM entry ORDER BY seq").fetchall(), [], {}
        return
    with zipfile.ZipFile(path) as bundle:
        for name in sorted(each for each in bundle.namelist() if each.startswith("books/")):
            rows: list[Row] = []
            for line in bundle.read(name).splitlines():
                *head, body, before, told = (json.loads(line)[field] for field in FIELDS)
                rows.append(
                    (*head, body.encode("utf-8", "surrogateescape"), bytes.fromhex(before), bytes.fromhex(told))
                )
            kept = bundle.read(name.replace("books/", "anchors/")).splitlines()
            yield name, rows, [json.loads(line) for line in kept], json.loads(bundle.read("keys.json"))


def check(path: Path, public: str | None = None) -> tuple[list[tuple[str, int, str]], list[str]]:
    """What is wrong (book, entry, why), and what there is."""
    wrong: list[tuple[str, int, str]] = []
    there: list[str] = []
    try:
        for name, rows, kept, keys in books(path):
            there.append(f"{name}: whole, {len(rows)} entries, head {rows[-1][6].hex() if rows else '00' * 32}")
            found = list(chain(rows))
            if not found:
                found = [*anchored(rows, kept, public or keys.get("anchors")), *digests(rows)]
                found += openings(rows, keys["orders"]) if keys else []
            wrong += [(name, seq, why) for seq, why in found]
    except (*ODD, TypeError, AttributeError) as fault:
        wrong.append((path.name, 0, f"it cannot be read: {fault!r}"))
    return wrong, there


if __name__ == "__main__":
    bad, good = check(Path(sys.argv[1]), *sys.argv[2:3])
    print("\n".join([f"{book}: BROKEN at entry {seq}: {why}" for book, seq, why in bad] or good))
    sys.exit(bool(bad))
