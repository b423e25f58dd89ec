"""Pictures of the pages in several states: `python -m tests.browser.shots FOLDER`. For eyes, and for the README."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from telemetry.payloads.lane import Text
from tests.browser.conftest import FLAGS, free_port
from tests.browser.feeder import Feeder
from tests.browser.stage import LANES, SITE, ConsoleProcess, keys, write_past, write_site

SIZES = {"": (1280, 800), "-small": (1024, 768)}


async def lane(page: Page, feeder: Feeder, url: str, folder: Path) -> None:
    await page.goto(f"{url}/lane/L01")
    await page.wait_for_selector("#gross")
    for scene in ("idle", "weighing", "refused", "held", "opened", "fault", "local"):
        feeder.scene["L01"] = scene
        await page.wait_for_timeout(900)
        for language in ("zh", "en"):
            await page.screenshot(path=folder / f"lane-{scene}-{language}.png")
            await page.keyboard.press("e")
    await page.set_viewport_size({"width": 1024, "height": 768})
    for scene in ("refused", "opened"):
        feeder.scene["L01"] = scene
        await page.wait_for_timeout(900)
        for language in ("zh", "en"):
            await page.screenshot(path=folder / f"lane-{scene}-{language}-small.png")
            await page.keyboard.press("e")
    await page.set_viewport_size({"width": 1280, "height": 800})
    feeder.scene["L01"] = "held"
    await page.click("#theme")
    await page.wait_for_timeout(700)
    await page.screenshot(path=folder / "lane-held-night.png")
    await page.click("#theme")
    await page.hover("#release")
    await page.mouse.down()
    await page.wait_for_selector("dialog[open]")
    await page.mouse.up()
    await page.screenshot(path=folder / "lane-order-zh.png")
    feeder.accept = False
    await page.click("text=人工核对单证相符")
    await page.click("text=李伟")
    for digit in "4711":
        await page.click(f".pad button:text-is('{digit}')")
    await page.click("#sign")
    await page.wait_for_selector("#outcome li")
    await page.screenshot(path=folder / "lane-order-refused-zh.png")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await page.hover("#lower")
    await page.mouse.down()
    await page.wait_for_selector("dialog[open]")
    await page.mouse.up()
    await page.screenshot(path=folder / "lane-order-en.png")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    feeder.scene["L01"] = "refused"
    await page.wait_for_timeout(800)
    feeder.quiet = {"L01"}
    await page.wait_for_selector(".stale-note")
    await page.screenshot(path=folder / "lane-stale-zh.png")
    feeder.quiet = set()


async def room(page: Page, feeder: Feeder, url: str, folder: Path) -> None:
    await page.set_viewport_size({"width": 1920, "height": 1080})
    feeder.scene = {"L01": "refused", "L02": "opened", "L03": "idle"}
    await page.goto(f"{url}/room")
    await page.wait_for_selector("#health tbody tr")
    feeder.refusal("L01")
    feeder.by_hand("L02")
    feeder.crossing("T02")
    feeder.alarm("L02", "io:boom", Text("道闸落杆超时,车在杆下", "Boom did not come down, truck under it"), priority=1)
    feeder.alarm("L01", "wb:zero", Text("空磅不在零点", "The empty deck is off zero"), priority=2)
    feeder.alarm("L03", "ocr:link", Text("镜头脏污", "Camera's lens is dirty"), priority=3)
    feeder.alarm("L03", "ocr:link", Text("镜头脏污", "Camera's lens is dirty"), priority=3, active=False)
    await page.wait_for_timeout(6000)
    for language in ("zh", "en"):
        await page.screenshot(path=folder / f"room-{language}.png")
        await page.keyboard.press("e")
    feeder.scene["L02"] = "fault"
    feeder.quiet = {"L03"}
    await page.wait_for_timeout(4500)
    await page.screenshot(path=folder / "room-fault-zh.png")


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        broker = BrokerConfig(port=free_port())
        async with (
            EmbeddedBroker(broker, Path(scratch) / "broker"),
            Feeder(broker, SITE, LANES, keys()[1]) as feeder,
            async_playwright() as playwright,
        ):
            console = ConsoleProcess(write_site(Path(scratch), broker))
            await write_past(console.site.parent / "data", feeder.clock.now())
            await console.start()
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            try:
                page = await browser.new_page(viewport={"width": 1280, "height": 800})
                page.on("pageerror", lambda error: print("page:", error))
                page.on("console", lambda said: print("console:", said.text) if said.type == "error" else None)
                await page.goto(console.url)
                await page.wait_for_selector("nav li")
                await page.screenshot(path=folder / "index.png")
                await lane(page, feeder, console.url, folder)
                await room(page, feeder, console.url, folder)
                console.kill()
                await page.wait_for_selector(".stale-note")
                await page.screenshot(path=folder / "room-dead-zh.png")
            finally:
                await browser.close()
                console.kill()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
