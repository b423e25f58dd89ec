"""`check`: what a site file says, and with --probe what its instruments say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table
from rich.text import Text

from drivers.barrier.look import complaints
from drivers.camera.device import Camera
from drivers.camera.read import Read
from drivers.faults import DriverFault, NoAnswer
from drivers.gps.config import TrackerConfig
from drivers.gps.fix import Fix
from drivers.kinds import Clock, Link
from drivers.lane_io.device import LaneIo
from drivers.lane_io.registers import impossible
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.link.modbus import open_modbus
from drivers.link.modbus_tables import table_named
from drivers.readings import Garbage
from drivers.rfid.card_device import CardReader
from drivers.rfid.cards import Card
from drivers.rfid.readers import reader_of
from drivers.rfid.tag import Tag
from drivers.seal.config import SealsConfig
from drivers.seal.state import SealWord
from drivers.weighbridge.device import Weighbridge
from drivers.weighbridge.modbus_device import RegisterScale
from drivers.weighbridge.reading import Weight
from edge.clock import SiteClock
from edge.commands.words import Exit, Stop, err, out
from edge.config import Lane, Site
from edge.seals import open_seals
from edge.trackers import open_source

Words = AsyncIterator[object]


class _Open:
    """The first word of every probe: the link is open."""


@dataclass(slots=True)
class Heard:
    """What one instrument said while it was listened to."""

    name: str
    link: str
    words: int = 0
    garbage: int = 0
    last: str = ""
    fault: str = ""
    must_speak: bool = False
    """Whether silence means that something is wrong."""
    open: bool = False
    wrong: list[str] = field(default_factory=list[str])
    """What it says of itself that must not be."""

    @property
    def well(self) -> bool:
        """Open, as it must be, and not silent where it must speak."""
        return not self.fault and not self.wrong and (self.words > 0 or not self.must_speak)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Among an instrument's words: something about it must not be so."""

    what: str


def check(site: Site, site_file: Path, *, probe: bool, seconds: float, only: Collection[str] = ()) -> Exit:
    """Tells what stands at the site. With `probe` every link is opened and listened to; no output is written.

    `only`: names as the probe tells them (`L01/wb`), or of a lane (`L01`); none given: all. Stops at a stranger.
    """
    console = "https" if site.console.tls else "http"
    out.print(f"{site_file}: right. Site {site.id} ({site.about.zh}, {site.about.en})", markup=False)
    out.print(
        f"{len(site.lanes)} lanes, {len(site.trackers)} tracker listeners, {len(site.persons)} persons, "
        f"bus {site.broker.engine} {site.broker.host}:{site.broker.port}, series {site.series.engine}, "
        f"pages at {console}://{site.console.host}:{site.console.port}",
        markup=False,
    )
    for caution in _cautions(site):
        err.print(f"mind: {caution}", style="yellow", markup=False)
    if not probe:
        return Exit.WELL
    heard = asyncio.run(listen(site, seconds, only))
    _show(heard)
    return Exit.WELL if all(each.well for each in heard) else Exit.NOT_WELL


def _cautions(site: Site) -> list[str]:
    """What no register tells of the I/O modules, said once for each kind; and what the site does without."""
    found: dict[str, str] = {}
    for lane in site.lanes:
        for caution in table_named(lane.io.module, site.modules).all_cautions():
            found.setdefault(f"{lane.io.module}: {caution.en}", f"{lane.io.module}: {caution.en} ({caution.zh})")
        for caution in lane.weighbridge.registers(site.weight_tables).cautions if lane.weighbridge.modbus else ():
            table = lane.weighbridge.table
            found.setdefault(f"{table}: {caution.en}", f"{table}: {caution.en} ({caution.zh})")
    for lane in site.lanes:
        if lane.weighbridge.mode == "axle" and not lane.rules.takes_axle_sum:
            found[f"{lane.id} axles"] = (
                f"{lane.id}: weighs axle by axle, and the sum is refused; rules.takes_axle_sum = true where the"
                " authority takes it (逐轴称重: 轴重累计不作整车重量, 除非主管部门认可)"
            )
    if site.anchors is None:
        found["anchors"] = (
            "no [anchors]: a book whose tail is cut off is not found out; `quaygate keys new` makes the key"
            " (未配置锚签名: 账簿尾部被截去时无法发现)"
        )
    return list(found.values())


async def listen(site: Site, seconds: float, only: Collection[str] = ()) -> list[Heard]:
    """Every instrument at once, for that many (real) seconds. `only`: as check."""
    clock = SiteClock()
    probes = [probe for lane in site.lanes for probe in _of_lane(site, lane, clock)]
    for tracker in site.trackers:
        heard = Heard(f"tracker/{tracker.name}", tracker.link.label)
        probes.append((heard, _tracked(tracker, clock)))
    probes += [(Heard(f"tracker/{port.name}", port.link.label), _sealed(port, clock)) for port in site.seals]
    names = [heard.name for heard, _ in probes]
    if strangers := [each for each in only if not any(_meant(each, name) for name in names)]:
        raise Stop(f"no instrument {', '.join(strangers)} at this site; there are {', '.join(names)}", Exit.WRONG)
    if only:
        probes = [(heard, words) for heard, words in probes if any(_meant(each, heard.name) for each in only)]
    async with asyncio.TaskGroup() as group:
        for heard, words in probes:
            group.create_task(_listen(heard, words, clock, seconds))
    return [heard for heard, _ in probes]


def _meant(asked: str, name: str) -> bool:
    return asked in (name, name.partition("/")[0])


def _of_lane(site: Site, lane: Lane, clock: Clock) -> list[tuple[Heard, Words]]:
    scale, tags, sign = lane.weighbridge, lane.tags, lane.sign
    found: list[tuple[Heard, Words]] = [
        (Heard(f"{lane.id}/{scale.name}", scale.link.label, must_speak=True), _weights(site, lane, clock)),
        (Heard(f"{lane.id}/{lane.io.name}", lane.io.link.label, must_speak=True), _inputs(site, lane, clock)),
    ]
    if tags is not None:
        heard = Heard(f"{lane.id}/{tags.name}", tags.link.label)
        found.append((heard, _stream(tags.link, clock, lambda link: reader_of(link, tags, clock).words())))
    if (cards := lane.cards) is not None:
        heard = Heard(f"{lane.id}/{cards.name}", cards.link.label)
        found.append((heard, _stream(cards.link, clock, lambda link: CardReader(link, cards, clock).words())))
    if lane.seals is not None:
        near = lane.seals.reader
        heard = Heard(f"{lane.id}/{near.name}", near.link.label)
        found.append((heard, _stream(near.link, clock, lambda link: reader_of(link, near, clock).words())))
    for camera in lane.cameras:
        heard = Heard(f"{lane.id}/{camera.name}", camera.link.label)
        found.append((heard, _stream(camera.link, clock, lambda link, c=camera: Camera(link, c, clock).words())))
    if sign is not None:
        found.append((Heard(f"{lane.id}/{sign.name}", sign.link.label), _opened(sign.link, clock)))
    return found


async def _stream(config: StreamLinkConfig, clock: Clock, words: Callable[[Link], AsyncIterator[object]]) -> Words:
    link = await open_link(config, clock)
    try:
        yield _Open()
        async for word in words(link):
            yield word
    finally:
        await link.close()


def _weights(site: Site, lane: Lane, clock: Clock) -> Words:
    scale = lane.weighbridge
    if scale.stream is not None:
        return _stream(scale.stream, clock, lambda link: Weighbridge(link, scale, clock).words())
    return _registers(site, lane, clock)


async def _registers(site: Site, lane: Lane, clock: Clock) -> Words:
    scale = lane.weighbridge
    assert scale.modbus is not None
    link = await open_modbus(scale.modbus)
    try:
        yield _Open()
        async for word in RegisterScale(link, scale.registers(site.weight_tables), scale, clock).words():
            yield word
    finally:
        await link.close()


async def _tracked(config: TrackerConfig, clock: Clock) -> Words:
    source = await open_source(config, clock)
    try:
        yield _Open()
        async for word in source.listener.words():
            yield word
    finally:
        await source.close()


async def _sealed(config: SealsConfig, clock: Clock) -> Words:
    source = await open_seals(config, clock)
    try:
        yield _Open()
        async for word in source.listener.words():
            yield word
    finally:
        await source.close()


async def _opened(config: StreamLinkConfig, clock: Clock) -> Words:
    """A sign is only opened: a text would be shown to a driver."""
    link = await open_link(config, clock)
    yield _Open()
    await link.close()
    yield "takes the connection"


async def _inputs(site: Site, lane: Lane, clock: Clock) -> Words:
    """What the module says, and what about it and the barrier behind it is not as it must be. Nothing is written."""
    table = table_named(lane.io.module, site.modules)
    link = await open_modbus(lane.io.link)
    try:
        yield _Open()
        for wrong in await complaints(link, table, lane.barrier()):
            yield Wrong(f"barrier: {wrong}")
        said: set[str] = set()
        async for word in LaneIo(link, table, lane.io, clock).words():
            for each in impossible(word.values):
                if each not in said:
                    said.add(each)
                    yield Wrong(each)
            on = [name for name, value in word.values.items() if value]
            yield f"on: {', '.join(on) or 'none'}; lamp {word.lamp}{'; ' + word.note if word.note else ''}"
    finally:
        await link.close()


async def _listen(heard: Heard, words: Words, clock: Clock, seconds: float) -> None:
    try:
        async with clock.timeout(seconds):
            async for word in words:
                if isinstance(word, _Open):
                    heard.open = True
                elif isinstance(word, Garbage):
                    heard.garbage += 1
                    heard.last = heard.last or f"garbage: {word.why}"
                elif isinstance(word, Wrong):
                    heard.wrong.append(word.what)
                else:
                    heard.words += 1
                    heard.last = describe(word)
    except TimeoutError:
        heard.fault = "" if heard.open else f"no connection within {seconds:g} s"
    except NoAnswer as silent:
        heard.fault = str(silent) if heard.must_speak else ""
    except DriverFault as fault:
        heard.fault = str(fault)


def describe(word: object) -> str:
    """A word in a technician's short hand."""
    match word:
        case Weight():
            shown = f"{word.kg} kg" if word.kg is not None else f"no number ({word.why or word.status})"
            return f"{shown}, display {word.display!r}, {word.status}, {word.quality}"
        case Tag():
            return (
                f"EPC {word.hex}"
                + (f", plate {word.plate}" if word.plate else "")
                + ("" if word.rssi_dbm is None else f", {word.rssi_dbm} dBm")
            )
        case Card():
            return f"card {word.number}"
        case SealWord():
            power = "" if word.battery_percent is None else f", {word.battery_percent} %"
            place = "" if word.lat is None or word.lon is None else f", {word.lat:.6f}, {word.lon:.6f}"
            return f"{word.seal}: {word.state.value}{power}{place}{', ' + word.why if word.why else ''}"
        case Read():
            return f"{word.what} {word.text} ({word.confidence:.2f}, {word.camera})"
        case (str() as name, Fix() as fix):
            return (
                f"{name}: {fix.lat:.6f}, {fix.lon:.6f}"
                if fix.lat is not None and fix.lon is not None
                else f"{name}: {fix.why}"
            )
        case _:
            return str(word)


def _show(heard: list[Heard]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "instrument", "link", "words", "garbage", "heard last"):
        table.add_column(column, overflow="fold")
    for each in heard:
        mark = "[green]ok[/]" if each.well else "[red]NO[/]"
        heard_last = each.fault or each.last or ("silent" if each.must_speak else "nothing to say just now")
        said = "\n".join([*each.wrong, heard_last])
        table.add_row(mark, each.name, each.link, str(each.words), str(each.garbage), Text(said))
    out.print(table)
