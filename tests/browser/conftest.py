"""One broker, one browser and one console serve all tests of a run; whoever wants to kill a console takes his own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from hatch_build import build_pages
from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from tests.browser.feeder import Feeder
from tests.browser.stage import LANES, ROOT, SITE, ConsoleProcess, keys, write_site

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader",
]  # fmt: skip
EXPECTED = (
    "status of 4",
    "ERR_CONNECTION",
    "ERR_SOCKET_NOT_CONNECTED",
    "ERR_EMPTY_RESPONSE",
    "ERR_CONTENT_LENGTH_MISMATCH",
    "WebSocket connection",
)
"""What a browser says of a server that was killed, and of a refusal."""

shared = pytest_asyncio.fixture(scope="session", loop_scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The shared fixtures live in one loop, so their tests must."""
    for item in items:
        if "browser" in item.path.parts and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@shared
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrokerConfig]:
    config = BrokerConfig(port=free_port())
    async with EmbeddedBroker(config, tmp_path_factory.mktemp("broker")):
        yield config


@shared
async def console(tmp_path_factory: pytest.TempPathFactory, broker: BrokerConfig) -> AsyncIterator[ConsoleProcess]:
    await asyncio.to_thread(build_pages, ROOT)  # a moment when nothing has changed
    process = ConsoleProcess(write_site(tmp_path_factory.mktemp("console"), broker))
    await process.start()
    yield process
    process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(tmp_path: Path, broker: BrokerConfig, console: ConsoleProcess) -> AsyncIterator[ConsoleProcess]:
    """A console of this test's own, which has heard nothing yet. (The shared one has the pages built.)"""
    process = ConsoleProcess(write_site(tmp_path, broker))
    await process.start()
    yield process
    process.kill()


@shared
async def speaking(broker: BrokerConfig) -> AsyncIterator[Feeder]:
    async with Feeder(broker, SITE, LANES, keys()[1]) as made:
        yield made


@pytest.fixture
def feeder(speaking: Feeder) -> Feeder:
    """All lanes there, idle and well."""
    speaking.reset()
    return speaking


@shared
async def browser(require: Callable[[str], Path]) -> AsyncIterator[Browser]:
    path = require("chromium")
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of a fresh profile, 1280x800; the test fails when the page said an error."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    made = await context.new_page()
    errors: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if said.type == "error" and not any(word in said.text for word in EXPECTED):
            errors.append(said.text)

    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", listen)
    yield made
    await context.close()
    assert errors == []
