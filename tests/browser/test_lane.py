"""The lane's page in a real browser, on a real broker."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from gateway_ctl.orders import Verb
from tests.browser.feeder import Feeder
from tests.browser.stage import LANES, PIN, ConsoleProcess

pytestmark = pytest.mark.real
CUT = """() => [...document.querySelectorAll('.panel, .banner, .facts div, .acts button, .bar')]
    .filter(e => e.scrollWidth > e.clientWidth + 1
        || (!e.matches('.decision, .reads') && e.scrollHeight > e.clientHeight + 1))
    .map(e => `${e.className}: ${e.scrollWidth}>${e.clientWidth} or ${e.scrollHeight}>${e.clientHeight}`)"""
AGE = re.compile(r"[\d.]+ (s|min|h)")


async def open_lane(page: Page, console: ConsoleProcess, feeder: Feeder, scene: str) -> None:
    feeder.scene["L01"] = scene
    feeder.view("L01")
    await page.goto(f"{console.url}/lane/L01")
    await expect(page.locator("#freshness.fresh")).to_be_visible()


async def age(page: Page) -> float:
    return float((await page.locator(".weight .age").inner_text()).split()[0])


async def grown(page: Page, above: float) -> None:
    async with asyncio.timeout(10):
        while await age(page) <= above:
            await asyncio.sleep(0.05)


async def hold(page: Page, selector: str, ms: float) -> None:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.wait_for_timeout(ms)
    await page.mouse.up()


async def fill_order(page: Page, pin: str) -> None:
    await page.get_by_text("海关电话同意").click()
    await page.get_by_text("李伟").click()
    for digit in pin:
        await page.locator(f".pad button:text-is('{digit}')").click()
    await page.locator("#sign").click()


async def test_shows_what_the_lane_says(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "refused")
    await expect(page.locator("#gross")).to_have_text("40,580 kg")
    await expect(page.locator("#settled")).to_have_text("40,580 ± 20")
    await expect(page.locator("#off")).to_have_text("✕ +3,580 kg +9.7%")
    await expect(page.locator("#decision")).to_contain_text("闭锁拒绝 REFUSED")
    await expect(page.locator(".why li")).to_have_count(3)
    await expect(page.locator(".why")).to_contain_text("请车辆前后移动到位")
    await expect(page.locator(".steps li")).to_have_count(8)
    await expect(page.locator(".steps li.fail")).to_contain_text("判定")
    await expect(page.locator("#order")).to_contain_text("customs-2026")
    await expect(page.locator(".reads tr")).to_have_count(3)
    await expect(page.locator(".reads")).to_contain_text("沪A·D3F88")
    await expect(page.locator(".reads")).to_contain_text("校验不符")
    for age in await page.locator(".reads .age").all_inner_texts():
        assert AGE.fullmatch(age)
    await expect(page.locator("#ground")).to_have_attribute("data-boom", "down")
    assert "后光幕: 占用" in (await page.locator("#ground").get_attribute("aria-label") or "")

    feeder.scene["L01"] = "fault"
    await expect(page.locator("#decision")).to_contain_text("故障")
    await expect(page.locator("#ground")).to_have_attribute("data-boom", "fault")
    await expect(page.locator("#clearance")).to_contain_text("本地模式")
    await expect(page.locator("#unsent")).to_have_text("37")
    assert "光电: 不明" in (await page.locator("#ground").get_attribute("aria-label") or "")


async def test_a_sum_of_axles_says_what_it_is(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "axles")
    weight = page.locator(".panel.weight")
    await expect(weight).to_contain_text("轴重累计 40,520 ± 60")
    await expect(weight.locator(".label").first).to_have_text("轴重 ·")
    await expect(page.locator("#lines")).to_contain_text("轴重累计,非整车称重")
    await page.keyboard.press("e")
    await expect(weight).to_contain_text("Sum of axles 40,520 ± 60")
    await expect(weight).not_to_contain_text("Gross weight")
    await expect(page.locator("#lines")).to_contain_text("sum of axles, not weighed whole")


async def test_an_overload_is_no_number(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "local")
    await expect(page.locator("#gross")).to_have_text("– – – kg")
    await expect(page.locator("#weight-status")).to_have_text("超载")


async def test_an_empty_lane_is_calm(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "idle")
    await expect(page.locator("#decision.calm")).to_contain_text("空闲")
    await expect(page.locator(".why, .mark, .stale-note, .bad, .warn")).to_have_count(0)
    await expect(page.locator("#release")).to_be_disabled()


async def test_silence_of_the_lane_voids_everything(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "opened")
    await expect(page.locator("#release")).to_be_enabled()
    feeder.quiet = {"L01"}
    await expect(page.locator("#freshness")).to_contain_text("数据中断 DATA STALE · 车道无消息")
    first = await age(page)
    await expect(page.locator("#gross")).to_have_css("text-decoration-line", "line-through")
    await expect(page.locator("#decision strong")).to_have_css("text-decoration-line", "line-through")
    await expect(page.locator("#decision")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    await expect(page.locator("#release")).to_be_disabled()
    await expect(page.locator("#lower")).to_be_disabled()
    await grown(page, first + 0.5)
    feeder.quiet = set()
    await expect(page.locator("#freshness.fresh")).to_be_visible()
    await expect(page.locator("#gross")).not_to_have_css("text-decoration-line", "line-through")


async def test_a_lanes_last_will_is_told_at_once(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "idle")
    feeder.offline("L01")
    await expect(page.locator("#freshness")).to_contain_text("车道离线")
    feeder.birth()
    await expect(page.locator("#freshness.fresh")).to_be_visible()


async def test_a_dead_server_voids_and_the_page_comes_back_by_itself(
    page: Page, mortal: ConsoleProcess, feeder: Feeder
) -> None:
    await open_lane(page, mortal, feeder, "opened")
    await page.evaluate("window.kept = 'the same page'")
    mortal.kill()
    await expect(page.locator("#freshness")).to_contain_text("服务器无应答")
    await expect(page.locator("#release")).to_be_disabled()
    before = await age(page)
    await grown(page, before)
    await mortal.start()
    await expect(page.locator("#freshness.fresh")).to_be_visible(timeout=15_000)
    await expect(page.locator("#gross")).to_have_text("37,820 kg")
    assert await page.evaluate("window.kept") == "the same page"


async def test_a_short_press_does_nothing(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "held")
    await hold(page, "#release", 400)
    await hold(page, "#release", 300)
    await expect(page.locator("dialog")).to_have_count(0)
    await page.locator("#release").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    box = await page.locator("#release").bounding_box()
    assert box is not None and box["height"] >= 98 and box["width"] >= 98


async def test_a_held_press_asks_and_the_signed_order_reaches_the_lane(
    page: Page, console: ConsoleProcess, feeder: Feeder
) -> None:
    await open_lane(page, console, feeder, "held")
    await hold(page, "#release", 1200)
    await expect(page.locator("dialog[open]")).to_be_visible()
    await expect(page.locator("#sign")).to_be_disabled()
    await fill_order(page, PIN)
    await expect(page.locator("#outcome")).to_contain_text("车道已接受", timeout=15_000)
    (order,) = feeder.admitted
    assert (order.verb, order.lane, order.passage) == (Verb.RELEASE, "L01", "L01-0147")
    assert order.persons == ("li.wei",)
    assert (order.reason_zh, order.reason_en) == ("海关电话同意", "Customs agreed by telephone")


async def test_a_supervisor_holds_open_for_minutes_and_ends_it(
    page: Page, console: ConsoleProcess, feeder: Feeder
) -> None:
    await open_lane(page, console, feeder, "held")
    await hold(page, "#release", 1200)
    await page.locator("dialog[open] label:has-text('15 分钟')").click()
    await page.get_by_text("海关电话同意").click()
    await page.locator("dialog[open] label:has-text('赵敏')").click()
    for digit in PIN:
        await page.locator(f".pad button:text-is('{digit}')").click()
    await page.locator("#sign").click()
    await expect(page.locator("#outcome")).to_contain_text("车道已接受", timeout=15_000)
    (order,) = feeder.admitted
    assert (order.verb, order.persons) == (Verb.HOLD_OPEN, ("zhao.min",))
    assert order.until is not None and abs(order.until - order.issued_at - 900) < 1
    await page.keyboard.press("Escape")
    feeder.scene["L01"] = "kept"
    await expect(page.locator("#lower")).to_contain_text("结束保持")


async def test_a_refusing_lane_is_quoted(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "held")
    feeder.accept = False
    await hold(page, "#lower", 1200)
    await fill_order(page, PIN)
    await expect(page.locator("#outcome")).to_contain_text("车辆未完全上磅", timeout=15_000)
    assert feeder.admitted[0].verb is Verb.LOWER


async def test_a_wrong_pin_is_told_and_never_leaves(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "held")
    await hold(page, "#release", 1200)
    await fill_order(page, "0000")
    await expect(page.locator("#outcome")).to_contain_text("密码错误", timeout=15_000)
    await expect(page.locator("#outcome")).to_contain_text("剩余次数 4")
    await expect(page.locator("#pin")).to_have_value("")
    assert not feeder.admitted
    assert "0000" not in console.site.with_name("console.log").read_text(encoding="utf-8")


async def test_keyboard_alone_can_order(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "held")
    await page.locator("#release").focus()
    await page.keyboard.down("Space")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await page.keyboard.up("Space")
    await page.locator("input[name=why]").first.focus()
    await page.keyboard.press("Space")
    await page.locator("input[name=person]").first.focus()
    await page.keyboard.press("Space")
    await page.locator("#pin").focus()
    await page.keyboard.type(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome")).to_contain_text("车道已接受", timeout=15_000)
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_another_truck_locks_the_open_question(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "held")
    await hold(page, "#release", 1200)
    await expect(page.locator("dialog[open]")).to_be_visible()
    feeder.scene["L01"] = "idle"
    await expect(page.locator("#outcome")).to_contain_text("车辆已离开")
    await expect(page.locator("#sign")).to_be_disabled()


async def test_two_languages_and_two_themes(
    page: Page, console: ConsoleProcess, feeder: Feeder, tmp_path: Path
) -> None:
    await open_lane(page, console, feeder, "refused")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    chinese = await page.screenshot(path=tmp_path / "zh.png")
    await page.keyboard.press("e")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".why")).to_contain_text("The truck is not wholly on the deck")
    assert await page.screenshot(path=tmp_path / "en.png") != chinese
    feeder.scene["L01"] = "opened"
    await expect(page.locator("#order")).to_contain_text("Papers in order")
    feeder.scene["L01"] = "refused"
    await page.locator("#theme").click()
    await expect(page.locator("body.night")).to_be_visible()
    await page.reload()
    await expect(page.locator(".why")).to_contain_text("The order names another plate")
    await expect(page.locator("body.night")).to_be_visible()
    await page.locator("#language").click()
    await expect(page.locator(".why")).to_contain_text("重量与申报不符")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 768)])
async def test_nothing_is_cut_off(page: Page, console: ConsoleProcess, feeder: Feeder, width: int, height: int) -> None:
    """No scroll bars on the page, no panel over another, no text that leaves its panel, in either language."""
    await page.set_viewport_size({"width": width, "height": height})
    await open_lane(page, console, feeder, "idle")
    for scene, banner in (("refused", "闭锁拒绝"), ("opened", "放行"), ("fault", "故障")):
        feeder.scene["L01"] = scene
        await expect(page.locator("#decision")).to_contain_text(banner)
        for _ in ("zh", "en"):
            assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await page.evaluate(CUT) == []
            await page.keyboard.press("e")


async def test_what_stands_beside_the_decision_is_said(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await open_lane(page, console, feeder, "awaited")
    await expect(page.locator("#mode")).to_have_text("建议")
    await expect(page.locator("#local")).to_contain_text("本地模式")
    await expect(page.locator("#queue")).to_have_text("3")
    await expect(page.locator("#shift")).to_have_text("2")
    await expect(page.locator('#lines tr[data-found="differs"]')).to_contain_text("CSQU3054384")
    await expect(page.locator("#awaits")).to_contain_text("chen.jing")
    await page.locator("#countersign").click()
    await page.locator("dialog[open] label:has-text('李伟')").click()
    await page.locator("#pin2").fill("00000")
    await page.locator("#sign2").click()
    await expect(page.locator("#outcome2")).to_contain_text("密码错误")
    await page.keyboard.press("Escape")
    feeder.scene["L01"] = "kept"
    await expect(page.locator("#kept")).to_contain_text("闸杆保持开启")
    await page.keyboard.press("e")
    await expect(page.locator("#kept")).to_contain_text("Boom held open")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_every_lane_has_its_page_and_no_other(page: Page, console: ConsoleProcess, feeder: Feeder) -> None:
    await page.goto(console.url)
    await expect(page.locator("nav a")).to_have_count(1 + len(LANES))
    await page.get_by_text("2号进口车道").click()
    await expect(page).to_have_url(f"{console.url}/lane/L02")
    await expect(page.locator("#gross")).to_have_text("0 kg")
    answer = await page.request.get(f"{console.url}/lane/L99")
    assert answer.status == 404
