"""`python -m consoles SITE.toml [--host H] [--port P] [--speed S] [--origin T]`: the console process of a site."""

import argparse
import asyncio
import logging
import socket
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import pydantic

from consoles.clock import ConsoleClock
from consoles.config import ConsoleSite, load
from consoles.history import History, existing
from consoles.server import run
from telemetry.records import Records
from telemetry.series.engines import engine

BACKLOG = 100
"""Connections that may wait to be taken: every page of a site coming back at once after a restart."""


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m consoles", description="The web pages of a site.")
    parser.add_argument("site", type=Path, help="the site file")
    parser.add_argument("--host", help="instead of the site file's")
    parser.add_argument("--port", type=int, help="instead of the site file's; 0 takes any free one")
    parser.add_argument("--speed", type=float, help="site seconds per real second, for a simulated port")
    parser.add_argument("--origin", type=float, help="UTC seconds at which site time equals UTC, for a simulated port")
    return parser.parse_args(words)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def _serve(site: ConsoleSite, clock: ConsoleClock, listening: socket.socket) -> None:
    data = site.site.data
    history = History(
        site.site.id,
        lambda: engine(site.series, data, read_only=True),
        lambda: Records(existing(site.records.url_in(data))),
    )
    try:
        await run(site, clock, history, listening)
    finally:
        await history.close()


def main(words: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C. 2: the site file or the address cannot be used."""
    arguments = _arguments(words)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        site: ConsoleSite = load(arguments.site)
        clock = ConsoleClock(
            speed=arguments.speed or site.site.clock.speed,
            origin=site.site.clock.origin if arguments.origin is None else arguments.origin,
        )
        listening = _listen(
            arguments.host or site.console.host,
            site.console.port if arguments.port is None else arguments.port,
        )
    except (OSError, tomllib.TOMLDecodeError, pydantic.ValidationError, ValueError) as wrong:
        sys.stderr.write(f"{arguments.site}: {wrong}\n")
        return 2
    host, port = listening.getsockname()[:2]
    scheme = "http" if site.console.tls is None else "https"
    logging.getLogger("consoles").info("pages at %s://%s:%d/", scheme, f"[{host}]" if ":" in host else host, port)
    if scheme == "http" and not host.startswith("127.") and host != "::1":
        logging.getLogger("consoles").warning(
            "PINs cross the network in the clear: give [console] tls a cert and a key"
        )
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(site, clock, listening))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
