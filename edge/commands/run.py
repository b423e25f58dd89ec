"""`up` and `run`: the processes of a site, all of them or one."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from edge.clock import SiteClock
from edge.commands.words import Exit, Stop, log_to_stderr
from edge.config import Site, SiteFileWrong

Agent = Callable[[], Coroutine[object, object, object]]

_log = logging.getLogger(__name__)


def run_to_signal(main: Agent) -> None:
    """Runs until it ends, or until SIGTERM or Ctrl-C cancels it; being cancelled so is ending well."""

    async def life() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await main()

    if sys.platform == "win32":
        asyncio.run(life())
    else:
        import uvloop

        uvloop.run(life())


def up(site: Site, site_file: Path, only: Sequence[str]) -> None:
    """Keeps all processes of the site running, or those named, until SIGTERM or Ctrl-C."""
    from edge.roster import services
    from edge.supervisor import Supervisor
    from telemetry.faults import BrokerFailed

    log_to_stderr()
    clock = SiteClock()
    try:
        site.data.mkdir(parents=True, exist_ok=True)
        listed = services(site, site_file, clock, only)
    except LookupError as stranger:
        raise Stop(str(stranger.args[0]), Exit.WRONG) from None
    except (OSError, BrokerFailed) as missing:
        raise Stop(str(missing), Exit.MISSING) from None
    _log.info("site %s: %s", site.id, ", ".join(service.name for service in listed))
    if "console" in {service.name for service in listed}:
        _log.info("consoles at http://%s:%d", site.console.host, site.console.port)
    run_to_signal(Supervisor(listed, clock).run)


def run(site: Site, name: str) -> None:
    """One agent in this process: `lane/L01`, `xray/X01`, `tracker` or `recorder`."""
    log_to_stderr()
    agent = _agent(site, name)
    site.data.mkdir(parents=True, exist_ok=True)
    try:
        run_to_signal(agent)
    except SiteFileWrong as wrong:
        raise Stop(str(wrong), Exit.WRONG) from None


def _agent(site: Site, name: str) -> Agent:
    from edge.roster import names

    if name not in names(site):
        raise Stop(f"no process {name!r} at this site; there are {', '.join(names(site))}", Exit.WRONG)
    clock = SiteClock(speed=site.about.clock.speed, origin=site.about.clock.origin)
    kind, _, own_id = name.partition("/")
    if kind == "lane":
        from edge.agents import lane

        return lambda: lane.run(site, own_id, clock)
    if kind == "xray":
        from edge.agents import xray

        return lambda: xray.run(site, own_id, clock)
    if kind == "tracker":
        from edge.agents import tracker

        return lambda: tracker.run(site, clock)
    if kind == "recorder":
        from edge.agents import recorder

        return lambda: recorder.run(site, clock)
    raise Stop(f"{name} is a program of its own: `quaygate up SITE.toml --only {name}` runs it", Exit.WRONG)
