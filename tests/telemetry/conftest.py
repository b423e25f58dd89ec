import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until(true: Callable[[], object], deadline_s: float = 15.0) -> None:
    """Wait for a condition; TimeoutError when it does not come."""
    async with asyncio.timeout(deadline_s):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    """A real nats-server from the wheel."""
    made = EmbeddedBroker(BrokerConfig(port=free_port()), tmp_path / "broker")
    await made.start()
    yield made
    await made.stop()
