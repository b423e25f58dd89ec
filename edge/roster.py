"""Who runs at a site: one table of processes, started by edge/supervisor.py or, in production, by systemd units."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.kinds import Clock
from edge.config import Site
from edge.supervisor import Service
from telemetry.broker import prepare, wait_ready
from telemetry.faults import BrokerFailed

PROBE_EVERY_S = 0.1
PROBE_WITHIN_S = 1.0
"""One connect to a port of this machine."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of process."""

    kind: str
    runs: str
    """A module for `python -m`; the broker is a program of its own."""
    needs: tuple[str, ...]
    """Kinds that should be ready first; a process survives without them."""
    names: Callable[[Site], Sequence[str]]
    """One process for each name; none when the site has no use for it."""


TABLE: tuple[Row, ...] = (
    Row("broker", "nats-server", (), lambda site: ["broker"] if site.broker.engine == "embedded" else []),
    Row("recorder", "edge", ("broker",), lambda _: ["recorder"]),
    Row("lane", "edge", (), lambda site: [f"lane/{lane.id}" for lane in site.lanes]),
    Row("xray", "edge", (), lambda site: [f"xray/{scanner.id}" for scanner in site.scanners]),
    Row("tracker", "edge", (), lambda site: ["tracker"] if site.trackers or site.seals else []),
    Row("console", "consoles", ("broker",), lambda _: ["console"]),
)


def names(site: Site) -> list[str]:
    """Every process of the site, in the table's order."""
    return [name for row in TABLE for name in row.names(site)]


def services(site: Site, site_file: Path, clock: Clock, only: Sequence[str] = ()) -> list[Service]:
    """The processes to keep running. `only`: some of `names`. `clock` runs at real speed.

    Writes the embedded broker's configuration. Raises LookupError for a name the site has not, OSError, BrokerFailed.
    """
    known = names(site)
    if strangers := [name for name in only if name not in known]:
        raise LookupError(f"no process {', '.join(strangers)} at this site; there are {', '.join(known)}")
    wanted = [name for name in known if not only or name in only]
    return [
        _service(row, name, _needs(row, site, wanted), site, site_file, clock)
        for row in TABLE
        for name in row.names(site)
        if name in wanted
    ]


def _needs(row: Row, site: Site, wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for other in TABLE if other.kind in row.needs for name in other.names(site) if name in wanted)


def _service(row: Row, name: str, needs: tuple[str, ...], site: Site, site_file: Path, clock: Clock) -> Service:
    if row.kind == "broker":
        argv = tuple(prepare(site.broker, site.data / "broker"))
        return Service(name=name, argv=argv, needs=needs, ready=lambda: _broker_ready(site))
    if row.kind == "console":
        argv = (sys.executable, "-m", row.runs, str(site_file))
        return Service(
            name=name, argv=argv, needs=needs, ready=lambda: _listening(site.console.host, site.console.port, clock)
        )
    return Service(name=name, argv=(sys.executable, "-m", row.runs, "run", name, str(site_file)), needs=needs)


async def _broker_ready(site: Site) -> None:
    try:
        await wait_ready(site.broker)
    except BrokerFailed as late:
        raise TimeoutError(str(late)) from late


async def _listening(host: str, port: int, clock: Clock) -> None:
    """Returns when something listens there."""
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with clock.timeout(PROBE_WITHIN_S):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                await writer.wait_closed()
                return
        await clock.sleep(PROBE_EVERY_S)
