"""All lines of one passage, from dark to empty tunnel -> a scan in memory: the scanner's own chain in one call. Pure.

For a stand of test objects, a replay, a bench; a port's scans come by edge/scanning.py, line by line.
"""

from collections.abc import Sequence

import numpy as np

from drivers.readings import Instant
from vision.xray.scan import Dual, Energy, Geometry, Line, Noise, Scan, ScanHead, Subject
from vision.xray.stream import Block, Corrector
from vision.xray.tiles import fit_noise
from vision.xray.tunnel import Began, Ended, Event, More, Refused, Settings, Tunnel


class NoScan(Exception):
    """The lines hold no passage that a picture could be made of."""


def scan_of(
    lines: Sequence[Line],
    geometry: Geometry,
    energies_mev: Dual[float],
    *,
    clear: tuple[int, int],
    scanner: str = "stand",
    site: str = "",
) -> Scan:
    """The first passage in these lines. Raises NoScan: no calibration before it, nothing in the beam, torn."""
    settings = Settings(
        pixels=geometry.pixels, dual=energies_mev.le > 0, clear=clear, after_lines=160, calibration_age_s=3600.0
    )
    events = Tunnel(settings).take(lines)
    refused = [event.why for event in events if isinstance(event, Refused)]
    began = next((event for event in events if isinstance(event, Began)), None)
    ended = next((event for event in events if isinstance(event, Ended)), None)
    if began is None or ended is None or ended.torn:
        why = ended.torn if ended is not None else "it does not end in an empty tunnel"
        raise NoScan(refused[0] if refused else why if began is not None else "nothing stood in the beam")
    head = ScanHead(
        scanner=scanner,
        site=site,
        started=began.at,
        energies_mev=energies_mev,
        geometry=geometry,
        calibration=began.calibration,
    )
    corrector = Corrector(geometry, began.calibration, dual=settings.dual)
    blocks = [block for event in _scanned(events) if (block := corrector.take(event.lines)) is not None]
    if (rest := corrector.finish()) is not None:
        blocks.append(rest)
    return _joined(head, ended.at, blocks, corrector)


def _scanned(events: Sequence[Event]) -> list[More]:
    """The lines of the first scan, in blocks as a detector would give them."""
    found: list[More] = []
    for event in events:
        if isinstance(event, More):
            found += [More(event.lines[first : first + 128]) for first in range(0, len(event.lines), 128)]
        elif isinstance(event, Ended):
            break
    return found


def _joined(head: ScanHead, ended: Instant, blocks: Sequence[Block], corrector: Corrector) -> Scan:
    picture = [np.concatenate([block.picture.of(energy) for block in blocks]) for energy in Energy]
    raw = [np.concatenate([block.raw.of(energy) for block in blocks]) for energy in Energy]
    noise: list[Noise] = [fit_noise(image.T) for image in picture]
    return Scan(
        head=head,
        ended=ended,
        subject=Subject(),
        raw=Dual(raw[0], raw[1]),
        table=np.concatenate([block.table for block in blocks]),
        picture=Dual(picture[0], picture[1]),
        row_line=np.concatenate([block.row_line for block in blocks]),
        remarks=tuple(corrector.remarks()),
        noise=Dual(noise[0], noise[1]),
    )
