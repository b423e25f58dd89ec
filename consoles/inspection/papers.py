"""What is known of a scan's truck: from the lane it stands in now, or from the records of its passage.

A lane's cameras drop their pictures into a folder of the lane (by FTP, as number-plate cameras do); a picture is of the
passage in whose time it came.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from consoles.clock import ConsoleClock
from consoles.inspection.desk import Arrived
from consoles.inspection.wire import Papers, ReadLine
from consoles.wire import PassageRow, ViewNow
from telemetry.payloads.lane import LineNow, Text, ViewBody

LOOK_BACK: Final = 200
"""Passages in which a truck that has left the lanes is looked for: the trucks of some hours."""
BEFORE_CEILING: Final = 5
SAME_TRIP_S: Final = 2 * 3600.0
"""Between a scan and its truck's way through a lane: the queue of a bad morning. The next trip comes later."""
EARLY_S: Final = 20.0
"""Site seconds before a passage opens in which a camera may have seen its truck already."""
PICTURES_CEILING: Final = 12
PICTURE_CAP: Final = 8 * 1024 * 1024
"""Bytes: a large camera's best JPEG is a third of it."""
_NAME: Final = re.compile(r"[^/\\\x00]{1,200}\.jpe?g", re.IGNORECASE)
_LANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class NoSuchPicture(LookupError):
    """No lane picture of that name."""


class Views(Protocol):
    """The newest views of the lanes."""

    def __call__(self) -> Mapping[str, ViewNow]: ...


class LanePictures:
    """The folders into which the lanes' cameras drop JPEGs: `<folder>/<lane>/*.jpg`. Blocks: call it from a thread."""

    def __init__(self, folder: Path, clock: ConsoleClock) -> None:
        """`folder` need not exist."""
        self._folder, self._clock = folder, clock

    def of(self, lane: str, opened_at: float, closed_at: float | None) -> list[str]:
        """Names of the pictures of a passage, the oldest first."""
        end = self._clock.now() if closed_at is None else closed_at
        found: list[tuple[float, str]] = []
        try:
            for path in (self._folder / lane).iterdir():
                at = self._site(path.stat().st_mtime)
                if _NAME.fullmatch(path.name) and opened_at - EARLY_S <= at <= end:
                    found.append((at, path.name))
        except OSError:
            return []
        return [name for _, name in sorted(found)[-PICTURES_CEILING:]]

    def read(self, lane: str, name: str) -> bytes:
        """Raises NoSuchPicture."""
        if not _LANE.fullmatch(lane) or not _NAME.fullmatch(name):
            raise NoSuchPicture(name)
        path = self._folder / lane / name
        try:
            with path.open("rb") as file:
                data = file.read(PICTURE_CAP + 1)
        except OSError as wrong:
            raise NoSuchPicture(f"{name}: {wrong}") from wrong
        if len(data) > PICTURE_CAP or not data.startswith(b"\xff\xd8"):
            raise NoSuchPicture(f"{name} is no JPEG, or larger than {PICTURE_CAP} bytes")
        return data

    def _site(self, wall: float) -> float:
        return self._clock.origin + (wall - self._clock.origin) * self._clock.speed


class PapersDesk:
    """Looks papers up."""

    def __init__(
        self, views: Views, passages: Callable[[int], Awaitable[list[PassageRow]]], pictures: LanePictures
    ) -> None:
        """`passages`: so many of the latest ones of the whole site; empty while the records are away."""
        self._views, self._passages, self.pictures = views, passages, pictures

    async def __call__(self, scan: Arrived) -> Papers:
        """As much as is known; what is not stays empty."""
        rows = await self._passages(LOOK_BACK)
        lane = self.lane_of(scan.passage) or self._lane_with(scan)
        here = next((row for row in rows if _is_of(scan, row)), None)
        plate = scan.plate or (here.plate if here is not None and here.plate else "")
        earlier = (row for row in rows if plate and row.plate == plate and row is not here)
        before = list(islice(earlier, BEFORE_CEILING))
        if lane is not None:
            view = self._views()[lane].body
            shots = await self._shots(scan, lane, view.opened_at or 0.0, None)
            return _of_view(scan, lane, view, before, shots)
        if here is not None:
            shots = await self._shots(scan, here.lane, here.opened_at, here.closed_at)
            return _papers(scan, here.lane, plate=here.plate, gross_kg=here.gross_kg, before=before, pictures=shots)
        return _papers(scan, None, before=before)

    def lane_of(self, passage: str) -> str | None:
        """The lane in which a passage goes on now."""
        return next((lane for lane, v in self._views().items() if passage and v.body.passage == passage), None)

    def _lane_with(self, scan: Arrived) -> str | None:
        """The lane in which the truck of a scan that was made before it came stands now, by its plate as read."""
        if scan.passage or not scan.plate:
            return None
        return next(
            (lane for lane, v in self._views().items()
             if any(read.what == "plate" and read.text == scan.plate for read in v.body.reads)),
            None,
        )  # fmt: skip

    async def _shots(self, scan: Arrived, lane: str, opened_at: float, closed_at: float | None) -> list[str]:
        names = await asyncio.to_thread(self.pictures.of, lane, opened_at, closed_at)
        return [f"/api/inspection/tasks/{scan.digest}/pictures/{lane}/{name}" for name in names]


def _is_of(scan: Arrived, row: PassageRow) -> bool:
    """Whether it is the passage of this scan: named by it, or of its plate on the same trip."""
    if scan.passage:
        return row.passage == scan.passage
    return bool(scan.plate) and row.plate == scan.plate and abs(row.opened_at - scan.started) < SAME_TRIP_S


def _of_view(scan: Arrived, lane: str, view: ViewBody, before: list[PassageRow], pictures: list[str]) -> Papers:
    order = view.order
    plate = next((read.text for read in view.reads if read.what == "plate"), None)
    return _papers(
        scan,
        lane,
        plate=plate,
        gross_kg=None if view.weight.settled_kg is None else float(view.weight.settled_kg),
        declared_kg=None if order is None or order.declared_kg is None else float(order.declared_kg),
        tolerance_kg=None if order is None or order.tolerance_kg is None else float(order.tolerance_kg),
        targeted=order.reason if order is not None and order.verb == "inspect" else None,
        reads=[ReadLine(what=read.what, text=read.text, confidence=read.confidence) for read in view.reads],
        containers=[read.text for read in view.reads if read.what == "container"],
        lines=view.lines,
        before=before,
        pictures=pictures,
    )


def _papers(
    scan: Arrived,
    lane: str | None,
    *,
    plate: str | None = None,
    gross_kg: float | None = None,
    declared_kg: float | None = None,
    tolerance_kg: float | None = None,
    targeted: Text | None = None,
    reads: list[ReadLine] | None = None,
    containers: list[str] | None = None,
    lines: list[LineNow] | None = None,
    before: list[PassageRow] | None = None,
    pictures: list[str] | None = None,
) -> Papers:
    return Papers(
        passage=scan.passage,
        lane=lane,
        plate=scan.plate or plate or "",
        containers=scan.containers or containers or [],
        goods="",
        hs="",
        declared_kg=declared_kg,
        tolerance_kg=tolerance_kg,
        gross_kg=gross_kg,
        image_kg=None,
        image_sigma_kg=None,
        targeted=targeted or (Text(scan.targeted, scan.targeted) if scan.targeted else None),
        reads=reads or [],
        lines=lines or [],
        before=before or [],
        pictures=pictures or [],
    )
