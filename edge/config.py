"""What stands at this port, as its site file says: closed, frozen, and checked whole before anything is opened."""

import base64
import binascii
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from drivers.barrier.config import BarrierConfig
from drivers.camera.config import CameraConfig
from drivers.gps.config import TrackerConfig
from drivers.lane_io.config import LaneIoConfig
from drivers.link.modbus_tables import ModuleTable
from drivers.link.recording import BlackBoxConfig
from drivers.rfid.card_config import CardReaderConfig
from drivers.rfid.config import TagReaderConfig
from drivers.seal.config import SealsConfig
from drivers.sign.config import SignConfig
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.tables import WeightTable
from edge.clearance_config import ClearanceConfig, CustomsConfig
from edge.closed import Closed, Name, PublicKey, Words
from edge.cross_checks import findings
from edge.inspection_config import InspectionConfig
from edge.mistakes import Finding, Mistake, SiteFileWrong, SiteText, places
from edge.scanner_config import Scanner
from edge.zone_config import ZoneConfig
from gateway_ctl.modes import Consequence, Mode, Silent
from gateway_ctl.neighbours.config import PapersConfig
from gateway_ctl.picture import Empty, OnFailed, Rules
from gateway_ctl.seal import Holder, Role, load_public
from telemetry.config import BrokerConfig, Port, RecordsConfig, SeriesConfig, ServerTls

SITE_FILE_CAP = 4 * 1024 * 1024
"""Bytes. A site of a hundred lanes with its drawing is a few hundred kilobytes."""

BOOK = "book.sqlite"
"""A lane's book, in the lane's folder."""


def _sealed(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != SEALED_BYTES:
        raise ValueError("expected the sealed key as `quaygate person add` printed it")
    return text


SEALED_BYTES = 16 + 12 + 32 + 16
"""Salt, nonce, key and tag of gateway_ctl/seal.py."""

Sealed = Annotated[str, AfterValidator(_sealed)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Point = tuple[float, float]


class ClockConfig(Closed):
    """Only at a simulated port: all its processes share the same origin and speed."""

    speed: Annotated[float, Field(gt=0, le=1000)] = 1.0
    origin: float | None = None


class Shape(Closed):
    """One outline of the site's drawing, in metres east and north of its origin."""

    kind: Literal["quay", "yard", "road", "building", "lane", "fence"]
    zh: str = ""
    en: str = ""
    points: Annotated[tuple[Point, ...], Field(min_length=2)]


class Drawing(Closed):
    """The site's own drawing, for the control room's map."""

    origin_lat: Annotated[float, Field(ge=-90, le=90)]
    origin_lon: Annotated[float, Field(ge=-180, le=180)]
    shapes: tuple[Shape, ...] = ()


class About(Closed):
    """`[site]`."""

    id: Name
    zh: Words
    en: Words
    data: Path
    """Folder for books, spools, series and records; relative to the site file."""
    override_persons: Literal[1, 2] = 1
    """How many persons must sign an order that overrides customs' silence or the lane's own no."""
    hold_open_persons: Literal[1, 2] | None = None
    """How many must sign a hold-open, one of them a supervisor; not given: as many as for an override."""
    shifts: tuple[TimeOfDay, ...] = ("00:00",)
    """When shifts begin, by this machine's time zone: overrides are counted for each."""
    clock: ClockConfig = ClockConfig()
    drawing: Drawing | None = None


class ConsoleConfig(Closed):
    """`[console]`: where the pages are served."""

    host: str = "127.0.0.1"
    port: Port = 8080
    names: tuple[str, ...] = ()
    """Host names under which people open the pages, beside `localhost` and bare addresses."""
    tls: ServerTls | None = None


class AnchorsConfig(Closed):
    """`[anchors]`: the key with which lanes sign how far their books are (`quaygate keys new`)."""

    key_file: Path
    """The private key; relative to the site file, readable by the lanes' user only."""
    public: PublicKey
    """As `quaygate keys new` printed it: whoever checks a book needs this one alone."""


class Person(Closed):
    """Somebody who may sign orders at a console."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
    zh: Words
    en: Words
    role: Literal["operator", "supervisor", "inspector"]
    public: PublicKey
    sealed: Sealed


_USUAL = Rules()


ByHand = Consequence
NotByHand = Literal[Consequence.RETRY, Consequence.INSPECT, Consequence.REFUSE]


class OnFailedConfig(Closed):
    """`[lanes.rules] on_failed`: what a check that failed leads to. Nobody corrects a weight or a paper by hand."""

    plate: ByHand = _USUAL.on_failed.plate
    tag: ByHand = _USUAL.on_failed.tag
    trailer: ByHand = _USUAL.on_failed.trailer
    containers: ByHand = _USUAL.on_failed.containers
    seal: ByHand = _USUAL.on_failed.seal
    weight: NotByHand = Consequence.RETRY
    direction: NotByHand = Consequence.RETRY
    document: NotByHand = Consequence.RETRY


class EmptyConfig(Closed):
    """A truck that the site knows, and what it weighs with nothing on it."""

    plate: Words
    kg: Annotated[Decimal, Field(gt=0)]


class RulesConfig(Closed):
    """`[lanes.rules]`: what this lane asks for. Seconds are site seconds; the reasons are in gateway_ctl/picture.py."""

    needs_weight: bool = _USUAL.needs_weight
    needs_plate: bool = _USUAL.needs_plate
    needs_tag: bool = _USUAL.needs_tag
    needs_trailer: bool = _USUAL.needs_trailer
    needs_seal: bool = _USUAL.needs_seal
    needs_scan: bool = _USUAL.needs_scan
    takes_axle_sum: bool = _USUAL.takes_axle_sum
    tolerance_share: Annotated[Decimal, Field(ge=0, le=1)] = _USUAL.tolerance_share
    documents: tuple[Words, ...] = ()
    on_failed: OnFailedConfig = OnFailedConfig()
    silent: Silent = _USUAL.silent
    silent_after_s: Annotated[float, Field(ge=1, le=3600)] = _USUAL.silent_after_s
    empties: tuple[EmptyConfig, ...] = ()
    empty_off_kg: Annotated[Decimal, Field(ge=0, le=5000)] = _USUAL.empty_off_kg
    hold_open_s: Annotated[float, Field(ge=0, le=14400)] = _USUAL.hold_open_s
    cosign_s: Annotated[float, Field(ge=10, le=600)] = _USUAL.cosign_s
    presence_kg: Annotated[Decimal, Field(gt=0)] = _USUAL.presence_kg
    plate_sure: Annotated[float, Field(ge=0, le=1)] = _USUAL.plate_sure
    gather_s: Annotated[float, Field(ge=5, le=600)] = _USUAL.gather_s
    inputs_fresh_s: Annotated[float, Field(ge=0.2, le=5)] = _USUAL.inputs_fresh_s
    weight_fresh_s: Annotated[float, Field(ge=0.2, le=10)] = _USUAL.weight_fresh_s
    zone_clear_s: Annotated[float, Field(ge=0.5, le=30)] = _USUAL.zone_clear_s
    order_life_s: Annotated[float, Field(ge=10, le=3600)] = _USUAL.order_life_s
    skew_s: Annotated[float, Field(ge=0, le=60)] = _USUAL.skew_s
    clock_step_s: Annotated[float, Field(ge=0.1, le=60)] = _USUAL.clock_step_s

    def rules(self) -> Rules:
        """For the interlock."""
        made: dict[str, Any] = self.model_dump(exclude={"on_failed", "empties"})
        failed = OnFailed(**self.on_failed.model_dump())
        return Rules(**made, on_failed=failed, empties=tuple(Empty(truck.plate, truck.kg) for truck in self.empties))


class SealReaderConfig(Closed):
    """`[lanes.seals]`: a reader of this lane that sees the tags in seals."""

    reader: TagReaderConfig
    text: bool = False
    """The tag holds the seal's number as text; else its hex digits are the number."""


class Lane(Closed):
    """`[[lanes]]`: one lane with all that stands in it."""

    id: Name
    zh: Words
    en: Words
    direction: Literal["in", "out"]
    mode: Mode = Mode.SHADOW
    """shadow: decides and moves nothing; advisory: asks the operator before it opens; live."""
    weighbridge: WeighbridgeConfig
    io: LaneIoConfig
    tags: TagReaderConfig | None = None
    cards: CardReaderConfig | None = None
    """Where the driver holds their card."""
    seals: SealReaderConfig | None = None
    cameras: tuple[CameraConfig, ...] = ()
    sign: SignConfig | None = None
    customs: CustomsConfig | None = None
    """What customs calls this lane; where [clearance] engine is "jgst"."""
    rules: RulesConfig = RulesConfig()

    def barrier(self) -> BarrierConfig:
        """Where the boom's commands are wired."""
        out, io = self.io.outputs, self.io
        return BarrierConfig.model_validate({
            "raise": out.raise_, "lower": out.lower, "stop": out.stop, "pulse_s": io.pulse_s,
            "watchdog_s": io.watchdog_s,
        })  # fmt: skip


class Site(Closed):
    """A site file."""

    about: About = Field(alias="site")
    broker: BrokerConfig = BrokerConfig()
    series: SeriesConfig = SeriesConfig()
    records: RecordsConfig = RecordsConfig()
    console: ConsoleConfig = ConsoleConfig()
    black_box: BlackBoxConfig = BlackBoxConfig()
    inspection: InspectionConfig | None = None
    clearance: ClearanceConfig
    anchors: AnchorsConfig | None = None
    """Without it a book proves itself only as far as its own chain goes: a cut tail is not found."""
    papers: PapersConfig | None = None
    persons: tuple[Person, ...] = ()
    modules: tuple[ModuleTable, ...] = ()
    weight_tables: tuple[WeightTable, ...] = ()
    """Register tables of I/O modules and of weighing indicators that Quaygate does not know."""
    lanes: Annotated[tuple[Lane, ...], Field(min_length=1)]
    scanners: tuple[Scanner, ...] = ()
    trackers: tuple[TrackerConfig, ...] = ()
    seals: tuple[SealsConfig, ...] = ()
    """Ports on which electronic seals report."""
    zones: tuple[ZoneConfig, ...] = ()
    """Areas and routes on the drawing that trackers enter and leave."""

    @property
    def id(self) -> str:
        """The site's level in the topics."""
        return self.about.id

    @property
    def data(self) -> Path:
        """The folder of books, spools, series and records."""
        return self.about.data

    def folder(self, node: str) -> Path:
        """Where the tracker and the recorder keep their own files."""
        return self.data / node

    def book(self, lane_id: str) -> Path:
        """The lane's book."""
        return self.data / "lanes" / lane_id / BOOK

    def lane(self, lane_id: str) -> Lane:
        """Raises LookupError, which names the lanes there are."""
        for lane in self.lanes:
            if lane.id == lane_id:
                return lane
        raise LookupError(f"no lane {lane_id!r}; there are {', '.join(lane.id for lane in self.lanes)}")

    def scanner(self, scanner_id: str) -> Scanner:
        """Raises LookupError, which names the scanners there are."""
        for scanner in self.scanners:
            if scanner.id == scanner_id:
                return scanner
        raise LookupError(f"no scanner {scanner_id!r}; there are {', '.join(each.id for each in self.scanners)}")

    @property
    def scans(self) -> Path:
        """The archive of scans: the scanners write it, the image review reads it."""
        said = None if self.inspection is None else self.inspection.archive
        return said or self.data / "xray"

    def keyring(self) -> dict[str, Holder]:
        """Every key that may be on an order here: customs' by its id, a person's by the person's id."""
        customs = {key.id: Holder(load_public(key.public), Role(key.role)) for key in self.clearance.keys}
        persons = {person.id: Holder(load_public(person.public), Role(person.role)) for person in self.persons}
        return customs | persons


_PATHS = (
    "site.data",
    "broker.password_file",
    "inspection.archive",
    "inspection.lane_pictures",
    *(
        f"{part}.{table}.{key}"
        for part in ("broker", "console", "clearance")
        for table in ("tls", "listen_tls")
        for key in ("ca", "cert", "key")
    ),
    "series.token_file",
    "anchors.key_file",
    "papers.import_dir",
    "papers.export_dir",
    "clearance.key_file",
    "clearance.serial_key_file",
    "clearance.registration.password_file",
    "clearance.local_key_file",
    "trackers.*.key_file",
)


def load(path: Path) -> Site:
    """The site of a file, its relative paths taken from the file's folder. Raises SiteFileWrong with every mistake."""
    try:
        text = _read(path)
        raw = tomllib.loads(text)
    except (OSError, ValueError) as wrong:
        raise SiteFileWrong([_unreadable(path, wrong)]) from None
    beside = SiteText(str(path), text, raw)
    mistakes = [beside.mistake(finding) for finding in findings(raw, path.parent)]
    site: Site | None = None
    try:
        site = Site.model_validate(_with_paths(raw, path.resolve().parent))
    except ValidationError as wrong:
        told = (beside.of_pydantic(error, Site) for error in wrong.errors(include_url=False))
        mistakes += [mistake for mistake in told if mistake is not None]
    if mistakes or site is None:
        raise SiteFileWrong(_once(mistakes))
    return site


def schema() -> str:
    """The JSON schema of a site file, for editors; pinned at edge/sites/schema.json."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Site.model_json_schema(by_alias=True)}
    return json.dumps(made, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _read(path: Path) -> str:
    if path.stat().st_size > SITE_FILE_CAP:
        raise ValueError(f"expected a TOML file of at most {SITE_FILE_CAP} bytes")
    return path.read_text(encoding="utf-8")


def _unreadable(path: Path, wrong: OSError | ValueError) -> Mistake:
    line: int | None = None
    if isinstance(wrong, OSError):
        expected = f"cannot be read: {wrong.strerror}"
    elif isinstance(wrong, UnicodeDecodeError):
        expected = "cannot be read: expected UTF-8"
    else:
        found = re.search(r"at line (\d+)", str(wrong))
        line = int(found[1]) if found else None
        expected = f"is not TOML: {wrong}" if isinstance(wrong, tomllib.TOMLDecodeError) else str(wrong)
    return Mistake(file=str(path), line=line, key="the file", value="", expected=expected)


def _with_paths(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A copy whose paths no longer depend on where the process was started."""
    made = deepcopy(dict(raw))
    for pattern in _PATHS:
        for (*tables, key), value in list(places(made, pattern)):
            if isinstance(value, str):
                here: Any = made
                for table in tables:
                    here = here[table]
                here[key] = str(folder / value)
    return made


def _once(mistakes: list[Mistake]) -> Iterator[Mistake]:
    """One message a place: what the model says of a value is enough."""
    seen: set[tuple[str, int | None]] = set()
    for mistake in reversed(mistakes):
        if (mistake.key, mistake.line) not in seen:
            seen.add((mistake.key, mistake.line))
            yield mistake


__all__ = ["Finding", "Lane", "Site", "SiteFileWrong", "load", "schema"]
