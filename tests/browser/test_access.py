"""Whether everybody can use the pages: axe-core's judgement in both languages and themes; no road to the outside."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.axe import faults
from tests.browser.feeder import Feeder
from tests.browser.stage import ConsoleProcess

pytestmark = pytest.mark.real
Judge = Callable[[], Awaitable[list[str]]]


@pytest.fixture
def judge(page: Page) -> Judge:
    """Asks axe-core about the page as it stands."""
    return partial(faults, page)


@pytest.mark.parametrize("scene", ["idle", "refused", "opened", "fault"])
async def test_lane(page: Page, console: ConsoleProcess, feeder: Feeder, judge: Judge, scene: str) -> None:
    feeder.scene["L01"] = scene
    await page.goto(f"{console.url}/lane/L01")
    await expect(page.locator("#freshness.fresh")).to_be_visible()
    assert await judge() == []
    await page.locator("#theme").click()
    await page.locator("#language").click()
    assert await judge() == []


async def test_stale_lane_and_the_question(page: Page, console: ConsoleProcess, feeder: Feeder, judge: Judge) -> None:
    feeder.scene["L01"] = "refused"
    await page.goto(f"{console.url}/lane/L01")
    await page.locator("#release").focus()
    await page.keyboard.down("Enter")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await page.keyboard.up("Enter")
    assert await judge() == []
    await page.keyboard.press("Escape")
    feeder.quiet = {"L01"}
    await expect(page.locator(".stale-note")).to_be_visible()
    assert await judge() == []


async def test_room_and_index(page: Page, console: ConsoleProcess, feeder: Feeder, judge: Judge) -> None:
    feeder.scene = {"L01": "refused", "L02": "fault", "L03": "opened"}
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{console.url}/room")
    feeder.refusal("L01")
    await expect(page.locator("#events tr").first).to_be_visible()
    assert await judge() == []
    await page.keyboard.press("e")
    assert await judge() == []
    await page.goto(console.url)
    await expect(page.locator("nav li").first).to_be_visible()
    assert await judge() == []


async def test_nothing_comes_from_outside(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    for path in ("/", "/lane/L01", "/room"):
        await page.goto(console.url + path)
        await expect(page.locator("main")).to_be_visible()
    assert asked
    assert not [url for url in asked if not url.startswith((console.url, console.url.replace("http", "ws")))]
    other = await page.context.new_page()  # a browser reports what the policy forbids as an error of the page
    await other.goto(console.url)
    reason = """new Promise(said => {
        document.addEventListener('securitypolicyviolation', e => said(e.effectiveDirective));
        fetch('http://127.0.0.2:9/').catch(() => 0);
    })"""
    assert await other.evaluate(reason) == "connect-src"


async def test_less_motion_when_asked(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await page.emulate_media(reduced_motion="reduce")
    feeder.scene["L01"] = "held"
    await page.goto(f"{console.url}/lane/L01")
    await expect(page.locator("#release")).to_be_enabled()
    await page.locator("#release").hover()
    await page.mouse.down()
    moving = await page.evaluate("document.getAnimations().length")
    await page.mouse.up()
    assert moving == 0
