"""`xray verify`: every kept scan against its name and against itself. `xray export`: one scan for others."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from drivers.readings import Instant
from edge.commands.site import open_site
from edge.commands.words import Exit, Stop, err, line
from edge.config import Site
from telemetry.faults import RecordsDown
from telemetry.payloads.review import ReviewBody
from telemetry.records import Records
from vision.xray.exchange import Judgement, Mark, Parcel, parcel
from vision.xray.layout import DamagedScan
from vision.xray.store import Archive, UnknownDigest

PAGE: Final = 500
"""Reviews looked through at a time, the newest first."""


class _Draft(msgspec.Struct, frozen=True):
    marks: list[Mark] = []


class _Record(msgspec.Struct, frozen=True):
    """What an export needs of the record beside a verdict (consoles/inspection/verdicts.py)."""

    taken_at: float
    judged_at: float
    draft: _Draft


def verify(folder: Path) -> Exit:
    """One line a file; NOT_WELL when one is not what its name says. Raises Stop where there is no archive."""
    if not folder.is_dir():
        raise Stop(f"{folder}: no archive there; name the folder that holds the scans", Exit.MISSING)
    well, count = True, 0
    for name, finding in Archive(folder).verify():
        count += 1
        well = well and finding is None
        line(f"{name}\t{'well' if finding is None else finding.why}")
    err.print(f"{count} files")
    return Exit.WELL if well else Exit.NOT_WELL


def export(digest: str, where: Path, out: Path, *, dicos: bool, tiff: bool) -> Exit:
    """Writes `<first 16 digits>-he.dcs`, `-le.dcs`, `-tdr.dcs`, `.tif` into `out`. Raises Stop; replaces nothing."""
    if not (dicos or tiff):
        raise Stop("name a form: --dicos, --tiff, or both", Exit.WRONG)
    site = open_site(where) if where.suffix == ".toml" else None
    folder = where if site is None else site.scans
    if not folder.is_dir():
        raise Stop(f"{folder}: no archive there; name the folder that holds the scans, or the site file", Exit.MISSING)
    try:
        with Archive(folder).open(digest) as kept:
            given = parcel(kept)
    except UnknownDigest as unknown:
        raise Stop(str(unknown), Exit.MISSING) from None
    except DamagedScan as damaged:
        raise Stop(f"{damaged}; `quaygate xray verify {folder}` tells about every file", Exit.NOT_WELL) from None
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, data in _files(given, site, dicos=dicos, tiff=tiff):
            path = out / name
            with path.open("xb") as file:
                file.write(data)
            line(f"{path}\t{len(data)} bytes")
    except FileExistsError as there:
        raise Stop(f"{there.filename} is there already; name another folder, or take it away", Exit.WRONG) from None
    except OSError as no:
        raise Stop(f"{out}: {no.strerror or no}", Exit.MISSING) from None
    return Exit.WELL


def _files(given: Parcel, site: Site | None, *, dicos: bool, tiff: bool) -> list[tuple[str, bytes]]:
    short, made = given.ref.digest[:16], list[tuple[str, bytes]]()
    if dicos:
        from vision.xray.dicos import dx, tdr

        made += [(f"{short}-{energy.value}.dcs", dx(given, energy)) for energy in given.energies]
        said = None if site is None else asyncio.run(_judgement(site, given.ref.digest))
        if said is not None:
            made.append((f"{short}-tdr.dcs", tdr(given, said)))
        else:
            err.print(
                "no verdict is exported: " + ("name the site file to look it up" if site is None else "none holds")
            )
    if tiff:
        from vision.xray.tiff import tiff as page

        made.append((f"{short}.tif", page(given)))
    return made


async def _judgement(site: Site, digest: str) -> Judgement | None:
    """The word that holds, out of the records; None where nobody has said one. Raises Stop."""
    records = Records(site.records.url_in(site.data))
    try:
        await records.open()
        before: float | None = None
        while rows := await records.recent("review", limit=PAGE, before=before):
            for row in rows:
                body = msgspec.json.decode(row.body, type=ReviewBody)
                if body.scan == digest:
                    return judgement(body)
            before = rows[-1].at
    except RecordsDown as down:
        raise Stop(f"the records cannot be asked for the verdict: {down}", Exit.MISSING) from None
    finally:
        await records.close()
    return None


def judgement(body: ReviewBody) -> Judgement:
    """Of a recorded review. Raises msgspec.MsgspecError for a record that is none."""
    record = msgspec.json.decode(body.record, type=_Record)
    return Judgement(
        finding=body.finding,
        began=Instant(record.taken_at),
        at=Instant(record.judged_at),
        persons=tuple(body.persons),
        marks=tuple(record.draft.marks),
    )
