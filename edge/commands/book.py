"""`book verify`, `book show`, `book export`: what a lane's book proves, to us and to others."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from edge.clock import iso
from edge.commands.site import open_site
from edge.commands.words import Exit, Stop, err, line, out
from edge.config import BOOK, Site
from edge.evidence import bundle
from edge.evidence.proof import Proof, anchor_public, kept_anchors, prove
from edge.evidence.story import Link, Step, story, whole
from gateway_ctl.anchor import SignedAnchor
from gateway_ctl.book import Broken, Entry, entries
from telemetry.faults import RecordsDown

MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("", "")}


def verify_all(path: Path) -> Exit:
    """`path`: a book, a data folder, or a site file. One line a book; NOT_WELL when one of them is broken.

    With a site file the books are held against the anchors that the recorder has kept, and these against its key.
    """
    books = _books(path)
    if not books:
        raise Stop(f"{path}: no book there", Exit.MISSING)
    site = _site(path)
    kept = _kept(site)
    public = None if site is None else anchor_public(site)
    well = True
    for book in books:
        lane = book.parent.name if site is not None else None
        proof = prove(book, lane=lane, public=public, kept=kept.get(book.parent.name, ()))
        well = well and proof.well
        for each in _said(proof):
            line(f"{book}: {each}")
    return Exit.WELL if well else Exit.NOT_WELL


def _said(proof: Proof) -> list[str]:
    if isinstance(proof.book, Broken):
        return [f"BROKEN at entry {proof.book.seq}: {proof.book.why}"]
    if proof.against:
        return [f"BROKEN at entry {each.seq}: {each.why}" for each in proof.against]
    anchors = f", {proof.anchors} anchors agree ({proof.kept} kept by the recorder)" if proof.anchors else ""
    return [f"whole, {proof.book.entries} entries, head {proof.book.head.hex()}{anchors}"]


def show(passage: str, path: Path, *, as_json: bool, language: str) -> Exit:
    """The evidence chain of a passage. NOT_WELL when a link does not hold."""
    if language not in ("zh", "en"):
        raise Stop(f"{language!r}: expected zh or en", Exit.WRONG)
    site = _site(path)
    keyring = None if site is None else site.keyring()
    book, found = _find(_books(path), passage)
    if book is None:
        raise Stop(f"{passage}: no such passage in a book at {path}", Exit.MISSING)
    links = story(found, keyring)
    if as_json:
        line(json.dumps([_plain(link) for link in links], ensure_ascii=False, indent=1))
    else:
        _print(passage, book, links, language)
    return Exit.NOT_WELL if any(link.true is False for link in links) else Exit.WELL


def _find(books: Sequence[Path], passage: str) -> tuple[Path | None, list[Entry]]:
    for book in books:
        try:
            found = list(entries(book, passage=passage))
        except sqlite3.Error as wrong:
            err.print(f"{book}: cannot be read: {wrong}", style="red", markup=False)
            continue
        if found:
            return book, found
    return None, []


def _plain(link: Link) -> dict[str, object]:
    return {
        "step": link.step.name.lower(), "at": link.at, "entry": link.seq, "digest": link.digest, "of": link.of,
        "true": link.true, "zh": link.zh, "en": link.en, "said": link.plain,
    }  # fmt: skip


def _print(passage: str, book: Path, links: Sequence[Link], language: str) -> None:
    zh = language == "zh"
    table = Table(title=f"{passage}  ({book})", title_justify="left", pad_edge=False)
    table.add_column("条" if zh else "entry", justify="right")
    table.add_column("时间 UTC" if zh else "time UTC", no_wrap=True)
    table.add_column("环节" if zh else "link", no_wrap=True)
    table.add_column("内容" if zh else "what", overflow="fold")
    table.add_column("摘要 SHA-256" if zh else "SHA-256", no_wrap=True)
    table.add_column("")
    shown: set[tuple[Step, str, str]] = set()
    for link in links:
        what = (link.step, link.zh, link.digest if link.step is Step.FRAME else "")
        if link.step in (Step.FRAME, Step.READING) and what in shown:
            continue  # the decision rests on the frames that customs was asked on, and on newer ones
        shown.add(what)
        mark, style = MARKS[link.true]
        name = link.step.value[0] if zh else link.step.value[1]
        table.add_row(
            str(link.seq),
            iso(link.at)[11:-1],
            Text(name, style="dim" if link.step is Step.OTHER else "bold"),
            Text(link.zh if zh else link.en),
            Text(link.digest[:16], style="dim"),
            Text(mark, style=style),
        )
    out.print(table)
    missing = whole(links)
    if not missing:
        out.print("由报文至限位, 每一环都在账簿中" if zh else "every link from frame to switch is in the book")
    else:
        names = ", ".join(step.value[0] if zh else step.value[1] for step in missing)
        out.print(f"{'本次过闸没有' if zh else 'not in this passage'}: {names}", style="yellow", markup=False)


def export(path: Path, file: Path) -> Exit:
    """A bundle of all books of a site, for a third party. NOT_WELL when one is broken: it is bundled as it is."""
    site = _site(path)
    if site is None:
        raise Stop(f"{path}: expected a site file; its keys go with the books", Exit.WRONG)
    if file.exists():
        raise Stop(f"{file} exists; evidence is never written over", Exit.WRONG)
    kept = _kept(site)
    volumes = [
        bundle.Volume(lane=lane.id, path=site.book(lane.id), kept=kept.get(lane.id, ()))
        for lane in site.lanes
        if site.book(lane.id).exists()
    ]
    if not volumes:
        raise Stop(f"{site.data}: no book there", Exit.MISSING)
    public = anchor_public(site)
    proofs = [prove(each.path, lane=each.lane, public=public, kept=each.kept) for each in volumes]
    try:
        counts = bundle.write(file, volumes, site.keyring(), public)
    except (OSError, sqlite3.Error) as wrong:
        raise Stop(f"{file} cannot be written: {wrong}", Exit.MISSING) from None
    for volume, proof in zip(volumes, proofs, strict=True):
        for each in _said(proof):
            err.print(f"{volume.lane}: {each}", style="" if proof.well else "red", markup=False)
    line(f"{file}: {len(volumes)} books, {sum(counts.values())} entries; `python verify.py {file.name}` checks it")
    return Exit.WELL if all(proof.well for proof in proofs) else Exit.NOT_WELL


def _site(path: Path) -> Site | None:
    return open_site(path) if path.suffix == ".toml" else None


def _kept(site: Site | None) -> dict[str, list[SignedAnchor]]:
    if site is None:
        return {}
    try:
        return asyncio.run(kept_anchors(site))
    except RecordsDown as down:
        err.print(f"mind: the recorder's anchors cannot be asked for: {down}", style="yellow", markup=False)
        return {}


def _books(path: Path) -> list[Path]:
    if path.suffix == ".toml":
        path = open_site(path).data
    if path.is_dir():
        return sorted(path.rglob(BOOK))
    return [path] if path.is_file() else []
