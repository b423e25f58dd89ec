"""What is known of a scan's truck: from the lane it stands in now, or from the records of its passage."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from consoles.inspection.desk import Arrived
from consoles.inspection.wire import Papers, ReadLine
from consoles.wire import PassageRow, ViewNow
from telemetry.payloads.lane import Text, ViewBody

LOOK_BACK = 200
"""Passages in which a truck that has left the lanes is looked for: the trucks of some hours."""


class Views(Protocol):
    """The newest views of the lanes."""

    def __call__(self) -> Mapping[str, ViewNow]: ...


class PapersDesk:
    """Looks papers up."""

    def __init__(self, views: Views, passages: Callable[[int], Awaitable[list[PassageRow]]]) -> None:
        """`passages`: so many of the latest ones of the whole site; empty while the records are away."""
        self._views, self._passages = views, passages

    async def __call__(self, scan: Arrived) -> Papers:
        """As much as is known; what is not stays empty."""
        lane = self.lane_of(scan.passage)
        if lane is not None:
            return _of_view(scan, lane, self._views()[lane].body)
        if scan.passage:
            for row in await self._passages(LOOK_BACK):
                if row.passage == scan.passage:
                    return _papers(scan, row.lane, plate=row.plate, gross_kg=row.gross_kg)
        return _papers(scan, None)

    def lane_of(self, passage: str) -> str | None:
        """The lane in which a passage goes on now."""
        return next((lane for lane, v in self._views().items() if passage and v.body.passage == passage), None)


def _of_view(scan: Arrived, lane: str, view: ViewBody) -> Papers:
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
        pictures=[],
    )
