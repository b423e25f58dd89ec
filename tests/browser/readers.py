"""The review as its readers use it: a room with scans, seats taken by keys, and what is on the screen as numbers."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page, ViewportSize, expect

from telemetry.config import BrokerConfig
from tests.browser.scans import keep_small
from tests.browser.stage import PIN, ConsoleProcess, write_site

STATE_DEADLINE_S = 20.0
SIZE: ViewportSize = {"width": 1280, "height": 800}


@dataclass
class Room:
    """A console with an archive of its own."""

    folder: Path
    console: ConsoleProcess
    archive: Path

    @classmethod
    def furnished(cls, folder: Path, broker: BrokerConfig, archive: Path | None = None, /, **settings: float) -> "Room":
        """Not started yet. `archive`: somebody else's. `settings`: of the `[inspection]` table."""
        archive = archive or folder / "archive"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{name} = {value}" for name, value in {"second_share": 0.0, **settings}.items()]
        site = write_site(folder, broker, "\n".join(["[inspection]", f'archive = "{archive}"', *lines]))
        return cls(folder, ConsoleProcess(site), archive)

    def scan(self, seed: int = 1, **how: Any) -> str:
        """A small scan in the archive; its digest."""
        return keep_small(self.archive, seed=seed, **how).digest

    def mark(self) -> dict[str, tuple[str, int]]:
        """Every file of the archive: the digest of its bytes, and when it was written last."""
        files = [path for path in sorted(self.archive.rglob("*")) if path.is_file()]
        return {p.name: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}


async def sit(page: Page, room: Room, who: str, *, port: int | None = None) -> None:
    """Take a seat with keys alone; the desk is there on return. `port`: of a line between, where there is one."""
    await page.goto(f"http://127.0.0.1:{port or room.console.port}/inspection")
    await page.locator(f'input[name="person"][value="{who}"]').focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await expect(page.locator("#pin")).to_be_focused()
    await page.keyboard.type(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#who")).to_be_visible()


async def take(page: Page) -> None:
    """The next scan, by its key; all that is in view is there on return."""
    await expect(page.locator("#next")).to_be_enabled()
    await page.keyboard.press("n")
    await opened(page)


async def opened(page: Page) -> None:
    """The picture is on the screen in full, and has the keys."""
    await expect(page.locator("#picture")).to_be_focused()
    await expect(page.locator("#loaded")).to_have_attribute("data-whole", "true")


async def until(page: Page, true: str, *, within_s: float = STATE_DEADLINE_S) -> None:
    """Wait for a state of the page. (The page's policy forbids what wait_for_function does.)"""
    look = f"new Promise(said => {{ const look = () => ({true}) ? said(0) : setTimeout(look, 20); look(); }})"
    async with asyncio.timeout(within_s):
        await page.evaluate(look)


async def hold(page: Page, key: str) -> None:
    """Hold a verdict's key until it asks for the signature."""
    await page.keyboard.down(key)
    await expect(page.locator("dialog.signing[open]")).to_be_visible()
    await page.keyboard.up(key)


async def sign(page: Page) -> None:
    """Sign; the desk says that it is recorded on return."""
    await expect(page.locator("dialog #pin")).to_be_focused()
    await page.keyboard.type(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#recorded")).to_be_visible()


async def look_at_all(page: Page) -> None:
    """Walk over the picture as a reader does, by whole screens, until nothing is left unseen."""
    for key in ("9", "-", "-", "-"):
        await page.keyboard.press(key)
    for step in ("ArrowLeft", "ArrowUp"):
        for _ in range(4):
            await page.keyboard.press(f"Shift+{step}")
    way = "ArrowRight"
    for _ in range(8):
        for _ in range(6):
            if await stood(page):
                return
            before = await place(page)
            await page.keyboard.press(f"Shift+{way}")
            if await place(page) == before:
                break
        if await stood(page):
            return
        way = "ArrowLeft" if way == "ArrowRight" else "ArrowRight"
        await page.keyboard.press("Shift+ArrowDown")
    raise AssertionError(f"{await page.locator('#seen').text_content()} seen")


async def stood(page: Page) -> bool:
    """Stand still until what is on the screen counts as looked at; whether that was the last of it."""
    await opened(page)
    await until(page, "reviewing.looked")
    return bool(await page.evaluate("reviewing.allSeen.value"))


async def asked(page: Page, path: str, wish: object = None) -> Any:
    """What the server answers to this person, past the page. `wish`: to be posted as JSON."""
    how = (
        {}
        if wish is None
        else {"method": "POST", "headers": {"content-type": "application/json"}, "body": json.dumps(wish)}
    )
    return await page.evaluate("async ([path, how]) => (await fetch(path, how)).json()", [path, how])


async def place(page: Page) -> list[float]:
    """What is in the middle, and how large."""
    return await page.evaluate("(({x, y, zoom}) => [x, y, zoom])(reviewing.view.place)")


async def pixels(page: Page, where: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """What the page holds of these pixels: level, he, le."""
    return await page.evaluate("where => where.map(([x, y]) => reviewing.view.pixelAt(x, y))", where)


async def shade(page: Page) -> tuple[int, int, int]:
    """The colour on the screen of the pixel in the middle of the picture."""
    drawn = """new Promise(said => requestAnimationFrame(() => requestAnimationFrame(() => {
        const from = document.querySelector('#picture canvas'), to = document.createElement('canvas');
        to.width = to.height = 1;
        const paper = to.getContext('2d');
        paper.drawImage(from, -Math.floor(from.width / 2), -Math.floor(from.height / 2));
        said([...paper.getImageData(0, 0, 1, 1).data].slice(0, 3));
    })))"""
    red, green, blue = await page.evaluate(drawn)
    return red, green, blue


def number(text: str | None) -> float:
    """The value that the cursor's line ends in."""
    found = re.search(r"([\d.]+) 1/\d+$", (text or "").strip())
    assert found, text
    return float(found[1])
