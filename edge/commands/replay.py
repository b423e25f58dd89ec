"""`replay`: one passage again, from the black box's bytes to the decision."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from drivers.link.tape import SUFFIX, Record, began_at, records
from drivers.readings import Garbage, Instant
from edge.clock import iso
from edge.commands.words import Exit, Stop, err, line, out
from edge.config import Site
from edge.lane.black_box import FOLDER
from edge.lane.rerun import Rerun, rerun
from gateway_ctl.book import Entry, entries
from gateway_ctl.picture import digest

WARM_S = 900.0
"""Site seconds of tape before the passage: the empty deck's zero and the drift that the watch remembers are younger."""


def replay(passage: str, site: Site, *, from_start: bool, as_json: bool) -> Exit:
    """Tells every decision of the passage, then and now. NOT_WELL at the first difference."""
    lane_id, told = _found(passage, site)
    opened = next(entry.at for entry in told if entry.kind == "opened")
    closed = next((entry.at for entry in told if entry.kind == "closed"), None)
    book = list(entries(site.book(lane_id)))
    tapes = _tapes(site.book(lane_id).parent / FOLDER, _begin(book, opened, from_start=from_start), closed)
    if not tapes:
        raise Stop(f"{passage}: the black box of {lane_id} has no tape of that time; it keeps what [black_box] says",
                   Exit.MISSING)  # fmt: skip
    known = _sums(book)
    altered = [path.name for path in tapes if path.name in known and known[path.name] != _sha256(path)]
    runs = asyncio.run(rerun(site, lane_id, _records(tapes, closed)))
    mine = [each for each in runs if each.thought.picture.passage == passage]
    unbooked = _unbooked(mine, told)
    if as_json:
        said = {"passage": passage, "lane": lane_id, "tapes": [path.name for path in tapes], "altered": altered}
        line(msgspec.json.encode({**said, "not_in_book": unbooked, "decisions": mine}).decode())
    else:
        _tell(passage, lane_id, tapes, mine)
        for name in altered:
            err.print(f"{name}: not the bytes whose SHA-256 is in the book", style="bold red", markup=False)
        for at in unbooked:
            err.print(f"{iso(at)}: the tape's picture is not the one in the book", style="bold red", markup=False)
    if not mine and any(entry.kind in ("decision", "refusal") for entry in told):
        raise Stop(f"{passage}: no decision of it is on the tape", Exit.MISSING)
    well = all(each.same for each in mine) and not altered and not unbooked
    return Exit.WELL if well else Exit.NOT_WELL


def _found(passage: str, site: Site) -> tuple[str, list[Entry]]:
    for lane in site.lanes:
        path = site.book(lane.id)
        if path.is_file():
            told = [entry for entry in entries(path) if entry.passage == passage]
            if any(entry.kind == "opened" for entry in told):
                return lane.id, told
    raise Stop(f"{passage}: no book of this site knows that passage", Exit.MISSING)


def _begin(book: Iterable[Entry], opened: Instant, *, from_start: bool) -> float:
    """Where the tape must begin: with the process, or a while before the passage."""
    started = max((entry.at for entry in book if entry.kind == "started" and entry.at <= opened), default=opened)
    return started if from_start else max(started, opened - WARM_S)


def _tapes(folder: Path, begin: float, closed: Instant | None) -> list[Path]:
    """The files from the one in which `begin` lies to the end of the passage."""
    dated = [(at, path) for path in sorted(folder.glob(f"*{SUFFIX}")) if (at := began_at(path)) is not None]
    first = max((at for at, _ in dated if at <= begin), default=0.0)
    return [path for at, path in dated if at >= first and (closed is None or at <= closed)]


def _records(tapes: Iterable[Path], closed: Instant | None) -> Iterator[Record]:
    for path in tapes:
        for each in records(path):
            if isinstance(each, Garbage):
                err.print(f"{path.name}: {each.why}", style="yellow", markup=False)
            elif closed is None or each.at <= closed:
                yield each


def _sums(book: Iterable[Entry]) -> dict[str, str]:
    return {said["file"]: said["sha256"] for entry in book if entry.kind == "tape" for said in (entry.plain(),)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unbooked(runs: Iterable[Rerun], told: Iterable[Entry]) -> list[Instant]:
    """When a decision's recorded picture is none that the book has a digest of."""
    kept = {mark for entry in told if entry.kind in ("decision", "refusal") for mark in _marks(entry)}
    return [each.thought.at for each in runs if digest(each.thought.picture) not in kept]


def _marks(entry: Entry) -> Iterator[str]:
    said = entry.plain()
    if entry.kind == "refusal":
        yield str(said.get("picture"))
    else:
        yield str(said["permit"]["picture"])


def _tell(passage: str, lane_id: str, tapes: list[Path], runs: list[Rerun]) -> None:
    out.print(f"{passage} on {lane_id}, from {', '.join(path.name for path in tapes)}", markup=False)
    for each in runs:
        thought = each.thought
        was = f"permit to {thought.permit.movement.value}" if thought.permit else " ".join(thought.reasons or ())
        if each.same:
            out.print(f"  {iso(thought.at)}  same     {was}", style="green", markup=False)
            continue
        out.print(f"  {iso(thought.at)}  DIFFERS  {was}", style="bold red", markup=False)
        for other in each.differences:
            out.print(f"      {other.word}: then {other.then}, again {other.again}", style="red", markup=False)
    same = sum(each.same for each in runs)
    out.print(f"{same} of {len(runs)} decisions fall again as they fell", markup=False)
