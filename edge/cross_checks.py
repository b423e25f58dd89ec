"""Checks between the parts of a site file.

They read the plain tables and pass over whatever is ill-formed: so they find their mistakes beside the model's own.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from drivers.link.modbus_tables import TABLES
from drivers.weighbridge.tables import TABLES as WEIGHT_TABLES
from edge.mistakes import Finding, Place, places

RESERVED = {"tracker", "recorder", "console", "broker", "review"}
"""Nodes of the bus that every site has."""
NEEDED_INPUTS = ("loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell", "limit_down", "limit_up")
LANE_LINKS = ("weighbridge", "io", "tags", "cards", "seals.reader", "cameras.*", "sign")
"""Tables of a lane that hold a `link`."""
WHEEL_INPUTS = ("axle_in", "axle_on", "axle_out")
FEWEST_DIVISIONS = 100
MOST_DIVISIONS = 10_000
"""OIML R 76: from class IIII at its coarsest to class III at its finest; trade scales for trucks lie well within."""


def findings(raw: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    """Everything that is wrong between the parts. `folder` is the site file's."""
    yield from _twice(raw, "lanes.*.id", "another lane has this id")
    yield from _twice(raw, "scanners.*.id", "another scanner has this id")
    yield from _scanners(raw)
    yield from _twice(raw, "persons.*.id", "another person has this id")
    yield from _twice(raw, "persons.*.public", "another person has this key: an order must say who signed it")
    yield from _twice(raw, "clearance.keys.*.id", "another key of customs has this id")
    yield from _repeats(
        (each for pattern in ("trackers.*.name", "seals.*.name") for each in places(raw, pattern)),
        lambda _: "another tracker or port of seals has this name",
    )
    yield from _twice(raw, "zones.*.id", "another zone has this id")
    yield from _zones(raw)
    yield from _twice(raw, "modules.*.name", "another register table has this name")
    yield from _twice(raw, "weight_tables.*.name", "another register table has this name")
    yield from _persons_and_customs(raw)
    yield from _reserved(raw)
    yield from _instruments(raw)
    yield from _wires(raw)
    yield from _listeners(raw)
    yield from _gate(raw)
    yield from _modules(raw)
    yield from _weight_tables(raw)
    yield from _channels(raw)
    yield from _inputs(raw)
    yield from _axles(raw)
    yield from _divisions(raw)
    yield from _folder(raw, folder)
    yield from _papers(raw, folder)


def _twice(raw: Mapping[str, Any], pattern: str, expected: str) -> Iterator[Finding]:
    yield from _repeats(
        ((place, value) for place, value in places(raw, pattern) if isinstance(value, str)), lambda _: expected
    )


def _zones(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Zones are drawn in metres from the drawing's origin."""
    if any(places(raw, "zones.*")) and not any(places(raw, "site.drawing.origin_lat")):
        yield Finding(("site", "drawing"), "expected origin_lat and origin_lon: zones are metres from there")


def _repeats(found: Iterator[tuple[Place, Any]], say: Callable[[Place], str]) -> Iterator[Finding]:
    """Every value after its first; `say` is given the first one's place."""
    first: dict[str, Place] = {}
    for place, value in found:
        key = repr(value)
        if key in first:
            yield Finding(place, say(first[key]))
        else:
            first[key] = place


def _persons_and_customs(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("id", "public"):
        customs = [value for _, value in places(raw, f"clearance.keys.*.{key}")]
        for place, value in places(raw, f"persons.*.{key}"):
            if value in customs:
                yield Finding(place, f"a key of customs has this {key}: a person is not customs")


def _reserved(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for pattern in ("lanes.*.id", "scanners.*.id"):
        for place, value in places(raw, pattern):
            if isinstance(value, str) and value in RESERVED:
                yield Finding(place, f"expected another name: {value} is a node of every site")


def _scanners(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A scanner is a node like a lane, and its instruments have names of their own."""
    lanes = [value for _, value in places(raw, "lanes.*.id")]
    for place, value in places(raw, "scanners.*.id"):
        if value in lanes:
            yield Finding(place, "a lane has this id")
    for scanner, table in places(raw, "scanners.*"):
        named = [
            ((*scanner, *place), value)
            for kind in ("detector", "source", "safety", "cameras.*")
            for place, value in places(table, f"{kind}.name")
        ]
        yield from _repeats(iter(named), lambda _: "another instrument of this scanner has this name")


def _instruments(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Names of one lane's instruments; each is a level of the topics below its lane."""
    for lane, _ in places(raw, "lanes.*"):

        def names(lane: Place = lane) -> Iterator[tuple[Place, Any]]:
            table = raw["lanes"][lane[1]]
            for kind in ("weighbridge", "io", "tags", "cards", "seals.reader", "sign", "cameras.*"):
                for place, value in places(table, f"{kind}.name"):
                    yield (*lane, *place), value

        yield from _repeats(names(), lambda _: "another instrument of this lane has this name")


def _wires(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """One instrument a wire, except Modbus servers behind one socket with their own unit numbers. A serial line has one
    master: two connections of ours would hear each other's answers."""

    def wires() -> Iterator[tuple[Place, Any]]:
        for pattern in (
            *(f"lanes.*.{kind}.link" for kind in LANE_LINKS),
            *(f"scanners.*.{kind}.link" for kind in ("source", "safety", "cameras.*")),
            "trackers.*.link",
            "seals.*.link",
        ):
            for place, link in places(raw, pattern):
                if isinstance(link, dict) and (wire := _wire(cast("dict[str, Any]", link))):
                    yield place, wire

        for place, port in places(raw, "scanners.*.detector.listen_port"):
            if port:
                yield place, ("udp", port)

    yield from _repeats(wires(), lambda first: f"{_called(raw, first)} is on the same wire")


def _wire(link: dict[str, Any]) -> tuple[Any, ...] | None:
    kind, unit = link.get("kind"), link.get("unit")
    if kind in ("tcp", "modbus-tcp") and "host" in link:
        return ("tcp", link["host"], link.get("port", 502), unit)
    if kind in ("serial", "modbus-rtu") and "device" in link:
        return ("serial", link["device"])
    if kind in ("udp", "tcp-listen") and link.get("listen_port"):
        return (kind, link["listen_port"])
    return None


def _called(raw: Mapping[str, Any], place: Place) -> str:
    """`lanes L01 weighbridge`."""
    here: Any = raw
    words: list[str] = []
    for part in place[:-1]:
        here = here[part]
        words.append(str(here.get("id", part + 1)) if isinstance(part, int) else part)
    return " ".join(words)


def _listeners(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Ports that processes of this site listen on, on this machine."""
    ours: list[tuple[Place, Any]] = []
    broker = raw.get("broker", {})
    if isinstance(broker, dict) and cast("dict[str, Any]", broker).get("engine", "embedded") == "embedded":
        ours.append((("broker", "port"), cast("dict[str, Any]", broker).get("port", 1883)))
    console = raw.get("console", {})
    if isinstance(console, dict):
        ours.append((("console", "port"), cast("dict[str, Any]", console).get("port", 8080)))
    for place, value in [each for kind in ("trackers", "seals") for each in places(raw, f"{kind}.*.link")]:
        if isinstance(value, dict) and cast("dict[str, Any]", value).get("kind") == "tcp-listen":
            ours.append(((*place, "listen_port"), cast("dict[str, Any]", value).get("listen_port")))
    ours += [(place, port) for place, port in places(raw, "lanes.*.customs.listen_port")]
    yield from _repeats(iter(ours), lambda first: f"{'.'.join(map(str, first))} listens on the same port")


def _gate(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A gate that customs speaks to itself: every lane has its numbers there, and the link a key of its own."""
    clearance = raw.get("clearance")
    if not isinstance(clearance, dict):
        return
    table = cast("dict[str, Any]", clearance)
    if table.get("engine", "http") != "jgst":
        for place, _ in places(raw, "lanes.*.customs"):
            yield Finding(place, 'belongs to [clearance] engine = "jgst"')
        return
    numbers: list[tuple[Place, Any]] = []
    for place, lane in places(raw, "lanes.*"):
        if not isinstance(lane, dict):
            continue
        customs = cast("dict[str, Any]", lane).get("customs")
        if customs is None:
            yield Finding((*place, "customs"), "expected a table with this lane's numbers at customs")
        elif isinstance(customs, dict):
            told = cast("dict[str, Any]", customs)
            numbers.append(((*place, "customs", "channel"), (told.get("area"), told.get("channel"))))
            yield from _gate_devices(cast("dict[str, Any]", lane), told, place)
    yield from _repeats(iter(numbers), lambda first: f"{_called(raw, first)} has the same numbers")
    links = [row["id"] for row in _tables(table, "keys.*") if row.get("role") == "link" and "id" in row]
    key = table.get("key")
    if isinstance(key, str) and key not in links:
        yield Finding(("clearance", "key"), 'expected the id of one of clearance.keys with role = "link"')


def _tables(raw: Any, pattern: str) -> Iterator[dict[str, Any]]:
    for _, row in places(raw, pattern):
        if isinstance(row, dict):
            yield cast("dict[str, Any]", row)


_KINDS = {
    "weighbridge": ("15",), "tags": ("11",), "cards": ("12",), "seals.reader": ("13",), "cameras.*": ("10",),
    "sign": ("17",),
}  # fmt: skip
"""The first digits of annex C for each of a lane's instruments."""


def _gate_devices(lane: dict[str, Any], customs: dict[str, Any], place: Place) -> Iterator[Finding]:
    """Devices are instruments that this lane has, under numbers of their kind."""
    devices = customs.get("devices", {})
    if not isinstance(devices, dict):
        return
    kinds = {name: kinds for kind, kinds in _KINDS.items() for _, name in places(lane, f"{kind}.name")}
    kinds["boom"] = ("16",)
    for name, number in cast("dict[str, Any]", devices).items():
        path = (*place, "customs", "devices", name)
        if name not in kinds:
            known = ", ".join(sorted(str(each) for each in kinds))
            yield Finding(path, f"expected an instrument of this lane that customs counts: {known}")
        elif isinstance(number, str) and not number.startswith(kinds[name]):
            yield Finding(path, f"expected a number that begins with {' or '.join(kinds[name])}: annex C")


def _modules(raw: Mapping[str, Any]) -> Iterator[Finding]:
    known = {table.name for table in TABLES} | {str(value) for _, value in places(raw, "modules.*.name")}
    for pattern in ("lanes.*.io.module", "scanners.*.safety.module"):
        for place, value in places(raw, pattern):
            if isinstance(value, str) and value not in known:
                yield Finding(
                    place, f"expected a register table: {', '.join(sorted(known))}, or one of your own in [[modules]]"
                )


def _weight_tables(raw: Mapping[str, Any]) -> Iterator[Finding]:
    known = {table.name for table in WEIGHT_TABLES} | {str(value) for _, value in places(raw, "weight_tables.*.name")}
    for place, value in places(raw, "lanes.*.weighbridge.table"):
        if isinstance(value, str) and value and value not in known:
            named = ", ".join(sorted(known))
            yield Finding(place, f"expected a register table: {named}, or one of your own in [[weight_tables]]")


def _channels(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Every wire ends at a terminal that the module has."""
    sizes = {table.name: {"inputs": table.inputs.count, "outputs": table.outputs.count} for table in TABLES}
    for table in _tables(raw, "modules.*"):
        for side in ("inputs", "outputs"):
            for _, count in places(table, f"{side}.count"):
                if isinstance(count, int):
                    sizes.setdefault(str(table.get("name")), {})[side] = count
    for place, io in places(raw, "lanes.*.io"):
        if not isinstance(io, dict):
            continue
        size = sizes.get(str(cast("dict[str, Any]", io).get("module")), {})
        for side, count in size.items():
            wires = cast("dict[str, Any]", io).get(side)
            for name, channel in cast("dict[str, Any]", wires).items() if isinstance(wires, dict) else ():
                if isinstance(channel, int) and not isinstance(channel, bool) and channel >= count:
                    expected = f"expected a channel from 0 to {count - 1}: the module has no more {side}"
                    yield Finding((*place, side, name), expected)


def _inputs(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for place, io in places(raw, "lanes.*.io"):
        wired = cast("dict[str, Any]", io).get("inputs") if isinstance(io, dict) else None
        if not isinstance(wired, dict):
            continue
        for name in NEEDED_INPUTS:
            if name not in wired:
                yield Finding((*place, "inputs", name), "expected a channel: without this switch the boom never opens")
        if "boom_fault" not in wired and cast("dict[str, Any]", io).get("no_fault_relay") is not True:
            yield Finding(
                (*place, "inputs", "boom_fault"),
                "expected a channel, or no_fault_relay = true where the barrier has no fault contact: "
                "the boom never opens while nothing is known of its faults",
            )


def _axles(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Wheel sensors belong to a deck that weighs axle by axle, and so does taking its sum."""
    for lane, table in places(raw, "lanes.*"):
        inputs = [value for _, value in places(table, "io.inputs")]
        by_axles = [value for _, value in places(table, "weighbridge.mode")] == ["axle"]
        wired = cast("dict[str, Any]", inputs[0]) if inputs and isinstance(inputs[0], dict) else {}
        for name in WHEEL_INPUTS:
            if by_axles and name not in wired:
                why = 'expected a channel: in mode = "axle" nobody else tells an axle that did not stop'
                yield Finding((*lane, "io", "inputs", name), why)
        for place, _ in places(table, "rules.takes_axle_sum") if not by_axles else ():
            yield Finding((*lane, *place), 'belongs to weighbridge mode = "axle"')


def _divisions(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for place, scale in places(raw, "lanes.*.weighbridge"):
        if not isinstance(scale, dict):
            continue
        table = cast("dict[str, Any]", scale)
        most, division = _positive(table.get("max_kg")), _positive(table.get("division_kg"))
        if division is not None and division.normalize().as_tuple().digits not in ((1,), (2,), (5,)):
            yield Finding((*place, "division_kg"), "expected 1, 2 or 5 times a power of ten, as the scale's plate says")
        elif most is not None and division is not None and not FEWEST_DIVISIONS <= most / division <= MOST_DIVISIONS:
            bounds = f"{FEWEST_DIVISIONS} to {MOST_DIVISIONS} divisions of {division} kg"
            yield Finding((*place, "max_kg"), f"expected {bounds}, this is {most / division:.0f}")


def _positive(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def _folder(raw: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    about = raw.get("site")
    if not isinstance(about, dict):
        return
    data = cast("dict[str, Any]", about).get("data")
    if not isinstance(data, str):
        return
    here = folder / data
    standing = next(p for p in (here, *here.parents) if p.exists())
    if not standing.is_dir():
        yield Finding(("site", "data"), f"expected a folder, but {standing.name} is a file")
    elif not os.access(standing, os.W_OK | os.X_OK):
        yield Finding(("site", "data"), "expected a folder that this user may write to")


def _papers(raw: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    told = raw.get("papers")
    if not isinstance(told, dict):
        return
    table = cast("dict[str, Any]", told)
    if table.get("formats") and "export_dir" not in table:
        yield Finding(("papers", "export_dir"), "expected a folder: the reports of papers.formats are written there")
    lanes = {value for _, value in places(raw, "lanes.*.id")}
    channels = table.get("channels")
    for lane in cast("dict[str, Any]", channels) if isinstance(channels, dict) else ():
        if lane not in lanes:
            yield Finding(("papers", "channels", lane), "expected the id of a lane")
    for key in ("import_dir", "export_dir"):
        named = table.get(key)
        if isinstance(named, str) and (folder / named).exists() and not (folder / named).is_dir():
            yield Finding(("papers", key), f"expected a folder, but {named} is a file")
    if "import_dir" in table and table.get("import_dir") == table.get("export_dir"):
        yield Finding(("papers", "export_dir"), "expected another folder: our own reports would be read as papers")
