"""`demo`: a simulated port beside the real processes, to look at or to be judged."""

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

from rich.panel import Panel
from rich.text import Text

from edge.clock import SiteClock
from edge.commands.run import run_to_signal
from edge.commands.words import Exit, Stop, err, log_to_file, log_to_stderr, out
from edge.config import load
from edge.day import run_day
from edge.demo import (
    Day,
    Ports,
    SimulatorFailed,
    demo_persons,
    demo_text,
    free_port,
    gate_ports,
    simulated_port,
    write_site,
)
from edge.demo_scanner import scanner_table, simulated_scanner
from edge.roster import services
from edge.supervisor import Supervisor
from telemetry.faults import BrokerFailed

CONSOLE_PORT, BROKER_PORT = 8080, 1883
"""Where people look first; a free one is taken when somebody sits there."""
LOG = "demo.log"
SHOWN = 20
"""Disagreements that are printed; the report holds all."""


def headless(day: Day, report: Path | None, data: Path | None) -> Exit:
    """Lives one day, judges it, writes the report. NOT_WELL when the witnesses disagree or the day does not end."""
    log_to_stderr()
    logging.getLogger("quaygate.child").setLevel(logging.WARNING)
    passing = data is None
    folder = Path(tempfile.mkdtemp(prefix="quaygate-")) if data is None else _fresh(data)
    try:
        told = asyncio.run(run_day(day, folder))
    except (SimulatorFailed, BrokerFailed) as failed:
        told = {"verdict": "not ok", "disagreements": [{"what": "the day did not end", "say": str(failed)}]}
    told = {"seed": day.seed, "speed": day.speed, "lanes": day.lanes, **told}
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _print(told)
    well = told["verdict"] == "ok"
    if passing and well:
        shutil.rmtree(folder)
    else:
        err.print(f"site file, books, records and the simulator's truth are in {folder}", markup=False)
    return Exit.WELL if well else Exit.NOT_WELL


def _fresh(data: Path) -> Path:
    if data.exists() and any(data.iterdir()):
        raise Stop(f"{data} is not empty; a day is judged from an empty folder", Exit.WRONG)
    data.mkdir(parents=True, exist_ok=True)
    return data


def _print(told: Mapping[str, Any]) -> None:
    counts = told.get("counts")
    if counts:
        out.print(
            f"{counts['trucks']} trucks, {counts['passages']} passages ({_sums(counts['outcomes'])}), "
            f"{counts['faults']} with something wrong",
            markup=False,
        )
        out.print(
            f"{counts['movements_with_permit']} of {counts['movements']} boom movements with a permit in the book; "
            f"worst weight {counts['worst_weight_divisions']} divisions off",
            markup=False,
        )
    for row in told["disagreements"][:SHOWN]:
        place = " ".join(str(row[key]) for key in ("lane", "truck", "passage") if row.get(key))
        out.print(f"  {row['what']}: {place}: {row['say']}", style="red", markup=False)
    if len(told["disagreements"]) > SHOWN:
        out.print(f"  and {len(told['disagreements']) - SHOWN} more")
    out.print(f"verdict: {told['verdict']}", style="green" if told["verdict"] == "ok" else "red")


def _sums(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def live(day: Day, data: Path, console_port: int) -> None:
    """The port with its consoles, until Ctrl-C."""
    data.mkdir(parents=True, exist_ok=True)
    log_to_file(data / LOG)
    ports = Ports(
        broker=free_port(wanted=BROKER_PORT),
        console=free_port(wanted=console_port or CONSOLE_PORT),
        trackers=free_port(kind=SOCK_DGRAM),
        lines=free_port(kind=SOCK_DGRAM) if day.scanner else 0,
        gates=gate_ports(day),
    )
    try:
        run_to_signal(lambda: _live(day, data.resolve(), ports))
    except* (SimulatorFailed, BrokerFailed, OSError) as failed:
        raise Stop("; ".join(str(each) for each in failed.exceptions), Exit.MISSING) from None


async def _live(day: Day, data: Path, ports: Ports) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(simulated_port(day, data, ports))
        table, scans = None, None
        if day.scanner:
            scanner = simulated_scanner(ports.lines, port.ready["clock"], day.seed, port.coming)
            ready, scans = await stack.enter_async_context(scanner)
            table = scanner_table(ready, ports.lines)
        persons, pins = await asyncio.to_thread(demo_persons, day)
        text = demo_text(day, port.ready, persons, ports, data, table)
        site_file = await asyncio.to_thread(write_site, data, text)
        site = await asyncio.to_thread(load, site_file)
        clock = SiteClock()
        supervisor = Supervisor(services(site, site_file, clock), clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.run())
            await supervisor.wait_ready("console")
            err.print(_welcome(site_file, ports, pins))
            port.say(go=True)
            if scans is not None:
                group.create_task(scans())
            await asyncio.shield(port.done)


def _welcome(site_file: Path, ports: Ports, pins: Mapping[str, str]) -> Panel:
    rows = [
        Text.assemble(("pages    ", "dim"), (f"http://127.0.0.1:{ports.console}", "bold cyan")),
        *(Text.assemble(("PIN      ", "dim"), (f"{person:<10}", ""), (pin, "bold")) for person, pin in pins.items()),
        Text.assemble(("log      ", "dim"), (str(site_file.with_name(LOG)), "")),
        Text.assemble(("watch    ", "dim"), (f"quaygate watch {site_file}", "")),
        Text.assemble(("end      ", "dim"), ("Ctrl-C", "")),
    ]
    return Panel(Text("\n").join(rows), title="Quaygate demo: a simulated port", expand=False)
