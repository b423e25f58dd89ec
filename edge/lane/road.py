"""The lane's road to customs, as the site file says: the JSON service, or the gate protocol with its own key."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edge.clearance_config import GateClearanceConfig
from edge.clock import SiteClock
from edge.config import Lane, Site
from edge.mistakes import Mistake, SiteFileWrong
from gateway_ctl.book import Book
from gateway_ctl.clearance import Clearance
from gateway_ctl.customs.device_ids import NAMES, Device
from gateway_ctl.customs.errands import DeviceNow, Registration
from gateway_ctl.customs.gate import GateClearance, Terms
from gateway_ctl.customs.packet import Photo
from gateway_ctl.customs.question import Channel
from gateway_ctl.customs.serial_seal import serial_signer
from gateway_ctl.customs.store import Store
from gateway_ctl.customs.wire import Way
from gateway_ctl.http import HttpClearance
from gateway_ctl.seal import PrivateKey, load_private, load_public, public_of
from telemetry.config import ServerTls, first_line

STORE = "customs.sqlite"
"""The link's own memory, in the lane's folder beside its book."""
PICTURES = "pictures"
"""In the lane's folder: `<passage>/30.jpg` to `36.jpg`, put there by whoever keeps the cameras' pictures."""
PLACES = range(0x30, 0x37)
LARGEST_PICTURES = 3 * 2**20
"""Bytes of all pictures of a truck: a customs front server was seen to take no more."""


def clearance_of(site: Site, lane: Lane, clock: SiteClock, book: Book, well: Callable[[str], bool | None]) -> Clearance:
    """The lane's. `well`: whether one of its instruments, or `boom`, works. Raises SiteFileWrong: a key's file."""
    config = site.clearance
    if not isinstance(config, GateClearanceConfig):
        return HttpClearance(config.url, config.answer_within_s, clock)
    customs = lane.customs
    assert customs is not None  # the site file was checked
    folder = site.book(lane.id).parent

    async def note(kind: str, body: Mapping[str, Any], passage: str | None) -> None:
        await book.write(kind, clock.now(), body, passage=passage)

    def devices() -> Iterable[DeviceNow]:
        for name, number in customs.devices.items():
            state = well(name)
            yield DeviceNow(number=number, name=NAMES[Device(number[:2])], well=state is not False)

    return GateClearance(
        way=way_of(config, lane),
        channel=Channel(
            site=site.id, lane=lane.id, area=customs.area, number=customs.channel,
            direction="I" if lane.direction == "in" else "E",
        ),
        terms=terms_of(config, customs.listen_port),
        store=Store(folder / STORE),
        clock=clock,
        key=config.key,
        private=link_key(config),
        note=note,
        devices=devices,
        photos=lambda passage: asyncio.to_thread(photos_in, folder / PICTURES / passage),
        sign_xml=None if config.serial_key_file is None else _serial(config.serial_key_file),
    )  # fmt: skip


def way_of(config: GateClearanceConfig, lane: Lane) -> Way:
    """How the lane and customs reach each other. Raises SiteFileWrong: a certificate's file."""
    customs = lane.customs
    assert customs is not None
    try:
        client = None if config.tls is None else config.tls.context()
    except (OSError, ssl.SSLError) as wrong:
        raise _wrong("tls", "", f"cannot be used: {wrong}") from None
    try:
        server = None if config.listen_tls is None else server_context(config.listen_tls)
    except (OSError, ssl.SSLError) as wrong:
        raise _wrong("listen_tls", "", f"cannot be used: {wrong}") from None
    return Way(
        profile=config.profile_made(), host=config.host, port=config.port, listen_host=customs.listen_host,
        listen_port=customs.listen_port, from_hosts=config.from_hosts, long=config.connection == "long",
        intake_port=config.intake_port, client_tls=client, server_tls=server, resend_s=config.resend_s,
        resends=config.resends,
    )  # fmt: skip


def terms_of(config: GateClearanceConfig, port: int) -> Terms:
    """The site's choices. Raises SiteFileWrong: the password's file."""
    registration: Registration | None = None
    if (told := config.registration) is not None:
        try:
            password = first_line(told.password_file)
        except OSError as wrong:
            name = told.password_file.name
            raise _wrong("registration.password_file", name, f"cannot be read: {wrong.strerror}") from None
        registration = Registration(user=told.user, password=password, ip=told.ip, port=port)
    return Terms(
        answer_within_s=config.answer_within_s, sequence_life_s=config.sequence_life_s,
        order_life_s=config.order_life_s, reco_ok=config.reco_ok, receipt=config.receipt,
        heartbeat_s=config.heartbeat_s, registration=registration,
    )  # fmt: skip


def link_key(config: GateClearanceConfig) -> PrivateKey:
    """The key that the link seals customs' answers with. Raises SiteFileWrong."""
    name = config.key_file.name
    try:
        private = load_private(first_line(config.key_file))
    except OSError as wrong:
        raise _wrong(
            "key_file", name, f"cannot be read: {wrong.strerror}; `quaygate keys new FILE` makes one"
        ) from None
    except ValueError:
        raise _wrong("key_file", name, "expected a private key as `quaygate keys new FILE` makes it") from None
    public = next(key.public for key in config.keys if key.id == config.key)
    if public_of(private) != load_public(public):
        raise _wrong("key_file", name, f"expected the private half of the key {config.key!r}; this is another key's")
    return private


def server_context(config: ServerTls) -> ssl.SSLContext:
    """For our own port; with `ca` every client must show a certificate of it. Raises OSError or ssl.SSLError."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(str(config.cert), str(config.key))
    if config.ca is not None:
        made.load_verify_locations(cafile=str(config.ca))
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def photos_in(folder: Path) -> tuple[Photo, ...]:
    """The pictures of one passage, front to rear; without the last ones when they are more than the peer takes."""
    found: list[Photo] = []
    room = LARGEST_PICTURES
    for place in PLACES:
        try:
            jpeg = (folder / f"{place:x}.jpg").read_bytes()
        except OSError:
            continue
        room -= len(jpeg)
        if room < 0:
            break
        found.append(Photo(place, jpeg))
    return tuple(found)


def _serial(path: Path) -> Callable[[bytes], bytes]:
    try:
        return serial_signer(path.read_bytes())
    except OSError as wrong:
        raise _wrong("serial_key_file", path.name, f"cannot be read: {wrong.strerror}") from None
    except ValueError as wrong:
        raise _wrong("serial_key_file", path.name, f"expected an RSA private key in PEM: {wrong}") from None


def _wrong(key: str, value: str, expected: str) -> SiteFileWrong:
    said = Mistake(file="site file", line=None, key=f"clearance.{key}", value=f"= {value}", expected=expected)
    return SiteFileWrong([said])
