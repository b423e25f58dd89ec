"""A captured JT/T 808 stream -> what it says, as plain objects for JSON lines: both sides of the dialogue."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.gps.assemble import iso
from drivers.gps.fix import Fix
from drivers.gps.jt808 import messages as m
from drivers.gps.jt808.frames import Decoder, Message, Packets
from drivers.gps.jt808.location import read_location, to_fix
from drivers.readings import Garbage, Instant

Plain = dict[str, Any]

NAMES = {
    m.TERMINAL_ANSWER: "answer of the terminal",
    m.HEARTBEAT: "heartbeat",
    m.LOGOUT: "logout",
    m.ASK_TIME: "asks for the time",
    m.REGISTRATION: "registration",
    m.AUTHENTICATION: "authentication",
    m.LOCATION: "position",
    m.LOCATION_ANSWER: "position, as asked",
    m.DRIVER: "driver",
    m.BATCH: "positions kept back",
    m.PLATFORM_ANSWER: "answer of the platform",
    m.RESEND_PACKETS: "platform asks for packets",
    m.TIME_ANSWER: "time of the platform",
    m.REGISTRATION_ANSWER: "answer to a registration",
}


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """One object a message, and one for all that is none.

    Every message: `message` (its id), `name`, `tracker` (number of the terminal), `serial`, `edition` (2013 stands for
    2011 too). A position: the keys of an NMEA fix, and `historical`, `ignition`, `alarms`, `mileage_km`, `fuel_l`,
    `items` (the others' bytes). Others of which little is known: `body` in hexadecimal digits.
    """
    decoder, packets = Decoder(), Packets()
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder, packets)
    decoder.end()
    yield from _words(decoder, packets)
    for garbage in packets.drop(0.0):
        yield _garbage(garbage)


def _words(decoder: Decoder, packets: Packets) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        whole = packets.take(word, 0.0) if isinstance(word, Message) else word
        if isinstance(whole, Garbage):
            yield _garbage(whole)
        elif whole is not None:
            yield from _plain(whole)
        for garbage in packets.crowded():
            yield _garbage(garbage)


def _plain(message: Message) -> Iterator[Plain]:
    head: Plain = {
        "message": f"{message.id:04x}",
        "name": NAMES.get(message.id, ""),
        "tracker": message.phone,
        "serial": message.serial,
        "edition": 2013 if message.version is None else 2019,
    }
    if message.encryption:
        yield head | {"encryption": message.encryption, "body": message.body.hex()}
        return
    try:
        if message.id in (m.LOCATION, m.LOCATION_ANSWER):
            yield head | _position(message.body[2 * (message.id == m.LOCATION_ANSWER) :], historical=False)
        elif message.id == m.BATCH:
            batch = m.read_batch(message.body)
            for body in batch.bodies:
                yield head | _position(body, historical=batch.blind_spot)
            if not batch.whole:
                yield {"garbage": message.body.hex(" "), "why": f"a batch damaged after {len(batch.bodies)} positions"}
        elif message.id == m.REGISTRATION:
            yield head | m.read_registration(message)._asdict()
        elif message.id == m.AUTHENTICATION:
            yield head | {"code": m.read_authentication(message)}
        elif message.id in (m.PLATFORM_ANSWER, m.TERMINAL_ANSWER) and len(message.body) >= 5:
            body = message.body
            yield head | {
                "answers": body[2:4].hex(),
                "answers_serial": int.from_bytes(body[:2], "big"),
                "result": body[4],
            }
        else:
            yield head | {"body": message.body.hex()}
    except ValueError as wrong:
        yield {"garbage": message.body.hex(" "), "why": str(wrong)}


def _position(body: bytes, *, historical: bool) -> Plain:
    """Raises ValueError."""
    location = read_location(body)
    fix: Fix = to_fix(location, Instant(0.0), source="", historical=historical)
    vehicle = fix.vehicle
    assert vehicle is not None
    return {
        "at": None if fix.fix_time is None else iso(fix.fix_time),
        "lat": fix.lat,
        "lon": fix.lon,
        "speed_mps": None if fix.speed_mps is None else round(fix.speed_mps, 3),
        "track_deg": fix.track_deg,
        "altitude_m": fix.altitude_m,
        "satellites": fix.satellites,
        "valid": fix.valid,
        "quality": fix.quality.value,
        "why": fix.why,
        "historical": historical,
        "ignition": vehicle.ignition,
        "alarms": list(vehicle.alarms),
        "mileage_km": vehicle.mileage_km,
        "fuel_l": vehicle.fuel_l,
        "items": {f"{key:02x}": value.hex() for key, value in location.items},
    } | ({} if location.whole else {"items_end": "the items do not end where the body ends"})


def _garbage(garbage: Garbage) -> Plain:
    return {"garbage": garbage.raw.hex(" "), "why": garbage.why}
