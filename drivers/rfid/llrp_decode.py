"""A captured LLRP stream, of either side or both -> what it says, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.readings import Garbage
from drivers.rfid import llrp
from drivers.rfid.llrp import Kind
from drivers.rfid.tag import plate_of

Plain = dict[str, Any]


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """One object a message, in the order of the bytes.

    Every message: `message` (its name), `type`, `version`, `message_id`, `length`. A report: `tags`, each with
    `epc` (hex), `plate` (where its bytes are a plausible one), `antenna`, `rssi_dbm`, `seen`, `first_seen_us`.
    An event: `utc_us`, `connection_attempt` and what else it says. An answer: `status`, `description`.
    What is none, or does not fit its own lengths: `{"garbage": hex, "why": ..}`.
    """
    decoder = llrp.Decoder()
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder)
    decoder.give_up()
    yield from _words(decoder)


def _words(decoder: llrp.Decoder) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        if isinstance(word, Garbage):
            yield {"garbage": word.raw.hex(), "why": word.why}
            continue
        try:
            yield plain(word)
        except llrp.Broken as wrong:
            yield {"garbage": llrp.encode(word).hex(), "why": f"{word.name}: {wrong}"}


def plain(message: llrp.Message) -> Plain:
    """Raises Broken."""
    head: Plain = {
        "message": message.name,
        "type": message.type,
        "version": message.version,
        "message_id": message.id,
        "length": llrp.HEADER_BYTES + len(message.body),
    }
    return head | _more(message)


def _more(message: llrp.Message) -> Plain:
    body = message.body
    match message.type:
        case llrp.RO_ACCESS_REPORT:
            return {"tags": [_tag(each) for each in llrp.read_reports(body)]}
        case llrp.READER_EVENT_NOTIFICATION:
            event = llrp.read_event(body)
            said = {
                "connection_attempt": event.connection_attempt,
                "closing": event.closing or None,
                "exception": event.exception,
                "antenna": event.antenna,
                "antenna_there": event.antenna_there,
            }
            return {"utc_us": event.utc_us} | {key: value for key, value in said.items() if value is not None}
        case llrp.GET_READER_CAPABILITIES:
            return {"requested": body[0] if len(body) == 1 else body.hex()}
        case llrp.SET_READER_CONFIG if body:
            periods = (each.value for each in llrp.parameters(body[1:]) if each.type == Kind.KEEPALIVE_SPEC)
            return {
                "reset_to_factory": bool(body[0] & 0x80),
                "keepalive_ms": next((int.from_bytes(each[1:5], "big") for each in periods), None),
            }
        case llrp.ADD_ROSPEC:
            return _rospec(body)
        case llrp.DELETE_ROSPEC | llrp.ENABLE_ROSPEC if len(body) == 4:
            return {"rospec_id": int.from_bytes(body, "big")}
        case llrp.CUSTOM_MESSAGE if len(body) >= 5:
            return {"vendor": int.from_bytes(body[:4], "big"), "subtype": body[4], "body": body[5:].hex()}
        case _:
            return _answer(body) if _is_answer(message) else {"body": body.hex()} if body else {}


def _is_answer(message: llrp.Message) -> bool:
    return message.type == llrp.ERROR_MESSAGE or message.name.endswith("_RESPONSE")


def _answer(body: bytes) -> Plain:
    status = llrp.read_status(body)
    return {"status": status.code, "description": status.description}


def _rospec(body: bytes) -> Plain:
    for spec in llrp.parameters(body):
        if spec.type == Kind.ROSPEC and len(spec.value) >= 6:
            antennas: list[int] = []
            for each in llrp.parameters(spec.value[6:]):
                if each.type == Kind.AISPEC:
                    count = int.from_bytes(each.value[:2], "big")
                    ports = each.value[2 : 2 + 2 * count]
                    antennas += [int.from_bytes(ports[at : at + 2], "big") for at in range(0, len(ports), 2)]
            return {"rospec_id": int.from_bytes(spec.value[:4], "big"), "antennas": antennas}
    raise llrp.Broken("no inventory in it")


def _tag(tag: llrp.TagReport) -> Plain:
    return {
        "epc": tag.epc.hex().upper(),
        "plate": plate_of(tag.epc),
        "antenna": tag.antenna,
        "rssi_dbm": tag.rssi_dbm,
        "seen": tag.seen,
        "first_seen_us": tag.first_seen_us,
    }
