"""The control room's page in a real browser, on a real broker."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from telemetry.payloads.lane import Text
from tests.browser.feeder import Feeder
from tests.browser.stage import LANES, ConsoleProcess, write_past

pytestmark = pytest.mark.real
DIRTY = Text("镜头脏污", "The lens is dirty")


async def open_room(page: Page, console: ConsoleProcess) -> None:
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{console.url}/room")
    await expect(page.locator("#health tbody tr").first).to_be_visible()


async def test_lanes_devices_and_trackers(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    feeder.scene = {"L01": "refused", "L02": "opened", "L03": "idle"}
    await open_room(page, console)
    await expect(page.locator(".tile")).to_have_count(len(LANES))
    await expect(page.locator("#tile-L01")).to_contain_text("闭锁拒绝")
    await expect(page.locator("#tile-L01")).to_contain_text("沪A·D3F88")
    await expect(page.locator("#tile-L01")).to_contain_text("40,580 kg")
    await expect(page.locator("#tile-L01")).to_contain_text("车辆未完全上磅 +2")
    await expect(page.locator("#tile-L02 .boom")).to_have_attribute("data-boom", "up")
    await expect(page.locator("#tile-L03.calm")).to_contain_text("空闲")
    await expect(page.locator("#devices")).to_have_text("9/9")
    await expect(page.locator("[data-tracker]")).to_have_count(5)
    await expect(page.locator("#trackers li")).to_have_count(5)
    await expect(page.locator("#trackers")).to_contain_text("km/h")
    # Lost after a few fixes: hollow where it was last, and said in words.
    await expect(page.locator("[data-tracker=T05]")).to_have_attribute("data-sure", "false", timeout=10_000)
    await expect(page.locator("#trackers")).to_contain_text("定位丢失")
    await expect(page.locator("#map")).to_contain_text("查验库")
    await expect(page.locator("#health")).to_contain_text("连通")


async def test_zones_are_drawn_crossings_are_told_and_signs_stay_signs(
    page: Page, console: ConsoleProcess, feeder: Feeder
) -> None:
    await open_room(page, console)
    await expect(page.locator("polygon.fence")).to_have_count(2)
    await expect(page.locator("polyline.route")).to_have_count(1)
    await expect(page.locator("#map")).to_contain_text("保税区")
    feeder.crossing("T02")
    await expect(page.locator("#events tr").first).to_contain_text("T02 偏离路线 查验路线")
    await expect(page.locator("#events tr").first).to_contain_text("电子围栏")
    hint = page.locator("#trackers li", has_text="T03").locator(".hint")
    await expect(hint).to_contain_text("疑似干扰")
    await expect(hint).to_have_attribute("title", re.compile("dB-Hz"))
    await expect(page.locator("[data-tracker=T03]")).to_have_attribute("data-sure", "true")
    await page.keyboard.press("e")
    await expect(page.locator("#events tr").first).to_contain_text("T02 left its route Way to inspection")
    await expect(hint).to_contain_text("Jamming?")


async def test_an_order_by_hand_is_seen_at_once_and_counted(
    page: Page, console: ConsoleProcess, feeder: Feeder
) -> None:
    feeder.scene["L02"] = "awaited"
    await open_room(page, console)
    feeder.by_hand("L02")
    row = page.locator("#events tr").first
    await expect(row).to_contain_text("人工放行: 海关电话核对 (li.wei, chen.jing)")
    await expect(row).to_contain_text("L02")
    await expect(page.locator("#by-hand")).to_have_text("2")
    await page.keyboard.press("e")
    await expect(row).to_contain_text("Released by hand: Checked with customs by telephone (li.wei, chen.jing)")


async def test_a_silent_lane_is_void_alone(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, console)
    feeder.quiet = {"L02"}
    await expect(page.locator("#tile-L02")).to_contain_text("数据中断")
    await expect(page.locator("#tile-L01")).not_to_contain_text("数据中断")
    await expect(page.locator("#freshness.fresh")).to_be_visible()
    feeder.quiet = set()
    await expect(page.locator("#tile-L02")).not_to_contain_text("数据中断")


async def test_refusals_and_alarms_as_they_come(page: Page, mortal: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, mortal)
    await expect(page.locator("#rate")).to_have_text("0")
    feeder.refusal("L01")
    await expect(page.locator("#events tr").first).to_contain_text("指令上的车牌与本车不符")
    for n in range(3):
        feeder.alarm("L03", f"ocr:{n}", DIRTY, priority=3)
    await expect(page.locator("#rate")).to_have_text("3")
    await expect(page.locator(".figure.over")).to_have_count(1)
    await expect(page.locator("#alarms tr.active")).to_have_count(3)
    feeder.alarm("L03", "ocr:0", DIRTY, priority=3, active=False)
    await expect(page.locator("#alarms tr.returned")).to_contain_text("已恢复")
    await page.keyboard.press("e")
    await expect(page.locator("#alarms tr.returned")).to_contain_text("The lens is dirty")
    await expect(page.locator("#events")).to_contain_text("The truck is not wholly on the deck")
    # What was told before stays told to a page that comes later.
    await page.reload()
    await expect(page.locator("#events tr")).to_have_count(4)


async def test_a_broken_link_stands_first(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, console)
    feeder.scene["L02"] = "fault"
    # A review's server that another walk has killed may be offline on the same bus.
    first = page.locator("#health tbody tr").filter(has_not_text="review").first
    await expect(first).to_contain_text("断开")
    await expect(first).to_contain_text("L02")
    await expect(page.locator("#devices")).to_have_text("8/9")
    feeder.offline("L03")
    await expect(first).to_contain_text("离线")


async def test_what_an_instrument_needs_stands_beside_it(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, console)
    rows, care = page.locator("#health tbody tr"), page.locator("#health tr.care")
    await expect(care).to_have_count(len(LANES))
    await expect(rows.filter(has_text="L01").filter(has_text="wb")).to_contain_text("100 +12 ms")
    await expect(rows.filter(has_text="L01").filter(has_text="io")).to_contain_text("4.2 ms")
    await expect(page.locator("#health tr.about")).to_contain_text("无主机看门狗")
    await expect(care.nth(0)).to_contain_text("有效期至")
    await expect(care.nth(1)).to_contain_text("△ 零点 +24 kg, +3 千克/天: 清理秤台,检查传感器")
    await expect(care.nth(2).locator(".tag-bad")).to_contain_text("检定已过期")
    await page.keyboard.press("e")
    await expect(care.nth(2).locator(".tag-bad")).to_contain_text("Certificate ended")


async def test_a_dead_server_voids_the_room(page: Page, mortal: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, mortal)
    mortal.kill()
    await expect(page.locator("#freshness")).to_contain_text("服务器无应答")
    await expect(page.locator(".tile .void")).to_have_count(len(LANES))
    await mortal.start()
    await expect(page.locator("#freshness.fresh")).to_be_visible(timeout=15_000)
    await expect(page.locator(".tile .void")).to_have_count(0)


async def test_eight_tabs_are_no_trouble(page: Page, mortal: ConsoleProcess, feeder: Feeder) -> None:
    """Browsers allow six plain streams to one server; a socket a page knows no such wall."""
    others = [await page.context.new_page() for _ in range(7)]
    await asyncio.gather(*(tab.goto(f"{mortal.url}/lane/L01") for tab in others))
    await open_room(page, mortal)
    for tab in others:
        await expect(tab.locator("#freshness.fresh")).to_be_visible()
    answer = await page.request.get(f"{mortal.url}/api/health")
    assert (await answer.json())["pages"] == 8


async def test_trends_come_from_the_series(page: Page, mortal: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, mortal)
    await expect(page.locator(".trends .nothing")).to_have_count(3)
    await write_past(mortal.site.parent / "data", feeder.clock.now())
    await page.reload()
    await expect(page.locator(".trends canvas")).to_have_count(3)
    await expect(page.locator(".trends .nothing")).to_have_count(0)
    await expect(page.locator("#trend-seconds")).to_have_attribute("data-points", re.compile(r"[1-9]\d"))
    await page.get_by_role("button", name="L02", exact=True).click()
    await expect(page.locator("button[aria-pressed=true]")).to_have_text("L02")


async def test_a_tile_leads_to_its_lane(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_room(page, console)
    await page.locator("#tile-L03").click()
    await expect(page).to_have_url(f"{console.url}/lane/L03")
