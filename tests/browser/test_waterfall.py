"""A truck passes a scanner, and its picture is on an inspector's screen before it has passed."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser import readers
from tests.browser.readers import Room, sit, take, until
from tests.browser.stage import ConsoleProcess
from tests.edge.test_xray_agent import stage
from vision.xray.store import Archive

pytestmark = pytest.mark.real
TRUCK_MM_S = 600.0
"""Slow, so that a slow browser still sees it pass."""
PASSED_WITHIN_MS = 60_000.0


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_picture_is_on_the_screen_while_the_truck_passes(
    tmp_path: Path, browser: Browser, console: ConsoleProcess
) -> None:
    """`console`: has the pages built."""
    (tmp_path / "review").mkdir()
    async with stage(tmp_path, truck_mm_s=TRUCK_MM_S) as scene:
        room = Room.furnished(tmp_path / "review", scene.site.broker, scene.site.scans)
        await room.console.start()
        context = await browser.new_context(viewport=readers.SIZE, device_scale_factor=0.5)
        page = await context.new_page()
        try:
            await sit(page, room, "wang.fang")
            await scene.until(lambda heard: any(now.ready for now in heard.now))
            scene.tell(scan={"chapter": "39", "plate": "粤B12345", "containers": ["CSQU3054383"]})
            await page.get_by_role("button", name="看实时").click(timeout=readers.STATE_DEADLINE_S * 1000)
            await until(page, "Number(document.querySelector('#waterfall')?.dataset.rows) > 100")
            assert list(Archive(scene.site.scans).digests()) == [], "the truck is still passing"
            early = int(await page.locator("#waterfall").get_attribute("data-rows") or 0)
            await until(page, f"Number(document.querySelector('#waterfall').dataset.rows) > {early + 100}")
            await expect(page.locator("#waterfall")).to_have_attribute("data-state", "end", timeout=PASSED_WITHIN_MS)
            late = int(await page.locator("#waterfall").get_attribute("data-rows") or 0)
            await expect(page.locator("#waiting")).to_have_text("1", timeout=readers.STATE_DEADLINE_S * 1000)
            await take(page)
            # Whole steps of four rows came; the picture itself has them all.
            assert 0 <= await page.evaluate("reviewing.task.card.rows") - late < 4
            await expect(page.locator("#containers")).to_have_text("CSQU3054383")
        finally:
            await context.close()
            room.console.kill()
