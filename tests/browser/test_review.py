"""The image review in a real browser, on a real archive, book and broker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

from telemetry.config import BrokerConfig
from tests.browser import readers
from tests.browser.axe import faults
from tests.browser.conftest import EXPECTED
from tests.browser.feeder import Feeder
from tests.browser.readers import Room, asked, hold, look_at_all, opened, pixels, place, shade, sign, sit, take, until
from tests.browser.stage import ConsoleProcess
from vision.xray.scan import Energy
from vision.xray.store import Archive
from vision.xray.tiles import Coding, upright

pytestmark = pytest.mark.real
LINES, PIXELS = 2400, 400
"""Too long for one screen at 1:2, so that a reader must walk."""
SPOTS = 300
JPEG = cv2.imencode(".jpg", np.full((8, 8, 3), 99, np.uint8))[1].tobytes()


class Rooms:
    """Rooms of one test; `console` is there because it has the pages built."""

    def __init__(self, folder: Path, broker: BrokerConfig, stack: AsyncExitStack) -> None:
        self._folder, self._broker, self._stack = folder, broker, stack

    async def open(self, *scans: int, torn: bool = False, **settings: float) -> Room:
        """A room with a small scan for each seed, and its console running."""
        room = Room.furnished(self._folder, self._broker, **settings)
        for seed in scans:
            room.scan(seed, lines=LINES, pixels=PIXELS, torn=torn)
        self._stack.callback(room.console.kill)
        await room.console.start()
        return room


@pytest_asyncio.fixture(loop_scope="session")
async def rooms(tmp_path: Path, broker: BrokerConfig, console: ConsoleProcess) -> AsyncIterator[Rooms]:
    async with AsyncExitStack() as stack:
        yield Rooms(tmp_path, broker, stack)


Screens = Callable[[], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def screens(browser: Browser) -> AsyncIterator[Screens]:
    """A browser of its own for each person. Two of the page's pixels are one of the picture: without a graphics card
    most of a test's time would go into drawing. The test fails when a page said an error."""
    errors: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if said.type == "error" and not any(word in said.text for word in EXPECTED):
            errors.append(said.text)

    async with AsyncExitStack() as stack:

        async def another() -> Page:
            context = await browser.new_context(viewport=readers.SIZE, device_scale_factor=0.5)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", listen)
            return page

        yield another
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(screens: Screens) -> Page:
    return await screens()


async def test_pixels_under_the_cursor_are_the_archive_s(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1)
    await sit(page, room, "wang.fang")
    await take(page)
    await page.keyboard.press("9")
    await opened(page)
    await until(page, "!document.querySelector('#loaded').textContent")

    (digest,) = Archive(room.archive).digests()
    with Archive(room.archive).open(digest) as kept:
        images = {energy: upright(kept.picture(energy)).astype(float) for energy in Energy}
        steps = {energy: Coding.fine(kept.noise.of(energy), 0) for energy in Energy}
    random = Random(7)
    spots = [(random.randrange(LINES), random.randrange(PIXELS)) for _ in range(SPOTS)]
    for (x, y), held in zip(spots, await pixels(page, spots), strict=True):
        assert held["level"] == 0
        for energy in Energy:
            true, coding = images[energy][y, x], steps[energy]
            if true == 0:
                assert held[energy.value] is None, "what was not measured is no number"
                continue
            code = coding.table()[int(true)]
            assert abs(held[energy.value] - true) <= coding.error(np.array(float(code))) + 1.0

    box = await page.locator("#picture canvas").first.bounding_box()
    assert box is not None
    for dx, dy in ((40, 60), (300, 200), (500, 310)):
        await page.mouse.move(box["x"] + dx, box["y"] + dy)
        said = await page.locator("#cursor").text_content()
        under = await page.evaluate("({x: reviewing.under.value.x, y: reviewing.under.value.y})")
        (held,) = await pixels(page, [(under["x"], under["y"])])
        assert abs(readers.number(said) - held["he"]) <= 0.5, said
        assert f"x {under['x']} y {under['y']}" in (said or "")

    # What the eye gets: linear over the whole range, the grey is the transmission.
    await page.keyboard.press("k")
    await page.evaluate("reviewing.view.go({x: 1201.5, y: 150.5, zoom: 1})")
    at_middle = "(v => v.at(Math.floor(v.canvas.width / 2) + .5, Math.floor(v.canvas.height / 2) + .5))(reviewing.view)"
    middle = await page.evaluate(at_middle)
    await page.evaluate(
        "m => { const v = reviewing.view; v.go({...v.place, x: v.place.x + Math.floor(m.x) + .5 - m.x,"
        " y: v.place.y + Math.floor(m.y) + .5 - m.y}); }",
        middle,
    )
    (held,) = await pixels(page, [(int(middle["x"]), int(middle["y"]))])
    expected = ((held["he"] / 60_000 - 0.5) / 1.05 + 0.5) * 0.92 * 255
    assert await shade(page) == pytest.approx((expected,) * 3, abs=1.01)

    await page.keyboard.press("p")
    await expect(page.locator("#probe-he")).to_be_visible()
    probe = await page.evaluate("reviewing.probe.value")
    part = images[Energy.HE][probe["y"] : probe["y"] + 7, probe["x"] : probe["x"] + 7]
    low = images[Energy.LE][probe["y"] : probe["y"] + 7, probe["x"] : probe["x"] + 7]
    both = (part > 0) & (low > 0)
    assert float(await page.locator("#probe-he").text_content() or "") == pytest.approx(part[both].mean(), abs=0.051)


async def test_no_control_of_the_picture_asks_the_server(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1)
    await sit(page, room, "wang.fang")
    await take(page)
    await until(page, "reviewing.view.coloured && !document.querySelector('#loaded').textContent")
    await expect(page.locator("#kept")).to_have_attribute("data-kept", "yes")
    before = room.mark()
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.method} {request.url.removeprefix(room.console.url)}")

    page.on("request", note)
    shades: set[tuple[int, int, int]] = set()
    for key in ("1", "2", "3", "4", "5", "1", "[", "[", ".", "h", "k", "e", "l", "Shift+2", "Shift+4", "r", "m", "g"):
        await page.keyboard.press(key)
        shades.add(await shade(page))
    for slider in ("level", "width"):
        await page.locator(f"#{slider}").focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("PageDown")
    await page.locator("#picture").focus()
    for key in ("=", "=", "ArrowRight", "Shift+ArrowLeft", "9", "0"):
        await page.keyboard.press(key)
    assert len(shades) > 5, "the keys did nothing"
    await expect(page.locator("#kept")).to_have_attribute("data-kept", "yes")
    # Where the review stands is kept, what is known of the truck is asked, and nothing else goes over the line.
    task = f"POST /api/inspection/tasks/{next(iter(before))[:64]}/draft"
    assert set(sent) <= {task, "GET /api/inspection/me"}
    assert room.mark() == before


async def test_from_seat_to_verdict_by_keys_alone(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1)
    await sit(page, room, "wang.fang")
    await take(page)
    clear = page.locator("#clear")
    await expect(clear).to_be_disabled()
    await expect(page.locator("#seen")).to_have_text("0 %")
    await page.keyboard.press("a")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#mark-count")).to_have_text("1")
    await page.keyboard.press("3")
    await page.keyboard.down("c")
    await expect(page.locator("#hint")).to_contain_text("未看完")
    await page.keyboard.up("c")
    await look_at_all(page)
    await expect(page.locator("#seen")).to_have_text("100 %")
    await expect(clear).to_be_enabled()
    await hold(page, "c")
    await sign(page)
    await expect(page.locator("#waiting")).to_have_text("0")
    await expect(page.locator("#recorded")).to_contain_text("L01 L02 L03")


async def test_a_reload_and_a_killed_server_lose_nothing(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1)
    await sit(page, room, "wang.fang")
    await take(page)
    for key in ("9", "Shift+ArrowRight", "3", "[", "h", "e", "a", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await until(page, "reviewing.looked")
    await page.locator(".marks input").fill("桶?")
    state = "(d => ({...d, spent_s: 0}))(reviewing.draft())"
    before = await page.evaluate(state)
    assert before["marks"][0]["note"] == "桶?"
    assert int(before["seen"], 16) > 0
    await page.reload()
    await opened(page)
    assert await page.evaluate(state) == before
    await expect(page.locator("#mark-count")).to_have_text("1")

    await page.keyboard.press("Shift+ArrowRight")
    await until(page, "reviewing.looked")
    await expect(page.locator("#kept")).to_have_attribute("data-kept", "yes")
    before = await page.evaluate(state)
    room.console.kill()
    await expect(page.locator("#freshness")).to_contain_text("服务器无应答")
    await expect(page.locator("#open")).to_be_disabled()
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(page.locator("#kept")).to_have_attribute("data-kept", "no")
    await page.keyboard.press("Shift+ArrowRight")
    await room.console.start()
    await expect(page.locator("#freshness.fresh")).to_be_visible(timeout=15_000)
    await expect(page.locator("#kept")).to_have_attribute("data-kept", "yes")
    assert await page.evaluate("reviewing.marks.value") == before["marks"]
    await page.reload()
    await opened(page)
    assert await place(page) == [before["spot"][name] for name in ("x", "y", "zoom")]
    seen = int((await page.evaluate(state))["seen"], 16)
    assert seen & int(before["seen"], 16) == int(before["seen"], 16)


async def test_a_scan_is_one_person_s_until_nothing_is_done(page: Page, rooms: Rooms, screens: Screens) -> None:
    room = await rooms.open(1, lock_s=3.0)
    second = await screens()
    await sit(second, room, "chen.jie")
    await sit(page, room, "wang.fang")
    await take(page)
    await expect(second.locator("#waiting")).to_have_text("0")
    await expect(second.locator("#next")).to_be_disabled()
    await expect(page.locator("#lost, #lock-soon")).to_be_visible()
    await expect(page.locator("#lost")).to_be_visible()
    await expect(page.locator("#open")).to_be_disabled()
    await expect(second.locator("#waiting")).to_have_text("1")
    # Asked without the page: a slow machine might draw longer than this lock lasts.
    assert (await asked(second, "/api/inspection/next", {}))["kind"] == "done"
    me = await asked(second, "/api/inspection/me")
    assert me["review"] is None or me["review"]["draft"] is None, "another's marks are not shown"
    await page.locator("#close").click()
    await expect(page.locator("#next")).to_be_visible()


async def read(page: Page, room: Room, who: str, finding: str) -> str:
    """This person's reading from seat to verdict; what was on the screen while he looked."""
    await sit(page, room, who)
    await take(page)
    await until(page, "reviewing.allSeen.value")
    shown = await page.locator("main").inner_text()
    await hold(page, finding)
    await sign(page)
    return shown


async def test_a_second_reading_is_blind_and_a_third_one_decides(rooms: Rooms, screens: Screens) -> None:
    room = await rooms.open(1, second_share=1.0, clear_zoom=0.05)
    pages = {who: await screens() for who in ("wang.fang", "chen.jie", "sun.li", "zhao.min")}
    first = await read(pages["wang.fang"], room, "wang.fang", "s")
    await expect(pages["wang.fang"].locator("#recorded")).not_to_contain_text("L01")
    await expect(pages["wang.fang"].locator("#next")).to_be_disabled()
    second = await read(pages["chen.jie"], room, "chen.jie", "c")
    await expect(pages["chen.jie"].locator("#recorded")).not_to_contain_text("L01")
    head = pages["zhao.min"]
    await sit(head, room, "zhao.min")
    await expect(head.locator("#queue")).to_contain_text("意见不一")
    third = await read(pages["sun.li"], room, "sun.li", "s")
    await expect(pages["sun.li"].locator("#recorded")).to_contain_text("L01 L02 L03")
    for shown, before in ((second, ["王芳"]), (third, ["王芳", "陈杰"])):
        for word in (*before, "复核", "意见不一", "抽查"):
            assert word not in shown
        assert len(shown.splitlines()) == pytest.approx(len(first.splitlines()), abs=2)
    rows = head.locator("#tallies tbody tr:not(.all)")
    await expect(rows).to_have_count(3)
    await expect(rows.filter(has_text="王芳")).to_contain_text("1/1")
    await expect(rows.filter(has_text="陈杰")).to_contain_text("0/1")


async def test_a_torn_scan_can_only_be_scanned_again(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1, torn=True)
    await sit(page, room, "wang.fang")
    await take(page)
    await expect(page.locator("#torn")).to_contain_text("扫描不完整")
    for button in ("clear", "open", "suspect"):
        await expect(page.locator(f"#{button}")).to_be_disabled()
    await page.locator("#again").focus()
    await page.keyboard.down("Enter")
    await expect(page.locator("dialog.signing[open]")).to_be_visible()
    await page.keyboard.up("Enter")
    await sign(page)


async def test_everybody_can_use_it_in_both_languages(page: Page, rooms: Rooms) -> None:
    room = await rooms.open(1, 2)

    async def well() -> None:
        for language in ("en", "zh-CN"):
            await page.locator("#language").click()
            await expect(page.locator("html")).to_have_attribute("lang", language)
            assert await faults(page) == [], language

    await page.goto(f"{room.console.url}/inspection")
    await expect(page.locator("#pin")).to_be_visible()
    await well()
    await sit(page, room, "wang.fang")
    await expect(page.locator("#queue tbody tr")).to_have_count(2)
    await well()
    await take(page)
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await page.keyboard.press("p")
    await expect(page.locator("#probe-he")).to_be_visible()
    await well()
    await page.locator("#picture").focus()
    await page.keyboard.press("?")
    await well()
    await page.locator("#picture").focus()
    await hold(page, "s")
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await page.goto(f"{room.console.url}/inspection/papers")
    await expect(page.locator(".papers.wide")).to_be_visible()
    await well()


async def test_papers_beside_the_image_and_on_a_second_screen(page: Page, rooms: Rooms, feeder: Feeder) -> None:
    room = await rooms.open()
    room.scan(147, lines=LINES, pixels=PIXELS)  # passage L01-0147, as the scene has it
    feeder.scene["L01"] = "refused"
    shots = room.folder / "data/lane-pictures/L01"
    shots.mkdir(parents=True)
    await sit(page, room, "wang.fang")
    (shots / "front.jpg").write_bytes(JPEG)
    await take(page)
    await expect(page.locator("#declared")).to_have_text("37,000 kg")
    await expect(page.locator("#weighed")).to_contain_text("40,580 kg")
    await expect(page.locator("#weighed .out")).to_contain_text("+9.7")
    await until(page, "document.querySelector('#shots img')?.naturalWidth === 8")
    async with page.expect_popup() as opening:
        await page.locator("#second-screen").click()
    second = await opening.value
    await expect(second.locator("#declared")).to_have_text("37,000 kg")
    await expect(second.locator(".papers.wide")).to_contain_text("鲁B6W021")
    await page.locator("#back").click()
    await expect(page.locator("#next")).to_be_visible()
    await expect(second.locator(".papers.wide")).to_have_count(0)
